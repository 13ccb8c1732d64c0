"""Looks at the rows of a deletion plan by their keys: whether they are the same rows, and what of the person still stands in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scanner.errors import SourceError
from scanner.model import Database, Identifier, Link, Problem, Relation, Role, TextBatch, Why
from scanner.requests.plan import Action, Planned
from scanner.requests.row_print import SAME, read_batches, rows_of, unchanged
from scanner.sources.records import condition_of
from scanner.subject import texts
from scanner.subject.contacts import mailbox
from scanner.subject.graph import Graph
from scanner.subject.identifiers import Agreement
from scanner.subject.links import Evidence, judge, title
from scanner.subject.rows import Claim, read

_MARKS = re.compile(r"(?:^|_)(?:deleted|removed|slettet|fjernet|is_deleted|deleted_at|slettet_den)(?:_|$)", re.IGNORECASE)
_NO = frozenset({"", "0", "f", "false", "n", "no", "nej"})


class State(StrEnum):
    """What was found at an address of the plan."""

    GONE = "gone"
    REPLACED = "replaced"
    """Something else has got its name since, in which nothing is hers."""
    CLEAN = "clean"
    """It is there, and nothing of hers is in it."""
    LEFT = "left"
    """It had to go, and it is there."""
    HELD = "held"
    """It is kept, as planned."""
    MAY_GO = "may go"
    """It is kept, and no longer needs to be."""
    MISSING = "missing"
    """It had to be kept, and is not there."""
    OPEN = "open"
    """It is there, and somebody has to decide about it."""
    UNSEEN = "unseen"
    """It could not be looked at."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found at an address, and why, in words without any value. `points` numbers the identifiers that it points at by a key."""

    planned: Planned
    state: State
    why: str = ""
    points: frozenset[int] = frozenset()


Missed = Callable[[str, Problem], None]


class Rows:
    """Looks at rows. `key` is the inventory's; `missed` is told (source, problem) of what could not be looked at."""

    def __init__(
        self, state: texts.State, graph: Graph, databases: Mapping[str, Database], key: bytes, missed: Missed,
    ) -> None:  # fmt: skip
        self._state, self._graph, self._databases, self._key, self._missed = state, graph, databases, key, missed

    @property
    def _known(self) -> Sequence[Identifier]:
        return self._state.setup.subject.identifiers

    def look(self, source: str, object: str, planned: Sequence[Planned]) -> Iterator[Seen]:
        """The rows of one table, each as it is now."""
        node = self._graph.nodes.get((source, object))
        if node is None:
            yield from self._no_table(source, object, planned)
            return
        relation, lost = node.relation, list[Problem]()
        named = [one for one in planned if condition_of(relation, one.record) is not None]
        yield from (Seen(one, State.UNSEEN, "the table has another key now") for one in planned if one not in named)
        by_record = {one.record: one for one in named}
        there: dict[str, Seen] = {}
        try:
            for batches in read_batches(self._databases[source], relation, list(by_record), lost.append):
                for record, row, evidence, somebody in self._held(source, relation, batches, by_record.keys()):
                    there[record] = self._seen(by_record[record], relation, row, evidence, somebody)
        except SourceError as error:
            lost.append(Problem(object, Why.CRASHED, str(error)))
        for problem in lost:
            self._missed(source, problem)
        blind = next((one for one in lost if not one.field and not one.record and one.object == object), None)
        for one in named:
            if one.record in there:
                yield there[one.record]
            elif blind is not None:
                yield Seen(one, State.UNSEEN, f"{blind.why.value}: {blind.detail}")
            else:
                yield Seen(one, absent(one), "")

    def _no_table(self, source: str, object: str, planned: Sequence[Planned]) -> Iterator[Seen]:
        """A table that is not there, if the database could be asked; else nobody knows."""
        problem: Problem | None = None
        try:
            for item in self._databases[source].relations():
                if isinstance(item, Problem) and item.object in (object, ""):
                    problem = item
        except SourceError as error:
            problem = Problem("", Why.CRASHED, str(error))
        if problem is not None:
            self._missed(source, problem)
        for one in planned:
            why = "the table is no longer there" if problem is None else f"{problem.why.value}: {problem.detail}"
            yield Seen(one, absent(one) if problem is None else State.UNSEEN, why)

    def _held(
        self, source: str, relation: Relation, batches: Sequence[TextBatch], wanted: Iterable[str]
    ) -> Iterator[tuple[str, dict[str, str | None], list[Evidence], bool]]:
        """Each wanted row with everything of hers in it: in its columns as they are meant, in running text, in documents in its cells.

        And whether it says how to reach somebody.
        """
        names = frozenset(wanted)
        found: dict[str, dict[tuple[int, str], Evidence]] = {}
        for place in texts.look(self._state, source, batches):
            record = place.record
            if place.object != relation.object:
                record = place.object.removeprefix(f"{relation.object}!").partition("!")[0].rpartition("/")[0]
            found.setdefault(record, {}).update({(one.identifier, one.field): one for one in place.evidence})
        entities = self._state.setup.entities.get((source, relation.object), {})
        for record, row in rows_of(relation.object, batches).items():
            if record in names:
                held = read(row, entities, self._known, f"{source}:{relation.object}")
                more = {(one.identifier, one.field): one for one in held.evidence}
                yield record, row, list((found.get(record, {}) | more).values()), _tells(row, held.claims)

    # -- what a row is now -------------------------------------------------------------------------------------

    def _seen(self, one: Planned, relation: Relation, row: Mapping[str, str | None], evidence: Sequence[Evidence], somebody: bool) -> Seen:
        same = unchanged(one.print, self._key, one.source, one.object, one.record, row, relation.key)
        named_by, other = set(relation.key), bool(one.print) and same < SAME
        keys = self._keys(one.source, one.object) | named_by
        good = [e for e in evidence if e.likeness.agreement in (Agreement.SAME, Agreement.VARIANT)]
        own = [e for e in good if not (self._known[e.identifier].entity == "CUSTOMER_ID" and _within(e.field, keys))]
        points = frozenset(e.identifier for e in good if e not in own and not _within(e.field, named_by))

        def seen(state: State, why: str = "") -> Seen:
            return Seen(one, state, why, points)

        if one.action is Action.DELETE and not other:
            how = "marked as deleted, but still there" if _marked(row) else "still there" if same == 1 else "still there, changed since"
            return seen(State.LEFT, how)
        if one.action is Action.DELETE:
            hers = bool(own) if not somebody else judge(self._known, own).link in (Link.CERTAIN, Link.LIKELY)
            return seen(State.LEFT, says(self._known, own)) if hers else seen(State.REPLACED, "another row has its key now")
        if one.action is Action.ANONYMISE:
            if own:
                return seen(State.LEFT, says(self._known, own))
            if one.print and same == 1 and one.statement:
                return seen(State.LEFT, "as it was")
            return seen(State.REPLACED, "another row has its key now") if other and somebody else seen(State.CLEAN)
        if other and not good:
            return seen(absent(one), "another row has its key now")
        return seen(State.OPEN if one.action is Action.REVIEW else State.HELD, "" if same == 1 else "changed since")

    def _keys(self, source: str, object: str) -> set[str]:
        """The columns by which rows of a table hang together with others: the numbers in them stay while what they name is there."""
        out: set[str] = set()
        for edge in self._graph.edges:
            if (edge.source, edge.object) == (source, object):
                out |= set(edge.columns)
            if (edge.to_source, edge.to) == (source, object):
                out |= set(edge.to_columns)
        return out

    def numbered(self, one: Planned) -> Iterator[int]:
        """The identifiers that are the number of this row: the key that is counted in a table of people."""
        node = self._graph.nodes.get((one.source, one.object))
        if node is None or len(node.relation.key) != 1 or not one.record.startswith(f"{node.relation.key[0]}="):
            return
        column = node.relation.key[0]
        held = read({column: one.record[len(column) + 1 :]}, {}, self._known, f"{one.source}:{one.object}")
        for evidence in held.evidence:
            if self._known[evidence.identifier].entity == "CUSTOMER_ID" and evidence.likeness.agreement is Agreement.SAME:
                yield evidence.identifier


def absent(one: Planned) -> State:
    """What it means that something is not there."""
    if one.action in (Action.KEEP, Action.RESTRICT):
        return State.MISSING
    return State.GONE


def says(known: Sequence[Identifier], evidence: Sequence[Evidence]) -> str:
    """What of her stands in a row, by kind and place, without any value."""
    order = sorted(evidence, key=lambda e: (e.role is not Role.ABOUT, known[e.identifier].entity, e.field))
    said = dict.fromkeys(
        f"{title(known[e.identifier].entity)} in {e.field}" if e.field else title(known[e.identifier].entity) for e in order
    )
    return "still holds: " + ", ".join(said)


def _tells(row: Mapping[str, str | None], claims: Iterable[Claim]) -> bool:
    """Whether a row says how to reach the person whom it is about, or her CPR number: a row that was made anonymous does not."""
    if any(value and "anonymis" in value.casefold() for value in row.values()):
        return False
    return any(_reaches(claim) for claim in claims if claim.role is Role.ABOUT)


def _reaches(claim: Claim) -> bool:
    if claim.entity == "EMAIL_ADDRESS":
        parts = mailbox(claim.text)
        return parts is not None and not parts[2].endswith("invalid")
    return claim.entity in ("PHONE_NUMBER", "DK_CPR") and len({one for one in claim.text if one.isdigit()}) > 1


def _within(field: str, columns: Iterable[str]) -> bool:
    return bool(field) and set(field.split(", ")) <= set(columns)


def _marked(row: Mapping[str, str | None]) -> bool:
    """Whether a row says of itself that it was deleted."""
    return any(_MARKS.search(name) and (value or "").strip().casefold() not in _NO for name, value in row.items())
