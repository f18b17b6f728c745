"""What Terway, the EIP controller and nodes make of the network settings of pods."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubelint_ack.ack import Catalogue, catalogue, network_plugins
from kubelint_ack.facts import PodNetworkFact, WorkloadFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.records import FieldPath, Hit, Related
from kubelint_ack.values import is_placeholder, matches, nearest, quantity
from kubelint_ack.views import View, Workload, mapping, sequence, text

NETWORKS = ("k8s.aliyun.com/pod-networks", "k8s.aliyun.com/pod-networks-request", "k8s.aliyun.com/pod-networking")
"""Annotations that each choose a pod's networks.

https://github.com/AliyunContainerService/terway/blob/main/pkg/controller/webhook/mutating.go
"""
EIP_PREFIXES = ("k8s.aliyun.com/", "network.alibabacloud.com/")
EIP_CONTROLLER = "ack-extend-network-controller"

STATELESS = frozenset({"Deployment", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"})
"""Kinds whose pods have no names of their own."""

_MOST_GROUPS = 10


def is_left_alone(workload: Workload, profile: Profile) -> bool:
    """Whether Terway's webhook does not look at the pods of a workload, or the cluster has none."""
    return (
        workload.pod_spec.get("hostNetwork") is True
        or workload.pod_labels.get("k8s.aliyun.com/ignore-by-terway") == "true"
        or profile.cni not in (None, "terway")
        or workload.is_live_pod
    )


def is_elastic(workload: Workload) -> bool:
    """Whether the pods are meant for elastic container instances, where virtual nodes read other keys."""
    return any("/eci-" in key for key in workload.pod_annotations) or any(
        key in ("alibabacloud.com/eci", "alibabacloud.com/acs") for key in workload.pod_labels
    )


def annotation_at(workload: Workload, key: str) -> FieldPath:
    """The place of an annotation of the pods."""
    return workload.pod_at("metadata", "annotations", key)


def network_keys(workload: Workload) -> Iterator[str]:
    """Annotations of the pods that only Terway, or its EIP controller, reads."""
    for key in workload.pod_annotations:
        if any((row := _row(one, key)) and not row.get("label") for one in _families()) and "bandwidth" not in key:
            yield key


def _families() -> tuple[Catalogue, ...]:
    return catalogue("terway"), catalogue("pod-eip")


def _row(family: Catalogue, key: str) -> Mapping[str, Any] | None:
    return family.known.get(family.name_of(key) or "")


# --- Values of annotations


def _is_duration(value: str) -> bool:
    # Few pods have such a value.
    from kubelint_ack.cron import is_duration

    return is_duration(value)


_BOOLEANS = frozenset({"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"})
"""https://pkg.go.dev/strconv#ParseBool"""


def wrong_values(workload: Workload) -> Iterator[Hit]:
    """Annotations whose value has not the form that the catalogues give it, and keys nearly like those."""
    for key, value in workload.pod_annotations.items():
        if not key.startswith(EIP_PREFIXES) or not isinstance(value, str) or is_placeholder(value):
            continue
        found = next((row for one in _families() if (row := _row(one, key)) and not row.get("label")), None)
        at = annotation_at(workload, key)
        if found is None:
            near = _near(key)
            if near:
                yield Hit(at.key, message="unknown", key=key, near=near)
            continue
        allowed = [word for one in found["readers"].values() for word in one.get("values", ())]
        kind = found["type"]
        if kind == "boolean" and value not in _BOOLEANS:
            yield Hit(at.value, message="boolean", key=key, value=value)
        elif kind == "enum" and allowed and value not in allowed:
            yield Hit(at.value, message="words", key=key, value=value, allowed=list(dict.fromkeys(allowed)))
        elif kind == "integer" and not re.fullmatch("[0-9]+", value):
            yield Hit(at.value, message="number", key=key, value=value)
        elif kind == "duration" and value not in allowed and not _is_duration(value):
            yield Hit(at.value, message="duration", key=key, value=value, allowed=allowed)


def _near(key: str) -> str | None:
    """The key that an unknown one was most likely meant to be."""
    prefix, slash, name = key.partition("/")
    if name.startswith(("eci-", "acs-")):
        return None
    names = [
        one for family in _families() for one in family.known if "/" not in one and f"{prefix}/" in family.prefixes
    ]
    found = nearest(name, names, 0.9)
    return f"{prefix}{slash}{found}" if found else None


def wrong_networks(workload: Workload) -> Iterator[Hit]:
    """What the webhook refuses of networks that a pod has written out."""
    for key, name in ((NETWORKS[0], "interface"), (NETWORKS[1], "interfaceName")):
        value = workload.pod_annotations.get(key)
        if not isinstance(value, str) or not value or is_placeholder(value):
            continue
        at = annotation_at(workload, key)
        try:
            data = json.loads(value)
        except ValueError as error:
            position = getattr(error, "pos", 0)
            yield Hit(at.slice(position, position + 1) if position < len(value) else at.value, message="json", key=key)
            continue
        networks = mapping(data).get("podNetworks") if key == NETWORKS[0] else data
        if not isinstance(networks, list) or not all(isinstance(one, dict) for one in networks):
            yield Hit(at.value, message="form", key=key)
            continue
        yield from _wrong_interfaces(networks, name, key, value, at)
        for one in networks:
            groups = sequence(one.get("securityGroupIDs"))
            if len(groups) > _MOST_GROUPS:
                yield Hit(at.value, message="groups", key=key, count=len(groups), most=_MOST_GROUPS)
            if mapping(one.get("allocationType")).get("type") == "Fixed" and workload.family[1] in STATELESS:
                yield Hit(_part(at, value, '"Fixed"'), message="fixed", key=key, kind=workload.kind)


def _wrong_interfaces(
    networks: Sequence[Mapping[str, Any]], name: str, key: str, value: str, at: FieldPath
) -> Iterator[Hit]:
    seen: set[str] = set()
    for one in networks:
        interface = one.get(name)
        if not isinstance(interface, str):
            continue
        here = _part(at, value, json.dumps(interface))
        if not 1 <= len(interface) <= 5:
            yield Hit(here, message="interface", key=key, interface=interface)
        elif interface in seen:
            yield Hit(at.value, message="duplicate", key=key, interface=interface)
        seen.add(interface)


def _part(at: FieldPath, value: str, part: str) -> FieldPath:
    """The place of a part that a value holds once, else of the value."""
    start = value.find(part)
    return at.slice(start, start + len(part)) if value.count(part) == 1 else at.value


def wrong_bandwidths(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Bandwidths that are none, and those that the network plug-in does not limit."""
    for direction in ("ingress", "egress"):
        key = f"kubernetes.io/{direction}-bandwidth"
        value = text(workload.pod_annotations.get(key))
        if value is None or is_placeholder(value):
            continue
        at, number = annotation_at(workload, key), quantity(value)
        # https://github.com/kubernetes/kubernetes/blob/master/pkg/util/bandwidth/utils.go
        if number is None or not 1000 <= number <= 10**15:
            yield Hit(at.value, key=key, value=value)
            continue
        terway, plugins = profile.terway, network_plugins()
        answer = plugins.answer(f"{direction}-bandwidth", profile.cni, terway.mode, terway.data_path)
        if profile.cni is not None and answer == "no":
            mode = plugins.modes[plugins.possible(profile.cni, terway.mode, terway.data_path)[0]].title["en"]
            yield Hit(at, message="unsupported", key=key, mode=mode)


# --- PodNetworkings


def wrong_pod_network(view: View) -> Iterator[Hit]:
    """Fields of a PodNetworking that its types and Terway's webhook refuse.

    https://github.com/AliyunContainerService/terway/tree/main/pkg/apis/network.alibabacloud.com/v1beta1
    """
    for route, allowed in _WORDS.items():
        value = text(view.get("spec", *route))
        if value and value not in allowed and not is_placeholder(value):
            yield Hit(view.at("spec", *route), message="word", value=value, allowed=list(allowed))
    groups = sequence(view.get("spec", "securityGroupIDs"))
    if len(groups) > _MOST_GROUPS:
        yield Hit(view.at("spec", "securityGroupIDs"), message="groups", count=len(groups), most=_MOST_GROUPS)
    allocation = mapping(view.get("spec", "allocationType"))
    strategy, after = allocation.get("releaseStrategy"), allocation.get("releaseAfter")
    at = view.at("spec", "allocationType", "releaseAfter")
    if strategy == "TTL" and (after is None or after == ""):
        yield Hit(at, message="no-time")
    elif strategy == "TTL" and isinstance(after, str) and not is_placeholder(after) and not _is_duration(after):
        yield Hit(at, message="time", value=after)
    elif strategy == "Never" and after:
        yield Hit(at, message="never")


_WORDS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("eniOptions", "eniType"): ("Trunk", "ENI", "Default"),
    ("allocationType", "type"): ("Elastic", "Fixed"),
    ("allocationType", "releaseStrategy"): ("TTL", "Never"),
    ("vSwitchSelectOptions", "vSwitchSelectionPolicy"): ("ordered", "random", "most"),
}


def gives_network(network: PodNetworkFact, workload: WorkloadFact, project: Project) -> bool:
    """Whether the selectors of a PodNetworking surely select a workload's pods."""
    if network.pods is None and network.namespaces is None:
        return False
    if workload.host_network or workload.labels.get("k8s.aliyun.com/ignore-by-terway") == "true":
        return False
    labels = project.namespace_labels(project.namespace(workload))
    return bool(
        (network.pods is None or matches(network.pods, project.pod_labels(workload)))
        and (network.namespaces is None or matches(network.namespaces, labels))
    )


def overlapping(network: PodNetworkFact, project: Project) -> Iterator[Hit]:
    """Workloads that an earlier PodNetworking selects too."""
    earlier = project.pod_networks[: next(i for i, one in enumerate(project.pod_networks) if one is network)]
    for workload in project.workloads:
        stateless = workload.resource.family[1] in STATELESS
        if not gives_network(network, workload, project) or (network.fixed and stateless):
            continue
        for other in earlier:
            if gives_network(other, workload, project) and not (other.fixed and stateless):
                yield Hit(
                    network.selector_at,
                    related=(
                        Related(other.selector_at, of=other, note="other"),
                        Related(workload.labels_at, of=workload),
                    ),
                    name=network.resource.id.name,
                    other=other.resource.id.name,
                    kind=workload.kind,
                    workload=workload.resource.id.name,
                )
                return


# --- Elastic IP addresses


def eip_annotation(annotations: Mapping[str, Any], name: str) -> tuple[str, str] | None:
    """(key, value) of an annotation of the EIP controller under either prefix."""
    for prefix in EIP_PREFIXES:
        value = text(annotations.get(prefix + name))
        if value:
            return prefix + name, value
    return None


def shared_eip(workload: WorkloadFact, project: Project) -> Iterator[Hit]:
    """One EIP for the pods of a workload that may have several."""
    found = eip_annotation(workload.annotations, "pod-eip-instanceid")
    if found is None or project.is_patched(workload, "spec", "replicas"):
        return
    at = FieldPath((*workload.labels_at.route[:-1], "annotations", found[0]))
    values: dict[str, Any] = {"kind": workload.kind, "workload": workload.resource.id.name, "eip": found[1]}
    kind = workload.resource.family[1]
    scaler = next(
        (one for one in project.scalers if one.target and _scales(one.target.kind, one.target.name, workload)), None
    )
    if kind == "DaemonSet":
        yield Hit(at, message="each-node", severity="warning", **values)
    elif kind not in ("Pod", "Job", "CronJob") and (workload.replicas or 0) > 1:
        replicas = Related(FieldPath(("spec", "replicas")), note="replicas")
        yield Hit(at, message="default", related=(replicas,), count=workload.replicas, **values)
    elif scaler is not None and (scaler.maximum or 0) > 1:
        related = (Related(scaler.resource.name_at, of=scaler, note="scaler"),)
        yield Hit(at, message="scaled", severity="warning", related=related, count=scaler.maximum, **values)
    elif kind == "Deployment":
        yield Hit(at, message="rolling", severity="warning", **values)


def _scales(kind: str, name: str, workload: WorkloadFact) -> bool:
    return kind == workload.kind and name == workload.resource.id.name


# --- Ports of nodes

NODE_PORTS = (30000, 32767)
"""The API server's default: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/"""


def host_ports(workload: WorkloadFact) -> Iterator[tuple[int, FieldPath]]:
    """The ports of the node that the containers of pods off the host network ask for."""
    if workload.host_network:
        return
    for container in workload.containers:
        for port in container.ports:
            if port.host_port:
                yield port.host_port, FieldPath((*port.at.route, "hostPort"))


def unopened_ports(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Ports of the node that Terway does not open."""
    if profile.terway.kube_proxy_replacement:
        return
    for port, at in host_ports(workload):
        if any("portmap" in one.settings.get("10-terway.conflist", "") for one in project.data if one.settings):
            return
        message = "exclusive" if profile.terway.mode == "exclusive-eni" else "default"
        yield Hit(at, message=message, port=port)


def scarce_ports(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Ports of the node that only one pod of each node can have, or that NodePorts may take."""
    low, high = profile.node_port_range or NODE_PORTS
    replicas = workload.replicas or 0
    for port, at in host_ports(workload):
        if low <= port <= high:
            yield Hit(at, message="node-ports", port=port, low=low, high=high)
        elif replicas > 1 and not project.is_patched(workload, "spec", "replicas"):
            counts = [one.count for one in profile.node_pools or () if isinstance(one.count, int)]
            known = bool(profile.node_pools_complete and len(counts) == len(profile.node_pools or ()))
            yield Hit(at, severity=None if known and sum(counts) < replicas else "info", port=port, count=replicas)


def node_names(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Names of Services in pods on the host network, which the DNS of the node does not know."""
    domain = f".svc.{profile.cluster_domain or 'cluster.local'}"
    for mention in workload.resource.mentions:
        # The name of the API server is mostly that of an issuer or an audience, which nobody looks up.
        if mention.host.startswith("kubernetes.default.svc"):
            continue
        if mention.host.endswith((".svc", domain)) and not project.is_patched(workload, *mention.at.route):
            at = FieldPath((*workload.labels_at.route[:-2], "spec", "dnsPolicy"))
            yield Hit(at, related=(Related(mention.at, note="name"),), host=mention.host)
            return
