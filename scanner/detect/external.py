"""Models of others that find names: whatever Presidio's own NLP-engine configuration can describe, and GLiNER.

The file is Presidio's (`nlp_engine_name`, `models`, `ner_model_configuration`), so that an installed spaCy pipeline, DaCy,
stanza, a transformer in a folder or GLiNER serves here as it does there. Nothing is ever fetched: what Presidio would
download by name is looked for first, and when it is not there, one line says what to install.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeAlias

from scanner.errors import ConfigError

Span: TypeAlias = tuple[int, int, str, float]
"""(start, end, entity, score): code points of the text, end exclusive."""

ENTITIES = ("PERSON", "LOCATION", "ORGANIZATION", "NRP")
"""What a model may name, as Presidio calls it."""

RULES = {entity: f"prose.{entity.lower()}" for entity in ENTITIES}
"""The ids under which its findings stand: `prose.person`, `prose.location`, `prose.organization`, `prose.nrp`."""

BATCH = 64
"""Texts that go through a pipeline together."""

_KEYS = frozenset({"nlp_engine_name", "models", "ner_model_configuration"})
_MODEL_KEYS = frozenset({"lang_code", "model_name"})
_NER_KEYS = frozenset(
    {
        "labels_to_ignore", "aggregation_strategy", "stride", "alignment_mode", "default_score",
        "model_to_presidio_entity_mapping", "low_score_entity_names", "low_confidence_score_multiplier",
    }
)  # fmt: skip
_GLINER_KEYS: dict[str, type | tuple[type, ...]] = {
    "threshold": (int, float), "flat_ner": bool, "multi_label": bool, "map_location": str,
    "chunk_size": int, "chunk_overlap": int, "load_onnx_model": bool, "onnx_model_file": str,
}  # fmt: skip
_NEEDS = {"spacy": "", "stanza": "stanza", "transformers": "transformers", "gliner": "gliner"}
"""The engines, and the package that each needs beyond Presidio."""
_GLINER_LABELS = {"person": "PERSON", "location": "LOCATION", "organization": "ORGANIZATION", "nationality or religious group": "NRP"}
_LINK = re.compile(r"\S*://\S*")
_STRAY = "-"  # what a label stands for that no mapping names


class NameModel(Protocol):
    """Finds names in texts. `languages` has one for each text, "" where it is not known."""

    name: str

    def spans(self, texts: Sequence[str], languages: Sequence[str]) -> list[list[Span]]:
        """For each text its spans, by their starts. The same text has the same spans in any company."""


@dataclass(frozen=True, slots=True)
class Described:
    """An engine's file, read and held to what may stand in it."""

    path: Path
    engine: str
    models: tuple[tuple[str, Any], ...]
    configuration: Mapping[str, Any]
    settings: Mapping[str, Any]


def load(path: Path) -> NameModel:
    """The model that a file of Presidio's format describes, ready to read.

    Raises `ConfigError` in one line: the file and what is wrong in it, or what has to be installed.
    """
    _offline()
    described = read(path)
    return _Gliner(described) if described.engine == "gliner" else _Engine(described)


def fingerprint(path: Path) -> str:
    """A digest of the file and the versions of what it names: where it changes, everything has to be read again.

    Loads no model and imports nothing heavy. Raises `ConfigError` as `load` does for what is not there.
    """
    described = read(path)
    state = hashlib.blake2b(path.read_bytes(), digest_size=16)
    for package in ("presidio-analyzer", "spacy", _NEEDS[described.engine]):
        state.update(repr((package, _version(package))).encode())
    for _, name in described.models:
        for one in name.values() if isinstance(name, dict) else (name,):
            state.update(repr((one, _version(one))).encode())
            for file in ("meta.json", "config.json", "gliner_config.json"):
                if (_place(path, one) / file).is_file():
                    state.update((_place(path, one) / file).read_bytes())
    return state.hexdigest()


def read(path: Path) -> Described:
    """Read an engine's file and see that what it names is here. Raises `ConfigError`, which names the file and the mistake."""
    import yaml

    try:
        document = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ConfigError(f"{path}: line {line}: not readable as YAML: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigError(f"{path}: not readable as YAML") from None
    if not isinstance(document, dict) or not isinstance(document.get("nlp_engine_name"), str):
        raise ConfigError(f"{path}: expected Presidio's NLP-engine configuration: nlp_engine_name, models, ner_model_configuration")
    engine = document["nlp_engine_name"]
    if engine in ("slim", "slim_spacy", "no_op"):
        raise ConfigError(f"{path}: the engine {engine!r} finds no names; leave `engine` out instead")
    if engine not in _NEEDS:
        raise ConfigError(f"{path}: unknown engine {engine!r}; known are {', '.join(_NEEDS)}")
    _refuse_unknown(path, "", document, _KEYS | (frozenset(_GLINER_KEYS) if engine == "gliner" else frozenset()))
    configuration = document.get("ner_model_configuration") or {}
    if not isinstance(configuration, dict):
        raise ConfigError(f"{path}: ner_model_configuration must be a table")
    _refuse_unknown(path, "ner_model_configuration", configuration, _NER_KEYS)
    settings = {key: document[key] for key in _GLINER_KEYS if key in document}
    for key, value in settings.items():
        kinds = _GLINER_KEYS[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise ConfigError(f"{path}: {key} is of the wrong kind")
    models = _models(path, engine, document.get("models"))
    made = _configuration(path, configuration)
    package = _NEEDS[engine]
    if package and importlib.util.find_spec(package) is None:
        raise ConfigError(f"{path}: the engine {engine!r} needs the package {package} (pip install {package})")
    return Described(path, engine, tuple((language, _found(path, engine, name)) for language, name in models), made, settings)


def _refuse_unknown(path: Path, place: str, entry: Mapping[Any, Any], known: frozenset[str]) -> None:
    for key in entry:
        if key not in known:
            where = f" in {place}" if place else ""
            raise ConfigError(f"{path}: unknown key {key!r}{where}; known are {', '.join(sorted(known))}")


def _models(path: Path, engine: str, entries: Any) -> tuple[tuple[str, Any], ...]:
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"{path}: models must be a list of lang_code and model_name")
    models: list[tuple[str, Any]] = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or not isinstance(entry.get("lang_code"), str):
            raise ConfigError(f"{path}: model {number}: needs a lang_code")
        _refuse_unknown(path, f"model {number}", entry, _MODEL_KEYS)
        name = entry.get("model_name")
        if engine == "transformers":
            if not isinstance(name, dict) or set(name) != {"spacy", "transformers"} or not all(isinstance(n, str) for n in name.values()):
                raise ConfigError(f"{path}: model {number}: model_name must name two, spacy and transformers")
        elif not isinstance(name, str) or not name:
            raise ConfigError(f"{path}: model {number}: model_name must be a text")
        if any(language == entry["lang_code"] for language, _ in models):
            raise ConfigError(f"{path}: model {number}: there is a model for {entry['lang_code']!r} already")
        models.append((entry["lang_code"], name))
    return tuple(models)


def _configuration(path: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Presidio's own files leave an empty item in lists, which means none."""
    made: dict[str, Any] = {
        key: [one for one in value if one is not None] if isinstance(value, list) else value for key, value in entry.items()
    }
    made = {key: value for key, value in made.items() if value is not None}
    for key in ("labels_to_ignore", "low_score_entity_names"):
        if key in made and not (isinstance(made[key], list) and all(isinstance(one, str) for one in made[key])):
            raise ConfigError(f"{path}: ner_model_configuration.{key} must be a list of texts")
    mapping = made.get("model_to_presidio_entity_mapping")
    if mapping is not None:
        if not isinstance(mapping, dict) or not all(isinstance(one, str) for pair in mapping.items() for one in pair):
            raise ConfigError(f"{path}: ner_model_configuration.model_to_presidio_entity_mapping must give an entity for each label")
        if not set(mapping.values()) & set(ENTITIES):
            raise ConfigError(f"{path}: no label is mapped to any of {', '.join(ENTITIES)}")
    for key in ("default_score", "low_confidence_score_multiplier"):
        value: Any = made.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise ConfigError(f"{path}: ner_model_configuration.{key} must be a number between 0 and 1")
    return made


class _Engine:
    """One of Presidio's NLP engines."""

    def __init__(self, described: Described) -> None:
        self.name = f"{described.engine} " + ", ".join(_called(name) for _, name in described.models)
        self._languages = [language for language, _ in described.models]
        models = [{"lang_code": language, "model_name": name} for language, name in described.models]
        with _in_one_line(described):
            self._engine = _presidio(described, models)

    def spans(self, texts: Sequence[str], languages: Sequence[str]) -> list[list[Span]]:
        """See `NameModel`. A text goes to its language's model, and to the first where there is none."""
        out: list[list[Span]] = [[] for _ in texts]
        for language in self._languages:
            chosen = [
                i
                for i, (text, own) in enumerate(zip(texts, languages, strict=True))
                if (own if own in self._languages else self._languages[0]) == language and text.strip()
            ]
            batch = self._engine.process_batch([texts[i] for i in chosen], language=language, batch_size=BATCH)
            for i, (_, found) in zip(chosen, batch, strict=True):
                pairs = zip(found.entities, found.scores, strict=True)
                out[i] = _tidy(texts[i], [(e.start_char, e.end_char, e.label_, float(score)) for e, score in pairs])
        return out


class _Gliner:
    """GLiNER, through Presidio's recogniser for it: any label that is put to it in words."""

    def __init__(self, described: Described) -> None:
        from presidio_analyzer.predefined_recognizers import GLiNERRecognizer

        self.name = "gliner " + ", ".join(_called(name) for _, name in described.models)
        configuration = described.configuration
        ignored = set(configuration.get("labels_to_ignore", ()))
        mapping = configuration.get("model_to_presidio_entity_mapping", _GLINER_LABELS)
        mapping = {label: entity for label, entity in mapping.items() if not {label, entity} & ignored and entity in ENTITIES}
        self._low = frozenset(configuration.get("low_score_entity_names", ()))
        self._less = float(configuration.get("low_confidence_score_multiplier", 0.4))
        self._readers: dict[str, Any] = {}
        for language, name in described.models:
            with _in_one_line(described):
                self._readers[language] = GLiNERRecognizer(
                    model_name=name, entity_mapping=mapping, supported_language=language, **described.settings
                )

    def spans(self, texts: Sequence[str], languages: Sequence[str]) -> list[list[Span]]:
        """See `NameModel`."""
        first = next(iter(self._readers.values()))
        out = []
        for text, language in zip(texts, languages, strict=True):
            reader = self._readers.get(language, first)
            found = reader.analyze(text, list(ENTITIES)) if text.strip() else []
            spans = [(one.start, one.end, one.entity_type, float(one.score)) for one in found]
            out.append(_tidy(text, [(a, b, entity, score * self._less if entity in self._low else score) for a, b, entity, score in spans]))
        return out


def _tidy(text: str, found: Sequence[Span]) -> list[Span]:
    """Spans of the four entities without space around them, in order; of two that overlap the surer one, then the longer one."""
    kept: list[Span] = []
    for start, end, entity, score in sorted(found, key=lambda one: (-one[3], one[0] - one[1], one[0])):
        value = text[max(0, start) : end]
        start = max(0, start) + len(value) - len(value.lstrip())
        end = start + len(value.strip())
        if entity in ENTITIES and start < end and all(end <= low or high <= start for low, high, _, _ in kept):
            kept.append((start, end, entity, min(1.0, max(0.0, score))))
    return sorted(kept)


class _Mapping(dict[str, str]):
    """Presidio warns in the log of every entity whose label is not mapped. Here those labels mean nothing, once and for all."""

    def __contains__(self, label: object) -> bool:
        return True

    def __missing__(self, label: str) -> str:
        return _STRAY


def _presidio(described: Described, models: list[dict[str, Any]]) -> Any:
    """Presidio's engine, loaded from what lies here."""
    from presidio_analyzer import nlp_engine

    engines: tuple[Callable[..., Any], ...] = (nlp_engine.SpacyNlpEngine, nlp_engine.TransformersNlpEngine)
    if described.engine == "stanza":
        engines = (_without_download(nlp_engine.StanzaNlpEngine),)
    configuration: dict[str, Any] = {"nlp_engine_name": described.engine, "models": models}
    if described.configuration:
        configuration["ner_model_configuration"] = dict(described.configuration)
    engine: Any = nlp_engine.NlpEngineProvider(nlp_engines=engines, nlp_configuration=configuration).create_engine()
    ner = engine.ner_model_configuration
    ner.model_to_presidio_entity_mapping = _Mapping(ner.model_to_presidio_entity_mapping)
    return engine


def _without_download(engine: Any) -> Any:
    """Stanza asks the network for what is new unless it is told not to."""

    def made(**options: Any) -> Any:
        return engine(**options, download_if_missing=False)

    made.engine_name = engine.engine_name  # type: ignore[attr-defined]
    made.is_available = engine.is_available  # type: ignore[attr-defined]
    return made


def _offline() -> None:
    """Libraries of transformers look for what they are told by name on the network, unless told not to before they are imported."""
    import sys

    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS"):
        os.environ[name] = "1"
    constants: Any = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_OFFLINE = True


def _found(path: Path, engine: str, name: Any) -> Any:
    """A model's name as its engine loads it: a folder beside the file comes first. Raises when it is nowhere."""
    if isinstance(name, dict):
        return {"spacy": _spacy_model(path, name["spacy"]), "transformers": _hub_model(path, name["transformers"])}
    if engine == "spacy":
        return _spacy_model(path, name)
    return _hub_model(path, name) if engine == "gliner" else name


def _place(path: Path, name: str) -> Path:
    return path.parent / name


def _spacy_model(path: Path, name: str) -> str:
    if _place(path, name).is_dir():
        return str(_place(path, name))
    if not _version(name):
        raise ConfigError(
            f"{path}: the spaCy model {name!r} is not installed (pip install {name.replace('_', '-')}, or the path of its folder)"
        )
    return name


def _hub_model(path: Path, name: str) -> str:
    """A transformer's folder, or its name where it lies in the cache of Hugging Face already."""
    if _place(path, name).is_dir():
        return str(_place(path, name))
    if importlib.util.find_spec("huggingface_hub") is not None:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError

        with contextlib.suppress(HFValidationError):
            if any(isinstance(try_to_load_from_cache(name, file), str) for file in ("config.json", "gliner_config.json")):
                return name
    raise ConfigError(f"{path}: the model {name!r} is no folder and not in the cache: give the path of a folder that holds it")


@contextlib.contextmanager
def _in_one_line(described: Described) -> Iterator[None]:
    """What libraries raise when a model is there but cannot be loaded, in one line."""
    log = logging.getLogger("presidio-analyzer")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:  # a model's own code may raise anything at all
        _refuse(described, error)
    finally:
        log.setLevel(level)


def _refuse(described: Described, error: Exception) -> NoReturn:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing:
        raise ConfigError(f"{described.path}: a model needs the package {missing} (pip install {missing.split('.')[0]})") from None
    hint = "; put its files into the folder that STANZA_RESOURCES_DIR names" if described.engine == "stanza" else ""
    why = _LINK.sub("…", " ".join(str(error).split()))[:160] or type(error).__name__
    raise ConfigError(f"{described.path}: a model of the engine {described.engine!r} cannot be loaded: {why}{hint}") from None


def _called(name: Any) -> str:
    return str(name["transformers"] if isinstance(name, dict) else name)


def _version(package: str) -> str:
    try:
        return metadata.version(package) if package else ""
    except (metadata.PackageNotFoundError, ValueError):
        return ""
