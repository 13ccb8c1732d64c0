"""What an employer keeps about those who work there: contract, application, payroll, sickness, union."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from random import Random

from scanner.demo import words
from scanner.demo.documents import rtf
from scanner.demo.office import Cell, Sheet, docx, odt, xlsx
from scanner.demo.people import Person
from scanner.demo.tables import Files, by

COLUMNS = "Medarbejdernr.|Navn|CPR|Reg./konto|Bruttoløn|Fagforeningskontingent|Kirkeskat|Sygedage|Ansat"


def personnel(share: Files, staff: Sequence[Person], rng: Random) -> None:
    """The files about employees and those who want to be."""
    boss, bookkeeper, ill, union, applicant, *_ = staff
    share.add(
        "Personale/Ansættelseskontrakt.docx",
        docx(
            [
                "Ansættelseskontrakt",
                f"Mellem Optifo ApS og {ill.name}, CPR-nr. {ill.cpr}, {ill.address}.",
                "Stilling: billedbehandler. Arbejdstiden er 37 timer om ugen. Opsigelse efter funktionærloven.",
                [
                    ["Løn pr. måned", "31.500 kr."],
                    ["Bank", f"reg. {ill.account.replace(' ', ' konto ')}"],
                    ["Nærmeste pårørende", f"{union.name}, {union.phone}"],
                ],
                f"København, den 2. marts 2026. {boss.name}, direktør",
            ],
            header=f"Fortroligt - {ill.name}",
            footer=f"Optifo ApS · CVR {boss.cvr or '13748136'} · side 1",
            comment=f"Husk straffeattest fra {ill.first}: dom fra 2018 for hærværk, se mappen.",
        ),
        *(ill, by(union, "mentioned"), by(boss, "signature", "possible")),
        when=date(2026, 3, 2),
    )
    share.add(
        "Personale/Ansøgning kundemedarbejder.docx",
        docx(
            [
                "Ansøgning som kundemedarbejder",
                f"Jeg hedder {applicant.name}, er født {applicant.born:%d.%m.%Y} og bor {applicant.address}.",
                "Jeg er gift, har to børn og er aktiv i Indre Mission og i det lokale byråd for Kristendemokraterne.",
                "Efter en depression i 2023 er jeg tilbage i arbejde på fuld tid.",
                f"Ring på {words.spaced(applicant.phone)} eller skriv til {applicant.email}.",
            ]
        ),
        applicant,
    )
    rows: list[Sequence[Cell]] = [COLUMNS.split("|")]
    for person in staff:
        union_dues = 489 if person.number % 2 else None
        church_tax = "ja" if person.number % 3 else "nej"
        hired = person.born.replace(year=2015 + person.number % 10, day=1)
        gross, absent = rng.randrange(28_000, 52_000), rng.randrange(9)
        known = (person.number, person.name, person.cpr, person.account)
        rows.append([*known, gross, union_dues, church_tax, absent, hired])
        share.mark("Personale/Lønliste 2026.xlsx", f"sheet=Marts,row={len(rows)}", person, when=date(2026, 3, 31))
    share.add(
        "Personale/Lønliste 2026.xlsx",
        xlsx(
            Sheet("Marts", rows, comments={"H4": f"{ill.first} er sygemeldt med stress, lægeerklæring modtaget"}),
            Sheet("Satser", [["Kørsel pr. km", 3.79], ["Kontingent HK", 489], ["ATP", 99]]),
        ),
        when=date(2026, 3, 31),
    )
    share.add(
        "Personale/Sygefravær/notat.txt",
        (
            f"Sygefraværssamtale med {ill.name} ({ill.cpr})\nÅrsag: svær migræne og behandling for brystkræft på Herlev"
            f" Hospital.\nMedicin: Tamoxifen. Fritstilles fredage. Kontakt til læge: {words.spaced(union.phone)}.\n"
        ).encode(),
        *(ill, by(union, "mentioned", "likely")),
    )
    share.add(
        "Personale/Sygefravær/delvis raskmelding.rtf",
        rtf(
            [
                f"{union.name} er delvist raskmeldt fra på mandag.",
                "Diagnose: diskusprolaps. Arbejdsskadesag anmeldt til forsikringen.",
                f"Skriv til {union.email}.",
            ]
        ),
        union,
    )
    share.add(
        "Personale/MUS referat.odt",
        odt(
            [
                f"Referat af MUS-samtale med {union.name}",
                "Trives med opgaverne, ønsker kursus i farvestyring.",
                f"{union.first} er valgt til tillidsrepræsentant for HK og deltager i landsmødet i oktober.",
                f"Referent: {bookkeeper.name}",
            ]
        ),
        *(by(union, strength="possible"), by(bookkeeper, "signature", "possible")),
    )
