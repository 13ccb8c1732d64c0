"""What a workbook holds beside its cells: comments, margins, drawings, copies of other tables, people."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from scanner.extract import documents
from scanner.extract.markup import local
from scanner.extract.parts import Parts, Silent
from scanner.extract.text import Texts
from scanner.model import Reading

_CHUNK = 2**20
_TAIL = 1024
_LONGEST = 64 * 2**20


_CONSTANT = re.compile(rb"<f\b[^>]*>[^<]*?(?:\"|&quot;)[^<\"&]")
"""A formula with words of its own."""


class Frame(NamedTuple):
    """A sheet without its cells: its name, its markup, how many cells its corners enclose, and whether formulas hold words."""

    sheet: str
    markup: bytes
    cells: int
    words: bool


def frames_of(parts: Parts) -> dict[str, Frame]:
    """The frames of an Excel workbook's sheets, by part."""
    sheets = _sheet_names(parts) if "xl/workbook.xml" in parts.names else {}
    return {name: Frame(sheets[name], *_frame(parts, name)) for name in parts.matching(r"xl/worksheets/\w+\.xml") if name in sheets}


def _frame(parts: Parts, name: str) -> tuple[bytes, int, bool]:
    """Markup before and after the cells, found without parsing the cells."""
    before = after = rest = b""
    columns: set[bytes] = set()
    row, place = 1, 0  # before, in, and after the cells
    words = False
    try:
        with parts.archive.open(name) as stream:
            while data := stream.read(_CHUNK):
                data = rest + data
                rest = b""
                if place == 0:
                    head, begun, data = _parted(data, rb"<(?:\w+:)?sheetData\b[^>]*>")
                    before += head[: _LONGEST - len(before)]
                    place = (2 if begun.endswith(b"/>") else 1) if begun else 0
                if place == 1:
                    cells, ended, data = _parted(data, rb"</(?:\w+:)?sheetData>")
                    words = words or _CONSTANT.search(cells) is not None
                    columns.update(re.findall(rb' r="([A-Z]{1,3})[0-9]', cells))
                    row = max([row, *map(int, re.findall(rb' r="[A-Z]{1,3}([0-9]{1,7})"', cells[-4096:]))])
                    place, rest = (2, b"") if ended else (1, cells[-_TAIL:])
                if place == 2:
                    after += data[: _LONGEST - len(after)]
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, NotImplementedError):
        return b"", 0, False  # the reader of cells says what is wrong
    width = max((sum((letter - 64) * 26**at for at, letter in enumerate(reversed(c))) for c in columns), default=0)
    return (before + after if place == 2 else b""), width * row, words


def _parted(data: bytes, mark: bytes) -> tuple[bytes, bytes, bytes]:
    match = re.search(mark, data)
    return (data[: match.start()], match[0], data[match.end() :]) if match else (data, b"", b"")


def beside(parts: Parts, texts: Texts, frames: dict[str, Frame]) -> Iterator[Reading]:
    """What an Excel workbook holds beside its cells."""
    sheets = _sheet_names(parts)
    owners: dict[str, str] = {}
    for name in parts.matching(r"xl/worksheets/_rels/[^/]+\.rels"):
        found = documents.Targets()
        yield from parts.feed(name, found)
        sheet = "xl/worksheets/" + name.rpartition("/")[2].removesuffix(".rels")
        for target in found.targets.values():
            owners[f"xl/{target.removeprefix('../').removeprefix('/xl/')}"] = sheets.get(sheet, "")
    for name in parts.matching(r"xl/(?:comments/)?comments?\d*\.xml|xl/threadedComments/\w+\.xml"):
        yield from parts.feed(name, _Comments(texts, owners.get(name, "")), texts)
    for name in parts.matching(r"xl/(?:drawings/drawing|charts/chart|diagrams/data)\d*\.xml"):
        sheet_name = owners.get(name)
        drawing = documents.Ooxml(texts, f"sheet={sheet_name}" if sheet_name else "", "drawing")
        yield from parts.feed(name, drawing, texts)
        drawing.close()
    for name, frame in frames.items():
        yield from parts.feed(name, _Margins(texts, frame.sheet), data=frame.markup)
        if frame.words:
            yield from parts.feed(name, _Formulas(texts, frame.sheet), texts)
    yield from parts.feed("xl/workbook.xml", _Names(texts))
    for name in parts.matching(r"xl/pivotCache/\w+\.xml|xl/externalLinks/\w+\.xml"):
        yield from parts.feed(name, _Cached(texts), texts)
    for name in parts.matching(r"xl/persons/\w+\.xml"):
        yield from parts.feed(name, _People(texts))
    yield from parts.properties(texts, parts.matching(r"docProps/\w+\.xml"))
    yield from parts.rest(texts)


def _sheet_names(parts: Parts) -> dict[str, str]:
    """The name of each sheet by its part."""
    targets, book = documents.Targets(), _Book()
    list(parts.feed("xl/_rels/workbook.xml.rels", targets))
    list(parts.feed("xl/workbook.xml", book))
    found = {}
    for name, key in book.sheets:
        if key in targets.targets:
            found["xl/" + targets.targets[key].removeprefix("/xl/")] = name
    return found


class _Book(Silent):
    """Collects the sheets that a workbook lists."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if local(tag) == "sheet":
            key = next((v for k, v in attributes.items() if local(k) == "id"), "")
            self.sheets.append((attributes.get("name", ""), key))


class _Comments(Silent):
    """Collects cell comments, old notes and threads alike; the record is the row that they hang on."""

    def __init__(self, texts: Texts, sheet: str) -> None:
        self._texts, self._sheet = texts, sheet
        self._record = ""
        self._data: list[str] | None = None
        self._pieces: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if name in ("comment", "threadedComment"):
            row = re.sub(r"\D", "", attributes.get("ref", ""))
            self._record = f"sheet={self._sheet}" + (f",row={row}" if row else "")
            self._pieces = []
        elif name in ("t", "text", "author"):
            self._data = []

    def end(self, tag: str) -> None:
        name = local(tag)
        if name in ("t", "text", "author") and self._data is not None:
            text, self._data = "".join(self._data), None
            if name == "author":
                self._texts.add("", "author", text if not text.startswith("tc={") else "")
            else:
                self._pieces.append(text)
        elif name in ("comment", "threadedComment"):
            self._texts.add(self._record, "comment", "".join(self._pieces))

    def data(self, data: str) -> None:
        if self._data is not None:
            self._data.append(data)


_TELLING: dict[str, tuple[str, ...]] = {
    "dataValidation": ("prompt", "promptTitle", "error", "errorTitle"), "hyperlink": ("tooltip", "display", "location"), "filter": ("val",),
    "customFilter": ("val",), "scenario": ("name", "comment", "user"), "inputCells": ("val",), "protectedRange": ("name",),
    "cfRule": ("text",),
    "control": ("name",), "sheetName": ("val",), "definedName": ("comment", "description", "help", "statusBar"),
    "fileSharing": ("userName",),
    "customWorkbookView": ("name",),
}  # fmt: skip
"""The attributes, by element, in which somebody may have written something."""


class _Margins(Silent):
    """Collects what a sheet holds around its cells: headers, footers, input prompts, lists, filters, scenarios, links."""

    def __init__(self, texts: Texts, sheet: str) -> None:
        self._texts, self._record = texts, f"sheet={sheet}"
        self._data: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._data = []
        for key in _TELLING.get(local(tag), ()):
            self._texts.add(self._record, "attribute", attributes.get(key, ""))

    def end(self, tag: str) -> None:
        name, text = local(tag), "".join(self._data)
        if name.endswith(("Header", "Footer")) and name[:3] in ("odd", "eve", "fir"):
            text = re.sub(r'&(?:"[^"]*"|[LCRPNDTZFAGISUEBXYOH+-]|\d+|K[0-9A-F]{6})', " ", text)
            self._texts.add(self._record, "header" if name.endswith("Header") else "footer", text)
        elif name in ("formula", "formula1", "formula2", "f") and '"' in text:
            self._texts.add(self._record, "formula", text)
        self._data = []

    def data(self, data: str) -> None:
        if len(self._data) < 1000:
            self._data.append(data)


class _Names(Silent):
    """Collects the names that a workbook defines, what is said of them, and the words that they stand for."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._data: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._data = []
        for key in _TELLING.get(local(tag), ()):
            self._texts.add("", "attribute", attributes.get(key, ""))
        if local(tag) == "definedName" and not attributes.get("name", "_xlnm").startswith("_xlnm"):
            self._texts.add("", "attribute", attributes["name"].replace("_", " "))

    def end(self, tag: str) -> None:
        text, self._data = "".join(self._data), []
        if local(tag) == "definedName" and '"' in text:
            self._texts.add("", "formula", text)

    def data(self, data: str) -> None:
        self._data.append(data)


class _Formulas(Silent):
    """Collects formulas that hold words of their own, each set of words once, with the row where it stands first."""

    def __init__(self, texts: Texts, sheet: str) -> None:
        self._texts, self._sheet = texts, sheet
        self._cell = ""
        self._data: list[str] | None = None
        self._seen: set[int] = set()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if name == "c":
            self._cell = attributes.get("r", "")
        elif name == "f":
            self._data = []

    def end(self, tag: str) -> None:
        if local(tag) == "f" and self._data is not None:
            text, self._data = "".join(self._data), None
            words = hash(tuple(re.findall(r'"([^"]+)"', text)))
            if words not in self._seen and '"' in text:
                if len(self._seen) < 100_000:
                    self._seen.add(words)
                row = re.sub(r"\D", "", self._cell)
                self._texts.add(f"sheet={self._sheet}" + (f",row={row}" if row else ""), "formula", text)

    def data(self, data: str) -> None:
        if self._data is not None:
            self._data.append(data)


class _Cached(Silent):
    """Collects copies of cells that a workbook keeps: of pivot tables, and of other workbooks."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._data: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._data = []
        if local(tag) in ("s", "n", "d"):
            self._texts.add("", "cache", attributes.get("v", ""))
        elif local(tag) in ("sheetName", "cacheField", "definedName"):
            self._texts.add("", "cache", attributes.get("val", attributes.get("caption", attributes.get("name", ""))))

    def end(self, tag: str) -> None:
        if local(tag) == "v":
            self._texts.add("", "cache", "".join(self._data))
        self._data = []

    def data(self, data: str) -> None:
        self._data.append(data)


class _People(Silent):
    """Collects the people who took part in threads of comments."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def start(self, _tag: str, attributes: dict[str, str]) -> None:
        for key in ("displayName", "userId"):
            self._texts.add("", "author", attributes.get(key, ""))
