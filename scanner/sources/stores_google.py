"""A bucket of Google Cloud Storage, through Google's own library."""

from __future__ import annotations

import json
from typing import Any

from scanner.errors import MissingExtra
from scanner.model import Problem, Why
from scanner.sources.stores_place import (
    AWAY,
    CONNECT_SECONDS,
    GONE,
    ITSELF,
    LOGIN,
    READ_SECONDS,
    Address,
    Entry,
    Lost,
    folder_of,
    http_problem,
    inside,
    itself,
)

_TIMEOUT = (CONNECT_SECONDS, READ_SECONDS)
_FIELDS = "nextPageToken,items(name,size,generation,timeDeleted,storageClass)"


class Google:
    """`gs://bucket/folder`. The password is the JSON key of a service account; without one Google's library looks for the login.

    Objects come in the order of their UTF-8 bytes (Objects: list). A generation is one state of an object's bytes.
    """

    def __init__(self, url: str, password: str | None) -> None:
        self._address = Address.parse(url, password, ("endpoint", "anonymous"))
        self.shown = self._address.shown
        self._path = self._address.path
        self._client: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_client": None}

    def single(self) -> Entry | None:
        """The object whose name is the whole path."""
        if not self._path or self._path.endswith("/"):
            return None
        try:
            return itself(self._path, *self.look(ITSELF))
        except Lost as lost:
            if lost.again or lost.detail == LOGIN:
                raise
            return None  # a folder, or one object that may not be looked at: the listing says more

    def page(self, token: str) -> tuple[list[Entry], str]:
        """A thousand objects, with the versions that the bucket keeps."""
        prefix = folder_of(self._path)

        def listed(client: Any) -> tuple[list[Any], str]:
            found = client.list_blobs(
                self._address.host, prefix=prefix or None, versions=True, page_token=token or None, page_size=1000,
                fields=_FIELDS, timeout=_TIMEOUT, retry=None,
            )  # fmt: skip
            page = next(found.pages, ())
            return list(page), found.next_page_token or ""

        try:
            blobs, after = self._call(listed)
        except Lost as lost:
            raise Lost(Why.DENIED, "there is no such bucket") if lost.detail == GONE else lost from None
        if not blobs and not token and not after and prefix:
            raise Lost(Why.CHANGED, "nothing lies below that path")
        return [_entry(blob, len(prefix)) for blob in blobs], after

    def ordered(self) -> bool:
        """Always."""
        return True

    def hidden(self) -> list[Problem]:
        """Objects that were deleted and that the bucket still keeps for some days."""

        def first(client: Any) -> bool:
            found = client.list_blobs(
                self._address.host, prefix=folder_of(self._path) or None, soft_deleted=True, max_results=1, timeout=_TIMEOUT, retry=None
            )
            return next(iter(found), None) is not None

        try:
            kept = self._call(first)
        except Lost as lost:
            if lost.again:
                raise
            kept = False  # the bucket keeps nothing, or the login may not restore: nothing could be read either way
        return [Problem("?deleted", Why.UNSUPPORTED, "deleted objects that the bucket still keeps for some days; not read")] if kept else []

    def look(self, locator: str) -> tuple[int, str]:
        """One request for what the store says of the object."""

        def looked(client: Any) -> tuple[int, str]:
            blob = client.bucket(self._address.host).blob(inside(self._path, locator))
            blob.reload(timeout=_TIMEOUT, retry=None)
            return int(blob.size), str(blob.generation)

        size, generation = self._call(looked)
        return size, generation

    def fetch(self, locator: str, fingerprint: str, start: int, end: int) -> bytes:
        """One GET request for the bytes as they are stored, bound to the generation."""

        def got(client: Any) -> bytes:
            blob = client.bucket(self._address.host).blob(inside(self._path, locator))
            data: bytes = blob.download_as_bytes(
                start=start,
                end=end - 1,
                if_generation_match=int(fingerprint),
                raw_download=True,
                checksum=None,
                timeout=_TIMEOUT,
                retry=None,
            )
            if blob.generation and str(blob.generation) != fingerprint:
                raise Lost(Why.CHANGED, "written to since it was listed")
            return data

        return bytes(self._call(got))

    def settle(self, locator: str, fingerprint: str) -> None:
        """Every answer was bound to the generation."""

    def reset(self) -> None:
        """Close the client."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> Any:
        if self._client is not None:
            return self._client
        try:
            from google.auth import credentials
            from google.cloud import storage
            from google.oauth2 import service_account
        except ImportError:
            raise MissingExtra("Google Cloud Storage needs its library: pip install 'persondata[gcs]'") from None
        login: Any = None
        if self._address.flag("anonymous"):
            anonymous: Any = credentials.AnonymousCredentials
            login = anonymous()
        elif self._address.secret:
            scope = "https://www.googleapis.com/auth/devstorage.read_only"
            made: Any = service_account.Credentials
            login = made.from_service_account_info(json.loads(self._address.secret), scopes=[scope])
        options = {"api_endpoint": self._address.options["endpoint"]} if "endpoint" in self._address.options else None
        self._client = storage.Client(project=None, credentials=login, client_options=options)
        return self._client

    def _call(self, ask: Any) -> Any:
        try:
            return ask(self._connected())
        except (Lost, MissingExtra):
            raise
        except Exception as error:
            raise _explain(error) from None


def _entry(blob: Any, cut: int) -> Entry:
    return Entry(blob.name[cut:], int(blob.size or 0), str(blob.generation), older=blob.time_deleted is not None)


def _explain(error: Exception) -> Lost:
    """Say what an error means by its code; the words of the store may name what it holds."""
    import requests
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth import exceptions as login

    if isinstance(error, GoogleAPICallError):
        said = str(error)
        if error.code == 404:
            return Lost(Why.CHANGED, GONE)
        if error.code == 400:
            if "encrypt" in said.lower():
                return Lost(Why.ENCRYPTED, "encrypted with a key that the store does not hold")
            return Lost(Why.UNSUPPORTED, "the store cannot do it (status 400)")
        return http_problem(error.code)
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return Lost(Why.DAMAGED, "the server's answer cannot be understood")
    if isinstance(error, login.TransportError | requests.RequestException):
        return Lost(Why.CRASHED, AWAY, again=True)
    if isinstance(error, login.DefaultCredentialsError) and not isinstance(error, login.MalformedError):
        return Lost(
            Why.DENIED, "no login was found: set GOOGLE_APPLICATION_CREDENTIALS, or log in with gcloud auth application-default login"
        )
    if isinstance(error, login.GoogleAuthError):
        return Lost(Why.DENIED, LOGIN)
    if isinstance(error, OSError):
        return Lost(Why.CRASHED, AWAY, again=True)
    if isinstance(error, ValueError):
        return Lost(Why.DENIED, f"{LOGIN}: the key is not that of a service account, or the bucket has no valid name")
    return Lost(Why.CRASHED, f"the driver could not go on ({type(error).__name__})")
