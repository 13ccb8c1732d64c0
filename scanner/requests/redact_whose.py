"""Says whose a piece of a text is: the person's who asks, somebody else's, or nobody's in particular."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.utils import getaddresses
from enum import Enum
from typing import NamedTuple

from scanner.detect.rules import Ruleset
from scanner.model import Identifier, Link, Role, Shape, Subject
from scanner.requests.gather import CHATS, Entry
from scanner.requests.redact_words import Words
from scanner.subject.fields import Meaning, Part, meaning
from scanner.subject.identifiers import compare
from scanner.subject.likeness import Agreement

_GOOD = (Agreement.SAME, Agreement.VARIANT)
_ORDER = (Agreement.SAME, Agreement.VARIANT, Agreement.WEAK, Agreement.UNKNOWN, Agreement.DIFFERENT)
_KIN = {("DK_CPR", "DATE_OF_BIRTH"), ("DATE_OF_BIRTH", "DK_CPR"), ("EMAIL_ADDRESS", "USERNAME"), ("USERNAME", "EMAIL_ADDRESS")}
"""Entities that can be held against each other."""
_PLACES = (Part.STREET, Part.HOUSE, Part.FLOOR, Part.POSTCODE, Part.TOWN)
_AT_WORK = frozenset({"PERSON", "USERNAME", "CUSTOMER_ID"})
"""What may be said of whoever handles a case."""
_OPEN_SLACK = frozenset({"slack", "teams"})
"""Chats that only a company's own people write in."""
_DAY, _YEAR = re.compile(r"\d[ ./-]\Z"), re.compile(r"[ ./-](?:19|20)\d\d")
_HEADED = re.compile(r"[\w.+-]+@([\w.-]+\.\w+)")


_REACH = 240
"""So many code points before a number, whoever it belongs to may have been named."""


class Whose(Enum):
    """Whom a piece of a text belongs to. `NOBODYS` is kept: it tells of no other person."""

    HERS = "hers"
    OTHERS = "others"
    NOBODYS = "nobodys"


class Span(NamedTuple):
    """A piece of a text that is personal data."""

    start: int
    end: int
    entity: str


class Scene(NamedTuple):
    """What is known of the record that a text stands in.

    `about`: it is about her, or she wrote or got it, and surely enough so. `author`: she wrote it. `ours`: the company did.
    """

    kind: str
    sure: bool
    about: bool
    author: bool
    ours: bool


class Knowledge:
    """Who the person is, and who the company's own people are as far as records have shown."""

    def __init__(self, subject: Subject, ruleset: Ruleset, words: Words, controller: str, contact: str) -> None:
        self._known = subject.identifiers
        self._cache: dict[tuple[str, str], Agreement] = {}
        self._identifying = ruleset.identifying()
        self._special = frozenset(name for name, one in ruleset.types.items() if one.cls in ("sensitive", "criminal"))
        self._words = words
        self._controller = controller.casefold()
        host = contact.rpartition("@")[2].casefold()
        self._host = "" if host in words.everybody else host
        self._staff: set[str] = set()
        self._named = any(one.entity == "PERSON" for one in self._known)

    def identifies(self, entity: str) -> bool:
        """Whether an entity points at one person."""
        return entity in self._identifying

    def special(self, entity: str) -> bool:
        """Whether an entity is a special category, or an offence."""
        return entity in self._special

    def likeness(self, entity: str, text: str) -> Agreement:
        """How like a text is to what is known of the person; UNKNOWN where nothing of that kind is known."""
        place = (entity, " ".join(text.split()))
        found = self._cache.get(place)
        if found is None:
            if len(self._cache) > 100_000:
                self._cache.clear()
            kin = [one for one in self._known if one.entity == entity or (one.entity, entity) in _KIN]
            said = [compare(one, entity, place[1]).agreement for one in kin]
            found = self._cache[place] = min(said, key=_ORDER.index, default=Agreement.UNKNOWN)
        return found

    def meet(self, field: str, text: str) -> None:
        """Learn from a mail's header who writes for the company, and what she is called where no name was known at all."""
        if field in self._words.correspondents:
            for name, address in getaddresses([text]):
                if name and not self._named and self.likeness("EMAIL_ADDRESS", address) is Agreement.SAME:
                    self._known = (*self._known, Identifier("PERSON", name))  # nobody has said what she is called; her mail does
                    self._named, self._cache = True, {}
                elif name and self.own(address):
                    self._staff |= {name.casefold(), name.casefold().split()[0]}

    def employ(self, name: str) -> None:
        """Learn who handles the company's records."""
        self._staff.add(" ".join(name.casefold().split()))

    def own(self, address: str) -> bool:
        """Whether an e-mail address is the company's own."""
        return bool(self._host) and address.casefold().rpartition("@")[2] == self._host

    def sent(self, entry: Entry) -> bool:
        """Whether the company wrote a mail, or a letter to her."""
        if entry.hit is not None and entry.hit.role is Role.RECIPIENT and not any(text.field == "from" for text in entry.texts):
            return True
        senders = [text.text for text in entry.texts if text.field == "from"]
        return any(self.own(match[0]) for text in senders for match in _HEADED.finditer(text))

    def scene(self, entry: Entry, kind: str) -> Scene:
        """What a record is to her."""
        hit = entry.hit
        if hit is None or hit.link is Link.POSSIBLE:
            return Scene(kind, False, False, False, self.sent(entry))
        about = hit.role in (Role.ABOUT, Role.AUTHOR, Role.RECIPIENT, Role.SIGNATURE)
        return Scene(kind, True, about, hit.role in (Role.AUTHOR, Role.SIGNATURE), self.sent(entry))

    # -- one piece ---------------------------------------------------------------------------------------------

    def column(self, field: str, entity: str) -> Meaning:
        """What a column is for, by its name and by what it holds throughout."""
        return meaning(field, entity)

    def cell(self, text: str, span: Span, means: Meaning, strict: bool) -> Whose:
        """Whose a piece of a column's value is. `strict`: the row or the column is not about her, so only what is known to be hers is."""
        value = text[span.start : span.end]
        agreement = self.likeness(span.entity, value)
        if agreement in _GOOD:
            return Whose.HERS
        if means.role is Role.HANDLER:
            private = span.entity not in _AT_WORK and not (span.entity == "EMAIL_ADDRESS" and self.own(value))
            return Whose.OTHERS if private else Whose.NOBODYS
        if self._company(span.entity, value):
            return Whose.NOBODYS
        if strict:
            return Whose.OTHERS
        if span.entity == "PERSON":
            return Whose.OTHERS if agreement is Agreement.DIFFERENT else Whose.HERS
        if span.entity == "DK_CPR" and agreement is Agreement.DIFFERENT:
            return Whose.OTHERS
        return Whose.HERS

    def prose(self, text: str, span: Span, field: str, scene: Scene, people: Sequence[tuple[int, int, Whose]] = ()) -> Whose:
        """Whose an identifier in running text is. `people` is who was named in it, where that is known already."""
        value = text[span.start : span.end]
        if span.entity == "PERSON" and _no_name(text, span, scene.kind):
            return Whose.NOBODYS
        agreement = self.likeness(span.entity, value)
        if agreement in _GOOD:
            return Whose.HERS
        if agreement is Agreement.WEAK and scene.sure:
            return Whose.HERS
        if self._company(span.entity, value) or self._at_work(text, span, field, scene):
            return Whose.NOBODYS
        if span.entity in ("PERSON", "EMAIL_ADDRESS", "DK_CPR"):
            return Whose.OTHERS
        return self._reached(text, span, people, scene)

    def _reached(self, text: str, span: Span, people: Sequence[tuple[int, int, Whose]], scene: Scene) -> Whose:
        """Whose an address or a number is that is not known: of whoever stands before it in its paragraph, or after it in its line.

        In what she wrote for the company it is the other side's, who may even bear her name.
        """
        if scene.ours and scene.author:
            return Whose.OTHERS
        low = max(text.rfind("\n\n", 0, span.start), text.rfind("\r\n\r\n", 0, span.start), span.start - _REACH, 0)
        ends = [at for at in (text.find("\n", span.end), text.find(". ", span.end)) if at >= 0]
        high = min(ends, default=len(text))
        cues = [(start, whose) for start, _, whose in people if whose is not Whose.NOBODYS]
        cues += [(m.start(), Whose.OTHERS) for m in self._words.cues.finditer(text, low, high) if m.lastgroup in ("relatives", "contacts")]
        before = [cue for cue in cues if low <= cue[0] < span.start]
        after = [cue for cue in cues if span.end <= cue[0] < high]
        if before or after:
            return (max(before, key=lambda cue: cue[0]) if before else min(after, key=lambda cue: cue[0]))[1]
        alone = scene.sure and all(whose is not Whose.OTHERS for _, _, whose in people)
        return Whose.HERS if scene.about or alone else Whose.OTHERS

    def _company(self, entity: str, value: str) -> bool:
        folded = " ".join(value.casefold().split())
        if entity == "EMAIL_ADDRESS":
            return self.own(value)
        return entity in ("PERSON", "USERNAME") and folded in self._controller

    def _at_work(self, text: str, span: Span, field: str, scene: Scene) -> bool:
        """Whether a name stands there in its function: who wrote for the company, or to whom at the company something was written."""
        if span.entity not in ("PERSON", "USERNAME"):
            return False
        folded = " ".join(text[span.start : span.end].casefold().split())
        last = field.rpartition("/")[2].casefold()
        if last in self._words.authors:
            return not field.startswith("attachment=")
        if last in self._words.correspondents or last in ("creator", "edited by"):
            return folded in self._staff or (last in ("sender", "creator") and scene.kind in _OPEN_SLACK)
        if scene.ours:
            line = text.rfind("\n", 0, span.start)
            before = text[max(0, line - 120) : max(line, 0)].rstrip()
            closing = [match.end() for match in self._words.closing.finditer(before)]
            signed = bool(closing) and before.count("\n", closing[-1]) <= 1
            return signed or not (text[line + 1 : span.start].strip() or text[span.end :].strip())
        return False

    def said(self, text: str, span: Span, people: Sequence[tuple[int, int, Whose]], scene: Scene) -> Whose:
        """Of whom something is said: of whoever stands nearest before it in the sentence, else after it."""
        low = max((text.rfind(mark, 0, span.start) for mark in (". ", "! ", "? ", "\n")), default=-1) + 1
        ends = [at for mark in (". ", "! ", "? ", "\n") if (at := text.find(mark, span.end)) >= 0]
        high = min(ends, default=len(text))
        hers = Whose.HERS if scene.about or (scene.sure and not people) else Whose.OTHERS
        cues: list[tuple[int, Whose]] = [(start, whose) for start, _, whose in people if low <= start < high and whose is not Whose.NOBODYS]
        for match in self._words.cues.finditer(text, low, high):
            group = match.lastgroup
            if group == "contacts":
                continue
            if group == "relatives":
                cues.append((match.start(), Whose.OTHERS))
            elif group == "writer":
                cues.append((match.start(), Whose.HERS if scene.author or (hers is Whose.HERS and not scene.ours) else Whose.OTHERS))
            else:
                spoken = [whose for start, _, whose in people if start < match.start() and whose is not Whose.NOBODYS]
                cues.append((match.start(), spoken[-1] if spoken else hers))
        before = [cue for cue in cues if cue[0] < span.start]
        if before:
            return max(before, key=lambda cue: cue[0])[1]
        return min(cues, key=lambda cue: cue[0])[1] if cues else hers

    def address_part(self, text: str, means: Meaning, scene: Scene, stranger: bool) -> bool:
        """Whether a column holds a part of somebody else's address: a street or a town, which no rule finds by itself."""
        if means.part not in (*_PLACES, Part.ADDRESS) or means.role is Role.HANDLER:
            return False
        if scene.about and not stranger and means.role is Role.ABOUT:
            return False
        return not any(one.entity == "ADDRESS" and text.casefold().strip() in one.value.casefold() for one in self._known)


def _no_name(text: str, span: Span, kind: str) -> bool:
    """Whether one word that was taken for a name is none: an abbreviation, the heading of a line, the month in `5 Jan 2026`."""
    value = text[span.start : span.end]
    if " " in value.strip():
        return False
    if (len(value) < 5 and value.isupper()) or text[span.end : span.end + 1] == ":" or kind == "log":
        return True
    return bool(_DAY.search(text[max(0, span.start - 4) : span.start]) and _YEAR.match(text[span.end : span.end + 6]))


def is_cell(shape: Shape, kind: str) -> bool:
    """Whether a text is a column's value rather than something that somebody wrote."""
    return shape is Shape.CELL and kind not in CHATS
