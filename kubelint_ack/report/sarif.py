"""The SARIF 2.1.0 report, built with sarif-om; nothing else imports that package.

Sources: the standard, https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html (section numbers below are
its), and GitHub's page "SARIF support for code scanning" under https://docs.github.com/en/code-security.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import attr
import sarif_om as om

from kubelint_ack import __version__
from kubelint_ack.records import SEVERITIES, Finding, Place, ResourceId, Span
from kubelint_ack.report.display import flow, visible
from kubelint_ack.report.excerpt import Sources, SourceText
from kubelint_ack.report.fingerprint import LineHashes
from kubelint_ack.report.jsonfile import encode
from kubelint_ack.report.run import Options, RuleInfo, Run
from kubelint_ack.report.words import OtherPlace, other_places, shown, template
from kubelint_ack.words import catalogue, fill, say

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
SITE = "https://kubelint-ack.io/"
BASE = "%SRCROOT%"

LEVELS = {"error": "error", "warning": "warning", "info": "note"}
PROBLEM_SEVERITIES = {"error": "error", "warning": "warning", "info": "recommendation"}

LONGEST_MESSAGE = 1000
MOST_TAGS = 10
MOST_RELATED = 20
MOST_NOTIFICATIONS = 100
CONTEXT_LINES = 2
LONGEST_CONTEXT = 2000
LONGEST_SNIPPET = 500

UNREAD = ("yaml-syntax", "input-limit")
"""Rules that say that a file could not be read in full: also notifications, as the standard wants (3.58)."""

CRASH = "rule-crash"


def render(run: Run, options: Options) -> Iterator[str]:
    """The document, piece by piece; the same for the same run, whatever the machine or the time."""
    document = plain(_Writer(run, options).log())
    results = document["runs"][0].pop("results")
    head = encode({key: document[key] for key in ("$schema", "version", "runs")})
    yield head.removesuffix("}]}") + ',"results":['
    separator = "\n"
    for result in results:
        yield separator + encode(result)
        separator = ",\n"
    yield "]}]}\n"


# --- sarif-om objects to plain ones ---


@cache
def _properties(kind: Any) -> list[tuple[str, str, Any]]:
    """Attribute, property and default of a class; the one name that differs from the final standard is corrected."""
    found = []
    for field in attr.fields(kind):
        name = field.metadata["schema_property_name"]
        if kind is om.Suppression and name == "state":
            name = "status"  # sarif-om follows an earlier draft
        default = field.default
        if isinstance(default, attr.Factory):  # type: ignore[arg-type]
            default = default.factory()
        if name == "level":
            default = None  # always said, so that no reader needs to know the default
        found.append((field.name, name, default))
    return found


def plain(value: Any) -> Any:
    """A sarif-om object as dicts and lists, without what is None or the standard's default."""
    kind: Any = type(value)
    if kind in (str, int, bool):
        return value
    if kind is list:
        return [plain(item) for item in value]
    if kind is dict:
        return {key: plain(item) for key, item in value.items()}
    found = {}
    for attribute, name, default in _properties(kind):
        item = getattr(value, attribute)
        if item is not None and (default is None or item != default):
            found[name] = plain(item)
    return found


# --- places ---


def uri(path: str) -> str:
    """A path as a relative URI reference: UTF-8, percent-encoded (RFC 3986)."""
    return quote(os.fsencode(path.replace(os.sep, "/").removeprefix("./")))


def is_outside(path: str) -> bool:
    """Whether a path cannot be relative to the repository root."""
    return os.path.isabs(path) or ".." in path.split("/")


def _artifact(path: str) -> om.ArtifactLocation:
    return om.ArtifactLocation(uri=uri(path), uri_base_id=None if is_outside(path) else BASE)


def _units(text: str) -> int:
    """The length in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _region(source: SourceText | None, span: Span) -> om.Region:
    """A span's first line, in UTF-16 units, with its text."""
    if source is None:
        end = span.end_column if span.end_line == span.line else span.column
        return om.Region(
            start_line=span.line,
            start_column=span.column,
            end_line=span.line,
            end_column=max(end, span.column + 1),
        )
    span = source.clamp(span)
    text = source.shown(span.line, span.column, min(span.end_column, span.column + LONGEST_SNIPPET))
    row = source.lines[span.line - 1]
    return om.Region(
        start_line=span.line,
        start_column=1 + _units(row[: span.column - 1]),
        end_line=span.line,
        end_column=1 + _units(row[: span.end_column - 1]),
        snippet=om.ArtifactContent(text=text) if text else None,
    )


def _context(source: SourceText | None, span: Span) -> om.Region | None:
    """Some lines around a span, always more than its region (3.29.5); None where there is no more."""
    if source is None:
        return None
    span = source.clamp(span)
    lines = source.lines
    last = len(lines) - 1 if len(lines) > span.line and not lines[-1] else len(lines)
    first, final = max(1, span.line - CONTEXT_LINES), min(last, span.line + CONTEXT_LINES)
    if first < final and sum(map(len, lines[first - 1 : final])) <= LONGEST_CONTEXT:
        text = "\n".join(source.shown(line) for line in range(first, final + 1))
        return om.Region(start_line=first, end_line=final, snippet=om.ArtifactContent(text=text))
    row = lines[span.line - 1]
    reach = LONGEST_CONTEXT // 10
    start, end = max(1, span.column - reach), min(len(row) + 1, span.end_column + reach)
    if (start, end) == (span.column, span.end_column):
        return None
    text = source.shown(span.line, start, min(end, start + LONGEST_CONTEXT))
    return om.Region(
        start_line=span.line,
        start_column=1 + _units(row[: start - 1]),
        end_line=span.line,
        end_column=1 + _units(row[: end - 1]),
        snippet=om.ArtifactContent(text=text),
    )


def _logical(resource: ResourceId | None, place: Place) -> list[om.LogicalLocation] | None:
    """`apps/v1/Deployment/shop/web/spec.template.spec.containers[web].image`."""
    if resource is None:
        return None
    parts = [resource.group, resource.version, resource.kind, resource.namespace, resource.name, place.stable]
    name = "/".join(visible(part) for part in parts if part)
    return [om.LogicalLocation(fully_qualified_name=name, kind="member" if place.stable else "object")]


# --- wording ---

_ONE = r"\{\w[\w-]*\}"
_DYNAMIC = re.compile(
    rf"(?<!\w)'[^'{{}}]*(?:{_ONE}[^'{{}}]*)+'(?!\w)"  # in quotes, with what stands beside it there
    rf"|\{{\{{|\}}\}}"
    rf"|{_ONE}(?:[ /:-]{_ONE})*",  # such as {kind} {name}
    re.ASCII,
)
_NUMBER = re.compile(r"\{(\d+)\}")


@cache
def message_string(wording: str) -> tuple[str, tuple[str, ...]]:
    """A template as SARIF's `messageStrings` have it, and the templates of its arguments.

    Placeholders become `'{0}'`: numbered, and quoted where they were not; those that belong together (in the same
    quotes, `{kind} {name}`) become one. The string ends with a full stop, as validators want.
    """
    arguments: list[str] = []

    def replace(match: re.Match[str]) -> str:
        text = match.group()
        if text in ("{{", "}}"):
            return text
        inner = text[1:-1] if text.startswith("'") else text
        if inner not in arguments:
            arguments.append(inner)
        return f"'{{{arguments.index(inner)}}}'"

    text = _DYNAMIC.sub(replace, wording.strip())
    return text if text.endswith((".", "。")) else f"{text.rstrip('?!')}.", tuple(arguments)


def _doubled(text: str) -> str:
    """Braces as message strings have them (3.11.5)."""
    return text.replace("{", "{{").replace("}", "}}")


def _unlinked(text: str) -> str:
    """No `[text](target)` from a manifest may become a link (3.11.6)."""
    return text.replace("](", "] (")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip("{}") + "…"


def _sentence(text: str, longest: int = 1000) -> str:
    """The text, at most so long, and ending as a sentence does."""
    text = _cut(text.strip(), longest - 1)
    return text if text.endswith((".", "。", "!", "?", "…")) else f"{text}."


def pascal_case(name: str) -> str:
    """`privileged-container` → `PrivilegedContainer`."""
    return "".join(part.capitalize() for part in name.split("-"))


# --- the log ---


class _Writer:
    def __init__(self, run: Run, options: Options) -> None:
        self.run = run
        self.options = options
        self.sources = Sources(run)
        self.hashes: dict[str, LineHashes | None] = {}
        self.rules = sorted(run.rules.values(), key=lambda rule: rule.code)
        self.index = {rule.name: position for position, rule in enumerate(self.rules)}
        self.described = [rule for rule in self.rules if rule.name in (*UNREAD, CRASH)]
        self.fired: set[str] = set()
        self.english = run.language == "en"

    def say(self, key: str, **values: object) -> str:
        return say(self.run.language, key, **values)

    def log(self) -> om.SarifLog:
        kept = self.kept()
        self.fired = {finding.rule for finding in kept}
        driver = om.ToolComponent(
            name="kubelint-ack",
            organization="kubelint-ack",
            information_uri=SITE,
            version=__version__,
            semantic_version=__version__,
            language="en-US" if self.english else "zh-CN",
            rules=[self.rule(rule) for rule in self.rules],
            notifications=[self.descriptor(rule) for rule in self.described] or None,
        )
        execution, configuration = self.notifications(kept)
        category = self.options.sarif_category.strip("/")
        run = om.Run(
            tool=om.Tool(driver=driver),
            automation_details=om.RunAutomationDetails(id=f"{category}/") if category else None,
            column_kind="utf16CodeUnits",
            invocations=[
                om.Invocation(
                    execution_successful=not self.run.crashed,
                    tool_execution_notifications=execution or None,
                    tool_configuration_notifications=configuration or None,
                )
            ],
            language="en-US" if self.english else "zh-CN",
            original_uri_base_ids={BASE: om.ArtifactLocation(description=om.Message(text=self.say("sarif.root")))},
            results=[self.result(finding) for finding in kept],
            version_control_provenance=self.provenance(),
        )
        return om.SarifLog(schema_uri=SCHEMA, version="2.1.0", runs=[run])

    def kept(self) -> list[Finding]:
        """The most severe findings that fit, ordered by place."""
        findings: Sequence[Finding] = self.run.findings
        if self.options.show_suppressed:
            findings = (*findings, *self.run.suppressed)
        if len(findings) > self.options.sarif_limit:
            findings = sorted(findings, key=self.gravity)[: self.options.sarif_limit]
        return sorted(
            findings, key=lambda one: (uri(one.path), one.place.span.line, one.place.span.column, one.code, one.message)
        )

    def gravity(self, finding: Finding) -> tuple[int, float]:
        return SEVERITIES.index(finding.severity), -float(self.run.rules[finding.rule].security_severity or 0)

    # rules

    def descriptor(self, rule: RuleInfo, **more: Any) -> om.ReportingDescriptor:
        plain_text = [rule.title, rule.why, rule.fix]
        if rule.references:
            plain_text.append("\n".join([self.say("sarif.references"), *rule.references]))
        return om.ReportingDescriptor(
            id=rule.code,
            name=pascal_case(rule.name),
            short_description=om.MultiformatMessageString(text=_sentence(rule.title)),
            full_description=om.MultiformatMessageString(text=_sentence(flow(rule.why))),
            help=om.MultiformatMessageString(
                text="\n\n".join(part.strip() for part in plain_text if part.strip()),
                markdown=self.page(rule) if rule.name in self.fired else None,
            ),
            help_uri=rule.url,
            **more,
        )

    def page(self, rule: RuleInfo) -> str:
        """The rule's page with its examples: only for rules with results, as each costs the reading of a rule file."""
        page = rule.page() if callable(rule.page) else rule.page
        return f"{page.strip()}\n\n[{rule.name}]({rule.url})"

    def rule(self, rule: RuleInfo) -> om.ReportingDescriptor:
        strings = None
        if self.english:
            strings = {
                entry: om.MultiformatMessageString(text=message_string(self.dynamic(wording))[0])
                for entry, wording in (rule.messages or {"default": rule.title}).items()
            }
        properties: dict[str, Any] = {"tags": tags(rule), "precision": rule.precision or "high"}
        if _score(rule):
            properties["security-severity"] = rule.security_severity
        else:
            properties["problem.severity"] = PROBLEM_SEVERITIES[rule.severity]
        return self.descriptor(
            rule,
            default_configuration=om.ReportingConfiguration(level=LEVELS[rule.severity]),
            message_strings=strings,
            properties=properties,
        )

    def dynamic(self, wording: str) -> str:
        """The wording; one without placeholders says besides which object it is about."""
        if not self.english:
            wording = wording.replace("“", "'").replace("”", "'")
        if message_string(wording)[1]:
            return wording
        end = "" if wording.endswith((".", "。")) else "." if self.english else "。"
        space = " " if self.english else ""
        return f"{wording}{end}{space}{catalogue(self.run.language)['sarif.found-in']}"

    # results

    def result(self, finding: Finding) -> om.Result:
        rule = self.run.rules[finding.rule]
        source = self.sources.get(finding.path)
        others = other_places(finding, rule, self.run.language)[:MOST_RELATED]
        return om.Result(
            rule_id=rule.code,
            rule_index=self.index[rule.name],
            level=LEVELS[finding.severity],
            message=self.message(finding, rule, others),
            locations=[
                om.Location(
                    physical_location=om.PhysicalLocation(
                        artifact_location=_artifact(finding.path),
                        region=_region(source, finding.place.span),
                        context_region=_context(source, finding.place.span),
                    ),
                    logical_locations=_logical(finding.resource, finding.place),
                )
            ],
            related_locations=[self.related(number, other) for number, other in enumerate(others, 1)] or None,
            partial_fingerprints=self.fingerprints(finding),
            suppressions=self.suppressions(finding),
            properties={"targets": list(finding.targets)} if finding.targets else None,
        )

    def message(self, finding: Finding, rule: RuleInfo, others: Sequence[OtherPlace]) -> om.Message:
        """The text with links to the other places and, in English, the message string and arguments it is made of."""
        subject = visible(finding.resource.label if finding.resource else finding.path)
        values: Mapping[str, object] = {"subject": subject, **finding.values}
        wording, templates = message_string(self.dynamic(template(finding, rule)))
        arguments = [_unlinked(fill(one, values, shown)) for one in templates]
        text = _NUMBER.sub(lambda match: _doubled(arguments[int(match.group(1))]), wording)
        text = _cut(text, LONGEST_MESSAGE) + self.links(others, LONGEST_MESSAGE - len(text))
        if not self.english:
            return om.Message(text=text)
        entry = finding.message if finding.message in rule.messages else "default"
        return om.Message(text=text, id=entry, arguments=arguments or None)

    def links(self, others: Sequence[OtherPlace], room: int) -> str:
        """A sentence with one link for each other place, as far as there is room."""
        found = ""
        links: list[str] = []
        for number, other in enumerate(others, 1):
            label = re.sub(r"([\[\]\\])", r"\\\1", _doubled(other.subject))
            links.append(f"[{label}]({number})")
            sentence = self.say("sarif.see-also", links=self.say("list.comma").join(links))
            sentence = f" {sentence}" if self.english else sentence
            if len(sentence) > room:
                break
            found = sentence
        return found

    def related(self, number: int, other: OtherPlace) -> om.Location:
        return om.Location(
            id=number,
            message=om.Message(text=_sentence(_doubled(_unlinked(other.label)))),
            physical_location=om.PhysicalLocation(
                artifact_location=_artifact(other.path), region=_region(self.sources.get(other.path), other.span)
            ),
        )

    def fingerprints(self, finding: Finding) -> dict[str, str]:
        found = {}
        if finding.path not in self.hashes:
            source = self.sources.get(finding.path)
            self.hashes[finding.path] = LineHashes(source.text) if source else None
        hashes = self.hashes[finding.path]
        value = hashes.of(finding.place.span.line) if hashes else ""
        if value:
            found["primaryLocationLineHash"] = value
        found["kubelintAck/resource/v1"] = finding.fingerprint
        return found

    def suppressions(self, finding: Finding) -> list[om.Suppression] | None:
        """None for all results, or a list for all (3.27.23)."""
        if not self.options.show_suppressed:
            return None
        by = finding.suppressed
        if by is None:
            return []
        location = None
        if by.path:
            region = om.Region(start_line=by.line) if by.line > 0 else None
            location = om.Location(
                physical_location=om.PhysicalLocation(artifact_location=_artifact(by.path), region=region)
            )
        kind = "inSource" if by.by == "comment" or by.by.endswith("annotation") else "external"
        return [
            om.Suppression(kind=kind, state="accepted", justification=visible(by.reason) or None, location=location)
        ]

    # notifications and provenance

    def notifications(self, kept: Sequence[Finding]) -> tuple[list[om.Notification], list[om.Notification]]:
        """What the run says about itself: about reading and running, and about its configuration.

        Only a crash is an `error`: one such notification means that the run failed (3.20.21).
        """
        execution = [self.noted(finding) for finding in kept if finding.rule in (*UNREAD, CRASH)][:MOST_NOTIFICATIONS]
        texts = list(self.run.notifications)
        if len(self.run.findings) > self.options.sarif_limit:
            texts.append(self.say("sarif.capped", count=len(self.run.findings), limit=self.options.sarif_limit))
        outside = dict.fromkeys(finding.path for finding in kept if is_outside(finding.path))
        texts += [self.say("sarif.outside-root", path=path) for path in outside]
        execution += [om.Notification(message=self.text(text), level="warning") for text in texts[:MOST_NOTIFICATIONS]]
        configuration = [
            om.Notification(
                message=self.text(self.say("sarif.not-evaluated", keys=self.say("list.comma").join(entry.needs))),
                level="note",
                associated_rule=self.reference(entry.rule),
            )
            for entry in self.run.not_evaluated
            if entry.rule in self.index
        ]
        return execution, configuration

    def text(self, text: str) -> om.Message:
        return om.Message(text=_cut(_unlinked(_doubled(visible(text))), LONGEST_MESSAGE))

    def reference(self, rule: str) -> om.ReportingDescriptorReference:
        return om.ReportingDescriptorReference(id=self.run.rules[rule].code, index=self.index[rule])

    def noted(self, finding: Finding) -> om.Notification:
        rule = self.run.rules[finding.rule]
        crash = finding.rule == CRASH
        culprit = finding.values.get("rule")
        return om.Notification(
            descriptor=om.ReportingDescriptorReference(id=rule.code, index=self.described.index(rule)),
            level="error" if crash and self.run.crashed else "warning",
            message=om.Message(text=self.message(finding, rule, ()).text),
            associated_rule=self.reference(culprit) if crash and culprit in self.index else None,
            locations=[
                om.Location(
                    physical_location=om.PhysicalLocation(
                        artifact_location=_artifact(finding.path),
                        region=_region(self.sources.get(finding.path), finding.place.span),
                    )
                )
            ],
        )

    def provenance(self) -> list[om.VersionControlDetails] | None:
        if not self.options.repository_uri:
            return None
        parts = urlsplit(self.options.repository_uri)
        host = parts.netloc.rpartition("@")[2]  # never a user name or token
        return [
            om.VersionControlDetails(
                repository_uri=urlunsplit(parts._replace(netloc=host, query="", fragment="")),
                revision_id=self.options.revision or None,
                mapped_to=om.ArtifactLocation(uri_base_id=BASE),
            )
        ]


def _score(rule: RuleInfo) -> float:
    return float(rule.security_severity or 0)


def tags(rule: RuleInfo) -> list[str]:
    """At most ten: what it is about first, then `kubernetes`, `ack`, and the rule's own with CWE in both spellings."""
    if _score(rule) or "security" in rule.presets:
        first = "security"
    else:
        first = "reliability" if "reliability" in rule.presets else "correctness"
    found = [first, "kubernetes", *(["ack"] if "ack" in rule.presets else []), *rule.tags]
    return list(dict.fromkeys(_spelled(found)))[:MOST_TAGS]


def _spelled(tags: Iterable[str]) -> Iterator[str]:
    for tag in tags:
        number = re.fullmatch(r"cwe-(\d+)", tag)
        if number:
            yield f"cwe-{int(number[1])}"
            yield f"external/cwe/cwe-{int(number[1]):03}"
        else:
            yield tag
