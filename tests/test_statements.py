"""Special categories: said of somebody, or of nobody."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.categories.__main__ import read
from scanner.detect import confirm
from scanner.detect.confirm import Found
from scanner.detect.engine import Detector, resolve
from scanner.detect.ner import SAID
from scanner.detect.sentence import Sentences, around
from scanner.detect.speech import Speech
from scanner.errors import RuleError
from scanner.model import TextBatch
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


def test_a_sentence_is_the_same_whoever_asked_first(detector: Detector) -> None:
    texts = [row["text"] for name in ("first", "second") for row in read(name)]
    judge, compared = detector._judge, 0
    assert judge is not None
    for at in range(0, len(texts), 6):
        array = pa.array([" ".join(texts[at : at + 6])])
        for row in detector._rows([TextBatch("", "", array, array)], [array]):
            text, known = row.folded.text, Sentences()
            for one in judge.candidates(text, row.words, row.said):
                kept, fresh = around(text, one.start, one.end, known, judge._speech), around(text, one.start, one.end, [], judge._speech)
                assert judge.signs(text, one, kept, (), False) == judge.signs(text, one, fresh, (), False), text[one.start : one.end]
                compared += 1
    assert compared > 1000


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12), st.integers(0, 2), st.sampled_from([0.5, 0.7, 0.9])), max_size=12)


@given(spans, spans)
def test_what_a_model_reads_yields_to_what_rules_find(
    ruled: list[tuple[int, int, int, float]], told: list[tuple[int, int, int, float]]
) -> None:
    rules = [SimpleNamespace(names=False, entity=entity) for entity in ("EMAIL_ADDRESS", "URL", "PERSON")]
    found, read = ([Found(at, at + long, rule, score) for at, long, rule, score in part] for part in (ruled, told))
    kept = confirm.resolve(found, rules)  # type: ignore[arg-type]
    free = [one for one in read if not any(one.start < other.end and other.start < one.end for other in kept)]
    assert resolve(found, read, rules) == confirm.resolve([*found, *free], rules)  # type: ignore[arg-type]


def test_a_word_of_an_unknown_kind_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "speech.txt").write_text("adverb: gerne\n", encoding="utf-8")
    with pytest.raises(RuleError, match="no word can be 'adverb'"):
        Speech(tmp_path)


def test_sentences_to_learn_from_are_well_formed() -> None:
    folder = Path(__file__).parents[1] / "training" / "sentences"
    seen: dict[str, set[str]] = {}
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                classes, language, text = line.split("|", 2)
                assert language in ("da", "en") and (classes == "-" or set(classes) <= set("HGBEPRTSC")), line
                assert text.count("«") == text.count("»") and (classes != "-" or "«" not in text), line
                seen.setdefault(text.replace("«", "").replace("»", ""), set()).add("".join(sorted(classes)))
    assert len(seen) > 10_000
    assert not {text: classes for text, classes in seen.items() if len(classes) > 1}, "taught as two things"
