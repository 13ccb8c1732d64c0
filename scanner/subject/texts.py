"""Sweeps units for a subject in worker processes: what of her stands in which record, and what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from scanner.errors import SourceError
from scanner.jobs import Job
from scanner.model import Identifier, Problem, Reading, Role, Shape, Source, Subject, TextBatch, Unit, Why
from scanner.subject.fields import concepts, same_number
from scanner.subject.identifiers import Agreement, compare
from scanner.subject.links import Evidence
from scanner.subject.names import GIVEN
from scanner.subject.rows import Claim, read
from scanner.subject.signoffs import signed
from scanner.subject.sweep import Cache, Match, Sweep

TOGETHER = 64
"""Batches that are swept at once; more only where the last ones are fields of the same messages."""
KEPT = 64 * 2**20
"""Bytes of text that a worker keeps from one pass to the next."""
_CPR = re.compile(r"(?<![\d-])(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d[ -]?\d{4}(?![\d-])")
_CUE = re.compile(r"([^\W\d_]+)[ .]{0,2}(?:nr|nummer|no|number|id|#)?[ .:#]{0,3}$", re.IGNORECASE)
_SIGNED = re.compile(r"(?:hilsen|mvh|vh|regards|sincerely|greetings|cheers)\b[^\n]{0,20},?\s*\n(?:[^\n]*\n){0,5}[^\n]*$", re.IGNORECASE)
_FIELDS: Mapping[str, Role] = {
    **dict.fromkeys(
        ("from", "sender", "author", "reply_to", "fra", "afsender", "organizer", "creator", "last_modified_by", "user"), Role.AUTHOR
    ),
    **dict.fromkeys(("to", "cc", "bcc", "til", "recipient", "modtager", "attendee", "delivered_to"), Role.RECIPIENT),
}


class Place(NamedTuple):
    """A record in which something of the subject stands. `whole` says that the object is one text (a letter, not a list)."""

    object: str
    record: str
    evidence: tuple[Evidence, ...]
    against: frozenset[str]
    claims: tuple[Claim, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker needs; travels as a pickle. `entities` is (source, object, field) to what the column holds throughout."""

    sources: tuple[Source, ...]
    subject: Subject
    entities: Mapping[tuple[str, str], Mapping[str, str]]


class Kept:
    """What units gave, in memory: a second pass reads no document twice, as long as all of it together is not too much."""

    def __init__(self) -> None:
        self._units: dict[Unit, list[Reading]] = {}
        self._size = 0

    def read(self, source: Source, unit: Unit) -> Iterator[Reading]:
        """Read a unit, or say again what it gave."""
        if unit in self._units:
            yield from self._units[unit]
            return
        held: list[Reading] = []
        size = 0
        for item in source.read(unit):
            size += item.texts.nbytes + item.records.nbytes if isinstance(item, TextBatch) else 0
            if self._size + size <= KEPT:
                held.append(item)
            else:
                held.clear()
            yield item
        if self._size + size <= KEPT:
            self._units[unit], self._size = held, self._size + size


class State(NamedTuple):
    """A worker that is ready."""

    sources: dict[str, Source]
    setup: Setup
    sweep: Sweep
    kept: Kept


def prepare(setup: Setup, before: State | None = None, cache: Cache | None = None) -> State:
    """Compile the subject's set; after a state `before`, of the same subject of whom less was known, only what has come in since."""
    known = before.setup.subject.identifiers if before is not None else ()
    more = before is not None and setup.subject.identifiers[: len(known)] == known
    sweep = Sweep(setup.subject, cache=cache, before=before.sweep if before is not None and more else None)
    return State({source.name: source for source in setup.sources}, setup, sweep, before.kept if before is not None else Kept())


def work(state: State, job: Job, watch: Callable[[str], None]) -> Generator[list[Place], None, list[Problem]]:
    """Read a unit to its end. Yields places as they are found, returns what could not be read."""
    source: Any = state.sources[job.unit.source]
    source.watch, source.skip = watch, job.skip
    problems: list[Problem] = []
    try:
        for group in _groups(state.kept.read(source, job.unit), problems):
            places = list(look(state, job.unit.source, group))
            if places:
                yield places
    except SourceError as error:
        problems.append(Problem(job.unit.object, Why.CRASHED, str(error)))
    return problems


def _groups(reading: Iterator[Reading], problems: list[Problem]) -> Iterator[list[TextBatch]]:
    """Batches put together; columns of the same rows stay together."""
    group: list[TextBatch] = []
    for item in reading:
        if isinstance(item, Problem):
            problems.append(item)
        elif isinstance(item, TextBatch):
            if len(group) >= TOGETHER and item.records is not group[-1].records and not _goes_on(group, item):
                yield group
                group = []
            group.append(item)
    if group:
        yield group


def _goes_on(group: Sequence[TextBatch], item: TextBatch) -> bool:
    """Whether a batch holds another field of messages whose fields came before: who sent them, what they say."""
    if len(group) >= 4 * TOGETHER or not len(item.records) or not len(group[-1].records):
        return False
    first = item.records[0].as_py()
    return first.startswith("message=") and first in group[-1].records.to_pylist()


def look(state: State, source: str, batches: Sequence[TextBatch]) -> Iterator[Place]:
    """The records of these batches in which something of the subject stands."""
    found: dict[tuple[str, str], list[Match]] = {}
    for match in state.sweep.scan(batches):
        found.setdefault((batches[match.batch].object, match.record), []).append(match)
    for (object, record), matches in found.items():
        cells = [m for m in matches if batches[m.batch].shape is Shape.CELL]
        if cells:
            yield from _row(state, source, batches, object, record, matches, cells[0])
        else:
            yield from _prose(state, batches, object, record, matches)


def _row(
    state: State, source: str, batches: Sequence[TextBatch], object: str, record: str, matches: Sequence[Match], first: Match
) -> Iterator[Place]:
    records = batches[first.batch].records
    row: dict[str, str | None] = {}
    for batch in batches:
        if batch.records is records and batch.object == object:
            row[batch.field] = batch.texts[first.row].as_py()
    known = state.setup.subject.identifiers
    held = read(row, state.setup.entities.get((source, object), {}), known, f"{source}:{object}")
    evidence = list(held.evidence)
    told = {(one.identifier, name) for one in evidence for name in one.field.split(", ")}
    for match in matches:
        if (match.identifier, match.field) in told:
            continue
        one = known[match.identifier]
        text = batches[match.batch].texts[match.row].as_py() or ""
        if one.entity == "CUSTOMER_ID" and not _meant(one.column, text, match, batches[match.batch]):
            continue
        role = _FIELDS.get(match.field.casefold(), Role.MENTIONED)
        evidence.append(Evidence(match.identifier, match.likeness, match.field, role))
    if evidence:
        whole = record == "" or len(records) == 1
        yield Place(object, record, tuple(evidence), frozenset(held.against), tuple(held.claims), whole)


def _prose(state: State, batches: Sequence[TextBatch], object: str, record: str, matches: Sequence[Match]) -> Iterator[Place]:
    known = state.setup.subject.identifiers
    evidence, against = [], set()
    for match in matches:
        batch = batches[match.batch]
        text = batch.texts[match.row].as_py() or ""
        one = known[match.identifier]
        if one.entity == "CUSTOMER_ID" and not _meant(one.column, text, match, batch):
            continue
        role = _FIELDS.get(match.field.casefold(), Role.MENTIONED)
        if role is Role.MENTIONED and one.entity == "PERSON" and _SIGNED.search(text[: _end(batch, match)] + "\n"):
            role = Role.SIGNATURE
        evidence.append(Evidence(match.identifier, match.likeness, match.field, role))
        if batch.by_line and _other_number(_line(text, batch, match), state):
            against.add("DK_CPR")
    if evidence:
        evidence += _signature(known, evidence, batches, object, record)
        whole = not record.startswith(("message=", "ts=", "row=", "sheet=", "contact=", "item="))
        yield Place(object, record, tuple(evidence), frozenset(against), (), whole)


def _signature(
    known: Sequence[Identifier], evidence: Sequence[Evidence], batches: Sequence[TextBatch], object: str, record: str
) -> Iterator[Evidence]:
    """Her first name under a message from an address of hers: it says who of a family wrote it."""
    sent = any(known[e.identifier].entity == "EMAIL_ADDRESS" and e.role is Role.AUTHOR for e in evidence)
    if not sent or any(known[e.identifier].entity == "PERSON" for e in evidence):
        return
    body = next((one for one in batches if one.object == object and one.field == "body" and record in one.records.to_pylist()), None)
    if body is None:
        return
    at = len(body.records) - 1 - body.records.to_pylist()[::-1].index(record)  # of a long message the last row
    for name in signed(body.texts[at].as_py() or ""):
        for number, one in enumerate(known):
            if one.entity == "PERSON" and (likeness := compare(one, "PERSON", name)).how in GIVEN:
                yield Evidence(number, likeness, "body", Role.SIGNATURE)


def _other_number(line: str, state: State) -> bool:
    """Whether a line holds somebody's CPR number, and not hers."""
    known = [one for one in state.setup.subject.identifiers if one.entity == "DK_CPR"]
    numbers = [m[0] for m in _CPR.finditer(line)]
    return bool(numbers and known) and not any(
        compare(one, "DK_CPR", number).agreement in (Agreement.SAME, Agreement.VARIANT) for one in known for number in numbers
    )


def _start(batch: TextBatch, match: Match) -> int:
    """Where a match begins in its row's text."""
    if batch.by_line:
        text = batch.texts[match.row].as_py()
        line = int(match.record.removeprefix("line=")) - int(batch.records[match.row].as_py())
        at = -1
        for _ in range(line):
            at = text.find("\n", at + 1)
        base = batch.seams.base[match.row].as_py() if batch.seams is not None and line == 0 else 0
        return int(at + 1 + match.start - base)
    return match.start - (int(batch.seams.base[match.row].as_py()) if batch.seams is not None else 0)


def _end(batch: TextBatch, match: Match) -> int:
    return _start(batch, match) + match.end - match.start


def _line(text: str, batch: TextBatch, match: Match) -> str:
    at = _start(batch, match)
    end = text.find("\n", at)
    return text[text.rfind("\n", 0, at) + 1 : end if end >= 0 else len(text)]


def _meant(column: str, text: str, match: Match, batch: TextBatch) -> bool:
    """Whether a number that stands somewhere is the customer number that it looks like: by its column, or by the word before it."""
    start = _start(batch, match)
    value = text[start : start + match.end - match.start]
    if value == text.strip() and batch.shape is Shape.CELL and match.field:
        return same_number(column, match.field) or _distinctive(value)
    if _distinctive(value):
        return True
    cue = _CUE.search(text[max(0, start - 40) : start])
    if cue is None:
        return False
    ours = concepts(column)
    return bool(ours & concepts(cue[1])) if ours else cue[1].casefold() in column.casefold()


def _distinctive(value: str) -> bool:
    """A number with letters and digits, or a long one, is hardly anything else by chance."""
    digits = sum(map(str.isdigit, value))
    return digits >= 9 or (digits >= 4 and any(map(str.isalpha, value)))
