"""Columnar files (Parquet, Arrow, ORC) and Avro, a piece at a time: every column of text, numbers or dates, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import CUT, Blob, Problem, Reading, Shape, TextBatch, Why

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 16_384
_BYTES = 8 * 2**20


def read(blob: Blob, _walk: Walk) -> Iterator[Reading]:
    """The columns of a parquet file, nested ones under dotted paths; rows count from 1."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    blob.stream.seek(0)
    try:
        file = pq.ParquetFile(str(blob.path) if blob.path else blob.stream, buffer_size=2**20, pre_buffer=False)
    except (pa.ArrowInvalid, OSError) as error:
        encrypted = "encrypt" in str(error).lower() or "decrypt" in str(error).lower()
        why = Why.ENCRYPTED if encrypted else Why.DAMAGED
        yield Problem(blob.object, why, "encrypted parquet" if encrypted else "the parquet file has no readable footer")
        return
    yield from _said(blob.object, file.schema_arrow, file.metadata.metadata or {})
    yield from _rows(blob.object, file.iter_batches(batch_size=_batch_rows(file), use_threads=False))


def read_arrow(blob: Blob, _walk: Walk) -> Iterator[Reading]:
    """An Arrow file (feather too) or an Arrow stream, batch by batch."""
    import pyarrow as pa

    blob.stream.seek(0)
    filed = blob.stream.read(6) == b"ARROW1"
    blob.stream.seek(0)
    source = pa.PythonFile(blob.stream, mode="r")
    reader = pa.ipc.open_file(source) if filed else pa.ipc.open_stream(source)
    yield from _said(blob.object, reader.schema, reader.schema.metadata or {})
    yield from _rows(blob.object, (reader.get_batch(at) for at in range(reader.num_record_batches)) if filed else reader)


def read_orc(blob: Blob, _walk: Walk) -> Iterator[Reading]:
    """An ORC file, stripe by stripe."""
    from pyarrow import orc

    blob.stream.seek(0)
    file = orc.ORCFile(blob.stream)
    yield from _said(blob.object, file.schema, file.schema.metadata or {})
    yield from _rows(blob.object, (file.read_stripe(at) for at in range(file.nstripes)))


def read_avro(blob: Blob, _walk: Walk) -> Iterator[Reading]:
    """An Avro file, record by record. Raises `ImportError` without the library fastavro."""
    import fastavro

    texts = Texts(blob.object)
    blob.stream.seek(0)
    row = 0
    try:
        reader = fastavro.reader(blob.stream)
        for key, value in reader.metadata.items():
            if key not in ("avro.schema", "avro.codec"):
                texts.add("", f"property:{key}", value if isinstance(value, str) else value.decode("utf-8", "replace"))
        for record in reader:
            row += 1
            for name, member in record.items() if isinstance(record, dict) else [("value", record)]:
                _values(texts, f"row={row}", name, member)
            yield from texts.full()
    except (ValueError, EOFError, OSError, LookupError, TypeError, ArithmeticError) as error:
        yield from texts.rest()
        yield Problem(blob.object, Why.DAMAGED, f"the Avro file breaks off ({type(error).__name__})", f"row={row + 1}")
    yield from texts.rest()


def _rows(object: str, batches: Iterable[pa.RecordBatch]) -> Iterator[Reading]:
    import pyarrow as pa

    row = 1
    try:
        for batch in batches:
            for at in range(0, batch.num_rows, _ROWS):
                part = batch.slice(at, _ROWS)
                yield from batches_of(object, part, row)
                row += part.num_rows
    except (pa.ArrowException, OSError) as error:
        yield Problem(object, Why.DAMAGED, f"the columnar file breaks off ({type(error).__name__})", f"row={row}")


def _said(object: str, schema: pa.Schema, metadata: dict[bytes, bytes]) -> Iterator[Reading]:
    """What is said of a file and of its columns, and names of columns that are values themselves."""
    from scanner.extract.tabular import looks_like_value

    texts = Texts(object)
    lots = [metadata, *((schema.field(at).metadata or {}) for at in range(len(schema)))]
    for lot in lots:
        for key, value in lot.items():
            name = key.decode("utf-8", "replace")
            if name not in ("ARROW:schema", "pandas", "PARQUET:field_id", "org.apache.spark.version"):
                texts.add("", f"property:{name[:60]}", value.decode("utf-8", "replace"))
    for name in schema.names:
        if looks_like_value(name):
            texts.add("", "key", name, Shape.CELL)
    yield from texts.rest()


def _batch_rows(file: object) -> int:
    """So many rows that a batch stays near 8 MB."""
    meta = file.metadata  # type: ignore[attr-defined]
    total = sum(meta.row_group(at).total_byte_size for at in range(meta.num_row_groups))
    average = max(total // max(meta.num_rows, 1), 1)
    return int(max(16, min(_ROWS, _BYTES // average)))


def batches_of(object: str, batch: pa.RecordBatch, row: int) -> Iterator[TextBatch]:
    """The columns of one batch of rows; `row` is the number of its first."""
    from scanner.extract.text import strings

    records = strings([f"row={n}" for n in range(row, row + batch.num_rows)])
    nested = Texts(object)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        yield from _column(object, name, _sound(column), records, nested)
    yield from nested.rest()


def _sound(column: pa.Array) -> pa.Array:
    """A column that may be read: a damaged one points outside its own memory. Raises `ArrowInvalid`.

    Only letters that are none are mended.
    """
    import pyarrow as pa

    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        if not pa.types.is_string(column.type):
            raise
        raw = column.view(pa.binary())
        raw.validate(full=True)
        return pa.array([None if value is None else value.decode("utf-8", "replace") for value in raw.to_pylist()], pa.string())
    return column


def _column(object: str, name: str, column: pa.Array, records: pa.Array, nested: Texts) -> Iterator[TextBatch]:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return
    if pa.types.is_struct(kind):
        for at in range(kind.num_fields):
            inner = pc.struct_field(column, [at])
            yield from _column(object, f"{name}.{kind.field(at).name}", inner, records, nested)
    elif any(test(kind) for test in (*_lists(), *_bytes())):
        for record, value in zip(records.to_pylist(), column.to_pylist(), strict=True):
            _values(nested, record, name, value)
    else:
        texts = column.cast(pa.string())
        lengths = pc.utf8_length(texts)
        if (pc.max(lengths).as_py() or 0) > CUT:
            long = pc.greater(lengths, CUT)
            for at in pc.indices_nonzero(long).to_pylist():
                nested.add(records[at].as_py(), name, texts[at].as_py(), Shape.CELL)
            texts = pc.if_else(long, pa.scalar(None, pa.string()), texts)
        yield TextBatch(object, name, texts, records, Shape.CELL)


def _lists() -> tuple[Callable[[Any], bool], ...]:
    import pyarrow.types as t

    return t.is_map, t.is_list, t.is_large_list, t.is_fixed_size_list


def _bytes() -> tuple[Callable[[Any], bool], ...]:
    import pyarrow.types as t

    return t.is_binary, t.is_large_binary, t.is_fixed_size_binary


def _values(texts: Texts, record: str, path: str, value: object) -> None:
    """The values inside a nested one; bytes are read when they are text."""
    from scanner.extract.text import decoded, encoding_of

    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, dict):
        for key, member in value.items():
            _values(texts, record, f"{path}.{key}", member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            if isinstance(member, tuple) and len(member) == 2:  # an entry of a map
                texts.add(record, f"{path}.key", str(member[0]), Shape.CELL)
                _values(texts, record, f"{path}.value", member[1])
            else:
                _values(texts, record, path, member)
    elif isinstance(value, bytes):
        from io import BytesIO

        encoding = encoding_of(value[:65_536])
        if encoding is not None:
            texts.add(record, path, "".join(decoded(BytesIO(value), encoding)), Shape.CELL)
    else:
        texts.add(record, path, str(value), Shape.CELL)
