"""`persondata sweep`: what should become of each record of one person, as a plan that nothing executes."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner import config
from scanner.cli import find, options
from scanner.errors import UsageError

if TYPE_CHECKING:
    from scanner.requests.sweep import Draft

ORDER = ("delete", "anonymise", "review", "restrict", "keep")


@click.command("sweep", short_help="Plan what becomes of each record of one person. Nothing is deleted.")
@click.argument("source", nargs=-1)
@find.person_options
@click.option("-o", "--output", "out", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="PLAN.json")
@click.option(
    "--language", type=click.Choice(("da", "en")), default="da", show_default=True, help="Of the page and of what recipients are told."
)
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The day that counts as today.")
@options.prose
@options.output("text", "json")
@options.common
def command(
    source: tuple[str, ...], out: Path, language: str, today: datetime | None, prose: str | None, form: str, config_file: Path | None,
    inventory: Path, **person: Any,
) -> None:  # fmt: skip
    """Search for one person as `find` does, and say of each record whether it is to be deleted, anonymised, restricted or kept, by which
    rule and until when, or what somebody must decide.

    Nothing is executed. Beside PLAN.json are written PLAN.html to read, and PLAN.SOURCE.sql for each database: one transaction that
    aborts where it touches other rows than planned. `persondata verify PLAN.json` looks afterwards whether it was done.
    """
    if out.suffix.lower() != ".json":
        raise UsageError(f"{out.name}: a plan is a JSON file; end the name in .json")
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent}: there is no such folder")
    settings = config.load(config_file)
    if not (inventory / "book.db").is_file():
        raise UsageError("there is no inventory yet, and a plan is sealed with its key: run `persondata scan` first")
    draft, key = _make(source, person, settings, inventory, prose, language, today.date() if today else None)
    from scanner.requests import sweep

    try:
        written = sweep.write(draft, out, key, language)
    except OSError as error:
        raise UsageError(f"{out}: cannot be written ({error.strerror})") from None
    counts = Counter(one.action.value for one in draft.plan.actions)
    if person.get("request"):
        _tell(person["request"], draft, counts, settings, inventory)
    for gap in draft.plan.coverage:
        click.echo(f"persondata: not looked at: {' '.join(part for part in (gap.source, gap.object) if part)}: {gap.reason}", err=True)
    if form == "json":
        click.echo(json.dumps(_summary(draft, counts, written), ensure_ascii=False))
    else:
        _print(draft, counts, written)
    sys.exit(0 if draft.plan.complete else 3)


def _make(
    names: tuple[str, ...],
    person: dict[str, Any],
    settings: config.Config,
    inventory: Path,
    prose: str | None,
    language: str,
    today: date | None,
) -> tuple[Draft, bytes]:
    from scanner import known
    from scanner.requests import life, sweep
    from scanner.requests.request import Kind
    from scanner.subject.bookshelf import Shelf

    kind = Kind.DELETION
    if person.get("request"):
        with options.open_book(inventory, settings) as book:
            kind = life.load(book, person["request"]).kind
    answer, warnings = find.search(names, person, settings, inventory)
    for warning in (*warnings, *answer.notes):
        click.echo(f"persondata: {warning}", err=True)
    with options.open_book(inventory, settings) as book, options.Line() as line:
        key, id = book.key(), book.meta("id")
        sources, _ = find.open_all(names, settings, inventory, book)
        answer = sweep.with_unread(answer, book, sources)
        graph, _ = find.graph_of(sources, book)
        shelf = Shelf(book, sources)
        day = today or datetime.now(UTC).astimezone().date()
        processes = person["workers"] or os.cpu_count() or 1
        holds = settings.holds if answer.hits else ()
        under = sweep.held(holds, sources, graph, shelf, day, limits=settings.limits, processes=processes, progress=line.show)
        detector = partial(options.detector, settings, prose or settings.prose_level, key=key, known=known.kept(inventory / "known"))
        draft = sweep.make(
            answer, sources, graph, settings, detector, under, key=key, inventory=id, today=day, entities=shelf.entities, kind=kind,
            request=person.get("request") or "", language=language, progress=line.show,
        )  # fmt: skip
    return draft, key


def _tell(name: str, draft: Draft, counts: Counter[str], settings: config.Config, inventory: Path) -> None:
    """Write down in the life of a request that a plan was made."""
    from scanner.requests import life
    from scanner.requests.request import tell

    what = f"deletion planned ({draft.plan.id}): {sum(counts[one] for one in ('delete', 'anonymise'))} to go, {counts['review']} to decide"
    what += "" if draft.plan.complete else ", incomplete"
    with options.open_book(inventory, settings, write=True) as book:
        request = life.load(book, name)
        with book.transaction() as cursor:
            tell(book, cursor, request.id, request.name, datetime.now(UTC), "", what, "")


def _summary(draft: Draft, counts: Counter[str], written: list[Path]) -> dict[str, Any]:
    plan = draft.plan
    return {
        "plan": plan.id, "complete": plan.complete, "actions": {name: counts[name] for name in ORDER},
        "recipients": [one.name for one in plan.recipients], "coverage": len(plan.coverage), "files": [str(path) for path in written],
    }  # fmt: skip


def _print(draft: Draft, counts: Counter[str], written: list[Path]) -> None:
    plan = draft.plan
    if not plan.complete:
        click.echo(f"INCOMPLETE: {len(plan.coverage):,} places could not be looked at")
    for name in ORDER:
        click.echo(f"{name:9} {counts[name]:>7,} records")
    for script in plan.scripts:
        click.echo(f"statements {len(script.statements):>6,} for {script.source}, {sum(script.rows):,} rows")
    if plan.recipients:
        click.echo(f"to be told: {', '.join(one.name for one in plan.recipients)}")
    for path in written:
        click.echo(f"written   {path}")
