"""JSON of chats, read member by member: lists of messages are never held whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from scanner.extract import text as plain
from scanner.extract.chat import Messages
from scanner.extract.text import decoded
from scanner.extract.trees import _DECODER, _BrokenError, _scalar, _Window
from scanner.extract.walk import Walk
from scanner.model import Blob, Problem, Reading, Why

Path: TypeAlias = tuple[str, ...]
"""Keys from the root to a value; `*` for a place in a list."""
_DEEPEST = 12


def members(window: _Window, enters: Callable[[Path], bool]) -> Iterator[tuple[Path, Any]]:
    """The values of a document in order, each with its path; containers whose path `enters` accepts come apart.

    Objects are tuples of pairs, lists lists, numbers texts. Raises `trees._BrokenError` where the text is not JSON.
    """
    if window.peek() == "\ufeff":
        window.at += 1
    yield from _value(window, (), enters)
    if window.peek():
        raise _BrokenError(window.at, False)


def _value(window: _Window, path: Path, enters: Callable[[Path], bool]) -> Iterator[tuple[Path, Any]]:
    mark = window.peek()
    if mark not in ("{", "[") or not enters(path) or len(path) > _DEEPEST:
        yield path, _scalar(window)
        return
    window.at += 1
    end = "}" if mark == "{" else "]"
    first = True
    while (sign := window.peek()) != end:
        if not first:
            if sign != ",":
                raise _BrokenError(window.at, not sign)
            window.at += 1
            window.peek()
        first = False
        step = "*"
        if mark == "{":
            key = _scalar(window)
            if not isinstance(key, str) or window.peek() != ":":
                raise _BrokenError(window.at, not window.peek())
            window.at += 1
            step = key
        yield from _value(window, (*path, step), enters)
    window.at += 1


def read(
    blob: Blob, walk: Walk, enters: Callable[[Path], bool], take: Callable[[Messages, Path, Any], Iterator[Reading] | None]
) -> Iterator[Reading]:
    """Read a document value by value; a broken one is read once more, as plain text."""
    messages = Messages(blob.object)
    try:
        for path, value in members(_Window(decoded(blob.stream)), enters):
            yield from take(messages, path, value) or ()
            yield from messages.full()
        yield from messages.rest()
    except _BrokenError as error:
        yield from messages.rest()
        how = "ends too early" if error.ended else "is not valid"
        yield Problem(blob.object, Why.DAMAGED, f"the JSON {how}; read as plain text")
        yield from plain.read(blob, walk)


def lines(chunk: str) -> Any:
    """One line of JSON lines; raises `ValueError` or `RecursionError`."""
    return _DECODER.decode(chunk)


def items(value: Any) -> dict[str, Any]:
    """An object by its keys; `{}` for anything else."""
    return dict(value) if isinstance(value, tuple) else {}


def many(value: Any) -> list[Any]:
    """The members of a list; none for anything else."""
    return value if isinstance(value, list) else []


def string(value: Any) -> str:
    """A text or a number as text; `""` for anything else."""
    return value if isinstance(value, str) else ""


def leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text inside a value, under its dotted name."""
    todo = [(name, value)]
    while todo:
        name, value = todo.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list):
            todo += [(name, member) for member in reversed(value)]
        elif isinstance(value, tuple):
            todo += [(f"{name}.{key}" if name else key, member) for key, member in reversed(value)]
