"""How well the nine special categories are told: `python -m benchmarks.categories [--set first|second|third] [--prose fast|full] [--only unlisted|listed] [--errors]`.

`first.jsonl` beside this file: 898 short texts, seven in ten Danish, written before the rules by somebody who had not seen them; 45 % say
nothing of anybody. `second.jsonl`: 660 of the same kind by another author, written before the training that it measures first, as the first
set had been measured on several times. `third.jsonl`: 660 by a third author, measured once so far: its errors
are not to be looked at. `listed` tells whether a positive holds a word of the word lists as they were then. A text counts once a class:
does it say so of a person or not. What stands beside another class by nature (an inherited disease is health too) is not held against it.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.__main__ import detector
from scanner.detect.engine import Detector
from scanner.model import Shape, TextBatch

HERE = Path(__file__).parent
CLASSES = (
    "HEALTH", "GENETIC", "BIOMETRIC", "ETHNIC_ORIGIN", "POLITICAL_OPINION", "RELIGIOUS_BELIEF", "TRADE_UNION", "SEXUAL_ORIENTATION",
    "CRIMINAL_OFFENCE",
)  # fmt: skip
BESIDE = {("GENETIC", "HEALTH"), ("BIOMETRIC", "CRIMINAL_OFFENCE"), ("ETHNIC_ORIGIN", "RELIGIOUS_BELIEF")}
"""Pairs (said, found as well) that are both true more often than not."""


def read(name: str = "first") -> list[dict[str, Any]]:
    """The sentences of a set."""
    return [json.loads(line) for line in (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def told(made: Detector, texts: Sequence[str]) -> list[list[tuple[int, int, str]]]:
    """What a detector finds of the nine in each text, each text alone."""
    out: list[list[tuple[int, int, str]]] = [[] for _ in texts]
    batch = TextBatch("", "", pa.array(texts), pa.array([str(i) for i in range(len(texts))]), Shape.PROSE)
    for one in made.detect([batch]).findings.to_pylist():
        if one["entity"] in CLASSES:
            out[int(one["record"])].append((one["start"], one["end"], one["entity"]))
    return out


def figures(rows: Sequence[dict[str, Any]], said: Sequence[Sequence[tuple[int, int, str]]]) -> dict[str, tuple[float, float, float, int]]:
    """Precision, recall, F1 and the number of texts of each class."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    there: Counter[str] = Counter()
    for row, spans in zip(rows, said, strict=True):
        truth = {one["entity"] for one in row["entities"]}
        got = {entity for _, _, entity in spans}
        got -= {entity for entity in got - truth if any((one, entity) in BESIDE for one in truth)}
        there.update(truth)
        right.update(truth & got)
        wrong.update(got - truth)
    out = {}
    for entity in CLASSES:
        precision, recall = right[entity] / max(1, right[entity] + wrong[entity]), right[entity] / max(1, there[entity])
        out[entity] = (precision, recall, 2 * precision * recall / max(1e-9, precision + recall), there[entity])
    return out


def macro(rows: Sequence[dict[str, Any]], said: Sequence[Sequence[tuple[int, int, str]]]) -> float:
    """The mean of the classes' F1."""
    return sum(f1 for _, _, f1, _ in figures(rows, said).values()) / len(CLASSES)


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.categories", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", choices=("first", "second", "third"), default="first")
    parser.add_argument("--prose", choices=("fast", "full"), default="fast")
    parser.add_argument("--only", choices=("unlisted", "listed"), help="positives without, or with, a word of the lists; all negatives")
    parser.add_argument("--errors", action="store_true")
    given = parser.parse_args(argv)
    rows = read(given.set)
    if given.only:
        rows = [row for row in rows if not row["entities"] or row["listed"] == (given.only == "listed")]
    said = told(detector(given.prose), [row["text"] for row in rows])
    print("| class | texts | precision | recall | F1 |\n|---|---|---|---|---|")
    for entity, (precision, recall, f1, number) in figures(rows, said).items():
        print(f"| {entity} | {number} | {100 * precision:.1f} | {100 * recall:.1f} | {100 * f1:.1f} |")
    silent = [spans for row, spans in zip(rows, said, strict=True) if not row["entities"]]
    print(f"macro F1 {100 * macro(rows, said):.1f}; {sum(not spans for spans in silent)} of {len(silent)} negatives silent")
    if given.errors:
        for row, spans in zip(rows, said, strict=True):
            truth, got = {one["entity"] for one in row["entities"]}, {entity for _, _, entity in spans}
            if truth != got:
                print(f"{sorted(truth - got)} missed, {sorted(got - truth)} wrong: {row['text']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
