"""`persondata report`: write a report."""

from __future__ import annotations

from pathlib import Path

import click

from scanner import config
from scanner.cli import options
from scanner.errors import UsageError

KINDS = ("overview", "processing", "changes", "retention", "coverage", "findings", "graph")


@click.command("report", short_help="Write a report.")
@click.argument("kind", type=click.Choice(KINDS))
@click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Where to; the ending chooses the format.",
)
@click.option(
    "--language", type=click.Choice(["en", "da"]), default="en", show_default=True, help="English or Danish; `graph` is in English only."
)
@click.option(
    "--since", metavar="RUN|DATE", help="changes: from the end of this run, or from this day, on. [default: the run before the last]"
)
@options.common
def command(kind: str, out: Path, language: str, since: str | None, config_file: Path | None, inventory: Path) -> None:
    """Write the report KIND to FILE.

    overview (HTML): what lies where, by class, what was not read, what changed, and what the configuration says of purpose and deletion.

    processing (XLSX, HTML, JSON-LD): the record of processing activities of GDPR Art. 30, from the configuration and from what was found.
    The JSON-LD is in the terms of the W3C Data Privacy Vocabulary.

    changes (HTML, XLSX, JSON): what came, went, grew, shrank or could not be read any more between two runs.

    retention (HTML, XLSX, JSON): what has been kept too long. It looks into the sources, as `persondata retention` does.

    coverage (HTML, XLSX, CSV, JSON): what was read and what was not, why, and what to do about it.

    findings (Parquet, CSV, XLSX): every finding with its address, rule and score; never its value.

    graph (HTML, JSON, or YAML: a Fides dataset file): which tables are about people, and what belongs to them.
    """
    settings = config.load(config_file)
    if since is not None and kind != "changes":
        raise UsageError(f"--since is for the report 'changes'; {kind!r} tells what stands in the inventory now")
    if kind == "retention":
        _retention(out, settings, inventory, language)
    else:
        _from_the_book(kind, out, settings, inventory, language, since or "")
    click.echo(str(out))


def _retention(out: Path, settings: config.Config, inventory: Path, language: str) -> None:
    from scanner.cli.retention import look
    from scanner.requests import retention_report

    if out.suffix.lower() not in retention_report.FORMATS:
        raise UsageError(f"{out.name}: the report 'retention' has no such format; end the name in {', '.join(retention_report.FORMATS)}")
    retention_report.write(look((), settings, inventory, None), settings, out, language)


def _from_the_book(kind: str, out: Path, settings: config.Config, inventory: Path, language: str, since: str) -> None:
    from scanner import report

    report.chosen(kind, out)
    if language != "en" and kind not in report.TRANSLATED:
        raise UsageError(f"the report {kind!r} is there in English only")
    with options.open_book(inventory, settings) as book:
        asked = report.Asked(book.connection, settings, language, since, book.findings)
        report.write(kind, asked, out)
