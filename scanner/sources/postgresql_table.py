"""One table of a PostgreSQL server: what the catalogue says of it, how it is asked, and its rows as columns."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from scanner.extract.cells import Cells, Document
from scanner.extract.nested import Paths
from scanner.extract.rows import Pace, column_batches, decode, is_text, record_names
from scanner.extract.sampling import Draw
from scanner.model import Reading
from scanner.sources.postgresql_server import Session

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = """
SELECT a.attname::text,
       CASE WHEN b.oid = 'bytea'::regtype THEN 'bytes' WHEN b.oid IN ('json'::regtype, 'jsonb'::regtype) THEN 'json'
            WHEN b.oid = 'xml'::regtype THEN 'xml' WHEN b.typcategory IN ('A', 'C') OR b.typname = 'hstore' THEN 'tree'
            WHEN b.typtype = 'r' THEN 'range' ELSE 'text' END,
       has_column_privilege(c.oid, a.attnum, 'SELECT'), has_table_privilege(c.oid, 'SELECT'), c.relkind::text,
       row_security_active(c.oid),
       (SELECT array_position(i.indkey::int2[], a.attnum) FROM pg_index i
        WHERE i.indrelid = c.oid AND i.indisprimary)::int,
       current_setting('server_encoding') = 'SQL_ASCII',
       quote_ident((SELECT nspname FROM pg_namespace WHERE oid = b.typnamespace)) || '.' || quote_ident(b.typname),
       a.attcollation NOT IN (0, 100)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'm', 'v')
ORDER BY a.attnum
"""
_REWRITTEN = """
SELECT count(*) FROM pg_class c WHERE pg_relation_filenode(c.oid) IS DISTINCT FROM nullif(c.relfilenode, 0)
AND (c.oid = $1::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree($1::regclass)))
"""
_LEAVES = """
SELECT n.nspname::text, c.relname::text FROM pg_partition_tree($1::regclass) p JOIN pg_class c ON c.oid = p.relid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.isleaf ORDER BY c.oid
"""
_ASKED = {
    "bytes": "{}",
    "tree": "to_json({})::text",
    "range": "CASE WHEN {0} IS NOT NULL THEN json_build_object('lower', lower({0}), 'upper', upper({0}))::text END",
}
"""How a column of each kind is asked for; any other is cast to text."""
_PAGE = "split_part(ctid::text, ',', 1)"


class Column(NamedTuple):
    """A column that is read, of what kind (text, bytes, json, xml, tree: array, composite, hstore; range) and of what type, `schema.type`.

    `sorted`: it has another collation than the database.
    """

    name: str
    kind: str
    type: str = ""
    sorted: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """How to read one table: the columns to read and how its records are named.

    `keys` is the primary key; without one, `places` say where a row lies (both empty: nothing tells rows apart).
    `raw`: texts are bytes of any encoding. `problems` are the fields (`""`: some rows) that will not be read, and why.
    `inside` stands in a query instead of its name.
    """

    schema: str
    table: str
    kind: str
    columns: list[Column]
    keys: list[str]
    places: dict[str, str]
    raw: bool
    problems: list[tuple[str, str]]
    inside: str = ""

    @property
    def name(self) -> str:
        """Its name in a query."""
        return self.inside or named(self.schema, self.table, self.kind)


def describe(session: Session, schema: str, name: str) -> Table | None:
    """Plan how to read a table from what the catalogue says of its columns; `None` when it says nothing."""
    rows = session.query(_COLUMNS, [schema, name])
    if not rows:
        return None
    readable = [row for row in rows if row[2]]
    keys = sorted((row for row in rows if row[6] is not None), key=lambda row: int(row[6]))
    _, _, _, whole, kind, hidden, _, raw, *_ = rows[0]
    problems = [(row[0], "the login has no SELECT privilege") for row in rows if row[2] is False]
    if hidden:
        problems.append(("", "row security hides rows of this table from the login"))
    own = [row[0] for row in keys] if all(row[2] and row[1] == "text" for row in keys) else []
    places = {"ctid": "ctid::text"} if whole and kind != "v" else {}
    if places and kind == "p":
        places = {"partition": "tableoid::regclass::text", **places}
    return Table(schema, name, kind, [Column(row[0], row[1], row[8], row[9]) for row in readable], own, places, raw, problems)


def rewritten(session: Session, table: Table) -> bool:
    """Whether the table was emptied or rewritten after this session's moment, so that it sees none of its rows.

    From here on nobody can: the table is locked against it (never against reading and writing) until the session ends.
    """
    session.query(f"SELECT 1 FROM {table.name} LIMIT 0")
    return bool(session.query(_REWRITTEN, [f"{quoted(table.schema)}.{quoted(table.table)}"])[0][0])


def read(
    session: Session, table: Table, where: str, cells: Cells, pace: Pace, *, limit: int = 0, timed: bool = False
) -> Generator[Reading, None, int]:
    """Read the rows of a table that meet a condition (`""`: all of them), `timed` within the server's limits for small queries.

    What it returns in the end is how many there were.
    """
    documents = any(column.kind == "bytes" for column in table.columns)
    places = table.places if documents or not table.keys else {}
    query = f"SELECT {','.join([*_asked(table), *places.values()])} FROM {table.name} WHERE {where or 'true'}"
    done = 0
    for whole in session.fetch(f"{query} LIMIT {limit}" if limit else query, timed=timed):
        for at in range(0, whole.num_rows, pace.chunk):
            batch = whole.slice(at, pace.chunk)
            yield from _rows(table, batch, list(places), done, cells)
            done += batch.num_rows
            pace.take(batch.num_rows)
    return done


def sample(session: Session, table: Table, draw: Draw, cells: Cells, pace: Pace) -> Iterator[Reading]:
    """Read pages of a table, drawn at random from all of it, until that is sure enough.

    Each round draws every page with the same chance; pages that an earlier round drew are not read again.
    How many rows a page can hold is taken from the fullest of the thousands that were read.
    """
    leaves = [table.name]
    if table.kind == "p":
        names = session.query(_LEAVES, [f"{quoted(table.schema)}.{quoted(table.table)}"])
        leaves = [f"ONLY {quoted(schema)}.{quoted(name)}" for schema, name in names]
    seen: set[tuple[int, str]] = set()
    turn = done = 0
    asked = ",".join([*_asked(table), *table.places.values(), _PAGE])
    while draw.grow():
        percent = 100 * (1 - (1 - draw.wanted) / (1 - draw.share))
        for number, leaf in enumerate(leaves):
            seed, turn = draw.sampling.seed % 10**9 + turn, turn + 1
            fresh: dict[str, int] = {}
            for whole in session.fetch(f"SELECT {asked} FROM {leaf} TABLESAMPLE SYSTEM ({percent:.9f}) REPEATABLE ({seed})"):
                pages = whole.column(whole.num_columns - 1)
                if seen:
                    import pyarrow as pa

                    keep = pa.array([(number, page) not in seen for page in pages.to_pylist()])
                    whole, pages = whole.filter(keep), pages.filter(keep)
                for page in pages.value_counts().to_pylist():
                    fresh[page["values"]] = fresh.get(page["values"], 0) + page["counts"]
                for at in range(0, whole.num_rows, pace.chunk):
                    batch = whole.slice(at, pace.chunk)
                    yield from _rows(table, batch, list(table.places), done, cells)
                    done += batch.num_rows
                    pace.take(batch.num_rows)
            draw.rows += sum(fresh.values())
            draw.most = max(draw.most, *fresh.values(), 1)
            seen.update((number, page) for page in fresh)
        draw.share = draw.wanted


def _rows(table: Table, batch: pa.RecordBatch, places: Sequence[str], before: int, cells: Cells) -> Iterator[Reading]:
    """Give one chunk of rows: plain columns, then what has an inside, then documents."""
    import pyarrow as pa

    width = len(table.columns)
    columns: list[pa.StringArray] = batch.columns[:width]
    address = places and record_names(places, batch.columns[width : width + len(places)])
    if table.raw:
        for i, column in enumerate(table.columns):
            if column.kind != "bytes" and not is_text(columns[i]):
                columns[i], _ = decode(columns[i], pa.nulls(len(columns[i])))
    if table.keys:
        at = [column.name for column in table.columns]
        records = record_names(table.keys, [columns[at.index(key)] for key in table.keys])
    else:
        records = address or pa.array([f"row={n}" for n in range(before + 1, before + batch.num_rows + 1)])
    documents: list[Document] = []
    paths = Paths()
    plain: list[int] = []
    for i, column in enumerate(table.columns):
        if column.kind == "bytes":
            spots = address or pa.array([f"row={n}" for n in range(before + 1, before + batch.num_rows + 1)])
            columns[i], found = cells.split(column.name, columns[i].to_pylist(), records.to_pylist(), spots.to_pylist())
            documents += found
        if column.kind in ("json", "tree", "range"):
            paths.add_json(column.name, columns[i])
        elif column.kind == "xml":
            paths.add_xml(column.name, columns[i])
        else:
            plain.append(i)
    yield from column_batches(cells.object, [table.columns[i].name for i in plain], [columns[i] for i in plain], records)
    yield from paths.batches(cells.object, records)
    yield from cells.read(documents)


def _asked(table: Table) -> list[str]:
    return [_ASKED.get(column.kind, "{}::text").format(quoted(column.name)) for column in table.columns]


def quoted(name: str) -> str:
    """A name as it stands in a query."""
    return '"' + name.replace('"', '""') + '"'


def named(schema: str, name: str, kind: str) -> str:
    """A table in a query; `ONLY` leaves out the tables that inherit from it, which are read by themselves."""
    return f"{'ONLY ' if kind in 'rm' else ''}{quoted(schema)}.{quoted(name)}"
