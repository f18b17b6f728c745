"""Checks of single containers: what they ask for, and how they are probed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.amounts import (
    HUGE_PAGES,
    amount_mistake,
    name_mistake,
    plain,
    quantities,
    resource_maps,
    total_request,
    written,
)
from kubelint_ack.downward import divisor_mistake, field_mistake, references, resource_mistake
from kubelint_ack.names import env_name, strict_env_name
from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Related, Route, Severity, Unknown
from kubelint_ack.values import is_placeholder, milli
from kubelint_ack.views import Container, Workload, integer, mapping, sequence, text

_POD_RESOURCES_SINCE = (1, 34)
"""https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/ (PodLevelResources)"""


def request_exceeds_limit(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Requests above the limits that are written beside them, of containers and of the pod."""
    for container in workload.containers:
        if "requests" in container.resources:
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
    for resource, value in quantities(pod, "limits"):
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
                    request=written(container.resources, "limits", resource),
                    limit=written(pod, "limits", resource),
                )
    for resource, value in quantities(pod, "requests"):
        total = total_request(workload, resource)
        if total is not None and total > value:
            yield Hit(
                _below(at, "requests", resource),
                message="pod-below-sum",
                severity=severity,
                depends=tuple(container.at("resources") for container in workload.containers),
                resource=resource,
                request=written(pod, "requests", resource),
                total=plain(total),
            )


def _over_limit(
    resources: Mapping[str, Any], at: FieldPath, scope: str, severity: Severity | None = None, **values: Any
) -> Iterator[Hit]:
    """Hits of one `resources` field; `scope` begins the names of their wordings."""
    limits = resources.get("limits")
    if isinstance(limits, Unknown):
        return
    for resource, request in quantities(resources, "requests"):
        own = mapping(limits).get(resource)
        limit = milli(own)
        if own is not None and limit is None:
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
            request=written(resources, "requests", resource),
            limit=written(resources, "limits", resource),
            **values,
        )


def _below(at: FieldPath, *route: str) -> FieldPath:
    return FieldPath((*at.route, *route))


def probe_port_unresolved(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Port names in probes and lifecycle hooks that no port of the container has."""
    for container in workload.containers:
        named = list(_named_ports(container))
        if not named:
            continue
        declared, known = _port_names(container)
        for route, name in named:
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
    for route, handler in _handlers(container):
        for action in ("httpGet", "tcpSocket"):
            name = text(mapping(handler.get(action)).get("port"))
            if name:
                yield (*route, action, "port"), name


# --- Names of containers and ports


def container_name_duplicate(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Two containers of one pod with the same name, whatever lists they are in."""
    first: dict[str, Container] = {}
    for container in workload.containers:
        name = container.name
        if not name or is_placeholder(name):
            continue
        if name in first:
            yield Hit(
                container.at("name").value,
                severity=workload.refused(profile.kubernetes_version),
                related=(Related(first[name].at("name"), note="first"),),
                name=name,
            )
        first.setdefault(name, container)


def _port_key(port: Mapping[str, Any], field: str) -> tuple[str, int] | None:
    """Protocol and number of a port; None where either is not known."""
    protocol, number = port.get("protocol") or "TCP", integer(port.get(field))
    return (protocol, number) if number and isinstance(protocol, str) else None


def container_port_duplicate(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """The same port and protocol twice in one container."""
    for container in workload.containers:
        if len(sequence(container.data.get("ports"))) < 2:
            continue
        first: dict[tuple[str, int], tuple[int, Mapping[str, Any]]] = {}
        for index, port in container.items("ports"):
            key = _port_key(port, "containerPort")
            if key is None:
                continue
            if key not in first:
                first[key] = (index, port)
                continue
            earlier, other = first[key]
            same_host = (port.get("hostIP"), port.get("hostPort")) == (other.get("hostIP"), other.get("hostPort"))
            # That the same port of the node is asked for twice is another rule's.
            if same_host and (port.get("hostPort") or _defaults_host_ports(workload)):
                continue
            yield Hit(
                container.at("ports", index, "containerPort"),
                related=(Related(container.at("ports", earlier, "containerPort"), note="first"),),
                container=container.label,
                protocol=key[0],
                port=key[1],
            )


def _defaults_host_ports(workload: Workload) -> bool:
    """Whether the API server sets each port's `hostPort`: of a Pod in the node's network (v1/defaults.go)."""
    return workload.family == ("", "Pod") and workload.pod_spec.get("hostNetwork") is True


def host_port_duplicate(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """The same port of the node twice in one pod; init containers run alone and only count by themselves."""
    field = "containerPort" if _defaults_host_ports(workload) else "hostPort"
    shared: dict[tuple[str, str, int], FieldPath] = {}
    for container in workload.containers:
        if container.role == "ephemeral" or not container.data.get("ports"):
            continue
        seen = shared if container.role == "main" else {}
        for index, port in container.items("ports"):
            key = _port_key(port, "hostPort" if port.get("hostPort") else field)
            address = port.get("hostIP") or ""
            if key is None or not isinstance(address, str):
                continue
            at = container.at("ports", index, "hostPort" if port.get("hostPort") else field)
            earlier = seen.get((address, *key))
            if earlier:
                yield Hit(
                    at,
                    severity=workload.refused(profile.kubernetes_version),
                    related=(Related(earlier, note="first"),),
                    container=container.label,
                    protocol=key[0],
                    port=key[1],
                )
            seen.setdefault((address, *key), at)


def host_network_port_mismatch(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`hostPort` of a pod in the node's network, where both ports are one."""
    if workload.pod_spec.get("hostNetwork") is not True:
        return
    for container in workload.containers:
        if container.role != "main":
            continue
        for index, port in container.items("ports"):
            inner, outer = integer(port.get("containerPort")), integer(port.get("hostPort"))
            if inner and outer and inner != outer:
                yield Hit(
                    container.at("ports", index, "hostPort"),
                    severity=workload.refused(profile.kubernetes_version),
                    depends=(workload.pod_at("spec", "hostNetwork"),),
                    container=container.label,
                    inner=inner,
                    outer=outer,
                )


# --- Environment

_RELAXED_NAMES_SINCE = (1, 32)
"""Feature gate RelaxedEnvironmentVariableValidation.

https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/
"""


def env_name_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Names of environment variables, and prefixes of those that `envFrom` makes."""
    version = profile.kubernetes_version
    strict = version is not None and version < _RELAXED_NAMES_SINCE
    syntax = strict_env_name if strict else env_name
    for container in workload.containers:
        for field, key in (("env", "name"), ("envFrom", "prefix")):
            for index, item in container.items(field):
                name = item.get(key)
                if isinstance(name, str) and name and syntax(name) and not is_placeholder(name):
                    yield Hit(
                        container.at(field, index, key).value,
                        message="strict" if strict else "default",
                        severity=workload.refused(version),
                        container=container.label,
                        name=name,
                    )


def env_value_and_source(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """A variable that has both a value and a source."""
    for container in workload.containers:
        for index, item in container.items("env"):
            if item.get("valueFrom") is not None and item.get("value") not in (None, ""):
                yield Hit(
                    container.at("env", index, "valueFrom").key,
                    severity=workload.refused(profile.kubernetes_version),
                    related=(Related(container.at("env", index, "value"), note="value"),),
                    container=container.label,
                    name=str(item.get("name", "")),
                )


def field_reference_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`fieldRef` of environment variables and of files, against what the downward API has."""
    for at, selector, in_file in references(workload, "fieldRef"):
        path = selector.get("fieldPath")
        if not isinstance(path, str) or not path or is_placeholder(path):
            continue
        message = field_mistake(path, in_file=in_file)
        if message:
            yield Hit(
                FieldPath((*at.route, "fieldPath")).value,
                message="file" if message == "field" and in_file else message,
                severity=workload.refused(profile.kubernetes_version),
                path=path,
            )


def resource_reference_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`resourceFieldRef` of environment variables and of files."""
    for at, selector, in_file in references(workload, "resourceFieldRef"):
        severity = workload.refused(profile.kubernetes_version)
        resource, name = selector.get("resource"), selector.get("containerName")
        if isinstance(resource, str) and resource and resource_mistake(resource):
            yield Hit(FieldPath((*at.route, "resource")).value, severity=severity, resource=resource)
        elif isinstance(resource, str) and divisor_mistake(resource, selector.get("divisor")):
            at_divisor = FieldPath((*at.route, "divisor")).value
            divisor = str(selector.get("divisor"))
            yield Hit(at_divisor, message="divisor", severity=severity, resource=resource, divisor=divisor)
        if in_file and name in (None, ""):
            yield Hit(FieldPath((*at.route, "containerName")), message="no-container", severity=severity)
        elif isinstance(name, str) and name and not is_placeholder(name):
            names = [one.name for one in workload.containers]
            if name not in names and None not in names:
                yield Hit(
                    FieldPath((*at.route, "containerName")).value,
                    message="container",
                    severity="warning",
                    depends=(workload.pod_at("spec", "containers"),),
                    name=name,
                )


# --- Probes and hooks

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLER_KINDS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


def _handlers(container: Container) -> Iterator[tuple[Route, Mapping[str, Any]]]:
    """Route and content of each probe and hook that is written."""
    for probe in _PROBES:
        handler = container.data.get(probe)
        if isinstance(handler, dict):
            yield (probe,), handler
    lifecycle = container.data.get("lifecycle")
    if isinstance(lifecycle, dict):
        for hook in ("postStart", "preStop"):
            if isinstance(lifecycle.get(hook), dict):
                yield ("lifecycle", hook), lifecycle[hook]


def probe_handler_count(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Probes and hooks with no way of doing their work, or with two."""
    for container in workload.containers:
        # Those of a plain init container must not be there at all.
        if container.role == "init":
            continue
        for route, handler in _handlers(container):
            kinds = [kind for kind in _HANDLER_KINDS if handler.get(kind) is not None]
            if len(kinds) == 1:
                continue
            yield Hit(
                container.at(*route, kinds[1]).key if kinds else container.at(*route).key,
                message="several" if kinds else "none",
                severity=workload.refused(profile.kubernetes_version),
                container=container.label,
                handler=route[-1],
                kinds=kinds,
            )


def probe_success_threshold(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`successThreshold` of liveness and startup probes."""
    for container in workload.containers:
        for probe in ("livenessProbe", "startupProbe"):
            value = integer(mapping(container.data.get(probe)).get("successThreshold"))
            if value is not None and value > 1 and container.role != "init":
                yield Hit(
                    container.at(probe, "successThreshold"),
                    severity=workload.refused(profile.kubernetes_version),
                    container=container.label,
                    probe=probe,
                    value=value,
                )


def readiness_probe_grace(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`terminationGracePeriodSeconds` of a readiness probe, which ends nothing."""
    for container in workload.containers:
        probe = mapping(container.data.get("readinessProbe"))
        if probe.get("terminationGracePeriodSeconds") is not None and container.role != "init":
            at = container.at("readinessProbe", "terminationGracePeriodSeconds")
            yield Hit(at, severity=workload.refused(profile.kubernetes_version), container=container.label)


def init_container_probe(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Probes and hooks of an init container that is to end by itself."""
    for container in workload.containers:
        if container.role != "init" or isinstance(container.data.get("restartPolicy"), Unknown):
            continue
        for field in (*_PROBES, "lifecycle"):
            if container.data.get(field) is not None:
                yield Hit(
                    container.at(field).key,
                    severity=workload.refused(profile.kubernetes_version),
                    depends=(container.at("restartPolicy"),),
                    container=container.label,
                    field=field,
                )


_SLEEP_SINCE = (1, 30)
_ZERO_SLEEP_SINCE = (1, 33)


def hook_sleep_too_long(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`sleep` of a hook against the pod's grace period, 30 seconds by default."""
    for container in workload.containers:
        lifecycle = container.data.get("lifecycle")
        if not isinstance(lifecycle, dict) or container.role == "init":
            continue
        written = workload.pod_spec.get("terminationGracePeriodSeconds")
        grace = 30 if written is None else integer(written)
        version = profile.kubernetes_version
        for hook in ("postStart", "preStop"):
            seconds = integer(mapping(mapping(lifecycle.get(hook)).get("sleep")).get("seconds"))
            zero = seconds == 0 and version is not None and version < _ZERO_SLEEP_SINCE
            if seconds is None or grace is None or not (zero or seconds > grace):
                continue
            # An older API server drops the field.
            old = version is not None and version < _SLEEP_SINCE
            yield Hit(
                container.at("lifecycle", hook, "sleep", "seconds"),
                message="zero" if zero else "default",
                severity="warning" if old else workload.refused(version),
                depends=(workload.pod_at("spec", "terminationGracePeriodSeconds"),),
                container=container.label,
                hook=hook,
                seconds=seconds,
                grace=grace,
            )


# --- Restarts

_RESTART_RULES_SINCE = (1, 34)


def container_restart_policy_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`restartPolicy` of single containers: since 1.34, with a feature gate, all may have one."""
    version = profile.kubernetes_version
    if version is not None and version > _RESTART_RULES_SINCE:
        return
    # That a Job has none where it needs one is restart-policy-invalid's to report.
    if workload.family in (("batch", "Job"), ("batch", "CronJob")) and "restartPolicy" not in workload.pod_spec:
        return
    certain = version is not None and version < _RESTART_RULES_SINCE
    for container in workload.containers:
        policy = container.data.get("restartPolicy")
        if not isinstance(policy, str) or not policy or container.role in ("sidecar", "ephemeral"):
            continue
        yield Hit(
            container.at("restartPolicy"),
            message="init" if container.role == "init" else "default",
            severity=workload.refused(version) if certain else "warning",
            container=container.label,
            policy=policy,
        )


# InPlacePodVerticalScaling is on by default since then; before, the server drops the field.
_RESIZE_SINCE = (1, 33)


def resize_policy_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """A resize that restarts the container of a pod whose containers are never restarted."""
    version = profile.kubernetes_version
    if workload.pod_spec.get("restartPolicy") != "Never" or (version is not None and version < _RESIZE_SINCE):
        return
    for container in workload.containers:
        for index, policy in container.items("resizePolicy"):
            if policy.get("restartPolicy") == "RestartContainer":
                at = container.at("resizePolicy", index, "restartPolicy")
                depends = (workload.pod_at("spec", "restartPolicy"),)
                yield Hit(at, severity=workload.refused(version), depends=depends, container=container.label)


# --- Names and amounts of resources


def resource_name_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Names under `requests` and `limits`."""
    for at, amounts, pod_level in resource_maps(workload):
        for name in amounts:
            if not isinstance(name, str) or is_placeholder(name):
                continue
            message, near = name_mistake(name, pod_level=pod_level)
            if message:
                severity = workload.refused(profile.kubernetes_version)
                old = profile.kubernetes_version is not None and profile.kubernetes_version < _POD_RESOURCES_SINCE
                if pod_level and old:
                    severity = "warning"
                yield Hit(FieldPath((*at.route, name)).key, message=message, severity=severity, name=name, near=near)


def resource_amount_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Amounts below zero, parts of devices and parts of huge pages."""
    for at, amounts, _ in resource_maps(workload):
        for name, value in amounts.items():
            if not isinstance(name, str):
                continue
            message = amount_mistake(name, value)
            if message:
                yield Hit(
                    FieldPath((*at.route, name)).value,
                    message=message,
                    severity=workload.refused(profile.kubernetes_version),
                    name=name,
                    value=str(value).strip(),
                )


def hugepages_alone(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Huge pages in a container that asks for neither CPU nor memory."""
    for container in workload.containers:
        resources = container.resources
        maps = [resources.get("limits"), resources.get("requests")]
        if not any(isinstance(name, str) and name.startswith(HUGE_PAGES) for one in maps for name in mapping(one)):
            continue
        if any(isinstance(one, Unknown) for one in maps):
            continue
        names = {name for one in maps for name in mapping(one) if isinstance(name, str)}
        pages = sorted(name for name in names if name.startswith(HUGE_PAGES))
        if pages and not names & {"cpu", "memory"}:
            field = "limits" if pages[0] in mapping(maps[0]) else "requests"
            yield Hit(
                container.at("resources", field, pages[0]).key,
                severity=workload.refused(profile.kubernetes_version),
                container=container.label,
                name=pages[0],
            )


def resource_unit_suspicious(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Bytes written in thousandths, and processors that are probably thousandths."""
    for at, amounts, _ in resource_maps(workload):
        for name in ("memory", "ephemeral-storage"):
            written = amounts.get(name)
            if isinstance(written, str) and written.strip().endswith("m") and milli(written):
                yield Hit(FieldPath((*at.route, name)).value, message="bytes", name=name, value=written.strip())
        cores = milli(amounts.get("cpu"))
        if cores is not None and cores >= _MANY_CORES * 1000:
            yield Hit(
                FieldPath((*at.route, "cpu")).value, message="cores", name="cpu", value=str(amounts["cpu"]).strip()
            )


_MANY_CORES = 100


def resource_claim_unknown(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`resources.claims` against `spec.resourceClaims`."""
    for container in workload.containers:
        claims = container.resources.get("claims")
        if not claims:
            continue
        declared = [mapping(one).get("name") for one in sequence(workload.pod_spec.get("resourceClaims"))]
        seen: set[tuple[str, str]] = set()
        for index, claim in enumerate(sequence(claims)):
            name = text(mapping(claim).get("name"))
            if not name or is_placeholder(name):
                continue
            key = (name, text(mapping(claim).get("request")) or "")
            unknown = any(isinstance(one, Unknown) for one in declared)
            if key in seen or (name not in declared and not unknown):
                yield Hit(
                    container.at("resources", "claims", index, "name").value,
                    message="twice" if key in seen else "default",
                    severity=workload.refused(profile.kubernetes_version),
                    depends=(workload.pod_at("spec", "resourceClaims"),),
                    container=container.label,
                    name=name,
                )
            seen.add(key)
