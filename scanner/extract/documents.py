"""Written documents and slides of the office suites, read straight from their XML: nothing that is hidden is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanner.extract.markup import local
from scanner.extract.parts import Parts, Silent
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Reading

_LAYOUT = frozenset([
    "pPr", "rPr", "tblPr", "tcPr", "trPr", "sectPr", "tblGrid", "Fallback", "bodyPr", "lstStyle", "spPr", "tblPrEx",
    "sdtEndPr", "rPrChange", "blipFill", "style", "fldData",
])  # fmt: skip
_OPENING_BREAKS = frozenset({"br", "cr"})
_TEXTS = frozenset({"t", "delText", "instrText", "delInstrText", "v", "text"})
_TELLING: dict[str, tuple[str, ...]] = {
    "docPr": ("descr", "title", "name"), "cNvPr": ("descr", "title", "name"), "hlinkClick": ("tooltip",), "hlinkHover": ("tooltip",),
    "hyperlink": ("tooltip",), "textpath": ("string",), "shape": ("alt",), "rect": ("alt",), "imagedata": ("title",),
    "bookmarkStart": ("name",),
    "alias": ("val",), "tag": ("val",), "default": ("val",), "helpText": ("val",), "statusText": ("val",), "name": ("val",),
    "listEntry": ("val",), "listItem": ("displayText", "value"), "query": ("val",), "connectString": ("val",), "mailSubject": ("val",),
    "permStart": ("ed",), "attr": ("val",), "section": ("name",), "custShow": ("name",), "cSld": ("name",), "tblCaption": ("val",),
    "tblDescription": ("val",), "docVar": ("name", "val"), "control": ("name",),
}  # fmt: skip
"""The attributes, by element, in which somebody may have written something."""
_GIVEN = re.compile(r"_(?:GoBack|Toc\d+|Ref\d+|Hlk\d+)|[^\d;]{1,40} \d{1,5}|Google Shape;.*|[\d.]{0,3}")
"""Names that the program gave by itself."""
_DULL_CODE = re.compile(
    r"(?i)[\s\\]*(?:page|numpages|sectionpages|section|pageref|ref|noteref|seq|toc|styleref|date|time|createdate|savedate|printdate|"
    r'formtext|formcheckbox|formdropdown|filename|numwords|numchars|listnum|symbol|eq|embed|shape)\b[^"@]*'
)


class Ooxml:
    """Writes the text of a WordprocessingML or DrawingML part; a table row is a line, its cells lie between tabs."""

    def __init__(self, texts: Texts, record: str, name: str, per: str = "") -> None:
        self._texts, self._record, self._name = texts, record, name
        self._per = per  # an element that is a text of its own (a comment, a footnote)
        self._flows = [texts.flow(record, name)]
        self._deleted: list[str] = []
        self._skip = self._removed = self._cells = self._boxes = 0
        self._copy = 0  # the depth inside what only repeats the text for old readers
        self._data: list[str] | None = None
        self._instruction: list[str] = []
        self.authors: set[str] = set()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if self._copy or name == "Fallback":
            self._copy += 1
            return
        if name in _TELLING or name == "fldSimple":
            self._told(name, attributes)
        if self._skip or name in _LAYOUT:
            self._skip += 1
            if name in ("rPrChange", "pPrChange", "sectPr", "pPr"):
                self._author(attributes)
            return
        self._author(attributes)
        if name in _TEXTS:
            self._data = []
        elif name == "tab":
            self._write("\t")
        elif name in _OPENING_BREAKS:
            self._write("\n")
        elif name == "noBreakHyphen":
            self._write("-")
        elif name in ("del", "moveFrom"):
            self._removed += 1
        elif name == "tc":
            self._cells += 1
        elif name == "txbxContent":
            self._boxes += 1
            self._flows.append(self._texts.flow(self._record, self._name))

    def _told(self, name: str, attributes: dict[str, str]) -> None:
        """Keep what stands in an attribute, unless the program gave it by itself."""
        if name == "cSld" and self._name == "master":
            return
        for key, value in attributes.items():
            key = local(key)
            if name == "fldSimple" and key == "instr":
                self._code(value)
            elif key in _TELLING.get(name, ()) and not _GIVEN.fullmatch(value):
                written = value.replace("_", " ") if name == "bookmarkStart" else value
                self._texts.add(self._record, "variable" if name in ("docVar", "listItem") else "attribute", written)

    def end(self, tag: str) -> None:
        if self._copy:
            self._copy -= 1
            return
        if self._skip:
            self._skip -= 1
            return
        name = local(tag)
        if self._data is not None and name in _TEXTS:
            text, self._data = "".join(self._data), None
            if name in ("instrText", "delInstrText"):
                self._instruction.append(text)
            elif name == "delText" or self._removed:
                self._deleted.append(text)
            else:
                self._write(text)
                if name == "v":
                    self._write("\n")
        elif name == "p":
            self._paragraph()
        elif name in ("del", "moveFrom"):
            self._removed = max(self._removed - 1, 0)
        elif name == "tc":
            self._cells = max(self._cells - 1, 0)
            self._write("\t")
        elif name == "tr":
            self._write("\n")
        elif name == "txbxContent" and len(self._flows) > 1:
            self._boxes -= 1
            self._flows.pop().end()
        elif name == "fldChar":
            return
        if self._per and name == self._per:
            self._flows[0].end()
            self._flows[0] = self._texts.flow(self._record, self._name)

    def _paragraph(self) -> None:
        self._write(" " if self._cells and not self._boxes else "\n")
        if self._deleted:
            self._texts.add(self._record, "deleted", "".join(self._deleted))
            self._deleted = []
        if self._instruction:
            self._code("".join(self._instruction))
            self._instruction = []

    def _code(self, code: str) -> None:
        if not _DULL_CODE.fullmatch(code):
            self._texts.add(self._record, "link", code)

    def data(self, data: str) -> None:
        if self._data is not None:
            self._data.append(data)

    def comment(self, text: str) -> None:
        self._texts.add(self._record, "comment", text)

    def close(self) -> None:
        self._paragraph()
        while self._flows:
            self._flows.pop().end()
        self._flows = [self._texts.flow(self._record, self._name)]

    def _write(self, piece: str) -> None:
        (self._flows[-1] if not self._removed else _Removed(self._deleted)).write(piece)

    def _author(self, attributes: dict[str, str]) -> None:
        for key, value in attributes.items():
            if local(key) in ("author", "initials", "lastEdited") and value:
                self.authors.add(value)


class _Removed:
    """Takes what stands in a tracked deletion."""

    def __init__(self, pieces: list[str]) -> None:
        self._pieces = pieces

    def write(self, piece: str) -> None:
        self._pieces.append(piece)


def read_docx(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """A Word document: body, headers, footers, notes, comments, deletions, properties, embedded files."""
    parts = Parts(blob, walk)
    texts = Texts(blob.object)
    authors: set[str] = set()
    wanted = (
        (r"word/(?!_rels|glossary/_rels)(?:[^/]+/)?document\w*\.xml", "", ""), (r"word/header\d*\.xml", "header", ""),
        (r"word/footer\d*\.xml", "footer", ""), (r"word/footnotes\w*\.xml", "footnote", "footnote"),
        (r"word/endnotes\w*\.xml", "footnote", "endnote"), (r"word/comments\w*\.xml", "comment", "comment"),
        (r"word/(?:charts/chart|diagrams/data)\w*\.xml", "", "p"), (r"word/settings\w*\.xml", "variable", ""),
    )  # fmt: skip
    for pattern, field, per in wanted:
        for name in parts.matching(pattern):
            target = Ooxml(texts, "", field, per)
            yield from parts.feed(name, target, texts)
            target.close()
            authors |= target.authors
    for name in parts.matching(r"word/people\.xml"):
        people = Ooxml(texts, "", "")
        yield from parts.feed(name, people)
        authors |= people.authors
    for author in sorted(authors):
        texts.add("", "author", author)
    yield from _shared(parts, texts)


def _shared(parts: Parts, texts: Texts) -> Iterator[Reading]:
    from scanner.extract.markup import Columns

    for name in parts.matching(r"customXml/item\d+\.xml"):
        yield from parts.feed(name, Columns(texts, record="", field="custom"), texts)
    yield from parts.properties(texts, parts.matching(r"docProps/\w+\.xml"))
    yield from parts.rest(texts, lambda head: Ooxml(texts, "", "") if _MARKUP.search(head) else None)


_MARKUP = re.compile(rb"/(?:wordprocessingml|presentationml|drawingml)/")
"""Namespaces of the text that parts hold, whatever these are called."""


def read_pptx(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """A presentation: slides (hidden ones too), speaker's notes, comments, properties, embedded files."""
    parts = Parts(blob, walk)
    texts = Texts(blob.object)
    order = _slide_order(parts)
    owners: dict[str, str] = {}
    for name in parts.matching(r"ppt/slides/_rels/slide\d+\.xml\.rels"):
        slide = "ppt/slides/" + name.rpartition("/")[2].removesuffix(".rels")
        found = Targets()
        yield from parts.feed(name, found)
        owners |= {f"ppt/{target.removeprefix('../')}": slide for target in found.targets.values()}
    authors: set[str] = set()
    wanted = (
        (r"ppt/slides/slide\d+\.xml", "", ""), (r"ppt/notesSlides/\w+\.xml", "note", ""),
        (r"ppt/comments/\w+\.xml", "comment", "cm"), (r"ppt/(?:charts/chart|diagrams/data)\w*\.xml", "", "p"),
        (r"ppt/(?:slideMasters|slideLayouts|notesMasters|handoutMasters)/\w+\.xml", "master", ""),
    )  # fmt: skip

    def number_of(name: str) -> int:
        return order.get(owners.get(name, name), 0)

    for pattern, field, per in wanted:
        for name in sorted(parts.matching(pattern), key=lambda name: number_of(name) or len(order) + 1):
            number = number_of(name)
            target = Ooxml(texts, f"slide={number}" if number and field != "master" else "", field, per)
            yield from parts.feed(name, target, texts)
            target.close()
            authors |= target.authors
    for name in parts.matching(r"ppt/(?:presentation|tags/\w+)\.xml"):
        yield from parts.feed(name, Ooxml(texts, "", ""))
    for name in parts.matching(r"ppt/(?:commentAuthors|authors)\.xml"):
        people = _Named(texts)
        yield from parts.feed(name, people)
    for author in sorted(authors):
        texts.add("", "author", author)
    yield from _shared(parts, texts)


def _slide_order(parts: Parts) -> dict[str, int]:
    """The number of each slide as the presentation shows them; slides that it does not list come last."""
    targets, listed = Targets(), Targets()
    list(parts.feed("ppt/_rels/presentation.xml.rels", targets))
    list(parts.feed("ppt/presentation.xml", listed))
    found = [f"ppt/{targets.targets[i].removeprefix('/ppt/')}" for i in listed.slides if i in targets.targets]
    slides = parts.matching(r"ppt/slides/slide\d+\.xml")
    return {name: at for at, name in enumerate(dict.fromkeys([*(n for n in found if n in slides), *slides]), 1)}


class Targets(Silent):
    """Collects the relationships of a part, and the slides that a presentation lists."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}
        self.slides: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if name == "Relationship":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")
        elif name == "sldId":
            self.slides += [v for k, v in attributes.items() if local(k) == "id" and k != "id"]


class _Named(Targets):
    """Collects the names of the people who commented."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts

    def start(self, _tag: str, attributes: dict[str, str]) -> None:
        for key in ("name", "userId"):
            self._texts.add("", "author", attributes.get(key, ""))
