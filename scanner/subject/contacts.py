"""Says whether two writings are one mailbox, or one telephone; and whether a mailbox is one person's."""

from __future__ import annotations

import re
import unicodedata

from scanner.detect import checks
from scanner.subject.likeness import EMPTY, UNKNOWN, Likeness, different, same, variant, weak

_AT = re.compile(r"\s?[(\[{<]\s?(?:at|snabel-?a|a)\s?[)\]}>]\s?", re.IGNORECASE)
_DOT = re.compile(r"\s?[(\[{<]\s?(?:dot|punktum|prik)\s?[)\]}>]\s?", re.IGNORECASE)
_FAMILIES = frozenset({"familie", "familien", "fam", "family"})
DOTLESS = frozenset({"gmail.com", "googlemail.com"})
"""Domains at which dots before the @ make no difference (Google, "Dots don't matter in Gmail addresses")."""


def mailbox(text: str) -> tuple[str, str, str] | None:
    """An address as (local part without its tag, tag, domain), in lower case; `None` when it is none."""
    text = unicodedata.normalize("NFKC", text).replace("\u00ad", "").strip().strip("<>;,\"'").casefold()
    text = re.sub(r"^mailto:", "", text).partition("?")[0]
    if "@" not in text:
        text = _DOT.sub(".", _AT.sub("@", text, count=1))
    if inside := re.search(r"<([^<>\s]{1,64}@[^<>\s]{1,190})>?$", text):
        text = inside[1]
    local, at, domain = text.rpartition("@")
    domain = domain.rstrip(".")
    if not at or not local or "." not in domain or re.search(r"\s", local + domain):
        return None
    if "xn--" in domain or not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    head, _, tag = local.partition("+")
    return (head, tag, domain) if head else (local, "", domain)


def canonical(local: str, domain: str) -> tuple[str, str]:
    """Local part and domain without what makes no difference at that provider."""
    return (local.replace(".", ""), "gmail.com") if domain in DOTLESS else (local, domain)


def compare_mailboxes(known: str, text: str) -> Likeness:
    """How like a text is to an e-mail address."""
    mine, theirs = mailbox(known), mailbox(text)
    if mine is None or theirs is None:
        return UNKNOWN if text.strip() else EMPTY
    if mine == theirs:
        return same("same e-mail address")
    if (mine[0], mine[2]) == (theirs[0], theirs[2]):
        return variant("same mailbox with another tag" if mine[1] and theirs[1] else "same mailbox with a plus-tag")
    if canonical(mine[0], mine[2]) == canonical(theirs[0], theirs[2]):
        return variant("same mailbox, dots make no difference there")
    if mine[0] == theirs[0] and checks.email(f"{mine[0]}@example.com"):
        return different("same name before the @ at another domain")
    return different("another e-mail address")


def compare_login(known: str, text: str) -> Likeness:
    """How like a user name is to an e-mail address: people log in with either."""
    if "@" in text:
        return compare_mailboxes(known, text)
    mine = mailbox(known)
    if mine is None or not text.strip():
        return UNKNOWN if text.strip() else EMPTY
    return weak("what stands before the @ only") if text.strip().casefold() == mine[0] else UNKNOWN


def is_shared_mailbox(email: str) -> bool:
    """Whether several people, or nobody, read a mailbox: info@, salg.nord@, noreply@, familien.x@ (`rules/words/shared_mailboxes.txt`)."""
    parts = mailbox(email)
    if parts is None:
        return False
    shared = checks.listed("shared_mailboxes.txt")
    first = re.split(r"[._\d-]", parts[0], maxsplit=1)[0]
    return parts[0] in shared or first in shared


def is_family_mailbox(email: str) -> bool:
    """Whether a mailbox is called after a family, which reads it together: familien.holm@."""
    parts = mailbox(email)
    return parts is not None and re.split(r"[._\d-]", parts[0], maxsplit=1)[0] in _FAMILIES


def email_fault(text: str) -> str:
    """Why a text cannot be an e-mail address; `""` when it can."""
    parts = mailbox(text)
    if parts is None:
        return "it needs a name, an @ and a domain with a dot"
    return "" if checks.email("@".join((parts[0], parts[2]))) else "no mail could be sent to it"


def telephone(text: str) -> tuple[str, str]:
    """A number as (country code or `""`, national digits); `("", "")` when it is none."""
    text = unicodedata.normalize("NFKC", text).strip().casefold()
    text = re.sub(r"\s?(?:x|ext\.?|lok(?:al)?\.?)\s?\d{1,6}$", "", text)
    text = re.sub(r"^(?:tel|callto|sms):", "", text)
    text = re.sub(r"\.0$", "", text) if re.fullmatch(r"\d+\.0", text) else text
    if re.search(r"[^\W\d_]", text):
        return "", ""
    digits = "".join(c for c in text if c.isascii() and c.isdigit())
    abroad = re.match(r"\W*\+", text) is not None
    if not abroad and digits.startswith("00"):
        abroad, digits = True, digits[2:]
    if abroad:
        return _abroad(re.sub(r"\(0\)", "", text) if "(0)" in text else text, digits)
    if len(digits) == 10 and digits.startswith("45"):
        return "45", digits[2:]
    if not 5 <= len(digits) <= 15:
        return "", ""
    return "", digits


def _abroad(text: str, digits: str) -> tuple[str, str]:
    """A number with its country code, whose length only the country's plan tells."""
    import phonenumbers

    if "(0)" not in text:
        digits = re.sub(r"\D", "", text).removeprefix("00")
    if digits.startswith("45") and len(digits) == 10:
        return "45", digits[2:]
    try:
        number = phonenumbers.parse("+" + digits, None)
    except phonenumbers.NumberParseException:
        return "", digits
    return str(number.country_code), phonenumbers.national_significant_number(number)


def compare_telephones(known: str, text: str) -> Likeness:
    """How like a text is to a telephone number: national digits, and country codes that do not contradict."""
    (code, mine), (other, theirs) = telephone(known), telephone(text)
    if not mine or not theirs:
        return UNKNOWN if text.strip() else EMPTY
    if not code and len(mine) == 8 and checks.phone_dk(mine):
        code = "45"
    if code and other and code != other:
        return different("same digits in another country" if mine == theirs else "another telephone number")
    if mine == theirs:
        home = code == other or {code, other} == {"", "45"}
        return same("same telephone number") if home else variant("same telephone number, country code not written")
    trunk = code != other and (
        mine.lstrip("0") == theirs.lstrip("0") or (code or other) + (mine if code else theirs) == (theirs if code else mine)
    )
    return variant("same telephone number, country code not written") if trunk else different("another telephone number")


def phone_fault(text: str) -> str:
    """Why a text cannot be a telephone number; `""` when it can."""
    code, digits = telephone(text)
    if not digits:
        return "it needs five to fifteen digits"
    if code == "45" and len(digits) != 8:
        return "a Danish number has eight digits"
    if code in ("", "45") and len(digits) == 8 and not checks.phone_dk(digits):
        return "its first digits are not in use in Denmark"
    return ""


def mailbox_forms(text: str) -> dict[tuple[str, str], str]:
    """The ways in which an address is recorded, as (entity, normal form), and how each differs; the address itself first."""
    parts = mailbox(text)
    if parts is None:
        return {("EMAIL_ADDRESS", " ".join(text.casefold().split())): "as given"}
    local, tag, domain = parts
    whole = f"{local}+{tag}" if tag else local
    forms = {("EMAIL_ADDRESS", f"{whole}@{domain}"): "as given", ("USERNAME", f"{whole}@{domain}"): "as a user name"}
    if "xn--" in domain:
        forms["EMAIL_ADDRESS", f"{whole}@{domain.encode('ascii').decode('idna')}"] = "domain in its own letters"
    for left, right in (("(", ")"), ("[", "]")):
        for word in ("at", "snabel-a", "snabela", "a"):
            for dot in (".", f"{left}dot{right}", f"{left}punktum{right}", f" {left}dot{right} ", f" {left}punktum{right} "):
                for space in ("", " "):
                    spelled = f"{whole}{space}{left}{word}{right}{space}{domain.replace('.', dot)}"
                    forms["EMAIL_ADDRESS", spelled] = "written out"
    if tag:
        forms["EMAIL_ADDRESS", f"{local}@{domain}"] = WITHOUT_TAG
    if domain in DOTLESS:
        for one in sorted(DOTLESS):
            for name in dict.fromkeys((local, local.replace(".", ""))):
                forms.setdefault(("EMAIL_ADDRESS", f"{name}@{one}"), OTHER_DOTS)
    return forms


WITHOUT_TAG = "without its plus-tag"
OTHER_DOTS = "dots make no difference there"


def phone_forms(text: str) -> dict[str, str]:
    """The digits under which a number is recorded, and how they differ."""
    code, digits = telephone(text)
    if code in ("", "45"):
        return {digits: "national digits"}
    return {code + digits: "with its country code", digits: "without its country code", "0" + digits: "without its country code"}


def phone_written(text: str) -> list[str]:
    """The ways in which databases hold a number."""
    code, digits = telephone(text)
    groups = [digits]
    if len(digits) == 8:
        pairs = [digits[at : at + 2] for at in range(0, 8, 2)]
        groups += [
            " ".join(pairs),
            f"{digits[:4]} {digits[4:]}",
            "-".join(pairs),
            ".".join(pairs),
            f"{digits[:4]}-{digits[4:]}",
            f"{pairs[0]} {digits[2:5]} {digits[5:]}",
        ]
        groups += [f"{pairs[0]}-{digits[2:]}", f"{pairs[0]} {digits[2:]}"]
    lands = [code] if code else ["45"] if len(digits) == 8 else []
    made = list(groups) if code in ("", "45") else []
    for land in lands:
        for group in groups:
            made += [
                f"+{land} {group}",
                f"+{land}{group}",
                f"00{land} {group}",
                f"00{land}{group}",
                f"(+{land}) {group}",
                f"(+{land}){group}",
                f"+{land}-{group}",
            ]
            made += [f"{land} {group}", f"{land}{group}"] if land == "45" else []
    return made
