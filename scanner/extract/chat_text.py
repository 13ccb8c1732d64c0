"""Chats as text: WhatsApp's exports of Android and iOS, signal-export's Markdown, and JSON lines of Signal tools.

None of them has a format description; the line forms are those of `chat.LINE`. A message is named by the line it begins in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from scanner.extract.chat import LINE, Messages, moment
from scanner.extract.chat_json import items, leaves, lines, many, string
from scanner.extract.text import CHUNK, Texts, decoded
from scanner.extract.trees import long_lines
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Shape, Why

_ATTACHED = re.compile(
    r"\A[\u200e\u200f ]*(?:<(?:vedhæftet|attached|Anhang|bilaga|bifogad|adjunto|pièce jointe) ?: ?([^>\n]+)>|"
    r"([^\n]{1,200}?\.\w{1,5}) \((?:fil(?:en)? (?:er )?vedhæftet|file attached|Datei angehängt|fil bifogad|fil vedlagt|vedlagt fil|"
    r"archivo adjunto|fichier joint)\))[ \r]*\n?"
)
_LINKED = re.compile(r"!?\[([^\]\n]{0,300})\]\(\./([^)\n]{0,500})\) *")
_REACTED = re.compile(r"\n\(- ([^\n]{1,1000}?) -\) *(?=\n|\Z)")
_LONGEST = CHUNK


def read(blob: Blob, _walk: Walk) -> Iterator[Reading]:
    """A chat line by line; what stands before the first message is text of its own."""
    messages = Messages(blob.object)
    head: re.Match[str] | None = None
    held: list[str] = []
    number = size = 0
    for at, line in enumerate(long_lines(decoded(blob.stream)), 1):
        if (match := LINE.match(line)) or size > _LONGEST:
            _message(messages, f"line={number or 1}", head, held)
            yield from messages.full()
            head, held, size = match or head, [], 0
            number = at
            if match is None:
                held.append(line)
        else:
            held.append(line)
            size += len(line)
    _message(messages, f"line={number or 1}", head, held)
    yield from messages.rest()


def _message(messages: Messages, record: str, head: re.Match[str] | None, more: list[str]) -> None:
    if head is None:
        messages.add(record, {}, [("text", "\n".join(more))])
        return
    sender = head[5] or ""
    text = "\n".join([head[6], *more]).replace("\r", "").strip("\n ")
    time = f"{head[1] or head[3]} {head[2] or head[4]}"
    texts: list[tuple[str, str]] = []
    if attached := _ATTACHED.match(text):
        texts.append(("file", (attached[1] or attached[2]).strip()))
        text = text[attached.end() :]
    elif re.fullmatch(r"[\u200e\u200f]*<[^<>\n]{3,40}>", text):
        texts.append(("file", text.strip("\u200e\u200f<>")))
        text = ""
    for linked in _LINKED.finditer(text):
        texts.append(("file", linked[1] or linked[2]))
    for reacted in _REACTED.finditer(text):
        texts.append(("reaction", reacted[1]))
    text = _REACTED.sub("", _LINKED.sub("", text)).strip()
    messages.add(record, {"sender": sender, "time": time}, [("text" if sender else "system", text), *texts])


def read_lines(blob: Blob, _walk: Walk) -> Iterator[Reading]:
    """Signal as JSON lines: `data.json` of signal-export, and what signal-cli receives."""
    messages = Messages(blob.object)
    broken = Texts(blob.object)
    failed = 0
    for number, line in enumerate(long_lines(decoded(blob.stream)), 1):
        record = f"line={number}"
        try:
            _signal(messages, record, items(lines(line.strip())) if line.strip() else {})
        except (ValueError, RecursionError):
            broken.add(record, "", line, Shape.PROSE)
            failed += 1
        yield from messages.full()
        yield from broken.full()
    yield from messages.rest()
    yield from broken.rest()
    if failed:
        yield Problem(blob.object, Why.DAMAGED, f"{failed} lines are not valid JSON; read as plain text")


def _signal(messages: Messages, record: str, entry: dict[str, Any]) -> None:
    if not entry:
        return
    envelope = items(entry.get("envelope"))
    if envelope:
        data = items(envelope.get("dataMessage")) or items(items(envelope.get("syncMessage")).get("sentMessage"))
        cells = {
            "sender": string(envelope.get("sourceName")) or string(envelope.get("source")),
            "sender number": string(envelope.get("sourceNumber")),
            "time": moment(envelope.get("timestamp")),
        }
        dull = {"sourceName", "sourceNumber", "timestamp", "sourceDevice", "sourceUuid", "dataMessage"}
        rest = tuple(pair for pair in envelope.items() if pair[0] not in dull)
        more = tuple(pair for pair in data.items() if pair[0] not in ("timestamp", "message"))
        texts = [("text", string(data.get("message"))), *leaves("", more), *leaves("", rest if not data else ())]
        texts += leaves("", tuple(pair for pair in entry.items() if pair[0] != "envelope"))
        messages.add(record, cells, texts)
        return
    cells = {"sender": string(entry.get("sender")), "time": string(entry.get("date")).replace("T", " ")}
    texts = [("text", string(entry.get("body")).strip()), ("quote", string(entry.get("quote")).strip())]
    for reaction in many(entry.get("reactions")):
        texts += [("reaction", string(part)) for part in (reaction if isinstance(reaction, list) else [items(reaction).get("name")])]
    texts += [("file", string(items(file).get("name"))) for file in many(entry.get("attachments"))]
    known = {"sender", "date", "body", "quote", "reactions", "attachments", "sticker"}
    texts += leaves("", tuple(pair for pair in entry.items() if pair[0] not in known))
    messages.add(record, cells, texts)
