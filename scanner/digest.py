"""Normalises a value, keys it, forgets it: what the inventory remembers instead of values.

A digest is BLAKE2b with a secret key, 16 bytes: without the key nobody can count through all CPR or phone
numbers until one fits, which a plain hash would allow.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

SIZE = 16
"""Bytes of a digest."""

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


def shape(value: str) -> str:
    """What a value looks like without saying it: letters as `x`, digits as `9`, at most 40 characters."""
    text = "".join("9" if c.isdigit() else "x" if c.isalpha() else " " if c.isspace() else c for c in value[:41])
    return text if len(text) <= 40 else text[:39] + "…"
