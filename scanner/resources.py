"""Where the rules and the reports lie: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from scanner.errors import ConfigError


def folder(name: Literal["rules", "reports"]) -> Path:
    """The folder of that name. A wheel carries it as `scanner/_data/NAME`."""
    package = Path(__file__).resolve().parent
    for place in (package / "_data" / name, package.parent / name):
        if place.is_dir():
            return place
    raise ConfigError(f"the installation has no folder {name!r}: install persondata anew")
