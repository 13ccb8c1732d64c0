"""The overview: what lies where, what was not read, what changed, and what the company says it is for. One HTML page."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import IO, Any

from scanner.config import Config, Retention
from scanner.errors import ReportError
from scanner.report import Asked, answers, page
from scanner.report.changes import Changes, period
from scanner.report.words import span, words

SHOWN = 12
"""So many changes of each sort stand on the overview; the rest is for `persondata report changes`."""


def as_html(asked: Asked, out: IO[bytes]) -> None:
    """The page."""
    said = words("overview", asked.language)
    content = {
        **answers(asked.book, "overview/queries"),
        "words": said, "controller": asked.settings.controller.name, "changes": _changes(asked), "stated": _stated(asked.settings, said),
        "policies": len(asked.settings.retention), "required": sum(one.required for one in asked.settings.retention),
    }  # fmt: skip
    out.write(page("overview/page", content))


def _changes(asked: Asked) -> dict[str, Any] | None:
    """What changed since the run before the last; None where the book does not know."""
    try:
        over = period(asked.book)
    except ReportError:
        return None
    return {**Changes(asked.book, over).summary(SHOWN), "period": over}


def _stated(settings: Config, said: dict[str, Any]) -> list[dict[str, Any]]:
    """What the configuration says of each source: whom it is about, what for, on what basis, who gets it, and how long it is kept."""
    people, bases = said["people_called"], said["bases"]
    return [
        {
            "name": source.name, "purpose": source.purpose, "basis": bases.get(source.legal_basis.lower(), source.legal_basis),
            "people": ", ".join(people.get(one.strip().lower(), one.strip()) for one in source.people.split(",")),
            "recipients": source.recipients,
            "kept": list(dict.fromkeys(span(said, one.keep) for one in settings.retention if _means(one, source.name))),
        }
        for source in settings.sources
    ]  # fmt: skip


def _means(one: Retention, source: str) -> bool:
    """Whether a policy is about a source, or part of it."""
    return any(fnmatchcase(source, place.split(":")[0]) for place in one.applies_to)
