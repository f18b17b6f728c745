"""The run: sources → scan (pool, cache) → units → link → findings.

Only this module knows which units hold a file and which profile a unit has.
"""

# As in records.py, annotations are not postponed.

import json
import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from kubelint_ack.catalog import Active, expand
from kubelint_ack.config import Config
from kubelint_ack.crds import Unusable, configured, definitions
from kubelint_ack.decode import Decoded, decode
from kubelint_ack.existence import Existence
from kubelint_ack.facts import ResourceFact
from kubelint_ack.files import Inputs, Source, Unreadable, read
from kubelint_ack.ignore import file_filter
from kubelint_ack.knowledge import Knowledge
from kubelint_ack.kustomize import is_kustomization
from kubelint_ack.link import link, profile_hits
from kubelint_ack.pool import scan_all
from kubelint_ack.profile import DeclaredCluster, Profile, unmet
from kubelint_ack.project import Project
from kubelint_ack.records import (
    SEVERITIES,
    FieldPath,
    FileEntry,
    Finding,
    LocatedHit,
    Place,
    Severity,
    Span,
    field_text,
)
from kubelint_ack.scan import ANY, Dispatch, ScanRecord, Settings, same_values
from kubelint_ack.suppress import mark
from kubelint_ack.targets import (
    BASE,
    CHART_FILE,
    Environment,
    Target,
    knowledge_of,
    layout,
    profiles_of,
    project_of,
    targets_of,
)
from kubelint_ack.units import units
from kubelint_ack.views import POD_ROUTES

if TYPE_CHECKING:
    from kubelint_ack.cache import Cache

UNREADABLE = frozenset(
    {"vanished", "permission", "not-regular", "not-regular-file", "unreadable", "missing", "symlink-outside-root"}
)
"""Ledger reasons that end a run with exit code 2 where the user named the file."""


class Request(NamedTuple):
    """What to lint, and how."""

    inputs: Inputs
    config: Config
    active: Mapping[str, Active]
    versions: tuple[str, ...] = ()
    """Kubernetes versions in place of the profiles' own."""
    minimum: Severity = "info"
    jobs: int = 0
    """Processes; 0: as many as pay."""
    cache: "Cache | None" = None
    use_suppressions: bool = True
    progress: Callable[[int, int], None] | None = None
    """Told how many files are done, and of how many."""


class NotEvaluated(NamedTuple):
    """A rule that met its kinds but could not judge: profile keys that would switch it on."""

    rule: str
    needs: tuple[str, ...]
    targets: tuple[str, ...]


class Outcome(NamedTuple):
    """What a run found."""

    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    ledger: tuple[FileEntry, ...]
    context_files: int
    targets: tuple[str, ...]
    """Names of the targets, where the run has several environments or versions."""
    resources: int
    redacted: Mapping[str, tuple[Span, ...]]
    crashed: bool
    unreadable: tuple[FileEntry, ...]
    """Files named by the user that could not be read, with the reason."""


def run(request: Request) -> Outcome:
    """Lint: the findings about the files in scope, judged with everything in context.

    Raises InputError for an override's pattern that cannot be used.
    """
    inputs, config = request.inputs, request.config
    reading = _read(request)
    by_path = reading.records
    hits, not_evaluated = _link(reading, config)
    scope = {source.path for source in inputs.scope}
    kept, suppressed = _suppress(hits, by_path, request, not_evaluated)
    own_files = {path for one in _clusters(config) for path in _cluster_paths(one)}
    own_files.update(one.path for one in reading.unusable)

    def in_scope(finding: Finding) -> bool:
        return (
            finding.path in scope
            or finding.path in own_files
            or finding.rule == "rule-crash"
            or any(related.path in scope for related in finding.related)
        )

    minimum = SEVERITIES.index(request.minimum)
    findings = _override((one for one in kept if in_scope(one) and one.rule in request.active), config)
    findings = [one for one in findings if SEVERITIES.index(one.severity) <= minimum]
    scope_records = [by_path[path] for path in sorted(scope) if path in by_path]
    skipped = [(FileEntry(one.path, "not-checked", one.reason, one.detail), one.explicit) for one in inputs.skipped]
    return Outcome(
        findings=tuple(sorted(findings, key=_order)),
        suppressed=tuple(sorted((one for one in suppressed if in_scope(one)), key=_order)),
        not_evaluated=not_evaluated,
        ledger=tuple(
            sorted(
                [record.entry for record in scope_records]
                + [entry for entry, explicit in skipped if explicit or entry.reason not in ("excluded", "gitignored")]
            )
        ),
        context_files=len(by_path) - len(scope_records),
        targets=tuple(dict.fromkeys(target.overlay for target in reading.targets if target.overlay)),
        resources=sum(record.resources for record in scope_records),
        redacted={path: tuple(record.redacted) for path, record in by_path.items() if record.redacted},
        crashed=any(one.rule == "rule-crash" for one in kept),
        unreadable=tuple(
            record.entry
            for record in scope_records
            if record.entry.reason in UNREADABLE and reading.sources[record.path].explicit
        )
        + tuple(entry for entry, explicit in skipped if explicit and entry.reason in UNREADABLE),
    )


def projects(request: Request) -> Iterator[tuple[Target, Project, Profile]]:
    """Every target that holds a file in scope, with its index and its profile, for commands that print no findings."""
    reading = _read(request)
    scope = {source.path for source in request.inputs.scope}
    everywhere = Existence(record.facts for record in reading.records.values())
    for target in reading.targets:
        if scope.isdisjoint(target.unit.paths):
            continue
        project = project_of(target, reading.knowledge(target), reading.records, everywhere)
        if project is not None:
            yield target, project, reading.settings.profiles[target.profile]


class _Reading(NamedTuple):
    """What was read, and how it belongs together."""

    sources: Mapping[str, Source]
    settings: Settings
    environments: Mapping[str, Environment]
    records: Mapping[str, ScanRecord]
    targets: Sequence[Target]
    unusable: Sequence[Unusable]
    """Files that the configuration names for their schemas, in vain."""

    def knowledge(self, target: Target) -> Knowledge:
        """What is known about the completeness of a target's unit."""
        own = self.settings.profiles[target.profile]
        return knowledge_of(target.unit, target.complete, own, self.records, self.sources, self.settings.max_bytes)


def _read(request: Request) -> _Reading:
    """Read and scan everything, and group it into targets."""
    inputs, config = request.inputs, request.config
    # By path, so that nothing depends on which files are in scope.
    sources = {source.path: source for source in sorted((*inputs.scope, *inputs.context), key=lambda one: one.path)}
    kustomizations, charts, roles = layout(sources, config)
    profiles, environments = profiles_of(config, request.versions)
    pieces, unusable = configured(config.schemas, inputs.root, config.max_file_size)
    settings = Settings(
        dict(request.active),
        profiles,
        {**POD_ROUTES, **config.workloads},
        config.max_file_size,
        definitions(pieces, config.max_file_size),
    )
    key = _settings_key(settings)
    records = scan_all(list(sources.values()), roles, settings, key, request.jobs, request.cache, request.progress)
    by_path = {record.path: record for record in records}
    files = [
        path
        for path, record in by_path.items()
        if not is_kustomization(path) and posixpath.basename(path) != CHART_FILE and roles.get(path) is None
    ]
    idle = {record.path for record in records if not (record.resources or record.hidden or record.broken)}
    paths = {name: found.paths for name, found in environments.items()}
    all_units = units(files, kustomizations, charts, paths, idle)
    return _Reading(sources, settings, environments, by_path, targets_of(all_units, environments), unusable)


def _order(finding: Finding) -> tuple[Any, ...]:
    span = finding.place.span
    return (
        finding.path,
        span.line,
        span.column,
        finding.code,
        finding.message,
        same_values(finding.values),
        finding.severity,
    )


class _Places:
    """Where the fields of facts are: the file is decoded again, which only those pay for that have a hit.

    Keeping the place of every field that a rule might point at costs a sixth of a run, and most are never asked for.
    """

    KEPT = 100

    def __init__(self, sources: Mapping[str, Source], limit: int) -> None:
        self._sources = sources
        self._limit = limit
        self._decoded: dict[str, Decoded | None] = {}

    def __call__(self, resource: ResourceFact, path: FieldPath) -> Place:
        """The place of a field; the top of the file if that has changed or gone meanwhile."""
        decoded = self._file(resource.path)
        if decoded is None or resource.document > len(decoded.documents):
            return Place(Span(1, 1, 1, 1), field_text(path.route), field_text(path.route))
        return decoded.place(decoded.documents[resource.document - 1], resource.prefix, path)

    def _file(self, path: str) -> Decoded | None:
        if path not in self._decoded:
            if len(self._decoded) >= self.KEPT:
                self._decoded.clear()
            try:
                self._decoded[path] = decode(read(self._sources[path], self._limit), max_bytes=self._limit)
            except Unreadable:
                self._decoded[path] = None
        return self._decoded[path]


def _is_patched(knowledge: Knowledge, hit: LocatedHit) -> bool:
    """Whether a kustomization may change a field that decides a hit."""
    one, image = hit.resource, hit.values.get("image")
    if one is None:
        return False
    if hit.routes and hit.routes[0][-1:] == ("image",) and isinstance(image, str) and knowledge.changes_image(image):
        return True
    return any(knowledge.is_patched(one.kind, one.name, route) for route in hit.routes)


class _Linked(NamedTuple):
    """A hit with the targets in which it holds, where its file belongs to several."""

    hit: LocatedHit
    targets: tuple[str, ...]
    partial: bool
    """Whether it does not hold in others of these."""


def _link(reading: _Reading, config: Config) -> tuple[list[_Linked], tuple[NotEvaluated, ...]]:
    """All hits with the names of the targets in which they hold, and the rules that could not judge."""
    targets, records, settings = reading.targets, reading.records, reading.settings
    merged: dict[tuple[Any, ...], tuple[LocatedHit, set[str]]] = {}
    names_of: dict[str, set[str]] = {}
    unjudged: dict[str, tuple[set[str], set[str]]] = {}

    alikes: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def add(hit: LocatedHit, names: Iterable[str], alike: tuple[Any, ...] = ()) -> None:
        key = (
            hit.rule,
            hit.path,
            hit.place,
            hit.message,
            hit.severity,
            same_values(hit.values),
            hit.resource,
            hit.related,
        )
        if key not in merged and alike:
            key = alikes.setdefault(alike, key)
        merged.setdefault(key, (hit, set()))[1].update(names)

    def could_not(rule: str, own: Profile, name: str) -> None:
        needs, where = unjudged.setdefault(rule, (set(), set()))
        needs.update(unmet(own, settings.active[rule].rule.needs))
        where.add(name)

    knowledge = {id(target): reading.knowledge(target) for target in targets}
    holding: dict[str, list[Target]] = {}
    for target in targets:
        for path in target.unit.paths:
            names_of.setdefault(path, set()).add(target.overlay)
            holding.setdefault(path, []).append(target)

    for path, record in records.items():
        for hit in record.hits:
            # What a patch changes is judged where it is rendered, not in the base.
            names = {
                target.overlay
                for target in holding.get(path, ())
                if (not hit.profiles or target.profile in hit.profiles) and not _is_patched(knowledge[id(target)], hit)
            }
            if names or path not in holding:
                add(hit._replace(profiles=()), names or {BASE})

    for hit in _unusable(reading):
        add(hit, [BASE])

    needy = [one for one in settings.active.values() if one.rule.reads == "resource" and one.rule.needs]
    for target in targets:
        own = settings.profiles[target.profile]
        families = {family for path in target.unit.paths for family in records[path].families}
        # A rule for any kind is missed only where something is plainly ACK's: elsewhere it would always be.
        is_ack = own.is_ack or any(
            fact.resource.alibaba for path in target.unit.paths for fact in records[path].facts.all()
        )
        for one in needy:
            kinds = set(one.rule.kinds)
            applies = is_ack if one.ack_only or ANY in kinds else bool(families & kinds)
            if applies and unmet(own, one.rule.needs):
                could_not(one.rule.name, own, target.name)

    dispatches = [Dispatch(settings.active, "project", (one,)) for one in settings.profiles]
    locate = _Places(reading.sources, settings.max_bytes)
    everywhere_facts = Existence(record.facts for record in records.values())
    for target in targets:
        own = settings.profiles[target.profile]
        project = project_of(target, knowledge[id(target)], records, everywhere_facts)
        if project is None:
            continue
        hits, silent = link(project, dispatches[target.profile], locate)
        counts: Counter[tuple[Any, ...]] = Counter()
        for hit in hits:
            # Sibling overlays say the same of their base in the words of their own namespaces.
            same = (target.name, hit.rule, hit.path, hit.place, hit.message, hit.severity, hit.resource)
            counts[same] += 1
            add(hit, [target.overlay], (*same, counts[same]))
        for rule_name in silent:
            could_not(rule_name, own, target.name)

    earlier: list[DeclaredCluster] = []
    for name, cluster in [(BASE, config.cluster), *((one.name, one.cluster) for one in config.environments)]:
        if not cluster.data:
            continue
        declared = DeclaredCluster(name, settings.profiles[reading.environments[name].profiles[0][1]], cluster.locate)
        hits, silent = profile_hits(declared, earlier, settings.active)
        for hit in hits:
            add(hit, [name])
        for rule_name in silent:
            could_not(rule_name, declared.profile, name)
        # What is declared for all environments is no cluster beside theirs.
        if name != BASE:
            earlier.append(declared)

    found = []
    for hit, names in merged.values():
        holders = names_of.get(hit.path, set())
        shown = tuple(sorted(names)) if len(holders) > 1 else ()
        found.append(_Linked(hit, shown, bool(shown) and names < holders))
    not_evaluated = tuple(
        NotEvaluated(rule, tuple(sorted(needs)), tuple(sorted(filter(None, where))))
        for rule, (needs, where) in sorted(unjudged.items())
    )
    return found, not_evaluated


def _unusable(reading: _Reading) -> Iterator[LocatedHit]:
    """Schema files that are none; a syntax error is left to the rule for that where it reports it."""
    active = reading.settings.active.get("schema-file-unusable")
    for one in reading.unusable if active else ():
        assert active is not None
        record = reading.records.get(one.path)
        if one.problem != "syntax" or not record or all(hit.rule != "yaml-syntax" for hit in record.hits):
            place = Place(one.span, "", "")
            values = {"detail": one.detail}
            yield LocatedHit(active.rule.name, one.path, place, None, one.problem, active.severity, values)


def _clusters(config: Config) -> list[Any]:
    return [config.cluster, *(one.cluster for one in config.environments)]


def _cluster_paths(cluster: Any) -> set[str]:
    origins = list(cluster.origins.values())
    if cluster.default is not None:
        origins.append(cluster.default)
    return {origin.path for origin in origins}


def _suppress(
    hits: Sequence[_Linked],
    records: Mapping[str, ScanRecord],
    request: Request,
    not_evaluated: Iterable[NotEvaluated],
) -> tuple[list[Finding], list[Finding]]:
    """Hits as findings, those that the files suppress apart; and what there is to say about suppressions."""
    active = request.active
    found = [(_finding(one.hit, active)._replace(targets=one.targets, partial=one.partial), one.hit) for one in hits]
    if not request.use_suppressions:
        return [finding for finding, _ in found], []
    suppressions = {path: record.suppressions for path, record in records.items() if record.suppressions}
    if not suppressions:
        return [finding for finding, _ in found], []
    import datetime

    marked = mark(
        [hit for _, hit in found],
        suppressions,
        active,
        today=datetime.date.today(),
        honor=request.config.honor,
        require_reason=request.config.require_reason,
        evaluated=set(active) - {one.rule for one in not_evaluated},
    )
    by_hit = {id(hit): finding for finding, hit in found}
    kept = [by_hit[id(hit)] for hit in marked.kept]
    suppressed = [by_hit[id(hit)]._replace(suppressed=how) for hit, how in marked.suppressed]
    kept += [_finding(hit, active) for hit in marked.extra if hit.rule in active]
    return kept, suppressed


def _finding(hit: LocatedHit, active: Mapping[str, Active]) -> Finding:
    one = active.get(hit.rule)
    code = one.rule.code if one else "KLA0009"
    return Finding(
        rule=hit.rule,
        code=code,
        severity=hit.severity,
        path=hit.path,
        place=hit.place,
        resource=hit.resource,
        message=hit.message,
        values=hit.values,
        related=hit.related,
    )


def _override(findings: Iterable[Finding], config: Config) -> list[Finding]:
    """Apply the configuration's overrides for files and namespaces, in order. Raises InputError."""
    if not config.overrides:
        return list(findings)
    compiled = [
        _Override(
            file_filter(f"{config.path}: overrides[{number}].files", one.files) if one.files else None,
            one.namespaces,
            expand(one.select, "overrides") if one.select else None,
            expand(one.ignore, "overrides"),
            one.severity,
        )
        for number, one in enumerate(config.overrides)
    ]
    kept = []
    for finding in findings:
        current: Finding | None = finding
        for one in compiled:
            if current is not None and one.applies(current):
                current = one.apply(current)
        if current is not None:
            kept.append(current)
    return kept


class _Override(NamedTuple):
    files: Callable[[str], bool] | None
    namespaces: tuple[str, ...]
    selected: set[str] | None
    ignored: set[str]
    severity: Mapping[str, Severity]

    def applies(self, finding: Finding) -> bool:
        namespace = finding.resource.namespace if finding.resource else None
        if self.files is not None and not self.files(finding.path):
            return False
        return not self.namespaces or any(fnmatchcase(namespace or "", one) for one in self.namespaces)

    def apply(self, finding: Finding) -> Finding | None:
        if finding.rule in self.ignored or (self.selected is not None and finding.rule not in self.selected):
            return None
        severity = self.severity.get(finding.rule)
        return finding._replace(severity=severity) if severity else finding


def _settings_key(settings: Settings) -> str:
    """A text that is equal for equal settings: part of the cache key."""
    rules = {
        name: [one.severity, one.options, one.ack_only, one.configured] for name, one in sorted(settings.active.items())
    }
    profiles = [one.cache_key for one in settings.profiles]
    routes = sorted([family, routes] for family, routes in settings.pod_routes.items())
    return json.dumps([rules, profiles, routes, settings.max_bytes], sort_keys=True, default=str)
