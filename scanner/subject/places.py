"""Records on their way to a judgement: what was met in each of them, and how it was reached."""

from __future__ import annotations

from dataclasses import dataclass, field

from scanner.model import Role
from scanner.subject import tables
from scanner.subject.links import Evidence
from scanner.subject.rows import Claim

Address = tuple[str, str, str]
"""Source, object and record."""
OTHER_NAME = frozenset({"PERSON", "SURNAME"})
"""What a record says against the subject where it gives the person it is about another name."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a row was reached from another one that is hers."""

    parent: Address
    why: str
    field: str
    score: float
    role: Role


@dataclass(slots=True)
class Place:
    """A record on its way to a judgement."""

    evidence: dict[tuple[int, str], Evidence] = field(default_factory=dict)
    against: set[str] = field(default_factory=set)
    against_sure: set[str] = field(default_factory=set)
    """What its row says otherwise, held against what is certain of her."""
    claims: tuple[Claim, ...] = ()
    way: Way | None = None
    whole: bool = False
    people: bool = False
    row: tables.Found | None = None
    read: tuple[int, int] = (0, 0)
    """So many identifiers were known, and so many of them doubtful, when its row was read last."""
