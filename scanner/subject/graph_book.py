"""Keeps the graph of the tables in the book, and reads it back: searches and reports need no database for it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scanner.model import Column, Database, Problem, Reference, Relation, Source
from scanner.subject.graph import Edge, EdgeKind, Graph, Node, describe, order

if TYPE_CHECKING:
    from scanner.inventory import Book


def update(book: Book, sources: Sequence[Source], run: int) -> None:
    """Describe the databases among `sources` of which this run has read anything, or that the book knows no tables of."""
    marks = ",".join("?" * len(sources))
    idle = {
        row["name"]
        for row in book.rows(
            f"select name from source where name in ({marks}) and exists (select 1 from relation where relation.source = source.id)"
            " and not exists (select 1 from unit where unit.source = source.id and unit.run = ?)",
            (*(source.name for source in sources), run),
        )
    }
    databases = [source for source in sources if isinstance(source, Database)]
    if all(source.name in idle for source in databases):
        return  # nothing was read, and all is known
    names = [source.name for source in databases]
    marks = ",".join("?" * len(names))
    graph, problems = describe(databases, book.rows(f"select * from data_map where source in ({marks})", names))
    keep(book, graph, names, problems)


def keep(book: Book, graph: Graph, sources: Collection[str], problems: Mapping[str, Sequence[Problem]]) -> None:
    """Write the graph of some sources down, in the place of what is there of them. Edges between them and other sources stay.

    A source without a single table that could be described keeps what was known of it.
    """
    described = {source for source, _ in graph.nodes}
    with book.transaction() as cursor:
        numbers = dict(cursor.execute("select name, id from source").fetchall())
        walked = [numbers[name] for name in sources if name in numbers and name in described]
        marks = ",".join("?" * len(walked))
        inside = f"select id from relation where source in ({marks})"
        cursor.execute(f"delete from edge where relation in ({inside}) and to_relation in ({inside})", [*walked, *walked])
        cursor.execute(f"delete from relation_problem where source in ({marks})", walked)
        places = {place: _relation(cursor, numbers[place[0]], node) for place, node in graph.nodes.items() if place[0] in numbers}
        kept = ",".join(map(str, places.values()))
        cursor.execute(f"delete from relation where source in ({marks}) and id not in ({kept})", walked)
        for edge in graph.edges:
            child, parent = places.get((edge.source, edge.object)), places.get((edge.to_source, edge.to))
            if child and parent:
                cursor.execute(
                    "insert or replace into edge (relation, columns, to_relation, to_columns, declared, score, why, on_delete, kind)"
                    " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (child, json.dumps(edge.columns), parent, json.dumps(edge.to_columns), int(edge.declared), edge.score, edge.why,
                     edge.on_delete, edge.kind.value),
                )  # fmt: skip
        cursor.executemany(
            "insert or ignore into relation_problem values (?, ?, ?, ?)",
            [(numbers[name], one.object, one.why.value, one.detail) for name in problems if name in numbers for one in problems[name]],
        )


def load(book: Book) -> Graph:
    """The graph as the last scans left it; empty where none has described a database yet."""
    try:
        columns: dict[int, list[dict[str, Any]]] = {}
        for row in book.rows("select * from relation_column order by relation, place"):
            columns.setdefault(row["relation"], []).append(row)
        nodes: dict[int, Node] = {}
        tables = "select relation.*, source.name from relation join source on source.id = relation.source order by name, object"
        for row in book.rows(tables):
            nodes[row["id"]] = _node(row, columns.get(row["id"], []))
        edges = [
            Edge(
                (child := nodes[row["relation"]]).source, child.relation.object, tuple(json.loads(row["columns"])),
                (parent := nodes[row["to_relation"]]).relation.object, tuple(json.loads(row["to_columns"])), bool(row["declared"]),
                row["score"], row["why"], row["on_delete"], EdgeKind(row["kind"]), parent.source,
            )
            for row in book.rows("select * from edge")
        ]  # fmt: skip
    except sqlite3.OperationalError:  # a book that was written before there were graphs
        return Graph()
    return Graph({(node.source, node.relation.object): node for node in nodes.values()}, tuple(sorted(edges, key=order)))


def _relation(cursor: sqlite3.Cursor, source: int, node: Node) -> int:
    one = node.relation
    described = json.dumps(
        {
            "key": one.key,
            "unique": one.unique,
            "indexes": one.indexes,
            "references": [reference._asdict() for reference in one.references],
            "triggers": one.triggers,
        },
        ensure_ascii=False,
    )
    number: int = cursor.execute(
        "insert into relation (source, object, rows, view, people, described) values (?, ?, ?, ?, ?, ?)"
        " on conflict (source, object) do update set rows = excluded.rows, view = excluded.view, people = excluded.people,"
        " described = excluded.described returning id",
        (source, one.object, max(0, one.rows), int(one.view), int(node.people), described),
    ).fetchone()[0]
    cursor.execute("delete from relation_column where relation = ?", (number,))
    keys = {name: place for place, name in enumerate(one.key, 1)}
    cursor.executemany(
        "insert into relation_column values (?, ?, ?, ?, ?, ?, ?)",
        [
            (number, place, column.name, column.type, int(column.nullable), keys.get(column.name, 0), node.entities.get(column.name, ""))
            for place, column in enumerate(one.columns, 1)
        ],
    )
    return number


def _node(row: dict[str, Any], columns: list[dict[str, Any]]) -> Node:
    described = json.loads(row["described"])
    relation = Relation(
        row["object"],
        tuple(Column(one["name"], one["type"], bool(one["nullable"])) for one in columns),
        tuple(described["key"]),
        tuple(
            Reference(tuple(one["columns"]), one["object"], tuple(one["to"]), one["on_delete"]) for one in described["references"]
        ),
        tuple(map(tuple, described["unique"])),
        tuple(map(tuple, described["indexes"])),
        tuple(described["triggers"]),
        row["rows"],
        bool(row["view"]),
    )  # fmt: skip
    return Node(row["name"], relation, {one["name"]: one["entity"] for one in columns if one["entity"]}, bool(row["people"]))
