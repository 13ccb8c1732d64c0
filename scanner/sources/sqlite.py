"""An SQLite database file: its tables, read and never written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from scanner.errors import SourceError
from scanner.extract.sampling import SAMPLE, Sampling, instead_of
from scanner.extract.sqlite import Database
from scanner.extract.sqlite_file import SqliteError, state
from scanner.model import Condition, Limits, Problem, Reading, Relation, Unit, Why
from scanner.sources.patterns import Choice
from scanner.sources.sqlite_lookup import Asked, found, placed
from scanner.sources.sqlite_relations import relations

if TYPE_CHECKING:
    import pyarrow as pa


def from_url(url: str, name: str, _password: str | None, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> Tables:
    """Make the source of `sqlite:///relative.db` or `sqlite:////absolute.db`."""
    path = unquote(url.partition("://")[2].removeprefix("/"))
    if not path:
        raise SourceError(f"{url}: names no file, as in sqlite:///crm.db or sqlite:////srv/crm.db")
    if not Path(path).is_file():
        raise SourceError(f"{url}: no such file")
    return Tables(url, path, name or url, include, exclude, limits)


def _quiet(_: str) -> None:
    """Nobody watches."""


class Tables:
    """The tables of a database file; a large one is several units, cut by row number."""

    dialect = "sqlite"

    def __init__(self, url: str, path: str, name: str, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> None:
        self.name, self.url = name, url
        self.include, self.exclude, self.limits = include, exclude, limits
        self.watch: Callable[[str], None] = _quiet
        self.skip: frozenset[str] = frozenset()
        self.sampling: Sampling | None = None
        self._path = Path(path).absolute()

    def units(self) -> Iterator[Unit | Problem]:
        """List the tables by name, and the ranges of large ones."""
        choice = Choice(self.include, self.exclude)
        try:
            fingerprint = state(self._path)
            with Database.open(self._path) as database:
                for table in database.tables():
                    if isinstance(table, Problem):
                        if choice.takes(table.object):
                            yield table
                    elif choice.takes(table.name):
                        ranges = database.ranges(table)
                        if self.sampling and (rows := database.sample(table, self.sampling)):
                            yield Unit(self.name, table.name, "table", rows, instead_of(len(ranges), fingerprint), SAMPLE)
                            continue
                        for number, (rows, bounds) in enumerate(ranges, 1):
                            part = f"{number:08}" if len(ranges) > 1 else ""
                            yield Unit(self.name, table.name, "table", rows, fingerprint, part, bounds)
        except SqliteError as error:
            raise SourceError(f"{self.url}: {error.detail}") from None

    def read(self, unit: Unit) -> Iterator[Reading]:
        """Read one table, or one range of it."""
        if unit.object in self.skip:
            return
        self.watch(unit.object)
        try:
            with Database.open(self._path) as database:
                table = next(database.tables(unit.object), Problem(unit.object, Why.CHANGED, "the table is gone"))
                if isinstance(table, Problem):
                    yield table
                else:
                    yield from database.read(
                        table,
                        unit.object,
                        self.limits,
                        unit.locator,
                        watch=self.watch,
                        skip=self.skip,
                        sampling=self.sampling if unit.part == SAMPLE else None,
                    )
        except SqliteError as error:
            yield Problem(unit.object, error.why, error.detail)

    def relations(self) -> Iterator[Relation | Problem]:
        """Describe the tables that `units` would list."""
        choice = Choice(self.include, self.exclude)
        try:
            with Database.open(self._path) as database:
                yield from [one for one in relations(database) if choice.takes(one.object)]
        except SqliteError as error:
            raise SourceError(f"{self.url}: {error.detail}") from None

    def lookup(self, object: str, conditions: Sequence[Condition], *, limit: int = 0) -> Iterator[Reading]:
        """Read the rows of a table that meet any of the conditions."""
        if object in self.skip:
            return
        self.watch(object)
        gone = Problem(object, Why.CHANGED, "the table is gone")
        try:
            with Database.open(self._path) as database:
                listed = database.tables(object) if object and Choice(self.include, self.exclude).takes(object) else iter(())
                table = next(listed, gone)
                if isinstance(table, Problem):
                    yield table
                    return
                table = placed(table)
                asked = Asked(database, table)
                where, values = found(database, table, *asked.where(conditions, limit))
                yield from database.some(table, object, self.limits, where or "0", values, watch=self.watch, skip=self.skip)
                for field in dict.fromkeys(asked.missing):
                    yield Problem(object, Why.CHANGED, "a column is gone", field=field)
        except SqliteError as error:
            yield Problem(object, error.why, error.detail)

    def select(self, query: str) -> Iterator[pa.RecordBatch]:
        """The answer to a query, every column as text. Raises `SourceError` when it cannot be asked."""
        try:
            with Database.open(self._path) as database:
                yield from database.select(query)
        except SqliteError as error:
            raise SourceError(f"{self.url}: the query cannot be asked: {error.detail}") from None
