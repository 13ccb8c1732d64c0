"""Writes what lies beside a plan: the page that people read, and a file of statements for each database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scanner import report
from scanner.report import words as report_words
from scanner.requests import statements_script
from scanner.requests.plan import Action, Plan
from scanner.requests.sweep_item import Item, Reason

SHOWN = 200
"""So many records of one place, action and reason are listed on the page."""


def words(language: str) -> dict[str, Any]:
    """All words of a plan in a language: `da` or `en`."""
    return report_words.words("deletion", language)


def script_paths(plan: Plan, out: Path) -> dict[str, Path]:
    """Where the statements of each database go: PLAN.SOURCE.sql beside the plan."""
    found: dict[str, Path] = {}
    for script in plan.scripts:
        stem = re.sub(r"[^\w.-]+", "_", re.sub(r"^\w+:/*", "", script.source)).strip("._")[-60:] or "database"
        name, number = stem, 1
        while any(path.name == f"{out.stem}.{name}.sql" for path in found.values()):
            number += 1
            name = f"{stem}-{number}"
        found[script.source] = out.with_name(f"{out.stem}.{name}.sql")
    return found


def write(plan: Plan, out: Path, said: Mapping[str, Any], items: Sequence[Item], remarks: Mapping[str, Iterable[Reason]]) -> list[Path]:
    """Write the page and the scripts beside the plan `out`. `remarks` by source, `""` for the whole. Raises `OSError`."""
    paths = script_paths(plan, out)
    for script in plan.scripts:
        notes = [one.remarked(said) for one in remarks.get(script.source, ())]
        text = statements_script.write(script, said, id=plan.id, made=plan.made, gaps=len(plan.coverage), notes=notes)
        _put(text.encode(), paths[script.source])
    page = out.with_suffix(".html")
    _put(report.page("deletion/page", _content(plan, said, items, remarks, paths)), page)
    return [page, *paths.values()]


def _put(content: bytes, out: Path) -> None:
    report.put(content, out)
    out.chmod(0o600)


def _content(
    plan: Plan, said: Mapping[str, Any], items: Sequence[Item], remarks: Mapping[str, Iterable[Reason]], paths: Mapping[str, Path]
) -> dict[str, Any]:
    counts = dict.fromkeys((action.value for action in Action), 0)
    groups: dict[str, dict[tuple[str, str, str, str, str], list[str]]] = {action.value: {} for action in Action}
    for item in items:
        counts[item.action.value] += 1
        place = (item.source, item.object, item.why(said), item.law, item.until)
        groups[item.action.value].setdefault(place, []).append(item.record)
    sections = [
        {
            "action": name, "title": said["sections"][name], "note": said["notes"][name],
            "groups": [
                {
                    "source": source, "object": object, "reason": reason, "law": law,
                    "until": report_words.day(said, until) if until else "",
                    "records": [record for record in records[:SHOWN] if record], "more": max(0, len(records) - SHOWN),
                }
                for (source, object, reason, law, until), records in groups[name].items()
            ],
        }
        for name in ("delete", "anonymise", "review", "restrict", "keep")
        if groups[name]
    ]  # fmt: skip
    scripts = [
        {"file": paths[one.source].name, "source": one.source, "statements": len(one.statements), "rows": sum(one.rows)}
        for one in plan.scripts
    ]
    told = [
        {
            "name": one.name,
            "contact": one.contact,
            "data": [report_words.entity(said, name) for name in one.data],
            "text": [part.split("\n") for part in one.text.split("\n\n")],
        }
        for one in plan.recipients
    ]
    return {
        "words": said, "controller": plan.controller, "plan": plan, "counts": counts, "sections": sections, "scripts": scripts,
        "told": told, "day": report_words.day(said, plan.day),
        "remarks": [one.remarked(said) for some in remarks.values() for one in some],
    }  # fmt: skip
