"""Bytes to texts: every place in every format is read, under its address; what is not read is said."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.extract import extract
from scanner.extract.text import Cutter
from scanner.model import CUT, OVERLAP, Blob, Limits, Opened, Problem, Shape, TextBatch, Why

Address = tuple[str, str, str, str]


class Reading:
    """What was read of a blob: every text under its address, the problems, and what was told to `watch`."""

    def __init__(self, data: bytes, name: str, limits: Limits | None = None, skip: frozenset[str] = frozenset()) -> None:
        self.watched: list[str] = []
        self.batches: list[TextBatch] = []
        self.problems: list[Problem] = []
        self.opened: list[Opened] = []
        blob = Blob(name, io.BytesIO(data), len(data), skip=skip)
        for part in extract(blob, limits or Limits(), self.watched.append):
            {TextBatch: self.batches, Problem: self.problems, Opened: self.opened}[type(part)].append(part)  # type: ignore[attr-defined]

    @property
    def texts(self) -> list[Address]:
        return [
            (b.object, record, b.field, text)
            for b in self.batches
            for record, text in zip(b.records.to_pylist(), b.texts.to_pylist(), strict=True)
            if text
        ]

    def at(self, record: str, field: str) -> list[str]:
        return [text.strip() for _, r, f, text in self.texts if (r, f) == (record, field)]

    def field(self, field: str) -> str:
        return "\n".join(text for _, _, f, text in self.texts if f == field)

    @property
    def why(self) -> list[tuple[str, Why]]:
        return [(p.object, p.why) for p in self.problems]


def read(data: bytes | str, name: str = "a.txt", limits: Limits | None = None, skip: frozenset[str] = frozenset()) -> Reading:
    return Reading(data.encode() if isinstance(data, str) else data, name, limits, skip)


def zipped(members: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


# --- plain text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings(codec: str) -> None:
    text = "Kære Søren Ågård,\r\ntak for mødet i går.\r\n" * 3
    assert read(text.encode(codec)).texts == [("a.txt", "1", "", text)]


def test_stray_cp1252_in_utf8() -> None:
    data = "Søren og ".encode() + "Åse".encode("cp1252") + " – € \x81".encode() + b"\x80\x81"
    assert read(data).texts[0][3] == "Søren og Åse – € \x81€\x81"
    long = ("æøå " * 9000).encode() + "ø".encode("cp1252") + ("æøå " * 9000).encode()
    assert "".join(t for *_, t in read(long).texts).count("ø") >= 18_001


def test_dos_letters() -> None:
    assert read("Kære Søren, på gensyn i Ærø".encode("cp865")).texts[0][3] == "Kære Søren, på gensyn i Ærø"
    assert read(b"don\x92t say \x91hello\x92 \x91here\x92 \x86").texts[0][3] == "don’t say ‘hello’ ‘here’ †"


def test_cp1252_of_any_length_splits_no_letter() -> None:
    text = "Østergård æblegrød " * 200_000
    for codec in ("cp1252", "utf-8"):
        rows = owned(read(text.encode(codec)).batches)
        assert "".join(rows) == text


def test_binary_is_not_text() -> None:
    assert read(bytes(range(256)) * 40, "a.txt").why == [("a.txt", Why.UNSUPPORTED)]
    assert read(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.txt").why == [("a.txt", Why.DAMAGED)]
    assert read(b"", "a.txt").texts == [] == read(b"", "a.txt").problems


def owned(batches: list[TextBatch]) -> list[str]:
    out = []
    for batch in batches:
        for at, text in enumerate(batch.texts.to_pylist()):
            seams = batch.seams
            out.append(text[seams.begin[at].as_py() : seams.end[at].as_py()] if seams else text)
    return out


def test_line_addresses_of_cut_rows() -> None:
    lines = [f"linje {n} " + "x" * (n % 90) for n in range(1, 4000)]
    text = "\n".join(lines)
    (batch,) = read(text).batches
    assert batch.by_line and batch.seams and batch.shape is Shape.PROSE and len(batch.texts) > 4
    assert "".join(owned([batch])) == text
    for at, row in enumerate(batch.texts.to_pylist()):
        line, base = int(batch.records[at].as_py()), batch.seams.base[at].as_py()
        assert lines[line - 1][base:].startswith(row.split("\n")[0])
        assert at == 0 or batch.seams.begin[at].as_py() == OVERLAP


def test_lone_returns_are_lines_only_without_newlines() -> None:
    assert read(b"en\rto\rtre").texts[0][3] == "en\nto\ntre"
    assert read(b"en\rto\ntre").texts[0][3] == "en\rto\ntre"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="ab\næ😀 ", max_size=40), max_size=30), st.integers(0, 3 * CUT), st.booleans())
def test_cutting_loses_nothing(pieces: list[str], filler: int, by_line: bool) -> None:
    pieces = [*pieces, "fyld\n" * (filler // 5), *pieces]
    text = "".join(pieces)
    cutter = Cutter(by_line)
    rows = [row for piece in pieces for row in cutter.feed(piece)] + list(cutter.feed("", last=True))
    assert "".join(row.text[row.begin : row.end] for row in rows) == text
    for at, row in enumerate(rows):
        start = max(at * CUT - OVERLAP, 0)
        assert row.text == text[start : (at + 1) * CUT + OVERLAP]
        before = text[:start]
        if by_line:
            assert (row.line, row.base) == (before.count("\n") + 1, start - before.rfind("\n") - 1)
        else:
            assert row.base == start


# --- tables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_csv(mark: str) -> None:
    rows = [["navn", "email", "note"], ["Jens Hansen", "jens@x.dk", f"a{mark}b"], [], ["Åse", "", "to\nlinjer"]]
    data = "\r\n".join(mark.join(f'"{c}"' if mark in c or "\n" in c else c for c in row) for row in rows)
    found = read(data, "kunder.csv")
    assert found.opened[0].kind == "csv"
    assert found.at("row=2", "email") == ["jens@x.dk"]
    assert found.at("row=2", "note") == [f"a{mark}b"]
    assert found.at("row=4", "navn") == ["Åse"]
    assert found.at("row=4", "note") == ["to\nlinjer"]
    assert all(b.shape is Shape.CELL and b.records is found.batches[0].records for b in found.batches)


def test_csv_headers_and_ragged_rows() -> None:
    found = read("jens@x.dk;Jens;12345678\nole@x.dk;Ole;23456789;mere\n", "a.csv")
    assert found.at("row=1", "column 1") == ["jens@x.dk"]
    assert found.at("row=2", "column 4") == ["mere"]
    titled = read("Kunder 2024,,\n,,\nnavn,by,tlf\nÅse,Ribe,20304050\n", "a.csv")
    assert titled.at("row=4", "by") == ["Ribe"]
    assert "Kunder 2024" in titled.field("column 1")
    people = read("Jens Hansen;Vestergade\nOle Olsen;Nørregade\n", "a.csv")
    assert people.at("row=1", "column 1") == ["Jens Hansen"]
    assert read("email\na@b.dk\nc@d.dk\n", "a.csv").at("row=3", "email") == ["c@d.dk"]
    assert read("navn;navn\nA;B\n", "a.csv").at("row=2", "navn (2)") == ["B"]


def test_a_letter_with_commas_is_text() -> None:
    letter = "Kære Jens, Ole, og Åse,\nTak for mødet, det var godt, synes jeg.\nVi ses, måske, i morgen, kl. 8.\n"
    assert read(letter).opened[0].kind == "txt"
    assert read("Kære Jens, tak.\nDet var godt.\nHilsen Ole\n", "brev.csv").opened[0].kind == "txt"
    assert read("a;b;c\n1;2;3\n4;5;6\n", "a.txt").opened[0].kind == "csv"


def test_csv_with_a_quote_that_never_closes() -> None:
    data = 'id;navn\n1;"Jens\n' + "".join(f"{n};Ole {n}\n" for n in range(2, 400_000))
    found = read(data, "a.csv")
    assert found.at("row=2", "navn") == ['"Jens']
    assert found.at("row=399999", "navn") == ["Ole 399998"] or found.at("row=400000", "navn") == ["Ole 399999"]


def test_csv_with_a_very_long_cell() -> None:
    long = "x" * CUT + " jens@x.dk"
    found = read(f"id,tekst\n1,{long}\n2,kort\n", "a.csv")
    assert found.at("row=3", "tekst") == ["kort"]
    assert "".join(owned([b for b in found.batches if b.seams])) == long


def test_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = {"navn": ["Åse", None], "nr": [1, 2], "p": [{"email": "a@b.dk"}, None], "l": [["x", "y"], []], "b": [b"Ole", b"\0\xff"]}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    found = read((tmp_path / "a.parquet").read_bytes(), "a.parquet")
    assert found.at("row=1", "navn") == ["Åse"]
    assert found.at("row=2", "nr") == ["2"]
    assert found.at("row=1", "p.email") == ["a@b.dk"]
    assert found.at("row=1", "l") == ["x", "y"]
    assert found.at("row=1", "b") == ["Ole"]
    assert read((tmp_path / "a.parquet").read_bytes()[:-9], "a.parquet").why == [("a.parquet", Why.DAMAGED)]


def test_xlsx(tmp_path: Path) -> None:
    import openpyxl
    from openpyxl.comments import Comment

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Kunder"
    for at, row in enumerate([["navn", "cpr", "saldo"], ["Jens", 101701234, 1.5], ["Åse", None, 12]], 3):
        for column, value in enumerate(row, 2):
            sheet.cell(at, column, value)
    sheet["B4"].comment = Comment("bor hos Ole", "Grethe")
    sheet.oddHeader.center.text = "Fortroligt sidehoved"
    hidden = book.create_sheet("Skjult")
    hidden.sheet_state = "hidden"
    hidden["A1"] = "hemmelig@x.dk"
    book.properties.creator = "Mette Forfatter"
    book.save(tmp_path / "a.xlsx")
    data = (tmp_path / "a.xlsx").read_bytes()
    found = read(data, "a.xlsx")
    assert found.at("sheet=Kunder,row=4", "cpr") == ["101701234"]
    assert found.at("sheet=Kunder,row=4", "saldo") == ["1.5"]
    assert found.at("sheet=Kunder,row=5", "saldo") == ["12"]
    assert found.at("sheet=Skjult,row=1", "A") == ["hemmelig@x.dk"]
    assert found.at("sheet=Kunder,row=4", "comment") == ["bor hos Ole"]
    assert found.at("sheet=Kunder", "header") == ["Fortroligt sidehoved"]
    assert found.at("", "property:creator") == ["Mette Forfatter"]
    assert found.field("author") == "Grethe"
    assert found.problems == []
    assert found.at("sheet=Skjult", "sheet") == ["Skjult"]
    sheet["XFD1048576"] = "langt væk"
    book.save(tmp_path / "b.xlsx")
    far = read((tmp_path / "b.xlsx").read_bytes(), "b.xlsx")
    assert [(p.why, p.record) for p in far.problems] == [(Why.TOO_LARGE, "sheet=Kunder")]
    assert far.at("sheet=Skjult,row=1", "A") == ["hemmelig@x.dk"]
    parts = {name: zipfile.ZipFile(io.BytesIO(data)).read(name) for name in zipfile.ZipFile(io.BytesIO(data)).namelist()}
    ns = 'xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"'
    parts["xl/threadedComments/threadedComment1.xml"] = f'<T {ns}><threadedComment ref="B4"><text>tråd om Ole</text></threadedComment></T>'
    parts["xl/pivotCache/pivotCacheDefinition1.xml"] = '<p><sharedItems><s v="glemt@x.dk"/></sharedItems></p>'
    found = read(zipped(parts), "a.xlsx")
    assert "tråd om Ole" in found.field("comment")
    assert found.field("cache") == "glemt@x.dk"


def test_ods() -> None:
    rows = "".join(
        f'<table:table-row table:number-rows-repeated="{n}"><table:table-cell office:value-type="string">'
        f"<text:p>{text}</text:p>{extra}</table:table-cell></table:table-row>"
        for n, text, extra in [
            (1, "email", ""),
            (2, "jens@x.dk", ""),
            (1, "ole@x.dk", f"<office:annotation>{P}se Åse</text:p></office:annotation>"),
        ]
    )
    content = odf(f'<office:spreadsheet><table:table table:name="Ark">{rows}</table:table></office:spreadsheet>')
    mimetype = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    found = read(zipped({"mimetype": mimetype, "content.xml": content, "META-INF/manifest.xml": manifest}), "a.ods")
    assert found.problems == []
    assert found.at("sheet=Ark,row=2", "email") == ["jens@x.dk"]
    assert found.at("sheet=Ark,row=4", "email")[0].startswith("ole@x.dk")
    assert found.at("sheet=Ark,row=4", "comment") == ["se Åse"]


# --- trees --------------------------------------------------------------------------------------------------------


def test_json() -> None:
    rows = [{"customer": {"emails": ["a@b.dk", "c@d.dk"]}, "n": 7, "ok": True, "x": None}, {"jens@x.dk": {"by": "Ribe"}}]
    found = read(json.dumps(rows), "a.json")
    assert found.at("item=1", "customer.emails") == ["a@b.dk", "c@d.dk"]
    assert found.at("item=1", "n") == ["7"]
    assert found.at("item=2", "key") == ["jens@x.dk"]
    assert found.at("item=2", "*.by") == ["Ribe"]
    assert len(found.texts) == 5
    named = read(json.dumps({"v": 1, "kunder": rows}), "a.json")
    assert named.at("item=2", "kunder.*.by") == ["Ribe"]
    assert named.at("", "v") == ["1"]
    assert read('{"a": "1", "a": "2"}', "a.json").at("", "a") == ["1", "2"]
    assert read('{"a": "\\ud800b"}', "a.json").at("", "a") == ["?b"]
    many = read(json.dumps({f"bruger{n}": {"by": f"By{n}"} for n in range(2000)}), "a.json")
    assert len({b.field for b in many.batches}) < 220
    assert "bruger1999" in many.field("key")


def test_json_larger_than_the_window() -> None:
    rows = [{"n": n, "navn": f"Åse {n}", "tekst": "x" * 50} for n in range(40_000)]
    found = read(json.dumps({"a": {"b": rows}, "slut": "jens@x.dk"}), "a.json")
    assert found.field("a.b.navn").endswith("Åse 39999")
    assert found.at("", "slut") == ["jens@x.dk"]
    assert found.problems == []


def test_broken_json_is_read_as_text() -> None:
    whole = json.dumps([{"navn": f"Åse {n}"} for n in range(20_000)], ensure_ascii=False)
    found = read(whole[:-40] + "!", "a.json")
    assert found.why == [("a.json", Why.DAMAGED)]
    assert found.at("item=5", "navn") == ["Åse 4"]
    assert "Åse 19997" in found.field("")
    assert read("[2024-01-01] start\n[2024-01-02] slut\n", "a.log").opened[0].kind == "log"
    assert read("[" * 100_000, "a.json").field("") != ""


def test_json_lines() -> None:
    found = read('{"a": "Åse"}\n\n{"a": {"b": "Ole"}}\nikke json\n', "a.jsonl")
    assert found.at("line=1", "a") == ["Åse"]
    assert found.at("line=3", "a.b") == ["Ole"]
    assert found.at("line=4", "") == ["ikke json"]
    assert found.why == [("a.jsonl", Why.DAMAGED)]


def test_yaml() -> None:
    found = read("- navn: Åse\n  børn: [Ib, Bo]\n- navn: &x Ole\n  kopi: *x\n", "a.yaml")
    assert found.at("item=1", "navn") == ["Åse"]
    assert found.at("item=1", "børn") == ["Ib", "Bo"]
    assert found.at("item=2", "navn") == ["Ole"]
    assert read("kunde:\n  email: a@b.dk\n", "a.yml").at("", "kunde.email") == ["a@b.dk"]
    broken = read("a: b\nc: [d\ne: @@ f: g", "a.yaml")
    assert "@@ f" in broken.field("")


def test_xml() -> None:
    data = '<?xml version="1.0"?><r xmlns="urn:x"><k id="7"><navn>Åse</navn><p>Hej <b>Jens</b> Hansen</p></k><k><navn>Ole</navn></k><!-- Ib --></r>'
    found = read(data, "a.xml")
    assert found.at("item=1", "k.navn") == ["Åse"]
    assert found.at("item=2", "k.navn") == ["Ole"]
    assert found.at("item=1", "k.@id") == ["7"]
    assert found.at("item=1", "k.p") == ["Hej Jens Hansen"]
    assert "Ib" in found.field("comment")
    cut = read(data[:-30], "a.xml")
    assert cut.why == [("a.xml", Why.DAMAGED)]
    assert "Åse" in cut.field("")


def test_xml_looks_nothing_up(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hemmeligt")
    outside = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]><r><a>&x; Åse</a></r>'
    found = read(outside, "a.xml")
    assert "hemmeligt" not in str(found.texts)
    assert "Åse" in str(found.texts)
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "ha">{laughs}]><r a="&l11;">&l11;</r>'
    assert sum(len(t) for *_, t in read(bomb, "a.xml").texts) < 100_000


def test_html() -> None:
    data = """<!DOCTYPE html><html><head><title>Vores&nbsp;folk</title><meta name="description" content="om Åse">
    <script>var x = "nej";</script><script type="application/ld+json">{"email": "ld@x.dk"}</script></head>
    <body><p>Hej <b>Jens</b>Hansen</p><table><tr><td>navn</td><td>Ole</td></tr></table><!-- Ib -->
    <a href="mailto:mail%40x.dk">skriv</a><img alt="billede af Bo"></body></html>"""
    found = read(data, "a.html")
    assert found.at("", "")[0].startswith("Hej JensHansen\nnavn\tOle")
    assert "nej" not in found.at("", "")[0] and "nej" in found.field("script")
    assert found.at("", "title") == ["Vores\xa0folk"]
    assert {"om Åse", "mail@x.dk", "billede af Bo"} <= set(found.field("attribute").split("\n"))
    assert found.at("", "comment") == ["Ib"]
    assert "ld@x.dk" in found.field("script")


def test_files_written_into_html() -> None:
    note = base64.b64encode("Kære Åse".encode()).decode()
    body = (
        f'<p>Se</p><a href="data:text/plain;charset=utf-8;base64,{note[:5]}%0A{note[5:]}">hent</a><img src="DATA:image/gif;base64,R0lGOD">'
    )
    body += f"<iframe srcdoc='<a href=&quot;data:text/plain;base64,{note}&quot;>x</a>'></iframe><a href='data:,Kort%20note'>n</a>"
    found = read(body, "a.html")
    assert [(object, text) for object, _, _, text in found.texts if "!file" in object] == [
        ("a.html!file", "Kære Åse"), ("a.html!file (2)", "Kære Åse")
    ]  # fmt: skip
    assert "data:,Kort note" in found.field("attribute") and [(p.object, p.why) for p in found.problems] == [
        ("a.html!picture", Why.DAMAGED)
    ]
    mail = read(f"Subject: x\nContent-Type: text/html; charset=utf-8\n\n{body}", "a.eml")
    assert [field for _, _, field, text in mail.texts if text == "Kære Åse"] == ["attachment=file", "attachment=file (2)"]
    deep = read(body, "a.html", limits=Limits(archive_depth=0))
    assert {p.why for p in deep.problems} == {Why.TOO_LARGE} and len(deep.problems) == 3


# --- documents ----------------------------------------------------------------------------------------------------

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
P = "<text:p>"


def odf(body: str) -> str:
    names = {"office": "office", "text": "text", "table": "table", "style": "style", "draw": "drawing", "presentation": "presentation"}
    spaces = " ".join(f'xmlns:{k}="urn:oasis:names:tc:opendocument:xmlns:{v}:1.0"' for k, v in names.items())
    return f'<office:document-content {spaces} xmlns:xlink="http://www.w3.org/1999/xlink"><office:body>{body}</office:body></office:document-content>'


def test_docx(tmp_path: Path) -> None:
    import docx

    document = docx.Document()
    paragraph = document.add_paragraph("Kære ")
    paragraph.add_run("Jens")
    paragraph.add_run("Hansen")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "navn", "Åse"
    document.sections[0].header.paragraphs[0].text = "sidehoved Bo"
    document.sections[0].footer.paragraphs[0].text = "sidefod Ib"
    document.core_properties.author = "Mette Forfatter"
    document.add_comment(paragraph.runs, text="bemærkning om Ole", author="Grethe", initials="G")
    document.save(tmp_path / "a.docx")
    data = (tmp_path / "a.docx").read_bytes()
    found = read(data, "brev.bin")
    assert found.opened == [Opened("brev.bin", "docx", len(data))]
    assert found.at("", "")[0].split("\n")[:2] == ["Kære JensHansen", "navn \tÅse"]
    assert found.at("", "header") == ["sidehoved Bo"]
    assert found.at("", "footer") == ["sidefod Ib"]
    assert found.at("", "comment") == ["bemærkning om Ole"]
    assert found.at("", "property:creator") == ["Mette Forfatter"]
    assert "Grethe" in found.field("author")


def docx_of(body: str, **parts: str) -> bytes:
    types = '<Types><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    more = {f"word/{name}.xml": f"<w:x {W}>{xml}</w:x>" for name, xml in parts.items()}
    return zipped({"[Content_Types].xml": types, "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>", **more})


def test_docx_hidden_places() -> None:
    body = (
        "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>Kære</w:t><w:tab/><w:t>Åse</w:t><w:br/></w:r>"
        "<w:del><w:r><w:delText>slettet Ole</w:delText></w:r></w:del>"
        "<mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>boks Bo</w:t></w:r></w:p></w:txbxContent></mc:Choice>"
        "<mc:Fallback><w:txbxContent><w:p><w:r><w:t>boks Bo</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:p>"
    )
    note = "<w:footnote><w:p><w:r><w:t>fodnote Ib</w:t></w:r></w:p></w:footnote>"
    data = docx_of(body, footnotes=note)
    found = read(data, "a.docx")
    assert sorted(found.at("", "")) == ["Kære\tÅse", "boks Bo"]
    assert found.at("", "deleted") == ["slettet Ole"]
    assert found.at("", "footnote") == ["fodnote Ib"]
    embedded = zipfile.ZipFile(io.BytesIO(data))
    members: dict[str, bytes | str] = {n: embedded.read(n) for n in embedded.namelist()}
    members["word/embeddings/ark.csv"] = "navn;email\nJens;jens@x.dk\n"
    inner = read(zipped(members), "a.docx")
    assert ("a.docx!word/embeddings/ark.csv", "row=2", "email", "jens@x.dk") in inner.texts
    long = read(docx_of("<w:p><w:r><w:t>Kære Åse </w:t></w:r></w:p>" * 20_000), "a.docx")
    assert "".join(owned(long.batches)).count("Åse") == 20_000


def test_pptx() -> None:
    a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'

    def slide(text: str, attributes: str = "") -> str:
        return f"<p:sld {a} {attributes}><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>"

    def rels(targets: dict[str, str]) -> str:
        return "<Relationships>" + "".join(f'<Relationship Id="{k}" Target="{v}"/>' for k, v in targets.items()) + "</Relationships>"

    kind = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
    found = read(
        zipped(
            {
                "[Content_Types].xml": f'<Types><Override PartName="/ppt/presentation.xml" ContentType="{kind}"/></Types>',
                "ppt/presentation.xml": f'<p:presentation {a}><p:sldIdLst><p:sldId id="256" r:id="b"/><p:sldId id="257" r:id="a"/></p:sldIdLst></p:presentation>',
                "ppt/_rels/presentation.xml.rels": rels({"a": "slides/slide1.xml", "b": "slides/slide2.xml"}),
                "ppt/slides/slide1.xml": slide("skjult Åse", 'show="0"'),
                "ppt/slides/slide2.xml": slide("Hej Jens"),
                "ppt/slides/_rels/slide1.xml.rels": rels({"n": "../notesSlides/notesSlide1.xml", "c": "../comments/comment1.xml"}),
                "ppt/notesSlides/notesSlide1.xml": slide("note om Ole"),
                "ppt/comments/comment1.xml": f"<p:cmLst {a}><p:cm><p:text>kommentar Bo</p:text></p:cm></p:cmLst>",
                "docProps/custom.xml": '<Properties><property name="Sagsbehandler"><lpwstr>Ib</lpwstr></property></Properties>',
            }
        ),
        "a.pptx",
    )
    assert found.problems == []
    assert found.at("slide=1", "") == ["Hej Jens"]
    assert found.at("slide=2", "") == ["skjult Åse"]
    assert found.at("slide=2", "note") == ["note om Ole"]
    assert found.at("slide=2", "comment") == ["kommentar Bo"]
    assert found.at("", "property:Sagsbehandler") == ["Ib"]


def test_odt() -> None:
    body = (
        "<office:text><text:tracked-changes><text:changed-region><text:deletion><text:p>slettet Bo</text:p></text:deletion>"
        f"</text:changed-region></text:tracked-changes>{P}Kære <text:span>Jens</text:span><text:tab/>Hansen<text:s text:c='2'/>!"
        f'<text:note><text:note-body>{P}fodnote Ib</text:p></text:note-body></text:note><text:a xlink:href="mailto:a@b.dk">skriv</text:a></text:p>'
        f"<office:annotation>{P}om Ole</text:p></office:annotation></office:text>"
    )
    styles = odf(f"<style:footer>{P}sidefod Åse</text:p></style:footer>")
    mimetype = "application/vnd.oasis.opendocument.text"
    found = read(zipped({"mimetype": mimetype, "content.xml": odf(body), "styles.xml": styles}), "a.odt")
    assert found.at("", "")[-1] == "Kære Jens\tHansen  !skriv"
    for field, text in {
        "deleted": "slettet Bo",
        "footnote": "fodnote Ib",
        "comment": "om Ole",
        "footer": "sidefod Åse",
        "link": "a@b.dk",
    }.items():
        assert found.at("", field) == [text]
    closed = '<manifest:manifest xmlns:manifest="m"><manifest:encryption-data/></manifest:manifest>'
    assert read(zipped({"mimetype": mimetype, "content.xml": b"\1\2", "META-INF/manifest.xml": closed}), "a.odt").why == [
        ("a.odt", Why.ENCRYPTED)
    ]


def test_rtf() -> None:
    data = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}}{\info{\author Mette Forfatter}}{\header sidehoved Bo\par}"
        rb"K\'e6re \b J\b0 ens\par {\footnote fodnote Ib}\u216?se\u8364 ?{\deleted slettet Ole}{\*\annotation note om \'c5se}"
        rb'{\field{\*\fldinst HYPERLINK "mailto:a@b.dk"}{\fldrslt skriv}}{\pict 0102}{\*\unknown nej}}'
    )
    found = read(data, "a.rtf")
    assert found.at("", "") == ["Kære Jens\nØse€skriv"]
    assert found.at("", "header") == ["sidehoved Bo"]
    assert found.at("", "footnote") == ["fodnote Ib"]
    assert found.at("", "deleted") == ["slettet Ole"]
    assert found.at("", "comment") == ["note om Åse"]
    assert "a@b.dk" in found.field("link")
    assert found.at("", "property:creator") == ["Mette Forfatter"]
    assert read(data[:-30], "a.rtf").why == [("a.rtf", Why.DAMAGED)]


def pdf_of(*objects: str, trailer: str = "") -> bytes:
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{at:010} 00000 n \n" for at in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<</Size {len(objects) + 1}/Root 1 0 R{trailer}>>\nstartxref\n{len(out)}\n%%EOF"
    return out + end.encode()


def stream(data: str, entries: str = "") -> str:
    return f"<</Length {len(data)}{entries}>>\nstream\n{data}\nendstream"


def test_pdf() -> None:
    page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]"
    font = "/Resources<</Font<</F 5 0 R>>/XObject<</I 11 0 R>>>>"
    text = "BT /F 12 Tf 10 100 Td (Hej Jens Hansen, tak for sidst) Tj ET"
    data = pdf_of(
        "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[7 0 R]>>/Names<</EmbeddedFiles<</Names[(a.csv) 9 0 R]>>>>>>",
        "<</Type/Pages/Count 2/Kids[3 0 R 4 0 R]>>",
        f"{page}{font}/Contents 6 0 R/Annots[7 0 R 8 0 R]>>",
        f"{page}{font}/Contents 12 0 R>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        stream(text),
        "<</Type/Annot/Subtype/Widget/FT/Tx/T(felt)/V(formular Bo)/Rect[0 0 9 9]>>",
        "<</Type/Annot/Subtype/Text/Contents(note om Ole)/T(Grethe)/Rect[0 0 9 9]>>",
        "<</Type/Filespec/F(a.csv)/UF(a.csv)/EF<</F 10 0 R>>>>",
        stream("navn;email\nIb;ib@x.dk\n", "/Type/EmbeddedFile"),
        stream("\xff", "/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8"),
        stream("q 100 0 0 100 0 0 cm /I Do Q"),
        "<</Author(Mette Forfatter)>>",
        trailer="/Info 13 0 R",
    )
    found = read(data, "a.pdf")
    assert found.at("page=1", "") == ["Hej Jens Hansen, tak for sidst"]
    assert found.at("page=1", "form") == ["formular Bo"]
    assert found.at("page=1", "annotation") == ["note om Ole"]
    assert found.at("", "property:author") == ["Mette Forfatter"]
    assert ("a.pdf!a.csv", "row=2", "email", "ib@x.dk") in found.texts
    assert [(p.why, p.record) for p in found.problems] == ([] if shutil.which("tesseract") else [(Why.UNSUPPORTED, "page=2")])
    assert read(data[:40], "a.pdf").why == [("a.pdf", Why.DAMAGED)]
    lock = f"/Encrypt<</Filter/Standard/V 1/R 2/O<{'00' * 32}>/U<{'00' * 32}>/P -4>>/ID[<00><00>]"
    assert read(pdf_of("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 0/Kids[]>>", trailer=lock), "a.pdf").why == [
        ("a.pdf", Why.ENCRYPTED)
    ]


def compound(names: list[str]) -> bytes:
    """A compound file whose directory lists empty streams of these names."""

    def entry(name: str, kind: int, right: int, child: int) -> bytes:
        raw = name.encode("utf-16-le")
        ends = b"".join(n.to_bytes(4, "little") for n in (0xFFFFFFFF, right, child))
        size = (len(raw) + 2).to_bytes(2, "little")
        return raw.ljust(64, b"\0") + size + bytes([kind, 1]) + ends + b"\0" * 36 + (0xFFFFFFFE).to_bytes(4, "little") + b"\0" * 8

    words = lambda *numbers: b"".join(n.to_bytes(4, "little") for n in numbers)  # noqa: E731
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + b"\x3e\0\3\0\xfe\xff\x09\0\x06\0" + b"\0" * 6
    head += words(0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0) + words(*[0xFFFFFFFF] * 108)
    fat = words(0xFFFFFFFD, 0xFFFFFFFE, *[0xFFFFFFFF] * 126)
    rows = entry("Root Entry", 5, 0xFFFFFFFF, 1)
    for at, name in enumerate(names, 1):
        rows += entry(name, 2, at + 1 if at < len(names) else 0xFFFFFFFF, 0xFFFFFFFF)
    return head + fat + rows.ljust(512, b"\0")


def test_compound_files() -> None:
    assert read(compound(["EncryptionInfo", "EncryptedPackage"]), "a.docx").why == [("a.docx", Why.ENCRYPTED)]
    assert read(compound(["Noget"]), "a.bin").why == [("a.bin", Why.UNSUPPORTED)]
    assert read(compound(["WordDocument"])[:700], "a.doc").why[0][0] == "a.doc"


# --- mail ---------------------------------------------------------------------------------------------------------

MAIL = """From: =?utf-8?q?J=C3=B8rgen?= <j@x.dk>\r
To: Ole <ole@x.dk>,\r
 Bo <bo@x.dk>\r
Subject: =?iso-8859-1?b?TfhkZQ==?= i morgen\r
Message-ID: <1@x.dk>\r
Received: from [10.0.0.1] by mail.x.dk\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
Content-Type: text/plain; charset=iso-8859-1\r
Content-Transfer-Encoding: quoted-printable\r
\r
K=E6re Ole\r
--b\r
Content-Type: text/html; charset=utf-8\r
\r
<p>Hej <b>Bo</b></p><script>nej</script>\r
--b\r
Content-Type: text/csv; name=kunder.csv\r
Content-Disposition: attachment; filename*=utf-8''kund%C3%A9r.csv\r
\r
navn;email\r
Ib;ib@x.dk\r
--b\r
Content-Type: application/zip; name="filer.zip"\r
Content-Transfer-Encoding: base64\r
\r
ZIP\r
--b\r
Content-Type: image/png; name=x.png\r
Content-Transfer-Encoding: base64\r
\r
iVBORw0KGgo=\r
--b\r
Content-Type: message/rfc822\r
\r
From: inderst@x.dk\r
Subject: videresendt\r
\r
inderste tekst\r
--b--\r
"""


def mail() -> bytes:
    import base64

    return MAIL.replace("ZIP", base64.b64encode(zipped({"a.txt": "tekst i zip"})).decode()).encode()


def test_eml() -> None:
    found = read(mail(), "a.eml")
    record = "message=<1@x.dk>"
    assert {(o, r) for o, r, *_ in found.texts} == {("a.eml", record)}
    assert found.at(record, "from") == ["Jørgen <j@x.dk>"]
    assert found.at(record, "to") == ["Ole <ole@x.dk>, Bo <bo@x.dk>"]
    assert found.at(record, "subject") == ["Møde i morgen"]
    assert "10.0.0.1" in found.field("header")
    assert found.at(record, "body") == ["Kære Ole", "Hej Bo"]
    assert found.at(record, "attachment=kundér.csv/email") == ["ib@x.dk"]
    assert found.at(record, "attachment=filer.zip!a.txt") == ["tekst i zip"]
    assert found.at(record, "attachment=message.eml/from") == ["inderst@x.dk"]
    assert found.at(record, "attachment=message.eml/body") == ["inderste tekst"]
    assert [(p.object, p.why, p.record, p.field) for p in found.problems] == [("a.eml", Why.DAMAGED, record, "attachment=x.png")]
    assert [o.object for o in found.opened] == ["a.eml"]
    culprit = next(name for name in found.watched if name.endswith("filer.zip"))
    skipped = read(mail(), "a.eml", skip=frozenset([culprit]))
    assert skipped.field("attachment=filer.zip!a.txt") == ""
    assert skipped.at(record, "attachment=message.eml/body") == ["inderste tekst"]


@pytest.mark.parametrize(
    "data",
    [
        b"From: a@b.dk\nSubject: =?x-none?q?=C6?= =?utf-8?b?!!!?=\nTo: \xe6\xf8\xe5 <x@y.dk>\n\nhej",
        b"From: a@b.dk\nSubject: x\nTo: y\nContent-Type: multipart/mixed; boundary=\n\nhej",
        b"From: a@b.dk\nSubject: x\nTo: y\nContent-Type: text/plain; charset=findes-ikke\nContent-Transfer-Encoding: base64\n\n%%%hej\xe6",
        b"From: a@b.dk\nSubject: x\nTo: y\nContent-Type: text/plain; charset*=x'\n\nhej",
        b"From: a@b.dk\nSubject: x\nTo: y\nContent-Disposition: attachment; filename*0*=x''%; filename*1=y\nContent-Type: ;;\n\nhej",
        b"From: a@b.dk\nSubject: x\nTo: y\n",
    ],
)
def test_malformed_mail_survives(data: bytes) -> None:
    found = read(data, "a.eml")
    assert found.at("message=1", "from") == ["a@b.dk"]
    assert not [p for p in found.problems if p.why is Why.DAMAGED]


def test_mbox() -> None:
    one = "From MAILER Thu Nov  2 10:00:00 2017\nFrom: a{n}@x.dk\n{id}Subject: s\n\nKære Åse\n\nFrom mig til dig, hej\n>From Ole\n\n"
    data = "".join(one.format(n=n, id=f"Message-ID: <{n}@x.dk>\n" if n % 2 else "") for n in range(1, 4001))
    found = read(data, "inbox")
    assert found.opened[0].kind == "mbox" and len(found.opened) == 1
    assert found.at("message=<3999@x.dk>", "from") == ["a3999@x.dk"]
    assert found.at("message=4000", "from") == ["a4000@x.dk"]
    assert len([t for t in found.texts if t[2] == "from"]) == 4000
    assert found.at("message=2", "body") == ["Kære Åse\n\nFrom mig til dig, hej\nFrom Ole"]
    assert len(found.batches) < 12


# --- containers ---------------------------------------------------------------------------------------------------


def tarred(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(("pack", "ending"), [(gzip.compress, "gz"), (bz2.compress, "bz2"), (lzma.compress, "xz")])
def test_containers_in_each_other(pack: object, ending: str) -> None:
    inner = pack(tarred({"a/b.txt": "Åse".encode()}))  # type: ignore[operator]
    found = read(zipped({f"x.tar.{ending}": inner, "breve/": "", f"y.txt.{ending}": pack(b"Ole")}), "z.zip")  # type: ignore[operator]
    assert [(o, t) for o, _, _, t in found.texts] == [(f"z.zip!x.tar.{ending}!a/b.txt", "Åse"), (f"z.zip!y.txt.{ending}!y.txt", "Ole")]
    assert found.problems == []
    assert found.watched[0] == "z.zip"
    assert f"z.zip!x.tar.{ending}!a/b.txt" in found.watched
    assert [o.object for o in found.opened][:2] == ["z.zip", f"z.zip!x.tar.{ending}"]


def test_encrypted_and_damaged_members() -> None:
    data = bytearray(zipped({"a.txt": "hemmeligt", "b.txt": "åbent brev"}))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + at] |= 1
    found = read(bytes(data), "z.zip")
    assert found.why == [("z.zip!a.txt", Why.ENCRYPTED)]
    assert [o for o, *_ in found.texts] == ["z.zip!b.txt"]
    assert read(zipped({"a.txt": "Åse" * 900})[:-40], "z.zip").why == [("z.zip", Why.DAMAGED)]
    cut = read(gzip.compress("Åse ".encode() * 90_000)[:-300], "a.txt.gz")
    assert cut.why == [("a.txt.gz!a.txt", Why.DAMAGED)]
    assert "Åse" in cut.texts[0][3]
    whole = tarred({"a.txt": b"Ole", "b.txt": b"x" * 5000})
    assert read(whole[:2500], "x.tar").field("").startswith("Ole")
    assert Why.DAMAGED in [p.why for p in read(whole[:2500], "x.tar").problems]


def test_bombs() -> None:
    bomb = zipped({"nul.txt": b"0" * 30_000_000, "b.txt": "Ole"})
    found = read(bomb, "z.zip")
    assert found.why == [("z.zip!nul.txt", Why.TOO_LARGE)]
    assert found.field("") == "Ole"
    assert read(gzip.compress(b"0" * 30_000_000), "a.gz").why == [("a.gz!a", Why.TOO_LARGE)]
    nested: bytes = b"Ole"
    for _ in range(12):
        nested = zipped({"x": nested})
    deep = read(nested, "z.zip")
    assert [p.why for p in deep.problems] == [Why.TOO_LARGE] and len(deep.opened) == 9
    many = read(zipped({f"{n}.txt": "Ole" for n in range(20)}), "z.zip", Limits(archive_members=5))
    assert len(many.texts) == 5 and many.why == [("z.zip", Why.TOO_LARGE)]
    assert read(zipped({"a.txt": "Ole" * 99, "b.txt": "Bo"}), "z.zip", Limits(archive_bytes=100)).why == [("z.zip!a.txt", Why.TOO_LARGE)]
    assert read(docx_of("<w:p/>"), "a.docx", Limits(document_bytes=10)).why == [("a.docx", Why.TOO_LARGE)]


def test_skipped_objects_are_passed_over() -> None:
    data = zipped({"a.txt": "Ole", "b.txt": "Bo"})
    found = read(data, "z.zip", skip=frozenset(["z.zip!a.txt"]))
    assert [o.object for o in found.opened] == ["z.zip", "z.zip!b.txt"]
    assert "z.zip!a.txt" not in found.watched
    assert read(data, "z.zip", skip=frozenset(["z.zip"])).opened == []


def test_two_members_of_one_name() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.txt", "Ole")
        archive.writestr("a.txt", "Bo")
    assert [(o, t) for o, _, _, t in read(out.getvalue(), "z.zip").texts] == [("z.zip!a.txt", "Ole"), ("z.zip!a.txt (2)", "Bo")]


def test_sqlite_member(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("create table kunder (id integer primary key, email text)")
        database.execute("insert into kunder values (7, 'a@b.dk')")
    database.close()
    found = read(zipped({"a.db": (tmp_path / "a.db").read_bytes()}), "z.zip")
    assert ("z.zip!a.db!kunder", "id=7", "email", "a@b.dk") in found.texts


# --- nothing breaks it --------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["pdf", "zip", "docx", "eml", "json", "xml", "rtf", "csv", "html", "gz", "ole"]), st.data())
def test_damaged_bytes_never_raise(kind: str, data: st.DataObject) -> None:
    whole = {
        "pdf": pdf_of("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 0/Kids[]>>"), "zip": zipped({"a.txt": "Ole" * 30}),
        "docx": docx_of("<w:p><w:r><w:t>Ole</w:t></w:r></w:p>"), "eml": mail(), "json": b'[{"a": ["b", {"c": 1}]}]',
        "xml": b'<?xml version="1.0"?><r><a b="c">d</a></r>', "rtf": rb"{\rtf1 K\'e6re {\b Ole}\par}", "csv": b'a;b\n1;"2\n3"\n',
        "html": b"<html><body><p>Ole</p></body></html>", "gz": gzip.compress(b"Ole" * 30), "ole": compound(["WordDocument", "Data"]),
    }[kind]  # fmt: skip
    broken = bytearray(whole[: data.draw(st.integers(1, len(whole)))])
    for _ in range(data.draw(st.integers(0, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    found = Reading(bytes(broken), f"a.{kind}")
    assert found.opened[0].object == f"a.{kind}"


def test_problems_do_not_quote_the_content() -> None:
    for name, data in {
        "a.json": b'[{"a": "hemmelig-canary"},' + b"x" * 99_999, "a.xml": b"<?xml version='1.0'?><hemmelig-canary><a></hemmelig>",
        "a.yaml": b"a: hemmelig-canary\nb: [c", "a.csv": b"hemmelig-canary;\"x\n", "a.rtf": b"{\\rtf1 hemmelig-canary",
        "a.docx": zipped({"[Content_Types].xml": "x", "hemmelig-canary": "y"})[:-30],
    }.items():  # fmt: skip
        assert "canary" not in str(read(data, name).problems)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl", "a.json", "a.xml", "a.mbox", "a.html"])
def test_memory_does_not_grow(tmp_path: Path, name: str) -> None:
    import subprocess
    import sys

    line = {
        "a.txt": "Kære Jens, ring på 20304050.\n", "a.csv": "Jens;j@x.dk;Vestergade 7\n", "a.jsonl": '{"navn": "Jens", "email": "j@x.dk"}\n',
        "a.json": '{"navn": "Jens", "email": "j@x.dk"},\n', "a.xml": "<k><navn>Jens</navn></k>\n",
        "a.mbox": "From x Thu Nov  2 10:00:00 2017\nFrom: j@x.dk\nSubject: x\nTo: y\n\n" + "Kære Ole\n" * 300 + "\n", "a.html": "<p>Kære Ole</p>\n",
    }[name]  # fmt: skip
    around = {"a.json": ("[", "{}]"), "a.xml": ("<?xml version='1.0'?><r>", "</r>"), "a.html": ("<html><body>", "</body></html>")}.get(
        name, ("", "")
    )
    path = tmp_path / name
    with path.open("w", encoding="utf-8") as file:
        file.write(around[0])
        for _ in range(30):
            file.write(line * (2**20 // len(line)))
        file.write(around[1])
    code = (
        "import sys; from scanner.extract import extract; from scanner.model import Blob, Limits; import os\n"
        "p = sys.argv[1]; f = open(p, 'rb'); n = sum(1 for _ in extract(Blob(p, f, os.path.getsize(p)), Limits(), lambda o: None))\n"
        "print(n, [line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    readings, peak = map(int, done.stdout.split())
    assert readings > 2 and peak < 300 * 1024
