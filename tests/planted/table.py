"""All planted places, and the page of the documentation that is made of them: `python -m tests.planted.table` writes it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from tests.planted import Place, data, old, pages, sheets, slides, word, writer

PLACES: list[Place] = [*word.PLACES, *sheets.PLACES, *slides.PLACES, *old.PLACES, *writer.PLACES, *pages.PLACES, *data.PLACES]
FORMATS = Path(__file__).parent.parent.parent / "docs" / "formats.md"

_HEAD = """# Where a document may keep a person

Each line is a test: a CPR number is planted in that place of a real file, and the scan finds it; or the place is recorded
as not read, with the reason that is given. `python -m tests.planted.table` writes this page from the tests.

Whatever else a document of the office suites or an electronic book carries is read as well: parts of its XML that nothing is known of
as columns by element path, and embedded files and pictures as files of their own (`notat.docx!word/media/image1.png`).
"""
_TAIL = """
## What is left out

- how a document looks: styles, themes, fonts, numbering, printer settings, and names and numbers that the program gave by itself (`Picture 7`, `_Toc123`);
- copies: the preview picture of a document, the drawing of a SmartArt beside its texts, the copy of a text box for old readers, the replacement pictures of OpenDocument;
- cells of a workbook as they look: a number is read as it is stored, not as its format shows it;
- strings of a workbook that no cell shows, and the data store of an RTF (a copy of custom XML);
- macros are recorded as not read; so are, of objects inside old documents, those that lie there in parts (an old workbook inside an old letter).
"""


def document() -> str:
    """The page as Markdown."""
    lines = [_HEAD]
    for name, places in groupby(PLACES, key=lambda place: place.format):
        lines += [f"\n## {name}\n\n", "| place | |\n| --- | --- |\n"]
        lines += [f"| {place.place} | {_outcome(place)} |\n" for place in places]
    return "".join([*lines, _TAIL])


def _outcome(place: Place) -> str:
    if place.why is None:
        return "found"
    return f"recorded as {place.why.value}" + (f"; {place.says}" if place.says else "")


if __name__ == "__main__":
    FORMATS.write_text(document(), encoding="utf-8")
