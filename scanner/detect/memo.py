"""What was worked out of the rules' expressions before, kept in the user's cache folder: how wide they are, what they cannot do without.

Nothing but rules goes into it, never data. Entries count for the very code that made them: a memo carries the digest of its source files.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MOST = 20_000
"""So many entries are kept; beyond that those only that were used last."""


def cache_folder() -> Path:
    """Where compiled rules are kept: the user's cache folder."""
    root = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else str(Path.home() / ".cache"))
    return Path(root or ".cache") / "persondata"


def keep(path: Path, data: bytes) -> None:
    """Write a cache file whole, or not at all; a cache that cannot be written is none."""
    aside = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(data)
        os.replace(aside, path)
    except OSError:
        aside.unlink(missing_ok=True)


class Memo:
    """Answers by question, both JSON; `made` says whether one was not there before."""

    def __init__(self, known: dict[str, Any]) -> None:
        self._known = known
        self.used: dict[str, Any] = {}
        self.made = False

    def __call__(self, what: str, text: str, make: Callable[[str], Any]) -> Any:
        """`make(text)`, or what it gave before; lists come back for tuples."""
        key = hashlib.blake2b(f"{what}\0{text}".encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
        if key in self.used:
            return self.used[key]
        if key not in self._known:
            self._known[key] = make(text)
            self.made = True
        answer = self.used[key] = self._known[key]
        return answer


@contextmanager
def opened(cache: Path | None, name: str, *modules: str) -> Iterator[Memo]:
    """The memo of some modules (their `__file__`), written back when it has learnt something; without a folder it is empty."""
    if cache is None:
        yield Memo({})
        return
    state = hashlib.blake2b(sys.version.encode(), digest_size=8)
    for module in modules:
        state.update(Path(module).read_bytes())
    path = cache / f"{name}-{state.hexdigest()}.json"
    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError):
        known = {}
    memo = Memo(known if isinstance(known, dict) else {})
    yield memo
    if memo.made:
        entries = memo.used if len(known) > MOST else {**known, **memo.used}
        keep(path, json.dumps(entries, separators=(",", ":")).encode())
