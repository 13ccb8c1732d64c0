"""How a company's tables hang together: what is declared, what is inferred, whose a row is, and what is told of it."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree, html

from benchmarks import relations
from scanner import demo, report
from scanner.errors import ReportError, SourceError
from scanner.inventory import Book
from scanner.sources import open_source
from scanner.subject import graph, graph_book, graph_names
from scanner.subject.graph import EdgeKind, Graph

GOLDEN = Path(__file__).parent / "golden"
CORPORA = pytest.mark.skipif(not relations.DATABASES.is_dir(), reason="the databases are not here")
Run = Callable[..., subprocess.CompletedProcess[str]]

SHOP = """
create table kunder (kunde_nr integer primary key, navn text, email text unique, tlf text, adresse_id integer references adresser);
create table adresser (id integer primary key, vej text, postnr text);
create table medarbejdere (id integer primary key, navn text, initialer text, email text, leder_id integer);
create table ordrer (ordrenr text primary key, kundenr integer, saelger_id integer, butik_id integer, oprettet_af text);
create table ordrelinjer (id integer primary key, ordrenr text, vare_id integer, antal integer);
create table varer (id integer primary key, navn text, antal integer);
create table butikker (id integer primary key, navn text, bestyrer integer);
create table kontaktpersoner (id integer primary key, kunde_nr integer references kunder on delete cascade, navn text, email text);
create table opslag (id integer primary key, forfatter integer references kunder, tekst text);
create table kommentarer (id integer primary key, opslag_id integer references opslag, kunde_nr integer references kunder, tekst text);
create table konti (konto_nr integer primary key, saldo integer);
create table kontohavere (konto_nr integer references konti, kunde_nr integer references kunder, primary key (konto_nr, kunde_nr));
create table posteringer (id integer primary key, konto_nr integer references konti, tekst text);
create table besoeg (cookie_id text, kunde_nr integer, side text);
create table klik (cookie text, side text);
create table nyhedsbrev (email text primary key, fornavn text);
create table maalinger (id integer primary key, trin integer, niveau integer);
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A shop in Danish, most of whose keys are undeclared. All whole numbers start at 1."""
    path = tmp_path_factory.mktemp("shop") / "butik.db"
    with sqlite3.connect(path) as db:
        db.executescript(SHOP)

        def fill(table: str, count: int, row: Callable[[int], tuple[Any, ...]]) -> None:
            rows = [row(n) for n in range(1, count + 1)]
            db.executemany(f"insert into {table} values ({','.join('?' * len(rows[0]))})", rows)

        fill("adresser", 60, lambda n: (n, f"Rugmarken {n}", "8000"))
        fill("kunder", 60, lambda n: (n, f"Kunde {n}", f"kunde{n}@post.example", f"20 00 00 {n:02}", n))
        fill("medarbejdere", 8, lambda n: (n, f"Ansat {n}", f"m{n}x", f"ansat{n}@butik.example", max(1, n // 2)))
        fill("ordrer", 300, lambda n: (f"O-{1000 + n}", n % 60 + 1, n % 8 + 1, n % 3 + 1, f"m{n % 8 + 1}x"))
        fill("ordrelinjer", 900, lambda n: (n, f"O-{1000 + n % 300 + 1}", n % 20 + 1, n % 5 + 1))
        fill("varer", 20, lambda n: (n, f"Vare {n}", n))
        fill("butikker", 3, lambda n: (n, f"Butik {n}", n))
        fill("kontaktpersoner", 30, lambda n: (n, n % 10 + 1, f"Kontakt {n}", f"kontakt{n}@firma.example"))
        fill("opslag", 100, lambda n: (n, n % 60 + 1, "hej"))
        fill("kommentarer", 300, lambda n: (n, n % 100 + 1, n * 7 % 60 + 1, "enig"))
        fill("konti", 60, lambda n: (n, n * 100))
        fill("kontohavere", 60, lambda n: (n, n))
        fill("posteringer", 400, lambda n: (n, n % 60 + 1, "kaffe"))
        fill("besoeg", 200, lambda n: (f"GA1.2.{n % 50}00{n % 50}.17", n % 50 + 1, "/"))
        fill("klik", 400, lambda n: (f"GA1.2.{n % 50}00{n % 50}.17", "/vare"))
        fill("nyhedsbrev", 80, lambda n: (f"kunde{n}@post.example", "Kim"))
        fill("maalinger", 50, lambda n: (n, n % 3 + 1, n % 8 + 1))
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def tables(shop: str) -> Graph:
    made, problems = graph.build([open_source(shop)], [])
    assert problems == []
    return made


def edges(made: Graph) -> set[tuple[str, str, str, EdgeKind]]:
    """(table.column, table.column, declared?, kind) of every edge."""
    return {
        (f"{e.object}.{e.columns[0]}", f"{e.to}.{e.to_columns[0]}", "declared" if e.declared else "inferred", e.kind) for e in made.edges
    }


def test_whose_a_row_is(tables: Graph) -> None:
    owner, handler, shared, related, part = EdgeKind.OWNER, EdgeKind.HANDLER, EdgeKind.CATALOGUE, EdgeKind.RELATED, EdgeKind.PART
    assert edges(tables) == {
        ("kunder.adresse_id", "adresser.id", "declared", part),
        ("kontaktpersoner.kunde_nr", "kunder.kunde_nr", "declared", related),
        ("medarbejdere.leder_id", "medarbejdere.id", "inferred", handler),
        ("ordrer.kundenr", "kunder.kunde_nr", "inferred", owner),
        ("ordrer.saelger_id", "medarbejdere.id", "inferred", handler),
        ("ordrer.butik_id", "butikker.id", "inferred", shared),
        ("ordrelinjer.ordrenr", "ordrer.ordrenr", "inferred", owner),
        ("ordrelinjer.vare_id", "varer.id", "inferred", shared),
        ("opslag.forfatter", "kunder.kunde_nr", "declared", owner),
        ("kommentarer.opslag_id", "opslag.id", "declared", shared),  # her comment on another's post
        ("kommentarer.kunde_nr", "kunder.kunde_nr", "declared", owner),
        ("kontohavere.konto_nr", "konti.konto_nr", "declared", part),
        ("kontohavere.kunde_nr", "kunder.kunde_nr", "declared", owner),
        ("posteringer.konto_nr", "konti.konto_nr", "declared", owner),
        ("besoeg.kunde_nr", "kunder.kunde_nr", "inferred", owner),
        ("klik.cookie", "besoeg.cookie_id", "inferred", owner),
        ("nyhedsbrev.email", "kunder.email", "inferred", owner),
        ("butikker.bestyrer", "medarbejdere.id", "inferred", handler),
        ("ordrer.oprettet_af", "medarbejdere.initialer", "inferred", handler),
    }
    assert {node.relation.object for node in tables.people()} == {"kunder", "medarbejdere", "kontaktpersoner", "nyhedsbrev"}
    assert not any(edge.object == "maalinger" or edge.to == "maalinger" for edge in tables.edges), "small numbers are keys of nothing"
    (cascade,) = (edge for edge in tables.edges if edge.object == "kontaktpersoner")
    assert (cascade.on_delete, cascade.score) == ("cascade", 1.0)
    assert all(0 < edge.score <= 1 and edge.why for edge in tables.edges)


def test_ways_up_and_down(shop: str, tables: Graph) -> None:
    (name,) = {source for source, _ in tables.nodes}
    ways = {tuple(edge.object for edge in way) for way in tables.paths(name, "ordrelinjer")}
    assert ways == {("ordrelinjer", "ordrer")}
    assert list(tables.paths(name, "varer")) == [] and next(tables.paths(name, "kunder")) == ()
    assert {edge.object for edge in tables.children(name, "konti")} == {"posteringer"}
    assert [edge.to for edge in tables.parts(name, "kunder")] == ["adresser"]
    assert list(tables.children(name, "adresser")) == [], "an address leads back to nobody: families share it"
    assert [edge.object for edge in tables.related(name, "kunder")] == ["kontaktpersoner"]


def test_the_data_map_speaks_before_names(shop: str) -> None:
    source = open_source(shop)
    said = [
        {"source": source.name, "object": "maalinger", "field": "trin", "entity": "DK_CPR", "share": 1.0},
        {"source": source.name, "object": "maalinger", "field": "niveau", "entity": "PHONE_NUMBER", "share": 0.5},
    ]
    made, _ = graph.build([source], said)
    assert dict(made.nodes[source.name, "maalinger"].entities) == {"trin": "DK_CPR"}
    assert made.nodes[source.name, "kunder"].entities["email"] == "EMAIL_ADDRESS"


def test_databases_are_joined_by_what_names_a_person(shop: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mail.db") as db:
        db.executescript(
            "create table udsendelser (id integer primary key, email text, sendt text); create table svar (id integer, score integer)"
        )
        db.executemany("insert into udsendelser values (?, ?, '')", [(n, f"kunde{n}@post.example") for n in range(1, 41)])
        db.executemany("insert into svar values (?, ?)", [(n, n) for n in range(1, 41)])
    crm, mail = open_source(shop), open_source(f"sqlite:///{tmp_path}/mail.db")
    made, _ = graph.build([crm, mail], [])
    over = {(e.object, e.to, e.to_source) for e in made.edges if e.source != e.to_source}
    assert over == {("udsendelser", "kunder", crm.name), ("udsendelser", "nyhedsbrev", crm.name)}


def test_what_cannot_be_asked_is_a_problem(shop: str) -> None:
    class Broken(relations.Bare):
        def relations(self) -> Iterator[Any]:
            raise SourceError("crm: the server is gone")

    class Mute(relations.Bare):
        def read(self, unit: Any) -> Iterator[Any]:
            raise SourceError("crm: the server is gone")

    made, (problem,) = graph.build([Broken(open_source(shop))], [])
    assert made == Graph() and problem.detail == "crm: the server is gone"
    made, problems = graph.build([Mute(open_source(shop))], [])
    assert len(made.nodes) == 17 and problems and all(one.object.startswith(f"{shop}:") for one in problems)


def test_lookups_stand_in_for_the_source(shop: str) -> None:
    asked: list[str] = []

    def ask(source: Any, object: str, conditions: Any, limit: int) -> Iterator[Any]:
        asked.append(object)
        yield from source.lookup(object, conditions, limit=limit)

    graph.build([open_source(shop)], [], ask)
    assert set(asked) <= {"opslag"}, "small tables are compared in memory"


@pytest.mark.parametrize(
    ("column", "table", "meant"),
    [
        ("kunde_nr", "kunder", True), ("kundeid", "kunder", True), ("customerId", "crm.tbl_customers", True), ("fk_order", "Orders", True),
        ("billing_customer_id", "customers", True), ("medarbejdernr", "medarbejdere", True), ("category_id", "categories", True),
        ("person_id", "people", True), ("klient", "kunder", True), ("SupportRepId", "Employee", False), ("country", "customers", False),
        ("orderline_id", "order_lines", True), ("klasselaerer_id", "laerere", True), ("status", "stores", False),
    ],
)  # fmt: skip
def test_names(column: str, table: str, meant: bool) -> None:
    known = frozenset(stem for word in graph_names.table_words(table) for stem in graph_names.stems(word))
    score, _ = graph_names.refers(graph_names.label(column, known).core, graph_names.table_words(table))
    assert (score >= 0.8) is meant


def test_made_up_company(tmp_path: Path) -> None:
    demo.write(tmp_path)
    made, problems = graph.build([open_source(f"sqlite:///{tmp_path}/crm.db")], [])
    assert problems == []
    found = {(a, b): kind for a, b, _, kind in edges(made)}
    for child, parent in (
        ("invoices.customer_no", "customers.customer_no"), ("notes.kunde_id", "customers.customer_no"), ("events.session", "sessions.id"),
        ("page_views.cookie", "sessions.cookie_id"), ("reviews.username", "logins.username"), ("logins.customer_no", "customers.customer_no"),
        ("newsletter.email", "customers.email"), ("order_lines.order_no", "orders.order_no"), ("audit_log.customer_no", "customers.customer_no"),
    ):  # fmt: skip
        assert found[child, parent] is EdgeKind.OWNER, child
    for child in ("tickets.handled_by", "audit_log.handled_by", "campaigns.created_by", "notes.oprettet_af"):
        assert found[child, "staff.initials"] is EdgeKind.HANDLER
    assert found["order_lines.sku", "products.sku"] is EdgeKind.CATALOGUE
    assert found["contacts.customer_no", "customers.customer_no"] is EdgeKind.RELATED
    assert {node.relation.object for node in made.people()} == {"customers", "contacts", "staff", "newsletter", "logins"}


@CORPORA
def test_undeclared_keys_of_chinook() -> None:
    declared, full, found = relations.compare(open_source(f"sqlite:///{relations.DATABASES}/chinook.sqlite"))
    assert len(declared) == 11 and found.keys() == declared
    assert {place: edge.kind for place, edge in found.items()} == {place: edge.kind for place, edge in full.items()}


@CORPORA
@pytest.mark.slow
def test_undeclared_keys() -> None:
    results = list(relations.relations())
    assert [one for one in results if not one.reached] == []


# -- in the book, and told --------------------------------------------------------------------------------------


@pytest.fixture
def book(tables: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Book]:
    """A book that holds the shop, named `butik`, at a moment that is always the same."""
    monkeypatch.setenv("PERSONDATA_KEYS", str(tmp_path / "keys"))
    named = Graph(
        {("butik", object): replace(node, source="butik") for (_, object), node in tables.nodes.items()},
        tuple(replace(edge, source="butik", to_source="butik") for edge in tables.edges),
    )
    with Book(tmp_path / "inv", write=True) as opened:
        opened.connection.execute("insert into run values (1, '2026-06-30T02:00:00Z', '2026-06-30T02:03:31Z', 'r', null)")
        opened.connection.execute("insert into source (name, url) values ('butik', 'sqlite:///butik.db')")
        graph_book.keep(opened, named, ["butik"], {})
        assert graph.load(opened) == named
        yield opened


def test_a_book_keeps_it(book: Book) -> None:
    known = graph.load(book)
    graph_book.keep(book, known, ["butik"], {})
    assert graph.load(book) == known, "writing twice changes nothing"
    left = Graph(
        {place: node for place, node in known.nodes.items() if place[1] != "klik"}, tuple(e for e in known.edges if e.object != "klik")
    )
    graph_book.keep(book, left, ["butik"], {})
    assert graph.load(book) == left
    graph_book.keep(book, Graph(), ["butik"], {})
    assert graph.load(book) == left, "a source that could not be asked is not forgotten"


def test_a_scan_describes_databases(shop: str, tmp_path: Path, cli: Run) -> None:
    copy = tmp_path / "butik.db"
    copy.write_bytes(Path(shop.removeprefix("sqlite:///")).read_bytes())
    out = str(tmp_path / "graph.json")

    def scanned() -> dict[str, Any]:
        cli("scan", f"sqlite:///{copy}", "--prose", "off", "--workers", "1")
        cli("report", "graph", "-o", out)
        read: dict[str, Any] = json.loads(Path(out).read_text(encoding="utf-8"))
        return read

    first = scanned()
    assert len(first["tables"]) == 17 and any(edge["kind"] == "owner" and not edge["declared"] for edge in first["edges"])
    assert scanned() == first
    with sqlite3.connect(copy) as db:
        db.execute("drop table klik")
    assert {one["object"] for one in first["tables"]} - {one["object"] for one in scanned()["tables"]} == {"klik"}
    assert "post.example" not in Path(out).read_text(encoding="utf-8") + "".join(
        path.read_bytes().decode("latin-1") for path in tmp_path.rglob("book.db*")
    )


def told(opened: Book, ending: str, folder: Path) -> str:
    out = folder / f"graph.{ending}"
    report.write("graph", report.Asked(opened.connection), out)
    return out.read_text(encoding="utf-8")


def test_page(book: Book, tmp_path: Path) -> None:
    """Set PERSONDATA_GOLDEN=write to write the golden file anew, and look at the difference."""
    text = told(book, "html", tmp_path)
    etree.fromstring(re.sub(r"<(meta\b[^>]*)>", r"<\1/>", text.split("\n", 1)[1]).encode())
    golden = GOLDEN / "graph.html"
    if os.environ.get("PERSONDATA_GOLDEN") == "write":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    page = html.document_fromstring(text)
    assert not page.xpath("//script | //link | //img | //*[@src or @href]")
    (kunder,) = page.xpath("//div[@class='person'][h4[starts-with(normalize-space(.), 'kunder')]]")
    lines = [" ".join(item.text_content().split()) for item in kunder.xpath(".//li")]
    assert any(line.startswith("ordrelinjer belongs to her by ordrenr inferred") for line in lines)
    assert any(line.startswith("kontaktpersoner another person") for line in lines)


def test_names_in_a_page_are_only_names(book: Book, tmp_path: Path) -> None:
    hostile = "</title><script>alert(1)</script>"
    book.connection.execute("update relation set object = ? where object = 'ordrer'", (hostile,))
    book.connection.execute("update edge set why = ?", (hostile,))
    page = html.document_fromstring(told(book, "html", tmp_path))
    assert not page.xpath("//script") and hostile in page.text_content()
    json.loads(told(book, "json", tmp_path)), yaml.safe_load(told(book, "yml", tmp_path))


def test_fides(book: Book, tmp_path: Path) -> None:
    (dataset,) = yaml.safe_load(told(book, "yaml", tmp_path))["dataset"]
    assert dataset["fides_key"] == "butik" and re.fullmatch(r"[a-zA-Z0-9_.<>-]+", dataset["fides_key"])
    collections = {one["name"]: {field["name"]: field for field in one["fields"]} for one in dataset["collections"]}
    assert collections["kunder"]["email"]["fides_meta"]["identity"] == "email"
    assert collections["kunder"]["email"]["data_categories"] == ["user.contact.email"]
    assert collections["nyhedsbrev"]["fornavn"]["data_categories"] == ["user.name.first"]
    assert collections["kunder"]["kunde_nr"]["fides_meta"]["primary_key"] is True
    reference = {"dataset": "butik", "field": "kunder.kunde_nr", "direction": "from"}
    assert collections["ordrer"]["kundenr"]["fides_meta"]["references"] == [reference]
    assert collections["kunder"]["adresse_id"]["fides_meta"]["references"] == [
        {"dataset": "butik", "field": "adresser.id", "direction": "to"}
    ]
    assert "references" not in collections["ordrer"]["saelger_id"].get("fides_meta", {}), "a clerk's orders are not the clerk's"
    skipped = {one["name"] for one in dataset["collections"] if one.get("fides_meta", {}).get("skip_processing")}
    assert skipped == {"varer", "butikker", "maalinger"}


def test_an_empty_book_and_an_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONDATA_KEYS", str(tmp_path / "keys"))
    with Book(tmp_path / "inv", write=True) as opened:
        assert "No tables are known" in told(opened, "html", tmp_path)
        assert yaml.safe_load(told(opened, "yml", tmp_path)) == {"dataset": []}
        opened.connection.executescript("drop table edge; drop table relation_column; drop table relation_problem; drop table relation")
        assert graph.load(opened) == Graph()
        with pytest.raises(ReportError, match="scan"):
            told(opened, "json", tmp_path)
