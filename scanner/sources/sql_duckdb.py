"""A DuckDB database file: its tables, read and never written, without help from the network or from other files.

Objects are `schema.table`. Records are named by the primary key, or else by DuckDB's own row number, `rowid=17`.
A view is read only where `include` holds its exact name, and its records are named by their row number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from scanner.errors import MissingExtra, SourceError
from scanner.extract.cells import Cells, Document
from scanner.extract.rows import CHUNK_ROWS, column_batches, is_text, key_ranges, range_condition, record_names
from scanner.model import Condition, Limits, Opened, Problem, Reading, Relation, Unit, Why
from scanner.sources.patterns import Choice
from scanner.sources.postgresql_server import ServerError
from scanner.sources.sql_cells import names
from scanner.sources.sql_duckdb_lookup import Asked, quoted
from scanner.sources.sql_duckdb_relations import relations

if TYPE_CHECKING:
    import pyarrow as pa

RANGE_ROWS = 250_000
"""A table of no more rows is one unit."""
WHOLE_FILE = 256 * 2**20
"""A file up to this size is read without looking for long rows first."""
LONG_ROW = 2**16
"""Rows of more bytes than this are read after the others, one at a time: DuckDB hands over 2,048 at once."""

_SAFE = {
    "enable_external_access": "false", "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
    "temp_directory": "", "threads": "1", "memory_limit": "1GB",
}  # fmt: skip
"""Views may name other files and servers: they are not followed. Nothing is put aside beside the database."""
_LISTING = """
SELECT schema_name, table_name, estimated_size, false FROM duckdb_tables()
WHERE database_name = current_database() AND NOT internal AND NOT temporary
UNION ALL SELECT schema_name, view_name, 0, true FROM duckdb_views() WHERE database_name = current_database() AND NOT internal
"""
_COLUMNS = """
SELECT column_name, data_type FROM duckdb_columns()
WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY column_index
"""
_KEYS = """
SELECT constraint_column_names FROM duckdb_constraints()
WHERE database_name = current_database() AND schema_name = ? AND table_name = ? AND constraint_type = 'PRIMARY KEY'
"""
_WORDS = (
    ("lock on file", Why.DENIED, "another program has the database open"),
    ("encrypt", Why.ENCRYPTED, "the database is encrypted"),
    ("not a valid DuckDB", Why.DAMAGED, "not a DuckDB database"),
    ("version", Why.UNSUPPORTED, "written by another version of DuckDB"),
    ("Permission denied", Why.DENIED, "no permission to read the file"),
)
_KINDS = {
    "CatalogException": (Why.CHANGED, "the table is gone"),
    "BinderException": (Why.CHANGED, "a column is gone"),
    "PermissionException": (Why.UNSUPPORTED, "its rows lie outside the database"),
    "OutOfMemoryException": (Why.TOO_LARGE, "DuckDB needs more memory for it than it is given"),
}


def from_url(url: str, name: str, _password: str | None, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> Tables:
    """Make the source of `duckdb:///relative.db` or `duckdb:////absolute.db`."""
    path = unquote(url.partition("://")[2].partition("?")[0].removeprefix("/"))
    if not path:
        raise SourceError(f"{url}: names no file, as in duckdb:///crm.duckdb or duckdb:////srv/crm.duckdb")
    if not Path(path).is_file():
        raise SourceError(f"{url}: no such file")
    _library()
    return Tables(url, path, name or url, include, exclude, limits)


def _quiet(_: str) -> None:
    """Nobody watches."""


class _Table(NamedTuple):
    """How to read a table: each column with whether it holds bytes, the key's columns, and whether rows are numbered.

    `place` counts rows that are not numbered.
    """

    name: str
    columns: list[tuple[str, bool]]
    keys: list[str]
    numbered: bool
    place: str = "row_number() OVER ()"


class Tables:
    """The tables of a database file; a large one is several units, cut by row number."""

    dialect = "duckdb"

    def __init__(self, url: str, path: str, name: str, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> None:
        self.name, self.url = name, url
        self.include, self.exclude, self.limits = include, exclude, limits
        self.watch: Callable[[str], None] = _quiet
        self.skip: frozenset[str] = frozenset()
        self._path = Path(path).absolute()

    def units(self) -> Iterator[Unit | Problem]:
        """List the tables by name, and the ranges of large ones."""
        state = _state(self._path)
        try:
            with _database(self._path) as database:
                for object, schema, name, rows, view in self._listed(database):
                    ranges = _ranges(database, schema, name, rows)
                    for number, bounds in enumerate(ranges, 1):
                        part = f"{number:08}" if len(ranges) > 1 else ""
                        locator = json.dumps([schema, name, view, bounds])
                        yield Unit(self.name, object, "table", rows // len(ranges), state, part, locator)
        except ServerError as error:
            raise SourceError(f"{self.url}: {error.detail}") from None

    def read(self, unit: Unit) -> Iterator[Reading]:
        """Read one table, or one range of it."""
        if unit.object in self.skip:
            return
        self.watch(unit.object)
        schema, name, view, bounds = json.loads(unit.locator)
        cells = Cells(unit.object, self.limits, self.watch, self.skip)
        try:
            with _database(self._path) as database:
                table, _ = _described(database, schema, name, view)
                if not table.columns:
                    yield Problem(unit.object, Why.CHANGED, "the table is gone")
                    return
                yield Opened(unit.object, "table", rows=unit.size)
                where = range_condition("rowid", bounds) or "true"
                for batch in self._batches(database, table, where, cells):
                    yield from _columns(unit.object, table, batch, cells)
        except ServerError as error:
            yield Problem(unit.object, error.why, error.detail)
            return
        yield from cells.problems()

    def relations(self) -> Iterator[Relation | Problem]:
        """Describe the tables that `units` would list."""
        try:
            with _database(self._path) as database:
                yield from relations(database, self._listed(database))
        except ServerError as error:
            raise SourceError(f"{self.url}: {error.detail}") from None

    def lookup(self, object: str, conditions: Sequence[Condition], *, limit: int = 0) -> Iterator[Reading]:
        """Read the rows of a table that meet any of the conditions."""
        if object in self.skip:
            return
        self.watch(object)
        cells = Cells(object, self.limits, self.watch, self.skip)
        try:
            with _database(self._path) as database:
                place = next((row[1:] for row in self._listed(database) if row[0] == object), None)
                if place is None:
                    yield Problem(object, Why.CHANGED, "the table is gone")
                    return
                table, types = _described(database, place[0], place[1], place[3])
                asked = Asked(types, "rowid" if table.numbered else "row")
                where, values = asked.where(conditions)
                yield Opened(object, "table")
                if not table.numbered:
                    inside = f'(SELECT *, row_number() OVER () AS "row number" FROM {table.name})'
                    table = table._replace(name=inside, place='"row number"')
                    where += f" LIMIT {limit}" if limit else ""
                elif limit:
                    where = f"rowid IN (SELECT rowid FROM {table.name} WHERE {where} LIMIT {limit})"
                for batch in self._batches(database, table, where, cells, values):
                    yield from _columns(object, table, batch, cells)
        except ServerError as error:
            yield Problem(object, error.why, error.detail)
            return
        for field in dict.fromkeys(asked.missing):
            yield Problem(object, Why.CHANGED, "a column is gone", field=field)
        yield from cells.problems()

    def _listed(self, database: Any) -> list[tuple[str, str, str, int, bool]]:
        """The tables that are to be read, by name: (object, schema, name, rows, whether it is a view)."""
        choice = Choice(self.include, self.exclude)
        listed = sorted((f"{row[0]}.{row[1]}", *row) for row in database.execute(_LISTING).fetchall())
        return [row for row in listed if choice.takes(row[0]) and (not row[4] or row[0] in self.include)]

    def select(self, query: str) -> Iterator[pa.RecordBatch]:
        """The answer to a query, every column as text. Raises `SourceError` when it cannot be asked."""
        try:
            with _database(self._path) as database:
                fields = [str(row[0]) for row in database.execute(f"DESCRIBE {query}").fetchall()]
                texts = ", ".join(f"CAST({quoted(field)} AS VARCHAR) AS {quoted(field)}" for field in fields)
                yield from _fetch(database, f"SELECT {texts} FROM ({query}) AS asked")
        except ServerError as error:
            raise SourceError(f"{self.url}: the query cannot be asked: {error.detail}") from None

    def _batches(self, database: Any, table: _Table, where: str, cells: Cells, values: Sequence[Any] = ()) -> Iterator[pa.RecordBatch]:
        """Read rows, long ones last and alone, so that memory is bounded; values over the limit are counted and left out."""
        if self._path.stat().st_size <= WHOLE_FILE or not table.numbered:
            yield from _fetch(database, _select(table, where, 0), values)
            return
        lengths = [f"coalesce({_length(*column)}, 0)" for column in table.columns]
        length, cap = " + ".join(lengths), self.limits.document_bytes
        yield from _fetch(database, _select(table, f"{where} AND {length} <= {LONG_ROW}", 0), values)
        over = ", ".join(f"count(*) FILTER ({one} > {cap})" for one in lengths)
        long = f"{where} AND {length} > {LONG_ROW}"
        counted = database.execute(f"SELECT {over} FROM {table.name} WHERE {long}", list(values)).fetchone()
        for (field, _), count in zip(table.columns, counted, strict=True):
            if count:
                cells.miss(field, Why.TOO_LARGE, "{} values are longer than the limit and were not read", count)
        for (row,) in database.execute(f"SELECT rowid FROM {table.name} WHERE {long} ORDER BY rowid", list(values)).fetchall():
            yield from _fetch(database, _select(table, f"rowid = {row}", cap))


def _described(database: Any, schema: str, name: str, view: bool) -> tuple[_Table, dict[str, str]]:
    """How to read a table, and the types of its columns; there are none when it is gone."""
    types = {row[0]: row[1] for row in database.execute(_COLUMNS, [schema, name]).fetchall()}
    keys = [key for row in database.execute(_KEYS, [schema, name]).fetchall() for key in row[0]]
    return _Table(f"{quoted(schema)}.{quoted(name)}", [(column, type == "BLOB") for column, type in types.items()], keys, not view), types


def _columns(object: str, table: _Table, batch: pa.RecordBatch, cells: Cells) -> Iterator[Reading]:
    width = len(table.columns)
    rows = [f"rowid={row}" for row in batch.column(width).to_pylist()] if table.numbered else []
    if table.keys:
        records = record_names(table.keys, [_named(column) for column in batch.columns[width + 1 :]])
    elif rows:
        records = _strings(rows)
    else:
        records = batch.column(width)
    columns: list[pa.StringArray] = []
    documents: list[Document] = []
    for (field, binary), column in zip(table.columns, batch.columns[:width], strict=True):
        if binary:
            column, found = cells.split(field, column.to_pylist(), records.to_pylist(), rows or records.to_pylist())
            documents += found
        columns.append(column)
    yield from column_batches(object, [field for field, _ in table.columns], columns, records)
    yield from cells.read(documents)


def _named(column: pa.Array) -> pa.StringArray:
    import pyarrow as pa

    return column if pa.types.is_string(column.type) and is_text(column) else names(column.to_pylist())


def _strings(rows: list[str]) -> pa.StringArray:
    import pyarrow as pa

    return pa.array(rows, pa.string())


def _select(table: _Table, where: str, cap: int) -> str:
    """Write the query: cells, then the row's number (or, of a view, its record), then keys."""
    texts = []
    for name, binary in table.columns:
        text = quoted(name) if binary else f"CAST({quoted(name)} AS VARCHAR)"
        texts.append(f"CASE WHEN {_length(name, binary)} <= {cap} THEN {text} END" if cap else text)
    bytes_too = {name for name, binary in table.columns if binary}
    texts.append("CAST(rowid AS VARCHAR)" if table.numbered else f"'row=' || {table.place}")
    texts += [quoted(key) if key in bytes_too else f"CAST({quoted(key)} AS VARCHAR)" for key in table.keys]
    return f"SELECT {', '.join(f'{text} AS c{i}' for i, text in enumerate(texts))} FROM {table.name} WHERE {where}"


def _length(name: str, binary: bool) -> str:
    return f"octet_length({quoted(name)})" if binary else f"strlen(CAST({quoted(name)} AS VARCHAR))"


def _ranges(database: Any, schema: str, name: str, rows: int) -> list[str]:
    if rows <= RANGE_ROWS:
        return [""]
    low, high = database.execute(f"SELECT min(rowid), max(rowid) FROM {quoted(schema)}.{quoted(name)}").fetchone()
    return [""] if low is None else key_ranges(max(low, 1), high, high - low)


def _fetch(database: Any, query: str, values: Sequence[Any] = ()) -> Iterator[pa.RecordBatch]:
    """Stream an answer in batches of rows."""
    for batch in database.sql(query, params=list(values) or None).to_arrow_reader(CHUNK_ROWS):
        if batch.num_rows:
            yield batch


@contextmanager
def _database(path: Path) -> Iterator[Any]:
    """Open a database for reading. Raises `ServerError` for whatever DuckDB refuses, then and inside."""
    duckdb = _library()
    import pyarrow as pa

    try:
        with duckdb.connect(str(path), read_only=True, config=_SAFE) as database:
            yield database
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        said = next((why_detail for word, *why_detail in _WORDS if word in str(error)), None)
        why, detail = said or _KINDS.get(type(error).__name__, (Why.DAMAGED, "DuckDB could not read the database"))
        raise ServerError(Why(why), str(detail)) from None


def _library() -> Any:
    try:
        import duckdb
    except ImportError:
        raise MissingExtra("DuckDB needs a library: pip install 'persondata[duckdb]'") from None
    return duckdb


def _state(path: Path) -> str:
    """Tell one state of a database from another: size and time of its file and of its log."""
    files = [file for file in (path, Path(f"{path}.wal")) if file.exists()]
    return " ".join(f"{entry.st_size}:{entry.st_mtime_ns}" for entry in (file.stat() for file in files))
