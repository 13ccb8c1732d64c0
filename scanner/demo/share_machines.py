"""What programs leave on the file share: logs, webhooks, an electronic invoice and a settings file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from random import Random
from xml.sax.saxutils import escape

from scanner.demo import database, words
from scanner.demo.people import Person, iban
from scanner.demo.tables import Files, by

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


def fill(share: Files, customers: Sequence[Person], rng: Random) -> None:
    """What programs leave behind."""
    asked = rng.choices(customers, k=60)
    calls = [
        {
            "ts": 1_719_000_000 + at * 37,
            "processor": "remove.bg",
            "request_id": f"{rng.getrandbits(128):032x}",
            "file": f"{person.first.lower()}-portræt-{at}.jpg",
            "customer": {"id": person.number, "email": person.email},
            "credits": 1,
        }
        for at, person in enumerate(asked)
    ]
    for at, person in enumerate(asked, 1):
        share.mark("Logs/removebg.jsonl", f"line={at}", person)
    paid, seen = rng.choices(customers, k=20), rng.choices(customers, k=250)
    for at, person in enumerate(paid, 1):
        share.mark("Logs/stripe-webhooks.json", f"item={at}", person)
    for at, person in enumerate(seen):
        share.mark("Logs/access.log", f"line={at + 1}", by(person, strength="certain" if at % 9 == 0 else "possible"))
    share.add(
        "Logs/removebg.jsonl",
        "".join(json.dumps(call, ensure_ascii=at % 2 == 0) + "\n" for at, call in enumerate(calls)).encode(),
    )
    share.add(
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
                    for person in paid
                ],
            },
            ensure_ascii=False,
            indent=1,
        ).encode(),
    )
    share.add(
        "Logs/access.log",
        "".join(
            f'{database.address(rng)} - - [{1 + at % 28:02}/Jun/2026:10:{at % 60:02}:07 +0200] "GET'
            f' /konto/{person.number}?mail={person.email if at % 9 == 0 else ""} HTTP/1.1" 200 {rng.randrange(9999)}'
            f' "-" "{rng.choice(database.AGENTS)}"\n'
            for at, person in enumerate(seen)
        ).encode(),
    )
    buyer = customers[7]
    known = {
        "name": escape(buyer.name),
        "phone": words.spaced(buyer.phone),
        "email": buyer.email,
        "iban": iban(buyer.account),
    }
    share.add("Bogføring/efaktura-5798000420526.xml", INVOICE.format(**known).encode(), buyer, when=date(2026, 1, 18))
    share.add("Drift/indstillinger.yaml", SETTINGS.format(**known).encode())
    share.mark("Drift/indstillinger.yaml", "item=1", buyer)
