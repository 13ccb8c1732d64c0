"""In which order rows go: those that point before those that are pointed at, as the database declares it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scanner.model import Reference
from scanner.requests.sweep_item import Item
from scanner.subject.graph import Edge, EdgeKind


@dataclass(slots=True)
class Order:
    """The rows to delete, in groups that can each go at once. `detached` are columns to empty before, by item; `stuck` cannot go at all."""

    groups: list[tuple[str, list[Item]]] = field(default_factory=list)
    detached: list[tuple[Item, Reference]] = field(default_factory=list)
    stuck: list[Item] = field(default_factory=list)


class Links:
    """Which rows of a plan point at which, inside one database."""

    def __init__(self, references: Mapping[str, Sequence[Reference]], edges: Sequence[Edge], items: Sequence[Item]) -> None:
        self._references, self._edges = references, edges
        self._of: dict[str, list[Item]] = {}
        for item in items:
            self._of.setdefault(item.object, []).append(item)
        self._index: dict[tuple[str, tuple[str, ...]], dict[tuple[str | None, ...], list[Item]]] = {}

    def at(self, object: str, columns: tuple[str, ...], values: tuple[str | None, ...]) -> Sequence[Item]:
        """The items of a table that have these values in these columns."""
        index = self._index.get((object, columns))
        if index is None:
            index = self._index[object, columns] = {}
            for item in self._of.get(object, ()):
                if item.row is not None:
                    index.setdefault(valued(item, columns), []).append(item)
        return index.get(values, ())

    def up(self, item: Item) -> Iterator[tuple[Reference, Item]]:
        """The items that one points at, by declared keys."""
        for reference in self._references.get(item.object, ()):
            values = valued(item, reference.columns)
            if item.row is not None and all(value is not None for value in values):
                yield from ((reference, other) for other in self.at(reference.object, reference.to, values))

    def found(self, item: Item) -> Iterator[tuple[Edge, Item]]:
        """The items that one points at, by keys that no one has declared."""
        for edge in self._edges:
            if edge.object == item.object and not edge.declared and edge.kind is not EdgeKind.PART:
                values = valued(item, edge.columns)
                if item.row is not None and all(value is not None for value in values):
                    yield from ((edge, other) for other in self.at(edge.to, edge.to_columns, values) if other is not item)


def valued(item: Item, columns: Sequence[str]) -> tuple[str | None, ...]:
    """What a row holds in some columns."""
    values = item.row.values if item.row is not None else {}
    return tuple(values.get(column) for column in columns)


def order(
    items: Sequence[Item], references: Mapping[str, Sequence[Reference]], edges: Sequence[Edge], links: Links,
    may_be_empty: Mapping[str, Collection[str]], *, row_by_row: bool = False,
) -> Order:  # fmt: skip
    """Put rows in order. `may_be_empty` are the columns of each table that can be null: where rows point at each other in a circle,
    one is emptied first; where none can be, the circle is `stuck`.

    A server that looks at keys `row_by_row` (MariaDB, MySQL) does not even take a row that points at itself.
    """
    made = Order()
    of: dict[str, list[Item]] = {}
    for item in items:
        of.setdefault(item.object, []).append(item)
    for tables in _tables(sorted(of), references, edges):
        inside = [one for name in tables for one in of[name]]
        if len(tables) == 1 and all(one.object not in tables for one in references.get(tables[0], ())):
            made.groups.append((tables[0], inside))
        else:
            _rows(inside, links, may_be_empty, made, row_by_row)
    return made


def _tables(names: Sequence[str], references: Mapping[str, Sequence[Reference]], edges: Sequence[Edge]) -> Iterator[list[str]]:
    """Tables, those that point first; those that point at each other together. Undeclared keys count where they make no circle."""
    known = set(names)
    above: dict[str, set[str]] = {name: {one.object for one in references.get(name, ()) if one.object in known} - {name} for name in names}
    for edge in sorted((one for one in edges if not one.declared), key=lambda one: -one.score):
        if edge.object in known and edge.to in known and edge.object != edge.to and not _reaches(above, edge.to, edge.object):
            above[edge.object].add(edge.to)
    left = dict.fromkeys(names)
    while left:
        pointed = {other for name in left for other in above[name]}
        free = [name for name in left if name not in pointed]
        if not free:
            first = min(_circles(above, left))
            yield first
            for name in first:
                del left[name]
            continue
        for name in free:
            yield [name]
            del left[name]


def _reaches(above: Mapping[str, set[str]], start: str, goal: str) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        for other in above[waiting.pop()]:
            if other == goal:
                return True
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return start == goal


def _circles(above: Mapping[str, set[str]], left: Collection[str]) -> Iterator[list[str]]:
    """The circles of tables at which no table outside of them points."""
    part = {name: {other for other in above[name] if other in left} for name in left}
    for name in left:
        circle = [other for other in left if other == name or (_reaches(part, name, other) and _reaches(part, other, name))]
        if not any(part[other] & set(circle) for other in left if other not in circle):
            yield sorted(circle)


def _rows(items: Sequence[Item], links: Links, may_be_empty: Mapping[str, Collection[str]], made: Order, row_by_row: bool) -> None:
    """Order rows of tables that point at each other, or at themselves, one by one."""
    above: dict[int, list[tuple[Reference, Item]]] = {}
    below: dict[int, int] = {id(one): 0 for one in items}
    for item in items:
        ups = [(reference, other) for reference, other in links.up(item) if id(other) in below and (row_by_row or other is not item)]
        above[id(item)] = ups
        for _, other in ups:
            below[id(other)] += 1
    left = {id(one): one for one in items}
    while left:
        free = [one for number, one in left.items() if not below[number]]
        if not free:
            if not _open(left, above, below, may_be_empty, made):
                made.stuck += left.values()
                return
            continue
        for item in free:
            del left[id(item)]
            for _, other in above[id(item)]:
                below[id(other)] -= 1
        for name in sorted({one.object for one in free}):
            made.groups.append((name, [one for one in free if one.object == name]))


def _open(
    left: Mapping[int, Item], above: dict[int, list[tuple[Reference, Item]]], below: dict[int, int],
    may_be_empty: Mapping[str, Collection[str]], made: Order,
) -> bool:  # fmt: skip
    """Empty the columns of one row that can be, so that a circle opens."""
    for number, item in left.items():
        for reference, other in above[number]:
            empty = may_be_empty.get(item.object, ())
            columns = tuple(column for column in reference.columns if column in empty)
            if columns and id(other) in left:
                same = [one for one in above[number] if one[0] == reference]
                above[number] = [one for one in above[number] if one[0] != reference]
                for _, pointed in same:
                    below[id(pointed)] -= 1
                made.detached.append((item, reference._replace(columns=columns)))
                return True
    return False
