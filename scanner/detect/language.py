"""In which language a text is, and each sentence of it: Danish, English, Norwegian, Swedish, and eight more by their small words.

A table gives every word a weight for each language: what the word itself says, and what its groups of two to four letters say.
A text's weights are the sum over its words, so that a word is worked out once and looked up ever after. The table is made by
`training/language.py`; names count for no language. Refused: lingua (96 MB, and worse at telling Danish from Norwegian).

A sentence may stand in a text of another language, so a place is judged by the run of words that it stands in, up to a line's
or a sentence's end; what lies within `REACH` on either side of the run may tip the scales but not decide. Nothing further away
counts: that a long text is cut changes nothing.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

BUCKETS = 1 << 14
"""Groups of letters share so many rows of the table."""

RUN = 240
"""A run ends at a line's or a sentence's end, at latest so many code points before and after the place."""
REACH = 200
"""So far beyond its run a place sees what may tip the scales."""
CLEAR = 0.95
"""A language is clear from this probability on."""
SURE = 2.5
"""A word that speaks so many times more for a language than for any other is one of its own; two of them settle a run."""
POSSIBLE = 0.02
"""A language is ruled out below this probability."""

_END = re.compile(r"[.!?]\s+|[\n\t|]+\s*")
_MARKS = '.,:;!?()[]{}<>"«»“”„…–—-*&%#+|'
_LONG = 4_000
_TIP = 3.0  # what stands around a run counts for no more than odds of e³, 20 to 1
_KEPT = 32_768

_KIN = {"nb": ("nb", "da"), "da": ("da", "nb"), "is": ("is", "sv"), "pt": ("pt", "es"), "es": ("es", "pt")}
"""Languages whose texts are told apart less surely than others': where one is possible, the other is too."""


def words(text: str) -> list[str]:
    """The words of a text in lower case. What has a digit, a dot, a stroke or an at sign within is no word of any language."""
    bare = (part.strip(_MARKS) for part in text.lower().replace("'", " ").replace("’", " ").split())
    return [word for word in bare if word.isalpha()]


def features(word: str) -> list[int]:
    """The rows of a word's letter groups: two to four letters, its beginning and end marked."""
    bare = f"<{word}>"
    return [zlib.crc32(bare[i : i + n].encode()) % BUCKETS for n in (2, 3, 4) for i in range(len(bare) - n + 1)]


class Table(dict[str, int]):
    """The weights of words, worked out when they are first met."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        with np.load(folder / "weights.npz", allow_pickle=False) as kept:
            self._weights = kept["weights"]
            self._scale = float(kept["scale"])
            self.languages: tuple[str, ...] = tuple(kept["languages"].tolist())
        known = [line.partition("\t") for line in (folder / "words.txt").read_text(encoding="utf-8").splitlines()]
        self._numbers = {word: BUCKETS + i for i, (word, _, _) in enumerate(known)}
        self.sure = {
            one: frozenset(word for word, _, tongue in known if tongue in _KIN.get(one, (one,)) and tongue) for one in self.languages
        }
        self._nothing = np.zeros(len(self.languages), np.float32)
        self._rows: NDArray[np.float32] = np.empty((1_024, len(self.languages)), np.float32)

    def __missing__(self, word: str) -> int:
        groups = features(word)
        row = self._weights[groups].sum(axis=0, dtype=np.float32) / len(groups) ** 0.5
        number = self._numbers.get(word)
        if number is not None:
            row += self._weights[number]
        at = len(self)
        if at == len(self._rows):
            self._rows = np.concatenate((self._rows, np.empty_like(self._rows)))
        self._rows[at] = row * self._scale
        self[word] = at
        return at

    def weigh(self, text: str) -> NDArray[np.float32]:
        """The weight of each language in a text: log odds, up to a constant."""
        if len(self) > _KEPT:
            self.clear()
        numbers = [self[word] for word in words(text)]  # before the rows are looked at: they may be made anew
        total: NDArray[np.float32] = self._rows.take(numbers, axis=0).sum(axis=0) if numbers else self._nothing
        return total


@functools.cache
def table() -> Table:
    """The table that ships with the rules, read on first use: 260 KB."""
    from scanner.resources import folder

    return Table(folder("rules") / "models" / "language")


def languages(texts: pa.Array | Sequence[str], *, clear: float = CLEAR) -> list[str]:
    """The language of each text as a whole: `da`, `en`, `nb`, `sv`, `de`, …; "" where none of these has a probability of `clear`.

    Of a long text the beginning, the middle and the end are looked at. To choose a model, 0.5 is clear enough.
    """
    if hasattr(texts, "to_pylist"):
        texts = texts.to_pylist()
    known = table()
    return [_clear(known, _probable(known.weigh(_part(text))), clear) if text else "" for text in texts]


def spans(text: str) -> list[tuple[int, int, str]]:
    """A text as stretches of one language each, (start, end, language), from its beginning to its end without a gap.

    A sentence that could be in several languages is in that of its neighbours where that is one of them: the sentence
    before it, else the one after it, else any that the text holds, else what it most likely is as a whole.
    """
    tongues = Tongues(text)
    runs = [(low, high, tongues.at(low, high)) for low, high in _runs(text)]
    following, after = "", []
    for _, _, one in reversed(runs):
        following = one or following
        after.append(following)
    others = dict.fromkeys([*(one for _, _, one in runs if one), *languages([text], clear=0.5)])
    out: list[tuple[int, int, str]] = []
    for (low, high, one), following in zip(runs, reversed(after), strict=True):
        before = out[-1][2] if out else ""
        if not one:
            possible = tongues.possible(low, high)
            one = next((guess for guess in (before, following, *others) if guess in possible), "")
        if out and (one == before or not text[low:high].strip()):
            out[-1] = (out[-1][0], high, before)
        else:
            out.append((low, high, one))
    return out


class Tongues:
    """The languages of the places of one text. Made anew for each text, asked for as many places as wanted."""

    __slots__ = ("_kept", "_table", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._table = table()
        self._kept: dict[tuple[int, int], NDArray[np.float32]] = {}

    def at(self, start: int, end: int) -> str:
        """The language that a span clearly stands in; "" when that is not clear."""
        return _clear(self._table, self._probable(start, end), CLEAR)

    def possible(self, start: int, end: int) -> frozenset[str]:
        """The languages that a span may stand in: those that its surroundings do not rule out."""
        probable = self._probable(start, end)
        left = frozenset(one for one, share in zip(self._table.languages, probable.tolist(), strict=True) if share >= POSSIBLE)
        return left.union(*(_KIN.get(one, ()) for one in left))

    def speaks(self, tongues: Collection[str], start: int, end: int) -> bool:
        """Whether what is said in some languages may be meant at a span. True for none, which stands for all.

        Quicker than `possible`: two of their own words beside the span in its run settle it.
        A language that the table does not know is never ruled out.
        """
        sure = self._table.sure
        if not tongues or any(one not in sure for one in tongues):
            return True
        text = self._text
        low, high = self._run(start, end)
        beside = f"{text[low:start]} {text[end:high]}".lower().split()
        if any(len(sure[one].intersection(beside)) > 1 for one in tongues):
            return True
        return not self.possible(start, end).isdisjoint(tongues)

    def _run(self, start: int, end: int) -> tuple[int, int]:
        text = self._text
        low, high = max(0, start - RUN), min(len(text), end + RUN)
        for match in _END.finditer(text, low, start):
            low = match.end()
        match_after = _END.search(text, end, high)
        return low, high if match_after is None else match_after.start()

    def _probable(self, start: int, end: int) -> NDArray[np.float32]:
        text = self._text
        low, high = self._run(start, end)
        known = self._kept.get((low, high))
        if known is None:
            around = f"{text[max(0, low - REACH) : low]}\n{text[high : high + REACH]}"
            tip = np.log(_probable(self._table.weigh(around)) + np.float32(1e-9))
            known = self._kept[low, high] = _probable(self._table.weigh(text[low:high]) + np.maximum(tip, -_TIP))
        return known


def _runs(text: str) -> Iterator[tuple[int, int]]:
    low = 0
    for match in _END.finditer(text):
        yield from _pieces(text, low, match.end())
        low = match.end()
    if low < len(text):
        yield from _pieces(text, low, len(text))


def _pieces(text: str, low: int, high: int) -> Iterator[tuple[int, int]]:
    """A run without an end, as an extracted table may be, in pieces of twice `RUN`."""
    while high - low > 2 * RUN:
        cut = text.rfind(" ", low, low + 2 * RUN) + 1 or low + 2 * RUN
        yield low, cut
        low = cut
    yield low, high


def _part(text: str) -> str:
    if len(text) <= _LONG:
        return text
    third, middle = _LONG // 3, len(text) // 2
    return f"{text[:third]}\n{text[middle : middle + third]}\n{text[-third:]}"


def _probable(weights: NDArray[Any]) -> NDArray[np.float32]:
    odds = np.exp(weights - weights.max())
    shares: NDArray[np.float32] = (odds / odds.sum()).astype(np.float32)
    return shares


def _clear(known: Table, probable: NDArray[np.float32], clear: float) -> str:
    best = int(probable.argmax())
    return known.languages[best] if probable[best] >= clear else ""
