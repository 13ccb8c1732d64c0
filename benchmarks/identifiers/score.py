"""Compares what the detector says with what the labels say.

A finding is right when a label of the same entity covers the same place: what they share is at least 80 % of the longer of the two.
For entities whose bounds are a matter of taste (`LOOSE`) it is 80 % of the shorter one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.identifiers.columns import Column
from benchmarks.identifiers.template import PROSE_FIELDS, Labelled
from benchmarks.identifiers.texts import JUDGED

SHARE = 0.8
LOOSE = {"ADDRESS", "USER_AGENT", "COOKIE_ID", "GEO_COORDINATES", "DK_BANK_ACCOUNT", "DK_PASSPORT"}
WITHIN = {"DK_CPR": {"DATE_OF_BIRTH"}, "EMAIL_ADDRESS": {"USERNAME"}, "IBAN_CODE": {"DK_BANK_ACCOUNT"}, "DK_PASSPORT": {"DATE_OF_BIRTH"}}
"""What may be said besides about the same place: a CPR number does hold a birth date."""

Found = tuple[int, int, str, str]


@dataclass
class Tally:
    """How often right, missed, and said wrongly."""

    right: int = 0
    missed: int = 0
    wrong: int = 0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def f1(self) -> float:
        return 2 * self.recall * self.precision / (self.recall + self.precision or 1)

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.right + other.right, self.missed + other.missed, self.wrong + other.wrong)


@dataclass
class Outcome:
    """Tallies by entity and, for CPR numbers, by written form; one line an error."""

    entities: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    forms: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    mistaken: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def total(self, entities: Iterable[str]) -> Tally:
        return sum((self.entities[entity] for entity in entities), Tally())


def same(one: tuple[int, int], other: tuple[int, int], loose: bool) -> bool:
    """Whether two spans mark the same place."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    sizes = (one[1] - one[0], other[1] - other[0])
    return shared > 0 and shared >= SHARE * (min(sizes) if loose else max(sizes))


def compare(item: Labelled, found: Sequence[Found], outcome: Outcome) -> None:
    """Adds one text's right and wrong findings to the outcome."""
    gold = [span for span in item["spans"] if span[2] in JUDGED]
    used: set[int] = set()
    for span in gold:
        hits = [i for i, f in enumerate(found) if f[2] == span[2] and same(span[:2], f[:2], span[2] in LOOSE)]
        used.update(hits)
        outcome.entities[span[2]].right += bool(hits)
        outcome.entities[span[2]].missed += not hits
        if span[2] == "DK_CPR":
            outcome.forms[item["form"]].right += bool(hits)
            outcome.forms[item["form"]].missed += not hits
        if not hits:
            outcome.mistaken[f"missed {span[2]}", item["form"]] += 1
            outcome.errors.append(f"missed {span[2]} [{item['form']}] {item['text'][span[0] : span[1]]!r} in {shown(item['text'], span)}")
    for i, f in enumerate(found):
        if i in used or f[2] not in JUDGED or excused(item, f):
            continue
        outcome.entities[f[2]].wrong += 1
        if f[2] == "DK_CPR":
            outcome.forms[item["form"]].wrong += 1
        truth = next((s[2] for s in item["spans"] if s[0] < f[1] and f[0] < s[1]), "nothing")
        outcome.mistaken[f"{f[2]} said of {truth}", item["form"]] += 1
        outcome.errors.append(
            f"wrong {f[2]} (truth: {truth}) [{item['form']}] {item['text'][f[0] : f[1]]!r} by {f[3]} in {shown(item['text'], f)}"
        )


def excused(item: Labelled, found: Found) -> bool:
    """Whether a finding lies where it counts neither for nor against."""
    for start, end, label in item["spans"]:
        if (
            start < found[1]
            and found[0] < end
            and (label == "ambiguous" or (label.startswith("maybe:") and found[2] in label[6:].split("|")))
        ):
            return True
        if start <= found[0] and found[1] <= end and found[2] in WITHIN.get(label, ()):
            return True
    return False


def shown(text: str, span: Sequence[Any]) -> str:
    return repr(text[max(0, span[0] - 60) : span[1] + 30])


def read(detector: Any, texts: Sequence[Labelled]) -> Outcome:
    """Runs the detector over the texts."""
    import pyarrow as pa

    from scanner.model import Shape, TextBatch

    fields: dict[str, list[int]] = defaultdict(list)
    for number, item in enumerate(texts):
        fields[item.get("field", "")].append(number)
    found: dict[int, list[Found]] = defaultdict(list)
    for name, numbers in fields.items():
        shape = Shape.PROSE if name in PROSE_FIELDS else Shape.CELL
        batch = TextBatch("o", name, pa.array([texts[i]["text"] for i in numbers]), pa.array([str(i) for i in numbers]), shape)
        for row in detector.detect([batch], judge_columns=False).findings.to_pylist():
            found[int(row["record"])].append((row["start"], row["end"], row["entity"], row["rule"]))
    outcome = Outcome()
    for number, item in enumerate(texts):
        compare(item, found[number], outcome)
    return outcome


@dataclass(frozen=True)
class Verdict:
    """What was said of one column: its entity or None, and which of the rows that hold a CPR number were found."""

    column: Column
    said: str | None
    rows_found: int

    @property
    def right(self) -> bool:
        return self.said == self.column["truth"] or (self.said or "") in self.column["also"]


def judge(detector: Any, columns: Sequence[Column]) -> list[Verdict]:
    """Runs the detector over the columns, each a table of its own."""
    import pyarrow as pa

    from scanner.model import Shape, TextBatch

    verdicts = []
    for column in columns:
        size = len(column["values"])
        batch = TextBatch("t", column["name"], pa.array(column["values"], pa.string()), pa.array([str(i) for i in range(size)]), Shape.CELL)
        got = detector.detect([batch], judge_columns=True)
        filled = sum(bool(value and value.strip()) for value in column["values"])
        rows: dict[str, set[int]] = defaultdict(set)
        for row in got.findings.to_pylist():
            rows[row["entity"]].add(int(row["record"]))
        facts = sorted(((fact.score, detector.rules[fact.rule].entity) for fact in got.facts), reverse=True)
        if facts:
            said = facts[0][1]
        else:
            most = max(rows.items(), key=lambda item: len(item[1]), default=("", set()))
            said = most[0] if filled and len(most[1]) >= 0.6 * filled else None
        verdicts.append(Verdict(column, said, len(rows["DK_CPR"] & set(column.get("rows", ())))))
    return verdicts
