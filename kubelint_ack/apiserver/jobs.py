"""Jobs, and those that CronJobs make.

Restates pkg/apis/batch/validation/validation.go (ValidateJob, validateJobSpec, validateCronJobSpec).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.jobs import IndexMistake, count_indexes, time_zone_mistake
from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Route, Severity, Unknown
from kubelint_ack.values import is_placeholder
from kubelint_ack.views import View, Workload, integer, mapping, sequence, text

# The API server gives these labels to the pods of a Job, and asks for them.
# https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-selector
GIVEN_LABELS = ("controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name")


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
        if key not in GIVEN_LABELS or not isinstance(value, str):
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
