"""What the inventory knows for a search: where digests of the subject lie, what columns hold, and which units it covers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from scanner import digest, seal
from scanner.model import Condition, Database, Identifier, Problem, Relation, Role, Source, Unit
from scanner.subject.identifiers import Agreement, Likeness, forms
from scanner.subject.links import Evidence

if TYPE_CHECKING:
    from scanner.inventory import Book

THROUGHOUT = 0.8
"""From this share of its filled records on a column is one entity throughout."""


class Elsewhere(NamedTuple):
    """Something of the subject in a source that cannot be reached: only its address and what kind of thing it is are known."""

    source: str
    object: str
    record: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where the inventory knows something of the subject: units of files, rows of databases, and what lies in lost sources."""

    units: set[int] = field(default_factory=set)
    rows: dict[tuple[str, str], list[Condition]] = field(default_factory=dict)
    elsewhere: list[Elsewhere] = field(default_factory=list)


class Shelf:
    """The inventory from the side of a search; without a book it knows nothing, and everything must be read."""

    def __init__(self, book: Book | None, sources: Sequence[Source]) -> None:
        self._book = book
        self._sources = {source.name: source for source in sources}
        self._relations: dict[str, dict[str, Relation]] = {}
        self.entities: Mapping[tuple[str, str], Mapping[str, str]] = _entities(book) if book is not None else {}

    def where(self, identifiers: Sequence[Identifier]) -> Wanted:
        """Look up the digests of everything that is known of the subject."""
        wanted = Wanted()
        if self._book is None:
            return wanted
        key = self._book.key()
        asked: dict[bytes, tuple[int, str]] = {}
        for number, one in enumerate(identifiers):
            for form in forms(one):
                asked.setdefault(digest.digest_normal(key, form.entity, form.normal), (number, form.how))
        records: dict[tuple[str, str], set[str]] = {}
        for hit in self._book.where(list(asked)):
            source = self._sources.get(hit.source)
            if source is None:
                number, how = asked[hit.digest]
                evidence = Evidence(number, Likeness(Agreement.SAME, f"{how}, as of the last scan"), hit.field, Role.MENTIONED)
                wanted.elsewhere.append(Elsewhere(hit.source, hit.object, hit.record, evidence))
            elif isinstance(source, Database) and "!" not in hit.object:
                records.setdefault((hit.source, hit.object), set()).add(seal.unseal(key, hit.record))
            else:
                wanted.units.add(hit.unit)
        for place, names in records.items():
            wanted.rows[place] = self._conditions(place, names)
        return wanted

    def _conditions(self, place: tuple[str, str], records: set[str]) -> list[Condition]:
        from scanner.sources.records import conditions_of

        source, object = self._sources[place[0]], place[1]
        assert isinstance(source, Database)  # noqa: S101 - told apart above
        if source.name not in self._relations:
            self._relations[source.name] = {one.object: one for one in source.relations() if isinstance(one, Relation)}
        relation = self._relations[source.name].get(object)
        return conditions_of(relation, sorted(records)) if relation is not None else []

    def to_sweep(self, source: Source, hit: set[int], how: str) -> Iterator[Unit | Problem]:
        """The units of a source that must be read: with `auto` those in which the inventory knows something of hers, or that it
        does not cover (new, changed, failed before); with `all` every one; with `off` only the first kind."""
        if how == "all" or self._book is None:
            if how != "off":
                yield from source.units()
            return
        known = self._book.connection.execute(
            "select unit.id, object, part, fingerprint, retry from unit join source on source.id = unit.source"
            " where source.name = ? order by object, part",
            (source.name,),
        )
        ahead = next(known, None)
        for unit in source.units():
            if isinstance(unit, Problem):
                yield unit
                continue
            while ahead is not None and (ahead[1], ahead[2]) < (unit.object, unit.part):
                ahead = next(known, None)
            same = ahead if ahead is not None and (ahead[1], ahead[2]) == (unit.object, unit.part) else None
            new = how == "auto" and (same is None or same[4] or not self._covers(source, unit, same[3]))
            if new or (same is not None and same[0] in hit):
                yield unit

    @staticmethod
    def _covers(source: Source, unit: Unit, fingerprint: str) -> bool:
        """Whether the inventory speaks for a unit: it has not changed, or is a table whose server cannot say so."""
        if unit.fingerprint:
            return unit.fingerprint == fingerprint
        return isinstance(source, Database)


def _entities(book: Book) -> dict[tuple[str, str], Mapping[str, str]]:
    """What the columns of the data map hold throughout."""
    out: dict[tuple[str, str], dict[str, str]] = {}
    for row in book.rows("select source, object, field, entity from data_map where share >= ? order by share", (THROUGHOUT,)):
        out.setdefault((row["source"], row["object"]), {})[row["field"]] = row["entity"]
    return dict(out)
