"""Facts of Ingresses and their classes, ALB configurations, and the Gateway API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from kubelint_ack.extract.base import Extraction, is_unknown, mention
from kubelint_ack.facts import (
    AlbConfigFact,
    AlbListener,
    Backend,
    Facts,
    GatewayClassFact,
    GatewayFact,
    GatewayListener,
    GrantFact,
    IngressClassFact,
    IngressFact,
    IngressPath,
    IngressTls,
    Labels,
    Reference,
    RouteFact,
    RouteParent,
)
from kubelint_ack.records import FieldPath, Route, Unknown, at
from kubelint_ack.values import selector
from kubelint_ack.views import View, integer, mapping, sequence, text

# --- Ingresses

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def ingress(view: View, x: Extraction, into: Facts) -> None:
    """The fact of an Ingress."""
    field = "defaultBackend" if "defaultBackend" in view.spec else "backend"
    tls = []
    for index, entry in enumerate(sequence(view.spec.get("tls"))):
        item = mapping(entry)
        name = text(item.get("secretName"))
        if name:
            x.references.append(Reference("Secret", name, at("spec", "tls", index, "secretName"), role="tls"))
        hosts = sequence(item.get("hosts"))
        known = not isinstance(entry, Unknown) and not any(isinstance(host, Unknown) for host in hosts)
        known = known and not is_unknown(item, "hosts")
        tls.append(IngressTls(tuple(host for host in hosts if text(host)), name, at("spec", "tls", index), known))
    for index, rule in enumerate(sequence(view.spec.get("rules"))):
        mention(x, mapping(rule).get("host"), "spec", "rules", index, "host")
    written, annotated = view.spec.get("ingressClassName"), view.annotations.get(_CLASS_ANNOTATION)
    name = text(written) or text(annotated)
    both = text(written) and text(annotated) and written != annotated
    into.ingresses.append(
        IngressFact(
            x.resource(view.labels),
            name,
            at("metadata", "annotations", _CLASS_ANNOTATION)
            if annotated and not written
            else at("spec", "ingressClassName"),
            not both and not isinstance(written, Unknown) and (bool(written) or not isinstance(annotated, Unknown)),
            tuple(_paths(view)),
            _backend(view.spec.get(field), ("spec", field)),
            tuple(tls),
            _annotations(view),
        )
    )


def _paths(view: View) -> Iterator[IngressPath]:
    default_type = "ImplementationSpecific" if view.id.version != "v1" else None
    for index, rule in enumerate(sequence(view.spec.get("rules"))):
        host = mapping(rule).get("host")
        for number, entry in enumerate(sequence(mapping(mapping(rule).get("http")).get("paths"))):
            item = mapping(entry)
            route: Route = ("spec", "rules", index, "http", "paths", number)
            path, backend = item.get("path"), item.get("backend")
            named = mapping(mapping(backend).get("service"))
            unknown = isinstance(backend, Unknown) or is_unknown(mapping(backend), "service", "serviceName")
            yield IngressPath(
                text(host) or None,
                not isinstance(host, Unknown),
                text(path),
                not isinstance(path, Unknown),
                text(item.get("pathType", default_type)),
                at(*route, "path") if "path" in item else at(*route),
                at(*route, "pathType") if "pathType" in item else at(*route),
                _backend(backend, (*route, "backend")),
                not unknown and not is_unknown(named, "name"),
            )


def _backend(backend: Any, route: Route) -> Backend | None:
    """The Service port of an Ingress's backend, in the form of either version of the API."""
    named = mapping(mapping(backend).get("service"))
    if text(named.get("name")):
        port = mapping(named.get("port"))
        key = "name" if "name" in port else "number"
        return Backend(
            named["name"],
            _port(port.get(key)),
            at(*route, "service", "name"),
            at(*route, "service", "port", key),
        )
    if text(mapping(backend).get("serviceName")):
        port_at = at(*route, "servicePort")
        return Backend(backend["serviceName"], _port(backend.get("servicePort")), at(*route, "serviceName"), port_at)
    return None


def _annotations(view: View) -> Labels:
    """Its annotations; None for what is no string: unknown before rendering, or refused by the API server."""
    return {key: text(value) for key, value in view.annotations.items()}


def _port(value: Any) -> int | str | None:
    return value if isinstance(value, str) else integer(value)


def ingress_class(view: View, x: Extraction, into: Facts) -> None:
    """The fact of an IngressClass."""
    named = mapping(view.spec.get("parameters"))
    parameters = None
    if named:
        parameters = Reference(
            text(named.get("kind")) or "",
            text(named.get("name")) or "",
            at("spec", "parameters", "name") if "name" in named else at("spec", "parameters"),
            text(named.get("apiGroup")) or "",
            text(named.get("namespace")),
            role="parameters",
        )
    default = view.annotations.get("ingressclass.kubernetes.io/is-default-class") == "true"
    into.ingress_classes.append(
        IngressClassFact(x.resource(view.labels), text(view.spec.get("controller")), parameters, default)
    )


def alb_config(view: View, x: Extraction, into: Facts) -> None:
    """The fact of an AlbConfig."""
    written = view.spec.get("listeners")
    known = not isinstance(written, Unknown)
    listeners = []
    for index, entry in enumerate(sequence(written)):
        item = mapping(entry)
        known = known and not isinstance(entry, Unknown) and not is_unknown(item, "port", "protocol", "certificates")
        port = item.get("port")
        number = int(port) if isinstance(port, str) and port.isdecimal() else integer(port)
        given = item.get("certificates") or item.get("defaultCertificate")
        empty = isinstance(item.get("certificates"), list)
        listeners.append(
            AlbListener(
                number,
                text(item.get("protocol")),
                "given" if given else "empty" if empty else "absent",
                at("spec", "listeners", index),
            )
        )
    into.alb_configs.append(AlbConfigFact(x.resource(view.labels), tuple(listeners), at("spec", "listeners"), known))


# --- Gateway API

GATEWAY = "gateway.networking.k8s.io"


def gateway_class(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a GatewayClass."""
    into.gateway_classes.append(GatewayClassFact(x.resource(view.labels), text(view.spec.get("controllerName"))))


def gateway(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a Gateway."""
    written = view.spec.get("listeners")
    listeners = []
    for index, entry in enumerate(sequence(written)):
        listeners.append(_listener(mapping(entry), index))
        certificates = sequence(mapping(mapping(entry).get("tls")).get("certificateRefs"))
        for number, one in enumerate(certificates):
            item = mapping(one)
            if text(item.get("name")) and item.get("kind", "Secret") == "Secret" and not item.get("group"):
                here = at("spec", "listeners", index, "tls", "certificateRefs", number, "name")
                x.references.append(
                    Reference("Secret", item["name"], here, namespace=text(item.get("namespace")), role="tls")
                )
    known = not isinstance(written, Unknown) and not any(isinstance(one, Unknown) for one in sequence(written))
    into.gateways.append(
        GatewayFact(
            x.resource(view.labels),
            text(view.spec.get("gatewayClassName")),
            tuple(listeners),
            known,
            _annotations(view),
        )
    )


def _listener(item: Mapping[str, Any], index: int) -> GatewayListener:
    allowed = mapping(item.get("allowedRoutes"))
    namespaces = mapping(allowed.get("namespaces"))
    origin = namespaces.get("from", "Same")
    own = namespaces.get("selector")
    kinds = sequence(allowed.get("kinds"))
    names = tuple(kind for kind in (text(mapping(one).get("kind")) for one in kinds) if kind)
    known = not is_unknown(item, "name", "port", "protocol", "hostname", "allowedRoutes")
    known = known and not is_unknown(allowed, "namespaces", "kinds") and len(names) == len(kinds)
    return GatewayListener(
        text(item.get("name")),
        integer(item.get("port")),
        text(item.get("protocol")),
        text(item.get("hostname")) or None,
        cast("Any", origin) if origin in ("Same", "All", "Selector", "None") else None,
        selector(own) if isinstance(own, dict) else None,
        names or None,
        known,
        at("spec", "listeners", index),
    )


def route(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a route of any kind."""
    names = view.spec.get("hostnames")
    hostnames = tuple(name for name in sequence(names) if isinstance(name, str))
    for index, name in enumerate(sequence(names)):
        mention(x, name, "spec", "hostnames", index)
    parents = []
    for index, entry in enumerate(sequence(view.spec.get("parentRefs"))):
        item = mapping(entry)
        if text(item.get("name")):
            parents.append(
                RouteParent(
                    text(item.get("group", GATEWAY)) or "",
                    text(item.get("kind", "Gateway")) or "",
                    item["name"],
                    text(item.get("namespace")),
                    text(item.get("sectionName")),
                    integer(item.get("port")),
                    at("spec", "parentRefs", index),
                )
            )
    backends: list[Backend] = []
    features: list[tuple[str, FieldPath]] = []
    for index, entry in enumerate(sequence(view.spec.get("rules"))):
        inner: Route = ("spec", "rules", index)
        rule = mapping(entry)
        backends += _route_backends(rule, inner)
        for number, match in enumerate(sequence(rule.get("matches"))):
            path = mapping(mapping(match).get("path"))
            if path:
                here = at(*inner, "matches", number, "path")
                features.append((text(path.get("type", "PathPrefix")) or "", here))
        for number, one in enumerate(sequence(rule.get("filters"))):
            features.append((text(mapping(one).get("type")) or "", at(*inner, "filters", number)))
    into.routes.append(
        RouteFact(
            x.resource(view.labels),
            hostnames,
            not isinstance(names, Unknown) and len(hostnames) == len(sequence(names)),
            tuple(parents),
            tuple(backends),
            tuple(features),
            _annotations(view),
        )
    )


def _route_backends(rule: Mapping[str, Any], inner: Route) -> Iterator[Backend]:
    """The Services that a rule of a route leads or mirrors to."""
    places: list[tuple[Any, Route]] = [
        (one, (*inner, "backendRefs", number)) for number, one in enumerate(sequence(rule.get("backendRefs")))
    ]
    for number, one in enumerate(sequence(rule.get("filters"))):
        mirror = mapping(mapping(one).get("requestMirror")).get("backendRef")
        if mirror:
            places.append((mirror, (*inner, "filters", number, "requestMirror", "backendRef")))
    for entry, here in places:
        item = mapping(entry)
        if text(item.get("name")) and item.get("kind", "Service") == "Service" and not item.get("group"):
            yield Backend(
                item["name"],
                integer(item.get("port")),
                at(*here, "name"),
                at(*here, "port"),
                text(item.get("namespace")),
            )


def grant(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a ReferenceGrant."""
    sources = []
    for entry in sequence(view.spec.get("from")):
        item = mapping(entry)
        sources.append(tuple(text(item.get(key)) or "" for key in ("group", "kind", "namespace")))
    targets = []
    for entry in sequence(view.spec.get("to")):
        item = mapping(entry)
        targets.append((text(item.get("group")) or "", text(item.get("kind")) or "", text(item.get("name"))))
    known = not any(
        isinstance(value, Unknown)
        for key in ("from", "to")
        for entry in (view.spec.get(key), *sequence(view.spec.get(key)))
        for value in (entry, *mapping(entry).values())
    )
    into.grants.append(GrantFact(x.resource(view.labels), cast("Any", tuple(sources)), tuple(targets), known))
