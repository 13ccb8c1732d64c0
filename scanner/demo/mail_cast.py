"""What the cast writes and is written: from second addresses, through shared mailboxes, quoted and forwarded by employees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage

from scanner.demo import writing
from scanner.demo.cast import Member
from scanner.demo.documents import table
from scanner.demo.mail import INFO, Box, head
from scanner.demo.office import docx
from scanner.demo.people import Person
from scanner.demo.share_cast import called
from scanner.demo.tables import Whose, by

FIRST = datetime.fromisoformat("2023-02-06T09:30:00+01:00")
SIGNED = "\n\nMed venlig hilsen\n\n{name}\nKundeservice · Optifo ApS · {phone}\n"


def fill(box: Box, members: Sequence[Member], others: Sequence[Member], staff: Sequence[Member]) -> None:
    """Add the threads of the cast."""
    for at, member in enumerate(members):
        if member.person.number % 10 != 6 or "address-forms" in member.kinds:
            thread(box, 300 + at * 4, member, staff[at % 3].person)
    who = {member.person.number: member.person for member in (*members, *others)}
    stories(box, who, staff)
    for at, member in enumerate(others):
        if "applicant" in member.kinds:
            mail = head(790 + at, member.person, INFO, "Ansøgning", sent=FIRST + timedelta(days=900 + at * 60))
            mail.set_content(f"Min ansøgning er vedhæftet.\n\n{member.person.name}")
            attach(mail, "Ansøgning.docx", [f"Ansøgning fra {member.person.name}", member.person.address, "Jeg har astma."])
            box.add(mail, by(member.person, "author"))


def thread(box: Box, number: int, member: Member, clerk: Person) -> None:
    """A question, its answer with the question quoted below, and now and then a colleague who is asked."""
    person, second = member.person, member.also.get("mail2", "")
    sent = FIRST + timedelta(days=(person.number * 37) % 1200)
    sender = Address(called(member), *(second or person.email).split("@"))
    phone = writing.phones(person.phone)[person.number % 7]
    text = f"Hej Optifo\n\nKan I hjælpe med min sidste ordre? Ring gerne på {phone}.\n\n{called(member)}\n{writing.address(person)}"
    if "changed-name" in member.kinds:
        text += f"\n\nJeg hed før {member.also['was']}."
    strength = "likely" if "+" in second or member.kinds & {"shared-mail", "shared-mailbox"} else "certain"
    question = head(number, INFO, INFO, "Spørgsmål om min ordre", sent=sent)
    question.replace_header("From", sender)
    question.set_content(text, cte="quoted-printable")
    box.add(question, by(person, "author", strength))
    if person.number % 2:
        return
    answer = head(number + 1, INFO, INFO, "SV: Spørgsmål om min ordre", answers=question["Message-ID"], sent=sent + timedelta(hours=5))
    answer.replace_header("To", sender)
    quoted = f"\n\nDen {sent:%d.%m.%Y} skrev {called(member)}:\n> " + text.replace("\n", "\n> ")
    answer.set_content(f"Hej {person.first}\n\nVi ser på det." + signature(clerk) + quoted, cte="quoted-printable")
    box.add(answer, by(person, "recipient", strength), by(clerk, "signature"))
    if person.number % 4 == 0:
        forward = head(number + 2, clerk, INFO, "VS: Spørgsmål om min ordre", sent=sent + timedelta(hours=7))
        forwarded = f"\n\n-----Oprindelig meddelelse-----\nFra: {called(member)} <{second or person.email}>\n\n{text}"
        forward.set_content("Kan du tage den?" + signature(clerk) + forwarded, cte="quoted-printable")
        box.add(forward, by(person, "mentioned", strength), by(clerk, "handler"))


def stories(box: Box, who: dict[int, Person], staff: Sequence[Member]) -> None:
    """Mails that are hard to give to one person."""
    clerk, other = staff[0].person, staff[1].person

    def mail(number: int, sender: Person | Address, subject: str, text: str, *whose: Whose, cc: Person | None = None) -> EmailMessage:
        message = head(number, sender, INFO, subject, sent=FIRST + timedelta(days=number))
        if cc:
            message["Cc"] = Address(cc.name, *cc.email.split("@"))
        message.set_content(text, cte="quoted-printable")
        box.add(message, *whose)
        return message

    boss, tine, jakob = who[10804], who[50003], who[50004]
    shared = Address("Havnens Foto", *boss.email.split("@"))
    for at, (person, strength) in enumerate(((boss, "certain"), (tine, "likely"), (jakob, "likely"))):
        text = f"Hej\n\nSend venligst en kopi af fakturaen.\n\n{person.name}\nHavnens Foto ApS, {boss.address}\n"
        text += writing.phones(person.phone)[1]
        mail(800 + at, shared, "Faktura", text, by(person, "author", strength), *([by(boss, "author", "possible")] if at else []))
    family = Address("Familien Kjærsgaard", *who[10760].email.split("@"))
    mail(
        810,
        family,
        "Skolefoto",
        f"Billederne af {who[50001].name} skal slettes.\n\nHanne",
        by(who[10760], "author", "likely"),
        by(who[50001], "mentioned", "possible"),
    )
    text = f"Det er Torben, ikke Hanne. Min konto er {who[10761].account}.\n\n{who[10761].name}, {who[10761].phone}"
    mail(811, family, "Tilbagebetaling", text, by(who[10761], "author", "likely"), by(who[10760], "author", "possible"))
    mail(
        812, who[10766], "Klage på vegne af min datter",
        f"Silje på 10 år fik et anfald under fotograferingen. {who[50002].name} er født {who[50002].born:%d.%m.%Y}.\n\n{who[10766].name}",
        by(who[10766], "author"), by(who[50002], "mentioned", "possible"),
    )  # fmt: skip
    wife, husband = who[10762], who[10763]
    mail(
        813,
        wife,
        "Fælles ordre",
        f"Min bror {husband.name} er på kopi.\n\n{wife.name}",
        by(wife, "author"),
        by(husband, "recipient"),
        cc=husband,
    )
    stranger = Address("Mette Nielsen", "kundeservice.svar", "mail.example")
    namesakes = [by(who[10750], "author", "possible"), *(by(who[number], "author", "possible") for number in (10751, 10752))]
    mail(814, stranger, "Rykker", "I skylder mig stadig svar.\n\nMette Nielsen", *namesakes)
    text = f"Jeg skriver om min nabo {who[10808].name}, {writing.address(who[10808])}. Hun kan ikke selv."
    mail(815, who[10797], "Vedr. min nabo", text, by(who[10797], "author"), by(who[10808], "mentioned"))
    neighbour = who[50014]
    text = f"Pakken kan afleveres hos {neighbour.name}, {writing.address(neighbour)}, tlf. {neighbour.phone}. Han er kørestolsbruger."
    mail(819, who[10828], "Levering", text, by(who[10828], "author"), by(neighbour, "mentioned"))
    text = "Hvor ligger Karen Blichfeldts Plads i forhold til Studie Karen Blichfeldt?"
    mail(820, who[10817], "Vej til studiet", text, by(who[10817], "author"))
    text = f"Se vedhæftede liste fra {other.name}." + signature(clerk)
    listed = [who[number] for number in (10770, 10774, 10781, 10790, 10816, 10822)]
    message = head(816, clerk, INFO, "Kunder til opfølgning", sent=FIRST + timedelta(days=816))
    message.set_content(text)
    rows: list[list[object]] = [["Kunde", "CPR", "Telefon"]]
    rows += [[p.name, writing.cprs(p.cpr)[p.number % 5], writing.phones(p.phone)[p.number % 8]] for p in listed]
    message.add_attachment(table(rows), maintype="text", subtype="csv", filename="opfølgning.csv")
    box.add(message, *(by(person, "mentioned", alone=False) for person in listed), by(clerk, "handler"), by(other, "signature", "possible"))
    leaver = who[10816]
    mail(817, leaver, "Afmeld nyhedsbrev", f"Jeg vil ikke have flere nyhedsbreve. {leaver.name}", by(leaver, "author"))
    julie = staff[2].person
    text = "Hej kolleger\n\nMin egen ordre er gået tabt, kan en af jer se på den?" + signature(julie)
    mail(818, julie, "Min private ordre", text, by(julie, "author"))


def signature(clerk: Person) -> str:
    """What stands below every mail of an employee."""
    return SIGNED.format(name=clerk.name, phone=writing.phones(clerk.phone)[2])


def attach(message: EmailMessage, name: str, paragraphs: Sequence[str]) -> None:
    """Attach a Word document."""
    kind = "vnd.openxmlformats-officedocument.wordprocessingml.document"
    message.add_attachment(docx(paragraphs), maintype="application", subtype=kind, filename=name)
