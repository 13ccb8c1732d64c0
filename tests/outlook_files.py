"""Writes what only Outlook writes, small and invented: a pst as [MS-PST] lays it out, a winmail.dat as [MS-OXTNEF] does."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

LONG, TEXT, BINARY, OBJECT = 0x03, 0x1F, 0x102, 0x0D
Value = int | str | bytes


@dataclass
class Item:
    """A message by its properties; each attachment is a name with its bytes, or with a message."""

    properties: dict[int, Value]
    people: list[dict[int, Value]] = field(default_factory=list)
    attachments: list[tuple[str, bytes | Item]] = field(default_factory=list)


def _packed(value: Value) -> tuple[int, bytes]:
    if isinstance(value, int):
        return LONG, struct.pack("<I", value)
    return (TEXT, value.encode("utf-16-le")) if isinstance(value, str) else (BINARY, value)


# --- winmail.dat --------------------------------------------------------------------------------------------------


def tnef(item: Item) -> bytes:
    """A winmail.dat with the item in it."""
    out = b"\x78\x9f\x3e\x22" + struct.pack("<H", 1)
    out += _attribute(1, 0x89006, struct.pack("<I", 0x10000)) + _attribute(1, 0x69003, _properties(item.properties))
    people = [_properties(person) for person in item.people]
    out += _attribute(1, 0x69004, struct.pack("<I", len(people)) + b"".join(people))
    for name, content in item.attachments:
        out += _attribute(2, 0x69002, bytes(14))
        if isinstance(content, bytes):
            out += _attribute(2, 0x6800F, content) + _attribute(2, 0x69005, _properties({0x3707: name}))
        else:
            inner = bytes.fromhex("0703020000000000c000000000000046") + tnef(content)
            out += _attribute(2, 0x69005, _properties({0x3707: name}, {0x3701: inner}))
    return out


def _attribute(level: int, identifier: int, data: bytes) -> bytes:
    return struct.pack("<BII", level, identifier, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def _properties(values: dict[int, Value], objects: dict[int, bytes] | None = None) -> bytes:
    out = struct.pack("<I", len(values) + len(objects or {}))
    for tag, value in values.items():
        kind, data = _packed(value)
        out += struct.pack("<HH", kind, tag) + (_sized(kind, data) if kind != LONG else data)
    for tag, data in (objects or {}).items():
        out += struct.pack("<HH", OBJECT, tag) + _sized(OBJECT, data)
    return out


def _sized(kind: int, data: bytes) -> bytes:
    data += b"\0\0" * (kind == TEXT)
    return struct.pack("<II", 1, len(data)) + data + bytes(-len(data) % 4)


# --- pst ----------------------------------------------------------------------------------------------------------


def pst(folders: dict[str, list[Item]]) -> bytes:
    """An Outlook data file (Unicode, not obscured) with folders below its root, and messages in them."""
    store = _Store()
    places = [(0x400 + number) << 5 | 2 for number in range(len(folders))]
    subtree = bytes(20) + struct.pack("<I", 0x122)
    store.node(0x21, 0, _context({0x3001: "Personlige mapper", 0x35E0: subtree}))
    store.node(0x122, 0x122, _context({0x3001: "", 0x3602: 0, 0x360A: 1}))
    store.node(0x12D, 0, _table([(place, {0x3001: name}) for place, name in zip(places, folders, strict=True)]))
    for number, (place, (name, items)) in enumerate(zip(places, folders.items(), strict=True)):
        store.node(place, 0x122, _context({0x3001: name, 0x3602: len(items)}))
        nodes = [(0x10000 + 0x100 * number + at) << 5 | 4 for at in range(len(items))]
        store.node(place + 12, 0, _table([(node, {}) for node in nodes]))
        for node, item in zip(nodes, items, strict=True):
            store.node(node, place, *store.item(item))
    return store.whole()


class _Store:
    """The blocks and nodes of a file, one after the other."""

    def __init__(self) -> None:
        self._file = bytearray(0x4800)
        self._blocks: list[tuple[int, int, int]] = []
        self._nodes: list[tuple[int, int, int, int]] = []

    def block(self, data: bytes, inner: bool = False) -> int:
        """Add a block; its number."""
        number, at = (len(self._blocks) + 1) * 4 | 2 * inner, len(self._file)
        room = -(-(len(data) + 16) // 64) * 64 - 16
        self._file += data.ljust(room, b"\0") + struct.pack("<HHIQ", len(data), _signature(at, number), _crc(data), number)
        self._blocks.append((number, at, len(data)))
        return number

    def node(self, identifier: int, parent: int, data: bytes, inside: int = 0) -> None:
        """Add a node with its data and the block of the nodes inside it."""
        self._nodes.append((identifier, self.block(data), inside, parent))

    def item(self, item: Item) -> tuple[bytes, int]:
        """The data of a message, and the block of its recipients and attachments."""
        inside: list[tuple[int, int, int]] = []
        if item.people:
            inside.append((0x692, self.block(_table([(at, person) for at, person in enumerate(item.people)])), 0))
        rows: list[tuple[int, dict[int, Value]]] = []
        for at, (name, content) in enumerate(item.attachments):
            number = (0x401 + at) << 5 | 5
            rows.append((number, {0x3707: name}))
            if isinstance(content, bytes):
                inside.append((number, self.block(_context({0x3701: content, 0x3705: 1, 0x3707: name})), 0))
            else:
                data, deeper = self.item(content)
                node = (0x501 + at) << 5 | 4
                below = self._inside([(node, self.block(data), deeper)])
                inside.append(
                    (number, self.block(_context({0x3705: 5, 0x3707: name}, {0x3701: struct.pack("<II", node, len(data))})), below)
                )
        if rows:
            inside.append((0x671, self.block(_table(rows)), 0))
        return _context(item.properties), self._inside(inside) if inside else 0

    def _inside(self, nodes: list[tuple[int, int, int]]) -> int:
        return self.block(struct.pack("<BBHI", 2, 0, len(nodes), 0) + b"".join(struct.pack("<QQQ", *one) for one in sorted(nodes)), True)

    def whole(self) -> bytes:
        """The file."""
        blocks = [struct.pack("<QQHHI", number, at, size, 2, 0) for number, at, size in sorted(self._blocks)]
        nodes = [struct.pack("<QQQII", one, data, inside, parent, 0) for one, data, inside, parent in sorted(self._nodes)]
        trees = [self._tree(0x81, nodes), self._tree(0x80, blocks)]
        root = struct.pack("<IQQQQ", 0, len(self._file), 0x4400, 0, 0) + b"".join(struct.pack("<QQ", *tree) for tree in trees) + b"\2\0\0\0"
        body = struct.pack("<HHHBBIIQQI", 0x4D53, 23, 19, 1, 1, 0, 0, 0, 0x4000, 1) + bytes(128) + bytes(8) + root + bytes(4)
        body += b"\xff" * 256 + b"\x80\0\0\0" + struct.pack("<Q", 0x4000)
        self._file[:564] = b"!BDN" + struct.pack("<I", _crc(body[:471])) + body + struct.pack("<I", _crc(body)) + bytes(36)
        return bytes(self._file)

    def _tree(self, kind: int, entries: list[bytes]) -> tuple[int, int]:
        """Add the pages of a tree; the number and place of its root."""
        most, level = 488 // len(entries[0]), 0
        while True:
            pages = [
                (group[0][:8], self._page(kind, group, level, most))
                for group in (entries[at : at + most] for at in range(0, len(entries), most))
            ]
            if len(pages) == 1:
                return pages[0][1]
            entries, level, most = [key + struct.pack("<QQ", *page) for key, page in pages], level + 1, 20

    def _page(self, kind: int, entries: list[bytes], level: int, most: int) -> tuple[int, int]:
        self._file += bytes(-len(self._file) % 512)
        at = len(self._file)
        data = b"".join(entries).ljust(488, b"\0") + struct.pack("<BBBBI", len(entries), most, len(entries[0]), level, 0)
        self._file += data + struct.pack("<BBHIQ", kind, kind, _signature(at, at), _crc(data), at)
        return at, at


def _heap(signature: int, root: int, parts: list[bytes]) -> bytes:
    starts = [12]
    for part in parts:
        starts.append(starts[-1] + len(part))
    place = starts[-1] + starts[-1] % 2
    data = (struct.pack("<HBBII", place, 0xEC, signature, root, 0) + b"".join(parts)).ljust(place, b"\0")
    return data + struct.pack("<HH", len(parts), 0) + b"".join(struct.pack("<H", start) for start in starts)


def _context(values: dict[int, Value], objects: dict[int, bytes] | None = None) -> bytes:
    """The properties of a node; none of them may be longer than 3,580 bytes."""
    parts, records = [b"", b""], []
    packed = {tag: _packed(value) for tag, value in values.items()} | {tag: (OBJECT, data) for tag, data in (objects or {}).items()}
    for tag, (kind, data) in sorted(packed.items()):
        if kind != LONG:
            parts.append(data)
            data = struct.pack("<I", len(parts) << 5) if data else bytes(4)
        records.append(struct.pack("<HH", tag, kind) + data)
    parts[0], parts[1] = struct.pack("<BBBBI", 0xB5, 2, 6, 0, 2 << 5), b"".join(records)
    return _heap(0xBC, 1 << 5, parts)


def _table(rows: list[tuple[int, dict[int, Value]]]) -> bytes:
    """Rows of the same columns, each with its number."""
    tags = sorted({tag for _, row in rows for tag in row})
    kinds = [LONG if isinstance(next(row[tag] for _, row in rows if tag in row), int) else TEXT for tag in tags]
    columns = [(0x67F2, LONG), (0x67F3, LONG), *zip(tags, kinds, strict=True)]
    wide, marks = 4 * len(columns), -(-len(columns) // 8)
    parts, cells = [b"", b"", b"", b""], b""
    for number, row in rows:
        cells += struct.pack("<II", number, 1)
        for tag in tags:
            kind, data = _packed(row[tag])
            if kind != LONG:
                parts.append(data)
                data = struct.pack("<I", len(parts) << 5)
            cells += data
        cells += b"\xff" * marks
    described = b"".join(struct.pack("<HHHBB", kind, tag, 4 * at, 4, at) for at, (tag, kind) in enumerate(columns))
    parts[0] = struct.pack("<BBHHHHIII", 0x7C, len(columns), wide, wide, wide, wide + marks, 2 << 5, 4 << 5, 0) + described
    parts[1] = struct.pack("<BBBBI", 0xB5, 4, 4, 0, 3 << 5)
    parts[2] = b"".join(struct.pack("<II", number, at) for at, (number, _) in enumerate(rows))
    parts[3] = cells
    return _heap(0x7C, 1 << 5, parts)


def _crc(data: bytes) -> int:
    return zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF


def _signature(at: int, number: int) -> int:
    mixed = (at ^ number) & 0xFFFFFFFF
    return (mixed >> 16 ^ mixed) & 0xFFFF
