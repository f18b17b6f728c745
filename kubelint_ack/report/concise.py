"""One line for each finding, as editors and `grep` read them: `path:line:col: severity CODE[name] message`."""

from __future__ import annotations

from collections.abc import Iterator

from click import style

from kubelint_ack.report.display import COLORS, defuse, visible
from kubelint_ack.report.run import Options, Run
from kubelint_ack.report.words import message, suppressed_by


def render(run: Run, options: Options) -> Iterator[str]:
    """The lines; the severity is never translated. The counts are the caller's to print elsewhere."""
    listed = run.findings[: options.max_findings or None]
    for finding in (*listed, *(run.suppressed if options.show_suppressed else ())):
        rule = run.rules[finding.rule]
        start = finding.place.span
        severity = style(finding.severity, fg=COLORS[finding.severity]) if options.color else finding.severity
        head = f"{visible(finding.path)}:{start.line}:{start.column}: {severity} {rule.code}[{rule.name}]"
        line = f"{head} {message(finding, rule)}"
        if finding.suppressed:
            line += f" ({suppressed_by(finding, run.language)})"
        yield f"{defuse(line) if options.ci else line}\n"
