"""SQL dumps as the tables they are: rows of INSERT and COPY as columns, everything else as text.

The formats: PostgreSQL's COPY text format and `pg_dump`, `mysqldump` and `mariadb-dump`, SQLite's `.dump`, scripts of SQL Server
Management Studio, phpMyAdmin and their kin. A table is the object `dump.sql!schema.table`, a row is named by the primary key that the
script declares (before its data, or within its last 8 MB), else by its number in the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from scanner.extract import dumps_values as values
from scanner.extract.dumps_kind import script_chunks, script_encoding, script_tail
from scanner.extract.dumps_lexer import WINDOW, Prose, Statements, Window
from scanner.extract.dumps_names import COPY, INSERT, Dialect, Names, names_in
from scanner.extract.rows import CHUNK_ROWS, column_batches, record_names
from scanner.extract.text import HEAD, Encoding
from scanner.extract.walk import Walk
from scanner.model import Blob, Opened, Problem, Reading, Why

_LONGEST_ROW = 64 * 2**20
_CHUNK_BYTES = 4 * 2**20
_END_MARKS = (
    (b"-- PostgreSQL database dump", b"dump complete"),
    (b"-- MySQL dump", b"-- Dump completed"),
    (b"-- MariaDB dump", b"-- Dump completed"),
)
_GAP = re.compile(rb"\s*;?\s*(?:GO\s+)?")
_CLAUSE = re.compile(rb"(?i)\s*(?:;|(?:ON|AS|RETURNING)\b)")
_SPACES = re.compile(rb"\s+")
_LINE = re.compile(rb"[^\n]*\n?")
_DELIMITER = re.compile(rb"(?im)^DELIMITER[ \t]+;[ \t]*\r?$")
_BROKEN = "the dump breaks off inside the data of this table"


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """A script of any length. What it holds besides data is text, addressed by line."""
    blob.stream.seek(0)
    head = blob.stream.read(HEAD)
    encoding = script_encoding(head)
    tail = script_tail(blob, encoding)
    yield from _Dump(blob, walk, head, encoding, tail).read()
    for start, end in _END_MARKS:
        if start in head[:512] and end not in tail[-4096:]:
            yield Problem(blob.object, Why.DAMAGED, "the line that ends such a dump is missing: it may not be complete")


@dataclass(slots=True)
class _Table:
    """Rows of one table that wait to be given: values as the script writes them."""

    object: str
    columns: list[str]
    keys: list[str]
    copied: bool
    generated: list[str] = field(default_factory=list)
    rows: list[tuple[bytes, ...]] = field(default_factory=list)


class _Dump:
    """One script while it is read."""

    def __init__(self, blob: Blob, walk: Walk, head: bytes, encoding: Encoding | None, tail: bytes) -> None:
        plain = head.decode(encoding.name, "replace").encode() if encoding else head
        dialect = Dialect.of(plain)
        self._blob, self._walk = blob, walk
        self._window = Window(script_chunks(blob, encoding))
        self._prose = Prose(blob.object, self._window, walk.by_line)
        self._statements = Statements(self._window, self._prose, dialect)
        self._names = Names(dialect, tail)
        self._grammar = values.grammar(dialect.backslash)
        self._mysql = dialect.backslash
        self._tables: dict[tuple[bytes, bytes | None], _Table] = {}
        self._current = _Table("", [], [], False)
        self._held = 0
        self._numbers: dict[str, int] = {}
        self._binary: dict[tuple[str, str], int] = {}
        self._large_objects = 0

    def read(self) -> Iterator[Reading]:
        """Everything, in order but for rows of small tables, which are given together."""
        while self._more(WINDOW // 2):
            yield from self._next()
            yield from self._prose.full()
        self._prose.end()
        yield from self._flush()
        yield from self._prose.rest()
        for (object, name), count in sorted(self._binary.items()):
            yield Problem(object, Why.UNSUPPORTED, f"binary values in {count} rows not read", field=name)
        if self._large_objects:
            yield Problem(self._blob.object, Why.UNSUPPORTED, f"{self._large_objects} pieces of binary large objects not read")

    def _more(self, size: int) -> bool:
        self._window.fill(size)
        return self._window.at < len(self._window.text)

    def _next(self) -> Iterator[Reading]:
        """One step at the beginning of a statement."""
        window = self._window
        text, at = window.text, window.at
        if blanks := _SPACES.match(text, at):
            self._prose.take(blanks.end())
        elif text.startswith(b"/*", at):
            self._statements.comment()
        elif text.startswith((b"--", b"\\"), at) or (self._mysql and text.startswith(b"#", at)):
            line = _line(text, at)
            learnt = text[at : min(line, at + 200)]
            self._prose.take(line)
            yield from self._learn(learnt)
        elif match := INSERT.match(text, at):
            yield from self._insert(match[0], match[1], match[2])
        elif match := COPY.match(text, at):
            yield from self._copy(match)
        elif self._mysql and text[at : at + 10].upper() == b"DELIMITER ":
            self._routines()
        else:
            self._statements.silent = text.startswith(b"SELECT pg_catalog.lowrite(", at)
            self._large_objects += self._statements.silent
            yield from self._learn(self._statements.read())

    def _learn(self, statement: bytes) -> Iterator[Reading]:
        """What a statement says of names; the rows before it belong to the tables that they meant until now."""
        if self._names.learn(statement):
            yield from self._flush()
            self._tables.clear()

    def _routines(self) -> None:
        """Text between `DELIMITER ;;` and `DELIMITER ;`, in which semicolons end nothing."""
        line = _line(self._window.text, self._window.at)
        self._prose.take(line)
        while self._more(WINDOW // 2):
            if match := _DELIMITER.search(self._window.text, self._window.at):
                self._prose.take(match.end())
                return
            self._prose.take(max(self._window.text.rfind(b"\n", self._window.at), self._window.at + 1))

    def _table(self, name: bytes, listed: bytes | None, copied: bool) -> Iterator[Reading]:
        """Find the table that a statement names: `self._current` from here on."""
        if table := self._tables.get((name, listed)):
            self._current = table
            return
        called = self._names.table(name)
        shape = self._names.shape(called)
        columns = names_in(listed) if listed else list(shape.columns)
        object = f"{self._blob.object}!{called}"
        if object not in self._numbers:
            self._numbers[object] = 0
            if object not in self._walk.skip:
                self._walk.watch(object)
                yield Opened(object, "table")
                self._walk.watch(self._blob.object)
        self._current = self._tables[name, listed] = _Table(object, columns, shape.keys, copied, shape.generated)

    def _insert(self, head: bytes, name: bytes, listed: bytes | None) -> Iterator[Reading]:
        """The rows of an INSERT, and of all that follow it with the very same head."""
        window, grammar = self._window, self._grammar
        yield from self._table(name, listed, copied=False)
        table = self._current
        self._prose.drop(window.at + len(head))
        width = len(table.columns)
        while True:
            start = at = window.at
            rows, again = table.rows, True
            if width:
                match, text = grammar.rows(width).match, window.text
                while again and (found := match(text, at)) and len(rows) < CHUNK_ROWS:
                    groups = found.groups()
                    rows.append(groups[:-1])
                    at = found.end()
                    if not groups[-1]:
                        gap = _GAP.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing too
                        again = text.startswith(head, gap)
                        at = gap + len(head) if again else at
            self._prose.drop(at)
            yield from self._grown(table, at - start)
            if window.fill(WINDOW // 2) or (rows and len(rows) >= CHUNK_ROWS):
                continue
            ended, width = self._between(table, head, width)
            if ended:
                yield from self._after(table)
                return

    def _between(self, table: _Table, head: bytes, width: int) -> tuple[bool, int]:
        """What stands where the last row was read: another row of another width, a row that goes on, or the end."""
        window = self._window
        gap = _GAP.match(window.text, window.at).end()  # type: ignore[union-attr]
        if window.text.startswith(head, gap):
            self._prose.drop(gap + len(head))
            return False, width
        if window.text.startswith(b",", window.at):
            self._prose.drop(_GAP.match(window.text, window.at + 1).end())  # type: ignore[union-attr]
            return False, width
        if not window.text.startswith(b"(", window.at):
            return True, width
        if row := self._grammar.row.match(window.text, window.at):
            found = tuple(self._grammar.value.findall(row[1]))
            table.rows.append(tuple(map(bytes.strip, found)))
            self._prose.drop(row.end())
            return (False, len(found)) if row[2] else (not self._same(head), len(found))
        seen = len(window.text) - window.at
        return seen > _LONGEST_ROW or not window.fill(2 * seen), width

    def _same(self, head: bytes) -> bool:
        """Whether another statement with the same head follows."""
        self._window.fill(WINDOW // 2)
        gap = _GAP.match(self._window.text, self._window.at).end()  # type: ignore[union-attr]
        if self._window.text.startswith(head, gap):
            self._prose.drop(gap + len(head))
            return True
        return False

    def _after(self, table: _Table) -> Iterator[Reading]:
        """What follows the last row of a statement: nothing, a clause, or a row that could not be read."""
        window = self._window
        if window.text.startswith(b"(", window.at):
            if window.ended and len(window.text) - window.at <= _LONGEST_ROW:
                yield Problem(table.object, Why.DAMAGED, f"{_BROKEN}; the rest was read as text")
                self._prose.take(len(window.text))
            else:
                yield Problem(table.object, Why.TOO_LARGE, "a row is longer than 64 MB; the rest of its statement was read as text")
                self._statements.silent = False
                self._statements.read()
        elif clause := _CLAUSE.match(window.text, window.at):
            if clause[0].endswith(b";"):
                self._prose.drop(clause.end())
            else:
                self._statements.silent = False
                self._statements.read()
        elif not window.text[window.at :].strip() and window.ended and self._mysql:
            yield Problem(table.object, Why.DAMAGED, _BROKEN)

    def _copy(self, match: re.Match[bytes]) -> Iterator[Reading]:
        """The lines of COPY data up to the line `\\.`."""
        window = self._window
        yield from self._table(match[1], match[2], copied=True)
        table = self._current
        ending = match[3] + b"\n"
        self._prose.drop(match.end())
        while True:
            text, at = window.text, window.at
            if text.startswith(b"\\.", at):
                self._prose.drop(_line(text, at))
                return
            last = text.find(b"\n\\.", at)
            cut = last if last >= 0 else text.rfind(b"\n", at)
            if cut < 0:
                if len(text) - at > _LONGEST_ROW:
                    yield Problem(table.object, Why.TOO_LARGE, "a row is longer than 64 MB; it was read as text")
                    self._prose.take(len(text))
                elif not window.fill(max(2 * (len(text) - at), WINDOW)):
                    yield Problem(table.object, Why.DAMAGED, f"{_BROKEN}; the rest was read as text")
                    self._prose.take(len(window.text))
                    return
                continue
            lines = text[at:cut].split(ending)
            for low in range(0, len(lines), CHUNK_ROWS):
                table.rows += [tuple(line.split(b"\t")) for line in lines[low : low + CHUNK_ROWS]]
                yield from self._grown(table, cut - at)
            self._prose.drop(cut + 1)
            window.fill()

    def _grown(self, table: _Table, size: int) -> Iterator[Reading]:
        """Rows came in: give them, if they are many."""
        self._held += size
        if len(table.rows) >= CHUNK_ROWS or self._held >= _CHUNK_BYTES:
            yield from self._flush()

    def _flush(self) -> Iterator[Reading]:
        self._held = 0
        for table in self._tables.values():
            if table.rows and table.object not in self._walk.skip:
                yield from self._given(table)
            table.rows = []

    def _given(self, table: _Table) -> Iterator[Reading]:
        """The rows of a table as columns."""
        import pyarrow as pa

        first = self._numbers[table.object] + 1
        self._numbers[table.object] += len(table.rows)
        columns = list(zip_longest(*table.rows, fillvalue=b"\\N" if table.copied else b"NULL"))
        names = table.columns if len(table.columns) == len(columns) else [c for c in table.columns if c not in table.generated]
        names = (
            names if len(names) == len(columns) else [*table.columns, *(f"column {n + 1}" for n in range(len(table.columns), len(columns)))]
        )
        cells: list[pa.StringArray] = []
        named: dict[str, pa.StringArray] = {}
        for name, raw in zip(names, columns, strict=False):
            texts, binary = values.fields(raw) if table.copied else values.literals(raw, self._mysql)
            if binary:
                self._binary[table.object, name] = self._binary.get((table.object, name), 0) + binary
            named[name.lower()] = values.shown(raw) if binary and name in table.keys else texts
            cells.append(texts)
        keys = [named.get(key.lower()) for key in table.keys]
        if keys and all(key is not None for key in keys):
            records = record_names(table.keys, keys)
        else:
            records = pa.array([f"row={n}" for n in range(first, first + len(table.rows))], pa.string())
        yield from column_batches(table.object, names[: len(cells)], cells, records)


def _line(text: bytes, at: int) -> int:
    """Where the next line begins."""
    return text.find(b"\n", at) + 1 or len(text)
