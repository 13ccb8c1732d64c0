"""Looks for one person in texts: one Hyperscan set made of her identifiers, then exact code where it says that something may be.

What the two passes find in a text is what the exact code alone would find in all of it. Nothing made of a person is kept on disk.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scanner.detect import fold, triage
from scanner.model import Subject, TextBatch
from scanner.subject import plain
from scanner.subject.likeness import Likeness
from scanner.subject.seekers import Seeker, Span, seek

if TYPE_CHECKING:
    from numpy.typing import NDArray

AT_ONCE = 8 * 2**20
"""Batches are scanned together up to so many bytes."""

_CONTINUATIONS = bytes(range(0x80, 0xC0))


@dataclass(frozen=True, slots=True)
class Match:
    """A place in a text where an identifier stands: offsets in code points of the record's text, end exclusive.

    `batch` and `row` number what was scanned, `identifier` the subject's identifiers. There is no text in it.
    """

    batch: int
    row: int
    record: str
    field: str
    start: int
    end: int
    identifier: int
    likeness: Likeness


Cache: TypeAlias = MutableMapping[tuple[triage.Expression, ...], triage.Database]


class Sweep:
    """A subject made ready to be looked for.

    `before` was made of the first identifiers of the same subject: only the others are compiled. `cache`, where given, keeps
    the set of each identifier in memory from one subject to the next; one set for all of them is scanned quicker.
    """

    def __init__(self, subject: Subject, *, names: bool = True, cache: Cache | None = None, before: Sweep | None = None) -> None:
        self._seekers: dict[int, Seeker] = dict(before._seekers) if before is not None else {}
        self._sets: list[tuple[triage.Database, NDArray[np.int64]]] = list(before._sets) if before is not None else []
        self._size = len(subject.identifiers)
        added = range(before._size if before is not None else 0, self._size)
        made = ((number, seek(subject.identifiers[number], names=names)) for number in added)
        seekers = {number: seeker for number, seeker in made if seeker is not None}
        self._seekers |= seekers
        for some in ([number] for number in seekers) if cache is not None else [list(seekers)] if seekers else []:
            self._sets.append(_compiled({number: seekers[number].triggers for number in some}, cache))
        self._plain = plain.Plain()

    def __repr__(self) -> str:
        return f"Sweep({len(self._seekers)} identifiers)"

    @property
    def sought(self) -> frozenset[int]:
        """The numbers of the identifiers that are looked for; a first name alone, a road without a number are not."""
        return frozenset(self._seekers)

    def scan(self, batches: Sequence[TextBatch]) -> Iterator[Match]:
        """Everything of her in some batches, in their order."""
        group: list[TextBatch] = []
        size = first = 0
        for number, batch in enumerate(batches):
            if group and size + batch.texts.nbytes > AT_ONCE:
                yield from self._group(group, first)
                group, size, first = [], 0, number
            group.append(batch)
            size += batch.texts.nbytes
        yield from self._group(group, first)

    def confirm(self, text: str) -> list[tuple[int, Span]]:
        """What the exact code alone finds in the whole of a text: (identifier, place), by place; offsets are those of the text."""
        folded = fold.fold(text)
        found = [(number, span) for number, seeker in self._seekers.items() for span in best(seeker.find(folded.text, 0, len(folded.text)))]
        return [
            (number, span._replace(start=folded.start(span.start), end=folded.end(span.end))) for number, span in sorted(found, key=_place)
        ]

    def _group(self, batches: Sequence[TextBatch], first: int) -> Iterator[Match]:
        if not self._seekers or not batches:
            return
        arrays = [pc.fill_null(batch.texts, "") if batch.texts.null_count else batch.texts for batch in batches]
        firsts = np.concatenate(([0], np.cumsum([len(array) for array in arrays]))).tolist()
        texts = pa.concat_arrays(arrays) if len(arrays) > 1 else arrays[0]
        if not len(texts):
            return
        view, ends, folded = self._plain.joined(texts)
        owners, at = self._hits(view)
        if not len(at):
            return
        numbers = np.searchsorted(ends, at - 1, side="left")
        cuts = np.flatnonzero(np.diff(numbers)) + 1
        for hits in np.split(np.arange(len(at)), cuts):
            number = int(numbers[hits[0]])
            begin = int(ends[number - 1]) + 1 if number else 0
            raw = view[begin : int(ends[number])].tobytes()
            found = self._row(raw.decode(), raw, [(int(owners[hit]), int(at[hit]) - begin) for hit in hits])
            if found:
                batch = bisect_right(firsts, number) - 1
                original = fold.fold(texts[number].as_py()) if number in folded else None
                yield from _matches(found, batches[batch], first + batch, number - firsts[batch], original)

    def _hits(self, view: memoryview) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Whose triggers end where, by place."""
        found = [(owners[ids], at) for database, owners in self._sets for ids, at in [database.scan(view)]]
        if len(found) == 1:
            return found[0]
        owners, at = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.lexsort((owners, at))
        return owners[order], at[order]

    def _row(self, text: str, raw: bytes, hits: Sequence[tuple[int, int]]) -> list[tuple[int, Span]]:
        """What stands around some hits in a folded text; `hits` are (identifier, byte at which a trigger ends)."""
        found: list[tuple[int, Span]] = []
        ascii_only, counted, points = text.isascii(), 0, 0
        windows: dict[int, list[tuple[int, int]]] = {}
        for number, offset in hits:
            if ascii_only:
                points = offset
            else:
                points += len(raw[counted:offset].translate(None, _CONTINUATIONS))
                counted = offset
            width = self._seekers[number].width
            low, high = max(0, points - width), min(len(text), points + width)
            known = windows.setdefault(number, [])
            if known and known[-1][1] >= low:
                known[-1] = (known[-1][0], high)
            else:
                known.append((low, high))
        for number, some in windows.items():
            spans = (span for low, high in some for span in self._seekers[number].find(text, low, high))
            found += [(number, span) for span in best(spans)]
        return sorted(found, key=_place)


def _compiled(triggers: Mapping[int, Sequence[str]], cache: Cache | None) -> tuple[triage.Database, NDArray[np.int64]]:
    """The set of some identifiers' triggers, and whose each of them is."""
    import hyperscan

    key = tuple(triage.Expression(one, hyperscan.HS_FLAG_CASELESS, "identifier") for some in triggers.values() for one in some)
    database = cache.get(key) if cache is not None else None
    if database is None:
        database = triage.Database(key, None)
        if cache is not None:
            cache[key] = database
    return database, np.repeat(np.array(list(triggers), np.int64), [len(some) for some in triggers.values()])


def best(spans: Iterator[Span]) -> list[Span]:
    """Of places that overlap the best: the surest, then the longest, then the first."""
    kept: list[Span] = []
    for span in sorted(set(spans), key=Span.rank):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return kept


def _place(found: tuple[int, Span]) -> tuple[int, int, int]:
    return found[1].start, found[0], found[1].end


def _matches(found: Sequence[tuple[int, Span]], batch: TextBatch, number: int, row: int, folded: fold.Folded | None) -> Iterator[Match]:
    """Places in a row as places in its record; those of a cut row that are its neighbour's are left to it."""
    record = batch.records[row].as_py()
    base, begin, end = 0, 0, -1
    if batch.seams is not None:
        base, begin, end = (int(part[row].as_py()) for part in (batch.seams.base, batch.seams.begin, batch.seams.end))
    original = batch.texts[row].as_py() if batch.by_line else ""
    for identifier, span in found:
        start, stop = (span.start, span.end) if folded is None else (folded.start(span.start), folded.end(span.end))
        if start < begin or start >= end >= 0:
            continue
        where, offset = record, base
        if batch.by_line:
            line = original.count("\n", 0, start)
            where = f"line={int(record) + line}"
            offset = -(original.rfind("\n", 0, start) + 1) if line else base
        yield Match(number, row, where, batch.field, start + offset, stop + offset, identifier, span.likeness)
