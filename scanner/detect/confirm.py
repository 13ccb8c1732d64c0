"""Pass two: the exact span, its check, what stands around it, and the score; on candidate rows only.

The law between the passes: whatever is confirmed here would be confirmed the same if every row of the data were
looked at in full; triage only says where there is no need to look.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from scanner.detect import checks, fold, triage
from scanner.detect.rules import Rule, Ruleset, Word

NEAR = 150
"""How far a cue or an identifier may stand from a word that it ties to a person, in code points."""
SENTENCE = 150
"""How far `unless` looks, in code points, but not over a paragraph's end."""

LOOK = 32
"""How far a pattern may look beyond its own end, in code points."""

_NOT_WORD = re.compile(r"[\W_]+")
_SPENT = re.compile(r"[^\W\d_]{2,30}[^\w\n]{1,4}[0-9]{4,}")
PARAGRAPH = re.compile(r"\n[ \t\r]*\n")


class Found(NamedTuple):
    """A span in folded text, `rule` being the rule's index."""

    start: int
    end: int
    rule: int
    score: float


Factors: TypeAlias = list[tuple[str, float]]
"""What a score was made of: the form or the passed check first, then what was added or taken away for what."""


class Matcher:
    """A rule made ready for its second pass: everything that it needs at hand, nothing looked up."""

    __slots__ = ("_against", "_check", "_context", "_evidence", "_group", "_index", "_regex", "_score", "_unless", "rule")

    def __init__(self, index: int, rule: Rule) -> None:
        self.rule = rule
        self._index = index
        self._regex: re.Pattern[str] | None = None
        self._group: str | int = "value" if "(?P<value>" in rule.pattern else 0
        self._check = checks.CHECKS[rule.check] if rule.check else None
        self._score = rule.score
        self._evidence = [(checks.CHECKS[one.check], one) for one in rule.evidence]
        self._context = _context(rule.context)
        self._against = _context(rule.against)
        self._unless = rule.unless

    def find(self, text: str, ends: Sequence[int] | None, stance: int, least: float) -> list[Found]:
        """Every match in a row. `ends` are where the trigger ended, rising; None means anywhere.

        `stance` says whether the field's name speaks for the rule (1), against it (-1), or not at all (0).
        """
        found: list[Found] = []
        size, rule = len(text), self.rule
        if not rule.pattern:
            return found
        if self._regex is None:  # compiled when it is first wanted: most runs want few
            self._regex = rule.regex()
        for low, high, last in windows(ends, rule.width, rule.lead, size):
            for match in self._regex.finditer(text, low, high):
                start, end = match.span(self._group)
                stop = match.end()
                if stop > high - LOOK and high < size:
                    break
                if start < end:
                    score = self.weigh(text, start, end, stance)
                    if score >= least:
                        found.append(Found(start, end, self._index, score))
                if stop >= last:
                    break
        return found

    def weigh(self, text: str, start: int, end: int, stance: int, factors: Factors | None = None) -> float:
        """The score of one match, within 0.01 and 1; 0 when its check refuses it or `unless` stands by it.

        With `factors`, each part of the sum is written down there.
        """
        value = text[start:end]
        score, said = self._score.match, "form"
        if self._check is not None:
            if not self._check(value):
                return 0.0
            if self._score.check is not None:
                score, said = self._score.check, f"check {self.rule.check} passed"
        if self._unless and excepts(self._unless, text, start, end):
            return 0.0
        if factors is not None:
            factors.append((said, score))
        for check, evidence in self._evidence:
            passed = check(value)
            added = evidence.passed if passed else evidence.failed
            score += added
            if factors is not None:
                factors.append((f"{evidence.check} {'passed' if passed else 'failed'}", added))
        if stance and (added := self._score.field if stance > 0 else self._score.against):
            score += added
            if factors is not None:
                factors.append(("field name", added))
        if self._context or self._against:
            score += self._surroundings(text, start, end, factors)
        return min(1.0, max(0.01, round(score, 4)))

    def _surroundings(self, text: str, start: int, end: int, factors: Factors | None) -> float:
        """What the words on either side add and take away."""
        window = self.rule.window
        around = _around(text, start, end, window)
        total = 0.0
        for words, value in ((self._context, self._score.context), (self._against, self._score.against)):
            word = _stands(words, around) if words else ""
            if word and words is self._against:
                # A word that another number stands behind already has its own: "Ordre 26791644. 2209403016".
                word = _stands(words, _around(text, start, end, window, unspent=True))
            if word:
                total += value
                if factors is not None:
                    factors.append((f"the word {word!r} near by", value))
        return total


def windows(ends: Sequence[int] | None, width: int | None, lead: int | None, length: int) -> Iterator[tuple[int, int, int]]:
    """Where to look: (from, to, last trigger's end). Each window holds every match whose trigger ended in it."""
    if ends is None or width is None:
        yield 0, length, length + 1
        return
    before = width if lead is None else lead
    if len(ends) == 1:
        yield max(0, ends[0] - before), min(length, ends[0] + width + LOOK), ends[0]
        return
    low = high = last = -1
    for end in ends:
        start = end - before
        if start > high:
            if high >= 0:
                yield low, high, last
            low = max(0, start)
        high, last = min(length, end + width + LOOK), end
    if high >= 0:
        yield low, high, last


def _around(text: str, start: int, end: int, window: int, *, unspent: bool = False) -> str:
    """What stands on either side of a span, in lower case; `unspent` leaves out words with a number of their own."""
    before = text[max(0, start - window) : start]
    if unspent:
        before = _SPENT.sub(" ", before)
    return f"{before}\n{text[end : end + window]}".lower()


@functools.cache
def _context(words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Context words: what each begins with, and all of it where it is not a single word."""
    made = []
    for word in words:
        parts = [part for part in _NOT_WORD.split(word.lower()) if part]
        made.append((parts[0], " ".join(parts) if len(parts) > 1 else ""))
    return tuple(made)


@functools.cache
def _phrase(words: str) -> re.Pattern[str]:
    """Several words, between which stands what is no letter."""
    return re.compile(r"(?<![^\W_])" + r"[\W_]{1,3}".join(map(re.escape, words.split(" "))))


def _stands(words: tuple[tuple[str, str], ...], around: str) -> str:
    """The first of some words that stands there, at the beginning of a word; "" when none does."""
    for word, phrase in words:
        at = around.find(word)
        while at >= 0:
            if (at == 0 or not around[at - 1].isalnum()) and (not phrase or _phrase(phrase).match(around, at)):
                return word
            at = around.find(word, at + 1)
    return ""


@functools.cache
def _exception(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def excepts(unless: str, text: str, start: int, end: int) -> bool:
    """Whether what a rule calls its exceptions stands around a span."""
    return _exception(unless).search(sentence(text, start, end)) is not None


def sentence(text: str, start: int, end: int) -> str:
    """The text around a span that belongs to it: at most `SENTENCE` to each side, within its paragraph."""
    before = text[max(0, start - SENTENCE) : start]
    after = text[end : end + SENTENCE]
    return PARAGRAPH.split(before)[-1] + text[start:end] + PARAGRAPH.split(after, maxsplit=1)[0]


class Words:
    """Confirms words: exact form, and a person that the text ties them to."""

    def __init__(self, ruleset: Ruleset, owners: tuple[tuple[int, Word], ...]) -> None:
        self._rules = ruleset.rules
        self._context = [_context(r.context) for r in ruleset.rules]
        self._against = [_context(r.against) for r in ruleset.rules]
        self._owners = owners
        self._cues = ruleset.cues
        self._phrases = ruleset.phrases

    def confirm(
        self,
        text: str,
        hits: Iterable[tuple[int, int]],
        people: Sequence[tuple[int, int]],
        tied: bool,
        stances: Sequence[int],
        least: float,
    ) -> Iterator[Found]:
        """`hits` are (word's number, end of its trigger); `people` the spans of identifiers in the row, sorted.

        `tied` says that the row belongs to a person anyhow (a table's row); `stances[i]` what the field's name says of rule `i`.
        """
        for number, end in hits:
            for start, stop in self.places(number, text, end):
                score = self.weigh(number, text, start, stop, people, tied, stances)
                if score >= least:
                    yield Found(start, stop, self._owners[number][0], score)

    def weigh(
        self,
        number: int,
        text: str,
        start: int,
        stop: int,
        people: Sequence[tuple[int, int]],
        tied: bool,
        stances: Sequence[int],
        factors: Factors | None = None,
    ) -> float:
        """The score of a word at a place; 0 when nothing ties it to a person, or `unless` stands by it."""
        index, word = self._owners[number]
        rule, stance = self._rules[index], stances[index]
        if rule.only_fields and stance <= 0:
            return 0.0
        tie = "a row about a person" if tied else "the field's name" if stance > 0 else self.near_person(text, start, stop, people)
        if not tie or (rule.unless and excepts(rule.unless, text, start, stop)):
            return 0.0
        parts = [
            (f"a {'weak' if word.weak else 'strong'} word", rule.score.weak if word.weak else rule.score.match),
            (f"tied by {tie}", 0.0),
        ]
        if stance:
            parts.append(("field name", rule.score.field if stance > 0 else rule.score.against))
        if self._context[index] or self._against[index]:
            around = _around(text, start, stop, rule.window)
            for words, value in ((self._context[index], rule.score.context), (self._against[index], rule.score.against)):
                if words and (near := _stands(words, around)):
                    parts.append((f"the word {near!r} near by", value))
        if factors is not None:
            factors.extend(parts)
        return min(1.0, max(0.01, round(sum(value for _, value in parts), 4)))

    def explain(
        self,
        index: int,
        folded: fold.Folded,
        hits: Iterable[tuple[int, int]],
        span: tuple[int, int],
        people: Sequence[tuple[int, int]],
        tied: bool,
        stances: Sequence[int],
        factors: Factors,
    ) -> None:
        """Write down the factors of the word of a rule that stands at `span` of the original text."""
        for number, end in hits:
            if self._owners[number][0] != index:
                continue
            for start, stop in self.places(number, folded.text, end):
                if (folded.start(start), folded.end(stop)) == span:
                    self.weigh(number, folded.text, start, stop, people, tied, stances, factors)
                    return

    def places(self, number: int, text: str, end: int) -> Iterator[tuple[int, int]]:
        """Where a word stands whose trigger ended at `end`: none, where it is part of another word."""
        word = self._owners[number][1]
        slack = len(word.text) * 2 + 8
        regex = self._regex(number)
        for match in regex.finditer(text, max(0, end - slack - (40 if word.open_left else 0)), min(len(text), end + 64)):
            if match.start() < end <= match.end() + 1:
                yield match.span()

    @functools.cache  # noqa: B019 - one Words a process
    def _regex(self, number: int) -> re.Pattern[str]:
        return triage.word_regex(self._owners[number][1])

    def near_person(self, text: str, start: int, end: int, people: Sequence[tuple[int, int]]) -> str:
        """What ties a word to a person: an identifier or a cue near by; "" when nothing does."""
        at = bisect_left(people, (start - NEAR - 64, 0))
        while at < len(people) and people[at][0] <= end + NEAR:
            if people[at][1] >= start - NEAR and not (people[at][0] < end and start < people[at][1]):
                return "an identifier near by"
            at += 1
        before, after = text[max(0, start - NEAR) : start], text[end : end + NEAR]
        if "\n" in before:
            before = PARAGRAPH.split(before)[-1]
        if "\n" in after:
            after = PARAGRAPH.split(after, maxsplit=1)[0]
        around = _NOT_WORD.sub(" ", f" {before} \n {after} ").lower()
        for word in around.split(" "):
            if word in self._cues:
                return f"the word {word!r}"
        return next((f"the words {phrase.strip()!r}" for phrase in self._spaced if phrase in around), "")

    @functools.cached_property
    def _spaced(self) -> tuple[str, ...]:
        return tuple(" " + phrase for phrase in self._phrases)


def resolve(found: list[Found], rules: Sequence[Rule]) -> list[Found]:
    """Of spans that overlap, the best one stays: the higher score, length counting a little; URLs share their place."""
    if len(found) < 2:
        return found
    found = sorted(set(found), key=lambda f: (-(f.score + min(f.end - f.start, 60) / 200), f.start, f.end, f.rule))
    kept: list[Found] = []
    taken: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for one in found:
        spans = taken[rules[one.rule].entity == "URL"]
        at = bisect_left(spans, (one.start, one.start))
        if (at < len(spans) and spans[at][0] < one.end) or (at and spans[at - 1][1] > one.start):
            continue
        spans.insert(at, (one.start, one.end))
        kept.append(one)
    kept.sort()
    return kept
