"""The plan for one database: which rows can go, which must stay for others and say no longer who she is, and the statements for both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from scanner.errors import SourceError
from scanner.model import Reference, Relation
from scanner.requests import statements
from scanner.requests.plan import Action, Script
from scanner.requests.statements_schema import Demands
from scanner.requests.sweep_item import Item, Reason, listed
from scanner.requests.sweep_judge import DELETION
from scanner.requests.sweep_neutral import neutral
from scanner.requests.sweep_order import Links, order, valued
from scanner.requests.sweep_rows import Rows, personal_key
from scanner.sources.clocks import Selects
from scanner.subject.graph import EdgeKind, Graph

T = TypeVar("T")
K = TypeVar("K")
_STAYS = (Action.KEEP, Action.RESTRICT, Action.ANONYMISE)
_COMPOSITE = 50
"""Rows of one statement whose key has several columns, or that have none."""


class Tables:
    """One database. Give it the items whose `action` says what their own policies say; `plan` settles what hangs together."""

    def __init__(self, source: Selects, graph: Graph, rows: Rows, needs: Mapping[str, Demands], items: Sequence[Item]) -> None:
        self._source, self._needs, self.items = source, needs, items
        self._nodes = {place[1]: node for place, node in graph.nodes.items() if place[0] == source.name}
        self._references = {object: node.relation.references for object, node in self._nodes.items()}
        self._edges = [edge for edge in graph.edges if edge.source == edge.to_source == source.name]
        self._rows = rows
        self._statements: list[tuple[str, int]] = []
        self.remarks: dict[Reason, None] = {}

    def read(self) -> None:
        """Read the rows again, and see whether a statement can name each. What is no longer there, or is no row, is said."""
        of: dict[str, dict[str, Item]] = {}
        for item in self.items:
            node = self._nodes.get(item.object)
            if node is not None and node.relation.view:
                item.decide(Action.REVIEW, Reason("view"))
            elif node is not None:
                of.setdefault(item.object, {})[item.record] = item
        for object, items in of.items():
            self._rows.read(object, items)
            self._count(self._nodes[object].relation, [item for item in items.values() if item.row is not None])

    def _count(self, relation: Relation, items: Sequence[Item]) -> None:
        """How many rows the condition of each item meets, asked of the database."""
        for some in _pieces(items, statements.MANY):
            wheres = dict.fromkeys(item.row.where for item in some if item.row)
            whole = self._met(relation.object, self._either(relation, some)) if len(wheres) > 1 else -1
            keyed = all(item.row and item.row.key for item in some)
            if keyed and whole == len(some):
                for item in some:
                    item.rows = 1
                continue
            for item in some:
                if item.row is not None:
                    item.rows = self._met(relation.object, item.row.where)
                    if not (item.rows == 1 if item.row.key else item.rows >= 1):
                        item.row, item.reasons = None, [Reason("unclear", {"why": f"its condition meets {max(0, item.rows)} rows"})]
                    elif not item.row.key:
                        self.remarks[_remark("keyless", object=relation.object)] = None

    def _met(self, object: str, where: str) -> int:
        query = f"select count(*) as n from {statements.table(self._source.dialect, object)} where {where}"
        try:
            return sum(int(cell or 0) for batch in self._source.select(query) for cell in batch.column(0).to_pylist())
        except SourceError:
            return -1

    def _either(self, relation: Relation, items: Sequence[Item]) -> str:
        """One condition for several rows."""
        rows = [item.row for item in items if item.row is not None]
        if all(row.key for row in rows):
            return statements.among(self._source.dialect, relation, relation.key, [row.key for row in rows])
        wheres = list(dict.fromkeys(row.where for row in rows))
        return wheres[0] if len(wheres) == 1 else " OR ".join(f"({where})" for where in wheres)

    # -- what hangs together -----------------------------------------------------------------------------------

    def plan(self) -> Script | None:
        """Settle what becomes of each row and write the statements; None when there is nothing to run."""
        for item in self.items:
            if item.goes and item.row is None and item.object in self._nodes and not self._nodes[item.object].relation.view:
                item.decide(Action.REVIEW, *([one for one in item.reasons if one.name in ("unread", "unclear")] or [Reason("gone")]))
        self._links = Links(self._references, self._edges, self.items)
        self._dependents()
        going = [item for item in self.items if item.action is Action.DELETE and item.row is not None]
        one_by_one = self._source.dialect == "mysql"
        made = order(going, self._references, self._edges, self._links, self._may_be_empty(), row_by_row=one_by_one)
        if made.stuck:
            for item in made.stuck:
                item.decide(Action.REVIEW, Reason("circle"))
            return self.plan()
        self._anonymise()
        self._first(going)
        for (object, columns), detached in _together((item.object, reference.columns, item) for item, reference in made.detached):
            self.remarks[_remark("detach", object=object, columns=", ".join(columns))] = None
            relation = self._nodes[object].relation
            self._put(relation, detached, partial(statements.detach, self._source.dialect, object, columns))
        for object, items in made.groups:
            relation = self._nodes[object].relation
            self._put(relation, items, partial(statements.delete, self._source.dialect, object))
            for item in items:
                if item.row is not None:
                    item.statement = statements.delete(self._source.dialect, object, item.row.where)
            self._remark_children(object)
        if not self._statements:
            return None
        done, rows = zip(*self._statements, strict=True)
        return Script(self._source.name, self._source.dialect, done, rows)

    def _dependents(self) -> None:
        """Let rows of others go that the database itself deletes with a row of hers (the guests of her booking), when that one goes."""
        added = {
            id(item): (item, list(item.reasons), item.law)
            for item in self.items
            if item.action is Action.REVIEW and item.reasons and item.reasons[0].name in ("mentioned", "mentioned_whole") and item.row
        }
        for item, _, _ in added.values():
            if above := [other.object for reference, other in self._links.up(item) if reference.on_delete == "cascade" and other.goes]:
                item.decide(Action.DELETE, Reason("dependent", {"place": above[0]}), law=DELETION)
        self._counted = dict(self._pointing())
        while True:
            while self._settle():
                pass
            lost = [
                item
                for item, _, _ in added.values()
                if item.action is Action.DELETE
                and not any(ref.on_delete == "cascade" and up.action is Action.DELETE for ref, up in self._links.up(item))
            ]
            if not lost:
                return
            for item in lost:
                item.decide(Action.REVIEW, *added[id(item)][1], law=added[id(item)][2])

    def _pointing(self) -> Iterator[tuple[tuple[str, Reference], dict[tuple[str | None, ...], int]]]:
        """How many rows, planned or not, point at the rows that would go, by declared keys: asked of the database."""
        dialect = self._source.dialect
        for child, references in self._references.items():
            relation = self._nodes[child].relation
            for reference in references:
                going = [item for item in self.items if item.object == reference.object and item.action is Action.DELETE and item.row]
                wanted = list(dict.fromkeys(valued(item, reference.to) for item in going))
                counts: dict[tuple[str | None, ...], int] = {}
                names = ", ".join(statements.quoted(dialect, column) for column in reference.columns)
                shown = ", ".join(f"{statements.quoted(dialect, column)} as k{at}" for at, column in enumerate(reference.columns))
                for some in _pieces([one for one in wanted if None not in one], _COMPOSITE):
                    where = statements.among(dialect, relation, reference.columns, some)
                    query = f"select {shown}, count(*) as n from {statements.table(dialect, child)} where {where} group by {names}"
                    for batch in self._source.select(query):
                        for *values, count in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                            counts[tuple(values)] = int(count)
                yield (child, reference), counts

    def _settle(self) -> bool:
        """Let rows stay that others point at which do not go. Returns whether anything changed."""
        changed = False
        for item in self.items:
            if item.action is not Action.DELETE or item.row is None:
                continue
            kept, others = self._left(item)
            if not kept and not others:
                continue
            node = self._nodes[item.object]
            places = listed([*kept, *others])
            changed = True
            if personal_key(node, node.relation.key):
                item.decide(Action.REVIEW, Reason("personal_key", {"places": places}))
            else:
                item.decide(Action.ANONYMISE, Reason("referenced" if kept else "pointed", {"places": places}), law=item.law)
        return changed

    def _left(self, item: Item) -> tuple[list[str], list[str]]:
        """The tables with rows that point at one and are kept, and those with others that do not go."""
        kept: list[str] = []
        others: list[str] = []
        for (child, reference), counts in self._counted.items():
            if reference.object != item.object:
                continue
            values = valued(item, reference.to)
            if not counts.get(values):
                continue
            planned = self._links.at(child, reference.columns, values)
            if counts[values] > sum(one.action is Action.DELETE for one in planned):
                (kept if any(one.action in _STAYS for one in planned) else others).append(child)
        for edge in self._edges:
            if edge.to == item.object and not edge.declared and edge.kind is not EdgeKind.PART:
                values = valued(item, edge.to_columns)
                if None not in values and any(
                    one.action in _STAYS and one is not item for one in self._links.at(edge.object, edge.columns, values)
                ):
                    kept.append(edge.object)
        return kept, others

    def _may_be_empty(self) -> dict[str, frozenset[str]]:
        return {
            object: frozenset(c.name for c in node.relation.columns if c.nullable and c.name not in node.relation.key)
            for object, node in self._nodes.items()
        }

    # -- statements --------------------------------------------------------------------------------------------

    def _anonymise(self) -> None:
        """Take her out of the rows that stay for others."""
        ready: list[Item] = []
        for item in self.items:
            if item.action is not Action.ANONYMISE or item.row is None:
                continue
            told = neutral(
                self._source, self._nodes[item.object].relation, self._needs.get(item.object, Demands()), item, self._fixed(item)
            )
            if isinstance(told, Reason):
                places = item.reasons[0].gaps.get("places", "")
                item.decide(Action.REVIEW, Reason(told.name, {**told.gaps, "places": places}))
            elif not told:
                item.decide(Action.KEEP, Reason("emptied"))
            else:
                item.sets = told
                item.statement = statements.update(self._source.dialect, item.object, told, item.row.where)
                ready.append(item)
        self._updates(ready)
        for object in sorted({item.object for item in ready}):
            if triggers := self._needs.get(object, Demands()).on_update:
                self.remarks[_remark("update_trigger", object=object, names=listed(triggers))] = None

    def _first(self, going: Sequence[Item]) -> None:
        """Empty her columns before a row goes whose trigger would write them down elsewhere; unless changing it runs a trigger as well."""
        ready: list[Item] = []
        for object in dict.fromkeys(item.object for item in going):
            needs = self._needs.get(object, Demands())
            if not needs.on_delete:
                continue
            own = [item for item in going if item.object == object]
            told: list[dict[str, str] | Reason] = []
            if not needs.on_update:
                relation = self._nodes[object].relation
                told = [neutral(self._source, relation, needs, item, self._fixed(item)) for item in own]
            sure = bool(told) and all(isinstance(one, dict) for one in told)
            name = "trigger_first" if sure else "trigger"
            self.remarks[_remark(name, object=object, names=listed(needs.on_delete))] = None
            for item, values in zip(own, told, strict=False):
                if sure and isinstance(values, dict) and values:
                    item.sets = values
                    ready.append(item)
        self._updates(ready)

    def _updates(self, items: Sequence[Item]) -> None:
        for (object, sets), some in _together((item.object, tuple(item.sets.items()), item) for item in items):
            relation = self._nodes[object].relation
            self._put(relation, some, partial(statements.update, self._source.dialect, object, dict(sets)))

    def _fixed(self, item: Item) -> frozenset[str]:
        """The columns of a row that stay as they are: its key, what it points by, and what others point at."""
        node = self._nodes[item.object]
        nullable = {column.name for column in node.relation.columns if column.nullable}
        held = set(node.relation.key)
        for reference in node.relation.references:
            held.update(name for name in reference.columns if name not in nullable or not personal_key(node, [name]))
        for references in self._references.values():
            held.update(name for one in references if one.object == item.object for name in one.to if not personal_key(node, [name]))
        for edge in self._edges:
            ends = (*(edge.columns if edge.object == item.object else ()), *(edge.to_columns if edge.to == item.object else ()))
            held.update(name for name in ends if not personal_key(node, [name]))
        return frozenset(held)

    def _put(self, relation: Relation, items: Sequence[Item], write: Callable[[str], str]) -> None:
        """One statement for many rows, and how many it touches."""
        most = statements.MANY if len(relation.key) == 1 else _COMPOSITE
        for some in _pieces(items, most):
            known = {item.row.where: item.rows for item in some if item.row is not None}
            self._statements.append((write(self._either(relation, some)), sum(known.values())))
        if self._needs.get(relation.object, Demands()).plain:
            self.remarks[_remark("plain", object=relation.object)] = None

    def _remark_children(self, object: str) -> None:
        for (child, reference), counts in self._counted.items():
            if reference.object == object and counts and reference.on_delete in ("cascade", "set null"):
                name = "cascade" if reference.on_delete == "cascade" else "set_null"
                self.remarks[_remark(name, object=object, child=child)] = None


class _Gaps(dict[str, str]):
    """The gaps of a remark, which can be told apart by what they hold."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self.items())))


def _remark(name: str, **gaps: str) -> Reason:
    return Reason(name, _Gaps(gaps))


def _together(triples: Iterable[tuple[str, tuple[K, ...], Item]]) -> Iterator[tuple[tuple[str, tuple[K, ...]], list[Item]]]:
    """Items of one table for which the same is to be written, in the order in which they first came."""
    found: dict[tuple[str, tuple[K, ...]], list[Item]] = {}
    for object, what, item in triples:
        found.setdefault((object, what), []).append(item)
    yield from found.items()


def _pieces(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[at : at + size] for at in range(0, len(items), size))
