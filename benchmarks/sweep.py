"""`python -m benchmarks sweep`: texts swept for one person against ripgrep looking for the same words in the same text."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import corpus

if TYPE_CHECKING:
    from benchmarks.__main__ import Figure

SIZE = 210_000_000
ROW = 32_768
PEOPLE = ("Søren Christian Nielsen", "Mette Kirstine Holm")
"""A name whose every part stands all over the text, and one that is rare there."""


def sweep() -> Iterator[Figure]:
    """CPU seconds, as other work on the machine falls on either; ripgrep counts lines, in either case, with one thread."""
    from benchmarks.__main__ import Figure

    if shutil.which("rg") is None:
        yield Figure("sweeping text / ripgrep", 0, "of its speed", "at least 0.5", False, "not measured: ripgrep is not installed")
        return
    plain = "\n".join(corpus.prose(SIZE, seed=7))
    dashed = plain.replace("Rabatten gælder", "Rabatten – som aftalt – gælder").replace("Lageret tælles", "Lageret\u00a0tælles")
    special = len(re.findall("[–\u00a0]", dashed))
    with tempfile.TemporaryDirectory() as folder:
        for text, kind in ((plain, "plain"), (dashed, f"a dash or odd space in every {len(dashed) // special} letters")):
            for name in PEOPLE if text is plain else PEOPLE[:1]:
                ratio, speed, words, size = _against(text, name, Path(folder))
                how = f"{size / 1e6:.0f} MB of letters and minutes, {kind}; seven identifiers, {words} words for ripgrep; {speed:.0f} MB a CPU second"
                which = "a common name" if name == PEOPLE[0] else "a rare name"
                yield Figure(f"sweeping text for a person with {which} / ripgrep", ratio, "of its speed", "at least 0.5", ratio >= 0.5, how)


def _against(text: str, name: str, folder: Path) -> tuple[float, float, int, int]:
    """How our speed is to ripgrep's; our speed in MB a second; how many words it got; bytes."""
    import pyarrow as pa

    from scanner.model import TextBatch
    from scanner.subject.identifiers import forms, from_options, written
    from scanner.subject.sweep import Sweep

    subject = from_options(
        cpr=["070761-4285"], email=["mette.holm@post.example"], phone=["20304050"], name=[name], address=["Skovvej 14, 8000 Aarhus C"],
        ids=["customer_no=KD-10442"], born=["1961-07-07"],
    )  # fmt: skip
    words = {text.lower() for one in subject.identifiers for text in written(one)}
    words |= {form.normal for one in subject.identifiers if one.entity == "PERSON" for form in forms(one)}
    (folder / "words").write_text("\n".join(sorted(words)) + "\n", encoding="utf-8")
    (folder / "text").write_text(text, encoding="utf-8")
    rows = [text[low : low + ROW] for low in range(0, len(text), ROW)]
    records = pa.array(["r"] * 60)
    batches = [
        TextBatch("o", "", pa.array(part), records[: len(part)]) for part in (rows[low : low + 60] for low in range(0, len(rows), 60))
    ]
    made = Sweep(subject)

    def ours() -> float:
        began = time.process_time()
        for _ in made.scan(batches):
            pass
        return time.process_time() - began

    def theirs() -> float:
        import resource

        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = subprocess.run(
            ["rg", "-j1", "-c", "-i", "-F", "-f", folder / "words", folder / "text"], stdout=subprocess.DEVNULL, check=False
        )
        assert found.returncode in (0, 1)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime

    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(5)]
    size = (folder / "text").stat().st_size
    return statistics.median(their / our for our, their in pairs), size / 1e6 / min(our for our, _ in pairs), len(words), size


ALL = {"sweep": sweep}
