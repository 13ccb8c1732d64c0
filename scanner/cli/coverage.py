"""`persondata coverage`: what was read and what was not."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scanner import config
from scanner.cli import options

COLUMNS = ("source", "object", "kind", "status", "reason", "bytes", "rows", "rows_there", "missed")


@click.command("coverage", short_help="Show what was read and what was not.")
@click.option("--unread", is_flag=True, help="Only what is not complete.")
@options.output("table", "json", "jsonl", "csv", "parquet")
@options.common
def command(unread: bool, form: str, config_file: Path | None, inventory: Path) -> None:
    """Show one row an object: complete, partial, skipped or failed, and the reason. Exits 3 when anything is not complete.

    A table that `scan --sample` read in part is partial: `rows` of about `rows_there` rows were read, and `missed` is the
    chance (at most) that a column in which at least one row in a thousand holds a finding was missed.
    """
    settings = config.load(config_file)
    with options.open_book(inventory, settings) as book:
        where = " where status <> 'complete'" if unread else ""
        options.print_rows(book.rows(f"select * from coverage{where}"), form, COLUMNS)
        left = next(book.rows("select count(*) as n from coverage where status <> 'complete'"))["n"]
    sys.exit(3 if left else 0)
