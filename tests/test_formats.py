"""Every format that is read keeps what `FormatContract` promises: whole, broken off, damaged, empty, packed, and under tight limits."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath

import pytest
from PIL import Image

from scanner.contract import File, FormatContract
from tests import planted, test_chat, test_dumps, test_mail
from tests.planted.table import PLACES
from tests.test_containers import PACKERS, encrypted, sevenzipped
from tests.test_extract import tarred, zipped

CPR = planted.CPR
_LINE = f"Kære Åse, dit personnummer er {CPR}.\n"


def _company() -> bytes:
    return zipped({"post/a.eml": test_mail.mail_of(test_mail.file_of(_LINE.encode(), "a.txt")), "k.csv": f"navn;cpr\nIb;{CPR}\n"})


_ENVELOPE = {"envelope": {"sourceName": "Ole Dam", "timestamp": 1712345678123, "dataMessage": {"timestamp": 1712345678123, "message": CPR}}, "account": "1"}  # fmt: skip
_TEAMS = {"value": [{"id": "1", "createdDateTime": "2024-03-12T09:14:22Z", "from": {"user": {"displayName": "Ole Dam"}},
                     "messageType": "message", "body": {"contentType": "html", "content": f"<p>CPR {CPR}</p>"}}]}  # fmt: skip


def _database() -> bytes:
    with sqlite3.connect(":memory:") as db:
        db.executescript(
            f"CREATE TABLE kunder (id INTEGER PRIMARY KEY, navn TEXT, cpr TEXT); INSERT INTO kunder VALUES (7, 'Søren', '{CPR}');"
        )
        return db.serialize()


def _picture(kind: str) -> bytes:
    """A picture without letters; its author is somebody."""
    image, out = Image.new("RGB", (300, 200), "white"), io.BytesIO()
    exif = image.getexif()
    exif[0x13B] = CPR
    image.save(out, kind, exif=exif)
    return out.getvalue()


_MAILS = ("forwarded", "attachment", "ics", "vcf", "tnef body", "tnef attachment", "pst body", "pst attachment", "emlx", "maildir", "mbox cut off")  # fmt: skip


def _planted() -> dict[str, Callable[[], File]]:
    """One place of each ending of each format of `tests.planted`."""
    files: dict[str, Callable[[], File]] = {}
    for place in PLACES:
        if place.why is None and not place.place.startswith(("name of", "number ")):
            files.setdefault(f"{place.format}: {PurePosixPath(place.name).suffix}", partial(_made, place.name, place.make))
    return files


def _made(name: str, make: Callable[[], bytes | str], said: str = CPR, silent: bool = False) -> File:
    data = make()
    return File(name, data.encode() if isinstance(data, str) else data, said, silent)


_COPY = f"--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.k (id int, n text);\n\nCOPY public.k (id, n) FROM stdin;\n1\t{CPR}\n2\tBo\n\\.\n"
_INSERT = f"-- MySQL dump 10\nCREATE TABLE `k` (`id` int, `n` text);\nINSERT INTO `k` VALUES (1,'{CPR}'),(2,'Bo');\n"
FILES: dict[str, Callable[[], File]] = {
    **_planted(),
    **{name: partial(File, test_mail.PLACES[name][0], test_mail.PLACES[name][1], CPR) for name in _MAILS},
    "slack": partial(_made, "export.zip", test_chat.slack),
    "whatsapp": partial(_made, "chat.txt", lambda: test_chat.ANDROID),
    "telegram": partial(_made, "result.json", lambda: json.dumps(test_chat.CHAT).replace("Ole Dam", CPR)),
    "signal": partial(_made, "signal.jsonl", lambda: "\n".join([json.dumps(_ENVELOPE)] * 2)),
    "teams": partial(_made, "messages.json", lambda: json.dumps(_TEAMS)),
    "dump of SQL Server": partial(_made, "crm.sql", lambda: test_dumps.SERVER.replace("Søren ''Bob'' Åse", CPR).encode("utf-16")),
    "dump of MySQL": partial(_made, "crm.sql", lambda: _INSERT),
    "dump of PostgreSQL": partial(_made, "crm.sql", lambda: _COPY),
    "sqlite": partial(_made, "crm.db", _database),
    "log": partial(_made, "a.log", lambda: f"2024-03-12 09:14:22 INFO {CPR}\n" * 3),
    **{kind: partial(_made, f"a.{kind}", partial(_picture, kind.upper())) for kind in ("jpeg", "png", "tiff", "webp")},
    "zip": partial(_made, "a.zip", lambda: zipped({"indre.zip": _company(), "b.txt": _LINE})),
    "zip with a password": partial(_made, "a.zip", lambda: encrypted(password="x", a=_LINE), silent=True),
    "tar": partial(_made, "a.tar", lambda: tarred({"a/b.txt": _LINE.encode(), "c.zip": _company()})),
    "7z": partial(_made, "a.7z", lambda: sevenzipped({"a.txt": _LINE, "b.zip": _company()})),
    **{ending: partial(_made, f"a.txt.{ending}", partial(pack, _LINE.encode() * 9)) for ending, pack in PACKERS.items()},
}  # fmt: skip


class TestEveryFormat(FormatContract):
    @pytest.fixture(params=FILES)
    def file(self, request: pytest.FixtureRequest) -> File:
        return FILES[request.param]()

    @pytest.mark.slow
    def test_what_breaks_off_gives_less_or_says_so(self, file: File) -> None:
        super().test_what_breaks_off_gives_less_or_says_so(file)

    @pytest.mark.slow
    def test_damage_never_raises(self, file: File) -> None:
        super().test_damage_never_raises(file)
