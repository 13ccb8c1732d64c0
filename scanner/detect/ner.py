"""Names of persons, places, organisations and groups by the encoder that ships with the project.

What training and use must do alike lives here: how a text is split into words, what is known of a word without its sentence,
how words become pieces, and how scores become spans. `training/` holds the rest.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENTITIES = ("PERSON", "LOCATION", "ORGANIZATION", "NRP")
LABELS = ("O", *(f"{begin}-{entity}" for entity in ENTITIES for begin in "BI"))
"""Label 0 is nothing; the label 1 + 2e begins entity e, the one after it continues it."""

SAID = (
    "HEALTH", "GENETIC", "BIOMETRIC", "ETHNIC_ORIGIN", "POLITICAL_OPINION", "RELIGIOUS_BELIEF", "TRADE_UNION", "SEXUAL_ORIENTATION",
    "CRIMINAL_OFFENCE",
)  # fmt: skip
"""The special categories, in the order in which the network tells them."""

POSSIBLE = 0.3
"""From this probability on it is told where something is said."""

WORD_FEATURES = (4, 4, 2, 2, 7)
"""How many values each feature of a word has: bearers as a first name, as a surname, also an ordinary word, a Danish town, its shape."""

FEATURES = (*WORD_FEATURES, 2)
"""The same in its text: whether it is the first on a line as well."""

WORD = re.compile(r"\w+|[^\w\s]")
_LONGEST = 32
"""Code points of a word that are looked at."""
_SPELLING = str.maketrans(
    {"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "é": "e", "è": "e", "ü": "y", "á": "a", "í": "i", "ó": "o", "ð": "d"}
)
_SPACE = "▁"


class Name(NamedTuple):
    """A span of a text, in code points, end exclusive."""

    start: int
    end: int
    entity: str
    score: float


class Read(NamedTuple):
    """What the network reads in a text: names; how likely it says each of `SAID` of somebody; and the words by which it does."""

    names: list[Name]
    said: NDArray[np.float32]
    places: list[Name]


class Lists:
    """What the gazetteers say of a word: the features of `WORD_FEATURES`, whatever its case and with or without æ, ø, å."""

    def __init__(self, first: Path, last: Path, common: Iterable[Path], postcodes: Path) -> None:
        self._first = {_plain(name): _bucket(count) for name, count in _counted(first)}
        self._last = {_plain(name): _bucket(count) for name, count in _counted(last)}
        self._common = frozenset(_plain(name) for path in common for name, _ in _counted(path))
        self._towns = frozenset(_plain(part) for town, _ in _counted(postcodes) for part in town.split()[1:] if len(part) > 2)
        self._known: dict[str, tuple[int, ...]] = {}

    def features(self, word: str) -> tuple[int, ...]:
        """The features of one word."""
        found = self._known.get(word)
        if found is None:
            if len(self._known) > 200_000:
                self._known.clear()
            found = self._known[word] = self._features(word)
        return found

    def _features(self, word: str) -> tuple[int, ...]:
        plain = _plain(word)
        if len(plain) < 2:
            return (0, 0, 0, 0, _shape(word))
        own = plain[:-1] if plain.endswith("s") else plain
        first = self._first.get(plain) or self._first.get(own, 0)
        last = self._last.get(plain) or self._last.get(own, 0)
        return (first, last, int(plain in self._common), int(plain in self._towns), _shape(word))


def lists(rules: Path) -> Lists:
    """The gazetteers of a folder of rules."""
    words = rules / "words"
    return Lists(
        words / "first_names.txt", words / "last_names.txt", sorted(words.glob("names_that_are_words.*.txt")), words / "dk_postcodes.txt"
    )


class Pieces:
    """The unigram vocabulary: a word becomes the pieces whose log probabilities add up highest (Viterbi)."""

    def __init__(self, vocabulary: Path) -> None:
        rows = [line.split("\t") for line in vocabulary.read_text(encoding="utf-8").split("\n") if line]
        self.words = [piece for piece, _ in rows]
        self.numbers = {piece: i for i, (piece, _) in enumerate(rows)}
        self._scores = [float(score) for _, score in rows]
        self._longest = max(map(len, self.words))
        self._unknown = self.numbers["<unk>"]
        self._least = min(self._scores) - 10.0
        self.begin, self.end, self.pad = self.numbers["<s>"], self.numbers["</s>"], self.numbers["<pad>"]
        self._known: dict[str, tuple[int, ...]] = {}

    def split(self, word: str, spaced: bool) -> tuple[int, ...]:
        """The numbers of a word's pieces; `spaced` says that a space stands before it."""
        word = (_SPACE if spaced else "") + word[:_LONGEST]
        found = self._known.get(word)
        if found is None:
            if len(self._known) > 200_000:
                self._known.clear()
            found = self._known[word] = self._best(word)
        return found

    def _best(self, word: str) -> tuple[int, ...]:
        size = len(word)
        best = [0.0] + [-1e30] * size
        came: list[tuple[int, int]] = [(0, 0)] * (size + 1)
        numbers, scores = self.numbers, self._scores
        for start in range(size):
            here = best[start]
            for stop in range(start + 1, min(size, start + self._longest) + 1):
                number = numbers.get(word[start:stop])
                if number is not None and here + scores[number] > best[stop]:
                    best[stop], came[stop] = here + scores[number], (start, number)
            if here + self._least > best[start + 1]:
                best[start + 1], came[start + 1] = here + self._least, (start, self._unknown)
        out: list[int] = []
        at = size
        while at:
            at, number = came[at]
            out.append(number)
        return tuple(reversed(out))


class Encoded(NamedTuple):
    """A stretch of text as the network reads it: pieces and their features, and for each word its place and its first piece."""

    pieces: list[int]
    features: list[tuple[int, ...]]
    spans: list[tuple[int, int]]
    firsts: list[int]


def encode(text: str, pieces: Pieces, lists: Lists, longest: int) -> Iterator[Encoded]:
    """A text in stretches of at most `longest` pieces, cut between words."""
    nothing = (0,) * len(FEATURES)
    part = Encoded([pieces.begin], [nothing], [], [])
    before = -1
    for match in WORD.finditer(text):
        start, end = match.span()
        word = match[0]
        numbers = pieces.split(word, start != before)
        opens = int(before < 0 or "\n" in text[before:start])
        before = end
        if len(part.pieces) + len(numbers) >= longest and part.spans:
            part.pieces.append(pieces.end)
            part.features.append(nothing)
            yield part
            part = Encoded([pieces.begin], [nothing], [], [])
        features = (*lists.features(word), opens)
        part.spans.append((start, end))
        part.firsts.append(len(part.pieces))
        part.pieces.extend(numbers)
        part.features.extend([features] * len(numbers))
    if part.spans:
        part.pieces.append(pieces.end)
        part.features.append(nothing)
        yield part


def decode(scores: NDArray[np.float32], spans: Sequence[tuple[int, int]]) -> list[Name]:
    """The best run of labels in which nothing continues that has not begun. `scores` is (words, labels), unnormalised."""
    logs = scores - scores.max(1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(1, keepdims=True))
    plain = logs.argmax(1)
    if not plain.any():
        return []
    came = np.empty(logs.shape, np.int64)
    best = logs[0] + _START
    for i in range(1, len(logs)):
        ways = best[:, None] + _STEPS
        came[i] = ways.argmax(0)
        best = ways.max(0) + logs[i]
    label = int(best.argmax())
    path = [label]
    for i in range(len(logs) - 1, 0, -1):
        label = int(came[i][label])
        path.append(label)
    path.reverse()
    found: list[Name] = []
    i = 0
    while i < len(path):
        if not path[i]:
            i += 1
            continue
        kind = (path[i] - 1) // 2
        stop = i + 1
        while stop < len(path) and path[stop] == 2 * kind + 2:
            stop += 1
        sure = np.exp(logs[i:stop, 2 * kind + 1 : 2 * kind + 3]).sum(1).min()
        found.append(Name(spans[i][0], spans[stop - 1][1], ENTITIES[kind], round(float(sure), 4)))
        i = stop
    return found


def _steps() -> NDArray[np.float32]:
    steps = np.zeros((len(LABELS), len(LABELS)), np.float32)
    for label in range(2, len(LABELS), 2):
        steps[:, label] = -1e9
        steps[[label - 1, label], label] = 0
    return steps


_STEPS = _steps()
_START = _STEPS[0].copy()


class Encoder:
    """The network, ready to read. `folder` holds `names.onnx`, `names.vocabulary` and `names.json`."""

    name = "persondata"

    def __init__(self, folder: Path, lists: Lists, *, threads: int = 1) -> None:
        import onnxruntime

        self.settings: dict[str, Any] = json.loads((folder / "names.json").read_text(encoding="utf-8"))
        self.pieces = Pieces(folder / "names.vocabulary")
        self.lists = lists
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(folder / "names.onnx"), options, providers=["CPUExecutionProvider"])

    def spans(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[list[Name]]:
        """What is named in each text."""
        return [one.names for one in self.read(texts, languages)]

    def read(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Read]:
        """What is named in each text, and what it says of somebody. Stretches of like length are read together."""
        parts = [(i, part) for i, text in enumerate(texts) for part in encode(text, self.pieces, self.lists, self.settings["pieces"])]
        parts.sort(key=lambda item: len(item[1].pieces))
        found = [Read([], np.zeros(len(SAID), np.float32), []) for _ in texts]
        styles = self.settings["styles"]
        for batch in _batches(parts):
            longest = len(batch[-1][1].pieces)
            pieces = np.full((len(batch), longest), self.pieces.pad, np.int64)
            features = np.zeros((len(batch), longest, len(FEATURES)), np.int64)
            real = np.zeros((len(batch), longest), np.int64)
            style = np.zeros(len(batch), np.int64)
            for row, (number, part) in enumerate(batch):
                size = len(part.pieces)
                pieces[row, :size] = part.pieces
                features[row, :size] = part.features
                real[row, :size] = 1
                style[row] = styles.get(languages[number] if languages else "", styles[""])
            scores, said, where = self._session.run(None, {"pieces": pieces, "features": features, "styles": style, "real": real})
            said, where = _sigmoid(said), _sigmoid(where)
            for row, (number, part) in enumerate(batch):
                one = found[number]
                one.names.extend(decode(scores[row, part.firsts], part.spans))
                one.places.extend(_places(where[row, part.firsts], said[row], part.spans))
                np.maximum(one.said, said[row], out=one.said)
        for one in found:
            one.names.sort()
            one.places.sort()
        return found


def _sigmoid(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-scores))).astype(np.float32)


def _places(where: NDArray[np.float32], said: NDArray[np.float32], spans: Sequence[tuple[int, int]]) -> Iterator[Name]:
    """For each category that a text is thought to say, the words that say so: the likeliest one and its likely neighbours."""
    for kind in np.flatnonzero(said >= POSSIBLE).tolist():
        marks = where[:, kind]
        first = last = int(marks.argmax())
        least = min(0.5, float(marks[first]) / 2)
        while first and marks[first - 1] >= least:
            first -= 1
        while last + 1 < len(marks) and marks[last + 1] >= least:
            last += 1
        yield Name(spans[first][0], spans[last][1], SAID[kind], round(float(said[kind]), 4))


def _batches(parts: list[tuple[int, Encoded]], budget: int = 1024) -> Iterator[list[tuple[int, Encoded]]]:
    """Runs of stretches, sorted by length, that fill at most `budget` pieces with their padding."""
    batch: list[tuple[int, Encoded]] = []
    for item in parts:
        if batch and (len(batch) + 1) * len(item[1].pieces) > budget:
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _counted(path: Path) -> Iterator[tuple[str, int]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, count = line.partition("\t")
            yield name, int(count) if count.strip().isdigit() else 0


def _bucket(count: int) -> int:
    return 1 if count < 100 else 2 if count < 2000 else 3


@functools.lru_cache(maxsize=100_000)
def _plain(word: str) -> str:
    return word.casefold().translate(_SPELLING)


def _shape(word: str) -> int:
    """0 small, 1 Capital first, 2 ALL CAPITALS, 3 miXed, 4 digits, 5 a mark, 6 one capital letter."""
    if not (word[0].isalnum() or word[0] == "_"):
        return 5
    if any(c.isdigit() for c in word):
        return 4
    if word.islower():
        return 0
    if word.isupper():
        return 6 if len(word) == 1 else 2
    return 1 if word[:1].isupper() and word[1:].islower() else 3
