"""The language of texts and of each sentence in them, and the rules that take part in it."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import corpus
from scanner.detect import engine, language, rules
from scanner.extract.text import Texts
from scanner.model import OVERLAP, TextBatch
from scanner.resources import folder

SAID = {
    "da": [
        "Vi har modtaget din henvendelse og vender tilbage hurtigst muligt.",
        "Kunden ringede i går og spurgte, hvornår pakken bliver leveret.",
        "jeg kan ik komme idag sry, er blevet syg",
        "MØDET ER AFLYST, FORDI HUN ER BLEVET SYG",
        "Boernene skal hentes inden klokken fire, skriver laereren.",
    ],
    "nb": [
        "Vi har mottatt henvendelsen din og kommer tilbake så raskt som mulig.",
        "Hva skal dere gjøre i helga? Jeg vet ikke om vi får tid.",
    ],
    "sv": ["Vi har tagit emot ditt ärende och återkommer så snart som möjligt.", "Jag vet inte om vi hinner träffas i helgen."],
    "en": ["We have received your request and will get back to you soon.", "u should of called me b4 you left"],
    "de": ["Wir haben Ihre Anfrage erhalten und melden uns so bald wie möglich.", "Sie ist seit gestern krank und kann nicht kommen."],
    "nl": ["Wij hebben uw bericht ontvangen en nemen zo snel mogelijk contact met u op."],
    "fr": ["Nous avons bien reçu votre demande et nous vous répondrons dans les plus brefs délais."],
    "es": ["Hemos recibido su solicitud y nos pondremos en contacto con usted lo antes posible."],
    "it": ["Abbiamo ricevuto la sua richiesta e le risponderemo al più presto con una mail."],
    "pl": ["Nie wiem, czy to jest możliwe, ale proszę o kontakt w tej sprawie."],
    "fi": ["Olemme saaneet viestinne, mutta emme ole vielä ehtineet vastata siihen."],
}


@pytest.mark.parametrize(("tongue", "text"), [(tongue, text) for tongue, texts in SAID.items() for text in texts])
def test_a_sentence_is_enough(tongue: str, text: str) -> None:
    assert language.languages([text], clear=0.7) == [tongue]


def test_languages_of_arrow_texts_with_gaps() -> None:
    texts = pa.array([SAID["en"][0], None, "", SAID["da"][0] * 100])
    assert language.languages(texts) == ["en", "", "", "da"]


@pytest.mark.parametrize(
    "text",
    ["", "cpr 070761-4285", "Mette Holm", "20 30 40 50", "mette.holm@firma.example", "\n\n", "12.05.2024;450,00;ja", "Привет, как дела?"],
)
def test_names_and_numbers_are_in_no_language(text: str) -> None:
    assert language.languages([text]) == [""]
    assert {"da", "en", "nb", "sv"} <= language.Tongues(text).possible(0, len(text))


def test_what_is_close_is_not_ruled_out() -> None:
    """Danish and Norwegian are told apart, but never so surely that a rule of the one is silent in the other."""
    for tongue in ("da", "nb"):
        for text in SAID[tongue]:
            assert {"da", "nb"} <= language.Tongues(text).possible(5, 9)
            assert "en" not in language.Tongues(text * 2).possible(5, 9)


MIXED = (
    "Kære Mette. Tak for din mail, vi ses på mandag til mødet.\n\nHi John, please find attached the contract that we discussed yesterday.\n"
    "It has to be signed before the end of the month.\n\nHilsen Karen og de andre fra kontoret i Odense.\n"
)


def test_a_mixed_text_is_taken_apart() -> None:
    spans = language.spans(MIXED)
    assert [(MIXED[low:high].split()[0], tongue) for low, high, tongue in spans] == [("Kære", "da"), ("Hi", "en"), ("Hilsen", "da")]
    assert spans[0][0] == 0
    assert spans[-1][1] == len(MIXED)
    assert language.spans("") == []


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from([*(t for own in SAID.values() for t in own), "\n", ". ", "a" * 300, "😀", "x\u0301", "|", "1 2 3"]), max_size=12
    )
)
def test_spans_leave_no_gap(parts: list[str]) -> None:
    text = " ".join(parts)
    spans = language.spans(text)
    assert "".join(text[low:high] for low, high, _ in spans) == text
    assert all(low < high for low, high, _ in spans)


def test_only_what_is_near_counts() -> None:
    """A place is in the same language however the text is cut, as long as the rows overlap."""
    assert language.RUN + language.REACH < OVERLAP // 2
    chance = random.Random(3)
    pieces = [*(t for own in SAID.values() for t in own), *corpus.SENTENCES, "\n\n", "navn: ", "x" * 200]
    text = " ".join(chance.choice(pieces) for _ in range(400))
    whole = language.Tongues(text)
    for _ in range(400):
        start = chance.randrange(len(text) - 30)
        end = start + chance.randrange(1, 30)
        low = max(0, start - language.RUN - language.REACH - chance.randrange(200))
        cut = language.Tongues(text[low : end + language.RUN + language.REACH + chance.randrange(200)])
        assert cut.possible(start - low, end - low) == whole.possible(start, end)
        assert cut.at(start - low, end - low) == whole.at(start, end)
        for tongue in ("da", "en"):
            assert cut.speaks((tongue,), start - low, end - low) == whole.speaks((tongue,), start, end)
            assert whole.speaks((tongue,), start, end) >= (tongue in whole.possible(start, end)), "the quick way never silences more"


def test_the_table_forgets_words_before_it_grows_large() -> None:
    known = language.Table(folder("rules") / "models" / "language")
    before = known.weigh(SAID["da"][0])
    for low in range(0, 60_000, 1_000):
        known.weigh(" ".join("q" + "".join(chr(97 + int(digit)) for digit in str(i)) for i in range(low, low + 1_000)))
    assert len(known) < 35_000
    assert known.weigh(SAID["da"][0]) == pytest.approx(before)


OWN = """
rules:
- {id: own.da, finds: URL, trigger: 'gift', pattern: '(?<!\\w)gift(?!\\w)', languages: [da], examples: ['Hun er gift.'], counterexamples: ['x']}
- {id: own.en, finds: URL, trigger: 'party', pattern: '(?<!\\w)party(?!\\w)', languages: [en], examples: ['a party'], counterexamples: ['x']}
- {id: own.ja, finds: URL, trigger: 'zzz', pattern: 'zzz', languages: [ja], examples: ['zzz'], counterexamples: ['x']}
- {id: own.any, finds: URL, trigger: 'abc', pattern: 'abc', examples: ['abc'], counterexamples: ['xyz']}
"""
ENGLISH = "She brought a gift to the party that her friends had planned for months."
DANISH = "Hun er gift med en kollega, som holder party hver gang der er noget at fejre."


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> rules.Ruleset:
    place = tmp_path_factory.mktemp("own")
    (place / "own.yaml").write_text(OWN, encoding="utf-8")
    loaded = rules.load((folder("rules"), place))
    return replace(loaded, rules=tuple(rule for rule in loaded.rules if rule.file == "own.yaml"))


def found(detector: engine.Detector, text: str) -> list[tuple[str, int]]:
    texts = Texts("o")
    texts.add("0", "", text)
    rows = [row for batch in texts.rest() for row in detector.detect([batch]).findings.to_pylist()]
    return sorted((row["rule"].removeprefix("own."), row["start"]) for row in rows if row["rule"].startswith("own."))


def said(detector: engine.Detector, text: str) -> list[str]:
    return [rule for rule, _ in found(detector, text)]


def test_a_rule_takes_part_where_its_language_is_spoken(own: rules.Ruleset) -> None:
    detector = engine.Detector(own)
    assert said(detector, ENGLISH) == ["en"]
    assert said(detector, DANISH) == ["da"]
    assert said(detector, f"{DANISH}\n\n{ENGLISH} abc zzz\n\n{DANISH}") == ["any", "da", "da", "en", "ja"]
    assert said(detector, "gift party") == ["da", "en"], "too short to tell: all take part"
    assert said(detector, "Hun har vært gift med en kollega i mange år, men det gikk ikke.") == ["da"], "Norwegian is too close"
    told = engine.Detector(own, spoken=False)
    assert said(told, ENGLISH) == ["da", "en"], "who says what language it is need not be corrected"


def test_a_rule_of_a_language_keeps_the_law(own: rules.Ruleset) -> None:
    """Cutting and shuffling change nothing for rules that are bound to a language."""
    detector = engine.Detector(own)
    chance = random.Random(11)
    parts = [ENGLISH, DANISH, *SAID["da"], *SAID["en"], *SAID["sv"], "gift", "party", "\n\n", "abc"]
    text = ""
    while len(text) < 110_000:
        text += chance.choice(parts) + chance.choice([" ", ". ", "\n"])
    batch = TextBatch("o", "", pa.array([text]), pa.array(["0"]))
    whole = sorted(
        (row["rule"].removeprefix("own."), row["start"])
        for row in detector.detect([batch]).findings.to_pylist()
        if row["rule"].startswith("own.")
    )
    assert {rule for rule, _ in whole} == {"da", "en", "any"}
    assert found(detector, text) == whole
    texts = [ENGLISH, DANISH, "gift", "party abc"]
    together = detector.detect([TextBatch("o", "", pa.array(texts), pa.array(["0", "1", "2", "3"]))]).findings.to_pylist()
    assert sorted(row["rule"] for row in together if row["rule"].startswith("own.")) == sorted(
        f"own.{rule}" for text in texts for rule in said(detector, text)
    )


def test_words_know_the_language_of_their_list(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.da.txt").write_text("sygdom\n~diabetes\n", encoding="utf-8")
    (tmp_path / "words" / "a.en.txt").write_text("illness\ndiabetes\n", encoding="utf-8")
    (tmp_path / "words" / "b.txt").write_text("insulin\nillness\n", encoding="utf-8")
    rule = "rules:\n- {id: own.words, finds: HEALTH, words: [%s], examples: ['hun: diabetes'], counterexamples: ['x']}\n"
    (tmp_path / "own.yaml").write_text(rule % "a.da.txt, a.en.txt", encoding="utf-8")

    def spoken() -> dict[str, set[str]]:
        loaded = next(one for one in rules.load((folder("rules"), tmp_path)).rules if one.id == "own.words")
        return {word.text: {w.language for w in loaded.words if w.text == word.text} for word in loaded.words}

    assert spoken() == {"sygdom": {"da"}, "diabetes": {""}, "illness": {"en"}}
    (tmp_path / "own.yaml").write_text(rule % "a.da.txt, a.en.txt, b.txt", encoding="utf-8")
    assert spoken() == {"sygdom": {"da"}, "diabetes": {""}, "illness": {""}, "insulin": {""}}
