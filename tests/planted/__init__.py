"""The places of every document format where a company may keep a person, each as a real file with one CPR number in it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from typing import NamedTuple

from scanner.model import Why

CPR = "070761-4285"
"""Nobody's: the number is invented, and right by the check of modulus 11."""


class Place(NamedTuple):
    """One place of a format. `why` is how it is recorded where it cannot be read, and `None` where it is found.

    `says` tells when a place is found in spite of its `why`.
    """

    format: str
    place: str
    name: str
    make: Callable[[], bytes]
    why: Why | None = None
    says: str = ""


def zip_of(members: Mapping[str, str | bytes], stored: tuple[str, ...] = ()) -> bytes:
    """A zip archive; the members named in `stored` are not packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED)
    return out.getvalue()


def members_of(data: bytes) -> dict[str, bytes]:
    """The members of a zip archive, in their order."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(data: bytes, part: str, old: str, new: str) -> bytes:
    """A document with one part changed: the first `old` in it becomes `new`."""
    members = members_of(data)
    text = members[part].decode()
    assert old in text, f"{part} holds no {old}"
    members[part] = text.replace(old, new, 1).encode()
    return zip_of(members, ("mimetype",))


_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_VND = "application/vnd.openxmlformats-officedocument."


def with_part(data: bytes, owner: str, part: str, content: str | bytes, kind: str, relation: str) -> bytes:
    """An Office document with one more part, listed among its types and among the relationships of its owner (id `rPlant`)."""
    members = members_of(data)
    members[part] = content.encode() if isinstance(content, str) else content
    full = kind if "/" in kind else _VND + kind
    types = members["[Content_Types].xml"].decode()
    members["[Content_Types].xml"] = types.replace("</Types>", f'<Override PartName="/{part}" ContentType="{full}"/></Types>').encode()
    folder, _, name = owner.rpartition("/")
    rels = f"{folder}/_rels/{name}.rels".removeprefix("/")
    empty = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
    listed = re.sub(r"<Relationships([^>]*)/>", r"<Relationships\1></Relationships>", members.get(rels, empty).decode())
    full = relation if ":" in relation else _OFFICE + relation
    entry = f'<Relationship Id="rPlant" Type="{full}" Target="/{part}"/>'
    members[rels] = listed.replace("</Relationships>", entry + "</Relationships>").encode()
    return zip_of(members)


def external(data: bytes, owner: str, target: str, relation: str) -> bytes:
    """An Office document that points to an address outside itself."""
    members = members_of(data)
    folder, _, name = owner.rpartition("/")
    rels = f"{folder}/_rels/{name}.rels"
    entry = f'<Relationship Id="rPlant" Type="{_OFFICE}{relation}" Target="{target}" TargetMode="External"/>'
    empty = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
    members[rels] = members.get(rels, empty).decode().replace("</Relationships>", entry + "</Relationships>").encode()
    return zip_of(members)
