"""What a PostgreSQL server's catalogue says of its tables: columns, keys, references, indexes, triggers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from scanner.model import Column, Reference, Relation
from scanner.sources.postgresql_server import Session

_COLUMNS = """
SELECT n.nspname || '.' || c.relname, a.attname::text, NOT a.attnotnull, b.typname::text, b.typtype::text, b.typcategory::text,
       b.typnamespace = 'pg_catalog'::regnamespace, has_column_privilege(c.oid, a.attnum, 'SELECT'),
       greatest(CASE WHEN c.relkind = 'p' THEN
         (SELECT sum(greatest(l.reltuples, 0)) FROM pg_partition_tree(c.oid) p JOIN pg_class l ON l.oid = p.relid WHERE p.isleaf)
         ELSE c.reltuples END, 0)::bigint,
       c.relkind = 'v'
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
WHERE c.relkind IN ('r', 'p', 'm', 'v') AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY c.oid, a.attnum
"""
_INDEXES = """
SELECT n.nspname || '.' || c.relname, i.indisunique, i.indisprimary, json_agg(a.attname ORDER BY k.place)::text
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number AND k.number <> 0
WHERE k.place <= i.indnkeyatts AND i.indisvalid AND i.indpred IS NULL AND n.nspname NOT LIKE 'pg\\_%'
GROUP BY n.nspname, c.relname, i.indexrelid, i.indisunique, i.indisprimary
ORDER BY i.indexrelid
"""
_REFERENCES = """
SELECT n.nspname || '.' || c.relname, m.nspname || '.' || t.relname, f.confdeltype::text,
       (SELECT json_agg(a.attname ORDER BY k.place)::text FROM unnest(f.conkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.number),
       (SELECT json_agg(a.attname ORDER BY k.place)::text FROM unnest(f.confkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.number)
FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = coalesce(pg_partition_root(f.confrelid), f.confrelid) JOIN pg_namespace m ON m.oid = t.relnamespace
WHERE f.contype = 'f' AND f.conparentid = 0
ORDER BY f.oid
"""
_TRIGGERS = """
SELECT n.nspname || '.' || c.relname, t.tgname::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 24 <> 0
ORDER BY t.tgname
"""
_ON_DELETE = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_KINDS = {
    **dict.fromkeys(("int2", "int4", "int8", "numeric", "float4", "float8", "money", "oid"), "number"),
    **dict.fromkeys(("timestamp", "timestamptz"), "time"),
    **dict.fromkeys(("json", "jsonb"), "json"),
    "bool": "bool", "date": "date", "bytea": "bytes",
}  # fmt: skip


def relations(session: Session) -> dict[str, Relation]:
    """Describe all tables and views, by object. Raises `ServerError`."""
    columns = _grouped(session.query(_COLUMNS))
    indexes, references = _grouped(session.query(_INDEXES)), _grouped(session.query(_REFERENCES))
    triggers = _grouped(session.query(_TRIGGERS))
    return {
        object: _relation(object, rows, indexes.get(object, ()), references.get(object, ()), triggers.get(object, ()))
        for object, rows in columns.items()
    }


def _relation(object: str, rows: Sequence[Any], indexes: Sequence[Any], references: Sequence[Any], triggers: Sequence[Any]) -> Relation:
    readable = [row for row in rows if row[6]]
    columns = tuple(Column(row[0], _kind(*row[2:6]), bool(row[1])) for row in readable)
    keys: list[tuple[tuple[str, ...], bool, bool]] = []
    for unique, primary, names in indexes:
        listed = json.loads(names)
        leading = tuple(listed[: listed.index(None)] if None in listed else listed)
        if leading:
            keys.append((leading, unique and len(leading) == len(listed), primary))
    primary = next((names for names, _, first in keys if first), ())
    # As in reading: a key is used when all of it may be read and none of it has an inside.
    whole = {row[0] for row in readable if _named(*row[2:6])}
    return Relation(
        object,
        columns,
        primary if whole.issuperset(primary) else (),
        tuple(Reference(tuple(json.loads(of)), to, tuple(json.loads(names)), _ON_DELETE[action]) for to, action, of, names in references),
        tuple(dict.fromkeys(names for names, unique, _ in keys if unique)),
        tuple(dict.fromkeys(names for names, unique, _ in keys if not unique)),
        tuple(name for (name,) in triggers),
        int(rows[0][7]),
        bool(rows[0][8]),
    )


def _kind(name: str, type: str, category: str, own: bool) -> str:
    if type == "e" or category == "S":
        return "text"
    return _KINDS.get(name, "other") if own else "other"


def _named(name: str, type: str, category: str, own: bool) -> bool:
    return category not in "AC" and type != "r" and not (own and name in ("bytea", "json", "jsonb", "xml")) and name != "hstore"


def _grouped(rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Rows by their first value, the object."""
    found: dict[str, list[Any]] = {}
    for object, *rest in rows:
        found.setdefault(object, []).append(rest)
    return found
