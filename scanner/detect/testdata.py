"""Knows published test values, which belong to nobody: they are found, scored down, and marked."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

from scanner import digest
from scanner.errors import RuleError

LESS = 0.3
"""So much less a test value scores; it never falls out of sight for it."""


class TestValues:
    """The list `words/test_values.txt`: lines of an entity and a value, in which `*` stands for anything."""

    def __init__(self, path: Path) -> None:
        self._exact: set[tuple[str, str]] = set()
        patterns: dict[str, list[str]] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        for number, line in enumerate(lines, 1):
            if not line or line.startswith("#"):
                continue
            entity, tab, value = line.partition("\t")
            if not tab or not value:
                raise RuleError(f"{path.name}: line {number}: expected an entity, a tab and a value")
            if "*" in value:
                patterns.setdefault(entity, []).append(fnmatch.translate(value))
            else:
                self._exact.add((entity, digest.normalise(entity, value)))
        self._patterns = {entity: re.compile("|".join(ones)) for entity, ones in patterns.items()}

    def has(self, entity: str, normal: str) -> bool:
        """Whether a value, in its normal form, is test data."""
        if (entity, normal) in self._exact:
            return True
        pattern = self._patterns.get(entity)
        return pattern is not None and pattern.fullmatch(normal) is not None
