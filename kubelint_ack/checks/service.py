"""Checks of Services: what they select, how they number their ports, and what governs StatefulSets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubelint_ack.apiserver import service as refused
from kubelint_ack.existence import same_namespace
from kubelint_ack.facts import IngressFact, ServiceFact, ServicePort, WorkloadFact
from kubelint_ack.names import dns1123_label
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries import traffic
from kubelint_ack.queries.access import backend_type
from kubelint_ack.records import Hit, Related, Severity, Step, at
from kubelint_ack.values import address, cidr, matches
from kubelint_ack.views import Service, View, integer, sequence

# --- Headless Services and StatefulSets

# Words in the name of a port, or application protocols, whose clients spread their calls themselves.
# https://grpc.io/blog/grpc-load-balancing/
_CLIENT_BALANCED = frozenset({"grpc", "grpcs", "http2", "h2c", "dubbo", "memcache", "memcached"})
# Ports that are these by convention: gRPC, Dubbo, memcached.
_CLIENT_BALANCED_PORTS = frozenset({50051, 20880, 11211})
# Words in the name of a port over which pods find each other, or are found one by one by a collector.
_DISCOVERY = frozenset({"metrics", "telemetry", "gossip", "memberlist", "peer", "peers", "discovery", "jgroups"})


def headless_without_statefulset(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A headless Service that no StatefulSet names, and whose pods are not a StatefulSet's."""
    if not service.headless or service.selector is None or any(project.governed_by(service)):
        return
    if project.is_patched(service, "spec", "selector") or project.is_patched(service, "spec", "clusterIP"):
        return
    selected = project.select(service.selector, service)
    if selected.state != "found" or any(
        workload.kind == "StatefulSet" or workload.subdomain == service.name for workload in selected.workloads
    ):
        return
    message = "default"
    if any(_is_client_balanced(port) for port in service.ports):
        message = "client-balanced"
    elif _is_discovered(service, project, selected.workloads):
        message = "discovery"
    yield Hit(
        at("spec", "clusterIP"),
        message=message,
        severity=None if message == "default" else "info",
        related=tuple(Related(workload.labels_at, of=workload, note="selected") for workload in selected.workloads[:3]),
        service=service.name,
        kind=selected.workloads[0].kind,
        workload=selected.workloads[0].resource.id.name,
    )


def _words(name: str) -> set[str]:
    return set(re.findall("[a-z]+[0-9]?[a-z]*", name.lower()))


def _is_client_balanced(port: ServicePort) -> bool:
    words = _words(port.name or "") | _words(port.app_protocol or "")
    return bool(words & _CLIENT_BALANCED) or port.port in _CLIENT_BALANCED_PORTS


def _is_discovered(service: ServiceFact, project: Project, workloads: tuple[WorkloadFact, ...]) -> bool:
    """Whether the Service is there so that something finds every single pod."""
    if service.publishes_not_ready or not service.ports or service.annotations.get("prometheus.io/scrape") == "true":
        return True
    if any(_words(port.name or "") & _DISCOVERY for port in service.ports):
        return True
    # One pod on each node, or pods that an operator makes: who asks for these means a certain one.
    if all(workload.kind == "DaemonSet" or "." in workload.resource.family[0] for workload in workloads):
        return True
    return _is_monitored(service, project)


def _is_monitored(service: ServiceFact, project: Project) -> bool:
    """Whether a ServiceMonitor of the unit may find the Service."""
    namespace = project.namespace(service)
    for monitor in project.monitors:
        if monitor.namespaces:
            reached = namespace is None or namespace in monitor.namespaces
        else:
            reached = monitor.namespaces is None or same_namespace(project.namespace(monitor), namespace) is not False
        if reached and matches(monitor.selector, service.resource.labels) is not False:
            return True
    return False


def statefulset_service_not_headless(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A StatefulSet whose Service is in the unit, but gives its pods no names."""
    reference = workload.service_name
    if reference is None or project.is_patched(workload, "spec", "serviceName"):
        return
    services: list[ServiceFact] = list(project.named("Service", reference.name, workload))
    fits = [_fit(service, workload, project) for service in services]
    if not services or "" in fits:
        return
    service, message, labels = services[0], fits[0], project.pod_labels(workload)
    yield Hit(
        reference.at,
        message=message,
        related=(
            Related(service.selector_at, of=service, note="selector")
            if message == "selector"
            else Related(at("spec", "clusterIP" if message == "default" else "type"), of=service, note="type"),
        ),
        workload=workload.resource.id.name,
        service=reference.name,
        selector=service.selector_labels,
        labels={key: labels[key] for key in service.selector_labels if key in labels} or labels,
    )


def _fit(service: ServiceFact, workload: WorkloadFact, project: Project) -> str:
    """Why a Service gives the pods of a StatefulSet no names: a wording; empty if it may give them."""
    if service.headless is None or project.is_patched(service, "spec"):
        return ""
    if not service.headless:
        return "external-name" if service.type == "ExternalName" else "default"
    if service.selector is None or matches(service.selector, project.pod_labels(workload)) is not False:
        return ""
    return "" if project.is_patched(workload, *workload.labels_at.route) else "selector"


def statefulset_service_missing(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A `serviceName` that names no Service."""
    reference = workload.service_name
    if reference is None or project.is_patched(workload, "spec", "serviceName"):
        return
    if dns1123_label(reference.name):
        # No Service can have that name: statefulset-service-name-invalid says so.
        return
    answer = project.resolve(reference, workload)
    if not answer.missing and not answer.unseen:
        return
    own = [
        service
        for service in project.services
        if service.headless
        and service.selector is not None
        and service.name
        and same_namespace(project.namespace(service), project.namespace(workload))
        and matches(service.selector, project.pod_labels(workload))
    ]
    yield Hit(
        reference.at,
        message="unseen" if answer.unseen else ("other" if own else "default"),
        severity="info" if answer.unseen else answer.severity,
        related=tuple(Related(service.resource.name_at, of=service, note="other") for service in own[:1]),
        workload=workload.resource.id.name,
        service=reference.name,
        other=own[0].name if own else "",
    )


def headless_port_not_mapped(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A headless Service whose port is not the one on which its pods listen."""
    if not service.headless or service.selector is None or project.is_patched(service, "spec"):
        return
    selected = project.select(service.selector, service)
    for port in service.ports:
        listening = port.target
        if isinstance(listening, str):
            numbers = {_port_number(workload, listening, port.protocol) for workload in selected.workloads}
            listening = numbers.pop() if len(numbers) == 1 else None
        if not listening or port.port is None or listening == port.port:
            continue
        # Who finds the pods through SRV records or endpoints learns the port on which they listen.
        looked_up = bool(port.name) and any(workload.kind == "StatefulSet" for workload in selected.workloads)
        discovered = looked_up or _is_discovered(service, project, selected.workloads)
        yield Hit(
            port.target_at,
            severity="info" if discovered else None,
            service=service.name,
            port=port.port,
            target=listening,
        )


def _port_number(workload: WorkloadFact, name: str, protocol: str) -> int | None:
    for container in workload.containers:
        for port in container.ports:
            if container.role in ("main", "sidecar") and (port.name, port.protocol) == (name, protocol):
                return port.number
    return None


# --- Selection


def service_selects_nothing(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A selector that no workload's pods match."""
    if service.selector is None or service.type == "ExternalName" or project.is_patched(service, "spec", "selector"):
        return
    # A traffic split sends what is meant for its apex Service elsewhere: that one needs no pods.
    if project.objects("TrafficSplit", project.namespace(service)):
        return
    # A StatefulSet names it as its own: statefulset-service-not-headless says so there.
    if service.headless and any(
        _fit(service, workload, project) == "selector" for workload in project.governed_by(service)
    ):
        return
    selected = project.select(service.selector, service)
    message, severity = "default", selected.severity
    if selected.missing:
        near = project.nearest_workload(service.selector, service)
        if _may_stand_alone(service, project):
            severity = "info"
    elif selected.unseen:
        near = project.workload_elsewhere(service.selector, service)
        message, severity = "namespace", "info"
        if near is None:
            return
    else:
        return
    yield Hit(
        service.selector_at,
        message=message,
        severity=severity,
        related=(Related(near.labels_at, of=near, note="nearest"),) if near else (),
        service=service.name,
        labels=service.selector_labels,
        namespace=project.namespace(service),
        other=project.namespace(near) if near else "",
    )


def _may_stand_alone(service: ServiceFact, project: Project) -> bool:
    """Whether the Service may well be meant for pods that are kept elsewhere."""
    # Pods of the control plane and of add-ons; exporters that come as a chart.
    if project.namespace(service) == "kube-system" or _is_monitored(service, project):
        return True
    # Written several times, its files are alternatives of each other: nobody knows what is applied with which.
    return bool(service.name) and sum(1 for _ in project.named("Service", service.name or "", service)) > 1


def service_target_port_unresolved(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A `targetPort` by a name that no selected pod gives to a port."""
    if service.type == "ExternalName" or project.is_patched(service, "spec"):
        return
    named = [port for port in service.ports if isinstance(port.target, str) and port.target]
    for port in named:
        if str(port.target).isdigit():
            yield Hit(port.target_at, message="quoted", service=service.name, target=port.target)
    named = [port for port in named if not str(port.target).isdigit()]
    if not named or service.selector is None:
        return
    selected = project.select(service.selector, service)
    if selected.state != "found" or any(_ports_may_change(workload, project) for workload in selected.workloads):
        return
    severity: Severity | None = None
    if not selected.exhaustive or any(
        _may_be_injected(workload, project) or not project.beside(service.resource, workload.resource)
        for workload in selected.workloads
    ):
        severity = "warning"
    for port in named:
        declared = [
            one
            for workload in selected.workloads
            for container in workload.containers
            if container.role in ("main", "sidecar")
            for one in container.ports
            if one.name
        ]
        protocols = {one.protocol for one in declared if one.name == port.target}
        if port.protocol in protocols:
            continue
        names = list(dict.fromkeys(one.name for one in declared))
        message = "protocol" if protocols else ("default" if names else "unnamed")
        first = selected.workloads[0]
        yield Hit(
            port.target_at,
            message=message,
            severity=severity,
            related=tuple(
                Related(container.at, of=first, note="container")
                for container in first.containers
                if container.role == "main"
            )[:1],
            service=service.name,
            target=port.target,
            kind=first.kind,
            workload=first.resource.id.name,
            names=names,
            protocol=port.protocol,
            declared=protocols,
        )


def _ports_may_change(workload: WorkloadFact, project: Project) -> bool:
    if not all(container.ports_known for container in workload.containers):
        return True
    if any(project.is_patched(workload, *container.at.route, "ports") for container in workload.containers):
        return True
    # A further container, added behind the others.
    pod = workload.labels_at.route[:-2]
    lists = [(*pod, "spec", key) for key in ("containers", "initContainers")]
    held = [container.at.route[:-1] for container in workload.containers]
    return any(project.is_patched(workload, *route, held.count(route)) for route in lists)


# Labels of a pod or its namespace that make a webhook put further containers into it.
_INJECTION = ("sidecar.istio.io/", "istio-injection", "istio.io/rev", "linkerd.io/", "kuma.io/", "kruise.io/")


def _may_be_injected(workload: WorkloadFact, project: Project) -> bool:
    keys = list(workload.labels)
    for namespace in project.named("Namespace", project.namespace(workload) or "", workload):
        keys += namespace.resource.labels
    return any(key.startswith(_INJECTION) for key in keys)


# --- Node ports

_DEFAULT_RANGE = (30000, 32767)
"""https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport"""


def nodeport_out_of_range(service: Service, profile: Profile) -> Iterator[Hit]:
    """A fixed node port that the cluster does not hand out."""
    if service.type not in ("NodePort", "LoadBalancer"):
        return
    low, high = profile.node_port_range or _DEFAULT_RANGE
    for index, port in service.ports():
        number = integer(port.get("nodePort"))
        if not number or low <= number <= high:
            continue
        impossible = not 1 <= number <= 65535
        message = "declared" if profile.node_port_range else "default"
        yield Hit(
            service.at("spec", "ports", index, "nodePort"),
            message="impossible" if impossible else message,
            severity="warning" if message == "default" and not impossible else None,
            port=number,
            low=low,
            high=high,
        )


def nodeport_duplicate(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A fixed node port that an earlier port of this Service, or an earlier Service, has."""
    if project.is_patched(service, "spec"):
        return
    own: dict[tuple[int, str], ServicePort] = {}
    for port in _node_ports(service):
        key = (port.node_port or 0, port.protocol)
        node_port_at = at(*port.at.route, "nodePort")
        if key in own:
            yield Hit(
                node_port_at,
                message="same-service",
                related=(Related(at(*own[key].at.route, "nodePort"), note="first"),),
                port=port.node_port,
                protocol=port.protocol,
                service=service.name,
            )
            continue
        own[key] = port
        for other, other_port in _earlier_node_ports(service, project):
            if (other_port.node_port, other_port.protocol) == key:
                yield Hit(
                    node_port_at,
                    severity=None if project.together(other.resource, service.resource) else "warning",
                    related=(Related(at(*other_port.at.route, "nodePort"), of=other, note="first"),),
                    port=port.node_port,
                    protocol=port.protocol,
                    other=other.name,
                )
                break


def _node_ports(service: ServiceFact) -> Iterator[ServicePort]:
    if service.type in ("NodePort", "LoadBalancer"):
        for port in service.ports:
            if port.node_port:
                yield port


def _earlier_node_ports(service: ServiceFact, project: Project) -> Iterator[tuple[ServiceFact, ServicePort]]:
    """Fixed ports of the other Services before this one; the same Service written twice is no other."""
    for other in project.services:
        if other is service:
            return
        same = same_namespace(project.namespace(other), project.namespace(service))
        if (other.name != service.name or same is False) and not project.is_patched(other, "spec"):
            for port in _node_ports(other):
                yield other, port


# --- ExternalName


def externalname_ip_address(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """An ExternalName that is an address and no name."""
    if service.type != "ExternalName" or service.external_name is None or project.is_patched(service, "spec"):
        return
    if address(service.external_name.removesuffix(".")) is None:
        return
    # Some ingress controllers dial what is written here without asking the DNS.
    behind_ingress = _is_backend(service, project) and ":" not in service.external_name
    yield Hit(
        at("spec", "externalName"),
        severity="warning" if behind_ingress else None,
        service=service.name,
        address=service.external_name,
    )


def externalname_with_selector(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """An ExternalName Service with fields that only matter for Services with endpoints."""
    if service.type != "ExternalName" or project.is_patched(service, "spec"):
        return
    if service.selector is not None:
        yield Hit(service.selector_at, service=service.name, selector=service.selector_labels)
    elif service.ports and not _is_backend(service, project):
        yield Hit(at("spec", "ports"), message="ports", severity="info", service=service.name)


def _is_backend(service: ServiceFact, project: Project) -> bool:
    """Whether an Ingress of the unit leads to the Service."""
    return any(
        backend.service == service.name
        for ingress in project.ingresses
        if same_namespace(project.namespace(ingress), project.namespace(service)) is not False
        for backend in ingress.backends
    )


# --- Service types, addresses and ports that the API server refuses


def nodeport_on_clusterip(service: Service, profile: Profile) -> Iterator[Hit]:
    """A node port in a ClusterIP Service."""
    yield from refused.node_port_type(service)


def externalname_invalid(service: Service, profile: Profile) -> Iterator[Hit]:
    """The name of an ExternalName Service, and fields that go with no such Service."""
    yield from refused.external_name(service)


def lb_field_on_other_type(service: Service, profile: Profile) -> Iterator[Hit]:
    """A field for load balancers in a Service of another type."""
    yield from refused.load_balancer_fields(service)


def lb_source_range_invalid(service: Service, profile: Profile) -> Iterator[Hit]:
    """Source ranges of a load balancer that are no CIDRs."""
    yield from refused.source_ranges(service)


def session_affinity_config_invalid(service: Service, profile: Profile) -> Iterator[Hit]:
    """The time-out of session affinity: out of range, or without effect."""
    yield from refused.session_affinity(service)


def service_cluster_ips_invalid(service: Service, profile: Profile) -> Iterator[Hit]:
    """Cluster addresses that are wrong or contradict each other."""
    yield from refused.cluster_ips(service)


def endpoint_address_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """External addresses and endpoints that traffic cannot be sent to."""
    yield from refused.endpoint_addresses(view)


def service_ports_missing(service: Service, profile: Profile) -> Iterator[Hit]:
    """A Service without ports that needs one."""
    yield from refused.ports_missing(service)


def service_port_name_missing(view: View, profile: Profile) -> Iterator[Hit]:
    """An unnamed port among several."""
    yield from refused.port_names(view)


def service_port_duplicate(service: Service, profile: Profile) -> Iterator[Hit]:
    """A port that the Service has already."""
    yield from refused.port_duplicates(service)


def endpoints_subset_empty(endpoints: View, profile: Profile) -> Iterator[Hit]:
    """A subset of Endpoints without addresses."""
    yield from refused.empty_subset(endpoints)


def topology_annotation_conflict(service: Service, profile: Profile) -> Iterator[Hit]:
    """Two annotations for one setting, with different values."""
    yield from refused.topology_annotations(service, profile.kubernetes_version)


# --- Traffic policies


def etp_invalid_on_type(service: Service, profile: Profile) -> Iterator[Hit]:
    """`externalTrafficPolicy` in a Service that nobody reaches from outside."""
    yield from refused.external_policy(service)


def healthcheck_nodeport_invalid(service: Service, profile: Profile) -> Iterator[Hit]:
    """`healthCheckNodePort` where nothing checks it."""
    yield from refused.health_check_port(service)


def service_headless_type_conflict(service: Service, profile: Profile) -> Iterator[Hit]:
    """A headless Service of a type that needs a cluster IP."""
    yield from refused.headless_type(service)


def etp_local_pointless_with_eni(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """`Local` in front of a load balancer that reaches pods directly anyway."""
    # Nodes do not know the addresses of the others: with them Local does no harm.
    if service.load_balancer != "clb" or service.lb_annotation("hostname") is not None:
        return
    if service.traffic_policy != "Local" or project.is_patched(service, "spec"):
        return
    if backend_type(service, profile) == "eni" and not project.is_patched(service, "metadata", "annotations"):
        yield Hit(at("spec", "externalTrafficPolicy"), service=service.name)


def etp_local_scheduler_not_wrr(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """`Local` with a scheduler that ignores how many pods a node has."""
    yield from traffic.uneven(service, project, profile)


def etp_local_single_node(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """`Local` with pods on one node, or on some."""
    yield from traffic.few_nodes(service, project, profile)


def etp_cluster_hides_client_ip(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A list of client addresses behind a load balancer that hides them."""
    yield from traffic.hidden_client(ingress, project, profile)


def itp_local_needs_daemonset(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """`internalTrafficPolicy: Local` with pods that are not on every node."""
    yield from traffic.local_inside(service, project)


# --- Addresses

_MORE_RANGES = (1, 33)
"""The first release in which ServiceCIDR objects may add ranges: https://kubernetes.io/docs/reference/networking/virtual-ips/"""


def service_clusterip_out_of_cidr(service: Service, profile: Profile) -> Iterator[Hit]:
    """A fixed cluster IP that the cluster cannot give."""
    fields: list[tuple[Step, ...]] = [("clusterIP",)]
    fields += [("clusterIPs", index) for index, _ in enumerate(sequence(service.spec.get("clusterIPs")))]
    told = set()
    for field in fields:
        value = service.get("spec", *field)
        ip = address(value)
        if ip is None or ip in told:
            continue
        told.add(ip)
        block = cidr(profile.service_cidr if ip.version == 4 else profile.service_ipv6_cidr)
        if block is None or block.version != ip.version:
            continue
        severity: Severity | None = None
        if ip not in block:
            release = profile.kubernetes_version
            more = release is None or release >= _MORE_RANGES
            message, severity = ("more", "warning") if more else ("default", None)
        elif ip == block.network_address or (ip.version == 4 and ip == block.broadcast_address):
            message = "edge"
        elif ip == address(profile.dns_service_ip) and service.namespace not in (None, "kube-system"):
            message = "dns"
        else:
            continue
        yield Hit(service.at("spec", *field), message=message, severity=severity, address=value, range=str(block))


def externalname_http_host(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """An Ingress that leads to a name outside, which gets the host of the Ingress to see."""
    if any(key.endswith("/upstream-vhost") for key in ingress.annotations):
        return
    for backend in ingress.backends:
        for service in project.named("Service", backend.service, ingress):
            if service.type == "ExternalName" and not project.is_patched(service, "spec"):
                yield Hit(
                    backend.at,
                    related=(Related(at("spec", "externalName"), of=service, note="alias"),),
                    service=backend.service,
                    name=service.external_name,
                )
                break
