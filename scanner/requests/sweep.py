"""Turns what a search found of one person into a deletion plan that nothing executes.

    draft = make(answer, sources, graph, …)      # draft.plan, and what its page says besides
    write(draft, Path("plan.json"), key)

What the policies, the law and holds make of each record comes first (`sweep_judge`), then what hangs together: rows in a database
(`sweep_tables`), documents and messages in which others stand (`sweep_files`), and whoever got the data (`recipients`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path

from scanner import seal
from scanner.config import Config, Hold
from scanner.detect.engine import Detector
from scanner.errors import InventoryError, SourceError
from scanner.inventory import Book
from scanner.model import Database, Hit, Limits, Link, Problem, Role, Source
from scanner.requests import gather, recipients, sweep_page
from scanner.requests import plan as plans
from scanner.requests.plan import Action, Gap, Plan, Planned, Script, Told
from scanner.requests.policy_rulings import Rulings
from scanner.requests.policy_ways import name_columns
from scanner.requests.redact import Redactor
from scanner.requests.redact_whose import Knowledge
from scanner.requests.redact_words import words as redaction_words
from scanner.requests.request import Kind
from scanner.requests.statements import quoted, table
from scanner.requests.statements_schema import demands
from scanner.requests.sweep_files import Files, Seen, documents, failed, is_text
from scanner.requests.sweep_item import Item, Reason
from scanner.requests.sweep_judge import Held, Judge
from scanner.requests.sweep_rows import Rows
from scanner.requests.sweep_tables import Tables
from scanner.sources.clocks import Selects
from scanner.subject import identifiers, search
from scanner.subject.bookshelf import Shelf
from scanner.subject.graph import EdgeKind, Graph
from scanner.subject.search import Answer

_MANY = 100
"""So many objects that could not be read for the same reason are named one by one."""
_MARK = "…"


@dataclass(slots=True)
class Draft:
    """A plan and what its page says besides: its items with their reasons by name, and remarks by source (`""`: of the whole)."""

    plan: Plan
    items: list[Item]
    remarks: dict[str, list[Reason]] = field(default_factory=dict)


def held(
    holds: Sequence[Hold], sources: Sequence[Source], graph: Graph, shelf: Shelf, today: date, *,
    limits: Limits = Limits(), processes: int = 1, progress: Callable[[str], None] = lambda _: None,
) -> tuple[Held, list[Gap]]:  # fmt: skip
    """The records of people under a hold, looked for as for a request, and what could not be looked at for that.

    Raises `UsageError` for a hold whose identifiers cannot be right.
    """
    surely: dict[tuple[str, str, str], Hold] = {}
    perhaps: dict[tuple[str, str, str], Hold] = {}
    persons: dict[tuple[str, str, str], Hold] = {}
    people = {(node.source, node.relation.object) for node in graph.people()}
    gaps: list[Gap] = []
    for hold in holds:
        if not hold.holds(today):
            continue
        subject = identifiers.from_json(hold.person)
        answer = search.search(subject, sources, graph, shelf, sweep="auto", limits=limits, processes=processes, progress=progress)
        for hit in answer.hits:
            if hit.role not in (Role.HANDLER, Role.SIGNATURE):
                place = (hit.source, hit.object, hit.record)
                (perhaps if hit.link is Link.POSSIBLE else surely)[place] = hold
                if hit.link is Link.CERTAIN and hit.role is Role.ABOUT and place[:2] in people:
                    persons[place] = hold
        gaps += [Gap(source, object, f"whether it is under a hold: {why}") for source, object, why in answer.unread]
    return Held(surely, perhaps, persons), gaps


def with_unread(answer: Answer, book: Book, sources: Sequence[Source]) -> Answer:
    """The answer with what the last scan could not read of the sources: there may be more of the person in it.

    Many objects of one source with the same reason become one line.
    """
    known = {one.name for one in sources}
    looked = {(source, object) for source, object, _ in answer.unread}
    query = (
        "select source.name as source, object.object, object.status || ': ' || object.reason as why from object join unit on unit.id ="
        " object.unit join source on source.id = unit.source where object.status <> 'complete' union select source.name, unlisted.object,"
        " unlisted.why || ': ' || unlisted.detail from unlisted join source on source.id = unlisted.source order by 1, 3, 2"
    )
    more: list[tuple[str, str, str]] = []
    for (source, why), rows in groupby(book.rows(query), key=lambda row: (row["source"], row["why"].rstrip(": "))):
        objects = [row["object"] for row in rows if source in known and (source, row["object"]) not in looked]
        if len(objects) > _MANY:
            more.append((source, "", f"{len(objects):,} objects: {why}"))
        else:
            more += [(source, object, why) for object in objects]
    return replace(answer, unread=(*answer.unread, *more))


def make(
    answer: Answer, sources: Sequence[Source], graph: Graph, settings: Config, detector: Callable[[], Detector],
    under: tuple[Held, Sequence[Gap]], *, key: bytes, inventory: str, today: date,
    entities: Mapping[tuple[str, str], Mapping[str, str]] | None = None,
    kind: Kind = Kind.DELETION, request: str = "", language: str = "en", now: datetime | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Draft:  # fmt: skip
    """Make the plan. `detector` is made when there are files to read.

    `key` is the inventory's, `under` what `held` gives; `language` is that of the texts for recipients.
    """
    return _Sweep(answer, sources, graph, settings, detector, under, key, today, entities or {}, kind, progress).draft(
        inventory, request, language, now or datetime.now(UTC)
    )


def write(draft: Draft, out: Path, key: bytes, language: str = "en") -> list[Path]:
    """Write the plan, its page and the statements of each database, readable by their owner only. Raises `OSError`."""
    beside = sweep_page.write(draft.plan, out, sweep_page.words(language), draft.items, draft.remarks)
    plans.write(draft.plan, out, key)
    return [out, *beside]


class _Sweep:
    def __init__(
        self, answer: Answer, sources: Sequence[Source], graph: Graph, settings: Config, detector: Callable[[], Detector],
        under: tuple[Held, Sequence[Gap]], key: bytes, today: date, entities: Mapping[tuple[str, str], Mapping[str, str]], kind: Kind,
        progress: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._answer, self._sources, self._graph, self._settings, self._detector = answer, sources, graph, settings, detector
        self._key, self._today, self._entities, self._kind, self._progress = key, today, entities, kind, progress
        self._rulings = Rulings(settings, sources, graph)
        self._held, gaps = under
        self._judge = Judge(self._rulings.policies, self._held.for_person(answer.hits), today, kind)
        self._gaps: dict[Gap, None] = dict.fromkeys(Gap(*one) for one in answer.unread)
        looked = {(one.source, one.object) for one in self._gaps}
        self._gaps |= dict.fromkeys(one for one in gaps if (one.source, one.object) not in looked)
        self._made: Detector | None = None
        self._scripts: list[Script] = []
        self._remarks: dict[str, list[Reason]] = {}
        self._seen: dict[tuple[str, str], Seen] = {}

    def draft(self, inventory: str, request: str, language: str, now: datetime) -> Draft:
        """Go through the sources and put the plan together."""
        known = {one.name: one for one in self._sources}
        items: list[Item] = []
        for source, own in self._items().items():
            items += own
            self._progress(source)
            place = known.get(source)
            try:
                if place is None:
                    self._unreached(own)
                elif isinstance(place, Selects):
                    self._database(place, own)
                else:
                    self._files(place, own)
            except SourceError as error:
                failed(own, error)
                self._gaps[Gap(source, "", str(error))] = None
        self._clocks(items)
        for item in items:
            if item.goes and item.row is not None and item.row.soft:
                item.reasons.append(Reason("soft", {"column": item.row.soft}))
        return self._put(items, inventory, request, language, now)

    def _items(self) -> dict[str, list[Item]]:
        """All records that were found, each once, in the order of their addresses."""
        found: dict[str, list[Item]] = {}
        for hit in sorted(gather_hits(self._answer.hits, self._key), key=lambda hit: (hit.source, hit.object, hit.record)):
            found.setdefault(hit.source, []).append(Item(hit.source, hit.object, hit.record, hit))
        return found

    def _unreached(self, items: Sequence[Item]) -> None:
        for item in items:
            item.decide(Action.REVIEW, Reason("unreached"))

    # -- databases ---------------------------------------------------------------------------------------------

    def _database(self, source: Selects, items: Sequence[Item]) -> None:
        rows = [item for item in items if (source.name, item.object) in self._graph.nodes]
        cells = [item for item in items if (source.name, item.object) not in self._graph.nodes]
        for item in rows:
            if item.hit.role is Role.HANDLER and self._hangs_on(item):
                item.hit = replace(item.hit, role=Role.ABOUT)
        made = Rows(source, self._graph, self._answer.subject.identifiers, self._key)
        tables = Tables(source, self._graph, made, demands(source), rows)
        self._decide(rows)
        tables.read()
        script = tables.plan()
        self._cells(cells, {(item.object, item.record): item for item in rows})
        if script is not None:
            self._scripts.append(script)
        self._remarks[source.name] = list(tables.remarks)
        self._missed(source.name, made.missed)

    def _hangs_on(self, item: Item) -> bool:
        """Whether a row that was taken for one that she handled goes with her row (ON DELETE CASCADE): whoever to call when she is ill."""
        references = self._graph.nodes[item.source, item.object].relation.references
        return any(one.on_delete == "cascade" and ", ".join(one.columns) == item.hit.field for one in references)

    def _decide(self, items: Sequence[Item]) -> None:
        of: dict[tuple[str, str], list[Item]] = {}
        for item in items:
            of.setdefault((item.source, item.object), []).append(item)
        for (source, object), own in of.items():
            rulings = self._rulings.of(source, object, [item.record for item in own], self._today)
            for item in own:
                self._judge.judge(item, rulings[item.record])

    def _cells(self, items: Sequence[Item], rows: Mapping[tuple[str, str], Item]) -> None:
        """Documents in cells go with their rows."""
        for item in items:
            outer, _, inside = item.object.partition("!")
            record, _, column = inside.rpartition("/")
            row = rows.get((outer, record))
            if row is not None and (row.action is Action.DELETE or (row.action is Action.ANONYMISE and column in row.sets)):
                item.decide(Action.DELETE, Reason("cell"), law=row.law)
                item.statement = row.statement
            elif row is not None and row.action in (Action.KEEP, Action.RESTRICT):
                item.decide(row.action, *row.reasons, law=row.law, until=row.until)
            else:
                item.decide(Action.REVIEW, Reason("cell_other"))

    # -- files -------------------------------------------------------------------------------------------------

    def _files(self, source: Source, items: Sequence[Item]) -> None:
        words = redaction_words()
        controller = self._settings.controller
        detector = self._made = self._made or self._detector()
        known = Knowledge(self._answer.subject, detector.ruleset, words, controller.name, controller.contact)
        files = Files(source, items, Redactor(known, detector, _MARK, self._entities), known, words, self._staff())
        seen = files.look()
        links = documents(items)
        of: dict[str, list[Item]] = {}
        for item in items:
            of.setdefault(item.object, []).append(item)
        for object, own in of.items():
            text = is_text(seen.get(object))
            rulings = self._rulings.of(source.name, object, [item.record for item in own], self._today)
            for item in own:
                self._judge.judge(item, rulings[item.record], text=text, link=links[object] if text else None)
        files.settle(seen)
        self._seen |= {(source.name, object): one for object, one in seen.items()}
        for one in seen.values():
            self._missed(source.name, one.problems)

    def _staff(self) -> list[str]:
        """The names of people who handle the company's records: those of the tables to which cases point as to who handled them."""
        if not hasattr(self, "_names"):
            self._names = list(self._staffed())
        return self._names

    def _staffed(self) -> Iterator[str]:
        places = {(edge.to_source, edge.to) for edge in self._graph.edges if edge.kind is EdgeKind.HANDLER}
        for source in self._sources:
            for place in sorted(places):
                node = self._graph.nodes.get(place)
                columns = name_columns(node) if node is not None else ()
                if source.name != place[0] or not isinstance(source, Selects) or not columns:
                    continue
                shown = ", ".join(f"{quoted(source.dialect, name)} as k{at}" for at, name in enumerate(columns))
                with suppress(SourceError):
                    for batch in source.select(f"select {shown} from {table(source.dialect, place[1])}"):
                        names = zip(*(column.to_pylist() for column in batch.columns), strict=True)
                        yield from (" ".join(part for part in parts if part) for parts in names)

    # -- what could not be looked at, and the whole --------------------------------------------------------------

    def _missed(self, source: str, problems: Sequence[Problem]) -> None:
        for one in problems:
            if one.detail not in ("no longer there",) and not one.detail.endswith("records are no longer there"):
                self._gaps[Gap(source, one.object, f"{one.why.value}: {one.detail}" if one.detail else one.why.value)] = None

    def _clocks(self, items: Sequence[Item]) -> None:
        """Times that could not be read: a gap where a law may require something to be kept, else a remark."""
        policies = self._rulings.policies
        places = {(item.source, item.object) for item in items}
        required = {place for place in places if any(policy.required for policy in policies.bearing(*place))}
        for source, object, why in self._rulings.missed:
            if (source, object) in required or not object:
                self._gaps[Gap(source, object, why)] = None
            else:
                self._remarks.setdefault("", []).append(Reason("clock", {"source": source, "object": object, "why": why}))

    def _put(self, items: list[Item], inventory: str, request: str, language: str, now: datetime) -> Draft:
        english, words = sweep_page.words("en"), sweep_page.words(language)
        id = f"{self._today.isoformat()}-{os.urandom(4).hex()}"
        if request and self._kind not in (Kind.DELETION, Kind.OBJECTION, Kind.RESTRICTION):
            self._remarks.setdefault("", []).insert(0, Reason("kind", {"request": request, "kind": self._kind.value}))
        scripts = tuple(
            Script(one.source, one.dialect, one.statements, one.rows, tuple(r.remarked(english) for r in self._remarks.get(one.source, ())))
            for one in self._scripts
        )
        actions: list[Planned] = [item.planned(english) for item in items]
        plan = Plan(
            id, now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), self._today.isoformat(), inventory, self._settings.controller.name,
            request, self._answer.subject, tuple(actions), scripts, self._told(items, words, id), tuple(sorted(self._gaps, key=_by_place)),
            tuple(sorted(one.name for one in self._sources)), tuple(self._after_restore(items)),
            tuple(dict.fromkeys([*self._answer.notes, *(one.remarked(english) for one in self._remarks.get("", ()))])),
        )  # fmt: skip
        return Draft(plan, items, self._remarks)

    def _told(self, items: Sequence[Item], words: Mapping[str, object], id: str) -> tuple[Told, ...]:
        gone: dict[tuple[str, str], set[str]] = {}
        rests: dict[tuple[str, str], set[str]] = {}
        for item in items:
            if item.goes or item.action is Action.RESTRICT:
                place = (item.source, item.object)
                seen = self._seen.get(place)
                mine = {entity for _, entity in item.row.hers} if item.row is not None else seen.entities if seen is not None else set()
                (gone if item.goes else rests).setdefault(place, set()).update(mine)
        said = recipients.told(self._settings, {place: frozenset(own) for place, own in gone.items()}, words, id)
        known = {one.name for one in said}
        more = recipients.told(self._settings, {place: frozenset(own) for place, own in rests.items()}, words, id, restricted=True)
        return (*said, *(one for one in more if one.name not in known))

    @staticmethod
    def _after_restore(items: Sequence[Item]) -> Iterator[str]:
        """Where copies of what goes lie, or may lie in backups: tables, mailboxes, and archives in which she stands."""
        places = {f"{item.source}: {item.object}" for item in items if item.goes and "!" not in item.object}
        archives = {
            f"{item.source}: {item.object.partition('!')[0]}" for item in items if any(reason.name == "archive" for reason in item.reasons)
        }
        yield from sorted(places)
        yield from sorted(archives - places)


def gather_hits(hits: Sequence[Hit], key: bytes) -> Iterator[Hit]:
    """The surest hit of each record, its name opened where the inventory has sealed it."""
    readable = []
    for hit in hits:
        with suppress(InventoryError):
            seal.unseal(key, hit.record)
            readable.append(hit)
    for objects in gather.by_object(readable, key).values():
        for records in objects.values():
            yield from records.values()


def _by_place(gap: Gap) -> tuple[str, str, str]:
    return gap.source, gap.object, gap.reason


__all__ = ["Database", "Draft", "held", "make", "write"]
