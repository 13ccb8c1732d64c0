"""One walk through a file and all that lies inside it: what it may cost, what it has cost, how to open the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from scanner.model import Blob, Limits, Reading


@dataclass(slots=True)
class Walk:
    """What the readers of one blob and of everything inside it share.

    `open` reads an inner blob by its content. `current` is the object being parsed, as told to `watch`.
    Without `by_line`, plain text is addressed by its offset instead of by lines (an attachment of a mail).
    `size` is that of the outermost blob in bytes, 0 when unknown. `passwords` are tried on encrypted archives.
    """

    limits: Limits
    watch: Callable[[str], None]
    skip: frozenset[str]
    open: Callable[[Blob], Iterator[Reading]]
    by_line: bool = True
    current: str = ""
    members: int = 0
    bytes: int = 0
    size: int = 0
    passwords: tuple[str, ...] = field(default=(), repr=False)


Reader: TypeAlias = Callable[[Blob, Walk], Iterator[Reading]]
"""Reads one kind of content. It may raise: whoever called it records that as a `Problem`."""
