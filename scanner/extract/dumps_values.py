"""Values as SQL scripts write them, turned into columns of text: literals of INSERT and fields of COPY."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from scanner.extract.rows import is_text
from scanner.extract.text import strings

if TYPE_CHECKING:
    import pyarrow as pa

_SLASHED = rb"'(?:[^'\\]++|\\.|'')*+'"
_STRICT = rb"'(?:[^']++|'')*+'"
_PREFIXED = rb"[eE]" + _SLASHED
_ESCAPES = {b"0": b"\0", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"Z": b"\x1a", b"f": b"\f", b"v": b"\v"}
_STRING = re.compile(rb"(?is)(?:(N|E|U&|_[a-z]\w*\s*|X|B)\s*)?'(.*)'(?:::[\w\s\"]+)?")
_HEX = re.compile(rb"0[xX]((?:[0-9A-Fa-f]{2})*)")
_PG_HEX = re.compile(rb"\\x((?:[0-9A-Fa-f]{2})*)")
_CAST = re.compile(
    rb"(?is)(?:CAST|CONVERT|TO_DATE|TO_TIMESTAMP|TO_CLOB|UNISTR|STR_TO_DATE)\s*\((?:\s*[A-Za-z]\w*(?:\([\d, ]+\))?\s*,)?\s*(.*)\)"
)
_REPLACED = re.compile(rb"(?is)replace\s*\((.*),\s*'(\\[nr])'\s*,\s*char\((?:10|13)\)\s*\)")
_UNISTR = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|\+([0-9a-fA-F]{6})|([0-9a-fA-F]{4})|(\\))")
_COPY_ESCAPE = re.compile(rb"(?s)\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))")
_WHOLE = (r"(?s)\A'(?:[^']|'')*'\z", r"(?s)\A'(?:[^'\\]|\\.|'')*'\z")
"""What is one string, without and with backslashes."""
_STRICT_PAIRS = ((b"''", b"'"),)
_COPY_PAIRS = ((rb"\\", b"\0"), (rb"\n", b"\n"), (rb"\t", b"\t"), (rb"\r", b"\r"))
_MYSQL_PAIRS = (*_COPY_PAIRS, (b"''", b"'"), (rb"\'", b"'"), (rb"\"", b'"'))
"""The escapes that are undone for all values at once; a NUL, which no script may hold, stands for a backslash."""


class Grammar(NamedTuple):
    """Expressions for rows of one dialect: a value, a row of any width, and a row of a given width."""

    value: re.Pattern[bytes]
    row: re.Pattern[bytes]
    backslash: bool

    def rows(self, width: int) -> re.Pattern[bytes]:
        """A row of `width` values, each a group, and the comma behind it or nothing as the last group."""
        return _rows(self.backslash, width)


def _parts(backslash: bool) -> tuple[bytes, bytes, bytes]:
    string = _SLASHED if backslash else _STRICT
    quoted = rb'"(?:[^"\\]++|\\.|"")*+"' if backslash else rb'"(?:[^"]++|"")*+"'
    inner = rb"\((?:" + string + rb"|" + quoted + rb"|[^'\"()]++)*+\)"
    for _ in range(2):
        inner = rb"\((?:" + string + rb"|" + quoted + rb"|[^'\"()]++|" + inner + rb")*+\)"
    any_value = rb"(?:" + _PREFIXED + rb"|" + string + rb"|" + quoted + rb"|[^'\"(),]|" + inner + rb")++"
    return string, rb"[^'\"(),\s]++", any_value


@lru_cache(maxsize=2)
def grammar(backslash: bool) -> Grammar:
    """The grammar of a dialect in which a backslash escapes, or does not."""
    _, _, any_value = _parts(backslash)
    return Grammar(re.compile(rb"(?s)" + any_value), re.compile(rb"(?s)\(((?:" + any_value + rb"|,)*+)\)\s*+(,)?+\s*+"), backslash)


@lru_cache(maxsize=256)
def _rows(backslash: bool, width: int) -> re.Pattern[bytes]:
    string, bare, any_value = _parts(backslash)
    value = rb"\s*+((?>(?:" + string + rb"|" + bare + rb")(?=[,)])|" + any_value + rb"))"
    return re.compile(rb"(?s)\(" + rb",".join([value] * width) + rb"\)\s*+(,)?+\s*+")


def literals(raw: Sequence[bytes], backslash: bool) -> tuple[pa.StringArray, int]:
    """Literals of one column as texts, and how many of them are bytes that are no text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pa.array(raw, pa.binary())
    quoted = pc.match_substring_regex(array, _WHOLE[backslash])
    simple = pc.match_substring_regex(array, r"\A(?:[-+.0-9]+(?:[eE][-+]?[0-9]+)?|[A-WYZa-z][A-Za-z]*)\z")
    null = pc.match_substring_regex(array, r"\A(?i:NULL)\z")
    body, left = _undone(pc.if_else(quoted, pc.binary_slice(array, 1, -1), None), _MYSQL_PAIRS if backslash else _STRICT_PAIRS)
    cells = pc.if_else(quoted, body, pc.if_else(pc.and_not(simple, null), array, None))
    hard = pc.or_(left, pc.invert(pc.or_(quoted, simple)))
    return _texts(cells, hard, raw, lambda value: _literal(value, backslash))


def fields(raw: Sequence[bytes]) -> tuple[pa.StringArray, int]:
    """Fields of one column of COPY's text format as texts, and how many of them are bytes that are no text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pa.array(raw, pa.binary())
    null = pc.equal(array, pa.scalar(rb"\N", pa.binary()))
    cells, left = _undone(pc.if_else(null, None, array), _COPY_PAIRS)
    return _texts(cells, left, raw, _field)


def _undone(cells: pa.Array, pairs: Sequence[tuple[bytes, bytes]]) -> tuple[pa.Array, pa.Array]:
    """Undo the common escapes of a whole column at once; also tells where others, or bytes in hexadecimal, are left."""
    import pyarrow.compute as pc

    strict = pairs is _STRICT_PAIRS
    odd = pc.match_substring_regex(cells, r"''|\A\\x" if strict else r"\\" if pairs is _COPY_PAIRS else r"[\\']")
    odd = pc.fill_null(odd, False)
    if not pc.any(odd).as_py():
        return cells, odd
    some = cells.filter(odd)
    for old, new in pairs:
        some = pc.replace_substring(some, old, new)
    if strict:
        left = pc.starts_with(some, b"\\x")
    else:
        left = pc.match_substring_regex(some, r"\\" if pairs is _MYSQL_PAIRS else r"\\|\A\x00x")
        some = pc.replace_substring(some, b"\0", b"\\")
    return pc.replace_with_mask(cells, odd, some), pc.replace_with_mask(odd, odd, left)


def shown(raw: Sequence[bytes]) -> pa.StringArray:
    """Values as the script writes them, for names of records."""
    return strings([value.decode("ascii", "backslashreplace") for value in raw])


def _texts(
    cells: pa.Array, hard: pa.Array, raw: Sequence[bytes], read: Callable[[bytes], bytes | str | None]
) -> tuple[pa.StringArray, int]:
    """Bytes as text, `hard` ones read one by one; `None` stands for null and for what is counted as binary."""
    import pyarrow as pa
    import pyarrow.compute as pc

    read_back = {at: read(raw[at]) for at in pc.indices_nonzero(hard).to_pylist()}
    if read_back and (len(read_back) * 4 > len(raw) or any(isinstance(value, str) for value in read_back.values())):
        values = cells.to_pylist()
        for at, value in read_back.items():
            values[at] = value.encode("utf-8", "replace") if isinstance(value, str) else value
        cells = pa.array(values, pa.binary())
    elif read_back:
        cells = pc.replace_with_mask(cells, hard, pa.array(list(read_back.values()), pa.binary()))
    text = cells.view(pa.string())
    if is_text(text):
        return text, 0
    binary = 0
    rows: list[str | None] = []
    for value in cells.to_pylist():
        text_of = None if value is None else _decoded(value)
        binary += value is not None and text_of is None
        rows.append(text_of)
    return strings(rows), binary


def _decoded(value: bytes) -> str | None:
    """Bytes as UTF-8 or else as Windows-1252; `None` when they are no text."""
    if len(value) != len(value.translate(None, _CONTROLS)):
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        strange = value.translate(None, _ASCII)
        if len(strange) * 2 > len(value) + 8 or len(value) != len(value.translate(None, b"\x81\x8d\x8f\x90\x9d")):
            return None
        return value.decode("cp1252")


_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1a\x1b"))
_ASCII = bytes(range(128))


def _literal(raw: bytes, backslash: bool) -> bytes | str | None:
    """One literal as the server would understand it; an expression that is no literal is given as it stands."""
    raw = raw.strip()
    if raw[:4].upper() == b"NULL" and not raw[4:].strip(b": abcdefghijklmnopqrstuvwxyz"):
        return None
    if match := _HEX.fullmatch(raw):
        return bytes.fromhex(match[1].decode())
    if (match := _STRING.fullmatch(raw)) and _one_string(raw, match, backslash):
        prefix, body = (match[1] or b"").strip().upper(), match[2]
        if prefix == b"X":
            return bytes.fromhex(body.decode("ascii", "replace")) if re.fullmatch(rb"(?:[0-9A-Fa-f]{2})*", body) else body
        escaped = backslash or prefix == b"E"
        body = re.sub(rb"(?s)\\(.)|''", _unescaped, body) if escaped else body.replace(b"''", b"'")
        if prefix == b"U&":
            return _unicode(body)
        return bytes.fromhex(hexed[1].decode()) if (hexed := _PG_HEX.fullmatch(body)) and not backslash else body
    if match := _REPLACED.fullmatch(raw):
        inner = _literal(match[1], backslash)
        return inner.replace(match[2], b"\n" if match[2] == rb"\n" else b"\r") if isinstance(inner, bytes) else inner
    if match := _CAST.fullmatch(raw):
        value = grammar(backslash).value.match(match[1])
        inner = re.sub(rb"(?is)\s+AS\s+[\w\s\[\](),.]+\Z", b"", value[0]) if value else match[1]
        text = _literal(inner, backslash)
        return _unicode(text) if raw[:6].upper() == b"UNISTR" and isinstance(text, bytes) else text
    return raw


def _one_string(raw: bytes, match: re.Match[bytes], backslash: bool) -> bool:
    """Whether what looks like a string is one, and no expression of several."""
    prefix = (match[1] or b"").upper()
    string = _SLASHED if backslash or prefix == b"E" else _STRICT
    return re.fullmatch(rb"(?s)" + string, raw[match.start(2) - 1 : match.end(2) + 1]) is not None


def _unescaped(match: re.Match[bytes]) -> bytes:
    sign = match[1]
    return b"'" if sign is None else _ESCAPES.get(sign, b"\\" + sign if sign in b"%_" else sign)


def _unicode(body: bytes) -> str:
    """Escapes of `U&''` and `unistr()` as the letters they stand for."""
    text = body.decode("utf-8", "replace")
    return _UNISTR.sub(lambda match: match[5] or chr(min(int(match[1] or match[2] or match[3] or match[4], 16), 0x10FFFF)), text)


def _field(raw: bytes) -> bytes:
    """One field of COPY: backslash escapes undone, and bytes in hexadecimal as the bytes."""
    value = _COPY_ESCAPE.sub(_copied, raw)
    hexed = _PG_HEX.fullmatch(value)
    return bytes.fromhex(hexed[1].decode()) if hexed else value


def _copied(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return bytes([int(match[1], 8) & 255])
    if match[2]:
        return bytes([int(match[2], 16)])
    return _ESCAPES.get(match[3], match[3]) if match[3] in b"bfnrtv" else match[3]
