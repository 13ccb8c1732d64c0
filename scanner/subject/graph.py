"""The graph of a company's tables: by which columns one person's orders, tickets and sessions are reached from her row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from scanner.errors import SourceError
from scanner.model import Database, Problem, Relation, Source, Why

if TYPE_CHECKING:
    from scanner.inventory import Book
    from scanner.subject.graph_values import Ask

SHARE = 0.8
"""A column that holds an entity in so many of its filled records holds it throughout."""


class EdgeKind(StrEnum):
    """What the row that points has to do with the row that it points at."""

    OWNER = "owner"
    """It belongs to it: an order to its customer, an order line to its order."""
    HANDLER = "handler"
    """It was handled, written or approved by whom it points at: it is not that person's record."""
    CATALOGUE = "catalogue"
    """Many people's rows point there: a product, a campaign, a department."""
    RELATED = "related"
    """Another person's row hangs on this person's: a contact of a customer, a child of an employee. It is not hers by that alone."""
    PART = "part"
    """The other way round: the row pointed at is a part of the row that points (a customer's address in a table of addresses)."""


@dataclass(frozen=True, slots=True)
class Node:
    """A table, and what is known of it.

    `entities`: column to the entity that it holds throughout. `people`: a row is one person, or one account of a person.
    """

    source: str
    relation: Relation
    entities: Mapping[str, str]
    people: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """`columns` of `object` hold values of `to_columns` of the table `to`.

    `declared` by the database; else inferred, with a score between 0 and 1 and `why` in words. `on_delete` is what the database
    does with the row that points when the other one is deleted ("" where nothing is declared).
    `to_source` is another source than `source` where two databases are joined.
    """

    source: str
    object: str
    columns: tuple[str, ...]
    to: str
    to_columns: tuple[str, ...]
    declared: bool
    score: float
    why: str
    on_delete: str
    kind: EdgeKind
    to_source: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Tables by (source, object), and the edges between them, sorted."""

    nodes: Mapping[tuple[str, str], Node] = field(default_factory=dict)
    edges: tuple[Edge, ...] = ()

    def children(self, source: str, object: str) -> Iterator[Edge]:
        """The edges that point at a table, from rows to the rows above them: OWNER, HANDLER and CATALOGUE.

        Not PART, which is followed from the row that points only (`parts`), as a family may share an address; and not
        RELATED, which leads to other people (`related`).
        """
        apart = (EdgeKind.PART, EdgeKind.RELATED)
        return (edge for edge in self.edges if (edge.to_source, edge.to) == (source, object) and edge.kind not in apart)

    def related(self, source: str, object: str) -> Iterator[Edge]:
        """The edges from other people's rows to a person's."""
        return (edge for edge in self.edges if (edge.to_source, edge.to) == (source, object) and edge.kind is EdgeKind.RELATED)

    def parents(self, source: str, object: str) -> Iterator[Edge]:
        """The edges from a table to those that it points at, of every kind."""
        return (edge for edge in self.edges if (edge.source, edge.object) == (source, object))

    def owners(self, source: str, object: str) -> Iterator[Edge]:
        """The edges up from a table's rows to the rows that they belong to."""
        return (edge for edge in self.parents(source, object) if edge.kind is EdgeKind.OWNER)

    def parts(self, source: str, object: str) -> Iterator[Edge]:
        """The edges from a table to tables that keep a part of its rows."""
        return (edge for edge in self.parents(source, object) if edge.kind is EdgeKind.PART)

    def paths(self, source: str, object: str, *, most: int = 6) -> Iterator[tuple[Edge, ...]]:
        """The ways up from a table's rows to a table of people, edge by edge, the shortest first; () when it is one itself."""
        node = self.nodes.get((source, object))
        waiting: list[tuple[Edge, ...]] = [()]
        if node and node.people:
            yield ()
        while waiting:
            path = waiting.pop(0)
            here = (path[-1].to_source, path[-1].to) if path else (source, object)
            passed = {(source, object)} | {(edge.to_source, edge.to) for edge in path}
            for edge in self.owners(*here):
                there = (edge.to_source, edge.to)
                if there in passed:
                    continue
                if self.nodes[there].people:
                    yield (*path, edge)
                elif len(path) + 1 < most:
                    waiting.append((*path, edge))

    def people(self) -> Iterator[Node]:
        """The tables in which a row is one person."""
        return (node for node in self.nodes.values() if node.people)


def build(sources: Sequence[Source], data_map: Iterable[Mapping[str, Any]], ask: Ask | None = None) -> tuple[Graph, list[Problem]]:
    """Describe the tables of all databases among `sources`, and what hangs together with what.

    `data_map` are rows of the book's view of that name (`source`, `object`, `field`, `entity`, `share`); `ask` stands in for
    `Database.lookup`. Never raises for a source that cannot be asked: a `Problem` says so, whose object is `SOURCE:OBJECT`.
    """
    graph, problems = describe(sources, data_map, ask)
    return graph, [replace(one, object=f"{source}:{one.object}") for source, found in problems.items() for one in found]


def describe(
    sources: Sequence[Source], data_map: Iterable[Mapping[str, Any]], ask: Ask | None = None
) -> tuple[Graph, dict[str, list[Problem]]]:
    """The same, with the problems by source."""
    from scanner.subject import graph_infer, graph_kinds
    from scanner.subject.graph_values import Asking, lookup

    known = entities(data_map)
    asking: dict[str, Asking] = {}
    nodes: dict[tuple[str, str], Node] = {}
    for source in sources:
        if not isinstance(source, Database):
            continue
        asking[source.name] = one = Asking(source, ask or lookup)
        try:
            for item in source.relations():
                if isinstance(item, Problem):
                    one.problems.append(item)
                else:
                    nodes[source.name, item.object] = Node(source.name, item, known.get((source.name, item.object), {}))
        except SourceError as error:
            one.problems.append(Problem("", Why.CRASHED, str(error)))
    judge = graph_kinds.Judge(nodes, asking)
    edges = graph_infer.declared(nodes)
    judge.entities(edges)
    edges += graph_infer.inferred(nodes, edges, asking, judge)
    decided = judge.kinds(edges)
    for one in asking.values():
        one.forget()
    people = {place: replace(node, people=place in judge.people) for place, node in nodes.items()}
    return Graph(dict(sorted(people.items())), tuple(sorted(decided, key=order))), {name: one.problems for name, one in asking.items()}


def load(book: Book) -> Graph:
    """The graph as the last scans left it in the book; empty where none has described a database yet."""
    from scanner.subject import graph_book

    return graph_book.load(book)


def entities(data_map: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, str]]:
    """By (source, object): the columns that hold one entity throughout; of several, the one with most."""
    found: dict[tuple[str, str], dict[str, tuple[float, str]]] = {}
    for row in data_map:
        share = float(row["share"])
        if share >= SHARE:
            columns = found.setdefault((row["source"], row["object"]), {})
            columns[row["field"]] = max(columns.get(row["field"], (0.0, "")), (share, row["entity"]))
    return {place: {name: entity for name, (_, entity) in columns.items()} for place, columns in found.items()}


def order(edge: Edge) -> tuple[Any, ...]:
    """Edges are sorted by where they begin."""
    return (edge.source, edge.object, edge.columns, edge.to_source, edge.to, edge.to_columns)
