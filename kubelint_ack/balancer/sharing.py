"""Several Services: load balancers that they share, names, and who calls them from inside."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from kubelint_ack.balancer import Balancer, Listener, balancer_of
from kubelint_ack.facts import ServiceFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.records import Hit, Related, at
from kubelint_ack.views import LB_PREFIXES

MOST_LISTENERS = 50
"""Of a CLB, by default (quotas of the Server Load Balancer documentation)."""


def _value(service: ServiceFact, name: str) -> str | None:
    """An annotation of the load balancer, without looking at the others."""
    return next(
        (service.annotations[prefix + name] for prefix in LB_PREFIXES if prefix + name in service.annotations), None
    )


@lru_cache(maxsize=4)
def _by_value(project: Project, name: str) -> dict[str, list[ServiceFact]]:
    """The Services of a project by the value of an annotation of their load balancers, in order."""
    found: dict[str, list[ServiceFact]] = {}
    for service in project.services:
        value = _value(service, name) if service.load_balancer else None
        if value:
            found.setdefault(value, []).append(service)
    return found


def _others(service: ServiceFact, project: Project, name: str) -> list[tuple[ServiceFact, Balancer]]:
    """Services with the same value of an annotation that stand before this one and are other objects."""
    found = []
    for other in _by_value(project, name).get(_value(service, name) or "", ()):
        if other is service:
            break
        if _is_same(service, other, project) or project.is_patched(other, "metadata", "annotations"):
            continue
        theirs = balancer_of(other)
        if theirs is not None:
            found.append((other, theirs))
    return found


def _is_same(one: ServiceFact, other: ServiceFact, project: Project) -> bool:
    """Whether two manifests may be one object: variants of each other, or a name that is not known."""
    if one.name is None or other.name is None:
        return True
    return one.name == other.name and project.namespace(one) == project.namespace(other)


def _shared(service: ServiceFact, project: Project) -> Balancer | None:
    """The load balancer of a Service, if it names an existing one and surely does."""
    if not _value(service, "id") or project.is_patched(service, "metadata", "annotations"):
        return None
    own = balancer_of(service)
    return own if own is not None and own.value("id") else None


def conflicts(service: ServiceFact, project: Project) -> Iterator[Hit]:
    """Listeners that another Service with the same load balancer claims as well."""
    own = _shared(service, project)
    if own is None or own.reuses is not True or not own.manages_listeners:
        return
    for other, theirs in _others(service, project, "id"):
        if not theirs.manages_listeners or project.is_patched(other, "spec", "ports"):
            continue
        taken = {_socket(one): one for one in theirs.listeners}
        for listener in own.listeners:
            rival = taken.get(_socket(listener))
            if rival is None:
                continue
            yield Hit(
                at("spec", "ports", listener.position, "port"),
                severity=None if project.together(service.resource, other.resource) else "warning",
                related=(Related(at("spec", "ports", rival.position, "port"), of=other, note="other"),),
                service=other.name,
                port=listener.port,
                id=own.value("id"),
            )


def _socket(listener: Listener) -> tuple[int, bool]:
    """Port and transport: a listener of each may stand on one port."""
    return listener.port, (listener.protocol or listener.transport.lower()) == "udp"


def overfull(service: ServiceFact, project: Project) -> Iterator[Hit]:
    """More listeners than a CLB takes: counted over all Services that share it, reported where the limit is passed."""
    if service.load_balancer != "clb":
        return
    before = 0
    related: tuple[Related, ...] = ()
    if _shared(service, project) is not None:
        others = [
            (other, theirs)
            for other, theirs in _others(service, project, "id")
            if project.beside(service.resource, other.resource)
        ]
        before = sum(len(theirs.ports) for _, theirs in others)
        related = tuple(Related(at("spec", "ports"), of=other, note="shared") for other, _ in others[:5])
    count = before + len(service.ports)
    if before <= MOST_LISTENERS < count:
        yield Hit(
            at("spec", "ports"),
            message="shared" if before else "default",
            related=related,
            count=count,
            most=MOST_LISTENERS,
        )


def same_names(service: ServiceFact, project: Project) -> Iterator[Hit]:
    """The name of a load balancer that another Service gives to its own."""
    if not _value(service, "name"):
        return
    own = balancer_of(service)
    if own is None or own.value("name") is None or project.is_patched(service, "metadata", "annotations"):
        return
    for other, theirs in _others(service, project, "name"):
        if own.state("id") and own.value("id") == theirs.value("id"):
            continue
        if project.beside(service.resource, other.resource):
            note = Related(theirs.at("name"), of=other, note="other")
            yield Hit(own.at("name"), related=(note,), name=own.value("name"), service=other.name)
            return


def unwrapped_calls(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A CLB that speaks the PROXY protocol, and clients inside whose calls never reach it."""
    if service.load_balancer != "clb" or not _value(service, "proxy-protocol") or _reaches_balancer(profile):
        return
    own = balancer_of(service)
    if own is None or not own.is_on("proxy-protocol") or own.state("hostname") is not False:
        return
    if project.is_patched(service, "metadata", "annotations"):
        return
    # Without such a listener it does nothing: lb-annotation-needs-listener says so.
    if own.listeners and all(one.protocol in ("http", "https") for one in own.listeners):
        return
    clients = [
        (resource, mention)
        for address in service.addresses
        for resource, mention in project.mentioning(address.lower())
        if resource is not service.resource
    ]
    if profile.in_cluster_load_balancer_clients is False and not clients:
        return
    yield Hit(
        own.at("proxy-protocol"),
        message="client" if clients else "default",
        severity=None if clients or profile.in_cluster_load_balancer_clients else "info",
        related=tuple(Related(mention.at, of=resource, note="client") for resource, mention in clients[:5]),
        address=clients[0][1].host if clients else "",
    )


def _reaches_balancer(profile: Profile) -> bool:
    """Whether calls from pods surely go out to it (AliyunContainerService/terway, docs/host-stack-cidrs.md)."""
    terway = profile.terway
    if profile.cni != "terway":
        return False
    return terway.mode == "exclusive-eni" or (terway.data_path == "ipvlan" and terway.in_cluster_load_balance is False)
