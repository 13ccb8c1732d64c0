"""Buckets and shares: real servers, which keep the contract, refuse, go away, come back, and are read by ranges."""

from __future__ import annotations

import getpass
import io
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scanner.contract import SourceContract, problems, texts
from scanner.errors import MissingExtra, SourceError
from scanner.model import Problem, Source, TextBatch, Unit, Why
from scanner.sources import open_source, stores, stores_s3, stores_stream
from scanner.sources.stores_place import Address, Entry
from scanner.sources.stores_stream import Ranged

pytestmark = pytest.mark.slow  # real servers and many seeds: not all the time


SECRET = SourceContract.secret
CPR = "070761-4285"


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def archive(size: int = 60_000) -> bytes:
    """A large archive with one small letter in it, of which a reader needs little."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zip:
        zip.writestr("program", b"\x7fELF" + noise(size))
        zip.writestr("brev.txt", f"Kære Birgit Holm\nDit CPR-nummer er {CPR}.\n")
        zip.writestr("andet", b"\x7fELF" + noise(4 * size))
    return made.getvalue()


def table() -> bytes:
    made = io.BytesIO()
    pq.write_table(
        pa.table({"navn": [f"Person {n}" for n in range(60_000)]}), made, compression="none", use_dictionary=False, row_group_size=4000
    )
    return made.getvalue()


LONG = "".join(f"linje {n}: intet at se her, blot en lang tekst\n" for n in range(6000)).encode()
FILES: dict[str, bytes] = {
    "a/x.txt": b"hej\n", "a.txt": b"navn\nBirgit\n", "a-1": b"et\n", "a b/\xc3\xa6\xc3\xb8\xc3\xa5.txt".encode("latin-1").decode(): b"ni\n",
    "b/dyb/nede.csv": "navn,by\nBirgit,Århus\n".encode(), "100% +1.txt": b"ti\n", "tom.txt": b"", "arkiv.zip": archive(),
    "stor.txt": LONG, "\U0001d49c.txt": b"sidst\n", "\uffee.txt": b"naest sidst\n",
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small blocks, so that small files are read in many; short waits."""
    monkeypatch.setattr(stores, "WAITS", (0.05, 0.1))
    monkeypatch.setattr(stores, "WHOLE", 2**14)
    monkeypatch.setattr(stores, "BLOCK", 2**12)
    monkeypatch.setattr(stores_stream, "BLOCK", 2**12)
    monkeypatch.setattr(stores_stream, "WINDOW", 2**15)
    monkeypatch.setattr(stores_stream, "KEPT", 2**18)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AZURE_STORAGE_CONNECTION_STRING", "SSH_AUTH_SOCK"):
        monkeypatch.delenv(name, raising=False)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


def wait_for(port: int, up: bool = True) -> None:
    for _ in range(200):
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
            if up:
                return
            time.sleep(0.05)
            continue
        if not up:
            return
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def units(source: Source) -> dict[str, Unit]:
    return {unit.object: unit for unit in source.units() if isinstance(unit, Unit)}


def said(source: Source, unit: Unit) -> list[Why]:
    return [reading.why for reading in source.read(unit) if isinstance(reading, Problem)]


class Fetched:
    """Counts what a source fetches."""

    def __init__(self, source: Any) -> None:
        self.ranges: list[tuple[int, int]] = []
        self._fetch = source._store.fetch
        source._store.fetch = self

    def __call__(self, locator: str, fingerprint: str, start: int, end: int) -> bytes:
        self.ranges.append((start, end))
        return bytes(self._fetch(locator, fingerprint, start, end))

    @property
    def bytes(self) -> int:
        return sum(end - start for start, end in self.ranges)


class Server:
    """A server that is filled, written to, stopped and started; `url` names the place with the files."""

    url = ""
    files = FILES

    def put(self, name: str, data: bytes) -> None: ...
    def delete(self, name: str) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def state(self) -> object: ...

    def single(self, name: str) -> str:
        return f"{self.url.rstrip('/')}/{quote(name)}"


class StoreContract(SourceContract):
    """What every file store promises besides."""

    @pytest.fixture
    def server(self) -> Server:
        raise NotImplementedError

    @pytest.fixture
    def source(self, server: Server) -> Source:
        return open_source(server.url)

    @pytest.fixture
    def footprint(self, server: Server) -> Callable[[], object]:
        return server.state

    def test_every_file_is_listed_in_order_and_read(self, source: Source, server: Server) -> None:
        assert list(units(source)) == sorted(server.files)
        found = texts(source)
        assert found["b/dyb/nede.csv", "row=2", "by"] == ["Århus"]
        assert any(object == "arkiv.zip!brev.txt" and CPR in str(text) for (object, _, _), text in found.items())
        assert {object for object, _, _ in found} >= {"100% +1.txt", "a b/æøå.txt", "\U0001d49c.txt"}
        assert {problem.object for problem in problems(source)} == {"arkiv.zip!program", "arkiv.zip!andet"}

    def test_one_file_is_its_own_object(self, server: Server) -> None:
        source = open_source(server.single("b/dyb/nede.csv"))
        assert list(units(source)) == ["nede.csv"]
        assert texts(source)["nede.csv", "row=2", "by"] == ["Århus"]
        with pytest.raises(SourceError) as raised:
            list(open_source(server.single("findes-ikke")).units())
        assert "\n" not in str(raised.value)

    def test_patterns_choose_objects(self, server: Server) -> None:
        source = open_source(server.url, include=["*.txt"], exclude=["a b", "[￮𝒜]*", "100*"])
        assert list(units(source)) == ["a.txt", "a/x.txt", "stor.txt", "tom.txt"]

    def test_only_what_is_needed_is_fetched_and_long_texts_in_growing_blocks(self, source: Source, server: Server) -> None:
        server.put("tal.parquet", table())
        listed = units(source)
        fetched = Fetched(source)
        reading = source.read(listed["tal.parquet"])
        next(reading), next(reading)
        reading.close()  # type: ignore[attr-defined]
        server.delete("tal.parquet")
        assert fetched.bytes < len(table()) // 2
        fetched.ranges.clear()
        text = [batch for batch in source.read(listed["stor.txt"]) if isinstance(batch, TextBatch)]
        assert text
        assert fetched.bytes <= len(LONG) + 2**13
        assert len(fetched.ranges) < 20

    def test_changes_after_the_listing_and_meanwhile_are_recorded(self, source: Source, server: Server) -> None:
        before = units(source)
        server.put("a.txt", b"navn\nBirgit og Jens\n")
        server.delete("a-1")
        try:
            found = list(source.read(before["a.txt"]))
            assert any(isinstance(one, TextBatch) and "Birgit og Jens" in str(one.texts.to_pylist()) for one in found)
            assert isinstance(found[-1], Problem)
            assert found[-1].why is Why.CHANGED
            assert said(source, before["a-1"]) == [Why.CHANGED]
            assert units(source)["a.txt"].fingerprint != before["a.txt"].fingerprint
            assert units(source)["a/x.txt"] == before["a/x.txt"]
            reading = source.read(before["arkiv.zip"])
            next(reading), next(reading)
            server.put("arkiv.zip", server.files["arkiv.zip"] + b"mere")
            assert [one.why for one in reading if isinstance(one, Problem)][-1] == Why.CHANGED
        finally:
            for name in ("a.txt", "a-1", "arkiv.zip"):
                server.put(name, server.files[name])

    def test_a_server_that_goes_away_and_comes_back(self, source: Source, server: Server) -> None:
        before = units(source)
        reading = source.read(before["arkiv.zip"])
        next(reading), next(reading)
        server.stop()
        try:
            assert [(one.object, one.why) for one in reading if isinstance(one, Problem)][-1] == ("arkiv.zip", Why.CRASHED)
            began = time.monotonic()
            assert said(source, before["a.txt"]) == [Why.CRASHED]
            with pytest.raises(SourceError, match="does not answer"):
                list(open_source(server.url).units())
            assert time.monotonic() - began < 10
        finally:
            server.start()
        assert said(source, before["a.txt"]) == []
        assert units(source) == before


# --- S3 ------------------------------------------------------------------------------------------------------------


class Moto(Server):
    """S3 as moto speaks it; what it holds outlives its port."""

    url = "s3://firma/arkiv/2024"

    def __init__(self) -> None:
        import boto3

        self.port = free_port()
        self.start()
        login = {"aws_access_key_id": "x", "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
        self.client: Any = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{self.port}", **login)
        self.client.create_bucket(Bucket="firma")
        for name, data in self.files.items():
            self.put(name, data)
        self.client.put_object(Bucket="firma", Key="arkiv/2024/", Body=b"")
        self.client.put_object(Bucket="firma", Key="arkiv/2024-gammel.txt", Body=b"uden for")

    def put(self, name: str, data: bytes) -> None:
        self.client.put_object(Bucket="firma", Key=f"arkiv/2024/{name}", Body=data)

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket="firma", Key=f"arkiv/2024/{name}")

    def start(self) -> None:
        from moto.server import ThreadedMotoServer

        self.running = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self.running.start()

    def stop(self) -> None:
        self.running.stop()

    def state(self) -> object:
        return [(one["Key"], one["ETag"], one["LastModified"]) for one in self.client.list_objects_v2(Bucket="firma")["Contents"]]


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    server = Moto()
    yield server
    server.client.close()
    server.stop()


class TestS3(StoreContract):
    @pytest.fixture
    def server(self, moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{moto.port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        return moto

    def test_a_zip_in_a_bucket_is_not_fetched_whole_for_its_list(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        server.put("stor.zip", archive(400_000))
        try:
            source = open_source(server.url, include=["stor.zip"])
            unit = units(source)["stor.zip"]
            fetched = Fetched(source)
            source.skip = frozenset({"stor.zip!program", "stor.zip!andet"})  # type: ignore[attr-defined]
            found = [str(one.texts.to_pylist()) for one in source.read(unit) if isinstance(one, TextBatch)]
            assert any(CPR in text for text in found)
            assert fetched.bytes < 300_000 < unit.size
        finally:
            server.delete("stor.zip")

    def test_older_versions_and_archived_objects_are_recorded(self, server: Any) -> None:
        client = server.client
        client.create_bucket(Bucket="gamle")
        client.put_bucket_versioning(Bucket="gamle", VersioningConfiguration={"Status": "Enabled"})
        for n in range(3):
            client.put_object(Bucket="gamle", Key="brev.txt", Body=b"version %d" % n)
        for key in ("slettet.txt", "slettet.txt", "a.txt"):
            client.put_object(Bucket="gamle", Key=key, Body=b"x")
        client.delete_object(Bucket="gamle", Key="slettet.txt")
        client.put_object(Bucket="gamle", Key="is.txt", Body=b"koldt", StorageClass="GLACIER")
        source = open_source("s3://gamle")
        assert [entry.object for entry in source.units()] == ["a.txt", "brev.txt", "is.txt", "slettet.txt"]
        assert {(one.object, one.field, one.why, one.detail) for one in problems(source)} == {
            ("brev.txt", "versions", Why.UNSUPPORTED, "2 older versions kept by the store; not read"),
            ("slettet.txt", "", Why.UNSUPPORTED, "deleted, but 2 older versions kept by the store; not read"),
            ("is.txt", "", Why.DENIED, "archived: it must be restored before it can be read"),
        }
        assert texts(source)["brev.txt", "1", ""] == ["version 2"]
        cold = Unit("", "is.txt", "file", 5, client.head_object(Bucket="gamle", Key="is.txt")["ETag"].strip('"'))
        assert said(source, cold) == [Why.DENIED]

    def test_many_pages_and_many_versions_are_listed_once_and_in_order(self, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        client = server.client
        client.create_bucket(Bucket="mange")
        monkeypatch.setattr(stores_s3, "_PAGE", 25)
        names = sorted(f"{n % 7}/{n:04}" for n in range(120))
        for name in names:
            client.put_object(Bucket="mange", Key=name, Body=b"x")
        assert list(units(open_source("s3://mange"))) == names
        client.put_bucket_versioning(Bucket="mange", VersioningConfiguration={"Status": "Enabled"})
        client.put_object(Bucket="mange", Key=names[77], Body=b"y")
        listed = units(open_source("s3://mange"))
        assert list(listed) == names
        assert [name for name, unit in listed.items() if unit.fingerprint.endswith(" 1")] == [names[77]]

    def test_what_may_not_be_read_is_denied(self, server: Any) -> None:
        policy = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::firma/arkiv/2024/a.txt"}]}  # fmt: skip
        server.client.put_bucket_policy(Bucket="firma", Policy=json.dumps(policy))
        try:
            assert ("a.txt", Why.DENIED) in {(one.object, one.why) for one in problems(open_source(server.url))}
        finally:
            server.client.delete_bucket_policy(Bucket="firma")

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("s3://findes-ikke", "there is no such bucket"),
            ("s3://firma/arkiv/findes-ikke/", "nothing lies below that path"),
            ("s3://firma?endpoint=http://127.0.0.1:1", "does not answer"),
            ("s3://firma?profile=findes-ikke", "no such profile"),
            ("s3://firma?sig=hemmeligt-ord", "parameter sig, which is not one of"),
            ("s3://NOEGLE@firma", "belong together"),
            ("s3://A_b/", "no such bucket"),
        ],
    )
    def test_what_cannot_be_opened_is_said_in_one_line(self, server: Server, url: str, words: str) -> None:
        with pytest.raises(SourceError, match=words) as raised:
            list(open_source(url).units())
        assert "\n" not in str(raised.value)
        assert SECRET not in str(raised.value)

    def test_a_key_in_the_url_or_as_password_logs_in_and_is_not_told(self, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with pytest.raises(SourceError, match="no login was found"):
            list(open_source("s3://firma").units())
        for source in (open_source(f"s3://NOEGLE:{SECRET}@firma"), open_source("s3://NOEGLE@firma", password=SECRET)):
            assert units(source)
            assert source.url == "s3://NOEGLE@firma"
            assert SECRET not in repr([source, vars(source), vars(vars(source)["_store"])])

    def test_a_wrong_key_is_refused(self, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        import httpx

        httpx.post(f"http://127.0.0.1:{server.port}/moto-api/reset-auth", content="0")
        try:
            with pytest.raises(SourceError, match="the store refused the login"):
                list(open_source(server.url).units())
        finally:
            httpx.post(f"http://127.0.0.1:{server.port}/moto-api/reset-auth", content="inf")

    def test_a_scan_reads_what_is_new_and_finds_the_number_in_the_zip(self, server: Any, cli: Any) -> None:
        first = json.loads(cli("scan", server.url, "--prose", "off", "--format", "json", expect=3).stdout)
        assert first["objects"]["failed"] == 0
        again = json.loads(cli("scan", server.url, "--prose", "off", "--format", "json", expect=3).stdout)
        assert again["objects"]["unchanged"] == sum(first["objects"].values())
        rows = json.loads(cli("inventory", "--format", "json").stdout)
        assert any(row["object"] == "arkiv.zip!brev.txt" and row["entity"] == "DK_CPR" for row in rows.get("rows", rows))


# --- Azure ---------------------------------------------------------------------------------------------------------

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""What Azurite is known to accept, everywhere."""


class Program(Server):
    """A server that is a program of its own."""

    def __init__(self, *words: str) -> None:
        self.words, self.port = words, free_port()
        self.running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = [word.replace("PORT", str(self.port)) for word in self.words]
        quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        self.running = subprocess.Popen(words, **quiet, start_new_session=True)  # smbd ends its whole group
        wait_for(self.port)

    def stop(self) -> None:
        if self.running is not None:
            children = psutil.Process(self.running.pid).children(recursive=True)
            self.running.terminate()
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            with suppress(subprocess.TimeoutExpired):
                self.running.wait(2)
            self.running.kill()
            self.running.wait()
            self.running = None
            wait_for(self.port, up=False)


class Azurite(Program):
    url = "az://firma/arkiv"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            "azurite-blob", "--blobPort", "PORT", "--location", str(folder), "--silent", "--skipApiVersionCheck", "--disableTelemetry"
        )
        from azure.storage.blob import ContainerClient

        self.start()
        self.endpoint = f"http://127.0.0.1:{self.port}/{ACCOUNT}"
        self.client = ContainerClient(self.endpoint, "firma", credential=KEY)
        self.client.create_container()
        for name, data in self.files.items():
            self.put(name, data)

    def put(self, name: str, data: bytes) -> None:
        self.client.upload_blob(f"arkiv/{name}", data, overwrite=True)

    def delete(self, name: str) -> None:
        self.client.delete_blob(f"arkiv/{name}")

    def state(self) -> object:
        return [(blob.name, blob.etag) for blob in self.client.list_blobs()]


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    server = Azurite(tmp_path_factory.mktemp("azurite"))
    yield server
    server.client.close()
    server.stop()


@pytest.mark.skipif(not shutil.which("azurite-blob"), reason="needs Azurite (npm install -g azurite)")
class TestAzure(StoreContract):
    @pytest.fixture
    def server(self, azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> Server:
        monkeypatch.setenv("AZURE_STORAGE_BLOB_ENDPOINT", azurite.endpoint)
        monkeypatch.setenv("AZURE_STORAGE_KEY", KEY)
        return azurite

    def test_snapshots_and_archived_blobs_are_recorded(self, server: Any) -> None:
        server.put("gammel.txt", b"en")
        server.put("kold.txt", b"to")
        try:
            server.client.get_blob_client("arkiv/gammel.txt").create_snapshot()
            server.client.get_blob_client("arkiv/kold.txt").set_standard_blob_tier("Archive")
            found = {(one.object, one.why, one.detail) for one in problems(open_source(server.url, include=["gammel*", "kold*"]))}
            assert found == {
                ("gammel.txt", Why.UNSUPPORTED, "1 older version kept by the store; not read"),
                ("kold.txt", Why.DENIED, "archived: it must be restored before it can be read"),
            }
        finally:
            for name in ("gammel.txt", "kold.txt"):
                server.client.delete_blob(f"arkiv/{name}", delete_snapshots="include" if name == "gammel.txt" else None)

    def test_every_login_works_and_none_is_told(self, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from azure.storage.blob import generate_container_sas

        monkeypatch.delenv("AZURE_STORAGE_KEY")
        sas = generate_container_sas(ACCOUNT, "firma", account_key=KEY, permission="rl", expiry="2090-01-01")
        for password in (KEY, sas, "?" + sas):
            source = open_source(server.url, password=password)
            assert units(source)
            assert password not in repr([source, vars(source), vars(vars(source)["_store"])])
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", f"BlobEndpoint={server.endpoint};AccountName={ACCOUNT};AccountKey={KEY}")
        assert units(open_source(server.url))
        monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING")
        for password, words in (
            ("Zm9ya2VydA==", "refused the login|may not read"),
            (sas.replace("sig=", "sig=A"), "refused the login|may not read"),
        ):
            with pytest.raises(SourceError, match=words) as raised:
                list(open_source(server.url, password=password).units())
            assert password not in str(raised.value)
        with pytest.raises(SourceError, match="no such container"):
            list(open_source("az://findes-ikke", password=KEY).units())
        monkeypatch.delenv("AZURE_STORAGE_BLOB_ENDPOINT")
        with pytest.raises(SourceError, match="names no account"):
            list(open_source("az://firma", password=KEY).units())


# --- Google --------------------------------------------------------------------------------------------------------


class Gcs(Server):
    url = "gs://firma/arkiv"

    def __init__(self) -> None:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import storage

        self.port = free_port()
        self.start()
        self.client = storage.Client("firma", AnonymousCredentials(), client_options={"api_endpoint": f"http://127.0.0.1:{self.port}"})
        self.bucket = self.client.bucket("firma")
        for name, data in self.files.items():
            self.put(name, data)

    def put(self, name: str, data: bytes) -> None:
        self.bucket.blob(f"arkiv/{name}").upload_from_string(data)

    def delete(self, name: str) -> None:
        self.bucket.blob(f"arkiv/{name}").delete()

    def start(self) -> None:
        from gcp_storage_emulator.server import APIThread, create_server

        if not hasattr(self, "running"):
            self.running: Any = create_server("127.0.0.1", self.port, in_memory=True, default_bucket="firma")
        else:
            self.running._api = APIThread("127.0.0.1", self.port, self.running._storage)
        self.running.start()

    def stop(self) -> None:
        self.running.stop()

    def state(self) -> object:
        return [(blob.name, blob.generation) for blob in self.client.list_blobs("firma")]


@pytest.fixture(scope="session")
def gcs() -> Iterator[Gcs]:
    server = Gcs()
    yield server
    server.client.close()
    server.stop()


class TestGoogle(StoreContract):
    @pytest.fixture
    def server(self, gcs: Gcs, monkeypatch: pytest.MonkeyPatch) -> Server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{gcs.port}")
        return gcs

    def test_changes_after_the_listing_and_meanwhile_are_recorded(self, source: Source, server: Server) -> None:
        """The emulator does not look at conditions, so what is looked at is that each request makes one."""
        before = units(source)
        server.delete("a-1")
        server.put("a.txt", b"navn\nBirgit og Jens\n")
        try:
            assert said(source, before["a-1"]) == [Why.CHANGED]
            assert units(source)["a.txt"].fingerprint != before["a.txt"].fingerprint
            asked: list[str] = []
            store: Any = vars(source)["_store"]
            store._connected()._http.hooks["response"].append(lambda answer, *_, **__: asked.append(answer.url))
            list(source.read(before["stor.txt"]))
            asked = [url for url in asked if "alt=media" in url]
            assert len(asked) > 5
            assert all(f"ifGenerationMatch={before['stor.txt'].fingerprint}" in url for url in asked)
        finally:
            for name in ("a.txt", "a-1"):
                server.put(name, server.files[name])

    def test_refusals_are_said_in_one_line(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        for url, password, words in (
            ("gs://findes-ikke", None, "no such bucket"),
            ("gs://firma", '{"type": "service_account", "private_key": "hemmeligt-ord"}', "refused the login"),
            ("gs://firma", "hemmeligt-ord", "refused the login"),
        ):
            with pytest.raises(SourceError, match=words) as raised:
                list(open_source(url, password=password).units())
            assert SECRET not in str(raised.value)


# --- SFTP ----------------------------------------------------------------------------------------------------------


class Folder(Program):
    """A server that shows a folder of this machine."""

    root: Path

    def fill(self) -> None:
        for name, data in self.files.items():
            self.put(name, data)

    def put(self, name: str, data: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def delete(self, name: str) -> None:
        (self.root / name).unlink()

    def state(self) -> object:
        return [(str(path), path.lstat().st_mtime_ns, path.lstat().st_size) for path in sorted(self.root.rglob("*"))]


SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
SSHD_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/login.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
Subsystem sftp internal-sftp -R {words}
"""


class Sshd(Folder):
    """An OpenSSH server whose SFTP may only read; `words` are more options of it."""

    def __init__(self, folder: Path, words: str = "") -> None:
        super().__init__(SSHD or "", "-D", "-f", str(folder / f"sshd_config{words}"))
        self.folder, self.root = folder, folder / "share"
        if not (folder / "host").exists():
            for name, password in (("host", ""), ("login", SECRET)):
                subprocess.run(["ssh-keygen", "-q", "-a", "1", "-t", "ed25519", "-N", password, "-f", str(folder / name)], check=True)
            self.fill()
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        (folder / f"sshd_config{words}").write_text(SSHD_CONFIG.format(port=self.port, folder=folder, words=words))
        kind, key = (folder / "host.pub").read_text().split()[:2]
        self.known = folder / f"known{self.port}"
        self.known.write_text(f"[127.0.0.1]:{self.port} {kind} {key}\n")
        user = getpass.getuser()
        self.host = f"{user}:{SECRET}@127.0.0.1:{self.port}"
        self.url = self.at(self.root)
        self.start()

    def at(self, path: Path | str) -> str:
        return f"sftp://{self.host}{quote(str(path))}?key={self.folder}/login&known_hosts={self.known}"

    def single(self, name: str) -> str:
        return self.at(self.root / name)


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.mark.skipif(not SSHD or not shutil.which("ssh-keygen"), reason="needs an OpenSSH server")
class TestSftp(StoreContract):
    @pytest.fixture
    def server(self, sshd: Sshd) -> Server:
        return sshd

    def test_links_special_files_and_odd_names_are_read_or_recorded(self, sshd: Sshd) -> None:
        odd = sshd.folder / "odd"
        odd.mkdir()
        (odd / os.fsdecode(b"b\xf8rge")).mkdir()
        (odd / os.fsdecode(b"b\xf8rge/\xe6.txt")).write_bytes(b"hej\n")
        (odd / "løkke").symlink_to(".")
        (odd / "nøgle.txt").symlink_to("/etc/hostname")
        os.mkfifo(odd / "rør")
        source = open_source(sshd.at(odd))
        assert [(one.object, one.why, one.detail) for one in source.units() if isinstance(one, Problem)] == [
            ("løkke", Why.UNSUPPORTED, "symbolic link, not followed"),
            ("nøgle.txt", Why.UNSUPPORTED, "symbolic link, not followed"),
            ("rør", Why.UNSUPPORTED, "not a file, but a pipe"),
        ]
        assert texts(source) == {("b\\xf8rge/\\xe6.txt", "1", ""): ["hej\n"]}
        unit = units(source)["b\\xf8rge/\\xe6.txt"]
        (odd / os.fsdecode(b"b\xf8rge/\xe6.txt")).unlink()
        (odd / os.fsdecode(b"b\xf8rge/\xe6.txt")).symlink_to("/etc/hostname")
        assert said(source, unit) == [Why.CHANGED]

    def test_an_unknown_server_a_wrong_key_and_a_wrong_path_are_refused(self, sshd: Sshd) -> None:
        unknown = sshd.url.partition("&")[0]
        for url, words in (
            (unknown, "not in known_hosts"),
            (sshd.url.replace(SECRET, "forkert"), "refused the login|cannot be opened"),
            (sshd.url.replace("login&", "host&"), "refused the login"),
            (sshd.at("/findes/ikke"), "gone"),
            (sshd.url.replace("127.0.0.1", "intet.invalid"), "no such host"),
        ):
            with pytest.raises(SourceError, match=words) as raised:
                list(open_source(url).units())
            assert SECRET not in str(raised.value)
            assert "\n" not in str(raised.value)

    def test_what_the_server_refuses_is_denied(self, sshd: Sshd) -> None:
        server = Sshd(sshd.folder, "-P open")
        try:
            source = open_source(server.url)
            assert {why for unit in source.units() if isinstance(unit, Unit) for why in said(source, unit)} == {Why.DENIED}
        finally:
            server.stop()


# --- SMB -----------------------------------------------------------------------------------------------------------

SMBD = shutil.which("smbd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
SMB_CONFIG = """
[global]
smb ports = {port}
bind interfaces only = yes
interfaces = 127.0.0.1
server role = standalone server
passdb backend = smbpasswd:{folder}/smbpasswd
private dir = {folder}
state directory = {folder}
cache directory = {folder}
lock directory = {folder}
pid directory = {folder}
ncalrpc dir = {folder}/ncalrpc
log file = {folder}/log
disable spoolss = yes
load printers = no
server signing = mandatory
[fælles]
path = {folder}/share
read only = yes
[lukket]
path = {folder}/share
valid users = nobody
"""


class Samba(Folder):
    def __init__(self, folder: Path) -> None:
        super().__init__(SMBD or "", "-F", "--no-process-group", "-s", str(folder / "smb.conf"))
        self.root = folder / "share"
        self.fill()
        (folder / "smb.conf").write_text(SMB_CONFIG.format(port=self.port, folder=folder))
        self.user = getpass.getuser()
        subprocess.run(
            ["smbpasswd", "-c", str(folder / "smb.conf"), "-a", "-s", self.user],
            input=f"{SECRET}\n{SECRET}\n", text=True, check=True, capture_output=True,
        )  # fmt: skip
        self.url = f"smb://{self.user}:{SECRET}@127.0.0.1:{self.port}/fælles"
        self.start()


@pytest.fixture(scope="session")
def samba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samba]:
    server = Samba(tmp_path_factory.mktemp("samba"))
    yield server
    server.stop()


@pytest.mark.skipif(not SMBD or not shutil.which("smbpasswd"), reason="needs a Samba server")
class TestSmb(StoreContract):
    @pytest.fixture
    def server(self, samba: Samba) -> Server:
        return samba

    def test_a_folder_that_leads_back_is_not_walked_forever(self, samba: Samba) -> None:
        (samba.root / "b" / "løkke").symlink_to("..")
        try:
            found = [one for one in open_source(samba.url).units() if isinstance(one, Problem)]
        finally:
            (samba.root / "b" / "løkke").unlink()
        assert found
        assert all(one.detail == "leads back to a folder above it, not followed" for one in found)

    @pytest.mark.skipif(os.geteuid() != 0, reason="the server must be able to refuse a login")
    def test_refusals_are_said_in_one_line(self, samba: Samba) -> None:
        for url, words in (
            (samba.url.replace(SECRET, "forkert"), "refused the login"),
            (samba.url.replace("fælles", "findes-ikke"), "no such share"),
            (samba.url.replace("fælles", "lukket"), "may not read"),
            (samba.url + "/findes/ikke", "gone"),
            (samba.url.replace("127.0.0.1", "intet.invalid"), "no such host|does not answer"),
            (f"smb://{samba.user}@127.0.0.1", "names no share"),
        ):
            with pytest.raises(SourceError, match=words) as raised:
                list(open_source(url).units())
            assert SECRET not in str(raised.value)


# --- WebDAV --------------------------------------------------------------------------------------------------------


class Wsgidav(Folder):
    def __init__(self, folder: Path) -> None:
        self.root, self.port = folder / "share", free_port()
        self.fill()
        self.start()
        self.url = f"webdav://birgit:{SECRET}@127.0.0.1:{self.port}/fælles"

    def start(self) -> None:
        from cheroot import wsgi
        from wsgidav.fs_dav_provider import FilesystemProvider
        from wsgidav.wsgidav_app import WsgiDAVApp

        app = WsgiDAVApp({
            "provider_mapping": {"/fælles": FilesystemProvider(str(self.root), readonly=True)}, "verbose": 0, "logging": {"enable": False},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "simple_dc": {"user_mapping": {"*": {"birgit": {"password": SECRET}}}},
        })  # fmt: skip
        self.serving = wsgi.Server(("127.0.0.1", self.port), app, shutdown_timeout=1)
        self.serving.prepare()
        self.thread = threading.Thread(target=self.serving.serve, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.serving.stop()
        self.thread.join()


@pytest.fixture(scope="session")
def wsgidav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wsgidav]:
    server = Wsgidav(tmp_path_factory.mktemp("wsgidav"))
    yield server
    server.stop()


class TestWebdav(StoreContract):
    @pytest.fixture
    def server(self, wsgidav: Wsgidav) -> Server:
        return wsgidav

    def test_refusals_are_said_in_one_line(self, wsgidav: Wsgidav, moto: Moto) -> None:
        for url, words in (
            (wsgidav.url.replace(SECRET, "forkert"), "refused the login"),
            (wsgidav.url + "/findes/ikke", "gone"),
            (f"webdav://127.0.0.1:{moto.port}/", "no WebDAV server|refused"),
        ):
            with pytest.raises(SourceError, match=words) as raised:
                list(open_source(url).units())
            assert SECRET not in str(raised.value)


# --- what has no server --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "library", "extra"),
    [("s3", "boto3", "s3"), ("az", "azure.storage.blob", "azure"), ("gs", "google.cloud.storage", "gcs"),
     ("sftp", "paramiko", "sftp"), ("smb", "smbclient", "smb"), ("webdav", "httpx", "webdav")],
)  # fmt: skip
def test_a_missing_driver_names_the_extra(scheme: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name == library or name.startswith(library + ".")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    if extra == "gcs":
        import google.cloud

        monkeypatch.delattr(google.cloud, "storage", raising=False)
    with pytest.raises(MissingExtra, match=f"pip install 'persondata\\[{extra}\\]'"):
        list(open_source(f"{scheme}://place/folder/file").units())


@pytest.mark.parametrize("password", ["p#w", "p/w", "p?w", "p:w/x", "p@w"])
@pytest.mark.parametrize("scheme", ["s3", "sftp", "smb", "webdavs"])
def test_a_password_with_special_letters_is_not_told(scheme: str, password: str) -> None:
    try:
        source = open_source(f"{scheme}://bo:{password}@place/share/folder")
        told = repr([vars(source), vars(vars(source)["_store"])])
    except SourceError as error:
        told = str(error)
    assert password not in told
    assert password[-1:] + "@" not in told


def test_any_reading_of_ranges_gives_the_bytes_of_the_file() -> None:
    data = noise(300_001)
    dice = random.Random(7)
    for _ in range(20):
        held = []
        ranged = Ranged(lambda start, end: data[start:end], len(data), lambda: None, data[:4096])
        with closing(io.BufferedReader(ranged, 2**12)) as stream:
            for _ in range(60):
                at, size = dice.randrange(len(data) + 10), dice.choice((1, 7, 5000, 70_000))
                if dice.random() < 0.5:
                    at = stream.tell()
                stream.seek(at)
                assert stream.read(size) == data[at : at + size]
                held.append(sum(map(len, ranged._blocks.values())))
        assert max(held) <= stores_stream.KEPT


def test_a_store_with_an_order_of_its_own_is_sorted_aside() -> None:
    names = ["b/x", "a", "\U0001d49c", "\uffee", "a-1", "a/x", "\x01"]
    entries = [Entry(name, n, str(n), Why.DENIED if n == 2 else None, "x", "l", n == 3, n) for n, name in enumerate(names)]
    assert list(stores._sorted(iter(entries))) == sorted(entries, key=lambda entry: entry.name)


def test_addresses_are_taken_apart() -> None:
    address = Address.parse("smb://FIRMA;bo:a%40b@[::1]:1445/x%20y/z?encrypt=true", None, ("encrypt",))
    assert (address.user, address.secret, address.host, address.port, address.path) == ("FIRMA;bo", "a@b", "::1", 1445, "x y/z")
    assert address.flag("encrypt")
    assert "a@b" not in repr(address)
