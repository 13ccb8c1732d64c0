"""Identifiers against the yardstick of benchmarks/identifiers: the yardstick itself is sound, and the rules reach its targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import phonenumbers
import pytest
from stdnum import luhn
from stdnum.dk import cpr as cpr_number

from benchmarks.__main__ import detector as ready
from benchmarks.identifiers import others
from benchmarks.identifiers.__main__ import COLUMNS, TARGETS, mistaken
from benchmarks.identifiers.columns import columns
from benchmarks.identifiers.numbers import modulus
from benchmarks.identifiers.people import People
from benchmarks.identifiers.score import Outcome, Verdict, judge, read
from benchmarks.identifiers.template import Labelled
from benchmarks.identifiers.texts import CHECKED, JUDGED, UNCHECKED, texts


@pytest.fixture(scope="module")
def detector() -> Any:
    return ready("fast")


@pytest.fixture(scope="module")
def outcome(detector: Any) -> Outcome:
    return read(detector, texts())


@pytest.fixture(scope="module")
def verdicts(detector: Any) -> list[Verdict]:
    return judge(detector, columns())


@pytest.mark.slow
def test_cpr_numbers_are_found_and_nothing_else_is_taken_for_one(outcome: Outcome) -> None:
    tally, (recall, precision) = outcome.entities["DK_CPR"], TARGETS["DK_CPR"]
    assert tally.recall >= recall
    assert tally.precision >= precision


@pytest.mark.slow
@pytest.mark.parametrize("entity", CHECKED)
def test_identifiers_with_a_check_digit_are_found(outcome: Outcome, entity: str) -> None:
    tally, (recall, precision) = outcome.entities[entity], TARGETS[entity]
    assert tally.recall >= recall
    assert tally.precision >= precision


@pytest.mark.slow
def test_columns_are_told_apart(verdicts: list[Verdict]) -> None:
    assert sum(one.right for one in verdicts) >= COLUMNS * len(verdicts)


@pytest.mark.slow
def test_no_look_alike_column_is_called_cpr(verdicts: list[Verdict]) -> None:
    assert [(one.column["name"], one.column["kind"]) for one in mistaken(verdicts)] == []


@pytest.mark.slow
def test_cpr_numbers_in_comment_columns_are_found(verdicts: list[Verdict]) -> None:
    found, there = sum(one.rows_found for one in verdicts), sum(len(one.column.get("rows", ())) for one in verdicts)
    assert found >= 0.97 * there, "some stand bare, right behind another number's label"


# the yardstick itself


def spans(wanted: Callable[[str], bool]) -> list[tuple[Labelled, str, str]]:
    return [(item, item["text"][start:end], label) for item in texts() for start, end, label in item["spans"] if wanted(label)]


def bare(text: str, kept: str = "") -> str:
    return "".join(c for c in text if c.isalnum() or c in kept)


def checks(label: str, value: str) -> bool:
    right = others.checked(People(0))[label][0]
    return right(bare(value, "-" if label.startswith("FI_") else ""))


@pytest.mark.slow
def test_material_is_always_the_same() -> None:
    assert texts.__wrapped__() == texts()
    assert columns.__wrapped__() == columns()


def test_spans_do_not_overlap_and_are_never_blank() -> None:
    for item in texts():
        end = 0
        for span in item["spans"]:
            assert end <= span[0] < span[1] <= len(item["text"]), item["text"]
            assert item["text"][span[0] : span[1]].strip() == item["text"][span[0] : span[1]]
            end = span[1]
        assert "«" not in item["text"], item["text"]


def test_cpr_numbers_are_what_their_form_says() -> None:
    for item, value, _ in spans(lambda label: label == "DK_CPR"):
        digits, form = bare(value), item["form"]
        if form == "eCPR":
            assert len(digits) == 10 and digits[7:9].isalpha() and digits[:7].isdigit(), value
            continue
        digits = digits.rjust(10, "0") if form == "lost zero" else digits[:4] + digits[6:] if len(digits) == 12 else digits
        plain = f"{int(digits[0]) - 6}{digits[1:]}" if digits[0] in "6789" else digits
        assert 1900 <= cpr_number.get_birth_date(plain).year <= 2024, value
        if "without modulus 11" in form:
            assert not modulus(digits), value
        elif form != "named field":
            assert modulus(digits), (form, value)


def test_other_numbers_have_the_check_digits_that_they_are_labelled_with() -> None:
    right = spans(set(CHECKED).__contains__)
    assert [value for _, value, label in right if not checks(label, value)] == []
    counted = Counter(label for _, _, label in right)
    assert min(counted[entity] for entity in CHECKED) >= 10
    wrong = spans(lambda label: label.startswith("wrong "))
    assert wrong and [value for _, value, label in wrong if checks(label[6:], value)] == []
    assert len({value[:2] for _, value, label in spans(lambda label: label == "IBAN_CODE")}) >= 20
    assert all(luhn.is_valid(bare(value)) for _, value, _ in spans(lambda label: label == "imei"))


def test_phones_are_of_ranges_in_use() -> None:
    for _, value, _ in spans(lambda label: label == "PHONE_NUMBER"):
        number = value.replace("(", "").replace(")", "")
        parsed = phonenumbers.parse("+" + number[2:] if number.startswith("00") else number, "DK")
        assert phonenumbers.is_valid_number(parsed), value


def test_every_form_has_its_texts_and_nearly_half_of_the_numbers_are_something_else() -> None:
    items = texts()
    assert len(items) >= 900
    by_form = Counter(item["form"] for item, _, _ in spans(lambda label: label == "DK_CPR"))
    assert len(by_form) >= 30 and min(by_form.values()) >= 6, by_form
    labels = Counter(label for item in items for _, _, label in item["spans"])
    skipped = {"ambiguous", "date", "EMAIL_ADDRESS", "ADDRESS", "USER_AGENT", "USERNAME", "COOKIE_ID"}
    numbers = Counter({label: count for label, count in labels.items() if label not in skipped and not label.startswith("maybe:")})
    named = sum(count for label, count in numbers.items() if label in JUDGED)
    assert 1 - named / numbers.total() >= 0.45
    assert min(labels[entity] for entity in UNCHECKED) >= 8


def test_columns_are_many_and_of_many_kinds() -> None:
    made = columns()
    assert len(made) >= 240
    assert all(200 <= len(column["values"]) <= 500 for column in made)
    assert len({column["kind"] for column in made}) >= 80
    assert sum(column["name"] == "cpr" and column["truth"] is None for column in made) >= 12
    assert sum(len(column.get("rows", ())) for column in made) >= 100
