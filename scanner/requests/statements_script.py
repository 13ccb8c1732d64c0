"""The statements of one database as a file: one transaction, which aborts where a statement touches another number of rows than it should.

Each dialect has a way of its own. A client that goes on after an error must not commit half of it: PostgreSQL refuses everything after an
error in a transaction; statements of SQLite and DuckDB all look at a table that is not there once a transaction was rolled back; those of
MariaDB and MySQL at a variable, and what commits is asked of it too; SQL Server and Oracle end the block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from scanner.requests.plan import Script

Writer = Callable[[Sequence[tuple[str, int]], Mapping[str, Any]], Iterator[str]]
_CHECK = "persondata_check"


def write(script: Script, words: Mapping[str, Any], *, id: str, made: str, gaps: int, notes: Sequence[str] = ()) -> str:
    """The file. Its first line says whether the plan is complete. `words` are those of `reports/deletion`."""
    said = words["script"]
    head = said["incomplete"].format(id=id, count=gaps) if gaps else said["complete"].format(id=id)
    about = said["about"].format(
        source=script.source, dialect=script.dialect, made=made, statements=len(script.statements), rows=sum(script.rows)
    )
    lines = [head, about, *notes]
    steps = list(zip(script.statements, script.rows, strict=True))
    writer = _WRITERS.get(script.dialect, _other)
    return "".join(f"{line}\n" for line in (*(f"-- {_comment(line)}" for line in lines), "", *writer(steps, said)))


def _comment(text: str) -> str:
    """A text on one line: what follows a line break would be run."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _rows(said: Mapping[str, Any], rows: int) -> str:
    return f"-- {_comment(said['expected'].format(rows=rows))}"


def _postgresql(steps: Sequence[tuple[str, int]], said: Mapping[str, Any]) -> Iterator[str]:
    mark = "$persondata$"
    while any(mark[:-1] in statement for statement, _ in steps):
        mark = f"{mark[:-1]}_$"
    yield "BEGIN;"
    yield "SET LOCAL client_encoding = 'UTF8';"
    for number, (statement, rows) in enumerate(steps, 1):
        yield f"DO {mark} DECLARE touched bigint; BEGIN {_rows(said, rows)}"
        yield f"{statement};"
        yield "GET DIAGNOSTICS touched = ROW_COUNT;"
        wrong = f"RAISE EXCEPTION 'statement {number}: % rows instead of {rows}; nothing was changed', touched;"
        yield f"IF touched <> {rows} THEN {wrong} END IF; END {mark};"
    yield "COMMIT;"


def _sqlite(steps: Sequence[tuple[str, int]], said: Mapping[str, Any]) -> Iterator[str]:
    yield "PRAGMA foreign_keys = ON;"
    yield "BEGIN IMMEDIATE;"
    yield f"CREATE TEMP TABLE {_CHECK} (difference INTEGER NOT NULL CHECK (difference = 0));"
    for statement, rows in steps:
        yield _rows(said, rows)
        yield f"{_guarded(statement, f'(SELECT count(*) FROM temp.{_CHECK}) >= 0')};"
        yield f"INSERT OR ROLLBACK INTO temp.{_CHECK} SELECT changes() - {rows};"
    yield f"DROP TABLE temp.{_CHECK};"
    yield "COMMIT;"


def _mysql(steps: Sequence[tuple[str, int]], said: Mapping[str, Any]) -> Iterator[str]:
    yield "SET NAMES utf8mb4;"
    yield f"SET @{_CHECK} = 1;"
    yield "START TRANSACTION;"
    for statement, rows in steps:
        yield _rows(said, rows)
        yield f"{_guarded(statement, f'@{_CHECK} = 1')};"
        yield f"SET @{_CHECK} = IF(@{_CHECK} = 1 AND ROW_COUNT() = {rows}, 1, 0);"
    yield f"SET @{_CHECK}_end = IF(@{_CHECK} = 1, 'COMMIT', 'DO 0');"
    yield f"PREPARE {_CHECK}_end FROM @{_CHECK}_end;"
    yield f"EXECUTE {_CHECK}_end;"
    yield f"DEALLOCATE PREPARE {_CHECK}_end;"
    yield "ROLLBACK;"
    yield f"SET @{_CHECK}_end = IF(@{_CHECK} = 1, 1, (SELECT 1 UNION SELECT 2));  -- an error here: nothing was changed"


def _duckdb(steps: Sequence[tuple[str, int]], said: Mapping[str, Any]) -> Iterator[str]:
    """DuckDB takes no row that was pointed at in the same transaction: all rows are counted first, then each statement is committed."""
    yield f"-- {_comment(said['duckdb'])}"
    yield "BEGIN TRANSACTION;"
    for number, (statement, rows) in enumerate(steps, 1):
        head, where = _split(statement)
        name = head.removeprefix("DELETE FROM ").removeprefix("UPDATE ").partition(" SET ")[0]
        wrong = f"error('statement {number}: not {rows} rows; nothing was changed')"
        yield f"SELECT CASE WHEN (SELECT count(*) FROM {name} WHERE {where}) <> {rows} THEN {wrong} END;"
    yield f"CREATE TEMP TABLE {_CHECK} (difference INTEGER);"
    yield "COMMIT;"
    for statement, rows in steps:
        yield _rows(said, rows)
        yield f"{_guarded(statement, f'(SELECT count(*) FROM temp.{_CHECK}) >= 0')};"
    yield f"DROP TABLE temp.{_CHECK};"


def _mssql(steps: Sequence[tuple[str, int]], said: Mapping[str, Any]) -> Iterator[str]:
    yield "SET XACT_ABORT, QUOTED_IDENTIFIER ON;"
    yield "BEGIN TRANSACTION;"
    for number, (statement, rows) in enumerate(steps, 1):
        yield _rows(said, rows)
        yield f"{statement};"
        yield f"IF @@ROWCOUNT <> {rows} THROW 50000, 'statement {number}: not {rows} rows; nothing was changed', 1;"
    yield "COMMIT TRANSACTION;"


def _oracle(steps: Sequence[tuple[str, int]], said: Mapping[str, Any]) -> Iterator[str]:
    yield "SET DEFINE OFF"
    yield "BEGIN"
    for number, (statement, rows) in enumerate(steps, 1):
        yield _rows(said, rows)
        yield f"{statement};"
        wrong = f"RAISE_APPLICATION_ERROR(-20001, 'statement {number}: not {rows} rows; nothing was changed');"
        yield f"IF SQL%ROWCOUNT <> {rows} THEN {wrong} END IF;"
    yield "COMMIT;"
    yield "EXCEPTION WHEN OTHERS THEN ROLLBACK; RAISE;"
    yield "END;"
    yield "/"


def _other(steps: Sequence[tuple[str, int]], said: Mapping[str, Any]) -> Iterator[str]:
    yield "BEGIN;"
    for statement, rows in steps:
        yield _rows(said, rows)
        yield f"{statement};"
    yield "-- COMMIT;"


_WRITERS: Mapping[str, Writer] = {
    "postgresql": _postgresql, "sqlite": _sqlite, "mysql": _mysql, "duckdb": _duckdb, "mssql": _mssql, "oracle": _oracle,
}  # fmt: skip


def _split(statement: str) -> tuple[str, str]:
    """What stands before the condition of a statement, and the condition: the first ` WHERE ` outside of quotes."""
    quote = ""
    for at, letter in enumerate(statement):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"`":
            quote = letter
        elif letter == " " and statement.startswith(" WHERE ", at):
            return statement[:at], statement[at + 7 :]
    raise AssertionError(statement[:20])  # every statement names its rows


def _guarded(statement: str, guard: str) -> str:
    head, where = _split(statement)
    return f"{head} WHERE ({where}) AND {guard}"
