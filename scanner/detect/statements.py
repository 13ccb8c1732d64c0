"""Whether a sentence says something of a person: judges words of the special categories, and statements without such words.

A candidate (a word of a list, or a statement's expression) is looked at in its sentence: who is spoken of, what ties the words
to them, what denies, supposes or generalises it. Each sign has a weight, learnt by `training/statements.py` from sentences that
were written for it; their sum is the score, so every score can be taken apart in words.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from itertools import pairwise
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scanner.detect import confirm, fold, speech
from scanner.detect.confirm import Factors, Found
from scanner.detect.rules import Rule, Ruleset, Word
from scanner.detect.sentence import Sentence, Sentences, around
from scanner.detect.triage import Saying

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORT = 40
"""A cell up to this length is a statement by itself, in a row that names a person or a column that says what it holds."""

SURE = 0.6
"""From this score on two kinds of finding may share a phrase; below it the better one stays."""

_STEP = 8.0
"""Log-odds from nothing to certainty: a score is 0.5 plus a share of this."""
BITS = 15
MODEL = "statements.npz"

_DENIES = re.compile(r"ikke|\bnot\b|n't|never|ingen|aldrig|hverken|unable|refuse|nægter|afviser")
_AHEAD = re.compile(r"\(\?<?!(?:[^()]|\([^()]*\))*\)")
_CLAUSE = frozenset({"men", "but", ";", "however", "derimod", "tværtimod", "although", "selvom"})
_BUT_YES = (
    "kun",
    "only",
    "bare",
    "just",
    "alene",
    "længere",
    "because",
    "lagt",
    "secret",
    "tvivl",
    "doubt",
    "skjul",
    "overraskende",
    "surprisingly",
)
"""Behind a word of denial these turn it round: 'not only', 'never made a secret of'."""
_RULES = frozenset(
    "rammer rammes skyldes behandles stiger falder kræver giver koster søger ansætter bruges sælges kommer ligger means affects causes needs hits costs".split()
)
"""Verbs whose subject, opening a sentence, is what is talked about in general."""
_FOLLOWS = frozenset({"hun", "han", "jeg", "vi", "de", "she", "he", "they", "det", "den", "it", "så", "so", "og", "and", "men", "but", "i"})


class Candidate(NamedTuple):
    """A span that may be a finding: its rule, how strongly its words speak, what it is called in a sign, and whether it denies something itself."""

    start: int
    end: int
    rule: int
    kind: str
    name: str
    denies: bool = False


class Model(NamedTuple):
    """Weights: of named signs, and of words around a candidate by hash."""

    signs: Mapping[str, float]
    words: NDArray[np.float32]


class Judge:
    """Confirms words and statements: exact form, and a person of whom the sentence says it."""

    def __init__(self, ruleset: Ruleset, owners: tuple[tuple[int, Word], ...], sayings: tuple[Saying, ...]) -> None:
        self._rules = ruleset.rules
        self._owners = owners
        self._plain = confirm.Words(ruleset, owners)
        self._context = [_Stems(r.context) if r.context else None for r in ruleset.rules]
        self._sayings = sayings
        self._regexes: list[re.Pattern[str] | None] = [None] * len(sayings)
        self._denies = [_DENIES.search(_AHEAD.sub("", saying.statement.pattern)) is not None for saying in sayings]
        self._speech = speech.Speech(ruleset.home / "words")
        self.model = _model(Path(__file__).with_name(MODEL))
        self._words: list[float] = self.model.words.tolist()

    def confirm(
        self,
        text: str,
        hits: Sequence[tuple[int, int]],
        said: Mapping[int, Sequence[int] | None],
        people: Sequence[tuple[int, int]],
        tied: bool,
        stances: Sequence[int],
        least: float,
    ) -> list[Found]:
        """`hits` are (word's number, end of its trigger), `said` statements' numbers with the ends of theirs (None: look everywhere); `people` spans of identifiers, sorted."""
        found: list[Found] = []
        sentences: Sentences = []
        for one in self.candidates(text, hits, said):
            score = self.weigh(text, one, people, tied, stances, sentences)
            if score >= least and not self._excepted(text, one):
                found.append(Found(one.start, one.end, one.rule, score))
        return self._apart(text, found)

    def _apart(self, text: str, found: list[Found]) -> list[Found]:
        """Where findings of two kinds share words, the longer one keeps what is left of it: 'is Kurdish and a Muslim' says two things."""
        if len(found) < 2:
            return found
        kept: list[Found] = []
        for one in sorted(found, key=lambda f: (f.end - f.start, -f.score, f.start, f.rule)):
            start, end, entity = one.start, one.end, self._rules[one.rule].entity
            for other in kept:
                if (
                    other.start < end
                    and start < other.end
                    and self._rules[other.rule].entity != entity
                    and min(one.score, other.score) >= SURE
                ):
                    left, right = other.start - start, end - other.end
                    start, end = (other.end, end) if right >= left else (start, other.start)
            while start < end and not text[start].isalnum():
                start += 1
            while start < end and not text[end - 1].isalnum() and (end < one.end or text[end - 1].isspace()):
                end -= 1
            if end - start > 1:
                kept.append(one._replace(start=start, end=end))
        return kept

    def candidates(self, text: str, hits: Sequence[tuple[int, int]], said: Mapping[int, Sequence[int] | None]) -> Iterator[Candidate]:
        """Everything in a text that may be a finding."""
        for number, end in hits:
            rule, word = self._owners[number]
            for start, stop in self._plain.places(number, text, end):
                kind = "weak" if word.weak else "strong"
                yield Candidate(start, stop, rule, kind, f"w:{word.text.casefold()}", _DENIES.search(word.text) is not None)
        for number, ends in said.items():
            saying = self._sayings[number]
            check = saying.statement.check
            for start, stop in self.spots(number, text, ends):
                if not check or self._speech.checks[check](text, start, stop):
                    name = f"s:{self._rules[saying.rule].id}:{saying.statement.number}"
                    yield Candidate(start, stop, saying.rule, "statement", name, self._denies[number])

    def spots(self, number: int, text: str, ends: Sequence[int] | None) -> Iterator[tuple[int, int]]:
        """Where a statement's expression matches, given where its triggers ended; None means anywhere."""
        saying, regex = self._sayings[number], self._regexes[number]
        if regex is None:
            regex = self._regexes[number] = saying.statement.regex()
        for low, high, last in _windows(ends, saying.lead, saying.tail, len(text)):
            for match in regex.finditer(text, low, high):
                stop = match.end()
                if stop > high - confirm.LOOK and high < len(text):
                    break
                if match.start() < stop:
                    yield match.start(), stop
                if stop >= last:
                    break

    def _excepted(self, text: str, one: Candidate) -> bool:
        """Whether what the rule calls its exceptions stands around a candidate."""
        unless = self._rules[one.rule].unless
        return bool(unless) and confirm.excepts(unless, text, one.start, one.end)

    def weigh(
        self,
        text: str,
        one: Candidate,
        people: Sequence[tuple[int, int]],
        tied: bool,
        stances: Sequence[int],
        sentences: Sentences,
        factors: Factors | None = None,
    ) -> float:
        """The score of a candidate, within 0.01 and 1; with `factors`, each part of the sum is written down there."""
        rule, stance = self._rules[one.rule], stances[one.rule]
        if rule.only_fields and stance <= 0:
            return 0.0
        sentence = around(text, one.start, one.end, sentences, self._speech)
        if (stance > 0 or tied) and len(text) <= SHORT and not (rule.prose and stance <= 0):
            return self._cell(one, rule, stance, tied, sentence, factors)
        signs, numbers = self.signs(text, one, sentence, people, tied or stance > 0)
        weights = self.model.signs
        total = sum(weights.get(sign, 0.0) for sign in signs) + (rule.score.field * 4 if stance > 0 else 0.0)
        weight = self._words
        words = sum([weight[number] for number in numbers])
        score = min(1.0, max(0.01, round(0.5 + (total + words) / _STEP, 4)))
        if factors is not None and score > 0.01:
            self._explain(one, signs, words, stance, rule, score, factors)
        return score

    def _cell(self, one: Candidate, rule: Rule, stance: int, tied: bool, sentence: Sentence, factors: Factors | None) -> float:
        """A short cell is a statement, unless it denies."""
        if self._denied(sentence, one):
            return 0.0
        parts = [
            (f"a {one.kind} {'one' if one.kind == 'statement' else 'word'}", rule.score.weak if one.kind == "weak" else rule.score.match),
            ("tied by a row about a person" if tied else "tied by the field's name", 0.0),
        ]
        if stance:
            parts.append(("field name", rule.score.field if stance > 0 else rule.score.against))
        if self._near(one, sentence):
            parts.append(("a word that goes with it", rule.score.context))
        if factors is not None:
            factors.extend(parts)
        return min(1.0, max(0.01, round(sum(value for _, value in parts), 4)))

    def _explain(self, one: Candidate, signs: Sequence[str], words: float, stance: int, rule: Rule, score: float, factors: Factors) -> None:
        """The parts of a score, the greatest first, so that they add up to it."""
        parts = [(speech.NAMES.get(sign, ""), self.model.signs.get(sign, 0.0) / _STEP) for sign in signs]
        rest = sum(value for name, value in parts if not name) + words / _STEP
        named = sorted(((name, value) for name, value in parts if name and abs(value) >= 0.005), key=lambda part: -abs(part[1]))
        rest += sum(value for name, value in parts if name and abs(value) < 0.005)
        kinds = {"statement": "what is said", "strong": "a strong word", "weak": "a weak word"}
        factors.append((kinds[one.kind], 0.5))
        factors.extend((name, round(value, 4)) for name, value in named)
        if stance > 0:
            factors.append(("field name", round(rule.score.field * 4 / _STEP, 4)))
        factors.append(("the other words of the sentence", round(rest, 4)))
        over = round(score - sum(value for _, value in factors), 4)
        if over:
            factors.append(("no score is above 1" if over < 0 else "rounding", over))

    def explain(
        self,
        index: int,
        folded: fold.Folded,
        hits: Sequence[tuple[int, int]],
        said: Mapping[int, Sequence[int] | None],
        span: tuple[int, int],
        people: Sequence[tuple[int, int]],
        tied: bool,
        stances: Sequence[int],
        factors: Factors,
    ) -> None:
        """Write down the factors of the best candidate of a rule that stands at `span` of the original text."""
        best, score = None, (False, 0.0)
        for one in self.candidates(folded.text, hits, said):
            start, end = folded.start(one.start), folded.end(one.end)
            if one.rule == index and start < span[1] and span[0] < end and not self._excepted(folded.text, one):
                value = self.weigh(folded.text, one, people, tied, stances, [])
                if ((start, end) == span, value) > score:
                    best, score = one, ((start, end) == span, value)
        if best is not None:
            self.weigh(folded.text, best, people, tied, stances, [], factors)

    def signs(
        self, text: str, one: Candidate, sentence: Sentence, people: Sequence[tuple[int, int]], tied: bool
    ) -> tuple[list[str], list[int]]:
        """What speaks for and against a candidate: named signs, and the numbers of the words around it."""
        rule = self._rules[one.rule]
        entity = rule.entity
        words, kinds = sentence.words, sentence.kinds
        first = bisect_left(sentence.starts, one.start)
        after = bisect_left(sentence.starts, one.end)
        signs = ["bias", f"kind:{one.kind}", f"class:{entity}", f"{one.kind}:{entity}", one.name]
        if self._near(one, sentence):
            signs += ["context", f"context:{one.kind}", f"context:{entity}"]
        # Who is spoken of.
        left, right, inside, close = sentence.left[first], sentence.right[after], _all(kinds[first:after]), _all(kinds[after : after + 6])
        who = (left | right | inside) & _WHO.kinds
        if who:
            signs += _WHO.before(left)
            signs += _WHO.behind(right)
            signs += _WHO.within(inside)
        person = bool(who)
        if tied:
            signs.append("row")
            person = True
        if self._identified(one, people):
            signs.append("identifier")
            person = True
        if not person:
            signs.append("before" if sentence.person_before else "nobody")
        opens, implied = sentence.opens, not person and signs[-1] == "before"
        if not left & _SOMEBODY:
            if first <= opens and after < len(words) and (kinds[after] & _VERB or words[after] in _RULES):
                signs.append("topic")
            elif first <= opens:
                signs.append("opens")
                implied = True
            elif words and kinds[opens] & _NOTE:
                signs.append("note")
                implied = True
        if first and kinds[first - 1] & _POSSESSIVE:
            signs.append("possessed")
        # What ties it, denies it, supposes it.
        clause = first
        while clause > 0 and words[clause - 1] not in _CLAUSE and not (words[clause - 1] == "," and words[clause] in _FOLLOWS):
            clause -= 1
        scope = _all(kinds[clause:first]) if clause else left
        signs += _SCOPE.before(scope)
        if _all(kinds[max(clause, first - 4) : first]) & _TIES and not scope & _ASIDE:
            if scope & _ANYBODY:
                signs += ["says", f"says:{one.kind}"]
            elif clause and left & _ANYBODY:
                signs.append("says before")
        if first:
            signs += _RIGHT_BEFORE.next(kinds[first - 1])
        denied = self._denied(sentence, one) or (inside & _NOT and not one.denies)
        if denied:
            signs.append("denied")
        elif right & _NOT:
            signs.append("not>")
        if (right | left) & _CLEARED:
            signs.append("cleared")
        if inside & _CLEARED:
            signs.append("cleared=")
        if left & _IF:
            signs.append("if<")
        if right & _IF:
            signs.append("if>")
        if sentence.asks:
            signs.append("asks")
        if (left | close | inside) & _OTHER.kinds:
            signs += _OTHER.before(left)
            signs += _OTHER.behind(close)
            signs += _OTHER.within(inside)
        if _quoted(text, one):
            signs.append("quoted")
        if person and not left & _GENERAL and not denied:
            signs.append(f"plainly:{one.kind}")
        if implied:
            signs.append(f"implied:{one.kind}")
        return signs, _around(words, first, after, entity)

    def _near(self, one: Candidate, sentence: Sentence) -> bool:
        """Whether a word that goes with the rule stands in the sentence, outside the candidate."""
        context = self._context[one.rule]
        if context is None:
            return False
        words, starts = sentence.words, sentence.starts
        first, after = bisect_left(starts, one.start), bisect_left(starts, one.end)
        return context.any(words[max(0, first - 10) : first]) or context.any(words[after : after + 10])

    @staticmethod
    def _identified(one: Candidate, people: Sequence[tuple[int, int]]) -> bool:
        at = bisect_left(people, (one.start - confirm.NEAR - 64, 0))
        while at < len(people) and people[at][0] <= one.end + confirm.NEAR:
            if people[at][1] >= one.start - confirm.NEAR and not (people[at][0] < one.end and one.start < people[at][1]):
                return True
            at += 1
        return False

    @staticmethod
    def _denied(sentence: Sentence, one: Candidate) -> bool:
        """Whether a word of denial stands before it in its clause, or right behind it."""
        words, kinds = sentence.words, sentence.kinds
        first, after = bisect_left(sentence.starts, one.start), bisect_left(sentence.starts, one.end)
        at = first - 1
        while at >= 0 and first - at <= 9:
            if words[at] in _CLAUSE or (words[at] == "," and at + 1 < len(words) and words[at + 1] in _FOLLOWS):
                break
            if kinds[at] & _NOT and not (at + 1 < len(words) and words[at + 1] in _BUT_YES):
                return True
            at -= 1
        # 'strejker ikke', 'fejler intet': in Danish the denial follows the verb.
        if not one.denies and after < len(words) and kinds[after] & _NOT and words[after + 1 : after + 2] != ["kun"]:
            return True
        return bool(_all(kinds[after : after + 4]) & _CLEARED)


def _windows(ends: Sequence[int] | None, lead: int, tail: int, length: int) -> Iterator[tuple[int, int, int]]:
    """Where to look, given where triggers ended: (from, to, the last trigger's end). Each holds every match around its triggers."""
    if ends is None:
        yield 0, length, length + 1
        return
    low = high = last = -1
    for end in ends:
        start = end - lead
        if start > high:
            if high >= 0:
                yield low, high, last
            low = max(0, start)
        high, last = min(length, end + tail + confirm.LOOK), end
    if high >= 0:
        yield low, high, last


def _all(kinds: Sequence[int]) -> int:
    """Of what kinds any of these words is."""
    return reduce(or_, kinds, 0)


class _Signs:
    """The names of signs of some kinds of words, by where these stand; each set of kinds is spelt out once."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = speech.bits(*kinds)
        self._kept: dict[tuple[int, str], tuple[str, ...]] = {}

    def _of(self, kinds: int, place: str) -> tuple[str, ...]:
        key = (kinds & self.kinds, place)
        signs = self._kept.get(key)
        if signs is None:
            signs = self._kept[key] = tuple(f"{kind}{place}" for kind, bit in speech.BIT.items() if bit & key[0])
        return signs

    def before(self, kinds: int) -> tuple[str, ...]:
        """Of words anywhere before a candidate."""
        return self._of(kinds, "<")

    def behind(self, kinds: int) -> tuple[str, ...]:
        """Of words behind it."""
        return self._of(kinds, ">")

    def within(self, kinds: int) -> tuple[str, ...]:
        """Of its own words."""
        return self._of(kinds, "=")

    def next(self, kinds: int) -> tuple[str, ...]:
        """Of the word right before it."""
        return self._of(kinds, "<1")


_WHO = _Signs("first", "third", "role", "family", "name")
_SCOPE = _Signs("have", "be", "take", "treat", "learn", "about", "work", "modal", "when", "say", "sell", "deny")
_RIGHT_BEFORE = _Signs("have", "be", "about", "for", "generic", "and")
_OTHER = _Signs(
    "generic", "organisation", "news", "policy", "work", "we", "you", "fiction", "anyone", "animal", "profession", "percent", "stranger"
)  # fmt: skip
_ANYBODY = speech.bits("first", "third", "role", "family", "name")
_SOMEBODY = _ANYBODY | speech.bits("generic", "we", "you", "organisation")
_VERB = speech.bits("be", "have", "modal")
_TIES = speech.bits("have", "be", "take", "treat")
_ASIDE = speech.bits("about", "work", "sell", "generic", "organisation", "if", "animal")
_GENERAL = speech.bits("generic", "if")
_NOTE, _POSSESSIVE, _NOT, _CLEARED, _IF = (speech.BIT[kind] for kind in ("note", "possessive", "not", "cleared", "if"))


def _around(words: list[str], first: int, after: int, entity: str) -> list[int]:
    """The numbers of the words around a candidate, by where they stand, alone and with its class."""
    low, close, far = max(0, first - 12), max(0, first - 3), after + 3
    numbers = [_placed("<", word) for word in words[low:close]]
    numbers += [_number(f"<{word} {following}") for word, following in pairwise(words[low:first])]
    numbers += [_placed(">", word) for word in words[far : after + 10]]
    for at in range(close, first):
        near = "1" if at == first - 1 else "2"
        numbers += (_placed(near, words[at]), _placed(near, words[at], entity))
    for at in range(after, min(len(words), far)):
        near = "3" if at == after else "4"
        numbers += (_placed(near, words[at]), _placed(near, words[at], entity))
    numbers += [_placed("^", word) for word in words[:2]]
    numbers += [_placed("=", word, entity) for word in words[first:after][:6]]
    return numbers


@lru_cache(maxsize=50_000)
def _placed(place: str, word: str, entity: str = "") -> int:
    return _number(f"{place}{word}{entity}")


def _number(text: str) -> int:
    return zlib.crc32(text.encode()) & ((1 << BITS) - 1)


def _quoted(text: str, one: Candidate) -> bool:
    """Whether it stands in quotation marks, as titles do."""
    before, after = text[max(0, one.start - 30) : one.start], text[one.end : one.end + 40]
    return any(mark in before and close in after for mark, close in (('"', '"'), ("»", "«"), ("“", "”"), ("”", "”"), (" '", "'")))


class _Stems:
    """Words that go with a rule, by how they begin; some are several words."""

    def __init__(self, words: Sequence[str]) -> None:
        stems = {word.lower().strip() for word in words}
        self._phrases = tuple(f" {stem}" for stem in stems if " " in stem)
        self._stem = re.compile("|".join(re.escape(stem) for stem in sorted(stems) if " " not in stem) or r"(?!)")
        self._known: dict[str, bool] = {}

    def any(self, words: Sequence[str]) -> bool:
        """Whether one of them stands there."""
        known = self._known
        for word in words:
            begins = known.get(word)
            if begins is None:
                if len(known) > 20_000:
                    known.clear()
                begins = known[word] = self._stem.match(word) is not None
            if begins:
                return True
        if not self._phrases:
            return False
        text = f" {' '.join(words)}"
        return any(phrase in text for phrase in self._phrases)


def _model(path: Path) -> Model:
    """The weights; those that were guessed before any were learnt, where there are none."""
    if not path.is_file():
        return Model(speech.GUESSED, np.zeros(1 << BITS, np.float32))
    with np.load(path) as kept:
        signs = dict(zip(kept["names"].tolist(), kept["signs"].astype(float).tolist(), strict=True))
        return Model(signs, kept["words"].astype(np.float32))
