"""RTF: its text, headers, footers, notes, comments and properties, with the code pages that old Word used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from scanner.extract import objects
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

_TOKEN = re.compile(rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\")
_FIELDS = {
    b"header": "header", b"headerl": "header", b"headerr": "header", b"headerf": "header", b"footer": "footer",
    b"footerl": "footer", b"footerr": "footer", b"footerf": "footer", b"footnote": "footnote",
    b"annotation": "comment", b"atnauthor": "author", b"atnid": "author", b"fldinst": "link",
    b"title": "property:title", b"subject": "property:subject", b"author": "property:creator",
    b"manager": "property:manager", b"company": "property:company", b"operator": "property:lastModifiedBy",
    b"keywords": "property:keywords", b"comment": "property:comment", b"doccomm": "property:description",
    b"hlinkbase": "property:hlinkbase", b"propname": "property:name", b"staticval": "property:value",
    b"docvar": "variable", b"revtbl": "author", b"bkmkstart": "attribute", b"xe": "index", b"tc": "index", b"rxe": "index",
    b"ffdeftext": "form", b"ffhelptext": "form", b"ffstattext": "form", b"ffl": "form", b"protusertbl": "author", b"sn": "\0name",
    b"objdata": "\0object", b"pict": "\0picture",
}  # fmt: skip
_SHOWN = frozenset(b"shptxt shpinst shp field fldrslt listtext pntext mhtmltag userprops sp shppict object formfield result".split())
_SILENT = frozenset(
    b"fonttbl colortbl stylesheet nonshppict listtable listoverridetable rsidtbl generator themedata datastore picprop "
    b"colorschememapping latentstyles xmlnstbl filetbl blipuid datafield ffname ffformat objclass objname "
    b"bkmkend panose falt fontemb nonesttables mmathpr pgdsctbl wgrffmtfilter creatim revtim "
    b"printim buptim".split()
)
_SAYING = frozenset({"wzDescription", "wzName", "gtextUNICODE", "wzTooltip", "pihlShape"})
"""The properties of a drawing in which somebody may have written something."""
_APART = frozenset({"variable", "author", "form"})
"""Fields whose groups are texts of their own."""
_CHARACTERS = {
    b"par": "\n", b"line": "\n", b"sect": "\n", b"page": "\n", b"row": "\n", b"tab": "\t", b"cell": "\t",
    b"nestcell": "\t", b"nestrow": "\n", b"emdash": "\u2014", b"endash": "\u2013", b"lquote": "\u2018",
    b"rquote": "\u2019", b"ldblquote": "\u201c", b"rdblquote": "\u201d", b"bullet": "\u2022", b"emspace": " ",
    b"enspace": " ", b"qmspace": " ",
}  # fmt: skip
_CHARSETS = {0: "cp1252", 77: "mac-roman", 128: "cp932", 129: "cp949", 134: "gbk", 136: "cp950", 161: "cp1253",
             162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
             238: "cp1250"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _State:
    """What a group hands down to the groups inside it."""

    field: str | None = ""  # None: the text is not shown
    codec: str = "cp1252"
    fallback: int = 1  # how many characters follow a Unicode one for readers that do not know it
    deleted: bool = False
    fonts: bool = False


class Reader:
    """Follows the groups of an RTF document and keeps the text of each field."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.files: list[tuple[str, bytes]] = []  # pictures and objects, still in hexadecimal digits
        self._name = ""  # of the property of a drawing whose value comes next
        self._pieces: dict[str, list[str]] = {"": []}
        self._state = _State()
        self._stack: list[tuple[_State, bool]] = []
        self._star = self._new = False
        self._skip = 0
        self._bytes = b""
        self._font_codecs: dict[int, str] = {}
        self._font = 0
        self._high = 0

    def read(self, data: bytes) -> bool:
        """Take the whole document; whether all groups were closed."""
        at, end = 0, len(data)
        while at < end:
            match = _TOKEN.match(data, at)
            if match is None:
                at += 1
                continue
            at = match.end()
            word, number, hexed, symbol, brace, text = match.groups()
            if word is not None:
                if word == b"bin" and number:
                    end_of = at + max(int(number), 0)
                    if (self._state.field or "").startswith("\0"):
                        self._raw(data[at:end_of].hex().encode())
                    at = end_of
                    continue
                self._word(word, int(number) if number else None)
            elif hexed is not None:
                self._raw(bytes([int(hexed, 16)]))
            elif text is not None:
                self._raw(text)
            elif brace == b"{":
                self._settle()
                self._stack.append((self._state, self._new))
                self._new, self._star, self._skip = True, False, 0
                continue
            elif brace == b"}":
                self._close()
            elif symbol is not None:
                self._symbol(symbol)
                if symbol == b"*":
                    continue
            self._new = self._star = False
        self._settle()
        closed = not self._stack
        while self._stack:
            self._close()
        for name, pieces in self._pieces.items():
            self._keep(name, "".join(pieces))
        return closed

    def _close(self) -> None:
        self._settle()
        if not self._stack:
            return
        inner, self._state = self._state, self._stack.pop()[0]
        if inner.field and inner.field in self._pieces and (inner.field != self._state.field or inner.field in _APART):
            self._keep(inner.field, "".join(self._pieces.pop(inner.field)))
        self._skip = 0

    def _keep(self, field: str, text: str) -> None:
        if field == "\0name":
            self._name = text.strip()
        elif field.startswith("\0"):
            self.files.append((field[1:], text.encode("ascii", "replace")))
        elif field == "attribute" and self._name == "":
            if not re.match(r"_(?:Toc|Ref|Hlk|GoBack)", text):
                self._texts.add("", field, text.replace("_", " "))
        elif text.strip() != "Unknown;":
            self._texts.add("", field, text)

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._star = True
        elif symbol in b"\r\n":
            self._write("\n")
        elif symbol == b"~":
            self._write("\u00a0")
        elif symbol == b"_":
            self._write("-")
        elif symbol in b"\\{}":
            self._raw(symbol)

    def _word(self, word: bytes, number: int | None) -> None:
        state = self._state
        if word == b"u" and number is not None:
            self._settle()
            self._unicode(number & 0xFFFF)
            self._skip = state.fallback
            return
        if word in _CHARACTERS:
            self._write(_CHARACTERS[word])
        elif word == b"uc":
            self._state = replace(state, fallback=max(number or 0, 0))
        elif word == b"deleted":
            self._settle()
            self._state = replace(state, deleted=number != 0)
        elif word == b"plain":
            self._settle()
            self._state = replace(state, deleted=False)
        elif word == b"ansicpg" and number:
            self._state = replace(state, codec=_codec(f"cp{number}"))
            self._font_codecs[-1] = self._state.codec
        elif word in (b"mac", b"pc", b"pca"):
            self._state = replace(state, codec={b"mac": "mac-roman", b"pc": "cp437", b"pca": "cp850"}[word])
        elif word == b"f" and number is not None:
            self._settle()
            self._font = number
            if not state.fonts:
                default = self._font_codecs.get(-1, "cp1252")
                self._state = replace(state, codec=self._font_codecs.get(number, default))
        elif word == b"fcharset" and state.fonts:
            if number in _CHARSETS and number != 0:
                self._font_codecs[self._font] = _CHARSETS[number]
        elif word == b"fonttbl":
            self._state = replace(state, field=None, fonts=True)
        elif self._new and state.field is not None:
            self._destination(word)

    def _destination(self, word: bytes) -> None:
        """The first word of a group may say where its text belongs."""
        if word == b"sv":
            self._state = replace(self._state, field="attribute" if self._name in _SAYING else None)
        elif word in _FIELDS:
            if word == b"bkmkstart":
                self._name = ""
            self._state = replace(self._state, field=_FIELDS[word])
        elif word in _SILENT or (self._star and word not in _SHOWN):
            self._state = replace(self._state, field=None)

    def _raw(self, data: bytes) -> None:
        if self._skip:
            dropped = min(self._skip, len(data))
            self._skip -= dropped
            data = data[dropped:]
        if self._state.field is not None:
            self._bytes += data

    def _settle(self) -> None:
        """Decode the bytes so far in the code page that is in force."""
        if self._bytes:
            data, self._bytes = self._bytes, b""
            self._put(data.decode(self._state.codec, "replace"))

    def _unicode(self, code: int) -> None:
        if 0xD800 <= code < 0xDC00:
            self._high = code
        elif 0xDC00 <= code < 0xE000 and self._high:
            self._put(chr(0x10000 + ((self._high - 0xD800) << 10) + (code - 0xDC00)))
            self._high = 0
        else:
            self._put(chr(code))

    def _write(self, text: str) -> None:
        self._settle()
        self._put(text)

    def _put(self, text: str) -> None:
        field = self._state.field
        if field is not None:
            self._pieces.setdefault("deleted" if self._state.deleted and field == "" else field, []).append(text)


def _codec(name: str) -> str:
    import codecs

    try:
        return codecs.lookup("utf-8" if name == "cp65001" else name).name
    except LookupError:
        return "cp1252"


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """An RTF document, then the pictures and files put into it."""
    texts = Texts(blob.object)
    blob.stream.seek(0)
    reader = Reader(texts)
    closed = reader.read(blob.stream.read())
    yield from texts.rest()
    if not closed:
        yield Problem(blob.object, Why.DAMAGED, "the document breaks off")
    used: dict[str, int] = {}
    for kind, digits in reader.files:
        digits = re.sub(rb"[^0-9a-fA-F]", b"", digits)
        data = bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))
        name, data = objects.native(data) if kind == "object" else (kind, data)
        if data:
            yield from objects.walked(blob, name, data, used, walk)
