"""Fields of whole pods: names, DNS, operating systems.

Restates pkg/apis/core/validation/validation.go (ValidatePodSpec, ValidatePodTemplateSpec).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubelint_ack.names import dns1123_label, dns1123_subdomain
from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Unknown, field_text
from kubelint_ack.values import is_placeholder
from kubelint_ack.views import Workload, mapping, sequence, text


def pod_hostname_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`hostname` and `subdomain`, which a StatefulSet overwrites; and what `hostnameOverride` excludes."""
    spec = workload.pod_spec
    if "hostname" not in spec and "subdomain" not in spec and "hostnameOverride" not in spec:
        return
    severity = workload.refused(profile.kubernetes_version)
    if workload.kind != "StatefulSet":
        for field in ("hostname", "subdomain"):
            name = spec.get(field)
            if isinstance(name, str) and name and dns1123_label(name) and not is_placeholder(name):
                message = "length" if dns1123_label(name) == "length" else "default"
                at = workload.pod_at("spec", field).value
                yield Hit(at, message=message, severity=severity, field=field, name=name)
    override = text(spec.get("hostnameOverride"))
    if override is None:
        return
    # Dropped where its feature gate is off.
    at = workload.pod_at("spec", "hostnameOverride")
    for field in ("hostNetwork", "setHostnameAsFQDN"):
        if spec.get(field) is True:
            yield Hit(at, message="override", severity="warning", field=field, name=override)
            return
    if override and (len(override) > 64 or dns1123_subdomain(override)) and not is_placeholder(override):
        yield Hit(at.value, message="override-syntax", severity="warning", field="hostnameOverride", name=override)


_RELAXED_SEARCH_SINCE = (1, 33)
_LONG_SEARCH_SINCE = (1, 26)
_SEARCH = r"(?:_?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)(?:\._?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)*"


def pod_dns_config_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`dnsPolicy: None` without a name server, and the limits of `dnsConfig`."""
    config, policy = workload.pod_spec.get("dnsConfig"), workload.pod_spec.get("dnsPolicy")
    if policy != "None" and not isinstance(config, dict):
        return
    severity, version = workload.refused(profile.kubernetes_version), profile.kubernetes_version
    at = workload.pod_at("spec", "dnsConfig")
    servers, searches = mapping(config).get("nameservers"), mapping(config).get("searches")
    if policy == "None" and not servers and not isinstance(config, Unknown):
        yield Hit(workload.pod_at("spec", "dnsPolicy"), message="no-servers", severity=severity, depends=(at,))
    for index, search in enumerate(sequence(searches)):
        if not isinstance(search, str) or is_placeholder(search):
            continue
        relaxed = version is None or version >= _RELAXED_SEARCH_SINCE
        name = search.removesuffix(".")
        accepted = re.fullmatch(_SEARCH, name) or search == "." if relaxed else not dns1123_subdomain(name)
        if not accepted or len(name) > 253:
            at_search = workload.pod_at("spec", "dnsConfig", "searches", index)
            yield Hit(at_search, message="search", severity=severity, value=search)
    long = version is None or version >= _LONG_SEARCH_SINCE
    most, longest = (32, 2048) if long else (6, 256)
    texts = [one for one in sequence(searches) if isinstance(one, str)]
    if len(texts) > most or len(" ".join(texts)) > longest:
        at_searches = workload.pod_at("spec", "dnsConfig", "searches").key
        yield Hit(at_searches, message="searches", severity=severity, count=len(texts), most=most, longest=longest)


_NOT_ON_WINDOWS = {
    "": ("hostUsers", "shareProcessNamespace", "resources"),
    "true": ("hostPID", "hostIPC"),
    "pod": (
        "appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls",
        "runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy",
    ),
    "container": (
        "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem",
        "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
    ),
}  # fmt: skip
"""Restates pkg/apis/core/validation/validation.go (validateWindows): any value counts, also false."""


def pod_os_field_conflict(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Fields that the operating system of the pod, `spec.os.name`, does not have."""
    system = mapping(workload.pod_spec.get("os")).get("name")
    if system not in ("linux", "windows"):
        return
    severity = workload.refused(profile.kubernetes_version)
    depends = (workload.pod_at("spec", "os"),)
    for at, value in _fields_of_other_system(workload, system):
        if value is not None and value != [] and not isinstance(value, Unknown):
            field = field_text(at.route[len(workload.pod_route) :])
            yield Hit(at.key, severity=severity, depends=depends, field=field, system=system)


def _fields_of_other_system(workload: Workload, system: str) -> Iterator[tuple[FieldPath, Any]]:
    """Place and value of what a pod of the operating system must not have."""
    pod = workload.pod_security
    if system == "linux":
        yield workload.pod_at("spec", "securityContext", "windowsOptions"), pod.get("windowsOptions")
        for container in workload.containers:
            yield container.at("securityContext", "windowsOptions"), container.security.get("windowsOptions")
        return
    for field in _NOT_ON_WINDOWS[""]:
        yield workload.pod_at("spec", field), workload.pod_spec.get(field)
    for field in _NOT_ON_WINDOWS["true"]:
        yield workload.pod_at("spec", field), workload.pod_spec.get(field) or None
    for field in _NOT_ON_WINDOWS["pod"]:
        yield workload.pod_at("spec", "securityContext", field), pod.get(field)
    for container in workload.containers:
        for field in _NOT_ON_WINDOWS["container"]:
            yield container.at("securityContext", field), container.security.get(field)


_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def pod_deletion_cost_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """The annotation that says which pod is to be deleted first."""
    value = text(workload.pod_annotations.get(_DELETION_COST))
    if value is None or is_placeholder(value):
        return
    if not re.fullmatch("0|-?[1-9][0-9]{0,9}", value) or not -(2**31) <= int(value) < 2**31:
        at = workload.pod_at("metadata", "annotations", _DELETION_COST).value
        yield Hit(at, severity=workload.refused(profile.kubernetes_version), value=value)


def ephemeral_containers_not_allowed(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`ephemeralContainers` in a manifest: only a running pod may get them."""
    if workload.pod_spec.get("ephemeralContainers") and not workload.is_live_pod:
        severity = workload.refused(profile.kubernetes_version)
        yield Hit(workload.pod_at("spec", "ephemeralContainers").key, severity=severity, kind=workload.kind)
