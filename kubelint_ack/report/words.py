"""Wording: the message of a finding, and what is said about its other places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kubelint_ack.records import Finding, Place, ResourceId, Span, Unknown
from kubelint_ack.report.display import visible
from kubelint_ack.report.run import RuleInfo
from kubelint_ack.words import catalogue, fill, say

LONGEST_VALUE = 200
"""A value is cut there: a scalar may be megabytes long."""


def shown(value: object) -> str:
    """A value as it appears in a message: `a=b,c=d` for a mapping, `a, b` for a list, `?` for what is unknown."""
    text = visible(_plain(value))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ",".join(f"{_plain(key)}={_plain(item)}" for key, item in value.items()) or "{}"
    if isinstance(value, ResourceId):
        return value.label
    if isinstance(value, Unknown):
        return value.text
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return ", ".join(_plain(item) for item in items) or "[]"
    return str(value)


def template(finding: Finding, rule: RuleInfo) -> str:
    """The wording that the hit chose."""
    return rule.messages.get(finding.message) or rule.messages.get("default") or rule.title


def message(finding: Finding, rule: RuleInfo) -> str:
    """What is wrong, in the language of the rule's texts; on one line and safe to print."""
    return fill(template(finding, rule), finding.values, shown)


def suppressed_by(finding: Finding, language: str) -> str:
    """Where a finding was suppressed, and why; empty if it was not."""
    by = finding.suppressed
    if by is None:
        return ""
    tool, _, what = by.by.rpartition(" ")
    means = say(language, f"by.{what}") if f"by.{what}" in catalogue(language) else what
    return say(
        language,
        "finding.suppressed" if by.reason else "finding.suppressed-without-reason",
        by=visible(f"{tool} {means}".strip()),
        path=visible(by.path),
        line=by.line,
        reason=visible(by.reason),
    )


class OtherPlace(NamedTuple):
    """Another end of a finding, worded."""

    path: str
    span: Span
    field: str
    resource: ResourceId | None
    note: str
    """Empty where only the resource's label could be said."""

    @property
    def label(self) -> str:
        """The note, else the resource, else the file."""
        return self.note or self.subject

    @property
    def subject(self) -> str:
        """The resource, else the file."""
        return visible(self.resource.label if self.resource else self.path)


def other_places(finding: Finding, rule: RuleInfo, language: str) -> list[OtherPlace]:
    """The related places of a finding; where a place passes a YAML alias, also where its value is written."""
    found = []
    if finding.place.anchor:
        found.append(_written(finding.path, finding.place, finding.resource, language))
    for one in finding.related:
        note = fill(rule.notes[one.note], finding.values, shown) if one.note in rule.notes else ""
        found.append(OtherPlace(one.path, one.place.span, one.place.field, one.resource, note))
        if one.place.anchor:
            found.append(_written(one.path, one.place, one.resource, language))
    return found


def _written(path: str, place: Place, resource: ResourceId | None, language: str) -> OtherPlace:
    assert place.anchor is not None
    return OtherPlace(path, place.anchor, place.field, resource, say(language, "place.anchor"))
