"""Documents of Word and PowerPoint before 2007: no library writes them, so they are laid out here as Microsoft describes them."""

from __future__ import annotations

import struct
from collections.abc import Callable

from scanner.model import Why
from tests.planted import CPR, Place
from tests.planted.pages import package

_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file ([MS-CFB]) with these streams, each filled up to at least 4,096 bytes; a `/` makes a storage."""
    names = sorted({path.rpartition("/")[0] for path in streams} - {""})
    body, chain, rows = b"", [], []
    for data in streams.values():
        start = len(body) // 512
        data = data.ljust(4096, b"\0") + bytes(-max(len(data), 4096) % 512)
        count = len(data) // 512
        chain += [*range(start + 1, start + count), _END]
        rows.append((start, len(data)))
        body += data
    tops = [path for path in streams if "/" not in path]
    order = [*tops, *names, *(path for path in streams if "/" in path)]
    places = {path: at for at, path in enumerate(order, 1)}

    def entry(name: str, kind: int, right: int, child: int, start: int = 0, size: int = 0) -> bytes:
        raw = name.rpartition("/")[2].encode("utf-16-le")
        links = struct.pack("<III", _FREE, right, child)
        return raw.ljust(64, b"\0") + struct.pack("<HBB", len(raw) + 2, kind, 1) + links + bytes(36) + struct.pack("<IQ", start, size)

    def siblings(paths: list[str]) -> dict[str, int]:
        return {path: places[after] if after else _FREE for path, after in zip(paths, [*paths[1:], ""], strict=True)}

    right = siblings([*tops, *names])
    for folder in names:
        right |= siblings([path for path in streams if path.startswith(folder + "/")])
    directory = entry("Root Entry", 5, _FREE, 1, _END)
    for path in order:
        if path in names:
            directory += entry(path, 1, right[path], places[next(p for p in streams if p.startswith(path + "/"))])
        else:
            directory += entry(path, 2, right[path], _FREE, *rows[list(streams).index(path)])
    directory += bytes(-len(directory) % 512)
    first = len(chain)
    count = len(directory) // 512
    chain += [*range(first + 1, first + count), _END, _FAT]
    fat = struct.pack(f"<{len(chain)}I", *chain).ljust(512, b"\xff")
    assert len(fat) == 512, "one sector of the table is enough for these files"
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<10I", 0, 1, first, 0, 4096, _END, 0, _END, 0, len(chain) - 1) + struct.pack("<I", _FREE) * 108
    head = head[:76] + struct.pack("<I", len(chain) - 1) + head[80:]
    return head + body + directory + fat


def _summary(key: int, value: str) -> bytes:
    """A property set ([MS-OLEPS]) with its code page and one text."""
    raw = value.encode("cp1252") + b"\0"
    raw += bytes(-len(raw) % 4)
    text = struct.pack("<II", 30, len(raw)) + raw
    body = struct.pack("<IIII", 1, 24, key, 32) + struct.pack("<II", 2, 1252) + text
    return (
        struct.pack("<HHI", 0xFFFE, 0, 0)
        + bytes(16)
        + struct.pack("<I", 1)
        + bytes(16)
        + struct.pack("<I", 48)
        + struct.pack("<II", 8 + len(body), 2)
        + body
    )


_STORIES = ("body", "footnote", "header", "macro", "comment", "endnote", "text box", "text box of the header")


def _doc(stories: dict[str, str], wide: bool = False, names: dict[int, bytes] | None = None, flags: int = 0, **streams: bytes) -> bytes:
    """A Word document ([MS-DOC]): its header, one piece of text, and tables of names by their place in `FibRgFcLcb97`."""
    parts = [stories.get(name, "Notat om sagen\r" if name == "body" else "") for name in _STORIES]
    raw = "".join(parts).encode("utf-16-le" if wide else "cp1252")
    begin = 2048
    where = begin if wide else begin * 2 | 0x40000000
    pieces = struct.pack("<II", 0, sum(map(len, parts))) + struct.pack("<HIH", 0, where, 0)
    table = b"\2" + struct.pack("<I", len(pieces)) + pieces
    pairs = [(0, 0)] * 93
    pairs[33] = (0, len(table))
    for place, data in (names or {}).items():
        pairs[place] = (len(table), len(data))
        table += data
    head = struct.pack("<HHHHHH", 0xA5EC, 0xC1, 0, 0x409, 0, 0x200 | flags) + bytes(20)
    lengths = [0, 0, 0, *map(len, parts)]
    head += struct.pack("<H", 14) + bytes(28) + struct.pack("<H", 22) + struct.pack("<22I", *lengths, *[0] * (22 - len(lengths)))
    head += struct.pack("<H", 93) + b"".join(struct.pack("<II", *pair) for pair in pairs)
    return compound({"WordDocument": head.ljust(begin, b"\0") + raw, "1Table": table, **streams})


def _strings(*values: str) -> bytes:
    return struct.pack("<HHH", 0xFFFF, len(values), 0) + b"".join(struct.pack("<H", len(v)) + v.encode("utf-16-le") for v in values)


def _record(kind: int, data: bytes, container: bool = False) -> bytes:
    return struct.pack("<HHI", 15 if container else 0, kind, len(data)) + data


def _ppt(kind: int, text: str, atom: int = 0x0FA0) -> bytes:
    """A presentation ([MS-PPT]) with one text in a container of this kind."""
    raw = text.encode("latin-1" if atom == 0x0FA8 else "utf-16-le")
    records = _record(0x03E8, _record(kind, _record(0xF00D, _record(atom, raw), container=True), container=True), container=True)
    return compound({"Current User": bytes(20), "PowerPoint Document": records})


_FIELD = f'\x13 HYPERLINK "https://sager.example/?cpr={CPR}" \x14her\x15\r'


def _object() -> bytes:
    native = package(CPR)
    return _doc({}, **{"_1234567890/\x01Ole10Native": len(native).to_bytes(4, "little") + native})


_WORD: list[tuple[str, Callable[[], bytes]]] = [
    ("body", lambda: _doc({"body": f"Notat om {CPR}\r"})),
    ("body in Unicode", lambda: _doc({"body": f"Notat om {CPR} på Ærø – Łódź\r"}, wide=True)),
    *((name, lambda name=name: _doc({name: f"{CPR}\r"})) for name in _STORIES if name not in ("body", "macro")),  # type: ignore[misc]
    ("table", lambda: _doc({"body": f"borger\x07{CPR}\x07\x07"})),
    ("code of a field", lambda: _doc({"body": _FIELD})),
    ("author of a comment", lambda: _doc({"comment": "se\r"}, names={36: struct.pack("<H", len(CPR)) + CPR.encode("utf-16-le")})),
    ("author of a tracked change", lambda: _doc({}, names={51: _strings("Unknown", CPR)})),
    ("name of a bookmark", lambda: _doc({}, names={21: _strings("cpr_" + CPR.replace("-", "_"))})),
    ("user who saved it", lambda: _doc({}, names={71: _strings("Grethe", f"C:\\sager\\{CPR}.doc")})),
    ("property", lambda: _doc({}, **{"\x05SummaryInformation": _summary(3, CPR)})),
    ("embedded file", _object),
]  # fmt: skip
_SLIDES: list[tuple[str, Callable[[], bytes]]] = [
    ("slide", lambda: _ppt(0x03EE, CPR)),
    ("slide, text of one byte a letter", lambda: _ppt(0x03EE, CPR, 0x0FA8)),
    ("notes", lambda: _ppt(0x03F0, CPR)),
    ("master", lambda: _ppt(0x03F8, CPR)),
    ("comment", lambda: _ppt(0x2EE0, CPR, 0x0FBA)),
    ("footer", lambda: _ppt(0x0FD9, CPR, 0x0FBA)),
    ("target of a hyperlink", lambda: _ppt(0x0FD7, f"https://sager.example/?cpr={CPR}", 0x0FBA)),
    ("property", lambda: compound({"Current User": bytes(20), "PowerPoint Document": b"", "\x05SummaryInformation": _summary(3, CPR)})),
]
PLACES = [
    *(Place("Word before 2007 (doc)", place, "notat.doc", make) for place, make in _WORD),
    Place("Word before 2007 (doc)", "document with a password", "notat.doc", lambda: _doc({}, flags=0x100), Why.ENCRYPTED),
    *(Place("PowerPoint before 2007 (ppt)", place, "status.ppt", make) for place, make in _SLIDES),
    Place("PowerPoint before 2007 (ppt)", "presentation with a password", "status.ppt", lambda: compound({"Current User": bytes(12) + b"\xdf\xc4\xd1\xf3", "PowerPoint Document": b""}), Why.ENCRYPTED),
]  # fmt: skip
