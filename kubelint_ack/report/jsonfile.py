"""The JSON report: `schemas/report.schema.json` describes it. One finding a line, so that reports can be compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from kubelint_ack import __version__
from kubelint_ack.records import DocumentEntry, FileEntry, Finding, Place, ResourceId, Span
from kubelint_ack.report.display import HIDDEN, visible
from kubelint_ack.report.excerpt import Sources
from kubelint_ack.report.run import NotEvaluated, Options, Run
from kubelint_ack.report.summary import STATUSES, Ledger, gate_counts, ledger, severities
from kubelint_ack.report.words import message, other_places

SCHEMA_VERSION = "1"

_HAZARDS = re.compile(f"[{HIDDEN}]|#(?=#[A-Za-z]*\\[)")
_SURROGATES = re.compile("[\ud800-\udfff]")


def encode(value: Any) -> str:
    """A value as JSON that is safe to print: what a terminal or a CI system could act on is written as `\\u....`.

    Nothing is lost by it, except that lone surrogates (a file name that is not UTF-8) become readable escapes,
    because many parsers refuse them.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if not text.isascii():
        text = _SURROGATES.sub(lambda match: visible(match.group()).replace("\\", "\\\\"), text)
    return _HAZARDS.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def render(run: Run, options: Options) -> Iterator[str]:
    """The document, piece by piece; the same for the same run, whatever the machine or the time."""
    counts = ledger(run)
    sources = Sources(run)
    yield "{\n"
    yield f'"schema_version":{encode(SCHEMA_VERSION)},\n'
    yield f'"tool":{encode({"name": "kubelint-ack", "version": __version__})},\n'
    yield f'"summary":{encode(_summary(run, counts))},\n'
    yield from _array("files", map(_file, run.ledger))
    yield from _array("findings", (_finding(one, run, sources) for one in run.findings))
    yield from _array("suppressed", (_finding(one, run, sources) for one in run.suppressed))
    yield from _array("not_evaluated", map(_not_evaluated, run.not_evaluated))
    yield f'"notifications":{encode(list(run.notifications))}\n'
    yield "}\n"


def _array(key: str, items: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield f'"{key}":['
    separator = "\n"
    for item in items:
        yield separator + encode(item)
        separator = ",\n"
    yield "],\n"


def _summary(run: Run, counts: Ledger) -> dict[str, Any]:
    found: dict[str, int] = {}
    for finding in run.findings:
        found[finding.rule] = found.get(finding.rule, 0) + 1
    return {
        **severities(run),
        **gate_counts(run),
        "suppressed": len(run.suppressed),
        "not_evaluated": len({entry.rule for entry in run.not_evaluated}),
        "files": _statuses(counts.files),
        "documents": _statuses(counts.documents),
        "reasons": dict(sorted(counts.reasons.items())),
        "context_files": run.context_files,
        "resources": run.resources,
        "rules": dict(sorted(found.items())),
        "targets": list(run.targets),
    }


def _statuses(counts: Any) -> dict[str, int]:
    return {"total": sum(counts.values()), **{status.replace("-", "_"): counts[status] for status in STATUSES}}


def _file(entry: FileEntry) -> dict[str, Any]:
    return {
        "path": entry.path,
        "status": entry.status,
        **_why(entry),
        "documents": [_document(document) for document in entry.documents],
    }


def _document(entry: DocumentEntry) -> dict[str, Any]:
    found: dict[str, Any] = {"number": entry.number, "line": entry.line, "status": entry.status, **_why(entry)}
    if entry.kind:
        found["kind"] = entry.kind
    if entry.name:
        found["name"] = entry.name
    return found


def _why(entry: FileEntry | DocumentEntry) -> dict[str, str]:
    found = {}
    if entry.reason:
        found["reason"] = entry.reason
    if entry.detail:
        found["detail"] = visible(entry.detail)
    return found


def _span(span: Span) -> dict[str, int]:
    return {
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _resource(resource: ResourceId | None) -> dict[str, Any] | None:
    if resource is None:
        return None
    return {
        "kind": resource.kind,
        "namespace": resource.namespace,
        "name": resource.name,
        "api_version": f"{resource.group}/{resource.version}" if resource.group else resource.version,
    }


def _place(path: str, place: Place, sources: Sources) -> dict[str, Any]:
    source = sources.get(path)
    offset = {"byte_offset": source.byte_offset(place.span.line, place.span.column)} if source else {}
    return {"path": path, **_span(place.span), **offset}


def _finding(finding: Finding, run: Run, sources: Sources) -> dict[str, Any]:
    rule = run.rules[finding.rule]
    found = {
        "rule": finding.rule,
        "code": finding.code,
        "severity": finding.severity,
        "message": message(finding, rule),
        **_place(finding.path, finding.place, sources),
        "resource": _resource(finding.resource),
        "field": finding.place.field,
        "related": [
            {
                "path": one.path,
                **_span(one.span),
                "message": one.label,
                "resource": _resource(one.resource),
                "field": one.field,
            }
            for one in other_places(finding, rule, run.language)
        ],
        "fingerprint": finding.fingerprint,
    }
    if finding.targets:
        found["targets"] = list(finding.targets)
    if finding.suppressed:
        found["suppression"] = {
            "by": finding.suppressed.by,
            "reason": finding.suppressed.reason,
            "path": finding.suppressed.path,
            "line": finding.suppressed.line,
        }
    return found


def _not_evaluated(entry: NotEvaluated) -> dict[str, Any]:
    return {"rule": entry.rule, "code": entry.code, "needs": list(entry.needs), "targets": list(entry.targets)}
