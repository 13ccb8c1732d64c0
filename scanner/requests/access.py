"""Makes the package that a person is entitled to (GDPR Art. 12, 15 and 20) out of the hits of a search, without other people's data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

from scanner.config import Config
from scanner.detect.engine import Detector
from scanner.errors import SourceError
from scanner.model import Hit, Link, Problem, Source, Subject, Unit
from scanner.requests import access_facts, access_page, gather, gather_originals
from scanner.requests.access_package import Package, plain, spool
from scanner.requests.access_reasons import told
from scanner.requests.access_things import Names, Thing, Totals
from scanner.requests.redact import Redactor
from scanner.requests.redact_whose import Knowledge
from scanner.requests.redact_words import words as redaction_words

FORMAT = "persondata access 1"


class Answer(Protocol):
    """What a search came to. `unread`: (source, object, why) of what could not be looked at."""

    @property
    def subject(self) -> Subject: ...
    @property
    def hits(self) -> Sequence[Hit]: ...
    @property
    def unread(self) -> Sequence[tuple[str, str, str]]: ...


@dataclass(frozen=True, slots=True)
class Summary:
    """What was packed, for whoever sends it: counts only. `missing` names facts of Art. 15 that the configuration does not state."""

    package: str
    encrypted: bool
    records: int
    files: int
    originals: int
    removed: int
    possible: int
    withheld: int
    unread: int
    missing: tuple[str, ...]
    due: str
    promised: str


def write(
    package: Path, found: Answer, sources: Iterable[Source], settings: Config, detector: Detector, *, language: str = "da",
    password: str = "", received: date, today: date, include_possible: bool = False, withheld: Sequence[str] = (),
    entities: Mapping[tuple[str, str], Mapping[str, str]] | None = None,
) -> Summary:  # fmt: skip
    """Write the package, whole or not at all.

    `withheld` are `SOURCE:OBJECT` patterns that a caseworker holds back under databeskyttelsesloven § 22; the package says
    that something was, not what. `entities` is what the inventory knows of columns. Raises `UsageError` when the package
    cannot be written; a source that cannot be read is named in the package.
    """
    names, facts = access_page.words(language), access_facts.Facts(settings)
    known = Knowledge(found.subject, detector.ruleset, redaction_words(), facts.controller.name, facts.controller.contact)
    job = _Job(found, detector, facts, Redactor(known, detector, names["mark"], entities), names, include_possible, withheld)
    with Package(package, password, today) as out, spool() as views, spool() as records:
        job.run({one.name: one for one in sources}, settings, out, views, records)
        due, promised = facts.due(received)
        with out.entry("data/records.json") as file:
            head = job.head(language, today)
            file.write(json.dumps(head, ensure_ascii=False, indent=1).encode()[:-2] + b',\n "records": [')
            records.seek(0)
            while piece := records.read(2**20):
                file.write(piece)
            file.write(b"\n ]\n}\n")
        content = job.content(received=received, today=today, due=due, promised=promised, encrypted=bool(password))
        with out.entry(names["readme"]) as file:
            access_page.write(file, f"readme.{language}.txt", content)
        with out.entry(names["overview"]) as file:
            access_page.write(file, "overview.html", content | {"things": _lines(views), "more": _Seen()})
    totals = job.totals
    return Summary(
        str(package), bool(password), totals.records, len(out) + 3, totals.originals, totals.removed, job.possible, job.held_back,
        sum(totals.unread.values()), tuple(content["missing"]), due.isoformat(), promised.isoformat() if promised else "",
    )  # fmt: skip


class _Seen:
    """Tells a template whether something is new: the heading of a source is written once."""

    def __init__(self) -> None:
        self._last: object = None

    def new(self, value: object) -> bool:
        self._last, before = value, self._last
        return value != before


def _lines(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    file.seek(0)
    for line in file:
        yield json.loads(line)


class _Job:
    """One package while it is made."""

    def __init__(
        self, found: Answer, detector: Detector, facts: access_facts.Facts, redactor: Redactor, names: Mapping[str, Any],
        include_possible: bool, withheld: Sequence[str],
    ) -> None:  # fmt: skip
        self._found, self._facts, self._redactor, self._names, self._key = found, facts, redactor, names, detector.key
        hits = [hit for hit in found.hits if include_possible or hit.link is not Link.POSSIBLE]
        self.possible = len(found.hits) - len(hits)
        kept = [hit for hit in hits if not access_facts.withheld(withheld, hit.source, hit.object)]
        self.held_back = len(hits) - len(kept)
        self._hits = gather.by_object(kept, self._key)
        self.totals = Totals()
        for source, _, why in found.unread:
            self.totals.unread[source, why.partition(":")[0]] += 1

    def run(self, sources: Mapping[str, Source], settings: Config, out: Package, views: IO[bytes], records: IO[bytes]) -> None:
        """Go through the sources, those of one purpose together."""
        order = sorted(self._hits, key=lambda name: (self._facts.source(name)["purpose"] or "~", name))
        self.titles = dict(access_facts.names(settings, [*order, *(source for source, _ in self.totals.unread)]))
        folders: set[str] = set()
        for name in order:
            folder = plain(self._redactor.label(self.titles[name]))
            while folder in folders:
                folder += "-2"
            folders.add(folder)
            source = sources.get(name)
            if source is None:
                self.totals.unread[name, "not reached"] += len(self._hits[name])
                continue
            try:
                for piece in gather.read(source, self._hits[name], partial(self._redactor.learn, name)):
                    self._piece(source, piece, Names(self._redactor.label(self.titles[name]), folder), out, views, records)
            except SourceError:
                self.totals.unread[name, "not reached"] += len(self._hits[name])

    def _piece(self, source: Source, piece: gather.Piece, names: Names, out: Package, views: IO[bytes], records: IO[bytes]) -> None:
        things: dict[str, Thing] = {}
        for item in piece.lots:
            if isinstance(item, Problem):
                self.totals.unread[source.name, item.why.value] += int(item.field) if item.field.isdigit() else 1
                if item.object in things:
                    things[item.object].problem(item)
                continue
            thing = things.get(item.object)
            if thing is None:
                thing = things[item.object] = Thing(source.name, item.object, item.kind, item.whole)
            thing.take(self._redactor.lot(source.name, item))
        copied = self._originals(source, piece.unit, things, names, out) if piece.unit is not None else {}
        for object, thing in things.items():
            view = thing.finish(out, self._redactor, names, self._names, copied.get(object, {}), records, self.totals)
            view["facts"] = self._facts.source(source.name)
            views.write(json.dumps(view, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")

    def _originals(self, source: Source, unit: Unit, things: Mapping[str, Thing], names: Names, out: Package) -> dict[str, dict[str, str]]:
        """Copy what may be handed over as it is; where each lies in the package, by object and by what it is there."""
        if not gather_originals.can_copy(source):
            return {}
        wanted: dict[str, tuple[str, str, str]] = {}
        mails = set()
        for object, thing in things.items():
            if thing.original and self._redactor.label(object) == object:
                wanted[object] = (object, "", _ending(object))
            for record, whole in thing.messages.items():
                if whole:
                    mails.add((object, record))
                    wanted[f"{object}\0{record}"] = (object, record, ".eml")
            for (record, name), clean in thing.attached.items():
                title = name.removeprefix("attachment=")
                if clean and not thing.messages.get(record) and self._redactor.label(title) == title:
                    wanted[f"{object}!{record}!{title}"] = (object, name, _ending(title))
        copied: dict[str, dict[str, str]] = {}

        def take(key: str, stream: Any, _size: int) -> None:
            object, part, ending = wanted[key]
            path = out.name(f"originals/{names.folder}", f"{len(out) + 1:04}", ending)
            with out.entry(path) as file:
                gather_originals.write(stream, file)
            copied.setdefault(object, {})[part] = path
            self.totals.originals += 1

        if wanted:
            gather_originals.copy(source, unit, [key for key in wanted if "\0" not in key], mails, take)
        return copied

    # -- what the page and the files say -------------------------------------------------------------------------

    def head(self, language: str, today: date) -> dict[str, Any]:
        """What stands before the records in the machine-readable file."""

        def why(text: str) -> str:
            return self._redactor.label(told(text, self._names)) if text else ""

        known = self._found.subject.identifiers
        subject = [{"kind": one.entity, "value": one.value, "given": one.step == 0, "why": why(one.why)} for one in known]
        return {
            "format": FORMAT, "language": language, "prepared": today.isoformat(), "controller": asdict(self._facts.controller),
            "mark": self._names["mark"], "person": subject,
        }  # fmt: skip

    def content(self, *, received: date, today: date, due: date, promised: date | None, encrypted: bool) -> dict[str, Any]:
        """Everything that the templates say, but for the records."""
        names, totals = self._names, self.totals
        sources = [
            {"title": self._redactor.label(self.titles[name]), "entities": self._kinds(entities), **self._facts.source(name)}
            for name, entities in sorted(totals.by_source.items())
        ]
        recipients = self._facts.recipients(sorted(totals.by_source))
        retention = self._facts.retention(sorted(totals.places))
        for rule in retention:
            rule["covers"] = self._redactor.label(rule["covers"])
        given = [one for one in self._found.subject.identifiers if one.step == 0]
        learned = Counter(one.entity for one in self._found.subject.identifiers if one.step > 0)
        unread = Counter({(self._redactor.label(self.titles.get(s, s)), why): n for (s, why), n in totals.unread.items()})
        missing = [
            *(["controller"] if not self._facts.controller.name else []),
            *(["purpose"] if any(not one["purpose"] for one in sources) else []),
            *(["recipients"] if not recipients else []),
            *(["retention"] if not retention else []),
        ]
        return {
            "words": names, "controller": self._facts.controller, "received": received, "today": today, "due": due, "promised": promised,
            "within": self._facts.within, "encrypted": encrypted, "sources": sources, "recipients": recipients, "retention": retention,
            "given": [{"kind": self._title(one.entity), "value": one.value} for one in given],
            "learned": [{"kind": self._title(entity), "count": n} for entity, n in sorted(learned.items())],
            "kinds": self._kinds(totals.entities), "totals": totals, "possible": self.possible, "held_back": self.held_back,
            "unread": [{"source": source, "why": why, "count": n} for (source, why), n in sorted(unread.items())], "missing": missing,
        }  # fmt: skip

    def _title(self, entity: str) -> str:
        return str(self._names["entities"].get(entity, entity.replace("_", " ").capitalize()))

    def _kinds(self, entities: Iterable[str]) -> list[str]:
        return [self._title(entity) for entity in sorted(entities)]


def _ending(name: str) -> str:
    last = name.rpartition("/")[2].rpartition("!")[2]
    return f".{last.rpartition('.')[2]}" if "." in last else ""
