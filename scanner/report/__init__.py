"""Writes reports: SQL over the book, poured into a template. A report never looks into a source."""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from scanner.config import Config
from scanner.errors import ReportError
from scanner.report.words import entity, number
from scanner.resources import folder

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = {"rows_per_object": 12, "objects_per_source": 25, "rows_per_list": 100}
"""How much of the book a page shows; the rest is counted on it and is for `persondata inventory` and `coverage`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is made of: the book, what the company says of itself, and how to tell it.

    `since` is the run or the day from which `changes` tells; `findings` reads the findings of the book one by one (`Book.findings`).
    """

    book: sqlite3.Connection
    settings: Config = field(default_factory=Config)
    language: str = "en"
    since: str = ""
    findings: Callable[[Sequence[str]], Iterator[pa.RecordBatch]] = lambda _: iter(())


Writer: TypeAlias = Callable[[Asked, IO[bytes]], None]

KINDS: Mapping[str, Mapping[str, str]] = {
    "overview": {".html": "overview.as_html"},
    "processing": {".xlsx": "processing_files.as_xlsx", ".html": "processing_files.as_html", ".jsonld": "processing_dpv.as_jsonld"},
    "changes": {".html": "changes.as_html", ".xlsx": "changes.as_xlsx", ".json": "changes.as_json"},
    "coverage": {
        ".html": "coverage.as_html", ".xlsx": "coverage.as_xlsx", ".csv": "coverage.as_csv", ".json": "coverage.as_json",
    },
    "findings": {".parquet": "findings.as_parquet", ".csv": "findings.as_csv", ".xlsx": "findings.as_xlsx"},
    "graph": {".html": "graph.as_html", ".json": "graph.as_json", ".yml": "fides.as_yaml", ".yaml": "fides.as_yaml"},
}  # fmt: skip
"""Every report with its formats, and the module and function that writes each: imported when it is asked for."""
TRANSLATED = frozenset({"overview", "processing", "changes", "coverage", "findings"})
"""Reports that are there in English and in Danish."""


def write(kind: str, asked: Asked, out: Path) -> None:
    """Write the report to `out`, whole or not at all. The ending of the file chooses the format. Raises `ReportError`."""
    writer = chosen(kind, out)
    try:
        with aside(out) as file:
            writer(asked, file)
    except sqlite3.DatabaseError as error:
        raise ReportError(f"the inventory cannot be read for a report: {error}") from error
    except OSError as error:
        raise ReportError(f"{out}: cannot be written ({error.strerror})") from error


def chosen(kind: str, out: Path) -> Writer:
    """The writer of a report for a file of this name."""
    formats = KINDS.get(kind)
    if formats is None:
        raise ReportError(f"no report is called {kind!r}; there is {', '.join(sorted(KINDS))}")
    ending = out.suffix.lower()
    place = formats.get(".html" if ending == ".htm" else ending)
    if place is None:
        raise ReportError(f"{out.name}: the report {kind!r} has no such format; end the name in {', '.join(formats)}")
    module, _, function = place.partition(".")
    made: Writer = getattr(import_module(f"scanner.report.{module}"), function)
    return made


@contextmanager
def aside(out: Path) -> Iterator[IO[bytes]]:
    """A file to write to that takes the place of `out` when all is well: nobody ever sees half a report."""
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def put(content: bytes, out: Path) -> None:
    """Write aside, flush, rename."""
    with aside(out) as file:
        file.write(content)


def queries(name: str) -> dict[str, str]:
    """The named queries of `reports/NAME.sql`, in order: each starts with a line `-- name: …`."""
    text = (folder("reports") / f"{name}.sql").read_text(encoding="utf-8")
    parts = re.split(r"(?m)^-- name: (\w+)\n", text)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def rows(book: sqlite3.Connection, sql: str, parameters: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a query by column name, as they come."""
    cursor = book.execute(sql, parameters or {})
    columns = [column[0] for column in cursor.description]
    return (dict(zip(columns, row, strict=True)) for row in cursor)


def answers(book: sqlite3.Connection, name: str, **parameters: Any) -> dict[str, list[dict[str, Any]]]:
    """What the book says to each query: rows by column name."""
    return {query: list(rows(book, sql, ROWS | parameters)) for query, sql in queries(name).items()}


def page(name: str, content: Mapping[str, Any]) -> bytes:
    """The template `reports/NAME.html` filled in, everything escaped: names of files and columns may be hostile."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder("reports")), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=visible)  # fmt: skip
    said = content.get("words", {})
    environment.filters |= {"entity": lambda code: entity(said, code), "number": lambda value: number(said, value)}
    return environment.get_template(f"{name}.html").render(content).encode("utf-8")


def visible(value: Any) -> Any:
    """The same text with characters that show nothing (control, direction, lone surrogates) written as escapes."""
    if type(value) is not str or value.isprintable():
        return value
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in value)


def cell(value: Any) -> Any:
    """The same for a CSV file, of which a spreadsheet program might take a cell for a formula: that gets a quote in front."""
    shown = visible(value)
    return f"'{shown}" if isinstance(shown, str) and shown[:1] in ("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}") else shown
