"""Draws the tables of one source and their edges: people on the left, what belongs to them to the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scanner.report.graph import Line, Table, Tables

WIDTH, HEIGHT, GAP = 186, 38, 14
"""Of a box, and between two of a column, in pixels."""
ASIDE = 74
"""Between two columns, where the edges run."""
MARGIN = 12
LETTERS = 25
"""So many letters of a table's name are shown; the whole name is in the list."""
MOST = 70
"""More tables than this are not drawn together: catalogues are left out first, then the rest is counted."""


@dataclass(frozen=True, slots=True)
class Box:
    """A table's place in the drawing."""

    table: Table
    name: str
    x: int
    y: int
    role: str


@dataclass(frozen=True, slots=True)
class Path:
    """An edge's course, and what it is."""

    d: str
    kind: str
    declared: bool
    title: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes, edges and the size of it all; `left` counts the tables that are not drawn."""

    boxes: Sequence[Box]
    paths: Sequence[Path]
    width: int
    height: int
    left: int


def draw(known: Tables, own: Sequence[Table]) -> Drawing:
    """Put the tables of a source in columns: people, then step by step what belongs to them, at last what many share."""
    layers = _layers(known, own)
    numbers = {number for layer in layers for number in layer}
    lines = [line for line in known.lines if {line.child, line.parent} <= numbers and line.child != line.parent]
    for _ in range(4):
        _order(layers, lines)
    boxes: dict[int, Box] = {}
    tallest = max(map(len, layers), default=0)
    last = len(layers) - 1
    shared = {line.parent for line in lines if line.kind == "catalogue"}
    for column, layer in enumerate(layers):
        top = MARGIN + (tallest - len(layer)) * (HEIGHT + GAP) // 2
        for row, number in enumerate(layer):
            table = known.tables[number]
            name = table.object.removeprefix("public.")
            name = name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"
            role = "people" if table.people else "shared" if column == last and number in shared else "owned"
            boxes[number] = Box(table, name, MARGIN + column * (WIDTH + ASIDE), top + row * (HEIGHT + GAP), role)
    paths = [_path(line, boxes, known.tables) for line in sorted(lines, key=lambda one: one.kind == "owner")]
    width = 2 * MARGIN + len(layers) * (WIDTH + ASIDE) - ASIDE
    height = 2 * MARGIN + tallest * (HEIGHT + GAP) - GAP
    return Drawing(tuple(boxes.values()), paths, max(width, 0), max(height, 0), len(own) - len(boxes))


def _layers(known: Tables, own: Sequence[Table]) -> list[list[int]]:
    here = {table.number for table in own}
    depth: dict[int, int] = {table.number: 0 for table in own if table.people}
    waiting = list(depth)
    while waiting:
        number = waiting.pop(0)
        nearby = [line.child for line in known.below.get(number, []) if line.kind in ("owner", "related", "handler")]
        nearby += [line.parent for line in known.above.get(number, []) if line.kind == "part"]
        for other in nearby:
            if other in here and other not in depth:
                depth[other] = depth[number] + 1
                waiting.append(other)
    shared = {
        line.parent
        for line in known.lines
        if line.kind == "catalogue" and line.child in depth and line.parent in here and line.parent not in depth
    }
    if len(depth) + len(shared) > MOST:
        shared = set()
    kept = sorted(depth, key=lambda number: (depth[number], -known.tables[number].rows))[:MOST]
    layers: list[list[int]] = [[] for _ in range(max((depth[number] for number in kept), default=-1) + 1)]
    for number in kept:
        layers[depth[number]].append(number)
    return [layer for layer in (*layers, sorted(shared)) if layer]


def _order(layers: list[list[int]], lines: Sequence[Line]) -> None:
    """Bring boxes to the height of those that they hang together with, so that fewer edges cross."""
    place = {number: row - len(layer) / 2 for layer in layers for row, number in enumerate(layer)}
    for layer in layers:
        wanted = {}
        for number in layer:
            near = [place[line.parent] for line in lines if line.child == number]
            near += [place[line.child] for line in lines if line.parent == number]
            wanted[number] = sum(near) / len(near) if near else place[number]
        layer.sort(key=lambda number: (wanted[number], number))
        place |= {number: row - len(layer) / 2 for row, number in enumerate(layer)}


def _path(line: Line, boxes: Mapping[int, Box], tables: Mapping[int, Table]) -> Path:
    """From the box that points to the one that it points at, along the gaps between the columns."""
    child, parent = boxes[line.child], boxes[line.parent]
    start, end = child.y + HEIGHT // 2, parent.y + HEIGHT // 2
    if child.x == parent.x:
        x = child.x + WIDTH
        d = f"M{x} {start} C{x + 46} {start} {x + 46} {end} {x + 7} {end}"
    elif child.x > parent.x:
        x, to = child.x, parent.x + WIDTH + 7
        d = f"M{x} {start} C{x - ASIDE // 2} {start} {to + ASIDE // 2} {end} {to} {end}"
    else:
        x, to = child.x + WIDTH, parent.x - 7
        d = f"M{x} {start} C{x + ASIDE // 2} {start} {to - ASIDE // 2} {end} {to} {end}"
    title = f"{tables[line.child].object}.{', '.join(line.columns)} → {tables[line.parent].object}.{', '.join(line.to)}"
    return Path(d, line.kind, line.declared, title)
