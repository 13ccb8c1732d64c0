"""The flow of a run: list, skip what has not changed, let workers read the rest, write it down unit by unit."""

from __future__ import annotations

import functools
import itertools
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanner import workers
from scanner.errors import SourceError
from scanner.extract.sampling import SAMPLE, whole
from scanner.inventory import Book, Known, ObjectRead, UnitRead
from scanner.jobs import Job, judged
from scanner.model import Limits, Problem, Source, Unit, Why

if TYPE_CHECKING:
    from scanner.inventory.segments import Segments
    from scanner.unit import Setup

ATTEMPTS = 8
"""So many objects of one container may bring a worker down before the whole container is given up."""
ROUNDS = 3
"""So often a unit is read whose source went away meanwhile: the second and third time after all others."""
SMALL = 64 * 2**10
"""Files up to this size (in bytes) are handed to a worker several at a time."""
BUNDLE = 32
"""So many of them at most; fewer at the beginning of a run, so that few files keep all workers busy too."""
COMMIT_SECONDS = 2.0
COMMIT_UNITS = 1_000


@dataclass(slots=True)
class Progress:
    """Where a run is: units listed, unchanged, worked; findings so far; what is being read."""

    listed: int = 0
    unchanged: int = 0
    done: int = 0
    findings: int = 0
    source: str = ""


@dataclass(slots=True)
class _Flight:
    """A unit on its way through a worker."""

    key: int
    source: int
    unit: Unit
    attempt: int = 1
    lost: list[Problem] = field(default_factory=list)
    rounds: int = 1


def scan(
    book: Book,
    sources: Sequence[Source],
    listings: Sequence[Iterator[Unit | Problem]],
    setup: Callable[[], Setup],
    rules: str,
    *,
    limits: Limits,
    full: bool = False,
    processes: int | None = 0,
    progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Any]:
    """Walk sources and update the inventory. Returns the summary of the run.

    `listings` are the sources' units (begun, so that a source that cannot be used has said so by now); `rules` is the
    digest of all that decides what is found; `processes` 0 means one a core, None none but this one.
    """
    began = time.monotonic()
    run, numbers = book.begin(rules, [(source.name, source.url) for source in sources])
    flow = _Flow(book, run, rules, full, progress)
    listed = itertools.chain.from_iterable(
        flow.tasks(source, numbers[source.name], listing) for source, listing in zip(sources, listings, strict=True)
    )
    tasks = itertools.chain(listed, flow.later())
    count = None if processes is None else processes or os.cpu_count() or 1
    messages = workers.run(tasks, _work, prepare=functools.partial(_prepare, setup), workers=count, limits=limits, again=flow.again)
    with closing(flow), closing(messages):
        for message in messages:
            flow.take(message)
        flow.commit()
    book.put_together(at_the_end=True)
    summary = flow.summary(list(numbers.values()), time.monotonic() - began)
    book.finish(run, json.dumps(summary))
    return summary


def _prepare(setup: Callable[[], Setup]) -> Any:
    from scanner import unit

    return unit.prepare(setup())


def _work(state: Any, jobs: Any, watch: Callable[[str], None]) -> Any:
    from scanner import unit

    return unit.work(state, jobs, watch)


def listing(source: Source) -> Iterator[Unit | Problem]:
    """A source's units, the first one fetched: raises `SourceError` now if the source cannot be used."""
    units = source.units()
    first = list(itertools.islice(units, 1))
    return itertools.chain(first, units)


class _Flow:
    """One run, from the coordinator's side: the only writer."""

    def __init__(self, book: Book, run: int, rules: str, full: bool, progress: Callable[[Progress], None]) -> None:
        self.again: deque[workers.Task] = deque()
        self._later: deque[workers.Task] | None = deque()
        self._book, self._run, self._rules, self._full = book, run, rules, full
        self._report, self._progress = progress, Progress()
        self._flights: dict[int, list[_Flight]] = {}
        self._keys = itertools.count(1)
        self._segments: Segments | None = None
        self._committed = time.monotonic()
        self._numbers = itertools.count(book.next_unit())
        self._finished: list[tuple[int, int, Unit, UnitRead]] = []

    def close(self) -> None:
        """Drop what was not committed."""
        if self._segments is not None:
            self._segments.close()

    # -- what is to be done --------------------------------------------------------------------------------

    def tasks(self, source: Source, number: int, listing: Iterator[Unit | Problem]) -> Iterator[workers.Task]:
        """The units of a source that must be read. Both lists come in the same order, so neither is kept in memory."""
        walked = self._book.known(number, self._run, self._rules, full=self._full)
        known = next(walked, None)
        gone: list[int] = []
        still: set[str] = set()
        last = ""
        unlisted: list[Problem] = []
        bundle: list[_Flight] = []
        progress = self._progress
        progress.source = source.name
        try:
            for item in listing:
                if isinstance(item, Unit):
                    unit = item
                elif item.object == "" or item.object.endswith("/"):
                    unlisted.append(item)
                    continue
                else:
                    unit = _as_unit(source.name, item)
                progress.listed += 1
                before, last, object, part = last, unit.object, unit.object, unit.part
                parts, fingerprint = whole(unit.fingerprint) if part == SAMPLE else (0, "")
                if parts and not self._full and self._book.whole(number, object, fingerprint, parts, self._rules):
                    while known is not None and known[1] <= object:
                        if known[1] < object:
                            _gone(known, unlisted, gone)
                            still.update({known[1]} & {before})
                        known = next(walked, None)
                    progress.unchanged += 1
                    continue
                while known is not None and (known[1] < object or (known[1] == object and known[2] < part)):
                    _gone(known, unlisted, gone)
                    still.update({known[1]} & {before, object})
                    known = next(walked, None)
                if known is not None and known[1] == object and known[2] == part:
                    same, known = known, next(walked, None)
                    if same[4] and same[3] == unit.fingerprint:
                        progress.unchanged += 1
                        if progress.unchanged % 1000 == 0:
                            self._report(progress)
                        continue
                if isinstance(item, Problem):
                    self._finish(number, unit, _only(unit, [item]), None)
                    continue
                flight = _Flight(next(self._keys), number, unit)
                if unit.kind != "file" or unit.size > SMALL:
                    yield self._task([flight])
                    continue
                bundle.append(flight)
                if len(bundle) >= min(BUNDLE, 1 + progress.listed // (2 * BUNDLE)):
                    yield self._task(bundle)
                    bundle = []
        except SourceError as error:
            unlisted.append(Problem("", Why.CRASHED, str(error)))
        if bundle:
            yield self._task(bundle)
        while known is not None:
            _gone(known, unlisted, gone)
            still.update({known[1]} & {last})
            known = next(walked, None)
        self._book.listed(self._run, number, gone, unlisted, still)

    def _task(self, flights: list[_Flight]) -> workers.Task:
        """A task for one unit, or for several small ones, under the key of the first."""
        first = flights[0]
        self._flights[first.key] = flights
        jobs = tuple(Job(one.unit, frozenset(problem.object for problem in one.lost)) for one in flights)
        return workers.Task(first.key, jobs, sum(one.unit.size for one in flights), first.attempt)

    def later(self) -> Iterator[workers.Task]:
        """When all is listed: what must be tried again because its source went away."""
        while self._later:
            yield self._later.popleft()
        self._later = None

    # -- what has been done --------------------------------------------------------------------------------

    def take(self, message: workers.Message) -> None:
        """A message of a worker."""
        flights = self._flights[message.key]
        if isinstance(message, workers.Partial):
            for number, findings in message.payload:
                self._open().add((flights[number].key, message.attempt), findings)
            if time.monotonic() - self._committed > COMMIT_SECONDS:
                self.commit()
            return
        del self._flights[message.key]
        if isinstance(message, workers.Done):
            for flight, read in zip(flights, message.payload, strict=True):
                if not self._try_later(message, flight, read):
                    read = _with_lost(read, flight.lost) if flight.lost else read
                    self._finish(flight.source, flight.unit, read, (flight.key, message.attempt))
        else:
            for flight in flights:
                self._open().drop((flight.key, message.attempt))
                if len(flights) > 1:  # which of them it was is found out one by one
                    flight.attempt = message.attempt + 1
                    self.again.append(self._task([flight]))
                elif not self._try_without(message, flight):
                    problem = Problem(flight.unit.object, message.why, message.detail)
                    self._finish(flight.source, flight.unit, _only(flight.unit, [problem]), None)
        self._report(self._progress)

    def _try_without(self, failed: workers.Failed, flight: _Flight) -> bool:
        """An object inside a container brought the worker down: the container is read again, without it."""
        if not failed.culprit.startswith(flight.unit.object + "!") or len(flight.lost) >= ATTEMPTS:
            return False
        if any(problem.object == failed.culprit for problem in flight.lost):
            return False
        flight.lost.append(Problem(failed.culprit, failed.why, failed.detail))
        flight.attempt = failed.attempt + 1
        self.again.append(self._task([flight]))
        return True

    def _try_later(self, done: workers.Done, flight: _Flight, read: UnitRead) -> bool:
        """The source went away while a unit was read: the unit is read again when all others have been."""
        away = any(p.why is Why.CRASHED and (p.object, p.record, p.field) == (flight.unit.object, "", "") for p in read.problems)
        if not away or flight.rounds >= ROUNDS:
            return False
        self._open().drop((flight.key, done.attempt))
        flight.rounds += 1
        flight.attempt = done.attempt + 1
        (self.again if self._later is None else self._later).append(self._task([flight]))
        return True

    def _open(self) -> Segments:
        if self._segments is None:
            from scanner.inventory.segments import Segments

            self._segments = Segments(self._book.folder / "segments")
        return self._segments

    def _finish(self, source: int, unit: Unit, read: UnitRead, attempt: tuple[int, int] | None) -> None:
        number = next(self._numbers)
        if attempt is not None and self._segments is not None:
            self._segments.done(attempt, number)
        self._finished.append((source, number, unit, read))
        self._progress.done += 1
        self._progress.findings += sum(holding.count for holding in read.holdings)
        if len(self._finished) >= COMMIT_UNITS or time.monotonic() - self._committed > COMMIT_SECONDS:
            self.commit()

    def commit(self) -> None:
        """Write down all units that are finished: first their findings, then, in one transaction, the units."""
        if self._finished:
            files = self._segments.flush() if self._segments is not None else []
            with self._book.transaction() as cursor:
                where = self._book.add_segments(files, cursor)
                for source, group in itertools.groupby(self._finished, key=lambda item: item[0]):
                    rows = [(number, unit, read, where.get(number)) for _, number, unit, read in group]
                    self._book.record(self._run, source, rows, self._rules, cursor)
            self._finished = []
            if files:
                self._book.put_together()
        self._committed = time.monotonic()

    def summary(self, sources: list[int], seconds: float) -> dict[str, Any]:
        """What the run came to. `bytes` and `rows` are what it read; `findings` is all there is in its sources now."""
        marks = ",".join("?" * len(sources))
        statuses = {"complete": 0, "partial": 0, "skipped": 0, "failed": 0}
        size = rows = 0
        for row in self._book.rows(
            "select status, count(*) as n, sum(bytes) as bytes, sum(rows) as rows from ("
            " select min(object.status) as status, sum(object.rows) as rows,"
            " sum(case when object.status in ('complete', 'partial') then object.bytes else 0 end) as bytes"
            f" from object join unit on unit.id = object.unit where unit.run = ? and unit.source in ({marks})"
            " group by unit.source, object.object) group by status",
            (self._run, *sources),
        ):
            statuses[row["status"]] += row["n"]
            size, rows = size + row["bytes"], rows + row["rows"]
        everything = next(self._book.rows("select count(*) as n from source"))["n"] == len(sources)
        where, inside = ("", ()) if everything else (f"where unit in (select id from unit where source in ({marks}))", sources)
        total = next(self._book.rows(f"select count(*) as n from object {where}", inside))["n"]
        total -= next(
            self._book.rows(
                f"select count(*) - count(distinct source || ' ' || object) as n from unit where part <> '' and source in ({marks})",
                sources,
            )
        )["n"]
        unchanged = total - sum(statuses.values())
        findings = next(self._book.rows(f"select coalesce(sum(count), 0) as n from holding {where}", inside))["n"]
        unlisted = next(self._book.rows(f"select count(*) as n from unlisted where source in ({marks})", sources))["n"]
        statuses["failed"] += unlisted
        changes = {row["what"]: row["n"] for row in self._book.rows(
            "select what, count(*) as n from change where run = ? group by what", (self._run,)
        )}  # fmt: skip
        return {
            "run": self._run,
            "objects": {**statuses, "unchanged": unchanged},
            "findings": findings,
            "bytes": size,
            "rows": rows,
            "seconds": round(seconds, 3),
            "changes": {what: changes.get(what, 0) for what in ("new", "changed", "gone")},
        }


def _gone(known: Known, unlisted: list[Problem], gone: list[int]) -> None:
    """A known unit that was not listed is gone, unless it lies where nobody could look."""
    if not any(known[1].startswith(problem.object) for problem in unlisted):
        gone.append(known[0])


def _as_unit(source: str, problem: Problem) -> Unit:
    return Unit(source, problem.object, "file", fingerprint=f"{problem.why.value}: {problem.detail}")


def _only(unit: Unit, problems: list[Problem]) -> UnitRead:
    """A unit of which nothing was read."""
    status, reason = judged(problems, read=False)
    return UnitRead((ObjectRead(unit.object, unit.kind, status, reason, 0, 0),), tuple(problems), ())


def _with_lost(read: UnitRead, lost: list[Problem]) -> UnitRead:
    names = {problem.object for problem in lost}
    objects = [one for one in read.objects if one.object not in names]
    objects += [ObjectRead(problem.object, "file", *judged([problem], read=False), 0, 0) for problem in lost]
    return UnitRead(tuple(objects), (*read.problems, *lost), read.holdings)


def own_folder_patterns(root: Path, own: Path) -> tuple[str, ...]:
    """Patterns that keep the inventory out of a scan of the folder that it lies in."""
    try:
        inside = own.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return ()
    return (inside, f"{inside}/*") if inside != "." else ()
