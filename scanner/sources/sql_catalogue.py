"""Which tables a database has, and how each of them is read: MariaDB and MySQL by their catalogue, others by SQLAlchemy's inspector."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from scanner.extract.rows import CHUNK_ROWS, range_condition
from scanner.model import Why
from scanner.sources.postgresql_server import ServerError

if TYPE_CHECKING:
    from scanner.sources.sql_session import Inspection, Session

_SYSTEM = frozenset({
    "information_schema", "performance_schema", "mysql", "sys", "pg_catalog", "pg_toast", "crdb_internal", "guest",
    "ctxsys", "dbsnmp", "gsmadmin_internal", "mdsys", "ordsys", "outln", "system", "wmsys", "xdb",
    "syscat", "sysibm", "sysibmadm", "sysstat", "systools", "sysproc", "sysfun", "syspublic", "nullid", "sqlj", "_sys_statistics",
})  # fmt: skip
"""Schemas in which a server keeps itself, in small letters."""
_MYSQL_TABLES = """
SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, UNIX_TIMESTAMP(CREATE_TIME), UNIX_TIMESTAMP(UPDATE_TIME), UNIX_TIMESTAMP()
FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
  AND (:database = '' OR TABLE_SCHEMA = :database) {only}
"""
_MYSQL_KEYS = """
SELECT TABLE_SCHEMA, TABLE_NAME, SUM(FIND_IN_SET('select', LOWER(PRIVILEGES)) > 0), SUM(COLUMN_KEY = 'PRI'),
       MAX(CASE WHEN COLUMN_KEY = 'PRI' AND DATA_TYPE IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint')
                     AND FIND_IN_SET('select', LOWER(PRIVILEGES)) > 0 THEN COLUMN_NAME END)
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
  AND (:database = '' OR TABLE_SCHEMA = :database) {only}
GROUP BY TABLE_SCHEMA, TABLE_NAME
"""
_MYSQL_TABLE = (
    "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = :s AND TABLE_NAME = :t"
)
_MYSQL_COLUMNS = """
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, LOWER(DATA_TYPE), COALESCE(CHARACTER_OCTET_LENGTH, 0),
       FIND_IN_SET('select', LOWER(PRIVILEGES)) > 0
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = :s AND TABLE_NAME = :t ORDER BY ORDINAL_POSITION
"""
_MYSQL_INDEXES = """
SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, NULLABLE = 'YES' OR SUB_PART IS NOT NULL OR COLUMN_NAME IS NULL
FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = :s AND TABLE_NAME = :t AND NON_UNIQUE = 0
ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX
"""
_JSON_VALID = re.compile(r"(?i)CHECK \(json_valid\(`((?:[^`]|``)+)`\)\)")
BINARY = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"})
SHAPES = frozenset({
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geometrycollection", "geomcollection",
})  # fmt: skip
_ELSEWHERE = frozenset({"FEDERATED", "CONNECT", "SPIDER", "S3"})
_LOCKING = frozenset({"MyISAM", "Aria", "MEMORY", "CSV", "ARCHIVE"})
"""Engines that let nobody write while they are read: their answer is put aside by the server first."""
_LONG = 2_048
"""Bytes that a value of a column may have before its length is watched."""
_SETTLED = 2
"""Seconds after which a table's time of change tells all changes: it has no fractions."""


class Found(NamedTuple):
    """What a listing says of a table: `key` is its whole-number key, by which it can be cut into ranges, or `""`;
    `stamp` tells one state from another, or is `""`; `historic`: old rows are read too, several of one key. With `why` and `detail`
    it cannot be read.
    """

    schema: str
    name: str
    view: bool = False
    rows: int = 0
    key: str = ""
    stamp: str = ""
    historic: bool = False
    why: Why | None = None
    detail: str = ""

    @property
    def object(self) -> str:
        """Its name among the objects of the source."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True)
class Table:
    """How to read a table. The rows of its query hold the `columns`, then `places`, then for each of the columns
    `capped` whether its value is longer than the limit and left out.

    `keys` name a record, else `places`, else its row number. `binary` columns hold bytes, `None` standing for any column;
    `trees` are those with an inside, and which: json or xml.
    `source` is what follows FROM, in the query of MariaDB and MySQL.
    """

    query: Any
    columns: tuple[str, ...]
    keys: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    binary: frozenset[int] | None = None
    trees: Mapping[int, str] = field(default_factory=dict)
    long: tuple[int, ...] = ()
    capped: tuple[int, ...] = ()
    chunk: int = CHUNK_ROWS
    fetch: int = 1_000
    problems: tuple[tuple[str, str], ...] = ()
    source: str = ""


def tables(session: Session, database: str, views: bool, only: str = "") -> Iterator[Found]:
    """List the tables of a server, in no order; with `views`, views too. With `only`, others than that object may be left out.

    Raises `ServerError`.
    """
    return _mysql_tables(session, database, only) if session.mysql else _other_tables(session, views, only)


def bounds(session: Session, found: Found) -> tuple[int, int] | None:
    """The lowest and the highest key of a table; `None` when it is empty. Raises `ServerError`."""
    import sqlalchemy as sa

    key: Any = sa.column(found.key)
    table = sa.table(found.name, schema=found.schema or None)
    low, high = session.query(sa.select(sa.func.min(key), sa.func.max(key)).select_from(table))[0]
    return None if low is None else (int(low), int(high))


def count(session: Session, found: Found) -> int:
    """The rows of a table, counted. Raises `ServerError`."""
    import sqlalchemy as sa

    return int(session.query(sa.select(sa.func.count()).select_from(sa.table(found.name, schema=found.schema or None)))[0][0])


def within(table: Table, key: str, starts: Sequence[int], width: int) -> Any:
    """The table's query for those rows whose whole-number key is one of `width` that begin at a start. Its own has no condition."""
    import sqlalchemy as sa

    if isinstance(table.query, str):
        return f"{table.query} WHERE {' OR '.join(f'{quoted(key)} BETWEEN {start} AND {start + width - 1}' for start in starts)}"
    return table.query.where(sa.or_(*(sa.column(key).between(start, start + width - 1) for start in starts)))


def plan(session: Session, schema: str, name: str, key: str, part: str, cap: int) -> Table | None:
    """How to read a table, or the range `part` of its `key`, without values of more than `cap` bytes where the server
    can tell their length; `None` when it is gone. Raises `ServerError`."""
    make = _mysql_plan if session.mysql else _other_plan
    return make(session, schema, name, key, part, cap)


# --- MariaDB and MySQL ---------------------------------------------------------------------------------------------


def _mysql_tables(session: Session, database: str, only: str = "") -> Iterator[Found]:
    one = "AND TABLE_SCHEMA = :schema AND TABLE_NAME = :name" if only else ""
    places = [{"schema": schema, "name": name} for schema, name in _places(only)] if only else [{}]

    def rows_of(query: str) -> list[Any]:
        return [row for place in places for row in session.query(query.format(only=one), {"database": database, **place})]

    known = {(row[0], row[1]): row[2:] for row in rows_of(_MYSQL_KEYS)}
    for schema, name, type, engine, rows, created, updated, now in rows_of(_MYSQL_TABLES):
        found = Found(schema, name, type.endswith("VIEW") or engine == "MRG_MyISAM", int(rows or 0))
        readable, parts, key = known.get((schema, name), (0, 0, None))
        settled = updated is not None and updated < now - _SETTLED
        if type in ("SEQUENCE", "TEMPORARY", "TEMPORARY SEQUENCE"):
            continue
        if engine in _ELSEWHERE:
            yield found._replace(why=Why.UNSUPPORTED, detail=f"a {engine} table: its rows lie outside this database")
        elif not readable:
            yield found._replace(why=Why.DENIED, detail="the login has no SELECT privilege")
        else:
            stamp = f"{engine}:{created}:{updated}" if settled and not found.view else ""
            yield found._replace(key=key if key and parts == 1 else "", stamp=stamp, historic=type == "SYSTEM VERSIONED")


def _mysql_plan(session: Session, schema: str, name: str, key: str, part: str, cap: int) -> Table | None:
    where = {"s": schema, "t": name}

    def rows(query: str) -> list[Any]:
        return [row for row in session.query(query, where) if (row[0], row[1]) == (schema, name)]

    listed, described = rows(_MYSQL_TABLE), rows(_MYSQL_COLUMNS)
    if not listed or not described:
        return None
    engine, historic = listed[0][3], listed[0][2] == "SYSTEM VERSIONED"
    columns = [row[2:5] for row in described if row[5]]
    names = [row[0] for row in columns]
    problems = [(row[2], "the login has no SELECT privilege") for row in described if not row[5]]
    table = f"{quoted(schema)}.{quoted(name)}"
    try:
        session.ask(f"SELECT * FROM {table} LIMIT 0")
    except ServerError as error:
        if error.why is not Why.DENIED:
            raise
        if not problems:
            problems.append(("", "the login may not see all columns"))
    indexes: dict[str, list[tuple[str, bool]]] = {}
    for _, _, index, column, useless in rows(_MYSQL_INDEXES):
        indexes.setdefault(index, []).append((column, bool(useless)))
    keys = next((index for index in indexes.values() if all(column in names and not useless for column, useless in index)), [])
    checked = _checked(session, table)
    capped = tuple(i for i, row in enumerate(columns) if row[2] > cap)
    texts = [mysql_text(quoted(column), type, cap if length > cap else 0) for column, type, length in columns]
    flags = [f"OCTET_LENGTH({quoted(names[i])}) > {cap}" for i in capped]
    places = ("row_end",) if historic and keys and "row_end" not in [column for column, _ in keys] else ()
    ends = [f"CAST({'ROW_END' if place == 'row_end' else place} AS CHAR)" for place in places]
    aside = "SQL_BUFFER_RESULT " * (engine in _LOCKING)
    where_part = range_condition(quoted(key), part) if key else ""
    source = f"{table}{' FOR SYSTEM_TIME ALL' * historic}"
    query = f"SELECT {aside}{', '.join([*texts, *ends, *flags])} FROM {source}{f' WHERE {where_part}' if where_part else ''}"
    short = sum(row[2] for row in columns if row[2] <= _LONG)
    return Table(
        query,
        tuple(names),
        tuple(column for column, _ in keys),
        places,
        frozenset(i for i, row in enumerate(columns) if row[1] in BINARY),
        {i: "json" for i, row in enumerate(columns) if row[1] == "json" or row[0] in checked},
        tuple(i for i, row in enumerate(columns) if row[2] > _LONG),
        capped,
        max(256, min(CHUNK_ROWS, 2**28 // max(short, 1))),
        problems=tuple(problems),
        source=source,
    )


def _checked(session: Session, table: str) -> set[str]:
    """The columns of MariaDB's type JSON: text with a check. Who may only read is told no constraints, but how the table is made."""
    try:
        made = session.query(f"SHOW CREATE TABLE {table}".replace(":", r"\:"))[0][1]
    except ServerError:
        return set()
    return {name.replace("``", "`") for name in _JSON_VALID.findall(made)}


def quoted(name: str) -> str:
    """A name as it stands in a query of MariaDB or MySQL."""
    return "`" + name.replace("`", "``") + "`"


def mysql_text(name: str, type: str, cap: int) -> str:
    """A column as the text that is read, or nothing where it has more than `cap` bytes."""
    if type in SHAPES:
        return f"ST_AsText({name})"
    if type == "bit":
        return f"CAST({name} AS UNSIGNED)"
    return f"IF(OCTET_LENGTH({name}) > {cap}, NULL, {name})" if cap else name


# --- any other server ----------------------------------------------------------------------------------------------


def _places(object: str) -> list[tuple[str, str]]:
    """The schemas and names that an object could be called by."""
    return [(object[:i], object[i + 1 :]) for i, sign in enumerate(object) if sign == "."] or [("", object)]


def _other_tables(session: Session, views: bool, only: str) -> Iterator[Found]:
    from sqlalchemy import Integer

    inspection = session.inspect()
    if only:
        for place, name in _places(only):
            seen = views and name in (inspection.ask("get_view_names", schema=place or None) or [])
            if place.lower() not in _SYSTEM and inspection.ask("has_table", name, schema=place or None):
                yield Found(place, name, view=bool(seen))
        return
    for schema in _schemas(session, inspection):
        names = inspection.ask("get_table_names", schema=schema) or []
        stored = inspection.ask("get_materialized_view_names", schema=schema) or []
        columns = inspection.ask("get_multi_columns", schema=schema) or {}
        keys = inspection.ask("get_multi_pk_constraint", schema=schema) or {}
        for name in [*names, *stored]:
            whole = {column["name"] for column in columns.get((schema, name), ()) if isinstance(column["type"], Integer)}
            key = (keys.get((schema, name)) or {}).get("constrained_columns") or []
            yield Found(schema or "", name, key=key[0] if len(key) == 1 and key[0] in whole else "")
        if views:
            for name in set(inspection.ask("get_view_names", schema=schema) or []) - set(stored):
                yield Found(schema or "", name, view=True)


def _schemas(session: Session, inspection: Inspection) -> Sequence[str | None]:
    """The schemas that are not the server's own; `[None]` for a server without schemas."""
    names = inspection.ask("get_schema_names")
    if names is None:
        return [None]
    own: set[str] = set()
    if session.kind == "oracle":
        own = {row[0].lower() for row in session.query("SELECT username FROM all_users WHERE oracle_maintained = 'Y'")}
    return [name for name in names if name.lower() not in _SYSTEM | own and not name.lower().startswith("pg_temp")]


def _other_plan(session: Session, schema: str, name: str, key: str, part: str, _cap: int) -> Table | None:
    import sqlalchemy as sa

    inspection = session.inspect()
    try:
        columns = inspection.ask("get_columns", name, schema=schema or None)
        keys = keys_of(inspection, name, schema or None, {column["name"] for column in columns if not column.get("nullable", True)})
    except ServerError as error:
        if error.why is Why.CHANGED:
            return None
        raise
    names = [column["name"] for column in columns]
    if not names:
        return None
    long = tuple(i for i, column in enumerate(columns) if _is_long(column["type"]))
    trees = {i: kind for i, column in enumerate(columns) if (kind := _tree(column["type"]))}
    places = ("rowid",) if session.kind == "oracle" and not keys else ()
    ends: list[Any] = [sa.literal_column("ROWIDTOCHAR(ROWID)")] * len(places)
    query: Any = sa.select(*map(sa.column, names), *ends).select_from(sa.table(name, schema=schema or None))
    if where := range_condition("key", part):
        for condition in where.split(" AND "):
            _, sign, end = condition.split(" ")
            query = query.where(sa.column(key) > int(end) if sign == ">" else sa.column(key) <= int(end))
    return Table(query, tuple(names), tuple(keys), places, None, trees, long, fetch=64 if long else 1_000)


def keys_of(inspection: Inspection, name: str, schema: str | None, filled: set[str]) -> list[str]:
    """The columns of the primary key, or of a unique index over columns that are never null."""
    primary: list[str] = (inspection.ask("get_pk_constraint", name, schema=schema) or {}).get("constrained_columns") or []
    if primary:
        return primary
    for index in inspection.ask("get_indexes", name, schema=schema) or []:
        some = any("where" in option or "filter" in option for option, value in index.get("dialect_options", {}).items() if value)
        if index.get("unique") and not some and index["column_names"] and set(index["column_names"]) <= filled:
            return list(index["column_names"])
    return []


def _tree(type: Any) -> str:
    from sqlalchemy import JSON

    return "json" if isinstance(type, JSON) else "xml" if type.__visit_name__.upper() == "XML" else ""


def _is_long(type: Any) -> bool:
    from sqlalchemy import JSON, LargeBinary, String
    from sqlalchemy.types import NullType

    return isinstance(type, (LargeBinary, JSON, NullType)) or (isinstance(type, String) and (type.length is None or type.length > _LONG))
