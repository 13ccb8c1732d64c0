"""What every source promises, as tests: a class that inherits from `SourceContract` runs them all. Needs pytest.

class TestWarehouse(SourceContract):
    @pytest.fixture
    def source(self): ...          # a source that was opened with the password `SourceContract.secret`
    @pytest.fixture
    def footprint(self): ...       # what would show that somebody wrote to the place
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import closing

import pytest

from scanner.model import Opened, Problem, Reading, Shape, Source, TextBatch, Unit


def read_all(source: Source) -> list[tuple[Unit, list[Reading]]]:
    """Read a source from one end to the other."""
    return [(unit, list(source.read(unit))) for unit in source.units() if isinstance(unit, Unit)]


def texts(source: Source) -> dict[tuple[str, str, str], list[str | None]]:
    """Read a source into {(object, record, field): texts}."""
    found: dict[tuple[str, str, str], list[str | None]] = {}
    for _, readings in read_all(source):
        for batch in readings:
            if isinstance(batch, TextBatch):
                for record, text in zip(batch.records.to_pylist(), batch.texts.to_pylist(), strict=True):
                    found.setdefault((batch.object, record, batch.field), []).append(text)
    return found


def problems(source: Source) -> list[Problem]:
    """List and read a source, and keep what went wrong."""
    listed = [entry for entry in source.units() if isinstance(entry, Problem)]
    return listed + [r for _, readings in read_all(source) for r in readings if isinstance(r, Problem)]


class SourceContract:
    """Inherit, and provide the fixtures `source` and `footprint`."""

    secret = "hemmeligt-ord"

    @pytest.fixture
    def source(self) -> Source:
        raise NotImplementedError

    @pytest.fixture
    def footprint(self) -> Callable[[], object]:
        """What would tell that somebody wrote to the place: names, times and bytes."""
        raise NotImplementedError

    def test_units_are_sorted_and_unique(self, source: Source) -> None:
        listed = list(source.units())
        units = [(unit.object, unit.part) for unit in listed if isinstance(unit, Unit)]
        assert units
        assert units == sorted(set(units))
        assert all(unit.source == source.name for unit in listed if isinstance(unit, Unit))
        objects = [entry.object for entry in listed]
        assert objects == sorted(objects)

    def test_listing_is_stable(self, source: Source) -> None:
        assert list(source.units()) == list(source.units())

    def test_reading_keeps_its_promises(self, source: Source) -> None:
        for unit, readings in read_all(source):
            first = readings[0]
            assert isinstance(first, Opened)
            assert first.object == unit.object
            opened = {r.object for r in readings if isinstance(r, Opened)}
            before: TextBatch | None = None
            for batch in readings:
                if not isinstance(batch, TextBatch):
                    before = None
                    continue
                assert batch.object in opened
                assert len(batch.texts) == len(batch.records) > 0
                assert batch.records.null_count == 0
                batch.texts.validate(full=True)
                batch.records.validate(full=True)
                if before and before.object == batch.object and batch.shape is before.shape is Shape.CELL and not batch.seams:
                    shared = batch.records is before.records
                    assert shared or not batch.records.equals(before.records), "columns of one chunk share one array"
                before = batch

    def test_reading_twice_gives_the_same(self, source: Source) -> None:
        assert texts(source) == texts(source)
        assert problems(source) == problems(source)

    def test_a_copy_reads_the_same(self, source: Source) -> None:
        copy = pickle.loads(pickle.dumps(source))
        assert list(copy.units()) == list(source.units())
        assert texts(copy) == texts(source)
        list(source.read(next(unit for unit in source.units() if isinstance(unit, Unit))))
        pickle.dumps(source)

    def test_nothing_is_written(self, source: Source, footprint: Callable[[], object]) -> None:
        before = footprint()
        texts(source)
        reading = source.read(next(unit for unit in source.units() if isinstance(unit, Unit)))
        with closing(reading):  # type: ignore[type-var]  # a generator
            next(reading)
            assert footprint() == before
        assert footprint() == before

    def test_the_password_is_nowhere(self, source: Source) -> None:
        listed = list(source.units())
        assert self.secret not in repr([source, vars(source), source.name, source.url, listed])
        assert self.secret.encode() not in pickle.dumps(listed)

    def test_no_object_is_skipped_in_silence(self, source: Source) -> None:
        assert all(problem.detail for problem in problems(source))
