"""What the law says of keeping and deleting, read from `rules/law.yaml`: each rule with its law, where it was read, and when."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from scanner.config import KEEP, YEAR_END
from scanner.errors import RuleError

_KEYS = {"id", "kind", "title", "says", "country", "law", "source", "dated", "keep", "from", "words", "entities", "code"}
_LANGUAGES = ("da", "en")


class Kind(StrEnum):
    """What a rule of law does."""

    KEEP = "keep"
    KEEP_DELETE = "keep-delete"
    LIMIT = "limit"
    PRACTICE = "practice"
    CLAIM = "claim"
    GROUND = "ground"
    EXEMPTION = "exemption"
    DUTY = "duty"
    RIGHT = "right"


TIMED = (Kind.KEEP, Kind.KEEP_DELETE, Kind.LIMIT, Kind.PRACTICE, Kind.CLAIM)
"""The kinds that may have a time and be about tables and files."""


@dataclass(frozen=True, slots=True)
class Law:
    """One rule. `title` and `says` by language; `keep` as in the configuration, `""` where the law gives no number.

    `words` are patterns for words of names, `entities` what a table may hold; `code` is how an exemption is told in short.
    """

    id: str
    kind: Kind
    title: dict[str, str]
    says: dict[str, str]
    country: str
    law: str
    source: str
    dated: date
    keep: str = ""
    year_end: bool = False
    words: tuple[str, ...] = ()
    entities: frozenset[str] = field(default_factory=frozenset)
    code: str = ""

    def bears_on(self, name: str, entities: frozenset[str] = frozenset()) -> bool:
        """Whether a table, file or folder of this name (or that holds such entities) may be what the rule is about."""
        words = list(_words(name))
        return any(fnmatch.fnmatchcase(word, pattern) for word in words for pattern in self.words) or bool(self.entities & entities)


def load(path: Path | None = None) -> tuple[Law, ...]:
    """Read the rules; None means the file that comes with the program. Raises `RuleError` with the rule's name for what is malformed."""
    import yaml

    from scanner.resources import folder

    path = path or folder("rules") / "law.yaml"
    try:
        entries = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise RuleError(f"{path.name}: line {line}: not readable as YAML: {error.problem}") from None
    except (yaml.YAMLError, OSError, UnicodeDecodeError):
        raise RuleError(f"{path}: cannot be read") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RuleError(f"{path.name}: must be a list of rules")
    rules = tuple(_law(path.name, number, entry) for number, entry in enumerate(entries, 1))
    names = [one.id for one in rules]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise RuleError(f"{path.name}: {twice}: this id stands in it twice")
    return rules


def bearing(rules: Sequence[Law], name: str, country: str = "DK", entities: frozenset[str] = frozenset()) -> Iterator[Law]:
    """The rules with a time that may be about an object of this name, in the order of the file: hints for who has said nothing of it."""
    places = {"EU", country.upper() or "DK"}
    return (one for one in rules if one.kind in TIMED and one.country in places and one.bears_on(name, entities))


def _law(file: str, number: int, entry: dict[str, Any]) -> Law:
    name = entry.get("id")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z]{2}\.[a-z0-9-]+", name):
        raise RuleError(f"{file}: rule number {number}: id must be a country and a word, such as 'dk.bookkeeping'")
    if unknown := sorted(set(map(str, entry)) - _KEYS):
        raise RuleError(f"{file}: {name}: unknown key {unknown[0]!r}")
    if entry.get("kind") not in tuple(Kind):
        raise RuleError(f"{file}: {name}: kind must be one of {', '.join(Kind)}")
    kind = Kind(entry["kind"])
    for key in ("title", "says"):
        said = entry.get(key)
        if not isinstance(said, dict) or set(said) != set(_LANGUAGES) or not all(isinstance(text, str) and text for text in said.values()):
            raise RuleError(f"{file}: {name}: {key} must be given in {' and '.join(_LANGUAGES)}")
    for key in ("country", "law", "source"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise RuleError(f"{file}: {name}: {key} is missing")
    if not re.fullmatch(r"[A-Z]{2}", entry["country"]):
        raise RuleError(f"{file}: {name}: country must be two capital letters")
    if not entry["source"].startswith("https://"):
        raise RuleError(f"{file}: {name}: source must be an https:// address")
    if type(entry.get("dated")) is not date:
        raise RuleError(f"{file}: {name}: dated must be the day of its source")
    keep, since = entry.get("keep", ""), entry.get("from", "")
    if keep and (not isinstance(keep, str) or not KEEP.fullmatch(keep)):
        raise RuleError(f"{file}: {name}: keep must be a time such as '5 years'")
    if bool(keep) != bool(since) or since not in ("", "event", YEAR_END):
        raise RuleError(f"{file}: {name}: a time needs from: 'event' or {YEAR_END!r}")
    words, entities = (_list(file, name, key, entry.get(key, [])) for key in ("words", "entities"))
    if kind not in TIMED and (keep or words or entities):
        raise RuleError(f"{file}: {name}: a rule of the kind {kind.value} has no time and is about no tables")
    if kind in (Kind.KEEP, Kind.KEEP_DELETE) and not keep:
        raise RuleError(f"{file}: {name}: a rule of the kind {kind.value} needs keep")
    if kind not in TIMED and kind is not Kind.EXEMPTION and entry.get("code"):
        raise RuleError(f"{file}: {name}: only an exemption has a code")
    return Law(
        name, kind, entry["title"], entry["says"], entry["country"], entry["law"], entry["source"], entry["dated"], keep,
        since == YEAR_END, words, frozenset(entities), str(entry.get("code", "")),
    )  # fmt: skip


def _list(file: str, name: str, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise RuleError(f"{file}: {name}: {key} must be a list of words")
    return tuple(value)


def _words(name: str) -> Iterator[str]:
    """The words of a name in small letters, and what lies between its dots and slashes as one word."""
    spaced = re.sub(r"(?<=[a-zæøå0-9])(?=[A-ZÆØÅ])", "_", name)
    for part in re.split(r"[./\\!]+", spaced.casefold()):
        whole = re.sub(r"[\s-]+", "_", part)
        yield whole
        yield from (word for word in re.split(r"[\W_]+", part) if word and word != whole)
