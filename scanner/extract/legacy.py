"""Documents of Word and PowerPoint before 2007, read from their records: nothing that is hidden is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from scanner.extract import objects, ole
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

_WORD = 0xA5EC
_WORD_97 = 0xC1
_STORIES = ((3, ""), (4, "footnote"), (5, "header"), (6, "macro"), (7, "comment"), (8, "footnote"), (9, ""), (10, "header"))
"""The parts of a document that follow each other in its text, with the place of their length in `FibRgLw97`."""
_CLX, _COMMENTERS = 33, 36
_TABLES = {21: "attribute", 32: "property", 51: "author", 71: "author"}
"""Tables of strings, by their place in `FibRgFcLcb97`: bookmarks, associated strings, revision authors, who saved it."""
_GIVEN = re.compile(r"_(?:Toc|Ref|Hlk|GoBack).*|Unknown|.{0,2}")
_SIGNS = str.maketrans(
    {"\r": "\n", "\x07": "\t", "\x0b": "\n", "\x0c": "\n", "\x1e": "-", "\x1f": "", "\x01": "", "\x08": "", "\x02": "", "\x05": ""}
)


class _Piece(NamedTuple):
    """A stretch of the text: how many characters, where they lie, and whether each takes one byte."""

    length: int
    at: int
    narrow: bool


def read_doc(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """A Word document as [MS-DOC] lays it out: body, notes, headers, comments, text boxes, names; then the files put into it."""
    compound = ole.Compound(blob.stream)
    main = compound.read("WordDocument")
    flags = _short(main, 10)
    if flags & 0x100:
        yield Problem(blob.object, Why.ENCRYPTED, "document with a password")
        return
    if _short(main, 0) != _WORD or _short(main, 2) < _WORD_97:
        from scanner.extract import foreign

        yield from foreign.read(blob, walk)
        return
    table = compound.read("1Table" if flags & 0x200 else "0Table")
    numbers = 34 + 2 * _short(main, 32)
    places = numbers + 4 + 4 * _short(main, numbers)
    texts = Texts(blob.object)
    text = "".join(_pieces_text(main, list(_pieces(_part(main, table, places, _CLX)))))
    at = 0
    for place, name in _STORIES:
        length = int.from_bytes(main[numbers + 2 + 4 * place : numbers + 6 + 4 * place], "little")
        _story(texts, name, text[at : at + length])
        at += length
    for place, name in _TABLES.items():
        for value in _strings(_part(main, table, places, place)):
            if not _GIVEN.fullmatch(value):
                texts.add("", name, value.replace("_", " ") if name == "attribute" else value)
    for value in _counted(_part(main, table, places, _COMMENTERS), 0):
        texts.add("", "author", value)
    yield from _closing(blob, compound, texts, ("WordDocument", "Data"), walk)


def _part(main: bytes, table: bytes, places: int, place: int) -> bytes:
    at = int.from_bytes(main[places + 8 * place : places + 8 * place + 4], "little")
    size = int.from_bytes(main[places + 8 * place + 4 : places + 8 * place + 8], "little")
    return table[at : at + size]


def _pieces(clx: bytes) -> Iterator[_Piece]:
    """The piece table ([MS-DOC] 2.9.38): changes to formats come first, and are passed over."""
    at = 0
    while clx[at : at + 1] == b"\1":
        at += 3 + _short(clx, at + 1)
    size = int.from_bytes(clx[at + 1 : at + 5], "little")
    table = clx[at + 5 : at + 5 + size]
    count = max((len(table) - 4) // 12, 0)
    for n in range(count):
        first, after = (int.from_bytes(table[4 * i : 4 * i + 4], "little") for i in (n, n + 1))
        where = int.from_bytes(table[4 * (count + 1) + 8 * n + 2 : 4 * (count + 1) + 8 * n + 6], "little")
        narrow = bool(where & 0x40000000)
        where &= 0x3FFFFFFF
        yield _Piece(max(after - first, 0), where // 2 if narrow else where, narrow)


def _pieces_text(main: bytes, pieces: list[_Piece]) -> Iterator[str]:
    for length, at, narrow in pieces:
        if narrow:
            yield main[at : at + length].decode("cp1252", "replace")
        else:
            yield main[at : at + 2 * length].decode("utf-16-le", "replace")


def _story(texts: Texts, name: str, text: str) -> None:
    """One part of the text; the codes of its fields stand between signs of their own."""
    for code in re.findall(r"\x13([^\x13-\x15]*)[\x14\x15]", text):
        if re.search(r"[\"@]|\d{6}", code):
            texts.add("", "link", code.strip())
    text = re.sub(r"\x13[^\x13-\x15]*(?:\x14|(?=\x15))", "", text).replace("\x15", "").replace("\x14", "").replace("\x13", "")
    texts.add("", name, text.translate(_SIGNS).strip("\0"))


def _strings(table: bytes) -> Iterator[str]:
    """The strings of a table ([MS-DOC] 2.2.4), each after its length."""
    if table[:2] == b"\xff\xff":
        yield from _counted(table, 6, _short(table, 4))


def _counted(table: bytes, at: int, extra: int = 0) -> Iterator[str]:
    while at + 2 <= len(table):
        size = 2 * _short(table, at)
        yield table[at + 2 : at + 2 + size].decode("utf-16-le", "replace")
        at += 2 + size + extra


def _short(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


_WIDE_TEXT, _NARROW_TEXT, _STRING = 0x0FA0, 0x0FA8, 0x0FBA
_PLACES = {0x03EE: "", 0x03F0: "note", 0x03F8: "master", 0x2EE0: "comment", 0x0FD7: "link", 0x0FD9: "footer", 0x0FC9: "master"}
"""The containers of [MS-PPT] 2.13.24 that say what their texts are."""
_LOCKED = b"\xdf\xc4\xd1\xf3"


def read_ppt(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """A presentation as [MS-PPT] lays it out: every text of every record, those of earlier versions too."""
    compound = ole.Compound(blob.stream)
    if "EncryptedSummary" in compound.entries or compound.read("Current User")[12:16] == _LOCKED:
        yield Problem(blob.object, Why.ENCRYPTED, "presentation with a password")
        return
    texts = Texts(blob.object)
    for name, text in _atoms(compound.read("PowerPoint Document")):
        texts.add("", name, text.replace("\r", "\n").replace("\x0b", "\n"))
        yield from texts.full()
    yield from _closing(blob, compound, texts, ("Pictures",), walk)


def _atoms(data: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    inside: list[tuple[int, str]] = []
    while at + 8 <= len(data):
        kind, size = _short(data, at + 2), int.from_bytes(data[at + 4 : at + 8], "little")
        while inside and at >= inside[-1][0]:
            inside.pop()
        name = inside[-1][1] if inside else "attribute"
        at += 8
        if data[at - 8] & 0x0F == 0x0F:
            inside.append((at + size, _PLACES.get(kind, name)))
            continue
        if kind in (_WIDE_TEXT, _STRING):
            text = data[at : at + size].decode("utf-16-le", "replace").rstrip("\0")
            if not text.startswith("___"):  # tags of the program itself
                yield name, text
        elif kind == _NARROW_TEXT:
            yield name, data[at : at + size].decode("latin-1")
        at += size


def _closing(blob: Blob, compound: ole.Compound, texts: Texts, streams: tuple[str, ...], walk: Walk) -> Iterator[Reading]:
    """Properties, and then what was put into the document: pictures and files."""
    for name, value in ole.properties(compound):
        texts.add("", f"property:{name}", value)
    nothing = not texts.given
    yield from texts.rest()
    if nothing:
        yield Problem(blob.object, Why.UNSUPPORTED, "no text was found in the old document")
    yield from objects.inside(blob, compound, walk)
    used: dict[str, int] = {}
    for stream in streams:
        if stream in compound.entries:
            for ending, data in objects.pictures(compound.read(stream)):
                yield from objects.walked(blob, f"picture.{ending}", data, used, walk)
