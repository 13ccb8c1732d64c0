"""Invents the people of the made-up company: names, numbers and addresses that fit the Danish rules.

Nobody real is meant. A number made by rule may by chance be one that somebody has, as with every generated number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

WOMEN = (
    "Anne Mette Kirsten Hanne Helle Susanne Lene Charlotte Camilla Louise Pia Tina Gitte Inge Karen Bente Maria Ida "
    "Sofie Emma Freja Laura Julie Cecilie Katrine Signe Amalie Nanna Åse Bodil Kærstine Sølvi Maj-Britt Amina Fatma "
    "Leyla Agnieszka Oksana Thi-Mai Rikke"
)
MEN = (
    "Peter Jens Lars Michael Henrik Søren Thomas Jan Martin Niels Anders Morten Jesper Mads Rasmus Hans Per Ole Poul "
    "Jørgen Christian Kasper Mikkel Frederik Emil Oliver Magnus Asger Bjørn Åge Karl-Åge Torbjørn Valdemar Mehmet "
    "Ahmad Yusuf Piotr Dmytro Van-Duc Ejnar"
)
SURNAMES = (
    "Nielsen Jensen Hansen Pedersen Andersen Christensen Larsen Sørensen Rasmussen Jørgensen Petersen Madsen "
    "Kristensen Olsen Thomsen Poulsen Møller Mortensen Knudsen Kjær Østergaard Bækgaard Højlund Nørgaard Aagaard "
    "Ågesen Krogh Dahl Winther Bruun Toft Skov Lund Bak Fisker Smed Yilmaz Hussein Nowak Nguyen"
)
ROADS = (
    "Skovvej|Kirkegade|Birkevænget|Åboulevarden|Rosenhaven|Møllebakken|Strandvejen|Engdraget|Søndergade|Østerbrogade|"
    "Ved Åen|Lærkevej|Nørre Allé|Gl. Landevej|10. Februar Vej|H.C. Ørsteds Vej|Kærbyvej|Åløkkehaven|Tværgade|"
    "Bøgebakken|Smedegade"
)
TOWNS = (
    "1620 København V|2100 København Ø|2200 København N|2800 Kongens Lyngby|3000 Helsingør|4000 Roskilde|4700 Næstved|"
    "5000 Odense C|5700 Svendborg|6400 Sønderborg|6700 Esbjerg|7100 Vejle|7400 Herning|8000 Aarhus C|8600 Silkeborg|"
    "8900 Randers C|9000 Aalborg|9800 Hjørring"
)
TRADES = "Tømrer Optik Blomster Cykler Foto Vin Keramik Møbler Strik Smykker Tøj Bageri Legetøj Udlejning Design"
HOSTS = ("example.com", "example.org", "example.net", "post.example", "brevkasse.example")
MOBILE = "20 21 22 23 24 25 26 27 28 29 30 31 40 42 50 51 53 60 61 71 81 91"
UNCHECKED_YEARS = (60, 62, 64, 65, 66, 67, 69, 70, 74, 75, 78, *range(80, 93), 94, 95)
"""Who is born on 1 January of these years of the 1900s may have a number without the check digit (cpr.dk, 2023)."""


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """One made-up person. `cpr` has its hyphen, `phone` is eight digits, `company` is `""` for a private customer."""

    number: int
    name: str
    born: date
    cpr: str
    email: str
    phone: str
    street: str
    postcode: str
    town: str
    account: str
    company: str
    cvr: str

    @property
    def first(self) -> str:
        return self.name.split()[0]

    @property
    def address(self) -> str:
        return f"{self.street}, {self.postcode} {self.town}"


def invent(rng: Random, many: int, first_number: int, taken: Iterable[str] = ()) -> list[Person]:
    """So many people, numbered from `first_number`. No two of them share an e-mail address or a phone, and none has a name in `taken`."""
    people: list[Person] = []
    phones: set[str] = set()
    number = first_number
    while len(people) < many:
        woman = rng.random() < 0.5
        surname = rng.choice(SURNAMES.split())
        given = [rng.choice((WOMEN if woman else MEN).split())]
        if rng.random() < 0.3:
            given.append(rng.choice(SURNAMES.split()))
        name = " ".join([*given, surname])
        phone = rng.choice(MOBILE.split()) + f"{rng.randrange(10**6):06}"
        if name in taken or phone in phones:
            continue
        phones.add(phone)
        postcode, town = rng.choice(TOWNS.split("|")).split(" ", 1)
        company = f"{surname}s {rng.choice(TRADES.split())} {rng.choice(('ApS', 'A/S', 'v/' + name))}" if rng.random() < 0.35 else ""
        born = birthday(rng)
        people.append(
            Person(
                number=number,
                name=name,
                born=born,
                cpr=cpr(rng, born, woman),
                email=mailbox(rng, given[0], surname, number),
                phone=phone,
                street=street(rng),
                postcode=postcode,
                town=town,
                account=f"{rng.randrange(9000, 9999)} {rng.randrange(10**9, 10**10)}",
                company=company,
                cvr=cvr(rng) if company else "",
            )
        )
        number += 1
    return people


def birthday(rng: Random) -> date:
    """A grown-up's day of birth, now and then 1 January."""
    if rng.random() < 0.04:
        return date(1900 + rng.choice(UNCHECKED_YEARS), 1, 1)
    return date(1938, 1, 1) + timedelta(days=rng.randrange(25_000))


def cpr(rng: Random, born: date, woman: bool) -> str:
    """A CPR number `DDMMYY-SSSS` for that day: century by the seventh digit, sex by the last, modulus 11 except where
    numbers without it were given out (CPR-kontoret, "Personnummeret i CPR")."""
    wanted = not (born.month == born.day == 1 and born.year - 1900 in UNCHECKED_YEARS)
    while True:
        serial = f"{rng.randrange(10_000):04}"
        digits = born.strftime("%d%m%y") + serial
        right_century = century(int(serial[0]), born.year % 100) == born.year // 100
        if right_century and int(serial) % 2 != woman and modulus11(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) == wanted:
            return f"{digits[:6]}-{serial}"


def century(seventh: int, year: int) -> int:
    """The first two digits of the year of birth, by the seventh digit of a CPR number and its two-digit year."""
    if seventh <= 3:
        return 19
    if seventh in (4, 9):
        return 20 if year <= 36 else 19
    return 20 if year <= 57 else 18


def modulus11(digits: str, weights: tuple[int, ...]) -> bool:
    """Whether the weighted sum of the digits is a multiple of eleven."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11 == 0


def cvr(rng: Random) -> str:
    """A company number of eight digits with a right check digit."""
    while True:
        digits = str(rng.randrange(10_000_000, 45_000_000))
        if modulus11(digits, (2, 7, 6, 5, 4, 3, 2, 1)):
            return digits


def iban(account: str) -> str:
    """The Danish IBAN of an account `RRRR NNNNNNNNNN`, in groups of four (ISO 13616: modulus 97)."""
    digits = account.replace(" ", "")
    whole = f"DK{98 - int(digits + '132000') % 97:02}{digits}"
    return " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))


def street(rng: Random) -> str:
    """A road, a number and now and then a floor, written as Danes write it."""
    road, letter, side = (
        rng.choice(ROADS.split("|")),
        rng.choice(("", "", "", "A", "B")),
        rng.choice(("tv", "th", "mf")),
    )
    door = f", {rng.randrange(1, 5)}. {side}." if rng.random() < 0.3 else ""
    return f"{road} {rng.randrange(1, 180)}{letter}{door}"


def mailbox(rng: Random, given: str, surname: str, number: int) -> str:
    """An e-mail address under a name that RFC 2606 sets aside for examples."""
    plain = f"{given}.{surname}".lower().replace("æ", "ae").replace("ø", "oe").replace("å", "aa")
    return f"{plain}{number % 1000}@{rng.choice(HOSTS)}"
