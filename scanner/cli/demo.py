"""`persondata demo`: write a small made-up company to try everything on."""

from __future__ import annotations

from pathlib import Path

import click

from scanner.cli import options


@click.command("demo", short_help="Write a small made-up company to try everything on.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--truth",
    "truth_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write, as JSON, whose each record is.",
)
@options.common
def command(folder: Path, truth_file: Path | None, config_file: Path | None, inventory: Path) -> None:
    """Write a made-up company to FOLDER: databases, a file share, mail and chats. Nobody in it exists."""
    from scanner import demo

    sources = demo.write(folder)
    if truth_file:
        from scanner.demo.truth import truth
        from scanner.errors import UsageError

        try:
            truth_file.write_text(truth().json(), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{truth_file}: cannot be written ({error.strerror})") from error
    click.echo(f"wrote a made-up company to {folder}; now try:")
    click.echo("  persondata scan " + " ".join(sources))
    click.echo(f"two more of its systems wait in {folder / 'servers'}; {folder / 'persondata.toml'} says how to load them")
