"""Invented people, where they live and how one reaches them, from a seed."""

from __future__ import annotations

from benchmarks.identifiers.numbers import Numbers

FIRST = """
Mette Karen Hanne Sofie Fatima Aisha Ingrid Lone Peter Lars Mikkel Omar Søren Yusuf Jens Åge Bjørn Niels Camilla Rikke Line Trine
Freja Astrid Alma Noah Emil Oscar Viggo Malthe Birgitte Kirsten Inger Bodil Poul Erik Henrik Thomas Kasper Rasmus Anders Morten Zainab
Hassan Ali Maria Julie Signe Ida Clara Frederik Magnus Tobias Simon Jonas Pernille Charlotte Susanne Dorthe Gitte Annette Tove Elin
""".split()
LAST = """
Holm Sørensen Nielsen Kjær Bøgh Hassan Østergaard Pedersen Ali Thygesen Lund Mortensen Brandt Skov Jensen Hansen Andersen Christensen
Rasmussen Jørgensen Madsen Kristensen Olsen Thomsen Poulsen Johansen Knudsen Møller Dam Bach Friis Vestergaard Krogh Winther Lauritsen
Berg Schmidt Dahl Juhl Nygaard Toft Bruun Svendsen Eriksen Iversen Bech Ravn Petersen Simonsen Mikkelsen
""".split()
ROADS = """
Nørregade Bøgevej Skolevej Åboulevarden Havnegade Lærkevænget Østergade Kirkestien Vesterbrogade Strandvejen Møllebakken Engdraget
Søndergade Rosenvænget Birkealle Fjordparken Lyngbakken Jernbanegade Parkvej Ellekrattet Tingvej Algade Bredgade Grønnegade
""".split()
TOWNS = """1165 København K|8000 Aarhus C|5000 Odense C|9000 Aalborg|6700 Esbjerg|4000 Roskilde|7100 Vejle|8600 Silkeborg|2800 Kgs. Lyngby|
3400 Hillerød|4700 Næstved|6000 Kolding|8900 Randers C|7400 Herning|2300 København S|5700 Svendborg""".replace("\n", "").split("|")
FIRMS = """Nordhavn Optik|Vestjysk Tømrerforretning|Lillebælt Revision|Skovgaard & Søn|Bageriet Solsikken|Fjordens El-service|Kystens Tandlæger|
Brdr. Friis Maskinfabrik|Midtbyens Cykler|Grøn Gartneri|Havblik Ejendomme|Dansk Etikettryk|Rosenhøj Byg|Sund Transport|Øresund IT""".replace(
    "\n", ""
).split("|")
MOBILE = (*range(20, 32), *range(40, 43), 50, 51, 52, 53, 60, 61, 71, 81, 91, 92, 93)
FIXED = (33, 35, 36, 38, 39, 43, 44, 45, 46, 48, 49, 55, 56, 57, 58, 62, 63, 64, 65, 66, 75, 76, 86, 87, 89, 96, 97, 98)
ABROAD = (
    "+46 70 174 06 {2}", "+47 412 34 5{2}", "+49 30 901820{2}", "+44 20 7946 01{2}", "+33 1 42 68 53 {2}", "+31 6 123456{2}",
    "+48 512 345 6{2}", "+1 212 555 01{2}", "+358 40 123 45{2}", "+354 611 12{2}", "+34 612 34 56 {2}", "+299 32 1{2} 0", "+298 2123{2}",
    "0046 70 174 06 {2}", "0049 30 901820{2}",
)  # fmt: skip


def plain(text: str) -> str:
    """A name as it stands in an address: small letters, no Danish ones."""
    return text.lower().replace(" ", ".").replace("ø", "oe").replace("æ", "ae").replace("å", "aa")


class People(Numbers):
    """A seeded inventor of people and of what belongs to them."""

    def first(self) -> str:
        return self.random.choice(FIRST)

    def last(self) -> str:
        return self.random.choice(LAST)

    def name(self) -> str:
        return f"{self.first()} {self.last()}"

    def town(self) -> str:
        return self.random.choice(TOWNS)

    def city(self) -> str:
        return self.town()[5:]

    def road(self) -> str:
        r = self.random
        letter = r.choice(("", "", "", "A", "B", " C"))
        return f"{r.choice(ROADS)} {r.randint(1, 140)}{letter}"

    def address(self) -> str:
        floor = self.random.choice(("", "", ", 2. tv.", ", 1. th", ", st.", ", 4. sal", ", 3. mf."))
        return f"{self.road()}{floor}, {self.town()}"

    def firm(self) -> str:
        return f"{self.random.choice(FIRMS)} {self.random.choice(('ApS', 'A/S', 'I/S', 'P/S'))}"

    def phone(self) -> str:
        """Eight digits of a range that is in use."""
        return f"{self.random.choice(self.random.choice((MOBILE, FIXED)))}{self.digits(6, '123456789')}"

    def spaced_phone(self) -> str:
        p = self.phone()
        return f"{p[:2]} {p[2:4]} {p[4:6]} {p[6:]}"

    def abroad(self) -> str:
        return self.random.choice(ABROAD).replace("{2}", str(self.random.randint(10, 99)))

    def email(self) -> str:
        r = self.random
        first, last = plain(self.first()), plain(self.last())
        local = r.choice(
            (
                f"{first}.{last}",
                f"{first}{last}{r.randint(1, 99)}",
                f"{first[0]}{last}",
                f"{first}_{last}",
                f"{first}-{last}",
                f"{first}+nyt",
                f"{last.upper()}",
            )
        )
        return f"{local}@{r.choice(('post.example', 'mail.nordhavn.dk', 'sund.example.org', 'kyst-tand.dk', 'skole.aalby.dk', 'brdr-friis.com'))}"

    def user(self) -> str:
        r = self.random
        first, last = plain(self.first()), plain(self.last())
        return r.choice(
            (f"{first[:3]}{last[:3]}", f"{first[0]}{last}", f"{first}.{last}", f"{first}{r.randint(10, 99)}", f"{last[:4]}{self.digits(4)}")
        )

    def ipv4(self) -> str:
        r = self.random
        return f"{r.choice((r.randint(77, 109), 185, 192, 212, 10))}.{r.randint(1, 254)}.{r.randint(0, 254)}.{r.randint(1, 254)}"

    def ipv6(self) -> str:
        h = self.hexes
        return self.random.choice(
            (
                f"2a02:{h(4)}:{h(4)}:{h(4)}::{h(2)}",
                f"2001:db8:{h(4)}:{h(4)}:{h(4)}:{h(4)}:{h(4)}:{h(4)}",
                f"fe80::{h(4)}:{h(2)}ff:fe{h(2)}:{h(4)}",
            )
        )

    def mac(self, between: str = ":") -> str:
        """Of a maker's own range or made up by a telephone; never one that addresses a group."""
        head = self.random.choice(
            ("001b63", "3c5ab4", "f8ffc2", "dca632", "b827eb", "a483e7", f"{self.hexes(1)}{self.random.choice('26ae')}{self.hexes(4)}")
        )
        number = head + self.hexes(6)
        return between.join(number[i : i + 2] for i in range(0, 12, 2))

    def cookie(self) -> str:
        return self.random.choice(
            (f"GA1.2.{self.digits(10, '123456789')}.{self.unix()}", f"fb.1.{self.unix()}{self.digits(3)}.{self.digits(10, '123456789')}")
        )

    def agent(self) -> str:
        r = self.random
        version = f"{r.randint(90, 138)}.0.{r.randint(0, 6000)}.{r.randint(0, 200)}"
        return r.choice((
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version} Safari/537.36",
            f"Mozilla/5.0 (X11; Linux x86_64; rv:{r.randint(90, 140)}.0) Gecko/20100101 Firefox/{r.randint(90, 140)}.0",
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 1{r.randint(2, 8)}_{r.randint(0, 6)} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.{r.randint(0, 6)} Mobile/15E148 Safari/604.1",
        ))  # fmt: skip

    def position(self) -> str:
        return f"{self.random.uniform(54.6, 57.7):.6f}, {self.random.uniform(8.1, 12.7):.6f}"

    def plate(self) -> str:
        r = self.random
        return f"{self.letters(2, 'ABCDEFGHJKLMNPRSTUVXYZ')} {r.randint(10, 99)} {r.randint(100, 999)}"

    def born(self, style: str) -> str:
        day, month, year = self.date(1935, 2018)
        months = "januar februar marts april maj juni juli august september oktober november december".split()
        return {
            "slash": f"{day}/{month} {year}", "dots": f"{day:02}.{month:02}.{year % 100:02}", "dots4": f"{day:02}.{month:02}.{year}", "iso": f"{year}-{month:02}-{day:02}",
            "hyphen": f"{day:02}-{month:02}-{year}", "words": f"{day}. {months[month - 1]} {year}",
        }[style]  # fmt: skip
