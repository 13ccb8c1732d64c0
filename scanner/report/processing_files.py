"""The record of processing activities as a page and as a workbook, in Danish or English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from scanner.config import Recipient, Retention
from scanner.report import Asked, page, visible, workbook
from scanner.report.processing import Activity, Line, Record, by_name, policies_of, split
from scanner.report.words import entity, span, words

CHECK = frozenset({"special", "criminal", "cpr", "unlinked", "unknown_source", "never_scanned", "recipient_unused"})
"""Gaps that are for somebody to judge, rather than a line that is missing."""


class Told:
    """The record in words."""

    def __init__(self, asked: Asked) -> None:
        self.record = Record(asked)
        self.words = words("processing", asked.language)

    def people(self, text: str) -> str:
        """A group of people, in the language of the report where it is a common one."""
        return str(self.words["people_called"].get(text.lower(), text))

    def basis(self, activity: Activity) -> str:
        """The legal bases of an activity."""
        stated = dict.fromkeys(one.legal_basis for one in activity.sources if one.legal_basis)
        return "; ".join(self.words["bases"].get(one.lower(), one) for one in stated)

    def security(self, activity: Activity) -> str:
        """The security measures of an activity."""
        return "; ".join(dict.fromkeys(said for one in activity.sources if (said := self.record.security(one))))

    def policy(self, one: Retention | None) -> str:
        """When something is deleted: `5 years after orders.ordered_at (bogføringsloven § 12)`."""
        if one is None:
            return str(self.words["consent"])
        after = self.words["clocks"].get(one.after, one.after)
        kept = self.words["kept_year_end" if one.year_end else "kept_after"].format(time=span(self.words, one.keep), after=after)
        return f"{kept} ({one.law})" if one.law else str(kept)

    def deleted(self, line: Line) -> str:
        """When the data of a line is deleted."""
        said = [self.policy(one) for one in by_name(self.record.settings, line.policies)]
        if not line.all_covered:
            said.append(self.words["partly"] if said else self.words["no_rule"])
        return "; ".join(said)

    def gaps(self, *, check: bool) -> list[str]:
        """What is missing, or what is to be looked at, a sentence each; several places of the same gap in one."""
        found: dict[tuple[str, str], list[str]] = {}
        for one in self.record.gaps:
            if (one.what in CHECK) == check:
                found.setdefault((one.what, one.detail), []).append(one.where)
        return [self._gap(what, detail, where) for (what, detail), where in found.items()]

    def _gap(self, what: str, detail: str, places: Sequence[str]) -> str:
        noun = self.words["nouns"]["recipient" if what.startswith("recipient_") or what == "safeguards" else "source"]
        *most, last = (str(visible(place)) for place in places)
        where = f"{noun[bool(most)]} " + (f"{', '.join(most)} {self.words['and']} {last}" if most else last)
        if what == "special":
            detail = ", ".join(entity(self.words, code) for code in detail.split(","))
        return str(self.words["gaps"][what]).format(where=where, detail=visible(detail))

    def transfer(self, one: Recipient) -> str:
        """Whether data leaves the EEA, and what that relies on."""
        if not one.country:
            return str(self.words["not_stated"])
        if not one.outside:
            return str(self.words["inside"])
        return f"{self.words['outside']}, {self.words['safeguards']}: {one.safeguards or self.words['not_stated']}"


def as_html(asked: Asked, out: IO[bytes]) -> None:
    """One page."""
    told = Told(asked)
    record, said = told.record, told.words
    alike: dict[tuple[str, ...], list[tuple[int, Activity]]] = {}
    for number, one in enumerate(record.activities, 1):
        alike.setdefault(tuple(source.name for source in one.sources), []).append((number, one))
    activities = [
        {
            "purposes": [(number, one.purpose, told.people(one.people), one.sure) for number, one in group],
            "basis": told.basis(group[0][1]), "security": told.security(group[0][1]), "sources": sources,
            "sure": all(one.sure for _, one in group),
            "categories": [
                {"entity": code, "class": cls, "lines": _lines(told, lines)} for code, cls, lines in group[0][1].categories()
            ],
        }
        for sources, group in alike.items()
    ]  # fmt: skip
    rules: list[dict[str, Any]] = [
        {"name": one.name, "applies_to": one.applies_to, "said": told.policy(one), "when": one.when, "required": one.required}
        for one in asked.settings.retention
    ]
    rules += [
        {"name": "", "applies_to": one.applies_to, "said": said["consent"], "when": "", "required": False} for one in asked.settings.consent
    ]
    content = {
        "words": said, "controller": asked.settings.controller.name, "who": asked.settings.controller, "run": record.run,
        "activities": activities, "missing": told.gaps(check=False), "check": told.gaps(check=True), "rules": rules,
        "recipients": [{"one": one, "sources": sources, "transfer": told.transfer(one)} for one, sources in record.recipients()],
    }  # fmt: skip
    out.write(page("processing/page", content))


def _lines(told: Told, lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {
            "source": line.source, "findings": line.found.findings, "objects": line.found.objects, "examples": line.found.examples[:3],
            "recipients": [one.name for one in line.recipients], "deleted": told.deleted(line), "ruled": bool(line.policies),
        }
        for line in lines
    ]  # fmt: skip


def as_xlsx(asked: Asked, out: IO[bytes]) -> None:
    """A workbook: who answers, the activities, what goes to whom and when it goes, every place, recipients, rules and gaps."""
    told = Told(asked)
    record, said = told.record, told.words
    titles = said["sheets"]
    who = asked.settings.controller
    about = [[said["controller"][key], getattr(who, key) or said["not_stated"]] for key in said["controller"]]
    about.append([said["as_of"], record.run["finished"] if record.run else said["never"]])
    sheets = {
        titles["about"]: _sheet([said["title"], ""], about),
        titles["activities"]: _sheet(
            [said[key] for key in ("number", "purpose", "people", "category", "special", "basis", "recipients", "transfer", "deleted",
                                   "security", "sources", "check_title")],
            _activities(told),
        ),
        titles["links"]: _sheet(
            [said[key] for key in ("number", "purpose", "people", "category", "class", "sources", "findings")]
            + [said["objects"].capitalize(), said["recipients"], said["deleted"], said["where"]],
            _links(told),
        ),
        titles["places"]: _sheet([said[key] for key in ("sources", "where", "category", "findings", "purpose", "deleted")], _places(told)),
        titles["recipients"]: _sheet(
            [said[key] for key in ("recipient", "role", "contact", "country", "transfer", "receives", "from_sources")],
            (
                [one.name, one.role or said["not_stated"], one.contact or said["not_stated"], one.country or said["not_stated"],
                 told.transfer(one), ", ".join(entity(said, code) for code in one.receives) or said["not_stated"], ", ".join(sources)]
                for one, sources in record.recipients()
            ),
        ),
        titles["rules"]: _sheet(
            [said[key] for key in ("rule", "keep", "applies_to", "when", "required", "law")],
            (
                [one.name, told.policy(one), ", ".join(one.applies_to), one.when, "x" * one.required, one.law]
                for one in asked.settings.retention
            ),
        ),
        titles["gaps"]: _sheet(
            [said["gaps_title"], ""],
            (
                [said["gap_titles"]["check" if check else "missing"], text]
                for check in (False, True)
                for text in told.gaps(check=check)
            ),
        ),
    }  # fmt: skip
    workbook.write(sheets, out)


def _sheet(columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> workbook.Sheet:
    return workbook.Sheet(columns, ([visible(value) for value in line] for line in lines))


def _activities(told: Told) -> Iterator[list[Any]]:
    said = told.words
    for number, one in enumerate(told.record.activities, 1):
        kinds = one.categories()
        special = [entity(said, code) for code, cls, _ in kinds if cls in ("sensitive", "criminal")]
        deleted = dict.fromkeys(told.deleted(line) for line in one.lines)
        yield [
            number, one.purpose or said["not_stated"], told.people(one.people) or said["not_stated"],
            ", ".join(entity(said, code) for code, _, _ in kinds) or said["no_data"], ", ".join(special) or said["none"],
            told.basis(one) or said["not_stated"], ", ".join(to.name for to in one.recipients) or said["no_recipient"],
            "; ".join(f"{to.name}: {told.transfer(to)}" for to in one.recipients), "; ".join(deleted) or said["no_rule"],
            told.security(one) or said["not_stated"], ", ".join(source.name for source in one.sources), "" if one.sure else said["unsure"],
        ]  # fmt: skip


def _links(told: Told) -> Iterator[list[Any]]:
    said = told.words
    for number, one in enumerate(told.record.activities, 1):
        for code, cls, lines in one.categories():
            for line in lines:
                found = line.found
                yield [
                    number, one.purpose or said["not_stated"], told.people(one.people) or said["not_stated"], entity(said, code),
                    said["classes"][cls][0], line.source, found.findings, found.objects,
                    ", ".join(to.name for to in line.recipients) or said["no_recipient"], told.deleted(line),
                    ", ".join(found.examples) + (" …" if found.objects > len(found.examples) else ""),
                ]  # fmt: skip


def _places(told: Told) -> Iterator[list[Any]]:
    said, settings = told.words, told.record.settings
    purposes: Mapping[str, str] = {one.name: ", ".join(split(one.purpose)) for one in told.record.sources}
    for row in told.record.rows("places"):
        names = policies_of(settings, row["source"], row["object"])
        kinds = ", ".join(sorted(entity(said, code) for code in row["entities"].split(",")))
        yield [
            row["source"], row["object"], kinds, row["findings"], purposes.get(row["source"]) or said["not_stated"],
            "; ".join(told.policy(one) for one in by_name(settings, names)) or said["no_rule"],
        ]  # fmt: skip
