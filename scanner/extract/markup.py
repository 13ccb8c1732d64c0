"""Markup: XML as columns by element path, HTML as text with its blocks on lines of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import BinaryIO, Protocol

from scanner.extract import text as plain
from scanner.extract.text import HEAD, Encoding, Texts, decoded, encoding_of
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Shape, Why

_CHUNK = 2**16
_HELD = 2**20


class Target(Protocol):
    """What lxml calls while it reads, so that no tree is ever built."""

    def start(self, tag: str, attributes: dict[str, str], /) -> None: ...
    def end(self, tag: str, /) -> None: ...
    def data(self, data: str, /) -> None: ...
    def comment(self, text: str, /) -> None: ...
    def close(self) -> None: ...


@lru_cache(maxsize=4096)
def local(tag: object) -> str:
    """A tag or attribute name without its namespace."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def parse_xml(chunks: Iterable[bytes], target: Target, recover: bool = True) -> Iterator[None]:
    """Feed XML to a target, pausing after each chunk. No entity, DTD or address is ever looked up.

    Raises `lxml.etree.XMLSyntaxError` where even recovery ends. A document that declares entities is read with
    libxml2's limits against blow-ups in force; one that does not may be of any depth and length.
    """
    from lxml import etree

    source = iter(chunks)
    first = next(source, b"")
    while len(first) < HEAD and (more := next(source, b"")):
        first += more
    huge = b"<!ENTITY" not in first.replace(b"\0", b"")
    parser = etree.XMLParser(target=target, recover=recover, huge_tree=huge, resolve_entities=False, no_network=True, load_dtd=False)
    for at in range(0, len(first), _CHUNK):
        parser.feed(first[at : at + _CHUNK])
        yield
    for chunk in source:
        parser.feed(chunk)
        yield
    parser.close()


def bytes_of(stream: BinaryIO) -> Iterator[bytes]:
    """A stream from where it stands, in chunks."""
    while chunk := stream.read(_CHUNK):
        yield chunk


@dataclass(slots=True)
class _Element:
    path: str
    item: int
    raw: list[str] = field(default_factory=list)
    entries: list[tuple[str, str]] = field(default_factory=list)
    children: bool = False
    filled: bool = False  # holds text of its own
    mixed: bool = False
    size: int = 0


class Columns:
    """Collects the texts of an XML document by element path. Text mixed with elements is one text."""

    def __init__(self, texts: Texts, record: str | None = None, field: str = "") -> None:
        self._texts = texts
        self._given, self._prefix = record, f"{field}." if field else ""
        self._open: list[_Element] = []
        self._items = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if self._open:
            parent = self._open[-1]
            parent.children = True
            if len(self._open) == 1:
                self._items += 1
            parent.mixed = parent.mixed or parent.filled
            path = name if len(self._open) == 1 else f"{parent.path}.{name}"
            element = _Element((self._prefix if len(self._open) == 1 else "") + path[:300], self._items)
        else:
            element = _Element(self._prefix.rstrip("."), 0)
        self._open.append(element)
        for key, value in dict(attributes).items():
            where = f"{element.path}.@{local(key)}" if element.path else f"@{local(key)}"
            self._texts.add(self._record(element), where, value, Shape.CELL)

    def end(self, _tag: str) -> None:
        if not self._open:
            return
        element = self._open.pop()
        raw = "".join(element.raw)
        if element.mixed or not element.children:
            element.entries = [(element.path, raw)] if element.filled or element.mixed else []
        parent = self._open[-1] if self._open else None
        if parent is None or (len(self._open) == 1 and not parent.mixed) or element.size > _HELD:
            for path, value in element.entries:
                self._texts.add(self._record(element), path, value.strip(), Shape.CELL)
            return
        parent.entries += element.entries
        parent.raw.append(raw)
        parent.size += element.size + len(raw)

    def data(self, data: str) -> None:
        if not self._open:
            return
        element = self._open[-1]
        if not data.isspace():
            element.filled = True
            element.mixed = element.mixed or element.children
        elif len(self._open) == 1 and not element.mixed:
            return
        element.raw.append(data)
        element.size += len(data)
        if element.size > _HELD and (element.mixed or not element.children):
            self._texts.add(self._record(element), element.path, "".join(element.raw), Shape.CELL)
            element.raw, element.size = [], 0

    def comment(self, text: str) -> None:
        self._texts.add(self._record(self._open[-1]) if self._open else "", "comment", text)

    def pi(self, target: str, data: str | None = None) -> None:
        if data and target not in ("xml", "xml-stylesheet", "mso-application"):
            self._texts.add("", "instruction", data)

    def close(self) -> None:
        while self._open:
            self.end("")

    def _record(self, element: _Element) -> str:
        if self._given is not None:
            return self._given
        return f"item={element.item}" if element.item else ""


def read_xml(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """XML of any length: the children of the root are the records."""
    from lxml import etree

    texts = Texts(blob.object)
    blob.stream.seek(0)
    try:
        for _ in parse_xml(bytes_of(blob.stream), Columns(texts), recover=False):
            yield from texts.full()
        yield from texts.rest()
        return
    except etree.LxmlError:
        yield from texts.rest()
    yield Problem(blob.object, Why.DAMAGED, "the XML is not well formed; read as plain text")
    yield from plain.read(blob, walk)


_BREAKS = frozenset([
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "li", "main", "menu",
    "nav", "ol", "option", "p", "pre", "section", "select", "summary", "table", "tbody", "textarea", "tfoot", "thead", "title", "tr",
    "ul", "br",
])  # fmt: skip
_STYLING = frozenset([
    "style", "class", "id", "width", "height", "d", "points", "transform", "viewbox", "srcset", "sizes", "integrity", "nonce", "color",
    "bgcolor",
    "coords", "rel", "type", "xmlns", "fill", "stroke", "path",
])  # fmt: skip
_FILE = re.compile(r"(?i)\s*data:([\w.+-]+)/([\w.+-]+)[^,]{0,200};base64,")
"""The beginning of an address that is a whole file."""
_WRITTEN = re.compile(r"@|%40|\d{6}")
"""What makes an address or an attribute of an unknown name worth reading."""
_TELLING = frozenset(["alt", "title", "value", "placeholder", "aria-label", "label", "summary", "content", "cite", "name-user", "datetime"])
_DULL_META = frozenset(["viewport", "generator", "robots", "theme-color", "charset", "referrer", "format-detection"])
_BLANKS = re.compile(r"[ \t\r\n\f]+")


class Page:
    """Collects the text of an HTML page, and beside it the title, comments, attributes, data scripts and files."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.others: list[tuple[str, str]] = []
        self.files: list[tuple[str, bytes]] = []
        self._silent: list[str] = []  # the elements whose text is not shown, innermost last
        self._script: list[str] | None = None
        self._title: list[str] | None = None
        self._pre = 0
        self._fresh = True  # at the start of a line

    @property
    def text(self) -> str:
        """All text so far."""
        return "".join(self.pieces).strip()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = local(tag).lower()
        if tag in ("script", "style", "template"):
            if tag != "template":
                self._silent.append(tag)
                self._script = []
        elif tag == "title" and not self._silent:
            self._title = []
        elif tag in _BREAKS:
            self._break()
        elif tag in ("td", "th") and not self._fresh:
            self.pieces.append("\t")
        if tag == "pre":
            self._pre += 1
        self._attributes(tag, attributes)

    def _attributes(self, tag: str, attributes: dict[str, str]) -> None:
        for key, value in attributes.items():
            key = local(key).lower()
            if not value or value.isspace():
                continue
            if key in ("href", "action", "src", "data-href"):
                scheme, _, rest = value.partition(":")
                if scheme.strip().lower() in ("mailto", "tel", "sms", "callto"):
                    self.others.append(("attribute", _unquoted(rest)))
                elif scheme.strip().lower() == "data":
                    self._file(value)
                elif "?" in value or _WRITTEN.search(value):
                    self.others.append(("attribute", _unquoted(value)))
            elif tag == "meta" and (key != "content" or _is_dull(attributes)):
                continue
            elif key == "srcdoc":
                self._inner("frame", value)
            elif key in _TELLING or key.startswith("data-") or (key not in _STYLING and _WRITTEN.search(value)):
                self.others.append(("attribute", value))

    def _file(self, address: str) -> None:
        import base64
        import binascii

        if kind := _FILE.match(address):
            try:
                data = base64.b64decode(_unquoted(address[kind.end() :]) + "==")  # it may end without its signs
            except binascii.Error:
                return  # a browser shows nothing either
            self.files.append(("picture" if kind[1].lower() == "image" else "file", data))
        else:
            self.others.append(("attribute", _unquoted(address)))

    def _inner(self, name: str, markup: str) -> None:
        """A page inside the page: its text, and what stands beside it."""
        page = page_of(markup)
        self.others += [(name, page.text), *page.others]
        self.files += page.files

    def end(self, tag: str) -> None:
        tag = local(tag).lower()
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()
            if self._script:
                self.others.append((tag, "".join(self._script)))
            self._script = None
        elif tag == "title" and self._title is not None:
            self.others.append(("title", _BLANKS.sub(" ", "".join(self._title)).strip()))
            self._title = None
        elif tag in _BREAKS:
            self._break()
        if tag == "pre" and self._pre:
            self._pre -= 1

    def data(self, data: str) -> None:
        if self._silent:
            if self._script is not None:
                self._script.append(data)
        elif self._title is not None:
            self._title.append(data)
        else:
            text = data if self._pre else _BLANKS.sub(" ", data)
            if self._fresh and not self._pre:
                text = text.lstrip(" ")
            if text:
                self.pieces.append(text)
                self._fresh = text.endswith("\n")

    def comment(self, text: str) -> None:
        if condition := re.match(r"(?s)\s*\[if[^\]]*\]>(.*?)(?:<!\[endif\]\s*)?\Z", text):
            self._inner("comment", condition[1])
        elif not re.match(r"\s*\[?(?:if|endif|\[CDATA)|\?xml ", text):
            self.others.append(("comment", text.strip()))

    def pi(self, target: str, data: str | None = None) -> None:
        """Processing instructions say nothing about people."""

    def close(self) -> None:
        if self._title:
            self.end("title")

    def _break(self) -> None:
        if not self._fresh:
            self.pieces.append("\n")
            self._fresh = True


def _is_dull(meta: dict[str, str]) -> bool:
    return "http-equiv" in meta or (meta.get("name") or "").lower() in _DULL_META


def _unquoted(value: str) -> str:
    from urllib.parse import unquote

    return unquote(value)


def parse_html(chunks: Iterable[str], page: Page) -> Iterator[None]:
    """Feed HTML to a page, pausing after each chunk."""
    from lxml import etree

    parser = etree.HTMLParser(target=page, encoding="utf-8", huge_tree=True, no_network=True)
    fed = False
    for chunk in chunks:
        for at in range(0, len(chunk), _CHUNK):
            piece = chunk[at : at + _CHUNK].replace("\0", " ")
            parser.feed(piece.encode("utf-8", "replace"))
            fed = True
            yield
    if fed:
        parser.close()


def page_of(text: str) -> Page:
    """The text of a piece of HTML."""
    from lxml import etree

    page = Page()
    try:
        for _ in parse_html([text], page):
            pass
    except etree.LxmlError:
        if not page.pieces:
            page.pieces.append(text)
    return page


def read_html(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """An HTML page of any length, and the files that are written into it."""
    from lxml import etree

    from scanner.extract import objects

    texts = Texts(blob.object)
    page = Page()
    body = texts.flow("", "")
    used: dict[str, int] = {}
    blob.stream.seek(0)
    try:
        for _ in parse_html(decoded(blob.stream, _html_encoding(blob.stream.read(HEAD))), page):
            body.write("".join(page.pieces))
            for name, value in page.others:
                texts.add("", name, value)
            files, page.pieces, page.others, page.files = page.files, [], [], []
            yield from texts.full()
            for name, data in files:
                yield from objects.walked(blob, name, data, used, walk)
    except etree.LxmlError:
        yield Problem(blob.object, Why.DAMAGED, "the HTML could not be read to its end")
    body.write("".join(page.pieces))
    body.end()
    for name, value in page.others:
        texts.add("", name, value)
    yield from texts.rest()
    for name, data in page.files:
        yield from objects.walked(blob, name, data, used, walk)


def _html_encoding(head: bytes) -> Encoding | None:
    """What the page says of itself, unless its bytes say otherwise."""
    import codecs

    match = re.search(rb"(?i)<(?:meta[^>]*?|\?xml[^>]*?en)(?:charset|coding)\s*=\s*[\"']?([\w-]+)", head[:4096])
    found = encoding_of(head)
    if match is None or found is None or found.name != "utf-8":
        return found
    try:
        name = codecs.lookup(match[1].decode("ascii")).name
    except LookupError:
        return found
    if name in ("utf-8", "ascii", "iso8859-1", "cp1252") or name.startswith("utf-16"):
        return found
    return Encoding(name, "replace")
