"""Finds edges that no database declares: by what columns are called, of which type they are, and which values they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from scanner.model import Column, Relation
from scanner.subject import graph_names as names
from scanner.subject.graph import Edge, EdgeKind, Node
from scanner.subject.graph_targets import Targets, kind_of
from scanner.subject.graph_values import MORE_VALUES, VALUES, Asking, Found

if TYPE_CHECKING:
    from scanner.subject.graph_kinds import Judge

Place = tuple[str, str]

CERTAIN, GOOD = 0.9, 0.7
"""How well a name must fit so that values need prove little, more, or nearly all."""
EMPTY = 0.7
"""What an edge is worth, of what its name is, where there were no values to prove it."""
_KEYS = frozenset({"number", "text", "other"})
_SEVERAL = frozenset({"email", "login", "cookie", "session", "device", "cpr"})


class Candidate(NamedTuple):
    """A column that may point at another one: how well the names fit, and why, in words."""

    column: str
    to: Place
    to_column: str
    fit: float
    why: str
    identity: str = ""


def declared(nodes: Mapping[Place, Node]) -> list[Edge]:
    """The foreign keys of the databases, whose tables are among the nodes."""
    edges = []
    for (source, object), node in nodes.items():
        for one in node.relation.references:
            if (source, one.object) in nodes:
                edges.append(
                    Edge(
                        source, object, one.columns, one.object, one.to, True, 1.0, "declared by the database as a foreign key",
                        one.on_delete, EdgeKind.CATALOGUE, source,
                    )
                )  # fmt: skip
    return edges


def inferred(nodes: Mapping[Place, Node], known: list[Edge], asking: Mapping[str, Asking], judge: Judge) -> list[Edge]:
    """Edges that the values confirm: of each column the best one, and for e-mail, login and cookies all of them."""
    taken = {(edge.source, edge.object, column) for edge in known for column in edge.columns}
    stems = frozenset(stem for (_, object) in nodes for word in names.table_words(object) for stem in names.stems(word))
    keys = [(place, column) for place, node in nodes.items() if not node.relation.view for column in judge.keys(place)]
    targets = Targets(nodes, keys, stems, judge)
    edges: list[Edge] = []
    for place, column in _columns(nodes):
        if (*place, column.name) not in taken:
            edges += _confirmed(nodes, place, _candidates(nodes, place, column, targets, judge), asking)
    return edges + _lent(nodes, known + edges, stems, asking, judge)


def _lent(nodes: Mapping[Place, Node], known: list[Edge], stems: frozenset[str], asking: Mapping[str, Asking], judge: Judge) -> list[Edge]:
    """Edges to columns that are no key, but hold one person's each: the cookie of her sessions, which page views have too."""
    judge.lend(known)
    joined = {(edge.source, edge.object, edge.columns[0], edge.to_source, edge.to) for edge in known}
    targets = Targets(nodes, ((place, column) for place, columns in judge.lent.items() for column in columns), stems, judge)
    edges: list[Edge] = []
    for place, column in _columns(nodes):
        if names.identity(column.name):
            found = [
                one
                for one in _candidates(nodes, place, column, targets, judge, lent=True)
                if one.identity and (*place, column.name, *one.to) not in joined and (place not in judge.people or one.to in judge.people)
            ]
            edges += _confirmed(nodes, place, found, asking)
    return edges


def _columns(nodes: Mapping[Place, Node]) -> Iterator[tuple[Place, Column]]:
    """The columns that may hold keys of other tables."""
    return ((place, column) for place, node in nodes.items() for column in node.relation.columns if column.type in _KEYS)


def _candidates(
    nodes: Mapping[Place, Node], place: Place, column: Column, targets: Targets, judge: Judge, *, lent: bool = False
) -> list[Candidate]:
    """The keys that a column may point at, the likeliest first."""
    mine = targets.meaning(place, nodes[place], column.name)
    alone = not lent and (_unique(nodes[place].relation, column.name) or column in judge.keys(place))
    found = []
    for to in targets.near(mine):
        if (to.place == place and to.column.name == column.name) or not _fits(column, to.column):
            continue
        fit, why, identity = targets.fit(mine, to)
        if fit and not (alone and not _points(nodes, place, column.name, to.place, mine.label, judge)):
            found.append(Candidate(column.name, to.place, to.column.name, fit, why, identity))
    return sorted(found, key=lambda one: (-one.fit, one.to, one.to_column))


def _points(nodes: Mapping[Place, Node], place: Place, column: str, to: Place, mine: names.Label, judge: Judge) -> bool:
    """Of two columns that are unique both, only one points at the other: towards the table that is named, or is more about people."""
    there = names.table_words(to[1])
    here = names.table_words(place[1])
    if mine.core and names.refers(mine.core, there)[0] > names.refers(mine.core, here)[0]:
        return True
    if mine.core and names.refers(mine.core, here)[0] > names.refers(mine.core, there)[0]:
        return False
    if not kind_of(nodes[place], column):
        return False

    def weight(where: Place) -> tuple[bool, float, int, Place]:
        return where in judge.people, judge.weight(where), nodes[where].relation.rows, where

    return weight(to) > weight(place)


def _confirmed(nodes: Mapping[Place, Node], place: Place, ranked: list[Candidate], asking: Mapping[str, Asking]) -> Iterator[Edge]:
    source, object = place
    relation = nodes[place].relation
    made: list[Edge] = []
    for one in ranked[:8]:
        best = made[0] if made else None
        if best and not (one.identity and one.identity in _SEVERAL) and one.fit <= best.score:
            break
        if best and one.to[0] != source and not one.identity:
            break
        sample = asking[source].sample(relation)
        parent = nodes[one.to].relation
        found = asking[one.to[0]].contained(sample, [one.column], parent, [one.to_column], MORE_VALUES if one.identity else VALUES)
        if one.identity and found and found.asked and not found.found:  # few of hers, but perhaps many of theirs
            above = asking[one.to[0]].sample(parent)
            found = asking[source].contained(above, [one.to_column], relation, [one.column], MORE_VALUES)
        score, said = _score(one, found, sample.distinct(one.column))
        if score:
            made.append(
                Edge(source, object, (one.column,), one.to[1], (one.to_column,), False, round(score, 3), f"{one.why}; {said}", "",
                     EdgeKind.CATALOGUE, one.to[0])
            )  # fmt: skip
            made.sort(key=lambda edge: -edge.score)
    first = made[:1]
    yield from first
    for edge in made[1:]:
        if any(one.identity and (one.to, one.to_column) == ((edge.to_source, edge.to), edge.to_columns[0]) for one in ranked):
            yield edge


def _score(one: Candidate, found: Found | None, values: list[tuple[str, ...]]) -> tuple[float, str]:
    """What an edge is worth by its name and its values; 0 when they speak against it."""
    if found is None:
        return (one.fit * EMPTY, "its values could not be looked up there") if one.fit >= CERTAIN else (0.0, "")
    if not found.asked:
        return (one.fit * EMPTY, "the column holds no values yet") if one.fit >= CERTAIN else (0.0, "")
    said = f"{found.found} of {found.asked} different values were found there"
    share = found.share
    if one.identity:
        enough = found.found >= 2 or (found.found and (share >= 0.5 or one.identity in ("cookie", "session", "device", "cpr")))
        return (0.75 + 0.2 * share, said) if enough else (0.0, "")
    telling = sum(not value[0].lstrip("-").isdigit() or len(value[0]) > 4 for value in values) >= 2
    needed, distinct = (0.9, 1) if one.fit >= CERTAIN else (0.95, 1) if one.fit >= GOOD else (0.98, 2)
    if share < needed or found.found < distinct:
        return 0.0, ""
    if telling:  # values that are not small numbers are there by chance in no other table
        return one.fit + (1 - one.fit) * 0.8 * share * min(1.0, found.found / 5), said
    return one.fit * (0.5 + 0.5 * share) * (1.0 if found.found >= 5 else 0.95), said


def _unique(relation: Relation, column: str) -> bool:
    return (column,) == relation.key or (column,) in relation.unique


def _fits(one: Column, other: Column) -> bool:
    """Whether two columns can hold the same values: numbers may also be written as text."""
    return one.type == other.type or {one.type, other.type} <= _KEYS


def by_child(edges: Iterable[Edge]) -> dict[Place, list[Edge]]:
    """Edges by the table that they come from."""
    found: dict[Place, list[Edge]] = {}
    for edge in edges:
        found.setdefault((edge.source, edge.object), []).append(edge)
    return found
