"""Puts the made-up company together: its people, its sources in memory, and the ledger of whose each record is."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from scanner.demo import (
    cast,
    chat,
    crm_cast,
    crm_schema,
    database,
    erp,
    hr,
    mail,
    mail_cast,
    people,
    personnel_cast,
    scripts,
    share,
    share_cast,
)
from scanner.demo.cast import Member
from scanner.demo.ledger import Ledger
from scanner.demo.people import Person
from scanner.demo.tables import Files, Tables


@dataclass(frozen=True, slots=True)
class Company:
    """The sources as bytes, those that need a server as scripts, who is in them, and the ledger."""

    crm: bytes
    share: Mapping[str, bytes]
    changed: Mapping[str, date]
    mailbox: bytes
    chat: Mapping[str, bytes]
    postgresql: str
    mariadb: str
    customers: list[Person]
    members: list[Member]
    others: list[Member]
    staff: list[Member]
    ledger: Ledger


def make() -> Company:
    """The whole company, the same every time."""
    ledger = Ledger()
    members = cast.read(cast.CUSTOMERS, Random("optifo cast"))
    others = cast.read(cast.OTHERS, Random("optifo others"))
    staff = cast.read(cast.STAFF, Random("optifo employees"))
    taken = {member.person.name for member in (*members, *others, *staff)}
    customers = people.invent(Random("optifo customers"), 340, first_number=10_400, taken=taken)
    workers = people.invent(Random("optifo staff"), 9, first_number=21, taken=taken)
    members += [_as_customer(member, ledger) for member in staff if "customer" in member.also]
    now = [member for member in staff if "left" not in member.also]
    for member in (*staff, *others):
        if left := member.day("left"):
            ledger.left[member.person.number] = left

    crm = Tables("crm", "", crm_schema.COLUMNS, ledger)
    crm_cast.fill(crm, members, others, now, Random("optifo cast database"))
    database.fill(crm, customers, now, Random("optifo database"))
    files = Files("share", ledger)
    share.fill(files, customers, [*workers, *(member.person for member in now)], Random("optifo share"))
    personnel_cast.fill(files, staff, others)
    share_cast.fill(files, members, others, now)
    box = mail.Box(ledger)
    mail.letters(box, customers, now[0].person, Random("optifo mail"))
    mail.special(box, customers, workers)
    mail_cast.fill(box, members, others, now)
    chats = Files("chat", ledger)
    chat.fill(chats, customers, [member.person for member in now] + workers, members, Random("optifo chat"))
    postgresql, mariadb = servers(ledger, members, others, staff, workers, customers)
    return Company(
        sqlite(crm), files.content, files.changed, box.mbox(), chats.content, postgresql, mariadb, customers, members, others, staff, ledger
    )  # fmt: skip


def servers(
    ledger: Ledger, members: list[Member], others: list[Member], staff: list[Member], workers: list[Person], customers: list[Person]
) -> tuple[str, str]:
    """The systems that run on servers, as the scripts that fill them."""
    taken = {member.person.name for member in (*members, *others, *staff)}
    now = [member for member in staff if "left" not in member.also]
    who = {member.person.number: member.person for member in (*members, *others)}

    personnel, rng = Tables("hr", "", hr.COLUMNS, ledger), Random("optifo hr")
    kin = people.invent(rng, 40, first_number=60_001, taken=taken)
    kin[0], kin[3], kin[4] = who[50013], who[10808], who[50015]
    hr.employees(personnel, staff, workers, people.invent(rng, 12, first_number=41, taken=taken), kin, rng)
    applied = [(member.person, left) for member in others if "applicant" in member.kinds and (left := member.day("left"))]
    applied += [(person, date(2025, 2, 1) + timedelta(days=27 * at)) for at, person in enumerate(people.invent(rng, 18, 61_001, taken))]
    hr.applicants(personnel, applied, now[3].person)
    hr.bookings(personnel, members, rng.sample(customers, 60), now[1].person, rng)

    accounts, rng = Tables("erp", "optifo.", erp.COLUMNS, ledger), Random("optifo erp")
    known_here_alone = people.invent(rng, 80, first_number=70_001, taken=taken)
    erp.fill(accounts, members, others, [*rng.sample(customers, 90), *known_here_alone], now, rng)
    return scripts.postgresql(personnel), scripts.mariadb(accounts)


def _as_customer(member: Member, ledger: Ledger) -> Member:
    """An employee as the customer that she also is, with her private address."""
    number = int(member.also["customer"])
    ledger.same(number, member.person.number)
    also = {key: value for key, value in member.also.items() if key not in ("customer", "mail2")}
    return Member(replace(member.person, number=number, email=member.also["mail2"]), frozenset(), also)


def sqlite(tables: Tables) -> bytes:
    """The tables as an SQLite file."""
    book = sqlite3.connect(":memory:")
    try:
        book.execute("pragma foreign_keys = on")
        book.executescript(crm_schema.SCHEMA)
        with book:
            book.execute("pragma defer_foreign_keys = on")
            for table, rows in tables.rows.items():
                names = tables.columns[table]
                book.executemany(f"insert into {table} ({', '.join(names)}) values ({', '.join('?' * len(names))})", rows)
        book.executescript(crm_schema.TRIGGER)
        return book.serialize()
    finally:
        book.close()
