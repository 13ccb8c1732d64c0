"""Erases the sealed identifiers of requests whose time is over, also from what SQLite leaves behind."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime


def due(connection: sqlite3.Connection, today: date | None = None) -> None:
    """Erase what was to be kept until yesterday at the latest."""
    day = (today or datetime.now(UTC).date()).isoformat()
    found = connection.execute("select id from request where sealed is not null and erase_on < ?", (day,)).fetchall()
    if found:
        erase(connection, [row[0] for row in found])


def erase(connection: sqlite3.Connection, requests: list[int]) -> None:
    """Erase identifiers, notes, hits and verdicts of some requests; that there was a request, its digests and its dates stay."""
    connection.execute("pragma secure_delete = on")
    ids = [(number,) for number in requests]
    connection.execute("begin immediate")
    try:
        connection.executemany("update request set sealed = null, erase_on = null where id = ?", ids)
        connection.executemany("update request_event set note = null where request = ?", ids)
        for table in ("request_hit", "request_unread", "request_verdict"):
            connection.executemany(f"delete from {table} where request = ?", ids)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    finally:
        connection.execute("pragma secure_delete = off")
    connection.execute("pragma wal_checkpoint(truncate)")
