"""PDF: the text of every page, and what hides beside it: forms, annotations, links, outline, embedded files."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from scanner.extract.containers import member_name
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

_DULL = frozenset({"Producer", "Creator", "CreationDate", "ModDate"})
_PASSWORD = 4  # FPDF_ERR_PASSWORD
_WIDGET, _LINK, _POPUP = 20, 2, 16  # FPDF_ANNOT_*
_IMAGE, _FORM, _PATH, _SHADING = 3, 5, 2, 4  # FPDF_PAGEOBJ_*
_PICTURE_TEXT = 20
"""A page with a picture and less text than this many characters is taken for a scanned one."""


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """A PDF document, page by page."""
    import pypdfium2

    blob.stream.seek(0)
    try:
        document = pypdfium2.PdfDocument(blob.path or blob.stream)
    except pypdfium2.PdfiumError as error:
        if error.err_code == _PASSWORD:
            yield Problem(blob.object, Why.ENCRYPTED, "PDF with a password")
        else:
            yield Problem(blob.object, Why.DAMAGED, "the PDF cannot be opened")
        return
    with document:
        yield from _document(blob, document, walk)


def _document(blob: Blob, document: PdfDocument, walk: Walk) -> Iterator[Reading]:
    import pypdfium2

    texts = Texts(blob.object)
    problems: list[Problem] = []
    try:
        document.init_forms()
    except (pypdfium2.PdfiumError, Warning):
        problems.append(Problem(blob.object, Why.DAMAGED, "the forms of the PDF cannot be read", field="form"))
    for number in range(1, len(document) + 1):
        record = f"page={number}"
        try:
            page = document.get_page(number - 1)
        except pypdfium2.PdfiumError:
            problems.append(Problem(blob.object, Why.DAMAGED, "a page cannot be read", record))
            continue
        try:
            problems += _page(blob.object, document, page, record, texts)
        except pypdfium2.PdfiumError:
            problems.append(Problem(blob.object, Why.DAMAGED, "a page cannot be read to its end", record))
        finally:
            page.close()
        yield from texts.full()
    for name, value in document.get_metadata_dict(skip_empty=True).items():
        if name not in _DULL:
            texts.add("", f"property:{name.lower()}", _tidy(value))
    for title in _outline(document):
        texts.add("", "outline", title)
    yield from texts.rest()
    yield from problems
    yield from _embedded(blob, document, walk)


def _page(object: str, document: PdfDocument, page: PdfPage, record: str, texts: Texts) -> list[Problem]:
    textpage = page.get_textpage()
    try:
        text = _tidy(textpage.get_text_range()) if textpage.count_chars() > 0 else ""
    finally:
        textpage.close()
    texts.add(record, "", text)
    _annotations(document, page, record, texts)
    if len(text.strip()) >= _PICTURE_TEXT:
        return []
    shapes = {shape.type for shape in page.get_objects(filter=[_IMAGE, _PATH, _SHADING], max_depth=4)}
    if _IMAGE in shapes:
        return [Problem(object, Why.UNSUPPORTED, "page is a picture; no text recognition yet", record)]
    if shapes and not text.strip():
        return [Problem(object, Why.UNSUPPORTED, "page is a drawing; no text recognition yet", record)]
    return []


def _tidy(text: str) -> str:
    """Words that were split at the end of a line are whole again."""
    text = re.sub("[\ufffe\u0002]\r?\n", "", text)
    return text.replace("\ufffe", "-").replace("\x02", "-").replace("\0", " ")


def _annotations(document: PdfDocument, page: PdfPage, record: str, texts: Texts) -> None:
    import pypdfium2.raw as raw

    for at in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, at)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            if kind == _WIDGET:
                form = document.formenv
                value = _wide(raw.FPDFAnnot_GetFormFieldValue, form, annotation) if form else ""
                texts.add(record, "form", value or _wide(raw.FPDFAnnot_GetStringValue, annotation, b"V"))
                continue
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
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def _wide(function: Callable[..., int], *arguments: Any) -> str:
    """A string that PDFium writes as UTF-16, asked for twice: its length, then itself."""
    import pypdfium2.raw as raw

    size = function(*arguments, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")


def _outline(document: PdfDocument) -> Iterator[str]:
    for at, bookmark in enumerate(document.get_toc(max_depth=15)):
        if at >= 100_000:
            return
        yield bookmark.get_title()


def _embedded(blob: Blob, document: PdfDocument, walk: Walk) -> Iterator[Reading]:
    import pypdfium2

    used: dict[str, int] = {}
    for at in range(document.count_attachments()):
        try:
            attachment = document.get_attachment(at)
            object = member_name(blob.object, attachment.get_name() or f"attachment {at + 1}", used)
        except pypdfium2.PdfiumError:
            yield Problem(blob.object, Why.DAMAGED, "an embedded file has no readable name")
            continue
        if blob.depth >= walk.limits.archive_depth:
            yield Problem(object, Why.TOO_LARGE, "lies too deep; see archive_depth")
            continue
        try:
            data = bytes(attachment.get_data())
        except pypdfium2.PdfiumError:
            yield Problem(object, Why.DAMAGED, "the embedded file cannot be read")
            continue
        yield from walk.open(Blob(object, BytesIO(data), len(data), depth=blob.depth + 1, skip=blob.skip))
