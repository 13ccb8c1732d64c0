"""What was read and what was not, by source and reason, with what can be done about it: a page, a workbook, CSV and JSON."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from scanner.report import ROWS, Asked, cell, page, queries, rows, visible, workbook
from scanner.report.words import words

COLUMNS = ("source", "object", "kind", "status", "why", "detail", "todo", "bytes", "rows", "rows_there", "missed")
_PROBLEMS = ("source", "object", "record", "field", "why", "detail")
_DETAILS = 6
"""So many of the program's own words stand beside a reason on the page."""


class Coverage:
    """The answers of the book, as they come."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._queries = queries("coverage/queries")
        self.words = words("coverage", asked.language)

    def rows(self, query: str) -> Iterator[dict[str, Any]]:
        """The rows of one query."""
        return rows(self._asked.book, self._queries[query])

    def objects(self, query: str) -> Iterator[dict[str, Any]]:
        """Objects, their reason taken apart into `why` and the program's own `detail`, with what can be done."""
        for row in self.rows(query):
            why, _, detail = (row.pop("reason") or "").partition(": ")
            why = "sample" if row["rows_there"] is not None else "library" if _library(why, detail) else why
            yield row | {"why": why, "detail": detail, "todo": self.todo(why) if row["status"] != "complete" else ""}

    def todo(self, why: str) -> str:
        """What can be done about a reason."""
        found = self.words["reasons"].get(why)
        return str(found["todo"]) if found else ""

    def title(self, why: str) -> str:
        """What a reason is called."""
        found = self.words["reasons"].get(why)
        return str(found["title"]) if found else why

    def reasons(self) -> list[dict[str, Any]]:
        """Reason by reason: what it means, what to do, where it occurred, and in the program's own words why."""
        details: dict[str, list[dict[str, Any]]] = {}
        for row in self.rows("details"):
            found = details.setdefault(row["why"], [])
            if len(found) <= _DETAILS:
                found.append(row)
        made = []
        for why, group in itertools.groupby(self.rows("reasons"), key=lambda row: row["why"]):
            lines = list(group)
            known = self.words["reasons"].get(why, {"title": why, "means": "", "todo": ""})
            made.append(
                {
                    **known, "why": why, "sources": lines, "objects": sum(row["objects"] for row in lines),
                    "places": sum(row["places"] for row in lines), "details": details.get(why, [])[:_DETAILS],
                    "more": len(details.get(why, [])) > _DETAILS,
                }
            )  # fmt: skip
        return made

    def left_out(self, sources: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What the configuration keeps the scanner from reading: patterns, and sources that nobody has scanned."""
        scanned = {row["source"] for row in sources}
        return [
            {"source": one.name, "exclude": one.exclude, "include": one.include, "never": one.name not in scanned}
            for one in self._asked.settings.sources
            if one.exclude or one.include or one.name not in scanned
        ]


def _library(why: str, detail: str) -> bool:
    return why == "unsupported" and ("not installed" in detail or "pip install" in detail)


def as_html(asked: Asked, out: IO[bytes]) -> None:
    """One page."""
    found = Coverage(asked)
    sources = list(found.rows("sources"))
    most = ROWS["rows_per_list"]
    unread = found.objects("unread")
    first = list(itertools.islice(unread, most))
    totals = {key: sum(row[key] for row in sources) for key in ("objects", "complete", "partial", "skipped", "failed", "bytes", "rows")}
    content = {
        "words": found.words, "controller": asked.settings.controller.name, "run": next(found.rows("last_run"), None),
        "sources": sources, "totals": totals, "reasons": found.reasons(), "left_out": found.left_out(sources),
        "unread": first, "unread_total": len(first) + sum(1 for _ in unread),
        "titles": {why: one["title"] for why, one in found.words["reasons"].items()},
    }  # fmt: skip
    out.write(page("coverage/page", content))


def as_xlsx(asked: Asked, out: IO[bytes]) -> None:
    """A workbook: reasons, sources, what was not read, every place of it, and every object."""
    found = Coverage(asked)
    said, columns = found.words, found.words["columns"]

    def sheet(keys: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> workbook.Sheet:
        return workbook.Sheet([columns[key] for key in keys], ([visible(_shown(found, key, row[key])) for key in keys] for row in lines))

    sources = list(found.rows("sources"))
    reasons = (
        {**row, "means": said["reasons"].get(row["why"], {}).get("means", ""), "todo": found.todo(row["why"])}
        for row in found.rows("reasons")
    )
    left = (
        {"source": one["source"], "include": ", ".join(one["include"]), "exclude": ", ".join(one["exclude"]), "never": "x" * one["never"]}
        for one in found.left_out(sources)
    )
    titles = said["sheets"]
    workbook.write(
        {
            titles["reasons"]: sheet(("why", "source", "objects", "places", "means", "todo"), reasons),
            titles["sources"]: sheet(
                ("source", "objects", "complete", "partial", "skipped", "failed", "bytes", "rows", "walked"), found.rows("sources")
            ),
            titles["unread"]: sheet(COLUMNS, found.objects("unread")),
            titles["problems"]: sheet(_PROBLEMS, found.rows("problems")),
            titles["left_out"]: sheet(("source", "include", "exclude", "never"), left),
            titles["every"]: sheet(COLUMNS, found.objects("every")),
        },
        out,
    )


def as_csv(asked: Asked, out: IO[bytes]) -> None:
    """Every object, in UTF-8 with a mark in front so that Excel knows; a text that begins like a formula has a quote in front."""
    found = Coverage(asked)
    text = io.TextIOWrapper(out, encoding="utf-8-sig", errors="backslashreplace", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in found.objects("every"):
        writer.writerow([cell(row[key]) for key in COLUMNS])
    text.detach()


def as_json(asked: Asked, out: IO[bytes]) -> None:
    """Run, sources, reasons and every object that was not read to its end."""
    found = Coverage(asked)
    sources = list(found.rows("sources"))
    told = {
        "run": next(found.rows("last_run"), None),
        "sources": sources,
        "reasons": list(found.rows("reasons")),
        "left_out": found.left_out(sources),
    }
    out.write((json.dumps(told, ensure_ascii=False)[:-1] + ',\n "unread": [').encode())
    for number, row in enumerate(found.objects("unread")):
        out.write((",\n  " if number else "\n  ").encode() + json.dumps({key: row[key] for key in COLUMNS}, ensure_ascii=False).encode())
    out.write(b"]}\n")


def _shown(found: Coverage, key: str, value: Any) -> Any:
    if key == "why":
        return found.title(value)
    if key == "status":
        return found.words["status_long"][value]
    return value
