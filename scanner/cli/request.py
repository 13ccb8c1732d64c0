"""`persondata request`: the life of a request, from its receipt to the answer, with its deadlines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scanner import config
from scanner.cli import options

if TYPE_CHECKING:
    from scanner.inventory import Book
    from scanner.model import Subject
    from scanner.requests.life import Request

F = TypeVar("F", bound=Callable[..., Any])

KINDS = ("access", "deletion", "rectification", "portability", "objection", "restriction")
LINKS = ("certain", "likely", "possible")
LISTED = ("name", "kind", "state", "received", "due", "law", "extended", "answered", "overdue", "hits", "undecided")


class _Day(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A day, written `2026-03-31`."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail("a day is written as 2026-03-31", param, ctx)


def _person(command: F) -> F:
    """The options that say what is known of a person."""
    for key, what in (
        ("address", "address"), ("name", "name"), ("phone", "phone number"), ("email", "e-mail address"), ("cpr", "CPR number"),
    ):  # fmt: skip
        command = click.option(f"--{key}", key, multiple=True, metavar="X", help=f"Her {what}.")(command)
    command = click.option("--id", "ids", multiple=True, metavar="COLUMN=VALUE", help="A number of your own, by its column.")(command)
    command = click.option(
        "--person", type=click.File("r", encoding="utf-8"), metavar="FILE", help="All of that as JSON; - is standard input.",
    )(command)  # fmt: skip
    return click.option("--anyway", is_flag=True, help="Take also what cannot be right, such as a CPR number that fails.")(command)


def _who(command: F) -> F:
    return click.option("--who", default="", metavar="NAME", help="Who does it. [default: the user of this machine]")(command)


@click.group("request", short_help="Keep requests: what was asked, until when, and what was decided.")
def command() -> None:
    """Keep the requests that people make: open, identify, search, review, answer, close.

    What is known of a person is sealed with the inventory's key and erased when her request is closed, at the latest three months
    after the answer. A request is called by year and number.
    """


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that are answered, withdrawn or closed.")
@options.output("table", "json", "jsonl", "csv")
@options.common
def list_(every: bool, form: str, config_file: Path | None, inventory: Path) -> None:
    """Show the requests that wait for an answer, the most urgent first. Exits 1 when one is overdue.

    `due` is the earlier of the law's day and the policy's; `overdue` says which of them has passed.
    """
    from scanner.requests import life

    settings = config.load(config_file)
    with options.open_book(inventory, settings) as book:
        rows = [_row(book, one, settings) for one in life.requests(book) if every or one.open]
    rows.sort(key=lambda row: (row["state"] not in life.OPEN, row["due"], row["name"]))
    options.print_rows(rows, form, LISTED)
    sys.exit(1 if any(row["overdue"] for row in rows) else 0)


def _row(book: Book, request: Request, settings: config.Config) -> dict[str, Any]:
    from scanner.requests import life

    country = settings.controller.country or "DK"
    found = {life.Address(one.source, one.object, one.record, one.field) for one in life.hits(book, request)}
    return {
        "name": request.name, "kind": request.kind.value, "state": request.state.value, "received": request.received.isoformat(),
        "due": request.due(settings.answer_within, country).isoformat(), "law": request.law(country).isoformat(),
        "extended": _day(request.extended), "answered": _day(request.answered),
        "overdue": request.overdue(settings.answer_within, datetime.now(UTC).date(), country),
        "hits": len(found), "undecided": len(found - life.verdicts(book, request).keys()),
    }  # fmt: skip


@command.command("show")
@click.argument("called", metavar="NAME")
@options.output("text", "json")
@options.common
def show(called: str, form: str, config_file: Path | None, inventory: Path) -> None:
    """Show one request: its dates, what was done, what was found and decided. What is known of the person is not shown."""
    from scanner.requests import life

    settings = config.load(config_file)
    with options.open_book(inventory, settings) as book:
        request = life.load(book, called)
        decided = life.verdicts(book, request)
        found = []
        for hit in life.hits(book, request):
            verdict = decided.get(life.Address(hit.source, hit.object, hit.record, hit.field))
            word = "" if verdict is None else "accepted" if verdict.accepted else "rejected"
            found.append(
                {
                    "source": hit.source, "object": hit.object, "record": hit.record, "field": hit.field, "link": hit.link.value,
                    "score": hit.score, "why": hit.why, "role": hit.role.value, "verdict": word, "by": verdict.who if verdict else "",
                    "because": verdict.why if verdict else "",
                }
            )  # fmt: skip
        said: dict[str, Any] = {
            **_row(book, request, settings), "complete": request.complete, "erase_on": _day(request.erase_on),
            "known": sorted({one.entity for one in life.subject_of(book, request).identifiers}) if request.kept else [],
            "earlier": {other: list(same) for other, same in life.earlier(book, request).items()},
            "events": [one._asdict() for one in life.events(book, request)],
            "unread": [{"source": one[0], "object": one[1], "why": one[2]} for one in life.unread(book, request)], "found": found,
        }  # fmt: skip
    if form == "json":
        options.print_rows([said], "jsonl", ())
        return
    for key, value in said.items():
        if key not in ("events", "unread", "found", "earlier") and value not in ("", None, []):
            click.echo(f"{key:<10} {', '.join(value) if isinstance(value, list) else value}")
    for other, same in said["earlier"].items():
        click.echo(f"{'see also':<10} {other}: the same {', '.join(same)}")
    for key, columns in (
        ("events", life.Event._fields), ("unread", ("source", "object", "why")),
        ("found", ("source", "object", "record", "field", "link", "role", "why", "verdict", "by", "because")),
    ):  # fmt: skip
        if said[key]:
            click.echo("")
            options.print_table(said[key], columns)


@command.command("open")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What is asked for.")
@click.option("--received", type=_Day(), metavar="DAY", help="When it came in. [default: today]")
@click.option("--as", "called", default="", metavar="YEAR-NUMBER", help="What to call it. [default: the next one of the year]")
@click.option("--note", default="", metavar="TEXT", help="Sealed, and erased with the rest.")
@_person
@_who
@options.common
def open_(
    kind: str, received: date | None, called: str, note: str, who: str, config_file: Path | None, inventory: Path, **person: Any
) -> None:
    """Write down a request that came in, with what is known of the person. Prints its name."""
    from scanner.requests import life

    subject = _subject(person)
    settings = config.load(config_file)
    with options.open_book(inventory, settings, write=True) as book:
        day = received or datetime.now(UTC).date()
        request = life.open_request(book, kind, subject, received=day, name=called, who=_user(who), note=note)
        click.echo(request.name)
        country = settings.controller.country or "DK"
        click.echo(f"due {request.due(settings.answer_within, country)}, by law {request.law(country)}", err=True)
        for other, same in life.earlier(book, request).items():
            click.echo(f"persondata: {other} shares {', '.join(same)} with it", err=True)


@command.command("identify")
@click.argument("called", metavar="NAME")
@click.option("--note", default="", metavar="TEXT", help="How it was made sure who asks.")
@_person
@_who
@options.common
def identify(called: str, note: str, who: str, config_file: Path | None, inventory: Path, **person: Any) -> None:
    """It is sure who asks. What has become known of her since is added to what is searched for."""
    from scanner.requests import life

    more = _subject(person) if any(value for key, value in person.items() if key != "anyway") else None
    with options.open_book(inventory, config.load(config_file), write=True) as book:
        request = life.load(book, called)
        if more is not None:
            request = life.add(book, request, more, _user(who))
        life.advance(book, request, life.State.IDENTIFIED, _user(who), note=note)


@command.command("note")
@click.argument("called", metavar="NAME")
@click.argument("text")
@_who
@options.common
def note_(called: str, text: str, who: str, config_file: Path | None, inventory: Path) -> None:
    """Write something down about a request: sealed, and erased with the rest."""
    from scanner.requests import life

    with options.open_book(inventory, config.load(config_file), write=True) as book:
        life.note(book, life.load(book, called), text, _user(who))


@command.command("extend")
@click.argument("called", metavar="NAME")
@click.option("--reason", required=True, metavar="TEXT", help="Why it takes longer, as she was told.")
@click.option("--told", type=_Day(), metavar="DAY", help="When she was told. [default: today]")
@_who
@options.common
def extend(called: str, reason: str, told: date | None, who: str, config_file: Path | None, inventory: Path) -> None:
    """Take two months more (GDPR Art. 12(3)). She must be told so, with the reasons, within the first month."""
    from scanner.requests import life

    settings = config.load(config_file)
    with options.open_book(inventory, settings, write=True) as book:
        request = life.extend(book, life.load(book, called), reason, _user(who), told=told)
        click.echo(f"due {request.law(settings.controller.country or 'DK')}")


def _step(state: str, what: str, more: str = "", *, dated: bool = False) -> None:
    """A subcommand that brings a request to a state."""

    def run(called: str, note: str, who: str, config_file: Path | None, inventory: Path, on: date | None = None) -> None:
        from scanner.requests import life

        with options.open_book(inventory, config.load(config_file), write=True) as book:
            life.advance(book, life.load(book, called), {v: k for k, v in STEPS.items()}[state], _user(who), note=note, on=on)

    run.__doc__ = f"{what}{more}"
    made: Any = options.common(_who(click.option("--note", default="", metavar="TEXT", help="Sealed, and erased with the rest.")(run)))
    if dated:
        made = click.option("--on", type=_Day(), metavar="DAY", help="On which day. [default: today]")(made)
    command.command(state)(click.argument("called", metavar="NAME")(made))


STEPS = {"reviewed": "review", "answered": "answer", "withdrawn": "withdraw", "closed": "close"}
_step("review", "All hits have been looked at.")
_step("answer", "The answer has been given.", " What is known of the person is erased three months later.", dated=True)
_step("withdraw", "The person has withdrawn the request.", " What is known of her is erased at once.", dated=True)
_step("close", "An answered request is done with:", " what is known of the person is erased now.")


def _judging(word: str, accepted: bool) -> None:
    """`accept` or `reject`."""

    def run(
        called: str, pattern: tuple[str, ...], link: tuple[str, ...], why: str, who: str, config_file: Path | None, inventory: Path
    ) -> None:
        from scanner.model import Link
        from scanner.requests import life

        with options.open_book(inventory, config.load(config_file), write=True) as book:
            links = [Link(one) for one in link]
            count = life.judge(book, life.load(book, called), pattern, accepted, _user(who), why=why, links=links)
        click.echo(f"{count} {word}ed")

    run.__doc__ = (
        f"{word.capitalize()} the hits at the addresses that match: up to four patterns with * and ?, for source, object, record and "
        "field. What was decided survives a new search."
    )
    made: Any = options.common(_who(click.option("--why", default="", metavar="TEXT", help="Sealed, and erased with the rest.")(run)))
    made = click.option("--link", type=click.Choice(LINKS), multiple=True, help="Only hits that are so sure.")(made)
    command.command(word)(click.argument("called", metavar="NAME")(click.argument("pattern", nargs=-1, required=True)(made)))


_judging("accept", True)
_judging("reject", False)


def _subject(person: dict[str, Any]) -> Subject:
    from scanner.subject import identifiers

    if person["person"] is not None:
        return identifiers.from_json(person["person"].read(), anyway=person["anyway"])
    return identifiers.from_options(
        person["cpr"], person["email"], person["phone"], person["name"], person["address"], person["ids"], anyway=person["anyway"]
    )


def _user(who: str) -> str:
    import getpass

    if who:
        return who
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
