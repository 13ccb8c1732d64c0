"""`persondata detect`: find personal data in text."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from scanner import config
from scanner.cli import options
from scanner.errors import UsageError


@click.command("detect", short_help="Find personal data in text.")
@click.argument("file", nargs=-1, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--jsonl", is_flag=True, help='Each line of input is {"id": …, "text": …}; each line of output its findings.')
@click.option("--language", type=click.Choice(["da", "en", "auto"]), default="auto", show_default=True, help="Language of the text.")
@click.option("--min-score", type=click.FloatRange(0, 1), default=0.5, show_default=True, metavar="S", help="Leave out what scores lower.")
@click.option("--why", is_flag=True, help="Say what each score is made of.")
@options.prose
@options.output("text", "json", "jsonl")
@options.common
def command(
    file: tuple[Path, ...], jsonl: bool, language: str, min_score: float, why: bool, prose: str | None, form: str,
    config_file: Path | None, inventory: Path,
) -> None:  # fmt: skip
    """Find personal data in each text FILE, or in standard input. Offsets are code points, the end exclusive.

    For documents, tables and archives use `persondata scan`, or `persondata extract` to see their text.
    """
    settings = config.load(config_file)
    least = None if min_score == 0.5 else min_score
    languages = () if language == "auto" else (language,)
    detector = options.detector(settings, prose or settings.prose_level, least=least, languages=languages)
    for name, text in _texts(file, jsonl):
        found = list(_find(detector, text, why))
        if jsonl or form != "text":
            click.echo(json.dumps({"id": name, "findings": found}, ensure_ascii=False))
            continue
        line = counted = 0
        for one in found:
            line += text.count("\n", counted, one["start"])
            counted = one["start"]
            column = one["start"] - (text.rfind("\n", 0, one["start"]) + 1)
            value = " ".join(text[one["start"] : one["end"]].split())
            prefix = f"{name}:" if len(file) > 1 else ""
            click.echo(f"{prefix}{line + 1}:{column + 1}\t{one['entity']}\t{one['score']:.2f}\t{one['class']}\t{value}\t{one['rule']}")
            for factor in one.get("why", ()):
                click.echo(f"{prefix}\t{factor['added']:+.2f}\t{factor['what']}")


def _texts(files: tuple[Path, ...], jsonl: bool) -> Iterator[tuple[Any, str]]:
    for path in files or (Path("-"),):
        if jsonl:
            lines: Iterable[bytes] = sys.stdin.buffer if str(path) == "-" else _open(path)
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _parsed(path, number, line)
            continue
        raw = sys.stdin.buffer.read() if str(path) == "-" else _open(path).read()
        from scanner.extract.text import HEAD, decoded, encoding_of

        if encoding_of(raw[:HEAD]) is None:
            raise UsageError(f"{path}: is no text; `persondata extract` shows what a scan reads from it")
        yield ("" if str(path) == "-" else str(path)), "".join(decoded(io.BytesIO(raw)))


def _open(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _parsed(path: Path, number: int, line: bytes) -> tuple[Any, str]:
    try:
        entry = json.loads(line)
        text = entry["text"]
        text.encode()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f'{path}: line {number}: expected {{"id": …, "text": "…"}}') from None
    return entry.get("id"), text


def _find(detector: Any, text: str, why: bool) -> Iterator[dict[str, Any]]:
    from scanner.extract.text import Texts

    texts = Texts("")
    texts.add("", "", text)
    classes = {rule.entity: rule.cls for rule in detector.rules}
    found = detector.detect(list(texts.rest())).findings.to_pylist()
    for one in sorted(found, key=lambda f: (f["start"], f["end"])):
        answer = {
            "entity": one["entity"], "start": one["start"], "end": one["end"], "score": round(one["score"], 4),
            "class": classes[one["entity"]], "rule": one["rule"],
        }  # fmt: skip
        if one["test"]:
            answer["test"] = True
        if why:
            answer["why"] = options.why(detector, text, "", one)
        yield answer
