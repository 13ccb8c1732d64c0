"""What the law and the company's policies say of a record, and what is overdue: days, conflicts, and the made-up company in full."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import config, demo
from scanner.config import Config, Consent, Controller, Hold, Retention
from scanner.demo.truth import Truth, truth
from scanner.errors import ConfigError, RuleError
from scanner.model import Column, Relation, Source
from scanner.requests import law, retention, retention_report
from scanner.requests.policy import Clock, Hint, Policies, Policy, Reason, decide, year_end
from scanner.requests.policy_rulings import Rulings
from scanner.requests.policy_tables import Late, Tables
from scanner.sources import clocks, open_source
from scanner.sources.clocks import Form, Question, Step
from scanner.subject import graph
from scanner.subject.bookshelf import Shelf

ROOT = Path(__file__).parent.parent
DAY = date(2026, 6, 30)
Run = Callable[..., subprocess.CompletedProcess[str]]


def policy(keep: str, *, name: str = "p", required: bool = False, ends: tuple[int, int] | None = None, consent: bool = False) -> Policy:
    number, unit = keep.rstrip("s").split()
    return Policy(name, ("crm:*",), "t.d", "", int(number), unit, ends, required, "a law", consent)


# -- days ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keep", "ends", "start", "until"),
    [
        ("1 year", None, "2025-06-30", "2026-06-30"),
        ("1 year", None, "2024-02-29", "2025-02-28"),
        ("4 years", None, "2024-02-29", "2028-02-29"),
        ("6 months", None, "2025-08-31", "2026-02-28"),
        ("30 days", None, "2026-01-15", "2026-02-14"),
        ("2 weeks", None, "2026-12-25", "2027-01-08"),
        ("5 years", (12, 31), "2020-01-01", "2025-12-31"),
        ("5 years", (12, 31), "2020-12-31", "2025-12-31"),
        ("5 years", (6, 30), "2020-06-30", "2025-06-30"),
        ("5 years", (6, 30), "2020-07-01", "2026-06-30"),
        ("5 years", (2, 28), "2019-02-01", "2024-02-29"),
        ("5 years", (2, 29), "2019-03-01", "2025-02-28"),
        ("1 year", None, "9999-12-31", "9999-12-31"),
    ],
)
def test_the_last_day_is_counted_as_the_law_counts(keep: str, ends: tuple[int, int] | None, start: str, until: str) -> None:
    assert policy(keep, ends=ends).until(date.fromisoformat(start)) == date.fromisoformat(until)


@given(
    st.sampled_from(["1 day", "6 months", "1 year", "5 years", "3 weeks"]),
    st.sampled_from([None, (12, 31), (6, 30), (2, 29), (4, 30)]),
    st.dates(date(1990, 1, 1), date(2060, 1, 1)),
)
def test_the_cutoff_is_the_last_day_whose_time_is_over(keep: str, ends: tuple[int, int] | None, today: date) -> None:
    one = policy(keep, ends=ends)
    last = one.cutoff(today)
    assert last is not None and one.until(last) < today <= one.until(last + timedelta(days=1))


def test_a_financial_year_ends_on_or_after_its_days() -> None:
    assert year_end(date(2024, 2, 29), (2, 28)) == date(2024, 2, 29)
    assert year_end(date(2025, 3, 1), (2, 28)) == date(2026, 2, 28)


# -- what is said of a record --------------------------------------------------------------------------------


def test_a_hold_beats_all_until_it_ends() -> None:
    gone = [Clock(policy("1 year"), date(2020, 1, 1))]
    hold = Hold("a claim", "GDPR Art. 17(3)(e)", date(2026, 12, 31))
    ruling = decide(gone, DAY, hold)
    assert (ruling.hint, ruling.reason, ruling.law, ruling.until) == (Hint.KEEP, Reason.HOLD, "GDPR Art. 17(3)(e)", date(2026, 12, 31))
    assert decide(gone, date(2027, 1, 1), hold).hint is Hint.OVERDUE


def test_what_the_law_requires_beats_deletion_and_the_longest_counts() -> None:
    books = Clock(policy("5 years", name="books", required=True, ends=(12, 31)), date(2024, 3, 1))
    short = Clock(policy("3 years", name="claims", required=True), date(2024, 3, 1))
    over = Clock(policy("1 year"), date(2020, 1, 1))
    ruling = decide([over, short, books], DAY)
    assert (ruling.hint, ruling.policy, ruling.until, ruling.law) == (Hint.KEEP, "books", date(2029, 12, 31), "a law")
    waiting = decide([over, short, books._replace(start=None)], DAY)
    assert (waiting.hint, waiting.reason, waiting.until) == (Hint.KEEP, Reason.WAITING, None)


def test_when_the_required_time_is_over_it_must_go() -> None:
    books = Clock(policy("5 years", required=True), date(2020, 1, 1))
    assert decide([books], DAY).hint is Hint.OVERDUE
    running = decide([books, Clock(policy("2 years", name="longer"), date(2025, 1, 1))], DAY)
    assert (running.hint, running.policy, running.until) == (Hint.FREE, "longer", date(2027, 1, 1))
    assert decide([books, Clock(policy("2 years", name="open"), None)], DAY).reason is Reason.OPEN


def test_a_withdrawn_consent_frees_at_once_but_not_what_the_law_requires() -> None:
    consent = Clock(replace(policy("1 day", consent=True), number=0), date(2026, 6, 29))
    assert decide([consent, Clock(policy("9 years"), date(2026, 1, 1))], DAY).reason is Reason.WITHDRAWN
    assert decide([consent._replace(start=DAY)], DAY).hint is Hint.FREE
    assert decide([consent._replace(start=None)], DAY).reason is Reason.OPEN
    assert decide([consent, Clock(policy("9 years", required=True), date(2026, 1, 1))], DAY).hint is Hint.KEEP
    assert decide([], DAY) == (Hint.FREE, Reason.UNSAID, "", None, "", "", None)


# -- the law as data -----------------------------------------------------------------------------------------


def test_the_law_is_read_and_found_by_the_words_of_names() -> None:
    laws = law.load()
    assert {f"eu.17-1-{letter}" for letter in "abcdef"} | {f"eu.17-3-{letter}" for letter in "abcde"} | {"eu.18", "eu.19"} <= {
        one.id for one in laws
    }
    assert {one.code for one in laws if one.code} == {"DK22-1", *(f"DK22-2-{number}" for number in range(1, 11))}

    def ids(name: str) -> set[str]:
        return {one.id for one in law.bearing(laws, name)}

    assert ids("optifo.fakturalinjer") == ids("public.order_lines") == ids("salesInvoices") == {"dk.bookkeeping"}
    assert "dk.payroll" in ids("Personale/Anne Holm/Lønseddel 2019-09.pdf") and ids("Rekruttering/x.txt") == {"dk.recruitment"}
    assert ids("customers") == set() and ids("public.border_control") == set()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("id: bookkeeping", "rule number 1: id must be"),
        ("kind: always", "dk.a: kind must be"),
        ("keep: five years", "dk.a: keep must be"),
        ("from: christmas", "dk.a: a time needs from"),
        ("title: {da: ja}", "dk.a: title must be given in da and en"),
        ("source: http://x", "dk.a: source must be"),
        ("dated: yesterday", "dk.a: dated must be"),
        ("country: Denmark", "dk.a: country must be"),
        ("words: faktura", "dk.a: words must be"),
        ("colour: red", "dk.a: unknown key 'colour'"),
        ("kind: duty", "dk.a: a rule of the kind duty"),
    ],
)
def test_a_malformed_rule_of_law_is_refused_by_name(tmp_path: Path, change: str, said: str) -> None:
    rule = {
        "id": "dk.a", "kind": "keep", "title": "{da: a, en: a}", "says": "{da: a, en: a}", "country": "DK", "law": "a law",
        "source": "https://x.example", "dated": "2024-01-01", "keep": "5 years", "from": "event", "words": "[faktura]",
    }  # fmt: skip
    path = tmp_path / "law.yaml"
    key, _, value = change.partition(": ")
    path.write_text("- " + "\n  ".join(f"{name}: {text}" for name, text in {**rule, key: value}.items()), encoding="utf-8")
    with pytest.raises(RuleError, match=said.replace("[", r"\[")):
        law.load(path)


# -- the configuration ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('[[retention]]\nname = "a"\napplies_to = ["crm:t"]\nafter = "t.d"\nkeep = "a while"', "keep must be"),
        ('[[retention]]\nname = "a"\napplies_to = ["t"]\nafter = "t.d"\nkeep = "1 year"', "applies_to must be"),
        ('[[retention]]\nname = "a"\napplies_to = ["crm:t"]\nafter = "d"\nkeep = "1 year"', "after must be"),
        ('[[retention]]\nname = "a"\napplies_to = ["crm:t"]\nafter = "t.d"\nkeep = "1 year"\nwhen = "1; drop"', "without ';'"),
        ('[[retention]]\nname = "a"\napplies_to = ["crm:t"]\nafter = "modified"\nkeep = "1 year"\nwhen = "1"', "has none"),
        ('[[retention]]\nname = "a"\napplies_to = ["crm:t"]\nafter = "t.d"\nkeep = "1 year"\nfrom = "now"', "from can only be"),
        ('[[retention]]\nname = "a"\napplies_to = ["crm:t"]\nafter = "t.d"\nkeep = "1 year"\nrequired = "yes"', "required must be"),
        ('[[consent]]\napplies_to = ["crm:t"]\nwithdrawn = "date"', "withdrawn must"),
        ('[[hold]]\nreason = "a"', "person must hold"),
        ('[[hold]]\nperson = {cpr = "1"}', "needs a reason"),
        ('[[hold]]\nperson = {cpr = "1"}\nreason = "a"\nuntil = "soon"', "until must be"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(tmp_path: Path, lines: str, said: str) -> None:
    path = tmp_path / "persondata.toml"
    path.write_text(lines, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        config.load(path)


def test_a_hold_does_not_show_whom_it_is_about() -> None:
    assert "0101701234" not in repr(Hold("a", person='{"cpr": "0101701234"}'))


# -- clocks in databases -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        (Form.ISO, "2024-06-30T23:59:59Z", date(2024, 6, 30)),
        (Form.ISO, "2024-02", date(2024, 2, 29)),
        (Form.DANISH, "30.06.2024 12:00", date(2024, 6, 30)),
        (Form.COMPACT, "20240630", date(2024, 6, 30)),
        (Form.SECONDS, "1719705600", date(2024, 6, 30)),
        (Form.MILLISECONDS, "1719705600000", date(2024, 6, 30)),
        (Form.ISO, "0000-00-00", None),
    ],
)
def test_a_day_is_read_however_it_is_written(form: Form, text: str, said: date | None) -> None:
    assert clocks.day(text, form) == said


def days(kind: str, values: Sequence[object], path: Path, when: str = "") -> tuple[list[str], tuple[tuple[str, str, str], ...]]:
    """The overdue records of two tables whose clock is a column of this kind, over a join."""
    with sqlite3.connect(path) as made:
        made.execute(f"create table kunder (kunde_id integer primary key, lukket {kind}, status text)")
        made.execute("create table ordrer (ordre_id integer primary key, kunde_id integer references kunder)")
        for number, value in enumerate(values, 1):
            made.execute("insert into kunder values (?, ?, ?)", (number, value, "lukket" if number < 9 else "aktiv"))
            made.execute("insert into ordrer values (?, ?)", (100 + number, number))
    made.close()
    source = open_source(f"sqlite:///{path}", name="crm")
    said = Config(retention=(Retention("p", ("crm:*",), "1 year", "kunder.lukket", when),))
    tables = Tables(Policies(said), [source], graph.build([source], [])[0])
    return [late.record for object in ("kunder", "ordrer") for late in tables.overdue("crm", object, DAY)], tables.missed


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["2025-06-29", "2025-06-30", None]),
        ("timestamp", ["2025-06-29 23:59:59", "2025-06-30 00:00:00", None]),
        ("integer", [1751241599, 1751241600, None]),
        ("integer", [1751241599000, 1751241600000, None]),
        ("integer", [20250629, 20250630, None]),
        ("text", ["29-06-2025", "30-06-2025", ""]),
    ],
)
def test_days_are_compared_however_a_column_writes_them(tmp_path: Path, kind: str, values: list[object]) -> None:
    assert days(kind, values, tmp_path / "a.db") == (["kunde_id=1", "ordre_id=101"], ())


def test_a_condition_is_asked_where_the_clock_is_and_a_column_of_anything_is_a_miss(tmp_path: Path) -> None:
    old = ["2020-01-01"] * 10
    found, missed = days("text", old, tmp_path / "a.db", "status = 'lukket'")
    assert len(found) == 16 and "kunde_id=9" not in found and missed == ()
    assert days("text", ["2020-01-01", "long ago"], tmp_path / "b.db")[1] == (
        ("crm", "kunder", "p: the column lukket holds no days that can be understood"),
    )
    wrong, missed = days("text", old, tmp_path / "c.db", "stauts = 'lukket'")
    assert wrong == [] and {object for _, object, _ in missed} == {"kunder", "ordrer"}


def test_values_and_names_stand_in_a_question_so_that_nothing_can_be_read_into_them() -> None:
    relation = Relation('a"; drop', (Column("k", "text"), Column("d", "date")), ("k",))
    for dialect in ("sqlite", "postgresql", "mysql", "duckdb", "mssql", "oracle"):
        query, _ = clocks.write(dialect, Question(relation, (clocks.Clock((), "d", Form.ISO),), records=(("' or 1=1 --",),)))
        assert "drop" not in query.replace(clocks.quoted(dialect, 'a"; drop'), "") and (
            dialect in ("mssql", "oracle") or "or 1=1" not in query
        )


def test_of_several_rows_that_are_joined_the_latest_counts(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as made:
        made.execute("create table mail (email text, d text)")
        made.executemany("insert into mail values (?, ?)", [("a@x.dk", "2020-01-01"), ("a@x.dk", "2026-01-01"), ("b@x.dk", "2020-01-01")])
        made.execute("create table liste (email text primary key)")
        made.executemany("insert into liste values (?)", [("a@x.dk",), ("b@x.dk",)])
    made.close()
    source = open_source(f"sqlite:///{tmp_path}/a.db", name="crm")
    relations = {one.object: one for one in source.relations()}  # type: ignore[attr-defined]
    clock = clocks.Clock((Step(("email",), relations["mail"], ("email",)),), "d", Form.ISO, "", date(2025, 1, 1))
    assert [names for names, _ in clocks.ask(source, Question(relations["liste"], (clock,)))] == [["email=b@x.dk"]]  # type: ignore[arg-type]


def test_duckdb_answers_as_the_others_do(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(tmp_path / "a.duckdb")) as made:
        made.execute("create table kunder (id integer primary key, lukket timestamp, status varchar)")
        made.execute("create table ordrer (nr varchar primary key, kunde_id integer references kunder (id))")
        made.execute("insert into kunder values (1, '2025-06-29 12:00', 'x'), (2, '2025-06-30 00:00', 'x'), (3, null, 'x')")
        made.execute("insert into ordrer values ('O''1', 1), ('O2', 2), ('O3', null)")
    source = open_source(f"duckdb:///{tmp_path}/a.duckdb", name="crm")
    said = Config(retention=(Retention("p", ("crm:*",), "1 year", "main.kunder.lukket", "status = 'x'"),))
    tables = Tables(Policies(said), [source], graph.build([source], [])[0])
    assert [late.record for object in ("kunder", "ordrer") for late in tables.overdue("crm", f"main.{object}", DAY)] == ["id=1", "nr=O'1"]
    rulings = tables.rulings("crm", "main.ordrer", ["nr=O'1", "nr=O2", "nr=O3", "nr=none"], DAY)
    assert [ruling.hint for ruling in rulings.values()] == [Hint.OVERDUE, Hint.FREE, Hint.FREE, Hint.FREE] and tables.missed == ()


def test_rows_under_several_policies_are_overdue_by_all_of_them(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as made:
        made.execute("create table ordrer (nr integer primary key, bestilt text, glemt text)")
        made.executemany("insert into ordrer values (?, ?, ?)", [(1, "2018-01-01", None), (2, "2018-01-01", "2020-01-01"), (3, "2024-01-01", "2020-01-01")])  # fmt: skip
    made.close()
    source = open_source(f"sqlite:///{tmp_path}/a.db", name="crm")
    books = Retention("books", ("crm:ordrer",), "5 years", "ordrer.bestilt", "", True, True, "bogføringsloven § 12")
    said = Config(
        controller=Controller(fiscal_year_end="06-30"), retention=(books, Retention("own", ("crm:ordrer",), "1 year", "ordrer.glemt"))
    )
    tables = Tables(Policies(said), [source], graph.build([source], [])[0])
    found = list(tables.overdue("crm", "ordrer", DAY))
    assert [(late.record, late.ruling.until) for late in found] == [("nr=2", date(2023, 6, 30))]
    three = tables.rulings("crm", "ordrer", ["nr=3"], DAY)["nr=3"]
    assert (three.hint, three.until) == (Hint.KEEP, date(2029, 6, 30))
    hold = Hold("a claim")
    assert tables.rulings("crm", "ordrer", ["nr=2", "nr=3"], DAY, {"nr=2": hold})["nr=2"].reason is Reason.HOLD


def test_a_policy_whose_clock_cannot_be_reached_is_a_miss(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as made:
        made.execute("create table ordrer (nr integer primary key, bestilt text)")
    made.close()
    source = open_source(f"sqlite:///{tmp_path}/a.db", name="crm")
    said = Config(retention=(Retention("p", ("crm:*",), "1 year", "kunder.lukket"),), consent=(Consent(("crm:*",), "erp:a.b"),))
    tables = Tables(Policies(said), [source], graph.build([source], [])[0])
    assert list(tables.overdue("crm", "ordrer", DAY)) == [] and len(tables.missed) == 2


def test_documents_are_judged_by_what_they_say_of_their_date_and_mails_by_theirs(tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    from datetime import datetime

    for name, year in (("old.docx", 2020), ("new.docx", 2026)):
        made = docx.Document()
        made.core_properties.created = made.core_properties.modified = datetime(year, 3, 1)
        made.save(str(tmp_path / name))
    (tmp_path / "a.eml").write_bytes(b"From: Ib <ib@x.dk>\nDate: Sat, 29 Jun 2024 23:00:00 +0200\nMessage-ID: <1@x>\n\nHej\n")
    (tmp_path / "b.eml").write_bytes(b"From: Ib <ib@x.dk>\nDate: in the spring\nMessage-ID: <2@x>\n\nHej\n")
    (tmp_path / "c.txt").write_text("uden dato")
    source = open_source(str(tmp_path), name="share")
    said = Config(retention=(Retention("p", ("share:*",), "2 years", "date"),))
    answer = retention.look(said, [source], graph.Graph(), Shelf(None, [source]), DAY, records=True)
    assert [(late.object, late.record) for late in answer.records] == [("a.eml", "message=<1@x>"), ("old.docx", "")]
    assert {object for _, object, _ in answer.unread} == {"b.eml", "c.txt"}
    asked = Rulings(said, [source], graph.Graph())
    for late in answer.records:
        assert asked.of("share", late.object, [late.record], DAY) == {late.record: late.ruling}
    assert asked.of("share", "new.docx", [""], DAY)[""].until == date(2028, 3, 1)
    assert asked.of("share", "old.docx", ["page=1"], DAY, Hold("a claim"))["page=1"].hint is Hint.KEEP


# -- the made-up company -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known() -> Truth:
    return truth()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "co"
    demo.write(folder)
    return folder


def looked_at(company: Path, *, held: bool) -> tuple[retention.Answer, list[Source], Config, graph.Graph]:
    """What is overdue at the company by its own configuration; without the holds where nobody needs to be looked for."""
    said = config.load(company / "persondata.toml")
    said = said if held else replace(said, holds=())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(company)
        sources = [open_source(one.url, name=one.name, include=one.include, exclude=one.exclude) for one in said.sources]
        made = graph.build(sources, [])[0]
        answer = retention.look(said, sources, made, Shelf(None, sources), date(2026, 6, 30), records=True, processes=2)
    return answer, sources, said, made


def shown(lates: tuple[Late, ...]) -> set[tuple[str, str, str, str, str]]:
    return {
        (one.source, one.object, one.record, one.ruling.policy.partition(" 1")[0].partition(" 2")[0], str(one.ruling.until))
        for one in lates
    }


def wanted(known: Truth, sources: set[str], policies: set[str]) -> set[tuple[str, str, str, str, str]]:
    ours = (one for one in known.overdue if one.source in sources and one.policy in policies)
    return {(one.source, one.object, one.record, one.policy, one.until) for one in ours}


def test_all_that_is_overdue_is_found_and_besides_it_only_what_is_held(company: Path, known: Truth) -> None:
    answer, _, said, _ = looked_at(company, held=False)
    names = {one.name for one in said.sources}
    want = wanted(known, names, {one.name for one in said.retention} | {"consent"})
    found = shown(answer.records)
    assert want <= found and len(found - want) == 13 and answer.unread == ()
    assert sum(line.records for line in answer.lines) == len(answer.records) == len(found)
    people = {line.object: line.people for line in answer.lines if line.source == "crm"}
    assert people["customers"] == 51 and people["orders"] == people["order_lines"] == 64
    assert {object for _, object, _ in answer.unsaid} >= {"contacts", "reviews"}


@pytest.mark.slow
def test_holds_are_respected(company: Path, known: Truth) -> None:
    answer, _, said, _ = looked_at(company, held=True)
    want = wanted(known, {one.name for one in said.sources}, {one.name for one in said.retention} | {"consent"})
    assert shown(answer.records) == want and sum(line.held for line in answer.lines) == 13 and answer.unread == ()


@pytest.mark.slow
@pytest.mark.xdist_group("demo servers")
def test_all_that_is_overdue_is_found_on_servers_too(tmp_path: Path, known: Truth) -> None:
    sys.path.insert(0, str(ROOT))
    servers = pytest.importorskip("benchmarks.servers")
    demo.write(tmp_path / "co")
    with servers.started(tmp_path / "co"):
        answer, sources, said, made = looked_at(tmp_path / "co", held=True)
        assert shown(answer.records) == {
            (*address, one.policy, one.until) for one in known.overdue for address in [(one.source, one.object, one.record)]
        }
        assert answer.unread == ()
        asked = Rulings(said, sources, made)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path / "co")
            for source, object in {(late.source, late.object) for late in answer.records}:
                here = {late.record: late.ruling for late in answer.records if (late.source, late.object) == (source, object)}
                assert asked.of(source, object, list(here), DAY) == here
        assert asked.missed == ()


# -- the command and the report ------------------------------------------------------------------------------

SAID = """
[controller]
name = "Optifo <b>ApS</b>"
[[source]]
name = "crm"
url = "sqlite:///crm.db"
[[source]]
name = "share"
url = "share"
[[retention]]
name = "kunder"
applies_to = ["crm:kunder"]
keep = "1 year"
after = "kunder.lukket"
law = "privacy policy"
[[retention]]
name = "bilag"
applies_to = ["share:*"]
keep = "5 years"
after = "modified"
from = "end of financial year"
required = true
"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A shop with two customers, one of them overdue, an old voucher, and a table that no policy speaks of."""
    with sqlite3.connect(tmp_path / "crm.db") as made:
        made.execute("create table kunder (email text primary key, navn text, lukket text)")
        made.execute("insert into kunder values ('anne.holm@x.dk', 'Anne Holm', '2020-01-01'), ('ib@x.dk', 'Ib Ek', null)")
        made.execute("create table fakturaer (nr integer primary key, email text references kunder)")
    made.close()
    (tmp_path / "share").mkdir()
    (tmp_path / "share/bilag.txt").write_text("et bilag")
    import os

    os.utime(tmp_path / "share/bilag.txt", (1_500_000_000, 1_500_000_000))
    (tmp_path / "persondata.toml").write_text(SAID)
    yield tmp_path


def test_the_command_says_what_is_overdue_and_how_it_ends(small: Path, cli: Run) -> None:
    done = cli("retention", "--today", "2026-06-30", "--format", "json", "--records", expect=1)
    said = json.loads(done.stdout)
    assert {(one["object"], one["records"], one["people"], one["oldest"], one["until"]) for one in said["lines"]} == {
        ("kunder", 1, 1, "2020-01-01", "2021-01-01"), ("*", 1, None, "2017-07-14", "2022-12-31"),
    }  # fmt: skip
    assert [one["record"] for one in said["records"]] == ["email=anne.holm@x.dk", ""]
    assert said["unsaid"] == [{"source": "crm", "object": "fakturaer", "laws": ["dk.bookkeeping"]}]
    table = cli("retention", "--today", "2026-06-30", expect=1).stdout
    assert "2 records should have gone by 2026-06-30" in table and "anne" not in table
    assert cli("retention", "crm", "--format", "csv", "--today", "2026-06-30", expect=1).stdout.count("\n") == 2
    assert "nothing is overdue" in cli("retention", "--today", "2020-12-31").stdout
    (small / "persondata.toml").write_text(SAID.replace("kunder.lukket", "kunder.gone"))
    assert "there is no column kunder.gone" in cli("retention", "--today", "2026-06-30", expect=3).stderr
    (small / "persondata.toml").write_text("")
    assert "no [[retention]]" in cli("retention", expect=2).stderr


def test_the_report_is_a_page_a_workbook_and_json_in_two_languages(small: Path, cli: Run) -> None:
    for language, word in (("da", "Det, der er gemt for længe"), ("en", "What has been kept too long")):
        cli("report", "retention", "-o", "r.html", "--language", language)
        page = (small / "r.html").read_text(encoding="utf-8")
        assert word in page and "Optifo &lt;b&gt;ApS" in page and "anne" not in page and f'lang="{language}"' in page
        assert "bogføringsloven § 12" in page
    cli("report", "retention", "-o", "r.xlsx", "--language", "da")
    cli("report", "retention", "-o", "r.json")
    assert json.loads((small / "r.json").read_text(encoding="utf-8"))["overdue"] == 2
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(io.BytesIO((small / "r.xlsx").read_bytes()))
    assert book.sheetnames == ["Regler", "Hvor", "Uden regel", "Ikke undersøgt"]
    assert [cell.value for cell in book["Hvor"][2]][:5] == ["kunder", "Tiden er udløbet", "crm", "kunder", 1]
    assert "no such format" in cli("report", "retention", "-o", "r.pdf", expect=2).stderr
    assert "English only" in cli("report", "graph", "-o", "r.html", "--language", "da", expect=2).stderr


def test_an_empty_report_says_so() -> None:
    for language in ("da", "en"):
        said = retention_report.as_html(retention.Answer("2026-06-30"), Config(), language).decode()
        assert "<table>" not in said.partition("<main>")[0] and "30" in said
