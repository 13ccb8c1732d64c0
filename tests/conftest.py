"""What tests share: a detector made once, a home of their own, and the people they invent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the program's workers; read when numpy is loaded
ROOT = Path(__file__).parent.parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What `slow.txt` lists is slow, besides what is marked so: `python -m tests --time` has timed everything."""
    slow = frozenset((Path(__file__).parent / "slow.txt").read_text(encoding="utf-8").splitlines())
    for item in items:
        if item.nodeid.partition("[")[0].removeprefix("tests/") in slow:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def detector():  # type: ignore[no-untyped-def]
    """The project's own rules, ready."""
    from scanner.detect import engine, memo, rules
    from scanner.resources import folder

    ruleset = rules.load((folder("rules"),), cache=memo.cache_folder())
    return engine.Detector(ruleset, key=b"k" * 32, cache=memo.cache_folder())


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of test inventories do not land in anybody's home; compiled rules are shared between tests."""
    monkeypatch.setenv("PERSONDATA_KEYS", str(tmp_path_factory.getbasetemp() / "keys"))


@pytest.fixture
def cli(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command line as its user runs it: a process of its own, in a folder of its own."""

    def run(*words: str, stdin: str = "", expect: int | None = 0, **env: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "scanner.cli", *words], input=stdin, capture_output=True, text=True, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **env}, timeout=120, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        if expect is not None:
            assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
        return done

    return run
