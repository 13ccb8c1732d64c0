"""`persondata demo`: write a small made-up company to try everything on."""

from __future__ import annotations

from pathlib import Path

import click

from scanner.cli import options


@click.command("demo", short_help="Write a small made-up company to try everything on.")
@click.argument("folder", type=click.Path(path_type=Path))
@options.common
def command(folder: Path, config_file: Path | None, inventory: Path) -> None:
    """Write a made-up company to FOLDER: a database, a file share and a mail archive. Nobody in it exists."""
    from scanner import demo

    sources = demo.write(folder)
    click.echo(f"wrote a made-up company to {folder}; now try:")
    click.echo("  persondata scan " + " ".join(sources))
