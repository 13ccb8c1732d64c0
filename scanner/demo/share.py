"""What lies on the company's file share: contracts, lists, notes, exports, archives, and what cannot be read."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from xml.sax.saxutils import escape

from scanner.demo import database, words
from scanner.demo.documents import encrypted_zip, pdf, png, table
from scanner.demo.office import Cell, Sheet, packed, xlsx
from scanner.demo.people import Person, iban
from scanner.demo.personnel import personnel
from scanner.demo.slides import pptx

INVOICE = """\
<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:ID>2026-0118</cbc:ID>
  <cbc:UUID>9756b4d0-8815-1029-857a-e388fe63f399</cbc:UUID>
  <cac:AccountingCustomerParty><cac:Party>
    <cbc:EndpointID schemeID="GLN">5798000420526</cbc:EndpointID>
    <cac:Contact>
      <cbc:Name>{name}</cbc:Name><cbc:Telephone>{phone}</cbc:Telephone><cbc:ElectronicMail>{email}</cbc:ElectronicMail>
    </cac:Contact>
  </cac:Party></cac:AccountingCustomerParty>
  <cbc:Note>Refunderes til {iban}</cbc:Note>
</Invoice>
"""
SETTINGS = """\
# Optifo drift
sendgrid:
  sender: info@optifo.example
stripe:
  account: acct_1032D82eZvKYlo2C
alerts:
  - name: {name}
    phone: "+45 {phone}"
release: 2026.06.30
build: 0101701234
"""


def write(folder: Path, customers: Sequence[Person], staff: Sequence[Person], rng: Random) -> None:
    """Write every file of the share below `folder`."""
    for name, content in (
        *personnel(staff, rng),
        *customer_files(customers, rng),
        *machine_files(customers, rng),
        *odd_files(customers, staff, rng),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    old = sqlite3.connect(folder / "Arkiv/kunder-2019.sqlite")
    old.execute("create table kunde (id integer primary key, navn text, mail text, tlf text, cpr text)")
    old.executemany(
        "insert into kunde values (?, ?, ?, ?, ?)",
        (
            (
                person.number,
                person.name,
                person.email,
                person.phone,
                person.cpr.replace("-", "") if person.number % 3 == 0 else None,
            )
            for person in customers[:40]
        ),
    )
    old.commit()
    old.close()


def customer_files(customers: Sequence[Person], rng: Random) -> Iterator[tuple[str, bytes]]:
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
    yield (
        "Kunder/Kundeliste.xlsx",
        xlsx(
            Sheet("Kunder", listed, comments={"B3": f"Ring ikke: {some[1].first} har hemmeligt nummer {some[1].phone}"}),
            Sheet("Ark2", secret, hidden=True),
        ),
    )
    first, second, third, fourth, *_ = some
    yield (
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
    )
    yield (
        "Kunder/Tilbud forår.pptx",
        pptx(
            [
                ["Tilbud til " + (second.company or "Kjær Foto ApS")],
                [f"Kontakt: {second.name}", second.email, f"Tlf. {words.spaced(second.phone)}"],
            ]
        ),
    )
    yield (
        "Kunder/Breve/rykker.txt",
        (f"Kære {second.name}\n{second.address}\n\nDit kort er afvist. Du skylder 1.240 kr. og er indberettet til RKI.\n").encode(),
    )
    yield "Kunder/Breve/klage.txt", words.fill(words.TELLING[0], third, rng).encode("cp1252")
    yield "Kunder/Breve/Ønsker.txt", words.fill(words.ORDINARY[1], fourth, rng).encode("utf-16")
    yield (
        "Kunder/nyhedsbrev juni.html",
        (
            '<!doctype html><html lang="da"><head><meta charset="utf-8"><title>Nyt fra'
            " Optifo</title><style>p{color:#123456}</style></head><body><h1>Sommertilbud</h1><p>Hej"
            f" {escape(third.name)}, du får 20 %.</p><p><a"
            f' href="https://optifo.example/afmeld?mail={third.email}">Afmeld</a></p><!-- sendt med SendGrid til'
            f" {fourth.email} --></body></html>\n"
        ).encode(),
    )
    yield (
        "Kunder/adresser.vcf",
        "".join(
            f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{person.name}\r\nTEL;TYPE=CELL:+45{person.phone}\r\nEMAIL:{person.email}\r\nEND:VCARD\r\n"
            for person in some[:6]
        ).encode(),
    )
    yield (
        "Eksport/kunder.csv",
        table(
            [
                ["kundenr", "navn", "fødselsdato", "telefon", "mail"],
                *([person.number, person.name, f"{person.born:%d-%m-%Y}", person.phone, person.email] for person in customers[:120]),
            ]
        ),
    )
    yield (
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


def machine_files(customers: Sequence[Person], rng: Random) -> Iterator[tuple[str, bytes]]:
    """What programs leave behind."""
    calls = [
        {
            "ts": 1_719_000_000 + at * 37,
            "processor": "remove.bg",
            "request_id": f"{rng.getrandbits(128):032x}",
            "file": f"{person.first.lower()}-portræt-{at}.jpg",
            "customer": {"id": person.number, "email": person.email},
            "credits": 1,
        }
        for at, person in enumerate(rng.choices(customers, k=60))
    ]
    yield (
        "Logs/removebg.jsonl",
        "".join(json.dumps(call, ensure_ascii=at % 2 == 0) + "\n" for at, call in enumerate(calls)).encode(),
    )
    yield (
        "Logs/stripe-webhooks.json",
        json.dumps(
            {
                "object": "list",
                "data": [
                    {
                        "id": f"evt_{rng.getrandbits(64):016x}",
                        "type": "charge.succeeded",
                        "data": {
                            "object": {
                                "id": f"ch_{rng.getrandbits(64):016x}",
                                "amount": rng.randrange(10**5),
                                "created": 1_719_000_000 + rng.randrange(10**6),
                                "billing_details": {
                                    "name": person.name,
                                    "email": person.email,
                                    "phone": f"+45{person.phone}",
                                    "address": {
                                        "line1": person.street,
                                        "postal_code": person.postcode,
                                        "city": person.town,
                                        "country": "DK",
                                    },
                                },
                                "payment_method_details": {
                                    "card": {
                                        "last4": f"{rng.randrange(10**4):04}",
                                        "fingerprint": f"{rng.getrandbits(64):016x}",
                                    }
                                },
                            }
                        },
                    }
                    for person in rng.choices(customers, k=20)
                ],
            },
            ensure_ascii=False,
            indent=1,
        ).encode(),
    )
    yield (
        "Logs/access.log",
        "".join(
            f'{database.address(rng)} - - [{1 + at % 28:02}/Jun/2026:10:{at % 60:02}:07 +0200] "GET'
            f' /konto/{person.number}?mail={person.email if at % 9 == 0 else ""} HTTP/1.1" 200 {rng.randrange(9999)}'
            f' "-" "{rng.choice(database.AGENTS)}"\n'
            for at, person in enumerate(rng.choices(customers, k=250))
        ).encode(),
    )
    buyer = customers[7]
    known = {
        "name": escape(buyer.name),
        "phone": words.spaced(buyer.phone),
        "email": buyer.email,
        "iban": iban(buyer.account),
    }
    yield "Bogføring/efaktura-5798000420526.xml", INVOICE.format(**known).encode()
    yield "Drift/indstillinger.yaml", SETTINGS.format(**known).encode()


def odd_files(customers: Sequence[Person], staff: Sequence[Person], rng: Random) -> Iterator[tuple[str, bytes]]:
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
    yield (
        "Arkiv/Gamle sager.zip",
        packed(
            {
                "sager/2024.tar.gz": inner.getvalue(),
                "sager/læs mig.txt": "Gemmes til 2031, jf. bogføringsloven.\n".encode(),
            }
        ),
    )
    yield (
        "Arkiv/Lønsedler (låst).zip",
        encrypted_zip("loensedler.txt", f"{staff[0].name} {staff[0].cpr}\n".encode(), b"sommer2026"),
    )
    whole = pdf([[f"Kontrakt med {person.name}", person.address, *["Vilkår " * 9] * 20] for person in customers[20:24]])
    yield "Arkiv/Skannet kontrakt.pdf", whole[: len(whole) * 2 // 3]
    yield "Billeder/portræt.png", png()
    yield "Billeder/Ny tekstfil.txt", b""
