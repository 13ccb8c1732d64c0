"""What can be deleted alone among files, mails and chats, and what somebody must take out by hand.

A document goes when nobody else stands in it but the company's own people in their function; a message of a mailbox goes when nobody else
outside the company wrote or got it. A row of a spreadsheet, a line of a log, a message of an exported chat or a file in an archive cannot
go alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.utils import getaddresses
from functools import partial

from scanner.errors import SourceError
from scanner.model import Hit, Link, Problem, Role, Source
from scanner.requests import gather
from scanner.requests.gather import CHATS, MAILS, ROWS, Lot
from scanner.requests.plan import Action
from scanner.requests.redact import Redactor
from scanner.requests.redact_whose import Knowledge
from scanner.requests.redact_words import Words
from scanner.requests.sweep_item import Item, Reason
from scanner.subject.likeness import Agreement

_SINGLE = frozenset({"eml", "emlx", "msg", "smime", "tnef"})
"""Files that are one message."""
_LOGS = frozenset({"log"})
_SENDERS, _RECEIVERS = ("from", "sender", "reply-to"), ("to", "cc", "bcc")
_SIGNER = re.compile(r"\b(?:underskrevet|attesteret|godkendt|signed|approved) (?:af|by):?\s+([^\W\d_][^\d\n,;:(]{2,60})", re.IGNORECASE)
_SIGNED = re.compile(r"^\s*([^\W\d_][^\d\n@:]{2,60}?)\s*(?:,|$)")


@dataclass(slots=True)
class Seen:
    """What reading an object again showed. `alone`: nobody else stands in it.

    Of messages, `crowded` have others besides her, or somebody of her name with an address that is not known to be hers. In those `at_work`
    she stands by the company's own address only; those `inside` are between the company's people.
    """

    kind: str = ""
    whole: bool = False
    alone: bool = True
    read: set[str] = field(default_factory=set)
    crowded: set[str] = field(default_factory=set)
    at_work: set[str] = field(default_factory=set)
    inside: set[str] = field(default_factory=set)
    entities: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


class Files:
    """The objects of one source that is no database. `staff` are names of people who handle the company's records."""

    def __init__(
        self, source: Source, items: Sequence[Item], redactor: Redactor, known: Knowledge, words: Words, staff: Iterable[str]
    ) -> None:
        self._source, self.items, self._redactor, self._known, self._words = source, items, redactor, known, words
        self._staff = {" ".join(name.casefold().split()) for name in staff}
        self._of: dict[str, list[Item]] = {}
        for item in items:
            self._of.setdefault(item.object, []).append(item)

    def look(self) -> dict[str, Seen]:
        """Read the objects again in which something is more than possibly hers: of what kind each is, and who stands in it.

        Raises `SourceError`.
        """
        hits = {
            object: {item.record: _addressed(item) for item in items}
            for object, items in self._of.items()
            if any(item.hit.link is not Link.POSSIBLE and item.hit.role not in (Role.HANDLER, Role.SIGNATURE) for item in items)
        }
        if not hits:
            return {}
        found: dict[str, Seen] = {}
        for piece in gather.read(self._source, hits, partial(self._redactor.learn, self._source.name)):
            for lot in piece.lots:
                if isinstance(lot, Problem):
                    found.setdefault(lot.object, Seen()).problems.append(lot)
                else:
                    self._lot(lot, found.setdefault(lot.object, Seen()))
        return found

    def _lot(self, lot: Lot, seen: Seen) -> None:
        seen.kind, seen.whole = lot.kind, lot.whole
        signed = self._signed(lot) if lot.whole else False
        seen.alone = seen.alone and not signed
        if lot.kind in ROWS or lot.kind in CHATS or lot.kind in _LOGS:
            seen.read |= {entry.record for entry in lot.entries}
            return
        if lot.whole:
            lot = lot._replace(entries=[replace(entry, texts=tuple(map(self._unsigned, entry.texts))) for entry in lot.entries])
        for clean in self._redactor.lot(self._source.name, lot):
            seen.read.add(clean.entry.record)
            seen.entities |= clean.entities
            if lot.whole and any(map(_a_person, clean.others)):
                seen.alone = False
            if lot.kind in MAILS:
                self._message(clean.entry, seen)

    def _signed(self, lot: Lot) -> bool:
        """Whether somebody else than she or the company's people signed a document: after the closing words, or alone on its last line."""
        for entry in lot.entries:
            for text in entry.texts:
                lines = [text.text[closing.end() :].lstrip("\r\n ,") for closing in self._words.closing.finditer(text.text)]
                last = text.text.rstrip().rpartition("\n")[2]
                if last.istitle() and _a_person(last.partition(" ")[0]):
                    lines.append(last)
                for line in lines:
                    match = _SIGNED.match(line)
                    name = " ".join(match[1].split()) if match else ""
                    if " " in name and not self._is_staff(name) and not self._hers(name):
                        return True
        return False

    def _hers(self, name: str) -> bool:
        return self._known.likeness("PERSON", name) in (Agreement.SAME, Agreement.VARIANT, Agreement.WEAK)

    def _unsigned(self, text: gather.Text) -> gather.Text:
        """A text without the names of the company's people who signed it: `Underskrevet af …`."""
        return text._replace(text=_SIGNER.sub(lambda match: "" if self._is_staff(match[1]) else match[0], text.text))

    def _is_staff(self, name: str) -> bool:
        return " ".join(name.casefold().split()).rstrip(".") in self._staff

    def _message(self, entry: gather.Entry, seen: Seen) -> None:
        """Note whether she stands in a message by the company's own address only, and whether others outside the company do besides her.

        Of who wrote what she wrote, and of who got what she got, one is she.
        """
        role = entry.hit.role if entry.hit is not None else Role.MENTIONED
        senders: set[str] = set()
        receivers: set[str] = set()
        mine: list[bool] = []
        namesake = False
        for text in entry.texts:
            if text.field not in _SENDERS and text.field not in _RECEIVERS:
                continue
            for name, address in getaddresses([text.text]):
                if "@" not in address:
                    continue
                if self._like("EMAIL_ADDRESS", address):
                    mine.append(self._known.own(address))
                elif not self._known.own(address):
                    (senders if text.field in _SENDERS else receivers).add(address.casefold())
                    namesake = namesake or bool(name and self._like("PERSON", name))
        if mine and all(mine):
            (seen.at_work if senders or receivers else seen.inside).add(entry.record)
        elif namesake or (
            receivers if role is Role.AUTHOR else senders or len(receivers) > 1 if role is Role.RECIPIENT else senders | receivers
        ):
            seen.crowded.add(entry.record)

    def _like(self, entity: str, text: str) -> bool:
        return self._known.likeness(entity, text) in (Agreement.SAME, Agreement.VARIANT)

    def settle(self, seen: Mapping[str, Seen]) -> None:
        """Decide what can go by itself among what would go; say of the rest what is to be done."""
        for object, items in self._of.items():
            one = seen.get(object, Seen())
            for item in items:
                if item.action is Action.DELETE:
                    self._settle(item, one)

    def _settle(self, item: Item, seen: Seen) -> None:
        object, kind = item.object, seen.kind
        review = self._by_hand(object, kind)
        if seen.problems and item.record not in seen.read and "" not in seen.read:
            problem = seen.problems[0]
            why = f"{problem.why.value}: {problem.detail}" if problem.detail else problem.why.value
            item.decide(Action.REVIEW, Reason("gone") if problem.detail == "no longer there" else Reason("unread", {"why": why}))
        elif review is not None:
            item.decide(Action.REVIEW, review)
        elif kind in MAILS:
            if item.hit.role is Role.MENTIONED:
                item.decide(Action.REVIEW, Reason("mentioned", {"field": item.hit.field or "text"}))
            elif item.record in seen.at_work:
                item.decide(Action.KEEP, Reason("function", {"role": item.hit.role.value}))
            elif item.record in seen.inside:
                item.decide(Action.REVIEW, Reason("inside"))
            elif item.record in seen.crowded:
                item.decide(Action.REVIEW, Reason("correspondents"))
            else:
                item.reasons.append(Reason("file" if kind in _SINGLE else "message"))
        elif not seen.whole:
            item.decide(Action.REVIEW, Reason("large"))
        elif not seen.alone:
            item.decide(Action.REVIEW, Reason("others"))
        else:
            item.reasons.append(Reason("file"))

    @staticmethod
    def _by_hand(object: str, kind: str) -> Reason | None:
        """Why nothing can be deleted alone in an object of this kind."""
        if kind in CHATS or kind.startswith(("slack", "teams")):
            return Reason("chat")
        if "!" in object:
            return Reason("archive", {"container": object.partition("!")[0]})
        if kind in ROWS:
            return Reason("row")
        return Reason("line") if kind in _LOGS else None


def _addressed(item: Item) -> Hit:
    """The hit of an item as the redactor reads it: in a letter whose role nothing tells she is taken for the one whom it is written to."""
    return replace(item.hit, role=Role.RECIPIENT) if item.hit.role is Role.MENTIONED and item.hit.field in ("", "text") else item.hit


def _a_person(name: str) -> bool:
    """Whether what was taken for somebody's name may be one: a word alone that nobody bears is none."""
    from scanner.subject import names

    return not name.isalpha() or any(names.bearers(part) for part in names.fold_name(name))


def is_text(seen: Seen | None) -> bool:
    """Whether an object is a document, of which a search does not say whose it is."""
    return seen is not None and bool(seen.kind) and seen.kind not in {*ROWS, *MAILS, *CHATS, *_LOGS}


def documents(items: Iterable[Item]) -> dict[str, Link]:
    """How surely each object is hers, by the surest of its records: a document is hers as a whole."""
    rank = list(Link)
    found: dict[str, Link] = {}
    for item in items:
        known = found.get(item.object)
        if known is None or rank.index(item.hit.link) < rank.index(known):
            found[item.object] = item.hit.link
    return found


def failed(items: Iterable[Item], error: SourceError) -> None:
    """A source that could not be read again: somebody must look."""
    for item in items:
        if item.goes:
            item.decide(Action.REVIEW, Reason("unread", {"why": str(error)}))
