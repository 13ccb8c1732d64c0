"""Finds digests in millions of findings: sorted keys beside each file of findings, searched through a memory map.

A key is one number: the first 44 bits of a digest, and the finding's place in its file (20 bits). A search is two
bisections; the finding itself, read from its group of 4,096, says whether the whole digest is the one that was wanted.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scanner.inventory import files

if TYPE_CHECKING:
    from scanner.inventory import Book

Keys: TypeAlias = "NDArray[np.uint64]"

GROUP = 4_096
"""So many findings are compressed together: what must be read to read one of them."""
PART = 2**20
"""So many findings lie in one file: as many as a key can point at."""
MAGIC = b"pdkeys1\n"
CERTAIN = 8
"""So many bytes of a digest are kept of a cell of a column that is a fact."""

_PLACE = np.uint64(PART - 1)
_RETRIES = 8


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


def write(path: Path, keys: Iterable[Keys]) -> None:
    """Sort the keys of a part and write them to the disk."""
    every = np.concatenate([np.zeros(0, np.uint64), *keys])
    every = np.sort((every & ~_PLACE) | np.arange(len(every), dtype=np.uint64))
    with open(path, "wb") as file:
        file.write(MAGIC + len(every).to_bytes(8, "little"))
        file.write(every.astype("<u8").tobytes())
        file.flush()
        os.fsync(file.fileno())


def search(path: Path, wanted: Keys) -> NDArray[np.int64] | None:
    """The places in a part whose keys begin like one of the wanted, in order. None when there are no keys to search."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if file.read(8) != MAGIC or int.from_bytes(file.read(8), "little") * 8 + 16 != size:
                return None
            if size == 16:
                return np.zeros(0, np.int64)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                every = np.frombuffer(mapped, "<u8", offset=16)
                low = np.searchsorted(every, wanted & ~_PLACE, "left")
                high = np.searchsorted(every, wanted | _PLACE, "right")
                found = [every[a:b] & _PLACE for a, b in zip(low.tolist(), high.tolist(), strict=True) if a < b]
                del every
    except FileNotFoundError:
        return None
    return np.unique(np.concatenate(found)).astype(np.int64) if found else np.zeros(0, np.int64)


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
            if places is not None and not len(places):
                continue
            with pa.memory_map(str(folder / name)) as mapped:
                reader = pa.ipc.open_file(mapped, options=pa.ipc.IpcReadOptions(use_threads=False))
                if places is None:
                    for group in range(reader.num_record_batches):
                        yield from self._batch(reader.get_batch(group), segment.only)
                    continue
                groups, firsts = np.unique(places // GROUP, return_index=True)
                for group, rows in zip(groups.tolist(), np.split(places % GROUP, firsts[1:]), strict=True):
                    yield from self._rows(reader.get_batch(group).take(pa.array(rows)), segment.only)

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
            yield from self._rows(batch.take(pa.array(rows)), only)

    def _rows(self, batch: pa.RecordBatch, only: int) -> Iterator[FoundAt]:
        """What is wanted of some rows whose keys begin right, and belongs to a unit that is in the book."""
        found = batch.to_pylist()
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
