"""Calendars (ics) and address cards (vcf): an event or a person is a record, its properties are fields ([RFC 5545], [RFC 6350])."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from io import BytesIO
from quopri import decodestring
from typing import NamedTuple

from scanner.extract import markup
from scanner.extract.mime import text_of
from scanner.extract.text import HEAD, Texts, decoded, encoding_of
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Shape, Why

_RECORDS = {"vevent": "event", "vtodo": "todo", "vjournal": "journal", "vfreebusy": "freebusy", "vcard": "contact"}
_SKIPPED = frozenset({"vtimezone"})
_DULL = frozenset({
    "begin", "end", "version", "prodid", "calscale", "method", "sequence", "dtstamp", "transp", "rev", "trigger", "action", "class",
    "status", "priority", "rrule",
})  # fmt: skip
_DULL_PARAMETERS = frozenset({
    "role", "partstat", "rsvp", "cutype", "type", "value", "encoding", "charset", "language", "tzid", "fmttype", "pref", "mediatype",
    "related", "reltype", "pid", "altid", "index", "sort-as", "geo", "tz", "calscale", "range", "x-num-guests", "schedule-agent",
})  # fmt: skip
_PROSE = frozenset({"summary", "description", "comment", "note", "x-alt-desc"})
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)(?:=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*))?')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_IN_PARAMETER = {"^n": "\n", "^'": '"', "^^": "^"}
_NAMES = ("x-filename", "filename", "x-apple-filename")


class _Property(NamedTuple):
    """One content line: `group.name;parameters:value`."""

    name: str
    parameters: dict[str, str]
    value: bytes

    def text(self) -> str:
        """The value as text, freed from its encoding, but still escaped."""
        printable = self.parameters.get("encoding", "").lower() == "quoted-printable" or "quoted-printable" in self.parameters
        data = decodestring(self.value) if printable else self.value
        return text_of(data, self.parameters.get("charset", ""))


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """One calendar or a file of address cards, of any length."""
    texts = Texts(blob.object)
    longest = walk.limits.document_bytes
    held: list[_Property] = []
    open: list[str] = []
    number, begun = 0, 0
    for line in _logical(_lines(blob), longest):
        if line is None:
            yield Problem(blob.object, Why.TOO_LARGE, "one of its properties is too long; see document_bytes")
            continue
        one = _property(line)
        if one is None:
            texts.add("", "", text_of(line, ""))
            continue
        kind = one.value.decode("ascii", "replace").strip().lower() if one.name in ("begin", "end") else ""
        if one.name == "begin":
            open.append(kind)
            begun = begun or (len(open) if kind in _RECORDS else 0)
        if not _SKIPPED.intersection(open):
            held.append(one)
        if one.name == "end" and open:
            ends = len(open) == begun
            open.pop()
            if ends or not open:
                number += ends
                yield from _record(blob, walk, texts, held, number)
                held, begun = [], 0
                yield from texts.full()
    if held:
        yield from _record(blob, walk, texts, held, number + 1)
    yield from texts.rest()


def _record(blob: Blob, walk: Walk, texts: Texts, held: list[_Property], number: int) -> Iterator[Reading]:
    """Write the properties of one event or person; those of the calendar itself belong to no record."""
    kinds = (one.value.decode("ascii", "replace").strip().lower() for one in held if one.name == "begin")
    kind = next((_RECORDS[kind] for kind in kinds if kind in _RECORDS), "")
    uid = next((_ESCAPED.sub(r"\1", one.text()).strip() for one in held if one.name == "uid"), "")
    record = f"{kind}={''.join(uid.split())[:250] or number}" if kind else ""
    inside = not kind
    files = 0
    for one in held:
        inside = inside or (one.name == "begin" and one.value.decode("ascii", "replace").strip().lower() in _RECORDS)
        whose = record if inside else ""
        if one.name in _DULL:
            continue
        if (data := _binary(one)) is not None:
            files += 1
            name = next((one.parameters[key] for key in _NAMES if key in one.parameters), "") or f"{one.name} {files}"
            yield from _file(blob, walk, data, f"{blob.object}!{whose}!{name.replace('/', '_').replace('!', '_')}")
            continue
        text = _plain(one)
        others = [value for key, value in one.parameters.items() if key not in _DULL_PARAMETERS and value]
        text = " ".join([*others, text]) if others else text
        texts.add(whose, one.name, text, Shape.PROSE if one.name in _PROSE else Shape.CELL)


def _file(blob: Blob, walk: Walk, data: bytes, name: str) -> Iterator[Reading]:
    """A file that is written into a property: a picture, a key, an attachment."""
    if blob.depth >= walk.limits.archive_depth:
        yield Problem(name, Why.TOO_LARGE, "lies too deep; see archive_depth")
        return
    yield from walk.open(Blob(name, BytesIO(data), len(data), depth=blob.depth + 1, skip=blob.skip))


def _plain(one: _Property) -> str:
    """The value as a person reads it."""
    text = one.text()
    if one.parameters.get("fmttype", "").lower() == "text/html":
        return markup.page_of(_unescaped(text)).text
    if one.name in ("n", "adr", "org"):
        parts = [_unescaped(part).strip() for part in re.split(r"(?<!\\);", text)]
        if one.name == "adr" and len(parts) == 7:
            box, more, street, town, region, code, country = parts
            parts = [box, more, street, f"{code} {town}".strip(), region, country]
        if one.name == "n" and len(parts) > 1:
            parts = [*parts[3:4], *parts[1:3], parts[0], *parts[4:]]
        return (" " if one.name == "n" else ", ").join(filter(None, parts))
    return re.sub(r"(?i)\A(?:mailto|tel):", "", _unescaped(text))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], text)


def _binary(one: _Property) -> bytes | None:
    """The bytes of a file in a property; `None` where it holds text."""
    marks = one.parameters.get("encoding", "").lower()
    value = one.value
    if marks not in ("b", "base64") and "base64" not in one.parameters:
        match = re.match(rb"(?i)\s*data:[^,]{0,200};base64,", value)
        if not match:
            return None
        value = value[match.end() :]
    try:
        return base64.b64decode(b"".join(value.split()) + b"==")
    except ValueError:
        return None


def _property(line: bytes) -> _Property | None:
    head = re.match(rb"([A-Za-z0-9-]+\.)?([A-Za-z0-9_-]+)(?=[;:])", line.lstrip(b"\xef\xbb\xbf"))
    if head is None:
        return None
    line = line.lstrip(b"\xef\xbb\xbf")
    at, quoted = head.end(), False
    while at < len(line) and (quoted or line[at] != 0x3A):
        quoted ^= line[at] == 0x22
        at += 1
    if at == len(line):
        return None
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(text_of(line[head.end() : at], "")):
        value = re.sub(r"\^[n'^]", lambda found: _IN_PARAMETER[found[0]], (match[2] or "").replace('"', ""))
        name = match[1].lower()
        parameters[name] = re.sub(r"(?i)\bmailto:", "", value) if name not in parameters else f"{parameters[name]} {value}"
    return _Property(head[2].decode().lower(), parameters, line[at + 1 :])


def _lines(blob: Blob) -> Iterator[bytes]:
    """Physical lines with their ends; in UTF-8 where the file is in another Unicode form."""
    blob.stream.seek(0)
    encoding = encoding_of(blob.stream.read(HEAD))
    if encoding is None or (not encoding.name.startswith("utf-16") and not encoding.name.startswith("utf-32")):
        blob.stream.seek(0)
        while line := blob.stream.readline(HEAD):
            yield line
        return
    rest = b""
    for chunk in decoded(blob.stream, encoding):
        lines = (rest + chunk.encode("utf-8", "replace")).splitlines(keepends=True)
        rest = lines.pop() if lines else b""
        yield from lines
    if rest:
        yield rest


def _logical(lines: Iterator[bytes], longest: int) -> Iterator[bytes | None]:
    """Folded lines put together; `None` for one that is too long. A letter may be folded in the middle."""
    held = bytearray()
    broken = soft = over = False
    for line in lines:
        ended = line.endswith((b"\n", b"\r"))
        body = line.rstrip(b"\r\n")
        if held and not broken and not soft and not line.startswith((b" ", b"\t")):
            yield None if over else bytes(held)
            held, over = bytearray(), False
        if soft:
            held += body.lstrip(b" \t") if body.startswith((b" ", b"\t")) else body
        else:
            held += body if broken or not held else body[1:]
        over = over or len(held) > longest
        if over:
            del held[longest:]
        broken = not ended
        soft = ended and held.endswith(b"=") and re.search(rb"(?i)\A[^:]*quoted-printable[^:]*:", held[:512]) is not None
        if soft:
            del held[-1:]
    if held:
        yield None if over else bytes(held)
