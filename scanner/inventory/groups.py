"""How findings lie in a file: groups of a thousand, each an Arrow stream that is compressed as a whole.

Arrow's own file format compresses every column of every batch by itself: a third larger, and three times slower to read one
finding from. Parquet is smallest, but opening a file and reading a group of it takes milliseconds.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

GROUP = 1_024
"""So many findings are compressed together: what must be read to read one of them."""
MAGIC = b"pdgroup1"

_HEAD = struct.Struct("<II")
_REPEATED = frozenset({"object", "field", "entity", "rule"})


def pack(table: pa.Table) -> bytes:
    """A group as it lies in a file: its length, its length when unpacked, and its bytes."""
    columns = [
        column.combine_chunks().dictionary_encode() if name in _REPEATED else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    table = pa.table(columns, table.column_names)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    raw = sink.getvalue()
    packed: bytes = _codec().compress(raw, asbytes=True)
    return _HEAD.pack(len(packed), raw.size) + packed


def unpack(packed: bytes | memoryview) -> pa.RecordBatch:
    """A group as it lies in a file; text that repeats itself is encoded as dictionaries."""
    _, raw = _HEAD.unpack_from(packed)
    return pa.ipc.open_stream(_codec().decompress(memoryview(packed)[_HEAD.size :], raw)).read_next_batch()


def every(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """All groups of a file in order, as plain columns: those that are named, or all."""
    with path.open("rb") as file:
        file.seek(len(MAGIC))
        while head := file.read(_HEAD.size):
            batch = unpack(head + file.read(_HEAD.unpack(head)[0]))
            names = columns or batch.schema.names
            yield pa.RecordBatch.from_arrays([_plain(batch.column(name)) for name in names], list(names))


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


@functools.cache
def _codec() -> pa.Codec:
    return pa.Codec("zstd", compression_level=1)
