"""`persondata verify`: the proof after a deletion, and the check of such a proof."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner import config
from scanner.cli import find, options
from scanner.errors import InventoryError, PersondataError, UsageError

if TYPE_CHECKING:
    from scanner.inventory import Book
    from scanner.model import Source
    from scanner.requests.plan import Plan
    from scanner.requests.verify import Result

HEADS = {
    "left": "still there, and had to go",
    "found": "hers, and unknown to the plan",
    "missing": "had to be kept, and is not there",
    "may go": "kept, and may go now",
    "open": "still to be decided",
    "unseen": "could not be looked at",
    "possible": "only possibly hers, and unknown to the plan",
}
"""What the states of the list mean."""


@click.command("verify", short_help="Look again after a deletion: a certificate, or what is left.")
@click.argument("plan", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.argument("source", nargs=-1)
@click.option("-o", "--output", "out", type=click.Path(path_type=Path, dir_okay=False), metavar="CERTIFICATE.json",
              help="The certificate. [default: PLAN.certificate.json beside the plan]")  # fmt: skip
@click.option("--language", type=click.Choice(("da", "en")), default="da", show_default=True, help="Of the page beside the certificate.")
@click.option("--sweep", type=click.Choice(("all", "auto")), default="all", show_default=True,
              help="Read everything again, or trust the inventory for what has not changed since the last scan.")  # fmt: skip
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The day by which times of keeping are judged.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes that read at once. [default: one a core]")
@click.option(
    "--certificate", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Check a certificate, and do nothing else."
)
@click.option("--key", metavar="FINGERPRINT", help="With --certificate: the key that must have signed it.")
@click.option("--show-key", is_flag=True, help="Print the key with which this installation signs, and its fingerprint.")
@options.output("table", "json", "jsonl")
@options.common
def command(
    plan: Path | None, source: tuple[str, ...], out: Path | None, language: str, sweep: str, today: datetime | None, workers: int | None,
    certificate: Path | None, key: str | None, show_key: bool, form: str, config_file: Path | None, inventory: Path,
) -> None:  # fmt: skip
    """Look again for the person of a deletion plan: at each of its records, and everywhere else with all that is known of her.

    Looked in is every source that the plan, the configuration or the inventory knows, and each SOURCE. When nothing that had to go is
    left, a signed certificate is written, and a page to read beside it; it holds no personal data. Exit code 1: something is left; 3:
    something could not be looked at, so that there is no certificate.

    A certificate can be checked anywhere, without inventory and configuration: persondata verify --certificate FILE --key FINGERPRINT.
    """
    if certificate is not None or show_key:
        if plan is not None or (certificate is not None and show_key):
            raise UsageError("give a PLAN, or --certificate, or --show-key: one of them")
        from scanner.cli import verify_certificate

        if certificate is None:
            verify_certificate.show_key(form)
        else:
            sys.exit(verify_certificate.check(certificate, key, form))
        return
    if key is not None:
        raise UsageError("--key goes with --certificate FILE")
    if plan is None:
        raise UsageError("name the PLAN.json that `persondata sweep` has written")
    out = out or plan.with_name(f"{plan.name.removesuffix('.json')}.certificate.json")
    if out.suffix.lower() != ".json" or out.resolve() == plan.resolve():
        raise UsageError(f"{out.name}: a certificate is a JSON file of its own; end its name in .json")
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent}: there is no such folder for the certificate")
    settings = config.load(config_file)
    result, written = verify(plan, source, settings, inventory, out, language, sweep, today.date() if today else None, workers)
    _print(result, written, form)
    sys.exit(result.exit_code)


def verify(
    file: Path, names: Sequence[str], settings: config.Config, inventory: Path, out: Path, language: str, sweep: str, today: date | None,
    workers: int | None,
) -> tuple[Result, dict[str, Any] | None]:  # fmt: skip
    """Verify a plan, and write the certificate if there is something to certify. Returns the result and what was certified."""
    import os

    from scanner.requests import verify as look

    with options.open_book(inventory, settings) as book:
        plan, text = _load(file, book)
        sources, lost = _open(plan, names, settings, inventory, book)
        made, problems = find.graph_of(sources, book)
        lost += [(*_place(one.object, sources), f"{one.why.value}: {one.detail}") for one in problems]
        with options.Line() as line:
            result = look.verify(
                plan, sources, made, book, settings, lost=lost, rejected=_rejected(book, plan), sweep=sweep,
                processes=workers or os.cpu_count() or 1, today=today, progress=line.show,
            )  # fmt: skip
        said = _certify(result, text, book, settings, out, language) if result.proven else None
    _tell(result, said, settings, inventory)
    return result, said


def _load(file: Path, book: Book) -> tuple[Plan, bytes]:
    """The plan and its bytes. Raises `InventoryError` with what is wrong: another inventory, or a plan that was changed."""
    from scanner.requests import plan

    key = book.key()
    try:
        made, text = plan.load(file, key), file.read_bytes()
    except InventoryError:
        other = json.loads(file.read_text(encoding="utf-8")).get("inventory")
        if other != book.meta("id"):
            raise InventoryError(f"{file}: was made with another inventory than {book.folder}; name it with --inventory FOLDER") from None
        raise InventoryError(f"{file}: was changed after it was made, and proves nothing; make it again with `persondata sweep`") from None
    if made.inventory != book.meta("id"):
        raise InventoryError(f"{file}: was made with another inventory than {book.folder}; name it with --inventory FOLDER")
    return made, text


def _open(
    plan: Plan, names: Sequence[str], settings: config.Config, inventory: Path, book: Book
) -> tuple[list[Source], list[tuple[str, str, str]]]:
    """Everything that the configuration or the inventory knows, what the plan has looked in, and what is named; what cannot be opened."""
    sources, lost = find.open_all((), settings, inventory, book)
    known = {one.name for one in sources} | {name for name, _, _ in lost}
    known |= {one.url for one in settings.sources} | {one.url for one in sources}
    more = [name for name in dict.fromkeys((*plan.looked, *(one.source for one in plan.actions), *names)) if name not in known]
    if more:
        also, missing = find.open_all(more, settings, inventory, book)
        reached = {one.name for one in sources}
        sources += [one for one in also if one.name not in reached]
        if wrong := next((why for name, _, why in missing if name in names), ""):
            raise UsageError(wrong)
        lost += missing
    return sources, lost


def _place(object: str, sources: Sequence[Source]) -> tuple[str, str]:
    """The source and the object of a problem of the graph, which says both in one."""
    return next(((one.name, object.removeprefix(f"{one.name}:")) for one in sources if object.startswith(f"{one.name}:")), ("", object))


def _rejected(book: Book, plan: Plan) -> list[tuple[str, str, str, str]]:
    """What a caseworker has judged to be somebody else's, for the request of the plan."""
    from scanner.requests import life

    if not plan.request:
        return []
    try:
        decided = life.verdicts(book, life.load(book, plan.request))
    except UsageError:
        return []
    return [(one.source, one.object, one.record, one.field) for one, verdict in decided.items() if not verdict.accepted]


def _certify(result: Result, text: bytes, book: Book, settings: config.Config, out: Path, language: str) -> dict[str, Any]:
    from scanner import __version__
    from scanner.requests import certificate, certificate_keys, certificate_page

    fresh = not certificate_keys.path().exists()
    key = certificate_keys.signing_key()
    signer = certificate_keys.public(key)
    if fresh:
        click.echo(
            f"persondata: a key to sign certificates was made: {certificate_keys.path()}; keep it, and tell its fingerprint", err=True
        )
    rules = options.rules_digest(settings, settings.prose_level)
    body = certificate.body(
        result, key=book.key(), inventory=book.meta("id"), version=__version__, rules=rules, plan_file=text, signer=signer
    )
    said = certificate.sign(body, key)
    try:
        certificate.write(said, out)
        page = certificate_page.write(said, out, language)
    except OSError as error:
        raise UsageError(f"{out}: the certificate cannot be written ({error.strerror})") from None
    return {"certificate": str(out), "page": str(page), "whole": said["whole"], "fingerprint": said["signed_by"]["fingerprint"]}


def _tell(result: Result, said: dict[str, Any] | None, settings: config.Config, inventory: Path) -> None:
    """Write down in the life of the request that its plan was verified."""
    from scanner.cli.request import _user
    from scanner.requests import life
    from scanner.requests.request import tell

    plan = result.plan
    if not plan.request:
        return
    if said is not None:
        what = f"verified: nothing that had to go remains{'' if said['whole'] else ', but the plan was not whole'}"
    elif result.gaps:
        what = f"verified, but not in full: {result.remains} remain, {len(result.gaps)} places could not be looked at"
    else:
        what = f"verified: {result.remains} remain"
    try:
        with options.open_book(inventory, settings, write=True) as book:
            request = life.load(book, plan.request)
            with book.transaction() as cursor:
                tell(book, cursor, request.id, request.name, datetime.now(UTC), _user(""), what, f"plan {plan.id}")
    except PersondataError as error:
        click.echo(f"persondata: not written down with request {plan.request}: {error}", err=True)


# -- what is printed ---------------------------------------------------------------------------------------------


def _print(result: Result, written: dict[str, Any] | None, form: str) -> None:
    from dataclasses import asdict

    from scanner.requests import verify as look
    from scanner.requests.verify_hits import counts

    for note in result.notes:
        click.echo(f"persondata: {note}", err=True)
    for gap in result.gaps:
        click.echo(f"persondata: not looked at: {' '.join(part for part in (gap.source, gap.object) if part)}: {gap.reason}", err=True)
    rows = list(look.rows(result))
    if form == "jsonl":
        options.print_rows(rows, "jsonl", ())
    elif form == "json":
        said = {
            "plan": result.plan.id, "remains": result.remains, "proven": result.proven, "whole": bool(written and written["whole"]),
            "counts": counts(result.seen), "records": rows, "unread": [asdict(gap) for gap in result.gaps], "notes": list(result.notes),
            "certificate": written["certificate"] if written else None, "fingerprint": written["fingerprint"] if written else None,
            "seconds": round(result.seconds, 1),
        }  # fmt: skip
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        _table(result, rows, written)


def _table(result: Result, rows: Sequence[dict[str, str]], written: dict[str, Any] | None) -> None:
    from scanner.requests.plan import MUST_GO
    from scanner.requests.verify_rows import State

    for state, head in HEADS.items():
        some = [row for row in rows if row["state"] == state]
        if some:
            click.echo(click.style(f"{head} ({len(some):,})", bold=True))
            options.print_table(some, ("source", "object", "record", "action", "link", "why"))
            click.echo("")
    had = [one for one in result.seen if one.planned.action in MUST_GO]
    gone = sum(one.state in (State.GONE, State.REPLACED, State.CLEAN) for one in had)
    click.echo(f"{gone:,} of {len(had):,} records that had to go are gone, {len(result.of(State.HELD, State.MAY_GO)):,} are kept")
    if written is not None:
        click.echo(f"certificate  {written['certificate']}" + ("" if written["whole"] else "  NOT WHOLE: the plan was incomplete"))
        click.echo(f"to read      {written['page']}")
        click.echo(f"signed by    {written['fingerprint']}")
    elif result.gaps:
        click.echo(f"no certificate: {len(result.gaps):,} places could not be looked at")
    else:
        click.echo(f"no certificate: {result.remains:,} records remain")
