"""The record of processing activities as JSON-LD in the terms of the W3C Data Privacy Vocabulary, version 2.

Terms: https://w3id.org/dpv, https://w3id.org/dpv/pd (kinds of personal data, from `rules/taxonomy.yaml`) and
https://w3id.org/dpv/legal/eu/gdpr (legal bases); `dpv:Process` is what version 2 recommends in place of `dpv:PersonalDataHandling`, and
processes lie inside each other so that data, recipients and storage stay tied together. The context stands in the file: nothing is fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from scanner.config import Recipient, Retention
from scanner.detect.rules import taxonomy
from scanner.report import Asked
from scanner.report.processing import Activity, Line, by_name, split
from scanner.report.processing_files import Told
from scanner.report.words import entity
from scanner.resources import folder

CONTEXT: Mapping[str, Any] = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
BASES = {
    "consent": "A6-1-a", "contract": "A6-1-b", "legal obligation": "A6-1-c", "vital interest": "A6-1-d", "vital interests": "A6-1-d",
    "public task": "A6-1-e", "public interest": "A6-1-e", "official authority": "A6-1-e", "legitimate interest": "A6-1-f",
    "legitimate interests": "A6-1-f",
}  # fmt: skip
"""Legal bases as the configuration names them, and their terms in eu-gdpr."""
SUBJECTS = {
    "applicants": "JobApplicant", "job applicants": "JobApplicant", "candidates": "JobApplicant", "jobansøgere": "JobApplicant",
    "ansøgere": "JobApplicant", "children": "Child", "børn": "Child", "citizens": "Citizen", "borgere": "Citizen", "clients": "Client",
    "klienter": "Client", "consumers": "Consumer", "forbrugere": "Consumer", "customers": "Customer", "kunder": "Customer",
    "employees": "Employee", "staff": "Employee", "medarbejdere": "Employee", "ansatte": "Employee", "members": "Member",
    "medlemmer": "Member", "participants": "Participant", "deltagere": "Participant", "patients": "Patient", "patienter": "Patient",
    "students": "Student", "pupils": "Student", "elever": "Student", "studerende": "Student", "subscribers": "Subscriber",
    "abonnenter": "Subscriber", "users": "User", "brugere": "User", "visitors": "Visitor", "besøgende": "Visitor",
}  # fmt: skip
"""Groups of people as the configuration names them, and their terms in dpv; others are a plain `dpv:DataSubject`."""
CLASSES = {"sensitive": "dpv:SpecialCategoryPersonalData", "criminal": "dpv:SensitivePersonalData", "confidential": "dpv:ConfidentialData"}
ROLES = {"processor": "dpv:DataProcessor", "databehandler": "dpv:DataProcessor", "controller": "dpv:DataController"}
MISSING = {"@type": "dpv:Applicability", "@id": "dpv:NotAvailable"}
"""What DPV says where something applies and nobody has stated it."""


def as_jsonld(asked: Asked, out: IO[bytes]) -> None:
    """The file: one `dpv:ROPA`, which has a process an activity, which has a process a category of data."""
    out.write((json.dumps(document(asked), ensure_ascii=False, indent=1) + "\n").encode())


def document(asked: Asked) -> dict[str, Any]:
    """The record as JSON-LD."""
    return _Graph(Told(asked), asked.language).document()


class _Graph:
    """The nodes of one record."""

    def __init__(self, told: Told, language: str) -> None:
        self.told, self.record, self.language = told, told.record, language
        self._types = taxonomy(folder("rules") / "taxonomy.yaml")
        self._numbers = {one.name: f"_:recipient{number}" for number, (one, _) in enumerate(self.record.recipients(), 1)}

    def document(self) -> dict[str, Any]:
        who = self.record.settings.controller
        controller = {"@id": "_:controller", "@type": "dpv:DataController", **_stated({
            "dpv:hasName": who.name, "dpv:hasContact": who.contact, "dpv:hasCountry": _country(who.country),
            "dpv:hasRepresentative": _named("dpv:Representative", who.representative),
            "dpv:hasDataProtectionOfficer": _named("dpv:DataProtectionOfficer", who.dpo),
        })}  # fmt: skip
        run = self.record.run
        return {
            "@context": CONTEXT,
            "@id": "_:record",
            "@type": "dpv:ROPA",
            "dct:title": self._text(self.told.words["title"]),
            **({"dct:created": {"@type": "xsd:dateTime", "@value": run["finished"]}} if run else {}),
            "dpv:hasDataController": controller,
            "dpv:hasRecipient": [self._recipient(one) for one, _ in self.record.recipients()],
            "dpv:hasProcess": [self._activity(number, one) for number, one in enumerate(self.record.activities, 1)],
            "skos:editorialNote": [self._text(text) for check in (False, True) for text in self.told.gaps(check=check)],
        }

    def _activity(self, number: int, one: Activity) -> dict[str, Any]:
        bases = [_basis(source.legal_basis, self.language) for source in one.sources if source.legal_basis]
        measures = self.told.security(one)
        return {
            "@id": f"_:activity{number}",
            "@type": "dpv:Process",
            "dpv:hasDataController": {"@id": "_:controller"},
            "dpv:hasPurpose": {"@type": "dpv:Purpose", "skos:prefLabel": self._text(one.purpose)}
            if one.purpose
            else {"@type": "dpv:Purpose", "dpv:hasApplicability": MISSING},
            "dpv:hasDataSubject": self._people(one.people),
            "dpv:hasLegalBasis": bases or {"@type": "dpv:LegalBasis", "dpv:hasApplicability": MISSING},
            "dpv:hasTechnicalOrganisationalMeasure": {
                "@type": "dpv:TechnicalOrganisationalMeasure",
                **({"dct:description": self._text(measures)} if measures else {"dpv:hasApplicability": MISSING}),
            },
            "dpv:hasProcess": [self._link(line) for line in one.lines],
            **({} if one.sure else {"skos:editorialNote": self._text(self.told.words["unsure"])}),
        }

    def _people(self, text: str) -> dict[str, Any]:
        if not text:
            return {"@type": "dpv:DataSubject", "dpv:hasApplicability": MISSING}
        return {"@type": f"dpv:{SUBJECTS.get(text.lower(), 'DataSubject')}", "skos:prefLabel": self._text(self.told.people(text))}

    def _link(self, line: Line) -> dict[str, Any]:
        """One category of data in one source: where it lies, who receives it, how long it is kept."""
        found = line.found
        known = self._types.get(found.entity)
        term = f"pd:{known.dpv}" if known is not None and known.dpv else "dpv:PersonalData"
        kept = [self._kept(one) for one in by_name(self.record.settings, line.policies)]
        if not line.all_covered:
            kept.append({"@type": "dpv:StorageDuration", "dpv:hasApplicability": MISSING})
        place = {
            "@type": "dpv:StorageLocation",
            "dpv:hasLocation": {"@type": "dpv:Location", "dct:identifier": line.source,
                                "skos:example": [f"{line.source}:{object}" for object in found.examples]},
        }  # fmt: skip
        return {
            "@type": "dpv:Process",
            "dpv:hasPersonalData": {
                "@type": list(dict.fromkeys([term, CLASSES.get(found.cls, "dpv:PersonalData")])),
                "dct:identifier": found.entity,
                "skos:prefLabel": self._text(entity(self.told.words, found.entity)),
            },
            **({"dpv:hasRecipient": [{"@id": self._numbers[one.name]} for one in line.recipients]} if line.recipients else {}),
            "dpv:hasStorageCondition": [place, *kept],
        }

    def _kept(self, one: Retention | None) -> dict[str, Any]:
        if one is None:
            until = {"@type": "dpv:UntilEventDuration", "dct:description": self._text(self.told.policy(None))}
            return {"@type": "dpv:StorageDuration", "dpv:hasDuration": until}
        count, _, unit = one.keep.partition(" ")
        period = {"@type": "xsd:duration", "@value": f"P{count}{unit[0].upper()}"}
        return {
            "@type": "dpv:StorageDuration",
            "dct:title": one.name,
            "dct:description": self._text(self.told.policy(one)),
            "dpv:hasDuration": {"@type": "dpv:TemporalDuration", "rdf:value": period},
            **({"dct:source": one.law} if one.law else {}),
            **({"dpv:hasNecessity": {"@id": "dpv:Required"}} if one.required else {}),
        }

    def _recipient(self, one: Recipient) -> dict[str, Any]:
        country = "dpv:hasThirdCountry" if one.outside else "dpv:hasCountry"
        return {"@id": self._numbers[one.name], "@type": ROLES.get(one.role.lower(), "dpv:Recipient"), **_stated({
            "dpv:hasName": one.name, "dpv:hasContact": one.contact, country: _country(one.country),
            "dct:description": "; ".join(text for text in (one.role, one.safeguards) if text),
        })}  # fmt: skip

    def _text(self, text: str) -> dict[str, str]:
        return {"@language": self.language, "@value": text}


def _basis(text: str, language: str) -> dict[str, Any]:
    """A legal basis: the term of the regulation, or a node with the company's own words where there is none."""
    found = [BASES[part.lower()] for part in split(text) if part.lower() in BASES]
    article = re.search(r"(?:art(?:icle|ikel|\.)?\s*)?6(?:\(1\)|,?\s*stk\.\s*1,?)\s*(?:\(|litra\s+)([a-f])\b", text, re.IGNORECASE)
    term = found[0] if found else f"A6-1-{article[1].lower()}" if article else ""
    return {"@id": f"eu-gdpr:{term}"} if term else {"@type": "dpv:LegalBasis", "skos:prefLabel": {"@language": language, "@value": text}}


def _country(code: str) -> Any:
    return {"@type": "dpv:Country", "dct:identifier": code.upper()} if code else ""


def _named(kind: str, name: str) -> Any:
    return {"@type": kind, "dpv:hasName": name} if name else ""


def _stated(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if value}
