"""`persondata access`: the package that a person is entitled to, other people's data redacted."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from scanner import config
from scanner.cli import find, options
from scanner.errors import UsageError

MISSING = {
    "controller": "[controller] name",
    "purpose": "a purpose for each [[source]]",
    "recipients": "recipients",
    "retention": "a [[retention]] rule for what was found",
}
"""The facts of Art. 15 that only the configuration can state."""


@click.command("access", short_help="Pack what a person is entitled to see, other people's data redacted.")
@click.argument("source", nargs=-1)
@find.person_options
@click.option("-o", "--output", "package", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="PACKAGE.zip")
@click.option("--language", type=click.Choice(("da", "en")), default="da", show_default=True, help="The package's language.")
@click.option("--password", metavar="REF", help="Encrypt with AES-256: env:NAME, file:PATH or keyring:SERVICE/USER.")
@click.option("--received", metavar="DATE", help="When it came in, as 2026-03-31. [default: as --request has it, or today]")
@click.option("--include-possible", is_flag=True, help="Pack also what is only possibly the person's.")
@click.option("--withhold", multiple=True, metavar="SOURCE:OBJECT", help="Hold back what matches (databeskyttelsesloven § 22).")
@options.prose
@options.output("text", "json")
@options.common
def command(
    source: tuple[str, ...], package: Path, language: str, password: str | None, received: str | None, include_possible: bool,
    withhold: tuple[str, ...], prose: str | None, form: str, config_file: Path | None, inventory: Path, **person: Any,
) -> None:  # fmt: skip
    """Search for one person as `find` does, and pack what was found for her: a page to read and print, tables and JSON for other
    programs, files and mails as they are where nobody else is in them, and their texts without other people's data elsewhere.

    What stays open is for whoever sends it: names in sentences are recognised, not known, so read the package before it leaves.
    """
    from scanner.requests import access

    today = datetime.now(UTC).astimezone().date()
    day = _day(received, today)
    if package.suffix.lower() != ".zip":
        raise UsageError(f"{package.name}: a package is a zip archive; end the name in .zip")
    settings = config.load(config_file)
    word = config.secret(password, settings.folder) if password else ""
    if password and not word:
        raise UsageError(f"{password}: the password is empty")
    if received is None and person.get("request"):
        day = _received(person["request"], inventory, settings)
    answer, warnings = find.search(source, person, settings, inventory)
    for warning in (*warnings, *answer.notes):
        click.echo(f"persondata: {warning}", err=True)
    sources, key, known, entities = _inventory(source, settings, inventory)
    detector = options.detector(settings, prose or settings.prose_level, key=key, known=known)
    summary = access.write(
        package, answer, sources, settings, detector, language=language, password=word, received=day, today=today,
        include_possible=include_possible, withheld=withhold, entities=entities,
    )  # fmt: skip
    if form == "json":
        click.echo(json.dumps(asdict(summary), ensure_ascii=False))
    else:
        _print(summary)
    sys.exit(3 if summary.unread else 0)


def _inventory(names: tuple[str, ...], settings: config.Config, inventory: Path) -> tuple[Any, bytes, Any, Any]:
    """The sources again, and what the inventory knows, where there is one: its key, the known values, what columns hold."""
    from scanner import known
    from scanner.subject.bookshelf import Shelf

    if not (inventory / "book.db").is_file():
        return find.open_all(names, settings, inventory, None)[0], b"", (), {}
    with options.open_book(inventory, settings) as book:
        sources = find.open_all(names, settings, inventory, book)[0]
        return sources, book.key(), known.kept(inventory / "known"), Shelf(book, sources).entities


def _received(name: str, inventory: Path, settings: config.Config) -> date:
    """When a request came in, as the inventory has it."""
    from scanner.requests import life

    with options.open_book(inventory, settings) as book:
        return life.load(book, name).received


def _day(text: str | None, today: date) -> date:
    if text is None:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError("--received must be a date such as 2026-03-31") from None
    if day > today:
        raise UsageError("--received lies in the future")
    return day


def _print(summary: Any) -> None:
    click.echo(f"packed    {summary.records:,} records in {summary.files:,} files, {summary.originals:,} of them as they are")
    click.echo(f"redacted  {summary.removed:,} pieces of other people's data")
    if summary.possible or summary.withheld:
        click.echo(f"left out  {summary.possible:,} only possibly the person's, {summary.withheld:,} withheld")
    if summary.unread:
        click.echo(f"unread    {summary.unread:,} places; the package says how many, persondata coverage says which")
    click.echo(f"due       {summary.due} by law{f', {summary.promised} by your own policy' if summary.promised else ''}")
    if summary.missing:
        click.echo(f"missing   from the configuration: {'; '.join(MISSING[one] for one in summary.missing)}")
    click.echo(f"written   {summary.package} ({'AES-256' if summary.encrypted else 'NOT ENCRYPTED: see --password'})")
