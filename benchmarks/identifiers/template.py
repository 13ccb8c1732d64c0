"""Turns a hand-written text with slots («cpr», «phone», …) into a labelled text.

A slot's label says what the number in its place is: an entity of the contract in capitals; a look-alike in small letters
(`invoice`, `p-number`, …), which is nothing that may be reported; `maybe:X|Y` where finding X or Y is as right as finding nothing;
`ambiguous` where a human could not tell, so that nothing said about it counts; and none, for text that nobody judges, such as names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NotRequired, TypedDict

from benchmarks.identifiers.people import People

SLOT = re.compile(r"«([a-z0-9_]+)»")
Make = Callable[[], str]
Slots = Mapping[str, tuple[str, Make]]
PROSE_FIELDS = {"", "subject", "body", "attachment"}


class Labelled(TypedDict):
    """A text, what is in it (start, end, label; in code points), and the form that it was written to cover."""

    text: str
    spans: list[tuple[int, int, str]]
    form: str
    field: NotRequired[str]


def fill(template: str, slots: Slots, form: str, field: str = "") -> Labelled:
    """The template with every slot made anew, and where each labelled one came to stand."""
    parts: list[str] = []
    spans: list[tuple[int, int, str]] = []
    at = low = 0
    for found in SLOT.finditer(template):
        before = template[low : found.start()]
        label, make = slots[found[1]]
        value = make()
        at += len(before)
        if label:
            spans.append((at, at + len(value), label))
        at += len(value)
        parts += (before, value)
        low = found.end()
    made = Labelled(text="".join(parts) + template[low:], spans=spans, form=form)
    if field:
        made["field"] = field
    return made


def slots(p: People) -> dict[str, tuple[str, Make]]:
    """What every template may use."""
    r = p.random
    iban = ("DK", "DE", "SE", "NO", "FI", "NL", "GB", "FR")

    def hyphen(number: str) -> str:
        return f"{number[:6]}-{number[6:]}"

    def spaced(number: str, step: int = 4) -> str:
        return " ".join(number[i : i + step] for i in range(0, len(number), step))

    def date() -> str:
        day, month, year = p.date(2015, 2025)
        return r.choice(
            (f"{day:02}.{month:02}.{year}", f"{day}/{month} {year}", f"{year}-{month:02}-{day:02}", f"{day:02}-{month:02}-{year}")
        )

    return {
        # nobody judges these
        "name": ("", p.name), "first": ("", p.first), "last": ("", p.last), "firm": ("", p.firm), "town": ("", p.city), "road": ("", lambda: r.choice(("Algade", "Tingvej", "Bredgade"))),
        "n": ("", lambda: str(r.randint(2, 99))), "n4": ("", lambda: str(r.randint(1000, 9999))), "n6": ("", lambda: p.digits(6, "123456789")),
        # persons and companies
        "cpr": ("DK_CPR", lambda: hyphen(p.cpr())), "cpr10": ("DK_CPR", p.cpr), "cvr": ("DK_CVR", p.cvr), "se_no": ("maybe:DK_CVR", p.cvr),
        "cvr_sp": ("DK_CVR", lambda: spaced(p.cvr(), 2)),
        "email": ("EMAIL_ADDRESS", p.email), "phone": ("PHONE_NUMBER", p.spaced_phone), "phone8": ("PHONE_NUMBER", p.phone), "address": ("ADDRESS", p.address),
        "iban": ("IBAN_CODE", lambda: p.iban(r.choice(iban))), "card": ("CREDIT_CARD", lambda: spaced(p.card("visa"))), "ip": ("IP_ADDRESS", p.ipv4),
        "account": ("DK_BANK_ACCOUNT", lambda: f"{p.digits(4, '123456789')} {p.digits(10)}"), "born": ("DATE_OF_BIRTH", lambda: p.born(r.choice(("dots4", "iso", "hyphen")))),
        # look-alikes of ten digits, half of which would pass as CPR numbers
        **{kind: (kind.replace("_", "-"), p.ten) for kind in (
            "invoice", "order", "case", "customer", "member", "policy", "ticket", "item", "serial_no", "project", "batch", "meter", "account_no", "rid", "parcel", "licence_key",
            "property_no", "document", "reference", "payment_id",
        )},
        "p_number": ("p-number", p.p_number), "p_bare": ("p-number", lambda: f"10{r.randint(13, 29)}{p.digits(6)}"), "unix": ("unix-seconds", p.unix),
        "unix_ms": ("unix-milliseconds", lambda: p.unix() + p.digits(3)), "stamp": ("stamp", p.stamp), "stamp_sp": ("stamp", lambda: f"{(s := p.stamp())[:6]} {s[6:]}"),
        "day_serial": ("day-serial", p.serial), "case_serial": ("maybe:DK_CPR", p.serial), "fik": ("payment-slip", p.fik), "ean": ("ean", p.ean), "gln": ("gln", lambda: p.ean("579800")),
        "imei": ("imei", p.imei), "isbn10": ("isbn-10", p.isbn10), "isbn13": ("isbn-13", p.isbn13), "uuid": ("uuid", p.uuid), "md5": ("hash", lambda: p.hexes(32)),
        "sha1": ("hash", lambda: p.hexes(7) + "a" + p.cpr() + "b" + p.hexes(21)), "sha256": ("hash", lambda: p.hexes(64)), "decimal": ("decimal", lambda: f"{r.randint(0, 9)}.{p.cpr()}"),
        "decimal_da": ("decimal", lambda: f"{p.cpr()},{p.digits(2)}"), "version": ("version", lambda: f"{r.randint(1, 9)}.{r.randint(0, 20)}.{r.randint(0, 20)}.{r.randint(0, 9)}"),
        "build": ("build", p.ten), "amount": ("amount", lambda: f"{r.randint(1, 31)}.{r.randint(101, 112)}.{r.randint(100, 999)}.{r.randint(100, 999)},{p.digits(2)}"),
        "amount10": ("amount", lambda: p.digits(10, "12")), "postnord": ("parcel", lambda: "00" + p.digits(18, "357")), "ups": ("parcel", lambda: f"1Z{p.letters(3)}{p.digits(13)}"),
        "upc": ("bar-code", lambda: p.digits(12)), "gtin14": ("bar-code", lambda: "1" + p.ean()), "vin": ("chassis", lambda: f"WVWZZZ{p.letters(1)}{p.cpr()}"),
        "taric": ("customs-code", lambda: f"0{r.randint(1, 9)}{p.until(lambda m: 1 <= int(m) <= 12, lambda: p.digits(2, '01'))}{p.digits(2)}{p.digits(2)}00"),
        "taric_sp": ("customs-code", lambda: f"0{r.randint(1, 9)}{p.digits(2, '01')} {p.digits(2)} {p.digits(2)} 00"), "long": ("long-number", lambda: p.digits(2, "123456789") + p.cpr() + p.digits(3)),
        "order8": ("order", lambda: p.digits(8, "123456789")), "order9": ("order", lambda: p.short_cpr(first=1950)), "phone_us": ("maybe:PHONE_NUMBER", lambda: f"({p.digits(3, '2345')}) 555-01{p.digits(2)}"),
        "phone_se": ("maybe:PHONE_NUMBER", lambda: f"07{p.until(lambda m: m <= '12' and m != '00', lambda: p.digits(2, '01'))}{p.digits(6)}"), "date": ("date", date),
        "pid": ("pid", lambda: p.cpr() + p.digits(2)), "oid": ("object-id", lambda: f"1.2.208.176.{r.randint(1, 9)}.{r.randint(1, 9)}"), "section": ("section", lambda: f"{r.randint(1, 9)}.{r.randint(1, 9)}.{r.randint(1, 9)}.{r.randint(1, 9)}"),
    }  # fmt: skip
