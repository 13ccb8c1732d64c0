"""Looks for a person's name in a text: in any order, with or without middle names, with initials, short forms, one typing error.

A place is looked at where a first name (or its initial) stands near the surname. One of the two may hold a typing error. What
stands around belongs to it where it is part of a name: `Anne Mette Hansen` is not Mette Hansen without doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from scanner.detect import checks
from scanner.subject import names
from scanner.subject.likeness import Agreement, Likeness, one_edit
from scanner.subject.names import akin, is_given, listed_spellings, plain, words
from scanner.subject.seekers import GOOD, Span, either_case, escape, typos
from scanner.subject.spellings import spellings

MIDDLE = 3
"""So many words may stand between a first name and the surname."""
GAP = 60
"""So many bytes may stand between them."""
LONGEST = 30
"""A longer word is no part of a name."""
WIDTH = 2 * LONGEST + GAP + 2 * LONGEST

_TOKEN = re.compile(r"[^\W\d_]+(?:['’´`][^\W\d_]+)*")
_BETWEEN = re.compile(r"[ \t]{1,3}|[ \t]?\r?\n[ \t]?|-|\.[ \t]{0,2}")
_TURNED = re.compile(r",[ \t]{0,2}|,?[ \t]{1,3}")
_MARKS = ("'", "’", "´", "`")
_PARTICLES = frozenset(
    ["af", "al", "bin", "da", "de", "del", "der", "den", "di", "du", "el", "en", "la", "le", "ten", "ter", "van", "vom", "von", "zu"]
)
_NO_MIDDLE = frozenset(["og", "and", "samt", "eller", "or", "med", "with", "til", "for", "hos"])
_ROADS = re.compile(
    r"s?[ ](?:vej|gade|plads|all[eé]|stræde|torv|park|have|vænge|boulevard|sti|bakke|kaj|skole|legat|fond)(?![\w])", re.IGNORECASE
)


# Where a word begins and ends, on bytes: what is not ASCII may be a letter or not, and lets through.
_BEGINS, _ENDS, _GENITIVE = "(?:^|[^a-z])", "(?:[^a-z]|$)", "s?(?:[^a-z]|$)"


class _Token(NamedTuple):
    start: int
    end: int
    text: str
    lower: str


@dataclass(frozen=True, slots=True, repr=False)
class NameSeeker:
    """Looks for one name. `first` and `last` are the ways in which its parts are written, lower case.

    `first_errs` and `last_errs` are those that may hold a typing error.
    """

    name: str
    parts: frozenset[str]
    first: frozenset[str]
    last: frozenset[str]
    first_errs: tuple[str, ...]
    last_errs: tuple[str, ...]
    initials: frozenset[str]
    clumps: frozenset[str]
    triggers: tuple[str, ...]
    width: int = WIDTH

    @classmethod
    def of(cls, name: str) -> NameSeeker | None:
        """The seeker of a name; `None` for a single word, which is anybody's."""
        parts = [word.lower() for word in words(name)]
        if len(parts) < 2:
            return None
        given, family = parts[:-1], parts[-1:]
        if len(parts) > 2 and not is_given(plain(parts[-2])):
            family.append(parts[-2])
        first = {form for part in given for form in _forms(part, kin=True)}
        last = {form for part in family for form in _forms(part, kin=False)}
        if not last:
            return None
        errs = [tuple(sorted({form for part in some for form in (part, plain(part)) if len(form) >= 4})) for some in (given, family)]
        letters = [part[0] for part in given]
        clumps = {"".join(letters[:count]) for count in (2, 3) if len(letters) >= count}
        seen = frozenset(plain(part) for part in parts)
        seeker = cls(name, seen, frozenset(first), frozenset(last), errs[0], errs[1], frozenset(letters), frozenset(clumps), ())
        return cls(**{field: getattr(seeker, field) for field in cls.__slots__ if field != "triggers"}, triggers=seeker._triggers())

    def _triggers(self) -> tuple[str, ...]:
        first, last = (_any(sorted(some, key=lambda form: (-len(form), form))) for some in (self.first | self.clumps, self.last))
        wrong_first, wrong_last = (
            "(?:" + "|".join(typo for word in some for typo in typos(word, r"[a-z'`\x80-\xff]{0,9}")) + ")" if some else ""
            for some in (self.first_errs, self.last_errs)
        )
        initial = _any(sorted(self.initials))
        gap = rf"[ \t\r\n.-][^\x00]{{0,{GAP - 1}}}"
        turned = r"[ ,\t][ \t]{0,3}"
        made = [f"{initial}{gap}{last}{_GENITIVE}", f"{last}{turned}{initial}"]
        if self.first:
            made += [f"{first}{gap}{last}{_GENITIVE}", f"{last}{turned}{first}{_ENDS}"]
        if wrong_first:
            made += [f"{wrong_first}{gap}{last}{_GENITIVE}", f"{last}{turned}{wrong_first}{_ENDS}"]
        # One expression a form: of them all in one, with errors behind, Hyperscan makes an automaton that is eight times as slow.
        for form in sorted(self.first | self.clumps) if wrong_last else ():
            one = escape(form)
            made.append(rf"{one}[ \t\r\n.-](?:[^\x00]{{0,{GAP - 2}}}[ \t\r\n.-])?{wrong_last}{_GENITIVE}")
            made.append(f"{wrong_last}{turned}{one}{_ENDS}")
        return tuple(either_case(_BEGINS + one) for one in made)

    def find(self, text: str, low: int, high: int) -> Iterator[Span]:
        """As `Seeker.find`: what begins and ends between two offsets; the words around it are looked at."""
        tokens = _tokens(text, low, high)
        exact = [token.lower in self.first or token.lower in self.clumps for token in tokens]
        for at, token in enumerate(tokens):
            before = range(max(0, at - MIDDLE - 1), at)
            how = self._last(token, any(exact[before.start : at + 2]))
            if not how:
                continue
            for other in before:
                if self._pair(text, tokens, other, at, how) and (span := self._ordered(text, tokens, other, at)):
                    yield span
            turned = at + 1 < len(tokens) and (how == 1 or token.lower in self.last)
            if turned and self._goes(text, tokens[at + 1], how) and (span := self._turned(text, tokens, at)):
                yield span

    def _last(self, token: _Token, err: bool) -> int:
        """Whether a word is the surname: 2 exactly or in the genitive; 1 with an error, where one may be."""
        word = token.lower
        if word[-2:-1] in _MARKS and word[-1] == "s":
            word = word[:-2]
        if word in self.last or (word[-1:] == "s" and word[:-1] in self.last):
            return 2
        return 1 if err and any(one_edit(word, form) for form in self.last_errs) else 0

    def _goes(self, text: str, token: _Token, how_last: int) -> bool:
        """Whether a word is a first name, its initial, or one with an error, where the surname is exact."""
        word = token.lower
        if word in self.first:
            return True
        if how_last == 2 and len(word) == 1 and word in self.initials:
            return text[token.end : token.end + 1] == "." or (token.text.isupper() and word not in "iao")
        if word in self.clumps:
            return token.text.isupper()
        return how_last == 2 and any(one_edit(word, form) for form in self.first_errs)

    def _pair(self, text: str, tokens: list[_Token], first: int, last: int, how_last: int) -> bool:
        if not self._goes(text, tokens[first], how_last):
            return False
        if len(text[tokens[first].end : tokens[last].start].encode()) > GAP:
            return False
        between = range(first, last)
        return all(_joined(text, tokens[at], tokens[at + 1]) for at in between) and all(
            self._middle(tokens[at]) for at in range(first + 1, last)
        )

    def _middle(self, token: _Token) -> bool:
        """Whether a word may stand inside a name."""
        if token.lower in _NO_MIDDLE:
            return False
        folded = plain(token.text)
        return token.text[0].isupper() or token.lower in _PARTICLES or folded in self.parts or _known(token)

    def _ordered(self, text: str, tokens: list[_Token], first: int, last: int) -> Span | None:
        start, end = tokens[first].start, tokens[last].end
        if _ROADS.match(text, end) or (tokens[last].lower[-1:] == "s" and _ROADS.match(text, end - 1)):
            return None
        before = _before(text, start)
        after = _after(text, end)
        likeness = names.compare_names(self.name, f"{before}{text[start:end]}{after}")
        return _span(start - len(before), end + len(after), likeness)

    def _turned(self, text: str, tokens: list[_Token], at: int) -> Span | None:
        """Surname first: `Holm, Mette Kirstine`."""
        gap = text[tokens[at].end : tokens[at + 1].start]
        if not _TURNED.fullmatch(gap) or _before(text, tokens[at].start):
            return None
        end = at + 1
        while (
            end + 1 < len(tokens) and end < at + 3 and _joined(text, tokens[end], tokens[end + 1]) and self._further(text, tokens[end + 1])
        ):
            end += 1
        after = _after(text, tokens[end].end)
        if after and "," not in gap:
            return None
        last, first = text[tokens[at].start : tokens[at].end], text[tokens[at + 1].start : tokens[end].end]
        likeness = names.compare_names(self.name, f"{last}, {first}{after}")
        stop = tokens[end].end
        return _span(tokens[at].start, stop + (text[stop : stop + 1] == "." and len(tokens[end].text) == 1), likeness)

    def _further(self, text: str, token: _Token) -> bool:
        initial = len(token.text) == 1 and (token.text.isupper() or text[token.end : token.end + 1] == ".")
        return initial or token.lower in self.first or plain(token.text) in self.parts


def _forms(part: str, *, kin: bool) -> set[str]:
    """How a part is written, lower case, in all its letters; with `kin`, also what its bearers are called."""
    forms = set(spellings(part))
    if kin:
        for other in akin(plain(part)):
            forms |= {*(listed_spellings(other) or ()), other}
    for form in [one for one in forms if re.search(r"['’´`]", one)]:
        forms |= {re.sub(r"['’´`]", mark, form) for mark in ("'", "’", "´", "`", "")}
    return {form for form in forms if len(form) > 1}


def _any(forms: list[str]) -> str:
    return "(?:" + "|".join(map(escape, forms)) + ")"


def _tokens(text: str, low: int, high: int) -> list[_Token]:
    """The words between two offsets; one that goes on beyond either is left out."""
    found = []
    for match in _TOKEN.finditer(text, low, high):
        start, end = match.span()
        if (
            end - start <= LONGEST
            and not (start == low and low and _letter(text[low - 1]))
            and not (end == high < len(text) and _letter(text[high]))
        ):
            found.append(_Token(start, end, match[0], match[0].lower()))
    return found


def _letter(char: str) -> bool:
    return char.isalnum() or char in "_'’´`"


def _joined(text: str, left: _Token, right: _Token) -> bool:
    """Whether two words stand side by side in one name; a full stop only after an initial or an abbreviation."""
    gap = text[left.end : right.start]
    return _BETWEEN.fullmatch(gap) is not None and (not gap.startswith(".") or len(left.text) <= 4)


def _known(token: _Token) -> bool:
    folded = plain(token.text)
    return names.bearers(folded) > 0 and token.lower not in checks.listed("names_that_are_words.da.txt")


_LEFT = re.compile(r"([^\W\d_]{1,40})(\. ?| |-)$")
_RIGHT = re.compile(r"(?:'s|’s)?( |-)([^\W\d_]{2,40})(?![\w@])")


def _before(text: str, start: int) -> str:
    """First names and initials that stand right before a name, with what joins them to it."""
    at = start
    for _ in range(2):
        match = _LEFT.search(text, max(0, at - 44), at)
        if match is None or not match[1][0].isupper() or (match.start() and _letter(text[match.start() - 1])):
            break
        word = match[1]
        initial = len(word) == 1 and match[2].startswith(".")
        given = match[2] in (" ", "-") and len(word) > 1 and is_given(plain(word)) and word.lower() not in _words()
        if not initial and not given:
            break
        at = match.start()
    return text[at:start]


def _after(text: str, end: int) -> str:
    """Surnames that stand right after a name, with what joins them to it."""
    at = end
    for _ in range(2):
        match = _RIGHT.match(text, at)
        if match is None or not match[2][0].isupper() or match[0].startswith(("'", "’")):
            break
        word = match[2]
        if is_given(plain(word)) or not names.bearers(plain(word)) or word.lower() in _words():
            break
        at = match.end()
    return text[end:at]


def _words() -> frozenset[str]:
    return checks.listed("names_that_are_words.da.txt")


def _span(start: int, end: int, likeness: Likeness) -> Span | None:
    return Span(start, end, likeness) if likeness.agreement in GOOD and likeness.agreement is not Agreement.WEAK else None
