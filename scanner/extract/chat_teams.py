"""Microsoft Teams and Skype as JSON: the personal export (`messages.json`) and `chatMessage` of the Teams export API.

Purview's eDiscovery gives conversations as web pages or mails, whose layout is not documented: they are read as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scanner.extract import chat_json
from scanner.extract.chat import Messages
from scanner.extract.chat_json import Path, items, leaves, many, string
from scanner.extract.markup import page_of
from scanner.extract.walk import Walk
from scanner.model import Blob, Reading

_PERSONAL = frozenset({"id", "displayName", "originalarrivaltime", "messagetype", "version", "content", "conversationid", "from",
    "clientmessageid",
                       "composetime", "imdisplayname", "type", "contenttype", "conversationLink", "sequenceId"})  # fmt: skip
_GRAPH = frozenset({"id", "messageType", "createdDateTime", "lastModifiedDateTime", "lastEditedDateTime", "from", "body", "attachments",
    "mentions",
                    "reactions", "etag", "replyToId", "chatId", "importance", "locale", "channelIdentity", "@odata.type", "@odata.context",
                    "deletedDateTime", "policyViolation"})  # fmt: skip
_CONVERSATIONS = ((), ("conversations",), ("conversations", "*"), ("conversations", "*", "MessageList"))
_LISTS = ("messages", "value", "replies")


def read(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """A conversation or all of an account's. The record of a message is `message=ID`, with `chat=ID,` where the export names the chat."""
    chat = ""

    def enters(path: Path) -> bool:
        return path in _CONVERSATIONS or (len(path) == 1 and path[0] in _LISTS)

    def take(messages: Messages, path: Path, value: Any) -> None:
        nonlocal chat
        message = items(value)
        if path[:2] == ("conversations", "*") and path[2:] == ("id",):
            chat = string(value)
        elif path[-1] == "*" and "content" in message:
            _personal(messages, chat, message)
        elif path[-1] == "*" and "body" in message:
            _exported(messages, message)
        else:
            record = f"chat={chat}" if path[:1] == ("conversations",) else ""
            for name, text in leaves(".".join(step for step in path if step not in ("*", "conversations")), value):
                messages.value(record, name, text)

    yield from chat_json.read(blob, walk, enters, take)


def _personal(messages: Messages, chat: str, message: dict[str, Any]) -> None:
    sender = string(message.get("displayName")) or string(message.get("imdisplayname"))
    address = string(message.get("from"))
    cells = {"sender": sender or address, "sender id": address, "time": string(message.get("originalarrivaltime"))}
    texts = _texts(string(message.get("content")))
    texts += leaves("", tuple(pair for pair in message.items() if pair[0] not in _PERSONAL))
    number = string(message.get("id"))
    messages.add(f"chat={chat},message={number}" if chat else f"message={number}", cells, texts)


def _exported(messages: Messages, message: dict[str, Any]) -> None:
    """A `chatMessage` of Microsoft Graph, with its replies."""
    cells = {"sender": _identity(message.get("from")), "time": string(message.get("createdDateTime"))}
    body = items(message.get("body"))
    content = string(body.get("content"))
    texts = _texts(content) if string(body.get("contentType")) == "html" else [("text", content)]
    for attachment in map(items, many(message.get("attachments"))):
        texts += [("file", string(attachment.get(key))) for key in ("name", "contentUrl")]
        texts += _texts(string(attachment.get("content")), "attachment")
    texts += [("mention", string(items(mention).get("mentionText"))) for mention in many(message.get("mentions"))]
    texts += [("reaction", _identity(items(reaction).get("user"))) for reaction in many(message.get("reactions"))]
    replies = many(message.get("replies"))
    texts += leaves("", tuple(pair for pair in message.items() if pair[0] not in _GRAPH and not (pair[0] == "replies" and replies)))
    chat, number = string(message.get("chatId")), string(message.get("id"))
    messages.add(f"chat={chat},message={number}" if chat else f"message={number}", cells, texts)
    for reply in map(items, replies):
        _exported(messages, reply)


def _identity(value: Any) -> str:
    """The name of a user, an application or a device."""
    for kind in ("user", "application", "device", "conversation"):
        identity = items(items(value).get(kind))
        if name := string(identity.get("displayName")) or string(identity.get("userPrincipalName")) or string(identity.get("id")):
            return name
    return ""


def _texts(content: str, name: str = "text") -> list[tuple[str, str]]:
    """A text that may be HTML, and what its elements hold besides."""
    if "<" not in content and "&" not in content:
        return [(name, content)]
    page = page_of(content)
    return [(name, page.text), *((f"{name}/{other}", value) for other, value in page.others)]
