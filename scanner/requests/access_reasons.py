"""Says to the person herself, in her language, why a record is taken to be hers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PART = re.compile(r"(?:(?P<title>[\w -]+): )?(?P<how>.+?)(?: \(in (?P<field>.+)\))?(?P<shared>, which others share)?")
_TOGETHER = "in the same text stands: "


def told(why: str, words: Mapping[str, Any]) -> str:
    """The reason of a hit in the language of `words`. What no table knows is said in general, never in another language."""
    table = words["reasons"]
    before, mark, after = re.sub(r"; the database does not declare it: .*?\)(?=;|\Z)", ")", why).partition(_TOGETHER)
    said = [one for part in before.split("; ") if (one := _part(part.strip(), table))]
    if mark:
        others = [one for part in after.split("; ") if (one := _part(part.strip(), table)) and one not in said]
        said += [table["together"].format(said=", ".join(others))] if others else []
    return "; ".join(said) or str(table["fallback"])


def _part(part: str, table: Mapping[str, Any]) -> str:
    for expression, template in table["frames"]:
        if match := re.fullmatch(expression, part):
            return str(template.format(*(table["titles"].get(group, group) for group in match.groups())))
    match = _PART.fullmatch(part)
    if match is None or not part:
        return ""
    how = table["hows"].get(match["how"]) or table["titles"].get(match["title"] or "")
    if not how:
        return ""
    said = table["field"].format(said=how, field=match["field"]) if match["field"] else how
    return f"{said}{table['shared'] if match['shared'] else ''}"
