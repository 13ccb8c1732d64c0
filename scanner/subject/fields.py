"""What a column is called says whose data it may hold: the person's own, a relative's, or that of who handled the case."""

from __future__ import annotations

import functools
import re
from enum import StrEnum
from typing import NamedTuple

from scanner.model import Role


class Part(StrEnum):
    """Which part of a person's identity a column holds."""

    NAME = "PERSON"
    FIRST = "first name"
    MIDDLE = "middle name"
    LAST = "last name"
    EMAIL = "EMAIL_ADDRESS"
    PHONE = "PHONE_NUMBER"
    ADDRESS = "ADDRESS"
    STREET = "street"
    HOUSE = "house number"
    FLOOR = "floor and door"
    POSTCODE = "postcode"
    TOWN = "town"
    CPR = "DK_CPR"
    BORN = "DATE_OF_BIRTH"
    LOGIN = "USERNAME"
    COOKIE = "COOKIE_ID"
    IBAN = "IBAN_CODE"
    ACCOUNT = "DK_BANK_ACCOUNT"
    CARD = "CREDIT_CARD"
    PASSPORT = "DK_PASSPORT"
    LICENCE = "DK_DRIVING_LICENCE"
    NUMBER = "CUSTOMER_ID"
    NONE = ""


class Meaning(NamedTuple):
    """What a column means: a part of an identity, and whose (`about` the row's person, or somebody else's role in it)."""

    part: Part
    role: Role


_PARTS: tuple[tuple[Part, str], ...] = (
    (Part.CPR, r"cpr|personnummer|personnr|pers_nr|person_no"),
    (Part.EMAIL, r"e_?mail|mail|epost|mailadresse|login_mail"),
    (Part.PHONE, r"tlf|telefon|phone|mobil|mobile|msisdn|cell"),
    (Part.FIRST, r"fornavn|first_?name|given_?name|forename|fname"),
    (Part.MIDDLE, r"mellemnavn|middle_?name"),
    (Part.LAST, r"efternavn|last_?name|surname|family_?name|lname"),
    (Part.BORN, r"f(?:ø|oe|o)ds\w*|f(?:ø|oe|o)dt|birth\w*|born|dob|fdato|fdag"),
    (Part.IBAN, r"iban"),
    (Part.ACCOUNT, r"konto|kontonr|kontonummer|bankkonto|bank_?account|account_no|account_number|loenkonto|lønkonto|nemkonto"),
    (Part.CARD, r"kortnr|kortnummer|card_?number|card_?no"),
    (Part.PASSPORT, r"pas_?nr|pas_?nummer|passport\w*"),
    (Part.POSTCODE, r"postnr|post_?nr|postnummer|post_?code|postal_?code|zip|zip_?code"),
    (Part.TOWN, r"by|bynavn|city|town|postdistrikt"),
    (Part.HOUSE, r"husnr|hus_?nr|house_?no|house_?number"),
    (Part.FLOOR, r"etage|floor|sal|door|d(?:ø|oe)r"),
    (Part.STREET, r"vej|vejnavn|gade|gadenavn|street|street_?name|address_?line_?1|adresse_?1|address1"),
    (Part.ADDRESS, r"adresse|address|adr|bop(?:æ|ae)l|leveringsadresse|faktureringsadresse|postadresse|hjemadresse"),
    (Part.COOKIE, r"cookie|cookie_?id|session|session_?id|visitor|visitor_?id|sid|device_?id"),
    (Part.LOGIN, r"login|username|user_?name|brugernavn|bruger|bruger_?id|handle|initialer"),
    (Part.NAME, r"navn|name|fuld(?:e|t)?_?navn|full_?name|display_?name|kundenavn|medarbejdernavn|personnavn|fn"),
)
_NUMBER = re.compile(r"(?:^|_)(?:id|nr|no|num|number|nummer|key|kode|code|ref|uuid|guid)$|(?:nr|nummer|id|no)$")
_HANDLER = frozenset(
    "sagsbehandler behandler handler handled handling assigned assignee agent oprettet created creator updated opdateret rettet "
    "ændret aendret changed modified behandlet godkendt approved approver attesteret sælger saelger seller salgsperson ansvarlig "
    "responsible clerk leder manager chef operator udført udfoert performed actor staff editor konsulent rådgiver raadgiver "
    "advisor supporter afsluttet_af lukket closed_by ekspedient ekspederet".split()
)
_OTHER = frozenset(
    "kontakt kontaktperson contact ægtefælle aegtefaelle ægtefaelle spouse partner samlever pårørende paaroerende relative kin "
    "emergency forælder foraelder forældre foraeldre parent mor mother far father guardian værge vaerge barn child børn boern "
    "reference referrer henvist recommended læge laege doctor advokat lawyer gift recipient2".split()
)
_PRODUCTS = frozenset(
    "product produkt vare varenavn item file fil filename filnavn table host domain event kampagne campaign company firma "
    "virksomhed country land department afdeling shop butik category kategori role rolle plan feature font browser".split()
)


@functools.lru_cache(maxsize=65_536)
def meaning(field: str, entity: str = "") -> Meaning:
    """What a column means by its name, and by the entity that it is known to hold throughout (`""`: not known)."""
    name = split(field)
    words = set(name.split("_"))
    # `oprettet` alone is a date, `oprettet_af` a person: who handled something says so with the thing that is looked up.
    if words & _HANDLER and not _dated(name):
        role = Role.HANDLER
    elif words & _OTHER:
        role = Role.MENTIONED
    else:
        role = Role.ABOUT
    if words & _PRODUCTS and entity not in ("EMAIL_ADDRESS", "PHONE_NUMBER", "DK_CPR"):
        return Meaning(Part.NONE, role)
    named = _part(name)
    if entity == "PERSON":
        return Meaning(named if named in (Part.FIRST, Part.MIDDLE, Part.LAST) else Part.NAME, role)
    if entity == "LOCATION":
        return Meaning(named if named in (Part.TOWN, Part.POSTCODE, Part.STREET, Part.ADDRESS) else Part.NONE, role)
    if entity == "ADDRESS":
        return Meaning(named if named in (Part.STREET, Part.HOUSE, Part.FLOOR) else Part.ADDRESS, role)
    known = _BY_ENTITY.get(entity)
    if known is not None:
        return Meaning(known, role)
    if entity and entity not in ("CUSTOMER_ID", "DK_CVR", "NRP", "ORGANIZATION"):
        return Meaning(Part.NONE, role)
    if named is Part.NONE:
        named = Part.NUMBER if _NUMBER.search(name) else Part.NAME if role is Role.HANDLER else Part.NONE
    return Meaning(named, role)


_BY_ENTITY = {part.value: part for part in Part if part.value.isupper() and part not in (Part.NAME, Part.ADDRESS, Part.NUMBER)}
_DATES = re.compile(r"(?:^|_)(?:at|on|dato|date|tid|time|den|kl)$")


def _dated(name: str) -> bool:
    return bool(_DATES.search(name)) or name in ("oprettet", "created", "updated", "opdateret", "rettet", "changed", "modified", "godkendt")


@functools.lru_cache(maxsize=65_536)
def split(field: str) -> str:
    """A column's name in small letters, its words divided by `_`; of a path, its last step."""
    last = re.split(r"[.\[\]/]", field.strip("[]. "))[-1] if "." in field.strip(". ") else field
    spaced = re.sub(r"(?<=[a-zæøå0-9])(?=[A-ZÆØÅ])", "_", last.strip())
    return re.sub(r"[^\w]+|_+", "_", spaced).strip("_").casefold()


def _part(name: str) -> Part:
    if re.search(r"(?:^|_)(?:kontonr|account)", name) is None and re.fullmatch(r"(?:kunde|customer|medarbejder|employee|client)", name):
        return Part.NAME
    for part, expression in _PARTS:
        if re.search(rf"(?:^|_)(?:{expression})(?:_?\d)?$", name) or re.match(rf"(?:{expression})(?:_|$)", name):
            if part is Part.EMAIL and _NUMBER.search(name):
                continue
            if part in (Part.LOGIN, Part.COOKIE, Part.NAME) and name.endswith(("_at", "_dato", "_date", "_count", "_type")):
                continue
            if part is Part.LOGIN and name.startswith(("last_", "sidste_", "seneste_")):
                continue  # when somebody was there last
            return part
    return Part.NONE


CONCEPTS: tuple[frozenset[str], ...] = (
    frozenset("customer kunde client klient debitor cust kd".split()),
    frozenset("employee medarbejder ansat løn loen staff personale emp".split()),
    frozenset("member medlem".split()),
    frozenset("patient borger citizen".split()),
    frozenset("user bruger account konto login".split()),
    frozenset("applicant ansøger ansoeger candidate kandidat".split()),
    frozenset("order ordre bestilling".split()),
    frozenset("invoice faktura".split()),
    frozenset("case sag ticket".split()),
    frozenset("supplier leverandør leverandoer vendor kreditor".split()),
)
"""Words for the same kind of thing that is numbered; the first `PEOPLE` of them are people."""
PEOPLE = frozenset(range(6))


def concepts(text: str) -> frozenset[int]:
    """What kind of thing a column or a word in front of a number counts: customers, employees, orders …, as numbers of `CONCEPTS`."""
    name = split(text) if "." not in text else "_".join(map(split, text.split(".")))
    words = set(name.split("_"))
    return frozenset(i for i, ours in enumerate(CONCEPTS) if ours & words or any(word in name for word in ours if len(word) > 3))


def same_number(column: str, field: str) -> bool:
    """Whether two columns count the same kind of thing, so that an equal number in both means the same customer."""
    one, other = column.rpartition(".")[2] or column, field
    if split(one) == split(other) and split(one) not in ("id", "nr", "no", "number", "nummer", "key", "uuid", "guid"):
        return True
    ours, theirs = concepts(column), concepts(other)
    return bool(ours & theirs) and bool(_NUMBER.search(split(other)))
