"""One record on its way into a deletion plan: what was found, what was read of it, what becomes of it and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from scanner.model import Hit, Role
from scanner.report.words import Words, day
from scanner.requests.plan import MUST_GO, Action, Planned


class Reason(NamedTuple):
    """A sentence by its name in `reports/deletion/*.yaml`, and what stands in its gaps; roles and days are said in its language."""

    name: str
    gaps: Mapping[str, Any] = {}

    def said(self, words: Words) -> str:
        """The sentence, without its full stop."""
        gaps: dict[str, Any] = {name: words["roles"].get(text, text) if name == "role" else text for name, text in self.gaps.items()}
        gaps |= {name: day(words, text.isoformat()) for name, text in gaps.items() if isinstance(text, date)}
        return str(words["reasons"][self.name]).format(**gaps)

    def remarked(self, words: Words) -> str:
        """A remark of that name."""
        return str(words["remarks"][self.name]).format(**self.gaps)


@dataclass(slots=True)
class Row:
    """What is remembered of a row that was read: enough to order it among others and to write its statement, and no more.

    `where` is the condition that names it, `values` its columns that point or are pointed at, `hers` the filled columns that tell of
    her with the kind of data in each, `soft` the column that marks it as deleted. `key` is empty where no key names it.
    """

    where: str
    key: tuple[str, ...]
    values: Mapping[str, str | None]
    hers: tuple[tuple[str, str], ...]
    soft: str = ""
    print: str = ""


@dataclass(slots=True)
class Item:
    """One record of one source. `row` is None for what is no row, or was not read."""

    source: str
    object: str
    record: str
    hit: Hit
    action: Action = Action.REVIEW
    reasons: list[Reason] = field(default_factory=list)
    law: str = ""
    until: str = ""
    row: Row | None = None
    sets: Mapping[str, str] = field(default_factory=dict)
    statement: str = ""
    rows: int = 0

    def decide(self, action: Action, *reasons: Reason, law: str = "", until: str = "") -> None:
        """Say what becomes of it, in place of what was said before."""
        self.action, self.reasons, self.law, self.until = action, list(reasons), law, until

    @property
    def goes(self) -> bool:
        """Whether nothing of hers may be left of it."""
        return self.action in MUST_GO

    @property
    def own(self) -> bool:
        """Whether it is about her, or she wrote or got it."""
        return self.hit.role in (Role.ABOUT, Role.AUTHOR, Role.RECIPIENT)

    def why(self, words: Words) -> str:
        """All its reasons in one sentence."""
        return "; ".join(one.said(words) for one in self.reasons)

    def planned(self, words: Words) -> Planned:
        """It as a line of the plan."""
        hit = self.hit
        return Planned(
            self.source, self.object, self.record, hit.field, self.action, self.why(words), self.law, self.until,
            self.statement, hit.link.value, hit.why, hit.role.value, self.rows, self.row.print if self.row else "",
        )  # fmt: skip


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names in a sentence; of many the first."""
    known = list(dict.fromkeys(names))
    return ", ".join(known[:most]) + (" …" if len(known) > most else "")
