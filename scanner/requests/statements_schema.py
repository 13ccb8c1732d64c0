"""What a database demands of a row that is changed: checks, lengths, computed columns, and the triggers that run when it goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from scanner.errors import SourceError
from scanner.requests.statements import quoted, table
from scanner.sources.clocks import Selects


@dataclass(slots=True)
class Demands:
    """What is demanded of the rows of one table.

    `checks` are conditions in the database's own SQL. `lengths` are in letters. `types` are the declared types, in small letters.
    `computed` columns cannot be set. `on_delete` and `on_update` are triggers, by name. `plain` tables know no transactions.
    """

    checks: list[str] = field(default_factory=list)
    lengths: dict[str, int] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    computed: set[str] = field(default_factory=set)
    on_delete: list[str] = field(default_factory=list)
    on_update: list[str] = field(default_factory=list)
    plain: bool = False


_COLUMNS = {
    "postgresql": (
        "select n.nspname || '.' || c.relname as k0, a.attname::text as k1, format_type(a.atttypid, a.atttypmod) as k2,"
        " case when a.atttypid in (1042, 1043) and a.atttypmod > 4 then a.atttypmod - 4 end as k3,"
        " (a.attgenerated <> '' or a.attidentity = 'a')::int as k4"
        " from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace"
        " where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p') and n.nspname not like 'pg\\_%'"
    ),
    "mysql": (
        "select concat(TABLE_SCHEMA, '.', TABLE_NAME) as k0, COLUMN_NAME as k1, COLUMN_TYPE as k2, CHARACTER_MAXIMUM_LENGTH as k3,"
        " if(EXTRA like '%GENERATED' or EXTRA like '%VIRTUAL%' or EXTRA like '%STORED%' or EXTRA like '%PERSISTENT%', 1, 0) as k4"
        " from information_schema.COLUMNS where TABLE_SCHEMA not in ('information_schema', 'performance_schema', 'mysql', 'sys')"
    ),
    "duckdb": (
        "select schema_name || '.' || table_name as k0, column_name as k1, data_type as k2, null as k3, 0 as k4"
        " from duckdb_columns() where database_name = current_database() and not internal"
    ),
    "sqlite": (
        'select m.name as k0, x.name as k1, lower(x.type) as k2, null as k3, x.hidden in (2, 3) as k4'
        " from sqlite_schema as m, pragma_table_xinfo(m.name) as x where m.type = 'table'"
    ),
    "mssql": (
        "select s.name + '.' + o.name as k0, c.name as k1, t.name as k2,"
        " case when t.name in ('nchar', 'nvarchar') then nullif(c.max_length, -1) / 2 when t.name in ('char', 'varchar')"
        " then nullif(c.max_length, -1) end as k3, c.is_computed as k4 from sys.columns c join sys.objects o on o.object_id = c.object_id"
        " join sys.schemas s on s.schema_id = o.schema_id join sys.types t on t.user_type_id = c.user_type_id where o.type = 'U'"
    ),
    "oracle": (
        "select lower(owner) || '.' || lower(table_name) as k0, lower(column_name) as k1, lower(data_type) as k2,"
        " nullif(char_length, 0) as k3, case virtual_column when 'YES' then 1 else 0 end as k4 from all_tab_cols where hidden_column = 'NO'"
    ),
}  # fmt: skip
_CHECKS: Mapping[str, Sequence[str]] = {
    "postgresql": (
        "select n.nspname || '.' || c.relname as k0, pg_get_expr(k.conbin, k.conrelid) as k1 from pg_constraint k"
        " join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace where k.contype = 'c'",
    ),
    "mysql": (
        "select concat(CONSTRAINT_SCHEMA, '.', TABLE_NAME) as k0, CHECK_CLAUSE as k1 from information_schema.CHECK_CONSTRAINTS",
        "select concat(t.TABLE_SCHEMA, '.', t.TABLE_NAME) as k0, replace(c.CHECK_CLAUSE, '\\\\''', '''') as k1"
        " from information_schema.CHECK_CONSTRAINTS c join information_schema.TABLE_CONSTRAINTS t"
        " on t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA and t.CONSTRAINT_NAME = c.CONSTRAINT_NAME",
    ),
    "duckdb": (
        "select schema_name || '.' || table_name as k0, expression as k1 from duckdb_constraints()"
        " where database_name = current_database() and constraint_type = 'CHECK'",
    ),
    "mssql": (
        "select s.name + '.' + o.name as k0, k.definition as k1 from sys.check_constraints k join sys.objects o"
        " on o.object_id = k.parent_object_id join sys.schemas s on s.schema_id = o.schema_id where k.is_disabled = 0",
    ),
    "oracle": (
        "select lower(owner) || '.' || lower(table_name) as k0, search_condition_vc as k1 from all_constraints"
        " where constraint_type = 'C' and status = 'ENABLED'",
    ),
}
_TRIGGERS = {
    "postgresql": (
        "select n.nspname || '.' || c.relname as k0, t.tgname::text as k1, (t.tgtype & 8 <> 0)::int as k2, (t.tgtype & 16 <> 0)::int as k3"
        " from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace"
        " where not t.tgisinternal and t.tgenabled <> 'D'"
    ),
    "mysql": (
        "select concat(EVENT_OBJECT_SCHEMA, '.', EVENT_OBJECT_TABLE) as k0, TRIGGER_NAME as k1, EVENT_MANIPULATION = 'DELETE' as k2,"
        " EVENT_MANIPULATION = 'UPDATE' as k3 from information_schema.TRIGGERS"
    ),
    "mssql": (
        "select s.name + '.' + o.name as k0, t.name as k1, case e.type_desc when 'DELETE' then 1 else 0 end as k2,"
        " case e.type_desc when 'UPDATE' then 1 else 0 end as k3 from sys.triggers t join sys.objects o on o.object_id = t.parent_id"
        " join sys.schemas s on s.schema_id = o.schema_id join sys.trigger_events e on e.object_id = t.object_id where t.is_disabled = 0"
    ),
    "oracle": (
        "select lower(table_owner) || '.' || lower(table_name) as k0, trigger_name as k1,"
        " case when triggering_event like '%DELETE%' then 1 else 0 end as k2,"
        " case when triggering_event like '%UPDATE%' then 1 else 0 end as k3 from all_triggers where status = 'ENABLED'"
    ),
}
_PLAIN = (
    "select concat(TABLE_SCHEMA, '.', TABLE_NAME) as k0 from information_schema.TABLES"
    " where ENGINE is not null and ENGINE not in ('InnoDB', 'NDBCLUSTER', 'ROCKSDB', 'MyRocks', 'TokuDB')"
)
_EVENT = re.compile(r"\b(insert|delete|update)\b", re.IGNORECASE)


def demands(source: Selects) -> dict[str, Demands]:
    """What is demanded of the rows of all tables, by object. What a server does not tell is left out; the transaction finds it out."""
    dialect = source.dialect
    found: dict[str, Demands] = {}
    for object, column, type, length, computed in _asked(source, _COLUMNS.get(dialect, "")):
        one = found.setdefault(object, Demands())
        one.types[column] = (type or "").lower()
        if length and length.isdigit():
            one.lengths[column] = int(length)
        if computed in ("1", "t", "true"):
            one.computed.add(column)
    if dialect == "sqlite":
        _sqlite(source, found)
        return found
    for query in _CHECKS.get(dialect, ()):
        rows = list(_asked(source, query))
        for object, check in rows:
            if check:
                found.setdefault(object, Demands()).checks.append(check)
        if rows:
            break
    for object, name, gone, changed in _asked(source, _TRIGGERS.get(dialect, "")):
        one = found.setdefault(object, Demands())
        one.on_delete += [name] * (gone in ("1", "t", "true"))
        one.on_update += [name] * (changed in ("1", "t", "true"))
    for (object,) in _asked(source, _PLAIN) if dialect == "mysql" else ():
        found.setdefault(object, Demands()).plain = True
    return found


def refused(source: Selects, object: str, values: Mapping[str, str], where: str, needs: Demands, columns: Sequence[str]) -> str | None:
    """The check that rows would break whose columns had these values; "" when none would, None where that cannot be tried."""
    dialect = source.dialect
    if not needs.checks:
        return ""
    shown = []
    for column in columns:
        name = quoted(dialect, column)
        value = values.get(column)
        if value is not None and dialect in ("postgresql", "duckdb", "mssql") and needs.types.get(column):
            value = f"cast({value} as {needs.types[column]})"
        shown.append(f"{value} as {name}" if value is not None else name)
    inside = f"select {', '.join(shown)} from {table(dialect, object)} where {where}"
    for check in needs.checks:
        query = f"select count(*) as n from ({inside}) {'' if dialect == 'oracle' else 'as '}changed where not ({check})"
        try:
            broken = sum(int(cell or 0) for batch in source.select(query) for cell in batch.column(0).to_pylist())
        except SourceError:
            return None
        if broken:
            return check
    return ""


def _asked(source: Selects, query: str) -> Iterator[tuple[str, ...]]:
    if not query:
        return
    with suppress(SourceError):
        for batch in source.select(query):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _sqlite(source: Selects, found: dict[str, Demands]) -> None:
    rows = _asked(source, "select type as k0, tbl_name as k1, name as k2, sql as k3 from sqlite_schema where sql is not null order by name")
    tables = {name.casefold(): one for name, one in found.items()}
    for type, object, name, sql in rows:
        one = tables.get(object.casefold())
        if one is None:
            continue
        if type == "table":
            one.checks += checks(sql)
        elif type == "trigger":
            event = _EVENT.search(_bare(sql).replace(name, " ", 1))
            one.on_delete += [name] * (event is not None and event[1].lower() == "delete")
            one.on_update += [name] * (event is not None and event[1].lower() == "update")


_TOKEN = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\]|\w+|\S", re.DOTALL | re.UNICODE
)  # fmt: skip


def _bare(sql: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)


def checks(sql: str) -> list[str]:
    """The conditions of all CHECK constraints in a statement that makes a table (SQLite keeps no other record of them)."""
    found: list[str] = []
    tokens = list(_TOKEN.finditer(sql))
    for at, token in enumerate(tokens[:-1]):
        if token[0].casefold() != "check" or tokens[at + 1][0] != "(":
            continue
        depth = 0
        for end in tokens[at + 1 :]:
            depth += {"(": 1, ")": -1}.get(end[0], 0)
            if not depth:
                found.append(sql[tokens[at + 1].end() : end.start()])
                break
    return found
