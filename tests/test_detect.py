"""Detection: the law between the passes, offsets, what a rules file may be, and the line that every peer fails."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import corpus
from scanner import digest
from scanner.detect import confirm, engine, fold, promises, rules
from scanner.errors import RuleError
from scanner.extract.text import Texts
from scanner.model import OVERLAP, Shape, TextBatch
from scanner.resources import folder

PIECES = [
    "010203-1234", "0102031234", "070761-4285", "670761-4285", "01 02 03 1234", "mette.holm@post.example", "+45 20 30 40 50", "20 30 40 50", "20304050",
    "DK50 0040 0440 1162 43", "4111 1111 1111 1111", "5019 5555 4444 5555", "192.168.10.20", "2001:db8::8a2e:370:7334", "00:1b:44:11:3a:b7",
    "Nørregade 12, 2. tv, 1165 København K", "Bøgevej 7", "CVR 13748136", "reg. 1234 konto 0001234567", "Mette Holm", "Åge Bøgh Sørensen", "Kære Fatima Hassan",
    "født 3. maj 1971", "cpr", "CPR-nr.:", "tlf.", "konto", "er medlem af HK", "diabetes", "sygemeldt med depression", "straffeattest", "hun er muslim", "homoseksuel",
    "https://example.org/~mette", "_ga=GA1.2.1234567890.1700000000", "55.6761, 12.5683", "Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0", "faktura", "ordrenr. 1234567890",
    "jeg", "hans", "patienten", "\n", "\n\n", ". ", ", ", " ", "-", "/", "\u00a0", "\u00ad", "\u200b", "–", "😀", "æøå", "A\u030a", "e\u0301", "１２", "1701234567", "x" * 40,
]  # fmt: skip
WORDS = st.sampled_from(PIECES)
TEXT = st.lists(st.one_of(WORDS, WORDS, st.text(max_size=6)), max_size=14).map(lambda parts: " ".join(parts))
MANY = settings(
    max_examples=150 if os.environ.get("THOROUGH") else 25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def found(detector: engine.Detector, texts: list[str], shape: Shape = Shape.PROSE, field: str = "") -> list[tuple[object, ...]]:
    batch = TextBatch("o", field, pa.array(texts, pa.string()), pa.array([str(i) for i in range(len(texts))]), shape)
    rows = detector.detect([batch], judge_columns=False).findings.to_pylist()
    return sorted((int(r["record"]), r["start"], r["end"], r["entity"], r["rule"], round(r["score"], 4), r["digest"]) for r in rows)


def everywhere(detector: engine.Detector, text: str) -> list[tuple[object, ...]]:
    """What detection would find in a row without its first pass: every rule looks at all of it."""
    folded = fold.fold(text)
    people = {i for i, r in enumerate(detector.rules) if r.entity in detector.ruleset.identifying()}
    speaks = detector.speaks("")
    spans = []
    for index, rule in enumerate(detector.rules):
        if rule.pattern and not rule.only_fields:
            spans += detector.matchers[index].find(folded.text, None, speaks[index], detector.least)
        elif rule.names:
            spans += detector.prose.names(index, folded.text, speaks[index], detector.least)
    spans = engine.resolve(spans, detector.prose.read([folded.text])[0].found, detector.rules)
    words, judge = detector._confirm_words, detector._judge
    assert judge is not None
    hits = []
    for number in range(len(words._owners)):
        hits += [(number, match.end()) for match in words._regex(number).finditer(folded.text)]
    said = dict.fromkeys(range(len(judge._sayings)))
    spots = [(f.start, f.end) for f in spans if f.rule in people]
    judged = judge.confirm(folded.text, hits, said, spots, False, speaks, detector.least)
    spans = confirm.resolve([*spans, *judged], detector.rules)
    return sorted((folded.start(f.start), folded.end(f.end), detector.rules[f.rule].entity) for f in spans)


@MANY
@given(TEXT)
def test_confirm_is_within_triage(detector: engine.Detector, text: str) -> None:
    recognisers = {rule.id for rule in detector.rules if rule.recognizer}
    two_passes = [(f[1], f[2], f[3]) for f in found(detector, [text]) if f[4] not in recognisers]
    assert two_passes == everywhere(detector, text)


@MANY
@given(st.lists(TEXT, min_size=1, max_size=6), st.randoms())
def test_shuffling_and_rebatching_rows_changes_nothing(detector: engine.Detector, texts: list[str], chance: random.Random) -> None:
    whole = found(detector, texts)
    alone = sorted((i, *f[1:]) for i, text in enumerate(texts) for f in found(detector, [text]))
    assert whole == alone
    order = list(range(len(texts)))
    chance.shuffle(order)
    shuffled = found(detector, [texts[i] for i in order])
    assert sorted((order[f[0]], *f[1:]) for f in shuffled) == whole


@MANY
@given(TEXT)
def test_offsets_are_code_points_of_the_original(detector: engine.Detector, text: str) -> None:
    for _, start, end, entity, _, _, kept in found(detector, [text]):
        value = text[start:end]
        assert value and not value[0].isspace()
        assert digest.digest(detector.key, entity, fold.fold(value).text) == kept


@pytest.mark.parametrize("separator", ["-", "–", "\u2011", "\u2212", "-\u00ad", "\u00ad-"])
@pytest.mark.parametrize("before", ["", "æøå ", "A\u030a ", "😀😀 ", "\u00ad\u00ad", "x\u0301\u0323 "])
def test_offsets_slice_back_to_the_value(detector: engine.Detector, separator: str, before: str) -> None:
    value = f"070761{separator}4285"
    text = f"{before}cpr {value}, blå"
    spans = [text[f[1] : f[2]] for f in found(detector, [text]) if f[3] == "DK_CPR"]
    assert spans == [value]


def test_long_texts_are_cut_without_a_trace(detector: engine.Detector) -> None:
    chance = random.Random(7)
    text = ""
    while len(text) < 150_000:
        text += chance.choice([*corpus.SENTENCES, *PIECES[:30], "\n\n"]) + " "
    whole = [f[1:] for f in found(detector, [text])]
    texts = Texts("o")
    texts.add("0", "", text)
    batches = list(texts.rest())
    assert len(batches[0].texts) > 3
    cut = [f for batch in batches for f in detector.detect([batch]).findings.to_pylist()]
    assert sorted((f["start"], f["end"], f["entity"], f["rule"], round(f["score"], 4), f["digest"]) for f in cut) == whole


def test_no_rule_looks_further_than_rows_overlap(detector: engine.Detector) -> None:
    for rule in detector.rules:
        assert max(rule.width or 0, rule.window, confirm.NEAR) + rule.window <= OVERLAP // 2, rule.id


def test_rules_keep_their_promises(detector: engine.Detector) -> None:
    assert [f"{rule.id}: {line}" for rule in detector.rules for line in promises.broken(detector, rule)] == []


def test_columns_are_judged_as_columns(detector: engine.Detector) -> None:
    rows = list(corpus.customers(3000))
    records = pa.array([f"id={i}" for i in range(len(rows))])
    batches = [
        TextBatch("customers", name, pa.array([str(row[i]) for row in rows]), records, Shape.CELL) for i, name in enumerate(corpus.COLUMNS)
    ]
    detection = detector.detect(batches)
    facts = {fact.field: (detector.rules[fact.rule].entity, int(fact.rows.sum())) for fact in detection.facts}
    assert facts["email"] == ("EMAIL_ADDRESS", 3000)
    assert facts["cpr"] == ("DK_CPR", 3000)
    assert facts["name"][0] == "PERSON"
    assert facts["phone"][0] == "PHONE_NUMBER"
    assert not {"customer_no", "created", "amount", "status", "note"} & facts.keys()
    single = [(f["field"], f["entity"]) for f in detection.findings.to_pylist()]
    assert single.count(("note", "DK_CPR")) == 3
    assert single.count(("note", "PHONE_NUMBER")) == 3
    assert facts["name"][1] + single.count(("name", "PERSON")) == 3000


def test_what_a_column_counts_does_not_depend_on_its_batches(detector: engine.Detector) -> None:
    rows = list(corpus.customers(1000))

    def counts(step: int) -> dict[tuple[str, str], int]:
        sums: dict[tuple[str, str], int] = {}
        for low in range(0, len(rows), step):
            part = rows[low : low + step]
            records = pa.array([str(row[0]) for row in part])
            batches = [
                TextBatch("t", name, pa.array([str(row[i]) for row in part]), records, Shape.CELL) for i, name in enumerate(corpus.COLUMNS)
            ]
            detection = detector.detect(batches)
            for fact in detection.facts:
                key = (fact.field, detector.rules[fact.rule].entity)
                sums[key] = sums.get(key, 0) + int(fact.rows.sum())
            for one in detection.findings.to_pylist():
                sums[one["field"], one["entity"]] = sums.get((one["field"], one["entity"]), 0) + 1
        return sums

    assert counts(1000) == counts(333) == counts(20)


def _no_rules(tmp_path: Path) -> Path:
    """The words that rules are made of, and none of our own, which take seconds to compile."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(folder("rules") / "taxonomy.yaml", home)
    return home


def _rules_folder(tmp_path: Path, text: str, name: str = "mine.yaml") -> Path:
    (tmp_path / "words").mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


GOOD = "rules:\n- {id: x.y, finds: URL, trigger: 'abc', pattern: 'abc', examples: ['abc'], counterexamples: ['xyz']}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules: [", "mine.yaml: line"),
        ("just a text", "expected a list of rules"),
        ("rules:\n- {finds: URL}", "rule 1: has no id"),
        (GOOD.replace("URL", "NONSENSE"), "finds 'NONSENSE'"),
        (GOOD.replace("pattern: 'abc'", "pattern: 'a(bc'"), "does not compile"),
        (GOOD.replace("trigger: 'abc'", "trigger: 'a(?=b)c'"), "its trigger does not compile"),
        (GOOD.replace("pattern:", "patern:"), "unknown key 'patern'"),
        (GOOD.replace("pattern: 'abc'", "pattern: 'abc', check: nonsense"), "no check called 'nonsense'"),
        (GOOD.replace("examples: ['abc']", "examples: ['abd']"), "misses its own example 'abd'"),
        (GOOD.replace("counterexamples: ['xyz']", "counterexamples: ['xabc']"), "counterexample 'xabc'"),
        (GOOD.replace("examples: ['abc'], ", ""), "needs examples and counterexamples"),
        ("recognizers:\n- {name: R, patterns: [{name: p, regex: '(', score: 0.5}], supported_entity: ZIP}", "pattern 1 does not compile"),
    ],
)
def test_a_mistake_in_a_rules_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(RuleError, match="mine.yaml") as caught:
        promises.hold(engine.Detector(rules.load((_no_rules(tmp_path), _rules_folder(tmp_path, text))), prose_level="off"))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_presidio_recogniser_files_are_rules(tmp_path: Path) -> None:
    own = _rules_folder(
        tmp_path,
        "recognizers:\n"
        "- name: Case Recognizer\n  supported_entity: CASE_NUMBER\n  supported_languages: [{language: da, context: [sag]}, {language: en}]\n"
        "  patterns: [{name: case (weak), regex: '\\bS-\\d{4}-\\d{3}\\b', score: 0.3}]\n"
        "- name: Titles\n  supported_entity: TITLE\n  supported_language: en\n  deny_list: [Mr., Mrs.]\n",
    )
    detector = engine.Detector(rules.load((_no_rules(tmp_path), own)), prose_level="off")
    assert [f[3] for f in found(detector, ["sag S-2024-117 om noget"])] == ["CASE_NUMBER"]
    assert found(detector, ["varenummer S-2024-117"]) == []
    assert [f[3] for f in found(detector, ["Dear Mrs. X"])] == ["TITLE"]


def test_rules_serve_presidio_and_presidio_serves_rules() -> None:
    """With the real analyzer: our rules in its engine, and its recogniser in ours."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    from scanner.presidio import recognizers

    class NoModel(NlpEngine):  # type: ignore[misc]
        """An NLP engine that only makes tokens: rules need no more."""

        def __init__(self) -> None:
            import spacy

            self.nlp = spacy.blank("da")

        def load(self) -> None: ...
        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            doc = self.nlp(text)
            return NlpArtifacts([], doc, [t.idx for t in doc], [t.text for t in doc], self, language)

        def process_batch(self, texts, language, **_):  # type: ignore[no-untyped-def]
            return [(text, self.process_text(text, language)) for text in texts]

        def is_stopword(self, word: str, language: str) -> bool:
            return False

        def is_punct(self, word: str, language: str) -> bool:
            return False

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["da"]

    registry = RecognizerRegistry(recognizers=recognizers(language="da"), supported_languages=["da"])
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=NoModel(), supported_languages=["da"])
    text = "Skriv til mette.holm@post.example om cpr 070761-4285 😀"
    results = analyzer.analyze(text, language="da")
    assert {(r.entity_type, text[r.start : r.end]) for r in results} == {
        ("EMAIL_ADDRESS", "mette.holm@post.example"),
        ("DK_CPR", "070761-4285"),
    }
    assert analyzer.analyze(text, language="da", entities=["DK_CPR"])[0].entity_type == "DK_CPR"


PROBES = [
    "Kunden Mette Holm, cpr 010203-1234, bor Nørregade 12, 2. tv., 1165 København K, tlf. 20 30 40 50, reg. 1234 konto 0001234567, "
    "er medlem af 3F, har fået konstateret brystkræft og oplyser IBAN DK50 0040 0440 1162 43 og mette.holm@example.dk.",
    "Jens Bæk (CPR-nr. 2512484916), Skovvej 4, 8000 Aarhus C, mobil +45 31 22 33 44; kontonr. 5301-0000123456; betaler kontingent "
    "til fagforeningen HK; sygemeldt med svær depression; DK5000400440116243; jens.baek@brevkasse.example",
    "Medarbejder Aisha Rahman, personnummer 070749 0071, adresse: Rosenhaven 27, 5000 Odense C, telefon 86123456, løn til Reg.nr. 9876 "
    "Kontonr. 0123456789, tillidsrepræsentant, lider af type 1-diabetes, IBAN GB82 WEST 1234 5698 7654 32, mail: aisha@example.org",
]


@pytest.mark.parametrize("line", PROBES)
def test_the_line_that_peers_fail(detector: engine.Detector, line: str) -> None:
    """One Danish line with eight kinds of personal data: all eight, the name, and nothing else."""
    eight = {"DK_CPR", "ADDRESS", "PHONE_NUMBER", "DK_BANK_ACCOUNT", "TRADE_UNION", "HEALTH", "IBAN_CODE", "EMAIL_ADDRESS"}
    assert {f[3] for f in found(detector, [line])} == eight | {"PERSON"}


def test_none_of_the_look_alikes_is_a_special_category(detector: engine.Detector) -> None:
    """Words of the lists in their other sense, said beside a person's name."""
    special = {
        "HEALTH",
        "GENETIC",
        "BIOMETRIC",
        "ETHNIC_ORIGIN",
        "POLITICAL_OPINION",
        "RELIGIOUS_BELIEF",
        "TRADE_UNION",
        "SEXUAL_ORIENTATION",
    }
    for line in (
        "Mette Holm skrev: den økonomiske depression i 1930'erne ramte landbruget.",
        "Motoren i Mette Holms bil yder 150 HK ved 4.000 omdrejninger.",
        "Jeg sagde til Mette Holm, at partiet på 500 stk. er afsendt.",
        "Han kørte Mette Holm hjem og drejede til venstre ad Strandvejen.",
        "Hun bor i Kirkegade 12, 6700 Esbjerg, og hedder Christian Holm.",
        "Ifølge Mette Holm er alternativet at udskyde leverancen.",
        "Hans bil er en sort/hvid model fra 2019.",
        "Jeg tror, at hun har ret, og at du skal trykke på JA.",
    ):
        assert not special & {str(f[3]) for f in found(detector, [line])}, line


@pytest.mark.parametrize(
    ("text", "entity", "parts"),
    [
        ("cpr 070761-4285", "DK_CPR", ["check cpr passed", "cpr_modulus_11"]),
        ("Hun er sygemeldt med diabetes.", "HEALTH", ["a strong word", "said of him or her"]),
        ("Skriv til a@example.com", "EMAIL_ADDRESS", ["check email passed", "test data"]),
        ("Jeg talte med Mette Holm.", "PERSON", ["a name"]),
    ],
)
def test_every_score_can_be_taken_apart(detector: engine.Detector, text: str, entity: str, parts: list[str]) -> None:
    for start, end, _, rule, score in [f[1:6] for f in found(detector, [text]) if f[3] == entity]:
        factors = detector.explain(text, "", start, end, rule)
        assert min(1.0, max(0.01, sum(value for _, value in factors))) == pytest.approx(score, abs=1e-4)
        for part in parts:
            assert any(part in what for what, _ in factors), factors


def test_a_column_is_what_its_values_are_together(detector: engine.Detector) -> None:
    """A telling name does not make order numbers CPR numbers, and an opaque one does not hide them."""
    chance = random.Random(5)
    invent = corpus.Invent(9)
    columns = {
        "k7": [invent.cpr(hyphen=False) for _ in range(300)],
        "cpr": [f"{chance.randint(1, 28):02}{chance.randint(1, 12):02}{chance.randint(20, 25)}-{i % 100:04}" for i in range(300)],
        "cprnr": [str(1_010_000_000 + chance.randint(0, 19_999_999)) for _ in range(300)],
        "number": [str(1_700_000_000 + chance.randint(0, 12_000_000)) for _ in range(300)],
        "lost": [str(int(invent.cpr(hyphen=False))) for _ in range(300)],
    }
    for name, values in columns.items():
        batch = TextBatch("t", name, pa.array(values), pa.array([str(i) for i in range(len(values))]), Shape.CELL)
        detection = detector.detect([batch])
        is_cpr = [detector.rules[fact.rule].entity for fact in detection.facts] == ["DK_CPR"]
        assert is_cpr == (name in ("k7", "lost")), name
        if name == "cpr" or name == "cprnr" or name == "number":
            assert "DK_CPR" not in detection.findings.column("entity").to_pylist()
    for fact in detection.facts:
        assert int(fact.rows.sum()) == 300, "nine digits are CPR numbers that lost their zero"


def test_test_data_is_found_and_marked(detector: engine.Detector) -> None:
    texts = ["cpr 2512489996", "cpr 070761-4285", "kort 4111 1111 1111 1111", "a@example.org", "a@firma.dk"]
    batch = TextBatch("o", "", pa.array(texts), pa.array([str(i) for i in range(len(texts))]))
    marked = {int(f["record"]): f["test"] for f in detector.detect([batch]).findings.to_pylist()}
    assert marked == {0: True, 1: False, 2: True, 3: True, 4: False}


def test_plain_cells_are_plain_however_they_are_told() -> None:
    """The quick ways to tell numbers and dates say what the expression says, slices and empty cells included."""
    from scanner.detect import columns

    chance = random.Random(3)
    kinds = {
        "number": lambda: str(chance.randint(0, 10**7)),
        "date": lambda: f"20{chance.randint(10, 99)}-{chance.randint(10, 12)}-{chance.randint(10, 28)}",
        "time": lambda: f"2024-05-{chance.randint(10, 28)}{chance.choice(' T')}12:{chance.randint(10, 59)}:00",
        "amount": lambda: f"{chance.randint(0, 999)}.{chance.randint(0, 99):02}",
    }
    told = 0
    for make in kinds.values():
        for stray in ("", "070761-4285", "20304050", "blå 12", "2024-05-1x", "2024-05-11X12:30:00"):
            cells = [make() if chance.random() < 0.9 else chance.choice(["", stray]) for _ in range(400)]
            texts = pa.array(["x", *cells, "y"]).slice(1, 400)
            mask = columns.plain(texts)
            if mask is None:
                continue
            told += 1
            assert [bool(one) for one in mask] == [columns._whole(columns._PLAIN, True).fullmatch(cell) is not None for cell in cells]
    assert told > 15
