"""The old Microsoft container (compound file): which streams are inside, and their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from scanner.extract.sniff import Kind
    from scanner.model import Blob

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
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
    return Kind("ole", "binary content of an unknown kind")
