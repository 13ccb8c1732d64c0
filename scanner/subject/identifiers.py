"""From the little that is known of a person to every way in which it may be written; and whether what is found is it."""

from __future__ import annotations

import re
from collections.abc import Callable

from scanner import digest
from scanner.detect.known import CUSTOMER_ID
from scanner.model import Identifier
from scanner.subject import addresses, contacts, dates, names, spellings
from scanner.subject.contacts import is_shared_mailbox
from scanner.subject.given import from_json, from_options, warnings
from scanner.subject.likeness import EMPTY, UNKNOWN, Agreement, Form, Likeness, Strength, different, same, variant, weak
from scanner.subject.names import fold_name

__all__ = [
    "Agreement", "Form", "Likeness", "Strength", "compare", "digits", "fold_name", "forms", "from_json", "from_options",
    "is_shared_mailbox", "streets", "strength", "warnings", "written",
]  # fmt: skip

ADDRESSES = 64
"""No more writings of an address are looked up; the others are told apart by `compare`."""


_SHARED = frozenset({"PHONE_NUMBER", "ADDRESS", "DATE_OF_BIRTH", "USERNAME", "DK_LICENCE_PLATE", "IP_ADDRESS", "COOKIE_ID", "MAC_ADDRESS"})
_NAMES = frozenset({"PERSON", "LOCATION", "ORGANIZATION", "NRP", "URL", "USER_AGENT", "GEO_COORDINATES"})


def strength(identifier: Identifier) -> Strength:
    """How much it proves when this identifier stands in a record."""
    if identifier.entity == "EMAIL_ADDRESS" and is_shared_mailbox(identifier.value):
        return Strength.MEDIUM
    if identifier.entity == "ADDRESS" and not addresses.parse(identifier.value).number:
        return Strength.WEAK
    return Strength.WEAK if identifier.entity in _NAMES else Strength.MEDIUM if identifier.entity in _SHARED else Strength.STRONG


def forms(identifier: Identifier) -> tuple[Form, ...]:
    """Every normal form under which the inventory may hold this identifier, each once.

    Those of the identifier's own entity are the same as it or a usual variation; those of another (the day of birth of a CPR
    number) are weaker.
    """
    entity, value, how = identifier.entity, identifier.value, strength(identifier)
    made: list[Form] = []
    if entity == "PERSON":
        made = [_form(entity, text, how, said) for text, said in spellings.name_forms(value).items()]
    elif entity == "ADDRESS":
        made = [_form(entity, text, how, said) for text, said in addresses.address_forms(value).items()]
    elif entity == "EMAIL_ADDRESS":
        for (kind, text), said in contacts.mailbox_forms(value).items():
            other = said in (contacts.WITHOUT_TAG, contacts.OTHER_DOTS)
            made.append(_form(kind, text, Strength.MEDIUM if other else how, said))
    elif entity == "PHONE_NUMBER":
        made = [_form(entity, text, how, said) for text, said in contacts.phone_forms(value).items()]
    elif entity == "DATE_OF_BIRTH":
        made = [_form(entity, value, how, "as given")]
        made += [_form(entity, text, how, said) for day in sorted(dates.days(value)[0]) for text, said in dates.date_forms(day).items()]
    elif entity == "DK_CPR":
        made = _cpr_forms(value)
    else:
        made = [_form(entity, value, how, "as given"), *_number_forms(entity, value, how)]
    once = tuple({(form.entity, form.normal): form for form in reversed(made) if form.normal}.values())[::-1]
    return tuple(form for form in once if form.entity != entity or form.how == "as given" or _alike(identifier, form.normal))


def _alike(identifier: Identifier, normal: str) -> bool:
    return compare(identifier, identifier.entity, normal).agreement in (Agreement.SAME, Agreement.VARIANT)


def _form(entity: str, text: str, how: Strength, said: str) -> Form:
    return Form(entity, digest.normalise(entity, text), how, said)


def _cpr_forms(value: str) -> list[Form]:
    number = dates.cpr_digits(value)
    if not number:
        return [_form("DK_CPR", value, Strength.STRONG, "as given")]
    made = [_form("DK_CPR", number, Strength.STRONG, "digits")]
    if number[0] == "0":
        made.append(_form("DK_CPR", number[1:], Strength.STRONG, "leading zero lost"))
    born = dates.cpr_born(number)
    if born:
        made.append(_form("DK_CPR", f"{number[:4]}{born.year}{number[6:]}", Strength.STRONG, "year in four digits"))
    day = int(number[:2])
    made.append(
        _form(
            "DK_CPR",
            f"{day - 60 if day > 60 else day + 60:02}{number[2:]}",
            Strength.MEDIUM,
            "60 added to the day, as in a replacement number",
        )
    )
    others = ("SE_PERSONNUMMER", "DK_BANK_ACCOUNT", "PHONE_NUMBER", CUSTOMER_ID, "USERNAME")
    for text in (number, f"{number[:6]}-{number[6:]}"):
        made += [_form(entity, text, Strength.MEDIUM, "recorded as another number") for entity in others]
    if born:
        made += [_form("DATE_OF_BIRTH", text, Strength.WEAK, "day of birth of the CPR number") for text in dates.date_forms(born)]
    return made


def _number_forms(entity: str, value: str, how: Strength) -> list[Form]:
    made = []
    if entity == CUSTOMER_ID:
        made = [_form(entity, text, how, "leading zeros") for text in _id_written(value)]
        made.append(_form("USERNAME", value, Strength.MEDIUM, "as a user name"))
    if entity in ("DK_BANK_ACCOUNT", "IBAN_CODE"):
        register, account = _account(value)
        if account:
            made = [
                _form("DK_BANK_ACCOUNT", register + text, how, "account number, zeros in front") for text in (account, account.zfill(10))
            ]
    return made


def _account(value: str) -> tuple[str, str]:
    """Registration and account number, without leading zeros, of an account or a Danish IBAN."""
    plain = re.sub(r"[\W_]", "", value).upper()
    if re.fullmatch(r"DK\d{16}", plain):
        plain = plain[4:]
    return (plain[:4], plain[4:].lstrip("0")) if re.fullmatch(r"\d{9,14}", plain) else ("", "")


def _id_written(value: str) -> list[str]:
    short = re.sub(r"(?<!\d)0+(?=\d)", "", value)
    return [value, short, value.upper(), value.lower()]


def written(identifier: Identifier) -> tuple[str, ...]:
    """The ways in which databases write it, for look-ups by an index; each is, without doubt, the same."""
    entity, value = identifier.entity, identifier.value
    made = [value]
    if entity == "DK_CPR" and (number := dates.cpr_digits(value)):
        made += [
            f"{number[:6]}-{number[6:]}",
            number,
            f"{number[:6]} {number[6:]}",
            f"{number[:2]} {number[2:4]} {number[4:6]} {number[6:]}",
        ]
        made += [number[1:], f"{number[1:6]}-{number[6:]}"] if number[0] == "0" else []
    elif entity == "PHONE_NUMBER":
        made += contacts.phone_written(value)
    elif entity == "EMAIL_ADDRESS" and (parts := contacts.mailbox(value)):
        local, domain = value.strip().rpartition("@")[::2]
        made += [
            value.lower(),
            f"{local.lower()}@{domain}",
            f"{local}@{domain.lower()}",
            value.upper(),
            f"{local.title()}@{domain.lower()}",
        ]
        made += [f"{parts[0]}{'+' * bool(parts[1])}{parts[1]}@{parts[2]}"]
    elif entity == "PERSON":
        made += spellings.name_written(value)
    elif entity == "ADDRESS":
        usual = [text for text in addresses.address_forms(value) if " dk-" not in text]
        made += [value.lower(), value.upper(), names.plain(value), *usual[:ADDRESSES]]
    elif entity == "DATE_OF_BIRTH":
        for day in dates.days(value)[0]:
            made += [
                text
                for text, how in dates.date_forms(day).items()
                if how in ("day, month and year", "year first", "digits only", "without leading zeros")
            ]
            made += [f"{day.isoformat()} 00:00:00", f"{day.isoformat()}T00:00:00"]
    elif entity in (CUSTOMER_ID, "USERNAME"):
        made += _id_written(value)
    elif entity in ("DK_BANK_ACCOUNT", "IBAN_CODE", "CREDIT_CARD"):
        plain = re.sub(r"[\W_]", "", value)
        fours = " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))
        made += [plain, fours, plain.upper(), fours.upper(), plain.lower()]
        if entity == "DK_BANK_ACCOUNT" and (account := _account(value)[1]):
            register = _account(value)[0]
            made += [f"{register}{sep}{one}" for one in (account, account.zfill(10)) for sep in (" ", "-", "")]
    return tuple(one for one in dict.fromkeys(made) if compare(identifier, entity, one).agreement is Agreement.SAME)


def streets(identifier: Identifier) -> tuple[str, ...]:
    """Road and house number of an address in the ways in which a column for the street alone begins; nothing for anything else."""
    if identifier.entity != "ADDRESS":
        return ()
    return tuple(addresses.street_forms(identifier.value))


def digits(identifier: Identifier) -> str:
    """The digits that a column's digits must be, or end in; `""` where digits alone would say too little."""
    if identifier.entity == "DK_CPR":
        return dates.cpr_digits(identifier.value)
    if identifier.entity == "PHONE_NUMBER":
        number = contacts.telephone(identifier.value)[1]
        return number if len(number) >= 8 else ""
    if identifier.entity in ("CREDIT_CARD", "DK_BANK_ACCOUNT"):
        number = re.sub(r"\D", "", identifier.value)
        return number if len(number) >= 9 else ""
    return ""


def compare(identifier: Identifier, entity: str, text: str) -> Likeness:
    """How like an identifier a text is, a cell or a found span, that is said to be an `entity`."""
    if not text.strip():
        return EMPTY
    special = _COMPARE.get((identifier.entity, entity))
    if special is not None:
        return special(identifier.value, text)
    if identifier.entity == entity:
        alike = digest.normalise(entity, identifier.value) == digest.normalise(entity, text)
        return same("same value") if alike else different("another value")
    return UNKNOWN


def _born(cpr: str, text: str) -> Likeness:
    number = dates.cpr_digits(cpr)
    born = dates.cpr_born(number) if number else None
    if born is None:
        return UNKNOWN
    found = dates.compare_days(born.isoformat(), text)
    return weak("day of birth of the CPR number only") if found.agreement in (Agreement.SAME, Agreement.VARIANT) else found


def _born_in(known: str, text: str) -> Likeness:
    number = dates.cpr_digits(text)
    born = dates.cpr_born(number) if number else None
    if born is None:
        return UNKNOWN
    found = dates.compare_days(known, born.isoformat())
    return weak("CPR number of somebody born on the same day") if found.agreement in (Agreement.SAME, Agreement.VARIANT) else found


def _ids(known: str, text: str) -> Likeness:
    mine, theirs = (" ".join(one.casefold().split()) for one in (known, re.sub(r"^(\d+)\.0$", r"\1", text.strip())))
    if mine == theirs:
        return same("same number")
    mine, theirs = (re.sub(r"(?<!\d)0+(?=\d)", "", one) for one in (mine, theirs))
    if mine == theirs:
        return same("same number but for leading zeros")
    if re.sub(r"[\W_]", "", mine) == re.sub(r"[\W_]", "", theirs) != "":
        return variant("same number written with other separators")
    bare = re.sub(r"\D", "", mine)
    return weak("same digits") if len(bare) > 4 and bare == re.sub(r"\D", "", theirs) else different("another number")


def _accounts(known: str, text: str) -> Likeness:
    mine, theirs = _account(known), _account(text)
    if mine == theirs != ("", ""):
        return same("same account")
    alike = re.sub(r"[\W_]", "", known).casefold() == re.sub(r"[\W_]", "", text).casefold()
    return same("same account") if alike else different("another account")


_COMPARE: dict[tuple[str, str], Callable[[str, str], Likeness]] = {
    ("PERSON", "PERSON"): names.compare_names,
    ("ADDRESS", "ADDRESS"): addresses.compare_addresses,
    ("ADDRESS", "LOCATION"): addresses.compare_addresses,
    ("EMAIL_ADDRESS", "EMAIL_ADDRESS"): contacts.compare_mailboxes,
    ("EMAIL_ADDRESS", "USERNAME"): contacts.compare_login,
    ("PHONE_NUMBER", "PHONE_NUMBER"): contacts.compare_telephones,
    ("DK_CPR", "DK_CPR"): dates.compare_cprs,
    ("DK_CPR", "DATE_OF_BIRTH"): _born,
    ("DATE_OF_BIRTH", "DATE_OF_BIRTH"): dates.compare_days,
    ("DATE_OF_BIRTH", "DK_CPR"): _born_in,
    (CUSTOMER_ID, CUSTOMER_ID): _ids,
    ("DK_BANK_ACCOUNT", "DK_BANK_ACCOUNT"): _accounts,
    ("IBAN_CODE", "IBAN_CODE"): _accounts,
    ("IBAN_CODE", "DK_BANK_ACCOUNT"): _accounts,
    ("DK_BANK_ACCOUNT", "IBAN_CODE"): _accounts,
}
