"""An export of a chat service named as such, `slack:export.zip`: a folder or file whose content says what it is."""

from __future__ import annotations

from scanner.model import Limits
from scanner.sources.files import Files


def from_url(url: str, name: str, _password: str | None, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> Files:
    """Make the source of a path with the name of a service and a colon before it."""
    path = url.partition(":")[2]
    return Files(url, path.removeprefix("//"), name or url, include, exclude, limits)
