"""Workbooks: openpyxl and XlsxWriter make them, xlwt the old ones; what none has a call for is written into their parts."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import openpyxl
import xlsxwriter
import xlwt
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table

from scanner.model import Why
from tests.planted import CPR, Place, changed, with_part, zip_of
from tests.planted.word import _CHART, custom_property, saved

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def _made(change: Callable[[Any, Any], object]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sager"
    sheet.append(["sag", "note"])
    sheet.append(["A", "ja"])
    change(book, sheet)
    return saved(book)


@cache
def _base() -> bytes:
    return _made(lambda book, sheet: None)


def _cell(_: Any, sheet: Any) -> None:
    sheet["B2"] = CPR


def _sheet(state: str) -> Callable[[Any, Any], None]:
    def change(book: Any, _: Any) -> None:
        other = book.create_sheet("Andet")
        other["A1"] = CPR
        other.sheet_state = state

    return change


def _row(_: Any, sheet: Any) -> None:
    sheet["B2"] = CPR
    sheet.row_dimensions[2].hidden = True


def _column(_: Any, sheet: Any) -> None:
    sheet["B2"] = CPR
    sheet.column_dimensions["B"].hidden = True


def _number(_: Any, sheet: Any) -> None:
    sheet["B1"] = "cpr"
    sheet["B2"] = int(CPR.replace("-", ""))
    sheet["B2"].number_format = "000000\\-0000"


def _comment(text: str, author: str) -> Callable[[Any, Any], None]:
    def change(_: Any, sheet: Any) -> None:
        sheet["B2"].comment = Comment(text, author)

    return change


def _header(_: Any, sheet: Any) -> None:
    sheet.oddHeader.center.text = CPR


def _footer(_: Any, sheet: Any) -> None:
    sheet.firstFooter.center.text = CPR


def _name(book: Any, _: Any) -> None:
    book.defined_names["borger"] = DefinedName("borger", attr_text=f'"{CPR}"')


def _name_comment(book: Any, _: Any) -> None:
    book.defined_names["borger"] = DefinedName("borger", attr_text="Sager!$A$1", comment=CPR)


def _formula(_: Any, sheet: Any) -> None:
    sheet["B2"] = f'=IF(A2="A","{CPR}","")'


def _list(_: Any, sheet: Any) -> None:
    rule = DataValidation(type="list", formula1=f'"{CPR},ingen"')
    rule.add("A2")
    sheet.add_data_validation(rule)


def _prompt(_: Any, sheet: Any) -> None:
    rule = DataValidation(type="list", formula1='"ja,nej"', promptTitle="Husk", prompt=CPR)
    rule.add("A2")
    sheet.add_data_validation(rule)


def _table(_: Any, sheet: Any) -> None:
    sheet["B1"] = f"borger {CPR}"
    sheet.add_table(Table(displayName="T", ref="A1:B2"))


def _link(_: Any, sheet: Any) -> None:
    sheet["B2"].hyperlink = f"https://sager.example/?cpr={CPR}"
    sheet["B2"].value = "her"


def _tooltip(_: Any, sheet: Any) -> None:
    sheet["B2"].hyperlink = "https://sager.example/"
    sheet["B2"].hyperlink.tooltip = CPR
    sheet["B2"].value = "her"


def _filter(_: Any, sheet: Any) -> None:
    sheet.auto_filter.ref = "A1:B2"
    sheet.auto_filter.add_filter_column(1, [CPR])


def _scenario() -> bytes:
    xml = f'<scenarios><scenario name="{CPR}" count="1"><inputCells r="A2" val="1"/></scenario></scenarios><pageMargins'
    return changed(_base(), "xl/worksheets/sheet1.xml", "<pageMargins", xml)


def _core(book: Any, _: Any) -> None:
    book.properties.description = CPR


def _writer(change: Callable[[Any, Any], object]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Sager")
        sheet.write_row(0, 0, ["sag", "note"])
        change(book, sheet)
    return out.getvalue()


def _chart(book: Any, sheet: Any) -> None:
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=Sager!$A$1:$A$2", "name": CPR})
    sheet.insert_chart("C1", chart)


def _threaded() -> bytes:
    ns = 'xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"'
    xml = f'<ThreadedComments {ns}><threadedComment ref="B2" personId="{{1}}" id="{{2}}"><text>{CPR}</text></threadedComment></ThreadedComments>'
    relation = "http://schemas.microsoft.com/office/2017/10/relationships/threadedComment"
    return with_part(
        _base(),
        "xl/worksheets/sheet1.xml",
        "xl/threadedComments/threadedComment1.xml",
        xml,
        "application/vnd.ms-excel.threadedcomments+xml",
        relation,
    )


def _person() -> bytes:
    ns = 'xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"'
    xml = f'<personList {ns}><person displayName="{CPR}" id="{{1}}" userId="g" providerId="None"/></personList>'
    return with_part(
        _base(),
        "xl/workbook.xml",
        "xl/persons/person.xml",
        xml,
        "application/vnd.ms-excel.person+xml",
        "http://schemas.microsoft.com/office/2017/10/relationships/person",
    )


def _inline() -> bytes:
    xml = f'<row r="3"><c r="B3" t="inlineStr"><is><t>{CPR}</t></is></c></row></sheetData>'
    return changed(_base(), "xl/worksheets/sheet1.xml", "</sheetData>", xml)


def _result() -> bytes:
    xml = f'<row r="3"><c r="B3" t="str"><f>A1&amp;A2</f><v>{CPR}</v></c></row></sheetData>'
    return changed(_base(), "xl/worksheets/sheet1.xml", "</sheetData>", xml)


def _outside() -> bytes:
    xml = (
        f'<externalLink {_MAIN}><externalBook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rId1"><sheetNames><sheetName val="Ark1"/>'
        f'</sheetNames><sheetDataSet><sheetData sheetId="0"><row r="1"><cell r="A1" t="str"><v>{CPR}</v></cell></row></sheetData></sheetDataSet></externalBook></externalLink>'
    )
    return with_part(
        _base(), "xl/workbook.xml", "xl/externalLinks/externalLink1.xml", xml, "spreadsheetml.externalLink+xml", "externalLink"
    )


def _outside_sheet() -> bytes:
    xml = (
        f'<externalLink {_MAIN}><externalBook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rId1"><sheetNames>'
        f'<sheetName val="{CPR}"/></sheetNames></externalBook></externalLink>'
    )
    return with_part(
        _base(), "xl/workbook.xml", "xl/externalLinks/externalLink1.xml", xml, "spreadsheetml.externalLink+xml", "externalLink"
    )


def _pivot(xml: str, part: str) -> bytes:
    kind = f"spreadsheetml.{part}+xml"
    return with_part(_base(), "xl/workbook.xml", f"xl/pivotCache/{part}1.xml", xml, kind, part)


def _pivot_items() -> bytes:
    xml = (
        f'<pivotCacheDefinition {_MAIN}><cacheSource type="worksheet"><worksheetSource ref="A1:B2" sheet="Sager"/></cacheSource><cacheFields count="1">'
        f'<cacheField name="borger"><sharedItems><s v="{CPR}"/></sharedItems></cacheField></cacheFields></pivotCacheDefinition>'
    )
    return _pivot(xml, "pivotCacheDefinition")


def _connection() -> bytes:
    xml = f'<connections {_MAIN}><connection id="1" name="b" type="1"><dbPr connection="DSN=b" command="SELECT * FROM b WHERE cpr=\'{CPR}\'"/></connection></connections>'
    return with_part(_base(), "xl/workbook.xml", "xl/connections.xml", xml, "spreadsheetml.connections+xml", "connections")


def _drawing() -> bytes:
    return with_part(_base(), "xl/worksheets/sheet1.xml", "xl/charts/chart1.xml", _CHART, "drawingml.chart+xml", "chart")


def _xls(change: Callable[[Any, Any], object]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sager")
    sheet.write(0, 0, "sag")
    sheet.write(1, 0, "A")
    change(book, sheet)
    return saved(book)


def _xls_hidden(book: Any, _: Any) -> None:
    other = book.add_sheet("Andet")
    other.write(0, 0, CPR)
    other.visibility = 2


def _xls_formula(_: Any, sheet: Any) -> None:
    sheet.write(1, 1, xlwt.Formula(f'IF(A2="A";"{CPR}";"")'))


def _xls_link(_: Any, sheet: Any) -> None:
    sheet.write(1, 1, xlwt.Formula(f'HYPERLINK("https://sager.example/?cpr={CPR}";"her")'))


def _xls_header(_: Any, sheet: Any) -> None:
    sheet.header_str = f"&C{CPR}".encode()


def _xls_footer(_: Any, sheet: Any) -> None:
    sheet.footer_str = f"&C{CPR}".encode()


def _xls_owner(book: Any, _: Any) -> None:
    book.owner = CPR


def _xls_protected(_: Any, sheet: Any) -> None:
    sheet.write(1, 1, CPR)
    sheet.col(1).hidden = True


def _xlsb() -> bytes:
    """A binary workbook, record by record as [MS-XLSB] lays them out: no library writes them."""

    def record(kind: int, data: bytes = b"") -> bytes:
        head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
        return head + bytes([len(data)]) + data

    def wide(text: str) -> bytes:
        return struct.pack("<I", len(text)) + text.encode("utf-16-le")

    book = record(131) + record(143) + record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("Sager")) + record(144) + record(132)
    row = record(0, struct.pack("<IIHBBBI", 0, 0, 300, 0, 0, 0, 0))
    cell = record(6, struct.pack("<II", 0, 0) + wide(CPR))
    sheet = record(129) + record(148, struct.pack("<IIII", 0, 0, 0, 0)) + record(145) + row + cell + record(146) + record(130)
    ns = "http://schemas.openxmlformats.org/package/2006/"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    return zip_of(
        {
            "[Content_Types].xml": f'<Types xmlns="{ns}content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/xl/workbook.bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
            '<Override PartName="/xl/worksheets/sheet1.bin" ContentType="application/vnd.ms-excel.worksheet"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{ns}relationships"><Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.bin"/></Relationships>',
            "xl/workbook.bin": book,
            "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{ns}relationships"><Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>',
            "xl/worksheets/sheet1.bin": sheet,
        }
    )


def _xlsb_beside() -> bytes:
    return with_part(
        _xlsb(),
        "xl/worksheets/sheet1.bin",
        "xl/comments1.bin",
        b"\x74\x06\0" + CPR.encode("utf-16-le"),
        "application/vnd.ms-excel.comments",
        "comments",
    )


_EXCEL: list[tuple[str, Callable[[], bytes]]] = [
    ("cell", lambda: _made(_cell)),
    ("number that has lost its leading zero", lambda: _made(_number)),
    ("hidden sheet", lambda: _made(_sheet("hidden"))),
    ("very hidden sheet", lambda: _made(_sheet("veryHidden"))),
    ("hidden row", lambda: _made(_row)),
    ("hidden column", lambda: _made(_column)),
    ("cell comment", lambda: _made(_comment(CPR, "Grethe"))),
    ("author of a cell comment", lambda: _made(_comment("se sagen", CPR))),
    ("comment of a thread", _threaded),
    ("person of a thread", _person),
    ("header", lambda: _made(_header)),
    ("footer of the first page", lambda: _made(_footer)),
    ("defined name, what it stands for", lambda: _made(_name)),
    ("defined name, its comment", lambda: _made(_name_comment)),
    ("name of a sheet", lambda: _made(lambda book, _: book.create_sheet(CPR))),
    ("rich text of a cell", lambda: _writer(lambda book, sheet: sheet.write_rich_string(1, 1, "a ", book.add_format({"bold": True}), CPR[:6], CPR[6:], book.add_format(), " b"))),
    ("inline string", _inline),
    ("text of a formula", lambda: _made(_formula)),
    ("result of a formula", _result),
    ("list of allowed values", lambda: _made(_list)),
    ("input prompt", lambda: _made(_prompt)),
    ("filter", lambda: _made(_filter)),
    ("scenario", _scenario),
    ("chart", lambda: _writer(_chart)),
    ("chart, cells it has copied", _drawing),
    ("text box", lambda: _writer(lambda _, sheet: sheet.insert_textbox(1, 1, CPR))),
    ("alt text", lambda: _writer(lambda _, sheet: sheet.insert_textbox(1, 1, "x", {"description": CPR}))),
    ("heading of a table", lambda: _made(_table)),
    ("target of a hyperlink", lambda: _made(_link)),
    ("tooltip of a hyperlink", lambda: _made(_tooltip)),
    ("link to another workbook, cells it has copied", _outside),
    ("link to another workbook, names of its sheets", _outside_sheet),
    ("copy of cells for a pivot table", _pivot_items),
    ("query of a data connection", _connection),
    ("core property", lambda: _made(_core)),
    ("property of its own", lambda: custom_property(_base())),
    ("xlsm: cell", lambda: changed(_made(_cell), "[Content_Types].xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml", "application/vnd.ms-excel.sheet.macroEnabled.main+xml")),
]  # fmt: skip
_OLD: list[tuple[str, Callable[[], bytes]]] = [
    ("cell", lambda: _xls(lambda _, sheet: sheet.write(1, 1, CPR))),
    ("very hidden sheet", lambda: _xls(_xls_hidden)),
    ("hidden column", lambda: _xls(_xls_protected)),
    ("name of a sheet", lambda: _xls(lambda book, _: book.add_sheet(CPR).write(0, 0, "x"))),
    ("rich text of a cell", lambda: _xls(lambda _, sheet: sheet.write_rich_text(1, 1, (("a ", xlwt.easyfont("bold true")), CPR)))),
    ("text of a formula", lambda: _xls(_xls_formula)),
    ("target of a hyperlink", lambda: _xls(_xls_link)),
    ("header", lambda: _xls(_xls_header)),
    ("footer", lambda: _xls(_xls_footer)),
    ("user who wrote it last", lambda: _xls(_xls_owner)),
]
PLACES = [
    *(Place("Excel (xlsx, xlsm, xltx)", place, "sager.xlsx", make) for place, make in _EXCEL),
    *(Place("Excel before 2007 (xls)", place, "sager.xls", make) for place, make in _OLD),
    Place("Excel binary (xlsb)", "cell", "sager.xlsb", _xlsb),
    Place("Excel binary (xlsb)", "comments and whatever else is not a cell", "sager.xlsb", _xlsb_beside, Why.UNSUPPORTED),
]
