"""Outlook data files (pst, ost, pab): every folder a mailbox, its messages, contacts and appointments as records.

Read by libpff, which follows the folders that Outlook left; see https://github.com/libyal/libpff.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from scanner.extract import mail, mapi
from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Opened, Problem, Reading, Why

_IN_MEMORY = 32 * 2**20
_CHUNK = 2**20
_WIP = 0x10
"""Windows Information Protection, as `bCryptMethod` of [MS-PST] 2.2.2.6; the other methods hide nothing."""
_LOST = "recovered items"
_FAULTS = (OSError, MemoryError)
"""What libpff raises where a file is damaged: it takes a size that cannot be for one that it has no room for."""
_METHOD, _EMBEDDED = 0x3705, 5
"""How something is attached, [MS-OXCMSG] 2.2.2.9."""


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """Every folder of an Outlook data file, and the items that no folder holds any more."""
    try:
        pypff = import_module("pypff")
    except ImportError:
        yield Problem(blob.object, Why.UNSUPPORTED, "Outlook data files need a library: pip install 'persondata[outlook]'")
        return
    store = pypff.file()
    blob.stream.seek(0)
    try:
        store.open_file_object(blob.stream)
        root = store.get_root_folder()
    except _FAULTS:
        yield _unopened(blob)
        return
    names: dict[str, int] = {}
    if root is not None:
        yield from _folder(root, "", names, blob, walk)
    orphans = _Items(store, "orphan_item", "orphan_items")
    if len(orphans):
        yield from _mailbox(orphans, _LOST, names, blob, walk)


def _unopened(blob: Blob) -> Problem:
    blob.stream.seek(0)
    head = blob.stream.read(514)
    wide = int.from_bytes(head[10:12], "little") >= 20
    if head[513 if wide else 461 : 514 if wide else 462] == bytes([_WIP]):
        return Problem(blob.object, Why.ENCRYPTED, "Outlook data file under Windows Information Protection")
    return Problem(blob.object, Why.DAMAGED, "the Outlook data file cannot be opened")


class _Items:
    """The children of one kind that libpff counts, and gives one by one; one that it cannot give is `None`."""

    def __init__(self, parent: Any, one: str, many: str) -> None:
        self._get = getattr(parent, f"get_{one}")
        try:
            self._count = int(getattr(parent, f"get_number_of_{many}")())
        except _FAULTS:
            self._count = -1
        self.damaged = self._count < 0

    def __len__(self) -> int:
        return max(self._count, 0)

    def __iter__(self) -> Iterator[Any]:
        for at in range(len(self)):
            try:
                yield self._get(at)
            except _FAULTS:
                yield None


def _folder(folder: Any, path: str, names: dict[str, int], blob: Blob, walk: Walk, depth: int = 0) -> Iterator[Reading]:
    messages = _Items(folder, "sub_message", "sub_messages")
    if len(messages) or messages.damaged:
        yield from _mailbox(messages, path or "root", names, blob, walk)
    for inner in _Items(folder, "sub_folder", "sub_folders"):
        if inner is None or depth > 100:
            yield Problem(f"{blob.object}!{path}" if path else blob.object, Why.DAMAGED, "a folder in it cannot be opened")
            continue
        name = (_get(inner, "name") or f"folder {inner.identifier}").replace("/", "_").replace("!", "_")
        yield from _folder(inner, f"{path}/{name}" if path else name, names, blob, walk, depth + 1)


def _mailbox(messages: _Items, path: str, names: dict[str, int], blob: Blob, walk: Walk) -> Iterator[Reading]:
    names[path] = names.get(path, 0) + 1
    object = f"{blob.object}!{path}" + (f" ({names[path]})" if names[path] > 1 else "")
    if object in walk.skip:
        return
    walk.watch(object)
    yield Opened(object, "mailbox")
    box = Blob(object, blob.stream, 0, depth=blob.depth + 1, skip=blob.skip)
    texts = Texts(object)
    lost = int(messages.damaged)
    for item in messages:
        if item is None:
            lost += 1
            continue
        properties = _properties(item)
        record = mail.record_of(_identifier(properties), item.identifier)
        if f"{object}!{record}" in walk.skip:
            continue
        walk.watch(f"{object}!{record}")
        yield from _Item(box, texts, walk, record).parts(item, properties, "")
        yield from texts.full()
    yield from texts.rest()
    if lost:
        yield Problem(object, Why.DAMAGED, f"{lost} items of the folder cannot be opened")
    walk.watch(blob.object)


def _identifier(properties: list[mapi.Property]) -> str:
    """The Message-ID: as a property, or in the headers that the mail came with."""
    if known := mapi.first(properties, mapi.MESSAGE_ID):
        return known
    import email

    return str(email.message_from_string(mapi.first(properties, mapi.HEADERS)).get("message-id") or "")


def _get(item: Any, name: str) -> Any:
    """What libpff knows of an item; `None` where that is damaged."""
    try:
        return getattr(item, f"get_{name}")()
    except _FAULTS:
        return None


def _properties(item: Any, at: int | None = None) -> list[mapi.Property]:
    """The properties of an item, or of one row (`at`) of a table, without the bytes of an attachment."""
    found: list[mapi.Property] = []
    sets = _Items(item, "record_set", "record_sets")
    for number, row in enumerate(sets):
        if row is None or at not in (None, number):
            continue
        for entry in _Items(row, "entry", "entries"):
            if entry is None or entry.entry_type is None or entry.value_type is None or entry.entry_type == mapi.ATTACHED:
                continue
            data = _get(entry, "data") or b""
            found.extend(mapi.Property(entry.entry_type, entry.value_type, one) for one in mapi.several(entry.value_type, data))
    return found


class _Item:
    """Reads one message, contact, appointment or task, and what is attached to it."""

    def __init__(self, box: Blob, texts: Texts, walk: Walk, record: str) -> None:
        self._texts, self._record, self._limits = texts, record, walk.limits
        self._attachments = mail.Attachments(box, record, texts, walk)

    def parts(self, item: Any, properties: list[mapi.Property], prefix: str) -> Iterator[Reading]:
        """Properties and recipients, then attachments."""
        mapi.write(properties, self._texts, self._record, prefix)
        if people := getattr(item, "recipients", None):
            for at in range(len(_Items(people, "record_set", "record_sets"))):
                mapi.write_recipient(_properties(people, at), self._texts, self._record, prefix)
        if not hasattr(item, "get_attachment"):
            detail = "of an item without a class neither recipients nor attachments are read"
            yield self._attachments.problem(Why.UNSUPPORTED, detail, prefix + "attachment=")
            return
        attached = _Items(item, "attachment", "attachments")
        if attached.damaged:
            yield self._attachments.problem(Why.DAMAGED, "the list of attachments cannot be read", prefix + "attachment=")
        for one in attached:
            if one is None:
                yield self._attachments.problem(Why.DAMAGED, "the attachment cannot be opened", prefix + "attachment=")
            else:
                yield from self._attachment(one, prefix)

    def _attachment(self, one: Any, prefix: str) -> Iterator[Reading]:
        known = _properties(one)
        name = mapi.first(known, mapi.LONG_NAME, mapi.SHORT_NAME, mapi.DISPLAY_NAME) or "attachment"
        if any(one.tag == _METHOD and int.from_bytes(one.data[:4], "little") == _EMBEDDED for one in known):
            field = f"{prefix}attachment={name}"
            yield self._attachments.problem(Why.UNSUPPORTED, "a message attached to a message; the library does not open it", field)
            return
        size = _get(one, "size")
        if size is None:
            yield self._attachments.problem(Why.UNSUPPORTED, "the attachment is only a link", f"{prefix}attachment={name}")
        elif size > self._limits.archive_bytes:
            yield self._attachments.problem(Why.TOO_LARGE, "the limit is archive_bytes", f"{prefix}attachment={name}")
        else:
            with SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
                whole = _copy(one, spool, size)
                yield from self._attachments.open(cast("BinaryIO", spool), spool.tell(), name, prefix)
            if not whole:
                yield self._attachments.problem(Why.DAMAGED, "the attachment breaks off", f"{prefix}attachment={name}")


def _copy(one: Any, spool: Any, size: int) -> bool:
    """Copy what libpff can read of an attachment, and say whether that is all."""
    left = size
    try:
        while left > 0 and (data := one.read_buffer(min(left, _CHUNK))):
            spool.write(data)
            left -= len(data)
    except _FAULTS:
        return False
    return left <= 0
