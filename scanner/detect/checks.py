"""Says whether a value can be what it looks like: dates that exist, check digits that fit, ranges that are in use.

Every check takes the value as it was matched, with its spaces and hyphens. None opens a connection or keeps state.
A check is as strict as the issuer's own rules and no stricter; test numbers are never made up here.
`scanner/detect/vector_checks.py` holds the same checks for whole columns.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import date
from importlib import import_module

from scanner.resources import folder

Check = Callable[[str], bool]

CPR_WEIGHTS = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
CVR_WEIGHTS = (2, 7, 6, 5, 4, 3, 2, 1)

COMMON = 1500
"""A surname with so many bearers is read as one even where it is an ordinary word or a town too."""

OLDEST = 1858
"""No CPR number is read as an earlier year of birth than this."""

PHONE_PREFIXES = frozenset(
    number for first, last in ((20, 36), (38, 66), (69, 82), (86, 93), (96, 99)) for number in range(first, last + 1)
)
"""First two digits in use in the Danish numbering plan (37 is for machines and has twelve digits)."""

CARDS = (
    (4000, 4999, (13, 16, 19)),  # Visa
    (5019, 5019, (16,)),  # Dankort
    (5100, 5599, (16,)), (2221, 2720, (16,)),  # Mastercard
    (3400, 3499, (15,)), (3700, 3799, (15,)),  # American Express
    (3000, 3059, (14, 16)), (3600, 3699, (14, 16)), (3800, 3999, (14, 16)),  # Diners Club
    (6011, 6011, (16, 19)), (6440, 6599, (16, 19)),  # Discover
    (3528, 3589, (16, 19)),  # JCB
    (6200, 6299, (16, 17, 18, 19)),  # UnionPay
    (5018, 5018, (16, 18, 19)), (5020, 5020, (16, 18, 19)), (5038, 5038, (16, 18, 19)), (5893, 5893, (16, 18, 19)),
    (6304, 6304, (16, 18, 19)), (6759, 6759, (16, 18, 19)), (6761, 6763, (16, 18, 19)),  # Maestro
)  # fmt: skip
"""First four digits of payment cards, from and to, with the lengths in use (ISO/IEC 7812; the issuers' own pages)."""

# The same expression for Python and for Arrow's RE2: no look-around, no unbounded nesting.
EMAIL = (
    r"^[a-zA-Z0-9À-ɏ!#$%&'*+/=?^_`{|}~-]+(?:\.[a-zA-Z0-9À-ɏ!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-zA-Z0-9À-ɏ][a-zA-Z0-9À-ɏ-]*\.)+(?:[a-zA-Z]{2,24}|[xX][nN]--[a-zA-Z0-9-]{2,59})$"
)
NOT_A_DOMAIN = (
    r"(?i)(?:-\.|\.(?:png|jpe?g|gif|svg|webp|bmp|ico|tiff?|heic|css|jsx?|mjs|tsx|html?|xml|json|ya?ml|pdf|docx?|xlsx?|pptx?"
    r"|txt|csv|log|exe|dll|gz|tgz|bak|ini|cfg|jar|php|aspx?|class|woff2?|ttf|eot|mp3|mp4|wav|avi)$)"
)
EMAIL_LENGTH, EMAIL_LOCAL = 254, 64

_MONTHS = {
    name: number for number, names in enumerate((
        "januar january jan", "februar february feb", "marts march mar mrs", "april apr", "maj may", "juni june jun",
        "juli july jul", "august aug", "september sept sep", "oktober october okt oct", "november nov", "december dec",
    ), 1) for name in names.split()
}  # fmt: skip
_NUMERIC = re.compile(r"(\d{1,2})[-./ ]{1,2}(\d{1,2})[-./ ]{1,2}(\d{4}|\d{2})")
_ISO = re.compile(r"(\d{4})[-./ ](\d{1,2})[-./ ](\d{1,2})(?:[T ].*)?")
_BARE = re.compile(r"(\d{2})(\d{2})(\d{4}|\d{2})")
_NAMED = re.compile(r"(?:den )?(\d{1,2})(?:st|nd|rd|th)?[. -]{0,2}(?:of )?([a-z]{3,9})[., -]{1,2}(\d{4})")
_NO_ROAD = re.compile(
    r"(?:lager|parkerings|arbejds|lege|bygge|holde|camping|studie|elev|praktik|uddannelses|sidde|stå)plads",
    re.IGNORECASE,
)
_AMERICAN = re.compile(r"([a-z]{3,9})[. -]{1,2}(\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")


def today() -> date:
    """The day that "not in the future" is measured against; tests replace it."""
    return date.today()


def digits(value: str, separators: str = " -./") -> str:
    """The digits of a value, or `""` when anything but digits and separators stands in it."""
    rest = value.translate(_without(separators))
    return rest if rest.isascii() and rest.isdigit() else ""


@functools.cache
def _without(separators: str) -> dict[int, None]:
    return dict.fromkeys(map(ord, separators))


def century(seventh: int, year: int) -> int:
    """The year of birth in full, by the seventh digit and the year (CPR-kontoret, "Personnummeret i CPR")."""
    if seventh <= 3:
        return 1900 + year
    if seventh in (4, 9):
        return (2000 if year <= 36 else 1900) + year
    return (2000 if year <= 57 else 1800) + year


def cpr(value: str) -> bool:
    """Ten digits whose date exists: DDMMYY and a serial number whose first digit gives the century.

    A day from 61 on is a replacement number (the day plus 60, CPR-kontoret's advice). Modulus 11 is no condition.
    """
    number = digits(value)
    if len(number) != 10 or number == number[0] * 10:
        return False
    day, month, year = int(number[:2]), int(number[2:4]), century(int(number[6]), int(number[4:6]))
    born = _date(year, month, day - 60 if day > 60 else day)
    return born is not None and year >= OLDEST and born <= today()


def cpr_ordinary(value: str) -> bool:
    """A CPR number that is no replacement number."""
    return cpr(value) and int(digits(value)[:2]) <= 31


def cpr_without_zero(value: str) -> bool:
    """Nine digits that are a CPR number when the zero is put back that a spreadsheet took."""
    number = digits(value)
    return len(number) == 9 and cpr("0" + number)


def cpr_modulus_11(value: str) -> bool:
    """Whether the weighted sum divides by eleven. Evidence only: since 2007 some numbers fail it."""
    number = digits(value)
    return len(number) == 10 and _weighted(number, CPR_WEIGHTS) % 11 == 0


def cpr_modulus_11_expected(value: str) -> bool:
    """Whether modulus 11 says nothing against the number: it holds, or the date is a 1 January of 1960 or later.

    Numbers that fail it have so far been given out for such dates only (CPR-kontoret, "Personnumre uden kontrolciffer").
    """
    number = digits(value)
    if len(number) != 10:
        return False
    if number[:4] in ("0101", "6101") and century(int(number[6]), int(number[4:6])) >= 1960:
        return True
    return _weighted(number, CPR_WEIGHTS) % 11 == 0


def cpr_full_date(value: str) -> bool:
    """A CPR number whose year is written in four digits, and is the one that the seventh digit gives."""
    number = digits(value)
    return len(number) == 12 and cpr(number[:4] + number[6:]) and century(int(number[8]), int(number[6:8])) == int(number[4:8])


def cpr_full_date_modulus_11(value: str) -> bool:
    """As `cpr_modulus_11_expected`, for a number with its year in four digits."""
    number = digits(value)
    return len(number) == 12 and cpr_modulus_11_expected(number[:4] + number[6:])


def cpr_without_zero_modulus_11(value: str) -> bool:
    """As `cpr_modulus_11_expected`, for a number that has lost its leading zero."""
    return cpr_modulus_11_expected("0" + digits(value))


def cvr(value: str) -> bool:
    """A Danish company number: eight digits, perhaps after DK, modulus 11; not from 0 on, not one digit repeated."""
    number = digits(value[2:] if value[:2].upper() == "DK" else value)
    if len(number) != 8 or number[0] == "0" or number == number[0] * 8:
        return False
    return _weighted(number, CVR_WEIGHTS) % 11 == 0


def phone_dk(value: str) -> bool:
    """Eight digits in a range of the Danish numbering plan, perhaps after +45, 0045 or 45; not one digit repeated."""
    plus = value[:1] == "+" or value[:2] == "(+"
    number = digits(value.replace("+", "", 1) if plus else value, " -./()")
    if len(number) == 12 and number.startswith("0045") and not plus:
        number = number[4:]
    elif len(number) == 10 and number.startswith("45"):
        number = number[2:]
    elif plus:
        return False
    return len(number) == 8 and int(number[:2]) in PHONE_PREFIXES and number != number[0] * 8


def phone_international(value: str) -> bool:
    """A number with a country code, after + or 00, that its country can have given out."""
    text = value.strip()
    if text.startswith("00"):
        text = "+" + text[2:]
    if not text.startswith("+"):
        return False
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, None))
    except phonenumbers.NumberParseException:
        return False


def phone_written(value: str) -> bool:
    """Digits in groups as people write telephone numbers: six to fifteen of them, no date, no years, no amount."""
    text = re.sub(r" ?x\d{1,6}$", "", value)
    groups = re.findall(r"[0-9]+", text)
    number = "".join(groups)
    if not 6 <= len(number) <= 15 or len(set(number)) < 3 or re.search(r"(?:000[ .]?){2}$", text):
        return False
    if (match := _ISO.fullmatch(text)) and match[1][:2] in ("18", "19", "20"):
        return False
    if (match := _NUMERIC.fullmatch(text)) and int(match[1]) <= 31 and int(match[2]) <= 31:
        return False
    if "(" not in text and len(groups) > 1 and re.fullmatch(r"\d{1,3}(?:\.\d{3})+", text):
        return False
    return not all(len(group) == 4 and group[:2] in ("18", "19", "20") for group in groups)


def iban(value: str) -> bool:
    """ISO 13616: length and form of the country, modulus 97."""
    from stdnum import iban as standard

    text = value.replace(" ", "").replace("-", "").replace(".", "")
    if not (text.isascii() and text.isalnum()) or int("".join(str(int(c, 36)) for c in text[4:] + text[:4]) or "0") % 97 != 1:
        return False
    return value.isascii() and standard.is_valid(value, check_country=False)


def fi_hetu(value: str) -> bool:
    """A Finnish personal identity code: date, century sign, individual number, and a control character modulo 31."""
    text = value.upper()
    number = text[:6] + text[7:10]
    if len(text) != 11 or not number.isdigit() or "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(number) % 31] != text[10]:
        return False
    return _standard("fi.hetu")(value)


def card(value: str) -> bool:
    """A payment card: an issuer's first digits and length, and the Luhn check digit; not one digit repeated."""
    number = digits(value, " -")
    if not 13 <= len(number) <= 19 or number == number[0] * len(number):
        return False
    head = int(number[:4])
    if not any(low <= head <= high and len(number) in lengths for low, high, lengths in CARDS):
        return False
    from stdnum import luhn

    return luhn.is_valid(number)


def ipv4(value: str) -> bool:
    """An address that a device can have had: not 0.x, loopback, multicast, reserved or a mask. Private ones count."""
    parts = value.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        return False
    if any(len(part) > 1 and part[0] == "0" for part in parts) or any(int(part) > 255 for part in parts):
        return False
    return 0 < int(parts[0]) < 224 and parts[0] != "127"


def ipv6(value: str) -> bool:
    """An address that a device can have had: not unspecified, loopback nor multicast."""
    import ipaddress

    try:
        address = ipaddress.IPv6Address(value.partition("%")[0])
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback or address.is_multicast)


def mac(value: str) -> bool:
    """Twelve hexadecimal digits, one separator throughout; not all zeros or ones, not multicast."""
    if not re.fullmatch(r"[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}", value.lower()):
        return False
    plain = re.sub(r"[:.-]", "", value.lower())
    return len(set(plain)) > 1 and not int(plain[1], 16) & 1


def email(value: str) -> bool:
    """An e-mail address with lengths as in RFC 5321 and a domain that is no file's ending (`image@2x.png`)."""
    if len(value) > EMAIL_LENGTH or value.find("@") > EMAIL_LOCAL or value.endswith("\n"):
        return False
    return re.match(EMAIL, value) is not None and re.search(NOT_A_DOMAIN, value) is None


def date_of_birth(value: str) -> bool:
    """A day that exists, from 1900 until today, in the ways that Danes and the English write one."""
    text = " ".join(value.lower().split()).rstrip(".,")
    candidates: list[tuple[int, int, int]] = []
    if match := _ISO.fullmatch(text):
        candidates = [(int(match[1]), int(match[2]), int(match[3]))]
    elif match := _NUMERIC.fullmatch(text) or _BARE.fullmatch(text):
        day, month, year = int(match[1]), int(match[2]), int(match[3])
        years = [year] if len(match[3]) == 4 else [1900 + year, 2000 + year]
        candidates = [item for y in years for item in ((y, month, day), (y, day, month))]
        if len(text) == 8 and text.isdigit():
            candidates.append((int(text[:4]), int(text[4:6]), int(text[6:])))
    elif match := _NAMED.fullmatch(text):
        candidates = [(int(match[3]), _MONTHS.get(match[2], 0), int(match[1]))]
    elif match := _AMERICAN.fullmatch(text):
        candidates = [(int(match[3]), _MONTHS.get(match[1], 0), int(match[2]))]
    days = [_date(*candidate) for candidate in candidates]
    return any(day is not None and day.year >= 1900 and day <= today() for day in days)


def birth_field(value: str) -> bool:
    """As `date_of_birth`, for a cell that may hold a time of day behind the date."""
    return date_of_birth(re.split(r"[T ](?=\d\d:)", value.strip())[0])


def dk_postcode(value: str) -> bool:
    """A Danish postcode in use, perhaps after DK- and before its town."""
    match = re.match(r"(?:DK-?\s?)?(\d{4})(?!\d)", value.strip(), re.IGNORECASE)
    return match is not None and match[1] in _postcodes()


def dk_address(value: str) -> bool:
    """An address that ends with a Danish postcode in use and a town."""
    codes = re.findall(r"(?<!\d)\d{4}(?= [^\W\d])", value)
    return bool(codes) and codes[-1] in _postcodes()


def road_address(value: str) -> bool:
    """A road and a number: a postcode that follows is in use; without one the road has a capital letter."""
    if re.search(r"(?<!\d)\d{4} [^\W\d]", value):
        return dk_address(value)
    return (value[:1].isupper() or value[:1].isdigit()) and not _NO_ROAD.match(value)


def dk_bank_account(value: str) -> bool:
    """A registration number of four digits and an account number of five to ten, perhaps with words around them.

    No public rule covers all banks, so this only refuses what it cannot be: a phone number (eight digits in all),
    a year with a running number, nothing but one digit.
    """
    number = "".join(re.findall(r"[0-9]+", value))
    if not 9 <= len(number) <= 14 or number[:4] == "0000" or len(set(number)) == 1 or not number[4:].strip("0"):
        return False
    return not (1950 <= int(number[:4]) <= 2049 and len(number) < 11)


def person_name(value: str) -> bool:
    """Words with a first name that people in Denmark bear; one that is an ordinary word too needs a surname as well."""
    words = re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", value.casefold())
    given = [word for word in words if {word, *word.split("-")} & listed("first_names.txt")]
    if not given or len(words) > 6:
        return False
    common = listed("names_that_are_words.da.txt")
    if not common.issuperset(given):
        return True
    return len(words) > 1 and words[-1] in listed("last_names.txt") and words[-1] not in common


def name_alone(value: str) -> bool:
    """A first name or a surname on its own, or both with a comma between them; for cells of a column of names."""
    last, comma, first = value.partition(",")
    if comma:
        return bool(first.strip()) and person_name(value)
    word = last.strip().casefold()
    if not word:
        return False
    return word in _names() or (word not in _no_names() and "-" in word and all(part in _names() for part in word.split("-")))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _weighted(number: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True))


@functools.cache
def listed(file: str) -> frozenset[str]:
    """The entries of a list in `rules/words`, what follows a tab left out, in lower case."""
    lines = (folder("rules") / "words" / file).read_text(encoding="utf-8").splitlines()
    return frozenset(line.partition("\t")[0].casefold() for line in lines if line and not line.startswith("#"))


@functools.cache
def _names() -> frozenset[str]:
    lines = (folder("rules") / "words" / "last_names.txt").read_text(encoding="utf-8").splitlines()
    common = (line.split("\t") for line in lines if "\t" in line and not line.startswith("#"))
    usual = frozenset(name.casefold() for name, bearers in common if int(bearers) >= COMMON)
    return (listed("first_names.txt") | listed("last_names.txt")) - _no_names() | (usual - listed("names_that_are_words.en.txt"))


@functools.cache
def _no_names() -> frozenset[str]:
    """Words and towns that are names too, for where nothing else says that a person is meant."""
    towns = frozenset(line[4:].strip() for line in listed("dk_postcodes.txt"))
    return towns | listed("names_that_are_words.da.txt") | listed("names_that_are_words.en.txt")


@functools.cache
def _postcodes() -> frozenset[str]:
    return frozenset(line[:4] for line in listed("dk_postcodes.txt"))


def _standard(module: str) -> Check:
    """A check of python-stdnum, imported when it is first asked."""

    def check(value: str) -> bool:
        return value.isascii() and bool(import_module(f"stdnum.{module}").is_valid(value))

    check.__doc__ = f"As python-stdnum's `stdnum.{module}` has it."
    return check


CHECKS: dict[str, Check] = {
    "cpr": cpr,
    "cpr_ordinary": cpr_ordinary,
    "cpr_without_zero": cpr_without_zero,
    "cpr_modulus_11": cpr_modulus_11,
    "cpr_modulus_11_expected": cpr_modulus_11_expected,
    "cpr_full_date": cpr_full_date,
    "cpr_full_date_modulus_11": cpr_full_date_modulus_11,
    "cpr_without_zero_modulus_11": cpr_without_zero_modulus_11,
    "cvr": cvr,
    "phone_dk": phone_dk,
    "phone_international": phone_international,
    "phone_written": phone_written,
    "iban": iban,
    "card": card,
    "ipv4": ipv4,
    "ipv6": ipv6,
    "mac": mac,
    "email": email,
    "date_of_birth": date_of_birth,
    "birth_field": birth_field,
    "dk_postcode": dk_postcode,
    "person_name": person_name,
    "name_alone": name_alone,
    "dk_address": dk_address,
    "road_address": road_address,
    "dk_bank_account": dk_bank_account,
    "se_personnummer": _standard("se.personnummer"),
    "no_fodselsnummer": _standard("no.fodselsnummer"),
    "fi_hetu": fi_hetu,
    "is_kennitala": _standard("is_.kennitala"),
    "de_idnr": _standard("de.idnr"),
    "nl_bsn": _standard("nl.bsn"),
    "pl_pesel": _standard("pl.pesel"),
    "fr_nir": _standard("fr.nir"),
    "es_nif": _standard("es.nif"),
    "it_codicefiscale": _standard("it.codicefiscale"),
    "be_nn": _standard("be.nn"),
}
"""Every check by the name that a rule calls it by."""
