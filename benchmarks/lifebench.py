"""How ten people are found in their own phones: `python -m benchmarks.lifebench FILE` on LifeBench-PII's texts, notes, calls and calendars.

FILE is JSON lines `{"id": "person_0001", "text": …, "entities": [[start, end, label]]}`. Each person's name is searched in the texts of all ten. A text is
hers when somebody labelled her whole name in it; one in which only her first name is labelled is counted beside, since a first name alone says
nothing of whom it means. The set is development data.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from scanner.subject import graph, identifiers, search
from scanner.subject.bookshelf import Shelf


def measure(file: Path) -> dict[str, float]:
    """Recall of the texts that name each person, and precision of what is found, over all ten."""
    from scanner.sources import open_source

    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    owners: dict[str, list[dict[str, object]]] = defaultdict(list)
    for row in rows:
        owners[row["id"].rsplit("_", 1)[0]].append(row)
    names = {owner: _name(owner, texts) for owner, texts in owners.items()}
    wanted = found = first = right = given = 0
    with tempfile.TemporaryDirectory() as folder:
        for owner, texts in owners.items():
            lines = (json.dumps({"text": row["text"]}, ensure_ascii=False) for row in texts)
            (Path(folder) / f"{owner}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        source = open_source(folder)
        for owner in owners:
            answer = search.search(identifiers.from_options(name=(names[owner],)), [source], graph.Graph(), Shelf(None, [source]))
            hits = {(hit.object, hit.record) for hit in answer.hits}
            for other, texts in owners.items():
                for number, row in enumerate(texts, 1):
                    said = {_folded(row["text"][a:b]) for a, b, label in row["entities"] if label == "PERSON"}
                    whole = _folded(names[owner]) in said
                    hit = (f"{other}.jsonl", f"line={number}") in hits
                    wanted, found = wanted + whole, found + (whole and hit)
                    first += not whole and _folded(names[owner]).split()[-1] in said and other == owner
                    given += hit
                    right += hit and (whole or _folded(names[owner]) in _folded(row["text"]))
    return {
        "people": len(owners), "texts": len(rows), "texts that name one": wanted, "recall": found / wanted,
        "found": given, "precision": right / max(1, given), "texts of hers with the first name alone": first,
    }  # fmt: skip


def _name(owner: str, texts: list[dict[str, object]]) -> str:
    """The person's name as it is labelled most, among those that spell the owner's."""
    counted: Counter[str] = Counter()
    for row in texts:
        text = str(row["text"])
        counted.update(text[a:b] for a, b, label in row["entities"] if label == "PERSON" and _folded(text[a:b]).replace(" ", "") == owner)  # type: ignore[attr-defined]
    return counted.most_common(1)[0][0]


def _folded(text: str) -> str:
    return re.sub(r"['’]s$", "", " ".join(text.split()).casefold())


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1])), indent=1))
