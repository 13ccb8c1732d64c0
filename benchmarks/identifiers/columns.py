"""The labelled columns of the yardstick: what whole columns of a company's tables hold, under telling, misleading and empty names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NotRequired, TypedDict

from benchmarks.identifiers import words
from benchmarks.identifiers.numbers import CARDS, IBANS, dated, modulus
from benchmarks.identifiers.people import FIRST, LAST, People

Value = Callable[[], str | None]


class Column(TypedDict):
    """`truth` is the column's entity or None; `also` holds other answers that are as right ("" for none).

    `rows` names the rows whose text holds a CPR number, where the column as a whole does not consist of them.
    """

    name: str
    kind: str
    values: list[str | None]
    truth: str | None
    also: tuple[str, ...]
    rows: NotRequired[tuple[int, ...]]


def hyphen(number: str) -> str:
    return f"{number[:6]}-{number[6:]}"


def by_four(number: str) -> str:
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))


def cpr_kinds(p: People) -> dict[str, tuple[str, Value]]:
    """Ways to keep CPR numbers: the columns' names and a maker of values."""
    r = p.random

    def mixed() -> str:
        n = p.cpr(1930, 2020)
        return r.choice((n, hyphen(n), f"{n[:6]} {n[6:]}", f"{n[:2]}{n[2:4]}{n[4:6]} - {n[6:]}", hyphen(n)))

    def typing_error() -> str:
        n = list(p.cpr(1930, 2020))
        if r.random() < 0.1:
            at = r.randrange(10)
            n[at] = r.choice([d for d in "0123456789" if d != n[at]])
        return "".join(n)

    def now(value: Callable[[], str], share: float) -> Value:
        return lambda: value() if r.random() < share else None

    adult = lambda: p.cpr(1940, 2006)  # noqa: E731
    return {
        "hyphen": ("cpr|CPR-nr.|personnummer|cprNummer|k7|felt12|x_val", lambda: hyphen(adult())),
        "bare": ("cpr|cpr_nr|CPRNR|person_id|k7|felt12|x_val|col_3", adult),
        "integers that lost zeros": ("cpr|cprnr|Personnr|cpr_number|felt12", lambda: str(int(adult()))),
        "floats": ("cpr|cprnr", lambda: f"{int(adult())}.0"),
        "30 % nulls": ("cpr|personnr|k7", now(lambda: hyphen(adult()), 0.7)),
        "80 % nulls": ("cpr|medlem_cpr", now(adult, 0.2)),
        "mixed forms": ("cpr|CPR nummer|felt12", mixed),
        "10 % typing errors": ("cpr|cprno|borger_cpr|k7", typing_error),
        "typing errors, with hyphen": ("cpr|kolonne4", lambda: hyphen(typing_error())),
        "children": ("barn_cpr|elev_cpr|x_val", lambda: p.cpr(2008, 2024)),
        "the old": ("cpr|beboer|k7", lambda: hyphen(p.cpr(1922, 1950))),
        "1 January": ("cpr|personnummer|k7", lambda: p.cpr(january=True) if r.random() < 0.25 else p.cpr(1960, 1995)),
        "half without modulus 11": ("cpr|cprnr", lambda: hyphen(p.cpr(1950, 2000, mod11=r.random() < 0.5))),
        "replacement numbers among them": ("cpr|patient_cpr|x_val", lambda: p.cpr(1940, 2000, day60=r.random() < 0.15)),
        "eCPR among them": ("cpr|patient", lambda: p.ecpr() if r.random() < 0.1 else adult()),
        "spaces": ("cpr|felt12", lambda: f"{(n := adult())[:6]} {n[6:]}"),
        "slash": ("cpr|cpr_nr", lambda: f"{(n := adult())[:6]}/{n[6:]}"),
        "trailing blanks": ("CPR|PERSNR", lambda: f"{adult()}   "),
    }


def misleading(p: People) -> dict[str, tuple[str, Value]]:
    """Columns of numbers that are no CPR numbers, some of them under the name `cpr`."""
    r = p.random
    ids = iter(range(1_203_450_000, 1_300_000_000, 7))
    early = iter(range(1_003_450_000, 1_300_000_000, 13))
    return {
        "order numbers": ("cpr|ordrenr|order_no|k7", lambda: p.digits(10, "123456789")),
        "order numbers counted up": ("cpr|order_id|felt12", lambda: str(next(ids))),
        "numbers counted up from 10": ("personnummer|id|x_val", lambda: str(next(early))),
        "random ten digits": ("cpr|personnr|ref|felt12|col_3", lambda: p.digits(10)),
        "P-numbers": ("cpr|pnr|p_nummer|produktionsenhed|k7", p.p_number),
        "P-numbers of early units": ("cpr|pnr|x_val", lambda: f"10{r.randint(1, 12):02}{p.digits(6)}"),
        "Unix times": ("cpr|created_ts|ts|k7", p.unix),
        "Unix times of one winter": ("cpr|updated|x_val", lambda: str(r.randint(1_701_000_000, 1_712_999_999))),
        "Unix milliseconds": ("ts|created_ms", lambda: p.unix() + p.digits(3)),
        "stamps": ("cpr|tidsstempel|scan_tid|k7", p.stamp),
        "date and day's number": ("ordrenr|cpr|batch", p.serial),
        "EAN": ("cpr|ean|varenr|stregkode", p.ean),
        "GLN": ("gln|ean_nr", lambda: p.ean("579800")),
        "8-digit order numbers": ("ordrenr|order_no|faktura", lambda: p.digits(8, "123456789")),
        "9-digit customer numbers": ("kundenr|customer_no|cpr", lambda: p.digits(9, "123456789")),
        "10-digit ids with modulus 10": ("konto_id|ref", lambda: p.imei()[5:]),
        "ISBN-10": ("isbn|cpr", p.isbn10),
        "IMEI": ("imei|device", p.imei),
        "case numbers": ("sagsnr|case_no", lambda: f"{r.randint(2015, 2025)}-{r.randint(10, 99)}-{r.randint(1, 9999):04}"),
        "customs codes": ("taric|varekode", lambda: f"{r.randint(1, 97):02}{p.digits(6)}00"),
        "tracking numbers": ("pakkenr|tracking", lambda: "00" + p.digits(18, "357")),
        "UUID": ("id|guid|cpr|k7", p.uuid),
        "hashes": ("md5|checksum|cpr_hash", lambda: p.hexes(32)),
        "hashes, long": ("sha256|cpr|digest", lambda: p.hexes(64)),
        "amounts": ("belob|amount|x_val", lambda: f"{r.randint(1, 99999)}.{p.digits(2)}"),
        "amounts, Danish": ("beløb|saldo", lambda: f"{r.randint(1, 999)}.{p.digits(3)},{p.digits(2)}"),
        "created dates": ("oprettet|created_at|dato|col_3", lambda: "{2}-{1:02}-{0:02}".format(*p.date(2010, 2025))),
        "created times": (
            "created_at|sidst_aendret",
            lambda: "{2}-{1:02}-{0:02}T".format(*p.date(2010, 2025)) + f"{r.randint(0, 23):02}:{r.randint(0, 59):02}:00",
        ),
        "status codes": ("status|kode|cpr_status", lambda: r.choice(("aktiv", "lukket", "ny", "01", "90"))),
        "booleans": ("nyhedsbrev|has_cpr|x_val", lambda: r.choice(("true", "false"))),
        "small whole numbers": ("antal|alder_dage|k7", lambda: str(r.randint(0, 400))),
        "versions": ("version|firmware", lambda: f"{r.randint(1, 9)}.{r.randint(0, 20)}.{r.randint(0, 20)}"),
        "product names": ("produkt|varenavn|felt12", lambda: words.product(p)),
        "masked cards": ("kort|pan_masked", lambda: f"**** **** **** {p.digits(4)}"),
        "constant word": ("land|valuta|k7", lambda: "DKK"),
        "constant number": ("afdeling|cpr", lambda: "1203400"),
        "comments without a person": ("note|bemaerkning|felt12", lambda: words.comment(p)),
    }


def telling(p: People) -> dict[str, tuple[str, Value, str | None, tuple[str, ...]]]:
    """Columns of everything else: names, maker, truth, other right answers."""
    r, none = p.random, ("",)
    countries, brands = tuple(IBANS), tuple(CARDS)
    somebody: tuple[str, ...] = ("PERSON",)
    return {
        "phones": ("mobil|tlf|phone|Telefonnr.", p.phone, "PHONE_NUMBER", ()),
        "phones, spaced": ("mobil|k7|x_val", p.spaced_phone, "PHONE_NUMBER", ()),
        "phones with +45": ("kontakt|tlf|felt12", lambda: f"+45 {p.spaced_phone()}", "PHONE_NUMBER", ()),
        "phones, bare, no name": ("k7|felt12", p.phone, "PHONE_NUMBER", none),
        "phones called cpr": ("cpr|personnummer", p.phone, None, ("PHONE_NUMBER",)),
        "phones of many countries": ("phone|mobile", p.abroad, "PHONE_NUMBER", ()),
        "CVR": ("cvr|cvr_nr|CVR-nummer|k7", p.cvr, "DK_CVR", ()),
        "CVR with DK": ("vat|momsnr", lambda: f"DK{p.cvr()}", "DK_CVR", ()),
        "IBAN": ("iban|konto|felt12|k7", lambda: p.iban(r.choice(countries)), "IBAN_CODE", ()),
        "IBAN, spaced": ("iban|x_val", lambda: by_four(p.iban("DK")), "IBAN_CODE", ()),
        "cards": ("kortnummer|pan|card|k7", lambda: p.card(r.choice(brands)), "CREDIT_CARD", ()),
        "cards, spaced": ("kort|x_val", lambda: by_four(p.card("visa")), "CREDIT_CARD", ()),
        "accounts": ("bankkonto|kontonr", lambda: f"{p.digits(4, '1234567')} {p.digits(10)}", "DK_BANK_ACCOUNT", ()),
        "e-mails": ("email|mail|kontakt|k7|felt12", p.email, "EMAIL_ADDRESS", ()),
        "e-mails, half null": ("email2|x_val", lambda: p.email() if r.random() < 0.5 else None, "EMAIL_ADDRESS", ()),
        "IP addresses": ("ip|client_ip|x_val", p.ipv4, "IP_ADDRESS", ()),
        "IPv6 addresses": ("remote_addr|k7", p.ipv6, "IP_ADDRESS", ()),
        "MAC addresses": ("mac|enhed|x_val", p.mac, "MAC_ADDRESS", ()),
        "birth dates": ("fdato|foedselsdato|birthdate|DOB|fødselsdag", lambda: p.born("iso"), "DATE_OF_BIRTH", ()),
        "birth dates, dotted": ("fødselsdato|date_of_birth", lambda: p.born("dots4"), "DATE_OF_BIRTH", ()),
        "birth dates, no name": ("k7|felt12", lambda: p.born("hyphen"), "DATE_OF_BIRTH", none),
        "postcodes": ("postnr|zip|k7", lambda: p.town()[:4], None, ("LOCATION", "ADDRESS")),
        "cities": ("by|city", p.city, "LOCATION", ("ADDRESS",)),
        "first names": ("fornavn|first_name|k7|felt12", p.first, "PERSON", ()),
        "last names": ("efternavn|surname|x_val", p.last, "PERSON", ()),
        "full names": ("navn|name|kontaktperson|k7|felt12", p.name, "PERSON", ()),
        "last name, first name": ("navn|display_name|x_val", lambda: f"{p.last()}, {p.first()}", "PERSON", ()),
        "company names": ("firma|company|leverandoer", p.firm, None, ("ORGANIZATION",)),
        "roads with numbers": ("vej|adresse|street", p.road, "ADDRESS", ()),
        "addresses": ("adresse|address|k7", p.address, "ADDRESS", ()),
        "coordinates": ("gps|position|x_val", p.position, "GEO_COORDINATES", ()),
        "latitudes": ("lat|latitude", lambda: f"{r.uniform(54.6, 57.7):.6f}", "GEO_COORDINATES", none),
        "user agents": ("user_agent|browser|k7", p.agent, "USER_AGENT", ()),
        "user names": ("brugernavn|username|login", p.user, "USERNAME", somebody),
        "cookie ids": ("ga_id|cookie|x_val", p.cookie, "COOKIE_ID", ()),
        "session ids": ("session_id|cookie_id", lambda: p.hexes(32), "COOKIE_ID", none),
        "Swedish numbers": ("personnummer|se_personnr", lambda: f"{(n := p.se())[:8]}-{n[8:]}", "SE_PERSONNUMMER", ()),
        "Norwegian numbers": ("fodselsnummer|fnr|k7", p.no, "NO_FODSELSNUMMER", ()),
        "Finnish numbers": ("hetu|henkilotunnus|k7", p.fi, "FI_PERSONAL_IDENTITY_CODE", ()),
        "Icelandic numbers": ("kennitala|kt", p.kennitala, "IS_KENNITALA", ()),
        "German numbers": ("steuer_id|idnr", p.de, "DE_TAX_ID", ()),
        "Dutch numbers": ("bsn|burgerservicenummer", p.nl, "NL_BSN", ()),
        "Polish numbers": ("pesel|k7", p.pl, "PL_PESEL", ()),
        "French numbers": ("nir|num_secu", p.fr, "FR_NIR", ()),
        "Spanish numbers": ("dni|nif", p.es, "ES_NIF", ()),
        "Italian codes": ("codice_fiscale|k7", p.it, "IT_FISCAL_CODE", ()),
        "Belgian numbers": ("rijksregisternummer|national_no_be", p.be, "BE_NATIONAL_NUMBER", ()),
        "CPR numbers of the test system": ("cpr|test_cpr", lambda: r.choice(("2512489996", "2911829996", "2509479989", "2311143995", "3001749995")), None, ("DK_CPR",)),
        "CPR numbers all without modulus 11": ("cpr|pseudo_cpr", lambda: p.until(lambda n: dated(n) and not modulus(n), lambda: p.cpr(1950, 2000, mod11=False)), "DK_CPR", none),
        "masked CPR numbers": ("cpr|cpr_masked", lambda: p.cpr()[:6] + "-xxxx", None, ("DATE_OF_BIRTH",)),
    }  # fmt: skip


def free_text(p: People) -> Iterator[Column]:
    """Comments: with a CPR number in every 40th row, and with other things scattered over them."""
    ways: tuple[Callable[[str], str], ...] = (hyphen, str, lambda n: f"{n[:6]} {n[6:]}")
    for number, name in enumerate(
        ("bemaerkning", "note", "kommentar", "historik", "k7", "felt12", "beskrivelse", "log", "message", "x_val")
    ):
        values: list[str | None] = [words.comment(p) for _ in range(400)]
        rows = tuple(range(number % 7 + 3, 400, 40))
        for row in rows:
            values[row] = words.about(p, ways[(number + row) % 3](p.cpr(1940, 2010)))
        yield Column(name=name, kind="comments with a CPR number in every 40th row", values=values, truth=None, also=(), rows=rows)
    for name in ("bemaerkning", "notat", "comment", "k7"):
        values = [
            words.comment(p) if i % 3 else f"{words.comment(p)} Ring {p.spaced_phone()}" if i % 2 else f"mail: {p.email()}"
            for i in range(300)
        ]
        yield Column(name=name, kind="comments with phones and e-mails", values=values, truth=None, also=())


@cache
def columns(seed: int = 40) -> tuple[Column, ...]:
    """More than 240 columns of 200 to 500 values."""
    p = People(seed)
    made: list[Column] = []

    def add(kind: str, names: str, value: Value, truth: str | None, also: tuple[str, ...] = ()) -> None:
        for name in names.split("|"):
            count = p.random.randint(200, 500)
            made.append(Column(name=name, kind=kind, values=[value() for _ in range(count)], truth=truth, also=also))

    for kind, (names, value) in cpr_kinds(p).items():
        add(f"CPR: {kind}", names, value, "DK_CPR")
    for kind, (names, value) in misleading(p).items():
        add(kind, names, value, None)
    for kind, (names, value, truth, also) in telling(p).items():
        add(kind, names, value, truth, also)
    add("constant e-mail", "kontakt|sender", lambda: "butik@nordhavn-optik.dk", "EMAIL_ADDRESS")
    add(
        "names, some missing",
        "navn|ansvarlig",
        lambda: p.random.choice((f"{p.random.choice(FIRST)} {p.random.choice(LAST)}", None)),
        "PERSON",
    )
    return (*made, *free_text(p))
