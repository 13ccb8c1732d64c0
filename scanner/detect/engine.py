"""Runs the rules over batches: fold, triage, confirm, resolve, digest. The only way into `detect`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scanner import digest
from scanner.detect import columns, confirm, fold, language, prose, statements, triage
from scanner.detect.confirm import Found
from scanner.detect.known import CUSTOMER_ID, KnownColumn, KnownValues
from scanner.detect.rules import Rule, Ruleset
from scanner.detect.testdata import LESS, TestValues
from scanner.model import Shape, TextBatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 0.5
"""A finding counts from this score on."""

_TOLD, _TOLD_BY = 0.8, 0.75
"""A first name with a surname, both known, that a model takes for a firm or a place: a person, with this score, from that one on."""

ASKED_BY = frozenset(
    ["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "ADDRESS", "DATE_OF_BIRTH", "USERNAME", "CUSTOMER_ID", "DK_CPR", "DK_PASSPORT",
     "DK_DRIVING_LICENCE", "DK_LICENCE_PLATE", "DK_BANK_ACCOUNT", "IBAN_CODE", "CREDIT_CARD", "IP_ADDRESS", "MAC_ADDRESS", "COOKIE_ID",
     "SE_PERSONNUMMER", "NO_FODSELSNUMMER", "FI_PERSONAL_IDENTITY_CODE", "IS_KENNITALA", "DE_TAX_ID", "NL_BSN", "PL_PESEL", "FR_NIR",
     "ES_NIF", "IT_FISCAL_CODE", "BE_NATIONAL_NUMBER", "UK_NHS", "US_SSN"]
)  # fmt: skip
"""What a person is looked for by: of columns that are this throughout, each cell's digest is kept."""

_CONTINUATIONS = bytes(range(0x80, 0xC0))

SCHEMA = pa.schema(
    [
        ("object", pa.string()),
        ("field", pa.string()),
        ("record", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("entity", pa.string()),
        ("rule", pa.string()),
        ("score", pa.float32()),
        ("digest", pa.binary(digest.SIZE)),
        ("test", pa.bool_()),
    ]
)
"""Findings: offsets in code points within the record's text, end exclusive; the digest is keyed; `test` marks published test values."""


@dataclass(slots=True)
class Row:
    """One text on its way through the rules."""

    number: int
    batch: int
    folded: fold.Folded
    raw: bytes
    triggers: dict[int, list[int]] = field(default_factory=dict)
    words: list[tuple[int, int]] = field(default_factory=list)
    said: dict[int, list[int]] = field(default_factory=dict)
    found: list[Found] = field(default_factory=list)
    counted: tuple[int, int] = (0, 0)
    reading: prose.Reading | None = None
    """What the level's model reads in it; `None` where none does."""
    tongues: language.Tongues | None = None

    def speaks(self, tongues: Sequence[str], start: int, end: int) -> bool:
        """Whether what is said in some languages may be meant at a span of this row."""
        if self.tongues is None:
            self.tongues = language.Tongues(self.folded.text)
        return self.tongues.speaks(tongues, start, end)

    def place(self, offset: int) -> int:
        """The code-point offset of a byte offset; quick when asked in rising order."""
        if self.folded.text.isascii():
            return offset
        at, points = self.counted if self.counted[0] <= offset else (0, 0)
        points += len(self.raw[at:offset].translate(None, _CONTINUATIONS))
        self.counted = (offset, points)
        return points


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found in some batches: spans one by one, and columns that are one thing throughout."""

    findings: pa.RecordBatch
    facts: tuple[columns.Fact, ...]
    shapes: dict[tuple[str, str, str], str]
    cells: tuple[pa.RecordBatch, ...] = ()
    """Where asked for: the cells of those columns that people are looked for by, as findings of the whole cell whose digests
    are cut to their first half."""


class Detector:
    """A ruleset made ready: compiled databases, gazetteers, and the key of the digests.

    `prose` is `off` (identifiers and words only), `fast` or `full`. `spoken` says that a sentence's own language decides
    which of the rules that are bound to a language take part in it; False where the user has said what language it is.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        *,
        key: bytes = b"",
        prose_level: str = "fast",
        least: float = LEAST,
        cache: Path | None = None,
        known: Sequence[KnownColumn] = (),
        spoken: bool = True,
        engine: Path | None = None,
    ) -> None:
        self.known = KnownValues(tuple(known), key)
        if self.known:
            ruleset = replace(ruleset, rules=(*ruleset.rules, *self.known.rules(ruleset.types[CUSTOMER_ID].cls)))
        self.ruleset = ruleset
        self.rules = ruleset.rules
        self.key = key
        self.least = least
        self._fold = triage.fold_database()
        self.prose = prose.Prose(ruleset, prose_level, engine)
        scanned = [
            (i, r) for i, r in enumerate(self.rules) if not (r.words or r.statements or r.only_fields or r.model) and self.prose.wants(r)
        ]
        self.matchers = [confirm.Matcher(i, rule) for i, rule in enumerate(self.rules)]
        self._numbers = np.array([i for i, _ in scanned], np.int64)
        self._whole = np.array([bool(r.names or r.recognizer) for r in self.rules], np.bool_)
        self._patterns = triage.pattern_database([r for _, r in scanned], cache)
        judged = prose_level != "off"
        self._words, owners = triage.word_database(ruleset, cache, prose=judged)
        self._confirm_words = confirm.Words(ruleset, owners)
        self._judge: statements.Judge | None = None
        self._said: triage.Database | None = None
        self._sayings: list[list[int]] = []
        if judged:
            self._said, said, self._sayings = triage.statement_database(ruleset, cache)
            self._judge = statements.Judge(ruleset, owners, said)
        self._by_field = [i for i, r in enumerate(self.rules) if r.pattern and r.only_fields]
        self.test_values = TestValues(ruleset.home / "words" / "test_values.txt")
        self._people = frozenset(i for i, r in enumerate(self.rules) if r.entity in ruleset.identifying())
        self._speaks: dict[str, list[int]] = {}
        self._bound = {i: r.languages for i, r in enumerate(self.rules) if r.languages and not (r.words or r.statements)} if spoken else {}
        self.compiled_now = any(one is not None and one.compiled_now for one in (self._patterns, self._words, self._said))

    def detect(
        self,
        batches: Sequence[TextBatch],
        *,
        judge_columns: bool = True,
        judged: dict[tuple[str, str], columns.Judgement] | None = None,
        cells: bool = False,
    ) -> Detection:
        """Find everything in these batches. Batches that share one `records` array are columns of the same rows.

        `judged` remembers, from call to call, what columns are and are not: for their next rows, and their last few.
        """
        judged = {} if judged is None else judged
        denied: dict[int, frozenset[str]] = {}
        arrays = [_plain(batch.texts) for batch in batches]
        facts: list[columns.Fact] = []
        kept: list[pa.RecordBatch] = []
        shapes: dict[tuple[str, str, str], str] = {}
        tied: dict[int, NDArray[np.bool_]] = {}
        if judge_columns:
            for i, batch in enumerate(batches):
                if batch.shape is not Shape.CELL:
                    continue
                looked_at = bool(self.known) or self._goes_by(batch.field)
                if not looked_at and (mask := columns.plain(arrays[i])) is not None:
                    arrays[i] = pc.if_else(pa.array(mask), "", arrays[i])
                    continue
                place = (batch.object, batch.field)
                before = judged.get(place, columns.UNJUDGED)
                judgement = columns.judge(self, batch, arrays[i], before)
                if judgement is columns.UNJUDGED:
                    denied[i] = before.denied
                    continue
                judged[place] = judgement
                denied[i] = judgement.denied
                fact = judgement.fact
                if fact is not None:
                    facts.append(fact)
                    if cells and self.rules[fact.rule].entity in ASKED_BY:
                        kept.append(self._cells(fact, arrays[i]))
                    shapes[batch.object, batch.field, self.rules[fact.rule].entity] = fact.example
                    arrays[i] = pc.if_else(pa.array(fact.rows), "", arrays[i])
                    if fact.rule in self._people:
                        _tie(tied, batch, fact.rows)
        rows = self._rows(batches, arrays)
        self._read(rows, batches)
        for row in rows:
            row.found = self._identifiers(row, batches[row.batch])
            if denied.get(row.batch):
                row.found = [found for found in row.found if not self._denied(found, row.folded.text, denied[row.batch])]
            if batches[row.batch].shape is Shape.CELL and any(f.rule in self._people for f in row.found):
                _tie(tied, batches[row.batch], row.number)
        out = _Builder(self)
        for row in rows:
            batch = batches[row.batch]
            if row.words or row.said:
                mask = tied.get(id(batch.records)) if batch.shape is Shape.CELL else None
                people = [(f.start, f.end) for f in row.found if f.rule in self._people]
                in_row = mask is not None and bool(mask[row.number])
                row.found = confirm.resolve([*row.found, *self._of_people(row, people, in_row, self.speaks(batch.field))], self.rules)
            if row.found:
                out.add(row, batch, shapes)
        return Detection(out.batch(), tuple(facts), shapes, tuple(kept))

    def _cells(self, fact: columns.Fact, texts: pa.Array) -> pa.RecordBatch:
        """The cells of a column that is a fact, each as a finding that holds half a digest."""
        rule = self.rules[fact.rule]
        rows = pa.array(fact.rows)
        texts = fact.view(texts.filter(rows))
        digests = digest.halves(self.key, rule.entity, texts)
        own = {"record": fact.records.filter(rows), "end": pc.utf8_length(texts).cast(pa.int64()), "digest": digests}
        same = {"object": fact.object, "field": fact.field, "entity": rule.entity, "rule": rule.id, "score": fact.score, "test": False}
        arrays = [
            own[kind.name] if kind.name in own else pa.repeat(pa.scalar(same.get(kind.name, 0), kind.type), len(texts)) for kind in SCHEMA
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)

    def _of_people(self, row: Row, people: Sequence[tuple[int, int]], in_row: bool, stances: Sequence[int]) -> Iterable[Found]:
        """What a row says of people, by its words and its statements; `people` the places of identifiers."""
        if self._judge is None:
            return self._confirm_words.confirm(row.folded.text, row.words, people, in_row, stances, self.least)
        found = self._judge.confirm(row.folded.text, row.words, row.said, people, in_row, stances, self.least)
        if row.reading and row.reading.doubts:
            return [one for one in found if not row.reading.doubted(one.start, self.rules[one.rule].entity)]
        return found

    def _denied(self, found: Found, text: str, entities: frozenset[str]) -> bool:
        """Whether a finding is a whole cell of a column that is something else."""
        return self.rules[found.rule].entity in entities and text[found.start : found.end] == text.strip()

    def speaks(self, name: str) -> list[int]:
        """For each rule, whether the field's name speaks for it (1), against it (-1), or not at all (0)."""
        known = self._speaks.get(name)
        if known is None:
            if len(self._speaks) > 10_000:
                self._speaks.clear()
            known = self._speaks[name] = [rule.stance(name) for rule in self.rules]
        return known

    def _goes_by(self, name: str) -> bool:
        """Whether some rule looks at everything in a field because of its name."""
        speaks = self.speaks(name)
        return any(speaks[rule] > 0 for rule in self._by_field)

    def explain(self, text: str, field: str, start: int, end: int, rule: str, *, in_row: bool = False) -> confirm.Factors:
        """Why a span of a text is a finding of a rule: each factor of its score, and what it added.

        `start` and `end` are offsets in `text`, which is what the rule saw. Nothing when the rule would not find it there.
        """
        folded = fold.fold(text)
        index = next(i for i, one in enumerate(self.rules) if one.id == rule)
        # A text without a field is read as prose, as it was when it was found; a column's is a cell.
        batch = TextBatch("", field, pa.array([text]), pa.array([""]), Shape.CELL if field or in_row else Shape.PROSE)
        rows = self._rows([batch], [batch.texts])
        if not rows:
            return []
        self._read(rows, [batch])
        factors: confirm.Factors = []
        stance = self.speaks(field)[index]
        found = self._identifiers(rows[0], batch)
        one = self.rules[index]
        if one.words or one.statements:
            people, hits, stances = [(f.start, f.end) for f in found if f.rule in self._people], rows[0].words, self.speaks(field)
            if self._judge is None:
                self._confirm_words.explain(index, folded, hits, (start, end), people, in_row, stances, factors)
            else:
                self._judge.explain(index, folded, hits, rows[0].said, (start, end), people, in_row, stances, factors)
        for span in () if one.words or one.statements else found:
            if span.rule != index or (folded.start(span.start), folded.end(span.end)) != (start, end):
                continue
            if one.pattern:
                self.matchers[index].weigh(folded.text, span.start, span.end, stance, factors)
            else:
                factors.append((self.prose.why(one), span.score))
                if one.model == "full":
                    people = [(f.start, f.end) for f in found if f.rule in self._people]
                    tie = self._confirm_words.near_person(folded.text, span.start, span.end, people)
                    factors.append((f"tied by {tie or 'its sentence, which speaks of somebody'}", 0.0))
            break
        if factors and self.known.has(one.entity, text[start:end]):
            factors[:] = [*factors, ("known value", round(1.0 - sum(value for _, value in factors), 4))]
        elif factors and self.test_values.has(one.entity, digest.normalise(one.entity, text[start:end])):
            factors.append(("test data", -LESS))
        return factors

    def _rows(self, batches: Sequence[TextBatch], arrays: list[pa.Array]) -> list[Row]:
        """The rows that may hold something, each with the rules that its triggers name."""
        lengths = [len(array) for array in arrays]
        firsts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        if not firsts[-1]:
            return []
        texts = pa.concat_arrays(arrays) if len(arrays) > 1 else arrays[0]
        buffer, ends = _join(texts)
        folded: dict[int, fold.Folded] = {}
        _, hits = self._fold.scan(buffer)
        if len(hits):
            numbers = np.unique(np.searchsorted(ends, hits - 1, side="left"))
            for number, text in zip(numbers.tolist(), texts.take(pa.array(numbers)).to_pylist(), strict=True):
                folded[number] = fold.fold(text)
            mask = np.zeros(len(texts), np.bool_)
            mask[numbers] = True
            texts = pc.replace_with_mask(texts, pa.array(mask), pa.array([folded[n].text for n in numbers.tolist()], texts.type))
            buffer, ends = _join(texts)
        rows: dict[int, Row] = {}
        starts = np.concatenate(([0], ends[:-1] + 1))
        view, first = memoryview(buffer), firsts.tolist()

        def row(number: int) -> Row:
            found = rows.get(number)
            if found is None:
                batch = bisect_right(first, number) - 1
                raw = view[int(starts[number]) : int(ends[number])].tobytes()
                text = folded.get(number) or fold.Folded(raw.decode())
                found = rows[number] = Row(number - first[batch], batch, text, raw)
            return found

        for kind, database in (("triggers", self._patterns), ("words", self._words)):
            ids, at = database.scan(buffer)
            if not len(ids):
                continue
            numbers = np.searchsorted(ends, at - 1, side="left")
            if kind == "triggers":
                ids = self._numbers[ids]
                whole = self._whole[ids]
                for number, which in {*zip(numbers[whole].tolist(), ids[whole].tolist(), strict=True)}:
                    row(number).triggers[which] = []
                numbers, ids, at = numbers[~whole], ids[~whole], at[~whole]
            offsets = at - starts[numbers]
            for number, which, offset in zip(numbers.tolist(), ids.tolist(), offsets.tolist(), strict=True):
                one = row(number)
                place = one.place(offset)
                if kind == "triggers":
                    one.triggers.setdefault(which, []).append(place)
                else:
                    one.words.append((which, place))
        if self._said is not None:
            ids, at = self._said.scan(buffer)
            numbers = np.searchsorted(ends, at - 1, side="left")
            for number, which, offset in zip(numbers.tolist(), ids.tolist(), (at - starts[numbers]).tolist(), strict=True):
                one = row(number)
                place = one.place(offset)
                for saying in self._sayings[which]:
                    one.said.setdefault(saying, []).append(place)
        words = [self._words_read(batch) for batch in batches]
        if min(words) < _NONE:
            least = np.repeat(np.array(words), lengths)
            spaces = pc.count_substring(texts, " ").to_numpy(zero_copy_only=False) if _CELLS in words else np.zeros(len(least), np.int64)
            for number in np.flatnonzero((ends > starts) & (spaces + 1 >= least)).tolist():
                row(number)
        return [rows[number] for number in sorted(rows)]

    def _words_read(self, batch: TextBatch) -> int:
        """From so many words on, a text of this batch is looked at even where nothing in it was triggered."""
        if self._goes_by(batch.field):
            return 1
        if not self.prose.reads:
            return _NONE
        return 1 if batch.shape is Shape.PROSE else _CELLS

    def _read(self, rows: Sequence[Row], batches: Sequence[TextBatch]) -> None:
        """Let the model of the level read the rows that are sentences."""
        if self.prose.reads:
            read = [row for row in rows if batches[row.batch].shape is Shape.PROSE or row.raw.count(b" ") >= prose.WORDS_READ - 1]
            for row, reading in zip(read, self.prose.read([row.folded.text for row in read]), strict=True):
                row.reading = reading

    def _identifiers(self, row: Row, batch: TextBatch) -> list[Found]:
        text, speaks = row.folded.text, self.speaks(batch.field)
        read = [one for one in row.reading.found if one.score >= self.least] if row.reading else []
        found: list[Found] = []
        for index, ends in row.triggers.items():
            rule = self.rules[index]
            if rule.names and row.reading is not None and self.prose.suffices:
                said = {(one.start, one.end) for one in row.reading.found}
                found.extend(
                    f._replace(score=_TOLD) for f in self.prose.names(index, text, speaks[index], _TOLD_BY) if (f.start, f.end) in said
                )
            elif rule.names:
                found.extend(self.prose.names(index, text, speaks[index], self.least))
            elif rule.recognizer:
                found.extend(self.prose.recognise(index, text, speaks[index], self.least))
            else:
                found += self.matchers[index].find(text, ends, speaks[index], self.least)
        for index in self._by_field:
            if speaks[index] > 0:
                found += self.matchers[index].find(text, None, 1, self.least)
        if self._bound:
            found = [f for f in found if f.rule not in self._bound or row.speaks(self._bound[f.rule], f.start, f.end)]
        if self.known:
            found = self._with_known(found, text, row)
        return resolve(found, read, self.rules)

    def _with_known(self, found: list[Found], text: str, row: Row) -> list[Found]:
        """Numbers only where they are known; names that no list has, where they are; and what is known is certain."""
        sure = [f for f in found if self.rules[f.rule].entity != CUSTOMER_ID or self.known.has(CUSTOMER_ID, text[f.start : f.end])]
        sure = [f._replace(score=1.0) if self.known.has(self.rules[f.rule].entity, text[f.start : f.end]) else f for f in sure]
        if "PERSON" in self.known.entities:
            for index in row.triggers:
                if self.rules[index].names:
                    spans = self.prose.name_spans(text)
                    sure += [Found(start, end, index, 1.0) for start, end in spans if self.known.has("PERSON", text[start:end])]
        return sure


def resolve(found: list[Found], read: Sequence[Found], rules: Sequence[Rule]) -> list[Found]:
    """What rules find and what a model reads: names yield to identifiers (`kim` to `kim(at)example.org`), the best stays."""
    if not read:
        return confirm.resolve(found, rules)
    taken = confirm.resolve([one for one in found if not rules[one.rule].names], rules)
    starts, ends = [one.start for one in taken], [*accumulate((one.end for one in taken), max)]
    free = []
    for one in read:
        before = bisect_left(starts, one.end)
        if not before or ends[before - 1] <= one.start:
            free.append(one)
    return confirm.resolve([*found, *free], rules)


_NONE = 2**31
_CELLS = prose.WORDS_READ


class _Builder:
    """Collects findings and turns them into an Arrow batch."""

    def __init__(self, detector: Detector) -> None:
        self._key = detector.key
        self._names = [(rule.entity, rule.id) for rule in detector.rules]
        self._is_test = detector.test_values.has
        self._least = detector.least
        self._known = detector.known
        self._rows: list[tuple[object, ...]] = []

    def add(self, row: Row, batch: TextBatch, shapes: dict[tuple[str, str, str], str]) -> None:
        record = batch.records[row.number].as_py()
        base, begin, end = 0, 0, -1
        if batch.seams is not None:
            base, begin, end = (int(part[row.number].as_py()) for part in (batch.seams.base, batch.seams.begin, batch.seams.end))
        folded = row.folded
        original = folded.text if not folded.at else batch.texts[row.number].as_py()
        for low, high, rule, score in row.found:
            start, stop = (low, high) if not folded.at else (folded.start(low), folded.end(high))
            if start < begin or start >= end >= 0:
                continue
            entity, name = self._names[rule]
            place = (batch.object, batch.field, entity)
            if place not in shapes:
                shapes[place] = digest.shape(original[start:stop])
            where, offset = record, base
            if batch.by_line:
                line = original.count("\n", 0, start)
                where = f"line={int(record) + line}"
                offset = -(original.rfind("\n", 0, start) + 1) if line else base
            value = folded.text[low:high]
            if self._known and self._known.has(entity, value):
                score = 1.0
            normal = digest.normalise(entity, value)
            test = score < 1.0 and self._is_test(entity, normal)
            if test:
                score = max(self._least, round(score - LESS, 4))
            kept = digest.digest_normal(self._key, entity, normal)
            self._rows.append((batch.object, batch.field, where, start + offset, stop + offset, entity, name, score, kept, test))

    def batch(self) -> pa.RecordBatch:
        if not self._rows:
            return _NOTHING
        columns = zip(*self._rows, strict=True)
        return pa.RecordBatch.from_arrays(
            [pa.array(values, kind.type) for values, kind in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
        )


_NOTHING = pa.RecordBatch.from_arrays([pa.array([], kind.type) for kind in SCHEMA], schema=SCHEMA)


def _plain(texts: pa.Array) -> pa.Array:
    return pc.fill_null(texts, "") if texts.null_count else texts


def _join(texts: pa.Array) -> tuple[pa.Buffer, NDArray[np.int64]]:
    """All rows with a separator after each but the last; and the offset at which each row ends."""
    whole = pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)
    joined = pc.binary_join(whole.cast(pa.list_(pa.binary())), triage.SEPARATOR)
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
    return joined[0].as_buffer(), np.cumsum(lengths + 1) - 1


def _tie(tied: dict[int, NDArray[np.bool_]], batch: TextBatch, rows: NDArray[np.bool_] | int) -> None:
    mask = tied.setdefault(id(batch.records), np.zeros(len(batch.records), np.bool_))
    mask[rows] = True
