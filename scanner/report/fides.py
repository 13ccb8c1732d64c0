"""The graph of tables as a Fides dataset file, which users of Fides write by hand: what each field holds, and what refers to what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import IO, TYPE_CHECKING, Any

from scanner.report import Asked
from scanner.report.graph import OWNER, PART, Line, Table, Tables, tables
from scanner.resources import folder

if TYPE_CHECKING:
    from scanner.detect.rules import DataType

_TYPES = {"text": "string", "bool": "boolean"}
_IDENTITIES = {"EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone_number"}
"""By which a request begins in Fides."""
_FIRST, _LAST = re.compile(r"first|given|fornavn", re.IGNORECASE), re.compile(r"last|sur_?name|family|efternavn", re.IGNORECASE)
_HEAD = """\
# Written by persondata from its inventory: one dataset for each database (and schema), as Fides reads it.
# References are those by which a row is found from the person it belongs to. Where a row was only handled by somebody, or
# points at what many people share, there is none: Fides would take those rows for hers. Collections that no identity leads
# to are marked `skip_processing`. Look at what is said to be inferred.
"""


def as_yaml(asked: Asked, out: IO[bytes]) -> None:
    """The file: `dataset:` with `collections`, `fields`, `data_categories` and `fides_meta`."""
    import yaml

    from scanner.detect.rules import taxonomy

    known = tables(asked.book)
    types = taxonomy(folder("rules") / "taxonomy.yaml")
    keys = _keys(known)
    found = _found(known)
    datasets: dict[str, dict[str, Any]] = {}
    for table in known.tables.values():
        if table.view or not table.columns:
            continue
        key, schema, collection = keys[table.number]
        dataset = datasets.setdefault(
            key, {"fides_key": key, "name": table.source, "description": _about(table, schema), "collections": []}
        )
        dataset["collections"].append(_collection(table, collection, known, keys, found, types))
    for dataset in datasets.values():
        dataset["collections"].sort(key=lambda one: one["name"])
    said = yaml.safe_dump({"dataset": list(datasets.values())}, sort_keys=False, allow_unicode=True, width=130)
    out.write((_HEAD + said).encode("utf-8"))


def _about(table: Table, schema: str) -> str:
    return f"The tables of {table.source}" + (f", schema {schema}" if schema else "")


def _keys(known: Tables) -> dict[int, tuple[str, str, str]]:
    """(dataset, schema, collection) of each table: Fides allows letters, digits and `_.<>-` in a dataset's key, and none twice."""
    given: dict[tuple[str, str], str] = {}
    found = {}
    for table in known.tables.values():
        schema, _, name = table.object.rpartition(".")
        place = (table.source, schema)
        if place not in given:
            plain = re.sub(r"[^A-Za-z0-9_-]+", "_", "_".join(filter(None, place))).strip("_") or "dataset"
            number = sum(key == plain or key.startswith(f"{plain}_no") for key in given.values())
            given[place] = f"{plain}_no{number + 1}" if number else plain
        found[table.number] = (given[place], schema, name)
    return found


def _found(known: Tables) -> set[int]:
    """The tables to which references lead from an identity."""
    seen = {table.number for table in known.tables.values() if not table.view and any(_identity(table, column) for column in table.columns)}
    waiting = list(seen)
    while waiting:
        here = waiting.pop()
        nearby = [line.child for line in known.below.get(here, []) if line.kind == OWNER]
        nearby += [line.parent for line in known.above.get(here, []) if line.kind == PART]
        for number in nearby:
            if number not in seen:
                seen.add(number)
                waiting.append(number)
    return seen


def _identity(table: Table, column: Mapping[str, Any]) -> str:
    """What a request may ask this column for: only in tables where a row is a person."""
    return _IDENTITIES.get(column["entity"], "") if table.people else ""


def _collection(
    table: Table, name: str, known: Tables, keys: Mapping[int, tuple[str, str, str]], found: set[int], types: Mapping[str, DataType]
) -> dict[str, Any]:
    collection: dict[str, Any] = {"name": name}
    if table.people:
        collection["description"] = "One row is one person, or one account of a person"
    if table.number not in found:
        collection["fides_meta"] = {"skip_processing": True}
    collection["fields"] = [_field(table, column, known, keys, types) for column in sorted(table.columns, key=lambda one: str(one["name"]))]
    return collection


def _field(
    table: Table, column: Mapping[str, Any], known: Tables, keys: Mapping[int, tuple[str, str, str]], types: Mapping[str, DataType]
) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column["name"]}
    own = [line for line in known.above.get(table.number, []) if line.columns == (column["name"],)]
    if said := [f"inferred: {line.why}" for line in own if not line.declared and line.kind in (OWNER, PART)]:
        field["description"] = "; ".join(said)
    field["data_categories"] = [_category(column, types)]
    meta: dict[str, Any] = {}
    if column["key"]:
        meta["primary_key"] = True
    if identity := _identity(table, column):
        meta["identity"] = identity
    if kind := _TYPES.get(column["type"]):
        meta["data_type"] = kind
    if references := list(_references(own, keys)):
        meta["references"] = references
    if meta:
        field["fides_meta"] = meta
    return field


def _references(own: Iterable[Line], keys: Mapping[int, tuple[str, str, str]]) -> Iterable[dict[str, str]]:
    """`from`: this field's values come from there (a row of hers leads to this one). `to`: this row leads to that one."""
    for line in own:
        if line.kind in (OWNER, PART):
            dataset, _, collection = keys[line.parent]
            yield {"dataset": dataset, "field": f"{collection}.{line.to[0]}", "direction": "from" if line.kind == OWNER else "to"}


def _category(column: Mapping[str, Any], types: Mapping[str, DataType]) -> str:
    """What a field holds in Fides' words; `system.operations` for what is no personal data."""
    known = types.get(column["entity"])
    category = known.fides if known else ""
    if column["entity"] == "PERSON":
        if _FIRST.search(column["name"]):
            return f"{category}.first"
        if _LAST.search(column["name"]):
            return f"{category}.last"
    return category or "system.operations"
