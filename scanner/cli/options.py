"""Options that several commands share, and what they lead to."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scanner import config
from scanner.errors import UsageError

if TYPE_CHECKING:
    from scanner.detect.engine import Detector
    from scanner.detect.known import KnownColumn
    from scanner.inventory import Book
    from scanner.unit import Setup

F = TypeVar("F", bound=Callable[..., Any])

RULES_EPOCH = 2
"""Counts up when the program, not a rule, begins to find something else, so that everything is read again."""


def common(command: F) -> F:
    """The options that every command takes."""
    command = click.option(
        "--inventory", "inventory", type=click.Path(path_type=Path, file_okay=False), default=Path("persondata-inventory"),
        show_default=True, metavar="FOLDER", help="Where the inventory lies.",
    )(command)  # fmt: skip
    return click.option(
        "--config", "config_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        help="Configuration. [default: persondata.toml where it exists]",
    )(command)  # fmt: skip


def output(*formats: str) -> Callable[[F], F]:
    """`--format`, the first being the default."""
    return click.option("--format", "form", type=click.Choice(formats), default=formats[0], show_default=True, help="How to print.")


prose = click.option(
    "--prose", type=click.Choice(config.LEVELS),
    help="How hard to look for names in sentences. [default: the configuration's, or fast]",
)  # fmt: skip


def open_book(folder: Path, settings: config.Config, *, write: bool = False) -> Book:
    """The inventory, with its key's secret when the configuration refers to one."""
    from scanner.inventory import Book

    secret = config.secret(settings.inventory_key, settings.folder) if settings.inventory_key else None
    return Book(folder, write=write, secret=secret)


def setup(settings: config.Config, prose_level: str, key: bytes, sources: Sequence[Any] = (), known: Sequence[KnownColumn] = ()) -> Setup:
    """What detection needs, from the configuration."""
    from scanner.detect.memo import cache_folder
    from scanner.resources import folder
    from scanner.unit import Setup

    folders = (folder("rules"), *settings.rule_folders)
    return Setup(
        tuple(sources),
        folders,
        settings.countries,
        settings.languages,
        prose_level,
        key,
        cache_folder(),
        tuple(known),
        settings.prose_engine,
    )


def rules_digest(settings: config.Config, prose_level: str) -> str:
    """A digest of all that decides what is found: rules, word lists, dials. Reads no rule, only their bytes."""
    import hashlib

    from scanner import __version__
    from scanner.resources import folder

    state = hashlib.blake2b(digest_size=16)
    state.update(repr((__version__, RULES_EPOCH, prose_level, settings.countries, settings.languages, settings.known)).encode())
    if settings.prose_engine is not None and prose_level == "full":
        from scanner.detect import external

        state.update(external.fingerprint(settings.prose_engine).encode())
    for place in (folder("rules"), *settings.rule_folders):
        if not place.is_dir():
            raise UsageError(f"{place}: no such folder of rules")
        for path in sorted(place.rglob("*")):
            if path.suffix in (".yaml", ".yml", ".txt", ".npz", ".json") and path.name != "law.yaml" and path.is_file():
                state.update(path.name.encode() + b"\0" + path.read_bytes())
    return state.hexdigest()


def detector(
    settings: config.Config,
    prose_level: str,
    *,
    least: float | None = None,
    languages: Sequence[str] = (),
    key: bytes = b"",
    known: Sequence[KnownColumn] = (),
) -> Detector:
    """A detector for texts at hand, its rules held to their promises whenever they have changed."""
    from scanner.detect import engine, promises, rules
    from scanner.detect.memo import cache_folder
    from scanner.resources import folder

    ruleset = rules.load(
        (folder("rules"), *settings.rule_folders),
        countries=settings.countries,
        languages=languages or settings.languages,
        cache=cache_folder(),
    )

    def make(level: str) -> Detector:
        return engine.Detector(
            ruleset,
            key=key or os.urandom(32),
            prose_level=level,
            least=engine.LEAST if least is None else least,
            cache=cache_folder(),
            known=known,
            spoken=not languages,
            engine=settings.prose_engine,
        )

    made = make(prose_level)
    whole = not (languages or settings.languages or settings.countries)  # examples are held with everything switched on
    if made.compiled_now and least is None and whole:
        promises.hold(made if prose_level != "off" else make("fast"))  # what is said of people is not looked at without prose
    return made


AROUND = 1_000
"""So much text on either side is enough to say why something was found."""


def why(detector: Detector, text: str, field: str, found: dict[str, Any], *, in_row: bool = False) -> list[dict[str, Any]]:
    """What the score of a finding is made of: each factor and what it added. The sum is kept within 0 and 1."""
    low = max(0, found["start"] - AROUND)
    part = text[low : found["end"] + AROUND]
    factors = detector.explain(part, field, found["start"] - low, found["end"] - low, found["rule"], in_row=in_row)
    return [{"what": what, "added": round(added, 4)} for what, added in factors]


def print_rows(rows: Iterable[dict[str, Any]], form: str, columns: Sequence[str]) -> None:
    """Print rows as a table, JSON (one list), JSON lines or CSV; Parquet goes to standard output as bytes."""
    if form == "jsonl":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif form == "json":
        click.echo(json.dumps({"rows": list(rows)}, ensure_ascii=False, indent=1))
    elif form == "csv":
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            click.echo(buffer.getvalue(), nl=False)
            buffer.seek(0)
            buffer.truncate()
        click.echo(buffer.getvalue(), nl=False)
    elif form == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist(list(rows))
        pq.write_table(table, sys.stdout.buffer)
    else:
        print_table(list(rows), columns)


def print_table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    """Print rows in aligned columns, cut to the terminal's width only where there is a terminal."""
    if not rows:
        return
    cells = [[_printable(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(column), *(len(row[i]) for row in cells)) for i, column in enumerate(columns)]
    right = [all(isinstance(row.get(column), (int, float)) for row in rows) for column in columns]

    def line(values: Sequence[str]) -> str:
        return "  ".join(
            value.rjust(width) if is_right else value.ljust(width) for value, width, is_right in zip(values, widths, right, strict=True)
        ).rstrip()

    click.echo(line(list(columns)))
    for row in cells:
        click.echo(line(row))


def _printable(value: Any) -> str:
    text = "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


class Line:
    """One line on the terminal that says how far long work is; nothing where there is no terminal."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()
        self._last = 0.0

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        if self._on and self._last:
            click.echo("\r\033[K", nl=False, err=True)

    def show(self, text: str | Callable[[], str]) -> None:
        """Called often; draws ten times a second."""
        if not self._on or time.monotonic() - self._last < 0.1:
            return
        self._last = time.monotonic()
        said = text if isinstance(text, str) else text()
        click.echo(f"\r\033[K{said[:120]}", nl=False, err=True)
