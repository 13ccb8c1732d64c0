"""Archives, member by member, within limits: what they all share, and zip archives."""

from __future__ import annotations

import errno
import itertools
import re
import warnings
import zipfile
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO, cast

from scanner.errors import PersondataError
from scanner.extract.walk import Walk
from scanner.model import Blob, Limits, Opened, Problem, Reading, Why

IN_MEMORY = 32 * 2**20
"""A member is unpacked in memory up to this size, above it to a file for temporary use."""
_HARMLESS = 4 * 2**20
"""A member up to this size is no bomb, however well it was packed."""
_HARMLESS_TOGETHER = 4 * _HARMLESS
"""The same for all that is unpacked from one file."""
_CHUNK = 2**20
LIST_BYTES = 64 * 2**20
"""A zip archive's list of members may be so long, which is about a million of them: Python holds it ten times larger."""
_HEADER = 30
"""The least that stands before the bytes of a member (APPNOTE.TXT 4.3.7)."""
_UTF8_NAME = 0x800  # flag bit 11, APPNOTE.TXT 4.4.4
_WINDOWS = re.compile(b"[\xe5\xe6\xf8\xc5\xc6\xd8]")
_DOS = re.compile(b"[\x86\x91\x9b\x8f\x92\x9d]")
"""Danish letters in a name, as Windows (cp1252) and as DOS (cp865) write them."""


class TooMuchError(Exception):
    """A member goes over a limit; the message is ours and names the limit."""


class SpentError(TooMuchError):
    """All that was unpacked from the outermost file goes over a limit: nothing more of its archives is opened."""


class Keys:
    """Passwords in the order in which they are tried: what opened the last member comes first."""

    def __init__(self, passwords: tuple[str, ...]) -> None:
        self._passwords = list(passwords)

    def __iter__(self) -> Iterator[str]:
        return iter(self._passwords[:])

    def fits(self, password: str) -> None:
        """Remember what opened a member."""
        self._passwords.remove(password)
        self._passwords.insert(0, password)


def read_zip(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """Every member of a zip archive."""
    if problem := too_deep(blob, walk.limits):
        yield problem
        return
    if list_bytes(blob.stream) > LIST_BYTES:
        yield Problem(blob.object, Why.TOO_LARGE, f"the list of members takes more than {LIST_BYTES >> 20} MB")
        return
    try:
        archive = zipfile.ZipFile(blob.stream)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
        yield Problem(blob.object, Why.DAMAGED, f"the zip archive has no readable list of members ({_name(error)})")
        return
    with archive:
        members = archive.infolist()
        torn = _overlapping(members)
        safe = _Safe(blob, walk)
        used: dict[str, int] = {}
        for at, info in enumerate(members):
            if info.is_dir() and not info.file_size:
                continue
            name = member_name(blob.object, _spelled(info), used)
            if name in walk.skip:
                continue
            if problem := over(blob, name, info.file_size, info.compress_size, walk):
                yield problem
                if problem.object == blob.object:
                    return
            elif info.header_offset in torn:
                yield Problem(name, Why.DAMAGED, "shares its bytes with another member; not opened")
            elif info.flag_bits & 1:
                yield from safe.member(at, name)
            else:
                yield from _zip_member(blob, archive, info, name, walk)


def _zip_member(blob: Blob, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, walk: Walk) -> Iterator[Reading]:
    from scanner.extract import packed

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote names of members
            source = packed.zip_method(blob.stream, info) or archive.open(info)
    except NotImplementedError:
        yield Problem(name, Why.UNSUPPORTED, "packed by a method that is not opened")
    except ImportError as error:
        yield Problem(name, Why.UNSUPPORTED, f"packed by a method that needs the library {error.name}; it is not installed")
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, KeyError, RuntimeError) as error:
        yield Problem(name, Why.DAMAGED, f"the member cannot be opened ({_name(error)})")
    else:
        with source:
            yield from spooled(blob, name, source, info.compress_size, walk)


class _Safe:
    """The encrypted members of a zip archive, by ZipCrypto or WinZip's AES, and the passwords that may open them."""

    def __init__(self, blob: Blob, walk: Walk) -> None:
        self._blob, self._walk = blob, walk
        self._keys = Keys(walk.passwords)
        self._archive: Any = None

    def member(self, at: int, name: str) -> Iterator[Reading]:
        """Read the member at this place in the list. A password fits when the member's checksum is right."""
        if not self._walk.passwords:
            yield Problem(name, Why.ENCRYPTED, "encrypted member of a zip archive")
            return
        try:
            import pyzipper
        except ImportError:
            yield Problem(name, Why.ENCRYPTED, "encrypted member of a zip archive; the library pyzipper is not installed")
            return
        self._archive = self._archive or pyzipper.AESZipFile(self._blob.stream)
        info = self._archive.infolist()[at]
        with SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
            for password in self._keys:
                for spelling in _bytes_of(password):
                    try:
                        source = self._archive.open(info, pwd=spelling)
                    except NotImplementedError:
                        yield Problem(name, Why.UNSUPPORTED, "encrypted, and packed by a method that is not opened")
                        return
                    except (pyzipper.BadZipFile, EOFError, OSError, ValueError, KeyError, RuntimeError):
                        continue
                    with source:
                        size, problem = fill(spool, name, source, info.compress_size, self._walk)
                    if problem is None or problem.why is Why.TOO_LARGE:
                        self._keys.fits(password)
                        yield from spool_read(self._blob, name, spool, size, problem, self._walk)
                        return
        yield Problem(name, Why.ENCRYPTED, "encrypted member of a zip archive; none of the passwords opens it")


def _bytes_of(password: str) -> list[bytes]:
    """How the programs of different systems write a password that is not all ASCII."""
    return list(dict.fromkeys(password.encode(codec, "replace") for codec in ("utf-8", "cp1252", "cp865")))


def _spelled(info: zipfile.ZipInfo) -> str:
    """The name of a member. Without a mark it is UTF-8 if it can be, else what Danish Windows or DOS wrote."""
    if info.flag_bits & _UTF8_NAME or info.filename.isascii():
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252" if _WINDOWS.search(raw) and not _DOS.search(raw) else "cp865", "replace")


def _overlapping(members: list[zipfile.ZipInfo]) -> frozenset[int]:
    """Where members begin that reach into the next one: honest programs write none (D. Fifield, "A better zip bomb", 2019)."""
    ends: dict[int, int] = {}
    for info in members:
        ends[info.header_offset] = max(ends.get(info.header_offset, 0), info.header_offset + _HEADER + info.compress_size)
    starts = sorted(ends)
    return frozenset(start for start, following in itertools.pairwise(starts) if ends[start] > following)


def list_bytes(stream: BinaryIO) -> int:
    """How many bytes the list of members of a zip archive takes by its own account; 0 where none is found.

    APPNOTE.TXT 4.3.14 to 4.3.16.
    """
    end = stream.seek(0, 2)
    low = max(end - 2**16 - 22, 0)
    stream.seek(low)
    tail = stream.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0:
        return 0
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    if tail[at - 20 : at - 16] == b"PK\6\7":
        stream.seek(min(int.from_bytes(tail[at - 12 : at - 4], "little"), end))
        if (record := stream.read(48)).startswith(b"PK\6\6"):
            size = max(size if size != 0xFFFFFFFF else 0, int.from_bytes(record[40:48], "little"))
    return min(size, end)


def spooled(blob: Blob, name: str, source: IO[bytes], packed: int, walk: Walk) -> Iterator[Reading]:
    """Unpack one member to where it can be sought, in memory or aside, and read it.

    A member that breaks off is read as far as it goes, and then told as a problem.
    """
    with SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
        size, problem = fill(spool, name, source, packed, walk)
        yield from spool_read(blob, name, spool, size, problem, walk)


def fill(spool: SpooledTemporaryFile[bytes], name: str, source: IO[bytes], packed: int, walk: Walk) -> tuple[int, Problem | None]:
    """Unpack a member into an empty spool, telling `watch` at each step. Its size, and what went wrong if anything did."""
    spool.seek(0)
    spool.truncate()
    size = 0
    problem = None
    read = getattr(source, "read1", source.read)  # gives what there is before it breaks off
    try:
        while data := read(_CHUNK):
            walk.watch(name)
            size += len(data)
            check(size, packed, walk)
            spool.write(data)
    except TooMuchError as error:
        problem = Problem(name, Why.TOO_LARGE, str(error))
    except (MemoryError, PersondataError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            problem = Problem(name, Why.TOO_LARGE, "there is no room to unpack it on the disk for temporary files")
        else:
            problem = Problem(name, Why.DAMAGED, f"the member breaks off ({_name(error)})")
    walk.watch(walk.current)
    return size, problem


def spool_read(
    blob: Blob, name: str, spool: SpooledTemporaryFile[bytes], size: int, problem: Problem | None, walk: Walk
) -> Iterator[Reading]:
    """Read what was unpacked, and then tell what went wrong with it."""
    walk.bytes += size
    if problem and problem.why is not Why.DAMAGED:
        yield problem
        return
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


def check_ratio(size: int, packed: int, limits: Limits) -> None:
    """Raise `TooMuchError` when `size` bytes are far more than the `packed` ones that they came from."""
    if size > _HARMLESS and size > packed * limits.archive_ratio:
        raise TooMuchError("unpacks to far more than was packed; the limit is archive_ratio")


def check(size: int, packed: int, walk: Walk) -> None:
    """Raise `TooMuchError` when a member of `size` bytes that were unpacked from `packed` goes over a limit."""
    limits = walk.limits
    check_ratio(size, packed, limits)
    if walk.bytes + size > limits.archive_bytes:
        raise TooMuchError("the archive unpacks to too much; the limit is archive_bytes")
    if walk.size and walk.bytes + size > max(_HARMLESS_TOGETHER, walk.size * limits.archive_ratio):
        raise SpentError("all that lies inside unpacks to far more than was packed; the rest was not opened; the limit is archive_ratio")


def over(blob: Blob, name: str, size: int, packed: int, walk: Walk) -> Problem | None:
    """Count a member and hold its claims against the limits. A problem of the archive itself means: open no more of it."""
    walk.members += 1
    if walk.members > walk.limits.archive_members:
        return Problem(blob.object, Why.TOO_LARGE, "too many members; the rest was not opened; see archive_members")
    try:
        check(size, packed, walk)
    except SpentError as error:
        return Problem(blob.object, Why.TOO_LARGE, str(error))
    except TooMuchError as error:
        return Problem(name, Why.TOO_LARGE, str(error))
    return None


def too_deep(blob: Blob, limits: Limits) -> Problem | None:
    """A problem when the blob lies in more containers than are opened."""
    if blob.depth < limits.archive_depth:
        return None
    return Problem(blob.object, Why.TOO_LARGE, f"lies {blob.depth} containers deep; the limit is archive_depth")


def _name(error: BaseException) -> str:
    return type(error).__name__
