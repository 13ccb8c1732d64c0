"""Holds the hits of a new search against a deletion plan: which record of the plan each one is, and which ones the plan does not know."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from scanner.model import Hit, Link
from scanner.requests.plan import MUST_GO, Action, Planned
from scanner.requests.verify_rows import Seen, State, absent
from scanner.requests.verify_search import containers

_COUNTED = re.compile(r"(?P<kind>(?:.*,)?(?:row|line|page|part))=\d+", re.DOTALL)
"""Records that are named by where they stand: when others go, they move up."""
_LINKS = tuple(Link)

Place = tuple[str, str, str]


@dataclass(slots=True)
class Matched:
    """`known`: what was found of each record of the plan, by its number there. `new` are hits that the plan does not know."""

    known: dict[int, list[Hit]] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    new: list[Hit] = field(default_factory=list)


def match(actions: Sequence[Planned], hits: Iterable[Hit], records: Sequence[str], databases: Collection[str] = ()) -> Matched:
    """Give each hit to a record of the plan. `records` are the names of the plan's records, unsealed, in its order.

    By address; else by what it lies in (a line of a file that goes as a whole, what is attached to a message). What is named by
    where it stands may have moved, so that a hit goes to the record that was hers for the same reasons; without one it is new.
    """
    found = Matched()
    by_address: dict[Place, int] = {}
    counted: dict[Place, list[int]] = {}
    for number, one in enumerate(actions):
        by_address.setdefault((one.source, one.object, records[number]), number)
        if kind := _kind(one.source, one.object, records[number], databases):
            counted.setdefault((one.source, one.object, kind), []).append(number)
    moving: dict[Place, list[Hit]] = {}
    for hit in hits:
        place = (hit.source, hit.object, _kind(hit.source, hit.object, hit.record, databases))
        if place in counted:
            moving.setdefault(place, []).append(hit)
        else:
            _take(found, by_address, hit, _covering(hit))
    for place, some in moving.items():
        for hit in _settle(found, actions, records, counted[place], some):
            _take(found, by_address, hit, islice(_covering(hit), 1, None))
    for number, one in enumerate(actions):
        first = by_address[one.source, one.object, records[number]]
        if number != first and number not in found.known and first in found.known:  # a plan may speak of fields of one record
            found.known[number] = found.known[first]
    found.new.sort(key=lambda hit: (hit.source, hit.object, hit.record))
    return found


def _take(found: Matched, by_address: Mapping[Place, int], hit: Hit, places: Iterable[Place]) -> None:
    at = next((by_address[place] for place in places if place in by_address), None)
    if at is None:
        found.new.append(hit)
    else:
        found.known.setdefault(at, []).append(hit)


def _settle(found: Matched, actions: Sequence[Planned], records: Sequence[str], numbers: Sequence[int], hits: Sequence[Hit]) -> list[Hit]:
    """Give hits to records of one object that are named by where they stand; where it cannot be told, to those that had to go first.

    Returns the hits for which there is none.
    """
    waiting = dict.fromkeys(sorted(numbers, key=lambda number: (actions[number].action not in MUST_GO, number)))
    left = sorted(hits, key=lambda hit: _LINKS.index(hit.link))
    for key in _KEYS:
        queues: dict[tuple[str, ...], deque[int]] = {}
        for number in waiting:
            one = actions[number]
            queues.setdefault(key(records[number], one.link, one.why), deque()).append(number)
        rest = []
        for hit in left:
            queue = queues.get(key(hit.record, hit.link.value, hit.why))
            if not queue:
                rest.append(hit)
                continue
            number = queue.popleft()
            del waiting[number]
            found.known[number] = [hit]
            if records[number] != hit.record:
                found.moved.add(number)
        left = rest
    return left


_Key: TypeAlias = Callable[[str, str, str], tuple[str, ...]]
_KEYS: Sequence[_Key] = (
    lambda record, link, why: (record, link, why),
    lambda _, link, why: (link, why),
    lambda record, *_: (record,),
)
"""By what a hit (its record, link and why) and a record of the plan are the same, the surest sign first."""


def _covering(hit: Hit) -> Iterator[Place]:
    """The addresses under which a plan may speak of a hit, the closest first."""
    yield hit.source, hit.object, hit.record
    yield hit.source, hit.object, ""
    inner = hit.object
    for outer in list(containers(hit.object))[1:]:
        part = inner[len(outer) + 1 :]
        yield hit.source, outer, part
        if "/" in part:
            yield hit.source, outer, part.rpartition("/")[0]
        yield hit.source, outer, ""
        inner = outer


def _kind(source: str, object: str, record: str, databases: Collection[str]) -> str:
    """What a record named by where it stands begins with; `""` for any other, as for all rows of databases."""
    if source in databases and "!" not in object:
        return ""
    match = _COUNTED.fullmatch(record)
    return match["kind"] if match else ""


def seen_in_files(
    actions: Sequence[Planned], numbers: Iterable[int], matched: Matched, listed: Collection[tuple[str, str]],
    unread: Collection[tuple[str, str]],
) -> Iterator[tuple[int, Seen]]:  # fmt: skip
    """What is left of the records of files, mails and chats (and of documents in cells), by what the search has found there.

    `listed` are the files and tables of the plan that are there, `unread` what could not be listed or read, both (source, object).
    """
    for number in numbers:
        one, hits = actions[number], matched.known.get(number, [])
        if hits:
            moved = f"at {hits[0].record} now" if number in matched.moved else ""
            state = State.LEFT if one.action in MUST_GO else State.OPEN if one.action is Action.REVIEW else State.HELD
            yield number, Seen(one, state, ": ".join(filter(None, (moved, _why(hits) if state is State.LEFT else ""))))
        elif _blind(one, unread):
            yield number, Seen(one, State.UNSEEN, "it, or what it lies in, could not be read in full")
        else:
            outer = next((name for name in containers(one.object) if (one.source, name) in listed), None)
            if outer is None or one.object != outer or one.record:
                yield number, Seen(one, absent(one))
            elif one.action in MUST_GO:
                yield number, Seen(one, State.CLEAN, "it is there, and nothing of hers is found in it")
            else:
                yield number, Seen(one, absent(one), "it is there, but nothing of hers is found in it")


def _why(hits: Sequence[Hit]) -> str:
    surest = min(hits, key=lambda hit: _LINKS.index(hit.link))
    return f"{surest.why}{f', and {len(hits) - 1} more in it' if len(hits) > 1 else ''}"


def _blind(one: Planned, unread: Collection[tuple[str, str]]) -> bool:
    names = set(containers(one.object))
    for source, object in unread:
        if source == one.source and (not object or object in names or (object.endswith("/") and one.object.startswith(object))):
            return True
    return False


def counts(seen: Iterable[Seen]) -> dict[str, dict[str, int]]:
    """How many records of the plan are in which state, by action."""
    both = Counter((one.planned.action, one.state) for one in seen)
    out: dict[str, dict[str, int]] = {}
    for (action, state), number in sorted(both.items()):
        out.setdefault(action.value, {})[state.value] = number
    return out
