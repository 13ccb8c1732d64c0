"""A sentence taken apart: where it begins and ends, its words, and what each does in it."""

from __future__ import annotations

import re
from itertools import accumulate
from operator import or_
from typing import TypeAlias

from scanner.detect import confirm, speech

REACH = 300
"""How far a sentence is read to either side of a candidate, in code points."""
BEFORE = 160
"""How far before its sentence a person may be named whom a note goes on about."""
_END = re.compile(r"[.!?][\"'»”)]*(?=\s|$)|\n[ \t\r]*\n|\n(?=[ \t]*[A-ZÆØÅ0-9•*\-–])")
_SHORT_FORMS = re.compile(
    r"(?:^|[\s(.])(?:pt|ptt|dr|hr|fr|fru|mr|mrs|ms|st|nr|no|tlf|ca|kl|f\.?eks|bl\.?a|inkl|ekskl|evt|vedr|pga|p\.?g\.?a|jf|jvf|d|dgl|tabl?|tbl|"
    r"obs|diag|tidl|mhp|mht|afd|amb|indl|udskr|beh|op|mb|sct|skt|prof|cand|stk|m\.?m|e\.?g|i\.?e|vs|approx|dep|th|tv|[a-zæøå]|\d{1,2})\.$",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[^\W_]+(?:[-'’/&][^\W_]+)*|[?%§:\"“”»«()]|[,;]")


class Sentence:
    """A sentence's place in its text, its words with their places, and what kinds each is of.

    `left[i]` is of what kinds the words before the `i`th are, `right[i]` those from it on.
    `whole` tells that it ends where it ends, not where reading stopped.
    """

    __slots__ = (
        "_before", "_person", "_speech", "asks", "end", "kinds", "left", "opens", "right", "start", "starts", "whole", "words",
    )  # fmt: skip

    def __init__(self, text: str, start: int, end: int, whole: bool, spoken: speech.Speech) -> None:
        raw = _TOKEN.findall(text, start, end)
        words = [word.lower() for word in raw]
        self.start, self.end, self.whole, self.words = start, end, whole, words
        self.starts = [match.start() for match in _TOKEN.finditer(text, start, end)]
        self.kinds = spoken.kinds(words, raw, spoken.english(words))
        self.left = [0, *accumulate(self.kinds, or_)]
        self.right = [0, *accumulate(reversed(self.kinds), or_)][::-1]
        self.opens = next((i for i, word in enumerate(words) if word[0].isalnum()), 0)
        self.asks = text[end - 1 : end] == "?" or text[end : end + 1] == "?"
        self._before = text[max(0, start - BEFORE) : start]
        self._speech = spoken
        self._person: bool | None = None

    @property
    def person_before(self) -> bool:
        """Whether the sentences before it name a person."""
        if self._person is None:
            before = confirm.PARAGRAPH.split(self._before)[-1] if "\n" in self._before else self._before
            self._person = bool(before) and self._speech.names_somebody(before)
        return self._person


Sentences: TypeAlias = list[Sentence]
"""The sentences of one text that were looked at."""


def around(text: str, start: int, end: int, known: Sentences, spoken: speech.Speech) -> Sentence:
    """The sentence around a span; one of those that are `known` is not made again, a new one is added to them."""
    for made in known[-3:]:
        if made.whole and made.start <= start and end <= made.end and start - made.start <= REACH and made.end - end <= REACH:
            return made
    low, high, whole = _bounds(text, start, end)
    for made in known:
        if made.start == low and made.end == high:
            return made
    known.append(made := Sentence(text, low, high, whole, spoken))
    return made


def _bounds(text: str, start: int, end: int) -> tuple[int, int, bool]:
    """Where the sentence around a span begins and ends, at most `REACH` to each side, and whether it was seen whole."""
    low, high = max(0, start - REACH), min(len(text), end + REACH)
    begin = low
    for match in _END.finditer(text, low, start):
        if text[match.start()] != "." or not _SHORT_FORMS.search(text, max(low, match.start() - 12), match.start() + 1):
            begin = match.end()
    whole = begin > low or not low
    while begin < start and text[begin].isspace():
        begin += 1
    for match in _END.finditer(text, end, high):
        if text[match.start()] != "." or not _SHORT_FORMS.search(text, max(0, match.start() - 12), match.start() + 1):
            return begin, match.start(), whole
    return begin, high, whole and high == len(text)
