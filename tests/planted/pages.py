"""Pages: PDF by reportlab and pypdf, RTF, HTML and books as their own programs write them."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pypdf
from pypdf.annotations import FreeText, Text
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, StreamObject, TextStringObject
from reportlab.pdfgen import canvas

from scanner.model import Why
from tests.planted import CPR, Place, zip_of

_Make = Callable[[], bytes]
_FILLER = "Notat om sagen, som den staar i dag."
_SIZE = (400, 300)


def _drawn(draw: Callable[[Any], object], **options: Any) -> bytes:
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=_SIZE, **options)
    page.drawString(20, 250, _FILLER)
    draw(page)
    page.save()
    return out.getvalue()


def _written(change: Callable[[pypdf.PdfWriter], object], data: bytes | None = None) -> _Make:
    def make() -> bytes:
        writer = pypdf.PdfWriter(clone_from=io.BytesIO(data or _drawn(lambda page: None)))
        change(writer)
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()

    return make


def _field(**options: Any) -> Callable[[Any], object]:
    return lambda page: page.acroForm.textfield(x=20, y=100, **options)


def _choice(page: Any) -> None:
    page.acroForm.choice(value="ingen", options=["ingen", CPR], x=20, y=100)


def _form(page: Any) -> None:
    page.beginForm("F")
    page.drawString(20, 200, CPR)
    page.endForm()
    page.doForm("F")


def _rotated(page: Any) -> None:
    page.setPageRotation(90)
    page.rotate(90)
    page.drawString(50, -100, CPR)


def _outline(page: Any) -> None:
    page.bookmarkPage("a")
    page.addOutlineEntry(CPR, "a")


def _invisible(page: Any) -> None:
    text = page.beginText(20, 200)
    text.setTextRenderMode(3)
    text.textLine(CPR)
    page.drawText(text)


def _page_of_picture() -> bytes:
    from PIL import Image, ImageDraw, ImageFont
    from reportlab.lib.utils import ImageReader

    picture = Image.new("RGB", (1200, 300), "white")
    ImageDraw.Draw(picture).text((60, 100), f"Borger: {CPR}", fill="black", font=ImageFont.load_default(80))
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=_SIZE)
    page.drawImage(ImageReader(picture), 10, 100, 380, 95)
    page.save()
    return out.getvalue()


def _ref(writer: pypdf.PdfWriter, value: Any) -> Any:
    return writer._add_object(value)


def _stream(data: bytes, **entries: Any) -> StreamObject:
    stream = StreamObject()
    stream.set_data(data)
    stream.update({NameObject(f"/{key}"): value for key, value in entries.items()})
    return stream


def _layer(writer: pypdf.PdfWriter) -> None:
    layer = _ref(writer, DictionaryObject({NameObject("/Type"): NameObject("/OCG"), NameObject("/Name"): TextStringObject("Skjult")}))
    settings = DictionaryObject({NameObject("/OFF"): ArrayObject([layer]), NameObject("/Order"): ArrayObject([layer])})
    writer.root_object[NameObject("/OCProperties")] = DictionaryObject(
        {NameObject("/OCGs"): ArrayObject([layer]), NameObject("/D"): settings}
    )
    page = writer.pages[0]
    page["/Resources"][NameObject("/Properties")] = DictionaryObject({NameObject("/L"): layer})
    content = f"/OC /L BDC BT /F1 12 Tf 20 150 Td ({CPR}) Tj ET EMC".encode()
    page[NameObject("/Contents")] = ArrayObject([_ref(writer, page.get_contents().flate_encode()), _ref(writer, _stream(content))])  # type: ignore[union-attr]


def _layer_name(writer: pypdf.PdfWriter) -> None:
    _layer_named(writer, CPR)


def _layer_named(writer: pypdf.PdfWriter, name: str) -> None:
    layer = _ref(writer, DictionaryObject({NameObject("/Type"): NameObject("/OCG"), NameObject("/Name"): TextStringObject(name)}))
    writer.root_object[NameObject("/OCProperties")] = DictionaryObject(
        {NameObject("/OCGs"): ArrayObject([layer]), NameObject("/D"): DictionaryObject()}
    )


_XMP = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt><rdf:li xml:lang="x-default">'
    f'{CPR}</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def _xmp(packed: bool) -> Callable[[pypdf.PdfWriter], None]:
    def change(writer: pypdf.PdfWriter) -> None:
        stream = _stream(_XMP.encode(), Type=NameObject("/Metadata"), Subtype=NameObject("/XML"))
        writer.root_object[NameObject("/Metadata")] = _ref(writer, stream.flate_encode() if packed else stream)

    return change


def _attached_to_page(writer: pypdf.PdfWriter) -> None:
    file = _ref(writer, _stream(f"sag;borger\nA;{CPR}\nB;\n".encode(), Type=NameObject("/EmbeddedFile")))
    spec = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Filespec"),
            NameObject("/F"): TextStringObject("sager.csv"),
            NameObject("/EF"): DictionaryObject({NameObject("/F"): file}),
        }
    )
    rect = ArrayObject([NumberObject(n) for n in (0, 0, 9, 9)])
    note = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Annot"),
            NameObject("/Subtype"): NameObject("/FileAttachment"),
            NameObject("/Rect"): rect,
            NameObject("/FS"): spec,
        }
    )
    writer.pages[0][NameObject("/Annots")] = ArrayObject([_ref(writer, note)])


def _alt(writer: pypdf.PdfWriter) -> None:
    page = writer.pages[0]
    root = DictionaryObject({NameObject("/Type"): NameObject("/StructTreeRoot")})
    root_ref = _ref(writer, root)
    figure = DictionaryObject(
        {NameObject("/Type"): NameObject("/StructElem"), NameObject("/S"): NameObject("/Figure"), NameObject("/Alt"): TextStringObject(CPR),
         NameObject("/P"): root_ref, NameObject("/Pg"): page.indirect_reference, NameObject("/K"): NumberObject(0)}
    )  # fmt: skip
    figure_ref = _ref(writer, figure)
    parents = DictionaryObject({NameObject("/Nums"): ArrayObject([NumberObject(0), ArrayObject([figure_ref])])})
    root.update({NameObject("/K"): ArrayObject([figure_ref]), NameObject("/ParentTree"): parents})
    writer.root_object[NameObject("/StructTreeRoot")] = root_ref
    writer.root_object[NameObject("/MarkInfo")] = DictionaryObject({NameObject("/Marked"): pypdf.generic.BooleanObject(True)})
    page[NameObject("/StructParents")] = NumberObject(0)


def _xfa(writer: pypdf.PdfWriter) -> None:
    xml = (
        f'<xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><xfa:data><sag><cpr>{CPR}</cpr></sag></xfa:data></xfa:datasets>'
    )
    form = DictionaryObject(
        {
            NameObject("/Fields"): ArrayObject(),
            NameObject("/XFA"): ArrayObject([TextStringObject("datasets"), _ref(writer, _stream(xml.encode()))]),
        }
    )
    writer.root_object[NameObject("/AcroForm")] = form


def _script(writer: pypdf.PdfWriter) -> None:
    action = DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject(f"app.alert('{CPR}');")})
    names = DictionaryObject({NameObject("/Names"): ArrayObject([TextStringObject("a"), _ref(writer, action)])})
    writer.root_object[NameObject("/Names")] = DictionaryObject({NameObject("/JavaScript"): names})


def _label(writer: pypdf.PdfWriter) -> None:
    writer.set_page_label(0, 0, prefix=f"{CPR} ")


_PDF: list[tuple[str, _Make]] = [
    ("text", lambda: _drawn(lambda page: page.drawString(20, 200, CPR))),
    ("invisible text", lambda: _drawn(_invisible)),
    ("text outside the page", lambda: _drawn(lambda page: page.drawString(-900, 200, CPR))),
    ("text of a rotated page", lambda: _drawn(_rotated)),
    ("text of a form XObject", lambda: _drawn(_form)),
    ("text of a hidden layer", _written(_layer)),
    ("form field, its value", lambda: _drawn(_field(name="felt", value=CPR))),
    ("form field, its tooltip", lambda: _drawn(_field(name="felt", tooltip=CPR))),
    ("form field, its name", lambda: _drawn(_field(name=f"borger {CPR}"))),
    ("form field, a choice that was not taken", lambda: _drawn(_choice)),
    ("XFA form", _written(_xfa)),
    ("annotation", _written(lambda w: w.add_annotation(0, Text(rect=(0, 0, 20, 20), text=CPR)))),
    ("text written on the page", _written(lambda w: w.add_annotation(0, FreeText(rect=(0, 0, 90, 20), text=CPR)))),
    ("author of an annotation", _written(lambda w: w.add_annotation(0, Text(rect=(0, 0, 20, 20), text="se", title_bar=CPR)))),
    ("attachment", _written(lambda w: w.add_attachment("sager.csv", f"sag;borger\nA;{CPR}\nB;\n".encode()))),
    ("attachment of a page", _written(_attached_to_page)),
    ("name of an attachment", _written(lambda w: w.add_attachment(f"cpr {CPR}.txt", b"x"))),
    ("document information", lambda: _drawn(lambda page: page.setSubject(CPR))),
    ("document information of its own", _written(lambda w: w.add_metadata({"/Borger": CPR}))),
    ("XMP metadata", _written(_xmp(False))),
    ("XMP metadata, packed", _written(_xmp(True))),
    ("title of a bookmark", lambda: _drawn(_outline)),
    ("name of a layer", _written(_layer_name)),
    ("alt text of a picture", _written(_alt)),
    ("target of a hyperlink", lambda: _drawn(lambda page: page.linkURL(f"https://sager.example/?cpr={CPR}", (0, 0, 9, 9)))),
    ("script", _written(_script)),
    ("label of a page", _written(_label)),
    ("encrypted, no password to open", _written(lambda w: w.encrypt("", "ejer", algorithm="AES-128"), _drawn(lambda page: page.drawString(20, 200, CPR)))),
]  # fmt: skip
_LOCKED = _written(lambda w: w.encrypt("hemmelig", "ejer", algorithm="AES-256"), _drawn(lambda page: page.drawString(20, 200, CPR)))
_UNREAD = [
    Place("PDF", "encrypted with a password", "notat.pdf", _LOCKED, Why.ENCRYPTED),
    Place("PDF", "page that is a picture", "notat.pdf", _page_of_picture, Why.UNSUPPORTED, "found where Tesseract is installed"),
]


def _rtf(inner: str) -> _Make:
    return lambda: ("{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}\\pard Notat om sagen\\par " + inner + "}").encode("cp1252")


def package(text: str) -> bytes:
    """A text file as the packager of Windows wraps it."""
    content = text.encode()
    return b"\2\0sag.txt\0C:\\sag.txt\0\0\0\3\0\x0b\0\0\0C:\\sag.txt\0" + len(content).to_bytes(4, "little") + content


def _rtf_object() -> bytes:
    """A text file put into the document by its icon (OLE1)."""

    def line(text: bytes) -> bytes:
        return len(text).to_bytes(4, "little") + text

    head = (0x501).to_bytes(4, "little") + (2).to_bytes(4, "little") + line(b"Package\0") + line(b"") + line(b"")
    data = head + line(package(f"borger {CPR}"))
    return _rtf("{\\object\\objemb{\\*\\objclass Package}{\\*\\objdata " + data.hex() + "}{\\result{x}}}")()


_PROPERTY = "{\\shp{\\*\\shpinst{\\sp{\\sn %s}{\\sv %s}}{\\shptxt %s}}}"
_RTF: list[tuple[str, _Make]] = [
    ("body", _rtf(CPR)),
    ("number split by formats", _rtf("070761{\\b -4285}")),
    ("header", _rtf(f"{{\\header {CPR}\\par}}")),
    ("footer", _rtf(f"{{\\footer {CPR}\\par}}")),
    ("footnote", _rtf(f"a{{\\footnote {CPR}}}")),
    ("annotation", _rtf(f"{{\\*\\atnid G}}{{\\*\\atnauthor Grethe}}{{\\*\\annotation {CPR}}}")),
    ("author of an annotation", _rtf(f"{{\\*\\atnauthor {CPR}}}{{\\*\\annotation se}}")),
    ("information: subject", _rtf(f"{{\\info{{\\subject {CPR}}}}}")),
    ("information: operator", _rtf(f"{{\\info{{\\operator {CPR}}}}}")),
    ("property of its own", _rtf(f"{{\\*\\userprops{{\\propname Borger}}\\proptype30{{\\staticval {CPR}}}}}")),
    ("hidden text", _rtf(f"{{\\v {CPR}}}")),
    ("tracked deletion", _rtf(f"{{\\deleted {CPR}}}")),
    ("author of tracked changes", _rtf(f"{{\\*\\revtbl{{Unknown;}}{{{CPR};}}}}")),
    ("table", _rtf(f"\\trowd\\cellx100\\intbl {CPR}\\cell\\row")),
    ("text box", _rtf(_PROPERTY % ("fFlipH", "0", CPR))),
    ("alt text", _rtf(_PROPERTY % ("wzDescription", CPR, ""))),
    ("result of a field", _rtf(f"{{\\field{{\\*\\fldinst MERGEFIELD b}}{{\\fldrslt {CPR}}}}}")),
    ("code of a field", _rtf(f'{{\\field{{\\*\\fldinst HYPERLINK "https://sager.example/?cpr={CPR}"}}{{\\fldrslt her}}}}')),
    ("form field", _rtf(f"{{\\field{{\\*\\fldinst FORMTEXT{{\\*\\formfield{{\\fftype0{{\\*\\ffname F}}{{\\*\\ffdeftext {CPR}}}}}}}}}{{\\fldrslt x}}}}")),
    ("name of a bookmark", _rtf(f"{{\\*\\bkmkstart {CPR}}}x{{\\*\\bkmkend {CPR}}}")),
    ("document variable", _rtf(f"{{\\*\\docvar {{borger}}{{{CPR}}}}}")),
    ("entry of an index", _rtf(f"a{{\\xe {CPR}}}")),
    ("embedded file", _rtf_object),
]  # fmt: skip


def _html(body: str, head: str = "") -> _Make:
    return lambda: f'<!DOCTYPE html><html><head><meta charset="utf-8">{head}</head><body><p>Notat</p>{body}</body></html>'.encode()


_NOTE = b64encode(f"Borger: {CPR}".encode()).decode()
_FIGURE = b64encode(f'<svg xmlns="http://www.w3.org/2000/svg"><text>{CPR}</text></svg>'.encode()).decode()
_HTML: list[tuple[str, _Make]] = [
    ("text", _html(f"<p>{CPR}</p>")),
    ("number split by markup", _html("<p>070761<b>-4285</b></p>")),
    ("table", _html(f"<table><tr><td>borger</td><td>{CPR}</td></tr></table>")),
    ("title", _html("", f"<title>{CPR}</title>")),
    ("meta", _html("", f'<meta name="description" content="{CPR}">')),
    *((f"attribute {name}", _html(f'<input {name}="{CPR}">')) for name in ("alt", "title", "placeholder", "value", "data-borger")),
    ("long data attribute", _html(f"<div data-sager='{'x ' * 400}{CPR}'></div>")),
    ("attribute of an unknown name", _html(f'<sag-kort borger="{CPR}"></sag-kort>')),
    ("event handler", _html(f"<button onclick=\"vis('{CPR}')\">vis</button>")),
    ("comment", _html(f"<!-- {CPR} -->")),
    ("comment with a condition", _html(f"<!--[if mso]><p>{CPR}</p><![endif]-->")),
    ("hidden field", _html(f'<input type="hidden" name="cpr" value="{CPR}">')),
    ("hidden element", _html(f'<div style="display:none">{CPR}</div>')),
    ("script", _html(f"<script>var borger = '{CPR}';</script>")),
    ("JSON-LD", _html("", f'<script type="application/ld+json">{{"identifier": "{CPR}"}}</script>')),
    ("template", _html(f"<template><p>{CPR}</p></template>")),
    ("noscript", _html(f"<noscript>{CPR}</noscript>")),
    ("noscript of the head", _html("", f"<noscript>{CPR}</noscript>")),
    ("style", _html("", f"<style>.a::after{{content: '{CPR}'}}</style>")),
    ("textarea", _html(f"<textarea>{CPR}</textarea>")),
    ("iframe srcdoc", _html(f'<iframe srcdoc="&lt;p&gt;{CPR}&lt;/p&gt;"></iframe>')),
    ("mailto", _html(f'<a href="mailto:a@sager.example?subject=om%20{CPR}">skriv</a>')),
    ("address of a link", _html(f'<a href="https://sager.example/?cpr={CPR}">her</a>')),
    ("drawing in an address (data:)", _html(f'<img src="data:image/svg+xml;base64,{_FIGURE}">')),
    ("file in an address (data:)", _html(f'<a download="notat.txt" href="data:text/plain;charset=utf-8;base64,{_NOTE}">hent</a>')),
    ("address of a form", _html(f'<form action="/sager/{CPR}"></form>')),
    ("text after the end", lambda: f"<html><body><p>Notat</p></body></html>{CPR}".encode()),
]


def _book(page: str = "", title: str = "", extra: dict[str, str] | None = None) -> _Make:
    container = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/b.opf"/></rootfiles></container>'
    package = f'<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Bog</dc:title>{title}</metadata></package>'
    html = f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Side</title></head><body><p>Notat</p>{page}</body></html>'
    members = {"mimetype": "application/epub+zip", "META-INF/container.xml": container, "OEBPS/b.opf": package, "OEBPS/side1.xhtml": html}
    return lambda: zip_of({**members, **(extra or {})}, ("mimetype",))


_EPUB: list[tuple[str, _Make]] = [
    ("page", _book(f"<p>{CPR}</p>")),
    ("alt text", _book(f'<img alt="{CPR}"/>')),
    ("comment", _book(f"<!-- {CPR} -->")),
    ("creator", _book(title=f"<dc:creator>{CPR}</dc:creator>")),
    ("meta", _book(title=f'<meta name="borger" content="{CPR}"/>')),
    ("meta with a property", _book(title=f'<meta property="file-as">{CPR}</meta>')),
    ("table of contents", _book(extra={"OEBPS/toc.ncx": f"<ncx><navMap><navPoint><navLabel><text>{CPR}</text></navLabel></navPoint></navMap></ncx>"})),
    ("drawing", _book(extra={"OEBPS/fig.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><text>{CPR}</text></svg>'})),
    ("page of another ending", _book(extra={"OEBPS/side2.xml": f'<html xmlns="http://www.w3.org/1999/xhtml"><body><p>{CPR}</p></body></html>'})),
]  # fmt: skip
PLACES = [
    *(Place("PDF", place, "notat.pdf", make) for place, make in _PDF),
    *_UNREAD,
    *(Place("RTF", place, "notat.rtf", make) for place, make in _RTF),
    *(Place("HTML", place, "notat.html", make) for place, make in _HTML),
    *(Place("Electronic book (epub)", place, "bog.epub", make) for place, make in _EPUB),
]
