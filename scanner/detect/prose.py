"""Names in sentences: by gazetteer, by the small network (`fast`) or the encoder (`full`), or by a model of somebody else's.

Presidio's own recognisers on the rows that call for them, too.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from scanner.detect import external, language, ner, window
from scanner.detect.confirm import Found
from scanner.errors import RuleError

if TYPE_CHECKING:
    from scanner.detect.rules import Rule, Ruleset

LEVELS = ("off", "fast", "full")
"""`off`: patterns and words only; `fast` and `full`: names in sentences and Presidio's recognisers as well."""

WORDS_READ = 5
"""From so many words on, a cell of a table is read as a sentence; a shorter one only by gazetteer."""

_SURE = {**dict.fromkeys(ner.SAID, 0.4), "PERSON": 0.4, "LOCATION": 0.25, "ORGANIZATION": 0.25, "NRP": 0.2}
"""What a model's full certainty adds to 0.5. Where a rule finds more (an address, a membership), it comes first."""

_SAID = 0.85
"""From this probability on the encoder says that something is said of somebody."""

_UNLIKELY = 0.2
"""Below this probability the encoder overrules words and patterns that say something of somebody."""

_WORD = re.compile(r"[^\W\d_]{2}")
_CERTAIN = 0.6
"""What a large model is less certain of is not taken for a name."""

_TOGETHER = 256
"""So many pieces are read between two signs of life."""

_BREAK = re.compile(r"\n[ \t]*\n\s*|(?:(?<=[!?])|(?<=[^\W\d_]{3}\.)|(?<=[\d)\]\"”]\.))[ \t]+(?=[^\sa-z0-9æøåäö])|(?<=[.!?:])\n")
_SEGMENT = 600
"""Code points that are read in one piece, unless a sentence is longer."""

_CAPITAL = "A-ZÆØÅÄÖÉÜÁÍÓÚČŠŽŁÇĞİ"
_SMALL = "a-zæøåäöéüáíóúčšžłçğışñèêëôâðþ"
_PART = rf"[{_CAPITAL}][{_SMALL}]{{1,24}}(?:[-'’][{_CAPITAL}][{_SMALL}]{{1,24}})?"
_SEQUENCE = re.compile(rf"(?<![\w@.\-]){_PART}(?:[ \t]{{1,3}}(?:{_PART}|[{_CAPITAL}]\.|von|van|de|der|af|el|al|bin)){{1,5}}(?![\w@])")
_NAME = re.compile(rf"{_PART}(?:[ ](?:{_PART}|[{_CAPITAL}][.]|von|van|de|der|af|el|al|bin)){{1,5}}")
_FEW = 256
_TOKEN = re.compile(r"\S+")
_PARTICLES = frozenset({"von", "van", "de", "der", "af", "el", "al", "bin"})
_PATRONYM = re.compile(
    rf"[{_CAPITAL}][{_SMALL}]{{2,}}(?:sen|son|sson|dóttir|datter|gaard|gård|bæk|skov|holm|lund|strup|berg|ovic|ović|oglu|wicz|ska|ski)$"
)
_NEVER = frozenset(
    {
        "the",
        "a",
        "an",
        "do",
        "does",
        "did",
        "san",
        "santa",
        "saint",
        "sankt",
        "los",
        "las",
        "mr",
        "mrs",
        "dr",
        "great",
        "old",
        "all",
        "our",
        "your",
        "my",
        "his",
        "her",
        "their",
        "this",
        "that",
        "mount",
        "lake",
        "port",
        "fort",
        "cape",
    }
)
"""Words that begin a name of something else (The Doctor, San Francisco, Mount Everest), whoever else bears them as a first name."""
_ROADS = re.compile(
    r"(?:^street|^avenue|^ave|^road|^day|^beach|^airport|^valley|^hotel|^kirken|^danmark|^island|^bay|^hill|^river|^tool|vej|gade|allé|alle|plads|torv|stræde|boulevard|park|vænge|have|skole|kirke|hospital|centret|huset)s?$",
    re.IGNORECASE,
)
_FIRM = re.compile(r"[ \t]*(?:&|og Søn|ApS\b|A/S|I/S|K/S|P/S|IVS\b|Inc\b|Ltd\b|GmbH\b)")


class Gazetteer:
    """First names and surnames as people bear them, and those that are ordinary words as well."""

    def __init__(self, first: Path, last: Path, common: Path) -> None:
        self.first = _names(first)
        self.last = _names(last)
        self.common = _names(common)

    @functools.cached_property
    def first_array(self) -> pa.Array:
        """First names as Arrow, for whole columns."""
        return pa.array(sorted(self.first))

    def people(self, text: str) -> Iterator[tuple[int, int, bool]]:
        """Spans of a first name with what follows it; the flag says that its last part is a known surname."""
        for sequence in _SEQUENCE.finditer(text):
            tokens = [(m.start() + sequence.start(), m[0]) for m in _TOKEN.finditer(sequence[0])]
            begin = next((i for i, (_, t) in enumerate(tokens[:-1]) if self._is_first(t, i)), None)
            if begin is None:
                continue
            last = begin
            for i in range(begin + 1, len(tokens)):
                token = tokens[i][1]
                if _ROADS.search(token) and (i > begin + 1 or token.casefold() not in self.last):
                    last = begin
                    break
                if self._is_last(token) or self._is_first(token, i):
                    last = i
                elif not (token in _PARTICLES or token.endswith(".")):
                    if i == begin + 1 and i == len(tokens) - 1 and tokens[begin][1].casefold() not in self.common:
                        last = i
                    break
            if last == begin:
                continue
            name = tokens[last][1]
            known = self._is_last(name)
            end = tokens[last][0] + len(name)
            if name.casefold() not in self.last and name[-1:] == "s" and name[:-1].casefold() in self.last:
                end -= 1
            if _FIRM.match(text, tokens[last][0] + len(name)):
                continue
            yield tokens[begin][0], end, known

    def _is_first(self, token: str, position: int) -> bool:
        folded = token.casefold()
        return folded in self.first and folded not in _NEVER and not (position == 0 and folded in self.common and len(folded) < 3)

    def _is_last(self, token: str) -> bool:
        folded = token.casefold()
        if folded in self.last or (folded.endswith("s") and folded[:-1] in self.last):
            return True
        if "-" in folded:
            return all(part in self.last or part in self.first for part in folded.split("-"))
        return bool(_PATRONYM.match(token))


def segments(text: str) -> Iterator[tuple[int, int]]:
    """A text in pieces that can be read alone: at blank lines and where sentences end; lines, where that leaves too much.

    Where a piece begins and ends depends on its neighbourhood only, so that a text that is cut elsewhere falls into the same pieces.
    """
    start = 0
    for match in itertools.chain(_BREAK.finditer(text), (None,)):
        stop = match.start() if match else len(text)
        if stop - start <= _SEGMENT:
            yield start, stop
        else:
            at = start
            for line in text[start:stop].splitlines(keepends=True):
                yield at, at + len(line)
                at += len(line)
        start = match.end() if match else stop


class Reading(NamedTuple):
    """What a model reads in a text: findings; and where it holds what categories for unlikely, whatever words stand there."""

    found: list[Found]
    doubts: Sequence[tuple[int, int, frozenset[str]]]

    def doubted(self, start: int, entity: str) -> bool:
        """Whether what begins here is held for unlikely to be said of anybody."""
        return any(low <= start < high and entity in unlikely for low, high, unlikely in self.doubts)


class Prose:
    """What needs sentences. `engine` is a file in Presidio's NLP-engine configuration, read at level `full` instead of our own model."""

    def __init__(self, ruleset: Ruleset, level: str, engine: Path | None = None) -> None:
        self.level = level
        self._rules = ruleset.rules
        self._home = ruleset.home
        self._engine = engine
        self.suffices = level == "full" and engine is None
        """Whether our own encoder reads: it needs no gazetteer beside it."""
        self.labels = {rule.entity: i for i, rule in enumerate(self._rules) if rule.model and self.wants(rule)}
        """For each entity that a model tells, the rule that its findings go by."""
        self._least = 0.0 if level == "fast" else _CERTAIN
        self.alive: Callable[[], None] = lambda: None
        """Called while a large model reads, so that nobody takes it for hung."""

    @functools.cached_property
    def _gazetteers(self) -> dict[int, Gazetteer]:
        return {i: Gazetteer(*map(Path, r.names)) for i, r in enumerate(self._rules) if r.names}

    @functools.cached_property
    def _lists(self) -> ner.Lists:
        return ner.lists(self._home)

    @functools.cached_property
    def _window(self) -> window.Window:
        return window.Window(self._home / "models", self._lists)

    @functools.cached_property
    def _model(self) -> external.NameModel | ner.Encoder:
        if self._engine is not None:
            return external.load(self._engine)
        return ner.Encoder(self._home / "models", self._lists)

    def wants(self, rule: Rule) -> bool:
        """Whether a rule takes part at this level."""
        if rule.model == "full":
            return self.level == "full" and (self._engine is None or rule.entity not in ner.SAID)
        return self.level != "off" or not (rule.names or rule.recognizer or rule.model)

    @property
    def reads(self) -> bool:
        """Whether a model reads at this level."""
        return self.level != "off" and bool(self.labels)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """What the level's model reads in each text; a text that comes again is read once."""
        distinct = list(dict.fromkeys(texts))
        if self.level == "fast":
            named = self._window.spans(distinct)
            by_text = {text: Reading(list(self._found(text, names)), ()) for text, names in zip(distinct, named, strict=True)}
        else:
            by_text = dict(zip(distinct, self._read_whole(distinct), strict=True))
        return [by_text[text] for text in texts]

    def _found(self, text: str, names: Sequence[tuple[int, int, str, float]]) -> Iterator[Found]:
        people = [(start, end) for start, end, entity, _ in names if entity == "PERSON"]
        for start, end, entity, score in names:
            if (
                entity in self.labels
                and _WORD.search(text, start, end)
                and score >= (_SAID if entity in ner.SAID else self._least)
                and (entity != "NRP" or any(_together(text, start, end, *one) for one in people))
            ):
                yield Found(start, end, self.labels[entity], round(0.5 + _SURE[entity] * round(score, 2), 4))

    def _read_whole(self, texts: Sequence[str]) -> list[Reading]:
        """By the encoder, or the model that is configured: each piece that has a word."""
        places = [(number, start, text[start:stop]) for number, text in enumerate(texts) for start, stop in segments(text)]
        distinct = list(dict.fromkeys(piece for _, _, piece in places if _WORD.search(piece)))
        distinct.sort(key=len)  # pieces of like length are read together
        read: dict[str, tuple[Sequence[tuple[int, int, str, float]], frozenset[str]]] = {}
        for at in range(0, len(distinct), _TOGETHER):
            part = distinct[at : at + _TOGETHER]
            if isinstance(self._model, ner.Encoder):
                for piece, one in zip(part, self._model.read(part), strict=True):
                    unlikely = frozenset(entity for entity, likely in zip(ner.SAID, one.said.tolist(), strict=True) if likely < _UNLIKELY)
                    read[piece] = (*one.names, *one.places), unlikely
            else:
                spans = self._model.spans(part, language.languages(part, clear=0.5))
                read.update((piece, (found, frozenset())) for piece, found in zip(part, spans, strict=True))
            self.alive()
        named: list[list[tuple[int, int, str, float]]] = [[] for _ in texts]
        doubts: list[list[tuple[int, int, frozenset[str]]]] = [[] for _ in texts]
        for number, start, piece in places:
            found, unlikely = read.get(piece, ((), frozenset()))
            named[number] += [(start + low, start + high, entity, score) for low, high, entity, score in found]
            if unlikely:
                doubts[number].append((start, start + len(piece), unlikely))
        return [Reading(list(self._found(text, one)), doubt) for text, one, doubt in zip(texts, named, doubts, strict=True)]

    def why(self, rule: Rule) -> str:
        """What a finding of a rule without an expression goes by, in words."""
        if rule.recognizer:
            return f"Presidio's {rule.recognizer}"
        if rule.names:
            return "a first name, and what follows it"
        if self.level == "fast":
            return "a name, from the words beside it (the small network)"
        what = "said of somebody" if rule.model == "full" else "a name"
        return f"{what}, from its sentence (the model {self._model.name})"

    def names(self, index: int, text: str, stance: int, least: float) -> Iterator[Found]:
        """People's names in a text."""
        score = self._rules[index].score
        for start, end, known in self._gazetteers[index].people(text):
            value = (score.match if known else score.weak) + (score.field if stance > 0 else 0)
            if value >= least:
                yield Found(start, end, index, min(1.0, value))

    @staticmethod
    def name_spans(text: str) -> Iterator[tuple[int, int]]:
        """Every run of two to four capitalised words, for names that are known."""
        for sequence in _SEQUENCE.finditer(text):
            tokens = [(m.start() + sequence.start(), m.end() + sequence.start()) for m in _TOKEN.finditer(sequence[0])]
            for first in range(len(tokens) - 1):
                for last in range(first + 1, min(first + 4, len(tokens))):
                    yield tokens[first][0], tokens[last][1]

    def cells(self, index: int, texts: pa.Array) -> pa.BooleanArray:
        """Which cells are, as a whole, a first name followed by something that looks like the rest of a name."""
        if len(texts) <= _FEW:  # an expression of this size is sooner run than compiled anew for an array
            known = self._gazetteers[index].first
            return pa.array([_NAME.fullmatch(cell) is not None and cell.split(" ", 1)[0].lower() in known for cell in texts.to_pylist()])
        whole = pc.match_substring_regex(texts, f"^(?:{_NAME.pattern})$")
        first = pc.utf8_lower(pc.replace_substring_regex(texts, r"^(\S+)[\s\S]*$", r"\1"))
        return pc.and_(whole, pc.is_in(first, self._gazetteers[index].first_array))

    def recognise(self, index: int, text: str, stance: int, least: float) -> Iterator[Found]:
        """What one of Presidio's recognisers finds in a text."""
        rule = self._rules[index]
        for result in recognizer(rule.recognizer).analyze(text, recognizer(rule.recognizer).supported_entities, None) or ():
            score = min(1.0, max(float(result.score), rule.score.match) + (rule.score.field if stance > 0 else 0.0))
            if score >= least:
                yield Found(result.start, result.end, index, score)


def _together(text: str, start: int, end: int, low: int, high: int) -> bool:
    """Whether two spans stand in one sentence."""
    first, last = min(end, high), max(start, low)
    return last - first <= 200 and not _BREAK.search(text, first, last)


@functools.cache
def recognizer(name: str) -> Any:
    """One of Presidio's predefined recognisers, by its class name. Raises `RuleError` when there is none."""
    from presidio_analyzer import predefined_recognizers

    if not hasattr(predefined_recognizers, name):
        raise RuleError(f"Presidio has no recognizer called {name!r}")
    return getattr(predefined_recognizers, name)()


def _names(path: Path) -> frozenset[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(line.split("\t")[0].strip().casefold() for line in lines if line and not line.startswith("#"))
