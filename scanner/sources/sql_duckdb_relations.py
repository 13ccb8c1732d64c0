"""What a DuckDB database says of its tables: columns, keys, references, indexes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from scanner.model import Column, Reference, Relation
from scanner.sources.sql_duckdb_lookup import kind

_COLUMNS = """
SELECT schema_name, table_name, column_name, data_type, is_nullable FROM duckdb_columns()
WHERE database_name = current_database() AND NOT internal ORDER BY column_index
"""
_CONSTRAINTS = """
SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names
FROM duckdb_constraints() WHERE database_name = current_database() ORDER BY constraint_index
"""
_INDEXES = """
SELECT schema_name, table_name, is_unique, expressions FROM duckdb_indexes() WHERE database_name = current_database() ORDER BY index_oid
"""
_MEMBER = re.compile(r"'((?:[^']|'')*)'|([^',\[\]]+)")


def relations(database: Any, listed: Sequence[tuple[str, str, str, int, bool]]) -> list[Relation]:
    """Describe the listed tables: (object, schema, name, rows, whether it is a view)."""
    columns, constraints, indexes = (_grouped(database.execute(query).fetchall()) for query in (_COLUMNS, _CONSTRAINTS, _INDEXES))
    found = []
    for object, schema, name, rows, view in listed:
        place = (schema, name)
        known = [row[0] for row in columns.get(place, ())]
        kept = constraints.get(place, ())
        keys = [tuple(names) for type, names, *_ in kept if type == "PRIMARY KEY"]
        unique = keys + [tuple(names) for type, names, *_ in kept if type == "UNIQUE"]
        others: list[tuple[str, ...]] = []
        for one, expressions in indexes.get(place, ()):
            leading, whole = _leading(expressions, known)
            (unique if one and whole else others).append(leading)
        references = [
            Reference(tuple(names), f"{schema}.{table}", tuple(to)) for type, names, table, to in kept if type == "FOREIGN KEY" and table
        ]
        described = tuple(Column(column, kind(type), bool(empty)) for column, type, empty in columns.get(place, ()))
        found.append(
            Relation(
                object,
                described,
                keys[0] if keys else (),
                tuple(references),
                tuple(dict.fromkeys(names for names in unique if names)),
                tuple(dict.fromkeys(names for names in others if names)),
                (),
                rows,
                view,
            )
        )
    return found


def _leading(expressions: str, columns: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """The columns before the first that is none but an expression, and whether there is none such: of `[id, '"b c"', '(lower(a))']`."""
    members = [(match[1] or match[2]).strip() for match in _MEMBER.finditer(expressions.strip()[1:-1]) if (match[1] or match[2]).strip()]
    names = [member[1:-1].replace('""', '"') if member.startswith('"') else member for member in members]
    leading: list[str] = []
    for name in names:
        if name not in columns:
            break
        leading.append(name)
    return tuple(leading), len(leading) == len(names)


def _grouped(rows: Sequence[Any]) -> dict[tuple[str, str], list[Any]]:
    found: dict[tuple[str, str], list[Any]] = {}
    for schema, name, *rest in rows:
        found.setdefault((schema, name), []).append(rest)
    return found
