"""Puts one object's records into the package: rows as a table, messages and documents as texts or as they are, and a view for the page."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

from scanner.model import Hit, Problem, Role, Shape
from scanner.requests.access_package import Package, spool
from scanner.requests.access_reasons import told
from scanner.requests.gather import CHATS, MAILS, ROWS, Text
from scanner.requests.redact import CROWD, Clean, Redactor, paragraphs

SHOWN_ROWS = 60
SHOWN_TEXTS = 40
SHOWN_LETTERS = 20_000
"""How much of one object the page shows; all of it is in the files beside it."""
_HEADERS = ("from", "to", "cc", "subject", "header")
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s().,+-]*$)")
"""What a spreadsheet program would run as a formula; telephone numbers and negative amounts stay."""


class Names(NamedTuple):
    """What a source is called, and the folder of its files in the package."""

    title: str
    folder: str


@dataclass(slots=True)
class Totals:
    """What the whole package comes to."""

    records: int = 0
    removed: int = 0
    originals: int = 0
    files: int = 0
    crowds: int = 0
    entities: set[str] = field(default_factory=set)
    by_source: dict[str, set[str]] = field(default_factory=dict)
    places: set[tuple[str, str]] = field(default_factory=set)
    authored: bool = False
    unread: Counter[tuple[str, str]] = field(default_factory=Counter)


class Thing:
    """One object on its way into the package. What comes is kept in files without a name, not in memory."""

    def __init__(self, source: str, object: str, kind: str, whole: bool) -> None:
        self.source, self.object, self.kind, self.whole = source, object, kind, whole
        self.clean = True
        self.removed = 0
        self.records: set[str] = set()
        self.messages: dict[str, bool] = {}
        self.attached: dict[tuple[str, str], bool] = {}
        self._others: set[str] = set()
        self._entries = spool()
        self._columns: dict[str, None] = {}
        self._why: Counter[tuple[str, str, str]] = Counter()
        self._entities: set[str] = set()
        self._count = 0

    # -- in ----------------------------------------------------------------------------------------------------

    def take(self, cleaned: Iterator[Clean]) -> None:
        """Keep the records of a lot, redacted."""
        for one in cleaned:
            hit = one.entry.hit
            self._count += 1
            self.removed += sum(one.cuts)
            self.clean = self.clean and not any(one.cuts)
            self._others |= one.others
            self._entities |= one.entities
            if hit is not None:
                self._why[hit.why, hit.link.value, hit.role.value] += 1
            if self.kind in MAILS:
                self._mail(one)
            self._columns.update(dict.fromkeys(text.field for text in one.texts if text.shape is Shape.CELL))
            kept = {
                "record": one.entry.record, "texts": [[t.field, t.text, t.shape is Shape.CELL] for t in one.texts],
                "lines": [sorted(numbers) for numbers in one.lines], "cuts": list(one.cuts), "hit": _hit(hit),
            }  # fmt: skip
            self._entries.write(json.dumps(kept, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")

    def problem(self, problem: Problem) -> None:
        """Something of it was not read: what was not seen cannot be handed over as it is."""
        self.clean = False
        for place in self.attached:
            if not problem.record or place[0] == problem.record:
                self.attached[place] = False
        if problem.record in self.messages or not problem.record:
            for record in self.messages if not problem.record else (problem.record,):
                self.messages[record] = False

    def _mail(self, one: Clean) -> None:
        record = one.entry.record
        cut = dict.fromkeys(text.field for text, count in zip(one.texts, one.cuts, strict=True) if count)
        own = one.entry.hit is not None and one.entry.hit.role is not Role.MENTIONED and one.entry.hit.role is not Role.HANDLER
        self.messages[record] = self.messages.get(record, True) and own and not cut
        for text in one.texts:
            if text.field.startswith("attachment=") and text.field.endswith("/filename"):
                name = text.field.removesuffix("/filename")
                if "/attachment=" not in name and "!" not in name:
                    table = any(t.field.startswith(name + "/") and t.shape is Shape.CELL for t in one.texts)
                    self.attached[record, name] = (
                        own and not table and not any(f == name or f.startswith((name + "/", name + "!")) for f in cut)
                    )

    # -- out ---------------------------------------------------------------------------------------------------

    @property
    def crowd(self) -> bool:
        """Whether it is a document about many people, so that only what speaks of her is given."""
        return self.whole and len(self._others) > CROWD

    @property
    def original(self) -> bool:
        """Whether it may be handed over byte for byte: about her, read in full, and nobody else in it."""
        about = any(role != "handler" and link != "possible" for _, link, role in self._why)
        return self.whole and self.clean and about and self.kind != "image"

    def finish(
        self, package: Package, redactor: Redactor, names: Names, words: Mapping[str, Any], originals: Mapping[str, str],
        all_records: IO[bytes], totals: Totals,
    ) -> dict[str, Any]:  # fmt: skip
        """Write its files and its records; what the page shows of it comes back."""
        label = redactor.label(self.object)
        view: dict[str, Any] = {
            "source": names.title, "object": label, "kind": self.kind, "count": self._count, "removed": self.removed, "crowd": self.crowd,
            "why": self._reasons(redactor, words),
            "columns": [], "rows": [], "texts": [], "files": [], "more_rows": 0, "more_texts": 0, "entities": sorted(self._entities),
        }  # fmt: skip
        if self.kind in ROWS:
            self._table(package, redactor, names, words, view)
        else:
            self._texts(package, redactor, names, words, originals, view)
        for record in self._json(redactor, names, label, words):
            all_records.write((b",\n" if all_records.tell() > 1 else b"\n") + record)
        totals.records += self._count
        totals.removed += self.removed
        totals.crowds += self.crowd
        totals.files += len(view["files"])
        totals.entities |= self._entities
        totals.by_source.setdefault(self.source, set()).update(self._entities)
        totals.places.add((self.source, self.object))
        totals.authored |= any(role == "author" for _, _, role in self._why)
        self._entries.close()
        return view

    def _reasons(self, redactor: Redactor, words: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Why its records are hers, the most frequent reasons first, each once."""
        found: Counter[tuple[str, str, str]] = Counter()
        for (why, link, role), count in self._why.items():
            found[redactor.label(told(why, words)), link, role] += count
        return [{"why": why, "link": link, "role": role, "count": count} for (why, link, role), count in found.most_common(8)]

    def _again(self) -> Iterator[dict[str, Any]]:
        self._entries.seek(0)
        for line in self._entries:
            yield json.loads(line.decode("utf-8", "surrogatepass"))

    def _json(self, redactor: Redactor, names: Names, label: str, words: Mapping[str, Any]) -> Iterator[bytes]:
        for one in self._again():
            fields: dict[str, Any] = {}
            for text in self._kept(one, words):
                key = redactor.label(text.field)
                known = fields.get(key)
                fields[key] = text.text if known is None else [*known, text.text] if isinstance(known, list) else [known, text.text]
            out = {"source": names.title, "object": label, "record": redactor.label(one["record"]), "kind": self.kind}
            if hit := one["hit"]:
                out |= hit | {"why": redactor.label(told(hit["why"], words))}
            yield _utf8(json.dumps(out | {"removed": sum(one["cuts"]), "fields": fields}, ensure_ascii=False))

    def _kept(self, one: dict[str, Any], words: Mapping[str, Any]) -> list[Text]:
        """The texts of a record as they are handed over."""
        texts = [Text(name, text, Shape.CELL if cell else Shape.PROSE) for name, text, cell in one["texts"]]
        if self.crowd:
            found = [(text, frozenset(lines)) for text, lines in zip(texts, one["lines"], strict=True)]
            return [text._replace(text=paragraphs(text.text, lines, words["gap"])) for text, lines in found if lines]
        return texts

    def _table(self, package: Package, redactor: Redactor, names: Names, words: Mapping[str, Any], view: dict[str, Any]) -> None:
        columns = [name for name in self._columns if name]
        extra = words["beside"]
        filled: set[str] = set()
        stem = view["object"].rpartition("!")[2] if self.kind == "table" else f"{len(package) + 1:04}"
        name = package.name(f"data/{names.folder}", stem, ".csv")
        with package.entry(name) as raw:
            out = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="backslashreplace", newline="", write_through=True)
            writer = csv.writer(out, lineterminator="\r\n")
            writer.writerow([words["record"], *(_cell(redactor.label(column)) for column in columns), extra])
            for one in self._again():
                row, beside = self._row(one)
                filled |= row.keys()
                record = redactor.label(one["record"])
                writer.writerow([_cell(record), *(_cell(row.get(column, "")) for column in columns), _cell(beside)])
                if len(view["rows"]) < SHOWN_ROWS:
                    view["rows"].append({"record": record, "cells": row, "beside": beside[:SHOWN_LETTERS]})
            out.flush()
            out.detach()
        view["columns"] = [[column, redactor.label(column)] for column in columns if column in filled]
        view["more_rows"] = self._count - len(view["rows"])
        view["files"].append({"path": name, "what": "table"})

    def _row(self, one: dict[str, Any]) -> tuple[dict[str, str], str]:
        row: dict[str, str] = {}
        beside = []
        for field_name, text, cell in one["texts"]:
            if cell and field_name:
                row[field_name] = f"{row[field_name]}\n{text}" if row.get(field_name) else text
            elif text.strip():
                beside.append(f"{field_name}: {text}" if field_name else text)
        return row, "\n".join(beside)

    def _texts(
        self, package: Package, redactor: Redactor, names: Names, words: Mapping[str, Any], originals: Mapping[str, str],
        view: dict[str, Any],
    ) -> None:  # fmt: skip
        """One text file for all of it, unless each part of it is there as it is."""
        for key, path in originals.items():
            view["files"].append({"path": path, "what": "original" if not key.startswith("attachment=") else "attachment"})
        covered = {key for key in originals if key.startswith("message=") or key == ""}
        with spool() as out:
            for one in self._again():
                kept = self._kept(one, words)
                title = redactor.label(one["record"])
                written = _written(kept, self.kind, words)
                if one["record"] not in covered and "" not in covered:
                    out.write(_utf8(f"{title}\n{'-' * len(title)}\n" if title else "") + _utf8(written) + b"\n\n")
                if len(view["texts"]) < SHOWN_TEXTS:
                    view["texts"].append({"title": title, "text": written[:SHOWN_LETTERS], "cut": len(written) > SHOWN_LETTERS})
                else:
                    view["more_texts"] += 1
            if out.tell():
                name = package.name(f"texts/{names.folder}", f"{len(package) + 1:04}", ".txt")
                package.copy(name, out)
                view["files"].append({"path": name, "what": "text"})


def _hit(hit: Hit | None) -> dict[str, Any] | None:
    return {"link": hit.link.value, "score": hit.score, "role": hit.role.value, "why": hit.why} if hit is not None else None


def _written(texts: list[Text], kind: str, words: Mapping[str, Any]) -> str:
    """The texts of one record, one after the other: a mail with its head, a message with its sender, other fields by name."""
    head: list[str] = []
    body: list[str] = []
    mail = kind in MAILS
    for text in texts:
        name = words["fields"].get(text.field, text.field)
        if mail and text.field in _HEADERS:
            if text.field != "header":
                head.append(f"{name}: {text.text}")
            elif re.match(r"\w{3}, \d{1,2} \w{3} \d{4}", text.text):
                head.append(f"{words['fields']['date']}: {text.text}")
        elif text.shape is Shape.CELL and kind in CHATS:
            head.append(text.text if text.field in ("sender", "time") else f"{name}: {text.text}")
        elif text.field in ("", "text", "body"):
            if text.text.strip() not in body:
                body.append(text.text.strip())
        elif not text.field.endswith("/filename"):
            body.append(f"[{name}]\n{text.text.strip()}")
    first = ("\n" if mail else " · ").join(head)
    return "\n\n".join(part for part in (first, *body) if part).replace("\r\n", "\n").replace("\r", "\n")


def _cell(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
