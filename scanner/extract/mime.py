"""How the parts and headers of a mail become bytes and texts, whatever the mail claims about them."""

from __future__ import annotations

import binascii
import re
from email.message import Message
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from scanner.extract.text import Encoding, decoded, encoding_of

if TYPE_CHECKING:
    from email.header import Header

_ALIASES = {
    "iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "", "ascii": "", "utf-8": "", "utf8": "",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "shift_jis": "cp932",
    "x-sjis": "cp932", "big5": "cp950", "iso-8859-9": "cp1254", "iso-8859-8-i": "iso-8859-8", "unicode-1-1-utf-7": "utf-7",
    "x-mac-roman": "mac-roman", "macintosh": "mac-roman", "tis-620": "cp874",
}  # fmt: skip
"""What mail programs mean by a charset, where that is more than its name says; "" goes by the bytes."""
_NO_CHARSET = frozenset({"idna", "punycode", "unicode_escape", "unicode-escape", "raw_unicode_escape", "raw-unicode-escape", "undefined"})
_SEVEN_BITS = ("utf-7", "iso-2022", "hz", "utf_7", "iso2022")
"""Charsets that write other letters with plain ASCII bytes."""
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,3}\s*\Z")
_UUENCODED = re.compile(rb"(?m)^begin(-base64)? [0-7]{3,4} +([^\r\n]{1,255})\r?\n")


class Decoded(NamedTuple):
    """The bytes of a part, and what plain text follows them where none may stand (a mailing list's footer)."""

    data: bytes
    rest: bytes = b""


def type_of(part: Message) -> str:
    """The media type of a part, in small letters."""
    try:
        return part.get_content_type().lower()
    except (ValueError, TypeError, AttributeError, IndexError):
        return "application/octet-stream"


def default_name(kind: str) -> str:
    """A name for a part that has none."""
    import mimetypes

    return f"part{mimetypes.guess_extension(kind) or ''}"


def bytes_of(part: Message, payload: object) -> Decoded:
    """The bytes of a part, freed from its transfer encoding."""
    raw = payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""
    encoding = str(part.get("content-transfer-encoding") or "").strip().lower()
    if encoding == "base64":
        return _base64(raw)
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AssertionError, UnicodeError):
        data = None
    return Decoded(data if isinstance(data, bytes) else raw)


def _base64(raw: bytes) -> Decoded:
    """Base64 as far as it goes; text that only claims to be base64 stays what it is."""
    lines = raw.splitlines(keepends=True)
    end = 0
    while end < len(lines) and (not lines[end].strip() or _BASE64_LINE.match(lines[end])):
        end += 1
    rest = b"".join(lines[end:])
    if rest and b"".join(lines[:end]).strip() == b"":
        return Decoded(raw)
    packed = b"".join(b"".join(lines[:end]).split())
    padded = packed.rstrip(b"=")
    padded = padded[: len(padded) - (len(padded) % 4 == 1)]
    try:
        data = binascii.a2b_base64(padded + b"=" * (-len(padded) % 4))
    except binascii.Error:
        return Decoded(raw)
    return Decoded(data, rest)


def uuencoded(data: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """A body without the files that are written into it by uuencode, and those files by name."""
    kept, files, at = [], [], 0
    while match := _UUENCODED.search(data, at):
        content, end = _unpacked(data, match.end(), bool(match[1]))
        kept.append(data[at : match.start()] if content else data[at : match.end()])
        if content:
            files.append((_unescaped(match[2].decode("utf-8", "surrogateescape")).strip(), content))
        at = end if content else match.end()
    return b"".join([*kept, data[at:]]), files


def _unpacked(data: bytes, at: int, base64: bool) -> tuple[bytes, int]:
    """The bytes of a uuencoded file, and where it ends: at its end mark, or where its lines no longer fit."""
    out = bytearray()
    while at < len(data):
        stop = data.find(b"\n", at)
        stop = len(data) if stop < 0 else stop + 1
        line = data[at:stop].strip(b"\r\n")
        if line.rstrip() in (b"end", b"===="):
            return bytes(out), stop
        try:
            if base64:
                out += binascii.a2b_base64(line)
            elif line.strip(b"` "):
                out += binascii.a2b_uu(line[: 1 + (((line[0] - 32) & 63) * 4 + 5) // 3])
        except (binascii.Error, IndexError):
            return bytes(out), at
        at = stop
    return bytes(out), at


def text_in(data: bytes, part: Message) -> str:
    """A body by its charset; where that is missing, unknown or wrong, by its bytes."""
    try:
        charset = part.get_content_charset("") or ""
    except (ValueError, TypeError, LookupError, UnicodeError):
        charset = ""
    return text_of(data, charset)


def text_of(data: bytes, charset: str) -> str:
    """Bytes in a charset that may be missing, unknown or wrong."""
    charset = charset.strip(" \"'").lower().partition("*")[0]
    charset = _ALIASES.get(charset, charset)
    if data.isascii() and b"\0" not in data and not charset.startswith(_SEVEN_BITS):
        return data.decode("ascii")
    if charset == "cp1252":
        try:
            return data.decode("utf-8")  # UTF-8 labelled as latin-1 is common; the reverse hardly ever decodes
        except UnicodeDecodeError:
            charset = ""
    if charset.startswith(("utf-16", "utf-32")) and b"\0" not in data:
        charset = ""
    if charset and charset not in _NO_CHARSET:
        try:
            return data.decode(charset)
        except (UnicodeError, LookupError, ValueError, TypeError):
            charset = ""
    encoding = encoding_of(data[:65_536]) or Encoding("utf-8", "stray-cp1252")
    return "".join(decoded(BytesIO(data), encoding))


def _unescaped(text: str) -> str:
    return text if text.isascii() else text_of(text.encode("utf-8", "surrogateescape"), "")


def text_between(text: str | None) -> str:
    """What stands before, between or after the parts of a mail."""
    return _unescaped(text) if text and not text.isspace() else ""


def name_of(part: Message) -> str:
    """The file name of a part: plain, RFC 2231, or an encoded word where none may stand."""
    try:
        name = part.get_filename("") or ""
    except (ValueError, TypeError, LookupError, IndexError, UnicodeError, AttributeError):
        raw = str(part.get("content-disposition") or part.get("content-type") or "")
        match = re.search(r'(?i)name\*?\d*\*?="?([^";]+)', raw)
        name = match[1] if match else "attachment"
    return header_text(name).replace("/", "_").replace("!", "_").strip()


def other_name(part: Message) -> str:
    """The name that Content-Type gives, where Content-Disposition gives another."""
    from email.utils import collapse_rfc2231_value

    try:
        value = part.get_param("name", "")
        return header_text(collapse_rfc2231_value(value) if isinstance(value, tuple) else str(value))
    except (ValueError, TypeError, LookupError, IndexError, UnicodeError, AttributeError):
        return ""


def boundary_of(payload: str) -> str:
    """The boundary of a multipart that does not name its own, or names a wrong one: its first line of that form."""
    match = re.search(r"(?m)^--([^\s-][^\r\n]{0,69}?)[ \t]*\r?\n[!-9;-~]+:", payload)
    return match[1] if match else ""


def header_text(value: str | Header | None) -> str:
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
