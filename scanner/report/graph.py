"""The graph of tables as a report: which tables are about people, what belongs to them, and how that is known."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from scanner.errors import ReportError
from scanner.report import Asked, answers, page

OWNER, HANDLER, CATALOGUE, RELATED, PART = "owner", "handler", "catalogue", "related", "part"
DEEPEST = 8
"""So many steps a list of what belongs to a person goes down."""


@dataclass(frozen=True, slots=True)
class Line:
    """An edge between two tables, each by its number."""

    child: int
    columns: tuple[str, ...]
    parent: int
    to: tuple[str, ...]
    declared: bool
    score: float
    why: str
    on_delete: str
    kind: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its columns, each as the book has it."""

    number: int
    source: str
    object: str
    rows: int
    view: bool
    people: bool
    described: Mapping[str, Any]
    columns: tuple[Mapping[str, Any], ...]
    findings: int = 0
    weighty: bool = False

    @property
    def entities(self) -> list[str]:
        """What its columns hold throughout, each once, in their order."""
        return list(dict.fromkeys(column["entity"] for column in self.columns if column["entity"]))


@dataclass(frozen=True, slots=True)
class Tables:
    """All that the book knows of tables."""

    tables: Mapping[int, Table]
    lines: tuple[Line, ...]
    problems: tuple[Mapping[str, Any], ...]
    run: Mapping[str, Any] | None
    above: Mapping[int, list[Line]] = field(default_factory=dict)
    below: Mapping[int, list[Line]] = field(default_factory=dict)

    def sources(self) -> dict[str, list[Table]]:
        """The tables of each source."""
        found: dict[str, list[Table]] = {}
        for table in self.tables.values():
            found.setdefault(table.source, []).append(table)
        return found

    def reached(self) -> set[int]:
        """The tables of which a row is found from a person: hers, what belongs to her, and parts of it."""
        seen = {number for number, table in self.tables.items() if table.people}
        waiting = list(seen)
        while waiting:
            here = waiting.pop()
            nearby = [line.child for line in self.below.get(here, []) if line.kind == OWNER]
            nearby += [line.parent for line in self.above.get(here, []) if line.kind == PART]
            for number in nearby:
                if number not in seen:
                    seen.add(number)
                    waiting.append(number)
        return seen


def tables(book: sqlite3.Connection) -> Tables:
    """Read it. Raises `ReportError` for a book that was written before tables were described."""
    try:
        found = answers(book, "graph")
    except sqlite3.OperationalError:
        raise ReportError(
            "the inventory says nothing of tables yet: it was made by an earlier version; run `persondata scan` again"
        ) from None
    columns: dict[int, list[Mapping[str, Any]]] = {}
    for row in found["columns"]:
        columns.setdefault(row["relation"], []).append(row)
    held = {(row["source"], row["object"]): row for row in found["findings"]}
    described = {}
    for row in found["tables"]:
        findings = held.get((row["source"], row["object"]), {"findings": 0, "weighty": 0})
        described[row["id"]] = Table(
            row["id"], row["source"], row["object"], row["rows"], bool(row["view"]), bool(row["people"]), json.loads(row["described"]),
            tuple(columns.get(row["id"], ())), findings["findings"], bool(findings["weighty"]),
        )  # fmt: skip
    lines = tuple(
        Line(
            row["relation"], tuple(json.loads(row["columns"])), row["to_relation"], tuple(json.loads(row["to_columns"])),
            bool(row["declared"]), row["score"], row["why"], row["on_delete"], row["kind"],
        )
        for row in found["edges"]
    )  # fmt: skip
    above: dict[int, list[Line]] = {}
    below: dict[int, list[Line]] = {}
    for line in lines:
        above.setdefault(line.child, []).append(line)
        below.setdefault(line.parent, []).append(line)
    return Tables(described, lines, tuple(found["problems"]), found["last_run"][0] if found["last_run"] else None, above, below)


def as_json(asked: Asked, out: IO[bytes]) -> None:
    """The graph as one JSON object: `tables` with their columns, `edges`, `problems`."""
    known = tables(asked.book)

    def place(number: int) -> dict[str, str]:
        return {"source": known.tables[number].source, "object": known.tables[number].object}

    reached = known.reached()
    content = {
        "tables": [
            {
                **place(one.number),
                "rows": one.rows,
                "view": one.view,
                "people": one.people,
                "reached": one.number in reached,
                "key": one.described["key"],
                "unique": one.described["unique"],
                "columns": [
                    {"name": c["name"], "type": c["type"], "nullable": bool(c["nullable"]), "entity": c["entity"]} for c in one.columns
                ],
            }
            for one in known.tables.values()
        ],
        "edges": [
            {
                **place(line.child),
                "columns": line.columns,
                "to": {**place(line.parent), "columns": line.to},
                "kind": line.kind,
                "declared": line.declared,
                "score": line.score,
                "why": line.why,
                "on_delete": line.on_delete,
            }
            for line in known.lines
        ],
        "problems": list(known.problems),
    }
    out.write((json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))


def as_html(asked: Asked, out: IO[bytes]) -> None:
    """One page that needs nothing else: the drawing of each source, what belongs to whom, and what is only inferred."""
    from scanner.report import drawing

    known = tables(asked.book)
    reached = known.reached()
    sources = []
    for name, own in known.sources().items():
        people = [one for one in own if one.people]
        loose = [one for one in own if one.number not in reached and not one.view]
        sources.append(
            {
                "name": name,
                "tables": own,
                "people": sorted(
                    ((one, list(_belonging(known, one.number))) for one in people), key=lambda pair: (-len(pair[1]), pair[0].object)
                ),
                "drawing": drawing.draw(known, own),
                "blind": [one for one in loose if _says(one) and not _described_apart(known, one)],
                "other": [one for one in loose if not (_says(one) and not _described_apart(known, one))],
                "views": [one for one in own if one.view],
                "inferred": [line for line in known.lines if known.tables[line.child].source == name and not line.declared],
            }
        )
    out.write(page("graph", {"known": known, "sources": sources, "reached": reached, "run": known.run}))


def _says(table: Table) -> bool:
    """Whether a table holds personal data."""
    return bool(table.findings or table.entities)


def _described_apart(known: Tables, table: Table) -> bool:
    """Whether a table is a catalogue that rows of people point at: that nothing of it is anybody's is no gap."""
    return any(line.kind == CATALOGUE for line in known.below.get(table.number, [])) and not table.weighty


def _belonging(known: Tables, number: int) -> Iterator[tuple[int, Line, bool]]:
    """(depth, edge, told before) of what hangs on a person's row, down to what hangs on that, as it is read."""
    told = {number}

    def below(here: int, depth: int) -> Iterator[tuple[int, Line, bool]]:
        edges = [line for line in known.above.get(here, []) if line.kind == PART]
        edges += sorted(known.below.get(here, []), key=lambda line: _KINDS.index(line.kind) if line.kind in _KINDS else 9)
        for line in edges:
            if line.kind not in _KINDS or (depth and line.kind in (HANDLER, RELATED)) or (line.kind == PART and line.parent == here):
                continue
            there = line.parent if line.kind == PART else line.child
            again = there in told
            yield depth, line, again
            told.add(there)
            if line.kind in (OWNER, PART) and not again and depth < DEEPEST:
                yield from below(there, depth + 1)

    yield from below(number, 0)


_KINDS = (PART, OWNER, HANDLER, RELATED)
