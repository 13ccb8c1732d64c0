"""OpenDocument texts, slides and sheets, read straight from their XML: nothing that is hidden is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanner.extract.markup import local
from scanner.extract.parts import Parts, Silent
from scanner.extract.text import Flow, Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

_FIELDS = {
    "annotation": "comment", "note-body": "footnote", "header": "header", "footer": "footer", "header-left": "header",
    "footer-left": "footer", "header-first": "header", "footer-first": "footer", "notes": "note", "deletion": "deleted",
    "footer-decl": "footer", "header-decl": "header", "date-time-decl": "header", "previous": "deleted", "change-info": "author",
}  # fmt: skip
_SHEET_FIELDS = {
    **{name: field for name, field in _FIELDS.items() if name != "annotation"},
    **dict.fromkeys(["shapes", "frame", "custom-shape", "rect", "ellipse", "caption"], "drawing"),
}
_TELLING = frozenset([
    "string-value", "value", "string-value-if-true", "string-value-if-false", "current-value", "label", "help-message", "title",
    "condition",
    "expression", "formula", "current-selected", "target-frame-name",
])  # fmt: skip
_NAMED = frozenset([
    "section", "bookmark", "bookmark-start", "reference-mark", "reference-mark-start", "user-field-decl", "page", "frame",
    "named-expression", "table-source",
    "variable-decl", "script",
])  # fmt: skip
"""Elements whose name somebody may have given."""
_GIVEN = re.compile(r"[^\d\s]{0,30}\s?\d{1,6}(?:_\d+)?|__\w+|[A-Za-z]{0,12}")
"""Names that the program gave by itself: a word and a number."""


class Odf:
    """Writes the text of an OpenDocument part: body, headers, footers, notes, annotations, tracked deletions.

    With `beside`, what stands in the cells of a sheet, and the comments on them, are left to others.
    """

    def __init__(self, texts: Texts, slides: bool = False, beside: bool = False) -> None:
        self._texts, self._slides, self._beside = texts, slides, beside
        self._fields = _SHEET_FIELDS if beside else _FIELDS
        self._record = ""
        self._slide = 0
        self._flows: list[tuple[str, Flow]] = [("", texts.flow("", ""))]
        self._inside = 0  # paragraphs around the current position
        self._depth = 0
        self._cells = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        name = local(tag)
        if name in self._fields and tag.startswith(_OURS):
            self._flows.append((name, self._texts.flow(self._record, self._fields[name])))
            self._inside += name in _BARE
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
        if attributes:
            self._told(name, attributes)

    def _told(self, name: str, attributes: dict[str, str]) -> None:
        """Keep what somebody wrote into an attribute; the values of cells stand in the cells."""
        for key, value in attributes.items():
            key = local(key)
            if name == "table-cell" and key != "formula":
                continue
            if key in _TELLING and not _NUMBER.fullmatch(value) and (key != "formula" or '"' in value):
                self._texts.add(self._record, "formula" if key in ("formula", "expression", "condition") else "variable", value)
            elif key == "name" and name in _NAMED and not _GIVEN.fullmatch(value):
                self._texts.add(self._record, "attribute", value)

    def end(self, tag: str) -> None:
        self._depth -= 1
        name = local(tag)
        if len(self._flows) > 1 and name == self._flows[-1][0]:
            self._flows.pop()[1].end()
            self._inside = max(self._inside - (name in _BARE), 0)
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
        if not self._beside or len(self._flows) > 1:
            self._flows[-1][1].write(piece)


_NUMBER = re.compile(r"-?[\d.,:]{0,7}")
_BARE = frozenset({"footer-decl", "header-decl", "date-time-decl"})
"""Elements whose text stands in no paragraph."""
_OURS = tuple(f"{{urn:oasis:names:tc:opendocument:xmlns:{name}" for name in ("office", "table", "text", "style", "presentation", "drawing"))


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
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
    if "META-INF/manifest.xml" in parts.names:
        info = parts.archive.getinfo("META-INF/manifest.xml")
        if info.file_size < 2**24 and b"encryption-data" in parts.archive.read(info):
            parts.problems.append(Problem(parts.blob.object, Why.ENCRYPTED, "document with a password"))
            return True
    return False


def beside(parts: Parts, texts: Texts) -> Iterator[Reading]:
    """What an OpenDocument spreadsheet holds beside its cells."""
    yield from parts.feed("content.xml", _Comments(texts), texts)
    drawn = Odf(texts, beside=True)
    yield from parts.feed("content.xml", drawn, texts)
    drawn.close()
    margins = Odf(texts)
    yield from parts.feed("styles.xml", margins, texts)
    margins.close()
    yield from parts.properties(texts, ["meta.xml"])
    yield from parts.rest(texts)


class _Comments(Silent):
    """Collects the annotations of a sheet, with the row that they hang on."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._sheet, self._row, self._step = "", 0, 1
        self._pieces: list[str] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if name == "table":
            self._sheet = next((v for k, v in attributes.items() if local(k) == "name"), "")
            self._row, self._step = 0, 1
        elif name == "table-row":
            self._row += self._step
            many = next((v for k, v in attributes.items() if local(k) == "number-rows-repeated"), "1")
            self._step = int(many) if many.isdigit() else 1
        elif name == "annotation":
            self._pieces = []

    def end(self, tag: str) -> None:
        name = local(tag)
        if name == "annotation" and self._pieces is not None:
            self._texts.add(f"sheet={self._sheet},row={max(self._row, 1)}", "comment", "".join(self._pieces).strip())
            self._pieces = None
        elif name in ("p", "creator", "date") and self._pieces is not None:
            self._pieces.append("\n")

    def data(self, data: str) -> None:
        if self._pieces is not None:
            self._pieces.append(data)
