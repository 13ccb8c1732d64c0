"""Bytes to texts: chosen by content, within limits; knows formats, not places."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

from scanner.errors import PersondataError
from scanner.extract import plugins, sniff
from scanner.extract.walk import Reader, Walk
from scanner.model import Blob, Limits, Opened, Problem, Reading, Why

__all__ = ["extract", "walk_of"]

_READERS = {
    "txt": "text:read", "md": "text:read", "log": "text:read",
    "csv": "tabular:read", "parquet": "parquet:read", "arrow": "parquet:read_arrow",
    "orc": "parquet:read_orc", "avro": "parquet:read_avro", "xlsx": "sheets:read", "xls": "sheets:read",
    "ods": "sheets:read", "json": "trees:read_json", "jsonl": "trees:read_lines", "yaml": "trees:read_yaml",
    "xml": "markup:read_xml", "html": "markup:read_html", "docx": "documents:read_docx",
    "pptx": "documents:read_pptx", "odt": "opendocument:read", "odp": "opendocument:read", "rtf": "rtf:read",
    "pdf": "pdf:read", "eml": "mail:read_eml", "mbox": "mail:read_mbox", "msg": "msg:read",
    "emlx": "mail:read_emlx", "smime": "smime:read", "tnef": "tnef:read", "pst": "pst:read", "calendar": "calendar:read",
    "zip": "containers:read_zip", "tar": "tape:read", "gz": "packed:read", "bz2": "packed:read",
    "xz": "packed:read", "zstd": "packed:read", "7z": "sevenzip:read", "image": "images:read",
    "object": "objects:read", "doc": "legacy:read_doc", "ppt": "legacy:read_ppt", "epub": "foreign:read_epub",
    "sql": "dumps:read", "slack export": "chat_slack:read_zip", "slack": "chat_slack:read", "slack list": "chat_slack:read_list",
    "telegram": "chat_telegram:read_json", "telegram-html": "chat_telegram:read_html", "teams": "chat_teams:read",
    "chat": "chat_text:read", "signal": "chat_text:read_lines",
}  # fmt: skip
"""The module and function that reads each kind; imported when it is first needed."""
_WHOLE = frozenset({"xlsx", "xls", "ods", "docx", "pptx", "odt", "odp", "rtf", "pdf", "msg", "doc", "ppt", "epub",
                    "smime", "tnef"})  # fmt: skip
"""Kinds whose reader needs the document whole: refused above `Limits.document_bytes`."""


def extract(blob: Blob, limits: Limits, watch: Callable[[str], None], passwords: tuple[str, ...] = ()) -> Iterator[Reading]:
    """Read a blob and everything inside it: for each object `Opened`, then its batches and problems.

    `watch` is told the object before each parser that could hang or crash. Objects in `blob.skip` are passed over
    in silence. `passwords` are tried on encrypted archives, in this order.
    Bad content never raises: it gives a `Problem`. `MemoryError` and `PersondataError` come through.
    """

    yield from _read(blob, walk_of(limits, watch, blob.skip, blob.size, passwords))


def walk_of(limits: Limits, watch: Callable[[str], None], skip: frozenset[str], size: int = 0, passwords: tuple[str, ...] = ()) -> Walk:
    """What a reader needs to open what lies inside, for a source whose objects are no files (a mailbox on a server)."""

    def inner(blob: Blob) -> Iterator[Reading]:
        return _read(blob, walk)

    walk = Walk(limits, watch, skip, inner, size=size, passwords=passwords)
    return walk


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

        yield from sqlite.read(blob, walk.limits, walk.watch)
    elif (kind.name == "txt" or kind.name not in _READERS) and (offered := plugins.reader_of(blob)):
        if isinstance(offered, Problem):
            yield offered
        else:
            blob.stream.seek(0)
            yield from offered(blob, walk)
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
