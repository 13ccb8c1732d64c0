"""What a whole column is: evidence added up over its values, so that a million e-mail cells are one fact."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scanner import digest
from scanner.detect.checks import CHECKS
from scanner.detect.vector_checks import VECTOR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanner.detect.engine import Detector
    from scanner.detect.rules import Rule
    from scanner.model import TextBatch

FEWEST = 50
"""Fewer rows than this are looked at one by one."""
SAMPLE = 64
"""So many cells say which rules are worth trying on a whole column."""
FEW = 16
"""So many of them are enough to pass over rules that have nothing to do with the column."""
SHARE = 0.8
"""So much of a column must pass for the column to be one thing."""


_PLAIN = (
    r"-?[0-9]{1,7}(?:[.,][0-9]{1,6})?"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?(?:[0-9]{2})?)?)?"
)
"""Cells that hold nothing to find on their own: numbers too small for any identifier, and ISO 8601 dates and times.
A rule that goes by the field's name (a date of birth) still sees them."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A column that is one entity throughout: `rows` are those that pass, `filled` those that hold anything."""

    object: str
    field: str
    rule: int
    rows: NDArray[np.bool_]
    filled: int
    score: float
    example: str


def plain(texts: pa.Array) -> NDArray[np.bool_] | None:
    """Which cells need no look, where that is most of a column; None elsewhere."""
    size = len(texts)
    if size < FEWEST:
        return None
    regex = _whole(_PLAIN, True)
    few = [cell for cell in texts.take(pa.array(np.arange(0, size, max(1, size // FEW)))).to_pylist() if cell]
    if not few or sum(regex.fullmatch(cell) is not None for cell in few) < SHARE * len(few):
        return None
    mask: NDArray[np.bool_] = pc.match_substring_regex(texts, rf"^(?:{_PLAIN})$").to_numpy(zero_copy_only=False)
    return mask


def judge(detector: Detector, batch: TextBatch, texts: pa.Array) -> Fact | None:
    """Whether these cells are one entity throughout; None when each must be looked at by itself."""
    filled = pc.greater(pc.binary_length(texts), 0).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(filled)
    if len(places) < FEWEST:
        return None
    step = max(1, len(places) // SAMPLE)
    sample = texts.take(pa.array(places[::step][:SAMPLE]))
    few = sample.to_pylist()[:: SAMPLE // FEW]
    speaks = detector.speaks(batch.field)
    candidates = []
    for index, rule in enumerate(detector.rules):
        if not (rule.cell or rule.names) or (rule.only_fields and not speaks[index]) or not detector.prose.wants(rule):
            continue
        if not _worth_trying(rule, few):
            continue
        passed = _passes(detector, index, sample)
        if passed.mean() < SHARE:
            continue
        score = _score(detector, index, sample.filter(pa.array(passed)), speaks[index])
        if score >= detector.least:
            candidates.append((-score, bool(rule.names), index))
    for score, _, index in sorted(candidates):
        rows = _passes(detector, index, texts)
        if rows.sum() >= SHARE * len(places):
            example = digest.shape(texts[int(np.flatnonzero(rows)[0])].as_py())
            return Fact(batch.object, batch.field, index, rows, len(places), -score, example)
    return None


def _worth_trying(rule: Rule, cells: list[str]) -> bool:
    """Whether some cells have the form at all; most rules end here, at the first cells."""
    if not rule.cell:
        return sum(" " in cell and cell[:1].isupper() and not any(map(str.isdigit, cell)) for cell in cells) > len(cells) // 2
    regex, misses = _whole(rule.cell, rule.case), 0
    for cell in cells:
        if regex.fullmatch(cell) is None:
            misses += 1
            if misses > len(cells) // 2:
                return False
    return True


@functools.cache
def _whole(pattern: str, case: bool) -> re.Pattern[str]:
    return re.compile(pattern, 0 if case else re.IGNORECASE)


def _passes(detector: Detector, index: int, texts: pa.Array) -> NDArray[np.bool_]:
    """Which cells are, as a whole, what the rule looks for."""
    rule = detector.rules[index]
    if rule.names:
        named: NDArray[np.bool_] = detector.prose.cells(index, texts).to_numpy(zero_copy_only=False)
        return named
    mask = pc.match_substring_regex(texts, rf"^(?:{rule.cell})$", ignore_case=not rule.case)
    passed: NDArray[np.bool_] = mask.to_numpy(zero_copy_only=False)
    if rule.check and passed.any():
        if rule.check in VECTOR:
            checked = VECTOR[rule.check](pc.if_else(mask, texts, ""))
            passed = passed & np.asarray(checked)
        else:
            check = CHECKS[rule.check]
            places = np.flatnonzero(passed)
            values = texts.take(pa.array(places)).to_pylist()
            passed = passed.copy()
            passed[places] = [check(value) for value in values]
    return passed


def _score(detector: Detector, index: int, cells: pa.Array, in_field: bool) -> float:
    """The middle score of some cells on their own, plus what the column as a whole adds."""
    rule = detector.rules[index]
    if rule.names:
        return min(1.0, rule.score.match + rule.score.column + (rule.score.field if in_field else 0))
    matcher = detector.matchers[index]
    scores = [matcher.weigh(cell, 0, len(cell), in_field) for cell in cells.to_pylist()]
    return float(min(1.0, round(float(np.median(scores)) + rule.score.column, 4)))
