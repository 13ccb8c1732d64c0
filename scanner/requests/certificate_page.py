"""The page beside a certificate: the same to read and to print, in Danish or English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scanner import report, seal
from scanner.report.words import day, entity, number, words


def write(said: Mapping[str, Any], certificate: Path, language: str = "da") -> Path:
    """Write the page of a signed certificate beside its file, and say where. Raises `OSError`."""
    out = certificate.with_suffix(".html")
    report.put(page(said, certificate.name, language), out)
    return out


def page(said: Mapping[str, Any], file: str, language: str = "da") -> bytes:
    """The page. `file` is what the certificate is called."""
    names = words("verify", language)
    restore = names["restore"].format(count=said["after_restore"]) if said["after_restore"] else ""
    kept = [_group(one, names) for one in said["kept"]]
    return report.page(
        "verify/page",
        {
            "words": names,
            "said": said,
            "facts": _facts(said, names),
            "partial": names["partial"].format(places=number(names, said["plan"]["not_looked_at"])),
            "kept": kept,
            "kept_count": sum(one["records"] for one in kept),
            "missing": [_group(one, names) for one in said["missing"]],
            "looked": [_source(one, names) for one in said["looked"]["sources"]],
            "not_said": [line.format(restore=restore).strip() for line in names["not"]],
            "signed": names["signed"].format(file=file),
            "command": names["command"].format(file=file),
        },
    )


def _facts(said: Mapping[str, Any], names: Mapping[str, Any]) -> list[tuple[str, str]]:
    titles, looked = names["facts"], said["looked"]
    kinds = [f"{entity(names, code)} ({count})" for code, count in said["identifiers"].items()]
    found = [
        (titles["controller"], said["controller"]),
        (titles["request"], said["request"]),
        (titles["plan"], f"{said['plan']['id']}, {titles['made'].lower()} {day(names, said['plan']['made'])}"),
        (titles["verified"], f"{day(names, looked['began'])}, {looked['began'][11:16]} UTC"),
        (titles["took"], _span(looked["seconds"], names)),
        (titles["reading"], names["reading"][looked["reading"]]),
        (titles["identifiers"], ", ".join(kinds)),
        (titles["program"], f"{said['program']['name']} {said['program']['version']}"),
    ]
    return [(title, value) for title, value in found if value]


def _group(one: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **one, "source": _shown(one["source"], names), "table": _shown(one["table"], names),
        "reason": _shown(names["reasons"].get(one["reason"], one["reason"]), names), "until": day(names, one["until"]),
    }  # fmt: skip


def _source(one: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    size = _size(one["bytes"], names) if "bytes" in one else ""
    patterns = [names[key].format(patterns=", ".join(_shown(text, names) for text in one[key])) for key in ("only", "left_out") if one[key]]
    return {**one, "source": _shown(one["source"], names), "rows": one.get("rows"), "size": size, "patterns": patterns}


def _shown(text: str, names: Mapping[str, Any]) -> str:
    return str(names["sealed"]) if text.startswith(seal.PREFIX) else text


def _span(seconds: int, names: Mapping[str, Any]) -> str:
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{number(names, round(seconds / size))} {names['times'][unit]}"
    return f"{seconds} {names['times']['seconds']}"


def _size(count: int, names: Mapping[str, Any]) -> str:
    steps: Sequence[str] = ("B", "KB", "MB", "GB", "TB")
    size, step = float(count), 0
    while size >= 1000 and step < len(steps) - 1:
        size, step = size / 1000, step + 1
    text = f"{size:.0f}" if step == 0 or size >= 100 else f"{size:.1f}"
    return f"{text.replace('.', names['decimal'])} {steps[step]}"
