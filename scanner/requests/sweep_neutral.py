"""Takes a person out of a row that stays: the values that its columns get, which the database accepts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice, product

from scanner.model import Relation
from scanner.requests import statements
from scanner.requests.statements_schema import Demands, refused
from scanner.requests.sweep_item import Item, Reason
from scanner.sources.clocks import Selects

WORD = "anonymised"
"""What stands in a column of text that cannot be empty."""
_TRIES = 24


def neutral(source: Selects, relation: Relation, needs: Demands, item: Item, fixed: frozenset[str]) -> dict[str, str] | Reason:
    """What the columns of a row are set to (SQL expressions), or why that cannot be said. `fixed` columns stay: keys and references.

    Empty when nothing in it tells who she is. A column that may be empty becomes null; others get a word, a number or a day that tells
    nothing, and in a unique index one that no other row has: made of a digest of the row's address.
    """
    row = item.row
    if row is None:
        return Reason("unclear", {"why": "it was not read"})
    columns = {one.name: one for one in relation.columns}
    mine = [name for name, _ in row.hers if name not in fixed]
    if computed := next((name for name in mine if name in needs.computed), None):
        mine.remove(computed)
        if not mine:
            return Reason("computed", {"column": computed})
    token = hashlib.blake2b(f"{item.source}\0{item.object}\0{item.record}".encode(errors="surrogatepass"), digest_size=16).hexdigest()
    unique = {name for names in relation.unique for name in names}
    tries: list[list[str]] = []
    for name in mine:
        column = columns[name]
        found = list(_candidates(source.dialect, column.type, column.nullable, name in unique, token, needs, name))
        if not found:
            return Reason("refuses", {"places": "", "check": name})
        tries.append(found)
    why = ""
    for chosen in islice(_fewest(tries), _TRIES):
        values = dict(zip(mine, chosen, strict=True))
        said = refused(source, item.object, values, row.where, needs, list(columns))
        if not said:
            return values
        why = said
    return Reason("refuses", {"places": "", "check": why})


def _fewest(tries: Sequence[list[str]]) -> Iterator[tuple[str, ...]]:
    """The first choice of every column; then with another one in one column; then everything."""
    first = tuple(found[0] for found in tries)
    yield first
    for at, found in enumerate(tries):
        for other in found[1:]:
            yield (*first[:at], other, *first[at + 1 :])
    yield from product(*tries)


def _candidates(dialect: str, kind: str, nullable: bool, unique: bool, token: str, needs: Demands, name: str) -> Iterator[str]:
    """Values for a column, the best first, as SQL."""
    if nullable and not (unique and dialect == "mssql"):
        yield "NULL"
    type = needs.types.get(name, "")
    if kind == "text" and type.startswith(("enum", "set(")):
        return
    for value in _texts(unique, token, needs.lengths.get(name, 0)) if kind == "text" else _others(dialect, kind, type, unique, token):
        yield statements.literal(dialect, value, kind) if not value.startswith("\0") else value[1:]


def _texts(unique: bool, token: str, most: int) -> Iterator[str]:
    said = [f"{WORD}-{token[:12]}", f"{token[:12]}@anonymised.invalid", token] if unique else [WORD, "x@anonymised.invalid", "", "-"]
    for text in said:
        if not most or len(text) <= most:
            yield text
    if most and unique:
        yield token[:most]
        yield str(int(token, 16))[-most:]
    elif most:
        yield WORD[:most]
        yield "x" * most
    yield "0" * most if most and not unique else str(int(token, 16))[:10]


def _others(dialect: str, kind: str, type: str, unique: bool, token: str) -> Iterator[str]:
    """Values of other types; one that begins with NUL is an expression."""
    if kind == "number":
        small = 120 if "tinyint" in type else 32_000 if "smallint" in type or "int2" in type else 2_000_000_000
        number = 1 + int(token[:12], 16) % small
        yield from (f"-{number}", str(number)) if unique else ("0", "1")
    elif kind == "date":
        yield f"{1000 + int(token[:6], 16) % 900}-01-01" if unique else "1900-01-01"
    elif kind == "time":
        yield f"{1000 + int(token[:6], 16) % 900}-01-01 00:00:00" if unique else "1900-01-01 00:00:00"
    elif kind == "bool":
        yield "false"
    elif kind == "json":
        yield from ("{}", "[]")
    elif kind == "bytes":
        yield {"postgresql": "\0'\\x'::bytea", "mssql": "\0" + "0x", "duckdb": "\0''::BLOB", "oracle": "\0EMPTY_BLOB()"}.get(
            dialect, "\0x''"
        )
    elif "uuid" in type or type == "uniqueidentifier":
        made = f"{token[:8]}-{token[8:12]}-4{token[13:16]}-8{token[17:20]}-{token[20:32]}"
        yield made if unique else "00000000-0000-0000-0000-000000000000"
    elif "inet" in type or "cidr" in type:
        yield "::" if "inet6" in type else "0.0.0.0"  # noqa: S104 - an address that is nobody's
