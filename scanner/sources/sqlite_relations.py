"""What an SQLite database says of its tables: columns, keys, references, indexes, triggers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from scanner.extract.sqlite import Database, Table, quoted
from scanner.extract.sqlite_file import SqliteError
from scanner.model import Column, Problem, Reference, Relation
from scanner.sources.sqlite_lookup import affinity

_INDEXES = """
SELECT i.name, i."unique", x.name FROM pragma_index_list(?) AS i, pragma_index_xinfo(i.name) AS x
WHERE i.partial = 0 AND x.key = 1 ORDER BY i.seq, x.seqno
"""
_REFERENCES = 'SELECT id, "table", "from", "to", lower(on_delete) FROM pragma_foreign_key_list(?) ORDER BY id, seq'
_EVENT = re.compile(r"\b(insert|delete|update)\b", re.IGNORECASE)


def relations(database: Database) -> Iterator[Relation | Problem]:
    """Describe all tables, by name. Raises `SqliteError`."""
    listed = list(database.tables())
    known = {table.name.lower(): table for table in listed if isinstance(table, Table)}
    triggers: dict[str, list[str]] = {}
    for name, table, sql in database.query("SELECT name, lower(tbl_name), sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name"):
        if _fires(name, sql):
            triggers.setdefault(table, []).append(name)
    for table in listed:
        if isinstance(table, Problem):
            yield table
            continue
        try:
            yield _relation(database, table, known, triggers.get(table.name.lower(), []))
        except SqliteError as error:
            yield Problem(table.name, error.why, error.detail)


def _relation(database: Database, table: Table, known: Mapping[str, Table], triggers: list[str]) -> Relation:
    filled = {row[0] for row in database.query('SELECT name FROM pragma_table_xinfo(?) WHERE "notnull"', [table.name])}
    columns = tuple(Column(name, kind(type), name not in filled) for name, type in zip(table.columns, table.types, strict=True))
    indexes: dict[str, tuple[bool, list[str | None]]] = {}
    for index, unique, column in database.query(_INDEXES, [table.name]):
        indexes.setdefault(index, (bool(unique), []))[1].append(column)
    unique = [table.keys] if table.keys else []
    others: list[tuple[str, ...]] = []
    for one, names in indexes.values():
        leading = tuple(name for name in names[: names.index(None)] if name) if None in names else tuple(name for name in names if name)
        if leading:
            (unique if one and len(leading) == len(names) else others).append(leading)
    return Relation(
        table.name,
        columns,
        table.keys,
        tuple(_references(database, table, known)),
        tuple(dict.fromkeys(unique)),
        tuple(dict.fromkeys(others)),
        tuple(triggers),
        _rows(database, table),
    )


def _references(database: Database, table: Table, known: Mapping[str, Table]) -> Iterator[Reference]:
    """Declared references; names count without regard to case, and without columns the primary key is meant."""
    found: dict[int, tuple[str, list[str], list[str], str]] = {}
    for number, to, column, other, action in database.query(_REFERENCES, [table.name]):
        _, ours, theirs, _ = found.setdefault(number, (to, [], [], action))
        ours.append(_as_written(table.columns, column))
        target = known.get(to.lower())
        if other is not None:
            theirs.append(_as_written(target.columns if target else (), other))
        elif target and len(theirs) < len(target.keys):
            theirs.append(target.keys[len(theirs)])
    for number in sorted(found):
        to, ours, theirs, action = found[number]
        if len(ours) == len(theirs):
            target = known.get(to.lower())
            yield Reference(tuple(ours), target.name if target else to, tuple(theirs), action)


def _as_written(columns: tuple[str, ...], name: str) -> str:
    return next((column for column in columns if column.lower() == name.lower()), name)


def _rows(database: Database, table: Table) -> int:
    """About how many rows there are; for a table with row numbers that is at once known."""
    name, rowid = quoted(table.name), table.rowid
    if not rowid:
        return int(database.query(f"SELECT count(*) FROM {name}")[0][0])
    low, high = database.query(f"SELECT (SELECT min({rowid}) FROM {name}), (SELECT max({rowid}) FROM {name})")[0]
    return 0 if low is None else int(high) - int(low) + 1


def _fires(name: str, sql: str) -> bool:
    """Whether a trigger runs on delete or update: the first event after its name."""
    head = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)
    head = head.replace(name, " ", 1)
    event = _EVENT.search(head)
    return event is not None and event[1].lower() != "insert"


def kind(declared: str) -> str:
    """What a column of a declared type (capitals) holds; one without a type may hold any text."""
    for kind, words in (("json", ("JSON",)), ("bool", ("BOOL",)), ("time", ("DATETIME", "TIMESTAMP")), ("date", ("DATE",))):
        if declared.startswith(words):
            return kind
    return {"text": "text", "blob": "bytes" if declared else "text"}.get(affinity(declared), "number")
