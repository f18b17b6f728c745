"""Names of the cluster's DNS in strings: which Service or pod they mean, and what answers them.

`web.shop.svc.cluster.local`, its short forms, and the names of a StatefulSet's pods before it:
https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/. What is not known is no fault: an answer is
given only where the namespace's Services are in the input.
"""

# As in records.py, annotations are not postponed.

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from kubelint_ack.existence import same_namespace
from kubelint_ack.facts import ServiceFact, WorkloadFact
from kubelint_ack.names import dns1123_label
from kubelint_ack.project import Project
from kubelint_ack.records import Severity
from kubelint_ack.values import nearest

DEFAULT_DOMAIN = "cluster.local"


class ClusterName(NamedTuple):
    """A host name taken apart."""

    pod: str | None
    service: str
    namespace: str | None
    """None: that of the reader."""
    domain: str | None
    """What follows `svc`; empty: nothing; None: there is no `svc`."""


def cluster_name(host: str) -> ClusterName | None:
    """What a name with `svc` in it says, `pod.service.namespace.svc.domain`; None for all else.

    Of a name whose namespace is left out (`web.svc.cluster.local`, which means nothing) the namespace is empty.
    """
    parts = host.lower().removesuffix(".").split(".")
    if "svc" not in parts[1:4] or any(dns1123_label(part) for part in parts):
        return None
    index = parts.index("svc", 1)
    domain = ".".join(parts[index + 1 :])
    if index == 1:
        return ClusterName(None, parts[0], "", domain)
    if index == 2:
        return ClusterName(None, parts[0], parts[1], domain)
    return ClusterName(parts[0], parts[1], parts[2], domain)


class Fault(NamedTuple):
    """Why nothing answers a name, as far as that is known."""

    message: str
    severity: Severity | None
    near: Any = None
    """The fact of what was most likely meant."""
    values: dict[str, Any] = {}  # noqa: RUF012  never written to


def unanswered(host: str, reader: Any, project: Project, domain: str | None) -> Fault | None:
    """Why nothing answers a host name that `reader` (a fact) uses; None if something may.

    `domain` is the cluster's, if that is declared.
    """
    name = cluster_name(host) if "svc" in host else _short_pod_name(host, reader, project)
    if name is None:
        return None
    if name.namespace == "":
        return _without_namespace(name, reader, project, domain)
    if name.domain and name.domain != (domain or DEFAULT_DOMAIN):
        return _wrong_domain(name, reader, project, domain)
    answer = project.find("Service", name.service, reader, name.namespace)
    if answer.missing:
        return _missing_service(name, reader, project, certain=answer.certain)
    service = answer.fact
    if name.pod is None or not isinstance(service, ServiceFact):
        return None
    return _missing_pod(name.pod, service, project)


def _short_pod_name(host: str, reader: Any, project: Project) -> ClusterName | None:
    """`db-0.db`, `db-0.db.shop`: only where a StatefulSet that the Service governs has pods of that name."""
    found = re.fullmatch(r"([a-z0-9-]+)-[0-9]+\.([a-z0-9-]+)(?:\.([a-z0-9-]+))?", host)
    if found is None:
        return None
    stem, service, namespace = found.groups()
    for one in project.named("Service", service, reader):
        if namespace in (None, project.namespace(one)) and any(
            workload.resource.id.name == stem for workload in project.governed_by(one)
        ):
            return ClusterName(host.partition(".")[0], service, namespace, None)
    return None


def _without_namespace(name: ClusterName, reader: Any, project: Project, domain: str | None) -> Fault | None:
    if name.domain not in ("", domain or DEFAULT_DOMAIN) or project.objects("Service", name.service):
        return None
    # As a search domain or in a list of exceptions it stands for a namespace.
    if any(True for _ in project.named("Namespace", name.service, reader)):
        return None
    service = next(iter(project.named("Service", name.service, reader)), None)
    namespace = project.namespace(service) if service is not None else None
    if namespace is None:
        return None
    right = f"{name.service}.{namespace}.svc" + (f".{name.domain}" if name.domain else "")
    return Fault("no-namespace", None, service, {"right": right})


def _wrong_domain(name: ClusterName, reader: Any, project: Project, domain: str | None) -> Fault | None:
    own = domain or DEFAULT_DOMAIN
    if domain is None and not own.startswith(name.domain or "") and not nearest(name.domain or "", [own], 0.85):
        return None
    service = project.find("Service", name.service, reader, name.namespace).fact
    return Fault("domain", None, service, {"domain": own}) if service is not None else None


def _missing_service(name: ClusterName, reader: Any, project: Project, *, certain: bool) -> Fault | None:
    namespace = name.namespace or project.namespace(reader)
    # Add-ons keep their Services there, which no repository has.
    if namespace == "kube-system" and not certain:
        return None
    here: dict[str, ServiceFact] = {}
    elsewhere: ServiceFact | None = None
    for service in project.services:
        if same_namespace(project.namespace(service), namespace):
            here.setdefault(service.name or "", service)
        elif service.name == name.service and project.namespace(service):
            elsewhere = elsewhere or service
    values = {"service": name.service, "namespace": namespace}
    letters = sorted(name.service)
    near = nearest(name.service, here, 0.8) or next((one for one in here if sorted(one) == letters), None)
    if near:
        return Fault("near", None, here[near], {**values, "near": near})
    if elsewhere is not None:
        return Fault("namespace", None, elsewhere, {**values, "other": project.namespace(elsewhere)})
    return Fault("default", None if certain else "info", None, values)


def _missing_pod(pod: str, service: ServiceFact, project: Project) -> Fault | None:
    sets = list(project.governed_by(service))
    # Pods may also have host names of their own below the Service.
    if not sets or any(workload.subdomain == service.name for workload in project.workloads):
        return None
    names = [workload.resource.id.name for workload in sets]
    if not service.headless or any(name is None for name in names):
        return None
    for workload in sets:
        stem, _, number = pod.rpartition("-")
        if stem == workload.resource.id.name and number.isdigit():
            return _out_of_range(int(number), workload, service, project)
    values = {"service": service.name, "pods": [f"{name}-0" for name in names]}
    return Fault("pod", None, sets[0], values)


def _out_of_range(number: int, workload: WorkloadFact, service: ServiceFact, project: Project) -> Fault | None:
    first, replicas = workload.first_ordinal, workload.replicas
    if first is None or not replicas or project.is_patched(workload, "spec", "replicas"):
        return None
    if any(
        scaler.target and (scaler.target.kind, scaler.target.name) == (workload.kind, workload.resource.id.name)
        for scaler in project.scalers
    ):
        return None
    if first <= number < first + replicas:
        return None
    name = workload.resource.id.name
    values = {"workload": name, "first": f"{name}-{first}", "last": f"{name}-{first + replicas - 1}"}
    return Fault("ordinal", None, workload, values)


def followed(service: ServiceFact, project: Project, domain: str | None) -> Iterator[ServiceFact]:
    """The Services of the unit to which the name of an ExternalName Service leads, one after the other.

    Ends where the way leaves the unit, or comes back to a Service that was met before (which is given once more).
    """
    own = {id(one) for one in project.services}
    met = {id(service)}
    while service.type == "ExternalName" and service.external_name:
        name = cluster_name(service.external_name)
        # The DNS takes an alias as it is written, without search domains.
        if name is None or name.pod or name.domain != (domain or DEFAULT_DOMAIN):
            return
        found = project.find("Service", name.service, service, name.namespace).fact
        # What other units hold may be another cluster's.
        if not isinstance(found, ServiceFact) or id(found) not in own:
            return
        yield found
        if id(found) in met:
            return
        met.add(id(found))
        service = found
