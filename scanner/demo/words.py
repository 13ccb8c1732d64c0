"""What customers of the made-up company write, and how it is filled in for one person.

Most messages are about orders. A few tell what nobody asked for: health, faith, politics, union,
a conviction, a divorce. The rest is there to mislead: words and numbers that only look like personal data.
"""

from __future__ import annotations

from random import Random

from scanner.demo.people import Person

ORDINARY = (
    "Hej Optifo\n\nJeg har ikke modtaget min ordre {order} endnu. Kan I ringe til mig på {phone}?\n\nVenlig hilsen\n{name}",
    "Hej,\n\nvi er flyttet. Ny adresse fra den 1.: {address}. Vil I rette det?\n\nMvh {name}\n{email}",
    (
        "Kære kundeservice\n\nJeg vil gerne fortryde købet på ordre {order}. Pengene kan sættes ind på reg. {reg} konto"
        " {konto}.\n\nHilsen {first}"
    ),
    "Hi, the background is still visible on picture 4 of order {order}. Please call +45 {spaced} after 4 pm.\n\nBest regards\n{name}",
    "Hej\n\nFakturaen skal udstedes til {company}, CVR {cvr}. Att. {name}, tlf. {spaced}.\n\nTak!",
    "Jeg kan ikke logge ind. Min e-mail er {email} og mit brugernavn er {user}. Vil I nulstille min adgangskode?",
    "Hej igen. Beløbet er trukket to gange på mit kort, der ender på {last4}. Se vedhæftede kontoudtog.\n/{first}",
    "Kan min kollega {other} hente billederne? Hun træffes på {other_phone}.\n\nMed venlig hilsen\n{name}\n{address}",
    "Afmeld venligst nyhedsbrevet til {email}. Jeg har bedt om det tre gange.\n\n{name}",
    "Tak for hurtig hjælp! Bedste hilsner, {first}",
)
MISTYPED = (
    "Kunden oplyste CPR {cpr} i telefonen, skal slettes",
    "cpr-nr. {bare} - legitimation vist",
    "Ringer tilbage, personnr {loose}",
)
TELLING = (
    (
        "Jeg svarer først nu, fordi jeg blev indlagt med en blodprop i hjernen og er sygemeldt indtil videre. Må jeg få"
        " frist på ordre {order}?\n\n{name}"
    ),
    (
        "Vores datter har fået konstateret epilepsi og diabetes type 1, så vi har ikke haft overskud til at"
        " betale.\n\nHilsen {name}, {phone}"
    ),
    "Billederne er til bryllup i moskeen; vi er praktiserende muslimer og vil ikke have billeder uden tørklæde offentliggjort.\n\n{name}",
    (
        "Min mand og jeg er lige blevet skilt, og han har stadig adgang til kontoen {email}. Han må ikke se mine"
        " billeder. Jeg er homoseksuel, og min familie ved det ikke.\n\n{first}"
    ),
    "Jeg er tillidsmand for 3F og medlem af Enhedslisten, og jeg vil ikke have mine billeder brugt i reklamer.\n\nMvh {name}",
    "Jeg blev i 2019 dømt for bedrageri og afsoner med fodlænke, så post skal sendes til {address}.\n\n{name}, CPR {cpr}",
)
MISLEADING = (
    "Et parti på 150 billeder mangler, første billede er til venstre i kø 2. Ordre {order}, sporing 00370712345678901{number}.",
    "Den økonomiske depression rammer også os: kan I give 10 % på P-nummer 1007{number} og EAN 5798000420526?",
    "Kørslen standsede kl. 1712{number}00 (Unix-tid) med fejl 0xDEADBEEF; se 3f2504e0-4f89-41d3-9a0c-0305e82c{number}.",
    "Bilen på billedet er en 1967 Mustang med 150 HK, varenr. 0101{number}12, kronisk forsinket levering.",
)


def fill(text: str, person: Person, rng: Random, other: Person | None = None) -> str:
    """The message as this person would have sent it."""
    other = other or person
    reg, account = person.account.split()
    digits = person.cpr.replace("-", "")
    return text.format(
        name=person.name,
        first=person.first,
        email=person.email,
        phone=person.phone,
        spaced=spaced(person.phone),
        address=person.address,
        company=person.company or f"{person.name} Foto",
        cvr=person.cvr or "13748136",
        order=f"O-2026{rng.randrange(10**5):05}",
        number=f"{rng.randrange(10**4):04}",
        last4=f"{rng.randrange(10**4):04}",
        reg=reg,
        konto=account,
        user=person.email.split("@")[0],
        other=other.name,
        other_phone=spaced(other.phone),
        cpr=person.cpr,
        bare=digits,
        loose=f"{digits[:2]} {digits[2:4]} {digits[4:6]} {digits[6:]}",
    )


def spaced(phone: str) -> str:
    """`12345678` as `12 34 56 78`."""
    return " ".join(phone[at : at + 2] for at in range(0, 8, 2))


def message(person: Person, rng: Random, other: Person | None = None) -> str:
    """One message: nine in ten about orders, the others telling or misleading."""
    dice = rng.random()
    kind = TELLING if dice < 0.05 else MISLEADING if dice < 0.1 else ORDINARY
    return fill(rng.choice(kind), person, rng, other)
