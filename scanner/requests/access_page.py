"""Fills in the page and the words of a package: templates in `reports/access/`, one table of words a language."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from datetime import date
from typing import IO, Any

from scanner.report import words as report_words
from scanner.resources import folder


def words(language: str) -> dict[str, Any]:
    """All words of a language."""
    return report_words.words("access", language)


def write(out: IO[bytes], template: str, content: Mapping[str, Any]) -> None:
    """Fill in a template piece by piece: what it iterates over is never in memory as a whole."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder("reports") / "access"), autoescape=template.endswith(".html"),
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=shown, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {"day": functools.partial(day, content["words"]), "listed": functools.partial(listed, content["words"])}
    stream = environment.get_template(template).stream(content)
    stream.enable_buffering(64)
    for piece in stream:
        out.write(piece.encode("utf-8", "backslashreplace"))


def shown(value: object) -> object:
    """The same text with characters that show nothing (control, direction) as escapes; line breaks and tabs are meant."""
    if type(value) is not str or value.isprintable():
        return value
    return "".join(letter if letter.isprintable() or letter in "\n\t" else ascii(letter)[1:-1] for letter in value.replace("\r\n", "\n"))


def day(names: Mapping[str, Any], when: date | None) -> str:
    """A day as people write it: 3. december 2026, 3 December 2026."""
    return names["day"].format(day=when.day, month=names["months"][when.month - 1], year=when.year) if when else ""


def listed(names: Mapping[str, Any], items: Iterator[str]) -> str:
    """Items as a sentence lists them, each once: a, b og c."""
    found = list(dict.fromkeys(items))
    return f" {names['and']} ".join([*([", ".join(found[:-1])] if len(found) > 1 else []), *found[-1:]])
