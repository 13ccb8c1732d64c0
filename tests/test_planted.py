"""Every place of every document format: one CPR number is planted there, and found there, or its place is recorded as not read."""

from __future__ import annotations

import io
import shutil

import pyarrow as pa
import pytest

from scanner.detect.engine import Detector
from scanner.extract import extract
from scanner.model import Blob, Limits, Opened, Problem, TextBatch
from tests.planted import CPR, Place
from tests.planted.table import FORMATS, PLACES, document


@pytest.mark.parametrize("place", [pytest.param(place, id=f"{place.format}: {place.place}") for place in PLACES])
def test_what_is_planted_is_found(place: Place, detector: Detector) -> None:
    data = place.make()
    readings = list(extract(Blob(place.name, io.BytesIO(data), len(data)), Limits(), lambda _: None))
    inner = [one.object.removeprefix(place.name) for one in readings if isinstance(one, Opened)]
    batches = [TextBatch(place.name, "filename", pa.array(inner), pa.array([""] * len(inner)))]
    batches += [one for one in readings if isinstance(one, TextBatch)]
    problems = [one for one in readings if isinstance(one, Problem)]
    findings = detector.detect(batches, judge_columns=False).findings.to_pylist()
    found = [one for one in findings if one["entity"] == "DK_CPR"]
    if place.why is None:
        assert found, f"not found; problems: {problems}"
    elif not (place.says and shutil.which("tesseract") and found):
        assert place.why in [problem.why for problem in problems]
        assert not any(CPR in problem.detail for problem in problems)


def test_the_table_of_formats_is_up_to_date() -> None:
    assert FORMATS.read_text(encoding="utf-8") == document(), "python -m tests.planted.table writes it"
