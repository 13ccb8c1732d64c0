"""Writes the package: a zip archive, encrypted when there is a password, whole or not at all, the same order and dates every time."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import IO, Any, Self

from scanner.errors import UsageError

_CHUNK = 2**20
_WINDOWS = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)\Z")


class Package:
    """The archive while it is written, as a context manager: what goes wrong inside leaves nothing behind.

    Names inside are not encrypted by any zip program: they are numbers and names of sources, and tell of nobody.
    """

    def __init__(self, path: Path, password: str, day: date) -> None:
        self._path, self._password = path, password
        self._date = (max(day.year, 1980), day.month, day.day, 0, 0, 0)
        self._used: set[str] = set()
        self._aside = Path()
        self._file: IO[bytes] | None = None
        self._archive: Any = None

    def __enter__(self) -> Self:
        try:
            handle, aside = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        except OSError as error:
            raise UsageError(f"{self._path}: cannot be written ({error.strerror})") from None
        self._aside = Path(aside)
        self._file = os.fdopen(handle, "w+b")
        if self._password:
            import pyzipper

            self._archive = pyzipper.AESZipFile(self._file, "w", compression=zipfile.ZIP_DEFLATED, encryption=pyzipper.WZ_AES)
            self._archive.setpassword(self._password.encode())
            self._archive.setencryption(pyzipper.WZ_AES, nbits=256)
        else:
            self._archive = zipfile.ZipFile(self._file, "w", compression=zipfile.ZIP_DEFLATED)
        return self

    def __exit__(self, kind: object, error: object, _trace: object) -> None:
        assert self._file is not None  # noqa: S101 - made on entering
        try:
            if kind is None:
                self._archive.close()
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                self._aside.replace(self._path)
        except OSError as failed:
            raise UsageError(f"{self._path}: cannot be written ({failed.strerror})") from None
        finally:
            with suppress(OSError, ValueError):
                self._archive.close()
            self._file.close()
            self._aside.unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self._used)

    @contextmanager
    def entry(self, name: str) -> Iterator[IO[bytes]]:
        """Write one file of the archive; only one is open at a time."""
        make = getattr(self._archive, "zipinfo_cls", zipfile.ZipInfo)
        info = make(name, self._date)
        info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o600 << 16
        with self._archive.open(info, "w", force_zip64=True) as out:
            yield out

    def copy(self, name: str, stream: IO[bytes]) -> None:
        """Write one file from the start of a stream."""
        stream.seek(0)
        with self.entry(name) as out:
            shutil.copyfileobj(stream, out, _CHUNK)

    def name(self, folder: str, stem: str, ending: str) -> str:
        """A name that no entry has yet, also where large and small letters are the same."""
        base = "/".join(plain(part) for part in f"{folder}/{stem}".split("/"))
        ending = re.sub(r"[^a-z0-9.]", "", ending.lower())[:10]
        name, number = base + ending, 1
        while name.casefold() in self._used:
            number += 1
            name = f"{base}-{number}{ending}"
        self._used.add(name.casefold())
        return name


def plain(text: str) -> str:
    """A text as a name that every system takes: letters, digits, dot, dash."""
    for letter, written in (("æ", "ae"), ("ø", "oe"), ("å", "aa"), ("Æ", "Ae"), ("Ø", "Oe"), ("Å", "Aa")):
        text = text.replace(letter, written)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    text = re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.")[:60].strip("-.") or "x"
    return f"{text}-" if _WINDOWS.match(text) else text


def spool() -> IO[bytes]:
    """A file that has no name, so that nothing is left of it: in memory while it is small, on the disk above that."""
    return tempfile.SpooledTemporaryFile(max_size=2**20)
