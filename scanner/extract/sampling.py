"""Reads part of a large table, spread over the whole of it, and says how likely something rare was missed.

A table is thought of as chunks of neighbouring rows: pages of PostgreSQL, ranges of row numbers of SQLite and of whole-
number keys elsewhere. Chunks are drawn at random, each as likely as any other, and read whole. Let at least `rate` of
the rows hold a finding in some column. Chunks hold at most `most` rows each, so these rows lie in at least `rate * rows
/ most` chunks however they lie: side by side (customers of one year, one import) or spread. When a share `s` of all
chunks has been read, all of those were missed with a chance of at most `(1 - s) ** chunks`. Rows read alone would give
the far smaller `(1 - rate) ** rows_read`, which is true only for rows that lie as if shuffled; so it is not what is
claimed.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.model import Problem, Why

SAMPLE = "sample"
"""The part of an object that a sample's unit is."""
CHUNK_KEYS = 16
"""Whole-number keys of one chunk, where chunks are ranges of them."""


def instead_of(parts: int, fingerprint: str) -> str:
    """The fingerprint of a sample of what would be so many units of one fingerprint; `""` when that is unknown.

    It is never that of the whole, so that a full scan reads what a sample left out.
    """
    return f"sample of {parts}: {fingerprint}" if fingerprint else ""


def whole(fingerprint: str) -> tuple[int, str]:
    """What `instead_of` was told; (0, "") of any other fingerprint."""
    match = re.fullmatch(r"sample of (\d+): (.*)", fingerprint, re.DOTALL)
    return (int(match[1]), match[2]) if match else (0, "")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How sure a sample must be: a column in which `rate` of the rows hold a finding is missed at most with `chance`.

    A table of at most `rows` rows is read in full, and so is one of which more than half would have to be read.
    """

    seed: int
    rate: float = 0.001
    chance: float = 0.01
    rows: int = 250_000

    def share(self, rows: float, most: float) -> float:
        """The share of the chunks of at most `most` rows that must be read of a table of `rows`; 1 for more than half."""
        share = 1 - self.chance ** (1 / self._chunks(rows, most))
        return share if share <= 0.5 else 1.0

    def missed(self, rows: float, most: float, share: float) -> float:
        """The chance that a share of the chunks held none of the rows with a finding, although they are `rate` of all."""
        return (1 - share) ** self._chunks(rows, most)

    def takes(self, rows: float, most: float) -> bool:
        """Whether a table is so large that a sample of it is worth while."""
        return rows > self.rows and self.share(rows, most) < 1

    def _chunks(self, rows: float, most: float) -> int:
        return max(1, math.ceil(self.rate * rows / max(most, 1)))


@dataclass(slots=True)
class Draw:
    """The sample of one table as it grows: the share of its chunks that was read, and what it held."""

    sampling: Sampling
    wanted: float
    share: float = 0.0
    rows: int = 0
    most: int = 1

    @property
    def there(self) -> float:
        """How many rows the table has, going by those that were read."""
        return self.rows / self.share

    def grow(self) -> bool:
        """Whether more must be read, and then what share of all chunks in `wanted` (what has been read is part of it)."""
        if self.share >= 1 or (self.share and self.missed() <= self.sampling.chance):
            return False
        if self.share:
            need = self.sampling.share(self.there, self.most)
            self.wanted = min(1.0, max(need * 1.1, self.share * 1.2)) if need < 1 else 1.0
            self.wanted = self.wanted if self.wanted <= 0.5 else 1.0
        return True

    def chunks(self, there: int) -> Iterator[list[int]]:
        """Draw from chunks 0 to `there - 1` until the sample is sure enough: rounds of numbers that were not drawn before.

        `rows` must have been counted on when the next round is asked for. The same seed draws the same chunks.
        """
        order, drawn = random.Random(self.sampling.seed), set[int]()  # noqa: S311 - no secret is made here
        while self.grow():
            if self.wanted >= 1:
                last = [n for n in range(there) if n not in drawn]
            else:
                last = []
                while len(drawn) < min(there, self.wanted * there + 1):
                    if (n := order.randrange(there)) not in drawn:
                        drawn.add(n)
                        last.append(n)
            self.share = 1.0 if self.wanted >= 1 else len(drawn) / there
            yield sorted(last)

    def missed(self) -> float:
        """The chance that a column was missed, as it is claimed."""
        return self.sampling.missed(self.there, self.most, self.share)


@dataclass(frozen=True, slots=True)
class Sampled(Problem):
    """A table was read in part: `read` of about `there` rows. `chance`: see the head of this module."""

    read: int = 0
    there: int = 0
    rate: float = 0.0
    chance: float = 1.0


def sampled(object: str, draw: Draw) -> Sampled:
    """State what was read of a table and what that says of the rest."""
    there, chance = max(draw.rows, round(draw.there)), math.ceil(draw.missed() * 1e4) / 1e4
    detail = (
        f"a sample: {draw.rows:,} of about {there:,} rows read, spread over the whole table; a column in which at least one row"
        f" in {round(1 / draw.sampling.rate):,} holds a finding was missed with a chance of at most {chance:.2%},"
        " also when such rows lie side by side"
    )
    return Sampled(object, Why.TOO_LARGE, detail, read=draw.rows, there=there, rate=draw.sampling.rate, chance=chance)
