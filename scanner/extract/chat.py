"""Chats: which kind of export a text is, and their messages as records with sender, time and text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from scanner.extract import tabular
from scanner.extract.text import LOT, Texts
from scanner.model import Shape, TextBatch

SLACK_LISTS = frozenset({"channels.json", "groups.json", "dms.json", "mpims.json"})
"""Lists in a Slack export: public channels, private ones, conversations of two and of several."""
_SLACK_CHANNEL = re.compile(r'\[\s*\{\s*"id"\s*:\s*"[CGD]')
_SLACK = re.compile(r'"ts"\s*:\s*"\d{9,10}\.\d{6}"')
_SLACK_TYPE = re.compile(r'"type"\s*:\s*"message"')
_TELEGRAM = re.compile(r'"(?:date_unixtime|from_id|text_entities|actor_id)"\s*:')
_TELEGRAM_CHAT = re.compile(r'\A\{\s*"(?:name|about|personal_information|chats)"\s*:')
_TEAMS = re.compile(r'\A\{[^{\[]{0,4000}"conversations"\s*:\s*\[')
_GRAPH = re.compile(r'"messageType"\s*:\s*"\w+"')
_SIGNAL = re.compile(r'\A\{"(?:date"\s*:\s*"\d{4}-[^"]*",\s*"sender"|envelope"\s*:\s*\{)')
_DAY = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
_CLOCK = r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:[ \u00a0\u202f]?[AaPp]\.?[ ]?[Mm]\.?)?"
LINE = re.compile(
    rf"[\u200e\u200f\ufeff]*(?:\[({_DAY}),?[ \u00a0\u202f](?:kl\.? )?({_CLOCK})\]|"
    rf"({_DAY}),?[ \u00a0\u202f](?:kl\.? )?({_CLOCK})[ \u00a0\u202f]-)"
    r"[ \u00a0\u202f][\u200e\u200f]*(?:([^:\n]{1,80}?): ?)?(.*)"
)
"""The first line of a message as WhatsApp (Android, iOS) and signal-export write it: day and time twice, sender, text."""
_LEVELS = re.compile(r"(?i)(?:.*\.)?(?:info|warn(?:ing)?|error|debug|trace|fatal|critical|notice|alert|emergency)\b")


def is_slack(names: set[str]) -> bool:
    """Whether the members of an archive are a Slack export, at its root or in one folder."""
    folders = {name.removesuffix("users.json") for name in names if name == "users.json" or name.endswith("/users.json")}
    return any(folder + one in names for folder in folders for one in SLACK_LISTS)


def kind_of(text: str, suffix: str, object: str) -> str:
    """The kind of chat export that a text begins as; `""` for none."""
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] == "[" and re.split(r"[/!]", object)[-1] in SLACK_LISTS and _SLACK_CHANNEL.match(start):
        return "slack list"
    if start[:1] == "[" and _SLACK.search(start) and _SLACK_TYPE.search(start) and start[1:100].lstrip()[:1] == "{":
        return "slack"
    if start[:1] == "{":
        if _TELEGRAM_CHAT.match(start) and _TELEGRAM.search(start):
            return "telegram"
        if _TEAMS.match(start) and '"MessageList"' in start:
            return "teams"
        if _GRAPH.search(start) and '"createdDateTime"' in start and '"contentType"' in start:
            return "teams"
        return "signal" if _SIGNAL.match(start) else ""
    if start[:1] == "<":
        return "telegram-html" if 'class="message ' in start and 'class="history"' in start else ""
    return "chat" if suffix not in (".log", ".csv", ".tsv", ".json") and _is_chat(start) else ""


def _is_chat(start: str) -> bool:
    """Whether lines begin as messages do; logs of programs look alike, but name a level where a sender stands."""
    first = LINE.match(start)
    if first is None or (first[5] and _LEVELS.fullmatch(first[5])):
        return False
    found = [match for line in start.split("\n")[:200] if (match := LINE.match(line))]
    named = [match[5] for match in found if match[5]]
    return len(found) >= 2 and len(named) * 2 >= len(found) and not any(map(_LEVELS.fullmatch, named))


class Messages:
    """Collects messages, and gives them as batches: sender, time and the like as columns, texts as prose."""

    def __init__(self, object: str) -> None:
        self._object = object
        self._texts = Texts(object)
        self._names: list[str] = []
        self._rows: list[list[str]] = []
        self._records: list[str] = []
        self._held = 0

    def add(self, record: str, cells: dict[str, str], texts: list[tuple[str, str]]) -> None:
        """Take one message: its short values by name, and its texts with the field of each."""
        row = [""] * len(self._names)
        for name, value in cells.items():
            if not value:
                continue
            if name not in self._names:
                self._names.append(name)
                row.append("")
            row[self._names.index(name)] = value
        if any(row):
            self._rows.append(row)
            self._records.append(record)
            self._held += sum(map(len, row)) + 64
        for name, text in texts:
            self._texts.add(record, name, text)

    def value(self, record: str, name: str, text: str) -> None:
        """Take a value that is no message."""
        self._texts.add(record, name, text, Shape.CELL)

    def full(self) -> Iterator[TextBatch]:
        """What is held, if it is much."""
        if self._held >= LOT or len(self._rows) >= 16_384:
            yield from self._columns()
        yield from self._texts.full()

    def rest(self) -> Iterator[TextBatch]:
        """All that is held."""
        yield from self._columns()
        yield from self._texts.rest()

    def _columns(self) -> Iterator[TextBatch]:
        yield from tabular.table(self._object, self._names, self._rows, self._records)
        self._rows, self._records, self._held = [], [], 0


def moment(seconds: object) -> str:
    """A Unix time as date and time in UTC; `""` when it is none."""
    try:
        number = float(str(seconds))
        return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return ""
