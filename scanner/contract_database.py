"""What every source of tables promises besides `SourceContract`, as tests: its relations and its answers. Needs pytest.

class TestWarehouse(DatabaseContract):
    @pytest.fixture
    def source(self): ...          # as for `SourceContract`, with a table or more
    @pytest.fixture
    def footprint(self): ...
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

import pytest

from scanner.contract import SourceContract, read_all
from scanner.model import Column, Compare, Condition, Database, Opened, Problem, Reading, Relation, Shape, Source, TextBatch, Unit, Why
from scanner.sources.records import condition_of, conditions_of

Cells: TypeAlias = dict[str, dict[tuple[str, str], list[str]]]
"""Texts by record and (object, field)."""

HOSTILE = (
    "' OR '1'='1", "'; DROP TABLE kunder; --", '"', "\\", "\\'", "%", "_", "%%%", "a_b", "[a]*?", "a\0b", "\0", "\ud800", "", " ", "NaN",
    "inf", "NULL", "null", "now", "{}", '{"a"}', "1e999", "1_0", "0x1F", "2024-13-45", "0000-00-00", "true", "x'zz'", "x'00'", "(0,0)",
    "(9,9", "9" * 30, "9" * 3_000, "-1", "1.0", "1.5", " 1 ", "1;", "٣", "ﬀ", "İ", "😀", "x" * 100_000, "%s", "%(a)s", ":a", "$1",
    "?", "@a", "--", "/*",
)  # fmt: skip
"""Values that something might stumble over."""


def gathered(readings: Iterable[Reading], object: str) -> Cells:
    """Readings of one table, by record."""
    found: Cells = {}
    for one in readings:
        if isinstance(one, TextBatch):
            for record, text in zip(one.records.to_pylist(), one.texts.to_pylist(), strict=True):
                if one.object == object:
                    fields = found.setdefault(record, {})
                    if text is not None:
                        fields.setdefault((object, one.field), []).append(text)
    return found


def meets(condition: Condition, kind: str) -> Callable[[str], bool]:
    """Whether a text as it was read meets a condition on a column of this kind: what databases are held against."""
    values = [value for (value,) in condition.values]
    if condition.how is Compare.EXACT:
        numbers = {_number(value) for value in values} - {None} if kind == "number" else set()
        exact = set(values)
        return lambda text: text in exact or (bool(numbers) and _number(text) in numbers)
    if condition.how is Compare.FOLDED:
        folded = {value.strip(" ").lower() for value in values}
        return lambda text: text.strip(" ").lower() in folded
    if condition.how is Compare.CONTAINS:
        words = [value.lower() for value in values if value]
        return lambda text: any(word in text.lower() for word in words)
    ends = tuple(filter(None, map(_digits, values)))
    lost = {end.lstrip("0") for end in ends if kind == "number" and end.startswith("0")} - {""}
    return lambda text: (there := _digits(re.sub(r"\.0+\Z", "", text) if kind == "number" else text)).endswith(ends) or there in lost


def _digits(text: str) -> str:
    return re.sub("[^0-9]", "", text)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text) if re.fullmatch(r"[-+]?[0-9]+(\.[0-9]*)?", text.strip()) else None
    except InvalidOperation:
        return None


class DatabaseContract(SourceContract):
    """Inherit, and provide the fixtures `source` and `footprint` of a `Database`.

    `plain`: what is read is what the server writes; otherwise its driver writes numbers and times its own way.
    """

    plain = True

    @pytest.fixture
    def tables(self, source: Source) -> dict[str, tuple[Relation, Cells]]:
        """Each table as it is described and as it is read."""
        assert isinstance(source, Database)
        described = {one.object: one for one in source.relations() if isinstance(one, Relation)}
        found: dict[str, tuple[Relation, Cells]] = {}
        for unit, readings in read_all(source):
            if unit.object in described:
                _, cells = found.setdefault(unit.object, (described[unit.object], {}))
                for record, fields in gathered(readings, unit.object).items():
                    assert record not in cells, "a record is in one unit only"
                    cells[record] = fields
        return found

    def ask(self, source: Source, object: str, *conditions: Condition, limit: int = 0) -> Cells:
        """The answer, held against what every answer keeps."""
        assert isinstance(source, Database)
        readings = list(source.lookup(object, conditions, limit=limit))
        assert isinstance(readings[0], Opened)
        assert readings[0].object == object
        records: set[str] = set()
        chunk: Any = None
        for one in readings:
            if isinstance(one, Problem):
                assert one.detail
                assert one.field or one.why in (Why.DENIED, Why.UNSUPPORTED, Why.TOO_LARGE), one
            elif isinstance(one, TextBatch) and one.object == object and one.shape is Shape.CELL and not one.seams:
                assert len(one.texts) == len(one.records) > 0
                one.texts.validate(full=True)
                if one.records is not chunk and not records.issuperset(new := one.records.to_pylist()):
                    assert len(set(new)) == len(new)
                    assert records.isdisjoint(new), "each row once"
                    records.update(new)
                chunk = one.records
        return gathered(readings, object)

    def test_it_is_a_database(self, source: Source) -> None:
        assert isinstance(source, Database)
        assert source.dialect

    def test_relations_are_what_is_read(self, source: Source, tables: dict[str, tuple[Relation, Cells]]) -> None:
        assert isinstance(source, Database)
        listed = list(source.relations())
        assert listed == list(source.relations())
        assert [one.object for one in listed] == sorted({one.object for one in listed})
        units = list(source.units())
        assert {one.object for one in listed if isinstance(one, Relation)} == {one.object for one in units if isinstance(one, Unit)}
        assert {one for one in listed if isinstance(one, Problem)} == {one for one in units if isinstance(one, Problem)}
        for relation, cells in tables.values():
            names = [column.name for column in relation.columns]
            assert len(names) == len(set(names))
            kinds = {"text", "number", "date", "time", "bool", "bytes", "json", "other"}
            assert {column.type for column in relation.columns} <= kinds
            read = {field for fields in cells.values() for _, field in fields}
            assert all(any(field == name or field.startswith((f"{name}.", f"{name}[")) for name in names) for field in read)
            for columns in (*relation.unique, *relation.indexes, *(one.columns for one in relation.references)):
                assert columns
                assert set(columns) <= set(names)

    def test_a_record_is_fetched_again(self, source: Source, tables: dict[str, tuple[Relation, Cells]]) -> None:
        for object, (relation, cells) in tables.items():
            some = [*cells][:5] + [*cells][-2:]
            for record in some:
                condition = condition_of(relation, record)
                assert condition, f"{object}: a record's name is not understood"
                assert self.ask(source, object, condition) == {record: cells[record]}, (object, record)
            assert self.ask(source, object, *conditions_of(relation, some)) == {record: cells[record] for record in some}
            everything = list(source.lookup(object, conditions_of(relation, some))) if isinstance(source, Database) else []
            inside = {one.object for one in everything if isinstance(one, Opened)}
            assert inside <= {one.object for _, readings in read_all(source) for one in readings if isinstance(one, Opened)}

    @pytest.mark.parametrize("how", list(Compare))
    def test_rows_that_meet_a_value(self, source: Source, tables: dict[str, tuple[Relation, Cells]], how: Compare) -> None:
        for object, (relation, cells) in tables.items():
            for column in relation.columns:
                if self._is_odd(column, how):
                    continue
                values = [_varied(text, how) for text in _some_texts(cells, object, column.name)]
                for value in [one for one in values if one][:4]:
                    self._asks(source, relation, cells, [Condition((column.name,), ((value,),), how)])
                self._asks(source, relation, cells, [Condition((column.name,), tuple((one,) for one in values if one), how)])

    def test_any_of_several_conditions(self, source: Source, tables: dict[str, tuple[Relation, Cells]]) -> None:
        for object, (relation, cells) in tables.items():
            asked = [
                Condition((column.name,), tuple((text,) for text in _some_texts(cells, object, column.name)[:3]))
                for column in relation.columns
                if not self._is_odd(column, Compare.EXACT)
            ]
            self._asks(source, relation, cells, asked)
            self._asks(source, relation, cells, [*asked, *asked])
            found = self.ask(source, object, *asked, limit=2)
            assert found == {record: cells[record] for record in found}
            assert len(found) == min(2, len(_expected(relation, cells, asked)))
            assert self.ask(source, object) == {}
            assert self.ask(source, object, *(Condition(one.columns, ()) for one in asked)) == {}

    @pytest.mark.parametrize("how", list(Compare))
    def test_hostile_values_meet_only_themselves(
        self, source: Source, tables: dict[str, tuple[Relation, Cells]], footprint: Callable[[], object], how: Compare
    ) -> None:
        before = footprint()
        for relation, cells in tables.values():
            for column in relation.columns:
                if self._is_odd(column, how):
                    continue
                condition = Condition((column.name,), tuple((value,) for value in HOSTILE), how)
                self._asks(source, relation, cells, [condition])
                assert "DROP" not in repr(condition)
        assert footprint() == before

    def test_thousands_of_values(self, source: Source, tables: dict[str, tuple[Relation, Cells]]) -> None:
        many = tuple((str(number),) for number in range(-50, 6_000))
        for object, (relation, cells) in tables.items():
            for column in relation.columns[:6]:
                self._asks(source, relation, cells, [Condition((column.name,), many)])
            condition = condition_of(relation, next(iter(cells), ""))
            if condition and len(relation.columns) > 1:
                width = len(condition.columns)
                asked = Condition(condition.columns, condition.values + tuple((str(number),) * width for number in range(-50, -10)) * 20)
                assert self.ask(source, object, asked).keys() == {next(iter(cells))}

    def test_what_is_not_there_is_said(self, source: Source, tables: dict[str, tuple[Relation, Cells]]) -> None:
        assert isinstance(source, Database)
        for object in ("findes.ikke", "x' OR ''='", ""):
            readings = list(source.lookup(object, [Condition(("a",), ((self.secret,),))]))
            assert [type(one) for one in readings] == [Problem]
            assert self.secret not in repr(readings)
        for object in tables:
            readings = list(source.lookup(object, [Condition(("findes ikke",), ((self.secret,),))]))
            assert [one.field for one in readings if isinstance(one, Problem) and one.field == "findes ikke"] == ["findes ikke"]
            assert not any(isinstance(one, TextBatch) for one in readings)
            assert self.secret not in repr(readings)

    def test_asking_writes_nothing_and_tells_no_password(
        self, source: Source, tables: dict[str, tuple[Relation, Cells]], footprint: Callable[[], object]
    ) -> None:
        assert isinstance(source, Database)
        before = footprint()
        copy = pickle.loads(pickle.dumps(source))
        for object, (relation, cells) in tables.items():
            conditions = conditions_of(relation, [*cells][:3])
            assert self.ask(copy, object, *conditions) == self.ask(source, object, *conditions)
            reading = source.lookup(object, conditions)
            next(reading)
            reading.close()  # type: ignore[attr-defined]  # a generator
        pickle.dumps(source)
        assert footprint() == before
        assert self.secret not in repr([source, vars(source), list(source.relations())])

    def _is_odd(self, column: Column, how: Compare) -> bool:
        """Whether a column is compared as the server writes it, and read as a driver does."""
        return not self.plain and column.type != "text" and (how is not Compare.EXACT or column.type in ("other", "json"))

    def _asks(self, source: Source, relation: Relation, cells: Cells, conditions: Sequence[Condition]) -> None:
        found = self.ask(source, relation.object, *conditions)
        expected = _expected(relation, cells, conditions)
        # Bytes that are no text are not read, and what has an inside is read by path: both can be asked for all the same.
        bytes = {column.name for column in relation.columns if column.type == "bytes" or getattr(source, "dialect", "") == "sqlite"}
        unread = {record for record in found for one in conditions if _inner(cells[record], one.columns[0], one.columns[0] in bytes)}
        asked = [(one.columns, one.how, one.values[:3]) for one in conditions]
        assert found.keys() - (unread - expected) == expected, (relation.object, asked)
        assert all(found[record] == cells[record] for record in found)


def _expected(relation: Relation, cells: Cells, conditions: Sequence[Condition]) -> set[str]:
    kinds = {column.name: column.type for column in relation.columns}
    found: set[str] = set()
    for condition in conditions:
        (name,) = condition.columns
        meet = meets(condition, kinds[name])
        found |= {record for record, fields in cells.items() if any(map(meet, fields.get((relation.object, name), ())))}
    return found


def _inner(fields: dict[tuple[str, str], list[str]], name: str, bytes: bool) -> bool:
    """Whether a column may hold what is not read as one text."""
    read = {field for _, field in fields}
    return name not in read and (bytes or any(field.startswith((f"{name}.", f"{name}[")) for field in read))


def _some_texts(cells: Cells, object: str, field: str) -> list[str]:
    """Some of the distinct texts of a column, short ones."""
    texts = (text for fields in cells.values() for text in fields.get((object, field), []) if len(text) < 1_000)
    return list(dict.fromkeys(texts))[:8]


def _varied(text: str, how: Compare) -> str:
    """A value that a text meets."""
    if how is Compare.FOLDED:
        return f"  {text.swapcase()} " if text.swapcase().lower() == text.lower() else text
    if how is Compare.CONTAINS:
        return text[len(text) // 3 :].upper() if text.upper().lower() == text.lower() else text
    if how is Compare.DIGITS:
        found = re.sub("[^0-9]", "", text)
        return "-".join(found[-8:]) if found else ""
    return text
