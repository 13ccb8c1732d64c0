"""Everything that can go wrong, as one tree: the docstring says what, `exit_code` says how the program ends.

A message is one line that says what is wrong and what to do. It never carries personal data.
"""

from typing import ClassVar


class PersondataError(Exception):
    """The command cannot go on."""

    exit_code: ClassVar[int] = 2


class UsageError(PersondataError):
    """The words of the command do not fit together."""


class ConfigError(PersondataError):
    """The configuration, or a secret that it refers to, cannot be used."""


class RuleError(PersondataError):
    """A rules file holds a mistake: the message names file, rule and what is wrong."""


class SourceError(PersondataError):
    """A whole source cannot be used: it does not exist, refuses the login, or its driver is missing."""


class InventoryError(PersondataError):
    """The inventory cannot be opened: newer version, missing key, locked by another run, or damaged."""


class MissingExtra(SourceError):
    """A library that this source or format needs is not installed; the message names the extra."""


class ReportError(PersondataError):
    """A report cannot be written: unknown kind, or a file ending that it has no format for."""
