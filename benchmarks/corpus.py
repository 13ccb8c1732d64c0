"""Made-up text and tables to measure on: deterministic, invented people, as dense with identifiers as a company's files.

Of the documents one in `LETTER` is a letter about a person (name, address, phone, e-mail, now and then a CPR number or a
diagnosis); the rest are minutes, manuals and notes, in which people are mentioned rarely. Nothing here is read by a rule.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

LETTER = 12
SENTENCES = [
    "",
    "Leverancen blev forsinket, fordi pakkerne stod på det forkerte lager hele weekenden.",
    "Vi gennemgår aftalen igen, når den nye prisliste ligger klar i begyndelsen af måneden.",
    "Systemet tager backup hver nat, og resultatet skrives til en fil på serveren.",
    "Rabatten gælder alle varer i kategorien, bortset fra dem der allerede er nedsat.",
    "Mødet begyndte med en kort orientering om økonomien og de kommende investeringer.",
    "Der er ikke modtaget indsigelser inden fristen, og planen anses derfor for vedtaget.",
    "Husk at tømme kaffemaskinen, inden lyset slukkes, og døren låses efter sidste mand.",
    "Den nye hjemmeside indlæses hurtigere, men billederne fylder stadig for meget på mobilen.",
    "Afdelingen ønsker flere timer til oplæring, inden det nye program tages i brug.",
    "Kablet skal føres bag panelet og fastgøres med de medfølgende klips, før strømmen tilsluttes.",
    "Tallene for tredje kvartal viser en fremgang i salget af briller og en nedgang i linser.",
    "Kunderne spørger især til leveringstid, returret og muligheden for at bytte i butikken.",
    "Aftalen kan opsiges med tre måneders varsel til udgangen af en måned.",
    "Ved fejl i leverancen skal der reklameres skriftligt, og varen sendes retur i den originale emballage.",
    "Udvalget indstiller, at forslaget vedtages med de ændringer, der fremgår af bilaget.",
    "Vinduerne på første sal trænger til maling, og taget skal efterses inden vinteren.",
    "Regnskabet er godkendt uden bemærkninger og offentliggøres på hjemmesiden i næste uge.",
    "Alle filer flyttes til det nye drev, og de gamle mapper slettes efter en måned.",
    "Transporten foregår med lastbil til terminalen og derfra videre med tog.",
    "Ordren pakkes om morgenen og afhentes senest klokken femten samme dag.",
    "Projektet er delt i fire faser, som hver afsluttes med en skriftlig rapport.",
    "Printeren på anden sal mangler toner, og der er bestilt nye patroner.",
    "Vejledningen beskriver, hvordan enheden nulstilles, og hvad lamperne betyder.",
    "Gæsterne ankommer gennem hovedindgangen og vises op i mødelokalet på tredje sal.",
    "Markedet for brugte stel er vokset, og vi overvejer at sælge dem gennem egne kanaler.",
    "Opdateringen lukker et sikkerhedshul og bør installeres på samtlige maskiner.",
    "Lageret tælles op to gange om året, og forskelle forklares i en note.",
    "Der serveres en let frokost, og programmet fortsætter med to korte oplæg.",
    "Fakturaen forfalder fjorten dage efter modtagelsen og betales til den anførte konto.",
    "Annoncen indrykkes i avisen to lørdage i træk og gentages i foråret.",
    "",
][1:-1]
FIRST = [
    "Mette",
    "Karen",
    "Hanne",
    "Sofie",
    "Fatima",
    "Aisha",
    "Ingrid",
    "Lone",
    "Peter",
    "Lars",
    "Mikkel",
    "Omar",
    "Søren",
    "Yusuf",
    "Jens",
    "Åge",
    "Bjørn",
    "Niels",
]
LAST = [
    "Holm",
    "Sørensen",
    "Nielsen",
    "Kjær",
    "Bøgh",
    "Hassan",
    "Østergaard",
    "Pedersen",
    "Ali",
    "Thygesen",
    "Lund",
    "Mortensen",
    "Brandt",
    "Skov",
]
ROADS = ["Nørregade", "Bøgevej", "Skolevej", "Åboulevarden", "Havnegade", "Lærkevænget", "Østergade", "Kirkestien"]
TOWNS = ("1165 København K", "8000 Aarhus C", "5000 Odense C", "9000 Aalborg", "6700 Esbjerg", "4000 Roskilde")
ILLNESS = ("er sygemeldt med en depression", "har fået konstateret diabetes", "er i behandling for epilepsi")


class Invent:
    """A seeded inventor of people."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def name(self) -> str:
        return f"{self.random.choice(FIRST)} {self.random.choice(LAST)}"

    def cpr(self, hyphen: bool = True) -> str:
        r = self.random
        while True:
            head = f"{r.randint(1, 28):02}{r.randint(1, 12):02}{r.randint(40, 99):02}{r.randint(0, 3)}{r.randint(0, 999):03}"
            for last in range(10):
                digits = head[:9] + str(last)
                if sum(int(d) * w for d, w in zip(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1), strict=True)) % 11 == 0:
                    return f"{digits[:6]}-{digits[6:]}" if hyphen else digits

    def phone(self) -> str:
        r = self.random
        return f"{r.randint(20, 30)} {r.randint(10, 99)} {r.randint(10, 99)} {r.randint(10, 99)}"

    def address(self) -> str:
        r = self.random
        return f"{r.choice(ROADS)} {r.randint(1, 120)}, {r.choice(TOWNS)}"

    def email(self, name: str) -> str:
        plain = name.lower().replace(" ", ".").replace("ø", "oe").replace("æ", "ae").replace("å", "aa")
        return f"{plain}{self.random.randint(1, 99)}@post.example"


def documents(seed: int = 1) -> Iterator[str]:
    """Danish documents of about 2 KB each, without end."""
    invent = Invent(seed)
    r = invent.random
    for number in range(1 << 40):
        body = [" ".join(r.choices(SENTENCES, k=r.randint(3, 6))) for _ in range(r.randint(4, 6))]
        if number % LETTER == 0:
            name = invent.name()
            head = f"{name}\n{invent.address()}\n\nKære {name.split()[0]}\n\n"
            if number % (LETTER * 3) == 0:
                body.insert(1, f"Vedr. {name}, CPR-nr. {invent.cpr()}, som {r.choice(ILLNESS)}.")
            yield head + "\n\n".join(body) + f"\n\nRing på {invent.phone()} eller skriv til {invent.email(name)}.\n"
        else:
            yield f"Referat nr. {number}\n\n" + "\n\n".join(body) + "\n"


def prose(size: int, seed: int = 1) -> list[str]:
    """Documents that together have about `size` bytes."""
    made, total = [], 0
    for text in documents(seed):
        made.append(text)
        total += len(text.encode())
        if total >= size:
            return made
    return made


COLUMNS = ("customer_no", "name", "email", "phone", "cpr", "address", "created", "amount", "status", "note")


def customers(count: int, seed: int = 2) -> Iterator[tuple[object, ...]]:
    """Rows of a customer table."""
    invent = Invent(seed)
    r = invent.random
    for number in range(count):
        name = invent.name()
        note = r.choice(SENTENCES) if number % 5 == 0 else ""
        if number % 1000 == 999:
            note = f"ringede fra {invent.phone()}, cpr {invent.cpr()}"
        yield (
            100_000 + number, name, invent.email(name), invent.phone(), invent.cpr(), invent.address(),
            f"20{r.randint(10, 25)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}", round(r.random() * 5000, 2),
            r.choice(("active", "closed", "new")), note,
        )  # fmt: skip


ORDERS = (
    "id",
    "customer_no",
    "product_id",
    "sku",
    "quantity",
    "unit_price",
    "currency",
    "ordered_at",
    "shipped_at",
    "status",
    "carrier",
    "comment",
)


def orders(count: int, seed: int = 3) -> Iterator[tuple[object, ...]]:
    """Rows of an order table: what most of a company's database looks like."""
    r = random.Random(seed)
    for number in range(count):
        day = f"20{r.randint(18, 25)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}"
        yield (
            number + 1, 100_000 + r.randrange(50_000), r.randrange(900), f"{r.choice('ABCDEF')}{r.randint(100, 999)}-{r.choice('SML')}", r.randint(1, 5),
            round(r.random() * 900, 2), "DKK", f"{day} {r.randint(0, 23):02}:{r.randint(0, 59):02}:00", day if r.random() < 0.9 else None,
            r.choice(("shipped", "returned", "open", "cancelled")), r.choice(("post", "gls", "shop")), r.choice(SENTENCES) if number % 20 == 0 else None,
        )  # fmt: skip
