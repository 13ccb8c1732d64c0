"""Each report says what the book and the configuration say, in each of its formats, in both languages, and nothing else."""

from __future__ import annotations

import csv
import json
import random
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from lxml import html

from scanner import config, report
from scanner.config import Config, Consent, Controller, Recipient, Retention, SourceConfig
from scanner.errors import ReportError
from scanner.inventory import Book, Holding, ObjectRead, UnitRead, ledger
from scanner.inventory.segments import Segments
from scanner.model import Problem, Unit, Why
from scanner.report import workbook
from scanner.resources import folder

CLASSES = {"PERSON": "general", "EMAIL_ADDRESS": "general", "DK_CPR": "confidential", "HEALTH": "sensitive", "CRIMINAL_OFFENCE": "criminal"}
HOSTILE = "<script>alert(1)</script>\u202e=cmd|' /C calc'!A0"
FORMULA = "=cmd|' /C calc'!A0"

Place = Mapping[str, Mapping[tuple[str, str], int] | Problem]
"""What a source holds: findings by (field, entity) of each object, or why it cannot be read."""


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book(tmp_path / "inventory", write=True) as opened:
        yield opened


def scan(
    book: Book, places: Mapping[str, Place], *, rules: str = "r", closed: tuple[Problem, ...] = (), part: str = "", listed: bool = True
) -> int:
    """One run over these sources, as `scanner.scan` writes it down."""
    run, numbers = book.begin(rules, [(name, name) for name in places])
    for source, place in places.items():
        number = numbers[source]
        known = {(row[1], row[2]): row[0] for row in book.known(number, run, rules, full=True)}
        with book.transaction() as cursor:
            for object, held in sorted(place.items()):
                known.pop((object, part), None)
                unit = Unit(source, object, "file", 1, "f", part)
                book.record(run, number, [(book.next_unit(), unit, read(object, held), None)], rules, cursor)
        if listed:
            book.listed(run, number, list(known.values()), closed)
    book.finish(run, "{}")
    return run


def read(object: str, held: Mapping[tuple[str, str], int] | Problem) -> UnitRead:
    if isinstance(held, Problem):
        return UnitRead((ObjectRead(object, "file", "failed", f"{held.why.value}: {held.detail}", 0, 0),), (held,), ())
    holdings = tuple(
        Holding(object, field, entity, CLASSES[entity], count, count, count, 0, 0, 0.9, "xxx") for (field, entity), count in held.items()
    )
    return UnitRead((ObjectRead(object, "file", "complete", "", 100, 10),), (), holdings)


def written(kind: str, ending: str, book: Book | sqlite3.Connection, folder: Path, settings: Config | None = None, **asked: str) -> Path:
    out = folder / f"{kind}{ending}"
    connection = book.connection if isinstance(book, Book) else book
    findings = book.findings if isinstance(book, Book) else (lambda _: iter(()))
    report.write(kind, report.Asked(connection, settings or Config(), findings=findings, **asked), out)
    return out


def changes(book: Book, folder: Path, since: str = "") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(written("changes", ".json", book, folder, since=since).read_text())
    return found


def sheets(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    opened = openpyxl.load_workbook(path)
    for sheet in opened.worksheets:
        assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"], "a formula"
    return {sheet.title: [tuple(row) for row in sheet.iter_rows(values_only=True)] for sheet in opened.worksheets}


def words(path: Path) -> str:
    return " ".join(html.document_fromstring(path.read_text(encoding="utf-8")).text_content().split())


# -- changes ---------------------------------------------------------------------------------------------------------

BEFORE: Place = {
    "a.txt": {("", "PERSON"): 2},
    "b.csv": {("email", "EMAIL_ADDRESS"): 10, ("note", "PERSON"): 3},
    "gone.txt": {("", "DK_CPR"): 4},
    "locked.zip": {("", "PERSON"): 7},
}
AFTER: Place = {
    "a.txt": {("", "PERSON"): 2},
    "b.csv": {("email", "EMAIL_ADDRESS"): 12, ("note", "HEALTH"): 1, ("cpr", "DK_CPR"): 9},
    "locked.zip": Problem("locked.zip", Why.ENCRYPTED, "with a password"),
    "new.txt": {("", "CRIMINAL_OFFENCE"): 1},
}


def test_what_changed_between_two_runs(book: Book, tmp_path: Path) -> None:
    scan(book, {"share": BEFORE})
    scan(book, {"share": AFTER}, closed=(Problem("Direktion/", Why.DENIED, "no permission"),))
    found = changes(book, tmp_path)
    assert (found["since"]["run"], found["until"]["run"], found["rules_changed"]) == (1, 2, False)
    assert [(row["object"], row["before"], row["after"], row["class"]) for row in found["objects_new"]] == [("new.txt", 0, 1, "criminal")]
    assert [(row["object"], row["before"], row["after"]) for row in found["objects_gone"]] == [("gone.txt", 4, 0)]
    assert [(row["object"], row["reason"]) for row in found["objects_unread"]] == [
        ("locked.zip", "encrypted: with a password"),
        ("Direktion/", "denied: no permission"),
    ]
    told = [(row["field"], row["entity"], row["before"], row["after"], row["new_field"], row["new_class"]) for row in found["kinds_new"]]
    assert told == [("note", "HEALTH", 0, 1, False, True), ("cpr", "DK_CPR", 0, 9, True, True)]
    assert [(row["field"], row["entity"], row["before"], row["after"]) for row in found["kinds_gone"]] == [("note", "PERSON", 3, 0)]
    assert [(row["field"], row["before"], row["after"]) for row in found["kinds_more"]] == [("email", 10, 12)]
    assert found["new_sources"] == found["not_walked"] == found["kinds_fewer"] == found["objects_readable"] == []
    scan(book, {"share": AFTER | {"locked.zip": {("", "PERSON"): 7}}})
    again = changes(book, tmp_path)
    assert sorted(row["object"] for row in again["objects_readable"]) == ["Direktion/", "locked.zip"]
    whole = changes(book, tmp_path, since="1")
    assert whole["objects_unread"] == whole["objects_readable"] == []


def test_a_rescan_that_changes_nothing_says_so(book: Book, tmp_path: Path) -> None:
    scan(book, {"share": BEFORE})
    scan(book, {"share": BEFORE})
    found = changes(book, tmp_path)
    assert not any(found[key] for key in found if key.startswith(("objects_", "kinds_", "new_", "not_")))
    assert list(book.rows("select * from holding_change")) == list(book.rows("select * from object_change")) == []
    assert "Nothing changed" in words(written("changes", ".html", book, tmp_path))
    assert "Intet har ændret sig" in words(written("changes", ".html", book, tmp_path, language="da"))


def test_sources_come_later_and_are_left_alone(book: Book, tmp_path: Path) -> None:
    scan(book, {"share": BEFORE})
    first = changes(book, tmp_path)
    assert first["since"] is None
    assert [(row["source"], row["objects"], row["findings"], row["confidential"]) for row in first["new_sources"]] == [("share", 4, 26, 4)]
    scan(book, {"crm": {"t": {("x", "PERSON"): 1}}})
    found = changes(book, tmp_path)
    assert [row["source"] for row in found["new_sources"]] == ["crm"]
    assert [row["source"] for row in found["not_walked"]] == ["share"]
    assert found["objects_new"] == []


def test_ranges_of_one_table_are_one_object(book: Book, tmp_path: Path) -> None:
    """Rows that move from one range to another are no change, and a table that is read in other ranges is the same table."""
    scan(book, {"crm": {"t": {("x", "PERSON"): 5}}})
    run = scan(book, {"crm": {"t": {("x", "PERSON"): 5}}}, part="1")
    found = changes(book, tmp_path)
    assert run == 2
    assert not any(found[key] for key in found if key.startswith(("objects_", "kinds_")))


def test_what_stood_there_before_is_what_was_written_down_then(book: Book, tmp_path: Path) -> None:
    """Runs of any content, in ranges or whole: the ledger leads back to each earlier state."""
    chance = random.Random(5)
    states: list[dict[tuple[str, str, str], int]] = []
    for number in range(1, 9):
        place: dict[str, Mapping[tuple[str, str], int]] = {
            object: {(field, entity): chance.randrange(1, 4) for field in "xy" for entity in ("PERSON", "HEALTH") if chance.random() < 0.6}
            for object in "abcd"
            if chance.random() < 0.7
        }
        scan(book, {"crm": place}, rules=f"r{number}", part="1" if number in (4, 5) else "")
        states.append({(o, f, e): n for o, held in place.items() for (f, e), n in held.items()})
        for base in range(1, number):
            found = changes(book, tmp_path, since=str(base))
            old, new = states[base - 1], states[-1]
            told = {
                (row["object"], row["field"], row["entity"]): (row["before"], row["after"])
                for what in ("new", "gone", "more", "fewer")
                for row in found[f"kinds_{what}"]
            }
            fresh = {row["object"] for row in found["objects_new"]} | {row["object"] for row in found["objects_gone"]}
            expected = {
                key: (old.get(key, 0), new.get(key, 0))
                for key in old.keys() | new.keys()
                if key[0] not in fresh and old.get(key, 0) != new.get(key, 0)
            }
            assert told == expected, (base, number)
            sums = {row["object"]: row["before"] for row in found["objects_gone"]}
            assert sums == {object: sum(n for (o, _, _), n in old.items() if o == object) for object in sums}


def test_from_which_run_or_day(book: Book, tmp_path: Path) -> None:
    for count in (1, 2, 3, 4):
        scan(book, {"crm": {"t": {("x", "PERSON"): count}}}, rules=f"r{count}")
        day = f"2026-06-0{count}"
        with book.transaction() as cursor:
            cursor.execute("update run set started = ?, finished = ? where id = ?", (f"{day}T01:00:00Z", f"{day}T02:00:00Z", count))
    for since, run, before in (("", 3, 3), ("1", 1, 1), ("2026-06-03", 2, 2), ("2026-12-24", 4, None)):
        found = changes(book, tmp_path, since=since)
        assert found["since"]["run"] == run
        assert [row["before"] for row in found["kinds_more"]] == ([] if before is None else [before])
        assert found["rules_changed"] == (run < 4)
    assert changes(book, tmp_path, since="2026-01-01")["since"] is None
    assert "The rules, or the program, changed" in words(written("changes", ".html", book, tmp_path))
    for since, said in (("9", "the last is 4"), ("yesterday", "must be the number of a run, or a day"), ("2026-13-01", "a day")):
        with pytest.raises(ReportError, match=said):
            changes(book, tmp_path, since=since)


def test_an_inventory_of_before_keeps_changes_from_its_next_scan_on(tmp_path: Path) -> None:
    with Book(tmp_path / "inventory", write=True) as opened:
        scan(opened, {"crm": {"t": {("x", "PERSON"): 1}}})
        opened.connection.execute("drop table holding_change")
        opened.connection.execute("drop table object_change")
    with Book(tmp_path / "inventory", write=False) as opened:
        with pytest.raises(ReportError, match="scan once more"):
            changes(opened, tmp_path)
        assert "from its next scan on" in words(written("overview", ".html", opened, tmp_path))
    with Book(tmp_path / "inventory", write=True) as opened:
        assert opened.meta(ledger.BEGINS) == "1"
        scan(opened, {"crm": {"t": {("x", "PERSON"): 3}}})
        assert [row["before"] for row in changes(opened, tmp_path)["kinds_more"]] == [1]
        with pytest.raises(ReportError, match="write --since 1"):
            changes(opened, tmp_path, since="2020-01-01")


@pytest.mark.parametrize("language", ["en", "da"])
def test_changes_in_every_format(book: Book, tmp_path: Path, language: str) -> None:
    scan(book, {"share": BEFORE})
    scan(book, {"share": AFTER | {HOSTILE: {(HOSTILE, "HEALTH"): 1}, FORMULA: {(FORMULA, "PERSON"): 1}}})
    page = written("changes", ".html", book, tmp_path, language=language)
    assert ("What needs a look first" if language == "en" else "Det, der bør ses på først") in words(page)
    harmless(page)
    found = sheets(written("changes", ".xlsx", book, tmp_path, language=language))
    assert list(found)[2] == ("New kinds" if language == "en" else "Nye oplysninger")
    assert any(FORMULA in row for row in found["New objects" if language == "en" else "Nye objekter"])


def harmless(page: Path) -> None:
    """Nothing runs, nothing is fetched, and every letter shows."""
    root = html.document_fromstring(page.read_text(encoding="utf-8"))
    assert not root.xpath("//script | //img | //link | //iframe | //@src | //@onerror")
    assert root.xpath("//meta[@http-equiv='Content-Security-Policy']")
    assert "\u202e" not in root.text_content()


# -- coverage --------------------------------------------------------------------------------------------------------


def uncovered(book: Book) -> None:
    place: Place = {
        "a.txt": {("", "PERSON"): 2},
        "locked.zip": Problem("locked.zip", Why.ENCRYPTED, "with a password"),
        "old.xyz": Problem("old.xyz", Why.UNSUPPORTED, "the library pypdf is not installed"),
        FORMULA: Problem(FORMULA, Why.DAMAGED, "breaks off"),
        HOSTILE: Problem(HOSTILE, Why.DAMAGED, "breaks off"),
    }
    scan(book, {"share": place}, closed=(Problem("Direktion/", Why.DENIED, "no permission"),))


@pytest.mark.parametrize("language", ["en", "da"])
def test_coverage_says_what_to_do(book: Book, tmp_path: Path, language: str) -> None:
    uncovered(book)
    settings = Config(sources=(SourceConfig("share", "", exclude=("*.tmp",)), SourceConfig("hr", "")))
    page = written("coverage", ".html", book, tmp_path, settings, language=language)
    harmless(page)
    said = words(page)
    if language == "en":
        assert "5 of 6 objects were not read to their end" in said
        assert "Reader not installed 1 object" in said
        assert "Give the account that scans the right to read it" in said
        assert "hr is in the configuration, but has never been scanned" in said
        assert "share leaves out *.tmp" in said
    else:
        assert "5 af 6 objekter er ikke læst til ende" in said
        assert "Læser ikke installeret 1 objekt" in said
        assert "hr står i opsætningen, men er aldrig scannet" in said
    found = sheets(written("coverage", ".xlsx", book, tmp_path, settings, language=language))
    assert len(list(found.values())[2]) == 6
    assert len(list(found.values())[5]) == 7


def test_coverage_for_programs(book: Book, tmp_path: Path) -> None:
    uncovered(book)
    told = json.loads(written("coverage", ".json", book, tmp_path).read_text())
    assert {row["why"]: row["objects"] for row in told["reasons"]} == {"damaged": 2, "encrypted": 1, "library": 1, "denied": 1}
    assert {row["object"]: row["why"] for row in told["unread"]}["Direktion/"] == "denied"
    with written("coverage", ".csv", book, tmp_path).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert f"'{FORMULA}" in [row["object"] for row in rows]
    assert all(row["todo"] for row in rows if row["status"] != "complete")


# -- findings --------------------------------------------------------------------------------------------------------


def with_findings(book: Book, count: int = 3, object: str = "a.txt") -> None:
    run, numbers = book.begin("r", [("share", "share")])
    segments = Segments(book.folder / "segments")
    fields = {
        "object": [object] * count, "field": [FORMULA] * count, "record": [f"line={n}" for n in range(count)], "start": [4] * count,
        "end": [14] * count, "entity": ["DK_CPR"] * count, "rule": ["denmark.cpr"] * count, "score": pa.array([0.5] * count, pa.float32()),
        "digest": pa.array([b"d" * 16] * count, pa.binary(16)), "test": [False] * count, "fact": [False] * count,
    }  # fmt: skip
    table = pa.table(fields)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    unit = book.next_unit()
    segments.add((unit, 1), sink.getvalue().to_pybytes())
    segments.done((unit, 1), unit)
    holdings = (
        Holding(object, FORMULA, "DK_CPR", "confidential", count, count, count, count, 0, 0.5, "999999-9999"),
        Holding(object, "mail", "EMAIL_ADDRESS", "general", 40, 40, 40, 0, 0, 0.99, "xxx@xxx.xx"),
    )
    with book.transaction() as cursor:
        where = book.add_segments(segments.flush(), cursor)
        done = UnitRead((ObjectRead(object, "file", "complete", "", 1, 1),), (), holdings)
        book.record(run, numbers["share"], [(unit, Unit("share", object, "file", 1, "f"), done, where.get(unit))], "r", cursor)
    book.listed(run, numbers["share"], [], ())
    book.finish(run, "{}")


def test_findings_one_by_one(book: Book, tmp_path: Path) -> None:
    with_findings(book)
    rows = pq.read_table(written("findings", ".parquet", book, tmp_path)).to_pylist()
    assert [(row["entity"], row["count"], row["start"]) for row in rows] == [("EMAIL_ADDRESS", 40, None), *[("DK_CPR", 1, 4)] * 3]
    assert list(rows[0]) == ["source", "object", "record", "field", "start", "end", "entity", "class", "score", "rule", "test", "count", "first_seen"]  # fmt: skip
    last = rows[-1]
    assert (last["source"], last["object"], last["record"], last["class"], last["rule"]) == (
        "share",
        "a.txt",
        "line=2",
        "confidential",
        "denmark.cpr",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", last["first_seen"])
    with written("findings", ".csv", book, tmp_path).open(encoding="utf-8-sig", newline="") as file:
        told = list(csv.DictReader(file))
    assert [row["field"] for row in told] == ["mail", *[f"'{FORMULA}"] * 3]
    found = sheets(written("findings", ".xlsx", book, tmp_path, language="da"))
    assert found["Fund"][0][:3] == ("Kilde", "Sted", "Post")
    assert len(found["Fund"]) == 5


def test_a_sheet_that_is_too_long_goes_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_MOST_ROWS", 601)
    monkeypatch.setattr(workbook, "_LOOKED_AT", 10)
    out = tmp_path / "long.xlsx"
    out.write_bytes(workbook.workbook({"Fund": workbook.Sheet(["n"], ([n] for n in range(1_300))), "fund": workbook.Sheet(["n"], [])}))
    found = sheets(out)
    assert list(found) == ["Fund", "Fund (2)", "Fund (3)", "fund (4)"]
    assert [row[0] for title in list(found)[:3] for row in found[title][1:]] == list(range(1_300))


@pytest.mark.slow
def test_more_findings_than_a_sheet_holds(book: Book, tmp_path: Path) -> None:
    """1.2 million findings as Parquet, in constant memory."""
    import tracemalloc

    with_findings(book, 1_200_000)
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    out = written("findings", ".parquet", book, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pq.read_metadata(out).num_rows == 1_200_001
    assert peak < 40 * 2**20
    assert pa.total_allocated_bytes() - before < 40 * 2**20


# -- processing ------------------------------------------------------------------------------------------------------

STATED = Config(
    controller=Controller("Optifo ApS", "info@optifo.example", "DK", security="access by role"),
    sources=(
        SourceConfig("crm", "", people="customers", purpose="orders", legal_basis="contract", recipients=("stripe", "nobody")),
        SourceConfig("share", "", people="employees, customers", purpose="orders, personnel", legal_basis="Art. 6(1)(c), Art. 9(2)(b)"),
        SourceConfig("hr", ""),
    ),
    recipients=(Recipient("stripe", "privacy@stripe.example", "us", ("EMAIL_ADDRESS",), role="processor"),),
    retention=(Retention("books", ("crm:t*",), "5 years", "t.issued_on", year_end=True, required=True, law="bogføringsloven § 12"),),
    consent=(Consent(("crm:news",), "news.unsubscribed_at"),),
)  # fmt: skip
HELD: Mapping[str, Place] = {
    "crm": {
        "t": {("mail", "EMAIL_ADDRESS"): 5, ("note", "HEALTH"): 1},
        "news": {("mail", "EMAIL_ADDRESS"): 3},
        "x": {("cpr", "DK_CPR"): 1},
    },
    "share": {"a.txt": {("", "PERSON"): 2, ("b", "HEALTH"): 4}},
    "old": {"b.txt": {("", "CRIMINAL_OFFENCE"): 2}},
}


def test_what_of_whom_goes_to_whom_and_when_it_goes(book: Book, tmp_path: Path) -> None:
    scan(book, HELD)
    found = sheets(written("processing", ".xlsx", book, tmp_path, STATED))
    about, activities, links, places, recipients, rules, gaps = found.values()
    assert ("Name", "Optifo ApS") in about
    assert [row[1:3] for row in activities[1:]] == [
        ("orders", "customers"),
        ("orders", "employees"),
        ("personnel", "customers"),
        ("personnel", "employees"),
        ("not stated", "not stated"),
    ]
    orders = activities[1]
    assert orders[3] == "health, CPR number, e-mail address, name"
    assert orders[4] == "health"
    assert orders[6:8] == ("stripe", "stripe: yes, relies on: not stated")
    assert orders[9] == "access by role"
    link = next(row for row in links[1:] if row[0] == 1 and row[3] == "e-mail address")
    kept = "5 years after the end of the financial year of t.issued_on (bogføringsloven § 12)"
    assert link[4:] == ("General", "crm", 8, 2, "stripe", f"{kept}; until the consent is withdrawn", "t, news")
    assert next(row for row in links[1:] if row[3] == "CPR number")[8:10] == ("nobody stated", "no rule")
    assert next(row for row in places if row[0] == "old")[1:] == ("b.txt", "criminal offence", 2, "not stated", "no rule")
    assert recipients[1][:5] == ("stripe", "processor", "privacy@stripe.example", "us", "yes, relies on: not stated")
    assert recipients[2][:2] == ("nobody", "not stated")
    assert rules[1][1:3] == (kept, "crm:t*")
    said = "\n".join(row[1] for row in gaps[1:])
    for gap in (
        "the purpose of source hr",
        "whom source hr is about",
        "the legal basis of source hr",
        "not in the configuration: source old",
        "never scanned to the end: source hr",
        "which purpose of source share is for whom",
        "when data in source crm is deleted: x under no rule",
        "special categories of personal data found in source crm (health)",
        "signs of criminal offences found in source old",
        "CPR numbers found in source crm",
        "who recipient nobody is",
        "what the transfer to recipient stripe (US, outside the EU/EEA) relies on",
        "recipients of data from sources share and hr",
    ):
        assert gap in said
    assert "share (health)" not in said  # its legal basis names Art. 9
    assert "security" not in said


def test_the_record_as_a_page_in_both_languages(book: Book, tmp_path: Path) -> None:
    scan(book, HELD)
    page = written("processing", ".html", book, tmp_path, STATED)
    harmless(page)
    assert "1. orders about customers" in words(page)
    dansk = words(written("processing", ".html", book, tmp_path, STATED, language="da"))
    assert "1. orders om kunder" in dansk
    assert "aftale (artikel 6, stk. 1, litra b)" in dansk
    assert "5 år efter udgangen af regnskabsåret for t.issued_on (bogføringsloven § 12)" in dansk
    assert "hvem modtageren nobody er: der er ikke noget afsnit [[recipient]]" in dansk


TERMS = {
    "dpv": """Applicability ConfidentialData Consent Country Customer DataController DataProcessor DataProtectionOfficer DataSubject
        Employee LegalBasis Location NotAvailable PersonalData Process Purpose ROPA Recipient Representative Required
        SensitivePersonalData SpecialCategoryPersonalData StorageDuration StorageLocation TechnicalOrganisationalMeasure
        TemporalDuration UntilEventDuration hasApplicability hasContact hasCountry hasDataController hasDataProtectionOfficer
        hasDataSubject hasDuration hasLegalBasis hasLocation hasName hasNecessity hasPersonalData hasProcess hasPurpose
        hasRecipient hasRepresentative hasStorageCondition hasTechnicalOrganisationalMeasure hasThirdCountry""",
    "pd": "Name EmailAddress OfficialID Health CriminalOffence",
    "eu-gdpr": "A6-1-a A6-1-b A6-1-c A6-1-d A6-1-e A6-1-f",
    "dct": "created description identifier source title",
    "skos": "editorialNote example prefLabel",
    "rdf": "value type",
    "xsd": "dateTime duration",
}
"""The terms of DPV 2.3 (github.com/w3c/dpv, 2.3/dpv/dpv.csv, 2.3/pd/pd.csv, 2.3/legal/eu/gdpr/eu-gdpr.csv), Dublin Core, SKOS, RDF and XSD
that the record uses."""


@pytest.mark.parametrize("language", ["en", "da"])
def test_the_record_in_the_terms_of_the_data_privacy_vocabulary(book: Book, tmp_path: Path, language: str) -> None:
    from pyld import jsonld

    from scanner.report.processing_dpv import CONTEXT

    def never(url: str, _: object) -> None:
        raise AssertionError(f"fetches {url}")

    scan(book, HELD)
    told = json.loads(written("processing", ".jsonld", book, tmp_path, STATED, language=language).read_text())
    known = {CONTEXT[prefix] + term for prefix, terms in TERMS.items() for term in terms.split()}
    triples = jsonld.to_rdf(told, {"format": "application/n-quads", "documentLoader": never})
    used = {iri for line in triples.splitlines() for iri in re.findall(r"<([^>]*)>", re.sub(r'"(?:[^"\\]|\\.)*"', '""', line))}
    assert used <= known, used - known
    options = {"documentLoader": never, "embed": "@always", "omitGraph": True}
    record = jsonld.frame(told, {"@context": CONTEXT, "@type": "dpv:ROPA"}, options)
    orders = next(one for one in record["dpv:hasProcess"] if one["dpv:hasPurpose"].get("skos:prefLabel", {}).get("@value") == "orders")
    assert orders["dpv:hasDataSubject"]["@type"] == "dpv:Customer"
    mail = next(one for one in orders["dpv:hasProcess"] if one["dpv:hasPersonalData"]["dct:identifier"] == "EMAIL_ADDRESS")
    assert mail["dpv:hasRecipient"]["dpv:hasName"] == "stripe"
    assert mail["dpv:hasRecipient"]["@type"] == "dpv:DataProcessor"
    durations = [one["dpv:hasDuration"] for one in mail["dpv:hasStorageCondition"] if "dpv:hasDuration" in one]
    assert {"@type": "xsd:duration", "@value": "P5Y"} in [one.get("rdf:value") for one in durations]


# -- all of them -----------------------------------------------------------------------------------------------------

EVERY = [(kind, ending) for kind, formats in report.KINDS.items() if kind != "graph" for ending in formats]


@pytest.mark.parametrize(("kind", "ending"), EVERY)
def test_an_empty_inventory_and_no_configuration(kind: str, ending: str, book: Book, tmp_path: Path) -> None:
    for language in ("en", "da"):
        assert written(kind, ending, book, tmp_path, language=language).stat().st_size > 40
    scan(book, {"share": {"a.txt": {("", "PERSON"): 2}}})
    assert written(kind, ending, book, tmp_path).stat().st_size > 40


@pytest.mark.parametrize(("kind", "ending"), EVERY)
def test_hostile_names_everywhere(kind: str, ending: str, book: Book, tmp_path: Path) -> None:
    scan(book, {HOSTILE: {"b": {("", "PERSON"): 1}}, FORMULA: {FORMULA: {(FORMULA, "HEALTH"): 1}}})
    scan(book, {HOSTILE: {HOSTILE: {(HOSTILE, "HEALTH"): 2}}, FORMULA: {FORMULA: {(FORMULA, "HEALTH"): 3}}})
    settings = Config(
        controller=Controller(HOSTILE, FORMULA),
        sources=(SourceConfig(FORMULA, "", people=FORMULA, purpose=HOSTILE, legal_basis=FORMULA, recipients=(FORMULA, HOSTILE), exclude=(HOSTILE,)),),
        recipients=(Recipient(FORMULA, HOSTILE, HOSTILE, (HOSTILE,), HOSTILE, FORMULA),),
        retention=(Retention(FORMULA, (f"{HOSTILE}:*",), "1 year", "a.b", HOSTILE, law=FORMULA),),
    )  # fmt: skip
    out = written(kind, ending, book, tmp_path, settings)
    if ending == ".html":
        harmless(out)
    elif ending == ".xlsx":
        assert "\u202e" not in str(sheets(out))
    elif ending == ".csv":
        text = out.read_text(encoding="utf-8-sig")
        assert not re.search(r'(?m)(?:^|,)"?[=+@]', text)
        assert "\u202e" not in text
    elif ending in (".json", ".jsonld"):
        json.loads(out.read_text(encoding="utf-8"))


def test_both_languages_have_the_same_words() -> None:
    for name in ("words", "overview", "changes", "coverage", "processing", "findings", "retention", "access"):
        english, danish = (
            yaml.safe_load((folder("reports") / name / f"{language}.yaml").read_text(encoding="utf-8")) for language in ("en", "da")
        )
        assert set(english) == set(danish), name
        for key, value in english.items():
            if isinstance(value, dict) and key not in ("people_called", "reasons"):
                assert set(value) == set(danish[key]), (name, key)


def test_every_kind_of_data_has_a_word() -> None:
    known = set(yaml.safe_load((folder("rules") / "taxonomy.yaml").read_text(encoding="utf-8")))
    for language in ("en", "da"):
        assert known <= set(yaml.safe_load((folder("reports") / "words" / f"{language}.yaml").read_text(encoding="utf-8"))["entities"])


def test_refusals_are_one_line(cli: Any, tmp_path: Path) -> None:
    with Book(tmp_path / "persondata-inventory", write=True) as opened:
        scan(opened, {"share": BEFORE})
    (tmp_path / "persondata.toml").write_text('[controller]\nname = "Optifo"\nsecurity = "access by role"\n')
    assert config.load(tmp_path / "persondata.toml").controller.security == "access by role"
    for words_, said in (
        (("processing", "-o", "a.pdf"), "the report 'processing' has no such format; end the name in .xlsx, .html, .jsonld"),
        (("coverage", "-o", "a.html", "--since", "1"), "--since is for the report 'changes'"),
    ):
        done = cli("report", *words_, expect=2)
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    assert cli("report", "processing", "-o", "a.html", "--language", "da").stdout == "a.html\n"
