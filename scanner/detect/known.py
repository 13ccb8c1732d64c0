"""A company's own customers and numbers: exact values that are certain wherever they occur, held as keyed digests only."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scanner import digest
from scanner.detect.rules import Rule, Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORTEST = 4
"""A known value with fewer letters and digits than this would be found everywhere, and is left out."""
SHAPES = 64
"""A column of more shapes than this is no numbering scheme: its values are only recognised where a rule finds something."""

_PIECE = np.dtype([("high", ">u8"), ("low", ">u8")])


@dataclass(frozen=True, slots=True)
class KnownColumn:
    """One column of known values: what they are, how they look, and the file of their digests (sorted, 16 bytes each)."""

    name: str
    entity: str
    path: Path
    shapes: tuple[str, ...] = ()


def write(path: Path, digests: list[bytes]) -> None:
    """Write digests, sorted and each once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = np.frombuffer(b"".join(sorted(set(digests))), _PIECE)
    aside = path.with_suffix(".aside")
    aside.write_bytes(whole.tobytes())
    aside.replace(path)


class KnownValues:
    """All columns of known values, ready to be asked."""

    def __init__(self, columns: tuple[KnownColumn, ...], key: bytes) -> None:
        self._key = key
        self._columns = columns
        self._digests: dict[str, list[NDArray[np.void]]] = {}
        for column in columns:
            self._digests.setdefault(column.entity, []).append(np.fromfile(column.path, _PIECE))

    def __bool__(self) -> bool:
        return bool(self._columns)

    @property
    def entities(self) -> frozenset[str]:
        """The entities of which there are known values."""
        return frozenset(self._digests)

    def has(self, entity: str, value: str) -> bool:
        """Whether a value is known."""
        kept = self._digests.get(entity)
        if kept is None:
            return False
        wanted = np.frombuffer(digest.digest(self._key, entity, value), _PIECE)[0]
        return any(_holds(one, wanted) for one in kept)

    def rules(self, cls: str) -> list[Rule]:
        """A rule for each column whose values have a numbering scheme of their own."""
        made = []
        for column in self._columns:
            if column.entity != CUSTOMER_ID or not column.shapes:
                continue
            shapes = "|".join(_expression(shape) for shape in sorted(column.shapes, key=len, reverse=True))
            made.append(
                Rule(
                    id=f"known.{column.name}",
                    entity=column.entity,
                    cls=cls,
                    file="persondata.toml",
                    trigger=shapes,
                    pattern=rf"(?<![\w-])(?:{shapes})(?![\w-])",
                    width=max(map(len, column.shapes)),
                    score=Score(match=1.0),
                    about="An exact value that the configuration names as known.",
                )
            )
        return made


CUSTOMER_ID = "CUSTOMER_ID"


def shape_of(value: str) -> str:
    """The scheme of a number: digits as 9, letters as x, the rest as it is."""
    return re.sub(r"[^\W\d_]", "x", re.sub(r"[0-9]", "9", value))


@functools.cache
def _expression(shape: str) -> str:
    return "".join("[0-9]" if c == "9" else "[a-zA-Z]" if c == "x" else re.escape(c) for c in shape)


def _holds(digests: NDArray[np.void], wanted: np.void) -> bool:
    highs = digests["high"]
    at = int(np.searchsorted(highs, wanted["high"]))
    while at < len(digests) and highs[at] == wanted["high"]:
        if digests[at]["low"] == wanted["low"]:
            return True
        at += 1
    return False
