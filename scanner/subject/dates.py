"""Says whether two writings are one day of birth, or one CPR number; and how such are written."""

from __future__ import annotations

import re
from datetime import date

from scanner.detect import checks
from scanner.subject.likeness import EMPTY, UNKNOWN, Likeness, different, same, variant, weak

MONTHS = ("januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november", "december")
ENGLISH = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_BY_NAME = {name[:3]: number for names in (MONTHS, ENGLISH) for number, name in enumerate(names, 1)} | {"mrs": 3}
_ISO = re.compile(r"(\d{4})[-./ ](\d{1,2})[-./ ](\d{1,2})")
_NUMERIC = re.compile(r"(\d{1,2})[-./ ]{1,2}(\d{1,2})[-./ ]{1,2}(\d{4}|\d{2})")
_BARE = re.compile(r"\d{6}|\d{8}")
_NAMED = re.compile(r"(?:den )?(\d{1,2})(?:st|nd|rd|th)?[. -]{0,2}(?:of )?([a-zæøå]{3,9})[., -]{1,3}(\d{4}|\d{2})")
_AMERICAN = re.compile(r"([a-z]{3,9})[. -]{1,2}(\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")


def days(text: str) -> tuple[frozenset[date], frozenset[date]]:
    """The days that a text can mean as Danes write one, and those that it can mean with the month first."""
    plain = " ".join(text.casefold().split()).strip(" .,")
    plain = re.split(r"(?:t| )(?=\d\d:\d\d)", plain)[0].strip(" .,")
    if match := _ISO.fullmatch(plain):
        return _days((match[1], match[2], match[3])), _days((match[1], match[3], match[2]))
    if match := _NUMERIC.fullmatch(plain):
        return _days((match[3], match[2], match[1])), _days((match[3], match[1], match[2]))
    if match := _NAMED.fullmatch(plain):
        return _days((match[3], str(_BY_NAME.get(match[2][:3], 0)), match[1])), frozenset()
    if match := _AMERICAN.fullmatch(plain):
        return _days((match[3], str(_BY_NAME.get(match[1][:3], 0)), match[2])), frozenset()
    if _BARE.fullmatch(plain):
        found = _days((plain[4:], plain[2:4], plain[:2]))
        if len(plain) == 8:
            found |= _days((plain[:4], plain[4:6], plain[6:]))
        return found, frozenset()
    return frozenset(), frozenset()


def _days(parts: tuple[str, str, str]) -> frozenset[date]:
    year, month, day = map(int, parts)
    years = (year,) if len(parts[0]) == 4 else (1900 + year, 2000 + year)
    found = set()
    for one in years:
        try:
            found.add(date(one, month, day))
        except ValueError:
            continue
    return frozenset(one for one in found if one.year >= checks.OLDEST and one <= checks.today())


def compare_days(known: str, text: str) -> Likeness:
    """How like two writings of a day are. Two digits of a year agree with either century."""
    mine, mine_turned = days(known)
    theirs, turned = days(text)
    if not theirs and not turned:
        return UNKNOWN if text.strip() else EMPTY
    if not mine:
        return UNKNOWN
    if mine & theirs:
        return same("same day of birth") if len(mine) == len(theirs) == 1 else variant("same day of birth, the century not written")
    if mine & turned or mine_turned & theirs:
        return weak("same day of birth only when day and month change places")
    return different("another day of birth")


def date_forms(day: date) -> dict[str, str]:
    """The ways in which a day is written, and how each differs from Danish digits with hyphens."""
    d, m, y = day.day, day.month, day.year
    forms: dict[str, str] = {}
    for sep in "-./ ":
        forms[f"{d:02}{sep}{m:02}{sep}{y}"] = "day, month and year"
        forms[f"{d}{sep}{m}{sep}{y}"] = "without leading zeros"
        forms[f"{d:02}{sep}{m:02}{sep}{y % 100:02}"] = "year in two digits"
        forms[f"{d}{sep}{m}{sep}{y % 100:02}"] = "year in two digits"
        forms[f"{y}{sep}{m:02}{sep}{d:02}"] = "year first"
    forms |= {
        f"{d}. {m}. {y}": "with spaces",
        f"{d:02}. {m:02}. {y}": "with spaces",
        f"{d}/{m} {y}": "day/month year",
        f"{d}/{m}-{y}": "day/month-year",
    }
    forms |= {f"{d}/{m}-{y % 100:02}": "year in two digits", f"{d:02}{m:02}{y}": "digits only", f"{y}{m:02}{d:02}": "digits only"}
    forms[f"{d:02}{m:02}{y % 100:02}"] = "as in a CPR number"
    for names in (MONTHS, ENGLISH):
        long, brief = names[m - 1], names[m - 1][:3]
        for month in (long, brief, brief + "."):
            forms |= {
                f"{d}. {month} {y}": "month in letters",
                f"{d} {month} {y}": "month in letters",
                f"{month} {d}, {y}": "month in letters",
            }
        forms |= {f"den {d}. {long} {y}": "month in letters"}
    iso = f"{y}-{m:02}-{d:02}"
    forms |= {f"{iso} 00:00:00": "with a time of day", f"{iso}t00:00:00": "with a time of day", f"{iso}t00:00:00z": "with a time of day"}
    forms |= {
        f"{iso}t00:00:00.000z": "with a time of day",
        f"{iso} 00:00:00.000": "with a time of day",
        f"{iso} 00:00": "with a time of day",
    }
    return forms


def cpr_digits(text: str) -> str:
    """The ten digits of a CPR number however it is written: a lost zero put back, a full year shortened; `""` when it is none."""
    text = re.sub(r"\.0$", "", text.strip())
    found = "".join(c for c in text if c.isascii() and c.isdigit())
    if re.search(r"[^\W\d_]", text):
        return ""
    if len(found) == 12 and found[4:6] in ("18", "19", "20"):
        found = found[:4] + found[6:]
    if len(found) == 9:
        found = "0" + found
    return found if len(found) == 10 else ""


def cpr_fault(text: str) -> str:
    """Which check a CPR number fails: digits, date, century, future; `""` when none does (modulus 11 is no condition, cpr.dk)."""
    number = checks.digits(re.sub(r"[\u2010-\u2015\u2212]", "-", text).replace("\u00a0", " ").strip())
    if len(number) == 12 and checks.cpr_full_date(number):
        return ""
    if len(number) == 9 and checks.cpr("0" + number):
        return ""
    if len(number) != 10:
        return "digits: it has ten, perhaps with a hyphen after the sixth"
    day, month, year = int(number[:2]), int(number[2:4]), int(number[4:6])
    century = checks.century(int(number[6]), year)
    try:
        born = date(century, month, day - 60 if day > 60 else day)
    except ValueError:
        return (
            "date: there is no such day"
            if not _any_century(day, month, year)
            else "century: there is no such day in the year that its seventh digit gives"
        )
    if born > checks.today():
        return "future: it would be born after today"
    if born.year < checks.OLDEST:
        return f"century: its seventh digit gives a year before {checks.OLDEST}"
    return "" if checks.cpr(number) else "digits: they are all the same"


def _any_century(day: int, month: int, year: int) -> bool:
    return bool(
        _days((f"{1900 + year}", str(month), str(day - 60 if day > 60 else day))) or _days((f"{2000 + year}", str(month), str(day)))
    )


def cpr_born(number: str) -> date | None:
    """The day of birth that ten digits give."""
    day, month, year = int(number[:2]), int(number[2:4]), checks.century(int(number[6]), int(number[4:6]))
    try:
        return date(year, month, day - 60 if day > 60 else day)
    except ValueError:
        return None


def compare_cprs(known: str, text: str) -> Likeness:
    """How like a text is to a CPR number."""
    mine, theirs = cpr_digits(known), cpr_digits(text)
    if not mine:
        return UNKNOWN
    if theirs:
        if mine == theirs:
            return same("same CPR number")
        if _replacement(mine) == _replacement(theirs):
            return variant("same CPR number, 60 added to its day as in a replacement number")
        if _replacement(mine[:6]) == _replacement(theirs[:6]) and cpr_born(mine) == cpr_born(theirs):
            return weak("day of birth of the CPR number only")
        return different("another CPR number")
    if not text.strip():
        return EMPTY
    head = re.match(r"\D{0,3}(\d\d)\D?(\d\d)\D?(\d\d)(?!\d{2}\D)", text.strip())
    if head is None:
        return UNKNOWN
    agrees = _replacement(mine[:6]) == _replacement("".join(head.groups()))
    return weak("day of birth of the CPR number, the rest is hidden") if agrees else different("another day of birth")


def _replacement(number: str) -> str:
    """A number with 60 taken off a day from 61 on (CPR-kontoret's advice for replacement numbers)."""
    return f"{int(number[:2]) - 60:02}{number[2:]}" if int(number[:2]) > 60 else number
