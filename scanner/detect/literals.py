"""The words that an expression cannot do without: what Hyperscan looks for, so that long expressions need not be compiled into it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_COMMON = frozenset(
    "har haft fået fik får er var blev bliver blevet være været på til med for om i af fra hos ved en et den det de der som og at sig sin sit "
    "sine min mit hans hendes deres vores skal kan må ikke kun går gå kommer ligger starter start tid år måned "
    "dage timer uge under over mod efter ind ud op ned ja nej ny nye two to både the a an in of is was has had have been be being to from by at on as with "
    "and or not no his her their my our your its it this that for off up out get got goes go going went come came do does can will would should may "
    "must only".split()
)
_FREQUENT = frozenset(
    "afdelingen orientering hjemme klip kort udgang samme anden forkerte mand lederne nedsat rabat termin gange god lys træk tag serve serveren p"
    "enge varer ret sagen efterlyst brug kunder samtaler behandling behandles undersøgelse scanning kontrol indkaldt starten mad ryg fri hold ledere medarbejder time work free state public point training office office home case company hand post part line court mark note page time days hours made make new old all any some more were are am we you they he she møde skrev skriver brugt bruger selv arbejder ansat aktiv samtale støtter valg".split()
)
_LEAST = 0
_LONG = 5
"""Longer pieces are looked for without their boundaries: they are rare, and plain strings compile quicker."""


class Literal(NamedTuple):
    """A piece of a word, and whether a word begins and ends where it does."""

    text: str
    left: bool
    right: bool

    def weight(self) -> int:
        """How rarely it stands in a text, roughly."""
        if len(self.text) < 3 and not (len(self.text) == 2 and self.left and self.right):
            return -10
        if self.left and self.text.casefold() in _COMMON:
            return -10 if self.right else -6
        if self.left and self.text.casefold() in _FREQUENT:
            return 1
        return min(len(self.text), _LONG + 3) + self.left + self.right

    def trigger(self) -> str:
        r"""As Hyperscan reads it; its `\b` knows ASCII only, and stands only where it cannot wrongly say no."""
        escaped = re.sub(r"([^\w\s])", r"\\\1", self.text)
        if len(self.text) > _LONG:
            return escaped
        left = r"\b" if self.left and self.text[0].isascii() and self.text[0].isalnum() else ""
        right = r"\b" if self.right and self.text[-1].isascii() and self.text[-1].isalnum() else ""
        return left + escaped + right


class Required(NamedTuple):
    """Words of which every match holds one; and how many code points a match has at most up to their end, and from their beginning on."""

    words: frozenset[Literal]
    lead: int
    tail: int


def required(pattern: str) -> Required | None:
    """What no match of `pattern` does without, the match beginning where a word does; None where there is nothing that is rare enough."""
    parsed = re._parser.parse(pattern)  # type: ignore[attr-defined, unused-ignore]
    best: Required | None = None
    for words, at in _sequence(list(parsed), True, False)[0]:
        if words and (best is None or _weight(words) > _weight(best.words)):
            longest = max(len(word.text) for word in words)
            best = Required(
                words, int(parsed[:at].getwidth()[1]) + int(parsed[at : at + longest].getwidth()[1]), int(parsed[at:].getwidth()[1])
            )
    return best if best and _weight(best.words) > _LEAST else None


def alternatives(pattern: str) -> list[str]:
    """An expression taken apart at its outermost `|`."""
    parts, depth, inside, last, at = [], 0, False, 0, 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
        elif inside:
            inside = char != "]"
        elif char == "[":
            inside = True
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and not depth:
            parts.append(pattern[last:at])
            last = at + 1
        at += 1
    return [*parts, pattern[last:]]


def _weight(words: frozenset[Literal]) -> int:
    return min(word.weight() for word in words)


def _best(offers: list[tuple[frozenset[Literal], int]]) -> frozenset[Literal]:
    return max((words for words, _ in offers if words), key=_weight, default=frozenset())


def _sequence(items: list[tuple[Any, Any]], left: bool, right: bool) -> tuple[list[tuple[frozenset[Literal], int]], bool]:
    """The sets of a sequence, each with the place of its item; and whether a word may begin right after it.

    `left` says that a word begins where the sequence does, `right` that one ends where it ends.
    """
    offers: list[tuple[frozenset[Literal], int]] = []
    run, begins, since = "", left, 0

    def close(bounded: bool) -> None:
        nonlocal run, begins
        if run:
            offers.append((frozenset([Literal(run, begins, bounded)]), since))
        run, begins = "", bounded

    for at, (op, value) in enumerate(items):
        name = str(op)
        if name == "LITERAL":
            char = chr(value)
            if char.isalnum():
                since = since if run else at
                run += char
            else:
                close(char != "_")
        elif name == "AT":
            if "BOUNDARY" in str(value):
                close(True)
        elif name in ("ASSERT", "ASSERT_NOT"):
            continue
        elif name in ("SUBPATTERN", "BRANCH"):
            # What stands before is put in front of each: the parser takes `siddet|sad` apart into an `s` and what follows it.
            branches = [list(value[-1])] if name == "SUBPATTERN" else [list(one) for one in value[1]]
            before = [("LITERAL", ord(char)) for char in run]
            follows = _bounded(items[at + 1]) if at + 1 < len(items) else right
            parts = [_sequence([*before, *branch], begins, follows) for branch in branches]
            if all(_best(words) for words, _ in parts):
                offers.append((frozenset().union(*(_best(words) for words, _ in parts)), at - len(before)))
            run = ""
            begins = all(ends for _, ends in parts)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, _, sub = value
            at_start = not run and begins
            close(at_start)
            words, ends = _sequence(list(sub), at_start, False)
            if low:
                offers.append((_best(words), at))
                begins = ends
            else:
                begins = at_start and ends
        else:
            close(name == "IN" and _no_letters(value))
    if run:
        offers.append((frozenset([Literal(run, begins, right)]), since))
        return offers, False
    return offers, begins


def _bounded(item: tuple[Any, Any]) -> bool:
    """Whether a word ends where this item begins."""
    name = str(item[0])
    return (
        (name == "LITERAL" and not chr(item[1]).isalnum() and item[1] != 95)
        or (name == "AT" and "BOUNDARY" in str(item[1]))
        or (name == "IN" and _no_letters(item[1]))
    )


def _no_letters(members: list[tuple[Any, Any]]) -> bool:
    """Whether a class of characters holds none that a word is made of."""
    return all(str(op) == "LITERAL" and not chr(value).isalnum() and value != 95 for op, value in members)
