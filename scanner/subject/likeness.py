"""The words for how like two things are: how surely they are the same, how much that proves, and one of the ways to write a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Strength(StrEnum):
    """How much it proves when an identifier stands in a record: a number of one person, something a household shares, a name."""

    STRONG = "strong"
    MEDIUM = "medium"
    WEAK = "weak"


class Agreement(StrEnum):
    """Whether two writings mean the same: no doubt, a usual variation, one part only, nothing to go by, no."""

    SAME = "same"
    VARIANT = "variant"
    WEAK = "weak"
    UNKNOWN = "unknown"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like a text is to an identifier; `how` says it in words, without any value."""

    agreement: Agreement
    how: str


@dataclass(frozen=True, slots=True, repr=False)
class Form:
    """One way in which an identifier may be recorded: `normal` as `digest.normalise` has it; `how` it differs from what was given."""

    entity: str
    normal: str
    strength: Strength
    how: str

    def __repr__(self) -> str:
        return f"Form({self.entity}, {self.strength.value}, {self.how!r})"


UNKNOWN = Likeness(Agreement.UNKNOWN, "nothing to compare")
EMPTY = Likeness(Agreement.UNKNOWN, "empty")


def same(how: str) -> Likeness:
    return Likeness(Agreement.SAME, how)


def variant(how: str) -> Likeness:
    return Likeness(Agreement.VARIANT, how)


def weak(how: str) -> Likeness:
    return Likeness(Agreement.WEAK, how)


def different(how: str) -> Likeness:
    return Likeness(Agreement.DIFFERENT, how)


def one_edit(left: str, right: str) -> bool:
    """Whether at most one typing error lies between two words: a letter wrong, missing or too many, or two neighbours swapped (Damerau)."""
    if left == right:
        return True
    if len(left) > len(right):
        left, right = right, left
    if len(right) - len(left) > 1:
        return False
    at = 0
    while at < len(left) and left[at] == right[at]:
        at += 1
    if len(left) < len(right):
        return left[at:] == right[at + 1 :]
    swapped = left[at : at + 2] == right[at : at + 2][::-1] and left[at + 2 :] == right[at + 2 :]
    return swapped or left[at + 1 :] == right[at + 1 :]
