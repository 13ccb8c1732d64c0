"""Writes tables as an Excel workbook: texts and numbers only, so that nothing in it can be taken for a formula."""

from __future__ import annotations

import functools
import itertools
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import IO, NamedTuple
from xml.sax.saxutils import escape, quoteattr

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ODD_TITLE = re.compile(r"[\[\]:*?/\\']")
_LONGEST = 32_767
"""So many letters fit into a cell."""
_MOST_ROWS = 1_048_576
"""So many rows fit into a sheet, the names of the columns among them."""
_LOOKED_AT = 500
"""So many rows say how wide the columns are."""
_STYLES = f"""{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>\
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>\
<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>\
<fill><patternFill patternType="solid"><fgColor rgb="FFE6EFF5"/></patternFill></fill></fills>\
<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3">\
<xf><alignment vertical="top" wrapText="1"/></xf>\
<xf fontId="1" fillId="2" applyFont="1" applyFill="1"><alignment vertical="top" wrapText="1"/></xf>\
<xf numFmtId="3" applyNumberFormat="1"><alignment vertical="top"/></xf></cellXfs>\
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"""


class Sheet(NamedTuple):
    """One sheet: the names of its columns, and its rows, which may come one by one and be more than a sheet holds."""

    columns: Sequence[str]
    rows: Iterable[Sequence[str | int | float | None]]


def workbook(sheets: Mapping[str, Sheet]) -> bytes:
    """A workbook of these sheets by title, whose first rows stay in sight and can be filtered by. The same tables give the same bytes."""
    out = BytesIO()
    write(sheets, out)
    return out.getvalue()


def write(sheets: Mapping[str, Sheet], out: IO[bytes]) -> None:
    """The same to a file, row by row. What is too long for one sheet goes on in others, which are numbered."""
    titles: list[str] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as package:
        for title, sheet in sheets.items():
            rows = iter(sheet.rows)
            for number in itertools.count(1):
                first = list(itertools.islice(rows, _LOOKED_AT))
                if number > 1 and not first:
                    break
                titles.append(_title(title, number, titles))
                with package.open(_entry(f"xl/worksheets/sheet{len(titles)}.xml"), "w", force_zip64=True) as file:
                    _write_sheet(file, sheet.columns, first, itertools.islice(rows, _MOST_ROWS - 1 - len(first)))
        for name, content in _parts(titles).items():
            package.writestr(_entry(name), _HEAD + content)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _title(title: str, number: int, taken: Sequence[str]) -> str:
    """The title of a sheet: at most 31 letters, none of those that Excel refuses, no two alike."""
    plain = _ODD_TITLE.sub(" ", title)
    for tail in itertools.chain([f" ({number})" if number > 1 else ""], (f" ({n})" for n in itertools.count(2))):
        made = plain[: 31 - len(tail)] + tail
        if made.casefold() not in {one.casefold() for one in taken}:
            return made
    raise AssertionError


def _parts(titles: Sequence[str]) -> dict[str, str]:
    """What a workbook is made of besides its sheets."""
    numbers = range(1, len(titles) + 1)
    listed = "".join(f'<sheet name={quoteattr(title)} sheetId="{n}" r:id="r{n}"/>' for n, title in zip(numbers, titles, strict=True))
    relations = "".join(f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers)
    kinds = "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_type("worksheet")}"/>' for n in numbers)
    return {
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


def _type(part: str) -> str:
    return f"application/vnd.openxmlformats-officedocument.spreadsheetml.{part}+xml"


def _write_sheet(
    out: IO[bytes],
    columns: Sequence[str],
    first: Sequence[Sequence[str | int | float | None]],
    rest: Iterable[Sequence[str | int | float | None]],
) -> None:
    """One sheet; its `first` rows say how wide the columns are."""
    seen = [columns, *first]
    widths = [min(60, max(len(str(row[i])) if i < len(row) and row[i] is not None else 0 for row in seen) + 2) for i in range(len(columns))]
    wide = "".join(f'<col min="{i}" max="{i}" width="{max(width, 8)}" customWidth="1"/>' for i, width in enumerate(widths, 1))
    out.write(
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/>'
        f"</sheetView></sheetViews><cols>{wide}</cols><sheetData>".encode()
    )
    count = 0
    rows = itertools.chain(seen, rest)
    while lines := list(itertools.islice(rows, 1_000)):
        out.write("".join(_row(number, row) for number, row in enumerate(lines, count + 1)).encode())
        count += len(lines)
    last = f"{_letters(len(columns))}{count}"
    out.write(f'</sheetData><autoFilter ref="A1:{last}"/></worksheet>'.encode())


def _row(number: int, row: Sequence[str | int | float | None]) -> str:
    cells = "".join(_cell(f"{_letters(i)}{number}", value, 1 if number == 1 else 0) for i, value in enumerate(row, 1))
    return f'<row r="{number}">{cells}</row>'


def _cell(place: str, value: str | float | None, style: int) -> str:
    if value is None or value == "":
        return f'<c r="{place}" s="{style}"/>' if style else ""
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, (int, float)):
        return f'<c r="{place}" s="{2 if isinstance(value, int) else 0}"><v>{value}</v></c>'
    text = escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value)[:_LONGEST])
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


@functools.lru_cache(maxsize=256)
def _letters(number: int) -> str:
    """The letters of a column: 1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
