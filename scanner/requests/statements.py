"""The SQL that deletes or anonymises rows, by their keys: names and values quoted as each dialect reads them, hostile ones included.

A text is written so that it means the same whatever the server is set to: `standard_conforming_strings` of PostgreSQL,
`NO_BACKSLASH_ESCAPES` of MariaDB and MySQL, a backslash at the end of a line in SQL Server, an empty text in Oracle (which is null there).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from scanner.errors import SourceError
from scanner.model import Relation
from scanner.sources.clocks import quoted, table

__all__ = ["MANY", "among", "delete", "detach", "literal", "quoted", "same", "table", "text", "update"]

MANY = 200
"""So many rows are named in one statement."""
ADDRESSES = {"sqlite": ("rowid",), "duckdb": ("rowid",)}
"""Names of rows that no key names and that stay what they are."""
_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f\\\u2028\u2029]*")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)")
_TRUE, _FALSE = frozenset({"true", "t", "1"}), frozenset({"false", "f", "0"})


def literal(dialect: str, value: str | None, kind: str = "text") -> str:
    """A value as it stands in a statement. `kind` is the column's type as `Column` has it. Raises `SourceError` for what cannot be said."""
    if value is None:
        return "NULL"
    if kind == "number" and _NUMBER.fullmatch(value):
        return value
    if kind == "bool" and value.casefold() in _TRUE | _FALSE:
        true = value.casefold() in _TRUE
        return str(int(true)) if dialect in ("sqlite", "mysql", "mssql", "oracle") else str(true).upper()
    if dialect == "oracle" and kind in ("date", "time"):
        if match := _MOMENT.fullmatch(value):
            return f"TIMESTAMP '{match[1]} {match[2]}'"
        if _DAY.fullmatch(value):
            return f"DATE '{value}'"
    if dialect == "mssql" and kind == "time" and (match := _MOMENT.fullmatch(value)):
        return f"'{match[1]}T{match[2]}'"
    return text(dialect, value)


def text(dialect: str, value: str) -> str:
    """A text. Raises `SourceError` when the dialect has no way to write it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SourceError("a value is no Unicode text and cannot stand in a statement") from None
    plain = "'" + value.replace("'", "''") + "'"
    if _PLAIN.fullmatch(value):
        return f"N{plain}" if dialect == "mssql" else plain
    write = {
        "sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql, "duckdb": _duckdb, "mssql": _mssql, "oracle": _oracle,
    }.get(dialect)  # fmt: skip
    if write is None:
        raise SourceError(f"how {dialect} reads a backslash or a control character in a text is not known")
    return write(value)


def _sqlite(value: str) -> str:
    return f"CAST(x'{value.encode().hex()}' AS TEXT)" if "\0" in value else "'" + value.replace("'", "''") + "'"


def _postgresql(value: str) -> str:
    if "\0" in value:
        raise SourceError("PostgreSQL has no text with a NUL")
    named = {"\\": "\\\\", "'": "''", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "E'" + "".join(named.get(one) or (one if one.isprintable() else f"\\U{ord(one):08x}") for one in value) + "'"


def _mysql(value: str) -> str:
    return f"_utf8mb4 x'{value.encode().hex()}'"


def _duckdb(value: str) -> str:
    return _joined(value, re.compile(r"\x00"), lambda one: f"chr({ord(one)})", "'", " || ")


def _mssql(value: str) -> str:
    return _joined(value, re.compile(r"[\x00-\x1f\x7f\u2028\u2029]"), lambda one: f"NCHAR({ord(one)})", "N'", " + ")


def _oracle(value: str) -> str:
    return _joined(value, re.compile(r"[\x00-\x1f\x7f\u2028\u2029]"), lambda one: f"UNISTR('\\{ord(one):04x}')", "'", " || ")


def _joined(value: str, odd: re.Pattern[str], named: Callable[[str], str], mark: str, plus: str) -> str:
    """Pieces without what is odd, and what is odd by its number."""
    parts: list[str] = []
    at = 0
    for match in odd.finditer(value):
        if match.start() > at:
            parts.append(mark + value[at : match.start()].replace("'", "''") + "'")
        parts.append(named(match[0]))
        at = match.end()
    if at < len(value):
        parts.append(mark + value[at:].replace("'", "''") + "'")
    return f"({plus.join(parts)})" if len(parts) > 1 else parts[0]


def among(dialect: str, relation: Relation, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str:
    """The condition that the rows with these values in some columns meet: of a key, or of the columns of a reference."""
    kinds = {one.name: one.type for one in relation.columns}
    names = [column if column in ADDRESSES.get(dialect, ()) and column not in kinds else quoted(dialect, column) for column in columns]
    types = [kinds.get(column, "number") for column in columns]
    if len(columns) == 1:
        values = [literal(dialect, row[0], types[0]) for row in rows]
        return f"{names[0]} = {values[0]}" if len(values) == 1 else f"{names[0]} IN ({', '.join(values)})"
    each = [
        " AND ".join(f"{name} = {literal(dialect, value, kind)}" for name, value, kind in zip(names, row, types, strict=True))
        for row in rows
    ]
    return each[0] if len(each) == 1 else " OR ".join(f"({one})" for one in each)


def same(dialect: str, relation: Relation, row: Mapping[str, str | None]) -> str:
    """The condition that a row meets which has the same value in every column: for tables without a key.

    Values are compared as the texts that they are read as, exactly. Columns that the row does not say are left out.
    """
    parts = []
    for column in relation.columns:
        if column.name in row:
            parts.append(_is(dialect, quoted(dialect, column.name), row[column.name], column.type))
    if not parts:
        raise SourceError("a row of which nothing was read cannot be told from others")
    return " AND ".join(parts)


def _is(dialect: str, name: str, value: str | None, kind: str) -> str:
    if value is None:
        return f"{name} IS NULL"
    written = text(dialect, value)
    if dialect == "sqlite":
        return f"CAST({name} AS TEXT) IS {written}" if kind != "text" else f"{name} IS {written}"
    if dialect == "postgresql":
        return f"{name}::text = {written}" if kind != "text" else f"{name} = {written}"
    if dialect == "mysql":
        return f"CAST(CAST({name} AS CHAR CHARACTER SET utf8mb4) AS BINARY) = CAST({written} AS BINARY)"
    if dialect == "duckdb":
        return f"CAST({name} AS VARCHAR) = {written}" if kind != "text" else f"{name} = {written}"
    return f"{name} = {literal(dialect, value, kind)}"


def delete(dialect: str, object: str, where: str) -> str:
    """Delete the rows that meet a condition."""
    return f"DELETE FROM {table(dialect, object)} WHERE {where}"


def update(dialect: str, object: str, values: Mapping[str, str], where: str) -> str:
    """Set columns of the rows that meet a condition. `values` are expressions, written already."""
    sets = ", ".join(f"{quoted(dialect, name)} = {value}" for name, value in values.items())
    return f"UPDATE {table(dialect, object)} SET {sets} WHERE {where}"


def detach(dialect: str, object: str, columns: Sequence[str], where: str) -> str:
    """Let rows no longer point anywhere: before rows that point at each other are deleted."""
    return update(dialect, object, dict.fromkeys(columns, "NULL"), where)
