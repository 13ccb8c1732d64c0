"""Worker processes that read units for one search; they stay from one pass over the texts to the next, as starting one takes a second."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from scanner import workers
from scanner.jobs import Job
from scanner.model import Limits, Problem, Subject, Unit
from scanner.subject import texts
from scanner.subject.sweep import Cache


class Read(NamedTuple):
    """What came of a unit: places of the subject in it, or problems of which the answer must speak."""

    source: str
    places: list[texts.Place]
    problems: list[Problem]


class Desk:
    """Where texts are held against what is known of the subject by now: what comes in on the way is compiled when it is first needed."""

    def __init__(self, setup: texts.Setup, cache: Cache | None = None) -> None:
        self._setup, self._cache = setup, cache
        self._state: texts.State | None = None

    def state(self, subject: Subject) -> texts.State:
        """Ready for this subject: the one of before, of whom more may be known."""
        if self._state is None or self._state.setup.subject != subject:
            self._state = texts.prepare(replace(self._setup, subject=subject), self._state, self._cache)
        return self._state


class Readers:
    """The workers of one search. `processes=None` reads in this very process, at the desk given. Close it to end them."""

    def __init__(self, setup: texts.Setup, desk: Desk, processes: int | None, limits: Limits) -> None:
        self._tasks = _Tasks()
        self._setup, self._desk = setup, desk
        self._processes, self._limits = processes, limits
        self._messages: Generator[workers.Message, None, None] | None = None

    def close(self) -> None:
        """End the workers."""
        if self._messages is not None:
            self._messages.close()
            self._messages = None

    def _here(self) -> Desk:
        return self._desk

    def read(self, subject: Subject, units: Iterable[Unit]) -> Iterator[Read]:
        """Read units to their ends, and give what is found as it comes. What a worker could not read to its end is a problem."""
        self._tasks.begin(subject, iter(units))
        if self._messages is None:
            prepare = _Prepare(replace(self._setup, subject=subject)) if self._processes is not None else self._here
            self._messages = workers.run(self._tasks, _work, prepare=prepare, workers=self._processes, limits=self._limits)
        while not self._tasks.ended:
            message = next(self._messages, None)
            if message is None:
                self._messages = None
                return
            unit = self._tasks.units[message.key]
            if isinstance(message, workers.Partial):
                yield Read(unit.source, message.payload, [])
                continue
            self._tasks.open -= 1
            if isinstance(message, workers.Done):
                yield Read(unit.source, [], message.payload)
            else:
                yield Read(unit.source, [], [_lost(unit, message)])


def _lost(unit: Unit, failed: workers.Failed) -> Problem:
    inside = f", while {failed.culprit} in it was read" if failed.culprit not in ("", unit.object) else ""
    detail = f"{failed.detail}{inside}; what follows there was not looked at"
    return Problem(unit.object, failed.why, detail)


class _Tasks:
    """The units of a pass as tasks, one ahead so that the last one is known to be the last. It goes on with the next pass."""

    def __init__(self) -> None:
        self.units: dict[int, Unit] = {}
        self.open = 0
        self._subject = Subject(())
        self._left: Iterator[Unit] = iter(())
        self._next: Unit | None = None

    @property
    def ended(self) -> bool:
        """Whether all units of the pass were worked."""
        return self._next is None and not self.open

    def begin(self, subject: Subject, units: Iterator[Unit]) -> None:
        self._subject, self._left = subject, units
        self._next = next(units, None)

    def __iter__(self) -> Iterator[workers.Task]:
        return self

    def __next__(self) -> workers.Task:
        if self._next is None:
            raise StopIteration
        unit, key = self._next, len(self.units)
        self.units[key], self._next = unit, next(self._left, None)
        self.open += 1
        return workers.Task(key, (Job(unit), self._subject), unit.size)


class _Prepare:
    """Makes a worker's desk inside the worker."""

    def __init__(self, setup: texts.Setup) -> None:
        self._setup = setup

    def __call__(self) -> Desk:
        desk = Desk(self._setup)
        desk.state(self._setup.subject)
        return desk


def _work(desk: Desk, payload: tuple[Job, Subject], watch: Callable[[str], None]) -> Any:
    job, subject = payload
    return texts.work(desk.state(subject), job, watch)
