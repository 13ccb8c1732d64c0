"""Archives: all that is packed in them is read or told, whatever they claim, in bounded memory and time."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import py7zr
import pytest
import pyzipper
from hypothesis import given, settings
from hypothesis import strategies as st

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from scanner.extract import extract
from scanner.extract.walk import Walk
from scanner.model import Blob, Limits, Opened, Problem, TextBatch, Why
from tests.test_extract import Reading, read, tarred, zipped

SEVENZIP = shutil.which("7z") or shutil.which("7zz") or shutil.which("7za")
TEXT = "Kære Åse, dit personnummer er 070761-4285.\n"


class Opening(Reading):
    """What was read of a blob with passwords at hand."""

    def __init__(self, data: bytes, name: str, *passwords: str, limits: Limits | None = None) -> None:
        self.watched, self.batches, self.problems, self.opened = [], [], [], []
        blob = Blob(name, io.BytesIO(data), len(data))
        for part in extract(blob, limits or Limits(), self.watched.append, passwords):
            {TextBatch: self.batches, Problem: self.problems, Opened: self.opened}[type(part)].append(part)  # type: ignore[attr-defined]


def said(found: Reading) -> dict[str, str]:
    return {object: text for object, _, _, text in found.texts}


def sevenzipped(members: dict[str, bytes | str], **how: object) -> bytes:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", **how) as archive:  # type: ignore[arg-type]
        for name, data in members.items():
            archive.writestr(data, name)
    return out.getvalue()


def by_7z(folder: Path, archive: str, *options: str, **members: str) -> bytes:
    """An archive made by the 7-Zip program."""
    if not SEVENZIP:
        pytest.skip("the program 7z is not installed")
    for name, text in members.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    subprocess.run([SEVENZIP, "a", *options, archive, *(f"{name}.txt" for name in members)], cwd=folder, check=True, capture_output=True)
    return (folder / archive).read_bytes()


@contextmanager
def at_most(megabytes: int) -> Iterator[None]:
    """No more memory than this is used at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * 2**20
    finally:
        tracemalloc.stop()


PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd.compress}


# --- packed files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", PACKERS)
def test_packed_files(ending: str) -> None:
    pack = PACKERS[ending]
    assert said(read(pack(TEXT.encode()), f"a.txt.{ending}")) == {f"a.txt.{ending}!a.txt": TEXT}
    several = read(pack(b"Ole\n") + pack(b"Bo\n") + pack(b"Ib\n"), f"a.txt.{ending}")
    assert said(several) == {f"a.txt.{ending}!a.txt": "Ole\nBo\nIb\n"} and several.problems == []
    inner = zipped({f"x.tar.{ending}": pack(tarred({"b/c.txt": TEXT.encode()}))})
    assert said(read(sevenzipped({"y.zip": inner}), "z.7z")) == {f"z.7z!y.zip!x.tar.{ending}!b/c.txt": TEXT}


@pytest.mark.parametrize("ending", PACKERS)
def test_packed_files_that_break_off(ending: str) -> None:
    lines = "".join(f"{n}: {zlib.crc32(str(n).encode())} Åse\n" for n in range(60_000)).encode()
    cut = read(PACKERS[ending](lines)[:-5000], f"a.txt.{ending}")
    assert cut.why == [(f"a.txt.{ending}!a.txt", Why.DAMAGED)]
    assert "Åse" in cut.texts[0][3]
    assert read(PACKERS[ending](b"Ole")[:9], f"a.{ending}").why[-1][1] is Why.DAMAGED
    behind = read(PACKERS[ending](b"Ole\n") + b"\0" * 600, f"a.{ending}")
    assert behind.problems == [] and behind.field("") == "Ole\n"


@pytest.mark.parametrize("ending", PACKERS)
def test_packed_bombs(ending: str) -> None:
    pack = PACKERS[ending]
    bomb, tar = pack(b"\0" * 30_000_000), pack(tarred({"nul": b"\0" * 30_000_000}))
    with at_most(25):
        assert read(bomb, f"a.{ending}").why == [(f"a.{ending}!a", Why.TOO_LARGE)]
        assert Why.TOO_LARGE in [why for _, why in read(tar, f"a.tar.{ending}").why]


def test_packed_streams_that_ask_for_much_memory() -> None:
    options = {zstd.CompressionParameter.window_log: 30, zstd.CompressionParameter.enable_long_distance_matching: 1}
    packer = zstd.ZstdCompressor(options=options)
    found = read(packer.compress(b"Ole" * 9999) + packer.flush(), "a.zst")
    assert found.why[-1][1] is Why.TOO_LARGE and "memory" in found.problems[0].detail


# --- zip ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_methods(method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a.txt", TEXT * 99)
    assert said(read(out.getvalue(), "z.zip")) == {"z.zip!a.txt": TEXT * 99}


@pytest.mark.parametrize("method", ["Deflate64", "zstd"])
def test_zip_methods_that_python_does_not_know(method: str, tmp_path: Path) -> None:
    if method == "zstd":
        from backports.zstd import zipfile as newer

        out = io.BytesIO()
        with newer.ZipFile(out, "w", newer.ZIP_ZSTANDARD) as archive:
            archive.writestr("a.txt", TEXT * 999)
        data = out.getvalue()
    else:
        data = by_7z(tmp_path, "z.zip", "-tzip", f"-mm={method}", a=TEXT * 999)
    assert zipfile.ZipFile(io.BytesIO(data)).infolist()[0].compress_type in (9, 93)
    found = read(data, "z.zip")
    assert "".join(text for *_, text in found.texts).count("070761-4285") >= 999 and found.problems == []
    broken = bytearray(data)
    broken[60] ^= 0xFF
    assert [why for _, why in read(bytes(broken), "z.zip").why] == [Why.DAMAGED]


def test_large_and_streamed_zip() -> None:
    class Pipe(io.RawIOBase):
        """What cannot be sought is followed by its sizes: a data descriptor."""

        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(data)  # type: ignore[arg-type]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        with archive.open("a.txt", "w", force_zip64=True) as member:
            member.write(TEXT.encode())
        archive.writestr("b.txt", "Bo")
    assert b"PK\7\x08" in pipe.data
    assert said(read(pipe.data, "z.zip")) == {"z.zip!a.txt": TEXT, "z.zip!b.txt": "Bo"}


def test_zip_names() -> None:
    def named(raw: bytes) -> bytes:
        return zipped({"x" * len(raw): TEXT}).replace(b"x" * len(raw), raw)

    for codec in ("utf-8", "cp865", "cp1252"):
        assert list(said(read(named("Søren på ænder.txt".encode(codec)), "z.zip"))) == ["z.zip!Søren på ænder.txt"]
    assert list(said(read(zipped({"Søren.txt": TEXT}), "z.zip"))) == ["z.zip!Søren.txt"]
    assert list(said(read(named(b"../../etc/cron.d/x"), "z.zip"))) == ["z.zip!../../etc/cron.d/x"]
    assert list(said(read(named(b"/etc/x"), "z.zip"))) == ["z.zip!etc/x"]


def test_members_that_lie() -> None:
    data = bytearray(zipped({"a.txt": TEXT * 999, "b.txt": "Bo"}))
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        start = data.index(mark) + at
        data[start : start + 4] = struct.pack("<L", 50)
    found = read(bytes(data), "z.zip")
    assert found.why == [("z.zip!a.txt", Why.DAMAGED)] and said(found)["z.zip!b.txt"] == "Bo"
    short = bytearray(zipped({"a.txt": TEXT, "b.txt": "Bo"}))
    start = short.index(b"PK\1\2") + 20
    short[start : start + 4] = struct.pack("<L", 10**6)
    assert ("z.zip!b.txt", "Bo") in said(read(bytes(short), "z.zip")).items()
    assert Why.DAMAGED in [why for _, why in read(bytes(short), "z.zip").why]


def test_overlapping_members() -> None:
    """All entries but the last quote the next one's header in a block that is not packed, and share its kernel."""
    kernel = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = kernel.compress(b"Ole " * 900_000) + kernel.flush()
    files: list[tuple[bytes, int, bytes]] = []
    plain, packed = b"Ole " * 900_000, body
    for number in reversed(range(40)):
        name = b"%02d.txt" % number
        header = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, zlib.crc32(plain), len(packed), len(plain), len(name), 0) + name
        files.insert(0, (name, len(packed), plain))
        whole = header + packed
        plain, packed = header + plain, struct.pack("<BHH", 0, len(header), 0xFFFF ^ len(header)) + whole
    listed, at = b"", 0
    for name, size, text in files:
        listed += (
            struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0, zlib.crc32(text), size, len(text), len(name), 0, 0, 0, 0, 0, at)
            + name
        )
        at += 30 + len(name) + 5
    data = whole + listed + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 40, 40, len(listed), len(whole), 0)
    found = read(data, "z.zip")
    assert len(found.opened) == 2 and found.why == [(f"z.zip!{n:02}.txt", Why.DAMAGED) for n in range(39)]


def test_nested_bombs_end() -> None:
    """Like 42.zip: sixteen in each of sixteen, five deep, each of four megabytes at the bottom: four terabytes in all."""
    data = zipped({"0.txt": b"Ole\n" * 1_000_000})
    for _ in range(5):
        data = zipped({f"{n:x}.zip": data for n in range(16)})
    found = read(data, "z.zip", Limits(archive_depth=50))
    assert len(found.opened) < 3000 and {why for _, why in found.why} == {Why.TOO_LARGE}
    flat = zipped({f"{n}.txt": b"Ole\n" * 2**20 for n in range(50)})
    found = read(flat, "z.zip")
    assert 0 < len({object for object, *_ in found.texts}) < 20 and found.why == [("z.zip", Why.TOO_LARGE)]


def test_archives_without_end() -> None:
    """Every archive holds one of its own kind, deeper than anybody looks."""
    makers = {"zip": lambda data: zipped({"r.zip": data}), "7z": lambda data: sevenzipped({"r.7z": data}), **PACKERS}
    for ending, make in makers.items():
        data = b"Ole"
        for _ in range(12):
            data = make(data)  # type: ignore[operator]
        found = read(data, f"r.{ending}")
        assert [problem.why for problem in found.problems] == [Why.TOO_LARGE] and len(found.opened) == 9, ending


def test_a_list_of_members_too_long_to_hold() -> None:
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 65 * 2**20, 0, 0)
    assert read(b"PK\1\2" + b"\0" * (65 * 2**20 - 4) + end, "z.zip").why[0][1] in (Why.TOO_LARGE, Why.UNSUPPORTED)
    data = b"PK\3\4" + b"\0" * (66 * 2**20) + end
    assert read(data, "z.zip").why == [("z.zip", Why.TOO_LARGE)]


# --- passwords ----------------------------------------------------------------------------------------------------


def encrypted(*, password: str, **members: str) -> bytes:
    out = io.BytesIO()
    with pyzipper.AESZipFile(out, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode())
        for name, text in members.items():
            archive.writestr(f"{name}.txt", text)
    return out.getvalue()


def test_encrypted_zip() -> None:
    data = encrypted(password="hemmelig-canary", a=TEXT, b="Bo " * 999)
    found = Opening(data, "z.zip", "forkert", "hemmelig-canary")
    assert said(found) == {"z.zip!a.txt": TEXT, "z.zip!b.txt": "Bo " * 999} and found.problems == []
    for passwords in ((), ("forkert", "også forkert")):
        closed = Opening(data, "z.zip", *passwords)
        assert closed.why == [("z.zip!a.txt", Why.ENCRYPTED), ("z.zip!b.txt", Why.ENCRYPTED)]
    assert "none of the passwords" in closed.problems[0].detail and "forkert" not in str(closed.problems)


@pytest.mark.parametrize("how", ["ZipCrypto", "AES256"])
def test_encrypted_zip_of_another_program(how: str, tmp_path: Path) -> None:
    data = by_7z(tmp_path, "z.zip", "-tzip", f"-mem={how}", "-pbrev-1234", a=TEXT, b="Bo\n" * 9999)
    found = Opening(data, "z.zip", "x", "y", "brev-1234")
    assert found.problems == [] and said(found)["z.zip!a.txt"] == TEXT and said(found)["z.zip!b.txt"].startswith("Bo\n")
    assert Opening(data, "z.zip", *map(str, range(300 if how == "ZipCrypto" else 3))).why == [
        ("z.zip!a.txt", Why.ENCRYPTED),
        ("z.zip!b.txt", Why.ENCRYPTED),
    ]


@pytest.mark.parametrize("hidden", [False, True])
def test_encrypted_7z(hidden: bool) -> None:
    data = sevenzipped({"a.txt": TEXT, "b.txt": "Bo"}, password="hemmelig-canary", header_encryption=hidden)
    nested = zipped({"i.7z": data})
    assert said(Opening(nested, "z.zip", "forkert", "hemmelig-canary")) == {"z.zip!i.7z!a.txt": TEXT, "z.zip!i.7z!b.txt": "Bo"}
    for passwords in ((), ("forkert",)):
        closed = Opening(data, "z.7z", *passwords)
        assert closed.why == ([("z.7z", Why.ENCRYPTED)] if hidden else [("z.7z!a.txt", Why.ENCRYPTED), ("z.7z!b.txt", Why.ENCRYPTED)])


def test_passwords_show_nowhere() -> None:
    walk = Walk(Limits(), print, frozenset(), lambda blob: iter(()), passwords=("hemmelig-canary",))
    assert "canary" not in repr(walk)


# --- 7z -----------------------------------------------------------------------------------------------------------


def test_7z() -> None:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w") as archive:
        archive.writestr(TEXT, "breve/Søren.txt")
        archive.writestr("", "tom.txt")
        archive.writestr("Ole", "a.txt")
        archive.writestr("Bo", "a.txt")
        archive.writestr(zipped({"b.txt": "Ib"}), "b.zip")
    found = read(out.getvalue(), "z.7z")
    assert found.texts == [
        ("z.7z!breve/Søren.txt", "1", "", TEXT), ("z.7z!a.txt", "1", "", "Ole"), ("z.7z!a.txt (2)", "1", "", "Bo"), ("z.7z!b.zip!b.txt", "1", "", "Ib"),
    ]  # fmt: skip
    assert [o.object for o in found.opened][:3] == ["z.7z", "z.7z!breve/Søren.txt", "z.7z!tom.txt"]
    skipped = read(out.getvalue(), "z.7z", skip=frozenset(["z.7z!breve/Søren.txt", "z.7z!a.txt"]))
    assert [text for *_, text in skipped.texts] == ["Bo", "Ib"]


@pytest.mark.parametrize("method", ["LZMA", "LZMA2", "PPMd", "BZip2", "Deflate", "Deflate64", "Copy"])
def test_7z_methods(method: str, tmp_path: Path) -> None:
    long = "".join(f"{n} Åse Hansen\n" for n in range(50_000))
    data = by_7z(tmp_path, "z.7z", f"-m0={method}", "-ms=on", a=TEXT, b=long, c="Bo")
    found = read(data, "z.7z")
    assert found.problems == [] and said(found)["z.7z!a.txt"] == TEXT and said(found)["z.7z!c.txt"] == "Bo"
    assert "49999 Åse" in "".join(text for object, *_, text in found.texts if object == "z.7z!b.txt")


def test_7z_that_is_broken() -> None:
    data = sevenzipped({"a.txt": TEXT, "b.txt": "".join(f"{zlib.crc32(str(n).encode())}\n" for n in range(90_000)), "c.txt": "Bo"})
    assert read(data[:-40], "z.7z").why == [("z.7z", Why.DAMAGED)]
    assert read(data[: len(data) // 2], "z.7z").why == [("z.7z", Why.DAMAGED)]
    broken = bytearray(data)
    broken[len(data) // 2] ^= 0xFF
    found = read(bytes(broken), "z.7z")
    assert found.why == [("z.7z!b.txt", Why.DAMAGED), ("z.7z!c.txt", Why.DAMAGED)] and said(found)["z.7z!a.txt"] == TEXT


def test_7z_bombs() -> None:
    data = sevenzipped({"a.txt": "Ole", "nul": b"\0" * 90_000_000, "b.txt": "Bo"})
    with at_most(80):
        found = read(data, "z.7z")
    assert found.why == [("z.7z!nul", Why.TOO_LARGE), ("z.7z!b.txt", Why.TOO_LARGE)] and said(found) == {"z.7z!a.txt": "Ole"}
    few = read(sevenzipped({f"{n}.txt": "Ole" for n in range(9)}), "z.7z", Limits(archive_members=5))
    assert len(few.texts) == 5 and few.why == [("z.7z", Why.TOO_LARGE)]
    hungry = sevenzipped({"a.txt": "Ole"}, filters=[{"id": py7zr.FILTER_LZMA2, "dict_size": 2**24}])
    assert read(hungry, "z.7z", Limits(unit_memory=2**20)).why == [("z.7z!a.txt", Why.TOO_LARGE)]


def test_7z_names_and_links(tmp_path: Path) -> None:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w") as archive:
        archive.set_encoded_header_mode(False)
        archive.writestr(TEXT, "xx/xx/etc/x")
    data = out.getvalue().replace("xx/xx".encode("utf-16-le"), "../..".encode("utf-16-le"))
    at, size = struct.unpack("<QQ", data[12:28])
    start = data[12:28] + struct.pack("<L", zlib.crc32(data[32 + at : 32 + at + size]))
    data = data[:8] + struct.pack("<L", zlib.crc32(start)) + start + data[32:]
    assert said(read(data, "z.7z")) == {"z.7z!../../etc/x": TEXT}
    (tmp_path / "link").symlink_to("/etc/passwd")
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w") as archive:
        archive.write(tmp_path / "link", "link")
    assert [(p.object, p.why, p.detail) for p in read(out.getvalue(), "z.7z").problems] == [
        ("z.7z!link", Why.UNSUPPORTED, "symbolic link, not followed")
    ]


# --- tar ----------------------------------------------------------------------------------------------------------


def entry(name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", link: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, link, len(data)
        archive.addfile(info, io.BytesIO(data))
        size = archive.offset
    return out.getvalue()[:size]


END = b"\0" * 1024


def test_tar_links_and_devices() -> None:
    data = (
        entry("a.txt", data=TEXT.encode()) + entry("hard", tarfile.LNKTYPE, link="./a.txt") + entry("lost", tarfile.LNKTYPE, link="other")
    )
    data += entry("soft", tarfile.SYMTYPE, link="/etc/passwd") + entry("tty", tarfile.CHRTYPE) + entry("disk", tarfile.BLKTYPE)
    data += (
        entry("pipe", tarfile.FIFOTYPE) + entry("folder", tarfile.DIRTYPE) + entry("odd", b"Z", b"Ib") + entry("b.txt", data=b"Bo") + END
    )
    found = read(data, "x.tar")
    assert said(found) == {"x.tar!a.txt": TEXT, "x.tar!odd": "Ib", "x.tar!b.txt": "Bo"}
    assert [(o.object, o.kind) for o in found.opened] == [
        ("x.tar", "tar"), ("x.tar!a.txt", "txt"), ("x.tar!hard", "link"), ("x.tar!odd", "txt"), ("x.tar!b.txt", "txt"),
    ]  # fmt: skip
    assert [(p.object, p.why) for p in found.problems] == [
        (f"x.tar!{name}", Why.UNSUPPORTED) for name in ("lost", "soft", "tty", "disk", "pipe")
    ]
    assert not any("passwd" in p.detail for p in found.problems)


def test_tar_that_breaks_off() -> None:
    one, two, three = entry("a.txt", data=b"Ole"), entry("b.txt", data=b"x" * 900), entry("c.txt", data=b"Bo")
    whole = one + two + three + END
    for size in range(600, len(whole) - 1024, 97):
        found = read(whole[:size], "x.tar")
        assert Why.DAMAGED in [why for _, why in found.why], size
    damaged = read(one + b"?" * 512 + two + three + END, "x.tar")
    assert damaged.why == [("x.tar", Why.DAMAGED)] and said(damaged)["x.tar!c.txt"] == "Bo"
    assert said(read(one + END + END + three + END, "x.tar")) == {"x.tar!a.txt": "Ole", "x.tar!c.txt": "Bo"}
    assert read(one + three, "x.tar").why == [("x.tar", Why.DAMAGED)]


def test_tar_headers_without_end() -> None:
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
        data = gzip.compress(entry("x", kind, b"x" * 9_000_000) + entry("a.txt", data=b"Ole") + END)
        with at_most(8):
            found = read(data, "x.tar.gz", Limits(archive_ratio=10**6))
        assert found.why == [("x.tar.gz", Why.TOO_LARGE)]


def test_tar_holes(tmp_path: Path) -> None:
    if not shutil.which("tar"):
        pytest.skip("the program tar is not installed")
    with (tmp_path / "hole.bin").open("wb") as file:
        file.truncate(2**36)
        file.write(b"Ole")
    (tmp_path / "b.txt").write_text("Bo")
    made = subprocess.run(["tar", "-cSf", "-", "hole.bin", "b.txt"], cwd=tmp_path, capture_output=True, check=True).stdout
    if len(made) > 10**6:
        pytest.skip("the tar of this system keeps no holes")
    found = read(made, "x.tar")
    assert found.why == [("x.tar!hole.bin", Why.TOO_LARGE)] and said(found) == {"x.tar!b.txt": "Bo"}


def test_tar_names() -> None:
    def named(raw: bytes) -> bytes:
        block = bytearray(entry("x" * len(raw), data=b"Ole"))
        block[: len(raw)] = raw
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block[:512])
        return bytes(block) + END

    assert list(said(read(named("Søren.txt".encode()), "x.tar"))) == ["x.tar!Søren.txt"]
    assert list(said(read(named("Søren.txt".encode("latin-1")), "x.tar"))) == ["x.tar!Søren.txt"]
    assert list(said(read(named(b"../../etc/x"), "x.tar"))) == ["x.tar!../../etc/x"]
    twice = entry("a.txt", data=b"Ole") + entry("a.txt", data=b"Bo") + END
    assert said(read(twice, "x.tar")) == {"x.tar!a.txt": "Ole", "x.tar!a.txt (2)": "Bo"}


# --- the rest -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"Rar!\x1a\x07\x01\0" + b"\0" * 99, "rar"), (b"MSCF" + b"\0" * 99, "cab"), (b"!<arch>\ndebian-binary   " + b"\0" * 99, "ar"),
        (b"0707010000000A" + b"0" * 90 + b"a.txt\0\0\0", "cpio"), (b"\0" * 32769 + b"CD001" + b"\0" * 999, "iso"),
    ],
)  # fmt: skip
def test_archives_that_are_not_opened(data: bytes, kind: str) -> None:
    found = read(data, "a.bin")
    assert found.why == [("a.bin", Why.UNSUPPORTED)] and found.problems[0].detail.endswith(kind)


def test_a_list_of_numbers_is_no_archive() -> None:
    assert "070761-4285" in read("070701-1234\n070761-4285\n", "cpr.txt").texts[0][3]


WHOLE = {
    "zip": zipped({"a.txt": TEXT, "b.txt": "Bo" * 99}), "7z": sevenzipped({"a.txt": TEXT, "b.txt": "Bo"}), "tar": tarred({"a.txt": b"Ole", "b": b"x" * 999}),
    "aes": encrypted(password="x", a=TEXT), "locked": sevenzipped({"a.txt": TEXT}, password="x"), **{ending: pack(TEXT.encode()) for ending, pack in PACKERS.items()},
}  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_damaged_archives_never_raise(kind: str, data: st.DataObject) -> None:
    whole = WHOLE[kind]
    broken = bytearray(whole[: data.draw(st.integers(1, len(whole)))])
    for _ in range(data.draw(st.integers(0, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    assert Opening(bytes(broken), "a.bin", "x").opened[0].object == "a.bin"
