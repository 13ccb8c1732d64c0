"""Asks a table of an SQLite database for the rows that meet conditions, so that its indexes are used.

All values of a condition are one parameter, a JSON array that SQLite takes apart: `[["a"], ["b"]]`. A column's affinity turns
them into numbers where it would do so when they are stored. SQLite knows small letters of ASCII only, so that words with
others are looked for as patterns, `s[øØ]ren`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import Any, NamedTuple

from scanner.extract.sqlite import Database, Table, cell_text, quoted
from scanner.model import Compare, Condition
from scanner.sources import values as of

_MANY = 10_000
"""Values of one condition in one parameter."""
_FORMS = 64
"""A value of several columns is looked for in no more forms than this."""
_OLDER = 16
"""A word in an older encoding is looked for in no more spellings than this."""
_PATTERN = 40_000
"""Bytes of a longest pattern: SQLite takes 50,000."""
_SIGNS = "abcdefghijklmnopqrstuvwxyz +-./()_,:;=#&*@!?\"'<>[]{}|\\~^%$\t\n\r\u00a0\u2013\u2014\u2011æøåéöäü"
"""What usually stands between digits; anything else is taken out sign by sign."""


class Part(NamedTuple):
    """An SQL condition, the values of its parameters, and whether an index leads to its rows."""

    sql: str
    values: tuple[str, ...]
    indexed: bool


def affinity(declared: str) -> str:
    """What SQLite makes of values that are stored in a column of a declared type (capitals): section 3.1 of its datatypes."""
    if "INT" in declared:
        return "integer"
    if any(word in declared for word in ("CHAR", "CLOB", "TEXT")):
        return "text"
    if not declared or "BLOB" in declared:
        return "blob"
    return "real" if any(word in declared for word in ("REAL", "FLOA", "DOUB")) else "numeric"


def leading(database: Database, table: Table) -> set[str]:
    """The columns that an index begins with."""
    rows = database.query(
        "SELECT x.name FROM pragma_index_list(?) AS i, pragma_index_xinfo(i.name) AS x WHERE i.partial = 0 AND x.seqno = 0", [table.name]
    )
    whole = {table.keys[0]} if len(table.keys) == 1 and table.rowid else set()
    return {row[0] for row in rows if row[0]} | {name for name in whole if table.types[table.columns.index(name)] == "INTEGER"}


def placed(table: Table) -> Table:
    """A table that is asked for some rows only. Without row numbers: one that still knows which number each row has.

    Where there is a key, rows are read in its order, so that a row's number is how many rows have no greater key.
    """
    if table.rowid:
        return table
    name = quoted(table.name)
    if not table.keys:
        return replace(table, inside=f'(SELECT *, row_number() OVER () AS "row number" FROM {name})', number='"row number"')
    before, here = (", ".join(f"{one}.{quoted(key)}" for key in table.keys) for one in ("before", name))
    return replace(table, number=f"(SELECT count(*) FROM {name} AS before WHERE ({before}) <= ({here}))")


def found(database: Database, table: Table, where: str, values: list[str], indexed: bool) -> tuple[str, list[str]]:
    """The same condition, or the row numbers that it led to where the whole table had to be read for them: reading asks several times."""
    if indexed or not table.rowid:
        return where, values
    rows = database.query(f"SELECT {table.rowid} FROM {table.source} WHERE {where}", values)
    return f"{table.rowid} IN (SELECT value FROM json_each(?))", [json.dumps([row[0] for row in rows])]


class Asked:
    """Conditions on one table as SQL. `missing` are the columns that the table does not have."""

    def __init__(self, database: Database, table: Table) -> None:
        self._table = table
        self._leading = set() if table.inside else leading(database, table)
        self._places = {"rowid"} if table.rowid else {"row"} if table.inside else set()
        self._places -= set(table.columns)
        self.missing: list[str] = []

    def where(self, conditions: Sequence[Condition], limit: int) -> tuple[str, list[str], bool]:
        """One condition for all of them, the values of its parameters, and whether indexes lead to the rows; `""` when none can meet it.

        An index is used for each, or else the table is read once.
        """
        parts = [part for condition in conditions for part in self._parts(condition)]
        values = [value for part in parts for value in part.values]
        if not parts:
            return "", [], True
        table = self._table
        place = table.rowid or ", ".join(map(quoted, table.keys)) or table.number
        either = " OR ".join(f"({part.sql})" for part in parts)
        if len(parts) == 1 and not limit:
            return f"({either})", values, parts[0].indexed
        if indexed := all(part.indexed for part in parts):
            either = f" UNION SELECT {place} FROM {table.source} WHERE ".join(f"({part.sql})" for part in parts)
        elif not limit:
            return f"({either})", values, False
        found = f"SELECT {place} FROM {table.source} WHERE {either}" + (f" LIMIT {limit}" if limit else "")
        return f"({place}) IN ({found})", values, indexed

    def _parts(self, condition: Condition) -> Iterator[Part]:
        if gone := [name for name in condition.columns if name not in self._table.columns and name not in self._places]:
            self.missing += gone
            return
        rows = list(dict.fromkeys(some for some in condition.values if all(map(of.is_unicode, some))))
        if condition.columns[0] in self._places:
            yield from self._placed([one for (one,) in rows])
            return
        if condition.how is Compare.EXACT:
            yield from self._exact(condition.columns, rows)
            return
        column, values = condition.columns[0], [one for (one,) in rows]
        text = cell_text(self._table, column)
        text = quoted(column) if self._affinity(column) == "text" else text
        how = {Compare.FOLDED: self._folded, Compare.DIGITS: self._digits, Compare.CONTAINS: self._contains}
        yield from how[condition.how](text, column, values)

    def _affinity(self, column: str) -> str:
        return affinity(self._table.types[self._table.columns.index(column)])

    def _placed(self, values: Sequence[str]) -> Iterator[Part]:
        numbers = of.kept(values, of.whole)
        for some in of.pieces(numbers, _MANY):
            yield Part(
                f"{self._table.rowid or self._table.number} IN (SELECT value FROM json_each(?))",
                (json.dumps(list(some)),),
                bool(self._table.rowid),
            )

    def _exact(self, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Iterator[Part]:
        kinds = [self._affinity(name) for name in columns]
        forms = [form for row in rows for form in _combined([_forms(value, kind) for value, kind in zip(row, kinds, strict=True)])]
        plain = ", ".join(map(quoted, columns))
        sides = ", ".join(
            f"+{quoted(name)} COLLATE BINARY" if kind == "text" else quoted(name) for name, kind in zip(columns, kinds, strict=True)
        )
        members = ", ".join(_member(i) for i in range(len(columns)))
        for some in of.pieces(forms, _MANY):
            given = f"IN (SELECT {members} FROM json_each(?))"
            written = json.dumps(some)
            # A column may have been declared to compare without regard to case: the first half finds, the second decides.
            exact = "text" in kinds
            sql = f"({plain}) {given}" + (f" AND ({sides}) {given}" if exact else "")
            yield Part(sql, (written,) * (2 if exact else 1), any(name in self._leading for name in columns))

    def _folded(self, text: str, _column: str, values: Sequence[str]) -> Iterator[Part]:
        text = f"lower(trim({text}))"
        words = of.kept(values, of.folded)
        plain = [one for one in words if one.isascii() or "\0" in one or len(one) > _PATTERN // 16]
        for some in of.pieces([[_form(one)] for one in plain] + _older(words), _MANY):
            yield Part(f"{text} IN (SELECT {_member(0)} FROM json_each(?))", (json.dumps(some),), False)
        yield from self._like(text, [_pattern(one) for one in words if one not in set(plain)])

    def _contains(self, text: str, _column: str, values: Sequence[str]) -> Iterator[Part]:
        text = f"lower({text})"
        words = of.kept(values, lambda one: one.lower() or None)
        plain = [one for one in words if one.isascii() or "\0" in one or len(one) > _PATTERN // 16]
        for some in of.pieces([[_form(one)] for one in plain] + _older(words), _MANY):
            yield Part(_any_of(f"instr({text}, word)", _member(0)), (json.dumps(some),), False)
        yield from self._like(text, [f"*{_pattern(one)}*" for one in words if one not in set(plain)])

    def _digits(self, text: str, column: str, values: Sequence[str]) -> Iterator[Part]:
        """Only texts that hold the digits in this order are taken apart."""
        wanted = [one for one in of.kept(values, lambda one: of.digits(one) or None) if len(one) < _PATTERN // 2]
        numbers = self._affinity(column) in ("integer", "numeric", "real")
        number = "1" if numbers else f"typeof({quoted(column)}) IN ('integer', 'real')"
        ends = [[f"*{'*'.join(one)}*", one] for one in wanted]
        lost = [[one.lstrip("0")] for one in wanted if one.startswith("0") and one.strip("0")]
        for some in of.pieces(ends, _MANY):
            digits = _digits_of(text)
            there = f"{text} GLOB word AND substr({digits}, -length(other)) = other"
            yield Part(_any_of(there, "value ->> 0", "value ->> 1"), (json.dumps(some),), False)
        for some in of.pieces(lost, _MANY):
            yield Part(f"{number} AND ltrim({text}, '-') IN (SELECT value ->> 0 FROM json_each(?))", (json.dumps(some),), False)

    def _like(self, text: str, patterns: Sequence[str]) -> Iterator[Part]:
        for some in of.pieces(patterns, _MANY):
            yield Part(_any_of(f"{text} GLOB word", "value ->> 0"), (json.dumps([[one] for one in some]),), False)


def _forms(value: str, kind: str) -> list[Any]:
    """What a value may be stored as: its text, its bytes, the same in Windows-1252, and a number where the column turns none into it."""
    found = [_form(value), *(["b", one.hex()] for one in of.octets(value))]
    if not value.isascii():
        found += [["t", one.hex()] for one in of.encoded(value, "cp1252")]
    if kind == "blob":
        number = of.whole(value)
        if number is not None and str(number) == value:
            found.append(number)
        elif number is None and (fraction := of.real(value)) is not None:
            found.append(fraction)
    return found


def _combined(forms: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    return map(list, islice(product(*forms), _FORMS))


def _form(value: str) -> Any:
    """JSON of SQLite's has no NUL."""
    return ["t", value.encode().hex()] if "\0" in value else value


def _older(words: Sequence[str]) -> list[Any]:
    """Words in Windows-1252, as older programs wrote them, with the capitals that SQLite does not know there."""
    found = []
    for word in words:
        if not word.isascii() and len(word) < _FORMS:
            spelt = islice(product(*((c,) if c.isascii() else (c, c.upper()) for c in word)), _OLDER)
            found += [[["t", one.hex()]] for letters in spelt for one in of.encoded("".join(letters), "cp1252")]
    return found


def _member(i: int) -> str:
    """A member of a row in JSON: itself, or `["b", hexadecimal]` for bytes and `["t", …]` for text."""
    place = f"'$[{i}]'"
    bytes = f"unhex(value ->> '$[{i}][1]')"
    odd = f"CASE value ->> '$[{i}][0]' WHEN 'b' THEN {bytes} ELSE CAST({bytes} AS TEXT) END"
    return f"CASE json_type(value, {place}) WHEN 'array' THEN {odd} ELSE value ->> {place} END"


def _any_of(condition: str, word: str, other: str = "''") -> str:
    """Whether a condition holds for a word of the list that is the parameter."""
    words = f"WITH words (word, other) AS MATERIALIZED (SELECT {word}, {other} FROM json_each(?))"
    return f"EXISTS ({words} SELECT 1 FROM words WHERE {condition})"


def _pattern(word: str) -> str:
    """A word in small letters as a pattern that its capitals meet too, where SQLite does not know them."""
    return "".join(_class(c) for c in word)


def _class(c: str) -> str:
    if c.isascii():
        return f"[{c}]" if c in "*?[" else c
    return f"[{c}{upper}]" if len(upper := c.upper()) == 1 and upper != c else c


def _digits_of(text: str) -> str:
    """The digits of a text."""
    plain = f"lower({text})"
    for sign in _SIGNS:
        plain = f"replace({plain}, {_literal(sign)}, '')"
    step = "CASE WHEN substr(rest, 1, 1) BETWEEN '0' AND '9' THEN substr(rest, 1, 1) ELSE '' END"
    return (
        f"(WITH RECURSIVE part (rest, got) AS (SELECT CASE WHEN plain GLOB '*[^0-9]*' THEN plain ELSE '' END,"
        f" CASE WHEN plain GLOB '*[^0-9]*' THEN '' ELSE plain END FROM (SELECT {plain} AS plain)"
        f" UNION ALL SELECT substr(rest, 2), got || {step} FROM part WHERE rest <> '') SELECT got FROM part WHERE rest = '')"
    )


def _literal(sign: str) -> str:
    return "'" + sign.replace("'", "''") + "'"
