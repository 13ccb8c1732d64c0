"""Who signs a message: the names in its last lines, as people write them under what they have written."""

from __future__ import annotations

import re
from collections.abc import Iterator

_QUOTED = re.compile(
    r"^[^\S\n]*(?:>|\|[^\S\n]|-{2,}[^\n]{0,9}(?:oprindelig|videresendt|original|forwarded)|_{8,}|(?:fra|from)[^\S\n]*:"
    r"|sendt fra min\b|sent from my\b|(?:den|on)\b[^\n]{4,90}\b(?:skrev|wrote)\b)",
    re.IGNORECASE | re.MULTILINE,
)
"""Where what was written before begins, or what a telephone adds."""
_GREETING = re.compile(
    r"(?<!\w)(?:(?:venlig|kærlig|hjertelig|bedst|varm)(?:e|st)?[ ]+hils(?:en|ner)|hils(?:en|ner)?|mvh|kh|vh|dbh|m\.v\.h|k\.h|v\.h|knus"
    r"|(?:kind|best|warm)(?:[ ]regards|[ ]wishes)|regards|sincerely|cheers)(?!\w)(?:[ ]+(?:fra|from))?[ ,.:!]*",
    re.IGNORECASE,
)
_SALUTATION = re.compile(r"(?:hej|hejsa|kære|goddag|god morgen|til|hi|hello|dear)\b", re.IGNORECASE)
_BEYOND = re.compile(r"[,;|(]|[ ](?=[\d+])|\b(?:tlf|tel|mobil|mob)\b", re.IGNORECASE)
"""What follows a name in its line: how to reach its bearer."""
_NAME = re.compile(r"[^\W\d_][\w.'’-]*(?:[ ][^\W\d_][\w.'’-]*){0,2}")
LOOKED_AT = 6
"""So many lines from the end are looked at."""


def signed(text: str) -> list[str]:
    """What may be the names under a message, without greetings, the last first; what is quoted below does not count."""
    quoted = _QUOTED.search(text)
    lines = [line.strip() for line in (text[: quoted.start()] if quoted else text).rstrip().split("\n")[-2 * LOOKED_AT :]]
    found: list[str] = []
    for line in [line for line in reversed(lines) if line][:LOOKED_AT]:
        if _SALUTATION.match(line):
            break
        *before, after = _GREETING.split(line)
        found += _names(after, bool(before))
        if before or (len(line.split()) > 3 and not _BEYOND.search(line)):
            break  # the greeting stands above the names, and running text above that
    return found


def _names(line: str, greeted: bool) -> Iterator[str]:
    part = _BEYOND.split(line.strip(" \t-–—/*_"), maxsplit=1)[0]
    for one in re.split(r"[ ](?:&|og|and)[ ]", part):
        name = one.strip(" \t.!,")
        if _NAME.fullmatch(name) and (greeted or all(word[0].isupper() for word in name.split())):
            yield name
