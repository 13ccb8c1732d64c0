"""Talks to a PostgreSQL server: where it is, one read-only transaction, and what its refusals mean."""

from __future__ import annotations

import re
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, unquote, urlencode

from scanner.errors import MissingExtra, SourceError
from scanner.model import Why

if TYPE_CHECKING:
    import pyarrow as pa

FRESH = 60.0
"""Seconds that a connection may have been idle and still be used: what lies between may have forgotten it without a word."""

_SECRETS = ("password", "sslpassword")
_DEFAULTS = {"connect_timeout": "10", "client_encoding": "UTF8", "application_name": "persondata"}
_LOGIN = (
    ("could not translate host name", "no such host"),
    ("invalid URI query parameter", "the URL holds a parameter that PostgreSQL does not know"),
    ("timeout expired", "the server did not answer in time"),
    ("Connection refused", "no server answers there"),
    ("No such file or directory", "no server answers there"),
    ("SSL", "the server and this machine cannot agree on encryption"),
    ("the database system is", "the server is starting or stopping"),
    ("too many clients", "the server has no connection left"),
    ("connection slots", "the server has no connection left"),
    ("FATAL:  database ", "the server has no such database"),
    ("FATAL", "the server refused the login"),
)
_STATES = (
    ("42501", Why.DENIED, "the login has no SELECT privilege"),
    ("55P03", Why.DENIED, "the table is locked by another transaction"),
    ("57014", Why.TIMED_OUT, "the server's statement_timeout ended the query"),
    ("42P01", Why.CHANGED, "the table is gone"),
    ("42703", Why.CHANGED, "a column is gone"),
    ("3F000", Why.CHANGED, "the schema is gone"),
    ("42809", Why.CHANGED, "the table is of another kind now"),
    ("42704", Why.CHANGED, "something that the table needs is gone"),
    ("40", Why.CHANGED, "the server broke off the transaction"),
    ("57P", Why.CRASHED, "the server went away"),
    ("08", Why.CRASHED, "the server went away"),
)

_TIMEOUTS = """
SELECT s.setting, set_config('lock_timeout', '5s', true),
       set_config('statement_timeout', CASE WHEN s.setting::bigint BETWEEN 1 AND {0} THEN s.setting ELSE '{0}' END, true),
       (SELECT set_config('client_connection_check_interval', '10s', true)
        FROM pg_settings WHERE name = 'client_connection_check_interval' AND version() LIKE '%linux%')
FROM pg_settings s WHERE s.name = 'statement_timeout'
"""


class ServerError(Exception):
    """The server did not do it: why, in the program's own words."""

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(detail)
        self.why, self.detail = why, detail


class SnapshotGone(ServerError):
    """The session that exported the snapshot has ended."""

    def __init__(self) -> None:
        super().__init__(Why.CHANGED, "the shared snapshot is gone")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is: `shown` carries no password and may be told, `_secret` logs in."""

    shown: str
    _secret: str

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"

    @classmethod
    def parse(cls, url: str, password: str | None = None) -> Self:
        """Take the password out of a URL; one given besides it counts instead.

        What PostgreSQL knows may follow the `?`, such as `sslmode=verify-full` or `options=-c%20statement_timeout=60000`.
        """
        match = re.fullmatch(r"\w+://([^/?#]*)(/[^?#]*)?(?:\?([^#]*))?", url)
        login, at, host = match[1].rpartition("@") if match else ("", "", "")
        if match is None or (not at and not re.fullmatch(r"[^:]*(:\d*)?|\[[^]]*\](:\d*)?", host)):
            raise SourceError("the postgresql:// URL cannot be understood: special letters of a password are written as in %23")
        user, _, inside = login.partition(":")
        path, pairs = match[2] or "", [pair for pair in (match[3] or "").split("&") if pair]
        known = {unquote(name): unquote(value) for name, _, value in (pair.partition("=") for pair in pairs)}
        public = "&".join(pair for pair in pairs if unquote(pair.partition("=")[0]) not in _SECRETS)
        if password is None:
            password = unquote(inside) or known.get("password")
        if password:
            known["password"] = password
        shown = f"{url.partition(':')[0]}://{user}{at}{host}{path}" + (f"?{public}" if public else "")
        return cls(shown, f"postgresql://{user}{at}{host}{path}?{urlencode(_DEFAULTS | known, quote_via=quote)}")

    def connect(self) -> Any:
        """Log in."""
        try:
            from adbc_driver_postgresql import dbapi
        except ImportError:
            raise MissingExtra("PostgreSQL needs a driver: pip install 'persondata[postgresql]'") from None
        try:
            return dbapi.connect(self._secret)
        except dbapi.Error as error:
            detail = next((detail for words, detail in _LOGIN if words in str(error)), "the server cannot be reached")
            raise ServerError(Why.DENIED if "login" in detail else Why.CRASHED, detail) from None


class Spare:
    """Keeps the connection of a session that has ended for the next one, as logging in takes longer than a small question.

    It is in no transaction meanwhile, so that it holds no lock and no snapshot. A copy in another process has none,
    and what is kept is closed with this object, at the latest with the process.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[Any, float]] = []
        weakref.finalize(self, _close_all, self._kept)

    def __reduce__(self) -> tuple[type[Spare], tuple[()]]:
        return Spare, ()

    def take(self) -> Any:
        """A connection that answers, at the beginning of a transaction; `None` where none is kept."""
        if not self._kept:
            return None
        from adbc_driver_postgresql import dbapi

        while self._kept:
            connection, since = self._kept.pop()
            with suppress(dbapi.Error):  # the server may have dropped it: then the next one is a new one
                if time.monotonic() - since < FRESH:
                    connection.adbc_connection.set_autocommit(False)
                    return connection
            _close(connection)
        return None

    def give(self, connection: Any) -> None:
        """End the transaction of a connection and keep it, if none is kept yet."""
        from adbc_driver_postgresql import dbapi

        if not self._kept:
            with suppress(dbapi.Error):
                connection.adbc_connection.set_autocommit(True)
                self._kept.append((connection, time.monotonic()))
                return
        _close(connection)


def _close(connection: Any) -> None:
    from adbc_driver_postgresql import dbapi

    with suppress(dbapi.Error):  # the server may be gone, and there is nothing to commit
        connection.close()


def _close_all(kept: list[tuple[Any, float]]) -> None:
    while kept:
        _close(kept.pop()[0])


class Session:
    """One read-only transaction that sees the database as it is at one moment, or as it is in an exported `snapshot`.

    Raises `SnapshotGone` when there is no such snapshot any more. The server ends small queries after `seconds`
    (or earlier, where it is set to); a long answer only by its own `statement_timeout`, as reading it takes as long
    as the reader needs. A server on Linux (14 and later) notices within ten seconds that its reader is gone.
    With a `spare` it takes the connection that is kept there, and leaves its own when it ends well.
    """

    def __init__(self, address: Address, *, snapshot: str = "", seconds: float = 300.0, spare: Spare | None = None) -> None:
        self._address, self.snapshot, self._seconds, self._spare = address, snapshot, seconds, spare
        self._own_timeout = ""
        self._whole = True

    def __enter__(self) -> Self:
        self._connection = (self._spare and self._spare.take()) or self._address.connect()
        try:
            self.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if self.snapshot:
                try:
                    self.query(f"SET TRANSACTION SNAPSHOT '{self.snapshot}'")
                except ServerError as error:
                    raise error if error.why is Why.CRASHED else SnapshotGone() from None
            self._own_timeout = str(self.query(_TIMEOUTS.format(int(self._seconds * 1000)))[0][0])
        except ServerError:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the transaction, and the connection too where it is not kept: after an error, or an answer that was not read to its end."""
        if self._spare is not None and self._whole:
            self._spare.give(self._connection)
        else:
            _close(self._connection)

    def export(self) -> str:
        """Let other sessions see the same moment, as long as this one is open."""
        self.query("SET LOCAL idle_in_transaction_session_timeout = 0")
        return str(self.query("SELECT pg_export_snapshot()")[0][0])

    def query(self, sql: str, values: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """Answer a small query."""
        with self._cursor() as cursor:
            cursor.execute(sql, list(values) or None)
            return list(cursor.fetchall()) if cursor.description else []

    def columns(self, sql: str) -> list[str]:
        """The names of a query's columns, without its rows."""
        with self._cursor() as cursor:
            cursor.execute(f"select * from ({sql}) as asked limit 0")
            return [str(column[0]) for column in cursor.description or ()]

    def fetch(self, sql: str, *, timed: bool = False) -> Iterator[pa.RecordBatch]:
        """Stream an answer, as it comes, in batches of some 16 MB; a `timed` one within the limit for small queries."""
        if self._own_timeout and not timed:
            self.query(f"SET LOCAL statement_timeout = {self._own_timeout}")
            self._own_timeout = ""
        with self._cursor() as cursor:
            cursor.execute(sql)
            yield from cursor.fetch_record_batch()

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        """A cursor for one question, whose errors are explained."""
        import pyarrow as pa
        from adbc_driver_postgresql import dbapi

        whole, self._whole = self._whole, False
        try:
            with closing(self._connection.cursor()) as cursor:
                yield cursor
        except (dbapi.Error, OSError, pa.ArrowException) as error:
            raise _explain(error) from None
        self._whole = whole


def _explain(error: Exception) -> ServerError:
    """Say what an error means by its SQLSTATE; the server's own words may quote what it read."""
    state = getattr(error, "sqlstate", None) or str(error).rpartition("SQLSTATE: ")[2][:5] * ("SQLSTATE: " in str(error))
    if not state:
        return ServerError(Why.CRASHED, "the server went away")
    for start, why, detail in _STATES:
        if state.startswith(start):
            return ServerError(why, detail)
    return ServerError(Why.DAMAGED, f"the server could not read the table (SQLSTATE {state})")
