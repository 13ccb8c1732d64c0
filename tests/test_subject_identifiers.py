"""From the little that is known of a person to every way of writing it: what is taken, what is refused, what is the same."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner import digest
from scanner.detect import checks
from scanner.errors import UsageError
from scanner.model import Identifier
from scanner.subject import names
from scanner.subject.identifiers import (
    Agreement,
    Strength,
    compare,
    digits,
    fold_name,
    forms,
    from_json,
    from_options,
    is_shared_mailbox,
    strength,
    warnings,
    written,
)

SAME, VARIANT, WEAK, UNKNOWN, DIFFERENT = Agreement

FIRST = ["Mette", "Søren", "Åse", "Christian", "Hans Jørgen", "Anne-Mette", "Renée", "Fatima", "Margrethe", "Bo", "Kirstine", "Thomas"]
LAST = ["Holm", "Nielsen", "Ågård", "Kjærsgaard", "Wesselhoff", "Brøndbæk", "Lassén", "El Hassan", "Holm-Nielsen", "Petersen", "Pedersen"]
people = st.builds(
    lambda first, middle, last: " ".join([first, *middle, last]),
    st.sampled_from(FIRST),
    st.lists(st.sampled_from(FIRST), max_size=1),
    st.sampled_from(LAST),
)
dk_phones = st.integers(20_000_000, 99_999_999).map(str).filter(checks.phone_dk)
born = st.dates(date(1900, 1, 1), date(2020, 1, 1))
cprs = st.builds(lambda day, tail: f"{day:%d%m%y}-{tail:04}", st.dates(date(1937, 1, 1), date(1999, 12, 31)), st.integers(1, 3999)).filter(
    checks.cpr
)
mailboxes = st.builds(
    lambda name, domain: f"{name}@{domain}",
    st.from_regex(r"[a-zA-Z]{2,8}(\.[a-z]{2,8})?(\+[a-z]{2,5})?", fullmatch=True),
    st.sampled_from(["example.com", "post.example", "gmail.com", "bøf.example"]),
)
roads = st.sampled_from(
    ["Skovvej", "Gammel Landevej", "Nørre Allé", "Ved Åen", "10. Februar Vej", "Sankt Pauls Gade", "Kærbyvej", "Åboulevarden"]
)
houses = st.builds(
    lambda number, letter, floor: f"{number}{letter}{floor}",
    st.integers(1, 399),
    st.sampled_from(["", "B"]),
    st.sampled_from(["", ", 2. tv.", ", st. th", ", 3. mf."]),
)
homes = st.builds(
    lambda road, house, town: f"{road} {house}{town}",
    roads,
    houses,
    st.sampled_from(["", ", 8000 Aarhus C", ", 2100 København Ø", ", 4700 Næstved"]),
)
known = st.one_of(
    people.map(lambda value: Identifier("PERSON", value)),
    dk_phones.map(lambda value: Identifier("PHONE_NUMBER", value)),
    st.sampled_from(["+46 70 123 45 67", "+47 22 12 34 56", "+49 30 123456"]).map(lambda value: Identifier("PHONE_NUMBER", value)),
    cprs.map(lambda value: Identifier("DK_CPR", value)),
    mailboxes.map(lambda value: Identifier("EMAIL_ADDRESS", value)),
    homes.map(lambda value: Identifier("ADDRESS", value)),
    born.map(lambda day: Identifier("DATE_OF_BIRTH", day.isoformat())),
    st.from_regex(r"(KD-)?[0-9]{3,9}", fullmatch=True).map(lambda value: Identifier("CUSTOMER_ID", value, "customer_no")),
    st.sampled_from(
        [
            ("IBAN_CODE", "DK5000400440116243"),
            ("DK_BANK_ACCOUNT", "9070 1234567"),
            ("CREDIT_CARD", "4571 2345 6789 0111"),
            ("DK_PASSPORT", "209876543"),
        ]
    ).map(lambda pair: Identifier(*pair)),
)


def like(entity: str, one: str, other: str, as_entity: str = "") -> Agreement:
    return compare(Identifier(entity, one), as_entity or entity, other).agreement


@settings(max_examples=150, deadline=None)
@given(known)
def test_every_form_is_hers_and_whatever_is_written_meets_a_form(identifier: Identifier) -> None:
    entity, made = identifier.entity, forms(identifier)
    assert len({(form.entity, form.normal) for form in made}) == len(made)
    for form in made:
        assert digest.normalise(form.entity, form.normal) == form.normal
        agreement = compare(identifier, form.entity, form.normal).agreement
        assert agreement in (SAME, VARIANT) or form.entity != entity, form.how
    assert digest.normalise(entity, identifier.value) in {form.normal for form in made if form.entity == entity} or entity in (
        "DK_CPR",
        "EMAIL_ADDRESS",
    )
    spellings = written(identifier)
    assert spellings[0] == identifier.value
    assert all(compare(identifier, entity, text).agreement is SAME for text in spellings)
    if entity in ("DK_CPR", "PHONE_NUMBER", "PERSON", "CUSTOMER_ID", "DATE_OF_BIRTH", "EMAIL_ADDRESS"):
        recorded = {form.normal for form in made if form.entity == entity}
        missed = [text for text in spellings if digest.normalise(entity, text) not in recorded]
        assert len(missed) <= (2 if entity in ("PERSON", "DATE_OF_BIRTH", "EMAIL_ADDRESS") else 0) * len(spellings) / 10, entity
    if digits(identifier):
        assert any("".join(filter(str.isdigit, text)).endswith(digits(identifier)) for text in spellings)
    values = {"value": identifier.value, "normal": [form.normal for form in made]}
    assert identifier.value not in repr(made) + repr(identifier), values.keys()


any_name = st.one_of(people, st.text(alphabet="abehlmnost ÆØÅæøå.,-'éx", max_size=24))


@settings(max_examples=400, deadline=None)
@given(any_name, any_name)
@example("Mette Holm", "Holms Mette")
@example("HJ Holm", "Hans Jørgen Holm")
def test_names_are_as_like_one_way_as_the_other(one: str, other: str) -> None:
    assert names.compare_names(one, other) == names.compare_names(other, one)
    assert fold_name(" ".join(fold_name(one))) == fold_name(one)
    assert not fold_name(one) or len(fold_name(one)) > names.MOST or names.compare_names(one, one).agreement is SAME


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Mette Kirstine Holm", "Holm, Mette Kirstine", SAME),
        ("Søren Ågård", "SOEREN AAGAARD", SAME),
        ("Renée Lassén", "renee lassens", SAME),
        ("Anne-Mette Hansen", "Hr. Anne Mette Hansen", SAME),
        ("Nadia Rostrup", "Rostrup Keramik v/Nadia Rostrup", SAME),
        ("Mette Kirstine Holm", "Mette Holm", VARIANT),
        ("Mette Kirstine Holm", "M.K. Holm", VARIANT),
        ("Mette Kirstine Holm", "Mette K Holm", VARIANT),
        ("Hans Jørgen Holm", "HJ Holm", VARIANT),
        ("Åse Brøndbæk", "Å. Brøndbæk", VARIANT),
        ("Søren Holm", "Soren Holm", VARIANT),
        ("Kristoffer Juelsgaard", "Chris Juelsgaard", VARIANT),
        ("Margrethe Balslev", "Grethe Balslev", VARIANT),
        ("Christian Holm", "Chr. Holm", VARIANT),
        ("Jeppe Haugaard", "Jeppe Hagaard", VARIANT),
        ("Thorkild Wesselhoff", "Thorkild Wesselhfof", VARIANT),
        ("Mette Holm", "Mette", WEAK),
        ("Mette Holm", "Holm", WEAK),
        ("Mette Holm", "Mette H.", WEAK),
        ("Mette Holm", "M.H.", WEAK),
        ("Mette Kirstine Holm", "Mette Kirstine", WEAK),
        ("Mette Holm", "MH", DIFFERENT),
        ("Mette Nielsen", "Hanne Nielsen", DIFFERENT),
        ("Mette Holm", "Mette Krogh", DIFFERENT),
        ("Mette Anne Holm", "Mette Kirstine Holm", DIFFERENT),
        ("Lars Petersen", "Lars Pedersen", DIFFERENT),
        ("Maria Holm", "Marie Holm", DIFFERENT),
        ("Jeppe Haugaard", "Jappe Hagaard", DIFFERENT),
        ("Mette Holm", "", UNKNOWN),
    ],
)
def test_names(one: str, other: str, expected: Agreement) -> None:
    assert like("PERSON", one, other) is expected
    assert like("PERSON", other or " ", one) in (expected, UNKNOWN)


HOME = "Nørre Allé 6B, 2. th., 2200 København N"


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("Nørre Alle 6 b, 2.th, DK-2200 København N", SAME),
        ("c/o Holm\nNØRRE ALLÉ 6B, 2. sal th\n2200 København N\nDanmark", SAME),
        ("Noerre Allé 6B 2 th 2200 København", SAME),
        ("Nr. Allé 6B, 2. th., 2200 København N", VARIANT),
        ("Nørre Allé 6B, 2200 København N", VARIANT),
        ("Nørre Allé 6, 2. th., 2200 København N", VARIANT),
        ("Nørre Allé 6B", VARIANT),
        ("Nørrre Allé 6B, 2. th., København N", VARIANT),
        ("Nørre Allé, 2200 København N", WEAK),
        ("2200 København N", WEAK),
        ("Nørre Allé 8, 2200 København N", DIFFERENT),
        ("Nørre Allé 6B, 2. tv., 2200 København N", DIFFERENT),
        ("Nørre Allé 6B, 3. th., 2200 København N", DIFFERENT),
        ("Nørre Allé 6C, 2200 København N", DIFFERENT),
        ("Nørre Allé 6B, 8000 Aarhus C", DIFFERENT),
        ("Nørregade 6B, 2200 København N", DIFFERENT),
    ],
)
def test_addresses(other: str, expected: Agreement) -> None:
    assert like("ADDRESS", HOME, other) is expected


@pytest.mark.parametrize(
    ("entity", "one", "other", "expected"),
    [
        ("DK_CPR", "010203-1234", "01.02.03 1234", SAME),
        ("DK_CPR", "010203-1234", "102031234.0", SAME),
        ("DK_CPR", "010203-1234", "01-02-1903-1234", SAME),
        ("DK_CPR", "010203-1234", "610203-1234", VARIANT),
        ("DK_CPR", "010203-1234", "010203-xxxx", WEAK),
        ("DK_CPR", "010203-1234", "010203-1235", WEAK),
        ("DK_CPR", "010203-1234", "010203-4235", DIFFERENT),
        ("DK_CPR DATE_OF_BIRTH", "010203-1234", "1. februar 1903", WEAK),
        ("DATE_OF_BIRTH DK_CPR", "1903-02-01", "010203-1234", WEAK),
        ("DATE_OF_BIRTH", "1985-03-14", "den 14. marts 1985", SAME),
        ("DATE_OF_BIRTH", "14/3-1985", "1985-03-14T00:00:00", SAME),
        ("DATE_OF_BIRTH", "1985-03-14", "14.03.85", SAME),
        ("DATE_OF_BIRTH", "1985-03-04", "03/04/1985", WEAK),
        ("DATE_OF_BIRTH", "1985-03-14", "1985-03-15", DIFFERENT),
        ("EMAIL_ADDRESS", "mette@example.com", "METTE (at) example (dot) com", SAME),
        ("EMAIL_ADDRESS", "mette@example.com", "Mette+optifo@Example.com", VARIANT),
        ("EMAIL_ADDRESS", "m.holm@gmail.com", "mholm@googlemail.com", VARIANT),
        ("EMAIL_ADDRESS", "m.holm@example.com", "mholm@example.com", DIFFERENT),
        ("EMAIL_ADDRESS USERNAME", "mette@example.com", "mette", WEAK),
        ("PHONE_NUMBER", "20304050", "(+45) 2030-4050", SAME),
        ("PHONE_NUMBER", "+46 70 123 45 67", "0701234567", VARIANT),
        ("PHONE_NUMBER", "20304050", "+46 20304050", DIFFERENT),
        ("CUSTOMER_ID", "0010442", "10442.0", SAME),
        ("CUSTOMER_ID", "KD-10442", "kd10442", VARIANT),
        ("CUSTOMER_ID", "KD-10442", "10442", WEAK),
        ("CUSTOMER_ID", "10442", "110442", DIFFERENT),
        ("IBAN_CODE DK_BANK_ACCOUNT", "DK5000400440116243", "0040 440116243", SAME),
        ("PERSON EMAIL_ADDRESS", "Mette Holm", "mette@example.com", UNKNOWN),
    ],
)
def test_numbers_and_mailboxes(entity: str, one: str, other: str, expected: Agreement) -> None:
    mine, _, theirs = entity.partition(" ")
    assert like(mine, one, other, theirs) is expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "nothing is said"),
        ({"cpr": ["010203-12"]}, "digits"),
        ({"cpr": ["310203-1234"]}, "date"),
        ({"cpr": ["290200-1234"]}, "century"),
        ({"cpr": ["311236-4236"]}, "future"),
        ({"email": ["mette@localhost"]}, "domain with a dot"),
        ({"phone": ["11111111"]}, "not in use in Denmark"),
        ({"born": ["31-02-1990"]}, "no such day"),
        ({"name": ["1234"]}, "no letters"),
        ({"ids": ["10442"]}, "COLUMN=VALUE"),
    ],
)
def test_what_cannot_be_true_is_refused_without_its_value(given: dict[str, list[str]], said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        from_options(**given)
    assert not any(value in str(refused.value) or value in repr(refused.value) for values in given.values() for value in values)
    if given and "ids" not in given:
        subject = from_options(**given, anyway=True)
        assert warnings(subject) and all(forms(one) for one in subject.identifiers)


def test_a_request_as_json() -> None:
    subject = from_json(json.dumps({"cpr": "010160-1235", "name": ["Mette Holm"], "id": {"crm:customers.customer_no": [10442, "7"]}}))
    assert [(one.entity, one.value, one.column) for one in subject.identifiers] == [
        ("DK_CPR", "010160-1235", ""), ("PERSON", "Mette Holm", ""),
        ("CUSTOMER_ID", "10442", "crm:customers.customer_no"), ("CUSTOMER_ID", "7", "crm:customers.customer_no"),
    ]  # fmt: skip
    assert [strength(one) for one in subject.identifiers] == [Strength.STRONG, Strength.WEAK, Strength.STRONG, Strength.STRONG]
    assert any("modulus 11" in one for one in warnings(subject))
    assert any("only be possible" in one for one in warnings(from_options(name=["Mette Holm"])))
    for wrong in ('{"cpr": "010160-1235", "passport": "1"}', "[]", "{", '{"cpr": {"a": 1}}', '{"id": "7"}'):
        with pytest.raises(UsageError) as refused:
            from_json(wrong)
        assert "010160" not in str(refused.value)
    with pytest.raises(UsageError, match="'passport'"):
        from_json('{"passport": "1"}')


def test_whose_mailbox() -> None:
    shared = [
        "info@a.example",
        "salg.nord@a.example",
        "no-reply@a.example",
        "NoReply+7@a.example",
        "familien.holm@post.example",
        "hr@a.example",
    ]
    own = ["mette@a.example", "infante@a.example", "h.r.holm@a.example", "salgado@a.example"]
    assert [is_shared_mailbox(one) for one in shared + own] == [True] * len(shared) + [False] * len(own)
    assert strength(Identifier("EMAIL_ADDRESS", shared[0])) is Strength.MEDIUM
    tagged = {
        form.normal: form.strength
        for form in forms(Identifier("EMAIL_ADDRESS", "mette+optifo@a.example"))
        if form.entity == "EMAIL_ADDRESS"
    }
    assert tagged["mette+optifo@a.example"] is Strength.STRONG and tagged["mette@a.example"] is Strength.MEDIUM
