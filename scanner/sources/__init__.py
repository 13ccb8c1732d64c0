"""Where data lives: a URL or a path becomes a source, which lists its units and reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scanner.errors import SourceError
from scanner.model import Limits, Source

if TYPE_CHECKING:
    from collections.abc import Callable

PLUGINS = "persondata.sources"
"""The group of entry points by which other packages add sources."""

_SCHEMES = {
    "": "files:from_url",
    "file": "files:from_url",
    "sqlite": "sqlite:from_url",
    "imap": "imap:from_url",
    "imaps": "imap:from_url",
    "postgresql": "postgresql:from_url",
    "postgres": "postgresql:from_url",
    **dict.fromkeys(("s3", "az", "abfs", "abfss", "gs", "gcs", "sftp", "smb", "webdav", "webdavs", "dav", "davs"), "stores:from_url"),
    **dict.fromkeys(("mysql", "mariadb", "mssql", "oracle", "firebird", "db2", "ibm_db_sa", "hana", "cockroachdb"), "sql:from_url"),
    **dict.fromkeys(("redshift", "snowflake", "clickhouse", "trino", "teradatasql", "vertica", "exa", "monetdb"), "sql:from_url"),
    "duckdb": "sql_duckdb:from_url",
    "slack": "chats:from_url",
}
"""Which function of which module here makes the source of a scheme; it is imported when it is needed."""
_DRIVEN = "sql:from_url"
_DIALECTS = {_DRIVEN, *(_SCHEMES[name] for name in ("postgresql", "sqlite", "duckdb"))}
"""Those whose scheme may name a driver, as in `mysql+pymysql://`: it goes to `sql`, which tells them apart."""


def open_source(
    url: str,
    *,
    name: str = "",
    password: str | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    limits: Limits = Limits(),
) -> Source:
    """Make the source that a URL or a path names; `include` and `exclude` are shell patterns on object names.

    A password inside the URL works, and appears in no name, message or unit. Raises `SourceError` when nothing
    is there, when the login is refused, or when the scheme is unknown or lacks its driver (`MissingExtra`).
    """
    import importlib

    scheme = _scheme(url)
    made_by = _SCHEMES.get(scheme) or (_DRIVEN if _SCHEMES.get(scheme.partition("+")[0]) in _DIALECTS else "")
    make: Callable[..., Source]
    if made_by:
        module, function = made_by.split(":")
        make = getattr(importlib.import_module(f"scanner.sources.{module}"), function)
    else:
        make = _plugin(scheme)
    return make(url, name, password, tuple(include), tuple(exclude), limits)


def _plugin(scheme: str) -> Callable[..., Source]:
    """What an installed package offers for a scheme: an entry point of its name in the group `persondata.sources`.

    It is called like the `from_url` of the sources here: url, name, password, include, exclude, limits.
    """
    from importlib.metadata import entry_points

    for point in entry_points(group=PLUGINS, name=scheme):
        try:
            make: Callable[..., Source] = point.load()
        except Exception as error:  # whatever a stranger's module does while it is imported
            raise SourceError(f"{scheme}:// the plugin {point.value} cannot be loaded ({type(error).__name__})") from None
        return make
    raise SourceError(f"{scheme}:// needs a driver that is not built in, and no plugin that is installed offers it")


def _scheme(url: str) -> str:
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)(?:://|:(?=/)|(?<=\Aslack):)", url)
    return match[1].lower() if match else ""
