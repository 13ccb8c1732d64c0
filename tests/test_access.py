"""The package of a person holds all of hers and nothing of anybody else's, is written whole, and is read only with its password."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from lxml import html

from scanner import config, resources
from scanner.errors import UsageError
from scanner.model import Hit, Identifier, Link, Role, Shape, Subject
from scanner.requests import access, access_facts
from scanner.requests.access_package import Package
from scanner.requests.gather import Entry, Lot, Text
from scanner.requests.redact import Redactor
from scanner.requests.redact_whose import Knowledge
from scanner.requests.redact_words import words
from scanner.sources import open_source
from tests.conftest import ROOT

TODAY = date(2026, 12, 1)
MARK = "[anden person]"
HANNE = Subject(
    (
        Identifier("PERSON", "Hanne Kjærsgaard"),
        Identifier("EMAIL_ADDRESS", "hanne@post.example"),
        Identifier("PHONE_NUMBER", "25701180"),
        Identifier("DK_CPR", "040480-1244"),
        Identifier("ADDRESS", "Lærkevej 12, 6700 Esbjerg"),
    )
)


def hit(source: str, object: str, record: str = "", link: Link = Link.CERTAIN, role: Role = Role.ABOUT) -> Hit:
    return Hit(source, object, record, "", link, 0.95, "e-mail address: as given", role)


SETTINGS = config.Config(controller=config.Controller("Optifo ApS", "info@optifo.example", "DK"), answer_within="14 days")


@pytest.fixture
def pack(tmp_path: Path, detector: Any) -> Callable[..., dict[str, bytes]]:
    """Pack hits of one folder; the entries of the package by name."""

    def make(files: dict[str, bytes], *hits: Hit, subject: Subject = HANNE, **more: Any) -> dict[str, bytes]:
        for name, content in files.items():
            (tmp_path / "share" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "share" / name).write_bytes(content)
        source = open_source(str(tmp_path / "share"), name="share")
        answer = SimpleNamespace(hits=hits, subject=subject, unread=more.pop("unread", ()))
        out = tmp_path / "package.zip"
        access.write(out, answer, [source], SETTINGS, detector, received=date(2026, 11, 27), today=TODAY, **more)
        return entries(out)

    return make


def entries(package: Path, password: bytes = b"") -> dict[str, bytes]:
    import pyzipper

    with pyzipper.AESZipFile(package) as archive:
        archive.setpassword(password or None)
        return {name: archive.read(name) for name in archive.namelist()}


def records(package: dict[str, bytes]) -> list[dict[str, Any]]:
    return json.loads(package["data/records.json"])["records"]


# -- the made-up company: difficult people, and everybody else as canaries ----------------------------------------------


@cache
def company() -> Any:
    from scanner.demo.company import make

    return make()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from scanner import demo

    folder = tmp_path_factory.mktemp("demo") / "optifo"
    demo.write(folder)
    return folder


ROLES = {"subject": Role.ABOUT, "author": Role.AUTHOR, "recipient": Role.RECIPIENT, "handler": Role.HANDLER, "signature": Role.SIGNATURE}


def of_demo(number: int, demo: Path, detector: Any, out: Path, **more: Any) -> tuple[dict[str, bytes], Any]:
    """The package of one of the company's people, made from the truth."""
    from scanner.demo import truth

    member = next(m for m in (*company().members, *company().others, *company().staff) if m.person.number == number)
    true = next(s for s in truth.of(company()).subjects if s.number == number)
    person, also = member.person, member.also
    known = [("PERSON", person.name), ("DK_CPR", person.cpr), ("CUSTOMER_ID", str(number))]
    known += [("PERSON", also[key]) for key in ("was", "nick", "typo") if key in also]
    known += [("EMAIL_ADDRESS", one) for one in (person.email, also.get("mail2")) if one]
    known += [("PHONE_NUMBER", person.phone)] if person.phone else []
    known += [("ADDRESS", person.address)] if person.street else []
    known += [("DK_CPR", also["cpr2"])] if "cpr2" in also else []
    places = {"crm": f"sqlite:///{demo}/crm.db", "share": f"{demo}/share", "mail": f"{demo}/mail/info.mbox", "chat": f"{demo}/chat"}
    sources = [open_source(url, name=name) for name, url in places.items()]
    hits = [
        Hit(r.source, r.object, r.record, "", Link(r.strength), 0.9, "name: as given", ROLES.get(r.role, Role.MENTIONED))
        for r in true.records
        if r.source in places and r.role != "handler"
    ]
    subject = Subject(tuple(Identifier(entity, value, "crm:customers.customer_no" * (entity == "CUSTOMER_ID")) for entity, value in known))
    answer = SimpleNamespace(hits=hits, subject=subject, unread=())
    access.write(out, answer, sources, SETTINGS, detector, received=date(2026, 11, 27), today=TODAY, **more)
    return entries(out, more.get("password", "").encode()), member


def decoded(package: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Every text of a package: of the files, inside office files, PDFs and mails, and the names themselves."""
    for name, data in package.items():
        yield name, name
        yield name, data.decode("utf-8", "replace")
        if data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as inner:
                for part in inner.namelist():
                    text = inner.read(part).decode("utf-8", "replace")
                    yield f"{name}!{part}", text
                    yield f"{name}!{part}", re.sub(r"<[^>]+>", "", text)
        elif data[:4] == b"%PDF":
            import pypdfium2

            document = pypdfium2.PdfDocument(data)
            yield name, "\n".join(document[at].get_textpage().get_text_range() for at in range(len(document)))
        elif name.endswith(".eml"):
            mail = email.message_from_bytes(data, policy=email.policy.default)
            yield name, "\n".join(str(value) for value in mail.values())
            for part in mail.walk():
                if not part.is_multipart():
                    yield name, (part.get_payload(decode=True) or b"").decode("utf-8", "replace")


def canaries(member: Any) -> Iterator[str]:
    """What must not be found: names, CPR numbers, addresses, phones and e-mail addresses of everybody else in the company.

    Of its staff, names and what they sign with are theirs in their function; their CPR numbers and homes are not.
    """
    me, also = member.person, member.also
    own = " ".join([me.name, me.email, me.phone, me.cpr, me.cpr.replace("-", ""), me.street, *map(str, also.values())]).casefold()
    staff = {one.person.number for one in company().staff}
    with zipfile.ZipFile(io.BytesIO(company().chat["optifo-slack.zip"])) as slack:
        at_work = " ".join(user["profile"]["real_name"] for user in json.loads(slack.read("users.json")))
    at_work += " ".join(f" {one.person.name} {one.person.phone}" for one in company().staff)
    everybody = [
        *((m.person, m.also) for m in (*company().members, *company().others, *company().staff)),
        *((p, {}) for p in company().customers),
    ]
    for person, other in everybody:
        if person.number == me.number:
            continue
        private = [person.cpr, person.cpr.replace("-", ""), person.street]
        if person.number not in staff and person.name not in at_work and len(person.name.split()) > 1:
            private += [person.name, other.get("was", ""), other.get("nick", "")]
        if person.number not in staff and not person.email.startswith("info@"):
            private += [person.email, other.get("mail2", ""), person.phone, " ".join(person.phone[at : at + 2] for at in range(0, 8, 2))]
        yield from (one for one in private if len(one) > 6 and one.casefold() not in own and one.replace(" ", "") not in own + at_work)


def leaks(package: dict[str, bytes], member: Any) -> set[str]:
    everything = "\n".join(text for _, text in decoded(package)).casefold()
    near = {one for one in canaries(member) if one.casefold() in everything}
    return {one for one in near if re.search(rf"(?<![\w.@]){re.escape(one.casefold())}(?!\w)", everything)}


@pytest.mark.parametrize("number", [10760, 10808, 10822, 50005])
def test_a_package_holds_hers_and_nobody_elses(number: int, demo: Path, detector: Any, tmp_path: Path) -> None:
    """A mother, one whom others write about, one in a shared sheet, and a neighbour whom only others mention."""
    package, member = of_demo(number, demo, detector, tmp_path / "package.zip")
    assert not leaks(package, member)
    held = json.dumps(records(package), ensure_ascii=False).casefold()
    assert member.person.name.casefold() in held
    if number < 50000:
        assert member.person.email.casefold() in held
        assert "customers.csv" in " ".join(package)
    assert len(records(package)) >= 2


@pytest.mark.slow
def test_nobody_in_the_company_sees_anybody_else(demo: Path, detector: Any, tmp_path: Path) -> None:
    from scanner.demo import truth

    known = {one.number for one in truth.of(company()).subjects}
    leaking = {}
    for member in (*company().members, *company().others, *company().staff):
        if member.person.number in known:
            package, _ = of_demo(member.person.number, demo, detector, tmp_path / "package.zip")
            if found := leaks(package, member):
                leaking[member.person.number] = found
    assert not leaking


# -- the archive ---------------------------------------------------------------------------------------------------------


LETTER = "Kære Hanne Kjærsgaard\nLærkevej 12, 6700 Esbjerg\n\nVi har modtaget din klage over ordre 12.\n".encode()
NOTE = (
    "Hanne Kjærsgaard ringede. Hendes nabo Birthe Rosenkvist (birthe@post.example, 20 99 33 55) har fået konstateret diabetes.\n".encode()
)


def test_the_password_is_needed_and_wrong_ones_do_not_open_it(pack: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        pack({"a.txt": LETTER}, hit("share", "a.txt", "line=1"), password="rødgrød med fløde")
    for wrong in (b"", b"rodgrod med flode"):
        with pytest.raises(RuntimeError):
            entries(tmp_path / "package.zip", wrong)
    package = entries(tmp_path / "package.zip", "rødgrød med fløde".encode())
    assert package["originals/share/0001.txt"] == LETTER
    raw = (tmp_path / "package.zip").read_bytes()
    assert all(one.encode() not in raw for one in ("Hanne", "25701180", "Lærkevej"))
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        assert {info.compress_type for info in archive.infolist()} == {99}  # WinZip's AES; its strength stands in the extra field
        assert all(info.extra[8] == 3 for info in archive.infolist())  # 256 bits


def test_the_same_hits_make_the_same_bytes(pack: Any, tmp_path: Path) -> None:
    files = {"a.txt": LETTER, "b/note.txt": NOTE}
    hits = (hit("share", "b/note.txt", "line=1"), hit("share", "a.txt", "line=1"))
    pack(files, *hits)
    first = (tmp_path / "package.zip").read_bytes()
    pack(files, *reversed(hits))
    assert (tmp_path / "package.zip").read_bytes() == first


def test_it_is_written_whole_or_not_at_all(pack: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack({"a.txt": LETTER}, hit("share", "a.txt", "line=1"))
    before = (tmp_path / "package.zip").read_bytes()
    monkeypatch.setattr(access_facts.Facts, "retention", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pack({"a.txt": LETTER}, hit("share", "a.txt", "line=1"))
    assert (tmp_path / "package.zip").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    with pytest.raises(UsageError, match="cannot be written"), Package(tmp_path / "nowhere/p.zip", "", TODAY):
        pass


# -- what is given as it is, and what is not -----------------------------------------------------------------------------


def test_a_letter_to_her_alone_is_given_byte_for_byte(pack: Any) -> None:
    package = pack({"a.txt": LETTER}, hit("share", "a.txt", "line=1"))
    assert package["originals/share/0001.txt"] == LETTER
    assert not [name for name in package if name.startswith("texts/")]


def test_a_note_that_names_a_neighbour_is_given_as_redacted_text(pack: Any) -> None:
    package = pack({"Birthe Rosenkvist.txt": NOTE}, hit("share", "Birthe Rosenkvist.txt", "line=1"))
    assert not [name for name in package if name.startswith("originals/")]
    text = package["texts/share/0001.txt"].decode()
    assert text.strip() == f"Hanne Kjærsgaard ringede. Hendes nabo {MARK} ({MARK}, {MARK}) har fået {MARK} {MARK}."
    for _, content in decoded(package):
        assert "Birthe" not in content and "Rosenkvist" not in content and "diabetes" not in content


def test_of_a_list_she_gets_her_own_row(pack: Any) -> None:
    rows = "nr,navn,email,telefon\n" + "".join(f"{n},Birthe Rosenkvist{n},b{n}@post.example,2099{n:04}\n" for n in range(100, 160))
    table = rows + "7,Hanne Kjærsgaard,hanne@post.example,25701180\n"
    package = pack({"kunder.csv": table.encode()}, hit("share", "kunder.csv", "row=62"))
    got = list(csv.reader(io.StringIO(package["data/share/0001.csv"].decode("utf-8-sig"))))
    assert got == [
        ["post", "nr", "navn", "email", "telefon", "øvrig tekst"],
        ["row=62", "7", "Hanne Kjærsgaard", "hanne@post.example", "25701180", ""],
    ]
    assert "Birthe" not in "".join(text for _, text in decoded(package))


def test_of_a_document_about_many_she_gets_what_speaks_of_her(pack: Any) -> None:
    names = (
        "Birthe Rosenkvist",
        "Oda Klarskov",
        "Villads Egeskov",
        "Thorkild Wesselhoff",
        "Gerda Mosegaard",
        "Preben Skaarup",
        "Jytte Vangsgaard",
    )
    lines = [f"{name} klager over leveringen.\n" for name in names]
    text = "".join([*lines[:3], "Hanne Kjærsgaard har fået sin rabat.\n", *lines[3:]])
    package = pack({"sager.txt": text.encode()}, hit("share", "sager.txt", "line=4"))
    body = package["texts/share/0001.txt"].decode()
    assert body.count("klager") == 0 and "Hanne Kjærsgaard har fået sin rabat." in body


MAIL = """\
From info@optifo.example Mon Jan 05 08:12:00 2026
From: Hanne =?utf-8?q?Kj=C3=A6rsgaard?= <hanne@post.example>
To: Optifo <info@optifo.example>
Subject: Klage
Date: Mon, 05 Jan 2026 08:12:00 +0100
Message-ID: <1@post.example>
Content-Type: text/plain; charset="utf-8"

Jeg klager.

Hanne

From info@optifo.example Tue Jan 06 08:12:00 2026
From: Mads Birkelund <mads@optifo.example>
To: hanne@post.example
Subject: SV: Klage
Date: Tue, 06 Jan 2026 08:12:00 +0100
Message-ID: <2@optifo.example>
Content-Type: text/plain; charset="utf-8"

Kære Hanne

Birthe Rosenkvist har klaget over det samme.

Med venlig hilsen

Mads Birkelund

From info@optifo.example Wed Jan 07 08:12:00 2026
From: Oda Klarskov <oda@post.example>
To: Optifo <info@optifo.example>
Subject: Hej
Date: Wed, 07 Jan 2026 08:12:00 +0100
Message-ID: <3@post.example>
Content-Type: text/plain; charset="utf-8"

Intet om hende.

"""


def test_of_a_mailbox_she_gets_her_mails(pack: Any) -> None:
    hits = (
        hit("share", "info.mbox", "message=<1@post.example>", role=Role.AUTHOR),
        hit("share", "info.mbox", "message=<2@optifo.example>", role=Role.RECIPIENT),
    )
    package = pack({"info.mbox": MAIL.encode()}, *hits)
    original = email.message_from_bytes(package["originals/share/0001.eml"], policy=email.policy.default)
    assert original["subject"] == "Klage"
    assert package["originals/share/0001.eml"] in MAIL.encode()
    text = package["texts/share/0002.txt"].decode()
    assert "Mads Birkelund" in text and f"{MARK} har klaget over det samme." in text
    assert not any("Oda" in content or "Rosenkvist" in content for _, content in decoded(package))


def test_names_of_entries_tell_of_nobody(pack: Any) -> None:
    package = pack(
        {"Hanne Kjærsgaard/Birthe Rosenkvist, nabo.txt": NOTE}, hit("share", "Hanne Kjærsgaard/Birthe Rosenkvist, nabo.txt", "line=1")
    )
    assert sorted(package) == ["LÆS-MIG.txt", "data/records.json", "overblik.html", "texts/share/0001.txt"]


# -- what is left out ----------------------------------------------------------------------------------------------------


def test_the_page_says_what_was_left_out_and_why(pack: Any) -> None:
    unread = [("share", "Birthe Rosenkvist.zip", "encrypted: member of a zip archive")]
    hits = (
        hit("share", "a.txt", "line=1"), hit("share", "b.txt", "line=1", Link.POSSIBLE), hit("share", "secret.txt", "line=1"),
        hit("share", "gone.txt", "line=1"), hit("elsewhere", "x", "id=1"),
    )  # fmt: skip
    package = pack({"a.txt": LETTER, "b.txt": LETTER, "secret.txt": LETTER}, *hits, unread=unread, withheld=["share:secret*"])
    page = " ".join(html.fromstring(package["overblik.html"]).text_content().split())
    assert "1 post er udeladt, fordi den lige så godt kan være en andens" in page
    assert "1 post er undtaget fra indsigt efter databeskyttelseslovens § 22" in page
    for said in ("beskyttet med adgangskode", "kilden kunne ikke nås", "11. december 2026", "28. december 2026", "Datatilsynet"):
        assert said in page, said
    assert "Birthe" not in page and "secret" not in page
    assert [one["object"] for one in records(package)] == ["a.txt"]
    assert len(records(pack({}, *hits, include_possible=True))) == 3


def test_nothing_found_is_an_answer_too(pack: Any) -> None:
    package = pack({"a.txt": b"x"}, language="en")
    assert sorted(package) == ["README.txt", "data/records.json", "overview.html"]
    assert records(package) == []
    assert "have found none" in html.fromstring(package["overview.html"]).text_content()


# -- the page ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["da", "en"])
def test_the_page_needs_nothing_else_and_hostile_names_do_nothing(pack: Any, language: str) -> None:
    name = "<script>alert(1)</script>&'.txt".replace("/", "")
    package = pack({name: LETTER + b"<img src=http://evil.example/x.png>\n"}, hit("share", name, "line=1"), language=language)
    page = package["overblik.html" if language == "da" else "overview.html"].decode()
    tree = html.fromstring(page)
    assert not tree.xpath("//script | //img | //link | //iframe | //object | //@src | //@onclick")
    assert all(not target.startswith(("http", "//", "javascript")) for target in tree.xpath("//@href"))
    assert "url(" not in page and "@import" not in page
    assert tree.get("lang") == language


def test_both_languages_say_the_same_things() -> None:
    def keys(value: Any, above: str = "") -> set[str]:
        if not isinstance(value, dict):
            return {above + (f"[{len(value)}]" if isinstance(value, list) else "")}
        return {found for key, inner in value.items() for found in keys(inner, f"{above}.{key}")}

    folder = resources.folder("reports") / "access"
    danish, english = (yaml.safe_load((folder / f"{one}.yaml").read_text(encoding="utf-8")) for one in ("da", "en"))
    assert keys(danish) == keys(english)


# -- whose it is ---------------------------------------------------------------------------------------------------------

SAID = [
    ("Hanne og Torben Kjærsgaard bor på Lærkevej 12.", f"Hanne og {MARK} bor på Lærkevej 12."),
    ("Min søn Emil har epilepsi, og jeg har selv diabetes.", f"Min søn {MARK} har {MARK}, og jeg har selv diabetes."),
    ("Jeg er sygemeldt med stress. Hilsen Hanne", "Jeg er sygemeldt med stress. Hilsen Hanne"),
    ("Ring til Birthe Rosenkvist på 20993355, eller til mig på 25 70 11 80.", f"Ring til {MARK} på {MARK}, eller til mig på 25 70 11 80."),
    ("Hendes cpr er 040480-1244, mandens er 191078-2345.", f"Hendes cpr er 040480-1244, mandens er {MARK}."),
    ("Min nye adresse er Tværgade 44, 9800 Hjørring.", "Min nye adresse er Tværgade 44, 9800 Hjørring."),
    ("Birthe Rosenkvist ringede. Birthe vil have pengene.", f"{MARK} ringede. {MARK} vil have pengene."),
    ("GET /konto?mail=birthe.r@post.example HTTP/1.1", f"GET /konto?mail={MARK} HTTP/1.1"),
]


@pytest.fixture(scope="session")
def redact(detector: Any) -> Callable[..., list[str]]:
    def clean(texts: list[Text], kind: str = "txt", role: Role = Role.AUTHOR) -> list[str]:
        known = Knowledge(HANNE, detector.ruleset, words(), "Optifo ApS", "info@optifo.example")
        redactor = Redactor(known, detector, MARK)
        lot = Lot("o", kind, False, [Entry("r", tuple(texts), hit("s", "o", "r", role=role))])
        return [text.text for one in redactor.lot("s", lot) for text in one.texts]

    return clean


@pytest.mark.parametrize(("text", "left"), SAID, ids=[str(n) for n in range(len(SAID))])
def test_what_is_said_in_prose(redact: Any, text: str, left: str) -> None:
    assert redact([Text("", text)]) == [left]


ROW = {
    "navn": ("Hanne Kjærsgaard", True), "telefon": ("25701180", True), "adresse": ("Tværgade 44, 9800 Hjørring", True),
    "kontaktperson": ("Birthe Rosenkvist", False), "kontakt_telefon": ("20993355", False), "pårørende_email": ("emil@post.example", False),
    "handled_by": ("Mads Birkelund", True), "barn_cpr": ("030914-2345", False), "bemærkning": ("fast kunde", True),
}  # fmt: skip


def test_what_stands_in_a_row_goes_by_its_column(redact: Any) -> None:
    left = redact([Text(name, value, Shape.CELL) for name, (value, _) in ROW.items()], kind="table", role=Role.ABOUT)
    assert left == [value if stays else MARK for value, stays in ROW.values()]


def test_a_row_about_somebody_else_keeps_only_what_is_hers(redact: Any) -> None:
    row = {
        "navn": "Birthe Rosenkvist",
        "telefon": "20993355",
        "vej": "Birkevænget 12",
        "postnr": "4000",
        "kontakt_email": "hanne@post.example",
    }
    left = redact([Text(name, value, Shape.CELL) for name, value in row.items()], kind="table", role=Role.MENTIONED)
    assert left == [MARK, MARK, MARK, MARK, "hanne@post.example"]


# -- size, and the command -----------------------------------------------------------------------------------------


_PACK = """
import resource, sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from scanner import config
from scanner.cli import options
from scanner.model import Hit, Identifier, Link, Subject
from scanner.requests import access
from scanner.sources import open_source

folder, rows = Path(sys.argv[1]), int(sys.argv[2])
with (folder / "t.csv").open("w") as out:
    out.write("nr,tekst\\n")
    out.writelines(f"{n},{'ordre om rammer ' * 40}{n}\\n" for n in range(rows))
source = open_source(str(folder), name="share")
hits = [Hit("share", "t.csv", f"row={n + 2}", "", Link.CERTAIN, 0.9, "") for n in range(rows)]
detector = options.detector(config.Config(), "off", key=b"k" * 32)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
answer = SimpleNamespace(hits=hits, subject=Subject((Identifier("PERSON", "Hanne Kjærsgaard"),)), unread=())
access.write(folder / "p.zip", answer, [source], config.Config(), detector, received=date(2026, 11, 27), today=date(2026, 12, 1))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_what_is_packed(tmp_path: Path) -> None:
    """Twice as much (40 MB of text instead of 20) takes hardly more memory: addresses of hits, and nothing of the texts."""
    grown = []
    for rows in (30_000, 60_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        done = subprocess.run([sys.executable, "-c", _PACK, str(folder), str(rows)], capture_output=True, text=True, cwd=ROOT, check=True)
        grown.append(int(done.stdout))
    assert grown[1] - grown[0] < 30_000 * 700


def test_the_command_searches_packs_and_says_what_it_did(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "share/a.txt").write_bytes(LETTER + b"hanne@post.example\n")
    words = ("access", "share", "--email", "hanne@post.example", "--name", "Hanne Kjærsgaard", "-o", "p.zip", "--workers", "1")
    words += ("--received", "2026-01-05", "--format", "json")
    said = json.loads(cli(*words, "--password", "env:SECRET", SECRET="åben").stdout)
    assert said["encrypted"] and said["records"] == 1 and said["originals"] == 1 and said["due"] == "2026-02-05"
    assert entries(tmp_path / "p.zip", "åben".encode())["originals/share/0001.txt"] == LETTER + b"hanne@post.example\n"
    before = (tmp_path / "p.zip").read_bytes()
    for wrong, why in (
        (("--password", "env:NOBODY"), "no variable NOBODY"),
        (("--password", "hemmeligt"), "must be a reference"),
        (("-o", "p.rar"), "end the name in .zip"),
        (("--received", "5/1"), "must be a date"),
        (("--received", "2999-01-01"), "in the future"),
    ):
        assert why in cli(*words, *wrong, expect=2).stderr
    assert (tmp_path / "p.zip").read_bytes() == before
