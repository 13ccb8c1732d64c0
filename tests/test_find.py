"""Finding one person: weighing evidence, following the tables, and the command as a caseworker runs it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from scanner.model import Identifier, Link, Role
from scanner.subject import graph, identifiers, search
from scanner.subject.bookshelf import Shelf
from scanner.subject.links import judge
from scanner.subject.rows import read

Cli = Callable[..., CompletedProcess[str]]

SCHEMA = """
create table customers (customer_no integer primary key, name text, email text, phone text, street text, postcode text, city text, comment text);
create table orders (order_no text primary key, customer_no integer references customers, delivery_address text, ordered_at text);
create table order_lines (order_no text references orders, line integer, sku text references products, primary key (order_no, line));
create table products (sku text primary key, title text);
create table staff (initials text primary key, full_name text, email text);
create table tickets (id integer primary key, kunde_id integer, handled_by text references staff, message text);
create table sessions (id text primary key, customer_no integer, cookie_id text);
create table page_views (cookie text, path text);
"""
PEOPLE = [
    (10_401, "Mette Nielsen", "mette.nielsen@example.com", "20314501", "Skovvej 3", "5000", "Odense C", None),
    (10_402, "Mette Nielsen", "mn64@post.example", "20314502", "Rosenhaven 9", "5000", "Odense C", None),
    (10_403, "Bent Holm", "familien.holm@example.org", "28112233", "Engdraget 7", "4000", "Roskilde", None),
    (
        10_404,
        "Ida Holm",
        "familien.holm@example.org",
        "28 11 22 33",
        "Engdraget 7",
        "4000",
        "Roskilde",
        "Skriver også fra ida.holm@example.net",
    ),
    (10_405, "Søren Toft", "soeren51@example.com", "31445566", "Strandvejen 2", "3000", "Helsingør", None),
    (10_406, "Søren Toft", "soeren83@example.com", "31445566", "Strandvejen 2", "3000", "Helsingør", None),
]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    book = sqlite3.connect(tmp_path / "shop.db")
    book.executescript(SCHEMA)
    book.executemany("insert into customers values (?, ?, ?, ?, ?, ?, ?, ?)", PEOPLE)
    book.executemany("insert into products values (?, ?)", [(f"P-{n}", "Mette Nielsen-lampen" if n == 1 else "Vase") for n in range(1, 9)])
    book.execute("insert into staff values ('MBI', 'Mads Birk', 'mads@firma.example')")
    for number, *_ in PEOPLE:
        book.execute("insert into orders values (?, ?, null, '2026-01-01')", (f"O-{number}", number))
        book.executemany("insert into order_lines values (?, ?, ?)", [(f"O-{number}", line, f"P-{line}") for line in (1, 2)])
        book.execute("insert into tickets values (?, ?, 'MBI', 'Hej, hvor bliver pakken af?')", (number - 10_000, number))
        book.execute("insert into sessions values (?, ?, ?)", (f"s{number}abcdef", number, f"cookie-{number:08}"))
        book.execute("insert into page_views values (?, '/kurv')", (f"cookie-{number:08}",))
    book.execute("insert into sessions values ('s99anonymous', null, 'cookie-00010401')")
    book.execute("update tickets set message = 'Mette Nielsen, 20314501, ringede om naboens pakke' where id = 403")
    book.commit()
    book.close()
    share = tmp_path / "share"
    share.mkdir()
    (share / "brev.txt").write_text("Kære Mette Nielsen\nSkovvej 3, 5000 Odense C\n\nTak for din henvendelse.\n")
    (share / "andet.txt").write_text("Kære Mette Nielsen\nRosenhaven 9, 5000 Odense C\n")
    (share / "liste.csv").write_text("navn,mail\nMette Nielsen,METTE.NIELSEN@example.com\nMette Nielsen,mn64@post.example\n")
    return tmp_path


def found(folder: Path, **given: tuple[str, ...]) -> dict[tuple[str, str], tuple[Link, Role]]:
    from scanner.sources import open_source

    sources = [open_source(f"sqlite:///{folder}/shop.db", name="shop"), open_source(str(folder / "share"), name="share")]
    made, _ = graph.build(sources, [])
    answer = search.search(identifiers.from_options(**given), sources, made, Shelf(None, sources))
    assert not answer.unread
    return {(hit.object, hit.record): (hit.link, hit.role) for hit in answer.hits}


def test_from_one_address_to_everything_that_is_hers_and_nothing_of_a_namesake(shop: Path) -> None:
    hits = found(shop, email=("Mette.Nielsen@Example.com",))
    certain = {place for place, (link, _) in hits.items() if link is Link.CERTAIN}
    assert certain == {
        ("customers", "customer_no=10401"), ("orders", "order_no=O-10401"), ("order_lines", "order_no=O-10401,line=1"),
        ("order_lines", "order_no=O-10401,line=2"), ("tickets", "id=401"), ("tickets", "id=403"), ("sessions", "id=s10401abcdef"),
        ("page_views", "rowid=1"), ("brev.txt", "line=1"), ("brev.txt", "line=2"), ("liste.csv", "row=2"),
    }  # fmt: skip
    assert hits["tickets", "id=403"][1] is Role.MENTIONED, "another customer's ticket speaks of her"
    assert hits["sessions", "id=s99anonymous"][0] is Link.LIKELY, "a browser may be used by several"
    assert hits["andet.txt", "line=1"][0] is Link.POSSIBLE, "the name alone"
    assert {link for (object, _), (link, _) in hits.items() if object == "products"} <= {Link.POSSIBLE}, "what many people buy is nobody's"


def test_a_name_alone_is_never_more_than_possible(shop: Path) -> None:
    hits = found(shop, name=("Mette Nielsen",))
    assert {link for link, _ in hits.values()} == {Link.POSSIBLE}
    assert {("customers", "customer_no=10401"), ("customers", "customer_no=10402")} <= hits.keys()


def test_what_a_family_shares_does_not_lead_from_one_to_the_other(shop: Path) -> None:
    hits = found(shop, name=("Ida Holm",), phone=("+45 28 11 22 33",))
    assert hits["customers", "customer_no=10404"][0] is Link.CERTAIN
    assert hits["customers", "customer_no=10403"][0] is Link.POSSIBLE
    assert hits["orders", "order_no=O-10404"][0] is Link.CERTAIN
    assert ("orders", "order_no=O-10403") not in hits


def test_father_and_son_of_one_name_at_one_address_are_told_apart_by_neither(shop: Path) -> None:
    by_address = found(shop, name=("Søren Toft",), address=("Strandvejen 2, 3000 Helsingør",))
    assert {link for link, _ in by_address.values()} == {Link.POSSIBLE}
    by_number = found(shop, ids=("customer_no=10406",))
    assert by_number["customers", "customer_no=10406"][0] is Link.CERTAIN
    assert by_number["customers", "customer_no=10405"][0] is Link.POSSIBLE
    assert ("orders", "order_no=O-10405") not in by_number


def test_who_handled_a_case_is_its_handler(shop: Path) -> None:
    hits = found(shop, email=("mads@firma.example",))
    assert {role for (object, _), (_, role) in hits.items() if object == "tickets"} == {Role.HANDLER}
    assert ("customers", "customer_no=10401") not in hits


@pytest.mark.parametrize(
    ("row", "link"),
    [
        ({"navn": "Mette Holm", "tlf": "2031 4050"}, Link.CERTAIN),
        ({"navn": "Holm, Mette", "adresse": "Skovvej 3, 2. tv., 5000 Odense C"}, Link.CERTAIN),
        ({"navn": "Mete Holm", "adresse": "Skovvej 3, 2. tv, 5000 Odense C"}, Link.LIKELY),
        ({"navn": "Peter Holm", "tlf": "20314050"}, Link.POSSIBLE),
        ({"navn": "Mette Holm", "cpr": "010180-0007", "tlf": "20314050"}, Link.POSSIBLE),
        ({"navn": "Mette Holm"}, Link.POSSIBLE),
        ({"navn": "Mette Krogh", "email": "mette@example.com"}, Link.LIKELY),
        ({"navn": "Mette Krogh", "cpr": "070761-4285"}, Link.CERTAIN),
        ({"navn": "Hanne Holm", "adresse": "Skovvej 3, 2. tv, 5000 Odense C"}, None),
        ({"sagsbehandler": "Mette Holm", "kunde_id": "77"}, Link.POSSIBLE),
        ({"varenavn": "Mette Holm", "vare_nr": "77"}, None),
    ],
)
def test_evidence_is_weighed(row: dict[str, str], link: Link | None) -> None:
    known = identifiers.from_options(
        cpr=("070761-4285",),
        name=("Mette Holm",),
        email=("mette@example.com",),
        phone=("20314050",),
        address=("Skovvej 3, 2. tv, 5000 Odense C",),
    ).identifiers
    held = read(row, {}, known)
    judged = judge(known, held.evidence, held.against)
    assert judged.link is link, judged
    assert not judged.link or judged.why
    assert "Holm" not in judged.why and "2031" not in judged.why, "reasons hold no value"


def test_numbers_of_two_systems_are_two_numberings() -> None:
    known = (Identifier("CUSTOMER_ID", "10442", "crm:customers.customer_no"),)
    same = [
        read({column: "10442"}, {}, known, where).evidence
        for column, where in (("kundenr", "erp:kunder"), ("customer_no", "crm:customers"))
    ]
    assert all(same)
    assert not read({"id": "10442"}, {}, known, "erp:products").evidence
    assert not read({"order_no": "10442"}, {}, known, "crm:orders").evidence


def test_the_command_answers_a_caseworker(shop: Path, cli: Cli) -> None:
    sources = (f"sqlite:///{shop}/shop.db", str(shop / "share"))
    live = json.loads(cli("find", "--email", "mette.nielsen@example.com", "--format", "json", *sources).stdout)
    assert {hit["link"] for hit in live["hits"]} == {"certain", "likely", "possible"}
    assert all(hit["why"] for hit in live["hits"])
    assert live["unread"] == []
    assert "no inventory yet" in cli("find", "--email", "mette.nielsen@example.com", *sources).stderr
    cli("scan", *sources)
    person = shop / "person.json"
    person.write_text(json.dumps({"email": "mette.nielsen@example.com"}))
    from_book = json.loads(cli("find", "--person", str(person), "--format", "json").stdout)
    key = ("source", "object", "record", "link")
    assert sorted(tuple(h[k] for k in key) for h in from_book["hits"]) == sorted(tuple(h[k] for k in key) for h in live["hits"])
    (shop / "share/brev.txt").rename(shop / "share/flyttet.txt")
    moved = json.loads(cli("find", "--person", "-", "--format", "json", stdin=person.read_text()).stdout)
    assert {h["object"] for h in moved["hits"]} >= {"flyttet.txt"}, "what came after the scan is read"
    table = cli("find", "--person", str(person), "--least", "certain").stdout
    assert "possible" not in table.replace("0 possible", "") and "belongs to the row of customers" in table


def test_a_source_that_is_gone_is_named_and_answered_from_the_inventory(shop: Path, cli: Cli) -> None:
    cli("scan", str(shop / "share"))
    (shop / "share").rename(shop / "away")
    done = cli("find", "--email", "mette.nielsen@example.com", "--format", "json", expect=3)
    answer = json.loads(done.stdout)
    assert [one["source"] for one in answer["unread"]] == [str(shop / "share")]
    assert {(h["object"], h["record"]) for h in answer["hits"]} == {("liste.csv", "row=2")}
    assert "as of the last scan" in answer["hits"][0]["why"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "nothing is said of the person"),
        (("--cpr", "310299-1234"), "date"),
        (("--cpr", "12345"), "digits"),
        (("--email", "ikke-en-adresse"), "email"),
        (("--id", "10442"), "COLUMN=VALUE"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_a_line(words: tuple[str, ...], says: str, shop: Path, cli: Cli) -> None:
    done = cli("find", *words, str(shop / "share"), expect=2)
    assert says in done.stderr and done.stderr.count("\n") == 1
    assert not any(word in done.stderr for word in words if not word.startswith("--"))


def test_a_name_alone_is_said_to_be_weak_and_a_wrong_number_is_searched_when_asked(shop: Path, cli: Cli) -> None:
    assert "only be possible" in cli("find", "--name", "Mette Nielsen", str(shop / "share")).stderr
    cli("find", "--cpr", "310299-1234", "--anyway", str(shop / "share"))


def test_a_request_is_searched_and_remembers_what_was_decided(shop: Path, cli: Cli) -> None:
    cli("scan", f"sqlite:///{shop}/shop.db", str(shop / "share"))
    name = "2026-0001"
    cli("request", "open", "--kind", "access", "--as", name, "--email", "mette.nielsen@example.com")
    first = json.loads(cli("find", "--request", name, "--format", "json").stdout)["hits"]
    assert {(h["object"], h["record"]) for h in first} >= {("customers", "customer_no=10401"), ("andet.txt", "line=1")}
    cli("request", "reject", name, str(shop / "share"), "andet.txt", "--why", "another Mette Nielsen")
    again = cli("find", "--request", name, "--format", "json")
    assert "rejected" in again.stderr
    assert {(h["object"], h["record"]) for h in first} - {(h["object"], h["record"]) for h in json.loads(again.stdout)["hits"]} == {
        ("andet.txt", "line=1")
    }
    assert b"mette.nielsen" not in (shop / "persondata-inventory/book.db").read_bytes()
    assert "leave the other options out" in cli("find", "--request", name, "--name", "Mette Nielsen", expect=2).stderr
