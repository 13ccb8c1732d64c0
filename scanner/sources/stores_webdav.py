"""A folder of a WebDAV server (Nextcloud, SharePoint, Apache), over HTTP."""

from __future__ import annotations

import re
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from scanner.errors import MissingExtra
from scanner.model import Why
from scanner.sources.stores_place import (
    AWAY,
    CONNECT_SECONDS,
    ITSELF,
    READ_SECONDS,
    Address,
    Entry,
    Lost,
    folder_of,
    http_problem,
    itself,
)

_ASKED = (
    b'<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>'
    b"<resourcetype/><getcontentlength/><getetag/><getlastmodified/></prop></propfind>"
)
_DAV = "{DAV:}"
_CHANGED = "written to since it was listed"
_PIECE = 2**20


class Webdav:
    """`webdavs://user@host/remote.php/dav/files/user/` over HTTPS, `webdav://` over plain HTTP (RFC 4918).

    Without a user a password is sent as a bearer token. A locator is the path that the server itself gave (`href`).
    """

    def __init__(self, url: str, password: str | None) -> None:
        self._address = Address.parse(url, password)
        self.shown = self._address.shown
        where = self._address
        safe = url.partition(":")[0].lower() in ("webdavs", "davs")
        host = f"[{where.host}]" if ":" in where.host else where.host
        self._origin = f"http{'s' if safe else ''}://{host}" + (f":{where.port}" if where.port else "")
        self._root = "/" + quote(where.path, safe="/~")
        self._client: Any = None
        self._copy: tuple[str, IO[bytes]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_client": None, "_copy": None}

    def single(self) -> Entry | None:
        """The file that the path names."""
        _, folder, size, mark = self._about(self._root)
        return None if folder else itself(unquote(self._root), size, mark)

    def folder(self, locator: str) -> list[Entry]:
        """The names in a folder, with what the server says of each."""
        path = locator or folder_of(self._root)
        entries = []
        for href, folder, size, mark in self._propfind(path, "1"):
            raw = href.rstrip("/").rpartition("/")[2]
            if _plain(href) == _plain(path):
                continue
            if not _plain(href).startswith(_plain(path) + "/") or not raw:
                raise Lost(Why.DAMAGED, "the server lists what does not lie in the folder")
            name = unquote(raw, errors="backslashreplace").replace("/", "%2F")
            entries.append(Entry(name + "/", locator=folder_of(href)) if folder else Entry(name, size, mark, locator=href))
        return entries

    def look(self, locator: str) -> tuple[int, str]:
        """One PROPFIND request."""
        _, _, size, mark = self._about(self._path(locator))
        return size, mark

    def fetch(self, locator: str, fingerprint: str, start: int, end: int) -> bytes:
        """One GET request of a range; from a server that knows no ranges, all of it once, kept aside."""
        if not start:
            self._forget()
        path, etag = self._path(locator), _strong(fingerprint)
        if not start and not etag and self.look(locator)[1] != fingerprint:
            raise Lost(Why.CHANGED, _CHANGED)
        if self._copy is not None and self._copy[0] == path:
            self._copy[1].seek(start)
            return self._copy[1].read(end - start)
        words = {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"}
        if etag:
            words["If-Match"] = etag
        httpx, client = self._connected()
        try:
            with client.stream("GET", self._origin + path, headers=words) as answer:
                if answer.status_code not in (200, 206):
                    raise http_problem(answer.status_code)
                if etag and answer.headers.get("etag", etag) != etag:
                    raise Lost(Why.CHANGED, _CHANGED)
                if answer.status_code == 206:
                    return b"".join(answer.iter_raw())
                copy = TemporaryFile()  # noqa: SIM115 - kept for the ranges to come
                self._copy = (path, copy)
                for piece in answer.iter_raw(_PIECE):
                    copy.write(piece)
        except httpx.HTTPError as error:
            self._forget()
            raise _explain(error) from None
        copy.seek(start)
        return copy.read(end - start)

    def settle(self, locator: str, fingerprint: str) -> None:
        """Ask once more where answers were not bound to an entity tag."""
        self._forget()
        if not _strong(fingerprint) and self.look(locator)[1] != fingerprint:
            raise Lost(Why.CHANGED, _CHANGED)

    def reset(self) -> None:
        """Close the connections."""
        self._forget()
        if self._client is not None:
            self._client.close()
            self._client = None

    def _forget(self) -> None:
        if self._copy is not None:
            copy, self._copy = self._copy[1], None
            copy.close()

    def _path(self, locator: str) -> str:
        return self._root if locator == ITSELF else locator

    def _about(self, path: str) -> tuple[str, bool, int, str]:
        found = self._propfind(path, "0")
        if len(found) != 1:
            raise Lost(Why.DAMAGED, "the server's answer cannot be understood")
        return found[0]

    def _propfind(self, path: str, depth: str) -> list[tuple[str, bool, int, str]]:
        """Path, whether it is a folder, size in bytes and fingerprint of what the server lists."""
        httpx, client = self._connected()
        words = {"Depth": depth, "Content-Type": "application/xml"}
        try:
            answer = client.request("PROPFIND", self._origin + path, headers=words, content=_ASKED, follow_redirects=True)
        except httpx.HTTPError as error:
            raise _explain(error) from None
        if answer.status_code in (200, 405, 501):
            raise Lost(Why.UNSUPPORTED, "no WebDAV server answers there")
        if answer.status_code != 207:
            raise http_problem(answer.status_code)
        return _parsed(answer.content, path)

    def _connected(self) -> tuple[Any, Any]:
        try:
            import httpx
        except ImportError:
            raise MissingExtra("WebDAV needs httpx: pip install 'persondata[webdav]'") from None
        if self._client is None:
            user, secret = self._address.user, self._address.secret
            login = {"Authorization": f"Bearer {secret}"} if secret and not user else {}
            self._client = httpx.Client(
                auth=httpx.BasicAuth(user, secret or "") if user else None, headers={"User-Agent": "persondata", **login},
                timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            )  # fmt: skip
        return httpx, self._client


def _parsed(content: bytes, path: str) -> list[tuple[str, bool, int, str]]:
    from lxml import etree

    try:
        tree = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    except etree.XMLSyntaxError:
        raise Lost(Why.DAMAGED, "the server's answer cannot be understood") from None
    found = []
    for response in tree.iterfind(f"{_DAV}response"):
        href = urlsplit(urljoin(path, response.findtext(f"{_DAV}href", "").strip())).path
        props = [one.find(f"{_DAV}prop") for one in response.iterfind(f"{_DAV}propstat") if " 200" in one.findtext(f"{_DAV}status", "")]
        said = {prop.tag.removeprefix(_DAV): prop for group in props if group is not None for prop in group if isinstance(prop.tag, str)}
        texts = {name: (prop.text or "").strip() for name, prop in said.items()}
        folder = "resourcetype" in said and said["resourcetype"].find(f"{_DAV}collection") is not None
        length = texts.get("getcontentlength", "")
        size = int(length) if length.isdecimal() else 0
        mark = texts.get("getetag") or f"{size}:{texts.get('getlastmodified', '')}"
        found.append((href, folder, size, mark.replace(" ", "_")))
    return found


def _plain(path: str) -> str:
    """A path without the ways in which two servers may write the same one."""
    return unquote(path, errors="surrogateescape").rstrip("/")


def _strong(fingerprint: str) -> str:
    """An entity tag that answers can be bound to (RFC 9110, 8.8.3), "" for what is none."""
    return fingerprint if re.fullmatch(r'"[!\x23-\x7e]+"', fingerprint) else ""


def _explain(error: Exception) -> Lost:
    said = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return Lost(Why.DENIED, "the server's certificate is not trusted: set SSL_CERT_FILE to that of your own authority")
    with suppress(ImportError):
        import httpx

        if isinstance(error, httpx.UnsupportedProtocol | httpx.TooManyRedirects | httpx.DecodingError):
            return Lost(Why.DAMAGED, f"the server's answer cannot be understood ({type(error).__name__})")
    return Lost(Why.CRASHED, AWAY, again=True)
