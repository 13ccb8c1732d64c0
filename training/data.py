"""Labelled texts of several corpora, as allowed labels for each word.

Corpora name different things. Where one is silent (WNUT17 has no nationalities) or says something else (a part of a compound),
a word allows several labels, and what is learnt is only that it is one of them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner.detect.ner import ENTITIES, LABELS, WORD

Record = dict[str, Any]

ANY = (1 << len(LABELS)) - 1
_NRP = 0b11 << (1 + 2 * ENTITIES.index("NRP"))
_ORG = 0b11 << (1 + 2 * ENTITIES.index("ORGANIZATION"))
_LOC = 0b11 << (1 + 2 * ENTITIES.index("LOCATION"))

_SAME = {entity: entity for entity in ENTITIES}


@dataclass(frozen=True, slots=True)
class Corpus:
    """One file: what its labels are here (`None`: nothing; `?`: whatever it is), its style, and how often it is read in an epoch."""

    file: str
    style: str
    labels: dict[str, str | None]
    outside: int = 1
    """What an unlabelled word allows."""
    times: float = 1.0
    language: str = "da"


CORPORA = (
    Corpus(
        "da_dansk.train.jsonl",
        "",
        {**_SAME, "GPE": "LOCATION", "FACILITY": "LOCATION", "NORP": "NRP"},
        times=2.0,
    ),
    Corpus(
        "da_danplus_news.train.jsonl",
        "danplus",
        {"PER": "PERSON", "LOC": "LOCATION", "ORG": "ORGANIZATION", "LOCderiv": "NRP"},
        times=1.5,
    ),
    Corpus(
        "nb_norne.train.jsonl",
        "norne",
        {"PER": "PERSON", "LOC": "LOCATION", "GPE_LOC": "LOCATION", "ORG": "ORGANIZATION", "DRV": "NRP"},
        times=0.6,
        language="nb",
    ),
    Corpus(
        "sv_webbnyheter.train.jsonl",
        "swedish",
        {"PER": "PERSON", "LOC": "LOCATION", "ORG": "ORGANIZATION"},
        outside=1 | _NRP,
        times=0.4,
        language="sv",
    ),
    Corpus(
        "en_wikigold.all.jsonl",
        "english",
        {"PER": "PERSON", "LOC": "LOCATION", "ORG": "ORGANIZATION"},
        outside=1 | _NRP,
        times=1.0,
        language="en",
    ),
    Corpus(
        "en_wnut17.train.jsonl",
        "wnut",
        {"person": "PERSON", "location": "LOCATION", "corporation": "ORGANIZATION"},
        outside=1 | _NRP,
        times=1.0,
        language="en",
    ),
)
"""Everything else that a corpus labels (products, works, events, dates) is nothing here, unless `_OPEN` says otherwise."""

_OPEN = {
    "group": 1 | _ORG | _NRP,
    "product": 1 | _ORG,
    "MISC": 1 | _NRP | _ORG,
    "GPE_ORG": _ORG | _LOC,
    "ORGderiv": 1 | _NRP,
    "PERderiv": 1 | _NRP,
}

STYLES = ("", *dict.fromkeys(corpus.style for corpus in CORPORA if corpus.style))
"""The style of texts that are generated, and of use, is the first: DANSK's."""


def allowed(record: Record, corpus: Corpus, word: re.Pattern[str] = WORD) -> list[int]:
    """For each word of a record's text, the set of labels that it may have, as bits."""
    words = [match.span() for match in word.finditer(record["text"])]
    sets = [corpus.outside] * len(words)
    for start, end, label in record["entities"]:
        inside = [i for i, (a, b) in enumerate(words) if a < end and b > start]
        if not inside:
            continue
        entity = corpus.labels.get(label)
        if entity is None:
            for i in inside:
                sets[i] = _OPEN.get(label, ANY if label.endswith("part") else corpus.outside)
            continue
        kind = 1 + 2 * ENTITIES.index(entity)
        for position, i in enumerate(inside):
            a, b = words[i]
            sets[i] = 1 << (kind + (position > 0)) if a >= start and b <= end else ANY
    return sets


def read(folder: Path, corpus: Corpus) -> Iterator[Record]:
    """The records of one corpus. Raises `FileNotFoundError`."""
    with (folder / corpus.file).open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def held_back(record: Record) -> bool:
    """Whether a DANSK sentence is kept for development: one in eight by its text, so that repeats stay together."""
    return hashlib.blake2b(record["text"].strip().encode(), digest_size=2).digest()[0] % 8 == 3
