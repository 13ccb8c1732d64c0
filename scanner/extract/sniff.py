"""What a file is, told from its content; its name decides only where the content leaves it open."""

from __future__ import annotations

import re
import zipfile
from pathlib import PurePosixPath
from typing import NamedTuple

from scanner.extract import chat, dumps_kind, ole, smime
from scanner.extract.text import HEAD, Encoding, decoded, encoding_of
from scanner.model import Blob


class Kind(NamedTuple):
    """A kind of content by name; for what cannot be read, `detail` says in our words what it is."""

    name: str
    detail: str = ""


_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "pdf"), (0, b"SQLite format 3\0", "sqlite"), (0, b"PAR1", "parquet"), (0, b"{\\rtf", "rtf"),
    (0, b"\x1f\x8b", "gz"), (0, b"BZh", "bz2"), (0, b"\xfd7zXZ\0", "xz"), (257, b"ustar", "tar"),
    (0, b"ARROW1\0\0", "arrow"), (0, b"ORC", "orc"), (0, b"Obj\x01", "avro"),
    (0, b"PK\x03\x04", "zip"), (0, b"PK\x05\x06", "zip"), (0, b"PK\x07\x08", "zip"), (0, ole.MAGIC, "ole"),
    (0, b"!BDN", "pst"), (0, b"\x78\x9f\x3e\x22", "tnef"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"), (0, b"\x28\xb5\x2f\xfd", "zstd"),
)  # fmt: skip
_ARCHIVE = "archive of a kind that is not opened"
_PICTURE = "image; no text recognition yet"
_SOUND = "sound; no speech recognition yet"
_FILM = "video; not read"
_PROGRAM = "program; not read"
_CLOSED: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x89PNG\r\n", "image", _PICTURE), (0, b"\xff\xd8\xff", "image", _PICTURE), (0, b"GIF8", "image", _PICTURE),
    (0, b"II*\0", "image", _PICTURE), (0, b"MM\0*", "image", _PICTURE), (8, b"WEBP", "image", _PICTURE),
    (0, b"\0\0\1\0", "image", _PICTURE), (0, b"8BPS", "image", _PICTURE), (0, b"\0\0\0\x0cjP  ", "image", _PICTURE),
    (0, b"AT&TFORM", "image", _PICTURE), (0, b"\xd7\xcd\xc6\x9a", "image", _PICTURE), (40, b" EMF", "image", _PICTURE),
    (4, b"ftypheic", "image", _PICTURE), (4, b"ftypavif", "image", _PICTURE), (4, b"ftypmif1", "image", _PICTURE),
    (0, b"ID3", "sound", _SOUND), (8, b"WAVE", "sound", _SOUND), (0, b"OggS", "sound", _SOUND),
    (0, b"fLaC", "sound", _SOUND), (4, b"ftypM4A", "sound", _SOUND), (0, b"\xff\xfb", "sound", _SOUND),
    (0, b"MThd", "sound", _SOUND), (0, b"#!AMR", "sound", _SOUND), (4, b"ftyp", "video", _FILM),
    (8, b"AVI ", "video", _FILM), (0, b"\x1aE\xdf\xa3", "video", _FILM), (0, b"0&\xb2u\x8ef\xcf\x11", "video", _FILM),
    (0, b"\0\0\1\xba", "video", _FILM), (0, b"FLV\1", "video", _FILM), (0, b"\x7fELF", "program", _PROGRAM),
    (0, b"\xca\xfe\xba\xbe", "program", _PROGRAM), (0, b"\xcf\xfa\xed\xfe", "program", _PROGRAM),
    (0, b"\0asm", "program", _PROGRAM),
    (0, b"Rar!\x1a\x07", "archive", f"{_ARCHIVE}: rar"),
    (0, b"MSCF", "archive", f"{_ARCHIVE}: cab"), (0, b"\x04\x22\x4d\x18", "archive", f"{_ARCHIVE}: lz4"),
    (0, b"OTTO", "font", "font; not read"), (0, b"\0\1\0\0\0", "font", "font; not read"),
    (0, b"wOF", "font", "font; not read"),
)  # fmt: skip
_BINARY: tuple[tuple[int, bytes, str], ...] = (
    (0, b"!<arch>\n", "ar"), (0, b"070701", "cpio"), (0, b"070702", "cpio"), (0, b"070707", "cpio"), (0, b"\xc7\x71", "cpio"),
    (32769, b"CD001", "iso"), (0, b"LZIP", "lzip"), (0, b"\x1f\x9d", "compress"), (0, b"MSWIM", "wim"), (2, b"-lh5-", "lha"),
    (0, b"\x60\xea", "arj"), (0, b"xar!", "xar"), (0, b"hsqs", "squashfs"),
)  # fmt: skip
"""Archives that begin as a text could: a list of CPR numbers may well begin with 070701."""
_MAIN_PARTS = (("wordprocessingml", "docx"), ("presentationml", "pptx"), ("spreadsheetml", "xlsx"),
               ("ms-excel", "xlsx"), ("ms-word", "docx"), ("ms-powerpoint", "pptx"))  # fmt: skip
_MIMETYPES = {"application/vnd.oasis.opendocument.text": "odt", "application/vnd.oasis.opendocument.spreadsheet": "ods",
              "application/vnd.oasis.opendocument.presentation": "odp", "application/epub+zip": "epub",
              "application/vnd.oasis.opendocument.graphics": "odp"}  # fmt: skip
_HEADERS = re.compile(
    r"(?im)^(?:from|to|cc|subject|received|message-id|date|return-path|mime-version|delivered-to|content-type|"
    r"reply-to|x-[\w-]+|in-reply-to|sender|dkim-signature|authentication-results|thread-topic)[ \t]*:"
)
_HEADER_LINES = re.compile(r"\A(?:[!-9;-~]+[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*)+")
_MBOX = re.compile(r"From [^\n]*\d\d:\d\d[^\n]*\r?\n[!-9;-~]+:")
_HTML = re.compile(r"(?i)<(?:!doctype\s+html|html|head|body|title|meta|div|table|p|span|font|center|a|h[1-6]|ul|br)\b")
_LEAD = re.compile(r"(?s)\A\s*(?:<\?xml.*?\?>|<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^>\[]*(?:\[.*?\])?\s*>|\s+)*")
_CARD = re.compile(r"(?i)BEGIN:V(?:CALENDAR|CARD|EVENT)[ \t]*\r?\n")
_MAILDIR = frozenset({"cur", "new", "tmp"})
"""The folders of a Maildir: a file in them is a mail, whatever it is called."""
_LOGS = frozenset({".log", ".out", ".err"})
_MARKED = frozenset({".md", ".markdown", ".mdown", ".qmd", ".rmd"})


def kind_of(blob: Blob) -> Kind:
    """What the blob holds. Raises `OSError` when its bytes cannot be had."""
    blob.stream.seek(0)
    head = blob.stream.read(HEAD)
    if not head:
        return Kind("empty")
    for at, magic, name in _MAGIC:
        if head.startswith(magic, at):
            return _zip_kind(blob) if name == "zip" else ole.kind_of(blob) if name == "ole" else Kind(name)
    if head.startswith(b"\xff\xff\xff\xff") and head[6:8] == b"\0\0" and head[4:6] != b"\0\0" and head[4] % 8 == 0:
        return Kind("arrow")
    if b"%PDF-" in head[:1024]:
        return Kind("pdf")
    for at, magic, name, detail in _CLOSED:
        if head.startswith(magic, at):
            return Kind(name, detail)
    if head.startswith(b"MZ") and b"\0" in head:
        return Kind("program", _PROGRAM)
    if head.startswith(b"BM") and int.from_bytes(head[2:6], "little") == blob.size:
        return Kind("image", _PICTURE)
    if smime.is_smime(head):
        return Kind("smime")
    if head.startswith(b"-----BEGIN PGP MESSAGE-----") or (suffix_of(blob) in (".gpg", ".pgp") and head[0] & 0x80):
        return Kind("encrypted", "encrypted with PGP")
    encoding = encoding_of(head)
    if encoding is None:
        for at, magic, name in _BINARY:
            if head.startswith(magic, at):
                return Kind("archive", f"{_ARCHIVE}: {name}")
        if dumps_kind.is_dump(head.decode("latin-1"), suffix_of(blob)):
            return Kind("sql")
        return tar_kind(head) or Kind("unknown", "binary content of an unknown kind")
    return Kind(_text_kind(blob, encoding))


def suffix_of(blob: Blob) -> str:
    """The ending of the blob's name, in small letters, with its dot."""
    return PurePosixPath(blob.object).suffix.lower()


def _zip_kind(blob: Blob) -> Kind:
    from scanner.extract.containers import LIST_BYTES, list_bytes

    if list_bytes(blob.stream) > LIST_BYTES:
        return Kind("zip")
    try:
        with zipfile.ZipFile(blob.stream) as archive:
            names = set(archive.namelist())
            if chat.is_slack(names):
                return Kind("slack export")
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                mimetype = archive.read("mimetype").decode("ascii", "replace").strip()
                for start, name in _MIMETYPES.items():
                    if mimetype.startswith(start):
                        return Kind(name)
            if "[Content_Types].xml" in names and archive.getinfo("[Content_Types].xml").file_size < 2**22:
                types = archive.read("[Content_Types].xml").decode("utf-8", "replace")
                for override in re.findall(r"<(?:\w+:)?(?:Override|Default)\b[^>]*", types):
                    for mark, name in _MAIN_PARTS:
                        if mark in override and ("main+xml" in override or "binary.macroEnabled.main" in override):
                            return Kind(name)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, EOFError):
        pass  # the zip reader says what is wrong with it
    return Kind("zip")


def tar_kind(head: bytes) -> Kind | None:
    """An old tar without a mark: the first header's checksum must be right."""
    block = head[:512]
    try:
        claimed = int(block[148:156].split(b"\0")[0].strip() or b"x", 8)
    except ValueError:
        return None
    return Kind("tar") if claimed == sum(block) - sum(block[148:156]) + 8 * 32 else None


def _text_kind(blob: Blob, encoding: Encoding) -> str:
    blob.stream.seek(0)
    text = next(decoded(blob.stream, encoding, HEAD), "")
    complete = blob.size <= HEAD
    suffix = PurePosixPath(blob.object).suffix.lower()
    if dumps_kind.is_dump(text, suffix):
        return "sql"
    if kind := chat.kind_of(text, suffix, blob.object):
        return kind
    start = text.lstrip()
    if start.startswith("<"):
        body = text[_LEAD.match(text).end() :] if _LEAD.match(text) else start  # type: ignore[union-attr]
        if re.match(r"(?i)\s*<!doctype\s+html|\s*<html", start) or re.match(r"(?i)<html\b", body):
            return "html"
        if start.startswith("<?xml") or re.match(r"<([A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*[^<>]*\sxmlns\b", body):
            return "xml"
        if _HTML.match(body) and suffix not in _MARKED:
            return "html"
        if suffix in (".xml", ".xsd", ".xsl", ".svg", ".opml", ".fb2", ".kml", ".gpx", ".rss", ".plist"):
            return "xml"
        if re.match(r"<([A-Za-z_][\w.:-]*)[^<>]*>", body) and suffix not in _MARKED and _closes(text, body, complete):
            return "xml"
    if _CARD.match(start):
        return "calendar"
    if _MBOX.match(start):
        return "mbox"
    if suffix == ".emlx" and re.match(r"\d+[ \t]*\r?\n", start):
        return "emlx"
    if _HEADER_LINES.match(start) and PurePosixPath(blob.object).parent.name in _MAILDIR and _HEADERS.match(start):
        return "eml"
    if (headers := _HEADER_LINES.match(start)) and suffix not in _MARKED:
        known = {h.rstrip(" :\t").lower() for h in _HEADERS.findall(headers[0])}
        if len(known) >= 3 or (len(known) == 2 and suffix == ".eml") or known >= {"from", "subject"}:
            return "eml"
    if suffix == ".eml" and start:
        return "eml"
    return _data_kind(text, start, complete, suffix)


def _closes(text: str, body: str, complete: bool) -> bool:
    """Markup without any declaration: its root must close at the end, if the end is in sight."""
    name = re.match(r"<([A-Za-z_][\w.:-]*)", body)
    return not complete or (name is not None and text.rstrip().endswith((f"</{name[1]}>", "/>")))


def _data_kind(text: str, start: str, complete: bool, suffix: str) -> str:
    from scanner.extract import tabular, trees

    if start[:1] in ("{", "["):
        if trees.is_json_lines(start, complete, suffix in (".jsonl", ".ndjson")):
            return "jsonl"
        if trees.is_json(start, complete):
            return "json"
    if suffix in (".yaml", ".yml") or start.startswith("%YAML"):
        return "yaml"
    if suffix in (".html", ".htm", ".xhtml") and _HTML.search(text):
        return "html"
    if suffix in _MARKED:
        return "md"
    if suffix in _LOGS:
        return "log"
    if tabular.dialect_of(text, complete, suffix) is not None:
        return "csv"
    return "txt"
