"""Writes the company's mailbox and its chats: what people send each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from pathlib import Path
from random import Random

from scanner.demo import words
from scanner.demo.documents import table
from scanner.demo.office import docx, packed
from scanner.demo.people import Person

START = datetime.fromisoformat("2026-01-05T08:12:00+01:00")
CHAT = (
    "Er der nogen, der kan tage vagten i morgen?",
    "{other} er indlagt igen, det er hjertet",
    "Åh nej. Jeg kan godt",
    "Kunden på {phone} er sur, ring lige",
    "Har gjort det",
    "Husk HK-møde på torsdag",
    "Jeg kommer efter min abort-kontrol kl. 10",
    "God bedring ❤️",
)
INFO = Address("Optifo kundeservice", "info", "optifo.example")


def write_mailbox(path: Path, customers: Sequence[Person], staff: Sequence[Person], rng: Random) -> None:
    """Write an mbox of about sixty messages, oldest first."""
    with path.open("wb") as out:
        for at, raw in enumerate((*letters(customers, rng), *special(customers, staff))):
            out.write(b"From info@optifo.example " + (START + timedelta(hours=at * 31)).strftime("%a %b %d %H:%M:%S %Y").encode() + b"\n")
            lines = raw.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
            out.write(b"\n".join(b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines) + b"\n\n")


def letters(customers: Sequence[Person], rng: Random) -> Iterator[bytes]:
    """Questions of customers and, now and then, the answer with the question below it."""
    for at in range(50):
        person = customers[at * 5]
        text = words.message(person, rng, customers[at * 5 + 1])
        question = head(
            at,
            person,
            INFO,
            rng.choice(("Spørgsmål om min ordre", "Ændring af adresse", "Faktura", "Klage over levering")),
        )
        if at % 4 == 0:
            question.set_content(text, cte="quoted-printable")
        elif at % 4 == 1:
            question.set_content(text, cte="base64")
        else:
            question.set_content(text, cte="8bit")
        if at % 3 == 0:
            question.add_alternative(
                f"<html><body><p>{escape(text).replace(chr(10), '<br>')}</p></body></html>",
                subtype="html",
                cte="quoted-printable",
            )
        yield whole(question)
        if at % 12 == 5:
            answer = head(100 + at, INFO, person, "SV: " + question["Subject"], answers=question["Message-ID"])
            answer.set_content(
                f"Hej {person.first}\n\nDet er rettet.\n\nVenlig hilsen\nMads\n\n> " + text.replace("\n", "\n> "),
                cte="quoted-printable",
            )
            yield whole(answer)


def special(customers: Sequence[Person], staff: Sequence[Person]) -> Iterator[bytes]:
    """The messages that a data-protection officer loses sleep over."""
    boss, _, ill, *_ = staff
    asker, leaver, payer, old = customers[40], customers[41], customers[42], customers[43]
    wish = head(201, asker, INFO, "Indsigtsanmodning efter artikel 15")
    wish.set_content(
        f"Jeg ønsker indsigt i alle oplysninger, I har om mig.\n\n{asker.name}\nfødt {asker.born:%d.%m.%Y}\n"
        f"{asker.address}\n{words.spaced(asker.phone)}"
    )
    yield whole(wish)
    wish = head(202, leaver, INFO, "Slet mine oplysninger")
    wish.set_content(
        f"I bedes slette alt om mig. Mit CPR-nummer er {leaver.cpr}, hvis I skal bruge det.\n\n{leaver.name}",
        cte="base64",
    )
    yield whole(wish)
    sick = head(203, ill, boss, "Sygemelding")
    sick.set_content(
        f"Hej {boss.first}\nJeg er sygemeldt i tre uger med lungebetændelse og skal til kontrol på Rigshospitalet.\n{ill.first}",
        cte="quoted-printable",
    )
    yield whole(sick)
    job = head(204, customers[44], INFO, "Ansøgning som kundemedarbejder")
    job.set_content("Se vedhæftede ansøgning og CV.")
    job.add_attachment(
        docx(
            [
                f"CV for {customers[44].name}",
                customers[44].address,
                "Jeg er medlem af Socialdemokratiet og frivillig i Røde Kors.",
            ]
        ),
        maintype="application",
        subtype="vnd.openxmlformats-officedocument.wordprocessingml.document",
        filename="Ansøgning og CV.docx",
    )
    yield whole(job)
    export = head(205, boss, INFO, "Kundeliste til revisor")
    export.set_content("Her er listen. Adgangskoden sender jeg på sms.")
    export.add_attachment(
        table([["navn", "cpr", "konto"], *([person.name, person.cpr, person.account] for person in customers[50:70])]),
        maintype="text",
        subtype="csv",
        filename="kunder_med_cpr.csv",
    )
    yield whole(export)
    card = head(206, payer, INFO, "Betaling")
    card.set_content("Kan I ikke bare trække det? Kortnummer 4242 4242 4242 4242, udløb 11/28, cvc 123.\n\n" + payer.name)
    yield whole(card)
    yield (
        f"From: =?iso-8859-1?Q?{q(old.name)}?= <{old.email}>\nTo: info@optifo.example\n"
        "Subject: =?iso-8859-1?Q?Sp=F8rgsm=E5l_om_k=F8b?=\n"
        f"Date: {format_datetime(START + timedelta(days=70))}\nMessage-ID: <207@optifo.example>\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=windows-1252\nContent-Transfer-Encoding: quoted-printable\n\n"
        f"Jeg f=E5r stadig jeres nyhedsbrev p=E5 {old.email.replace('=', '=3D')}. Ring p=E5 {old.phone}.\n"
    ).encode("ascii")
    list_ = head(208, Address("SendGrid", "noreply", "sendgrid.example"), INFO, "Bounce report")
    list_.set_content(
        "Delivery failed for:\n"
        + "\n".join(person.email for person in customers[80:95])
        + "\nReference 3f2504e0-4f89-41d3-9a0c-0305e82c3301\n"
    )
    yield whole(list_)


def head(number: int, sender: Person | Address, to: Person | Address, subject: str, answers: str = "") -> EmailMessage:
    """A message without a body; an answer names the message that it answers."""
    message = EmailMessage()
    message["From"], message["To"] = named(sender), named(to)
    message["Subject"] = subject
    message["Date"] = START + timedelta(hours=number * 31)
    message["Message-ID"] = f"<{number}@optifo.example>"
    if answers:
        message["In-Reply-To"] = answers
    return message


def named(who: Person | Address) -> Address:
    """Name and address as a header takes them."""
    return who if isinstance(who, Address) else Address(who.name, *who.email.split("@"))


def whole(message: EmailMessage) -> bytes:
    """The bytes of a message, with boundaries that do not change from run to run."""
    for at, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"optifo-{at}-{message['Message-ID'].strip('<>').split('@')[0]}")
    return message.as_bytes()


def q(text: str) -> str:
    """Quoted-printable for a header, in Latin-1 (RFC 2047, "Q")."""
    return "".join(
        (letter if letter.isascii() and letter.isalnum() else "_" if letter == " " else f"={letter.encode('latin-1')[0]:02X}")
        for letter in text
    )


def write_chats(folder: Path, customers: Sequence[Person], staff: Sequence[Person], rng: Random) -> None:
    """Write a Slack export and a WhatsApp chat."""
    users = [
        {
            "id": f"U{person.number:05}",
            "name": person.first.lower(),
            "profile": {"real_name": person.name, "email": person.email},
        }
        for person in staff
    ]
    said = [
        {
            "type": "message",
            "user": users[at % len(users)]["id"],
            "ts": f"{1_771_000_000 + at * 911}.{at:06}",
            "text": f"{person.name} ({person.email}) spørger: " + words.message(person, rng),
        }
        for at, person in enumerate(rng.choices(customers, k=24))
    ]
    export = {
        "users.json": users,
        "channels.json": [{"id": "C1", "name": "kundeservice", "members": [user["id"] for user in users]}],
        "kundeservice/2026-02-13.json": said,
    }
    (folder / "optifo-slack.zip").write_bytes(
        packed({name: json.dumps(content, ensure_ascii=False, indent=1) for name, content in export.items()})
    )
    lines = (
        f"{1 + at % 28:02}.03.2026 {8 + at % 10:02}.{at * 7 % 60:02} - {person.name}: "
        + text.format(other=staff[2].first, phone=customers[at].phone)
        for at, (person, text) in enumerate(zip([*staff, *staff], CHAT, strict=False))
    )
    (folder / "WhatsApp-chat med Optifo vagt.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
