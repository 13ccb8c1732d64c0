"""Reads hits again from their sources: the rows, messages and documents that a package is made of, lot by lot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from scanner import seal
from scanner.errors import SourceError
from scanner.model import Condition, Database, Hit, Link, Opened, Problem, Reading, Relation, Role, Shape, Source, TextBatch, Unit, Why
from scanner.sources.records import conditions_of

HELD = 2 * 2**20
"""So many code points of hers are put together before they are handed on: a record that is longer comes in parts."""
WHOLE_TEXT = 256 * 1024
"""A plain text up to this size (in bytes) is a letter or a note, given whole; a longer one is a log, of which she gets her lines."""
WHOLE_DOCUMENT = 32 * 2**20
"""The same for documents: of a longer one she gets the pages that she stands on."""
TOGETHER = 500
"""So many rows of a database are asked for at once."""

ROWS = frozenset(
    {"table", "csv", "parquet", "arrow", "orc", "avro", "xlsx", "xls", "ods", "json", "jsonl", "yaml", "sql", "slack list", "calendar"}
)
"""Kinds that hold a record a row, about different people."""
MAILS = frozenset({"eml", "emlx", "mbox", "mailbox", "pst", "msg", "smime", "tnef"})
CHATS = frozenset({"slack", "teams", "chat", "telegram", "telegram-html", "signal"})
_TEXTS = frozenset({"txt", "md"})
_RANK = (Link.CERTAIN, Link.LIKELY, Link.POSSIBLE)
_CLOSE = (Role.ABOUT, Role.AUTHOR, Role.RECIPIENT, Role.SIGNATURE, Role.MENTIONED, Role.HANDLER)

Hits = Mapping[str, Mapping[str, Hit]]
"""Of one source: by object and record, the surest hit."""


class Text(NamedTuple):
    """One text of a record."""

    field: str
    text: str
    shape: Shape = Shape.PROSE


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One record as it was read again. `hit` is `None` for what stands around hers in a document that is given whole."""

    record: str
    texts: tuple[Text, ...]
    hit: Hit | None

    def __repr__(self) -> str:
        return f"Entry({len(self.texts)} texts)"


class Lot(NamedTuple):
    """Some records of one object, in the order of reading. `whole` says that these are all records of a document."""

    object: str
    kind: str
    whole: bool
    entries: list[Entry]


class Piece(NamedTuple):
    """One unit of a source (`None` for rows of a database), and what is in it of hers."""

    unit: Unit | None
    lots: Iterator[Lot | Problem]


def by_object(hits: Iterable[Hit], key: bytes) -> dict[str, dict[str, dict[str, Hit]]]:
    """Hits by source, object and record, the surest of each record; names that the inventory has sealed are opened."""
    found: dict[str, dict[str, dict[str, Hit]]] = {}
    for hit in hits:
        record = seal.unseal(key, hit.record) if hit.record.startswith(seal.PREFIX) else hit.record
        records = found.setdefault(hit.source, {}).setdefault(hit.object, {})
        known = records.get(record)
        records[record] = replace(hit, record=record) if known is None else surest([known, replace(hit, record=record)])
    return found


def surest(hits: Iterable[Hit]) -> Hit:
    """The surest of some hits; of equals, the one in which the person is closest to the matter."""
    return min(hits, key=lambda hit: (_RANK.index(hit.link), -hit.score, _CLOSE.index(hit.role)))


def read(source: Source, hits: Hits, sample: Callable[[str, list[TextBatch]], None]) -> Iterator[Piece]:
    """Read the objects of one source again, unit by unit. `sample` is shown the first rows of each table.

    What cannot be read again comes as a `Problem`; so does what is no longer there. Raises `SourceError` when the
    source as a whole cannot be used.
    """
    if isinstance(source, Database):
        yield from _tables(source, hits, sample)
        return
    outers = {object[:at] for object in hits for at in _ends(object)}
    for unit in source.units():
        if isinstance(unit, Problem):
            if any(object == unit.object or object.startswith(unit.object) for object in hits) and unit.object:
                yield Piece(None, iter([unit]))
        elif unit.object in outers:
            own = {object: records for object, records in hits.items() if object == unit.object or object.startswith(f"{unit.object}!")}
            yield Piece(unit, _lots(source.read(unit), own, sample))


def _ends(object: str) -> Iterator[int]:
    """Where the name of a container may end inside the name of what lies in it."""
    yield from (at for at, letter in enumerate(object) if letter == "!")
    yield len(object)


def _tables(source: Database, hits: Hits, sample: Callable[[str, list[TextBatch]], None]) -> Iterator[Piece]:
    relations = {one.object: one for one in source.relations() if isinstance(one, Relation)}
    for table in dict.fromkeys(object.split("!")[0] if object not in relations else object for object in sorted(hits)):
        own = {object: records for object, records in hits.items() if object == table or object.startswith(f"{table}!")}
        relation = relations.get(table)
        if relation is None:
            yield Piece(None, iter([Problem(table, Why.CHANGED, "the table is no longer there")]))
            continue
        sample(table, _first_rows(source, table))
        yield Piece(None, _lots(_rows(source, relation, own), own, sample))


def _rows(source: Database, relation: Relation, own: Hits) -> Iterator[Reading]:
    """Ask for the rows by their keys; a document in a cell is named by its row, as in `table!id=7/cv`."""
    records = set(own.get(relation.object, ()))
    records |= {object[len(relation.object) + 1 :].rpartition("/")[0] for object in own if object != relation.object}
    yield Opened(relation.object, "table")
    for condition in conditions_of(relation, sorted(records)):
        yield from _asked(source, relation.object, condition)


def _asked(source: Database, object: str, condition: Condition) -> Iterator[Reading]:
    """Rows that meet a condition, asked for some at a time."""
    for at in range(0, len(condition.values), TOGETHER):
        yield from source.lookup(object, [Condition(condition.columns, condition.values[at : at + TOGETHER], condition.how)])


def _first_rows(source: Source, object: str) -> list[TextBatch]:
    """The first rows of a table: columns tell more than the cells of one row."""
    for unit in source.units():
        if isinstance(unit, Unit) and unit.object == object:
            readings = source.read(unit)
            group: list[TextBatch] = []
            for item in islice(readings, 10_000):
                if isinstance(item, TextBatch):
                    if group and item.records is not group[0].records:
                        break
                    group.append(item)
            close = getattr(readings, "close", None)
            if close is not None:
                close()
            return group
    return []


class _Held:
    """Her records of one object, put together from batches that come field by field."""

    def __init__(self, opened: Opened, records: Mapping[str, Hit], whole: bool) -> None:
        self.opened, self.records, self.whole = opened, records, whole
        self._best = surest(records.values()) if whole else None
        self._texts: dict[str, list[tuple[str, Shape, list[str]]]] = {}
        self.seen: set[str] = set()

    def add(self, record: str, field: str, text: str, shape: Shape, going_on: bool) -> None:
        """Take one text, or the next part of one that was cut."""
        texts = self._texts.setdefault(record, [])
        last = next((one for one in reversed(texts) if one[0] == field), None) if going_on else None
        if last is not None:
            last[2].append(text)
        else:
            texts.append((field, shape, [text]))

    def lot(self) -> Lot:
        """What is held, and begin anew."""
        entries = []
        for record, texts in self._texts.items():
            self.seen.add(record)
            made = tuple(Text(field, "".join(parts), shape) for field, shape, parts in texts)
            entries.append(Entry(record, made, self._best or self.records.get(record)))
        self._texts = {}
        return Lot(self.opened.object, self.opened.kind, self.whole, entries)


def _lots(readings: Iterator[Reading], hits: Hits, sample: Callable[[str, list[TextBatch]], None]) -> Iterator[Lot | Problem]:
    held: dict[str, _Held] = {}
    opened: dict[str, Opened] = {}
    first: list[TextBatch] = []
    sampled: set[str] = set()
    size = 0
    try:
        for item in readings:
            if isinstance(item, Opened):
                opened[item.object] = item
            elif isinstance(item, Problem):
                if item.object in hits and (not item.record or item.record in hits[item.object] or _whole(opened.get(item.object))):
                    yield item
            elif item.object in hits:
                if item.shape is Shape.CELL and item.object not in sampled:
                    if first and (first[0].object != item.object or first[0].records is not item.records):
                        sample(first[0].object, first)
                        sampled.add(first[0].object)
                        first = []
                    if item.object not in sampled:
                        first.append(item)
                one = held.get(item.object)
                if one is None:
                    known = opened.get(item.object, Opened(item.object, "unknown"))
                    one = held[item.object] = _Held(known, hits[item.object], _whole(known))
                size += _take(one, item)
                if size > HELD:
                    if first:
                        sample(first[0].object, first)
                        sampled.add(first[0].object)
                        first = []
                    yield from (some.lot() for some in held.values())
                    size = 0
    except SourceError as error:
        yield from (Problem(object, Why.CRASHED, str(error)) for object in hits)
        return
    if first:
        sample(first[0].object, first)
    for one in held.values():
        if (lot := one.lot()).entries:
            yield lot
    for object, records in hits.items():
        if object not in held:
            yield Problem(object, Why.CHANGED, "no longer there", field=str(len(records)))
        elif not held[object].whole and (gone := len(set(records) - held[object].seen)):
            yield Problem(object, Why.CHANGED, f"{gone} records are no longer there", field=str(gone))


def _whole(opened: Opened | None) -> bool:
    """Whether an object is one text that is given as a whole: a letter, not a list or a log."""
    if opened is None or opened.kind in ROWS or opened.kind in MAILS or opened.kind in CHATS or opened.kind == "log":
        return False
    return opened.bytes <= (WHOLE_TEXT if opened.kind in _TEXTS else WHOLE_DOCUMENT)


def _take(held: _Held, batch: TextBatch) -> int:
    """Keep what is hers of a batch; how many code points that is."""
    size = 0
    for record, text, going_on in _parts(batch, held.records, held.whole):
        held.add(record, batch.field, text, batch.shape, going_on)
        size += len(text) + 64
    return size


def _parts(batch: TextBatch, records: Mapping[str, Hit], whole: bool) -> Iterator[tuple[str, str, bool]]:
    """(record, text, whether it goes on with the one before) of the records that are wanted, without what cut rows share."""
    if not whole and not batch.by_line:
        wanted = pc.is_in(batch.records, value_set=pa.array(list(records), pa.string()))
        if not pc.any(wanted).as_py():
            return
        rows: Sequence[int] = pc.indices_nonzero(wanted).to_pylist()
    else:
        rows = range(len(batch.texts))
    for row in rows:
        text = batch.texts[row].as_py()
        if text is None:
            if batch.shape is Shape.CELL and batch.seams is None:
                yield batch.records[row].as_py(), "", False  # an empty column is part of the row
            continue
        base, begin, end = 0, 0, len(text)
        if batch.seams is not None:
            base, begin, end = batch.seams.base[row].as_py(), batch.seams.begin[row].as_py(), batch.seams.end[row].as_py()
        name = batch.records[row].as_py()
        if not batch.by_line:
            yield name, text[begin:end], base + begin > 0
        elif whole:
            yield "", text[begin:end], True
        else:
            yield from _lines(text, int(name), begin, end, records)


def _lines(text: str, number: int, begin: int, end: int, records: Mapping[str, Hit]) -> Iterator[tuple[str, str, bool]]:
    at = 0
    for line in text.split("\n"):
        low, at = at, at + len(line) + 1
        name = f"line={number}"
        number += 1
        if name in records and at > begin and low < end:
            yield name, line[max(0, begin - low) : end - low], low < begin
