"""The checks: known numbers, the laws behind them, and that the column form answers like the single one."""

from __future__ import annotations

import random
import string
import time
from datetime import date

import pyarrow as pa
import pytest

from scanner.detect import checks
from scanner.detect.checks import CHECKS
from scanner.detect.vector_checks import VECTOR


@pytest.fixture(autouse=True)
def the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "today", lambda: date(2026, 11, 22))


@pytest.mark.parametrize(
    ("seventh", "year", "full"),
    [
        (0, 0, 1900),
        (3, 99, 1999),
        (2, 36, 1936),
        (4, 36, 2036),
        (4, 37, 1937),
        (4, 99, 1999),
        (4, 0, 2000),
        (5, 0, 2000),
        (8, 57, 2057),
        (5, 58, 1858),
        (8, 99, 1899),
        (9, 36, 2036),
        (9, 37, 1937),
        (9, 99, 1999),
    ],
)
def test_century(seventh: int, year: int, full: int) -> None:
    assert checks.century(seventh, year) == full


YES = {
    "cpr": [
        "010203-1234",
        "0102031234",
        "01 02 03 1234",
        "01.02.03-1234",
        "010203 - 1234",
        "010203/1234",
        "610203-1234",
        "2902004000",
        "2512489996",
        "311257-3001",
        "2211264000",
        "0101585000",
    ],
    "cpr_ordinary": ["010203-1234", "3112991234"],
    "cpr_without_zero": ["102031234", "102034000"],
    "birth_field": ["1985-02-01 00:00:00", "01-02-1985", "1985-02-01T10:00:00Z"],
    "person_name": ["Mette Holm", "METTE", "Holm, Mette", "jens peter bæk", "Anne-Marie Lund", "Rose Nielsen"],
    "name_alone": ["Mette", "JENSEN", "Østergaard", "Holm, Mette", "Anne-Marie", "Holm"],
    "dk_address": ["Nørregade 12, 1165 København K", "Ved Åen 7\n5000 Odense C"],
    "road_address": ["Nørregade 12", "kirkegade 4 b, 6700 esbjerg", "10. Februar Vej 3"],
    "cpr_modulus_11": ["2512484916", "1111111118", "0707490071"],
    "cpr_modulus_11_expected": ["2512484916", "0707490071", "0101851234", "010160-0000", "610185-1234", "0101014000"],
    "cpr_full_date": ["01021903-1234", "01-02-1965-1234", "01.02.1965-1234", "01/02/1965 1234", "010220031234"[:8] + "5234"],
    "cpr_full_date_modulus_11": ["07071949-0071", "25-12-1948-4916", "01011985-1234"],
    "cpr_without_zero_modulus_11": ["707490071", "101851234"],
    "cvr": ["13748136", "DK13748136", "DK 13 74 81 36", "1374-8136"],
    "phone_dk": [
        "20304050",
        "20 30 40 50",
        "+45 20 30 40 50",
        "0045 20304050",
        "4520304050",
        "+45 (33) 12 34 56",
        "(+45) 33 12 34 56",
        "+(45) 33123456",
        "33 12 34 56",
    ],
    "phone_international": ["+46 8 123 456 78", "+44 20 7946 0958", "0046812345678", "+45 20 30 40 50", "+298 201234"],
    "phone_written": ["(212) 555-2368", "785 8949", "0479 50 54 03", "833.719.3994x1887", "02.27.96.63.08", "001-748-088-2851"],
    "iban": [
        "DK5000400440116243",
        "dk50 0040 0440 1162 43",
        "GR1601101250000000012300695",
        "GB82 WEST 1234 5698 7654 32",
        "MT84MALT011000012345MTLCAST001S",
    ],
    "card": [
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "378282246310005",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
        "5019717010103742",
        "6200000000000005",
    ],
    "ipv4": ["192.168.0.1", "8.8.8.8", "223.255.0.1", "10.0.0.0"],
    "ipv6": ["2001:db8::1", "fe80::1%eth0", "2a02:aa7:0:1::42"],
    "mac": ["00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e"],
    "email": ["mette.holm@example.com", "a@b.dk", "søren.ågård@bøf.dk", "x+y@sub.example.co.uk", "o'neil@example.org"],
    "date_of_birth": [
        "1. marts 1985",
        "01-03-1985",
        "1985-03-01",
        "1/3/85",
        "01031985",
        "19850301",
        "March 3, 1985",
        "3rd of March 1985",
        "1.3.1985",
        "22-11-2026",
        "29.02.2000",
        "den 4. maj 1990",
    ],
    "dk_postcode": ["1165", "8000 Aarhus C", "DK-2100", "0800"],
    "dk_bank_account": ["Reg. 1234 Konto 0001234567", "1234-0001234567", "9876 123456", "5301 0000 123456"],
    "se_personnummer": ["880320-0016", "8803200016"],
    "no_fodselsnummer": ["151086 95088"],
    "fi_hetu": ["131052-308T"],
    "is_kennitala": ["120174-3399"],
    "de_idnr": ["36 574 261 809"],
    "nl_bsn": ["111222333"],
    "pl_pesel": ["44051401359"],
    "fr_nir": ["2 95 10 99 126 111 93"],
    "es_nif": ["54362315K"],
    "it_codicefiscale": ["RCCMNL83S18D969H"],
    "be_nn": ["85.07.30 033 28"],
}
NO = {
    "cpr": [
        "",
        "310203-1234",
        "300203-1234",
        "011303-1234",
        "010203-123",
        "010203-12345",
        "2902011234",
        "2311264000",
        "0101575",
        "1111111111",
        "920203-1234",
        "600203-1234",
        "010203_1234",
        "٠102031234",
        "a0102031234",
    ],
    "cpr_ordinary": ["610203-1234", "310203-1234", ""],
    "cpr_without_zero": ["992031234", "0102031234", "10203123"],
    "birth_field": ["2085-02-01 00:00:00", "00:00:00", ""],
    "person_name": ["Rød Bluse", "Rose", "Garden Trowel", "", "Rose Garden", "42"],
    "name_alone": ["", "Mette Holm", "Roskilde", "Black", "aktiv", "Cykelslange", "Holm,", "Rød, Bluse", "42"],
    "dk_address": ["Nørregade 12, 9999 Ingenting", "Nørregade 12", "Kvartal 4, 2024 Resultat"],
    "road_address": ["nørregade 12", "Lagerplads 30", "Nørregade 12, 9999 Ingenting"],
    "cpr_modulus_11": ["2512489996", "0101010101", "123"],
    "cpr_modulus_11_expected": ["2512489996", "0101591234", "0201851234", "0101581000", "0101585000", "", "123"],
    "cpr_full_date": ["01021903-5234", "01021965-5234", "01-02-2065-1234", "31021965-1234", "010265-1234", "01-02-2003-1234"],
    "cpr_full_date_modulus_11": ["25-12-1948-9996", "01021965-1234", "0707490071"],
    "cpr_without_zero_modulus_11": ["102031234", "0707490071", ""],
    "cvr": ["13748137", "11111111", "01374813", "1374813", "SE13748136"],
    "phone_dk": [
        "12345678",
        "11111111",
        "88888888",
        "37123456",
        "2030405",
        "+46 20304050",
        "95123456",
        "+20304050",
        "0045203040",
    ],
    "phone_international": ["20304050", "+45 12345678", "+999 1234567", "+1"],
    "phone_written": ["12.05.2024", "2024-05-12", "2023-2024", "100 000 000", "1.234.567", "12 34", "1111 1111", "2023 2024"],
    "iban": ["DK5000400440116244", "DK50004004401162430", "BE31435411161156", "XX5000400440116243", "", "DK"],
    "card": [
        "4111 1111 1111 1112",
        "0000000000000000",
        "1234567812345670",
        "4111",
        "444444444444444",
        "9111111111111111",
    ],
    "ipv4": ["0.0.0.0", "127.0.0.1", "255.255.255.0", "224.0.0.1", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5"],
    "ipv6": ["::1", "::", "ff02::1", "1.2.3.4", "12:34", "2001:db8:::1"],
    "mac": ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "00:1A-2B:3C:4D:5E", "01:00:5e:00:00:01", "00:1A:2B:3C:4D"],
    "email": [
        "image@2x.png",
        "a..b@example.com",
        "a@b",
        "@b.dk",
        "a@b..dk",
        ".a@b.dk",
        "a@b.d1",
        "a b@c.dk",
        "logo@3x.svg",
        "a@b-.dk",
        "x" * 65 + "@b.dk",
        "a@" + "b" * 250 + ".dk",
        "a@b.dk\n",
    ],
    "date_of_birth": ["31-02-1985", "1899-12-31", "23-11-2026", "0000", "1. blarts 1985", "12345678", "2030-01-01"],
    "dk_postcode": ["1000", "9999", "12345", "abc", "0001"],
    "dk_bank_account": ["2030 4050", "1234 5678", "0000 1234567", "2024 310012", "1111 1111111", "1234 0000000000"],
    "se_personnummer": ["880320-0018"],
    "no_fodselsnummer": ["15108695077"],
    "fi_hetu": ["131052-308U"],
    "is_kennitala": ["530575-0299"],
    "de_idnr": ["36554266806"],
    "nl_bsn": ["111252333"],
    "pl_pesel": ["44051401358"],
    "fr_nir": ["295109912611199"],
    "es_nif": ["54362315Z"],
    "it_codicefiscale": ["RCCMNL83S18D967H"],
    "be_nn": ["85 07 30 033 27"],
}


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_known_values(name: str) -> None:
    assert [value for value in YES[name] if not CHECKS[name](value)] == []
    assert [value for value in NO[name] if CHECKS[name](value)] == []


def test_a_number_is_not_born_tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "today", lambda: date(2003, 2, 1))
    assert checks.cpr("0102034000") and not checks.cpr("0202034000")
    assert list(VECTOR["cpr"](pa.array(["0102034000", "0202034000"]))) == [True, False]


def _sample(name: str, rng: random.Random, many: int) -> list[str | None]:
    """Known values, whole or with a character changed, dropped or added, and random numbers in the usual forms."""
    known = YES[name] + NO[name] + YES["iban"] + YES["card"] + YES["email"]
    characters = string.digits * 3 + " -./+()@dkDKxæ"
    shapes = (
        "##########",
        "######-####",
        "########",
        "## ## ## ##",
        "+45########",
        "################",
        "#.##.###.##",
        "DK########",
        "45########",
        "0045########",
        "4###############",
        "###.###.###.###",
        "## ## ## ####",
    )
    values: list[str | None] = [None, "", " ", "-", *known]
    while len(values) < many:
        kind = rng.random()
        if kind < 0.5:
            value = "".join(rng.choice(string.digits) if c == "#" else c for c in rng.choice(shapes))
            if name.startswith("cpr"):
                value = f"{rng.randrange(1, 93):02}{rng.randrange(1, 13):02}{rng.randrange(100):02}"
                value += f"{rng.choice('-  /')}{rng.randrange(10_000):04}"
        else:
            value = rng.choice(known)
            for _ in range(rng.randrange(3)):
                at = rng.randrange(len(value) + 1)
                value = value[:at] + rng.choice(["", rng.choice(characters)]) + value[at + rng.randrange(2) :]
        values.append(value if rng.random() > 0.01 else None)
    return values


@pytest.mark.parametrize("name", sorted(VECTOR))
def test_the_column_form_answers_like_the_single_one(name: str) -> None:
    values = _sample(name, random.Random(name), 20_000)
    array = pa.array(values, pa.string())
    expected = [value is not None and CHECKS[name](value) for value in values]
    assert 100 < sum(expected) < len(values)
    for column in (array, array.cast(pa.large_string()), pa.chunked_array([array[:777], array[777:]])):
        answer = VECTOR[name](column).tolist()
        assert [(v, e) for v, e, a in zip(values, expected, answer, strict=True) if e != a] == []
    assert VECTOR[name](array[333:1000]).tolist() == expected[333:1000]
    assert VECTOR[name](pa.array([], pa.string())).tolist() == []
    assert VECTOR[name](pa.array([None, None], pa.string())).tolist() == [False, False]


def test_importing_checks_is_cheap() -> None:
    import subprocess
    import sys

    heavy = ("stdnum", "phonenumbers", "numpy", "pyarrow")
    program = f"import sys, scanner.detect.checks; print(*[m for m in {heavy} if m in sys.modules])"
    started = time.perf_counter()
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=20)
    assert result.stdout.strip() == "" and time.perf_counter() - started < 5
