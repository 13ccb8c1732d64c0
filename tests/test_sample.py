"""`scan --sample`: what is claimed of a sample is true, is written down, and gives way to a full scan."""

from __future__ import annotations

import json
import math
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scanner.extract import rows as cut
from scanner.extract import sqlite
from scanner.extract.sampling import SAMPLE, Draw, Sampled, Sampling
from scanner.inventory import Book
from scanner.model import Problem, TextBatch, Unit
from scanner.sources import open_source, sql
from tests.test_sources import admin, server  # noqa: F401 - fixtures
from tests.test_sources_sql import connect, maria, run  # noqa: F401 - fixtures

pytestmark = pytest.mark.slow  # real servers and many seeds: not all the time


Cli = Callable[..., "subprocess.CompletedProcess[str]"]
PLANTED = "plantet"
SEEDS = 40
ROWS = 30_000
RATE, CHANCE = 0.01, 0.2
NEXT = {"beside": "i <= 300", "spread": "i % 100 = 7", "ends": "i <= 150 OR i > 29850"}


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "cli" not in request.fixturenames:
        monkeypatch.setattr(cut, "RANGE_ROWS", 1000)
        monkeypatch.setattr(sqlite, "RANGE_ROWS", 1000)


def sampling(seed: int) -> Sampling:
    return Sampling(seed, rate=RATE, chance=CHANCE, rows=1000)


def draw(source: Any, unit: Unit, seed: int) -> tuple[set[str], Sampled, int]:
    """Read one sample: the columns in which something planted was seen, what is claimed, and the rows that were read."""
    source.sampling = sampling(seed)
    seen: set[str] = set()
    records: list[str] = []
    claims: list[Sampled] = []
    for item in source.read(unit):
        if isinstance(item, TextBatch):
            if item.field == "id":
                records += item.records.to_pylist()
            elif PLANTED in set(item.texts.to_pylist()):
                seen.add(item.field)
        elif isinstance(item, Problem):
            assert isinstance(item, Sampled), item
            claims.append(item)
    assert len(records) == len(set(records)), "no row is read twice"
    assert len(claims) == 1
    return seen, claims[0], len(records)


def hold(source: Any) -> None:
    """Misses are no more frequent than claimed (three standard deviations allowed), and where rows lie together not much rarer."""
    missed = dict.fromkeys(NEXT, 0)
    claimed = 0.0
    source.sampling = sampling(0)
    (unit,) = list(source.units())
    assert unit.part == SAMPLE
    for seed in range(SEEDS):
        seen, claim, read = draw(source, unit, seed)
        assert claim.read == read
        assert claim.chance <= CHANCE + 1e-3
        assert 0.7 * ROWS < claim.there < 1.4 * ROWS
        assert 2 * read < ROWS
        claimed += claim.chance
        for name in NEXT:
            missed[name] += name not in seen
    allowed = claimed + 3 * math.sqrt(claimed * (1 - claimed / SEEDS))
    assert max(missed.values()) <= allowed, (missed, claimed)
    assert missed["beside"] > claimed / 8, "the claim is far from what happens, so that this proves nothing"


@pytest.mark.parametrize("keys", ["i", "i * i * i + 1000000000000 * (i > 15000)"])
def test_misses_are_no_more_frequent_than_claimed_in_sqlite(tmp_path: Path, keys: str) -> None:
    columns = ", ".join(f"CASE WHEN {condition} THEN '{PLANTED}' ELSE 'x' END AS {name}" for name, condition in NEXT.items())
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        db.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(f'{name} TEXT' for name in NEXT)})")
        db.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) INSERT INTO t SELECT {keys}, {columns} FROM n"
        )
        db.commit()
    hold(open_source(f"sqlite:///{tmp_path}/a.db"))


@pytest.mark.parametrize("parts", [1, 3])
def test_misses_are_no_more_frequent_than_claimed_in_postgresql(server: str, admin: Any, parts: int) -> None:  # noqa: F811
    columns = ", ".join(f"CASE WHEN {condition} THEN '{PLANTED}' ELSE 'x' END AS {name}" for name, condition in NEXT.items())
    admin.execute("CREATE SCHEMA IF NOT EXISTS sampled")
    admin.execute(f"CREATE TABLE sampled.t (id int, pad text, {', '.join(f'{name} text' for name in NEXT)}) PARTITION BY hash (id)")
    try:
        for n in range(parts):
            admin.execute(f"CREATE TABLE sampled.t{n} PARTITION OF sampled.t FOR VALUES WITH (MODULUS {parts}, REMAINDER {n})")
        admin.execute(f"INSERT INTO sampled.t SELECT i, repeat('y', 300), {columns} FROM generate_series(1, {ROWS}) i")
        admin.execute("ANALYZE sampled.t")
        hold(open_source(f"postgresql://postgres@/postgres?host={server}", include=["sampled.t"]))
    finally:
        admin.execute("DROP SCHEMA sampled CASCADE")


def test_misses_are_no_more_frequent_than_claimed_in_mariadb(maria: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(sql, "RANGE_ROWS", 1000)
    columns = ", ".join(f"CASE WHEN {condition} THEN '{PLANTED}' ELSE 'x' END AS {name}" for name, condition in NEXT.items())
    made = f"SELECT i AS id, {columns} FROM (SELECT seq AS i FROM seq_1_to_{ROWS}) AS numbers"
    with connect(maria) as admin:  # noqa: F811
        run(admin, f"CREATE DATABASE sampled; USE sampled; CREATE TABLE sampled.t (PRIMARY KEY (id)) {made}")
        run(admin, f"CREATE TABLE sampled.sparse (PRIMARY KEY (id)) SELECT 9 * seq AS id FROM seq_1_to_{ROWS}")
        run(admin, f"CREATE TABLE sampled.past (PRIMARY KEY (id)) WITH SYSTEM VERSIONING SELECT seq AS id FROM seq_1_to_{ROWS}")
        run(admin, f"CREATE TABLE sampled.unnamed SELECT seq AS id FROM seq_1_to_{ROWS}")
        try:
            hold(open_source(f"mysql://root@localhost/sampled?unix_socket={maria}", include=["sampled.t"]))
            whole = open_source(f"mysql://root@localhost/sampled?unix_socket={maria}", exclude=["sampled.t"])
            whole.sampling = sampling(1)  # type: ignore[attr-defined]  # what the command line sets
            units = [one for one in whole.units() if isinstance(one, Unit)]
            assert {one.object for one in units} == {"sampled.past", "sampled.sparse", "sampled.unnamed"}
            read = [one for unit in units for one in whole.read(unit) if isinstance(one, TextBatch)]
            assert sum(len(one.texts) for one in read) == 3 * ROWS, "tables without a dense key, and those that keep old rows"
        finally:
            run(admin, "DROP DATABASE sampled")


def test_a_sample_grows_until_it_is_sure_or_everything_was_read() -> None:
    full = Draw(Sampling(1, rate=0.001, chance=0.01), wanted=0.1)
    rounds = []
    while full.grow():
        rounds.append(full.wanted)
        full.share, full.rows, full.most = full.wanted, round(full.wanted * 20_000), 200  # ever fuller chunks: twenty in all
    assert rounds[0] == 0.1
    assert rounds == sorted(rounds)
    assert full.share == 1.0, "as few chunks as these must all be read"
    enough = Draw(Sampling(1), wanted=0.001)
    while enough.grow():
        enough.share, enough.rows, enough.most = enough.wanted, round(enough.wanted * 10**9), 100
    assert enough.missed() <= 0.01
    assert enough.rows <= 10**6


def covered(folder: Path) -> list[dict[str, Any]]:
    with Book(folder / "persondata-inventory", write=False) as book:
        found = {row["object"]: row["count"] for row in book.rows("select object, count from data_map where entity = 'DK_CPR'")}
        return [{**row, "found": found.get(row["object"], 0)} for row in book.rows("select * from coverage")]


def test_the_coverage_states_the_sample_and_a_full_scan_replaces_it(cli: Cli, tmp_path: Path) -> None:
    count = 400_000
    with closing(sqlite3.connect(tmp_path / "crm.db")) as db:
        db.execute("CREATE TABLE big (id INTEGER PRIMARY KEY, note TEXT)")
        db.execute("CREATE TABLE small (id INTEGER PRIMARY KEY, note TEXT)")
        db.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
            " INSERT INTO big SELECT i, CASE WHEN i % 500 = 0 THEN 'cpr 070761-4285' END FROM n"
        )
        db.execute("INSERT INTO small SELECT * FROM big LIMIT 1000")
        db.commit()
    source = "sqlite:///crm.db"
    summary = json.loads(cli("scan", source, "--sample", "--format", "json", expect=3).stdout)
    assert summary["objects"] == {"complete": 1, "partial": 1, "skipped": 0, "failed": 0, "unchanged": 0}
    table = cli("coverage", expect=3).stdout
    big, small = covered(tmp_path)
    assert (small["status"], small["rows"], small["rows_there"], small["missed"]) == ("complete", 1000, None, None)
    assert big["status"] == "partial"
    assert big["rows"] < count / 3
    assert big["rows_there"] == count
    assert 0 < big["missed"] <= 0.0101
    assert f"{big['rows']:,} of about {count:,} rows" in big["reason"]
    assert "one row in 1,000" in big["reason"]
    assert big["reason"] in table
    assert 0 < big["found"] < 800

    full = json.loads(cli("scan", source, "--format", "json").stdout)
    assert full["rows"] == count
    assert full["objects"]["unchanged"] == 1
    assert full["changes"]["gone"] == full["changes"]["new"] == 0
    big, _ = covered(tmp_path)
    assert (big["status"], big["rows"], big["rows_there"], big["reason"] or "", big["found"]) == ("complete", count, None, "", 800)
    after = json.loads(cli("scan", source, "--sample", "--format", "json").stdout)
    assert after["objects"]["unchanged"] == 2, "what was read in full and has not changed is not thrown away for a sample"
