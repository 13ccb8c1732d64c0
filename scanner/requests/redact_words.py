"""Reads `reports/access/redaction.yaml`: the words by which a text says whom it speaks of."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from scanner.resources import folder


@dataclass(frozen=True, slots=True)
class Words:
    """The lists, made ready. `cues` finds whoever may be meant by what is said in a sentence, by the name of its group."""

    cues: re.Pattern[str]
    closing: re.Pattern[str]
    everybody: frozenset[str]
    correspondents: frozenset[str]
    authors: frozenset[str]


@functools.lru_cache(maxsize=2)
def words(path: Path | None = None) -> Words:
    """The words of a file, the shipped one without one."""
    lists = yaml.safe_load((path or folder("reports") / "access/redaction.yaml").read_text(encoding="utf-8"))
    groups = "|".join(f"(?P<{name}>{_any(lists[name])})" for name in ("relatives", "contacts", "writer", "pronouns"))
    return Words(
        cues=re.compile(rf"(?<![\w'])(?:{groups})(?![\w'])", re.IGNORECASE),
        closing=re.compile(rf"^[ \t>]*(?:{_any(lists['closings'])})(?:[ ,][^\n]{{0,40}})?$", re.IGNORECASE | re.MULTILINE),
        everybody=frozenset(lists["everybody"].split()),
        correspondents=frozenset(lists["correspondents"].split()),
        authors=frozenset(lists["authors"].casefold().split()),
    )


def _any(listed: str) -> str:
    return "|".join(re.escape(word).replace(r"\*", r"\w*") for word in listed.split())
