"""A folder of files, or a single file, on this machine or on a share that it has mounted."""

# ruff: noqa: PTH100, PTH116, PTH118, PTH119, PTH120 -- a path object for each of a million files costs more than looking at the file

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from operator import itemgetter
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scanner.errors import SourceError
from scanner.model import Blob, Limits, Problem, Reading, Unit, Why
from scanner.sources.patterns import Choice


def from_url(url: str, name: str, _password: str | None, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> Files:
    """Make the source of a path or of a `file:` URL."""
    path = url
    if url[:5].lower() == "file:":
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost"):
            raise SourceError(f"{url}: a file URL names a file of this machine, as in file:///srv/share")
        path = unquote(parts.path)
    return Files(url, path, name or url, include, exclude, limits)


def _quiet(_: str) -> None:
    """Nobody watches."""


class Files:
    """Files below a folder, each a unit, or one file. Symbolic links are recorded and never followed.

    Object names are paths below the folder with `/` between; bytes of a name that are no UTF-8 appear as `\\xe6`.
    """

    def __init__(
        self,
        url: str,
        path: str,
        name: str,
        include: tuple[str, ...] = (),
        exclude: tuple[str, ...] = (),
        limits: Limits = Limits(),
    ) -> None:
        self.name, self.url = name, url
        self.include, self.exclude, self.limits = include, exclude, limits
        self.watch: Callable[[str], None] = _quiet
        self.skip: frozenset[str] = frozenset()
        self.passwords: tuple[str, ...] = ()
        self._root = os.path.abspath(path)
        try:
            self._single = not stat.S_ISDIR(os.stat(self._root).st_mode)
        except FileNotFoundError:
            raise SourceError(f"{url}: no such file or folder") from None
        except (OSError, ValueError) as error:
            raise SourceError(f"{url}: cannot be opened ({getattr(error, 'strerror', error)})") from None

    def units(self) -> Iterator[Unit | Problem]:
        """List the files, sorted by object name, with one look at each."""
        if self._single:
            name = os.path.basename(self._root)
            try:
                yield self._unit(_shown(name), name, os.stat(self._root))
            except OSError as error:
                raise SourceError(f"{self.url}: {_refused(error)[1]}") from None
            return
        choice = Choice(self.include, self.exclude)
        cut = len(os.path.join(self._root, ""))
        name, everything, regular = self.name, choice.all, stat.S_ISREG
        folders = [self._list(self._root, "")]
        while folders:
            for object, entry in folders[-1]:
                if isinstance(entry, Problem):
                    yield entry
                elif object[-1] == "/":
                    if everything or choice.enters(object):
                        folders.append(self._list(entry.path, object))
                        break
                elif everything or choice.takes(object):
                    try:
                        looked = entry.stat(follow_symlinks=False)
                    except OSError as error:
                        yield Problem(object, *_refused(error))
                        continue
                    raw = entry.path[cut:]
                    if raw == object and regular(looked.st_mode):
                        yield Unit(name, object, "file", looked.st_size, _fingerprint(looked))
                    else:
                        yield self._unit(object, raw, looked)
            else:
                folders.pop()

    def modified(self, unit: Unit) -> datetime | None:
        """When a file was last written to, in UTC; None when it is gone."""
        try:
            return datetime.fromtimestamp(os.stat(self._path(unit), follow_symlinks=self._single).st_mtime, UTC)
        except (OSError, OverflowError, ValueError):
            return None

    def written(self, unit: Unit) -> date | None:
        """When a document was last saved, as it says itself; None where it says nothing or cannot be opened."""
        from scanner.extract import dates

        try:
            with os.fdopen(os.open(self._path(unit), os.O_RDONLY | _CAREFUL | (0 if self._single else _NOT_A_LINK)), "rb") as stream:
                return dates.written(stream) if stat.S_ISREG(os.fstat(stream.fileno()).st_mode) else None
        except OSError:
            return None

    def _path(self, unit: Unit) -> str:
        folder = os.path.dirname(self._root) if self._single else self._root
        return os.path.join(folder, os.fsdecode(bytes.fromhex(unit.locator)) if unit.locator else unit.object)

    def read(self, unit: Unit) -> Iterator[Reading]:
        """Read one file and what lies inside it, and say so when it changed meanwhile."""
        from scanner.extract import extract

        path = self._path(unit)
        try:
            file = os.open(path, os.O_RDONLY | _CAREFUL | (0 if self._single else _NOT_A_LINK))
        except OSError as error:
            yield Problem(unit.object, *_refused(error))
            return
        with os.fdopen(file, "rb") as stream:
            entry = os.fstat(file)
            if not stat.S_ISREG(entry.st_mode):
                yield Problem(unit.object, Why.CHANGED, f"no longer a file, but a {_special(entry.st_mode)}")
                return
            blob = Blob(unit.object, stream, entry.st_size, Path(path), skip=self.skip)
            yield from extract(blob, self.limits, self.watch, self.passwords)
            if _fingerprint(os.fstat(file)) != unit.fingerprint:
                yield Problem(unit.object, Why.CHANGED, "written to since it was listed")

    def _unit(self, object: str, raw: str, entry: os.stat_result) -> Unit | Problem:
        if stat.S_ISREG(entry.st_mode):
            locator = "" if raw == object else os.fsencode(raw).hex()
            return Unit(self.name, object, "file", entry.st_size, _fingerprint(entry), "", locator)
        if stat.S_ISLNK(entry.st_mode):
            return Problem(object, Why.UNSUPPORTED, "symbolic link, not followed")
        return Problem(object, Why.UNSUPPORTED, f"not a file, but a {_special(entry.st_mode)}")

    def _list(self, path: str, above: str) -> Iterator[tuple[str, os.DirEntry[str] | Problem]]:
        """List one folder, whose object name is `above`; a folder inside it ends in `/`, also for sorting."""
        try:
            with os.scandir(path) as entries:
                found = []
                for entry in entries:
                    name = entry.name if entry.name.isascii() else _shown(entry.name)
                    found.append((f"{above}{name}/" if entry.is_dir(follow_symlinks=False) else above + name, entry))
        except OSError as error:
            yield above, Problem(above, *_refused(error))
            return
        found.sort(key=itemgetter(0))
        yield from found


_CAREFUL = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
"""A pipe that took a file's place must not hold us up."""
_NOT_A_LINK = getattr(os, "O_NOFOLLOW", 0)


def _fingerprint(entry: os.stat_result) -> str:
    # One number for both times: whatever sets the one back moves the other.
    return f"{entry.st_size}:{entry.st_mtime_ns + entry.st_ctime_ns}"


def _shown(name: str) -> str:
    """Show a name; the system's undecodable bytes (lone surrogates here) as backslashes."""
    if name.isascii():
        return name
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    return name


def _special(mode: int) -> str:
    kinds = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFDIR: "folder", stat.S_IFLNK: "symbolic link"}
    return kinds.get(stat.S_IFMT(mode), "device")


def _refused(error: OSError) -> tuple[Why, str]:
    """Say why the system refused; its own message would carry the path."""
    if isinstance(error, PermissionError):
        return Why.DENIED, "no permission to read it"
    if isinstance(error, FileNotFoundError):
        return Why.CHANGED, "gone before it was read"
    if error.errno == errno.ELOOP:
        return Why.CHANGED, "became a symbolic link, not followed"
    return Why.DAMAGED, f"the system could not read it ({error.strerror})"
