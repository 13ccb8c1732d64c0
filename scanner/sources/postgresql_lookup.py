"""Asks a table of a PostgreSQL server for the rows that meet conditions, so that its indexes are used.

Values are bound as parameters of `set_config`, which keeps them until the transaction ends; the query takes them from there
as arrays of the column's own type. So they stand in no text of a query, which others may see, and the answer is streamed
like that of any other reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from scanner.model import Compare, Condition
from scanner.sources import values as of
from scanner.sources.postgresql_server import Session
from scanner.sources.postgresql_table import Column, Table, quoted

_FIND = """
SELECT n.nspname::text, c.relname::text, c.relkind = 'v' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname || '.' || c.relname = $1 AND c.relkind IN ('r', 'p', 'm', 'v') AND NOT c.relispartition AND c.relpersistence <> 't'
"""
_LEADING = """
SELECT DISTINCT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = $1::regclass AND i.indisvalid AND i.indpred IS NULL
"""
_LETTERS = """
SELECT datctype IN ('C', 'POSIX'), getdatabaseencoding() FROM pg_database WHERE datname = current_database()
"""
_QUICKLY = {"enable_seqscan": "off", "jit": "off"}
_MANY = 5_000
"""Values of one condition in one array."""
_TUPLES = 100
"""So many values of several columns are told apart one by one, so that an index over these columns is used for each."""
_WORDS = 500
"""Patterns that are looked for in one pass over a column."""
_CAPITALS = "".join(c for c in map(chr, range(0xC0, 0x180)) if len(c.lower()) == 1 and c.lower() != c)
_ENCODINGS = {"LATIN1": "latin-1", "LATIN9": "iso8859-15", "WIN1252": "cp1252", "UTF8": "utf-8", "SQL_ASCII": "utf-8"}
"""What servers call the encodings that hold Danish; of others only ASCII is asked for."""


def _integer(bits: int) -> Callable[[str], int | None]:
    return lambda text: of.whole(text, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _network_card(text: str) -> str | None:
    return text if re.fullmatch(r"(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}", text) else None


def _same(text: str) -> str:
    return text


_TYPES: dict[str, Callable[[str], object | None]] = {
    "int2": _integer(16), "int4": _integer(32), "int8": _integer(64), "oid": lambda text: of.whole(text, 0, 2**32 - 1),
    "numeric": of.decimal, "float4": lambda text: of.real(text, 3e38), "float8": of.real, "bool": of.truth,
    "date": of.day, "timestamp": of.moment, "timestamptz": of.moment, "uuid": of.identity, "inet": of.address,
    "macaddr": _network_card, "text": _same, "varchar": _same, "bpchar": _same,
}  # fmt: skip
"""What a value becomes for a column of a type of PostgreSQL's own; columns of other types are compared as texts."""
_PLACES = {"ctid": re.compile(r"\([0-9]{1,9},[0-9]{1,4}\)"), "row": re.compile(r"[0-9]{1,18}"), "partition": re.compile(r".*", re.DOTALL)}


class Part(NamedTuple):
    """An SQL condition, and whether an index leads to its rows. One that stands `alone` is not joined with others."""

    sql: str
    indexed: bool
    alone: bool = False


def find(session: Session, object: str) -> tuple[str, str, bool] | None:
    """The schema and the name of an object, and whether it is a view; `None` when there is none."""
    rows = session.query(_FIND, [object])
    return (rows[0][0], rows[0][1], bool(rows[0][2])) if rows else None


def numbered(table: Table) -> Table:
    """A table whose rows have no address, with the number that reading all of it gives each of them."""
    columns = ", ".join(quoted(column.name) for column in table.columns)
    inside = f'(SELECT {columns}, row_number() OVER () AS "row number" FROM {table.name}) AS numbered'
    return table if table.places or table.keys else replace(table, places={"row": '"row number"::text'}, inside=inside)


class Asked:
    """Conditions on one table as SQL. `missing` are the columns that the table does not have."""

    def __init__(self, session: Session, table: Table) -> None:
        self._session, self._table = session, table
        self._columns = {column.name: column for column in table.columns}
        self._count = 0
        self._kept: dict[str, str] = {}
        plain, encoding = session.query(_LETTERS)[0]
        self._encoding = _ENCODINGS.get(encoding, "ascii")
        self._ascii = plain and self._encoding == "utf-8"
        indexed = [] if table.kind == "v" or table.inside else session.query(_LEADING, [f"{quoted(table.schema)}.{quoted(table.table)}"])
        self._leading = {row[0] for row in indexed}
        self.missing: list[str] = []

    def wheres(self, conditions: Sequence[Condition]) -> list[str]:
        """Conditions that together meet the rows, none of them twice. An index is used for each, or else the table is read once."""
        parts = [part for condition in conditions for part in self._parts(condition)]
        quickly = all(part.indexed for part in parts)
        self._set(self._kept | (_QUICKLY if quickly else {}))
        self._kept = {}
        if quickly:
            joined = [[part.sql] for part in parts if part.alone]
            joined += [list(some) for some in of.pieces([part.sql for part in parts if not part.alone], _TUPLES)]
        else:
            joined = [[part.sql for part in parts]]
        found: list[str] = []
        for some in joined:
            where = " OR ".join(f"({one})" for one in some)
            found.append(" AND ".join([f"({where})", *(f"({before}) IS NOT TRUE" for before in found)]))
        return found

    def _set(self, settings: dict[str, str]) -> None:
        """Have the server know settings until the transaction ends; many at a time, as each question is a way there and back."""
        for some in of.pieces(list(settings.items()), _TUPLES):
            asked = ", ".join(f"set_config(${2 * i + 1}, ${2 * i + 2}, true) IS NULL" for i in range(len(some)))
            self._session.query(f"SELECT {asked}", [word for pair in some for word in pair])

    def _parts(self, condition: Condition) -> Iterator[Part]:
        places = [name for name in condition.columns if name in self._table.places and name not in self._columns]
        if gone := [name for name in condition.columns if name not in self._columns and name not in places]:
            self.missing += gone
            return
        values = [some for some in condition.values if all("\0" not in one and of.encoded(one, self._encoding) for one in some)]
        if places:
            yield from self._placed(condition.columns, values)
        elif len(condition.columns) > 1:
            yield from self._together([self._columns[name] for name in condition.columns], values)
        else:
            column = self._columns[condition.columns[0]]
            make = {Compare.EXACT: self._exact, Compare.FOLDED: self._folded, Compare.DIGITS: self._digits}.get(
                condition.how, self._contains
            )
            yield from make(column, [one for (one,) in values])

    def _exact(self, column: Column, values: Sequence[str]) -> Iterator[Part]:
        kept = of.kept(values, lambda one: self._held(column, one))
        for some in of.pieces(kept, _MANY):
            yield Part(f"{self._plain(column)} {self._among(some, column)}", column.name in self._leading and bool(_type(column)))
        if _type(column) in ("date", "timestamp", "timestamptz"):
            odd = [one for one in values if of.ODD_DAY.fullmatch(one) and self._held(column, one) is None]
            for many in of.pieces(odd, _MANY):
                yield Part(f"{_text(column)} = ANY ({self._keep(many)})", False)

    def _together(self, columns: Sequence[Column], values: Sequence[tuple[str, ...]]) -> Iterator[Part]:
        held = dict.fromkeys(tuple(self._held(column, one) for column, one in zip(columns, some, strict=True)) for some in values)
        rows = [row for row in held if None not in row]
        indexed = any(column.name in self._leading and _type(column) for column in columns)
        for some in of.pieces(rows, _MANY):
            arrays = [self._keep([row[i] for row in some], column) for i, column in enumerate(columns)]
            if len(rows) > _TUPLES:
                yield Part(f"({', '.join(map(self._plain, columns))}) IN (SELECT * FROM unnest({', '.join(arrays)}))", indexed, alone=True)
                continue
            for i in range(1, len(some) + 1):
                each = [f"{self._plain(column)} = ({array})[{i}]" for column, array in zip(columns, arrays, strict=True)]
                yield Part(" AND ".join(each), indexed)

    def _placed(self, names: Sequence[str], values: Sequence[tuple[str, ...]]) -> Iterator[Part]:
        """Rows by their address: of a partition only together with the partition's name."""
        rows = [some for some in values if all(_PLACES[name].fullmatch(one) for name, one in zip(names, some, strict=True))]
        for some in of.pieces(rows, _TUPLES):
            lists = [self._keep([row[i] for row in some]) for i in range(len(names))]
            if len(names) == 1 and names[0] == "ctid":
                yield Part(f"ctid = ANY (({lists[0]})::tid[])", True)
                continue
            for i in range(1, len(some) + 1):
                each = [
                    f"ctid = (({kept})::tid[])[{i}]" if name == "ctid" else f"{self._table.places[name]} = ({kept})[{i}]"
                    for name, kept in zip(names, lists, strict=True)
                ]
                yield Part(" AND ".join(each), "ctid" in names)

    def _folded(self, column: Column, values: Sequence[str]) -> Iterator[Part]:
        words = of.kept(values, of.folded)
        for some in of.pieces([*map(_escaped, words)] if _is_bytes(column) else words, _MANY):
            yield Part(f"{self._lower(f'btrim({_text(column)})')} {self._among(some)}", False)

    def _digits(self, column: Column, values: Sequence[str]) -> Iterator[Part]:
        """A column of numbers has no zeros in front, and may have some after the point."""
        kept = of.kept(values, lambda one: of.digits(one) or None)
        number = _type(column) in ("int2", "int4", "int8", "numeric", "float4", "float8")
        text = rf"regexp_replace({_text(column)}, '\.0+$', '')" if number else _text(column)
        text = rf"regexp_replace({text}, '\\[0-9]{{3}}', '', 'g')" if _is_bytes(column) else text
        patterns = [f"%{one}" for one in kept]
        patterns += [short for one in kept if number and (short := one.lstrip("0")) not in ("", one)]
        for some in of.pieces(patterns, _WORDS):
            yield Part(f"regexp_replace({text}, '[^0-9]+', '', 'g') LIKE ANY ({self._keep(some)})", False)

    def _contains(self, column: Column, values: Sequence[str]) -> Iterator[Part]:
        text = f"{self._lower(_text(column))} LIKE" if self._ascii else f"{_text(column)} ILIKE"
        words = of.kept(values, lambda one: (_escaped(one) if _is_bytes(column) else one) or None)
        patterns = [re.sub(r"([%_\\])", r"\\\1", one.lower() if self._ascii else one) for one in words]
        for some in of.pieces([f"%{one}%" for one in patterns], _WORDS):
            yield Part(f"{text} ANY ({self._keep(some)})", False)

    def _lower(self, text: str) -> str:
        """Small letters, also where the database knows only those of ASCII."""
        return f"translate(lower({text}), '{_CAPITALS}', '{_CAPITALS.lower()}')" if self._ascii else f"lower({text})"

    def _held(self, column: Column, value: str) -> str | None:
        """A value as the column's type writes it; `None` when it cannot hold it."""
        if column.type == "pg_catalog.bytea":
            return "\\x" + value.encode().hex()
        held = _TYPES.get(_type(column), _same)(value)
        return None if held is None else value.strip() if _type(column) in ("timestamp", "timestamptz") else str(held)

    def _plain(self, column: Column) -> str:
        return quoted(column.name) if _type(column) else _text(column)

    def _among(self, values: Sequence[object], column: Column | None = None) -> str:
        """`= ANY (…)`, or what is quicker for many values where no index is used."""
        kept = self._keep(values, column)
        return f"= ANY ({kept})" if len(values) <= _TUPLES or (column and column.name in self._leading) else f"IN (SELECT unnest({kept}))"

    def _keep(self, values: Sequence[object], column: Column | None = None) -> str:
        """Bind values; what comes out is an SQL array of them, of a column's type or else of texts, which is made once for a query."""
        array = ",".join('"' + re.sub(r'(["\\])', r"\\\1", str(value)) + '"' for value in values)
        name, self._count = f"persondata.values_{self._count}", self._count + 1
        self._kept[name] = f"{{{array}}}"
        type = f"{column.type if column and _type(column) else 'text'}[]"
        return f"(SELECT current_setting('{name}')::{type})::{type}"


def _type(column: Column) -> str:
    """The column's type, where values can be turned into it; `""` where both must be compared as texts."""
    name = column.type.removeprefix("pg_catalog.")
    return name if name in _TYPES or name == "bytea" else ""


def _is_bytes(column: Column) -> bool:
    return column.type == "pg_catalog.bytea"


def _escaped(word: str) -> str:
    """A word as `encode` writes bytes: others than ASCII in octal digits."""
    return "".join(chr(byte) if 0 < byte < 128 else f"\\{byte:03o}" for byte in word.replace("\\", "\\\\").encode())


def _text(column: Column) -> str:
    if _is_bytes(column):
        return f"encode({quoted(column.name)}, 'escape')"
    text = quoted(column.name) if column.type == "pg_catalog.text" else f"{quoted(column.name)}::text"
    return f'{text} COLLATE "default"' if column.sorted else text
