"""A folder of another machine over SFTP, through paramiko. The machine has to be a known one."""

from __future__ import annotations

import logging
import stat
from typing import Any

from scanner.errors import MissingExtra
from scanner.model import Why
from scanner.sources.stores_place import (
    AWAY,
    CONNECT_SECONDS,
    DENIED,
    GONE,
    ITSELF,
    LOGIN,
    READ_SECONDS,
    Address,
    Entry,
    Lost,
    inside,
    itself,
)

_KINDS = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}
_PIECE = 2**15
"""Bytes that every server gives at once; more is asked for in pieces, all of them at a time."""


class Sftp:
    """`sftp://user@host/srv/share`, or `/~/` for the login's own folder. The password may be that of a key (`?key=FILE`).

    Keys of ~/.ssh and of an agent are tried where no password is given. A server whose key is not in ~/.ssh/known_hosts
    (or `?known_hosts=FILE`) is refused: a password would go to whoever answers there.
    """

    def __init__(self, url: str, password: str | None) -> None:
        self._address = Address.parse(url, password, ("key", "known_hosts"))
        self.shown = self._address.shown
        path = "/" + self._address.path.rstrip("/")
        self._path = path[3:] or "." if path == "/~" or path.startswith("/~/") else path
        self._ssh: Any = None
        self._sftp: Any = None
        self._file: tuple[str, Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_ssh": None, "_sftp": None, "_file": None}

    def single(self) -> Entry | None:
        """The file that the path names; a link that the URL itself names is followed."""
        found = self._call(lambda sftp: sftp.stat(self._path))
        if stat.S_ISDIR(found.st_mode):
            return None
        if not stat.S_ISREG(found.st_mode):
            raise Lost(Why.UNSUPPORTED, "neither a file nor a folder")
        return itself(self._path, found.st_size, _mark(found))

    def folder(self, locator: str) -> list[Entry]:
        """The names in a folder, with what the server says of each."""
        listed = self._call(lambda sftp: _list(sftp, self._named(locator)))
        above = _raw(locator).rstrip(b"/") + b"/" if locator else b""
        return [_entry(above, name, found) for name, found in listed]

    def look(self, locator: str) -> tuple[int, str]:
        """Open the file, and ask the server about it."""
        found = self._call(lambda _: self._open(locator).stat())
        return found.st_size, _mark(found)

    def fetch(self, locator: str, fingerprint: str, start: int, end: int) -> bytes:
        """One range, asked for in pieces that are on their way together."""

        def got(_: Any) -> bytes:
            if not start:
                self._shut()
            new = self._file is None or self._file[0] != locator
            file = self._open(locator)
            if new and _mark(file.stat()) != fingerprint:
                raise Lost(Why.CHANGED, "written to since it was listed")
            if end - start <= _PIECE:
                file.seek(start)
                return bytes(file.read(end - start))
            return b"".join(file.readv([(at, min(_PIECE, end - at)) for at in range(start, end, _PIECE)]))

        return bytes(self._call(got))

    def settle(self, locator: str, fingerprint: str) -> None:
        """Look at the path once more: the open file may no longer be what lies there."""
        found = self._call(lambda sftp: sftp.stat(self._named(locator)) if locator == ITSELF else sftp.lstat(self._named(locator)))
        self._shut()
        if _mark(found) != fingerprint:
            raise Lost(Why.CHANGED, "written to since it was listed")

    def reset(self) -> None:
        """Close the connection."""
        self._file = None
        for one in (self._sftp, self._ssh):
            if one is not None:
                one.close()
        self._sftp = self._ssh = None

    def _named(self, locator: str) -> bytes:
        if locator == ITSELF or not locator:
            return self._path.encode()
        return inside(self._path, "").encode() + _raw(locator)

    def _open(self, locator: str) -> Any:
        if self._file is None or self._file[0] != locator:
            self._shut()
            if locator != ITSELF and not stat.S_ISREG(self._sftp.lstat(self._named(locator)).st_mode):
                raise Lost(Why.CHANGED, "no longer a file")
            self._file = (locator, self._sftp.open(self._named(locator), "rb"))
        return self._file[1]

    def _shut(self) -> None:
        if self._file is not None:
            file, self._file = self._file[1], None
            file.close()

    def _connected(self) -> Any:
        if self._sftp is not None:
            return self._sftp
        try:
            import paramiko
        except ImportError:
            raise MissingExtra("SFTP needs paramiko: pip install 'persondata[sftp]'") from None
        logging.getLogger("paramiko").addHandler(logging.NullHandler())  # it would write tracebacks to the terminal
        where, options = self._address, self._address.options
        self._ssh = paramiko.SSHClient()
        self._ssh.load_system_host_keys()
        if "known_hosts" in options:
            self._ssh.load_system_host_keys(options["known_hosts"])
        self._ssh.set_missing_host_key_policy(paramiko.RejectPolicy())
        own = where.secret is None
        self._ssh.connect(
            where.host, where.port or 22, where.user or None, where.secret, key_filename=options.get("key"), allow_agent=own,
            look_for_keys=own, timeout=CONNECT_SECONDS, banner_timeout=CONNECT_SECONDS, auth_timeout=READ_SECONDS,
        )  # fmt: skip
        self._sftp = self._ssh.open_sftp()
        self._sftp.get_channel().settimeout(READ_SECONDS)
        return self._sftp

    def _call(self, ask: Any) -> Any:
        try:
            return ask(self._connected())
        except (Lost, MissingExtra):
            raise
        except Exception as error:
            raise _explain(error) from None


def _list(sftp: Any, path: bytes) -> list[tuple[bytes, Any]]:
    """As paramiko's own listing, but that a name need not be UTF-8."""
    from paramiko import SFTPAttributes
    from paramiko.sftp import CMD_CLOSE, CMD_OPENDIR, CMD_READDIR

    handle = sftp._request(CMD_OPENDIR, path)[1].get_string()
    found = []
    try:
        while True:
            answer = sftp._request(CMD_READDIR, handle)[1]
            for _ in range(answer.get_int()):
                name = answer.get_string()
                answer.get_string()
                entry = SFTPAttributes._from_msg(answer)
                if name not in (b".", b".."):
                    found.append((name, entry))
    except EOFError as end:
        if not end.args:  # the connection ended; the end of a folder comes with words
            raise
    sftp._request(CMD_CLOSE, handle)
    return found


def _entry(above: bytes, raw: bytes, found: Any) -> Entry:
    name = raw.decode("utf-8", "backslashreplace")
    path = above + raw
    locator = "" if path.decode("utf-8", "backslashreplace").encode() == path else "\0" + path.hex()
    mode = found.st_mode or 0
    if stat.S_ISDIR(mode):
        return Entry(name + "/", locator=locator)
    if stat.S_ISREG(mode):
        return Entry(name, found.st_size, _mark(found), locator=locator)
    if stat.S_ISLNK(mode):
        return Entry(name, why=Why.UNSUPPORTED, detail="symbolic link, not followed")
    return Entry(name, why=Why.UNSUPPORTED, detail=f"not a file, but a {_KINDS.get(stat.S_IFMT(mode), 'special file')}")


def _raw(locator: str) -> bytes:
    """The bytes of a path: those of its name, or in hexadecimal digits where it is no UTF-8."""
    return bytes.fromhex(locator[1:]) if locator.startswith("\0") else locator.encode()


def _mark(found: Any) -> str:
    return f"{found.st_size}:{found.st_mtime}"


def _broken(error: Exception) -> bool:
    """The connection failed; what paramiko makes of an answer has no number, but for a missing file or permission."""
    from paramiko.ssh_exception import NoValidConnectionsError

    if isinstance(error, NoValidConnectionsError):
        return True
    return isinstance(error, OSError) and (bool(error.errno) or str(error) == "Socket is closed")


def _explain(error: Exception) -> Lost:
    """Say what an error means by its class; its words may name a file."""
    import socket

    import paramiko

    if isinstance(error, paramiko.BadHostKeyException):
        return Lost(Why.DENIED, "the server shows another key than the one in known_hosts")
    if isinstance(error, paramiko.PasswordRequiredException):
        return Lost(Why.DENIED, "the key is protected by a password, and none was given")
    if isinstance(error, paramiko.AuthenticationException):
        return Lost(Why.DENIED, LOGIN)
    if isinstance(error, paramiko.SSHException) and "not found in known_hosts" in str(error):
        return Lost(Why.DENIED, "the server's key is not in known_hosts; log in once by hand, or write it there with ssh-keyscan")
    if isinstance(error, PermissionError):
        return Lost(Why.DENIED, DENIED)
    if isinstance(error, FileNotFoundError):
        return Lost(Why.CHANGED, GONE)
    if isinstance(error, socket.gaierror):
        return Lost(Why.CRASHED, "there is no such host", again=True)
    if isinstance(error, (paramiko.SSHException, EOFError, TimeoutError, ConnectionError)) or _broken(error):
        return Lost(Why.CRASHED, AWAY, again=True)
    if isinstance(error, OSError):
        return Lost(Why.DAMAGED, "the server could not read it")
    return Lost(Why.CRASHED, f"the driver could not go on ({type(error).__name__})")
