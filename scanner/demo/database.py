"""The rows of the shop's database that belong to ordinary customers: what they bought, asked, read and clicked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from scanner.demo import words
from scanner.demo.cast import Member
from scanner.demo.crm_schema import PRODUCTS
from scanner.demo.ledger import DAY, Mark, evidence
from scanner.demo.people import Person, iban
from scanner.demo.tables import Tables, Whose, by
from scanner.demo.writing import plain

PATHS = ("/", "/priser", "/konto", "/kurv", "/ordrer", "/hjaelp", "/produkt/RAM-7", "/produkt/FRI-50")
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
)
ACTIONS = ("opslag", "adresse rettet", "refusion", "adgangskode nulstillet", "rabat givet")


def fill(tables: Tables, customers: Sequence[Person], staff: Sequence[Member], rng: Random) -> None:
    """The rows of ordinary customers, the same every time."""
    closed = {person.number: stamp(rng) if rng.random() < 0.25 else None for person in customers}
    for person in customers:
        tables.add("customers", customer(person, closed[person.number], rng), person, when=closed[person.number])
        if end := closed[person.number]:
            tables.ledger.closed[person.number] = date.fromisoformat(end[:10])
    for person in customers:
        if rng.random() < 0.7:
            cookie, out = cookie_id(rng) if rng.random() < 0.5 else None, stamp(rng) if rng.random() < 0.2 else None
            tables.add("newsletter", (person.email, person.first, stamp(rng), out, cookie), person, when=out)
            if out:
                tables.ledger.withdrawn[person.number] = date.fromisoformat(out[:10])
    for at in range(760):
        order(tables, at, rng.choice(customers), rng)
    for _ in range(160):
        ticket(tables, rng.choice(customers), rng.choice(customers), rng.choice(staff).person, rng)
    for _ in range(800):
        session(tables, rng.choice(customers), rng)
    for _ in range(500):
        clerk = staff[0] if rng.random() < 0.6 else rng.choice(staff)
        log(tables, rng.choice(customers), clerk.person, stamp(rng), rng.choice(ACTIONS))
    tables.fill(
        "migrations", ((f"20{at:02}0301_{at:04}", f"{rng.getrandbits(256):064x}", 1_709_280_000 + at * 86_400) for at in range(20, 27))
    )


def order(tables: Tables, at: int, person: Person, rng: Random) -> None:
    """An order with its lines, a payment and an invoice; one in six is of an earlier time."""
    moment = stamp(rng) if rng.random() > 0.17 else f"{rng.randrange(2018, 2024)}{stamp(rng)[4:]}".replace("-02-29", "-02-28")
    delivery = person.address if rng.random() < 0.6 else None
    note = words.fill(rng.choice(words.MISTYPED), person, rng) if rng.random() < 0.006 else None
    buy(tables, (f"O-{moment[:4]}{at:05}", person.number, moment, delivery, note), person, rng)


def buy(tables: Tables, row: tuple[str, int, str, str | None, str | None], person: Person, rng: Random) -> None:
    """Add a row of `orders` and what hangs on it; all of it is accounting material of the order's day."""
    number, _, moment, *_ = row
    tables.add("orders", row, person, when=moment)
    for line in range(1, rng.randrange(2, 5)):
        tables.add("order_lines", (number, line, rng.choice(PRODUCTS)[0], rng.randrange(1, 40)), person, when=moment)
    if rng.random() < 0.9:
        tables.add("payments", payment(len(tables.rows["payments"]) + 1, number, moment, person, rng), person, when=moment)
    if rng.random() < 0.6:
        issued = date.fromisoformat(moment[:10])
        billed = (f"F-{issued.year}-{len(tables.rows['invoices']) + 1:04}", number, person.number, issued.isoformat())
        tables.add("invoices", (*billed, person.company or person.name, person.address, rng.randrange(20, 9000)), person, when=issued)


def customer(person: Person, closed: str | None, rng: Random) -> tuple[Any, ...]:
    """A row of `customers`; one in fifty has a CPR number typed into the comment."""
    comment = (
        rng.choice(("Fast kunde", "Betaler til tiden", "Ring helst efter kl. 16", "Vil have faktura pr. mail"))
        if rng.random() < 0.2
        else None
    )
    if rng.random() < 0.02:
        comment = words.fill(rng.choice(words.MISTYPED), person, rng)
    phone = rng.choice((person.phone, words.spaced(person.phone), f"+45 {words.spaced(person.phone)}", f"+45{person.phone}"))
    who = (person.number, person.name, person.company or None, person.cvr or None, person.email, phone)
    status = "closed" if closed else "active"
    return *who, person.street, person.postcode, person.town, status, "2023-" + stamp(rng)[5:], closed, comment, None


def payment(at: int, order: str, moment: str, person: Person, rng: Random) -> tuple[Any, ...]:
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
        int(datetime.fromisoformat(moment + "+00:00").timestamp()) + rng.randrange(3600),
    )


def ticket(tables: Tables, person: Person, other: Person, clerk: Person, rng: Random) -> None:
    """A row of `tickets`: a free-text message and what the shop noted about it."""
    note = rng.choice(("Løst", "Venter på kunden", "Sendt videre til Mads", f"Talte med {person.first} på {person.phone}"))
    if rng.random() < 0.03:
        note = words.fill(rng.choice(words.MISTYPED), person, rng)
    subject = rng.choice(("Ordre", "Faktura", "Spørgsmål", "Klage", "Login", "Fortrydelse"))
    known, opened, text = rng.random() < 0.9, stamp(rng), words.message(person, rng, other)
    at = len(tables.rows["tickets"]) + 1
    row = (at, person.number if known else None, opened, subject, text, note, short(clerk), None)
    place = tables.add("tickets", row, by(clerk, "handler"), when=opened)
    if known:
        tables.ledger.mark(Mark(person.number, place, when=date.fromisoformat(opened[:10])))
    else:
        tables.ledger.told(person, place, f"{text}\n{note}", "author")
    if other is not person and evidence(text, other):
        tables.ledger.told(other, place, text)


def session(tables: Tables, person: Person, rng: Random) -> None:
    """A row of `sessions` and what was done in it; four in ten were not logged in, and are nobody's."""
    ip = address(rng) if rng.random() < 0.9 else f"2001:db8:{rng.getrandbits(16):x}::{rng.getrandbits(16):x}"
    whose = [person] if rng.random() < 0.6 else []
    visit(tables, whose[0].number if whose else None, ip, cookie_id(rng), stamp(rng), whose, rng)


def visit(tables: Tables, number: int | None, ip: str, cookie: str, moment: str, whose: Sequence[Whose], rng: Random) -> None:
    """Add a session, its events and its page views; only the cookie and the session lead to whose they are."""
    key = f"{rng.getrandbits(128):032x}"
    tables.add("sessions", (key, number, ip, rng.choice(AGENTS), cookie, moment), *whose, when=moment)
    for step in range(rng.randrange(3)):
        at = (datetime.fromisoformat(moment) + timedelta(minutes=step + 1)).isoformat(sep=" ")
        kind = rng.choice(("login", "search", "add_to_cart", "checkout"))
        tables.add("events", (len(tables.rows["events"]) + 1, key, at, kind, rng.choice(PATHS)), *whose, when=at)
        tables.add("page_views", (cookie, at, rng.choice(PATHS)), *whose, when=at)


def log(tables: Tables, person: Person, clerk: Person, at: str, action: str, detail: str | None = None) -> None:
    """A row of `audit_log`: who acted, and which customer it concerned."""
    row = (len(tables.rows["audit_log"]) + 1, at, short(clerk), person.number, action, detail)
    tables.add("audit_log", row, person, by(clerk, "handler"), when=at)


def short(person: Person) -> str:
    """The initials by which the shop's systems call an employee."""
    given, *_, surname = person.name.split()
    return plain(given[0] + surname[:2]).upper()[:3]


def cookie_id(rng: Random) -> str:
    return f"GA1.2.{rng.randrange(10**8, 10**9)}.{1_704_067_200 + rng.randrange(78_000_000)}"


def address(rng: Random) -> str:
    """An IPv4 address from the blocks set aside for documentation (RFC 5737)."""
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def stamp(rng: Random) -> str:
    """A moment in the last two years."""
    moment = datetime(DAY.year, DAY.month, DAY.day) - timedelta(minutes=rng.randrange(1_000_000))
    return moment.isoformat(sep=" ")
