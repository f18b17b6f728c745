"""Services, Endpoints and EndpointSlices.

Restates pkg/apis/core/validation/validation.go (ValidateService, ValidateServiceClusterIPsRelatedFields,
validateEndpointSubsets) and pkg/apis/discovery/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelint_ack.names import dns1123_label, dns1123_subdomain
from kubelint_ack.records import FieldPath, Hit, Related, Route, Severity, Unknown
from kubelint_ack.values import address, address_problem, cidr, is_to_fill_in
from kubelint_ack.views import Service, View, integer, mapping, sequence, text

# --- The type and what goes with it


def node_port_type(service: Service) -> Iterator[Hit]:
    """A node port in a Service whose type opens none."""
    if service.type != "ClusterIP":
        return
    for index, port in service.ports():
        number = integer(port.get("nodePort"))
        if number:
            message = "default" if service.has("spec", "type") else "no-type"
            yield Hit(
                service.at("spec", "ports", index, "nodePort"),
                message=message,
                depends=(service.at("spec", "type"),),
                port=number,
            )


def external_name(service: Service) -> Iterator[Hit]:
    """The name of an ExternalName Service, and fields that such a Service cannot have."""
    name = service.spec.get("externalName")
    at = service.at("spec", "externalName")
    if service.type != "ExternalName":
        if service.type and name and sequence(service.spec.get("ports")):
            yield Hit(at, message="ignored", severity="warning", depends=(service.at("spec", "type"),))
        return
    if name is None or name == "":
        yield Hit(at, message="missing")
    elif isinstance(name, str) and not is_to_fill_in(name):
        host = name.removesuffix(".")
        # An address is reported by a rule of its own.
        if dns1123_subdomain(host) and address(host) is None:
            yield Hit(at, message="url" if "/" in name or ":" in name else "syntax", name=name)
    for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if service.spec.get(field):
            yield Hit(service.at("spec", field), message="field", field=field)
            return


def load_balancer_fields(service: Service) -> Iterator[Hit]:
    """The first field that only a load balancer can have, in a Service of another type."""
    if service.type in (None, "LoadBalancer"):
        return
    found = None
    if service.spec.get("loadBalancerSourceRanges"):
        found = service.at("spec", "loadBalancerSourceRanges")
    elif _SOURCE_RANGES in service.annotations:
        found = service.at("metadata", "annotations", _SOURCE_RANGES)
    elif service.spec.get("loadBalancerClass") is not None:
        found = service.at("spec", "loadBalancerClass")
    elif service.spec.get("allocateLoadBalancerNodePorts") is not None:
        found = service.at("spec", "allocateLoadBalancerNodePorts")
    if found:
        yield Hit(found, depends=(service.at("spec", "type"),), field=found.route[-1], type=service.type)


_SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"


def source_ranges(service: Service) -> Iterator[Hit]:
    """Entries of a load balancer's source ranges that are no CIDR; the annotation counts where the field is empty."""
    if service.type != "LoadBalancer":
        return
    written = sequence(service.spec.get("loadBalancerSourceRanges"))
    entries = [(service.at("spec", "loadBalancerSourceRanges", index), one) for index, one in enumerate(written)]
    annotation = text(service.annotations.get(_SOURCE_RANGES))
    if not entries and annotation and annotation.strip():
        start = 0
        for part in annotation.split(","):
            at = service.at("metadata", "annotations", _SOURCE_RANGES).slice(start, start + len(part))
            entries.append((at, part))
            start += len(part) + 1
    for at, entry in entries:
        if isinstance(entry, str) and not is_to_fill_in(entry) and cidr(entry.strip()) is None:
            yield Hit(at, message="address" if address(entry.strip()) else "default", value=entry.strip())


_DAY = 86400


def session_affinity(service: Service) -> Iterator[Hit]:
    """A session time-out out of range, or one that the server drops."""
    config = service.spec.get("sessionAffinityConfig")
    if not isinstance(config, dict) or not config or service.type in (None, "ExternalName"):
        return
    affinity = service.spec.get("sessionAffinity")
    if affinity in (None, "", "None"):
        at = service.at("spec", "sessionAffinityConfig")
        yield Hit(at, message="dropped", severity="warning", depends=(service.at("spec", "sessionAffinity"),))
        return
    timeout = integer(mapping(config.get("clientIP")).get("timeoutSeconds"))
    if affinity == "ClientIP" and timeout is not None and not 0 < timeout <= _DAY:
        yield Hit(service.at("spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"), value=timeout)


# --- Addresses


def cluster_ips(service: Service) -> Iterator[Hit]:
    """Addresses of the Service that are none, or contradict each other or their families."""
    if service.type in (None, "ExternalName"):
        return
    first, written, families = (service.spec.get(key) for key in ("clusterIP", "clusterIPs", "ipFamilies"))
    policy = service.spec.get("ipFamilyPolicy")
    if not (first or written or families):
        return
    if any(isinstance(one, Unknown) for one in (first, written, families, policy)):
        return
    first, ips, families = text(first) or "", list(sequence(written)), list(sequence(families))
    if any(isinstance(one, Unknown) for one in (*ips, *families)):
        return
    at = service.at("spec", "clusterIPs")
    if ips and ips[0] != first:
        yield Hit(at, message="mismatch" if first else "alone", first=first, ip=ips[0])
        return
    if len(ips) > 1 and "None" in ips:
        yield Hit(service.at("spec", "clusterIPs", ips.index("None")), message="none")
        return
    if len(ips) > 2:
        yield Hit(at, message="many", count=len(ips))
        return
    places = [service.at("spec", "clusterIPs", index) for index in range(len(ips))] or [service.at("spec", "clusterIP")]
    found = [address(one) for one in ips or [first]]
    for place, one, parsed in zip(places, ips or [first], found):
        if parsed is None and one not in ("", "None") and not is_to_fill_in(str(one)):
            yield Hit(place, message="syntax", ip=one)
            return
    versions = [f"IPv{one.version}" for one in found if one is not None]
    if len(versions) == 2 and versions[0] == versions[1]:
        yield Hit(places[1], message="family", family=versions[0])
        return
    for place, version, family in zip(places, versions, families):
        if family in ("IPv4", "IPv6") and family != version:
            yield Hit(place, message="other-family", family=family, version=version)
            return
    if policy == "SingleStack" and (len(ips) == 2 or len(families) == 2):
        yield Hit(
            service.at("spec", "ipFamilyPolicy"), message="single", depends=(at, service.at("spec", "ipFamilies"))
        )


def endpoint_addresses(view: View) -> Iterator[Hit]:
    """Addresses that traffic cannot be sent to: of a Service from outside, or of endpoints."""
    if view.kind == "Service":
        for index, one in enumerate(sequence(view.spec.get("externalIPs"))):
            yield from _address_hit(view.at("spec", "externalIPs", index), one)
    elif view.kind == "Endpoints":
        for number, subset in enumerate(sequence(view.data.get("subsets"))):
            for field in ("addresses", "notReadyAddresses"):
                for index, one in enumerate(sequence(mapping(subset).get(field))):
                    yield from _address_hit(view.at("subsets", number, field, index, "ip"), mapping(one).get("ip"))
    else:
        kind = text(view.data.get("addressType"))
        for number, endpoint in enumerate(sequence(view.data.get("endpoints"))):
            for index, one in enumerate(sequence(mapping(endpoint).get("addresses"))):
                at = view.at("endpoints", number, "addresses", index)
                if kind in ("IPv4", "IPv6"):
                    yield from _address_hit(at, one, kind)
                elif kind == "FQDN" and isinstance(one, str) and not is_to_fill_in(one):
                    parts = one.removesuffix(".").split(".")
                    if len(parts) < 2 or any(dns1123_label(part) for part in parts):
                        yield Hit(at, message="fqdn", value=one)


def _address_hit(at: FieldPath, value: object, family: str = "") -> Iterator[Hit]:
    if not isinstance(value, str) or not value or is_to_fill_in(value):
        return
    parsed = address(value)
    if parsed and family and f"IPv{parsed.version}" != family:
        yield Hit(at, message="family", value=value, family=family)
        return
    problem = address_problem(value)
    if problem:
        yield Hit(at, message=problem, value=value)


# --- Ports


def ports_missing(service: Service) -> Iterator[Hit]:
    """No port, where one is needed: of all but headless and ExternalName Services."""
    ports, address_of = service.spec.get("ports"), service.spec.get("clusterIP")
    # Without any spec it is a piece of an object, or a patch.
    if not isinstance(service.data.get("spec"), dict):
        return
    if service.type in (None, "ExternalName") or address_of == "None" or isinstance(address_of, Unknown):
        return
    if ports is None or ports == []:
        alias = bool(service.spec.get("externalName"))
        yield Hit(service.at("spec", "ports"), message="alias" if alias else "default")


def port_names(view: View) -> Iterator[Hit]:
    """The first port without a name, where several need one: of a Service, or a subset of Endpoints."""
    lists: list[Route] = [("spec", "ports")]
    if view.kind == "Endpoints":
        lists = [("subsets", index, "ports") for index in range(len(sequence(view.data.get("subsets"))))]
    for route in lists:
        ports = sequence(view.get(*route))
        if len(ports) < 2:
            continue
        for index, port in enumerate(ports):
            if isinstance(port, dict) and port.get("name") in (None, ""):
                yield Hit(view.at(*route, index, "name"), count=len(ports))
                break


def port_duplicates(service: Service) -> Iterator[Hit]:
    """Ports with the number and protocol, or the name, of an earlier one."""
    seen: dict[tuple[str, str], FieldPath] = {}
    for index, port in service.ports():
        number, protocol, name = integer(port.get("port")), port.get("protocol", "TCP"), text(port.get("name"))
        for key, field in (((str(number), str(protocol)), "port"), ((name or "", ""), "name")):
            if not key[0] or number is None or (field == "port" and isinstance(protocol, Unknown)):
                continue
            at = service.at("spec", "ports", index, field)
            if key in seen:
                related = (Related(seen[key], note="first"),)
                yield Hit(at, message=field, related=related, name=name or "", port=number, protocol=protocol)
                break
            seen[key] = at


# --- Endpoints and annotations


def empty_subset(endpoints: View) -> Iterator[Hit]:
    """A subset of Endpoints that holds no address."""
    for index, subset in enumerate(sequence(endpoints.data.get("subsets"))):
        if isinstance(subset, dict) and not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield Hit(endpoints.at("subsets", index, "addresses"))


_TOPOLOGY = ("service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints")


def topology_annotations(service: Service, version: tuple[int, int] | None) -> Iterator[Hit]:
    """The old and the new annotation for topology-aware routing, with different values: refused since 1.27."""
    new, old = (service.annotation(key) for key in _TOPOLOGY)
    if new is not None and old is not None and new != old:
        at = service.at("metadata", "annotations", _TOPOLOGY[1])
        related = (Related(service.at("metadata", "annotations", _TOPOLOGY[0]), note="mode"),)
        severity: Severity | None = None if version and version >= (1, 27) else "warning"
        yield Hit(at, severity=severity, related=related, old=old, new=new)


# --- Policies and what depends on them


def external_policy(service: Service) -> Iterator[Hit]:
    """`externalTrafficPolicy` in a Service that nobody reaches from outside the cluster."""
    value = service.spec.get("externalTrafficPolicy")
    if not isinstance(value, str) or not value or _is_fragment(service):
        return
    if service.type == "ExternalName" or (service.type == "ClusterIP" and not service.spec.get("externalIPs")):
        yield Hit(
            service.at("spec", "externalTrafficPolicy"),
            message="default" if service.has("spec", "type") else "no-type",
            depends=(service.at("spec", "type"), service.at("spec", "externalIPs")),
            type=service.type,
        )


def health_check_port(service: Service) -> Iterator[Hit]:
    """`healthCheckNodePort` where nothing checks it."""
    number, policy = integer(service.spec.get("healthCheckNodePort")), service.spec.get("externalTrafficPolicy")
    if not number or service.type is None or isinstance(policy, Unknown) or _is_fragment(service):
        return
    if service.type != "LoadBalancer" or policy != "Local":
        yield Hit(
            service.at("spec", "healthCheckNodePort"),
            depends=(service.at("spec", "type"), service.at("spec", "externalTrafficPolicy")),
            type=service.type,
            policy=policy or "Cluster",
        )


def headless_type(service: Service) -> Iterator[Hit]:
    """A headless Service that wants node ports."""
    if service.spec.get("clusterIP") == "None" and service.type in ("NodePort", "LoadBalancer"):
        yield Hit(service.at("spec", "clusterIP"), depends=(service.at("spec", "type"),), type=service.type)


def _is_fragment(service: Service) -> bool:
    """Whether it looks like a part of a Service that the rest is merged into."""
    return not service.has("spec", "type") and not service.has("spec", "ports")
