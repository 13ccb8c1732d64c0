"""Tells a row that is still there from another one that has got its key since, without keeping anything that stands in it.

A print is four bytes of a keyed digest (BLAKE2b, the inventory's key) for each column that holds something: over the row's address, the
column's name and the value as it is read. Equal values in two rows have different prints; without the key none can be guessed.
As columns can be told apart, a row in which one was changed (`deleted_at`) is still known to be the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from scanner.model import Condition, Database, Problem, Relation, TextBatch
from scanner.sources.records import conditions_of

SAME = 0.5
"""From this share of unchanged columns on, those of the key left out, a row is the one that it was."""
TOGETHER = 500
"""So many rows are asked for at once."""
_BYTES = 4

Row = Mapping[str, str | None]
"""A row by its columns; what lies inside a cell (a path of JSON) counts as a column."""


def read_rows(
    database: Database, relation: Relation, records: Sequence[str], missed: Callable[[Problem], None]
) -> Iterator[tuple[str, dict[str, str | None]]]:
    """The rows of these names that are there, each once, with whole values. What cannot be read goes to `missed`. Raises `SourceError`."""
    wanted = frozenset(records)
    for batches in read_batches(database, relation, records, missed):
        yield from ((record, row) for record, row in rows_of(relation.object, batches).items() if record in wanted)


def read_batches(
    database: Database, relation: Relation, records: Sequence[str], missed: Callable[[Problem], None]
) -> Iterator[list[TextBatch]]:
    """The same as batches, some rows at a time, with what lies inside their cells. A name may fetch rows of other names too."""
    for condition in conditions_of(relation, dict.fromkeys(records)):
        for at in range(0, len(condition.values), TOGETHER):
            some = Condition(condition.columns, condition.values[at : at + TOGETHER], condition.how)
            batches = []
            for item in database.lookup(relation.object, [some]):
                if isinstance(item, Problem):
                    missed(item)
                elif isinstance(item, TextBatch):
                    batches.append(item)
            yield batches


def rows_of(object: str, batches: Iterable[TextBatch]) -> dict[str, dict[str, str | None]]:
    """The rows of a table that are in some batches, by record, put together where long values were cut."""
    rows: dict[str, dict[str, str | None]] = {}
    for batch in batches:
        if batch.object == object:
            for record, text in _whole(batch):
                row = rows.setdefault(record, {})
                row[batch.field] = text if row.get(batch.field) is None else f"{row[batch.field]}{text or ''}"
    return rows


def _whole(batch: TextBatch) -> Iterator[tuple[str, str | None]]:
    """Each text with its record, without what the parts of a cut one share."""
    texts, records = batch.texts.to_pylist(), batch.records.to_pylist()
    if batch.seams is None:
        yield from zip(records, texts, strict=True)
        return
    begins, ends = batch.seams.begin.to_pylist(), batch.seams.end.to_pylist()
    for record, text, begin, end in zip(records, texts, begins, ends, strict=True):
        yield record, None if text is None else text[begin:end]


def row_print(key: bytes, source: str, object: str, record: str, row: Row) -> str:
    """The print of a row, hexadecimal: eight digits for each column that is not null, in the order of the columns' names."""
    return "".join(_tokens(key, source, object, record, row).values())


def prints(key: bytes, database: Database, relation: Relation, records: Sequence[str], missed: Callable[[Problem], None]) -> dict[str, str]:
    """The prints of the rows of a table that are there, by record. `key` is the inventory's. Raises `SourceError`."""
    rows = read_rows(database, relation, records, missed)
    return {record: row_print(key, database.name, relation.object, record, row) for record, row in rows}


def unchanged(before: str, key: bytes, source: str, object: str, record: str, row: Row, named_by: Sequence[str] = ()) -> float:
    """The share, 0 to 1, of a row's columns that are as they were when its print was taken.

    `named_by` are the columns of its key, which are the same in any row of that name and do not count; a row that has no others is
    the same. An empty print says nothing: the row is taken for the one that it was.
    """
    if not before:
        return 1.0
    tokens = _tokens(key, source, object, record, row)
    keys = {tokens[name] for name in named_by if name in tokens}
    then = {before[at : at + 2 * _BYTES] for at in range(0, len(before), 2 * _BYTES)} - keys
    now = set(tokens.values()) - keys
    return len(then & now) / len(then | now) if then or now else 1.0


def _tokens(key: bytes, source: str, object: str, record: str, row: Row) -> dict[str, str]:
    begun = hashlib.blake2b(digest_size=_BYTES, key=key, person=b"persondata-row")
    for part in (source, object, record):
        begun.update(part.encode("utf-8", "surrogatepass") + b"\0")
    tokens = {}
    for column, value in sorted(row.items()):
        if value is not None:
            state = begun.copy()
            state.update(column.encode("utf-8", "surrogatepass") + b"\0" + value.encode("utf-8", "surrogatepass"))
            tokens[column] = state.hexdigest()
    return tokens
