"""winmail.dat (TNEF): the message and the attachments that Outlook packs into one part of a mail, as [MS-OXTNEF] lays them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from scanner.extract import mail, mapi
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

SIGNATURE = b"\x78\x9f\x3e\x22"
_SUBJECT, _BODY, _FROM, _SENT_FOR, _OWNER = 0x18004, 0x2800C, 0x8000, 0x60001, 0x60000
_PROPERTIES, _RECIPIENTS, _ATTACHMENT = 0x69003, 0x69004, 0x69005
_NEW_ATTACHMENT, _TITLE, _DATA = 0x69002, 0x18010, 0x6800F
_SIZES = {2: 4, 3: 4, 4: 4, 0x0A: 4, 0x0B: 4, 5: 8, 6: 8, 7: 8, 0x14: 8, 0x40: 8, 0x48: 16}
_VARIABLE = (mapi.TEXT, mapi.WIDE, mapi.BINARY, mapi.OBJECT)
_HEAD = 6


class _DamagedError(Exception):
    """The stream does not hold what it says."""


@dataclass(slots=True)
class _Message:
    properties: list[mapi.Property] = field(default_factory=list)
    people: list[list[mapi.Property]] = field(default_factory=list)
    attachments: list[list[mapi.Property]] = field(default_factory=list)
    damaged: bool = False


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """One winmail.dat."""
    blob.stream.seek(0)
    message = _message(memoryview(blob.stream.read()))
    texts = Texts(blob.object)
    record = mail.record_of(mapi.first(message.properties, mapi.MESSAGE_ID), 1)
    yield from _parts(message, mail.Attachments(blob, record, texts, walk), texts, record, "", 0)
    yield from texts.rest()
    if message.damaged:
        yield Problem(blob.object, Why.DAMAGED, "the winmail.dat breaks off", record)


def _parts(message: _Message, attachments: mail.Attachments, texts: Texts, record: str, prefix: str, depth: int) -> Iterator[Reading]:
    mapi.write(message.properties, texts, record, prefix)
    for person in message.people:
        mapi.write_recipient(person, texts, record, prefix)
    for known in message.attachments:
        name = mapi.first(known, mapi.LONG_NAME, mapi.SHORT_NAME, mapi.DISPLAY_NAME) or "attachment"
        content = next((one for one in known if one.tag == mapi.ATTACHED and one.kind in (mapi.BINARY, mapi.OBJECT)), None)
        data = b"" if content is None else content.data[16 if content.kind == mapi.OBJECT else 0 :]
        if content is None:
            yield attachments.problem(Why.UNSUPPORTED, "the attachment is only a link", f"{prefix}attachment={name}")
        elif content.kind == mapi.OBJECT and data.startswith(SIGNATURE) and depth < mail.NESTING:
            field = attachments.unique(name if "." in name else f"{name}.msg", prefix)
            inner = _message(memoryview(data))
            yield from _parts(inner, attachments, texts, record, f"{field}/", depth + 1)
            if inner.damaged:
                yield attachments.problem(Why.DAMAGED, "the attached message breaks off", field)
        else:
            yield from attachments.read(data, name, prefix)


def _message(data: memoryview) -> _Message:
    """Take the attributes of a stream apart, as far as they go. Checksums are not looked at: what can be read is read."""
    message, at = _Message(), _HEAD
    while at < len(data):
        size = int.from_bytes(data[at + 5 : at + 9], "little")
        attribute, value = int.from_bytes(data[at + 1 : at + 5], "little"), data[at + 9 : at + 9 + size]
        if data[at] not in (1, 2) or not attribute:
            message.damaged = any(data[at:])  # zeros fill up the end
            break
        message.damaged = message.damaged or len(value) < size
        try:
            _take(message, attribute, value)
        except _DamagedError:
            message.damaged = True
        at += 9 + size + 2
    return message


def _take(message: _Message, attribute: int, value: memoryview) -> None:
    def text(tag: int) -> mapi.Property:
        return mapi.Property(tag, mapi.TEXT, bytes(value))

    if attribute == _NEW_ATTACHMENT:
        message.attachments.append([])
    elif attribute in (_ATTACHMENT, _TITLE, _DATA):
        if not message.attachments:
            message.attachments.append([])
        if attribute == _ATTACHMENT:
            _into(message.attachments[-1], value, 0)
        elif attribute == _TITLE:
            message.attachments[-1].append(text(mapi.SHORT_NAME))
        else:
            message.attachments[-1].append(mapi.Property(mapi.ATTACHED, mapi.BINARY, bytes(value)))
    elif attribute == _PROPERTIES:
        _into(message.properties, value, 0)
    elif attribute == _RECIPIENTS:
        at = 4
        for _ in range(_number(value, 0)):
            message.people.append([])
            at = _into(message.people[-1], value, at)
    elif attribute in (_SUBJECT, _BODY):
        message.properties.append(text(0x37 if attribute == _SUBJECT else mapi.BODY))
    elif attribute in (_FROM, _SENT_FOR, _OWNER):
        cut = 8 if attribute == _FROM else 0  # four numbers stand before the name and the address
        person = bytes(value[cut:]).replace(b"\0", b" ").strip()
        message.properties.append(mapi.Property(0x0C1A, mapi.TEXT, person))


def _into(known: list[mapi.Property], data: memoryview, at: int) -> int:
    """Add a list of properties that begins at `at`; where it ends. Raises `_DamagedError` when it breaks off."""
    count = _number(data, at)
    at += 4
    for _ in range(count):
        kind, tag = _number(data, at, 2), _number(data, at + 2, 2)
        at += 4
        if tag >= 0x8000:  # a name of its own: a set, then a number or a text
            named = _number(data, at + 16)
            at += 20 + (4 + _padded(_number(data, at + 20)) if named else 4)
        base = kind & ~mapi.MANY
        if base in _VARIABLE:
            values = _number(data, at)
            at += 4
            for _ in range(values):
                size = _number(data, at)
                known.append(mapi.Property(tag, kind, bytes(data[at + 4 : at + 4 + size])))
                at += 4 + _padded(size)
        elif base in _SIZES:
            values = _number(data, at) if kind & mapi.MANY else 1
            at += 4 if kind & mapi.MANY else 0
            known.append(mapi.Property(tag, kind, bytes(data[at : at + _SIZES[base]])))
            at += values * _SIZES[base]
        else:
            raise _DamagedError
    return at


def _number(data: memoryview, at: int, size: int = 4) -> int:
    if at + size > len(data):
        raise _DamagedError
    return int.from_bytes(data[at : at + size], "little")


def _padded(size: int) -> int:
    return size + -size % 4
