"""Works units: reads them, runs the rules over what they hold, adds up what was found. Runs in a worker process.

Small units come several at once. They are read one after the other and looked at together, as each pass of detection costs about
two milliseconds whatever it reads.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scanner import seal
from scanner.detect.columns import Judgement
from scanner.detect.engine import SCHEMA, Detection, Detector
from scanner.detect.known import KnownColumn
from scanner.detect.rules import load
from scanner.errors import SourceError
from scanner.extract.sampling import Sampled
from scanner.inventory import Holding, ObjectRead, UnitRead
from scanner.jobs import Job, judged
from scanner.model import Opened, Problem, Shape, TextBatch, Unit, Why

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.model import Source

TOGETHER_BYTES = 4 * 2**20
"""So much text is scanned at once, where a unit gives it in smaller pieces."""
TOGETHER_BATCHES = 512
NAME = "filename"
"""The field under which what stands in a file's name is found."""
SEND = 20_000
"""So many findings travel to the coordinator at once."""
FEW = 64
"""Up to so many records are counted one by one."""
SENT = SCHEMA.append(pa.field("fact", pa.bool_()))
"""Findings as they travel and are kept; with `fact`, cells of a column that is one entity throughout."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker needs to get ready; travels as a pickle."""

    sources: tuple[Source, ...]
    rule_folders: tuple[Path, ...]
    countries: tuple[str, ...]
    languages: tuple[str, ...]
    prose: str
    key: bytes
    cache: Path | None
    known: tuple[KnownColumn, ...] = ()
    engine: Path | None = None


@dataclass(frozen=True, slots=True)
class State:
    """A worker that is ready."""

    sources: dict[str, Source]
    detector: Detector


def prepare(setup: Setup) -> State:
    """Load the rules and compile them, or take the compiled form from the cache."""
    ruleset = load(setup.rule_folders, countries=setup.countries, languages=setup.languages, cache=setup.cache)
    detector = Detector(ruleset, key=setup.key, prose_level=setup.prose, cache=setup.cache, known=setup.known, engine=setup.engine)
    gc.collect()
    gc.freeze()
    return State({source.name: source for source in setup.sources}, detector)


Told: TypeAlias = list[tuple[int, bytes]]
"""Findings on their way: of which of the jobs, as an Arrow IPC stream."""


def work(state: State, jobs: Sequence[Job], watch: Callable[[str], None]) -> Generator[Told, None, list[UnitRead]]:
    """Read units of one source and one kind to their ends. Yields findings, returns the sums and what was not read, one a job."""
    tallies = [_Tally(state.detector, job.unit) for job in jobs]
    cells = jobs[0].unit.kind != "table"
    waiting: list[list[pa.RecordBatch]] = [[] for _ in jobs]
    judged: dict[tuple[str, str], Judgement] = {}
    for group in _groups(_readings(state, jobs, watch, tallies)):
        detection = state.detector.detect([batch for _, batch in group], judged=judged, cells=cells)
        for number, batches, found in _split(group, detection):
            tallies[number].add(batches, found)
            for findings, fact in ((found.findings, False), *((one, True) for one in found.cells)):
                if len(findings):
                    tables = not cells or tallies[number].tables
                    waiting[number].append(_told(_sealed(state.detector.key, findings, tables), fact))
        if sum(len(one) for batches in waiting for one in batches) >= SEND:
            yield [(number, _packed(batches)) for number, batches in enumerate(waiting) if batches]
            waiting = [[] for _ in jobs]
    if any(waiting):
        yield [(number, _packed(batches)) for number, batches in enumerate(waiting) if batches]
    return [tally.result() for tally in tallies]


def _readings(
    state: State, jobs: Sequence[Job], watch: Callable[[str], None], tallies: Sequence[_Tally]
) -> Generator[tuple[int, TextBatch], None, None]:
    """The texts of the jobs, each with the number of its job; everything else goes to the tallies."""
    last = ""

    def seen(name: str) -> None:
        nonlocal last
        last = name
        watch(name)

    state.detector.prose.alive = lambda: watch(last)
    for number, (job, tally) in enumerate(zip(jobs, tallies, strict=True)):
        source: Any = state.sources[job.unit.source]
        source.watch, source.skip = seen, job.skip
        try:
            for item in source.read(job.unit):
                if isinstance(item, TextBatch):
                    yield number, item
                elif isinstance(item, Opened):
                    tally.opened(item)
                    if named := _name(item):
                        yield number, named
                else:
                    tally.problem(item)
        except SourceError as error:
            tally.problem(Problem(job.unit.object, Why.CRASHED, str(error)))


def _groups(readings: Iterable[tuple[int, TextBatch]]) -> Generator[list[tuple[int, TextBatch]], None, None]:
    """Batches put together for one pass; columns of the same rows stay together."""
    group: list[tuple[int, TextBatch]] = []
    size = 0
    for number, batch in readings:
        full = size >= TOGETHER_BYTES or len(group) >= TOGETHER_BATCHES
        if group and full and batch.records is not group[-1][1].records:
            yield group
            group, size = [], 0
        group.append((number, batch))
        size += batch.texts.nbytes
    if group:
        yield group


def _split(group: Sequence[tuple[int, TextBatch]], detection: Detection) -> Iterator[tuple[int, list[TextBatch], Detection]]:
    """What was found, job by job. No two jobs have an object in common, and findings come in the order of the batches."""
    numbers = [number for number, _ in group]
    if numbers[0] == numbers[-1]:
        yield numbers[0], [batch for _, batch in group], detection
        return
    whose = {batch.object: number for number, batch in group}
    found = detection.findings
    owners = [whose[name] for name in found.column("object").to_pylist()]
    at = 0
    for number, own in itertools.groupby(group, key=lambda one: one[0]):
        end = at
        while end < len(owners) and owners[end] == number:
            end += 1
        batches = [batch for _, batch in own]
        objects = {batch.object for batch in batches}
        shapes = {place: shape for place, shape in detection.shapes.items() if place[0] in objects}
        facts = [fact for fact in detection.facts if fact.object in objects]
        cells = [one for one in detection.cells if one.column("object")[0].as_py() in objects]
        yield number, batches, Detection(found.slice(at, end - at), tuple(facts), shapes, tuple(cells))
        at = end


def _name(item: Opened) -> TextBatch | None:
    """The name of a file as a text of its own: `name` is a field like any other."""
    if item.kind == "table":
        return None
    return TextBatch(item.object, NAME, pa.array([item.object.replace("_", " ")]), pa.array([""]))


def _sealed(key: bytes, findings: pa.RecordBatch, tables: bool) -> pa.RecordBatch:
    """Findings whose record names give nothing away: keys of tables that could be somebody's data are sealed."""
    if not tables:
        return findings
    names = findings.column("record").to_pylist()
    sealed = [seal.seal(key, name) if seal.needs(name) else name for name in names]
    at = findings.schema.get_field_index("record")
    return findings.set_column(at, "record", pa.array(sealed, pa.string()))


def _told(findings: pa.RecordBatch, fact: bool) -> pa.RecordBatch:
    """Findings as they travel."""
    return findings.append_column(SENT.field("fact"), pa.repeat(pa.scalar(fact), len(findings)))


def _packed(batches: list[pa.RecordBatch]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SENT) as stream:
        for batch in batches:
            stream.write_batch(batch)
    return bytes(sink.getvalue())


@dataclass(slots=True)
class _Sum:
    """What one entity adds up to in one field."""

    count: int = 0
    records: int = 0
    in_segment: int = 0
    test: int = 0
    score: float = 0.0
    last: str | None = None


@dataclass(slots=True)
class _Object:
    kind: str
    bytes: int = 0
    rows: int = 0
    cells: int = 0
    read: bool = False
    problems: list[Problem] = field(default_factory=list)
    sampled: Sampled | None = None


class _Tally:
    """Adds up findings, filled records and problems of a unit."""

    def __init__(self, detector: Detector, unit: Unit) -> None:
        self._rules = detector.rules
        self._unit = unit
        self._objects: dict[str, _Object] = {}
        self._sums: dict[tuple[str, str, str], _Sum] = {}
        self._filled: dict[tuple[str, str], list[Any]] = {}
        self._shapes: dict[tuple[str, str, str], str] = {}
        self._last_rows: pa.StringArray | None = None
        self._last_object = ""
        self._counted: tuple[pa.StringArray | None, int] = (None, 0)
        self.tables = False

    def opened(self, item: Opened) -> None:
        one = self._objects.setdefault(item.object, _Object(item.kind))
        one.kind = item.kind
        self.tables = self.tables or item.kind == "table"
        one.bytes += item.bytes
        one.rows += item.rows

    def problem(self, item: Problem) -> None:
        one = self._objects.setdefault(item.object, _Object(self._unit.kind))
        if isinstance(item, Sampled):
            one.sampled = item
            one.problems.insert(0, item)  # what is said of the whole comes before what is said of its fields
        else:
            one.problems.append(item)

    def add(self, group: list[TextBatch], detection: Detection) -> None:
        for batch in group:
            place = self._objects.setdefault(batch.object, _Object(self._unit.kind))
            place.read = place.read or batch.field != NAME
            self._fill(batch)
        for where, example in detection.shapes.items():
            self._shapes.setdefault(where, example)
        for fact in detection.facts:
            one = self._sums.setdefault((fact.object, fact.field, self._rules[fact.rule].entity), _Sum())
            rows = int(fact.rows.sum())
            one.count += rows
            one.records += _runs(fact.records.filter(pa.array(fact.rows)))
            one.score = max(one.score, fact.score)
        findings = detection.findings
        columns = (findings.column(name).to_pylist() for name in ("object", "field", "entity", "record", "score", "test"))
        for name, part, entity, record, score, test in zip(*columns, strict=True):
            one = self._sums.setdefault((name, part, entity), _Sum())
            one.count += 1
            one.in_segment += 1
            one.test += test
            one.score = max(one.score, score)
            if record != one.last:
                one.records += 1
                one.last = record

    def _fill(self, batch: TextBatch) -> None:
        """Count the records of a field that hold anything; rows of one record that follow each other count once."""
        known = self._filled.setdefault((batch.object, batch.field), [0, None])
        if batch.by_line:
            known[0] += _lines(batch)
            return
        filled = batch.records
        lengths = np.diff(np.frombuffer(batch.texts.buffers()[1], np.int32)[batch.texts.offset :][: len(filled) + 1])
        if batch.texts.null_count or not lengths.all():
            filled = filled.filter(pc.fill_null(pc.greater(pc.binary_length(batch.texts), 0), False))
        if len(filled):
            first = filled[0].as_py()
            known[0] += self._runs(filled) - (known[1] is not None and first == known[1])
            known[1] = filled[-1].as_py() if len(filled) > 1 else first
        if batch.shape is Shape.CELL and self._last_rows is not batch.records:
            known_rows = self._last_rows if self._last_object == batch.object and batch.records[0].as_py() else None
            if known_rows is not None and pc.index(known_rows, batch.records[0]).as_py() >= 0:
                return  # some of the rows before, once more: what their cells hold inside
            self._last_rows, self._last_object = batch.records, batch.object
            self._objects[batch.object].cells += len(batch.records)

    def _runs(self, records: pa.StringArray) -> int:
        """`_runs`, once for all columns of the same rows."""
        if self._counted[0] is not records:
            self._counted = records, _runs(records)
        return self._counted[1]

    def result(self) -> UnitRead:
        self._objects.setdefault(self._unit.object, _Object(self._unit.kind))
        holdings = []
        for (name, part, entity), one in sorted(self._sums.items()):
            cls = next(rule.cls for rule in self._rules if rule.entity == entity)
            filled = max(self._filled[name, part][0], one.records)
            shape = self._shapes[name, part, entity]
            holdings.append(
                Holding(name, part, entity, cls, one.count, one.records, filled, one.in_segment, one.test, round(one.score, 4), shape)
            )
        objects = [
            ObjectRead(
                name, one.kind, *judged(one.problems, one.read or one.sampled is not None), one.bytes, one.cells, *_said(one.sampled)
            )
            for name, one in sorted(self._objects.items())
        ]
        problems = [problem for _, one in sorted(self._objects.items()) for problem in one.problems]
        return UnitRead(tuple(objects), tuple(problems), tuple(holdings))


def _said(sampled: Sampled | None) -> tuple[int | None, float | None]:
    return (sampled.there, sampled.chance) if sampled else (None, None)


def _runs(records: pa.StringArray) -> int:
    """How many different records follow each other."""
    if len(records) <= FEW:
        return sum(1 for _ in itertools.groupby(records.to_pylist()))
    return len(pc.run_end_encode(records).values)


def _lines(batch: TextBatch) -> int:
    """The lines of a text's rows that hold anything, each counted by the row that owns its end."""
    lines = 0
    seams = batch.seams
    for row, text in enumerate(batch.texts.to_pylist()):
        begin, end = (0, len(text)) if seams is None else (seams.begin[row].as_py(), seams.end[row].as_py())
        lines += text.count("\n", begin, end)
        if row == len(batch.texts) - 1 and not text.endswith("\n"):
            lines += 1
    return max(lines, 1)
