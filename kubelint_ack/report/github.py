"""Workflow commands, which GitHub shows as annotations, and the job summary, which holds all findings.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubelint_ack.records import SEVERITIES, Finding
from kubelint_ack.report.display import defuse, visible
from kubelint_ack.report.run import Options, Run
from kubelint_ack.report.summary import found_line, ledger_lines, not_evaluated_line
from kubelint_ack.report.words import message
from kubelint_ack.words import say

COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}

SHOWN = {"error": 10, "warning": 10, "info": 9}
"""GitHub shows ten annotations of each kind for a step; one notice is kept for the counts."""

SUMMARY_BYTES = 1_000 * 1024
"""GitHub drops a job summary of more than 1,024 KiB altogether."""


def render(run: Run, options: Options) -> Iterator[str]:
    """The most severe findings as commands, then a notice with the counts."""
    shown = 0
    for severity in SEVERITIES:
        found = [finding for finding in run.findings if finding.severity == severity]
        found.sort(key=lambda finding: -float(run.rules[finding.rule].security_severity or 0))
        for finding in found[: SHOWN[severity]]:
            shown += 1
            yield _command(finding, run)
    if run.findings:
        text = found_line(run)
        if shown < len(run.findings):
            text = say(run.language, "summary.annotations", found=text, shown=shown)
        yield f"::notice title=kubelint-ack::{_data(text)}\n"


def _command(finding: Finding, run: Run) -> str:
    rule = run.rules[finding.rule]
    span = finding.place.span
    properties = {"file": visible(finding.path), "line": str(span.line), "endLine": str(span.end_line)}
    if span.line == span.end_line:
        properties |= {"col": str(span.column), "endColumn": str(max(span.end_column, span.column))}
    properties["title"] = f"{rule.code} {rule.name}"
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{COMMANDS[finding.severity]} {listed}::{_data(message(finding, rule))}\n"


def _data(text: str) -> str:
    """A command's text, as actions/toolkit escapes it (packages/core/src/command.ts)."""
    return defuse(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def append_summary(run: Run, options: Options) -> None:
    """Append the table of all findings to `options.step_summary`, within what GitHub accepts of the whole file.

    Raises OSError if the file cannot be written.
    """
    with open(options.step_summary, "ab") as file:
        file.write(summary(run, SUMMARY_BYTES - file.tell()).encode("utf-8", "backslashreplace"))


def summary(run: Run, room: int = SUMMARY_BYTES) -> str:
    """The job summary in Markdown, of at most `room` bytes: counts, then a table, worst findings first."""
    lines = [_text(line) for line in [found_line(run), *ledger_lines(run), not_evaluated_line(run)] if line]
    head = "### kubelint-ack\n\n" + "\n\n".join(lines) + "\n"
    if not run.findings:
        return head if len(head.encode()) <= room else ""
    columns = [say(run.language, f"table.{name}") for name in ("severity", "rule", "place", "resource", "message")]
    head += f"\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}\n"
    rows = []
    room -= len(head.encode()) + 200
    ordered = sorted(run.findings, key=lambda finding: SEVERITIES.index(finding.severity))
    for finding in ordered:
        row = _table_row(finding, run)
        room -= len(row.encode("utf-8", "backslashreplace"))
        if room < 0:
            break
        rows.append(row)
    if room < 0 and not rows:
        return ""
    rest = len(ordered) - len(rows)
    return head + "".join(rows) + (f"\n{say(run.language, 'table.cut', count=rest)}\n" if rest else "")


def _table_row(finding: Finding, run: Run) -> str:
    rule = run.rules[finding.rule]
    span = finding.place.span
    cells = [
        finding.severity,
        f"[{rule.name}]({rule.url})",
        _text(visible(f"{finding.path}:{span.line}:{span.column}")),
        _text(visible(finding.resource.label)) if finding.resource else "",
        _text(message(finding, rule)),
    ]
    return f"| {' | '.join(cells)} |\n"


_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+!|~<>&@:]")


def _text(text: str) -> str:
    """Text from a manifest that Markdown and HTML leave alone."""
    return _MARKDOWN.sub(lambda match: f"&#{ord(match.group())};", text)
