"""Reads the tables of an SQLite database, and never writes to it or beside it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from scanner.errors import MissingExtra
from scanner.extract.cells import Cells, Document
from scanner.extract.nested import Paths
from scanner.extract.rows import (
    CHUNK_ROWS,
    RANGE_ROWS,
    column_batches,
    decode,
    is_text,
    key_ranges,
    range_condition,
    record_names,
)
from scanner.extract.sampling import CHUNK_KEYS, Draw, Sampling, sampled
from scanner.extract.sqlite_file import Connection, SqliteError, connect, state
from scanner.model import Blob, Limits, Opened, Problem, Reading, Why

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_BYTES = 256 * 2**20
"""The most bytes that SQLite may hand over at once (one longer row comes alone)."""
LONG_ROW = 2**20
"""Rows of more bytes than this are read after the others, few at a time."""


_NO_FLOATS = ("INT", "CHAR", "CLOB", "TEXT")
"""Declared types that turn 3.0 into 3 or into text when it is stored."""
_LONG = "{} values are longer than the limit and were not read"


def _quiet(_: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: `rowid` is the name that still means the row number (`""` for none), `floats` are the columns
    that can hold 3.0, `blobs` those declared to hold bytes, `trees` those declared to hold JSON.
    `spare`: part of the primary key can be null, so that the row number must stand in. `types` are declared, in capitals.
    Of a table without row numbers, `number` says in SQL which number reading all of it gives a row (`""`: it is counted),
    and `inside` stands in a query instead of the name.
    """

    name: str
    columns: tuple[str, ...]
    floats: frozenset[str]
    keys: tuple[str, ...]
    rowid: str
    spare: bool
    blobs: tuple[int, ...] = ()
    trees: frozenset[int] = frozenset()
    types: tuple[str, ...] = ()
    number: str = ""
    inside: str = ""

    @property
    def source(self) -> str:
        """What a query reads."""
        return self.inside or quoted(self.name)


def read(blob: Blob, limits: Limits, watch: Callable[[str], None] = _quiet) -> Iterator[Reading]:
    """Read every table of a database file; its tables are the objects `file!table`."""
    try:
        with _database(blob) as database:
            for table in list(database.tables()):
                if isinstance(table, Problem):
                    yield Problem(f"{blob.object}!{table.object}", table.why, table.detail)
                elif (object := f"{blob.object}!{table.name}") not in blob.skip:
                    watch(object)
                    yield from database.read(table, object, limits, watch=watch, skip=blob.skip)
    except MissingExtra as error:
        yield Problem(blob.object, Why.UNSUPPORTED, str(error))
    except SqliteError as error:
        yield Problem(blob.object, error.why, error.detail)


def _database(blob: Blob) -> Database:
    """Open the database in a blob; one without a file of its own lies in a file that nobody can find, while it is read."""
    if blob.path is not None:
        return Database.open(blob.path)
    with tempfile.TemporaryDirectory(prefix="persondata-", ignore_cleanup_errors=True) as folder:
        path = Path(folder, "member")
        blob.stream.seek(0)
        with path.open("wb") as file:
            shutil.copyfileobj(blob.stream, file, 2**20)
        return Database(Connection(path, "mode=ro&immutable=1"), path)


class Database:
    """An open database, as a context manager: its tables can be listed and read inside it."""

    def __init__(self, connection: Connection, path: Path) -> None:
        self._connection, self._path = connection, path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a database file."""
        return cls(connect(path), path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def select(self, query: str) -> Iterator[pa.RecordBatch]:
        """The answer to a query, every column as text."""
        names = [quoted(name) for name in self._connection.columns(query)]
        empty = ", ".join(f"'' as {name}" for name in names)
        texts = ", ".join(f"cast({name} as text)" for name in names)
        yield from self._connection.fetch(f"select {empty} union all select {texts} from ({query})", 16_384)

    def query(self, sql: str, values: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """Answer a small query. Raises `SqliteError`."""
        return self._connection.query(sql, values)

    def tables(self, only: str = "") -> Iterator[Table | Problem]:
        """List the tables by name, or find the one called `only`; views and SQLite's own tables are left out."""
        listing = "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')"
        rows = self._connection.query(listing + (f" AND name = {_text(only)}" if only else ""))
        for name, kind, bare in sorted(row for row in rows if not row[0].lower().startswith("sqlite_")):
            try:
                yield self._table(name, bool(bare), kind == "virtual")
            except SqliteError as error:
                yield Problem(name, error.why, error.detail)

    def ranges(self, table: Table) -> list[tuple[int, str]]:
        """Cut a table into (rows, bounds): one unit each, `rows` being a rough count for a large table."""
        if not table.rowid:
            return [(self._count(table, ""), "")]
        name, rowid = quoted(table.name), table.rowid
        try:
            low, high = self._connection.query(f"SELECT (SELECT min({rowid}) FROM {name}), (SELECT max({rowid}) FROM {name})")[0]
        except SqliteError:
            low = high = None
        if low is None or high - low < RANGE_ROWS:
            return [(self._count(table, ""), "")]
        return [(RANGE_ROWS, bounds) for bounds in key_ranges(low, high, self._connection.size // 16)]

    def sample(self, table: Table, sampling: Sampling) -> int:
        """How many rows a sample of a table will have at first; 0 when it must be read in full.

        Tables without row numbers (`WITHOUT ROWID`, virtual ones) are always read in full.
        """
        if not table.rowid or len(self.ranges(table)) == 1:
            return 0
        count = self._count(table, "")
        return round(count * sampling.share(count, CHUNK_KEYS)) if sampling.takes(count, CHUNK_KEYS) else 0

    def read(
        self,
        table: Table,
        object: str,
        limits: Limits,
        bounds: str = "",
        *,
        watch: Callable[[str], None] = _quiet,
        skip: frozenset[str] = frozenset(),
        sampling: Sampling | None = None,
    ) -> Iterator[Reading]:
        """Read a table, the part of it inside `bounds`, or a sample; values that could not be read are counted at the end."""
        cells = Cells(object, limits, watch, skip)
        try:
            where = range_condition(table.rowid, bounds)
            yield Opened(object, "table", rows=0 if sampling else self._count(table, where))
            draw = Draw(sampling, 0.0) if sampling else None
            for part in self._drawn(table, draw) if draw else [where]:
                for one, rows, cap in self._passes(table, part, cells):
                    yield from self._chunks(table, one, rows, cap, cells, draw)
            if self._connection.unguarded and state(self._path) != self._connection.unguarded:
                yield Problem(object, Why.CHANGED, "the database was written to meanwhile")
            if draw and draw.share < 1:
                yield sampled(object, draw)
        except SqliteError as error:
            yield Problem(object, error.why, error.detail)
        yield from cells.problems()

    def some(
        self,
        table: Table,
        object: str,
        limits: Limits,
        where: str,
        values: Sequence[str],
        *,
        watch: Callable[[str], None],
        skip: frozenset[str],
    ) -> Iterator[Reading]:
        """Read the rows of a table that meet a condition, whose parameters are bound to `values`."""
        cells = Cells(object, limits, watch, skip)
        yield Opened(object, "table")
        try:
            for one, rows, cap in self._passes(table, where, cells, values):
                yield from self._chunks(table, one, rows, cap, cells, None, values)
            if self._connection.unguarded and state(self._path) != self._connection.unguarded:
                yield Problem(object, Why.CHANGED, "the database was written to meanwhile")
        except SqliteError as error:
            yield Problem(object, error.why, error.detail)
        yield from cells.problems()

    def _drawn(self, table: Table, draw: Draw) -> Iterator[str]:
        """Draw chunks until the sample is sure enough: conditions on the row number.

        Where at least half of the row numbers between the first and the last are in use, a chunk is a range of them.
        Elsewhere such ranges would be of very different sizes, so that the rows are counted through in their order.
        """
        name, rowid = quoted(table.name), table.rowid
        count = self._count(table, "")
        low, high = self._connection.query(f"SELECT (SELECT min({rowid}) FROM {name}), (SELECT max({rowid}) FROM {name})")[0]
        dense = low is not None and high - low < 2 * count
        chunks = (high - low if dense else max(count - 1, 0)) // CHUNK_KEYS + 1
        draw.most, draw.wanted = CHUNK_KEYS, draw.sampling.share(count, CHUNK_KEYS)
        steps = json.dumps(list(range(CHUNK_KEYS)))
        for last in draw.chunks(chunks):
            for at in range(0, len(last), 16_384):
                starts = json.dumps([n * CHUNK_KEYS + (low if dense else 1) for n in last[at : at + 16_384]])
                numbers = f"SELECT start.value + step.value FROM json_each('{starts}') AS start, json_each('{steps}') AS step"
                if not dense:
                    ranked = f"SELECT {rowid} AS place, row_number() OVER (ORDER BY {rowid}) AS rank FROM {name}"
                    numbers = f"SELECT ranked.place FROM ({ranked}) AS ranked WHERE ranked.rank IN ({numbers})"
                yield f"{rowid} IN ({numbers})"

    def _table(self, name: str, bare: bool, virtual: bool) -> Table:
        columns = self._connection.query(
            f'SELECT name, upper(type), pk, "notnull" FROM pragma_table_xinfo({_text(name)}) WHERE hidden <> 1'
        )
        names = {row[0].lower() for row in columns}
        keys = [row for row in sorted(columns, key=lambda row: int(row[2])) if row[2]]
        rowid = "" if bare else next((word for word in ("rowid", "_rowid_", "oid") if word not in names), "")
        if virtual and rowid:
            try:
                self._connection.query(f"SELECT {rowid} FROM {quoted(name)} LIMIT 0")
            except SqliteError:
                rowid = ""
        spare = bool(rowid) and any(row[1] != "INTEGER" and not row[3] for row in keys)
        floats = frozenset(row[0] for row in columns if not any(word in row[1] for word in _NO_FLOATS))
        blobs = tuple(i for i, row in enumerate(columns) if "BLOB" in row[1])
        trees = frozenset(i for i, row in enumerate(columns) if row[1].startswith("JSON") and not row[2])
        types = tuple(row[1] for row in columns)
        return Table(name, tuple(row[0] for row in columns), floats, tuple(row[0] for row in keys), rowid, spare, blobs, trees, types)

    def _count(self, table: Table, where: str) -> int:
        """Count rows; 0 in a damaged table, whose reading will say what is wrong after the rows that are whole."""
        try:
            return int(self._connection.query(f"SELECT count(*) FROM {quoted(table.name)} WHERE {where or '1'}")[0][0])
        except SqliteError:
            return 0

    def _passes(self, table: Table, where: str, cells: Cells, values: Sequence[str] = ()) -> Iterator[tuple[str, int, int]]:
        """Say in how many passes to read, as (condition, rows at a time, longest value), so that memory is bounded."""
        if self._connection.size <= CHUNK_BYTES:
            yield where, CHUNK_ROWS, 0
            return
        lengths = [f"ifnull(octet_length({quoted(column)}), 0)" for column in table.columns]
        length, base = "+".join(lengths), where or "1"
        longest = self._connection.query(f"SELECT max({length}) FROM {table.source} WHERE {base}", values)[0][0] or 0
        cap = cells.limits.document_bytes
        if longest > cap:
            counts = ",".join(f"sum({one} > {cap})" for one in lengths)
            row = self._connection.query(f"SELECT {counts} FROM {table.source} WHERE {base}", values)[0]
            for column, count in zip(table.columns, row, strict=True):
                if count:
                    cells.miss(column, Why.TOO_LARGE, _LONG, count)
        if longest <= LONG_ROW:
            yield where, min(CHUNK_ROWS, CHUNK_BYTES // max(longest, 1)), 0
            return
        yield f"({base}) AND {length} <= {LONG_ROW}", CHUNK_BYTES // LONG_ROW, 0
        yield f"({base}) AND {length} > {LONG_ROW}", max(1, CHUNK_BYTES // longest), cap

    def _chunks(
        self, table: Table, where: str, rows: int, cap: int, cells: Cells, draw: Draw | None, values: Sequence[str] = ()
    ) -> Iterator[Reading]:
        """Read columns; where one holds bytes that are no text, begin again and ask for the type of its values too."""
        import pyarrow as pa
        import pyarrow.compute as pc

        typed = list(table.blobs)
        width, done = len(table.columns), 0
        again = True
        while again:
            again = False
            seen = 0
            for batch in self._connection.fetch(_select(table, where, typed, cap), rows, values):
                seen += batch.num_rows
                if seen <= done:
                    continue
                new = [i for i in range(width) if i not in typed and not is_text(batch.column(i))]
                if new:
                    typed, again = sorted(typed + new), True
                    break
                done = seen
                if draw:
                    draw.rows += batch.num_rows
                keys = batch.columns[width : width + len(table.keys)]
                keys = [key if is_text(key) else decode(key, pa.nulls(len(key)))[0] for key in keys]
                if place := _place(table, typed):
                    spare = batch.column(width + len(keys))
                    places = pc.binary_join_element_wise("rowid=" if place == table.rowid else "row=", spare, "")
                else:
                    places = pa.array([f"row={n}" for n in range(done - batch.num_rows + 1, done + 1)])
                records = places
                if table.spare:
                    records = record_names(table.keys, keys, spare)
                elif keys:
                    records = record_names(table.keys, keys)
                yield from self._columns(table, batch, typed, records, places, cells)

    def _columns(
        self, table: Table, batch: pa.RecordBatch, typed: Sequence[int], records: pa.StringArray, places: pa.StringArray, cells: Cells
    ) -> Iterator[Reading]:
        columns: list[pa.StringArray] = batch.columns[: len(table.columns)]
        documents: list[Document] = []
        for i, marks in zip(typed, batch.columns[batch.num_columns - len(typed) :], strict=True):
            if not any(marks.to_pylist()):
                columns[i] = columns[i] if is_text(columns[i]) else decode(columns[i], marks)[0]
                continue
            plain = decode(columns[i], marks)[0].to_pylist()
            values = columns[i].cast("binary").to_pylist()
            mixed = [value if mark else text for value, text, mark in zip(values, plain, marks.to_pylist(), strict=True)]
            columns[i], found = cells.split(table.columns[i], mixed, records.to_pylist(), places.to_pylist())
            documents += found
        paths = Paths()
        for i in table.trees:
            paths.add_json(table.columns[i], columns[i])
        flat = [i for i in range(len(columns)) if i not in table.trees]
        yield from column_batches(cells.object, [table.columns[i] for i in flat], [columns[i] for i in flat], records)
        yield from paths.batches(cells.object, records)
        yield from cells.read(documents)


def quoted(name: str) -> str:
    """A name as it stands in a query."""
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def cell_text(table: Table, column: str) -> str:
    """A column as the text that is read."""
    name = quoted(column)
    text = f"CAST({name} AS TEXT)"
    if column in table.floats:
        whole = f"typeof({name}) = 'real' AND abs({name}) < 1e15 AND {name} = CAST({name} AS INTEGER)"
        text = f"CASE WHEN {whole} THEN CAST(CAST({name} AS INTEGER) AS TEXT) ELSE {text} END"
    return text


def _place(table: Table, typed: Sequence[int]) -> str:
    """What tells where a row lies, where that is asked for: for its record, or for the name of a document in it."""
    wanted = table.spare or not table.keys or typed
    return (table.rowid or table.number) if wanted else ""


def _select(table: Table, where: str, typed: Sequence[int], cap: int) -> str:
    """Write the query: cells, then keys, then the row's place, then for each of the columns `typed` whether its value is a blob.

    The leading row tells the driver, which guesses types from the first values, that all columns are text.
    """
    columns = []
    for column in table.columns:
        text = cell_text(table, column)
        columns.append(f"CASE WHEN octet_length({quoted(column)}) > {cap} THEN NULL ELSE {text} END" if cap else text)
    for key in table.keys:
        name = quoted(key)
        blob = f"'x''' || hex({name}) || ''''"
        columns.append(f"CASE typeof({name}) WHEN 'blob' THEN {blob} ELSE CAST({name} AS TEXT) END")
    if place := _place(table, typed):
        columns.append(f"CAST({place} AS TEXT)")
    lead = ["''"] * len(columns) + ["0"] * len(typed)
    columns += [f"typeof({quoted(table.columns[i])}) = 'blob'" for i in typed]
    return f"SELECT {','.join(lead)} UNION ALL SELECT {','.join(columns)} FROM {table.source} WHERE {where or '1'}"
