"""What the last search for a request found, by address, and what a caseworker decided about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

from scanner import seal
from scanner.errors import UsageError
from scanner.inventory import Book
from scanner.model import Hit, Link, Role
from scanner.requests.request import Request, State, load, locked, moment, tell, unlocked


class Address(NamedTuple):
    """Where a hit lies."""

    source: str
    object: str
    record: str
    field: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A caseworker's decision about one address."""

    accepted: bool
    who: str
    at: str
    why: str


def record_search(
    book: Book, request: Request, hits: Iterable[Hit], complete: bool, unread: Iterable[Sequence[str]] = (), who: str = "",
    when: datetime | None = None,
) -> Request:  # fmt: skip
    """Keep what a search found in place of what the last one found. `unread` are (source, object, why). Verdicts stay."""
    if not request.open:
        raise UsageError(f"request {request.name} is {request.state.value}; open a new one to search again")
    key = book.key()
    rows = [
        (request.id, hit.source, hit.object, _kept(key, hit.record), hit.field, hit.link.value, hit.score, hit.why, hit.role.value)
        for hit in hits
    ]
    with book.transaction() as cursor:
        cursor.execute("delete from request_hit where request = ?", (request.id,))
        cursor.execute("delete from request_unread where request = ?", (request.id,))
        cursor.executemany("insert or replace into request_hit values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        cursor.executemany("insert or ignore into request_unread values (?, ?, ?, ?)", [(request.id, *one) for one in unread])
        cursor.execute("update request set state = ?, complete = ? where id = ?", (State.SEARCHED.value, int(complete), request.id))
        what = f"searched: {len(rows)} hits{'' if complete else ', incomplete'}"
        tell(book, cursor, request.id, request.name, when or datetime.now(UTC), who, what, "")
    return load(book, request.name)


def hits(book: Book, request: Request) -> Iterator[Hit]:
    """What the last search found, by address."""
    key = book.key()
    query = "select source, object, record, field, link, score, why, role from request_hit where request = ?"
    for row in book.connection.execute(query, (request.id,)).fetchall():
        yield Hit(row[0], row[1], seal.unseal(key, row[2]), row[3], Link(row[4]), row[5], row[6], Role(row[7]))


def unread(book: Book, request: Request) -> list[tuple[str, str, str]]:
    """(source, object, why) of what the last search could not read."""
    return book.connection.execute("select source, object, why from request_unread where request = ?", (request.id,)).fetchall()


def verdicts(book: Book, request: Request) -> Mapping[Address, Verdict]:
    """What was decided, by address; also about addresses that the last search did not find again."""
    key, found = book.key(), {}
    query = "select source, object, record, field, accepted, who, at, why from request_verdict where request = ?"
    for row in book.connection.execute(query, (request.id,)):
        address = Address(row[0], row[1], seal.unseal(key, row[2]), row[3])
        found[address] = Verdict(bool(row[4]), row[5], row[6], unlocked(key, row[7], request.name))
    return found


def judge(
    book: Book, request: Request, patterns: Sequence[str], accepted: bool, who: str, *, why: str = "", links: Iterable[Link] = (),
    when: datetime | None = None,
) -> int:  # fmt: skip
    """Accept or reject the hits whose source, object, record and field match these shell patterns (fewer: any). Returns how many."""
    if not request.open:
        raise UsageError(f"request {request.name} is {request.state.value}")
    key, at = book.key(), moment(when or datetime.now(UTC))
    wanted = frozenset(links) or frozenset(Link)
    rows = []
    for hit in hits(book, request):
        address = Address(hit.source, hit.object, hit.record, hit.field)
        matches = all(part == pattern or fnmatchcase(part, pattern) for part, pattern in zip(address, patterns, strict=False))
        if hit.link in wanted and matches:
            reason = locked(key, why, request.name)
            rows.append((request.id, hit.source, hit.object, _kept(key, hit.record), hit.field, int(accepted), who, at, reason))
    with book.transaction() as cursor:
        cursor.executemany("insert or replace into request_verdict values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return len(rows)


def _kept(key: bytes, record: str) -> str:
    return seal.seal(key, record) if record and seal.needs(record) and not record.startswith(seal.PREFIX) else record
