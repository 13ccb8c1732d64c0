"""Asks a table of MariaDB or MySQL for the rows that meet conditions, so that its indexes are used.

These servers compare texts as their collation does, mostly without regard to case, accents and spaces at the end, and turn
what is compared into numbers as they please. So an index finds by the column's own comparison, with values of its type, and
among what it finds bytes decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import Any, NamedTuple

from scanner import seal
from scanner.extract.rows import record_names
from scanner.model import Compare, Condition
from scanner.sources import values as of
from scanner.sources.sql_catalogue import BINARY, Found, Table, mysql_text, quoted
from scanner.sources.sql_cells import names
from scanner.sources.sql_session import Session

_COLUMNS = """
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, LOWER(DATA_TYPE), LOWER(COALESCE(CHARACTER_SET_NAME, '')),
       RIGHT(COALESCE(COLLATION_NAME, ''), 3) = '_ci'
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = :s AND TABLE_NAME = :t
"""
_LEADING = """
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = :s AND TABLE_NAME = :t AND SEQ_IN_INDEX = 1 AND COLUMN_NAME IS NOT NULL
"""
_MANY = 500
"""Values of one list: of more than a thousand MariaDB makes a table."""
_TUPLES = 100
_LETTERS = {"utf8mb4": "utf-8", "utf8": "utf-8", "utf8mb3": "utf-8", "latin1": "cp1252", "ascii": "ascii"}
"""The character sets that are known here."""
_WORDS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})
_WHOLE = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "bit"})
_NUMBERS = _WHOLE | {"year", "decimal", "float", "double"}
_ODD_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
"""These servers may hold days that are none, such as 2024-02-00."""
_DIGITS = 65
"""Digits that a decimal number can have."""


class Part(NamedTuple):
    """An SQL condition, the values of its marks `%s`, and whether an index leads to its rows."""

    sql: str
    values: tuple[Any, ...]
    indexed: bool = False


class Asked:
    """Conditions on one table as SQL. `missing` are the columns that the table does not have."""

    def __init__(self, session: Session, found: Found, table: Table) -> None:
        self._session, self._table = session, table
        where = {"s": found.schema, "t": found.name}
        place = (found.schema, found.name)
        rows = [row for row in session.query(_COLUMNS, where) if (row[0], row[1]) == place]
        self._types = {row[2]: (row[3], row[4]) for row in rows if row[2] in table.columns}
        self._caseless = {row[2] for row in rows if row[5] and row[3] in _WORDS}
        self._leading = {row[2] for row in session.query(_LEADING, where) if (row[0], row[1]) == place}
        self._numbers: set[int] = set()
        self.missing: list[str] = []

    def rows(self, conditions: Sequence[Condition], limit: int) -> tuple[Iterator[Any], bool]:
        """The rows that meet any of the conditions, each once, and whether each ends in its number.

        Where rows are named by their number, all are read to count them, if there are any that meet a condition.
        """
        wheres = self._joined([part for condition in conditions for part in self._parts(condition)])
        if self._numbers or (wheres and self._are_numbered(wheres)):
            return islice(self._counted(wheres), limit or None), True
        found = (self._fetch(f"{_marked(self._table.query)} WHERE {where.sql}", where.values, limit) for where in wheres)
        return islice(chain.from_iterable(found), limit or None), False

    def _joined(self, parts: Sequence[Part]) -> list[Part]:
        """Conditions that together meet the rows, none of them twice: one for each index, or else one for all."""
        if not parts:
            return []
        if not all(part.indexed for part in parts):
            parts = [Part(" OR ".join(f"({part.sql})" for part in parts), tuple(value for part in parts for value in part.values))]
        found: list[Part] = []
        for part in parts:
            sql = " AND ".join([f"({part.sql})", *(f"({before.sql}) IS NOT TRUE" for before in parts[: len(found)])])
            found.append(Part(sql, part.values + tuple(value for before in parts[: len(found)] for value in before.values)))
        return found

    def _are_numbered(self, wheres: Sequence[Part]) -> bool:
        """Whether rows, or documents in them, are named by the row's number."""
        table = self._table
        if not table.keys or not table.binary:
            return not table.keys and not table.places
        keys = ", ".join(self._read(key) for key in table.keys)
        for where in wheres:
            rows = list(self._fetch(f"SELECT {keys} FROM {_marked(table.source)} WHERE {where.sql}", where.values, 0))
            records = record_names(table.keys, [names(values) for values in zip(*rows, strict=True)]).to_pylist() if rows else []
            if any(map(seal.needs, records)):
                return True
        return False

    def _counted(self, wheres: Sequence[Part]) -> Iterator[Any]:
        """All rows, of which those that meet a condition are given, with their number, until there are no more of them."""
        table, either = self._table, " OR ".join(f"({where.sql})" for where in wheres) or "FALSE"
        values, last = [value for where in wheres for value in where.values], max(self._numbers, default=0)
        ((count,),) = self._fetch(f"SELECT COUNT(*) FROM {_marked(table.source)} WHERE {either}", values, 0)
        left = int(count)
        if not left and not last:
            return
        asked = _marked(table.query.removesuffix(f" FROM {table.source}"))
        for number, row in enumerate(self._fetch(f"{asked}, ({either}) IS TRUE FROM {_marked(table.source)}", values, 0), 1):
            if row[-1] == b"1" or number in self._numbers:
                yield (*row[:-1], number)
            left -= row[-1] == b"1"
            if not left and number >= last:
                return

    def _fetch(self, query: str, values: Sequence[Any], limit: int) -> Iterator[Any]:
        return self._session.fetch(query + (f" LIMIT {limit}" if limit else ""), self._table.fetch, values)

    def _parts(self, condition: Condition) -> Iterator[Part]:
        places = self._table.places
        if gone := [name for name in condition.columns if name not in self._types and name not in places and not self._is_number(name)]:
            self.missing += gone
            return
        rows = list(dict.fromkeys(some for some in condition.values if all(map(of.is_unicode, some))))
        columns = condition.columns
        if columns[0] not in self._types and self._is_number(columns[0]):
            self._numbers.update(of.kept([row[0] for row in rows], lambda one: of.whole(one, 1)))
            return
        if len(columns) > 1:
            for some in of.pieces(rows, _TUPLES):
                each = [_both([self._exact(name, [one]) for name, one in zip(columns, row, strict=True)]) for row in some]
                if kept := [part for part in each if part]:
                    yield _either(kept)
            return
        values = [one for (one,) in rows]
        how = {Compare.FOLDED: self._folded, Compare.DIGITS: self._digits, Compare.CONTAINS: self._contains, Compare.EXACT: self._exact}
        for few in of.pieces(values, _MANY):
            if part := how[condition.how](columns[0], few):
                yield part

    def _exact(self, name: str, values: Sequence[str]) -> Part | None:
        if name in self._table.places:
            return _among("CAST(ROW_END AS CHAR)", values)
        type, letters = self._types[name]
        column, indexed = quoted(name), name in self._leading
        if type in BINARY:
            part = _among(column, [form for value in values for form in of.octets(value)])
        elif type in _WORDS:
            return self._words(name, letters, values)
        elif type in _WHOLE:
            part = _among(column, of.kept(values, lambda value: of.whole(value, -(2**63), 2**64 - 1)))
        elif type == "decimal":
            part = _among(column, of.kept(values, _decimal))
        elif type == "double":
            part = _among(column, of.kept(values, of.real))
        elif type == "date":
            part = _among(column, of.kept(values, lambda value: str(day) if (day := of.day(value)) else None))
        elif type in ("datetime", "timestamp"):
            part = _among(column, of.kept(values, _moment))
        elif type == "uuid":
            part = _among(column, of.kept(values, lambda value: str(one) if (one := of.identity(value)) else None))
        else:
            return _among(self._bytes(name), values)
        if type in ("date", "datetime", "timestamp") and (
            odd := [value for value in values if _ODD_DAY.match(value) and not of.moment(value)]
        ):
            part = _either([one for one in (part, _among(self._bytes(name), odd)) if one])
            indexed = False
        return part and part._replace(indexed=indexed)

    def _words(self, name: str, letters: str, values: Sequence[str]) -> Part | None:
        fitting = [value for value in values if _fits(value, letters)]
        others = [] if letters in _LETTERS else [value for value in values if not _fits(value, letters)]
        found = _both([_among(quoted(name), fitting), _among(self._bytes(name), fitting)])
        parts = [part._replace(indexed=name in self._leading) for part in (found,) if part]
        parts += [part for part in (_among(self._bytes(name), others),) if part]
        return _either(parts) if parts else None

    def _folded(self, name: str, values: Sequence[str]) -> Part | None:
        """An index that knows no case finds the words, whatever spaces follow them, and all that begins with a space; then bytes decide."""
        words = of.kept(values, of.folded)
        exact = _among(f"CAST(LOWER(TRIM({self._text(name)})) AS BINARY)", words)
        letters = self._types[name][1]
        if exact is None or name not in self._caseless & self._leading or letters not in _LETTERS:
            return exact
        fitting = [word for word in words if word and _fits(word, letters)]
        column, likes = quoted(name), [" %", *(f"{_escaped(word)} %" for word in fitting)]
        near = [Part(f"{column} LIKE %s ESCAPE '|'", (like,)) for like in likes]
        near += [part for part in (_among(column, ["", *fitting]),) if part]
        found = _both([_either(near), exact])
        return found and found._replace(indexed=True)

    def _digits(self, name: str, values: Sequence[str]) -> Part | None:
        """The ends of the column's digits, by the length of what is looked for. A column of numbers has no zeros in front."""
        wanted = of.kept(values, lambda one: of.digits(one) or None)
        number = self._types[name][0] in _NUMBERS
        text = f"REGEXP_REPLACE({self._text(name)}, '[.]0+$', '')" if number else self._text(name)
        digits = f"REGEXP_REPLACE({text}, '[^0-9]+', '')"
        lengths = sorted({len(one) for one in wanted})
        parts = [_among(f"RIGHT({digits}, {length})", [one for one in wanted if len(one) == length]) for length in lengths]
        parts.append(_among(digits, [one.lstrip("0") for one in wanted if number and one.startswith("0") and one.strip("0")]))
        found = [part for part in parts if part]
        return _either(found)._replace(indexed=False) if found else None

    def _contains(self, name: str, values: Sequence[str]) -> Part | None:
        words = of.kept(values, lambda one: one.lower() or None)
        text = f"CAST(LOWER({self._text(name)}) AS BINARY)"
        return Part(" OR ".join([f"LOCATE(CAST(%s AS BINARY), {text}) > 0"] * len(words)), tuple(words)) if words else None

    def _read(self, name: str) -> str:
        """A column as it is read, in a statement with marks."""
        return _marked(mysql_text(quoted(name), self._types[name][0], 0))

    def _text(self, name: str) -> str:
        return f"CONVERT({self._read(name)} USING utf8mb4)"

    def _bytes(self, name: str) -> str:
        return f"CAST({self._text(name)} AS BINARY)"

    def _is_number(self, name: str) -> bool:
        return name == "row" and not self._table.keys


def _among(sql: str, values: Sequence[Any]) -> Part | None:
    return Part(f"{sql} IN ({', '.join(['%s'] * len(values))})", tuple(values)) if values else None


def _both(parts: Sequence[Part | None]) -> Part | None:
    """All of some conditions; nothing where one of them cannot be met."""
    if not all(parts):
        return None
    found = [part for part in parts if part]
    sql = " AND ".join(f"({part.sql})" for part in found)
    return Part(sql, tuple(value for part in found for value in part.values), any(part.indexed for part in found))


def _either(parts: Sequence[Part]) -> Part:
    sql = " OR ".join(f"({part.sql})" for part in parts)
    return Part(sql, tuple(value for part in parts for value in part.values), all(part.indexed for part in parts))


def _marked(sql: str) -> str:
    """A piece of SQL in which `%s` is not a mark."""
    return sql.replace("%", "%%")


def _escaped(word: str) -> str:
    """A word in a pattern whose special letters follow a `|`."""
    return re.sub(r"([|%_])", r"|\1", word)


def _fits(value: str, letters: str) -> bool:
    """Whether a column's character set has all letters of a value; of sets that are not known, ASCII is."""
    if letters in ("utf8", "utf8mb3"):
        return max(value, default="") <= "\uffff"
    return bool(of.encoded(value, _LETTERS.get(letters, "ascii")))


def _decimal(value: str) -> Decimal | None:
    number = of.decimal(value)
    return None if number is None or len(format(number, "f")) > _DIGITS else number


def _moment(value: str) -> str | None:
    moment = of.moment(value)
    return None if moment is None or moment.tzinfo else str(moment)
