"""The parts of a zipped office document: their streams, their properties, and the files embedded in it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, BinaryIO, cast

from scanner.extract.containers import member_name, spooled
from scanner.extract.markup import Columns, bytes_of, local, parse_xml
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

_XML = re.compile(r".*\.(?:xml|vml|rdf)")
_DULL = re.compile(
    r"\[Content_Types\]\.xml|mimetype|META-INF/.*|(?:.*/)?(?:theme|themes|printerSettings|fonts|Configurations2|Thumbnails)/.*|.*/"
    r"|docProps/thumbnail\.\w+|(?:\w+/)+(?:styles|stylesWithEffects|fontTable|numbering|webSettings|tableStyles|viewProps|presProps|calcChain)\.(?:xml|bin)"
    r"|(?:.*/)?(?:diagrams/(?:layout|quickStyle|colors|drawing)|charts/(?:style|colors))\d*\.xml|customXml/itemProps\d*\.xml"
    r"|xl/(?:sharedStrings|workbook|worksheets/\w+)\.(?:xml|bin)|(?:Object \d+/)?settings\.xml|Object \d+/(?:styles|meta)\.xml"
    r"|layout-cache|ppt/metadata|manifest\.rdf|ObjectReplacements/.*|encryption\.xml|.*\.(?:css|ttf|otf|woff2?|odttf|fntdata)"
)
"""Parts that say how a document looks, that repeat others, or that their own reader has read by another way."""
_DULL_PROPERTIES = frozenset([
    "template", "totaltime", "pages", "words", "characters", "application", "docsecurity", "lines", "paragraphs", "scalecrop",
    "linksuptodate", "characterswithspaces", "shareddoc", "hyperlinkschanged", "appversion", "revision", "created", "modified",
    "headingpairs", "titlesofparts", "presentationformat", "slides", "notes", "hiddenslides", "mmclips", "generator", "editing-cycles",
    "editing-duration", "date", "creation-date", "language", "document-statistic", "lastprinted", "print-date", "vector", "variant",
    "lpstr", "i4", "contenttype", "contentstatus", "version", "category_", "size", "bool", "i8", "r8", "filetime",
])  # fmt: skip


class Parts:
    """A zipped document that was opened, and the walk that it belongs to."""

    def __init__(self, blob: Blob, walk: Walk) -> None:
        self.blob, self.walk = blob, walk
        self.archive = zipfile.ZipFile(blob.stream)
        self.problems: list[Problem] = []
        self._infos = {info.filename: info for info in self.archive.infolist()}
        self.fed: set[str] = set()  # the parts that a reader has asked for

    @property
    def names(self) -> list[str]:
        """The names of all parts, numbers inside them in numeric order."""
        return sorted(self._infos, key=lambda name: [(p.isdigit(), p.zfill(12)) for p in re.split(r"(\d+)", name)])

    def matching(self, pattern: str) -> list[str]:
        """The names of the parts that match a pattern from their start to their end."""
        return [name for name in self.names if re.fullmatch(pattern, name)]

    def feed(self, name: str, target: object, texts: Texts | None = None, data: bytes | None = None) -> Iterator[Reading]:
        """Feed an XML part, or the given `data` of it, to a target; what cannot be read is told as a problem."""
        from lxml import etree

        info = self._infos.get(name)
        if info is None:
            return
        self.fed.add(name)
        if info.file_size > 4 * self.walk.limits.document_bytes:
            self._tell(Why.TOO_LARGE, name, "unpacks to too much; the limit is document_bytes")
            return
        try:
            with BytesIO(data) if data is not None else self.archive.open(info) as stream:
                for _ in parse_xml(bytes_of(cast("BinaryIO", stream)), target):  # type: ignore[arg-type]
                    if texts is not None:
                        yield from texts.full()
        except etree.LxmlError:
            self._tell(Why.DAMAGED, name, "is not well formed")
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
            encrypted = bool(info.flag_bits & 1)
            self._tell(Why.ENCRYPTED if encrypted else Why.DAMAGED, name, f"cannot be unpacked ({type(error).__name__})")

    def _tell(self, why: Why, name: str, detail: str) -> None:
        part = name if re.fullmatch(r"[\w./-]{1,60}", name) else "a part"
        self.problems.append(Problem(self.blob.object, why, f"{part} {detail}"))

    def properties(self, texts: Texts, names: list[str]) -> Iterator[Reading]:
        """Document properties: who made it, what it is about, and whatever else was attached to it."""
        for name in names:
            yield from self.feed(name, _Properties(texts))

    def rest(self, texts: Texts, other: Callable[[bytes], object | None] = lambda _: None) -> Iterator[Reading]:
        """All that no reader asked for, so that nothing is lost: addresses, other parts, embedded files; then what could not be read.

        `other` chooses the target of an XML part by its first bytes, `None` for columns by element path.
        """
        used: dict[str, int] = {}
        files = []
        for name in self.names:
            if name.endswith(".rels"):
                yield from self.feed(name, _Links(texts))
            elif name in self.fed or _DULL.fullmatch(name):
                continue
            elif _XML.fullmatch(name):
                target: Any = other(self._head(name)) or _Remains(texts, record="", field=_stem(name))
                yield from self.feed(name, target, texts)
                target.close()
            else:
                files.append(name)
        yield from texts.rest()
        for name in files:
            yield from self._embedded(name, used)
        yield from self.problems
        self.archive.close()

    def _head(self, name: str) -> bytes:
        try:
            with self.archive.open(name) as stream:
                return stream.read(4096)
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
            return b""  # told when the part is fed

    def _embedded(self, name: str, used: dict[str, int]) -> Iterator[Reading]:
        object = member_name(self.blob.object, name, used)
        if object in self.walk.skip:
            return
        if self.blob.depth >= self.walk.limits.archive_depth:
            yield Problem(object, Why.TOO_LARGE, "lies too deep; see archive_depth")
            return
        info = self._infos[name]
        try:
            source = self.archive.open(info)
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError) as error:
            yield Problem(object, Why.DAMAGED, f"cannot be unpacked ({type(error).__name__})")
            return
        with source:
            yield from spooled(self.blob, object, source, info.compress_size, self.walk)


def _stem(name: str) -> str:
    """The field of a part: its name without folder, number and ending."""
    return re.sub(r"\d+$", "", name.rpartition("/")[2].rpartition(".")[0])[:40] or "part"


_TELLING = frozenset(["name", "val", "descr", "title", "alt", "tooltip", "displayName", "caption", "comment", "text", "string", "command",
                      "connection", "sql", "userName", "author", "v", "u", "label", "description", "prompt", "help"])  # fmt: skip
_LAYOUT = re.compile(r"-?[\d.,:%]+|[0-9A-Fa-f]{8}|\{[0-9A-Fa-f-]{36}\}|true|false|\w+:[\w./-]+")


class _Remains(Columns):
    """Collects a part that nothing is known of: all its text, and of its attributes those that are no layout."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        telling = {}
        for key, value in dict(attributes).items():
            plain = local(key)
            if plain != "style" and (plain in _TELLING or re.search(r"[ @]|\d{6}", value)) and not _LAYOUT.fullmatch(value):
                telling[key] = value
        super().start(tag, telling)


class _Properties:
    """Collects the properties of a document, each as a field of its own."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._name = ""
        self._field = ""
        self._data: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._data = []
        name = local(tag)
        given = next((v for k, v in attributes.items() if local(k) == "name"), "")
        if name in ("property", "user-defined"):
            self._name = given
        if name == "meta":
            self._name = given or attributes.get("property", "")
            self._texts.add("", f"property:{self._name or name}", attributes.get("content", ""))

    def end(self, tag: str) -> None:
        name, value = local(tag), "".join(self._data).strip()
        self._data = []
        if value and (self._name or name.lower() not in _DULL_PROPERTIES):
            self._texts.add("", f"property:{self._name or name}", value)
        if name in ("property", "user-defined", "meta"):
            self._name = ""

    def data(self, data: str) -> None:
        self._data.append(data)

    def comment(self, text: str) -> None:
        self._texts.add("", "property:comment", text)

    def close(self) -> None:
        """Nothing is left."""


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


class _Links(Silent):
    """Collects the external targets of a relationships part."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def start(self, _tag: str, attributes: dict[str, str]) -> None:
        from urllib.parse import unquote

        if attributes.get("TargetMode") == "External":
            self._texts.add("", "link", unquote(attributes.get("Target", "")).removeprefix("mailto:"))
