"""Outlook messages (msg): headers, bodies, recipients and attachments, as [MS-OXMSG] lays them out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanner.extract import mail, markup
from scanner.extract.ole import Compound
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Reading, Why

_FIELDS = {
    "0037": "subject", "1000": "body", "0C1A": "from", "0C1F": "from", "5D01": "from", "0042": "from", "0065": "from",
    "0E04": "to", "0E03": "cc", "0E02": "bcc", "007D": "header", "0050": "reply-to", "3A1A": "header",
}  # fmt: skip
_PERSON = ("3001", "3003", "39FE")  # display name, address, SMTP address
_TEXT, _WIDE, _BINARY = "001E", "001F", "0102"


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """One Outlook message."""
    compound = Compound(blob.stream)
    texts = Texts(blob.object)
    identifier = _property(compound, "", "1035")
    record = mail.record_of(identifier, 1)
    yield from _Message(blob, compound, texts, walk, record).parts("", "", 0)
    yield from texts.rest()


def _property(compound: Compound, storage: str, tag: str) -> str:
    """A text property, in whichever of its two encodings it is stored."""
    for kind, codec in ((_WIDE, "utf-16-le"), (_TEXT, "")):
        path = f"{storage}__substg1.0_{tag}{kind}"
        if path in compound.entries:
            data = compound.read(path)
            text = data.decode(codec, "replace") if codec else mail.text_of(data, "cp1252")
            return text.rstrip("\0")
    return ""


class _Message:
    """Reads the properties of a message and of messages attached to it."""

    def __init__(self, blob: Blob, compound: Compound, texts: Texts, walk: Walk, record: str) -> None:
        self._compound, self._texts, self._record = compound, texts, record
        self._attachments = mail.Attachments(blob, record, texts, walk)

    def parts(self, storage: str, prefix: str, depth: int) -> Iterator[Reading]:
        """Headers, bodies and recipients, then attachments."""
        for tag, field in _FIELDS.items():
            self._texts.add(self._record, prefix + field, _property(self._compound, storage, tag))
        self._html(storage, prefix)
        folders = sorted(e.path for e in self._compound.entries.values() if e.storage)
        for path in folders:
            if re.fullmatch(re.escape(storage) + r"__recip_version1\.0_#[0-9A-F]{8}", path):
                person = " ".join(filter(None, (_property(self._compound, path + "/", tag) for tag in _PERSON)))
                self._texts.add(self._record, prefix + "to", person)
        for path in folders:
            if re.fullmatch(re.escape(storage) + r"__attach_version1\.0_#[0-9A-F]{8}", path):
                yield from self._attachment(path + "/", prefix, depth)

    def _html(self, storage: str, prefix: str) -> None:
        path = f"{storage}__substg1.0_1013{_BINARY}"
        html = _property(self._compound, storage, "1013")
        if path in self._compound.entries:
            html = mail.text_of(self._compound.read(path), "")
        if html:
            page = markup.page_of(html)
            self._texts.add(self._record, prefix + "body", page.text)
            for name, value in page.others:
                self._texts.add(self._record, f"{prefix}body/{name}", value)
            return
        packed = f"{storage}__substg1.0_1009{_BINARY}"
        if packed in self._compound.entries and not _property(self._compound, storage, "1000"):
            from scanner.extract import rtf

            found = Texts("")
            rtf.Reader(found).read(unpacked_rtf(self._compound.read(packed)))
            for batch in found.rest():
                for text in batch.texts.to_pylist():
                    self._texts.add(self._record, prefix + "body", text)

    def _attachment(self, storage: str, prefix: str, depth: int) -> Iterator[Reading]:
        tags = ("3707", "3704", "3001")
        name = next(filter(None, (_property(self._compound, storage, tag) for tag in tags)), "attachment")
        inner = f"{storage}__substg1.0_3701000D"
        if f"{storage}__substg1.0_3701{_BINARY}" in self._compound.entries:
            data = self._compound.read(f"{storage}__substg1.0_3701{_BINARY}")
            yield from self._attachments.read(data, name, prefix)
        elif inner in self._compound.entries and depth < 20:
            field = self._attachments.unique(name if "." in name else f"{name}.msg", prefix)
            yield from self.parts(inner + "/", f"{field}/", depth + 1)
        else:
            yield self._attachments.problem(Why.UNSUPPORTED, "the attachment is only a link", prefix + f"attachment={name}")


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
