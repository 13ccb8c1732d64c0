"""persondata.toml in, frozen dataclasses out. Secrets stand in it only as references: env:, file:, keyring:."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from scanner.errors import ConfigError
from scanner.model import Limits

_LIST = ("source", "recipient", "retention", "consent", "hold")
_KEYS: dict[str, frozenset[str]] = {
    "controller": frozenset({"name", "contact", "country", "fiscal_year_end", "representative", "dpo", "security"}),
    "source": frozenset(
        {"name", "url", "password", "include", "exclude", "people", "purpose", "legal_basis", "recipients", "security", "views"}
    ),
    "recipient": frozenset({"name", "contact", "receives", "country", "role", "safeguards"}),
    "retention": frozenset({"name", "applies_to", "keep", "after", "when", "from", "required", "law"}),
    "consent": frozenset({"applies_to", "withdrawn"}),
    "hold": frozenset({"person", "reason", "law", "until"}),
    "requests": frozenset({"answer_within"}),
    "rules": frozenset({"folders", "countries", "languages"}),
    "prose": frozenset({"level", "engine"}),
    "limits": frozenset(Limits.__dataclass_fields__),
    "archives": frozenset({"passwords"}),
    "inventory": frozenset({"key"}),
}
EEA = frozenset(
    ["AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT",
     "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO"]
)  # fmt: skip
"""The European Economic Area, by ISO 3166-1: beyond it, GDPR Art. 15(2) and 30(1)(e) ask for the safeguards of a transfer."""

LEVELS = ("off", "fast", "full")
"""How hard names are looked for in sentences."""

WITHIN = re.compile(r"([1-9][0-9]{0,3}) (day|week|month)s?")
"""How a time is written."""

KEEP = re.compile(r"([1-9][0-9]{0,3}) (day|week|month|year)s?")
"""How long something is kept."""

YEAR_END = "end of financial year"
"""The only word of `from`: the clock starts when the financial year of the day ends."""

_PLACE = re.compile(r"[^:]+:.+", re.DOTALL)
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]?)i?B?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One `[[source]]`: a place that is scanned, and what the company says about it."""

    name: str
    url: str
    password: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    people: str = ""
    purpose: str = ""
    legal_basis: str = ""
    recipients: tuple[str, ...] = ()
    security: str = ""


@dataclass(frozen=True, slots=True)
class Controller:
    """`[controller]`: who answers for the data. `fiscal_year_end` is `MM-DD`; `security` describes the measures that hold for all
    sources (GDPR Art. 30(1)(g))."""

    name: str = ""
    contact: str = ""
    country: str = ""
    fiscal_year_end: str = ""
    representative: str = ""
    dpo: str = ""
    security: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One `[[recipient]]`: somebody who gets data, and which entities.

    `role` says in the company's words what it is (a processor, a controller of its own), `safeguards` what a transfer out of the EEA
    relies on.
    """

    name: str
    contact: str = ""
    country: str = ""
    receives: tuple[str, ...] = ()
    role: str = ""
    safeguards: str = ""

    @property
    def outside(self) -> bool:
        """Whether it is stated to be in a country outside the European Economic Area."""
        return bool(self.country) and self.country.upper() not in EEA


@dataclass(frozen=True, slots=True)
class Retention:
    """One `[[retention]]`: how long the records of some objects are kept, and from when.

    `applies_to` are patterns SOURCE:OBJECT. `after` is where the clock starts: a column, `object.column` or `source:object.column`,
    or `modified` (of a file) or `date` (of a mail, or what a document says itself). `when` is the company's own SQL condition on that
    column's table. With `year_end` the clock starts at the end of the financial year. `required`: the law wants it kept so long.
    """

    name: str
    applies_to: tuple[str, ...]
    keep: str
    after: str
    when: str = ""
    year_end: bool = False
    required: bool = False
    law: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """One `[[consent]]`: records that stand on a consent, and the column that says when it was withdrawn."""

    applies_to: tuple[str, ...]
    withdrawn: str


@dataclass(frozen=True, slots=True)
class Hold:
    """One `[[hold]]`: a person whose records must stay. `person` is JSON as `--person` takes it, and not for showing."""

    reason: str
    law: str = ""
    until: date | None = None
    person: str = field(default="{}", repr=False)

    def holds(self, day: date) -> bool:
        """Whether it still holds on a day; without `until` it always does."""
        return self.until is None or day <= self.until


@dataclass(frozen=True, slots=True)
class KnownConfig:
    """One line of `[known]`: a query to a source of the configuration, or a file with columns."""

    name: str
    source: str = ""
    query: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """What a company says once. `folder` is where the file lies; relative paths start there."""

    folder: Path = field(default_factory=Path)
    sources: tuple[SourceConfig, ...] = ()
    rule_folders: tuple[Path, ...] = ()
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    prose_level: str = "fast"
    prose_engine: Path | None = None
    limits: Limits = Limits()
    inventory_key: str = ""
    archive_passwords: tuple[str, ...] = ()
    known: tuple[KnownConfig, ...] = ()
    controller: Controller = Controller()
    recipients: tuple[Recipient, ...] = ()
    retention: tuple[Retention, ...] = ()
    consent: tuple[Consent, ...] = ()
    holds: tuple[Hold, ...] = ()
    answer_within: str = ""
    """How soon the company answers a request, by its own policy: `14 days`, `2 weeks` or `1 month`; empty for the law's month."""


def load(path: Path | None) -> Config:
    """Read a configuration file; None means `persondata.toml` in the working folder where there is one.

    Raises `ConfigError`: no such file, not TOML, an unknown key (by its name), a value of the wrong kind.
    """
    if path is None:
        path = Path("persondata.toml")
        if not path.is_file():
            return Config()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as TOML: {error}") from None
    _refuse_unknown(path, document)
    names = [entry.get("name") for entry in document.get("source", ())]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"{path}: two sources are called {twice!r}")
    rules = document.get("rules", {})
    folder = path.parent
    return Config(
        folder=folder,
        sources=tuple(_source(path, number, entry) for number, entry in enumerate(document.get("source", ()), 1)),
        rule_folders=tuple(folder / text for text in _texts(path, "rules.folders", rules.get("folders", ()))),
        countries=_texts(path, "rules.countries", rules.get("countries", ())),
        languages=_texts(path, "rules.languages", rules.get("languages", ())),
        prose_level=_level(path, document.get("prose", {})),
        prose_engine=_engine(path, document.get("prose", {})),
        limits=_limits(path, document.get("limits", {})),
        inventory_key=str(document.get("inventory", {}).get("key", "")),
        archive_passwords=_references(path, "archives.passwords", document.get("archives", {}).get("passwords", ())),
        known=tuple(_known(path, name, entry) for name, entry in document.get("known", {}).items()),
        controller=_controller(path, document.get("controller", {})),
        recipients=tuple(_recipient(path, number, entry) for number, entry in enumerate(document.get("recipient", ()), 1)),
        retention=_retentions(path, document.get("retention", ())),
        consent=tuple(_consent(path, number, entry) for number, entry in enumerate(document.get("consent", ()), 1)),
        holds=tuple(_hold(path, number, entry) for number, entry in enumerate(document.get("hold", ()), 1)),
        answer_within=_within(path, document.get("requests", {})),
    )


def secret(reference: str, folder: Path) -> str:
    """What a reference stands for. Raises `ConfigError`, which names the reference and never the secret."""
    kind, _, rest = reference.partition(":")
    if kind == "env" and rest:
        value = os.environ.get(rest)
        if value is None:
            raise ConfigError(f"{reference}: the environment has no variable {rest}")
        return value
    if kind == "file" and rest:
        try:
            return (folder / rest).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"{reference}: cannot be read") from None
    if kind == "keyring" and "/" in rest:
        try:
            import keyring
        except ImportError:
            raise ConfigError(f"{reference}: needs the package keyring (pip install keyring)") from None
        service, _, user = rest.partition("/")
        value = keyring.get_password(service, user)
        if value is None:
            raise ConfigError(f"{reference}: the keyring has no such entry")
        return str(value)
    raise ConfigError("a secret must be a reference: env:NAME, file:PATH or keyring:SERVICE/USER")


def _refuse_unknown(path: Path, document: Mapping[str, Any]) -> None:
    for section, entry in document.items():
        if section == "known":
            continue
        if section not in _KEYS:
            raise ConfigError(f"{path}: unknown section [{section}]")
        if section in _LIST:
            if not isinstance(entry, list):
                raise ConfigError(f"{path}: write [[{section}]], there may be several")
            entries = entry
        else:
            entries = [entry]
        for item in entries:
            if not isinstance(item, dict):
                raise ConfigError(f"{path}: [{section}] must be a table")
            for key in item:
                if key not in _KEYS[section]:
                    raise ConfigError(f"{path}: unknown key {key!r} in [{section}]; known are {', '.join(sorted(_KEYS[section]))}")


def _source(path: Path, number: int, entry: Mapping[str, Any]) -> SourceConfig:
    for key in ("name", "url"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise ConfigError(f"{path}: [[source]] number {number} needs a {key}")
    password = entry.get("password", "")
    if not isinstance(password, str) or (password and password.partition(":")[0] not in ("env", "file", "keyring")):
        raise ConfigError(f"{path}: source {entry['name']!r}: password must be a reference: env:NAME, file:PATH or keyring:SERVICE/USER")
    people, purpose, legal_basis, security = (
        _text(path, f"source {entry['name']!r}: {key}", entry.get(key, "")) for key in ("people", "purpose", "legal_basis", "security")
    )
    include, exclude, recipients = (_texts(path, key, entry.get(key, ())) for key in ("include", "exclude", "recipients"))
    return SourceConfig(entry["name"], entry["url"], password, include, exclude, people, purpose, legal_basis, recipients, security)


def _controller(path: Path, entry: Mapping[str, Any]) -> Controller:
    made = Controller(**{key: _text(path, f"controller.{key}", value) for key, value in entry.items()})
    if made.fiscal_year_end and not re.fullmatch(r"(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", made.fiscal_year_end):
        raise ConfigError(f"{path}: controller.fiscal_year_end must be a month and a day, such as '12-31'")
    return made


def _recipient(path: Path, number: int, entry: Mapping[str, Any]) -> Recipient:
    if not entry.get("name"):
        raise ConfigError(f"{path}: [[recipient]] number {number} needs a name")
    name, contact, country, role, safeguards = (
        _text(path, f"recipient.{key}", entry.get(key, "")) for key in ("name", "contact", "country", "role", "safeguards")
    )
    return Recipient(name, contact, country, _texts(path, "recipient.receives", entry.get("receives", ())), role, safeguards)


def _retentions(path: Path, entries: Any) -> tuple[Retention, ...]:
    found = tuple(_retention(path, number, entry) for number, entry in enumerate(entries, 1))
    names = [one.name for one in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"{path}: two retention policies are called {twice!r}")
    return found


def _retention(path: Path, number: int, entry: Mapping[str, Any]) -> Retention:
    name = _text(path, f"retention number {number}: name", entry.get("name", "")) or f"retention {number}"
    said = f"retention {name!r}"
    keep, after, when, since, law = (_text(path, f"{said}: {key}", entry.get(key, "")) for key in ("keep", "after", "when", "from", "law"))
    if not KEEP.fullmatch(keep):
        raise ConfigError(f"{path}: {said}: keep must be a time such as '1 year', '6 months' or '30 days'")
    if since not in ("", YEAR_END):
        raise ConfigError(f"{path}: {said}: from can only be {YEAR_END!r}")
    required = entry.get("required", False)
    if not isinstance(required, bool):
        raise ConfigError(f"{path}: {said}: required must be true or false")
    if any(mark in when for mark in (";", "--", "/*", "\0")):
        raise ConfigError(f"{path}: {said}: when must be one SQL condition, without ';' and without comments")
    if when and after in ("modified", "date"):
        raise ConfigError(f"{path}: {said}: when is a condition on a table; after = {after!r} has none")
    places = _places(path, said, entry.get("applies_to", ()))
    return Retention(name, places, keep, _clock(path, f"{said}: after", after), when, bool(since), required, law)


def _consent(path: Path, number: int, entry: Mapping[str, Any]) -> Consent:
    said = f"consent number {number}"
    withdrawn = _clock(path, f"{said}: withdrawn", _text(path, f"{said}: withdrawn", entry.get("withdrawn", "")))
    if withdrawn in ("modified", "date"):
        raise ConfigError(f"{path}: {said}: withdrawn must name a column, OBJECT.COLUMN or SOURCE:OBJECT.COLUMN")
    return Consent(_places(path, said, entry.get("applies_to", ())), withdrawn)


def _hold(path: Path, number: int, entry: Mapping[str, Any]) -> Hold:
    said = f"hold number {number}"
    person, until = entry.get("person"), entry.get("until")
    if not isinstance(person, dict) or not person:
        raise ConfigError(f'{path}: {said}: person must hold identifiers, such as {{ id = {{ customer_no = "10442" }} }}')
    if isinstance(until, str):
        try:
            until = date.fromisoformat(until)
        except ValueError:
            raise ConfigError(f"{path}: {said}: until must be a day, such as 2027-12-31") from None
    if until is not None and type(until) is not date:
        raise ConfigError(f"{path}: {said}: until must be a day, such as 2027-12-31")
    reason, law = (_text(path, f"{said}: {key}", entry.get(key, "")) for key in ("reason", "law"))
    if not reason:
        raise ConfigError(f"{path}: {said} needs a reason")
    try:
        return Hold(reason, law, until, json.dumps(person, ensure_ascii=False))
    except TypeError:
        raise ConfigError(f"{path}: {said}: identifiers are texts") from None


def _places(path: Path, said: str, value: Any) -> tuple[str, ...]:
    places = _texts(path, f"{said}: applies_to", value)
    if not places or not all(map(_PLACE.fullmatch, places)):
        raise ConfigError(f"{path}: {said}: applies_to must be a list of patterns SOURCE:OBJECT, such as 'crm:public.orders'")
    return places


def _clock(path: Path, said: str, text: str) -> str:
    if text not in ("modified", "date") and not re.fullmatch(r"(?:[^:]+:)?.+\..+", text, re.DOTALL):
        raise ConfigError(f"{path}: {said} must be a column, OBJECT.COLUMN or SOURCE:OBJECT.COLUMN, or 'modified' or 'date'")
    return text


def _within(path: Path, entry: Mapping[str, Any]) -> str:
    within = _text(path, "requests.answer_within", entry.get("answer_within", ""))
    if within and not WITHIN.fullmatch(within):
        raise ConfigError(f"{path}: requests.answer_within must be a time such as '14 days', '2 weeks' or '1 month'")
    return within


def _references(path: Path, key: str, value: Any) -> tuple[str, ...]:
    references = _texts(path, key, value)
    if any(one.partition(":")[0] not in ("env", "file", "keyring") for one in references):
        raise ConfigError(f"{path}: {key} must be references: env:NAME, file:PATH or keyring:SERVICE/USER")
    return references


def _known(path: Path, name: str, entry: Any) -> KnownConfig:
    if isinstance(entry, dict) and all(isinstance(value, str) for value in entry.values()):
        if set(entry) == {"source", "query"}:
            return KnownConfig(name, source=entry["source"], query=entry["query"].strip().rstrip(";"))
        if set(entry) == {"file"}:
            return KnownConfig(name, file=str(path.parent / entry["file"]))
    raise ConfigError(f'{path}: [known] {name} must be {{ source = "NAME", query = "select …" }} or {{ file = "PATH" }}')


def _level(path: Path, entry: Mapping[str, Any]) -> str:
    level = entry.get("level", "fast")
    if level not in LEVELS:
        raise ConfigError(f"{path}: prose.level must be one of {', '.join(LEVELS)}")
    return str(level)


def _engine(path: Path, entry: Mapping[str, Any]) -> Path | None:
    """A file in the format of Presidio's NLP-engine configuration."""
    engine = entry.get("engine")
    if engine is None:
        return None
    if not isinstance(engine, str) or not (path.parent / engine).is_file():
        raise ConfigError(f"{path}: prose.engine must name a file: Presidio's NLP-engine configuration")
    return path.parent / engine


def _text(path: Path, key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{path}: {key} must be a text")
    return value


def _texts(path: Path, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{path}: {key} must be a list of texts")
    return tuple(value)


def _limits(path: Path, entry: Mapping[str, Any]) -> Limits:
    values: dict[str, Any] = {}
    for key, value in entry.items():
        if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
            value = int(float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " "))
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
            raise ConfigError(f"{path}: limits.{key} must be a number above 0, or a size such as '2 GB'")
        values[key] = value if key == "unit_seconds" else int(value)
    return Limits(**values)
