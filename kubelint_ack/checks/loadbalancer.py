"""Checks of Services of type LoadBalancer: what the cloud controller manager makes of them, and who can reach it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from kubelint_ack.ack import catalogue
from kubelint_ack.facts import ResourceFact, ServiceFact, WorkloadFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.access import local_without_backend
from kubelint_ack.records import FieldPath, Hit, Related, Severity, at
from kubelint_ack.values import Selector, nearest, version
from kubelint_ack.views import LB_PREFIXES, NLB_CLASS, Service, integer, text

# --- externalTrafficPolicy: Local and clients inside the cluster


class _Client(NamedTuple):
    """Who writes the address of a load balancer."""

    resource: ResourceFact
    at: FieldPath
    address: str


def etp_local_in_cluster_access(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A CLB with `Local` whose address clients inside the cluster use."""
    if not _is_local(service, project, profile) or profile.in_cluster_load_balancer_clients is False:
        return
    met = local_without_backend(profile)
    if met.verdict == "works":
        return
    message, severity = _WITHOUT_BACKEND[met.reason]
    backends = _backends(service, project)
    clients = [
        client
        for client in _clients(service, project, backends)
        # With IPVS declared these are told where they write it: etp-local-hostnetwork-client.
        if profile.kube_proxy_mode != "ipvs" or not _is_on_host_network(client, project)
    ]
    if not clients and not profile.in_cluster_load_balancer_clients:
        if not service.resource.alibaba and not profile.is_ack:
            return
        message, severity = "no-client", "info"
    elif _on_every_node(backends):
        severity = "info"
    yield Hit(
        at("spec", "externalTrafficPolicy"),
        message=message,
        severity=severity,
        related=tuple(Related(client.at, of=client.resource, note="client") for client in clients[:5]),
        service=service.name,
        address=clients[0].address if clients else "",
        version=profile.kubernetes_version_text,
    )


def etp_local_hostnetwork_client(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Pods on the host network that use the address of a CLB with `Local`, where kube-proxy is in IPVS mode."""
    if not workload.host_network or local_without_backend(profile, host_network=True).verdict != "fails":
        return
    if profile.terway.data_path == "datapathv2" and profile.service_backend_type == "eni":
        return
    for resource, where in _sources(workload, project):
        written = resource is workload.resource
        told: set[int] = set()
        for mention in resource.mentions:
            service = _local_service(mention.host, workload, project, profile)
            if service is None or id(service) in told:
                continue
            told.add(id(service))
            yield Hit(
                mention.at if written else where,
                message="default" if written else "config",
                severity="info" if _on_every_node(_backends(service, project)) else None,
                related=(
                    Related(at("spec", "externalTrafficPolicy"), of=service, note="service"),
                    *(() if written else (Related(mention.at, of=resource, note="address"),)),
                ),
                kind=workload.kind,
                workload=workload.resource.id.name,
                service=service.name,
                address=mention.host,
            )


def _local_service(host: str, client: WorkloadFact, project: Project, profile: Profile) -> ServiceFact | None:
    """The CLB with `Local` that has this address, and whose backend the client is not."""
    for service in project.addressed(host):
        if _is_local(service, project, profile) and not any(client is one for one in _backends(service, project)):
            return service
    return None


def _is_local(service: ServiceFact, project: Project, profile: Profile) -> bool:
    """Whether it is a CLB of Alibaba Cloud with `Local` whose address a node may answer itself.

    The address of an NLB is a host name, as is that of a CLB with the annotation `hostname`: nodes do not know what
    it stands for, so the calls go out to the load balancer.
    """
    return (
        service.load_balancer == "clb"
        and service.traffic_policy == "Local"
        and profile.provider in (None, "ack")
        and not any(service.annotations.get(prefix + "hostname") for prefix in LB_PREFIXES)
        and not any(project.is_patched(service, *route) for route in _DECIDING)
    )


_DECIDING = (
    ("spec", "externalTrafficPolicy"),
    ("spec", "type"),
    ("spec", "loadBalancerClass"),
    ("metadata", "annotations"),
)


_WITHOUT_BACKEND: dict[str, tuple[str, Severity | None]] = {
    "local-ebpf": ("ebpf", "info"),
    "local-fallback": ("fallback", "info"),
    "local-ipvs": ("ipvs", None),
    "local-mode-unknown": ("default", None),
}
"""Wording and severity for what a pod on a node without a backend meets, where it does not simply get through."""


def _backends(service: ServiceFact, project: Project) -> list[WorkloadFact]:
    return list(project.selectable(service.selector, service)) if service.selector else []


def _on_every_node(backends: list[WorkloadFact]) -> bool:
    return any(workload.kind == "DaemonSet" for workload in backends)


def _sources(workload: WorkloadFact, project: Project) -> Iterator[tuple[ResourceFact, FieldPath]]:
    """Where the pods of a workload read strings: the workload itself, and the ConfigMaps that it names, with where."""
    yield workload.resource, workload.resource.name_at
    told = set()
    for reference in workload.resource.references:
        if reference.kind == "ConfigMap" and reference.name not in told:
            told.add(reference.name)
            data = project.resolve(reference, workload).fact
            if data is not None:
                yield data.resource, reference.at


def _clients(service: ServiceFact, project: Project, backends: list[WorkloadFact]) -> list[_Client]:
    """The places that write an address of the load balancer, at most one of each resource.

    The pods behind it do not count, nor do ConfigMaps that only they read: where they run there is a backend.
    """
    found: dict[int, _Client] = {}
    for address in service.addresses:
        for resource, mention in project.mentioning(address.lower()):
            if resource is not service.resource:
                found.setdefault(id(resource), _Client(resource, mention.at, mention.host))
    clients = [client for client in found.values() if not _is_own(client, project, backends)]
    return sorted(clients, key=lambda client: (client.resource.path, client.resource.document, str(client.at.route)))


def _is_own(client: _Client, project: Project, backends: list[WorkloadFact]) -> bool:
    readers = _readers(client, project)
    return bool(readers) and all(any(reader is backend for backend in backends) for reader in readers)


def _readers(client: _Client, project: Project) -> list[WorkloadFact]:
    """The workloads whose pods read what the client is written in."""
    return [
        workload
        for workload in project.selectable(Selector(), client.resource)
        if any(resource is client.resource for resource, _ in _sources(workload, project))
    ]


def _is_on_host_network(client: _Client, project: Project) -> bool:
    """Whether only pods on the host network read it."""
    readers = _readers(client, project)
    return bool(readers) and all(workload.host_network for workload in readers)


# --- Annotations

# A key or value that something fills in before it is applied.
_PLACEHOLDER = r"(?i)[{}<>$*]|xxx|your[-_]"


def lb_annotation_unknown(service: Service, profile: Profile) -> Iterator[Hit]:
    """An annotation with the controller's prefix that it does not read."""
    if service.spec.get("loadBalancerClass") == _EDGE_CLASS:
        return
    known = catalogue("service")
    for key in service.annotations:
        prefix = next((prefix for prefix in LB_PREFIXES if key.startswith(prefix)), None)
        if prefix is None:
            continue
        suffix = key[len(prefix) :]
        if suffix in known.known or re.search(_PLACEHOLDER, key):
            continue
        near = known.unread.get(suffix)
        if near is None:
            found = nearest(suffix.lower().replace("_", "-"), known.known)
            near = prefix + found if found else None
        running = version((profile.components or {}).get("cloud-controller-manager"))
        yield Hit(
            service.at("metadata", "annotations", key).key,
            message="near" if near else "default",
            severity="info" if running and running[:2] > known.covers["cloud-controller-manager"] else None,
            key=key,
            near=near or "",
        )


def lb_protocol_port_format(service: Service, profile: Profile) -> Iterator[Hit]:
    """Entries of `protocol-port` as the controller reads them.

    For each port of the Service it reads from left to right up to the entry with that port, and gives up at an entry
    without a colon or with an unknown protocol; nothing is trimmed, and fields after the second are not looked at
    (kubernetes/cloud-provider-alibaba-cloud, pkg/controller/service/clbv1/listeners.go).
    """
    found = service.lb_annotation("protocol-port")
    if found is None or service.load_balancer is None:
        return
    key, value = found
    entries = value.split(",")
    read = _entries_read(service, entries)
    reused = (
        service.lb_annotation("id") and (service.lb_annotation("force-override-listeners") or ("", ""))[1] != "true"
    )
    protocols = catalogue("service").known["protocol-port"]["readers"][service.load_balancer]["values"]
    start = 0
    for index, entry in enumerate(entries):
        place = service.at("metadata", "annotations", key)
        place = place.slice(start, start + len(entry)) if entry else place
        start += len(entry) + 1
        message, right = _entry_problem(entry, protocols)
        if not message or re.search(_PLACEHOLDER, entry):
            continue
        # A port that is never found is left at its own protocol; all else stops the whole Service.
        stops = index in read and not reused and message not in ("blank-port", "several")
        yield Hit(place, message=message, severity=None if stops else "warning", entry=entry, right=right)


def _entry_problem(entry: str, protocols: list[str]) -> tuple[str, str]:
    """What is wrong with the form of an entry, and how it is written; empty if nothing is."""
    parts = entry.split(":")
    if not entry.strip():
        return "empty", ""
    if len(parts) == 1:
        return "default", ""
    if len(parts) > 2:
        return "several", ""
    first, second = parts
    right = ":".join(part.strip() for part in parts)
    if first.strip().isdigit() and second.strip().lower() in protocols:
        return "swapped", f"{second.strip()}:{first.strip()}"
    if first != first.strip():
        return "blank", right
    if second != second.strip():
        return "blank-port", right
    return "", ""


def _entries_read(service: Service, entries: list[str]) -> set[int]:
    """Which entries the controller comes to while it looks for the ports of the Service."""
    read: set[int] = set()
    for _, port in service.ports():
        number = integer(port.get("port"))
        if number is None:
            continue
        for index, entry in enumerate(entries):
            read.add(index)
            if entry.split(":")[1:2] == [str(number)]:
                break
    return read


# --- Classes and addresses

_EDGE_CLASS = "alibabacloud.com/elb"
"""Served by the controller of ACK Edge."""


def lb_class_unsupported(service: Service, profile: Profile) -> Iterator[Hit]:
    """A `loadBalancerClass` that no controller of ACK serves."""
    value = service.spec.get("loadBalancerClass")
    if service.type != "LoadBalancer" or not isinstance(value, str) or re.search(_PLACEHOLDER, value):
        return
    if value in (NLB_CLASS, _EDGE_CLASS) or value in (profile.load_balancer_classes or ()):
        return
    severity: Severity | None = None
    if not value:
        message = "empty"
    elif value in ("alibabacloud.com/clb", "alibabacloud.com/slb"):
        message = "clb"
    elif value.lower() == NLB_CLASS:
        message = "case"
    elif value.startswith("alibabacloud.com/"):
        message, severity = "default", "warning"
    elif profile.is_ack:
        message, severity = "other", "info"
    else:
        return
    at = service.at("spec", "loadBalancerClass")
    yield Hit(at, message=message, severity=severity, depends=(service.at("spec", "type"),), value=value)


# Names of programs that are there to be reached from outside.
_GATEWAYS = frozenset(
    {"ingress-nginx", "nginx-ingress", "nginx-ingress-lb", "istio-ingressgateway", "higress-gateway", "traefik", "kong"}
)


def lb_internet_by_default(service: Service, profile: Profile) -> Iterator[Hit]:
    """A load balancer that is public because nothing says what it shall be."""
    if service.load_balancer is None or profile.provider not in (None, "ack"):
        return
    if _is_set(service, "id") or _is_set(service, "address-type"):
        return
    names = {text(service.labels.get("app.kubernetes.io/name")), text(service.labels.get("app")), service.name}
    sure = (service.is_alibaba or profile.is_ack) and not names & _GATEWAYS
    yield Hit(
        service.at("metadata", "annotations", LB_PREFIXES[0] + "address-type"),
        severity=None if sure else "info",
        depends=(service.at("metadata", "annotations"), service.at("spec", "type")),
        service=service.name,
        balancer=service.load_balancer.upper(),
    )


def _is_set(service: Service, suffix: str) -> bool:
    """Whether an annotation of the controller has a value, be it one that only rendering will show."""
    return any(service.annotations.get(prefix + suffix) not in (None, "") for prefix in LB_PREFIXES)
