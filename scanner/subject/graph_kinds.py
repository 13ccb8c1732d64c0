"""Tells whose a row is: which tables are about people, and whether an edge leads to an owner, a handler or a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scanner.model import Column, Condition, Relation
from scanner.subject import graph_names as names
from scanner.subject.graph import Edge, EdgeKind, Node
from scanner.subject.graph_targets import kind_of
from scanner.subject.graph_values import Asking, Sample

Place = tuple[str, str]

UNLIKE = 0.95
"""A column of which so many values come once only names one row each."""
FEW, FEWEST = 3, 20
"""So many filled rows at least say that: of a whole table, and of a part of one."""
CROWD = 5.0
"""A person with so many times more rows than another table's people is taken to handle them."""
ONE_EACH = 0.85
"""So many rows of a table point at a row of their own where the rows pointed at are parts of them."""
AGREE = 0.8
_NATIONAL = ("_CPR", "_PERSONNUMMER", "_FODSELSNUMMER", "_IDENTITY_CODE", "_KENNITALA", "_TAX_ID", "_BSN", "_PESEL", "_NIR", "_SSN", "_NHS")
_NAMES_ONE = frozenset({"EMAIL_ADDRESS", "USERNAME", "DK_CPR", "PHONE_NUMBER"})
_SAYS = frozenset(
    {"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "ADDRESS", "DATE_OF_BIRTH", "USERNAME", "CREDIT_CARD", "IBAN_CODE", "DK_BANK_ACCOUNT"}
)


class Judge:
    """What is known of the tables while their graph is built."""

    def __init__(self, nodes: dict[Place, Node], asking: Mapping[str, Asking]) -> None:
        self._nodes, self._asking = nodes, asking
        self.people: set[Place] = set()
        self.staff: set[Place] = set()
        self._keys: dict[Place, tuple[Column, ...]] = {}
        self.lent: dict[Place, tuple[Column, ...]] = {}
        self._having: dict[str, set[Place]] = {}

    # -- tables --------------------------------------------------------------------------------------------

    def entities(self, edges: list[Edge]) -> None:
        """Say what columns hold where no scan has said it, by their names; then which tables are about people."""
        pointing = {(edge.source, edge.object, column) for edge in edges for column in edge.columns}
        for place, node in self._nodes.items():
            held = dict(node.entities)
            for column in node.relation.columns:
                if column.name not in held and column.type in ("text", "other", "date", "number") and (*place, column.name) not in pointing:
                    found = names.entity(column.name)
                    if found and (column.type in ("text", "other") or found in ("DATE_OF_BIRTH", "PHONE_NUMBER", "DK_CPR")):
                        held[column.name] = found
            self._nodes[place] = replace(node, entities=held)
        for place in self._nodes:
            if self._about_people(place, edges):
                self.people.add(place)
                if any(names.one_of(word, names.words().staff) for word in names.table_words(place[1])):
                    self.staff.add(place)
        for source in {place[0] for place in self.people}:
            own = {place for place in self.people if place[0] == source}
            if own and not own & self.staff and len(own) > 1:
                self.staff |= {place for place in own if names.one_of(names.table_words(place[1])[-1], frozenset({"user"}))}

    def stands_for(self, place: Place, part: str) -> float:
        """How likely a table is the one that a column means which only says in what part a person stands there.

        Who handled or made a row is looked for among those who work here, where there is such a table; whose it is, among the others.
        """
        own = {one for one in self.people if one[0] == place[0]}
        staff = own & self.staff
        meant = (own - staff or own) if part == "owner" else (staff or own)
        if place not in meant:
            return 0.0
        first = max(meant, key=lambda one: (self._is_for_all(one), self.weight(one), one))
        return 1.0 if place == first else 0.95 if staff and part != "owner" else 0.0

    def _is_for_all(self, place: Place) -> bool:
        return any(
            names.one_of(word, frozenset({"employee", "user", "customer", "member", "person"})) for word in names.table_words(place[1])[-1:]
        )

    def keys(self, place: Place) -> tuple[Column, ...]:
        """The columns of a table that name one row each: declared, or seen to where nothing is declared."""
        if place not in self._keys:
            relation = self._nodes[place].relation
            single = [*([relation.key] if relation.key else []), *relation.unique]
            found = {key[0] for key in single if len(key) == 1}
            if not relation.key and not relation.unique:
                found |= self._seen_unique(place, relation)
            elif place in self.people:
                found |= {
                    name
                    for name in self._identities(place)
                    if (place in self.staff or self._elsewhere(place, name)) and self._unlike(place, name)
                }
            self._keys[place] = tuple(column for column in relation.columns if column.name in found)
        return self._keys[place]

    def lend(self, edges: list[Edge]) -> None:
        """Note, for tables of people and tables that lead to them, columns with a cookie or login that is one person's each time."""
        leading: dict[Place, list[Edge]] = {}
        for edge in edges:
            if _to(edge) in self.people and self._part(edge) != "handler":
                leading.setdefault(_from(edge), []).append(edge)
        for place in self.people | leading.keys():
            known = {column.name for column in self.keys(place)}
            columns = [c for c in self._nodes[place].relation.columns if names.identity(c.name) and c.name not in known]
            lent = [c for c in columns if self._one_person(place, c.name, leading.get(place, []))]
            if lent:
                self.lent[place] = tuple(lent)

    def _one_person(self, place: Place, column: str, leading: list[Edge]) -> bool:
        """Whether a column never holds the same value for two people."""
        if names.identity(column) not in ("cookie", "login", "session", "device"):
            return False
        if place in self.people:
            return self._unlike(place, column)
        sample = self._sample(place)
        for edge in leading:
            if edge.columns != (column,):
                pairs = sample.distinct(column, *edge.columns)
                return len(pairs) >= 2 and len({pair[0] for pair in pairs}) >= UNLIKE * len(pairs)
        return False

    def weight(self, place: Place) -> float:
        """How much a table is about people: a named one with many identifying columns weighs most."""
        listed = names.words()
        named = any(
            names.one_of(word, listed.people - {"account", "login", "newsletter", "profile"}) for word in names.table_words(place[1])[-1:]
        )
        return 3.0 * named + len({entity for entity in self._nodes[place].entities.values() if entity in _SAYS})

    def _seen_unique(self, place: Place, relation: Relation) -> set[str]:
        if relation.view:
            return set()
        found = set()
        for column in relation.columns:
            label = names.label(column.name)
            if (label.key or not label.core or names.identity(column.name)) and self._unlike(place, column.name):
                found.add(column.name)
        return found

    def _identities(self, place: Place) -> list[str]:
        node = self._nodes[place]
        return [c.name for c in node.relation.columns if names.identity(c.name) or node.entities.get(c.name) in ("EMAIL_ADDRESS", "DK_CPR")]

    def _elsewhere(self, place: Place, column: str) -> bool:
        """Whether any other table has a column of the same kind: if not, nothing can point at this one, and no row need be read."""
        if not self._having:
            for where, node in self._nodes.items():
                for one in node.relation.columns:
                    self._having.setdefault(kind_of(node, one.name), set()).add(where)
        return len(self._having.get(kind_of(self._nodes[place], column), {place}) - {place}) > 0

    def _sample(self, place: Place) -> Sample:
        return self._asking[place[0]].sample(self._nodes[place].relation)

    def _unlike(self, place: Place, column: str) -> bool:
        """Whether a column that no index keeps unique is: in all of a small table, or as far as it was looked at."""
        sample = self._sample(place)
        return sample.filled(column) >= (FEW if sample.whole else FEWEST) and sample.unlike(column) >= UNLIKE

    def _about_people(self, place: Place, edges: list[Edge]) -> bool:
        node, listed = self._nodes[place], names.words()
        relation = node.relation
        if relation.view:
            return False
        table = names.table_words(place[1])
        head = table[-1]
        pointing = {column for edge in edges if (edge.source, edge.object) == place for column in edge.columns}
        held = {name: entity for name, entity in node.entities.items() if name not in pointing and not names.part(name)}
        kinds = {"DK_CPR" if entity.endswith(_NATIONAL) else entity for entity in held.values()} & (_SAYS | {"DK_CPR"})
        unique = {key[0] for key in (relation.key, *relation.unique) if len(key) == 1}
        named = names.one_of(head, listed.people)
        firm = names.one_of(head, listed.organisations)
        happens = any(names.one_of(word, listed.happenings) for word in (head, "".join(table)))
        telling = kinds & {"PERSON", "EMAIL_ADDRESS", "USERNAME", "DK_CPR"}
        if named and not happens and telling and (unique or not relation.key):
            return True
        if firm or (happens and not any(held.get(name) in _NAMES_ONE for name in relation.key)):
            return False
        if len(relation.key) == 1 and held.get(relation.key[0]) in _NAMES_ONE - {"PHONE_NUMBER"}:
            return True
        if any(held.get(name) in _NAMES_ONE for name in unique) and len(kinds) >= 2:
            return True
        first_and_last = sum(entity == "PERSON" for entity in held.values()) >= 2
        if first_and_last and unique and not pointing & unique:
            return True
        if len(kinds) < 2 or "PERSON" not in kinds or not telling - {"PERSON"}:
            return False
        return any(self._unlike(place, name) for name, entity in held.items() if entity in ("EMAIL_ADDRESS", "USERNAME", "DK_CPR"))

    # -- edges ---------------------------------------------------------------------------------------------

    def kinds(self, edges: list[Edge]) -> list[Edge]:
        """Decide the kind of every edge: first those that point at people, then, from these down, all others."""
        self._edges = edges
        decided: dict[int, EdgeKind] = {}
        for number, edge in enumerate(edges):
            if _to(edge) in self.people and (kind := self._to_people(edge)):
                decided[number] = kind
        waiting = sorted(self.people)
        owned, parts = set(waiting), set[Place]()
        while True:
            while waiting:
                place = waiting.pop()
                for number, edge in enumerate(edges):
                    if _to(edge) == place and number not in decided:
                        decided[number] = self._down(edge, decided, place in parts)
                    if _to(edge) == place and decided[number] is EdgeKind.OWNER and _from(edge) not in owned:
                        owned.add(_from(edge))
                        waiting.append(_from(edge))
            for number, edge in enumerate(edges):
                if number not in decided and _from(edge) in owned and self._is_part(edge):
                    decided[number] = EdgeKind.PART
                    if _to(edge) not in owned:
                        owned.add(_to(edge))
                        parts.add(_to(edge))
                        waiting.append(_to(edge))
            if not waiting:
                break
        return [replace(edge, kind=decided.get(number, EdgeKind.CATALOGUE)) for number, edge in enumerate(edges)]

    def _part(self, edge: Edge) -> str:
        """What the column says of the person pointed at, its words for the table itself aside: `employee_id` says nothing."""
        said = names.part(" ".join(edge.columns))
        if said == "maker" and names.identity(edge.columns[-1]):
            return ""
        if said not in ("handler", "maker"):
            return said
        label = names.label(edge.columns[-1])
        meant, role = names.refers(label.core, names.table_words(edge.to))
        rest = [*role, *(word for word in names.split(edge.columns[-1]) if word in names.words().between and word not in label.core)]
        return names.part(" ".join(rest)) if meant >= 0.85 else said

    def _to_people(self, edge: Edge) -> EdgeKind | None:
        child, parent = _from(edge), _to(edge)
        part = self._part(edge)
        if part == "handler" or child == parent:
            return EdgeKind.HANDLER if part == "handler" else EdgeKind.RELATED
        if part == "owner":
            return EdgeKind.OWNER
        if child in self.people and not self._one_each(edge):
            if "PERSON" not in self._nodes[child].entities.values():
                return EdgeKind.HANDLER if part == "maker" else EdgeKind.OWNER  # one of her accounts
            return EdgeKind.HANDLER if part == "maker" or (parent in self.staff and child not in self.staff) else EdgeKind.RELATED
        if child in self.people:
            return EdgeKind.OWNER
        others = [one for one in self._edges if _from(one) == child and one.columns != edge.columns and _to(one) in self.people]
        about_others = any(_to(one) not in self.staff and self._part(one) != "handler" for one in others) or self._names_somebody(child)
        if parent in self.staff and about_others:
            return EdgeKind.HANDLER
        if part == "maker":
            return EdgeKind.HANDLER if parent in self.staff or about_others or self._few(edge) else EdgeKind.OWNER
        if parent in self.staff and self._leads_elsewhere(child, edge):
            return EdgeKind.HANDLER
        if others and self._crowded(edge, others):
            return EdgeKind.HANDLER
        if names.one_of(names.table_words(child[1])[-1], names.words().catalogues) and parent in self.staff:
            return EdgeKind.HANDLER
        return EdgeKind.OWNER

    def _leads_elsewhere(self, child: Place, edge: Edge) -> bool:
        """Whether a table leads, over another one, to people who do not work here: a clerk of a payment of an order."""
        seen, waiting = {child}, [one for one in self._edges if _from(one) == child and one is not edge]
        for _ in range(200):
            if not waiting:
                return False
            there = _to(waiting.pop())
            if there in self.people and there not in self.staff:
                return True
            if there in seen or there in self.people or self._is_catalogue(there):
                continue
            seen.add(there)
            waiting += [one for one in self._edges if _from(one) == there and self._part(one) != "handler"]
        return False

    def _names_somebody(self, child: Place) -> bool:
        """Whether rows say themselves whom they are about, in columns that are no handler's."""
        held = self._nodes[child].entities
        return any(entity in ("EMAIL_ADDRESS", "DK_CPR", "PHONE_NUMBER") and not names.part(name) for name, entity in held.items())

    def _down(self, edge: Edge, decided: Mapping[int, EdgeKind], part: bool) -> EdgeKind:
        """An edge to a table whose rows belong to people by other edges, or are a `part` of what does."""
        child, parent = _from(edge), _to(edge)
        if part and (child in self.people or self._one_each(edge, 1)):
            return EdgeKind.PART
        if child == parent or self._is_catalogue(parent):
            return EdgeKind.CATALOGUE
        if not self._agrees(edge, decided):
            return EdgeKind.CATALOGUE
        return EdgeKind.OWNER

    def _is_catalogue(self, place: Place) -> bool:
        return names.one_of(names.table_words(place[1])[-1], names.words().catalogues) and place not in self.people

    def _agrees(self, edge: Edge, decided: Mapping[int, EdgeKind]) -> bool:
        """Whether a row and the one it points at are the same person's, where both say whose: her comment on another's post is not."""
        child, parent = _from(edge), _to(edge)
        owners = [
            (number, one) for number, one in enumerate(self._edges) if decided.get(number) is EdgeKind.OWNER and _to(one) in self.people
        ]
        mine = [one for _, one in owners if _from(one) == child]
        theirs = [one for _, one in owners if _from(one) == parent]
        pairs = [(one, other) for one in mine for other in theirs if (_to(one), one.to_columns) == (_to(other), other.to_columns)]
        if not pairs or parent in self.people:
            return True
        one, other = pairs[0]
        rows = self._sample(child).spread((*edge.columns, *one.columns))
        if len(rows) < 2 or edge.to_source != edge.source:
            return True
        width = len(edge.columns)
        values = tuple(dict.fromkeys(row[:width] for row in rows))
        above: dict[tuple[str | None, ...], tuple[str | None, ...]] = {}
        for group in self._asking[parent[0]].rows(parent[1], [Condition(edge.to_columns, values)], 0):
            if all(column in group for column in (*edge.to_columns, *other.columns)):
                keys = zip(*(group[column] for column in edge.to_columns), strict=True)
                above |= dict(zip(keys, zip(*(group[column] for column in other.columns), strict=True), strict=True))
        compared = [above[row[:width]] == row[width:] for row in rows if row[:width] in above and all(above[row[:width]])]
        return not compared or sum(compared) >= AGREE * len(compared)

    def _one_each(self, edge: Edge, least: int = 5) -> bool:
        """Whether a row that is pointed at is pointed at by about one row."""
        relation = self._nodes[_from(edge)].relation
        if edge.columns in (relation.key, *relation.unique):
            return True
        sample = self._sample(_from(edge))
        filled = sample.filled(edge.columns[0])
        return filled >= least and len(sample.distinct(*edge.columns)) >= ONE_EACH * filled

    def _is_part(self, edge: Edge) -> bool:
        parent, listed = _to(edge), names.words()
        if parent in self.people or self._is_catalogue(parent):
            return False
        personal = any(entity in _SAYS for entity in self._nodes[parent].entities.values())
        named = names.one_of(names.table_words(parent[1])[-1], listed.parts)
        return (personal or named) and self._one_each(edge)

    def _few(self, edge: Edge) -> bool:
        """Whether a few of many people are pointed at by many rows."""
        sample = self._sample(_from(edge))
        filled, different = sample.filled(edge.columns[0]), len(sample.distinct(*edge.columns))
        return filled >= FEWEST and filled >= 4 * CROWD * max(1, different)

    def _crowded(self, edge: Edge, others: list[Edge]) -> bool:
        """Whether the people that an edge points at have many more rows each than those of the other edges."""
        sample = self._sample(_from(edge))

        def each(one: Edge) -> float:
            return sample.filled(one.columns[0]) / max(1, len(sample.distinct(*one.columns)))

        rivals = [one for one in others if _to(one) != _to(edge) and self._part(one) == ""]
        return bool(rivals) and sample.rows >= FEWEST and each(edge) >= CROWD * min(map(each, rivals))


def _from(edge: Edge) -> Place:
    return edge.source, edge.object


def _to(edge: Edge) -> Place:
    return edge.to_source, edge.to
