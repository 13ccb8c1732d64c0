"""What came, went, grew, shrank or could not be read any more between two runs, as a page, a workbook and JSON."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, NamedTuple

from scanner.errors import ReportError
from scanner.inventory.ledger import BEGINS
from scanner.report import ROWS, Asked, page, queries, rows, visible, workbook
from scanner.report.words import entity, words

KEYS = {
    "sources": ("source", "objects", "unread", "findings", "sensitive", "criminal", "confidential"),
    "objects": ("source", "object", "class", "before", "after", "reason"),
    "holdings": ("source", "object", "field", "entity", "class", "before", "after", "new_field", "new_class"),
}
OBJECTS = ("new", "gone", "unread", "readable")
HOLDINGS = ("new", "gone", "more", "fewer")


class Period(NamedTuple):
    """The runs that are compared: what stood there when `base` ended (None: nothing), and what stands there since `last` ended."""

    base: dict[str, Any] | None
    last: dict[str, Any] | None
    rules_changed: bool
    open_run: str = ""

    @property
    def number(self) -> int:
        """The run after which everything counts as a change."""
        return int(self.base["id"]) if self.base else 0


class Top(NamedTuple):
    """The first rows of a list, and how many it has."""

    rows: list[dict[str, Any]]
    total: int


def period(book: sqlite3.Connection, since: str = "") -> Period:
    """The runs to compare: the last that ended, and the one before it, that numbered `since`, or the last before the day `since`.

    Raises `ReportError` where there is no such run, or where the book kept no changes then.
    """
    runs = list(rows(book, "select id, started, finished, rules from run where finished is not null order by id"))
    if not runs:
        return Period(None, None, False)
    last = runs[-1]
    base = _base(runs, since)
    begins = _begins(book)
    if begins is None or begins >= last["id"]:
        raise ReportError("this inventory keeps what changes from its next scan on; scan once more, and then write this report")
    if (base["id"] if base else 0) < begins:
        if since:
            raise ReportError(f"what changed is kept from the end of run {begins} on; write --since {begins}, or a later run or day")
        base = next(run for run in reversed(runs) if run["id"] <= begins)
    between = {run["rules"] for run in runs if base is None or run["id"] >= base["id"]}
    going = book.execute("select started from run where finished is null and id > ? order by id desc limit 1", (last["id"],)).fetchone()
    return Period(base, last, base is not None and len(between) > 1, going[0] if going else "")


def _base(runs: Sequence[dict[str, Any]], since: str) -> dict[str, Any] | None:
    if not since:
        return runs[-2] if len(runs) > 1 else None
    if re.fullmatch(r"\d{1,9}", since):
        if since == "0":
            return None
        found = next((run for run in runs if run["id"] == int(since)), None)
        if found is None:
            raise ReportError(f"--since {since}: no run of that number came to its end; the last is {runs[-1]['id']}")
        return found
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", since):
        raise ReportError("--since must be the number of a run, or a day such as 2026-06-30")
    return next((run for run in reversed(runs) if run["finished"] < since), None)


def _begins(book: sqlite3.Connection) -> int | None:
    """The run after which the book keeps changes; None where it has no place for them yet."""
    if not book.execute("select 1 from sqlite_master where name = 'holding_change'").fetchone():
        return None
    found = book.execute("select value from meta where key = ?", (BEGINS,)).fetchone()
    return int(found[0]) if found else 0


class Changes:
    """What changed in a period, list by list: read anew from the book each time, row by row."""

    def __init__(self, book: sqlite3.Connection, over: Period) -> None:
        self.period = over
        self._book = book
        self._queries = queries("changes/queries")

    def list(self, query: str) -> Iterator[dict[str, Any]]:
        """The rows that a query gives, asked when the first is taken; each `what` in the order of `OBJECTS` or `HOLDINGS`."""
        if self.period.last is not None:
            yield from rows(self._book, self._queries[query], {"base": self.period.number})

    def tops(self, query: str, kinds: Sequence[str], most: int) -> dict[str, Top]:
        """The first rows of each `what`, and how many there are."""
        found: dict[str, list[dict[str, Any]]] = {what: [] for what in kinds}
        totals = dict.fromkeys(kinds, 0)
        for row in self.list(query):
            totals[row["what"]] += 1
            if totals[row["what"]] <= most:
                found[row["what"]].append(row)
        return {what: Top(found[what], totals[what]) for what in kinds}

    def summary(self, most: int) -> dict[str, Any]:
        """Everything for a page, cut to `most` rows a list."""
        sources = list(self.list("new_sources"))
        objects, holdings = self.tops("objects", OBJECTS, most), self.tops("holdings", HOLDINGS, most)
        moved = [row for row in self.list("by_source") if row["before"] != row["after"]]
        return {
            "new_sources": sources, "not_walked": list(self.list("not_walked")), "by_source": moved,
            "objects": objects, "holdings": holdings,
            "nothing": not sources and not any(top.total for top in (*objects.values(), *holdings.values())),
        }  # fmt: skip


class _Parts:
    """The rows of one query, a `what` at a time: taken in the order in which they come, so that the book is asked once."""

    def __init__(self, lines: Iterator[dict[str, Any]]) -> None:
        self._lines = lines
        self._next: dict[str, Any] | None = None
        self._begun = False

    def of(self, what: str) -> Iterator[dict[str, Any]]:
        """The rows of one `what`; those before it have been taken."""
        if not self._begun:
            self._begun, self._next = True, next(self._lines, None)
        while (row := self._next) is not None and row["what"] == what:
            self._next = next(self._lines, None)
            yield row


def as_html(asked: Asked, out: IO[bytes]) -> None:
    """One page."""
    found = Changes(asked.book, period(asked.book, asked.since))
    content = found.summary(ROWS["rows_per_list"])
    said = words("changes", asked.language)
    out.write(page("changes/page", {**content, "period": found.period, "words": said, "controller": asked.settings.controller.name}))


def as_json(asked: Asked, out: IO[bytes]) -> None:
    """All of it: the lists as they stand on the page, in full."""
    found = Changes(asked.book, period(asked.book, asked.since))
    last, base = found.period.last, found.period.base
    told = {"since": _run(base), "until": _run(last), "rules_changed": found.period.rules_changed}
    out.write(json.dumps(told, ensure_ascii=False)[:-1].encode())
    objects, holdings = _Parts(found.list("objects")), _Parts(found.list("holdings"))
    lists: list[tuple[str, Iterable[dict[str, Any]], Sequence[str]]] = [
        ("new_sources", found.list("new_sources"), KEYS["sources"]),
        ("not_walked", found.list("not_walked"), ("source", "walked")),
        *((f"objects_{what}", objects.of(what), KEYS["objects"]) for what in OBJECTS),
        *((f"kinds_{what}", holdings.of(what), KEYS["holdings"]) for what in HOLDINGS),
    ]
    for name, lines, keys in lists:
        out.write(f',\n "{name}": ['.encode())
        for number, row in enumerate(lines):
            line = {key: bool(row[key]) if key.startswith("new_") else row[key] for key in keys}
            out.write((",\n  " if number else "\n  ").encode() + json.dumps(line, ensure_ascii=False).encode())
        out.write(b"]")
    out.write(b"}\n")


def as_xlsx(asked: Asked, out: IO[bytes]) -> None:
    """A workbook: a sheet a list."""
    found = Changes(asked.book, period(asked.book, asked.since))
    said = words("changes", asked.language)
    titles, columns = said["sheets"], said["columns"]

    def sheet(lines: Iterable[dict[str, Any]], keys: Sequence[str]) -> workbook.Sheet:
        return workbook.Sheet([columns[key] for key in keys], (_cells(row, keys, said) for row in lines))

    about = [(said["facts"][key], value) for key, value in _facts(found.period, said)]
    sheets = {titles["about"]: workbook.Sheet([said["title"], ""], about)}
    sheets[titles["new_sources"]] = sheet(found.list("new_sources"), KEYS["sources"])
    objects, holdings = _Parts(found.list("objects")), _Parts(found.list("holdings"))
    for what in HOLDINGS:
        sheets[titles[f"kinds_{what}"]] = sheet(holdings.of(what), KEYS["holdings"])
    for what in OBJECTS:
        sheets[titles[f"objects_{what}"]] = sheet(objects.of(what), KEYS["objects"])
    sheets[titles["not_walked"]] = sheet(found.list("not_walked"), ("source", "walked"))
    workbook.write(sheets, out)


def _cells(row: dict[str, Any], keys: Sequence[str], said: dict[str, Any]) -> list[Any]:
    cells: list[Any] = []
    for key in keys:
        value = row[key]
        if key == "entity":
            value = entity(said, value)
        elif key == "class":
            value = said["classes"][value][0] if value else ""
        elif key in ("new_field", "new_class"):
            value = "x" if value else ""
        cells.append(visible(value))
    return cells


def _facts(over: Period, said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    base, last = over.base, over.last
    yield "since", f"{said['run']} {base['id']}, {base['finished']}" if base else said["beginning"]
    yield "until", f"{said['run']} {last['id']}, {last['finished']}" if last else said["never"]
    if over.rules_changed:
        yield "rules", said["rules_changed"]
    if over.open_run:
        yield "open", over.open_run


def _run(run: dict[str, Any] | None) -> dict[str, Any] | None:
    return {"run": run["id"], "started": run["started"], "finished": run["finished"]} if run else None
