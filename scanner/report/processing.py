"""The record of processing activities (GDPR Art. 30(1)), put together from what the company states and what was really found.

An activity is one purpose for one category of people. In it, each category of personal data is tied to where it lies, who receives it
and when it is deleted, as Datatilsynet asks for. What nobody has stated is a gap, and is said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from scanner.config import Config, Consent, Recipient, Retention, SourceConfig
from scanner.report import Asked, queries, rows

EXAMPLES = 5
"""So many objects are named for a category of data in a source; the workbook names all."""
WEIGHT = ("sensitive", "criminal", "confidential", "general", "technical")
_SPECIAL = re.compile(r"\b9\b|§ ?[78]\b|§ ?12\b")
"""A legal basis that mentions Art. 9, or the Danish rules that go with it."""


class Gap(NamedTuple):
    """Something that the record must say and the configuration does not: its sort, where, and what else the sentence needs."""

    what: str
    where: str = ""
    detail: str = ""


@dataclass(slots=True)
class Found:
    """One kind of personal data in one source: so many findings, in so many objects, some of which are named, and under which policies."""

    entity: str
    cls: str
    findings: int = 0
    objects: int = 0
    examples: list[str] = field(default_factory=list)
    policies: Counter[str] = field(default_factory=Counter)
    unsaid: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Line:
    """A category of personal data in an activity, in one source: who receives it there, and by which policies it is deleted."""

    source: str
    found: Found
    recipients: list[Recipient]
    policies: list[str]

    @property
    def all_covered(self) -> bool:
        """Whether every object falls under a policy."""
        return not self.found.unsaid


@dataclass(slots=True)
class Activity:
    """One purpose for one category of people; "" is not stated. `sure`: the company has said that the two belong together."""

    purpose: str
    people: str
    sources: list[SourceConfig] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    sure: bool = True

    def categories(self) -> list[tuple[str, str, list[Line]]]:
        """Its lines by category of data (entity, class), the most sensitive first."""
        found: dict[tuple[str, str], list[Line]] = {}
        for line in self.lines:
            found.setdefault((line.found.entity, line.found.cls), []).append(line)
        return [(*key, lines) for key, lines in sorted(found.items(), key=lambda one: (WEIGHT.index(one[0][1]), one[0][0]))]

    @property
    def recipients(self) -> list[Recipient]:
        """All who receive something of it, each once."""
        return list({one.name: one for line in self.lines for one in line.recipients}.values())


class Record:
    """The record: activities, recipients, policies and gaps."""

    def __init__(self, asked: Asked) -> None:
        self.settings = asked.settings
        self._asked = asked
        self._queries = queries("processing/queries")
        stated = {one.name: one for one in asked.settings.sources}
        self.walked = {row["source"]: row["walked"] for row in self.rows("sources")}
        self.run = next(self.rows("last_run"), None)
        self.sources = [stated.get(name) or SourceConfig(name, "") for name in dict.fromkeys([*stated, *self.walked])]
        self._recipients = {one.name: one for one in asked.settings.recipients}
        self.found = self._find()
        self.activities = self._activities()
        self.gaps = list(self._gaps(stated))

    def rows(self, query: str) -> Iterator[dict[str, Any]]:
        """The rows of one query."""
        return rows(self._asked.book, self._queries[query])

    def _find(self) -> dict[str, list[Found]]:
        found: dict[str, list[Found]] = {}
        for row in self.rows("found"):
            kinds = found.setdefault(row["source"], [])
            if not kinds or kinds[-1].entity != row["entity"]:
                kinds.append(Found(row["entity"], row["class"]))
            one = kinds[-1]
            one.findings += row["findings"]
            one.objects += 1
            if one.objects <= EXAMPLES:
                one.examples.append(row["object"])
            names = policies_of(self.settings, row["source"], row["object"])
            one.policies.update(names)
            if not names and len(one.unsaid) < EXAMPLES:
                one.unsaid.append(row["object"])
        return found

    def _activities(self) -> list[Activity]:
        made: dict[tuple[str, str], Activity] = {}
        for source in self.sources:
            purposes, groups = split(source.purpose) or [""], split(source.people) or [""]
            for purpose in purposes:
                for people in groups:
                    one = made.setdefault((purpose.lower(), people.lower()), Activity(purpose, people))
                    one.sources.append(source)
                    one.sure = one.sure and (len(purposes) == 1 or len(groups) == 1)
                    one.lines += [self._line(source, found) for found in self.found.get(source.name, ())]
        return sorted(made.values(), key=lambda one: (not one.purpose, one.purpose.lower(), not one.people, one.people.lower()))

    def _line(self, source: SourceConfig, found: Found) -> Line:
        return Line(source.name, found, [one for one in self.recipients_of(source) if found.entity in one.receives], sorted(found.policies))

    def recipients_of(self, source: SourceConfig) -> list[Recipient]:
        """Those who are stated to receive data of a source; one without a section of its own has a name only."""
        return [self._recipients.get(name) or Recipient(name) for name in source.recipients]

    def recipients(self) -> list[tuple[Recipient, list[str]]]:
        """Everybody who receives something, with the sources it comes from."""
        names = dict.fromkeys([*self._recipients, *(name for source in self.sources for name in source.recipients)])
        return [
            (self._recipients.get(name) or Recipient(name), [one.name for one in self.sources if name in one.recipients]) for name in names
        ]

    def security(self, source: SourceConfig) -> str:
        """The measures that hold for a source: its own, and those of the whole company."""
        return "; ".join(one for one in (source.security, self.settings.controller.security) if one)

    def _gaps(self, stated: dict[str, SourceConfig]) -> Iterator[Gap]:
        controller = self.settings.controller
        for what in ("name", "contact"):
            if not getattr(controller, what):
                yield Gap(f"controller_{what}")
        for source in self.sources:
            if source.name not in stated:
                yield Gap("unknown_source", source.name)
                continue
            if not self.walked.get(source.name):
                yield Gap("never_scanned", source.name)
            for what in ("purpose", "people", "legal_basis"):
                if not getattr(source, what):
                    yield Gap(what, source.name)
            if len(split(source.purpose)) > 1 and len(split(source.people)) > 1:
                yield Gap("unlinked", source.name, f"{source.purpose} / {source.people}")
            if not source.recipients:
                yield Gap("recipients", source.name)
            if not self.security(source):
                yield Gap("security", source.name)
        for source in self.sources:
            yield from self._by_class(source)
            loose = Counter({name: 1 for found in self.found.get(source.name, ()) for name in found.unsaid})
            if loose:
                names = sorted(loose)
                yield Gap("retention", source.name, ", ".join(names[:EXAMPLES]) + (" …" if len(names) > EXAMPLES else ""))
        for recipient, sources in self.recipients():
            if recipient.name not in self._recipients:
                yield Gap("recipient_unknown", recipient.name)
                continue
            if not sources:
                yield Gap("recipient_unused", recipient.name)
            for what in ("contact", "country", "role", "receives"):
                if not getattr(recipient, what):
                    yield Gap(f"recipient_{what}", recipient.name)
            if recipient.outside and not recipient.safeguards:
                yield Gap("safeguards", recipient.name, recipient.country.upper())

    def _by_class(self, source: SourceConfig) -> Iterator[Gap]:
        """What was found and needs more than a basis in Art. 6."""
        kinds = self.found.get(source.name, [])
        special = [one.entity for one in kinds if one.cls == "sensitive"]
        if special and not _SPECIAL.search(source.legal_basis):
            yield Gap("special", source.name, ",".join(special))
        if any(one.cls == "criminal" for one in kinds):
            yield Gap("criminal", source.name)
        if any(one.entity == "DK_CPR" for one in kinds):
            yield Gap("cpr", source.name)


def split(text: str) -> list[str]:
    """Several purposes, or groups of people, as the configuration lists them: told apart by commas or semicolons."""
    return [part for part in (one.strip() for one in re.split(r"[,;]", text)) if part]


def policies_of(settings: Config, source: str, object: str) -> list[str]:
    """The names of the policies under which an object falls; that of a consent is `consent`."""
    place = f"{source}:{object}"
    names = [one.name for one in settings.retention if _bears(one, place)]
    return names + ["consent"] * any(_bears(one, place) for one in settings.consent)


def _bears(one: Retention | Consent, place: str) -> bool:
    return any(fnmatchcase(place, pattern) for pattern in one.applies_to)


def by_name(settings: Config, names: Sequence[str]) -> list[Retention | None]:
    """The policies of these names; None stands for a consent."""
    known = {one.name: one for one in settings.retention}
    return [known.get(name) for name in names]
