"""Finds every record of one person: from the little that is known, to a fixed point, and says why each record is hers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from scanner.errors import SourceError
from scanner.model import Database, Hit, Identifier, Limits, Link, Problem, Role, Source, Subject, Unit
from scanner.subject import tables, texts
from scanner.subject.contacts import is_family_mailbox, is_shared_mailbox
from scanner.subject.fields import PEOPLE, concepts
from scanner.subject.graph import Edge, EdgeKind, Graph, Node
from scanner.subject.identifiers import Agreement, Strength, compare, fold_name, strength
from scanner.subject.links import Judgement, judge, title
from scanner.subject.places import OTHER_NAME, Address, Place, Way
from scanner.subject.readers import Desk, Readers
from scanner.subject.rows import Claim, read
from scanner.subject.shared import find_namesakes, find_shared
from scanner.subject.sweep import Cache

if TYPE_CHECKING:
    from scanner.subject.bookshelf import Shelf

ROUNDS = 8
"""So often what was found in tables is searched in turn, at most."""
PASSES = 3
"""So often texts are swept, at most: again only where they told of identifiers that were not known before."""

_MAIL = re.compile(r"(?<![\w.+-])([\w.+-]{1,64})@[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search came to. `unread`: (source, object, why) that could not be looked at, so that the answer is not whole."""

    subject: Subject
    hits: tuple[Hit, ...]
    unread: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Answer({len(self.hits)} hits, {len(self.unread)} unread)"


class Search:
    """One search. `sources` are those that could be opened; `shelf` answers from the inventory, where there is one; `cache` serves
    searches that are made in one process (`processes=None`) after each other."""

    def __init__(
        self,
        subject: Subject,
        sources: Sequence[Source],
        graph: Graph,
        shelf: Shelf,
        *,
        sweep: str = "auto",
        limits: Limits = Limits(),
        processes: int | None = None,
        cache: Cache | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.identifiers: list[Identifier] = list(subject.identifiers)
        self._sources, self._graph, self._shelf = sources, graph, shelf
        self._databases: dict[str, Database] = {s.name: s for s in sources if isinstance(s, Database)}
        self._sweep, self._limits, self._processes, self._progress = sweep, limits, processes, progress
        self._cache = cache
        self._places: dict[Address, Place] = {}
        self._shared: set[int] = set()
        self._doubtful: set[int] = set()
        self._unread: dict[tuple[str, str, str], None] = {}
        self._notes: dict[str, None] = {}
        self._descended: set[Address] = set()

    # -- the flow --------------------------------------------------------------------------------------------

    def run(self) -> Answer:
        """Tables to a fixed point, then texts; again where the texts told of something new."""
        told = 0
        setup = texts.Setup(tuple(self._sources), Subject(tuple(self.identifiers)), self._shelf.entities)
        desk = Desk(setup, self._cache)
        with closing(Readers(setup, desk, self._processes, self._limits)) as readers:
            for number in range(PASSES):
                told = self._tables(told)
                self._texts(desk, readers)
                if not any(strength(one) is Strength.STRONG for one in self.identifiers[told:]):
                    break
                if number == PASSES - 1:
                    self._notes["what the last texts told of was not searched in turn"] = None
        self._tables(told)
        hits = sorted(self._hits(), key=lambda h: (h.source, h.object, h.record, h.field))
        return Answer(Subject(tuple(self.identifiers)), tuple(hits), tuple(self._unread), tuple(self._notes))

    def _tables(self, told: int) -> int:
        """Ask databases for identifiers from `told` on, until there are no new ones. Returns how many are known then."""
        for step in range(ROUNDS):
            fresh = self.identifiers[told:]
            if not fresh:
                break
            if step == ROUNDS - 1:
                self._notes["the search was stopped before it had followed every identifier"] = None
            told = len(self.identifiers)
            for (source, object), node in self._graph.nodes.items():
                database = self._databases.get(source)
                if database is None:
                    continue
                self._progress(f"{source}: {object}")
                if node.relation.rows > tables.SMALL:
                    self._notes[
                        f"{source} {object} is large: it was asked for the usual ways of writing by its indexes, not for every way"
                    ] = None
                for found in tables.ask(database, object, tables.direct(node, fresh), self._missed(source)):
                    self._row(found, node)
            self._weigh(step + 1)
            if len(self.identifiers) > told:
                continue  # what the rows tell of her is known before anything is followed from them
            self._climb()
            self._descend()
            self._weigh(step + 1)
        return told

    def _weigh(self, step: int) -> None:
        """Hold all rows against what is known by now, decide what is shared, and take up what rows that are hers tell."""
        for (source, object, _), place in self._places.items():
            node = self._graph.nodes.get((source, object))
            if place.row is not None and node is not None and place.read != (len(self.identifiers), len(self._doubtful)):
                self._row(place.row, node)
        self._notes |= dict.fromkeys(find_shared(self._places, self.identifiers, self._shared, self._doubtful))
        find_namesakes(self._places, self.identifiers, self._shared)
        self._adopt(step)

    def _missed(self, source: str) -> Callable[[Problem], None]:
        def miss(problem: Problem) -> None:
            why = f"{problem.why.value}: {problem.detail}" if problem.detail else problem.why.value
            self._unread.setdefault((source, problem.object, why))

        return miss

    # -- tables ----------------------------------------------------------------------------------------------

    def _row(self, found: tables.Found, node: Node) -> Place:
        place = self._places.setdefault((found.source, found.object, found.record), Place())
        held = read(found.row, node.entities, self.identifiers, f"{found.source}:{found.object}", self._doubtful)
        place.row, place.people, place.claims = found, node.people, tuple(held.claims)
        place.against, place.against_sure, place.read = held.against, held.against_sure, (len(self.identifiers), len(self._doubtful))
        place.evidence |= {(one.identifier, one.field): one for one in held.evidence}
        others = self._of_others(found, place)
        for number, column in [key for key in place.evidence if key[1] in others]:
            if self.identifiers[number].entity == "CUSTOMER_ID":
                del place.evidence[number, column]
        return place

    def _of_others(self, found: tables.Found, place: Place) -> frozenset[str]:
        """Columns of somebody's row that say on whose row it hangs (the customer of a contact): their number is not this person's,
        unless the row names the subject."""
        if not place.people or not any(claim.entity == "PERSON" and claim.role is Role.ABOUT for claim in place.claims):
            return frozenset()
        known = [one for one in self.identifiers if one.entity == "PERSON"]
        names = [claim.text for claim in place.claims if claim.entity == "PERSON" and claim.role is Role.ABOUT]
        if any(compare(one, "PERSON", name).agreement in (Agreement.SAME, Agreement.VARIANT) for one in known for name in names):
            return frozenset()
        edges = self._graph.parents(found.source, found.object)
        return frozenset(edge.columns[0] for edge in edges if edge.kind is EdgeKind.RELATED and edge.declared and len(edge.columns) == 1)

    def _judged(self, place: Place) -> Judgement:
        """Weigh a record by what is certain of her; and where that is not enough by what is likely, which makes it likely at most."""
        everything = list(place.evidence.values())
        sure = [one for one in everything if one.identifier not in self._doubtful]
        judged = judge(self.identifiers, sure, place.against | place.against_sure, self._shared)
        if judged.link is Link.CERTAIN or (len(sure) == len(everything) and place.against_sure <= place.against):
            return judged
        more = judge(self.identifiers, everything, place.against, self._shared)
        if more.link is Link.CERTAIN:
            return replace(more, link=Link.LIKELY, score=min(more.score, 0.8))
        return more

    def _climb(self) -> None:
        """From a row with evidence of its own, which is no person's, up to the person it belongs to."""
        for address, place in list(self._places.items()):
            if place.row is None or place.people or place.way is not None or address in self._descended:
                continue
            if self._judged(place).link not in (Link.CERTAIN, Link.LIKELY):
                continue
            for parent, node in tables.above(self._graph, self._databases, place.row, self._missed(address[0])):
                above = self._row(parent, node)
                if node.people and above.evidence:
                    continue  # what it says itself decides
                if node.people and not any(c.entity == "PERSON" and c.role is Role.ABOUT for c in above.claims) and above.way is None:
                    why = f"a row of {address[1]} with her data belongs to it"
                    above.way = Way(address, why, "", 0.75, Role.ABOUT)

    def _descend(self) -> None:
        """From rows that are hers down to what belongs to them."""
        while True:
            ready: dict[tuple[str, str], list[tables.Found]] = {}
            for address, place in self._places.items():
                if place.row is None or address in self._descended or not self._is_hers(place):
                    continue
                ready.setdefault(address[:2], []).append(place.row)
            if not ready:
                return
            for (source, object), found in ready.items():
                self._descended |= {(source, object, one.record) for one in found}
                node = self._graph.nodes.get((source, object))
                handlers = node is not None and node.people
                for step in tables.below(self._graph, self._databases, found, self._missed(source), handlers=handlers):
                    self._reached(step)

    def _is_hers(self, place: Place) -> bool:
        """Whether what hangs on a row is hers as well: it is about her, surely enough, and not merely handled by her."""
        if place.way is not None:
            return place.way.role is Role.ABOUT and place.way.score >= 0.6
        judged = self._judged(place)
        if judged.role is not Role.ABOUT or judged.link not in (Link.CERTAIN, Link.LIKELY):
            return False
        keyed = any(e.mine and self.identifiers[e.identifier].entity in _KEYED for e in place.evidence.values())
        return place.people or keyed or judged.link is Link.CERTAIN

    def _reached(self, step: tables.Step) -> None:
        found, edge = step.found, step.edge
        node = self._graph.nodes[found.source, found.object]
        place = self._row(found, node)
        if node.people and not edge.declared and any(c.entity == "PERSON" and c.role is Role.ABOUT for c in place.claims):
            return  # a row of somebody with a name: what it says itself decides, not an e-mail address that a family may share
        parent = self._places[step.parent]
        base = parent.way.score if parent.way is not None else self._judged(parent).score
        score = base if edge.declared else min(base, max(edge.score, 0.6))
        if edge.kind is EdgeKind.OWNER:
            score = min(score, self._owned(found, edge), self._common(found.row.get(edge.columns[0]), place))
        role = {EdgeKind.HANDLER: Role.HANDLER, EdgeKind.OWNER: Role.ABOUT, EdgeKind.PART: Role.ABOUT}.get(edge.kind, Role.MENTIONED)
        if role is Role.MENTIONED:
            score = min(score, 0.7)  # another person's row: a guest of her booking, a next of kin
        if place.way is not None and (place.way.score >= score or (place.way.role is Role.ABOUT and role is not Role.ABOUT)):
            return
        how = "" if edge.declared else f"; the database does not declare it: {edge.why}"
        if edge.kind is EdgeKind.PART:
            why = f"part of the row of {step.parent[1]} that is hers (by {', '.join(edge.columns)}{how})"
        else:
            verb = {Role.HANDLER: "handled by the person of", Role.ABOUT: "belongs to"}.get(role, "about somebody who has to do with")
            why = f"{verb} the row of {edge.to} that is hers (by {', '.join(edge.columns)}{how})"
        place.way = Way(step.parent, why, ", ".join(edge.columns), score, role)

    def _common(self, text: str | None, place: Place) -> float:
        """How surely a row is hers by a value that joins it to a row of hers: what several people use is nobody's alone.

        A family's mailbox that she gave as her own is hers as well as theirs, unless the row names one of them.
        """
        if not text:
            return 1.0
        met = [
            one
            for one in (self.identifiers[number] for number in self._shared)
            if one.entity in ("EMAIL_ADDRESS", "PHONE_NUMBER") and compare(one, one.entity, text).agreement is Agreement.SAME
        ]
        if not met:
            return 1.0
        firm = any(one.entity != "EMAIL_ADDRESS" or (is_shared_mailbox(one.value) and not is_family_mailbox(one.value)) for one in met)
        return 0.5 if firm or place.against & OTHER_NAME else 0.6

    def _owned(self, found: tables.Found, edge: Edge) -> float:
        """How surely a row that was reached along an edge is hers, by what else it says of its owner: nobody, or somebody else."""
        target = self._graph.nodes[edge.to_source, edge.to].relation
        unique = edge.to_columns in (target.key, *target.unique)
        for other in self._graph.owners(found.source, found.object):
            node = self._graph.nodes[other.to_source, other.to]
            held = self._graph.nodes[found.source, found.object].entities.get(other.columns[0], "")
            if other == edge or not node.people or not (other.declared or held in ("", "CUSTOMER_ID")):
                continue
            values = tuple(found.row.get(column) or "" for column in other.columns)
            if not all(values):
                if not unique:
                    return 0.8  # the browser is hers, but it did not say who used it then
                continue
            mine = (
                place
                for (source, object, _), place in self._places.items()
                if (source, object) == (other.to_source, other.to) and place.row is not None and self._is_hers(place)
            )
            if not any(tuple(place.row.row.get(c) or "" for c in other.to_columns) == values for place in mine if place.row):
                return 0.5
        return 1.0

    # -- what was found is searched in turn --------------------------------------------------------------------

    def _adopt(self, step: int) -> None:
        """Identifiers of rows that are hers join the search, each with its reason; those of likely rows lead to likely ones only."""
        for (source, object, _), place in list(self._places.items()):
            link = self._tells(place) if place.claims else None
            if link is None:
                continue
            numbers = self._keys(place)
            # A browser may be used by several people: what is known by its cookie alone is likely.
            for claim in place.claims:
                if claim.role is not Role.ABOUT or claim.entity not in (_ADOPTED if place.people or place.row is None else _BROWSERS):
                    continue
                column = f"{source}:{object}.{claim.fields[0]}" if claim.entity == "CUSTOMER_ID" else ""
                if claim.entity == "CUSTOMER_ID" and claim.fields[0] not in numbers:
                    continue
                why = f"{title(claim.entity)} in a record of {object} that is {'certainly' if link is Link.CERTAIN else 'likely'} hers"
                self._learn(claim, column, why, step, link)
            for claim in self._noted(place):
                how = "certainly" if link is Link.CERTAIN else "likely"
                why = f"e-mail address like her name in a note of the row of {object} that is {how} hers"
                self._learn(claim, "", why, step, Link.LIKELY)

    def _noted(self, place: Place) -> Iterator[Claim]:
        """E-mail addresses in the running text of a person's own row, where they are made of her name."""
        if place.row is None or not place.people:
            return
        taken = {name for claim in place.claims for name in claim.fields}
        words = {w for one in self.identifiers if one.entity == "PERSON" for w in fold_name(one.value) if len(w) > 3}
        for name, text in place.row.row.items():
            if name not in taken and text and "@" in text:
                for found in _MAIL.finditer(text):
                    if any(word in found[1].casefold() for word in words):
                        yield Claim("EMAIL_ADDRESS", found[0], (name,), Role.ABOUT)

    def _tells(self, place: Place) -> Link | None:
        """How surely what a record says of the person it is about is said of her; None when it must not be searched in turn."""
        if not (place.people or place.row is None):
            return Link.LIKELY if place.way is not None and place.way.role is Role.ABOUT and place.way.score >= 0.6 else None
        if place.way is not None and place.way.role is Role.ABOUT and not place.against & OTHER_NAME:
            return Link.CERTAIN if place.way.score >= 0.9 else Link.LIKELY if place.way.score >= 0.6 else None
        judged = self._judged(place)
        if judged.link not in (Link.CERTAIN, Link.LIKELY) or judged.role is not Role.ABOUT:
            return None
        mine = [e for e in place.evidence.values() if e.mine and e.likeness.agreement is Agreement.SAME]
        if not mine:
            return None
        if place.against & OTHER_NAME and not {self.identifiers[e.identifier].entity for e in mine} & {"DK_CPR", "CUSTOMER_ID"}:
            # Her mailbox and her first name with another surname: she has married, or not yet when the row was written.
            return None if "PERSON" in place.against else Link.LIKELY
        return judged.link

    def _keys(self, place: Place) -> set[str]:
        """Columns that number the person: the key of a table of people, or a column that counts customers, employees …"""
        if place.row is None:
            return {c.fields[0] for c in place.claims if c.entity == "CUSTOMER_ID" and concepts(c.fields[0]) & PEOPLE}
        node = self._graph.nodes[place.row.source, place.row.object]
        return set(node.relation.key) if len(node.relation.key) == 1 else set()

    def _learn(self, claim: Claim, column: str, why: str, step: int, link: Link) -> None:
        for number, known in enumerate(self.identifiers):
            if known.entity != claim.entity or (column and known.column not in ("", column) and known.column.partition(":")[2] == ""):
                continue
            if claim.entity == "CUSTOMER_ID" and known.column != column:
                continue
            agreement = compare(known, claim.entity, claim.text).agreement
            if agreement is Agreement.SAME or (agreement is Agreement.VARIANT and claim.entity in ("PERSON", "ADDRESS")):
                if link is Link.CERTAIN:
                    self._doubtful.discard(number)
                return
        if claim.entity == "PERSON" and len(claim.text.split()) < 2:
            return
        if link is not Link.CERTAIN:
            self._doubtful.add(len(self.identifiers))
        self.identifiers.append(Identifier(claim.entity, claim.text, column, why, step))

    # -- texts -----------------------------------------------------------------------------------------------

    def _texts(self, desk: Desk, readers: Readers) -> None:
        """Sweep what must be read: units in which the inventory knows something of hers, and those that it does not cover."""
        subject = Subject(tuple(self.identifiers))
        wanted = self._shelf.where(self.identifiers)
        self._from_tables(wanted, desk, subject)
        for source, places, problems in readers.read(subject, self._units(wanted.units)):
            for one in places:
                self._seen(source, one)
            for problem in problems:
                self._missed(source)(problem)
        for hit in wanted.elsewhere:  # in sources that cannot be reached now: as the inventory has it
            place = self._places.setdefault((hit.source, hit.object, hit.record), Place())
            place.evidence[hit.evidence.identifier, hit.evidence.field] = hit.evidence
        self._weigh(ROUNDS)

    def _seen(self, source: str, one: texts.Place) -> None:
        place = self._places.setdefault((source, one.object, one.record), Place())
        place.evidence |= {(e.identifier, e.field): e for e in one.evidence}
        place.against |= one.against
        place.claims = one.claims or place.claims
        place.whole = one.whole
        place.read = (0, 0)  # where it is a row, what the sweep saw in it is held against the row as a whole
        node = self._graph.nodes.get((source, one.object))
        place.people = node.people if node is not None else any(c.entity == "PERSON" and c.role is Role.ABOUT for c in one.claims)

    def _from_tables(self, wanted: Any, desk: Desk, subject: Subject) -> None:
        """Rows of databases whose texts the inventory knows to hold something of hers: read again by their keys."""
        for (source, object), conditions in wanted.rows.items():
            database = self._databases.get(source)
            if database is None:
                continue
            state = desk.state(subject)
            for batches in tables.chunks(database, object, conditions, self._missed(source)):
                rows = {one.record: one for one in tables.rows(source, object, batches)}
                for one in texts.look(state, source, batches):
                    self._seen(source, one)
                    place = self._places[source, one.object, one.record]
                    node = self._graph.nodes.get((source, object))
                    if node is not None and one.record in rows and one.object == object:
                        place.row, place.people, place.whole = rows[one.record], node.people, False

    def _units(self, hit: set[int]) -> Iterator[Unit]:
        if self._sweep == "off" and not hit:
            return
        for source in self._sources:
            try:
                for unit in self._shelf.to_sweep(source, hit, self._sweep):
                    if isinstance(unit, Problem):
                        self._missed(source.name)(unit)
                    else:
                        self._progress(f"{source.name}: {unit.object}")
                        yield unit
            except SourceError as error:
                self._unread.setdefault((source.name, "", str(error)))

    # -- the answer ------------------------------------------------------------------------------------------

    def _hits(self) -> Iterator[Hit]:
        best = self._objects()
        for (source, object, record), place in self._places.items():
            judged = self._judged(place)
            link, score, why, role, part = judged.link, judged.score, judged.why, judged.role, judged.field
            if place.way is not None and (link is None or place.way.score > score):
                way = place.way
                link = Link.CERTAIN if way.score >= 0.9 else Link.LIKELY if way.score >= 0.6 else Link.POSSIBLE
                score, why, part = way.score, way.why, way.field
                role = way.role
            if place.whole and (object_link := best.get((source, object))) is not None:
                named = any(self.identifiers[e.identifier].entity == "PERSON" for e in place.evidence.values())
                if object_link.score > score and "DK_CPR" not in place.against and (named or link is not None):
                    link, score, role = object_link.link, object_link.score, object_link.role
                    why = f"{why}; in the same text stands: {object_link.why}" if why else f"in the same text stands: {object_link.why}"
            if link is not None:
                yield Hit(source, object, record, part, link, round(score, 2), why, role)

    def _objects(self) -> Mapping[tuple[str, str], Judgement]:
        """What a text as a whole (a letter, not a list of people) says: the evidence of all its records together."""
        together: dict[tuple[str, str], Place] = {}
        for (source, object, _), place in self._places.items():
            if place.whole:
                one = together.setdefault((source, object), Place())
                one.evidence |= {(e.identifier, e.field): e for e in place.evidence.values()}
        return {where: self._judged(place) for where, place in together.items()}


_ADOPTED = frozenset(
    {"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "ADDRESS", "DK_CPR", "DATE_OF_BIRTH", "CUSTOMER_ID", "IBAN_CODE", "DK_BANK_ACCOUNT",
     "USERNAME", "COOKIE_ID", "DK_PASSPORT"}
)  # fmt: skip


_KEYED = frozenset({"COOKIE_ID", "USERNAME", "EMAIL_ADDRESS", "CUSTOMER_ID"})
"""What a row is found by that hangs on a browser or a login: what hangs on that row is found as well."""
_BROWSERS = frozenset({"COOKIE_ID"})
"""What rows that belong to her (her sessions) tell of her, though they are no rows of people."""


def search(subject: Subject, sources: Sequence[Source], graph: Graph, shelf: Shelf, **options: Any) -> Answer:
    """Find every record of a subject. Raises nothing for a source that fails: the answer says what could not be looked at."""
    return Search(subject, sources, graph, shelf, **options).run()
