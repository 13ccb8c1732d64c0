"""A PostgreSQL database: its tables, read in read-only transactions."""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scanner.errors import SourceError
from scanner.extract import rows as cut
from scanner.extract.cells import Cells, Document
from scanner.extract.rows import Pace, key_ranges, range_condition
from scanner.extract.sampling import SAMPLE, Draw, Sampling, instead_of, sampled
from scanner.model import Condition, Limits, Opened, Problem, Reading, Relation, Unit, Why
from scanner.sources.patterns import Choice
from scanner.sources.postgresql_lookup import Asked, find, numbered
from scanner.sources.postgresql_relations import relations
from scanner.sources.postgresql_server import Address, ServerError, Session, SnapshotGone, Spare
from scanner.sources.postgresql_table import Table, describe, named, quoted, read, rewritten, sample

if TYPE_CHECKING:
    import pyarrow as pa

_TABLES = """
SELECT n.nspname::text, c.relname::text, c.relkind::text, greatest(c.reltuples, 0)::bigint,
       CASE WHEN c.relkind = 'p' THEN (SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(c.oid))
            WHEN c.relkind <> 'v' THEN pg_relation_size(c.oid) END::bigint,
       has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT'),
       (SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
          AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
          AND has_column_privilege(c.oid, a.attnum, 'SELECT')),
       has_table_privilege(c.oid, 'SELECT') AND CASE WHEN c.relkind = 'p' THEN
         (SELECT bool_and(l.relkind = 'r' AND has_table_privilege(l.oid, 'SELECT') AND has_schema_privilege(l.relnamespace, 'USAGE'))
          FROM pg_partition_tree(c.oid) p JOIN pg_class l ON l.oid = p.relid WHERE p.isleaf) ELSE c.relkind IN ('r', 'm') END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (c.relkind IN ('r', 'p', 'f', 'v') OR c.relkind = 'm' AND c.relispopulated)
  AND NOT c.relispartition AND c.relpersistence <> 't'
"""
_MOMENT = """
SELECT CASE WHEN txid_snapshot_xmin(s) = txid_snapshot_xmax(s) THEN concat_ws(' ', txid_snapshot_xmax(s), pg_postmaster_start_time(),
       (SELECT stats_reset FROM pg_stat_bgwriter), current_user, current_setting('server_version_num')) ELSE '' END,
       current_setting('block_size')::int FROM txid_current_snapshot() s
"""
_SMALLEST_ROW = 32
"""Bytes that the shortest row of a table takes at least."""
_LARGE_OBJECTS = "pg_largeobject"
_PIECE = 4 * 2**20
_PATIENCE = 60.0
"""Seconds that a worker waits in all for a server that is gone; units that it gives up are tried again at the end of the run."""


def from_url(url: str, name: str, password: str | None, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> Server:
    """Make the source of `postgresql://user@host/database`; a unix socket is `?host=/its/folder`."""
    address = Address.parse(url, password)
    return Server(address, name or address.shown, include, exclude, limits)


def _quiet(_: str) -> None:
    """Nobody watches."""


class Server:
    """The tables of one database that the login may see, as `schema.table`; a large one is several units.

    Views are read only when `include` names them without a wildcard, materialised ones always. A partitioned table
    is read once, through its parent. Large objects are the objects `pg_largeobject!OID`.

    Where a table is several units, all of them see one moment: a session of its own keeps a snapshot for them as long
    as this object lives (it holds no lock on any table, but vacuum waits for it, as it does for `pg_dump`).

    A unit's fingerprint is the number before which all transactions of the whole server have ended, where there is one:
    of those from it on none has. The same number later on, without a restart or a crash between them, says that no
    transaction that could write has ended in between, so that nothing that can be seen has changed. Counters of changes
    by table would let more tables be skipped, but they are not used: they arrive only after the writing session's
    command has ended, and any superuser can switch them off, so that they cannot prove that a table is unchanged.
    """

    dialect = "postgresql"

    def __init__(self, address: Address, name: str, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> None:
        self.name, self.url = name, address.shown
        self.include, self.exclude, self.limits = include, exclude, limits
        self.watch: Callable[[str], None] = _quiet
        self.skip: frozenset[str] = frozenset()
        self.sampling: Sampling | None = None
        self.rows_per_second = float(getattr(limits, "rows_per_second", 0))
        self.readers = 1
        """How many workers read this source at the same time, at most: they share `rows_per_second`."""
        self._snapshot = ""
        self._keeper: Callable[[], object] | None = None
        self._patience = _PATIENCE
        self._address = address
        self._spare = Spare()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_keeper": None}

    def units(self) -> Iterator[Unit | Problem]:
        """List the tables by name, and the key ranges of large ones."""
        try:
            with self._session() as session:
                found = self._listed(session)
                if self._takes(_LARGE_OBJECTS, False) and (count := session.query("SELECT count(*) FROM pg_largeobject_metadata")[0][0]):
                    found.append((_LARGE_OBJECTS, ("", _LARGE_OBJECTS, "L", count, 0, True, None, False)))
            self._keep(any(row[6] and _is_large(row[4]) for _, row in found))
            with self._session(self._snapshot) as session:
                mark, page = session.query(_MOMENT)[0]
                for object, row in sorted(found, key=lambda pair: pair[0]):
                    yield from self._units(session, object, row, mark, page)
        except ServerError as error:
            raise SourceError(f"{self.url}: {error.detail}") from None

    def read(self, unit: Unit) -> Iterator[Reading]:
        """Read one table, one range of it, or a sample, as it was at one moment."""
        if unit.object in self.skip:
            return
        self.watch(unit.object)
        schema, name, key, bounds = json.loads(unit.locator)
        cells = Cells(unit.object, self.limits, self.watch, self.skip)
        try:
            with self._at(schema, name) as (session, table, alone):
                if not schema:
                    yield Opened(unit.object, "large objects", rows=unit.size)
                    yield from cells.read(_large_objects(session, cells))
                    yield from cells.problems()
                    return
                if table is None or _lost(session, table):
                    yield Problem(unit.object, Why.CHANGED, "the table is gone" if table is None else "the table was emptied or rewritten")
                    return
                where = range_condition(quoted(key), bounds) if key else ""
                yield from self._read(session, table, unit, where, cells)
        except ServerError as error:
            yield Problem(unit.object, error.why, error.detail)
            return
        if alone and unit.part not in ("", SAMPLE):
            detail = "read at another moment than other parts of the table: rows whose key changed in between may be missing"
            yield Problem(unit.object, Why.CHANGED, detail)
        for field, detail in table.problems:
            yield Problem(unit.object, Why.DENIED, detail, field=field)
        yield from cells.problems()

    def select(self, query: str, *, timed: bool = False) -> Iterator[pa.RecordBatch]:
        """The answer to a query, every column as text; a `timed` one within `unit_seconds`.

        Raises `SourceError` when it cannot be asked.
        """
        try:
            with self._session() as session:
                texts = ", ".join(f"{quoted(name)}::text as {quoted(name)}" for name in session.columns(query))
                yield from session.fetch(f"select {texts} from ({query}) as asked", timed=timed)
        except ServerError as error:
            raise SourceError(f"{self.url}: the query cannot be asked: {error.detail}") from None

    def _keep(self, wanted: bool) -> None:
        """Keep the database as it is now for all units that are listed next, or stop keeping an earlier state."""
        if self._keeper is not None:
            self._keeper()
        self._keeper, self._snapshot = None, ""
        if not wanted:
            return
        session = Session(self._address).__enter__()
        try:
            self._snapshot = session.export()
        except ServerError:
            session.close()  # then units of one table see moments of their own, and say so
            return
        self._keeper = weakref.finalize(self, session.close)

    def relations(self) -> Iterator[Relation | Problem]:
        """Describe the tables that `units` would list."""
        try:
            with self._session() as session:
                found, known = self._listed(session), relations(session)
        except ServerError as error:
            raise SourceError(f"{self.url}: {error.detail}") from None
        for object, row in sorted(found, key=lambda pair: pair[0]):
            yield _refused(object, row) or known.get(object) or Problem(object, Why.CHANGED, "the table is gone")

    def lookup(self, object: str, conditions: Sequence[Condition], *, limit: int = 0) -> Iterator[Reading]:
        """Read the rows of a table that meet any of the conditions, as they are now."""
        if object in self.skip:
            return
        self.watch(object)
        cells, session = Cells(object, self.limits, self.watch, self.skip), None
        try:
            session = self._begin("")
            place = find(session, object)
            table = describe(session, *place[:2]) if place and self._takes(object, place[2]) else None
            if table is None:
                yield Problem(object, Why.CHANGED, "the table is gone")
                return
            yield Opened(object, "view" if table.kind == "v" else "table")
            table = numbered(table)
            asked, left = Asked(session, table), limit
            for where in asked.wheres(conditions):
                left -= yield from read(session, table, where, cells, self._pace(), limit=left, timed=True)
                if limit and left <= 0:
                    break
        except ServerError as error:
            yield Problem(object, error.why, error.detail)
            return
        finally:
            if session is not None:
                session.close()
        denied = dict(table.problems)
        for field in dict.fromkeys(asked.missing):
            if field not in denied:
                yield Problem(object, Why.CHANGED, "a column is gone", field=field)
        for field, detail in table.problems:
            yield Problem(object, Why.DENIED, detail, field=field)
        yield from cells.problems()

    def _takes(self, object: str, view: bool) -> bool:
        return Choice(self.include, self.exclude).takes(object) and (not view or object in self.include)

    def _listed(self, session: Session) -> list[tuple[str, tuple[Any, ...]]]:
        """The rows of the catalogue that stand for what is to be read, with the name of each as an object."""
        found = [(f"{row[0]}.{row[1]}", row) for row in session.query(_TABLES) if not _internal(row[0])]
        return [(object, row) for object, row in found if self._takes(object, row[2] == "v")]

    def _pace(self) -> Pace:
        return Pace(self.rows_per_second / self.readers)

    @contextmanager
    def _at(self, schema: str, name: str) -> Iterator[tuple[Session, Table | None, bool]]:
        """A session for a table, its plan, and whether it sees a moment of its own.

        Where the table was emptied or rewritten after the kept moment, its rows can be seen only in a later one.
        """
        session = self._begin(self._snapshot)
        try:
            table = describe(session, schema, name) if schema else None
            if session.snapshot and table is not None and _lost(session, table):
                session.close()
                session = self._begin("")
                table = describe(session, schema, name)
            yield session, table, not session.snapshot
        finally:
            session.close()

    def _session(self, snapshot: str = "") -> Session:
        return Session(self._address, snapshot=snapshot, seconds=self.limits.unit_seconds, spare=self._spare)

    def _begin(self, snapshot: str) -> Session:
        """Open a session, in the kept moment if it is still there. Waits for a server that is gone for a while."""
        pause = 0.5
        while True:
            try:
                return self._session(snapshot).__enter__()
            except SnapshotGone:
                snapshot = ""
                continue
            except ServerError as error:
                if error.why is not Why.CRASHED or self._patience < pause:
                    raise
            time.sleep(pause)
            self._patience, pause = self._patience - pause, min(2 * pause, 8.0)

    def _read(self, session: Session, table: Table, unit: Unit, where: str, cells: Cells) -> Iterator[Reading]:
        pace = self._pace()
        if unit.part == SAMPLE and self.sampling:
            yield Opened(unit.object, "table")
            draw = Draw(self.sampling, float(json.loads(unit.locator)[3]))
            yield from sample(session, table, draw, cells, pace)
            if draw.share < 1:
                yield sampled(unit.object, draw)
            return
        yield Opened(unit.object, "view" if table.kind == "v" else "table", rows=unit.size)
        yield from read(session, table, where, cells, pace)

    def _units(self, session: Session, object: str, row: tuple[Any, ...], mark: str, page: int) -> Iterator[Unit | Problem]:
        schema, name, kind, rows, size, _, key, samples = row
        if problem := _refused(object, row):
            yield problem
            return
        ranges = [""]
        if key and _is_large(size):
            query = f"SELECT min({quoted(key)})::bigint, max({quoted(key)})::bigint FROM {named(schema, name, kind)}"
            try:
                low, high = session.query(query)[0]
            except ServerError as error:
                yield Problem(object, error.why, error.detail)
                return
            if low is not None:
                ranges = key_ranges(low, high, size // _SMALLEST_ROW)
        fingerprint = "" if kind == "v" else mark
        pages = (size or 0) / page
        rows = rows or round(pages * 50)
        if self.sampling and samples and pages and self.sampling.takes(rows, most := 1.2 * rows / pages):
            locator = json.dumps([schema, name, "", str(share := self.sampling.share(rows, most))])
            yield Unit(self.name, object, "table", round(rows * share), instead_of(len(ranges), fingerprint), SAMPLE, locator)
            return
        for number, bounds in enumerate(ranges, 1):
            part = f"{number:08}" if len(ranges) > 1 else ""
            locator = json.dumps([schema, name, key or "", bounds])
            yield Unit(self.name, object, "table", rows // len(ranges), fingerprint, part, locator)


def _refused(object: str, row: tuple[Any, ...]) -> Problem | None:
    """Why a table cannot be read, going by its row of the catalogue."""
    if row[2] == "f":
        return Problem(object, Why.UNSUPPORTED, "a foreign table: its rows lie in another database")
    return None if row[5] else Problem(object, Why.DENIED, "the login has no SELECT privilege")


def _is_large(size: int | None) -> bool:
    """Whether a table of so many bytes could have more rows than one unit should."""
    return (size or 0) // _SMALLEST_ROW > cut.RANGE_ROWS


def _lost(session: Session, table: Table) -> bool:
    return table.kind != "v" and rewritten(session, table)


def _internal(schema: str) -> bool:
    return schema == "information_schema" or schema.startswith("pg_")


def _large_objects(session: Session, cells: Cells) -> Iterator[Document]:
    """The large objects of the database, one after the other."""
    for (oid,) in session.query("SELECT oid::bigint FROM pg_largeobject_metadata ORDER BY oid"):
        pieces: list[bytes] = []
        size = 0
        session.query("SAVEPOINT one")
        try:
            while piece := bytes(session.query(f"SELECT lo_get({oid}, {size}, {_PIECE})")[0][0]):
                pieces.append(piece)
                size += len(piece)
                if size > cells.limits.document_bytes:
                    cells.miss("", Why.TOO_LARGE, "{} large objects are longer than the limit and were not read")
                    break
            else:
                yield Document("", f"{cells.object}!{oid}", b"".join(pieces))
        except ServerError as error:
            if error.why is Why.CRASHED:
                raise
            cells.miss("", error.why, "{} large objects: " + error.detail)
        session.query("ROLLBACK TO SAVEPOINT one")
