"""The life of a request: opened, identified, searched, reviewed, answered; kept in the inventory without her identifiers in the clear."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

from scanner import digest, seal
from scanner.errors import UsageError
from scanner.inventory import Book, erasure
from scanner.model import Identifier, Subject
from scanner.requests import deadlines
from scanner.requests.request import OPEN, Event, Kind, Request, State, about, events, load, requests, tell
from scanner.requests.request_hits import Address, Verdict, hits, judge, record_search, unread, verdicts

__all__ = [
    "OPEN", "Address", "Event", "Kind", "Request", "State", "Verdict", "add", "advance", "earlier", "events", "extend", "hits", "judge",
    "load", "note", "open_request", "record_search", "requests", "subject_of", "unread", "verdicts",
]  # fmt: skip

KEPT_MONTHS = 3
"""So long after the answer her identifiers are kept, sealed, for a complaint or a second look; closing the request ends it at once."""


def open_request(
    book: Book, kind: Kind | str, subject: Subject, *, received: date, name: str = "", who: str = "", note: str = "",
    when: datetime | None = None,
) -> Request:  # fmt: skip
    """Write down a new request. Without a `name` it gets the next one of the year. Raises `UsageError`."""
    at = when or datetime.now(UTC)
    if name and not re.fullmatch(r"[0-9]{4}-[0-9]{1,6}", name):
        raise UsageError("a request is called by year and number, such as 2026-0007")
    if received > at.date():
        raise UsageError("a request cannot be received in the future")
    if not subject.identifiers:
        raise UsageError("nothing is said of the person")
    with book.transaction() as cursor:
        taken = {row[0] for row in cursor.execute("select name from request")}
        if name in taken:
            raise UsageError(f"there is a request {name} already")
        name = name or _next(taken, at.year)
        cursor.execute(
            "insert into request (name, kind, state, received, sealed) values (?, ?, ?, ?, ?)",
            (name, Kind(kind).value, State.OPENED.value, received.isoformat(), _sealed(book, name, subject)),
        )
        number = cursor.lastrowid or 0
        cursor.executemany("insert or ignore into request_digest values (?, ?, ?)", [(number, *one) for one in _digests(book, subject)])
        tell(book, cursor, number, name, at, who, State.OPENED.value, note)
    return load(book, name)


def advance(
    book: Book, request: Request, state: State | str, who: str, when: datetime | None = None, *, note: str = "", on: date | None = None
) -> Request:
    """Bring a request to a state. `on` is the day of an answer that was given before it is written down. Raises `UsageError`.

    An answer or a withdrawal ends the duty; closing erases the identifiers at once, withdrawing too.
    """
    state, at = State(state), when or datetime.now(UTC)
    allowed = request.open or (state is State.CLOSED and request.state is not State.CLOSED)
    if not allowed or (state is State.CLOSED and request.open) or state is State.OPENED:
        hint = "; answer it or withdraw it first" if state is State.CLOSED and request.open else ""
        raise UsageError(f"request {request.name} is {request.state.value} and cannot become {state.value}{hint}")
    answered = request.answered
    if state in (State.ANSWERED, State.WITHDRAWN):
        answered = on or at.date()
        if not request.received <= answered <= at.date():
            raise UsageError("an answer is given after the receipt, and not in the future")
    erase_on = deadlines.later(answered, KEPT_MONTHS).isoformat() if state is State.ANSWERED and answered and request.kept else None
    with book.transaction() as cursor:
        cursor.execute(
            "update request set state = ?, answered = ?, erase_on = coalesce(?, erase_on) where id = ?",
            (state.value, answered.isoformat() if answered else None, erase_on, request.id),
        )
        tell(book, cursor, request.id, request.name, at, who, state.value, note)
    if state in (State.WITHDRAWN, State.CLOSED):
        erasure.erase(book.connection, [request.id])
    return load(book, request.name)


def extend(book: Book, request: Request, reason: str, who: str, *, told: date | None = None, when: datetime | None = None) -> Request:
    """Take two months more (Art. 12(3)): she must have been told so, with reasons, within one month of receipt. Raises `UsageError`."""
    at = when or datetime.now(UTC)
    day, last = told or at.date(), deadlines.by_law(request.received)
    if not reason.strip():
        raise UsageError("the law asks for the reasons of an extension")
    if not request.open or request.extended:
        raise UsageError(f"request {request.name} is {'extended already' if request.open else request.state.value}")
    if day > last:
        raise UsageError(f"an extension must be told within the first month, which ended on {last}")
    if not request.received <= day <= at.date():
        raise UsageError("an extension is told after the receipt, and not in the future")
    with book.transaction() as cursor:
        cursor.execute("update request set extended = ? where id = ?", (day.isoformat(), request.id))
        tell(book, cursor, request.id, request.name, at, who, "extended", reason)
    return load(book, request.name)


def add(book: Book, request: Request, subject: Subject, who: str, *, when: datetime | None = None) -> Request:
    """What has become known of her since: searched for from now on."""
    known = subject_of(book, request)
    both = Subject(tuple(dict.fromkeys((*known.identifiers, *subject.identifiers))))
    with book.transaction() as cursor:
        cursor.execute("update request set sealed = ? where id = ?", (_sealed(book, request.name, both), request.id))
        cursor.executemany("insert or ignore into request_digest values (?, ?, ?)", [(request.id, *one) for one in _digests(book, subject)])
        what = "identifiers added: " + ", ".join(sorted({one.entity for one in subject.identifiers}))
        tell(book, cursor, request.id, request.name, when or datetime.now(UTC), who, what, "")
    return load(book, request.name)


def note(book: Book, request: Request, text: str, who: str, *, when: datetime | None = None) -> None:
    """Write down something about a request. It is sealed, and erased with the identifiers."""
    if request.state is State.CLOSED or not text.strip():
        raise UsageError(f"request {request.name} is closed" if text.strip() else "the note is empty")
    with book.transaction() as cursor:
        tell(book, cursor, request.id, request.name, when or datetime.now(UTC), who, "note", text)


def subject_of(book: Book, request: Request) -> Subject:
    """Whom a request is about. Raises `UsageError` when that was erased, `InventoryError` when the key does not fit."""
    row = book.connection.execute("select sealed from request where id = ?", (request.id,)).fetchone()
    if row is None or row[0] is None:
        raise UsageError(f"what was known of the person of request {request.name} has been erased; open a new request")
    said = json.loads(seal.unlock(book.key(), row[0], about(request.name)))
    return Subject(tuple(Identifier(*one) for one in said))


def earlier(book: Book, request: Request) -> dict[str, tuple[str, ...]]:
    """Other requests that share something with this one, by name: which entities are the same."""
    query = (
        "select request.name, group_concat(distinct other.entity) from request_digest as own join request_digest as other"
        " on other.digest = own.digest and other.request <> own.request join request on request.id = other.request"
        " where own.request = ? group by request.name order by request.received, request.id"
    )
    return {row[0]: tuple(sorted(row[1].split(","))) for row in book.connection.execute(query, (request.id,))}


def _next(taken: Iterable[str], year: int) -> str:
    numbers = [int(name.partition("-")[2]) for name in taken if name.startswith(f"{year:04}-")]
    return f"{year:04}-{max(numbers, default=0) + 1:04}"


def _sealed(book: Book, name: str, subject: Subject) -> bytes:
    said = [[one.entity, one.value, one.column, one.why, one.step] for one in subject.identifiers]
    return seal.lock(book.key(), json.dumps(said, ensure_ascii=False).encode(), about(name))


def _digests(book: Book, subject: Subject) -> Iterator[tuple[str, bytes]]:
    """Keyed digests in a realm of their own, so that they fit no finding's."""
    key = book.key()
    for one in subject.identifiers:
        normal = digest.normalise(one.entity, one.value)
        if normal:
            yield one.entity, digest.digest_normal(key, f"request {one.entity} {one.column.rpartition('.')[2].casefold()}", normal)
