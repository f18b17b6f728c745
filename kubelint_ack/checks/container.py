"""Checks of single containers: what they ask for, and how they are probed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Related, Route, Severity, Unknown
from kubelint_ack.values import milli
from kubelint_ack.views import Container, Workload, mapping, text

_POD_RESOURCES_SINCE = (1, 34)
"""https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/ (PodLevelResources)"""


def request_exceeds_limit(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Requests above the limits that are written beside them, of containers and of the pod."""
    for container in workload.containers:
        yield from _over_limit(container.resources, container.at("resources"), "", container=container.label)
    pod = mapping(workload.pod_spec.get("resources"))
    if not pod:
        return
    # An older API server drops the field: then nothing holds, but nothing is refused either.
    severity: Severity | None = None
    if profile.kubernetes_version is not None and profile.kubernetes_version < _POD_RESOURCES_SINCE:
        severity = "warning"
    at = workload.pod_at("spec", "resources")
    yield from _over_limit(pod, at, "pod-", severity=severity)
    for resource, value in _quantities(pod, "limits"):
        for container in workload.containers:
            own = milli(mapping(container.resources.get("limits")).get(resource))
            if own is not None and own > value:
                yield Hit(
                    container.at("resources", "limits", resource),
                    message="above-pod",
                    severity=severity,
                    related=(Related(_below(at, "limits", resource), note="limit"),),
                    container=container.label,
                    resource=resource,
                    request=_written(container.resources, "limits", resource),
                    limit=_written(pod, "limits", resource),
                )
    for resource, value in _quantities(pod, "requests"):
        total = _total(workload, resource)
        if total is not None and total > value:
            yield Hit(
                _below(at, "requests", resource),
                message="pod-below-sum",
                severity=severity,
                depends=tuple(container.at("resources") for container in workload.containers),
                resource=resource,
                request=_written(pod, "requests", resource),
                total=_plain(total),
            )


def _over_limit(
    resources: Mapping[str, Any], at: FieldPath, scope: str, severity: Severity | None = None, **values: Any
) -> Iterator[Hit]:
    """Hits of one `resources` field; `scope` begins the names of their wordings."""
    limits = resources.get("limits")
    if isinstance(limits, Unknown):
        return
    for resource, request in _quantities(resources, "requests"):
        written = mapping(limits).get(resource)
        limit = milli(written)
        if written is not None and limit is None:
            continue
        # https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#consuming-extended-resources
        fixed = resource.startswith("hugepages-") or ("/" in resource and "kubernetes.io/" not in resource)
        if limit is None:
            if not fixed or request == 0:
                continue
            message = "no-limit"
        elif fixed and request != limit:
            message = "unequal"
        elif request > limit:
            message = "above"
        else:
            continue
        yield Hit(
            _below(at, "requests", resource),
            message=scope + message,
            severity=severity,
            related=(Related(_below(at, "limits", resource), note="limit"),) if limit is not None else (),
            depends=(_below(at, "limits", resource),),
            resource=resource,
            request=_written(resources, "requests", resource),
            limit=_written(resources, "limits", resource),
            **values,
        )


def _below(at: FieldPath, *route: str) -> FieldPath:
    return FieldPath((*at.route, *route))


def _quantities(resources: Mapping[str, Any], field: str) -> Iterator[tuple[str, int]]:
    """Name and value, in thousandths, of each known quantity of `requests` or `limits`."""
    for resource, written in mapping(resources.get(field)).items():
        value = milli(written)
        if value is not None:
            yield resource, value


def _written(resources: Mapping[str, Any], field: str, resource: str) -> str:
    return str(mapping(resources.get(field)).get(resource, "")).strip()


def _plain(thousandths: int) -> str:
    """Thousandths as a person writes them."""
    if thousandths % 1000:
        return f"{thousandths}m"
    value, suffix = thousandths // 1000, ""
    for larger in ("Ki", "Mi", "Gi", "Ti"):
        if not value or value % 1024:
            break
        value, suffix = value // 1024, larger
    return f"{value}{suffix}"


def _total(workload: Workload, resource: str) -> int | None:
    """What the containers request together at the least, in thousandths; None if one of them is unknown.

    Containers and sidecars run together; an init container runs with the sidecars before it
    (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers).
    """
    together = highest = 0
    for container in workload.containers:
        requests = container.resources.get("requests")
        written = mapping(requests).get(resource)
        own = 0 if written is None else milli(written)
        if own is None or isinstance(requests, Unknown):
            return None
        if container.role == "init":
            highest = max(highest, together + own)
        elif container.role != "ephemeral":
            together += own
    return max(highest, together)


_HANDLERS: tuple[Route, ...] = (
    ("livenessProbe",),
    ("readinessProbe",),
    ("startupProbe",),
    ("lifecycle", "postStart"),
    ("lifecycle", "preStop"),
)


def probe_port_unresolved(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Port names in probes and lifecycle hooks that no port of the container has."""
    for container in workload.containers:
        declared, known = _port_names(container)
        for route, name in _named_ports(container):
            if name in declared:
                continue
            owner: Container | None = None
            if name.isdigit():
                message = "quoted"
            elif not known:
                continue
            else:
                owner = next((one for one in workload.containers if name in _port_names(one)[0]), None)
                message = "other-container" if owner else ("default" if declared else "unnamed")
                if message == "default":
                    owner = container
            yield Hit(
                container.at(*route),
                message=message,
                related=(Related(owner.at("ports"), note="ports"),) if owner else (),
                depends=(container.at("ports"),),
                container=container.label,
                probe=route[-3],
                port=name,
                names=list(declared),
                other=owner.label if owner else "",
            )


def _port_names(container: Container) -> tuple[dict[str, None], bool]:
    """The names that a container gives to its ports, and whether these are all of them."""
    ports = container.data.get("ports")
    known = not isinstance(ports, Unknown) and not any(
        isinstance(port, Unknown) or isinstance(mapping(port).get("name"), Unknown)
        for port in (ports if isinstance(ports, list) else ())
    )
    names = (text(port.get("name")) for _, port in container.items("ports"))
    return {name: None for name in names if name}, known


def _named_ports(container: Container) -> Iterator[tuple[Route, str]]:
    """Route and name of each port that a probe or hook gives by name."""
    for route in _HANDLERS:
        handler: Any = container.data
        for step in route:
            handler = mapping(handler).get(str(step))
        for action in ("httpGet", "tcpSocket"):
            name = text(mapping(mapping(handler).get(action)).get("port"))
            if name:
                yield (*route, action, "port"), name
