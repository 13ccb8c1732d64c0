"""Telegram exports: `result.json` (one chat or all of an account) and `messages.html`, as Telegram Desktop writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from scanner.extract import chat_json
from scanner.extract.chat import Messages
from scanner.extract.chat_json import Path, items, leaves, many, string
from scanner.extract.markup import local
from scanner.extract.text import decoded
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

_DULL = frozenset({
    "id", "type", "date", "date_unixtime", "from", "from_id", "text", "text_entities", "edited", "edited_unixtime", "actor", "actor_id",
    "reply_to_message_id", "reply_to_peer_id", "width", "height", "duration_seconds", "mime_type", "media_type", "file", "photo",
    "file_name",
    "thumbnail", "file_size", "photo_file_size", "thumbnail_file_size", "action", "forwarded_from", "members", "contact_information",
    "sticker_emoji",
})  # fmt: skip
_LISTS = {("chats",), ("left_chats",), ("contacts",), ("sessions",), ("web_sessions",), ("frequent_contacts",)}


def read_json(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """An export as JSON. The record of a message is `message=7`, in an export of many chats `chat=42,message=7`."""
    chat: dict[str, str] = {}
    numbers: dict[Path, int] = {}

    def enters(path: Path) -> bool:
        inside = path[2:] if path[:1] in (("chats",), ("left_chats",)) else None
        return not path or path == ("messages",) or (path[:1] in _LISTS and len(path) < 3) or inside in (("*",), ("*", "messages"))

    def take(messages: Messages, path: Path, value: Any) -> None:
        if path[-2:] == ("messages", "*"):
            number = string(items(value).get("id"))
            _message(
                messages, f"chat={chat['id']},message={number}" if len(path) > 2 and "id" in chat else f"message={number}", items(value)
            )
        elif path[-1] in ("name", "type", "id") and (len(path) == 1 or path[1:3] == ("list", "*")):
            if path[-1] == "name" or (path[-1] == "type" and len(path) == 1):
                chat.pop("id", None)
            chat[path[-1]] = string(value)
            if path[-1] == "id":
                messages.value(f"chat={chat['id']}", "chat", chat.pop("name", ""))
        else:
            numbers[path] = numbers.get(path, 0) + 1
            record = f"item={numbers[path]}" if "*" in path else ""
            for name, text in leaves(".".join(step for step in path if step != "*"), value):
                messages.value(record, name, text)

    yield from chat_json.read(blob, walk, enters, take)


def _message(messages: Messages, record: str, message: dict[str, Any]) -> None:
    cells = {
        "sender": string(message.get("from")) or string(message.get("actor")),
        "time": string(message.get("date")).replace("T", " "),
        "edited": string(message.get("edited")).replace("T", " "),
        "forwarded from": string(message.get("forwarded_from")),
        "event": string(message.get("action")),
    }
    contact = items(message.get("contact_information"))
    cells["contact name"] = f"{string(contact.get('first_name'))} {string(contact.get('last_name'))}".strip()
    cells["contact phone"] = string(contact.get("phone_number"))
    texts = [("text", _text(message.get("text")))]
    texts += [
        ("file", string(message.get(key))) for key in ("file_name", "file", "photo") if "not included" not in string(message.get(key))
    ]
    texts += [("member", string(member)) for member in many(message.get("members"))]
    texts += leaves("", tuple(pair for pair in message.items() if pair[0] not in _DULL))
    messages.add(record, cells, texts)


def _text(value: Any) -> str:
    """A text, or the pieces of one: marked pieces are objects with a text, and a link's address where it is hidden."""
    pieces = []
    for piece in value if isinstance(value, list) else [value]:
        part = items(piece)
        pieces.append(string(piece) or string(part.get("text")) + (f" ({part['href']})" if isinstance(part.get("href"), str) else ""))
    return "".join(pieces)


def read_html(blob: Blob, _walk: Walk) -> Iterator[Reading]:
    """A page of an export as HTML."""
    from lxml import etree

    messages = Messages(blob.object)
    page = _Page(messages)
    parser = etree.HTMLParser(target=page, encoding="utf-8", huge_tree=True, no_network=True)
    try:
        for chunk in decoded(blob.stream):
            for at in range(0, len(chunk), 65_536):
                parser.feed(chunk[at : at + 65_536].replace("\0", " ").encode("utf-8", "replace"))
                yield from messages.full()
        parser.close()
    except etree.LxmlError:
        yield Problem(blob.object, Why.DAMAGED, "the HTML could not be read to its end")
    page.flush()
    yield from messages.rest()


_PLACES = {"from_name": "sender", "text": "text", "forwarded": "forwarded from", "title": "file", "description": "file", "status": "file"}


class _Page:
    """Collects messages from the boxes of a page; text outside of them is kept too."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._open: list[str] = []  # what each open element is, innermost last
        self._record = self._sender = self._time = ""
        self._parts: list[tuple[str, list[str]]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name, classes = local(tag).lower(), attributes.get("class", "").split()
        if name in ("br", "img", "input", "meta", "link", "hr"):
            if name == "br":
                self._write("\n")
            return
        place = next((_PLACES[one] for one in classes if one in _PLACES), "")
        if name == "div" and "message" in classes:
            self.flush()
            number = re.search(r"-?\d+", attributes.get("id", ""))
            self._record = f"message={number[0]}" if number else ""
            if "joined" not in classes:
                self._sender = ""
        elif "date" in classes and attributes.get("title"):
            self._time = attributes["title"]
            place = "dull"
        elif "initials" in classes or "pull_right" in classes or name in ("script", "style"):
            place = "dull"
        elif name == "a" and (link := attributes.get("href", "")) and not link.startswith(("#", "javascript:")):
            self._parts.append(("file" if "://" not in link and ":" not in link else "link", [link.removeprefix("mailto:")]))
        if "forwarded" in classes:
            place = ""
        if place and place != "dull":
            self._parts.append((place, []))
        inherited = self._open[-1] if self._open else ""
        self._open.append(place or inherited)

    def end(self, tag: str) -> None:
        if local(tag).lower() not in ("br", "img", "input", "meta", "link", "hr") and self._open:
            self._open.pop()

    def data(self, data: str) -> None:
        self._write(data if data.strip() else " ")

    def _write(self, data: str) -> None:
        place = (self._open[-1] if self._open else "") or "text"
        at = next((part for part in reversed(self._parts) if part[0] == place), None)
        if at is None and place != "dull" and not data.isspace():
            at = (place, [])
            self._parts.append(at)
        if at is not None:
            at[1].append(data)

    def comment(self, text: str) -> None:
        """Comments of the program that wrote the page."""

    def pi(self, target: str, data: str | None = None) -> None:
        """Processing instructions say nothing about people."""

    def close(self) -> None:
        self.flush()

    def flush(self) -> None:
        """The message is complete."""
        found = [(name, re.sub(r"[ \n]*\n[ \n]*", "\n", "".join(pieces)).strip()) for name, pieces in self._parts]
        senders = [text for name, text in found if name == "sender" and text]
        self._sender = senders[0] if senders else self._sender
        others = [(name, text) for name, text in found if name != "sender" and text]
        others += [("forwarded from", text) for text in senders[1:]]
        if others or senders:
            self._messages.add(self._record, {"sender": self._sender, "time": self._time}, others)
        self._parts, self._time = [], ""
