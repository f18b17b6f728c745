"""Checks of workloads as controllers: selectors, restart policies, schedules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Related, Route, Unknown
from kubelint_ack.values import label_map_selector, matches, selector, selector_text
from kubelint_ack.views import View, Workload, mapping, sequence, text

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
        yield Hit(at, message="missing", kind=workload.kind, allowed=allowed)


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
