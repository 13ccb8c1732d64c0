"""Reads the rules, and refuses those that cannot keep their own promises.

A rules file is YAML. Either a list of rules under `rules:` as described in `rules/README.md`, or one of
Presidio's own recogniser files (a list under `recognizers:`), which load as they are.
"""

from __future__ import annotations

import fnmatch
import functools
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scanner.detect import checks, literals
from scanner.detect.memo import Memo, opened
from scanner.errors import RuleError

MAX_WIDTH = 400
"""A pattern of the project's own that could match more code points than this is refused (users' may be longer)."""

LAW = "law.yaml"
"""Lies beside the rules and is none: what the law says of keeping and deleting (`requests/law.py`)."""
CLASSES = ("technical", "general", "confidential", "criminal", "sensitive")
"""From the least to the most protected (Datatilsynet's practice; GDPR Art. 9 and 10)."""

_KEYS = {
    "id", "finds", "trigger", "pattern", "words", "recognizer", "names", "check", "evidence", "score", "context", "against",
    "window", "lead", "fields", "only_fields", "cell", "chance", "case", "unless",
    "languages", "countries", "about", "examples", "counterexamples", "statements", "prose", "model",
}  # fmt: skip
_TYPE = {"class", "title", "dpv", "fides", "identifies"}
_SCORE = {"match", "check", "context", "field", "against", "weak", "column"}


@dataclass(frozen=True, slots=True)
class DataType:
    """One entity of the taxonomy: what it is called, which class it has, and its terms in the vocabularies of DPV and Fides."""

    entity: str
    cls: str
    title: str
    dpv: str = ""
    identifies: bool = False
    fides: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A check that adds or takes away score without deciding."""

    check: str
    passed: float
    failed: float


@dataclass(frozen=True, slots=True)
class Score:
    """How a finding's score is made: `match`, replaced by `check` where a check passed, plus what stands around."""

    match: float = 0.5
    check: float | None = None
    context: float = 0.0
    field: float = 0.0
    against: float = 0.0
    weak: float = 0.5
    column: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is looked for.

    `pattern` is the exact Python expression (its group `value`, where it has one, is what is found); `trigger` the
    cheap Hyperscan expression; `width` the most code points that the pattern can match, None when there is no such number;
    `lead` the most that lie between a match's beginning and the end of the trigger in it, None when that is not known.
    """

    id: str
    entity: str
    cls: str
    file: str
    trigger: str
    pattern: str = ""
    width: int | None = None
    lead: int | None = None
    check: str = ""
    recognizer: str = ""
    words: tuple[Word, ...] = ()
    statements: tuple[Statement, ...] = ()
    prose: bool = False
    model: str = ""
    names: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    score: Score = Score()
    context: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    unless: str = ""
    window: int = 60
    fields: tuple[str, ...] = ()
    only_fields: bool = False
    cell: str = ""
    chance: float = 0.0
    case: bool = False
    prefilter: bool = False
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    about: str = ""
    examples: tuple[str, ...] = ()
    counterexamples: tuple[str, ...] = ()

    def regex(self) -> re.Pattern[str]:
        """The compiled pattern."""
        return _compile(self.pattern, self.case)

    def stance(self, field: str) -> int:
        """Whether a field's name speaks for this rule (1), against it (-1), or not at all (0)."""
        if _matches_field(self.fields, field):
            return 1
        return -1 if self.against and _names_one_of(self.against, field) else 0


@dataclass(frozen=True, slots=True)
class Word:
    """One line of a word list: `weak` words count only when tied to a person, `exact` ones only as written.

    `language` is its list's, and "" where the rule has the word in lists of several languages or of none.
    """

    text: str
    weak: bool
    exact: bool
    open_left: bool
    open_right: bool
    language: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """An expression for what is said of somebody, from the line `number` of its rule.

    `exact` as written; `check` a further condition of `detect/speech.py`.
    """

    pattern: str
    width: int
    number: int = 0
    exact: bool = False
    check: str = ""

    def regex(self) -> re.Pattern[str]:
        """The compiled expression, which begins where a word does and ends where one does, an inflection aside."""
        return _compile(rf"(?<!\w)(?:{self.pattern})(?:(?<=\w)\w{{0,3}}(?!\w)|(?<=\W))", self.exact)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All rules in use, and what they refer to."""

    rules: tuple[Rule, ...]
    types: Mapping[str, DataType]
    cues: frozenset[str]
    phrases: tuple[str, ...]
    digest: str
    home: Path

    def identifying(self) -> frozenset[str]:
        """The entities that point at a person by themselves, so that a word beside them is about somebody."""
        return frozenset(t.entity for t in self.types.values() if t.identifies)


def load(folders: Sequence[Path], *, countries: Sequence[str] = (), languages: Sequence[str] = (), cache: Path | None = None) -> Ruleset:
    """Read every rules file in `folders`; the first folder is the project's own and holds the taxonomy.

    What was found of expressions before is taken from the folder `cache`.

    Raises `RuleError`, naming file, rule and mistake.
    """
    with opened(cache, "rules", __file__, literals.__file__) as memo:
        return _load(folders, countries, languages, memo)


def _load(folders: Sequence[Path], countries: Sequence[str], languages: Sequence[str], memo: Memo) -> Ruleset:
    types = taxonomy(folders[0] / "taxonomy.yaml")
    rules: list[Rule] = []
    seen: dict[str, str] = {}
    state = hashlib.blake2b(digest_size=16)
    for folder in folders:
        if not folder.is_dir():
            raise RuleError(f"{folder}: no such folder of rules")
        for path in sorted(folder.glob("*.y*ml")):
            if path.name in ("taxonomy.yaml", LAW):
                continue
            raw = path.read_bytes()
            state.update(raw)
            for rule in _file(path, raw, types, folders[0], frozenset(languages), memo):
                if rule.id in seen:
                    raise RuleError(f"{path.name}: {rule.id}: this id stands in {seen[rule.id]} too")
                seen[rule.id] = path.name
                if rule.languages and languages and not set(rule.languages) & set(languages):
                    continue
                if rule.countries and countries and not set(rule.countries) & set(countries):
                    continue
                if not (rule.pattern or rule.words or rule.names or rule.recognizer or rule.statements or rule.model):
                    continue  # its words are in languages that are switched off
                rules.append(rule)
        for path in sorted((folder / "words").glob("*.txt")):
            state.update(path.read_bytes())
    state.update((folders[0] / "taxonomy.yaml").read_bytes())
    state.update(repr((sorted(countries), sorted(languages), [r.id for r in rules])).encode())
    cues, phrases = _cues(folders[0] / "words")
    return Ruleset(tuple(rules), types, cues, phrases, state.hexdigest(), folders[0])


def _yaml(path: Path, raw: bytes) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(raw, Loader=loader)  # noqa: S506 - a safe loader, in C where there is one
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise RuleError(f"{path.name}: line {line}: not readable as YAML: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise RuleError(f"{path.name}: not readable as YAML") from None


def taxonomy(path: Path) -> dict[str, DataType]:
    """Read the taxonomy: what can be found. Raises `RuleError` for a class or a key that there is not."""
    if not path.is_file():
        raise RuleError(f"{path}: the taxonomy is missing")
    types = {}
    for entity, entry in _yaml(path, path.read_bytes()).items():
        if entry.get("class") not in CLASSES:
            raise RuleError(f"taxonomy.yaml: {entity}: class must be one of {', '.join(CLASSES)}")
        if unknown := sorted(set(entry) - _TYPE):
            raise RuleError(f"taxonomy.yaml: {entity}: unknown key {unknown[0]!r}")
        types[entity] = DataType(
            entity, entry["class"], entry.get("title", entity), entry.get("dpv", ""), bool(entry.get("identifies")), entry.get("fides", "")
        )
    return types


def _file(path: Path, raw: bytes, types: dict[str, DataType], home: Path, languages: frozenset[str], memo: Memo) -> Iterable[Rule]:
    document = _yaml(path, raw)
    if isinstance(document, dict) and "recognizers" in document:
        from scanner.detect import presidio_files

        yield from presidio_files.rules(path, document["recognizers"], types)
        return
    if isinstance(document, dict):
        document = document.get("rules")
    if not isinstance(document, list):
        raise RuleError(f"{path.name}: expected a list of rules, or Presidio's `recognizers:`")
    for number, entry in enumerate(document, 1):
        yield _rule(path, number, entry, types, home, languages, memo)


def _rule(path: Path, number: int, entry: Any, types: dict[str, DataType], home: Path, on: frozenset[str], memo: Memo) -> Rule:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise RuleError(f"{path.name}: rule {number}: has no id")
    name = f"{path.name}: {entry['id']}"
    if unknown := sorted(set(entry) - _KEYS):
        raise RuleError(f"{name}: unknown key {unknown[0]!r}")
    if entry.get("finds") not in types:
        raise RuleError(f"{name}: finds {entry.get('finds')!r}, which is not in taxonomy.yaml")
    if sum(key in entry for key in ("pattern", "words", "recognizer", "names", "statements", "model")) != 1:
        raise RuleError(f"{name}: needs exactly one of pattern, words, recognizer, names, statements, model")
    if not entry.get("examples") or not entry.get("counterexamples"):
        raise RuleError(f"{name}: needs examples and counterexamples")
    score = _score(name, entry.get("score", {}))
    pattern = entry.get("pattern", "")
    width: int | None = 0
    if pattern:
        _compiles(name, "pattern", pattern, memo)
        width = memo("width", pattern, width_of)
        if width is None and home == path.parent:
            raise RuleError(f"{name}: its pattern could match more than {MAX_WIDTH} code points")
        pattern = ascii_digits(pattern)
        if entry.get("cell"):
            _compiles(name, "cell", entry["cell"], memo)
    evidence = tuple(
        Evidence(_check(name, item.get("check", "")), float(item.get("pass", 0)), float(item.get("fail", 0)))
        for item in entry.get("evidence", ())
    )
    words: tuple[Word, ...] = ()
    if "words" in entry:
        files = entry["words"] if isinstance(entry["words"], list) else [entry["words"]]
        words = _international([w for file in files if _spoken(file, on) for w in read_words(_list(name, path, home, file))])
    names: tuple[str, ...] = ()
    if "names" in entry:
        if not isinstance(entry["names"], dict) or set(entry["names"]) != {"first", "last", "common"}:
            raise RuleError(f"{name}: names takes three lists: first, last, common")
        names = tuple(str(_list(name, path, home, entry["names"][key])) for key in ("first", "last", "common"))
    if entry.get("recognizer") and not entry.get("trigger"):
        raise RuleError(f"{name}: a recognizer needs a trigger, so that it is not asked about every row")
    return Rule(
        id=entry["id"],
        entity=entry["finds"],
        cls=types[entry["finds"]].cls,
        file=path.name,
        trigger=entry.get("trigger") or pattern,
        prefilter="trigger" not in entry,
        pattern=pattern,
        width=width,
        lead=int(entry["lead"]) if "lead" in entry else None,
        check=_check(name, entry["check"]) if "check" in entry else "",
        recognizer=entry.get("recognizer", ""),
        words=words,
        statements=tuple(
            s for line in enumerate(_strings(name, "statements", entry)) for s in _statements(name, path, home, line, on, memo)
        ),
        prose=bool(entry.get("prose", False)) or "statements" in entry,
        model=_model(name, entry.get("model", "")),
        names=names,
        evidence=evidence,
        score=score,
        context=_strings(name, "context", entry),
        against=_strings(name, "against", entry),
        unless=entry.get("unless", ""),
        window=int(entry.get("window", 60)),
        fields=tuple(fold_field(f) for f in _strings(name, "fields", entry)),
        only_fields=bool(entry.get("only_fields", False)),
        cell=entry.get("cell", ""),
        chance=float(entry.get("chance", 0.0)),
        case=bool(entry.get("case", False)),
        languages=_strings(name, "languages", entry),
        countries=_strings(name, "countries", entry),
        about=entry.get("about", ""),
        examples=_strings(name, "examples", entry),
        counterexamples=_strings(name, "counterexamples", entry),
    )


def _statements(name: str, path: Path, home: Path, numbered: tuple[int, str], on: frozenset[str], memo: Memo) -> Iterable[Statement]:
    """One line of a statement rule: `=` in front for as written, `@check:`; `<list>` stands for any word of words/list.txt.

    `da:` in front of all: only where Danish is on.
    """
    number, line = numbered
    if language := re.match(r"([a-z]{2}):", line):
        if on and language[1] not in on:
            return
        line = line[3:]
    exact = line.startswith("=")
    line = line.removeprefix("=")
    check = ""
    if line.startswith("@"):
        check, line = line[1:].split(":", 1)
    pattern = re.sub(r"<([a-z_]+)>", lambda match: _alternatives(_list(name, path, home, f"{match[1]}.txt")), line)
    _compiles(name, "a statement", pattern, memo)
    for part, width in memo("alternatives", pattern, _measured):
        if width is None:
            raise RuleError(f"{name}: a statement could match more than {MAX_WIDTH} code points: {line[:60]}")
        yield Statement(part, width + 3, number, exact, check)


def _measured(pattern: str) -> list[tuple[str, int | None]]:
    """The alternatives of a statement, each with its width."""
    return [(part, width_of(part)) for part in literals.alternatives(ascii_digits(pattern))]


@functools.cache
def _alternatives(path: Path) -> str:
    words = sorted({word.text for word in read_words(path)}, key=lambda word: (-len(word), word))
    return "(?:" + "|".join(re.sub(r"\\? ", " ", re.escape(word)) for word in words) + ")"


def _model(name: str, level: Any) -> str:
    if level not in ("", "fast", "full"):
        raise RuleError(f"{name}: model must be fast (whatever model the level of prose has) or full (our encoder)")
    return str(level)


def _spoken(file: str, languages: frozenset[str]) -> bool:
    """Whether a word list is used: `religion.da.txt` only where Danish is, `medicines.txt` always."""
    language = _language(file)
    return not language or not languages or language in languages


def _language(file: str) -> str:
    match = re.search(r"\.([a-z]{2})\.txt$", file)
    return match[1] if match else ""


def _international(words: list[Word]) -> tuple[Word, ...]:
    """A word that is in the lists of two languages, or in one of no language, tells none."""
    spoken: dict[str, set[str]] = {}
    for word in words:
        spoken.setdefault(word.text.casefold(), set()).add(word.language)
    return tuple(word if len(spoken[word.text.casefold()]) == 1 else replace(word, language="") for word in words)


def _score(name: str, entry: Any) -> Score:
    if not isinstance(entry, dict) or set(entry) - _SCORE:
        raise RuleError(f"{name}: score takes only {', '.join(sorted(_SCORE))}")
    try:
        values = {key: float(value) for key, value in entry.items()}
    except (TypeError, ValueError):
        raise RuleError(f"{name}: a score is a number") from None
    if not all(-1 <= value <= 1 for value in values.values()):
        raise RuleError(f"{name}: a score lies between -1 and 1")
    return Score(**values)


def _strings(name: str, key: str, entry: dict[str, Any]) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RuleError(f"{name}: {key} must be a list of texts (quote numbers)")
    return tuple(value)


def _check(name: str, check: str) -> str:
    if check not in checks.CHECKS:
        raise RuleError(f"{name}: there is no check called {check!r}")
    return check


def _compiles(name: str, key: str, pattern: str, memo: Memo) -> None:
    try:
        memo("compiles", pattern, lambda text: bool(re.compile(text)))
    except re.error as error:
        raise RuleError(f"{name}: {key} does not compile: {error.msg} at position {error.pos}") from None


def width_of(pattern: str) -> int | None:
    """The most code points that a pattern can match; None when that is not bounded by `MAX_WIDTH`."""
    _, most = re._parser.parse(pattern).getwidth()  # type: ignore[attr-defined, unused-ignore]
    return None if most > MAX_WIDTH else int(most)


@functools.cache
def _compile(pattern: str, case: bool) -> re.Pattern[str]:
    return re.compile(pattern, 0 if case else re.IGNORECASE)


def ascii_digits(pattern: str) -> str:
    r"""Let `\d` mean 0 to 9 only, as it does in the first pass."""
    out: list[str] = []
    inside = False
    position = 0
    while position < len(pattern):
        pair = pattern[position : position + 2]
        if pair[0] == "\\" and len(pair) == 2:
            out.append(("0-9" if inside else "[0-9]") if pair == r"\d" else pair)
            position += 2
            continue
        if pair[0] == "[" and not inside:
            inside = True
            if pattern[position + 1 : position + 2] == "]" or pattern[position + 1 : position + 3] == "^]":
                raise re.error("write ] inside a class as \\]", pattern, position)
        elif pair[0] == "]":
            inside = False
        out.append(pair[0])
        position += 1
    return "".join(out)


def fold_field(field: str) -> str:
    """A field's name as rules compare it: lower case, Danish letters in their ASCII spelling, separators as `_`."""
    text = unicodedata.normalize("NFC", field)
    text = re.sub(r"(?<=[a-zæøå0-9])(?=[A-ZÆØÅ])", "_", text).lower()
    for letter, plain in (("æ", "ae"), ("ø", "oe"), ("å", "aa")):
        text = text.replace(letter, plain)
    return re.sub(r"[^a-z0-9*?.:/]+", "_", text).strip("_")


@functools.lru_cache(maxsize=1_024)
def _name_of(field: str) -> tuple[str, str, str]:
    """A field's name folded, the last part of it, and all of it with `_` before each part."""
    folded = fold_field(field)
    return folded, re.split(r"[./:]", folded)[-1], "_" + re.sub(r"[^a-z0-9]+", "_", folded)


def _matches_field(globs: tuple[str, ...], field: str) -> bool:
    if not globs or not field:
        return False
    folded, last, _ = _name_of(field)
    matches = _globs(globs).fullmatch
    return matches(last) is not None or matches(folded) is not None


@functools.cache
def _globs(globs: tuple[str, ...]) -> re.Pattern[str]:
    """All of some shell patterns as one expression."""
    return re.compile("|".join(map(fnmatch.translate, globs)))


def _names_one_of(words: tuple[str, ...], field: str) -> bool:
    """Whether one of some words stands at the beginning of a part of a field's name."""
    _, _, folded = _name_of(field)
    return any(begun in folded for begun in _begun(words))


@functools.cache
def _begun(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("_" + re.sub(r"[^a-z0-9]+", "_", fold_field(word)) for word in words if len(word) > 2)


def _list(name: str, path: Path, home: Path, file: str) -> Path:
    for folder in (path.parent / "words", home / "words"):
        if (folder / file).is_file():
            return folder / file
    raise RuleError(f"{name}: there is no word list words/{file}")


def read_words(path: Path) -> list[Word]:
    """The entries of a word list. Line syntax: `term` strong, `~term` weak, `=TERM` exact, `stem*` and `*stem` open."""
    words = []
    language = _language(path.name)
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        exact = line.startswith("=")
        line = line.removeprefix("=")
        weak = line.startswith("~")
        line = unicodedata.normalize("NFC", line.removeprefix("~").strip())
        text = line.strip("*").strip()
        if text:
            words.append(Word(text, weak, exact, line.startswith("*"), line.endswith("*"), language))
    return words


def _cues(folder: Path) -> tuple[frozenset[str], tuple[str, ...]]:
    """Words and phrases that tie a sensitive term to a person: `words/person_cues.*.txt`."""
    single: set[str] = set()
    phrases: set[str] = set()
    for path in sorted(folder.glob("person_cues.*.txt")):
        for word in read_words(path):
            text = word.text.lower()
            if re.fullmatch(r"\w+", text) and not word.open_right:
                single.add(text)
            elif re.fullmatch(r"\w+", text):
                phrases.add(text)
            else:
                phrases.add(re.sub(r"\W+", " ", text).strip() + ("" if word.open_right else " "))
    return frozenset(single), tuple(sorted(phrases))
