"""Writes findings aside as Parquet, unit by unit, so that a crash leaves whole files that nobody names."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

ALONE = 8 * 2**20
"""A unit with more findings than this (bytes of Arrow) streams into a file of its own."""

Attempt: TypeAlias = tuple[int, int]


class Segments:
    """The findings of units that are being read, and of those that are finished but not committed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._waiting: dict[Attempt, list[pa.Table]] = {}
        self._own: dict[Attempt, _File] = {}
        self._shared: list[tuple[int, pa.Table]] = []
        self._ready: list[tuple[_File, int]] = []

    def add(self, attempt: Attempt, stream: bytes) -> None:
        """Findings of a unit that is being read, as an Arrow IPC stream."""
        table = pa.ipc.open_stream(stream).read_all()
        waiting = self._waiting.setdefault(attempt, [])
        waiting.append(table)
        if attempt in self._own or sum(one.nbytes for one in waiting) > ALONE:
            file = self._own.setdefault(attempt, _File(self._folder))
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

    def flush(self) -> list[tuple[str, list[int], int]]:
        """Write and name the findings of finished units. Returns (file, units, findings) of each new segment."""
        made = []
        for file, unit in self._ready:
            made.append((file.finish(), [unit], file.rows))
        self._ready = []
        if self._shared:
            file = _File(self._folder)
            for unit, table in self._shared:
                file.write(table, unit)
            made.append((file.finish(), [unit for unit, _ in self._shared], file.rows))
            self._shared = []
        if made and hasattr(os, "O_DIRECTORY"):
            handle = os.open(self._folder, os.O_DIRECTORY)
            os.fsync(handle)
            os.close(handle)
        return made

    def close(self) -> None:
        """Discard what was not committed."""
        for file in [*self._own.values(), *(file for file, _ in self._ready)]:
            file.discard()


class _File:
    """One Parquet file in the making. `unit` 0 stands for the only unit of a file of its own."""

    def __init__(self, folder: Path) -> None:
        self._name = f"{secrets.token_hex(8)}.parquet"
        self._path = folder / self._name
        self._aside = folder / f".{self._name}"
        self._writer: pq.ParquetWriter | None = None
        self.rows = 0

    def write(self, table: pa.Table, unit: int) -> None:
        table = table.append_column("unit", pa.array([unit], pa.int64()).take(pa.array([0] * len(table), pa.int8())))
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._aside, table.schema, compression="zstd", use_dictionary=["object", "field", "entity", "rule"]
            )
        self._writer.write_table(table)
        self.rows += len(table)

    def finish(self) -> str:
        if self._writer is not None:
            self._writer.close()
        with open(self._aside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(self._aside, self._path)
        return self._name

    def discard(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._aside.unlink(missing_ok=True)
