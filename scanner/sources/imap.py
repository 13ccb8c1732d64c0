"""The mailboxes of an IMAP server, read without leaving a trace: EXAMINE and BODY.PEEK ([RFC 9051])."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import Any, Self
from urllib.parse import unquote

from scanner.errors import MissingExtra, SourceError
from scanner.extract import mail, walk_of
from scanner.extract.text import Texts
from scanner.model import Blob, Limits, Opened, Problem, Reading, Unit, Why
from scanner.sources.patterns import Choice

_PORTS = {"imap": 143, "imaps": 993}
_SECONDS = 60
_AT_ONCE = 500
"""The sizes of so many mails are asked for at once."""
_TOGETHER = 4 * 2**20
"""Mails are fetched together up to so many bytes."""
_CLOSED = {b"\\noselect", b"\\nonexistent"}
_WORDS = {"tls": ("on", "off"), "auth": ("password", "xoauth2")}


def from_url(url: str, name: str, password: str | None, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> Mailboxes:
    """Make the source of `imaps://user@host/Folder`, or of `imap://` where the server turns encryption on (STARTTLS).

    After a `?`: `auth=xoauth2` when the password is an access token, `cafile=…` for the server's own authority, and
    `tls=off` for a server that has no encryption.
    """
    address = Address.parse(url, password)
    return Mailboxes(address, name or address.shown, include, exclude, limits)


def _quiet(_: str) -> None:
    """Nobody watches."""


class _ServerError(Exception):
    """The server did not do it: why, in the program's own words."""

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(detail)
        self.why, self.detail = why, detail


@dataclass(frozen=True, slots=True)
class Address:
    """Where the mailboxes are: `shown` carries no password and may be told."""

    shown: str
    scheme: str
    host: str
    port: int
    user: str
    folder: str
    options: tuple[tuple[str, str], ...]
    _secret: str

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"

    @classmethod
    def parse(cls, url: str, password: str | None = None) -> Self:
        """Take the password out of a URL; one given besides it counts instead."""
        match = re.fullmatch(r"(imaps?)://(?:([^/?#]*)@)?([^/?#@:]+|\[[^]]*\])(?::(\d+))?(/[^?#]*)?(?:\?([^#]*))?", url, re.IGNORECASE)
        if match is None or not match[2]:
            raise SourceError("the IMAP URL is written as imaps://user@host/Folder; special letters of a password as in %23")
        scheme, host = match[1].lower(), match[3]
        user, _, inside = match[2].partition(":")
        options = tuple(tuple(unquote(word) for word in pair.split("=", 1)) for pair in (match[6] or "").split("&") if "=" in pair)
        for key, value in options:
            if key != "cafile" and value not in _WORDS.get(key, ()):
                raise SourceError("after the ? of an IMAP URL may stand tls=off, auth=xoauth2 and cafile=…")
        public = f"?{match[6]}" if match[6] else ""
        shown = f"{scheme}://{user}@{host}" + (f":{match[4]}" if match[4] else "") + (match[5] or "") + public
        port = int(match[4] or _PORTS[scheme])
        secret = unquote(inside) if password is None else password
        return cls(shown, scheme, host.strip("[]"), port, unquote(user), unquote(match[5] or "").strip("/"), options, secret)  # type: ignore[arg-type]

    @contextmanager
    def session(self) -> Iterator[Any]:
        """A connection that is logged in. Raises `_ServerError` when the server refuses, or goes away meanwhile."""
        import ssl

        try:
            imapclient = import_module("imapclient")
        except ImportError:
            raise MissingExtra("IMAP needs a library: pip install 'persondata[imap]'") from None
        options, client = dict(self.options), None
        failed = (imapclient.exceptions.IMAPClientError, OSError, EOFError)
        try:
            context = ssl.create_default_context(cafile=options.get("cafile"))
        except OSError:
            raise SourceError(f"{self.shown}: the file of cafile= holds no certificates that can be read") from None
        try:
            client = imapclient.IMAPClient(
                self.host, self.port, use_uid=False, ssl=self.scheme == "imaps", ssl_context=context, timeout=_SECONDS
            )
            if self.scheme == "imap" and options.get("tls") != "off":
                if not client.has_capability("STARTTLS"):
                    raise _ServerError(Why.DENIED, "the server offers no encryption: tls=off sends the password readable")
                client.starttls(context)
            if options.get("auth") == "xoauth2":
                client.oauth2_login(self.user, self._secret)
            else:
                client.login(self.user, self._secret)
            yield client
        except failed as error:
            raise _explain(error) from None
        finally:
            if client is not None:
                with suppress(*failed):
                    client.logout()


def _explain(error: Exception) -> _ServerError:
    """Say what went wrong; the server's own words may quote a name or a mail."""
    import ssl

    kind = type(error).__name__
    if isinstance(error, ssl.SSLError):
        return _ServerError(Why.DENIED, "the server and this machine cannot agree on encryption")
    if kind == "LoginError":
        return _ServerError(Why.DENIED, "the server refused the login")
    if isinstance(error, TimeoutError):
        return _ServerError(Why.TIMED_OUT, "the server did not answer in time")
    if isinstance(error, OSError | EOFError) or "Abort" in kind or kind == "abort":
        return _ServerError(Why.CRASHED, "no server answers there, or it went away")
    return _ServerError(Why.DAMAGED, f"the server could not do it ({kind})")


class Mailboxes:
    """The mailboxes that a login may see, each an object and a unit, its mails records. No mail is marked as seen."""

    def __init__(self, address: Address, name: str, include: tuple[str, ...], exclude: tuple[str, ...], limits: Limits) -> None:
        self.name, self.url = name, address.shown
        self.include, self.exclude, self.limits = include, exclude, limits
        self.watch: Callable[[str], None] = _quiet
        self.skip: frozenset[str] = frozenset()
        self._address = address

    def units(self) -> Iterator[Unit | Problem]:
        """List the mailboxes by name, with `/` between the names of folders inside each other."""
        choice = Choice(self.include, self.exclude)
        try:
            with self._address.session() as client:
                sizes = client.has_capability("STATUS=SIZE")
                for object, raw in self._list(client):
                    if choice.takes(object):
                        yield self._unit(client, object, raw, sizes)
        except _ServerError as error:
            raise SourceError(f"{self.url}: {error.detail}") from None

    def read(self, unit: Unit) -> Iterator[Reading]:
        """Read the mails of one mailbox, as it is now, in their order."""
        if unit.object in self.skip:
            return
        self.watch(unit.object)
        opened = False
        texts = Texts(unit.object)
        try:
            with self._address.session() as client:
                count = int(client.select_folder(json.loads(unit.locator), readonly=True)[b"EXISTS"])
                yield Opened(unit.object, "mailbox", unit.size)
                opened = True
                yield from self._mails(client, count, unit.object, texts)
                yield from texts.rest()
        except _ServerError as error:
            yield from texts.rest() if opened else ()
            yield Problem(unit.object, error.why, error.detail)

    def _list(self, client: Any) -> list[tuple[str, str]]:
        """The mailboxes that hold mails, and their names on the server."""
        found: dict[str, str] = {}
        for flags, delimiter, raw in client.list_folders():
            split = delimiter.decode() if delimiter else ""
            object = str(raw).replace("/", "_").replace(split, "/") if split not in ("", "/") else str(raw)
            inside = not self._address.folder or f"{object}/".startswith(f"{self._address.folder}/")
            if inside and not _CLOSED.intersection(flag.lower() for flag in flags):
                found[object if object not in found else str(raw)] = str(raw)
        if self._address.folder and not found:
            raise SourceError(f"{self.url}: the login sees no such mailbox")
        return sorted(found.items())

    def _unit(self, client: Any, object: str, raw: str, sizes: bool) -> Unit | Problem:
        try:
            status = client.folder_status(raw, ["UIDVALIDITY", "UIDNEXT", "MESSAGES", *(["SIZE"] if sizes else [])])
        except client.Error as error:
            if isinstance(error, client.AbortError):
                raise
            return Problem(object, Why.DENIED, "the server does not let the login look into the mailbox")
        # A new mail raises UIDNEXT, a removed one lowers MESSAGES, and no mail ever changes. HIGHESTMODSEQ also counts flags.
        fingerprint = ":".join(str(status.get(key, "")) for key in (b"UIDVALIDITY", b"UIDNEXT", b"MESSAGES"))
        known = status.get(b"UIDVALIDITY") is not None and status.get(b"UIDNEXT") is not None
        return Unit(self.name, object, "mailbox", int(status.get(b"SIZE") or 0), fingerprint if known else "", "", json.dumps(raw))

    def _mails(self, client: Any, count: int, object: str, texts: Texts) -> Iterator[Reading]:
        """Fetch by sequence number: while nothing else is asked, a server may not move them (RFC 9051, 7.5.1)."""
        walk = walk_of(self.limits, self.watch, self.skip)
        walk.current = object
        box = Blob(object, BytesIO(), 0, skip=self.skip)
        longest = mail.longest(self.limits)
        for low in range(1, count + 1, _AT_ONCE):
            high = min(low + _AT_ONCE - 1, count)
            known = client.fetch(list(range(low, high + 1)), ["UID", "RFC822.SIZE"])
            for group in _groups(sorted(known), known):
                asked = f"BODY.PEEK[]<0.{longest}>"
                fetched = client.fetch(group, [asked])
                for number in group:
                    uid, size = known[number][b"UID"], known[number].get(b"RFC822.SIZE", 0)
                    raw = next((value for key, value in fetched.get(number, {}).items() if key.startswith(b"BODY[]")), None)
                    if raw is None:
                        yield Problem(object, Why.CHANGED, "the mail is gone", f"message={uid}")
                        continue
                    yield from mail.message(raw, size > len(raw) >= longest, uid, box, texts, walk)
                    yield from texts.full()
            for number in set(range(low, high + 1)).difference(known):
                yield Problem(object, Why.CHANGED, "the mail is gone", f"place {number}")


def _groups(numbers: list[int], known: Any) -> Iterator[list[int]]:
    """Mails that are fetched together."""
    group: list[int] = []
    size = 0
    for number in numbers:
        own = int(known[number].get(b"RFC822.SIZE", 0))
        if group and size + own > _TOGETHER:
            yield group
            group, size = [], 0
        group.append(number)
        size += own
    if group:
        yield group
