"""Names in sentences, by gazetteer, and Presidio's own recognisers on the rows that call for them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from scanner.detect.confirm import Found
from scanner.errors import RuleError

if TYPE_CHECKING:
    from scanner.detect.rules import Rule, Ruleset

LEVELS = ("off", "fast", "full")
"""`off`: patterns and words only; `fast` and `full`: names in sentences and Presidio's recognisers as well."""

_CAPITAL = "A-ZÆØÅÄÖÉÜÁÍÓÚČŠŽŁÇĞİ"
_SMALL = "a-zæøåäöéüáíóúčšžłçğışñèêëôâðþ"
_PART = rf"[{_CAPITAL}][{_SMALL}]{{1,24}}(?:[-'’][{_CAPITAL}][{_SMALL}]{{1,24}})?"
_SEQUENCE = re.compile(rf"(?<![\w@.\-]){_PART}(?:[ \t]{{1,3}}(?:{_PART}|[{_CAPITAL}]\.|von|van|de|der|af|el|al|bin)){{1,5}}(?![\w@])")
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


class Prose:
    """What needs sentences."""

    def __init__(self, ruleset: Ruleset, level: str) -> None:
        self.level = level
        self._rules = ruleset.rules

    @functools.cached_property
    def _gazetteers(self) -> dict[int, Gazetteer]:
        return {i: Gazetteer(*map(Path, r.names)) for i, r in enumerate(self._rules) if r.names}

    def wants(self, rule: Rule) -> bool:
        """Whether a rule takes part at this level."""
        return self.level != "off" or not (rule.names or rule.recognizer)

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
        whole = pc.match_substring_regex(texts, rf"^{_PART}(?:[ ](?:{_PART}|[{_CAPITAL}][.]|von|van|de|der|af|el|al|bin)){{1,5}}$")
        first = pc.utf8_lower(pc.replace_substring_regex(texts, r"^(\S+)[\s\S]*$", r"\1"))
        return pc.and_(whole, pc.is_in(first, self._gazetteers[index].first_array))

    def recognise(self, index: int, text: str, stance: int, least: float) -> Iterator[Found]:
        """What one of Presidio's recognisers finds in a text."""
        rule = self._rules[index]
        for result in recognizer(rule.recognizer).analyze(text, recognizer(rule.recognizer).supported_entities, None) or ():
            score = min(1.0, max(float(result.score), rule.score.match) + (rule.score.field if stance > 0 else 0.0))
            if score >= least:
                yield Found(result.start, result.end, index, score)


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
