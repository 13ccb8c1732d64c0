"""Identifiers other than the CPR number: right ones with the words that go with them, wrong check digits, and look-alikes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stdnum import iban as iban_number
from stdnum import luhn
from stdnum.be import nn
from stdnum.de import idnr
from stdnum.dk import cvr as cvr_number
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.is_ import kennitala
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.se import personnummer

from benchmarks.identifiers.numbers import CARDS, IBANS
from benchmarks.identifiers.people import People
from benchmarks.identifiers.template import Labelled, Make, fill, slots

CUES = {
    "DK_CVR": "CVR-nr. «x»|CVR: «x»|«firm», cvr «x», «address»|Momsnr. DK«x»|cvrnr=«x»|{\"cvr\":\"«x»\"}|VAT no. DK«x»|Virksomheden (CVR-nummer «x») er under konkurs|<CVRNummer>«x»</CVRNummer>|Fakturér til «firm», CVR «x», EAN «gln»",
    "IBAN_CODE": "IBAN: «x»|Betal til «x»|iban=«x»|Please transfer the amount to «x», BIC DABADKKK.|{\"iban\":\"«x»\"}|Kontohaver «name», «x»|IBAN «x» SWIFT NDEADKKK|«name»;«x»;500,00",
    "CREDIT_CARD": "Kortnummer: «x»|Visa/Dankort «x» udløb 09/27|card number «x»|Jeg har betalt med «x», men beløbet er trukket to gange|{\"pan\":\"«x»\"}|Paid by card «x» on «date»|kort: «x» CVC 123|betalingskort «x» er spærret",
    "SE_PERSONNUMMER": "Svenskt personnummer: «x»|Swedish personal identity number «x»|personnummer (SE) «x», bor i Malmö|Kund: Anna Lindqvist, personnummer «x», Göteborg|svensk personnummer «x»",
    "NO_FODSELSNUMMER": "Norsk fødselsnummer «x»|fødselsnummer: «x»|Fnr. «x», bosatt i Bergen|Norwegian national identity number «x»|{\"fodselsnummer\":\"«x»\"}|Arbeidstaker Kari Nordmann, fødselsnr. «x»",
    "FI_PERSONAL_IDENTITY_CODE": "Henkilötunnus: «x»|hetu «x»|Finnish personal identity code «x»|finsk personnummer «x»|Matti Virtanen, hetu «x», Helsinki",
    "IS_KENNITALA": "Kennitala: «x»|kt. «x»|Icelandic ID (kennitala) «x»|islandsk kennitala «x»|Jón Jónsson, kennitala «x», Reykjavík",
    "DE_TAX_ID": "Steuer-ID: «x»|Steuerliche Identifikationsnummer «x»|Identifikationsnummer (IdNr.) «x»|tysk skattenummer, Steuer-IdNr. «x»|German tax id «x»",
    "NL_BSN": "BSN: «x»|burgerservicenummer «x»|Dutch BSN «x»|hollandsk BSN-nummer «x»|Jan de Vries, BSN «x», Utrecht",
    "PL_PESEL": "PESEL: «x»|numer PESEL «x»|Polish PESEL «x»|polsk personnummer (PESEL) «x»|Pracownik Anna Kowalska, PESEL «x»",
    "FR_NIR": "Numéro de sécurité sociale : «x»|NIR «x»|n° de sécu «x»|French social security number «x»|fransk socialsikringsnummer (NIR) «x»",
    "ES_NIF": "DNI: «x»|NIF «x»|DNI/NIE «x»|Spanish tax number (NIF) «x»|con DNI «x», vecino de Madrid",
    "IT_FISCAL_CODE": "Codice fiscale: «x»|C.F. «x»|Italian tax code «x»|italiensk skattekode (codice fiscale) «x»|Mario Rossi, codice fiscale «x»",
    "BE_NATIONAL_NUMBER": "Rijksregisternummer: «x»|rijksregisternr. «x»|numéro national «x»|Belgian national number «x»|belgisk nationalnummer (rijksregisternummer) «x»",
    "UK_NHS": "NHS number: «x»|NHS no. «x»|patient's NHS number is «x»",
    "US_SSN": "SSN: «x»|Social Security number «x»|US social security no. «x»",
    "DK_PASSPORT": "Pas nr. «x»|pasnummer: «x»|Passport no.: «x» (Denmark)|dansk pas, nr. «x», udløber «date»|Danish passport number «x»|pasnr «x»|{\"passport_no\":\"«x»\"}",
    "DK_DRIVING_LICENCE": "Kørekort nr. «x»|kørekortnummer: «x»|Kørekortnr. «x», kategori B|driving licence no. «x»|førerbevis nr. «x»|Danish driver's licence number: «x»",
    "DK_LICENCE_PLATE": "Nummerplade «x»|Bilen med reg.nr. «x» holder ulovligt|registreringsnummer: «x» (Skoda Fabia)|hans bil, «x», blev påkørt «date»|licence plate «x»|Køretøj: VW Golf, indregistreringsnummer «x»|P-afgift til «x», parkeret i «town»",
    "DK_BANK_ACCOUNT": "Reg.nr. og kontonr.: «x»|Bankkonto: «x»|Løn udbetales til konto «x»|NemKonto «x»|reg. nr. «x» (kontonummer)|kontonr. «x»|bank account «x» (Danske Bank)",
    "EMAIL_ADDRESS": "Skriv til «x»|mailto:«x»|E-mail: «x»|«name» <«x»>|From: \"«name»\" <«x»>|{\"email\":\"«x»\"}|bruger=«x»;rolle=admin|kontakt «x», hvis du er i tvivl.|cc: «x», «x»|[«x»](mailto:«x»)|login failed for «x»|«x»",
    "PHONE_NUMBER": "Tlf. «x»|Mobil: «x»|ring på «x» efter kl. 16|telefonnr. «x»|T: «x»|phone «x»|{\"mobile\":\"«x»\"}|«name», tlf. «x», «email»|You can reach me on «x».|Direkte: «x»|sms til «x» i aften?|kontakttelefon «x»",
    "IP_ADDRESS": "Login fra «x»|client=«x» port=443|«x» - - [10/Oct/2024:13:55:36 +0200] \"GET / HTTP/1.1\" 200 2326|IP-adresse: «x»|The request came from «x».|{\"remote_addr\":\"«x»\"}|Failed password for root from «x» port 22|X-Forwarded-For: «x»",
    "MAC_ADDRESS": "MAC-adresse: «x»|DHCPACK on «ip» to «x»|hwaddr «x»|Enheden «x» er koblet på netværket|ether «x» txqueuelen 1000|{\"mac\":\"«x»\"}",
    "ADDRESS": "«name»\\n«x»|Adresse: «x»|Hun bor på «x».|Leveres til «firm», «x»|Send it to «x», Denmark|Bopæl: «x», flyttet «date»|Lejemålet «x», er opsagt",
    "DATE_OF_BIRTH": "født d. «x»|Fødselsdato: «x»|f. «x»|Date of birth: «x»|DOB: «x»|«name», født «x», bor i «town»|fdato=«x»|{\"birthdate\":\"«x»\"}|She was born on «x».|Barnet er født den «x»|<Foedselsdato>«x»</Foedselsdato>|fødselsdag «x»",
    "COOKIE_ID": "Cookie: _ga=«x»; theme=dark|_ga: «x»|set-cookie: _gid=«x»; Path=/|{\"_ga\":\"«x»\"}|Client id from the _ga cookie: «x»",
    "USER_AGENT": "User-Agent: «x»|\"GET / HTTP/1.1\" 200 512 \"-\" \"«x»\"|browser: «x»|{\"userAgent\":\"«x»\"}|ua=«x»",
    "GEO_COORDINATES": "Position: «x»|GPS «x»|geo:«x»|koordinater «x» (WGS84)|The phone was last seen at «x».|https://maps.example/?q=«x»",
    "USERNAME": "Brugernavn: «x»|username=«x»|bruger-id «x» er spærret|login: «x»|{\"username\":\"«x»\"}|UniLogin: «x»|user name: «x», last seen «date»",
}  # fmt: skip
"""Templates of an entity, divided by |; «x» is the identifier."""
AGAINST = {
    "EMAIL_ADDRESS": "logo@2x.png|npm install @scope/pakke@1.2.3|@Override public void run()|a @ b = c|pris: 3@25 kr.|@«first» kan du se på det?|feltet må indeholde @ og punktum|docker pull navn@sha256:«sha256»",
    "PHONE_NUMBER": "Ordrenr. «order8»|CVR-nr. «cvr»|sagsnr. «order8», bilag «n»|Uge 32 33 34 35 holder vi lukket|Lottotal: 04 12 19 23 31 35|model 20 30 40 50 i sort|Dato 20240113, beløb 20304050 øre|ISO 27001 27002 27017|Antal: 12 24 48 96 stk. pr. palle|kl. 10.15, 11.30, 12.45",
    "IP_ADDRESS": "Version «version»|se afsnit «section»|release «version» af «date»|std::vector<int> x;|klokken 12:30:45|v«version»-beta|§ «section» i reglementet|firmware «version» installeret",
    "MAC_ADDRESS": "SHA1 aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd|tid 10:20:30|forhold 1:2:3:4:5:6|serienr. «serial_no»",
    "ADDRESS": "Side «n», bilag 3|Kirkegade blev renoveret i foråret.|Afdeling 12, hylde 4|Tog 3, vogn 21|Vejen er spærret til kl. 12.|Kapitel 4, afsnit 12|Bus 12 kører ad Strandvejen.|The road was closed for 12 days.",
    "DATE_OF_BIRTH": "Fakturadato: «date»|Oprettet «date» af «first»|Ansat den «date»|Created: «date»|Aftalen er indgået «date».|Last login «date»|Møde d. «date» kl. 10|udløbsdato «date»|Garanti til «date»",
    "DK_LICENCE_PLATE": "Varenr. AB 12 345|standarden DS 12 345|artikel XK 45 210, antal «n»|norm EN 12 464, udgave 2|Lokale BK 20 114",
    "DK_PASSPORT": "Pas på! «order9» er et varenummer|slangen passer til model «order9»|ordre «order9» til paskontoret",
    "DK_DRIVING_LICENCE": "Kørekort til bil, ordre «order8»|Tilmeld dig kørekortkursus, hold «n», faktura «order8»|kørelærerens cvr «cvr»",
    "DK_BANK_ACCOUNT": "konto 1010 Omsætning, konto 2210 Husleje|kontoplan 2024-2025|konteres på 4510 med afdeling «n»|Reg. nr. på bilen mangler",
    "GEO_COORDINATES": "pris 55,67, 12,56 og 9,50|tallene 12.5, 14.2 og 15.9|målt til 55.6 × 12.5 cm|version 55.67, build «build»",
    "USERNAME": "Brugernavnet må højst have 20 tegn.|login er lukket i weekenden|Indtast brugernavn og kode.|your username is case-sensitive|brugernavn:|Username is required",
    "COOKIE_ID": "Vi bruger cookies, se vores cookiepolitik.|cookie=accepted; theme=dark|set-cookie: lang=da; Path=/",
    "USER_AGENT": "Siden virker i Chrome 120 og Firefox 121.|Mozilla blev stiftet i 1998.|User-Agent skal sendes med",
    "IBAN_CODE": "Typegodkendelse DK12 3456 7890|varenr. GB82WEST|Indsæt IBAN her: DKxx xxxx xxxx|SE2024 og NO2025 er projekter",
    "CREDIT_CARD": "Kvittering «n4» «n4» «n4»|**** **** **** «n4»|Gavekort nr. 0000 0000 0000 0000|nøgle «long»",
    "DK_CVR": "Varenr. «order8»|ordre «order8» af «date»|lotnr «order8»",
}  # fmt: skip
"""Templates that hold something like the entity which is none."""


def groups(mark: str, *sizes: int) -> Callable[[str], str]:
    """A number in groups of these sizes; the last size is repeated."""

    def write(number: str) -> str:
        parts, rest, left = [], number, list(sizes)
        while rest:
            size = left.pop(0) if len(left) > 1 else left[0]
            parts.append(rest[:size])
            rest = rest[size:]
        return mark.join(parts)

    return write


def plainly(number: str) -> str:
    return number


def checked(p: People) -> dict[str, tuple[Callable[[str], bool], Make, tuple[Callable[[str], str], ...]]]:
    """Per entity with a check digit: python-stdnum's check, a maker, and the ways to write it."""
    countries, brands = iter(list(IBANS) * 9), iter(list(CARDS) * 9)
    return {
        "DK_CVR": (cvr_number.is_valid, p.cvr, (plainly, plainly, groups(" ", 2), groups(" ", 4))),
        "IBAN_CODE": (iban_number.is_valid, lambda: p.iban(next(countries)), (plainly, groups(" ", 4))),
        "CREDIT_CARD": (luhn.is_valid, lambda: p.card(next(brands)), (plainly, groups(" ", 4), groups("-", 4))),
        "SE_PERSONNUMMER": (personnummer.is_valid, p.se, (groups("-", 8, 4), lambda n: f"{n[2:8]}-{n[8:]}", plainly)),
        "NO_FODSELSNUMMER": (fodselsnummer.is_valid, p.no, (plainly, groups(" ", 6, 5))),
        "FI_PERSONAL_IDENTITY_CODE": (hetu.is_valid, p.fi, (plainly,)),
        "IS_KENNITALA": (kennitala.is_valid, p.kennitala, (groups("-", 6, 4), plainly)),
        "DE_TAX_ID": (idnr.is_valid, p.de, (plainly, groups(" ", 2, 3))),
        "NL_BSN": (bsn.is_valid, p.nl, (plainly, groups(".", 4, 2, 3))),
        "PL_PESEL": (pesel.is_valid, p.pl, (plainly,)),
        "FR_NIR": (nir.is_valid, p.fr, (plainly, groups(" ", 1, 2, 2, 2, 3, 3, 2))),
        "ES_NIF": (lambda n: dni.is_valid(n) or nie.is_valid(n), p.es, (plainly, lambda n: f"{n[:-1]}-{n[-1]}")),
        "IT_FISCAL_CODE": (codicefiscale.is_valid, p.it, (plainly, plainly, groups(" ", 3, 3, 5, 5))),
        "BE_NATIONAL_NUMBER": (nn.is_valid, p.be, (lambda n: f"{n[:2]}.{n[2:4]}.{n[4:6]}-{n[6:9]}.{n[9:]}", plainly)),
        "UK_NHS": (nhs.is_valid, p.nhs, (groups(" ", 3, 3, 4), plainly)),
    }


def marked(p: People) -> dict[str, tuple[Make, ...]]:
    """Per entity without a check digit: the ways in which it is made and written."""
    r = p.random
    return {
        "US_SSN": (lambda: f"{r.randint(100, 660)}-{r.randint(10, 99)}-{r.randint(1000, 9999)}",),
        "DK_PASSPORT": (lambda: p.digits(9, "12"),),
        "DK_DRIVING_LICENCE": (lambda: p.digits(8, "123"),),
        "DK_LICENCE_PLATE": (p.plate, lambda: p.plate().replace(" ", "")),
        "DK_BANK_ACCOUNT": (lambda: f"{p.digits(4, '1234567')} {p.digits(10)}", lambda: f"{p.digits(4, '1234567')}-{p.digits(7, '123456')}", lambda: f"{p.digits(4, '1234567')} {p.cpr(1950)}"),
        "EMAIL_ADDRESS": (p.email,),
        "PHONE_NUMBER": (
            p.spaced_phone, p.phone, lambda: groups(" ", 4)(p.phone()), lambda: f"+45 {p.spaced_phone()}", lambda: f"+45{p.phone()}", lambda: f"0045 {p.phone()}", lambda: f"(+45) {p.spaced_phone()}",
            lambda: groups(".", 2)(p.phone()), lambda: groups("-", 2)(p.phone()), lambda: f"+45 {groups(' ', 4)(p.phone())}", p.abroad, p.abroad, lambda: f"0045{p.phone()}",
        ),
        "IP_ADDRESS": (p.ipv4, p.ipv4, p.ipv6), "MAC_ADDRESS": (p.mac, lambda: p.mac("-").upper(), lambda: groups(".", 4)(p.mac(""))), "ADDRESS": (p.address,),
        "COOKIE_ID": (p.cookie,), "USER_AGENT": (p.agent,), "USERNAME": (p.user,),
        "DATE_OF_BIRTH": tuple(lambda style=style: p.born(style) for style in ("slash", "dots", "dots4", "iso", "hyphen", "words")),
        "GEO_COORDINATES": (p.position, lambda: p.position().replace(", ", ",")),
    }  # fmt: skip


def not_cpr(number: str) -> bool:
    """Whether a Swedish number could not be a CPR number too: its first two digits are no day."""
    return not (1 <= int(number[2:4]) <= 31 or int(number[2:4]) > 60)


def texts(p: People) -> Iterator[Labelled]:
    """Right ones under the entity's name, wrong ones under `… wrong check digit`, the rest under `no …`."""
    known = slots(p)

    def one(template: str, label: str, make: Make, form: str) -> Labelled:
        return fill(template.replace("\\n", "\n"), {**known, "x": (label, make)}, form)

    for entity, (right, make, ways) in checked(p).items():
        cues = CUES[entity].split("|")
        for number in range(24 if entity in ("IBAN_CODE", "CREDIT_CARD") else 14 if entity == "DK_CVR" else 10):
            write = ways[number // 2 % len(ways)] if entity not in ("IBAN_CODE", "CREDIT_CARD") else ways[number % len(ways)]
            yield one(cues[number % len(cues)], entity, lambda make=make, write=write: write(make()), entity)
        for number in range(7):
            write = ways[number % len(ways)]
            wrong: Make = lambda make=make, write=write, right=right: write(p.wrong(make(), right))  # noqa: E731
            if entity == "SE_PERSONNUMMER":
                wrong = lambda make=make, write=write, right=right: write(p.wrong(p.until(not_cpr, make), right))  # noqa: E731
            if entity == "FI_PERSONAL_IDENTITY_CODE":
                wrong = lambda make=make, right=right: p.wrong(p.until(lambda n: n[-1].isalpha(), make), right)  # noqa: E731
            label = {"IS_KENNITALA": "maybe:DK_CPR"}.get(entity, f"wrong {entity}")
            yield one(cues[number % len(cues)], label, wrong, f"{entity}, wrong check digit")
    for entity, makers in marked(p).items():
        cues = CUES[entity].split("|")
        for number in range(
            26 if entity == "PHONE_NUMBER" else 14 if entity in ("EMAIL_ADDRESS", "ADDRESS", "DATE_OF_BIRTH", "IP_ADDRESS") else 8
        ):
            yield one(cues[number % len(cues)], entity, makers[number % len(makers)], entity)
    for number in range(10):
        first, last = ("Mette Sofie", "Lars", "Karen Louise")[number % 3], ("Holm", "Friis Lund", "Brandt")[number // 3 % 3]
        label = "DK_PASSPORT" if number < 6 else "maybe:DK_PASSPORT"
        yield one(
            ("«x»", "Pas:\\n«x»\\n", "MRZ: «x»")[number % 3],
            label,
            lambda f=first, n=last, ok=number < 6: p.mrz(n, f, ok),
            "passport's machine-readable zone",
        )
    for entity, block in AGAINST.items():
        for template in block.split("|"):
            yield one(template, "", str, f"no {entity}")
