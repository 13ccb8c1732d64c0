"""Asks the databases how their columns hang together: a few values of one, looked up in another. Never all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from scanner.errors import SourceError
from scanner.model import Condition, Database, Opened, Problem, Reading, Relation, TextBatch, Unit, Why

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 4_096
"""So many rows that lie side by side are looked at in each of the places of a table."""
PLACES = 3
VALUES = 64
"""So many different values, spread over the column, are looked up for one edge."""
MORE_VALUES = 1_000
"""So many e-mail addresses, logins or cookies: one that is found says much, but most may be of people who are not there."""
LOOKUPS = 400
"""So often one source is asked for the whole graph; what is left over is judged by name alone."""
SCAN_ROWS = 200_000
"""Values are looked up in a column without an index only where the table has no more rows than this."""

Ask: TypeAlias = Callable[[Database, str, Sequence[Condition], int], Iterator[Reading]]
"""(source, object, conditions, limit): as `Database.lookup`."""


def lookup(source: Database, object: str, conditions: Sequence[Condition], limit: int) -> Iterator[Reading]:
    """Ask the source itself."""
    return source.lookup(object, conditions, limit=limit)


class Found(NamedTuple):
    """Of `asked` different values of a column, so many were `found` in another one. `rows` were looked at, `empty` of them held nothing."""

    asked: int
    found: int

    @property
    def share(self) -> float:
        return self.found / self.asked if self.asked else 0.0


@dataclass(frozen=True, slots=True, repr=False)
class Sample:
    """Some rows of a table: its columns as texts, aligned by row. In memory only, and only while the graph is built."""

    rows: int
    whole: bool
    columns: Mapping[str, pa.StringArray]

    def filled(self, column: str) -> int:
        """How many rows hold anything there."""
        import pyarrow.compute as pc

        if column not in self.columns:
            return 0
        return int(pc.sum(pc.greater(pc.binary_length(self.columns[column]), 0)).as_py() or 0)

    def distinct(self, *columns: str) -> list[tuple[str, ...]]:
        """The different values (or pairs) that some columns hold, in the order of the rows; rows with a gap are passed over."""
        if any(column not in self.columns for column in columns):
            return []
        if len(columns) == 1:
            return [(value,) for value in self.columns[columns[0]].unique().to_pylist() if value]
        rows = zip(*(self.columns[column].to_pylist() for column in columns), strict=True)
        return list(dict.fromkeys(row for row in rows if all(row)))

    def unlike(self, column: str) -> float:
        """How many of the filled rows have a value of their own, as a share: 1 where no value comes twice."""
        filled = self.filled(column)
        return len(self.distinct(column)) / filled if filled else 0.0

    def spread(self, columns: Sequence[str], count: int = VALUES) -> list[tuple[str, ...]]:
        """So many different values, from all over the column."""
        found = self.distinct(*columns)
        if len(found) <= count:
            return found
        return [found[at * len(found) // count] for at in range(count)]


NOTHING = Sample(0, True, {})


@dataclass(slots=True)
class Asking:
    """One source while its graph is built: what was asked of it, and what it could not say."""

    source: Database
    ask: Ask = lookup
    problems: list[Problem] = field(default_factory=list)
    lookups: int = 0
    _units: dict[str, list[Unit]] | None = None
    _samples: dict[str, Sample] = field(default_factory=dict)

    def sample(self, relation: Relation) -> Sample:
        """Rows from a few places of a table; read once."""
        if relation.object not in self._samples:
            self._samples[relation.object] = self._read(relation)
        return self._samples[relation.object]

    def forget(self) -> None:
        """Drop all rows."""
        self._samples.clear()

    def contained(self, child: Sample, columns: Sequence[str], parent: Relation, to: Sequence[str], count: int = VALUES) -> Found | None:
        """Look values of a child's columns up in a parent's. None: the source cannot be asked that."""
        values = child.spread(columns, count)
        if not values:
            return Found(0, 0)
        wanted = set(values)
        if parent.rows <= ROWS and (above := self.sample(parent)).whole:
            return Found(len(wanted), len(wanted & set(above.distinct(*to))))
        if not self._may_ask(parent, to):
            return None
        seen: set[tuple[str, ...]] = set()
        limit = 0 if tuple(to) in (parent.key, *parent.unique) else 20 * len(values)
        for rows in self.rows(parent.object, [Condition(tuple(to), tuple(values))], limit):
            seen |= set(zip(*(rows.get(column, [None]) for column in to), strict=False)) & wanted
        return Found(len(wanted), len(seen))

    def rows(self, object: str, conditions: Sequence[Condition], limit: int) -> Iterator[dict[str, list[str | None]]]:
        """The rows that meet any of the conditions, in groups, by column."""
        self.lookups += 1
        try:
            yield from (group for group in _groups(self.ask(self.source, object, conditions, limit), object, self.problems))
        except SourceError as error:
            self.problems.append(Problem(object, Why.CRASHED, str(error)))

    def _may_ask(self, parent: Relation, to: Sequence[str]) -> bool:
        if self.lookups >= LOOKUPS:
            return False
        led = any(tuple(index[: len(to)]) == tuple(to) for index in (parent.key, *parent.unique, *parent.indexes))
        return led or parent.rows <= SCAN_ROWS

    def _read(self, relation: Relation) -> Sample:
        import pyarrow as pa

        units = self._listed().get(relation.object, [])
        places = units if len(units) <= PLACES else [units[at * (len(units) - 1) // (PLACES - 1)] for at in range(PLACES)]
        chunks: list[dict[str, pa.StringArray]] = []
        whole = len(units) == len(places)
        wanted = {column.name for column in relation.columns}
        for unit in places:
            chunk, more = self._first(unit, wanted)
            whole = whole and not more
            if chunk:
                chunks.append(chunk)
        if not chunks:
            return NOTHING
        names = dict.fromkeys(name for chunk in chunks for name in chunk)
        joined = {}
        for name in names:
            parts = [chunk.get(name, pa.nulls(len(next(iter(chunk.values()))), pa.string())) for chunk in chunks]
            joined[name] = pa.concat_arrays([part.cast(pa.string()) for part in parts])
        return Sample(len(next(iter(joined.values()))), whole, joined)

    def _first(self, unit: Unit, wanted: set[str]) -> tuple[dict[str, pa.StringArray], bool]:
        """The first rows of a unit, by column, and whether it has more."""
        found: dict[str, pa.StringArray] = {}
        records: Any = None
        more = False
        try:
            with closing(self.source.read(unit)) as reading:  # type: ignore[type-var]
                for item in reading:
                    if isinstance(item, Opened):
                        more = more or item.rows > ROWS
                    elif isinstance(item, TextBatch):
                        records = item.records if records is None else records
                        if item.records is not records:
                            more = True
                            break
                        if item.object == unit.object and item.field in wanted:
                            found[item.field] = item.texts.slice(0, ROWS)
        except SourceError as error:
            self.problems.append(Problem(unit.object, Why.CRASHED, str(error)))
        return found, more

    def _listed(self) -> dict[str, list[Unit]]:
        if self._units is None:
            self._units = {}
            for unit in self.source.units():
                if isinstance(unit, Unit):
                    self._units.setdefault(unit.object, []).append(unit)
        return self._units


def _groups(reading: Iterator[Reading], object: str, problems: list[Problem]) -> Iterator[dict[str, list[str | None]]]:
    """Batches of the same rows, put together."""
    group: dict[str, list[str | None]] = {}
    records: Any = None
    for item in reading:
        if isinstance(item, Problem):
            problems.append(item)
        elif isinstance(item, TextBatch) and item.object == object:
            if records is not None and item.records is not records and group:
                yield group
                group = {}
            records = item.records
            group[item.field] = item.texts.to_pylist()
    if group:
        yield group
