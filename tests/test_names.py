"""Names in prose: how texts are split, how words become pieces, how scores become spans; and what the shipped models find."""

from __future__ import annotations

import itertools
import math
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.detect import ner, prose, window
from scanner.detect.engine import Detector
from scanner.resources import folder
from tests.test_detect import found

RULES = folder("rules")


@pytest.fixture(scope="module")
def lists() -> ner.Lists:
    return ner.lists(RULES)


@pytest.fixture(scope="module")
def small(lists: ner.Lists) -> window.Window:
    return window.Window(RULES / "models", lists)


@pytest.fixture(scope="module")
def encoder(lists: ner.Lists) -> ner.Encoder:
    return ner.Encoder(RULES / "models", lists)


@pytest.fixture(scope="module")
def full() -> Detector:
    from scanner.detect import engine, memo, rules

    return engine.Detector(rules.load((RULES,)), key=b"k" * 32, cache=memo.cache_folder(), prose_level="full")


LETTER = """Hej Mette,

Tak for mødet i går. Jeg har talt med Abdirahman Warsame, og han vender tilbage i næste uge.
Karens bil holder stadig ved Storegade 12 i Odense. Skal Jens hente den?

Med venlig hilsen
Nguyen Thi Hoa
Optifo ApS
"""
PEOPLE = {"Mette", "Abdirahman Warsame", "Karens", "Jens", "Nguyen Thi Hoa"}


# --- pieces of a text ------------------------------------------------------------------------------------------------------------------


@given(st.text(alphabet="aB .!?:\n\té", max_size=400))
def test_pieces_of_a_text_leave_out_space_only(text: str) -> None:
    places = list(prose.segments(text))
    assert all(low <= high for low, high in places)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(places))
    assert sorted("".join(text[a:b] for a, b in places).split()) == sorted(text.split()) or "".join(
        "".join(text[a:b] for a, b in places).split()
    ) == "".join(text.split())


def test_where_a_piece_ends_depends_on_its_neighbourhood() -> None:
    chance = random.Random(4)
    text = " ".join(
        chance.choice(("Hun kom.", "Det var\n\nen dag!", "Og så:\n", "Mette sagde nej, men Jens sagde ja.")) for _ in range(400)
    )
    whole = {text[a:b] for a, b in prose.segments(text)}
    for _ in range(20):
        cut = chance.randrange(3000, len(text) - 3000)
        part = text[cut - 1024 : cut + 1024]
        inside = list(prose.segments(part))[1:-1]
        assert inside
        assert {part[a:b] for a, b in inside} <= whole


# --- words and pieces ------------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="abcde", min_size=1, max_size=7), st.integers(0, 10_000))
def test_a_word_becomes_the_likeliest_pieces(word: str, seed: int) -> None:
    chance = random.Random(seed)
    pieces = {"".join(p) for n in (1, 2, 3) for p in itertools.product("abcde", repeat=n) if n == 1 or chance.random() < 0.2}
    rows = [("<s>", -1.0), ("<pad>", -1.0), ("</s>", -1.0), ("<unk>", -1.0), *((p, -chance.random() * 9 - 0.01) for p in sorted(pieces))]
    path = Path(f"{word}-{seed}")
    vocabulary = _vocabulary(rows)
    scores = dict(rows)

    def best(rest: str) -> float:
        if not rest:
            return 0.0
        return max(scores[rest[:n]] + best(rest[n:]) for n in (1, 2, 3) if rest[:n] in scores and len(rest) >= n)

    got = [vocabulary.words[n] for n in vocabulary.split(word, spaced=False)]
    assert "".join(got) == word, path
    assert math.isclose(sum(scores[p] for p in got), best(word), abs_tol=0.01)


def _vocabulary(rows: list[tuple[str, float]]) -> ner.Pieces:
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "v"
        path.write_text("".join(f"{piece}\t{score:.6f}\n" for piece, score in rows), encoding="utf-8")
        return ner.Pieces(path)


def test_what_is_in_no_piece_is_unknown_and_nothing_is_lost() -> None:
    vocabulary = _vocabulary([("<s>", 0), ("<pad>", 0), ("</s>", 0), ("<unk>", 0), ("a", -1), ("▁", -2)])
    assert [vocabulary.words[n] for n in vocabulary.split("axa", spaced=True)] == ["▁", "a", "<unk>", "a"]


def test_gazetteers_know_names_in_every_spelling(lists: ner.Lists) -> None:
    assert lists.features("Mette")[0] == lists.features("METTE")[0] == lists.features("mette")[0] == lists.features("Mettes")[0] == 3
    assert lists.features("Sørensen")[1] == lists.features("Soerensen")[1] == 3
    assert lists.features("Bo")[2] == 1, "a word as well"
    assert lists.features("gulvvask")[:4] == (0, 0, 0, 0)


def test_a_long_text_is_read_in_stretches_that_hold_every_word(encoder: ner.Encoder) -> None:
    text = "Mette Holm bor i Odense. " * 200
    parts = list(ner.encode(text, encoder.pieces, encoder.lists, 64))
    assert all(len(part.pieces) <= 64 + 12 for part in parts)
    assert [span for part in parts for span in part.spans] == [match.span() for match in ner.WORD.finditer(text)]


# --- scores to spans -------------------------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_the_best_labels_are_those_of_all_that_are_allowed(seed: int, size: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(size, len(ner.LABELS))).astype(np.float32) * 3
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))

    def allowed(path: tuple[int, ...]) -> bool:
        return all(b % 2 or b == 0 or a in (b, b - 1) for a, b in zip((0, *path), path, strict=False))

    best = max(
        (p for p in itertools.product(range(len(ner.LABELS)), repeat=size) if allowed(p)),
        key=lambda p: sum(logs[i, x] for i, x in enumerate(p)),
    )
    begins = [(i, (label - 1) // 2) for i, label in enumerate(best) if label % 2]
    got = ner.decode(scores, [(i, i + 1) for i in range(size)])
    assert [(one.start, ner.ENTITIES.index(one.entity)) for one in got] == begins
    assert all(0 < one.score <= 1 for one in got)


# --- the shipped models ----------------------------------------------------------------------------------------------------------------


def test_the_small_network_reads_names_alone_and_in_small_letters(small: window.Window) -> None:
    texts = ["Hej Mette, kan du ringe?", "hej jens, har du snakket med fatima?", "Bilen holder på pladsen."]
    people = [[text[n.start : n.end] for n in names if n.entity == "PERSON"] for text, names in zip(texts, small.spans(texts), strict=True)]
    assert people == [["Mette"], ["jens", "fatima"], []]


def test_company_of_other_texts_changes_nothing(small: window.Window, encoder: ner.Encoder) -> None:
    texts = [LETTER[a:b] for a, b in prose.segments(LETTER)] + ["", "x", "Hun talte med Aputsiaq Lynge i Nuuk."]
    together = small.spans(texts)
    assert together == [small.spans([text])[0] for text in texts]
    places = [[n[:3] for n in names] for names in encoder.spans(texts)]
    assert places == [[n[:3] for n in encoder.spans([text])[0]] for text in texts]


@pytest.mark.parametrize("level", ["fast", "full"])
def test_everybody_in_a_letter_is_found(level: str, detector: Detector, full: Detector) -> None:
    made = detector if level == "fast" else full
    people = {LETTER[one[1] : one[2]] for one in found(made, [LETTER]) if one[3] == "PERSON"}  # type: ignore[misc]
    assert people == PEOPLE


def test_a_group_is_told_only_where_a_person_is_named(full: Detector) -> None:
    entities = [
        {one[3] for one in found(full, [text])}
        for text in ("De danske virksomheder eksporterer mere.", "Den svenske læge Karin Lindholt kom.")
    ]
    assert "NRP" not in entities[0]
    assert "NRP" in entities[1]


def test_prose_off_finds_no_names() -> None:
    from scanner.detect import engine, memo, rules

    off = engine.Detector(rules.load((RULES,)), key=b"k" * 32, cache=memo.cache_folder(), prose_level="off")
    assert not [one for one in found(off, [LETTER]) if one[4] == "person.gazetteer" or str(one[4]).startswith("prose.")]
