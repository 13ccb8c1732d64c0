"""Tables written as text (csv, tsv and their kin): a column a batch, all columns of a chunk over the same rows."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import chain, islice, zip_longest
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from scanner.extract.text import HEAD, Texts, decoded, strings
from scanner.extract.walk import Walk
from scanner.model import CUT, Blob, Reading, Shape, TextBatch

_ROWS = 16_384
_BYTES = 8 * 2**20
_RUNAWAY = 2**20
"""A row longer than this began with a quote that was never closed: the quote is taken as a character."""
_TABLES = frozenset({".csv", ".tsv", ".tab", ".psv"})
_MAYBE = frozenset({"", ".txt", ".dat", ".asc", ".prn", ".bak", ".old", ".copy"})
_HEADINGS = frozenset([
    "id", "nr", "no", "navn", "name", "fornavn", "efternavn", "firstname", "lastname", "first", "last", "email", "mail", "e-mail",
    "telefon", "tlf", "phone", "mobil", "mobile", "adresse", "address", "vej", "street", "by", "city", "postnr", "postnummer", "zip",
    "land", "country", "cpr", "cvr", "dato", "date", "tid", "time", "alder", "age", "køn", "gender", "titel", "title", "type", "status",
    "kunde", "kundenr", "customer", "bruger", "user", "username", "login", "medarbejder", "employee", "beskrivelse", "description",
    "bemærkning", "bemærkninger", "note", "notes", "noter", "kommentar", "comment", "tekst", "text", "besked", "message", "emne",
    "subject", "kategori", "category", "afdeling", "department", "firma", "company", "virksomhed", "iban", "konto", "account", "beløb",
    "amount", "pris", "price", "antal", "quantity", "key", "value", "url", "fødselsdag", "født", "birthday", "birthdate", "language",
    "sprog", "rolle", "role", "kode", "code",
])  # fmt: skip

_NAMELIKE = re.compile(r"[A-ZÆØÅ][\w.-]+(?: [A-ZÆØÅ][\w.-]*)+\Z")


class Dialect(NamedTuple):
    """How a table is written as text. `header` is the place of the row that names the columns, -1 for none."""

    delimiter: str
    header: int


def dialect_of(text: str, complete: bool, suffix: str) -> Dialect | None:
    """How the table at the start of a file is written; `None` when it does not look like a table."""
    if suffix not in _TABLES and suffix not in _MAYBE:
        return None
    named = suffix in _TABLES
    whole = text if complete else text[: text.rfind("\n") + 1] or text
    best: tuple[float, int, str] | None = None
    for delimiter in ("\t", ";", "|", ","):
        if delimiter not in whole:
            continue
        rows = [row for row in islice(_quiet(whole, delimiter), 500) if row]
        score = _score(rows, delimiter, named)
        if score and (best is None or (score, len(rows[0])) > best[:2]):
            best = (score, len(rows[0]), delimiter)
    if best is None and not (named and _one_column(whole)):
        return None
    delimiter = best[2] if best else ","
    return Dialect(delimiter, header_of(list(islice(_quiet(whole, delimiter), 100))))


def _quiet(text: str, delimiter: str) -> Iterator[list[str]]:
    """Rows of a sample, until it breaks off."""
    try:
        yield from csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    except csv.Error:
        return


def _score(rows: list[list[str]], delimiter: str, named: bool) -> float:
    """How much a sample looks like a table with this delimiter: the share of rows of the usual width, or 0."""
    if not rows or (len(rows) < 2 and not named):
        return 0.0
    widths = [len(row) for row in rows]
    usual = max(set(widths), key=widths.count)
    share = widths.count(usual) / len(rows)
    if usual < 2:
        return 0.0
    if named:
        return share if share >= 0.5 or delimiter != "," else 0.0
    if len(rows) < 3 or share < 0.95:
        return 0.0
    cells = [cell for row in rows for cell in row]
    if delimiter == "," and sum(cell.startswith(" ") for cell in cells) > len(cells) / 4:
        return 0.0  # commas in sentences are followed by a blank
    return share if sum(map(len, cells)) / len(cells) < 60 else 0.0


def _one_column(text: str) -> bool:
    rows = [row for row in text.splitlines() if row]
    if any(mark in row for row in rows for mark in ";\t|,"):
        return False
    return bool(rows) and sum(map(len, rows)) / len(rows) < 60


def looks_like_value(cell: str) -> bool:
    """Whether a cell holds a value rather than the name of a column: an e-mail address, a number, a date."""
    digits = sum(c.isdigit() for c in cell)
    return "@" in cell or (digits >= 1 and digits * 2 >= len(cell.strip())) or digits >= 4 or len(cell) > 60


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns.

    Doubt is settled against it: a row of values taken for names would stand in every report.
    """
    first = [cell.strip() for cell in rows[0]] if rows else []
    if not any(first) or any(looks_like_value(cell) for cell in first):
        return False
    named = [cell for cell in first if cell]
    words = [word for cell in named for word in re.split(r"[\W_]+", cell.lower()) if word]
    if any(word in _HEADINGS for word in words):
        return True
    if not any(any(row) for row in rows[1:]) or any(_NAMELIKE.match(cell) for cell in named):
        return False
    for at, cell in enumerate(first):
        below = [row[at] for row in rows[1:] if at < len(row) and row[at].strip()]
        if cell and below and sum(map(looks_like_value, below)) * 2 > len(below):
            return True
    plain = all(re.fullmatch(r"[a-zæøå][a-zæøå0-9]*(?:[_.-][a-zæøå0-9]+)*", cell) for cell in named)
    return plain and any(cell != cell.lower() or " " in cell for row in rows[1:] for cell in row)


def header_of(rows: list[list[str]]) -> int:
    """The place of the row that names the columns, -1 for none. Titles above it fill less of their rows."""
    filled = [sum(1 for cell in row if cell.strip()) for row in rows]
    width = max(filled, default=0)
    for at, count in enumerate(filled[:10]):
        if count and (count * 2 > width or width < 2):
            return at if has_header(rows[at:]) else -1
    return -1


def names_of(header: list[str]) -> list[str]:
    """Names of the columns under a header, each one different from the others."""
    names: list[str] = []
    for at, cell in enumerate(header, 1):
        name = " ".join(cell.split())[:80] or f"column {at}"
        names.append(f"{name} ({at})" if name in names else name)
    return names


def read(blob: Blob, _walk: Walk) -> Iterator[Reading]:
    """A delimited text of any length. Row numbers count as a spreadsheet does, blank rows included."""
    start = next(decoded(blob.stream, size=HEAD), "")
    dialect = dialect_of(start, blob.size <= HEAD, PurePosixPath(blob.object).suffix.lower())
    delimiter, header = dialect or Dialect(",", -1)
    csv.field_size_limit(sys.maxsize)
    names: list[str] = []
    number = 1
    for lot in _Rows(decoded(blob.stream), delimiter):
        if number == 1 and -1 < header < len(lot):
            above, names = lot[:header], names_of(lot[header])
            yield from table(blob.object, [], above, [f"row={n}" for n in range(1, header + 1)])
            lot, number = lot[header + 1 :], header + 2
        yield from table(blob.object, names, lot, [f"row={n}" for n in range(number, number + len(lot))])
        number += len(lot)


def _blocks(chunks: Iterable[str]) -> Iterator[list[str]]:
    """The lines of a text with their ends, in lists. Lines that returns alone break come apart too."""
    rest = ""
    for chunk in chunks:
        at = chunk.rfind("\n") + 1
        if not at and len(rest) < 2 * _BYTES:
            rest += chunk
            continue
        block, rest = rest + chunk[:at], chunk[at:]
        yield _lines(block)
    if rest:
        yield _lines(rest)


def _lines(block: str) -> list[str]:
    if block.count("\r") != block.count("\r\n"):
        block = re.sub("\r(?!\n)", "\n", block)
    return StringIO(block, newline="\n").readlines()


class _Rows:
    """Rows of a delimited text, in lots of up to 16,384 rows or 8 MB."""

    def __init__(self, chunks: Iterable[str], delimiter: str) -> None:
        self._source = _blocks(chunks)
        self._delimiter = delimiter
        self._held: list[list[str]] = []  # blocks of lines handed to the reader and not yet given as rows
        self._back: list[list[str]] = []  # blocks to be read again
        self._size = 0
        self._dropped = 0  # lines before the held ones

    def __iter__(self) -> Iterator[list[list[str]]]:
        lot: list[list[str]] = []
        reader = self._reader()
        while True:
            step = max(1, min(1024, _ROWS - len(lot)))
            try:
                rows = list(islice(reader, step))
            except (OverflowError, csv.Error):
                yield from self._carefully(False)
                lot, reader = [], self._reader()
                continue
            if len(rows) < step and rows and any("\n" in cell for cell in rows[-1]):
                yield from self._carefully(True)
                return
            lot += rows
            if lot and (len(rows) < step or len(lot) >= _ROWS or self._size >= _BYTES):
                yield lot
                lot = []
                self._forget(reader.line_num)
            if len(rows) < step:
                return

    def _reader(self) -> Any:
        self._held, self._size, self._dropped, self._given = [], 0, 0, 0
        return csv.reader(chain.from_iterable(self._feed()), delimiter=self._delimiter)

    def _feed(self) -> Iterator[list[str]]:
        while block := self._back.pop() if self._back else next(self._source, []):
            self._held.append(block)
            self._size += sum(map(len, block))
            if self._size > 4 * _BYTES:
                raise OverflowError
            yield block

    def _forget(self, given: int) -> None:
        """Let go of the blocks whose lines were all given as rows."""
        self._given = given
        while self._held and self._dropped + len(self._held[0]) <= given:
            block = self._held.pop(0)
            self._dropped += len(block)
            self._size -= sum(map(len, block))

    def _carefully(self, ended: bool) -> Iterator[list[list[str]]]:
        """Read the held lines again, row by row; a quote that never closes is taken as a character."""
        lines = [line for block in self._held for line in block][self._given - self._dropped :]
        at, lot, size = 0, [], 0
        while at < len(lines):
            row, used, closed = self._row(lines, at)
            if at and at + used == len(lines) and not ended:
                break  # the last row may go on
            if not closed and used > 1:
                row, used = lines[at].rstrip("\r\n").split(self._delimiter), 1
            lot.append(row)
            size += sum(map(len, row))
            at += used
            if len(lot) >= _ROWS or size >= _BYTES:
                yield lot
                lot, size = [], 0
        if lines[at:]:
            self._back.append(lines[at:])
        if lot:
            yield lot

    def _row(self, lines: list[str], at: int) -> tuple[list[str], int, bool]:
        """The row that begins at a line, how many lines it takes, and whether its quotes close."""
        used = size = 0

        def some() -> Iterator[str]:
            nonlocal used, size
            while at + used < len(lines) and size <= _RUNAWAY:
                size += len(lines[at + used])
                used += 1
                yield lines[at + used - 1]

        try:
            row = next(csv.reader(some(), delimiter=self._delimiter), [])
        except csv.Error:
            return [], 2, False
        if used > 1 and size <= _RUNAWAY:
            try:
                next(csv.reader(lines[at : at + used], delimiter=self._delimiter, strict=True), [])
            except csv.Error:
                return row, used, at + used < len(lines)  # odd, but closed, unless the text is at its end
        return row, used, size <= _RUNAWAY


def table(object: str, names: list[str], rows: list[list[str]], records: list[str]) -> Iterator[TextBatch]:
    """Rows as one batch a column, all with the same records; cells too long for a row are cut on their own."""
    if not rows:
        return
    shared = strings(records)
    long = Texts(object)
    for at, column in enumerate(zip_longest(*rows, fillvalue="")):
        if not any(column):
            continue
        name = names[at] if at < len(names) else f"column {at + 1}"
        texts = strings(column)
        if max(map(len, column)) > CUT:
            for record, cell in zip(records, column, strict=True):
                if len(cell) > CUT:
                    long.add(record, name, cell, Shape.CELL)
            texts = strings([cell if len(cell) <= CUT else None for cell in column])
        yield TextBatch(object, name, texts, shared, Shape.CELL)
    yield from long.rest()
