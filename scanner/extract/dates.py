"""When a document was last written, as it says itself: office documents, PDF files and pictures."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date
from typing import BinaryIO

_MOST = 4 * 2**20
"""So many bytes of a document's own description are read."""
_OFFICE = (
    ("docProps/core.xml", rb"<(?:\w+:)?(?:modified|created)\b[^>]*>\s*(\d{4}-\d\d-\d\d)"),
    ("meta.xml", rb"<(?:dc:date|meta:creation-date)\b[^>]*>\s*(\d{4}-\d\d-\d\d)"),
)
_PDF = re.compile(r"D:(\d{4})(\d\d)(\d\d)")
_EXIF = re.compile(r"(\d{4}):(\d\d):(\d\d)")
_TAKEN = (36_867, 36_868, 306)
"""EXIF: when a picture was taken, digitised, changed."""


def written(stream: BinaryIO) -> date | None:
    """The latest day that a document says it was saved or made on (a picture: taken); None where it says none that can be read."""
    stream.seek(0)
    head = stream.read(16)
    stream.seek(0)
    if head.startswith(b"PK\x03\x04"):
        return _tried(_office, stream)
    if head.lstrip().startswith(b"%PDF"):
        return _tried(_pdf, stream)
    if head.startswith((b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"\x89PNG")):
        return _tried(_picture, stream)
    return None


def _tried(read: Callable[[BinaryIO], date | None], stream: BinaryIO) -> date | None:
    """A document that is damaged says nothing: which of many ways it is damaged in does not matter here."""
    try:
        return read(stream)
    except MemoryError:
        raise
    except Exception:
        return None


def _office(stream: BinaryIO) -> date | None:
    with zipfile.ZipFile(stream) as package:
        for name, pattern in _OFFICE:
            if name in package.namelist():
                with package.open(name) as part:
                    days = [date.fromisoformat(day.decode()) for day in re.findall(pattern, part.read(_MOST))]
                return max(days, default=None)
    return None


def _pdf(stream: BinaryIO) -> date | None:
    import pypdfium2

    document = pypdfium2.PdfDocument(stream)
    try:
        said = [document.get_metadata_value(key) for key in ("ModDate", "CreationDate")]
    finally:
        document.close()
    return _latest(_PDF, said)


def _picture(stream: BinaryIO) -> date | None:
    from PIL import Image

    with Image.open(stream) as picture:
        exif = picture.getexif()
        inside = exif.get_ifd(0x8769)
        return _latest(_EXIF, [str(inside.get(tag) or exif.get(tag) or "") for tag in _TAKEN])


def _latest(pattern: re.Pattern[str], said: list[str]) -> date | None:
    found = [match for text in said if (match := pattern.match(text or ""))]
    return max((date(*map(int, match.groups()[:3])) for match in found), default=None)
