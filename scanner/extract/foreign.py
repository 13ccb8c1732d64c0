"""Formats that the kreuzberg library reads for us (old Word and PowerPoint), and electronic books."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from scanner.extract.markup import Page, parse_html
from scanner.extract.parts import Parts
from scanner.extract.text import Texts, decoded
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

_MIMETYPES = {
    "doc": "application/msword",
    "ppt": "application/vnd.ms-powerpoint",
}
_PROPERTIES = {"authors": "creator", "created_by": "creator", "modified_by": "lastModifiedBy", "title": "title",
               "subject": "subject", "keywords": "keywords", "author": "creator", "comments": "description",
               "last_author": "lastModifiedBy", "company": "company", "manager": "manager"}  # fmt: skip


def read(blob: Blob, _walk: Walk) -> Iterator[Reading]:
    """An old binary document of Word or PowerPoint."""
    import kreuzberg

    from scanner.extract import ole

    names = ole.Compound(blob.stream).entries
    kind = "doc" if "WordDocument" in names else "ppt"
    blob.stream.seek(0)
    data = blob.stream.read()
    if kind == "doc" and _encrypted_doc(ole.Compound(blob.stream)):
        yield Problem(blob.object, Why.ENCRYPTED, "document with a password")
        return
    config = kreuzberg.ExtractionConfig(use_cache=False)
    try:
        result = kreuzberg.extract_bytes_sync(data, _MIMETYPES[kind], config)
    except kreuzberg.KreuzbergError as error:
        yield Problem(blob.object, Why.DAMAGED, f"the old document cannot be read ({type(error).__name__})")
        return
    texts = Texts(blob.object)
    texts.add("", "", result.content)
    metadata = result.metadata if isinstance(result.metadata, dict) else {}
    for key, name in _PROPERTIES.items():
        value = metadata.get(key)
        for text in value if isinstance(value, list) else [value]:
            texts.add("", f"property:{name}", text if isinstance(text, str) else "")
    nothing = not texts.given
    yield from texts.rest()
    if nothing:
        yield Problem(blob.object, Why.UNSUPPORTED, "no text was found in the old document")


def _encrypted_doc(compound: object) -> bool:
    head = compound.read("WordDocument")[:12]  # type: ignore[attr-defined]
    return len(head) == 12 and bool(head[11] & 1)  # fEncrypted of the FIB, [MS-DOC] 2.5.1


def read_epub(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """An electronic book: its pages in their order by name, and who made it."""
    from lxml import etree

    parts = Parts(blob, walk)
    texts = Texts(blob.object)
    for name in parts.matching(r"(?i).*\.(?:x?html?|ncx|txt)"):
        parts.fed.add(name)
        page = Page()
        body = texts.flow("", "")
        try:
            with parts.archive.open(name) as stream:
                for _ in parse_html(decoded(cast("BinaryIO", stream)), page):
                    body.write("".join(page.pieces))
                    page.pieces = []
                    yield from texts.full()
        except (etree.LxmlError, zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError) as error:
            yield Problem(blob.object, Why.DAMAGED, f"a page of the book cannot be read ({type(error).__name__})")
        body.write("".join(page.pieces) + "\n")
        body.end()
        for field, value in page.others:
            texts.add("", field, value)
    for name in parts.matching(r"(?i).*\.opf"):
        yield from parts.properties(texts, [name])
    if "META-INF/encryption.xml" in parts.names:
        closed = parts.archive.read("META-INF/encryption.xml")[: 2**22]
        if re.search(rb"URI\s*=\s*[\"'][^\"']+\.(?:x?html?|xml)[\"']", closed):  # fonts are always scrambled
            yield Problem(blob.object, Why.ENCRYPTED, "pages of the book are encrypted")
    yield from parts.rest(texts)
