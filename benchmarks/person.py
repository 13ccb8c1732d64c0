"""How well one person's records are found: `python -m benchmarks.person` on the made-up company, whose truth is known.

For each subject and each request that leads to her (an e-mail address, a CPR number, name and address …): recall of the records that
are hers at `certain` or `likely`, precision of `certain`, and namesakes in `certain`. Development data: rules and search were made on it.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from scanner.demo.truth import Record, Request, Subject, truth
from scanner.model import Hit, Link, Reading, Unit

FUNCTION = ("handler", "signature")
_LINKS = tuple(Link)

Place: TypeAlias = tuple[str, str, str]
Answers: TypeAlias = Callable[[Request], Iterable[Hit]]


@dataclass
class Tally:
    """What was asked and found, of one subject or of all. `lines` say each record missed and each wrong one."""

    requests: int = 0
    seconds: float = 0.0
    wanted: int = 0
    found: int = 0
    right: int = 0
    wrong: int = 0
    namesakes: int = 0
    above: int = 0
    misses: Counter[str] = field(default_factory=Counter)
    strangers: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for name, value in vars(other).items():
            if isinstance(value, Counter):
                getattr(self, name).update(value)
            else:
                setattr(self, name, getattr(self, name) + value)

    def figures(self) -> dict[str, float]:
        """The figures that the targets speak of."""
        return {
            "requests": self.requests,
            "seconds a request": round(self.seconds / max(1, self.requests), 2),
            "wanted": self.wanted,
            "recall": self.found / max(1, self.wanted),
            "certain": self.right + self.wrong,
            "precision of certain": self.right / max(1, self.right + self.wrong),
            "namesakes in certain": self.namesakes,
            "more than possible by a name alone": self.above,
        }


def examine(subject: Subject, answers: Answers, bearers: Mapping[Place, set[str]]) -> Tally:
    """Ask every question of one subject. `bearers` are the names of those whose records the truth knows, by place."""
    tally, places = Tally(), {(r.source, r.object, r.record) for r in subject.records}
    for request in subject.requests:
        begun = time.monotonic()
        hits = list(answers(request))
        tally.requests, tally.seconds = tally.requests + 1, tally.seconds + time.monotonic() - begun
        about = f"{subject.number} {', '.join(subject.kinds)} by {request.label}"
        if request.reaches == "possible":
            tally.above += sum(hit.link is not Link.POSSIBLE for hit in hits)
            tally.lines += [f"above   {about}: {hit}" for hit in hits if hit.link is not Link.POSSIBLE]
        else:
            _missed(tally, subject.records, _best(hits), about)
        for hit in hits:
            if hit.link is not Link.CERTAIN or hit.role in FUNCTION:
                continue
            if {(hit.source, hit.object, hit.record), (hit.source, hit.object, "")} & places:
                tally.right += 1
                continue
            tally.wrong += 1
            tally.strangers[f"{hit.source}:{hit.object.split('!')[-1]} {hit.role}"] += 1
            tally.namesakes += subject.name in bearers.get((hit.source, hit.object, hit.record), ())
            tally.lines.append(f"wrong   {about}: {hit}")
    return tally


def _missed(tally: Tally, records: Iterable[Record], best: Mapping[Place, Link], about: str) -> None:
    for record in records:
        if not record.required:
            continue
        tally.wanted += 1
        link = best.get((record.source, record.object, record.record))
        if link in (Link.CERTAIN, Link.LIKELY):
            tally.found += 1
        else:
            tally.misses[f"{record.source}:{record.object.split('!')[-1]} {record.role}"] += 1
            tally.lines.append(f"missed  {about}: {record} got {link}")


def _best(hits: Iterable[Hit]) -> dict[Place, Link]:
    best: dict[Place, Link] = {}
    for hit in hits:
        for place in ((hit.source, hit.object, hit.record), (hit.source, hit.object, "")):
            if place not in best or _LINKS.index(hit.link) < _LINKS.index(best[place]):
                best[place] = hit.link
    return best


@contextmanager
def company(servers: bool) -> Iterator[Path]:
    """The company written and scanned; gives its folder, for as long as its servers run."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="company")))
        os.environ["PERSONDATA_KEYS"] = str(folder / "keys")
        program = [sys.executable, "-m", "scanner.cli"]
        subprocess.run([*program, "demo", str(folder / "optifo")], check=True, capture_output=True)
        if servers:
            from benchmarks.servers import started

            stack.enter_context(started(folder / "optifo"))
        shared = ["--config", str(folder / "optifo/persondata.toml"), "--inventory", str(folder / "inventory")]
        done = subprocess.run([*program, "scan", *shared], check=False, capture_output=True, text=True)
        assert done.returncode in (0, 3), done.stderr
        yield folder


@contextmanager
def searching(folder: Path) -> Iterator[Answers]:
    """A function from a request to the hits of its search.

    Nobody changes the company meanwhile, so that what does not depend on who is searched for is done once: sources are opened,
    the tables' graph is loaded, what `units` and `read` gave is kept in memory, and so are identifiers that were made ready to be swept for.
    Looking up and sweeping is done each time.
    """
    from scanner import config
    from scanner.cli import find, options
    from scanner.subject import identifiers, search
    from scanner.subject.bookshelf import Shelf

    settings, inventory = config.load(folder / "optifo/persondata.toml"), folder / "inventory"
    with options.open_book(inventory, settings) as book:
        sources, lost = find.open_all((), settings, inventory, book)
        assert not lost, lost
        made, problems = find.graph_of(sources, book)
        assert not problems, problems
        shelf = Shelf(book, sources)
        compiled: dict[Any, Any] = {}
        for source in sources:
            _remember(source)

        def answers(request: Request) -> tuple[Hit, ...]:
            subject = identifiers.from_options(
                cpr=_some(request.cpr), email=_some(request.email), phone=_some(request.phone), name=_some(request.name),
                address=_some(request.address), ids=tuple(f"{k}={v}" for k, v in request.id.items()), anyway=True,
            )  # fmt: skip
            answer = search.search(subject, sources, made, shelf, cache=compiled)
            assert not answer.unread, answer.unread
            return answer.hits

        yield answers


def _remember(source: Any) -> None:
    """Have a source list its units once, and read each of them once."""
    listed, read = list(source.units()), source.read
    kept: dict[Unit, list[Reading]] = {}

    def remembered(unit: Unit) -> Iterator[Reading]:
        if unit not in kept:
            kept[unit] = list(read(unit))
        yield from kept[unit]

    source.units, source.read = lambda: iter(listed), remembered


def _some(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


class _Worker:
    """What a process keeps: the searches that it answers by, and the truth."""

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        self._answers = self._stack.enter_context(searching(folder))
        known = truth()
        self._subjects = {subject.number: subject for subject in known.subjects}
        self._bearers: dict[Place, set[str]] = defaultdict(set)
        for subject in known.subjects:
            for record in subject.records:
                self._bearers[record.source, record.object, record.record].add(subject.name)

    def work(self, number: int) -> Tally:
        return examine(self._subjects[number], self._answers, self._bearers)


_worker = functools.cache(_Worker)


def _examined(folder: Path, number: int) -> tuple[int, Tally]:
    return number, _worker(folder).work(number)


def measure(folder: Path, numbers: Iterable[int], jobs: int) -> Iterator[tuple[int, Tally]]:
    """Examine subjects, in this process or in several, and give each as it is ready."""
    work = functools.partial(_examined, folder)
    if jobs < 2:
        yield from map(work, numbers)
        return
    from multiprocessing import get_context

    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(work, numbers)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.person", description=__doc__)
    parser.add_argument("--servers", action="store_true", help="with PostgreSQL and MariaDB as well, started for this")
    parser.add_argument("--verbose", action="store_true", help="each record missed and each wrong one")
    parser.add_argument("--only", action="append", help="one subject by number or name, or those of one kind; may be repeated")
    parser.add_argument("--jobs", type=int, default=1, help="so many processes share the subjects")
    given = parser.parse_args()
    wanted = list(truth().subjects)
    for only in given.only or ():
        if not any(only in (str(one.number), one.name, *one.kinds) for one in wanted):
            parser.error(f"nobody is called {only}, and no kind of subject is")
    if given.only:
        wanted = [one for one in wanted if {str(one.number), one.name, *one.kinds} & set(given.only)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and folders are put away
    known, total, begun = {one.number: one for one in wanted}, Tally(), time.monotonic()
    with company(given.servers) as folder:
        for done, (number, tally) in enumerate(measure(folder, known, given.jobs), 1):
            total.add(tally)
            about = f"{done:3}/{len(known)}  {number} {known[number].name} ({', '.join(known[number].kinds)})"
            said = f"{tally.requests} requests in {tally.seconds:.1f} s, {tally.found}/{tally.wanted} found, {tally.wrong} wrong"
            print(f"{time.monotonic() - begun:6.0f} s  {about}: {said}", file=sys.stderr, flush=True)
            for line in tally.lines if given.verbose else ():
                print(line, flush=True)
    print(
        json.dumps({"missed": total.misses.most_common(15), "wrong": total.strangers.most_common(15)}, ensure_ascii=False, indent=1),
        file=sys.stderr,
    )
    print(json.dumps(total.figures(), indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
