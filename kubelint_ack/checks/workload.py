"""Checks of workloads as controllers: selectors, restart policies, schedules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.apiserver import controllers, jobs, pods
from kubelint_ack.facts import PodNetworkFact, WorkloadFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries import pod_network
from kubelint_ack.records import FieldPath, Hit, Related, Route, Unknown
from kubelint_ack.values import at_least, is_placeholder, label_map_selector, matches, selector, selector_text
from kubelint_ack.views import View, Workload, mapping, sequence, text


def selector_template_mismatch(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`spec.selector` against the labels of the pod template."""
    route = (*workload.pod_route[:-1], "selector")
    own = workload.get(*route)
    if not isinstance(own, dict) or not own or not isinstance(workload.get(*workload.pod_route), dict):
        return
    pairs = own.get("matchLabels")
    if len(own) == 1 and isinstance(pairs, dict) and pairs.items() <= workload.pod_labels.items():
        return
    metadata = workload.template.get("metadata")
    if isinstance(metadata, Unknown) or isinstance(mapping(metadata).get("labels"), Unknown):
        return
    labels = dict(workload.pod_labels)
    if workload.family in _RUN_ONCE:
        labels = {**dict.fromkeys(jobs.GIVEN_LABELS, Unknown("")), **labels}
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
    yield from controllers.selector_empty(workload, profile)


def statefulset_name_too_long(statefulset: View, profile: Profile) -> Iterator[Hit]:
    """A name that, with a revision's hash, is too long for a label."""
    yield from controllers.statefulset_name_too_long(statefulset, profile)


def statefulset_service_name_invalid(statefulset: View, profile: Profile) -> Iterator[Hit]:
    """`spec.serviceName`, which becomes the subdomain of the pods."""
    yield from controllers.statefulset_service_name_invalid(statefulset, profile)


def active_deadline_not_supported(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`activeDeadlineSeconds` in the pods of a controller that keeps them running."""
    if workload.family in _KEPT_RUNNING and workload.pod_spec.get("activeDeadlineSeconds") is not None:
        yield Hit(workload.pod_at("spec", "activeDeadlineSeconds"), kind=workload.kind)


# --- Update strategies


def deployment_strategy_invalid(deployment: View, profile: Profile) -> Iterator[Hit]:
    """Combinations in `spec.strategy` that the API server refuses."""
    yield from controllers.deployment_strategy_invalid(deployment, profile)


def daemonset_strategy_invalid(daemonset: View, profile: Profile) -> Iterator[Hit]:
    """Combinations in `spec.updateStrategy` that the API server refuses; by default one pod may be unavailable."""
    yield from controllers.daemonset_strategy_invalid(daemonset, profile)


def statefulset_strategy_invalid(statefulset: View, profile: Profile) -> Iterator[Hit]:
    """Combinations in `spec.updateStrategy` that the API server refuses."""
    yield from controllers.statefulset_strategy_invalid(statefulset, profile)


def progress_deadline_too_short(deployment: View, profile: Profile) -> Iterator[Hit]:
    """`spec.progressDeadlineSeconds`, 600 by default, against `spec.minReadySeconds`."""
    yield from controllers.progress_deadline_too_short(deployment, profile)


# --- Jobs


def job_selector_not_manual(job: Workload, profile: Profile) -> Iterator[Hit]:
    """A selector that only the API server is to write."""
    # One that does not match the template either is reported as that.
    if not any(selector_template_mismatch(job, profile)):
        yield from jobs.job_selector_not_manual(job, profile)


def job_reserved_label(job: Workload, profile: Profile) -> Iterator[Hit]:
    """Labels of the pods whose values the API server makes itself."""
    yield from jobs.job_reserved_label(job, profile)


def job_index_invalid(job: Workload, profile: Profile) -> Iterator[Hit]:
    """Completion modes, and the limits that only an indexed Job has."""
    yield from jobs.job_index_invalid(job, profile)


def pod_failure_policy_invalid(job: Workload, profile: Profile) -> Iterator[Hit]:
    """`podFailurePolicy` against the rest of the Job."""
    yield from jobs.pod_failure_policy_invalid(job, profile)


def success_policy_invalid(job: Workload, profile: Profile) -> Iterator[Hit]:
    """`successPolicy` against the Job's completions."""
    yield from jobs.success_policy_invalid(job, profile)


def cronjob_time_zone_invalid(cronjob: View, profile: Profile) -> Iterator[Hit]:
    """`spec.timeZone` against the IANA database."""
    yield from jobs.cronjob_time_zone_invalid(cronjob, profile)


# --- Pods


def pod_hostname_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`hostname` and `subdomain`, which a StatefulSet overwrites; and what `hostnameOverride` excludes."""
    yield from pods.pod_hostname_invalid(workload, profile)


def pod_dns_config_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`dnsPolicy: None` without a name server, and the limits of `dnsConfig`."""
    yield from pods.pod_dns_config_invalid(workload, profile)


def pod_os_field_conflict(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Fields that the operating system of the pod, `spec.os.name`, does not have."""
    yield from pods.pod_os_field_conflict(workload, profile)


def pod_deletion_cost_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """The annotation that says which pod is to be deleted first."""
    yield from pods.pod_deletion_cost_invalid(workload, profile)


def ephemeral_containers_not_allowed(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`ephemeralContainers` in a manifest: only a running pod may get them."""
    yield from pods.ephemeral_containers_not_allowed(workload, profile)


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
    if workload.pod_annotations and not pod_network.is_left_alone(workload, profile):
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
    # Where components are declared, missing-cluster-component says it.
    if found is None or found[1] == "false" or profile.components is not None:
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
    unopened = {hit.at for hit in hostport_on_terway(workload, project, profile)}
    yield from (hit for hit in pod_network.scarce_ports(workload, project, profile) if hit.at not in unopened)


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
