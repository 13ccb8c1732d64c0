"""Who got data that goes, and what to write to them: GDPR Art. 19.

A recipient is told of what it got and what goes: the entities that it receives by the configuration, as far as they are hers in records
that go, in the sources from which it gets them. The text names nobody; who is meant is said in a way of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from scanner.config import Config
from scanner.report.words import Words, entity
from scanner.requests.plan import Told

ANY = "TEXT"
"""What running text tells of her: no kind of data of its own."""


def told(
    settings: Config, going: Mapping[tuple[str, str], frozenset[str]], words: Words, plan: str, *, restricted: bool = False
) -> tuple[Told, ...]:
    """Who must be told. `going` are the entities that are hers in records that go, by (source, object); `restricted`: they rest."""
    receivers = {one.name: one for one in settings.recipients}
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for source in settings.sources:
        for name in source.recipients:
            known = receivers.get(name)
            data, places = found.setdefault(name, ({}, {}))
            for (place, object), entities in sorted(going.items()):
                if place != source.name:
                    continue
                got = sorted((entities & set(known.receives)) if known and known.receives else entities - {ANY})
                data |= dict.fromkeys(got)
                if got:
                    places[f"{place}: {object}"] = None
    return tuple(
        Told(
            name, receivers[name].contact if name in receivers else "", tuple(sorted(data)), tuple(places),
            _text(name, sorted(data), settings.controller.name, words, plan, restricted),
        )
        for name, (data, places) in sorted(found.items())
        if data
    )  # fmt: skip


def _text(name: str, data: list[str], controller: str, words: Words, plan: str, restricted: bool) -> str:
    said = words["told"]
    kind = "restricted" if restricted else "erased"
    kinds = list(dict.fromkeys(entity(words, one) for one in data))
    listed = f" {words['and']} ".join([*([", ".join(kinds[:-1])] if len(kinds) > 1 else []), *kinds[-1:]])
    company = controller or words["controller_unnamed"]
    parts = (
        said["greeting"].format(name=name),
        said[kind].format(controller=company, data=listed),
        said[f"ask_{kind}"],
        said["who"].format(plan=plan),
        f"{said['regards']}\n{company}",
    )
    return "\n\n".join(part.strip() for part in parts)
