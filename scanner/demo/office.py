"""Writes office files from nothing: Word, Excel and OpenDocument.

Each function takes words and gives the bytes of the smallest file that other programs open without complaint.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from xml.sax.saxutils import escape

Cell = str | int | float | date | None
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
OPEN = "http://schemas.openxmlformats.org"
REL = f"{OPEN}/officeDocument/2006/relationships"
WORD = f'xmlns:w="{OPEN}/wordprocessingml/2006/main" xmlns:r="{REL}"'
SHEET = f'xmlns="{OPEN}/spreadsheetml/2006/main" xmlns:r="{REL}"'

STYLES = f"""{XML}<styleSheet {SHEET}>
<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>
<fills count="2">
<fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>
</fills>
<borders count="1"><border/></borders>
<cellStyleXfs count="1"><xf/></cellStyleXfs>
<cellXfs count="2"><xf xfId="0"/><xf numFmtId="14" applyNumberFormat="1" xfId="0"/></cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>"""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook. `comments` are by cell, as in `{"B4": "…"}`."""

    name: str
    rows: Sequence[Sequence[Cell]]
    hidden: bool = False
    comments: Mapping[str, str] = field(default_factory=dict)


def packed(members: Mapping[str, bytes | str], stored_first: bool = False) -> bytes:
    """A zip of these members, the same bytes every time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for at, (name, content) in enumerate(members.items()):
            info = zipfile.ZipInfo(name, (2026, 3, 2, 9, 15, 0))
            info.compress_type = zipfile.ZIP_STORED if stored_first and at == 0 else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return out.getvalue()


def relations(*targets: tuple[str, str]) -> str:
    """A relationships part: each target is the last word of its type and its path, numbered rId1, rId2, …"""
    rows = "".join(f'<Relationship Id="rId{at}" Type="{REL}/{kind}" Target="{path}"/>' for at, (kind, path) in enumerate(targets, 1))
    return f'{XML}<Relationships xmlns="{OPEN}/package/2006/relationships">{rows}</Relationships>'


def types(**parts: str) -> str:
    """The content types of an OOXML package: path (`_` for `/`, no ending) and the middle of its type."""
    rows = "".join(
        f'<Override PartName="/{path.replace("__", "/")}.xml" ContentType="application/vnd.openxmlformats-officedocument.{kind}+xml"/>'
        for path, kind in parts.items()
    )
    return (
        f'{XML}<Types xmlns="{OPEN}/package/2006/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml"'
        ' ContentType="application/xml"/><Default Extension="vml"'
        f' ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>{rows}</Types>'
    )


def docx(body: Sequence[str | Sequence[Sequence[str]]], header: str = "", footer: str = "", comment: str = "") -> bytes:
    """A Word document. A list among the paragraphs is a table; the comment stands at the first paragraph."""
    blocks = [
        _table(block) if not isinstance(block, str) else _paragraph(block, bool(comment) and at == 0) for at, block in enumerate(body)
    ]
    who = 'w:id="0" w:author="Kirsten Møller" w:date="2026-02-11T10:04:00Z" w:initials="KM"'
    return packed(
        {
            "[Content_Types].xml": types(
                **{
                    f"word__{part}": f"wordprocessingml.{kind}"
                    for part, kind in (
                        ("document", "document.main"),
                        ("header1", "header"),
                        ("footer1", "footer"),
                        ("comments", "comments"),
                    )
                }
            ),
            "_rels/.rels": relations(("officeDocument", "word/document.xml")),
            "word/document.xml": (
                f'{XML}<w:document {WORD}><w:body>{"".join(blocks)}<w:sectPr><w:headerReference w:type="default"'
                ' r:id="rId1"/><w:footerReference w:type="default" r:id="rId2"/></w:sectPr></w:body></w:document>'
            ),
            "word/_rels/document.xml.rels": relations(("header", "header1.xml"), ("footer", "footer1.xml"), ("comments", "comments.xml")),
            "word/header1.xml": f"{XML}<w:hdr {WORD}>{_paragraph(header)}</w:hdr>",
            "word/footer1.xml": f"{XML}<w:ftr {WORD}>{_paragraph(footer)}</w:ftr>",
            "word/comments.xml": (
                f"{XML}<w:comments {WORD}>" + (f"<w:comment {who}>{_paragraph(comment)}</w:comment>" if comment else "") + "</w:comments>"
            ),
        }
    )


def _paragraph(text: str, commented: bool = False) -> str:
    run = f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    if commented:
        run = f'<w:commentRangeStart w:id="0"/>{run}<w:commentRangeEnd w:id="0"/><w:r><w:commentReference w:id="0"/></w:r>'
    return f"<w:p>{run}</w:p>"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = "".join("<w:tr>" + "".join(f"<w:tc><w:tcPr/>{_paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>" for row in rows)
    return f"<w:tbl><w:tblPr/><w:tblGrid>{'<w:gridCol/>' * len(rows[0])}</w:tblGrid>{lines}</w:tbl>"


def xlsx(*sheets: Sheet) -> bytes:
    """An Excel workbook; dates are real dates, text stands in the cells."""
    numbers = range(1, len(sheets) + 1)
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": types(
            xl__workbook="spreadsheetml.sheet.main",
            xl__styles="spreadsheetml.styles",
            **{f"xl__worksheets__sheet{n}": "spreadsheetml.worksheet" for n in numbers},
            **{f"xl__comments{n}": "spreadsheetml.comments" for n in numbers if sheets[n - 1].comments},
        ),
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": (
            f"{XML}<workbook {SHEET}><sheets>"
            + "".join(
                f'<sheet name="{escape(sheet.name)}"'
                f' sheetId="{n}"{" state=" + chr(34) + "hidden" + chr(34) if sheet.hidden else ""} r:id="rId{n}"/>'
                for n, sheet in enumerate(sheets, 1)
            )
            + "</sheets></workbook>"
        ),
        "xl/_rels/workbook.xml.rels": relations(*(("worksheet", f"worksheets/sheet{n}.xml") for n in numbers), ("styles", "styles.xml")),
        "xl/styles.xml": STYLES,
    }
    for n, sheet in enumerate(sheets, 1):
        rows = "".join(
            f'<row r="{at}">' + "".join(_cell(f"{_column(column)}{at}", value) for column, value in enumerate(row)) + "</row>"
            for at, row in enumerate(sheet.rows, 1)
        )
        drawing = '<legacyDrawing r:id="rId2"/>' if sheet.comments else ""
        members[f"xl/worksheets/sheet{n}.xml"] = f"{XML}<worksheet {SHEET}><sheetData>{rows}</sheetData>{drawing}</worksheet>"
        if sheet.comments:
            members[f"xl/worksheets/_rels/sheet{n}.xml.rels"] = relations(
                ("comments", f"../comments{n}.xml"), ("vmlDrawing", f"../notes{n}.vml")
            )
            members[f"xl/comments{n}.xml"] = (
                f"{XML}<comments {SHEET}><authors><author>Kirsten Møller</author></authors><commentList>"
                + "".join(
                    f'<comment ref="{cell}" authorId="0"><text><t>{escape(text)}</t></text></comment>'
                    for cell, text in sheet.comments.items()
                )
                + "</commentList></comments>"
            )
            members[f"xl/notes{n}.vml"] = (
                '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:x="urn:schemas-microsoft-com:office:excel">'
                + "".join(
                    f'<v:shape id="n{at}" type="#_x0000_t202" style="visibility:hidden">'
                    f'<x:ClientData ObjectType="Note"><x:Row>{int(cell[1:]) - 1}</x:Row>'
                    f"<x:Column>{ord(cell[0]) - 65}</x:Column></x:ClientData></v:shape>"
                    for at, cell in enumerate(sheet.comments)
                )
                + "</xml>"
            )
    return packed(members)


def _column(at: int) -> str:
    return chr(65 + at)


def _cell(place: str, value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return f'<c r="{place}" s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def odt(paragraphs: Sequence[str]) -> bytes:
    """An OpenDocument text."""
    kind = "application/vnd.oasis.opendocument.text"
    oasis = "urn:oasis:names:tc:opendocument:xmlns"
    body = "".join(f"<text:p>{escape(paragraph)}</text:p>" for paragraph in paragraphs)
    return packed(
        {
            "mimetype": kind,
            "META-INF/manifest.xml": (
                f'<?xml version="1.0" encoding="UTF-8"?>\n<manifest:manifest xmlns:manifest="{oasis}:manifest:1.0"'
                ' manifest:version="1.2"><manifest:file-entry manifest:full-path="/"'
                f' manifest:media-type="{kind}"/><manifest:file-entry manifest:full-path="content.xml"'
                ' manifest:media-type="text/xml"/></manifest:manifest>'
            ),
            "content.xml": (
                f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document-content xmlns:office="{oasis}:office:1.0" '
                f'xmlns:text="{oasis}:text:1.0"'
                f' office:version="1.2"><office:body><office:text>{body}</office:text></office:body>'
                "</office:document-content>"
            ),
        },
        stored_first=True,
    )
