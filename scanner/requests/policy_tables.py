"""Which policies bear on the rows of a table, and what they say of them: asked of the database in a few questions, never row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from scanner.config import Hold
from scanner.errors import SourceError
from scanner.model import Compare, Condition, Problem, Relation, Source, TextBatch
from scanner.requests.policy import Clock, Hint, Policies, Policy, Ruling, decide
from scanner.requests.policy_ways import Miss, Way, Ways, name_columns
from scanner.sources import clocks
from scanner.sources.clocks import Form, Question, Selects, Step
from scanner.sources.records import condition_of
from scanner.subject.graph import Edge, Graph

SEVERAL = 2_000
"""Values that are looked up at once in another database."""


@dataclass(frozen=True, slots=True)
class Late:
    """A record whose time may be over: its ruling, and what tells its person apart ("" where no way leads to one)."""

    source: str
    object: str
    record: str
    ruling: Ruling
    person: str = ""


class Tables:
    """The tables of several databases under the policies of a company. `missed` fills with what could not be looked at."""

    def __init__(self, policies: Policies, sources: Iterable[Source], graph: Graph) -> None:
        self._policies, self._graph = policies, graph
        self._databases: dict[str, Selects] = {one.name: one for one in sources if isinstance(one, Selects)}
        self._ways = Ways(graph, self._databases)
        self._forms: dict[tuple[str, str, str], Form | None] = {}
        self._missed: dict[Miss, None] = {}

    @property
    def missed(self) -> tuple[Miss, ...]:
        """(source, object, why) of what could not be looked at."""
        return tuple(self._missed)

    @cached_property
    def under(self) -> dict[tuple[str, str], list[Policy]]:
        """The tables on which policies bear, with the policies."""
        found = {place: self._policies.bearing(*place) for place in self._graph.nodes if place[0] in self._databases}
        return {place: bearing for place, bearing in found.items() if bearing}

    def rulings(
        self, source: str, object: str, records: Sequence[str], today: date, holds: Mapping[str, Hold] | Hold | None = None
    ) -> dict[str, Ruling]:
        """What is said of each record of a table. `holds` are the holds of some records, or the one that all of them are under.

        A record whose clocks cannot be read is kept where the law requires that, as one whose time has not started; `missed` says so.
        """
        held = {} if holds is None else dict.fromkeys(records, holds) if isinstance(holds, Hold) else dict(holds)
        node = self._graph.nodes.get((source, object))
        bearing = self._policies.bearing(source, object)
        started: dict[str, list[date | None]] = {record: [None] * len(bearing) for record in records}
        if node is not None and source in self._databases and bearing:
            for number, policy in enumerate(bearing):
                for record, start in self._started(source, node.relation, policy, records):
                    if record in started and start is not None:
                        started[record][number] = max(start, started[record][number] or start)
        return {
            record: decide([Clock(*pair) for pair in zip(bearing, days, strict=True)], today, held.get(record))
            for record, days in started.items()
        }

    def overdue(self, source: str, object: str, today: date) -> Iterator[Late]:
        """The records of a table that should have gone, by its policies together; holds are not looked at."""
        bearing, relation = self.under[source, object], self._graph.nodes[source, object].relation
        ways = [(policy, self._way(source, object, policy)) for policy in bearing]
        here = [(policy, way) for policy, way in ways if way and all(edge.to_source == source for edge in way.edges)]
        away = [(policy, way) for policy, way in ways if way and not all(edge.to_source == source for edge in way.edges)]
        lost = [policy for policy, way in ways if way is None]
        found: dict[str, str] = {}
        asked = [made for policy, way in here if (made := self._clock(policy, way, policy.cutoff(today)))]
        lost += [policy for policy, _ in here][len(asked) :] if len(asked) < len(here) else []
        if not lost and not away:
            yield from self._at_once(source, relation, [policy for policy, _ in here], asked, today)
            return
        # Some clocks lie in another database, or cannot be read: find what may be overdue by each, then ask of those by all.
        for clock in asked:
            for names, columns in self._ask(source, Question(relation, (clock,), self._person(source, object))):
                found |= dict(zip(names, self._people(source, relation, names, columns, 1), strict=True))
        for policy, way in away:
            found |= {record: "" for record in self._across(source, relation, policy, way, today) if record not in found}
        for some in _pieces(list(found), clocks.MANY):
            for record, ruling in self.rulings(source, object, some, today).items():
                if ruling.hint is Hint.OVERDUE:
                    yield Late(source, object, record, ruling, found[record])

    def _at_once(
        self, source: str, relation: Relation, policies: Sequence[Policy], asked: Sequence[clocks.Clock], today: date
    ) -> Iterator[Late]:
        """One question: where one of the clocks is over; which ones, decides."""
        question = Question(relation, tuple(asked), self._person(source, relation.object))
        decided: dict[tuple[str | None, ...], Ruling] = {}
        unread = 0
        for names, columns in self._ask(source, question):
            people = self._people(source, relation, names, columns, len(asked))
            for record, person, *cells in zip(names, people, *columns[: len(asked)], strict=True):
                key = tuple(cells)
                ruling = decided.get(key)
                if ruling is None:
                    days = [clocks.day(cell, clock.form) for cell, clock in zip(cells, asked, strict=True)]
                    unread += any(cell and not one for cell, one in zip(cells, days, strict=True))
                    pairs = zip(policies, days, strict=True)
                    ruling = decided[key] = decide([Clock(*pair) for pair in pairs], today)
                if ruling.hint is Hint.OVERDUE:
                    yield Late(source, relation.object, record, ruling, person)
        if unread:
            self._miss(source, relation.object, f"{unread} dates that are none")

    def _people(
        self, source: str, relation: Relation, names: Sequence[str], columns: Sequence[Sequence[str | None]], after: int
    ) -> list[str]:
        """What tells the persons of records apart, in one table of people."""
        way = self._ways.people.get((source, relation.object))
        if way is None:
            return [""] * len(names)
        if not way:
            return [f"{relation.object} {name}" for name in names]
        return [f"{way[-1].to} {way[-1].to_columns[0]}={cell}" if cell else "" for cell in columns[after]]

    def _person(self, source: str, object: str) -> tuple[Step, ...] | None:
        way = self._ways.people[source, object]
        return None if way is None else self._steps(way)

    def _steps(self, edges: Iterable[Edge]) -> tuple[Step, ...]:
        return tuple(Step(edge.columns, self._graph.nodes[edge.to_source, edge.to].relation, edge.to_columns) for edge in edges)

    def _started(self, source: str, relation: Relation, policy: Policy, records: Sequence[str]) -> Iterator[tuple[str, date | None]]:
        """When the clock of a policy started for records of a table."""
        way = self._way(source, relation.object, policy)
        if way is None:
            return
        apart = next((number for number, edge in enumerate(way.edges) if edge.to_source != source), None)
        if apart is not None:
            if apart == 0:
                yield from self._started_away(source, relation, policy, way, records)
            else:
                self._miss(source, relation.object, f"{policy.name}: its clock is reached over another table of another database")
            return
        clock = self._clock(policy, way, None)
        if clock is None:
            return
        for some in _pieces(records, clocks.MANY):
            keys = [values for record in some for values in _keys(relation, record)]
            for names, columns in self._ask(source, Question(relation, (clock,), None, (), tuple(keys))):
                yield from ((name, clocks.day(cell, clock.form)) for name, cell in zip(names, columns[0], strict=True))

    def _started_away(
        self, source: str, relation: Relation, policy: Policy, way: Way, records: Sequence[str]
    ) -> Iterator[tuple[str, date | None]]:
        """The same where the clock lies in another database: what joins them is read here and looked up there."""
        edge = way.edges[0]
        question = Question(relation, (), None, edge.columns)
        joined: dict[str, list[str]] = {}
        for some in _pieces(records, clocks.MANY):
            keys = [values for record in some for values in _keys(relation, record)]
            for names, columns in self._ask(source, replace(question, records=tuple(keys))):
                for name, cell in zip(names, columns[0], strict=True):
                    if cell:
                        joined.setdefault(cell.strip().casefold(), []).append(name)
        if joined and len(edge.columns) == 1:
            for value, start in self._there(policy, way, None):
                yield from ((record, start) for record in joined.get(value, ()))

    def _across(self, source: str, relation: Relation, policy: Policy, way: Way, today: date) -> Iterator[str]:
        """The records of a table whose clock, in another database, is over."""
        edge = way.edges[0]
        if edge.to_source == source or len(edge.columns) > 1:
            self._miss(source, relation.object, f"{policy.name}: its clock is reached over another table of another database")
            return
        values = {value for value, _ in self._there(policy, way, policy.cutoff(today))}
        how = Compare.FOLDED if _is_text(relation, edge.columns[0]) else Compare.EXACT
        for some in _pieces(sorted(values), SEVERAL):
            condition = Condition(edge.columns, tuple((value,) for value in some), how)
            seen: dict[str, None] = {}
            for reading in self._databases[source].lookup(relation.object, [condition]):
                if isinstance(reading, Problem):
                    self._miss(source, reading.object, f"{reading.why.value}: {reading.detail}")
                elif isinstance(reading, TextBatch):
                    seen |= dict.fromkeys(reading.records.to_pylist())
            yield from seen

    def _there(self, policy: Policy, way: Way, last: date | None) -> Iterator[tuple[str, date | None]]:
        """What rows are joined by, folded, and when the clock started, in the other database."""
        edge, rest = way.edges[0], way.edges[1:]
        relation = self._graph.nodes[edge.to_source, edge.to].relation
        clock = self._clock(policy, way._replace(edges=rest), last)
        if clock is None or any(one.to_source != edge.to_source for one in rest):
            return
        for _, columns in self._ask(edge.to_source, Question(relation, (clock,), None, edge.to_columns)):
            for cell, value in zip(columns[0], columns[1], strict=True):
                if value:
                    yield value.strip().casefold(), clocks.day(cell, clock.form)

    def _clock(self, policy: Policy, way: Way, last: date | None) -> clocks.Clock | None:
        place = (way.source, way.object, way.column)
        if place not in self._forms:
            try:
                there = self._graph.nodes[way.source, way.object].relation
                self._forms[place] = clocks.form_of(self._databases[way.source], there, way.column)
            except SourceError as error:
                self._forms[place] = None
                self._miss(way.source, way.object, str(error))
        form = self._forms[place]
        if form is None:
            self._miss(way.source, way.object, f"{policy.name}: the column {way.column} holds no days that can be understood")
            return None
        return clocks.Clock(self._steps(way.edges), way.column, form, policy.when, last)

    def named(self, policy: Policy) -> dict[str, list[date | None]] | None:
        """By the folded name of a person: when the clock of a policy started in the rows that bear it; None where that cannot be said.

        It is how a file in a person's folder is joined to the end of her employment.
        """
        target = self._ways.target(policy)
        if target is None or target[0] not in self._databases:
            self._miss(*_object_of(policy), f"{policy.name}: there is no column {policy.after}")
            return None
        node = self._graph.nodes[target[:2]]
        columns = name_columns(node)
        clock = self._clock(policy, Way((), *target), None)
        if not columns or clock is None:
            self._miss(*target[:2], f"{policy.name}: no column here holds names that a file could be told by")
            return None
        found: dict[str, list[date | None]] = {}
        for _, (days, *parts) in self._ask(target[0], Question(node.relation, (clock,), None, columns)):
            for cell, *name in zip(days, *parts, strict=True):
                words = " ".join(" ".join(part for part in name if part).casefold().split())
                found.setdefault(words, []).append(clocks.day(cell, clock.form))
        return found

    def miss(self, source: str, object: str, why: str) -> None:
        """Note something that could not be looked at."""
        self._miss(source, object, why)

    def _way(self, source: str, object: str, policy: Policy) -> Way | None:
        way = self._ways.way(source, object, policy)
        if isinstance(way, str):
            self._miss(source, object, way)
            return None
        return way

    def _ask(self, source: str, question: Question) -> Iterator[tuple[list[str], list[list[str | None]]]]:
        try:
            yield from clocks.ask(self._databases[source], question)
        except SourceError as error:
            self._miss(source, question.relation.object, str(error))

    def _miss(self, source: str, object: str, why: str) -> None:
        self._missed.setdefault((source, object, why))


def _object_of(policy: Policy) -> tuple[str, str]:
    source, _, object = policy.applies_to[0].partition(":")
    return source, object


def _keys(relation: Relation, record: str) -> Iterator[tuple[str, ...]]:
    """The values of a record's name; a name that can be read in several ways gives several."""
    condition = condition_of(relation, record)
    if condition is not None:
        yield from (values[-1:] if condition.columns[0] == "partition" else values for values in condition.values)


def _pieces(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def _is_text(relation: Relation, column: str) -> bool:
    return any(one.name == column and one.type == "text" for one in relation.columns)
