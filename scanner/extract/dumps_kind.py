"""Which texts are SQL scripts with tables in them, and in which encoding they come."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from scanner.extract.text import CHUNK, Encoding, decoded, encoding_of
from scanner.model import Blob

_TAIL = 8 * 2**20
_MARKS = re.compile(
    r"(?m)\A\s*(?:--\s*\n)?(?:-- PostgreSQL database|-- (?:MySQL|MariaDB) dump|/\*M?!\d{5,6}\\?-? |-- phpMyAdmin SQL Dump|/\*{6} Object:)"
)
_LEAD = re.compile(r"(?s)\A\ufeff?(?:\s+|--[^\n]*\n|#[^\n]*\n|/\*.*?\*/;?|\\(?:restrict|connect)[^\n]*\n|REM\b[^\n]*\n)*")
_FIRST = re.compile(
    r"(?i)(?:SET|CREATE|INSERT|REPLACE|DROP|BEGIN|PRAGMA|USE|COPY|START|ALTER|LOCK|DELETE|TRUNCATE|SELECT|GO|IF|PRINT|UPDATE|EXEC|"
    r"COMMENT|PROMPT|DELIMITER|GRANT|DECLARE|UNLOCK)\b"
)
_DATA = re.compile(
    r"(?im)^[ \t]*(?:INSERT\s+(?:\w+\s+){0,2}[\w`\"\[\]. ]{1,200}?(?:\([^()']*\)\s*)?\sVALUES\s*\(|INSERT INTO [\w`\"\[\].]+ VALUES\s*\(|"
    r"REPLACE INTO\s+\S+[^;']*VALUES\s*\(|COPY\s+[^;\n]+\sFROM\s+stdin\b|CREATE\s+(?:\w+\s+)?TABLE\s+[^;(]{1,200}\()"
)
_NO_SCRIPTS = frozenset({".md", ".markdown", ".log", ".out", ".err", ".html", ".htm", ".csv", ".tsv"})
_DECLARED = re.compile(rb"(?i)\bSET\s+(?:NAMES|client_encoding\s*(?:=|TO))\s*'?([\w-]+)")
_CODECS = {
    "latin2": "iso8859-2", "latin5": "iso8859-9", "latin7": "iso8859-13", "latin9": "iso8859-15", "greek": "iso8859-7",
    "hebrew": "iso8859-8",
    "koi8r": "koi8-r", "koi8u": "koi8-u", "sjis": "cp932", "ujis": "euc_jp", "euckr": "euc_kr", "gb2312": "gbk", "win1250": "cp1250",
    "win1251": "cp1251", "win1253": "cp1253", "win1254": "cp1254", "win1257": "cp1257", "dec8": "latin-1", "macroman": "mac_roman",
}  # fmt: skip
_AS_THEY_ARE = frozenset(["utf8", "utf8mb3", "utf8mb4", "utf-8", "latin1", "win1252", "sql_ascii", "binary", "ascii", "unicode", "default"])


def is_dump(text: str, suffix: str) -> bool:
    """Whether a text that begins so is an SQL script with tables in it."""
    if suffix in _NO_SCRIPTS:
        return False
    if _MARKS.match(text):
        return True
    lead = _LEAD.match(text)
    start = lead.end() if lead else 0
    return _FIRST.match(text, start) is not None and _DATA.search(text, start) is not None


def script_encoding(head: bytes) -> Encoding | None:
    """The encoding, where bytes must be translated before they are read; UTF-8 and Latin-1 are told apart value by value."""
    found = encoding_of(head)
    if found and found.name.startswith(("utf-16", "utf-32")):
        return found
    if declared := _DECLARED.search(head):
        name = declared[1].decode("ascii", "replace").lower()
        if name in _AS_THEY_ARE:
            return None
        try:
            return Encoding(codecs.lookup(_CODECS.get(name, name)).name, "replace")
        except LookupError:
            return None
    return found if found and found.name == "cp865" else None


def script_tail(blob: Blob, encoding: Encoding | None) -> bytes:
    """The end of the script, where `pg_dump` and phpMyAdmin declare keys."""
    at = max(blob.size - _TAIL, 0) // 4 * 4
    blob.stream.seek(at)
    data = blob.stream.read(_TAIL + 4)
    wide = encoding is not None and encoding.name.startswith(("utf-16", "utf-32"))
    return data.replace(b"\0", b"") if wide else data  # the names in it are nearly always ASCII


def script_chunks(blob: Blob, encoding: Encoding | None) -> Iterator[bytes]:
    """The bytes of a script, as UTF-8 where they must be translated."""
    if encoding is not None:
        for text in decoded(blob.stream, encoding):
            yield text.encode("utf-8", "replace").removeprefix(codecs.BOM_UTF8)
        return
    blob.stream.seek(0)
    chunk = blob.stream.read(CHUNK).removeprefix(codecs.BOM_UTF8)
    while chunk:
        yield chunk
        chunk = blob.stream.read(CHUNK)
