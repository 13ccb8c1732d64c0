"""Whose each record of the made-up company is: what a search for one person is measured on.

    from scanner.demo.truth import truth
    for subject in truth().subjects: …

Produced by the program that writes the records, never by running the scanner.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from scanner.demo import writing
from scanner.demo.cast import Member
from scanner.demo.company import Company, make
from scanner.demo.ledger import DAY, Mark
from scanner.demo.policy import Fate, fates, overdue

ORDINARY = (10_402, 10_407, 10_411, 10_413, 10_426, 10_440, 10_442, 10_455, 10_500, 10_600)
"""Customers without any difficulty that are subjects too; 10442 is the one under a hold."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody who asks is known by at first.

    `reaches` is the strongest link that such a request may give: `possible` for a name alone.
    """

    label: str
    reaches: str
    cpr: str = ""
    email: str = ""
    phone: str = ""
    name: str = ""
    address: str = ""
    id: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a subject, in the scanner's own address. `record` is `""` for a running document: any part of it will do.

    `strength` is what a fair caseworker could say who knows all that the company knows of the subject. A record that is not
    `findable` holds nothing that leads to her; no search can be blamed for it. `fate` is what a deletion plan must say of it.
    """

    source: str
    object: str
    record: str
    role: str
    strength: str
    findable: bool
    fate: Fate

    @property
    def required(self) -> bool:
        """Whether a search must find it: not where only her name stands in it, nor where she only appears in her function."""
        return self.findable and self.strength != "possible" and self.role not in ("handler", "signature")


@dataclass(frozen=True, slots=True)
class Subject:
    """One person, what is hard about her, the requests to begin with, and all her records."""

    number: int
    name: str
    kinds: tuple[str, ...]
    requests: tuple[Request, ...]
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Overdue:
    """A record that has been kept too long on the day of the truth, of whomever it is. `until` is the last day that it should have been."""

    source: str
    object: str
    record: str
    policy: str
    until: str


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of the company on a day. Records of a subject that are not listed are somebody else's.

    Fates and `overdue` are by the configuration with all sources in it: `configuration(…, postgresql=URL, mariadb=URL)`.
    """

    day: str
    people: int
    subjects: tuple[Subject, ...]
    overdue: tuple[Overdue, ...]

    def json(self) -> str:
        """The truth as a JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)


def truth() -> Truth:
    """The truth about the company that `write` writes, made anew in memory."""
    return of(make())


def of(company: Company) -> Truth:
    """The truth about a company at hand."""
    subjects = tuple(_subject(company, member) for member in _chosen(company))
    late = tuple(Overdue(*mark.place, policy.name, until.isoformat()) for mark, policy, until in overdue(company.ledger))
    return Truth(DAY.isoformat(), len({company.ledger.who(mark.person) for mark in company.ledger.all()}), subjects, late)


def _chosen(company: Company) -> Iterator[Member]:
    yield from (member for member in company.members if company.ledger.who(member.person.number) == member.person.number)
    yield from company.others
    yield from company.staff
    for person in company.customers:
        if person.number in ORDINARY:
            yield Member(person, frozenset({"ordinary", "hold"} if person.number == 10_442 else {"ordinary"}), {})


def _subject(company: Company, member: Member) -> Subject:
    person = member.person
    marks = company.ledger.of(person.number)
    records = tuple(_record(mark, fate) for mark, fate in fates(company.ledger, person.number).items())
    return Subject(person.number, person.name, tuple(sorted(member.kinds)), tuple(_requests(member, marks)), records)


def _record(mark: Mark, fate: Fate) -> Record:
    return Record(*mark.place, mark.role, mark.strength, mark.findable, fate)


def _requests(member: Member, marks: list[Mark]) -> Iterator[Request]:
    """The requests that lead to all records of this person, and one by the name alone, which proves nothing."""
    person, kinds = member.person, member.kinds
    customer = any(mark.place.source == "crm" and mark.place.object == "customers" for mark in marks)
    objects = {mark.place.object for mark in marks}
    if person.email and "shared-mail" not in kinds and "shared-mailbox" not in kinds:
        yield Request("e-mail", "certain", email=person.email)
        if "email-case" in kinds:
            yield Request("e-mail in other case", "certain", email=person.email.upper())
    if (customer and "Eksport/kreditcheck 2025.csv" in objects) or kinds & {"payroll", "employee"}:
        cpr = member.also.get("cpr2", person.cpr)
        yield Request("CPR", "certain", cpr=cpr if person.number % 2 else cpr.replace("-", ""))
    if customer and "employee-customer" not in kinds:
        yield Request("customer number", "certain", id={"customer_no": str(person.number)})
    if here_alone := next((mark.place.record for mark in marks if mark.place.object == "optifo.kunder" and "erp-only" in kinds), None):
        yield Request("customer number", "certain", id=dict([here_alone.split("=")]))
    if person.phone and not kinds & {"shared-phone"}:
        yield Request("phone", "likely", phone=writing.phones(person.phone)[(person.number + 6) % 8])
    if person.street:
        lives_with_namesake = person.name == "Søren Holm"
        yield Request("name and address", "possible" if lives_with_namesake else "certain", name=person.name, address=person.address)
    if "changed-name" in kinds:
        yield Request("former name and e-mail", "certain", name=member.also["was"], email=person.email)
    yield Request("name", "possible", name=person.name)
