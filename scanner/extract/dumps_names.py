"""What SQL scripts call things: tables, their columns and their primary keys, in five dialects."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

_PLAIN = rb"[A-Za-z_\x80-\xff][\w$#@\x80-\xff]*"
IDENT = rb'(?:"(?:[^"]|"")+"|`(?:[^`]|``)+`|\[(?:[^\]]|\]\])+\]|' + _PLAIN + rb")"
NAME = IDENT + rb"(?:\s*\.\s*" + IDENT + rb"){0,3}"
_LIST = rb"\(\s*(" + IDENT + rb"(?:\s*,\s*" + IDENT + rb")*)\s*\)"
INSERT = re.compile(
    rb"(?i)(?:INSERT(?:\s+(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE|OR\s+\w+))*(?:\s+INTO\b)?|REPLACE\s+INTO)\s*(" + NAME + rb")\s*"
    rb"(?:" + _LIST + rb")?\s*(?:OVERRIDING\s+\w+\s+VALUE\s*)?\bVALUES?\s*(?=\()"
)
"""The head of an INSERT up to its first row: group 1 is the table, 2 the columns or nothing."""
COPY = re.compile(rb"(?i)COPY\s+(" + NAME + rb")\s*(?:" + _LIST + rb")?\s*FROM\s+stdin\s*(?:WITH\s*)?;[ \t]*(\r?)\n")
"""The line before data in COPY's text format (PostgreSQL's documentation of COPY, "File Formats"); group 3 is a return."""
_QUOTES = rb"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\]"
_INNER = rb"\((?:" + _QUOTES + rb"|[^'\"`()\[])*\)"
_INNER = rb"\((?:" + _QUOTES + rb"|[^'\"`()\[]|" + _INNER + rb")*\)"
_ITEM = re.compile(rb"(?s)(?:" + _QUOTES + rb"|[^'\"`(),\[]|\((?:" + _QUOTES + rb"|[^'\"`()\[]|" + _INNER + rb")*\))+")
_TABLE = re.compile(
    rb"(?i)CREATE\s+(?:(?:GLOBAL|LOCAL|TEMP|TEMPORARY|UNLOGGED|FOREIGN|OR\s+REPLACE)\s+)*TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?("
    + NAME
    + rb")\s*\("
)
_COMMENT = re.compile(rb"(?s)('(?:[^'\\]|\\.|'')*'|\"[^\"]*\"|`[^`]*`)|--[^\n]*|/\*.*?\*/")
_CONSTRAINT = re.compile(rb"(?i)(?:CONSTRAINT|PRIMARY|UNIQUE|FOREIGN|CHECK|EXCLUDE|LIKE)\b")
_INDEX = re.compile(rb"(?i)(?:KEY|INDEX|FULLTEXT|SPATIAL|PERIOD)\b")
_KEY = re.compile(rb"(?i)\bPRIMARY\s+KEY\b[^(]*\(((?:[^()]|\(\d+\))*)\)")
_OWN_KEY = re.compile(rb"(?i)\bPRIMARY\s+KEY\b")
_GENERATED = re.compile(rb"(?i)\bAS\s*\(")
_ADDED_KEY = re.compile(
    rb"(?im)^\s*ALTER\s+TABLE\s+(?:ONLY\s+)?(?:IF\s+EXISTS\s+)?("
    + NAME
    + rb")\s+(?:WITH\s+\w+\s+)?ADD\s+(?:CONSTRAINT\s+"
    + IDENT
    + rb"\s+)?"
    rb"PRIMARY\s+KEY\b[^(;]*\(([^()]*)\)"
)
_USE = re.compile(rb"(?i)(?:USE|\\connect(?:\s+-\S+)*)\s+(" + IDENT + rb")")
_PATH = re.compile(rb"(?i)SET\s+search_path\s*(?:=|TO)\s*(" + IDENT + rb")|set_config\('search_path',\s*'(" + _PLAIN + rb")?")
_MYSQL = re.compile(rb"(?im)/\*M?!\d{5,6}|^-- (?:MySQL|MariaDB) |phpMyAdmin|\bENGINE\s*=|^(?:INSERT|REPLACE)\s[^\n]{0,40}?INTO\s+`|^# ")
_LITERAL_SLASHES = re.compile(rb"(?im)^SET standard_conforming_strings\s*=\s*off")
_BRACKETS = re.compile(rb"(?im)^\s*(?:CREATE\s+TABLE|INSERT(?:\s+INTO)?|USE|ALTER\s+TABLE)\s+\[")


class Dialect(NamedTuple):
    """How strings and names are written: a backslash escapes, a row is named `[so]`."""

    backslash: bool
    brackets: bool

    @classmethod
    def of(cls, head: bytes) -> Dialect:
        """The dialect of a script that begins with `head`."""
        mysql = _MYSQL.search(head) is not None and b"-- PostgreSQL database" not in head[:512]
        return cls(mysql or _LITERAL_SLASHES.search(head) is not None, not mysql and _BRACKETS.search(head) is not None)


def text_of(name: bytes) -> str:
    """Bytes of a script as text."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("cp1252", "replace")


def plain(name: bytes) -> str:
    """A name without its quotes."""
    quote = name[:1]
    if quote in (b'"', b"`"):
        return text_of(name[1:-1].replace(quote * 2, quote))
    return text_of(name[1:-1].replace(b"]]", b"]") if quote == b"[" else name)


def names_in(names: bytes) -> list[str]:
    """The names of a list with commas; an index length or a direction behind a name says nothing."""
    parts = (re.match(rb"\s*(" + IDENT + rb")", part) for part in _ITEM.findall(names))
    return [plain(part[1]) for part in parts if part]


@dataclass(slots=True)
class Shape:
    """What a script said of a table before its rows came."""

    columns: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    generated: list[str] = field(default_factory=list)


class Names:
    """What the statements of a script have said so far: tables, keys, and which schema or database is meant."""

    def __init__(self, dialect: Dialect, tail: bytes) -> None:
        self._dialect = dialect
        self._tables: dict[str, Shape] = {}
        self._schema = ""
        self._databases: list[str] = []
        self._tail = [(match[1], names_in(match[2])) for match in _ADDED_KEY.finditer(tail)]

    def table(self, name: bytes) -> str:
        """How a table is called here: `schema.table`, where the script says or implies a schema."""
        parts = [plain(part) for part in re.findall(IDENT, name)]
        if len(parts) == 1 and (self._schema or self._databases):
            parts.insert(0, self._schema or self._databases[-1])
        elif len(parts) == 2 and len(self._databases) > 1:
            parts.insert(0, self._databases[-1])
        return ".".join(parts)

    def shape(self, table: str) -> Shape:
        """What is known of a table, with a key that the end of the script adds."""
        shape = self._tables.setdefault(table.lower(), Shape())
        if not shape.keys:
            for name, keys in self._tail:
                if self.table(name).lower() == table.lower():
                    shape.keys = keys
        return shape

    def learn(self, statement: bytes) -> bool:
        """Take from a statement what it says of names; tells whether names may mean other tables from here on."""
        start = statement[:200].lstrip()
        word = start[:6].upper()
        if word == b"CREATE":
            if match := _TABLE.match(statement.lstrip()):
                self._created(self.table(match[1]), statement.lstrip()[match.end() :])
            return match is not None
        if word == b"ALTER ":
            if match := _ADDED_KEY.match(statement):
                self.shape(self.table(match[1])).keys = names_in(match[2])
            return match is not None
        if match := _USE.match(start):
            database = plain(match[1])
            self._databases = [one for one in self._databases if one != database] + [database]
            self._schema = ""
        elif match := _PATH.search(start):
            self._schema = plain(match[1] or match[2] or b"")
        return match is not None

    def _created(self, table: str, body: bytes) -> None:
        shape = Shape()
        body = _COMMENT.sub(lambda match: match[1] or b" ", body)
        for item in map(bytes.strip, _ITEM.findall(_enclosed(body))):
            if _CONSTRAINT.match(item) or (self._dialect.backslash and _INDEX.match(item)):
                if key := _KEY.search(item):
                    shape.keys = names_in(key[1])
            elif name := re.match(IDENT, item):
                shape.columns.append(plain(name[0]))
                if _OWN_KEY.search(item):
                    shape.keys = [plain(name[0])]
                if _GENERATED.search(item):
                    shape.generated.append(plain(name[0]))
        self._tables[table.lower()] = shape


def _enclosed(body: bytes) -> bytes:
    """What stands before the bracket that closes the list of columns."""
    at = 0
    while at < len(body):
        match = _ITEM.match(body, at)
        if match is None:
            return body[:at]
        at = match.end()
        if body[at : at + 1] != b",":
            return body[:at]
        at += 1
    return body
