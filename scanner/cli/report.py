"""`persondata report`: write a report."""

from __future__ import annotations

from pathlib import Path

import click

from scanner import config
from scanner.cli import options
from scanner.errors import UsageError

TRANSLATED = ("en", "da")
"""The languages of reports that are there in both."""


@click.command("report", short_help="Write a report.")
@click.argument("kind", type=click.Choice(["overview", "graph", "retention"]))
@click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Where to; the ending chooses the format.",
)
@click.option("--language", type=click.Choice(TRANSLATED), default="en", show_default=True, help="Of a report that is there in both.")
@options.common
def command(kind: str, out: Path, language: str, config_file: Path | None, inventory: Path) -> None:
    """Write the report KIND to FILE.

    overview (HTML): what lies where, by class, and what was not read.

    graph (HTML, JSON, or YAML: a Fides dataset file): which tables are about people, and what belongs to them.

    retention (HTML, XLSX, JSON; English or Danish): what has been kept too long. It looks into the sources, as `persondata retention` does.
    """
    settings = config.load(config_file)
    if kind == "retention":
        from scanner.cli.retention import look
        from scanner.requests import retention_report

        if out.suffix.lower() not in retention_report.FORMATS:
            raise UsageError(
                f"{out.name}: the report 'retention' has no such format; end the name in {', '.join(retention_report.FORMATS)}"
            )
        retention_report.write(look((), settings, inventory, None), settings, out, language)
        click.echo(str(out))
        return
    if language != "en":
        raise UsageError(f"the report {kind!r} is there in English only")
    from scanner import report

    with options.open_book(inventory, settings) as book:
        report.write(kind, book.connection, out)
    click.echo(str(out))
