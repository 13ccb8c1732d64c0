"""Word documents: python-docx makes them, and what it has no call for is written into their parts."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import docx

from tests.planted import CPR, Place, changed, external, members_of, with_part, zip_of

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_NS = (
    f'xmlns:w="{_W}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" xmlns:o="urn:schemas-microsoft-com:office:office"'
)
_END = "<w:sectPr"
_RUN = f"<w:r><w:t>{CPR}</w:t></w:r>"
_DIAGRAM = (
    '<dgm:dataModel xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
    f'<dgm:ptLst><dgm:pt modelId="1"><dgm:t><a:bodyPr/><a:p><a:r><a:t>{CPR}</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:ptLst></dgm:dataModel>'
)
_CHART = (
    '<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
    "<c:chart><c:title><c:tx><c:rich><a:bodyPr/><a:p><a:r><a:t>Sager</a:t></a:r></a:p></c:rich></c:tx></c:title><c:plotArea><c:barChart><c:ser>"
    f"<c:cat><c:strRef><c:f>Ark1!$A$2</c:f><c:strCache><c:pt idx='0'><c:v>{CPR}</c:v></c:pt></c:strCache></c:strRef></c:cat>"
    "</c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>"
)


def saved(document: Any) -> bytes:
    """A document of python-docx, python-pptx or openpyxl as bytes."""
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


@cache
def _base() -> bytes:
    return _made(lambda document: None)


def body(xml: str) -> bytes:
    """A document with this element at the end of its body."""
    declared = re.sub(r"^<([\w:]+)", rf"<\1 {_NS}", xml)
    return changed(_base(), "word/document.xml", _END, declared + _END)


def _made(change: Callable[[Any], None]) -> bytes:
    document = docx.Document()
    document.add_paragraph("Notat om sagen")
    change(document)
    return saved(document)


def _note(part: str, kind: str, element: str) -> bytes:
    xml = f'<w:{part} {_NS}><w:{element} w:id="2"><w:p>{_RUN}</w:p></w:{element}></w:{part}>'
    data = body(f'<w:p><w:r><w:{element}Reference w:id="2"/></w:r></w:p>')
    return with_part(data, "word/document.xml", f"word/{part}.xml", xml, f"wordprocessingml.{part}+xml", kind)


def _first_header(document: Any) -> None:
    section = document.sections[0]
    section.different_first_page_header_footer = True
    section.first_page_header.paragraphs[0].text = CPR


def _table(document: Any) -> None:
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "borger", CPR


def _comment(document: Any, text: str, author: str) -> None:
    document.add_comment(document.paragraphs[0].runs, text=text, author=author, initials="G")


def _paragraph(inner: str) -> Callable[[], bytes]:
    return lambda: body(f"<w:p>{inner}</w:p>")


def _field(code: str, result: str) -> str:
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    return f'{mark.format("begin")}<w:r><w:instrText xml:space="preserve"> {code} </w:instrText></w:r>{mark.format("separate")}<w:r><w:t>{result}</w:t></w:r>{mark.format("end")}'


def _drawing(properties: str, content: str) -> str:
    return (
        f'<w:r><w:drawing><wp:inline><wp:extent cx="1" cy="1"/><wp:docPr id="7" name="Billede 7" {properties}/>'
        f'<a:graphic><a:graphicData uri="x">{content}</a:graphicData></a:graphic></wp:inline></w:drawing></w:r>'
    )


def _embedded() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.active["A1"] = CPR
    kind = "spreadsheetml.sheet"
    return with_part(_base(), "word/document.xml", "word/embeddings/Microsoft_Excel_Sheet1.xlsx", saved(book), kind, "package")


def _custom() -> bytes:
    xml = f'<p:sag xmlns:p="urn:sag"><p:borger>{CPR}</p:borger></p:sag>'
    return with_part(_base(), "word/document.xml", "customXml/item1.xml", xml, "application/xml", "customXml")


def _glossary() -> bytes:
    xml = f"<w:glossaryDocument {_NS}><w:docParts><w:docPart><w:docPartBody><w:p>{_RUN}</w:p></w:docPartBody></w:docPart></w:docParts></w:glossaryDocument>"
    kind = "wordprocessingml.document.glossary+xml"
    return with_part(_base(), "word/document.xml", "word/glossary/document.xml", xml, kind, "glossaryDocument")


def _block_name() -> bytes:
    xml = (
        f'<w:glossaryDocument {_NS}><w:docParts><w:docPart><w:docPartPr><w:name w:val="{CPR}"/></w:docPartPr><w:docPartBody><w:p/></w:docPartBody>'
        "</w:docPart></w:docParts></w:glossaryDocument>"
    )
    kind = "wordprocessingml.document.glossary+xml"
    return with_part(_base(), "word/document.xml", "word/glossary/document.xml", xml, kind, "glossaryDocument")


_CUSTOM = (
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" '
    'xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"><property fmtid="{D5CDD505-2E9C-101B-9397-08002B2CF9AE}" '
    f'pid="2" name="Borger"><vt:lpwstr>{CPR}</vt:lpwstr></property></Properties>'
)


def custom_property(data: bytes) -> bytes:
    """An Office document with a property of its own."""
    return with_part(data, "", "docProps/custom.xml", _CUSTOM, "custom-properties+xml", "custom-properties")


def kind_changed(data: bytes, new: str) -> bytes:
    """A document as another of Word's kinds: a template, or one that may hold macros."""
    return changed(data, "[Content_Types].xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml", new)


def _settings(xml: str) -> bytes:
    return changed(_base(), "word/settings.xml", "</w:settings>", xml + "</w:settings>")


def _footer(document: Any) -> None:
    document.sections[0].footer.paragraphs[0].text = CPR


def _header(document: Any) -> None:
    document.sections[0].header.paragraphs[0].text = CPR


def _app() -> bytes:
    return changed(_base(), "docProps/app.xml", "</Properties>", f"<Manager>{CPR}</Manager></Properties>")


def _core(document: Any) -> None:
    document.core_properties.subject = CPR


def _alt_chunk() -> bytes:
    data = body('<w:altChunk r:id="rPlant"/>')
    return with_part(data, "word/document.xml", "word/afchunk1.htm", f"<html><body>{CPR}</body></html>", "text/html", "aFChunk")


def _elsewhere() -> bytes:
    """Parts may have any name: the relationships say which is which."""
    members = {name.replace("word/", "tekst/"): data for name, data in members_of(body(f"<w:p>{_RUN}</w:p>")).items()}
    members = {name: data.replace(b'"word/', b'"tekst/').replace(b"/word/", b"/tekst/") for name, data in members.items()}
    members["tekst/brev.xml"] = members.pop("tekst/document.xml")
    members["tekst/_rels/brev.xml.rels"] = members.pop("tekst/_rels/document.xml.rels")
    return zip_of({name: data.replace(b"tekst/document.xml", b"tekst/brev.xml") for name, data in members.items()})


_REVISION = 'w:id="9" w:author="Grethe" w:date="2024-01-01T00:00:00Z"'
_TEXTBOX = f"<wps:wsp><wps:txbx><w:txbxContent><w:p>{_RUN}</w:p></w:txbxContent></wps:txbx></wps:wsp>"
_BOOKMARK = "cpr_" + CPR.replace("-", "_")
_MACROS = "application/vnd.ms-word.document.macroEnabled.main+xml"
_TEMPLATE = "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"
_PICTURE = f'<pic:pic><pic:nvPicPr><pic:cNvPr id="1" name="Borger {CPR}.png"/></pic:nvPicPr></pic:pic>'
_FORM = (
    '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:name w:val="Felt"/>{}</w:ffData></w:fldChar></w:r>'
    '<w:r><w:instrText> FORMTEXT </w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
)

_WORD = "Word (docx, docm, dotx, dotm)"
_TABLE: list[tuple[str, Callable[[], bytes]]] = [
    ("body", lambda: body(f"<w:p>{_RUN}</w:p>")),
    ("number split over runs", _paragraph("<w:r><w:t>070761</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>-4285</w:t></w:r>")),
    ("table", lambda: _made(_table)),
    ("header", lambda: _made(_header)),
    ("footer", lambda: _made(_footer)),
    ("header of the first page", lambda: _made(_first_header)),
    ("footnote", lambda: _note("footnotes", "footnotes", "footnote")),
    ("endnote", lambda: _note("endnotes", "endnotes", "endnote")),
    ("comment", lambda: _made(lambda d: _comment(d, CPR, "Grethe"))),
    ("author of a comment", lambda: _made(lambda d: _comment(d, "se sagen", CPR))),
    ("tracked insertion", _paragraph(f"<w:ins {_REVISION}>{_RUN}</w:ins>")),
    ("tracked deletion", _paragraph(f"<w:del {_REVISION}><w:r><w:delText>{CPR}</w:delText></w:r></w:del>")),
    ("tracked move, old place", _paragraph(f"<w:moveFrom {_REVISION}>{_RUN}</w:moveFrom>")),
    ("author of a tracked change", _paragraph(f'<w:ins w:id="9" w:author="{CPR}"><w:r><w:t>nyt</w:t></w:r></w:ins>')),
    ("text box", _paragraph(_drawing("", _TEXTBOX))),
    ("WordArt and watermark", _paragraph(f'<w:r><w:pict><v:shape><v:textpath string="{CPR}"/></v:shape></w:pict></w:r>')),
    ("SmartArt", lambda: with_part(_base(), "word/document.xml", "word/diagrams/data1.xml", _DIAGRAM, "drawingml.diagramData+xml", "diagramData")),
    ("chart", lambda: with_part(_base(), "word/document.xml", "word/charts/chart1.xml", _CHART, "drawingml.chart+xml", "chart")),
    ("result of a field", _paragraph(_field("MERGEFIELD Borger", CPR))),
    ("code of a field", _paragraph(_field(f'IF "{CPR}" = "1" "ja" "nej"', "nej"))),
    ("code of a simple field", _paragraph(f'<w:fldSimple w:instr=" QUOTE &quot;{CPR}&quot; "><w:r><w:t>x</w:t></w:r></w:fldSimple>')),
    ("target of a hyperlink", lambda: external(_base(), "word/document.xml", f"https://sager.example/borger?cpr={CPR}", "hyperlink")),
    ("tooltip of a hyperlink", _paragraph(f'<w:hyperlink w:anchor="top" w:tooltip="{CPR}"><w:r><w:t>her</w:t></w:r></w:hyperlink>')),
    ("core property", lambda: _made(_core)),
    ("app property", _app),
    ("property of its own", lambda: custom_property(_base())),
    ("hidden text", _paragraph(f"<w:r><w:rPr><w:vanish/></w:rPr><w:t>{CPR}</w:t></w:r>")),
    ("content control, its text", lambda: body(f"<w:sdt><w:sdtContent><w:p>{_RUN}</w:p></w:sdtContent></w:sdt>")),
    ("content control, its title", lambda: body(f'<w:sdt><w:sdtPr><w:alias w:val="{CPR}"/></w:sdtPr><w:sdtContent><w:p/></w:sdtContent></w:sdt>')),
    ("content control, item of a list", lambda: body(f'<w:sdt><w:sdtPr><w:dropDownList><w:listItem w:displayText="{CPR}" w:value="1"/></w:dropDownList></w:sdtPr><w:sdtContent><w:p/></w:sdtContent></w:sdt>')),
    ("form field, what it begins with", _paragraph(_FORM.format(f'<w:textInput><w:default w:val="{CPR}"/></w:textInput>'))),
    ("form field, its help", _paragraph(_FORM.format(f'<w:helpText w:type="text" w:val="{CPR}"/>'))),
    ("alt text of a picture", _paragraph(_drawing(f'descr="{CPR}"', ""))),
    ("name of a picture's file", _paragraph(_drawing("", _PICTURE))),
    ("name of a bookmark", _paragraph(f'<w:bookmarkStart w:id="3" w:name="{_BOOKMARK}"/><w:bookmarkEnd w:id="3"/>')),
    ("document variable", lambda: _settings(f'<w:docVars><w:docVar w:name="borger" w:val="{CPR}"/></w:docVars>')),
    ("query of a mail merge", lambda: _settings(f'<w:mailMerge><w:query w:val="SELECT * FROM b WHERE cpr = \'{CPR}\'"/></w:mailMerge>')),
    ("building block", _glossary),
    ("name of a building block", _block_name),
    ("custom XML part", _custom),
    ("embedded workbook", _embedded),
    ("document chunk of another format", _alt_chunk),
    ("part of an unusual name", _elsewhere),
    ("docm: body", lambda: kind_changed(body(f"<w:p>{_RUN}</w:p>"), _MACROS)),
    ("dotx: body", lambda: kind_changed(body(f"<w:p>{_RUN}</w:p>"), _TEMPLATE)),
]  # fmt: skip
PLACES = [Place(_WORD, place, "notat.docx", make) for place, make in _TABLE]
