"""Plain text: which encoding bytes are in, and how texts are cut into rows that overlap."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from scanner.extract import mainframe
from scanner.model import CUT, OVERLAP, Blob, Reading, Seams, Shape, TextBatch

if TYPE_CHECKING:
    import pyarrow as pa

    from scanner.extract.walk import Walk

HEAD = 65_536
"""How many bytes are looked at to tell what a file is."""
CHUNK = 2**20
LOT = 4 * 2**20
"""A batch is sent when it holds this many code points: never more than `model.BATCH_BYTES` in UTF-8."""

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1a\x1b"))

_DOS = re.compile(b"[A-Za-z][\x86\x91\x9b][a-z]")
_MAC = re.compile(b"[A-Za-z][\x8c\xbe\xbf][a-z]")
"""The letters å, æ and ø as DOS and the old Macintosh wrote them; in cp1252 these are signs that stand in no word."""


class Encoding(NamedTuple):
    """How bytes become text: a Python codec, and what it does with bytes that do not fit."""

    name: str
    errors: str


def encoding_of(head: bytes) -> Encoding | None:
    """The encoding of a file that begins with `head`; `None` when it is not text.

    Single-byte files need no guess: bytes that are not UTF-8 are read as cp1252, one by one.
    """
    codecs.register_error("stray-cp1252", _stray)
    for bom, name in _BOMS:
        if head.startswith(bom):
            return Encoding(name, "stray-cp1252" if name == "utf-8-sig" else "replace")
    if b"\0" in head:
        if wide := _utf32(head):
            return wide
        half = max(len(head) // 2, 1)
        even, odd = head[0::2].count(0) / half, head[1::2].count(0) / half
        for name, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
            if zeros > 0.4 and others < 0.05:
                text = head[: len(head) // 2 * 2].decode(name, "replace")
                strange = sum(1 for c in text if (c < " " and c not in "\t\n\r\f") or c == "\ufffd")
                return Encoding(name, "replace") if strange <= max(1, len(text) // 50) else None
        return None
    if len(_DOS.findall(head)) > 1 and not re.search(b"[\xe5\xe6\xf8]", head):
        return Encoding("cp865", "replace")
    if len(_MAC.findall(head)) > 1 and not re.search(b"[\xe5\xe6\xf8]", head):
        return Encoding("mac-roman", "replace")
    if mainframe.is_ebcdic(head):
        mainframe.register()
        return Encoding(mainframe.CODEC, "replace")
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return Encoding("utf-8", "stray-cp1252") if controls <= max(1, len(head) // 50) else None


def _utf32(head: bytes) -> Encoding | None:
    quarter = len(head) // 4
    if quarter < 4:
        return None
    zeros = [head[at : quarter * 4 : 4].count(0) for at in range(4)]
    for name, high in (("utf-32-le", (3, 2)), ("utf-32-be", (0, 1))):
        if zeros[high[0]] == quarter and zeros[high[1]] > 0.9 * quarter and sum(zeros) < 3.1 * quarter:
            return Encoding(name, "replace")
    return None


def _stray(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _single(error.object[error.start : error.end]), error.end


def _single(data: bytes) -> str:
    """Bytes as cp1252, and as latin-1 where that has no letter for them."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return "".join(bytes([b]).decode("latin-1" if b in b"\x81\x8d\x8f\x90\x9d" else "cp1252") for b in data)


def decoded(stream: BinaryIO, encoding: Encoding | None = None, size: int = CHUNK) -> Iterator[str]:
    """The text of a stream from its start, in chunks; bytes that are not text are read as cp1252."""
    stream.seek(0)
    chunk = stream.read(size)
    encoding = encoding or encoding_of(chunk[:HEAD]) or Encoding("utf-8", "stray-cp1252")
    if encoding == ("utf-8", "stray-cp1252"):
        yield from _utf8(stream, chunk, size)
        return
    decoder = codecs.getincrementaldecoder(encoding.name)(encoding.errors)
    while chunk:
        if text := decoder.decode(chunk):
            yield text
        chunk = stream.read(size)
    if text := decoder.decode(b"", True):
        yield text


def _utf8(stream: BinaryIO, chunk: bytes, size: int) -> Iterator[str]:
    """UTF-8 in which other bytes may stray; a file that is all cp1252 must not be slow."""
    rest = b""
    while chunk:
        chunk = rest + chunk
        end = len(chunk)
        while end and len(chunk) - end < 4 and chunk[end - 1] & 0xC0 == 0x80:
            end -= 1
        end = end - 1 if end and chunk[end - 1] >= 0xC0 else len(chunk)
        chunk, rest = chunk[:end], chunk[end:]
        if chunk:
            yield _mended(chunk)
        chunk = stream.read(size)
    if rest:
        yield _mended(rest)


def _mended(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        if not re.search(rb"[\xc2-\xf4][\x80-\xbf]", data):
            return _single(data)
    if len(data) <= 4096:
        return data.decode("utf-8", "stray-cp1252")
    pieces = re.findall(rb"[\x80-\xff]*[^\x80-\xff]{0,2048}", data)  # no letter is split
    out: list[str] = []
    at = 0
    while at < len(pieces):
        block = [pieces[at]]
        held = len(pieces[at])
        at += 1
        while at < len(pieces) and held < 2048:
            block.append(pieces[at])
            held += len(pieces[at])
            at += 1
        joined = b"".join(block)
        out.append(_mended(joined) if held <= 4096 else joined.decode("utf-8", "stray-cp1252"))
    return "".join(out)


def strings(values: Sequence[str | None]) -> pa.StringArray:
    """An Arrow array of texts; half characters (lone surrogates) become question marks."""
    import pyarrow as pa

    try:
        return pa.array(values, pa.string())
    except (UnicodeEncodeError, pa.ArrowInvalid):
        clean = [v if v is None else v.encode("utf-8", "replace").decode("utf-8") for v in values]
        return pa.array(clean, pa.string())


class Row(NamedTuple):
    """One cut row. `line` and `base` belong to its first character; it owns `[begin, end)` of itself."""

    text: str
    line: int
    base: int
    begin: int
    end: int


class Cutter:
    """Cuts a text that arrives in pieces into rows of `CUT` code points that see `OVERLAP` of their neighbours."""

    def __init__(self, by_line: bool = False) -> None:
        self._by_line = by_line
        self._text = ""
        self._at = 0  # offset of the first held character
        self._own = 0  # offset of the first character that the next row owns
        self._line, self._line_at, self._counted = 1, 0, 0

    def feed(self, text: str, last: bool = False) -> Iterator[Row]:
        """Take the next piece; give the rows that are ready, with `last` all of them."""
        self._text += text
        have = self._at + len(self._text)
        while self._own + CUT + OVERLAP <= have or (last and self._own < have):
            start = max(self._own - OVERLAP, 0)
            row = self._text[start - self._at : self._own + CUT + OVERLAP - self._at]
            if self._by_line:
                self._count(start)
            begin = self._own - start
            base = start - self._line_at if self._by_line else start
            yield Row(row, self._line, base, begin, min(begin + CUT, len(row)))
            self._own += CUT
        keep = max(self._own - OVERLAP, 0)
        if self._by_line:
            self._count(min(keep, have))
        self._text, self._at = self._text[keep - self._at :], min(keep, have)

    def _count(self, to: int) -> None:
        low, high = self._counted - self._at, to - self._at
        if breaks := self._text.count("\n", low, high):
            self._line += breaks
            self._line_at = self._at + self._text.rfind("\n", low, high) + 1
        self._counted = to


@dataclass(slots=True)
class _Column:
    texts: list[str] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    cuts: dict[int, Row] = field(default_factory=dict)


class Texts:
    """Collects texts by field, cuts the long ones, and gives them as batches when there are enough."""

    def __init__(self, object: str) -> None:
        self.object = object
        self.given = 0
        self._columns: dict[Shape, dict[str, _Column]] = {Shape.PROSE: {}, Shape.CELL: {}}
        self._cells = self._columns[Shape.CELL]  # enum members hash slowly
        self._held = 0

    def add(self, record: str, field: str, text: str, shape: Shape = Shape.PROSE) -> None:
        """Take one whole text; blank ones say nothing and are left out."""
        if not text or text.isspace():
            return
        self.given += 1
        if len(text) > CUT:
            for row in Cutter().feed(text, last=True):
                self._row(record, field, row, shape)
            return
        column = self._cells.get(field) if shape is Shape.CELL else None
        if column is None:
            column = self._column(field, shape)
        column.texts.append(text)
        column.records.append(record)
        self._held += len(text) + 64

    def flow(self, record: str, field: str, shape: Shape = Shape.PROSE) -> Flow:
        """A text that arrives in pieces."""
        return Flow(self, record, field, shape)

    def full(self) -> Iterator[TextBatch]:
        """What is held, if it is much."""
        if self._held >= LOT:
            yield from self.rest()

    def rest(self) -> Iterator[TextBatch]:
        """All that is held."""
        self._held = 0
        for shape, columns in self._columns.items():
            taken = list(columns.items())
            columns.clear()
            for name, column in taken:
                yield from self._batches(name, shape, column)

    def _column(self, field: str, shape: Shape) -> _Column:
        columns = self._cells if shape is Shape.CELL else self._columns[shape]
        column = columns.get(field)
        if column is None:
            column = columns[field] = _Column()
        return column

    def _row(self, record: str, field: str, row: Row, shape: Shape) -> None:
        column = self._column(field, shape)
        column.cuts[len(column.texts)] = row
        column.texts.append(row.text)
        column.records.append(record)
        self._held += len(row.text)

    def _batches(self, name: str, shape: Shape, column: _Column) -> Iterator[TextBatch]:
        low = size = 0
        for high, text in enumerate(column.texts):
            if size and size + len(text) > LOT:
                yield self._batch(name, shape, column, low, high)
                low, size = high, 0
            size += len(text)
        yield self._batch(name, shape, column, low, len(column.texts))

    def _batch(self, name: str, shape: Shape, column: _Column, low: int, high: int) -> TextBatch:
        texts = column.texts[low:high]
        seams = None
        if any(low <= at < high for at in column.cuts):
            whole = (column.cuts.get(low + i) or Row(t, 0, 0, 0, len(t)) for i, t in enumerate(texts))
            seams = seams_of(list(whole))
        return TextBatch(self.object, name, strings(texts), strings(column.records[low:high]), shape, seams=seams)


class Flow:
    """One text of a record, written piece by piece into `Texts`."""

    def __init__(self, texts: Texts, record: str, field: str, shape: Shape) -> None:
        self._texts, self._record, self._field, self._shape = texts, record, field, shape
        self._cutter: Cutter | None = None
        self._pieces: list[str] = []
        self._size = 0

    def write(self, piece: str) -> None:
        """Take the next piece."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > 2 * CUT:
            self._cutter = self._cutter or Cutter()
            self._send(self._cutter, last=False)

    def end(self) -> None:
        """The text is complete."""
        if self._cutter is None:
            self._texts.add(self._record, self._field, "".join(self._pieces), self._shape)
        else:
            self._send(self._cutter, last=True)
        self._pieces, self._size, self._cutter = [], 0, None

    def _send(self, cutter: Cutter, last: bool) -> None:
        for row in cutter.feed("".join(self._pieces), last):
            self._texts.given += 1
            self._texts._row(self._record, self._field, row, self._shape)
        self._pieces, self._size = [], 0


def seams_of(rows: list[Row]) -> Seams:
    """The seams of cut rows, as Arrow arrays."""
    import pyarrow as pa

    base, begin, end = (pa.array([row[at] for row in rows], pa.int64()) for at in (2, 3, 4))
    return Seams(base, begin, end)


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """Plain text of any length, addressed by line."""
    yield from lines(blob.object, decoded(blob.stream), by_line=walk.by_line)


def lines(object: str, chunks: Iterable[str], field: str = "", by_line: bool = True) -> Iterator[TextBatch]:
    """Decoded chunks as rows addressed by line. A lone return counts as a line break where no newline occurs."""
    cutter = Cutter(by_line)
    rows: list[Row] = []
    held = 0
    returns: bool | None = None
    for chunk in chunks:
        if returns is None or (returns and "\n" in chunk):
            returns = "\n" not in chunk and "\r" in chunk
        for row in cutter.feed(chunk.replace("\r", "\n") if returns else chunk):
            rows.append(row)
            held += len(row.text)
        if held >= LOT - 2 * CUT:
            yield _lines_batch(object, field, rows, by_line)
            rows, held = [], 0
    rows.extend(cutter.feed("", last=True))
    if any(not row.text.isspace() for row in rows):
        yield _lines_batch(object, field, rows, by_line)


def _lines_batch(object: str, field: str, rows: list[Row], by_line: bool) -> TextBatch:
    records = strings([str(row.line) if by_line else "" for row in rows])
    whole = all(row.base == row.begin == 0 and row.end == len(row.text) for row in rows)
    seams = None if whole else seams_of(rows)
    return TextBatch(object, field, strings([row.text for row in rows]), records, by_line=by_line, seams=seams)
