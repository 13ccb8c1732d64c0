"""Reads the findings of a book one by one, while a writer may be putting segments together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from scanner.inventory.segments import batches

if TYPE_CHECKING:
    from scanner.inventory import Book

_RETRIES = 8


def findings(book: Book, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    """See `Book.findings`."""
    told: set[int] = set()
    for attempt in range(_RETRIES):
        live: dict[int, list[int]] = {}
        for unit, segment in book.connection.execute("select id, segment from unit where segment is not null order by id"):
            if unit not in told:
                live.setdefault(segment, []).append(unit)
        parts = "parts" if book.version >= 3 else "1"
        try:
            for segment, file, count in book.connection.execute(f"select id, file, {parts} from segment order by id").fetchall():
                if units := live.get(segment):
                    yield from _segment(book, file, count, units, columns)
                    told.update(units)
            return
        except FileNotFoundError:  # a writer has put it together with others meanwhile
            if attempt == _RETRIES - 1:
                raise


def _segment(book: Book, file: str, parts: int, units: list[int], columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    live = pa.array([*units, 0] if len(units) == 1 else units, pa.int64())
    read = [*columns, "unit", *(() if file.endswith(".parquet") else ("fact",))] if columns else None
    for batch in batches(book.folder / "segments", file, parts, read):
        mask = pc.is_in(batch.column("unit"), live)
        if "fact" in batch.schema.names:
            mask = pc.and_not(mask, batch.column("fact"))
            batch = batch.drop_columns(["fact"])
        yield batch.filter(mask)
