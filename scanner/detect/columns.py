"""What a whole column is: evidence added up over its values, so that a million e-mail cells are one fact.

A cell alone says little: any ten digits may be a date and a serial number. A column says much: of random ten-digit numbers
3.6 % have a date, of numbers that begin with 10 most do, and of either one in eleven passes modulus 11, of CPR numbers nearly all.
So a rule is held against all cells that have its form: the share that passes its check, against its `chance`; the share that
passes each evidence; whether the numbers count up, or are dates or times. What a column is not, its cells are not either.
"""

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
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from scanner.detect.engine import Detector
    from scanner.detect.rules import Rule
    from scanner.model import TextBatch

FEWEST = 20
"""Fewer filled cells than this say nothing together, and are looked at one by one."""
SAMPLE = 256
"""So many cells, spread over the column, say what it is; all of them are then held against it."""
FEW = 16
"""So many of them are enough to pass over rules that have nothing to do with the column."""
SHARE = 0.8
"""So much of a column must pass for the column to be one thing."""
FORM = 0.5
"""So much of it must have a rule's form for the rule to have a say."""
HOLDS, FAILS = 0.7, 0.35
"""An evidence speaks for the column from the first share on, and against it up to the second."""
SPEAKS_AGAINST = -0.4
"""What numbers that are something else take away."""
FAILED = -0.7
"""What an evidence takes away that the column's values fail as a whole, though each alone may fail it."""

_PLAIN = (
    r"-?[0-9]{1,7}(?:[.,][0-9]{1,6})?"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?(?:[0-9]{2})?)?)?"
)
"""Cells that hold nothing to find on their own: numbers too small for any identifier, and ISO 8601 dates and times.
A rule that goes by the field's name (a date of birth) still sees them."""

_ISO = {10: "9999-99-99", 16: "9999-99-99 99:99", 19: "9999-99-99 99:99:99"}
"""How dates and times are mostly written, by their length; the space may be a T."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A column that is one entity throughout: `rows` are those that pass, `filled` those that hold anything."""

    object: str
    field: str
    records: pa.StringArray
    rule: int
    rows: NDArray[np.bool_]
    filled: int
    score: float
    example: str
    why: tuple[tuple[str, float], ...] = ()
    view: Callable[[pa.StringArray], pa.StringArray] = lambda texts: texts
    """How its cells must be seen: a lost zero given back, a float's `.0` taken away."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a column is, and which entities its cells are not although they look like it one by one."""

    fact: Fact | None = None
    denied: frozenset[str] = frozenset()
    winners: tuple[int, ...] = ()


UNJUDGED = Judgement()


def plain(texts: pa.Array) -> NDArray[np.bool_] | None:
    """Which cells need no look, where that is most of a column; None elsewhere."""
    size = len(texts)
    if size < FEWEST:
        return None
    regex = _whole(_PLAIN, True)
    few = [cell for cell in texts.take(pa.array(np.arange(0, size, max(1, size // FEW)))).to_pylist() if cell]
    if not few or sum(regex.fullmatch(cell) is not None for cell in few) < SHARE * len(few):
        return None
    return _numbers(texts, few) if few[0].isdigit() else _dates(texts, few)


def _numbers(texts: pa.Array, few: list[str]) -> NDArray[np.bool_]:
    """Whole numbers of at most seven digits without an expression, where all of the first cells are; else by it."""
    if all(map(str.isdigit, few)):
        short = pc.less_equal(pc.binary_length(texts), 7)
        mask: NDArray[np.bool_] = pc.and_(pc.ascii_is_decimal(texts), short).to_numpy(zero_copy_only=False)
        return mask
    return _by_expression(texts)


def _dates(texts: pa.Array, few: list[str]) -> NDArray[np.bool_]:
    """Dates and times that are all written alike are compared place by place, where the others go by the expression."""
    width = len(few[0])
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    filled = lengths > 0
    if width not in _ISO or not bool((lengths[filled] == width).all()):
        return _by_expression(texts)
    offset = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    places = np.frombuffer(texts.buffers()[2], np.uint8)[offset[0] : offset[-1]].reshape(-1, width)
    alike = np.ones(len(places), np.bool_)
    for at, wanted in enumerate(_ISO[width]):
        column = places[:, at]
        alike &= (
            (column >= 48) & (column <= 57)
            if wanted == "9"
            else (column == 32) | (column == 84)
            if wanted == " "
            else column == ord(wanted)
        )
    mask = np.zeros(len(texts), np.bool_)
    mask[filled] = alike
    return mask


def _by_expression(texts: pa.Array) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = pc.match_substring_regex(texts, rf"^(?:{_PLAIN})$").to_numpy(zero_copy_only=False)
    return mask


def judge(detector: Detector, batch: TextBatch, texts: pa.Array, before: Judgement = UNJUDGED) -> Judgement:
    """What these cells are as a column; `UNJUDGED` when they are too few.

    `before` is what the column's earlier cells were: what won there is tried first, and nothing else if it wins again.
    """
    filled = pc.greater(pc.binary_length(texts), 0).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(filled)
    if len(places) < FEWEST:
        return UNJUDGED
    sample = _Sample(texts.take(pa.array(places[:: max(1, len(places) // SAMPLE)][:SAMPLE])))
    few = sample.cells[:: max(1, len(sample.cells) // FEW)]
    view, kinds = _AS_IT_IS, frozenset[str]()
    if sum(cell[:1].isdigit() and cell[-1:].isdigit() for cell in few) * 2 > len(few):
        view = _view(sample.cells)
        if view.steps:
            sample = _Sample(view(sample.texts))
            few = sample.cells[:: max(1, len(sample.cells) // FEW)]
        kinds = _kinds(sample.cells)
    stances = detector.speaks(batch.field)
    if before.winners:
        won = _decide(detector, batch, texts, sample, view, kinds, before.winners, len(places))
        if won.fact is not None:
            return Judgement(won.fact, before.denied, before.winners)
    worth = []
    lengths = [len(cell) for cell in few]
    for index, rule in enumerate(detector.rules):
        if not (rule.cell or rule.names) or (rule.only_fields and stances[index] <= 0) or not detector.prose.wants(rule):
            continue
        if _worth_trying(rule, few, lengths):
            worth.append(index)
    return _decide(detector, batch, texts, sample, view, kinds, worth, len(places)) if worth else Judgement()


def _decide(
    detector: Detector,
    batch: TextBatch,
    texts: pa.Array,
    sample: _Sample,
    view: _View,
    kinds: frozenset[str],
    rules: Sequence[int],
    filled: int,
) -> Judgement:
    """Let some rules have their say on the sample, and hold the best one against all cells."""
    stances = detector.speaks(batch.field)
    by_entity: dict[str, list[_Opinion]] = {}
    for index in rules:
        opinion = _opinion(detector, index, sample, stances[index], kinds)
        if opinion is not None:
            by_entity.setdefault(detector.rules[index].entity, []).append(opinion)
    denied = set()
    accepted = []
    for entity, opinions in by_entity.items():
        share = float(np.logical_or.reduce([one.passed for one in opinions]).mean())
        best = max(opinions, key=lambda one: (one.passed.mean() >= FORM, one.score))
        if share >= SHARE and best.score >= detector.least:
            accepted.append((best.score, share, entity))
        elif all(one.against for one in opinions):
            denied.add(entity)
    for score, _, entity in sorted(accepted, key=lambda one: (-one[0], -one[1], one[2])):
        opinions = by_entity[entity]
        if len(sample.cells) == len(texts):  # then they are the same cells
            rows = np.logical_or.reduce([one.passed for one in opinions])
        else:
            whole = view(texts)
            rows = np.logical_or.reduce([_passes(detector, one.rule, whole) for one in opinions])
        if rows.sum() >= SHARE * filled:
            best = max(opinions, key=lambda one: (one.passed.mean() >= FORM, one.score))
            example = digest.shape(texts[int(np.flatnonzero(rows)[0])].as_py())
            fact = Fact(batch.object, batch.field, batch.records, best.rule, rows, filled, score, example, best.factors, view)
            return Judgement(fact, frozenset(denied - {entity}), tuple(one.rule for one in opinions))
    return Judgement(None, frozenset(denied))


class _Sample:
    """The cells that say what a column is. They are few, so that expressions and checks are run over them one by one: that is
    sooner done than an expression is compiled, or a check set up, for a whole array."""

    def __init__(self, texts: pa.Array) -> None:
        self.texts = texts
        self.cells: list[str] = texts.to_pylist()


@dataclass(frozen=True, slots=True)
class _Opinion:
    """What one rule makes of a sample: which cells pass, the score of a column of them, and whether it is none."""

    rule: int
    passed: NDArray[np.bool_]
    score: float
    against: bool
    factors: tuple[tuple[str, float], ...]


def _opinion(detector: Detector, index: int, sample: _Sample, stance: int, kinds: frozenset[str]) -> _Opinion | None:
    rule = detector.rules[index]
    cells = sample.cells
    form = _forms(rule, cells) if rule.cell else np.ones(len(cells), np.bool_)
    many = int(form.sum())
    if many < FORM / 4 * len(cells):
        return None
    passed = _sample_passes(detector, index, sample, form)
    passing = int(passed.sum())
    share = passing / many
    checked = rule.check and rule.score.check is not None
    factors = [(f"check {rule.check} passed" if checked else "form", (rule.score.check if checked else rule.score.match) or 0.0)]
    against = bool(rule.check) and share < max(SHARE, rule.chance) and share < rule.chance + (1 - rule.chance) / 2
    if stance and (added := rule.score.field if stance > 0 else rule.score.against):
        factors.append(("field name", added))
    if passing >= FORM * len(cells) and share > rule.chance + 3 * (rule.chance * (1 - rule.chance) / max(1, many)) ** 0.5:
        factors.append((f"{share:.0%} of the column, where {rule.chance:.1%} would by chance", rule.score.column))
    if passing and rule.evidence:
        values = [cells[at] for at in np.flatnonzero(passed).tolist()]
        for evidence in rule.evidence:
            held = sum(map(CHECKS[evidence.check], values)) / len(values)
            against = against or held <= FAILS
            added = FAILED if held <= FAILS else evidence.passed * (1.0 if held >= HOLDS else held)
            factors.append((f"{evidence.check} holds for {held:.0%}", round(added, 4)))
    if kinds and rule.chance > 0.01 and (stance <= 0 or rule.evidence):
        factors.append((f"the numbers look like a {' or '.join(sorted(kinds))}", SPEAKS_AGAINST))
        against = True
    score = round(min(1.0, max(0.0, sum(value for _, value in factors))), 4)
    return _Opinion(index, passed, score, against and score < detector.least, tuple(factors))


def _forms(rule: Rule, cells: list[str]) -> NDArray[np.bool_]:
    matches = _whole(rule.cell, rule.case).fullmatch
    return np.fromiter((matches(cell) is not None for cell in cells), np.bool_, len(cells))


def _sample_passes(detector: Detector, index: int, sample: _Sample, form: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`_passes` for a sample whose forms are known."""
    rule = detector.rules[index]
    if rule.names:
        return _passes(detector, index, sample.texts)
    if not rule.check:
        return form
    check = CHECKS[rule.check]
    return np.fromiter((has and check(cell) for has, cell in zip(form.tolist(), sample.cells, strict=True)), np.bool_, len(form))


@dataclass(frozen=True, slots=True)
class _View:
    steps: tuple[tuple[str, str], ...]

    def __call__(self, texts: pa.Array) -> pa.Array:
        for pattern, replacement in self.steps:
            texts = pc.replace_substring_regex(texts, pattern, replacement)
        return texts


_AS_IT_IS = _View(())


def _view(cells: list[str]) -> _View:
    """How cells must be seen: numbers that a spreadsheet or a float column wrote lose `.0`, and get back a lost zero."""
    steps = []
    if _share(cells, r"[0-9]+[.]0") >= SHARE:
        steps.append((r"^([0-9]+)[.]0$", r"\1"))
        cells = [cell.removesuffix(".0") if _whole(r"[0-9]+[.]0", True).fullmatch(cell) else cell for cell in cells]
    if _share(cells, r"[0-9]{9,10}") >= SHARE and 0 < _share(cells, r"[0-9]{9}") <= 0.6:
        steps.append((r"^([1-9][0-9]{8})$", r"0\1"))
    return _View(tuple(steps))


def _kinds(cells: list[str]) -> frozenset[str]:
    """What else a column of numbers may be: `counter`, `date` (yyyymmdd), `time` (Unix seconds), `stamp` (ddmmyyhhmm)."""
    if _share(cells, r"[0-9]{6,13}") < 0.95:
        return frozenset()
    numbers = [int(cell) for cell in cells if cell.isascii() and cell.isdigit()]
    found = set()
    if len(set(numbers)) > len(numbers) / 2 and max(numbers) - min(numbers) < 100 * len(numbers):
        found.add("counter")
    if _share(cells, r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])") >= 0.95:
        found.add("date")
    if sum(1_000_000_000 <= number < 2_000_000_000 for number in numbers) > 0.98 * len(numbers):
        found.add("time")
    if _share(cells, r"[0-3][0-9][01][0-9]{3}(?:[01][0-9]|2[0-3])[0-5][0-9]") >= 0.95:
        found.add("stamp")
    return frozenset(found)


def _share(cells: list[str], pattern: str) -> float:
    matches = _whole(pattern, True).fullmatch
    return sum(matches(cell) is not None for cell in cells) / len(cells)


def _worth_trying(rule: Rule, cells: list[str], lengths: list[int]) -> bool:
    """Whether some cells have the form at all; most rules end here, at the first cells, and most of those by their lengths."""
    if not rule.cell:
        return sum(" " in cell and cell[:1].isupper() and not any(map(str.isdigit, cell)) for cell in cells) > len(cells) // 2
    shortest, longest = _widths(rule.cell)
    regex, left = _whole(rule.cell, rule.case), -(len(cells) // -5)
    for at, length in enumerate(lengths):
        if shortest <= length <= longest and regex.fullmatch(cells[at]):
            left -= 1
            if left <= 0:
                return True
        elif left > len(cells) - at - 1:
            return False
    return left <= 0


@functools.cache
def _widths(pattern: str) -> tuple[int, int]:
    """The fewest and the most code points that a form can have."""
    import re._parser as parser  # type: ignore[import-not-found, unused-ignore]

    shortest, longest = parser.parse(pattern).getwidth()
    return int(shortest), int(longest)


@functools.cache
def _whole(pattern: str, case: bool) -> re.Pattern[str]:
    return re.compile(pattern, 0 if case else re.IGNORECASE)


def _form(rule: Rule, texts: pa.Array) -> NDArray[np.bool_]:
    mask = pc.match_substring_regex(texts, rf"^(?:{rule.cell})$", ignore_case=not rule.case)
    form: NDArray[np.bool_] = mask.to_numpy(zero_copy_only=False)
    return form


def _passes(detector: Detector, index: int, texts: pa.Array) -> NDArray[np.bool_]:
    """Which cells are, as a whole, what the rule looks for."""
    rule = detector.rules[index]
    if rule.names:
        named: NDArray[np.bool_] = detector.prose.cells(index, texts).to_numpy(zero_copy_only=False)
        return named
    passed = _form(rule, texts)
    if rule.check and passed.any():
        if rule.check in VECTOR:
            passed = passed & np.asarray(VECTOR[rule.check](pc.if_else(pa.array(passed), texts, "")))
        else:
            check = CHECKS[rule.check]
            places = np.flatnonzero(passed)
            passed = passed.copy()
            passed[places] = [check(value) for value in texts.take(pa.array(places)).to_pylist()]
    return passed
