"""Takes other people's data out of what is handed over: truly removed, with a neutral mark of constant width in its place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from scanner import seal
from scanner.detect import columns
from scanner.detect.engine import Detector
from scanner.extract.text import Texts
from scanner.model import CUT, Role, Shape, TextBatch
from scanner.requests.gather import MAILS, Entry, Lot, Text
from scanner.requests.redact_whose import Knowledge, Scene, Span, Whose, is_cell
from scanner.subject.fields import Part
from scanner.subject.likeness import Agreement

CROWD = 5
"""A document that names more other people than this is about all of them: she gets the paragraphs that speak of her."""
_ENTITIES = {Part.FIRST: "PERSON", Part.MIDDLE: "PERSON", Part.LAST: "PERSON"}
_NAMED = ("PERSON", "EMAIL_ADDRESS", "DK_CPR")
_SHORTEST = 3
"""A part of another person's name with fewer letters than this is not looked for on its own."""


@dataclass(frozen=True, slots=True, repr=False)
class Clean:
    """One record without other people's data.

    `cuts` counts what was removed, `lines` are the numbers of the lines of each text that speak of her, `entities` what
    was found of hers, `others` how other people were named (for telling how many they are; never handed over).
    """

    entry: Entry
    texts: tuple[Text, ...]
    cuts: tuple[int, ...]
    lines: tuple[frozenset[int], ...]
    entities: frozenset[str]
    others: frozenset[str]

    def __repr__(self) -> str:
        return f"Clean({len(self.texts)} texts, {sum(self.cuts)} removed)"


@dataclass(slots=True)
class _Piece:
    """A text on its way: what was found in it, and whose that is."""

    text: Text
    spans: list[Span] = field(default_factory=list)
    whose: dict[Span, Whose] = field(default_factory=dict)

    def people(self) -> list[tuple[int, int, Whose]]:
        """Who is named in it, in order."""
        found = [(span.start, span.end, whose) for span, whose in self.whose.items() if span.entity in _NAMED]
        return sorted(found, key=lambda one: one[:2])


class Redactor:
    """Redacts lots of records. `entities` is what columns are known to hold throughout, by source and object."""

    def __init__(
        self, knowledge: Knowledge, detector: Detector, mark: str, entities: Mapping[tuple[str, str], Mapping[str, str]] | None = None
    ) -> None:
        self._known, self._detector, self.mark = knowledge, detector, mark
        self._columns: dict[tuple[str, str], dict[str, str]] = {place: dict(held) for place, held in (entities or {}).items()}
        self._labels: dict[str, str] = {}

    def learn(self, source: str, object: str, batches: Sequence[TextBatch]) -> None:
        """Judge the columns of a table by its first rows: a column tells what its cells are, where one of them alone may not."""
        known = self._columns.setdefault((source, object), {})
        for batch in batches:
            if batch.field not in known and batch.shape is Shape.CELL:
                fact = columns.judge(self._detector, batch, batch.texts.fill_null("")).fact
                if fact is not None:
                    known[batch.field] = self._detector.rules[fact.rule].entity

    def lot(self, source: str, lot: Lot) -> Iterator[Clean]:
        """Redact the records of a lot. In a document that is given whole, what is learned of one page counts on the others."""
        pieces = [[_Piece(text) for text in entry.texts] for entry in lot.entries]
        held = self._columns.get((source, lot.object), {})
        for entry, own in zip(lot.entries, pieces, strict=True):
            for text in entry.texts:
                self._known.meet(text.field.rpartition("/")[2], text.text)
            for piece in own:
                means = self._known.column(piece.text.field, held.get(piece.text.field, ""))
                if means.role is Role.HANDLER and means.part is Part.NAME and is_cell(piece.text.shape, lot.kind):
                    self._known.employ(piece.text.text)
        self._find(lot, pieces)
        groups = [(lot.entries, pieces)] if lot.whole else [([entry], [own]) for entry, own in zip(lot.entries, pieces, strict=True)]
        for entries, group in groups:
            scenes = [self._known.scene(entry, lot.kind) for entry in entries]
            self._judge(scenes, group, held)
            others = self._others(group)
            names = _parts_of(others, self._known)
            for entry, own in zip(entries, group, strict=True):
                yield self._clean(entry, own, names, others)

    def label(self, text: str) -> str:
        """The name of a file, sheet, column or record, without other people's data in it."""
        if "=" in text and not seal.needs(text):
            return text  # a key of numbers or dates, such as row=17
        known = self._labels.get(text)
        if known is None:
            if len(self._labels) > 10_000:
                self._labels.clear()
            piece = _Piece(Text("", text))
            lot = Lot("", "", False, [Entry("", (Text("", re.sub(r"[_/!=,]", " ", text)),), None)])
            self._find(lot, [[piece]])
            scene = Scene("", True, False, False, False)
            gone = [s for s in piece.spans if self._known.identifies(s.entity) and self._named(text, s, scene)]
            known = self._labels[text] = _numbered(text) if gone and text.startswith("message=") else cut(text, gone, self.mark)[0]
        return known

    def _named(self, text: str, span: Span, scene: Scene) -> bool:
        return self._known.prose(text, span, "", scene) is Whose.OTHERS

    # -- what is found -----------------------------------------------------------------------------------------

    def _find(self, lot: Lot, pieces: list[list[_Piece]]) -> None:
        """Let the detector look at all texts of a lot at once; each piece gets its spans."""
        batches = [*_cells(lot), *_prose(lot)]
        found = self._detector.detect(batches, judge_columns=False).findings if batches else None
        for one in found.to_pylist() if found is not None else ():
            entry, number = map(int, one["record"].split("."))
            if number >= 0:
                pieces[entry][number].spans.append(Span(one["start"], one["end"], one["entity"]))
                continue
            at = next(i for i, text in enumerate(lot.entries[entry].texts) if text.shape is Shape.CELL and text.field == one["field"])
            pieces[entry][at].spans.append(Span(one["start"], one["end"], one["entity"]))
        for one_of, own in zip(lot.entries, pieces, strict=True):
            for piece in own:
                piece.spans += nets(piece.text.text, piece.spans)
                if lot.kind in MAILS and piece.text.field.endswith("header"):
                    piece.spans = [span for span in piece.spans if not _names_a_mail(piece.text.text, span, one_of.record)]

    # -- whose it is -------------------------------------------------------------------------------------------

    def _judge(self, scenes: list[Scene], group: list[list[_Piece]], held: Mapping[str, str]) -> None:
        for scene, own in zip(scenes, group, strict=True):
            stranger = self._stranger(scene, own, held)
            for piece in own:
                self._cells_of(piece, scene, stranger, held)
        written = [(scene, piece) for scene, own in zip(scenes, group, strict=True) for piece in own]
        for names_first in (True, False):
            for scene, piece in written:
                people = [] if names_first else piece.people()
                for span in piece.spans:
                    if span in piece.whose or not self._known.identifies(span.entity) or (span.entity in _NAMED) is not names_first:
                        continue
                    piece.whose[span] = self._known.prose(piece.text.text, span, piece.text.field, scene, people)
        for scene, own in zip(scenes, group, strict=True):
            for piece in own:
                people = piece.people()
                for span in piece.spans:
                    if self._known.special(span.entity) and span not in piece.whose:
                        piece.whose[span] = self._known.said(piece.text.text, span, people, scene)

    def _cells_of(self, piece: _Piece, scene: Scene, stranger: bool, held: Mapping[str, str]) -> None:
        """Judge a column's value: by its column first, then by what stands in it."""
        text, name = piece.text.text, piece.text.field
        if not is_cell(piece.text.shape, scene.kind):
            return
        entity = held.get(name, "")
        means = self._known.column(name, entity)
        whole = Span(0, len(text), entity or _ENTITIES.get(means.part, means.part.value))
        short = len(text.split()) <= 8
        told = bool(entity) or means.role is Role.MENTIONED or not scene.about or stranger
        if told and short and self._known.identifies(whole.entity) and whole.entity != "CUSTOMER_ID":
            found = any(span.end - span.start >= len(text.strip()) for span in piece.spans)
            piece.spans += [] if found else [whole]
        if self._known.address_part(text, means, scene, stranger):
            piece.whose[whole] = Whose.OTHERS
        strict = means.role is not Role.ABOUT or not scene.about or stranger
        for span in piece.spans:
            if self._known.identifies(span.entity) and (strict or span.end - span.start >= len(text.strip())):
                piece.whose[span] = self._known.cell(text, span, means, strict)

    def _stranger(self, scene: Scene, own: list[_Piece], held: Mapping[str, str]) -> bool:
        """Whether the row names somebody else as the one whom it is about."""
        said = []
        for piece in own:
            if is_cell(piece.text.shape, scene.kind):
                means = self._known.column(piece.text.field, held.get(piece.text.field, ""))
                if means.role is Role.ABOUT and means.part is Part.NAME:
                    said.append(self._known.likeness("PERSON", piece.text.text))
        return bool(said) and all(one is Agreement.DIFFERENT for one in said)

    def _others(self, group: list[list[_Piece]]) -> frozenset[str]:
        return frozenset(
            " ".join(piece.text.text[span.start : span.end].split())
            for own in group
            for piece in own
            for span, whose in piece.whose.items()
            if whose is Whose.OTHERS and span.entity in _NAMED
        )

    # -- what is left ------------------------------------------------------------------------------------------

    def _clean(self, entry: Entry, own: list[_Piece], names: re.Pattern[str] | None, others: frozenset[str]) -> Clean:
        texts, cuts, lines, entities = [], [], [], set()
        for piece in own:
            text = piece.text.text
            gone = [span for span, whose in piece.whose.items() if whose is Whose.OTHERS]
            if names is not None:
                kept = [span for span, whose in piece.whose.items() if whose is not Whose.OTHERS]
                gone += [
                    Span(*match.span(), "PERSON")
                    for match in names.finditer(text)
                    if not any(span.start <= match.start() < span.end for span in kept)
                ]
            hers = [span for span, whose in piece.whose.items() if whose is Whose.HERS]
            entities |= {span.entity for span in hers}
            entities |= {span.entity for span in piece.spans if span not in piece.whose}
            lines.append(frozenset(text.count("\n", 0, span.start) for span in hers))
            left, count = cut(text, gone, self.mark)
            texts.append(Text(piece.text.field, left, piece.text.shape))
            cuts.append(count)
        return Clean(entry, tuple(texts), tuple(cuts), tuple(lines), frozenset(entities), others)


_NETS = (
    ("EMAIL_ADDRESS", re.compile(r"[\w.%+'-]{1,64}@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,24}")),
    ("DK_CPR", re.compile(r"(?<![\d-])(?:[0-2]\d|3[01]|[6-8]\d|9[01])(?:0[1-9]|1[0-2])\d\d[ \u2010-\u2015-]\d{4}(?![\d-])")),
    ("PHONE_NUMBER", re.compile(r"(?<![\w.,-])(?:(?:\+|00)45 ?)?[2-9]\d(?: ?\d\d){3}(?![\w-]|[.,]\d)")),
)
"""What is removed whether a rule is sure of it or not: here a number too much does less harm than one too few."""


def nets(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """What looks like an e-mail address, a CPR number or a telephone number, and was not found by any rule."""
    for entity, expression in _NETS:
        if entity == "EMAIL_ADDRESS" and "@" not in text:
            continue
        for match in expression.finditer(text):
            if not any(span.start < match.end() and match.start() < span.end for span in spans):
                yield Span(*match.span(), entity)


def cut(text: str, spans: Iterable[Span], mark: str) -> tuple[str, int]:
    """A text with these spans replaced by the mark, and how many marks that made. Line breaks inside a span stay."""
    out, done, count = [], 0, 0
    merged: list[list[int]] = []
    for start, end, _ in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    for start, end in merged:
        out += [text[done:start], mark, "\n" * text.count("\n", start, end)]
        done, count = end, count + 1
    return ("".join(out) + text[done:]).replace(f"{mark} <{mark}>", mark), count


def _names_a_mail(text: str, span: Span, record: str) -> bool:
    """Whether what looks like an e-mail address is the Message-ID of this mail, or a long one that a program made."""
    value = text[span.start : span.end]
    local = value.partition("@")[0]
    made = len(local) >= 20 and any(map(str.isdigit, local)) and f"<{value}>" in text
    return span.entity == "EMAIL_ADDRESS" and (f"<{value}>" in record or made)


def _numbered(text: str) -> str:
    """The Message-ID of somebody else's mail program, as a number that stands for it."""
    return f"message={hashlib.blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=5).hexdigest()}"


def _parts_of(others: Iterable[str], known: Knowledge) -> re.Pattern[str] | None:
    """An expression for the other people's names and for each part of them, such as the first name alone."""
    found: set[str] = set()
    for name in others:
        if "@" in name or any(map(str.isdigit, name)):
            found.add(name)
            continue
        words = [word.strip(".,'’s") if word.endswith(("'s", "’s")) else word.strip(".,") for word in name.split()]
        if len(words) > 1:
            found |= {name, *(word for word in words if len(word) >= _SHORTEST and word[0].isupper())}
    found = {one for one in found if "@" in one or known.likeness("PERSON", one) not in (Agreement.SAME, Agreement.VARIANT, Agreement.WEAK)}
    if not found:
        return None
    listed = "|".join(re.escape(one).replace(r"\ ", r"\s+") for one in sorted(found, key=lambda one: (-len(one), one)))
    return re.compile(rf"(?<![\w@.-])(?:{listed})(?:'?s)?(?![\w@])")


def paragraphs(text: str, lines: frozenset[int], gap: str) -> str:
    """The lines of a text that speak of her; each run of others becomes one `gap`."""
    out: list[str] = []
    for number, line in enumerate(text.split("\n")):
        if number in lines:
            out.append(line)
        elif line.strip() and (not out or out[-1] != gap):
            out.append(gap)
    return "\n".join(out)


def _cells(lot: Lot) -> Iterator[TextBatch]:
    """The columns of the records, over rows that they share; a second value of the same name is read by itself."""
    names: dict[str, dict[int, str]] = {}
    for number, entry in enumerate(lot.entries):
        seen: set[str] = set()
        for text in entry.texts:
            if text.shape is Shape.CELL and text.field not in seen and len(text.text) <= CUT:
                seen.add(text.field)
                names.setdefault(text.field, {})[number] = text.text
    records = pa.array([f"{number}.-1" for number in range(len(lot.entries))], pa.string())
    for name, cells in names.items():
        yield TextBatch(
            lot.object, name, pa.array([cells.get(n) for n in range(len(lot.entries))], pa.string()), records, Shape.CELL
        )  # fmt: skip


def _prose(lot: Lot) -> Iterator[TextBatch]:
    """Running texts, long cells and what a record has twice; long ones are cut into rows that overlap."""
    texts = Texts(lot.object)
    for number, entry in enumerate(lot.entries):
        seen: set[str] = set()
        for at, text in enumerate(entry.texts):
            if text.shape is Shape.CELL and text.field not in seen and len(text.text) <= CUT:
                seen.add(text.field)
                continue
            texts.add(f"{number}.{at}", text.field, text.text, text.shape)
        yield from texts.full()
    yield from texts.rest()
