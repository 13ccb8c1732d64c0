"""The command line: one small module a command; each parses, calls one function, prints."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from scanner.errors import PersondataError

COMMANDS = {
    "detect": "Find personal data in text.",
    "extract": "Show the text that a scan would read from a file.",
    "scan": "Walk sources and update the inventory.",
    "inventory": "Show what personal data lies where.",
    "coverage": "Show what was read and what was not.",
    "show": "Read a place again and mark what is found there.",
    "find": "Find every record of one person, and say why it is hers.",
    "access": "Pack what a person is entitled to see, other people's data redacted.",
    "sweep": "Plan what becomes of each record of one person. Nothing is deleted.",
    "verify": "Look again after a deletion: a certificate, or what is left.",
    "request": "Keep requests: what was asked, until when, and what was decided.",
    "retention": "Show what has been kept longer than its policy allows.",
    "rules": "List, show and test the detection rules.",
    "report": "Write a report.",
    "demo": "Write a small made-up company to try everything on.",
}
"""Every command with its help in a line; its module is imported when it is used."""


class _Commands(click.Group):
    """Commands that are imported when they are used, and errors as one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"scanner.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            result = super().main(*args, **{**kwargs, "standalone_mode": False})
            sys.exit(result if isinstance(result, int) else 0)
        except PersondataError as error:
            click.echo(f"persondata: {error}", err=True)
            sys.exit(error.exit_code)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(error.exit_code)
        except click.ClickException as error:
            click.echo(f"persondata: {' '.join(error.format_message().split())}", err=True)
            sys.exit(error.exit_code)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except (KeyboardInterrupt, click.Abort):
            click.echo("persondata: interrupted; what was finished is kept", err=True)
            sys.exit(130)
        except Exception as error:
            if os.environ.get("PERSONDATA_DEBUG"):
                raise
            click.echo(f"persondata: a mistake in the program: {_where(error)}; please report it", err=True)
            sys.exit(2)


def _where(error: Exception) -> str:
    """The kind of an unexpected error and its place in the program; never its message, which may quote content."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if name.startswith("scanner"):
            place = f" at {name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return type(error).__name__ + place


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="persondata", prog_name="persondata")
def main() -> None:
    """Find personal data where it lies: databases, files, mail and chat archives.

    Everything happens on this machine. Exit codes: 0 done; 1 done, and the answer asks for action;
    2 wrong usage or configuration; 3 done, but something could not be read (see `persondata coverage`).
    """
