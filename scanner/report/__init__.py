"""Writes reports: SQL over the book, poured into a template. A report never looks into a source."""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from scanner.errors import ReportError
from scanner.resources import folder

ROWS = {"rows_per_object": 12, "objects_per_source": 25, "rows_per_list": 100}
"""How much of the book a page shows; the rest is counted on it and is for `persondata inventory` and `coverage`."""

Writer: TypeAlias = Callable[[sqlite3.Connection], bytes]


def write(kind: str, book: sqlite3.Connection, out: Path) -> None:
    """Write the report to `out`, whole or not at all. The ending of the file chooses the format."""
    formats = KINDS.get(kind)
    if formats is None:
        raise ReportError(f"no report is called {kind!r}; there is {', '.join(sorted(KINDS))}")
    writer = formats.get(out.suffix.lower())
    if writer is None:
        raise ReportError(f"{out.name}: the report {kind!r} has no such format; end the name in {', '.join(sorted(formats))}")
    try:
        content = writer(book)
    except sqlite3.DatabaseError as error:
        raise ReportError(f"the inventory cannot be read for a report: {error}") from error
    try:
        put(content, out)
    except OSError as error:
        raise ReportError(f"{out}: cannot be written ({error.strerror})") from error


def put(content: bytes, out: Path) -> None:
    """Write aside, flush, rename: nobody ever sees half a report."""
    handle, aside = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(out)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def queries(name: str) -> dict[str, str]:
    """The named queries of `reports/NAME.sql`, in order: each starts with a line `-- name: …`."""
    text = (folder("reports") / f"{name}.sql").read_text(encoding="utf-8")
    parts = re.split(r"(?m)^-- name: (\w+)\n", text)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def answers(book: sqlite3.Connection, name: str) -> dict[str, list[dict[str, Any]]]:
    """What the book says to each query: rows by column name."""
    found = {}
    for query, sql in queries(name).items():
        cursor = book.execute(sql, ROWS)
        columns = [column[0] for column in cursor.description]
        found[query] = [dict(zip(columns, row, strict=True)) for row in cursor]
    return found


def page(name: str, content: Mapping[str, Any]) -> bytes:
    """The template `reports/NAME.html` filled in, everything escaped: names of files and columns may be hostile."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder("reports")), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=visible)  # fmt: skip
    return environment.get_template(f"{name}.html").render(content).encode("utf-8")


def visible(value: object) -> object:
    """The same text with characters that show nothing (control, direction, lone surrogates) written as escapes."""
    if type(value) is not str or value.isprintable():
        return value
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in value)


def overview(book: sqlite3.Connection) -> bytes:
    """What lies where, what was not read and what changed: one HTML page that needs nothing else."""
    return page("overview", answers(book, "overview"))


def _graph(form: str) -> Writer:
    """The graph of tables; imported when it is asked for."""

    def write_graph(book: sqlite3.Connection) -> bytes:
        from scanner.report import fides, graph

        writers: Mapping[str, Writer] = {"html": graph.as_html, "json": graph.as_json, "yaml": fides.as_yaml}
        return writers[form](book)

    return write_graph


KINDS: Mapping[str, Mapping[str, Writer]] = {
    "overview": {".html": overview, ".htm": overview},
    "graph": {".html": _graph("html"), ".htm": _graph("html"), ".json": _graph("json"), ".yml": _graph("yaml"), ".yaml": _graph("yaml")},
}
"""Every report with its formats."""
