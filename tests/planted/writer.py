"""OpenDocument texts, sheets and slides: odfpy makes them, and what it has no call for is written into their parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from odf import dc, draw, meta, style, table, text
from odf.opendocument import OpenDocumentPresentation, OpenDocumentSpreadsheet, OpenDocumentText

from scanner.model import Why
from tests.planted import CPR, Place, changed
from tests.planted.word import saved

_END = "</office:text>"
_P = f"<text:p>{CPR}</text:p>"


@cache
def _text() -> bytes:
    document = OpenDocumentText()
    document.text.addElement(text.P(text="Notat om sagen"))
    return saved(document)


def _body(xml: str) -> Callable[[], bytes]:
    return lambda: changed(_text(), "content.xml", _END, xml + _END)


def _properties(add: Callable[[Any], object]) -> Callable[[], bytes]:
    def make() -> bytes:
        document = OpenDocumentText()
        document.text.addElement(text.P(text="Notat om sagen"))
        add(document.meta)
        return saved(document)

    return make


def _margin(kind: Any) -> Callable[[], bytes]:
    def make() -> bytes:
        document = OpenDocumentText()
        document.text.addElement(text.P(text="Notat om sagen"))
        layout = style.PageLayout(name="L")
        document.automaticstyles.addElement(layout)
        page = style.MasterPage(name="Standard", pagelayoutname=layout)
        document.masterstyles.addElement(page)
        margin = kind()
        page.addElement(margin)
        margin.addElement(text.P(text=CPR))
        return saved(document)

    return make


def _object() -> bytes:
    document, inner = OpenDocumentText(), OpenDocumentSpreadsheet()
    sheet, row, cell = table.Table(name="Ark"), table.TableRow(), table.TableCell(valuetype="string")
    cell.addElement(text.P(text=CPR))
    row.addElement(cell)
    sheet.addElement(row)
    inner.spreadsheet.addElement(sheet)
    frame = draw.Frame()
    frame.addElement(draw.Object(href=document.addObject(inner)))
    paragraph = text.P()
    paragraph.addElement(frame)
    document.text.addElement(paragraph)
    return saved(document)


def _sheet(change: Callable[[Any, Any], None] = lambda book, sheet: None, value: str = "A", name: str = "Sager") -> bytes:
    book = OpenDocumentSpreadsheet()
    sheet = table.Table(name=name)
    for content in ("sag", value):
        row, cell = table.TableRow(), table.TableCell(valuetype="string")
        cell.addElement(text.P(text=content))
        row.addElement(cell)
        sheet.addElement(row)
    book.spreadsheet.addElement(sheet)
    change(book, sheet)
    return saved(book)


def _in_sheet(xml: str, before: str = "</office:spreadsheet>") -> Callable[[], bytes]:
    return lambda: changed(_sheet(), "content.xml", before, xml + before)


def _hidden_sheet() -> bytes:
    def change(book: Any, sheet: Any) -> None:
        hidden = style.Style(name="skjult", family="table")
        hidden.addElement(style.TableProperties(display="false"))
        book.automaticstyles.addElement(hidden)
        sheet.setAttribute("stylename", hidden)

    return _sheet(change, CPR)


def _slides(make: Callable[[Any, Any], None]) -> bytes:
    deck = OpenDocumentPresentation()
    layout = style.PageLayout(name="L")
    deck.automaticstyles.addElement(layout)
    master = style.MasterPage(name="M", pagelayoutname=layout)
    deck.masterstyles.addElement(master)
    page = draw.Page(masterpagename=master, name="Forside")
    deck.presentation.addElement(page)
    make(page, master)
    return saved(deck)


def _box(owner: Any, content: str) -> None:
    frame, box = draw.Frame(), draw.TextBox()
    box.addElement(text.P(text=content))
    frame.addElement(box)
    owner.addElement(frame)


def _in_slide(xml: str) -> Callable[[], bytes]:
    return lambda: changed(_slides(lambda page, _: _box(page, "Status")), "content.xml", "</draw:page>", xml + "</draw:page>")


_ANNOTATION = f"<office:annotation><dc:creator>Grethe</dc:creator>{_P}</office:annotation>"
_INFO = "<office:change-info><dc:creator>{}</dc:creator><dc:date>2024-01-01T00:00:00</dc:date></office:change-info>"
_DELETED = f'<text:tracked-changes><text:changed-region text:id="c"><text:deletion>{_INFO.format("Grethe")}{_P}</text:deletion></text:changed-region></text:tracked-changes>'
_INSERTED = f'<text:tracked-changes><text:changed-region text:id="c"><text:insertion>{_INFO.format(CPR)}</text:insertion></text:changed-region></text:tracked-changes>'
_PREVIOUS = (
    '<table:tracked-changes><table:cell-content-change table:id="c"><table:cell-address table:column="0" table:row="1" table:table="0"/>'
    f"{_INFO.format('Grethe')}<table:previous><table:change-track-table-cell office:value-type='string'>{_P}</table:change-track-table-cell>"
    "</table:previous></table:cell-content-change></table:tracked-changes>"
)
_TEXT: list[tuple[str, Callable[[], bytes]]] = [
    ("body", _body(_P)),
    ("heading", _body(f'<text:h text:outline-level="1">{CPR}</text:h>')),
    ("table", _body(f"<table:table table:name='T'><table:table-row><table:table-cell>{_P}</table:table-cell></table:table-row></table:table>")),
    ("header", _margin(style.Header)),
    ("footer", _margin(style.Footer)),
    ("footnote", _body(f'<text:p>a<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>{_P}</text:note-body></text:note></text:p>')),
    ("annotation", _body(f"<text:p>a{_ANNOTATION}</text:p>")),
    ("author of an annotation", _body(f"<text:p>a<office:annotation><dc:creator>{CPR}</dc:creator><text:p>se</text:p></office:annotation></text:p>")),
    ("tracked deletion", _body(_DELETED)),
    ("author of a tracked change", _body(_INSERTED)),
    ("hidden section", _body(f'<text:section text:name="S" text:display="none">{_P}</text:section>')),
    ("name of a section", _body(f'<text:section text:name="{CPR}"><text:p>x</text:p></text:section>')),
    ("hidden text", _body(f'<text:p>a<text:hidden-text text:condition="ooow:1" text:is-hidden="true" text:string-value="{CPR}"/></text:p>')),
    ("conditional text", _body(f'<text:p>a<text:conditional-text text:condition="ooow:1" text:string-value-if-true="x" text:string-value-if-false="{CPR}">x</text:conditional-text></text:p>')),
    ("variable", _body(f'<text:user-field-decls><text:user-field-decl text:name="b" office:value-type="string" office:string-value="{CPR}"/></text:user-field-decls>')),
    ("bookmark", _body(f'<text:p>a<text:bookmark text:name="{CPR}"/></text:p>')),
    ("text box", _body(f"<text:p><draw:frame><draw:text-box>{_P}</draw:text-box></draw:frame></text:p>")),
    ("alt text", _body(f"<text:p><draw:frame draw:name='B'><svg:desc>{CPR}</svg:desc></draw:frame></text:p>")),
    ("form field", _body(f'<text:p><draw:control draw:control="c"/></text:p><office:forms><form:form form:name="F"><form:text form:name="felt" form:current-value="{CPR}"/></form:form></office:forms>')),
    ("target of a hyperlink", _body(f'<text:p><text:a xlink:href="https://sager.example/?cpr={CPR}">her</text:a></text:p>')),
    ("entry of an index", _body(f'<text:p>a<text:alphabetical-index-mark text:string-value="{CPR}"/></text:p>')),
    ("embedded sheet", _object),
    ("meta: subject", _properties(lambda m: m.addElement(dc.Subject(text=CPR)))),
    ("meta: author", _properties(lambda m: m.addElement(meta.InitialCreator(text=CPR)))),
    ("user-defined property", _properties(lambda m: m.addElement(meta.UserDefined(name="Borger", text=CPR)))),
]  # fmt: skip
_SHEET: list[tuple[str, Callable[[], bytes]]] = [
    ("cell", lambda: _sheet(value=CPR)),
    ("hidden sheet", _hidden_sheet),
    ("name of a sheet", lambda: _sheet(name=CPR)),
    ("annotation", _in_sheet(_ANNOTATION, "</table:table-cell>")),
    ("author of an annotation", _in_sheet(f"<office:annotation><dc:creator>{CPR}</dc:creator><text:p>se</text:p></office:annotation>", "</table:table-cell>")),
    ("text of a formula", _in_sheet(f'<table:table-row><table:table-cell table:formula="of:=IF(1;&quot;{CPR}&quot;;2)" office:value-type="float" office:value="2"/></table:table-row>', "</table:table>")),
    ("text box", _in_sheet(f"<table:shapes><draw:frame><draw:text-box>{_P}</draw:text-box></draw:frame></table:shapes>", "</table:table>")),
    ("alt text", _in_sheet(f"<table:shapes><draw:frame><svg:title>{CPR}</svg:title></draw:frame></table:shapes>", "</table:table>")),
    ("defined name", _in_sheet(f'<table:named-expressions><table:named-expression table:name="b" table:expression="&quot;{CPR}&quot;"/></table:named-expressions>')),
    ("list of allowed values", _in_sheet(f'<table:content-validations><table:content-validation table:name="v" table:condition="of:cell-content-is-in-list(&quot;{CPR}&quot;)"/></table:content-validations>')),
    ("target of a hyperlink", _in_sheet(f'<text:p><text:a xlink:href="https://sager.example/?cpr={CPR}">her</text:a></text:p>', "</table:table-cell>")),
    ("what a tracked change replaced", _in_sheet(_PREVIOUS, "<table:table ")),
    ("user-defined property", lambda: changed(_sheet(), "meta.xml", "</office:meta>", f'<meta:user-defined meta:name="B">{CPR}</meta:user-defined></office:meta>')),
]  # fmt: skip
_SLIDES: list[tuple[str, Callable[[], bytes]]] = [
    ("slide", lambda: _slides(lambda page, _: _box(page, CPR))),
    ("notes", _in_slide(f"<presentation:notes><draw:frame><draw:text-box>{_P}</draw:text-box></draw:frame></presentation:notes>")),
    ("annotation", _in_slide(_ANNOTATION)),
    ("master", lambda: _slides(lambda _, master: _box(master, CPR))),
    ("alt text", _in_slide(f"<draw:frame><svg:desc>{CPR}</svg:desc></draw:frame>")),
    ("name of a slide", lambda: changed(_slides(lambda page, _: _box(page, "x")), "content.xml", 'draw:name="Forside"', f'draw:name="{CPR}"')),
    ("footer of all slides", lambda: changed(_slides(lambda page, _: _box(page, "x")), "content.xml", "<draw:page ", f'<presentation:footer-decl presentation:name="f">{CPR}</presentation:footer-decl><draw:page ')),
]  # fmt: skip
_LOCK = '<manifest:file-entry manifest:full-path="x" manifest:media-type=""><manifest:encryption-data/></manifest:file-entry></manifest:manifest>'
PLACES = [
    *(Place("OpenDocument text (odt, ott)", place, "notat.odt", make) for place, make in _TEXT),
    Place(
        "OpenDocument text (odt, ott)",
        "document with a password",
        "notat.odt",
        lambda: changed(_text(), "META-INF/manifest.xml", "</manifest:manifest>", _LOCK),
        Why.ENCRYPTED,
    ),
    *(Place("OpenDocument sheet (ods, ots)", place, "sager.ods", make) for place, make in _SHEET),
    *(Place("OpenDocument slides and drawings (odp, odg)", place, "status.odp", make) for place, make in _SLIDES),
]
