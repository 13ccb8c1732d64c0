"""Puts small segments together and leaves out what is dead, so that their number and size follow what is in the book."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from scanner.inventory import files

if TYPE_CHECKING:
    import pyarrow as pa

    from scanner.inventory import Book

TOGETHER = 16
"""So many segments of about one size become one."""
SIZES = (2**9, 2**13, 2**17)
"""What is about one size, during a scan: up to so many findings."""
LAST = 2**20
"""At the end of a scan, segments up to this one are put together as well."""
DEAD = 0.3
"""A segment of which more than this is dead is written anew at the end of a scan."""


class _Kept(NamedTuple):
    id: int
    file: str
    parts: int
    findings: int
    live: int


def during(book: Book) -> None:
    """Called after every commit: puts together what has become many."""
    every = _listed(book, SIZES[-1])
    low = -1
    for high in SIZES:
        alike = [one for one in every if low < one.live <= high]
        if len(alike) >= TOGETHER:
            rewrite(book, alike)
        low = high


def at_the_end(book: Book) -> None:
    """Called at the end of a scan: all that is small becomes large, and what is mostly dead is written anew."""
    small = _listed(book, SIZES[-1])
    if len(small) > 1:
        rewrite(book, small)
    large = [one for one in _listed(book, LAST) if one.live > SIZES[-1]]
    while len(large) >= TOGETHER:
        rewrite(book, large[:TOGETHER])
        large = large[TOGETHER:]
    for one in _listed(book):
        if one.live < (1 - DEAD) * one.findings:
            rewrite(book, [one])


def old(book: Book) -> None:
    """Segments of earlier versions, and those that have lost their keys, are written anew."""
    folder = book.folder / "segments"
    for one in _listed(book):
        if one.file.endswith(".parquet") or not all((folder / name).is_file() for name in files.whole(one.file, one.parts)):
            rewrite(book, [one])


def _listed(book: Book, most: int | None = None) -> list[_Kept]:
    query = "select id, file, parts, findings, live from segment"
    where, inside = (" where live <= ?", (most,)) if most is not None else ("", ())
    return [_Kept(*row) for row in book.connection.execute(f"{query}{where} order by id", inside)]


def rewrite(book: Book, segments: Sequence[_Kept]) -> None:
    """Write what is live of some segments into one, and name it in the transaction that forgets them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from scanner.inventory.segments import Writer, batches

    folder = book.folder / "segments"
    writer = Writer(folder)
    try:
        for one in segments:
            units = [row[0] for row in book.connection.execute("select id from unit where segment = ? order by id", (one.id,))]
            only = units[0] if len(units) == 1 else 0
            live = pa.array([*units, 0] if only else units, pa.int64())
            for batch in batches(folder, one.file, one.parts):
                table = _whole(pa.Table.from_batches([batch]).filter(pc.is_in(batch.column("unit"), live)), only)
                if len(table):
                    writer.write(table, 0)
        made = writer.finish()
    except BaseException:
        writer.discard()
        raise
    old = [(one.id,) for one in segments]
    with book.transaction() as cursor:
        number = None
        if made.rows:
            cursor.execute(
                "insert into segment (file, parts, findings, live) values (?, ?, ?, ?)", (made.file, made.parts, made.rows, made.rows)
            )
            number = cursor.lastrowid
        cursor.executemany("update unit set segment = ? where segment = ?", [(number, *one) for one in old])
        cursor.executemany("update unit set in_segment = ? where id = ?", [(rows, unit) for unit, rows in made.units.items()])
        cursor.executemany("delete from segment where id = ?", old)
    for one in segments:
        for name in files.whole(one.file, one.parts):
            with suppress(OSError):
                (folder / name).unlink()


def _whole(table: pa.Table, only: int) -> pa.Table:
    """Rows with their unit, and with the columns that segments of earlier versions have not."""
    import pyarrow as pa

    if only:
        at = table.column_names.index("unit")
        table = table.set_column(at, "unit", pa.repeat(pa.scalar(only, pa.int64()), len(table)))
    if "fact" not in table.column_names:
        at = table.column_names.index("unit")
        table = table.add_column(at, "fact", pa.repeat(pa.scalar(False), len(table)))
    return table.replace_schema_metadata(None)
