"""`python -m tests`: lint, types, floors, tests and the wheel, in one command; `--fast` leaves out what is slow.

`--time` runs the tests only, and writes those that took more than `SLOW` seconds into `tests/slow.txt`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SLOW = 0.4
"""Seconds that a test may take, with all its parameters, to be run by a developer all the time."""


def step(name: str, *words: str, **env: str) -> bool:
    """Run one step and say how it went."""
    print(f"== {name}", flush=True)
    began = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, env={**os.environ, **env}, check=False)
    print(f"== {name}: {'passed' if done.returncode == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s\n", flush=True)
    return done.returncode == 0


def wheel() -> bool:
    """Build the wheel, install it where there are no development dependencies, and run the main job with it."""
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/venv/bin/python"
        return (
            step("wheel: build", sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ".")
            and step("wheel: a bare environment", sys.executable, "-m", "venv", f"{folder}/venv")
            and step("wheel: install", python, "-m", "pip", "install", "--quiet", *map(str, Path(folder).glob("*.whl")))
            and step(
                "wheel: run",
                python,
                "-I",
                "-c",
                _MAIN_JOB.format(folder=folder),
                XDG_CACHE_HOME=f"{folder}/cache",
                PERSONDATA_KEYS=f"{folder}/keys",
            )
        )


_MAIN_JOB = """
import os, subprocess, sys
os.chdir({folder!r})
def persondata(*words):
    return subprocess.run([os.path.join(os.path.dirname(sys.executable), "persondata"), *words], capture_output=True, text=True)
assert persondata("demo", "company").returncode == 0
done = persondata("scan", "--config", "company/persondata.toml")
print(done.stdout, done.stderr)
assert done.returncode == 3, done.returncode
assert "DK_CPR" in persondata("inventory").stdout
assert persondata("rules", "test").returncode == 0
assert persondata("report", "overview", "-o", "overview.html").returncode == 0
"""


def timed(report: str) -> list[str]:
    """The tests that took long, from what pytest's `--durations=0` says: setting up, calling, tearing down, all parameters together."""
    seconds: dict[str, float] = {}
    for took, name in re.findall(r"(?m)^ *([0-9.]+)s (?:setup|call|teardown) +tests/(\S+)", report):
        test = name.partition("[")[0]
        seconds[test] = seconds.get(test, 0.0) + float(took)
    return sorted(test for test, took in seconds.items() if took > SLOW)


def measure() -> int:
    """Time every test and keep the names of the slow ones."""
    words = ("-m", "slow or not slow", "-n", "2", "--dist", "loadgroup", "--durations=0")
    done = subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    print(done.stdout.splitlines()[-1])
    (ROOT / "tests/slow.txt").write_text("".join(f"{test}\n" for test in timed(done.stdout)), encoding="utf-8")
    return done.returncode


def main() -> int:
    """Everything, cheapest first. The last line of pytest is the last line of all."""
    if "--time" in sys.argv[1:]:
        return measure()
    fast = "--fast" in sys.argv[1:]
    python = sys.executable
    ok = [
        step("ruff", python, "-m", "ruff", "check", "."),
        step("format", python, "-m", "ruff", "format", "--check", "."),
        step("mypy", python, "-m", "mypy"),
        step("floors", str(Path(python).parent / "lint-imports")),
    ]
    if not fast:
        ok.append(wheel())
    marks = ["-m", "not slow"] if fast else ["-m", "slow or not slow"]
    thorough = {} if fast else {"THOROUGH": "1"}  # more examples for laws that hold for any text
    ok.append(step("tests", python, "-m", "pytest", *marks, "-n", "2", "--dist", "loadgroup", **thorough))
    if not all(ok):
        print("something FAILED, see above")
    return 0 if all(ok) else 1


if __name__ == "__main__":
    sys.exit(main())
