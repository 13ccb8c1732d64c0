"""What lies on the file share about the cast: lists in which they are written in many ways, letters, and old copies."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date

from scanner.demo import writing
from scanner.demo.cast import Member
from scanner.demo.documents import pdf, table
from scanner.demo.office import Cell, Sheet, docx, packed, xlsx
from scanner.demo.people import Person
from scanner.demo.tables import Files, by

CHECKED = "Eksport/kreditcheck 2025.csv"
FAIR = "Kunder/Messe 2025.xlsx"
CALLS = "Kunder/Ringeliste.csv"
BACKUP = "Arkiv/Backup 2022.zip"


def fill(share: Files, members: Sequence[Member], others: Sequence[Member], staff: Sequence[Member]) -> None:
    """Every file of the share about the cast."""
    checked(share, members)
    fair(share, members)
    calls(share, members)
    letters(share, members, staff)
    invoices(share, members)
    backup(share, [member for member in members if "backup" in member.kinds or member.person.number % 9 == 0])
    stories(share, {member.person.number: member.person for member in (*members, *others)}, staff)


def called(member: Member) -> str:
    """How the one who writes a list calls this person."""
    name, kinds = member.person.name, member.kinds
    if "initials" in kinds:
        return writing.initials(name)
    if "reversed" in kinds:
        return writing.reversed_name(name)
    if "ascii" in kinds or "accent" in kinds:
        return writing.plain(name)
    return member.also.get("typo") or member.also.get("nick") or name


def checked(share: Files, members: Sequence[Member]) -> None:
    """A credit check: customer number and CPR number, in all its forms. Former names stand in it."""
    rows: list[Sequence[object]] = [["kundenr", "cpr", "navn", "dato"]]
    for member in members:
        person = member.person
        cpr = member.also.get("cpr2", person.cpr)
        rows.append(
            [
                person.number,
                writing.cprs(cpr)[person.number % 5],
                member.also.get("was", person.name),
                f"{person.number % 28 + 1:02}-03-2025",
            ]
        )
        share.mark(CHECKED, f"row={len(rows)}", person, when=date(2025, 3, 31))
    share.add(CHECKED, table(rows))


def fair(share: Files, members: Sequence[Member]) -> None:
    """A workbook from a fair: two sheets, no customer numbers, names and addresses as visitors wrote them."""
    visitors: list[Sequence[Cell]] = [["Navn", "Telefon", "Adresse", "Interesse"]]
    winners: list[Sequence[Cell]] = [["Vinder", "Mail", "Præmie"]]
    for member in members:
        person = member.person
        if person.number % 3 == 0 or member.kinds & {
            "typo",
            "initials",
            "reversed",
            "nickname",
            "ascii",
            "accent",
            "address-forms",
            "namesake",
        }:
            phone = writing.phones(person.phone)[(person.number + 5) % 8]
            visitors.append([called(member), phone, writing.address(person), ("rammer", "fritlægning", "portræt")[person.number % 3]])
            share.mark(
                FAIR, f"sheet=Besøgende,row={len(visitors)}", by(person, strength="possible" if person.name == "Søren Holm" else "likely")
            )
        if member.kinds & {"email-case", "plus-tag", "second-mail", "shared-sheet"}:
            mail = member.also.get("mail2", person.email.upper())
            winners.append([called(member), mail, "Ramme"])
            share.mark(FAIR, f"sheet=Vindere,row={len(winners)}", by(person, strength="likely" if "+" in mail else "certain"))
    share.add(FAIR, xlsx(Sheet("Besøgende", visitors), Sheet("Vindere", winners)))


def calls(share: Files, members: Sequence[Member]) -> None:
    """Who is to be called: a phone number in some form, a first name or a whole one. In UTF-8 with commas, as Google writes it."""
    out = io.StringIO(newline="")
    write = csv.writer(out)
    write.writerow(["phone", "who", "why"])
    row = 1
    for member in members:
        person = member.person
        if not ("phone-forms" in member.kinds or "shared-phone" in member.kinds or person.number % 4 == 0):
            continue
        row += 1
        write.writerow([writing.phones(person.phone)[(person.number + 1) % 8], called(member), "tilbud"])
        share.mark(CALLS, f"row={row}", by(person, strength="possible" if person.name == "Søren Holm" else "likely"))
    share.add(CALLS, out.getvalue().encode())


def letters(share: Files, members: Sequence[Member], staff: Sequence[Member]) -> None:
    """A letter to every fourth, a contract with some, in text, Word and PDF."""
    clerk = staff[0].person
    for member in members[::4]:
        person, day = member.person, date(2025, 1 + member.person.number % 12, 14)
        slug = writing.plain(person.name.split()[-1]).lower()
        text = [f"Kære {person.name}", writing.short(person.street), f"{person.postcode} {person.town}", "", f"Den {day:%d-%m-%Y}", ""]
        text += [
            f"Vi bekræfter, at din reklamation er modtaget. Dit kundenummer er {person.number}.",
            "Vi svarer inden 14 dage.",
            "",
            clerk.name,
        ]
        whose = (by(person, "recipient"), by(clerk, "signature", "possible"))
        if person.number % 3 == 0:
            share.add(f"Kunder/Breve/{person.number} {slug}.docx", docx([line for line in text if line]), *whose, when=day)
        elif person.number % 3 == 1:
            share.add(f"Kunder/Breve/{person.number} {slug}.txt", "\n".join(text).encode(), *whose, when=day)
        else:
            share.add(f"Kunder/Breve/{person.number} {slug}.pdf", pdf([text]), *whose, when=day)


def invoices(share: Files, members: Sequence[Member]) -> None:
    """Copies of invoices, a folder a year; the law keeps them for five financial years."""
    for member in members:
        person = member.person
        for day in member.days("orders")[:2]:
            if person.number % 3 and not member.kinds & {"old-invoices", "kept-invoices", "overdue", "hold"}:
                continue
            number = f"{day.year}-{person.number % 1000:03}{day.month:02}"
            lines = ["Optifo ApS", f"Faktura {number}", f"Dato {day:%d.%m.%Y}", "", person.company or person.name, person.street]
            lines += [f"{person.postcode} {person.town}", f"Kundenr. {person.number}", "", "Fritlægning   450,00 kr."]
            share.add(f"Bogføring/{day.year}/Faktura {number}.pdf", pdf([lines]), person, when=day)
    shared = members[8].person, members[12].person
    pages = [["Kontoudtog 2025", f"Kundenr. {person.number}", person.name, person.address, "Saldo 0,00"] for person in shared]
    share.add("Bogføring/2025/Kontoudtog samlet.pdf", pdf(pages), when=date(2025, 12, 31))
    for at, person in enumerate(shared, 1):
        share.mark("Bogføring/2025/Kontoudtog samlet.pdf", f"page={at}", person, when=date(2025, 12, 31))


def backup(share: Files, members: Sequence[Member]) -> None:
    """An old copy of the customer list, packed and forgotten."""
    rows: list[Sequence[object]] = [["kundenr", "navn", "e-mail", "adresse"]]
    for member in members:
        person = member.person
        rows.append([person.number, member.also.get("was", person.name), person.email, writing.address(person)])
        share.mark(f"{BACKUP}!eksport/kunder.csv", f"row={len(rows)}", by(person, policy="backup"))
    share.add(BACKUP, packed({"eksport/kunder.csv": table(rows), "eksport/version.txt": b"crm 4.2\n"}))


def stories(share: Files, who: dict[int, Person], staff: Sequence[Member]) -> None:
    """Documents that name several people, or one without a number."""
    hanne, emil, silje = who[10760], who[50001], who[50002]
    text = f"Til skolefotografen\n\nVores søn {emil.name}, {emil.address}, må ikke fotograferes; "
    text += f"han er i behandling hos en børnepsykolog.\n{hanne.name}\n"
    share.add("Kunder/Breve/samtykke skolefoto.txt", text.encode(), by(hanne, "author"), by(emil, strength="likely"))
    mother = who[10766]
    text = f"Fuldmagt\n\n{mother.name} giver lov til, at billeder af {silje.name} (f. {silje.born:%d.%m.%Y}, {silje.address}) slettes.\n"
    share.add("Kunder/Breve/fuldmagt.txt", text.encode(), by(mother, "author", "likely"), by(silje, strength="likely"))
    boss, clerk, author = staff[3].person, staff[0].person, staff[2].person
    gerda, birthe = who[10808], who[50005]
    share.add(
        "Drift/Referat kundemøde.docx",
        docx(
            [
                "Referat af kundemøde den 4. maj 2026",
                f"Til stede: {boss.name}, {clerk.name}, {author.name} (referent)",
                f"Sag 1: {gerda.name} (kundenr. {gerda.number}) klager over rammen. {clerk.name} ringer på {gerda.phone}.",
                f"Sag 2: Naboen {birthe.name}, tlf. {writing.phones(birthe.phone)[2]}, så skaden.",
                "Sag 3: Ny ramme Sofie Hald i eg og adressen Peter Lundbyes Vej på messen.",
                "Sag 4: Mette Nielsen har ringet igen.",
            ]
        ),
        *(by(gerda, "mentioned"), by(birthe, "mentioned"), *(by(who[number], "mentioned", "possible") for number in (10750, 10751, 10752))),
        *(by(person, "signature", "possible") for person in (boss, clerk, author)),
        when=date(2026, 5, 4),
    )  # fmt: skip
