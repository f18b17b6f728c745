"""Ingresses, IngressClasses and NetworkPolicies.

Restates pkg/apis/networking/validation/validation.go (ValidateIngressSpec, validateIngressClassSpec,
ValidateNetworkPolicySpec). Of Ingresses only networking.k8s.io/v1: older versions are no longer served.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.names import dns1035_label, dns1123_label, dns1123_subdomain, port_name
from kubelint_ack.records import FieldPath, Hit, Related, Route, Unknown
from kubelint_ack.values import address, cidr, cidr_problem, is_to_fill_in
from kubelint_ack.views import View, integer, mapping, sequence, text

# --- Ingresses


def no_backend(ingress: View) -> Iterator[Hit]:
    """Neither a default backend nor a rule."""
    # Without any spec it is a piece of an object, or a patch.
    if not isinstance(ingress.data.get("spec"), dict) or ingress.id.version != "v1":
        return
    if not any(ingress.spec.get(field) for field in ("rules", "defaultBackend")):
        yield Hit(ingress.at("spec"), depends=(ingress.at("spec", "rules"), ingress.at("spec", "defaultBackend")))


def hosts(ingress: View) -> Iterator[Hit]:
    """Hosts of rules and certificates that are no DNS names."""
    for index, rule in enumerate(sequence(ingress.spec.get("rules"))):
        host = mapping(rule).get("host")
        if isinstance(host, str) and host:
            yield from _host(ingress.at("spec", "rules", index, "host"), host, address(host) is not None)
    for number, tls in enumerate(sequence(ingress.spec.get("tls"))):
        for index, host in enumerate(sequence(mapping(tls).get("hosts"))):
            if isinstance(host, str):
                yield from _host(ingress.at("spec", "tls", number, "hosts", index), host, False)


def _host(at: FieldPath, host: str, is_address: bool) -> Iterator[Hit]:
    if is_address:
        yield Hit(at, message="address", host=host)
        return
    name = host[2:] if host.startswith("*.") else host
    problem = dns1123_subdomain(name)
    if not problem or is_to_fill_in(host):
        return
    message = "default"
    if "*" in name:
        message = "wildcard"
    elif "/" in host:
        message = "url"
    elif ":" in host:
        message = "port"
    elif "_" in host:
        message = "underscore"
    elif problem == "case":
        message = "case"
    elif not host:
        message = "empty"
    yield Hit(at, message=message, host=host)


def paths(ingress: View) -> Iterator[Hit]:
    """Paths that do not fit their type."""
    if ingress.id.version != "v1":
        return
    for route, path in _paths(ingress):
        kind, written = path.get("pathType"), path.get("path")
        written = "" if written is None else written
        if not isinstance(kind, str) or not isinstance(written, str) or is_to_fill_in(written):
            continue
        at = ingress.at(*route, "path")
        depends = (ingress.at(*route, "pathType"),)
        if kind in ("Exact", "Prefix"):
            if not written.startswith("/"):
                yield Hit(at, message="relative" if written else "missing", depends=depends, path=written, type=kind)
                continue
            part = next((one for one in ("//", "/./", "/../", "%2f", "%2F") if one in written), None)
            part = part or next((one for one in ("/..", "/.") if written.endswith(one)), None)
            if part:
                start = written.rindex(part)
                yield Hit(at.slice(start, start + len(part)), message="part", depends=depends, part=part, type=kind)
        elif kind == "ImplementationSpecific" and written and not written.startswith("/"):
            yield Hit(at, message="relative", depends=depends, path=written, type=kind)


def backends(ingress: View) -> Iterator[Hit]:
    """Backends that name not exactly one target, or not exactly one port of it."""
    if ingress.id.version != "v1":
        return
    found: list[tuple[Route, Any]] = [(("spec", "defaultBackend"), ingress.spec.get("defaultBackend"))]
    found += [((*route, "backend"), path.get("backend")) for route, path in _paths(ingress)]
    for route, backend in found:
        # The fields of older versions are unknown here, and reported as such.
        if not isinstance(backend, dict) or "serviceName" in backend or "servicePort" in backend:
            continue
        at = ingress.at(*route)
        service, resource = backend.get("service"), backend.get("resource")
        if service is not None and resource is not None:
            yield Hit(at, message="both")
        elif service is None and resource is None:
            yield Hit(at, message="neither")
        elif isinstance(service, dict):
            yield from _service(FieldPath((*route, "service")), service)


def _service(at: FieldPath, service: Mapping[str, Any]) -> Iterator[Hit]:
    name, port = service.get("name"), service.get("port")
    if isinstance(name, str) and name and dns1123_label(name) and not is_to_fill_in(name):
        yield Hit(FieldPath((*at.route, "name")), message="name", name=name)
    elif isinstance(name, str) and name and dns1035_label(name) and not is_to_fill_in(name):
        # Kubernetes 1.36 is to accept a digit in front.
        yield Hit(FieldPath((*at.route, "name")), message="digit", severity="warning", name=name)
    if port is not None and not isinstance(port, dict):
        return
    named, number = mapping(port).get("name"), mapping(port).get("number")
    port_at = FieldPath((*at.route, "port"))
    if named and number:
        yield Hit(port_at, message="two-ports", port=text(named), number=integer(number))
    elif not named and not number:
        yield Hit(port_at, message="no-port")
    elif isinstance(named, str) and port_name(named) and not is_to_fill_in(named):
        message = "quoted" if named.isdecimal() else "port-name"
        yield Hit(FieldPath((*port_at.route, "name")), message=message, port=named)


def _paths(ingress: View) -> Iterator[tuple[Route, Mapping[str, Any]]]:
    for number, rule in enumerate(sequence(ingress.spec.get("rules"))):
        for index, path in enumerate(sequence(mapping(mapping(rule).get("http")).get("paths"))):
            if isinstance(path, dict):
                yield ("spec", "rules", number, "http", "paths", index), path


_CLASS = "kubernetes.io/ingress.class"


def ingress_class(ingress: View) -> Iterator[Hit]:
    """The annotation and the field for the class, with different values."""
    annotation, field = ingress.annotations.get(_CLASS), ingress.spec.get("ingressClassName")
    if isinstance(annotation, str) and isinstance(field, str) and annotation != field:
        yield Hit(
            ingress.at("metadata", "annotations", _CLASS),
            related=(Related(ingress.at("spec", "ingressClassName"), note="field"),),
            annotation=annotation,
            field=field,
        )


def class_parameters(one: View) -> Iterator[Hit]:
    """A scope of an IngressClass's parameters that does not go with the namespace."""
    parameters = mapping(one.spec.get("parameters"))
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    at = one.at("spec", "parameters", "namespace")
    depends = (one.at("spec", "parameters", "scope"),)
    if scope == "Namespace" and namespace is None:
        yield Hit(at, message="missing", depends=depends)
    elif (scope is None or scope == "Cluster") and namespace is not None and one.id.version == "v1":
        yield Hit(at, message="cluster", depends=depends)


# --- NetworkPolicies


def _rules(policy: View) -> Iterator[tuple[Route, Mapping[str, Any], str]]:
    """Route and content of each rule, and the field of its peers."""
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(sequence(policy.spec.get(direction))):
            if isinstance(rule, dict):
                yield ("spec", direction, index), rule, peers


_PEERS = ("podSelector", "namespaceSelector", "ipBlock")


def peers(policy: View) -> Iterator[Hit]:
    """Peers that are nothing, or an address range and a selector at once."""
    for route, rule, field in _rules(policy):
        for index, peer in enumerate(sequence(rule.get(field))):
            if peer is not None and not isinstance(peer, dict):
                continue
            found = [
                key for key in ("podSelector", "namespaceSelector", "ipBlock") if mapping(peer).get(key) is not None
            ]
            at = policy.at(*route, field, index)
            if not found:
                # A peer with unknown fields is reported for these.
                if all(key in _PEERS for key in mapping(peer)):
                    yield Hit(at, message="no-value" if peer else "empty", field=field)
            elif "ipBlock" in found and len(found) > 1:
                yield Hit(policy.at(*route, field, index, "ipBlock"), message="combined", other=found[0], depends=(at,))


def end_ports(policy: View) -> Iterator[Hit]:
    """Ranges of ports without a number to begin with, or that end before it."""
    for route, rule, _ in _rules(policy):
        for index, port in enumerate(sequence(rule.get("ports"))):
            first, last = mapping(port).get("port"), mapping(port).get("endPort")
            if last is None or isinstance(first, Unknown):
                continue
            at = policy.at(*route, "ports", index, "endPort")
            depends = (policy.at(*route, "ports", index, "port"),)
            number, end = integer(first), integer(last)
            if first is None:
                yield Hit(at, message="missing", depends=depends)
            elif isinstance(first, str):
                yield Hit(at, message="named", depends=depends, port=first)
            elif number is not None and end is not None and end < number:
                yield Hit(at, message="order", depends=depends, port=number, end=end)


STRICT_ADDRESSES = (1, 37)
"""From here on ranges with bits beyond their prefix are refused: StrictIPCIDRValidation is on in 1.37 (seen there)."""


def ip_blocks(policy: View, version: tuple[int, int] | None) -> Iterator[Hit]:
    """Address ranges that are none, and exceptions that are no part of their range."""
    strict = version is not None and version >= STRICT_ADDRESSES
    for route, rule, field in _rules(policy):
        for index, peer in enumerate(sequence(rule.get(field))):
            block = mapping(mapping(peer).get("ipBlock"))
            written = block.get("cidr")
            if not isinstance(written, str) or not written or is_to_fill_in(written):
                continue
            at = policy.at(*route, field, index, "ipBlock", "cidr")
            whole = cidr(written)
            if whole is None:
                yield Hit(at, message="address" if address(written) else "syntax", value=written)
                continue
            if strict and cidr_problem(written) == "host-bits":
                yield Hit(at, message="host-bits", value=written, right=str(whole))
            for number, one in enumerate(sequence(block.get("except"))):
                if not isinstance(one, str) or is_to_fill_in(one):
                    continue
                part, part_at = cidr(one), policy.at(*route, field, index, "ipBlock", "except", number)
                if part is None:
                    yield Hit(part_at, message="address" if address(one) else "syntax", value=one)
                elif (
                    part.version != whole.version
                    or part.prefixlen <= whole.prefixlen
                    or part.network_address not in whole
                ):
                    message = "same" if part == whole else "outside"
                    yield Hit(part_at, message=message, depends=(at,), value=one, cidr=written)
                elif strict and cidr_problem(one) == "host-bits":
                    yield Hit(part_at, message="host-bits", value=one, right=str(part))
