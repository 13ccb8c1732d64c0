"""A source and a format of another package: found by its entry point, held to the same promises, scanned like any other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner.contract import File, FormatContract, SourceContract
from scanner.errors import SourceError
from scanner.extract import plugins
from scanner.model import Source, Why
from scanner.sources import open_source

PLUGIN = '''
from pathlib import Path

import pyarrow as pa

from scanner.model import Opened, Problem, Shape, TextBatch, Unit, Why


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


def read(blob, walk):
    """The same lines as a format, of whatever place."""
    lines = blob.stream.read().decode("utf-8", "replace").splitlines()
    rows = [line.split(";", 1) for line in lines if ";" in line]
    if len(rows) < len(lines):
        yield Problem(blob.object, Why.DAMAGED, "lines without a semicolon were left out")
    if rows:
        records = pa.array([f"line={number}" for number in range(1, len(rows) + 1)])
        for field, column in zip(("name", "text"), zip(*rows)):
            yield TextBatch(blob.object, field, pa.array(column), records, Shape.CELL)
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
        "[persondata.formats]\nledger = ledger_plugin:read\nbroken = broken_plugin:read\n"
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


class TestItsFiles(FormatContract):
    """Its format is read wherever such a file lies, in archives too."""

    @pytest.fixture
    def file(self, installed: Path) -> Iterator[File]:
        plugins._offered.cache_clear()
        yield File("book.ledger", b"Mette Holm;cpr 070761-4285\nBo Lund;intet\n", "cpr 070761-4285")
        plugins._offered.cache_clear()

    def test_it_is_the_plugin_that_reads(self, file: File) -> None:
        assert {field for _, _, field, _ in self.hear(file.data, file.name).texts} == {"name", "text"}
        assert [(p.why, p.detail) for p in self.hear(file.data, "book.broken").problems] == [
            (Why.UNSUPPORTED, "the plugin broken_plugin:read cannot be loaded (ModuleNotFoundError)")
        ]
        assert self.hear(b"%PDF-1.7", "book.ledger").problems[0].why is Why.DAMAGED, "what it is by its content, it stays"
