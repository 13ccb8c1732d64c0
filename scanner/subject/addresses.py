"""Says whether two writings are one home: road, number, letter, floor, door, postcode and town, taken apart."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from scanner.subject.likeness import EMPTY, UNKNOWN, Likeness, different, one_edit, same, variant, weak
from scanner.subject.names import plain

SHORT: dict[str, tuple[str, ...]] = {
    "gl": ("gammel", "gamle"), "ndr": ("nordre",), "nr": ("noerre",), "sdr": ("soendre", "soender"), "vestr": ("vestre",),
    "vdr": ("vestre",), "oestr": ("oestre",), "skt": ("sankt",), "sct": ("sankt",), "st": ("sankt", "store"), "ll": ("lille",),
    "kgs": ("kongens",), "dr": ("dronning", "doktor"), "pr": ("prins",), "chr": ("christian", "christians", "christen"),
    "fr": ("frederik", "frederiks", "frederikke"), "v": ("vej", "vester", "ved"), "g": ("gade",), "gd": ("gade",), "al": ("alle",),
    "pl": ("plads",), "boul": ("boulevard",), "blvd": ("boulevard",), "str": ("straede", "strand"), "oe": ("oester",),
    "n": ("noerre", "nord"), "s": ("soender", "syd"),
}  # fmt: skip
"""What is written short in road names, folded, and what it may stand for (DAWA, "Forkortelser i vejnavne")."""
ENDINGS = (("v", "vej"), ("g", "gade"), ("vn", "vej"), ("al", "alle"), ("alleen", "alle"), ("pl", "plads"))
"""Short endings of a word in a road's name: `Skovv.`."""

_HOUSE = re.compile(
    r"(?P<road>.*?[^\W\d_].*?)[ .]\s?(?P<number>\d{1,4})(?:\s?-\s?\d{1,4})?\s?(?P<letter>[a-zæøå](?![^\W_]))?(?P<rest>(?:\W.*)?)"
)
_FLOOR = re.compile(
    r"(?P<floor>\d{1,2}(?!\d)|(?:stuen|st|kælder|kaelder|kld|kl|k1|mezz)\b)\.?\s?(?:sal\b\.?)?[\s,.\-/]{0,3}"
    r"(?P<door>tv|th|mf|t\.\s?v|t\.\s?h|m\.\s?f|til venstre|til højre|midtfor|\d{1,4}|[a-z]\d?)?\b\.?"
)
_POST = re.compile(r"(?:^|[\s,])(?:dk|d)?[-\s]?(?P<code>\d{4})(?![\d])(?:[\s,]+(?P<town>[^\W\d_][^\d,;]*))?")
_DOORS = {"til venstre": "tv", "til højre": "th", "midtfor": "mf"}
_FLOORS = {"stuen": "st", "kælder": "kl", "kaelder": "kl", "kld": "kl", "k1": "kl"}


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """An address taken apart; what is not written is `""`. `road` holds its folded words."""

    road: tuple[str, ...] = ()
    number: str = ""
    letter: str = ""
    floor: str = ""
    door: str = ""
    postcode: str = ""
    town: str = ""


def parse(text: str) -> Address:
    """Take an address apart. A line without a house number in front of one with it (a name, c/o) is left out."""
    text = unicodedata.normalize("NFKC", text).replace("\u00ad", "").casefold()
    text = re.sub(r"\b(?:danmark|denmark)\b\W*$", "", re.sub(r"\s*\n\s*", ", ", text.strip())).strip(" ,;")
    postcode = town = ""
    named: re.Match[str] | None
    for match in _POST.finditer(text):
        before = text[: match.start()].strip(" ,")
        if match["town"] or not before or re.search(r"\d", before):
            postcode, town = match["code"], (match["town"] or "").strip(" .,")
            text = before
            break
    pieces = [piece.strip() for piece in re.split(r"[,;]", text)]
    for at, piece in enumerate(pieces):
        if house := _HOUSE.fullmatch(piece):
            road = tuple(plain(word) for word in re.findall(r"\d+\.?|[^\W\d_]+(?:['’][^\W\d_]+)*", house["road"]))
            rest = " ".join((house["rest"], *pieces[at + 1 :])).strip(" ,.")
            floor, door, left = _floor(rest)
            if not town and not postcode and (named := re.fullmatch(r"[^\W\d_]{3,}(?: [^\W\d_]+){0,2}", left)):
                town = named[0]
            return Address(road, house["number"].lstrip("0") or "0", house["letter"] or "", floor, door, postcode, town)
    if postcode or len(pieces) > 1 or not pieces[0]:
        return Address(postcode=postcode, town=town)
    return Address(tuple(plain(word) for word in re.findall(r"[^\W\d_]+|\d+", pieces[0])))


def _floor(rest: str) -> tuple[str, str, str]:
    match = _FLOOR.match(rest)
    if match is None:
        door = re.match(r"(tv|th|mf)\b\.?", rest)
        return ("", door[1], rest[door.end() :].strip(" ,.")) if door else ("", "", rest)
    floor, door_text = match["floor"], (match["door"] or "")
    door_text = _DOORS.get(door_text, re.sub(r"[.\s]", "", door_text))
    return _FLOORS.get(floor, floor.lstrip("0") or "0"), door_text, rest[match.end() :].strip(" ,.")


def compare_addresses(known: str, text: str) -> Likeness:
    """How like a text is to an address; what one of them leaves out is a variation, what both say must agree."""
    if not text.strip():
        return EMPTY
    return compare_parsed(parse(known), parse(text))


def compare_parsed(mine: Address, theirs: Address) -> Likeness:
    """As `compare_addresses`, for addresses taken apart."""
    if mine.postcode and theirs.postcode and mine.postcode != theirs.postcode:
        return different("another postcode")
    if not theirs.road or not mine.road:
        return _town_only(mine, theirs)
    roads = like_roads(mine.road, theirs.road)
    if roads is None:
        return different("another road")
    if not mine.number or not theirs.number:
        return weak("same road, house number missing")
    if mine.number != theirs.number:
        return different("another house in the same road")
    missing = []
    for name, left, right in (
        ("house letter", mine.letter, theirs.letter), ("floor", mine.floor, theirs.floor), ("door", mine.door, theirs.door),
    ):  # fmt: skip
        if left and right and left != right:
            return different(f"same house, another {name}")
        if bool(left) != bool(right):
            missing.append(name)
    if not (mine.postcode and theirs.postcode):
        towns = _towns(mine.town, theirs.town)
        if towns is False:
            return different("another town")
        if (mine.postcode or mine.town) != (theirs.postcode or theirs.town):
            missing.append("postcode" if towns else "postcode and town")
    if missing:
        return variant(f"same house, {' and '.join(missing)} missing" + (f", {roads}" if roads else ""))
    return variant(f"same address, {roads}") if roads else same("same address")


def _town_only(mine: Address, theirs: Address) -> Likeness:
    if mine.postcode and theirs.postcode:
        return weak("same postcode only")
    towns = _towns(mine.town, theirs.town)
    return UNKNOWN if towns is None else weak("same town only") if towns else different("another town")


def _towns(left: str, right: str) -> bool | None:
    """Whether two towns are one (`Aarhus C`, `Århus`); `None` when either is not written."""
    if not left or not right:
        return None
    one, other = plain(left).split(), plain(right).split()
    head = min(len(one), len(other))
    return one[:head] == other[:head] or (one[0] == other[0] and all(len(word) < 3 for word in (*one[1:], *other[1:])))


def like_roads(left: tuple[str, ...], right: tuple[str, ...]) -> str | None:
    """How two roads, in folded words, are alike: `""` for the same, words for a variation, `None` for different ones."""
    if left == right:
        return ""
    one, other = spelled_out(left), spelled_out(right)
    if one & other:
        return "" if set(map("".join, (left,))) == set(map("".join, (right,))) else "road written short"
    for a in one:
        for b in other:
            if _sounds(a) == _sounds(b):
                return "road in another spelling"
    for a in one:
        for b in other:
            if min(len(a), len(b)) >= 5 and re.sub(r"\D", "", a) == re.sub(r"\D", "", b) and one_edit(a, b):
                return "one letter of the road differs"
    return None


def spelled_out(road: tuple[str, ...]) -> frozenset[str]:
    """All that a road's folded words may stand for, without spaces: `gl`, `landev` as gammellandevej, gamlelandevej."""
    names = {""}
    for at, word in enumerate(road):
        means = {word, *SHORT.get(word, ())}
        if at == 0 and word in ("v", "g", "al"):
            means = {word, "vestre", "vester", "gammel"}
        for short, long in ENDINGS:
            if word.endswith(short) and len(word) > len(short) + 2:
                means.add(word[: -len(short)] + long)
        names = {name + one for name in names for one in means}
        if len(names) > 64:
            break
    return frozenset(names)


def _sounds(road: str) -> str:
    """A road without what is spelled in more than one way: kær and kjær, aa and a, th and t, é."""
    road = re.sub(r"kjae", "kae", re.sub(r"schou", "skov", road))
    return re.sub(r"aa", "a", re.sub(r"([oa])e", r"\1", re.sub(r"ck|kk", "k", re.sub(r"th", "t", road))))


def address_forms(text: str) -> dict[str, str]:
    """The ways in which an address is recorded, lower case and single spaces, and how each differs from what was given."""
    one = parse(text)
    given = " ".join(text.casefold().split())
    forms = {given: "as given"}
    if not one.road or not one.number:
        return forms
    for road, road_how in _roads(text).items():
        for house in dict.fromkeys((one.number + one.letter, f"{one.number} {one.letter}".strip())):
            for floor, floor_how in _floors(one).items():
                for post, post_how in _posts(one).items():
                    how = ", ".join(part for part in (road_how, floor_how, post_how) if part)
                    forms.setdefault(f"{road} {house}{floor}{post}", how or "other punctuation")
    return forms


def street_forms(text: str) -> list[str]:
    """Road and house number in all their writings, lower case."""
    one = parse(text)
    houses = dict.fromkeys((one.number + one.letter, f"{one.number} {one.letter}".strip()))
    return [f"{road} {house}" for road in (_roads(text) if one.road and one.number else ()) for house in houses]


def road_forms(text: str) -> list[str]:
    """The road of an address in all its writings, lower case, as it is written first; nothing where there is no house number."""
    return list(_roads(text))


def _roads(text: str) -> dict[str, str]:
    """A road as it is written, with what is short written out, shortened, and in ASCII."""
    house = next((m for piece in re.split(r"[,;\n]", text.casefold()) if (m := _HOUSE.fullmatch(piece.strip()))), None)
    if house is None:
        return {}
    road = " ".join(house["road"].split())
    roads = {road: "", plain(road): "aa, oe, ae for å, ø, æ"}
    for long, brief in (
        ("gammel ", "gl. "), ("gamle ", "gl. "), ("nordre ", "ndr. "), ("søndre ", "sdr. "), ("nørre ", "nr. "), ("sankt ", "skt. "),
        ("store ", "st. "), ("lille ", "ll. "), ("kongens ", "kgs. "), ("vester ", "v. "), ("øster ", "ø. "),
    ):  # fmt: skip
        if road.startswith(long):
            roads.setdefault(brief + road[len(long) :], "road written short")
        if road.startswith((brief, brief.replace(".", ""))):
            roads.setdefault(long + road.partition(" ")[2], "road written out")
    for long, brief in (("vej", "v."), ("gade", "g."), ("allé", "alle"), ("alle", "allé"), ("allé", "al."), ("plads", "pl.")):
        if road.endswith(long):
            roads.setdefault(road[: -len(long)] + brief, "road written short")
        if road.endswith(brief) and brief.endswith("."):
            roads.setdefault(road[: -len(brief)] + long, "road written out")
    for old, new in (("å", "aa"), ("aa", "å"), ("kær", "kjær"), ("kjær", "kær"), ("é", "e")):
        if old in road:
            roads.setdefault(road.replace(old, new), "road in another spelling")
    return roads


def _floors(one: Address) -> dict[str, str]:
    if not one.floor and not one.door:
        return {"": ""}
    floor, door = one.floor, one.door
    dots = [
        f"{floor}. {door}",
        f"{floor}. {door}.",
        f"{floor}.{door}",
        f"{floor}.{door}.",
        f"{floor} {door}",
        f"{floor} {door}.",
        f"{floor}{door}",
    ]
    dots += (
        [f"{floor}. sal {door}", f"{floor}. sal {door}.", f"{floor}. sal, {door}", f"{floor}. sal. {door}."]
        if floor.isdigit()
        else [f"stuen {door}"]
    )
    made = {lead + text.strip(): "" for text in dots for lead in (", ", " ")}
    return made | {"": "floor missing"}


def _posts(one: Address) -> dict[str, str]:
    if not one.postcode and not one.town:
        return {"": ""}
    whole = f"{one.postcode} {one.town}".strip()
    short = re.sub(r" [a-zæøå]{1,2}$", "", whole)
    made = {lead + text: "" for text in dict.fromkeys((whole, short, plain(whole))) for lead in (", ", " ")}
    if one.postcode and one.town:
        made |= {
            f", dk-{whole}": "",
            f" dk-{whole}": "",
            f", {one.postcode}": "town missing",
            f" {one.postcode}": "town missing",
            f", {one.town}": "postcode missing",
        }
    return made | {"": "postcode and town missing"}
