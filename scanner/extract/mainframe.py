"""Text as mainframes write it: EBCDIC, in the code page of Denmark and Norway (277), which Python does not know."""

from __future__ import annotations

import codecs

CODEC = "cp277-persondata"
_LETTERS = {"Æ": 0x7B, "Ø": 0x7C, "Å": 0x5B, "æ": 0xC0, "ø": 0x6A, "å": 0xD0, "@": 0x80, "#": 0x4A, "$": 0x67, "{": 0x9C, "}": 0x47,
            "[": 0x9E, "]": 0x9F, "¦": 0x70, "|": 0xBB, "\\": 0xE0, "~": 0xDC, "ü": 0xA1}  # fmt: skip
"""Where code page 277 differs from 037 (IBM, "Code Page 00277")."""
_TEXT = frozenset([*range(0x81, 0x8A), *range(0x91, 0x9A), *range(0xA2, 0xAA), *range(0xC1, 0xCA), *range(0xD1, 0xDA), *range(0xE2, 0xEA),
                   *range(0xF0, 0xFA), 0x40, 0x4B, 0x6B, 0x60, 0x61, 0x7A, 0x15, 0x25, 0x0D])  # fmt: skip
"""Letters, digits, blanks, stops, commas, dashes, slashes, colons and line ends in every EBCDIC code page."""
_BLANK = 0x40
_LEAST = 32


def is_ebcdic(head: bytes) -> bool:
    """Whether bytes are EBCDIC: nearly all of them letters, digits and blanks of it, which no other text can be."""
    if len(head) < _LEAST or head.count(_BLANK) * 50 < len(head) or head.count(b" ") * 10 > len(head):
        return False
    return sum(map(head.count, map(_byte, _TEXT))) > 0.9 * len(head)


def _byte(code: int) -> bytes:
    return bytes([code])


def register() -> None:
    """Make `CODEC` known to Python; more than once does no harm."""
    codecs.register(_search)


def _table() -> str:
    characters = list(bytes(range(256)).decode("cp037"))
    characters[0x15] = "\n"
    for letter, code in _LETTERS.items():
        characters[code] = letter
    return "".join(characters)


class _Decoder(codecs.IncrementalDecoder):
    def decode(self, input: bytes, final: bool = False) -> str:  # type: ignore[override]  # noqa: ARG002
        return codecs.charmap_decode(input, self.errors, _TABLE)[0]


_TABLE = _table()


def _search(name: str) -> codecs.CodecInfo | None:
    if name.replace("_", "-") != CODEC:
        return None

    def decode(data: bytes, errors: str = "strict") -> tuple[str, int]:
        return codecs.charmap_decode(data, errors, _TABLE)

    def encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
        return codecs.charmap_encode(text, errors, codecs.charmap_build(_TABLE))

    return codecs.CodecInfo(encode, decode, incrementaldecoder=_Decoder, name=CODEC)  # type: ignore[arg-type]
