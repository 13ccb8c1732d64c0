"""Which files, documents and mails should have gone: by a file's time, a mail's date, or the end of somebody's employment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from email.utils import getaddresses, parsedate_to_datetime
from typing import NamedTuple, Protocol, runtime_checkable

from scanner.errors import SourceError
from scanner.model import Problem, Source, TextBatch, Unit
from scanner.requests.policy import Clock, Hint, Policies, Policy, decide
from scanner.requests.policy_tables import Late, Tables
from scanner.sources.clocks import Form, day

_MAIL_DATE = re.compile(r"\s*(?:[A-Za-z]{3},\s*)?[0-9]{1,2}\s+[A-Za-z]{3}\s+[0-9]{2,4}\s+[0-9]{1,2}:[0-9]{2}")
_DATES = frozenset({"date", "sent", "sent_at", "time", "timestamp", "ts", "created", "created_at"})
"""Fields of mails and chats that say when something was sent."""


@runtime_checkable
class Timed(Source, Protocol):
    """A source that can say when a file was last written to, and when the document in it was, by its own word."""

    def modified(self, unit: Unit) -> datetime | None:
        """In UTC; None when that cannot be said."""
        ...

    def written(self, unit: Unit) -> date | None:
        """None where it says nothing."""
        ...


class Found(NamedTuple):
    """A file that policies bear on, with its source and the policies."""

    unit: Unit
    policies: Sequence[Policy]


def overdue(source: Source, policies: Policies, tables: Tables, today: date) -> Iterator[Late]:
    """The files and the records in files of a source that should have gone; what cannot be looked at is a miss of `tables`."""
    if not any(pattern.partition(":")[0] and _may_be(pattern, source.name) for policy in policies.all for pattern in policy.applies_to):
        return
    names: dict[str, Mapping[str, Sequence[date | None]] | None] = {}
    try:
        for unit in source.units():
            if isinstance(unit, Problem):
                bears = policies.bearing(source.name, unit.object) or unit.object.endswith("/") or not unit.object
                if bears and "symbolic link" not in unit.detail:
                    tables.miss(source.name, unit.object, f"{unit.why.value}: {unit.detail}")
                continue
            bearing = policies.bearing(source.name, unit.object)
            if bearing and unit.part in ("", "00000001"):
                yield from _unit(source, Found(unit, bearing), tables, names, today)
    except SourceError as error:
        tables.miss(source.name, "", str(error))


def _may_be(pattern: str, name: str) -> bool:
    from fnmatch import fnmatchcase

    head = pattern.rpartition(":")[0] or pattern
    return fnmatchcase(name, pattern.partition(":")[0]) or any(mark in head for mark in "*?[") or pattern.startswith(f"{name}:")


def _unit(
    source: Source, found: Found, tables: Tables, names: dict[str, Mapping[str, Sequence[date | None]] | None], today: date
) -> Iterator[Late]:
    """The file as a whole, or each record in it where a policy counts from the dates of what lies in it."""
    unit, bearing = found
    clocks, within = started(source, unit, bearing, tables, names)
    if not within:
        ruling = decide(clocks, today)
        if ruling.hint is Hint.OVERDUE:
            yield Late(source.name, unit.object, "", ruling)
        return
    unread = 0
    records = dated(source, unit, tables)
    for (object, record), (sent, person) in sorted(records.items()):
        if sent is None:
            unread += 1
        ruling = decide([*clocks, *(Clock(policy, sent) for policy in within)], today)
        if ruling.hint is Hint.OVERDUE:
            yield Late(source.name, object, record, ruling, person)
    if unread:
        tables.miss(source.name, unit.object, f"{unread} records say nothing of their date that can be understood")


def started(
    source: Source, unit: Unit, bearing: Sequence[Policy], tables: Tables, names: dict[str, Mapping[str, Sequence[date | None]] | None]
) -> tuple[list[Clock], list[Policy]]:
    """The clocks of a file as a whole, and the policies that count from the dates of what lies in it."""
    clocks: list[Clock] = []
    within: list[Policy] = []
    for policy in bearing:
        if policy.after == "date":
            within.append(policy)
            continue
        if policy.after == "modified":
            start = _modified(source, unit, policy, tables)
        else:
            if policy.name not in names:
                names[policy.name] = tables.named(policy)
            start = _by_name(source, unit, policy, names[policy.name], tables)
        clocks.append(Clock(policy, start))
    return clocks, within


def _modified(source: Source, unit: Unit, policy: Policy, tables: Tables) -> date | None:
    if not isinstance(source, Timed):
        tables.miss(source.name, "", f"{policy.name}: this kind of source does not say when a file was last written to")
        return None
    moment = source.modified(unit)
    if moment is None:
        tables.miss(source.name, unit.object, "its time cannot be read")
    return moment.date() if moment else None


def _by_name(source: Source, unit: Unit, policy: Policy, names: Mapping[str, Sequence[date | None]] | None, tables: Tables) -> date | None:
    """When the clock of the person started whose whole name is a part of the file's path."""
    if names is None:
        return None
    parts = unit.object.casefold().split("/")
    parts[-1] = parts[-1].rpartition(".")[0] or parts[-1]
    starts = [names[name] for part in parts if (name := _first_last(part)) in names]
    if len(starts) == 1 and len(starts[0]) == 1:
        return starts[0][0]
    why = "several rows bear the name of its folder" if starts else "no row bears the name of one of its folders"
    tables.miss(source.name, unit.object, f"{policy.name}: whose it is cannot be told: {why}")
    return None


def _first_last(part: str) -> str:
    """`jensen, lars` as `lars jensen`."""
    last, comma, first = " ".join(part.replace("_", " ").split()).partition(",")
    return f"{first.strip()} {last.strip()}" if comma else last


def dated(source: Source, unit: Unit, tables: Tables) -> dict[tuple[str, str], tuple[date | None, str]]:
    """The records in a file, with their days and by whom each was sent; where there are none such, the document with its own day."""
    records = _records(source, unit, tables)
    if records:
        return records
    said = source.written(unit) if isinstance(source, Timed) else None
    if said is None:
        tables.miss(source.name, unit.object, "it says nothing of its date that can be understood")
    return {(unit.object, ""): (said, "")} if said else {}


def _records(source: Source, unit: Unit, tables: Tables) -> dict[tuple[str, str], tuple[date | None, str]]:
    """The records in a file that mails or messages are, with their days, and by whom each was sent."""
    days: dict[tuple[str, str], date | None] = {}
    people: dict[tuple[str, str], str] = {}
    for reading in source.read(unit):
        if isinstance(reading, Problem):
            if not reading.record and not reading.field:
                tables.miss(source.name, reading.object, f"{reading.why.value}: {reading.detail}")
            continue
        if not isinstance(reading, TextBatch) or reading.by_line:
            continue
        field = reading.field.casefold()
        for record, text in zip(reading.records.to_pylist(), reading.texts.to_pylist(), strict=True):
            place = (reading.object, record)
            if field in ("from", "body", "subject", "to", "header", "text"):
                days.setdefault(place, None)
            if text and (field == "header" or field in _DATES) and days.get(place) is None and (found := _day(text)):
                days[place] = found
            elif text and field in ("from", "sender"):
                people.setdefault(place, next((one.casefold() for _, one in getaddresses([text]) if one), text.casefold()))
    return {place: (found, people.get(place, "")) for place, found in days.items()}


def _day(text: str) -> date | None:
    """The day that a text says of itself: as in the head of a mail, or in one of the forms of a column."""
    if _MAIL_DATE.match(text):
        try:
            return parsedate_to_datetime(text).date()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]?.*", text, re.DOTALL):
        return day(text, Form.ISO)
    if re.fullmatch(r"1[0-9]{9}(\.[0-9]+)?", text):
        return datetime.fromtimestamp(float(text), UTC).date()
    return None
