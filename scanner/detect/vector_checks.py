"""The checks of `checks.py` over a whole Arrow string array at once: the same answers, a hundred times as fast.

Numbers are read from Arrow's flat byte buffer: bytes are classed by a table, counted per row by a running sum, and
the rows with the right count of digits become one places. A null is False.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from scanner.detect import checks

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]

IPV4 = (
    r"^(?:[1-9]|[1-9][0-9]|1[0-9][0-9]|2[01][0-9]|22[0-3])"
    r"(?:\.(?:[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])){3}$"
)

_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] + [0] * 87, dtype=np.int32)
_DOUBLED = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9], dtype=np.uint8)


class _Cells:
    """The rows of a string array as one run of bytes with offsets."""

    def __init__(self, texts: pa.Array | pa.ChunkedArray) -> None:
        if isinstance(texts, pa.ChunkedArray):
            texts = texts.combine_chunks()
        texts = texts.cast(pa.large_string())
        self.many = len(texts)
        _, offsets, data = texts.buffers()
        bounds: npt.NDArray[np.int64] = np.zeros(1, np.int64)
        if self.many:
            bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + self.many + 1]
        whole: Bytes = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
        self.data = whole[bounds[0] : bounds[-1]]
        self.starts = bounds[:-1] - bounds[0]
        self.lengths = np.diff(bounds)
        self.filled: Bools = np.ones(self.many, bool)
        if texts.null_count:
            self.filled = pc.is_valid(texts).to_numpy(zero_copy_only=False)

    def count(self, mask: Bools) -> npt.NDArray[np.int64]:
        """How many bytes of each row are in the mask."""
        running = np.zeros(len(mask) + 1, np.int64)
        np.cumsum(mask, out=running[1:])
        counted: npt.NDArray[np.int64] = running[self.starts + self.lengths] - running[self.starts]
        return counted

    def byte(self, at: int) -> Bytes:
        """The byte at a place of each row, 0 beyond its end."""
        if not len(self.data):
            return np.zeros(self.many, np.uint8)
        place = np.minimum(self.starts + at, len(self.data) - 1)
        return np.where(self.lengths > at, self.data[place], 0).astype(np.uint8)

    def rows(self, mask: Bools, chosen: Bools, many: int) -> Bytes:
        """The bytes in the mask of the chosen rows, each of which has so many: one line a place, one column a row."""
        return np.ascontiguousarray(self.data[mask & np.repeat(chosen, self.lengths)].reshape(-1, many).T)


def _table(characters: bytes) -> Bools:
    table = np.zeros(256, bool)
    table[np.frombuffer(characters, np.uint8)] = True
    return table


_DIGIT = _table(b"0123456789")


def _digits(cells: _Cells, separators: bytes) -> tuple[Bools, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Mask of digits, digits a row, and bytes a row that are neither digit nor separator."""
    digit = _DIGIT[cells.data]
    many = cells.count(digit)
    return digit, many, cells.lengths - many - cells.count(_table(separators)[cells.data])


def _fill(chosen: Bools, answer: Bools) -> Bools:
    result = np.zeros(len(chosen), bool)
    result[chosen] = answer
    return result


def _number(places: Bytes) -> Ints:
    value = np.zeros(places.shape[1], np.int32)
    for place in places:
        value *= 10
        value += place
    return value


def _weighted(places: Bytes, weights: tuple[int, ...]) -> Ints:
    total = np.zeros(places.shape[1], np.int32)
    for place, weight in zip(places, weights, strict=True):
        total += place.astype(np.int32) * weight
    return total


def _varied(places: Bytes) -> Bools:
    """Whether a row holds more than one different digit."""
    varied = np.zeros(places.shape[1], bool)
    for place in places[1:]:
        varied |= place != places[0]
    return varied


def _ten(texts: pa.Array) -> tuple[Bools, Bytes]:
    cells = _Cells(texts)
    digit, many, other = _digits(cells, b" -./")
    chosen = cells.filled & (many == 10) & (other == 0)
    return chosen, cells.rows(digit, chosen, 10) - 48


def cpr(texts: pa.Array) -> Bools:
    """As `checks.cpr`."""
    chosen, places = _ten(texts)
    day, month, short, seventh = _number(places[0:2]), _number(places[2:4]), _number(places[4:6]), places[6]
    day = np.where(day > 60, day - 60, day)
    early, late = short <= 36, short <= 57
    four = (seventh == 4) | (seventh == 9)
    year = short + np.where(seventh <= 3, 1900, np.where(four, np.where(early, 2000, 1900), np.where(late, 2000, 1800)))
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _MONTH_DAYS[month] + (leap & (month == 2))
    now = checks.today()
    past = year * 10_000 + month * 100 + day <= now.year * 10_000 + now.month * 100 + now.day
    return _fill(chosen, (day >= 1) & (day <= last) & (year >= checks.OLDEST) & past & _varied(places))


def cpr_modulus_11(texts: pa.Array) -> Bools:
    """As `checks.cpr_modulus_11`."""
    chosen, places = _ten(texts)
    return _fill(chosen, _weighted(places, checks.CPR_WEIGHTS) % 11 == 0)


def cpr_modulus_11_expected(texts: pa.Array) -> Bools:
    """As `checks.cpr_modulus_11_expected`."""
    chosen, places = _ten(texts)
    day = _number(places[0:4])
    short, seventh = _number(places[4:6]), places[6]
    twenty = np.where((seventh == 4) | (seventh == 9), short <= 36, (seventh > 3) & (short <= 57))
    nineteen = (seventh <= 3) | (((seventh == 4) | (seventh == 9)) & (short > 36))
    january = ((day == 101) | (day == 6101)) & (twenty | (nineteen & (short >= 60)))
    return _fill(chosen, january | (_weighted(places, checks.CPR_WEIGHTS) % 11 == 0))


def cvr(texts: pa.Array) -> Bools:
    """As `checks.cvr`."""
    cells = _Cells(texts)
    digit, many, other = _digits(cells, b" -./")
    prefix = _table(b"Dd")[cells.byte(0)] & _table(b"Kk")[cells.byte(1)]
    chosen = cells.filled & (many == 8) & (other == np.where(prefix, 2, 0))
    places = cells.rows(digit, chosen, 8) - 48
    return _fill(chosen, (_weighted(places, checks.CVR_WEIGHTS) % 11 == 0) & (places[0] != 0) & _varied(places))


def phone_dk(texts: pa.Array) -> Bools:
    """As `checks.phone_dk`."""
    cells = _Cells(texts)
    digit, many, other = _digits(cells, b" -./()")
    plus = (cells.byte(0) == ord("+")) | ((cells.byte(0) == ord("(")) & (cells.byte(1) == ord("+")))
    clean = cells.filled & (other == plus)
    used = np.zeros(100, bool)
    used[list(checks.PHONE_PREFIXES)] = True
    result = np.zeros(cells.many, bool)
    for length, code, chosen in ((8, 0, clean & ~plus), (10, 45, clean), (12, 45, clean & ~plus)):
        chosen = chosen & (many == length)
        if chosen.any():
            places = cells.rows(digit, chosen, length) - 48
            national = places[length - 8 :]
            good = used[_number(national[:2])] & _varied(national)
            result |= _fill(chosen, good & (_number(places[: length - 8]) == code))
    return result


def card(texts: pa.Array) -> Bools:
    """As `checks.card`."""
    cells = _Cells(texts)
    digit, many, other = _digits(cells, b" -")
    clean = cells.filled & (other == 0)
    result = np.zeros(cells.many, bool)
    for length in range(13, 20):
        chosen = clean & (many == length)
        if not chosen.any():
            continue
        places = cells.rows(digit, chosen, length) - 48
        issuer = np.zeros(10_000, bool)
        for low, high, lengths in checks.CARDS:
            issuer[low : high + 1] |= length in lengths
        total = np.zeros(places.shape[1], np.int32)
        for at, place in enumerate(places):
            total += place if (length - at) % 2 else _DOUBLED[place]
        result |= _fill(chosen, issuer[_number(places[:4])] & (total % 10 == 0) & _varied(places))
    return result


def iban(texts: pa.Array) -> Bools:
    """As `checks.iban`: the form of each country that occurs, then modulus 97 for all rows of one length together."""
    plain = pc.ascii_upper(texts)
    if pc.any(pc.match_substring_regex(texts, r"[ .\s-]")).as_py():
        plain = pc.replace_substring_regex(pc.ascii_trim_whitespace(plain), r"[ .-]", "")
    formed = np.zeros(len(texts), bool)
    countries = pc.utf8_slice_codeunits(plain, 0, 2)
    for country in pc.unique(countries).to_pylist():
        if country and (form := _form(country)):
            match = pc.fill_null(pc.match_substring_regex(plain, f"^{country}[0-9]{{2}}{form}$"), False)
            formed |= match.to_numpy(zero_copy_only=False)
    cells = _Cells(plain)
    result = np.zeros(cells.many, bool)
    for length in np.unique(cells.lengths[formed]):
        chosen = formed & (cells.lengths == length)
        places = cells.rows(np.ones(len(cells.data), bool), chosen, int(length))
        rest = np.zeros(places.shape[1], np.int32)
        for character in (*places[4:], *places[:4]):
            letter = character > 57
            rest = (rest * np.where(letter, 100, 10) + character - np.where(letter, 55, 48)) % 97
        result |= _fill(chosen, rest == 1)
    return result


@functools.cache
def _form(country: str) -> str:
    """The part after the check digits as an expression, from python-stdnum's copy of the IBAN registry."""
    import re

    from stdnum import numdb

    if not re.fullmatch("[A-Z]{2}", country):
        return ""
    found: Any = numdb.get("iban").info(country)[0][1].get("bban", "")
    kinds = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
    return re.sub(r"(\d+)!([nac])", lambda match: f"{kinds[match[2]]}{{{match[1]}}}", found)


def email(texts: pa.Array) -> Bools:
    """As `checks.email`."""
    short = pc.less_equal(pc.utf8_length(texts), checks.EMAIL_LENGTH)
    before = pc.list_element(pc.split_pattern(texts, "@", max_splits=1), 0)
    at = pc.less_equal(pc.utf8_length(before), checks.EMAIL_LOCAL)
    formed = pc.match_substring_regex(texts, checks.EMAIL)
    real = pc.invert(pc.match_substring_regex(texts, checks.NOT_A_DOMAIN))
    return _bools(functools.reduce(pc.and_, (short, at, formed, real)))


def ipv4(texts: pa.Array) -> Bools:
    """As `checks.ipv4`."""
    formed = pc.match_substring_regex(texts, IPV4)
    return _bools(pc.and_(formed, pc.invert(pc.starts_with(texts, "127."))))


def person_name(texts: pa.Array) -> Bools:
    """As `checks.person_name`: cells of at most three plain words with an unmistakable first name at once, the rest one by one."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    words = pc.split_pattern(pc.utf8_lower(texts), " ")
    plain = pc.and_(
        pc.match_substring_regex(texts, r"^\pL+(?:[ '’-]\pL+)*$"),
        pc.less_equal(pc.fill_null(pc.list_value_length(words), 0), 3),
    )
    named = np.zeros(len(texts) + 1, np.int64)
    known = pc.is_in(words.flatten(), _unmistakable()).to_numpy(zero_copy_only=False)
    np.add.at(named, pc.list_parent_indices(words).to_numpy(), known)
    passed: Bools = _bools(plain) & (named[:-1] > 0)
    rest = np.flatnonzero(~passed)
    if len(rest):
        check = functools.cache(checks.person_name)
        passed = passed.copy()
        passed[rest] = [value is not None and check(value) for value in texts.take(pa.array(rest)).to_pylist()]
    return passed


@functools.cache
def _unmistakable() -> pa.Array:
    return pa.array(sorted(checks.listed("first_names.txt") - checks.listed("names_that_are_words.da.txt")))


def _bools(answer: pa.BooleanArray) -> Bools:
    result: Bools = pc.fill_null(answer, False).to_numpy(zero_copy_only=False)
    return result


VECTOR: dict[str, Callable[[Any], Bools]] = {
    "cpr": cpr,
    "cpr_modulus_11": cpr_modulus_11,
    "cpr_modulus_11_expected": cpr_modulus_11_expected,
    "cvr": cvr,
    "phone_dk": phone_dk,
    "card": card,
    "iban": iban,
    "email": email,
    "ipv4": ipv4,
    "person_name": person_name,
}
"""The checks that have such a form; each takes a string array and gives one bool a row."""
