"""A Windows or Samba share over SMB 2 and 3, through smbprotocol."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

from scanner.errors import MissingExtra, SourceError
from scanner.model import Why
from scanner.sources.stores_place import (
    AWAY,
    CONNECT_SECONDS,
    DENIED,
    GONE,
    ITSELF,
    LOGIN,
    Address,
    Entry,
    Lost,
    inside,
    itself,
)

_DIRECTORY, _REPARSE, _OFFLINE = 0x10, 0x400, 0x1000 | 0x40000 | 0x400000
"""FILE_ATTRIBUTE_… ([MS-FSCC] 2.6): a folder; something stands for another thing; reading it would bring it back from afar."""
_STANDS_FOR_A_NAME = 0x20000000
"""The bit of a reparse tag ([MS-FSCC] 2.1.2.1) that links and junctions have, and files that were made smaller have not."""
_DENIED = frozenset({0xC0000022, 0xC0000043, 0xC0000061, 0xC00000BA, 0xC0000056})
_GONE = frozenset({0xC0000034, 0xC000003A, 0xC000000F, 0xC0000033, 0xC0000039})
_LOGIN = frozenset({0xC000006D, 0xC000006E, 0xC0000071, 0xC0000072, 0xC0000193, 0xC0000224, 0xC0000234, 0xC000015B, 0xC0000070})


class Smb:
    """`smb://user@server/share/folder`, `smb://DOMAIN;user@server/…`; without a user, the Kerberos ticket of this login.

    The connection is signed; `?encrypt=true` asks for encryption besides.
    """

    def __init__(self, url: str, password: str | None) -> None:
        self._address = Address.parse(url, password, ("encrypt", "guest"))
        self.shown = self._address.shown
        self._share, _, path = self._address.path.partition("/")
        self._path = path.rstrip("/")
        if not self._share:
            raise SourceError(f"{self.shown}: names no share, as in smb://user@server/share/folder")
        self._known: dict[str, Any] | None = None
        self._file: tuple[str, Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_known": None, "_file": None}

    def single(self) -> Entry | None:
        """The file that the path names."""
        if not self._path:
            return None
        import stat

        found = self._ask("stat", "")
        return None if stat.S_ISDIR(found.st_mode) else itself(self._path, found.st_size, _stat_mark(found))

    def folder(self, locator: str) -> list[Entry]:
        """The names in a folder, with what the server says of each."""
        return [_entry(found) for found in self._ask("scandir", locator, whole=True)]

    def look(self, locator: str) -> tuple[int, str]:
        """Ask the server about the file."""
        found = self._ask("stat", locator)
        return found.st_size, _stat_mark(found)

    def fetch(self, locator: str, fingerprint: str, start: int, end: int) -> bytes:
        """One range of a file that others may read and write meanwhile."""
        if not start:
            self._shut()
        if self._file is None or self._file[0] != locator:
            self._shut()
            if self.look(locator)[1] != fingerprint:
                raise Lost(Why.CHANGED, "written to since it was listed")
            self._file = (locator, self._ask("open_file", locator, mode="rb", buffering=0, share_access="rwd"))
        file = self._file[1]
        data = bytearray()
        try:
            file.seek(start, io.SEEK_SET)
            while len(data) < end - start and (piece := file.read(end - start - len(data))):
                data += piece
        except Exception as error:
            raise _explain(error) from None
        return bytes(data)

    def settle(self, locator: str, fingerprint: str) -> None:
        """Ask the server once more."""
        self._shut()
        if self.look(locator)[1] != fingerprint:
            raise Lost(Why.CHANGED, "written to since it was listed")

    def reset(self) -> None:
        """Close the connection."""
        known, self._known = self._known, None
        self._shut()
        if known:
            import smbclient

            with suppress(Exception):  # the server may be gone already
                smbclient.reset_connection_cache(connection_cache=known)

    def _shut(self) -> None:
        if self._file is not None:
            file, self._file = self._file[1], None
            try:
                file.close()
            except Exception:  # nothing was written, so there is nothing that closing could lose
                file.fd._connected = False  # or it would be taken for one that was forgotten

    def _ask(self, name: str, locator: str, whole: bool = False, **words: Any) -> Any:
        known = self._connected()
        import smbclient

        path = self._path if locator in ("", ITSELF) else inside(self._path, locator)
        where = "\\\\" + "\\".join([self._address.host, self._share, *filter(None, path.split("/"))])
        try:
            answer = getattr(smbclient, name)(where, port=self._address.port or 445, connection_cache=known, **words)
            return list(answer) if whole else answer
        except Exception as error:
            raise _explain(error) from None

    def _connected(self) -> dict[str, Any]:
        if self._known is not None:
            return self._known
        try:
            import smbclient
        except ImportError:
            raise MissingExtra("SMB needs smbprotocol: pip install 'persondata[smb]'") from None
        where = self._address
        known: dict[str, Any] = {}
        try:
            smbclient.register_session(
                where.host, username=where.user.replace(";", "\\") or None, password=where.secret, port=where.port or 445,
                encrypt=True if where.flag("encrypt") else None, connection_timeout=CONNECT_SECONDS, connection_cache=known,
                require_signing=not where.flag("guest"),
            )  # fmt: skip
        except Exception as error:
            lost = _explain(error)
            raise Lost(Why.DENIED, LOGIN) if lost.detail == DENIED else lost from None
        self._known = known
        return known


def _entry(found: Any) -> Entry:
    info = found.smb_info
    flags, name = int(info.file_attributes), str(info.file_name)
    if flags & _REPARSE and int(info.ea_size) & _STANDS_FOR_A_NAME:
        return Entry(name, why=Why.UNSUPPORTED, detail="symbolic link or junction, not followed")
    if flags & _DIRECTORY:
        return Entry(name + "/", id=int(info.file_id))
    if flags & _OFFLINE:
        return Entry(name, why=Why.DENIED, detail="kept on slow storage (offline): it must be brought back before it can be read")
    return Entry(name, int(info.end_of_file), _mark(int(info.end_of_file), info.last_write_time, info.change_time))


def _mark(size: int, written: Any, changed: Any) -> str:
    return f"{size}:{_ticks(written)}:{_ticks(changed)}"


def _ticks(moment: Any) -> int:
    return int(moment) if isinstance(moment, int) else round(moment.timestamp() * 1_000_000)


def _stat_mark(found: Any) -> str:
    return f"{found.st_size}:{found.st_mtime_ns // 1000}:{found.st_chgtime_ns // 1000}"


def _explain(error: Exception) -> Lost:
    """Say what an error means by its NTSTATUS ([MS-ERREF] 2.3.1); its words name the file."""
    import socket

    from smbprotocol import exceptions as known

    if isinstance(error, Lost):
        return error
    status = getattr(error, "ntstatus", None) or getattr(error, "status", None)
    if status in _LOGIN or isinstance(error, known.SMBAuthenticationError):
        return Lost(Why.DENIED, LOGIN)
    if status in _DENIED:
        return Lost(Why.DENIED, DENIED)
    if status in _GONE:
        return Lost(Why.CHANGED, GONE)
    if status in (0xC00000CC, 0xC0000225):
        return Lost(Why.DENIED, "the server has no such share")
    if isinstance(error, socket.gaierror) or isinstance(error.__cause__, socket.gaierror):
        return Lost(Why.CRASHED, "there is no such host", again=True)
    if isinstance(status, int):
        return Lost(Why.DAMAGED, f"the server could not read it (status {status:08X})")
    if isinstance(error, (known.SMBException, OSError, ValueError)):
        return Lost(Why.CRASHED, AWAY, again=True)
    return Lost(Why.CRASHED, f"the driver could not go on ({type(error).__name__})")
