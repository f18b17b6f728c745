"""Checks of what pods and containers may do on their node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.profile import Profile
from kubelint_ack.records import Hit, Severity
from kubelint_ack.views import Container, Workload, integer


def privileged_container(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`securityContext.privileged: true` in any container."""
    if workload.is_windows:
        return
    # Agents of nodes (network, storage, monitoring) run as DaemonSets and often cannot do without.
    severity: Severity | None = "info" if workload.family == ("apps", "DaemonSet") else None
    for container in workload.containers:
        if container.security.get("privileged") is True:
            yield Hit(container.at("securityContext", "privileged"), severity=severity, container=container.name)


def run_as_non_root(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Containers that may run as user 0, by the effective values of container and pod."""
    if workload.is_windows or workload.pod_spec.get("hostUsers") is False:
        return
    for container in workload.containers:
        non_root, _ = _effective(workload.pod_security, container, "runAsNonRoot")
        user, own_user = _effective(workload.pod_security, container, "runAsUser")
        if user is not None and integer(user) is None:
            continue
        if integer(user) == 0:
            at = container.at("securityContext", "runAsUser")
            if not own_user:
                at = workload.pod_at("spec", "securityContext", "runAsUser")
            message = "contradiction" if non_root is True else "root"
            yield Hit(at, message=message, container=container.name)
        elif user is None and non_root in (None, False):
            own = "runAsNonRoot" in container.security
            at = container.at("securityContext", "runAsNonRoot") if own else container.at()
            yield Hit(at, container=container.name)


def _effective(pod: Mapping[str, Any], container: Container, field: str) -> tuple[Any, bool]:
    """A security setting as it holds for a container, and whether the container sets it itself."""
    if field in container.security:
        return container.security[field], True
    return pod.get(field), False
