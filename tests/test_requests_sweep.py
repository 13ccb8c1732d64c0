"""Deletion plans: what becomes of each record, and statements that touch exactly what they announce, run on real databases."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scanner.errors import SourceError
from scanner.model import Column, Relation
from scanner.requests import statements, statements_schema
from scanner.requests.plan import MUST_GO, Action, Plan
from tests import sweep_shop

TODAY = "2026-06-30"


# -- running plans ---------------------------------------------------------------------------------------------------


class Shop:
    """The shop on one server: how its rows are read and a script is run, each as the server's own client does it."""

    dialect, schema, url = "sqlite", "", ""

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        raise NotImplementedError

    def run(self, script: Path) -> subprocess.CompletedProcess[str]:
        raise NotImplementedError

    def tables(self) -> list[str]:
        return ["customers", "orders", "order_lines", "tickets", "notes", "visits", "newsletter", "campaign_mails", "employees", "payroll",
                "profiles", "devices", "gone"]  # fmt: skip


class Sqlite(Shop):
    def __init__(self, folder: Path) -> None:
        self.path = folder / "shop.db"
        self.url = "sqlite:///shop.db"
        with closing(sqlite3.connect(self.path)) as db:
            db.execute("pragma foreign_keys = on")
            db.executescript(sweep_shop.script("sqlite"))

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        with closing(sqlite3.connect(self.path)) as db:
            assert not db.execute("pragma foreign_key_check").fetchall()
            return {name: db.execute(f"select * from {name}").fetchall() for name in self.tables()}

    def run(self, script: Path) -> subprocess.CompletedProcess[str]:
        with script.open() as lines:
            return subprocess.run(["sqlite3", str(self.path)], stdin=lines, capture_output=True, text=True, check=False)


class PostgreSQL(Shop):
    dialect, schema = "postgresql", "public."

    def __init__(self, url: str) -> None:
        self.url = url
        self._folder = url.partition("host=")[2]

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        import psycopg

        with psycopg.connect(f"postgresql://postgres@/optifo_hr?host={self._folder}") as db:
            return {name: db.execute(f"select * from {name}").fetchall() for name in self.tables()}  # type: ignore[arg-type]

    def run(self, script: Path) -> subprocess.CompletedProcess[str]:
        program = ["psql", "-X", "-q", "-h", self._folder, "-U", "postgres", "-d", "optifo_hr", "-f", str(script)]
        return subprocess.run(program, capture_output=True, text=True, check=False)


class MariaDB(Shop):
    dialect, schema = "mysql", "shop."

    def __init__(self, url: str) -> None:
        self.url = url.replace("/optifo?", "/shop?")
        self._socket = url.partition("unix_socket=")[2]

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        import pymysql

        with (
            closing(pymysql.connect(user="root", database="shop", unix_socket=self._socket, charset="utf8mb4")) as db,
            db.cursor() as cursor,
        ):
            found = {}
            for name in self.tables():
                cursor.execute(f"select * from {name}")
                found[name] = list(cursor.fetchall())
            return found

    def run(self, script: Path) -> subprocess.CompletedProcess[str]:
        with script.open("rb") as lines:
            program = ["mariadb", "--no-defaults", "-uroot", f"--socket={self._socket}", "shop"]
            return subprocess.run(program, stdin=lines, capture_output=True, text=True, check=False)


Cli = Callable[..., Any]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line in this process, in a folder of its own: many runs, without a start of the program for each."""
    from scanner.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERSONDATA_DEBUG", "1")

    def run(*words: str, expect: int | None = 0) -> Any:
        done = CliRunner().invoke(main, list(words))
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert expect is None or done.exit_code == expect, (done.exit_code, done.output)
        return done

    return run


def prepared(shop: Shop, folder: Path, cli: Cli) -> None:
    (folder / "persondata.toml").write_text(
        sweep_shop.configuration(shop.url, shop.schema).replace("{schema}", shop.schema), encoding="utf-8"
    )
    cli("scan", "--prose", "off", expect=None)


def planned(cli: Cli, folder: Path, *words: str, expect: int | None = 0) -> Plan:
    cli("sweep", "-o", "plan.json", "--today", TODAY, "--prose", "off", *words, expect=expect)
    return loaded(folder / "plan.json", folder)


def loaded(path: Path, folder: Path) -> Plan:
    from scanner.inventory import Book
    from scanner.requests import plan

    with Book(folder / "persondata-inventory", write=False) as book:
        return plan.load(path, book.key())


def counted(rows: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], int]:
    found: dict[tuple[Any, ...], int] = {}
    for row in rows:
        found[row] = found.get(row, 0) + 1
    return found


def carried_out(shop: Shop, plan: Plan, folder: Path) -> dict[str, tuple[int, int]]:
    """Run the plan's script; each table's (rows gone, rows changed) are what the plan announces, and nothing else has changed."""
    before = shop.rows()
    (script,) = plan.scripts
    done = shop.run(folder / "plan.shop.sql")
    assert done.returncode == 0 and not done.stderr.strip(), (done.stdout, done.stderr)
    after = shop.rows()
    told: dict[str, tuple[int, int]] = {}
    for name in shop.tables():
        goes = [one for one in plan.actions if one.object == shop.schema + name and one.action is Action.DELETE]
        changes = [one for one in plan.actions if one.object == shop.schema + name and one.action is Action.ANONYMISE]
        then, now = counted(before[name]), counted(after[name])
        lost = sum(count - now.get(row, 0) for row, count in then.items() if now.get(row, 0) < count)
        new = sum(count - then.get(row, 0) for row, count in now.items() if then.get(row, 0) < count)
        if name == "gone":
            continue  # what a trigger writes is looked at where it matters
        assert (lost - new, new) == (len(goes), len(changes)), (name, lost, new, len(goes), len(changes))
        told[name] = (len(goes), len(changes))
    assert sum(script.rows) >= sum(gone + changed for gone, changed in told.values())
    return {name: both for name, both in told.items() if both != (0, 0)}


def of(plan: Plan, table: str) -> dict[str, Action]:
    return {one.record: one.action for one in plan.actions if one.object.rpartition(".")[2] == table}


def everybody(shop: Shop, folder: Path, cli: Cli) -> None:
    """One after the other: each plan is carried out, touches what it announces, and leaves nothing for a second one."""
    start = shop.rows()

    plan = planned(cli, folder, "--email", "anna.birk@post.example", "--id", "customers.id=1")
    assert of(plan, "orders") == {"order_no=A-1": Action.KEEP, "order_no=A-2": Action.DELETE}
    assert of(plan, "customers")["id=1"] is Action.ANONYMISE
    assert of(plan, "tickets") == {"id=1": Action.DELETE}
    assert of(plan, "newsletter") == {"email=anna.birk@post.example": Action.DELETE}
    kept = next(one for one in plan.actions if one.record == "order_no=A-1")
    assert (kept.law, kept.until) == ("bogføringsloven § 12", "2030-12-31")
    soft = next(one for one in plan.actions if one.object.endswith("tickets"))
    assert "marked as deleted (deleted_at)" in soft.reason
    touched = carried_out(shop, plan, folder)
    assert touched == {
        "orders": (1, 0), "order_lines": (1, 0), "customers": (0, 1), "tickets": (1, 0), "visits": (3, 0), "newsletter": (1, 0),
        "campaign_mails": (2, 0),
    }  # fmt: skip
    anna = next(row for row in shop.rows()["customers"] if row[0] == 1)
    assert "anna" not in repr(anna).casefold() and "Skovvej" not in repr(anna) and anna[5] == "closed" and "@" in anna[2]
    again = planned(cli, folder, "--email", "anna.birk@post.example", "--id", "customers.id=1")
    assert not [one for one in again.actions if one.action in MUST_GO and "customers" not in one.object], again.actions

    plan = planned(cli, folder, "--email", "dora.munk@post.example")
    withdrawn = [one for one in plan.actions if one.object.endswith(("newsletter", "campaign_mails"))]
    assert len(withdrawn) == 3 and {one.reason for one in withdrawn} == {"the consent was withdrawn on 3 February 2026"}
    assert {one.law for one in withdrawn} == {"GDPR Art. 17(1)(b)"}
    before = shop.rows()["gone"]
    touched = carried_out(shop, plan, folder)
    assert touched["customers"] == (1, 0) and touched["orders"] == (1, 0) and touched["order_lines"] == (2, 0)
    written = [row for row in shop.rows()["gone"] if row not in before]
    assert len(written) == 1 and "dora" not in written[0][1], "the trigger wrote down nothing of her"
    assert not planned(cli, folder, "--email", "dora.munk@post.example").actions

    plan = planned(cli, folder, "--email", "carla.vang@post.example")
    assert {one.action for one in plan.actions} == {Action.KEEP, Action.RESTRICT} and not plan.scripts
    restricted = next(one for one in plan.actions if one.object.endswith("tickets"))
    assert restricted.action is Action.RESTRICT and restricted.law == "GDPR Art. 17(3)(e)" and "claim 2026-7" in restricted.reason
    assert [one.name for one in plan.recipients] == ["fragt"] and "begrænser" in plan.recipients[0].text

    plan = planned(cli, folder, "--email", "gerda.holt@post.example")
    assert len(of(plan, "notes")) == len(sweep_shop.HOSTILE)
    assert carried_out(shop, plan, folder) == {"customers": (1, 0), "notes": (len(sweep_shop.HOSTILE), 0)}
    assert {row[0] for row in shop.rows()["notes"]} == {f"andres {at}" for at in range(3)}
    assert not planned(cli, folder, "--email", "gerda.holt@post.example").actions

    plan = planned(cli, folder, "--email", "frida.toft@post.example", "--id", "customers.id=6")
    assert of(plan, "profiles") == {"id=1": Action.DELETE} and of(plan, "devices") == {"id=11": Action.DELETE}
    if of(plan, "customers").get("id=5") is None:
        assert of(plan, "customers")["id=6"] is Action.ANONYMISE, "another person's row points at hers"
    touched = carried_out(shop, plan, folder)
    assert touched["profiles"] == (1, 0) and touched["devices"] == (1, 0)

    plan = planned(cli, folder, "--email", "helle.krog@post.example")
    assert carried_out(shop, plan, folder) == {"customers": (1, 0)}, "a row that points at itself"

    plan = planned(cli, folder, "--email", "ivan.storm@post.example")
    assert of(plan, "payroll")["employee_no=21,period=2026-01-01"] is Action.KEEP
    assert of(plan, "payroll")["employee_no=21,period=2018-01-01"] is Action.DELETE
    assert of(plan, "employees")["employee_no=21"] is Action.KEEP, "the time of his contract has not started"
    carried_out(shop, plan, folder)

    end = shop.rows()
    for table in ("profiles", "devices"):
        assert [row for row in end[table] if row[0] in (2, 12)] == [row for row in start[table] if row[0] in (2, 12)]
    assert [row for row in end["orders"] if row[0] in ("A-1", "C-1")] == [row for row in start["orders"] if row[0] in ("A-1", "C-1")]
    assert [row for row in end["customers"] if row[0] in (2, 3)] == [row for row in start["customers"] if row[0] in (2, 3)]


@pytest.mark.slow
def test_plans_carried_out_on_sqlite(tmp_path: Path, here: Cli) -> None:
    shop = Sqlite(tmp_path)
    prepared(shop, tmp_path, here)
    everybody(shop, tmp_path, here)


@pytest.mark.slow
def test_plans_carried_out_on_postgresql(tmp_path: Path, here: Cli) -> None:
    from benchmarks.servers import postgresql

    (tmp_path / "shop.sql").write_text(sweep_shop.script("postgresql"), encoding="utf-8")
    with postgresql(tmp_path / "shop.sql") as url:
        shop = PostgreSQL(url)
        prepared(shop, tmp_path, here)
        everybody(shop, tmp_path, here)


@pytest.mark.slow
def test_plans_carried_out_on_mariadb(tmp_path: Path, here: Cli) -> None:
    from benchmarks.servers import mariadb

    (tmp_path / "shop.sql").write_text(sweep_shop.script("mysql"), encoding="utf-8")
    with mariadb(tmp_path / "shop.sql") as url:
        shop = MariaDB(url)
        prepared(shop, tmp_path, here)
        everybody(shop, tmp_path, here)


# -- statements ------------------------------------------------------------------------------------------------------

TABLE = Relation("main.t", (Column("k", "text", False), Column("n", "number")), ("k",))


@pytest.mark.parametrize("value", [*sweep_shop.HOSTILE, "\0", "a\0b'c", ""])
def test_hostile_texts_mean_themselves_in_sqlite_and_duckdb(value: str) -> None:
    import duckdb

    with closing(sqlite3.connect(":memory:")) as db:
        assert db.execute(f"select {statements.text('sqlite', value)}").fetchone() == (value,)
    with closing(duckdb.connect()) as duck:
        assert duck.execute(f"select {statements.text('duckdb', value)}").fetchone() == (value,)


def test_texts_of_other_dialects_leave_nothing_to_the_servers_settings() -> None:
    for dialect in ("postgresql", "mysql", "mssql", "oracle"):
        for value in sweep_shop.HOSTILE:
            written = statements.text(dialect, value)
            assert not set(written) & set("\0\n\r\t\u2028"), (dialect, written)
            if dialect == "mysql":
                assert "\\" not in written
            if dialect == "postgresql" and "\\" in written:
                assert written.startswith("E'")
    assert statements.text("postgresql", "a\\'") == "E'a\\\\'''"
    assert statements.text("mssql", "a\nb") == "(N'a' + NCHAR(10) + N'b')"
    assert statements.text("oracle", "a\nb'") == "('a' || UNISTR('\\000a') || 'b''')"
    with pytest.raises(SourceError, match="no text with a NUL"):
        statements.text("postgresql", "a\0")
    with pytest.raises(SourceError, match="no Unicode"):
        statements.text("sqlite", "\ud800")


@pytest.mark.parametrize(
    ("dialect", "statement"),
    [
        ("sqlite", """DELETE FROM "main.t" WHERE "k" IN ('a', 'b')"""),
        ("postgresql", """DELETE FROM "main"."t" WHERE "k" IN ('a', 'b')"""),
        ("mysql", "DELETE FROM `main`.`t` WHERE `k` IN ('a', 'b')"),
        ("duckdb", """DELETE FROM "main"."t" WHERE "k" IN ('a', 'b')"""),
        ("mssql", "DELETE FROM [main].[t] WHERE [k] IN (N'a', N'b')"),
        ("oracle", """DELETE FROM "main"."t" WHERE "k" IN ('a', 'b')"""),
    ],
)
def test_statements_of_each_dialect(dialect: str, statement: str) -> None:
    assert statements.delete(dialect, "main.t", statements.among(dialect, TABLE, ("k",), [("a",), ("b",)])) == statement


def test_values_are_written_by_their_type() -> None:
    assert statements.literal("sqlite", "12", "number") == "12"
    assert statements.literal("sqlite", "12; drop", "number") == "'12; drop'"
    assert [statements.literal(dialect, "t", "bool") for dialect in ("postgresql", "mssql")] == ["TRUE", "1"]
    assert statements.literal("oracle", "2026-01-02", "date") == "DATE '2026-01-02'"
    assert statements.literal("oracle", "2026-01-02 10:00:00", "time") == "TIMESTAMP '2026-01-02 10:00:00'"
    assert statements.literal("mssql", "2026-01-02 10:00:00", "time") == "'2026-01-02T10:00:00'"
    assert statements.literal("mysql", None) == "NULL"


def test_checks_are_read_from_what_made_a_table() -> None:
    sql = """create table t (a text check (a like '%)%' and length(a) > 2), "check" int, -- check (no)
        constraint c check ((b in (1, 2)) or "check" = 3), /* check (x) */ d text default 'check (y)')"""
    assert statements_schema.checks(sql) == ["a like '%)%' and length(a) > 2", '(b in (1, 2)) or "check" = 3']


# -- a small shop on SQLite --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_script_that_meets_other_rows_changes_nothing(tmp_path: Path, here: Cli) -> None:
    shop = Sqlite(tmp_path)
    prepared(shop, tmp_path, here)
    plan = planned(here, tmp_path, "--email", "dora.munk@post.example")
    with closing(sqlite3.connect(shop.path)) as db, db:
        db.execute("delete from order_lines where order_no = 'D-1' and line = 2")
    before = shop.rows()
    done = shop.run(tmp_path / "plan.shop.sql")
    assert "constraint failed" in done.stderr and shop.rows() == before, "also where the client goes on after an error"

    made = json.loads((tmp_path / "plan.json").read_text())
    assert set(made["actions"][0]) >= {"source", "object", "record", "field", "action", "reason", "law", "until", "statement"}
    assert made["coverage"] == [] and made["recipients"][0]["name"] == "fragt" and "dora" not in json.dumps(made["recipients"]).casefold()
    assert (tmp_path / "plan.json").read_text().partition("\n")[0] == '{"plan": "complete",'
    assert (tmp_path / "plan.shop.sql").read_text().startswith(f"-- sletteplan {plan.id}: fuldstændig\n")
    for name in ("plan.json", "plan.html", "plan.shop.sql"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.slow
def test_a_plan_is_the_same_twice_and_says_all_that_is_promised(tmp_path: Path, here: Cli) -> None:
    shop = Sqlite(tmp_path)
    prepared(shop, tmp_path, here)
    first = planned(here, tmp_path, "--email", "anna.birk@post.example", "--language", "en")
    assert "To be deleted" in (tmp_path / "plan.html").read_text() and "Sletteplan" not in (tmp_path / "plan.html").read_text()
    again = planned(here, tmp_path, "--email", "anna.birk@post.example")
    assert (first.actions, first.scripts) == (again.actions, again.scripts) and first.id != again.id
    assert "Skal slettes" in (tmp_path / "plan.html").read_text()
    customer = next(one for one in first.actions if one.object == "customers")
    assert customer.action is Action.ANONYMISE and customer.print and customer.rows == 1 and customer.reason.endswith("(orders)")
    assert any("has no key" in note for note in first.scripts[0].notes)
    said = (tmp_path / "persondata.toml").read_text()
    (tmp_path / "persondata.toml").write_text(said + '[[source]]\nname = "old"\nurl = "sqlite:///gone.db"\n')
    plan = planned(here, tmp_path, "--email", "dora.munk@post.example", expect=3)
    assert [(gap.source, gap.object) for gap in plan.coverage] == [("old", "")] and not plan.complete
    assert (tmp_path / "plan.json").read_text().startswith('{"plan": "INCOMPLETE: 1 places could not be looked at')
    assert "INCOMPLETE" in (tmp_path / "plan.shop.sql").read_text().partition("\n")[0]
    page = (tmp_path / "plan.html").read_text()
    assert page.index("Planen er IKKE fuldstændig") < page.index("<h1>")


@pytest.mark.slow
def test_a_request_says_what_is_asked_for_and_keeps_that_a_plan_was_made(tmp_path: Path, here: Cli) -> None:
    shop = Sqlite(tmp_path)
    prepared(shop, tmp_path, here)
    (tmp_path / "her.json").write_text('{"email": "dora.munk@post.example"}')
    for kind in ("deletion", "restriction", "objection"):
        here("request", "open", "--kind", kind, "--received", "2026-11-02", "--person", "her.json")
    plan = planned(here, tmp_path, "--request", "2026-0001")
    assert plan.request == "2026-0001" and {one.action for one in plan.actions} == {Action.DELETE}
    assert f"deletion planned ({plan.id})" in here("request", "show", "2026-0001").output
    restricted = planned(here, tmp_path, "--request", "2026-0002")
    assert {one.action for one in restricted.actions} == {Action.RESTRICT} and not restricted.scripts
    objected = planned(here, tmp_path, "--request", "2026-0003")
    assert of(objected, "newsletter") == {"email=dora.munk@post.example": Action.DELETE}
    assert of(objected, "customers") == {"id=4": Action.RESTRICT}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "plan.txt", "--email", "a@b.example"), "a plan is a JSON file; end the name in .json"),
        (("-o", "no/plan.json", "--email", "a@b.example"), "there is no such folder"),
        (("-o", "plan.json", "--email", "a@b.example"), "run `persondata scan` first"),
        (("-o", "plan.json", "--email", "a@b.example", "--today", "30-06-2026"), "does not match the format"),
        (("--email", "a@b.example"), "Missing option '-o'"),
    ],
)
def test_wrong_words_are_said_in_one_line(tmp_path: Path, here: Cli, words: tuple[str, ...], said: str) -> None:
    done = here("sweep", *words, expect=2)
    assert said in done.output and done.output.count("\n") == 1 and not list(tmp_path.iterdir())
