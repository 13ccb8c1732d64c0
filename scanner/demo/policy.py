"""What must become of each record of the made-up company, by the policies in its own configuration, on the day it is looked at."""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from scanner.demo.configuration import configuration
from scanner.demo.ledger import DAY, Ledger, Mark

HELD = (10_442, 10_823)
"""The customers under the holds of the configuration."""
REFERENCED: dict[tuple[str, ...], tuple[str, ...]] = {
    ("crm", "customers"): (),
    ("erp", "optifo.kunder"): ("delete",),
    ("crm", "staff"): ("keep", "review"),
    ("erp", "optifo.medarbejdere"): ("keep", "review"),
}
"""Rows that must survive their person while others that point to them are kept, and what else could be said of them.

No declared key holds the old invoices to their customers; rows of employees are pointed to by cases of customers.
"""
STAFF = (("crm", "staff"), ("erp", "optifo.medarbejdere"))


@dataclass(frozen=True, slots=True)
class Policy:
    """One `[[retention]]` or `[[consent]]`. `months` is 0 for consent: what is withdrawn goes at once."""

    name: str
    applies_to: tuple[str, ...]
    after: str
    months: int
    from_year_end: bool
    required: bool
    law: str

    def until(self, day: date) -> date:
        """The last day on which a record is kept whose clock starts on this day."""
        start = date(day.year, 12, 31) if self.from_year_end else day
        month = start.month - 1 + self.months
        year, month = start.year + month // 12, month % 12 + 1
        return date(year, month, min(start.day, monthrange(year, month)[1]))


@dataclass(frozen=True, slots=True)
class Fate:
    """What a plan must say of one record when its person asks to be deleted. `also` are actions that a fair reader accepts as well."""

    action: str
    reason: str
    law: str = ""
    until: str = ""
    also: tuple[str, ...] = ()


@cache
def policies() -> tuple[Policy, ...]:
    """The policies of the configuration with all sources in it."""
    said = tomllib.loads(configuration("a", "b", "c", "d", postgresql="e", mariadb="f"))
    return *map(_retention, said["retention"]), *map(_consent, said["consent"])


def _retention(entry: dict[str, Any]) -> Policy:
    number, unit = entry["keep"].split()
    months = int(number) * (12 if unit.startswith("year") else 1)
    return Policy(
        entry["name"], tuple(entry["applies_to"]), entry["after"], months, "from" in entry, entry.get("required", False), entry["law"]
    )  # fmt: skip


def _consent(entry: dict[str, Any]) -> Policy:
    return Policy("consent", tuple(entry["applies_to"]), entry["withdrawn"], 0, False, False, "GDPR Art. 7(3)")


def policy_of(mark: Mark) -> Policy | None:
    """The policy that a record falls under; one that no join leads to falls under none."""
    return None if mark.policy else _policy(f"{mark.place.source}:{mark.place.object}")


@cache
def _policy(name: str) -> Policy | None:
    return next((one for one in policies() if any(fnmatchcase(name, pattern) for pattern in one.applies_to)), None)


def clock(policy: Policy, mark: Mark, ledger: Ledger) -> date | None:
    """When the time of a policy starts for a record; None while it has not started."""
    if policy.after.endswith(".closed_at"):
        return ledger.closed.get(mark.person) if mark.role == "subject" else None
    if policy.after.endswith(".lukket"):
        return ledger.closed_before.get(mark.person) if mark.role == "subject" else None
    if policy.after.endswith(".left_on"):
        return ledger.left.get(mark.person) if mark.role == "subject" else None
    return mark.when


def overdue(ledger: Ledger) -> Iterator[tuple[Mark, Policy, date]]:
    """Every record that has been kept too long on the day, once, with its policy and the last day that it should have been kept."""
    seen = set()
    held = {mark.place for number in HELD for mark in ledger.of(number)}
    for mark in sorted(ledger.all(), key=lambda mark: (mark.place, mark.person)):
        policy = policy_of(mark)
        if policy is None or mark.place in held or mark.place in seen or mark.role in ("handler", "signature"):
            continue
        start = clock(policy, mark, ledger)
        if start and policy.until(start) < DAY:
            seen.add(mark.place)
            yield mark, policy, policy.until(start)


def fates(ledger: Ledger, number: int) -> dict[Mark, Fate]:
    """What becomes of all records of one person who asks to be deleted."""
    marks = ledger.of(number)
    kept = {mark: until for mark in marks if (until := _kept(mark, ledger)) is not None}
    sources = {mark.place.source for mark, until in kept.items() if until >= DAY}
    handled = {mark.place.source for mark in marks if mark.role == "handler"}
    pointed = {place for place in REFERENCED if place[0] in (handled if place in STAFF else sources)}
    return {mark: _fate(mark, ledger, kept.get(mark), pointed) for mark in marks}


def _kept(mark: Mark, ledger: Ledger) -> date | None:
    """Until when the law keeps a record that is somebody's own; the far future while its clock has not started."""
    policy = policy_of(mark)
    if policy is None or not policy.required or mark.role in ("handler", "signature"):
        return None
    start = clock(policy, mark, ledger)
    return policy.until(start) if start else date.max


def _fate(mark: Mark, ledger: Ledger, until: date | None, pointed: Collection[tuple[str, ...]]) -> Fate:
    policy, place = policy_of(mark), mark.place
    if not mark.findable:
        return Fate("", "nothing in it leads to her")
    if mark.role in ("handler", "signature"):
        return Fate("keep", "she appears in it by her function; it is about somebody else", also=("review",))
    if ledger.who(mark.person) in map(ledger.who, HELD):
        return _held(mark, until)
    if mark.strength == "possible":
        return Fate("review", "only her name stands in it")
    if until and until >= DAY and policy:
        return Fate("keep", "must be kept", policy.law, "" if until == date.max else until.isoformat())
    if mark.role == "mentioned":
        return Fate("review", "it is somebody else's record; what is hers must be taken out", also=("anonymise",))
    if mark.policy == "backup":
        return Fate("review", "an old copy; delete again after a restore")
    if not mark.alone or (place.source == "share" and _shared(mark, ledger)):
        return Fate("review", "others stand in the same file")
    if place[:2] in pointed:
        return Fate("anonymise", "rows that are kept point to it", also=REFERENCED[place[:2]])
    if mark.soft:
        return Fate("delete", "marked as deleted, which is no deletion")
    several = mark.strength == "likely" or (place.source == "mail" and _shared(mark, ledger))  # worth a look before it goes
    also = ("review",) if several else ()
    return Fate("delete", "its time is over" if until else "no reason to keep it", also=also)


def _held(mark: Mark, until: date | None) -> Fate:
    """What is kept for a claim alone is restricted; what must be kept anyway, or is somebody else's record, stays as it is."""
    if mark.strength == "possible":
        return Fate("review", "legal hold", "GDPR Art. 17(3)(e)", also=("keep",))
    if mark.role == "mentioned" or (until and until >= DAY):
        return Fate("keep", "legal hold", "GDPR Art. 17(3)(e)")
    return Fate("restrict", "legal hold", "GDPR Art. 17(3)(e)", also=("keep",))


def _shared(mark: Mark, ledger: Ledger) -> bool:
    """Whether a file or a mail is somebody else's own as well."""
    return any(one.person != mark.person and one.role in ("subject", "author", "recipient") for one in ledger.at(mark.place))
