"""Scanning end to end: kills, changes, honesty about what was not read, and that no value leaves its place."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from scanner.inventory import Book, files
from scanner.inventory.segments import batches
from tests.conftest import ROOT

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
CPR = "070761-4285"


def rows(cli: Cli, *words: str, expect: int | None = 0) -> list[dict[str, Any]]:
    return [json.loads(line) for line in cli(*words, "--format", "jsonl", expect=expect).stdout.splitlines()]


def contents(folder: Path) -> list[tuple[Any, ...]]:
    """All that an inventory says, without numbers and moments: two equal books give equal lists."""
    with Book(folder, write=False) as book:
        units = {row["id"]: (row["object"], row["part"]) for row in book.rows("select id, object, part from unit")}
        said: list[tuple[Any, ...]] = []
        for table, columns in (("object", "object, kind, status, reason, bytes, rows"), ("problem", "object, record, field, why, detail")):
            said += [(table, *row.values()) for row in book.rows(f"select {columns} from {table}")]
        said += [
            ("holding", *list(row.values()))
            for row in book.rows(
                "select object, field, entity, class, count, records, filled, findings_in_segment, score, example from holding"
            )
        ]
        said += [("unit", *name) for name in units.values()]
        for batch in book.findings():
            for one in batch.to_pylist():
                said.append(("finding", *(value for key, value in one.items() if key != "unit")))
    return sorted(said, key=repr)


@pytest.fixture
def cli(cli: Cli) -> Cli:
    """Names in sentences are looked for only where a test is about them: getting ready for that takes most of a small scan's time."""

    def run(*words: str, prose: str = "off", **options: Any) -> subprocess.CompletedProcess[str]:
        level = ("--prose", prose) if words[0] in ("scan", "detect") and "--help" not in words else ()
        return cli(*words, *level, **options)

    return run


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from scanner import demo

    folder = tmp_path_factory.mktemp("company") / "demo"
    demo.write(folder)
    return folder


# -- the main job --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_demo_company_becomes_an_inventory(cli: Cli, company: Path, tmp_path: Path) -> None:
    sources = (f"{company}/share", f"sqlite:///{company}/crm.db", f"{company}/mail/info.mbox")
    done = cli("scan", *sources, "--format", "json", expect=3, prose="fast")
    summary = json.loads(done.stdout)
    assert set(summary) >= {"run", "objects", "findings", "bytes", "rows", "seconds"}
    assert set(summary["objects"]) == {"complete", "partial", "skipped", "failed", "unchanged"}
    assert summary["findings"] > 3000
    map_ = rows(cli, "inventory")
    assert list(map_[0]) == [
        "source",
        "object",
        "field",
        "entity",
        "class",
        "count",
        "records",
        "share",
        "score",
        "example",
        "first_seen",
        "last_seen",
        "test",
    ]
    entities = {row["entity"] for row in map_}
    assert entities >= {"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "ADDRESS", "DK_CPR", "IBAN_CODE", "IP_ADDRESS", "HEALTH", "TRADE_UNION"}
    assert all(set(row["example"]) <= set("x9 …") | set(".,:;@+-/_()'&<>=?!%#*[]{}|~\"\\$\t\n") for row in map_)
    hidden = [row for row in map_ if row["object"].endswith(".xlsx") and row["entity"] == "DK_CPR"]
    assert hidden, "CPR numbers on a hidden sheet"
    unread = [row for row in rows(cli, "coverage", expect=3) if row["status"] != "complete"]
    assert {row["status"] for row in unread} <= {"partial", "skipped", "failed"}
    assert all(row["reason"] for row in unread)
    reasons = " ".join(row["reason"] for row in unread)
    assert "encrypted" in reasons and "damaged" in reasons
    again = json.loads(cli("scan", *sources, "--format", "json", expect=3, prose="fast").stdout)
    assert again["objects"]["complete"] == 0 and again["rows"] == 0
    assert again["findings"] == summary["findings"]
    before = contents(tmp_path / "persondata-inventory")
    cli("scan", *sources, "--full", expect=3, prose="fast")
    assert contents(tmp_path / "persondata-inventory") == before
    page = cli("report", "overview", "-o", "overview.html").stdout.strip()
    assert "<html" in (tmp_path / page).read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_configuration_names_sources_from_its_own_folder(cli: Cli, company: Path, tmp_path: Path) -> None:
    done = cli("scan", "--config", f"{company}/persondata.toml", "--format", "json", expect=3)
    assert json.loads(done.stdout)["objects"]["complete"] > 30
    assert {row["source"] for row in rows(cli, "inventory")} == {"crm", "share", "mail", "chat"}
    with sqlite3.connect(company / "crm.db") as db:
        number, email = db.execute("select customer_no, email from customers limit 1").fetchone()
    shown = cli("show", "crm", "customers", f"customer_no={number}", "email", "--config", f"{company}/persondata.toml", "--format", "jsonl")
    assert json.loads(shown.stdout)["text"] == email


def test_show_reads_the_source_again(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text(f"Intet her.\nHans cpr er {CPR}, ja.\nSlut\n", encoding="utf-8")
    cli("scan", "note.txt")
    assert CPR not in cli("inventory", "--format", "json").stdout
    shown = json.loads(cli("show", "note.txt", "note.txt", "line=2", "--format", "jsonl").stdout)
    (found,) = (one for one in shown["findings"] if one["entity"] == "DK_CPR")
    assert shown["text"][found["start"] : found["end"]] == CPR
    assert cli("show", "note.txt", "note.txt").stdout.count(CPR) == 1
    assert "no record 'line=9'" in cli("show", "note.txt", "note.txt", "line=9", expect=2).stderr
    assert "no object called" in cli("show", "note.txt", "other.txt", expect=2).stderr


def test_changes_between_scans(cli: Cli, tmp_path: Path) -> None:
    share = tmp_path / "share"
    (share / "sub").mkdir(parents=True)
    for name in ("a.txt", "b.txt", "sub/c.txt"):
        (share / name).write_text(f"cpr {CPR}\n")
    cli("scan", "share")
    first = {row["object"]: row["first_seen"] for row in rows(cli, "inventory")}
    (share / "a.txt").unlink()
    (share / "b.txt").write_text(f"cpr {CPR} og mail x@post.example\n")
    (share / "d.txt").write_text("intet\n")
    summary = json.loads(cli("scan", "share", "--format", "json").stdout)
    assert summary["changes"] == {"new": 1, "changed": 1, "gone": 1}
    assert summary["objects"] == {"complete": 2, "partial": 0, "skipped": 0, "failed": 0, "unchanged": 1}
    after = rows(cli, "inventory")
    assert {row["object"] for row in after} == {"b.txt", "sub/c.txt"}
    assert all(row["first_seen"] == first[row["object"]] for row in after if row["entity"] == "DK_CPR")
    assert "1 gone" in cli("scan", "share").stdout or (share / "sub" / "c.txt").exists()
    with Book(tmp_path / "persondata-inventory", write=False) as book:
        assert [(r["object"], r["what"], r["before"], r["after"]) for r in book.rows("select * from change order by object")] == [
            ("a.txt", "gone", 1, 0), ("b.txt", "changed", 1, 2), ("d.txt", "new", 0, 0),
        ]  # fmt: skip


def test_a_folder_that_cannot_be_listed_does_not_lose_its_findings(cli: Cli, tmp_path: Path) -> None:
    """A listing that fails says nothing about what is gone. (Root reads everything, so the source itself is made to fail.)"""
    share = tmp_path / "share"
    (share / "sub").mkdir(parents=True)
    (share / "sub" / "c.txt").write_text(f"cpr {CPR}\n")
    (share / "z.txt").write_text("intet\n")
    cli("scan", "share")
    code = (
        "import os, sys\n"
        "real = os.scandir\n"
        "def scandir(path='.'):\n"
        "    if os.fsdecode(path).endswith('sub'): raise PermissionError(13, 'denied')\n"
        "    return real(path)\n"
        "os.scandir = scandir\n"
        "from scanner.cli import main; main(['scan', 'share'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 3, done.stderr
    assert [row["object"] for row in rows(cli, "inventory")] == ["sub/c.txt"]
    assert [(r["object"], r["status"]) for r in rows(cli, "coverage", expect=3) if r["kind"] == "folder"] == [("sub/", "failed")]


# -- killed at any moment ------------------------------------------------------------------------------------


def _many_files(share: Path) -> None:
    chance = random.Random(3)
    for number in range(60):
        path = share / f"d{number % 7}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"linje {i} cpr {CPR} mail p{i}@post.example\n" for i in range(chance.randint(0, 40))))
    with zipfile.ZipFile(share / "big.zip", "w") as archive:
        for number in range(30):
            archive.writestr(f"{number}.csv", "navn;mail\n" + "".join(f"x;p{i}@post.example\n" for i in range(100)))
    with sqlite3.connect(share / "crm.sqlite") as db:
        db.execute("create table people (id integer primary key, mail text, note text)")
        db.executemany(
            "insert into people (mail, note) values (?, ?)",
            [(f"p{i}@post.example", f"cpr {CPR}" if i % 50 == 0 else "") for i in range(20_000)],
        )


def _scan(tmp_path: Path, inventory: str, **kwargs: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scanner.cli", "scan", "share", "--inventory", inventory, "--format", "json", "--prose", "off"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "OUR_KEY": "one secret for all inventories"}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [20])
def test_killed_at_random_moments_it_goes_on_where_it_was(tmp_path: Path, rounds: int) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "persondata.toml").write_text('[inventory]\nkey = "env:OUR_KEY"\n')
    _many_files(tmp_path / "share")
    began = time.monotonic()
    out, err = _scan(tmp_path, "calm").communicate(timeout=120)
    length = time.monotonic() - began
    calm = json.loads(out)
    chance = random.Random(11)
    left = rounds
    for number in range(400):
        process = _scan(tmp_path, "killed")
        try:
            process.communicate(timeout=chance.uniform(0.2, length) if left else 120)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            left -= 1
            if (tmp_path / "killed" / "book.db").is_file():
                with sqlite3.connect(f"file:{tmp_path}/killed/book.db?mode=ro", uri=True) as db:
                    assert db.execute("pragma integrity_check").fetchone() == ("ok",)
                    if db.execute("select count(*) from sqlite_master").fetchone()[0]:
                        contents(tmp_path / "killed")
            continue
        assert process.returncode == 0, process.stderr
        if left <= 0:
            break
        if number % 3 == 2:  # finished before it was killed: begin again
            import shutil

            shutil.rmtree(tmp_path / "killed")
    assert contents(tmp_path / "killed") == contents(tmp_path / "calm")
    named = {row.name for row in (tmp_path / "killed" / "segments").iterdir()}
    with Book(tmp_path / "killed", write=False) as book:
        assert named == {name for row in book.rows("select file, parts from segment") for name in files.whole(row["file"], row["parts"])}
    assert calm["objects"]["failed"] == 0


@pytest.mark.slow
def test_a_worker_killed_from_outside_costs_one_unit(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    _many_files(tmp_path / "share")
    with (tmp_path / "share" / "long.txt").open("w") as file:
        for number in range(60_000):
            file.write(f"{number} en linje om ingenting, som ingen behøver at læse, og som Mette Holm har skrevet\n")
    process = _scan(tmp_path, "inv")
    killed: list[int] = []

    def kill() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None and not killed:
            for child in psutil.Process(process.pid).children(recursive=True):
                try:
                    if any(file.path.endswith("long.txt") for file in child.open_files()):
                        child.kill()
                        killed.append(child.pid)
                        return
                except psutil.Error:
                    continue

    thread = threading.Thread(target=kill)
    thread.start()
    out, err = process.communicate(timeout=120)
    thread.join()
    assert killed
    summary = json.loads(out)
    assert process.returncode == 3, err
    assert summary["objects"]["failed"] == 1
    assert summary["objects"]["complete"] > 90
    with Book(tmp_path / "inv", write=False) as book:
        assert [(row["object"], row["why"]) for row in book.rows("select object, why from problem")] == [("long.txt", "crashed")]
    out, err = _scan(tmp_path, "inv").communicate(timeout=120)
    again = json.loads(out)["objects"]
    assert (again["complete"], again["failed"]) == (1, 0), "what crashed is read again by the next scan"


# -- no value anywhere ---------------------------------------------------------------------------------------

CANARY = "Kanariefugl"
CANARIES = [CPR, CPR.replace("-", ""), "kanarie.fugl@post.example", CANARY, "Sangfuglevej 17", "29384756", "DK5000400440116243"]


def _plant(folder: Path) -> None:
    """One line of values in every field of every format that the demo can write."""
    from docx import Document
    from openpyxl import Workbook
    from openpyxl.comments import Comment

    line = f"Mette {CANARY}, cpr {CPR}, kanarie.fugl@post.example, tlf. 29384756, Sangfuglevej 17, 1165 København K, IBAN DK5000400440116243, er sygemeldt"
    (folder / "sub").mkdir(parents=True)
    for name, encoding in (("a.txt", "utf-8"), ("b.txt", "cp1252"), ("c.txt", "utf-16")):
        (folder / name).write_text(line + "\n", encoding=encoding)
    (folder / "kanarie.csv").write_text("navn;cpr;note\n" + f"Mette {CANARY};{CPR};{line}\n" * 80)
    (folder / "d.json").write_text(json.dumps({"kanarie.fugl@post.example": {"note": line}, "list": [{"cpr": CPR}]}))
    (folder / "e.jsonl").write_text(json.dumps({"note": line}) + "\n{broken " + line + "\n")
    (folder / "f.xml").write_text(f"<a><b cpr='{CPR}'>{line}</b><c></a>")
    (folder / "g.html").write_text(f"<title>{line}</title><!-- {line} --><p title='{line}'>{line}</p>")
    (folder / "h.yaml").write_text(f"note: '{line}'\nbroken: [\n")
    (folder / "i.eml").write_bytes(
        f"From: Mette {CANARY} <kanarie.fugl@post.example>\nSubject: {CPR}\nMessage-ID: <1@post.example>\n\n{line}\n".encode()
    )
    (folder / "j.pdf").write_bytes(b"%PDF-1.4\n" + line.encode() + b"\nbroken")
    document = Document()
    document.add_paragraph(line)
    document.core_properties.author = f"Mette {CANARY}"
    document.save(folder / "k.docx")
    (folder / "broken.docx").write_bytes((folder / "k.docx").read_bytes()[:-200])
    book = Workbook()
    book.active.append(["navn", "cpr"])
    book.active.append([f"Mette {CANARY}", CPR])
    book.active["A2"].comment = Comment(line, CANARY)
    book.save(folder / "l.xlsx")
    with sqlite3.connect(folder / "m.db") as db:
        db.execute("create table t (id integer primary key, navn text, data blob)")
        db.executemany("insert into t (navn, data) values (?, ?)", [(f"Mette {CANARY}", line.encode("utf-16"))] * 90)
        db.execute("create table by_mail (mail text primary key, cpr text, note text)")
        db.execute("insert into by_mail values (?, ?, ?)", ("kanarie.fugl@post.example", CPR, line))
    with zipfile.ZipFile(folder / "n.zip", "w") as archive:
        archive.writestr("x/inner.txt", line)
        inner = io.BytesIO()
        with tarfile.open(fileobj=inner, mode="w:gz") as tar:
            data = line.encode()
            info = tarfile.TarInfo("deep.txt")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        archive.writestr("x/inner.tgz", inner.getvalue())
    (folder / "sub" / "o.bin").write_bytes(b"\x00\x01" + line.encode() * 5)


@pytest.mark.slow
def test_no_value_of_anybody_is_written_anywhere(cli: Cli, tmp_path: Path) -> None:
    _plant(tmp_path / "share")
    said = ""
    for words in (("scan", "share"), ("scan", "share", "--full"), ("inventory",), ("inventory", "--format", "csv"), ("coverage",),
                  ("coverage", "--format", "json"), ("report", "overview", "-o", "report.html")):  # fmt: skip
        done = cli(*words, expect=None)
        assert done.returncode in (0, 3), done.stderr
        said += done.stdout + done.stderr
    written = b"".join(
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "share" not in path.relative_to(tmp_path).parts[:1]
    )
    with Book(tmp_path / "persondata-inventory", write=False) as book:
        assert next(book.rows("select sum(count) as n from data_map"))["n"] > 100
        for segment in book.rows("select file, parts from segment"):
            for batch in batches(tmp_path / "persondata-inventory" / "segments", segment["file"], segment["parts"]):
                rows_ = [row for row in batch.to_pylist() if not row["record"].startswith("message=")]
                written += repr(rows_).encode()
    for canary in CANARIES:
        for form in {canary, canary.lower(), canary.replace("-", "")}:
            assert form not in said, canary
            assert form.encode() not in written and form.encode("utf-16-le") not in written, canary


def test_the_key_lies_outside_and_is_private(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"cpr {CPR}\n")
    cli("scan", "a.txt", PERSONDATA_KEYS=str(tmp_path / "keys"))
    (key,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    secret = key.read_bytes()
    for path in (tmp_path / "persondata-inventory").rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes()
    key.write_bytes(os.urandom(32))
    assert "not the one" in cli("scan", "a.txt", "--full", expect=2, PERSONDATA_KEYS=str(tmp_path / "keys")).stderr
    key.unlink()
    assert "key of this inventory is missing" in cli("scan", "a.txt", "--full", expect=2, PERSONDATA_KEYS=str(tmp_path / "keys")).stderr


@pytest.mark.slow
def test_the_key_can_come_from_the_configuration(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"cpr {CPR}\n")
    (tmp_path / "persondata.toml").write_text('[inventory]\nkey = "env:OUR_KEY"\n')
    assert "no variable OUR_KEY" in cli("scan", "a.txt", expect=2).stderr
    cli("scan", "a.txt", OUR_KEY="a long enough secret", PERSONDATA_KEYS=str(tmp_path / "keys"))
    assert not (tmp_path / "keys").exists()
    assert "not the one" in cli("scan", "a.txt", "--full", expect=2, OUR_KEY="another long enough secret").stderr


@pytest.mark.slow
def test_nothing_connects_anywhere(tmp_path: Path) -> None:
    """Every connection but those of processes to each other fails loudly; Presidio's recogniser takes part."""
    (tmp_path / "a.txt").write_text(f"Hans cpr er {CPR}. His NHS number is 943 476 5919.\nSkriv til mette@post.example\n")
    guard = tmp_path / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(
        "import socket, os\n"
        "real = socket.socket.connect\n"
        "def connect(self, address):\n"
        "    if self.family == socket.AF_UNIX: return real(self, address)\n"
        f"    open({str(tmp_path / 'connected')!r}, 'a').write(repr(address))\n"
        "    raise AssertionError('a connection')\n"
        "socket.socket.connect = connect\n"
        "socket.socket.connect_ex = connect\n"
        "def lookup(*a, **k):\n"
        f"    open({str(tmp_path / 'connected')!r}, 'a').write(repr(a))\n"
        "    raise AssertionError('a look-up')\n"
        "socket.getaddrinfo = socket.gethostbyname = lookup\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "scanner.cli", "scan", "a.txt", "--prose", "full", "--format", "json"],
        cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": f"{guard}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Book(tmp_path / "persondata-inventory", write=False) as book:
        assert {"UK_NHS", "DK_CPR", "EMAIL_ADDRESS"} <= {row["entity"] for row in book.rows("select entity from data_map")}
    assert not (tmp_path / "connected").exists()


# -- wrong words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("scan",), "name a SOURCE"),
        (("scan", "nothing-here"), "nothing-here"),
        (("scan", "sqlite:///nothing.db"), "nothing.db"),
        (("scan", "oracle://x/y"), "oracle"),
        (("scan", "a.txt", "--config", "none.toml"), "none.toml"),
        (("inventory",), "no inventory here yet"),
        (("coverage",), "no inventory here yet"),
        (("report", "overview", "-o", "x.html"), "no inventory here yet"),
        (("rules", "show", "nonsense"), "no rule called"),
        (("extract", "nothing.txt"), "nothing.txt"),
        (("detect", "nothing.txt"), "nothing.txt"),
        (("demo", "."), "empty"),
    ],
)
def test_wrong_words_are_one_clear_line(cli: Cli, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    (tmp_path / "a.txt").write_text("x\n")
    done = cli(*words, expect=2)
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"], "nothing was changed"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[nonsense]\n", "unknown section [nonsense]"),
        ("[limits]\nunit_second = 3\n", "unknown key 'unit_second'"),
        ('[limits]\nunit_memory = "much"\n', "limits.unit_memory"),
        ("[[source]]\nname = 'x'\n", "needs a url"),
        ("[[source]]\nname = 'x'\nurl = 'a'\npassword = 'hunter2'\n", "must be a reference"),
        ("[rules]\nfolders = ['none']\n", "no such folder of rules"),
        ("not toml", "not readable as TOML"),
    ],
)
def test_a_wrong_configuration_is_one_clear_line(cli: Cli, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "persondata.toml").write_text(text)
    (tmp_path / "a.txt").write_text("x\n")
    done = cli("scan", "a.txt", expect=2)
    assert says in done.stderr and "hunter2" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "persondata-inventory").exists()


@pytest.mark.slow
def test_an_inventory_of_a_newer_version_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"cpr {CPR}\n")
    cli("scan", "a.txt")
    with sqlite3.connect(tmp_path / "persondata-inventory" / "book.db") as db:
        db.execute("update meta set value = '99' where key = 'version'")
    for words in (("scan", "a.txt"), ("inventory",)):
        assert "newer version" in cli(*words, expect=2).stderr
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "book.db").write_bytes(b"no database at all" * 100)
    assert "not an inventory" in cli("inventory", "--inventory", "other", expect=2).stderr


@pytest.mark.slow
def test_two_scans_do_not_write_at_once(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x\n")
    cli("scan", "a.txt")
    with Book(tmp_path / "persondata-inventory", write=True):
        assert "another scan" in cli("scan", "a.txt", expect=2).stderr
    cli("scan", "a.txt")


def test_fail_on(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"cpr {CPR}\n")
    cli("scan", "a.txt", "--fail-on", "sensitive", expect=0)
    cli("scan", "a.txt", "--fail-on", "confidential", expect=1)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no pipes and links as here")
def test_a_hostile_share_is_recorded_and_the_run_ends_well(cli: Cli, tmp_path: Path) -> None:
    """Bombs, archives without end, holes of twenty gigabytes, pipes, loops, and a file that is written to while it is read."""
    share = tmp_path / "share"
    (share / "sub").mkdir(parents=True)
    (share / "a.txt").write_text(f"cpr {CPR}\n")
    with zipfile.ZipFile(share / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("nul.txt", b"\n" * 200_000_000)
    deep = b"Ole"
    for _ in range(12):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("r.zip", deep)
        deep = out.getvalue()
    (share / "endless.zip").write_bytes(deep)
    with (share / "hole.bin").open("wb") as file:
        file.truncate(20 * 2**30)
    os.mkfifo(share / "pipe")
    (share / "sub" / "loop").symlink_to("..")
    (share / "self").symlink_to("self")
    with (share / "growing.log").open("w") as file:
        file.write("en linje om ingenting\n" * 300_000)
    done = threading.Event()

    def write() -> None:
        with (share / "growing.log").open("a") as file:
            while not done.wait(0.05):
                file.write(f"cpr {CPR}\n")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        summary = json.loads(cli("scan", "share", "--format", "json", expect=3).stdout)
    finally:
        done.set()
        writer.join()
    assert summary["objects"]["failed"] + summary["objects"]["skipped"] + summary["objects"]["partial"] >= 7
    said = {row["object"]: (row["status"], row["reason"]) for row in rows(cli, "coverage", expect=3)}
    assert said["a.txt"][0] == "complete"
    assert "too large" in said["bomb.zip!nul.txt"][1]
    assert any("too large" in (reason or "") for object, (_, reason) in said.items() if object.startswith("endless.zip!"))
    assert said["hole.bin"][0] == "skipped" and "pipe" in said["pipe"][1]
    assert "symbolic link" in said["sub/loop"][1] and "symbolic link" in said["self"][1]
    assert said["growing.log"] == ("partial", "changed while it was read: written to since it was listed")
    assert not any(object.startswith("sub/loop/") for object in said)
    cli("scan", "share", expect=3)
    after = {row["object"]: row["status"] for row in rows(cli, "coverage", expect=3)}
    assert after["growing.log"] == "complete", "what changed is read again, and now it is at rest"


def test_the_inventory_is_not_scanned_itself(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"cpr {CPR}\n")
    for _ in range(2):
        cli("scan", ".")
    assert {row["object"] for row in rows(cli, "coverage")} == {"a.txt"}


def test_detect_reads_lines_of_json(cli: Cli) -> None:
    lines = [{"id": 1, "text": f"😀 cpr {CPR}"}, {"id": "b", "text": ""}, {"id": None, "text": "intet"}]
    out = cli("detect", "--jsonl", stdin="\n".join(json.dumps(line) for line in lines)).stdout.splitlines()
    assert [json.loads(line)["id"] for line in out] == [1, "b", None]
    (one,) = json.loads(out[0])["findings"]
    assert set(one) == {"entity", "start", "end", "score", "class", "rule"}
    assert lines[0]["text"][one["start"] : one["end"]] == CPR
    assert one["class"] == "confidential"
    assert "line 1" in cli("detect", "--jsonl", stdin='{"id": 3}', expect=2).stderr


def test_extract_gives_units_of_text(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("navn;mail\nMette;m@post.example\n")
    out = [json.loads(line) for line in cli("extract", "a.csv", "--format", "jsonl").stdout.splitlines()]
    assert {"object": "a.csv", "record": "row=2", "field": "mail", "text": "m@post.example"} in out


@pytest.mark.slow
def test_keys_that_are_values_are_sealed_and_can_be_shown(cli: Cli, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "m.db") as db:
        db.execute("create table t (mail text primary key, note text)")
        db.execute("insert into t values ('kanarie.fugl@post.example', ?)", (f"cpr {CPR}",))
    cli("scan", "m.db")
    with Book(tmp_path / "persondata-inventory", write=False) as book:
        (record,) = {row["record"] for batch in book.findings() for row in batch.to_pylist() if row["field"] == "note"}
    assert record.startswith("sealed:") and "kanarie" not in record
    assert CPR in cli("show", "m.db", "m.db!t", record).stdout
    assert "does not belong" in cli("show", "m.db", "m.db!t", "sealed:AAAA", expect=2).stderr


@pytest.mark.slow
def test_known_values_are_certain_wherever_they_occur(cli: Cli, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "crm.db") as db:
        db.execute("create table customers (name text, customer_no text, email text)")
        people = [(f"Qwrtzu{chr(97 + i % 26)} Vbnmlk{chr(97 + i // 26)}", f"K-{70000 + i}", f"p{i}@firma.dk") for i in range(100)]
        db.executemany("insert into customers values (?, ?, ?)", people)
    (tmp_path / "persondata.toml").write_text(
        '[[source]]\nname = "crm"\nurl = "sqlite:///crm.db"\n'
        '[known]\ncustomers = { source = "crm", query = "select customer_no, email from customers;" }\nnames = { file = "names.csv" }\n'
    )
    (tmp_path / "names.csv").write_text("navn\n" + "".join(f"{person[0]}\n" for person in people))
    (tmp_path / "a.txt").write_text("Sagen om K-70042 og Qwrtzub Vbnmlkc.\nIkke K-99999, ikke qwrtzub.\nSkriv til p7@firma.dk\n")
    cli("scan", "a.txt", prose="fast")
    with Book(tmp_path / "persondata-inventory", write=False) as book:
        found = {(r["record"], r["entity"]): r["score"] for batch in book.findings() for r in batch.to_pylist()}
    assert found == {("line=1", "CUSTOMER_ID"): 1.0, ("line=1", "PERSON"): 1.0, ("line=3", "EMAIL_ADDRESS"): 1.0}
    written = b"".join(p.read_bytes() for p in (tmp_path / "persondata-inventory").rglob("*") if p.is_file())
    assert b"70042" not in written and b"Vbnmlk" not in written and b"p7@" not in written
    (tmp_path / "persondata.toml").write_text('[known]\ncustomers = { source = "nowhere", query = "select 1" }\n')
    assert "nowhere" in cli("scan", "a.txt", expect=2, prose="fast").stderr
    (tmp_path / "persondata.toml").write_text("[known]\ncustomers = 3\n")
    assert "[known] customers" in cli("scan", "a.txt", expect=2, prose="fast").stderr


@pytest.mark.slow
def test_what_a_file_is_called_is_read_too(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / f"ansøgning_{CPR.replace('-', '')}.txt").write_text("intet\n")
    cli("scan", "share")
    assert [(row["field"], row["entity"]) for row in rows(cli, "inventory")] == [("filename", "DK_CPR")]


def test_an_inventory_is_never_made_of_somebody_elses_folder(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine" / "segments").mkdir(parents=True)
    (tmp_path / "mine" / "segments" / "important.txt").write_text("keep")
    (tmp_path / "a.txt").write_text("x\n")
    assert "is not empty" in cli("scan", "a.txt", "--inventory", "mine", expect=2).stderr
    assert (tmp_path / "mine" / "segments" / "important.txt").read_text() == "keep"


@pytest.mark.slow
def test_an_interrupted_scan_says_so_and_goes_on_later(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    for number in range(400):
        (tmp_path / "share" / f"{number}.txt").write_text(f"cpr {CPR}\n" * 200)
    process = _scan(tmp_path, "inv")
    time.sleep(1.2)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    if process.returncode != 0:
        assert process.returncode == 130 and "what was finished is kept" in err
    out, _ = _scan(tmp_path, "inv").communicate(timeout=120)
    objects = json.loads(out)["objects"]
    assert objects["complete"] + objects["unchanged"] == 400


@pytest.mark.slow
def test_show_and_extract_give_each_line_of_a_long_text_once(cli: Cli, tmp_path: Path) -> None:
    lines = [f"{number} en linje om ingenting, som er lang nok til at rækker bliver delt" for number in range(2500)]
    for number in range(0, 2500, 50):
        lines[number] += f", cpr {CPR}"
    (tmp_path / "long.txt").write_text("\n".join(lines) + "\n")
    shown = [json.loads(line) for line in cli("show", "long.txt", "long.txt", "--format", "jsonl").stdout.splitlines()]
    assert [place["record"] for place in shown] == [f"line={number + 1}" for number in range(0, 2500, 50)]
    assert all(place["text"] == lines[int(place["record"][5:]) - 1] for place in shown)
    out = [json.loads(line) for line in cli("extract", "long.txt", "--format", "jsonl").stdout.splitlines()]
    assert "".join(one["text"] for one in out) == "\n".join(lines) + "\n"
    for one in out[1:]:
        first = one["text"].split("\n")[0]
        assert first in lines[int(one["record"][5:]) - 1]


@pytest.mark.slow
def test_languages_and_countries_switch_rules_off(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "persondata.toml").write_text('[rules]\ncountries = ["DK"]\nlanguages = ["en"]\n')
    text = "Hun er muslim. Personnummer 19811228-9874. Her cpr is 070761-4285 and she has diabetes.\n"
    found = {line.split("\t")[1] for line in cli("detect", stdin=text).stdout.splitlines()}
    assert found == {"DK_CPR", "HEALTH"}
    (tmp_path / "persondata.toml").unlink()
    found = {line.split("\t")[1] for line in cli("detect", stdin=text).stdout.splitlines()}
    assert found == {"DK_CPR", "HEALTH", "SE_PERSONNUMMER", "RELIGIOUS_BELIEF"}


@pytest.mark.slow
def test_passwords_of_archives_come_from_the_configuration(cli: Cli, tmp_path: Path) -> None:
    pyzipper = pytest.importorskip("pyzipper")
    with pyzipper.AESZipFile(tmp_path / "a.zip", "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"sesam")
        archive.writestr("note.txt", f"cpr {CPR}\n")
    assert "encrypted" in cli("scan", "a.zip", expect=3).stdout + cli("coverage", expect=3).stdout
    (tmp_path / "persondata.toml").write_text('[archives]\npasswords = ["env:ZIP_PASSWORD"]\n')
    cli("scan", "a.zip", "--full", ZIP_PASSWORD="sesam")
    assert "DK_CPR" in cli("inventory").stdout
    assert not any(b"sesam" in path.read_bytes() for path in (tmp_path / "persondata-inventory").rglob("*") if path.is_file())
    assert "ZIP_PASSWORD" in cli("scan", "a.zip", expect=2).stderr
    (tmp_path / "persondata.toml").write_text('[archives]\npasswords = ["sesam"]\n')
    assert "must be references" in cli("scan", "a.zip", expect=2).stderr


@pytest.mark.slow
def test_a_first_scan_without_prose_compiles_the_rules(cli: Cli, tmp_path: Path) -> None:
    """The rules' examples are held as they are compiled, also of rules that such a scan does not use."""
    (tmp_path / "a.txt").write_text("skriv til mette@firma.dk", encoding="utf-8")
    done = cli("scan", "a.txt", "--format", "json", prose="off", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert json.loads(done.stdout)["findings"] == 1
