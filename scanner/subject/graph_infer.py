"""Finds edges that no database declares: by what columns are called, of which type they are, and which values they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from scanner.model import Column, Relation
from scanner.subject import graph_names as names
from scanner.subject.graph import Edge, EdgeKind, Node
from scanner.subject.graph_values import MORE_VALUES, VALUES, Asking, Found

if TYPE_CHECKING:
    from scanner.subject.graph_kinds import Judge

Place = tuple[str, str]

CERTAIN, GOOD, FAIR = 0.9, 0.7, 0.5
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
    edges: list[Edge] = []
    for place, node in nodes.items():
        for column in node.relation.columns:
            if (*place, column.name) not in taken and column.type in _KEYS:
                edges += _confirmed(nodes, place, _candidates(nodes, place, column, stems, judge), asking)
    return edges + _lent(nodes, known + edges, stems, asking, judge)


def _lent(nodes: Mapping[Place, Node], known: list[Edge], stems: frozenset[str], asking: Mapping[str, Asking], judge: Judge) -> list[Edge]:
    """Edges to columns that are no key, but hold one person's each: the cookie of her sessions, which page views have too."""
    judge.lend(known)
    joined = {(edge.source, edge.object, edge.columns[0], edge.to_source, edge.to) for edge in known}
    edges: list[Edge] = []
    for place, node in nodes.items():
        for column in node.relation.columns:
            if column.type not in _KEYS or not names.identity(column.name):
                continue
            found = _candidates(nodes, place, column, stems, judge, lent=True)
            found = [one for one in found if one.identity and (*place, column.name, *one.to) not in joined]
            edges += _confirmed(nodes, place, found, asking)
    return edges


def _candidates(
    nodes: Mapping[Place, Node], place: Place, column: Column, stems: frozenset[str], judge: Judge, *, lent: bool = False
) -> list[Candidate]:
    """The keys that a column may point at, the likeliest first."""
    found = _possible(nodes, place, column, stems, judge, lent)
    return sorted(found, key=lambda one: (-one.fit, one.to, one.to_column))


def _possible(
    nodes: Mapping[Place, Node], place: Place, column: Column, stems: frozenset[str], judge: Judge, lent: bool
) -> Iterator[Candidate]:
    own = nodes[place].relation
    mine = names.label(column.name, stems)
    kind = names.identity(column.name) or ("email" if nodes[place].entities.get(column.name) == "EMAIL_ADDRESS" else "")
    alone = _unique(own, column.name)
    for to, node in nodes.items():
        if node.relation.view:
            continue
        for target in judge.lent.get(to, ()) if lent else judge.keys(to):
            if (to == place and target.name == column.name) or not _fits(column, target):
                continue
            fit, why, identity = _fit(place, mine, kind, to, target, node, stems, judge)
            if to[0] != place[0] and not identity:
                fit *= 0.9
            if lent and place in judge.people and to not in judge.people:
                continue
            if alone and fit and not lent and not _points(nodes, place, column.name, to, mine, judge):
                continue
            if fit:
                yield Candidate(column.name, to, target.name, fit, why, identity)


def _fit(
    place: Place, mine: names.Label, kind: str, to: Place, target: Column, node: Node, stems: frozenset[str], judge: Judge
) -> tuple[float, str, str]:
    """How well a column's name fits a key of a table; why; and the kind of identity where that is what joins them."""
    table = names.table_words(to[1])
    theirs = names.label(target.name, stems)
    generic = not theirs.core or names.refers(theirs.core, table)[0] >= 0.85
    shown = f"{to[1]}.{target.name}"
    best: tuple[float, str, str] = (0.0, "", "")
    meant, role = names.refers(mine.core, table) if mine.core else (0.0, ())
    if meant and generic and (meant > 0.5 or to[0] == place[0]):
        key = 1.0 if mine.key == theirs.key or (not mine.key and not theirs.key) else 0.9 if mine.key else 0.85
        if mine.key or meant > 0.5 or not role:
            part = f" (as {' '.join(role)})" if role else ""
            best = (meant * key, f"its name means a key of {to[1]}{part}", "")
    primary = (target.name,) == node.relation.key
    if theirs.core and mine.tail == theirs.tail and not kind:
        best = max(best, (0.95 if generic else 0.9 if primary and mine.key else 0.8, f"it is called like the key {shown}", ""))
    if theirs.core and not generic and len(mine.core) > len(theirs.core):
        tail, front = mine.core[-len(theirs.core) :], mine.core[: -len(theirs.core)]
        if tail == theirs.core and names.refers(front, table)[0] >= 0.85:
            best = max(best, (0.95, f"its name means {shown}", ""))
    above = names.words().hierarchy & set(mine.core)
    if place == to and primary and above and all(word in above or word in table for word in mine.core):
        best = max(best, (0.9, "its name means another row of the same table", ""))
    if best[0] < 0.8 and place == to and primary and to in judge.people and any(word in names.words().above for word in mine.core):
        best = max(best, (0.8, "its name says who stands above whom in the same table", ""))
    if best[0] < 0.6 and to[0] == place[0] and to in judge.staff and primary and names.handles(mine.name):
        best = max(best, (0.6, f"its name says who handled the row, and {to[1]} holds those who work here", ""))
    their_kind = names.identity(target.name) or ("email" if node.entities.get(target.name) == "EMAIL_ADDRESS" else "")
    if kind and kind == their_kind and place != to:
        best = max(best, (0.75, f"both hold {_KINDS[kind]}", kind))
    return best


_KINDS = {
    "email": "an e-mail address", "login": "a login", "cookie": "a cookie", "session": "a session", "device": "a device",
    "cpr": "a CPR number",
}  # fmt: skip


def _points(nodes: Mapping[Place, Node], place: Place, column: str, to: Place, mine: names.Label, judge: Judge) -> bool:
    """Of two columns that are unique both, only one points at the other: towards the table that is named, or is more about people."""
    there = names.table_words(to[1])
    here = names.table_words(place[1])
    if mine.core and names.refers(mine.core, there)[0] > names.refers(mine.core, here)[0]:
        return True
    if mine.core and names.refers(mine.core, here)[0] > names.refers(mine.core, there)[0]:
        return False
    if not mine.core and not names.identity(column):
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
