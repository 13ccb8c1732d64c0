"""Asks databases for the subject's rows: directly by identifier, then along the table graph, down to what belongs to her."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from scanner.model import Compare, Condition, Database, Identifier, Problem, TextBatch
from scanner.subject.fields import Part, meaning, same_number
from scanner.subject.graph import Edge, EdgeKind, Graph, Node
from scanner.subject.identifiers import digits, fold_name, written

SMALL = 1_000_000
"""Up to so many rows a table is also compared without regard to how a value is written, which needs a walk over all of it."""
TOGETHER = 500
"""So many keys are looked up at once."""


class Found(NamedTuple):
    """A row of a table: its address, its columns, and the batches it came in (all rows of the chunk share them)."""

    source: str
    object: str
    record: str
    row: dict[str, str | None]


def direct(node: Node, identifiers: Iterable[Identifier]) -> list[Condition]:
    """The conditions under which a row of a table may be hers, each bound to a column that can hold the identifier."""
    relation = node.relation
    kinds: dict[Part, list[str]] = {}
    for column in relation.columns:
        part = meaning(column.name, node.entities.get(column.name, "")).part
        kinds.setdefault(part, []).append(column.name)
    out: list[Condition] = []
    for one in identifiers:
        forms = _forms(one)
        if one.entity == "CUSTOMER_ID":
            names = [c.name for c in relation.columns if _counts(one.column, node, c.name)]
            out += [Condition((name,), tuple((form,) for form in forms)) for name in names]
        elif one.entity == "PERSON":
            out += _names(one, kinds, forms, relation.rows)
        elif one.entity == "ADDRESS":
            road = _road(one.value)
            if road and relation.rows <= SMALL:
                for name in (*kinds.get(Part.ADDRESS, ()), *kinds.get(Part.STREET, ())):
                    out.append(Condition((name,), ((road,),), Compare.CONTAINS))
        elif one.entity == "DATE_OF_BIRTH":
            continue  # too many people share a birthday; it counts where a row was found by something else
        else:
            for part in _PARTS.get(one.entity, ()):
                for name in kinds.get(part, ()):
                    out += _one(node, name, one, forms)
    return out


@functools.lru_cache(maxsize=512)
def _forms(one: Identifier) -> tuple[str, ...]:
    return written(one)


_PARTS: Mapping[str, tuple[Part, ...]] = {
    "EMAIL_ADDRESS": (Part.EMAIL, Part.LOGIN),
    "PHONE_NUMBER": (Part.PHONE,),
    "DK_CPR": (Part.CPR,),
    "USERNAME": (Part.LOGIN,),
    "COOKIE_ID": (Part.COOKIE,),
    "IBAN_CODE": (Part.IBAN,),
    "DK_BANK_ACCOUNT": (Part.ACCOUNT,),
    "CREDIT_CARD": (Part.CARD,),
    "DK_PASSPORT": (Part.PASSPORT,),
}


def _one(node: Node, column: str, one: Identifier, forms: Sequence[str]) -> Iterator[Condition]:
    """Exactly as it may be written, by an index; in a table that is not large, or has no index there, in any other way too."""
    yield Condition((column,), tuple((form,) for form in forms))
    indexed = any(index[0] == column for index in (*node.relation.indexes, *node.relation.unique, node.relation.key) if index)
    if node.relation.rows > SMALL and indexed:
        return
    number = digits(one)
    if number:
        yield Condition((column,), ((number,),), Compare.DIGITS)
    else:
        yield Condition((column,), ((one.value.strip(),),), Compare.FOLDED)


def _names(one: Identifier, kinds: Mapping[Part, Sequence[str]], forms: Sequence[str], rows: int) -> Iterator[Condition]:
    how = Compare.FOLDED if rows <= SMALL else Compare.EXACT
    for name in kinds.get(Part.NAME, ()):
        yield Condition((name,), tuple((form,) for form in forms), how)
    words = one.value.split()
    if len(words) > 1 and kinds.get(Part.FIRST) and kinds.get(Part.LAST):
        pairs = {(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))} | {(words[0], words[-1])}
        yield Condition((kinds[Part.FIRST][0], kinds[Part.LAST][0]), tuple(sorted(pairs)))


def _road(address: str) -> str:
    """Road and number of an address, as they stand at its beginning."""
    words = address.split(",")[0].split()
    number = next((at for at, word in enumerate(words) if at and word[0].isdigit()), None)
    return " ".join(words[: number + 1]) if number else ""


def _counts(column: str, node: Node, field: str) -> bool:
    """Whether a column counts what the identifier's column counts."""
    own = f"{node.source}:{node.relation.object}.{field}"
    if column == own or own.endswith(f":{column}"):
        return True
    if ":" in column:  # found in a table: its references lead on from there, other tables are met by the graph
        return False
    if "." in column:
        return f"{node.relation.object}.{field}" == column
    return field.casefold() == column.casefold() or same_number(column, field)


def ask(
    source: Database, object: str, conditions: Sequence[Condition], problems: Callable[[Problem], None], limit: int = 0
) -> Iterator[Found]:
    """The rows that meet any of the conditions."""
    if conditions:
        for batches in chunks(source, object, conditions, problems, limit):
            yield from rows(source.name, object, batches)


def chunks(
    source: Database, object: str, conditions: Sequence[Condition], problems: Callable[[Problem], None], limit: int = 0
) -> Iterator[list[TextBatch]]:
    """The same as batches, those of the same rows together: what lies inside their cells names some of them once more."""
    group: list[TextBatch] = []
    held: set[str] = set()
    for item in source.lookup(object, conditions, limit=limit):
        if isinstance(item, Problem):
            problems(item)
        elif isinstance(item, TextBatch):
            if item.object == object and len(item.records) and item.records[0].as_py() not in held:
                if group:
                    yield group
                group, held = [], set(item.records.to_pylist())
            group.append(item)
    if group:
        yield group


def rows(source: str, object: str, batches: Sequence[TextBatch]) -> Iterator[Found]:
    """Batches of the same rows, row by row. What lies inside a cell (a path of JSON) is a field of its row."""
    found: dict[str, dict[str, str | None]] = {}
    for batch in batches:
        for record, text in zip(batch.records.to_pylist(), batch.texts.to_pylist(), strict=True):
            row = found.setdefault(record, {})
            known = row.get(batch.field)
            row[batch.field] = text if known is None else f"{known}\n{text or ''}"
    for record, row in found.items():
        yield Found(source, object, record, row)


class Step(NamedTuple):
    """A row that was reached from another one, along an edge of the graph."""

    found: Found
    parent: tuple[str, str, str]
    edge: Edge


def below(
    graph: Graph, sources: Mapping[str, Database], parents: Sequence[Found], problems: Callable[[Problem], None], *, handlers: bool
) -> Iterator[Step]:
    """The rows one step from rows of one table: what belongs to them, what is a part of them, and what the person handled."""
    if not parents:
        return
    source, object = parents[0].source, parents[0].object
    for edge in graph.children(source, object):
        if _trusted(graph, edge) and _leads(graph, edge, handlers):
            yield from _along(sources, edge, parents, (edge.source, edge.object), edge.columns, edge.to_columns, problems)
    for edge in graph.parts(source, object):
        yield from _along(sources, edge, parents, (edge.to_source, edge.to), edge.to_columns, edge.columns, problems)


def _leads(graph: Graph, edge: Edge, handlers: bool) -> bool:
    """Whether rows along an edge have to do with the person of the row above: not those of a product that many people buy."""
    if edge.kind is EdgeKind.HANDLER:
        return handlers
    if edge.kind is EdgeKind.CATALOGUE:  # what belongs to somebody is no catalogue: the guests of a booking
        return edge.declared and any(True for _ in graph.owners(edge.to_source, edge.to))
    return edge.kind is EdgeKind.OWNER or edge.declared


_WORLDWIDE = frozenset({"EMAIL_ADDRESS", "DK_CPR", "PHONE_NUMBER", "COOKIE_ID", "USERNAME", "IBAN_CODE"})


def _trusted(graph: Graph, edge: Edge) -> bool:
    """Whether an edge leads from one database into another by more than numbers that both count up from 1."""
    if edge.source == edge.to_source:
        return True
    child = graph.nodes[edge.source, edge.object]
    return edge.columns != child.relation.key or child.entities.get(edge.columns[0], "") in _WORLDWIDE


def _along(
    sources: Mapping[str, Database],
    edge: Edge,
    rows: Sequence[Found],
    there: tuple[str, str],
    columns: tuple[str, ...],
    own: tuple[str, ...],
    problems: Callable[[Problem], None],
) -> Iterator[Step]:
    """The rows of the table `there` whose `columns` hold what these rows hold in their `own`."""
    database = sources.get(there[0])
    if database is None:
        return
    by_value: dict[tuple[str, ...], Found] = {}
    for row in rows:
        values = tuple((row.row.get(column) or "").strip() for column in own)
        if all(values):
            by_value.setdefault(values, row)
    keys = list(by_value)
    for at in range(0, len(keys), TOGETHER):
        for found in ask(database, there[1], [Condition(columns, tuple(keys[at : at + TOGETHER]))], problems):
            values = tuple((found.row.get(column) or "").strip() for column in columns)
            row = by_value.get(values) or next(iter(by_value.values()))
            yield Step(found, (row.source, row.object, row.record), edge)


def above(graph: Graph, sources: Mapping[str, Database], found: Found, problems: Callable[[Problem], None]) -> Iterator[tuple[Found, Node]]:
    """The rows that a row belongs to, step by step up to a person's."""
    seen = {(found.source, found.object)}
    queue = [found]
    while queue:
        row = queue.pop()
        for edge in graph.owners(row.source, row.object):
            there = (edge.to_source, edge.to)
            values = tuple((row.row.get(column) or "").strip() for column in edge.columns)
            node, database = graph.nodes.get(there), sources.get(edge.to_source)
            if there in seen or not all(values) or node is None or database is None or not _trusted(graph, edge):
                continue
            seen.add(there)
            for parent in ask(database, edge.to, [Condition(edge.to_columns, (values,))], problems, limit=2):
                yield parent, node
                if not node.people:
                    queue.append(parent)


def alike(one: str, other: str) -> bool:
    """Whether two names may be one person's before and after a change of surname: the first names are the same."""
    left, right = fold_name(one), fold_name(other)
    return bool(left and right) and left[0] == right[0]
