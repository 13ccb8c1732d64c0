"""Says whether two writings of a name can be one person's: order, spelling, initials, short forms, one typing error.

A name is taken apart into folded parts (`fold_name`): lower case, æ as ae, ø as oe, å as aa, no accents, in natural order.
"""

from __future__ import annotations

import functools
import re
import unicodedata

from scanner.resources import folder
from scanner.subject.likeness import EMPTY, UNKNOWN, Likeness, different, one_edit, same, variant, weak

COMMON = 500
"""Two names that so many people bear are two names, however like they look: Petersen and Pedersen, Hanne and Janne."""
LETTERS = 5
"""From so many letters on, a part of a name may hold a typing error."""
MOST = 8
"""More words than this are no name of a person."""

_DIGRAPHS = str.maketrans(
    {"æ": "ae", "ä": "ae", "ø": "oe", "ö": "oe", "å": "aa", "ð": "d", "þ": "th", "ł": "l", "đ": "d", "œ": "oe", "ı": "i"}
)
_TITLES = frozenset("hr herr fru frk frøken froeken dr mr mrs ms miss mag prof professor att attn".split())
_WORD = re.compile(r"[^\W\d_]+(?:['’´`][^\W\d_]+)*['’´`]?")


def plain(text: str) -> str:
    """Lower case without Danish letters and accents: `Åse Brøndbæk` as `aase broendbaek`."""
    if text.isascii():
        return text.casefold()
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold()).replace("\u00ad", "").translate(_DIGRAPHS)
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def words(text: str) -> list[str]:
    """The words of a name as they are written, in natural order: titles, brackets and what stands before `v/` left out."""
    text = re.sub(r"<[^<>]*>|\([^()]*\)|\[[^\[\]]*\]|[\"“”„«»]", " ", unicodedata.normalize("NFKC", text).replace("\u00ad", ""))
    text = re.split(r"(?:^|\s)[vV]/\s?", text)[-1]
    head, comma, tail = text.partition(",")
    parts = _WORD.findall(head), _WORD.findall(tail)
    found = [*parts[1], *parts[0]] if comma and parts[1] else parts[0]
    while len(found) > 1 and found[0].casefold() in _TITLES:
        del found[0]
    return found


def fold_name(text: str) -> tuple[str, ...]:
    """The parts of a name, folded, in natural order (`Holm, Mette` as mette, holm); a part after a hyphen is one of its own."""
    return tuple(part for word in words(text) if (part := _folded(word)))


def _folded(word: str) -> str:
    if word[-2:-1] in "'’´`" and word[-1:] in "sS" and len(word) > 3:
        word = word[:-2]
    folded = re.sub(r"['’´`]", "", plain(word))
    return folded[:1] if len(word) == 1 else folded


def compare_names(left: str, right: str) -> Likeness:
    """How like two names are; the same whichever comes first."""
    a, b = fold_name(left), fold_name(right)
    if not a or not b:
        return EMPTY
    if len(a) > MOST or len(b) > MOST:
        return UNKNOWN
    return agreement(a, b)


def agreement(one: tuple[str, ...], other: tuple[str, ...]) -> Likeness:
    """How like two names in parts are."""
    if one == other:
        return same("same name")
    one, other = sorted((one, other), key=lambda parts: (len(parts), parts))
    pairs, rest, more = _pairs(one, other)
    if not rest and not more and all(how in ("", _GENITIVE) for *_, how in pairs):
        in_order = all(i == j for i, j, _ in pairs)
        genitive = any(how for *_, how in pairs)
        return same(_GENITIVE if genitive else "same name" if in_order else "same name in another order")
    pairs, rest, more, clump = _clumped(one, other, pairs, rest, more)
    full = [(i, j, how) for i, j, how in pairs if how != _INITIAL]
    if not full:
        return weak("same initials only") if pairs and not rest and not more else different("another name")
    if rest and more:
        return different("another first name or surname" if len(pairs) else "another name")
    hows = [how for *_, how in pairs if how and how != _GENITIVE]
    if hows.count(_TYPO) > 1 or (len(one) == 1 and _TYPO in hows):
        return different("more than one letter differs" if len(one) > 1 else "another name")
    if len(one) == 1:
        return _single(other, full[0][1])
    return _whole(one, other, pairs, hows, clump)


def _single(longer: tuple[str, ...], at: int) -> Likeness:
    if at == len(longer) - 1:
        return weak("surname only")
    return weak(_FIRST if at == 0 else "one of the names only")


def _whole(one: tuple[str, ...], other: tuple[str, ...], pairs: list[tuple[int, int, str]], hows: list[str], clump: bool) -> Likeness:
    """Two names of several parts, of which the shorter one's are all met."""
    last_one = next((how for i, _, how in pairs if i == len(one) - 1), None)
    last_other = next((how for _, j, how in pairs if j == len(other) - 1), None)
    if _INITIAL in (last_one, last_other):
        return weak("first name and an initial")
    missing = 0 if clump else len(other) - len(pairs)
    said = list(dict.fromkeys(hows))
    if clump and _INITIAL not in said:
        said.append(_INITIAL)
    if missing:
        if last_other is None and is_given(one[-1]):
            return weak(_FIRSTS)
        met = {j for _, j, _ in pairs}
        gap = "surname missing" if len(other) - 1 not in met else "middle name missing" if 0 in met else "first of the names missing"
        said.append("one " + gap if gap == "surname missing" else gap)
    return variant(", ".join(said) or "same names, parted otherwise")


_FIRST, _FIRSTS = "first name only", "first names only"
GIVEN = frozenset({_FIRST, _FIRSTS})
"""How a name is like another of which it says the first names: it tells the members of a family apart, and hardly anybody else."""
_GENITIVE = "same name in the genitive"
_INITIAL = "initial instead of the name"
_TYPO = "one letter differs"
_SPELLED = "another spelling of the name"
_MARKS = "Danish letters written otherwise"
_SHORT = "short form of the name"


def _pairs(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[list[tuple[int, int, str]], list[int], list[int]]:
    """Which part meets which, and how; and what is left of either. Equal parts first, then the likest."""
    free, taken = set(range(len(one))), set(range(len(other)))
    pairs: list[tuple[int, int, str]] = []
    offers = sorted(
        (rank, abs(i - j), i, j, how)
        for i, left in enumerate(one)
        for j, right in enumerate(other)
        for rank, how in [_meets(left, right, i == len(one) - 1, j == len(other) - 1)]
        if rank
    )
    for _, _, i, j, how in offers:
        if i in free and j in taken:
            free.discard(i)
            taken.discard(j)
            pairs.append((i, j, how))
    return sorted(pairs), sorted(free), sorted(taken)


def _meets(left: str, right: str, left_ends: bool, right_ends: bool) -> tuple[int, str]:
    """How one part is like another: 1 is equal, more is less like, 0 is not at all."""
    if left == right:
        return 1, ""
    if len(left) > 2 and len(right) > 2 and ((right_ends and left + "s" == right) or (left_ends and left == right + "s")):
        return 2, _GENITIVE
    if len(left) == 1 or len(right) == 1:
        return (6, _INITIAL) if left[0] == right[0] else (0, "")
    return like_parts(left, right)


def like_parts(left: str, right: str) -> tuple[int, str]:
    """How one whole part of a name is like another that is not equal to it."""
    if marks(left) == marks(right):
        return 3, _MARKS
    if right in spelled(left):
        return 3, _SPELLED
    if right in short(left) or left in short(right):
        return 4, _SHORT
    if max(len(left), len(right)) >= LETTERS and one_edit(left, right) and min(bearers(left), bearers(right)) < COMMON:
        return 5, _TYPO
    return 0, ""


def _clumped(
    one: tuple[str, ...], other: tuple[str, ...], pairs: list[tuple[int, int, str]], rest: list[int], more: list[int]
) -> tuple[list[tuple[int, int, str]], list[int], list[int], bool]:
    """`HJ Holm` for Hans Jørgen Holm: two or three letters that are what is left of the other name, in order."""
    for parts, against, mine, theirs in ((one, other, rest, more), (other, one, more, rest)):
        if len(mine) == 1 and 2 <= len(theirs) <= 3 and pairs and parts[mine[0]] == "".join(against[at][0] for at in theirs):
            return pairs, [], [], True
    return pairs, rest, more, False


def marks(part: str) -> str:
    """A part without the letters that Danish letters leave behind: Soren, Søren and Soeren are one."""
    return re.sub("aa", "a", re.sub(r"([oau])e", r"\1", part)) if len(part) > 3 else part


@functools.cache
def _bearers() -> tuple[dict[str, int], dict[str, int], dict[str, tuple[str, ...]]]:
    """How many bear a first name, a surname (folded); and how folded names are written."""
    counts: list[dict[str, int]] = []
    written: dict[str, tuple[str, ...]] = {}
    for file in ("first_names.txt", "last_names.txt"):
        count: dict[str, int] = {}
        for line in _lines(file):
            name, _, number = line.partition("\t")
            key = plain(name)
            count[key] = count.get(key, 0) + int(number or 0)
            lower = name.casefold()
            if lower != key or key in written:
                written[key] = tuple(dict.fromkeys((*written.get(key, ()), lower)))
        counts.append(count)
    return counts[0], counts[1], written


def bearers(part: str) -> int:
    """How many people in Denmark bear a folded name, as first name or surname (Statistics Denmark, 2023)."""
    first, last, _ = _bearers()
    return max(first.get(part, 0), last.get(part, 0))


def is_given(part: str) -> bool:
    """Whether a folded name is a first name rather than a surname."""
    first, last, _ = _bearers()
    return first.get(part, 0) > last.get(part, 0)


def listed_spellings(part: str) -> tuple[str, ...]:
    """How a folded name is written with its accents and Danish letters, where that is known."""
    return _bearers()[2].get(part, ())


@functools.cache
def _spelled() -> dict[str, frozenset[str]]:
    groups: dict[str, frozenset[str]] = {}
    for line in _lines("name_spellings.txt"):
        names = frozenset(plain(name.strip()) for name in line.split(","))
        for name in names:
            groups[name] = groups.get(name, frozenset()) | names
    return groups


def spelled(part: str) -> frozenset[str]:
    """The spellings of a folded first name: Kristian, Christian."""
    return _spelled().get(part, frozenset((part,)))


@functools.cache
def _short() -> dict[str, frozenset[str]]:
    forms: dict[str, frozenset[str]] = {}
    for line in _lines("nicknames.da.txt"):
        name, _, rest = line.partition(":")
        pets = frozenset(spelling for pet in rest.split(",") for spelling in spelled(plain(pet.strip())))
        for spelling in spelled(plain(name)):
            forms[spelling] = forms.get(spelling, frozenset()) | pets
    return forms


def short(part: str) -> frozenset[str]:
    """The short forms of a folded first name, in all their spellings."""
    return _short().get(part, frozenset())


@functools.cache
def _long() -> dict[str, frozenset[str]]:
    turned: dict[str, set[str]] = {}
    for name, pets in _short().items():
        for pet in pets:
            turned.setdefault(pet, set()).add(name)
    return {pet: frozenset(names) for pet, names in turned.items()}


def akin(part: str) -> frozenset[str]:
    """All that a folded first name may stand for or be called: its spellings, its short forms, and the names that it is short for."""
    return spelled(part) | short(part) | _long().get(part, frozenset())


def _lines(file: str) -> list[str]:
    text = (folder("rules") / "words" / file).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
