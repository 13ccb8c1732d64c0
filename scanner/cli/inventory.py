"""`persondata inventory`: the data map."""

from __future__ import annotations

from pathlib import Path

import click

from scanner import config
from scanner.cli import options

COLUMNS = (
    "source",
    "object",
    "field",
    "entity",
    "class",
    "count",
    "records",
    "share",
    "score",
    "example",
    "first_seen",
    "last_seen",
    "test",
)


@click.command("inventory", short_help="Show what personal data lies where.")
@options.output("table", "json", "jsonl", "csv", "parquet")
@options.common
def command(form: str, config_file: Path | None, inventory: Path) -> None:
    """Show the data map: one row a source, object, field and entity, with counts, and examples by their shape only."""
    settings = config.load(config_file)
    with options.open_book(inventory, settings) as book:
        options.print_rows(book.rows("select * from data_map"), form, COLUMNS if form != "table" else COLUMNS[:10])
