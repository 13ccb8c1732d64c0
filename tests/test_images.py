"""Pictures: what Tesseract reads in them, what is written about them, and what is said where neither can be had."""

from __future__ import annotations

import io
import shutil
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin, TiffImagePlugin

from scanner.extract import images, ocr
from scanner.model import Limits, Why
from tests.test_extract import Reading, read, zipped

CPR = "070761-4285"
LETTER = f"Personnummer: {CPR}\nSøren Ågård\nVestergade 7, Aarhus"
FONTS = [*Path("/usr/share/fonts").rglob("DejaVuSans.ttf"), *Path("/usr/share/fonts").rglob("LiberationSans-Regular.ttf"),
         *Path("/System/Library/Fonts").rglob("Arial.ttf"), Path("C:/Windows/Fonts/arial.ttf")]  # fmt: skip
tesseract = pytest.mark.skipif(not shutil.which("tesseract"), reason="the program tesseract is not installed")


def drawn(
    text: str = LETTER, size: tuple[int, int] = (700, 200), letters: int = 28, mode: str = "L", ground: object = 255, ink: object = 0
) -> Image.Image:
    """A picture with a text on it."""
    image = Image.new(mode, size, ground)  # type: ignore[arg-type]
    path = next((str(path) for path in FONTS if path.exists()), "")
    font = ImageFont.truetype(path, letters) if path else ImageFont.load_default(letters)
    ImageDraw.Draw(image).multiline_text((20, 20), text, font=font, fill=ink)  # type: ignore[arg-type]
    return image


def saved(image: Image.Image, kind: str = "PNG", **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def heic(image: Image.Image, **how: object) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason="only the larger package writes heic")
    out = io.BytesIO()
    pillow_heif.from_pillow(image.convert("RGB")).save(out, quality=90, **how)
    return out.getvalue()


@tesseract
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000", "AVIF"])
def test_text_in_pictures(kind: str) -> None:
    if kind == "AVIF" and "AVIF" not in (Image.init() or Image.SAVE):
        pytest.skip("this Pillow writes no AVIF")
    found = read(saved(drawn(mode="RGB", ground="white", ink="black"), kind), f"a.{kind.lower()}")
    assert [(record, field) for _, record, field, _ in found.texts] == [("", "ocr")] and found.problems == []
    assert CPR in found.field("ocr") and "Ågård" in found.field("ocr")


@tesseract
def test_heic() -> None:
    found = read(heic(drawn()), "a.heic")
    assert CPR in found.field("ocr") and found.problems == []


@tesseract
@pytest.mark.parametrize(
    "image",
    [
        drawn(mode="RGBA", ground=(0, 0, 0, 0), ink="black"), drawn(mode="RGBA", ground=(255, 255, 255, 0), ink="white"),
        drawn(ground=0, ink=255), drawn().rotate(180), drawn().convert("P"), drawn(letters=11, size=(300, 90)),
        drawn().resize((7000, 2000)), drawn().convert("1"),
    ],
    ids=["clear", "white on clear", "white on black", "upside down", "palette", "small", "large", "two colours"],
)  # fmt: skip
def test_pictures_that_are_hard_to_read(image: Image.Image) -> None:
    assert CPR in read(saved(image), "a.png").field("ocr")


@tesseract
def test_shades_and_turned_photos() -> None:
    deep = drawn().convert("I").point(lambda value: value * 200).convert("I;16")
    assert CPR in read(saved(deep, "TIFF"), "a.tif").field("ocr")
    exif = Image.Exif()
    exif[274] = 6
    assert CPR in read(saved(drawn().rotate(90, expand=True), "JPEG", exif=exif), "a.jpg").field("ocr")


@tesseract
def test_pages_and_animations() -> None:
    others = [drawn("Fakturanummer 20771"), drawn("Kære Åse Hansen", letters=40)]
    found = read(saved(drawn(), "TIFF", save_all=True, append_images=others), "fax.tif")
    assert CPR in found.at("page=1", "ocr")[0] and "20771" in found.at("page=2", "ocr")[0] and "Hansen" in found.at("page=3", "ocr")[0]
    moving = read(saved(drawn(), "GIF", save_all=True, append_images=others), "a.gif")
    assert CPR in moving.field("ocr") and [(p.why, p.field) for p in moving.problems] == [(Why.UNSUPPORTED, "ocr")]


def test_without_tesseract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "Mette Forfatter")
    found = read(saved(drawn(), pnginfo=info), "a.png")
    assert [(p.object, p.why, p.detail) for p in found.problems] == [("a.png", Why.UNSUPPORTED, "a picture; Tesseract is not installed")]
    assert found.field("png:Author") == "Mette Forfatter"
    assert read(saved(Image.new("L", (48, 48))), "icon.png").problems == []
    page = read(saved(drawn(), "PDF"), "scan.pdf")
    assert [(p.record, p.why, p.detail) for p in page.problems] == [
        ("page=1", Why.UNSUPPORTED, "page is a picture; Tesseract is not installed")
    ]


def test_slow_and_failing_tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "tesseract"
    for line, why in (("exec /bin/sleep 30", Why.TIMED_OUT), ("exit 3", Why.CRASHED)):
        program.write_text(f'#!/bin/sh\n[ "$1" = --list-langs ] && echo eng && exit 0\n{line}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        ocr._languages.cache_clear()
        assert read(saved(drawn(f"Søren {line}")), "a.png", Limits(unit_seconds=1)).why == [("a.png", why)]
    ocr._languages.cache_clear()


@tesseract
def test_icons_and_empty_pictures_say_nothing() -> None:
    assert read(saved(drawn(size=(300, 40))), "a.png").texts == []
    blank = read(saved(Image.new("RGB", (500, 300), "red")), "a.png")
    assert blank.texts == [] and blank.problems == [] and blank.opened[0].kind == "image"


def test_captions() -> None:
    exif = Image.Exif()
    exif[0x10E], exif[0x13B], exif[0x8298], exif[0x10F] = "Åse på stranden".encode(), "Søren Ågård".encode(), "Bo Hansen", "Canon"
    exif[0x9C9C] = "Ring til Ole".encode("utf-16-le")
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + "Hos Ib Jensen".encode("utf-16-le")
    exif.get_ifd(0x8769)[0xA430] = "Grethe Ejer"
    exif.get_ifd(0x8825).update({1: "N", 2: (55.0, 40.0, 33.96), 3: "E", 4: (12.0, 34.0, 5.88)})
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:ps="http://ns.adobe.com/photoshop/1.0/" ps:City="Aarhus" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Photoshop"><dc:creator><rdf:Seq><rdf:li>Åse Foto</rdf:li></rdf:Seq></dc:creator>'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
    small = Image.new("RGB", (32, 32))
    for kind in ("JPEG", "TIFF", "WEBP", "PNG"):
        if kind == "TIFF":
            exif[700] = xmp
        extra = {"pnginfo": PngImagePlugin.PngInfo()} if kind == "PNG" else {"xmp": xmp}
        if kind == "PNG":
            extra["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())  # type: ignore[attr-defined]
        found = read(saved(small, kind, exif=exif.tobytes(), **extra), f"a.{kind.lower()}")
        assert found.problems == [], kind
        assert found.field("exif:GPS") == "55.6761, 12.5683", kind
        if kind != "TIFF":  # Pillow writes only ASCII there
            assert found.field("exif:ImageDescription") == "Åse på stranden" and found.field("exif:Artist") == "Søren Ågård", kind
        assert found.field("exif:Copyright") == "Bo Hansen" and found.field("exif:XPComment") == "Ring til Ole", kind
        assert found.field("exif:UserComment") == "Hos Ib Jensen" and found.field("exif:CameraOwnerName") == "Grethe Ejer", kind
        assert found.field("xmp:creator") == "Åse Foto" and found.field("xmp:City") == "Aarhus", kind
        assert "Canon" not in str([text for *_, text in found.texts]) and "Photoshop" not in str(found.texts), kind


def test_comments_and_iptc() -> None:
    small = Image.new("RGB", (32, 32))
    assert read(saved(small, "JPEG", comment="Billede af Åse"), "a.jpg").field("comment") == "Billede af Åse"
    assert read(saved(small, "GIF", comment="Billede af Bo"), "a.gif").field("comment") == "Billede af Bo"
    entries = b"".join(b"\x1c\2" + bytes([number]) + len(text).to_bytes(2, "big") + text for number, text in
                       ((80, "Søren Ågård".encode()), (120, "Åse ved Vestergade 7".encode("latin-1")), (25, b"ferie"), (25, b"Ole")))  # fmt: skip
    block = b"8BIM\x04\x04\0\0" + len(entries).to_bytes(4, "big") + entries + b"\0" * (len(entries) % 2)
    segment = b"Photoshop 3.0\0" + block
    data = saved(small, "JPEG")
    found = read(data[:2] + b"\xff\xed" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:], "a.jpg")
    assert found.field("iptc:author") == "Søren Ågård" and found.field("iptc:caption") == "Åse ved Vestergade 7"
    assert found.field("iptc:keywords") == "ferie\nOle"


def test_damaged_and_hostile_pictures() -> None:
    whole = saved(drawn())
    for size in (20, len(whole) // 2):
        assert [why for _, why in read(whole[:size], "a.png").why] == [Why.DAMAGED]
    assert read(saved(Image.effect_noise((400, 400), 90), "JPEG")[:9000], "a.jpg").problems != []
    vast = bytearray(saved(Image.new("1", (9999, 100))))
    vast[16:24] = (60_000).to_bytes(4, "big") + (40_000).to_bytes(4, "big")
    vast[29:33] = zlib.crc32(vast[12:29]).to_bytes(4, "big")
    assert read(bytes(vast), "a.png").why == [("a.png", Why.TOO_LARGE)]
    vast[16:24] = (12_000).to_bytes(4, "big") + (9_000).to_bytes(4, "big")
    vast[29:33] = zlib.crc32(vast[12:29]).to_bytes(4, "big")
    assert read(bytes(vast), "a.png").why == [("a.png", Why.TOO_LARGE)]
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * 9_000_000, zip=True)
    assert [p.why for p in read(saved(Image.new("L", (32, 32)), pnginfo=info), "a.png").problems] == [Why.DAMAGED]
    wmf = read(b"\xd7\xcd\xc6\x9a" + b"\0" * 99, "a.wmf")
    assert [(p.why, p.detail) for p in wmf.problems] == [(Why.UNSUPPORTED, "a picture of a kind that is not opened: WMF")]
    ring = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(ring, True) as file:
        for _ in range(2):
            Image.new("L", (32, 32)).save(file, "TIFF")
            file.newFrame()
    for at in range(0, len(ring.getvalue()), 7):
        data = bytearray(ring.getvalue())
        data[at] ^= 0xFF
        read(bytes(data), "a.tif")


@tesseract
def test_pictures_in_documents(tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.add_paragraph("Se vedlagte kopi")
    document.add_picture(io.BytesIO(saved(drawn())))
    document.add_picture(io.BytesIO(saved(Image.new("RGB", (40, 40), "blue"))))
    document.save(tmp_path / "letter.docx")
    found = read((tmp_path / "letter.docx").read_bytes(), "letter.docx")
    assert CPR in "".join(text for object, _, field, text in found.texts if (object, field) == ("letter.docx!word/media/image1.png", "ocr"))
    assert "letter.docx!word/media/image2.png" in [o.object for o in found.opened] and found.problems == []
    odt = zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>", "Pictures/1.png": saved(drawn())})
    assert CPR in read(odt, "a.odt").field("ocr")


@tesseract
def test_scanned_pages() -> None:
    scan = drawn(size=(1240, 1754), letters=34)
    other = drawn("Fakturanummer 20771", size=(1240, 1754), letters=34)
    found = read(saved(scan, "PDF", resolution=150, save_all=True, append_images=[other]), "scan.pdf")
    assert CPR in found.at("page=1", "ocr")[0] and "20771" in found.at("page=2", "ocr")[0] and found.problems == []


def stamped(*, mode: int, nested: bool = False, part: float = 1.0) -> bytes:
    """A page with a scan on it and a line of text: 0 as usual, 3 invisible."""
    import ctypes

    import pypdfium2

    pdf = pypdfium2.PdfDocument.new()
    page = pdf.new_page(595, 842)
    picture = pypdfium2.PdfImage.new(pdf)
    picture.set_bitmap(pypdfium2.PdfBitmap.from_pil(drawn(size=(1240, 1754), letters=34)))
    picture.set_matrix(pypdfium2.PdfMatrix().scale(595 * part, 842 * part))
    page.insert_obj(picture)
    font = pypdfium2.raw.FPDFText_LoadStandardFont(pdf, b"Helvetica")
    line = pypdfium2.raw.FPDFPageObj_CreateTextObj(pdf, font, 10)
    written = ("Modtaget i postcenteret 12.03.2025, journal 25/1137" + "\0").encode("utf-16-le")
    pypdfium2.raw.FPDFText_SetText(line, ctypes.cast(written, ctypes.POINTER(ctypes.c_ushort)))
    pypdfium2.raw.FPDFTextObj_SetTextRenderMode(line, mode)
    pypdfium2.raw.FPDFPageObj_Transform(line, 1, 0, 0, 1, 40, 815)
    pypdfium2.raw.FPDFPage_InsertObject(page, line)
    page.gen_content()
    if nested:
        outer = pypdfium2.PdfDocument.new()
        form = pdf.page_as_xobject(0, outer)
        page = outer.new_page(595, 842)
        page.insert_obj(form.as_pageobject())
        page.gen_content()
        pdf = outer
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


@tesseract
@pytest.mark.parametrize("nested", [False, True], ids=["plain", "in a form"])
def test_a_stamp_on_a_scan_does_not_hide_the_scan(nested: bool) -> None:
    found = read(stamped(mode=0, nested=nested), "scan.pdf")
    assert "journal 25/1137" in found.at("page=1", "")[0]
    assert CPR in found.at("page=1", "ocr")[0] and "journal" not in found.at("page=1", "ocr")[0] and found.problems == []
    assert read(stamped(mode=3), "scan.pdf").at("page=1", "ocr") == [], "what another program recognised is not recognised anew"
    assert read(stamped(mode=0, part=0.4), "letter.pdf").at("page=1", "ocr") == [], "a picture in a letter is no scan"


@tesseract
def test_one_logo_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[object] = []
    run = ocr._run
    monkeypatch.setattr(ocr, "_run", lambda *arguments: runs.append(1) or run(*arguments))
    logo = saved(drawn("Optifo ApS Testvej 12"))
    found = read(zipped({"a.png": logo, "b.png": logo}), "z.zip")
    assert len(runs) == 1 and len(found.texts) == 2


def test_pages_are_drawn_small_enough() -> None:
    assert images._SIDE <= ocr._LARGEST and isinstance(read(b"", "x"), Reading)
