"""The personnel and booking system on PostgreSQL: employees, payroll, absence, applicants, and who booked a studio."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from scanner.demo import writing
from scanner.demo.cast import Member
from scanner.demo.database import short
from scanner.demo.people import Person, iban
from scanner.demo.tables import Tables, by

SCHEMA = """
create table public.employees (
    employee_no integer primary key, cpr char(11) not null unique, name text not null, street text, postcode text, city text,
    private_email text, private_phone text, work_email text, initials varchar(3) unique, hired_on date not null, left_on date,
    salary_dkk numeric(10, 2), iban text);
create table public.contracts (
    id integer primary key, employee_no integer not null references public.employees, signed_on date not null, body text);
create table public.payroll_codes (code integer primary key, label text not null);
create table public.payroll_lines (
    employee_no integer not null references public.employees, period date not null,
    code integer not null references public.payroll_codes, amount_dkk numeric(10, 2) not null,
    primary key (employee_no, period, code));
create table public.absences (
    id integer primary key, employee_no integer not null references public.employees on delete cascade, from_on date not null,
    to_on date, reason text);
create table public.next_of_kin (
    id integer primary key, employee_no integer not null references public.employees on delete cascade, name text not null,
    phone text, relation text);
create table public.applicants (
    id integer primary key, name text not null, email text, phone text, address text, applied_on date not null, decided_on date,
    cv jsonb);
create table public.applicant_notes (id integer primary key, applicant integer not null, oprettet_af varchar(3), note text not null);
create schema studio;
create table studio.rooms (id integer primary key, name text not null);
create table studio.bookings (
    id integer primary key, kundenr integer, email text, name text, phone text, room_id integer references studio.rooms,
    starts_at timestamp with time zone not null, created_by varchar(3), deleted_at timestamp with time zone);
create table studio.guests (
    booking_id integer not null references studio.bookings on delete cascade, seq integer not null, name text not null, email text,
    primary key (booking_id, seq));
create table studio.visitors (visitor uuid primary key, email text, first_seen date);
create table studio.web_events (id bigint primary key, visitor uuid not null, at timestamp with time zone not null, details jsonb);
create table studio.gone (booking_id integer, name text, at timestamp with time zone default now());
"""
AFTER = """
create index payroll_employee on public.payroll_lines (employee_no);
create function studio.note_gone() returns trigger language plpgsql as $$
begin
    insert into studio.gone (booking_id, name) values (old.id, old.name);
    return old;
end $$;
create trigger booking_gone after delete on studio.bookings for each row execute function studio.note_gone();
"""
COLUMNS = {
    "public.employees": "employee_no* cpr name street postcode city private_email private_phone work_email initials hired_on left_on"
    " salary_dkk iban",
    "public.contracts": "id* employee_no signed_on body",
    "public.payroll_codes": "code* label",
    "public.payroll_lines": "employee_no* period* code* amount_dkk",
    "public.absences": "id* employee_no from_on to_on reason",
    "public.next_of_kin": "id* employee_no name phone relation",
    "public.applicants": "id* name email phone address applied_on decided_on cv",
    "public.applicant_notes": "id* applicant oprettet_af note",
    "studio.rooms": "id* name",
    "studio.bookings": "id* kundenr email name phone room_id starts_at created_by deleted_at",
    "studio.guests": "booking_id* seq* name email",
    "studio.visitors": "visitor* email first_seen",
    "studio.web_events": "id* visitor at details",
}
CODES = ((100, "Bruttoløn"), (210, "Fagforeningskontingent HK"), (220, "Kirkeskat"), (300, "AM-bidrag"))
REASONS = ("Influenza", "Barns sygdom", "Stress, lægeerklæring modtaget", "Ferie", "Knæoperation", "Barsel")


def employees(
    tables: Tables, staff: Sequence[Member], workers: Sequence[Person], former: Sequence[Person], kin: Sequence[Person], rng: Random
) -> None:
    """Who works here or did, what they earn, when they were away, and whom to call."""
    tables.fill("public.payroll_codes", CODES)
    everybody: list[tuple[Person, date | None, str | None]] = [
        (member.person, member.day("left"), short(member.person)) for member in staff
    ]
    everybody += [(person, None, None) for person in workers]
    everybody += [(person, date(2016 + person.number % 10, 1 + person.number % 12, 28), None) for person in former]
    for at, (person, left, initials) in enumerate(everybody):
        hired = date(2012 + at % 4, 1 + at % 12, 1)
        mail, work = (None, person.email) if initials else (person.email, f"medarbejder{person.number}@optifo.example")
        row = (
            *(person.number, person.cpr, person.name, person.street, person.postcode, person.town, mail),
            *(writing.phones(person.phone)[at % 8], work, initials, hired, left, 31_000 + at * 450, iban(person.account)),
        )
        tables.add("public.employees", row, person, when=left)
        if left:
            tables.ledger.left[person.number] = left
        body = f"Ansættelsesaftale mellem Optifo ApS og {person.name}, {person.cpr}. Stilling: billedbehandler, 37 timer."
        tables.add("public.contracts", (at + 1, person.number, hired, body), person, when=left)
        last = left or date(2026, 5, 31)
        for back in range(0, 30, 6):
            period = (last.replace(day=1) - timedelta(days=30 * back)).replace(day=1)
            for code, amount in ((100, 34_500), (210, 489 * (at % 2)), (220, 210 * (at % 3 > 0)), (300, 2_760)):
                if amount:
                    tables.add("public.payroll_lines", (person.number, period, code, amount), person, when=period)
        for away in range(rng.randrange(3)):
            begun = last - timedelta(days=200 * away + 20)
            row_ = (len(tables.rows["public.absences"]) + 1, person.number, begun, begun + timedelta(days=9), rng.choice(REASONS))
            tables.add("public.absences", row_, person, when=row_[3])
        relative = kin[at]
        entry = (
            at + 1,
            person.number,
            relative.name,
            writing.phones(relative.phone)[(at + 3) % 8],
            rng.choice(("mor", "ægtefælle", "bror")),
        )
        tables.add("public.next_of_kin", entry, person, by(relative, strength="likely"))


def applicants(tables: Tables, people: Sequence[tuple[Person, date]], clerk: Person) -> None:
    """Who applied, when the answer was no, and what was said about them."""
    for at, (person, decided) in enumerate(people, 8_101):
        cv = f'{{"navn": "{person.name}", "født": "{person.born}", "erfaring": ["butik", "lager"], "forening": "HK"}}'
        applied = decided - timedelta(days=40)
        row = (at, person.name, person.email, writing.phones(person.phone)[at % 8], writing.address(person), applied, decided, cv)
        tables.add("public.applicants", row, person, when=decided)
        tables.ledger.left[person.number] = decided
        note = (at - 8_000, at, short(clerk), "Virkede nervøs, er ordblind" if at % 2 else "God samtale, mangler erfaring")
        tables.add("public.applicant_notes", note, person, by(clerk, "handler"), when=decided)


def bookings(tables: Tables, members: Sequence[Member], customers: Sequence[Person], clerk: Person, rng: Random) -> None:
    """Studios booked by customers of the shop, who are known by number or by e-mail, and by what they are called."""
    tables.fill("studio.rooms", ((1, "Studie Karen Blichfeldt"), (2, "Studie Peter Lundbye"), (3, "Dagslys")))
    booked = [(member.person, member) for member in members if member.person.number % 2 == 0 and member.person.email]
    for person, member in [*booked, *((person, None) for person in customers)]:
        at, day = len(tables.rows["studio.bookings"]) + 1, date(2023, 6, 1) + timedelta(days=(person.number * 53) % 1100)
        second = member.also.get("mail2", "") if member else ""
        number = person.number if person.number % 4 == 0 or (member and "shared-mail" in member.kinds) else None
        email = None if number else (second or person.email)
        gone = f"{day + timedelta(days=1)} 08:00:00+00" if rng.random() < 0.1 else None
        strength = "likely" if "+" in (email or "") or (member and "shared-mailbox" in member.kinds and not number) else "certain"
        named = person.name if member is None or "join-only" not in member.kinds else None
        phone = writing.phones(person.phone)[(person.number + 4) % 8]
        row = (at, number, email, named, phone, 1 + person.number % 3, f"{day} 10:00:00+00", short(clerk), gone)
        tables.add("studio.bookings", row, by(person, strength=strength, soft=bool(gone)), by(clerk, "handler"), when=day)
        if rng.random() < 0.4:
            guest = rng.choice(customers)
            row_ = (at, 1, guest.name, guest.email)
            tables.add(
                "studio.guests", row_, *([by(guest, "mentioned")] if guest is not person else []), by(person, strength=strength), when=day
            )
        visitor = "-".join(f"{rng.getrandbits(bits):0{bits // 4}x}" for bits in (32, 16, 16, 16, 48))
        if email and rng.random() < 0.6:
            tables.add("studio.visitors", (visitor, email, day), by(person, strength=strength), when=day)
            for step in range(2):
                seen = (len(tables.rows["studio.web_events"]) + 1, visitor, f"{day} 09:5{step}:00+00", f'{{"page": "/studie/{step + 1}"}}')
                tables.add("studio.web_events", seen, by(person, strength=strength), when=day)
