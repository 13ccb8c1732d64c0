"""The keys of all tables, found by what a column's name may mean: thousands of columns are not held against thousands of keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from scanner.model import Column
from scanner.subject import graph_names as names
from scanner.subject.graph import Node

if TYPE_CHECKING:
    from scanner.subject.graph_kinds import Judge

Place = tuple[str, str]

_KINDS = {
    "email": "an e-mail address", "login": "a login", "cookie": "a cookie", "session": "a session", "device": "a device",
    "cpr": "a CPR number", "initials": "somebody's initials",
}  # fmt: skip
_TAKEN = 0.85
"""A column that means a table so surely is a key of it."""


class Target(NamedTuple):
    """A key that a column may point at. `generic`: it is called after its table, or nothing but a key."""

    place: Place
    column: Column
    label: names.Label
    table: tuple[str, ...]
    kind: str
    generic: bool
    primary: bool

    @property
    def stands(self) -> bool:
        """Whether who handled a row may be written down by this: the key of those who work here, or their initials, login or e-mail."""
        return self.primary or self.kind in ("initials", "login", "email")


class Meaning(NamedTuple):
    """What a column's name says, and which kind of identity it holds."""

    place: Place
    name: str
    label: names.Label
    kind: str
    part: str


class Targets:
    """Some keys of each table."""

    def __init__(self, nodes: Mapping[Place, Node], keys: Iterable[tuple[Place, Column]], stems: frozenset[str], judge: Judge) -> None:
        self._stems, self._judge = stems, judge
        self._by: dict[tuple[str, str], list[Target]] = {}
        for place, column in keys:
            node = nodes[place]
            label, table = names.label(column.name, stems), names.table_words(place[1])
            generic = not label.core or names.refers(label.core, table)[0] >= _TAKEN
            target = Target(place, column, label, table, kind_of(node, column.name), generic, (column.name,) == node.relation.key)
            for word in self._words(target):
                self._by.setdefault(word, []).append(target)

    def _words(self, target: Target) -> set[tuple[str, str]]:
        found = {("word", stem) for word in (*target.table, "".join(target.table)) for stem in names.stems(word)}
        found |= {("called", target.label.tail), ("own", "\0".join(target.place))}
        if len(target.table) == 1:
            found.add(("begins", target.table[0][: names.LEAST_PREFIX]))
            found |= {("ends", stem[-names.LEAST_COMPOUND :]) for stem in names.stems(target.table[0])}
        if target.kind:
            found.add(("kind", target.kind))
        if target.stands:
            found |= {(part, target.place[0]) for part in ("handler", "maker", "owner") if self._judge.stands_for(target.place, part)}
        return found

    def meaning(self, place: Place, node: Node, column: str) -> Meaning:
        """Take a column's name apart."""
        return Meaning(place, column, names.label(column, self._stems), kind_of(node, column), names.points_at_person(column))

    def near(self, mine: Meaning) -> Iterator[Target]:
        """The keys that a column may mean at all."""
        core = mine.label.core
        asked = [("word", stem) for word in core for stem in names.stems(word)]
        asked += [("word", "".join(core[at:])) for at in range(len(core))]
        asked += [("ends", word[-names.LEAST_COMPOUND :]) for word in core[-1:] if len(word) > names.LEAST_COMPOUND]
        asked += [("begins", core[0][: names.LEAST_PREFIX])] if len(core) == 1 else []
        asked += [("called", mine.label.tail), ("kind", mine.kind), ("own", "\0".join(mine.place))]
        asked += [(mine.part, mine.place[0])] if mine.part else []
        seen: set[tuple[Place, str]] = set()
        for word in asked:
            for target in self._by.get(word, ()):
                if (target.place, target.column.name) not in seen:
                    seen.add((target.place, target.column.name))
                    yield target

    def fit(self, mine: Meaning, to: Target) -> tuple[float, str, str]:
        """How well a column's name fits a key; why, in words; and the kind of identity where that is what joins them."""
        label, here = mine.label, to.place[0] == mine.place[0]
        shown = f"{to.place[1]}.{to.column.name}"
        best: tuple[float, str, str] = (0.0, "", "")
        meant, role = names.refers(label.core, to.table) if label.core else (0.0, ())
        itself = mine.place == to.place and not role  # `grade` in `grades` is its grade
        if meant and to.generic and not itself and (meant > 0.5 or here) and (label.key or meant > 0.5 or not role):
            key = 1.0 if label.key == to.label.key else 0.9 if label.key else 0.85
            part = f" (as {' '.join(role)})" if role else ""
            best = (meant * key, f"its name means a key of {to.place[1]}{part}", "")
        if to.label.core and label.tail == to.label.tail and not mine.kind:
            fit = 0.95 if to.generic else 0.9 if to.primary and label.key else 0.8
            best = max(best, (fit, f"it is called like the key {shown}", ""))
        if to.label.core and not to.generic and len(label.core) > len(to.label.core):
            tail, front = label.core[-len(to.label.core) :], label.core[: -len(to.label.core)]
            if tail == to.label.core and names.refers(front, to.table)[0] >= _TAKEN:
                best = max(best, (0.95, f"its name means {shown}", ""))
        if mine.place == to.place and to.primary:
            best = max(best, self._itself(label, to))
        if best[0] < 0.6 and here and to.stands and mine.part and (stands := self._judge.stands_for(to.place, mine.part)):
            said = "whose the row is" if mine.part == "owner" else "who handled the row"
            best = (0.6 * stands, f"its name says {said}, and {to.place[1]} holds the people who may be meant", "")
        if mine.kind and mine.kind == to.kind and mine.place != to.place:
            best = max(best, (0.75, f"both hold {_KINDS[mine.kind]}", mine.kind))
        return best if here or best[2] else (0.9 * best[0], *best[1:])

    def _itself(self, label: names.Label, to: Target) -> tuple[float, str, str]:
        """A column that points at another row of its own table."""
        above = names.words().hierarchy & set(label.core)
        if above and all(word in above or any(names.alike(word, own) for own in to.table) for word in label.core):
            return 0.9, "its name means another row of the same table", ""
        if to.place in self._judge.people and names.words().above & set(label.core):
            return 0.8, "its name says who stands above whom in the same table", ""
        return 0.0, "", ""


def kind_of(node: Node, column: str) -> str:
    """The kind of identity that a column holds: e-mail, login, cookie …, or nothing."""
    return names.identity(column) or ("email" if node.entities.get(column) == "EMAIL_ADDRESS" else "")
