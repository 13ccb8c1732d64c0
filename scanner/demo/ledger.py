"""Notes, while the made-up company is written, whose record each one is: the truth that a search is measured on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from scanner.demo.people import Person

DAY = date(2026, 6, 30)
"""The day on which the company is looked at: retention is counted up to it."""
ROLES = ("subject", "author", "recipient", "mentioned", "handler", "signature")
STRENGTHS = ("certain", "likely", "possible")


class Place(NamedTuple):
    """The address of a record. `record` is `""` for a running document: the whole of it."""

    source: str
    object: str
    record: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One record of one person. `when` is the day from which its retention may count.

    `findable` is false where nothing in the record, and nothing that it points to, leads to the person.
    `alone` is false where the record cannot be deleted without touching other people's: a line in a list.
    `policy` says why no policy reaches it: `backup` or `unjoined`. `soft` rows are marked as deleted and still there.
    """

    person: int
    place: Place
    role: str = "subject"
    strength: str = "certain"
    findable: bool = True
    alone: bool = True
    when: date | None = None
    policy: str = ""
    soft: bool = False


class Ledger:
    """All marks, merged by person and place: the first role in `ROLES` and the first strength in `STRENGTHS` win."""

    def __init__(self) -> None:
        self._marks: dict[tuple[int, Place], Mark] = {}
        self._same: dict[int, int] = {}
        self._places: dict[Place, list[Mark]] = {}
        self._people: dict[int, list[Mark]] = {}
        self._counted = 0
        self.closed: dict[int, date] = {}
        """The end of the relationship with a customer, by number."""
        self.closed_before: dict[int, date] = {}
        """The same in the old system."""
        self.withdrawn: dict[int, date] = {}
        """When somebody took back the consent to newsletters."""
        self.left: dict[int, date] = {}
        """When an employee left, or an applicant was turned down."""

    def same(self, number: int, other: int) -> None:
        """Both numbers are the same person, who is told by the second."""
        self._same[number] = other

    def who(self, number: int) -> int:
        return self._same.get(number, number)

    def mark(self, mark: Mark) -> None:
        """Note one record of one person."""
        mark = replace(mark, person=self.who(mark.person))
        key, self._counted = (mark.person, mark.place), -1
        if old := self._marks.get(key):
            mark = replace(
                mark,
                role=min(old.role, mark.role, key=ROLES.index),
                strength=min(old.strength, mark.strength, key=STRENGTHS.index) if old.findable and mark.findable
                else old.strength if old.findable else mark.strength,
                findable=old.findable or mark.findable,
                alone=old.alone and mark.alone,
                when=old.when or mark.when,
                policy=old.policy or mark.policy,
                soft=old.soft or mark.soft,
            )  # fmt: skip
        self._marks[key] = mark

    def told(
        self, person: Person, place: Place, text: str, role: str = "mentioned", *, alone: bool = True, when: date | None = None
    ) -> None:
        """Note a record whose text alone says whose it is: as strongly as what of her stands in it."""
        strength = evidence(text, person)
        self.mark(Mark(person.number, place, role, strength or "possible", strength is not None, alone, when))

    def of(self, number: int) -> list[Mark]:
        """The marks of one person, sorted by place."""
        self._index()
        return sorted(self._people.get(self.who(number), []), key=lambda mark: mark.place)

    def at(self, place: Place) -> list[Mark]:
        """Everybody's marks on one record."""
        self._index()
        return self._places.get(place, [])

    def _index(self) -> None:
        if self._counted != len(self._marks):
            self._people, self._places, self._counted = {}, {}, len(self._marks)
            for mark in self._marks.values():
                self._people.setdefault(mark.person, []).append(mark)
                self._places.setdefault(mark.place, []).append(mark)

    def all(self) -> Iterable[Mark]:
        return self._marks.values()


def evidence(text: str, person: Person) -> str | None:
    """What a fair caseworker could say of a text in which the person's own spellings may stand; None when nothing of her does."""
    digits = re.sub(r"(?<=\d)[ -]?(?=\d)", "", text)
    phone = person.phone in digits
    name = person.name in text
    street = person.street.split(",")[0] in text
    if person.email.lower() in text.lower() or person.cpr.replace("-", "") in digits or (name and (phone or street)):
        return "certain"
    if phone or iban_or_account(text, person):
        return "likely"
    return "possible" if name else None


def iban_or_account(text: str, person: Person) -> bool:
    """Whether the account number stands in the text, by itself or in an IBAN."""
    return bool(person.account) and person.account.split()[1] in text.replace(" ", "")
