"""Writes down what a run changed, object by object and field by field, so that a report can say what stood there before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import TypeAlias

Held: TypeAlias = dict[tuple[str, str, str], tuple[int, str]]
"""Findings and class of each (object, field, entity)."""
Read: TypeAlias = dict[str, bool]
"""Whether each object was read to its end."""

BEGINS = "changes_since"
"""The line of `meta` that names the last run of which nothing is written down; a book that has always kept changes has none."""


def held(cursor: sqlite3.Cursor, unit: int) -> tuple[Held, Read]:
    """What a unit of the book holds."""
    found = {row[:3]: row[3:] for row in cursor.execute("select object, field, entity, count, class from holding where unit = ?", (unit,))}
    read = dict(cursor.execute("select object, status = 'complete' from object where unit = ?", (unit,)))
    return found, read


def moved(cursor: sqlite3.Cursor, run: int, source: int, before: tuple[Held, Read], after: tuple[Held, Read]) -> None:
    """A unit is replaced, new (nothing before) or gone (nothing after). What is equal on both sides leaves no trace."""
    (old, was), (new, now) = before, after
    rows = []
    for place in old.keys() | new.keys():
        delta = (new[place][0] if place in new else 0) - (old[place][0] if place in old else 0)
        if delta:
            rows.append((run, source, *place, (new.get(place) or old[place])[1], delta))
    cursor.executemany(
        "insert into holding_change values (?, ?, ?, ?, ?, ?, ?)"
        " on conflict do update set delta = delta + excluded.delta, class = excluded.class",
        sorted(rows),
    )
    _objects(cursor, run, source, was, now)


def listed(cursor: sqlite3.Cursor, run: int, source: int, before: Iterable[str], after: Iterable[str]) -> None:
    """Folders that could not be listed, before and after a walk."""
    _objects(cursor, run, source, dict.fromkeys(before, False), dict.fromkeys(after, False))


def _objects(cursor: sqlite3.Cursor, run: int, source: int, was: Mapping[str, bool], now: Mapping[str, bool]) -> None:
    rows = []
    for name in was.keys() | now.keys():
        units = (name in now) - (name in was)
        unread = (name in now and not now[name]) - (name in was and not was[name])
        if units or unread:
            rows.append((run, source, name, units, unread))
    cursor.executemany(
        "insert into object_change values (?, ?, ?, ?, ?)"
        " on conflict do update set units = units + excluded.units, unread = unread + excluded.unread",
        sorted(rows),
    )
