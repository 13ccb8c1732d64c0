"""CPR numbers in every form in which they are written, with and without a word that announces them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.identifiers.people import People
from benchmarks.identifiers.template import Labelled, fill, slots

CUED = """
Kære «name»\\n\\nVi har modtaget din ansøgning. Dit cpr-nr. «cpr» er registreret på sagen.\\n\\nMed venlig hilsen\\n«name»
CPR-nr.: «cpr»
Navn: «name»\\nCPR: «cpr»\\nAdresse: «address»
Cpr.nr. «cpr» ønskes opdateret i systemet.
Jeg hedder «name» og har personnummer «cpr», kan I se om min sag er færdig?
Personnr. «cpr»
Lønmodtager: «name» (personnummer «cpr»)
hej, mit cpr er «cpr» mvh «first»
Ifølge Det Centrale Personregister er borgeren med CPR-nummer «cpr» fraflyttet «date».
Patient: «name», cpr «cpr», indlagt «date».
pt. «cpr» «name» ringede og aflyste tiden
Vi bekræfter hermed ansættelsen af «name», cpr-nummer «cpr», pr. «date».
Forsikringstager «name», CPR «cpr», police nr. «policy»
The employee's Danish CPR number is «cpr»; please register it before payroll closes.
Please confirm the national id (CPR no. «cpr») of «name».
National identification number: «cpr»
Elev: «name»   CPR: «cpr»   Klasse: 7.B
Barnets cpr-nr: «cpr». Barnet bor hos moderen i «town».
Fuldmagt: Undertegnede «name», cpr. nr. «cpr», giver hermed «firm» fuldmagt.
Underskriver: «name» · CPR-nr. «cpr» · MitID
cpr nr «cpr» skal slettes, han har bedt om det
Kan du slå «cpr» op i CPR-registret? Jeg tror, adressen er forkert
Lejer: «name», CPR-nr. «cpr», indflytning «date», depositum 24.000 kr.
Sygesikring: «cpr», læge: «name»
Låntager 1: «name», cprnr «cpr»
Kundenr. «n6», navn «name», cpr-nr. «cpr», ordrenr. «order»
Til lønkontoret: ny medarbejder «name», personnr «cpr», starter «date», tlf. «phone».
DEBUG validateCpr(cpr=«cpr») returned true
WARN  Opslag på cpr «cpr» gav ingen hits i tabellen
2025-03-04 08:12:44,120 INFO  borger-service - henter person, cpr=«cpr», korrelation=«uuid»
""".strip().split("\n")
UNCUED = """
«name», «cpr», møder til samtale på tirsdag
Vedr. «cpr» / «last»
«name» («cpr»)
Kan du lige tjekke «cpr»? Hun ringede igen i dag
Så er det «first», hun er «cpr», og hun vil gerne have en tid
«cpr» «name», «address»
«cpr»
Deltagere: «name» «cpr», «name» «cpr»
Sendt til forkert modtager: brev om «name», «cpr».
Fraværende i dag: «cpr» «first» (syg)
Hi «first», the file on «name», «cpr», is missing two signatures.
- «name», «cpr», «email»
Dødsbo efter «name», «cpr», behandles ved skifteretten i «town».
""".strip().split("\n")
FILES = """
ansoegning_«cpr».pdf
«cpr».pdf
/borgere/2024/«cpr»/referat.docx
CPR_«cpr»_loenseddel_marts.pdf
Holm_Mette_«cpr».docx
S:\\Personale\\Kontrakter\\«cpr»_kontrakt.pdf
Vedhæftet: lægeerklæring-«cpr».pdf
journal_«cpr»_side2.jpg
""".strip().split("\n")
URLS = """
https://selvbetjening.example.dk/sag?cpr=«cpr»&trin=2
GET /api/v1/borger/«cpr»/sager HTTP/1.1" 200 512
https://portal.example/login?next=/profil&personnummer=«cpr»
POST /lookup?cprnr=«cpr»&kilde=web
https://journal.example.dk/patients/«cpr»#medicin
curl -s "https://api.example/cpr/«cpr»?format=json"
""".strip().split("\n")
JSONS = """
{"cprNummer":"«cpr»","navn":"«name»"}
{"id": 48, "cpr": "«cpr»", "status": "aktiv"}
{"person":{"personnummer":"«cpr»","fornavn":"«first»"}}
{ "PersonCivilRegistrationIdentifier" : "«cpr»" }
{"identifier":[{"system":"urn:oid:1.2.208.176.1.2","value":"«cpr»"}],"resourceType":"Patient"}
{"level":"info","msg":"opslag","cpr_no":"«cpr»","ts":«unix»}
[{"cpr":"«cpr»","order_no":"«order»"},{"cpr":"«cpr»","order_no":"«order»"}]
  'cprnr': '«cpr»', 'invoice_no': '«invoice»',
cpr: "«cpr»"\\nnavn: «name»\\nordre_nr: "«order»"
""".strip().split("\n")
XMLS = """
<Person><CPR>«cpr»</CPR><Navn>«name»</Navn></Person>
<ns2:PersonCivilRegistrationIdentifier>«cpr»</ns2:PersonCivilRegistrationIdentifier>
<person cpr="«cpr»" status="1"/>
<saml:Attribute Name="dk:gov:saml:attribute:CprNumberIdentifier"><saml:AttributeValue>«cpr»</saml:AttributeValue></saml:Attribute>
<id root="1.2.208.176.1.2" extension="«cpr»"/>
<Indkomst><PersonNummer>«cpr»</PersonNummer><Beloeb>31250</Beloeb></Indkomst>
<Faktura><Nr>«invoice»</Nr><Kunde><CprNr>«cpr»</CprNr></Kunde></Faktura>
""".strip().split("\n")
CSVS = """
navn;cpr;by\\n«name»;«cpr»;«town»\\n«name»;«cpr»;«town»
CPR-nr.,Fornavn,Efternavn\\n«cpr»,«first»,«last»\\n«cpr»,«first»,«last»\\n«cpr»,«first»,«last»
id\\tpersonnummer\\toprettet\\n1\\t«cpr»\\t2024-01-02\\n2\\t«cpr»\\t2024-01-03
ordrenr;cprnr;beloeb\\n«order»;«cpr»;199,00\\n«order»;«cpr»;249,00
"medarbejdernr";"cpr";"navn"\\n"1044";"«cpr»";"«name»"\\n"1045";"«cpr»";"«name»"
| Navn | CPR | Hold |\\n|---|---|---|\\n| «name» | «cpr» | A |\\n| «name» | «cpr» | B |
""".strip().split("\n")
BREAKS = """
CPR-nr.:\\n«cpr»
Personnummer\\n\\n«cpr»\\n\\nNavn\\n\\n«name»
CPR-\\nnummer: «cpr»
Navn:      «name»\\nCPR-nummer:\\n           «cpr»
Dit per-\\nsonnummer er «cpr».
Oplys venligst cpr nr.\\r\\n«cpr»
""".strip().split("\n")
GLUED = """
cpr«cpr»
Slet venligst cpr«cpr» fra listen, «first»
CPR«cpr» er oprettet
cprnr«cpr»
Hej, ring til «name» CPR:«cpr»
cpr.«cpr»
CPRNR«cpr» NAVN «name»
""".strip().split("\n")
ECPR = """
Erstatnings-CPR: «cpr»
Patienten har eCPR «cpr» fra ambulancen.
e-CPR «cpr», ukendt mand, skadestuen «date»
cpr «cpr»
Borger uden dansk personnummer, erstatningspersonnummer «cpr».
{"ecpr":"«cpr»"}
Patient «cpr» modtaget kl. 14
The replacement CPR «cpr» was issued by the emergency department.
""".strip().split("\n")
LOST_ZERO = """
cpr «cpr»
CPR-nr.: «cpr»
{"cpr": «cpr», "navn": "«name»"}
navn;cpr;by\\n«name»;«cpr»;«town»\\n«name»;«cpr»;«town»
personnummer=«cpr»
Excel har spist nullet: cprnr. «cpr»
""".strip().split("\n")
MASKED = """
Kunden «name» (cpr «masked») har ringet.
CPR: «masked»
Født «masked», bor i «town»
«name», «masked», møder «date»
Vi oplyser kun de første cifre: «masked»
""".strip().split("\n")
UNDECIDED = """
«ambiguous»
«ambiguous» sendt
se også «ambiguous»
«ambiguous» · «ambiguous»
id=«any_id»
{"id":"«any_id»","value":"x"}
nr. «ambiguous»
2512489996 Nancy Ann Test Berggren «medcom»
cpr «medcom»
Sagsnr. «case_serial»
J.nr. «case_serial» bedes oplyst ved henvendelse
""".strip().split("\n")

Write = Callable[[str], str]


def between(mark: str) -> Write:
    """Six digits, the mark, four digits."""
    return lambda n: f"{n[:6]}{mark}{n[6:]}"


def dotted(mark: str, last: str, year: bool = False) -> Write:
    """Day, month and year apart; `year` in four digits."""

    def write(n: str) -> str:
        century = "" if not year else "20" if n[6] in "5678" or (n[6] in "49" and n[4:6] < "37") else "19"
        return f"{n[:2]}{mark}{n[2:4]}{mark}{century}{n[4:6]}{last}{n[6:]}"

    return write


def forms(p: People) -> Iterator[tuple[str, list[str], Callable[[], str], int]]:
    """Form, templates, how its number is written, and how many texts."""

    def wrote(write: Write, **how: int) -> Callable[[], str]:
        return lambda: write(p.cpr(**how))

    bare, hyphen = between(""), between("-")
    either: Write = lambda n: p.random.choice((bare, hyphen))(n)  # noqa: E731
    yield "hyphen, with a word", CUED, wrote(hyphen), 30
    yield "hyphen, alone", UNCUED, wrote(hyphen), 20
    yield "bare, with a word", CUED, wrote(bare), 30
    yield "bare, alone", UNCUED, wrote(bare), 20
    yield "space, with a word", CUED, wrote(between(" ")), 14
    yield "space, alone", UNCUED[:6], wrote(between(" ")), 6
    yield "groups (01 02 03 1234)", [*CUED, *UNCUED[:3]], wrote(dotted(" ", " ")), 14
    yield "dots (01.02.03-1234)", [*CUED, *UNCUED[:3]], wrote(dotted(".", "-")), 14
    yield "hyphens (01-02-03-1234)", CUED, wrote(dotted("-", "-")), 8
    yield "slash (010203/1234)", [*CUED, *UNCUED[:3]], wrote(between("/")), 14
    for name, mark in (("en dash", "\u2013"), ("U+2011", "\u2011"), ("U+2212", "\u2212"), ("no-break space", "\u00a0")):
        yield name, [*CUED, *UNCUED[:6]], wrote(between(mark)), 12
    yield "spaces around the hyphen", [*CUED, *UNCUED[:4]], wrote(between(" - ")), 12
    yield "eight-digit date (01021903-1234)", [*CUED, *UNCUED[:3]], wrote(dotted("", "-", True)), 12
    for mark, last in ((".", "-"), ("-", "-"), ("/", "-")):
        yield "full date (01-02-1965-1234)", CUED, wrote(dotted(mark, last, True)), 5
    yield "glued to its label", GLUED, wrote(either), 21
    yield "file name", FILES, wrote(either), 20
    yield "URL", URLS, wrote(either), 18
    yield "JSON", JSONS, wrote(either), 22
    yield "XML", XMLS, wrote(either), 18
    yield "CSV", CSVS, wrote(either), 14
    yield "CSV, without modulus 11", CSVS, wrote(either, mod11=False), 8
    yield "label on the line before", BREAKS, wrote(either), 14
    yield "day + 60", CUED, wrote(either, day60=True), 14
    yield "eCPR", ECPR, lambda: either(p.ecpr()), 18
    yield "lost zero", LOST_ZERO, p.short_cpr, 16
    yield "without modulus 11, with a word", CUED, wrote(either, mod11=False), 16
    yield "1 January without modulus 11, with a word", CUED, wrote(either, january=True), 10
    yield "1 January without modulus 11, alone", UNCUED, wrote(either, january=True), 14
    yield "born 1900 to 1936", [*CUED, *UNCUED], wrote(either, first=1900, last=1936), 12
    yield "born since 2000", [*CUED, *UNCUED], wrote(either, first=2000, last=2024), 14


def texts(p: People) -> Iterator[Labelled]:
    """All of them; every template of a form has its turn, a form with many begins somewhere in its list."""
    known = slots(p)
    for form, templates, write, count in forms(p):
        start = p.random.randrange(len(templates)) if count < len(templates) else 0
        step = max(1, len(templates) // count)
        for number in range(count):
            template = templates[(start + number * step) % len(templates)].replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")
            yield fill(template, {**known, "cpr": ("DK_CPR", write)}, form)
    fields = ("cprNummer", "cpr", "Personnummer", "cpr_nr", "PATIENT_CPR", "CPR-nr.", "person.cpr", "medarbejder.cprnr")
    for number in range(16):
        made = p.cpr(mod11=number % 4 != 3)
        yield fill(
            "«cpr»",
            {"cpr": ("DK_CPR", lambda made=made, number=number: between("-" if number % 2 else "")(made))},
            "named field",
            fields[number % 8],
        )
    subjects = ("Vedr. cpr «cpr»", "SV: «name» «cpr»", "Ansøgning - «cpr»", "Re: CPR «cpr» (haster)")
    for number in range(8):
        yield fill(subjects[number % 4], {**known, "cpr": ("DK_CPR", lambda: between("-")(p.cpr()))}, "mail subject", "subject")


def undecided(p: People) -> Iterator[Labelled]:
    """Masked numbers, of which at most the birth date may be told, and numbers of which nobody could tell what they are."""
    hides = ("-xxxx", "-****", "xxxx", "-XXXX", " xxxx", "-####", "-••••")
    medcom = ("2512489996", "2911829996", "2509479989", "2311143995", "3001749995", "0108589995", "0201919990")
    known = {
        **slots(p),
        "masked": ("maybe:DATE_OF_BIRTH", lambda: p.cpr()[:6] + p.random.choice(hides)),
        "ambiguous": ("ambiguous", lambda: p.cpr(mod11=False)),
        "any_id": ("ambiguous", p.cpr),
        "medcom": ("ambiguous", lambda: p.random.choice(medcom)),
    }
    for number in range(20):
        yield fill(MASKED[number % len(MASKED)], known, "masked")
    for number in range(26):
        made = fill(UNDECIDED[number % len(UNDECIDED)].replace("2512489996", "«medcom»"), known, "undecided")
        yield made
