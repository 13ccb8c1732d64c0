"""How SQL scripts come apart: statements, strings, comments, and the text between the data, by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from scanner.extract.text import LOT, Cutter, Encoding, Row, decoded, seams_of, strings
from scanner.model import TextBatch

if TYPE_CHECKING:
    from scanner.extract.dumps_names import Dialect

WINDOW = 2**20
"""How far the reader looks ahead, in bytes."""
_KEPT = 2**18
"""Of a longer statement, only so many bytes are looked at as a whole."""
_BEGIN = re.compile(rb"(?i)\bBEGIN\b")
_END = re.compile(rb"(?i)\bEND\s*\Z")
_ROUTINE = re.compile(rb"(?i)CREATE\s+(?:OR\s+\w+\s+)?(?:TEMP\w*\s+)?(?:TRIGGER|PROC(?:EDURE)?|FUNCTION)\b")


class Window:
    """A stretch of a long script that moves forward only, and knows which line it is in."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.text, self.at, self.ended = b"", 0, False
        self.line, self.column, self.offset = 1, 0, 0

    def fill(self, size: int = WINDOW) -> bool:
        """See at least `size` bytes ahead, or to the end; tells whether more came into sight. `text` may change."""
        have = len(self.text) - self.at
        if have >= size or self.ended:
            return False
        parts = [self.text[self.at :]]
        before = have
        while have < size + WINDOW // 2:
            chunk = next(self._chunks, b"")
            if not chunk:
                self.ended = True
                break
            parts.append(chunk)
            have += len(chunk)
        self.text, self.at = b"".join(parts), 0
        return have > before

    def move(self, to: int) -> None:
        """Go on to a place in `text`."""
        breaks = self.text.count(b"\n", self.at, to)
        if breaks:
            self.line += breaks
            self.column = to - self.text.rfind(b"\n", self.at, to) - 1
        else:
            self.column += to - self.at
        self.offset += to - self.at
        self.at = to


class Prose:
    """Collects what stands between the data of a script, as rows addressed by line."""

    def __init__(self, object: str, window: Window, by_line: bool) -> None:
        self._object, self._window, self._by_line = object, window, by_line
        self._rows: list[Row] = []
        self._size = 0
        self._cutter: Cutter | None = None
        self._held = bytearray()
        self._from = (1, 0, 0)

    def take(self, to: int) -> None:
        """Read the window's text up to a place."""
        window = self._window
        if to <= window.at:
            return
        if self._cutter is None:
            self._cutter = Cutter(by_line=True) if self._by_line else Cutter()
            self._from = (window.line, window.column, window.offset)
        self._held += window.text[window.at : to]
        window.move(to)
        if len(self._held) >= WINDOW:
            cut = self._held.rfind(b"\n") + 1 or len(self._held)
            self._feed(bytes(self._held[:cut]), last=False)
            del self._held[:cut]

    def drop(self, to: int) -> None:
        """Pass over the window's text up to a place: it was read otherwise."""
        self.end()
        self._window.move(to)

    def end(self) -> None:
        """The text is interrupted by data."""
        if self._cutter is not None:
            self._feed(bytes(self._held), last=True)
            self._cutter, self._held = None, bytearray()

    def full(self) -> Iterator[TextBatch]:
        """What is held, if it is much."""
        if self._size >= LOT:
            yield from self.rest()

    def rest(self) -> Iterator[TextBatch]:
        """All that is held and complete."""
        rows = [row for row in self._rows if not row.text.isspace()]
        self._rows, self._size = [], 0
        if not rows:
            return
        records = strings([str(row.line) if self._by_line else "" for row in rows])
        whole = all(row.base == row.begin == 0 and row.end == len(row.text) for row in rows)
        texts = strings([row.text for row in rows])
        yield TextBatch(self._object, "", texts, records, by_line=self._by_line, seams=None if whole else seams_of(rows))

    def _feed(self, piece: bytes, last: bool) -> None:
        text = "".join(decoded(BytesIO(piece), Encoding("utf-8", "stray-cp1252")))
        line, column, offset = self._from
        for row in self._cutter.feed(text, last) if self._cutter else ():
            if self._by_line:
                row = row._replace(line=row.line + line - 1, base=row.base + (column if row.line == 1 else 0))
            else:
                row = row._replace(base=row.base + offset)
            self._rows.append(row)
            self._size += len(row.text)


class Statements:
    """Reads statements as text up to their end, however long they and their strings are."""

    def __init__(self, window: Window, prose: Prose, dialect: Dialect) -> None:
        self._window, self._prose = window, prose
        self._at = 0
        self._kept = bytearray()
        self.silent = False
        marks = rb"""['";]|--|/\*|\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$|\n[Gg][Oo][ \t]*(?=[\r\n])"""
        own = rb"|`|#" if dialect.backslash else rb"|\[|\n(?=INSERT[ \t])" if dialect.brackets else b""
        self._marks = re.compile(marks + own)
        self._backslash, self._batches = dialect.backslash, dialect.brackets
        self._dollar = False

    def read(self) -> bytes:
        """Read one statement with its semicolon; gives its beginning, up to 256 KB of it."""
        self._kept = bytearray()
        self._at = self._window.at
        self._dollar = False
        while mark := self._mark():
            if mark in (b";", b"\n"):
                if not self._inside():
                    break
            elif mark[:1] == b"\n":
                break
            else:
                self._dollar = self._dollar or mark[:1] == b"$"
                self._quoted(mark)
        self._flush()
        return bytes(self._kept)

    def comment(self) -> None:
        """Read one comment that begins here."""
        self._kept = bytearray()
        self.silent = False
        self._at = self._window.at + 2
        self._quoted(b"/*")
        self._flush()

    def _inside(self) -> bool:
        """Whether a semicolon, or a line that begins as a statement, stands inside the body of a trigger or a routine."""
        if self._dollar:
            return False
        so_far = bytes(self._kept) + self._window.text[self._window.at : self._at - 1][:_KEPT]
        if _ROUTINE.match(so_far) is None:
            return False
        if self._batches or _BEGIN.search(so_far) is None:
            return self._batches  # there a routine goes on to the line GO
        return _END.search(self._window.text[max(self._at - 200, 0) : self._at - 1]) is None

    def _mark(self) -> bytes:
        """Go behind the next sign that means something; `b""` at the end."""
        while True:
            if match := self._marks.search(self._window.text, self._at):
                if match.end() + 256 < len(self._window.text) or self._window.ended:
                    self._at = match.end()
                    return match[0]
                self._more(match.start())
            else:
                self._more(max(self._at, len(self._window.text) - 256))
                if self._window.ended and self._marks.search(self._window.text, self._at) is None:
                    self._at = len(self._window.text)
                    return b""

    def _quoted(self, mark: bytes) -> None:
        """Go behind a string, a quoted name, a comment or a dollar-quoted body."""
        ends = {b"--": b"\n", b"#": b"\n", b"/*": b"*/", b"[": b"]"}.get(mark, mark)
        escapes = self._backslash and mark in (b"'", b'"')
        while True:
            text = self._window.text
            end = text.find(ends, self._at)
            if escapes:
                slash = text.find(b"\\", self._at, end if end >= 0 else len(text))
                if 0 <= slash < len(text) - 1:
                    self._at = slash + 2
                    continue
                end = -1 if slash >= 0 else end
            if end >= 0:
                self._at = end + len(ends)
                return
            if self._window.ended:
                self._at = len(text)
                return
            # Not over a backslash that may escape what comes, nor over the first half of an end.
            self._more(max(self._at, len(text) - (text.endswith(b"\\") if escapes else len(ends) - 1)))

    def _more(self, to: int) -> None:
        self._at = to
        self._flush()
        self._window.fill()
        self._at = self._window.at

    def _flush(self) -> None:
        if len(self._kept) < _KEPT:
            self._kept += self._window.text[self._window.at : self._at][: _KEPT - len(self._kept)]
        if self.silent:
            self._prose.drop(self._at)
        else:
            self._prose.take(self._at)
