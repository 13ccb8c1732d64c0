"""Mail: single messages and mbox archives, their parts as fields of the message's record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from io import BytesIO
from typing import BinaryIO

from scanner.errors import PersondataError
from scanner.extract import markup, mime
from scanner.extract.mime import text_of
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Limits, Opened, Problem, Reading, TextBatch, Why

__all__ = ["NESTING", "Attachments", "longest", "message", "read_eml", "read_emlx", "read_mbox", "record_of", "text_of"]

_PEOPLE = frozenset([
    "from", "to", "cc", "bcc", "reply-to", "sender", "subject", "resent-from", "resent-to", "resent-cc", "resent-bcc",
    "disposition-notification-to", "delivered-to", "x-original-to", "envelope-to", "return-path", "organization", "x-sender",
    "x-envelope-from", "mail-followup-to", "keywords", "comments", "resent-sender", "apparently-to", "x-envelope-to",
    "return-receipt-to", "errors-to", "x-forwarded-to", "x-forwarded-for", "thread-topic",
])  # fmt: skip
"""Headers that carry people, each a field of its own; all others share the field `header`."""
_DULL = frozenset([
    "content-type", "content-transfer-encoding", "mime-version", "dkim-signature", "arc-seal", "arc-message-signature",
    "x-google-dkim-signature", "domainkey-signature", "content-language", "content-disposition",
])  # fmt: skip
_DULL_IN_PARTS = _DULL | {"content-id", "x-attachment-id", "content-length"}
_SEPARATOR = re.compile(
    rb"(?:\A|\n\r?\n)(From [^\n]*\n)(?=[!-9;-~]+[ \t]*:|(?<=\d\d\d\d\n)|(?<=\d\d\d\d\r\n))"
    rb"|\n(From [^\s]+ +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z][a-z] +\d+ \d\d:\d\d:\d\d \d{4}\r?\n)(?=[!-9;-~]+:)"
)
"""Where a mail begins in an mbox; without an empty line before it (the one before broke off) it has to be exact."""
_CHUNK = 4 * 2**20
NESTING = 20
"""So many messages inside each other are read."""


def read_eml(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """One mail in a file of its own."""
    texts = Texts(blob.object)
    most = longest(walk.limits)
    blob.stream.seek(0)
    raw = blob.stream.read(most)
    yield from message(raw, blob.size > most, 1, blob, texts, walk)
    yield from texts.rest()


def read_emlx(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """One mail as Apple Mail keeps it: its length in a line, the mail, and a property list with flags and times."""
    texts = Texts(blob.object)
    blob.stream.seek(0)
    size, most = int(blob.stream.readline(32)), longest(walk.limits)
    yield from message(blob.stream.read(min(size, most)), size > most, 1, blob, texts, walk)
    yield from texts.rest()


def read_mbox(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """The mails of an mbox archive of any length."""
    texts = Texts(blob.object)
    for number, (raw, cut) in enumerate(_split(blob.stream, longest(walk.limits)), 1):
        yield from message(raw.replace(b"\n>From ", b"\nFrom "), cut, number, blob, texts, walk)
        yield from texts.full()
    yield from texts.rest()


def longest(limits: Limits) -> int:
    """A mail is parsed whole, at several times its size in memory: a quarter of what a document may have."""
    return max(limits.document_bytes // 4, 1)


def _split(stream: BinaryIO, longest: int) -> Iterator[tuple[bytes, bool]]:
    """The bytes of each message, and whether they were cut at `longest`."""
    stream.seek(0)
    held, ended, cut = b"", False, False
    while not ended or held:
        if not ended:
            chunk = stream.read(_CHUNK)
            ended = not chunk
            held += chunk
        start = 0
        for match in _SEPARATOR.finditer(held):
            if not ended and match.end() > len(held) - 65_536:
                break  # what follows may not be in sight yet
            if _start(match) > start and not cut:
                yield held[start : _start(match)], False
            start, cut = _start(match), False
        held = held[start:]
        if ended:
            if held and not cut:
                yield held, False
            return
        if len(held) > longest + 65_536:
            if not cut:
                yield held[:longest], True
            held, cut = held[-65_536:], True


def _start(match: re.Match[bytes]) -> int:
    return match.start(1 if match[1] is not None else 2)


def message(raw: bytes, cut: bool, number: int, blob: Blob, texts: Texts, walk: Walk) -> Iterator[Reading]:
    """One mail of `blob`; `number` names it where it has no Message-ID. What is collected in `texts` is for the caller to give."""
    import email

    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    mail = email.message_from_bytes(raw)
    record = record_of(mime.header_text(mail.get("message-id")), number)
    try:
        yield from _Mail(blob, record, texts, walk).parts(mail, "", 0)
    except (MemoryError, PersondataError):
        raise
    except Exception as error:
        yield Problem(blob.object, Why.DAMAGED, f"the mail could not be read to its end ({type(error).__name__})", record)
    if cut:
        yield Problem(blob.object, Why.TOO_LARGE, "only the beginning of the mail was read; see document_bytes", record)


def record_of(identifier: str, number: int) -> str:
    """The record of a mail: by its Message-ID, or by its place among the mails where it has none."""
    identifier = "".join(identifier.split())[:250].strip("<>")
    return f"message=<{identifier}>" if identifier else f"message={number}"


class Attachments:
    """The attachments of one mail, read into its record."""

    def __init__(self, blob: Blob, record: str, texts: Texts, walk: Walk) -> None:
        self._blob, self._record, self._texts, self._walk = blob, record, texts, walk
        self._names: dict[str, int] = {}

    def read(self, data: bytes, name: str, prefix: str) -> Iterator[Reading]:
        """Read one attachment by its content; its name and its texts become fields of the mail's record."""
        yield from self.open(BytesIO(data), len(data), name, prefix)

    def open(self, stream: BinaryIO, size: int, name: str, prefix: str) -> Iterator[Reading]:
        """Read one attachment, of `size` bytes, that lies in a stream."""
        field = self.unique(name, prefix)
        object = f"{self._blob.object}!{self._record}!{field.removeprefix('attachment=')}"
        self._texts.add(self._record, f"{field}/filename", name.replace("_", " "))
        if self._blob.depth >= self._walk.limits.archive_depth:
            yield self.problem(Why.TOO_LARGE, "the attachment lies too deep; see archive_depth", field)
            return
        by_line, self._walk.by_line = self._walk.by_line, False
        inner = Blob(object, stream, size, depth=self._blob.depth + 1, skip=self._blob.skip)
        for reading in self._walk.open(inner):
            yield from self._moved(reading, object, field)
        self._walk.by_line = by_line

    def _moved(self, reading: Reading, object: str, field: str) -> Iterator[Reading]:
        """What was read from an attachment, as a field of this mail."""
        inside = reading.object.removeprefix(object)
        where = field + inside
        if isinstance(reading, Opened):
            if inside and reading.kind != "table":
                self._texts.add(self._record, f"{where}/filename", inside.strip("!").replace("_", " "))
            return
        where += f"/{reading.field}" if reading.field else ""
        if isinstance(reading, Problem):
            yield Problem(self._blob.object, reading.why, reading.detail, self._record, where)
            return
        if reading.seams is None and reading.texts.nbytes < 2**18:
            for text in reading.texts.to_pylist():
                self._texts.add(self._record, where, text or "", reading.shape)
            return
        import pyarrow as pa

        records = pa.repeat(pa.scalar(self._record, pa.string()), len(reading.texts))
        yield TextBatch(self._blob.object, where, reading.texts, records, reading.shape, seams=reading.seams)

    def unique(self, name: str, prefix: str) -> str:
        """The field of an attachment; a second one of the same name gets a number."""
        field = f"{prefix or 'attachment='}{' '.join(name.split())[:200]}"
        self._names[field] = self._names.get(field, 0) + 1
        return field + (f" ({self._names[field]})" if self._names[field] > 1 else "")

    def problem(self, why: Why, detail: str, field: str) -> Problem:
        """Something of this mail that was not read."""
        return Problem(self._blob.object, why, detail, self._record, field)


class _Mail:
    """Reads the parts of one mail into `texts`; `prefix` names the attachment that a part lies in."""

    def __init__(self, blob: Blob, record: str, texts: Texts, walk: Walk) -> None:
        self._record, self._texts = record, texts
        self._attachments = Attachments(blob, record, texts, walk)

    def parts(self, mail: Message, prefix: str, depth: int) -> Iterator[Reading]:
        """Headers, then bodies and attachments, in order."""
        for name, value in mail.items():
            lower = str(name).lower()
            text = mime.header_text(value)
            if lower in _PEOPLE:
                self._add(prefix + lower, text)
            elif lower not in _DULL:
                self._add(prefix + "header", text)
        yield from self._part(mail, prefix, depth)

    def _add(self, field: str, text: str) -> None:
        self._texts.add(self._record, field, text)

    def _part(self, part: Message, prefix: str, depth: int) -> Iterator[Reading]:
        kind = mime.type_of(part)
        payload = part.get_payload()
        if depth > NESTING:
            yield self._attachments.problem(Why.TOO_LARGE, "parts lie too deep inside each other", prefix + "body")
        elif isinstance(payload, list):
            self._add(prefix + "body", mime.text_between(part.preamble))
            for inner in payload:
                if isinstance(inner, Message):
                    yield from self._inner(inner, part, kind, prefix, depth + 1)
            self._add(prefix + "body", mime.text_between(part.epilogue))
        elif kind.startswith("multipart/") and (boundary := mime.boundary_of(str(payload))):
            yield from self._part(_parsed(f'Content-Type: {kind}; boundary="{boundary}"\n\n{payload}'), prefix, depth + 1)
        else:
            yield from self._leaf(part, kind, payload, prefix)

    def _inner(self, inner: Message, part: Message, kind: str, prefix: str, depth: int) -> Iterator[Reading]:
        if kind in _MAILS:
            if str(part.get("content-transfer-encoding")).strip().lower() == "base64" and not inner.keys():
                inner.add_header("Content-Transfer-Encoding", "base64")
                inner = _parsed(mime.bytes_of(inner, inner.get_payload()).data)
            name = self._attachments.unique(mime.name_of(part) or "message.eml", prefix)
            yield from self.parts(inner, f"{name}/", depth)
            return
        for name, value in inner.items():
            if not kind.startswith("multipart/"):
                self._add(prefix + "body", f"{name}: {mime.header_text(value)}")  # what a report says of a mail
            elif name.lower() not in _DULL_IN_PARTS:
                self._add(prefix + "header", mime.header_text(value))
        yield from self._part(inner, prefix, depth)

    def _leaf(self, part: Message, kind: str, payload: object, prefix: str) -> Iterator[Reading]:
        data, rest = mime.bytes_of(part, payload)
        name, other = mime.name_of(part), mime.other_name(part)
        disposition = mime.header_text(part.get("content-disposition")).lower()
        self._add(prefix + "header", other if other != name else "")
        self._add(prefix + "body", text_of(rest, ""))
        if not name and not disposition.startswith("attachment") and kind in _BODIES:
            yield from self._body(data, part, kind, prefix)
        elif data or name:
            yield from self._attachments.read(data, name or mime.default_name(kind), prefix)

    def _body(self, data: bytes, part: Message, kind: str, prefix: str) -> Iterator[Reading]:
        data, files = mime.uuencoded(data)
        text = mime.text_in(data, part)
        if kind in ("text/html", "application/xhtml+xml"):
            page = markup.page_of(text)
            self._add(prefix + "body", page.text)
            for name, value in page.others:
                self._add(f"{prefix}body/{name}", value)
            files += page.files
        else:
            self._add(prefix + "body", text)
        if "-----BEGIN PGP MESSAGE-----" in text:
            yield self._attachments.problem(Why.ENCRYPTED, "encrypted with PGP", prefix + "body")
        for name, content in files:
            yield from self._attachments.read(content, name.replace("/", "_").replace("!", "_"), prefix)


_MAILS = frozenset({"message/rfc822", "message/global", "message/news", "message/partial", "message/external-body"})
_BODIES = frozenset({
    "text/plain", "text/html", "text/enriched", "text/richtext", "text/watch-html", "application/xhtml+xml",
    "message/delivery-status", "text/rfc822-headers", "message/disposition-notification", "text/x-amp-html",
    "application/pgp-encrypted", "text/markdown", "message/feedback-report",
})  # fmt: skip


def _parsed(raw: str | bytes) -> Message:
    import email

    return email.message_from_bytes(raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogateescape"))
