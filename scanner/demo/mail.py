"""The company's mailbox: what ordinary customers write, and the letters that a data-protection officer loses sleep over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from random import Random

from scanner.demo import words
from scanner.demo.documents import table
from scanner.demo.ledger import Ledger, Place, evidence
from scanner.demo.office import docx
from scanner.demo.people import Person
from scanner.demo.tables import Whose, by, note

START = datetime.fromisoformat("2026-01-05T08:12:00+01:00")
INFO = Address("Optifo kundeservice", "info", "optifo.example")


class Box:
    """A mailbox that is being filled: messages, and whose each of them is."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._messages: list[tuple[datetime, bytes]] = []

    def add(self, message: EmailMessage, *whose: Whose) -> None:
        """Add a message made here."""
        self.raw(message["Message-ID"], message["Date"].datetime, whole(message), *whose)

    def raw(self, id: str, sent: datetime, content: bytes, *whose: Whose) -> None:
        """Add a message as bytes."""
        self._messages.append((sent, content))
        note(self.ledger, Place("mail", "info.mbox", f"message={id}"), whose, sent.date())

    def told(self, message: EmailMessage, person: Person, text: str) -> None:
        """Note that a person stands in the text of a message."""
        self.ledger.told(person, Place("mail", "info.mbox", f"message={message['Message-ID']}"), text)

    def mbox(self) -> bytes:
        """The messages as an mbox, oldest first."""
        out = bytearray()
        for sent, raw in sorted(self._messages, key=lambda one: one[0]):
            out += b"From info@optifo.example " + sent.strftime("%a %b %d %H:%M:%S %Y").encode() + b"\n"
            lines = raw.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
            out += b"\n".join(b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines) + b"\n\n"
        return bytes(out)


def letters(box: Box, customers: Sequence[Person], clerk: Person, rng: Random) -> None:
    """Questions of customers and, now and then, the answer with the question below it."""
    for at in range(50):
        person, other = customers[at * 5], customers[at * 5 + 1]
        text = words.message(person, rng, other)
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
        box.add(question, by(person, "author"))
        if evidence(text, other):
            box.told(question, other, text)
        if at % 12 == 5:
            answer = head(100 + at, INFO, person, "SV: " + question["Subject"], answers=question["Message-ID"])
            answer.set_content(
                f"Hej {person.first}\n\nDet er rettet.\n\nVenlig hilsen\n{clerk.name}\n\n> " + text.replace("\n", "\n> "),
                cte="quoted-printable",
            )
            box.add(answer, by(person, "recipient"), by(clerk, "signature", "possible"))
            if evidence(text, other):
                box.told(answer, other, text)


def special(box: Box, customers: Sequence[Person], staff: Sequence[Person]) -> None:
    """The messages that a data-protection officer loses sleep over."""
    boss, _, ill, *_ = staff
    asker, leaver, payer, old = customers[40], customers[41], customers[42], customers[43]
    wish = head(201, asker, INFO, "Indsigtsanmodning efter artikel 15")
    wish.set_content(
        f"Jeg ønsker indsigt i alle oplysninger, I har om mig.\n\n{asker.name}\nfødt {asker.born:%d.%m.%Y}\n"
        f"{asker.address}\n{words.spaced(asker.phone)}"
    )
    box.add(wish, by(asker, "author"))
    wish = head(202, leaver, INFO, "Slet mine oplysninger")
    wish.set_content(
        f"I bedes slette alt om mig. Mit CPR-nummer er {leaver.cpr}, hvis I skal bruge det.\n\n{leaver.name}",
        cte="base64",
    )
    box.add(wish, by(leaver, "author"))
    sick = head(203, ill, boss, "Sygemelding")
    sick.set_content(
        f"Hej {boss.first}\nJeg er sygemeldt i tre uger med lungebetændelse og skal til kontrol på Rigshospitalet.\n{ill.first}",
        cte="quoted-printable",
    )
    box.add(sick, by(ill, "author"), by(boss, "recipient"))
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
    box.add(job, by(customers[44], "author"))
    export = head(205, boss, INFO, "Kundeliste til revisor")
    export.set_content("Her er listen. Adgangskoden sender jeg på sms.")
    export.add_attachment(
        table([["navn", "cpr", "konto", "mail"], *([one.name, one.cpr, one.account, one.email] for one in customers[50:70])]),
        maintype="text",
        subtype="csv",
        filename="kunder_med_cpr.csv",
    )
    box.add(export, by(boss, "author"), *(by(person, "mentioned") for person in customers[50:70]))
    card = head(206, payer, INFO, "Betaling")
    card.set_content("Kan I ikke bare trække det? Kortnummer 4242 4242 4242 4242, udløb 11/28, cvc 123.\n\n" + payer.name)
    box.add(card, by(payer, "author"))
    raw = (
        f"From: =?iso-8859-1?Q?{q(old.name)}?= <{old.email}>\nTo: info@optifo.example\n"
        "Subject: =?iso-8859-1?Q?Sp=F8rgsm=E5l_om_k=F8b?=\n"
        f"Date: {format_datetime(START + timedelta(days=70))}\nMessage-ID: <207@optifo.example>\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=windows-1252\nContent-Transfer-Encoding: quoted-printable\n\n"
        f"Jeg f=E5r stadig jeres nyhedsbrev p=E5 {old.email.replace('=', '=3D')}. Ring p=E5 {old.phone}.\n"
    ).encode("ascii")
    box.raw("<207@optifo.example>", START + timedelta(days=70), raw, by(old, "author"))
    list_ = head(208, Address("SendGrid", "noreply", "sendgrid.example"), INFO, "Bounce report")
    list_.set_content(
        "Delivery failed for:\n"
        + "\n".join(person.email for person in customers[80:95])
        + "\nReference 3f2504e0-4f89-41d3-9a0c-0305e82c3301\n"
    )
    box.add(list_, *(by(person, "mentioned") for person in customers[80:95]))


def head(
    number: int, sender: Person | Address, to: Person | Address, subject: str, answers: str = "", sent: datetime | None = None
) -> EmailMessage:
    """A message without a body; an answer names the message that it answers."""
    message = EmailMessage()
    message["From"], message["To"] = named(sender), named(to)
    message["Subject"] = subject
    message["Date"] = sent or START + timedelta(hours=number * 31)
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
