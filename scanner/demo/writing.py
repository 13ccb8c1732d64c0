"""The many ways in which people write the same name, number and address."""

from __future__ import annotations

from scanner.demo.people import Person

PLAIN = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "Æ": "Ae", "Ø": "Oe", "Å": "Aa", "é": "e", "è": "e", "ü": "u", "ö": "o", "ä": "a"})
SHORT = (("Gammel ", "Gl. "), ("Nørre ", "Nr. "), ("Søndre ", "Sdr. "), ("vej ", "v. "), ("gade ", "g. "), ("Alle ", "Al. "))


def phones(phone: str) -> tuple[str, ...]:
    """Eight digits, written in eight ways."""
    pairs = " ".join(phone[at : at + 2] for at in range(0, 8, 2))
    return (
        phone,
        pairs,
        f"+45 {pairs}",
        f"+45{phone}",
        f"0045 {phone}",
        f"{phone[:4]} {phone[4:]}",
        f"(+45) {phone[:4]}-{phone[4:]}",
        pairs.replace(" ", "."),
    )


def cprs(cpr: str) -> tuple[str | int, ...]:
    """`DDMMYY-SSSS` in five ways; the last is a number, which loses its first zero."""
    digits = cpr.replace("-", "")
    return cpr, digits, f"{digits[:6]} {digits[6:]}", f"{digits[:2]} {digits[2:4]} {digits[4:6]} {digits[6:]}", int(digits)


def plain(text: str) -> str:
    """Danish letters and accents in ASCII."""
    return text.translate(PLAIN)


def initials(name: str) -> str:
    """`Malene Holm` as `M. Holm`."""
    first, *rest = name.split()
    return " ".join([f"{first[0]}.", *rest])


def reversed_name(name: str) -> str:
    """`Mette Holm` as `Holm, Mette`."""
    *given, surname = name.split()
    return f"{surname}, {' '.join(given)}"


def short(street: str) -> str:
    """A street as it is abbreviated on an envelope, its floor without dots."""
    for long, brief in SHORT:
        street = street.replace(long, brief)
    road, _, floor = street.partition(", ")
    return f"{road} {floor.replace('. ', '').replace('.', '')}".strip()


def address(person: Person) -> str:
    """The whole address on one line, the street abbreviated."""
    return f"{short(person.street)}, {person.postcode} {person.town}"
