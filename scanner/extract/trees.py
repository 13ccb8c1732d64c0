"""JSON, JSON lines and YAML as columns: each value under its dotted path, each item of a list as a record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from scanner.extract import text as plain
from scanner.extract.text import Texts, decoded
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Shape, Why

_WINDOW = 2**20
"""A value is decoded in one go when it ends within this many characters, and member by member otherwise."""
_LONGEST = 64 * 2**20
_MANY = 100
"""An object with more keys than this is taken for a map: its keys are data."""
_DEEP, _DEEPEST = 64, 1000
"""Below so many containers nothing is decoded in one go; below so many, nothing is decoded."""
_LINE_BYTES = 16 * 2**20
_NAME = re.compile(r"(?!.*\d\D?\d\D?\d\D?\d\D?\d\D?\d)[^\W\d][\w -]{0,40}\Z")
"""What names a value; a key with six digits and more is data."""
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=str, parse_float=str, parse_constant=lambda _: None, strict=False)
"""Objects become tuples of pairs (a key that occurs twice is not lost), arrays lists, numbers the text they were."""


class _BrokenError(ValueError):
    """The text is not JSON at `at`; `ended` when it only stops too early."""

    def __init__(self, at: int, ended: bool) -> None:
        super().__init__("not JSON")
        self.at, self.ended = at, ended


def is_json(start: str, complete: bool) -> bool:
    """Whether a text that begins with a bracket is JSON as far as it can be seen."""
    window = _Window(iter([start]))
    try:
        for _ in _values(window):
            pass
        return window.peek() == ""
    except _BrokenError as error:
        return error.ended and not complete


def is_json_lines(start: str, complete: bool, named: bool) -> bool:
    """Whether the first lines are JSON objects or arrays, each alone on its line; half of them when `named` so."""
    rows = [line for line in start.split("\n")[: 20 if complete else -1][:20] if line.strip()]
    good = sum(_is_container(row) for row in rows)
    return good * 2 > len(rows) if named else good == len(rows) > 1


def _is_container(row: str) -> bool:
    try:
        return isinstance(_DECODER.decode(row.strip("\x1e \r\t")), (tuple, list))
    except (ValueError, RecursionError):
        return False


def read_json(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """One JSON document of any length. Broken JSON is read once more, as plain text."""
    texts = Texts(blob.object)
    window = _Window(decoded(blob.stream))
    try:
        for path, item, value in _values(window):
            _flatten(texts, f"item={item}" if item else "", ".".join(path), value)
            yield from texts.full()
        if window.peek():
            raise _BrokenError(0, False)
    except _BrokenError as error:
        yield from texts.rest()
        how = "ends too early" if error.ended else "is not valid, or is nested too deep"
        yield Problem(blob.object, Why.DAMAGED, f"the JSON {how}; read as plain text")
        yield from plain.read(blob, walk)
    yield from texts.rest()


def read_lines(blob: Blob, _walk: Walk) -> Iterator[Reading]:
    """JSON lines: each line is a record; a line that is not JSON is read as text."""
    texts = Texts(blob.object)
    broken = 0
    for number, line in enumerate(long_lines(decoded(blob.stream)), 1):
        try:
            value = _DECODER.decode(line.strip("\x1e \r\n\t\ufeff")) if len(line) > 1 and not line.isspace() else None
            _flatten(texts, f"line={number}", "", value)
        except (ValueError, RecursionError):
            texts.add(f"line={number}", "", line)
            broken += 1
        yield from texts.full()
    yield from texts.rest()
    if broken:
        yield Problem(blob.object, Why.DAMAGED, f"{broken} lines are not valid JSON; read as plain text")


def long_lines(chunks: Iterator[str]) -> Iterator[str]:
    """The lines of a text, none longer than 16 million characters: a longer one is given in parts."""
    rest = ""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split("\n")
        yield from whole
        if len(rest) > _LINE_BYTES:
            yield rest
            rest = ""
    if rest:
        yield rest


def read_yaml(blob: Blob, walk: Walk) -> Iterator[Reading]:
    """YAML, event by event; anchors are read where they stand. What is not YAML is read as plain text."""
    import yaml

    texts = Texts(blob.object)
    seen = False
    for remark in _remarks(blob):
        texts.add("", "comment", remark)
        yield from texts.full()
    try:
        for path, item, value in _yaml_values(blob):
            seen = True
            _flatten(texts, f"item={item}" if item else "", ".".join(path), value)
            yield from texts.full()
    except (yaml.YAMLError, RecursionError, ValueError):
        yield from texts.rest()
        if seen:
            yield Problem(blob.object, Why.DAMAGED, "the YAML is not valid; read as plain text")
        yield from plain.read(blob, walk)
    yield from texts.rest()


def _remarks(blob: Blob) -> Iterator[str]:
    """What follows a number sign; a sign inside a text gives a remark too many, which does no harm."""
    for line in long_lines(decoded(blob.stream)):
        if "#" in line and (match := re.search(r"(?:^|\s)#+\s*(\S.*)", line)):
            yield match[1]


Value = tuple[tuple[str, ...], int, Any]
"""Where a value stands (keys from the root), the ordinal of its list item or 0, and the value."""


class _Window:
    """A stretch of a long text that moves forward only."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self.text, self.at, self.ended = "", 0, False

    def fill(self, size: int = _WINDOW) -> None:
        """See at least `size` characters ahead, or to the end."""
        if len(self.text) - self.at >= size or self.ended:
            return
        parts, have = [self.text[self.at :]], len(self.text) - self.at
        while have < 2 * size:
            chunk = next(self._chunks, None)
            if chunk is None:
                self.ended = True
                break
            parts.append(chunk)
            have += len(chunk)
        self.text, self.at = "".join(parts), 0

    def peek(self) -> str:
        """The next character that is not blank, `""` at the end."""
        while True:
            self.fill()
            if match := _SPACE.match(self.text, self.at):
                self.at = match.end()
            if self.at < len(self.text) or self.ended:
                return self.text[self.at : self.at + 1]

    def decode(self) -> tuple[bool, Any]:
        """The value that begins here, if it can be seen whole."""
        try:
            value, end = _DECODER.raw_decode(self.text, self.at)
        except (ValueError, RecursionError):
            return False, None
        if end == len(self.text) and not self.ended:
            return False, None  # a number may go on
        self.at = end
        return True, value


@dataclass(slots=True)
class _Frame:
    """A container that is read member by member."""

    array: bool
    path: tuple[str, ...]
    item: int
    counts: bool  # its members are the records
    keys: int = 0
    first: bool = True


def _values(window: _Window) -> Iterator[Value]:
    if window.peek() == "\ufeff":
        window.at += 1
    frames: list[_Frame] = []
    if (first := window.peek()) and first in "{[":
        frames.append(_enter(window, first == "[", (), 0, True))
    else:
        yield (), 0, _scalar(window)
    while frames:
        frame = frames[-1]
        mark = window.peek()
        if mark == ("]" if frame.array else "}"):
            window.at += 1
            frames.pop()
            continue
        if not frame.first:
            if mark != ",":
                raise _BrokenError(window.at, not mark)
            window.at += 1
            mark = window.peek()
        frame.first = False
        path, item = frame.path, frame.item
        if frame.array:
            if frame.counts:
                frame.item = item = item + 1
        else:
            key = _scalar(window) if mark == '"' else None
            if not isinstance(key, str) or window.peek() != ":":
                raise _BrokenError(window.at, not window.peek())
            window.at += 1
            mark = window.peek()
            frame.keys += 1
            step, data = _step(key, frame.keys > _MANY)
            if data:
                yield ("key",), item, key
            path = (*path, step)
        records = not frame.array and len(frames) == 1 and mark == "["
        deep = len(frames) > _DEEP and mark and mark in "{["
        whole, value = (False, None) if records or deep else window.decode()
        if whole:
            yield path, item, value
        elif len(frames) > _DEEPEST:
            raise _BrokenError(window.at, False)
        elif mark and mark in "{[":
            frames.append(_enter(window, mark == "[", path, item, records and _objects(window)))
        else:
            yield path, item, _scalar(window)


def _enter(window: _Window, array: bool, path: tuple[str, ...], item: int, counts: bool) -> _Frame:
    window.at += 1
    return _Frame(array, path, item, counts and array)


def _objects(window: _Window) -> bool:
    """Whether the list that begins here holds containers: then its items are records."""
    match = _SPACE.match(window.text, window.at + 1)
    return match is not None and window.text[match.end() : match.end() + 1] in ("{", "[")


def _scalar(window: _Window) -> Any:
    size = 4 * _WINDOW
    while True:
        whole, value = window.decode()
        if whole:
            return value
        if window.ended or size > _LONGEST:
            raise _BrokenError(window.at, window.ended and window.text[window.at : window.at + 1] in ("", '"'))
        window.fill(size)
        size *= 2


def _step(key: str, many: bool) -> tuple[str, bool]:
    """The name of a key in a path, and whether the key is data itself."""
    return (key, False) if not many and _NAME.match(key) else ("*", True)


@lru_cache(maxsize=16_384)
def _member(prefix: str, key: str) -> str:
    """The dotted name of a member; `""` when its key is data."""
    return (f"{prefix}.{key}" if prefix else key) if _NAME.match(key) else ""


def _flatten(texts: Texts, record: str, name: str, value: Any) -> None:
    """Add every value inside a value, each under its dotted name."""
    todo = [(name, value)]
    while todo:
        name, value = todo.pop()
        kind = type(value)
        if kind is str:
            texts.add(record, name, value, Shape.CELL)
        elif kind is list:
            todo.extend([(name, member) for member in reversed(value)])
        elif kind is tuple:
            many = len(value) > _MANY
            for key, member in reversed(value):
                inner = "" if many else _member(name, key)
                if not inner:
                    texts.add(record, "key", key, Shape.CELL)
                    inner = f"{name}.*" if name else "*"
                if member is not None and member is not True and member is not False:
                    todo.append((inner, member))


def _yaml_values(blob: Blob) -> Iterator[Value]:
    import io

    import yaml

    source = "".join(decoded(blob.stream)) if blob.size <= _LONGEST else None
    if source is None:
        raise ValueError("too long for YAML")
    item = 0
    stack: list[list[Any]] = []
    kinds: list[bool] = []  # True for a sequence
    for event in yaml.parse(io.StringIO(source), Loader=yaml.CSafeLoader):
        if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            if len(stack) > _DEEPEST:
                raise ValueError("nested too deep")
            stack.append([])
            kinds.append(isinstance(event, yaml.SequenceStartEvent))
            continue
        if isinstance(event, yaml.ScalarEvent):
            value: Any = event.value
        elif isinstance(event, yaml.AliasEvent):
            value = None
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            members, sequence = stack.pop(), kinds.pop()
            pairs = [(k if isinstance(k, str) else "", m) for k, m in zip(members[::2], members[1::2], strict=False)]
            odd = [k for k in members[::2] if not isinstance(k, str)] if not sequence else []
            value = members if sequence else tuple(pairs + [("", k) for k in odd])
        else:
            continue
        if not stack:
            yield (), 0, value
        elif len(stack) == 1 and kinds[0]:
            item += 1
            yield (), item, value
        elif len(stack) == 1 and len(stack[0]) == 1:
            key = stack[0].pop() if isinstance(stack[0][0], str) else (stack[0].pop(), "")[1]
            yield from _yaml_member(key, value)
        else:
            stack[-1].append(value)


def _yaml_member(key: str, value: Any) -> Iterator[Value]:
    step, data = _step(key, False)
    if data:
        yield ("key",), 0, key
    if isinstance(value, list) and value and isinstance(value[0], (list, tuple)):
        for item, member in enumerate(value, 1):
            yield (step,), item, member
    else:
        yield (step,), 0, value
