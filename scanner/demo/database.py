"""Writes the shop's database: customers with declared keys, what hangs on them, and tables about nobody."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from scanner.demo import words
from scanner.demo.people import Person, iban

TODAY = date(2026, 6, 30)
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
)
SCHEMA = """
create table customers (
    customer_no integer primary key, name text not null, company text, cvr text, email text not null unique, phone text,
    street text, postcode text, city text, status text not null check (status in ('active', 'closed')),
    created_at text not null, closed_at text, comment text);
create table products (sku text primary key, name text not null, ean text, price_dkk numeric not null);
create table orders (
    order_no text primary key, customer_no integer not null references customers, ordered_at text not null,
    delivery_address text, note text);
create table order_lines (
    order_no text not null references orders on delete cascade, line integer not null,
    sku text not null references products, quantity integer not null, primary key (order_no, line));
create table payments (
    id integer primary key, order_no text not null references orders, stripe_id text not null, card_brand text,
    card_last4 text, iban text, amount_dkk numeric not null, paid_at integer not null);
create table newsletter (email text primary key, first_name text, subscribed_at text not null, unsubscribed_at text);
create table tickets (
    id integer primary key, customer_no integer references customers, opened_at text not null, subject text,
    message text not null, internal_note text);
create table sessions (
    id text primary key, customer_no integer references customers, ip text not null, user_agent text, cookie_id text,
    started_at text not null);
create table migrations (version text primary key, checksum text not null, applied_at integer not null);
create index orders_customer on orders (customer_no);
create view open_customers as select customer_no, name, email from customers where status = 'active';
"""
PRODUCTS = (
    ("FRI-1", "Fritlægning, enkelt billede", "5712345000012", 12),
    ("FRI-50", "Fritlægning, pakke med 50", "5712345000029", 450),
    ("RET-1", "Retouchering, portræt", "5712345000036", 95),
    ("SKY-1", "Skygge under vare", "5712345000043", 8),
    ("FRV-1", "Farvekorrektion", "5712345000050", 15),
    ("API-1", "API-adgang, 1.000 kald", "5712345000067", 299),
)


def write(path: Path, customers: Sequence[Person], rng: Random) -> None:
    """Write the database, the same bytes every time."""
    book = sqlite3.connect(path)
    try:
        book.execute("pragma foreign_keys = on")
        book.executescript(SCHEMA)
        fill(book, "products", PRODUCTS)
        fill(book, "customers", (customer(person, rng) for person in customers))
        fill(
            book,
            "newsletter",
            [
                (person.email, person.first, stamp(rng), stamp(rng) if rng.random() < 0.2 else None)
                for person in customers
                if rng.random() < 0.7
            ],
        )
        orders = [(f"O-{2024 + at % 3}{at:05}", rng.choice(customers)) for at in range(700)]
        fill(
            book,
            "orders",
            (
                (
                    number,
                    person.number,
                    stamp(rng),
                    person.address if rng.random() < 0.6 else None,
                    words.fill(rng.choice(words.MISTYPED), person, rng) if rng.random() < 0.006 else None,
                )
                for number, person in orders
            ),
        )
        fill(
            book,
            "order_lines",
            [
                (number, line, rng.choice(PRODUCTS)[0], rng.randrange(1, 40))
                for number, _ in orders
                for line in range(1, rng.randrange(2, 5))
            ],
        )
        fill(
            book,
            "payments",
            (payment(at, number, person, rng) for at, (number, person) in enumerate(orders, 1) if rng.random() < 0.9),
        )
        fill(book, "tickets", (ticket(at, rng.choice(customers), rng.choice(customers), rng) for at in range(1, 161)))
        fill(book, "sessions", (session(rng.choice(customers), rng) for _ in range(800)))
        fill(
            book,
            "migrations",
            [(f"20{at:02}0301_{at:04}", f"{rng.getrandbits(256):064x}", 1709280000 + at * 86_400) for at in range(20, 27)],
        )
        book.commit()
    finally:
        book.close()


def fill(book: sqlite3.Connection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows that have a value for every column."""
    width = len(book.execute(f"select * from {table}").description)
    book.executemany(f"insert into {table} values ({', '.join('?' * width)})", rows)


def customer(person: Person, rng: Random) -> tuple[Any, ...]:
    """A row of `customers`; one in fifty has a CPR number typed into the comment."""
    closed = stamp(rng) if rng.random() < 0.25 else None
    comment = (
        rng.choice(("Fast kunde", "Betaler til tiden", "Ring helst efter kl. 16", "Vil have faktura pr. mail"))
        if rng.random() < 0.2
        else None
    )
    if rng.random() < 0.02:
        comment = words.fill(rng.choice(words.MISTYPED), person, rng)
    phone = rng.choice((person.phone, words.spaced(person.phone), f"+45 {words.spaced(person.phone)}", f"+45{person.phone}"))
    return (
        person.number,
        person.name,
        person.company or None,
        person.cvr or None,
        person.email,
        phone,
        person.street,
        person.postcode,
        person.town,
        "closed" if closed else "active",
        "2023-" + stamp(rng)[5:],
        closed,
        comment,
    )


def payment(at: int, order: str, person: Person, rng: Random) -> tuple[Any, ...]:
    """A row of `payments`: a card by its last four digits, or a bank account."""
    by_card = rng.random() < 0.85
    letters = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789", k=24))
    return (
        at,
        order,
        f"pi_{letters}",
        rng.choice(("visa", "mastercard", "dankort")) if by_card else None,
        f"{rng.randrange(10**4):04}" if by_card else None,
        None if by_card else iban(person.account),
        rng.randrange(20, 9000),
        1_704_067_200 + rng.randrange(78_000_000),
    )


def ticket(at: int, person: Person, other: Person, rng: Random) -> tuple[Any, ...]:
    """A row of `tickets`: a free-text message and what the shop noted about it."""
    note = rng.choice(("Løst", "Venter på kunden", "Sendt videre til Mads", f"Talte med {person.first} på {person.phone}"))
    if rng.random() < 0.03:
        note = words.fill(rng.choice(words.MISTYPED), person, rng)
    subject = rng.choice(("Ordre", "Faktura", "Spørgsmål", "Klage", "Login", "Fortrydelse"))
    return (
        at,
        person.number if rng.random() < 0.9 else None,
        stamp(rng),
        subject,
        words.message(person, rng, other),
        note,
    )


def session(person: Person, rng: Random) -> tuple[Any, ...]:
    """A row of `sessions`; four in ten were not logged in."""
    ip = address(rng) if rng.random() < 0.9 else f"2001:db8:{rng.getrandbits(16):x}::{rng.getrandbits(16):x}"
    cookie = f"GA1.2.{rng.randrange(10**8, 10**9)}.{1_704_067_200 + rng.randrange(78_000_000)}"
    return (
        f"{rng.getrandbits(128):032x}",
        person.number if rng.random() < 0.6 else None,
        ip,
        rng.choice(AGENTS),
        cookie,
        stamp(rng),
    )


def address(rng: Random) -> str:
    """An IPv4 address from the blocks set aside for documentation (RFC 5737)."""
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def stamp(rng: Random) -> str:
    """A moment in the last two years."""
    moment = datetime(TODAY.year, TODAY.month, TODAY.day) - timedelta(minutes=rng.randrange(1_000_000))
    return moment.isoformat(sep=" ")
