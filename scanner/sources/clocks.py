"""Asks a database when the time of its records started, in one question: joins, conditions and the last day are answered by the server.

A question is written from what the database says of itself (`Relation`), with names quoted as its dialect wants them. Values stand in
it as hexadecimal digits, so that nothing can be read into them and none shows in a server's log in the clear. The only text that is not
ours is a policy's `when`. It is asked in the sources' own read-only transactions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from scanner.extract.rows import record_names
from scanner.model import Column, Database, Relation

if TYPE_CHECKING:
    import pyarrow as pa

PROBE = 1_000
"""So many days of a column are looked at to know how they are written."""
SECONDS = 300
"""So long a server may think about one question."""
MANY = 200
"""Records of one question."""
_PLAIN = re.compile(r"-?[0-9]{1,18}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}[ T:.0-9+]{0,24}")
"""Values of keys that are no text: whole numbers, UUIDs, days and moments."""
_TEXT = {"mysql": "char", "mssql": "nvarchar(4000)", "oracle": "varchar2(4000)", "duckdb": "varchar"}


@runtime_checkable
class Selects(Database, Protocol):
    """A database that answers queries, every column as text."""

    def select(self, query: str) -> Iterator[pa.RecordBatch]:
        """The answer to a query. Raises `SourceError` when it cannot be asked."""
        ...


class Form(StrEnum):
    """How a column writes days."""

    ISO = "iso"
    """2024-06-30, and what may follow: as a day, a moment or a text."""
    DANISH = "danish"
    """30-06-2024, 30.06.2024 or 30/06/2024."""
    COMPACT = "compact"
    """20240630"""
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"


_FORMS = (
    (Form.ISO, re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2}.*)?", re.DOTALL)),
    (Form.DANISH, re.compile(r"[0-9]{2}[-./][0-9]{2}[-./][0-9]{4}(?![0-9]).*", re.DOTALL)),
    (Form.COMPACT, re.compile(r"(?:19|20|21)[0-9]{6}(\.0+)?")),
    (Form.SECONDS, re.compile(r"-?[0-9]{1,10}(\.[0-9]+)?")),
    (Form.MILLISECONDS, re.compile(r"[0-9]{11,14}(\.0+)?")),
)


class Step(NamedTuple):
    """One join: from `columns` of the row before to the row of `relation` whose `to` they hold."""

    columns: tuple[str, ...]
    relation: Relation
    to: tuple[str, ...]


class Clock(NamedTuple):
    """A day of the row at the end of `steps` (of the record itself where there are none), where that row meets `when`.

    With `last`, rows whose clock started on it or before are asked for; without, all.
    """

    steps: tuple[Step, ...]
    column: str
    form: Form
    when: str = ""
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Which records of a table, and when their clocks started. `person`: the way to the table of people, `None` when there is none.

    `extra` are columns of the record that are wanted besides; `records`, where given, the values of the key of those that are meant.
    """

    relation: Relation
    clocks: tuple[Clock, ...] = ()
    person: tuple[Step, ...] | None = None
    extra: tuple[str, ...] = ()
    records: tuple[tuple[str, ...], ...] | None = None


def day(text: str | None, form: Form) -> date | None:
    """The day that a cell holds; of a month its last one. None when it is none."""
    if not text:
        return None
    try:
        if form is Form.ISO:
            return date.fromisoformat(text[:10]) if len(text) >= 10 else _month(text)
        if form is Form.DANISH:
            return date(int(text[6:10]), int(text[3:5]), int(text[:2]))
        number = float(text)
        if form is Form.COMPACT:
            return datetime.strptime(str(int(number)), "%Y%m%d").replace(tzinfo=UTC).date()
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number / (1 if form is Form.SECONDS else 1000))).date()
    except (ValueError, OverflowError):
        return None


def _month(text: str) -> date:
    start = date.fromisoformat(f"{text[:7]}-01")
    return (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def form_of(source: Selects, relation: Relation, column: str) -> Form | None:
    """How a column writes days; None when it does so in several ways, or in none that is known. Raises `SourceError`."""
    kind = next((one.type for one in relation.columns if one.name == column), "")
    if kind in ("date", "time") and source.dialect != "sqlite":
        return Form.ISO
    dialect, name = source.dialect, quoted(source.dialect, column)
    select = f"select {name} as d from {table(dialect, relation.object)} where {name} is not null"
    cut = {"mssql": f"select top {PROBE}{select[6:]}", "oracle": f"{select} fetch first {PROBE} rows only"}
    cells = [cell for batch in source.select(cut.get(dialect, f"{select} limit {PROBE}")) for cell in batch.column(0).to_pylist() if cell]
    if not cells:
        return Form.ISO
    return next((form for form, pattern in _FORMS if all(pattern.fullmatch(cell) and day(cell, form) for cell in cells)), None)


def ask(source: Selects, question: Question) -> Iterator[tuple[list[str], list[list[str | None]]]]:
    """The answer in pieces: names of records (`""` where rows cannot be told apart), and the columns of clocks, person and extra.

    Raises `SourceError` when it cannot be asked.
    """
    query, keys = write(source.dialect, question)
    wide = len(keys)
    for batch in _timed(source, query):
        columns = batch.columns
        names = record_names(keys, columns[:wide]).to_pylist() if keys else [""] * batch.num_rows
        yield names, [column.to_pylist() for column in columns[wide:]]


def _timed(source: Selects, query: str) -> Iterator[pa.RecordBatch]:
    """A question that the server ends in time.

    MariaDB and MySQL are told in the question itself how long they may think: each passes over what is meant for the other.
    """
    if source.dialect == "mysql":
        query = f"/*M! SET STATEMENT max_statement_time={SECONDS} FOR */ select /*+ MAX_EXECUTION_TIME({SECONDS}000) */ {query[7:]}"
    select: Any = source.select
    yield from select(query, timed=True) if source.dialect == "postgresql" else select(query)


def write(dialect: str, question: Question) -> tuple[str, list[str]]:
    """The question in SQL, and the columns that name a record, which come first."""
    return _Writer(dialect, question).query()


class _Writer:
    def __init__(self, dialect: str, question: Question) -> None:
        self._dialect, self._question = dialect, question
        self._joins: list[str] = []
        self._known: dict[tuple[Step, ...], tuple[str, Relation]] = {(): ("b", question.relation)}
        self._outer = "left join" if len(question.clocks) > 1 else "join"

    def query(self) -> tuple[str, list[str]]:
        question = self._question
        keys, names = self._keys()
        days, wheres = [], []
        for number, clock in enumerate(question.clocks):
            cell = self._clock(clock, f"c{number}")
            days.append(cell)
            if clock.last is not None:
                bare = cell if not cell.startswith("case") else f"b.{self._q(clock.column)}"
                over = self._over(bare, clock)
                wheres.append(over if bare == cell else f"({clock.when}) and {over}")
        columns = [*names, *days]
        if question.person is not None:
            columns += self._person(question.person)
        columns += [f"b.{self._q(name)}" for name in question.extra]
        listed = ", ".join(f"{column} as k{i}" for i, column in enumerate(columns))
        where = [f"({' or '.join(f'({one})' for one in wheres)})"] * bool(wheres) + [self._among(keys)] * (question.records is not None)
        base = table(self._dialect, question.relation.object)
        sql = f"select {listed} from {base} b" if self._dialect == "oracle" else f"select {listed} from {base} as b"
        return " ".join([sql, *self._joins, *(["where", " and ".join(where)] if where else [])]), keys

    def _keys(self) -> tuple[list[str], list[str]]:
        relation = self._question.relation
        if relation.key:
            return list(relation.key), [f"b.{self._q(name)}" for name in relation.key]
        place = {"sqlite": "rowid", "duckdb": "rowid", "postgresql": "ctid"}.get(self._dialect, "")
        if not place or relation.view or place in {column.name.lower() for column in relation.columns}:
            return [], []
        return [place], [f"b.{place}"]

    def _clock(self, clock: Clock, alias: str) -> str:
        if not clock.steps and clock.when:
            if not self._question.person and len(self._question.clocks) == 1:
                return f"case when ({clock.when}) then b.{self._q(clock.column)} end"
            own = self._question.relation
            clock = clock._replace(steps=(Step(own.key, own, own.key),))
        here, relation = self._walk(clock.steps[:-1]) if clock.steps else ("b", self._question.relation)
        if not clock.steps:
            return f"b.{self._q(clock.column)}"
        step = clock.steps[-1]
        inside = table(self._dialect, step.relation.object)
        column, wanted = self._q(clock.column), f" where ({clock.when})" if clock.when else ""
        if not is_unique(step.relation, step.to):
            to = ", ".join(map(self._q, step.to))
            inside = f"(select {to}, max({column}) as {column} from {inside}{wanted} group by {to})"
        elif wanted:
            inside = f"(select * from {inside}{wanted})"
        self._join(inside, alias, here, relation, step)
        return f"{alias}.{column}"

    def _over(self, cell: str, clock: Clock) -> str:
        """Whether a clock started on its last day or before."""
        assert clock.last is not None  # noqa: S101 - the caller looked
        after = clock.last + timedelta(days=1)
        if clock.form is Form.DANISH:
            parts = [f"substr({cell}, {at}, {size})" for at, size in ((7, 4), (4, 2), (1, 2))]
            cell = f"concat({', '.join(parts)})" if self._dialect == "mysql" else " || ".join(parts)
            return f"{cell} < '{after:%Y%m%d}'"
        if clock.form in (Form.SECONDS, Form.MILLISECONDS):
            seconds = int(datetime(after.year, after.month, after.day, tzinfo=UTC).timestamp())
            return f"{cell} < {seconds * (1 if clock.form is Form.SECONDS else 1000)}"
        if clock.form is Form.COMPACT and self._kind(clock) == "number":
            return f"{cell} < {after:%Y%m%d}"
        written = f"{after:%Y%m%d}" if clock.form is Form.COMPACT else after.isoformat()
        word = {"oracle": "date "}.get(self._dialect, "") if self._kind(clock) in ("date", "time") else ""
        return f"{cell} < {word}'{written}'"

    def _kind(self, clock: Clock) -> str:
        relation = clock.steps[-1].relation if clock.steps else self._question.relation
        return next((one.type for one in relation.columns if one.name == clock.column), "")

    def _person(self, steps: tuple[Step, ...]) -> list[str]:
        """What tells people apart: the columns that point at the row of the person, or the record's own key."""
        if not steps:
            return []
        self._outer = "left join"
        here, _ = self._walk(steps[:-1])
        return [f"{here}.{self._q(steps[-1].columns[0])}"]

    def _walk(self, steps: tuple[Step, ...]) -> tuple[str, Relation]:
        """Join along steps; what was joined already is not joined again."""
        if steps in self._known:
            return self._known[steps]
        here, relation = self._walk(steps[:-1])
        alias = f"j{len(self._known)}"
        self._join(table(self._dialect, steps[-1].relation.object), alias, here, relation, steps[-1])
        self._known[steps] = alias, steps[-1].relation
        return self._known[steps]

    def _join(self, inside: str, alias: str, here: str, relation: Relation, step: Step) -> None:
        pairs = [
            self._equal(f"{here}.{self._q(one)}", _column(relation, one), f"{alias}.{self._q(other)}", _column(step.relation, other))
            for one, other in zip(step.columns, step.to, strict=True)
        ]
        named = f"{inside} {alias}" if self._dialect == "oracle" else f"{inside} as {alias}"
        self._joins.append(f"{self._outer} {named} on {' and '.join(pairs)}")

    def _equal(self, one: str, column: Column, other: str, beside: Column) -> str:
        if column.type != beside.type and self._dialect != "sqlite":
            one = one if column.type == "text" else self._as_text(one)
            other = other if beside.type == "text" else self._as_text(other)
        return f"{one} = {other}"

    def _as_text(self, sql: str) -> str:
        return f"cast({sql} as {_TEXT.get(self._dialect, 'text')})"

    def _among(self, keys: Sequence[str]) -> str:
        relation, records = self._question.relation, self._question.records or ()
        sides = [f"b.{key if key not in {c.name for c in relation.columns} else self._q(key)}" for key in keys]
        kinds = [_column(relation, key).type for key in keys]
        rows = [
            " and ".join(
                f"{side} = {self._value(value, kind, key)}" for side, value, kind, key in zip(sides, record, kinds, keys, strict=True)
            )
            for record in records
        ]
        return f"({' or '.join(f'({row})' for row in rows)})" if rows else "1 = 0"

    def _value(self, value: str, kind: str, key: str) -> str:
        """A value of a key: what is no text as it is written, a text by its bytes."""
        if kind != "text" and _PLAIN.fullmatch(value):
            return value if kind == "number" or key == "rowid" else f"'{value}'"
        if key == "ctid" and re.fullmatch(r"\([0-9]+,[0-9]+\)", value):
            return f"'{value}'"
        return literal(self._dialect, value)

    def _q(self, name: str) -> str:
        return quoted(self._dialect, name)


def literal(dialect: str, value: str) -> str:
    """A text in SQL, as its bytes."""
    hex = value.encode("utf-8", "replace").hex()
    known = {
        "sqlite": f"cast(x'{hex}' as text)",
        "postgresql": f"convert_from(decode('{hex}', 'hex'), 'UTF8')",
        "mysql": f"_utf8mb4 x'{hex}'",  # a literal yields to the collation of the column
        "duckdb": f"decode(unhex('{hex}'))",
    }
    return known.get(dialect) or "'" + value.replace("'", "''") + "'"


def quoted(dialect: str, name: str) -> str:
    """A name as it stands in a query."""
    if dialect == "mysql":
        return "`" + name.replace("`", "``") + "`"
    return "[" + name.replace("]", "]]") + "]" if dialect == "mssql" else '"' + name.replace('"', '""') + '"'


def table(dialect: str, object: str) -> str:
    """An object as it stands in a query: `schema.table`, or a table without a schema."""
    schema, dot, name = object.partition(".")
    if not dot or dialect == "sqlite":
        return quoted(dialect, object)
    return f"{quoted(dialect, schema)}.{quoted(dialect, name)}"


def is_unique(relation: Relation, columns: Sequence[str]) -> bool:
    """Whether no two rows have the same values in these columns."""
    return any(one and set(one) <= set(columns) for one in (relation.key, *relation.unique))


def _column(relation: Relation, name: str) -> Column:
    return next((one for one in relation.columns if one.name == name), Column(name, "number" if name == "rowid" else "other"))
