"""Reads the rows of a plan again, and says of each what in it is hers, what it points at, and whether it is marked as deleted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from scanner.errors import SourceError
from scanner.model import Identifier, Problem, Relation, Role
from scanner.requests import statements
from scanner.requests.row_print import read_rows, row_print
from scanner.requests.sweep_item import Item, Reason, Row
from scanner.sources.clocks import Selects
from scanner.subject.fields import Part, meaning, split
from scanner.subject.graph import Graph, Node
from scanner.subject.identifiers import Strength, strength

_ENTITIES = {
    Part.FIRST: "PERSON", Part.MIDDLE: "PERSON", Part.LAST: "PERSON", Part.STREET: "ADDRESS", Part.HOUSE: "ADDRESS",
    Part.FLOOR: "ADDRESS", Part.POSTCODE: "ADDRESS", Part.TOWN: "ADDRESS",
}  # fmt: skip
_SOFT = re.compile(
    r"(?:^|_)(?:deleted|removed|erased|slettet|fjernet|gone)(?:$|_(?:at|on|date|time|dato|den|tid|flag|by|af)$)|^(?:slettedato|sletdato|is_?deleted|isdeleted)$"
)
_NOT = frozenset({"", "0", "0.0", "false", "f", "n", "no", "nej", "none", "null", "0000-00-00", "0000-00-00 00:00:00"})
_PROSE = re.compile(r"\S+\s+\S+\s+\S+")
_CODED = frozenset({"date", "time", "bool"})
_SAYS_WHO = frozenset({"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "ADDRESS", "DK_CPR", "DATE_OF_BIRTH", "DK_PASSPORT", "IBAN_CODE"})
"""What tells by itself who somebody is, so that a key of it cannot stay."""


class Rows:
    """The rows of one database. `missed` fills with problems of reading, by object."""

    def __init__(self, source: Selects, graph: Graph, identifiers: Sequence[Identifier], key: bytes) -> None:
        self._source, self._graph, self._key = source, graph, key
        self._values = _searched(identifiers)
        self.missed: list[Problem] = []
        nodes = {place[1]: node for place, node in graph.nodes.items() if place[0] == source.name}
        self._needed: dict[str, set[str]] = {object: set(node.relation.key) for object, node in nodes.items()}
        for object, node in nodes.items():
            for reference in node.relation.references:
                self._needed[object].update(reference.columns)
                self._needed.setdefault(reference.object, set()).update(reference.to)
        for edge in graph.edges:
            if edge.source == edge.to_source == source.name:
                self._needed[edge.object].update(edge.columns)
                self._needed[edge.to].update(edge.to_columns)

    def read(self, object: str, items: Mapping[str, Item]) -> None:
        """Read the rows of some items of one table; `row` of each is set, or a reason is given why it cannot be."""
        node = self._graph.nodes.get((self._source.name, object))
        if node is None:
            return
        try:
            for record, row in read_rows(self._source, node.relation, list(items), self.missed.append):
                items[record].row = self._row(node, record, row)
        except SourceError as error:
            for item in items.values():
                if item.row is None:
                    item.reasons = [Reason("unread", {"why": str(error)})]

    def _row(self, node: Node, record: str, row: Mapping[str, str | None]) -> Row:
        relation, dialect = node.relation, self._source.dialect
        key = tuple(relation.key)
        values = tuple(row.get(column) for column in key)
        if key and all(value is not None for value in values):
            named = tuple(value or "" for value in values)
            where = statements.among(dialect, relation, key, [named])
        else:
            named, where = (), _whole(dialect, relation, record, row)
        needed = self._needed[relation.object]
        soft = next((name for name, value in row.items() if _is_soft(name) and (value or "").strip().casefold() not in _NOT), "")
        printed = row_print(self._key, self._source.name, relation.object, record, row)
        return Row(where, named, {name: row.get(name) for name in needed}, tuple(self._hers(node, row)), soft, printed)

    def _hers(self, node: Node, row: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
        """The filled columns that tell of her, with the kind of data."""
        types = {column.name: column.type for column in node.relation.columns}
        found: dict[str, str] = {}
        for name, value in row.items():
            column = name if name in types else _outer(name, types)
            if value and value.strip() and column and not found.get(column):
                found[column] = self._entity(name, types[column], value, node.entities.get(name, "")) or found.get(column, "")
        return ((column, entity) for column, entity in found.items() if entity)

    def _entity(self, name: str, type: str, value: str, known: str) -> str:
        means = meaning(name, known)
        if means.role is Role.HANDLER:
            return ""
        if means.part is not Part.NONE and (type not in _CODED or means.part is Part.BORN):
            return _ENTITIES.get(means.part, means.part.value)
        if known:
            return known
        if type in _CODED:
            return ""
        if said := self._said(value):
            return said
        return "TEXT" if type in ("text", "json") and _PROSE.search(value) and not _SOFT.search(split(name)) else ""

    def _said(self, value: str) -> str:
        folded = value.casefold()
        return next((entity for text, entity in self._values if text in folded), "")


def _outer(name: str, columns: Iterable[str]) -> str:
    """The column in which a path lies."""
    return next((column for column in columns if name.startswith((f"{column}.", f"{column}[", f"{column}/", f"{column}!"))), "")


def _searched(identifiers: Sequence[Identifier]) -> list[tuple[str, str]]:
    """Values of hers that tell by standing in a column whose it is."""
    found = {
        one.value.strip().casefold(): one.entity for one in identifiers if strength(one) is not Strength.WEAK or one.entity == "PERSON"
    }
    return [(text, entity) for text, entity in found.items() if len(text) > 5 or (len(text) > 3 and not text.isdigit())]


def _whole(dialect: str, relation: Relation, record: str, row: Mapping[str, str | None]) -> str:
    """The condition for a row without a key: everything that stands in it, and its address where that stays what it is."""
    told = statements.same(dialect, relation, {name: value for name, value in row.items() if name in {c.name for c in relation.columns}})
    for name in statements.ADDRESSES.get(dialect, ()):
        place = record.removeprefix(f"{name}=")
        if place != record and place.isdigit():
            return f"{name} = {place} AND {told}"
    return told


def personal_key(node: Node, columns: Iterable[str]) -> bool:
    """Whether what names a row says by itself who she is."""
    parts = (meaning(name, node.entities.get(name, "")).part for name in columns)
    return any(_ENTITIES.get(part, part.value) in _SAYS_WHO for part in parts)


@lru_cache(maxsize=4096)
def _is_soft(name: str) -> bool:
    return _SOFT.search(split(name)) is not None
