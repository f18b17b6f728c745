"""Checks of names and the cluster's DNS: what nothing answers, NodeLocal DNSCache, and settings of resolvers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.facts import ResourceFact, ServiceFact, WorkloadFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.dns import DEFAULT_DOMAIN, cluster_name, followed, unanswered
from kubelint_ack.records import Hit, Related, at
from kubelint_ack.values import address, cidr, nearest, quantity
from kubelint_ack.views import Service, View, Workload, mapping, sequence, text

# --- Names


def dns_service_ref_unresolved(fact: Any, project: Project, profile: Profile) -> Iterator[Hit]:
    """Names of Services and pods that nothing answers."""
    told: set[str] = set()
    for mention in fact.resource.mentions:
        host = mention.host
        if (".svc" not in host and not re.match("[a-z0-9-]+-[0-9]+[.]", host)) or host in told:
            continue
        told.add(host)
        fault = unanswered(host, fact, project, profile.cluster_domain)
        if fault is not None:
            yield Hit(
                mention.at,
                message=fault.message,
                severity=fault.severity,
                related=(Related(fault.near.resource.name_at, of=fault.near, note="near"),) if fault.near else (),
                host=host,
                **fault.values,
            )


def externalname_loop(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """ExternalName Services that lead to each other, or to a further one."""
    if service.type != "ExternalName" or project.is_patched(service, "spec"):
        return
    way = list(followed(service, project, profile.cluster_domain))
    if not way or any(project.is_patched(one, "spec") for one in way):
        return
    if way[-1] is service:
        # Every one of them is in the loop: the first tells.
        if service is min(way, key=lambda one: (one.resource.path, one.resource.document)):
            sure = all(project.beside(service.resource, one.resource) for one in way)
            yield Hit(
                at("spec", "externalName"),
                severity=None if sure else "warning",
                related=tuple(Related(at("spec", "externalName"), of=one, note="next") for one in way[:-1]),
                service=service.name,
                names=[one.external_name for one in (service, *way[:-1])],
            )
    elif way[0].type == "ExternalName" and not any(one is way[-1] for one in way[:-1]):
        yield Hit(
            at("spec", "externalName"),
            message="chain",
            severity="info",
            related=(Related(at("spec", "externalName"), of=way[0], note="next"),),
            service=service.name,
            names=[way[-1].external_name or way[-1].name],
        )


def externalname_short_name(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """An ExternalName that is the short name of a Service: aliases are not completed by search domains."""
    name = (service.external_name or "").lower()
    if service.type != "ExternalName" or not name or name.endswith(".") or project.is_patched(service, "spec"):
        return
    parts = name.split(".")
    if len(parts) > 3 or (len(parts) == 3 and parts[2] != "svc"):
        return
    target = project.find("Service", parts[0], service, parts[1] if len(parts) > 1 else None).fact
    # Some ingress controllers complete the name themselves.
    if not isinstance(target, ServiceFact) or any(
        backend.service == service.name for ingress in project.ingresses for backend in ingress.backends
    ):
        return
    namespace = project.namespace(target) or project.namespace(service)
    if namespace is None or target is service:
        return
    yield Hit(
        at("spec", "externalName"),
        # `web.shop` may be a host of the internet.
        severity="info" if len(parts) == 2 else None,
        related=(Related(target.resource.name_at, of=target, note="target"),),
        service=service.name,
        name=service.external_name,
        right=f"{parts[0]}.{namespace}.svc.{profile.cluster_domain or DEFAULT_DOMAIN}",
    )


def hardcoded_cluster_address(fact: Any, project: Project, profile: Profile) -> Iterator[Hit]:
    """Addresses of pods and Services in strings."""
    resource: ResourceFact = fact.resource
    if project.namespace(fact) == "kube-system":
        return
    told: set[str] = set()
    for mention in resource.mentions:
        if not mention.host[-1].isdigit() or mention.host in told:
            continue
        told.add(mention.host)
        kind = _address_kind(mention.host, profile)
        if kind and not (kind == "service" and _is_fixed(mention.host, project)):
            yield Hit(mention.at, message=kind, address=mention.host)


def _address_kind(text: str, profile: Profile) -> str:
    """`pod` or `service`, whose address it is; empty: neither."""
    ip = address(text)
    if ip is None or text == profile.dns_service_ip:
        return ""
    blocks = [("service", profile.service_cidr), ("pod", profile.pod_cidr)]
    blocks += [("pod", switch.cidr) for switch in profile.pod_vswitches or ()]
    for kind, written in blocks:
        block = cidr(written)
        if block is not None and block.version == ip.version and ip in block and ip != block.network_address:
            # Where pods share the vSwitches of the nodes it may be a host's.
            shared = kind == "pod" and any(written == switch.cidr for switch in profile.vswitches or ())
            return "" if shared else kind
    return ""


def _is_fixed(text: str, project: Project) -> bool:
    """Whether a Service of the input asks for this address."""
    return any(service.cluster_ip == text for service in project.services)


# --- Settings of resolvers

_DNS_PORT = 53
_NODE_LOCAL = "169.254.20.10"
"""The address of NodeLocal DNSCache."""


def dns_custom_nameserver_hides_cluster(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Pods that use names of Services and ask servers that do not know them."""
    policy, servers = workload.dns_policy, workload.nameservers
    if policy not in ("Default", "None") or servers is None or project.is_patched(workload, "spec"):
        return
    # Servers of names ask others on purpose, and probe themselves by such a name.
    if any(port.number == _DNS_PORT for container in workload.containers for port in container.ports):
        return
    resource = workload.resource
    used = [one for one in resource.mentions if _is_known_service(one.host, workload, project, profile)]
    if not used:
        return
    domain = profile.cluster_domain or DEFAULT_DOMAIN
    at_policy = at(*workload.labels_at.route[:-2], "spec", "dnsPolicy")
    if policy == "None":
        if not servers or (profile.dns_service_ip is None and _NODE_LOCAL not in servers):
            return
        if _NODE_LOCAL in servers or profile.dns_service_ip in servers:
            used = [one for one in used if not one.host.endswith(domain)]
            if not used or domain in workload.searches:
                return
            at_policy = at(*workload.labels_at.route[:-2], "spec", "dnsConfig")
    message = "default" if policy == "Default" else "servers"
    if at_policy.route[-1] == "dnsConfig":
        message = "searches"
    yield Hit(
        at_policy,
        message=message,
        related=(Related(used[0].at, note="name"),),
        kind=workload.kind,
        workload=resource.id.name,
        host=used[0].host,
        domain=domain,
    )


def _is_known_service(host: str, reader: WorkloadFact, project: Project, profile: Profile) -> bool:
    name = cluster_name(host) if ".svc" in host else None
    if name is None or name.domain not in ("", profile.cluster_domain or DEFAULT_DOMAIN):
        return False
    return project.find("Service", name.service, reader, name.namespace or None).found


def _dns_options(workload: Workload) -> Iterator[tuple[int, Mapping[str, Any]]]:
    options = sequence(mapping(workload.pod_spec.get("dnsConfig")).get("options"))
    for index, option in enumerate(options):
        if isinstance(option, dict):
            yield index, option


_MOST_DOTS = 15
"""More are taken for this many: resolv.conf(5)."""


def dns_ndots_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """An `ndots` that resolvers do not take as written."""
    if "dnsConfig" not in workload.pod_spec:
        return
    for index, option in _dns_options(workload):
        value = option.get("value")
        if option.get("name") != "ndots" or not isinstance(value, str):
            continue
        if not value.isdigit() or int(value) > _MOST_DOTS:
            where = workload.pod_at("spec", "dnsConfig", "options", index, "value")
            message = "most" if value.isdigit() else "default"
            yield Hit(where, message=message, value=value, most=_MOST_DOTS)


_URL_HOST = r"[a-z][a-z0-9+.-]*://(?:[^@/\s]*@)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?=[:/?\s]|$)"
_INSIDE = (".local", ".internal")
_DEFAULT_DOTS = 5
"""`ndots` of pods: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#namespaces-of-services"""


def dns_external_name_ndots(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Hosts of the internet for which every search domain is tried first."""
    spec = workload.pod_spec
    if spec.get("dnsPolicy", "ClusterFirst") != "ClusterFirst" or spec.get("hostNetwork") is True:
        return
    if any(option.get("name") == "ndots" for _, option in _dns_options(workload)):
        return
    for container in workload.containers:
        for index, variable in container.items("env"):
            value = variable.get("value")
            if not isinstance(value, str) or "://" not in value:
                continue
            for host in re.findall(_URL_HOST, value):
                if (
                    ".svc" not in host
                    and not host.endswith((".local", ".internal"))
                    and host.count(".") < _DEFAULT_DOTS
                ):
                    where = workload.at(*container.route, "env", index, "value")
                    yield Hit(where, host=host, dots=_DEFAULT_DOTS)
                    return


_ALPINE = r"(?:^|[-_/])alpine[:-]?([0-9]+)\.([0-9]+)"
_ALPINE_WITH_TCP = (3, 18)
"""The first release whose resolver (musl 1.2.4) falls back to TCP:
https://www.alpinelinux.org/posts/Alpine-3.18.0-released.html"""


def dns_alpine_musl(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Images of Alpine Linux whose resolver cannot read long answers."""
    for container in workload.containers:
        if not container.image or "alpine" not in container.image:
            continue
        found = re.search(_ALPINE, container.image)
        if found and (int(found[1]), int(found[2])) < _ALPINE_WITH_TCP:
            yield Hit(container.at("image"), image=container.image, release=f"{found[1]}.{found[2]}")


# --- NodeLocal DNSCache

_INJECTION = "node-local-dns-injection"
_NOT_INJECTED = ("kube-system", "kube-public")
_VIRTUAL_NODE = ("virtual-node-affinity-injection", "eci", "alibabacloud.com/eci")
"""Labels of a namespace whose pods go to virtual nodes, where there is no cache."""


def nodelocaldns_label_ineffective(namespace: View, profile: Profile) -> Iterator[Hit]:
    """A namespace that asks for the cache and never gets it."""
    labels = namespace.labels
    if labels.get(_INJECTION) != "enabled":
        return
    where = namespace.at("metadata", "labels", _INJECTION)
    if namespace.name in _NOT_INJECTED:
        yield Hit(where, message="system", namespace=namespace.name)
        return
    label = next((key for key in _VIRTUAL_NODE if labels.get(key) not in (None, "false", "disabled", "disable")), None)
    if label is not None:
        yield Hit(
            where,
            related=(Related(namespace.at("metadata", "labels", label), note="label"),),
            namespace=namespace.name,
            label=label,
        )


def nodelocaldns_label_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """Misspelt labels of the cache's webhook, and values that it does not know."""
    routes: list[tuple[Any, ...]] = [("metadata", "labels")]
    if isinstance(view, Workload) and view.pod_route:
        routes.append((*view.pod_route, "metadata", "labels"))
    for route in routes:
        labels = mapping(view.get(*route))
        for key, value in labels.items():
            if key == _INJECTION:
                if isinstance(value, str) and value not in ("enabled", "disabled"):
                    written = value == "injected"
                    yield Hit(
                        view.at(*route, key),
                        message="injected" if written else "value",
                        severity="info" if written else None,
                        key=key,
                        value=value,
                    )
            elif "dns" in key and "local" in key and nearest(key, [_INJECTION], 0.88):
                yield Hit(view.at(*route, key).key, key=key, value=value)
    if _INJECTION in view.annotations:
        yield Hit(view.at("metadata", "annotations", _INJECTION).key, message="annotation", key=_INJECTION)


def nodelocaldns_pod_not_injected(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Pods that the cache leaves out though their namespace asks for it."""
    if workload.dns_policy is None or project.is_patched(workload, "spec"):
        return
    namespace = project.namespace(workload)
    if namespace in _NOT_INJECTED or project.namespace_labels(namespace).get(_INJECTION) != "enabled":
        return
    labels = workload.labels
    if _INJECTION in labels or _NODE_LOCAL in (workload.nameservers or ()):
        return
    pod = workload.labels_at.route[:-2]
    where = at(*pod, "spec", "dnsPolicy")
    eci = next((key for key in ("alibabacloud.com/eci", "eci") if labels.get(key) == "true"), None)
    if eci is not None:
        message, where = "virtual-node", at(*workload.labels_at.route, eci)
    elif workload.host_network and workload.dns_policy == "ClusterFirst":
        message, where = "host-network", at(*pod, "spec", "hostNetwork")
    elif workload.dns_policy in ("None", "Default"):
        message = "default"
    else:
        return
    yield Hit(
        where,
        message=message,
        kind=workload.kind,
        workload=workload.resource.id.name,
        policy=workload.dns_policy,
        namespace=namespace,
    )


def nodelocaldns_ipvlan(data: View, profile: Profile) -> Iterator[Hit]:
    """Terway's IPvlan settings that keep pods from the cache of their node."""
    if data.name != "eni-config" or data.namespace not in (None, "kube-system") or not profile.node_local_dns:
        return
    for key, value in mapping(data.data.get("data")).items():
        if not isinstance(value, str) or "eniip_virtual_type" not in value:
            continue
        try:
            content = json.loads(value)
        except ValueError:
            continue
        plugins = sequence(mapping(content).get("plugins")) or [content]
        for plugin in map(mapping, plugins):
            if str(plugin.get("eniip_virtual_type", "")).lower() != "ipvlan":
                continue
            blocks = [cidr(one) for one in sequence(plugin.get("host_stack_cidrs"))]
            cache = address(_NODE_LOCAL)
            if not any(block is not None and cache is not None and cache in block for block in blocks):
                yield Hit(data.at("data", key), address=_NODE_LOCAL)


# --- CoreDNS


def kube_dns_session_affinity(service: Service, profile: Profile) -> Iterator[Hit]:
    """All queries of a pod go to one CoreDNS pod, also to one that is gone."""
    own = service.name == "kube-dns" and service.namespace == "kube-system"
    if own and service.spec.get("sessionAffinity") == "ClientIP":
        yield Hit(service.at("spec", "sessionAffinity"))


_MANAGED = ("serverless", "acs")


def coredns_hardening(view: View, profile: Profile) -> Iterator[Hit]:
    """CoreDNS, where it is kept by hand, against what Alibaba Cloud recommends."""
    if view.namespace != "kube-system" or profile.cluster_type in _MANAGED:
        return
    if view.kind == "HorizontalPodAutoscaler":
        if mapping(view.spec.get("scaleTargetRef")).get("name") == "coredns":
            yield Hit(view.at("spec", "scaleTargetRef", "name"), message="scaler")
    elif view.name != "coredns":
        return
    elif isinstance(view, Workload):
        replicas = view.spec.get("replicas", 1)
        if isinstance(replicas, int) and replicas < 2:
            yield Hit(view.at("spec", "replicas"), message="replicas")
        for container in view.containers:
            limits = mapping(mapping(container.data.get("resources")).get("limits"))
            for name, least in (("cpu", "1"), ("memory", "1Gi")):
                given, needed = quantity(limits.get(name)), quantity(least)
                if given is not None and needed is not None and given < needed:
                    where = view.at(*container.route, "resources", "limits", name)
                    yield Hit(where, message="limits", name=name, given=limits[name], least=least)
    else:
        corefile = text(mapping(view.data.get("data")).get("Corefile"))
        if corefile:
            for message in _corefile_faults(corefile, profile):
                yield Hit(view.at("data", "Corefile").key, message=message)


def _corefile_faults(corefile: str, profile: Profile) -> Iterator[str]:
    lines = [line.split() for line in corefile.splitlines() if line.strip() and not line.strip().startswith("#")]
    words = {line[0] for line in lines}
    if "kubernetes" not in words:
        return
    if "autopath" in words:
        yield "autopath"
    if "ready" not in words:
        yield "ready"
    lameduck = next((line[1] for line in lines if line[0] == "lameduck" and len(line) > 1), "")
    seconds = re.fullmatch("([0-9]+)s", lameduck)
    if not lameduck or (seconds and int(seconds[1]) < 15):
        yield "lameduck"
    if profile.node_local_dns and "forward" in words and "prefer_udp" not in words:
        yield "prefer-udp"
