"""Other people's files, where they lie beside the repository: nothing raises, every file is accounted for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scanner.extract import extract
from scanner.model import Blob, Limits, Opened, Problem, TextBatch

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "data" / "corpora"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not here")]


@pytest.mark.parametrize("folder", ["documents", "mail", "chat"])
def test_every_file_is_accounted_for(folder: str) -> None:
    times: list[tuple[float, str]] = []
    silent: list[str] = []
    for path in sorted((CORPORA / folder).rglob("*")):
        if not path.is_file():
            continue
        started = time.perf_counter()
        name = path.relative_to(CORPORA).as_posix()
        opened, characters, problems, pictures = [], 0, [], False
        with path.open("rb") as stream:
            for reading in extract(Blob(name, stream, path.stat().st_size, path), Limits(), lambda _: None):
                if isinstance(reading, Opened):
                    opened.append(reading.object)
                    pictures = pictures or reading.kind == "image"  # may well be of a flower
                elif isinstance(reading, Problem):
                    problems.append(reading)
                else:
                    assert isinstance(reading, TextBatch)
                    assert len(reading.texts) == len(reading.records)
                    characters += sum(len(text or "") for text in reading.texts.to_pylist())
        assert opened[0] == name and len(set(opened)) == len(opened)
        if not characters and not problems and not pictures and path.suffix != ".json" and path.read_bytes().strip():
            silent.append(name)
        times.append((time.perf_counter() - started, name))
    print(*(f"{seconds:7.3f} s  {name}" for seconds, name in sorted(times)[-5:]), sep="\n")
    assert times
    assert silent == []
