"""What all file stores share: where one is, what it lists, and what it says when it cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self
from urllib.parse import unquote

from scanner.errors import PersondataError, SourceError
from scanner.model import Problem, Why

CONNECT_SECONDS = 10.0
"""How long a server may take to answer a connection."""
READ_SECONDS = 60.0
"""How long a server may be silent within an answer."""
ITSELF = "\0"
"""The locator of the file that a URL itself names."""
GONE = "gone before it was read"
AWAY = "the server does not answer"
DENIED = "the login may not read it"
LOGIN = "the store refused the login"
ARCHIVED = "archived: it must be restored before it can be read"


class Lost(PersondataError):
    """A store did not do it: why, in the program's own words. With `again` it may work in a moment.

    It passes through the readers of `extract`, so that a server that goes away is not taken for a damaged file.
    """

    def __init__(self, why: Why, detail: str, *, again: bool = False) -> None:
        super().__init__(detail)
        self.why, self.detail, self.again = why, detail, again


class Entry(NamedTuple):
    """Something that a store lists. The `name` of a folder ends in `/`.

    `fingerprint` tells two states of a file apart and holds no space. With a `why` it is listed but not read.
    `older` is a copy that nobody sees any more but the store keeps. `id` tells folders apart, where the store knows.
    """

    name: str
    size: int = 0
    fingerprint: str = ""
    why: Why | None = None
    detail: str = ""
    locator: str = ""
    older: bool = False
    id: int = 0


class Store(Protocol):
    """A place with files that are read by ranges. Every method may raise `Lost`; nothing is ever written.

    A locator is an entry's own, else the name of its object: it counts from the path of the URL.
    Methods may be called from any thread, by one at a time. A copy of a store (a pickle) connects anew.
    """

    shown: str
    """The URL without its secrets."""

    def single(self) -> Entry | None:
        """The file that the URL itself names; None where it names a folder or a whole store."""
        ...

    def look(self, locator: str) -> tuple[int, str]:
        """Size in bytes and fingerprint of a file, as it is now."""
        ...

    def fetch(self, locator: str, fingerprint: str, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`. `Lost` with `Why.CHANGED` if the file has another fingerprint now."""
        ...

    def settle(self, locator: str, fingerprint: str) -> None:
        """Called after the last `fetch`: `Lost` with `Why.CHANGED` if the file is no longer as it was, where `fetch` cannot tell."""
        ...

    def reset(self) -> None:
        """Let go of all connections; the next call makes new ones."""
        ...


class Bucket(Store, Protocol):
    """A store without folders, which lists everything below the prefix of its URL by pages."""

    def page(self, token: str) -> tuple[list[Entry], str]:
        """The page that a token names (`""` is the first), and the token of the next, `""` after the last."""
        ...

    def ordered(self) -> bool:
        """Whether the pages come sorted by name, in code-point order."""
        ...

    def hidden(self) -> list[Problem]:
        """What the store may hold and the listing does not show; sorted. Asked after the first page."""
        ...


class Tree(Store, Protocol):
    """A store with folders."""

    def folder(self, locator: str) -> list[Entry]:
        """What lies in a folder (`""` is the one of the URL), in any order; `name` is the last part only."""
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is, as its URL says: `shown` carries no password and may be told.

    `path` has no `/` in front; `options` is what follows the `?`.
    """

    shown: str
    user: str
    secret: str | None = field(repr=False)
    host: str
    port: int | None
    path: str
    options: dict[str, str]

    @classmethod
    def parse(cls, url: str, password: str | None, known: tuple[str, ...] = ()) -> Self:
        """Take a URL apart; a password given besides it counts instead of one inside. Raises `SourceError`."""
        scheme = url.partition(":")[0]
        match = re.fullmatch(r"[^:]*://([^/?]*)(/[^?]*)?(?:\?(.*))?", url, re.DOTALL)
        login, at, place = match[1].rpartition("@") if match else ("", "", "")
        where = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:@]+)(?::(\d{1,5}))?", place)
        if match is None or where is None:
            raise SourceError(f"the {scheme}:// URL cannot be understood: special letters of a password are written as in %23")
        pairs = [pair.partition("=") for pair in (match[3] or "").split("&") if pair]
        if strange := next((name for name, _, _ in pairs if name not in known), None):
            told = f" has the parameter {strange}, which" if re.fullmatch(r"\w{1,20}", strange) else " has a parameter that"
            raise SourceError(f"the {scheme}:// URL{told} is not one of: {', '.join(known) or 'none'}")
        user, _, inside = login.partition(":")
        query = "&".join(f"{name}={value}" for name, _, value in pairs)
        shown = f"{scheme}://{user}{at}{place}{match[2] or ''}" + (f"?{query}" if query else "")
        secret = password if password is not None else unquote(inside) or None
        options = {name: unquote(value) for name, _, value in pairs}
        port = int(where[2]) if where[2] else None
        return cls(shown, unquote(user), secret, where[1].strip("[]"), port, unquote(match[2] or "").removeprefix("/"), options)

    def flag(self, name: str) -> bool:
        """Whether an option says yes."""
        return self.options.get(name, "").lower() in ("1", "true", "yes")


def inside(path: str, locator: str) -> str:
    """The path, or key, of what a locator names below the path of a URL."""
    return path if locator == ITSELF else folder_of(path) + locator


def folder_of(path: str) -> str:
    """The prefix of what lies below a path."""
    return path if not path or path.endswith("/") else path + "/"


def itself(path: str, size: int, fingerprint: str) -> Entry:
    """The entry of the file that a URL itself names."""
    return Entry(path.rpartition("/")[2], size, fingerprint, locator=ITSELF)


def http_problem(status: int | None) -> Lost:
    """What an HTTP status means, where the store says no more."""
    if status in (401, 407):
        return Lost(Why.DENIED, LOGIN)
    if status == 403:
        return Lost(Why.DENIED, DENIED)
    if status in (404, 410):
        return Lost(Why.CHANGED, GONE)
    if status in (412, 416):
        return Lost(Why.CHANGED, "written to since it was listed")
    if status is None or status in (408, 425, 429) or (status >= 500 and status != 501):
        return Lost(Why.CRASHED, AWAY if status is None else f"the server is overloaded or out of order (status {status})", again=True)
    return Lost(Why.CRASHED, f"the server refused (status {status})")
