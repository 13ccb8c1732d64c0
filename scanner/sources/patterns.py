"""Which objects of a source a user wants read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate


class Choice:
    """Shell patterns on object names: one of `include` has to match, where there are any, and none of `exclude`."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self.all = not include and not exclude
        self._include = re.compile("|".join(map(translate, include)) if include else "")
        self._exclude = re.compile("|".join(map(translate, exclude)) if exclude else "(?!)")

    def takes(self, object: str) -> bool:
        """Whether an object is to be read."""
        return self._include.match(object) is not None and self._exclude.match(object) is None

    def enters(self, folder: str) -> bool:
        """Whether anything in a folder may have to be read; its name ends in `/`."""
        return self._exclude.match(folder) is None and self._exclude.match(folder[:-1]) is None
