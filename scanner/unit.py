"""Works one unit: reads it, runs the rules over it, adds up what was found. Runs in a worker process."""

from __future__ import annotations

import gc
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    ruleset = load(setup.rule_folders, countries=setup.countries, languages=setup.languages)
    detector = Detector(ruleset, key=setup.key, prose_level=setup.prose, cache=setup.cache, known=setup.known, engine=setup.engine)
    gc.collect()
    gc.freeze()
    return State({source.name: source for source in setup.sources}, detector)


def work(state: State, job: Job, watch: Callable[[str], None]) -> Generator[bytes, None, UnitRead]:
    """Read a unit to its end. Yields findings as Arrow IPC streams, returns the sums and what was not read."""
    source: Any = state.sources[job.unit.source]
    last = ""

    def seen(name: str) -> None:
        nonlocal last
        last = name
        watch(name)

    source.watch, source.skip = seen, job.skip
    state.detector.prose.alive = lambda: watch(last)
    tally = _Tally(state.detector, job.unit)
    waiting: list[pa.RecordBatch] = []
    judged: dict[tuple[str, str], Judgement] = {}
    try:
        for group in _groups(source.read(job.unit), tally):
            detection = state.detector.detect(group, judged=judged, cells=job.unit.kind != "table")
            tally.add(group, detection)
            for found, fact in ((detection.findings, False), *((cells, True) for cells in detection.cells)):
                if len(found):
                    waiting.append(_told(_sealed(state.detector.key, found, job.unit.kind == "table" or tally.tables), fact))
            if sum(map(len, waiting)) >= SEND:
                yield _packed(waiting)
                waiting = []
    except SourceError as error:
        tally.problem(Problem(job.unit.object, Why.CRASHED, str(error)))
    if waiting:
        yield _packed(waiting)
    return tally.result()


def _groups(reading: Any, tally: _Tally) -> Generator[list[TextBatch], None, None]:
    """Batches put together for one scan; columns of the same rows stay together."""
    group: list[TextBatch] = []
    size = 0
    for item in reading:
        if isinstance(item, TextBatch):
            full = size >= TOGETHER_BYTES or len(group) >= TOGETHER_BATCHES
            if group and full and item.records is not group[-1].records:
                yield group
                group, size = [], 0
            group.append(item)
            size += item.texts.nbytes
        elif isinstance(item, Opened):
            tally.opened(item)
            if named := _name(item):
                group.append(named)
        else:
            tally.problem(item)
    if group:
        yield group


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
        filled = batch.records.filter(pc.fill_null(pc.greater(pc.binary_length(batch.texts), 0), False))
        if len(filled):
            known[0] += _runs(filled) - (known[1] is not None and filled[0].as_py() == known[1])
            known[1] = filled[-1].as_py()
        if batch.shape is Shape.CELL and self._last_rows is not batch.records:
            known_rows = self._last_rows if self._last_object == batch.object and batch.records[0].as_py() else None
            if known_rows is not None and pc.index(known_rows, batch.records[0]).as_py() >= 0:
                return  # some of the rows before, once more: what their cells hold inside
            self._last_rows, self._last_object = batch.records, batch.object
            self._objects[batch.object].cells += len(batch.records)

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
    return len(pc.run_end_encode(records).values) if len(records) else 0


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
