"""What travels between the coordinator of a scan and its workers, but for findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scanner.model import Problem, Unit, Why

_SKIPPED = frozenset({Why.UNSUPPORTED, Why.TOO_LARGE})


@dataclass(frozen=True, slots=True)
class Job:
    """A unit to be worked; objects in `skip` brought a worker down before and are not opened again."""

    unit: Unit
    skip: frozenset[str] = frozenset()


def judged(problems: Sequence[Problem], read: bool) -> tuple[str, str]:
    """The status of an object, and the reason for it: `complete` only when nothing of it was left unread."""
    if not problems:
        return "complete", ""
    reasons = list(dict.fromkeys(f"{p.why.value}: {p.detail}" if p.detail else p.why.value for p in problems))
    reason = reasons[0] + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "")
    if read or any(p.field or p.record for p in problems):
        return "partial", reason
    return ("skipped" if all(p.why in _SKIPPED for p in problems) else "failed"), reason
