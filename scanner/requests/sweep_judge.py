"""What the law and the company's policies make of one record of a person who asks to be deleted, before anything hangs together.

GDPR Art. 17(1): what is not needed any more, stood on a consent that was withdrawn, or is objected to, goes. Art. 17(3)(b): what a law
requires stays, until its time is over. Art. 17(3)(e) and 18(1)(c): what stays for a claim alone stays restricted (Art. 18(2)). Where
Art. 18 is what is asked for, everything is restricted; while an objection is being judged (Art. 18(1)(d)), what it is about is, and
what serves direct marketing goes at once (Art. 21(3)).
Somebody else's record stays: one in which she acts in her function, or is mentioned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from scanner.config import Hold
from scanner.model import Hit, Link, Role
from scanner.requests import law
from scanner.requests.plan import Action
from scanner.requests.policy import Hint, Policies, Ruling
from scanner.requests.policy import Reason as Said
from scanner.requests.request import Kind
from scanner.requests.sweep_item import Item, Reason

DELETION = "GDPR Art. 17(1)(a)"
WITHDRAWN = "GDPR Art. 17(1)(b)"
OBJECTION = "GDPR Art. 18(1)(d)"
MARKETING = "GDPR Art. 21(3)"
RESTRICTION = "GDPR Art. 18(1)"
STORAGE = "GDPR Art. 5(1)(e)"
SHARED = 0.6
"""A row that is no surer than this is the person's by something that several people use (a family's mailbox): it may be another's."""
_FUNCTION = (Role.HANDLER, Role.SIGNATURE)


@dataclass(frozen=True, slots=True)
class Held:
    """Records of people under a hold: surely or perhaps theirs, by (source, object, record); a record `""` is the whole object.

    `persons` are the rows that are such a person. `everything` is the hold of whoever a plan is made for, when she is one of them.
    """

    surely: Mapping[tuple[str, str, str], Hold]
    perhaps: Mapping[tuple[str, str, str], Hold]
    persons: Mapping[tuple[str, str, str], Hold] = field(default_factory=dict)
    everything: Hold | None = None

    def for_person(self, hits: Iterable[Hit]) -> Held:
        """The same for whoever these are records of: where one that is her row is also the row of somebody under a hold, she is that
        person, and all that is hers is held, also what the search for the hold did not find."""
        rows = (
            self.persons.get((hit.source, hit.object, hit.record)) for hit in hits if hit.link is Link.CERTAIN and hit.role is Role.ABOUT
        )
        return replace(self, everything=next((hold for hold in rows if hold is not None), None))

    def of(self, hit: Hit) -> tuple[Hold | None, bool]:
        """The hold that a record of hers is under, and whether it surely is."""
        if self.everything is not None:
            return self.everything, True
        whole = (hit.source, hit.object, "")
        for found, sure in ((self.surely, True), (self.perhaps, False)):
            for place in ((hit.source, hit.object, hit.record), whole):
                if place in found:
                    return found[place], sure
        return None, False


class Judge:
    """Says of each item what its own circumstances say. `kind` is what was asked for."""

    def __init__(self, policies: Policies, held: Held, today: date, kind: Kind = Kind.DELETION) -> None:
        self._policies, self._held, self._today, self._kind = policies, held, today, kind

    def judge(self, item: Item, ruling: Ruling, *, text: bool = False, link: Link | None = None) -> None:
        """Decide an item by its ruling, which leaves holds aside. `text` is a document, of which nothing says yet whose record it is;
        `link` how surely the whole of it is hers."""
        hit = item.hit
        link = link or hit.link
        hold, sure = self._held.of(hit)
        if hit.role in _FUNCTION:
            item.decide(Action.KEEP, Reason("function", {"role": hit.role.value}))
        elif hold is not None and sure:
            self._hold(item, hold, ruling)
        elif link is Link.POSSIBLE:
            item.decide(Action.REVIEW, Reason("possible"))
        elif hold is not None and link is not Link.CERTAIN:
            item.decide(Action.REVIEW, Reason("held_perhaps", {"detail": hold.reason}), law=hold.law)
        elif self._kind is Kind.RESTRICTION:
            item.decide(Action.RESTRICT, Reason("restriction"), law=RESTRICTION)
        elif ruling.hint is Hint.KEEP:
            name = "waiting" if ruling.reason is Said.WAITING else "required"
            until = ruling.until.isoformat() if ruling.until and ruling.until.year < 9000 else ""
            item.decide(Action.KEEP, Reason(name, {"policy": ruling.policy}), law=ruling.law, until=until)
        elif hit.role is Role.MENTIONED and not text:
            self.mentioned(item)
        elif link is Link.LIKELY and hit.role is Role.ABOUT and hit.score <= SHARED and not text:
            item.decide(Action.REVIEW, Reason("shared"))
        elif self._kind is Kind.OBJECTION:
            self._objection(item, ruling)
        else:
            self._free(item, ruling)

    @staticmethod
    def mentioned(item: Item) -> None:
        """It is somebody else's record."""
        field = item.hit.field
        item.decide(Action.REVIEW, Reason("mentioned", {"field": field}) if field else Reason("mentioned_whole"))

    def _hold(self, item: Item, hold: Hold, ruling: Ruling) -> None:
        until = hold.until.isoformat() if hold.until else ""
        if item.hit.link is Link.POSSIBLE or (item.hit.role is Role.MENTIONED and ruling.hint is not Hint.KEEP):
            name = "held_other" if item.hit.link is not Link.POSSIBLE else "held_perhaps"
            item.decide(Action.KEEP, Reason(name, {"detail": hold.reason}), law=hold.law, until=until)
        elif ruling.hint is Hint.KEEP:
            item.decide(Action.KEEP, Reason("hold_required", {"detail": hold.reason}), law=hold.law, until=until)
        else:
            item.decide(Action.RESTRICT, Reason("hold", {"detail": hold.reason}), law=hold.law, until=until)

    def _objection(self, item: Item, ruling: Ruling) -> None:
        if any(policy.consent for policy in self._policies.bearing(item.source, item.object)):
            item.decide(Action.DELETE, Reason("marketing"), law=MARKETING)
        elif ruling.hint is Hint.OVERDUE:
            self._free(item, ruling)
        else:
            item.decide(Action.RESTRICT, Reason("objection"), law=OBJECTION)

    def _free(self, item: Item, ruling: Ruling) -> None:
        if ruling.reason is Said.WITHDRAWN:
            item.decide(Action.DELETE, Reason("withdrawn", {"start": ruling.start or ruling.until}), law=WITHDRAWN)
        elif ruling.reason is Said.OVER:
            item.decide(Action.DELETE, Reason("over", {"end": ruling.until}), law=ruling.law or STORAGE)
        elif ruling.reason is Said.UNSAID and (kept := self._perhaps_kept(item)):
            item.decide(Action.REVIEW, Reason("perhaps_law", {"law": kept.law}), law=kept.law)
        else:
            item.decide(Action.DELETE, Reason("free"), law=DELETION)

    def _perhaps_kept(self, item: Item) -> law.Law | None:
        """A rule of law that requires things to be kept and may be about an object of this name."""
        rules = self._policies.by_law(item.object)
        return next((one for one in rules if one.kind in (law.Kind.KEEP, law.Kind.KEEP_DELETE)), None)
