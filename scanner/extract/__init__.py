"""Bytes to texts: chosen by content, within limits; knows formats, not places."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

from scanner.errors import PersondataError
from scanner.extract import sniff
from scanner.extract.walk import Reader, Walk
from scanner.model import Blob, Limits, Opened, Problem, Reading, Why

__all__ = ["extract"]

_READERS = {
    "txt": "text:read", "md": "text:read", "log": "text:read",
    "csv": "tabular:read", "parquet": "parquet:read", "xlsx": "sheets:read", "xls": "sheets:read",
    "ods": "sheets:read", "json": "trees:read_json", "jsonl": "trees:read_lines", "yaml": "trees:read_yaml",
    "xml": "markup:read_xml", "html": "markup:read_html", "docx": "documents:read_docx",
    "pptx": "documents:read_pptx", "odt": "documents:read_odf", "odp": "documents:read_odf", "rtf": "rtf:read",
    "pdf": "pdf:read", "eml": "mail:read_eml", "mbox": "mail:read_mbox", "msg": "msg:read",
    "zip": "containers:read_zip", "tar": "containers:read_tar", "gz": "containers:read_packed",
    "bz2": "containers:read_packed", "xz": "containers:read_packed",
    "doc": "foreign:read", "ppt": "foreign:read", "epub": "foreign:read_epub",
}  # fmt: skip
"""The module and function that reads each kind; imported when it is first needed."""
_WHOLE = frozenset({"xlsx", "xls", "ods", "docx", "pptx", "odt", "odp", "rtf", "pdf", "msg", "doc", "ppt", "epub"})
"""Kinds whose reader needs the document whole: refused above `Limits.document_bytes`."""


def extract(blob: Blob, limits: Limits, watch: Callable[[str], None]) -> Iterator[Reading]:
    """Read a blob and everything inside it: for each object `Opened`, then its batches and problems.

    `watch` is told the object before each parser that could hang or crash. Objects in `blob.skip` are passed over
    in silence. Bad content never raises: it gives a `Problem`. `MemoryError` and `PersondataError` come through.
    """

    def inner(blob: Blob) -> Iterator[Reading]:
        return _read(blob, walk)

    walk = Walk(limits, watch, blob.skip, inner)
    yield from _read(blob, walk)


def _read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    if blob.object in walk.skip:
        return
    outer, walk.current = walk.current, blob.object
    walk.watch(blob.object)
    kind = None
    try:
        kind = sniff.kind_of(blob)
        yield Opened(blob.object, kind.name, blob.size)
        yield from _contents(blob, kind, walk)
    except (MemoryError, PersondataError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if kind is None:
            yield Opened(blob.object, "unknown", blob.size)
        yield _problem(blob.object, kind.name if kind else "first", error)
    walk.current = outer
    if outer:
        walk.watch(outer)


def _contents(blob: Blob, kind: sniff.Kind, walk: Walk) -> Iterator[Reading]:
    if kind.name == "empty":
        return
    if kind.name == "encrypted":
        yield Problem(blob.object, Why.ENCRYPTED, kind.detail)
    elif kind.name in _WHOLE and blob.size > walk.limits.document_bytes:
        yield Problem(blob.object, Why.TOO_LARGE, f"{kind.name} of {blob.size} bytes; the limit is document_bytes")
    elif kind.name == "sqlite":
        from scanner.extract import sqlite

        yield from sqlite.read(blob, walk.limits)
    elif kind.name in _READERS:
        yield from _reader(kind.name)(blob, walk)
    else:
        yield Problem(blob.object, Why.UNSUPPORTED, kind.detail or f"{kind.name}; not read")


def _reader(kind: str) -> Reader:
    module, _, function = _READERS[kind].partition(":")
    reader: Reader = getattr(importlib.import_module(f"scanner.extract.{module}"), function)
    return reader


def _problem(object: str, kind: str, error: BaseException) -> Problem:
    """What went wrong, without the words of the error: those may quote the content."""
    name = type(error).__name__
    if isinstance(error, PermissionError):
        return Problem(object, Why.DENIED, "the bytes may not be read")
    if isinstance(error, ImportError):
        return Problem(object, Why.UNSUPPORTED, f"the library {error.name} is not installed")
    if isinstance(error, OSError) and error.errno:
        return Problem(object, Why.DAMAGED, f"the bytes could not be read ({name} {error.errno})")
    return Problem(object, Why.DAMAGED, f"the {kind} reader could not go on ({name})")
