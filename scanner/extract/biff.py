"""What an Excel workbook before 2007 holds beside its cells: margins, comments, names, lists, links, words in formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanner.extract import objects, ole
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

_FIELDS = {
    0x14: "header", 0x15: "footer", 0x89C: "header", 0x1B6: "comment", 0x3C: "comment", 0x1C: "comment", 0x18: "formula", 0x06: "formula",
    0x4BC: "formula", 0x1BE: "attribute", 0x1B8: "link", 0x800: "link", 0x1AE: "link", 0x23: "link", 0x5A: "cache", 0xCD: "cache",
    0x51: "link",
    0x5C: "author", 0x1AF: "attribute", 0x9E: "attribute", 0xDC: "link", 0x1B0: "formula", 0x1B1: "formula", 0xAF: "attribute",
    0x100D: "drawing", 0x1051: "formula",
}  # fmt: skip
"""The records ([MS-XLS] 2.3) in which somebody may have written something, by number, and the field of each."""
_BOF, _SHEET, _CONTINUE, _TEXT, _NOTE, _LOCKED = 0x809, 0x85, 0x3C, 0x1B6, 0x1C, 0x2F
_WORDS = frozenset({0x06, 0x18, 0x4BC, 0x1B0, 0x1B1, 0x1051})
_CODES = re.compile(r'&(?:"[^"]*"|[LCRPNDTZFAGISUEBXYOH+-]|\d+)')
_RUNS = re.compile(rb"(?:[\x09\x0a\x0d\x20-\x7e\xa0-\xff]\x00){4,}|[\x09\x0a\x0d\x20-\x7e\xa0-\xff]{4,}")
"""Texts in both forms that Excel stores: two bytes a character, and one where no letter needs two."""


def beside(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """Read the texts of a workbook's records, and its properties."""
    texts = Texts(blob.object)
    try:
        compound = ole.Compound(blob.stream)
        stream = next((name for name in ("Workbook", "Book") if name in compound.entries), "")
        book = compound.read(stream) if stream else b""
    except (ValueError, KeyError, IndexError):
        yield Problem(blob.object, Why.DAMAGED, "what lies beside the cells cannot be read", field="comment")
        return
    seen: set[tuple[str, str]] = set()
    sheets: dict[int, str] = {}
    sheet, last = "", 0
    for at, kind, data in _records(book):
        if kind == _LOCKED:
            return  # told by the reader of cells
        if kind == _SHEET and len(data) > 8:
            sheets[int.from_bytes(data[:4], "little")] = next(iter(_runs(data[6:], 1)), "")
        elif kind == _BOF:
            sheet = sheets.get(at, sheet)
        if kind in _FIELDS and (kind != _CONTINUE or last in (_TEXT, _CONTINUE)):
            record = f"sheet={sheet}" if sheet else ""
            if kind == _NOTE and sheet:
                record += f",row={int.from_bytes(data[:2], 'little') + 1}"
            for text in _runs(data):
                if _FIELDS[kind] in ("header", "footer"):
                    text = _CODES.sub(" ", text)
                if not re.search(r"\w{3}", text):
                    continue
                if kind not in _WORDS or (str(kind), text) not in seen:
                    texts.add(record, "author" if kind == _NOTE else _FIELDS[kind], text.strip())
                if kind in _WORDS and len(seen) < 100_000:
                    seen.add((str(kind), text))
        last = kind
        yield from texts.full()
    for name, value in ole.properties(compound):
        texts.add("", f"property:{name}", value)
    yield from texts.rest()
    yield from objects.inside(blob, compound, walk)
    used: dict[str, int] = {}
    for ending, data in objects.pictures(book):
        yield from objects.walked(blob, f"picture.{ending}", data, used, walk)


def _records(book: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 4 <= len(book):
        kind, size = int.from_bytes(book[at : at + 2], "little"), int.from_bytes(book[at + 2 : at + 4], "little")
        yield at, kind, book[at + 4 : at + 4 + size]
        at += 4 + size


def _runs(data: bytes, least: int = 4) -> Iterator[str]:
    for match in _RUNS.finditer(data) if least > 1 else re.finditer(_RUNS.pattern.replace(b"{4,}", b"{1,}"), data):
        run = match[0]
        yield run.decode("utf-16-le") if run[1:2] == b"\0" else run.decode("cp1252", "replace")
