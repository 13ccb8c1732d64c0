"""Hands the project's rules to anyone's Presidio `AnalyzerEngine`, as `EntityRecognizer`s.

from presidio_analyzer import AnalyzerEngine
from scanner.presidio import recognizers

engine = AnalyzerEngine(...)
for recognizer in recognizers(language="da"):
    engine.registry.add_recognizer(recognizer)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult

from scanner import resources
from scanner.detect import engine, memo, rules
from scanner.extract.text import Texts

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts


NAME = "persondata"


class RulesRecognizer(EntityRecognizer):
    """All rules as one recogniser: they share their scan, and settle overlaps among themselves."""

    def __init__(self, detector: engine.Detector, language: str) -> None:
        self._detector = detector
        self._abouts = {rule.id: rule.about for rule in detector.rules}
        entities = sorted({rule.entity for rule in detector.rules})
        super().__init__(supported_entities=entities, name=NAME, supported_language=language)

    def load(self) -> None:
        """Nothing to load: the detector is ready."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:
        """Find the asked entities in a text; offsets are code points, as Presidio's are."""
        texts = Texts("")
        texts.add("", "", text)
        results = []
        me = {RecognizerResult.RECOGNIZER_NAME_KEY: NAME, RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id}
        for found in self._detector.detect(list(texts.rest())).findings.to_pylist():
            if entities and found["entity"] not in entities:
                continue
            why = AnalysisExplanation(
                recognizer=NAME,
                original_score=found["score"],
                textual_explanation=f"rule {found['rule']}: {self._abouts[found['rule']]}",
            )
            results.append(
                RecognizerResult(
                    found["entity"], found["start"], found["end"], round(found["score"], 4), analysis_explanation=why,
                    recognition_metadata=me,
                )
            )  # fmt: skip
        return results


def recognizers(*, language: str = "en", folders: Sequence[Path] = (), prose: str = "fast", least: float = engine.LEAST) -> list[Any]:
    """Our rules (and those in `folders`) as recognisers for an analyzer engine in `language`."""
    ruleset = rules.load((resources.folder("rules"), *folders), cache=memo.cache_folder())
    detector = engine.Detector(ruleset, prose_level=prose, least=least, cache=memo.cache_folder())
    return [RulesRecognizer(detector, language)]
