"""The book: records a unit whole or not at all, and answers what is where."""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scanner.errors import InventoryError
from scanner.extract.sampling import SAMPLE, Sampled
from scanner.inventory import keys
from scanner.model import Problem, Unit, Why

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 2
"""Of the schema. A book with a higher one was written by a newer program and is left alone."""

MAY_PASS = frozenset({Why.DENIED, Why.TIMED_OUT, Why.CRASHED, Why.CHANGED, Why.TOO_LARGE})
"""What may be otherwise next time, although the unit has not changed: such units are read again."""


_OWN = frozenset({"lock", "book.db", "book.db-wal", "book.db-shm", "book.db-journal"})
_SEGMENT = re.compile(r"[.]?[0-9a-f]{16}[.]parquet")


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
            self._upgrade()
            return
        name = secrets.token_hex(8)
        key = keys.from_secret(secret) if secret else keys.make(name)
        schema = _schema()
        values = "".join(
            f"insert into meta values ('{k}', '{v}');"
            for k, v in (("version", VERSION), ("id", name), ("key_check", keys.check(key)), ("created", now()))
        )
        self.connection.executescript(f"begin; {schema} {values} commit;")

    def _upgrade(self) -> None:
        """A book of the first version says nothing of samples yet."""
        if self.meta("version") != "1":
            return
        table = re.search(r"create table sample .*?;", _schema(), re.DOTALL)
        view = re.search(r"create view coverage .*?;", _schema(), re.DOTALL)
        if table and view:
            said = f"drop view coverage; {table[0]} {view[0]} update meta set value = '2' where key = 'version'"
            self.connection.executescript(f"begin; {said}; commit;")

    def whole(self, source: int, unit: str, fingerprint: str, parts: int, rules: str) -> bool:
        """Whether an object is in the book in full: all its parts, under these rules, unchanged since."""
        query = (
            "select count(*) = ? and min(fingerprint = ? and rules = ? and not retry) from unit"
            f" where source = ? and object = ? and part <> '{SAMPLE}'"
        )
        return bool(self.connection.execute(query, (parts, fingerprint, rules, source, unit)).fetchone()[0])

    def _check_version(self) -> None:
        try:
            version = int(self.meta("version"))
        except (sqlite3.DatabaseError, ValueError):
            raise InventoryError(f"{self.folder}: this is not an inventory, or it is damaged") from None
        if version > VERSION:
            raise InventoryError(f"{self.folder}: written by a newer version of persondata (book {version}, this one reads {VERSION})")

    def _sweep_up(self) -> None:
        """Remove what a killed run left aside: files that no line of the book names."""
        folder = self.folder / "segments"
        folder.mkdir(exist_ok=True, mode=0o700)
        named = {row[0] for row in self.connection.execute("select file from segment")}
        for path in folder.iterdir():
            if path.name not in named and _SEGMENT.fullmatch(path.name):
                path.unlink(missing_ok=True)

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
            for unit in gone:
                for name, count in _objects(cursor, unit).items():
                    if name in kept:
                        self._replaced[source, name] = {name: count}
                    else:
                        cursor.execute(
                            "insert into change (run, source, object, what, before) values (?, ?, ?, 'gone', ?)", (run, source, name, count)
                        )
                cursor.execute("delete from unit where id = ?", (unit,))
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
        self, run: int, source: int, units: Sequence[tuple[int, Unit, UnitRead, int | None]], rules: str, cursor: sqlite3.Cursor
    ) -> None:
        """Write down units that were read: (number, unit, what came of it, segment). Within the caller's transaction."""
        walked_before = cursor.execute(
            "select 1 from walk where source = ? and run < ? and listed is not null limit 1", (source, run)
        ).fetchone()
        moment = now()
        for number, unit, read, segment in units:
            old = cursor.execute(
                "select id, fingerprint from unit where source = ? and object = ? and part = ?", (source, unit.object, unit.part)
            ).fetchone()
            first_objects: dict[str, str] = {}
            first_holdings: dict[tuple[str, str, str], str] = {}
            before: dict[str, int] = {}
            if old:
                first_objects = dict(cursor.execute("select object, first_seen from object where unit = ?", old[:1]))
                first_holdings = {
                    (row[0], row[1], row[2]): row[3]
                    for row in cursor.execute("select object, field, entity, first_seen from holding where unit = ?", old[:1])
                }
                before = _objects(cursor, old[0])
                cursor.execute("delete from unit where id = ?", old[:1])
            retry = any(p.why in MAY_PASS and not isinstance(p, Sampled) for p in read.problems)
            cursor.execute(
                "insert into unit values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, source, unit.object, unit.part, unit.kind, unit.fingerprint, rules, int(retry), run, segment),
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
                "select id, file from segment where not exists (select 1 from unit where unit.segment = segment.id)"
            ).fetchall()
            cursor.executemany("delete from segment where id = ?", [(row[0],) for row in dead])
        for _, file in dead:
            with suppress(OSError):
                (self.folder / "segments" / file).unlink()

    # -- answers -------------------------------------------------------------------------------------------

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        """The rows of a query as dictionaries."""
        cursor = self.connection.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))

    def findings(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All findings that are written out one by one, with `unit`; of units that are in the book now."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        live: dict[int, list[int]] = {}
        for unit, segment in self.connection.execute("select id, segment from unit where segment is not null order by id"):
            live.setdefault(segment, []).append(unit)
        for segment, file in self.connection.execute("select id, file from segment order by id").fetchall():
            own = live.get(segment, [])
            units = pa.array([*own, 0] if len(own) == 1 else own, pa.int64())
            with pq.ParquetFile(self.folder / "segments" / file) as parquet:
                for batch in parquet.iter_batches(columns=[*columns, "unit"] if columns else None):
                    yield batch.filter(pc.is_in(batch.column("unit"), units))


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


def _schema() -> str:
    return (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")


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
