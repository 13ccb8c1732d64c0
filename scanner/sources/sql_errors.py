"""What a database server's refusals mean, each server having codes of its own; its words may quote what it read."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from scanner.model import Why
from scanner.sources.postgresql_server import ServerError

_DENIED = (Why.DENIED, "the login has no SELECT privilege")
_LOCKED = (Why.DENIED, "the table is locked by another transaction")
_LOGIN = (Why.DENIED, "the server refused the login")
_NOBODY = (Why.CRASHED, "no server answers there")
_SLOW = (Why.TIMED_OUT, "the server did not answer in time")
_ENDED = (Why.TIMED_OUT, "the server's time limit for a statement ended the query")
_GONE = (Why.CHANGED, "the table is gone")
_NO_COLUMN = (Why.CHANGED, "a column is gone")
_FULL = (Why.DENIED, "the server has too many connections")
_NOT_FROM_HERE = (Why.DENIED, "the server takes no logins from this machine")
_AWAY = (Why.CRASHED, "the server went away")
_NO_DATABASE = (Why.CHANGED, "the server has no such database")
_BROKEN_OFF = (Why.CHANGED, "the server broke off the transaction")
_CODES: dict[str, dict[str, tuple[Why, str]]] = {
    # MariaDB and MySQL: share/errmsg.txt, and include/errmsg.h for those from 2000 on
    "mysql": {
        "1045": _LOGIN, "1698": _LOGIN, "1044": (Why.DENIED, "the login may not use this database"), "1049": _NO_DATABASE,
        "1142": _DENIED, "1143": _DENIED, "1227": _DENIED, "1370": _DENIED, "1356": _DENIED,
        "1040": _FULL, "1203": _FULL, "1129": _NOT_FROM_HERE, "1130": _NOT_FROM_HERE,
        "1146": _GONE, "1051": _GONE, "1054": _NO_COLUMN, "1412": (Why.CHANGED, "the table was altered meanwhile"),
        "1205": _LOCKED, "1213": _BROKEN_OFF, "1969": _ENDED, "3024": _ENDED, "1317": _ENDED,
        "1927": _AWAY, "1053": _AWAY, "1152": _AWAY, "1184": _AWAY, "2006": _AWAY, "2013": _AWAY, "2055": _AWAY, "2014": _AWAY,
        "2002": _NOBODY, "2003": _NOBODY, "2005": (Why.CRASHED, "no such host"),
        "2026": (Why.CRASHED, "the server and this machine cannot agree on encryption"),
    },
    # SQL Server: sys.messages; 20000 and above are DB-Library's own
    "mssql": {
        "18456": _LOGIN, "18452": _LOGIN, "4060": _NO_DATABASE, "911": _NO_DATABASE,
        "229": _DENIED, "230": _DENIED, "916": _DENIED,
        "208": _GONE, "207": _NO_COLUMN, "1222": _LOCKED, "1205": _BROKEN_OFF, "3960": _BROKEN_OFF, "3961": _BROKEN_OFF,
        "20009": _NOBODY, "20002": _NOBODY, "20003": _SLOW, "20047": _AWAY, "20017": _AWAY, "20004": _AWAY, "20006": _AWAY,
    },
    # Oracle: docs.oracle.com/error-help; DPY are the thin driver's own
    "oracle": {
        "ORA-01017": _LOGIN, "ORA-28000": _LOGIN, "ORA-28001": _LOGIN, "ORA-01005": _LOGIN, "ORA-01045": _LOGIN, "DPY-4001": _LOGIN,
        "ORA-12505": _NO_DATABASE, "ORA-12514": _NO_DATABASE, "DPY-6001": _NO_DATABASE, "DPY-6003": _NO_DATABASE,
        "ORA-00942": _GONE, "ORA-00904": _NO_COLUMN, "ORA-01031": _DENIED, "ORA-00054": _LOCKED,
        "ORA-01555": _BROKEN_OFF, "ORA-01466": _BROKEN_OFF, "ORA-08103": _BROKEN_OFF, "ORA-01013": _ENDED, "DPY-4024": _SLOW,
        "DPY-6005": _NOBODY, "ORA-12541": _NOBODY, "ORA-03113": _AWAY, "ORA-03114": _AWAY, "ORA-03135": _AWAY, "DPY-4011": _AWAY,
        "DPY-1001": _AWAY,
    },
    # SQLSTATE: PostgreSQL and its kin
    "": {
        "28P01": _LOGIN, "28000": _LOGIN, "3D000": _NO_DATABASE, "42501": _DENIED, "42P01": _GONE, "42703": _NO_COLUMN,
        "55P03": _LOCKED, "57014": _ENDED, "40001": _BROKEN_OFF, "57P01": _AWAY, "08006": _AWAY, "08001": _NOBODY,
    },
}  # fmt: skip
_CODES["mariadb"] = _CODES["mysql"]


def refused(error: ServerError) -> ServerError:
    """What an error means that came while connecting."""
    return ServerError(Why.CRASHED, "the server cannot be reached") if error.why is Why.DAMAGED else error


def explain(error: BaseException, kind: str) -> ServerError:
    """Say what an error means by its code, or by the system's error below it."""
    below = list(_chain(error))
    system = next((one for one in below if isinstance(one, OSError) and not isinstance(one, ConnectionResetError)), None)
    timed_out = any(isinstance(one, TimeoutError) or "(timed out)" in str(one) for one in below)
    if isinstance(system, socket.gaierror):
        return ServerError(Why.CRASHED, "no such host")
    if isinstance(system, ssl.SSLError):
        return ServerError(Why.CRASHED, "the server and this machine cannot agree on encryption")
    if timed_out:
        return ServerError(*_SLOW)
    if isinstance(system, (ConnectionRefusedError, FileNotFoundError)):
        return ServerError(*_NOBODY)
    codes = [code for one in below for code in _codes(one)]
    for code in codes:
        if code in (table := _CODES.get(kind, _CODES[""])):
            return ServerError(*table[code])
    if any(isinstance(one, TypeError) for one in below):
        return ServerError(Why.UNSUPPORTED, "the driver does not take a parameter of the URL, or a type of the table")
    if system is not None or any(isinstance(one, ConnectionError) for one in below) or getattr(error, "connection_invalidated", False):
        return ServerError(*_AWAY)
    said = codes[0] if codes else type(below[-1]).__name__
    return ServerError(Why.DAMAGED, f"the server could not read the table (error {said})")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that led to it, each driver keeping them elsewhere."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [getattr(one, "orig", None), getattr(one, "original_exception", None), one.__cause__, one.__context__]


def _codes(error: BaseException) -> Iterator[str]:
    """The codes that an error carries: a number that comes first, SQLSTATE, or one like ORA-00942."""
    if state := getattr(error, "sqlstate", None) or getattr(error, "pgcode", None):
        yield str(state)
    for attribute in ("msg_no", "number"):
        if isinstance(code := getattr(error, attribute, None), int):
            yield str(code)
    first: Any = error.args[0] if error.args else None
    while isinstance(first, tuple) and first:
        first = first[0]
    if isinstance(first, int) and not isinstance(error, OSError):
        yield str(first)
    if code := getattr(first, "full_code", ""):
        yield str(code)
    yield from re.findall(r"\b(?:ORA|DPY)-\d{4,5}\b", str(first) if isinstance(first, str) else "")
