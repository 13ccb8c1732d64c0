"""How well one person's records are found: `python -m benchmarks.person` on the made-up company, whose truth is known.

For each subject and each request that leads to her (an e-mail address, a CPR number, name and address …): recall of the records that
are hers at `certain` or `likely`, precision of `certain`, and namesakes in `certain`. Development data: rules and search were made on it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from scanner.demo.truth import Record, Request, Subject, truth
from scanner.model import Hit, Link

FUNCTION = ("handler", "signature")


def measure(answer_of: Any, *, verbose: int = 0, only: str = "") -> dict[str, float]:
    """Ask every question of the truth. `answer_of(request)` gives hits."""
    known = truth()
    by_place: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for subject in known.subjects:
        for record in subject.records:
            by_place[record.source, record.object, record.record].add(subject.number)
    wanted = found = right = wrong = namesakes = above = asked = 0
    misses: Counter[str] = Counter()
    strangers: Counter[str] = Counter()
    for subject in known.subjects:
        if only and only not in (str(subject.number), subject.name, *subject.kinds):
            continue
        for request in subject.requests:
            hits = list(answer_of(request))
            asked += 1
            best = _best(hits)
            if request.reaches == "possible":
                above += sum(hit.link is not Link.POSSIBLE for hit in hits)
            else:
                for record in subject.records:
                    if not record.required:
                        continue
                    wanted += 1
                    if _link(best, record) in (Link.CERTAIN, Link.LIKELY):
                        found += 1
                    else:
                        misses[f"{record.source}:{record.object.split('!')[-1]} {record.role}"] += 1
                        if verbose:
                            print(f"missed  {subject.number} {subject.kinds} by {request.label}: {record} got {_link(best, record)}")
            for hit in hits:
                if hit.link is not Link.CERTAIN or hit.role in FUNCTION:
                    continue
                if _hers(subject, hit):
                    right += 1
                    continue
                wrong += 1
                strangers[f"{hit.source}:{hit.object.split('!')[-1]} {hit.role}"] += 1
                others = by_place.get((hit.source, hit.object, hit.record), set())
                namesakes += any(s.name == subject.name for s in known.subjects if s.number in others)
                if verbose:
                    print(f"wrong   {subject.number} {subject.kinds} by {request.label}: {hit}")
    print(json.dumps({"missed": misses.most_common(15), "wrong": strangers.most_common(15)}, ensure_ascii=False, indent=1), file=sys.stderr)
    return {
        "requests": asked,
        "wanted": wanted,
        "recall": found / max(1, wanted),
        "certain": right + wrong,
        "precision of certain": right / max(1, right + wrong),
        "namesakes in certain": namesakes,
        "more than possible by a name alone": above,
    }


def _best(hits: list[Hit]) -> dict[tuple[str, str, str], Link]:
    order = list(Link)
    best: dict[tuple[str, str, str], Link] = {}
    for hit in hits:
        for place in ((hit.source, hit.object, hit.record), (hit.source, hit.object, "")):
            if place not in best or order.index(hit.link) < order.index(best[place]):
                best[place] = hit.link
    return best


def _link(best: dict[tuple[str, str, str], Link], record: Record) -> Link | None:
    return best.get((record.source, record.object, record.record))


def _hers(subject: Subject, hit: Hit) -> bool:
    places = {(r.source, r.object, r.record) for r in subject.records}
    return (hit.source, hit.object, hit.record) in places or (hit.source, hit.object, "") in places


@contextmanager
def company(servers: bool) -> Iterator[Any]:
    """The company written and scanned; gives a function from a request to the hits of its search."""
    from scanner import config
    from scanner.cli import find, options
    from scanner.subject import graph, identifiers, search
    from scanner.subject.bookshelf import Shelf

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="company")))
        os.environ["PERSONDATA_KEYS"] = str(folder / "keys")
        program = [sys.executable, "-m", "scanner.cli"]
        subprocess.run([*program, "demo", str(folder / "optifo")], check=True, capture_output=True)
        settings_file, inventory = folder / "optifo/persondata.toml", folder / "inventory"
        if servers:
            from benchmarks.servers import started

            stack.enter_context(started(folder / "optifo"))
        shared = ["--config", str(settings_file), "--inventory", str(inventory)]
        done = subprocess.run([*program, "scan", *shared], check=False, capture_output=True, text=True)
        assert done.returncode in (0, 3), done.stderr
        settings = config.load(settings_file)
        book = stack.enter_context(options.open_book(inventory, settings))
        sources, lost = find.open_all((), settings, inventory, book)
        assert not lost, lost
        made, problems = graph.build(sources, list(book.rows("select * from data_map")))
        assert not problems, problems

        def answer_of(request: Request) -> tuple[Hit, ...]:
            subject = identifiers.from_options(
                cpr=_some(request.cpr), email=_some(request.email), phone=_some(request.phone), name=_some(request.name),
                address=_some(request.address), ids=tuple(f"{k}={v}" for k, v in request.id.items()), anyway=True,
            )  # fmt: skip
            return search.search(subject, sources, made, Shelf(book, sources)).hits

        yield answer_of


def _some(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.person", description=__doc__)
    parser.add_argument("--servers", action="store_true", help="with PostgreSQL and MariaDB as well, started for this")
    parser.add_argument("--verbose", action="store_true", help="each record missed and each wrong one")
    parser.add_argument("--only", default="", help="one subject by number or name, or those of one kind")
    given = parser.parse_args()
    with company(given.servers) as answer_of:
        print(json.dumps(measure(answer_of, verbose=given.verbose, only=given.only), indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
