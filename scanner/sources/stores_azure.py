"""A container of Azure Blob Storage, through Microsoft's own library."""

from __future__ import annotations

import os
import re
from typing import Any

from scanner.errors import MissingExtra, SourceError
from scanner.model import Problem, Why
from scanner.sources.stores_place import (
    ARCHIVED,
    AWAY,
    CONNECT_SECONDS,
    GONE,
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

_EVERYTHING = ["metadata", "snapshots", "versions", "deleted"]
_LOGIN_CODES = frozenset({"AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation", "AccountIsDisabled"})


class Azure:
    """`az://container/folder`, `abfs://container@account.dfs.core.windows.net/folder`.

    The password is an account key or a SAS token. Without one: `AZURE_STORAGE_CONNECTION_STRING`, `AZURE_STORAGE_KEY`,
    `AZURE_STORAGE_SAS_TOKEN`, else what azure-identity finds. The account of `az://` is in `AZURE_STORAGE_ACCOUNT`.
    Blobs come in lexicographical order (List Blobs), but not from accounts with folders of their own (hierarchical namespace).
    """

    def __init__(self, url: str, password: str | None) -> None:
        self._address = Address.parse(url, password, ("endpoint", "anonymous"))
        self.shown = self._address.shown
        user, host = self._address.user, self._address.host
        self._container, self._account = (user, host) if user else (host, "")
        self._path = self._address.path
        self._everything = True
        self._client: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_client": None}

    def single(self) -> Entry | None:
        """The blob whose name is the whole path."""
        if not self._path or self._path.endswith("/"):
            return None
        try:
            found = self._call(lambda client: client.get_blob_client(self._path).get_blob_properties())
        except Lost as lost:
            if lost.again or lost.detail == LOGIN:
                raise
            return None  # a folder, or one blob that may not be looked at: the listing says more
        return None if _is_folder(found) else itself(self._path, found.size, _tag(found))

    def page(self, token: str) -> tuple[list[Entry], str]:
        """At most 5,000 blobs, with their snapshots, versions and deleted copies where the login may see them."""
        prefix = folder_of(self._path)

        def listed(client: Any) -> tuple[list[Any], str]:
            include = _EVERYTHING if self._everything else ["metadata"]
            pages = client.list_blobs(name_starts_with=prefix or None, include=include).by_page(continuation_token=token or None)
            return list(next(pages)), pages.continuation_token or ""

        try:
            blobs, after = self._call(listed)
        except Lost as lost:
            if token or not self._everything or lost.again or lost.why not in (Why.DENIED, Why.UNSUPPORTED):
                raise
            self._everything = False
            blobs, after = self._call(listed)
        if not blobs and not token and not after and prefix:
            raise Lost(Why.CHANGED, "nothing lies below that path")
        return [_entry(blob, len(prefix)) for blob in blobs if not _is_folder(blob)], after

    def ordered(self) -> bool:
        """Not so where folders are real, or where the login may not ask."""
        try:
            return self._call(lambda client: client.get_account_information()).get("is_hns_enabled") is False
        except Lost:
            return False

    def hidden(self) -> list[Problem]:
        """Older versions that the login may not ask for."""
        if self._everything:
            return []
        return [Problem("?versions", Why.DENIED, "whether older versions are kept cannot be told: the login may not list them")]

    def look(self, locator: str) -> tuple[int, str]:
        """One HEAD request."""
        found = self._call(lambda client: client.get_blob_client(inside(self._path, locator)).get_blob_properties())
        return found.size, _tag(found)

    def fetch(self, locator: str, fingerprint: str, start: int, end: int) -> bytes:
        """One GET request, bound to the entity tag."""

        def got(client: Any) -> bytes:
            from azure.core import MatchConditions

            blob = client.get_blob_client(inside(self._path, locator))
            answer = blob.download_blob(
                start, end - start, etag=f'"{fingerprint}"', match_condition=MatchConditions.IfNotModified, decompress=False
            )
            data: bytes = answer.readall()
            return data

        return bytes(self._call(got))

    def settle(self, locator: str, fingerprint: str) -> None:
        """Every answer was bound to the entity tag."""

    def reset(self) -> None:
        """Close the client."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> Any:
        if self._client is not None:
            return self._client
        try:
            from azure.storage.blob import ContainerClient
        except ImportError:
            raise MissingExtra("Azure Blob Storage needs its library: pip install 'persondata[azure]'") from None
        words: dict[str, Any] = {
            "retry_total": 0,
            "connection_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "user_agent": "persondata",
        }
        given = os.environ.get("AZURE_STORAGE_CONNECTION_STRING")
        if given and not self._account and not self._address.secret and "endpoint" not in self._address.options:
            self._client = ContainerClient.from_connection_string(given, self._container, **words)
        else:
            self._client = ContainerClient(self._endpoint(), self._container, credential=self._login(), **words)
        return self._client

    def _endpoint(self) -> str:
        if endpoint := self._address.options.get("endpoint") or os.environ.get("AZURE_STORAGE_BLOB_ENDPOINT"):
            return endpoint
        account = self._account or os.environ.get("AZURE_STORAGE_ACCOUNT") or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME") or ""
        if not account:
            raise SourceError(f"{self.shown}: names no account: set AZURE_STORAGE_ACCOUNT, or write abfs://CONTAINER@ACCOUNT/FOLDER")
        host = account.replace(".dfs.", ".blob.") if "." in account else f"{account}.blob.core.windows.net"
        return f"https://{host}"

    def _login(self) -> Any:
        if self._address.flag("anonymous"):
            return None
        names = ("AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN")
        secret = self._address.secret or next((os.environ[name] for name in names if os.environ.get(name)), None)
        if secret and re.search(r"(^|[?&])sig=", secret):
            from azure.core.credentials import AzureSasCredential

            return AzureSasCredential(secret.removeprefix("?"))
        if secret:
            from azure.core.credentials import AzureNamedKeyCredential

            return AzureNamedKeyCredential(self._named(), secret)
        try:
            from azure.identity import DefaultAzureCredential
        except ImportError:
            raise MissingExtra("a login to Azure without a key needs azure-identity: pip install 'persondata[azure]'") from None
        return DefaultAzureCredential()

    def _named(self) -> str:
        """The account's name: the path of an emulator's address, else the first part of the host."""
        match = re.fullmatch(r"https?://([^/.]+)[^/]*(?:/([^/]+))?/?", self._endpoint())
        return (match[2] or match[1]) if match else self._account

    def _call(self, ask: Any) -> Any:
        client = self._connected()
        try:
            return ask(client)
        except StopIteration:
            return [], ""
        except Exception as error:
            raise _explain(error) from None


def _entry(blob: Any, cut: int) -> Entry:
    older = bool(blob.snapshot or blob.deleted or (blob.version_id and blob.is_current_version is not True))
    entry = Entry(blob.name[cut:], blob.size, _tag(blob), older=older)
    return entry._replace(why=Why.DENIED, detail=ARCHIVED) if blob.blob_tier == "Archive" else entry


def _tag(blob: Any) -> str:
    return str(blob.etag).strip('"')


def _is_folder(blob: Any) -> bool:
    return str((blob.metadata or {}).get("hdi_isfolder", "")).lower() == "true"


def _explain(error: Exception) -> Lost:
    """Say what an error means by its code; the words of the store may name what it holds."""
    from azure.core import exceptions as known

    if isinstance(error, known.HttpResponseError) and error.status_code is not None:
        code = str(getattr(error, "error_code", None) or "")
        status = error.status_code
        if code == "ContainerNotFound":
            return Lost(Why.DENIED, "there is no such container")
        if code in _LOGIN_CODES:
            return Lost(Why.DENIED, LOGIN)
        if code in ("BlobArchived", "BlobBeingRehydrated"):
            return Lost(Why.DENIED, ARCHIVED)
        if code == "BlobUsesCustomerSpecifiedEncryption":
            return Lost(Why.ENCRYPTED, "encrypted with a key that the store does not hold")
        if status == 404:
            return Lost(Why.CHANGED, GONE)
        if status in (400, 405, 409, 501):
            return Lost(Why.UNSUPPORTED, f"the store cannot do it ({code if code.isalnum() else status})")
        return http_problem(status)
    if isinstance(error, known.ClientAuthenticationError):
        return Lost(Why.DENIED, "no login was found: set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or log in with az login")
    if isinstance(error, (known.AzureError, OSError)):
        return Lost(Why.CRASHED, AWAY, again=True)
    if isinstance(error, ValueError):
        return Lost(Why.DENIED, f"{LOGIN}: the key or the address has no valid form")
    return Lost(Why.CRASHED, f"the driver could not go on ({type(error).__name__})")
