"""What is written about a picture and not in it: EXIF, XMP, IPTC, and the comments of PNG, GIF and JPEG."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from scanner.errors import PersondataError
from scanner.extract.markup import bytes_of, local, parse_xml
from scanner.extract.text import Texts, decoded
from scanner.model import Problem, Why

if TYPE_CHECKING:
    from PIL.Image import Image

_MADE_BY_MACHINES = re.compile(
    r"(?i)(?:make|model|software|lens(?:make|model)|(?:modify|create|metadata)?date(?:time)?(?:original|digitized|created)?|creatortool|format|"
    r"(?:original)?documentid|instanceid|subsec\w*|offsettime\w*|colormode|iccprofile|action|when|softwareagent|changed|parameters|marked|"
    r"interop\w*|\w*version|about|parsetype|lang|xmptk|resource|toolkit|hash|tonecurve\w*|whitebalance|cameraprofile\w*)"
)
"""Names of entries that say nothing of people."""
_PROGRAM_NAMES = re.compile(
    r"(?i)\s*(?:created (?:by|with) (?:openjpeg|(?:the )?gimp)|creator: gd-jpeg|file written by adobe|lead technologies|lavc\d)"
)
"""Comments that programs leave."""
_EXIF, _GPS = 0x8769, 0x8825  # where EXIF keeps its further entries, CIPA DC-008 4.6.3
_WINDOWS = range(0x9C9B, 0x9CA0)
"""Entries of Windows (XPTitle to XPSubject), which are UTF-16."""
_USER_COMMENT = 0x9286
_IPTC = {5: "title", 25: "keywords", 26: "location", 40: "instructions", 80: "author", 85: "author-title", 90: "city", 92: "location",
         95: "state", 101: "country", 105: "headline", 110: "credit", 115: "source", 116: "copyright", 118: "contact",
         120: "caption", 122: "caption-author", 131: "title"}  # fmt: skip
"""Entries of record 2 of IPTC-IIM 4.2."""
_CONTAINERS = frozenset({"RDF", "Seq", "Bag", "Alt", "li", "Description", "xmpmeta", "value"})


def read(object: str, image: Image, record: str, texts: Texts, broken: bool = False) -> list[Problem]:
    """Add what stands beside the picture to `texts`, each entry as a field: `exif:Artist`, `xmp:creator`, `iptc:caption`, `comment`.

    Of a broken picture only what was met before it broke off.
    """
    problems: list[Problem] = []
    parts: dict[str, Callable[[Image, str, Texts], None]] = {"xmp": _xmp, "comment": _comments, "exif": _exif, "iptc": _iptc}
    for name, part in list(parts.items())[: 2 if broken else None]:
        try:
            part(image, record, texts)
        except (MemoryError, PersondataError):
            raise
        except Exception as error:
            detail = f"what stands beside the picture cannot be read ({type(error).__name__})"
            problems.append(Problem(object, Why.DAMAGED, detail, record, name))
    return problems


def _exif(image: Image, record: str, texts: Texts) -> None:
    from PIL.ExifTags import TAGS

    exif = image.getexif()
    for entries in (exif, exif.get_ifd(_EXIF)):
        for tag, value in entries.items():
            name = TAGS.get(tag, "")
            if name and not _MADE_BY_MACHINES.fullmatch(name):
                texts.add(record, f"exif:{name}", _exif_text(tag, value))
    texts.add(record, "exif:GPS", _position(exif.get_ifd(_GPS)))


def _exif_text(tag: int, value: object) -> str:
    if tag in _WINDOWS:
        raw = value if isinstance(value, bytes) else bytes(value) if isinstance(value, tuple) else b""
        return raw.decode("utf-16-le", "replace").strip("\0 ")
    if tag == _USER_COMMENT and isinstance(value, bytes):
        code, raw = value[:8], value[8:]
        if not code.startswith(b"UNICODE"):
            return _text(raw)
        little = raw[1::2].count(0) >= raw[::2].count(0)  # the standard leaves the order of bytes open
        return raw.decode("utf-16-le" if little else "utf-16-be", "replace").strip("\0 \ufeff")
    if isinstance(value, str):
        return _text(value.encode("latin-1")) if all(c <= "\xff" for c in value) else value
    return ""


def _position(gps: Mapping[int, Any]) -> str:
    """Latitude and longitude in degrees, north and east above 0, as in `55.6761, 12.5683`; `""` when they are not there."""
    degrees = []
    for value, sign, negative in ((gps.get(2), gps.get(1), "S"), (gps.get(4), gps.get(3), "W")):
        if not isinstance(value, tuple) or len(value) != 3:
            return ""
        number = sum(float(part) / 60**at for at, part in enumerate(value))
        if not math.isfinite(number):
            return ""
        whole, _, rest = f"{-number if sign == negative else number:.6f}".partition(".")
        degrees.append(f"{whole}.{rest.rstrip('0').ljust(4, '0')}")
    return ", ".join(degrees)


def _iptc(image: Image, record: str, texts: Texts) -> None:
    from PIL.IptcImagePlugin import getiptcinfo

    for (part, number), values in (getiptcinfo(image) or {}).items():  # type: ignore[arg-type]
        if part == 2 and number in _IPTC:
            for value in values if isinstance(values, list) else [values]:
                texts.add(record, f"iptc:{_IPTC[number]}", _text(value))


def _xmp(image: Image, record: str, texts: Texts) -> None:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    if isinstance(packet, str):
        packet = packet.encode()
    packet = packet.strip(b"\0 \r\n")
    if packet:
        for _ in parse_xml(bytes_of(io.BytesIO(packet)), _Xmp(record, texts)):
            pass


def _comments(image: Image, record: str, texts: Texts) -> None:
    comment = image.info.get("comment", b"")
    text = _text(comment) if isinstance(comment, bytes) else str(comment)
    if not _PROGRAM_NAMES.match(text):
        texts.add(record, "comment", text)
    for name, value in image.info.items() if image.format == "PNG" else ():
        known = str(name).lower().startswith(("raw profile", "xml:com.adobe")) or _MADE_BY_MACHINES.fullmatch(str(name))
        if isinstance(value, str) and not known:
            texts.add(record, f"png:{name}", value)


def _text(raw: bytes) -> str:
    return "".join(decoded(io.BytesIO(raw.strip(b"\0 ")))) if raw else ""


class _Xmp:
    """Collects the properties of an XMP packet, lists entry by entry."""

    def __init__(self, record: str, texts: Texts) -> None:
        self._record, self._texts = record, texts
        self._names: list[str] = []
        self._data: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._data = []
        name = local(tag)
        self._names.append(self._names[-1] if name in _CONTAINERS and self._names else name)
        for key, value in attributes.items():
            self._add(local(key), value)

    def end(self, _tag: str) -> None:
        self._add(self._names.pop(), "".join(self._data))
        self._data = []

    def data(self, data: str) -> None:
        self._data.append(data)

    def comment(self, text: str) -> None:
        self._add("comment", text)

    def close(self) -> None:
        """Nothing is left."""

    def _add(self, name: str, value: str) -> None:
        if re.search(r"[^\W\d_]{2}|\d{4}", value) and not _MADE_BY_MACHINES.fullmatch(name):
            self._texts.add(self._record, f"xmp:{name}", value.strip())
