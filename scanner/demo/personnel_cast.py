"""What the personnel folder holds of employees of the cast, of those who have left, and of those who applied."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from scanner.demo import writing
from scanner.demo.cast import Member
from scanner.demo.documents import pdf
from scanner.demo.office import Cell, Sheet, docx, xlsx
from scanner.demo.tables import Files, by

MONTHS = ("januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november", "december")


def fill(share: Files, staff: Sequence[Member], others: Sequence[Member]) -> None:
    """Contracts, pay slips, absence and applications."""
    boss = staff[3].person
    for member in staff:
        person, left = member.person, member.day("left")
        last = left or date(2026, 5, 31)
        folder = f"Personale/{person.name}" if person.name != "Lars Jensen" else "Personale/Jensen, Lars"
        share.add(
            f"{folder}/Ansættelsesaftale.docx",
            docx(
                [
                    f"Ansættelsesaftale for {person.name}, {writing.cprs(person.cpr)[0]}",
                    person.address,
                    f"{person.email}, tlf. {writing.phones(person.phone)[1]}",
                    f"Underskrevet af {boss.name}",
                ]
            ),
            *(person, by(boss, "signature", "possible")),
            when=left,
        )
        for back in range(2):
            month = last.month - back
            lines = [f"Lønseddel {MONTHS[month - 1]} {last.year}", person.name, f"CPR {writing.cprs(person.cpr)[1]}", "Bruttoløn 34.500,00"]
            lines += ["Kirkeskat 0,7 %" if person.number % 2 else "Ingen kirkeskat", "Fagforening HK 489,00" if person.number % 3 else ""]
            lines += [f"Konto {person.account}"]
            share.add(f"{folder}/Lønseddel {last.year}-{month:02}.pdf", pdf([lines]), person, when=date(last.year, month, 28))
    former: list[Sequence[Cell]] = [["Nr.", "Navn", "CPR", "Fratrådt", "Årsag"]]
    for member in staff:
        if left := member.day("left"):
            former.append([member.person.number, member.person.name, writing.cprs(member.person.cpr)[4], left, "egen opsigelse"])
            share.mark("Personale/Fratrådte.xlsx", f"sheet=Fratrådte,row={len(former)}", member.person, when=left)
    share.add("Personale/Fratrådte.xlsx", xlsx(Sheet("Fratrådte", former)))
    for member in others:
        if "applicant" in member.kinds:
            person, day = member.person, member.day("left")
            text = f"Ansøgning\n\n{person.name}\n{person.address}\n{writing.phones(person.phone)[1]}\n{person.email}\n"
            text += "\nJeg er ordblind og medlem af HK.\n"
            share.add(f"Rekruttering/Ansøgninger/{day} {person.name}.txt", text.encode(), by(person, "author"), when=day)
