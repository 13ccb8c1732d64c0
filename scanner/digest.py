"""Normalises a value, keys it, forgets it: what the inventory remembers instead of values.

A digest is BLAKE2b with a secret key, 16 bytes: without the key nobody can count through all CPR or phone
numbers until one fits, which a plain hash would allow.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SIZE = 16
"""Bytes of a digest."""
_FEW = 256
"""Up to so many texts are normalised one by one, which costs less than compiling an expression for an array."""

_DIGITS_ONLY = frozenset(
    {"DK_CPR", "DK_CVR", "CREDIT_CARD", "SE_PERSONNUMMER", "NO_FODSELSNUMMER", "DK_BANK_ACCOUNT", "DK_DRIVING_LICENCE"}
)
_COMPACT = frozenset({"IBAN_CODE", "DK_PASSPORT", "DK_LICENCE_PLATE", "MAC_ADDRESS", "FI_PERSONAL_IDENTITY_CODE"})


def normalise(entity: str, value: str) -> str:
    """The one way to write a value of an entity, so that equal things have equal digests."""
    text = value if value.isascii() else unicodedata.normalize("NFKC", value).replace("\u00ad", "")
    text = text.casefold()
    if entity in _DIGITS_ONLY:
        return re.sub(r"\D", "", text)
    if entity == "PHONE_NUMBER":
        digits = re.sub(r"\D", "", text)
        digits = digits.removeprefix("00")
        return digits.removeprefix("45") if len(digits) == 10 and digits.startswith("45") else digits
    if entity in _COMPACT:
        return re.sub(r"[\W_]", "", text)
    return " ".join(text.split())


def digest(key: bytes, entity: str, value: str) -> bytes:
    """The keyed digest of a value: 16 bytes that depend on entity, normalised value and key."""
    return digest_normal(key, entity, normalise(entity, value))


def digest_normal(key: bytes, entity: str, normal: str) -> bytes:
    """The keyed digest of a value that is in its normal form already."""
    return hashlib.blake2b(f"{entity}\0{normal}".encode(), digest_size=SIZE, key=key).digest()


def halves(key: bytes, entity: str, texts: pa.StringArray) -> pa.FixedSizeBinaryArray:
    """The first half of the digest of each text, and zeros behind it: what is kept of a column that is one entity throughout."""
    import numpy as np
    import pyarrow as pa

    few = texts[:: max(1, len(texts) // 256)]
    back = None
    if len(few) > 64 and len(few.unique()) * 4 < len(few) * 3:
        encoded = texts.dictionary_encode()
        texts, back = encoded.dictionary, encoded.indices
    begun = hashlib.blake2b(f"{entity}\0".encode(), digest_size=SIZE, key=key).copy
    digests = []
    for normal in _normal(entity, texts):
        state = begun()
        state.update(normal)
        digests.append(state.digest())
    numbers = np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2).copy()
    numbers[:, 1] = 0
    made = pa.FixedSizeBinaryArray.from_buffers(pa.binary(SIZE), len(numbers), [None, pa.py_buffer(numbers.tobytes())])
    return made if back is None else made.take(back)


def _normal(entity: str, texts: pa.StringArray) -> list[bytes]:
    """Each text as `normalise` writes it; ASCII, which most is, all at once."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(texts) <= _FEW:
        return [normalise(entity, text).encode() for text in texts.to_pylist()]
    plain = pc.ascii_lower(texts)
    if entity in _DIGITS_ONLY:
        plain = pc.replace_substring_regex(plain, "[^0-9]+", "")
    elif entity in _COMPACT:
        plain = pc.replace_substring_regex(plain, "[^0-9a-z]+", "")
    elif entity == "PHONE_NUMBER":
        plain = pc.replace_substring_regex(pc.replace_substring_regex(plain, "[^0-9]+", ""), "^00", "")
        plain = pc.replace_substring_regex(plain, "^45([0-9]{8})$", r"\1")
    elif pc.any(pc.match_substring_regex(plain, r"^[\x09-\x0d\x1c-\x20]|[\x09-\x0d\x1c-\x20]$|[\x09-\x0d\x1c-\x1f]|  ")).as_py():
        plain = pc.utf8_trim(pc.replace_substring_regex(plain, r"[\x09-\x0d\x1c-\x20]+", " "), " ")
    normal: list[bytes] = plain.cast(pa.binary()).to_pylist()
    others = np.flatnonzero(~pc.string_is_ascii(texts).to_numpy(zero_copy_only=False))
    for place, text in zip(others.tolist(), texts.take(pa.array(others)).to_pylist(), strict=True):
        normal[place] = normalise(entity, text).encode()
    return normal


def shape(value: str) -> str:
    """What a value looks like without saying it: letters as `x`, digits as `9`, at most 40 characters."""
    text = "".join("9" if c.isdigit() else "x" if c.isalpha() else " " if c.isspace() else c for c in value[:41])
    return text if len(text) <= 40 else text[:39] + "…"
