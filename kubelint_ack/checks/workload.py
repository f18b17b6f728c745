"""Checks of workloads as controllers: selectors, restart policies, schedules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.facts import PodNetworkFact, WorkloadFact
from kubelint_ack.jobs import IndexMistake, count_indexes, time_zone_mistake
from kubelint_ack.names import dns1123_label, dns1123_subdomain
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries import pod_network
from kubelint_ack.records import FieldPath, Hit, Related, Route, Severity, Unknown, field_text
from kubelint_ack.values import at_least, is_placeholder, label_map_selector, matches, selector, selector_text
from kubelint_ack.views import View, Workload, integer, mapping, sequence, text

# The API server gives these labels to the pods of a Job, and asks for them.
# https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-selector
_GIVEN = ("controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name")


def selector_template_mismatch(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`spec.selector` against the labels of the pod template."""
    route = (*workload.pod_route[:-1], "selector")
    own = workload.get(*route)
    if not isinstance(own, dict) or not own or not isinstance(workload.get(*workload.pod_route), dict):
        return
    metadata = workload.template.get("metadata")
    if isinstance(metadata, Unknown) or isinstance(mapping(metadata).get("labels"), Unknown):
        return
    labels = dict(workload.pod_labels)
    if workload.family in _RUN_ONCE:
        labels = {**dict.fromkeys(_GIVEN, Unknown("")), **labels}
    is_map = workload.kind == "ReplicationController"
    wanted = label_map_selector(own) if is_map else selector(own)
    if matches(wanted, labels) is False:
        asked = {key for key, _ in wanted.match_labels} | {one.key for one in wanted.expressions}
        near = {key: value for key, value in workload.pod_labels.items() if key in asked}
        at, key = _unmet(own, is_map, labels, route)
        labels_at = workload.pod_at("metadata", "labels")
        yield Hit(
            at,
            message="default" if workload.pod_labels else "no-labels",
            related=(Related(FieldPath((*labels_at.route, key)) if key in near else labels_at, note="labels"),),
            selector=selector_text(wanted),
            labels=near or workload.pod_labels,
        )


def _unmet(
    own: Mapping[str, Any], is_map: bool, labels: Mapping[str, Any], route: Route
) -> tuple[FieldPath, str | None]:
    """The first part of a selector that the labels do not meet, and the key of the label."""
    pairs, pairs_at = (own, route) if is_map else (mapping(own.get("matchLabels")), (*route, "matchLabels"))
    for key, value in pairs.items():
        if matches(label_map_selector({key: value}), labels) is False:
            return FieldPath((*pairs_at, key)), key
    for index, item in enumerate(sequence(own.get("matchExpressions"))):
        if matches(selector({"matchExpressions": [item]}), labels) is False:
            return FieldPath((*route, "matchExpressions", index)), text(mapping(item).get("key"))
    return FieldPath(route), None


_RUN_ONCE = {("batch", "Job"), ("batch", "CronJob")}
_KEPT_RUNNING = {
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("apps", "ReplicaSet"),
    ("", "ReplicationController"),
}


def restart_policy_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`restartPolicy` against what the kind allows."""
    if workload.family in _RUN_ONCE:
        allowed = ["OnFailure", "Never"]
    elif workload.family in _KEPT_RUNNING:
        allowed = ["Always"]
    elif workload.family == ("", "Pod"):
        allowed = ["Always", "OnFailure", "Never"]
    else:
        return
    at = workload.pod_at("spec", "restartPolicy")
    if "restartPolicy" in workload.pod_spec:
        value = text(workload.pod_spec["restartPolicy"])
        if value and value not in allowed:
            yield Hit(at, kind=workload.kind, value=value, allowed=allowed)
    elif "Always" not in allowed and workload.pod_spec:
        inner = next((one for one in workload.containers if one.role == "main" and "restartPolicy" in one.data), None)
        yield Hit(
            at,
            message="misplaced" if inner else "missing",
            related=(Related(inner.at("restartPolicy"), note="container"),) if inner else (),
            kind=workload.kind,
            allowed=allowed,
            container=inner.label if inner else "",
        )


_TIME_ZONE_REFUSED = (1, 29)
"""https://github.com/kubernetes/kubernetes/blob/master/CHANGELOG/CHANGELOG-1.29.md"""


def cronjob_schedule_invalid(cronjob: View, profile: Profile) -> Iterator[Hit]:
    """`spec.schedule` as the controller parses it."""
    schedule = text(cronjob.spec.get("schedule"))
    if schedule is None:
        return
    from kubelint_ack.cron import cron_problem

    problem = cron_problem(schedule)
    if problem is None:
        return
    at = cronjob.at("spec", "schedule")
    if problem.reason == "fields":
        yield Hit(at, message="fields", schedule=schedule, count=problem.value)
    elif problem.reason == "tz-prefix":
        old = profile.kubernetes_version is not None and profile.kubernetes_version < _TIME_ZONE_REFUSED
        yield Hit(at, message="time-zone", severity="warning" if old else None, schedule=schedule)
    elif problem.reason == "never":
        yield Hit(at, message="never", severity="warning", schedule=schedule)
    else:
        yield Hit(at.slice(problem.start, problem.end), schedule=schedule, value=problem.value)


def selector_empty(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """A `spec.selector` that selects everything."""
    own = workload.spec.get("selector")
    if isinstance(own, dict) and set(own) <= {"matchLabels", "matchExpressions"} and not any(own.values()):
        yield Hit(workload.at("spec", "selector"), kind=workload.kind)


def statefulset_name_too_long(statefulset: View, profile: Profile) -> Iterator[Hit]:
    """A name that, with a revision's hash, is too long for a label."""
    name = statefulset.name
    if name and _REVISION_LIMIT < len(name) <= 63 and not is_placeholder(name):
        yield Hit(statefulset.at("metadata", "name").value, name=name, length=len(name), limit=_REVISION_LIMIT)


_REVISION_LIMIT = 52
"""Ten characters and a hyphen are added (pkg/controller/history/controller_history.go, ControllerRevisionName)."""
_SERVICE_NAME_CHECKED = (1, 33)


def statefulset_service_name_invalid(statefulset: View, profile: Profile) -> Iterator[Hit]:
    """`spec.serviceName`, which becomes the subdomain of the pods."""
    name = statefulset.spec.get("serviceName")
    if not isinstance(name, str) or not name or not dns1123_label(name) or is_placeholder(name):
        return
    checked = profile.kubernetes_version is not None and profile.kubernetes_version >= _SERVICE_NAME_CHECKED
    yield Hit(statefulset.at("spec", "serviceName").value, severity=None if checked else "warning", name=name)


def active_deadline_not_supported(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`activeDeadlineSeconds` in the pods of a controller that keeps them running."""
    if workload.family in _KEPT_RUNNING and workload.pod_spec.get("activeDeadlineSeconds") is not None:
        yield Hit(workload.pod_at("spec", "activeDeadlineSeconds"), kind=workload.kind)


# --- Update strategies


def _amount(value: Any, default: int | str = "") -> tuple[int, bool] | None:
    """The number of an int-or-percent, and whether it is a percentage; None if it is neither."""
    value = default if value is None else value
    if isinstance(value, str):
        return (int(value[:-1]), True) if re.fullmatch("[0-9]{1,9}%", value) else None
    number = integer(value)
    return None if number is None else (number, False)


def deployment_strategy_invalid(deployment: View, profile: Profile) -> Iterator[Hit]:
    """Combinations in `spec.strategy` that the API server refuses."""
    strategy = mapping(deployment.spec.get("strategy"))
    rolling = strategy.get("rollingUpdate")
    if not isinstance(rolling, dict):
        return
    at = deployment.at("spec", "strategy", "rollingUpdate")
    if strategy.get("type") == "Recreate":
        yield Hit(at.key, message="recreate", depends=(deployment.at("spec", "strategy", "type"),))
        return
    surge, unavailable = (_amount(rolling.get(key), "25%") for key in ("maxSurge", "maxUnavailable"))
    at_unavailable = deployment.at(*at.route, "maxUnavailable")
    if unavailable and unavailable[1] and unavailable[0] > 100:
        yield Hit(at_unavailable.value, message="over", value=str(rolling.get("maxUnavailable")))
    elif surge and unavailable and surge[0] == unavailable[0] == 0:
        yield Hit(at_unavailable, message="zero", depends=(deployment.at(*at.route, "maxSurge"),))


def daemonset_strategy_invalid(daemonset: View, profile: Profile) -> Iterator[Hit]:
    """Combinations in `spec.updateStrategy` that the API server refuses; by default one pod may be unavailable."""
    strategy = mapping(daemonset.spec.get("updateStrategy"))
    rolling = strategy.get("rollingUpdate")
    if not isinstance(rolling, dict) or strategy.get("type") not in (None, "", "RollingUpdate"):
        return
    route: Route = ("spec", "updateStrategy", "rollingUpdate")
    written = rolling.get("maxUnavailable")
    surge, unavailable = _amount(rolling.get("maxSurge"), 0), _amount(written, 1)
    for field, amount in (("maxSurge", surge), ("maxUnavailable", unavailable)):
        if amount and amount[1] and amount[0] > 100:
            yield Hit(daemonset.at(*route, field).value, message="over", field=field, value=str(rolling.get(field)))
            return
    if not surge or not unavailable:
        return
    depends = (daemonset.at(*route, "maxUnavailable"), daemonset.at(*route, "maxSurge"))
    if surge[0] and unavailable[0]:
        message = "default" if written is None else "both"
        yield Hit(daemonset.at(*route, "maxSurge"), message=message, depends=depends)
    elif surge[0] == unavailable[0] == 0:
        yield Hit(daemonset.at(*route, "maxUnavailable"), message="zero", depends=depends)


def statefulset_strategy_invalid(statefulset: View, profile: Profile) -> Iterator[Hit]:
    """Combinations in `spec.updateStrategy` that the API server refuses."""
    strategy = mapping(statefulset.spec.get("updateStrategy"))
    rolling = strategy.get("rollingUpdate")
    if not isinstance(rolling, dict):
        return
    at = statefulset.at("spec", "updateStrategy", "rollingUpdate")
    if strategy.get("type") == "OnDelete":
        yield Hit(at.key, message="on-delete", depends=(statefulset.at("spec", "updateStrategy", "type"),))
        return
    unavailable = _amount(rolling.get("maxUnavailable"))
    if unavailable and (unavailable[0] == 0 or (unavailable[1] and unavailable[0] > 100)):
        # Dropped unless a feature gate of the cluster is on.
        value = str(rolling.get("maxUnavailable"))
        yield Hit(statefulset.at(*at.route, "maxUnavailable").value, message="range", severity="warning", value=value)


_DEFAULT_DEADLINE = 600


def progress_deadline_too_short(deployment: View, profile: Profile) -> Iterator[Hit]:
    """`spec.progressDeadlineSeconds`, 600 by default, against `spec.minReadySeconds`."""
    ready = integer(deployment.spec.get("minReadySeconds"))
    if not ready:
        return
    written = deployment.spec.get("progressDeadlineSeconds")
    deadline = _DEFAULT_DEADLINE if written is None else integer(written)
    if deadline is not None and 0 <= deadline <= ready:
        yield Hit(
            deployment.at("spec", "minReadySeconds" if written is None else "progressDeadlineSeconds"),
            message="unset" if written is None else "default",
            depends=(deployment.at("spec", "minReadySeconds"), deployment.at("spec", "progressDeadlineSeconds")),
            ready=ready,
            deadline=deadline,
        )


# --- Jobs


def _job(view: View) -> tuple[Route, Mapping[str, Any]]:
    """Route and content of the `spec` of a Job, or of the one that a CronJob makes."""
    route: Route = ("spec",) if view.kind == "Job" else ("spec", "jobTemplate", "spec")
    return route, mapping(view.get(*route))


def job_selector_not_manual(job: Workload, profile: Profile) -> Iterator[Hit]:
    """A selector that only the API server is to write."""
    route, spec = _job(job)
    manual, own = spec.get("manualSelector"), spec.get("selector")
    if isinstance(manual, Unknown) or job.metadata.get("uid") or job.data.get("status"):
        return
    # One that does not match the template either is reported as that.
    if any(selector_template_mismatch(job, profile)):
        return
    if job.kind == "CronJob":
        if own is not None:
            yield Hit(job.at(*route, "selector").key, message="cronjob")
        elif manual is True:
            yield Hit(job.at(*route, "manualSelector"), message="cronjob-manual")
    elif own is not None and manual is not True:
        yield Hit(job.at(*route, "selector").key, depends=(job.at(*route, "manualSelector"),))
    elif own is None and manual is True:
        yield Hit(job.at(*route, "manualSelector"), message="no-selector", depends=(job.at(*route, "selector"),))


def job_reserved_label(job: Workload, profile: Profile) -> Iterator[Hit]:
    """Labels of the pods whose values the API server makes itself."""
    _, spec = _job(job)
    # What was taken from a cluster has them.
    if spec.get("manualSelector") is True or job.metadata.get("uid") or job.data.get("status"):
        return
    for key, value in job.pod_labels.items():
        if key not in _GIVEN or not isinstance(value, str):
            continue
        if key.endswith("job-name") and (value == job.name or (job.kind == "Job" and job.name is None)):
            continue
        # A CronJob is accepted; its Jobs are refused.
        severity: Severity | None = "warning" if job.kind == "CronJob" else None
        yield Hit(job.pod_at("metadata", "labels", key), severity=severity, key=key)


_MOST_INDEXES = 100_000
_FEW_FAILURES = 10_000
_PER_INDEX_SINCE = (1, 29)


def job_index_invalid(job: Workload, profile: Profile) -> Iterator[Hit]:
    """Completion modes, and the limits that only an indexed Job has."""
    route, spec = _job(job)
    mode = spec.get("completionMode")
    if isinstance(mode, Unknown) or (mode is None and not any(key in spec for key in _PER_INDEX)):
        return
    completions, parallelism = spec.get("completions"), spec.get("parallelism")
    depends: tuple[FieldPath, ...] = (job.at(*route, "completionMode"), job.at(*route, "completions"))
    if mode == "Indexed":
        if completions is None and parallelism is not None:
            yield Hit(job.at(*route, "completionMode"), message="no-completions", depends=depends)
        if (integer(parallelism) or 0) > _MOST_INDEXES:
            yield Hit(job.at(*route, "parallelism"), message="parallelism", value=parallelism, limit=_MOST_INDEXES)
    old = profile.kubernetes_version is not None and profile.kubernetes_version < _PER_INDEX_SINCE
    severity: Severity | None = "warning" if old else None
    for field in _PER_INDEX:
        value = spec.get(field)
        if value is None:
            continue
        at = job.at(*route, field)
        if mode != "Indexed":
            yield Hit(at, message="not-indexed", severity=severity, depends=depends, field=field)
            return
        if field == "maxFailedIndexes":
            if spec.get("backoffLimitPerIndex") is None:
                depends = (*depends, job.at(*route, "backoffLimitPerIndex"))
                yield Hit(at, message="no-backoff", severity=severity, depends=depends)
                continue
            many = (integer(completions) or 0) > _MOST_INDEXES
            limit = min(integer(completions) or _MOST_INDEXES, _FEW_FAILURES if many else _MOST_INDEXES)
            if (integer(value) or 0) > limit:
                yield Hit(at.value, message="too-many", severity=severity, depends=depends, value=value, limit=limit)
        elif (integer(completions) or 0) > _MOST_INDEXES and spec.get("maxFailedIndexes") is None:
            yield Hit(at, message="no-maximum", severity=severity, depends=depends, value=completions)


_PER_INDEX = ("backoffLimitPerIndex", "maxFailedIndexes")


def pod_failure_policy_invalid(job: Workload, profile: Profile) -> Iterator[Hit]:
    """`podFailurePolicy` against the rest of the Job."""
    route, spec = _job(job)
    policy = spec.get("podFailurePolicy")
    if not isinstance(policy, dict):
        return
    at = job.at(*route, "podFailurePolicy")
    if job.pod_spec.get("restartPolicy") == "OnFailure":
        yield Hit(job.pod_at("spec", "restartPolicy"), message="restart", depends=(at,))
    if spec.get("podReplacementPolicy") == "TerminatingOrFailed":
        yield Hit(job.at(*route, "podReplacementPolicy"), message="replacement", depends=(at,))
    names = {one.name for one in job.containers}
    for index, rule in enumerate(sequence(policy.get("rules"))):
        here: Route = (*at.route, "rules", index)
        if mapping(rule).get("action") == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
            limit = job.at(*route, "backoffLimitPerIndex")
            yield Hit(job.at(*here, "action"), message="fail-index", depends=(limit,))
        codes = mapping(mapping(rule).get("onExitCodes"))
        name = text(codes.get("containerName"))
        if name and names and name not in names and None not in names:
            depends = (job.pod_at("spec", "containers"), job.pod_at("spec", "initContainers"))
            at_name = job.at(*here, "onExitCodes", "containerName").value
            yield Hit(at_name, message="container", depends=depends, name=name)
        previous: int | None = None
        for number, code in enumerate(sequence(codes.get("values"))):
            value = integer(code)
            at_code = job.at(*here, "onExitCodes", "values", number)
            if value == 0 and codes.get("operator") == "In":
                yield Hit(at_code, message="zero")
            elif value is not None and previous is not None and value <= previous:
                yield Hit(at_code, message="order", value=value, previous=previous)
            previous = value


_SUCCESS_POLICY_SINCE = (1, 31)


def success_policy_invalid(job: Workload, profile: Profile) -> Iterator[Hit]:
    """`successPolicy` against the Job's completions."""
    route, spec = _job(job)
    policy = spec.get("successPolicy")
    if not isinstance(policy, dict):
        return
    at = job.at(*route, "successPolicy")
    # An older API server drops the field.
    old = profile.kubernetes_version is not None and profile.kubernetes_version < _SUCCESS_POLICY_SINCE
    severity: Severity | None = "warning" if old else None
    mode, completions = spec.get("completionMode"), integer(spec.get("completions"))
    depends = (job.at(*route, "completionMode"), job.at(*route, "completions"))
    if mode != "Indexed":
        if not isinstance(mode, Unknown):
            yield Hit(at.key, message="not-indexed", severity=severity, depends=depends)
        return
    for index, rule in enumerate(sequence(policy.get("rules"))):
        if not isinstance(rule, dict):
            continue
        here: Route = (*at.route, "rules", index)
        count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
        if count is None and indexes is None:
            yield Hit(job.at(*here), message="empty", severity=severity)
        limit = completions
        if isinstance(indexes, str):
            found = count_indexes(indexes, completions)
            if isinstance(found, IndexMistake):
                yield Hit(
                    job.at(*here, "succeededIndexes").slice(found.start, found.end),
                    message=found.reason,
                    severity=severity,
                    depends=depends,
                    value=found.value,
                    limit=completions,
                )
                continue
            limit = found
        wanted = integer(count)
        if wanted is not None and limit is not None and wanted > limit:
            at_count = job.at(*here, "succeededCount").value
            yield Hit(at_count, message="count", severity=severity, depends=depends, value=wanted, limit=limit)


def cronjob_time_zone_invalid(cronjob: View, profile: Profile) -> Iterator[Hit]:
    """`spec.timeZone` against the IANA database."""
    zone = text(cronjob.spec.get("timeZone"))
    if zone is None or is_placeholder(zone):
        return
    at = cronjob.at("spec", "timeZone").value
    if not zone:
        yield Hit(at, message="empty")
        return
    reason, right = time_zone_mistake(zone)
    if reason:
        message = "unknown" if reason == "new" else reason
        yield Hit(at, message=message, severity="warning" if reason == "new" else None, zone=zone, right=right)


# --- Pods


def pod_hostname_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`hostname` and `subdomain`, which a StatefulSet overwrites; and what `hostnameOverride` excludes."""
    spec = workload.pod_spec
    severity = workload.refused(profile.kubernetes_version)
    if workload.kind != "StatefulSet":
        for field in ("hostname", "subdomain"):
            name = spec.get(field)
            if isinstance(name, str) and name and dns1123_label(name) and not is_placeholder(name):
                message = "length" if dns1123_label(name) == "length" else "default"
                at = workload.pod_at("spec", field).value
                yield Hit(at, message=message, severity=severity, field=field, name=name)
    override = text(spec.get("hostnameOverride"))
    if override is None:
        return
    # Dropped where its feature gate is off.
    at = workload.pod_at("spec", "hostnameOverride")
    for field in ("hostNetwork", "setHostnameAsFQDN"):
        if spec.get(field) is True:
            yield Hit(at, message="override", severity="warning", field=field, name=override)
            return
    if override and (len(override) > 64 or dns1123_subdomain(override)) and not is_placeholder(override):
        yield Hit(at.value, message="override-syntax", severity="warning", field="hostnameOverride", name=override)


_RELAXED_SEARCH_SINCE = (1, 33)
_LONG_SEARCH_SINCE = (1, 26)
_SEARCH = r"(?:_?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)(?:\._?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)*"


def pod_dns_config_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`dnsPolicy: None` without a name server, and the limits of `dnsConfig`."""
    config, policy = workload.pod_spec.get("dnsConfig"), workload.pod_spec.get("dnsPolicy")
    if policy != "None" and not isinstance(config, dict):
        return
    severity, version = workload.refused(profile.kubernetes_version), profile.kubernetes_version
    at = workload.pod_at("spec", "dnsConfig")
    servers, searches = mapping(config).get("nameservers"), mapping(config).get("searches")
    if policy == "None" and not servers and not isinstance(config, Unknown):
        yield Hit(workload.pod_at("spec", "dnsPolicy"), message="no-servers", severity=severity, depends=(at,))
    for index, search in enumerate(sequence(searches)):
        if not isinstance(search, str) or is_placeholder(search):
            continue
        relaxed = version is None or version >= _RELAXED_SEARCH_SINCE
        name = search.removesuffix(".")
        accepted = re.fullmatch(_SEARCH, name) or search == "." if relaxed else not dns1123_subdomain(name)
        if not accepted or len(name) > 253:
            at_search = workload.pod_at("spec", "dnsConfig", "searches", index)
            yield Hit(at_search, message="search", severity=severity, value=search)
    long = version is None or version >= _LONG_SEARCH_SINCE
    most, longest = (32, 2048) if long else (6, 256)
    texts = [one for one in sequence(searches) if isinstance(one, str)]
    if len(texts) > most or len(" ".join(texts)) > longest:
        at_searches = workload.pod_at("spec", "dnsConfig", "searches").key
        yield Hit(at_searches, message="searches", severity=severity, count=len(texts), most=most, longest=longest)


_NOT_ON_WINDOWS = {
    "": ("hostUsers", "shareProcessNamespace", "resources"),
    "true": ("hostPID", "hostIPC"),
    "pod": (
        "appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls",
        "runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy",
    ),
    "container": (
        "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem",
        "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
    ),
}  # fmt: skip
"""Restates pkg/apis/core/validation/validation.go (validateWindows): any value counts, also false."""


def pod_os_field_conflict(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Fields that the operating system of the pod, `spec.os.name`, does not have."""
    system = mapping(workload.pod_spec.get("os")).get("name")
    if system not in ("linux", "windows"):
        return
    severity = workload.refused(profile.kubernetes_version)
    depends = (workload.pod_at("spec", "os"),)
    for at, value in _fields_of_other_system(workload, system):
        if value is not None and value != [] and not isinstance(value, Unknown):
            field = field_text(at.route[len(workload.pod_route) :])
            yield Hit(at.key, severity=severity, depends=depends, field=field, system=system)


def _fields_of_other_system(workload: Workload, system: str) -> Iterator[tuple[FieldPath, Any]]:
    """Place and value of what a pod of the operating system must not have."""
    pod = workload.pod_security
    if system == "linux":
        yield workload.pod_at("spec", "securityContext", "windowsOptions"), pod.get("windowsOptions")
        for container in workload.containers:
            yield container.at("securityContext", "windowsOptions"), container.security.get("windowsOptions")
        return
    for field in _NOT_ON_WINDOWS[""]:
        yield workload.pod_at("spec", field), workload.pod_spec.get(field)
    for field in _NOT_ON_WINDOWS["true"]:
        yield workload.pod_at("spec", field), workload.pod_spec.get(field) or None
    for field in _NOT_ON_WINDOWS["pod"]:
        yield workload.pod_at("spec", "securityContext", field), pod.get(field)
    for container in workload.containers:
        for field in _NOT_ON_WINDOWS["container"]:
            yield container.at("securityContext", field), container.security.get(field)


_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def pod_deletion_cost_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """The annotation that says which pod is to be deleted first."""
    value = text(workload.pod_annotations.get(_DELETION_COST))
    if value is None or is_placeholder(value):
        return
    if not re.fullmatch("0|-?[1-9][0-9]{0,9}", value) or not -(2**31) <= int(value) < 2**31:
        at = workload.pod_at("metadata", "annotations", _DELETION_COST).value
        yield Hit(at, severity=workload.refused(profile.kubernetes_version), value=value)


def ephemeral_containers_not_allowed(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`ephemeralContainers` in a manifest: only a running pod may get them."""
    if workload.pod_spec.get("ephemeralContainers") and not workload.is_live_pod:
        severity = workload.refused(profile.kubernetes_version)
        yield Hit(workload.pod_at("spec", "ephemeralContainers").key, severity=severity, kind=workload.kind)


# --- Networks of pods on ACK


def terway_annotation_on_flannel(view: View, profile: Profile) -> Iterator[Hit]:
    """What only Terway reads, in a cluster with Flannel."""
    if profile.cni != "flannel":
        return
    if not isinstance(view, Workload):
        yield Hit(view.at("kind"), message="kind", kind=view.kind)
    elif not pod_network.is_elastic(view):
        for key in pod_network.network_keys(view):
            yield Hit(pod_network.annotation_at(view, key).key, key=key)


def terway_pod_networks_conflict(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Several annotations that each choose the pod's networks."""
    keys = [key for key in pod_network.NETWORKS if text(workload.pod_annotations.get(key))]
    if len(keys) > 1 and not pod_network.is_left_alone(workload, profile):
        related = tuple(Related(pod_network.annotation_at(workload, key), note="other") for key in keys[1:])
        yield Hit(pod_network.annotation_at(workload, keys[0]).key, related=related, keys=keys)


def terway_pod_networks_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Networks written out in annotations, against what the webhook takes."""
    if not pod_network.is_left_alone(workload, profile):
        yield from pod_network.wrong_networks(workload)


def pod_network_annotation_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Values of the annotations of Terway and the EIP controller."""
    yield from pod_network.wrong_values(workload)


def pod_bandwidth_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`kubernetes.io/ingress-bandwidth` and `egress-bandwidth`."""
    yield from pod_network.wrong_bandwidths(workload, profile)


def podnetworking_invalid(network: View, profile: Profile) -> Iterator[Hit]:
    """Fields of a PodNetworking."""
    yield from pod_network.wrong_pod_network(network)


def podnetworking_fixed_needs_statefulset(network: PodNetworkFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Fixed addresses for pods without names of their own."""
    if not network.fixed:
        return
    for workload in project.workloads:
        if workload.resource.family[1] in pod_network.STATELESS and pod_network.gives_network(
            network, workload, project
        ):
            yield Hit(
                network.selector_at,
                related=(Related(workload.labels_at, of=workload),),
                name=network.resource.id.name,
                kind=workload.kind,
                workload=workload.resource.id.name,
            )
            return


def podnetworking_overlapping(network: PodNetworkFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Two PodNetworkings for the same pods."""
    if len(project.pod_networks) > 1:
        yield from pod_network.overlapping(network, project)


def terway_system_object(view: View, profile: Profile) -> Iterator[Hit]:
    """Objects that Terway and the engines within it keep for themselves."""
    if view.id.group == "network.alibabacloud.com" or (profile.provider == "ack" and profile.cni != "other"):
        yield Hit(view.at("kind"), kind=view.kind, group=view.id.group)


def pod_eip_instance_shared(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """One EIP for several pods."""
    yield from pod_network.shared_eip(workload, project)


def pod_eip_release_stateless(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """An EIP that shall outlive pods which come back under other names."""
    found = pod_network.eip_annotation(workload.pod_annotations, "pod-eip-release-strategy")
    if found and found[1] != "Follow" and workload.family[1] in pod_network.STATELESS and not is_placeholder(found[1]):
        yield Hit(pod_network.annotation_at(workload, found[0]), key=found[0], value=found[1], kind=workload.kind)


def pod_eip_without_controller(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """An EIP asked for where neither Terway nor the controller makes any."""
    found = pod_network.eip_annotation(workload.pod_annotations, "pod-with-eip") or pod_network.eip_annotation(
        workload.pod_annotations, "pod-eip-instanceid"
    )
    if found is None or found[1] == "false" or pod_network.EIP_CONTROLLER in (profile.components or {}):
        return
    if at_least(profile.terway.version, "1.7.0"):
        at = pod_network.annotation_at(workload, found[0])
        yield Hit(at.key, key=found[0], version=profile.terway.version, controller=pod_network.EIP_CONTROLLER)


def hostport_on_terway(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Ports of the node that Terway does not open."""
    if profile.cni == "terway":
        yield from pod_network.unopened_ports(workload, project, profile)


def hostport_limits_replicas(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Ports of the node that only one pod of each node can have, or that NodePorts may take."""
    yield from pod_network.scarce_ports(workload, project, profile)


def hostnetwork_dns_policy(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Pods on the host network that use names of Services, and ask the node's DNS for them."""
    if workload.host_network and workload.dns_policy == "ClusterFirst" and profile.cluster_type != "acs":
        yield from pod_network.node_names(workload, project, profile)


def hostnetwork_on_runv(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Namespaces of the node for pods in a sandbox of their own."""
    if workload.pod_spec.get("runtimeClassName") == "runv":
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if workload.pod_spec.get(field) is True:
                yield Hit(workload.pod_at("spec", field), field=field)


def windows_on_terway(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Pods for Windows nodes in a cluster with Terway."""
    if (
        profile.cni == "terway"
        and workload.is_windows
        and "windows" not in {one.os for one in profile.node_pools or ()}
    ):
        selects = "kubernetes.io/os" in mapping(workload.pod_spec.get("nodeSelector"))
        yield Hit(workload.pod_at("spec", *(("nodeSelector", "kubernetes.io/os") if selects else ("os", "name"))))
