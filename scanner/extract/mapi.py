"""What the properties of Outlook items mean ([MS-OXPROPS]), wherever they are stored: msg, pst and winmail.dat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from scanner.extract import markup
from scanner.extract.mime import text_of
from scanner.extract.text import Texts

TEXT, WIDE, BINARY, OBJECT, MANY = 0x1E, 0x1F, 0x102, 0x0D, 0x1000
"""Types of values: 8-bit text, UTF-16, bytes, an object; `MANY` is added where there are several."""
BODY, HTML, RTF, MESSAGE_ID, HEADERS = 0x1000, 0x1013, 0x1009, 0x1035, 0x7D
ATTACHED, LONG_NAME, SHORT_NAME, DISPLAY_NAME = 0x3701, 0x3707, 0x3704, 0x3001
RECIPIENT_TYPE = 0x0C15

_FIELDS = {
    0x0037: "subject", BODY: "body", 0x0C1A: "from", 0x0C1F: "from", 0x5D01: "from", 0x5D02: "from", 0x0042: "from", 0x0065: "from",
    0x0E04: "to", 0x0E03: "cc", 0x0E02: "bcc", 0x0050: "reply-to", 0x0040: "to", 0x0076: "to", 0x0044: "to", 0x0078: "to",
    LONG_NAME: "attachment name", SHORT_NAME: "attachment name",
}  # fmt: skip
_PERSON = (0x3001, 0x3003, 0x39FE, 0x5FF6, 0x3A20)  # display name, address, SMTP address, and two names more
_RECIPIENT = {1: "to", 2: "cc", 3: "bcc"}
_DULL = frozenset([
    0x001A, 0x003D, 0x0064, 0x0070, 0x0075, 0x0077, 0x0C1E, 0x0E1D, 0x3002, 0x3FF1, 0x3FF8, 0x4022, 0x4024, 0x66A1, 0x6619, 0x8580,
    0x1014, 0x3703, 0x370E, 0x3712, 0x3708, 0x370D,
])  # fmt: skip
"""Texts that repeat another property or name a class, an address type or a media type."""


class Property(NamedTuple):
    """One property; one with several values comes as several."""

    tag: int
    kind: int
    data: bytes

    def text(self) -> str:
        """The value as text; "" where it is none."""
        kind = self.kind & ~MANY
        if kind == WIDE:
            return self.data.decode("utf-16-le", "replace").rstrip("\0")
        return text_of(self.data, "cp1252").rstrip("\0") if kind == TEXT else ""


def first(properties: Iterable[Property], *tags: int) -> str:
    """The text of the first of these tags that has one."""
    found = {one.tag: text for one in properties if one.tag in tags and (text := one.text().strip())}
    return next((found[tag] for tag in tags if tag in found), "")


def write(properties: Iterable[Property], texts: Texts, record: str, prefix: str) -> None:
    """The texts of an item as fields of a record: what has no field of its own, under `header`, each once."""
    seen: set[tuple[str, str]] = set()
    html = rtf = b""
    body = False
    for one in properties:
        if one.tag == HTML:
            html = html or (one.text().encode() if one.kind in (TEXT, WIDE) else one.data)
        elif one.tag == RTF and one.kind == BINARY:
            rtf = rtf or one.data
        elif one.tag not in _DULL and (text := one.text().strip()):
            field = _FIELDS.get(one.tag, "header")
            body = body or field == "body"
            if (field, text) not in seen and (field != "header" or text not in {known for _, known in seen}):
                texts.add(record, prefix + field, text)
            seen.add((field, text))
    if html:
        page = markup.page_of(text_of(html, ""))
        texts.add(record, prefix + "body", page.text)
        for name, value in page.others:
            texts.add(record, f"{prefix}body/{name}", value)
    elif rtf and not body:
        _write_rtf(rtf, texts, record, prefix)


def write_recipient(properties: Iterable[Property], texts: Texts, record: str, prefix: str) -> None:
    """One person that a message went to."""
    known = list(properties)
    kind = next((int.from_bytes(one.data[:4], "little") for one in known if one.tag == RECIPIENT_TYPE), 1)
    person = dict.fromkeys(filter(None, (first(known, tag) for tag in _PERSON)))
    texts.add(record, prefix + _RECIPIENT.get(kind & 3, "to"), " ".join(person))


def several(kind: int, data: bytes) -> list[bytes]:
    """The values of a property that holds several of any length, as [MS-PST] 2.3.3.4.2 stores them."""
    if not kind & MANY or kind & ~MANY not in (TEXT, WIDE, BINARY):
        return [data]
    count = int.from_bytes(data[:4], "little")
    starts = [int.from_bytes(data[at : at + 4], "little") for at in range(4, min(4 + 4 * count, len(data) - 3), 4)]
    return [data[low:high] for low, high in zip(starts, [*starts[1:], len(data)], strict=True)]


def _write_rtf(packed: bytes, texts: Texts, record: str, prefix: str) -> None:
    from scanner.extract import rtf

    found = Texts("")
    rtf.Reader(found).read(unpacked_rtf(packed))
    for batch in found.rest():
        for text in batch.texts.to_pylist():
            texts.add(record, prefix + "body", text)


def unpacked_rtf(data: bytes) -> bytes:
    """The RTF body of a message, as [MS-OXRTFCP] packs it."""
    if data[8:12] != b"LZFu":
        return data[16:]
    start = (
        rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbol"
        rb"ArialTimes New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
    )
    ring = bytearray(start.ljust(4096, b" "))
    at, out, pos = len(start), bytearray(), 16
    while pos < len(data):
        flags = data[pos]
        pos += 1
        for bit in range(8):
            if pos >= len(data):
                return bytes(out)
            if flags >> bit & 1:
                if pos + 1 >= len(data):
                    return bytes(out)
                word = data[pos] << 8 | data[pos + 1]
                pos += 2
                offset, length = word >> 4, (word & 15) + 2
                if offset == at:
                    return bytes(out)
                chunk = [0] * length
                for i in range(length):
                    byte = ring[(offset + i) % 4096]
                    chunk[i] = byte
                    ring[at] = byte
                    at = (at + 1) % 4096
                out += bytes(chunk)
            else:
                out.append(data[pos])
                ring[at] = data[pos]
                at = (at + 1) % 4096
                pos += 1
    return bytes(out)
