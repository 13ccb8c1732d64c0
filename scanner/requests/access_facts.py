"""The facts of GDPR Art. 15 as the configuration states them, and the day by which the answer is due."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from scanner.config import Config, Controller, Recipient, SourceConfig
from scanner.requests.deadlines import by_law, by_policy


class Facts:
    """What the configuration says of the processing, for the sources and objects that a package holds."""

    def __init__(self, settings: Config) -> None:
        self._settings = settings
        self._sources = {one.name: one for one in settings.sources}
        self._recipients = {one.name: one for one in settings.recipients}

    @property
    def controller(self) -> Controller:
        """Who answers for the data."""
        return self._settings.controller

    def due(self, received: date) -> tuple[date, date | None]:
        """The last day by law, and by the company's own policy where it has one."""
        return by_law(received, country=self.controller.country or "DK"), by_policy(received, self._settings.answer_within)

    @property
    def within(self) -> str:
        """How soon the company has promised to answer."""
        return self._settings.answer_within

    def source(self, name: str) -> dict[str, Any]:
        """Purpose, legal basis, whom it is about and who receives it, of one source; empty where the configuration is silent."""
        one = self._sources.get(name) or SourceConfig(name, "")
        return {"purpose": one.purpose, "basis": one.legal_basis, "people": one.people, "recipients": list(one.recipients)}

    def recipients(self, sources: Iterable[str]) -> list[dict[str, Any]]:
        """The recipients of these sources by name (Court of Justice, C-154/21: the actual ones), each once."""
        found: dict[str, dict[str, Any]] = {}
        for source in sources:
            for name in self.source(source)["recipients"]:
                one = self._recipients.get(name) or Recipient(name)
                country = one.country.upper()
                known = found.setdefault(
                    name,
                    {"name": name, "contact": one.contact, "country": country, "receives": list(one.receives), "sources": [],
                     "outside": one.outside},
                )  # fmt: skip
                known["sources"].append(source)
        return sorted(found.values(), key=lambda one: one["name"].casefold())

    def retention(self, places: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
        """The rules that say how long what the package holds is kept; `covers` names at most six of the objects."""
        found: list[dict[str, Any]] = []
        wanted = list(places)
        for rule in self._settings.retention:
            meant = {f"{source}:{object}" for source, object in wanted if any(_meant(one, source, object) for one in rule.applies_to)}
            if meant:
                covers = ", ".join(sorted(meant)[:6]) + (" …" if len(meant) > 6 else "")
                found.append({"name": rule.name, "keep": rule.keep, "law": rule.law, "year_end": rule.year_end, "covers": covers})
        return found


def _meant(pattern: str, source: str, object: str) -> bool:
    """Whether `SOURCE:OBJECT` means an object, or what an object lies in."""
    name, _, inside = pattern.partition(":")
    return fnmatchcase(source, name) and (not inside or fnmatchcase(object, inside) or fnmatchcase(object.split("!")[0], inside))


def withheld(patterns: Iterable[str], source: str, object: str) -> bool:
    """Whether a caseworker has said that an object is held back (databeskyttelsesloven § 22)."""
    return any(_meant(pattern, source, object) for pattern in patterns)


def names(settings: Config, sources: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What each source is called towards a citizen: the name in the configuration; of a bare path or URL, its last part."""
    configured = {one.name for one in settings.sources}
    for source in sources:
        yield source, source if source in configured else re.sub(r"[?#].*", "", source).rstrip("/").rpartition("/")[2] or source
