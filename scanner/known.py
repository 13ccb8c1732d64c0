"""Reads the known values that the configuration names, and keeps nothing of them but keyed digests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanner import digest
from scanner.config import KnownConfig
from scanner.detect.known import CUSTOMER_ID, SHAPES, SHORTEST, KnownColumn, shape_of, write
from scanner.errors import ConfigError
from scanner.model import Opened, Problem, Shape, TextBatch, Unit

if TYPE_CHECKING:
    import pyarrow as pa

    from scanner.detect.engine import Detector
    from scanner.model import Source

INDEX = "index.json"


def gather(
    entries: Sequence[KnownConfig], open_source: Callable[[str], Source], make_detector: Callable[[], Detector], key: bytes, folder: Path
) -> tuple[KnownColumn, ...]:
    """Read all known values and write their digests below `folder`. What each column holds is judged by its values.

    Raises `ConfigError` when a source cannot be asked, `SourceError` when it cannot be reached.
    """
    found: list[KnownColumn] = []
    detector = make_detector() if entries else None
    for entry in entries:
        columns: dict[str, _Column] = {}
        for names, batch in _batches(entry, open_source):
            for name, texts in zip(names, batch, strict=True):
                columns.setdefault(name, _Column()).take(name, texts, detector, key)
        for name, column in columns.items():
            if column.digests:
                path = folder / f"{re.sub(r'[^A-Za-z0-9]+', '_', f'{entry.name}.{name}')}.digests"
                write(path, column.digests)
                shapes = tuple(sorted(column.shapes)) if len(column.shapes) <= SHAPES else ()
                found.append(KnownColumn(f"{entry.name}.{name}", column.entity, path, shapes))
    folder.mkdir(parents=True, exist_ok=True)
    index = [{"name": one.name, "entity": one.entity, "file": one.path.name, "shapes": one.shapes} for one in found]
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")
    return tuple(found)


def kept(folder: Path) -> tuple[KnownColumn, ...]:
    """The known values as the last scan left them."""
    if not (folder / INDEX).is_file():
        return ()
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    return tuple(KnownColumn(one["name"], one["entity"], folder / one["file"], tuple(one["shapes"])) for one in index)


class _Column:
    """One column on its way to digests: the first rows say which entity it is."""

    def __init__(self) -> None:
        self.entity = ""
        self.digests: list[bytes] = []
        self.shapes: set[str] = set()

    def take(self, name: str, texts: pa.StringArray, detector: Any, key: bytes) -> None:
        if not self.entity:
            self.entity = _entity(name, texts, detector)
        for value in texts.drop_null().to_pylist():
            value = value.strip()
            if len(re.sub(r"[\W_]", "", value)) >= SHORTEST:
                self.digests.append(digest.digest(key, self.entity, value))
                if self.entity == CUSTOMER_ID and len(self.shapes) <= SHAPES:
                    self.shapes.add(shape_of(value))


def _entity(name: str, texts: pa.StringArray, detector: Any) -> str:
    """What a column of known values holds: what it is judged to be, or a number of the company's own."""
    import pyarrow as pa

    records = pa.array([""] * len(texts), pa.string())
    detection = detector.detect([TextBatch("known", name, texts, records, Shape.CELL)])
    for fact in detection.facts:
        return str(detector.rules[fact.rule].entity)
    stances = detector.speaks(name)
    named = any(stance > 0 and rule.entity == "PERSON" for stance, rule in zip(stances, detector.rules, strict=True))
    if named and not any(map(str.isdigit, "".join(texts.drop_null().to_pylist()))):
        return "PERSON"
    found = detection.findings.column("entity").to_pylist()
    commonest = max(set(found), key=found.count, default="")
    return commonest if commonest and found.count(commonest) * 2 >= len(texts.drop_null()) else CUSTOMER_ID


def _batches(entry: KnownConfig, open_source: Callable[[str], Source]) -> Iterator[tuple[list[str], list[pa.StringArray]]]:
    source: Any = open_source(entry.source or entry.file)
    if entry.query:
        if not hasattr(source, "select"):
            raise ConfigError(f"[known] {entry.name}: {entry.source!r} is no database that can be queried")
        for batch in source.select(entry.query):
            yield batch.schema.names, list(batch.columns)
        return
    for unit in source.units():
        for item in source.read(unit) if isinstance(unit, Unit) else [unit]:
            if isinstance(item, Problem):
                raise ConfigError(f"[known] {entry.name}: {entry.file}: {item.why.value}: {item.detail}")
            if not isinstance(item, Opened):
                yield [item.field], [item.texts]
