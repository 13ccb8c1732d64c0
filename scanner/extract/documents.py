"""Written documents and slides of the office suites, read straight from their XML: nothing that is hidden is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanner.extract.markup import local
from scanner.extract.parts import Parts
from scanner.extract.text import Flow, Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Reading

_LAYOUT = frozenset([
    "pPr", "rPr", "tblPr", "tcPr", "trPr", "sectPr", "tblGrid", "Fallback", "bodyPr", "lstStyle", "spPr", "nvSpPr", "nvPicPr", "tblPrEx",
    "sdtEndPr", "rPrChange", "blipFill", "style", "fldData",
])  # fmt: skip
_OPENING_BREAKS = frozenset({"br", "cr"})


class Ooxml:
    """Writes the text of a WordprocessingML or DrawingML part; a table row is a line, its cells lie between tabs."""

    def __init__(self, texts: Texts, record: str, name: str, per: str = "") -> None:
        self._texts, self._record, self._name = texts, record, name
        self._per = per  # an element that is a text of its own (a comment, a footnote)
        self._flows = [texts.flow(record, name)]
        self._deleted: list[str] = []
        self._skip = self._removed = self._cells = self._boxes = 0
        self._data: list[str] | None = None
        self._instruction: list[str] = []
        self.authors: set[str] = set()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if self._skip or name in _LAYOUT:
            self._skip += 1
            if name in ("rPrChange", "pPrChange", "sectPr", "pPr"):
                self._author(attributes)
            return
        self._author(attributes)
        if name in ("t", "delText", "instrText", "v", "text"):
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
        elif name in ("docPr", "cNvPr"):
            self._texts.add(self._record, "attribute", attributes.get("descr", ""))
            self._texts.add(self._record, "attribute", attributes.get("title", ""))
        elif name == "checkBox":
            pass
        elif name in ("docVar", "listItem"):
            for key, value in attributes.items():
                if local(key) in ("val", "displayText", "value"):
                    self._texts.add(self._record, "variable", value)

    def end(self, tag: str) -> None:
        if self._skip:
            self._skip -= 1
            return
        name = local(tag)
        if self._data is not None and name in ("t", "delText", "instrText", "v", "text"):
            text, self._data = "".join(self._data), None
            if name == "delText" or self._removed:
                self._deleted.append(text)
            elif name == "instrText":
                self._instruction.append(text)
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
            code = "".join(self._instruction)
            self._instruction = []
            if "@" in code or re.search(r"(?i)\b(?:mergefield|docproperty|quote|hyperlink|comments|author)\b", code):
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
        (r"word/(?:charts/chart|diagrams/data)\d*\.xml", "", "p"), (r"word/settings\w*\.xml", "variable", ""),
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
    yield from _shared(parts, texts, "word")


def _shared(parts: Parts, texts: Texts, folder: str) -> Iterator[Reading]:
    from scanner.extract.markup import Columns

    for name in parts.matching(r"customXml/item\d+\.xml"):
        yield from parts.feed(name, Columns(texts, record="", field="custom"), texts)
    yield from parts.properties(texts, parts.matching(r"docProps/\w+\.xml"))
    yield from parts.links(texts, rf"{folder}/(?:\w+/)?_rels/[^/]+\.rels")
    yield from parts.rest(texts)


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
        (r"ppt/comments/\w+\.xml", "comment", "cm"), (r"ppt/(?:charts/chart|diagrams/data)\d*\.xml", "", "p"),
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
    for name in parts.matching(r"ppt/(?:commentAuthors|authors)\.xml"):
        people = _Named(texts)
        yield from parts.feed(name, people)
    for author in sorted(authors):
        texts.add("", "author", author)
    yield from _shared(parts, texts, "ppt")


def _slide_order(parts: Parts) -> dict[str, int]:
    """The number of each slide as the presentation shows them; slides that it does not list come last."""
    targets, listed = Targets(), Targets()
    list(parts.feed("ppt/_rels/presentation.xml.rels", targets))
    list(parts.feed("ppt/presentation.xml", listed))
    found = [f"ppt/{targets.targets[i].removeprefix('/ppt/')}" for i in listed.slides if i in targets.targets]
    slides = parts.matching(r"ppt/slides/slide\d+\.xml")
    return {name: at for at, name in enumerate(dict.fromkeys([*(n for n in found if n in slides), *slides]), 1)}


class Silent:
    """A target for XML that hears nothing; others replace what they need."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, tag: str) -> None:
        """An element ends."""

    def data(self, data: str) -> None:
        """Text."""

    def comment(self, text: str) -> None:
        """A comment."""

    def close(self) -> None:
        """The document ends."""


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


_ODF_FIELDS = {
    "annotation": "comment", "note-body": "footnote", "header": "header", "footer": "footer", "header-left": "header",
    "footer-left": "footer", "header-first": "header", "footer-first": "footer", "notes": "note", "deletion": "deleted",
}  # fmt: skip


class Odf:
    """Writes the text of an OpenDocument part: body, headers, footers, notes, annotations, tracked deletions."""

    def __init__(self, texts: Texts, slides: bool = False) -> None:
        self._texts, self._slides = texts, slides
        self._record = ""
        self._slide = 0
        self._flows: list[tuple[str, Flow]] = [("", texts.flow("", ""))]
        self._inside = 0  # paragraphs around the current position
        self._quiet = 0  # the depth inside what is layout
        self._depth = 0
        self._cells = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        name = local(tag)
        if name in _ODF_FIELDS and tag.startswith(("{urn:oasis:names:tc:opendocument:xmlns:office", _TEXT, _STYLE, _PAGE)):
            self._flows.append((name, self._texts.flow(self._record, _ODF_FIELDS[name])))
        elif name == "page" and self._slides and "drawing" in tag:
            self._flows[0][1].end()
            self._slide += 1
            self._record = f"slide={self._slide}"
            self._flows[0] = ("", self._texts.flow(self._record, ""))
        elif name in ("p", "h") or (name in ("creator", "initials", "title", "desc") and self._depth > 2):
            self._inside += 1
        elif name == "tab":
            self._write("\t")
        elif name == "line-break":
            self._write("\n")
        elif name == "s":
            count = next((v for k, v in attributes.items() if local(k) == "c"), "1")
            self._write(" " * (min(int(count), 1000) if count.isdigit() else 1))
        elif name == "table-cell":
            self._cells += 1
        elif name == "a":
            from urllib.parse import unquote

            for key, value in attributes.items():
                if local(key) == "href" and not value.startswith("#"):
                    self._texts.add(self._record, "link", unquote(value).removeprefix("mailto:"))
        if name.startswith(("user-field", "variable")) or name == "database-display":
            for key, value in attributes.items():
                if local(key) in ("string-value", "value"):
                    self._texts.add(self._record, "variable", value)

    def end(self, tag: str) -> None:
        self._depth -= 1
        name = local(tag)
        if len(self._flows) > 1 and name == self._flows[-1][0]:
            self._flows.pop()[1].end()
        elif name in ("p", "h") or (name in ("creator", "initials", "title", "desc") and self._depth > 1):
            self._inside = max(self._inside - 1, 0)
            self._write(" " if self._cells and len(self._flows) == 1 else "\n")
        elif name == "table-cell":
            self._cells = max(self._cells - 1, 0)
            self._write("\t")
        elif name == "table-row":
            self._write("\n")

    def data(self, data: str) -> None:
        if self._inside:
            self._write(re.sub(r"[ \t\r\n]+", " ", data))

    def comment(self, text: str) -> None:
        self._texts.add("", "comment", text)

    def close(self) -> None:
        while self._flows:
            self._flows.pop()[1].end()
        self._flows = [("", self._texts.flow("", ""))]

    def _write(self, piece: str) -> None:
        self._flows[-1][1].write(piece)


_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style"
_PAGE = "{urn:oasis:names:tc:opendocument:xmlns:presentation"


def read_odf(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """An OpenDocument text or presentation."""
    parts = Parts(blob, walk)
    texts = Texts(blob.object)
    if not encrypted_odf(parts):
        slides = "content.xml" in parts.names and _is_slides(parts)
        for name in parts.matching(r"(?:Object \d+/)?content\.xml|styles\.xml"):
            target = Odf(texts, slides and name == "content.xml")
            yield from parts.feed(name, target, texts)
            target.close()
        yield from parts.properties(texts, parts.matching(r"meta\.xml"))
    yield from parts.rest(texts)


def _is_slides(parts: Parts) -> bool:
    return "mimetype" in parts.names and b".presentation" in parts.archive.read("mimetype")


def encrypted_odf(parts: Parts) -> bool:
    """Whether an OpenDocument has a password; its parts are then told as encrypted."""
    from scanner.model import Problem, Why

    if "META-INF/manifest.xml" in parts.names:
        info = parts.archive.getinfo("META-INF/manifest.xml")
        if info.file_size < 2**24 and b"encryption-data" in parts.archive.read(info):
            parts.problems.append(Problem(parts.blob.object, Why.ENCRYPTED, "document with a password"))
            return True
    return False
