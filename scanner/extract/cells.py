"""Bytes in a table's cells: texts stay cells, documents are read as objects `table!record/column`, the rest is counted."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from scanner import seal
from scanner.extract import extract
from scanner.extract.text import decoded, encoding_of, strings
from scanner.model import Blob, Limits, Opened, Problem, Reading, Why

if TYPE_CHECKING:
    import pyarrow as pa

_LEAST = 64
"""No document is shorter, in bytes: such values are texts or junk, which need not be opened to be told apart."""
_PLAIN = frozenset({"txt", "md", "log", "csv", "empty", "unknown"})
"""Kinds that say no more as an object of their own than as a cell."""


class Document(NamedTuple):
    """A document in a cell: its column, its name as an object, its bytes."""

    column: str
    name: str
    value: bytes


@dataclass(slots=True)
class Cells:
    """Reads the bytes of one table; what was not read is added up by column and said by `problems` at the end."""

    object: str
    limits: Limits
    watch: Callable[[str], None]
    skip: frozenset[str] = frozenset()
    missed: dict[tuple[str, Why, str], int] = field(default_factory=dict)

    def miss(self, column: str, why: Why, detail: str, count: int = 1) -> None:
        """Count values that were not read; `detail` has a place `{}` for how many."""
        self.missed[column, why, detail] = self.missed.get((column, why, detail), 0) + count

    def split(
        self, column: str, values: Iterable[bytes | str | None], records: Iterable[str], places: Iterable[str]
    ) -> tuple[pa.StringArray, list[Document]]:
        """Tell texts and documents of one column apart: the texts, with nulls where there is a document, and the documents.

        A document is named by its record, or by its place (the row's address) where the record's name could be
        somebody's data.
        """
        rows: list[str | None] = []
        documents: list[Document] = []
        for value, record, place in zip(values, records, places, strict=True):
            text: str | None = None
            if not isinstance(value, bytes):
                text = value
            elif len(value) > self.limits.document_bytes:
                self.miss(column, Why.TOO_LARGE, "{} values are longer than the limit and were not read")
            elif len(value) >= _LEAST and _is_document(value):
                name = f"{self.object}!{place if seal.needs(record) else record}/{column}"
                documents.append(Document(column, name, value))
            else:
                text = self._text(column, value)
            rows.append(text)
        return strings(rows), documents

    def read(self, documents: Iterable[Document]) -> Iterator[Reading]:
        """What the documents hold. One of a kind that cannot be read is counted instead."""
        for column, name, value in documents:
            if name in self.skip:
                continue
            readings = extract(Blob(name, io.BytesIO(value), len(value), depth=1, skip=self.skip), self.limits, self.watch)
            first = list(itertools.islice(readings, 3))
            match first:
                case [Opened(), Problem(why=Why.UNSUPPORTED, object=object, detail=detail)] if object == name:
                    self.miss(column, Why.UNSUPPORTED, f"{{}} values not read: {detail}")
                case _:
                    yield from first
                    yield from readings
            self.watch(self.object)

    def problems(self) -> Iterator[Problem]:
        """What was counted."""
        for (column, why, detail), count in sorted(self.missed.items()):
            yield Problem(self.object, why, detail.format(count), field=column)

    def _text(self, column: str, value: bytes) -> str | None:
        text: str | None
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = _other(value)
        if text is None or "\0" in text:
            self.miss(column, Why.UNSUPPORTED, "binary values in {} rows not read")
            return None
        return text


def _is_document(value: bytes) -> bool:
    from scanner.extract import sniff

    return sniff.kind_of(Blob("", io.BytesIO(value), len(value))).name not in _PLAIN


def _other(value: bytes) -> str | None:
    """Bytes that are text in another encoding: long enough to tell, and nearly all of it letters and signs of writing."""
    if len(value) < _LEAST or encoding_of(value[:65_536]) is None:
        return None
    text = "".join(decoded(io.BytesIO(value)))
    odd = sum(not (c.isalnum() or c.isspace() or c in ".,;:!?()[]{}<>/\\'\"@%&*+-=_#$|~^`´§°«»–—…€£") for c in text)
    return text if odd * 20 <= len(text) else None
