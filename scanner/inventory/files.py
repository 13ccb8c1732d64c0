"""The names of the files that findings lie in, beside the book."""

from __future__ import annotations

import re

NAMES = re.compile(r"[.]?[0-9a-f]{16}(?:[.][0-9]+[.](?:found|keys)|[.]parquet)")
"""What lies in the folder of segments; with a dot in front while it is written."""


def part(file: str, number: int) -> tuple[str, str]:
    """The two files of one part of a segment: its findings and their keys."""
    return f"{file}.{number}.found", f"{file}.{number}.keys"


def whole(file: str, parts: int) -> list[str]:
    """All files of a segment; one of an earlier version of the book is a single Parquet file."""
    return [file] if file.endswith(".parquet") else [name for number in range(parts) for name in part(file, number)]
