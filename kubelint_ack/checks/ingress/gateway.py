"""Checks of the Gateway API: what routes attach to and lead to, and what ACK's gateways make of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelint_ack.existence import same_namespace
from kubelint_ack.facts import GatewayFact, GatewayListener, RouteFact, RouteParent
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.records import FieldPath, Hit, Related, Severity
from kubelint_ack.values import at_least, nearest

GROUP = "gateway.networking.k8s.io"

# --- Parents


def _gateway(parent: RouteParent, route: RouteFact, project: Project) -> GatewayFact | None:
    """The Gateway that a route attaches to, where it is in the input."""
    if parent.kind != "Gateway" or parent.group != GROUP:
        return None
    answer = project.find("Gateway", parent.name, route, parent.namespace)
    return answer.fact if isinstance(answer.fact, GatewayFact) else None


def _chosen(parent: RouteParent, gateway: GatewayFact) -> list[GatewayListener]:
    """The listeners that a reference means."""
    return [
        one
        for one in gateway.listeners
        if (parent.section is None or one.name in (None, parent.section))
        and (parent.port is None or one.port in (None, parent.port))
    ]


def gateway_route_parent_missing(route: RouteFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A route to a Gateway that does not exist, or to a listener that it does not have."""
    if project.is_patched(route, "spec"):
        return
    for parent in route.parents:
        if parent.kind != "Gateway" or parent.group != GROUP:
            continue
        answer = project.find("Gateway", parent.name, route, parent.namespace)
        if answer.missing:
            names = [one.resource.id.name or "" for one in project.gateways]
            near = nearest(parent.name, names)
            yield _parent_hit(parent.field("name"), "near" if near else "default", parent, answer.severity, near=near)
            continue
        gateway = answer.fact
        if not isinstance(gateway, GatewayFact) or not gateway.known or project.is_patched(gateway, "spec"):
            continue
        if _chosen(parent, gateway) or not gateway.listeners:
            continue
        names = [one.name for one in gateway.listeners if one.name]
        key = "sectionName" if parent.section is not None and parent.section not in names else "port"
        yield _parent_hit(
            parent.field(key),
            "section" if key == "sectionName" else "port",
            parent,
            None if project.together(gateway.resource, route.resource) else "warning",
            near=None,
            related=(Related(gateway.listeners[0].at, of=gateway, note="listeners"),),
            listeners=names if key == "sectionName" else [one.port for one in gateway.listeners],
        )


def _parent_hit(
    where: FieldPath,
    message: str,
    parent: RouteParent,
    severity: Severity | None,
    near: str | None,
    related: tuple[Related, ...] = (),
    listeners: Any = (),
) -> Hit:
    return Hit(
        where,
        message=message,
        severity=severity,
        related=related,
        gateway=parent.name,
        near=near or "",
        section=parent.section or "",
        port=parent.port or "",
        listeners=listeners,
    )


_KINDS = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute", "TCPRoute"),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}
"""Kinds of routes by the protocol of a listener: https://gateway-api.sigs.k8s.io/concepts/api-overview/"""


def gateway_route_not_accepted(route: RouteFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A route that no listener of its Gateway lets in: by kind, namespace or host name."""
    if project.is_patched(route, "spec"):
        return
    for parent in route.parents:
        gateway = _gateway(parent, route, project)
        if gateway is None or not gateway.known or project.is_patched(gateway, "spec"):
            continue
        chosen = _chosen(parent, gateway)
        reasons = [_refusal(one, gateway, route, project) for one in chosen]
        if not reasons or not all(reasons):
            continue
        reason = next(reason for reason in ("kind", "namespace", "hostname") if reason in reasons)
        first = chosen[reasons.index(reason)]
        yield Hit(
            FieldPath(("spec", "hostnames")) if reason == "hostname" else parent.field("name"),
            message=reason,
            severity=None if project.together(gateway.resource, route.resource) else "warning",
            related=(Related(first.at, of=gateway, note="listener"),),
            gateway=parent.name,
            kind=route.resource.id.kind,
            hostnames=route.hostnames,
            namespace=project.namespace(route) or "default",
            listener=first.hostname or "" if reason == "hostname" else first.protocol or "",
        )


def _refusal(one: GatewayListener, gateway: GatewayFact, route: RouteFact, project: Project) -> str:
    """Why a listener does not let a route in; empty: it does, or that cannot be known."""
    if not one.known or one.protocol is None:
        return ""
    kinds = one.kinds or _KINDS.get(one.protocol)
    if kinds is not None and route.resource.id.kind not in kinds:
        return "kind"
    same = same_namespace(project.namespace(route), project.namespace(gateway))
    if (one.namespaces == "Same" and same is False) or one.namespaces == "None":
        return "namespace"
    if not one.hostname or not route.hostnames or not route.hostnames_known:
        return ""
    return "" if any(_meet(one.hostname, name) for name in route.hostnames) else "hostname"


def _meet(one: str, other: str) -> bool:
    """Whether two host names, either with a wildcard for its first part, have a name in common."""
    one, other = one.lower(), other.lower()
    if one == other:
        return True
    if one.startswith("*."):
        return other.endswith(one[1:]) or (other.startswith("*.") and one.endswith(other[1:]))
    return other.startswith("*.") and one.endswith(other[1:])


# --- Grants


def gateway_backend_not_granted(fact: RouteFact | GatewayFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A reference into another namespace that nothing there allows."""
    own = project.namespace(fact)
    if own is None or project.is_patched(fact, "spec"):
        return
    kind = fact.resource.id.kind
    wanted: list[tuple[str, str, str | None, FieldPath]] = []
    if isinstance(fact, RouteFact):
        wanted = [("Service", one.service, one.namespace, one.at) for one in fact.backends]
    else:
        wanted = [(one.kind, one.name, one.namespace, one.at) for one in fact.resource.references if one.role == "tls"]
    told = set()
    for target, name, namespace, where in wanted:
        if namespace in (None, own) or (target, name, namespace) in told or "$" in name:
            continue
        told.add((target, name, namespace))
        severity = _ungranted(kind, own, target, name, namespace or "", fact, project)
        if severity != "none":
            yield Hit(
                where,
                severity="warning" if severity == "warning" else None,
                kind=kind,
                target=target,
                name=name,
                namespace=namespace,
                own=own,
            )


def _ungranted(
    kind: str, own: str, target: str, name: str, namespace: str, fact: RouteFact | GatewayFact, project: Project
) -> str:
    """`error` or `warning`; `none`: it is granted, or that cannot be known."""
    for grant in project.grants:
        if same_namespace(project.namespace(grant), namespace) is False:
            continue
        if not grant.known or project.is_patched(grant, "spec"):
            return "none"
        allowed = (GROUP, kind, own) in grant.sources
        if allowed and any(one[:2] == ("", target) and one[2] in (None, name) for one in grant.targets):
            return "none"
    if project.may_hide("ReferenceGrant") or project.anywhere("ReferenceGrant", name):
        return "none"
    if project.is_complete("ReferenceGrant"):
        return "error"
    # The grant belongs to the namespace of the target: where that is not here, nor need the grant be.
    found = project.find(target, name, fact, namespace).fact
    return "warning" if found is not None and project.together(found.resource, fact.resource) else "none"


# --- Classes of ACK

_CLASSES = frozenset({"alb", "alb-extensible", "istio", "higress", "eg", "envoy-gateway", "ack-gateway"})


def gatewayclass_unknown(gateway: GatewayFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A class that neither the files nor ACK have."""
    name = gateway.gateway_class
    if name is None or name in _CLASSES or name in (profile.gateway_classes or ()) or "$" in name or "<" in name:
        return
    if project.is_patched(gateway, "spec", "gatewayClassName") or project.find("GatewayClass", name, gateway).found:
        return
    known = sorted({*(one.resource.id.name or "" for one in project.gateway_classes), *(profile.gateway_classes or ())})
    if not known and not profile.is_ack:
        return
    near = nearest(name, known or sorted(_CLASSES))
    yield Hit(
        FieldPath(("spec", "gatewayClassName")),
        message="near" if near else "default",
        severity=None if known else "info",
        gateway_class=name,
        near=near or "",
    )


_ALB_CONTROLLERS = {
    "gateways.alibabacloud.com/alb/v1": "alb",
    "gateways.alibabacloud.com/alb-extensible/v1": "alb-extensible",
}


def _alb_class(gateway: GatewayFact, project: Project, profile: Profile) -> str:
    """`alb` or `alb-extensible` where the Gateway is an ALB's; else empty."""
    name = gateway.gateway_class
    for one in project.gateway_classes:
        if one.resource.id.name == name:
            return _ALB_CONTROLLERS.get(one.controller or "", "")
    ours = profile.provider == "ack" or profile.is_ack or gateway.resource.alibaba or bool(project.alb_configs)
    return name if name in _ALB_CONTROLLERS.values() and name and (ours or name == "alb-extensible") else ""


_NEWER = "3.2"
"""The first version of the controller whose limits have not been measured."""


def gateway_alb_route_unsupported(route: RouteFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Filters and paths that an ALB's gateway drops or refuses."""
    if not route.features:
        return
    for parent in route.parents:
        gateway = _gateway(parent, route, project)
        kind = _alb_class(gateway, project, profile) if gateway else ""
        if not kind:
            continue
        running = (profile.components or {}).get("alb-ingress-controller")
        newer = at_least(running, _NEWER)
        for feature, where in route.features:
            if (feature in ("URLRewrite", "RegularExpression") and kind == "alb") or (
                feature == "PathPrefix" and kind == "alb-extensible"
            ):
                message = {"URLRewrite": "rewrite", "RegularExpression": "regex"}.get(feature, "prefix")
                yield Hit(where, message=message, severity="info" if newer else None, gateway_class=kind)
        return


def gateway_alb_version(gateway: GatewayFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A Gateway of an ALB in a cluster that is too old for it."""
    if not _alb_class(gateway, project, profile):
        return
    running = (profile.components or {}).get("alb-ingress-controller")
    here = FieldPath(("spec", "gatewayClassName"))
    if profile.kubernetes_version is not None and profile.kubernetes_version < (1, 24):
        yield Hit(here, message="kubernetes", version=profile.kubernetes_version_text)
    elif at_least(running, "2.17.0") is False:
        yield Hit(here, version=running)
