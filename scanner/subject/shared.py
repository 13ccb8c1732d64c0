"""Which identifiers several people have: a family's phone, a firm's mailbox, the address of a father and a son of one name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from scanner.model import Identifier, Role
from scanner.subject import tables
from scanner.subject.identifiers import Agreement, Strength, compare, is_shared_mailbox, strength
from scanner.subject.links import title
from scanner.subject.places import OTHER_NAME, Address, Place

Places: TypeAlias = Mapping[Address, Place]


def find_shared(places: Places, identifiers: Sequence[Identifier], shared: set[int], doubtful: set[int]) -> Iterator[str]:
    """Add the identifiers that several people use: those that lead to rows of people with other names. Gives what should be said of it."""
    named = [one for one in identifiers if one.entity == "PERSON"]
    owners: dict[int, list[str]] = {}
    mailboxes = {i for i, one in enumerate(identifiers) if one.entity == "EMAIL_ADDRESS" and is_shared_mailbox(one.value)}
    for place in places.values():
        if not (place.people and place.claims):
            continue
        names = [c.text for c in place.claims if c.entity == "PERSON" and c.role is Role.ABOUT]
        for one in place.evidence.values():
            known = identifiers[one.identifier]
            if not one.mine or known.entity in ("PERSON", "DK_CPR", "CUSTOMER_ID", "ADDRESS", "DATE_OF_BIRTH"):
                continue
            if one.likeness.agreement is Agreement.SAME:
                owners.setdefault(one.identifier, []).extend(names)
    for number, names in owners.items():
        if named:
            strangers = [n for n in names if not any(_one_person(k.value, n) for k in named)]
            if strangers:
                shared.add(number)
        elif any(not _one_person(names[0], other) for other in names[1:]):
            shared.add(number)
            what = title(identifiers[number].entity)
            yield f"the {what} that was given is used by several people: say the name as well"

    # A mailbox called info@ or kontakt@ is a firm's, unless everything that is known says that one person alone has it.
    alone = {number for number in mailboxes if owners.get(number) and number not in shared}
    doubtful |= alone
    shared |= mailboxes - alone


def find_namesakes(places: Places, identifiers: Sequence[Identifier], shared: set[int]) -> None:
    """Two people of one name at one address (a father and his son) are told apart by neither: both are shared then."""
    alike: dict[tuple[str, str, int], list[Place]] = {}
    for (source, object, _), place in places.items():
        if not place.people or place.way is not None or place.row is None or place.against & OTHER_NAME:
            continue
        mine = [e for e in place.evidence.values() if e.mine and e.likeness.agreement in (Agreement.SAME, Agreement.VARIANT)]
        named = [e.identifier for e in mine if identifiers[e.identifier].entity == "PERSON"]
        if named and not any(strength(identifiers[e.identifier]) is Strength.STRONG for e in mine):
            for one in mine:
                if one.identifier not in named:
                    alike.setdefault((source, object, one.identifier), []).append(place)
    names = {i for i, one in enumerate(identifiers) if one.entity == "PERSON"}
    for (_, _, number), held in alike.items():
        if any(_stranger(place) for place in held) or any(_differ(one, other) for i, one in enumerate(held) for other in held[:i]):
            shared |= {number, *names}


def _one_person(one: str, other: str) -> bool:
    """Whether two names may be those of one person."""
    return compare(Identifier("PERSON", one), "PERSON", other).agreement is not Agreement.DIFFERENT or tables.alike(one, other)


def _stranger(place: Place) -> bool:
    """Whether a row that fits by name and address is somebody else's: another e-mail address and another number stand there."""
    return "EMAIL_ADDRESS" in place.against and bool(place.against & {"PHONE_NUMBER", "CUSTOMER_ID"})


def _differ(one: Place, other: Place) -> bool:
    """Whether two rows speak of different people: another CPR number or birthday, or both another e-mail address and another phone."""
    said = [{claim.entity: claim.text for claim in place.claims if claim.role is Role.ABOUT} for place in (one, other)]
    apart = {
        entity
        for entity in said[0].keys() & said[1].keys()
        if compare(Identifier(entity, said[0][entity]), entity, said[1][entity]).agreement is Agreement.DIFFERENT
    }
    return (
        bool(apart & {"DK_CPR", "DATE_OF_BIRTH"})
        or {"EMAIL_ADDRESS", "PHONE_NUMBER"} <= apart
        or ("EMAIL_ADDRESS" in apart and "CUSTOMER_ID" in apart)
    )
