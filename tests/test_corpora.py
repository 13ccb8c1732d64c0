"""Other people's files, where they lie beside the repository: nothing raises, every file is accounted for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scanner.extract import extract
from scanner.model import Blob, Limits, Opened, Problem, TextBatch

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "data" / "corpora"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not here")]


@pytest.mark.parametrize("folder", ["documents", "mail", "chat"])
def test_every_file_is_accounted_for(folder: str) -> None:
    times: list[tuple[float, str]] = []
    silent: list[str] = []
    for path in sorted((CORPORA / folder).rglob("*")):
        if not path.is_file():
            continue
        started = time.perf_counter()
        name = path.relative_to(CORPORA).as_posix()
        opened, characters, problems, pictures = [], 0, [], False
        with path.open("rb") as stream:
            for reading in extract(Blob(name, stream, path.stat().st_size, path), Limits(), lambda _: None):
                if isinstance(reading, Opened):
                    opened.append(reading.object)
                    pictures = pictures or reading.kind == "image"  # may well be of a flower
                elif isinstance(reading, Problem):
                    problems.append(reading)
                else:
                    assert isinstance(reading, TextBatch)
                    assert len(reading.texts) == len(reading.records)
                    characters += sum(len(text or "") for text in reading.texts.to_pylist())
        assert opened[0] == name and len(set(opened)) == len(opened)
        if not characters and not problems and not pictures and path.suffix != ".json" and path.read_bytes().strip():
            silent.append(name)
        times.append((time.perf_counter() - started, name))
    print(*(f"{seconds:7.3f} s  {name}" for seconds, name in sorted(times)[-5:]), sep="\n")
    assert times
    assert silent == []


_K, _U = "documents/kreuzberg", "documents/unstructured"
STANDS = [
    (f"{_K}/odt/trackedChanges.odt", "deleted", "deleted"), (f"{_K}/odt/hiddenTextByStyle.odt", "", "Hidden text"),
    (f"{_K}/odt/hiddenTextByVariable.odt", "variable", "Hidden Text"), (f"{_K}/odt/footnote.odt", "footnote", "Footnote text"),
    (f"{_K}/odt/endnote.odt", "footnote", "Endnote text"), (f"{_K}/documents/fake.odt", "", "Lorem ipsum dolor sit amet."),
    (f"{_K}/rtf/footnote.rtf", "footnote", "See Sahlins, Bateson, and Geertz"), (f"{_K}/documents/unit_test_headers.docx", "property:creator", "Peter Staar"),
    (f"{_K}/documents/docx_tables.docx", "link", "https://tabul.com/"), (f"{_K}/legacy_office/unit_test_lists.doc", "", "Paragraph 2.1.1"),
    (f"{_K}/legacy_office/unit_test_lists.doc", "property:creator", "Peter Staar"), (f"{_U}/language-docs/eng_spa_mult.ppt", "", "born free and equal in dignity"),
    (f"{_K}/presentations/powerpoint_bad_text.pptx", "master", "Subtitel of the presentation"), (f"{_K}/spreadsheets/test_excel.xls", "Item", "Microsoft Office 365 E5"),
    (f"{_K}/spreadsheets/excel_multi_sheet.xlsx", "sheet", "second_sheet"), (f"{_K}/pandoc/data_table.csv", "Name", "Alice Johnson"),
    (f"{_U}/stanley-cups-with-emoji.tsv", "column 1", "Stanley Cups"), (f"{_K}/gmft/tiny.pdf", "property:title", "Pdf docs"),
    (f"{_K}/epub/epub2_cover.epub", "property:creator", "François Martin"), (f"{_K}/docbook/docbook-chapter.docbook", "comment", "tdg.docbook.o"),
    (f"{_K}/xml/simple_svg.svg", "text", "Hello SVG"), (f"{_K}/fictionbook/basic.fb2", "body.section.p", "Sometimes."),
    (f"{_K}/json/real_world/earthquakes.geojson", "type", "FeatureCollection"), (f"{_K}/data_formats/simple.yaml", "ray", "a drop of golden sun"),
    (f"{_U}/arbitrary-records.ndjson", "sku", "GRD-8842"), (f"{_K}/web/complex_table.html", "title", "Complex Table Test"),
    (f"{_K}/latex/basic_sections.tex", "", "The results are presented here."), (f"{_K}/email/complex_headers.eml", "to", "recipient2@exam"),
    (f"{_K}/email/eml/with_attachments/mailgun_pdf_attachment.eml", "body", "This is the epilogue."),
    (f"{_U}/eml/fake-email-attachment.eml", "attachment=fake-attachment.txt", "Hey this is a fake attachment!"),
    (f"{_K}/email/fake_email_attachment.msg", "attachment=fake-attachment.txt", "Hey this is a fake attachment!"),
    (f"{_K}/email/fake_email.msg", "from", "mrobinson@unstructured.io"), ("databases/chinook.sqlite", "LastName", "Gonçalves"),
    ("databases/chinook.mysql.sql", "LastName", "Gonçalves"), ("databases/northwind.postgresql.sql", "contact_name", "Maria Anders"),
    ("databases/pagila.postgresql.sql", "last_name", "GUINESS"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "field", "words"), STANDS, ids=lambda value: value.rpartition("/")[2])
def test_what_stands_there_is_read(name: str, field: str, words: str) -> None:
    path = CORPORA / name
    with path.open("rb") as stream:
        for reading in extract(Blob(name, stream, path.stat().st_size, path), Limits(), lambda _: None):
            if (
                isinstance(reading, TextBatch)
                and reading.field == field
                and any(words in (text or "") for text in reading.texts.to_pylist())
            ):
                return
    raise AssertionError(f"{words!r} was not read")
