"""By which joins a table's rows are reached from the column where a policy's clock starts, and from the people whom they are about."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import NamedTuple, TypeAlias

from scanner.model import Role
from scanner.requests.policy import Policy
from scanner.sources import clocks
from scanner.subject.fields import Part, meaning
from scanner.subject.graph import Edge, EdgeKind, Graph, Node

FOLLOWED = (EdgeKind.OWNER, EdgeKind.PART, EdgeKind.RELATED, EdgeKind.CATALOGUE)
"""The edges that lead to where a clock starts, in the order in which they are preferred; never through who handled a case."""
MOST = 6
"""So many joins at most."""

Miss: TypeAlias = tuple[str, str, str]
"""(source, object, why) of what could not be looked at."""


class Way(NamedTuple):
    """How a clock of a table is reached: the joins, and the column at their end."""

    edges: tuple[Edge, ...]
    source: str
    object: str
    column: str


class Ways:
    """The ways through a graph of tables; only databases that can be asked are passed."""

    def __init__(self, graph: Graph, databases: Collection[str]) -> None:
        self._graph, self._databases = graph, databases

    def way(self, source: str, object: str, policy: Policy) -> Way | str:
        """The shortest way from a table to the column where a policy's clock starts; where there is none, why."""
        target = self.target(policy, source)
        if target is None:
            return f"{policy.name}: there is no column {policy.after}"
        place = target[:2]
        waiting: list[tuple[Edge, ...]] = [()]
        passed = {(source, object)}
        while waiting:
            path = waiting.pop(0)
            here = (path[-1].to_source, path[-1].to) if path else (source, object)
            if here == place:
                return Way(path, *target)
            edges = [edge for edge in self._graph.parents(*here) if edge.kind in FOLLOWED]
            for edge in sorted(edges, key=lambda edge: (FOLLOWED.index(edge.kind), not edge.declared, -edge.score)):
                there = (edge.to_source, edge.to)
                if (there not in passed or there == place) and len(path) < MOST and there[0] in self._databases:
                    passed.add(there)
                    waiting.append((*path, edge))
        if beside := self._beside(source, object, place):
            return Way((beside,), *target)
        return f"{policy.name}: no join leads from here to {policy.after}"

    def _beside(self, source: str, object: str, place: tuple[str, str]) -> Edge | None:
        """Where nothing points from one table to the other, both may name the same people: two lists of e-mail addresses.

        That the company says that a policy joins them makes it sure enough.
        """
        here, there = self._graph.nodes[source, object], self._graph.nodes[place]
        for part in (Part.CPR, Part.EMAIL):
            one, other = _column_of(here, part), _column_of(there, part)
            if one and other and clocks.is_unique(there.relation, (other,)):
                why = "both name people by the same"
                return Edge(source, object, (one,), place[1], (other,), False, 0.5, why, "", EdgeKind.OWNER, place[0])
        return None

    def target(self, policy: Policy, source: str = "") -> tuple[str, str, str] | None:
        """The column of a policy's clock: (source, object, column), of the record's own source first. None when there is none."""
        named, _, rest = policy.after.partition(":") if ":" in policy.after else ("", "", policy.after)
        object, _, column = rest.rpartition(".")
        places = [(named, object)] if named else [(source, object), *(place for place in self._graph.nodes if place[1] == object)]
        for place in places:
            node = self._graph.nodes.get(place)
            if node is not None and any(one.name == column for one in node.relation.columns):
                return (*place, column)
        return None

    @cached_property
    def people(self) -> dict[tuple[str, str], tuple[Edge, ...] | None]:
        """The way from each table to its people, inside one database."""
        found: dict[tuple[str, str], tuple[Edge, ...] | None] = {}
        for source, object in self._graph.nodes:
            paths = [path for path in self._graph.paths(source, object) if all(edge.to_source == source for edge in path)]
            found[source, object] = min(paths, key=_doubt, default=None)
        return found


def _column_of(node: Node, part: Part) -> str:
    """The only column that holds this part of the identity of a row's person."""
    found = [one.name for one in node.relation.columns if meaning(one.name, node.entities.get(one.name, "")) == (part, Role.ABOUT)]
    return found[0] if len(found) == 1 else ""


def name_columns(node: Node) -> tuple[str, ...]:
    """The column with the whole names of the people of a table, or those with their first and last names."""
    parts: dict[Part, str] = {}
    for column in node.relation.columns:
        part, role = meaning(column.name, node.entities.get(column.name, ""))
        if role is Role.ABOUT:
            parts.setdefault(part, column.name)
    if Part.NAME in parts:
        return (parts[Part.NAME],)
    return (parts[Part.FIRST], parts[Part.LAST]) if Part.FIRST in parts and Part.LAST in parts else ()


def _doubt(path: tuple[Edge, ...]) -> tuple[int, int, float]:
    """The shorter a way, the surer; of several as long, the declared one, and then the one with the best score."""
    return len(path), sum(not edge.declared for edge in path), -min((edge.score for edge in path), default=1.0)
