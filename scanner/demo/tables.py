"""Rows and files of the made-up company, kept in memory with whose they are, until they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from scanner.demo.ledger import Ledger, Mark, Place
from scanner.demo.people import Person

Whose = Person | int | Mark
"""A person whose key path leads to the row, her number, or a mark that says how else the row is hers (its place is filled in)."""
NOWHERE = Place("", "", "")


def by(
    person: Person | int,
    role: str = "subject",
    strength: str = "certain",
    *,
    findable: bool = True,
    alone: bool = True,
    policy: str = "",
    soft: bool = False,
) -> Mark:
    """How a row is somebody's, where it is not simply hers by its key."""
    number = person if isinstance(person, int) else person.number
    return Mark(number, NOWHERE, role, strength, findable, alone, None, policy, soft)


def note(ledger: Ledger, place: Place, whose: Iterable[Whose], when: date | None) -> None:
    """Note whose the record at a place is."""
    for one in whose:
        mark = one if isinstance(one, Mark) else by(one)
        ledger.mark(replace(mark, place=place, when=when))


class Files:
    """The files of one folder. A record of a list or an archive cannot be deleted alone."""

    def __init__(self, source: str, ledger: Ledger) -> None:
        self.source, self.ledger = source, ledger
        self.content: dict[str, bytes] = {}
        self.changed: dict[str, date] = {}
        """The day on which a file was last changed, where that is known."""

    def add(self, name: str, content: bytes, *whose: Whose, when: date | None = None) -> None:
        """Add a file, and note whose it is as a whole."""
        self.content[name] = content
        if when:
            self.changed[name] = when
        note(self.ledger, Place(self.source, name, ""), whose, when)

    def mark(self, object: str, record: str, *whose: Whose, when: date | None = None) -> None:
        """Note whose one record of a file is, which stands among others' records."""
        marks = [replace(one, alone=False) if isinstance(one, Mark) else by(one, alone=False) for one in whose]
        note(self.ledger, Place(self.source, object, record), marks, when)

    def told(self, object: str, person: Person, text: str, role: str = "subject", record: str = "", *, alone: bool = True) -> None:
        """Note a record by what of a person stands in its text."""
        self.ledger.told(person, Place(self.source, object, record), text, role, alone=alone)


class Tables:
    """The tables of one database. `columns` are words; those with `*` are the key that names a record."""

    def __init__(self, source: str, schema: str, columns: Mapping[str, str], ledger: Ledger) -> None:
        self.source, self.schema, self.ledger = source, schema, ledger
        self.columns = {table: [word.rstrip("*") for word in words.split()] for table, words in columns.items()}
        self._keys = {table: [at for at, word in enumerate(words.split()) if word.endswith("*")] for table, words in columns.items()}
        self.rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in columns}

    def add(self, table: str, row: Sequence[Any], *whose: Whose, when: date | str | None = None) -> Place:
        """Add a row that has a value for every column, and note whose it is; `when` is where its retention may count from."""
        if len(row) != len(self.columns[table]):
            raise ValueError(f"{table}: {len(row)} values for {len(self.columns[table])} columns")
        self.rows[table].append(tuple(row))
        place = self.place(table, row)
        day = date.fromisoformat(when[:10]) if isinstance(when, str) else when
        note(self.ledger, place, whose, day)
        return place

    def place(self, table: str, row: Sequence[Any]) -> Place:
        """The address of a row: by its key, or by its number in the table."""
        names = self.columns[table]
        record = ",".join(f"{names[at]}={row[at]}" for at in self._keys[table]) or f"rowid={len(self.rows[table])}"
        return Place(self.source, f"{self.schema}{table}", record)

    def fill(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows about nobody."""
        for row in rows:
            self.add(table, row)
