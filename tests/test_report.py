"""Reports say what the book says, and nothing that a name in the book wants them to say."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree, html

from scanner import report, resources
from scanner.config import Config, Controller, Retention, SourceConfig
from scanner.errors import ReportError

SCHEMA = Path(resources.__file__).parent / "inventory/schema.sql"
GOLDEN = Path(__file__).parent / "golden"
FIRST, LAST = "2026-06-01T02:14:10Z", "2026-06-30T02:03:31Z"


def book(*units: tuple[str, str, str, str], holdings: tuple[tuple[str, str, str, str, int, str], ...] = ()) -> sqlite3.Connection:
    """A book of two runs: units as (source, object, status, reason) and
    holdings as (object, field, entity, class, count, example)."""
    opened = sqlite3.connect(":memory:")
    opened.executescript(SCHEMA.read_text(encoding="utf-8"))
    if units:
        opened.execute("insert into run values (1, '2026-06-01T02:00:00Z', ?, 'r', null)", (FIRST,))
        opened.execute("insert into run values (2, '2026-06-30T02:00:00Z', ?, 'r', null)", (LAST,))
    for source in dict.fromkeys(unit[0] for unit in units):
        opened.execute("insert into source (name, url) values (?1, ?1)", (source,))
        opened.execute("insert into walk select 2, id, ? from source where name = ?", (LAST, source))
    for number, (source, name, status, reason) in enumerate(units, 1):
        opened.execute(
            "insert into unit (id, source, object, part, kind, fingerprint, rules, retry, run, segment) select ?, id, ?, '', 'file', 'f', 'r', 0, 2, null from source where name = ?",
            (number, name, source),
        )
        opened.execute("insert into object values (?, ?, 'file', ?, ?, 2048, 100, ?)", (number, name, status, reason, FIRST))
    for name, field, entity, kind, count, example in holdings:
        opened.execute(
            "insert into holding select id, object, ?, ?, ?, ?, 1, 4, 0, 0, 0.9, ?, ? from unit where object = ?",
            (field, entity, kind, count, example, FIRST, name),
        )
    return opened


def company() -> sqlite3.Connection:
    opened = book(
        ("crm", "customers", "complete", ""),
        ("crm", "tickets", "complete", ""),
        ("./share", "Lønliste.xlsx", "complete", ""),
        ("./share", "Låst.zip", "failed", "encrypted"),
        ("./share", "kæmpe.csv", "partial", "timed out: 300 s without progress"),
        ("./share", "billede.png", "skipped", "unsupported: an image"),
        holdings=(
            ("customers", "email", "EMAIL_ADDRESS", "general", 1250, "xxx@xxxx.xx"),
            ("customers", "comment", "DK_CPR", "confidential", 3, "999999-9999"),
            ("customers", "agent", "USER_AGENT", "technical", 7, "Xxxxxxx/9.9"),
            ("tickets", "message", "HEALTH", "sensitive", 4, "xxxxxxxx"),
            ("tickets", "message", "CRIMINAL_OFFENCE", "criminal", 1, "xxxxx"),
            ("Lønliste.xlsx", "Marts!CPR", "DK_CPR", "confidential", 9, "999999-9999"),
            ("Lønliste.xlsx", "", "XX_NEW_KIND", "general", 1, "xx"),
        ),
    )
    opened.execute("insert into unlisted values (2, 'Direktion/', 'denied', 'no permission to list')")
    opened.execute("insert into walk select 1, id, ? from source", (FIRST,))
    opened.executemany(
        "insert into holding_change values (2, ?, ?, ?, ?, ?, ?)",
        (
            (1, "tickets", "message", "HEALTH", "sensitive", 3),
            (1, "tickets", "message", "CRIMINAL_OFFENCE", "criminal", 1),
            (2, "væk.txt", "", "PERSON", "general", -12),
            (2, "Lønliste.xlsx", "Marts!CPR", "DK_CPR", "confidential", 9),
            (2, "Lønliste.xlsx", "", "XX_NEW_KIND", "general", 1),
        ),
    )
    opened.executemany(
        "insert into object_change values (2, 2, ?, ?, ?)",
        (("væk.txt", -1, 0), ("Lønliste.xlsx", 1, 0), ("Låst.zip", 0, 1), ("Direktion/", 1, 1)),
    )
    return opened


STATED = Config(
    sources=(
        SourceConfig("crm", "", people="customers", purpose="handling orders", legal_basis="contract", recipients=("stripe",)),
        SourceConfig("./share", "", people="employees"),
    ),
    controller=Controller(name="Optifo ApS"),
    retention=(Retention("consumers", ("crm:customers",), "1 year", "customers.closed_at"), Retention("books", ("crm:*",), "5 years", "date", required=True)),
)  # fmt: skip


def written(opened: sqlite3.Connection, folder: Path, language: str = "en", settings: Config | None = None) -> str:
    out = folder / "overview.html"
    report.write("overview", report.Asked(opened, settings or Config(), language), out)
    opened.close()
    return out.read_text(encoding="utf-8")


def read(text: str) -> html.HtmlElement:
    """The page, refused where it is not well-formed: but for its void elements it is XML, and judged as such."""
    closed = re.sub(r"<((?:meta|col)\b[^>]*)>", r"<\1/>", text.split("\n", 1)[1])
    etree.fromstring(closed.encode())
    return html.document_fromstring(text)


def words(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


@pytest.mark.parametrize(
    ("name", "make", "language", "settings"),
    [("overview", company, "en", Config()), ("overview-empty", book, "en", Config()), ("overview-da", company, "da", STATED)],
)
def test_golden(name: str, make: Callable[[], sqlite3.Connection], language: str, settings: Config, tmp_path: Path) -> None:
    """Set PERSONDATA_GOLDEN=write to write the golden files anew, and look at the difference."""
    text = written(make(), tmp_path, language, settings)
    read(text)
    golden = GOLDEN / f"{name}.html"
    if os.environ.get("PERSONDATA_GOLDEN") == "write":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_what_was_not_read_stands_before_the_figures(tmp_path: Path) -> None:
    page = read(written(company(), tmp_path))
    (alert,) = page.xpath("//*[contains(@class, 'alert')]")
    assert "4 of 7 objects were not read to their end" in words(alert)
    for reason in (
        "1 not read: denied",
        "1 not read: encrypted",
        "1 skipped: unsupported",
        "1 read in part: timed out",
    ):
        assert reason in words(alert)
    assert alert.xpath("following::dl[@class='figures']")
    assert "timed out 300 s without progress" in words(page.get_element_by_id("coverage"))


def test_figures_add_up(tmp_path: Path) -> None:
    page = read(written(company(), tmp_path))
    figures = {words(tile[0]): words(tile[1]) for tile in page.xpath("//dl[@class='figures']/div")}
    assert figures == {
        "Sources": "2",
        "Objects": "7",
        "Findings": "1,275",
        "Sensitive": "4",
        "Criminal": "1",
        "Confidential": "12",
    }
    lines = [[words(cell) for cell in row] for row in page.xpath("//table[@class='map']//tr")]
    assert [
        "Marts!CPR",
        "CPR number",
        "Confidential",
        "9",
        "1",
        "25.0 %",
        "999999-9999",
        "2026-06-01",
        "2026-06-30",
    ] in lines
    assert ["(whole object)", "XX new kind"] in [line[:2] for line in lines]


def test_nothing_is_fetched_or_run(tmp_path: Path) -> None:
    page = read(written(company(), tmp_path))
    assert page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content") == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert not page.xpath("//script | //link | //img | //iframe | //object | //embed | //form | //base | //@src | //@action")
    assert all(address.startswith("#") for address in page.xpath("//@href"))
    assert not re.search(r"url\(|@import", page.xpath("string(//style)"))
    assert not [name for element in page.iter() for name in element.attrib if name.startswith("on")]


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        "{{ 7 * 7 }}{% raise %}",
        "</style></title>&lt;",
        "a\u202egpj.exe",
        "tab\tline\nnull\0bell\a",
        "javascript:alert(1)",
        "x" * 5000,
        "æøå 日本 ❤",
    ],
)
def test_hostile_names_are_only_names(hostile: str, tmp_path: Path) -> None:
    opened = book(
        (hostile, hostile, "complete", ""),
        (hostile, hostile + "2", "failed", hostile),
        holdings=((hostile, hostile, hostile, "general", 3, hostile),),
    )
    opened.execute("insert into walk values (1, 1, ?)", (FIRST,))
    opened.execute("insert into object_change values (2, 1, ?, -1, 0)", (hostile + "3",))
    opened.execute("insert into holding_change values (2, 1, ?, ?, ?, 'general', 2)", (hostile, hostile, hostile))
    settings = replace(STATED, sources=(SourceConfig(hostile, "", people=hostile, purpose=hostile),))
    page = read(written(opened, tmp_path, settings=settings))
    assert {tag.tag for tag in page.iter()} <= {tag.tag for tag in read(written(company(), tmp_path, settings=STATED)).iter()}
    assert not page.xpath("//script | //img | //@onerror | //@onmouseover")
    shown = [words(cell) for cell in page.xpath("//table//bdi")]
    assert str(report.visible(hostile)) in shown
    assert all(letter.isprintable() for text in shown for letter in text)


def test_large_books_are_cut_and_say_so(tmp_path: Path) -> None:
    units = [("crm", f"t{at:05}", "failed" if at % 2 else "complete", "denied" if at % 2 else "") for at in range(3_000)]
    opened = book(*units, holdings=tuple(("t00000", f"f{at}", "PERSON", "general", 1, "x") for at in range(40)))
    opened.execute(
        "insert into holding select id, object, 'f', 'PERSON', 'general', 1, 1, 1, 0, 0, 1, 'x', ? from unit where id > 1",
        (FIRST,),
    )
    text = words(read(written(opened, tmp_path)))
    assert "… 28 more lines in this object; see persondata inventory" in text
    assert "… 2,975 more objects with findings in this source; see persondata inventory" in text
    assert "… 1,400 more; see persondata coverage" in text


def test_the_book_is_only_read(tmp_path: Path) -> None:
    opened = company()
    opened.commit()
    opened.execute("pragma query_only = on")
    report.write("overview", report.Asked(opened), tmp_path / "a.html")
    opened.close()


def test_refusals_are_one_line_and_leave_nothing(tmp_path: Path) -> None:
    opened = book()
    for kind, out, said in (
        ("horoscope", "a.html", "no report is called 'horoscope'"),
        ("overview", "a.pdf", r"end the name in \.htm"),
        ("overview", "a", "no such format"),
        ("overview", "no/such/a.html", "cannot be written"),
    ):
        with pytest.raises(ReportError, match=said) as refused:
            report.write(kind, report.Asked(opened), tmp_path / out)
        assert "\n" not in str(refused.value)
    opened.close()
    assert list(tmp_path.iterdir()) == []


def test_resources_lie_in_the_wheel_or_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (resources.folder("reports") / "overview/queries.sql").is_file()
    (tmp_path / "scanner/_data/rules").mkdir(parents=True)
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "scanner/resources.py"))
    assert resources.folder("rules") == tmp_path.resolve() / "scanner/_data/rules"
