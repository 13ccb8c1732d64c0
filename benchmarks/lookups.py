"""How soon a table of ten million rows answers a search for one person: PostgreSQL, MariaDB and SQLite, the login included."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks import servers
from benchmarks.__main__ import Figure, once
from scanner.model import Compare, Condition, Database, Problem, TextBatch

ROWS = 10_000_000
_POSTGRESQL = f"""
create table kunder (id int, email text, telefon varchar(20), note text);
insert into kunder select i, 'kunde' || i || '@example.dk', (20000000 + i)::text, 'en note til sagen ' || i from generate_series(1, {ROWS}) i;
alter table kunder add primary key (id);
create index on kunder (email); create index on kunder (telefon);
"""
_MARIADB = f"""
create database optifo character set utf8mb4; use optifo;
create table kunder (id int primary key, email varchar(60), telefon varchar(20), note text);
insert into kunder select seq, concat('kunde', seq, '@example.dk'), 20000000 + seq, concat('en note til sagen ', seq) from seq_1_to_{ROWS};
alter table kunder add index (email), add index (telefon);
analyze table kunder;
"""
_SQLITE = f"""
create table kunder (id integer primary key, email text, telefon integer, note text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < {ROWS})
insert into kunder select i, 'kunde' || i || '@example.dk', 20000000 + i, 'en note til sagen ' || i from n;
create index e on kunder (email); create index t on kunder (telefon);
"""


def postgresql() -> Iterator[Figure]:
    """The table in PostgreSQL."""
    yield from _served("PostgreSQL", servers.postgresql, _POSTGRESQL, "public.kunder")


def mariadb() -> Iterator[Figure]:
    """The table in MariaDB."""
    yield from _served("MariaDB", servers.mariadb, _MARIADB, "optifo.kunder")


def sqlite() -> Iterator[Figure]:
    """The table in an SQLite file."""
    os.nice(5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "crm.db")
        with closing(sqlite3.connect(path)) as db:
            db.executescript(f"pragma synchronous = off; {_SQLITE}")
        yield from _figures("SQLite", f"sqlite:///{path}", "kunder")


def _served(name: str, server: Callable[[Path], Any], script: str, object: str) -> Iterator[Figure]:
    os.nice(5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made.sql")
        path.write_text(script, encoding="utf-8")
        with server(path) as url:
            yield from _figures(name, url, object)


def _figures(name: str, url: str, object: str) -> Iterator[Figure]:
    from scanner.sources import open_source

    source = open_source(url)
    assert isinstance(source, Database)
    people = [ROWS // 41 * number for number in range(1, 41)]
    emails = tuple((f"kunde{number}@example.dk",) for number in people)
    phones = tuple((str(20_000_000 + number + 1),) for number in people)
    questions = {
        "one value of an indexed column": (1, [Condition(("email",), emails[:1])]),
        "forty values": (40, [Condition(("email",), emails)]),
        "forty values in each of two columns": (80, [Condition(("email",), emails), Condition(("telefon",), phones)]),
        "forty records by their key": (40, [Condition(("id",), tuple((str(number),) for number in people))]),
    }
    for words, (rows, conditions) in questions.items():
        seconds = min(once(lambda conditions=conditions, rows=rows: _ask(source, object, conditions, rows)) for _ in range(3))  # type: ignore[misc]
        yield Figure(f"{name}, ten million rows: {words}", seconds, "s", "under 1", seconds < 1, f"{rows} rows, the login included")
    folded = [Condition(("email",), tuple((value.upper(),) for (value,) in emails), Compare.FOLDED)]
    seconds = once(lambda: _ask(source, object, folded, 40))
    yield Figure(
        f"{name}, ten million rows: forty values in any case",
        seconds,
        "s",
        "",
        True,
        "40 rows; MariaDB's collation lets the index help, elsewhere the table is read once",
    )


def _ask(source: Database, object: str, conditions: list[Condition], rows: int) -> None:
    readings = list(source.lookup(object, conditions))
    assert not any(isinstance(one, Problem) for one in readings), readings
    assert sum(len(one.texts) for one in readings if isinstance(one, TextBatch) and one.field == "id") == rows


ALL = {"lookup-postgresql": postgresql, "lookup-mariadb": mariadb, "lookup-sqlite": sqlite}
