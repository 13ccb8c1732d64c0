"""Rows of a table: cut into ranges, named by their keys, and given as batches of columns."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from scanner.extract.text import Texts
from scanner.model import BATCH_BYTES, CUT, Shape, TextBatch

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

RANGE_ROWS = 250_000
"""Rows of one unit of a large table."""
CHUNK_ROWS = 16_384
"""Rows of one chunk of columns."""


def key_ranges(low: int, high: int, most_rows: int) -> list[str]:
    """Cut whole-number keys into ranges `after:last`, open at both ends so that new rows fall into one of them.

    The bounds are round numbers: they stay where they are while a table grows. When keys are far apart, so that
    most ranges would be empty for a table of at most `most_rows`, the ranges are made wider.
    """
    width, most = RANGE_ROWS, max(1, most_rows // RANGE_ROWS)
    while (high - low) // width > most:
        width *= 2
    cuts = [str(number * width) for number in range((low - 1) // width + 1, (high - 1) // width + 1)]
    return [f"{after}:{last}" for after, last in pairwise(["", *cuts, ""])] if cuts else [""]


def range_condition(key: str, bounds: str) -> str:
    """Write a range `after:last` as an SQL condition; `""` when all rows are meant."""
    after, _, last = bounds.partition(":")
    ends = [(">", after)] * bool(after) + [("<=", last)] * bool(last)
    return " AND ".join(f"{key} {sign} {int(end)}" for sign, end in ends)


def column_batches(object: str, fields: Sequence[str], cells: Sequence[pa.StringArray], records: pa.StringArray) -> Iterator[TextBatch]:
    """Give the columns of one chunk of rows; all share `records`. Texts longer than `CUT` follow, cut into rows."""
    import pyarrow.compute as pc

    if len(records) > 1 and max(map(_bytes, cells), default=0) > BATCH_BYTES:
        middle = len(records) // 2
        for at in (slice(middle), slice(middle, None)):
            yield from column_batches(object, fields, [column[at] for column in cells], records[at])
        return
    long = Texts(object)
    for field, column in zip(fields, cells, strict=True):
        if _longest(column) > CUT:
            over = pc.fill_null(pc.greater(pc.utf8_length(column), CUT), False)
            for text, record in zip(column.filter(over).to_pylist(), records.filter(over).to_pylist(), strict=True):
                long.add(record, field, text, Shape.CELL)
            column = pc.if_else(over, None, column)
        yield TextBatch(object, field, column, records, Shape.CELL)
    yield from long.rest()


def record_names(keys: Sequence[str], values: Sequence[pa.StringArray], spare: pa.StringArray | None = None) -> pa.StringArray:
    """Name records by their key, `a=1,b=2`; where part of the key is null, by the row number in `spare`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts: list[pa.StringArray | pa.StringScalar] = []
    for number, (key, column) in enumerate(zip(keys, values, strict=True)):
        parts += [pa.scalar(f"{',' if number else ''}{key}="), column]
    if spare is None:
        return pc.binary_join_element_wise(*parts, "", null_handling="replace", null_replacement="NULL")
    return pc.coalesce(pc.binary_join_element_wise(*parts, ""), pc.binary_join_element_wise("rowid=", spare, ""))


class Pace:
    """Waits where rows come faster than so many a second, since the first; 0 is as fast as they come."""

    def __init__(self, rows_per_second: float) -> None:
        self._rate, self._rows, self._began = rows_per_second, 0, time.monotonic()
        self.chunk = max(1, min(CHUNK_ROWS, int(rows_per_second))) if rows_per_second else CHUNK_ROWS

    def take(self, rows: int) -> None:
        """Rows were read."""
        self._rows += rows
        if self._rate and (early := self._rows / self._rate - (time.monotonic() - self._began)) > 0:
            time.sleep(early)


def is_text(column: pa.StringArray) -> bool:
    """Whether every value is valid UTF-8 without NULs."""
    import numpy as np
    import pyarrow as pa

    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    ends, data = _ends(column), column.buffers()[2]
    if data is None or ends[-1] == ends[0]:
        return True
    return bool(np.frombuffer(data, np.uint8)[ends[0] : ends[-1]].min())


def decode(column: pa.StringArray | pa.BinaryArray, blob: pa.Array | None = None) -> tuple[pa.StringArray, int]:
    """Decode bytes as UTF-8, or else as Windows-1252; of those that `blob` marks, count what is no text instead."""
    import pyarrow as pa

    rows: list[str | None] = []
    binary = 0
    marks = [True] * len(column) if blob is None else blob.to_pylist()
    for value, mark in zip(column.cast(pa.binary()).to_pylist(), marks, strict=True):
        text: str | None = None
        if value is not None:
            try:
                text = value.decode()
            except UnicodeDecodeError:
                text = None if mark else value.decode("cp1252", "replace")
            if mark and (text is None or "\0" in text):
                text = None
                binary += 1
        rows.append(text)
    return pa.array(rows, pa.string()), binary


def _ends(column: pa.StringArray) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    import numpy as np

    ends: np.ndarray[tuple[int], np.dtype[np.int32]] = np.frombuffer(column.buffers()[1], np.int32)[
        column.offset : column.offset + len(column) + 1
    ]
    return ends


def _bytes(column: pa.StringArray) -> int:
    ends = _ends(column)
    return int(ends[-1]) - int(ends[0]) if len(ends) else 0


def _longest(column: pa.StringArray) -> int:
    import numpy as np

    return int(np.diff(_ends(column)).max(initial=0))
