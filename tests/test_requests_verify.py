"""The proof after a deletion: what is gone, what was planted back anywhere, what had to stay; and a certificate that nobody can change."""

from __future__ import annotations

import io
import json
import mailbox
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest

from scanner import config
from scanner.cli import find
from scanner.cli.verify import _open
from scanner.errors import InventoryError, UsageError
from scanner.inventory import Book
from scanner.model import Database, Hit, Link, Relation, Role, Source
from scanner.requests import certificate, certificate_keys, life, plan, row_print, verify
from scanner.requests.plan import Action, Gap, Plan, Planned
from scanner.requests.verify_hits import match
from scanner.requests.verify_rows import State
from scanner.subject import identifiers, search
from scanner.subject.bookshelf import Shelf

Cli = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).parent.parent
CLI = [sys.executable, "-m", "scanner.cli"]
DAY = date(2026, 3, 1)
EMAIL, CPR = "mette.holm@example.com", "070761-4285"

SCHEMA = """
create table customers (customer_no integer primary key, name text, email text, phone text, cpr text, street text, postcode text, city text,
  notes text, deleted_at text);
create table orders (id integer primary key, customer_no integer references customers, ordered_at text, total text, deleted_at text);
create table order_lines (order_id integer references orders, line integer, sku text, primary key (order_id, line));
create table invoices (invoice_no integer primary key, customer_no integer, bill_to text, bill_address text, issued_on text, amount text);
create table accounts (login text primary key, customer_no integer, theme text);
create table tickets (id integer primary key, message text);
"""
CONFIG = """
[controller]
name = "Havelampen ApS"
[[source]]
name = "shop"
url = "sqlite:///shop.db"
[[source]]
name = "share"
url = "share"
[[source]]
name = "mail"
url = "mail"
[[source]]
name = "chat"
url = "slack:chat.zip"
[[retention]]
name = "bookkeeping"
applies_to = ["shop:invoices"]
keep = "5 years"
after = "invoices.issued_on"
from = "end of financial year"
required = true
law = "bogføringsloven § 12"
"""


# -- a small company, and what becomes of it ---------------------------------------------------------------------


def message(name: str, sender: str, text: str, attached: tuple[str, bytes] | None = None) -> EmailMessage:
    one = EmailMessage()
    one["Message-ID"], one["From"], one["To"] = f"<{name}@havelampen.example>", sender, "salg@havelampen.example"
    one["Subject"], one["Date"] = "Min ordre", "Mon, 02 Feb 2026 10:00:00 +0100"
    one.set_content(text)
    if attached:
        one.add_attachment(attached[1], maintype="application", subtype="zip", filename=attached[0])
    return one


def chat(folder: Path, *texts: str) -> None:
    said = [{"type": "message", "user": "U1", "ts": f"17700000{at:02}.000100", "text": text} for at, text in enumerate(texts)]
    with zipfile.ZipFile(folder / "chat.zip", "w") as archive:
        archive.writestr("users.json", json.dumps([{"id": "U1", "name": "mads", "profile": {"real_name": "Mads Birk"}}]))
        archive.writestr("channels.json", json.dumps([{"id": "C1", "name": "salg", "members": ["U1"]}]))
        archive.writestr("salg/2026-02-02.json", json.dumps(said))


def sheet(path: Path, **sheets: list[list[str]]) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        made = book.create_sheet(name)
        for row in rows:
            made.append(row)
    book.save(path)


def sql(folder: Path, *statements: str) -> None:
    shop = sqlite3.connect(folder / "shop.db")
    shop.executescript(";".join(statements))
    shop.commit()
    shop.close()


def fill(folder: Path) -> None:
    shop = sqlite3.connect(folder / "shop.db")
    shop.executescript(SCHEMA)
    people = [
        (10401, "Mette Holm", EMAIL, "20314501", CPR, "Skovvej 3", "5000", "Odense C", "ringer helst om aftenen"),
        (10402, "Mette Holm", "mh64@post.example", "20314502", None, "Rosenhaven 9", "8000", "Aarhus C", None),
        (10403, "Bent Krogh", "bent@krogh.example", "28112233", None, "Engdraget 7", "4000", "Roskilde", None),
    ]
    shop.executemany("insert into customers values (?, ?, ?, ?, ?, ?, ?, ?, ?, null)", people)
    for number, customer in ((1, 10401), (2, 10401), (3, 10402), (4, 10403)):
        shop.execute("insert into orders values (?, ?, ?, ?, null)", (number, customer, f"2026-01-0{number}", f"{100 + number}.50"))
        shop.executemany("insert into order_lines values (?, ?, ?)", [(number, line, f"P-{line}") for line in (1, 2)])
    shop.executescript(f"""
        insert into invoices values (900, 10401, 'Mette Holm', 'Skovvej 3, 5000 Odense C', '2026-01-05', '101.50');
        insert into invoices values (901, 10403, 'Bent Krogh', 'Engdraget 7, 4000 Roskilde', '2026-01-05', '104.50');
        insert into accounts values ('{EMAIL}', 10401, 'dark'), ('bent@krogh.example', 10403, 'light');
        insert into tickets values (1, 'Mette Holm ({EMAIL}) vil have ny skærm'), (2, 'Bent Krogh spørger til sin ordre');
    """)
    shop.commit()
    shop.close()
    (folder / "share" / "breve").mkdir(parents=True)
    (folder / "share/breve/mette.txt").write_text("Kære Mette Holm\nSkovvej 3, 5000 Odense C\n\nTak. Vi ringer på 20 31 45 01.\n")
    (folder / "share/breve/bent.txt").write_text("Kære Bent Krogh\nEngdraget 7, 4000 Roskilde\n")
    (folder / "share/app.log").write_text(f"10:00 start\n10:01 login {EMAIL.upper()} ok\n10:02 login bent@krogh.example ok\n")
    (folder / "share/liste.csv").write_text(f"navn,mail\nMette Holm,{EMAIL}\nMette Holm,mh64@post.example\n")
    sheet(folder / "share/plan.xlsx", Kunder=[["navn", "by"], ["Bent Krogh", "Roskilde"]])
    (folder / "mail").mkdir()
    mails(folder, hers=True)
    chat(folder, f"{EMAIL} har ringet igen", "frokost?")
    (folder / "persondata.toml").write_text(CONFIG)


def mails(folder: Path, *more: EmailMessage, hers: bool = False) -> None:
    (folder / "mail/salg.mbox").unlink(missing_ok=True)
    box = mailbox.mbox(folder / "mail/salg.mbox")
    if hers:
        box.add(message("a1", f"Mette Holm <{EMAIL}>", "Hej, hvor bliver lampen af?\n\nMette"))
    box.add(message("a2", "Bent Krogh <bent@krogh.example>", "Hvornår kommer den?"))
    for one in more:
        box.add(one)
    box.close()


def carry_out(folder: Path) -> None:
    """Delete what a plan of `make` wants deleted."""
    sql(
        folder,
        "delete from order_lines where order_id in (1, 2)", "delete from orders where customer_no = 10401",
        "delete from customers where customer_no = 10401", "delete from accounts where customer_no = 10401", "delete from tickets where id = 1",
    )  # fmt: skip
    (folder / "share/breve/mette.txt").unlink()
    (folder / "share/app.log").write_text("10:00 start\n10:02 login bent@krogh.example ok\n")
    (folder / "share/liste.csv").write_text("navn,mail\nMette Holm,mh64@post.example\n")
    mails(folder)
    chat(folder, "frokost?")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company as it was scanned, with a plan for Mette Holm."""
    folder = tmp_path_factory.mktemp("company")
    os.environ["PERSONDATA_KEYS"] = str(tmp_path_factory.getbasetemp() / "keys")
    fill(folder)
    done = subprocess.run(
        [*CLI, "scan", "--prose", "off"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    make(folder)
    return folder


@pytest.fixture
def company(before: Path, tmp_path: Path) -> Path:
    shutil.copytree(before, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def deleted(company: Path) -> Path:
    carry_out(company)
    return company


def make(folder: Path, decide: Callable[[Planned], Action | None] = lambda _: None, request: str = "", gaps: tuple[Gap, ...] = ()) -> Path:
    """A plan as a sweep makes it: what is surely hers goes, invoices are kept, what is only possible is left to a person."""
    settings = config.load(folder / "persondata.toml")
    with Book(folder / "persondata-inventory", write=False) as book:
        key = book.key()
        sources, lost = find.open_all((), settings, folder / "persondata-inventory", book)
        graph, _ = find.graph_of(sources, book)
        subject = identifiers.from_options(email=(EMAIL,))
        answer = search.search(subject, sources, graph, Shelf(book, sources), sweep="all", processes=None)
        assert not lost and not answer.unread
        prints = dict(printed(key, sources, answer.hits))
        actions = [planned(hit, prints) for hit in answer.hits]
        actions = [replace(one, action=decide(one) or one.action) for one in actions]
        made = Plan(
            "p-2026-1", "2026-02-01T10:00:00Z", "2026-02-01", book.meta("id"), "Havelampen ApS", request, answer.subject, tuple(actions), (),
            (), gaps, tuple(one.name for one in sources),
        )  # fmt: skip
        plan.write(made, folder / "plan.json", key)
    return folder / "plan.json"


def planned(hit: Hit, prints: dict[tuple[str, str, str], str]) -> Planned:
    keep = hit.object == "invoices"
    action = Action.KEEP if keep else Action.REVIEW if hit.link is Link.POSSIBLE else Action.DELETE
    law, until = ("bogføringsloven § 12", "2031-12-31") if keep else ("", "")
    return Planned(
        hit.source, hit.object, hit.record, hit.field, action, "must be kept" if keep else "she asks for it", law, until,
        "DELETE" if hit.source == "shop" else "", hit.link.value, hit.why, hit.role.value, 1,
        prints.get((hit.source, hit.object, hit.record), ""),
    )  # fmt: skip


def printed(key: bytes, sources: Sequence[Source], hits: tuple[Hit, ...]) -> Iterator[tuple[tuple[str, str, str], str]]:
    for source in sources:
        if isinstance(source, Database):
            for relation in source.relations():
                assert isinstance(relation, Relation)
                records = [hit.record for hit in hits if (hit.source, hit.object) == (source.name, relation.object)]
                for record, made in row_print.prints(key, source, relation, records, lambda problem: pytest.fail(str(problem))).items():
                    yield (source.name, relation.object, record), made


def look(folder: Path, today: date = DAY, sources: tuple[str, ...] = (), sweep: str = "all") -> verify.Result:
    settings = config.load(folder / "persondata.toml")
    inventory = folder / "persondata-inventory"
    with Book(inventory, write=False) as book:
        loaded = plan.load(folder / "plan.json", book.key())
        opened, lost = _open(loaded, sources, settings, inventory, book)
        graph, _ = find.graph_of(opened, book)
        return verify.verify(loaded, opened, graph, book, settings, lost=lost, today=today, sweep=sweep)


def states(result: verify.Result) -> dict[tuple[str, str], State]:
    return {(one.planned.object, one.planned.record): one.state for one in result.seen}


# -- after a deletion --------------------------------------------------------------------------------------------


def test_before_anything_is_deleted_all_of_it_is_left_and_nothing_is_new(company: Path) -> None:
    result = look(company)
    assert result.exit_code == 1 and not result.gaps
    assert {one.planned.action for one in result.of(State.LEFT)} == {Action.DELETE}
    assert len(result.of(State.LEFT)) == sum(one.action is Action.DELETE for one in result.plan.actions) > 12
    assert len(result.of(State.HELD)) == 1 and result.of(State.OPEN) and not result.found and not result.possible


def test_a_deletion_that_was_carried_out_is_proven_twice(deleted: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in deleted.rglob("*") if path.is_file() and "persondata-inventory" not in path.parts}
    result = look(deleted)
    assert result.proven and result.exit_code == 0, [(r["object"], r["record"], r["why"]) for r in verify.rows(result)]
    assert {one.state for one in result.seen if one.planned.action is Action.DELETE} == {State.GONE}
    assert states(result)["invoices", "invoice_no=900"] is State.HELD
    assert states(result)["liste.csv", "row=3"] is State.OPEN, "it has moved up a row"
    assert not result.found and not result.possible
    again = look(deleted)
    assert (again.seen, again.found, again.possible, again.gaps) == (result.seen, result.found, result.possible, result.gaps)
    assert {path: path.stat().st_mtime_ns for path in before} == before, "nothing was written to a source"


def test_the_inventory_may_speak_for_what_has_not_changed(deleted: Path) -> None:
    assert look(deleted, sweep="auto").proven
    (deleted / "share/nyt.txt").write_text(f"Skriv til {EMAIL}\n")
    assert [hit.object for hit in look(deleted, sweep="auto").found] == ["nyt.txt"]


@pytest.mark.slow
def test_what_the_inventory_could_not_read_is_a_gap_though_it_has_not_changed(company: Path, cli: Cli) -> None:
    (company / "share/laast.zip").write_bytes(b"PK\x03\x04" + b"\0" * 60)
    cli("scan", "share", "--prose", "off", "--workers", "1", expect=3)
    carry_out(company)
    for how in ("all", "auto"):
        assert [(gap.source, gap.object) for gap in look(company, sweep=how).gaps] == [("share", "laast.zip")]


def zipped(name: str, text: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, text)
    return held.getvalue()


def csv_source(folder: Path) -> None:
    (folder / "eksport.csv").write_text("navn;cpr\nMETTE HOLM;0707614285\n")
    (folder / "persondata.toml").write_text(CONFIG + '[[source]]\nname = "ny"\nurl = "eksport.csv"\n')


PLANTED: dict[str, tuple[Callable[[Path], object], tuple[str, str]]] = {
    "a row": (
        lambda f: sql(f, f"insert into customers (customer_no, name, email) values (10777, 'METTE  HOLM', '{EMAIL.upper()}')"),
        ("customers", "customer_no=10777"),
    ),
    "a row of hers by its key alone": (lambda f: sql(f, "insert into orders values (8, 10401, '2026-02-20', '9', null)"), ("orders", "id=8")),
    "a row in a new table": (
        lambda f: sql(f, "create table leads (id integer primary key, txt text)", "insert into leads values (1, 'ring til 070761 4285')"),
        ("leads", "id=1"),
    ),
    "a new column": (
        lambda f: sql(f, "alter table tickets add column extra text", "update tickets set extra = 'cpr 0707614285' where id = 2"),
        ("tickets", "id=2"),
    ),
    "a file": (lambda f: (f / "share/kopi.md").write_text("# Holm, Mette\nTlf. +45 20 31 45 01\n"), ("kopi.md", "line=2")),
    "a file in an archive": (
        lambda f: (f / "share/gammel.zip").write_bytes(zipped("a/b.txt", f"Mail: <{EMAIL.title()}>")), ("gammel.zip!a/b.txt", "line=1"),
    ),
    "a line in a log": (
        lambda f: (f / "share/app.log").write_text("10:00 start\n10:02 login bent@krogh.example ok\n10:09 cpr=0707614285 slettet\n"),
        ("app.log", "line=3"),
    ),
    "a new sheet": (
        lambda f: sheet(
            f / "share/plan.xlsx", Kunder=[["navn", "by"], ["Bent Krogh", "Roskilde"]], Nye=[["hvem", "hvor"], ["M. Holm", EMAIL.upper()]]
        ),
        ("plan.xlsx", "sheet=Nye,row=2"),
    ),
    "a message": (
        lambda f: mails(f, message("n1", f"metteh <{EMAIL.upper()}>", "Jeg er her igen")), ("salg.mbox", "message=<n1@havelampen.example>"),
    ),
    "an attachment in a zip in a mail": (
        lambda f: mails(f, message("n2", "Bent Krogh <bent@krogh.example>", "Se her", ("x.zip", zipped("note.txt", "Cpr. 070761-4285\n")))),
        ("salg.mbox", "message=<n2@havelampen.example>"),
    ),
    "a chat message": (
        lambda f: chat(f, "frokost?", "hun har nummer 20314501 nu, Mette Holm"), ("chat.zip!salg/2026-02-02.json", "ts=1770000001.000100"),
    ),
    "a new source": (csv_source, ("eksport.csv", "row=2")),
}  # fmt: skip


def test_everything_that_is_planted_back_is_found(deleted: Path) -> None:
    some = {what: one for what, one in PLANTED.items() if what != "a message"}
    for plant, _ in some.values():
        plant(deleted)
    result = look(deleted)
    assert result.exit_code == 1 and not result.gaps and not result.of(State.LEFT)
    assert {where for _, where in some.values()} <= {(hit.object, hit.record) for hit in result.found}


@pytest.mark.slow
@pytest.mark.parametrize("what", PLANTED)
def test_a_single_record_that_is_planted_back_is_found(deleted: Path, what: str) -> None:
    plant, where = PLANTED[what]
    plant(deleted)
    result = look(deleted)
    assert result.exit_code == 1 and not result.gaps
    assert where in {(hit.object, hit.record) for hit in result.found} and {hit.object for hit in result.found} == {where[0]}
    assert not result.of(State.LEFT)


@pytest.mark.slow
def test_a_source_that_is_named_is_looked_in_too(deleted: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("usb")
    (other / "eksport.txt").write_text(f"{EMAIL}\n")
    assert look(deleted).proven
    assert [hit.source for hit in look(deleted, sources=(str(other),)).found] == [str(other)]


def test_a_namesake_is_not_called_hers(deleted: Path) -> None:
    sql(deleted, "insert into customers (customer_no, name, email, phone) values (10900, 'Mette Holm', 'holmen@post.example', '40506070')")
    (deleted / "share/andet.txt").write_text("Kære Mette Holm\nRosenhaven 9, 8000 Aarhus C\n")
    result = look(deleted)
    assert result.proven
    assert {hit.object for hit in result.possible} == {"customers", "andet.txt"}


@pytest.mark.slow
def test_a_row_that_is_only_marked_as_deleted_is_not_gone(company: Path) -> None:
    kept = sqlite3.connect(company / "shop.db")
    rows = {table: kept.execute(f"select * from {table}").fetchall() for table in ("customers", "orders")}
    kept.close()
    carry_out(company)
    for table, key in (("customers", "customer_no=10401"), ("orders", "id=1")):
        shop = sqlite3.connect(company / "shop.db")
        row = next(one for one in rows[table] if f"{key.partition('=')[0]}={one[0]}" == key)
        shop.execute(f"insert into {table} values ({','.join('?' * len(row))})", (*row[:-1], "2026-02-20"))
        shop.commit()
        shop.close()
        result = look(company)
        left = {(one.planned.object, one.planned.record): one.why for one in result.of(State.LEFT)}
        assert result.exit_code == 1 and left[table, key] == "marked as deleted, but still there"


def test_a_key_that_somebody_else_has_got_is_not_hers(deleted: Path) -> None:
    sql(
        deleted,
        "insert into customers (customer_no, name, email, phone) values (10401, 'Ida Brandt', 'ida@brandt.example', '51525354')",
        "insert into orders values (1, 10403, '2026-02-25', '77.00', null), (9, 10401, '2026-02-26', '88.00', null)",
        "insert into order_lines values (1, 1, 'P-7'), (9, 1, 'P-9')",
        "insert into tickets values (1, 'Ida Brandt vil have en lampe')",
    )
    result = look(deleted)
    assert result.exit_code == 0, [(r["object"], r["record"], r["why"]) for r in verify.rows(result)]
    seen = states(result)
    assert {seen[place] for place in (("customers", "customer_no=10401"), ("orders", "id=1"), ("tickets", "id=1"))} == {State.REPLACED}


@pytest.mark.slow
def test_what_was_anonymised_holds_nothing_of_hers_however_it_is_written(company: Path) -> None:
    make(company, lambda one: Action.ANONYMISE if one.object in ("customers", "orders") and one.action is Action.DELETE else None)
    carry_out(company)
    sql(
        company,
        "insert into customers (customer_no, name, notes) values (10401, 'anonymised', null)",
        "insert into orders values (1, 10401, '2026-01-01', '101.50', null), (2, 10401, '2026-01-02', '102.50', null)",
    )
    result = look(company)
    assert states(result)["customers", "customer_no=10401"] is State.CLEAN
    assert {states(result)["orders", f"id={number}"] for number in (1, 2)} == {State.LEFT}, "nothing was done to these rows"
    sql(company, "update orders set total = null, ordered_at = '2026' where customer_no = 10401")
    assert look(company).proven
    for note in ("ring på +45 2031 4501", "nummer 070761 4285", "Holm, Mette (flyttet)"):
        sql(company, f"update customers set notes = '{note}' where customer_no = 10401")
        result = look(company)
        left = result.of(State.LEFT)
        assert result.exit_code == 1 and [one.planned.record for one in left] == ["customer_no=10401"] and "notes" in left[0].why
    sql(company, "update customers set notes = null", "insert into orders values (12, 10401, '2026-02-26', '88.00', null)")
    assert [hit.record for hit in look(company).found] == ["id=12"], "a new row hangs on her number"


def test_kept_records_that_are_gone_are_reported(deleted: Path) -> None:
    sql(deleted, "delete from invoices where invoice_no = 900")
    result = look(deleted)
    assert [one.planned.record for one in result.of(State.MISSING)] == ["invoice_no=900"]
    assert result.proven, "nothing that had to go remains"
    sql(deleted, "insert into invoices values (900, 10403, 'Bent Krogh', 'Engdraget 7, 4000 Roskilde', '2026-02-05', '7.50')")
    result = look(deleted)
    assert [(one.planned.record, one.why) for one in result.of(State.MISSING)] == [("invoice_no=900", "another row has its key now")]


@pytest.mark.slow
def test_a_kept_file_that_is_gone_is_reported(company: Path) -> None:
    make(company, lambda one: Action.KEEP if one.object == "breve/mette.txt" else None)
    assert {states(look(company))["breve/mette.txt", f"line={line}"] for line in (1, 2, 4)} == {State.HELD}
    carry_out(company)
    assert {one.planned.object for one in look(company).of(State.MISSING)} == {"breve/mette.txt"}


@pytest.mark.slow
def test_a_time_that_has_run_out_and_a_hold_that_was_lifted_are_said(company: Path) -> None:
    hold = '[[hold]]\nperson = {email = "METTE.HOLM@example.com"}\nreason = "a claim"\nlaw = "GDPR Art. 17(3)(e)"\n'
    carry_out(company)
    assert not look(company).of(State.MAY_GO)
    late = look(company, today=date(2032, 1, 1))
    assert [(one.planned.record, one.why) for one in late.of(State.MAY_GO)] == [("invoice_no=900", "its time ran out on 2031-12-31")]
    (company / "persondata.toml").write_text(CONFIG + hold)
    assert not look(company, today=date(2032, 1, 1)).of(State.MAY_GO)
    (company / "persondata.toml").write_text(CONFIG.partition("[[retention]]")[0])
    lifted = look(company).of(State.MAY_GO)
    assert [one.planned.record for one in lifted] == ["invoice_no=900"] and "nothing says any more" in lifted[0].why


def test_a_review_that_was_settled_is_not_open(company: Path) -> None:
    make(company, lambda one: Action.REVIEW if one.object == "tickets" else None)
    assert states(look(company))["tickets", "id=1"] is State.OPEN
    carry_out(company)
    result = look(company)
    assert states(result)["tickets", "id=1"] is State.GONE and result.proven


@pytest.mark.slow
def test_what_cannot_be_looked_at_is_a_gap_and_no_proof(deleted: Path) -> None:
    (deleted / "share/laast.zip").write_bytes(b"PK\x03\x04" + b"\0" * 60)
    sql(deleted, f"insert into customers (customer_no, email) values (10777, '{EMAIL}')")
    result = look(deleted)
    assert result.exit_code == 3 and result.remains == 1 and [gap.object for gap in result.gaps] == ["laast.zip"]
    shutil.rmtree(deleted / "share")
    result = look(deleted)
    assert result.exit_code == 3 and {"share"} == {gap.source for gap in result.gaps}
    assert {one.state for one in result.seen if one.planned.source == "share"} == {State.UNSEEN}


def test_what_the_configuration_leaves_out_is_not_taken_for_gone(company: Path) -> None:
    without = CONFIG.replace('url = "sqlite:///shop.db"', 'url = "sqlite:///shop.db"\nexclude = ["tickets"]')
    (company / "persondata.toml").write_text(without.replace('url = "share"', 'url = "share"\nexclude = ["breve"]'))
    result = look(company)
    assert {one.planned.object for one in result.of(State.UNSEEN)} == {"tickets", "breve/mette.txt"}
    assert {gap.object for gap in result.gaps} == {"tickets", "breve/mette.txt"} and result.exit_code == 3


@pytest.mark.slow
def test_a_source_that_was_one_file_and_had_to_go_is_gone(company: Path) -> None:
    csv_source(company)
    make(company)
    carry_out(company)
    (company / "eksport.csv").unlink()
    result = look(company)
    assert states(result)["eksport.csv", "row=2"] is State.GONE and result.proven and "no longer there" in result.notes[0]


def test_where_rows_have_moved_a_hit_goes_to_the_record_it_was() -> None:
    def one(record: str, action: Action, link: str, why: str) -> Planned:
        return Planned("s", "f.csv", record, "", action, "r", link=link, why=why)

    def hit(record: str, link: Link, why: str, object: str = "f.csv") -> Hit:
        return Hit("s", object, record, "", link, 0.9, why, Role.ABOUT)

    actions = [one("row=3", Action.DELETE, "certain", "mail"), one("row=5", Action.REVIEW, "possible", "name")]
    records = [each.record for each in actions]
    moved = match(actions, [hit("row=4", Link.POSSIBLE, "name")], records)
    assert list(moved.known) == [1] and moved.moved == {1} and not moved.new
    stayed = match(actions, [hit("row=3", Link.CERTAIN, "mail"), hit("row=9", Link.CERTAIN, "mail")], records)
    assert list(stayed.known) == [0] and [each.record for each in stayed.new] == ["row=9"]
    unclear = match(actions, [hit("row=2", Link.LIKELY, "phone")], records)
    assert not unclear.known and len(unclear.new) == 1, "rather a false alarm than a false proof"
    whole = [Planned("s", "a.zip", "", "", Action.DELETE, "r"), Planned("s", "m.mbox", "message=<1>", "", Action.KEEP, "r")]
    inner = match(
        whole,
        [hit("line=1", Link.CERTAIN, "x", "a.zip!b.txt"), hit("page=2", Link.LIKELY, "x", "m.mbox!message=<1>!cv.pdf")],
        ["", "message=<1>"],
    )
    assert set(inner.known) == {0, 1} and not inner.new


def test_a_print_tells_a_changed_row_from_another_one() -> None:
    row = {"id": "1", "name": "Mette Holm", "city": "Odense", "paid": "yes", "deleted_at": None}
    key = b"k" * 32
    made = row_print.row_print(key, "s", "t", "id=1", row)
    assert row_print.unchanged(made, key, "s", "t", "id=1", dict(reversed(row.items())), ("id",)) == 1.0
    assert row_print.unchanged(made, key, "s", "t", "id=1", row | {"deleted_at": "2026"}, ("id",)) == 0.75
    assert row_print.unchanged(made, key, "s", "t", "id=1", {"id": "1", "name": "Ida", "city": "Ribe", "paid": "yes"}, ("id",)) == 0.2
    assert row_print.unchanged(made, b"x" * 32, "s", "t", "id=1", row) == 0.0
    assert "4d657474" not in made and made != row_print.row_print(key, "s", "t", "id=2", row)


# -- the certificate ---------------------------------------------------------------------------------------------


def certify(folder: Path, result: verify.Result) -> dict[str, object]:
    signing = certificate_keys.signing_key()
    with Book(folder / "persondata-inventory", write=False) as book:
        said = certificate.body(
            result, key=book.key(), inventory=book.meta("id"), version="1", rules="r", plan_file=(folder / "plan.json").read_bytes(),
            signer=certificate_keys.public(signing),
        )  # fmt: skip
    return certificate.sign(said, signing)


@pytest.mark.slow
def test_a_certificate_holds_no_personal_data_and_any_change_shows(company: Path) -> None:
    make(company, lambda one: Action.KEEP if one.object in ("accounts", "breve/mette.txt") else None)
    letter = (company / "share/breve/mette.txt").read_text()
    carry_out(company)
    (company / "share/breve/mette.txt").write_text(letter)
    sql(company, f"insert into accounts values ('{EMAIL}', 10401, 'dark')")
    said = certify(company, look(company))
    file = company / "c.json"
    certificate.write(said, file)
    text = file.read_text()
    for secret in ("mette", "holm", "10401", "20314501", "0707614285", "070761", "skovvej"):
        assert secret not in text.casefold(), secret
    checked = certificate.check(file)
    assert checked.fault == "" and certificate_keys.same(checked.fingerprint, said["signed_by"]["fingerprint"])  # type: ignore[index]
    kept = {(one["source"], one["table"]): one["records"] for one in checked.said["kept"]}
    assert kept == {("shop", "invoices"): 1, ("shop", "accounts"): 1, ("share", ""): 3}
    assert checked.said["whole"] is True and checked.said["gone"] == 12
    changed = 0
    for at in range(len(text)):
        if text[at].isalnum():
            other = text[:at] + ("b" if text[at] != "b" else "c") + text[at + 1 :]
            file.write_text(other)
            assert certificate.check(file).fault, (at, text[at - 20 : at + 20])
            changed += 1
    assert changed > 1_000
    file.write_text(text.replace('"gone": 12', '"gone": 13'))
    assert "changed" in certificate.check(file).fault
    file.write_text(text.replace('"gone": 12,', '"gone": 12, "gone": 13,'))
    assert certificate.check(file).fault, "a key that stands twice"
    file.write_text(json.dumps(json.loads(text)))
    assert not certificate.check(file).fault, "spaces mean nothing"


def test_a_certificate_is_canonical_json() -> None:
    assert (
        certificate.canonical({"b": [1, True, "æ\u2028\n"], "a": {"d": "", "c": 0}})
        == '{"a":{"c":0,"d":""},"b":[1,true,"æ\u2028\\n"]}'.encode()
    )
    with pytest.raises(ValueError, match="whole numbers"):
        certificate.canonical({"a": 1.5})


@pytest.mark.slow
def test_a_plan_that_was_not_whole_gives_no_whole_certificate(company: Path) -> None:
    make(company, gaps=(Gap("share", "hemmelig.zip", "encrypted"),))
    carry_out(company)
    said = certify(company, look(company))
    assert said["whole"] is False and str(said["certificate"]).startswith("NOT WHOLE")
    sql(company, f"insert into tickets values (7, '{EMAIL}')")
    with pytest.raises(ValueError, match="nothing to certify"):
        certify(company, look(company))


def test_the_signing_key_is_made_once_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONDATA_KEYS", str(tmp_path / "keys"))
    one = certificate_keys.public(certificate_keys.signing_key())
    assert one == certificate_keys.public(certificate_keys.signing_key())
    assert stat.S_IMODE(certificate_keys.path().stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == [certificate_keys.NAME]
    assert certificate_keys.is_fingerprint(certificate_keys.fingerprint(one)) and not certificate_keys.is_fingerprint("ab12")
    certificate_keys.path().write_bytes(b"short")
    with pytest.raises(InventoryError, match="not a key"):
        certificate_keys.signing_key()


# -- the command -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_certifies_lists_and_checks(company: Path, cli: Cli) -> None:
    with Book(company / "persondata-inventory", write=True) as book:
        life.open_request(book, "deletion", identifiers.from_options(email=(EMAIL,)), received=date(2026, 1, 30), name="2026-0001")
    make(company, request="2026-0001")
    listed = cli("verify", "plan.json", "--workers", "1", expect=1)
    assert "still there, and had to go" in listed.stdout and "no certificate" in listed.stdout
    assert not (company / "plan.certificate.json").exists()
    carry_out(company)
    done = cli("verify", "plan.json", "--workers", "1", "--language", "en")
    assert "11 of 11" not in done.stdout and "records that had to go are gone" in done.stdout and "plan.certificate.json" in done.stdout
    page = (company / "plan.certificate.html").read_text()
    assert "Certificate of deletion" in page and "bogføringsloven § 12" in page and "31 December 2031" in page
    for secret in ("mette", "10401", "20314501"):
        assert secret not in page.casefold() and secret not in done.stdout.casefold()
    events = json.loads(cli("request", "show", "2026-0001", "--format", "json").stdout)["events"]
    assert [one["what"] for one in events][1:] == [
        f"verified: {sum(1 for _ in listed.stdout.splitlines() if ' delete ' in _)} remain", "verified: nothing that had to go remains",
    ]  # fmt: skip
    said = json.loads(cli("verify", "plan.json", "--workers", "1", "-o", "two.json", "--format", "json").stdout)
    assert said["proven"] and said["whole"] and said["certificate"] == "two.json" and said["remains"] == 0
    away = company / "away"
    away.mkdir()
    shutil.copy(company / "two.json", away / "c.json")
    valid = cli("verify", "--certificate", "away/c.json", PERSONDATA_KEYS=str(away))
    assert "anybody could have signed it" in valid.stdout and said["fingerprint"] in valid.stdout
    assert "anybody" not in cli("verify", "--certificate", "away/c.json", "--key", said["fingerprint"].replace(" ", ":").upper()).stdout
    other = cli("verify", "--certificate", "away/c.json", "--key", "ab" * 32, expect=1)
    assert "another key" in other.stderr and other.stderr.count("\n") == 1
    (away / "c.json").write_text((away / "c.json").read_text().replace("Havelampen", "Havelampem"))
    changed = cli("verify", "--certificate", "away/c.json", expect=1)
    assert changed.stdout == "" and changed.stderr.count("\n") == 1 and "changed" in changed.stderr
    shown = cli("verify", "--show-key").stdout
    assert said["fingerprint"] in shown
    sql(company, f"insert into tickets values (7, 'skriv til {EMAIL.upper()}')")
    lines = [json.loads(line) for line in cli("verify", "plan.json", "--workers", "1", "--format", "jsonl", expect=1).stdout.splitlines()]
    assert [(line["object"], line["record"], line["state"]) for line in lines if line["state"] in ("left", "found")] == [
        ("tickets", "id=7", "found")
    ]


@pytest.mark.slow
def test_wrong_arguments_are_one_line(company: Path, cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> None:
    def says(*words: str, expect: int = 2, **env: str) -> str:
        done = cli("verify", *words, expect=expect, **env)
        assert done.stdout == "" and done.stderr.count("\n") == 1 and EMAIL not in done.stderr
        return done.stderr

    assert "PLAN.json" in says()
    assert "cannot be read" in says("nowhere.json")
    assert "is no plan" in says("persondata.toml")
    assert "--key goes with" in says("plan.json", "--key", "ab" * 32)
    assert "one of them" in says("plan.json", "--certificate", "plan.json")
    assert "64 hexadecimal" in says("--certificate", "plan.json", "--key", "short")
    assert "no certificate" in says("--certificate", "plan.json", expect=1)
    assert "cannot be read" in says("--certificate", "nowhere.json")
    assert "end its name in .json" in says("plan.json", "-o", "proof.pdf")
    assert "no such folder" in says("plan.json", "-o", "nowhere/proof.json")
    assert "nowhere" in says("plan.json", "nowhere")
    assert "no inventory here" in says("plan.json", "--inventory", "empty")
    text = (company / "plan.json").read_text()
    (company / "plan.json").write_text(text.replace('"action": "delete"', '"action": "keep"', 1))
    assert "was changed" in says("plan.json")
    (company / "plan.json").write_text(text)
    assert "key of this inventory is missing" in says("plan.json", PERSONDATA_KEYS=str(company / "share"))
    other = tmp_path_factory.mktemp("other")
    (other / "a.txt").write_text("x\n")
    cli("scan", str(other), "--inventory", "other", "--prose", "off", "--workers", "1")
    assert "another inventory" in says("plan.json", "--inventory", "other")


def test_a_plan_of_another_inventory_does_not_open(company: Path, tmp_path: Path) -> None:
    with pytest.raises(InventoryError):
        plan.load(company / "plan.json", b"x" * 32)
    (tmp_path / "broken.json").write_text((company / "plan.json").read_text()[:-40])
    with pytest.raises(UsageError, match="no plan"):
        plan.load(tmp_path / "broken.json", b"x" * 32)


def execute(folder: Path) -> None:
    """Do what a plan of the made-up company says: run its statements, and delete its files and messages."""
    said = json.loads((folder / "plan.json").read_text())
    shop = sqlite3.connect(folder / "crm.db")
    shop.execute("pragma foreign_keys = on")
    for script in said["scripts"]:
        assert script["source"] == "crm"
        for statement in script["statements"]:
            shop.execute(statement)
    shop.commit()
    shop.close()
    goes = [one for one in said["actions"] if one["action"] in ("delete", "anonymise") and one["source"] != "crm"]
    messages = {one["record"].removeprefix("message=") for one in goes if one["source"] == "mail"}
    box = mailbox.mbox(folder / "mail/info.mbox")
    for key in list(box.keys()):
        if box[key]["Message-ID"] in messages:
            box.remove(key)
    box.flush()
    box.close()
    for object in {one["object"] for one in goes if one["source"] == "share"}:
        (folder / "share" / object).unlink()


@pytest.mark.slow
def test_a_planned_deletion_in_the_made_up_company_is_proven(tmp_path: Path, cli: Cli) -> None:
    cli("demo", "company", "--truth", "truth.json")
    truth = json.loads((tmp_path / "truth.json").read_text())
    her = next(one for one in truth["subjects"] if one["name"] == "Laura Sørensen" and one["requests"][0]["email"])
    company = tmp_path / "company"
    for unread in ("Lønsedler (låst).zip", "Skannet kontrakt.pdf"):
        (company / "share/Arkiv" / unread).unlink()
    common = ("--config", "company/persondata.toml", "--inventory", "company/persondata-inventory", "--workers", "1")
    cli("scan", "--prose", "off", *common)
    cli("sweep", "--email", her["requests"][0]["email"], "--sweep", "all", "-o", "company/plan.json", *common)
    before = look(company)
    had = [one for one in before.seen if one.planned.action in plan.MUST_GO]
    assert len(had) > 15 and {one.state for one in had} == {State.LEFT} and not before.found and not before.of(State.MISSING, State.MAY_GO)
    execute(company)
    after = look(company)
    assert after.proven, [(r["object"], r["record"], r["why"]) for r in verify.rows(after) if r["state"] in ("left", "found", "unseen")]
    assert {one.state for one in after.seen if one.planned.action in plan.MUST_GO} == {State.GONE, State.CLEAN}
    assert len(after.of(State.HELD)) == len(before.of(State.HELD)) > 5
    (company / "share/Arkiv/noter.log").write_text(f"2026-03-01 ring til {her['requests'][0]['email'].upper()}\n")
    assert [hit.object for hit in look(company).found] == ["Arkiv/noter.log"]
