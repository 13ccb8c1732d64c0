"""Makes numbers of every kind, with right or wrong check digits, from a seed; nobody is behind them.

Check digits come from python-stdnum where it can calculate them. A number that is meant to look like a CPR number
and is something else is made here too.
"""

from __future__ import annotations

import calendar
import random
import string
from collections.abc import Callable

from stdnum import ean, isbn, luhn
from stdnum import iban as iban_number
from stdnum.be import nn
from stdnum.de import idnr
from stdnum.dk import cpr as cpr_number
from stdnum.dk import cvr as cvr_number
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.iso7064 import mod_11_10
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel

JANUARY = (60, 62, 64, 65, 66, 67, 69, 70, 74, 75, 78, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 94, 95)
"""Years whose 1 January has numbers without modulus 11 (cpr.dk, May 2023)."""
DUMMIES = {"1111111118", "1111111111", "0101010101", "0101701234", "0102030405", "1234567890", "0707490071", "2512484916"}
IBANS = {
    "DK": "n" * 14, "DE": "n" * 18, "SE": "n" * 20, "NO": "n" * 11, "FI": "n" * 14, "NL": "aaaa" + "n" * 10, "GB": "aaaa" + "n" * 14,
    "FR": "n" * 23, "ES": "n" * 20, "IT": "a" + "n" * 22, "BE": "n" * 12, "PL": "n" * 24, "PT": "n" * 21, "AT": "n" * 16, "CH": "n" * 17,
    "LU": "n" * 16, "IE": "aaaa" + "n" * 14, "IS": "n" * 22, "EE": "n" * 16, "LT": "n" * 16, "FO": "n" * 14, "CZ": "n" * 20,
}  # fmt: skip
"""The letters (a) and digits (n) after the check digits, by country."""
CARDS = {
    "visa": ("4", 16),
    "visa-dankort": ("4571", 16),
    "dankort": ("5019", 16),
    "mastercard": ("53", 16),
    "mastercard-2": ("2221", 16),
    "amex": ("37", 15),
    "diners": ("36", 14),
}
FINNISH = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def modulus(number: str) -> bool:
    """Whether a CPR number fulfils modulus 11."""
    return cpr_number.checksum(number) == 0


def dated(number: str) -> bool:
    """Whether ten digits begin with a calendar date, day plus 60 allowed."""
    day, month = int(number[:2]), int(number[2:4])
    day -= 60 if day > 60 else 0
    return 1 <= month <= 12 and 1 <= day <= calendar.monthrange(2000, month)[1]


class Numbers:
    """A seeded maker of numbers; every method gives a new one."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def digits(self, count: int, first: str = string.digits) -> str:
        return self.random.choice(first) + "".join(self.random.choices(string.digits, k=count - 1))

    def letters(self, count: int, of: str = string.ascii_uppercase) -> str:
        return "".join(self.random.choices(of, k=count))

    def until(self, right: Callable[[str], bool], make: Callable[[], str]) -> str:
        """The first one made that is right."""
        while not right(number := make()):
            pass
        return number

    def wrong(self, number: str, right: Callable[[str], bool]) -> str:
        """The same number with its last digit or letter changed so that the check fails."""
        last = number[-1]
        others = [c for c in (string.ascii_uppercase if last.isalpha() else string.digits) if c != last and not right(number[:-1] + c)]
        return number[:-1] + self.random.choice(others)

    def date(self, first: int = 1930, last: int = 2024) -> tuple[int, int, int]:
        year, month = self.random.randint(first, last), self.random.randint(1, 12)
        return self.random.randint(1, calendar.monthrange(year, month)[1]), month, year

    # Denmark

    def cpr(self, first: int = 1900, last: int = 2024, mod11: bool = True, january: bool = False, day60: bool = False) -> str:
        """Ten digits of someone born in those years; `january` without modulus 11 on a day that has such numbers."""
        r = self.random
        while True:
            day, month, year = (1, 1, 1900 + r.choice(JANUARY)) if january else self.date(first, last)
            if not mod11 and not january and (day, month) == (1, 1):
                continue
            seventh = "0123" if year < 1937 else "012349" if year < 2000 else "456789"
            number = f"{day + 60 * day60:02}{month:02}{year % 100:02}{self.digits(4, seventh)}"
            if modulus(number) == (mod11 and not january) and number not in DUMMIES and number[6:8] != "99":
                return number

    def short_cpr(self, **how: int) -> str:
        """Nine digits: a CPR number that has lost its leading zero."""
        return self.until(lambda n: n[0] == "0" and n[1] != "0", lambda: self.cpr(**how))[1:]

    def ecpr(self) -> str:
        """A health service's replacement number: date, century, two letters, a digit."""
        day, month, year = self.date(1935, 2023)
        return f"{day:02}{month:02}{year % 100:02}{self.random.choice('10' if year < 2000 else '76')}{self.letters(2)}{self.digits(1)}"

    def cvr(self) -> str:
        return self.until(cvr_number.is_valid, lambda: self.digits(8, "1234"))

    def ten(self) -> str:
        """Ten digits of something else: half of them could be a CPR number in every respect."""
        kind = self.random.random()
        return self.cpr(1950, 2015) if kind < 0.5 else self.cpr(1950, 2015, mod11=False) if kind < 0.75 else self.digits(10, "123456789")

    def p_number(self) -> str:
        """A production unit's number; most of them begin like a date in the month of their fourth digit."""
        return f"10{self.random.randint(1, 29):02}{self.digits(6)}"

    def unix(self) -> str:
        """Seconds since 1970: some of 2017 to 2027, more of the months whose seconds begin like a date."""
        r = self.random
        return str(
            r.choice(
                (r.randint(1_500_000_000, 1_790_000_000), r.randint(1_701_000_000, 1_712_999_999), r.randint(1_601_000_000, 1_612_999_999))
            )
        )

    def stamp(self) -> str:
        """Day, month, year, hour and minute in ten digits."""
        day, month, year = self.date(2012, 2025)
        return f"{day:02}{month:02}{year % 100:02}{self.random.randint(0, 23):02}{self.random.randint(0, 59):02}"

    def serial(self) -> str:
        """A date, a hyphen and a number that counts the day's orders."""
        day, month, year = self.date(2018, 2025)
        return f"{day:02}{month:02}{year % 100:02}-{self.random.randint(1, 80):04}"

    def fik(self) -> str:
        """A payment slip's line: kind, id with a modulus 10 digit, creditor."""
        kind = self.random.choice(("71", "71", "75", "73", "04"))
        body = {"71": 14, "75": 15, "04": 15, "73": 0}[kind]
        number = self.ten().rjust(body, "0")[:body] if body else ""
        tail = number + luhn.calc_check_digit(number) if number else ""
        return f"+{kind}<{tail}+8{self.digits(7)}<"

    # everywhere

    def iban(self, country: str) -> str:
        def make() -> str:
            bban = "".join(self.letters(1) if c == "a" else self.digits(1) for c in IBANS[country])
            return country + iban_number.calc_check_digits(f"{country}00{bban}") + bban

        return self.until(iban_number.is_valid, make)

    def card(self, brand: str) -> str:
        head, length = CARDS[brand]
        body = head + self.digits(length - 1 - len(head))
        return body + luhn.calc_check_digit(body)

    def imei(self) -> str:
        body = "35" + self.digits(12)
        return body + luhn.calc_check_digit(body)

    def ean(self, head: str = "57") -> str:
        body = head + self.digits(12 - len(head))
        return body + ean.calc_check_digit(body)

    def isbn10(self) -> str:
        return self.until(lambda n: isbn.is_valid(n) and n.isdigit(), lambda: "87" + self.digits(8))

    def isbn13(self) -> str:
        return self.ean("97887")

    def hexes(self, count: int) -> str:
        return self.letters(count, "0123456789abcdef")

    def uuid(self) -> str:
        return "-".join((self.hexes(8), self.hexes(4), "4" + self.hexes(3), "a" + self.hexes(3), self.ten() + self.digits(2)))

    # neighbours

    def se(self, first: int = 1940, last: int = 1999) -> str:
        day, month, year = self.date(first, last)
        body = f"{year % 100:02}{month:02}{day:02}{self.digits(3)}"
        return f"{year}"[:2] + body + luhn.calc_check_digit(body)

    def no(self) -> str:
        def make() -> str:
            day, month, year = self.date(1940, 1999)
            body = f"{day:02}{month:02}{year % 100:02}{self.digits(3, '01234')}"
            body += fodselsnummer.calc_check_digit1(body)
            return body + fodselsnummer.calc_check_digit2(body)

        return self.until(fodselsnummer.is_valid, make)

    def fi(self) -> str:
        day, month, year = self.date(1940, 2015)
        body = f"{day:02}{month:02}{year % 100:02}{self.random.randint(2, 899):03}"
        return f"{body[:6]}{'-' if year < 2000 else 'A'}{body[6:]}{FINNISH[int(body) % 31]}"

    def kennitala(self) -> str:
        def make() -> str:
            day, month, year = self.date(1940, 2015)
            body = f"{day:02}{month:02}{year % 100:02}{self.random.randint(20, 99)}"
            check = -sum(w * int(d) for w, d in zip((3, 2, 7, 6, 5, 4, 3, 2), body, strict=True)) % 11
            return f"{body}{check}{9 if year < 2000 else 0}"

        return self.until(lambda n: len(n) == 10, make)

    def de(self) -> str:
        def make() -> str:
            body = self.random.sample(string.digits, 9)
            body.append(self.random.choice(body))
            self.random.shuffle(body)
            text = "".join(body)
            return text + mod_11_10.calc_check_digit(text)

        return self.until(idnr.is_valid, make)

    def nl(self) -> str:
        return self.until(bsn.is_valid, lambda: self.digits(9, "123456789"))

    def pl(self) -> str:
        day, month, year = self.date(1940, 2015)
        body = f"{year % 100:02}{month + 20 * (year >= 2000):02}{day:02}{self.digits(4)}"
        return body + pesel.calc_check_digit(body)

    def fr(self) -> str:
        _, month, year = self.date(1940, 2005)
        body = f"{self.digits(1, '12')}{year % 100:02}{month:02}{self.random.randint(1, 95):02}{self.random.randint(1, 480):03}{self.random.randint(1, 480):03}"
        return self.until(nir.is_valid, lambda: body + nir.calc_check_digits(body))

    def es(self) -> str:
        if self.random.random() < 0.6:
            body = self.digits(8)
            return body + dni.calc_check_digit(body)
        body = self.letters(1, "XYZ") + self.digits(7)
        return body + nie.calc_check_digit(body)

    def it(self) -> str:
        def make() -> str:
            day, month, year = self.date(1940, 2005)
            day += self.random.choice((0, 40))
            body = f"{self.letters(6, 'BCDFGLMNPRSTVZ')}{year % 100:02}{'ABCDEHLMPRST'[month - 1]}{day:02}{self.letters(1, 'ABCDEFGHL')}{self.digits(3)}"
            return body + codicefiscale.calc_check_digit(body)

        return self.until(codicefiscale.is_valid, make)

    def be(self) -> str:
        def make() -> str:
            day, month, year = self.date(1940, 1999)
            body = f"{year % 100:02}{month:02}{day:02}{self.random.randint(1, 997):03}"
            return f"{body}{97 - int(body) % 97:02}"

        return self.until(nn.is_valid, make)

    def nhs(self) -> str:
        return self.until(nhs.is_valid, lambda: self.digits(10, "4567"))

    def mrz(self, last: str, first: str, right: bool = True) -> str:
        """The two lines at the foot of a Danish passport's page (ICAO 9303); wrong when its second check digit is."""

        def check(text: str) -> int:
            return sum((7, 3, 1)[i % 3] * (0 if c == "<" else int(c, 36)) for i, c in enumerate(text)) % 10

        day, month, year = self.date(1950, 2005)
        number, born, ends = (
            self.digits(9, "12"),
            f"{year % 100:02}{month:02}{day:02}",
            f"3{self.digits(1, '0123')}0{self.digits(1, '12345678')}1{self.digits(1)}",
        )
        number, born, ends = (f"{part}{check(part)}" for part in (number, born, ends))
        rest = "<" * 14
        whole = check(number + born + ends + rest + "0") if right else (check(number + born + ends + rest + "0") + 3) % 10
        if not right:
            born = born[:-1] + str((int(born[-1]) + 4) % 10)
        top = f"P<DNK{last}<<{first}".upper().replace(" ", "<")
        return f"{top:<<44}"[:44] + "\n" + f"{number}DNK{born}{self.random.choice('FM')}{ends}{rest}0{whole}"
