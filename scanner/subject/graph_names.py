"""What the names of tables and columns say: which column means which table, and what part a person has in a row."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from scanner.resources import folder

_LETTERS = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_SHORT = 4
"""A stem that is shorter than this after an ending was taken off says nothing."""
LEAST_PREFIX = 4
"""A word that begins another one means it only when it has so many letters."""
_ENDINGS = (
    ("ies", "y"), ("erne", ""), ("erne", "e"), ("ene", ""), ("s", ""), ("es", ""), ("er", ""), ("r", ""), ("e", ""),
    ("numre", "nummer"),
)  # fmt: skip
LEAST_COMPOUND = 5
"""A Danish compound means the table of its last part only when that has so many letters: `klasselaerer` and `laerere`."""
_IRREGULAR = {"people": "person", "children": "child", "men": "man", "women": "woman", "boern": "barn", "konti": "konto", "maend": "mand"}


@dataclass(frozen=True, slots=True)
class Words:
    """`rules/words/relations.yaml`, read."""

    same: Mapping[str, str]
    keys: Mapping[str, str]
    prefixes: frozenset[str]
    between: frozenset[str]
    hierarchy: frozenset[str]
    handlers: frozenset[str]
    handled: frozenset[str]
    above: frozenset[str]
    makers: frozenset[str]
    owners: frozenset[str]
    people: frozenset[str]
    staff: frozenset[str]
    organisations: frozenset[str]
    catalogues: frozenset[str]
    parts: frozenset[str]
    happenings: frozenset[str]
    identities: Mapping[str, str]
    entities: Mapping[str, str]


@functools.cache
def words() -> Words:
    """The words that are known of names."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar is a text: `no` is a word here
    text = (folder("rules") / "words" / "relations.yaml").read_text(encoding="utf-8")
    read = yaml.load(text, Loader=loader)  # noqa: S506 - a base loader makes nothing but texts, lists and mappings
    same = {word: group[0] for group in reversed(read["same"]) for word in group}

    def group(name: str) -> frozenset[str]:
        return frozenset(same.get(word, word) for word in read[name]) | frozenset(read[name])

    def by_word(name: str) -> dict[str, str]:
        return {word: kind for kind, listed in read[name].items() for word in listed}

    return Words(
        same=same, keys=by_word("keys"), prefixes=frozenset(read["prefixes"]), between=frozenset(read["between"]),
        hierarchy=frozenset(read["hierarchy"]), handlers=frozenset(read["handlers"]),
        handled=frozenset(read["handled"]), above=frozenset(read["above"]), makers=frozenset(read["makers"]),
        owners=frozenset(read["owners"]), people=group("people"), staff=group("staff"), organisations=group("organisations"),
        catalogues=group("catalogues"), parts=group("parts"), happenings=group("happenings"),
        identities=by_word("identities"), entities=by_word("entities"),
    )  # fmt: skip


@functools.lru_cache(maxsize=65_536)
def split(name: str) -> tuple[str, ...]:
    """The words of a name: `CustomerID`, `kunde_nr`, `fk-order`."""
    text = unicodedata.normalize("NFC", name)
    text = re.sub(r"(?<=[a-zæøå0-9])(?=[A-ZÆØÅ])|(?<=[A-ZÆØÅ])(?=[A-ZÆØÅ][a-zæøå])", "_", text).lower().translate(_LETTERS)
    return tuple(re.findall(r"[a-z]+|[0-9]+", text))


@functools.lru_cache(maxsize=16_384)
def stems(word: str) -> frozenset[str]:
    """What a word may be in the singular, English or Danish, and what it is called here."""
    found = {word}
    if irregular := _IRREGULAR.get(word):
        found.add(irregular)
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) + len(instead) >= _SHORT:
            found.add(word.removesuffix(ending) + instead)
    if len(word) > 5 and word.endswith("er") and word[-3] == word[-4]:
        found.add(word[:-3])
    if len(word) == 4 and word.endswith(("s", "r", "e")):
        found.add(word[:3])
    same = words().same
    return frozenset(found) | {same[one] for one in found if one in same}


def alike(one: str, other: str) -> float:
    """How surely two words mean the same: 1 for the same word, a little less for another one for it."""
    if one == other:
        return 1.0
    mine, theirs = stems(one), stems(other)
    if not mine & theirs:
        return 0.0
    same = words().same
    plain = (mine - {same[word] for word in mine if word in same} | {one}) & (
        theirs - {same[word] for word in theirs if word in same} | {other}
    )
    return 1.0 if plain else 0.9


def one_of(word: str, listed: frozenset[str]) -> bool:
    """Whether a word, in whatever number, is in a list."""
    return bool(stems(word) & listed)


class Label(NamedTuple):
    """A column's name: its words without those that say that it is a key, which kind of key, and its last words as one."""

    name: str
    core: tuple[str, ...]
    key: str
    tail: str


@functools.lru_cache(maxsize=65_536)
def table_words(object: str) -> tuple[str, ...]:
    """The words of a table's name, without its schema and without what only says that it is a table."""
    tokens = split(object.rsplit(".", 1)[-1])
    while len(tokens) > 1 and tokens[0] in words().prefixes:
        tokens = tokens[1:]
    return tuple(token for token in tokens if not token.isdigit()) or tokens


@functools.lru_cache(maxsize=65_536)
def label(name: str, known: frozenset[str] = frozenset()) -> Label:
    """Take a column's name apart. `known` are the stems of the tables' names, so that `kundenr` and `ordreid` fall apart."""
    keys, between = words().keys, words().between
    tokens = list(split(name))
    compact = "".join(tokens)
    if len(tokens) > 1 and tokens[0] in ("fk", "pk"):
        tokens = tokens[1:]
    key = ""
    while tokens and tokens[-1] in keys:
        key = key or keys[tokens.pop()]
    if not key and tokens:
        for word in sorted(keys, key=len, reverse=True):
            rest = tokens[-1].removesuffix(word)
            if len(rest) >= 3 and rest != tokens[-1] and (stems(rest) & known or rest in words().same):
                tokens[-1], key = rest, keys[word]
                break
    core = tuple(token for token in tokens if not token.isdigit())
    return Label(name, tuple(token for token in core if token not in between or len(core) == 1), key, compact)


def refers(core: tuple[str, ...], table: tuple[str, ...]) -> tuple[float, tuple[str, ...]]:
    """How surely the words of a column mean a table, and the words in front that say in what part (`billing_customer`)."""
    best: tuple[float, tuple[str, ...]] = (0.0, ())
    for count in range(1, len(core) + 1):
        tail, role = core[-count:], core[:-count]
        if count == len(table):
            fit = min(map(alike, tail, table))
            best = max(best, (fit * (1.0 if not role else 0.95), role), key=lambda pair: pair[0])
        elif count < len(table):
            if fit := min(map(alike, tail, table[-count:])):
                best = max(best, (fit * 0.85, role), key=lambda pair: pair[0])
            elif fit := min(map(alike, tail, table[:count])):
                best = max(best, (fit * 0.5, role), key=lambda pair: pair[0])
        if count > 1 and len(table) == 1 and alike("".join(tail), table[0]) == 1:
            best = max(best, (0.95, role), key=lambda pair: pair[0])
    if len(table) > 1 and core and alike(core[-1], "".join(table)) == 1:
        best = max(best, (0.95, core[:-1]), key=lambda pair: pair[0])
    if best[0] < 0.8 and core and len(table) == 1:
        ends = [stem for stem in stems(table[0]) if LEAST_COMPOUND <= len(stem) < len(core[-1]) and core[-1].endswith(stem)]
        if ends:
            best = (0.8, (*core[:-1], core[-1].removesuffix(max(ends, key=len))))
    if not best[0] and len(core) == 1 and len(table) == 1 and _begins(core[0], table[0]):
        best = (0.5, ())
    return best


def _begins(one: str, other: str) -> bool:
    """Whether one word begins another one: `ship` and `shippers`."""
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= LEAST_PREFIX and longer.startswith(shorter)


@functools.lru_cache(maxsize=65_536)
def part(name: str) -> str:
    """What a column says of the person it points at: handler, maker, owner, or nothing."""
    tokens = split(name)
    listed = words()
    if any(token in listed.owners for token in tokens):
        return "owner"
    if any(one_of(token, listed.handlers) for token in tokens):
        return "handler"
    if any(token in listed.handled for token in tokens[:-1]):
        return "handler"
    if len(tokens) > 1 and any(token in listed.makers and token not in listed.between for token in tokens):
        return "maker"
    if len(tokens) == 1 and tokens[0] in listed.makers:
        return "maker"
    return "handler" if len(tokens) > 1 and tokens[-1] in ("by", "af") else ""


@functools.lru_cache(maxsize=65_536)
def points_at_person(name: str) -> str:
    """The part of whom a column points at by its name alone: `approved_by`, `agent`, `support_rep_id`, `post_author`; not `agent_fee`."""
    said, listed = label(name), words()
    last = split(name)[-1:] in [(word,) for word in listed.between] or bool(said.key)
    if not last and not (said.core and (one_of(said.core[-1], listed.handlers | listed.people) or said.core[-1] in listed.owners)):
        return ""
    return part(name)


@functools.lru_cache(maxsize=65_536)
def identity(name: str) -> str:
    """The kind of a column that names a person from table to table: email, login, cookie, session, device, cpr, or nothing."""
    tokens = split(name)
    listed = words().identities
    for count in range(len(tokens), 0, -1):
        if kind := listed.get("".join(tokens[-count:])):
            return kind
    return ""


@functools.lru_cache(maxsize=65_536)
def entity(name: str) -> str:
    """What a column is called after, where nothing was scanned: `PERSON` for `fornavn`. Nothing for `product_name`."""
    tokens = tuple(token for token in split(name) if not token.isdigit())
    listed = words().entities
    for count in range(len(tokens), 0, -1):
        found = listed.get("".join(tokens[-count:]))
        if found and (count == len(tokens) or "".join(tokens[-count:]) not in ("name", "navn", "contact", "login", "street", "vej", "ip")):
            return found
    return ""
