"""Spreadsheets as tables: every sheet, hidden ones too, with the row numbers that a spreadsheet shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from scanner.extract import biff, opendocument, tabular, workbook
from scanner.extract.parts import Parts
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_ROWS = 16_384
_CELLS = 500_000
_MOST_CELLS = 32_000_000
"""The reader of cells makes room, of about 32 bytes, for every cell between the corners of a sheet."""


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """The cells of every sheet, then comments, texts beside the cells, and properties."""
    import zipfile

    blob.stream.seek(0)
    zipped = blob.stream.read(2) == b"PK"
    parts = None
    if zipped:
        try:
            parts = Parts(blob, walk)
        except zipfile.BadZipFile:
            yield Problem(blob.object, Why.DAMAGED, "the spreadsheet has no readable list of parts")
            return
        if opendocument.encrypted_odf(parts):
            yield from parts.problems
            return
        if too_much := _too_much(parts, walk):
            yield too_much
            return
    frames = workbook.frames_of(parts) if parts else {}
    yield from _cells(blob, {frame.sheet for frame in frames.values() if frame.cells > _MOST_CELLS})
    if parts is None:
        yield from biff.beside(blob, walk)
    else:
        texts = Texts(blob.object)
        if "xl/workbook.xml" in parts.names or "xl/workbook.bin" in parts.names:
            yield from workbook.beside(parts, texts, frames)
            if "xl/workbook.bin" in parts.names:
                yield Problem(blob.object, Why.UNSUPPORTED, "binary workbook: of its sheets, only the cells are read", field="attribute")
        else:
            yield from opendocument.beside(parts, texts)


def _too_much(parts: Parts, walk: Walk) -> Problem | None:
    """The reader of cells holds a sheet whole, at several times its size."""
    largest = max((info.file_size for info in parts.archive.infolist()), default=0)
    if largest > walk.limits.document_bytes:
        return Problem(parts.blob.object, Why.TOO_LARGE, "a sheet unpacks to too much; the limit is document_bytes")
    return None


def _cells(blob: Blob, closed: set[str]) -> Iterator[Reading]:
    import python_calamine as calamine

    blob.stream.seek(0)
    try:
        source = str(blob.path) if blob.path else blob.stream
        book = calamine.load_workbook(source)
    except calamine.PasswordError:
        yield Problem(blob.object, Why.ENCRYPTED, "spreadsheet with a password")
        return
    except (calamine.CalamineError, OSError, ValueError) as error:
        yield Problem(blob.object, Why.DAMAGED, f"the spreadsheet cannot be opened ({type(error).__name__})")
        return
    titles = Texts(blob.object)
    for name in book.sheet_names:
        titles.add(f"sheet={name}", "sheet", name)
        if name in closed:
            yield Problem(blob.object, Why.TOO_LARGE, "the corners of a sheet lie too far apart", f"sheet={name}")
        else:
            yield from _sheet(blob, book, name)
    yield from titles.rest()


def _sheet(blob: Blob, book: CalamineWorkbook, name: str) -> Iterator[Reading]:
    import python_calamine as calamine

    try:
        sheet: CalamineSheet = book.get_sheet_by_name(name)
        if sheet.start is None:
            return
        first_row, first_column = sheet.start
        rows = (_texts(row) for row in islice(sheet.iter_rows(), first_row, None))  # it begins at the first row
        sample = [next(rows, None) for _ in range(50)]
    except (calamine.CalamineError, OSError, ValueError) as error:
        if isinstance(error, calamine.WorksheetNotFound):
            return  # a sheet of macros or a chart
        detail = f"a sheet cannot be read ({type(error).__name__})"
        yield Problem(blob.object, Why.DAMAGED, detail, f"sheet={name}")
        return
    start = [row for row in sample if row is not None]
    yield from _table(blob.object, name, start, chain(start, rows), first_row + 1, first_column)


def _table(object: str, sheet: str, sample: list[list[str]], rows: Iterator[list[str]], number: int, left: int) -> Iterator[Reading]:
    width = max(map(len, sample), default=0)
    names = [column_letters(left + at) for at in range(width)]
    header = tabular.header_of(sample)
    lot: list[list[str]] = []
    records: list[str] = []
    for at, row in enumerate(rows):
        if at == header:
            yield from tabular.table(object, names, lot, records)
            lot, records = [], []
            given = tabular.names_of(row)
            names = [given[i] if cell.strip() else column_letters(left + i) for i, cell in enumerate(row)]
            continue
        if any(row):
            lot.append(row)
            records.append(f"sheet={sheet},row={number + at}")
        if len(lot) >= _ROWS or len(lot) * max(width, 1) >= _CELLS:
            yield from tabular.table(object, names, lot, records)
            lot, records = [], []
    yield from tabular.table(object, names, lot, records)


def column_letters(at: int) -> str:
    """The letters of a column, counted from 0: `A`, `B`, …, `AA`."""
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _texts(row: list[Any]) -> list[str]:
    return [value if isinstance(value, str) else _text(value) for value in row]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e18 else repr(value)
    if isinstance(value, dt.datetime) and value.time() == dt.time(0):
        return value.date().isoformat()
    return "" if value is None else str(value)
