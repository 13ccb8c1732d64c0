"""`persondata rules`: the detection rules, and their own examples run against them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from scanner import config
from scanner.cli import options
from scanner.errors import UsageError


@click.group("rules", invoke_without_command=True, short_help="List, show and test the detection rules.")
@click.pass_context
def command(context: click.Context) -> None:
    """The detection rules: what is looked for, and how. They are data: see rules/README.md for how to write your own."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


def _load(settings: config.Config) -> Any:
    from scanner.detect import memo, rules
    from scanner.resources import folder

    folders = (folder("rules"), *settings.rule_folders)
    return rules.load(folders, countries=settings.countries, languages=settings.languages, cache=memo.cache_folder())


@command.command("list")
@options.output("table", "json", "jsonl", "csv")
@options.common
def list_(form: str = "table", config_file: Path | None = None, inventory: Path | None = None) -> None:
    """List all rules, one a row."""
    ruleset = _load(config.load(config_file))
    columns = ("id", "entity", "class", "kind", "file", "about")
    rows = (
        {"id": rule.id, "entity": rule.entity, "class": rule.cls, "kind": _kind(rule), "file": rule.file, "about": rule.about}
        for rule in ruleset.rules
    )
    options.print_rows(rows, form, columns)


def _kind(rule: Any) -> str:
    if rule.words:
        return f"{len(rule.words)} words"
    return "names" if rule.names else rule.recognizer or "pattern"


@command.command("show")
@click.argument("rule_id", metavar="RULE")
@options.common
def show(rule_id: str, config_file: Path | None, inventory: Path) -> None:
    """Show one rule: what it finds, and each factor of its score."""
    ruleset = _load(config.load(config_file))
    rule = next((one for one in ruleset.rules if one.id == rule_id), None)
    if rule is None:
        raise UsageError(f"there is no rule called {rule_id!r}; see `persondata rules list`")
    passed = rule.score.match if rule.score.check is None else rule.score.check
    lines: list[tuple[str, Any]] = [
        ("rule", rule.id), ("file", rule.file), ("finds", f"{rule.entity} ({rule.cls})"), ("about", rule.about),
        ("pattern", rule.pattern), ("trigger", rule.trigger if rule.pattern else ""), ("recognizer", rule.recognizer),
        ("words", ", ".join(("~" if w.weak else "") + w.text for w in rule.words[:30]) + (" …" if len(rule.words) > 30 else "")),
        ("fields", ", ".join(rule.fields)), ("only in fields", "yes" if rule.only_fields else ""), ("unless", rule.unless),
        ("score", f"match {rule.score.match:.2f}"), ("  weak word", f"{rule.score.weak:.2f}" if rule.words else ""),
        ("  check", f"{rule.check} passed: {passed:.2f}; failed: no finding" if rule.check else ""),
        *((f"  {e.check}", f"passed {e.passed:+.2f}, failed {e.failed:+.2f}") for e in rule.evidence),
        ("  field name", f"{rule.score.field:+.2f}" if rule.fields and rule.score.field else ""),
        ("  context", f"{rule.score.context:+.2f} within {rule.window} characters of: {', '.join(rule.context)}" if rule.context else ""),
        ("  against", f"{rule.score.against:+.2f} within {rule.window} characters of: {', '.join(rule.against)}" if rule.against else ""),
        ("  whole column", f"{rule.score.column:+.2f}" if rule.score.column else ""),
        *(("example", text) for text in rule.examples), *(("counterexample", text) for text in rule.counterexamples),
    ]  # fmt: skip
    for name, value in lines:
        if value:
            click.echo(f"{name:16}{value}")


@command.command("test")
@click.argument("rule_id", metavar="[RULE]…", nargs=-1)
@options.common
def test(rule_id: tuple[str, ...], config_file: Path | None, inventory: Path) -> None:
    """Run the rules' examples and counterexamples. Exits 1 when a rule breaks a promise."""
    from scanner.detect import engine, promises
    from scanner.detect.memo import cache_folder

    ruleset = _load(config.load(config_file))
    chosen = [rule for rule in ruleset.rules if not rule_id or rule.id in rule_id]
    if not chosen:
        raise UsageError(f"there is no rule called {rule_id[0]!r}; see `persondata rules list`")
    levels = {"full" if rule.model == "full" else "fast" for rule in chosen}
    detectors = {level: engine.Detector(ruleset, prose_level=level, cache=cache_folder()) for level in levels}
    bad = 0
    for rule in chosen:
        for sentence in promises.broken(detectors["full" if rule.model == "full" else "fast"], rule):
            bad += 1
            click.echo(f"{rule.file}: {rule.id}: {sentence}")
    promised = sum(len(rule.examples) + len(rule.counterexamples) for rule in chosen)
    click.echo(f"{len(chosen)} rules, {promised} examples and counterexamples, {bad} broken")
    sys.exit(1 if bad else 0)
