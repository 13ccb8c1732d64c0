"""What lies on the company's file share: contracts, lists, notes, exports, archives, and what cannot be read."""

from __future__ import annotations

import gzip
import io
import sqlite3
import tarfile
from collections.abc import Sequence
from datetime import date
from random import Random
from xml.sax.saxutils import escape

from scanner.demo import share_machines, words
from scanner.demo.documents import encrypted_zip, pdf, png, table
from scanner.demo.office import Cell, Sheet, packed, xlsx
from scanner.demo.people import Person, iban
from scanner.demo.personnel import personnel
from scanner.demo.slides import pptx
from scanner.demo.tables import Files, by


def fill(share: Files, customers: Sequence[Person], staff: Sequence[Person], rng: Random) -> None:
    """Every file of the share about ordinary people."""
    personnel(share, staff, rng)
    customer_files(share, customers, rng)
    share_machines.fill(share, customers, rng)
    odd_files(share, customers, staff, rng)
    share.add("Arkiv/kunder-2019.sqlite", old_database(share, customers[:40]))


def old_database(share: Files, customers: Sequence[Person]) -> bytes:
    """A database that somebody once copied to the share."""
    for person in customers:
        share.mark("Arkiv/kunder-2019.sqlite!kunde", f"id={person.number}", by(person, policy="backup"))
    old = sqlite3.connect(":memory:")
    try:
        old.execute("create table kunde (id integer primary key, navn text, mail text, tlf text, cpr text)")
        rows = ((p.number, p.name, p.email, p.phone, p.cpr.replace("-", "") if p.number % 3 == 0 else None) for p in customers)
        old.executemany("insert into kunde values (?, ?, ?, ?, ?)", rows)
        old.commit()
        return old.serialize()
    finally:
        old.close()


def customer_files(share: Files, customers: Sequence[Person], rng: Random) -> None:
    """What a shop keeps about those who buy."""
    some = customers[:60]
    listed: list[Sequence[Cell]] = [["Kundenr.", "Navn", "E-mail", "Telefon", "Adresse", "Varenr.", "Oprettet"]]
    listed += [
        [
            person.number,
            person.name,
            person.email,
            words.spaced(person.phone),
            person.address,
            f"01019{rng.randrange(10**5):05}",
            person.born.replace(year=2025) if (person.born.month, person.born.day) != (2, 29) else None,
        ]
        for person in some
    ]
    secret: list[Sequence[Cell]] = [["Kundenr.", "Personnummer", "Bemærkning"]]
    secret += [
        [person.number, person.cpr if person.number % 2 else int(person.cpr.replace("-", "")), "kreditvurderet"] for person in some[:25]
    ]
    share.add(
        "Kunder/Kundeliste.xlsx",
        xlsx(
            Sheet("Kunder", listed, comments={"B3": f"Ring ikke: {some[1].first} har hemmeligt nummer {some[1].phone}"}),
            Sheet("Ark2", secret, hidden=True),
        ),
    )
    for at, person in enumerate(some, 2):
        share.mark("Kunder/Kundeliste.xlsx", f"sheet=Kunder,row={at}", person)
        if at <= len(secret):
            share.mark("Kunder/Kundeliste.xlsx", f"sheet=Ark2,row={at}", person)
        share.mark("Kunder/adresser.vcf", f"contact={at - 1}", *([person] if at <= 7 else []))
    for at, person in enumerate(customers[:120], 2):
        share.mark("Eksport/kunder.csv", f"row={at}", person)
    first, second, third, fourth, *_ = some
    share.add(
        "Kunder/Faktura 2026-0117.pdf",
        pdf(
            [
                [
                    "Optifo ApS",
                    "",
                    f"Faktura til {first.name}",
                    first.street,
                    f"{first.postcode} {first.town}",
                    "",
                    "Faktura 2026-0117    Ordre O-202600117",
                    "Fritlægning (50 stk.)    450,00 kr.",
                    "Betales med +71<000000001171234<+80512345<",
                    f"Spørgsmål: {first.email}",
                ],
                ["Side 2", f"Tilbagebetaling sker til {iban(first.account)}"],
            ]
        ),
        first,
        when=date(2026, 3, 2),
    )
    share.add(
        "Kunder/Tilbud forår.pptx",
        pptx(
            [
                ["Tilbud til " + (second.company or "Kjær Foto ApS")],
                [f"Kontakt: {second.name}", second.email, f"Tlf. {words.spaced(second.phone)}"],
            ]
        ),
        second,
    )
    share.add(
        "Kunder/Breve/rykker.txt",
        (f"Kære {second.name}\n{second.address}\n\nDit kort er afvist. Du skylder 1.240 kr. og er indberettet til RKI.\n").encode(),
        second,
    )
    share.add("Kunder/Breve/klage.txt", words.fill(words.TELLING[0], third, rng).encode("cp1252"), by(third, strength="possible"))
    share.add("Kunder/Breve/Ønsker.txt", words.fill(words.ORDINARY[1], fourth, rng).encode("utf-16"), by(fourth, "author"))
    share.add(
        "Kunder/nyhedsbrev juni.html",
        (
            '<!doctype html><html lang="da"><head><meta charset="utf-8"><title>Nyt fra'
            " Optifo</title><style>p{color:#123456}</style></head><body><h1>Sommertilbud</h1><p>Hej"
            f" {escape(third.name)}, du får 20 %.</p><p><a"
            f' href="https://optifo.example/afmeld?mail={third.email}">Afmeld</a></p><!-- sendt med SendGrid til'
            f" {fourth.email} --></body></html>\n"
        ).encode(),
        *(by(third, "recipient", alone=False), by(fourth, "mentioned", alone=False)),
    )
    share.add(
        "Kunder/adresser.vcf",
        "".join(
            f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{person.name}\r\nTEL;TYPE=CELL:+45{person.phone}\r\nEMAIL:{person.email}\r\nEND:VCARD\r\n"
            for person in some[:6]
        ).encode(),
    )
    share.add(
        "Eksport/kunder.csv",
        table(
            [
                ["kundenr", "navn", "fødselsdato", "telefon", "mail"],
                *([person.number, person.name, f"{person.born:%d-%m-%Y}", person.phone, person.email] for person in customers[:120]),
            ]
        ),
    )
    share.add(
        "Eksport/ordrer.csv",
        table(
            [
                ["ordre", "p_nummer", "ean", "tid", "beløb"],
                *(
                    [
                        f"{rng.randrange(10**9, 4 * 10**9)}",
                        f"10{rng.randrange(10**8):08}",
                        f"57{rng.randrange(10**11):011}",
                        1_712_000_000 + rng.randrange(10**7),
                        f"{rng.randrange(9000)},{rng.randrange(100):02}",
                    ]
                    for _ in range(200)
                ),
            ]
        ),
    )


def odd_files(share: Files, customers: Sequence[Person], staff: Sequence[Person], rng: Random) -> None:
    """Archives in archives, and what a scan can only report: locked, damaged, pictures, nothing at all."""
    letter = words.fill(words.TELLING[5], customers[11], rng).encode()
    inner = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=inner, mode="wb", mtime=0, filename="") as squeezed,
        tarfile.open(fileobj=squeezed, mode="w") as archive,
    ):
        info = tarfile.TarInfo("breve/til advokaten.txt")
        info.size, info.mtime = len(letter), 1_772_000_000
        archive.addfile(info, io.BytesIO(letter))
    share.add(
        "Arkiv/Gamle sager.zip",
        packed(
            {
                "sager/2024.tar.gz": inner.getvalue(),
                "sager/læs mig.txt": "Gemmes til 2031, jf. bogføringsloven.\n".encode(),
            }
        ),
    )
    share.add(
        "Arkiv/Lønsedler (låst).zip",
        encrypted_zip("loensedler.txt", f"{staff[0].name} {staff[0].cpr}\n".encode(), b"sommer2026"),
        by(staff[0], findable=False, policy="backup"),
    )
    share.mark("Arkiv/Gamle sager.zip!sager/2024.tar.gz!breve/til advokaten.txt", "", by(customers[11], "author", policy="backup"))
    whole = pdf([[f"Kontrakt med {person.name}", person.address, *["Vilkår " * 9] * 20] for person in customers[20:24]])
    share.add("Arkiv/Skannet kontrakt.pdf", whole[: len(whole) * 2 // 3], *(by(person, findable=False) for person in customers[20:24]))
    share.add("Billeder/portræt.png", png())
    share.add("Billeder/Ny tekstfil.txt", b"")
