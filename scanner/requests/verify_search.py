"""Searches everywhere again for the person of a deletion plan, with all that was known of her, and counts what is read for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scanner.inventory import Book
from scanner.model import Database, Limits, Link, Problem, Source, Subject, Unit
from scanner.subject.bookshelf import Shelf
from scanner.subject.graph import Graph
from scanner.subject.places import Address, Place
from scanner.subject.search import Search

_DOUBTFUL = ("likely hers", "like her name in a note")
"""How a search says that an identifier comes from a record that is only likely hers, so that it leads to likely ones only."""


@dataclass(slots=True)
class Looked:
    """What was read of one source: objects (files, tables, mailboxes), rows of tables as the database counts them, bytes of the rest.

    `only` and `left_out` are the configuration's patterns of what is to be read of it and what is not.
    """

    name: str
    database: bool
    objects: int = 0
    rows: int = 0
    bytes: int = 0
    only: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class Reading(Shelf):
    """What must be read: everything, or what the inventory does not vouch for and whatever holds a record of the plan.

    `listed` are those files and tables of the plan that are there, `unlisted` what could not be listed, as (source, object). `unread` is
    what the inventory was to vouch for and could not read itself: (source, object, why).
    """

    def __init__(self, book: Book | None, sources: Sequence[Source], planned: Collection[tuple[str, str]]) -> None:
        super().__init__(book, sources)
        self._wanted: dict[str, set[str]] = {}
        for source, object in planned:
            self._wanted.setdefault(source, set()).update(containers(object))
        self.listed: set[tuple[str, str]] = set()
        self.unlisted: set[tuple[str, str]] = set()
        self.unread: dict[tuple[str, str, str], None] = {}
        self.looked: dict[str, Looked] = {one.name: Looked(one.name, isinstance(one, Database)) for one in sources}

    def to_sweep(self, source: Source, hit: set[int], how: str) -> Iterator[Unit | Problem]:
        """As a search asks for them, each once."""
        wanted, failed = self._wanted.get(source.name, set()), self._failed(source.name) if how == "auto" else {}
        count = self.looked[source.name] = Looked(source.name, isinstance(source, Database))
        taken: set[tuple[str, str]] = set()
        last = ""
        for unit in super().to_sweep(source, hit, how):
            if isinstance(unit, Problem):
                self.unlisted.add((source.name, unit.object))
            else:
                last = self._counted(count, unit, last)
                if unit.object in wanted or unit.object in failed:
                    taken.add((unit.object, unit.part))
                if unit.object in wanted:
                    self.listed.add((source.name, unit.object))
            yield unit
        if how == "all" or not (wanted or failed):
            return
        for unit in source.units():
            if isinstance(unit, Problem) or (unit.object, unit.part) in taken:
                continue
            if unit.object in wanted:
                self.listed.add((source.name, unit.object))
                last = self._counted(count, unit, last)
                yield unit
            else:
                self.unread |= dict.fromkeys((source.name, object, why) for object, why in failed.get(unit.object, ()))

    def _failed(self, source: str) -> dict[str, list[tuple[str, str]]]:
        """What the last scan could not read in full, by the file or table that it lies in."""
        found: dict[str, list[tuple[str, str]]] = {}
        query = (
            "select unit.object as unit, object.object, object.status || ': ' || object.reason as why from object join unit on unit.id ="
            " object.unit join source on source.id = unit.source where object.status <> 'complete' and source.name = ?"
        )
        for row in self._book.rows(query, [source]) if self._book is not None else ():
            found.setdefault(row["unit"], []).append((row["object"], row["why"].rstrip(": ")))
        return found

    @staticmethod
    def _counted(count: Looked, unit: Unit, last: str) -> str:
        count.objects += unit.object != last
        if count.database:
            count.rows += unit.size
        else:
            count.bytes += unit.size
        return unit.object


def containers(object: str) -> Iterator[str]:
    """An object's own name and those of what it may lie in: `a.zip!b.txt`, `a.zip`."""
    yield object
    while "!" in object:
        object = object.rpartition("!")[0]
        yield object


class Again(Search):
    """The search of `find` with identifiers that an earlier one has found.

    `quiet` are rows whose number is hers and in which nothing else is: they tell nothing of her that could be searched in turn.
    """

    def __init__(
        self, subject: Subject, sources: Sequence[Source], graph: Graph, reading: Reading, quiet: Collection[Address], *, sweep: str,
        limits: Limits, processes: int | None, progress: Callable[[str], None],
    ) -> None:  # fmt: skip
        super().__init__(subject, sources, graph, reading, sweep=sweep, limits=limits, processes=processes, progress=progress)
        self._quiet = frozenset(quiet)
        self._doubtful |= {number for number, one in enumerate(subject.identifiers) if one.step and any(w in one.why for w in _DOUBTFUL)}

    def _tells(self, place: Place) -> Link | None:
        if place.row is not None and place.row[:3] in self._quiet:
            return None
        return super()._tells(place)


def count(looked: Mapping[str, Looked]) -> tuple[int, int, int]:
    """Objects, rows and bytes of all sources together."""
    some = looked.values()
    return sum(one.objects for one in some), sum(one.rows for one in some), sum(one.bytes for one in some)
