"""A deletion plan: what should become of each record of one person, as a file that nothing executes.

The plan names records, never what stands in them; whom it is about is sealed inside it (AES-256-GCM, the inventory's key), and the
seal is bound to all the rest, so that a plan that was changed opens no more.
A record whose key is itself personal data, and the statement that deletes it, stand as they are: the plan is for whoever
carries it out, and is written readable by its owner only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from scanner import seal
from scanner.errors import UsageError
from scanner.model import Identifier, Subject

FORMAT = "persondata deletion plan 1"


class Action(StrEnum):
    """What should become of a record."""

    DELETE = "delete"
    ANONYMISE = "anonymise"
    """The record stays, for something that is kept points at it; what tells who it is goes."""
    RESTRICT = "restrict"
    """It stays, and is used for nothing but the reason for which it stays (GDPR Art. 18)."""
    KEEP = "keep"
    REVIEW = "review"
    """A person must decide, or do what no program can do from outside."""


MUST_GO = frozenset({Action.DELETE, Action.ANONYMISE})
"""Of what these are planned for nothing of hers may be left."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What is planned for one record. The first nine are the contract's.

    `reason` is a sentence in English. `law` names the rule, `until` the last day (ISO) that it is kept; both may be empty.
    `statement` is the SQL that does it, empty for what is no row. `link` and `why` are the search's, `role` hers in the record.
    `rows` is how many rows the statement touches. `print` is a keyed digest of the row as it was (hexadecimal, empty where it is
    no row), which tells a row that is still there from another one under the same key.
    """

    source: str
    object: str
    record: str
    field: str
    action: Action
    reason: str
    law: str = ""
    until: str = ""
    statement: str = ""
    link: str = ""
    why: str = ""
    role: str = ""
    rows: int = 0
    print: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """What is to be run in one database, in one transaction. `statements` go from children to parents; `rows` says how many each touches.

    `notes` say what happens beside it: triggers, cascades, columns that cannot be null.
    """

    source: str
    dialect: str
    statements: tuple[str, ...]
    rows: tuple[int, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who got her data and must be told (GDPR Art. 19). `data` are entities; `text` is what to write, without her identifiers."""

    name: str
    contact: str
    data: tuple[str, ...]
    places: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A place that could not be looked at."""

    source: str
    object: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan. `id` names it everywhere; `made` is the moment (UTC, ISO 8601), `day` the day by which times were judged.

    `after_restore` are places whose copies in backups must be deleted again after a restore. `looked` are the names of the sources
    that were searched; `inventory` is the inventory's id, whose key opens `person`.
    """

    id: str
    made: str
    day: str
    inventory: str
    controller: str
    request: str
    person: Subject
    actions: tuple[Planned, ...]
    scripts: tuple[Script, ...]
    recipients: tuple[Told, ...]
    coverage: tuple[Gap, ...]
    looked: tuple[str, ...]
    after_restore: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything could be looked at."""
        return not self.coverage

    def __repr__(self) -> str:
        return f"Plan({self.id}, {len(self.actions)} actions)"


def dump(plan: Plan, key: bytes) -> str:
    """The plan as JSON; the first line says whether it is whole."""
    what = "complete" if plan.complete else f"INCOMPLETE: {len(plan.coverage)} places could not be looked at, see coverage"
    said: dict[str, Any] = {"plan": what, "format": FORMAT}
    said |= {one.name: getattr(plan, one.name) for one in fields(Plan) if one.name not in _LISTS and one.name != "person"}
    said["person"] = {"entities": sorted({one.entity for one in plan.person.identifiers})}
    said |= {name: [asdict(one) for one in getattr(plan, name)] for name in _LISTS}
    sealed = seal.lock(key, _told(plan.person).encode(), _about(said))
    said["person"]["sealed"] = base64.b64encode(sealed).decode()
    return "{" + json.dumps(said, ensure_ascii=False, indent=1).removeprefix("{\n ")


def write(plan: Plan, out: Path, key: bytes) -> None:
    """Write the plan to a file that only its owner may read. Raises `OSError`."""
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(dump(plan, key))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(out)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def load(path: Path, key: bytes) -> Plan:
    """A plan from its file. Raises `UsageError` when it is none, `InventoryError` when the key does not fit or the seal was changed."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path}: is no plan of persondata") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise UsageError(f"{path}: is no plan of persondata")
    try:
        locked = base64.b64decode(said["person"].pop("sealed"), validate=True)
        plain: dict[str, Any] = {one.name: said[one.name] for one in fields(Plan) if one.name not in _LISTS and one.name != "person"}
        about = _about(said)
        lists: dict[str, Any] = {name: tuple(_read(kind, one) for one in said[name]) for name, kind in _LISTS.items()}
        plain |= {name: tuple(plain[name]) for name in ("looked", "after_restore", "notes")}
        person = json.loads(seal.unlock(key, locked, about))
        return Plan(**plain, **lists, person=Subject(tuple(Identifier(*one) for one in person)))
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise UsageError(f"{path}: is a plan that was changed or broken off") from None


def _read(kind: type, said: dict[str, Any]) -> Any:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
    if kind is Planned:
        values["action"] = Action(values["action"])
    return kind(**values)


def _told(person: Subject) -> str:
    return json.dumps([[one.entity, one.value, one.column, one.why, one.step] for one in person.identifiers], ensure_ascii=False)


def _about(said: dict[str, Any]) -> str:
    """What the seal is bound to: all of the plan but the seal."""
    rest = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"plan {hashlib.sha256(rest.encode()).hexdigest()}"


def by_place(actions: Iterable[Planned]) -> dict[tuple[str, str], list[Planned]]:
    """What is planned, by source and object."""
    found: dict[tuple[str, str], list[Planned]] = {}
    for one in actions:
        found.setdefault((one.source, one.object), []).append(one)
    return found


_LISTS: dict[str, type] = {"actions": Planned, "scripts": Script, "recipients": Told, "coverage": Gap}
