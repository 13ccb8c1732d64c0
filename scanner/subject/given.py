"""What is said of a person when the search begins: read from options or JSON, and refused, without a value, where it cannot be true."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from scanner.detect import checks
from scanner.detect.known import CUSTOMER_ID
from scanner.errors import UsageError
from scanner.model import Identifier, Subject
from scanner.subject import addresses, contacts, dates, names

KEYS = {"cpr": "DK_CPR", "email": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "name": "PERSON", "address": "ADDRESS", "born": "DATE_OF_BIRTH"}
"""What a request may know, by the words it says it with; and `id`, numbers of the company's own."""

_ANYWAY = "correct it, or say that it is to be searched all the same (--anyway)"


def from_options(
    cpr: Iterable[str] = (),
    email: Iterable[str] = (),
    phone: Iterable[str] = (),
    name: Iterable[str] = (),
    address: Iterable[str] = (),
    ids: Iterable[str] = (),
    born: Iterable[str] = (),
    *,
    anyway: bool = False,
) -> Subject:
    """The subject of a request. `ids` are `COLUMN=VALUE`. Raises `UsageError`, never with a value in it."""
    given = {"cpr": cpr, "email": email, "phone": phone, "name": name, "address": address, "born": born}
    found = [Identifier(KEYS[key], value.strip()) for key, values in given.items() for value in values]
    for pair in ids:
        column, equals, value = pair.partition("=")
        if not (equals and column.strip() and value.strip()):
            raise UsageError("an id is given as COLUMN=VALUE, such as customer_no=… or crm:customers.customer_no=…")
        found.append(Identifier(CUSTOMER_ID, value.strip(), column.strip()))
    found = list(dict.fromkeys(found))
    if not found:
        raise UsageError("nothing is said of the person: give a CPR number, an e-mail address, a phone, a name, an address or an id")
    for one in found:
        if fault := _fault(one):
            key = next((key for key, entity in KEYS.items() if entity == one.entity), "id")
            if not one.value:
                raise UsageError(f"{key}: it is empty; leave it out")
            if not anyway:
                raise UsageError(f"{key}: it cannot be one ({fault}); {_ANYWAY}")
    return Subject(tuple(found))


def from_json(text: str, *, anyway: bool = False) -> Subject:
    """As `from_options`, from an object with the keys cpr, email, phone, name, address, born (a text or a list) and id (an object)."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError("the person is not given as JSON") from None
    if not isinstance(given, dict):
        raise UsageError('the person is given as one JSON object, such as {"email": "…", "id": {"customer_no": "…"}}')
    unknown = [key for key in given if key not in (*KEYS, "id")]
    if unknown:
        shown = ", ".join(repr(key[:40]) for key in unknown[:5])
        raise UsageError(f"unknown keys in the JSON of the person: {shown}; there are {', '.join(KEYS)} and id")
    ids = given.get("id", {})
    if not isinstance(ids, dict):
        raise UsageError("id in the JSON of the person is an object of COLUMN: VALUE")
    pairs = [f"{column}={value}" for column, values in ids.items() for value in _texts("id", values)]
    if any("=" in column for column in ids):
        raise UsageError("a column under id in the JSON of the person has no equals sign in its name")
    return from_options(**{key: _texts(key, given.get(key, [])) for key in KEYS}, ids=pairs, anyway=anyway)


def _texts(key: str, value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) or (isinstance(one, int) and not isinstance(one, bool)) for one in values):
        raise UsageError(f"{key} in the JSON of the person is a text or a list of texts")
    return [str(one) for one in values]


def _fault(one: Identifier) -> str:
    """Why a value cannot be what it is said to be; `""` when it can."""
    if not one.value:
        return "it is empty"
    if one.entity == "DK_CPR":
        return dates.cpr_fault(one.value)
    if one.entity == "EMAIL_ADDRESS":
        return contacts.email_fault(one.value)
    if one.entity == "PHONE_NUMBER":
        return contacts.phone_fault(one.value)
    if one.entity == "PERSON":
        return "" if names.fold_name(one.value) else "it has no letters"
    if one.entity == "DATE_OF_BIRTH":
        return "" if dates.days(one.value)[0] else "there is no such day, or it is not written as one"
    if one.entity == "ADDRESS":
        parsed = addresses.parse(one.value)
        return "" if parsed.road or parsed.town else "it has neither a road nor a town"
    return ""


def warnings(subject: Subject) -> list[str]:
    """What to know before the answer is read, without any value: doubtful numbers, shared mailboxes, a name alone."""
    said = []
    for one in subject.identifiers:
        if one.entity == "DK_CPR":
            if fault := dates.cpr_fault(one.value):
                said.append(f"the CPR number cannot be one ({fault}); it is searched all the same")
            elif not checks.cpr_modulus_11_expected(dates.cpr_digits(one.value)):
                said.append(
                    "the CPR number fails modulus 11 at a date for which no such numbers are known; check that it is typed right (cpr.dk)"
                )
            elif not checks.cpr_modulus_11(dates.cpr_digits(one.value)):
                said.append("the CPR number fails modulus 11, as some that were given out since 2007 do (cpr.dk)")
        elif one.entity == "EMAIL_ADDRESS" and contacts.is_shared_mailbox(one.value):
            said.append("the e-mail address looks like a mailbox that several people read; it is no proof of one person")
        elif one.entity == "ADDRESS" and not addresses.parse(one.value).number:
            said.append("the address has no house number; it tells nobody from the neighbours")
        elif fault := _fault(one):
            said.append(f"the {one.entity.lower().replace('_', ' ')} cannot be one ({fault}); it is searched all the same")
    if subject.identifiers and all(one.entity == "PERSON" for one in subject.identifiers):
        said.append("a name alone is known: the answer will only be possible, never likely or certain, as others may bear it")
    return list(dict.fromkeys(said))
