"""Archives, member by member: zip, tar, and single packed files, inside each other and within limits."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast

from scanner.extract.walk import Walk
from scanner.model import Blob, Limits, Opened, Problem, Reading, Why

_IN_MEMORY = 32 * 2**20
_HARMLESS = 4 * 2**20
"""A member up to this size is no bomb, however well it was packed."""
_CHUNK = 2**20
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, KeyError)

_ENDINGS = {"gz": "", "bz2": "", "xz": "", "svgz": ".svg"}


class _TooMuchError(Exception):
    """A member goes over a limit; the message is ours and names the limit."""


def read_zip(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """Every member of a zip archive."""
    if problem := _too_deep(blob, walk.limits):
        yield problem
        return
    try:
        archive = zipfile.ZipFile(blob.stream)
    except _BROKEN as error:
        yield Problem(blob.object, Why.DAMAGED, f"the zip archive has no readable list of members ({_name(error)})")
        return
    with archive:
        used: dict[str, int] = {}
        for info in archive.infolist():
            if info.is_dir():
                continue
            name = member_name(blob.object, info.filename, used)
            if name in walk.skip:
                continue
            if problem := _over(blob, name, info.file_size, info.compress_size, walk):
                yield problem
                if walk.members > walk.limits.archive_members:
                    return
            elif info.flag_bits & 1:
                yield Problem(name, Why.ENCRYPTED, "encrypted member of a zip archive")
            else:
                yield from _zip_member(blob, archive, info, name, walk)


def _zip_member(blob: Blob, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, walk: Walk) -> Iterator[Reading]:
    try:
        source = archive.open(info)
    except NotImplementedError:
        yield Problem(name, Why.UNSUPPORTED, "packed by a method that is not opened")
    except (*_BROKEN, RuntimeError) as error:
        yield Problem(name, Why.DAMAGED, f"the member cannot be opened ({_name(error)})")
    else:
        with source:
            yield from spooled(blob, name, source, info.compress_size, walk)


def read_tar(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """Every file of a tar archive."""
    if problem := _too_deep(blob, walk.limits):
        yield problem
        return
    blob.stream.seek(0)
    yield from _tar(blob, blob.stream, walk)


def _tar(blob: Blob, stream: IO[bytes], walk: Walk) -> Iterator[Reading]:
    used: dict[str, int] = {}
    start = walk.bytes
    try:
        with tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape") as archive:
            while (info := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # tarfile keeps them all
                if not info.isfile():
                    continue
                name = member_name(blob.object, info.name, used)
                if name in walk.skip:
                    continue
                if problem := _over(blob, name, info.size, info.size, walk):
                    yield problem
                    if walk.members > walk.limits.archive_members or walk.bytes - start > walk.limits.archive_bytes:
                        return
                elif source := archive.extractfile(info):
                    yield from spooled(blob, name, source, info.size, walk)
    except _TooMuchError as error:
        yield Problem(blob.object, Why.TOO_LARGE, str(error))
    except _BROKEN as error:
        yield Problem(blob.object, Why.DAMAGED, f"the tar archive breaks off ({_name(error)})")


def read_packed(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """A file packed by gzip, bzip2 or xz; a tar archive inside it is no level of its own."""
    if problem := _too_deep(blob, walk.limits):
        yield problem
        return
    stream = _unpacked(blob)
    try:
        head = stream.read(512)
    except _BROKEN as error:
        yield Problem(blob.object, Why.DAMAGED, f"the packed file cannot be opened ({_name(error)})")
        return
    if _is_tar(head):
        yield from _tar(blob, cast("IO[bytes]", _Checked(_unpacked(blob), blob.size, walk)), walk)
        return
    stem, _, suffix = PurePosixPath(blob.object.rpartition("!")[2]).name.rpartition(".")
    name = member_name(blob.object, stem + _ENDINGS.get(suffix.lower(), "." + suffix), {})
    if name in walk.skip:
        return
    walk.members += 1
    yield from spooled(blob, name, _unpacked(blob), blob.size, walk)


def _unpacked(blob: Blob) -> IO[bytes]:
    import bz2
    import gzip

    blob.stream.seek(0)
    magic = blob.stream.read(2)
    blob.stream.seek(0)
    if magic == b"\x1f\x8b":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=blob.stream, mode="rb"))
    return cast("IO[bytes]", bz2.BZ2File(blob.stream) if magic == b"BZ" else lzma.LZMAFile(blob.stream))


def _is_tar(head: bytes) -> bool:
    from scanner.extract.sniff import tar_kind

    return tar_kind(head) is not None


class _Checked:
    """A packed stream that stops when it gives far more than was put in."""

    def __init__(self, stream: IO[bytes], packed: int, walk: Walk) -> None:
        self._stream, self._packed, self._walk = stream, packed, walk
        self._given = 0

    def read(self, size: int) -> bytes:
        """The next bytes."""
        data = self._stream.read(size)
        self._given += len(data)
        _check(self._given, self._packed, 0, self._walk.limits)
        return data


def spooled(blob: Blob, name: str, source: IO[bytes], packed: int, walk: Walk) -> Iterator[Reading]:
    """Unpack one member to where it can be sought, in memory or aside, and read it.

    A member that breaks off is read as far as it goes, and then told as a problem.
    """
    problem: Problem | None = None
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        size = 0
        try:
            read = getattr(source, "read1", source.read)  # gives what there is before it breaks off
            while data := read(_CHUNK):
                size += len(data)
                _check(size, packed, walk.bytes, walk.limits)
                spool.write(data)
        except _TooMuchError as error:
            yield Problem(name, Why.TOO_LARGE, str(error))
            return
        except (*_BROKEN, RuntimeError) as error:
            problem = Problem(name, Why.DAMAGED, f"the member breaks off ({_name(error)})")
        walk.bytes += size
        if problem and not size:
            yield Opened(name, "unknown")
        else:
            yield from walk.open(Blob(name, cast("BinaryIO", spool), size, depth=blob.depth + 1, skip=blob.skip))
    if problem:
        yield problem


def member_name(container: str, name: str, used: dict[str, int]) -> str:
    """The object of a member; a second member of the same name gets a number."""
    name = name.encode("utf-8", "backslashreplace").decode().replace("\0", "").strip("/") or "content"
    while name.startswith("./"):
        name = name[2:]
    used[name] = used.get(name, 0) + 1
    return f"{container}!{name}" + (f" ({used[name]})" if used[name] > 1 else "")


def _check(size: int, packed: int, before: int, limits: Limits) -> None:
    if size > _HARMLESS and size > packed * limits.archive_ratio:
        raise _TooMuchError("unpacks to far more than was packed; the limit is archive_ratio")
    if before + size > limits.archive_bytes:
        raise _TooMuchError("the archive unpacks to too much; the limit is archive_bytes")


def _over(blob: Blob, name: str, size: int, packed: int, walk: Walk) -> Problem | None:
    """Count a member; what is wrong with its claims, if anything."""
    walk.members += 1
    if walk.members > walk.limits.archive_members:
        return Problem(blob.object, Why.TOO_LARGE, "too many members; the rest was not opened; see archive_members")
    try:
        _check(size, packed, walk.bytes, walk.limits)
    except _TooMuchError as error:
        return Problem(name, Why.TOO_LARGE, str(error))
    return None


def _too_deep(blob: Blob, limits: Limits) -> Problem | None:
    if blob.depth < limits.archive_depth:
        return None
    return Problem(blob.object, Why.TOO_LARGE, f"lies {blob.depth} containers deep; the limit is archive_depth")


def _name(error: BaseException) -> str:
    return type(error).__name__
