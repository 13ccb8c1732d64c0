"""Pictures: the text in them, which Tesseract reads, and what is written about them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from scanner.errors import PersondataError
from scanner.extract import captions, ocr
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfPage

FIELD = "ocr"
"""The field of what Tesseract reads."""
_PIXELS = 100_000_000
"""Pictures with more are not unpacked: in colour, this many take 400 MB."""
_FORMATS = ("PNG", "JPEG", "MPO", "GIF", "TIFF", "BMP", "DIB", "WEBP", "ICO", "PSD", "JPEG2000", "AVIF", "HEIF")
_PAGED = frozenset({"TIFF", "HEIF"})
_MOVING = frozenset({"GIF", "PNG", "WEBP", "AVIF"})
_NOT_OPENED = ((0, b"AT&TFORM", "DjVu"), (0, b"\xd7\xcd\xc6\x9a", "WMF"), (40, b" EMF", "EMF"))
_DOTS = 300
"""Pages are drawn with so many dots an inch, but with no more than `_SIDE` on a side."""
_SIDE = 3600


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """A picture: its captions, and the text on each of its pages. Raises `ImportError` without Pillow."""
    from PIL import Image

    blob.stream.seek(0)
    head = blob.stream.read(64)
    for at, magic, name in _NOT_OPENED:
        if head.startswith(magic, at):
            yield Problem(blob.object, Why.UNSUPPORTED, f"a picture of a kind that is not opened: {name}")
            return
    try:
        image = _opened(blob.stream, head)
    except Image.DecompressionBombError:
        yield _too_large(blob.object, "")
        return
    except (MemoryError, PersondataError, ImportError):
        raise
    except Exception as error:
        yield Problem(blob.object, Why.DAMAGED, f"the picture cannot be opened ({type(error).__name__})")
        return
    texts = Texts(blob.object)
    with image:
        frames = getattr(image, "n_frames", 1)
        pages = frames if image.format in _PAGED else 1
        for at in range(pages):
            record = f"page={at + 1}" if pages > 1 else ""
            try:
                if at:
                    image.seek(at)
            except (EOFError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                yield Problem(blob.object, Why.DAMAGED, f"the pages from here on cannot be read ({type(error).__name__})", record)
                break
            problems = _page(blob.object, image, record, texts, walk)
            yield from texts.full()
            yield from problems
        yield from texts.rest()
        if frames > 1 and image.format in _MOVING:
            yield Problem(blob.object, Why.UNSUPPORTED, f"only the first of the {frames} pictures of an animation was read", field=FIELD)


def _opened(stream: BinaryIO, head: bytes) -> Image:
    from PIL import Image

    if head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"avis"):
        import pi_heif

        pi_heif.register_heif_opener()
    Image.init()
    stream.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they speak of content; the size is looked at before anything is unpacked
        return Image.open(stream, formats=[name for name in _FORMATS if name in Image.OPEN])


def _page(object: str, image: Image, record: str, texts: Texts, walk: Walk) -> list[Problem]:
    if image.width * image.height > _PIXELS:
        unpacks = image.format == "PNG"  # to look for what stands behind the picture
        return [*captions.read(object, image, record, texts, broken=unpacks), _too_large(object, record)]
    broken: list[Problem] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if image.format == "PNG":  # some of its captions stand behind the picture
            broken = _loaded(object, image, record)
        problems = captions.read(object, image, record, texts, broken=bool(broken))
        return [*problems, *(broken or read_picture(object, image, record, texts, walk))]


def _loaded(object: str, image: Image, record: str) -> list[Problem]:
    try:
        image.load()
    except (MemoryError, PersondataError):
        raise
    except Exception as error:
        return [Problem(object, Why.DAMAGED, f"the picture breaks off ({type(error).__name__})", record, FIELD if record else "")]
    return []


def read_picture(object: str, image: Image, record: str, texts: Texts, walk: Walk, what: str = "a picture") -> list[Problem]:
    """Add the text in a picture to `texts`, as the field `ocr` of a record; what stood in the way, if anything did.

    `what` says in a problem what the picture is. Icons below 64 pixels are taken to hold no text.
    """
    try:
        texts.add(record, FIELD, ocr.text_of(image, walk))
    except ocr.NotReadError as error:
        return [Problem(object, error.why, f"{what}; {error}", record)]
    except (MemoryError, PersondataError):
        raise
    except Exception as error:
        return [Problem(object, Why.DAMAGED, f"{what} that breaks off ({type(error).__name__})", record)]
    return []


def read_page(object: str, page: PdfPage, record: str, texts: Texts, walk: Walk, what: str = "page is a picture") -> list[Problem]:
    """Draw a page of a PDF and add the text in it to `texts`, as `read_picture` does. Raises `PdfiumError`."""
    try:
        import PIL  # noqa: F401
    except ImportError:
        return [Problem(object, Why.UNSUPPORTED, f"{what}; the library Pillow is not installed", record)]
    longest = max(page.get_width(), page.get_height(), 1.0)
    bitmap = page.render(scale=min(_DOTS / 72, _SIDE / longest), grayscale=True)
    try:
        return read_picture(object, bitmap.to_pil(), record, texts, walk, what)
    finally:
        bitmap.close()


def _too_large(object: str, record: str) -> Problem:
    return Problem(object, Why.TOO_LARGE, f"a picture of more than {_PIXELS // 10**6} million pixels", record)
