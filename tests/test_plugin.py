"""A source of another package: found by its entry point, held to the same promises, scanned like any other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.contract import SourceContract
from scanner.errors import SourceError
from scanner.model import Source
from scanner.sources import open_source

PLUGIN = '''
from pathlib import Path

import pyarrow as pa

from scanner.model import Opened, Shape, TextBatch, Unit


class Ledger:
    """Lines of `name;text` in a file, each a record of the object `ledger`."""

    def __init__(self, url, name):
        self.name, self.url, self._path = name or url, url, "/" + url.split("///", 1)[1]
        self.watch, self.skip = (str, frozenset())

    def units(self):
        yield Unit(self.name, "ledger", "table", 0, "")

    def read(self, unit):
        yield Opened("ledger", "table")
        rows = [line.split(";") for line in Path(self._path).read_text(encoding="utf-8").splitlines()]
        records = pa.array([f"line={number}" for number in range(1, len(rows) + 1)])
        for field, column in zip(("name", "text"), zip(*rows)):
            yield TextBatch("ledger", field, pa.array(column), records, Shape.CELL)


def make(url, name, password, include, exclude, limits):
    return Ledger(url, name)
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package as pip leaves it: its module, and its entry points beside it."""
    site = tmp_path / "site"
    (site / "ledger_plugin-1.dist-info").mkdir(parents=True)
    (site / "ledger_plugin.py").write_text(PLUGIN)
    (site / "broken_plugin.py").write_text("import nowhere_to_be_found\n")
    (site / "ledger_plugin-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: ledger-plugin\nVersion: 1\n")
    (site / "ledger_plugin-1.dist-info" / "entry_points.txt").write_text(
        "[persondata.sources]\nledger = ledger_plugin:make\nbroken = broken_plugin:make\n"
    )
    monkeypatch.syspath_prepend(str(site))
    (tmp_path / "book.txt").write_text("Mette Holm;cpr 070761-4285\nBo Lund;intet\n", encoding="utf-8")
    return tmp_path


class TestPlugin(SourceContract):
    @pytest.fixture
    def source(self, installed: Path) -> Source:
        return open_source(f"ledger://{installed}/book.txt", password=self.secret)

    @pytest.fixture
    def footprint(self, installed: Path) -> Callable[[], object]:
        return lambda: [(path.name, path.stat().st_mtime_ns) for path in installed.iterdir() if path.suffix == ".txt"]


def test_a_broken_plugin_is_named(installed: Path) -> None:
    with pytest.raises(SourceError, match="broken_plugin:make cannot be loaded"):
        open_source("broken:///x")


def test_a_plugin_is_scanned(cli: Callable[..., subprocess.CompletedProcess[str]], installed: Path) -> None:
    root = Path(__file__).parent.parent
    path = f"{root}:{installed / 'site'}" if sys.platform != "win32" else f"{root};{installed / 'site'}"
    cli("scan", f"ledger://{installed}/book.txt", PYTHONPATH=path)
    assert "DK_CPR" in cli("inventory").stdout
