"""Writes a name in all the ways in which it may stand somewhere: letters, order, middle names, initials, short forms, genitive."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator

from scanner.subject.names import akin, listed_spellings, plain, words

MIDDLES = 3
"""Of so many middle names each may be missing; further ones are always written."""

GIVEN = "as given"
_DANISH = (("aa", "å"), ("ae", "æ"), ("oe", "ø"))


def spellings(word: str) -> dict[str, str]:
    """One part of a name, lower case, in all letters that it is written with, and how each differs; as given first."""
    word = unicodedata.normalize("NFC", word.casefold())
    folded = plain(word)
    made = {word: ""}
    made.setdefault(folded, "ae, oe, aa for æ, ø, å" if any(c in word for c in "æøåäö") else "accents left out")
    made.setdefault(bare(word), "letters without their marks")
    made.setdefault(word.replace("æ", "ä").replace("ø", "ö"), "Swedish letters for Danish ones")
    for count in range(1, len(_DANISH) + 1):
        for some in itertools.combinations(_DANISH, count):
            if all(pair in word for pair, _ in some):
                changed = word
                for pair, letter in some:
                    changed = changed.replace(pair, letter)
                made.setdefault(changed, "æ, ø, å for ae, oe, aa")
    for other in listed_spellings(folded):
        made.setdefault(other, "with the letters that others write it with")
    return made


def bare(word: str) -> str:
    """A word without the marks of its letters: `Søren Ågård` as `Soren Agard`."""
    word = word.replace("ø", "o").replace("æ", "ae").replace("ł", "l")
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


def name_forms(text: str) -> dict[str, str]:
    """All ways to write a name, lower case and single spaces, and how each differs; what was given first."""
    forms = {" ".join(text.casefold().split()): GIVEN}
    parts = tuple(word.casefold() for word in words(text))
    if len(parts) < 2:
        for part in parts:
            for spelling, how in spellings(part).items():
                forms.setdefault(spelling, how)
        return forms
    for version, how in _versions(parts).items():
        for layout, changed in _layouts(version):
            forms.setdefault(layout, ", ".join(one for one in (how, changed) if one) or "other punctuation")
    return forms


def _versions(parts: tuple[str, ...]) -> dict[tuple[str, ...], str]:
    """The parts of a name in other letters, spellings and short forms."""
    made = {parts: ""}
    for change, how in ((plain, "ae, oe, aa for æ, ø, å"), (bare, "letters without their marks")):
        made.setdefault(tuple(change(part) for part in parts), how)
    for at, part in enumerate(parts):
        for spelling, how in spellings(part).items():
            made.setdefault((*parts[:at], spelling, *parts[at + 1 :]), how)
    folded = tuple(plain(part) for part in parts)
    for at, part in enumerate(folded[:-1]):
        for other in sorted(akin(part) - {part}):
            for spelling in listed_spellings(other) or (other,):
                made.setdefault((*parts[:at], spelling, *parts[at + 1 :]), "nickname or another spelling of a first name")
                made.setdefault((*folded[:at], spelling, *folded[at + 1 :]), "nickname or another spelling of a first name")
    return made


def _layouts(parts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Orders, missing middle names, initials and the genitive of one version of a name."""
    given, middle, last = parts[0], parts[1:-1], parts[-1]
    for kept in _kept(middle):
        less = "" if len(kept) == len(middle) else "middle name missing"
        first = " ".join((given, *kept))
        yield f"{first} {last}", less
        yield f"{last}, {first}", f"name order{', ' + less if less else ''}"
        yield f"{last} {first}", f"name order{', ' + less if less else ''}"
        yield f"{last},{first}", f"name order{', ' + less if less else ''}"
        for mark in ("s", "'s", "’s", "'", "’"):
            yield f"{first} {last}{mark}", f"genitive{', ' + less if less else ''}"
        if len(kept) > 0:
            yield f"{given}-{' '.join((*kept, last))}", f"with a hyphen{', ' + less if less else ''}"
            yield f"{first}-{last}", f"with a hyphen{', ' + less if less else ''}"
            yield f"{last}, {given}-{' '.join(kept)}", f"with a hyphen, name order{', ' + less if less else ''}"
    initial = "initials"
    for text in (f"{given[0]}. {last}", f"{given[0]} {last}", f"{given[0]}.{last}", f"{last}, {given[0]}.", f"{last}, {given[0]}"):
        yield text, initial
    if middle:
        letters = [part[0] for part in middle]
        for dot in (". ", " "):
            yield f"{given} {''.join(letter + dot for letter in letters)}{last}", initial
            yield f"{''.join(letter + dot for letter in (given[0], *letters))}{last}", initial
        yield f"{given[0]}.{''.join(f'{letter}.' for letter in letters)} {last}", initial
        yield f"{last}, {given} {' '.join(f'{letter}.' for letter in letters)}", initial
        yield f"{last}, {given[0]}. {' '.join(f'{letter}.' for letter in letters)}", initial
        yield f"{given[0]}. {' '.join(middle)} {last}", initial


def _kept(middle: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """All, some and none of the middle names, in their order."""
    free, always = middle[:MIDDLES], middle[MIDDLES:]
    for count in range(len(free), -1, -1):
        for some in itertools.combinations(free, count):
            yield (*some, *always)


def name_written(text: str) -> list[str]:
    """The ways in which databases hold a name that is the same name without doubt."""
    parts = tuple(words(text))
    if len(parts) < 2:
        plainly = [text, *parts, *(plain(part).title() for part in parts)]
        return [case for one in plainly for case in (one, one.lower(), one.upper())]
    versions = [parts, tuple(plain(part).title() for part in parts)]
    versions += [(*parts[:at], s.title(), *parts[at + 1 :]) for at, part in enumerate(parts) for s in spellings(part)]
    made = [text]
    for version in dict.fromkeys(versions):
        given, last = " ".join(version[:-1]), version[-1]
        made += [f"{given} {last}", f"{last}, {given}", f"{last} {given}", f"{last},{given}"]
    return [case for one in made for case in (one, one.lower(), one.upper())]
