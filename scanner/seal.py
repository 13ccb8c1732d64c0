"""Seals what an address must hold but nobody may read: a database key that is itself somebody's e-mail address.

AES-SIV (RFC 5297), deterministic: the same key is sealed to the same text, so that records can still be told apart and joined.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import re
from typing import TYPE_CHECKING

from scanner.errors import InventoryError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

PREFIX = "sealed:"
_NONCE = 12

_PLAIN = re.compile(
    r"(?:[^=,]{1,63}=(?:-?[0-9]{1,19}|\([0-9]+,[0-9]+\)|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[ T:.0-9+Z-]{0,24})"
    r"(?:,(?=[^=,]{1,63}=))?)+"
)
"""Keys that need no seal: whole numbers (but for ten digits, which may be a CPR number), row addresses, UUIDs, dates and times."""
_TEN = re.compile(r"=[0-9]{10}(?![0-9])")


def needs(record: str) -> bool:
    """Whether a table's record name could itself be somebody's data."""
    return _PLAIN.fullmatch(record) is None or _TEN.search(record) is not None


def seal(key: bytes, record: str) -> str:
    """A record's name, unreadable without the inventory's key."""
    sealed = _cipher(key).encrypt(record.encode(), None)
    return PREFIX + base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def unseal(key: bytes, record: str) -> str:
    """The name behind a seal; other names as they are. Raises `InventoryError` when the key does not fit."""
    if not record.startswith(PREFIX):
        return record
    from cryptography.exceptions import InvalidTag

    text = record.removeprefix(PREFIX)
    try:
        return _cipher(key).decrypt(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), None).decode()
    except (InvalidTag, ValueError):
        raise InventoryError("this sealed record does not belong to this inventory") from None


def lock(key: bytes, secret: bytes, about: str) -> bytes:
    """A secret, unreadable without the inventory's key and bound to what it is about (AES-256-GCM, a nonce of its own in front)."""
    nonce = os.urandom(_NONCE)
    return nonce + _vault(key).encrypt(nonce, secret, about.encode())


def unlock(key: bytes, locked: bytes, about: str) -> bytes:
    """What was locked. Raises `InventoryError` when the key does not fit, or it was locked about something else."""
    from cryptography.exceptions import InvalidTag

    try:
        return _vault(key).decrypt(locked[:_NONCE], locked[_NONCE:], about.encode())
    except (InvalidTag, ValueError):
        raise InventoryError("what is locked here does not belong to this inventory, or it was changed") from None


def _vault(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hashlib.blake2b(key, digest_size=32, person=b"persondata-lock").digest())


@functools.lru_cache(maxsize=4)
def _cipher(key: bytes) -> AESSIV:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    return AESSIV(hashlib.blake2b(key, digest_size=64, person=b"persondata-seal").digest())
