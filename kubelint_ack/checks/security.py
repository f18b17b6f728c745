"""Checks of what pods and containers may do on their node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Severity, Unknown
from kubelint_ack.views import Container, Workload, integer, mapping, sequence


def privileged_container(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`securityContext.privileged: true` in any container."""
    if workload.is_windows:
        return
    # Agents of nodes (network, storage, monitoring) run as DaemonSets and often cannot do without.
    severity: Severity | None = "info" if workload.kind == "DaemonSet" else None
    # A pod that was taken from a cluster shows what its DaemonSet asks for.
    owners = sequence(workload.metadata.get("ownerReferences"))
    if workload.kind == "Pod" and any(mapping(owner).get("kind") == "DaemonSet" for owner in owners):
        severity = "info"
    for container in workload.containers:
        if container.security.get("privileged") is True:
            yield Hit(container.at("securityContext", "privileged"), severity=severity, container=container.label)


def run_as_non_root(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Containers that may run as user 0, by the effective values of container and pod."""
    pod = workload.pod_spec.get("securityContext")
    if workload.is_windows or workload.pod_spec.get("hostUsers") is False or isinstance(pod, Unknown):
        return
    shared: dict[tuple[FieldPath, str], list[str]] = {}
    for container in workload.containers:
        non_root, non_root_at = _effective(workload, container, "runAsNonRoot")
        user, user_at = _effective(workload, container, "runAsUser")
        if user is not None and integer(user) is None:
            continue
        if integer(user) == 0:
            at, message = user_at, "contradiction" if non_root is True else "root"
        elif user is None and non_root in (None, False):
            at, message = non_root_at, "default"
        else:
            continue
        # What the pod says for several containers is one mistake.
        if at.route[: len(container.route)] != container.route:
            shared.setdefault((at, message), []).append(container.label)
        else:
            depends = (container.at("securityContext"), workload.pod_at("spec", "securityContext"))
            yield Hit(at, message=message, depends=depends, container=container.label)
    for (at, message), containers in shared.items():
        yield Hit(at, message=f"pod-{message}", containers=containers)


def _effective(workload: Workload, container: Container, field: str) -> tuple[Any, FieldPath]:
    """A security setting as it holds for a container, and where it is written, or would best be."""
    own = container.security.get(field)
    if own is None and workload.pod_security.get(field) is not None:
        return workload.pod_security[field], workload.pod_at("spec", "securityContext", field)
    return own, container.at("securityContext", field)
