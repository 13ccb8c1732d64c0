"""Finds digests in millions of findings: sorted keys beside each file of findings.

A key is one number: the first 43 bits of a digest, and the finding's place in its file (21 bits). Keys lie in blocks, and in
front of them stands the first of each block: a search reads those, and then one block a digest. The finding itself, read from
its group, says whether the whole digest is the one that was wanted.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scanner.inventory import files, groups

if TYPE_CHECKING:
    from scanner.inventory import Book

Keys: TypeAlias = "NDArray[np.uint64]"

PART = 2**21
"""So many findings lie in one file: as many as a key can point at."""
BLOCK = 512
"""So many keys are read together."""
MAGIC = b"pdkeys2\n"
CERTAIN = 8
"""So many bytes of a digest are kept of a cell of a column that is a fact."""

_PLACE = np.uint64(PART - 1)
_LAST = np.uint64(2**64 - 1)
_HEAD = struct.Struct("<8sQQ")
_RETRIES = 8
_FEW = 16


class FoundAt(NamedTuple):
    """Where a value stands that has one of the wanted digests. `record` is as it is stored: it may be sealed.

    `start` and `end` are offsets in the record's text in code points; of a column that is a fact, the whole cell.
    """

    source: str
    object: str
    record: str
    field: str
    start: int
    end: int
    entity: str
    rule: str
    score: float
    digest: bytes
    unit: int
    test: bool


def keys(digests: pa.FixedSizeBinaryArray) -> Keys:
    """The first eight bytes of each digest, as numbers."""
    width = digests.type.byte_width // 8
    whole = np.frombuffer(digests.buffers()[1], ">u8")
    return whole[digests.offset * width : (digests.offset + len(digests)) * width : width].astype(np.uint64)


def write(path: Path, keys: Iterable[Keys], offsets: Sequence[int]) -> None:
    """Sort the keys of a part and write them to the disk, with the places at which its groups begin."""
    every = np.concatenate([np.zeros(0, np.uint64), *keys])
    count = len(every)
    every = np.sort((every & ~_PLACE) | np.arange(count, dtype=np.uint64))
    every = np.concatenate([every, np.full(-count % BLOCK, _LAST)])
    with open(path, "wb") as file:
        file.write(_HEAD.pack(MAGIC, count, len(offsets)))
        for numbers in (every[::BLOCK], np.array(offsets, np.uint64), every):
            file.write(numbers.astype("<u8").tobytes())
        file.flush()
        os.fsync(file.fileno())


class Places(NamedTuple):
    """Places in a part in rising order, and the offsets at which its groups begin, and the last one ends."""

    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]


_NOWHERE = Places(np.zeros(0, np.int64), np.zeros(0, np.int64))


def search(path: Path, wanted: Keys) -> Places | None:
    """The places in a part whose keys begin like one of the wanted (sorted). None when there are no keys to search."""
    try:
        file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed below
    except FileNotFoundError:
        return None
    with file:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        magic, count, number = _HEAD.unpack(head)
        blocks = -(-count // BLOCK)
        begin = _HEAD.size + 8 * (blocks + number)
        if magic != MAGIC or os.fstat(file.fileno()).st_size != begin + 8 * BLOCK * blocks:
            return None
        if not count:
            return _NOWHERE
        fences = np.frombuffer(file.read(8 * blocks), "<u8")
        low, high = wanted & ~_PLACE, wanted | _PLACE
        first = np.maximum(np.searchsorted(fences, low, "left") - 1, 0).tolist()
        last = (np.searchsorted(fences, high, "right") - 1).tolist()
        near = sorted({block for a, b in zip(first, last, strict=True) for block in range(a, b + 1)})
        read = [_at(file, begin + 8 * BLOCK * block, 8 * BLOCK) for block in near]
        every = np.frombuffer(b"".join(read), "<u8")
        ranges = zip(np.searchsorted(every, low, "left").tolist(), np.searchsorted(every, high, "right").tolist(), strict=True)
        found = [every[a:b] & _PLACE for a, b in ranges if a < b]
        if not found:
            return _NOWHERE
        rows = np.unique(np.concatenate(found)).astype(np.int64)
        offsets = np.frombuffer(_at(file, _HEAD.size + 8 * blocks, 8 * number), "<u8").astype(np.int64)
        return Places(rows[rows < count], offsets)


def _at(file: io.FileIO, offset: int, size: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(file.fileno(), size, offset)
    file.seek(offset)
    return file.read(size) or b""


def where(book: Book, wanted: Iterable[bytes]) -> Iterator[FoundAt]:
    """Every place in the book that holds a value with one of these digests; see `Book.where`."""
    look = _Look(book, list(wanted))
    if not look.digests:
        return
    told: set[int] = set()
    for attempt in range(_RETRIES):
        now: set[int] = set()
        try:
            for segment in segments(book):
                for found in look.segment(segment):
                    if found.unit not in told:
                        now.add(found.unit)
                        yield found
            return
        except FileNotFoundError:  # a writer has put it together with others meanwhile
            told |= now
            if attempt == _RETRIES - 1:
                raise


class Listed(NamedTuple):
    """A segment that the book names. `only` is the unit that 0 stands for in it."""

    id: int
    file: str
    parts: int
    only: int


def segments(book: Book) -> list[Listed]:
    """The segments of the book as they are now."""
    parts = "parts" if book.version >= 3 else "1"
    query = f"select id, file, {parts}, (select min(unit.id) from unit where unit.segment = segment.id) from segment order by id"
    return [Listed(*row) for row in book.connection.execute(query) if row[3] is not None]


class _Look:
    """One search: what is wanted, and what is known of the units that were met."""

    def __init__(self, book: Book, wanted: Sequence[bytes]) -> None:
        self._book = book
        self.digests = frozenset(wanted)
        self._begins = {digest[:CERTAIN]: digest for digest in wanted}
        numbers = sorted(int.from_bytes(begin, "big") for begin in self._begins)
        self._keys = np.array(numbers, np.uint64)
        self._sources: dict[int, str] = {}

    def segment(self, segment: Listed) -> Iterator[FoundAt]:
        folder = self._book.folder / "segments"
        if segment.file.endswith(".parquet"):
            yield from self._unsorted(folder, segment)
            return
        for number in range(segment.parts):
            name, beside = files.part(segment.file, number)
            places = search(folder / beside, self._keys)
            if places is None:
                for batch in groups.every(folder / name):
                    yield from self._batch(batch, segment.only)
            elif len(places.rows):
                with open(folder / name, "rb", buffering=0) as file:
                    which, firsts = np.unique(places.rows // groups.GROUP, return_index=True)
                    for group, rows in zip(which.tolist(), np.split(places.rows % groups.GROUP, firsts[1:]), strict=True):
                        begin, end = places.offsets[group : group + 2].tolist()
                        yield from self._rows(groups.unpack(_at(file, begin, end - begin)), rows, segment.only)

    def _unsorted(self, folder: Path, segment: Listed) -> Iterator[FoundAt]:
        """A segment of an earlier version, without keys: all of its digests are looked at."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(folder / segment.file) as parquet:
            for group in range(parquet.num_row_groups):
                digests = parquet.read_row_group(group, columns=["digest"]).column("digest").combine_chunks()
                whole = digests.chunk(0) if isinstance(digests, pa.ChunkedArray) else digests
                if np.isin(keys(whole), self._keys).any():
                    for batch in parquet.read_row_group(group).to_batches():
                        yield from self._batch(batch, segment.only)

    def _batch(self, batch: pa.RecordBatch, only: int) -> Iterator[FoundAt]:
        rows = np.flatnonzero(np.isin(keys(batch.column("digest")), self._keys))
        if len(rows):
            yield from self._rows(batch, rows, only)

    def _rows(self, batch: pa.RecordBatch, rows: NDArray[np.int64], only: int) -> Iterator[FoundAt]:
        """What is wanted of some rows whose keys begin right, and belongs to a unit that is in the book."""
        if len(rows) > _FEW:
            found = batch.take(pa.array(rows)).to_pylist()
        else:
            columns = list(zip(batch.schema.names, batch.columns, strict=True))
            found = [{name: column[row].as_py() for name, column in columns} for row in rows.tolist()]
        self._meet({row["unit"] or only for row in found})
        for row in found:
            unit, digest = row["unit"] or only, row["digest"]
            if row.get("fact"):
                digest = self._begins.get(digest[:CERTAIN], b"")
            source = self._sources[unit]
            if digest in self.digests and source:
                yield FoundAt(
                    source, row["object"], row["record"], row["field"], row["start"], row["end"], row["entity"], row["rule"],
                    round(row["score"], 4), digest, unit, row["test"],
                )  # fmt: skip

    def _meet(self, units: set[int]) -> None:
        """Learn which sources these units belong to; "" for those that have left the book."""
        for unit in units - self._sources.keys():
            row = self._book.connection.execute(
                "select source.name from unit join source on source.id = unit.source where unit.id = ?", (unit,)
            ).fetchone()
            self._sources[unit] = row[0] if row else ""
