"""`persondata scan`: walk sources and update the inventory."""

from __future__ import annotations

import gc
import json
import os
import secrets
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner import config
from scanner.cli import options
from scanner.errors import UsageError

if TYPE_CHECKING:
    from scanner.detect.known import KnownColumn
    from scanner.model import Limits, Source
    from scanner.scan import Progress

CLASSES = ("technical", "general", "confidential", "criminal", "sensitive")


@click.command("scan", short_help="Walk sources and update the inventory.")
@click.argument("source", nargs=-1)
@click.option("--full", is_flag=True, help="Read everything again, also what has not changed.")
@click.option("--sample", is_flag=True, help="Read only a sample of tables that are too large; coverage says how sure that is.")
@options.prose
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes that read at the same time. [default: one a core]")
@click.option("--fail-on", type=click.Choice(CLASSES), metavar="CLASS", help="Exit 1 when personal data of this class was found.")
@options.output("text", "json", "jsonl")
@options.common
def command(
    source: tuple[str, ...], full: bool, sample: bool, prose: str | None, workers: int | None, fail_on: str | None, form: str,
    config_file: Path | None, inventory: Path,
) -> None:  # fmt: skip
    """Walk each SOURCE and update the inventory; without one, all sources of the configuration.

    A SOURCE is a folder or file, sqlite:///FILE or postgresql://USER@HOST/DATABASE. Nothing is ever written to it.
    What has not changed since the last scan is skipped; a scan that was killed goes on where it was.

    With --sample, database tables of more than 250,000 rows (of servers other than PostgreSQL those with a dense whole-number
    key) are read in chunks drawn from all of the table, until a column
    in which one row in a thousand holds a finding is missed with a chance of at most 1 %. Such a table is `partial` in
    the coverage, with the chance, until a scan without --sample has read it in full. Files are always read in full.
    """
    signal.signal(signal.SIGTERM, _stop)
    gc.freeze()
    gc.set_threshold(1_000_000)  # a walk makes millions of small things and no cycles
    settings = config.load(config_file)
    level = prose or settings.prose_level
    sources = open_sources(source, settings, inventory)
    from scanner import scan
    from scanner.subject import graph_book

    _share(sources, sample, workers or os.cpu_count() or 1)
    listings = [scan.listing(one) for one in sources]
    digest = options.rules_digest(settings, level)
    if not (inventory / "book.db").is_file():
        options.detector(settings, level)
    with options.open_book(inventory, settings, write=True) as book, options.Line() as line:
        key = book.key()
        known = _known(settings, level, key, inventory) if settings.known else ()
        summary = scan.scan(
            book, sources, listings, _Setup(settings, level, key, tuple(sources), known), digest,
            limits=settings.limits, full=full, processes=workers or 0, progress=lambda progress: line.show(lambda: _told(progress)),
        )  # fmt: skip
        graph_book.update(book, sources, summary["run"])
        unread = sum(summary["objects"][status] for status in ("partial", "skipped", "failed")) or _unread(book, sources)
        hit = fail_on and _has_class(book, sources, fail_on)
    if form == "text":
        _print(summary, inventory)
    else:
        click.echo(json.dumps(summary))
    sys.exit(3 if unread else 1 if hit else 0)


def _stop(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _share(sources: list[Source], sample: bool, workers: int) -> None:
    """Tell sources that can make use of it whether to sample, and how many workers will read them."""
    from scanner.extract.sampling import Sampling

    for one in sources:
        if sample and hasattr(one, "sampling"):
            one.sampling = Sampling(secrets.randbits(30))
        if hasattr(one, "readers"):
            one.readers = workers


class _Setup:
    """Makes a worker's setup inside the worker, so that the coordinator of an idle scan imports nothing heavy."""

    def __init__(
        self, settings: config.Config, prose: str, key: bytes, sources: tuple[Source, ...], known: tuple[KnownColumn, ...]
    ) -> None:
        self._all = (settings, prose, key, sources, known)

    def __call__(self) -> Any:
        return options.setup(*self._all)


def _known(settings: config.Config, prose: str, key: bytes, inventory: Path) -> tuple[KnownColumn, ...]:
    """The company's own values, read anew, as files of digests inside the inventory."""
    from scanner import known

    def source(name: str) -> Source:
        return open_sources((name,), settings, inventory)[0]

    return known.gather(settings.known, source, lambda: options.detector(settings, prose), key, inventory / "known")


def open_sources(names: tuple[str, ...], settings: config.Config, inventory: Path) -> list[Source]:
    """The sources named on the command line: a URL, a path, or a name from the configuration; all of those when none."""
    by_name = {one.name: one for one in settings.sources}
    if not names:
        if not settings.sources:
            raise UsageError("name a SOURCE to scan, or list some under [[source]] in persondata.toml")
        names = tuple(by_name)
    opened: list[Any] = []
    passwords = tuple(config.secret(one, settings.folder) for one in settings.archive_passwords)
    for name in dict.fromkeys(name if "://" in name else name.rstrip("/") or name for name in names):
        if not name.strip() or not name.isprintable():
            raise UsageError("a SOURCE must be a path or a URL in printable characters")
        entry = by_name.get(name) or next((one for one in settings.sources if one.url == name), None)
        if entry is None:
            opened.append(_open(name, name, None, (), (), settings.limits, inventory))
            opened[-1].passwords = passwords
            continue
        password = config.secret(entry.password, settings.folder) if entry.password else None
        url = _from(settings.folder, entry.url)
        opened.append(_open(url, entry.name, password, entry.include, entry.exclude, settings.limits, inventory))
        opened[-1].passwords = passwords
    return opened


def _from(folder: Path, url: str) -> str:
    """A path or SQLite file of the configuration, which starts at the configuration's own folder."""
    for scheme in ("sqlite:///", "duckdb:///", "slack:", ""):
        if url.startswith(scheme) and (scheme or "://" not in url):
            return scheme + str(folder / url.removeprefix(scheme))
    return url


def _open(
    url: str, name: str, password: str | None, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits, inventory: Path
) -> Source:
    from scanner.scan import own_folder_patterns
    from scanner.sources import open_source

    if "://" not in url and Path(url).is_dir():
        exclude = (*exclude, *own_folder_patterns(Path(url), inventory))
    given = name if name != url else ""
    return open_source(url, name=given, password=password, include=include, exclude=exclude, limits=limits)


def _unread(book: Any, sources: list[Source]) -> int:
    marks = ",".join("?" * len(sources))
    names = [one.name for one in sources]
    query = (
        f"select exists (select 1 from object join unit on unit.id = object.unit join source on source.id = unit.source"
        f" where object.status <> 'complete' and source.name in ({marks}))"
        f" or exists (select 1 from unlisted join source on source.id = unlisted.source where source.name in ({marks})) as n"
    )
    return int(next(book.rows(query, [*names, *names]))["n"])


def _has_class(book: Any, sources: list[Source], cls: str) -> bool:
    marks = ",".join("?" * len(sources))
    return any(book.rows(f"select 1 from data_map where class = ? and source in ({marks}) limit 1", [cls, *(one.name for one in sources)]))


def _print(summary: dict[str, Any], inventory: Path) -> None:
    counts = summary["objects"]
    said = [f"{counts[what]:,} {what}" for what in ("complete", "partial", "skipped", "failed", "unchanged") if counts[what]]
    click.echo(f"objects   {', '.join(said) or 'none'}")
    changes = [f"{n:,} {what}" for what, n in summary["changes"].items() if n]
    if changes:
        click.echo(f"changes   {', '.join(changes)} since the last scan")
    click.echo(f"findings  {summary['findings']:,}")
    click.echo(f"read      {_size(summary['bytes'])}, {summary['rows']:,} rows in {summary['seconds']:.1f} s")
    where = "" if str(inventory) == "persondata-inventory" else f" --inventory {inventory}"
    click.echo(f"see       persondata inventory{where}")
    if counts["partial"] or counts["skipped"] or counts["failed"]:
        click.echo(f"          persondata coverage{where}   (what was not read, and why)")


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _told(progress: Progress) -> str:
    text = f"{progress.source}: {progress.listed:,} listed, {progress.unchanged:,} unchanged"
    return text + f", {progress.done:,} read, {progress.findings:,} findings"
