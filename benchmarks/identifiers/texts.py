"""The labelled texts of the yardstick, always the same."""

from __future__ import annotations

from functools import cache

from benchmarks.identifiers import cpr, lookalikes, others
from benchmarks.identifiers.people import People
from benchmarks.identifiers.template import Labelled

CHECKED = (
    "DK_CVR", "IBAN_CODE", "CREDIT_CARD", "SE_PERSONNUMMER", "NO_FODSELSNUMMER", "FI_PERSONAL_IDENTITY_CODE", "IS_KENNITALA", "DE_TAX_ID", "NL_BSN", "PL_PESEL",
    "FR_NIR", "ES_NIF", "IT_FISCAL_CODE", "BE_NATIONAL_NUMBER", "UK_NHS",
)  # fmt: skip
"""Identifiers with a check digit."""
UNCHECKED = (
    "EMAIL_ADDRESS", "PHONE_NUMBER", "IP_ADDRESS", "MAC_ADDRESS", "ADDRESS", "DATE_OF_BIRTH", "DK_PASSPORT", "DK_DRIVING_LICENCE", "DK_LICENCE_PLATE",
    "DK_BANK_ACCOUNT", "COOKIE_ID", "USER_AGENT", "GEO_COORDINATES", "USERNAME", "US_SSN",
)  # fmt: skip
"""Identifiers without one."""
JUDGED = frozenset(("DK_CPR", *CHECKED, *UNCHECKED))
"""What is scored; names, places, web addresses and the special categories are not labelled here."""


@cache
def texts(seed: int = 20) -> tuple[Labelled, ...]:
    """About a thousand texts."""
    return (
        *cpr.texts(People(seed)),
        *cpr.undecided(People(seed + 1)),
        *lookalikes.texts(People(seed + 2)),
        *others.texts(People(seed + 3)),
    )
