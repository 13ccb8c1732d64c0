"""The name of a record becomes the condition that fetches it again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from scanner.model import Condition, Relation

_ADDRESS = re.compile(r"(?:partition=(?P<partition>.*),)?(?P<name>ctid|rowid|row)=(?P<place>[^,]*|\([0-9]+,[0-9]+\))", re.DOTALL)
_READINGS = 256
"""A name of several columns can be read in more than one way, when values look like it: no more ways than this are tried."""


def condition_of(relation: Relation, record: str) -> Condition | None:
    """The condition that a record of this name meets; `None` when no record of the relation can have it.

    Values may hold commas and equals signs: the known columns of the key tell where they end. Where that is open
    (`a=1,b=2,b=3`), the condition has a value for each reading, and a caller compares the names of what comes.
    """
    if values := tuple(islice(_splits(record, relation.key), _READINGS)):
        return Condition(relation.key, values)
    match = _ADDRESS.fullmatch(record)
    if match is None:
        return None
    if match["partition"] is not None:
        return Condition(("partition", match["name"]), ((match["partition"], match["place"]),))
    return Condition((match["name"],), ((match["place"],),))


def conditions_of(relation: Relation, records: Iterable[str]) -> list[Condition]:
    """The conditions that fetch these records; a name that no record of the relation can have is left out."""
    found: dict[tuple[str, ...], dict[tuple[str, ...], None]] = {}
    for record in records:
        if condition := condition_of(relation, record):
            found.setdefault(condition.columns, {}).update(dict.fromkeys(condition.values))
    return [Condition(columns, tuple(values)) for columns, values in found.items()]


def _splits(record: str, keys: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """All the ways to read `a=1,b=2` as values of these columns."""
    if not keys or not record.startswith(f"{keys[0]}="):
        return
    rest = record[len(keys[0]) + 1 :]
    if len(keys) == 1:
        yield (rest,)
        return
    mark = f",{keys[1]}="
    at = rest.find(mark)
    while at >= 0:
        for others in _splits(rest[at + 1 :], keys[1:]):
            yield (rest[:at], *others)
        at = rest.find(mark, at + 1)
