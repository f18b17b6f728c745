"""Checks of workloads as controllers: selectors, restart policies, schedules."""

from __future__ import annotations

from collections.abc import Iterator

from kubelint_ack.profile import Profile
from kubelint_ack.records import Hit, Related, Unknown
from kubelint_ack.values import label_map_selector, matches, selector, selector_text
from kubelint_ack.views import View, Workload, mapping, text


def selector_template_mismatch(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`spec.selector` against the labels of the pod template."""
    own = workload.spec.get("selector")
    if not isinstance(own, dict) or not own or not isinstance(workload.spec.get("template"), dict):
        return
    if workload.kind == "Job" and workload.spec.get("manualSelector") is not True:
        return
    labels = workload.template.get("metadata")
    if isinstance(labels, Unknown) or isinstance(mapping(labels).get("labels"), Unknown):
        return
    is_map = workload.kind == "ReplicationController"
    wanted = label_map_selector(own) if is_map else selector(own)
    if matches(wanted, workload.pod_labels) is False:
        field = "matchLabels" if "matchLabels" in own or is_map else "matchExpressions"
        at = workload.at("spec", "selector") if is_map else workload.at("spec", "selector", field)
        labels_at = workload.pod_at("metadata", "labels")
        yield Hit(
            at.key,
            message="default" if workload.pod_labels else "no-labels",
            related=(Related(labels_at, note="labels"),),
            selector=selector_text(wanted),
            labels=workload.pod_labels,
        )


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
