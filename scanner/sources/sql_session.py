"""Talks to a database server through SQLAlchemy: where it is, one read-only transaction, and what its refusals mean."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from scanner.errors import MissingExtra, SourceError
from scanner.model import Why
from scanner.sources.postgresql_server import ServerError
from scanner.sources.sql_errors import explain, refused

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine import URL

_DRIVERS = {"mysql": "pymysql", "mariadb": "pymysql", "mssql": "pymssql", "oracle": "oracledb"}
"""The driver of a scheme that names none; each is an extra of this program under the scheme's name (`mysql` for `mariadb`)."""
_SECRETS = re.compile(r"(?i)pass|pwd|secret|token|odbc_connect|credential|access_key|private_key")
CONNECT_SECONDS = 10
_LOCK_SECONDS = 5
"""So long a table may be locked by somebody who changes it before it is given up."""

_MYSQL_ALWAYS = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    f"SET SESSION lock_wait_timeout = {_LOCK_SECONDS}, sql_select_limit = 18446744073709551615, net_write_timeout = {{seconds}}",
)
_MYSQL_SNAPSHOT = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
_MARIADB_TIMEOUT = "SET SESSION max_statement_time = IF(@@max_statement_time = 0, {seconds}, @@max_statement_time)"
_MYSQL_TIMEOUT = "SET SESSION max_execution_time = IF(@@max_execution_time = 0, {seconds} * 1000, @@max_execution_time)"
_BEGIN = {
    "mssql": (f"SET LOCK_TIMEOUT {_LOCK_SECONDS * 1000}", "SET DEADLOCK_PRIORITY LOW"),
    "oracle": ("SET TRANSACTION READ ONLY",),
    "postgresql": ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"),
    "cockroachdb": ("SET TRANSACTION READ ONLY",),
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is: `shown` carries no password and may be told, `_secret` logs in."""

    shown: str
    database: str
    _secret: str

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"

    @classmethod
    def parse(cls, url: str, password: str | None = None) -> Self:
        """Take the password out of a URL; one given besides it counts instead. Raises `SourceError` for what is no URL of a database."""
        scheme = url.partition("://")[0]
        try:
            from sqlalchemy.engine import make_url
            from sqlalchemy.exc import ArgumentError
        except ImportError:
            raise MissingExtra(_install(scheme)) from None
        try:
            made = make_url(url)
        except (ArgumentError, ValueError):
            made = None
        if made is None or "@" in (made.host or "") or "@" in (made.username or ""):
            raise SourceError(f"the {scheme}:// URL cannot be understood: special letters of a password are written as in %40")
        given = password if password is not None else made.password
        shown = made._replace(password=None).difference_update_query([name for name in made.query if _SECRETS.search(name)])
        name = made.drivername.lower()
        secret = made.set(drivername=f"{name}+{_DRIVERS[name]}" if name in _DRIVERS else name)
        if given is not None:
            secret = secret.set(password=str(given))
        return cls(shown.render_as_string(), made.database or "", secret.render_as_string(hide_password=False))

    def engine(self, seconds: int) -> sa.Engine:
        """Make the engine, which does not connect yet. Raises `MissingExtra` without the dialect or its driver."""
        import sqlalchemy as sa
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError
        from sqlalchemy.pool import NullPool

        url = make_url(self._secret)
        try:
            return sa.create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=_arguments(url, seconds))
        except (NoSuchModuleError, ImportError):
            raise MissingExtra(_install(self.shown.partition("://")[0])) from None
        except (ArgumentError, TypeError, ValueError):
            raise SourceError(f"{self.shown}: the URL holds something that its dialect does not understand") from None


def _install(scheme: str) -> str:
    name, _, driver = scheme.lower().partition("+")
    if name in _DRIVERS and driver in ("", _DRIVERS[name]):
        extra = "mysql" if name == "mariadb" else name
        return f"{name}:// needs a driver: pip install 'persondata[{extra}]'"
    return f"{scheme}:// needs SQLAlchemy, its dialect {name}{f' and the driver {driver}' if driver else ''}, which are not installed"


def _arguments(url: URL, seconds: int) -> dict[str, Any]:
    """What a driver is told besides the URL: how long to wait, and who asks. What the URL says itself counts more."""
    driver = url.drivername.partition("+")[2]
    known: dict[str, dict[str, Any]] = {
        "pymysql": {"connect_timeout": CONNECT_SECONDS, "read_timeout": CONNECT_SECONDS, "program_name": "persondata"},
        "pymssql": {"login_timeout": CONNECT_SECONDS, "timeout": seconds, "appname": "persondata"},
        "pytds": {"login_timeout": CONNECT_SECONDS, "timeout": seconds, "appname": "persondata"},
        "oracledb": {"tcp_connect_timeout": CONNECT_SECONDS},
        "psycopg": {"connect_timeout": CONNECT_SECONDS},
        "psycopg2": {"connect_timeout": CONNECT_SECONDS},
    }
    arguments = {name: value for name, value in known.get(driver, {}).items() if name not in url.query}
    if driver == "pymysql":
        arguments |= {"charset": "utf8mb4"} | ({"ssl_disabled": True} if "unix_socket" in url.query else {})
    return arguments


class Session:
    """One transaction that is rolled back at its end and sees the database as it is at one moment, where the server can do that.

    MariaDB and MySQL: a consistent read-only snapshot. Oracle: read only. SQL Server: SNAPSHOT where the database
    allows it, else READ COMMITTED. PostgreSQL: repeatable read, read only. Others: as their server is set.
    `seconds` is the longest time for a question, and for each wait while rows are streamed.
    """

    def __init__(self, address: Address, seconds: float) -> None:
        self._address, self._seconds = address, max(1, int(seconds))

    def __enter__(self) -> Self:
        self._engine = self._address.engine(self._seconds)
        self.dialect = self._engine.dialect
        self.kind: str = self.dialect.name
        try:
            with self._explained(), _unwarned():
                self.connection = self._engine.connect()
        except ServerError as error:
            raise refused(error) from None
        try:
            with self._explained(), _unwarned():
                self._begin()
        except ServerError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ServerError), self._explained():  # the server may be gone, and there is nothing to commit
            self.connection.close()

    @property
    def mysql(self) -> bool:
        """Whether it is MariaDB or MySQL, read through PyMySQL."""
        return self.kind in ("mysql", "mariadb") and self.dialect.driver == "pymysql"

    def query(self, statement: Any, values: dict[str, Any] | None = None) -> list[Any]:
        """Answer a small query."""
        import sqlalchemy as sa

        with self._explained(), _unwarned():
            statement = sa.text(statement) if isinstance(statement, str) else statement
            return list(self.connection.execute(statement, values or {}))

    def ask(self, statement: str) -> None:
        """Ask something of which only a refusal counts; its text is taken as it is."""
        with self._explained():
            self.connection.execution_options(no_parameters=True).exec_driver_sql(statement).close()

    def inspect(self) -> Inspection:
        """What the server says about its tables, through SQLAlchemy."""
        return Inspection(self)

    def fetch(self, statement: Any, rows: int = 1_000, values: Sequence[Any] | None = None) -> Iterator[Any]:
        """Stream the rows of an answer. Of MariaDB and MySQL every value is the bytes of its text; others give what their driver makes.

        With `values`, MariaDB and MySQL bind them to the marks `%s`, and the answer is one of a question that ends in time.
        """
        if values is not None and self.mysql:
            yield from self._unbuffered(str(statement), values)[1]
        else:
            yield from self.stream(statement, rows)[1]

    def stream(self, statement: Any, rows: int = 1_000) -> tuple[list[str], Iterator[Any]]:
        """The names of an answer's columns, and its rows; a driver that fetches many at once fetches `rows`."""
        if self.mysql:
            return self._unbuffered(str(statement))
        with self._explained():
            options = self.connection.execution_options(stream_results=True, yield_per=rows)
            if isinstance(statement, str):
                result = options.execution_options(no_parameters=True).exec_driver_sql(statement)
            else:
                result = options.execute(statement)
            if not result.returns_rows:
                raise ServerError(Why.UNSUPPORTED, "the statement gives no rows")
            return list(result.keys()), self._rows(result)

    def _rows(self, result: Any) -> Iterator[Any]:
        with self._explained(), closing(result):
            yield from result

    def _unbuffered(self, statement: str, values: Sequence[Any] | None = None) -> tuple[list[str], Iterator[Any]]:
        """PyMySQL's own rows, as bytes: no value is too odd for them, such as the date 0000-00-00.

        The server's limit for the statement ends, because its time includes ours; the wait for the next row stays limited.
        """
        limit = "max_statement_time" if self.dialect.is_mariadb else "max_execution_time"  # type: ignore[attr-defined]
        with self._explained():
            if values is None:
                self.connection.exec_driver_sql(f"SET SESSION {limit} = @@GLOBAL.{limit}")
            driver: Any = self.connection.connection.driver_connection
            driver.use_unicode, driver.decoders = False, {}
            cursor = driver.cursor(importlib.import_module("pymysql.cursors").SSCursor)
            cursor.execute(statement, values)
            if cursor.description is None:
                raise ServerError(Why.UNSUPPORTED, "the statement gives no rows")
            return [str(one[0]) for one in cursor.description], self._fetched(cursor)

    def _fetched(self, cursor: Any) -> Iterator[Any]:
        """The rows of a cursor; what nobody wants any more is not read to its end."""
        try:
            with self._explained():
                yield from iter(cursor.fetchone, None)
        finally:
            reading = cursor._result
            if reading is not None and reading.unbuffered_active:
                reading.unbuffered_active = False
                with suppress(ServerError), self._explained():
                    self.connection.invalidate()
            cursor.close()

    def _begin(self) -> None:
        self.connection.rollback()
        if self.mysql:
            if "read_timeout" not in self._engine.url.query:
                pymysql: Any = self.connection.connection.driver_connection
                pymysql._read_timeout = self._seconds + CONNECT_SECONDS  # so that the server's own limit comes first
            maria = self.dialect.is_mariadb  # type: ignore[attr-defined]
            timeout = _MARIADB_TIMEOUT if maria else _MYSQL_TIMEOUT
            fresh = () if maria else ("SET SESSION information_schema_stats_expiry = 0",)
            for statement in (*_MYSQL_ALWAYS, timeout):
                self.connection.exec_driver_sql(statement.format(seconds=self._seconds))
            for statement in fresh:
                with suppress(ServerError), self._explained():  # MySQL before 8 keeps no old statistics
                    self.connection.exec_driver_sql(statement)
            self.connection.exec_driver_sql(_MYSQL_SNAPSHOT)
            return
        if self.kind == "mssql":
            allowed = self.query("SELECT snapshot_isolation_state FROM sys.databases WHERE database_id = DB_ID()")
            self.connection.rollback()
            level = "SNAPSHOT" if allowed and allowed[0][0] == 1 else "READ COMMITTED"
            self.connection = self.connection.execution_options(isolation_level=level)
        if self.kind == "oracle":
            driver: Any = self.connection.connection.driver_connection
            driver.call_timeout = self._seconds * 1000
        for statement in _BEGIN.get(self.kind, ()):
            self.connection.exec_driver_sql(statement)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn whatever a driver raises into our own words; its own may quote the password or what it read."""
        try:
            yield
        except (MemoryError, SourceError, ServerError):
            raise
        except Exception as error:
            raise explain(error, self.kind) from None


@contextmanager
def _unwarned() -> Iterator[None]:
    """Without SQLAlchemy's warnings of types and versions that it does not know: neither matters here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Inspection:
    """SQLAlchemy's inspector, its errors explained; what a dialect cannot tell is empty."""

    def __init__(self, session: Session) -> None:
        import sqlalchemy as sa

        self._session = session
        with session._explained():
            self._inspector = sa.inspect(session.connection)

    def ask(self, what: str, *arguments: Any, **named: Any) -> Any:
        """Call one of the inspector's methods; `None` when the dialect has no answer. Raises `ServerError`."""
        from sqlalchemy.exc import NoSuchTableError

        with self._session._explained(), _unwarned():
            try:
                return getattr(self._inspector, what)(*arguments, **named)
            except NotImplementedError:
                return None
            except NoSuchTableError:
                raise ServerError(Why.CHANGED, "the table is gone") from None
