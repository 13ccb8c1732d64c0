"""Data and plain text: XML, JSON, YAML, settings, delimited text, columnar files, and every encoding that can be told apart."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet as pq
import yaml

from tests.planted import CPR, Place

_Make = Callable[[], bytes]
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NESTED = {"sag": 1, "svar": json.dumps({"borger": {"cpr": CPR}})}


def _text(content: str, codec: str = "utf-8") -> _Make:
    return lambda: content.encode(codec)


def _arrow(write: Callable[[pa.Table, io.BytesIO], object], table: pa.Table) -> _Make:
    def make() -> bytes:
        out = io.BytesIO()
        write(table, out)
        return out.getvalue()

    return make


def _parquet(table: pa.Table) -> _Make:
    return _arrow(pq.write_table, table)


def _file(table: pa.Table, out: io.BytesIO) -> None:
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)


def _stream(table: pa.Table, out: io.BytesIO) -> None:
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)


def _avro() -> bytes:
    out = io.BytesIO()
    inner = {"type": "record", "name": "B", "fields": [{"name": "cpr", "type": ["null", "string"]}]}
    schema: dict[str, Any] = {"type": "record", "name": "S", "fields": [{"name": "borgere", "type": {"type": "array", "items": inner}}]}
    fastavro.writer(out, fastavro.parse_schema(schema), [{"borgere": [{"cpr": None}, {"cpr": CPR}]}], codec="deflate")
    return out.getvalue()


_ROWS = pa.table({"sag": ["A", "B"], "borger": ["ingen", CPR]})
_MAP = pa.array([[("b", CPR)], None], pa.map_(pa.string(), pa.string()))
_DEEP = pa.array([[{"x": {"y": [CPR]}}], None])
_DANISH = f"Kære Søren,\r\nborgeren på Ærø har nummer {CPR}, og Åse følger op på sagen.\r\nVi ses på rådhuset.\r\n"
_BLOCK = "\n".join(["borgere:", f"  - cpr: {CPR}", "    sag: A"])

_XML: list[tuple[str, _Make]] = [
    ("text", _text(f"{_HEAD}<sager><sag><cpr>{CPR}</cpr></sag></sager>")),
    ("attribute", _text(f'{_HEAD}<sager><sag cpr="{CPR}"/></sager>')),
    ("comment", _text(f"{_HEAD}<sager><!-- {CPR} --></sager>")),
    ("CDATA", _text(f"{_HEAD}<sager><sag><![CDATA[{CPR}]]></sag></sager>")),
    ("processing instruction", _text(f"{_HEAD}<sager><?borger {CPR}?></sager>")),
    ("entity", _text(f'{_HEAD}<!DOCTYPE sager [<!ENTITY borger "{CPR}">]><sager><sag>&borger;</sag></sager>')),
    ("utf-16", _text(f'<?xml version="1.0" encoding="UTF-16"?><sager><cpr>{CPR}</cpr></sager>', "utf-16")),
    ("flat Word document", _text(f'{_HEAD}<?mso-application progid="Word.Document"?><pkg:package xmlns:pkg="p"><pkg:part><w:t xmlns:w="w">{CPR}</w:t></pkg:part></pkg:package>')),
    ("SVG: text", _text(f'<svg xmlns="http://www.w3.org/2000/svg"><text><tspan>{CPR}</tspan></text></svg>')),
    ("SVG: title, description", _text(f'<svg xmlns="http://www.w3.org/2000/svg"><desc>{CPR}</desc></svg>')),
    ("SVG: metadata", _text(f'<svg xmlns="http://www.w3.org/2000/svg"><metadata><dc:creator xmlns:dc="d">{CPR}</dc:creator></metadata></svg>')),
]  # fmt: skip
_JSON: list[tuple[str, str, _Make]] = [
    ("value", "sager.json", _text(json.dumps({"sager": [{"cpr": CPR}]}))),
    ("key", "sager.json", _text(json.dumps({CPR: {"sag": "A"}}))),
    ("key among words", "sager.json", _text(json.dumps({f"cpr {CPR}": {"sag": "A"}}))),
    ("JSON inside a string", "sager.json", _text(json.dumps(_NESTED))),
    ("JSON lines", "sager.jsonl", _text(f"{json.dumps({'sag': 1})}\n{json.dumps({'cpr': CPR})}\n")),
    ("comment (which JSON does not allow)", "sager.json", _text(f'{{"sag": 1, // {CPR}\n"x": 2}}')),
]
_YAML: list[tuple[str, str, _Make]] = [
    ("YAML: value", "sager.yaml", _text(_BLOCK)),
    ("YAML: key", "sager.yaml", _text(yaml.safe_dump({CPR: {"sag": "A"}}))),
    ("YAML: comment", "sager.yaml", _text(f"sag: A # {CPR}\n")),
    ("YAML: block of text", "sager.yaml", _text(f"note: |\n  borgeren\n  {CPR}\n")),
    ("TOML: value", "sager.toml", _text(f'[sag]\ncpr = "{CPR}"\n')),
    ("TOML: comment", "sager.toml", _text(f"# {CPR}\n[sag]\na = 1\n")),
    ("INI: value", "sager.ini", _text(f"[sag]\ncpr={CPR}\n")),
    ("INI: heading", "sager.ini", _text(f"[{CPR}]\nsag=A\n")),
]
_CSV: list[tuple[str, str, _Make]] = [
    ("cell", "sager.csv", _text(f"sag,borger\nA,{CPR}\nB,\n")),
    ("quoted cell with lines of its own", "sager.csv", _text(f'sag,note\nA,"se\n{CPR}, snart"\n')),
    ("semicolons", "sager.csv", _text(f"sag;borger\nA;{CPR}\nB;\n")),
    ("tabs", "sager.tsv", _text(f"sag\tborger\nA\t{CPR}\nB\t\n")),
    ("utf-16", "sager.csv", _text(f"sag;borger på Ærø\nA;{CPR}\nB;\n", "utf-16")),
    ("latin-1", "sager.csv", _text(f"sag;borger på Ærø\nA;{CPR}\nB;\n", "latin-1")),
    ("heading that is a value", "sager.csv", _text(f"sag;{CPR}\nA;ja\nB;nej\n")),
    ("heading with a value among words", "sager.csv", _text(f"navn;cpr {CPR}\nA;ja\nB;nej\n")),
    ("title above the headings", "sager.csv", _text(f"Sager om {CPR};;\n;;\nnavn;by;status\nA;Ribe;ja\nB;Ribe;nej\n")),
    ("row longer than the headings", "sager.csv", _text(f"sag;status\nA;ja;{CPR}\nB;nej\n")),
    ("comment above the table", "sager.csv", _text(f"# udtræk for {CPR}\nsag;status\nA;ja\nB;nej\n")),
]  # fmt: skip
_COLUMNS: list[tuple[str, str, _Make]] = [
    ("Parquet: column", "sager.parquet", _parquet(_ROWS)),
    ("Parquet: list of structs", "sager.parquet", _parquet(pa.table({"b": _DEEP}))),
    ("Parquet: map", "sager.parquet", _parquet(pa.table({"b": _MAP}))),
    ("Parquet: key of a map", "sager.parquet", _parquet(pa.table({"b": pa.array([[(CPR, "A")]], pa.map_(pa.string(), pa.string()))}))),
    ("Parquet: dictionary", "sager.parquet", _parquet(pa.table({"b": pa.array([CPR, CPR]).dictionary_encode()}))),
    ("Parquet: bytes", "sager.parquet", _parquet(pa.table({"b": [CPR.encode()]}))),
    ("Parquet: metadata", "sager.parquet", _parquet(_ROWS.select(["sag"]).replace_schema_metadata({"kilde": f"udtræk for {CPR}"}))),
    ("Parquet: metadata of a column", "sager.parquet", _parquet(pa.table({"sag": ["A"]}, schema=pa.schema([pa.field("sag", pa.string(), metadata={"note": CPR})])))),
    ("Parquet: name of a column", "sager.parquet", _parquet(pa.table({f"cpr {CPR}": ["A"]}))),
    ("Feather and Arrow file", "sager.feather", _arrow(_file, _ROWS)),
    ("Arrow stream", "sager.arrows", _arrow(_stream, _ROWS)),
    ("ORC", "sager.orc", _arrow(pyarrow.orc.write_table, _ROWS)),
    ("Avro", "sager.avro", _avro),
]  # fmt: skip
_CODECS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "latin-1", "cp1252", "cp865", "mac-roman")  # fmt: skip


def ebcdic(text: str) -> bytes:
    """Text as Danish mainframes write it (code page 277), in lines of a fixed length."""
    letters = {"Æ": 0x7B, "Ø": 0x7C, "Å": 0x5B, "æ": 0xC0, "ø": 0x6A, "å": 0xD0}
    lines = (line.ljust(80) for line in text.splitlines())
    return b"".join(bytes([letters[c]]) if c in letters else c.encode("cp037") for line in lines for c in line)


PLACES = [
    *(Place("XML and SVG", place, "sager.svg" if place.startswith("SVG") else "sager.xml", make) for place, make in _XML),
    *(Place("JSON", place, name, make) for place, name, make in _JSON),
    *(Place("YAML, TOML, INI", place, name, make) for place, name, make in _YAML),
    *(Place("Delimited text (csv, tsv)", place, name, make) for place, name, make in _CSV),
    *(Place("Columnar files", place, name, make) for place, name, make in _COLUMNS),
    Place("Plain text and Markdown", "Markdown: text", "notat.md", _text(f"# Notat\n\nom *{CPR}*\n")),
    Place("Plain text and Markdown", "Markdown: heading of settings", "notat.md", _text(f"---\nborger: {CPR}\n---\n# Notat\n")),
    Place("Plain text and Markdown", "Markdown: HTML comment", "notat.md", _text(f"# Notat\n<!-- {CPR} -->\n")),
    Place("Plain text and Markdown", "Markdown: target of a link", "notat.md", _text(f"[her](https://sager.example/?cpr={CPR})\n")),
    *(Place("Plain text and Markdown", f"text in {codec}", "notat.txt", _text(_DANISH, codec)) for codec in _CODECS),
    Place("Plain text and Markdown", "text in EBCDIC (code pages 037 and 277)", "notat.dat", lambda: ebcdic(_DANISH)),
]
