"""Texts full of numbers that look like CPR numbers and are none, and texts that hold both."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.identifiers.people import People
from benchmarks.identifiers.template import Labelled, fill, slots

KINDS = {
    "production units": """
P-nr. «p_number»
P-nummer: «p_number», CVR-nr. «cvr»
Produktionsenhed «p_number» er ophørt pr. «date».
cvr;pnr;navn\\n«cvr»;«p_number»;«firm»\\n«cvr»;«p_number»;«firm»
{"cvrNummer": "«cvr»", "pNummer": "«p_number»"}
Afdelingen er registreret som «p_bare» under «firm».
<Produktionsenhed><PNummer>«p_number»</PNummer></Produktionsenhed>
The production unit number (P-number) of the shop is «p_number».
SE-nr. «se_no»
Momsregistreret under SE-nummer «se_no», P-nr. «p_number»
Vi har tre p-enheder: «p_bare», «p_bare» og «p_bare».
""",
    "Unix times": """
{"ts":«unix»,"event":"login","ok":true}
[«unix».482] kernel: eth0: link up
created_at=«unix» updated_at=«unix»
Timestamp «unix_ms» ms, varighed 31 ms
exp: «unix», iat: «unix»
{"timestamp": «unix_ms», "level": "warn"}
backup-«unix».tar.gz
touch -d @«unix» fil.txt
1712 poster læst, unix time «unix»
metric.cpu.load 0.42 «unix»
"createdAt":«unix_ms»,"expiresAt":«unix_ms»
INFO  «unix» job «n» færdig på 3 s
""",
    "stamps": """
backup_«stamp».zip
rapport_«stamp».csv er dannet
Udskrevet «stamp» af printer 4
scan_«stamp»_001.tif (dato og klokkeslæt i navnet)
Modtaget «stamp_sp» af scanner 3
log-«stamp».txt
Tidsstempel: «stamp» (ddmmååttmm)
""",
    "invoices": """
fakturanr. «invoice»
Faktura «invoice» forfalder «date».
Fakturanummer: «invoice»\\nOrdrenummer: «order»\\nKundenummer: «customer»
Vedr. faktura nr. «invoice» af «date»: Beløbet er betalt.
Invoice no. «invoice», purchase order «order»
Kreditnota «invoice» til faktura «invoice»
Bilagsnr. «document», konto 2210, beløb «amount» kr.
rykker 2 for fakturaer: «invoice», «invoice» og «invoice»
{"invoice_no":"«invoice»","amount":1250.00}
faktura_«invoice».pdf
Tilbudsnr. «document» gælder til «date»
Kvittering «document»\\n2 stk. cykelslange\\nI alt 98,00
""",
    "orders": """
Ordrenr.: «order»
Tak for din ordre «order»! Vi sender den inden for to dage.
Your order «order» has been shipped.
ordrebekræftelse «order», levering uge «n»
PO number «order», item no. «item»
Ordre «order8» er pakket
Indkøbsordre «order» · varenr. «item» · antal «n»
Ordre «day_serial» og «day_serial» leveres samlet
Tilbud «day_serial» erstatter tilbud «day_serial»
batchnr. «day_serial», lot «batch»
https://shop.example/checkout?orderId=«order»&step=3
ordre nr. «order9»
SKU «item», stregkode «ean»
varenummer «item» er udgået, brug i stedet «item»
part number «item» rev. B
Serienr. «serial_no», model X200
licensnummer: «licence_key»
rekvisition «order» fra driftsafdelingen
""",
    "cases, customers, members": """
Sagsnr. «case», sagsbehandler «name»
Kundenr. «customer»
Kære kunde «customer», din aftale er fornyet.
Medlemsnr.: «member», kontingent betalt til «date»
customer no «customer», account no «account_no»
Support ticket «ticket» was closed by «first».
Policenr. «policy», skade anmeldt «date»
Debitornr. «customer» · Kreditornr. «customer»
Aftalenr. «reference» opsiges pr. «date».
Projektnr. «project», delprojekt 3
Dokumentnr. «document», version 4
journalnr. «case» (kommunens ESDH)
case no «case» / your reference no «reference»
Leverandørnr. «customer» i «firm»
""",
    "payments": """
«fik»
Betal med kortart: «fik»
FI-kreditor og OCR-linje: «fik»  beløb «amount» kr.
Indbetalingskort «fik»\\nBeløb: 1.249,00
Betalings-ID «payment_id»
I alt «amount» kr. inkl. moms
Omsætningen steg til DKK «amount».
Saldo: «amount10» øre
konto 1010 Varesalg: «amount» kr. mod «amount» kr. sidste år
""",
    "goods": """
EAN «ean»
EAN-nr. «gln» (kommunens fakturamodtagelse)
GLN: «gln», ordrenr. «order»
ISBN «isbn10»
ISBN-10: «isbn10», ISBN-13: «isbn13»
ISBN «isbn13», 3. udgave
IMEI: «imei»
Telefonens IMEI-nummer er «imei», serienr. «serial_no».
stregkode «upc»; kolli «gtin14»
bar code «ean» / «upc»
Stelnr. «vin»
Varekode (TARIC) «taric», toldsats 0 %
toldtarif «taric_sp» og «taric_sp»
målernr. «meter», aflæst «date»
Aftagenummer 571313«n»«n6»«n6»«n», måler-nr. «meter»
BFE-nummer «property_no», matrikel 14b
Ejendomsnr. «property_no», ejerlav «town»
""",
    "parcels": """
Track & trace: «postnord»
pakkenr. «parcel» er ankommet til pakkeshoppen
UPS tracking «ups»
Forsendelsesnr. «parcel» kan hentes i «town»
tracking number «parcel», shipped «date»
https://track.example/?trackingId=«parcel»
""",
    "machines": """
«uuid»
id: «uuid» parent: «uuid»
commit «sha1»
md5 «md5»  fil.zip
sha256:«sha256»
checksum=«md5», size=«n6»
value = «decimal»
faktor «decimal» pr. enhed
{"weight": «decimal», "x": «decimal»}
opgjort til «decimal_da» m3
build «build» af version «version»
Version «version» blev udgivet «date».
OID «oid», se afsnit «section»
ref «long»
Se afsnit «section» i vejledningen.
Fejlkode 0x«md5»
PID: 9208-2002-2-«pid»
Medarbejdersignatur CVR:«cvr»-RID:«rid»
Guid «uuid» version «version»
licence key «licence_key»-«n4»
scp dump_«stamp».sql.gz server:/data
protocol no «document», test report no «document»
rækkenr «reference» i udtrækket, løbenr. «reference»
""",
    "phones": """
Tlf. «phone_se» (Sverige)
Call us at «phone_us»
telefon «phone8»
mobil «phone»
fax: «phone»
""",
    "years and dates": """
Perioden 01.01.2024-31.12.2024 er afsluttet.
Åbent 10-18, lørdag 1000-1400, ugerne 32 33 34 35
Budget 2023-2024 og 2024-2025
Mødet den «date» er flyttet til «date».
Fredag 0800-1630, søndag lukket
Licensen gælder «date» til «date».
Side 101-1234 i bind 2
Skala 1:25000, blad 1213 II
""",
}
BOTH = """
FAKTURA «invoice»\\n«firm»  CVR-nr. «cvr»  P-nr. «p_number»\\n\\nKunde: «name», CPR-nr. «cpr»\\nOrdrenr.: «order»\\nBeløb: «amount» kr.\\nBetales med «fik»
Sagsnr. «case»\\nVedr.: «name», «cpr»\\nVores ref.: «reference»\\nKopi til «firm», P-nummer «p_number»
{"order_no":"«order»","customer_no":"«customer»","cpr":"«cpr10»","created":«unix»}
Til lønkontoret\\nMedarbejder «name», cpr «cpr10», lønnes fra «firm» (CVR «cvr»). Projektnr. «project». Bilag «document».
Ordre «order» er bestilt af «name» (cpr «cpr»), som bor «address». Ring på «phone», hvis pakke «parcel» ikke kommer frem.
Borger «cpr» har fået en ny måler, målernr. «meter», aftalenr. «reference».
kundenr;cpr;faktura;ean\\n«customer»;«cpr10»;«invoice»;«ean»\\n«customer»;«cpr10»;«invoice»;«ean»
Hi «first», order «order» belongs to «name», CPR «cpr». The invoice «invoice» was sent to EAN «gln».
2024-11-05T10:11:12 opslag cpr=«cpr10» request=«uuid» ts=«unix_ms» svar=200
Policenr. «policy»: forsikrede «name», personnummer «cpr». Skadenr. «case». Erstatning udbetales til konto «account».
Medlemsnr. «member» · «name» · født «cpr» · indmeldt «date» · betaling «payment_id»
<Ordre><Nr>«order»</Nr><Kunde cpr="«cpr10»"/><Pakke>«parcel»</Pakke><Oprettet>«unix»</Oprettet></Ordre>
Hej «first»\\n\\nDen faktura, du spørger til, er «invoice». Den hører til personnummer «cpr10», og pengene er sat ind på «iban».\\n\\n«name»\\n«email»
Ved udtræk af ordre «order», ordre «order» og ordre «order» fandt vi cpr-nummer «cpr» i bemærkningsfeltet.
telefon «phone», cpr «cpr», kundenr. «customer», skrevet af «name»
IMEI «imei», serienr. «serial_no», udleveret til «name», cpr-nr. «cpr»
Patient «name», «cpr», henvist «date». Rekvisition «order», prøvenr. «batch», udtaget «stamp».
Stregkode «ean», medlemsnr. «member», låner «name», cpr «cpr»
""".strip().split("\n")
FIELDS = {
    "invoice_no": "invoice", "order_id": "order", "kundenr": "customer", "ean": "ean", "pnr_enhed": "p_number", "created_ts": "unix", "tracking_no": "parcel",
    "faktura": "invoice", "barcode": "upc", "serienummer": "serial_no", "sagsnr": "case", "updated_ms": "unix_ms",
}  # fmt: skip


def texts(p: People) -> Iterator[Labelled]:
    """Every template three times, mixed documents too."""
    known = slots(p)
    for form, block in KINDS.items():
        for template in block.strip().split("\n"):
            for _ in range(3):
                yield fill(template.replace("\\n", "\n"), known, form)
    for template in BOTH:
        for _ in range(3):
            yield fill(template.replace("\\n", "\n"), known, "mixed")
    for field, slot in FIELDS.items():
        yield fill(f"«{slot}»", known, "named field of something else", field)
