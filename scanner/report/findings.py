"""Every finding with its address, as Parquet, CSV and Excel: read from the segments group by group, so that it costs no memory.

A column that is one entity throughout is written down once in the inventory: it is one row here, with its `count`. There is never
a value, and never a digest. Records whose own name could be somebody's data stand sealed, as the inventory keeps them.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from scanner.report import Asked, cell, visible, workbook
from scanner.report.words import words

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = (
    "source", "object", "record", "field", "start", "end", "entity", "class", "score", "rule", "test", "count", "first_seen",
)  # fmt: skip
_READ = ("object", "record", "field", "start", "end", "entity", "rule", "score", "test")
_UNITS = 4_096
"""So many units are remembered at once with what they hold."""
_FACTS = """
select source.name, holding.object, '' as record, holding.field, null as start, null as end, holding.entity, holding.class,
       holding.score, '' as rule, holding.test > 0 and holding.test = holding.count as test,
       holding.count - holding.findings_in_segment as count, holding.first_seen
from holding join unit on unit.id = holding.unit join source on source.id = unit.source
where holding.count > holding.findings_in_segment
"""


def schema() -> pa.Schema:
    """The columns of the Parquet file; `start` and `end` are code points in the record's text, null for a whole column."""
    import pyarrow as pa

    texts = {name: pa.string() for name in COLUMNS}
    return pa.schema(texts | {"start": pa.int64(), "end": pa.int64(), "score": pa.float32(), "test": pa.bool_(), "count": pa.int64()})


def batches(asked: Asked) -> Iterator[pa.RecordBatch]:
    """All findings: first whole columns, then one by one."""
    import pyarrow as pa

    form = schema()
    facts = asked.book.execute(_FACTS)
    while lines := facts.fetchmany(10_000):
        columns = zip(*((*line[:10], bool(line[10]), *line[11:]) for line in lines), strict=True)
        yield pa.record_batch([pa.array(column, kind.type) for column, kind in zip(columns, form, strict=True)], schema=form)
    holdings = _Holdings(asked.book)
    for batch in asked.findings(_READ):
        if len(batch):
            yield _told(batch, holdings, form)


def _told(batch: pa.RecordBatch, holdings: _Holdings, form: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    places = zip(*(batch.column(name).to_pylist() for name in ("unit", "object", "field", "entity")), strict=True)
    known = [holdings.of(*place) for place in places]
    columns = {name: batch.column(name) for name in _READ}
    source, cls, first_seen = zip(*known, strict=True)
    columns |= {"source": pa.array(source), "class": pa.array(cls), "first_seen": pa.array(first_seen)}
    columns["count"] = pa.array([1] * len(batch), pa.int64())
    return pa.record_batch([columns[kind.name].cast(kind.type) for kind in form], schema=form)


class _Holdings:
    """Source, class and first day of a finding, by unit, object, field and entity."""

    def __init__(self, book: sqlite3.Connection) -> None:
        self._book = book
        self._units: dict[int, tuple[str, dict[tuple[str, str, str], tuple[str, str]]]] = {}

    def of(self, unit: int, object: str, field: str, entity: str) -> tuple[str, str, str]:
        found = self._units.get(unit)
        if found is None:
            if len(self._units) >= _UNITS:
                self._units.clear()
            found = self._units[unit] = self._read(unit)
        return found[0], *found[1].get((object, field, entity), ("", ""))

    def _read(self, unit: int) -> tuple[str, dict[tuple[str, str, str], tuple[str, str]]]:
        name = self._book.execute(
            "select source.name from unit join source on source.id = unit.source where unit.id = ?", (unit,)
        ).fetchone()
        lines = self._book.execute("select object, field, entity, class, first_seen from holding where unit = ?", (unit,))
        return name[0] if name else "", {line[:3]: line[3:] for line in lines}


def as_parquet(asked: Asked, out: IO[bytes]) -> None:
    """Parquet: made for pandas, DuckDB and the like."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    form = schema()
    with pq.ParquetWriter(out, form, compression="zstd") as writer:
        held: list[pa.RecordBatch] = []
        for batch in batches(asked):
            held.append(batch)
            if sum(map(len, held)) >= 100_000:
                writer.write_table(pa.Table.from_batches(held, form))
                held = []
        writer.write_table(pa.Table.from_batches(held, form))


def as_csv(asked: Asked, out: IO[bytes]) -> None:
    """CSV in UTF-8, with a mark in front so that Excel knows; a text that begins like a formula has a quote in front."""
    text = io.TextIOWrapper(out, encoding="utf-8-sig", errors="backslashreplace", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for line in _lines(asked):
        writer.writerow([cell(value) for value in line])
    text.detach()


def as_xlsx(asked: Asked, out: IO[bytes]) -> None:
    """Excel; what is more than a sheet holds (1,048,575 findings) goes on in the next."""
    said = words("findings", asked.language)
    rows = ([visible(value) for value in line] for line in _lines(asked))
    workbook.write({said["sheet"]: workbook.Sheet([said["columns"][name] for name in COLUMNS], rows)}, out)


def _lines(asked: Asked) -> Iterator[tuple[Any, ...]]:
    for batch in batches(asked):
        columns = [column.to_pylist() for column in batch.columns]
        columns[8] = [round(value, 4) for value in columns[8]]
        yield from zip(*columns, strict=True)
