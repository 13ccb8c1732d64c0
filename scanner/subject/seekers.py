"""What is looked for of one identifier in a text: expressions for Hyperscan that may say yes too often, and exact code that says where.

A seeker's triggers are on bytes of folded text, in either case. Of whatever `find` accepts, some trigger matches inside it
(the law of two passes), and nothing that it accepts is longer than `width` code points.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from scanner.model import Identifier
from scanner.subject import addresses, contacts, dates
from scanner.subject.identifiers import compare
from scanner.subject.likeness import Agreement, Likeness
from scanner.subject.names import LETTERS, plain

SHORTEST = 4
"""A number of the company's own with fewer letters and digits would be found everywhere, and is not looked for in texts."""
GOOD = {Agreement.SAME: 1, Agreement.VARIANT: 2}
"""What counts as found, the better first."""


class Span(NamedTuple):
    """A place in a text, in code points, and how like the identifier it is."""

    start: int
    end: int
    likeness: Likeness

    def rank(self) -> tuple[int, int, int]:
        return GOOD[self.likeness.agreement], self.start - self.end, self.start


class Seeker(Protocol):
    """Looks for one identifier."""

    @property
    def triggers(self) -> tuple[str, ...]: ...

    @property
    def width(self) -> int: ...

    def find(self, text: str, low: int, high: int) -> Iterator[Span]:
        """Everything that begins and ends between two offsets of a folded text; what lies around them is looked at, but not found."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Written:
    """An identifier that one expression describes: its group `value` is compared, after `bare`."""

    identifier: Identifier
    triggers: tuple[str, ...]
    pattern: re.Pattern[str]
    width: int
    bare: Callable[[str], str]

    def find(self, text: str, low: int, high: int) -> Iterator[Span]:
        at = low
        # An end that looks as if the text ended there is seen again, with what follows.
        while found := self.pattern.search(text, at, min(len(text), high + _BEYOND)):
            at = found.start() + 1
            match = self.pattern.match(text, found.start())
            if match and match.end() <= high:
                likeness = compare(self.identifier, self.identifier.entity, self.bare(match["value"]))
                if likeness.agreement in GOOD:
                    yield Span(match.start("value"), match.end("value"), likeness)


_BEYOND = 4


def seek(identifier: Identifier, *, names: bool = True) -> Seeker | None:
    """The seeker of an identifier; `None` for what cannot be looked for in a text: a first name, a road, a number of two digits."""
    entity, value = identifier.entity, identifier.value
    if entity == "PERSON":
        from scanner.subject.name_seeker import NameSeeker

        return NameSeeker.of(value) if names else None
    make = _MAKE.get(entity, _literal)
    made = make(value)
    if made is None:
        return None
    trigger, pattern, bare = made
    whole = re.compile(pattern, re.IGNORECASE)
    width = int(re._parser.parse(pattern).getwidth()[1])  # type: ignore[attr-defined, unused-ignore]
    return Written(identifier, tuple(either_case(one) for one in trigger), whole, width, bare)


_Made = tuple[tuple[str, ...], str, Callable[[str], str]]
_NUMBER_LEFT, _NUMBER_RIGHT = r"(?<![0-9])(?<![0-9][.,])", r"(?![0-9A-Za-z])(?![.,][0-9])"


_ABROAD = "".join(
    rf"(?<!{front}[0-9]{{{count}}}{gap})"
    for front, gaps in ((r"\+", ("", "[ .-]", r"\)", r"\)[ ]")), ("00", ("[ .-]", r"\)", r"\)[ ]")))
    for count in (1, 2, 3)
    for gap in gaps
)
"""No country code stands in front that is not part of it."""


def _same(text: str) -> str:
    return text


def _cpr(value: str) -> _Made | None:
    number = dates.cpr_digits(value)
    if not number:
        return _literal(value)
    day, month, year, serial = number[:2], number[2:4], number[4:6], number[6:]
    other = f"{int(day) - 60 if int(day) > 60 else int(day) + 60:02}"
    days = "|".join(f"{one[0]}?{one[1]}" if one[0] == "0" else one for one in (day, other))
    gap, wide = r"[ ./-]{0,2}", r"[ ./-]{0,3}"
    body = rf"(?:{days}){gap}{month}{gap}(?:18|19|20)?{year}{wide}{serial}"
    return (body,), rf"{_NUMBER_LEFT}(?P<value>{body}){_NUMBER_RIGHT}", _same


def _phone(value: str) -> _Made | None:
    code, digits = contacts.telephone(value)
    if len(digits) < 6:
        return None
    gap = r"[ ./()-]{0,2}"
    body = gap.join(digits)
    lands = code or ("45" if len(digits) == 8 else "")
    front = rf"(?:\(?(?:\+|00){gap}{gap.join(lands)}\)?[ .-]{{0,3}}(?:\(0\)[ ]?)?|{lands}[ ]?)?" if lands else ""
    trunk = "0?" if code and code != "45" else ""
    return (body,), rf"{_NUMBER_LEFT}{_ABROAD}(?P<value>{front}{trunk}{body}){_NUMBER_RIGHT}", _same


def _email(value: str) -> _Made | None:
    parts = contacts.mailbox(value)
    if parts is None:
        return _literal(value)
    local, _, domain = parts
    domains = {domain}
    if "xn--" in domain:
        domains.add(domain.encode("ascii").decode("idna"))
    if domain in contacts.DOTLESS:
        domains |= contacts.DOTLESS
        name = r"\.?".join(escape(c) for c in local.replace(".", ""))
    else:
        name = escape(local)
    dot = r"(?:\.|[ ]?[(\[{<][ ]?(?:dot|punktum|prik)[ ]?[)\]}>][ ]?)"
    hosts = "|".join(dot.join(escape(label) for label in one.split(".")) for one in sorted(domains))
    at = r"(?:@|[ ]?[(\[{<][ ]?(?:at|snabel-?a|a)[ ]?[)\]}>][ ]?)"
    pattern = rf"(?<![\w.+%-])(?P<value>{name}(?:\+[^\s@\x00+]{{1,20}})?{at}(?:{hosts}))(?![\w-])(?!\.\w)"
    return (rf"{name}(?:\+[^\s@\x00]{{1,80}})?{at}(?:{hosts})",), pattern, _same


def _born(value: str) -> _Made | None:
    forms = sorted({form for day in dates.days(value)[0] for form in dates.date_forms(day)}, key=lambda form: (-len(form), form))
    if not forms:
        return None
    body = "|".join(map(escape, forms))
    return (rf"(?:{body})",), rf"(?<![\w])(?<![0-9][.,/-])(?P<value>{body})(?![\w])(?![.,/-][0-9])", _same


def _address(value: str) -> _Made | None:
    one = addresses.parse(value)
    roads = addresses.road_forms(value)
    if not one.number or not roads:
        return None
    wrong = [typo for road in roads[:2] for typo in typos(road, r"[^\W_]{0,3}")]
    wrong_bytes = [typo for road in roads[:2] for typo in typos(road, r"[^\s\x00]{0,9}")]
    exact = "|".join(map(escape, sorted(roads, key=len, reverse=True)))
    gap = r"[ ,.\t\r\n]{1,3}"
    trigger = rf"(?:{exact}|{'|'.join(wrong_bytes)}){gap}{one.number}"
    own = rf"(?:DK-?)?{one.postcode}(?:[, ]{{1,2}}{escape(one.town)})?" if one.postcode and one.town else r"(?!)"
    town = (
        r"(?:DK-?)?[0-9]{4}[, ]{1,2}(?-i:[A-ZÆØÅ])[\w.]{1,24}(?:[ ](?:(?-i:[A-ZÆØÅ])(?![\w])|Kbh|(?-i:[A-ZÆØÅ])[\w]{2,14}(?=[\s,.;)]|$)))?"
    )
    door = r"(?:tv|th|mf|t\.?v|t\.?h|m\.?f|(?<=sal )[0-9]{1,4}|(?<=sal))\b\.?"
    floor = rf"(?:[0-9]{{1,2}}\.?|st\.?|stuen|kl\.?|kld\.?|kælder)[ ,.]{{0,2}}(?:sal\.?[ ,.]{{0,2}})?{door}"
    rest = rf"(?:[ ,\r\n]{{1,3}}{floor})?(?:[ ,\r\n]{{1,4}}(?:{town}|{own}))?"
    pattern = rf"(?<![\w])(?P<value>(?:{exact}|{'|'.join(wrong)}){gap}{one.number}(?:[ ]?[a-zæøå](?![\w]))?(?![\w]){rest})"
    return (trigger,), pattern, _same


def _account(value: str) -> _Made | None:
    digits = re.sub(r"[\W_]", "", value)
    if not digits.isdecimal() or not 9 <= len(digits) <= 14:
        return _literal(value)
    register, number = digits[:4], digits[4:].lstrip("0")
    body = rf"{register}[^0-9\x00\n]{{0,24}}0{{0,6}}{'[ .]?'.join(number)}"
    return (body,), rf"{_NUMBER_LEFT}(?P<value>{body}){_NUMBER_RIGHT}", lambda text: re.sub(r"\D", "", text)


def _card(value: str) -> _Made | None:
    code = re.sub(r"[\W_]", "", value)
    groups = (code[:4], code[4:10], code[10:]) if len(code) == 15 else tuple(code[at : at + 4] for at in range(0, len(code), 4))
    body = r"[ .-]{0,2}".join(escape(group) for group in groups if group)
    return (body,), rf"(?<![\w])(?P<value>{body})(?![\w])", _same


def _literal(value: str) -> _Made | None:
    """Letters and digits as they are, with or without separators between groups of them."""
    groups = re.findall(r"[^\W\d_]+|[0-9]+", value)
    if len("".join(groups)) < SHORTEST:
        return None
    body = r"[ ._/:-]?".join("0{0,8}" + (group.lstrip("0") or "0") if group.isdecimal() else escape(group) for group in groups)
    return (body,), rf"(?<![\w@])(?<![0-9][.,])(?P<value>{body})(?![\w@])(?![.,][0-9])", _same


_MAKE: dict[str, Callable[[str], _Made | None]] = {
    "DK_CPR": _cpr,
    "PHONE_NUMBER": _phone,
    "EMAIL_ADDRESS": _email,
    "DATE_OF_BIRTH": _born,
    "ADDRESS": _address,
    "DK_BANK_ACCOUNT": _account,
    "IBAN_CODE": _card,
    "CREDIT_CARD": _card,
}


def typos(word: str, letters: str) -> list[str]:
    """Expressions of which each word within one typing error of `word` matches one; `letters` is the error.

    A short word only gets longer.
    """
    if len(plain(word)) < LETTERS:
        return [escape(word[:at]) + letters + escape(word[at:]) for at in range(len(word) + 1)]
    return [escape(word[:at]) + letters + escape(word[at + 2 :]) for at in range(len(word) - 1)]


def escape(text: str) -> str:
    """A text as an expression that Python and Hyperscan both read; a space is any white space."""
    return "".join(r"[ \t\r\n]{1,2}" if c.isspace() else c if c.isalnum() or not c.isascii() else "\\" + c for c in text)


def either_case(pattern: str) -> str:
    """Letters beyond ASCII in both cases, as Hyperscan sees bytes."""
    return "".join(c if c.isascii() else "(?:" + "|".join(sorted({c, *_cases(c)})) + ")" for c in pattern)


def _cases(letter: str) -> Iterator[str]:
    for one in (letter.lower(), letter.upper(), "ẞ" if letter == "ß" else letter):
        if len(one) == 1:
            yield one
