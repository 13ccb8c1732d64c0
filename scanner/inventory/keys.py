"""The secret key of an inventory's digests: made on first use, kept outside the inventory, or given by reference."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from scanner.errors import InventoryError

SIZE = 32
"""Bytes of a key."""


def folder() -> Path:
    """Where keys are kept: the user's configuration folder."""
    root = os.environ.get("PERSONDATA_KEYS")
    if root:
        return Path(root)
    base = os.environ.get("XDG_CONFIG_HOME") or (os.environ.get("APPDATA") if os.name == "nt" else str(Path.home() / ".config"))
    return Path(base or ".config") / "persondata" / "keys"


def make(inventory: str) -> bytes:
    """Make the key of a new inventory, in a file that only its owner can read."""
    path = folder() / f"{inventory}.key"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = secrets.token_bytes(SIZE)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def read(inventory: str) -> bytes:
    """The key of an inventory that is there already. Raises `InventoryError` when it is not to be had."""
    path = folder() / f"{inventory}.key"
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        raise InventoryError(
            f"the key of this inventory is missing: put it back at {path}, or start a new inventory with --inventory FOLDER"
        ) from None
    except OSError as error:
        raise InventoryError(f"the key of this inventory cannot be read: {path}: {error.strerror}") from None
    if len(key) != SIZE:
        raise InventoryError(f"{path}: this is not a key")
    return key


def from_secret(secret: str) -> bytes:
    """A key made from a secret that the configuration refers to."""
    if len(secret) < 16:
        raise InventoryError("the inventory's key must be at least 16 characters long")
    return hashlib.blake2b(secret.encode(), digest_size=SIZE, person=b"persondata-key").digest()


def check(key: bytes) -> str:
    """Proves, in the book, which key the digests were made with, without saying what it is."""
    return hashlib.blake2b(b"which key is this", digest_size=16, key=key).hexdigest()
