"""The day by which a request must be answered: by law, and by the company's own policy.

GDPR Art. 12(3): within one month of receipt, which may be extended by two further months where necessary. Months are counted by
Regulation (EEC, Euratom) 1182/71, Art. 3: the day of receipt is not counted; the period ends with the same-numbered day of the last
month, with its last day where there is none, and with the next working day where that is a Saturday, a Sunday or a public holiday.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta

from scanner.config import WITHIN

ONE_MONTH, THREE_MONTHS = 1, 3
"""The law's time for an answer, in months from receipt: as it is, and extended."""


def by_law(received: date, months: int = ONE_MONTH, country: str = "DK") -> date:
    """The last day for an answer that the law gives.

    Only Danish holidays are known; elsewhere Saturdays and Sundays alone move the day, which errs towards answering early.
    """
    free = HOLIDAYS.get(country.upper(), _none)
    day = later(received, months)
    while day.weekday() >= 5 or day in free(day.year):
        day += timedelta(days=1)
    return day


def by_policy(received: date, within: str) -> date | None:
    """The last day by the company's policy (`14 days`, `2 weeks`, `1 month`); None without one. It is not moved by holidays."""
    match = WITHIN.fullmatch(within)
    if match is None:
        return None
    number, unit = int(match[1]), match[2]
    return later(received, number) if unit == "month" else received + timedelta(days=number * (7 if unit == "week" else 1))


def later(day: date, months: int) -> date:
    """The same-numbered day so many months later, or the last day of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def danish_holidays(year: int) -> frozenset[date]:
    """The public holidays of the Danish church year and New Year's Day. Store bededag was one until 2023 (lov 214/2023).

    5 June, 24 and 31 December and the day after Ascension are customary, not holidays, and are not counted.
    """
    sunday = easter(year)
    moving = (-3, -2, 0, 1, 39, 49, 50) + ((26,) if year < 2024 else ())
    return frozenset({date(year, 1, 1), date(year, 12, 25), date(year, 12, 26), *(sunday + timedelta(days=days) for days in moving)})


def easter(year: int) -> date:
    """Easter Sunday (the Gregorian computus of Meeus, Jones and Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    i = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * i) // 451
    month, day = divmod(h + i - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _none(_year: int) -> frozenset[date]:
    return frozenset()


HOLIDAYS: dict[str, Callable[[int], frozenset[date]]] = {"DK": danish_holidays}
