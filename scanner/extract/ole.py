"""The old Microsoft container (compound file): which streams are inside, and their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from scanner.extract.sniff import Kind
    from scanner.model import Blob

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
NATIVE = "\x01Ole10Native"
CONTENTS = frozenset({"Package", "CONTENTS", "EmbeddedOdf", "package_stream", NATIVE})
"""The streams in which a compound file holds another file whole."""
_LAST = 0xFFFFFFFA  # sector numbers from here on are marks


@dataclass(frozen=True, slots=True)
class Entry:
    """A stream or a storage: its path, and where its bytes begin."""

    path: str
    storage: bool
    start: int
    size: int


class Compound:
    """A compound file, read by sectors as [MS-CFB] lays them out. Raises `ValueError` when it is damaged."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        stream.seek(0)
        head = stream.read(512)
        if len(head) < 512 or not head.startswith(MAGIC):
            raise ValueError("not a compound file")

        def number(at: int, size: int = 4) -> int:
            return int.from_bytes(head[at : at + size], "little")

        self._sector = 1 << min(number(30, 2), 16)
        self._small = 1 << min(number(32, 2), 12)
        self._cutoff = number(56)
        tables = [number(76 + 4 * i) for i in range(109)]
        more, guard = number(68), 0
        while more < _LAST and guard < 10_000:
            block = self._words(self._read(more))
            tables += block[:-1]
            more, guard = (block[-1] if block else _LAST), guard + 1
        self._fat: list[int] = []
        for table in tables:
            if table < _LAST:
                self._fat += self._words(self._read(table))
        self._minifat = self._words(b"".join(self._chain(number(60)))) if number(60) < _LAST else []
        self.entries: dict[str, Entry] = {}
        self._mini = b""
        self._walk(b"".join(self._chain(number(48))))

    def read(self, path: str) -> bytes:
        """The bytes of a stream; `KeyError` when there is none of that path."""
        entry = self.entries[path]
        if entry.size >= self._cutoff:
            return b"".join(self._chain(entry.start))[: entry.size]
        out, at, left = [], entry.start, entry.size
        while at < len(self._minifat) and left > 0:
            out.append(self._mini[at * self._small : (at + 1) * self._small])
            at, left = self._minifat[at], left - self._small
        return b"".join(out)[: entry.size]

    def _read(self, sector: int) -> bytes:
        self._stream.seek((sector + 1) * self._sector)
        return self._stream.read(self._sector)

    def _chain(self, sector: int) -> Iterator[bytes]:
        steps = 0
        while sector < len(self._fat) and steps <= len(self._fat):
            yield self._read(sector)
            sector, steps = self._fat[sector], steps + 1

    @staticmethod
    def _words(block: bytes) -> list[int]:
        return [int.from_bytes(block[at : at + 4], "little") for at in range(0, len(block) - 3, 4)]

    def _walk(self, directory: bytes) -> None:
        rows = [directory[at : at + 128] for at in range(0, len(directory) - 127, 128)]
        if not rows:
            raise ValueError("no directory")

        def word(row: bytes, at: int) -> int:
            return int.from_bytes(row[at : at + 4], "little")

        self._mini = b"".join(self._chain(word(rows[0], 116)))
        todo, seen = [(word(rows[0], 76), "")], set()
        while todo:
            at, parent = todo.pop()
            if at >= len(rows) or at in seen:
                continue
            seen.add(at)
            row = rows[at]
            length = max(int.from_bytes(row[64:66], "little") - 2, 0)
            path = parent + row[: min(length, 64)].decode("utf-16-le", "replace")
            storage = row[66] == 1
            self.entries[path] = Entry(path, storage, word(row, 116), word(row, 120))
            todo += [(word(row, 68), parent), (word(row, 72), parent)]
            if storage:
                todo.append((word(row, 76), path + "/"))


def kind_of(blob: Blob) -> Kind:
    """What a compound file holds, told from the names of its streams."""
    from scanner.extract.sniff import Kind

    try:
        names = set(Compound(blob.stream).entries)
    except ValueError:
        return Kind("ole")
    if "EncryptedPackage" in names or "EncryptionInfo" in names:
        return Kind("encrypted", "office document with a password")
    for stream, kind in (("WordDocument", "doc"), ("Workbook", "xls"), ("Book", "xls"),
                         ("PowerPoint Document", "ppt"), ("__properties_version1.0", "msg")):  # fmt: skip
        if stream in names:
            return Kind(kind)
    if any(name.rpartition("/")[2] in CONTENTS for name in names):
        return Kind("object")
    if any(name.rpartition("/")[2] == "_VBA_PROJECT" for name in names):
        return Kind("macros", "macros of an office document; not read")
    return Kind("ole", "binary content of an unknown kind")


_SUMMARY = {2: "title", 3: "subject", 4: "creator", 5: "keywords", 6: "description", 7: "template", 8: "lastModifiedBy"}
_DOCUMENT = {2: "category", 14: "manager", 15: "company", 26: "contenttype", 27: "contentstatus"}
_DULL = frozenset({"template"})
_TEXT, _WIDE, _VECTOR = 30, 31, 0x1000


def properties(compound: Compound) -> Iterator[tuple[str, str]]:
    """The properties of a document in a compound file ([MS-OLEPS]): who made it, what it is about, and its own ones."""
    for stream, names in (("\x05SummaryInformation", _SUMMARY), ("\x05DocumentSummaryInformation", _DOCUMENT)):
        if stream not in compound.entries:
            continue
        data = compound.read(stream)
        for at in range(min(_number(data, 24), 8)):
            start = _number(data, 28 + 20 * at + 16)
            own = at > 0
            yield from _set(data[start:], {} if own else names, own)


def _set(data: bytes, names: dict[int, str], own: bool) -> Iterator[tuple[str, str]]:
    """One set of properties; in a set of its own, a dictionary names them."""
    places = {_number(data, 8 + 8 * at): _number(data, 12 + 8 * at) for at in range(min(_number(data, 4), 1000))}
    page = _number(data, places[1] + 4) & 0xFFFF if 1 in places else 1252
    if own and 0 in places:
        names = dict(_dictionary(data, places[0], page))
    for key, at in places.items():
        name = names.get(key, "")
        kind = _number(data, at)
        if not name or name in _DULL or kind not in (_TEXT, _WIDE):
            continue
        size = _number(data, at + 4)
        raw = data[at + 8 : at + 8 + (size * 2 if kind == _WIDE else size)]
        yield name, _decoded(raw, 1200 if kind == _WIDE else page)


def _dictionary(data: bytes, at: int, page: int) -> Iterator[tuple[int, str]]:
    left, at = min(_number(data, at), 1000), at + 4
    for _ in range(left):
        key, size = _number(data, at), _number(data, at + 4)
        size = size * 2 if page == 1200 else size
        yield key, _decoded(data[at + 8 : at + 8 + size], page)
        at += 8 + size + (-size % 4 if page == 1200 else 0)


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _decoded(raw: bytes, page: int) -> str:
    codec = {1200: "utf-16-le", 65001: "utf-8", 10000: "mac-roman"}.get(page, f"cp{page}")
    try:
        return raw.decode(codec, "replace").split("\0")[0]
    except LookupError:
        return raw.decode("cp1252", "replace").split("\0")[0]
