"""Why a record is the subject's, and how surely: evidence is weighed in the open, in words a caseworker understands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scanner.model import Identifier, Link, Role
from scanner.subject.identifiers import Agreement, Likeness, Strength, strength
from scanner.subject.names import GIVEN

_NAMES = {
    "PERSON": "name", "EMAIL_ADDRESS": "e-mail address", "PHONE_NUMBER": "phone number", "ADDRESS": "address", "DK_CPR": "CPR number",
    "DATE_OF_BIRTH": "date of birth", "CUSTOMER_ID": "number", "IBAN_CODE": "IBAN", "DK_BANK_ACCOUNT": "bank account",
    "CREDIT_CARD": "payment card", "USERNAME": "login", "COOKIE_ID": "cookie", "DK_PASSPORT": "passport number",
    "DK_DRIVING_LICENCE": "driving licence", "IP_ADDRESS": "IP address",
}  # fmt: skip
_REACHED = frozenset({"EMAIL_ADDRESS", "PHONE_NUMBER"})
_GOOD = (Agreement.SAME, Agreement.VARIANT)


class Evidence(NamedTuple):
    """One identifier that was met in a record: which, how alike, in which field, and in what role.

    `mine` tells a field of the record that says whom it is about (a name column, not a message) from running text.
    """

    identifier: int
    likeness: Likeness
    field: str
    role: Role = Role.ABOUT
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """How surely a record is hers, a score between 0 and 1, why, and what she is in it. No `link`: it is not hers."""

    link: Link | None
    score: float
    why: str
    role: Role
    field: str = ""


def title(entity: str) -> str:
    """What an entity is called in a sentence."""
    return _NAMES.get(entity, entity.replace("_", " ").lower())


def judge(
    identifiers: Sequence[Identifier], evidence: Sequence[Evidence], against: Collection[str] = (), shared: Collection[int] = ()
) -> Judgement:
    """Weigh what was met in one record.

    `against` names what the record says otherwise of the person it is about: another name (`PERSON`, or `SURNAME` where the
    first name is the same), another number (`DK_CPR`), another birthday, another e-mail address. `shared` are identifiers that
    other people are known to have as well: a family's phone.
    """
    best: dict[str, Evidence] = {}
    for one in evidence:
        entity = identifiers[one.identifier].entity
        known = best.get(entity)
        if known is None or _rank(one, shared) < _rank(known, shared):
            best[entity] = one
    if not best:
        return Judgement(None, 0.0, "", Role.MENTIONED)
    name = best.get("PERSON")
    named = name.likeness.agreement if name else None
    strong = [e for entity, e in best.items() if entity != "PERSON" and _is(identifiers, e, Strength.STRONG)]
    sure = [e for e in strong if e.likeness.agreement is Agreement.SAME and not _shared(e, shared)]
    medium = [e for entity, e in best.items() if entity != "PERSON" and e not in sure and e.likeness.agreement in _GOOD]
    counted = [e for e in medium if not _shared(e, shared)]
    other_name = bool({"PERSON", "SURNAME"} & set(against)) and named not in _GOOD
    other_person = "DK_CPR" in against or "DATE_OF_BIRTH" in against
    told = _told(identifiers, best, shared)
    role, field = _role(best, sure), _where(best, sure, medium)

    def said(link: Link | None, score: float, more: str = "") -> Judgement:
        return Judgement(link, score, "; ".join(part for part in (told, more) if part), role, field)

    if any(identifiers[e.identifier].entity == "DK_CPR" for e in sure):
        return said(Link.CERTAIN, 0.99)
    if other_person:
        more = "but another CPR number or date of birth stands there"
        return said(Link.POSSIBLE, 0.3, more) if sure or (named in _GOOD and counted) else said(None, 0.0)
    if sure:
        numbers = any(identifiers[e.identifier].entity not in ("EMAIL_ADDRESS", "USERNAME") for e in sure)
        if not other_name or numbers:
            return said(Link.CERTAIN, 0.97 if len(best) > 1 else 0.95)
        if "SURNAME" in against:
            return said(Link.LIKELY, 0.75, "another surname")
        return said(Link.POSSIBLE, 0.35, "but another name stands there")
    if other_name:
        reaches = any(identifiers[e.identifier].entity != "ADDRESS" for e in medium)
        return said(Link.POSSIBLE, 0.25, "but another name stands there") if reaches else said(None, 0.0)
    if "EMAIL_ADDRESS" in against and {"PHONE_NUMBER", "CUSTOMER_ID"} & set(against) and (named in _GOOD or medium):
        return said(Link.POSSIBLE, 0.4, "but another e-mail address and another number stand there")
    kinds = {identifiers[e.identifier].entity for e in counted}
    exact = {identifiers[e.identifier].entity for e in counted if e.likeness.agreement is Agreement.SAME}
    if named is Agreement.SAME:
        if exact & {"PHONE_NUMBER", "ADDRESS", "EMAIL_ADDRESS"} or len(kinds) > 1:
            return said(Link.CERTAIN, 0.93)
        if medium:
            # A family shares its phone, but not its first names: name and phone together tell her from the others.
            alone = name is not None and name.identifier not in shared
            reached = {identifiers[e.identifier].entity for e in medium if e.likeness.agreement is Agreement.SAME} - {"ADDRESS"}
            if alone and reached - {"DATE_OF_BIRTH"}:
                return said(Link.CERTAIN, 0.9)
            if kinds:
                return said(Link.LIKELY, 0.8)
            return said(Link.POSSIBLE, 0.45, "several people of that name share it")
        return said(Link.POSSIBLE, 0.4, "the name alone")
    if named is Agreement.VARIANT:
        if len(exact) > 1:
            return said(Link.CERTAIN, 0.9)
        if kinds or len(medium) > 1:
            return said(Link.LIKELY, 0.75)
        return said(Link.POSSIBLE, 0.35 if medium else 0.25, "" if medium else "a name like hers alone")
    if len(kinds) > 1 or (named is Agreement.WEAK and kinds - {"DATE_OF_BIRTH"}):
        return said(Link.LIKELY, 0.7)
    if kinds - {"ADDRESS", "DATE_OF_BIRTH"}:
        return said(Link.LIKELY, 0.65)
    if name is not None and name.likeness.how in GIVEN and any(identifiers[e.identifier].entity in _REACHED for e in medium):
        return said(Link.LIKELY, 0.6)  # a family shares its mailbox and its phone, but not its first names
    if medium:
        return said(Link.POSSIBLE, 0.2)
    return said(None, 0.0)


def _is(identifiers: Sequence[Identifier], one: Evidence, wanted: Strength) -> bool:
    return strength(identifiers[one.identifier]) is wanted


def _shared(one: Evidence, shared: Collection[int]) -> bool:
    return one.identifier in shared


def _rank(one: Evidence, shared: Collection[int]) -> tuple[int, bool, bool]:
    order = (Agreement.SAME, Agreement.VARIANT, Agreement.WEAK, Agreement.UNKNOWN, Agreement.DIFFERENT)
    return order.index(one.likeness.agreement), one.identifier in shared, not one.mine


def _told(identifiers: Sequence[Identifier], best: dict[str, Evidence], shared: Collection[int]) -> str:
    """The evidence in words, strongest first."""
    order = sorted(best.items(), key=lambda pair: (list(Strength).index(strength(identifiers[pair[1].identifier])), pair[0]))
    said = []
    for entity, one in order:
        if one.likeness.agreement in (Agreement.UNKNOWN, Agreement.DIFFERENT):
            continue
        how = one.likeness.how or ("the same" if one.likeness.agreement is Agreement.SAME else "similar")
        part = f"{title(entity)}: {how}"
        if one.field:
            part += f" (in {one.field})"
        if _shared(one, shared):
            part += ", which others share"
        said.append(part)
    return "; ".join(said)


def _role(best: dict[str, Evidence], sure: Sequence[Evidence]) -> Role:
    """What she is in the record: what the surest evidence says, and of those the closest."""
    order = (Role.ABOUT, Role.AUTHOR, Role.RECIPIENT, Role.HANDLER, Role.SIGNATURE, Role.MENTIONED)
    pool = list(sure) or list(best.values())
    return min((one.role for one in pool), key=order.index)


def _where(best: dict[str, Evidence], sure: Sequence[Evidence], medium: Sequence[Evidence]) -> str:
    """The field in which the surest evidence stands."""
    for pool in (sure, medium, best.values()):
        for one in pool:
            return one.field
    return ""
