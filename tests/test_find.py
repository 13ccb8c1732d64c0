"""Finding one person: weighing evidence, following the tables, and the command as a caseworker runs it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from scanner.model import Identifier, Link, Role
from scanner.subject import graph, identifiers, search
from scanner.subject.bookshelf import Shelf
from scanner.subject.links import judge
from scanner.subject.rows import read
from scanner.subject.signoffs import signed

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


def mail(sender: str, text: str) -> str:
    return f"From x@y Mon Jan  5 09:00:00 2026\nFrom: {sender}\nTo: info@firma.example\nMessage-ID: <{abs(hash(text))}@x>\n\n{text}\n\n"


def test_a_first_name_under_a_message_tells_who_of_a_family_wrote_it(shop: Path) -> None:
    texts = {
        "hers": "Billederne skal slettes.\n\nHilsen Ida\n\nDen 3. januar 2026 skrev Firma:\n> Hej Bent\n> Bent",
        "his": "Hej Ida og Mads\n\nHun hedder Ida, jeg hedder Bent.\n\n/Bent",
        "nobody's": "Hvor bliver pakken af?",
    }
    (shop / "share/post.mbox").write_text("".join(mail("Familien Holm <familien.holm@example.org>", text) for text in texts.values()))
    records = {name: ("post.mbox", f"message=<{abs(hash(text))}@x>") for name, text in texts.items()}
    hits = found(shop, ids=("customer_no=10404",))
    assert {name: hits[record][0] for name, record in records.items()} == {
        "hers": Link.LIKELY, "his": Link.POSSIBLE, "nobody's": Link.POSSIBLE
    }  # fmt: skip
    assert hits[records["hers"]][1] is Role.AUTHOR


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Send venligst fakturaen.\n\nMed venlig hilsen\nIda Holm\nFirma ApS, Engdraget 7\nTlf. 28 11 22 33\n", {"Ida Holm"}),
        ("Tak for hurtig hjælp! Bedste hilsner, Freja", {"Freja"}),
        ("Vi kommer på fredag.\nKh. Lise & Ole", {"Lise", "Ole"}),
        ("kan i ringe\nmvh ida", {"ida"}),
        ("Ring til mig.\n- Ida\n\nSendt fra min iPhone", {"Ida"}),
        ("Min konto er 1234 5678901.\n\nBent H, 28112233", {"Bent H"}),
        ("Hej Ida\n\nJeg hed før Ida Sønderby.", set()),
        ("Kære Ida", set()),
        ("", set()),
    ],
)
def test_who_signs_a_message(text: str, names: set[str]) -> None:
    found = set(signed(text))
    assert names <= found
    assert not {name for name in found - names if "Ida" in name or "Bent" in name}


def test_a_family_mailbox_is_its_members_and_a_firms_is_nobodys(shop: Path) -> None:
    """Two customers gave the address as theirs; what is kept under it alone is likely either's. A firm's mailbox tells of nobody."""
    with closing(sqlite3.connect(shop / "shop.db")) as book:
        book.execute("create table newsletter_profile (email text primary key references customers (email), interests text)")
        book.executemany("insert into customers values (?, ?, ?, '1', '', '', '', null)", FIRM)
        book.executemany("insert into newsletter_profile values (?, 'rammer')", {(row[2],) for row in (*PEOPLE, *FIRM)})
        book.commit()
    family, firm = (("newsletter_profile", f"email={address}") for address in ("familien.holm@example.org", "info@havnen.example"))
    assert found(shop, ids=("customer_no=10404",))[family][0] is Link.LIKELY
    assert found(shop, ids=("customer_no=10407",))[firm][0] is Link.POSSIBLE


FIRM = [(10_407, "Bo Lind", "info@havnen.example"), (10_408, "Tine Over", "info@havnen.example")]


def test_what_a_former_name_and_an_address_lead_to_is_likely(shop: Path) -> None:
    """The row has her mailbox and her first name with another surname; nothing that it tells makes it, or anything, certain."""
    with closing(sqlite3.connect(shop / "shop.db")) as book:
        book.execute("create table old_customers (id integer primary key, navn text, telefon text, cpr text)")
        book.executemany(
            "insert into old_customers values (?, ?, ?, ?)", [(1, "Louise Bagger", "29340011", "0102031234"), (2, "Bo", "1", "")]
        )
        book.execute("insert into customers values (10409, 'Louise Vinterberg', 'louise@post.example', '29340011', '', '', '', null)")
        book.execute("insert into customers values (10410, 'Louise Vinterberg', 'lv@post.example', '29340012', '', '', '', null)")
        book.execute("insert into orders values ('O-10409', 10409, null, '2026-01-01')")
        book.commit()
    hits = found(shop, name=("Louise Bagger",), email=("louise@post.example",))
    hers = {("customers", "customer_no=10409"), ("orders", "order_no=O-10409"), ("old_customers", "id=1")}
    assert {place: hits[place][0] for place in hers} == dict.fromkeys(hers, Link.LIKELY)
    assert hits["customers", "customer_no=10410"][0] is Link.POSSIBLE
    assert not any(link is Link.CERTAIN for link, _ in hits.values())


def test_a_customers_number_is_not_that_of_each_of_its_contacts(shop: Path) -> None:
    """A number alone leads to the customer, and through her name to her own contact row; not to her colleagues and what they tell."""
    with closing(sqlite3.connect(shop / "shop.db")) as book:
        book.executescript(
            """
            create table contacts (id integer primary key, customer_no integer references customers, name text, email text, phone text);
            insert into contacts values (1, 10401, 'Mette Nielsen', 'mette.nielsen@example.com', '20314501');
            insert into contacts values (2, 10401, 'Tine Overgaard', 'tine@example.com', '61440911');
            insert into contacts values (3, 10403, 'Bent Holm', 'familien.holm@example.org', '28112233');
            """
        )
    (shop / "share/tine.txt").write_text("Hej Tine Overgaard\nDin mail er tine@example.com.\n")
    hits = found(shop, ids=("customer_no=10401",))
    certain = {place for place, (link, _) in hits.items() if link is Link.CERTAIN}
    assert {("customers", "customer_no=10401"), ("contacts", "id=1"), ("orders", "order_no=O-10401")} <= certain
    of_tine = {place: hit for place, hit in hits.items() if place in (("contacts", "id=2"), ("tine.txt", "line=1"), ("tine.txt", "line=2"))}
    assert all(role is Role.MENTIONED or link is Link.POSSIBLE for link, role in of_tine.values()), of_tine
    assert ("contacts", "id=3") not in hits


def test_what_a_row_says_otherwise() -> None:
    known = (
        Identifier("PERSON", "Alexandra Brandstrup"),
        Identifier("EMAIL_ADDRESS", "alex@example.com"),
        Identifier("PERSON", "Alex Krogh"),
    )
    name = {"name": "PERSON"}
    assert not read({"first_name": "Alex", "email": "alex@example.com"}, {}, known[:2]).against, "a first name alone is no other name"
    assert read({"first_name": "Bo", "email": "alex@example.com"}, {}, known[:2]).against == {"PERSON"}
    assert read({"name": "Brandstrup"}, {}, known[:2]).against == {"PERSON"}, "a surname alone may be any of the family's"
    for text in ("Kan jeg hente den fredag? Ring på 42 30 99 01. Bo", "Ring til Bo, tak", "Bo: pakken mangler"):
        assert not read({"message": text}, {"message": "PERSON"}, known).claims, "what is said is no name"
    for text in ("Bo Holm", "bo holm", "Holm, Bo", "Anna van der Berg", "BO HOLM"):
        assert [claim.text for claim in read({"message": text}, {"message": "PERSON"}, known).claims] == [text]
    told = read({"name": "Alex Krogh", "email": "alex@example.com"}, name, known, doubtful=(2,))
    assert (told.against, told.against_sure) == (set(), {"SURNAME"}), "a row does not speak for itself by the name that it told"
    assert not read({"name": "Alex Krogh", "email": "alex@example.com"}, name, known).against_sure


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
