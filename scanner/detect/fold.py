"""Makes text plain before it is matched, and finds the way back to the offsets of the original.

Folded text is NFC, without soft hyphens and zero-width characters, with every Unicode space as a space, every
dash as a hyphen and every digit in ASCII. Only rows that need it are folded.
"""

from __future__ import annotations

import bisect
import re
import unicodedata
from dataclasses import dataclass

# What makes a row need folding, as bytes of UTF-8 (for triage): Latin-1 NBSP and soft hyphen, combining marks,
# the General Punctuation spaces, dashes and joiners, the minus sign, ideographic space and full-width forms, BOM.
NEEDS = (
    rb"\xc2[\xa0\xad]|[\xcc\xcd][\x80-\xbf]|\xe2\x80[\x80-\x95\xa8-\xaf]|\xe2\x81[\x9f-\xaf]|\xe2\x88\x92"
    rb"|\xe3\x80\x80|\xef(?:\xbb\xbf|\xbc[\x80-\xbf]|\xbd[\x80-\xa0]|\xb9[\x98\xa3])"
    rb"|[\x0b\x0c\x1c-\x1f]|\xc2\x85|\xc4[\xb0\xb1]|\xc5\xbf|\xe2\x84[\xaa\xab]|\xd9[\xa0-\xa9]|\xdb[\xb0-\xb9]|\xe0(?:\xa5[\xa6-\xaf]|\xa7[\xa6-\xaf])"
)

_MARK = re.compile("[\u0300-\u036f]")
_SINGLE = re.compile(
    "[\x0b\x0c\x1c-\x1f\x85\u0130\u0131\u017f\u212a\u212b"
    "\u00ad\u200b-\u200f\u2060-\u2064\ufeff"
    "\u00a0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    "\u2010-\u2015\u2212\ufe58\ufe63"
    "\uff01-\uff5e\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef]"
)
_SPECIAL = re.compile(f"{_SINGLE.pattern}|[^\u0300-\u036f][\u0300-\u036f]+")
"""Twenty times as slow: each letter might have a mark after it."""


# Letters that Python's IGNORECASE takes for others, so that both passes see the same text.
_LETTERS = {"\u0130": "I", "\u0131": "i", "\u017f": "s", "\u212a": "K", "\u212b": "Å"}


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text and the way back: from `at[i]` on, an offset lies `shift[i]` further on in the original.

    `gone[i]` says that what made the difference was dropped (a soft hyphen) and belongs to no span that ends there.
    """

    text: str
    at: tuple[int, ...] = ()
    shift: tuple[int, ...] = ()
    gone: tuple[bool, ...] = ()

    def start(self, offset: int) -> int:
        """Where, in the original, a span begins that begins at `offset` here."""
        if not self.at:
            return offset
        return offset + self.shift[bisect.bisect_right(self.at, offset) - 1]

    def end(self, offset: int) -> int:
        """Where, in the original, a span ends (exclusive) that ends at `offset` here; combining marks are kept."""
        if not self.at:
            return offset
        index = bisect.bisect_right(self.at, offset) - 1
        while index > 0 and self.at[index] == offset and self.gone[index]:
            index -= 1
        return offset + self.shift[index]


def fold(text: str) -> Folded:
    """Fold one text."""
    pieces: list[str] = []
    at, shift, gone = [0], [0], [False]
    done = length = 0
    for match in (_SPECIAL if _MARK.search(text) else _SINGLE).finditer(text):
        plain = _plain(match[0])
        pieces.append(text[done : match.start()])
        pieces.append(plain)
        length += match.start() - done + len(plain)
        done = match.end()
        if done - length != shift[-1]:
            at.append(length)
            shift.append(done - length)
            gone.append(not plain)
    if not pieces:
        return Folded(text)
    pieces.append(text[done:])
    return Folded("".join(pieces), tuple(at), tuple(shift), tuple(gone))


def _plain(special: str) -> str:
    if len(special) > 1:
        return unicodedata.normalize("NFC", special)
    code = ord(special)
    if special in _LETTERS:
        return _LETTERS[special]
    if special in "\u00ad\ufeff" or 0x200B <= code <= 0x200F or 0x2060 <= code <= 0x2064:
        return ""
    if 0x2010 <= code <= 0x2015 or special in "\u2212\ufe58\ufe63":
        return "-"
    if 0xFF01 <= code <= 0xFF5E:
        return chr(code - 0xFEE0)
    if special.isdecimal():
        return str(unicodedata.digit(special))
    return "\n" if special in "\u2028\u2029\x85" else " "
