"""Mail: single messages and mbox archives, their parts as fields of the message's record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from scanner.extract import markup
from scanner.extract.text import Encoding, Texts, decoded, encoding_of
from scanner.extract.walk import Walk
from scanner.model import Blob, Limits, Opened, Problem, Reading, TextBatch, Why

if TYPE_CHECKING:
    from email.header import Header

_PEOPLE = frozenset([
    "from", "to", "cc", "bcc", "reply-to", "sender", "subject", "resent-from", "resent-to", "resent-cc", "resent-bcc",
    "disposition-notification-to", "delivered-to", "x-original-to", "envelope-to", "return-path", "organization", "x-sender",
    "x-envelope-from", "mail-followup-to", "keywords", "comments",
])  # fmt: skip
"""Headers that carry people, each a field of its own; all others share the field `header`."""
_DULL = frozenset([
    "content-type", "content-transfer-encoding", "mime-version", "dkim-signature", "arc-seal", "arc-message-signature",
    "x-google-dkim-signature", "domainkey-signature", "content-language", "content-disposition",
])  # fmt: skip
_SEPARATOR = re.compile(rb"(?:\A|\n\r?\n)(From [^\n]*\n)(?=[!-9;-~]+[ \t]*:|(?<=\d\d\d\d\n)|(?<=\d\d\d\d\r\n))")
_CHUNK = 4 * 2**20
_NESTING = 20


def read_eml(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """One mail in a file of its own."""
    texts = Texts(blob.object)
    longest = _longest(walk.limits)
    blob.stream.seek(0)
    raw = blob.stream.read(longest)
    yield from _message(raw, blob.size > longest, 1, blob, texts, walk)
    yield from texts.rest()


def read_mbox(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """The mails of an mbox archive of any length."""
    texts = Texts(blob.object)
    for number, (raw, cut) in enumerate(_split(blob.stream, _longest(walk.limits)), 1):
        yield from _message(raw, cut, number, blob, texts, walk)
        yield from texts.full()
    yield from texts.rest()


def _longest(limits: Limits) -> int:
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
            if match.start(1) > start and not cut:
                yield held[start : match.start(1)], False
            start, cut = match.start(1), False
        held = held[start:]
        if ended:
            if held and not cut:
                yield held, False
            return
        if len(held) > longest + 65_536:
            if not cut:
                yield held[:longest], True
            held, cut = held[-65_536:], True


def _message(raw: bytes, cut: bool, number: int, blob: Blob, texts: Texts, walk: Walk) -> Iterator[Reading]:
    import email

    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    message = email.message_from_bytes(raw.replace(b"\n>From ", b"\nFrom "))
    record = record_of(_header(message.get("message-id")), number)
    yield from _Mail(blob, record, texts, walk).parts(message, "", 0)
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
        """Read one attachment by its content; its texts become fields of the mail's record."""
        field = self.unique(name, prefix)
        object = f"{self._blob.object}!{self._record}!{field.removeprefix('attachment=')}"
        if self._blob.depth >= self._walk.limits.archive_depth:
            yield self.problem(Why.TOO_LARGE, "the attachment lies too deep; see archive_depth", field)
            return
        by_line, self._walk.by_line = self._walk.by_line, False
        inner = Blob(object, BytesIO(data), len(data), depth=self._blob.depth + 1, skip=self._blob.skip)
        for reading in self._walk.open(inner):
            yield from self._moved(reading, object, field)
        self._walk.by_line = by_line

    def _moved(self, reading: Reading, object: str, field: str) -> Iterator[Reading]:
        """What was read from an attachment, as a field of this mail."""
        if isinstance(reading, Opened):
            return
        where = field + reading.object.removeprefix(object) + (f"/{reading.field}" if reading.field else "")
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

    def parts(self, message: Message, prefix: str, depth: int) -> Iterator[Reading]:
        """Headers, then bodies and attachments, in order."""
        for name, value in message.items():
            lower = str(name).lower()
            text = _header(value)
            if lower in _PEOPLE:
                self._texts.add(self._record, prefix + lower, text)
            elif lower not in _DULL:
                self._texts.add(self._record, prefix + "header", text)
        yield from self._part(message, prefix, depth)

    def _part(self, part: Message, prefix: str, depth: int) -> Iterator[Reading]:
        kind = _type(part)
        payload = part.get_payload()
        if isinstance(payload, list):
            if depth > _NESTING:
                yield self._attachments.problem(Why.TOO_LARGE, "parts lie too deep inside each other", prefix + "body")
                return
            for inner in payload:
                if not isinstance(inner, Message):
                    continue
                if kind in ("message/rfc822", "message/global", "text/rfc822-headers"):
                    name = self._attachments.unique(_name(part) or "message.eml", prefix)
                    yield from self.parts(inner, f"{name}/", depth + 1)
                else:
                    yield from self._part(inner, prefix, depth + 1)
            if part.preamble and len(part.preamble) > 200:
                self._texts.add(self._record, prefix + "body", part.preamble)
            if part.epilogue and not part.epilogue.isspace():
                self._texts.add(self._record, prefix + "body", _unescaped(part.epilogue))
            return
        data = _bytes(part, payload)
        name = _name(part)
        disposition = _header(part.get("content-disposition")).lower()
        if not data:
            return
        if not name and not disposition.startswith("attachment") and kind in _BODIES:
            self._body(data, part, kind, prefix)
        elif kind.startswith(("image/", "audio/", "video/")) and not name and part.get("content-id"):
            yield self._attachments.problem(Why.UNSUPPORTED, f"{kind.partition('/')[0]} in the text of the mail", prefix + "body")
        else:
            yield from self._attachments.read(data, name or _default_name(kind), prefix)

    def _body(self, data: bytes, part: Message, kind: str, prefix: str) -> None:
        text = _text(data, part)
        if kind in ("text/html", "application/xhtml+xml"):
            page = markup.page_of(text)
            self._texts.add(self._record, prefix + "body", page.text)
            for name, value in page.others:
                self._texts.add(self._record, f"{prefix}body/{name}", value)
        else:
            self._texts.add(self._record, prefix + "body", text)


_BODIES = frozenset({
    "text/plain", "text/html", "text/enriched", "text/richtext", "text/watch-html", "application/xhtml+xml",
    "message/delivery-status", "text/rfc822-headers", "message/disposition-notification", "text/x-amp-html",
    "application/pgp-signature", "application/pgp-encrypted", "text/markdown",
})  # fmt: skip


def _type(part: Message) -> str:
    try:
        return part.get_content_type().lower()
    except (ValueError, TypeError, AttributeError, IndexError):
        return "application/octet-stream"


def _default_name(kind: str) -> str:
    import mimetypes

    return f"part{mimetypes.guess_extension(kind) or ''}"


def _bytes(part: Message, payload: object) -> bytes:
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AssertionError, UnicodeError):
        data = None
    if isinstance(data, bytes):
        return data
    return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""


def _text(data: bytes, part: Message) -> str:
    """A body by its charset; where that is missing, unknown or wrong, by its bytes."""
    try:
        charset = part.get_content_charset("") or ""
    except (ValueError, TypeError, LookupError, UnicodeError):
        charset = ""
    return text_of(data, charset)


def text_of(data: bytes, charset: str) -> str:
    """Bytes in a charset that may be missing, unknown or wrong."""
    aliases = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "us-ascii": "", "ascii": "", "utf-8": "", "utf8": ""}
    charset = aliases.get(charset.lower().strip(" \"'"), charset.strip(" \"'"))
    if not charset and data.isascii() and b"\0" not in data:
        return data.decode("ascii")
    if charset == "cp1252" and not data.isascii():
        try:
            return data.decode("utf-8")  # UTF-8 labelled as latin-1 is common; the reverse hardly ever decodes
        except UnicodeDecodeError:
            charset = ""
    if charset:
        try:
            return data.decode(charset)
        except (UnicodeError, LookupError, ValueError, TypeError):
            charset = ""
    encoding = encoding_of(data[:65_536]) or Encoding("utf-8", "stray-cp1252")
    return "".join(decoded(BytesIO(data), encoding))


def _unescaped(text: str) -> str:
    return text if text.isascii() else text_of(text.encode("utf-8", "surrogateescape"), "")


def _name(part: Message) -> str:
    """The file name of a part: plain, RFC 2231, or an encoded word where none may stand."""
    try:
        name = part.get_filename("") or ""
    except (ValueError, TypeError, LookupError, IndexError, UnicodeError, AttributeError):
        raw = str(part.get("content-disposition") or part.get("content-type") or "")
        match = re.search(r'(?i)name\*?\d*\*?="?([^";]+)', raw)
        name = match[1] if match else "attachment"
    return _header(name).replace("/", "_").replace("!", "_").strip()


def _header(value: str | Header | None) -> str:
    """A header as a person reads it: unfolded, encoded words decoded, whatever stands in it."""
    from email.header import decode_header

    if value is None:
        return ""
    try:
        raw = _unescaped(str(value))
    except (UnicodeError, LookupError, ValueError):
        raw = str(value).encode("ascii", "replace").decode()
    raw = re.sub(r"\r?\n[ \t]?", " ", raw) if "\n" in raw else raw
    if "=?" not in raw:
        return raw.strip()
    out: list[str] = []
    try:
        for word, charset in decode_header(raw):
            out.append(word if isinstance(word, str) else text_of(word, charset or ""))
    except (ValueError, LookupError, UnicodeError, TypeError):
        return raw.strip()
    return "".join(out).strip()
