"""A PostgreSQL database: its tables, read in read-only transactions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scanner.errors import SourceError
from scanner.extract.rows import (
    CHUNK_ROWS,
    column_batches,
    decode,
    is_text,
    key_ranges,
    range_condition,
    record_names,
)
from scanner.model import Limits, Opened, Problem, Reading, Unit, Why
from scanner.sources.patterns import Choice
from scanner.sources.postgresql_server import Address, ServerError, Session

if TYPE_CHECKING:
    import pyarrow as pa

_TABLES = """
SELECT n.nspname::text, c.relname::text, c.relkind::text, greatest(c.reltuples, 0)::bigint,
       CASE WHEN c.relkind = 'p' THEN (SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(c.oid))
            ELSE pg_relation_size(c.oid) END::bigint,
       has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT'),
       (SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
          AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
          AND has_column_privilege(c.oid, a.attnum, 'SELECT'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (c.relkind IN ('r', 'p', 'f') OR c.relkind = 'm' AND c.relispopulated)
  AND NOT c.relispartition AND c.relpersistence <> 't'
"""
_COLUMNS = """
SELECT a.attname::text, coalesce(nullif(t.typbasetype, 0), t.oid) = 'bytea'::regtype,
       has_column_privilege(c.oid, a.attnum, 'SELECT'), has_table_privilege(c.oid, 'SELECT'), c.relkind::text,
       row_security_active(c.oid),
       (SELECT array_position(i.indkey::int2[], a.attnum) FROM pg_index i
        WHERE i.indrelid = c.oid AND i.indisprimary)::int,
       current_setting('server_encoding') = 'SQL_ASCII'
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type t ON t.oid = a.atttypid
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'm')
ORDER BY a.attnum
"""
_SMALLEST_ROW = 32
"""Bytes that the shortest row of a table takes at least."""


def from_url(url: str, name: str, password: str | None, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> Server:
    """Make the source of `postgresql://user@host/database`; a unix socket is `?host=/its/folder`."""
    address = Address.parse(url, password)
    return Server(address, name or address.shown, include, exclude, limits)


def _quiet(_: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class _Table:
    """How to read one table: the columns to read, which of them are bytes, and how its records are named.

    `keys` is the primary key; without one, `places` say where a row lies. `raw`: texts are bytes of any encoding.
    """

    name: str
    columns: list[str]
    binary: set[str]
    keys: list[str]
    places: dict[str, str]
    raw: bool
    problems: list[tuple[str, str]]


class Server:
    """The tables of one database that the login may see, as `schema.table`; a large one is several units.

    Views are not read, materialised ones are. A partitioned table is read once, through its parent.
    """

    def __init__(self, address: Address, name: str, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> None:
        self.name, self.url = name, address.shown
        self.include, self.exclude, self.limits = include, exclude, limits
        self.watch: Callable[[str], None] = _quiet
        self.skip: frozenset[str] = frozenset()
        self._address = address

    def units(self) -> Iterator[Unit | Problem]:
        """List the tables by name, and the key ranges of large ones."""
        choice = Choice(self.include, self.exclude)
        try:
            with Session(self._address) as session:
                found = [(f"{row[0]}.{row[1]}", row) for row in session.query(_TABLES) if not _internal(row[0])]
                for object, row in sorted(found, key=lambda pair: pair[0]):
                    if choice.takes(object):
                        yield from self._units(session, object, row)
        except ServerError as error:
            raise SourceError(f"{self.url}: {error.detail}") from None

    def read(self, unit: Unit) -> Iterator[Reading]:
        """Read one table, or one range of it, as it was at one moment."""
        if unit.object in self.skip:
            return
        self.watch(unit.object)
        schema, name, key, bounds = json.loads(unit.locator)
        missed: dict[str, int] = {}
        try:
            with Session(self._address) as session:
                table = _describe(session.query(_COLUMNS, [schema, name]), schema, name)
                if table is None:
                    yield Problem(unit.object, Why.CHANGED, "the table is gone")
                    return
                yield Opened(unit.object, "table", rows=unit.size)
                where = range_condition(_quoted(key), bounds)
                for cells, records in _chunks(session, table, where, missed):
                    yield from column_batches(unit.object, table.columns, cells, records)
        except ServerError as error:
            yield Problem(unit.object, error.why, error.detail)
            return
        for field, detail in table.problems:
            yield Problem(unit.object, Why.DENIED, detail, field=field)
        for field, count in missed.items():
            yield Problem(unit.object, Why.UNSUPPORTED, f"binary values in {count} rows not read", field=field)

    def select(self, query: str) -> Iterator[pa.RecordBatch]:
        """The answer to a query, every column as text. Raises `SourceError` when it cannot be asked."""
        try:
            with Session(self._address) as session:
                texts = ", ".join(f"{_quoted(name)}::text as {_quoted(name)}" for name in session.columns(query))
                yield from session.fetch(f"select {texts} from ({query}) as asked")
        except ServerError as error:
            raise SourceError(f"{self.url}: the query cannot be asked: {error.detail}") from None

    def _units(self, session: Session, object: str, row: tuple[Any, ...]) -> Iterator[Unit | Problem]:
        schema, name, kind, rows, size, allowed, key = row
        if kind == "f":
            yield Problem(object, Why.UNSUPPORTED, "a foreign table: its rows lie in another database")
            return
        if not allowed:
            yield Problem(object, Why.DENIED, "the login has no SELECT privilege")
            return
        ranges = [""]
        if key:
            query = f"SELECT min({_quoted(key)})::bigint, max({_quoted(key)})::bigint FROM {_table(schema, name, kind)}"
            try:
                low, high = session.query(query)[0]
            except ServerError as error:
                yield Problem(object, error.why, error.detail)
                return
            if low is not None:
                ranges = key_ranges(low, high, (size or 0) // _SMALLEST_ROW)
        for number, bounds in enumerate(ranges, 1):
            part = f"{number:08}" if len(ranges) > 1 else ""
            locator = json.dumps([schema, name, key or "", bounds])
            yield Unit(self.name, object, "table", rows // len(ranges), "", part, locator)


def _internal(schema: str) -> bool:
    return schema == "information_schema" or schema.startswith("pg_")


def _describe(rows: list[tuple[Any, ...]], schema: str, name: str) -> _Table | None:
    """Plan how to read a table from what the catalogue says of its columns; `None` when it says nothing."""
    if not rows:
        return None
    readable = [row for row in rows if row[2]]
    keys = sorted((row for row in rows if row[6] is not None), key=lambda row: int(row[6]))
    _, _, _, whole, kind, hidden, _, raw = rows[0]
    problems = [(row[0], "the login has no SELECT privilege") for row in rows if row[2] is False]
    if hidden:
        problems.append(("", "row security hides rows of this table from the login"))
    named = [row[0] for row in keys] if all(row[2] and not row[1] for row in keys) else []
    places = {"ctid": "ctid::text"} if whole and not named else {}
    if places and kind == "p":
        places = {"partition": "tableoid::regclass::text", **places}
    binary = {row[0] for row in readable if row[1]}
    name = _table(schema, name, kind)
    return _Table(name, [row[0] for row in readable], binary, named, places, raw, problems)


def _chunks(session: Session, table: _Table, where: str, missed: dict[str, int]) -> Iterator[tuple[list[pa.StringArray], pa.StringArray]]:
    import pyarrow as pa

    columns = [_quoted(name) + ("" if name in table.binary else "::text") for name in table.columns]
    width, done = len(columns), 0
    query = f"SELECT {','.join([*columns, *table.places.values()])} FROM {table.name} WHERE {where or 'true'}"
    for whole in session.fetch(query):
        for batch in (whole.slice(at, CHUNK_ROWS) for at in range(0, whole.num_rows, CHUNK_ROWS)):
            cells: list[pa.StringArray] = batch.columns[:width]
            for i, name in enumerate(table.columns):
                if name in table.binary:
                    cells[i], binary = decode(cells[i])
                    if binary:
                        missed[name] = missed.get(name, 0) + binary
                elif table.raw and not is_text(cells[i]):
                    cells[i], _ = decode(cells[i], pa.nulls(len(cells[i])))
            if table.keys:
                yield cells, record_names(table.keys, [cells[table.columns.index(key)] for key in table.keys])
            elif table.places:
                yield cells, record_names(list(table.places), batch.columns[width:])
            else:
                yield cells, pa.array([f"row={n}" for n in range(done + 1, done + batch.num_rows + 1)])
            done += batch.num_rows


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _table(schema: str, name: str, kind: str) -> str:
    """Name a table in a query; `ONLY` leaves out the tables that inherit from it, which are read by themselves."""
    return f"{'' if kind == 'p' else 'ONLY '}{_quoted(schema)}.{_quoted(name)}"
