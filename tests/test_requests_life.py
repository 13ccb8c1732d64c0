"""A request from its receipt to the answer: deadlines, verdicts that last, and nothing of hers in the clear."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from scanner import config, seal
from scanner.errors import ConfigError, InventoryError, UsageError
from scanner.inventory import Book
from scanner.model import Hit, Identifier, Link, Role, Subject
from scanner.requests import deadlines, life

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SECRETS = ("070761-4285", "0707614285", "mette.holm@post.example", "Mette Holm", "hendes søster ringede", "K-10442", "lang sagsgang")
SUBJECT = Subject(
    (
        Identifier("DK_CPR", "070761-4285"),
        Identifier("EMAIL_ADDRESS", "mette.holm@post.example"),
        Identifier("PERSON", "Mette Holm"),
        Identifier("CUSTOMER_ID", "K-10442", "crm:customers.customer_no"),
    )
)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book(tmp_path / "inv", write=True) as one:
        yield one


def hit(record: str, link: Link = Link.CERTAIN, source: str = "crm", object_: str = "customers") -> Hit:
    return Hit(source, object_, record, "email", link, 0.9, "the same e-mail address", Role.ABOUT)


# -- days --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-01-15", "2026-02-16"),  # the 15th is a Sunday
        ("2026-01-31", "2026-03-02"),  # no 31 February; the 28th is a Saturday
        ("2024-01-31", "2024-02-29"),
        ("2026-03-02", "2026-04-07"),  # Maundy Thursday to Easter Monday
        ("2026-11-25", "2026-12-28"),  # Christmas Day, Boxing Day on a Saturday, Sunday
        ("2026-12-01", "2027-01-04"),  # New Year's Day, a Friday
        ("2023-04-05", "2023-05-08"),  # store bededag, a Friday
        ("2024-03-26", "2024-04-26"),  # the same Friday of the year after: no holiday any more
        ("2026-04-14", "2026-05-15"),  # Ascension Day; the Friday after it is no holiday
        ("2026-04-25", "2026-05-26"),  # Whit Monday
        ("2025-12-31", "2026-02-02"),
    ],
)
def test_the_month_of_the_law(received: str, due: str) -> None:
    assert deadlines.by_law(date.fromisoformat(received)) == date.fromisoformat(due)


def test_every_day_has_a_later_working_day() -> None:
    day = date(2020, 1, 1)
    while day.year < 2032:
        due = deadlines.by_law(day)
        assert due.weekday() < 5 and due not in deadlines.danish_holidays(due.year)
        assert timedelta(28) <= due - day <= timedelta(37)
        assert deadlines.by_law(day, deadlines.THREE_MONTHS) > due
        day += timedelta(1)


@pytest.mark.parametrize(
    ("year", "day"), [(2024, "2024-03-31"), (2025, "2025-04-20"), (2026, "2026-04-05"), (2038, "2038-04-25"), (2285, "2285-03-22")]
)
def test_easter(year: int, day: str) -> None:
    assert deadlines.easter(year) == date.fromisoformat(day)


def test_the_policy_counts_days_weeks_and_months() -> None:
    day = date(2026, 1, 31)
    assert deadlines.by_policy(day, "14 days") == date(2026, 2, 14)
    assert deadlines.by_policy(day, "2 weeks") == date(2026, 2, 14)
    assert deadlines.by_policy(day, "1 month") == date(2026, 2, 28)
    assert deadlines.by_policy(day, "") is None


# -- the life ----------------------------------------------------------------------------------------------------


def test_from_receipt_to_answer(book: Book) -> None:
    request = life.open_request(book, "access", SUBJECT, received=date(2026, 3, 2), who="ab", note="hendes søster ringede", when=NOW)
    assert (request.name, request.state, request.complete, request.kept) == ("2026-0001", life.State.OPENED, None, True)
    assert (request.law(), request.policy("14 days"), request.due("14 days")) == (date(2026, 4, 7), date(2026, 3, 16), date(2026, 3, 16))
    assert [request.overdue("14 days", date(2026, *day)) for day in ((3, 16), (3, 17), (4, 7), (4, 8))] == ["", "policy", "policy", "law"]
    request = life.advance(book, request, "identified", "ab", NOW)
    assert life.subject_of(book, request) == SUBJECT
    request = life.record_search(book, request, [hit("id=1"), hit("id=2", Link.POSSIBLE)], False, [("mail", "", "denied")], "ab", NOW)
    assert (request.state, request.complete, life.unread(book, request)) == (life.State.SEARCHED, False, [("mail", "", "denied")])
    request = life.advance(book, request, life.State.REVIEWED, "cd", NOW)
    request = life.advance(book, request, life.State.ANSWERED, "cd", NOW + timedelta(3), note="sendt")
    assert (request.answered, request.erase_on, request.open) == (date(2026, 3, 5), date(2026, 6, 5), False)
    assert request.overdue("14 days", date(2030, 1, 1)) == ""
    assert [(one.who, one.what, one.note) for one in life.events(book, request)] == [
        ("ab", "opened", "hendes søster ringede"), ("ab", "identified", ""), ("ab", "searched: 2 hits, incomplete", ""), ("cd", "reviewed", ""),
        ("cd", "answered", "sendt"),
    ]  # fmt: skip
    for state in ("identified", "withdrawn", "answered"):
        with pytest.raises(UsageError, match="is answered and cannot become"):
            life.advance(book, request, state, "cd", NOW + timedelta(4))
    with pytest.raises(UsageError, match="open a new one"):
        life.record_search(book, request, [], True)
    request = life.advance(book, request, "closed", "cd", NOW + timedelta(5))
    assert not request.kept and list(life.hits(book, request)) == [] and life.events(book, request)[0].note == ""
    with pytest.raises(UsageError, match="has been erased"):
        life.subject_of(book, request)


def test_verdicts_survive_a_new_search(book: Book) -> None:
    request = life.open_request(book, "deletion", SUBJECT, received=date(2026, 3, 2), when=NOW)
    found = [
        hit("id=1"),
        hit("mail=mette.holm@post.example"),
        hit("", Link.POSSIBLE, "share", "breve/[1] a.docx"),
        hit("", Link.POSSIBLE, "share", "b.docx"),
    ]
    life.record_search(book, request, found, True, when=NOW)
    assert {*life.hits(book, request)} == {*found}
    assert life.judge(book, request, ("crm", "customers"), True, "ab", why="hendes søster ringede", when=NOW) == 2
    assert life.judge(book, request, ("share", "breve/[1] a.docx"), False, "ab", when=NOW) == 1
    assert life.judge(book, request, ("*",), False, "cd", links=[Link.CERTAIN], when=NOW) == 2
    assert life.judge(book, request, ("nowhere",), True, "ab", when=NOW) == 0
    life.judge(book, request, ("crm", "*", "mail=*"), True, "ab", why="hendes søster ringede", when=NOW)
    life.record_search(book, request, found[1:], True, when=NOW)
    decided = life.verdicts(book, request)
    assert {address: (one.accepted, one.who) for address, one in decided.items()} == {
        ("crm", "customers", "id=1", "email"): (False, "cd"),
        ("crm", "customers", "mail=mette.holm@post.example", "email"): (True, "ab"),
        ("share", "breve/[1] a.docx", "", "email"): (False, "ab"),
    }
    assert decided[life.Address("crm", "customers", "mail=mette.holm@post.example", "email")].why == "hendes søster ringede"
    assert {*life.hits(book, request)} == {*found[1:]}


def test_two_months_more_must_be_told_within_the_first_with_reasons(book: Book) -> None:
    request = life.open_request(book, "access", SUBJECT, received=date(2026, 3, 2), when=NOW)
    with pytest.raises(UsageError, match="reasons"):
        life.extend(book, request, " ", "ab", when=NOW)
    with pytest.raises(UsageError, match="ended on 2026-04-07"):
        life.extend(book, request, "mange sager", "ab", when=NOW + timedelta(60))
    longer = life.extend(book, request, "lang sagsgang", "ab", told=date(2026, 4, 7), when=NOW + timedelta(60))
    assert (longer.law(), longer.policy("14 days"), longer.due("14 days")) == (date(2026, 6, 2), None, date(2026, 6, 2))
    with pytest.raises(UsageError, match="extended already"):
        life.extend(book, longer, "igen", "ab", when=NOW)


def test_the_same_person_is_recognised_by_what_the_requests_share(book: Book) -> None:
    first = life.open_request(book, "access", SUBJECT, received=date(2026, 3, 2), when=NOW)
    life.advance(book, first, "withdrawn", "ab", NOW)
    other = Subject(
        (
            Identifier("EMAIL_ADDRESS", " Mette.Holm@POST.example"),
            Identifier("DK_CPR", "0707614285"),
            Identifier("CUSTOMER_ID", "K-10442", "orders.id"),
        )
    )
    second = life.open_request(book, "deletion", other, received=date(2026, 3, 2), when=NOW)
    third = life.open_request(book, "access", Subject((Identifier("PERSON", "Ib Lund"),)), received=date(2026, 3, 2), when=NOW)
    assert life.earlier(book, second) == {first.name: ("DK_CPR", "EMAIL_ADDRESS")} and life.earlier(book, third) == {}
    third = life.add(book, third, Subject((Identifier("PERSON", "mette holm"),)), "ab", when=NOW)
    assert life.earlier(book, third) == {first.name: ("PERSON",)}
    assert [one.value for one in life.subject_of(book, third).identifiers] == ["Ib Lund", "mette holm"]
    assert [one.name for one in life.requests(book)] == ["2026-0001", "2026-0002", "2026-0003"]
    assert life.open_request(book, "access", SUBJECT, received=date(2026, 3, 1), name="2026-0040", when=NOW).name == "2026-0040"
    assert life.open_request(book, "access", SUBJECT, received=date(2026, 3, 1), when=NOW).name == "2026-0041"
    assert life.open_request(book, "access", SUBJECT, received=date(2026, 3, 1), when=NOW + timedelta(400)).name == "2027-0001"
    for name in ("0707614285", "070761-4285", "Mette", "2026-0001"):
        with pytest.raises(UsageError) as refused:
            life.open_request(book, "access", SUBJECT, received=date(2026, 3, 2), name=name, when=NOW)
        assert "07076" not in str(refused.value) and "Mette" not in str(refused.value)


def test_nothing_of_hers_stands_in_the_book_in_the_clear_and_nothing_sealed_after_it_was_erased(tmp_path: Path) -> None:
    def everything() -> bytes:
        return b"".join(path.read_bytes() for path in (tmp_path / "inv").rglob("*") if path.is_file())

    with Book(tmp_path / "inv", write=True) as book:
        requests = [
            life.open_request(book, "access", SUBJECT, received=date(2026, 3, 2), note="hendes søster ringede", when=NOW) for _ in range(3)
        ]
        for one in requests:
            life.extend(book, one, "lang sagsgang", "ab", when=NOW)
            life.record_search(book, one, [hit("mail=mette.holm@post.example")], True, when=NOW)
            life.judge(book, one, ("*",), True, "ab", why="Mette Holm", when=NOW)
        sealed = [row["sealed"] for row in book.rows("select sealed from request")]
        assert len(set(sealed)) == 3
        written = everything()
        assert sealed[0] in written
        for secret in SECRETS:
            assert secret.encode() not in written and secret.encode("utf-16-le") not in written
        with pytest.raises(InventoryError):
            seal.unlock(book.key(), sealed[0], "request 2026-0002")
        book.connection.execute("update request set sealed = ? where id = 1", (sealed[1],))
        with pytest.raises(InventoryError):
            life.subject_of(book, requests[0])
        life.advance(book, requests[0], "withdrawn", "ab", NOW)
        answered = life.advance(book, requests[1], "answered", "ab", datetime.now(UTC) - timedelta(100))
        assert answered.kept and answered.erase_on is not None and answered.erase_on < datetime.now(UTC).date()
        life.advance(book, requests[2], "answered", "ab", datetime.now(UTC))
    with Book(tmp_path / "inv", write=True) as book:
        assert [one.kept for one in life.requests(book)] == [False, False, True]
        assert len(life.earlier(book, requests[2])) == 2, "digests and dates stay"
    written = everything()
    assert sealed[0] not in written and sealed[1] not in written and sealed[2] in written


def test_a_book_of_the_second_version_has_no_requests_until_it_is_written(tmp_path: Path) -> None:
    with Book(tmp_path / "inv", write=True) as book:
        for row in list(book.rows("select name from sqlite_master where type = 'table' and name like 'request_%' or name = 'request'")):
            book.connection.execute(f"drop table {row['name']}")
    with Book(tmp_path / "inv", write=False) as book:
        assert list(life.requests(book)) == []
        with pytest.raises(UsageError, match="there is no request"):
            life.load(book, "2026-0001")
    with Book(tmp_path / "inv", write=True) as book:
        assert life.open_request(book, "access", SUBJECT, received=date(2026, 3, 2), when=NOW).name == "2026-0001"


# -- the command -------------------------------------------------------------------------------------------------


def test_the_command(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "persondata.toml").write_text('[requests]\nanswer_within = "14 days"\n')
    (tmp_path / "a.txt").write_text("intet\n")
    cli("scan", "a.txt")
    assert cli("request", "list", "--format", "jsonl").stdout == ""
    today = datetime.now(UTC).date()
    person = json.dumps({"cpr": "070761-4285", "name": "Mette Holm"})
    opened = cli(
        "request", "open", "--kind", "access", "--received", f"{today - timedelta(10)}", "--person", "-", "--who", "ab", stdin=person
    )
    name = opened.stdout.strip()
    assert name == f"{today.year}-0001" and f"due {today + timedelta(4)}" in opened.stderr
    (row,) = (json.loads(line) for line in cli("request", "list", "--format", "jsonl").stdout.splitlines())
    assert (row["name"], row["kind"], row["state"], row["overdue"], row["hits"]) == (name, "access", "opened", "", 0)
    late = cli(
        "request",
        "open",
        "--kind",
        "deletion",
        "--received",
        f"{today - timedelta(20)}",
        "--email",
        "mette.holm@post.example",
        "--cpr",
        "0707614285",
    )
    assert f"{name} shares DK_CPR" in late.stderr
    assert "overdue" in cli("request", "list", expect=1).stdout
    number = late.stdout.strip()
    cli("request", "identify", number, "--phone", "29384756", "--note", "MitID", "--who", "ab")
    cli("request", "note", number, "hendes søster ringede")
    cli("request", "extend", number, "--reason", "lang sagsgang")
    cli("request", "list")
    with Book(tmp_path / "persondata-inventory", write=True) as book:
        life.record_search(book, life.load(book, number), [hit("id=1"), hit("id=2", Link.POSSIBLE)], True)
    assert cli("request", "accept", number, "crm", "cust*", "id=1").stdout == "1 accepted\n"
    assert cli("request", "reject", number, "*", "--link", "possible", "--why", "en anden").stdout == "1 rejected\n"
    said = json.loads(cli("request", "show", number, "--format", "json").stdout)
    assert [(one["record"], one["verdict"], one["because"]) for one in said["found"]] == [
        ("id=1", "accepted", ""),
        ("id=2", "rejected", "en anden"),
    ]
    assert (said["known"], said["earlier"], said["undecided"]) == (["DK_CPR", "EMAIL_ADDRESS", "PHONE_NUMBER"], {name: ["DK_CPR"]}, 0)
    assert "hendes søster ringede" in cli("request", "show", number).stdout
    cli("request", "review", number)
    cli("request", "answer", number, "--on", f"{today}")
    assert number not in cli("request", "list").stdout and number in cli("request", "list", "--all").stdout
    cli("request", "close", number)
    cli("request", "withdraw", name)
    for words, message in (
        (("show", "2026-9999"), "there is no request"),
        (("note", number, "x"), "is closed"),
        (("answer", name), "is withdrawn"),
        (("open", "--kind", "access"), "nothing is said of the person"),
        (("open", "--kind", "access", "--cpr", "9999999999"), "cpr"),
        (("open", "--kind", "access", "--received", "i går", "--name", "Mette Holm"), "2026-03-31"),
    ):
        done = cli("request", *words, expect=2)
        assert message in done.stderr and "9999999999" not in done.stderr and len(done.stderr.splitlines()) == 1
    with sqlite3.connect(tmp_path / "persondata-inventory" / "book.db") as db:
        assert db.execute("select count(*) from request where sealed is not null").fetchone() == (0,)


def test_the_configuration_says_how_soon_and_who(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        '[controller]\nname = "Optifo ApS"\ncountry = "DK"\nfiscal_year_end = "12-31"\n[requests]\nanswer_within = "2 weeks"\n'
        '[[source]]\nname = "crm"\nurl = "sqlite:///a.db"\npeople = "customers"\npurpose = "orders"\nlegal_basis = "contract"\nrecipients = ["stripe"]\n'
        '[[recipient]]\nname = "stripe"\nreceives = ["PERSON"]\n'
    )
    read = config.load(path)
    assert (read.answer_within, read.controller.name, read.controller.fiscal_year_end) == ("2 weeks", "Optifo ApS", "12-31")
    assert (read.sources[0].people, read.sources[0].purpose, read.sources[0].recipients) == ("customers", "orders", ("stripe",))
    assert read.recipients == (config.Recipient("stripe", receives=("PERSON",)),)
    for wrong, message in (
        ('[requests]\nanswer_within = "soon"\n', "such as '14 days'"),
        ("[requests]\nanswer_within = 14\n", "must be a text"),
        ('[controller]\nfiscal_year_end = "31-12"\n', "a month and a day"),
        ('[[recipient]]\ncontact = "x"\n', "needs a name"),
        ('[[source]]\nname = "a"\nurl = "b"\nrecipients = "stripe"\n', "list of texts"),
    ):
        path.write_text(wrong)
        with pytest.raises(ConfigError, match=message):
            config.load(path)
