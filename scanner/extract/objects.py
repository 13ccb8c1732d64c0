"""Files put into other documents as objects (OLE): found in their wrappers, and read like any file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

from scanner.extract.containers import member_name
from scanner.extract.ole import CONTENTS, MAGIC, NATIVE, Compound
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

_STORES = re.compile(r"ObjectPool/_\d+|MBD[0-9A-F]+")
"""The storages in which Word and Excel keep objects."""
_BLIP = re.compile(rb"[\x1d\x1e\x29\x2a]\xf0(?=(.{4}).{17}(?:.{16})?(?:\x89PNG|\xff\xd8\xff|II\*\0|MM\0\*))", re.DOTALL)
"""The record of a picture ([MS-ODRAW] 2.2.23): its kind, its size, one or two fingerprints, the picture."""
_PICTURE = re.compile(rb"\x89PNG|\xff\xd8\xff|II\*\0|MM\0\*")


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """An object's compound file: the files inside it."""
    yield from inside(blob, Compound(blob.stream), walk)


def inside(blob: Blob, compound: Compound, walk: Walk) -> Iterator[Reading]:
    """The files put into a compound file; an object whose content is laid out in streams of its own is told as not read."""
    used: dict[str, int] = {}
    opened = set()
    for path in sorted(compound.entries):
        folder, _, last = path.rpartition("/")
        if last not in CONTENTS or compound.entries[path].storage:
            continue
        opened.add(folder)
        data = compound.read(path)
        name, data = packaged(data[4:]) if last == NATIVE else (last, data)
        if data:
            yield from walked(blob, name, data, used, walk)
        else:
            yield Problem(blob.object, Why.DAMAGED, "the wrapper of an embedded file cannot be read")
    for path in sorted(compound.entries):
        if _STORES.fullmatch(path) and path not in opened:
            yield Problem(f"{blob.object}!{path}", Why.UNSUPPORTED, "embedded object of a kind that is not opened")


def pictures(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The pictures in a stream of drawings, with the ending of each."""
    for match in _BLIP.finditer(data):
        size = int.from_bytes(match[1], "little")
        record = data[match.end() + 4 : match.end() + 4 + size]
        if start := _PICTURE.search(record, 0, 64):
            ending = {b"\x89": "png", b"\xff": "jpg"}.get(start[0][:1], "tif")
            yield ending, record[start.start() :]


def walked(blob: Blob, name: str, data: bytes, used: dict[str, int], walk: Walk) -> Iterator[Reading]:
    """Read a file that lies whole inside another."""
    object = member_name(blob.object, name, used)
    if object in walk.skip:
        return
    if blob.depth >= walk.limits.archive_depth:
        yield Problem(object, Why.TOO_LARGE, "lies too deep; see archive_depth")
        return
    yield from walk.open(Blob(object, BytesIO(data), len(data), depth=blob.depth + 1, skip=blob.skip))


def native(data: bytes) -> tuple[str, bytes]:
    """The file inside an object of the first kind ([MS-OLEDS] 2.2.4, 2.2.5), and its name."""
    if data.startswith(MAGIC):
        return "object", data
    at, names = 8, []
    for _ in range(3):
        size = int.from_bytes(data[at : at + 4], "little")
        names.append(data[at + 4 : at + 4 + size].rstrip(b"\0"))
        at += 4 + size
    size = int.from_bytes(data[at : at + 4], "little")
    inner = data[at + 4 : at + 4 + size]
    if names[0] == b"Package" and not inner.startswith(MAGIC):
        return packaged(inner)
    return "object", inner


def packaged(data: bytes) -> tuple[str, bytes]:
    """The file inside a package ([MS-OLEDS] 2.3.6 and what Windows writes there), and its name."""
    label = data[2:].split(b"\0", 1)[0]
    at = 2 + len(label) + 1
    at = data.find(b"\0", at) + 1 + 4
    size = int.from_bytes(data[at : at + 4], "little")
    at += 4 + size
    size = int.from_bytes(data[at : at + 4], "little")
    name = label.decode("cp1252", "replace").replace("\\", "/").rpartition("/")[2]
    return name or "object", data[at + 4 : at + 4 + size]
