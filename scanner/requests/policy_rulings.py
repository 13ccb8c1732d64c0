"""What policies and law say of records anywhere: rows, files, and mails in them; what a deletion plan asks.

said = Rulings(settings, sources, graph)
said.of("crm", "public.orders", ["order_no=7"], today)      # {"order_no=7": Ruling(hint=keep, reason=must be kept, until=…)}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from scanner.config import Config, Hold
from scanner.errors import SourceError
from scanner.model import Database, Problem, Source, Unit
from scanner.requests import retention_files
from scanner.requests.policy import Clock, Policies, Policy, Ruling, decide
from scanner.requests.policy_tables import Tables
from scanner.requests.policy_ways import Miss
from scanner.subject.graph import Graph


class Rulings:
    """Answers for the records of some sources. Files are listed once, and read only where a policy counts from dates in them."""

    def __init__(self, settings: Config, sources: Sequence[Source], graph: Graph) -> None:
        self.policies = Policies(settings)
        self._tables = Tables(self.policies, sources, graph)
        self._sources = {one.name: one for one in sources}
        self._units: dict[str, dict[str, Unit]] = {}
        self._names: dict[str, Mapping[str, Sequence[date | None]] | None] = {}
        self._dated: dict[tuple[str, str], dict[tuple[str, str], tuple[date | None, str]]] = {}

    @property
    def missed(self) -> tuple[Miss, ...]:
        """(source, object, why) of clocks that could not be read: what the law requires is kept there, as if its time had not started."""
        return self._tables.missed

    def of(
        self, source: str, object: str, records: Sequence[str], today: date, holds: Mapping[str, Hold] | Hold | None = None
    ) -> dict[str, Ruling]:
        """What is said of each record of an object; `""` is a file as a whole. `holds` are those of some records, or one of all."""
        place = self._sources.get(source)
        if place is None or isinstance(place, Database):
            return self._tables.rulings(source, object, records, today, holds)
        held = {} if holds is None else dict.fromkeys(records, holds) if isinstance(holds, Hold) else holds
        unit = self._unit(place, object)
        bearing = self.policies.bearing(source, object) or (self.policies.bearing(source, unit.object) if unit else [])
        clocks = [Clock(policy, None) for policy in bearing]
        within: list[Policy] = []
        if unit is not None and bearing:
            clocks, within = retention_files.started(place, unit, bearing, self._tables, self._names)
            if within and (source, unit.object) not in self._dated:
                self._dated[source, unit.object] = retention_files.dated(place, unit, self._tables)
        days = self._dated.get((source, unit.object), {}) if unit else {}
        whole = days.get((unit.object, ""), (None, "")) if unit else (None, "")
        return {
            record: decide([*clocks, *(Clock(policy, days.get((object, record), whole)[0]) for policy in within)], today, held.get(record))
            for record in records
        }

    def _unit(self, source: Source, object: str) -> Unit | None:
        """The file that an object is, or lies in."""
        if source.name not in self._units:
            found: dict[str, Unit] = {}
            try:
                found = {unit.object: unit for unit in source.units() if not isinstance(unit, Problem)}
            except SourceError as error:
                self._tables.miss(source.name, "", str(error))
            self._units[source.name] = found
        units, name = self._units[source.name], object
        while name not in units and "!" in name:
            name = name.rpartition("!")[0]
        return units.get(name)
