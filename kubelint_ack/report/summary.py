"""The counts of a run and the lines that tell them to people."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from kubelint_ack.records import SEVERITIES, LedgerStatus
from kubelint_ack.report.display import visible, width
from kubelint_ack.report.run import RuleInfo, Run
from kubelint_ack.words import catalogue, say

STATUSES: tuple[LedgerStatus, ...] = ("checked", "partly", "not-checked")

_MOST_REASONS = 5


class Ledger(NamedTuple):
    """Files and documents by status, and why some were not fully checked."""

    files: Counter[str]
    documents: Counter[str]
    reasons: Counter[str]
    """For every document not fully checked, and every file of which no document is known."""


def ledger(run: Run) -> Ledger:
    """The counts of the ledger; those of each kind add up to its total."""
    files: Counter[str] = Counter()
    documents: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for file in run.ledger:
        files[file.status] += 1
        documents.update(document.status for document in file.documents)
        entries = file.documents or (file,)
        reasons.update(entry.reason for entry in entries if entry.status != "checked")
    return Ledger(files, documents, reasons)


def severities(run: Run) -> dict[str, int]:
    """How many findings each severity has, worst first."""
    counted = Counter(finding.severity for finding in run.findings)
    return {severity: counted[severity] for severity in SEVERITIES}


def is_blocker(rule: RuleInfo, severity: str) -> bool:
    """Whether a finding counts among the gravest: an error of a rule whose security score is above 9.0."""
    return severity == "error" and bool(rule.security_severity) and float(rule.security_severity) > 9.0


def gate_counts(run: Run) -> dict[str, int]:
    """The four metrics that quality gates of Alibaba Cloud DevOps Flow compare."""
    counts = {"Total": len(run.findings), "Blocker": 0, "Critical": 0, "Major": 0}
    for finding in run.findings:
        if is_blocker(run.rules[finding.rule], finding.severity):
            counts["Blocker"] += 1
        elif finding.severity == "error":
            counts["Critical"] += 1
        elif finding.severity == "warning":
            counts["Major"] += 1
    return counts


def found_line(run: Run) -> str:
    """`Found 7 findings in 3 of 42 files: 3 errors, 4 warnings (2 suppressed).`, or that there was nothing."""
    language = run.language
    extra = say(language, "summary.suppressed", count=len(run.suppressed)) if run.suppressed else ""
    if not run.findings:
        if not run.resources and not run.suppressed:
            return say(language, "summary.nothing", count=len(run.ledger))
        counts = ledger(run).files
        total = len(run.ledger)
        done = counts["checked"] + counts["partly"]
        return say(
            language,
            "summary.clear",
            files=_files(language, done, total),
            resources=say(language, "count.resources", count=run.resources),
            rules=say(language, "count.rules", count=len(run.rules)),
            seconds=f"{run.elapsed:.1f}",
            extra=extra,
        )
    paths = {finding.path for finding in run.findings}
    total = len(run.ledger) if paths <= {file.path for file in run.ledger} else len(paths)
    counted = [say(language, f"count.{severity}", count=n) for severity, n in severities(run).items() if n]
    return say(
        language,
        "summary.found",
        count=len(run.findings),
        files=_files(language, len(paths), total),
        counts=say(language, "list.comma").join(counted),
        extra=extra,
    )


def _files(language: str, count: int, total: int) -> str:
    if count == total:
        return say(language, "count.files", count=total)
    return say(language, "count.files-of", count=total, some=count)


def ledger_lines(run: Run) -> list[str]:
    """How much was checked, and the most frequent reasons why not all was."""
    language, counts = run.language, ledger(run)
    parts = [
        _by_status(language, "summary.files", counts.files),
        _by_status(language, "summary.documents", counts.documents),
    ]
    if run.context_files:
        parts.append(say(language, "summary.context", count=run.context_files))
    lines = [say(language, "list.sentence").join(filter(None, parts))]
    if counts.reasons:
        frequent = sorted(counts.reasons.items(), key=lambda pair: (-pair[1], pair[0]))
        told = [f"{reason(language, code)} {n}" for code, n in frequent[:_MOST_REASONS]]
        rest = sum(n for _, n in frequent[_MOST_REASONS:])
        if rest:
            told.append(say(language, "summary.other-reasons", count=rest))
        lines.append(say(language, "summary.reasons", reasons=say(language, "list.comma").join(told)))
        if counts.reasons["template"]:
            lines.append(say(language, "summary.templates"))
    return lines


def _by_status(language: str, key: str, counts: Counter[str]) -> str:
    total = sum(counts.values())
    if not total:
        return ""
    if counts["checked"] == total:
        return say(language, f"{key}-all", count=total)
    parts = [say(language, f"status.{status}", count=counts[status]) for status in STATUSES if counts[status]]
    return say(language, key, count=total, parts=say(language, "list.comma").join(parts))


def reason(language: str, code: str) -> str:
    """The wording of a reason of the ledger; the code itself where it has none."""
    key = f"reason.{code}"
    return say(language, key) if key in catalogue(language) else visible(code)


def not_evaluated_line(run: Run) -> str:
    """How many rules could not judge, and which keys of the profile would switch them on; empty if all could."""
    if not run.not_evaluated:
        return ""
    language = run.language
    keys: Counter[str] = Counter()
    for entry in run.not_evaluated:
        keys.update(entry.needs)
    either = say(language, "list.or")
    told = [
        say(language, "summary.key", key=either.join(key.split("|")), count=n)
        for key, n in sorted(keys.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    return say(
        language,
        "summary.not-evaluated",
        count=len({entry.rule for entry in run.not_evaluated}),
        keys=say(language, "list.comma").join(told),
    )


def statistics_lines(run: Run) -> list[str]:
    """A table of the rules that found something, the most frequent first."""
    counted = Counter((finding.rule, finding.severity) for finding in run.findings)
    rows = sorted(
        counted.items(), key=lambda pair: (-pair[1], SEVERITIES.index(pair[0][1]), run.rules[pair[0][0]].code)
    )
    cells = [(str(n), severity, run.rules[name].code, name, run.rules[name].title) for (name, severity), n in rows]
    widths = [max((width(row[column]) for row in cells), default=0) for column in range(4)]
    return [
        f"{number:>{widths[0]}}  {severity:<{widths[1]}}  {code:<{widths[2]}}  {name:<{widths[3]}}  {title}"
        for number, severity, code, name, title in cells
    ]
