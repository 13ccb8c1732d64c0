"""Reads one row of a table as statements about people: whose name, whose number, and what of it is the subject's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from scanner.model import Identifier, Role
from scanner.subject.fields import Meaning, Part, meaning, same_number, split
from scanner.subject.identifiers import Agreement, Likeness, compare, fold_name
from scanner.subject.links import Evidence
from scanner.subject.names import GIVEN, akin

_WHOLE = {
    Part.EMAIL, Part.PHONE, Part.CPR, Part.BORN, Part.LOGIN, Part.COOKIE, Part.IBAN, Part.ACCOUNT, Part.CARD, Part.PASSPORT,
    Part.LICENCE, Part.NUMBER,
}  # fmt: skip


_NOBODY = frozenset(
    "gæst gaest guest ukendt unknown anonym anonymous anonymiseret anonymised anonymized slettet deleted kunde customer privat private "
    "bruger user test none null n/a - -- x ingen".split()
)
"""What stands in a column of names where there is none."""
_APART = frozenset({"PERSON", "DK_CPR", "DATE_OF_BIRTH", "EMAIL_ADDRESS", "PHONE_NUMBER", "CUSTOMER_ID"})
"""What tells two people apart, alone or together, when a row says it of the person it is about."""


class Claim(NamedTuple):
    """What a row says of somebody: an entity, its text, the columns that say it, and whom it speaks of."""

    entity: str
    text: str
    fields: tuple[str, ...]
    role: Role


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """What a row comes to: evidence for the subject, what it says otherwise, and all its claims."""

    evidence: list[Evidence] = field(default_factory=list)
    against: set[str] = field(default_factory=set)
    """What it says otherwise of the person it is about, held against everything that is known of the subject."""
    against_sure: set[str] = field(default_factory=set)
    """The same, held against what is known for certain: it cannot speak for itself by what it has told."""
    claims: list[Claim] = field(default_factory=list)


def claims(row: Mapping[str, str | None], entities: Mapping[str, str]) -> Iterator[Claim]:
    """What a row says of people, names and addresses put together from their parts. `entities`: what columns are known to hold."""
    parts: dict[tuple[Role, str], dict[Part, tuple[str, str]]] = {}
    for name, value in row.items():
        text = (value or "").strip()
        if not text or len(text) > 300:
            continue
        means = meaning(name, entities.get(name, ""))
        if means.part is Part.NONE or (means.part is Part.NAME and meaning(name).part is Part.NONE and _is_sentence(text)):
            continue
        if means.part in _WHOLE:
            yield Claim(means.part.value, text, (name,), means.role)
            continue
        parts.setdefault((means.role, _whose(name, means)), {}).setdefault(means.part, (name, text))
    for (role, _), held in parts.items():
        yield from _names(held, role)
        yield from _address(held, role)


_PARTICLES = frozenset("af bin da de del den der di dos du el la le og te ten ter van von zu".split())


def _is_sentence(text: str) -> bool:
    """Whether a cell says something, though the column is known for the names in it: messages of which most are signed."""
    words = text.split()
    small = [word for word in words if word[0].islower() and word not in _PARTICLES]
    return len(words) > 8 or any(map(str.isdigit, text)) or 0 < len(small) < len(words)


def _names(held: Mapping[Part, tuple[str, str]], role: Role) -> Iterator[Claim]:
    if Part.NAME in held:
        name, text = held[Part.NAME]
        if text.casefold() in _NOBODY:
            return
        yield Claim("PERSON", text, (name,), role)
    several = [held[part] for part in (Part.FIRST, Part.MIDDLE, Part.LAST) if part in held]
    if several:
        yield Claim("PERSON", " ".join(text for _, text in several), tuple(name for name, _ in several), role)


def _address(held: Mapping[Part, tuple[str, str]], role: Role) -> Iterator[Claim]:
    street = held.get(Part.ADDRESS) or held.get(Part.STREET)
    if street is None:
        return
    names, text = [street[0]], street[1]
    for part in (Part.HOUSE, Part.FLOOR):
        if part in held:
            names.append(held[part][0])
            text += f" {held[part][1]}"
    tail = " ".join(held[part][1] for part in (Part.POSTCODE, Part.TOWN) if part in held)
    names += [held[part][0] for part in (Part.POSTCODE, Part.TOWN) if part in held]
    yield Claim("ADDRESS", f"{text}, {tail}" if tail else text, tuple(names), role)


_GENERIC = frozenset(
    "name navn fornavn efternavn mellemnavn first last full fulde fuldt display given family middle sur street vej gade adresse address "
    "postnr postcode postal code zip by city town husnr house no nr etage floor line 1 2 kunde customer person".split()
)


def _whose(name: str, means: Meaning) -> str:
    """What is in front of a column's own words: `billing` of billing_street, so that parts of one address meet."""
    if means.part in (Part.NAME, Part.FIRST, Part.MIDDLE, Part.LAST):
        return "" if means.role is Role.ABOUT else "_".join(w for w in split(name).split("_") if w not in _GENERIC)
    return "_".join(w for w in split(name).split("_") if w not in _GENERIC)


def read(
    row: Mapping[str, str | None],
    entities: Mapping[str, str],
    identifiers: Sequence[Identifier],
    where: str = "",
    doubtful: Collection[int] = (),
) -> Row:
    """Hold a row against the subject. `where` is `source:object`, so that numbers are compared with their own columns only;
    `doubtful` are identifiers that are only likely hers."""
    out = Row()
    said: dict[str, list[tuple[bool, int]]] = {}
    for claim in claims(row, entities):
        out.claims.append(claim)
        for number, known in enumerate(identifiers):
            likeness = _alike(known, claim, where)
            if likeness is None or likeness.agreement is Agreement.UNKNOWN:
                continue
            elsewhere = known.entity == "CUSTOMER_ID" and known.column != f"{where}.{claim.fields[0]}"  # two systems number on their own
            if claim.role is Role.ABOUT and claim.entity in _APART and not (elsewhere and likeness.agreement is Agreement.DIFFERENT):
                said.setdefault(claim.entity, []).append((_agrees(claim.entity, likeness), number))
            if likeness.agreement is not Agreement.DIFFERENT:
                out.evidence.append(Evidence(number, likeness, ", ".join(claim.fields), claim.role, claim.role is Role.ABOUT))
    for entity, agreements in said.items():
        sure = [agrees for agrees, number in agreements if number not in doubtful]
        if any(agrees for agrees, _ in agreements) and (any(sure) or not sure):
            continue
        if any(agrees for agrees, _ in agreements):
            surname = _first_name(out.claims, [one for number, one in enumerate(identifiers) if number not in doubtful])
        else:
            surname = _first_name(out.claims, identifiers)
        what = "SURNAME" if entity == "PERSON" and surname else entity
        out.against_sure.add(what)
        if not any(agrees for agrees, _ in agreements):
            out.against.add(what)
    return out


def _agrees(entity: str, likeness: Likeness) -> bool:
    """Whether what a row says of the person it is about fits the subject; a surname alone fits her whole family."""
    if likeness.agreement in (Agreement.SAME, Agreement.VARIANT):
        return True
    return likeness.agreement is Agreement.WEAK and (entity != "PERSON" or likeness.how in GIVEN)


def _first_name(claims: Sequence[Claim], identifiers: Sequence[Identifier]) -> bool:
    """Whether the person a row is about has another name but the subject's first name, as after a wedding."""
    said = [fold_name(c.text) for c in claims if c.entity == "PERSON" and c.role is Role.ABOUT]
    known = [fold_name(one.value) for one in identifiers if one.entity == "PERSON"]
    return any(one and other and (one[0] == other[0] or one[0] in akin(other[0])) for one in said for other in known)


def _alike(known: Identifier, claim: Claim, where: str) -> Likeness | None:
    if known.entity == "CUSTOMER_ID":
        if claim.entity not in ("CUSTOMER_ID", "USERNAME", "COOKIE_ID") or not _same_column(known.column, claim.fields[0], where):
            return None
        return compare(known, "CUSTOMER_ID", claim.text)
    if known.entity == claim.entity:
        return compare(known, claim.entity, claim.text)
    if (known.entity, claim.entity) in (("DK_CPR", "DATE_OF_BIRTH"), ("DATE_OF_BIRTH", "DK_CPR")):
        return compare(known, claim.entity, claim.text)
    if known.entity == "EMAIL_ADDRESS" and claim.entity == "USERNAME" and "@" in claim.text:
        return compare(known, "EMAIL_ADDRESS", claim.text)
    if known.entity == "DK_CPR" and claim.entity == "CUSTOMER_ID":
        likeness = compare(known, "DK_CPR", claim.text)  # a patient's or employee's number may be the CPR number itself
        return likeness if likeness.agreement is Agreement.SAME else None
    return None


def _same_column(column: str, field: str, where: str) -> bool:
    """Whether a number known from `column` (a bare name, or `source:object.column`) is meant by a field of the object `where`."""
    return f"{where}.{field}" == column or same_number(column, field)
