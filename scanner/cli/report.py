"""`persondata report`: write a report."""

from __future__ import annotations

from pathlib import Path

import click

from scanner import config
from scanner.cli import options


@click.command("report", short_help="Write a report.")
@click.argument("kind", type=click.Choice(["overview", "graph"]))
@click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Where to; the ending chooses the format.",
)
@options.common
def command(kind: str, out: Path, config_file: Path | None, inventory: Path) -> None:
    """Write the report KIND to FILE.

    overview (HTML): what lies where, by class, and what was not read.

    graph (HTML, JSON, or YAML: a Fides dataset file): which tables are about people, and what belongs to them.
    """
    settings = config.load(config_file)
    from scanner import report

    with options.open_book(inventory, settings) as book:
        report.write(kind, book.connection, out)
    click.echo(str(out))
