"""Presidio's own recogniser files, read as rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scanner.detect import rules as house
from scanner.errors import RuleError


def rules(path: Path, recognizers: Any, types: dict[str, house.DataType]) -> Iterator[house.Rule]:
    """One rule a pattern, and one a deny list. An entity that the taxonomy does not know is added to it, class general."""
    if not isinstance(recognizers, list):
        raise RuleError(f"{path.name}: recognizers must be a list")
    for number, entry in enumerate(recognizers, 1):
        if isinstance(entry, str):
            entry = {"name": entry, "type": "predefined"}
        if not isinstance(entry, dict) or not entry.get("name"):
            raise RuleError(f"{path.name}: recognizer {number}: has no name")
        if entry.get("enabled") is False:
            continue
        name = f"{path.name}: {entry['name']}"
        if entry.get("type") == "predefined":
            raise RuleError(f"{name}: a predefined recognizer has no pattern of its own; write a rule with `recognizer:` and a trigger")
        entity = entry.get("supported_entity")
        if not isinstance(entity, str) or not entity:
            raise RuleError(f"{name}: has no supported_entity")
        if entity not in types:
            types[entity] = house.DataType(entity, "general", entity.replace("_", " ").lower())
        yield from _patterns(path, name, entry, types[entity])
        yield from _deny_list(path, name, entry, types[entity])


def _languages(entry: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The languages a recogniser supports and its context words, which either name each other or stand alone."""
    languages, context = [], list(entry.get("context") or ())
    for item in entry.get("supported_languages") or ():
        if isinstance(item, dict):
            languages.append(str(item.get("language")))
            context += item.get("context") or ()
        else:
            languages.append(str(item))
    if entry.get("supported_language"):
        languages.append(str(entry["supported_language"]))
    return tuple(languages), tuple(str(word) for word in context)


def _patterns(path: Path, name: str, entry: dict[str, Any], kind: house.DataType) -> Iterator[house.Rule]:
    languages, context = _languages(entry)
    for number, item in enumerate(entry.get("patterns") or (), 1):
        text = item.get("regex") if isinstance(item, dict) else None
        if not isinstance(text, str):
            raise RuleError(f"{name}: pattern {number} has no regex")
        try:
            re.compile(text)
        except re.error as error:
            raise RuleError(f"{name}: pattern {number} does not compile: {error.msg} at position {error.pos}") from None
        yield house.Rule(
            id=f"presidio.{entry['name']}.{number}",
            entity=kind.entity,
            cls=kind.cls,
            file=path.name,
            trigger=text,
            prefilter=True,
            pattern=text,
            width=house.width_of(text),
            score=house.Score(match=float(item.get("score", 0.5)), context=0.35, field=0.35),
            context=context,
            languages=languages,
            about=str(item.get("name", "")),
        )


def _deny_list(path: Path, name: str, entry: dict[str, Any], kind: house.DataType) -> Iterator[house.Rule]:
    words = entry.get("deny_list") or ()
    if not words:
        return
    if not all(isinstance(word, str) and word.strip() for word in words):
        raise RuleError(f"{name}: deny_list must be a list of texts")
    text = r"(?<!\w)(?:" + "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) + r")(?!\w)"
    yield house.Rule(
        id=f"presidio.{entry['name']}.deny_list",
        entity=kind.entity,
        cls=kind.cls,
        file=path.name,
        trigger=text,
        prefilter=True,
        pattern=text,
        width=house.width_of(text),
        score=house.Score(match=float(entry.get("deny_list_score", 1.0))),
        languages=_languages(entry)[0],
    )
