"""The rows of the shop's database about the cast: everything that leads to one person in more than one way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from scanner.demo import writing
from scanner.demo.cast import Member
from scanner.demo.crm_schema import PRODUCTS
from scanner.demo.database import address, buy, cookie_id, log, short, visit
from scanner.demo.people import Person
from scanner.demo.tables import Tables, Whose, by

CAMPAIGNS = (
    (1, "Forårstilbud", "2025-04-01", "JSA"),
    (2, "Sommertilbud", "2025-06-15", "JSA"),
    (3, "Black Friday", "2025-11-28", "MBI"),
    (4, "Nye rammer", "2026-05-12", "JSA"),
)
ASKS = (
    "Hej, hvornår kommer min ordre? Venlig hilsen {name}",
    "Jeg kan ikke finde min faktura i jeres system. Mvh {name}",
    "Kan I sende billederne igen? De ligger ikke på min konto.",
    "Tak for hjælpen i telefonen i går. {name}, {phone}",
)
NOTES = ("Ringede, vil tænke over tilbuddet", "Ønsker levering i uge 32", "Har fået 10 % på næste ordre", "Meget glad for sidste levering")


def fill(tables: Tables, members: Sequence[Member], others: Sequence[Member], staff: Sequence[Member], rng: Random) -> None:
    """Add the cast to the tables; `others` are no customers but leave traces here."""
    tables.fill("products", PRODUCTS)
    called = {short(member.person): member.person for member in staff}
    for key, person in called.items():
        tables.add("staff", (key, person.name, person.email), person)
    for campaign in CAMPAIGNS:
        tables.add("campaigns", campaign, by(called[campaign[-1]], "handler"))
    for member in members:
        account(tables, member)
    for member in (*members, *others):
        mailing(tables, member, rng)
    for member in members:
        clerk = staff[member.person.number % 2].person
        for day in member.days("orders"):
            number = f"O-{day.year}{50_000 + len(tables.rows['orders'])}"
            buy(tables, (number, member.person.number, f"{day} 10:15:00", member.person.address, None), member.person, rng)
        traces(tables, member, rng)
        asks(tables, member, clerk, rng)
    stories(tables, {member.person.number: member for member in (*members, *others)}, staff)


def account(tables: Tables, member: Member) -> None:
    """The row of `customers`, the login where there is one, and when it all ended."""
    person, end, gone = member.person, member.day("closed"), member.day("gone")
    second = member.also.get("mail2", "")
    same = "+" in second or second.lower() == person.email
    comment = f"Skriver også fra {second}" if second and not same else None
    if "cpr-forms" in member.kinds:
        comment = f"Har vist legitimation, cpr {writing.cprs(person.cpr)[person.number % 4]}"
    if "changed-cpr" in member.kinds:
        comment = f"Har fået nyt personnummer: {person.cpr}, tidligere {member.also['cpr2']}"
    email = second if same and "email-case" in member.kinds and "+" not in second else person.email
    phone = writing.phones(person.phone)[person.number % 8]
    row = (
        *(person.number, "Gæst" if "join-only" in member.kinds else person.name, person.company or None, person.cvr or None, email, phone),
        *(person.street, person.postcode, person.town, "closed" if end else "active"),
        *(f"{min(member.days('orders') or [date(2024, 1, 9)]) - timedelta(days=40)} 09:00:00", end and f"{end} 12:00:00", comment),
        gone and f"{gone} 12:00:00",
    )
    tables.add("customers", row, by(person, soft=bool(gone)), when=end)
    if end:
        tables.ledger.closed[person.number] = end
    if user := member.also.get("user"):
        tables.add("logins", (user, person.number, "2026-06-01 20:00:00"), person)
        for stars, text in ((5, "Flot arbejde og hurtig levering"), (2, "Rammen var skæv, da den kom")):
            row_ = (len(tables.rows["reviews"]) + 1, user, "RAM-8", stars, text, f"2026-0{stars}-11 19:30:00")
            tables.add("reviews", row_, by(person, "author"), when=row_[-1])


def mailing(tables: Tables, member: Member, rng: Random) -> None:
    """The newsletter, what was sent, and the page views that the cookie of the sign-up leads to."""
    person, out = member.person, member.withdrawn
    asked = "news" in member.also or "cookie-only" in member.kinds or (person.number % 3 == 0 and "erp-only" not in member.kinds)
    if not person.email or not asked:
        return
    email, cookie = reads_at(member), cookie_id(rng)
    strength = "likely" if "+" in email or "shared-mail" in member.kinds or "shared-mailbox" in member.kinds else "certain"
    mark = by(person, strength=strength)
    tables.add("newsletter", (email, person.first, "2024-02-01 08:00:00", out and f"{out} 10:00:00", cookie), mark, when=out)
    if out:
        tables.ledger.withdrawn[person.number] = out
    for campaign in rng.sample((1, 2, 3, 4), 2):
        tables.add("campaign_recipients", (campaign, email, None), mark, when=out)
    if "cookie-only" in member.kinds:
        for page in ("/", "/priser", "/produkt/RAM-8"):
            tables.add("page_views", (cookie, f"2026-02-0{rng.randrange(1, 9)} 21:1{len(page) % 10}:00", page), person)
        visit(tables, None, address(rng), cookie, "2026-02-09 20:00:00", [by(person, policy="unjoined")], rng)


def reads_at(member: Member) -> str:
    """Where the newsletter goes: to the second address where there is one."""
    second = member.also.get("mail2", "")
    return second if second and "email-case" not in member.kinds else member.person.email


def traces(tables: Tables, member: Member, rng: Random) -> None:
    """Visits, one of them without a login: only its cookie is the same. And what employees did and noted."""
    person, cookie = member.person, cookie_id(rng)
    visit(tables, person.number, address(rng), cookie, f"2026-0{rng.randrange(1, 7)}-1{rng.randrange(10)} 18:20:00", [person], rng)
    if person.number % 2 or "cookie" in member.kinds:
        later = f"2026-0{rng.randrange(1, 7)}-2{rng.randrange(9)} 07:40:00"
        visit(tables, None, address(rng), cookie, later, [by(person, strength="likely", policy="unjoined")], rng)


def asks(tables: Tables, member: Member, clerk: Person, rng: Random) -> None:
    """A ticket, a note without a declared key, and two lines of the log."""
    person, day = member.person, f"2025-0{rng.randrange(1, 10)}-1{rng.randrange(10)}"
    text = rng.choice(ASKS).format(name=person.name, phone=writing.phones(person.phone)[(person.number + 3) % 8])
    at = len(tables.rows["tickets"]) + 1
    row = (at, person.number, f"{day} 09:00:00", "Spørgsmål", text, "Løst", short(clerk), None)
    tables.add("tickets", row, person, by(clerk, "handler"), when=day)
    at = len(tables.rows["notes"]) + 1
    tables.add("notes", (at, person.number, day, short(clerk), rng.choice(NOTES)), person, by(clerk, "handler"), when=day)
    log(tables, person, clerk, f"{day} 09:05:00", "opslag")
    log(tables, person, clerk, f"{day} 09:06:00", "adresse rettet", person.address)


def stories(tables: Tables, who: dict[int, Member], staff: Sequence[Member]) -> None:
    """Tickets and contacts in which one person stands in another's record, and names that are nobody's."""
    clerk = staff[0].person

    def ticket(number: int | None, day: str, subject: str, text: str, *whose: Whose, gone: str | None = None, note: str = "Løst") -> None:
        row = (len(tables.rows["tickets"]) + 1, number, f"{day} 11:00:00", subject, text, note, short(clerk), gone)
        mine = [by(who[number].person, soft=bool(gone))] if number else []
        tables.add("tickets", row, *mine, *whose, by(clerk, "handler"), when=day)

    def named(number: int, role: str = "mentioned", strength: str = "possible", findable: bool = True) -> Whose:
        return by(number, role, strength, findable=findable)

    ticket(
        10760, "2025-05-20", "Billeder af Emil",
        "Vores søn Emil Kjærsgaard har fået konstateret ADHD, så billederne fra skolen må ikke bruges. Hilsen Hanne", named(50001),
    )  # fmt: skip
    ticket(10766, "2025-11-03", "Klage", "Silje blev ked af billedet. Silje Bøgh har epilepsi og tåler ikke blitz.", named(50002))
    ticket(
        10758, "2026-01-12", "Levering", "Aflever hos min moster Gerda Mosegaard, hun har nøgle. Ring til hende på 61 44 09 05.",
        named(10808, strength="certain"),
    )  # fmt: skip
    ticket(
        10808, "2026-02-03", "Pakke",
        "Min nabo Birthe Rosenkvist tog imod pakken, hun er netop udskrevet efter en hofteoperation. Tlf. 20993355.",
        named(50005, strength="certain"),
    )  # fmt: skip
    ticket(10764, "2025-10-01", "Konto", "Finn Ladegaard og jeg er skilt, og han skal ikke længere kunne se mine ordrer.", named(10765))
    ticket(10809, "2025-09-20", "Ramme", "Sjovt at I har en ramme, der hedder Sofie Hald ligesom mig! Hilsen Sofie")
    ticket(10786, "2026-03-20", "Ramme", "Rammen Sofie Hald gik i stykker. Send en ny til Peter Lundbyes Vej 4, 7400 Herning.")
    ticket(None, "2026-03-11", "Nulstil", "Jeg har glemt min adgangskode. Mvh Mette Nielsen", named(10750, "author"))
    ticket(None, "2026-03-12", "Spørgsmål", "Hvor længe gemmer I mine billeder?", named(10756, "author", "possible", False))
    ticket(None, "2025-08-05", "Afhentning", "Kan jeg hente rammen fredag? Ring på 42 30 99 01. Thorkild", named(10784, "author", "likely"))
    ticket(
        None, "2025-08-09", "Faktura", "Send fakturaen til familien.kjaersgaard@post.example. Hilsen Torben Kjærsgaard, 25 70 11 80",
        named(10761, "author", "likely"), named(10760),
    )  # fmt: skip
    for number in (10819, 10820):
        ticket(number, "2024-08-01", "Slet mig", "I bedes slette min konto og alt om mig.", gone="2024-10-01 12:00:00")
    boss, tine, jakob = who[10804].person, who[50003].person, who[50004].person
    for at, (person, title) in enumerate(((boss, "Indehaver"), (tine, "Bogholder"), (jakob, "Fotograf")), 1):
        mail = boss.email if person is not tine else "tine@havnensfoto.example"
        company = [by(boss, "mentioned", "possible")] if person is not boss else []
        tables.add("contacts", (at, boss.number, person.name, mail, writing.phones(person.phone)[at], title), person, *company)
