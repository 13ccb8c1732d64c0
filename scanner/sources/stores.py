"""File stores: buckets of S3, Azure and Google, and shares over SFTP, SMB and WebDAV."""

from __future__ import annotations

import importlib
import io
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from scanner.errors import SourceError
from scanner.model import Blob, Limits, Problem, Reading, Unit, Why
from scanner.sources.patterns import Choice
from scanner.sources.stores_place import Entry, Lost, Store
from scanner.sources.stores_stream import BLOCK, Ranged

if TYPE_CHECKING:
    from scanner.sources.stores_place import Bucket, Tree

WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each new try of what a server did not do."""
WHOLE = 2**22
"""A file up to this size, in bytes, is fetched at once."""
_CHANGED = "written to since it was listed"
_OLDER = "versions"
_UNDER = Problem("?folder", Why.UNSUPPORTED, "bytes lie under the name of the folder itself; scan the one above it to read them")

_STORES = {
    "s3": "stores_s3:S3",
    "az": "stores_azure:Azure",
    "abfs": "stores_azure:Azure",
    "abfss": "stores_azure:Azure",
    "gs": "stores_google:Google",
    "gcs": "stores_google:Google",
    "sftp": "stores_sftp:Sftp",
    "smb": "stores_smb:Smb",
    "webdav": "stores_webdav:Webdav",
    "webdavs": "stores_webdav:Webdav",
    "dav": "stores_webdav:Webdav",
    "davs": "stores_webdav:Webdav",
}

T = TypeVar("T")


def from_url(url: str, name: str, password: str | None, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> Stores:
    """Make the source of a store's URL, such as `s3://bucket/folder` or `sftp://user@host/srv/share`."""
    module, kind = _STORES[url.partition(":")[0].lower()].split(":")
    store: Store = getattr(importlib.import_module(f"scanner.sources.{module}"), kind)(url, password)
    return Stores(store, name or store.shown, include, exclude, limits)


def _quiet(_: str) -> None:
    """Nobody watches."""


class Stores:
    """The files of one store, each a unit, or one file. Links are recorded and never followed.

    A server that does not answer is tried again a few times; then what was asked for is a problem, and the next
    thing is tried once, until the server is back.
    """

    def __init__(self, store: Store, name: str, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> None:
        self.name, self.url = name, store.shown
        self.include, self.exclude, self.limits = include, exclude, limits
        self.watch: Callable[[str], None] = _quiet
        self.skip: frozenset[str] = frozenset()
        self.passwords: tuple[str, ...] = ()
        self._store = store
        self._seen = ""
        self._away = False

    def __del__(self) -> None:
        with suppress(Exception):
            self._store.reset()

    def units(self) -> Iterator[Unit | Problem]:
        """List the files, sorted by object name."""
        store: Any = self._store
        try:
            single = self._try(store.single)
            if single is not None:
                yield self._listed(single)
                return
            yield from self._pages(store) if hasattr(store, "page") else self._walk(store)
        except Lost as lost:
            raise SourceError(f"{self.url}: {lost.detail}") from None
        finally:
            store.reset()

    def read(self, unit: Unit) -> Iterator[Reading]:
        """Read one file and what lies inside it, and say so when it changed meanwhile."""
        from scanner.extract import extract

        if unit.object in self.skip:
            return
        self._saw(unit.object)
        name, older = unit.locator or unit.object, unit.fingerprint.partition(" ")[2]
        failed: Exception | None = None
        try:
            fingerprint, size, head = self._begin(name, unit)
            ranged = Ranged(lambda start, end: self._fetch(name, fingerprint, start, end), size, self._beat, head)
            with closing(io.BufferedReader(ranged, 2**16) if len(head) < size else io.BytesIO(head)) as stream:
                blob = Blob(unit.object, cast("BinaryIO", stream), size, skip=self.skip)
                yield from extract(blob, self.limits, self._saw, self.passwords)
                failed = ranged.failed
            if failed is None:
                if fingerprint != unit.fingerprint.partition(" ")[0]:
                    failed = Lost(Why.CHANGED, _CHANGED)
                else:
                    self._try(lambda: self._store.settle(name, fingerprint))
        except Lost as lost:
            failed = lost
        if isinstance(failed, Lost):
            yield Problem(unit.object, failed.why, failed.detail)
        if older:
            yield Problem(unit.object, Why.UNSUPPORTED, f"{_count(int(older))} kept by the store; not read", field=_OLDER)

    # -- listing -------------------------------------------------------------------------------------------------

    def _pages(self, store: Bucket) -> Iterator[Unit | Problem]:
        """A bucket, page by page."""
        choice = Choice(self.include, self.exclude)

        @lru_cache(1000)
        def enters(folder: str) -> bool:
            return not folder or (enters(folder[: folder.rfind("/", 0, -1) + 1]) and choice.enters(folder))

        page, token = self._try(lambda: store.page(""))
        hidden = self._try(store.hidden)
        entries = self._entries(store, page, token)
        last = ""
        for entry, older in _folded(entries if self._try(store.ordered) else _sorted(entries)):
            object = entry.name
            if object < last:
                raise SourceError(f"{self.url}: the store does not list its objects in order")
            last = object
            if not entry.size and (not object or object[-1] == "/"):
                continue  # the mark of a folder
            if not object:
                hidden = sorted([*hidden, _UNDER], key=lambda problem: problem.object)
                continue
            while hidden and hidden[0].object < object:
                yield hidden.pop(0)
            if choice.all or (choice.takes(object) and enters(object[: object.rfind("/", 0, -1) + 1])):
                yield self._listed(entry, older)
        yield from hidden

    def _entries(self, store: Bucket, page: list[Entry], token: str) -> Iterator[Entry]:
        while True:
            yield from page
            if not token:
                return
            page, token = self._try(partial(store.page, token))

    def _walk(self, store: Tree) -> Iterator[Unit | Problem]:
        """A share, folder by folder."""
        choice = Choice(self.include, self.exclude)
        top = self._try(lambda: store.folder(""))
        levels = [(iter(_ordered("", top)), 0)]
        while levels:
            for entry in levels[-1][0]:
                object = entry.name
                if entry.why is not None or object[-1] != "/":
                    if choice.takes(object):
                        yield self._listed(entry)
                elif choice.enters(object):
                    if entry.id and any(entry.id == id for _, id in levels):
                        yield Problem(object[:-1], Why.UNSUPPORTED, "leads back to a folder above it, not followed")
                        continue
                    try:
                        inside = self._try(partial(store.folder, entry.locator or object))
                    except Lost as lost:
                        yield Problem(object, lost.why, lost.detail)
                        continue
                    levels.append((iter(_ordered(object, inside)), entry.id))
                    break
            else:
                levels.pop()

    def _listed(self, entry: Entry, older: int = 0) -> Unit | Problem:
        if entry.older:
            return Problem(entry.name, Why.UNSUPPORTED, f"deleted, but {_count(older)} kept by the store; not read")
        if entry.why is not None:
            return Problem(entry.name, entry.why, entry.detail)
        fingerprint = entry.fingerprint + (f" {older}" if older else "")
        return Unit(self.name, entry.name, "file", entry.size, fingerprint, "", entry.locator)

    # -- reading -------------------------------------------------------------------------------------------------

    def _begin(self, name: str, unit: Unit) -> tuple[str, int, bytes]:
        """Fingerprint and size of the file that is read now, and its first bytes: all of them, when there are few."""
        fingerprint, size = unit.fingerprint.partition(" ")[0], unit.size
        for tried in (False, True):
            try:
                if size:
                    return fingerprint, size, self._fetch(name, fingerprint, 0, size if size <= WHOLE else BLOCK)
            except Lost as lost:
                if lost.why is not Why.CHANGED or tried:
                    raise
            if tried:
                break
            size, fingerprint = self._try(lambda: self._store.look(name))
        return fingerprint, size, b""

    def _fetch(self, name: str, fingerprint: str, start: int, end: int) -> bytes:
        def fetch() -> bytes:
            data = self._store.fetch(name, fingerprint, start, end)
            if len(data) != end - start:
                raise Lost(Why.CRASHED, "the server broke off", again=True)
            return data

        return self._try(fetch)

    def _try(self, call: Callable[[], T]) -> T:
        """What a store gives, asked for again when it may come in a moment."""
        for wait in () if self._away else WAITS:
            try:
                return call()
            except Lost as lost:
                if not lost.again:
                    raise
            self._store.reset()
            self._beat()
            time.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - so that workers do not come back all at once
        try:
            given = call()
        except Lost as lost:
            self._away = lost.again
            if lost.again:
                self._store.reset()
            raise
        self._away = False
        return given

    def _saw(self, object: str) -> None:
        self._seen = object
        self.watch(object)

    def _beat(self) -> None:
        """A sign of life, without another name; the thread that reads ahead gives none."""
        if self._seen and threading.current_thread() is threading.main_thread():
            self.watch(self._seen)


def _count(older: int) -> str:
    return "1 older version" if older == 1 else f"{older} older versions"


def _ordered(above: str, entries: list[Entry]) -> list[Entry]:
    named = [entry._replace(name=above + entry.name) for entry in entries]
    named.sort(key=lambda entry: entry.name)
    return named


def _folded(entries: Iterator[Entry]) -> Iterator[tuple[Entry, int]]:
    """Each name once, with the number of its older versions; entries of one name follow each other."""
    shown: Entry | None = None
    older = 0
    for entry in entries:
        if shown is not None and entry.name != shown.name:
            yield shown, older
            shown, older = None, 0
        older += entry.older
        if shown is None or not entry.older:
            shown = entry
    if shown is not None:
        yield shown, older


def _sorted(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Sort what a store lists in an order of its own, aside on disk: SQLite's order of UTF-8 bytes is that of code points."""
    import sqlite3

    with closing(sqlite3.connect("")) as aside:  # a database without a name lies in a file that nobody else sees
        aside.execute("create table entry (name text, size, fingerprint, why, detail, locator, older, id)")
        aside.executemany("insert into entry values (?, ?, ?, ?, ?, ?, ?, ?)", entries)
        for row in aside.execute("select * from entry order by name, rowid"):
            name, size, fingerprint, why, detail, locator, older, id = row
            yield Entry(name, size, fingerprint, Why(why) if why else None, detail, locator, bool(older), id)
