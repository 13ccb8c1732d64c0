"""Outlook messages (msg): headers, bodies, recipients and attachments, as [MS-OXMSG] lays them out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanner.extract import mail, mapi
from scanner.extract.ole import Compound
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Reading, Why

_STREAM = re.compile(r"__substg1\.0_([0-9A-F]{4})(001E|001F|0102|101E|101F)(-[0-9A-F]{8})?")
_SEVERAL = re.compile(r"101[EF]")
_BYTES = ("1013", "1009")


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """One Outlook message."""
    compound = Compound(blob.stream)
    texts = Texts(blob.object)
    properties = _properties(compound, "")
    record = mail.record_of(mapi.first(properties, mapi.MESSAGE_ID), 1)
    yield from _Message(blob, compound, texts, walk, record).parts("", "", 0)
    yield from texts.rest()


def _properties(compound: Compound, storage: str) -> list[mapi.Property]:
    """The properties of one storage that hold text."""
    found = []
    for path in compound.entries:
        match = _STREAM.fullmatch(path, len(storage)) if path.startswith(storage) else None
        if match and bool(match[3]) == bool(_SEVERAL.match(match[2])) and (match[2] != "0102" or match[1] in _BYTES):
            found.append(mapi.Property(int(match[1], 16), int(match[2], 16), compound.read(path)))
    return sorted(found)


class _Message:
    """Reads the properties of a message and of messages attached to it."""

    def __init__(self, blob: Blob, compound: Compound, texts: Texts, walk: Walk, record: str) -> None:
        self._compound, self._texts, self._record = compound, texts, record
        self._attachments = mail.Attachments(blob, record, texts, walk)

    def parts(self, storage: str, prefix: str, depth: int) -> Iterator[Reading]:
        """Headers, bodies and recipients, then attachments."""
        mapi.write(_properties(self._compound, storage), self._texts, self._record, prefix)
        folders = sorted(e.path for e in self._compound.entries.values() if e.storage)
        for path in folders:
            if re.fullmatch(re.escape(storage) + r"__recip_version1\.0_#[0-9A-F]{8}", path):
                mapi.write_recipient(_properties(self._compound, path + "/"), self._texts, self._record, prefix)
        for path in folders:
            if re.fullmatch(re.escape(storage) + r"__attach_version1\.0_#[0-9A-F]{8}", path):
                yield from self._attachment(path + "/", prefix, depth)

    def _attachment(self, storage: str, prefix: str, depth: int) -> Iterator[Reading]:
        known = _properties(self._compound, storage)
        name = mapi.first(known, mapi.LONG_NAME, mapi.SHORT_NAME, mapi.DISPLAY_NAME) or "attachment"
        content, inner = f"{storage}__substg1.0_37010102", f"{storage}__substg1.0_3701000D"
        if content in self._compound.entries:
            yield from self._attachments.read(self._compound.read(content), name, prefix)
        elif inner in self._compound.entries and depth < mail.NESTING:
            field = self._attachments.unique(name if "." in name else f"{name}.msg", prefix)
            yield from self.parts(inner + "/", f"{field}/", depth + 1)
        else:
            yield self._attachments.problem(Why.UNSUPPORTED, "the attachment is only a link", prefix + f"attachment={name}")
