"""An inventory of fifty million digests, written by the code that a scan writes with, and a search in it."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from scanner.inventory import Book, Holding, ObjectRead, UnitRead
from scanner.inventory.segments import Segments
from scanner.model import Unit
from scanner.unit import SENT

COMMIT = 100_000
"""Findings of one commit: what a scan of two seconds finds."""
UNITS = 50
VALUES = 5
"""So often each value occurs."""


def _stream(chance: np.random.Generator, rows: int, first: int, values: int) -> tuple[bytes, pa.Array]:
    """Findings as a worker sends them: in some hundred objects, each value as one of `values`, its digest by a multiplication."""
    number = np.arange(rows)
    kinds = pa.array(["EMAIL_ADDRESS", "PERSON", "PHONE_NUMBER", "DK_CPR"])
    rules = pa.array(["contact.email", "person.name", "contact.phone", "dk.cpr"])
    kind = pa.array(chance.integers(0, 4, rows))
    objects = pa.array([f"share/afdeling {first % 17}/sag {first + n}.docx" for n in range(rows // 40 + 1)])
    start = chance.integers(0, 400, rows)
    digests = digest(chance.integers(0, values, rows).astype(np.uint64))
    columns = [
        objects.take(pa.array(number // 40)), pa.repeat(pa.scalar(""), rows), pa.array([f"page={n}" for n in range(1, 9)]).take(pa.array(number % 40 // 5)),
        pa.array(start), pa.array(start + 11), kinds.take(kind), rules.take(kind), pa.array(chance.choice([0.6, 0.85, 0.99], rows).astype(np.float32)),
        digests, pa.repeat(pa.scalar(False), rows), pa.repeat(pa.scalar(False), rows),
    ]  # fmt: skip
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SENT) as out:
        out.write_batch(pa.RecordBatch.from_arrays(columns, schema=SENT))
    return sink.getvalue().to_pybytes(), digests


def digest(values: np.ndarray) -> pa.Array:
    """Sixteen bytes a value that look like chance (splitmix64, twice)."""
    halves = []
    for salt in (0x9E3779B97F4A7C15, 0xD1B54A32D192ED03):
        x = (values + np.uint64(1)) * np.uint64(salt)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
        halves.append(x ^ (x >> np.uint64(31)))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(values), [None, pa.py_buffer(np.stack(halves, 1).tobytes())])


def build(folder: Path, findings: int) -> float:
    """Write an inventory of so many findings. Returns the seconds that the writing took."""
    chance = np.random.default_rng(7)
    spent = 0.0
    with Book(folder, write=True) as book:
        run, sources = book.begin("rules", [("share", "/share")])
        segments = Segments(folder / "segments")
        for first in range(0, findings, COMMIT):
            each = COMMIT // UNITS
            streams = [_stream(chance, each, first + n * each, findings // VALUES)[0] for n in range(UNITS)]
            began = time.perf_counter()
            numbers = range(book.next_unit(), book.next_unit() + UNITS)
            for number, stream in zip(numbers, streams, strict=True):
                segments.add((number, 1), stream)
                segments.done((number, 1), number)
            made = segments.flush()
            with book.transaction() as cursor:
                where = book.add_segments(made, cursor)
                rows = []
                for number in numbers:
                    name = f"share/{number:09}.zip"
                    held = Holding(name, "", "PERSON", "general", each, each, each, each, 0, 0.99, "xxx")
                    read = UnitRead((ObjectRead(name, "file", "complete", "", 1, 1),), (), (held,))
                    rows.append((number, Unit("share", name, "file", fingerprint="1"), read, where[number]))
                book.record(run, sources["share"], rows, "rules", cursor)
            book.put_together()
            spent += time.perf_counter() - began
        began = time.perf_counter()
        book.put_together(at_the_end=True)
        book.finish(run, "{}")
        return spent + time.perf_counter() - began


def searches(folder: Path, findings: int, rounds: int = 15) -> Iterator[tuple[float, int]]:
    """(milliseconds, hits) of searches for sixty digests, each time others, of which forty are there; the first one is cold."""
    chance = np.random.default_rng(11)
    for path in (folder / "segments").iterdir():
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with Book(folder, write=False) as book:
        for number in range(rounds + 1):
            there = chance.integers(0, findings // VALUES, 40).astype(np.uint64)
            wanted = [*digest(there).to_pylist(), *(os.urandom(16) for _ in range(20))]
            began = time.perf_counter()
            hits = len(list(book.where(wanted)))
            yield (time.perf_counter() - began) * 1000, hits
            if number == 0:  # from here on the files lie in memory
                for path in (folder / "segments").iterdir():
                    path.read_bytes()


def measure(folder: Path, findings: int) -> tuple[float, float, float, float, int, int]:
    """(million findings written a second, bytes a finding, cold ms, warm ms, hits a search, segments)"""
    os.environ["PERSONDATA_KEYS"] = str(folder / "keys")
    seconds = build(folder / "inv", findings)
    size = sum(path.stat().st_size for path in (folder / "inv" / "segments").iterdir())
    every = list(searches(folder / "inv", findings))
    with Book(folder / "inv", write=False) as book:
        count = next(book.rows("select count(*) as n from segment"))["n"]
    warm = statistics.median(one[0] for one in every[1:])
    return findings / seconds / 1e6, size / findings, every[0][0], warm, round(statistics.mean(one[1] for one in every)), count
