"""Judges again what a deletion plan keeps: a hold may have been lifted since, a time that the law requires may have run out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date

from scanner.config import Config
from scanner.model import Identifier, Role, Source, Subject
from scanner.requests.plan import Action
from scanner.requests.policy import Hint, Reason, Ruling
from scanner.requests.policy_rulings import Rulings
from scanner.requests.verify_rows import Seen, State
from scanner.subject import identifiers
from scanner.subject.fields import same_number
from scanner.subject.graph import Graph
from scanner.subject.identifiers import Agreement, Strength, compare, strength

Search = Callable[[Subject], Iterable[tuple[str, str, str]]]
"""Finds the records of another person: (source, object, record)."""


class Kept:
    """Says of kept records whether they still must be. `search` is asked for people under a hold whom the plan is not about.

    `notes` fills with clocks that could not be read: such a record counts as one that must be kept.
    """

    def __init__(self, settings: Config, sources: Sequence[Source], graph: Graph, person: Subject, today: date, search: Search) -> None:
        self._rulings = Rulings(settings, sources, graph)
        self._person, self._today, self._search = person, today, search
        self._holds = [one for one in settings.holds if one.holds(today)]
        self._hers = next((one for one in self._holds if _same_person(person, identifiers.from_json(one.person, anyway=True))), None)
        self._others: dict[int, frozenset[tuple[str, str, str]]] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be judged."""
        return tuple(f"{source} {object}: {why}" for source, object, why in self._rulings.missed)

    def judge(self, source: str, object: str, seen: Sequence[Seen], records: Sequence[str]) -> Iterator[Seen]:
        """The same, with what may go now told apart. `records` are the names of the records, unsealed."""
        if self._hers is not None:
            yield from seen
            return
        wanted = dict.fromkeys(record for one, record in zip(seen, records, strict=True) if one.state is State.HELD)
        said = self._rulings.of(source, object, list(wanted), self._today) if wanted else {}
        for one, record in zip(seen, records, strict=True):
            ruling = said.get(record)
            if one.state is not State.HELD or ruling is None or ruling.hint is Hint.KEEP or self._held_for_another(one, record):
                yield one
            elif why := self._why(one, ruling):
                yield Seen(one.planned, State.MAY_GO, why, one.points)
            else:
                yield one

    def _why(self, one: Seen, ruling: Ruling) -> str:
        """Why a record may go, in words; `""` where it was not kept for a time or a hold."""
        until = _day(one.planned.until)
        if until is not None and until < self._today:
            return f"its time ran out on {until}"
        if until is None and (one.planned.action is Action.KEEP and one.planned.role not in ("", Role.ABOUT.value)):
            return ""
        if ruling.reason is Reason.UNSAID and not one.planned.law:
            return ""
        if one.planned.action is Action.RESTRICT and any(article in one.planned.law for article in ("Art. 18", "Art. 21", "artikel 18")):
            return ""
        if ruling.hint is Hint.OVERDUE:
            return f"{ruling.reason.value}: it should have gone by {ruling.until}"
        return f"nothing says any more that it must be kept ({ruling.reason.value})"

    def _held_for_another(self, one: Seen, record: str) -> bool:
        """Whether somebody else's hold, of the law that the plan names, keeps it too."""
        for number, hold in enumerate(self._holds):
            if hold.law == one.planned.law:
                if number not in self._others:
                    self._others[number] = frozenset(self._search(identifiers.from_json(hold.person, anyway=True)))
                held = self._others[number]
                place = (one.planned.source, one.planned.object, record)
                if place in held or (not record and any(other[:2] == place[:2] for other in held)):
                    return True
        return False


def _same_person(one: Subject, other: Subject) -> bool:
    """Whether a hold speaks of the person of a plan: a number or address of hers, or her name and something more."""
    met = {(known.entity, strength(known)) for known in one.identifiers for also in other.identifiers if _alike(known, also)}
    return any(how is Strength.STRONG for _, how in met) or len({entity for entity, _ in met}) > 1


def _alike(known: Identifier, also: Identifier) -> bool:
    if known.entity != also.entity or compare(known, also.entity, also.value).agreement is not Agreement.SAME:
        return False
    return known.entity != "CUSTOMER_ID" or known.column.endswith(also.column) or same_number(known.column, also.column.rpartition(".")[2])


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
