"""Writes findings aside in groups, with sorted keys beside them, so that a crash leaves whole files that nobody names."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from scanner.inventory import files, groups, index

ALONE = 8 * 2**20
"""A unit with more findings than this (bytes of Arrow) streams into a segment of its own."""
HELD = 64 * groups.GROUP
"""So many rows are held before they are written."""

Attempt: TypeAlias = tuple[int, int]


class Segment(NamedTuple):
    """Findings that were written aside and wait to be named: so many rows of each unit, in so many parts."""

    file: str
    parts: int
    units: dict[int, int]

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(self.units.values())


class Segments:
    """The findings of units that are being read, and of those that are finished but not committed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._waiting: dict[Attempt, list[pa.Table]] = {}
        self._own: dict[Attempt, Writer] = {}
        self._shared: list[tuple[int, pa.Table]] = []
        self._ready: list[tuple[Writer, int]] = []

    def add(self, attempt: Attempt, stream: bytes) -> None:
        """Findings of a unit that is being read, as an Arrow IPC stream."""
        table = pa.ipc.open_stream(stream).read_all()
        waiting = self._waiting.setdefault(attempt, [])
        waiting.append(table)
        if attempt in self._own or sum(one.nbytes for one in waiting) > ALONE:
            file = self._own.setdefault(attempt, Writer(self._folder))
            for one in waiting:
                file.write(one, 0)
            waiting.clear()

    def drop(self, attempt: Attempt) -> None:
        """The attempt failed: its findings are void."""
        self._waiting.pop(attempt, None)
        if file := self._own.pop(attempt, None):
            file.discard()

    def done(self, attempt: Attempt, unit: int) -> None:
        """The unit was read to its end, and has this number from now on."""
        tables = self._waiting.pop(attempt, [])
        if file := self._own.pop(attempt, None):
            self._ready.append((file, unit))
            for table in tables:
                file.write(table, 0)
            return
        for table in tables:
            self._shared.append((unit, table))

    def flush(self) -> list[Segment]:
        """Write the findings of finished units. What is returned is on the disk, and counts once the book names it."""
        made = []
        for file, unit in self._ready:
            segment = file.finish()
            made.append(segment._replace(units={unit: segment.rows}))
        self._ready = []
        if self._shared:
            file = Writer(self._folder)
            for unit, table in self._shared:
                file.write(table, unit)
            made.append(file.finish())
            self._shared = []
        return made

    def close(self) -> None:
        """Discard what was not committed."""
        for file in [*self._own.values(), *(file for file, _ in self._ready)]:
            file.discard()


class Writer:
    """One segment in the making. Unit 0 stands for the only unit of a segment of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = secrets.token_hex(8)
        self._parts: list[_Part] = []
        self._held: list[pa.Table] = []
        self._whose: list[tuple[int, int]] = []
        self._count = 0
        self._units: dict[int, int] = {}

    def write(self, table: pa.Table, unit: int) -> None:
        """Rows of one unit, or, where the table has them, of the units in its column `unit`."""
        if "unit" in table.column_names:
            for one in table.column("unit").value_counts().to_pylist():
                self._units[one["values"]] = self._units.get(one["values"], 0) + one["counts"]
        else:
            self._units[unit] = self._units.get(unit, 0) + len(table)
            self._whose.append((unit, len(table)))
        self._held.append(table)
        self._count += len(table)
        if self._count >= HELD:
            self._spill(everything=False)

    def _spill(self, *, everything: bool) -> None:
        """Write what is held, in whole groups; what is left over waits for more, but for the very last."""
        table = pa.concat_tables(self._held).combine_chunks()
        if self._whose:
            units, counts = (np.array(numbers, np.int64) for numbers in zip(*self._whose, strict=True))
            whose = np.repeat(units, counts)
            table = table.append_column("unit", pa.array(whose))
        end = len(table) if everything else len(table) // groups.GROUP * groups.GROUP
        at = 0
        while at < end:
            if not self._parts or self._parts[-1].rows == index.PART:
                if self._parts:
                    self._parts[-1].end()
                self._parts.append(_Part(self._folder, files.part(self._file, len(self._parts))))
            take = min(end - at, index.PART - self._parts[-1].rows)
            self._parts[-1].write(table.slice(at, take))
            at += take
        rest = table.slice(end)
        if self._whose:
            self._whose = [(int(unit), 1) for unit in whose[end:]]
            rest = rest.drop_columns(["unit"])
        self._held, self._count = ([rest] if len(rest) else []), len(rest)

    def finish(self) -> Segment:
        """Write the rest, flush it to the disk, and give it its name."""
        if self._held:
            self._spill(everything=True)
        for part in self._parts:
            part.end()
        for part in self._parts:
            part.settle()
        if hasattr(os, "O_DIRECTORY"):
            handle = os.open(self._folder, os.O_DIRECTORY)
            os.fsync(handle)
            os.close(handle)
        return Segment(self._file, len(self._parts), self._units)

    def discard(self) -> None:
        """It is not wanted."""
        for part in self._parts:
            part.discard()


class _Part:
    """At most `index.PART` findings in a file, in groups of `groups.GROUP`, and their keys in another."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._names = [folder / name for name in names]
        self._asides = [folder / f".{name}" for name in names]
        self._file = self._asides[0].open("wb")
        self._file.write(groups.MAGIC)
        self._offsets: list[int] = []
        self._keys: list[index.Keys] = []
        self.rows = 0

    def write(self, table: pa.Table) -> None:
        self._keys.extend(index.keys(column) for column in table.column("digest").chunks)
        for at in range(0, len(table), groups.GROUP):
            self._offsets.append(self._file.tell())
            self._file.write(groups.pack(table.slice(at, groups.GROUP)))
        self.rows += len(table)

    def end(self) -> None:
        """No more rows: the file is closed and the keys are sorted; both are on the disk."""
        if self._file.closed:
            return
        self._offsets.append(self._file.tell())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        index.write(self._asides[1], self._keys, self._offsets)
        self._keys = []

    def settle(self) -> None:
        for aside, name in zip(self._asides, self._names, strict=True):
            os.replace(aside, name)

    def discard(self) -> None:
        self._file.close()
        for path in self._asides:
            path.unlink(missing_ok=True)


def batches(folder: Path, file: str, parts: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a segment in order. Raises `FileNotFoundError` when it has been replaced meanwhile."""
    if file.endswith(".parquet"):
        import pyarrow.parquet as pq

        with pq.ParquetFile(folder / file) as parquet:
            yield from parquet.iter_batches(columns=columns)
        return
    for part in range(parts):
        yield from groups.every(folder / files.part(file, part)[0], columns)
