"""Ordinary words for the columns: products, and remarks such as employees leave about orders and people."""

from __future__ import annotations

from benchmarks.identifiers.people import People

THINGS = "Cykelslange Solbriller Kontaktlinser Skruetrækker Havebord Regnjakke Toner Kaffebønner Skrivebord Lampe Gulvspand Etui Sadel Hylde".split()
KINDS = "sort hvid 28 tommer XL model 200 12 stk. pro basis 500 g rustfri til børn ekstra".split()
REMARKS = """
Varen er sendt retur i den originale emballage.
Kunden ønsker levering efter kl. 16.
Betalt kontant ved afhentning.
Der mangler en skrue i kassen, ny er bestilt.
Delivered to the neighbour, signature on file.
Aftalt rabat på 10 % ved næste køb.
Ringede, men fik ikke svar.
Pakken står på lageret, hylde 4.
Order was split into two shipments.
Sagen er lukket uden bemærkninger.
Rykker sendt, betaling afventes.
Stellet er justeret og pudset.
Customer asked for a new invoice.
Ingen ændringer siden sidst.
""".strip().split("\n")
ABOUT = (
    "Kunden oplyste cpr {x} i telefonen.", "{x} skal rettes i systemet", "cpr-nr. {x} er forkert stavet i brevet", "Ny adresse til personnummer {x}, se mail.",
    "Slettet efter anmodning, CPR {x}", "kopi af sundhedskort modtaget ({x})", "Customer gave CPR {x} by mistake.", "tjek {x}",
)  # fmt: skip


def product(p: People) -> str:
    return f"{p.random.choice(THINGS)} {p.random.choice(KINDS)}"


def comment(p: People) -> str:
    """One or two remarks, now and then with an order number in them."""
    r = p.random
    parts = r.sample(REMARKS, r.randint(1, 2))
    if r.random() < 0.15:
        parts.append(f"Ordre {p.digits(r.choice((6, 8)), '123456789')}.")
    return " ".join(parts)


def about(p: People, number: str) -> str:
    """A remark that holds a CPR number."""
    return f"{comment(p)} {p.random.choice(ABOUT).format(x=number)}"
