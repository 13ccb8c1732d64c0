"""Makes many texts plain at once, byte by byte in numpy, exactly as `detect/fold.py` does one by one."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scanner.detect import fold, triage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MARKS = re.compile("[\u0300-\u036f]")
_KEEP, _SLOW, _DROP = -1, -2, -3

_BYTES = {code: bytes([code]) for code in range(0x80)} | {_DROP: b""}

# Where characters lie that folding changes.
_RANGES = (
    (0x00, 0x20), (0x80, 0x180), (0x300, 0x370), (0x660, 0x700), (0x960, 0xA00), (0x2000, 0x2240), (0x3000, 0x3001), (0xFE50, 0xFF60),
)  # fmt: skip


class Plain:
    """Joins rows and makes them plain."""

    def __init__(self) -> None:
        self._needs = triage.fold_database()

    def joined(self, texts: pa.Array) -> tuple[memoryview, NDArray[np.int64], frozenset[int]]:
        """All rows, plain, with a separator after each but the last; the offset at which each ends; and which were changed."""
        buffer, ends = join(texts)
        _, hits = self._needs.scan(buffer)
        if not len(hits):
            return memoryview(buffer), ends, frozenset()
        how, size = _changes(np.frombuffer(buffer, np.uint8), hits)
        slow = np.unique(_rows(ends, hits[how == _SLOW]))
        if len(slow):
            mask = np.zeros(len(texts), np.bool_)
            mask[slow] = True
            done = [fold.fold(text).text for text in texts.take(pa.array(slow)).to_pylist()]
            buffer, ends = join(pc.replace_with_mask(texts, pa.array(mask), pa.array(done, texts.type)))
            _, hits = self._needs.scan(buffer)
            how, size = _changes(np.frombuffer(buffer, np.uint8), hits)
        real = (how >= 0) | (how == _DROP)
        hits, how, size = hits[real], how[real], size[real]
        changed = frozenset(slow.tolist()) | frozenset(np.unique(_rows(ends, hits)).tolist())
        raw = buffer.to_pybytes()
        begins, stops = (0, *hits.tolist()), (*(hits - size).tolist(), len(raw))
        pieces = [b""] * (2 * len(hits) + 1)
        pieces[::2] = [raw[low:high] for low, high in zip(begins, stops, strict=True)]
        pieces[1::2] = [_BYTES[code] for code in how.tolist()]
        less = np.concatenate(([0], np.cumsum(size - (how >= 0))))
        return memoryview(b"".join(pieces)), ends - less[np.searchsorted(hits, ends, side="right")], changed


def join(texts: pa.Array) -> tuple[pa.Buffer, NDArray[np.int64]]:
    """All rows with a separator after each but the last; and the offset at which each row ends."""
    whole = pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)
    joined = pc.binary_join(whole.cast(pa.list_(pa.binary())), triage.SEPARATOR)
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
    return joined[0].as_buffer(), np.cumsum(lengths + 1) - 1


def _rows(ends: NDArray[np.int64], hits: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.searchsorted(ends, hits - 1, side="left")


def _changes(data: NDArray[np.uint8], hits: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """For each hit what its character becomes (a byte, or `_KEEP`, `_SLOW`, `_DROP`), and of how many bytes it is."""
    last, before = data[hits - 1].astype(np.int64), data[np.maximum(hits - 2, 0)].astype(np.int64)
    first = data[np.maximum(hits - 3, 0)].astype(np.int64)
    size = np.where(last < 0x80, 1, np.where(before >= 0xC0, 2, 3)).astype(np.int64)
    two = (before & 0x1F) << 6 | last & 0x3F
    three = (first & 0x0F) << 12 | (before & 0x3F) << 6 | last & 0x3F
    return _codes()[np.choose(size - 1, [last, two, three])], size


def _characters() -> dict[str, str]:
    """What each single character becomes that folding changes."""
    singles = (chr(code) for low, high in _RANGES for code in range(low, high) if not _MARKS.match(chr(code)))
    return {char: plain for char in singles if (plain := fold.fold(char).text) != char}


@functools.cache
def _codes() -> NDArray[np.int32]:
    codes = np.full(0x10000, _KEEP, np.int32)
    codes[0x300:0x370] = _SLOW
    for char, plain in _characters().items():
        codes[ord(char)] = _DROP if not plain else ord(plain) if plain.isascii() and len(plain) == 1 else _SLOW
    return codes
