"""`python -m benchmarks.identifiers [--errors] [--write]`: how well identifiers are found, entity by entity and form by form.

All people and numbers are made up, so the errors may be shown. `--write` puts the tables into docs/identifiers.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.__main__ import detector
from benchmarks.identifiers.columns import columns
from benchmarks.identifiers.score import Outcome, Tally, Verdict, judge, read
from benchmarks.identifiers.texts import CHECKED, UNCHECKED, texts

TARGETS = {"DK_CPR": (0.995, 0.99), **dict.fromkeys(CHECKED, (0.99, 0.98))}
COLUMNS = 0.98
"""The least that is to be reached: recall and precision, and the share of columns that are judged rightly."""


def entities(outcome: Outcome) -> Iterator[str]:
    """The table of entities."""
    yield "| entity | labelled | recall | precision | F1 | must reach | |"
    yield "|---|--:|--:|--:|--:|---|---|"
    rows = [(entity, outcome.entities[entity]) for entity in ("DK_CPR", *CHECKED, *UNCHECKED)]
    for name, tally in (*rows, ("**all with a check digit**", outcome.total(CHECKED)), ("**all without**", outcome.total(UNCHECKED))):
        target = TARGETS.get(name) or (TARGETS["DK_CVR"] if name == "**all with a check digit**" else None)
        reached = "" if not target else "yes" if tally.recall >= target[0] and tally.precision >= target[1] else "**no**"
        wanted = f"{target[0]:.1%} / {target[1]:.1%}" if target else ""
        yield f"| {name} | {tally.right + tally.missed} | {tally.recall:.1%} | {tally.precision:.1%} | {tally.f1:.3f} | {wanted} | {reached} |"


def forms(outcome: Outcome) -> Iterator[str]:
    """The table of written forms; texts without a CPR number show how often one was seen in them."""
    yield "| CPR, written or mistaken | numbers | recall | wrongly said |"
    yield "|---|--:|--:|--:|"
    for form, tally in outcome.forms.items():
        count = tally.right + tally.missed
        yield f"| {form} | {count or ''} | {f'{tally.recall:.1%}' if count else ''} | {tally.wrong or ''} |"


def confusion(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """The table of columns: what they are and what was said of them."""
    said = Counter((one.column["truth"] or "none", one.said or "none", one.right) for one in verdicts)
    yield "| columns of | said | columns | |"
    yield "|---|---|--:|---|"
    for (truth, name, right), count in sorted(said.items()):
        yield f"| {truth} | {name} | {count} | {'' if right else '**wrong**'} |"
    right = sum(one.right for one in verdicts)
    rows = Tally(*map(sum, zip(*((v.rows_found, len(v.column.get("rows", ())) - v.rows_found) for v in verdicts), strict=True)))
    yield ""
    yield f"{right} of {len(verdicts)} columns right, {right / len(verdicts):.1%} (must reach {COLUMNS:.0%}). " + (
        f"Look-alike columns called CPR: {len(mistaken(verdicts))} (must be none). CPR numbers in comment columns found: {rows.recall:.1%} of {rows.right + rows.missed}."
    )


def mistaken(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Columns of something else that were called CPR numbers."""
    return [one for one in verdicts if one.said == "DK_CPR" and not one.right]


def main() -> int:
    """Read, judge and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.identifiers", description=__doc__)
    parser.add_argument("--errors", action="store_true", help="print every wrong finding, missed label and misjudged column")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/identifiers.md")
    words = parser.parse_args()
    made = detector("fast")
    outcome, verdicts = read(made, texts()), judge(made, columns())
    lines = [*entities(outcome), "", *forms(outcome), "", *confusion(verdicts)]
    print(*lines, sep="\n")
    if words.errors:
        print("", *outcome.errors, sep="\n")
        for one in verdicts:
            if not one.right:
                print(
                    f"column {one.column['name']!r} of {one.column['kind']}: {one.said}, not {one.column['truth']}; {one.column['values'][:3]}"
                )
            if missing := len(one.column.get("rows", ())) - one.rows_found:
                print(f"column {one.column['name']!r} of {one.column['kind']}: {missing} rows missed")
        print("", *(f"{count:4} {what} [{form}]" for (what, form), count in outcome.mistaken.most_common(40)), sep="\n")
    if words.write:
        head = "# Identifiers\n\nWritten by `python -m benchmarks.identifiers --write`, over made-up texts and columns that were written to cover every form.\n\n"
        (Path(__file__).parents[2] / "docs" / "identifiers.md").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
