"""Presentations: python-pptx makes them, and what it has no call for is written into their parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pptx
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from tests.planted import CPR, Place, changed, external, with_part
from tests.planted.word import _DIAGRAM, custom_property, saved

_P = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)


def _made(change: Callable[[Any, Any], None]) -> bytes:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Status"
    change(deck, slide)
    return saved(deck)


@cache
def _base() -> bytes:
    return _made(lambda deck, slide: None)


def _box(slide: Any, text: str) -> Any:
    shape = slide.shapes.add_textbox(0, 0, Inches(1), Inches(1))
    shape.text_frame.text = text
    return shape


def _hidden(_: Any, slide: Any) -> None:
    _box(slide, CPR)
    slide._element.set("show", "0")


def _notes(_: Any, slide: Any) -> None:
    slide.notes_slide.notes_text_frame.text = CPR


def _master(deck: Any, _: Any) -> None:
    deck.slide_master.placeholders[0].text = CPR


def _layout(deck: Any, _: Any) -> None:
    deck.slide_layouts[0].placeholders[0].text = CPR


def _alt(_: Any, slide: Any) -> None:
    _box(slide, "x")._element.nvSpPr.cNvPr.set("descr", CPR)


def _shape_name(_: Any, slide: Any) -> None:
    _box(slide, "x").name = f"Borger {CPR}"


def _table(_: Any, slide: Any) -> None:
    slide.shapes.add_table(1, 2, 0, 0, Inches(2), Inches(1)).table.cell(0, 1).text = CPR


def _chart(_: Any, slide: Any) -> None:
    data = CategoryChartData()
    data.categories = ["A"]
    data.add_series(CPR, (1,))
    slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, 0, 0, Inches(2), Inches(2), data)


def _link(_: Any, slide: Any) -> None:
    _box(slide, "her").text_frame.paragraphs[0].runs[0].hyperlink.address = f"https://sager.example/?cpr={CPR}"


def _tooltip(_: Any, slide: Any) -> None:
    run = _box(slide, "her").text_frame.paragraphs[0].runs[0]
    run.hyperlink.address = "https://sager.example/"
    run._r.rPr.hlinkClick.set("tooltip", CPR)


def _group(_: Any, slide: Any) -> None:
    slide.shapes.add_group_shape().shapes.add_textbox(0, 0, 1, 1).text_frame.text = CPR


def _comment(text: str, author: str) -> bytes:
    authors = f'<p:cmAuthorLst {_P}><p:cmAuthor id="0" name="{author}" initials="G" lastIdx="1" clrIdx="0"/></p:cmAuthorLst>'
    data = with_part(
        _base(), "ppt/presentation.xml", "ppt/commentAuthors.xml", authors, "presentationml.commentAuthors+xml", "commentAuthors"
    )
    comment = f'<p:cmLst {_P}><p:cm authorId="0" idx="1"><p:pos x="1" y="1"/><p:text>{text}</p:text></p:cm></p:cmLst>'
    return with_part(data, "ppt/slides/slide1.xml", "ppt/comments/comment1.xml", comment, "presentationml.comments+xml", "comments")


def _modern() -> bytes:
    xml = (
        '<p188:cmLst xmlns:p188="http://schemas.microsoft.com/office/powerpoint/2018/8/main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
        f'<p188:cm id="{{1}}" authorId="{{2}}"><p188:txBody><a:bodyPr/><a:p><a:r><a:t>{CPR}</a:t></a:r></a:p></p188:txBody></p188:cm></p188:cmLst>'
    )
    kind = "application/vnd.ms-powerpoint.comments+xml"
    return with_part(
        _base(),
        "ppt/slides/slide1.xml",
        "ppt/comments/modernComment_1.xml",
        xml,
        kind,
        "http://schemas.microsoft.com/office/2018/10/relationships/comments",
    )


def _tag() -> bytes:
    xml = f'<p:tagLst {_P}><p:tag name="BORGER" val="{CPR}"/></p:tagLst>'
    return with_part(_base(), "ppt/slides/slide1.xml", "ppt/tags/tag1.xml", xml, "presentationml.tags+xml", "tags")


def _section() -> bytes:
    xml = (
        '<p:extLst><p:ext uri="{521415D9-36F7-43E2-AB2F-B90AF26B5E84}"><p14:sectionLst xmlns:p14="http://schemas.microsoft.com/office/powerpoint/2010/main">'
        f'<p14:section name="{CPR}" id="{{1}}"><p14:sldIdLst/></p14:section></p14:sectionLst></p:ext></p:extLst></p:presentation>'
    )
    return changed(_base(), "ppt/presentation.xml", "</p:presentation>", xml)


def _diagram() -> bytes:
    return with_part(_base(), "ppt/slides/slide1.xml", "ppt/diagrams/data1.xml", _DIAGRAM, "drawingml.diagramData+xml", "diagramData")


def _core(deck: Any, _: Any) -> None:
    deck.core_properties.keywords = CPR


_TABLE: list[tuple[str, Callable[[], bytes]]] = [
    ("slide", lambda: _made(lambda _, slide: _box(slide, CPR) and None)),
    ("hidden slide", lambda: _made(_hidden)),
    ("shape in a group", lambda: _made(_group)),
    ("speaker's notes", lambda: _made(_notes)),
    ("master", lambda: _made(_master)),
    ("layout", lambda: _made(_layout)),
    ("comment", lambda: _comment(CPR, "Grethe")),
    ("comment of a thread", _modern),
    ("author of a comment", lambda: _comment("se sagen", CPR)),
    ("alt text", lambda: _made(_alt)),
    ("name of a shape", lambda: _made(_shape_name)),
    ("table", lambda: _made(_table)),
    ("chart", lambda: _made(_chart)),
    ("SmartArt", _diagram),
    ("target of a hyperlink", lambda: _made(_link)),
    ("tooltip of a hyperlink", lambda: _made(_tooltip)),
    ("link to another file", lambda: external(_base(), "ppt/slides/slide1.xml", f"file:///sager/{CPR}.docx", "hyperlink")),
    ("tag", _tag),
    ("name of a section", _section),
    ("core property", lambda: _made(_core)),
    ("property of its own", lambda: custom_property(_base())),
]
PLACES = [Place("PowerPoint (pptx, pptm, ppsx, potx)", place, "status.pptx", make) for place, make in _TABLE]
