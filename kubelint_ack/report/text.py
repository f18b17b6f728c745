"""The report for people: each finding with the lines it points at, then the counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from click import style

from kubelint_ack.records import Finding, Span
from kubelint_ack.report.display import COLORS, defuse, flow, visible, width, wrap
from kubelint_ack.report.excerpt import NEAR, Mark, Row, Sources, draw
from kubelint_ack.report.run import Options, RuleInfo, Run
from kubelint_ack.report.summary import found_line, ledger_lines, not_evaluated_line, statistics_lines
from kubelint_ack.report.words import OtherPlace, message, other_places, suppressed_by
from kubelint_ack.words import say

GROUPED_ABOVE = 5
"""So many identical findings are shown in full; more are listed under the first."""

LISTED = 4
"""How many of the grouped are listed."""

MOST_PLACES = 5
"""How many related places one finding shows."""


def render(run: Run, options: Options) -> Iterator[str]:
    """The report, piece by piece; no line is wider than `options.width` (40 to 200 cells) unless a word is."""
    writer = _Writer(run, options)
    pieces = _statistics(run) if options.statistics else writer.findings()
    for lines in pieces:
        yield "".join(f"{defuse(line) if options.ci else line}\n" for line in lines)
    if not options.quiet:
        for line in _summary(run, writer.columns):
            yield f"{defuse(line) if options.ci else line}\n"


def _statistics(run: Run) -> Iterator[list[str]]:
    if run.findings:
        yield [*statistics_lines(run), ""]


def _summary(run: Run, columns: int) -> Iterator[str]:
    for line in [found_line(run), *ledger_lines(run), not_evaluated_line(run)]:
        if line:
            yield from wrap(line, columns, "  ")


def same_group(finding: Finding) -> str:
    """A text that is equal for findings that differ only in the place and the resource they are about."""
    resource = finding.resource
    own = {resource.name, resource.namespace, resource.kind, resource.label} if resource else set()
    values = {key: value for key, value in finding.values.items() if not (isinstance(value, str) and value in own)}
    parts = [finding.rule, finding.message, finding.severity, values, len(finding.related)]
    return json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)


class _Writer:
    def __init__(self, run: Run, options: Options) -> None:
        self.run = run
        self.options = options
        self.columns = max(40, min(options.width, 200))
        self.sources = Sources(run)

    def findings(self) -> Iterator[list[str]]:
        """One block of lines for each finding or group, each ending with an empty line."""
        listed = self.run.findings
        if self.options.max_findings:
            listed = listed[: self.options.max_findings]
        groups: dict[str, list[Finding]] = {}
        if self.options.group:
            for finding in listed:
                groups.setdefault(same_group(finding), []).append(finding)
        for finding in listed:
            alike = groups.get(same_group(finding), []) if groups else []
            if len(alike) <= GROUPED_ABOVE:
                yield [*self.block(finding, []), ""]
            elif alike[0] is finding:
                yield [*self.block(finding, alike[1:]), ""]
        rest = len(self.run.findings) - len(listed)
        if rest:
            yield [say(self.run.language, "finding.not-listed", count=rest), ""]
        if self.options.show_suppressed:
            for finding in self.run.suppressed:
                yield [*self.block(finding, []), ""]

    def paint(self, text: str, **look: Any) -> str:
        return style(text, **look) if self.options.color else text

    def link(self, text: str, address: str) -> str:
        """The text as a hyperlink (OSC 8) where the terminal has them."""
        return f"\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\" if self.options.hyperlinks and address else text

    def block(self, finding: Finding, alike: Sequence[Finding]) -> list[str]:
        rule = self.run.rules[finding.rule]
        places = other_places(finding, rule, self.run.language)
        more = len(places) - MOST_PLACES
        excerpts = self.excerpts(finding, places[:MOST_PLACES])
        gutter = len(str(max((row.number for _, rows in excerpts for row in rows), default=1)))
        lines = self.head(finding, rule)
        for index, (arrow, rows) in enumerate(excerpts):
            if index and lines[-1] != f"{' ' * gutter} |":
                lines.append(f"{' ' * gutter} |")
            lines += self.arrow(arrow, gutter, ":::" if index else "-->")
            if rows:
                lines.append(f"{' ' * gutter} |")
            lines += [self.row(row, gutter, finding.severity) for row in rows]
        lines.append(f"{' ' * gutter} |")
        if more > 0:
            lines += self.note(gutter, say(self.run.language, "finding.more-places", count=more))
        lines += self.notes(finding, rule, gutter)
        return lines + self.alike(alike, gutter)

    def head(self, finding: Finding, rule: RuleInfo) -> list[str]:
        text = say(
            self.run.language,
            "finding.head",
            severity=finding.severity,
            rule=rule.name,
            code=rule.code,
            message=message(finding, rule),
        )
        lines = wrap(text, self.columns, "    ")
        label = f"{finding.severity}[{rule.name}]"
        linked = f"{finding.severity}[{self.link(rule.name, rule.url)}]"
        rest = lines[0][len(label) :]
        first = self.paint(linked, fg=COLORS[finding.severity], bold=True) + self.paint(rest, bold=True)
        return [first, *(self.paint(line, bold=True) for line in lines[1:])]

    def excerpts(self, finding: Finding, places: Sequence[OtherPlace]) -> list[tuple[OtherPlace, list[Row]]]:
        """The finding's own place with those near it, then the others."""
        own = OtherPlace(finding.path, finding.place.span, finding.place.field, finding.resource, "")
        near = [Mark(own.span, True)]
        far = []
        for place in places:
            if place.path == own.path and any(abs(place.span.line - mark.span.line) <= NEAR for mark in near):
                near.append(Mark(place.span, False, place.label))
            else:
                far.append(place)
        found = [(own, self.drawn(own.path, near))]
        return found + [(place, self.drawn(place.path, [Mark(place.span, False, place.note)])) for place in far]

    def drawn(self, path: str, marks: Sequence[Mark]) -> list[Row]:
        source = self.sources.get(path)
        if source is None:
            return []
        gutter = len(str(max(mark.span.line for mark in marks)))
        return draw(source, marks, self.columns - gutter - 3)

    def arrow(self, place: OtherPlace, gutter: int, sign: str) -> list[str]:
        where = f"{' ' * gutter}{sign} {self.where(place.path, place.span)}"
        if place.resource is None:
            return [where]
        plain = width(f"{' ' * gutter}{sign} {_where(place.path, place.span)}")
        label = f"({visible(place.resource.label)})"
        if plain + 2 + width(label) <= self.columns:
            return [f"{where}  {label}"]
        return [where, f"{' ' * (gutter + 4)}{label}"]

    def where(self, path: str, span: Span) -> str:
        text = _where(path, span)
        if not self.options.hyperlinks or path.startswith("<"):
            return text
        import os.path
        from urllib.parse import quote

        return self.link(text, "file://" + quote(os.path.join(self.run.root, path), errors="surrogateescape"))

    def row(self, row: Row, gutter: int, severity: str) -> str:
        if row.style == "gap":
            return f"{' ' * gutter} {row.text}"
        number = str(row.number) if row.number else ""
        text = self.paint(row.text, fg=COLORS[severity], bold=True) if row.style == "primary" else row.text
        return f"{number:>{gutter}} | {text}".rstrip()

    def note(self, gutter: int, text: str) -> list[str]:
        start = f"{' ' * gutter} = "
        first, *rest = wrap(text, self.columns - len(start))
        return [start + first, *(" " * len(start) + line for line in rest)]

    def notes(self, finding: Finding, rule: RuleInfo, gutter: int) -> list[str]:
        language = self.run.language
        lines = []
        if finding.partial:
            lines += self.note(gutter, say(language, "finding.targets", targets=visible(", ".join(finding.targets))))
        if finding.suppressed:
            lines += self.note(gutter, suppressed_by(finding, language))
        if rule.fix:
            lines += self.note(gutter, say(language, "finding.help", text=flow(rule.fix)))
        if rule.url and not self.options.hyperlinks:
            lines += self.note(gutter, say(language, "finding.docs", text=rule.url))
        return lines

    def alike(self, alike: Sequence[Finding], gutter: int) -> list[str]:
        """The other findings of a group."""
        if not alike:
            return []
        lines = self.note(gutter, say(self.run.language, "finding.same", count=len(alike)))
        indent = " " * (gutter + 5)
        for finding in alike[:LISTED]:
            label = f"  ({visible(finding.resource.label)})" if finding.resource else ""
            plain = len(indent) + width(_where(finding.path, finding.place.span))
            where = f"{indent}{self.where(finding.path, finding.place.span)}"
            lines += [where + label] if plain + width(label) <= self.columns else [where, f"{indent}{label}"]
        if len(alike) > LISTED:
            lines.append(indent + say(self.run.language, "finding.same-rest", count=len(alike) - LISTED))
        return lines


def _where(path: str, span: Span) -> str:
    return f"{visible(path)}:{span.line}:{span.column}"
