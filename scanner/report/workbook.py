"""Writes tables as an Excel workbook: texts and numbers only, so that nothing in it can be taken for a formula."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ODD_TITLE = re.compile(r"[\[\]:*?/\\']")
_LONGEST = 32_767
"""So many letters fit into a cell."""
_STYLES = f"""{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>\
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>\
<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>\
<fill><patternFill patternType="solid"><fgColor rgb="FFE6EFF5"/></patternFill></fill></fills>\
<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3">\
<xf><alignment vertical="top" wrapText="1"/></xf>\
<xf fontId="1" fillId="2" applyFont="1" applyFill="1"><alignment vertical="top" wrapText="1"/></xf>\
<xf numFmtId="3" applyNumberFormat="1"><alignment vertical="top"/></xf></cellXfs></styleSheet>"""


class Sheet(NamedTuple):
    """One sheet: the names of its columns, and its rows."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | float | None]]


def workbook(sheets: Mapping[str, Sheet]) -> bytes:
    """A workbook of these sheets by title, whose first rows stay in sight and can be filtered by. The same tables give the same bytes."""
    titles = [_ODD_TITLE.sub(" ", title)[:31] for title in sheets]
    numbers = range(1, len(titles) + 1)
    listed = "".join(f'<sheet name={quoteattr(title)} sheetId="{n}" r:id="r{n}"/>' for n, title in zip(numbers, titles, strict=True))
    relations = "".join(f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers)
    kinds = "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_type("worksheet")}"/>' for n in numbers)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
        f'"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType='
        f'"{_type("sheet.main")}"/><Override PartName="/xl/styles.xml" ContentType="{_type("styles")}"/>{kinds}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}'
        f'<Relationship Id="styles" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": _STYLES.removeprefix(_HEAD),
    }
    parts |= {f"xl/worksheets/sheet{n}.xml": _sheet(sheet) for n, sheet in zip(numbers, sheets.values(), strict=True)}
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, _HEAD + content)
    return out.getvalue()


def _type(part: str) -> str:
    return f"application/vnd.openxmlformats-officedocument.spreadsheetml.{part}+xml"


def _sheet(sheet: Sheet) -> str:
    rows = [list(sheet.columns), *sheet.rows]
    widths = [
        min(60, max(len(str(row[i])) if i < len(row) and row[i] is not None else 0 for row in rows[:500]) + 2) for i in range(len(rows[0]))
    ]
    columns = "".join(f'<col min="{i}" max="{i}" width="{max(width, 8)}" customWidth="1"/>' for i, width in enumerate(widths, 1))
    cells = "".join(_row(number, row) for number, row in enumerate(rows, 1))
    last = f"{_letters(len(rows[0]))}{len(rows)}"
    return (
        f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/>'
        f'</sheetView></sheetViews><cols>{columns}</cols><sheetData>{cells}</sheetData><autoFilter ref="A1:{last}"/></worksheet>'
    )


def _row(number: int, row: Sequence[str | int | float | None]) -> str:
    cells = "".join(_cell(f"{_letters(i)}{number}", value, 1 if number == 1 else 0) for i, value in enumerate(row, 1))
    return f'<row r="{number}">{cells}</row>'


def _cell(place: str, value: str | float | None, style: int) -> str:
    if value is None or value == "":
        return f'<c r="{place}" s="{style}"/>' if style else ""
    if isinstance(value, (int, float)):
        return f'<c r="{place}" s="{2 if isinstance(value, int) else 0}"><v>{value}</v></c>'
    text = escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value)[:_LONGEST])
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _letters(number: int) -> str:
    """The letters of a column: 1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
