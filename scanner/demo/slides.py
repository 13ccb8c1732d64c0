"""Writes PowerPoint presentations from nothing."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from scanner.demo.office import OPEN, REL, XML, packed, relations, types

SLIDE = f'xmlns:a="{OPEN}/drawingml/2006/main" xmlns:r="{REL}" xmlns:p="{OPEN}/presentationml/2006/main"'
COLOURS = (
    'accent1="accent1" accent2="accent2" accent3="accent3" accent4="accent4" accent5="accent5" accent6="accent6" '
    'hlink="hlink" folHlink="folHlink"'
)


def pptx(slides: Sequence[Sequence[str]]) -> bytes:
    """A PowerPoint presentation, one text box a slide."""
    numbers = range(1, len(slides) + 1)
    part = "presentationml."
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": types(
            ppt__presentation=f"{part}presentation.main",
            ppt__slideMasters__slideMaster1=f"{part}slideMaster",
            ppt__slideLayouts__slideLayout1=f"{part}slideLayout",
            ppt__theme__theme1="theme",
            **{f"ppt__slides__slide{n}": f"{part}slide" for n in numbers},
        ),
        "_rels/.rels": relations(("officeDocument", "ppt/presentation.xml")),
        "ppt/presentation.xml": (
            f'{XML}<p:presentation {SLIDE}><p:sldMasterIdLst><p:sldMasterId id="2147483648"'
            ' r:id="rId1"/></p:sldMasterIdLst><p:sldIdLst>'
            + "".join(f'<p:sldId id="{255 + n}" r:id="rId{n + 2}"/>' for n in numbers)
            + '</p:sldIdLst><p:sldSz cx="9144000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>'
        ),
        "ppt/_rels/presentation.xml.rels": relations(
            ("slideMaster", "slideMasters/slideMaster1.xml"),
            ("theme", "theme/theme1.xml"),
            *(("slide", f"slides/slide{n}.xml") for n in numbers),
        ),
        "ppt/slideMasters/slideMaster1.xml": (
            f'{XML}<p:sldMaster {SLIDE}>{_canvas("")}<p:clrMap bg1="lt1" tx1="dk1" bg2="lt2" tx2="dk2" {COLOURS}/>'
            '<p:sldLayoutIdLst><p:sldLayoutId id="2147483649" r:id="rId1"/></p:sldLayoutIdLst></p:sldMaster>'
        ),
        "ppt/slideMasters/_rels/slideMaster1.xml.rels": relations(
            ("slideLayout", "../slideLayouts/slideLayout1.xml"), ("theme", "../theme/theme1.xml")
        ),
        "ppt/slideLayouts/slideLayout1.xml": f"{XML}<p:sldLayout {SLIDE}>{_canvas('')}</p:sldLayout>",
        "ppt/slideLayouts/_rels/slideLayout1.xml.rels": relations(("slideMaster", "../slideMasters/slideMaster1.xml")),
        "ppt/theme/theme1.xml": theme(),
    }
    for n, lines in enumerate(slides, 1):
        words = "".join(f"<a:p><a:r><a:t>{escape(text)}</a:t></a:r></a:p>" for text in lines)
        members[f"ppt/slides/slide{n}.xml"] = f"{XML}<p:sld {SLIDE}>{_canvas(words)}</p:sld>"
        members[f"ppt/slides/_rels/slide{n}.xml.rels"] = relations(("slideLayout", "../slideLayouts/slideLayout1.xml"))
    return packed(members)


def _canvas(words: str) -> str:
    box = (
        '<p:sp><p:nvSpPr><p:cNvPr id="2" name="Tekst"/><p:cNvSpPr'
        ' txBox="1"/><p:nvPr/></p:nvSpPr><p:spPr><a:xfrm><a:off x="600000" y="600000"/><a:ext cx="7900000"'
        ' cy="5600000"/></a:xfrm><a:prstGeom'
        f' prst="rect"><a:avLst/></a:prstGeom></p:spPr><p:txBody><a:bodyPr/>{words}</p:txBody></p:sp>'
        if words
        else ""
    )
    return (
        '<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
        f"{box}</p:spTree></p:cSld>"
    )


def theme() -> str:
    """The colours, letters and lines that a presentation must bring."""
    names = ("dk1", "lt1", "dk2", "lt2", *(f"accent{n}" for n in range(1, 7)), "hlink", "folHlink")
    colours = "".join(f'<a:{name}><a:srgbClr val="{at * 0x151515:06X}"/></a:{name}>' for at, name in enumerate(names))
    face = '<a:latin typeface="Calibri"/><a:ea typeface=""/><a:cs typeface=""/>'
    fill = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>' * 3
    line = "<a:ln><a:noFill/></a:ln>" * 3
    effect = "<a:effectStyle><a:effectLst/></a:effectStyle>" * 3
    return (
        f'{XML}<a:theme {SLIDE} name="Optifo"><a:themeElements><a:clrScheme name="Optifo">{colours}</a:clrScheme>'
        f'<a:fontScheme name="Optifo"><a:majorFont>{face}</a:majorFont><a:minorFont>{face}</a:minorFont></a:fontScheme>'
        f'<a:fmtScheme name="Optifo"><a:fillStyleLst>{fill}</a:fillStyleLst><a:lnStyleLst>{line}</a:lnStyleLst>'
        f"<a:effectStyleLst>{effect}</a:effectStyleLst><a:bgFillStyleLst>{fill}</a:bgFillStyleLst></a:fmtScheme>"
        "</a:themeElements></a:theme>"
    )
