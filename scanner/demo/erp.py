"""The old accounting and support system on MariaDB, in Danish: customers under old names, invoices, cases and their notes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from scanner.demo import writing
from scanner.demo.cast import Member
from scanner.demo.crm_cast import reads_at
from scanner.demo.database import short
from scanner.demo.people import Person
from scanner.demo.share_cast import called
from scanner.demo.tables import Tables, by

SCHEMA = """
CREATE TABLE medarbejdere (init CHAR(3) PRIMARY KEY, navn VARCHAR(80) NOT NULL, email VARCHAR(120), tlf VARCHAR(30));
CREATE TABLE kunder (
    kunde_id INT PRIMARY KEY, crm_nr INT, navn VARCHAR(80) CHARACTER SET latin1 NOT NULL, adresse VARCHAR(120) CHARACTER SET latin1,
    postnr CHAR(4), bynavn VARCHAR(40), tlf VARCHAR(30), email VARCHAR(120), cpr VARCHAR(11), oprettet DATE NOT NULL, lukket DATE,
    slettet TINYINT NOT NULL DEFAULT 0, KEY (email), KEY (crm_nr));
CREATE TABLE fakturaer (
    faktura_nr VARCHAR(16) PRIMARY KEY, kunde_id INT NOT NULL, dato DATE NOT NULL, navn VARCHAR(80), adresse VARCHAR(160),
    beloeb DECIMAL(10, 2) NOT NULL, KEY (kunde_id));
CREATE TABLE fakturalinjer (
    faktura_nr VARCHAR(16) NOT NULL, linje INT NOT NULL, tekst VARCHAR(120), beloeb DECIMAL(10, 2) NOT NULL,
    PRIMARY KEY (faktura_nr, linje), FOREIGN KEY (faktura_nr) REFERENCES fakturaer (faktura_nr) ON DELETE CASCADE);
CREATE TABLE finansposter (
    postering_nr INT PRIMARY KEY, faktura_nr VARCHAR(16), konto INT NOT NULL, dato DATE NOT NULL, tekst VARCHAR(120),
    beloeb DECIMAL(10, 2) NOT NULL);
CREATE TABLE sager (
    sag_id INT PRIMARY KEY, kunde_id INT NOT NULL, oprettet DATE NOT NULL, emne VARCHAR(80), ansvarlig CHAR(3),
    FOREIGN KEY (kunde_id) REFERENCES kunder (kunde_id), FOREIGN KEY (ansvarlig) REFERENCES medarbejdere (init));
CREATE TABLE sagsnotater (
    id INT PRIMARY KEY, sag_id INT NOT NULL, dato DATE NOT NULL, skrevet_af CHAR(3), tekst TEXT,
    FOREIGN KEY (sag_id) REFERENCES sager (sag_id) ON DELETE CASCADE);
CREATE TABLE nyhedsbrev_profil (email VARCHAR(120) PRIMARY KEY, interesser VARCHAR(120), aabnet INT NOT NULL);
CREATE TABLE slettelog (kunde_id INT, tid DATETIME, navn VARCHAR(80));
"""
AFTER = """
CREATE TRIGGER kunde_slettet AFTER DELETE ON kunder FOR EACH ROW INSERT INTO slettelog VALUES (OLD.kunde_id, NOW(), OLD.navn);
"""
COLUMNS = {
    "medarbejdere": "init* navn email tlf",
    "kunder": "kunde_id* crm_nr navn adresse postnr bynavn tlf email cpr oprettet lukket slettet",
    "fakturaer": "faktura_nr* kunde_id dato navn adresse beloeb",
    "fakturalinjer": "faktura_nr* linje* tekst beloeb",
    "finansposter": "postering_nr* faktura_nr konto dato tekst beloeb",
    "sager": "sag_id* kunde_id oprettet emne ansvarlig",
    "sagsnotater": "id* sag_id dato skrevet_af tekst",
    "nyhedsbrev_profil": "email* interesser aabnet",
}
TOPICS = ("Reklamation", "Levering", "Betaling", "Login", "Spørgsmål til faktura")
SAID = ("Kunden ringer igen fredag", "Lovet svar inden ugens udgang", "Har betalt, sagen lukkes", "Kunden er vred og har fået rabat")


def fill(
    tables: Tables, members: Sequence[Member], others: Sequence[Member], customers: Sequence[Person], staff: Sequence[Member], rng: Random
) -> None:
    """The cast first, then ordinary customers of the shop, some of whom are known here alone."""
    for member in staff:
        person = member.person
        tables.add("medarbejdere", (short(person), person.name, person.email, writing.phones(person.phone)[5]), person)
    for member in members:
        if member.kinds & {"changed-name", "changed-cpr", "shared-phone", "hold"} or member.person.number % 2 or "shared" in member.also:
            old_customer(tables, member, staff[member.person.number % 2].person, rng)
    for member in others:
        if "erp-only" in member.kinds:
            old_customer(tables, member, staff[0].person, rng)
    for person in customers:
        in_shop, end = person.number < 50_000, rng.random() < 0.2
        closed = date(2023, 7, 1) + timedelta(days=rng.randrange(1000)) if end and not in_shop else None
        entry = Member(person, frozenset(), {"closed": closed.isoformat()} if closed else {})
        old_customer(tables, entry, staff[0 if rng.random() < 0.7 else 1].person, rng)


def old_customer(tables: Tables, member: Member, clerk: Person, rng: Random) -> None:
    """A row of `kunder`, with invoices that no declared key leads to, and a case."""
    person, kinds, at = member.person, member.kinds, len(tables.rows["kunder"])
    by_number, by_mail, by_cpr = links(member)
    number, closed = 30_001 + at, member.day("closed")
    name, address = member.also.get("was") or called(member), writing.short(person.street)
    email = member.also.get("shared", person.email) if by_mail else None
    digits = writing.cprs(member.also.get("cpr2", person.cpr))[4 if at % 2 else 1]
    phone = None if "changed-name" in kinds else writing.phones(person.phone)[(person.number + 2) % 8]
    row = (
        *(number, person.number if by_number else None, name, address, person.postcode, person.town, phone, email),
        *(str(digits) if by_cpr else None, date(2015 + at % 8, 3, 1), closed, int("soft-deleted" in kinds)),
    )
    strength = "certain" if by_number or by_cpr or by_mail == "own" else "likely"
    mine = by(person, strength=strength)
    tables.add("kunder", row, by(person, strength=strength, soft="soft-deleted" in kinds), when=closed)
    if closed:
        tables.ledger.closed_before[person.number] = closed
    for day in member.days("orders")[:1] or [date(2017, 4, 5) + timedelta(days=rng.randrange(3300))]:
        bill = f"E{day.year}-{len(tables.rows['fakturaer']) + 1:05}"
        tables.add("fakturaer", (bill, number, day, name, f"{address}, {person.postcode} {person.town}", 450), mine, when=day)
        tables.add("fakturalinjer", (bill, 1, "Fritlægning", 400), mine, when=day)
        tables.add("fakturalinjer", (bill, 2, "Gebyr", 50), mine, when=day)
        text = f"Faktura {bill} {name}" if at % 3 == 0 else f"Faktura {bill}"
        tables.add("finansposter", (len(tables.rows["finansposter"]) + 1, bill, 1010, day, text, 450), mine, when=day)
    opened = date(2024, 1, 1) + timedelta(days=rng.randrange(880))
    case = len(tables.rows["sager"]) + 1
    tables.add("sager", (case, number, opened, rng.choice(TOPICS), short(clerk)), mine, by(clerk, "handler"), when=closed)
    note = (len(tables.rows["sagsnotater"]) + 1, case, opened, short(clerk), f"{person.first}: {rng.choice(SAID)}")
    tables.add("sagsnotater", note, mine, by(clerk, "handler"), when=closed)
    withdrawn = tables.ledger.withdrawn.get(person.number)
    if person.email and by_mail != "shared" and (withdrawn or at % 5 == 0) and "shared-mailbox" not in kinds:
        mail = reads_at(member)
        profile = by(person, strength="likely" if "+" in mail or "shared-mail" in kinds else "certain")
        tables.add("nyhedsbrev_profil", (mail, "rammer, portræt", rng.randrange(40)), profile, when=withdrawn)


def links(member: Member) -> tuple[bool, str, bool]:
    """Whether the old system knows the shop's number, whose e-mail it has (`own`, `shared` or none), and whether the CPR number."""
    person = member.person
    if "shared" in member.also:
        return False, "shared", False
    if "was" in member.also:
        return ((False, "", True), (False, "own", False), (True, "", False), (True, "own", True))[person.number % 10]
    if person.number >= 50_000:
        return False, "own" if person.email else "", person.number % 3 == 0
    return person.number % 5 < 3, "" if person.number % 5 == 0 or "shared-mail" in member.kinds else "own", person.number % 3 == 0
