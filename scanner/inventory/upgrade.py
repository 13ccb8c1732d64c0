"""Brings a book of an earlier version up to this one: columns that are new, then whatever `schema.sql` has and the book has not."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from scanner.inventory import ledger

VERSION = 3
"""Of the schema. A book with a higher one was written by a newer program and is left alone."""

_MADE = re.compile(r"^create (?:table|view|trigger|(?:unique )?index) (\w+)", re.MULTILINE)

_COLUMNS = (
    "alter table segment add column parts integer not null default 1",
    "alter table segment add column live integer not null default 0",
    "alter table unit add column in_segment integer not null default 0",
    "update unit set in_segment ="
    " (select coalesce(sum(holding.findings_in_segment), 0) from holding where holding.unit = unit.id) where segment is not null",
    "update segment set live = (select coalesce(sum(unit.in_segment), 0) from unit where unit.segment = segment.id)",
)
"""From the second version to the third: what of a segment still counts."""


def schema() -> str:
    """The document that the book follows."""
    return (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")


def statements(script: str) -> Iterator[tuple[str, str]]:
    """(name, statement) of everything that a script creates."""
    lines: list[str] = []
    for line in script.splitlines():
        lines.append(line)
        if sqlite3.complete_statement("\n".join(lines)):
            statement = "\n".join(lines)
            if made := _MADE.search(statement):
                yield made[1], statement[made.start() :]
            lines = []


def upgrade(connection: sqlite3.Connection, version: int) -> None:
    """Bring the book up to `VERSION`, all of it or none. Views of earlier versions are made anew."""
    there = {row[0] for row in connection.execute("select name from sqlite_master")}
    missing = [(name, statement) for name, statement in statements(schema()) if name not in there]
    if version >= VERSION and not missing:
        return
    connection.execute("begin immediate")
    try:
        if version < VERSION:
            for (view,) in connection.execute("select name from sqlite_master where type = 'view'").fetchall():
                connection.execute(f"drop view {view}")
                there.discard(view)
            for statement in _COLUMNS:
                connection.execute(statement)
        for name, statement in statements(schema()):
            if name not in there:
                connection.execute(statement)
        if "holding_change" not in there:
            connection.execute("insert or replace into meta select ?, max(id) from run having max(id) is not null", (ledger.BEGINS,))
        connection.execute("update meta set value = ? where key = 'version'", (str(VERSION),))
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
