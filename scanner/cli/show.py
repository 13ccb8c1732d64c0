"""`persondata show`: read a place again and show it with its findings marked."""

from __future__ import annotations

import fnmatch
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from scanner import config, seal
from scanner.cli import options
from scanner.cli.scan import open_sources
from scanner.errors import UsageError
from scanner.model import Problem, TextBatch


@click.command("show", short_help="Read a place again and mark what is found there.")
@click.argument("source")
@click.argument("object_name", metavar="OBJECT")
@click.argument("record", required=False)
@click.argument("field", required=False)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Most places to show.")
@click.option("--why", is_flag=True, help="Say what each score is made of.")
@options.prose
@options.output("text", "jsonl", "json")
@options.common
def command(
    source: str, object_name: str, record: str | None, field: str | None, limit: int, why: bool, prose: str | None, form: str,
    config_file: Path | None, inventory: Path,
) -> None:  # fmt: skip
    """Read a place again, from the source, and mark what is found there.

    With `detect` and `extract`, the only command that shows values; the inventory has none. RECORD is as in the inventory: id=42, row=17,
    line=3, page=2, message=<…>. Without one, every record with a finding is shown. FIELD may hold * and ?.
    """
    settings = config.load(config_file)
    opened = open_sources((source,), settings, inventory)[0]
    key, kept = _kept(inventory, settings)
    detector = options.detector(settings, prose or settings.prose_level, key=key, known=kept)
    if record is not None and record.startswith(seal.PREFIX):
        record = seal.unseal(key, record)
    outer = object_name.split("!")[0]
    shown = unread = 0
    seen = False
    for unit in opened.units():
        name = unit.object
        if name not in (object_name, outer) and not object_name.startswith(name + "!"):
            continue
        seen = True
        readings = [unit] if isinstance(unit, Problem) else opened.read(unit)
        for one in _places(detector, readings, object_name, record, field):
            if isinstance(one, Problem):
                unread += 1
                click.echo(f"persondata: {one.object}: {one.why.value}{': ' + one.detail if one.detail else ''}", err=True)
                continue
            _print(one, form, why)
            shown += 1
            if shown >= limit:
                click.echo(f"persondata: stopped after {limit} places; see --limit", err=True)
                sys.exit(0)
    if not seen:
        raise UsageError(f"{opened.name} has no object called {object_name!r}")
    if record and not shown and not unread:
        raise UsageError(f"{object_name} has no record {record!r}" + (f" with a field {field!r}" if field else ""))
    sys.exit(3 if unread else 0)


def _kept(inventory: Path, settings: config.Config) -> tuple[bytes, tuple[Any, ...]]:
    """The inventory's key and known values, where there is an inventory."""
    if not (inventory / "book.db").is_file():
        return b"", ()
    from scanner import known

    with options.open_book(inventory, settings) as book:
        return book.key(), known.kept(inventory / "known")


def _places(detector: Any, readings: Any, object_name: str, record: str | None, field: str | None) -> Iterator[Any]:
    group: list[TextBatch] = []
    for item in readings:
        if isinstance(item, Problem):
            if item.object == object_name:
                yield item
        elif isinstance(item, TextBatch) and item.object == object_name:
            if group and item.records is not group[-1].records:
                yield from _marked(detector, group, record, field)
                group = []
            group.append(item)
    if group:
        yield from _marked(detector, group, record, field)


def _marked(detector: Any, group: list[TextBatch], record: str | None, field: str | None) -> Iterator[dict[str, Any]]:
    """The texts of a group with their findings: those of one record, or all that have a finding."""
    findings: dict[tuple[str, str], list[dict[str, Any]]] = {}
    detection = detector.detect(group, judge_columns=record is None)
    for one in detection.findings.to_pylist():
        findings.setdefault((one["field"], one["record"]), []).append(one)
    for fact in detection.facts:
        if not field or fnmatch.fnmatchcase(fact.field, field):
            rule = detector.rules[fact.rule]
            yield {
                "object": fact.object, "field": fact.field, "entity": rule.entity, "rule": rule.id, "score": fact.score,
                "rows": int(fact.rows.sum()), "filled": fact.filled, "why": [{"what": what, "added": added} for what, added in fact.why],
            }  # fmt: skip
    for batch in group:
        if field and not fnmatch.fnmatchcase(batch.field, field):
            continue
        for name, base, text in _records(batch):
            if record is not None and name != record:
                continue
            found = sorted(findings.get((batch.field, name), ()), key=lambda f: (f["start"], f["end"]))
            found = [f for f in found if f["start"] >= base and f["start"] < base + len(text)]
            if text and (found or record is not None):
                marks = [
                    {
                        "entity": f["entity"], "start": f["start"] - base, "end": f["end"] - base, "score": round(f["score"], 2),
                        "rule": f["rule"], "test": f["test"],
                        "why": options.why(detector, text, batch.field, _moved(f, base), in_row=True),
                    }
                    for f in found
                ]  # fmt: skip
                yield {"object": batch.object, "record": name, "field": batch.field, "text": text, "findings": marks}


def _moved(found: dict[str, Any], base: int) -> dict[str, Any]:
    """A finding with its offsets counted from `base`."""
    return {**found, "start": found["start"] - base, "end": found["end"] - base}


def _records(batch: TextBatch) -> Iterator[tuple[str, int, str]]:
    """(record, offset of the text in it, text) of a batch; a text by lines gives its lines."""
    for i, (text, record) in enumerate(zip(batch.texts.to_pylist(), batch.records.to_pylist(), strict=True)):
        if text is None:
            continue
        base, begin, end = 0, 0, len(text) + 1
        if batch.seams is not None:
            base = batch.seams.base[i].as_py()
            begin, end = batch.seams.begin[i].as_py(), batch.seams.end[i].as_py()
        if not batch.by_line:
            yield record, base + begin, text[begin:end]
            continue
        at = 0
        for number, line in enumerate(text.split("\n")):
            low, at = at, at + len(line) + 1
            if at <= begin or low >= end:
                continue  # a neighbouring row shows it
            skip = max(0, begin - low)
            yield f"line={int(record) + number}", (base if number == 0 else 0) + skip, line[skip : end - low]


def _harmless(text: str) -> str:
    """A text of the same length that cannot command the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _print(place: dict[str, Any], form: str, why: bool) -> None:
    if form != "text":
        click.echo(json.dumps(place, ensure_ascii=False))
        return
    if "text" not in place:
        click.echo(click.style(f"{place['object']}  {place['field']}", bold=True))
        click.echo(f"column of {place['entity']}: {place['rows']:,} of {place['filled']:,} cells, {place['score']:.2f}, {place['rule']}")
        for factor in place["why"]:
            click.echo(f"  {factor['added']:+.2f}  {factor['what']}")
        return
    address = "  ".join(part for part in (place["object"], place["record"], place["field"]) if part)
    click.echo(click.style(address, bold=True))
    text, out, done = _harmless(place["text"]), [], 0
    for mark in place["findings"]:
        if mark["start"] < done:
            continue
        out.append(text[done : mark["start"]])
        value = text[mark["start"] : mark["end"]]
        out.append(click.style(f"[{value}]", fg="yellow") + click.style(f"{mark['entity']} {mark['score']:.2f}", dim=True))
        done = mark["end"]
    click.echo("".join(out) + text[done:])
    if why:
        for mark in place["findings"]:
            said = ", ".join(f"{factor['what']} {factor['added']:+.2f}" for factor in mark["why"])
            click.echo(click.style(f"  {mark['entity']} {mark['score']:.2f} by {mark['rule']}: {said}", dim=True))
