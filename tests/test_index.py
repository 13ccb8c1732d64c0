"""Where a digest stands: the index tells what the findings tell, whatever was put together, replaced, upgraded or killed."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scanner import digest as value
from scanner import seal
from scanner.inventory import Book, Holding, ObjectRead, UnitRead, compact, files, groups, index
from scanner.inventory.segments import Segments, batches
from scanner.model import Unit
from scanner.unit import SENT

SECRET = "one secret for all inventories"


def digest(number: int) -> bytes:
    return random.Random(number).randbytes(16)


def stream(numbers: list[int], object_: str, *, fact: bool = False, first: int = 0) -> bytes:
    """Findings of these values, one a record, as a worker sends them."""
    columns = {
        "object": [object_] * len(numbers),
        "field": [""] * len(numbers),
        "record": [f"row={first + at}" for at in range(len(numbers))],
        "start": [0] * len(numbers),
        "end": [9] * len(numbers),
        "entity": ["EMAIL_ADDRESS"] * len(numbers),
        "rule": ["contact.email"] * len(numbers),
        "score": [0.9] * len(numbers),
        "digest": [digest(n)[:8] + bytes(8) if fact else digest(n) for n in numbers],
        "test": [False] * len(numbers),
        "fact": [fact] * len(numbers),
    }
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SENT) as out:
        out.write_table(pa.table(columns, SENT))
    return sink.getvalue().to_pybytes()


class Scanning:
    """A book as a scan writes it, without the reading."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.run, numbers = book.begin("rules", [("s", "s")])
        self.source = numbers["s"]
        self.attempts = iter(range(10**9))
        self.segments = Segments(book.folder / "segments")

    def commit(self, units: dict[str, list[int]], *, fact: bool = False, pieces: int = 1) -> None:
        first = self.book.next_unit()
        numbers = {name: first + at for at, name in enumerate(units)}
        for name, values in units.items():
            attempt = (next(self.attempts), 1)
            for at in range(0, len(values), max(1, -(-len(values) // pieces))):
                self.segments.add(attempt, stream(values[at : at + max(1, -(-len(values) // pieces))], name, fact=fact, first=at))
            self.segments.done(attempt, numbers[name])
        made = self.segments.flush()
        with self.book.transaction() as cursor:
            where = self.book.add_segments(made, cursor)
            read = []
            for name, values in units.items():
                holding = (
                    Holding(
                        name, "", "EMAIL_ADDRESS", "general", len(values), len(values), len(values), 0 if fact else len(values), 0, 0.9, "x"
                    ),
                )
                one = UnitRead((ObjectRead(name, "file", "complete", "", 1, 1),), (), holding if values else ())
                read.append((numbers[name], Unit("s", name, "file", fingerprint="1"), one, where.get(numbers[name])))
            self.book.record(self.run, self.source, read, "rules", cursor)
        self.book.put_together()


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book(tmp_path / "inv", write=True, secret=SECRET) as one:
        yield one


def found(book: Book, *numbers: int) -> set[tuple[str, str]]:
    return {(one.object, one.record) for one in book.where([digest(n) for n in numbers])}


def live(book: Book) -> bool:
    """Whether what the book says of its segments is what lies in them."""
    units = {row["id"]: row["segment"] for row in book.rows("select id, segment from unit where segment is not null")}
    for row in book.rows("select * from segment"):
        counts = [batch.column("unit").to_pylist() for batch in batches(book.folder / "segments", row["file"], row["parts"])]
        numbers = [number for part in counts for number in part]
        only = [unit for unit, segment in units.items() if segment == row["id"]]
        there = sum(number in only or (number == 0 and len(only) == 1) for number in numbers)
        if (len(numbers), there) != (row["findings"], row["live"]):
            return False
    return {path.name for path in (book.folder / "segments").iterdir()} == {
        name for row in book.rows("select file, parts from segment") for name in files.whole(row["file"], row["parts"])
    }


def test_every_finding_is_found_and_no_other(book: Book) -> None:
    chance = random.Random(1)
    truth: dict[str, list[int]] = {}
    scanning = Scanning(book)
    for step in range(60):
        units = {f"{chance.randint(0, 150)}": [chance.randint(0, 3000) for _ in range(chance.randint(0, 40))] for _ in range(7)}
        if step == 20:
            units["large"] = [chance.randint(0, 3000) for _ in range(100_000)]
        scanning.commit(units, pieces=3)
        truth |= units
    for _ in range(2):
        assert live(book)
        for _ in range(20):
            wanted = [chance.randint(0, 3500) for _ in range(5)]
            expected = {(name, f"row={at}") for name, values in truth.items() for at, value in enumerate(values) if value in wanted}
            there = list(book.where([digest(n) for n in wanted]))
            assert {(one.object, one.record) for one in there if one.object != "large"} == {one for one in expected if one[0] != "large"}
            assert {one.digest for one in there} <= {digest(n) for n in wanted}
            assert len([one for one in there if one.object == "large"]) == len([one for one in expected if one[0] == "large"])
        assert sum(map(len, book.findings())) == sum(map(len, truth.values()))
        book.put_together(at_the_end=True)
    assert next(book.rows("select sum(findings - live) as n from segment"))["n"] <= 0.3 * sum(map(len, truth.values()))
    assert next(book.rows("select count(*) as n from segment"))["n"] <= 2


def test_thousands_of_commits_leave_few_segments(book: Book) -> None:
    scanning = Scanning(book)
    for step in range(600):
        scanning.commit({f"{step}": [step, step + 1]})
    assert next(book.rows("select count(*) as n from segment"))["n"] < 2 * compact.TOGETHER
    assert found(book, 300) == {("299", "row=1"), ("300", "row=0")}
    book.put_together(at_the_end=True)
    assert next(book.rows("select count(*) as n from segment"))["n"] == 1 and live(book)


def test_parts_are_cut_where_a_key_can_point_no_further(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "PART", 2 * groups.GROUP)
    scanning = Scanning(book)
    numbers = list(range(5 * groups.GROUP + 17))
    monkeypatch.setattr("scanner.inventory.segments.ALONE", 1000)
    scanning.commit({"a": numbers, "b": []}, pieces=7)
    (row,) = book.rows("select * from segment")
    assert (row["parts"], row["findings"]) == (3, len(numbers)) and live(book)
    for number in (0, groups.GROUP, 2 * groups.GROUP - 1, 2 * groups.GROUP, 4 * groups.GROUP + 5, numbers[-1]):
        assert found(book, number) == {("a", f"row={number}")}
    with book.transaction() as cursor:
        cursor.execute("delete from unit where object = 'a'")
    assert found(book, 5) == set() and list(book.findings()) == []
    book.put_together(at_the_end=True)
    assert list((book.folder / "segments").iterdir()) == []


def test_cells_of_facts_are_found_but_are_no_findings(book: Book) -> None:
    scanning = Scanning(book)
    scanning.commit({"a.csv": [1, 2, 3]}, fact=True)
    scanning.commit({"b.txt": [2]})
    assert found(book, 2) == {("a.csv", "row=1"), ("b.txt", "row=0")}
    assert {one.digest for one in book.where([digest(2)])} == {digest(2)}
    assert sum(map(len, book.findings())) == sum(map(len, book.findings(["entity"]))) == 1
    assert list(book.where([])) == []


def test_a_customer_is_found_in_columns_of_files_that_are_one_thing_throughout(cli: Callable[..., Any], tmp_path: Path) -> None:
    people = [(f"K{n}", f"navn{n % 40} Hansen", f"Person{n}@Post.example ", f"+45 29 38 {n // 100:02} {n % 100:02}") for n in range(400)]
    lines = ["nr;navn;email;telefon", *(";".join(one) for one in people)]
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "kunder.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with sqlite3.connect(tmp_path / "share" / "own.sqlite") as db:
        db.execute("create table t (mail text primary key, note text)")
        db.executemany("insert into t values (?, 'x')", [(f"person{n}@post.example",) for n in range(100)])
    cli("scan", "share")
    cli("scan", "sqlite:///share/own.sqlite")
    with Book(tmp_path / "persondata-inventory", write=False) as book:
        key = book.key()
        wanted = {value.digest(key, entity, text): text for entity, text in (
            ("EMAIL_ADDRESS", "person77@post.example"), ("PHONE_NUMBER", "29380123"), ("PERSON", "nobody")
        )}  # fmt: skip
        there = list(book.where(wanted))
        assert {(one.object, seal.unseal(key, one.record), one.field, wanted[one.digest]) for one in there} == {
            ("kunder.csv", "row=79", "email", "person77@post.example"), ("kunder.csv", "row=125", "telefon", "29380123"),
            ("own.sqlite!t", "mail=person77@post.example", "mail", "person77@post.example"),
        }  # fmt: skip
        (phone,) = (one for one in there if one.field == "telefon")
        assert (phone.start, phone.end, phone.entity, phone.source) == (0, 15, "PHONE_NUMBER", "share")
        assert sum(map(len, book.findings())) == next(book.rows("select sum(findings_in_segment) as n from holding"))["n"]


@pytest.mark.parametrize("entity", ["EMAIL_ADDRESS", "DK_CPR", "PHONE_NUMBER", "IBAN_CODE", "ADDRESS"])
def test_many_digests_at_once_are_the_digests_one_by_one(entity: str) -> None:
    chance = random.Random(entity)
    letters = "aB9 \t\n\x0b\x1c\x1f-_.,@æØéﬁ\u00ad\u2003\u00a00045ǅß"
    texts = ["".join(chance.choice(letters) for _ in range(chance.randint(0, 9))) for _ in range(2000)]
    texts += ["00 45 29384756", "+4529384756", "4529384756", "45293847561", "0045293847"]
    for some in (texts, texts[:10] * 300, []):
        expected = [value.digest(SECRET.encode(), entity, text)[:8] + bytes(8) for text in some]
        assert value.halves(SECRET.encode(), entity, pa.array(some, pa.string())).to_pylist() == expected


# -- books of earlier versions ---------------------------------------------------------------------------------


def _old(folder: Path, units: dict[str, list[int]]) -> None:
    """A book of the second version: one Parquet file a segment, nothing of what came with the third."""
    with Book(folder, write=True, secret=SECRET) as book:
        scanning = Scanning(book)
        for name, values in units.items():
            scanning.commit({name: values, f"{name}+": [n + 1 for n in values]})
        for row in list(book.rows("select * from segment")):
            table = pa.Table.from_batches(list(batches(folder / "segments", row["file"], row["parts"]))).drop_columns(["fact"])
            pq.write_table(table, folder / "segments" / f"{row['file']}.parquet")
            book.connection.execute("update segment set file = file || '.parquet' where id = ?", (row["id"],))
            for name in files.whole(row["file"], row["parts"]):
                (folder / "segments" / name).unlink()
        for kind in ("trigger", "index", "view"):
            for item in list(book.rows("select name, sql from sqlite_master where type = ? and sql is not null", (kind,))):
                if item["name"] in ("unit_leaves", "unit_segment"):
                    book.connection.execute(f"drop {kind} {item['name']}")
        for table, column in (("segment", "parts"), ("segment", "live"), ("unit", "in_segment")):
            book.connection.execute(f"alter table {table} drop column {column}")
        book.connection.execute("update meta set value = '2' where key = 'version'")


def test_a_book_of_the_second_version_answers_and_is_indexed_by_its_first_writer(tmp_path: Path) -> None:
    folder = tmp_path / "inv"
    _old(folder, {f"{n}": [n * 10 + i for i in range(10)] for n in range(20)})
    expected = {("7", "row=3"), ("7+", "row=2")}
    with Book(folder, write=False) as book:
        assert book.version == 2 and found(book, 73) == expected
        before = sum(map(len, book.findings()))
    with Book(folder, write=True, secret=SECRET) as book:
        assert book.version == 3 and found(book, 73) == expected and live(book)
        assert sum(map(len, book.findings())) == before == 400
        assert not list((folder / "segments").glob("*.parquet"))
    with Book(folder, write=False) as book, Book(folder.with_name("new"), write=True, secret=SECRET) as new:
        made = "select type, name from sqlite_master order by 1, 2"
        assert list(book.rows(made)) == list(new.rows(made))


def test_lost_keys_are_made_again(tmp_path: Path) -> None:
    with Book(tmp_path / "inv", write=True, secret=SECRET) as book:
        Scanning(book).commit({"a": [1, 2, 3], "b": [3]})
    (beside,) = (tmp_path / "inv" / "segments").glob("*.keys")
    for damage in (beside.unlink, lambda: beside.write_bytes(b"pdkeys2\n" + bytes(7))):
        damage()
        with Book(tmp_path / "inv", write=False) as book:
            assert found(book, 3) == {("a", "row=2"), ("b", "row=0")}
    beside.unlink()
    with Book(tmp_path / "inv", write=True, secret=SECRET) as book:
        assert found(book, 3) == {("a", "row=2"), ("b", "row=0")} and live(book)


def test_a_reader_is_not_disturbed_by_a_writer_who_puts_segments_together(tmp_path: Path) -> None:
    with Book(tmp_path / "inv", write=True, secret=SECRET) as writer:
        scanning = Scanning(writer)
        for step in range(10):
            scanning.commit({f"{step}": [5, step + 100]})
        with Book(tmp_path / "inv", write=False) as reader:
            asked, told = reader.where([digest(5)]), reader.findings()
            some = [next(asked) for _ in range(4)]
            rows = len(next(told))
            writer.put_together(at_the_end=True)
            assert sorted(one.object for one in [*some, *asked]) == [f"{step}" for step in range(10)]
            assert rows + sum(map(len, told)) == 20


# -- killed between any two writes -----------------------------------------------------------------------------


class Watched:
    """Keeps a copy of the book before and after each write: just what `kill -9` at that moment would leave behind."""

    def __init__(self, folder: Path, copies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.copies, self.count = folder, copies, 0
        for owner, name in ((os, "fsync"), (os, "replace"), (Path, "unlink")):
            monkeypatch.setattr(owner, name, self.around(getattr(owner, name)))

    def around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            self.copy()
            done = real(*words, **named)
            self.copy()
            return done

        return call

    def copy(self) -> None:
        self.count += 1
        shutil.copytree(self.folder, self.copies / str(self.count))

    def connection(self, real: Any) -> Any:
        watched = self

        class Cursor:
            def __init__(self) -> None:
                self._cursor = real.cursor()

            def __getattr__(self, name: str) -> Any:
                value = getattr(self._cursor, name)
                return watched.around(value) if name in ("execute", "executemany") else value

        class Connection:
            def __getattr__(self, name: str) -> Any:
                return Cursor if name == "cursor" else getattr(real, name)

        return Connection()


def _state(folder: Path) -> tuple[object, ...]:
    with Book(folder, write=False) as book:
        findings = sorted((row["object"], row["record"], row["digest"]) for batch in book.findings() for row in batch.to_pylist())
        return findings, sorted(found(book, *range(10)))


@pytest.mark.parametrize("work", ["commit", "put together", "upgrade"])
def test_killed_between_any_two_writes_the_book_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str) -> None:
    units = {"a": [1, 2], "b": [2, 3], "c": [4], "gone": [1, 2, 3, 4, 5, 6]}
    if work == "upgrade":
        _old(tmp_path / "first", units)
    else:
        with Book(tmp_path / "first", write=True, secret=SECRET) as book:
            scanning = Scanning(book)
            for name, values in units.items():
                scanning.commit({name: values})
            with book.transaction() as cursor:
                cursor.execute("delete from unit where object = 'gone'")
    before = _state(tmp_path / "first")
    with monkeypatch.context() as patched:
        watched = Watched(tmp_path / "first", tmp_path / "copies", patched)
        with Book(tmp_path / "first", write=True, secret=SECRET) as book:
            book.connection = watched.connection(book.connection)
            if work == "commit":
                scanning = Scanning(book)
                scanning.commit({"a": [1, 2, 3], "new": [3, 4]})
            book.put_together(at_the_end=True)
    after = _state(tmp_path / "first")
    assert (before == after) == (work != "commit") and watched.count > 20
    for number in range(1, watched.count + 1):
        folder = tmp_path / "copies" / str(number)
        state = _state(folder)
        assert state in (before, after)
        with Book(folder, write=True, secret=SECRET) as book:
            book.put_together(at_the_end=True)
            assert live(book)
        assert _state(folder) == state, "the next writer changes nothing but files"


def test_a_book_is_refused_that_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "inv"
    folder.mkdir()
    with sqlite3.connect(folder / "book.db") as db:
        db.execute("create table meta (key text primary key, value text)")
    with pytest.raises(Exception, match="not an inventory"):
        Book(folder, write=True, secret=SECRET)
