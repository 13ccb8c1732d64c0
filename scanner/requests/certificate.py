"""The proof that a deletion was carried out: what was looked at, what is gone, what is kept and why; signed, and without personal data.

Signed (Ed25519) is the certificate without its `signature`, as JSON with sorted keys, without spaces, in UTF-8. It holds texts, whole
numbers and truth values only, so that this is what RFC 8785 makes of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanner import seal
from scanner.errors import UsageError
from scanner.model import Subject
from scanner.report import put, visible
from scanner.requests import certificate_keys, verify_hits
from scanner.requests.plan import Plan, Planned
from scanner.requests.verify import Result
from scanner.requests.verify_rows import Seen, State
from scanner.subject.sweep import Sweep

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORMAT = "persondata deletion certificate 1"
WHOLE = "whole: nothing that had to go was found, and everything could be looked at"
PARTIAL = "NOT WHOLE: nothing that had to go was found, but the plan did not know everything: {}"
_ACTED = (State.GONE, State.REPLACED, State.CLEAN)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a certificate file is worth. `fault` is empty when the signature holds; else it says why the file proves nothing."""

    fault: str
    said: Mapping[str, Any]
    fingerprint: str = ""


def body(result: Result, *, key: bytes, inventory: str, version: str, rules: str, plan_file: bytes, signer: bytes) -> dict[str, Any]:
    """What a certificate says. `key` is the inventory's, which seals the addresses of what is kept; `signer` the public key.

    Raises `ValueError` when something remains or could not be looked at: there is nothing to certify then.
    """
    if not result.proven:
        raise ValueError("there is nothing to certify")
    plan, person = result.plan, result.plan.person
    whys = _limits(plan)
    hide = _Hide(person, key)
    said: dict[str, Any] = _clean(
        {
            "certificate": PARTIAL.format("; ".join(whys)) if whys else WHOLE,
            "format": FORMAT,
            "whole": not whys,
            "controller": plan.controller,
            "request": plan.request,
            "plan": {
                "id": plan.id,
                "sha256": hashlib.sha256(plan_file).hexdigest(),
                "made": plan.made,
                "day": plan.day,
                "not_looked_at": len(plan.coverage),
            },
            "inventory": inventory,
            "program": {"name": "persondata", "version": version, "rules": rules},
            "looked": _looked(result, hide),
            "identifiers": dict(sorted(Counter(one.entity for one in person.identifiers).items())),
            "actions": {action: {"planned": sum(states.values()), **states} for action, states in verify_hits.counts(result.seen).items()},
            "gone": sum(one.state in _ACTED for one in result.seen if one.planned.action.value in ("delete", "anonymise")),
            "kept": _grouped(result.of(State.HELD, State.MAY_GO), result, hide),
            "missing": _grouped(result.of(State.MISSING), result, hide),
            "open": len(result.of(State.OPEN)),
            "possible": len(result.possible),
            "after_restore": len(plan.after_restore),
            "notes": [hide(note) for note in result.notes],
            "signed_by": {
                "algorithm": "Ed25519",
                "key": base64.b64encode(signer).decode(),
                "fingerprint": certificate_keys.fingerprint(signer),
            },
        }
    )
    return said


def sign(said: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The certificate with its signature."""
    return {**said, "signature": base64.b64encode(key.sign(canonical(said))).decode()}


def canonical(said: Mapping[str, Any]) -> bytes:
    """The one way to write a certificate's content: sorted keys, no spaces, UTF-8. Raises `ValueError` for a number that is not whole."""
    _check(said)
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def write(said: Mapping[str, Any], out: Path) -> None:
    """Write a signed certificate, whole or not at all. Raises `OSError`."""
    put((json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode(), out)


def check(file: Path) -> Checked:
    """Hold a certificate against its own signature. Needs nothing else. Raises `UsageError` when the file cannot be read."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        text = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from None
    try:
        said = json.loads(text.decode(), object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse)
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            return Checked("it is no certificate of persondata, or it was changed", {})
        signature, key = _bytes(said.pop("signature")), _bytes(said["signed_by"]["key"])
        if said["signed_by"]["algorithm"] != "Ed25519" or said["signed_by"]["fingerprint"] != certificate_keys.fingerprint(key):
            raise ValueError("signed in another way")
        Ed25519PublicKey.from_public_bytes(key).verify(signature, canonical(said))
        return Checked("", said, certificate_keys.fingerprint(key))
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error, InvalidSignature):
        return Checked("it was changed after it was signed, or is broken off", {})


def _bytes(text: str) -> bytes:
    """What base64 stands for, written in the one way that there is."""
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise ValueError("the last letter of base64 may stand for the same bytes as another one")
    return found


def _limits(plan: Plan) -> list[str]:
    """Why a certificate is not whole though nothing remains."""
    return [] if plan.complete else [f"{len(plan.coverage)} places could not be looked at when it was made"]


class _Hide:
    """Seals a text in which something of the person stands: the path of a source, say."""

    def __init__(self, person: Subject, key: bytes) -> None:
        self._sweep, self._key = Sweep(person), key

    def __call__(self, text: str) -> str:
        return seal.seal(self._key, text) if text and self._sweep.confirm(text) else text

    def address(self, one: Planned) -> str:
        """Object and record, readable with the inventory's key only."""
        return seal.seal(self._key, json.dumps([one.object, one.record]))


def _looked(result: Result, hide: _Hide) -> dict[str, Any]:
    sources = [
        {
            "source": hide(one.name), "kind": "database" if one.database else "files", "objects": one.objects,
            **({"rows": one.rows} if one.database else {"bytes": one.bytes}),
            "only": [hide(text) for text in one.only], "left_out": [hide(text) for text in one.left_out],
        }
        for one in sorted(result.looked, key=lambda one: one.name)
    ]  # fmt: skip
    return {
        "began": result.started.strftime("%Y-%m-%dT%H:%M:%SZ"), "seconds": round(result.seconds), "day": result.day.isoformat(),
        "reading": result.sweep, "sources": sources, "records": len(result.seen),
    }  # fmt: skip


def _grouped(seen: Iterable[Seen], result: Result, hide: _Hide) -> list[dict[str, Any]]:
    """Records by where they lie and why they are kept: counted, each address sealed. Tables are named; names of files may be people's."""
    databases = {one.name for one in result.looked if one.database}
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in seen:
        planned = one.planned
        table = planned.object if planned.source in databases and "!" not in planned.object else ""
        why = one.why if one.state is State.MAY_GO else ""
        group = (planned.source, table, planned.action.value, planned.reason, planned.law, planned.until, one.state.value, why)
        groups.setdefault(group, []).append(hide.address(planned))
    names = ("source", "table", "action", "reason", "law", "until", "state", "why")
    return [
        dict(zip(names, map(hide, group), strict=True)) | {"records": len(some), "addresses": sorted(some)}
        for group, some in sorted(groups.items())
    ]


def _clean(said: Any) -> Any:
    """The same without characters that show nothing, which names of tables may hold."""
    if isinstance(said, dict):
        return {key: _clean(value) for key, value in said.items()}
    if isinstance(said, list):
        return [_clean(value) for value in said]
    return visible(said)


def _check(said: Any) -> None:
    if isinstance(said, Mapping):
        for key, value in said.items():
            if not isinstance(key, str):
                raise ValueError("a key is a text")
            _check(value)
    elif isinstance(said, list):
        for value in said:
            _check(value)
    elif not isinstance(said, (str, bool, int)):
        raise ValueError("a certificate holds texts, whole numbers and truth values")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand in it once: of two, readers would see different ones."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(_: str) -> Any:
    raise ValueError("a certificate holds whole numbers")
