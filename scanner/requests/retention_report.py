"""The report of what has been kept too long: as a page and as a workbook, in Danish or English, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from scanner import report
from scanner.config import Config
from scanner.errors import ReportError
from scanner.report.workbook import Sheet, workbook
from scanner.requests import law
from scanner.requests.policy import Policies, Policy
from scanner.requests.policy_tables import Late
from scanner.requests.retention import Answer, Summary
from scanner.resources import folder


def write(answer: Answer, settings: Config, out: Path, language: str = "en") -> None:
    """Write the report, whole or not at all. The ending of the file chooses the format. Raises `ReportError`."""
    made = FORMATS.get(out.suffix.lower())
    if made is None:
        raise ReportError(f"{out.name}: the report 'retention' has no such format; end the name in {', '.join(FORMATS)}")
    try:
        report.put(made(answer, settings, language), out)
    except OSError as error:
        raise ReportError(f"{out}: cannot be written ({error.strerror})") from error


def as_html(answer: Answer, settings: Config, language: str = "en") -> bytes:
    """One page that needs nothing else."""
    return report.page("retention/page", _content(answer, settings, language))


def as_xlsx(answer: Answer, settings: Config, language: str = "en") -> bytes:
    """A workbook: the policies, where what is overdue lies, what no policy speaks of, what could not be looked at."""
    said = _content(answer, settings, language)
    words = said["words"]
    names = words["sheets"]
    times = ("oldest", "until")
    sheets = {
        names["policies"]: Sheet(
            [words[key] for key in ("policy", "keep", "after", "when", "required", "law", "records", "people", *times)],
            [
                (
                    p["name"],
                    p["time"],
                    p["after"],
                    p["when"],
                    "x" if p["required"] else "",
                    p["law"],
                    p["records"],
                    p["people"],
                    p["from"],
                    p["to"],
                )
                for p in said["policies"]
            ],
        ),
        names["where"]: Sheet(
            [words[key] for key in ("policy", "why", "source", "object", "records", "people", *times, "held", "law")],
            [
                (
                    p.policy,
                    words["reasons"].get(p.reason, p.reason),
                    p.source,
                    p.object,
                    p.records,
                    p.people,
                    p.oldest,
                    p.until,
                    p.held,
                    p.law,
                )
                for p in answer.lines
            ],
        ),
        names["unsaid"]: Sheet(
            [words[key] for key in ("source", "object", "may")],
            [(one["source"], one["object"], "; ".join(f"{law['title']} ({law['law']})" for law in one["laws"])) for one in said["unsaid"]],
        ),
        names["unread"]: Sheet([words[key] for key in ("source", "object", "why")], answer.unread),
    }
    return workbook(sheets)


def as_json(answer: Answer, _settings: Config | None = None, _language: str = "en") -> bytes:
    """What `persondata retention --format json` prints."""
    return (json.dumps(document(answer), ensure_ascii=False, indent=1) + "\n").encode()


def document(answer: Answer) -> dict[str, Any]:
    """The answer as JSON."""
    return {
        "today": answer.today,
        "overdue": answer.overdue,
        "policies": [asdict(one) for one in answer.policies],
        "lines": [asdict(line) for line in answer.lines],
        "records": [record(late) for late in answer.records],
        "unsaid": [dict(zip(("source", "object", "laws"), one, strict=True)) for one in answer.unsaid],
        "unread": [dict(zip(("source", "object", "reason"), one, strict=True)) for one in answer.unread],
    }


def record(late: Late) -> dict[str, str]:
    """One record that should have gone, as a row."""
    ruling = late.ruling
    return {
        "source": late.source, "object": late.object, "record": late.record, "policy": ruling.policy,
        "until": ruling.until.isoformat() if ruling.until else "", "reason": ruling.reason.value, "law": ruling.law,
    }  # fmt: skip


def _content(answer: Answer, settings: Config, language: str) -> dict[str, Any]:
    import yaml

    words = yaml.safe_load((folder("reports") / "retention" / f"{language}.yaml").read_text(encoding="utf-8"))
    laws = {one.id: one for one in law.load()}
    sums = {one.policy: one for one in answer.policies}
    firsts: dict[str, int] = {}
    for number, line in enumerate(one for one in answer.lines if one.records):
        firsts.setdefault(line.policy, number)
    untils = sorted(one.until for one in answer.policies if one.until)
    oldest = _day(untils[0], words) if untils else ""
    total = f"{answer.overdue:,}".replace(",", words["thousands"])
    return {
        "words": words,
        "controller": settings.controller.name,
        "today": _day(answer.today, words),
        "lead": words["lead_some"].format(records=total, until=oldest) if answer.overdue else words["lead_none"],
        "total": answer.overdue,
        "late_policies": len(sums),
        "oldest": oldest,
        "held": sum(line.held for line in answer.lines),
        "unread": answer.unread,
        "policies": [_policy(one, sums.get(one.name), words) for one in Policies(settings).all],
        "lines": [
            {
                **asdict(line), "first": firsts[line.policy] == number,
                "oldest": _day(line.oldest, words), "until": _day(line.until, words),
                "reason": words["reasons"].get(line.reason, line.reason),
            }
            for number, line in enumerate(one for one in answer.lines if one.records)
        ],
        "unsaid": [
            {"source": source, "object": object, "laws": [_law(laws[id], language) for id in ids if id in laws]}
            for source, object, ids in answer.unsaid
        ],
    }  # fmt: skip


def _law(one: law.Law, language: str) -> dict[str, str]:
    return {"title": one.title[language], "says": one.says[language], "law": one.law}


def _policy(policy: Policy, summary: Summary | None, words: Mapping[str, Any]) -> dict[str, Any]:
    one, many = words["units"][policy.unit]
    time = f"{policy.number} {one if policy.number == 1 else many}" + (f" {words['year_end']}" if policy.year_end else "")
    return {
        "name": policy.name,
        "time": words["withdrawn"] if policy.consent else time,
        "after": words.get(policy.after, policy.after) if policy.after in ("modified", "date") else policy.after,
        "column": policy.after not in ("modified", "date"),
        "when": policy.when,
        "required": policy.required,
        "law": policy.law,
        "records": summary.records if summary else 0,
        "people": summary.people if summary else None,
        "oldest": _day(summary.oldest, words) if summary else "",
        "until": _day(summary.until, words) if summary else "",
        "from": summary.oldest if summary else "",
        "to": summary.until if summary else "",
    }


def _day(text: str, words: Mapping[str, Any]) -> str:
    """A day in words."""
    if not text:
        return ""
    day = date.fromisoformat(text)
    return str(words["day"]).format(day=day.day, month=words["months"][day.month - 1], year=day.year)


FORMATS: Mapping[str, Callable[[Answer, Config, str], bytes]] = {".html": as_html, ".htm": as_html, ".xlsx": as_xlsx, ".json": as_json}
"""The formats by the ending of a file."""
