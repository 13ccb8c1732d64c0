"""7z archives, read by py7zr one folder (one packed stream of many members) after the other, never unpacked to a path."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO, cast

from scanner.errors import PersondataError
from scanner.extract.containers import (
    IN_MEMORY,
    Keys,
    TooMuchError,
    check_ratio,
    fill,
    member_name,
    over,
    spool_read,
    spooled,
    too_deep,
)  # fmt: skip
from scanner.extract.walk import Walk
from scanner.model import Blob, Limits, Problem, Reading, Why

_PIECE = 16 * 2**20
"""Asked for less at a time, the decoders of py7zr hold packed bytes back in memory."""
_LZMA, _LZMA2, _PPMD, _AES = b"\3\1\1", b"\x21", b"\3\4\1", b"\6\xf1\7\1"  # Methods.txt of 7-Zip
_BOUNDED = frozenset({_LZMA, _LZMA2, _PPMD, _AES, b"\0", b"\3", b"\4\2\2", b"\3\3\1\3"})
"""Methods that give no more than they are asked for, or than they were given: LZMA, PPMd, AES, none, bzip2, delta, x86."""
_STEP, _SMALL_STEP = 2**15, 512
"""Decoders are fed so many bytes at a time; those that know no bound make up to 16 MB of the smaller step."""


class _ChecksumError(Exception):
    """The member is not what was packed."""


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """Every file of a 7z archive. Raises `ImportError` without py7zr."""
    import py7zr

    if problem := too_deep(blob, walk.limits):
        yield problem
        return
    keys = Keys(walk.passwords)
    locked = False
    for password in (None, *keys):
        try:
            archive = py7zr.SevenZipFile(io.BufferedReader(_Raw(blob.stream)), password=password)
        except py7zr.PasswordRequired:
            locked = True
        except (MemoryError, PersondataError):
            raise
        except Exception as error:
            if not locked:
                yield Problem(blob.object, Why.DAMAGED, f"the 7z archive has no readable list of members ({type(error).__name__})")
                return
        else:
            if password is not None:
                keys.fits(password)
            yield from _members(blob, archive, keys, walk)
            return
    detail = "; none of the passwords opens it" if walk.passwords else ""
    yield Problem(blob.object, Why.ENCRYPTED, f"7z archive with an encrypted list of members{detail}")


def _members(blob: Blob, archive: Any, keys: Keys, walk: Walk) -> Iterator[Reading]:
    folders = _folders(blob, archive, keys, walk)
    used: dict[str, int] = {}
    for file in getattr(archive, "files", ()):
        if file.is_directory:
            continue
        name = member_name(blob.object, file.filename, used)
        folder = None if file.emptystream else folders[id(file.folder)]
        start = folder.claim(file.uncompressed) if folder else 0
        if name in walk.skip:
            continue
        if problem := over(blob, name, file.uncompressed, folder.packed if folder else 0, walk):
            yield problem
            if problem.object == blob.object:
                return
        elif file.is_symlink:
            yield Problem(name, Why.UNSUPPORTED, "symbolic link, not followed")
        elif folder is None:
            yield from spooled(blob, name, io.BytesIO(), 0, walk)
        else:
            yield from folder.member(name, start, file.uncompressed, file.crc32)


def _folders(blob: Blob, archive: Any, keys: Keys, walk: Walk) -> dict[int, _Folder]:
    streams = getattr(getattr(archive, "header", None), "main_streams", None)
    folders: dict[int, _Folder] = {}
    if streams is None:
        return folders
    at = 0
    for folder in streams.unpackinfo.folders:
        start = archive.afterheader + streams.packinfo.packpos + streams.packinfo.packpositions[at]
        packed = streams.packinfo.packsizes[at]
        folders[id(folder)] = _Folder(blob, archive.fp, folder, start, packed, keys, walk)
        at += len(folder.packed_indices)
    return folders


class _Folder:
    """One packed stream: its members follow each other in what it unpacks to, and can only be reached in order."""

    def __init__(self, blob: Blob, stream: BinaryIO, folder: Any, start: int, packed: int, keys: Keys, walk: Walk) -> None:
        self._blob, self._stream, self._folder, self._keys, self._walk = blob, stream, folder, keys, walk
        self.packed = packed
        self._start = start
        self._claimed = 0
        self._problem: tuple[Why, str] | None = None
        self._bytes: _Bytes | None = None
        self._locked = any(coder["method"] == _AES for coder in folder.coders)

    def claim(self, size: int) -> int:
        """Where the next member begins, which is of this size."""
        start = self._claimed
        self._claimed += size
        return start

    def member(self, name: str, start: int, size: int, checksum: int | None) -> Iterator[Reading]:
        """Read one member; once a member cannot be unpacked, those behind it cannot either."""
        try:
            check_ratio(start + size, self.packed, self._walk.limits)
        except TooMuchError as error:
            yield Problem(name, Why.TOO_LARGE, str(error))
            return
        with SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
            given, problem = self._unpack(spool, name, start, size, checksum)
            yield from spool_read(self._blob, name, spool, given, problem, self._walk)

    def _unpack(
        self, spool: SpooledTemporaryFile[bytes], name: str, start: int, size: int, checksum: int | None
    ) -> tuple[int, Problem | None]:
        if self._problem is None and self._bytes is None:
            self._problem = _too_hungry(self._folder.coders, self._walk.limits)
        if self._problem:
            return 0, Problem(name, *self._problem)
        for password in self._passwords():
            try:
                source = self._bytes or self._decoder(password)
            except (MemoryError, PersondataError):
                raise
            except Exception as error:
                self._problem = (Why.UNSUPPORTED, f"packed by methods that are not opened ({type(error).__name__})")
                return 0, Problem(name, *self._problem)
            part = cast("IO[bytes]", _Part(source, start, size, checksum))
            given, problem = fill(spool, name, part, self.packed, self._walk)
            if problem is None or problem.why is Why.TOO_LARGE or not self._locked or self._bytes:
                self._bytes = source
                if problem and problem.why is Why.DAMAGED:
                    self._problem = (Why.DAMAGED, "is packed behind a member that is damaged")
                if password is not None:
                    self._keys.fits(password)
                return given, problem
        detail = "; none of the passwords opens it" if self._walk.passwords else ""
        self._problem = (Why.ENCRYPTED, f"encrypted member of a 7z archive{detail}")
        return 0, Problem(name, *self._problem)

    def _passwords(self) -> Iterator[str | None]:
        if self._locked and self._bytes is None:
            yield from self._keys
        else:
            yield None

    def _decoder(self, password: str | None) -> _Bytes:
        self._folder.password = password
        decoder = self._folder.get_decompressor(self.packed, reset=True)
        bounded = all(coder["method"] in _BOUNDED for coder in self._folder.coders)
        decoder.block_size = _STEP if bounded else _SMALL_STEP
        return _Bytes(self._stream, decoder, self._start)


def _too_hungry(coders: list[dict[str, Any]], limits: Limits) -> tuple[Why, str] | None:
    """What the dictionaries of LZMA and PPMd would take, if that is more than a unit should."""
    need = 0
    for coder in coders:
        properties = coder["properties"] or b""
        if coder["method"] in (_LZMA, _PPMD):
            need += int.from_bytes(properties[1:5], "little")
        elif coder["method"] == _LZMA2 and properties:
            need += (2 | properties[0] & 1) << min(properties[0] // 2 + 11, 31)
    if need > limits.unit_memory // 2:
        return Why.TOO_LARGE, f"needs {need >> 20} MB of memory to be unpacked; the limit is half of unit_memory"
    return None


class _Bytes:
    """What a folder unpacks to, from its start."""

    def __init__(self, stream: BinaryIO, decoder: Any, start: int) -> None:
        self._stream, self._decoder, self._place = stream, decoder, start
        self._held = memoryview(b"")
        self.at = 0

    def read(self, size: int) -> bytes:
        """At most so many of the next bytes. Raises `EOFError` when there are none."""
        while not self._held:
            self._stream.seek(self._place)
            data = self._decoder.decompress(self._stream, _PIECE)
            moved, self._place = self._stream.tell() != self._place, self._stream.tell()
            if not data and not moved:
                raise EOFError
            self._held = memoryview(data)
        piece = bytes(self._held[:size])
        self._held = self._held[size:]
        self.at += len(piece)
        return piece


class _Part:
    """One member in what a folder unpacks to."""

    def __init__(self, source: _Bytes, start: int, size: int, checksum: int | None) -> None:
        self._source, self._start, self._left, self._checksum = source, start, size, checksum
        self._sum = 0

    def read(self, size: int) -> bytes:
        """The next bytes, `b""` at the end. Raises when the folder breaks off or the checksum is wrong."""
        while self._source.at < self._start:
            self._source.read(min(size, self._start - self._source.at))
        if not self._left:
            if self._checksum not in (None, self._sum):
                raise _ChecksumError
            return b""
        data = self._source.read(min(size, self._left))
        self._left -= len(data)
        self._sum = zlib.crc32(data, self._sum)
        return data


class _Raw(io.RawIOBase):
    """A stream that belongs to another, without a name and never closed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        stream.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
