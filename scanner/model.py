"""The nouns that pass between the parts, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

CUT = 32_768
"""A text longer than this many code points is cut into rows of this length."""
OVERLAP = 1_024
"""How far a cut row looks into its neighbours, in code points; no rule looks further than half of it."""
BATCH_BYTES = 16 * 2**20
"""The most text that one batch holds, in bytes of UTF-8 (a single longer text stands alone)."""


class Shape(StrEnum):
    """Whether a text is one value of a column or running text."""

    CELL = "cell"
    PROSE = "prose"


class Why(StrEnum):
    """Why something was not read."""

    DENIED = "denied"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too large"
    TIMED_OUT = "timed out"
    CRASHED = "crashed"
    CHANGED = "changed while it was read"


class Unit(NamedTuple):
    """The smallest thing that is opened, read to its end and recorded as done.

    `part` tells the units of one object apart (a key range of a large table) and is `""` for the only one.
    An empty `fingerprint` means that the source cannot tell whether the unit has changed.
    `size` is in bytes for files and in rows for tables. `locator` is the source's own business.
    """

    source: str
    object: str
    kind: str
    size: int = 0
    fingerprint: str = ""
    part: str = ""
    locator: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was not read: a result like any other, stored beside the findings.

    `detail` says what happened in the program's own words, never in the words of the content.
    An empty `field` means the whole object (or record), so that nothing more of it was read.
    """

    object: str
    why: Why
    detail: str = ""
    record: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """An object was opened: a file, a table, or a file inside a container. Sent before its batches.

    `bytes` and `rows` are what will be read of it, where that is known beforehand.
    """

    object: str
    kind: str
    bytes: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Seams:
    """Where cut rows belong, one entry a row, all in code points.

    `base` is the offset of the row's first character in its record's text; findings that start in
    `[begin, end)` of the row are its own, the rest belongs to its neighbours.
    """

    base: pa.Int64Array
    begin: pa.Int64Array
    end: pa.Int64Array


@dataclass(frozen=True, slots=True, repr=False)
class TextBatch:
    """Texts of one field of one object: besides `Subject`, the only type that holds personal text.

    `texts` is an Arrow string array (nulls allowed), `records` has the same length and names the record of each text.
    Batches that follow each other and share the very same `records` array are columns of the same rows.
    With `by_line`, `records` holds the line number of each row's first character (as text, from 1) and every
    finding gets the record `line=N` of the line that it starts in, its offsets counted from that line's start.
    """

    object: str
    field: str
    texts: pa.StringArray
    records: pa.StringArray
    shape: Shape = Shape.PROSE
    by_line: bool = False
    seams: Seams | None = None

    def __repr__(self) -> str:
        return f"TextBatch({len(self.texts)} rows, {self.texts.nbytes} bytes, {self.shape.value})"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one unit may cost; every number can be set under `[limits]`.

    `unit_seconds` is the longest time without progress (a batch delivered), not the time for the whole unit.
    `rows_per_second` spares a database: all workers together read no more; 0 is no limit.
    """

    unit_seconds: float = 300.0
    unit_memory: int = 2 * 2**30
    archive_depth: int = 8
    archive_members: int = 1_000_000
    archive_bytes: int = 64 * 2**30
    archive_ratio: int = 200
    document_bytes: int = 256 * 2**20
    rows_per_second: int = 0


@dataclass(slots=True)
class Blob:
    """Bytes with an address: a local file, or a member of a container. `stream` is seekable.

    `path` is set when the bytes lie in a local file of their own. `depth` counts the containers around it.
    """

    object: str
    stream: BinaryIO
    size: int
    path: Path | None = None
    depth: int = 0
    skip: frozenset[str] = field(default_factory=frozenset)


Reading: TypeAlias = TextBatch | Problem | Opened
"""What reading a unit gives, in order."""


class Column(NamedTuple):
    """A column as the database describes it. `type` is one of text, number, date, time (a moment), bool, bytes, json, other."""

    name: str
    type: str
    nullable: bool = True


class Reference(NamedTuple):
    """A declared foreign key: `columns` here hold values of the columns `to` of the object `object` of the same source.

    `on_delete` is what the database does with a row here when the row it points at is deleted: no action, restrict,
    cascade, set null or set default.
    """

    columns: tuple[str, ...]
    object: str
    to: tuple[str, ...]
    on_delete: str = "no action"


@dataclass(frozen=True, slots=True)
class Relation:
    """A table (or view) as the database describes it: what can be asked of it, and what hangs together with it.

    `key` is what its records are named by (empty: by row address). `unique` and `indexes` hold the leading columns of each
    index, in order. `triggers` are the names of those that run on delete or update. `rows` is an estimate.
    """

    object: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    triggers: tuple[str, ...] = ()
    rows: int = 0
    view: bool = False


class Compare(StrEnum):
    """How a database compares a column with values."""

    EXACT = "exact"
    """As it is written there; an index is used where there is one."""
    FOLDED = "folded"
    """Without regard to case and to spaces at the ends; an index is used only where the server has one for that."""
    DIGITS = "digits"
    """Digits only: the column's digits are the value's, or end in them."""
    CONTAINS = "contains"
    """The value stands somewhere in the column, without regard to case."""


@dataclass(frozen=True, slots=True, repr=False)
class Condition:
    """Rows whose `columns` hold one of `values` (each as many texts as there are columns; several columns only with EXACT)."""

    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    how: Compare = Compare.EXACT

    def __repr__(self) -> str:
        return f"Condition({self.columns}, {len(self.values)} values, {self.how.value})"


@dataclass(frozen=True, slots=True, repr=False)
class Identifier:
    """One thing that is known of a subject: `entity` as in the taxonomy, and `value` as it was given or found.

    A number of the company's own has the entity CUSTOMER_ID and a `column`: `customer_no`, or `source:object.column`.
    `why` is empty for what the request began with; otherwise it says, without any value, where it was found and why it is hers.
    `step` counts the rounds of the search: 0 was given.
    """

    entity: str
    value: str
    column: str = ""
    why: str = ""
    step: int = 0

    def __repr__(self) -> str:
        return f"Identifier({self.entity}, step {self.step})"


@dataclass(frozen=True, slots=True, repr=False)
class Subject:
    """One natural person whose records are looked for: besides `TextBatch`, the only type that holds personal text."""

    identifiers: tuple[Identifier, ...]

    def __repr__(self) -> str:
        return f"Subject({len(self.identifiers)} identifiers)"


class Link(StrEnum):
    """How surely a record is the subject's."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Role(StrEnum):
    """What a subject is in a record: whom it is about, who wrote it, and so on."""

    ABOUT = "about"
    AUTHOR = "author"
    RECIPIENT = "recipient"
    MENTIONED = "mentioned"
    HANDLER = "handler"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Hit:
    """A record of the subject: its address, how surely it is hers, and why, in words without any value."""

    source: str
    object: str
    record: str
    field: str
    link: Link
    score: float
    why: str
    role: Role = Role.ABOUT


class Source(Protocol):
    """One place that is scanned. Nothing is ever written to it.

    Raise `SourceError` only when the whole source is unusable; otherwise yield a `Problem` and go on.
    """

    name: str
    url: str

    def units(self) -> Iterator[Unit | Problem]:
        """List the units, sorted by (object, part) in code-point order. A `Problem` whose object ends
        in `/` (or is empty) says that what lies below could not be listed."""
        ...

    def read(self, unit: Unit) -> Iterator[Reading]:
        """Read one unit to its end. Called in a worker process, on a copy of the source."""
        ...


@runtime_checkable
class Database(Source, Protocol):
    """A source of tables, which can be asked for some of their rows. All of it is read-only."""

    dialect: str
    """postgresql, mysql, sqlite, duckdb, mssql, oracle, …: whose SQL it speaks."""

    def relations(self) -> Iterator[Relation | Problem]:
        """Describe the tables that `units` would list, sorted by object."""
        ...

    def lookup(self, object: str, conditions: Sequence[Condition], *, limit: int = 0) -> Iterator[Reading]:
        """Read the rows of a table that meet any of the conditions, each once, named and shaped as `read` gives them.

        Values are bound as parameters. A value that the column's type cannot hold meets nothing. At most `limit` rows, 0 is no limit.
        """
        ...
