"""Writes the tables of the made-up company as SQL scripts that psql and mariadb load as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from scanner.demo import erp, hr
from scanner.demo.tables import Tables

DATABASE = "optifo"
"""The database that the script for MariaDB makes."""


def postgresql(tables: Tables) -> str:
    """Schema, rows, then keys and a trigger, in one transaction."""
    begin = "-- Optifo ApS is made up. Load it into an empty database: psql -v ON_ERROR_STOP=1 -f postgresql.sql\nbegin;\n"
    return begin + hr.SCHEMA.lstrip() + "".join(_inserts(tables, _standard)) + hr.AFTER + "commit;\n"


def mariadb(tables: Tables) -> str:
    """A database of its own, its schema, its rows and a trigger."""
    begin = "-- Optifo ApS is made up. Load it: mariadb < mariadb.sql\nSET NAMES utf8mb4;\n"
    begin += f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4;\nUSE {DATABASE};\n"
    return begin + erp.SCHEMA.lstrip() + "".join(_inserts(tables, _backslashed)) + erp.AFTER


def _inserts(tables: Tables, quoted: Callable[[str], str]) -> Iterator[str]:
    for table, rows in tables.rows.items():
        names = ", ".join(tables.columns[table])
        for at in range(0, len(rows), 100):
            values = ",\n".join("(" + ", ".join(_literal(value, quoted) for value in row) + ")" for row in rows[at : at + 100])
            yield f"INSERT INTO {table} ({names}) VALUES\n{values};\n"


def _literal(value: Any, quoted: Callable[[str], str]) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    return quoted(value.isoformat() if isinstance(value, date) else str(value))


def _standard(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _backslashed(text: str) -> str:
    return _standard(text.replace("\\", "\\\\"))
