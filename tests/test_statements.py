"""Special categories: said of somebody, or of nobody."""

from __future__ import annotations

import pytest

from scanner.detect.engine import Detector
from scanner.detect.ner import SAID
from tests.test_detect import found


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("Hun er sygemeldt med stress og bruger Sertralin 50 mg.", "HEALTH"),
        ("Pt. er kendt med DM2 og KOL.", "HEALTH"),
        ("Mette er medlem af 3F.", "TRADE_UNION"),
        ("Han stemmer på Enhedslisten.", "POLITICAL_OPINION"),
        ("Fatima er muslim og faster under ramadanen.", "RELIGIOUS_BELIEF"),
        ("Han er dømt for vold.", "CRIMINAL_OFFENCE"),
        ("She was diagnosed with breast cancer in May.", "HEALTH"),
    ],
)
def test_what_is_said_of_somebody_is_found(detector: Detector, text: str, entity: str) -> None:
    assert entity in {one[3] for one in found(detector, [text])}


@pytest.mark.parametrize(
    "text",
    [
        "Hun har aldrig haft diabetes.",
        "Hvis en medarbejder bliver syg, skal det meldes til lederen.",
        "Depressionen på aktiemarkedet fortsætter.",
        "Drej til venstre ved kirken.",
        "Vi købte et parti varer hos grossisten.",
        "Bilen har 150 HK.",
        "Advokat Karen Lund har speciale i strafferet.",
    ],
)
def test_what_is_said_of_nobody_is_not(detector: Detector, text: str) -> None:
    assert not {one[3] for one in found(detector, [text])} & set(SAID)


def test_each_finding_says_why(detector: Detector) -> None:
    text = "Hun er sygemeldt med diabetes."
    for start, end, entity, rule in [one[1:5] for one in found(detector, [text])]:
        if entity in SAID:
            factors = detector.explain(text, "", start, end, rule)
            assert len(factors) > 1
            assert not any("diabetes" in what for what, _ in factors), "no text is stored in a reason"
