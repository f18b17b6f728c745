"""Security settings of pods and containers that contradict each other.

Restates pkg/apis/core/validation/validation.go (validatePodSpecSecurityContext, ValidateSecurityContext,
validateHostUsers, validateWindowsHostProcessPod, validateWindowsSecurityContextOptions,
ValidateAppArmorPodAnnotations).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Related, Severity, Unknown
from kubelint_ack.values import is_placeholder
from kubelint_ack.views import Workload, mapping, sequence, text


def host_namespace_conflict(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Namespaces of the node that exclude each other, or a user namespace of the pod's own."""
    spec = workload.pod_spec
    if "shareProcessNamespace" not in spec and "hostUsers" not in spec:
        return
    severity = workload.refused(profile.kubernetes_version)
    if spec.get("shareProcessNamespace") is True and spec.get("hostPID") is True:
        depends = (workload.pod_at("spec", "hostPID"),)
        at = workload.pod_at("spec", "shareProcessNamespace")
        yield Hit(at, message="process", severity=severity, depends=depends, field="hostPID")
    if spec.get("hostUsers") is False:
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(field) is True:
                # An older API server drops hostUsers, a newer one may allow the network.
                at = workload.pod_at("spec", "hostUsers")
                depends = (workload.pod_at("spec", field),)
                yield Hit(at, message="users", severity=_gated(profile, severity), depends=depends, field=field)
                return


_USER_NAMESPACES = ((1, 33), (1, 34))
"""First version with the feature gate UserNamespacesSupport on, and the last whose checks are known."""


def _gated(profile: Profile, severity: Severity | None) -> Severity | None:
    version = profile.kubernetes_version
    return severity if version is not None and _USER_NAMESPACES[0] <= version <= _USER_NAMESPACES[1] else "warning"


_IPC = re.compile(r"kernel\.(?:sem|shm(?:all|max|mni|_rmid_forced)|msg(?:max|mnb|mni))|fs\.mqueue\..*")
_SYSCTL_HOSTS_SINCE = (1, 29)


def sysctl_of_node(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Kernel parameters of a namespace that is the node's."""
    sysctls = workload.pod_security.get("sysctls")
    if not sysctls:
        return
    version = profile.kubernetes_version
    checked = version is not None and version >= _SYSCTL_HOSTS_SINCE
    for index, one in enumerate(sequence(sysctls)):
        name = text(mapping(one).get("name"))
        if not name:
            continue
        dotted = name.replace("/", ".")
        for field, concerned in (("hostNetwork", dotted.startswith("net.")), ("hostIPC", _IPC.fullmatch(dotted))):
            if concerned and workload.pod_spec.get(field) is True:
                yield Hit(
                    workload.pod_at("spec", "securityContext", "sysctls", index, "name").value,
                    severity=workload.refused(version) if checked else "warning",
                    depends=(workload.pod_at("spec", field),),
                    name=name,
                    field=field,
                )


def security_profile_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`seccompProfile` and `appArmorProfile`: a file of the node is named by `Localhost` profiles alone."""
    for owner, security in _contexts(workload):
        for field in ("seccompProfile", "appArmorProfile"):
            found = security.get(field)
            if not isinstance(found, dict):
                continue
            kind, name = found.get("type"), found.get("localhostProfile")
            at = FieldPath((*owner.route, field, "localhostProfile"))
            depends = (FieldPath((*owner.route, field, "type")),)
            severity = workload.refused(profile.kubernetes_version)
            if kind == "Localhost" and name in (None, ""):
                yield Hit(at, message="missing", severity=severity, depends=depends, field=field)
            elif isinstance(kind, str) and kind and kind != "Localhost" and name is not None:
                yield Hit(at, message="superfluous", severity=severity, depends=depends, field=field)


def _contexts(workload: Workload) -> Iterator[tuple[FieldPath, Mapping[str, Any]]]:
    """Place and content of each security context that is written."""
    if workload.pod_security:
        yield workload.pod_at("spec", "securityContext"), workload.pod_security
    for container in workload.containers:
        if container.security:
            yield container.at("securityContext"), container.security


_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP = ("seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/")
_APP_ARMOR_VALUE = r"|runtime/default|unconfined|localhost/.+"
_SECCOMP_VALUE = r"runtime/default|docker/default|unconfined|localhost/(?!/).+"


def security_annotation_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Annotations that set the AppArmor and seccomp profiles of containers."""
    for key, value in workload.pod_annotations.items():
        if not isinstance(key, str) or not key.startswith((_APP_ARMOR, *_SECCOMP)):
            continue
        severity = workload.refused(profile.kubernetes_version)
        at = workload.pod_at("metadata", "annotations", key)
        if key.startswith(_APP_ARMOR):
            name = key.removeprefix(_APP_ARMOR)
            names = [one.name for one in workload.containers]
            if name not in names and None not in names and names and not is_placeholder(name):
                depends = (workload.pod_at("spec", "containers"),)
                yield Hit(at.key, message="container", severity=severity, depends=depends, name=name)
                continue
        grammar = _APP_ARMOR_VALUE if key.startswith(_APP_ARMOR) else _SECCOMP_VALUE
        if isinstance(value, str) and not re.fullmatch(grammar, value) and not is_placeholder(value):
            yield Hit(at.value, severity=severity, name=key, value=value)


def privilege_escalation_conflict(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`allowPrivilegeEscalation: false` of a container that has all privileges anyway."""
    for container in workload.containers:
        security = container.security
        if security.get("allowPrivilegeEscalation") is not False:
            continue
        at, severity = (
            container.at("securityContext", "allowPrivilegeEscalation"),
            workload.refused(profile.kubernetes_version),
        )
        if security.get("privileged") is True:
            related = (Related(container.at("securityContext", "privileged"), note="cause"),)
            yield Hit(at, message="privileged", severity=severity, related=related, container=container.label)
            continue
        added = list(sequence(mapping(security.get("capabilities")).get("add")))
        for name in ("CAP_SYS_ADMIN", "SYS_ADMIN"):
            if name in added:
                # The server knows the longer name alone; for the kernel both are one.
                milder: Severity | None = severity if name == "CAP_SYS_ADMIN" else "warning"
                cause = container.at("securityContext", "capabilities", "add", added.index(name))
                yield Hit(
                    at,
                    message="capability",
                    severity=milder,
                    related=(Related(cause, note="cause"),),
                    container=container.label,
                    name=name,
                )
                break


_PROC_MOUNT_SINCE = (1, 30)


def proc_mount_unmasked(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`procMount: Unmasked` without a user namespace."""
    users = workload.pod_spec.get("hostUsers")
    if users is False or isinstance(users, Unknown):
        return
    for container in workload.containers:
        if container.security.get("procMount") == "Unmasked":
            version = profile.kubernetes_version
            # Where its feature gate is off the field is dropped.
            severity = workload.refused(version) if version and version >= (1, 33) else "warning"
            if version is None or version >= _PROC_MOUNT_SINCE:
                depends = (workload.pod_at("spec", "hostUsers"),)
                at = container.at("securityContext", "procMount")
                yield Hit(at, severity=severity, depends=depends, container=container.label)


def windows_host_process(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """HostProcess containers of Windows: all of a pod or none, and in the node's network."""
    written = [workload.pod_security, *(one.security for one in workload.containers)]
    if not any("windowsOptions" in one for one in written):
        return
    pod = mapping(workload.pod_security.get("windowsOptions")).get("hostProcess")
    own = [(one, mapping(one.security.get("windowsOptions")).get("hostProcess")) for one in workload.containers]
    if pod is not True and not any(value is True for _, value in own):
        return
    severity = workload.refused(profile.kubernetes_version)
    route = ("securityContext", "windowsOptions", "hostProcess")
    for container, value in own:
        if isinstance(value, bool) and isinstance(pod, bool) and value is not pod:
            yield Hit(container.at(*route), message="differs", severity=severity, container=container.label)
        elif not value and not pod:
            at = container.at("name") if value is None else container.at(*route)
            yield Hit(at, message="mixed", severity=severity, container=container.label)
    network = workload.pod_spec.get("hostNetwork")
    if network is not True and not isinstance(network, Unknown):
        at = workload.pod_at("spec", *route)
        if pod is not True:
            at = next(container.at(*route) for container, value in own if value is True)
        depends = (workload.pod_at("spec", "hostNetwork"),)
        yield Hit(at, message="network", severity=severity, depends=depends)


_USER = re.compile(r"[\"/\\:;|=,+*?<>@\[\]\x00-\x1f]")


def windows_user_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`runAsUserName`: `user`, or `domain\\user`."""
    for owner, security in _contexts(workload):
        name = mapping(security.get("windowsOptions")).get("runAsUserName")
        if not isinstance(name, str) or is_placeholder(name):
            continue
        domain, slash, user = name.rpartition("\\")
        wrong = not user or len(user) > 104 or _USER.search(user) or not user.strip(". ")
        if wrong or "\\" in domain or len(domain) > 255 or (slash and not domain):
            at = FieldPath((*owner.route, "windowsOptions", "runAsUserName")).value
            yield Hit(at, severity=workload.refused(profile.kubernetes_version), name=name)
