"""Checks of Services of type LoadBalancer: what the cloud controller manager makes of them, and who can reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from kubelint_ack.annotations import is_placeholder
from kubelint_ack.balancer import BACKEND_TYPE, balancer, fields, listeners, milder, settings, sharing, values
from kubelint_ack.facts import ResourceFact, ServiceFact, WorkloadFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.access import backend_type, local_without_backend
from kubelint_ack.records import FieldPath, Hit, Related, Severity, at
from kubelint_ack.views import LB_PREFIXES, NLB_CLASS, Service, text

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
    clients = list(
        islice(
            (
                client
                for client in _clients(service, project, backends)
                # With IPVS declared these are told where they write it: etp-local-hostnetwork-client.
                if profile.kube_proxy_mode != "ipvs" or not _is_on_host_network(client, project)
            ),
            _MOST_CLIENTS,
        )
    )
    if not clients and not profile.in_cluster_load_balancer_clients:
        if not service.resource.alibaba and not profile.is_ack:
            return
        # That Local is of no use there is said by etp-local-pointless-with-eni.
        if backend_type(service, profile) == "eni":
            return
        message, severity = "no-client", "info"
    elif _on_every_node(backends):
        severity = "info"
    yield Hit(
        at("spec", "externalTrafficPolicy"),
        message=message,
        severity=severity,
        related=tuple(Related(client.at, of=client.resource, note="client") for client in clients),
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


_MOST_CLIENTS = 5
"""So many of the places that write an address are shown."""


def _clients(service: ServiceFact, project: Project, backends: list[WorkloadFact]) -> Iterator[_Client]:
    """The places that write an address of the load balancer, at most one of each resource.

    The pods behind it do not count, nor do ConfigMaps that only they read: where they run there is a backend.
    """
    found: dict[int, _Client] = {}
    for address in service.addresses:
        for resource, mention in project.mentioning(address.lower()):
            if resource is not service.resource:
                found.setdefault(id(resource), _Client(resource, mention.at, mention.host))
    for client in sorted(found.values(), key=_order):
        if not _is_own(client, project, backends):
            yield client


def _order(client: _Client) -> tuple[str, int, str]:
    return client.resource.path, client.resource.document, str(client.at.route)


def _is_own(client: _Client, project: Project, backends: list[WorkloadFact]) -> bool:
    readers = _readers(client, project)
    return bool(readers) and all(any(reader is backend for backend in backends) for reader in readers)


def _readers(client: _Client, project: Project) -> list[WorkloadFact]:
    """The workloads whose pods read what the client is written in."""
    return [
        workload
        for workload in project.readers(client.resource)
        if any(resource is client.resource for resource, _ in _sources(workload, project))
    ]


def _is_on_host_network(client: _Client, project: Project) -> bool:
    """Whether only pods on the host network read it."""
    readers = _readers(client, project)
    return bool(readers) and all(workload.host_network for workload in readers)


def _judged(service: Service, judge: Callable[..., Iterator[Hit]], *more: object) -> Iterator[Hit]:
    """What is to be said of the load balancer that ACK makes of a Service, if it makes one."""
    found = balancer(service)
    if found is not None:
        yield from judge(found, *more)


# --- Annotations: keys


def lb_annotation_unknown(service: Service, profile: Profile) -> Iterator[Hit]:
    """An annotation with the controller's prefix, or nearly so, that it does not read."""
    if service.annotations and service.spec.get("loadBalancerClass") != _EDGE_CLASS:
        yield from settings.unknown_keys(service, profile)


def lb_annotation_legacy_prefix(service: Service, profile: Profile) -> Iterator[Hit]:
    """Keys with the older prefix: one hit for a Service, at the first."""
    found = list(settings.older_keys(service))
    if found and not list(settings.shadowed(service)):
        (name, key, newer), *rest = found
        related = tuple(Related(service.at("metadata", "annotations", one[1]).key, note="older") for one in rest)
        at = service.at("metadata", "annotations", key).key
        yield Hit(at, related=related, name=name, newer=newer, count=len(found))


def lb_annotation_legacy_shadowed(service: Service, profile: Profile) -> Iterator[Hit]:
    """A key with the older prefix that a newer one with another value overrules."""
    yield from settings.shadowed(service)


def lb_annotation_on_non_loadbalancer(service: Service, profile: Profile) -> Iterator[Hit]:
    """Load balancer annotations on a Service of another type."""
    if service.annotations:
        yield from fields.without_load_balancer(service)


def lb_annotation_ignored(service: Service, profile: Profile) -> Iterator[Hit]:
    """Annotations that only the other kind of load balancer reads."""
    yield from _judged(service, settings.ignored)


def lb_annotation_needs_another(service: Service, profile: Profile) -> Iterator[Hit]:
    """Annotations that do nothing without another one."""
    yield from _judged(service, settings.idle)


def lb_annotation_needs_listener(service: Service, profile: Profile) -> Iterator[Hit]:
    """Annotations for protocols that no listener has."""
    yield from _judged(service, settings.without_listener)


def lb_annotation_needs_backends(service: Service, profile: Profile) -> Iterator[Hit]:
    """Annotations for backends of the other type."""
    yield from _judged(service, settings.without_backends, profile)


def lb_needs_newer_version(service: Service, profile: Profile) -> Iterator[Hit]:
    """What the declared controller or Kubernetes is too old for."""
    yield from _judged(service, settings.too_new, service, profile)


# --- Annotations: values


def lb_value_whitespace(service: Service, profile: Profile) -> Iterator[Hit]:
    """White space that the controller takes for a part of a list's item."""
    yield from _judged(service, values.blanks, profile)


def lb_integer_invalid(service: Service, profile: Profile) -> Iterator[Hit]:
    """Numbers that are none, or out of range."""
    yield from _judged(service, values.wrong_integers, profile)


def lb_flag_invalid(service: Service, profile: Profile) -> Iterator[Hit]:
    """Switches that are neither on nor off."""
    yield from _judged(service, values.wrong_flags)


def lb_enum_invalid(service: Service, profile: Profile) -> Iterator[Hit]:
    """Words that are not among those allowed."""
    yield from _judged(service, values.wrong_words, profile)
    word = fields.wrong_backend_type(service) if service.load_balancer is None else None
    if word is not None and not is_placeholder(word):
        place = service.at("metadata", "annotations", BACKEND_TYPE)
        yield Hit(place, severity="warning", name=BACKEND_TYPE, value=word, allowed=["eni", "ecs"], right="")


def lb_value_malformed(service: Service, profile: Profile) -> Iterator[Hit]:
    """Identifiers, names, paths and pairs that have not their form."""
    yield from _judged(service, values.malformed, profile)


def lb_placeholder_value(service: Service, profile: Profile) -> Iterator[Hit]:
    """Identifiers out of documentation."""
    yield from _judged(service, values.placeholders)


def lb_preserve_falsey(service: Service, profile: Profile) -> Iterator[Hit]:
    """A "no" that means yes."""
    yield from _judged(service, fields.kept_all_the_same)


# --- Annotations: listeners


def lb_protocol_port_format(service: Service, profile: Profile) -> Iterator[Hit]:
    """Entries of `protocol-port` that are no protocol and port."""
    yield from _judged(service, listeners.malformed_protocols)


def lb_protocol_port_protocol(service: Service, profile: Profile) -> Iterator[Hit]:
    """Protocols that the load balancer has not, or that do not carry the port's."""
    yield from _judged(service, listeners.unsupported_protocols)


def lb_protocol_port_unmatched(service: Service, profile: Profile) -> Iterator[Hit]:
    """Entries of `protocol-port` that are for no port of the Service, or for one that has one already."""
    yield from _judged(service, listeners.unused_protocols, service)


def lb_tls_missing_cert(service: Service, profile: Profile) -> Iterator[Hit]:
    """HTTPS and TCPSSL listeners without a certificate."""
    yield from _judged(service, listeners.without_certificate)


def lb_https_to_tls_backend(service: Service, profile: Profile) -> Iterator[Hit]:
    """HTTPS listeners that speak HTTP to a TLS port."""
    yield from _judged(service, listeners.tls_backends, service)


def lb_vgroup_port_format(service: Service, profile: Profile) -> Iterator[Hit]:
    """Entries of `vgroup-port` that are no server group and port."""
    yield from _judged(service, listeners.malformed_groups)


def clb_forward_port_invalid(service: Service, profile: Profile) -> Iterator[Hit]:
    """Entries of `forward-port` that do not lead from HTTP to HTTPS."""
    yield from _judged(service, listeners.wrong_forwards)


def nlb_port_range_invalid(service: Service, profile: Profile) -> Iterator[Hit]:
    """Entries of `listener-port-range` that cannot be listened on."""
    yield from _judged(service, listeners.wrong_ranges, service, profile)


def nlb_zone_maps_missing(service: Service, profile: Profile) -> Iterator[Hit]:
    """A new NLB that is told no zones."""
    found = balancer(service)
    place = fields.without_zones(found) if found else None
    if found and place:
        yield found.hit(place, severity=milder(profile))


def nlb_zone_maps_format(service: Service, profile: Profile) -> Iterator[Hit]:
    """Entries of `zone-maps` that are no zone and vSwitch."""
    yield from _judged(service, listeners.wrong_zones)


def nlb_zone_maps_single_zone(service: Service, profile: Profile) -> Iterator[Hit]:
    """An NLB in one zone."""
    yield from _judged(service, listeners.too_few_zones, profile)


# --- Health checks


def clb_http_health_check_off(service: Service, profile: Profile) -> Iterator[Hit]:
    """HTTP listeners whose backends nobody checks."""
    yield from _judged(service, fields.unchecked_http)


def nlb_health_check_needs_flag(service: Service, profile: Profile) -> Iterator[Hit]:
    """Settings of a health check that is not switched on."""
    yield from _judged(service, settings.check_settings_without_flag)


def nlb_udp_health_check(service: Service, profile: Profile) -> Iterator[Hit]:
    """UDP backends that are checked by TCP."""
    yield from _judged(service, fields.udp_checked_by_tcp)


# --- Reusing load balancers


def lb_reuse_listeners_not_managed(service: Service, profile: Profile) -> Iterator[Hit]:
    """An existing load balancer that gets no listeners."""
    yield from _judged(service, fields.unmanaged_listeners)


def lb_reuse_listener_conflict(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A listener that two Services claim on the same load balancer."""
    yield from sharing.conflicts(service, project)


def lb_too_many_ports(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """More listeners than a CLB takes."""
    yield from sharing.overfull(service, project)


def lb_name_duplicate(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Load balancers of the same name."""
    yield from sharing.same_names(service, project)


def lb_proxy_protocol_in_cluster(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """PROXY protocol, and calls from inside that do not pass the load balancer."""
    yield from sharing.unwrapped_calls(service, project, profile)


# --- Settings and fields of the Service


def lb_source_ranges_ignored(service: Service, profile: Profile) -> Iterator[Hit]:
    """`loadBalancerSourceRanges` that keep nobody out."""
    if service.spec.get("loadBalancerSourceRanges") and profile.provider in (None, "ack"):
        yield from _judged(service, fields.ignored_source_ranges, service, profile)


def clb_acl_incomplete(service: Service, profile: Profile) -> Iterator[Hit]:
    """Access control that lacks a part."""
    yield from _judged(service, fields.incomplete_access_control)


def lb_loadbalancerip_ignored(service: Service, profile: Profile) -> Iterator[Hit]:
    """`loadBalancerIP`, which the controller does not read."""
    if service.spec.get("loadBalancerIP") and profile.provider in (None, "ack"):
        yield from _judged(service, fields.ignored_address, service, profile)


def lb_session_affinity_not_on_lb(service: Service, profile: Profile) -> Iterator[Hit]:
    """`sessionAffinity`, which the load balancer does not know of."""
    if service.spec.get("sessionAffinity") == "ClientIP" and profile.provider in (None, "ack"):
        yield from _judged(service, fields.ignored_affinity, service, profile)


def lb_nodeports_disabled(service: Service, profile: Profile) -> Iterator[Hit]:
    """No node ports, and a load balancer that forwards to them."""
    if service.spec.get("allocateLoadBalancerNodePorts") is False and profile.provider in (None, "ack"):
        yield from _judged(service, fields.without_node_ports, service, profile)


def lb_eni_on_flannel(service: Service, profile: Profile) -> Iterator[Hit]:
    """Pods as backends that the load balancer cannot reach."""
    if BACKEND_TYPE in service.annotations:
        yield from fields.pods_without_addresses(balancer(service), service, profile)


def lb_ipv6_needs_ipvs(service: Service, profile: Profile) -> Iterator[Hit]:
    """IPv6 without IPVS."""
    yield from _judged(service, fields.addresses_without_ipvs, profile)


def lb_reserved_metadata(service: Service, profile: Profile) -> Iterator[Hit]:
    """Labels and finalizers that belong to the controller."""
    if not service.get("metadata", "uid"):
        yield from fields.reserved_metadata(service)


def clb_spec_with_lcu(service: Service, profile: Profile) -> Iterator[Hit]:
    """A size for a load balancer that is paid by use."""
    yield from _judged(service, fields.size_without_its_billing, profile)


def clb_ip_requires_intranet_vswitch(service: Service, profile: Profile) -> Iterator[Hit]:
    """A private address for a load balancer that cannot have it."""
    yield from _judged(service, fields.address_out_of_place, profile)


def clb_hostname_loop_risk(service: Service, profile: Profile) -> Iterator[Hit]:
    """Calls from inside that come back to the node they left."""
    yield from _judged(service, fields.loops)


# --- Classes and addresses

_EDGE_CLASS = "alibabacloud.com/elb"
"""Served by the controller of ACK Edge."""


def lb_class_unsupported(service: Service, profile: Profile) -> Iterator[Hit]:
    """A `loadBalancerClass` that no controller of ACK serves."""
    value = service.spec.get("loadBalancerClass")
    if service.type != "LoadBalancer" or not isinstance(value, str) or is_placeholder(value):
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
    elif profile.is_ack or service.is_alibaba:
        message, severity = "other", "info"
    else:
        return
    at = service.at("spec", "loadBalancerClass")
    yield Hit(at, message=message, severity=severity, depends=(service.at("spec", "type"),), value=value)


def lb_ignored_by_class_annotation(service: Service, profile: Profile) -> Iterator[Hit]:
    """A Service that an annotation hands to another controller."""
    if service.annotations:
        yield from fields.handed_over(service)


def lb_type_annotation_no_effect(service: Service, profile: Profile) -> Iterator[Hit]:
    """The annotation `type`, which a feature gate switches on."""
    yield from _judged(service, fields.useless_type, service, profile)


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
    # A slip in the very key: lb-annotation-unknown says so.
    meant = {hit.values["near"] for hit in settings.unknown_keys(service, profile) if "near" in hit.values}
    if meant & {prefix + "address-type" for prefix in LB_PREFIXES}:
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
