"""What the company's policies and the law say of a record: whether it must be kept, until when, or should have gone.

Days are whole days. A record is kept up to and including its `until`, and is overdue from the day after. A time in months or years
ends on the same-numbered day, or on the last day of a shorter month: 29 February and a year is 28 February. A clock that starts at
the end of the financial year starts on its last day; one that ends on the last day of a month keeps to the last day.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple

from scanner.config import Config, Hold, Retention
from scanner.requests import law
from scanner.requests.deadlines import later

CONSENT = "GDPR Art. 7(3)"
_NEVER = 9000
"""A year from which on a day means `never`."""


class Hint(StrEnum):
    """What a ruling says of a record."""

    KEEP = "keep"
    """It must be kept, whoever asks."""
    FREE = "free"
    """It may be kept for now, and may go when its person asks."""
    OVERDUE = "overdue"
    """It should have gone already."""


class Reason(StrEnum):
    """Why; the value is the sentence in English."""

    HOLD = "legal hold"
    REQUIRED = "must be kept"
    WAITING = "must be kept; its time has not started"
    WITHDRAWN = "the consent was withdrawn"
    OVER = "its time is over"
    RUNNING = "its time is running"
    OPEN = "its time has not started"
    UNSAID = "no policy speaks of it"


class Ruling(NamedTuple):
    """What is said of one record. `until` is the last day of its time; None where it has none or has not started.

    `policy` is the name of the policy that decided, `consent` or `hold`; `detail` is what a hold says of itself, `start` the day on which
    the time that decided started.
    """

    hint: Hint
    reason: Reason
    law: str = ""
    until: date | None = None
    policy: str = ""
    detail: str = ""
    start: date | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """One `[[retention]]` or `[[consent]]`. `number` and `unit` are its time; a consent has none: what is withdrawn goes at once."""

    name: str
    applies_to: tuple[str, ...]
    after: str
    when: str = ""
    number: int = 0
    unit: str = "day"
    year_end: tuple[int, int] | None = None
    required: bool = False
    law: str = ""
    consent: bool = False

    def bears_on(self, source: str, object: str) -> bool:
        """Whether the records of an object fall under it."""
        return any(fnmatchcase(f"{source}:{object}", pattern) for pattern in self.applies_to)

    def until(self, start: date) -> date:
        """The last day on which a record is kept whose clock starts on this day."""
        if start.year >= _NEVER:
            return date.max
        whole = False
        if self.year_end is not None:
            start = year_end(start, self.year_end)
            whole = start.day == calendar.monthrange(start.year, start.month)[1]
        if self.unit in ("day", "week"):
            return start + timedelta(days=self.number * (7 if self.unit == "week" else 1))
        end = later(start, self.number * (12 if self.unit == "year" else 1))
        return end.replace(day=calendar.monthrange(end.year, end.month)[1]) if whole else end

    def cutoff(self, today: date) -> date | None:
        """The last day on which a clock can have started that is over today; None when there is none."""
        low, high = 0, today.toordinal()
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.until(date.fromordinal(middle)) < today else (low, middle - 1)
        return date.fromordinal(low) if low else None


class Clock(NamedTuple):
    """A policy that bears on a record, and the day on which its time started for it; None while it has not."""

    policy: Policy
    start: date | None


def year_end(day: date, ends: tuple[int, int]) -> date:
    """The last day of the financial year in which a day lies. A year that ends on 28 or 29 February ends with that month."""
    for year in (day.year, day.year + 1):
        month, last = ends[0], calendar.monthrange(year, ends[0])[1]
        end = date(year, month, last if ends[0] == 2 and ends[1] >= 28 else min(ends[1], last))
        if end >= day:
            return end
    raise AssertionError  # one of two years ends after any of their days


def decide(clocks: Iterable[Clock], today: date, hold: Hold | None = None) -> Ruling:
    """What is said of a record, by all policies that bear on it.

    A hold beats everything. What the law requires beats deletion, and of several required times the longest counts; one that has not
    started keeps as well. A withdrawn consent beats what the company merely allows itself. Of several such times the longest counts.
    """
    if hold is not None and hold.holds(today):
        return Ruling(Hint.KEEP, Reason.HOLD, hold.law, hold.until, "hold", hold.reason)
    timed = [_Timed(policy, start, policy.until(start) if start is not None else None) for policy, start in clocks]
    kept = [one for one in timed if one.policy.required and (one.until is None or one.until >= today)]
    if kept:
        longest = max(kept, key=_end)
        return longest.ruling(Hint.KEEP, Reason.WAITING if longest.until is None else Reason.REQUIRED)
    gone = [one for one in timed if one.policy.consent]
    if withdrawn := min((one for one in gone if one.until is not None and one.until <= today), key=_end, default=None):
        return withdrawn.ruling(Hint.FREE if withdrawn.until == today else Hint.OVERDUE, Reason.WITHDRAWN)
    if times := [one for one in timed if not one.policy.consent]:
        longest = max(times, key=_end)
        if longest.until is None:
            return longest.ruling(Hint.FREE, Reason.OPEN)
        return longest.ruling(Hint.OVERDUE, Reason.OVER) if longest.until < today else longest.ruling(Hint.FREE, Reason.RUNNING)
    return gone[0].ruling(Hint.FREE, Reason.OPEN) if gone else Ruling(Hint.FREE, Reason.UNSAID)


class _Timed(NamedTuple):
    policy: Policy
    start: date | None
    until: date | None

    def ruling(self, hint: Hint, reason: Reason) -> Ruling:
        return Ruling(hint, reason, self.policy.law, self.until, self.policy.name, "", self.start)


def _end(one: _Timed) -> date:
    return one.until or date.max


class Policies:
    """All that the configuration says of keeping and deleting, and what the law might say of what it does not mention."""

    def __init__(self, settings: Config, laws: Sequence[law.Law] | None = None) -> None:
        ends = settings.controller.fiscal_year_end
        year = (int(ends[:2]), int(ends[3:])) if ends else (12, 31)
        self.all: tuple[Policy, ...] = (*(_retention(one, year) for one in settings.retention), *_consents(settings))
        self.holds = settings.holds
        self.country = settings.controller.country or "DK"
        self._laws = laws

    def bearing(self, source: str, object: str) -> list[Policy]:
        """The policies under which the records of an object fall, in the order of the configuration."""
        return [one for one in self.all if one.bears_on(source, object)]

    def by_law(self, object: str, entities: frozenset[str] = frozenset()) -> list[law.Law]:
        """The rules of law that may be about an object of this name: a hint where `bearing` is empty, for a person to judge."""
        if self._laws is None:
            self._laws = law.load()
        return list(law.bearing(self._laws, object, self.country, entities))


def _retention(one: Retention, year: tuple[int, int]) -> Policy:
    number, _, unit = one.keep.partition(" ")
    ends = year if one.year_end else None
    return Policy(one.name, one.applies_to, one.after, one.when, int(number), unit.removesuffix("s"), ends, one.required, one.law)


def _consents(settings: Config) -> Iterable[Policy]:
    many = len(settings.consent) > 1
    for number, one in enumerate(settings.consent, 1):
        yield Policy(f"consent {number}" if many else "consent", one.applies_to, one.withdrawn, law=CONSENT, consent=True)
