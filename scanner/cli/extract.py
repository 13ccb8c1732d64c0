"""`persondata extract`: the text that a scan would read from a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from scanner import config
from scanner.cli import options
from scanner.model import Opened, Problem


@click.command("extract", short_help="Show the text that a scan would read from a file.")
@click.argument("file", type=click.Path(path_type=Path))
@options.output("text", "jsonl", "json")
@options.common
def command(file: Path, form: str, config_file: Path | None, inventory: Path) -> None:
    """Show, unit by unit, the text that a scan would read from FILE; what cannot be read is said on standard error."""
    settings = config.load(config_file)
    from scanner.sources import open_source

    source = open_source(str(file), limits=settings.limits)
    unread = False
    for unit in source.units():
        for item in [unit] if isinstance(unit, Problem) else source.read(unit):
            if isinstance(item, Opened):
                continue
            if isinstance(item, Problem):
                unread = True
                place = " ".join(part for part in (item.object, item.record, item.field) if part)
                click.echo(f"persondata: {place}: {item.why.value}{': ' + item.detail if item.detail else ''}", err=True)
                continue
            begins = [0] * len(item.texts) if item.seams is None else item.seams.begin.to_pylist()
            ends = [None] * len(item.texts) if item.seams is None else item.seams.end.to_pylist()
            for text, record, begin, end in zip(item.texts.to_pylist(), item.records.to_pylist(), begins, ends, strict=True):
                if not text:
                    continue
                breaks, text = text.count("\n", 0, begin), text[begin:end]
                if form == "text":
                    click.echo(text)
                    continue
                record = f"line={int(record) + breaks}" if item.by_line else record
                click.echo(json.dumps({"object": item.object, "record": record, "field": item.field, "text": text}, ensure_ascii=False))
    sys.exit(3 if unread else 0)
