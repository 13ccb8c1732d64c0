"""The people who make it hard to find one person: namesakes, families, changed names, and all who are written wrongly.

One line a person, the end of a long one below it: number, name, sex, day of birth, e-mail, phone, street,
town, kinds, and what else is known of her.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from scanner.demo.people import Person, cpr, cvr

CUSTOMERS = """\
10750|Mette Nielsen|k|1979-03-14|mette.nielsen@example.com|20314501|Skovvej 14|8000 Aarhus C|namesake|orders=2025-03-02+2026-02-11
10751|Mette Nielsen|k|1991-11-02|metten@example.org|20314502|Birkevænget 3, 2. tv.|8000 Aarhus C|namesake|orders=2025-09-21
10752|Mette Nielsen|k|1964-07-30|mn64@post.example|20314503|Kærbyvej 88|5000 Odense C|namesake overdue|
    closed=2024-11-30;orders=2019-05-14+2023-08-01
10753|Lars Jensen|m|1970-01-22|lars.jensen@example.net|22418801|Rosenhaven 9|9000 Aalborg|namesake|orders=2024-04-18
10754|Lars Jensen|m|1988-09-09|lj88@brevkasse.example|22418802|Engdraget 51|4000 Roskilde|namesake recently-closed|closed=2026-03-01
10755|Søren Holm|m|1951-02-17|soeren.holm51@example.com|23607710|Strandvejen 102|3000 Helsingør|namesake family shared-phone|
    orders=2022-06-06
10756|Søren Holm|m|1983-05-25|soeren.holm83@example.com|23607710|Strandvejen 102|3000 Helsingør|namesake family shared-phone|
    orders=2025-12-01
10757|Anne Mette Hansen|k|1976-12-12|amhansen@example.org|24556612|Møllebakken 7|7100 Vejle|namesake|orders=2026-01-15
10758|Anne Mette Hansen|k|1999-06-03|anne.mette.h@example.net|24556613|Tværgade 20, 1. th.|7100 Vejle|namesake|
10760|Hanne Kjærsgaard|k|1980-04-04|familien.kjaersgaard@post.example|25701180|Lærkevej 12|6700 Esbjerg|family shared-phone shared-mail
     parent|orders=2025-05-05
10761|Torben Kjærsgaard|m|1978-10-19|torben.k@example.com|25701180|Lærkevej 12|6700 Esbjerg|family shared-phone|
    orders=2024-10-10;shared=familien.kjaersgaard@post.example
10762|Line Abildgaard|k|1995-08-28|line.abildgaard@example.org|26880140|Bøgebakken 31|8600 Silkeborg|family shared-phone|
10763|Troels Abildgaard|m|1997-03-11|troels.abildgaard@example.org|26880140|Bøgebakken 31|8600 Silkeborg|family shared-phone|
    orders=2026-04-20
10764|Ulla Ladegaard|k|1968-05-16|ulla.ladegaard@example.net|27431902|Ved Åen 5|8900 Randers C|family|orders=2023-03-03
10765|Finn Ladegaard|m|1966-09-01|finn.ladegaard@example.net|27431903|Ved Åen 5|8900 Randers C|family recently-closed|
    closed=2025-12-15;orders=2021-02-02
10766|Pernille Bøgh|k|1986-06-21|pernille.boegh@example.com|28195530|Tværgade 44|9800 Hjørring|family parent|orders=2025-10-30
10770|Louise Vinterberg|k|1984-02-08|louise.vinterberg@example.com|29340011|Østerbrogade 70, 3. th.|2100 København Ø|changed-name|
    was=Louise Bagger;orders=2025-02-14
10771|Camilla Ravnkilde|k|1990-10-27|camilla.fog@example.org|29340012|Smedegade 8|5700 Svendborg|changed-name|
    was=Camilla Fogtmann;orders=2024-12-24
10772|Ida Thorup|k|1975-01-31|ida.thorup@example.net|29340013|Kirkegade 19|6400 Sønderborg|changed-name|
    was=Ida Sønderby;orders=2026-05-09
10773|Alex Brandstrup|m|1993-07-07|alex.brandstrup@example.com|29340014|Nørre Allé 27|2200 København N|changed-name changed-cpr|
    was=Alexandra Brandstrup;cpr2=k
10774|Rune Munkholm|m|1981-03-23|rune.munkholm@example.com|30551101|Skovvej 61|8600 Silkeborg|second-mail|
    mail2=rune@munkholm-design.example;orders=2025-06-17
10775|Tove Elkjær|k|1959-11-15|tove.elkjaer@post.example|30551102|Åløkkehaven 6|5000 Odense C|second-mail|
    mail2=t.elkjaer@example.org;orders=2023-11-29
10776|Jannik Vestberg|m|1994-04-30|jannik.vestberg@example.net|30551103|Søndergade 33|7400 Herning|second-mail email-case|
    mail2=JVestberg@Example.com
10777|Stine Rahbek|k|1989-12-05|stine.rahbek@example.com|31220701|Rosenhaven 40|9000 Aalborg|plus-tag|
    mail2=stine.rahbek+optifo@example.com;orders=2026-06-01
10778|Claus Damgaard|m|1973-08-13|claus.damgaard@example.org|31220702|Birkevænget 58|4700 Næstved|plus-tag email-case|
    mail2=claus.damgaard+foto@example.org
10779|Merete Ulriksen|k|1967-02-26|merete.ulriksen@example.net|31220703|Kærbyvej 12|4000 Roskilde|email-case|
    mail2=Merete.Ulriksen@EXAMPLE.net;orders=2025-01-20
10780|Gorm Hedegaard|m|1962-05-02|gorm.hedegaard@example.com|40117701|Engdraget 14|6700 Esbjerg|phone-forms|orders=2024-02-29
10781|Vibeke Stougaard|k|1977-09-18|vibeke.stougaard@example.org|40117702|Strandvejen 200|2800 Kongens Lyngby|phone-forms cpr-forms|
10782|Bjarke Tranberg|m|1987-01-09|bjarke.tranberg@example.com|40117703|Smedegade 91|8000 Aarhus C|cpr-forms|orders=2025-07-07
10783|Eva Lindholt|k|1992-06-05|eva.lindholt@example.net|40117704|Ved Åen 71|5700 Svendborg|cpr-forms|
10784|Thorkild Wesselhoff|m|1955-10-08|thorkild.w@post.example|42309901|Møllebakken 29|7100 Vejle|typo|
    typo=Thorkild Weselhoff;orders=2025-11-11
10785|Annelise Brinkmann|k|1969-12-20|annelise.brinkmann@example.com|42309902|Lærkevej 77|9800 Hjørring|typo|typo=Annelise Brinckmann
10786|Jeppe Haugaard|m|1996-02-02|jeppe.haugaard@example.org|42309903|Kirkegade 5|3000 Helsingør|typo|
    typo=Jeppe Hagaard;orders=2026-03-13
10787|Malene Holmgaard|k|1985-08-01|malene.holmgaard@example.com|50224401|Tværgade 3|8900 Randers C|initials reversed|orders=2024-09-09
10788|Mikkel Holmgaard|m|1990-03-29|mikkel.holmgaard@example.com|50224402|Skovvej 117|4000 Roskilde|initials|
10789|Preben Skaarup|m|1948-07-12|preben.skaarup@post.example|50224403|Bøgebakken 2|5000 Odense C|reversed|orders=2022-12-12
10790|Margrethe Balslev|k|1953-04-16|margrethe.balslev@example.net|51883301|Rosenhaven 22|2100 København Ø|nickname|
    nick=Grethe Balslev;orders=2025-04-04
10791|Christoffer Juelsgaard|m|1991-05-05|christoffer.j@example.com|51883302|Nørre Allé 80|9000 Aalborg|nickname|nick=Kris Juelsgaard
10792|Jørgen Ågesholm|m|1960-01-01|joergen.aagesholm@example.org|51883303|Åboulevarden 18, 1. tv.|8000 Aarhus C|ascii|orders=2025-08-19
10793|Åse Brøndbæk|k|1972-11-06|aase.broendbaek@example.com|51883304|Kærbyvej 141|6400 Sønderborg|ascii|
10794|Renée Lassén|k|1982-03-03|renee.lassen@example.net|53901101|Søndergade 70|7400 Herning|accent|orders=2026-01-31
10795|André Thorsager|m|1974-06-15|andre.thorsager@example.com|53901102|Østerbrogade 15, 4. mf.|2100 København Ø|accent address-forms|
10796|Birger Kvistgaard|m|1958-08-24|birger.kvistgaard@post.example|53901103|Gammel Landevej 133|4700 Næstved|address-forms|
    orders=2023-05-30
10797|Dorthe Ellemann|k|1971-10-10|dorthe.ellemann@example.org|53901104|Nørre Allé 6, 2. th.|2200 København N|address-forms|
10800||k|1998-02-19|gaest.7731@example.net|60772201|Smedegade 17|8600 Silkeborg|join-only|
    knownas=Sidsel Ravnsborg;orders=2025-12-20+2026-02-02
10801|Esben Friborg|m|1984-12-30|esben.friborg@example.com|60772202|Engdraget 90|6700 Esbjerg|login-only|
    user=fotoræven84;orders=2025-10-02
10802|Katja Sommerlund|k|1993-09-14|katja.sommerlund@example.org|60772203|Lærkevej 3|7100 Vejle|login-only cookie|user=ksommer
10804|Bo Lindegaard|m|1976-04-22|info@havnensfoto.example|61440901|Strandvejen 4|3000 Helsingør|shared-mailbox company|
    company=Havnens Foto ApS;orders=2025-05-20+2026-05-20
10806|Villads Egeskov|m|1979-06-28|villads@egeskovtoemrer.example|61440903|Gammel Landevej 8|5700 Svendborg|sole-proprietor|
    company=Tømrermester v/Villads Egeskov;orders=2024-06-06
10807|Nadia Rostrup|k|1987-08-08|kontakt@rostrupkeramik.example|61440904|Kirkegade 41|8900 Randers C|sole-proprietor|
    company=Rostrup Keramik v/Nadia Rostrup;orders=2026-06-10
10808|Gerda Mosegaard|k|1949-03-20|gerda.mosegaard@post.example|61440905|Birkevænget 10|4000 Roskilde|mentioned|orders=2025-02-02
10809|Sofie Hald|k|1990-07-19|sofie.hald@example.com|71550801|Tværgade 61|9000 Aalborg|named-like-product|orders=2025-09-09
10810|Peter Lundbye|m|1963-01-17|peter.lundbye@example.net|71550802|Møllebakken 50|7400 Herning|named-like-street|
10811|Regitze Bonde|k|1985-11-23|regitze.bonde@example.org|71550803|Ved Åen 29|5000 Odense C|overdue|
    closed=2024-09-01;orders=2024-08-15;news=out:2024-09-01
10812|Villy Frandsen|m|1946-05-11|villy.frandsen@post.example|71550804|Skovvej 203|6700 Esbjerg|overdue old-invoices|
    closed=2021-01-31;orders=2018-03-03+2020-11-20
10813|Maiken Toftegaard|k|1978-02-15|maiken.toftegaard@example.com|71550805|Rosenhaven 71|2800 Kongens Lyngby|overdue kept-invoices|
    closed=2025-02-28;orders=2021-01-04+2020-12-30
10814|Ebbe Kaspersen|m|1965-09-27|ebbe.kaspersen@example.net|81660701|Kærbyvej 55|8600 Silkeborg|recently-closed kept-invoices|
    closed=2025-09-30;orders=2023-01-10
10815|Lisbet Grønkjær|k|1957-12-01|lisbet.groenkjaer@post.example|81660702|Engdraget 7|9800 Hjørring|recently-closed|closed=2025-07-01
10816|Heidi Karlskov|k|1988-04-09|heidi.karlskov@example.com|81660703|Søndergade 15|7100 Vejle|consent-withdrawn|
    news=out:2025-10-10;orders=2025-03-03
10817|Morten Overby|m|1980-10-02|morten.overby@example.org|81660704|Lærkevej 29|4700 Næstved|consent-withdrawn|news=out:2026-01-05
10818|Tania Ibsgaard|k|1999-01-26|tania.ibsgaard@example.net|81660705|Åboulevarden 90, 2. tv.|8000 Aarhus C|consent-withdrawn second-mail|
    mail2=taniaib@brevkasse.example;news=out:2026-05-30
10819|Flemming Ottosen|m|1961-06-06|flemming.ottosen@example.com|91770601|Bøgebakken 60|2200 København N|soft-deleted overdue|
    gone=2024-10-01;closed=2024-10-01;orders=2023-10-01
10820|Jytte Vangsgaard|k|1954-08-18|jytte.vangsgaard@post.example|91770602|Nørre Allé 44|5000 Odense C|soft-deleted|
    gone=2026-02-20;closed=2026-02-20
10821|Palle Dybdal|m|1959-03-05|palle.dybdal@example.org|91770603|Østerbrogade 121|2100 København Ø|backup overdue|
    closed=2022-12-31;orders=2019-09-19
10822|Rikke Solbjerg|k|1983-07-29|rikke.solbjerg@example.com|91770604|Smedegade 2|6400 Sønderborg|backup shared-sheet|orders=2024-03-15
10823|Kaj Uhrskov|m|1950-11-11|kaj.uhrskov@example.net|91770605|Gammel Landevej 77|9000 Aalborg|hold old-invoices|
    closed=2023-04-01;orders=2018-04-01+2022-04-01
10824|Frida Marstrand|k|1994-05-17|frida.marstrand@example.com|91770606|Tværgade 12, 3. tv.|2200 København N|shared-sheet|
    orders=2026-02-27
10825||m|1986-09-09|gaest.8120@example.org|93201101|Rosenhaven 33|9800 Hjørring|join-only|knownas=Hjalmar Engholm;orders=2025-06-30
10826|Dagny Sylvest|k|1952-07-04|dagny.og.ove@post.example|93201102|Lærkevej 90|4700 Næstved|family shared-mail|orders=2025-01-31
10827|Ove Sylvest|m|1950-12-12|ove.sylvest@example.com|93201103|Lærkevej 90|4700 Næstved|family|
    orders=2024-11-11;shared=dagny.og.ove@post.example
10828|Karen Blichfeldt|k|1966-04-21|karen.blichfeldt@example.net|93201104|Kirkegade 88|8600 Silkeborg|named-like-product named-like-street|
    orders=2026-04-04
10829|Frode Asmussen|m|1977-05-30|frode.asmussen@example.org|93201105|Skovvej 9|6700 Esbjerg|changed-cpr|cpr2=m;orders=2025-08-30
"""
OTHERS = """\
50001|Emil Kjærsgaard|m|2014-09-03|-|-|Lærkevej 12|6700 Esbjerg|child mentioned|
50002|Silje Bøgh|k|2016-01-20|-|-|Tværgade 44|9800 Hjørring|child mentioned|
50003|Tine Overgaard|k|1982-12-08|-|61440911|Strandvejen 4|3000 Helsingør|shared-mailbox contact|
50004|Jakob Mølholt|m|1990-02-24|-|61440912|Strandvejen 4|3000 Helsingør|shared-mailbox contact|
50005|Birthe Rosenkvist|k|1956-10-21|-|20993355|-|-|mentioned only-mentioned|
50006|Oda Klarskov|k|1997-06-11|oda.klarskov@example.org|-|-|-|cookie-only|
50007|Jonas Hvidtfeldt|m|1992-03-08|jonas.hvidtfeldt@example.com|-|-|-|cookie-only consent-withdrawn|news=out:2026-03-01
50008|Asta Kirkegaard|k|1999-04-12|asta.kirkegaard@example.net|28778811|Nørre Allé 101|2200 København N|applicant|left=2025-08-15
50009|Viggo Damsbo|m|1995-12-03|viggo.damsbo@example.com|28778812|Rosenhaven 15|4000 Roskilde|applicant|left=2026-05-20
50010|Aksel Thygesen|m|1958-02-06|aksel.thygesen@post.example|28990101|Smedegade 77|9800 Hjørring|erp-only overdue|
    closed=2024-02-01;orders=2019-02-02
50011|Lene Bredahl|k|1974-10-16|lene.bredahl@example.net|28990102|Åløkkehaven 31|5000 Odense C|erp-only|orders=2023-04-23
50012|Mette Nielsen|k|1988-01-18|mette88@post.example|28990103|Rosenhaven 2|8000 Aarhus C|erp-only namesake|orders=2025-02-12
50013|Ingelise Birkelund|k|1955-03-30|-|28990104|-|-|relative|
50014|Poul Erik Dahlgaard|m|1947-06-16|-|28990105|Engdraget 60|8900 Randers C|mentioned only-mentioned|
50015|Kirsten Aagreen|k|1970-09-02|-|28990106|-|-|relative|
"""
STAFF = """\
12|Mads Birkelund|m|1985-05-08|mads@optifo.example|42117001|Engdraget 22|4000 Roskilde|handler employee|
13|Lars Jensen|m|1979-02-21|lars@optifo.example|42117002|Nørre Allé 9|2200 København N|namesake handler employee|
14|Julie Sandholt|k|1992-08-26|julie@optifo.example|42117003|Kærbyvej 30|2800 Kongens Lyngby|employee-customer employee|
    customer=10830;mail2=julie.sandholt@example.com;orders=2025-11-28
15|Henriette Blom|k|1971-06-30|henriette@optifo.example|42117004|Strandvejen 55|2100 København Ø|employee payroll|
16|Steffen Aagreen|m|1968-01-12|steffen@optifo.example|42117005|Skovvej 31|3000 Helsingør|former-employee payroll|left=2019-10-31
17|Connie Trolle|k|1963-09-23|connie@optifo.example|42117006|Smedegade 50|4700 Næstved|former-employee payroll|left=2024-03-31
18|Tobias Ringgaard|m|1994-02-14|tobias@optifo.example|42117007|Tværgade 5|2200 København N|employee-customer employee|
    customer=10831;mail2=tobias.ringgaard@example.org;orders=2024-05-05
"""


@dataclass(frozen=True, slots=True)
class Member:
    """One of the cast. `also` is what else is known: former name, second e-mail, dates; `kinds` say what is hard about her."""

    person: Person
    kinds: frozenset[str]
    also: Mapping[str, str]

    def days(self, key: str) -> list[date]:
        """The days under a key of `also`, `[]` when there are none."""
        return [date.fromisoformat(text) for text in self.also[key].split("+")] if key in self.also else []

    def day(self, key: str) -> date | None:
        return next(iter(self.days(key)), None)

    @property
    def withdrawn(self) -> date | None:
        """When she took back her consent to the newsletter."""
        kept, _, out = self.also.get("news", "").partition(":")
        return date.fromisoformat(out) if kept == "out" else None


def read(lines: str, rng: Random) -> list[Member]:
    """The members of such lines, with numbers made by rule: CPR, account, and a company's number."""
    members = []
    for line in lines.replace("\n    ", "").splitlines():
        number, name, sex, birthday, mail, phone, street, town, kinds, rest = line.split("|")
        also = dict(part.split("=", 1) for part in rest.split(";") if part)
        born = date.fromisoformat(birthday)
        postcode, _, city = town.partition(" ")
        company = also.get("company", "")
        first = cpr(rng, born, sex == "k")
        if "cpr2" in also:
            also["cpr2"] = cpr(rng, born, also["cpr2"] == "k")
        person = Person(
            number=int(number),
            name=name or also["knownas"],
            born=born,
            cpr=first,
            email=mail.strip("-"),
            phone=phone.strip("-"),
            street=street.strip("-"),
            postcode=postcode.strip("-"),
            town=city,
            account=f"{rng.randrange(9000, 9999)} {rng.randrange(10**9, 10**10)}",
            company=company,
            cvr=cvr(rng) if company else "",
        )
        members.append(Member(person, frozenset(kinds.split()), also))
    return members
