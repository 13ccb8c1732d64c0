"""Holds rules to their own examples."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa

from scanner.detect.engine import Detector
from scanner.detect.rules import Rule
from scanner.errors import RuleError
from scanner.model import Shape, TextBatch

_FIELD = re.compile(r"<field=([^>]+)>")


def broken(detector: Detector, rule: Rule) -> Iterator[str]:
    """What a rule promises and does not keep, a sentence each."""
    if not detector.prose.wants(rule):
        return
    for text in rule.examples:
        if rule.entity not in _found(detector, text, "entity"):
            yield f"misses its own example {text!r}"
    for text in rule.counterexamples:
        if rule.id in _found(detector, text, "rule"):
            yield f"finds something in its counterexample {text!r}"


def hold(detector: Detector) -> None:
    """Raises `RuleError` at the first rule that breaks a promise."""
    for rule in detector.rules:
        for sentence in broken(detector, rule):
            raise RuleError(f"{rule.file}: {rule.id}: {sentence}")


def _found(detector: Detector, text: str, what: str) -> list[str]:
    field = ""
    if match := _FIELD.match(text):
        field, text = match[1], text[match.end() :]
    batch = TextBatch("example", field, pa.array([text]), pa.array([""]), Shape.CELL if field else Shape.PROSE)
    found: list[str] = detector.detect([batch]).findings.column(what).to_pylist()
    return found
