"""S/MIME (p7m, p7s): what is only signed is read, with the names in its certificates; what is encrypted is recorded ([RFC 5652])."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

from scanner.extract.text import Texts
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

_SIGNED = bytes.fromhex("2a864886f70d010702")
_SEALED = {bytes.fromhex("2a864886f70d010703"), bytes.fromhex("2a864886f70d010706"), bytes.fromhex("2a864886f70d0109100117")}
"""Enveloped, encrypted, and authenticated-enveloped data."""
_START = bytes.fromhex("2a864886f70d01")
_BEGIN = b"-----BEGIN PKCS7-----"
_NESTING = 20


class _Value(NamedTuple):
    """One DER or BER value: its tag, where its content lies, and where the next one begins."""

    tag: int
    start: int
    end: int
    next: int


def is_smime(head: bytes) -> bool:
    """Whether bytes begin as a signed, sealed or packed message."""
    return head.startswith(_BEGIN) or (head[:1] == b"\x30" and _START in head[2:20] and head[head.find(_START) - 2] == 6)


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """One S/MIME message or signature."""
    blob.stream.seek(0)
    data = blob.stream.read()
    if data.startswith(_BEGIN):
        data = base64.b64decode(data.removeprefix(_BEGIN).partition(b"-----END")[0])
    outer = _value(data, 0)
    kind = _value(data, outer.start)
    name = data[kind.start : kind.end]
    if name in _SEALED:
        yield Problem(blob.object, Why.ENCRYPTED, "encrypted with S/MIME")
    elif name != _SIGNED:
        yield Problem(blob.object, Why.UNSUPPORTED, "S/MIME of a kind that is not read")
    elif blob.depth >= walk.limits.archive_depth:
        yield Problem(blob.object, Why.TOO_LARGE, "the signed message lies too deep; see archive_depth")
    else:
        content = _content(data, kind.next)
        if content:
            yield from walk.open(Blob(f"{blob.object}!content.eml", BytesIO(content), len(content), depth=blob.depth + 1, skip=blob.skip))
        yield from _signers(blob, data)


def _content(data: bytes, at: int) -> bytes:
    """What was signed: `encapContentInfo` of `SignedData`; empty where the signature stands beside it."""
    signed = _value(data, _value(data, at).start)
    version = _value(data, signed.start)
    inside = _value(data, _value(data, version.next).next)
    content = _value(data, _value(data, inside.start).next) if _value(data, inside.start).next < inside.end else None
    if content is None or content.tag != 0xA0:
        return b""
    return b"".join(_octets(data, _value(data, content.start), 0))


def _octets(data: bytes, value: _Value, depth: int) -> Iterator[bytes]:
    if value.tag == 0x04 or depth > _NESTING:
        yield data[value.start : value.end]
        return
    at = value.start
    while at < value.end and data[at : at + 2] != b"\0\0":
        inner = _value(data, at)
        yield from _octets(data, inner, depth + 1)
        at = inner.next


def _value(data: bytes, at: int, depth: int = 0) -> _Value:
    """The value at a place. Raises `ValueError` when the bytes break off."""
    if at + 2 > len(data) or depth > _NESTING:
        raise ValueError
    tag, size, start = data[at], data[at + 1], at + 2
    if size == 0x80:  # of indefinite length: up to two zeros
        end = start
        while data[end : end + 2] != b"\0\0":
            end = _value(data, end, depth + 1).next
        return _Value(tag, start, end, end + 2)
    if size > 0x80:
        start += size - 0x80
        size = int.from_bytes(data[at + 2 : start], "big")
    return _Value(tag, start, min(start + size, len(data)), start + size)


def _signers(blob: Blob, data: bytes) -> Iterator[Reading]:
    """Names and addresses in the certificates that come with a signature."""
    from cryptography.hazmat.primitives.serialization import pkcs7
    from cryptography.x509 import ExtensionNotFound, RFC822Name, SubjectAlternativeName

    texts = Texts(blob.object)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of encodings that are not strict
            certificates = pkcs7.load_der_pkcs7_certificates(data)
        for certificate in certificates:
            names = [str(part.value) for part in certificate.subject]
            try:
                others = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
                names += others.get_values_for_type(RFC822Name)
            except (ExtensionNotFound, ValueError):
                pass
            texts.add("", "certificate", ", ".join(dict.fromkeys(names)))
    except Exception as error:
        if isinstance(error, MemoryError):
            raise
        yield Problem(blob.object, Why.DAMAGED, f"the certificates cannot be read ({type(error).__name__})", field="certificate")
    yield from texts.rest()
