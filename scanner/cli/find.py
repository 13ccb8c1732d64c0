"""`persondata find`: every record of one person, how surely it is hers, and why."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scanner import config
from scanner.cli import options
from scanner.errors import PersondataError, UsageError
from scanner.model import Link

if TYPE_CHECKING:
    from scanner.inventory import Book
    from scanner.model import Problem, Source, Subject
    from scanner.subject.graph import Graph
    from scanner.subject.search import Answer

F = TypeVar("F", bound=Callable[..., Any])
GIVEN = ("cpr", "email", "phone", "name", "address", "born", "ids")
LINKS = tuple(link.value for link in Link)
COLUMNS = ("source", "object", "record", "field", "link", "score", "why", "role")


def person_options(command: F) -> F:
    """The options that say whom a search is for, and how hard to look."""
    for option in reversed(
        (
            click.option("--cpr", multiple=True, metavar="X", help="Her CPR number."),
            click.option("--email", multiple=True, metavar="X", help="Her e-mail address."),
            click.option("--phone", multiple=True, metavar="X", help="Her phone number."),
            click.option("--name", multiple=True, metavar="X", help="Her name; alone it makes nothing more than possible."),
            click.option("--address", multiple=True, metavar="X", help="Her postal address."),
            click.option("--born", multiple=True, metavar="DATE", help="Her date of birth."),
            click.option("--id", "ids", multiple=True, metavar="COLUMN=VALUE", help="A number of your own: customer_no=10442."),
            click.option("--person", type=click.File("r", encoding="utf-8"), metavar="FILE", help="All of this as JSON; - for stdin."),
            click.option("--request", metavar="NAME", help="The person of a request (`persondata request`), which keeps what is found."),
            click.option("--anyway", is_flag=True, help="Search also for a number that cannot be right."),
            click.option(
                "--sweep", type=click.Choice(("auto", "all", "off")), default="auto", show_default=True,
                help="Read texts again: those that the inventory points at or does not cover, all of them, or only the first.",
            ),
            click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes that read at once. [default: one a core]"),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@click.command("find", short_help="Find every record of one person, and say why it is hers.")
@click.argument("source", nargs=-1)
@person_options
@click.option("--least", type=click.Choice(LINKS), default="possible", show_default=True, help="Show only what is at least this sure.")
@options.output("table", "json", "jsonl", "csv")
@options.common
def command(source: tuple[str, ...], least: str, form: str, config_file: Path | None, inventory: Path, **person: Any) -> None:
    """Find every record of one person in each SOURCE; without one, in all that the inventory or the configuration knows.

    Databases are asked directly, texts through the inventory, and what the inventory does not cover is read. What is certainly hers
    tells more of her (a customer number, a second e-mail address), which is searched in turn. Each identifying option may be repeated;
    --person keeps them out of the shell's history.
    """
    settings = config.load(config_file)
    answer, warnings = search(source, person, settings, inventory)
    for warning in (*warnings, *answer.notes):
        click.echo(f"persondata: {warning}", err=True)
    for place, object, why in answer.unread:
        click.echo(f"persondata: not looked at: {' '.join(part for part in (place, object) if part)}: {why}", err=True)
    shown = [asdict(hit) for hit in answer.hits if LINKS.index(hit.link) <= LINKS.index(least)]
    _print(shown, answer, form)
    sys.exit(3 if answer.unread else 0)


def subject_of(person: dict[str, Any]) -> tuple[Subject, list[str]]:
    """The person that the options describe, and what should be said about it."""
    from scanner.subject import identifiers

    given = {key: tuple(person.get(key) or ()) for key in GIVEN}
    anyway = bool(person.get("anyway"))
    if person.get("person") is not None:
        if any(given.values()):
            raise UsageError("--person holds all that is known of her; leave the other options out")
        subject = identifiers.from_json(person["person"].read(), anyway=anyway)
    else:
        subject = identifiers.from_options(**given, anyway=anyway)
    return subject, list(identifiers.warnings(subject))


def search(
    names: Sequence[str], person: dict[str, Any], settings: config.Config, inventory: Path, subject: Subject | None = None
) -> tuple[Answer, list[str]]:
    """Search as the options say. Returns the answer and what should be said about it."""
    said: list[str] = []
    if person.get("request"):
        return _for_request(person["request"], names, person, settings, inventory)
    if subject is None:
        subject, said = subject_of(person)
    if not (inventory / "book.db").is_file():
        if not names and not settings.sources:
            raise UsageError("there is no inventory yet: name a SOURCE to look in, or run `persondata scan` first")
        said.append("there is no inventory yet: everything is read now, which takes longer")
        return _search(names, person, settings, inventory, subject, None, said), said
    with options.open_book(inventory, settings) as book:
        return _search(names, person, settings, inventory, subject, book, said), said


def _for_request(
    name: str, names: Sequence[str], person: dict[str, Any], settings: config.Config, inventory: Path
) -> tuple[Answer, list[str]]:
    """Search for the person of a request, keep what is found with it, and leave out what a caseworker has rejected."""
    from dataclasses import replace

    from scanner.requests import life

    if any(person.get(key) for key in (*GIVEN, "person")):
        raise UsageError("--request knows whom it is about; leave the other options out")
    with options.open_book(inventory, settings) as book:
        subject = life.subject_of(book, life.load(book, name))
    answer, said = search(names, {**person, "request": None}, settings, inventory, subject)
    with options.open_book(inventory, settings, write=True) as book:
        request = life.record_search(book, life.load(book, name), answer.hits, not answer.unread, answer.unread)
        decided = life.verdicts(book, request)
    rejected = {address for address, verdict in decided.items() if not verdict.accepted}
    hits = tuple(hit for hit in answer.hits if (hit.source, hit.object, hit.record, hit.field) not in rejected)
    if len(hits) < len(answer.hits):
        said.append(f"{len(answer.hits) - len(hits):,} hits that were rejected for request {name} are left out")
    return replace(answer, hits=hits), said


def _search(
    names: Sequence[str],
    person: dict[str, Any],
    settings: config.Config,
    inventory: Path,
    subject: Subject,
    book: Book | None,
    said: list[str],
) -> Answer:
    import os
    from dataclasses import replace

    from scanner.subject import search
    from scanner.subject.bookshelf import Shelf

    sources, lost = open_all(names, settings, inventory, book)
    made, problems = graph_of(sources, book)
    with options.Line() as line:
        answer = search.search(
            subject, sources, made, Shelf(book, sources), sweep=person["sweep"], limits=settings.limits,
            processes=person["workers"] or os.cpu_count() or 1, progress=line.show,
        )  # fmt: skip
    silent = {place for place, object, _ in answer.unread if not object}
    missing = [(*_place(p.object, sources), f"{p.why.value}: {p.detail}") for p in problems]
    unread = dict.fromkeys([*lost, *(one for one in missing if one[0] not in silent), *answer.unread])
    return replace(answer, unread=tuple(unread))


def _place(object: str, sources: Sequence[Source]) -> tuple[str, str]:
    """The source and the object of a problem of the graph, which says both in one."""
    for one in sources:
        if object.startswith(f"{one.name}:"):
            return one.name, object.removeprefix(f"{one.name}:")
    return "", object


def graph_of(sources: Sequence[Source], book: Book | None) -> tuple[Graph, list[Problem]]:
    """The graph of the sources' tables: as the inventory has it while the tables are the same, else made anew."""
    from scanner.errors import SourceError
    from scanner.model import Database, Problem
    from scanner.subject import graph, graph_book

    databases = [one for one in sources if isinstance(one, Database)]
    if book is None:
        return graph.build(databases, [])
    kept = graph_book.load(book)
    try:
        now = {(one.name, r.object): (r.columns, r.key) for one in databases for r in one.relations() if not isinstance(r, Problem)}
    except SourceError:
        now = {}
    then = {place: (node.relation.columns, node.relation.key) for place, node in kept.nodes.items()}
    if now and all(then.get(place) == described for place, described in now.items()):
        edges = tuple(edge for edge in kept.edges if {(edge.source, edge.object), (edge.to_source, edge.to)} <= now.keys())
        return graph.Graph({place: kept.nodes[place] for place in now}, edges), []
    return graph.build(databases, list(book.rows("select * from data_map")))


def open_all(
    names: Sequence[str], settings: config.Config, inventory: Path, book: Book | None
) -> tuple[list[Source], list[tuple[str, str, str]]]:
    """The sources to look in, and those that cannot be opened, with the reason."""
    from scanner.cli.scan import open_sources

    wanted = dict.fromkeys(names)
    if not wanted:
        wanted = dict.fromkeys(one.name for one in settings.sources)
        if book is not None:
            urls = {one.url for one in settings.sources}
            wanted |= dict.fromkeys(r["name"] for r in book.rows("select name, url from source order by name") if r["url"] not in urls)
    sources: list[Source] = []
    lost: list[tuple[str, str, str]] = []
    for name in wanted:
        try:
            sources += open_sources((name,), settings, inventory)
        except PersondataError as error:
            if names and book is None:
                raise
            lost.append((name, "", str(error)))
    return sources, lost


def _print(shown: list[dict[str, Any]], answer: Answer, form: str) -> None:
    if form == "json":
        steps = [{"entity": one.entity, "column": one.column, "step": one.step, "why": one.why} for one in answer.subject.identifiers]
        unread = [dict(zip(("source", "object", "reason"), one, strict=True)) for one in answer.unread]
        click.echo(json.dumps({"hits": shown, "identifiers": steps, "unread": unread, "notes": list(answer.notes)}, ensure_ascii=False))
    elif form == "jsonl":
        for row in shown:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif form == "csv":
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(shown)
        click.echo(out.getvalue(), nl=False)
    else:
        _table(shown, answer)


def _table(shown: list[dict[str, Any]], answer: Answer) -> None:
    place = None
    for row in sorted(shown, key=lambda r: (LINKS.index(r["link"]), r["source"], r["object"], r["record"])):
        here = (row["link"], row["source"], row["object"])
        if here != place:
            click.echo(click.style(f"{row['link']:9} {row['source']}  {row['object']}", bold=True))
            place = here
        what = row["record"] or "(the whole of it)"
        click.echo(f"          {what}  [{row['role']}] {row['why']}")
    counts = {link: sum(row["link"] == link for row in shown) for link in LINKS}
    learned = [one for one in answer.subject.identifiers if one.step]
    click.echo(", ".join(f"{n:,} {link}" for link, n in counts.items()) + (" (not everything could be looked at)" if answer.unread else ""))
    for one in learned:
        click.echo(f"searched in turn: {one.why}")
