"""Opens an SQLite database so that nothing is written to it or beside it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from scanner.errors import MissingExtra
from scanner.model import Why

if TYPE_CHECKING:
    import pyarrow as pa

_ENDINGS = ("", "-wal", "-journal")
_EXPLAINED = (
    ("no such table", Why.CHANGED, "the table is gone"),
    ("no such column", Why.CHANGED, "a column is gone"),
    ("no such module", Why.UNSUPPORTED, "a table of a kind that SQLite reads only with an extension"),
    ("unsafe use", Why.UNSUPPORTED, "the table runs code of its own"),
    ("not a database", Why.DAMAGED, "not an SQLite database, or an encrypted one"),
    ("locked", Why.DENIED, "the database is locked by another program"),
    ("malformed", Why.DAMAGED, "the database is damaged"),
)


class SqliteError(Exception):
    """A database could not be opened or read on: why, in the program's own words."""

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(detail)
        self.why, self.detail = why, detail


class Connection:
    """A connection that gives answers as Arrow, and errors as `SqliteError`.

    `size` is the file's in bytes. `unguarded` is its state when nothing stops others from writing to it meanwhile.
    """

    def __init__(self, path: Path, way: str, unguarded: str = "") -> None:
        self.size, self.unguarded = path.stat().st_size, unguarded
        try:
            from adbc_driver_sqlite import dbapi
        except ImportError:
            raise MissingExtra("SQLite databases need a driver: pip install 'persondata[sqlite]'") from None
        import pyarrow as pa

        self._errors = (dbapi.Error, OSError, pa.lib.ArrowException)
        try:
            self._open = dbapi.connect(f"file:{quote(os.fsencode(path))}?{way}", autocommit=True)
        except self._errors as error:
            raise explain(error) from None
        try:
            for line in ("busy_timeout=5000", "trusted_schema=OFF", "cell_size_check=ON"):
                self.query(f"PRAGMA {line}")
            self.query("SELECT count(*) FROM sqlite_schema")
        except SqliteError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._open.close()

    def query(self, sql: str, values: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """Answer a small query."""
        try:
            with closing(self._open.cursor()) as cursor:
                cursor.execute(sql, list(values) or None)
                return list(cursor.fetchall())
        except self._errors as error:
            raise explain(error) from None

    def columns(self, sql: str) -> list[str]:
        """The names of a query's columns, without its rows."""
        try:
            with closing(self._open.cursor()) as cursor:
                cursor.execute(f"select * from ({sql}) limit 0")
                return [str(column[0]) for column in cursor.description or ()]
        except self._errors as error:
            raise explain(error) from None

    def fetch(self, sql: str, rows: int, values: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
        """Stream an answer in batches of `rows`, without its first row."""
        try:
            with closing(self._open.cursor()) as cursor:
                cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(rows)})
                cursor.execute(sql, list(values) or None)
                first = 1
                for batch in cursor.fetch_record_batch():
                    if batch.num_rows > first:
                        yield batch.slice(first)
                    first = 0
        except self._errors as error:
            raise explain(error) from None


def connect(path: Path) -> Connection:
    """Open a database for reading.

    SQLite itself writes beside a database in two cases. A database with a write-ahead log gets an index file
    (`-shm`) when it is opened: an existing one is used read-only, and without one the database and its log are
    copied first. A journal left by a crash is rolled back on opening: there, too, on a copy.
    """
    path = path.absolute()
    try:
        before = state(path)
        if way := _way(path):
            try:
                return Connection(path, way, before if "immutable" in way else "")
            except SqliteError as error:
                if error.why is Why.DENIED or not (_size(path, "-wal") > 0 or _size(path, "-journal") > 0):
                    raise
        with _copied(path) as folder:
            copy = Path(folder, "copy")
            with closing(Connection(copy, "mode=rw")) as connection:
                connection.query("PRAGMA journal_mode=DELETE")
            return Connection(copy, "mode=ro&immutable=1")  # lives on in the open file when the folder goes
    except PermissionError:
        raise SqliteError(Why.DENIED, "no permission to read the database") from None
    except OSError as error:
        raise SqliteError(Why.CHANGED, f"the database could not be opened ({error.strerror})") from None


def state(path: Path) -> str:
    """Tell one state of a database from another: size and time of its file, its log and its journal."""
    marks = []
    for ending in _ENDINGS:
        with suppress(FileNotFoundError):
            entry = Path(f"{path}{ending}").stat()
            marks.append(f"{entry.st_size}:{entry.st_mtime_ns}")
    return " ".join(marks)


def explain(error: Exception) -> SqliteError:
    """Say what a driver's error means; its own words may quote what it read."""
    for words, why, detail in _EXPLAINED:
        if words in str(error):
            return SqliteError(why, detail)
    return SqliteError(Why.DAMAGED, "SQLite could not read the database")


def _size(path: Path, ending: str) -> int:
    try:
        return Path(f"{path}{ending}").stat().st_size
    except FileNotFoundError:
        return -1


def _way(path: Path) -> str:
    """Choose how to open a database so that nothing is written; `""` when only a copy will do."""
    with path.open("rb") as file:
        head = file.read(20)
    if head[18:] != b"\2\2":
        return "mode=ro" if head else "mode=ro&immutable=1"
    if _size(path, "-wal") >= 0 and _size(path, "-shm") >= 0:
        return "mode=ro&readonly_shm=1"
    return "" if _size(path, "-wal") > 0 else "mode=ro&immutable=1"


def _copied(path: Path) -> tempfile.TemporaryDirectory[str]:
    """Copy a database with its log at a moment when nobody writes to them."""
    folder = tempfile.TemporaryDirectory(prefix="persondata-", ignore_cleanup_errors=True)
    for _ in range(3):
        before = state(path)
        for ending in _ENDINGS:
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{ending}", Path(folder.name, f"copy{ending}"))
        if state(path) == before:
            return folder
    folder.cleanup()
    raise SqliteError(Why.CHANGED, "the database was written to all the time while it was copied")
