"""How well plans of deletion are made: `python -m benchmarks.deletion` on the made-up company, whose truth is known, with real servers.

For each subject what a plan says of each of her records is held against what it must say: right is the action of the truth, or one that a
fair reader accepts as well; its rule of law and the last day where the truth names them. By default the first request of each subject is
searched for; `--from-truth` takes the records of the truth instead and judges planning alone. Development data: it was made on it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from scanner.demo.ledger import DAY
from scanner.demo.truth import Record, Request, Subject, truth
from scanner.model import Hit, Link, Role
from scanner.model import Subject as Person
from scanner.requests.plan import Action, Planned
from scanner.subject.search import Answer

_ROLES = {"subject": Role.ABOUT}


@contextmanager
def company(folder: Path | None = None) -> Iterator[Any]:
    """The company written, loaded and scanned; gives a function from an answer (or a request) to the draft of its plan."""
    from scanner import config
    from scanner.cli import find, options
    from scanner.requests import sweep
    from scanner.subject import graph, search
    from scanner.subject.bookshelf import Shelf

    with ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="company")))
            os.environ["PERSONDATA_KEYS"] = str(folder / "keys")
            program = [sys.executable, "-m", "scanner.cli"]
            subprocess.run([*program, "demo", str(folder / "optifo")], check=True, capture_output=True)
            from benchmarks.servers import started

            stack.enter_context(started(folder / "optifo"))
            shared = ["--config", str(folder / "optifo/persondata.toml"), "--inventory", str(folder / "inventory")]
            done = subprocess.run([*program, "scan", *shared], check=False, capture_output=True, text=True)
            assert done.returncode in (0, 3), done.stderr
        os.environ["PERSONDATA_KEYS"] = str(folder / "keys")
        settings = config.load(folder / "optifo/persondata.toml")
        book = stack.enter_context(options.open_book(folder / "inventory", settings))
        sources, lost = find.open_all((), settings, folder / "inventory", book)
        made, problems = graph.build(sources, list(book.rows("select * from data_map")))
        assert not lost and not problems, (lost, problems)
        shelf = Shelf(book, sources)
        under = sweep.held(settings.holds, sources, made, shelf, DAY)
        detector = options.detector(settings, "fast", key=book.key())

        def plan_of(what: Request | Answer, today: date = DAY) -> Any:
            answer = what if isinstance(what, Answer) else search.search(person_of(what), sources, made, shelf)
            return sweep.make(
                answer, sources, made, settings, lambda: detector, under, key=book.key(), inventory=book.meta("id"), today=today,
                entities=shelf.entities,
            )  # fmt: skip

        yield plan_of


def person_of(request: Request) -> Person:
    """The person as a request says her."""
    from scanner.subject import identifiers

    return identifiers.from_options(
        cpr=_some(request.cpr), email=_some(request.email), phone=_some(request.phone), name=_some(request.name),
        address=_some(request.address), ids=tuple(f"{k}={v}" for k, v in request.id.items()), anyway=True,
    )  # fmt: skip


def _some(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


def told(subject: Subject) -> Answer:
    """The records of the truth as a search would give them at best, with everything that is asked for known."""
    known = {one for request in subject.requests for one in person_of(request).identifiers}
    hits = tuple(
        Hit(r.source, r.object, r.record, "", Link(r.strength), 0.9, "in the truth", _ROLES.get(r.role) or Role(r.role))
        for r in subject.records
        if r.findable
    )
    return Answer(Person(tuple(sorted(known, key=repr))), hits, ())


def measure(plan_of: Any, *, from_truth: bool, verbose: bool = False, only: str = "") -> dict[str, Any]:
    """Plan for every subject and hold each action against the truth."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    laws: Counter[bool] = Counter()
    untils: Counter[bool] = Counter()
    bad: Counter[str] = Counter()
    asked = strangers = unfound = 0
    began = time.monotonic()
    for subject in truth().subjects:
        if only and only not in (str(subject.number), subject.name, *subject.kinds):
            continue
        asked += 1
        draft = plan_of(told(subject) if from_truth else subject.requests[0])
        by_place = {(one.source, one.object, one.record): one for one in draft.plan.actions}
        whole: dict[tuple[str, str], Planned] = {}
        for one in draft.plan.actions:
            whole.setdefault((one.source, one.object), one)
        seen: set[tuple[str, str]] = set()
        for record in subject.records:
            fate = record.fate
            place = (record.source, record.object)
            one = by_place.get((*place, record.record)) or (None if record.record else whole.get(place))
            seen.add(place)
            if not fate.action:
                continue
            if one is None:
                unfound += 1
                continue
            fits = one.action.value == fate.action or one.action.value in fate.also
            (right if fits else wrong)[fate.reason] += 1
            if verbose and not fits:
                print(f"wrong {subject.number} {_shown(record)}: {fate.action} ({fate.reason}), not {one.action.value}: {one.reason}")
            held = fate.reason == "legal hold"
            bad["deleted although held"] += held and one.action in (Action.DELETE, Action.ANONYMISE)
            bad["deleted although it must be kept"] += fate.reason == "must be kept" and one.action in (Action.DELETE, Action.ANONYMISE)
            gone = fate.action == "delete" and not set(fate.also) & {"keep", "restrict"}
            bad["kept without reason"] += gone and one.action in (Action.KEEP, Action.RESTRICT)
            if fits and one.action.value == fate.action and fate.law:
                laws[one.law == fate.law] += 1
                if verbose and one.law != fate.law:
                    print(f"law {subject.number} {_shown(record)}: {fate.law!r}, not {one.law!r}")
            if fits and one.action.value == fate.action and one.action is not Action.DELETE:
                untils[one.until == fate.until] += 1
                if verbose and one.until != fate.until:
                    print(f"until {subject.number} {_shown(record)}: {fate.until!r}, not {one.until!r} {one.reason}")
        mine = {(r.source, r.object, r.record) for r in subject.records} | {
            (r.source, r.object, "") for r in subject.records if not r.record
        }
        for one in draft.plan.actions:
            if (
                one.action in (Action.DELETE, Action.ANONYMISE)
                and not {(one.source, one.object, one.record), (one.source, one.object, "")} & mine
            ):
                strangers += 1
                if verbose:
                    print(
                        f"stranger {subject.number} {one.source} {one.object} {one.record} {one.action.value} {one.link} {one.role}: {one.reason}"
                    )
    reasons = {name: {"right": right[name], "wrong": wrong[name]} for name in sorted({*right, *wrong})}
    return {
        "subjects": asked, "records": sum(right.values()) + sum(wrong.values()), "right": sum(right.values()), "wrong": sum(wrong.values()),
        "reasons": reasons, **{name: bad[name] for name in ("deleted although held", "deleted although it must be kept", "kept without reason")},
        "laws right": laws[True], "laws wrong": laws[False], "last days right": untils[True], "last days wrong": untils[False],
        "somebody else's record to go": strangers, "not found": unfound, "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def _shown(record: Record) -> str:
    return f"{record.source}:{record.object} {record.record} {record.role} {record.strength}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deletion", description=__doc__)
    parser.add_argument("--from-truth", action="store_true", help="plan for the records of the truth, without a search")
    parser.add_argument("--verbose", action="store_true", help="each wrong one")
    parser.add_argument("--only", default="", help="one subject by number or name, or those of one kind")
    parser.add_argument("--company", type=Path, help="a folder with the company, scanned and its servers running")
    given = parser.parse_args()
    with company(given.company) as plan_of:
        print(
            json.dumps(measure(plan_of, from_truth=given.from_truth, verbose=given.verbose, only=given.only), ensure_ascii=False, indent=1)
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
