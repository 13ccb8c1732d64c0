"""PDF: the text of every page, and what hides beside it: forms, annotations, links, outline, embedded files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from scanner.extract import images, pdf_beside
from scanner.extract.containers import member_name
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

if TYPE_CHECKING:
    from pypdfium2 import PdfAttachment, PdfDocument, PdfPage

_DULL = frozenset({"Producer", "Creator", "CreationDate", "ModDate"})
_PASSWORD = 4  # FPDF_ERR_PASSWORD
_TEXT, _IMAGE, _PATH, _SHADING = 1, 3, 2, 4  # FPDF_PAGEOBJ_*
_INVISIBLE = 3  # FPDF_TEXTRENDERMODE_INVISIBLE
_PICTURE_TEXT = 20
"""A page with a picture and less text than this many characters is taken for a scanned one."""
_STAMP_TEXT = 400
"""So is one with less than this, if pictures cover half of it and no text is invisible: a stamp or a fax's line stands on a scan.
Invisible text is what another program recognised on it."""


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
    files: list[PdfAttachment] = []
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
            problems += _page(blob.object, document, page, record, texts, files, walk)
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
    pdf_beside.scripts(document, texts)
    pdf_beside.labels(document, texts)
    yield from pdf_beside.entered(blob, document, walk, texts)
    problems += pdf_beside.described(blob, texts)
    yield from texts.rest()
    yield from problems
    yield from _embedded(blob, document, walk, files)


def _page(
    object: str, document: PdfDocument, page: PdfPage, record: str, texts: Texts, files: list[PdfAttachment], walk: Walk
) -> list[Problem]:
    textpage = page.get_textpage()
    try:
        text = _tidy(textpage.get_text_range()) if textpage.count_chars() > 0 else ""
    finally:
        textpage.close()
    texts.add(record, "", text)
    pdf_beside.notes(document, page, record, texts, files)
    pdf_beside.alternatives(page, record, texts)
    if len(text.strip()) >= _PICTURE_TEXT:
        if len(text.strip()) < _STAMP_TEXT and _covered(page) >= 0.5 and _undressed(page):
            return images.read_page(object, page, record, texts, walk, "page is a picture with some text on it")
        return []
    shapes = {shape.type for shape in page.get_objects(filter=[_IMAGE, _PATH, _SHADING], max_depth=4)}
    if _IMAGE in shapes:
        return images.read_page(object, page, record, texts, walk)
    if shapes and not text.strip():
        return images.read_page(object, page, record, texts, walk, "page is a drawing")
    return []


def _covered(page: PdfPage) -> float:
    """The share of a page that its pictures cover (1.0: all of it; where they lie on each other, more)."""
    left, bottom, right, top = page.get_cropbox()
    area = 0.0
    for picture in page.get_objects(filter=[_IMAGE], max_depth=4):
        west, south, east, north = picture.get_bounds()
        corners = [(x, y) for x in (west, east) for y in (south, north)]
        form = picture.container
        while form is not None:
            corners = [form.get_matrix().on_point(*corner) for corner in corners]
            form = form.container
        wide = min(right, max(x for x, _ in corners)) - max(left, min(x for x, _ in corners))
        high = min(top, max(y for _, y in corners)) - max(bottom, min(y for _, y in corners))
        area += max(0.0, wide) * max(0.0, high)
    return float(area / max((right - left) * (top - bottom), 1.0))


def _undressed(page: PdfPage) -> bool:
    """Take the text off a page, as it is drawn, so that it is not recognised once more; not where some of it is invisible (False)."""
    from pypdfium2 import raw

    found = list(page.get_objects(filter=[_TEXT], max_depth=4))
    if any(raw.FPDFTextObj_GetTextRenderMode(one) == _INVISIBLE for one in found):
        return False
    for one in found:
        page.remove_obj(one)
    return True


def _tidy(text: str) -> str:
    """Words that were split at the end of a line are whole again."""
    text = re.sub("[\ufffe\u0002]\r?\n", "", text)
    return text.replace("\ufffe", "-").replace("\x02", "-").replace("\0", " ")


def _outline(document: PdfDocument) -> Iterator[str]:
    for at, bookmark in enumerate(document.get_toc(max_depth=15)):
        if at >= 100_000:
            return
        yield bookmark.get_title()


def _embedded(blob: Blob, document: PdfDocument, walk: Walk, files: list[PdfAttachment]) -> Iterator[Reading]:
    """The files that the document carries, and those that hang on its pages."""
    import pypdfium2

    used: dict[str, int] = {}
    for at in range(document.count_attachments() + len(files)):
        try:
            attachment = document.get_attachment(at) if at < document.count_attachments() else files[at - document.count_attachments()]
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
