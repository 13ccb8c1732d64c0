"""Values with an inside (JSON, XML) in a column of a table: each text under its path, `profile.addresses[].street`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from scanner.extract.rows import column_batches
from scanner.extract.text import Texts, strings
from scanner.model import Shape, TextBatch

if TYPE_CHECKING:
    import pyarrow as pa

_MANY = 100
"""An object with more keys than this is taken for a map: its keys are data."""
_NAME = re.compile(r"[^\W\d][\w -]{0,40}\Z")
_FILLED = 8
"""A path that at least one row in so many has is a column of all rows; a rarer one is a column of its own rows."""
_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=str, parse_float=str, parse_constant=lambda _: None, strict=False)
"""Objects become tuples of pairs (a key that occurs twice is not lost), arrays lists, numbers the text they were."""


@dataclass(slots=True)
class _Path:
    """The texts of one path, with the row of each; `once` while no row has two."""

    rows: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    once: bool = True


class Paths:
    """Takes the values of one chunk of rows apart, and gives their texts as columns."""

    def __init__(self) -> None:
        self._paths: dict[str, _Path] = {}

    def add(self, record: str, field: str, text: str, _shape: Shape = Shape.CELL) -> None:
        """Take one text; `record` is the number of its row, as text."""
        path, row = self._paths.setdefault(field, _Path()), int(record)
        path.once = path.once and not (path.rows and path.rows[-1] == row)
        path.rows.append(row)
        path.texts.append(text)

    def add_json(self, name: str, column: pa.StringArray) -> None:
        """Take a column of JSON texts; what is not JSON stays one text under the column's name."""
        for row, text in enumerate(column.to_pylist()):
            if text is None:
                continue
            try:
                value = _DECODER.decode(text)
            except (ValueError, RecursionError):
                value = text
            self._flatten(str(row), name, value)

    def add_xml(self, name: str, column: pa.StringArray) -> None:
        """Take a column of XML texts; what is not XML stays one text under the column's name."""
        from lxml import etree

        from scanner.extract.markup import Columns, parse_xml

        for row, text in enumerate(column.to_pylist()):
            if not text:
                continue
            inner = Paths()
            # The text is UTF-8 by now, whatever its declaration says.
            data = re.sub(r"\A\s*<\?xml[^>]*\?>", "", text).encode("utf-8", "replace")
            try:
                for _ in parse_xml([data], Columns(cast("Texts", inner), "0", name), recover=False):
                    pass
            except etree.LxmlError:
                self.add(str(row), name, text)
                continue
            for path, found in inner._paths.items():
                for one in found.texts:
                    self.add(str(row), path, one)

    def batches(self, object: str, records: pa.StringArray) -> Iterator[TextBatch]:
        """The texts by path, each named by the record of its row in `records`."""
        import pyarrow as pa

        whole: list[tuple[str, pa.StringArray]] = []
        some: dict[tuple[int, ...], list[tuple[str, pa.StringArray]]] = {}
        for name, path in self._paths.items():
            if path.once and len(path.rows) * _FILLED >= len(records):
                cells: list[str | None] = [None] * len(records)
                for row, text in zip(path.rows, path.texts, strict=True):
                    cells[row] = text
                whole.append((name, strings(cells)))
            else:
                some.setdefault(tuple(path.rows), []).append((name, strings(path.texts)))
        yield from _columns(object, whole, records)
        for rows, columns in some.items():
            yield from _columns(object, columns, records.take(pa.array(rows, pa.int32())))

    def _flatten(self, record: str, name: str, value: Any) -> None:
        todo = [(name, value)]
        while todo:
            name, value = todo.pop()
            kind = type(value)
            if kind is str:
                self.add(record, name, value)
            elif kind is list:
                todo.extend([(f"{name}[]", member) for member in reversed(value)])
            elif kind is tuple:
                many = len(value) > _MANY
                for key, member in reversed(value):
                    if many or not _NAME.match(key):
                        self.add(record, f"{name}.key", key)
                        key = "*"
                    if member is not None and member is not True and member is not False:
                        todo.append((f"{name}.{key}", member))


def _columns(object: str, columns: Sequence[tuple[str, pa.StringArray]], records: pa.StringArray) -> Iterator[TextBatch]:
    if columns:
        yield from column_batches(object, [name for name, _ in columns], [cells for _, cells in columns], records)
