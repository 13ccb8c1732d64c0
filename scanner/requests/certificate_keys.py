"""The key with which this installation signs certificates: Ed25519, made on first use beside the keys of inventories."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.errors import InventoryError
from scanner.inventory import keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAME = "certificates.signing-key"
"""The file of the secret: 32 bytes, as RFC 8032 has it."""
SIZE = 32


def path() -> Path:
    """Where the key lies."""
    return keys.folder() / NAME


def signing_key() -> Ed25519PrivateKey:
    """The key, made when there is none yet, readable by its owner only. Raises `InventoryError`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    place = path()
    try:
        if not place.exists():
            _make(place)
        secret = place.read_bytes()
    except OSError as error:
        raise InventoryError(f"the key that signs certificates cannot be read or made: {place}: {error.strerror}") from None
    if len(secret) != SIZE:
        raise InventoryError(
            f"{place}: this is not a key that signs certificates; put the right one back, or move it away to make a new one"
        )
    return Ed25519PrivateKey.from_private_bytes(secret)


def _make(place: Path) -> None:
    """Whole or not at all; of two that make one at the same time, the first counts."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = place.with_name(f".{NAME}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(SIZE))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, place)
        except FileExistsError:
            return
    finally:
        aside.unlink(missing_ok=True)


def public(key: Ed25519PrivateKey) -> bytes:
    """The public key: 32 bytes."""
    return key.public_key().public_bytes_raw()


def fingerprint(key: bytes) -> str:
    """By which people know a public key: SHA-256, 64 hexadecimal digits in groups of eight."""
    text = hashlib.sha256(key).hexdigest()
    return " ".join(text[at : at + 8] for at in range(0, len(text), 8))


def same(one: str, other: str) -> bool:
    """Whether two fingerprints are the same, however they are grouped."""
    plain = [re.sub(r"[\s:-]", "", text).casefold() for text in (one, other)]
    return plain[0] == plain[1]


def is_fingerprint(text: str) -> bool:
    """Whether a text is one: 64 hexadecimal digits, grouped by spaces, colons or hyphens."""
    return re.fullmatch(r"[0-9a-f]{64}", re.sub(r"[\s:-]", "", text).casefold()) is not None
