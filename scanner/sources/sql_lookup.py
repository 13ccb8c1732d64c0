"""Asks a table of any other server for the rows that meet conditions, in the words that SQLAlchemy finds for its dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

from scanner.model import Compare, Condition
from scanner.sources import values as of
from scanner.sources.sql_catalogue import Found, Table
from scanner.sources.sql_session import Session

_MANY = 500
"""Values of one list: Oracle takes a thousand."""
_SIGNS = " +-./()_,:;"
"""What is taken out from between digits where the server has no regular expressions."""
_READABLE: dict[str, Callable[[Any], Any]] = {
    "postgresql": lambda column: _function("encode", column, "escape"),
    "cockroachdb": lambda column: _function("encode", column, "escape"),
    "oracle": lambda column: _function("utl_raw.cast_to_varchar2", column),
}
"""How bytes become text, of which at least ASCII can be read; elsewhere they are cast."""
_EXPRESSIONS = frozenset({"postgresql", "cockroachdb", "redshift", "oracle", "duckdb", "snowflake"})
"""Servers with regular expressions in `regexp_replace`."""


class Asked:
    """Conditions on one table. `missing` are the columns that the table does not have."""

    def __init__(self, session: Session, found: Found, table: Table) -> None:
        self._session, self._table = session, table
        inspection = session.inspect()
        listed = inspection.ask("get_columns", found.name, schema=found.schema or None) or []
        self._types = {column["name"]: column["type"] for column in listed if column["name"] in table.columns}
        self._numbers: set[int] = set()
        self.missing: list[str] = []

    def rows(self, conditions: Sequence[Condition], limit: int) -> tuple[Iterator[Any], bool]:
        """The rows that meet any of the conditions, each once, and whether each ends in its number.

        Where rows are named by their number, all are read to count them.
        """
        import sqlalchemy as sa

        met = [one for condition in conditions for one in self._conditions(condition)]
        if not met and not self._numbers:
            return iter(()), False
        table = self._table
        if not table.keys and not table.places:
            flag = sa.case((sa.or_(*met), 1), else_=0) if met else sa.literal(0)
            return self._counted(self._session.fetch(table.query.add_columns(flag), table.fetch), limit), True
        asked = table.query.where(sa.or_(*met))
        return self._session.fetch(asked.limit(limit) if limit else asked, table.fetch), False

    def _counted(self, rows: Iterator[Any], limit: int) -> Iterator[Any]:
        """Of all rows those that are marked or whose number is asked for, each with its number."""
        with closing(rows):  # type: ignore[type-var]  # a generator
            found = ((*row[:-1], number) for number, row in enumerate(rows, 1) if row[-1] == 1 or number in self._numbers)
            yield from islice(found, limit or None)

    def _conditions(self, condition: Condition) -> Iterator[Any]:
        import sqlalchemy as sa

        columns, table = condition.columns, self._table
        places = [name for name in columns if name not in self._types and (name in table.places or (name == "row" and not table.keys))]
        if gone := [name for name in columns if name not in self._types and name not in places]:
            self.missing += gone
            return
        rows = [some for some in condition.values if all("\0" not in one and of.is_unicode(one) for one in some)]
        if "row" in places:
            self._numbers.update(of.kept([row[0] for row in rows], lambda one: of.whole(one, 1)))
        elif places:
            for some in of.pieces([row[0] for row in rows], _MANY):
                yield sa.literal_column("ROWID").in_([sa.func.chartorowid(one) for one in some])
        elif len(columns) > 1:
            for row in rows:
                held = [self._exact(name, [one]) for name, one in zip(columns, row, strict=True)]
                if all(one is not None for one in held):
                    yield sa.and_(*held)
        else:
            how = {Compare.EXACT: self._exact, Compare.FOLDED: self._folded, Compare.DIGITS: self._digits, Compare.CONTAINS: self._contains}
            for few in of.pieces([one for (one,) in rows], _MANY):
                if (met := how[condition.how](columns[0], few)) is not None:
                    yield met

    def _exact(self, name: str, values: Sequence[str]) -> Any:
        import sqlalchemy as sa

        type = self._types[name]
        held = of.kept(values, lambda value: convert(value, type))
        if not held:
            return None
        if isinstance(type, sa.String):
            return self._words(name, type, held)
        return sa.column(name, type).in_(held) if converts(type) else self._text(name).in_(held)

    def _words(self, name: str, type: Any, values: Sequence[Any]) -> Any:
        """SQL Server's collations mostly know no case, and its index on `varchar` is used for values that are `varchar` too."""
        import sqlalchemy as sa

        column = sa.column(name, type)
        if self._session.kind == "oracle" and isinstance(type, sa.CHAR) and type.length:
            return column.in_([sa.cast(value, sa.CHAR(type.length)) for value in values if len(value) <= type.length])
        if self._session.kind != "mssql":
            return column.in_(values)
        wide = isinstance(type, (sa.NVARCHAR, sa.NCHAR, sa.UnicodeText, sa.Unicode))
        found = column.in_(values if wide else [sa.cast(value, sa.VARCHAR(8000)) for value in values if len(value) <= 8000])
        exact = sa.cast(column, sa.NVARCHAR(None)).collate("Latin1_General_100_BIN2")
        return sa.and_(found, exact.in_([sa.cast(value, sa.NVARCHAR(None)) for value in values]))

    def _folded(self, name: str, values: Sequence[str]) -> Any:
        return self._small(self._trimmed(name)).in_(of.kept(values, of.folded)) if values else None

    def _contains(self, name: str, values: Sequence[str]) -> Any:
        import sqlalchemy as sa

        words = of.kept(values, lambda one: one.lower() or None)
        text = self._small(self._text(name))
        return sa.or_(*(text.like(f"%{_escaped(word)}%", escape="|") for word in words)) if words else None

    def _digits(self, name: str, values: Sequence[str]) -> Any:
        """The column's digits end in the value's. A column of numbers has no zeros in front."""
        import sqlalchemy as sa

        wanted = of.kept(values, lambda one: of.digits(one) or None)
        if not wanted:
            return None
        number = isinstance(self._types[name], (sa.Integer, sa.Numeric, sa.Float))
        text = digits = self._text(name)
        if self._session.kind in _EXPRESSIONS:
            every = [] if self._session.kind == "oracle" else ["g"]
            text = sa.func.regexp_replace(text, r"\.0+$", "") if number else text
            digits = sa.func.regexp_replace(text, "[^0-9]+", "", *every)
        else:
            for sign in _SIGNS:
                digits = sa.func.replace(digits, sign, "")
        lost = [one.lstrip("0") for one in wanted if number and one.startswith("0") and one.strip("0")]
        return sa.or_(*(digits.like(f"%{one}") for one in wanted), *(digits == one for one in lost))

    def _text(self, name: str) -> Any:
        import sqlalchemy as sa

        type = self._types[name]
        if isinstance(type, sa.LargeBinary) and self._session.kind in _READABLE:
            return _READABLE[self._session.kind](sa.column(name))
        long = sa.String(4000) if self._session.kind == "oracle" else sa.NVARCHAR(None) if self._session.kind == "mssql" else sa.Text()
        return sa.column(name, type) if isinstance(type, sa.String) and not isinstance(type, sa.Enum) else sa.cast(sa.column(name), long)

    def _trimmed(self, name: str) -> Any:
        import sqlalchemy as sa

        text = self._text(name)
        return sa.func.ltrim(sa.func.rtrim(text)) if self._session.kind == "mssql" else sa.func.trim(text)

    def _small(self, text: Any) -> Any:
        import sqlalchemy as sa

        small = sa.func.lower(text)
        return small.collate("Latin1_General_100_BIN2") if self._session.kind == "mssql" else small


def converts(type: Any) -> bool:
    """Whether values can become what a column of that type holds; others are compared as texts."""
    import sqlalchemy as sa

    known = (sa.Integer, sa.Numeric, sa.Float, sa.Boolean, sa.Date, sa.DateTime, sa.Uuid, sa.LargeBinary)
    return isinstance(type, known) and not isinstance(type, (sa.Interval, sa.Time))


def convert(value: str, type: Any) -> Any:
    """What a value becomes for a column of that type; `None` when it cannot be held."""
    import sqlalchemy as sa

    if isinstance(type, sa.Integer):
        return of.whole(value)
    if isinstance(type, sa.Float):
        return of.real(value)
    if isinstance(type, sa.Numeric):
        number = of.decimal(value)
        return number if number is not None and len(format(number, "f")) <= 38 else None
    for kind, make in ((sa.Boolean, of.truth), (sa.Date, of.day), (sa.DateTime, of.moment), (sa.Uuid, of.identity)):
        if isinstance(type, kind):
            return make(value)
    return value.encode() if isinstance(type, sa.LargeBinary) else value


def _function(name: str, *arguments: Any) -> Any:
    import sqlalchemy as sa

    return getattr(sa.func, name)(*arguments)


def _escaped(word: str) -> str:
    """A word in a pattern whose special letters follow a `|`; SQL Server has brackets besides."""
    return "".join(f"|{c}" if c in "%_|[" else c for c in word)
