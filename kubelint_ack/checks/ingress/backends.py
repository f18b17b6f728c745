"""Checks of Ingresses and routes: the Services that they lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubelint_ack.existence import same_namespace
from kubelint_ack.facts import Backend, IngressFact, RouteFact, ServiceFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.records import Hit, Related
from kubelint_ack.values import nearest

# --- Backends

# A port name, or annotations, by which a controller answers itself instead of asking a Service.
# https://github.com/alibaba/alibaba-load-balancer-controller, https://kubernetes-sigs.github.io/aws-load-balancer-controller
_ACTION_PORT = "use-annotation"
_ACTION = re.compile(r"ingress\.kubernetes\.io/actions\.(.+)$")
_ANSWERED = (
    "nginx.ingress.kubernetes.io/permanent-redirect",
    "nginx.ingress.kubernetes.io/temporal-redirect",
    "higress.io/destination",
    "mse.ingress.kubernetes.io/destination",
)

_SERVICE_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def ingress_backend_missing(ingress: IngressFact | RouteFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A backend whose Service does not exist, or has no such port."""
    if project.is_patched(ingress, "spec") or any(key in ingress.annotations for key in _ANSWERED):
        return
    actions = {match[1] for match in map(_ACTION.search, ingress.annotations) if match}
    for backend in ingress.backends:
        if backend.port == _ACTION_PORT or backend.service in actions or not _SERVICE_NAME.fullmatch(backend.service):
            continue
        if backend.namespace not in (None, project.namespace(ingress)):
            yield from _service_hit(ingress, backend, project)
            continue
        services: list[ServiceFact] = list(project.named("Service", backend.service, ingress))
        elsewhere: list[ServiceFact] = list(project.named_elsewhere("Service", backend.service, ingress))
        if services or elsewhere:
            yield from _port_hit(ingress, backend, services, elsewhere, project)
        else:
            yield from _service_hit(ingress, backend, project)


def _service_hit(ingress: IngressFact | RouteFact, backend: Backend, project: Project) -> Iterator[Hit]:
    answer = project.find("Service", backend.service, ingress, backend.namespace)
    if answer.found:
        return
    own = backend.namespace or project.namespace(ingress)
    if answer.missing:
        near = {
            str(service.name): service
            for service in project.services
            if service.name and same_namespace(project.namespace(service), own)
        }
        found = nearest(backend.service, near)
        other, message, severity = near[found] if found else None, "near" if found else "default", answer.severity
        # Add-ons of the cluster come from elsewhere.
        if own == "kube-system" and not answer.certain:
            severity = "info"
    elif answer.unseen:
        other = next((one for one in project.services if one.name == backend.service), None)
        if other is None:
            return
        message, severity = "namespace", "info"
    else:
        return
    yield Hit(
        backend.at,
        message=message,
        severity=severity,
        related=(Related(other.resource.name_at, of=other, note="service"),) if other else (),
        kind=ingress.resource.id.kind,
        service=backend.service,
        near=other.name if other else "",
        namespace=own,
        other=project.namespace(other) if other else "",
    )


def _port_hit(
    ingress: IngressFact | RouteFact,
    backend: Backend,
    here: list[ServiceFact],
    elsewhere: list[ServiceFact],
    project: Project,
) -> Iterator[Hit]:
    """The port against those of the Service, of this unit first; of several variants, one that has it is enough."""
    services = here or elsewhere
    wanted = int(backend.port) if isinstance(backend.port, str) and backend.port.isdecimal() else backend.port
    if wanted is None or any(_may_have(service, wanted, project) for service in services):
        return
    service = services[0]
    numbers = [port.port for port in service.ports]
    names = [port.name for port in service.ports if port.name]
    if isinstance(wanted, int):
        message = "target" if any(wanted in (port.target, port.node_port) for port in service.ports) else "number"
    else:
        message = "name" if names else "unnamed"
    near = project.beside if len(here) == 1 else project.together
    yield Hit(
        backend.port_at,
        message=message,
        # Files may be alternatives of each other; documents of one file are applied together.
        severity=None if near(ingress.resource, service.resource) else "warning",
        related=(Related(service.ports[0].at, of=service, note="ports"),),
        service=backend.service,
        port=wanted,
        numbers=numbers,
        names=names,
    )


def _may_have(service: ServiceFact, wanted: int | str, project: Project) -> bool:
    if service.type == "ExternalName" or not service.ports or project.is_patched(service, "spec"):
        return True
    return any(port.port is None or wanted in (port.port, port.name) for port in service.ports)
