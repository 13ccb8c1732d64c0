"""Formats that other packages read: entry points of the group `persondata.formats`, each called by the ending that its files have.

An entry point gives a `scanner.extract.walk.Reader`; `scanner.contract.FormatContract` is the suite that it passes. It is asked for files
of its ending that are plain text or nothing that is known here: what a file is by its content, its name does not overrule.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import PurePosixPath

from scanner.extract.walk import Reader
from scanner.model import Blob, Problem, Why

GROUP = "persondata.formats"


def reader_of(blob: Blob) -> Reader | Problem | None:
    """The reader that an installed package offers for a file of this ending, if any; a problem where it cannot be loaded."""
    point = _offered().get(PurePosixPath(blob.object).suffix.lower().removeprefix("."))
    if point is None:
        return None
    try:
        reader: Reader = point.load()
    except Exception as error:  # whatever a stranger's module does while it is imported
        return Problem(blob.object, Why.UNSUPPORTED, f"the plugin {point.value} cannot be loaded ({type(error).__name__})")
    return reader


@cache
def _offered() -> dict[str, EntryPoint]:
    return {point.name.lower(): point for point in entry_points(group=GROUP)}
