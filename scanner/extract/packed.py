"""Single packed files: gzip, bzip2, xz and zstd, in one stream or several; and what zip archives pack by zstd or deflate64."""

from __future__ import annotations

import gzip
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from types import TracebackType
from typing import IO, Any, BinaryIO, Protocol, cast

from scanner.errors import PersondataError
from scanner.extract import tape
from scanner.extract.containers import TooMuchError, check_ratio, member_name, spooled, too_deep
from scanner.extract.walk import Walk
from scanner.model import Blob, Limits, Problem, Reading, Why

_ENDINGS = {"gz": "", "bz2": "", "xz": "", "zst": "", "zstd": "", "svgz": ".svg"}
_STEP = 2**16
_SMALL_STEP = 512
"""Fed in pieces of this size, a decoder that knows no bound gives at most some 32 MB at a time."""
_ZSTD, _DEFLATE64 = 93, 9  # APPNOTE.TXT 4.4.5
_WINDOW = 27
"""Zstandard windows up to 128 MB: what its own program opens without being told to use more memory."""
_XZ_MEMORY = 512 * 2**20


class Decoder(Protocol):
    """What `bz2`, `lzma` and `compression.zstd` have in common."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


class Unpacked:
    """What one or more packed streams after each other give, a bounded piece at a time.

    Raises `EOFError` when the last one breaks off, `TooMuchError` when it asks for too much memory, and what the decoder raises.
    """

    def __init__(self, source: IO[bytes], decoder: Callable[[], Decoder], step: int = _STEP, crc: int | None = None) -> None:
        self._source, self._make, self._step, self._crc = source, decoder, step, crc
        self._decoder = decoder()
        self._sum = 0

    def read(self, size: int) -> bytes:
        """The next bytes, `b""` at the end."""
        while True:
            if self._decoder.eof:
                rest = (self._decoder.unused_data or self._source.read(self._step)).lstrip(b"\0")
                while not rest:
                    rest = self._source.read(self._step)
                    if not rest:
                        return self._end()
                    rest = rest.lstrip(b"\0")
                self._decoder = self._make()
            elif self._decoder.needs_input:
                rest = self._source.read(self._step)
                if not rest:
                    raise EOFError
            else:
                rest = b""
            if data := self._decoded(rest, size):
                self._sum = zlib.crc32(data, self._sum)
                return data

    def _decoded(self, data: bytes, size: int) -> bytes:
        try:
            return self._decoder.decompress(data, size)
        except Exception as error:
            if "emory" in str(error) and not isinstance(error, MemoryError):  # the only sign that liblzma's and libzstd's bindings give
                raise TooMuchError("needs too much memory to be unpacked") from None
            raise

    def _end(self) -> bytes:
        if self._crc is not None and self._sum != self._crc:
            raise zipfile.BadZipFile
        return b""

    def __enter__(self) -> Unpacked:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The source is another's."""


class _Window:
    """A part of a stream that others read too."""

    def __init__(self, stream: BinaryIO, start: int, size: int) -> None:
        self._stream, self._at, self._end = stream, start, start + size

    def read(self, size: int) -> bytes:
        self._stream.seek(self._at)
        data = self._stream.read(min(size, self._end - self._at))
        self._at += len(data)
        return data


class _Inflate64:
    """The deflate64 decoder in the manner of the others."""

    needs_input = True

    def __init__(self) -> None:
        import inflate64

        self._inflater = inflate64.Inflater()
        self.unused_data = b""

    @property
    def eof(self) -> bool:
        return bool(self._inflater.eof)

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:  # noqa: ARG002 - it knows no bound
        return bytes(self._inflater.inflate(data))


def zip_method(stream: BinaryIO, info: zipfile.ZipInfo) -> IO[bytes] | None:
    """The bytes of a zip member that is packed by zstd or deflate64; `None` for the methods that Python opens itself.

    Raises `ImportError` without the library, `BadZipFile` when the member is not where the list says.
    """
    if info.compress_type not in (_ZSTD, _DEFLATE64):
        return None
    stream.seek(info.header_offset)
    head = stream.read(30)
    if len(head) < 30 or not head.startswith(b"PK\3\4"):
        raise zipfile.BadZipFile
    start = info.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    window = cast("IO[bytes]", _Window(stream, start, info.compress_size))
    if info.compress_type == _ZSTD:
        return cast("IO[bytes]", Unpacked(window, _zstd, crc=info.CRC))
    return cast("IO[bytes]", Unpacked(window, _Inflate64, _SMALL_STEP, crc=info.CRC))


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """A file packed by gzip, bzip2, xz or zstd; a tar archive inside it is no level of its own."""
    from scanner.extract.sniff import tar_kind

    if problem := too_deep(blob, walk.limits):
        yield problem
        return
    try:
        head = _unpacked(blob).read(512)
    except (MemoryError, PersondataError, ImportError):
        raise
    except TooMuchError as error:
        yield Problem(blob.object, Why.TOO_LARGE, str(error))
        return
    except Exception as error:
        yield Problem(blob.object, Why.DAMAGED, f"the packed file cannot be opened ({type(error).__name__})")
        return
    if head[257:262] == b"ustar" or tar_kind(head) is not None:
        yield from tape.members(blob, cast("IO[bytes]", _Checked(_unpacked(blob), blob.size, walk.limits)), walk)
        return
    stem, _, suffix = PurePosixPath(blob.object.rpartition("!")[2]).name.rpartition(".")
    name = member_name(blob.object, stem + _ENDINGS.get(suffix.lower(), "." + suffix), {})
    if name in walk.skip:
        return
    walk.members += 1
    yield from spooled(blob, name, _unpacked(blob), blob.size, walk)


def _unpacked(blob: Blob) -> IO[bytes]:
    import bz2

    blob.stream.seek(0)
    magic = blob.stream.read(4)
    blob.stream.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=blob.stream, mode="rb"))
    if magic.startswith(b"BZ"):
        return cast("IO[bytes]", Unpacked(blob.stream, bz2.BZ2Decompressor))
    if magic.startswith(b"\xfd7zX"):
        return cast("IO[bytes]", Unpacked(blob.stream, _xz))
    return cast("IO[bytes]", Unpacked(blob.stream, _zstd))


def _xz() -> Decoder:
    return lzma.LZMADecompressor(memlimit=_XZ_MEMORY)


def _zstd() -> Decoder:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    options: Any = {zstd.DecompressionParameter.window_log_max: _WINDOW}
    return cast("Decoder", zstd.ZstdDecompressor(options=options))


class _Checked:
    """A packed stream that stops when it gives far more than was put in."""

    def __init__(self, stream: IO[bytes], packed: int, limits: Limits) -> None:
        self._stream, self._packed, self._limits = stream, packed, limits
        self._given = 0

    def read(self, size: int) -> bytes:
        """The next bytes."""
        data = self._stream.read(size)
        self._given += len(data)
        check_ratio(self._given, self._packed, self._limits)
        return data
