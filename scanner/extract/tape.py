"""Tar archives, plain or inside a packed stream: every file, and a word on every link and device."""

from __future__ import annotations

import tarfile
from collections.abc import Generator, Iterator
from typing import IO, cast

from scanner.errors import PersondataError
from scanner.extract.containers import TooMuchError, member_name, over, spooled, too_deep
from scanner.extract.walk import Walk
from scanner.model import Blob, Opened, Problem, Reading, Why

_CHUNK = 2**20
_HEADER_BYTES = 2 * 2**20
"""The longest header of a member, with its extensions: long names, attributes, maps of holes."""
_STRAYS = 20_000
"""So many blocks of 512 bytes are passed over in search of the next header."""
_SPECIAL = {tarfile.SYMTYPE: "symbolic link, not followed", tarfile.CHRTYPE: "not a file, but a device",
            tarfile.BLKTYPE: "not a file, but a device", tarfile.FIFOTYPE: "not a file, but a pipe"}  # fmt: skip


class _LostError(Exception):
    """Nothing that looks like a header comes any more."""


class _Tape:
    """A stream that tarfile reads from: bounds what a header may take, and notes where there was none."""

    def __init__(self, stream: IO[bytes], walk: Walk) -> None:
        self._stream, self._walk = stream, walk
        self.room: int | None = _HEADER_BYTES
        self.ended = False
        self.strays = 0
        self._blocks = 0

    def read(self, size: int) -> bytes:
        """The next bytes. Raises `TooMuchError` inside an endless header."""
        data = self._stream.read(size)
        if self.room is not None:
            self.room -= len(data)
            if self.room < 0:
                raise TooMuchError("a header of the tar archive is too long; what comes after it was not read")
        return data

    def header(self, block: bytes, good: bool) -> None:
        """A block was read where a header may stand. Raises `_LostError` when none was one for long."""
        self.room = _HEADER_BYTES
        self._blocks += 1
        if self._blocks % 4096 == 0:
            self._walk.watch(self._walk.current)
        if good or len(block) == 512:
            self.ended = not good and not any(block)
        if not good and len(block) == 512 and not self.ended:
            self.strays += 1
            if self.strays > _STRAYS:
                raise _LostError


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """Every entry of a tar archive but folders."""
    if problem := too_deep(blob, walk.limits):
        yield problem
        return
    blob.stream.seek(0)
    yield from members(blob, blob.stream, walk)


def members(blob: Blob, stream: IO[bytes], walk: Walk) -> Iterator[Reading]:
    """Every entry but folders of the tar archive that a stream gives, and of archives that were put behind it."""
    tape = _Tape(stream, walk)
    used: dict[str, int] = {}
    file = cast("IO[bytes]", tape)
    try:
        with tarfile.open(fileobj=file, mode="r|", tarinfo=_header(tape), ignore_zeros=True, errors="surrogateescape") as archive:
            while (info := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # tarfile keeps them all
                tape.room = None
                if not info.isdir() and (yield from _entry(blob, archive, info, used, walk)):
                    return
                _pass_over(archive, walk)
    except TooMuchError as error:
        yield Problem(blob.object, Why.TOO_LARGE, str(error))
        return
    except _LostError:
        pass
    except (MemoryError, PersondataError):
        raise
    except Exception as error:
        yield Problem(blob.object, Why.DAMAGED, f"the tar archive breaks off ({type(error).__name__})")
        return
    if tape.strays:
        yield Problem(blob.object, Why.DAMAGED, "headers of the tar archive are damaged; what belongs to them was not read")
    elif not tape.ended:
        yield Problem(blob.object, Why.DAMAGED, "the tar archive has no end mark: it may have been cut off")


def _header(tape: _Tape) -> type[tarfile.TarInfo]:
    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Header:
            try:
                header = super().frombuf(buf, encoding, errors)
            except tarfile.HeaderError:
                tape.header(bytes(buf), good=False)
                raise
            tape.header(bytes(buf), good=True)
            return header

    return Header


def _entry(blob: Blob, archive: tarfile.TarFile, info: tarfile.TarInfo, used: dict[str, int], walk: Walk) -> Generator[Reading, None, bool]:
    """Read one entry; whether it was one too many."""
    whole = info.isreg() or info.type not in tarfile.SUPPORTED_TYPES
    name = member_name(blob.object, _spelled(info.name), used)
    if name in walk.skip:
        return False
    size = info.size if whole else 0
    holes = getattr(info, "sparse", None)
    packed = sum(length for _, length in holes) if holes else size
    if problem := over(blob, name, size, packed, walk):
        yield problem
        return problem.object == blob.object
    if info.type in _SPECIAL:
        yield Problem(name, Why.UNSUPPORTED, _SPECIAL[info.type])
    elif info.islnk():
        target = member_name("", _spelled(info.linkname), {})[1:]
        if target in used:
            yield Opened(name, "link")
        else:
            yield Problem(name, Why.UNSUPPORTED, "hard link to a file that is not in the archive")
    elif source := archive.extractfile(info):
        yield from spooled(blob, name, source, packed, walk)
    return False


def _pass_over(archive: tarfile.TarFile, walk: Walk) -> None:
    """Read what is left of an entry, so that only headers are read where headers are looked for."""
    stream = archive.fileobj
    while stream and (left := archive.offset - stream.tell()) > 0:
        if not stream.read(min(left, _CHUNK)):
            return
        walk.watch(walk.current)


def _spelled(name: str) -> str:
    """A name that is not UTF-8, as Windows wrote it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return name
