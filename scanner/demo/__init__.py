"""Writes Optifo ApS, a made-up web company, to try everything on: databases, file share, mailbox and chats.

Everybody in it is invented, and the same company is written every time. Whose each record is, is known: see `truth.py`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from scanner.demo.company import Company, make
from scanner.demo.configuration import configuration
from scanner.errors import UsageError


def write(folder: Path) -> list[str]:
    """Write the company into a new or empty folder and return its sources, as a scan takes them."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: is there already and not an empty folder; choose a new one")
    try:
        _write(folder, make())
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written ({error.strerror})") from error
    place = folder.as_posix()
    return [f"sqlite:///{place}/crm.db", f"{place}/share", f"{place}/mail/info.mbox", f"{place}/chat"]


def _write(folder: Path, company: Company) -> None:
    contents = {
        "crm.db": company.crm,
        "mail/info.mbox": company.mailbox,
        **{f"share/{name}": content for name, content in company.share.items()},
        **{f"chat/{name}": content for name, content in company.chat.items()},
        "servers/postgresql.sql": company.postgresql.encode(),
        "servers/mariadb.sql": company.mariadb.encode(),
        "persondata.toml": configuration("sqlite:///crm.db", "share", "mail/info.mbox", "chat").encode(),
    }
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, day in company.changed.items():
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
        os.utime(folder / "share" / name, (moment, moment))
