"""Slack exports: a folder or zip archive with `users.json`, lists of channels, and a folder a channel with a file a day.

The format is described in Slack's help centre, "How to read Slack data exports", and in the reference of message events.
"""

from __future__ import annotations

import html
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from scanner.extract import chat_json, containers
from scanner.extract.chat import Messages, moment
from scanner.extract.chat_json import items, leaves, many, string
from scanner.extract.walk import Walk
from scanner.model import Blob, Reading

_LARGEST_LIST = 64 * 2**20
_REFERENCE = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_ID = re.compile(r"[UWB][A-Z0-9]{2,}\Z")
_DULL = frozenset({
    "type", "ts", "user", "text", "team", "user_team", "source_team", "client_msg_id", "blocks", "bot_id", "app_id", "thread_ts", "edited",
    "user_profile", "files", "file", "attachments", "reactions", "replies", "reply_users", "parent_user_id", "bot_profile", "username",
    "latest_reply", "event_ts", "icons", "subtype", "inviter", "message", "previous_message", "original", "root", "room", "channel",
    "comment", "deleted_ts", "hidden", "display_as_bot", "upload", "members", "user_ids", "last_read", "reply_count", "hash",
})  # fmt: skip
"""Parts of a message that are read on their own, or that say nothing about people."""
_FILE_DULL = re.compile(
    r"thumb|pjpeg|deanimate|original_[wh]|mimetype|filetype|pretty_type|created|timestamp|size|mode|editable|file_access|user|id|is_|has_|"
    r"public_|display_as_bot|external_type|media_display|image_exif|skipped|vtt|hls|mp4|lines"
)


@dataclass(frozen=True, slots=True)
class Directory:
    """Who the users of a workspace are, by their ids."""

    users: dict[str, str]

    @classmethod
    def of(cls, data: bytes) -> Directory:
        """Read `users.json`; what is no list of users names nobody."""
        try:
            users = json.loads(data)
        except (ValueError, RecursionError):
            return cls({})
        return cls({user["id"]: name for user in _objects(users) if isinstance(user.get("id"), str) and (name := _person(user))})

    def name(self, user: str) -> str:
        """The name of a user, or else the id."""
        return self.users.get(user, user)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _person(user: dict[str, Any]) -> str:
    profile = user.get("profile")
    places = (profile if isinstance(profile, dict) else {}, user)
    names = (place.get(key) for key in ("real_name", "display_name", "name") for place in places)
    return next((name for name in names if isinstance(name, str) and name), "")


class _Opener:
    """Opens the members of an export; its readers find the directory here."""

    def __init__(self, inner: Callable[[Blob], Iterator[Reading]], directory: Directory) -> None:
        self._inner, self.directory = inner, directory

    def __call__(self, blob: Blob) -> Iterator[Reading]:
        return self._inner(blob)


def read_zip(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """A whole export: its members like those of any zip archive, with the users' names at hand."""
    inner = walk.open
    walk.open = _Opener(inner, _directory_in(blob))
    try:
        yield from containers.read_zip(blob, walk)
    finally:
        walk.open = inner


def _directory_in(blob: Blob) -> Directory:
    try:
        with zipfile.ZipFile(blob.stream) as archive:
            name = min((name for name in archive.namelist() if name.rpartition("/")[2] == "users.json"), key=len)
            if archive.getinfo(name).file_size <= _LARGEST_LIST:
                return Directory.of(archive.read(name))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, EOFError, OSError):
        pass  # the reader of the archive says what is wrong with it
    return Directory({})


def _directory(blob: Blob, walk: Walk) -> Directory:
    """The users that belong to a file: of its archive, or of the folder that its channel's folder lies in."""
    if isinstance(walk.open, _Opener):
        return walk.open.directory
    if blob.path is None:
        return Directory({})
    for folder in (blob.path.parent.parent, blob.path.parent):
        path = folder / "users.json"
        try:
            entry = path.lstat()
            if path.is_file() and not path.is_symlink() and entry.st_size <= _LARGEST_LIST:
                return _from_disk(path, entry.st_mtime_ns)
        except OSError:
            continue
    return Directory({})


@lru_cache(maxsize=4)
def _from_disk(path: Path, _changed: int) -> Directory:
    return Directory.of(path.read_bytes())


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """One day of one channel. The record of a message is its time stamp, `ts=1712345678.123456`."""
    directory = _directory(blob, walk)

    def take(messages: Messages, _: tuple[str, ...], value: Any) -> None:
        _message(messages, directory, items(value))
        if not isinstance(value, tuple):
            for name, text in leaves("", value):
                messages.value("", name, text)

    yield from chat_json.read(blob, walk, lambda path: not path, take)


def read_list(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """A list of channels: who is in them and who made them, by name."""
    directory = _directory(blob, walk)

    def take(messages: Messages, _: tuple[str, ...], value: Any) -> None:
        channel = items(value)
        record = f"channel={string(channel.get('id'))[:40]}"
        cells = {"name": string(channel.get("name")), "creator": directory.name(string(channel.get("creator")))}
        texts = [("member", directory.name(string(member))) for member in many(channel.get("members"))]
        for key in ("topic", "purpose"):
            part = items(channel.get(key))
            texts.append((key, plain_text(string(part.get("value")), directory)))
        messages.add(record, cells, texts)
        rest = [pair for pair in channel.items() if pair[0] not in ("id", "name", "creator", "members", "topic", "purpose", "created")]
        for name, text in leaves("", tuple(rest)):
            messages.value(record, name, text)

    yield from chat_json.read(blob, walk, lambda path: not path, take)


def plain_text(text: str, directory: Directory) -> str:
    """A text of Slack's markup as people see it: names for ids, addresses without their brackets."""

    def shown(match: re.Match[str]) -> str:
        sign, target, label = match[1], match[2], match[3] or ""
        if sign == "@":
            return "@" + (directory.users.get(target) or label or target)
        if sign:
            return ("#" if sign == "#" else "@") + (label or target)
        target = target.removeprefix("mailto:").removeprefix("tel:")
        return target if not label or label == target else f"{label} ({target})"

    return html.unescape(_REFERENCE.sub(shown, text)) if "<" in text or "&" in text else text


def _message(messages: Messages, directory: Directory, message: dict[str, Any], prefix: str = "", record: str = "") -> None:
    """One message; what an edit or a removal keeps of older ones belongs to its record."""
    if not message:
        return
    stamp = string(message.get("ts"))
    record = record or f"ts={stamp}"
    cells = {"sender": _sender(message, directory), "time": moment(stamp)}
    for name, key in (("reply to", "parent_user_id"), ("inviter", "inviter")):
        cells[name] = directory.name(string(message.get(key)))
    texts = [("text", plain_text(string(message.get("text")), directory))]
    if not texts[0][1]:
        texts += [("text", text) for text in _blocks(message.get("blocks"), directory)]
    for file in [*many(message.get("files")), message.get("file")]:
        texts += [("file", html.unescape(text)) for name, text in leaves("", file) if not _FILE_DULL.match(name)]
    for attachment in many(message.get("attachments")):
        texts += _attachment(items(attachment), directory)
    for reaction in map(items, many(message.get("reactions"))):
        texts += [("reaction", directory.name(string(user))) for user in many(reaction.get("users"))]
    if edited := items(message.get("edited")):
        cells["edited by"], cells["edited"] = directory.name(string(edited.get("user"))), moment(edited.get("ts"))
    if comment := items(message.get("comment")):
        texts.append(("comment", plain_text(string(comment.get("comment")), directory)))
    rest = tuple(pair for pair in message.items() if pair[0] not in _DULL)
    texts += [(name, plain_text(text, directory)) for name, text in leaves("", rest)]
    messages.add(record, {prefix + name: value for name, value in cells.items()}, [(prefix + name, text) for name, text in texts])
    if not prefix:
        for key in ("message", "previous_message", "original"):
            _message(messages, directory, items(message.get(key)), f"{key.replace('_', ' ')}: ", record)


def _sender(message: dict[str, Any], directory: Directory) -> str:
    """Who wrote a message: by the directory, by what the message says itself, or by the id."""
    user = string(message.get("user"))
    if name := directory.users.get(user):
        return name
    profile, bot = items(message.get("user_profile")), items(message.get("bot_profile"))
    names = (profile.get("real_name"), profile.get("display_name"), message.get("username"), bot.get("name"), profile.get("name"))
    return next((name for name in map(string, names) if name), "") or user or string(message.get("bot_id"))


def _attachment(attachment: dict[str, Any], directory: Directory) -> list[tuple[str, str]]:
    """What stands in the box below a message: a preview of a link, or what a program sent."""
    dull = {"id", "ts", "color", "mrkdwn_in", "thumb_width", "thumb_height", "image_width", "image_height", "image_bytes", "service_icon",
            "footer_icon", "author_icon", "callback_id", "channel_id", "channel_team", "msg_subtype", "bot_id", "app_id",
            "thumb_url"}  # fmt: skip
    if attachment.get("text"):
        dull.add("fallback")
    found = leaves("attachment", tuple(pair for pair in attachment.items() if pair[0] not in dull))
    return [(name, plain_text(text, directory)) for name, text in found]


def _blocks(blocks: Any, directory: Directory) -> Iterator[str]:
    """The texts of a message that has only blocks."""
    line: list[str] = []
    for name, text in leaves("", blocks):
        last = name.rpartition(".")[2]
        if last in ("user_id", "text", "url", "value", "alt_text", "name") or (last == "user" and _ID.match(text)):
            line.append("@" + directory.name(text) if last == "user_id" else plain_text(text, directory))
    if line:
        yield "".join(line)
