"""Copies files, mails and attachments as they are, byte for byte, where they may be handed over."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import IO, Any, BinaryIO
from urllib.parse import unquote, urlsplit

from scanner.errors import PersondataError
from scanner.extract import mail, mime, walk_of
from scanner.model import Blob, Limits, Reading, Source, Unit
from scanner.sources.files import Files

Take = Callable[[str, BinaryIO, int], None]
"""Is given the name of what was wanted, its bytes from the start, and how many there are."""


def can_copy(source: Source) -> bool:
    """Whether the bytes of this source's files can be had; of other sources there are only texts."""
    return isinstance(source, Files)


def copy(source: Source, unit: Unit, objects: Collection[str], mails: Collection[tuple[str, str]], take: Take) -> None:
    """Give the bytes of some objects of a unit (files, members of archives, attachments named `box!message=…!name`) and of some
    mails (object and record), each under the name `object` or `object\\0record`. What is no longer there is not given."""
    path = _path(source, unit)
    with suppress(OSError), path.open("rb") as stream:
        size = path.stat().st_size
        limits: Limits = getattr(source, "limits", Limits())
        walk = walk_of(limits, lambda _: None, frozenset(), size, getattr(source, "passwords", ()))
        inner = walk.open
        boxes = {object for object, _ in mails}
        left = set(objects)

        def opened(blob: Blob) -> Iterator[Reading]:
            if blob.object in left:
                left.discard(blob.object)
                _give(blob.object, blob.stream, blob.size, take)
            if blob.object in boxes:
                for record, raw in _mails(blob, limits):
                    if (blob.object, record) in mails:
                        take(f"{blob.object}\0{record}", BytesIO(raw), len(raw))
                blob.stream.seek(0)
            if left or any(box.startswith(f"{blob.object}!") for box in boxes):
                yield from inner(blob)

        walk.open = opened
        for _ in opened(Blob(unit.object, stream, size, path)):
            pass


def _path(source: Any, unit: Unit) -> Path:
    """Where a file of a folder lies. A unit's locator holds the bytes of a name that is no UTF-8."""
    import os

    root = Path(unquote(urlsplit(source.url).path) if source.url[:5].lower() == "file:" else source.url)
    if not root.is_dir():
        return root
    return root / (os.fsdecode(bytes.fromhex(unit.locator)) if unit.locator else unit.object)


def _give(name: str, stream: BinaryIO, size: int, take: Take) -> None:
    at = stream.tell()
    stream.seek(0)
    take(name, stream, size)
    stream.seek(at)


def _mails(blob: Blob, limits: Limits) -> Iterator[tuple[str, bytes]]:
    """The mails of a file, each under its record, as `extract.mail` counts them."""
    import email
    import email.policy

    blob.stream.seek(0)
    start = blob.stream.read(5)
    single = not start.startswith(b"From ") and not start.startswith(b">From")
    most = mail.longest(limits)
    blob.stream.seek(0)
    raws = iter([(blob.stream.read(most), blob.size > most)]) if single else mail._split(blob.stream, most)
    for number, (raw, cut) in enumerate(raws, 1):
        if cut:
            continue
        if not single:
            raw = raw.replace(b"\n>From ", b"\nFrom ")
        if raw.startswith((b"From ", b">From ")):
            raw = raw.partition(b"\n")[2]
        try:
            found = mime.header_text(email.message_from_bytes(raw).get("message-id"))
        except (PersondataError, MemoryError):
            raise
        except Exception:  # noqa: S112 - whatever a broken mail does to the parser; its text says that it was not read
            continue
        yield mail.record_of(found, number), raw


def write(stream: BinaryIO, out: IO[bytes]) -> None:
    """Copy a stream in pieces."""
    shutil.copyfileobj(stream, out, 2**20)
