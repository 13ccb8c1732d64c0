"""Sweeping texts for one person: what is found and what is not, that two passes find what one would, and where it stands."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner.detect import fold
from scanner.extract.text import Texts
from scanner.model import Seams, Shape, Subject, TextBatch, Unit
from scanner.subject.identifiers import Agreement, from_options
from scanner.subject.plain import Plain
from scanner.subject.sweep import Cache, Match, Sweep

METTE = from_options(
    cpr=["070761-4285"],
    email=["mette.holm@post.example"],
    phone=["20304050"],
    name=["Mette Kirstine Holm"],
    address=["Nørre Allé 6, 2. tv., 2200 København N"],
    ids=["customer_no=KD-10442"],
    born=["1961-07-07"],
)
CPR, EMAIL, PHONE, NAME, ADDRESS, BORN, ID = range(7)
OTHERS = from_options(
    cpr=["010203-1234"],
    email=["j.ågård+nyt@gmail.com"],
    phone=["+46 70 123 45 67"],
    name=["Jørgen O'Neil Ågård", "Åse Bøgh", "Hans Jørgen Christian Wesselhoff"],
    address=["Gl. Landevej 133B, 4700 Næstved", "10. Februar Vej 3"],
    ids=["no=0010442"],
)


@pytest.fixture(scope="module")
def mette() -> Sweep:
    return Sweep(METTE)


@pytest.fixture(scope="module")
def others() -> Sweep:
    return Sweep(OTHERS)


def batch(texts: list[str | None], **more: object) -> TextBatch:
    return TextBatch("o", "body", pa.array(texts, pa.string()), pa.array([f"row={n}" for n in range(len(texts))]), **more)  # type: ignore[arg-type]


def seen(sweep: Sweep, text: str) -> list[tuple[str, str, Agreement]]:
    """What is found in a text: which identifier, the text itself, how like."""
    return [
        (METTE.identifiers[match.identifier].entity, text[match.start : match.end], match.likeness.agreement)
        for match in sweep.scan([batch([text])])
    ]


SAME, VARIANT = Agreement.SAME, Agreement.VARIANT


@pytest.mark.parametrize(
    ("text", "entity", "found"),
    [
        ("cpr070761-4285 og 0707614285; 07 07 61 4285 · 07.07.61-4285 · 07-07-1961-4285", "DK_CPR", 5),
        ("lost zero 707614285, dash 070761\u20134285, nbsp 070761\u00a04285, soft 0707\u00ad614285, 670761-4285", "DK_CPR", 5),
        ("1070761-4285, 070761-42851, 070761-4286, 0.0707614285", "DK_CPR", 0),
        ("20304050, 2030 4050, 20-30-40-50, 20.30.40.50, 203 04 050, (+45) 20304050, tlf20304050/20304051", "PHONE_NUMBER", 7),
        ("120304050, 20304051, 203040501, 3.20304050, +46 20304050, (+47) 20304050, 0046 2030 4050", "PHONE_NUMBER", 0),
        ("Mette.HOLM@Post.example; mette.holm+nyt@post.example; <mette.holm (at) post (dot) example>", "EMAIL_ADDRESS", 3),
        ("xmette.holm@post.example, mette.holm@post.example.dk, mette.holm@repost.example", "EMAIL_ADDRESS", 0),
        ("Mette Kirstine Holm; HOLM, METTE KIRSTINE; Mette Holm; Holm, Mette; M. Holm; M.K. Holm; Mette K. Holm; Holm, M.K.", "PERSON", 8),
        ("Metet Holm ringede; Kirstine Holm; mette\nholm; Mette-Kirstine Holm; Mette Holms bil; Me\u0301tte? nej: Stine Holm", "PERSON", 6),
        (
            "Hanne Holm, Mette og Peter Holm; Mette. Holm; Anne Mette Holm; Mette Holm Nielsen; Mette Holms Vej 12; Lars Holm, Mette Krogh",
            "PERSON",
            0,
        ),
        ("Mette ringede til Holm; mette.holm; Holms Mette; 5 m Holm; Metter Holmer", "PERSON", 0),
        ("Nørre Allé 6, 2. tv., 2200 København N; NOERRE ALLE 6; nr. allé 6, 2.tv; Nørrre Allé 6, 2200", "ADDRESS", 4),
        ("Nørre Allé 6, 3. tv.; Nørre Allé 61; Nørre Allé 6B, 8000 Aarhus C; Nørre Allé 6, 8000 Aarhus C", "ADDRESS", 0),
        ("KD-10442, kd10442, KD 010442", "CUSTOMER_ID", 3),
        ("10442, XKD-10442, KD-104421, KD-10442.5", "CUSTOMER_ID", 0),
        ("f. 7. juli 1961, 07.07.61, 1961-07-07", "DATE_OF_BIRTH", 3),
    ],
)
def test_what_is_found(mette: Sweep, text: str, entity: str, found: int) -> None:
    matches = [one for one in seen(mette, text) if one[0] == entity]
    assert len(matches) == found, matches
    assert all(agreement in (SAME, VARIANT) for *_, agreement in matches)


PIECES = [
    "Mette", "mette", "METTE", "Metet", "Kirstine", "Stine", "Holm", "HOLM", "Holms", "Holmm", "Anne", "Nielsen", "M.", "M", "K.", "MK", "og", ",", ", ", ".",
    "-", " ", " ", " ", "\n", "\u00a0", "\u00ad", "Vej", "070761", "07", "61", "4285", "-4285", "20", "30", "40", "50", "2030", "4050", "+45 ", "0045",
    "mette.holm", "+nyt", "@", " (at) ", "post.example", "Nørre Allé", "NØRRE ALLÉ", "nørre alle", "Nr. Allé", "Nørrre Allé", " 6", ", 2. tv.", " 2200 København N",
    ", 8000 Aarhus C", "KD", "10442", "0", "1", "x", "å", "–", "Åse", "Bøgh", "BOEGH", "Bøgg", "Jørgen", "Jorgen", "joergen", "O'Neil", "O’Neil", "ONeil",
    "Ågård", "Aagaard", "Agård", "Ågaard", "HJ", "J.", "Hans", "Christian", "Chr.", "Kristian", "Wesselhoff", "Weselhoff", "WESSELHOFF", "Gl. Landevej 133",
    "Gammel Landevej", "b", "B", " 4700 Næstved", "10. Februar Vej", " 3", "j.ågård", "jågård", "gmail.com", "googlemail.com", "+46", "701234567", "0701234567",
    "010203", "1234", "610203", "von", "de", "'s", "\t", "_", "7",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@settings(max_examples=600, deadline=None)
@given(st.lists(texts, min_size=1, max_size=4), st.booleans())
@example(["Holm, M. K. Mette", "å M. Holm", "_M. Holm"], False)
@example(["Åse Bøgg Bøgh", "ÅSE BØGH"], True)
def test_two_passes_find_what_one_would_find(mette: Sweep, others: Sweep, rows: list[str], other: bool) -> None:
    sweep = others if other else mette
    matches = list(sweep.scan([batch(rows)]))
    for number, text in enumerate(rows):
        scanned = [(m.identifier, m.start, m.end, m.likeness) for m in matches if m.row == number]
        assert scanned == [(identifier, *span) for identifier, span in sweep.confirm(text)]
    apart = [match for row, text in enumerate(rows) for match in sweep.scan([batch([None, text])])]
    assert [(m.identifier, m.start, m.end) for m in apart] == [(m.identifier, m.start, m.end) for m in matches]


def test_where_it_stands(mette: Sweep) -> None:
    many = [batch(["nothing", None, "tlf. 20304050"], shape=Shape.CELL), batch([""]), batch(["æøå Mette\u00adHolm, Mette Holm"])]
    matches = list(mette.scan(many))
    assert [(m.batch, m.row, m.record, m.field, m.start, m.end, m.identifier) for m in matches] == [
        (0, 2, "row=2", "body", 5, 13, PHONE), (2, 0, "row=0", "body", 16, 26, NAME),
    ]  # fmt: skip
    assert "Holm" not in repr(matches) + repr(mette) and isinstance(matches[0], Match)
    lines = TextBatch("o", "", pa.array(["a\nring 20304050\nMette Holm"]), pa.array(["7"]), by_line=True)
    assert [(m.record, m.start, m.end) for m in mette.scan([lines])] == [("line=8", 5, 13), ("line=9", 0, 10)]
    whole = "Mette Holm " + "x" * 50 + " 20304050 Mette Holm"
    parts = pa.array([whole[:70], whole[40:]])
    seams = Seams(pa.array([0, 40], pa.int64()), pa.array([0, 15], pa.int64()), pa.array([55, -1], pa.int64()))
    cut = TextBatch("o", "", parts, pa.array(["r", "r"]), seams=seams)
    assert [(m.start, m.end) for m in mette.scan([cut])] == [(m.start, m.end) for m in mette.scan([batch([whole])])]


def test_a_long_text_cut_by_the_reader_is_swept_as_if_it_were_whole(mette: Sweep) -> None:
    rng = np.random.default_rng(3)
    words = ["Mette Holm", "20304050", "070761–4285", "Nørre Allé 6", "lorem", "ipsum", "dolor\n", "æblegrød", "i dag"]
    text = " ".join(words[n] for n in rng.integers(0, len(words), 20_000))
    made = Texts("o")
    made.add("r", "f", text)
    matches = list(mette.scan(list(made.rest())))
    assert len(matches) > 1000
    assert sorted((m.start, m.end, m.identifier) for m in matches) == sorted(
        (span.start, span.end, number) for number, span in mette.confirm(text)
    )


def test_what_is_too_little_is_not_looked_for() -> None:
    little = from_options(name=["Mette"], address=["Nørre Allé"], ids=["no=12"], phone=["12345"], anyway=True)
    assert not Sweep(little).sought and not list(Sweep(little).scan([batch(["Mette 12 12345"])]))
    assert Sweep(METTE, names=False).sought == {CPR, EMAIL, PHONE, ADDRESS, BORN, ID}


SPECIAL = st.text(
    alphabet=st.one_of(
        st.sampled_from("aåé \u00a0\u00ad\u0301\u030a\u2013\u200b\u2028\u212b\u017f\uff21\ufeff\u0663\u202a\u2065\x0b\x00🙂"),
        st.characters(max_codepoint=0xFFFF, codec="utf-8"),
    ),
    max_size=12,
)


@settings(max_examples=500, deadline=None)
@given(st.lists(SPECIAL, min_size=1, max_size=6))
def test_many_rows_are_made_plain_as_each_alone(rows: list[str]) -> None:
    buffer, ends, changed = Plain().joined(pa.array(rows, pa.string()))
    starts = [0, *(ends[:-1] + 1)]
    assert [bytes(buffer[low:high]).decode() for low, high in zip(starts, ends, strict=True)] == [fold.fold(row).text for row in rows]
    assert {number for number, row in enumerate(rows) if fold.fold(row).text != row} <= changed
    quick, slow = (
        [[m.span() for m in how.finditer(row)] for row in rows if not fold._MARK.search(row)] for how in (fold._SINGLE, fold._SPECIAL)
    )
    assert quick == slow, "where no mark stands, both expressions meet the same"


@pytest.mark.parametrize("cache", [None, {}])
def test_what_comes_in_later_is_found_as_if_it_had_been_known(mette: Sweep, cache: Cache | None) -> None:
    rows = [
        "Mette Kirstine Holm, 20 30 40 50, f. 7. juli 1961",
        "mette.holm@post.example / KD-10442",
        "Nørre Allé 6, 2200 København N 070761-4285",
    ]
    some = None
    for count in (0, 2, 2, 5, len(METTE.identifiers)):
        some = Sweep(Subject(METTE.identifiers[:count]), cache=cache, before=some)
        expected = [match for match in mette.scan([batch(rows)]) if match.identifier < count]
        assert list(some.scan([batch(rows)])) == expected
    assert len({match.identifier for match in expected}) == len(METTE.identifiers)
    assert cache is None or len(cache) == len(METTE.identifiers)


def test_what_is_too_large_to_be_kept_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scanner.sources import open_source
    from scanner.subject import texts

    (tmp_path / "a.txt").write_text("Mette\n" * 100)
    source = open_source(str(tmp_path))
    (unit,) = (one for one in source.units() if isinstance(one, Unit))
    for size, again in ((texts.KEPT, 100), (500, 1)):
        monkeypatch.setattr(texts, "KEPT", size)
        kept = texts.Kept()
        (tmp_path / "a.txt").write_text("Mette\n" * 100)
        assert [sum(len(one.texts[0].as_py()) for one in kept.read(source, unit) if isinstance(one, TextBatch))] == [600]
        (tmp_path / "a.txt").write_text("Mette\n")
        assert sum(len(one.texts[0].as_py()) for one in kept.read(source, unit) if isinstance(one, TextBatch)) == again * 6


@pytest.mark.parametrize("processes", [None, 1])
def test_readers_stay_from_one_pass_to_the_next(tmp_path: Path, processes: int | None) -> None:
    from multiprocessing import active_children

    from scanner.model import Limits
    from scanner.sources import open_source
    from scanner.subject.readers import Desk, Readers
    from scanner.subject.texts import Setup

    for name, text in (("a.txt", "Ring til Mette Kirstine Holm"), ("b.txt", "Ring til 20 30 40 50"), ("c.txt", "Ring ikke")):
        (tmp_path / name).write_text(text)
    (tmp_path / "d.zip").write_bytes(b"PK\x03\x04" + b"x" * 99)
    source = open_source(str(tmp_path), name="share")
    units = [one for one in source.units() if isinstance(one, Unit)]
    name, phone = METTE.identifiers[NAME], METTE.identifiers[PHONE]
    known, more = Subject((name,)), Subject((name, phone))
    before, held = set(active_children()), []

    with closing(Readers(setup := Setup((source,), known, {}), Desk(setup), processes, Limits())) as readers:
        for subject, some in ((known, []), (known, units), (more, units), (more, []), (more, units[:2])):
            came = list(readers.read(subject, iter(some)))
            held.append({process.pid for process in set(active_children()) - before})
            places = {place.object for one in came for place in one.places}
            assert places == {unit.object for unit in some} & ({"a.txt"} if subject is known else {"a.txt", "b.txt"})
            assert {problem.object for one in came for problem in one.problems} == {unit.object for unit in some} & {"d.zip"}
            if some:
                (tmp_path / "a.txt").unlink(missing_ok=True)  # what was read is not read again
    assert [len(pids) for pids in held] == ([0] * 5 if processes is None else [0, 1, 1, 1, 1]), "started when there is something to read"
    assert len(set.union(*held)) == (processes or 0), "and only once"
    assert not set(active_children()) - before
