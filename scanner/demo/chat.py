"""The company's chats: a Slack export, and the WhatsApp group of those on duty."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from random import Random

from scanner.demo import words, writing
from scanner.demo.cast import Member
from scanner.demo.office import packed
from scanner.demo.people import Person
from scanner.demo.tables import Files, Whose, by

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
SLACK = "optifo-slack.zip"
CHANNEL = "kundeservice/2026-02-13.json"
WHATSAPP = "WhatsApp-chat med Optifo vagt.txt"


def fill(chat: Files, customers: Sequence[Person], staff: Sequence[Person], members: Sequence[Member], rng: Random) -> None:
    """A Slack export and a WhatsApp chat."""
    slack(chat, customers, staff, members, rng)
    whatsapp(chat, customers, staff, members)


def slack(chat: Files, customers: Sequence[Person], staff: Sequence[Person], members: Sequence[Member], rng: Random) -> None:
    """One channel, in which customers' questions are passed on."""
    users = [
        {
            "id": f"U{person.number:05}",
            "name": writing.plain(person.name).lower().replace(" ", "."),
            "profile": {"real_name": person.name, "email": person.email},
        }
        for person in staff
    ]
    for at, person in enumerate(staff, 1):
        chat.mark(f"{SLACK}!users.json", f"item={at}", person)
        chat.mark(f"{SLACK}!channels.json", "channel=C1", by(person, "handler", "likely"))
    said: list[tuple[str, list[Whose]]] = []
    for person in rng.choices(customers, k=24):
        said.append((f"{person.name} ({person.email}) spørger: " + words.message(person, rng), [by(person, "mentioned")]))
    for member in members[::2]:
        person, phone = member.person, writing.phones(member.person.phone)[(member.person.number + 2) % 8]
        text, strength = (
            (f"{person.name} på {phone} vil gerne ringes op", "likely"),
            (f"hvem tager kunde {person.number}? ({person.name})", "certain"),
            (f"husk at svare {person.email.upper()} inden fredag", "likely" if "shared-mail" in member.kinds else "certain"),
            (f"{person.name} var sur i telefonen", "possible"),
        )[person.number // 2 % 4]
        said.append((text, [by(person, "mentioned", strength)]))
    messages = []
    for at, (text, whose) in enumerate(said):
        ts = f"{1_771_000_000 + at * 911}.{at:06}"
        messages.append({"type": "message", "user": users[at % len(users)]["id"], "ts": ts, "text": text})
        chat.mark(f"{SLACK}!{CHANNEL}", f"ts={ts}", *whose, by(staff[at % len(staff)], "handler", "likely"), when=date(2026, 2, 13))
    export = {
        "users.json": users,
        "channels.json": [{"id": "C1", "name": "kundeservice", "members": [user["id"] for user in users]}],
        CHANNEL: messages,
    }
    chat.add(SLACK, packed({name: json.dumps(content, ensure_ascii=False, indent=1) for name, content in export.items()}))


def whatsapp(chat: Files, customers: Sequence[Person], staff: Sequence[Person], members: Sequence[Member]) -> None:
    """The group of those on duty; senders are names, and some lines tell what should not be told."""
    said: list[tuple[str, list[Whose]]] = [
        (
            text.format(other=staff[2].first, phone=customers[at].phone),
            [by(customers[at], "mentioned", "likely")] if "{phone}" in text
            else [by(staff[2], "mentioned", "possible", findable=False)] if "{other}" in text else [],
        )
        for at, text in enumerate(CHAT)
    ]  # fmt: skip
    for member in members[1::6]:
        person = member.person
        text = f"{writing.initials(person.name)} på {writing.phones(person.phone)[1]} har låst sig ude af kontoen"
        said.append((text, [by(person, "mentioned", "possible" if person.name == "Søren Holm" else "likely")]))
    lines = []
    for at, (text, whose) in enumerate(said):
        sender = staff[at % len(staff)]
        lines.append(f"{1 + at % 28:02}.03.2026 {8 + at % 10:02}.{at * 7 % 60:02} - {sender.name}: {text}")
        chat.mark(WHATSAPP, f"line={at + 1}", *whose, by(sender, "author", "possible"), when=date(2026, 3, 1 + at % 28))
    chat.add(WHATSAPP, ("\n".join(lines) + "\n").encode())
