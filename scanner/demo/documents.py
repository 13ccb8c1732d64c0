"""Writes PDF, RTF, CSV, pictures and an encrypted zip from nothing, byte by byte."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Sequence
from random import Random
from typing import Any


def pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """A PDF in Helvetica with WinAnsi letters, one list of lines a page.

    The catalogue stands last, so that a cut file is lost.
    """
    objects = {3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"}
    for at, lines in enumerate(pages):
        shown = b" ".join(
            b"(" + line.encode("cp1252").replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)") + b") Tj T*" for line in lines
        )
        stream = zlib.compress(b"BT /F1 11 Tf 15 TL 56 780 Td " + shown + b" ET")
        objects[4 + 2 * at] = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream)
        objects[5 + 2 * at] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (4 + 2 * at)
        )
    objects[2] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (
        len(pages),
        b" ".join(b"%d 0 R" % (5 + 2 * at) for at in range(len(pages))),
    )
    objects[1] = b"<< /Type /Catalog /Pages 2 0 R >>"
    out, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), {}
    for number, content in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % places[number] for number in sorted(places))
    return bytes(out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))


def rtf(paragraphs: Sequence[str]) -> bytes:
    """A Rich Text document with Danish letters as escapes."""
    text = "\\par\n".join(
        "".join(letter if ord(letter) < 128 else f"\\'{letter.encode('cp1252')[0]:02x}" for letter in paragraph) for paragraph in paragraphs
    )
    return ("{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0 Calibri;}}\\f0\\fs22\n" + text + "\\par}\n").encode("ascii")


def png(width: int = 96, height: int = 64) -> bytes:
    """A picture: a shade from dark to light."""
    rows = b"".join(b"\0" + bytes(255 * (x + y) // (width + height) for x in range(width)) for y in range(height))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def encrypted_zip(name: str, content: bytes, password: bytes) -> bytes:
    """A zip with one stored member under the traditional encryption (PKWARE APPNOTE 6.1), which keeps nobody out."""
    keys = [0x12345678, 0x23456789, 0x34567890]
    table = [_shifted(value) for value in range(256)]

    def stir(byte: int) -> None:
        keys[0] = keys[0] >> 8 ^ table[(keys[0] ^ byte) & 255]
        keys[1] = ((keys[1] + (keys[0] & 255)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = keys[2] >> 8 ^ table[(keys[2] ^ keys[1] >> 24) & 255]

    for byte in password:
        stir(byte)
    checksum = zlib.crc32(content)
    hidden = bytearray()
    for byte in Random(checksum).randbytes(11) + bytes([checksum >> 24]) + content:
        mask = keys[2] & 0xFFFF | 2
        hidden.append(byte ^ (mask * (mask ^ 1) >> 8) & 255)
        stir(byte)
    path = name.encode("ascii")
    # version 2.0, encrypted, stored, 09:15 on 2 March 2026, checksum, sizes, length of the name, no extra field
    shared = b"".join(
        value.to_bytes(size, "little")
        for value, size in (
            (20, 2),
            (1, 2),
            (0, 2),
            (9 << 11 | 15 << 5, 2),
            (46 << 9 | 3 << 5 | 2, 2),
            (checksum, 4),
            (len(hidden), 4),
            (len(content), 4),
            (len(path), 2),
            (0, 2),
        )
    )
    member = b"PK\3\4" + shared + path + hidden
    entry = b"PK\1\2\x14\0" + shared + bytes(14) + path
    end = b"PK\5\6" + bytes(4) + b"\1\0\1\0" + len(entry).to_bytes(4, "little") + len(member).to_bytes(4, "little") + bytes(2)
    return member + entry + end


def _shifted(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
    return value


def table(rows: Sequence[Sequence[Any]]) -> bytes:
    """A CSV file as a Danish Excel writes it: semicolons, Latin-1, CRLF."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";").writerows(rows)
    return out.getvalue().encode("latin-1")
