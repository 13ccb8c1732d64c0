"""What every source and every format promises, as tests: a class that inherits from one of the contracts runs them all. Needs pytest.

class TestWarehouse(SourceContract):
    @pytest.fixture
    def source(self): ...          # a source that was opened with the password `SourceContract.secret`
    @pytest.fixture
    def footprint(self): ...       # what would show that somebody wrote to the place

class TestLedgerFiles(FormatContract):
    @pytest.fixture
    def file(self): ...            # a `File`: its name, its bytes, and a value that stands in it
"""

from __future__ import annotations

import io
import pickle
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from scanner.extract import extract
from scanner.model import Blob, Limits, Opened, Problem, Reading, Shape, Source, TextBatch, Unit


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


_GRAMMAR = 256
"""Bytes that a format may need before the first value: a file that breaks off in them holds nothing."""


class File(NamedTuple):
    """A file of a format: its name, its bytes, and a value that stands in it (`CPR`-like: no word of ours).

    `silent` says that its text can be had only where something is installed that may be missing: `said` is not looked for.
    """

    name: str
    data: bytes
    said: str
    silent: bool = False


class Heard(NamedTuple):
    """All that one reading gave."""

    readings: list[Reading]
    watched: list[str]

    @property
    def opened(self) -> list[str]:
        return [one.object for one in self.readings if isinstance(one, Opened)]

    @property
    def problems(self) -> list[Problem]:
        return [one for one in self.readings if isinstance(one, Problem)]

    @property
    def batches(self) -> list[TextBatch]:
        return [one for one in self.readings if isinstance(one, TextBatch)]

    @property
    def texts(self) -> list[tuple[str, str, str, str]]:
        """(object, record, field, text) of whatever is not empty."""
        return [
            (batch.object, record, batch.field, text)
            for batch in self.batches
            for record, text in zip(batch.records.to_pylist(), batch.texts.to_pylist(), strict=True)
            if text
        ]

    @property
    def size(self) -> int:
        return sum(len(text) for *_, text in self.texts)


class FormatContract:
    """What reading every format promises: inherit, and provide the fixture `file` (parametrised, for several).

    `seconds` is how long a reading may take before it counts as one that hangs; `cuts` how often a file is broken off.
    """

    seconds = 60.0
    cuts = 40

    @pytest.fixture
    def file(self) -> File:
        raise NotImplementedError

    def read(self, blob: Blob, limits: Limits, watch: Callable[[str], None]) -> Iterator[Reading]:
        """How the format is read; a reader that is not our own takes this one's place."""
        return extract(blob, limits, watch)

    def hear(self, data: bytes, name: str, limits: Limits = Limits(), skip: frozenset[str] = frozenset()) -> Heard:
        """Read bytes to their end, in a thread that is waited for no longer than `seconds`; what all readings keep is checked."""
        readings: list[Reading] = []
        watched: list[str] = []
        raised: list[BaseException] = []

        def listen() -> None:
            try:
                readings.extend(self.read(Blob(name, io.BytesIO(data), len(data), skip=skip), limits, watched.append))
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        thread.join(self.seconds)
        assert not thread.is_alive(), f"{len(data)} bytes are still being read after {self.seconds} s"
        assert not raised, f"reading raised {type(raised[0]).__name__} on {len(data)} bytes"
        heard = Heard(readings, watched)
        _keeps_its_promises(heard, name, skip)
        return heard

    def test_it_is_read_and_keeps_its_promises(self, file: File) -> None:
        heard = self.hear(file.data, file.name)
        if not file.silent:
            assert any(file.said in text for *_, text in heard.texts), "what stands in the file was not read"
        assert heard.texts or heard.problems
        _quotes_nothing(heard, file)

    def test_reading_twice_gives_the_same(self, file: File) -> None:
        one, two = self.hear(file.data, file.name), self.hear(file.data, file.name)
        assert one.texts == two.texts
        assert (one.opened, one.problems, set(one.watched)) == (two.opened, two.problems, set(two.watched))

    def test_what_breaks_off_gives_less_or_says_so(self, file: File) -> None:
        """What still stands in the first bytes is read, as what it was or as plain text, or a problem says that something is missing."""
        whole = self.hear(file.data, file.name)
        for size in _places(len(file.data), self.cuts):
            left = file.data[:size]
            heard = self.hear(left, file.name)
            _quotes_nothing(heard, file)
            silent = not heard.texts and whole.texts and left[_GRAMMAR:].strip(b"\0 \t\r\n")
            assert heard.problems or not silent, f"the first {size} of {len(file.data)} bytes are passed over in silence"
            lost = file.said.encode() in left and not any(file.said in text for *_, text in heard.texts)
            assert heard.problems or file.silent or not lost, (
                f"of the first {size} of {len(file.data)} bytes, what stands there is not read"
            )

    def test_damage_never_raises(self, file: File) -> None:
        for size in _places(len(file.data), self.cuts):
            broken = bytearray(file.data)
            broken[size - 1 : size + 3] = bytes(byte ^ 0x5A for byte in broken[size - 1 : size + 3])
            _quotes_nothing(self.hear(bytes(broken), file.name), file)

    def test_inside_an_archive_it_is_the_same(self, file: File) -> None:
        bare, inside = self.hear(file.data, file.name), self.hear(_zipped(file), "a.zip")
        before = f"a.zip!{file.name}"
        assert inside.opened[0] == "a.zip"
        assert [name.replace(before, file.name, 1) for name in inside.opened[1:]] == bare.opened
        assert [(one[0].replace(before, file.name, 1), *one[1:]) for one in inside.texts] == bare.texts
        assert [(p.object.replace(before, file.name, 1), p.why, p.record, p.field) for p in inside.problems] == [
            (p.object, p.why, p.record, p.field) for p in bare.problems
        ]

    def test_an_empty_file_holds_nothing(self, file: File) -> None:
        heard = self.hear(b"", file.name)
        assert heard.opened == [file.name]
        assert not heard.texts

    def test_what_limits_keep_out_is_said(self, file: File) -> None:
        whole = self.hear(file.data, file.name)
        for limits in (
            Limits(document_bytes=1), Limits(archive_depth=1), Limits(archive_members=1), Limits(archive_bytes=1), Limits(archive_ratio=1),
        ):  # fmt: skip
            heard = self.hear(file.data, file.name, limits)
            _quotes_nothing(heard, file)
            assert heard.size <= whole.size
            assert heard.size == whole.size or heard.problems, f"{limits} keep out text without a word"

    def test_an_object_that_brings_a_worker_down_is_passed_over(self, file: File) -> None:
        whole = self.hear(file.data, file.name)
        assert set(whole.opened) <= set(whole.watched), "what is opened is told to the one who watches"
        for name in whole.opened[:8]:
            heard = self.hear(file.data, file.name, skip=frozenset({name}))
            assert [one for one in heard.texts if not _within(one[0], name)] == [one for one in whole.texts if not _within(one[0], name)]
            assert not any(_within(one[0], name) for one in heard.texts)

    def test_nothing_is_left_behind(self, file: File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = tmp_path / "scratch"
        folder.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        monkeypatch.chdir(folder)
        self.hear(file.data, file.name)
        reading = self.read(Blob(file.name, io.BytesIO(file.data), len(file.data)), Limits(), lambda _: None)
        next(reading)
        reading.close()  # type: ignore[attr-defined]  # a generator
        assert list(folder.iterdir()) == []


def _keeps_its_promises(heard: Heard, name: str, skip: frozenset[str]) -> None:
    assert heard.readings or name in skip
    assert name in skip or isinstance(heard.readings[0], Opened)
    opened: dict[str, str] = {}
    before: TextBatch | None = None
    for one in heard.readings:
        if isinstance(one, Opened):
            assert _within(one.object, name)
            assert one.kind
            opened[one.object] = one.kind
        elif isinstance(one, Problem):
            assert one.detail.strip(), "a problem says what happened"
            assert "\n" not in one.detail
        else:
            assert one.object in opened, "an object is opened before its texts come"
            assert len(one.texts) == len(one.records) > 0
            assert one.records.null_count == 0
            one.texts.validate(full=True)
            one.records.validate(full=True)
            table = opened[one.object] == "table" and one.shape is Shape.CELL and not one.seams
            if table and before is not None and before.object == one.object and before.shape is Shape.CELL:
                shared = one.records is before.records
                assert shared or not one.records.equals(before.records), "columns of one chunk share one array"
        before = one if isinstance(one, TextBatch) else None
    assert len(heard.opened) == len(opened), "an object is opened once"


def _quotes_nothing(heard: Heard, file: File) -> None:
    assert not any(file.said in problem.detail for problem in heard.problems), "a problem quotes the content"


def _within(object: str, name: str) -> bool:
    return object == name or object.startswith(f"{name}!")


def _places(size: int, most: int) -> list[int]:
    """Where bytes are broken off: near both ends everywhere, and evenly in between; the same ones in every run."""
    near = most // 4
    every = max(1, (size - 2 * near) // max(1, most - 2 * near))
    return sorted({at for at in (*range(1, near + 1), *range(near, size, every), *range(size - near, size)) if 0 < at < size})


def _zipped(file: File) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(file.name, file.data)
    return out.getvalue()
