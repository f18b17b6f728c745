"""Scan: one file to a small record: hits that need only that file, facts, suppressions, its ledger entry.

A pure function of the file's bytes, its path and role, and the settings: it runs in any process and is cached.
"""

# As in records.py, annotations are not postponed.

import importlib
import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from kubelint_ack.catalog import Active
from kubelint_ack.crds import Definitions
from kubelint_ack.decode import Decoded, Document, decode
from kubelint_ack.extract import extract
from kubelint_ack.facts import Facts, empty_facts
from kubelint_ack.files import sniff
from kubelint_ack.kinds import may_be_built_in
from kubelint_ack.knowledge import Broken
from kubelint_ack.profile import EMPTY, Profile, unmet
from kubelint_ack.records import (
    DocumentEntry,
    FieldPath,
    FileEntry,
    Hit,
    LedgerStatus,
    LocatedHit,
    Place,
    RelatedPlace,
    ResourceId,
    Route,
    Span,
    Unknown,
    field_text,
)
from kubelint_ack.redaction import may_hold_credentials, secret_spans, whole_span
from kubelint_ack.resource import NotResource, Resource, resources
from kubelint_ack.suppress import Suppression, find_suppressions
from kubelint_ack.views import POD_ROUTES, View, Workload, mapping, views

ANY = ("*", "any")
WORKLOADS = ("*", "workload")


class ScanRecord(NamedTuple):
    """All that the rest of the run needs of one file."""

    path: str
    entry: FileEntry
    hits: list[LocatedHit]
    facts: Facts
    suppressions: list[Suppression]
    redacted: list[Span]
    """Data of Secrets: never shown."""
    families: list[tuple[str, str]]
    """Kinds met."""
    hidden: list[str]
    """Kinds that its unchecked documents may define; `*`: any."""
    broken: list[Broken]
    """Those of its unchecked documents that can only define what they name."""
    resources: int
    schemas: str = ""
    """What the custom resources among its kinds were judged by: `Definitions.digest`."""


class Settings(NamedTuple):
    """What a scan depends on besides the file."""

    active: dict[str, Active]
    profiles: tuple[Profile, ...]
    """The distinct profiles of the run."""
    pod_routes: dict[tuple[str, str], tuple[Route, ...]] = POD_ROUTES
    max_bytes: int = 10_000_000
    definitions: Definitions = Definitions()
    """Where the schemas of custom resources are."""


Check = Callable[..., Iterator[Hit]]

Visible = tuple[tuple[tuple[int, ...], Profile], ...]
"""Profiles and their indices; no index: the answer does not depend on the profile."""

DECODE_RULES = {
    "yaml-syntax": ("yaml-syntax", "default"),
    "control-character": ("yaml-syntax", "control-character"),
    "yaml-duplicate-key": ("yaml-duplicate-key", "default"),
    "encoding": ("file-encoding", "default"),
    "file-too-large": ("input-limit", "too-large"),
    "document-too-deep": ("input-limit", "too-deep"),
    "alias-budget": ("input-limit", "aliases"),
    "anchor-limit": ("input-limit", "anchors"),
    "document-limit": ("input-limit", "documents"),
}
"""Which engine rule, and which of its wordings, reports what the decoder met."""

# What libyaml (https://github.com/yaml/libyaml, src/scanner.c and src/parser.c) and our own decoder say, and the
# wording of yaml-syntax that tells what to do.
_SYNTAX = {
    "mapping values are not allowed in this context": "value",
    "could not find expected ':'": "no-colon",
    "did not find expected key": "no-key",
    "did not find expected <document start>": "no-key",
    "did not find expected '-' indicator": "no-dash",
    "block sequence entries are not allowed in this context": "list",
    "did not find expected alphabetic or numeric character": "alias",
    "found character that cannot start any token": "character",
    "found unexpected end of stream": "quote",
    "found unexpected document indicator": "quote",
    "found unknown escape character": "escape",
    "did not find expected ',' or ']'": "bracket",
    "did not find expected ',' or '}'": "bracket",
    "did not find expected comment or line break": "block",
    "only a comment may follow a document separator": "separator",
    "the text after the end of the document is dropped": "dropped",
}


def check_function(active: Active) -> Check:
    """The check of a rule: the function of its name in its area's module."""
    module = importlib.import_module(f"kubelint_ack.checks.{active.rule.area}")
    function: Check = getattr(module, active.rule.function)
    return function


Shape = Literal["plain", "template", "further template"]
"""What is judged: an object, one with its (first) pod template, or another pod template of the same object."""


class Task(NamedTuple):
    """A rule for one sort of object."""

    active: Active
    check: Check
    """With the rule's options."""
    visible: Visible


class Plan(NamedTuple):
    """What one sort of object meets, in the order of the rules' codes."""

    tasks: tuple[Task, ...]
    unjudged: frozenset[str]
    """Rules that would judge it if a profile declared what they need."""


class Dispatch:
    """Which checks an object meets; modules are imported when a document of their kinds is met."""

    def __init__(self, active: Mapping[str, Active], reads: str, profiles: tuple[Profile, ...]) -> None:
        self._rules = [one for one in active.values() if one.rule.reads == reads]
        self._profiles = profiles
        self._plans: dict[tuple[tuple[str, str], Shape, bool], Plan] = {}
        self.judges_schemas = any(one.rule.reads == "schema" for one in active.values())

    def plan(self, family: tuple[str, str], shape: Shape, is_alibaba: bool) -> Plan:
        """The plan for objects of a kind. `is_alibaba`: they are plainly Alibaba Cloud's."""
        found = self._plans.get((family, shape, is_alibaba))
        if found is None:
            found = self._plans[family, shape, is_alibaba] = self._plan(family, shape, is_alibaba)
        return found

    def _plan(self, family: tuple[str, str], shape: Shape, is_alibaba: bool) -> Plan:
        tasks: list[Task] = []
        unjudged: set[str] = set()
        # Of a further pod template only what is about pod templates.
        kinds = {WORKLOADS} if shape == "further template" else {family, ANY}
        if shape == "template":
            kinds.add(WORKLOADS)
        for active in self._rules:
            if kinds.isdisjoint(active.rule.kinds):
                continue
            meant = [one for one in self._profiles if is_alibaba or not active.ack_only or one.is_ack]
            if any(unmet(one, active.rule.needs) for one in meant):
                unjudged.add(active.rule.name)
            visible = self._visible(active, is_alibaba)
            if visible:
                check = check_function(active)
                tasks.append(Task(active, partial(check, **active.options) if active.options else check, visible))
        return Plan(tuple(tasks), frozenset(unjudged))

    def _visible(self, active: Active, is_alibaba: bool) -> Visible:
        """Under which profiles a rule judges an object, each with its indices; none: it is silent.

        A rule that reads nothing of a profile runs once for all.
        """
        rule = active.rule
        everywhere = is_alibaba or not active.ack_only
        if rule.needs or rule.sharpens:
            return tuple(
                ((index,), one)
                for index, one in enumerate(self._profiles)
                if not unmet(one, rule.needs) and (everywhere or one.is_ack)
            )
        if everywhere:
            return (((), EMPTY),)
        return tuple(((index,), EMPTY) for index, one in enumerate(self._profiles) if one.is_ack)


_dispatches: list[tuple[Settings, Dispatch]] = []
"""That of the latest run in this process."""


def _dispatch(settings: Settings) -> Dispatch:
    for known, dispatch in _dispatches:
        if known.active is settings.active and known.profiles is settings.profiles:
            return dispatch
    dispatch = Dispatch(settings.active, "resource", settings.profiles)
    _dispatches[:] = [(settings, dispatch)]
    return dispatch


def scan(path: str, data: bytes, role: str, explicit: bool, settings: Settings) -> ScanRecord:
    """The record of one file. `role` is `manifest`, `patch` or `data` (as kustomizations use it)."""
    if role == "data":
        return _unread(path, "kustomize-data")
    seen = sniff(data) or posixpath.basename(path).startswith("kustomization.")
    if not seen and not explicit:
        return _unread(path, "not-kubernetes")
    record = _Scan(path, decode(data, max_bytes=settings.max_bytes), role, settings).record()
    # What only an explicit name makes us look into hides nothing: it would not if it were found by walking.
    return record if seen else record._replace(hidden=[], broken=[])


def _unread(path: str, reason: str, detail: str = "") -> ScanRecord:
    return ScanRecord(path, FileEntry(path, "not-checked", reason, detail), [], empty_facts(), [], [], [], [], [], 0)


def crashed(path: str, error: Exception) -> ScanRecord:
    """The record of a file that made the linter itself fail."""
    hit = crash_hit("scan", error, path, None, Place(Span(1, 1, 1, 1), "", ""))
    # What the error says may quote the file, which may hold a Secret.
    hit = hit._replace(values={**hit.values, "detail": "…"})
    return _unread(path, "crash")._replace(hits=[hit], hidden=["*"])


def unreadable(path: str, reason: str, detail: str, settings: Settings) -> ScanRecord:
    """The record of a file that could not be read; one that is too large is a finding too."""
    record = _unread(path, reason, detail)._replace(hidden=["*"])
    active = settings.active.get("input-limit")
    if reason == "too-large" and active is not None:
        values = {"size": detail, "limit": settings.max_bytes}
        hit = LocatedHit(
            "input-limit", path, Place(Span(1, 1, 1, 1), "", ""), None, "too-large", active.severity, values
        )
        record = record._replace(hits=[hit])
    return record


class _Scan:
    def __init__(self, path: str, decoded: Decoded, role: str, settings: Settings) -> None:
        self.path = path
        self.decoded = decoded
        self.role = role
        self.settings = settings
        self.may_direct = "$patch" in decoded.text
        self.dispatch = _dispatch(settings)
        self.hits: list[LocatedHit] = []
        self.facts = empty_facts()
        self.redacted: list[Span] = []
        self.families: dict[tuple[str, str], None] = {}
        self.hidden: dict[str, None] = {}
        self.broken: list[Broken] = []
        self.count = 0
        self.crashed: set[str] = set()
        self.found: list[tuple[Document, Resource]] = []

    def record(self) -> ScanRecord:
        """Everything found, as the record."""
        entries = [self._document(document, number) for number, document in enumerate(self.decoded.documents, 1)]
        for document, entry in zip(self.decoded.documents, entries):
            body = self.decoded.text[document.start : document.end]
            if entry.status == "not-checked" and may_hold_credentials(body):
                self.redacted.append(whole_span(self.decoded, document))
        for problem in self.decoded.problems:
            self._problem(problem, None, None)
        suppressions = find_suppressions(self.path, self.decoded, self.found, self.settings.pod_routes)
        # What looks like a suppression inside a Secret's value is data, and would be quoted.
        suppressions = [one for one in suppressions if not (one.problem == "inside-value" and _is_secret(one.resource))]
        return ScanRecord(
            self.path,
            self._file_entry(entries),
            self.hits,
            self.facts,
            suppressions,
            self.redacted,
            list(self.families),
            list(self.hidden),
            self.broken,
            self.count,
            self.settings.definitions.digest(self.families),
        )

    def _file_entry(self, entries: list[DocumentEntry]) -> FileEntry:
        if not entries:
            limited = next((problem.kind for problem in self.decoded.problems), "")
            if limited:
                self.hidden["*"] = None
            return FileEntry(self.path, "not-checked", limited or "empty")
        statuses = {entry.status for entry in entries}
        status: LedgerStatus = "partly"
        if statuses == {"checked"}:
            status = "checked"
        elif statuses == {"not-checked"}:
            status = "not-checked"
        reasons = list(dict.fromkeys(entry.reason for entry in entries if entry.reason))
        if any(problem.kind == "document-limit" for problem in self.decoded.problems):
            self.hidden["*"] = None
            status, reasons = "partly", [*reasons, "document-limit"]
        return FileEntry(
            self.path, status, reasons[0] if len(reasons) == 1 else ("several" if reasons else ""), "", tuple(entries)
        )

    def _document(self, document: Document, number: int) -> DocumentEntry:
        line = document.span.line

        def entry(status: LedgerStatus, reason: str, detail: str = "") -> DocumentEntry:
            return DocumentEntry(number, line, status, reason, detail)

        if document.failed:
            self._hide(document)
            if document.template:
                return entry("not-checked", "template")
            for problem in document.problems:
                self._problem(problem, document, None)
            return entry("not-checked", "syntax")
        if self.role == "patch":
            return entry("not-checked", "kustomize-patch")
        found, reason = resources(document.data, posixpath.basename(self.path))
        if reason is None and not found:
            reason = NotResource("list-items" if document.data["items"] else "empty-list")
        if reason is not None:
            if reason.reason == "template":
                self._hide(document)
            return entry("not-checked", reason.reason, reason.detail)
        if len(found) == 1 and _is_patch(found[0], self.may_direct):
            # It may be an object after all, or change one so that it fits what refers to it.
            self._hide(document)
            return entry("not-checked", "kustomize-patch")
        for problem in document.problems:
            self._problem(problem, document, found[0].id if len(found) == 1 else None)
        unjudged = [self._resource(document, number, resource) for resource in found]
        identity = found[0].id if len(found) == 1 else None
        reasons = []
        if not document.complete:
            limited = any(DECODE_RULES[problem.kind][0] == "input-limit" for problem in document.problems)
            reasons.append("limit" if limited else "syntax")
            self.hidden["*"] = None
        if found[0].prefix and len(found) < len(document.data["items"]):
            reasons.append("list-items")
        if document.has_unknown:
            reasons.append("encrypted" if "sops" in mapping(document.data) else "placeholders")
        reasons += filter(None, dict.fromkeys(unjudged))
        return DocumentEntry(
            number,
            line,
            "partly" if reasons else "checked",
            reasons[0] if reasons else "",
            "",
            identity.kind if identity else str(mapping(document.data).get("kind", "")),
            (identity.name or "") if identity else "",
        )

    def _hide(self, document: Document) -> None:
        """Remember which kinds a document that could not be read may define."""
        body = self.decoded.text[document.start : document.end]
        kinds = re.findall(_KIND, body)
        if kinds and not document.template and all(kind.isalpha() for kind in kinds) and len(body) <= _LONGEST_BROKEN:
            self.broken.append(Broken(tuple(kinds), tuple(sorted(set(re.findall(_PAIR, body))))))
            return
        for kind in kinds or ["*"]:
            self.hidden[kind if kind.isalpha() else "*"] = None

    def _problem(self, problem: Any, document: Document | None, resource: ResourceId | None) -> None:
        """What the decoder met, as a hit of an engine rule."""
        rule, message = DECODE_RULES[problem.kind]
        if problem.kind == "yaml-syntax":
            message = _SYNTAX.get(problem.values["problem"], message)
        active = self.settings.active.get(rule)
        if active is None:
            return
        place = Place(problem.span, field_text(problem.route), field_text(problem.route))
        related: tuple[RelatedPlace, ...] = ()
        if problem.related is not None:
            note = "first" if rule == "yaml-duplicate-key" else "context"
            related = (RelatedPlace(self.path, Place(problem.related, place.field, place.stable), resource, note),)
        self.hits.append(
            LocatedHit(rule, self.path, place, resource, message, active.severity, dict(problem.values), related)
        )

    def _resource(self, document: Document, number: int, resource: Resource) -> str:
        """Run all that judges one resource; why it could not be judged wholly, if so."""
        self.count += 1
        self.families[resource.family] = None
        self.found.append((document, resource))
        if resource.family == ("", "Secret"):
            self.redacted += secret_spans(self.decoded, document, resource)

        def locate(path: FieldPath) -> Place:
            return self.decoded.place(document, resource.prefix, path)

        first = len(self.hits)
        lenses = views(resource, self.settings.pod_routes)
        for lens in lenses:
            shape: Shape = "plain"
            if isinstance(lens, Workload):
                self.families[WORKLOADS] = None
                shape = "further template" if lens.further else "template"
            for active, check, visible in self.dispatch.plan(resource.family, shape, lens.is_alibaba).tasks:
                merged: list[LocatedHit] = []
                for indices, profile in visible:
                    try:
                        for hit in check(lens, profile):
                            self._merge(merged, hit, active, indices, lens, locate)
                    except Exception as error:  # a crash is a finding about the linter, never the end of the run
                        self._crash(active.rule.name, error, lens, locate)
                self.hits += merged
            try:
                extract(lens, self.path, number, self.facts)
            except Exception as error:  # as above
                self._crash("facts", error, lens, locate)
        if not self.dispatch.judges_schemas:
            return ""
        try:
            return self._conform(lenses, locate, self.hits[first:])
        except Exception as error:  # as above
            self._crash("schema", error, lens, locate)
            return ""

    def _merge(
        self,
        merged: list[LocatedHit],
        hit: Hit,
        active: Active,
        indices: tuple[int, ...],
        lens: View,
        locate: Callable[[FieldPath], Place],
    ) -> None:
        """Add a hit to those of the same rule, or the indices of its profiles to the hit that says the same."""
        if self._is_unknown(lens, hit.at):
            return
        located = locate_hit(hit, active, self.path, lens.id, locate)._replace(profiles=indices)
        for position, other in enumerate(merged):
            if other._replace(profiles=()) == located._replace(profiles=()):
                merged[position] = other._replace(profiles=other.profiles + indices)
                return
        merged.append(located)

    def _conform(self, lenses: Sequence[View], locate: Callable[[FieldPath], Place], named: list[LocatedHit]) -> str:
        """Hits for what the API server refuses of an object, except where a named rule says it.

        Returns why that could not be judged wholly, if so.
        """
        lens = lenses[0]
        found = self.settings.definitions.find(lens.id.group, lens.kind)
        if not found and not isinstance(lens, Workload) and not may_be_built_in(lens.id.group):
            return "no-schema"
        from kubelint_ack.conformance import is_same_mistake, judge

        indices: dict[int | None, tuple[int, ...]] = {}
        for index, profile in enumerate(self.settings.profiles):
            minor = profile.kubernetes_version[1] if profile.kubernetes_version else None
            indices[minor] = (*indices.get(minor, ()), index)
        judged = judge(lenses, found, indices)
        for conflict in judged.conflicts:
            active = self.settings.active.get(conflict.rule)
            if active is None or self._is_unknown(lens, conflict.hit.at):
                continue
            profiles = tuple(sorted(index for minor in conflict.minors for index in indices[minor]))
            located = locate_hit(conflict.hit, active, self.path, lens.id, locate)
            if any(
                is_same_mistake(conflict, other, "api-server" in self.settings.active[other.rule].rule.tags, located)
                for other in named
                if other.routes and (not other.profiles or set(profiles) <= set(other.profiles))
            ):
                continue
            everywhere = len(profiles) == len(self.settings.profiles)
            self.hits.append(located if everywhere else located._replace(profiles=profiles))
        return judged.reason

    def _is_unknown(self, lens: View, at: FieldPath) -> bool:
        """Whether a path leads into a value that is unknown before rendering."""
        node: Any = lens.data
        for step in at.route:
            if isinstance(node, Unknown):
                return True
            if isinstance(node, dict):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                node = node[step]
            else:
                return False
        return isinstance(node, Unknown)

    def _crash(self, name: str, error: Exception, lens: View, locate: Callable[[FieldPath], Place]) -> None:
        if name not in self.crashed:
            self.crashed.add(name)
            self.hits.append(crash_hit(name, error, self.path, lens.id, locate(FieldPath(("metadata", "name")))))


_LONGEST_BROKEN = 100_000
_PAIR = r"""([A-Za-z0-9][\w./-]*)["']?[ \t]*:[ \t]*["']?([A-Za-z0-9](?:[\w./-]*\w)?)"""
_KIND = r"""(?m)^[ \t-]*["']?kind["']?[ \t]*:[ \t]*["']?([^\s"'#,}]+)"""


def locate_hit(
    hit: Hit, active: Active, path: str, resource: ResourceId | None, locate: Callable[[FieldPath], Place]
) -> LocatedHit:
    """A hit with its own places made concrete; related fields are those of the same resource."""
    related = tuple(RelatedPlace(path, locate(one.at), resource, one.note) for one in hit.related)
    return LocatedHit(
        active.rule.name,
        path,
        locate(hit.at),
        resource,
        hit.message,
        active.graded(hit.severity),
        plain_values(hit.values),
        related,
        routes=tuple(one.route for one in (hit.at, *(other.at for other in hit.related), *hit.depends)),
    )


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Message values as JSON has them, so that a cached hit equals a fresh one."""
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, Unknown):
        return value.text
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [_plain(item) for item in items]
    return str(value)


def _is_secret(resource: ResourceId | None) -> bool:
    return resource is not None and (resource.group, resource.kind) == ("", "Secret")


def crash_hit(name: str, error: Exception, path: str, resource: ResourceId | None, place: Place) -> LocatedHit:
    """A rule that raised: a finding about the linter."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    where = f"{posixpath.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    # What went wrong with a Secret may quote its data.
    detail = "…" if _is_secret(resource) else str(error)[:200]
    values = {"rule": name, "error": type(error).__name__, "detail": detail, "where": where}
    return LocatedHit("rule-crash", path, place, resource, "default", "error", values)


_WITH_SELECTOR = {("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("apps", "ReplicaSet")}
_WITHOUT_SELECTOR = {("batch", "Job"), ("batch", "CronJob")}


def _is_patch(resource: Resource, may_direct: bool) -> bool:
    """Whether a document looks like a strategic merge patch that no kustomization here names.

    It holds a `$patch` directive, or is a workload that leaves out what it cannot do without: an image, and the
    selector where its kind has one, the restart policy where it has none.
    """
    if may_direct and _has_directive(resource.data, 0):
        return True
    if resource.family in _WITH_SELECTOR:
        if "selector" in mapping(resource.data.get("spec")):
            return False
    elif resource.family not in _WITHOUT_SELECTOR:
        return False
    node: Any = resource.data
    for step in (*POD_ROUTES[resource.family][0], "spec"):
        node = mapping(node).get(str(step))
        if node is not None and not isinstance(node, (dict, Unknown)):
            # Of the wrong type it could not be merged either.
            return False
    if resource.family in _WITHOUT_SELECTOR and "restartPolicy" in mapping(node):
        return False
    containers = mapping(node).get("containers")
    if not isinstance(containers, list) or not containers:
        return True
    return any(isinstance(item, dict) and "image" not in item for item in containers)


def _has_directive(node: Any, depth: int) -> bool:
    if depth > 12:
        return False
    if isinstance(node, dict):
        return "$patch" in node or any(_has_directive(value, depth + 1) for value in node.values())
    if isinstance(node, list):
        return any(_has_directive(value, depth + 1) for value in node)
    return False


def same_values(one: Mapping[str, Any]) -> str:
    """A text that is equal for equal message values."""
    return json.dumps(one, sort_keys=True, ensure_ascii=False)
