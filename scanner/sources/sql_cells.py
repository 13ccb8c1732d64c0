"""Rows as a driver gives them become columns of text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING, Any

from scanner.extract.rows import decode, is_text
from scanner.extract.text import strings

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_BYTES = 32 * 2**20
"""The most bytes of long values that are put into one chunk of rows (one longer value comes alone)."""


def chunks(rows: Iterable[Any], long: Sequence[int], most: int) -> Iterator[list[Any]]:
    """Put rows together, at most `most`, and fewer where the columns `long` hold much."""
    chunk: list[Any] = []
    size = 0
    for row in rows:
        chunk.append(row)
        for i in long:
            if isinstance(value := row[i], (bytes, str)):
                size += len(value)
        if len(chunk) >= most or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def texts(values: Sequence[Any]) -> pa.StringArray:
    """Turn the values of a column into texts. Bytes are text of whatever encoding: UTF-8, or else Windows-1252."""
    import pyarrow as pa

    kinds = _kinds(values)
    if kinds == {bytes}:
        raw = pa.array(values, pa.binary())
        valid, ends, data = raw.buffers()
        text = pa.StringArray.from_buffers(len(raw), ends, data, valid, raw.null_count)
        return text if is_text(text) else decode(text, pa.nulls(len(text)))[0]
    return strings([value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in plain(values)])


def plain(values: Sequence[Any]) -> Sequence[str | bytes | None]:
    """Write the values of a column as texts, all but bytes."""
    return values if _kinds(values) <= {str, bytes} else [_text(value) for value in values]


def has_bytes(values: Sequence[Any]) -> bool:
    """Whether a column that a driver made holds bytes."""
    return not _kinds(values).isdisjoint({bytes, bytearray, memoryview})


def names(values: Sequence[Any]) -> pa.StringArray:
    """Write the values of a key; bytes that are no text as `x'00ff'`."""
    return strings([_name(value) if isinstance(value, bytes) else value for value in plain(values)])


def _kinds(values: Sequence[Any]) -> set[type]:
    return set(map(type, values)) - {NoneType}


def _name(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    return f"x'{value.hex()}'" if "\0" in text else text


def _text(value: Any) -> str | bytes | None:
    """Write a driver's value as the server would, as near as that can be."""
    if value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
