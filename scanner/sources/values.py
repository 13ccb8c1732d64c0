"""Texts become what the type of a column can hold, or nothing: a value that it cannot hold meets no row."""

from __future__ import annotations

import ipaddress
import math
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

T = TypeVar("T")

_WHOLE = re.compile(r"([+-]?[0-9]{1,40})(?:\.0{0,9})?")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?: ?[+-][0-9]{2}(?::?[0-9]{2})?|Z)?)?"
)
ODD_DAY = re.compile(r"(?:[0-9]{4,7}-[0-9]{2}-[0-9]{2}\b.{0,40}|-?infinity)")
"""Days and moments of some databases that Python does not have: before our era, after the year 9999, without end."""
_BYTES = re.compile(r"x'((?:[0-9a-fA-F]{2})*)'")
_TRUTHS = {"true": True, "false": False}


def whole(text: str, low: int = -(2**63), high: int = 2**63 - 1) -> int | None:
    """A whole number between two others, both included."""
    match = _WHOLE.fullmatch(text.strip())
    number = int(match[1]) if match else None
    return number if number is not None and low <= number <= high else None


def decimal(text: str) -> Decimal | None:
    """A decimal number, as exact as it is written."""
    return Decimal(text) if _DECIMAL.fullmatch(text := text.strip()) else None


def real(text: str, most: float = math.inf) -> float | None:
    """A floating-point number of at most that size, and not so small that it would be lost."""
    number = float(text) if _DECIMAL.fullmatch(text := text.strip()) else math.nan
    return number if abs(number) <= most and math.isfinite(number) and (number == 0 or abs(number) >= 1e-37) else None


def truth(text: str) -> bool | None:
    """True or false, as databases write them."""
    return _TRUTHS.get(text.strip().lower())


def day(text: str) -> date | None:
    """A day of the calendar, from year 1 to 9999."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text := text.strip()) else None
    except ValueError:
        return None


def moment(text: str) -> datetime | None:
    """A day with a time or without, perhaps with an offset."""
    try:
        return datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-")) if _MOMENT.fullmatch(text := text.strip()) else None
    except ValueError:
        return None


def identity(text: str) -> uuid.UUID | None:
    """A UUID."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def address(text: str) -> str | None:
    """An IP address, perhaps with the length of its network."""
    try:
        return str(ipaddress.ip_interface(text.strip())) if "/" in text else str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return None


def octets(text: str) -> list[bytes]:
    """The bytes that are read as this text: UTF-8 or Windows-1252, or `x'00ff'` in a key."""
    found = [text.encode()]
    if match := _BYTES.fullmatch(text):
        found.append(bytes.fromhex(match[1]))
    return found + ([] if text.isascii() else encoded(text, "cp1252"))


def encoded(text: str, encoding: str) -> list[bytes]:
    """The text in an encoding; none where that has no such letters."""
    try:
        return [text.encode(encoding)]
    except UnicodeEncodeError:
        return []


def digits(text: str) -> str:
    """The digits of a text."""
    return re.sub("[^0-9]", "", text)


def folded(text: str) -> str:
    """A text without regard to case and to spaces at the ends."""
    return text.strip(" ").lower()


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8 at all."""
    return bool(encoded(text, "utf-8"))


def kept(values: Sequence[str], convert: Callable[[str], T | None]) -> list[T]:
    """What the values become, each once, without those that become nothing."""
    made = (convert(value) for value in values)
    return list(dict.fromkeys(one for one in made if one is not None))


def pieces(values: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Cut many values into lists of at most so many."""
    for at in range(0, len(values), most):
        yield values[at : at + most]
