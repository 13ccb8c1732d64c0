"""Looks again, everywhere, after a deletion: at each address of the plan itself, and with the whole search for whatever else is hers."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from scanner import seal
from scanner.config import Config
from scanner.inventory import Book
from scanner.model import Database, Hit, Link, Problem, Source, Subject
from scanner.requests import verify_hits
from scanner.requests.plan import MUST_GO, Action, Gap, Plan, Planned
from scanner.requests.verify_kept import Kept
from scanner.requests.verify_rows import Rows, Seen, State, absent
from scanner.requests.verify_search import Again, Looked, Reading, containers
from scanner.sources.patterns import Choice
from scanner.subject import search, texts
from scanner.subject.bookshelf import Shelf
from scanner.subject.graph import Graph
from scanner.subject.places import Address

_LOCAL = ("sqlite:///", "duckdb:///", "slack:")
"""Schemes of sources that are local files."""
_REMAINS = frozenset({Link.CERTAIN, Link.LIKELY})


@dataclass(frozen=True, slots=True)
class Result:
    """What a verification came to.

    `seen` is one entry a record of the plan, in its order. `found` are hits at certain or likely that the plan does not know, `possible`
    the possible ones. `gaps` are places that could not be looked at. `started` is the moment (UTC), `seconds` how long it took.
    `sweep` says whether all was read (`all`) or the inventory spoke for what has not changed (`auto`).
    """

    plan: Plan
    seen: tuple[Seen, ...]
    found: tuple[Hit, ...]
    possible: tuple[Hit, ...]
    gaps: tuple[Gap, ...]
    looked: tuple[Looked, ...]
    started: datetime
    seconds: float
    day: date
    sweep: str
    notes: tuple[str, ...] = ()

    def of(self, *states: State) -> tuple[Seen, ...]:
        """The records of the plan that are in one of these states."""
        return tuple(one for one in self.seen if one.state in states)

    @property
    def remains(self) -> int:
        """How many records that had to go are still there, or have come since."""
        return len(self.of(State.LEFT)) + len(self.found)

    @property
    def proven(self) -> bool:
        """Whether nothing that had to go remains, and everything could be looked at."""
        return not self.remains and not self.gaps

    @property
    def exit_code(self) -> int:
        """0 proven, 1 something remains, 3 something could not be looked at."""
        return 3 if self.gaps else 1 if self.remains else 0

    def __repr__(self) -> str:
        return f"Result({self.remains} remain, {len(self.gaps)} gaps)"


def verify(
    plan: Plan,
    sources: Sequence[Source],
    graph: Graph,
    book: Book,
    settings: Config,
    *,
    lost: Iterable[tuple[str, str, str]] = (),
    rejected: Collection[tuple[str, str, str, str]] = (),
    sweep: str = "all",
    processes: int | None = None,
    today: date | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Result:
    """Look again for the person of a plan. `lost` are (source, object, why) of what could not be opened.

    `rejected` are addresses that a caseworker has judged to be somebody else's. Raises nothing for a source that fails: `gaps` says so.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    day = today or started.astimezone().date()
    look = _Look(plan, sources, graph, book, settings, sweep, processes, progress)
    look.lose(lost)
    look.leave_out()
    look.rows()
    answer = look.everywhere()
    look.files(answer.hits)
    look.again(settings, day)
    found, possible = look.new(rejected)
    seen = tuple(look.seen[number] for number in range(len(plan.actions)))
    gaps = tuple(Gap(*one) for one in look.gaps)
    entries = {one.name: one for one in settings.sources}
    looked = tuple(
        replace(one, only=entries[one.name].include, left_out=entries[one.name].exclude) if one.name in entries else one
        for one in look.reading.looked.values()
    )
    return Result(
        plan, seen, found, possible, gaps, looked, started, time.monotonic() - clock, day, sweep,
        tuple(dict.fromkeys((*look.notes, *answer.notes))),
    )  # fmt: skip


class _Look:
    """One verification on its way."""

    def __init__(
        self, plan: Plan, sources: Sequence[Source], graph: Graph, book: Book, settings: Config, sweep: str, processes: int | None,
        progress: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._plan, self._sources, self._graph, self._book, self._settings = plan, sources, graph, book, settings
        self._sweep, self._processes, self._progress = sweep, processes, progress
        self._key = book.key()
        self._records = [seal.unseal(self._key, one.record) for one in plan.actions]
        self._databases = {one.name: one for one in sources if isinstance(one, Database)}
        self.reading = Reading(book, sources, {(one.source, one.object) for one in plan.actions})
        state = texts.prepare(texts.Setup(tuple(sources), plan.person, self.reading.entities))
        self._rows = Rows(state, graph, self._databases, self._key, self._missed)
        self.seen: dict[int, Seen] = {}
        self.gaps: dict[tuple[str, str, str], None] = {}
        self.notes: dict[str, None] = {}
        self._matched = verify_hits.Matched()
        self._quiet: set[Address] = set()

    def _missed(self, source: str, problem: Problem) -> None:
        why = f"{problem.why.value}: {problem.detail}" if problem.detail else problem.why.value
        self.gaps.setdefault((source, problem.object, why))

    def lose(self, lost: Iterable[tuple[str, str, str]]) -> None:
        """Take up what could not be opened. A file or database that was a source of its own and had to go as a whole is simply gone."""
        for name, object, why in lost:
            if not object and self._gone(name):
                self.notes[f"{name} is no longer there: all of it had to go"] = None
                self.seen |= {n: Seen(one, absent(one)) for n, one in enumerate(self._plan.actions) if one.source == name}
            else:
                self.gaps.setdefault((name, object, why))
        reached = {one.name for one in self._sources}
        for number, one in enumerate(self._plan.actions):
            if one.source not in reached and number not in self.seen:
                self.seen[number] = Seen(one, State.UNSEEN, "its source could not be opened")
                self.gaps.setdefault((one.source, "", "the plan speaks of it, and it could not be opened"))

    def leave_out(self) -> None:
        """Records of the plan that the configuration keeps from being read now: they would seem to be gone."""
        choices = {one.name: Choice(one.include, one.exclude) for one in self._settings.sources if one.include or one.exclude}
        for number, one in enumerate(self._plan.actions):
            choice = choices.get(one.source)
            if choice is not None and number not in self.seen:
                *_, outer = containers(one.object)
                folders = [outer[: at + 1] for at, letter in enumerate(outer) if letter == "/"]
                if not choice.takes(outer) or not all(map(choice.enters, folders)):
                    self.seen[number] = Seen(one, State.UNSEEN, "the configuration leaves it out")
                    self.gaps.setdefault((one.source, outer, "the plan speaks of it, and the configuration leaves it out"))

    def _gone(self, name: str) -> bool:
        """Whether a source was a single local file, which is not there any more, and of which nothing had to stay."""
        entry = next((one for one in self._settings.sources if one.name == name), None)
        url = entry.url if entry else name
        scheme = next((one for one in _LOCAL if url.startswith(one)), "")
        path = (self._settings.folder if entry else Path()) / url.removeprefix(scheme)
        here = [one for one in self._plan.actions if one.source == name]
        if "://" in url.removeprefix(scheme) or not here or any(one.action not in MUST_GO for one in here):
            return False
        alone = scheme.endswith("///") or {one.object.partition("!")[0] for one in here} == {path.name}
        return alone and path.parent.is_dir() and not path.exists()

    # -- the addresses of the plan ------------------------------------------------------------------------------

    def rows(self) -> None:
        """The rows of databases by their keys."""
        places: dict[tuple[str, str], list[int]] = {}
        for number, one in enumerate(self._plan.actions):
            if number not in self.seen and one.source in self._databases and "!" not in one.object:
                places.setdefault((one.source, one.object), []).append(number)
        for (source, object), numbers in places.items():
            self._progress(f"{source}: {object}")
            asked = {self._records[number]: number for number in numbers}
            planned = [replace(self._plan.actions[number], record=record) for record, number in asked.items()]
            for seen in self._rows.look(source, object, planned):
                number = asked[seen.planned.record]
                self.seen[number] = replace(seen, planned=self._plan.actions[number])
            for number in numbers:  # the same row twice in a plan
                if number not in self.seen:
                    first = self.seen[asked[self._records[number]]]
                    self.seen[number] = replace(first, planned=self._plan.actions[number])

    def _released(self) -> set[int]:
        """Numbers of hers that are hers no more: their row is another person's now. Rows that were made anonymous fall silent."""
        released: set[int] = set()
        for number, one in self.seen.items():
            if one.state in (State.REPLACED, State.CLEAN):
                planned = replace(one.planned, record=self._records[number])
                own = set(self._rows.numbered(planned))
                if one.state is State.REPLACED:
                    released |= own
                else:
                    self._quiet.add((planned.source, planned.object, planned.record))
        return released

    def everywhere(self) -> search.Answer:
        """The whole search, with what is known of her still."""
        released = self._released()
        for number, one in self.seen.items():
            if one.state is State.REPLACED and (one.points - released):
                self.seen[number] = replace(one, state=State.LEFT, why="another row, or a changed one, which still points at her")
        known = self._plan.person.identifiers
        person = Subject(tuple(one for number, one in enumerate(known) if number not in released))
        if released:
            self.notes["a number that was hers is another row's now, and was not searched for"] = None
        again = Again(
            person, self._sources, self._graph, self.reading, self._quiet, sweep=self._sweep, limits=self._settings.limits,
            processes=self._processes, progress=self._progress,
        )  # fmt: skip
        answer = again.run()
        self.gaps |= dict.fromkeys(answer.unread) | self.reading.unread
        return answer

    def files(self, hits: Iterable[Hit]) -> None:
        """What the search has found, held against the plan; of files, mails and chats that says what became of them."""
        opened = (replace(hit, record=seal.unseal(self._key, hit.record)) for hit in hits)
        self._matched = verify_hits.match(self._plan.actions, opened, self._records, self._databases)
        unread = {(source, object) for source, object, _ in self.gaps} | self.reading.unlisted
        others = [number for number in range(len(self._plan.actions)) if number not in self.seen]
        for number, one in verify_hits.seen_in_files(self._plan.actions, others, self._matched, self.reading.listed, unread):
            self.seen[number] = one

    def new(self, rejected: Collection[tuple[str, str, str, str]]) -> tuple[tuple[Hit, ...], tuple[Hit, ...]]:
        """Hits that the plan does not know: those that remain, and possible ones. A row that has got a key of the plan counts as new."""
        fresh = list(self._matched.new)
        for number, hits in self._matched.known.items():
            if number in self.seen and self.seen[number].state is State.REPLACED:
                fresh += hits
        fresh = [hit for hit in fresh if (hit.source, hit.object, hit.record, hit.field) not in rejected]
        return tuple(h for h in fresh if h.link in _REMAINS), tuple(h for h in fresh if h.link not in _REMAINS)

    # -- what is kept --------------------------------------------------------------------------------------------

    def again(self, settings: Config, day: date) -> None:
        """Judge what is kept by the holds and the policies of today."""
        kept = Kept(settings, self._sources, self._graph, self._plan.person, day, self._others)
        places: dict[tuple[str, str], list[int]] = {}
        for number, one in self.seen.items():
            if one.state is State.HELD and one.planned.action in (Action.KEEP, Action.RESTRICT):
                places.setdefault((one.planned.source, one.planned.object), []).append(number)
        for (source, object), numbers in places.items():
            records = [self._records[number] for number in numbers]
            judged = kept.judge(source, object, [self.seen[number] for number in numbers], records)
            self.seen |= dict(zip(numbers, judged, strict=True))
        self.notes |= dict.fromkeys(f"how long it must be kept cannot be told: {one}" for one in kept.notes)

    def _others(self, person: Subject) -> Iterator[tuple[str, str, str]]:
        """The records of somebody else who is under a hold."""
        answer = search.search(
            person, self._sources, self._graph, Shelf(self._book, self._sources), sweep="auto", limits=self._settings.limits,
            processes=self._processes, progress=self._progress,
        )  # fmt: skip
        yield from ((hit.source, hit.object, hit.record) for hit in answer.hits)


def rows(result: Result) -> Iterator[dict[str, str]]:
    """Everything that somebody should look at, a row each: what remains first. The keys are those of a hit, with `action` and `state`."""
    yield from map(_planned, result.of(State.LEFT))
    yield from (_hit(hit, "found") for hit in result.found)
    yield from map(_planned, result.of(State.MISSING, State.MAY_GO, State.OPEN, State.UNSEEN))
    yield from (_hit(hit, "possible") for hit in result.possible)


def _planned(seen: Seen) -> dict[str, str]:
    one: Planned = seen.planned
    return {
        "source": one.source, "object": one.object, "record": one.record, "field": one.field, "action": one.action.value,
        "state": seen.state.value, "link": one.link, "why": seen.why or one.reason, "role": one.role, "law": one.law, "until": one.until,
    }  # fmt: skip


def _hit(hit: Hit, state: str) -> dict[str, str]:
    return {
        "source": hit.source, "object": hit.object, "record": hit.record, "field": hit.field, "action": "", "state": state,
        "link": hit.link.value, "why": hit.why, "role": hit.role.value, "law": "", "until": "",
    }  # fmt: skip
