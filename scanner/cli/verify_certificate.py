"""Checks a certificate of deletion as anybody may, and shows the key with which this installation signs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from scanner.errors import UsageError


def show_key(form: str) -> None:
    """Print the public key of this installation and its fingerprint."""
    import base64

    from scanner.requests import certificate_keys

    public = certificate_keys.public(certificate_keys.signing_key())
    said = {"algorithm": "Ed25519", "key": base64.b64encode(public).decode(), "fingerprint": certificate_keys.fingerprint(public)}
    if form == "table":
        for name, value in said.items():
            click.echo(f"{name:<12} {value}")
    else:
        click.echo(json.dumps(said))


def check(file: Path, key: str | None, form: str) -> int:
    """Say what a certificate is worth, and what it certifies. Returns the exit code: 1 when it proves nothing."""
    from scanner.requests import certificate, certificate_keys

    if key is not None and not certificate_keys.is_fingerprint(key):
        raise UsageError("--key is a fingerprint of 64 hexadecimal digits, as `persondata verify --show-key` prints it")
    checked = certificate.check(file)
    fault = checked.fault
    if not fault and key is not None and not certificate_keys.same(key, checked.fingerprint):
        fault = f"it is signed by another key, {checked.fingerprint}"
    if form != "table":
        said = {"valid": not fault, "fault": fault, "fingerprint": checked.fingerprint, "key_known": key is not None, "says": checked.said}
        click.echo(json.dumps(said, ensure_ascii=False))
    elif fault:
        click.echo(f"persondata: {file}: {fault}", err=True)
    else:
        for line in _says(checked.said, checked.fingerprint):
            click.echo(line)
        if key is None:
            click.echo("anybody could have signed it, unless this fingerprint is the one that you know: say it with --key")
    return 1 if fault else 0


def _says(said: Any, fingerprint: str) -> Sequence[str]:
    looked, plan = said["looked"], said["plan"]
    kept, missing = (sum(one["records"] for one in said[name]) for name in ("kept", "missing"))
    objects = sum(one["objects"] for one in looked["sources"])
    return [
        f"valid        signed by {fingerprint}",
        f"certifies    {said['certificate']}",
        *([f"controller   {said['controller']}"] if said["controller"] else []),
        f"plan         {plan['id']}, made {plan['made']}, SHA-256 {plan['sha256']}",
        f"looked       {looked['began']}, in {len(looked['sources'])} sources with {objects:,} objects",
        f"records      {said['gone']:,} gone, {kept:,} kept, {said['open']:,} to be decided, {missing:,} missing",
    ]
