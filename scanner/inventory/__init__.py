"""The book: records a unit whole or not at all, and answers what is where."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scanner.errors import InventoryError
from scanner.extract.sampling import SAMPLE, Sampled
from scanner.inventory import erasure, files, keys, ledger
from scanner.inventory.upgrade import VERSION, schema, upgrade
from scanner.model import Problem, Unit, Why

if TYPE_CHECKING:
    import pyarrow as pa

    from scanner.inventory.index import FoundAt
    from scanner.inventory.segments import Segment

MAY_PASS = frozenset({Why.DENIED, Why.TIMED_OUT, Why.CRASHED, Why.CHANGED, Why.TOO_LARGE})
"""What may be otherwise next time, although the unit has not changed: such units are read again."""


_OWN = frozenset({"lock", "book.db", "book.db-wal", "book.db-shm", "book.db-journal"})


@dataclass(frozen=True, slots=True)
class Holding:
    """So many findings of one entity in one field of one object."""

    object: str
    field: str
    entity: str
    cls: str
    count: int
    records: int
    filled: int
    in_segment: int
    test: int
    score: float
    example: str


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """What came of reading one object."""

    object: str
    kind: str
    status: str
    reason: str
    bytes: int
    rows: int
    rows_there: int | None = None
    """How many rows there are about, where only a sample of them was read."""
    missed: float | None = None
    """Of a sample: the chance that a column in which one row in a thousand holds a finding was missed, at most."""


@dataclass(frozen=True, slots=True)
class UnitRead:
    """What came of reading one unit, but for the findings themselves."""

    objects: tuple[ObjectRead, ...]
    problems: tuple[Problem, ...]
    holdings: tuple[Holding, ...]


class Known(NamedTuple):
    """A unit that is in the book. `done` says that it need not be read again if it still has this fingerprint."""

    id: int
    object: str
    part: str
    fingerprint: str
    done: int


def now() -> str:
    """This moment as it stands in the book: UTC, ISO 8601, seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Book:
    """An inventory folder that is open. One writer at a time, any number of readers."""

    def __init__(self, folder: Path, *, write: bool, secret: str | None = None) -> None:
        self.folder = folder
        self.write = write
        self._replaced: dict[tuple[int, str], dict[str, int]] = {}
        self._lock = _lock(folder) if write else None
        try:
            fresh = not (folder / "book.db").is_file()
            if fresh and write and any(path.name not in _OWN for path in folder.iterdir()):
                raise InventoryError(f"{folder}: is not empty and holds no inventory; choose another folder with --inventory")
            if fresh and not write:
                raise InventoryError(f"{folder}: there is no inventory here yet; run `persondata scan SOURCE` first")
            self.connection = _connect(folder / "book.db", write=write)
            if write:
                self._create(secret)
            self._check_version()
            self._secret = secret
            if write:
                self._sweep_up()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close it, and let others write."""
        if hasattr(self, "connection"):
            self.connection.close()
        if self._lock is not None:
            self._lock()
            self._lock = None

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what it is ----------------------------------------------------------------------------------------

    def meta(self, key: str) -> str:
        """One line of what this inventory is."""
        row = self.connection.execute("select value from meta where key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def key(self) -> bytes:
        """The key of the digests. Raises `InventoryError` when it is missing or another one."""
        key = keys.from_secret(self._secret) if self._secret else keys.read(self.meta("id"))
        if keys.check(key) != self.meta("key_check"):
            raise InventoryError(f"{self.folder}: the key is not the one that this inventory was made with")
        return key

    def _create(self, secret: str | None) -> None:
        if self.connection.execute("select count(*) from sqlite_master").fetchone()[0]:
            if self.version <= VERSION:
                upgrade(self.connection, self.version)
            return
        name = secrets.token_hex(8)
        key = keys.from_secret(secret) if secret else keys.make(name)
        values = "".join(
            f"insert into meta values ('{k}', '{v}');"
            for k, v in (("version", VERSION), ("id", name), ("key_check", keys.check(key)), ("created", now()))
        )
        self.connection.executescript(f"begin; {schema()} {values} commit;")

    def whole(self, source: int, unit: str, fingerprint: str, parts: int, rules: str) -> bool:
        """Whether an object is in the book in full: all its parts, under these rules, unchanged since."""
        query = (
            "select count(*) = ? and min(fingerprint = ? and rules = ? and not retry) from unit"
            f" where source = ? and object = ? and part <> '{SAMPLE}'"
        )
        return bool(self.connection.execute(query, (parts, fingerprint, rules, source, unit)).fetchone()[0])

    @property
    def version(self) -> int:
        """The version of its schema: an earlier one where it was only read since."""
        try:
            return int(self.meta("version"))
        except (sqlite3.DatabaseError, ValueError):
            raise InventoryError(f"{self.folder}: this is not an inventory, or it is damaged") from None

    def _check_version(self) -> None:
        if self.version > VERSION:
            raise InventoryError(f"{self.folder}: written by a newer version of persondata (book {self.version}, this one reads {VERSION})")

    def _sweep_up(self) -> None:
        """Remove what a killed run left aside: files that no line of the book names. What an earlier version wrote is written anew."""
        folder = self.folder / "segments"
        folder.mkdir(exist_ok=True, mode=0o700)
        named = {name for row in self.connection.execute("select file, parts from segment") for name in files.whole(*row)}
        there = {path.name for path in folder.iterdir()}
        for name in there - named:
            if files.NAMES.fullmatch(name):
                (folder / name).unlink(missing_ok=True)
        if named - there or any(name.endswith(".parquet") for name in named):
            from scanner.inventory import compact

            compact.old(self)
        erasure.due(self.connection)

    # -- a run ---------------------------------------------------------------------------------------------

    def begin(self, rules: str, sources: Sequence[tuple[str, str]]) -> tuple[int, dict[str, int]]:
        """Start a run over (name, URL) sources, or take up the last one that was killed at the same work.

        Returns the run's number and the sources' numbers by name.
        """
        with self.transaction() as cursor:
            numbers = {}
            for name, url in sources:
                cursor.execute(
                    "insert into source (name, url) values (?, ?) on conflict (name) do update set url = excluded.url", (name, url)
                )
                numbers[name] = cursor.execute("select id from source where name = ?", (name,)).fetchone()[0]
            last = cursor.execute("select id, finished, rules from run order by id desc limit 1").fetchone()
            if last and last[1] is None and last[2] == rules:
                walked = {row[0] for row in cursor.execute("select source from walk where run = ?", (last[0],))}
                if walked == set(numbers.values()):
                    return last[0], numbers
            cursor.execute("insert into run (started, rules) values (?, ?)", (now(), rules))
            run = cursor.lastrowid
            cursor.executemany("insert into walk (run, source) values (?, ?)", [(run, number) for number in numbers.values()])
        return run or 0, numbers

    def finish(self, run: int, summary: str) -> None:
        """End a run."""
        with self.transaction() as cursor:
            cursor.execute("update run set finished = ?, summary = ? where id = ?", (now(), summary, run))

    def known(self, source: int, run: int, rules: str, *, full: bool) -> Iterator[Known]:
        """The units of a source that are in the book, in the order in which sources list theirs."""
        after = ("", "")
        query = (
            "select id, object, part, fingerprint, rules = ? and (run = ? or (fingerprint <> '' and not retry and not ?)) from unit"
            " where source = ? and (object, part) > (?, ?) order by object, part limit 10000"
        )
        while rows := self.connection.execute(query, (rules, run, full, source, *after)).fetchall():
            yield from rows
            after = (rows[-1][1], rows[-1][2])

    def listed(self, run: int, source: int, gone: Sequence[int], unlisted: Sequence[Problem], still: Collection[str] = ()) -> None:
        """A source was listed to its end: what is gone leaves the book, and the change is kept.

        Objects in `still` are there in other parts than before (a sample, or what has taken its place).
        """
        with self.transaction() as cursor:
            kept = set(still)
            walked_before = _walked_before(cursor, run, source)
            for unit in gone:
                if walked_before:
                    ledger.moved(cursor, run, source, ledger.held(cursor, unit), ({}, {}))
                for name, count in _objects(cursor, unit).items():
                    if name in kept:
                        self._replaced[source, name] = {name: count}
                    else:
                        cursor.execute(
                            "insert into change (run, source, object, what, before) values (?, ?, ?, 'gone', ?)", (run, source, name, count)
                        )
                cursor.execute("delete from unit where id = ?", (unit,))
            if walked_before:
                closed = [name for (name,) in cursor.execute("select object from unlisted where source = ?", (source,))]
                ledger.listed(cursor, run, source, closed, [p.object for p in unlisted])
            cursor.execute("delete from unlisted where source = ?", (source,))
            cursor.executemany(
                "insert or replace into unlisted values (?, ?, ?, ?)", [(source, p.object, p.why.value, p.detail) for p in unlisted]
            )
            cursor.execute("update walk set listed = ? where run = ? and source = ?", (now(), run, source))
        self._drop_dead_segments()

    def next_unit(self) -> int:
        """The first number that no unit has had."""
        return int(self.meta("units") or 0) + 1

    def record(
        self, run: int, source: int, units: Sequence[tuple[int, Unit, UnitRead, tuple[int, int] | None]], rules: str, cursor: sqlite3.Cursor
    ) -> None:
        """Write down units that were read: (number, unit, what came of it, (segment, its rows there)). Within the caller's transaction."""
        walked_before = _walked_before(cursor, run, source)
        moment = now()
        for number, unit, read, segment in units:
            old = cursor.execute(
                "select id, fingerprint from unit where source = ? and object = ? and part = ?", (source, unit.object, unit.part)
            ).fetchone()
            first_objects: dict[str, str] = {}
            first_holdings: dict[tuple[str, str, str], str] = {}
            before: dict[str, int] = {}
            held: tuple[ledger.Held, ledger.Read] = ({}, {})
            if old:
                held = ledger.held(cursor, old[0])
                first_objects = dict(cursor.execute("select object, first_seen from object where unit = ?", old[:1]))
                first_holdings = {
                    (row[0], row[1], row[2]): row[3]
                    for row in cursor.execute("select object, field, entity, first_seen from holding where unit = ?", old[:1])
                }
                before = _objects(cursor, old[0])
                cursor.execute("delete from unit where id = ?", old[:1])
            retry = any(p.why in MAY_PASS and not isinstance(p, Sampled) for p in read.problems)
            cursor.execute(
                "insert into unit (id, source, object, part, kind, fingerprint, rules, retry, run, segment, in_segment)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, source, unit.object, unit.part, unit.kind, unit.fingerprint, rules, int(retry), run, *(segment or (None, 0))),
            )
            cursor.executemany(
                "insert into object values (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (number, o.object, o.kind, o.status, o.reason, o.bytes, o.rows, first_objects.get(o.object, moment))
                    for o in read.objects
                ],
            )
            cursor.executemany(
                "insert into sample values (?, ?, ?, ?)",
                [(number, o.object, o.rows_there, o.missed) for o in read.objects if o.missed is not None],
            )
            cursor.executemany(
                "insert into problem (unit, object, record, field, why, detail) values (?, ?, ?, ?, ?, ?)",
                [(number, p.object, p.record, p.field, p.why.value, p.detail) for p in read.problems],
            )
            cursor.executemany(
                "insert into holding values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (number, h.object, h.field, h.entity, h.cls, h.count, h.records, max(h.filled, h.records), h.in_segment, h.test,
                     h.score, h.example, first_holdings.get((h.object, h.field, h.entity), moment))
                    for h in read.holdings
                ],
            )  # fmt: skip
            if walked_before:
                now_held = {(h.object, h.field, h.entity): (h.count, h.cls) for h in read.holdings}
                ledger.moved(cursor, run, source, held, (now_held, {o.object: o.status == "complete" for o in read.objects}))
            if walked_before and not old and unit.part:
                before |= self._replaced.get((source, unit.object)) or _elsewhere(cursor, source, unit, number)
            if walked_before:
                self._changes(cursor, run, source, before, _objects(cursor, number), bool(old) and old[1] != unit.fingerprint, unit.object)
        cursor.execute("insert or replace into meta values ('units', ?)", (str(max(number for number, *_ in units)),))

    @staticmethod
    def _changes(
        cursor: sqlite3.Cursor, run: int, source: int, before: dict[str, int], after: dict[str, int], touched: bool, unit: str
    ) -> None:
        rows = []
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) == after.get(name) and not (touched and name == unit):
                continue
            what = "gone" if name not in after else "new" if name not in before else "changed"
            rows.append((run, source, name, what, before.get(name, 0), after.get(name, 0)))
        cursor.executemany("insert into change (run, source, object, what, before, after) values (?, ?, ?, ?, ?, ?)", rows)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Cursor]:
        """All of it, or none."""
        cursor = self.connection.cursor()
        cursor.execute("begin immediate")
        try:
            yield cursor
        except BaseException:
            cursor.execute("rollback")
            raise
        cursor.execute("commit")

    def _drop_dead_segments(self) -> None:
        """Forget segments that no unit is in any more; their lines go first, then their files."""
        with self.transaction() as cursor:
            dead = cursor.execute(
                "select id, file, parts from segment where not exists (select 1 from unit where unit.segment = segment.id)"
            ).fetchall()
            cursor.executemany("delete from segment where id = ?", [(row[0],) for row in dead])
        for _, file, parts in dead:
            for name in files.whole(file, parts):
                with suppress(OSError):
                    (self.folder / "segments" / name).unlink()

    def put_together(self, *, at_the_end: bool = False) -> None:
        """Bound the number of segments, and at the end of a scan also what is dead in them."""
        from scanner.inventory import compact

        (compact.at_the_end if at_the_end else compact.during)(self)

    def add_segments(self, made: Sequence[Segment], cursor: sqlite3.Cursor) -> dict[int, tuple[int, int]]:
        """Name segments that were written. Returns (segment, rows) of each unit in them. Within the caller's transaction."""
        where: dict[int, tuple[int, int]] = {}
        for one in made:
            cursor.execute(
                "insert into segment (file, parts, findings, live) values (?, ?, ?, ?)", (one.file, one.parts, one.rows, one.rows)
            )
            where |= {unit: (cursor.lastrowid or 0, rows) for unit, rows in one.units.items()}
        return where

    # -- answers -------------------------------------------------------------------------------------------

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        """The rows of a query as dictionaries."""
        cursor = self.connection.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))

    def findings(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All findings that are written out one by one, with `unit`; of units that are in the book now.

        Cells of columns that are facts are none of them, although their digests lie in the same segments.
        """
        from scanner.inventory import answers

        return answers.findings(self, columns)

    def where(self, wanted: Iterable[bytes]) -> Iterator[FoundAt]:
        """Every place that holds a value with one of these digests, as a finding or as a cell of a column in a file that is
        one entity throughout; of units that are in the book now. Columns of databases are not among them: they can be asked.
        """
        from scanner.inventory import index

        return index.where(self, wanted)


def _walked_before(cursor: sqlite3.Cursor, run: int, source: int) -> bool:
    """Whether an earlier run has walked a source to its end, so that it can be said what is new in it."""
    query = "select 1 from walk where source = ? and run < ? and listed is not null limit 1"
    return cursor.execute(query, (source, run)).fetchone() is not None


def _objects(cursor: sqlite3.Cursor, unit: int) -> dict[str, int]:
    """The objects of a unit, and how many findings each has."""
    return dict(
        cursor.execute(
            "select object.object, coalesce(sum(holding.count), 0) from object left join holding"
            " on holding.unit = object.unit and holding.object = object.object where object.unit = ? group by object.object",
            (unit,),
        ).fetchall()
    )


def _elsewhere(cursor: sqlite3.Cursor, source: int, unit: Unit, number: int) -> dict[str, int]:
    """The findings of an object in its other parts, those that this one may take the place of; empty when it has none."""
    count = cursor.execute(
        "select count(distinct unit.id), sum(holding.count) from unit left join holding on holding.unit = unit.id"
        " where source = ? and unit.object = ? and unit.id <> ?",
        (source, unit.object, number),
    ).fetchone()
    return {unit.object: count[1] or 0} if count[0] else {}


def _connect(path: Path, *, write: bool) -> sqlite3.Connection:
    try:
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, isolation_level=None)
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
        else:
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        connection.execute("pragma foreign_keys = on")
        connection.execute("pragma busy_timeout = 10000")
        connection.execute("select count(*) from sqlite_master")
    except sqlite3.DatabaseError:
        raise InventoryError(f"{path.parent}: this is not an inventory, or it is damaged") from None
    except OSError as error:
        raise InventoryError(f"{path.parent}: cannot be written: {error.strerror}") from None
    return connection


def _lock(folder: Path) -> Callable[[], None]:
    """Keep other writers out until the returned function is called. The system lets go when the process dies."""
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, mode=0o700)
        file = open(folder / "lock", "a+b")  # noqa: SIM115 - held until it is let go
    except OSError as error:
        raise InventoryError(f"{folder}: cannot be written: {error.strerror}") from None
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise InventoryError(
            f"{folder}: another scan is writing to this inventory; wait for it, or choose another with --inventory"
        ) from None
    return file.close
