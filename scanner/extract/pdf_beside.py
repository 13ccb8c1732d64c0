"""What hides beside the pages of a PDF: fields, notes, links, scripts, labels, alternative texts, metadata, layers."""

from __future__ import annotations

import ctypes
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from scanner.extract.markup import local
from scanner.extract.parts import Silent
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

if TYPE_CHECKING:
    import pypdf
    from pypdfium2 import PdfAttachment, PdfDocument, PdfPage

_WIDGET, _LINK, _POPUP, _FILE = 20, 2, 16, 17  # FPDF_ANNOT_*
_DEEPEST, _MOST = 40, 50_000
_DULL = frozenset({"/Producer", "/Creator", "/CreationDate", "/ModDate", "/Trapped", "/Author", "/Title", "/Subject", "/Keywords"})
_GIVEN = re.compile(r"[^\d]{0,40}[\d.\[\]]{0,5}|[ivxlcIVXLC\d]{1,6}")
"""Names of fields and labels of pages that the program gave by itself."""


def notes(document: PdfDocument, page: PdfPage, record: str, texts: Texts, files: list[PdfAttachment]) -> None:
    """Form fields, links and notes of a page; the files that hang on it are added to `files`."""
    import pypdfium2
    import pypdfium2.raw as raw

    for at in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, at)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            if kind == _WIDGET:
                _field(document.formenv, annotation, record, texts)
                continue
            if kind == _FILE and (file := raw.FPDFAnnot_GetFileAttachment(annotation)):
                files.append(pypdfium2.PdfAttachment(file, document))
            if kind == _LINK:
                action = raw.FPDFLink_GetAction(raw.FPDFAnnot_GetLink(annotation))
                size = raw.FPDFAction_GetURIPath(document, action, None, 0) if action else 0
                if size > 1:
                    buffer = ctypes.create_string_buffer(size)
                    raw.FPDFAction_GetURIPath(document, action, buffer, size)
                    texts.add(record, "link", buffer.value.decode("utf-8", "replace").removeprefix("mailto:"))
            if kind != _POPUP:
                texts.add(record, "annotation", _wide(raw.FPDFAnnot_GetStringValue, annotation, b"Contents"))
                texts.add(record, "author", _wide(raw.FPDFAnnot_GetStringValue, annotation, b"T"))
                texts.add(record, "annotation", _wide(raw.FPDFAnnot_GetStringValue, annotation, b"Subj"))
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def _field(form: Any, annotation: Any, record: str, texts: Texts) -> None:
    import pypdfium2.raw as raw

    value = _wide(raw.FPDFAnnot_GetFormFieldValue, form, annotation) if form else ""
    texts.add(record, "form", value or _wide(raw.FPDFAnnot_GetStringValue, annotation, b"V"))
    if not form:
        return
    texts.add(record, "form help", _wide(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation))
    name = _wide(raw.FPDFAnnot_GetFormFieldName, form, annotation)
    if not _GIVEN.fullmatch(name):
        texts.add(record, "form name", name)
    for at in range(min(raw.FPDFAnnot_GetOptionCount(form, annotation), _MOST)):
        option = _wide(raw.FPDFAnnot_GetOptionLabel, form, annotation, at)
        if option != value:
            texts.add(record, "form choice", option)


def alternatives(page: PdfPage, record: str, texts: Texts) -> None:
    """What a page's tags say for those who cannot see its pictures."""
    import pypdfium2.raw as raw

    tree = raw.FPDF_StructTree_GetForPage(page)
    if not tree:
        return
    try:
        todo = [(raw.FPDF_StructTree_GetChildAtIndex(tree, at), 0) for at in range(min(raw.FPDF_StructTree_CountChildren(tree), _MOST))]
        seen = 0
        while todo and seen < _MOST:
            element, depth = todo.pop()
            if not element:
                continue
            seen += 1
            texts.add(record, "attribute", _wide(raw.FPDF_StructElement_GetAltText, element))
            texts.add(record, "attribute", _wide(raw.FPDF_StructElement_GetTitle, element))
            if depth < _DEEPEST:
                inner = range(min(raw.FPDF_StructElement_CountChildren(element), _MOST))
                todo += [(raw.FPDF_StructElement_GetChildAtIndex(element, at), depth + 1) for at in inner]
    finally:
        raw.FPDF_StructTree_Close(tree)


def scripts(document: PdfDocument, texts: Texts) -> None:
    """The scripts that run when the document is opened."""
    import pypdfium2.raw as raw

    for at in range(raw.FPDFDoc_GetJavaScriptActionCount(document)):
        if action := raw.FPDFDoc_GetJavaScriptAction(document, at):
            texts.add("", "script", _wide(raw.FPDFJavaScriptAction_GetScript, action))
            raw.FPDFDoc_CloseJavaScriptAction(action)


def labels(document: PdfDocument, texts: Texts) -> None:
    """The labels of pages that are more than numbers."""
    for at in range(len(document)):
        label = document.get_page_label(at)
        if label and not _GIVEN.fullmatch(label):
            texts.add(f"page={at + 1}", "label", label)


def entered(blob: Blob, document: PdfDocument, walk: Walk, texts: Texts) -> Iterator[Reading]:
    """What was entered into an XFA form (XML beside the pages)."""
    import pypdfium2.raw as raw
    from lxml import etree

    from scanner.extract.markup import Columns, parse_xml

    for at in range(raw.FPDF_GetXFAPacketCount(document)):
        size = ctypes.c_ulong(0)
        if not raw.FPDF_GetXFAPacketContent(document, at, None, 0, size) or size.value > walk.limits.document_bytes:
            yield Problem(blob.object, Why.DAMAGED, "a part of the form cannot be read", field="form")
            continue
        buffer = ctypes.create_string_buffer(size.value)
        raw.FPDF_GetXFAPacketContent(document, at, buffer, size.value, size)
        if b">" not in buffer.raw:
            continue
        try:
            for _ in parse_xml([buffer.raw], Columns(texts, record="", field="form")):
                yield from texts.full()
        except etree.LxmlError:
            yield Problem(blob.object, Why.DAMAGED, "a part of the form is not well formed", field="form")


def described(blob: Blob, texts: Texts) -> list[Problem]:
    """Properties of its own, XMP metadata, and the names of layers, for which PDFium has no call."""
    try:
        import pypdf
    except ImportError:
        return [Problem(blob.object, Why.UNSUPPORTED, "the library pypdf is not installed", field="property")]
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    blob.stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = _described(pypdf.PdfReader(blob.stream), texts)
    except Exception:  # the library raises whatever a broken document makes it stumble over
        return [Problem(blob.object, Why.DAMAGED, "what is said of the PDF cannot be read", field="property")]
    return _xmp(blob, data, texts)


def _described(reader: pypdf.PdfReader, texts: Texts) -> bytes:
    for key, value in dict(reader.trailer.get("/Info", {}) or {}).items():
        if key not in _DULL:
            texts.add("", f"property:{str(key).strip('/')[:60]}", str(value))
    root: Any = reader.trailer["/Root"].get_object()
    for layer in root.get("/OCProperties", {}).get("/OCGs", [])[:_MOST]:
        texts.add("", "layer", str(layer.get_object().get("/Name", "")))
    metadata = root.get("/Metadata")
    return bytes(metadata.get_object().get_data()) if metadata is not None else b""


_XMP_DULL = re.compile(
    r"(?i).*(?:date|producer|creatortool|documentid|instanceid|about|format|rendition|version|conformance|part|trapped|lang|xmptk)"
)


def _xmp(blob: Blob, data: bytes, texts: Texts) -> list[Problem]:
    from lxml import etree

    from scanner.extract.markup import parse_xml

    try:
        for _ in parse_xml([data], _Metadata(texts)):
            pass
    except etree.LxmlError:
        if data.strip():
            return [Problem(blob.object, Why.DAMAGED, "the metadata of the PDF is not well formed", field="property")]
    return []


class _Metadata(Silent):
    """Collects the texts and attributes of XMP metadata, each under the name of its property."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._path: list[str] = []
        self._data: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        self._path.append("" if name in ("Alt", "Seq", "Bag", "li", "Description", "RDF", "xmpmeta") else name)
        self._data = []
        for key, value in attributes.items():
            self._add(local(key), value)

    def end(self, _tag: str) -> None:
        self._add(next((name for name in reversed(self._path) if name), "xmp"), "".join(self._data).strip())
        self._data = []
        if self._path:
            self._path.pop()

    def data(self, data: str) -> None:
        self._data.append(data)

    def _add(self, name: str, value: str) -> None:
        if len(value) > 1 and not _XMP_DULL.fullmatch(name):
            self._texts.add("", f"property:{name}", value)


def _wide(function: Callable[..., int], *arguments: Any) -> str:
    """A string that PDFium writes as UTF-16, asked for twice: its length, then itself."""
    import pypdfium2.raw as raw

    size = function(*arguments, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    kinds = getattr(function, "argtypes", None)
    kind = kinds[len(arguments)] if kinds else ctypes.POINTER(raw.FPDF_WCHAR)
    function(*arguments, ctypes.cast(buffer, kind), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")
