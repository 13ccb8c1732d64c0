"""Which pieces of the base's 250,002 are kept: those that words of our languages are made of."""

from __future__ import annotations

import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from scanner.detect.ner import WORD, Pieces
from training.base import Base

_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def cut(base: Base, texts: Iterable[str], size: int) -> list[int]:
    """The numbers of `size` pieces, in the base's order: the special ones, every single Latin letter, digit and mark, and the most used."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all"
        write(base, range(len(base.pieces)), path)
        whole = Pieces(path)
    back = {piece: number for number, piece in enumerate(base.pieces)}
    used: Counter[int] = Counter()
    for (word, spaced), count in _words(texts).items():
        for number in whole.split(word, spaced):
            used[back[whole.words[number]]] += count
    keep = [back[piece] for piece in _SPECIAL]
    keep += [number for number, piece in enumerate(base.pieces) if len(piece.lstrip("▁")) <= 1 and _latin(piece) and number not in keep]
    chosen = set(keep)
    for number, _ in used.most_common():
        if len(chosen) >= size:
            break
        chosen.add(number)
    for number, piece in enumerate(base.pieces):
        if len(chosen) >= size:
            break
        if _latin(piece):
            chosen.add(number)
    return sorted(chosen)


def write(base: Base, keep: Iterable[int], path: Path) -> None:
    """One piece a line with its log probability."""
    rows = (f"{base.pieces[n]}\t{base.scores[n]:.3f}\n" for n in keep if "\t" not in base.pieces[n] and "\n" not in base.pieces[n])
    path.write_text("".join(rows), encoding="utf-8")


def _words(texts: Iterable[str]) -> Counter[tuple[str, bool]]:
    found: Counter[tuple[str, bool]] = Counter()
    for text in texts:
        found.update(_split(text))
    return found


def _split(text: str) -> Iterator[tuple[str, bool]]:
    before = -1
    for match in WORD.finditer(text):
        yield match[0], match.start() != before
        before = match.end()


def _latin(piece: str) -> bool:
    return all(c == "▁" or c.isascii() or "LATIN" in unicodedata.name(c, "") for c in piece)
