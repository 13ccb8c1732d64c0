"""`python -m benchmarks.peer FILE`: F1 against Presidio on labelled JSON lines `{"text", "entities": [[start, end, entity]]}`.

For every entity that both know and the file labels. A finding is right when the entity is the same and the spans overlap
by at least 80 % of the longer one. Presidio runs as one gets it without downloading a model: its own recognisers, a blank pipeline.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from benchmarks.__main__ import _presidio_engine, batches, detector

Span = tuple[int, int, str]


def overlaps(one: Span, other: Span) -> bool:
    """Whether two spans of one entity are the same for our purposes."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return one[2] == other[2] and shared >= 0.8 * max(one[1] - one[0], other[1] - other[0])


def f1(truth: list[list[Span]], said: list[list[Span]], entity: str) -> tuple[float, float, float]:
    """Precision, recall and F1 of one entity."""
    right = found = there = 0
    for wanted, got in zip(truth, said, strict=True):
        mine = [span for span in wanted if span[2] == entity]
        theirs = [span for span in got if span[2] == entity]
        there, found = there + len(mine), found + len(theirs)
        right += sum(any(overlaps(span, other) for other in theirs) for span in mine)
    precision, recall = right / max(found, 1), right / max(there, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def ours(texts: list[str]) -> list[list[Span]]:
    """What our rules find."""
    said: list[list[Span]] = []
    made = detector("fast")
    for batch in batches(texts):
        part: list[list[Span]] = [[] for _ in range(len(batch.texts))]
        for one in made.detect([batch]).findings.to_pylist():
            part[int(one["record"])].append((one["start"], one["end"], one["entity"]))
        said += part
    return said


def theirs(texts: Iterable[str]) -> list[list[Span]]:
    """What Presidio finds."""
    engine = _presidio_engine()
    return [[(r.start, r.end, r.entity_type) for r in engine.analyze(text, language="en")] for text in texts]


def main() -> int:
    """Print the table; 1 when Presidio is better anywhere."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.peer FILE.jsonl")
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    truth = [[(start, end, entity) for start, end, entity in row["entities"]] for row in rows]
    texts = [row["text"] for row in rows]
    us, them = ours(texts), theirs(texts)
    labelled = Counter(span[2] for row in truth for span in row)
    known = {span[2] for row in us for span in row} & {span[2] for row in them for span in row}
    worse = 0
    print("| entity | labelled | Presidio P / R / F1 | ours P / R / F1 |\n|---|--:|---|---|")
    for entity, count in labelled.most_common():
        if entity in known:
            a, b = f1(truth, them, entity), f1(truth, us, entity)
            worse += b[2] < a[2]
            print(f"| {entity} | {count} | {' / '.join(f'{x:.3f}' for x in a)} | {' / '.join(f'{x:.3f}' for x in b)} |")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
