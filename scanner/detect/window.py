"""Names by a small network that looks at four words on either side: quick enough for everything that is scanned.

A word is a sum of rows (of itself, its beginning, its end, hashed; of its shape and what the gazetteers say), looked up once for each
distinct word. Nine words side by side go through one hidden layer. Only words that could be in a name are asked.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scanner.detect.ner import ENTITIES, WORD_FEATURES, Lists, Name

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOKEN = re.compile(r"\w+|[^\w\s]|\n")
SIDE = 4
"""Words on either side."""
TABLES = {"word": 1 << 15, "begin": 1 << 12, "end": 1 << 13}
_EDGE = "\x00"
_PARTICLES = frozenset(
    {"von", "van", "der", "den", "de", "del", "di", "al", "el", "bin", "ibn", "bint", "abu", "da", "dos", "af", "-", "'", "’", "."}
)
_KNOWN_WORDS = 120_000


def rows(word: str, features: tuple[int, ...]) -> tuple[int, ...]:
    """Where a word's parts lie in each table: the word, its first three and last three letters, then its features."""
    small = word.casefold()
    return (
        zlib.crc32(small.encode()) % TABLES["word"],
        zlib.crc32(b"<" + small[:3].encode()) % TABLES["begin"],
        zlib.crc32(b">" + small[-3:].encode()) % TABLES["end"],
        *features,
    )


def asked(word: str, features: tuple[int, ...]) -> bool:
    """Whether a word could be in a name: capitals, a name or a town of the gazetteers, or what stands between parts of names."""
    first, last, _, town, shape = features
    return shape in (1, 2, 3, 6) or first > 0 or last > 1 or town > 0 or word in _PARTICLES


class Window:
    """The network, ready to read. `folder` holds `window.npz`."""

    name = "persondata window"

    def __init__(self, folder: Path, lists: Lists) -> None:
        with np.load(folder / "window.npz") as saved:
            parts = {key: saved[key] for key in saved.files}
        self._tables = [
            parts[f"table_{name}"].astype(np.float32) * parts[f"scale_{name}"] for name in (*TABLES, *map(str, range(len(WORD_FEATURES))))
        ]
        self._hidden, self._hidden_bias = parts["hidden"].astype(np.float32), parts["hidden_bias"].astype(np.float32)
        self._out, self._out_bias = parts["out"].astype(np.float32), parts["out_bias"].astype(np.float32)
        self._width = self._tables[0].shape[1]
        self._lists = lists
        self._forget()

    def _forget(self) -> None:
        self._numbers: dict[str, int] = {}
        self._vectors = np.zeros((1024, self._width), np.float32)
        self._asked = np.zeros(1024, np.bool_)
        self._number(_EDGE)

    def _number(self, word: str) -> int:
        number = self._numbers[word] = len(self._numbers)
        if number == len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
            self._asked = np.concatenate([self._asked, np.zeros_like(self._asked)])
        if word != _EDGE:
            features = self._lists.features(word) if word != "\n" else (0, 0, 0, 0, 5)
            self._vectors[number] = sum(table[row] for table, row in zip(self._tables, rows(word, features), strict=True))
            self._asked[number] = asked(word, features)
        return number

    def scores(self, numbers: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Probabilities of nothing and each entity, (places, 1 + entities), of words at `places` of a stream of word numbers with edges."""
        around = self._vectors[numbers[places[:, None] + np.arange(-SIDE, SIDE + 1)]].reshape(len(places), -1)
        hidden = np.maximum(around @ self._hidden + self._hidden_bias, 0)
        out = hidden @ self._out + self._out_bias
        out -= out.max(1, keepdims=True)
        np.exp(out, out)
        shares: NDArray[np.float32] = out / out.sum(1, keepdims=True)
        return shares

    def spans(self, texts: Sequence[str], least: float = 0.5) -> list[list[Name]]:
        """What is named in each text: runs of words on one line that are most likely the same entity."""
        if len(self._numbers) > _KNOWN_WORDS:
            self._forget()
        known, new = self._numbers, self._number
        stream: list[int] = [0] * SIDE
        starts: list[int] = []
        for text in texts:
            starts.append(len(stream))
            for word in TOKEN.findall(text):
                number = known.get(word)
                stream.append(new(word) if number is None else number)
            stream += [0] * SIDE
        numbers = np.array(stream, np.int64)
        places = np.flatnonzero(self._asked[numbers])
        found: list[list[Name]] = [[] for _ in texts]
        if not len(places):
            return found
        scores = np.concatenate([self.scores(numbers, places[i : i + 8192]) for i in range(0, len(places), 8192)])
        kinds = scores.argmax(1)
        named = scores[:, 0] < 1 - least
        kinds[named & (kinds == 0)] = scores[named & (kinds == 0), 1:].argmax(1) + 1
        kinds[~named] = 0
        hits = np.flatnonzero(kinds)
        which = np.searchsorted(np.array(starts), places[hits], side="right") - 1
        by_text: dict[int, list[tuple[int, int, float]]] = {}
        for text, place, kind, score in zip(
            which.tolist(), places[hits].tolist(), kinds[hits].tolist(), scores[hits, kinds[hits]].tolist(), strict=True
        ):
            by_text.setdefault(text, []).append((place - starts[text], kind, score))
        for number, marked in by_text.items():
            found[number] = list(_runs(texts[number], marked))
        return found


def _runs(text: str, marked: list[tuple[int, int, float]]) -> list[Name]:
    """Adjoining words of one entity, as spans."""
    out: list[Name] = []
    words = [match.span() for match in TOKEN.finditer(text)]
    i = 0
    while i < len(marked):
        place, kind, score = marked[i]
        last, least = place, score
        i += 1
        while i < len(marked) and marked[i][0] == last + 1 and marked[i][1] == kind:
            last, least = marked[i][0], min(least, marked[i][2])
            i += 1
        first = place
        while first < last and not text[words[first][0]].isalnum():
            first += 1
        while last > first and not text[words[last][0]].isalnum() and text[words[last][0]] != ".":
            last -= 1
        if (
            text[words[last][0]] == "."
            and words[last][1] - words[last][0] == 1
            and not (last > first and words[last - 1][1] - words[last - 1][0] == 1)
        ):
            last -= 1
        if last >= first and text[words[first][0]].isalnum():
            out.append(Name(words[first][0], words[last][1], ENTITIES[kind - 1], round(least, 4)))
    return out
