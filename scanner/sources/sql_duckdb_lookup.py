"""Asks a table of a DuckDB database for the rows that meet conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from scanner.model import Compare, Condition
from scanner.sources import values as of

_MANY = 500
"""Values of one list."""
_WIDTHS = {
    "TINYINT": (-(2**7), 2**7 - 1), "SMALLINT": (-(2**15), 2**15 - 1), "INTEGER": (-(2**31), 2**31 - 1), "BIGINT": (-(2**63), 2**63 - 1),
    "HUGEINT": (-(2**127), 2**127 - 1), "UTINYINT": (0, 2**8 - 1), "USMALLINT": (0, 2**16 - 1), "UINTEGER": (0, 2**32 - 1),
    "UBIGINT": (0, 2**64 - 1), "UHUGEINT": (0, 2**128 - 1),
}  # fmt: skip
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_OTHERS: dict[str, Callable[[str], Any]] = {
    "FLOAT": lambda text: of.real(text, 3e38), "DOUBLE": of.real, "BOOLEAN": of.truth, "DATE": of.day, "UUID": of.identity,
    "TIMESTAMP": lambda text: None if (moment := of.moment(text)) is None or moment.tzinfo else moment,
}  # fmt: skip


class Part(NamedTuple):
    """An SQL condition and the values of its parameters."""

    sql: str
    values: tuple[Any, ...]


class Asked:
    """Conditions on one table as SQL. `types` are those of its columns; `number` is what its rows are told apart by: `rowid` or `row`.

    `missing` are the columns that the table does not have.
    """

    def __init__(self, types: Mapping[str, str], number: str) -> None:
        self._types, self._number = types, number
        self.missing: list[str] = []

    def where(self, conditions: Sequence[Condition]) -> Part:
        """One condition for all of them."""
        parts = [part for condition in conditions for part in self._parts(condition)]
        sql = " OR ".join(f"({part.sql})" for part in parts) or "false"
        return Part(f"({sql})", tuple(value for part in parts for value in part.values))

    def _parts(self, condition: Condition) -> Iterator[Part]:
        columns = condition.columns
        numbered = columns == (self._number,) and self._number not in self._types
        if gone := [name for name in columns if name not in self._types and not numbered]:
            self.missing += gone
            return
        rows = list(dict.fromkeys(some for some in condition.values if all(map(of.is_unicode, some))))
        how = {Compare.EXACT: self._exact, Compare.FOLDED: self._folded, Compare.DIGITS: self._digits, Compare.CONTAINS: self._contains}
        if len(columns) > 1:
            for row in rows:
                each = [self._exact(name, [one]) for name, one in zip(columns, row, strict=True)]
                held = [part for part in each if part]
                if len(held) == len(columns):
                    yield Part(" AND ".join(f"({part.sql})" for part in held), tuple(value for part in held for value in part.values))
            return
        for few in of.pieces([one for (one,) in rows], _MANY):
            if numbered:
                place = "rowid" if self._number == "rowid" else '"row number"'
                part = _among(place, of.kept(few, of.whole))
            else:
                part = how[condition.how](columns[0], few)
            if part:
                yield part

    def _exact(self, name: str, values: Sequence[str]) -> Part | None:
        type, column = self._types[name], quoted(name)
        if type == "BLOB":
            forms = [form.hex() for value in values for form in of.octets(value)]
            return _among(column, forms, "unhex(?)")
        if type in _WIDTHS:
            return _among(column, [str(one) for one in of.kept(values, lambda one: of.whole(one, *_WIDTHS[type]))], f"CAST(? AS {type})")
        if match := _DECIMAL.fullmatch(type):
            width, scale = int(match[1]), int(match[2])
            return _among(column, of.kept(values, lambda one: _decimal(one, width, scale)), f"CAST(? AS {type})")
        if make := _OTHERS.get(type):
            held = _among(column, [str(one) for one in of.kept(values, make)], f"CAST(? AS {type})")
            odd = _among(f"CAST({column} AS VARCHAR)", [one for one in values if of.ODD_DAY.fullmatch(one) and make(one) is None])
            return _either([part for part in (held, odd) if part])
        return _among(column if type == "VARCHAR" else f"CAST({column} AS VARCHAR)", values)

    def _folded(self, name: str, values: Sequence[str]) -> Part | None:
        return _among(f"lower(trim({self._text(name)}, ' '))", of.kept(values, of.folded))

    def _contains(self, name: str, values: Sequence[str]) -> Part | None:
        words = of.kept(values, lambda one: one.lower() or None)
        return Part(" OR ".join([f"contains(lower({self._text(name)}), ?)"] * len(words)), tuple(words)) if words else None

    def _digits(self, name: str, values: Sequence[str]) -> Part | None:
        """The ends of the column's digits, by the length of what is looked for. A column of numbers has no zeros in front."""
        wanted = of.kept(values, lambda one: of.digits(one) or None)
        number = kind(self._types[name]) == "number"
        text = rf"regexp_replace({self._text(name)}, '\.0+$', '')" if number else self._text(name)
        digits = f"regexp_replace({text}, '[^0-9]+', '', 'g')"
        lengths = sorted({len(one) for one in wanted})
        found = [_among(f"right({digits}, {length})", [one for one in wanted if len(one) == length]) for length in lengths]
        found.append(_among(digits, [one.lstrip("0") for one in wanted if number and one.startswith("0") and one.strip("0")]))
        return _either([part for part in found if part])

    def _text(self, name: str) -> str:
        if self._types[name] == "BLOB":
            return f"coalesce(try(decode({quoted(name)})), '')"
        return quoted(name) if self._types[name] == "VARCHAR" else f"CAST({quoted(name)} AS VARCHAR)"


def kind(type: str) -> str:
    """What a column of a type holds."""
    if type in _WIDTHS or type in ("FLOAT", "DOUBLE", "BIGNUM") or type.startswith("DECIMAL"):
        return "number"
    if type == "VARCHAR" or type.startswith("ENUM"):
        return "text"
    known = {"DATE": "date", "BOOLEAN": "bool", "BLOB": "bytes", "JSON": "json"}
    return "time" if type.startswith("TIMESTAMP") else known.get(type, "other")


def quoted(name: str) -> str:
    """A name as it stands in a query."""
    return '"' + name.replace('"', '""') + '"'


def _among(sql: str, values: Sequence[Any], mark: str = "?") -> Part | None:
    return Part(f"{sql} IN ({', '.join([mark] * len(values))})", tuple(values)) if values else None


def _either(parts: Sequence[Part]) -> Part | None:
    return Part(" OR ".join(part.sql for part in parts), tuple(value for part in parts for value in part.values)) if parts else None


def _decimal(value: str, width: int, scale: int) -> str | None:
    """A decimal number that a column holds without rounding it."""
    number = of.decimal(value)
    if number is None:
        return None
    whole, _, part = format(number.normalize(), "f").lstrip("+-").partition(".")
    return format(number, "f") if len(part) <= scale and len(whole.lstrip("0")) <= width - scale else None
