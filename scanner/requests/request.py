"""What a request is, as the inventory has it: its kind, its state, its deadlines, and what was done with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple

from scanner import seal
from scanner.errors import UsageError
from scanner.inventory import Book
from scanner.requests import deadlines


class Kind(StrEnum):
    """What is asked for: GDPR Art. 15, 17, 16, 20, 21 and 18."""

    ACCESS = "access"
    DELETION = "deletion"
    RECTIFICATION = "rectification"
    PORTABILITY = "portability"
    OBJECTION = "objection"
    RESTRICTION = "restriction"


class State(StrEnum):
    """How far it has come. The first four are open; an open request may be searched and reviewed again."""

    OPENED = "opened"
    IDENTIFIED = "identified"
    SEARCHED = "searched"
    REVIEWED = "reviewed"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


OPEN = frozenset({State.OPENED, State.IDENTIFIED, State.SEARCHED, State.REVIEWED})


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the book has it. `complete` is None before the first search; `kept` says whether it can be searched again."""

    id: int
    name: str
    kind: Kind
    state: State
    received: date
    extended: date | None
    answered: date | None
    complete: bool | None
    kept: bool
    erase_on: date | None

    @property
    def open(self) -> bool:
        """Whether an answer is still owed."""
        return self.state in OPEN

    def law(self, country: str = "DK") -> date:
        """The last day for the answer by law."""
        return deadlines.by_law(self.received, deadlines.THREE_MONTHS if self.extended else deadlines.ONE_MONTH, country)

    def policy(self, within: str) -> date | None:
        """The last day by the company's policy, which an extension suspends; None without one."""
        return None if self.extended else deadlines.by_policy(self.received, within)

    def due(self, within: str, country: str = "DK") -> date:
        """The earlier of the two."""
        policy = self.policy(within)
        return min(policy, self.law(country)) if policy else self.law(country)

    def overdue(self, within: str, today: date, country: str = "DK") -> str:
        """Which deadline has passed while an answer is owed: `law`, `policy`, or neither."""
        if not self.open or today <= self.due(within, country):
            return ""
        return "law" if today > self.law(country) else "policy"


class Event(NamedTuple):
    """Something that was done with a request. `note` is empty where there is none, or where it was erased."""

    at: str
    who: str
    what: str
    note: str


_COLUMNS = "id, name, kind, state, received, extended, answered, complete, sealed is not null, erase_on"


def load(book: Book, name: str) -> Request:
    """A request by its name. Raises `UsageError` when there is none."""
    found = next((one for one in requests(book, name)), None)
    if found is None:
        raise UsageError(
            f"there is no request {name!r}; see `persondata request list`" if name.isprintable() else "there is no such request"
        )
    return found


def requests(book: Book, name: str = "") -> Iterator[Request]:
    """All requests, or the one of a name, the oldest first."""
    if not book.connection.execute("select 1 from sqlite_master where name = 'request'").fetchone():
        return
    where, inside = (" where name = ?", (name,)) if name else ("", ())
    for row in book.connection.execute(f"select {_COLUMNS} from request{where} order by received, id", inside).fetchall():
        received, extended, answered, erase_on = (date.fromisoformat(row[i]) if row[i] else None for i in (4, 5, 6, 9))
        complete = None if row[7] is None else bool(row[7])
        yield Request(
            row[0], row[1], Kind(row[2]), State(row[3]), received or date.min, extended, answered, complete, bool(row[8]), erase_on
        )


def events(book: Book, request: Request) -> list[Event]:
    """What was done with a request, in order."""
    query = "select at, who, what, note from request_event where request = ? order by id"
    key = book.key()
    return [
        Event(at, who, what, unlocked(key, note, request.name)) for at, who, what, note in book.connection.execute(query, (request.id,))
    ]


def about(name: str) -> str:
    """What a sealed thing of a request is bound to."""
    return f"request {name}"


def moment(when: datetime) -> str:
    """UTC, ISO 8601, seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def locked(key: bytes, text: str, name: str) -> bytes | None:
    """A text that only the inventory's key reads; None when it is empty."""
    return seal.lock(key, text.encode(), about(name)) if text else None


def unlocked(key: bytes, locked: bytes | None, name: str) -> str:
    """Such a text; empty when there is none."""
    return seal.unlock(key, locked, about(name)).decode() if locked else ""


def tell(book: Book, cursor: sqlite3.Cursor, number: int, name: str, when: datetime, who: str, what: str, note: str) -> None:
    """Write down what was done. Within the caller's transaction."""
    sealed = locked(book.key(), note.strip(), name)
    cursor.execute(
        "insert into request_event (request, at, who, what, note) values (?, ?, ?, ?, ?)", (number, moment(when), who, what, sealed)
    )
