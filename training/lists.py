"""The shipped gazetteers, as training reads them."""

from __future__ import annotations

from pathlib import Path

from scanner.detect import ner

RULES = Path(__file__).parents[1] / "rules"


def lists() -> ner.Lists:
    """What the shipped gazetteers say of a word."""
    return ner.lists(RULES)
