"""Checks of what pods and containers may do on their node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelint_ack.apiserver import security as refused_security
from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Severity, Unknown
from kubelint_ack.views import Container, Workload, integer, mapping, sequence


def privileged_container(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`securityContext.privileged: true` in any container."""
    privileged = [container for container in workload.containers if container.security.get("privileged") is True]
    if not privileged or workload.is_windows:
        return
    # Agents of nodes (network, storage, monitoring) run as DaemonSets and often cannot do without.
    severity: Severity | None = "info" if workload.kind == "DaemonSet" else None
    # A pod that was taken from a cluster shows what its DaemonSet asks for.
    owners = sequence(workload.metadata.get("ownerReferences"))
    if workload.kind == "Pod" and any(mapping(owner).get("kind") == "DaemonSet" for owner in owners):
        severity = "info"
    for container in privileged:
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


# --- What the API server refuses


def host_namespace_conflict(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Namespaces of the node that exclude each other, or a user namespace of the pod's own."""
    yield from refused_security.host_namespace_conflict(workload, profile)


def sysctl_of_node(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Kernel parameters of a namespace that is the node's."""
    yield from refused_security.sysctl_of_node(workload, profile)


def security_profile_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`seccompProfile` and `appArmorProfile`: a file of the node is named by `Localhost` profiles alone."""
    yield from refused_security.security_profile_invalid(workload, profile)


def security_annotation_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Annotations that set the AppArmor and seccomp profiles of containers."""
    yield from refused_security.security_annotation_invalid(workload, profile)


def privilege_escalation_conflict(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`allowPrivilegeEscalation: false` of a container that has all privileges anyway."""
    yield from refused_security.privilege_escalation_conflict(workload, profile)


def proc_mount_unmasked(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`procMount: Unmasked` without a user namespace."""
    yield from refused_security.proc_mount_unmasked(workload, profile)


def windows_host_process(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """HostProcess containers of Windows: all of a pod or none, and in the node's network."""
    yield from refused_security.windows_host_process(workload, profile)


def windows_user_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`runAsUserName`: `user`, or `domain\\user`."""
    yield from refused_security.windows_user_invalid(workload, profile)
