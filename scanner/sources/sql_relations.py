"""What a server says of its tables through SQLAlchemy: columns, keys, references, indexes, and what its dialect tells besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scanner.model import Column, Reference, Relation, Why
from scanner.sources.postgresql_server import ServerError
from scanner.sources.sql_catalogue import Found, keys_of
from scanner.sources.sql_session import Inspection, Session

_TRIGGERS = {
    "mysql": (
        "SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, TRIGGER_NAME FROM information_schema.TRIGGERS"
        " WHERE EVENT_MANIPULATION IN ('DELETE', 'UPDATE')"
    ),
    "mssql": (
        "SELECT DISTINCT s.name, o.name, t.name FROM sys.triggers t JOIN sys.objects o ON o.object_id = t.parent_id"
        " JOIN sys.schemas s ON s.schema_id = o.schema_id JOIN sys.trigger_events e ON e.object_id = t.object_id"
        " WHERE t.is_disabled = 0 AND e.type_desc IN ('DELETE', 'UPDATE')"
    ),
    "oracle": (
        "SELECT LOWER(table_owner), LOWER(table_name), trigger_name FROM all_triggers WHERE status = 'ENABLED'"
        " AND (triggering_event LIKE '%DELETE%' OR triggering_event LIKE '%UPDATE%')"
    ),
    "postgresql": (
        "SELECT event_object_schema, event_object_table, trigger_name FROM information_schema.triggers"
        " WHERE event_manipulation IN ('DELETE', 'UPDATE')"
    ),
}
_TRIGGERS["mariadb"] = _TRIGGERS["mysql"]
_ROWS = {
    "mssql": (
        "SELECT s.name, o.name, SUM(p.row_count) FROM sys.dm_db_partition_stats p JOIN sys.objects o ON o.object_id = p.object_id"
        " JOIN sys.schemas s ON s.schema_id = o.schema_id WHERE p.index_id IN (0, 1) GROUP BY s.name, o.name"
    ),
    "oracle": "SELECT LOWER(owner), LOWER(table_name), num_rows FROM all_tables WHERE num_rows IS NOT NULL",
    "postgresql": "SELECT relnamespace::regnamespace::text, relname, greatest(reltuples, 0) FROM pg_class WHERE relkind = 'r'",
}
_KEYS = """
SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, NON_UNIQUE = 0, NULLABLE = 'YES' OR SUB_PART IS NOT NULL, SUB_PART IS NOT NULL
FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX
"""
_COLUMNS = """
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, LOWER(DATA_TYPE), IS_NULLABLE = 'YES'
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys') AND FIND_IN_SET('select', LOWER(PRIVILEGES)) > 0
ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION
"""
_REFERENCES = """
SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME
FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL
ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION
"""
_HISTORIC = "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'SYSTEM VERSIONED'"
_KINDS = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "year", "bit"), "number"),
    **dict.fromkeys(("datetime", "timestamp"), "time"),
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"), "text"),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), "bytes"),
    "date": "date", "json": "json",
}  # fmt: skip


def relations(session: Session, listed: Sequence[Found]) -> dict[str, Relation]:
    """Describe those of the listed tables that can be read, by object. Raises `ServerError`."""
    wanted = {(found.schema, found.name): found for found in listed if found.why is None}
    triggers = _grouped(session.query(_TRIGGERS[session.kind])) if session.kind in _TRIGGERS else {}
    return (_mysql if session.mysql else _others)(session, wanted, triggers)


def _mysql(session: Session, wanted: Mapping[tuple[str, str], Found], triggers: Mapping[tuple[str, str], list[Any]]) -> dict[str, Relation]:
    columns, keys, kept = (_grouped(session.query(query)) for query in (_COLUMNS, _KEYS, _REFERENCES))
    historic = _grouped(session.query(_HISTORIC)) if session.dialect.is_mariadb else {}  # type: ignore[attr-defined]
    inspection = session.inspect()
    described: dict[str, Relation] = {}
    for place, found in wanted.items():
        names = [row[0] for row in columns.get(place, ())]
        indexes: dict[str, list[Any]] = {}
        for index, *row in keys.get(place, ()):
            indexes.setdefault(index, []).append(row)
        whole = [
            [row[0] for row in rows] for rows in indexes.values() if rows[0][1] and all(row[0] in names and not row[2] for row in rows)
        ]
        key = next(iter(whole), [])
        if key and place in historic and "row_end" not in key:
            key = [*key, "row_end"]
        unique: list[list[str]] = []
        others: list[list[str]] = []
        for rows in indexes.values():
            leading = _leading([row[0] if row[0] in names else None for row in rows])
            exact = rows[0][1] and len(leading) == len(rows) and not any(row[3] for row in rows)
            (unique if exact else others).append(leading)
        keyed = _mysql_references(inspection, found, kept[place]) if place in kept else []
        described[found.object] = Relation(
            found.object,
            tuple(Column(name, _KINDS.get(type, "other"), bool(empty)) for name, type, empty in columns.get(place, ())),
            tuple(key),
            _references(keyed, found.schema, names),
            _distinct(unique),
            _distinct(others),
            tuple(sorted({row[0] for row in triggers.get(place, ())})),
            found.rows,
            found.view,
        )
    return described


def _mysql_references(inspection: Inspection, found: Found, kept: Sequence[Any]) -> list[dict[str, Any]]:
    """What is done on delete stands only in the statement that made the table, which not every login may see."""
    try:
        return list(inspection.ask("get_foreign_keys", found.name, schema=found.schema))
    except ServerError as error:
        if error.why is not Why.DENIED:
            raise
    known: dict[str, dict[str, Any]] = {}
    for name, column, schema, table, other in kept:
        one = known.setdefault(name, {"name": name, "constrained_columns": [], "referred_columns": []})
        one |= {"referred_schema": schema, "referred_table": table}
        one["constrained_columns"].append(column)
        one["referred_columns"].append(other)
    return list(known.values())


def _others(
    session: Session, wanted: Mapping[tuple[str, str], Found], triggers: Mapping[tuple[str, str], list[Any]]
) -> dict[str, Relation]:
    rows = (
        {place: int(found[0][0]) for place, found in _grouped(session.query(_ROWS[session.kind])).items()} if session.kind in _ROWS else {}
    )
    inspection = session.inspect()
    described: dict[str, Relation] = {}
    for place, found in wanted.items():
        schema = found.schema or None
        columns = inspection.ask("get_columns", found.name, schema=schema) or []
        filled = {column["name"] for column in columns if not column.get("nullable", True)}
        names = [column["name"] for column in columns]
        key = keys_of(inspection, found.name, schema, filled) if columns else []
        primary = (inspection.ask("get_pk_constraint", found.name, schema=schema) or {}).get("constrained_columns") or []
        unique: list[list[str]] = [list(primary)]
        others: list[list[str]] = []
        for one in inspection.ask("get_unique_constraints", found.name, schema=schema) or []:
            unique.append(list(one["column_names"]))
        for one in inspection.ask("get_indexes", found.name, schema=schema) or []:
            if any(("where" in option or "filter" in option) and value for option, value in one.get("dialect_options", {}).items()):
                continue
            leading = _leading(one["column_names"])
            (unique if one.get("unique") and len(leading) == len(one["column_names"]) else others).append(leading)
        keyed = [] if found.view else inspection.ask("get_foreign_keys", found.name, schema=schema)
        described[found.object] = Relation(
            found.object,
            tuple(Column(column["name"], kind(column["type"]), bool(column.get("nullable", True))) for column in columns),
            tuple(key),
            _references(keyed or [], found.schema, names),
            _distinct(unique),
            _distinct(others),
            tuple(sorted({row[0] for row in triggers.get(place, triggers.get((place[0].lower(), place[1].lower()), ()))})),
            rows.get(place, rows.get((place[0].lower(), place[1].lower()), found.rows)),
            found.view,
        )
    return described


def _references(keyed: Sequence[Mapping[str, Any]], schema: str, names: Sequence[str]) -> tuple[Reference, ...]:
    found = []
    for one in sorted(keyed, key=lambda one: (one.get("name") or "", one["constrained_columns"])):
        if set(one["constrained_columns"]) <= set(names):
            place = one.get("referred_schema") or schema
            action = str((one.get("options") or {}).get("ondelete") or "no action").lower()
            object = f"{place}.{one['referred_table']}" if place else one["referred_table"]
            found.append(Reference(tuple(one["constrained_columns"]), object, tuple(one["referred_columns"]), action))
    return tuple(found)


def kind(type: Any) -> str:
    """What a column of one of SQLAlchemy's types holds."""
    import sqlalchemy as sa

    known = (
        (sa.Boolean, "bool"), (sa.Integer, "number"), ((sa.Numeric, sa.Float), "number"), (sa.DateTime, "time"), (sa.Date, "date"),
        (sa.JSON, "json"), (sa.LargeBinary, "bytes"), (sa.String, "text"),
    )  # fmt: skip
    return next((name for one, name in known if isinstance(type, one)), "other")


def _leading(columns: Sequence[str | None]) -> list[str]:
    """The columns before the first that is none but an expression."""
    found = []
    for column in columns:
        if column is None:
            break
        found.append(column)
    return found


def _distinct(columns: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(dict.fromkeys(tuple(one) for one in columns if one))


def _grouped(rows: Sequence[Any]) -> dict[tuple[str, str], list[Any]]:
    """Rows by their first two values, the schema and the table."""
    found: dict[tuple[str, str], list[Any]] = {}
    for schema, name, *rest in rows:
        found.setdefault((schema, name), []).append(rest)
    return found
