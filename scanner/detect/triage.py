"""Pass one: which rules could match where. One Hyperscan block scan over all rows of a batch, joined.

Two databases: the triggers of patterns, and the words. Compiling them takes seconds, so the compiled form is kept
in the user's cache folder under a digest of everything it was made from (patterns only; never data).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scanner.detect import literals
from scanner.detect.fold import NEEDS
from scanner.detect.literals import Literal, Required, required
from scanner.detect.memo import keep, opened
from scanner.detect.rules import Rule, Ruleset, Statement, Word
from scanner.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

SEPARATOR = b"\0"
"""Stands between rows: no word, no space, no digit."""

ENDINGS = r"(?:e|en|n|et|t|er|r|ene|erne|rne|ne|ere|est|este|ede|te|ende|ed|ing)?(?:'?s)?"
"""Danish and English inflection that a plain word may carry."""

NAME_TRIGGER = r"[a-z\x80-\xff.][ \t]{1,3}[A-Z\xc3-\xc5]"
"""For names, on bytes: a word's end, a space, a capital letter."""

_SPELLINGS = {"å": "(?:å|aa)", "ø": "(?:ø|oe)", "æ": "(?:æ|ae)", "Å": "(?:Å|Aa|AA)", "Ø": "(?:Ø|Oe|OE)", "Æ": "(?:Æ|Ae|AE)"}
_PLAIN = 9
"""A word of so many letters is looked for as a plain string: it stands rarely enough inside others."""

_BITS = 20
"""An end offset and an expression's number travel as one integer; so many bits are the number's."""


@dataclass(frozen=True, slots=True)
class Expression:
    """What Hyperscan compiles: flags are its own."""

    pattern: str
    flags: int
    owner: str


class Database:
    """A compiled set of expressions.

    They are written out only when the compiled form is not in the cache: `source` is what they are written from, if not themselves.
    """

    def __init__(
        self, expressions: Sequence[Expression] | Callable[[], Sequence[Expression]], cache: Path | None, source: object = None
    ) -> None:
        self._expressions = expressions
        self.compiled_now = False
        state = (metadata.version("hyperscan"), self.expressions if source is None else (source, Path(__file__).read_bytes()))
        self._database: Any = self._open(cache, hashlib.blake2b(repr(state).encode(), digest_size=16).hexdigest())

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """What is compiled."""
        return tuple(self._expressions() if callable(self._expressions) else self._expressions)

    def scan(self, buffer: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Scan bytes. Returns, for every hit, the number of its expression and its end offset, ordered by offset."""
        if self._database is None:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        hits: list[int] = []
        append = hits.append

        def on_match(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            append(end << _BITS | number)

        self._database.scan(buffer, match_event_handler=on_match)
        packed = np.unique(np.array(hits, np.int64))
        return packed & ((1 << _BITS) - 1), packed >> _BITS

    def _open(self, cache: Path | None, state: str) -> Any:
        import hyperscan

        kept = cache / f"{state}.hs" if cache else None
        if kept and kept.is_file():
            try:
                database = hyperscan.loadb(kept.read_bytes(), hyperscan.HS_MODE_BLOCK)
                database.scratch = hyperscan.Scratch(database)
                return database
            except hyperscan.error:
                kept.unlink(missing_ok=True)
        expressions = self.expressions
        if not expressions:
            return None
        database = self._compile(hyperscan, expressions)
        self.compiled_now = True
        if kept:
            keep(kept, hyperscan.dumpb(database))
        return database

    @staticmethod
    def _compile(hyperscan: Any, every: Sequence[Expression]) -> Any:
        def compiled(expressions: Sequence[Expression]) -> Any:
            database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
            database.compile(
                expressions=[e.pattern.encode("utf-8", "surrogateescape") for e in expressions],
                ids=list(range(len(expressions))),
                flags=[e.flags for e in expressions],
            )
            database.scratch = hyperscan.Scratch(database)
            return database

        try:
            return compiled(every)
        except hyperscan.error:
            for expression in every:
                try:
                    compiled([expression])
                except hyperscan.error as error:
                    why = str(error).splitlines()[0]
                    raise RuleError(f"{expression.owner}: its trigger does not compile: {why}") from None
            raise


def fold_database() -> Database:
    """Finds rows that need folding before they are matched."""
    import hyperscan

    pattern = NEEDS.decode("latin-1")
    escaped = "".join(c if ord(c) < 128 else f"\\x{ord(c):02x}" for c in pattern)
    return Database([Expression(escaped, hyperscan.HS_FLAG_DOTALL, "folding")], None)


def pattern_database(rules: Sequence[Rule], cache: Path | None) -> Database:
    """The triggers of all rules, in their order."""
    import hyperscan

    expressions = []
    for rule in rules:
        if rule.names:
            expressions.append(Expression(NAME_TRIGGER, 0, f"{rule.file}: {rule.id}"))
            continue
        flags = 0 if rule.case else hyperscan.HS_FLAG_CASELESS
        if not rule.trigger.isascii():
            flags |= hyperscan.HS_FLAG_UTF8
        if rule.prefilter:
            flags |= hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_UTF8
        expressions.append(Expression(rule.trigger, flags, f"{rule.file}: {rule.id}"))
    return Database(expressions, cache)


def word_database(ruleset: Ruleset, cache: Path | None, *, prose: bool = True) -> tuple[Database, tuple[tuple[int, Word], ...]]:
    """All words of all rules, each once a rule; and what each number stands for: (rule's index, word).

    Without `prose` words that only a sentence can make something of are left out.
    """
    import hyperscan

    owners = [
        (index, word) for index, rule in enumerate(ruleset.rules) for word in (dict.fromkeys(rule.words) if prose or not rule.prose else ())
    ]
    if len(owners) >= 1 << _BITS:
        raise RuleError(f"there are more than {1 << _BITS} words")

    def written() -> Iterator[Expression]:
        for index, word in owners:
            rule = ruleset.rules[index]
            flags = 0 if word.exact else hyperscan.HS_FLAG_CASELESS
            yield Expression(_word_trigger(word), flags, f"{rule.file}: {rule.id}: word {word.text!r}")

    source = [(index, word.text, word.exact, word.open_left, word.open_right) for index, word in owners]
    return Database(lambda: tuple(written()), cache, source), tuple(owners)


@dataclass(frozen=True, slots=True)
class Saying:
    """A statement of a rule, and how far its match may reach to either side of the end of its trigger."""

    rule: int
    statement: Statement
    lead: int
    tail: int


def statement_database(ruleset: Ruleset, cache: Path | None) -> tuple[Database, tuple[Saying, ...], list[list[int]]]:
    """The words that statements cannot do without; all statements; and of which of them each expression is a trigger."""
    import hyperscan

    with opened(cache, "statements", literals.__file__) as memo:
        needed = {
            statement.pattern: _needed(memo("required", statement.pattern, _told))
            for rule in ruleset.rules
            for statement in rule.statements
        }
    sayings: list[Saying] = []
    shared: dict[tuple[str, int], tuple[Expression, list[int]]] = {}
    for index, rule in enumerate(ruleset.rules):
        for statement in rule.statements:
            flags = 0 if statement.exact else hyperscan.HS_FLAG_CASELESS
            needs = needed[statement.pattern]
            lead, tail = (needs.lead, needs.tail + 3) if needs else (statement.width, 3)
            triggers = [(_either_case(one.trigger()), flags) for one in sorted(needs.words)] if needs else [
                (rf"(?:^|[^0-9A-Za-z_])(?:{_on_bytes(statement.pattern)})", flags | hyperscan.HS_FLAG_PREFILTER)
            ]  # fmt: skip
            for trigger in triggers:
                # A trigger names its owner in an error only; the same word of two rules is one expression.
                expression = Expression(*trigger, f"{rule.file}: {rule.id}")
                shared.setdefault(trigger, (expression, []))[1].append(len(sayings))
            sayings.append(Saying(index, statement, lead, tail))
    return Database([one for one, _ in shared.values()], cache), tuple(sayings), [sorted(set(numbers)) for _, numbers in shared.values()]


def _told(pattern: str) -> object:
    """What a pattern requires, as JSON."""
    needs = required(pattern)
    return needs and [sorted(needs.words), needs.lead, needs.tail]


def _needed(told: Any) -> Required | None:
    return Required(frozenset(Literal(*word) for word in told[0]), told[1], told[2]) if told else None


def _spelled(text: str) -> str:
    """A word with its other Danish spellings (æ or ae, å or aa), as an expression that both engines read."""
    escaped = "".join(_SPELLINGS.get(c, re.sub(r"([^\w\s])", r"\\\1", c)) for c in text)
    return re.sub(r"\s+", r"[ \\t\\r\\n]{1,3}", escaped)


def _word_trigger(word: Word) -> str:
    r"""A long word as a plain string of bytes: that compiles at once. A short one, and several words, with their ends and endings.

    Hyperscan's \b knows ASCII only: it stands only where it cannot wrongly say no.
    """
    if len(word.text) >= _PLAIN and not re.search(r"\s", word.text):
        return _either_case(_spelled(word.text))
    left = r"\b" if word.text[0].isascii() and word.text[0].isalnum() and not word.open_left else ""
    right = ""
    if not word.open_right and word.text[-1].isascii() and word.text[-1].isalnum():
        right = (r"(?:'?s)?" if word.exact else ENDINGS) + r"\b"
    return _either_case(left + _spelled(word.text) + right)


def _either_case(pattern: str) -> str:
    """Letters beyond ASCII in both cases, as without its UTF-8 mode, which compiles slowly, Hyperscan sees bytes."""
    return "".join(f"(?:{c.lower()}|{c.upper()})" if not c.isascii() and c.lower() != c.upper() else c for c in pattern)


def _on_bytes(pattern: str) -> str:
    """An expression that matches wherever this one does, for bytes: a run of letters may be of any length, as a letter may be two bytes."""
    pattern = re.sub(r"\\w\{(\d+),?\d*\}", lambda m: r"[\w\x80-\xff]" + ("*" if m[1] == "0" else "+"), pattern)
    return _either_case(pattern)


def word_regex(word: Word) -> re.Pattern[str]:
    """The exact expression of a word, with the endings it may carry; an open end takes the rest of the compound."""
    left = r"(?<!\w)\w{0,40}" if word.open_left else r"(?<!\w)"
    endings = r"(?:'?s)?" if word.exact else ENDINGS
    right = r"\w{0,40}" if word.open_right else endings + r"(?!\w)"
    return re.compile(left + _spelled(word.text) + right, 0 if word.exact else re.IGNORECASE)
