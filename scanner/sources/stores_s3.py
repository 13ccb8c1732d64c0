"""A bucket of S3, or of a store that speaks like it (MinIO, Ceph, R2), through boto3."""

from __future__ import annotations

from typing import Any

from scanner.errors import MissingExtra, SourceError
from scanner.model import Problem, Why
from scanner.sources.stores_place import (
    ARCHIVED,
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
    folder_of,
    http_problem,
    inside,
    itself,
)

_LOGIN_CODES = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "AuthorizationHeaderMalformed",
     "InvalidClientTokenId", "UnrecognizedClientException", "RequestTimeTooSkewed", "InvalidSecurity", "NotSignedUp"}
)  # fmt: skip
_AGAIN_CODES = frozenset({"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestTimeout", "InternalError"})
_PAGE = 1000
"""Keys on a page: S3 gives no more."""
_VERSIONS = "?versions"


class S3:
    """`s3://bucket/folder`; `s3://KEYID@bucket` takes the secret key as password, else boto3 looks for the login itself.

    AWS returns keys in the order of their UTF-8 bytes, but for directory buckets (ListObjectsV2, "General purpose bucket").
    """

    def __init__(self, url: str, password: str | None) -> None:
        self._address = Address.parse(url, password, ("endpoint", "region", "profile", "anonymous"))
        self.shown = self._address.shown
        self._bucket = self._address.host
        self._path = self._address.path
        self._prefix = folder_of(self._path)
        self._versioned: bool | None = False
        self._restores = True
        self._session: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_session": None}

    def single(self) -> Entry | None:
        """The object whose key is the whole path."""
        if not self._path or self._path.endswith("/"):
            return None
        try:
            return itself(self._path, *self.look(ITSELF))
        except Lost as lost:
            if lost.again or lost.detail == LOGIN:
                raise
            return None  # a folder, or one object that may not be looked at: the listing says more

    def page(self, token: str) -> tuple[list[Entry], str]:
        """A thousand keys; of a bucket that keeps versions, a thousand versions."""
        if not token:
            self._versioned = self._keeps_versions()
        entries, token = self._versions(token) if self._versioned else self._objects(token)
        if not entries and not token and self._prefix:
            raise Lost(Why.CHANGED, "nothing lies below that path")
        return entries, token

    def ordered(self) -> bool:
        """Not so for directory buckets (S3 Express)."""
        return not self._bucket.endswith("--x-s3")

    def hidden(self) -> list[Problem]:
        """Older versions that the login may not ask for."""
        if self._versioned is not None:
            return []
        return [Problem(_VERSIONS, Why.DENIED, "whether older versions are kept cannot be told: the login lacks s3:GetBucketVersioning")]

    def look(self, locator: str) -> tuple[int, str]:
        """One HEAD request."""
        head = self._call("head_object", Key=inside(self._path, locator))
        return int(head["ContentLength"]), _tag(head["ETag"])

    def fetch(self, locator: str, fingerprint: str, start: int, end: int) -> bytes:
        """One GET request, bound to the entity tag."""
        answer = self._call("get_object", Key=inside(self._path, locator), Range=f"bytes={start}-{end - 1}", IfMatch=f'"{fingerprint}"')
        try:
            with answer["Body"] as body:
                data: bytes = body.read()
        except Exception as error:
            raise _explain(error) from None
        return data

    def settle(self, locator: str, fingerprint: str) -> None:
        """Every answer was bound to the entity tag."""

    def reset(self) -> None:
        """Close the client."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _client(self) -> Any:
        if self._session is not None:
            return self._session
        try:
            import boto3
            from botocore import UNSIGNED
            from botocore.config import Config
        except ImportError:
            raise MissingExtra("S3 needs boto3: pip install 'persondata[s3]'") from None
        options, secret = self._address.options, self._address.secret
        config = Config(
            connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1},
            response_checksum_validation="when_required", signature_version=UNSIGNED if self._address.flag("anonymous") else None,
            user_agent_extra="persondata",
        )  # fmt: skip
        if bool(self._address.user) != bool(secret):
            raise SourceError(f"{self.shown}: a key id and its secret key belong together, as in s3://KEYID@bucket with a password")
        try:
            session = boto3.session.Session(
                aws_access_key_id=self._address.user or None, aws_secret_access_key=secret,
                region_name=options.get("region"), profile_name=options.get("profile"),
            )  # fmt: skip
            self._session = session.client("s3", endpoint_url=options.get("endpoint"), config=config)
        except Exception as error:
            raise _explain(error) from None
        return self._session

    def _call(self, name: str, **words: Any) -> Any:
        client = self._client()
        try:
            return getattr(client, name)(Bucket=self._bucket, **words)
        except Exception as error:
            raise _explain(error) from None

    def _keeps_versions(self) -> bool | None:
        """None when the login may not know. A store that has never heard of versions keeps none."""
        try:
            return "Status" in self._call("get_bucket_versioning")
        except Lost as lost:
            if lost.why is Why.DENIED and lost.detail == DENIED:
                return None
            if lost.why is Why.UNSUPPORTED:
                return False
            raise

    def _list(self, name: str, words: dict[str, str]) -> Any:
        """One page, with what was restored from an archive where the store can tell."""
        if self._restores:
            try:
                return self._call(name, Prefix=self._prefix, MaxKeys=_PAGE, OptionalObjectAttributes=["RestoreStatus"], **words)
            except Lost as lost:
                if lost.why is not Why.UNSUPPORTED:
                    raise
                self._restores = False
        return self._call(name, Prefix=self._prefix, MaxKeys=_PAGE, **words)

    def _objects(self, token: str) -> tuple[list[Entry], str]:
        answer = self._list("list_objects_v2", {"ContinuationToken": token} if token else {})
        return [self._entry(one) for one in answer.get("Contents", ())], answer.get("NextContinuationToken", "")

    def _versions(self, token: str) -> tuple[list[Entry], str]:
        key, _, version = token.partition("\0")
        words = {"KeyMarker": key} | ({"VersionIdMarker": version} if version else {}) if token else {}
        answer = self._list("list_object_versions", words)
        entries = [self._entry(one) for one in answer.get("Versions", ())]
        more = answer.get("NextKeyMarker", "") + "\0" + answer.get("NextVersionIdMarker", "") if answer.get("IsTruncated") else ""
        return entries, more

    def _entry(self, one: dict[str, Any]) -> Entry:
        kept = Entry(one["Key"][len(self._prefix) :], int(one["Size"]), _tag(one["ETag"]), older=not one.get("IsLatest", True))
        restored = "RestoreExpiryDate" in one.get("RestoreStatus", {})
        if one.get("StorageClass") in ("GLACIER", "DEEP_ARCHIVE") and not restored:
            return kept._replace(why=Why.DENIED, detail=ARCHIVED)
        return kept


def _tag(etag: str) -> str:
    return etag.strip('"')


def _explain(error: Exception) -> Lost:
    """Say what an error means by its code; the words of the store may name what it holds."""
    from botocore import exceptions as known

    if isinstance(error, known.ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        said = str(error.response.get("Error", {}).get("Message", ""))
        if code == "NoSuchBucket":
            return Lost(Why.DENIED, "there is no such bucket")
        if code in _LOGIN_CODES:
            return Lost(Why.DENIED, LOGIN)
        if code in _AGAIN_CODES:
            return Lost(Why.CRASHED, "the store asks to be asked less often", again=True)
        if code == "InvalidObjectState":
            return Lost(Why.DENIED, ARCHIVED)
        if code == "NoSuchKey":
            return Lost(Why.CHANGED, GONE)
        if "Server Side Encryption" in said:
            return Lost(Why.ENCRYPTED, "encrypted with a key that the store does not hold")
        if status in (400, 405, 501):
            return Lost(Why.UNSUPPORTED, f"the store cannot do it ({code if code.isalnum() else status})")
        return http_problem(status)
    if isinstance(error, known.ProfileNotFound):
        return Lost(Why.DENIED, "there is no such profile")
    if isinstance(
        error, (known.NoCredentialsError, known.PartialCredentialsError, known.CredentialRetrievalError, known.TokenRetrievalError)
    ):
        return Lost(Why.DENIED, "no login was found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
    if isinstance(error, (known.ParamValidationError, ValueError)):
        return Lost(Why.UNSUPPORTED, "the bucket, the endpoint or the region has no valid name")
    if isinstance(error, (known.BotoCoreError, OSError)) or type(error).__module__.startswith("urllib3"):
        return Lost(Why.CRASHED, AWAY, again=True)
    return Lost(Why.CRASHED, f"the driver could not go on ({type(error).__name__})")
