"""`persondata retention`: what has been kept longer than its policy allows."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner import config
from scanner.cli import options
from scanner.errors import UsageError

if TYPE_CHECKING:
    from scanner.inventory import Book
    from scanner.requests.retention import Answer

COLUMNS = ("policy", "source", "object", "records", "people", "oldest", "until", "held", "reason", "law")
RECORD_COLUMNS = ("source", "object", "record", "policy", "until", "reason", "law")


@click.command("retention", short_help="Show what has been kept longer than its policy allows.")
@click.argument("source", nargs=-1)
@click.option("--records", is_flag=True, help="List every record with its address.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The day that counts as today.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes that read at once for a hold. [default: one a core]")
@options.output("table", "json", "jsonl", "csv")
@options.common
def command(
    source: tuple[str, ...],
    records: bool,
    today: datetime | None,
    workers: int | None,
    form: str,
    config_file: Path | None,
    inventory: Path,
) -> None:
    """Show what has been kept longer than its policy in the configuration allows, in each SOURCE or in all of them.

    Databases answer in a few questions, from the columns that the policies name; files are judged by their times, mails by their dates.
    People under a hold are looked up, and what is theirs is left out. Exit code 1: something is overdue; 3: not everything could be
    looked at.
    """
    settings = config.load(config_file)
    from scanner.requests import retention_report

    answer = look(source, settings, inventory, today.date() if today else None, records=records, workers=workers)
    for place, object, why in answer.unread:
        click.echo(f"persondata: not looked at: {' '.join(part for part in (place, object) if part)}: {why}", err=True)
    rows = (
        [retention_report.record(late) for late in answer.records] if records else [asdict(line) for line in answer.lines if line.records]
    )
    if form == "json":
        click.echo(json.dumps(retention_report.document(answer), ensure_ascii=False))
    elif form == "table" and not records:
        _table(answer)
    else:
        options.print_rows(rows, form, RECORD_COLUMNS if records else COLUMNS)
    sys.exit(3 if answer.unread else 1 if answer.overdue else 0)


def look(
    names: Sequence[str],
    settings: config.Config,
    inventory: Path,
    today: date | None,
    *,
    records: bool = False,
    workers: int | None = None,
) -> Answer:
    """Look at all sources of the configuration and the inventory, and say what is overdue in those that are named."""
    if not settings.retention and not settings.consent:
        raise UsageError(
            "the configuration has no [[retention]] and no [[consent]], so nothing can be overdue; write down what you keep how long"
        )
    if (inventory / "book.db").is_file():
        with options.open_book(inventory, settings) as book:
            return _look(names, settings, inventory, today, records, workers, book)
    return _look(names, settings, inventory, today, records, workers, None)


def _look(
    names: Sequence[str],
    settings: config.Config,
    inventory: Path,
    today: date | None,
    records: bool,
    workers: int | None,
    book: Book | None,
) -> Answer:
    import os
    from dataclasses import replace

    from scanner.cli.find import open_all
    from scanner.requests import retention
    from scanner.subject import graph
    from scanner.subject.bookshelf import Shelf

    sources, lost = open_all((), settings, inventory, book)
    known = {one.name for one in sources} | {name for name, _, _ in lost}
    if missing := next((name for name in names if name not in known), None):
        raise UsageError(f"{missing}: neither the configuration nor the inventory knows a source of this name")
    data_map = list(book.rows("select * from data_map")) if book is not None else []
    made, problems = graph.build(sources, data_map)
    with options.Line() as line:
        answer = retention.look(
            settings, sources, made, Shelf(book, sources), today or datetime.now(UTC).date(), only=names, records=records,
            limits=settings.limits, processes=workers or os.cpu_count() or 1, progress=line.show,
        )  # fmt: skip
    unread = [*lost, *(("", p.object, f"{p.why.value}: {p.detail}") for p in problems), *answer.unread]
    return replace(answer, unread=tuple(unread))


def _table(answer: Answer) -> None:
    rows = [asdict(line) for line in answer.lines if line.records or line.held]
    options.print_table(rows, COLUMNS)
    if answer.overdue:
        click.echo(
            f"{answer.overdue:,} records should have gone by {answer.today}" + " (not everything could be looked at)" * bool(answer.unread)
        )
    else:
        click.echo(f"nothing is overdue on {answer.today}" + " in what could be looked at" * bool(answer.unread))
    if answer.unsaid:
        shown = ", ".join(f"{source}:{object}" for source, object, _ in answer.unsaid[:8])
        click.echo(f"no policy speaks of {shown}" + (f" and {len(answer.unsaid) - 8} more" if len(answer.unsaid) > 8 else ""))
