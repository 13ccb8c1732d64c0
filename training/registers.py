"""Invented, labelled text of a company's registers: mail, chat, minutes, case notes, forms, orders, logs.

Templates lie in `registers/LANGUAGE.txt`: `== name [weight] [flags]` opens a section, a line is one template (`\\n` breaks it).
`r.*` are registers, `n.*` registers without any name, anything else is a part that others use. In a template:
`[[a|b|c]]` one of them (nested at will), `{slot}` a value, `{=section}` a line of that section, `«text|P»` a labelled literal
(P person, L location, O organization, N nationality, religion or politics), `{A}` to `{F}` a person of the text, with `.f` first name,
`.l` surname, `.g` `.fg` `.lg` the genitive, `.i` initials as a word, `.n` both,
`.s` short ('M. Holm'), `.r` 'Holm, Mette', `.u` capitals,
`.mail` and `.user` unlabelled.

Spans as in DANSK: the genitive's s lies inside in Danish, Norwegian and Swedish and outside in English; titles lie outside; of an address
the name of the street and the town are each a LOCATION, numbers and postcodes are nothing. A municipality is an ORGANIZATION.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import unicodedata
from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("registers")
LANGUAGES = ("da", "en", "nb", "sv")
SHARES = (70, 20, 5, 5)
LABELS = {"P": "PERSON", "L": "LOCATION", "O": "ORGANIZATION", "N": "NRP"}
WITHOUT = 0.35  # share of texts without a name
SHORTEST, LONGEST = 20, 500

Segment = tuple[str, str]  # text, label or ""
Record = dict[str, Any]

_ASCII = str.maketrans(
    {"æ": "ae", "ø": "oe", "å": "aa", "Æ": "Ae", "Ø": "Oe", "Å": "Aa", "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe"}
)
_BARE = str.maketrans(
    {
        "æ": "ae",
        "ø": "o",
        "å": "a",
        "Æ": "Ae",
        "Ø": "O",
        "Å": "A",
        "ä": "a",
        "ö": "o",
        "ü": "u",
        "Ä": "A",
        "Ö": "O",
        "ı": "i",
        "đ": "d",
        "ł": "l",
    }
)


# --- names -----------------------------------------------------------------------------------------------------------------------------


def _sections(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line[3:].strip(), [])
        elif line.strip() and not line.startswith("# "):
            lines.append(line)
    return found


class _Drawn:
    """Names with their counts: half are drawn by count, half evenly."""

    def __init__(self, rows: list[tuple[str, int]]) -> None:
        self.names = [name for name, _ in rows]
        self.sums = list(accumulate(count for _, count in rows))

    def draw(self, rng: random.Random) -> str:
        if rng.random() < 0.5:
            return self.names[bisect(self.sums, rng.random() * self.sums[-1])]
        return rng.choice(self.names)


def _rows(path: Path) -> list[tuple[str, int]]:
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, count = line.partition("\t")
        if len(name) >= 2 and name[0].isupper() and all(c.isalpha() or c in "-' " for c in name):
            rows.append((name, int(count or 1)))
    return rows


@dataclass
class Person:
    """One invented person, and the ways a text speaks of them."""

    first: str
    last: str
    full: str
    group: str = ""

    @property
    def initials(self) -> str:
        return "".join(part[0] for part in re.split(r"[\s-]+", self.full) if part[0].isupper())[:4]


_ONSETS = "B Bj Bl Br D Dr F Fl Fr G Gl Gr H Hj J K Kl Kn Kr L M N P Pr R S Sk Sl Sm St Str Sv T Tr V W Z Sh Ch Th".split()
_NUCLEI = "a e i o u y æ ø å au ei ie aa ou".split()
_CODAS = "b d g k l ld lk lm ls m n nd ng nk nt r rd rk rn rt s sk st t v x lt bs".split()
_ENDS = [
    "sen",
    "berg",
    "gaard",
    "gård",
    "holm",
    "lund",
    "strup",
    "dal",
    "skov",
    "rup",
    "by",
    "toft",
    "kjær",
    "bæk",
    "mose",
    "sted",
    "vig",
    "man",
    "ic",
    "ski",
    "ov",
    "ez",
    "i",
    "a",
    "o",
    "an",
    "ian",
    "oglu",
    "zade",
    "nen",
    "quist",
    "ström",
]


class Names:
    """Draws persons: Danish ones by the gazetteers, those of minorities by `names.txt`, made-up surnames by syllables."""

    def __init__(self, gazetteers: Path, rules: Path) -> None:
        self.firsts = [_Drawn(_rows(gazetteers / f"first_names_{sex}.tsv")) for sex in "fm"]
        self.lasts = _Drawn(_rows(gazetteers / "last_names.tsv"))
        self.groups: dict[str, dict[str, list[str]]] = {}
        for header, lines in _sections(FOLDER / "names.txt").items():
            group, kind = header.split()
            self.groups.setdefault(group, {})[kind] = [name.strip() for line in lines for name in line.split(",") if name.strip()]
        self.words = [
            line
            for line in (rules / "words" / "names_that_are_words.da.txt").read_text(encoding="utf-8").splitlines()
            if line[:1].isupper() and line.isalpha()
        ] + self.groups["words"]["first"]
        self.minorities = [g for g in self.groups if g not in ("english", "norwegian", "swedish", "words")]

        self._first = {n.lower() for drawn in self.firsts for n in drawn.names} | {
            n.lower() for g in self.groups.values() for n in g["first"]
        }
        self._last = {n.lower() for n in self.lasts.names} | {n.lower() for g in self.groups.values() for n in g["last"]}

    def is_first(self, name: str) -> bool:
        return name.lower() in self._first

    def is_last(self, name: str) -> bool:
        return name.lower() in self._last

    def made_up(self, rng: random.Random) -> str:
        name = ""
        for _ in range(rng.choice((1, 1, 2))):
            name += (
                (rng.choice(_ONSETS).lower() if name else rng.choice(_ONSETS))
                + rng.choice(_NUCLEI)
                + (rng.choice(_CODAS) if rng.random() < 0.6 else "")
            )
        return name + (rng.choice(_ENDS) if rng.random() < 0.7 else "")

    def person(self, rng: random.Random, language: str = "da") -> Person:
        roll = rng.random()
        local = {"en": "english", "nb": "norwegian", "sv": "swedish"}.get(language)
        if roll < 0.36:
            return self._foreign(rng, rng.choice(self.minorities))
        if local and roll < 0.75:
            group = self.groups[local]
            first, last = rng.choice(group["first"]), rng.choice(group["last"])
        else:
            first, last = rng.choice(self.firsts).draw(rng), self.lasts.draw(rng)
        if rng.random() < 0.08:
            first = rng.choice(self.words)
        elif rng.random() < 0.03:
            last = rng.choice(self.groups["words"]["last"])
        if rng.random() < 0.12:
            last = self.made_up(rng)
        return self._shaped(rng, first, last, local or "danish")

    def _foreign(self, rng: random.Random, name: str) -> Person:
        group = self.groups[name]
        first = rng.choice(group["first"])
        last = rng.choice(group["last"]) if rng.random() < 0.85 else self.lasts.draw(rng)
        if rng.random() < 0.07:
            first = rng.choice(self.firsts).draw(rng)
        roll = rng.random()
        if "particle" in group and roll < 0.2 and " " not in last and "-" not in last:
            particle = rng.choice(group["particle"])
            last = particle + last if particle.endswith("-") else f"{particle} {last}"
        full = f"{first} {last}"
        if 0.2 <= roll < 0.4:
            full = f"{first} {rng.choice(group['last'] if rng.random() < 0.6 else group['first'])} {last}"
        if name in ("vietnamese", "chinese") and roll > 0.6:
            full = f"{last} {rng.choice(group['middle']) + ' ' if 'middle' in group else ''}{first}"
        return Person(first, last, full, name)

    def _shaped(self, rng: random.Random, first: str, last: str, group: str) -> Person:
        roll = rng.random()
        more = rng.choice(self.firsts).draw(rng)
        if roll < 0.52:
            full = f"{first} {last}"
        elif roll < 0.70:
            full = f"{first} {self.lasts.draw(rng)} {last}"
        elif roll < 0.76:
            first = f"{first} {more}"
            full = f"{first} {last}"
        elif roll < 0.82:
            first = f"{first}-{more}"
            full = f"{first} {last}"
        elif roll < 0.87:
            full = f"{first[0]}. {more[0]}. {last}" if rng.random() < 0.5 else f"{first[0]}.{more[0]}. {last}"
        elif roll < 0.91:
            full = f"{first} {more[0]}. {last}"
        elif roll < 0.94:
            last = rng.choice(("von", "van der", "van", "de", "af", "von der", "de la", "du", "Mc", "O'")) + " " + last
            last = last.replace("Mc ", "Mc").replace("O' ", "O'")
            full = f"{first} {last}"
        elif roll < 0.97 and "-" not in last:
            last = f"{last}-{self.lasts.draw(rng).split('-')[0]}"
            full = f"{first} {last}"
        else:
            full = f"{first} {more} {self.lasts.draw(rng)} {last}"
        return Person(first, last, full, group)


def _genitive(name: str, language: str) -> str:
    if language in ("nb", "sv"):
        return name if name.endswith(("s", "x", "z")) and language == "sv" else name + ("'" if name.endswith(("s", "x", "z")) else "s")
    return name + ("'" if name.endswith(("s", "x", "z")) else "s")


# --- templates -------------------------------------------------------------------------------------------------------------------------

Node = tuple[str, Any]  # kind, what


def _parse(line: str) -> list[Node]:
    nodes, at = _parse_until(line, 0, inside=False)
    if at != len(line):
        raise ValueError(f"template {line!r}: stray end of a choice at {at}")
    return nodes[0]


def _parse_until(line: str, at: int, inside: bool) -> tuple[list[list[Node]], int]:
    ways: list[list[Node]] = [[]]
    text = ""

    def flush() -> None:
        nonlocal text
        if text:
            ways[-1].append(("text", text))
            text = ""

    while at < len(line):
        two = line[at : at + 2]
        if two == "[[":
            flush()
            choice, at = _parse_until(line, at + 2, inside=True)
            ways[-1].append(("choice", choice))
        elif two == "]]" and inside:
            flush()
            return ways, at + 2
        elif line[at] == "|" and inside:
            flush()
            ways.append([])
            at += 1
        elif two in ("\\n", "\\t"):
            text += "\n" if two == "\\n" else "\t"
            at += 2
        elif line[at] == "\\":
            text += line[at + 1]
            at += 2
        elif line[at] == "{":
            flush()
            end = line.index("}", at)
            name = line[at + 1 : end]
            ways[-1].append(("part", name[1:]) if name.startswith("=") else ("slot", name))
            at = end + 1
        elif line[at] == "«":
            flush()
            end = line.index("»", at)
            literal, label = line[at + 1 : end].rsplit("|", 1)
            ways[-1].append(("literal", (_parse(literal), LABELS[label])))
            at = end + 1
        else:
            text += line[at]
            at += 1
    if inside:
        raise ValueError(f"template {line!r}: a choice has no end")
    flush()
    return ways, at


@dataclass
class _Language:
    name: str
    parts: dict[str, list[list[Node]]] = field(default_factory=dict)
    registers: list[tuple[str, float, frozenset[str]]] = field(default_factory=list)
    empty: list[tuple[str, float, frozenset[str]]] = field(default_factory=list)


def _language(name: str) -> _Language:
    found = _Language(name)
    for header, lines in _sections(FOLDER / f"{name}.txt").items():
        section, *rest = header.split()
        found.parts[section] = [_parse(line) for line in lines]
        if section[:2] in ("r.", "n."):
            row = (section, float(rest[0]), frozenset(rest[1:]))
            (found.registers if section.startswith("r.") else found.empty).append(row)
    return found


_WEEKDAYS = {
    "da": "mandag tirsdag onsdag torsdag fredag lørdag søndag",
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "nb": "mandag tirsdag onsdag torsdag fredag lørdag søndag",
    "sv": "måndag tisdag onsdag torsdag fredag lördag söndag",
}
_MONTHS = {
    "da": "januar februar marts april maj juni juli august september oktober november december",
    "en": "January February March April May June July August September October November December",
    "nb": "januar februar mars april mai juni juli august september oktober november desember",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
}
_COUNTRY_CODE = {"da": "45", "en": "44", "nb": "47", "sv": "46"}
_ROADS = {
    "da": (
        "vej",
        "gade",
        "vænget",
        "stræde",
        "allé",
        "parken",
        "bakken",
        "toften",
        "svinget",
        "engen",
        "vang",
        "lunden",
        "stien",
        "gårdsvej",
        "skovvej",
        " Allé",
        " Alle",
        " Plads",
        " Strandvej",
        " Hovedgade",
        " Landevej",
        " Boulevard",
    ),
    "en": (" Road", " Street", " Avenue", " Lane", " Close", " Drive", " Way", " Court", " Gardens", " Terrace"),
    "nb": ("veien", "gata", "vegen", "gate", "bakken", "lia", "svingen", " allé", "stien"),
    "sv": ("gatan", "vägen", "gränd", "stigen", "backen", " torg", "allén", "plan"),
}


class Generator:
    """Writes texts: the same seed gives the same texts."""

    def __init__(self, seed: int, gazetteers: Path, rules: Path) -> None:
        self.rng = random.Random(seed)
        self.names = Names(gazetteers, rules)
        self.languages = {name: _language(name) for name in LANGUAGES}
        towns = {
            line.split(";")[1].strip()
            for line in (gazetteers / "dk_postnumre_DAWA_MIT.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
        }
        self.towns = sorted(t for t in towns if t[:1].isupper() and t.replace(" ", "").isalpha() and not t.isupper())
        self.people: dict[str, Person] = {}
        self.language = self.languages["da"]
        self.used: set[tuple[str, int]] = set()
        self.firm = ""

    # values

    def _digits(self, count: int) -> str:
        return "".join(self.rng.choice("0123456789") for _ in range(count))

    def _line(self, section: str) -> list[Node]:
        """A line of a section, one that the text does not have yet if there is one."""
        lines = self.language.parts[section]
        for _ in range(4):
            at = self.rng.randrange(len(lines))
            if len(lines) < 4 or (section, at) not in self.used:
                break
        self.used.add((section, at))
        return lines[at]

    def _word(self, section: str) -> str:
        """A line of a section, as bare text."""
        return "".join(text for text, _ in self._expand(self._line(section)))

    def town(self) -> str:
        if self.language.name == "da" and self.rng.random() < 0.75:
            return self.rng.choice(self.towns)
        return self._word("towns")

    def street(self) -> str:
        rng, name = self.rng, self.language.name
        roll = rng.random()
        if roll < 0.15:
            return self._word("streets")
        ending = rng.choice(_ROADS[name])
        if roll < 0.27:
            full = (
                f"{rng.choice(self.names.firsts).draw(rng)} {self.names.lasts.draw(rng)}"
                if rng.random() < 0.6
                else self.names.lasts.draw(rng)
            )
            if name == "en":
                return self.names.lasts.draw(rng) + ending
            return f"{_genitive(full, name)} {rng.choice({'da': ('Vej', 'Plads', 'Gade', 'Allé', 'Boulevard'), 'nb': ('vei', 'gate', 'plass'), 'sv': ('väg', 'gata', 'plats')}[name])}"
        return self._word("road_stems") + ending

    def _made_up_firm(self) -> str:
        rng = self.rng
        roll = rng.random()
        last = self.names.lasts.draw(rng)
        coined = (
            rng.choice(_ONSETS)
            + rng.choice("aeiouy")
            + rng.choice(_CODAS[:20])
            + rng.choice("aeio")
            + rng.choice(("fo", "tek", "nova", "plan", "lis", "nor", "dan", "soft", "mark", "line", "x", "ra", "via", "to", "med", ""))
        )
        legal = self._word("legal")
        trade = self._word("trade")
        if roll < 0.35:
            return f"{coined}{' ' + trade if rng.random() < 0.4 else ''} {legal}"
        if roll < 0.5:
            return f"{last} {trade}{' ' + legal if rng.random() < 0.7 else ''}"
        if roll < 0.6:
            return f"{last} & {self.names.lasts.draw(rng)} {legal}"
        if roll < 0.68:
            return f"{last} & {'Co.' if self.language.name == 'en' else 'Søn' if self.language.name == 'da' else 'Sønn' if self.language.name == 'nb' else 'Son'} {legal}"
        if roll < 0.78:
            return f"{rng.choice(self.names.firsts).draw(rng)} {last} {legal}"
        if roll < 0.9:
            return f"{self.town()} {trade}{' ' + legal if rng.random() < 0.5 else ''}"
        return coined

    def _slot(self, name: str) -> list[Segment]:
        if name[0] in "ABCDEF" and name[1:2] in ("", "."):
            return self._person(name)
        base, _, form = name.partition(".")
        made = _LABELLED.get(base)
        if made is not None:
            text = made[1](self)
            if form == "g":
                if self.language.name == "en":
                    return [(text, made[0]), ("'s", "")]
                text = _genitive(text, self.language.name)
            elif form == "u":
                text = text.upper()
            return [(text, made[0])]
        return [(_VALUES[base](self), "")]

    def _person(self, name: str) -> list[Segment]:
        letter, _, form = name.partition(".")
        person = self.people.get(letter)
        if person is None:
            person = self.names.person(self.rng, self.language.name)
            if self.rng.random() < 0.05:
                person = Person(*(part.translate(_ASCII) for part in (person.first, person.last, person.full)))
            self.people[letter] = person
        if form in ("mail", "user"):
            return [(self._login(person, form), "")]
        if form.endswith("g"):
            text = {"g": person.full, "fg": person.first, "lg": person.last}[form]
            if self.language.name == "en":
                return [(text, "PERSON"), ("'s", "")]
            return [(_genitive(text, self.language.name), "PERSON")]
        text = {
            "": person.full,
            "f": person.first,
            "l": person.last,
            "n": f"{person.first} {person.last}",
            "i": person.initials,
            "s": f"{person.first[0]}. {person.last}",
            "r": f"{person.last}, {person.first}",
            "u": person.full.upper(),
        }[form]
        return [(text, "PERSON")]

    def _login(self, person: Person, form: str) -> str:
        def plain(text: str) -> str:
            folded = unicodedata.normalize("NFKD", text.translate(_BARE))
            return "".join(c for c in folded.lower() if c.isascii() and c.isalnum())

        first, last = plain(person.first.split()[0]), plain(person.last)
        login = self.rng.choice(
            (
                f"{first}.{last}",
                f"{first[:1]}{last}",
                first,
                f"{first}_{last}",
                f"{first[:2]}{last[:2]}",
                f"{first}{self._digits(2)}",
                f"{first[:1]}.{last}",
            )
        )
        if form == "user":
            return login
        if not self.firm:
            self.firm = self._host()
        return f"{login}@{self.firm}"

    def _host(self) -> str:
        if self.rng.random() < 0.4:
            return self.rng.choice(("gmail.com", "hotmail.com", "outlook.dk", "live.dk", "yahoo.dk", "mail.dk", "icloud.com"))
        return f"{self.rng.choice(('nordlyn', 'optifo', 'vestkon', 'byhus', 'kontoret', 'danfirma', 'teknova', 'sydlog', 'klarbo', 'medio', 'brightco', 'firma'))}.{self.rng.choice(('dk', 'dk', 'com', 'eu', 'no', 'se'))}"

    # texts

    def _expand(self, nodes: list[Node]) -> list[Segment]:
        segments: list[Segment] = []
        for kind, what in nodes:
            if kind == "text":
                segments.append((what, ""))
            elif kind == "choice":
                segments.extend(self._expand(self.rng.choice(what)))
            elif kind == "part":
                segments.extend(self._expand(self._line(what)))
            elif kind == "literal":
                segments.append(("".join(text for text, _ in self._expand(what[0])), what[1]))
            else:
                segments.extend(self._slot(what))
        return segments

    def text(self, language: str, bare: bool) -> Record:
        """One text of a language with its spans; `bare`: one without any."""
        rng = self.rng
        self.language = self.languages[language]
        table = self.language.empty if bare else self.language.registers
        while True:
            section, _, flags = rng.choices(table, [row[1] for row in table])[0]
            self.people, self.firm, self.used = {}, "", set()
            segments = _tidied(self._expand(self._line(section)))
            if bare == any(label for _, label in segments):
                continue
            segments = self._dressed(segments, flags)
            if SHORTEST <= sum(len(text) for text, _ in segments) <= LONGEST:
                break
        return {**_joined(segments), "language": self.language.name, "register": section[2:]}

    def _dressed(self, segments: list[Segment], flags: frozenset[str]) -> list[Segment]:
        rng = self.rng
        if "typo" in flags and rng.random() < 0.45:
            segments = [(text if label else _typos(text, rng), label) for text, label in segments]
        if rng.random() < (0.65 if "lower" in flags else 0 if "raw" in flags else 0.03):
            segments = [(text.lower(), label) for text, label in segments]
        elif "raw" not in flags and rng.random() < 0.03:
            segments = [(text.upper(), label) for text, label in segments]
        if self.language.name != "en" and rng.random() < 0.07:
            segments = [(text.translate(_ASCII), label) for text, label in segments]
        if "raw" not in flags and rng.random() < 0.08 and segments and not segments[-1][1]:
            segments[-1] = (segments[-1][0].rstrip(".!"), "")
        return segments


def _line_of(section: str) -> Any:
    return lambda g: g._word(section)


_LABELLED: dict[str, tuple[str, Any]] = {
    "town": ("LOCATION", Generator.town),
    "country": ("LOCATION", lambda g: g._word("countries")),
    "region": ("LOCATION", lambda g: g._word("regions")),
    "street": ("LOCATION", Generator.street),
    "firm": ("ORGANIZATION", lambda g: g._made_up_firm() if g.rng.random() < 0.75 else g._word("firms")),
    "authority": ("ORGANIZATION", lambda g: g._word("authorities")),
    "school": ("ORGANIZATION", _line_of("schools")),
    "hospital": ("ORGANIZATION", _line_of("hospitals")),
    "org": (
        "ORGANIZATION",
        lambda g: g._word("authorities") if g.rng.random() < 0.4 else g._word("firms") if g.rng.random() < 0.4 else g._made_up_firm(),
    ),
    "nrpa": ("NRP", _line_of("nrp_adjectives")),
    "nrpn": ("NRP", _line_of("nrp_plural")),
    "nrps": ("NRP", _line_of("nrp_singular")),
}


def _date(g: Generator) -> str:
    day, month, year = g.rng.randint(1, 28), g.rng.randint(1, 12), g.rng.randint(2009, 2026)
    name = _MONTHS[g.language.name].split()[month - 1]
    written = f"{day} {name} {year}" if g.language.name in ("en", "sv") else f"{day}. {name} {year}"
    short = written.rsplit(" ", 1)[0]
    return g.rng.choice(
        (
            written,
            short,
            f"{day:02}.{month:02}.{year}",
            f"{day:02}-{month:02}-{year}",
            f"{year}-{month:02}-{day:02}",
            f"{day}/{month}",
            f"{day}/{month}-{year % 100:02}",
        )
    )


def _phone(g: Generator) -> str:
    d = g._digits
    number = str(g.rng.randint(2, 9)) + d(7)
    spaced = " ".join(number[i : i + 2] for i in range(0, 8, 2))
    return g.rng.choice(
        (
            number,
            spaced,
            f"+{_COUNTRY_CODE[g.language.name]} {spaced}",
            f"+{_COUNTRY_CODE[g.language.name]}{number}",
            f"{number[:4]} {number[4:]}",
        )
    )


def _amount(g: Generator) -> str:
    kr = g.rng.choice((g.rng.randint(20, 999), g.rng.randint(1000, 99999)))
    whole = f"{kr:,}".replace(",", "." if g.language.name != "en" else ",")
    if g.language.name == "en":
        return g.rng.choice((f"£{whole}", f"EUR {whole}", f"DKK {whole}", f"{whole}.00", f"${whole}"))
    return g.rng.choice((f"{whole} kr.", f"{whole},00 kr.", f"kr. {whole},{g._digits(2)}", f"{kr} kr", f"{whole},-"))


_VALUES: dict[str, Any] = {
    "date": _date,
    "phone": _phone,
    "amount": _amount,
    "time": lambda g: f"{g.rng.randint(6, 21):02}{g.rng.choice('.:')}{g.rng.choice(('00', '15', '30', '45', '10', '05'))}",
    "weekday": lambda g: g.rng.choice(_WEEKDAYS[g.language.name].split()),
    "month": lambda g: g.rng.choice(_MONTHS[g.language.name].split()),
    "year": lambda g: str(g.rng.randint(1998, 2027)),
    "n": lambda g: str(g.rng.randint(2, 40)),
    "nn": lambda g: str(g.rng.randint(100, 9999)),
    "id": lambda g: g._digits(g.rng.randint(5, 9)),
    "cpr": lambda g: f"{g.rng.randint(1, 28):02}{g.rng.randint(1, 12):02}{g.rng.randint(30, 99)}{g.rng.choice('- ')}{g._digits(4)}".replace(
        " ", ""
    ),
    "cvr": lambda g: g._digits(8),
    "zip": lambda g: str(g.rng.randint(1000, 9990)),
    "account": lambda g: f"{g._digits(4)} {g._digits(10)}",
    "pct": lambda g: f"{g.rng.randint(1, 100)} %",
    "ip": lambda g: ".".join(str(g.rng.randint(1, 254)) for _ in range(4)),
    "hex": lambda g: "".join(g.rng.choice("0123456789abcdef") for _ in range(8)),
    "version": lambda g: f"{g.rng.randint(0, 9)}.{g.rng.randint(0, 30)}.{g.rng.randint(0, 12)}",
    "case": lambda g: g.rng.choice(
        (
            f"{g.rng.randint(2015, 2026)}-{g._digits(5)}",
            f"{g._digits(2)}.{g._digits(2)}.{g._digits(2)}-G01-{g.rng.randint(1, 99)}-{g.rng.randint(15, 26)}",
            f"S-{g._digits(6)}",
            f"#{g._digits(4)}",
        )
    ),
    "sku": lambda g: f"{g.rng.choice('ABCDEFGHKMPRTX')}{g.rng.choice('ABCDEFGHKMPRTX')}-{g._digits(4)}",
    "floor": lambda g: g.rng.choice(
        ("", "", "", ", 1. tv", ", 2. tv.", ", st. th.", ", 3. sal", ", st.", ", 4. mf.", " B", "A", " C, 1. th")
    ),
    "no": lambda g: str(g.rng.choice((g.rng.randint(1, 40), g.rng.randint(1, 250)))),
    "host": Generator._host,
    "plate": lambda g: f"{g.rng.choice('ABCDEKRS')}{g.rng.choice('ABCDEKRSXZ')} {g._digits(2)} {g._digits(3)}",
}


# --- segments and records --------------------------------------------------------------------------------------------------------------


def _tidied(segments: list[Segment]) -> list[Segment]:
    """Neighbours without a label are joined, runs of spaces made one, the ends stripped, sentences begun with a capital by the template."""
    tidy: list[Segment] = []
    for text, label in segments:
        if not text:
            continue
        if not label and tidy and not tidy[-1][1]:
            tidy[-1] = (tidy[-1][0] + text, "")
        else:
            tidy.append((text.strip() if label else text, label))
    tidy = [(text if label else re.sub(r"(?<=\w)\.\.(?!\.)", ".", re.sub(r"(?<=\S) {2,}", " ", text)), label) for text, label in tidy]
    if tidy and not tidy[0][1]:
        tidy[0] = (tidy[0][0].lstrip(), "")
    if tidy and not tidy[-1][1]:
        tidy[-1] = (tidy[-1][0].rstrip(), "")
    for i in range(1, len(tidy)):  # a genitive or an abbreviation before a full stop: one stop
        if tidy[i - 1][0].endswith(".") and tidy[i][0].startswith(".") and not tidy[i][0].startswith(".."):
            tidy[i] = (tidy[i][0][1:], tidy[i][1])
    return [segment for segment in tidy if segment[0]]


def _joined(segments: list[Segment]) -> Record:
    text, spans = "", []
    for part, label in segments:
        if label:
            spans.append([len(text), len(text) + len(part), label])
        text += part
    return {"text": text, "entities": spans}


def _segments(record: Record) -> list[Segment]:
    text, at = record["text"], 0
    segments: list[Segment] = []
    for start, end, label in sorted(record["entities"]):
        if start < at:
            raise ValueError(f"spans overlap at {start}: {text!r}")
        if start > at:
            segments.append((text[at:start], ""))
        segments.append((text[start:end], label))
        at = end
    if at < len(text):
        segments.append((text[at:], ""))
    return segments


def _typos(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    for i, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and rng.random() < 0.08:
            at = rng.randrange(1, len(word) - 1)
            words[i] = rng.choice(
                (word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:], word[:at] + word[at + 1] + word[at] + word[at + 2 :])
            )
    return " ".join(words)


def generate(count: int, seed: int, gazetteers: Path, rules: Path) -> Iterator[Record]:
    """`count` texts that differ from each other."""
    generator = Generator(seed, gazetteers, rules)
    seen: set[str] = set()
    for _ in range(count):
        language = generator.rng.choices(LANGUAGES, SHARES)[0]
        bare = generator.rng.random() < WITHOUT
        for _ in range(200):  # the same again until it is new; what has run dry repeats itself
            record = generator.text(language, bare)
            if record["text"] not in seen:
                break
        seen.add(record["text"])
        yield record


def augment(
    record: Record,
    rng: random.Random,
    names: Names,
    *,
    replace: float = 0.8,
    lower: float = 0.12,
    upper: float = 0.04,
    respell: float = 0.08,
    unstopped: float = 0.15,
) -> Record:
    """A copy of a labelled record with other persons' names of the same shape, and now and then in other letters.

    A mention that occurs again in the record gets the same new name again. What has an odd shape (digits, '@', over three words) stays.
    """
    segments = _segments(record)
    language: str = record.get("language") or record.get("lang") or "da"
    given: dict[str, str] = {}
    if rng.random() < replace:
        people: dict[str, Person] = {}
        segments = [
            (_renamed(text, rng, names, language, given, people) if label in ("PERSON", "PER") else text, label) for text, label in segments
        ]
    roll = rng.random()
    if roll < lower:
        segments = [(text.lower(), label) for text, label in segments]
    elif roll < lower + upper:
        segments = [(text.upper(), label) for text, label in segments]
    if rng.random() < respell and language != "en":
        segments = [(text.translate(_ASCII), label) for text, label in segments]
    if rng.random() < unstopped and segments and not segments[-1][1]:
        last = re.sub(r"\s*[.!?]+\s*$", "", segments[-1][0])
        segments = [*segments[:-1], (last, "")] if last else segments[:-1]
    return {**record, **_joined(segments)}


def _renamed(text: str, rng: random.Random, names: Names, language: str, given: dict[str, str], people: dict[str, Person]) -> str:
    if text in given:
        return given[text]
    words = text.split()
    if not 1 <= len(words) <= 3 or not all(re.fullmatch(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*\.?['’]?", word) for word in words):
        return text
    genitive, bare = _is_genitive(words[-1], names, language)
    key = bare.lower()
    person = people.get(key) or people.get(words[0].lower())
    known = person is not None
    if person is None:
        person = names.person(rng, language)
        while not person.full[0].isalpha() or "." in person.full:
            person = names.person(rng, language)
    if len(words) == 1:
        surname = not names.is_first(bare) and names.is_last(bare)
        new = person.last if surname else person.first
    elif len(words[0].rstrip(".")) == 1:
        new = f"{person.first[0]}. {person.last}"
    elif len(words) == 2:
        new = f"{person.first} {person.last}"
    else:
        new = f"{person.first} {names.lasts.draw(rng)} {person.last}"
    if not known:
        people[key] = person
        if len(words) > 1:
            people[words[0].lower()] = person
    if genitive:
        new = _genitive(new, language)
    if text.islower():
        new = new.lower()
    elif text.isupper() and len(text) > 2:
        new = new.upper()
    given[text] = new
    return new


def _is_genitive(word: str, names: Names, language: str) -> tuple[bool, str]:
    if language == "en":
        return False, word
    if word.endswith(("'", "’")):
        return True, word[:-1]
    if word.endswith("s") and len(word) > 3 and not names.is_first(word) and not names.is_last(word):
        return True, word[:-1]
    return False, word


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gazetteers", type=Path, required=True)
    parser.add_argument("--rules", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    mentions: Counter[str] = Counter()
    empty = 0
    with given.out.open("w", encoding="utf-8") as out:
        for record in generate(given.count, given.seed, given.gazetteers, given.rules):
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
            mentions.update(label for _, _, label in record["entities"])
            empty += not record["entities"]
    print(f"{given.count} texts, {empty} without a name, {dict(mentions.most_common())}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
