"""What has been kept longer than its policy allows, of whomever it is: nobody needs to ask."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from scanner.config import Config, Hold
from scanner.model import Database, Limits, Source
from scanner.requests import retention_files
from scanner.requests.policy import Policies
from scanner.requests.policy_tables import Late, Tables
from scanner.requests.policy_ways import Miss
from scanner.subject import identifiers, search
from scanner.subject.bookshelf import Shelf
from scanner.subject.graph import Graph


@dataclass(frozen=True, slots=True)
class Line:
    """What is overdue of one object (of files: of one pattern of the policy) by one policy.

    `people` is None where no way leads from a record to its person. `oldest` is the earliest day on which the time of one of them
    started, `until` the earliest day on which one should have gone. `held` are more that would be overdue but are under a hold.
    """

    policy: str
    law: str
    reason: str
    source: str
    object: str
    records: int
    people: int | None
    oldest: str
    until: str
    held: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What is overdue by one policy, in all places together."""

    policy: str
    law: str
    reason: str
    records: int
    people: int | None
    oldest: str
    until: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is overdue on a day. `unsaid` are tables of people's rows that no policy speaks of, with the rules of law that may."""

    today: str
    lines: tuple[Line, ...] = ()
    policies: tuple[Summary, ...] = ()
    records: tuple[Late, ...] = ()
    unread: tuple[Miss, ...] = ()
    unsaid: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    @property
    def overdue(self) -> int:
        """How many records should have gone."""
        return sum(line.records for line in self.lines)

    def __repr__(self) -> str:
        return f"Answer({self.overdue} overdue, {len(self.unread)} unread)"


@dataclass(slots=True)
class _Sum:
    law: str = ""
    records: int = 0
    held: int = 0
    people: set[int] = field(default_factory=set)
    unknown: bool = False
    oldest: date = date.max
    until: date = date.max

    def add(self, late: Late) -> None:
        self.records += 1
        self.law = late.ruling.law
        self.oldest = min(self.oldest, late.ruling.start or date.max)
        self.until = min(self.until, late.ruling.until or date.max)
        if late.person:
            self.people.add(hash(late.person))

    def shown(self) -> tuple[int, int | None, str, str]:
        return self.records, len(self.people) or None, _said(self.oldest), _said(self.until)


def look(
    settings: Config,
    sources: Sequence[Source],
    graph: Graph,
    shelf: Shelf,
    today: date,
    *,
    only: Collection[str] = (),
    records: bool = False,
    limits: Limits = Limits(),
    processes: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> Answer:
    """Look at everything that a policy bears on. With `only`, in these sources; the others may still say when a clock started.

    `records` keeps the addresses of all that is overdue. Raises `UsageError` for a hold whose identifiers cannot be right.
    """
    policies = Policies(settings)
    tables = Tables(policies, sources, graph)
    found: list[Late] = []
    for source, object in tables.under:
        if not only or source in only:
            progress(f"{source}: {object}")
            found += tables.overdue(source, object, today)
    for one in sources:
        if not isinstance(one, Database) and (not only or one.name in only):
            progress(one.name)
            found += retention_files.overdue(one, policies, tables, today)
    held, unread = _held(settings.holds, found, sources, graph, shelf, today, limits, processes, progress)
    lines, summaries = _added(found, held, policies)
    kept = tuple(late for late in found if (late.source, late.object, late.record) not in held) if records else ()
    return Answer(today.isoformat(), lines, summaries, kept, (*tables.missed, *unread), _unsaid(policies, graph, only))


def _held(
    holds: Sequence[Hold], found: Sequence[Late], sources: Sequence[Source], graph: Graph, shelf: Shelf, today: date, limits: Limits,
    processes: int, progress: Callable[[str], None],
) -> tuple[dict[tuple[str, str, str], Hold], list[Miss]]:  # fmt: skip
    """The records of people under a hold, found as a request would find them; only where something would be overdue."""
    held: dict[tuple[str, str, str], Hold] = {}
    unread: dict[Miss, None] = {}
    for hold in holds if found else ():
        if not hold.holds(today):
            continue
        subject = identifiers.from_json(hold.person)
        answer = search.search(subject, sources, graph, shelf, sweep="auto", limits=limits, processes=processes, progress=progress)
        held |= {(hit.source, hit.object, hit.record): hold for hit in answer.hits}
        touched = [one for one in answer.unread if any(_touches(one, late) for late in found)]
        unread |= dict.fromkeys((source, object, f"whether it is under a hold: {why}") for source, object, why in touched)
    files = {place[:2] for place in held if not place[2] or place[2].startswith(("page=", "line=", "row=", "sheet=", "part="))}
    held |= {(*place, ""): next(hold for at, hold in held.items() if at[:2] == place) for place in files}
    return held, list(unread)


def _touches(unread: Miss, late: Late) -> bool:
    """Whether what could not be looked at may hold a record that would be overdue."""
    source, object, _ = unread
    return source == late.source and (not object or object == late.object or object.startswith((f"{late.object}!", f"{late.object}/")))


def _added(
    found: Sequence[Late], held: Mapping[tuple[str, str, str], Hold], policies: Policies
) -> tuple[tuple[Line, ...], tuple[Summary, ...]]:
    lines: dict[tuple[str, str, str, str], _Sum] = {}
    sums: dict[tuple[str, str], _Sum] = {}
    for late in found:
        policy, reason = late.ruling.policy, late.ruling.reason.value
        place = late.object if late.record else _pattern(policies, late)
        line = lines.setdefault((policy, reason, late.source, place), _Sum())
        if (late.source, late.object, late.record) in held:
            line.held += 1
            continue
        line.add(late)
        sums.setdefault((policy, reason), _Sum()).add(late)
    order = {policy.name: number for number, policy in enumerate(policies.all)}
    shown = sorted(lines.items(), key=lambda one: (order[one[0][0]], one[0]))
    said = sorted(sums.items(), key=lambda one: (order[one[0][0]], one[0]))
    return (
        tuple(Line(policy, one.law, reason, source, object, *one.shown(), one.held) for (policy, reason, source, object), one in shown),
        tuple(Summary(policy, one.law, reason, *one.shown()) for (policy, reason), one in said),
    )


def _pattern(policies: Policies, late: Late) -> str:
    """The pattern of its policy by which a file was found: where many lie, the pattern says more than each name."""
    from fnmatch import fnmatchcase

    for policy in policies.all:
        if policy.name == late.ruling.policy:
            for pattern in policy.applies_to:
                if fnmatchcase(f"{late.source}:{late.object}", pattern):
                    return pattern.removeprefix(f"{late.source}:")
    return late.object


def _unsaid(policies: Policies, graph: Graph, only: Collection[str]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """The tables whose rows lead to people and that no policy speaks of."""
    places = [place for place in graph.nodes if (not only or place[0] in only) and not policies.bearing(*place)]
    about = [place for place in places if next(graph.paths(*place), None) is not None and not graph.nodes[place].relation.view]
    return tuple((*place, tuple(law.id for law in policies.by_law(place[1]))) for place in about)


def _said(day: date) -> str:
    return "" if day == date.max else day.isoformat()
