"""The words of reports: one file a language that all share (`reports/words/`), and one of each report's own."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeAlias

from scanner.resources import folder

LANGUAGES = ("en", "da")
Words: TypeAlias = Mapping[str, Any]


@functools.lru_cache(maxsize=16)
def words(name: str, language: str) -> dict[str, Any]:
    """All words of the report (or package) `name`: the shared ones, and its own in `reports/NAME/LANGUAGE.yaml`, which come first."""
    import yaml

    found: dict[str, Any] = {}
    for part in ("words", name):
        found |= yaml.safe_load((folder("reports") / part / f"{language}.yaml").read_text(encoding="utf-8"))
    return found


def entity(said: Words, code: str) -> str:
    """What a kind of personal data is called; one that has no word yet (a rule of the company's own) by its code."""
    known = said["entities"].get(code)
    if known:
        return str(known)
    country, _, rest = code.partition("_")
    return f"{country} {rest.replace('_', ' ').lower()}" if len(country) == 2 and rest else code.replace("_", " ").capitalize()


def number(said: Words, value: float) -> str:
    """A whole number with its thousands told apart."""
    return f"{value:,}".replace(",", said["thousands"])


def span(said: Words, keep: str) -> str:
    """How long something is kept: `5 years` in words."""
    count, _, unit = keep.partition(" ")
    unit = unit.removesuffix("s") + ("" if count == "1" else "s")
    return f"{count} {said['units'].get(unit, unit)}".strip()


def day(said: Words, moment: str) -> str:
    """The day of a moment as people write it: 3. december 2026, 3 December 2026."""
    if not moment:
        return ""
    when = date.fromisoformat(moment[:10])
    return str(said["day"]).format(day=when.day, month=said["months"][when.month - 1], year=when.year)
