"""A database server that SQLAlchemy has a dialect for: MariaDB, MySQL, SQL Server, Oracle and others, read and never written.

Objects are `schema.table`. Where the URL names a database, only its tables are read; without one (MariaDB, MySQL), those of
all schemas that the login can see. System schemas are left out, and a view is read only where `include` holds its exact name.

JSON columns (of MariaDB those with a `json_valid` check) and those of XML are taken apart by path. `scan --sample` reads part of a large
table with a dense whole-number key: ranges of keys, drawn from all of it. `rows_per_second` is kept to by waiting after each chunk of rows.

Records are named by the primary key, or by a unique index over columns that are never null. A table that has neither
names its records by their row number, in the order in which the server gives them: for InnoDB that of insertion, for
others one that stays while nobody writes. Oracle gives its ROWID instead. Of a table with system versioning old rows are
read too, their records told apart by `row_end`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from scanner.errors import SourceError
from scanner.extract.cells import Cells, Document
from scanner.extract.nested import Paths
from scanner.extract.rows import CHUNK_ROWS, Pace, column_batches, key_ranges, record_names
from scanner.extract.sampling import CHUNK_KEYS, SAMPLE, Draw, Sampling, instead_of, sampled
from scanner.model import Condition, Limits, Opened, Problem, Reading, Relation, Source, Unit, Why
from scanner.sources import sql_catalogue, sql_lookup, sql_lookup_mysql, sql_relations
from scanner.sources.patterns import Choice
from scanner.sources.postgresql_server import ServerError
from scanner.sources.sql_catalogue import Found, Table
from scanner.sources.sql_cells import chunks, has_bytes, names, plain, texts
from scanner.sources.sql_session import Address, Session

if TYPE_CHECKING:
    import pyarrow as pa

RANGE_ROWS = 250_000
"""A table whose keys span no more than this is one unit."""
_RANGES = 500
"""Ranges of keys of a sample that are asked for at once."""


def from_url(url: str, name: str, password: str | None, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> Source:
    """Make the source of `mysql://user@host/database`, `mssql://…`, `oracle://user@host/?service_name=…` and so on.

    After `dialect+driver://` another driver than the usual one is used, where it is installed. What the driver
    knows may follow the `?`, such as `ssl_ca=/its/path` or `unix_socket=/its/path`.
    """
    scheme, _, rest = url.partition("://")
    dialect = scheme.lower().partition("+")[0]
    if dialect in ("postgresql", "sqlite", "duckdb") and "+" in scheme:
        from scanner.sources import open_source

        return open_source(f"{dialect}://{rest}", name=name, password=password, include=include, exclude=exclude, limits=limits)
    address = Address.parse(url, password)
    address.engine(1).dispose()
    return Server(address, name or address.shown, include, exclude, limits)


def url_dialect(url: str) -> str:
    """Whose SQL is spoken behind a URL."""
    name = url.partition("://")[0].lower().partition("+")[0]
    return "mysql" if name == "mariadb" else name


def _quiet(_: str) -> None:
    """Nobody watches."""


class Server:
    """The tables that the login may see; a large one is several units, cut by its whole-number key."""

    def __init__(self, address: Address, name: str, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> None:
        self.name, self.url = name, address.shown
        self.include, self.exclude, self.limits = include, exclude, limits
        self.watch: Callable[[str], None] = _quiet
        self.skip: frozenset[str] = frozenset()
        self.sampling: Sampling | None = None
        self.rows_per_second = float(limits.rows_per_second)
        self.readers = 1
        """How many workers read this source at the same time, at most: they share `rows_per_second`."""
        self._address = address
        self.dialect = url_dialect(address.shown)

    def units(self) -> Iterator[Unit | Problem]:
        """List the tables by name, and the key ranges of large ones.

        All are listed before the first is given: a transaction that waits for the reader would hold up who alters a table.
        """
        units: list[Unit | Problem] = []
        try:
            with self._session() as session:
                for found in self._listed(session):
                    units += self._units(session, found)
        except ServerError as error:
            raise SourceError(f"{self.url}: {error.detail}") from None
        yield from units

    def read(self, unit: Unit) -> Iterator[Reading]:
        """Read one table, or one range of it, as it was at one moment."""
        if unit.object in self.skip:
            return
        self.watch(unit.object)
        schema, name, key, part = json.loads(unit.locator)
        cells = Cells(unit.object, self.limits, self.watch, self.skip)
        try:
            with self._session() as session:
                table = sql_catalogue.plan(session, schema, name, key, part, self.limits.document_bytes)
                if table is None:
                    yield Problem(unit.object, Why.CHANGED, "the table is gone")
                    return
                pace = Pace(self.rows_per_second / self.readers)
                if unit.part == SAMPLE and self.sampling:
                    yield Opened(unit.object, "table")
                    draw = Draw(self.sampling, 0.0, most=CHUNK_KEYS)
                    rows = _drawn(session, Found(schema, name, key=key), table, draw)
                    yield from _read(unit.object, table, rows, cells, unit.part, pace=pace)
                    if draw.share < 1:
                        yield sampled(unit.object, draw)
                else:
                    rows = session.fetch(table.query, table.fetch)
                    yield Opened(unit.object, "table", rows=unit.size)
                    yield from _read(unit.object, table, rows, cells, unit.part, pace=pace)
        except ServerError as error:
            yield Problem(unit.object, error.why, error.detail)
            return
        for field, detail in table.problems:
            yield Problem(unit.object, Why.DENIED, detail, field=field)
        yield from cells.problems()

    def relations(self) -> Iterator[Relation | Problem]:
        """Describe the tables that `units` would list."""
        try:
            with self._session() as session:
                listed = self._listed(session)
                described = sql_relations.relations(session, listed)
        except ServerError as error:
            raise SourceError(f"{self.url}: {error.detail}") from None
        for found in listed:
            yield Problem(found.object, found.why, found.detail) if found.why is not None else described[found.object]

    def lookup(self, object: str, conditions: Sequence[Condition], *, limit: int = 0) -> Iterator[Reading]:
        """Read the rows of a table that meet any of the conditions, as they are now."""
        if object in self.skip:
            return
        self.watch(object)
        cells = Cells(object, self.limits, self.watch, self.skip)
        try:
            with self._session() as session:
                found = next((one for one in self._listed(session, object) if one.object == object), None)
                table = found and sql_catalogue.plan(session, found.schema, found.name, "", "", self.limits.document_bytes)
                if found is None or table is None or found.why is not None:
                    yield Problem(object, (found and found.why) or Why.CHANGED, (found and found.detail) or "the table is gone")
                    return
                ask: type[sql_lookup.Asked | sql_lookup_mysql.Asked] = sql_lookup_mysql.Asked if session.mysql else sql_lookup.Asked
                asked = ask(session, found, table)
                rows, numbered = asked.rows(conditions, limit)
                yield Opened(object, "table")
                yield from _read(object, table, rows, cells, numbered=numbered)
        except ServerError as error:
            yield Problem(object, error.why, error.detail)
            return
        denied = dict(table.problems)
        for field in dict.fromkeys(asked.missing):
            if field not in denied:
                yield Problem(object, Why.CHANGED, "a column is gone", field=field)
        for field, detail in table.problems:
            yield Problem(object, Why.DENIED, detail, field=field)
        yield from cells.problems()

    def _listed(self, session: Session, only: str = "") -> list[Found]:
        """The tables that are to be read, by name; all of them, or at least the one that is called `only`."""
        choice = Choice(self.include, self.exclude)
        listed = sorted(sql_catalogue.tables(session, self._address.database, bool(self.include), only), key=lambda one: one.object)
        return [one for one in listed if choice.takes(one.object) and (not one.view or one.object in self.include)]

    def select(self, query: str) -> Iterator[pa.RecordBatch]:
        """The answer to a query, every column as text. Raises `SourceError` when it cannot be asked."""
        import pyarrow as pa

        try:
            with self._session() as session:
                fields, rows = session.stream(query)
                for chunk in chunks(rows, range(len(fields)), CHUNK_ROWS):
                    yield pa.RecordBatch.from_arrays([texts(values) for values in zip(*chunk, strict=True)], fields)
        except ServerError as error:
            raise SourceError(f"{self.url}: the query cannot be asked: {error.detail}") from None

    def _session(self) -> Session:
        return Session(self._address, self.limits.unit_seconds)

    def _units(self, session: Session, found: Found) -> Iterator[Unit | Problem]:
        if found.why is not None:
            yield Problem(found.object, found.why, found.detail)
            return
        ranges, rows = [""], found.rows
        if found.key:
            try:
                ends = sql_catalogue.bounds(session, found)
                if ends and ends[1] - ends[0] >= RANGE_ROWS:
                    rows = sql_catalogue.count(session, found) if self.sampling or not rows else rows
                    ranges = key_ranges(*ends, 2 * rows)
                    if self.sampling and not found.historic and ends[1] - ends[0] < 2 * rows and self.sampling.takes(rows, CHUNK_KEYS):
                        share = self.sampling.share(rows, CHUNK_KEYS)
                        locator = json.dumps([found.schema, found.name, found.key, ""])
                        stamp = instead_of(len(ranges), found.stamp)
                        yield Unit(self.name, found.object, "table", round(rows * share), stamp, SAMPLE, locator)
                        return
            except ServerError as error:
                yield Problem(found.object, error.why, error.detail)
                return
        for number, part in enumerate(ranges, 1):
            locator = json.dumps([found.schema, found.name, found.key, part])
            stamp = f"{found.stamp}:{part}" if found.stamp else ""
            yield Unit(self.name, found.object, "table", rows // len(ranges), stamp, f"{number:08}" if len(ranges) > 1 else "", locator)


def _drawn(session: Session, found: Found, table: Table, draw: Draw) -> Iterator[Any]:
    """The rows of ranges of keys, drawn until the sample is sure enough."""
    ends = sql_catalogue.bounds(session, found)
    if ends is None:
        return
    draw.wanted = draw.sampling.share(sql_catalogue.count(session, found), CHUNK_KEYS)
    for numbers in draw.chunks((ends[1] - ends[0]) // CHUNK_KEYS + 1):
        for at in range(0, len(numbers), _RANGES):
            starts = [ends[0] + number * CHUNK_KEYS for number in numbers[at : at + _RANGES]]
            for row in session.fetch(sql_catalogue.within(table, found.key, starts, CHUNK_KEYS), table.fetch):
                draw.rows += 1
                yield row


def _read(
    object: str, table: Table, rows: Iterator[Any], cells: Cells, part: str = "", *, numbered: bool = False, pace: Pace | None = None
) -> Iterator[Reading]:
    """Rows as columns; with `numbered`, each row ends in the number that reading all of the table gives it."""
    import pyarrow as pa

    width, done = len(table.columns), 0
    at = [table.columns.index(key) for key in table.keys] + [width + i for i in range(len(table.places))]
    for chunk in chunks(rows, table.long, min(table.chunk, pace.chunk) if pace else table.chunk):
        values = list(zip(*chunk, strict=True))
        numbers = values[-1] if numbered else range(done + 1, done + len(chunk) + 1)
        done += len(chunk)
        records = (
            record_names([*table.keys, *table.places], [names(values[i]) for i in at]) if at else pa.array([f"row={n}" for n in numbers])
        )
        fields: list[str] = []
        columns: list[pa.StringArray] = []
        paths = Paths()
        documents: list[Document] = []
        for i, field in enumerate(table.columns):
            if i in table.binary if table.binary is not None else has_bytes(values[i]):
                spots = [f"part={part},row={n}" if part else f"row={n}" for n in numbers]
                column, found = cells.split(field, plain(values[i]), records.to_pylist(), spots)
                documents += found
            else:
                column = texts(values[i])
            if i in table.trees:
                (paths.add_json if table.trees[i] == "json" else paths.add_xml)(field, column)
            else:
                fields.append(field)
                columns.append(column)
        flags = values[width + len(table.places) :][: len(table.capped)]
        for i, over in zip(table.capped, flags, strict=True):
            if count := sum(flag == b"1" for flag in over):
                cells.miss(table.columns[i], Why.TOO_LARGE, "{} values are longer than the limit and were not read", count)
        yield from column_batches(object, fields, columns, records)
        yield from paths.batches(object, records)
        yield from cells.read(documents)
        if pace:
            pace.take(len(chunk))
