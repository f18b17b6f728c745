"""Resources to facts: one maker for each kind that link knows more of than its identity."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kubelint_ack.facts import (
    AccountFact,
    Backend,
    BudgetFact,
    ClaimFact,
    ContainerFact,
    ContainerPort,
    DataFact,
    Facts,
    IngressFact,
    Labels,
    Mention,
    MonitorFact,
    PolicyFact,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    Reference,
    ResourceFact,
    ScalerFact,
    ServiceFact,
    ServicePort,
    StorageClassFact,
    VolumeFact,
    WorkloadFact,
)
from kubelint_ack.names import config_key
from kubelint_ack.records import FieldPath, Route, Step, Unknown, at
from kubelint_ack.values import Selector, label_map_selector, selector
from kubelint_ack.views import Container, Service, View, Workload, integer, mapping, sequence, text


class _Extraction:
    """Collects what a resource refers to and mentions while its facts are made."""

    def __init__(self, view: View, path: str, document: int) -> None:
        self.view = view
        self.path = path
        self.document = document
        self.references: list[Reference] = []
        self.mentions: list[Mention] = []

    def resource(self, labels: Mapping[str, Any], makes: tuple[Any, ...] = ()) -> ResourceFact:
        """The resource's own fact, with all references and mentions collected so far: call it last."""
        return ResourceFact(
            self.path,
            self.document,
            self.view.resource.prefix,
            self.view.id,
            self.view.family,
            plain_labels(labels),
            self.view.is_alibaba,
            tuple(self.references),
            tuple(self.mentions),
            makes,
        )


def plain_labels(labels: Mapping[str, Any]) -> Labels:
    """Labels as facts hold them: None for an unknown value, other scalars as the server would refuse them: dropped."""
    found: Labels = {}
    for key, value in labels.items():
        if isinstance(value, str):
            found[key] = value
        elif isinstance(value, Unknown):
            found[key] = None
        elif value is None:
            # A null label is an empty one to the API server.
            found[key] = ""
    return found


def extract(view: View, path: str, document: int, into: Facts) -> None:
    """Add the facts of one resource to `into`. `document` is its document's number, from 1."""
    x = _Extraction(view, path, document)
    if isinstance(view, Service):
        into.services.append(_service(view, x))
        return
    if isinstance(view, Workload):
        into.workloads.append(_workload(view, x, into))
        return
    make = _MAKERS.get(view.family)
    if make is not None:
        make(view, x, into)
        return
    into.resources.append(x.resource(view.labels, _makes(view)))


# Hosts are looked for only in strings that programs read; longer ones than a line are scanned for addresses too.
_ADDRESS = r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w.-]*\w)"
_HOST = r"(?<![\w.-])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+(?![\w-])"
_MENTIONS_LIMIT = 200


def _mention(x: _Extraction, value: Any, *route: Step) -> None:
    """Remember the addresses and host names in a string."""
    if not isinstance(value, str) or "." not in value or len(x.mentions) >= _MENTIONS_LIMIT:
        return
    hosts = dict.fromkeys(re.findall(_ADDRESS, value)) | dict.fromkeys(
        host for host in re.findall(_HOST, value) if not host[-1].isdigit()
    )
    if hosts:
        x.mentions.extend(Mention(host, at(*route)) for host in hosts)


def _service(view: Service, x: _Extraction) -> ServiceFact:
    ports = []
    for index, port in view.ports():
        number = integer(port.get("port"))
        target = port.get("targetPort", number)
        here = at("spec", "ports", index)
        ports.append(
            ServicePort(
                text(port.get("name")),
                number,
                target if isinstance(target, str) else integer(target),
                integer(port.get("nodePort")),
                text(port.get("protocol", "TCP")) or "TCP",
                text(port.get("appProtocol")),
                here,
                at("spec", "ports", index, "targetPort") if "targetPort" in port else here,
            )
        )
    if view.type == "ExternalName":
        _mention(x, view.spec.get("externalName"), "spec", "externalName")
    annotations = {
        key: value
        for key, value in view.annotations.items()
        if isinstance(value, str) and ("alibaba" in key or "alicloud" in key or key in (_BACKEND_TYPE, _SCRAPE))
    }
    policy = view.spec.get("externalTrafficPolicy", "Cluster")
    return ServiceFact(
        resource=x.resource(view.labels),
        type=view.type,
        headless=None if isinstance(view.spec.get("clusterIP"), Unknown) else view.is_headless,
        selector=label_map_selector(view.selector) if view.selector else None,
        selector_labels=plain_labels(view.selector),
        ports=tuple(ports),
        external_name=text(view.spec.get("externalName")),
        traffic_policy=text(policy),
        internal_traffic_policy=text(view.spec.get("internalTrafficPolicy", "Cluster")),
        publishes_not_ready=view.spec.get("publishNotReadyAddresses") is True,
        load_balancer=view.load_balancer,
        addresses=tuple(dict.fromkeys(_addresses(view))) if view.type == "LoadBalancer" else (),
        annotations=annotations,
    )


def _addresses(view: Service) -> Iterator[str]:
    """The addresses and host names of its load balancer that a manifest states."""
    stated = [view.spec.get("loadBalancerIP")]
    for entry in sequence(view.get("status", "loadBalancer", "ingress")):
        stated += [mapping(entry).get("ip"), mapping(entry).get("hostname")]
    stated += [(view.lb_annotation(suffix) or ("", None))[1] for suffix in ("ip", "hostname")]
    # https://kubernetes-sigs.github.io/external-dns/latest/docs/annotations/annotations/
    stated += (view.annotation("external-dns.alpha.kubernetes.io/hostname") or "").split(",")
    for value in stated:
        if isinstance(value, str) and value.strip():
            yield value.strip().rstrip(".")


_BACKEND_TYPE = "service.beta.kubernetes.io/backend-type"
_SCRAPE = "prometheus.io/scrape"


def _workload(view: Workload, x: _Extraction, into: Facts) -> WorkloadFact:
    spec = view.pod_spec
    containers = []
    for container in view.containers:
        containers.append(_container(container, x))
        _container_references(container, x)
    _volume_references(view, x)
    for index, item in enumerate(sequence(spec.get("imagePullSecrets"))):
        name = text(mapping(item).get("name"))
        if name:
            here = view.pod_at("spec", "imagePullSecrets", index, "name")
            x.references.append(Reference("Secret", name, here, role="pull-secret"))
    account = text(spec.get("serviceAccountName")) or text(spec.get("serviceAccount"))
    if account:
        key = "serviceAccountName" if text(spec.get("serviceAccountName")) else "serviceAccount"
        here = view.pod_at("spec", key)
        x.references.append(Reference("ServiceAccount", account, here, role="service-account"))
    labels_at = view.pod_at("metadata", "labels")
    service_name = None
    if view.family[1] == "StatefulSet" and text(view.spec.get("serviceName")):
        service_name = Reference("Service", view.spec["serviceName"], at("spec", "serviceName"), role="governing")
    own_selector = view.spec.get("selector")
    claims = []
    for index, item in enumerate(sequence(view.spec.get("volumeClaimTemplates"))):
        if isinstance(item, dict):
            claims.append((index, item))
    resource = x.resource(view.labels)
    into.claims.extend(
        _claim_fact(resource, item, ("spec", "volumeClaimTemplates", index), template=True) for index, item in claims
    )
    return WorkloadFact(
        resource=resource,
        labels=plain_labels(view.pod_labels),
        labels_at=labels_at,
        selector=_own_selector(view, own_selector),
        containers=tuple(containers),
        replicas=integer(view.spec.get("replicas", 1)) if view.family[1] in _SCALED else None,
        host_network=spec.get("hostNetwork") is True,
        service_account=account or (None if _is_unknown(spec, "serviceAccountName", "serviceAccount") else "default"),
        service_name=service_name,
        subdomain=text(spec.get("subdomain")),
        pull_secrets=_pull_secrets(spec),
        node_selector=plain_labels(mapping(spec.get("nodeSelector"))),
        dns_policy=text(spec.get("dnsPolicy", "ClusterFirst")),
        annotations={
            key: value
            for key, value in view.pod_annotations.items()
            if isinstance(value, str) and ("aliyun" in key or "alibaba" in key)
        },
    )


def _is_unknown(data: Mapping[str, Any], *keys: str) -> bool:
    return any(isinstance(data.get(key), Unknown) for key in keys)


def _pull_secrets(data: Mapping[str, Any]) -> tuple[str | None, ...]:
    """Names in the `imagePullSecrets` of a pod's spec or a ServiceAccount; None for an unknown one."""
    if _is_unknown(data, "imagePullSecrets"):
        return (None,)
    names: list[str | None] = []
    for item in sequence(data.get("imagePullSecrets")):
        if isinstance(item, Unknown) or _is_unknown(mapping(item), "name"):
            names.append(None)
        elif text(mapping(item).get("name")):
            names.append(item["name"])
    return tuple(names)


_SCALED = {"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "CloneSet", "Rollout"}


def _own_selector(view: Workload, own: Any) -> Selector | None:
    if not isinstance(own, dict):
        return None
    return label_map_selector(own) if view.family[1] == "ReplicationController" else selector(own)


def _container(container: Container, x: _Extraction) -> ContainerFact:
    ports = []
    known = not isinstance(container.data.get("ports"), Unknown)
    for _, port in container.items("ports"):
        known = known and not any(isinstance(value, Unknown) for value in port.values())
        ports.append(
            ContainerPort(
                text(port.get("name")),
                integer(port.get("containerPort")),
                text(port.get("protocol", "TCP")) or "TCP",
            )
        )
    return ContainerFact(container.label, container.role, container.image, tuple(ports), known, container.at())


def _container_references(container: Container, x: _Extraction) -> None:
    """ConfigMaps and Secrets in `env` and `envFrom`; hosts in values, `command` and `args`."""
    for index, variable in container.items("env"):
        source = mapping(variable.get("valueFrom"))
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            named = mapping(source.get(field))
            name = text(named.get("name"))
            if name:
                route = (*container.route, "env", index, "valueFrom", field)
                x.references.append(
                    Reference(
                        kind,
                        name,
                        at(*route, "name"),
                        key=text(named.get("key")),
                        key_at=at(*route, "key"),
                        optional=named.get("optional") is True,
                        role="env",
                    )
                )
        _mention(x, variable.get("value"), *container.route, "env", index, "value")
    for index, source in container.items("envFrom"):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            named = mapping(source.get(field))
            name = text(named.get("name"))
            if name:
                here = at(*container.route, "envFrom", index, field, "name")
                x.references.append(
                    Reference(kind, name, here, optional=named.get("optional") is True, role="env-from")
                )
    for field in ("command", "args"):
        for index, word in enumerate(sequence(container.data.get(field))):
            _mention(x, word, *container.route, field, index)


def _volume_references(view: Workload, x: _Extraction) -> None:
    """ConfigMaps, Secrets and claims that volumes name, and their keys."""
    for index, volume in view.volumes():
        route = (*view.pod_route, "spec", "volumes", index)
        for field, kind, name_key in (
            ("configMap", "ConfigMap", "name"),
            ("secret", "Secret", "secretName"),
            ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
        ):
            _volume_source(x, mapping(volume.get(field)), (*route, field), kind, name_key)
        for number, source in enumerate(sequence(mapping(volume.get("projected")).get("sources"))):
            for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
                inner = (*route, "projected", "sources", number, field)
                _volume_source(x, mapping(mapping(source).get(field)), inner, kind, "name")


def _volume_source(x: _Extraction, source: Mapping[str, Any], route: Route, kind: str, name_key: str) -> None:
    name = text(source.get(name_key))
    if not name:
        return
    optional = source.get("optional") is True
    here = at(*route, name_key)
    x.references.append(Reference(kind, name, here, optional=optional, role="volume"))
    for index, item in enumerate(sequence(source.get("items"))):
        key = text(mapping(item).get("key"))
        if key:
            key_at = at(*route, "items", index, "key")
            x.references.append(
                Reference(kind, name, here, key=key, key_at=key_at, optional=optional, role="volume-item")
            )


def _data(view: View, x: _Extraction, into: Facts) -> None:
    keys: list[str] = []
    fields = ("data", "binaryData") if view.kind == "ConfigMap" else ("data", "stringData")
    complete = "sops" not in view.data and not _is_filled(view)
    for field in fields:
        content = view.data.get(field)
        complete = complete and not isinstance(content, Unknown)
        keys.extend(mapping(content))
        # A key that the server would refuse is a template's.
        complete = complete and not any(config_key(key) for key in mapping(content))
        if view.kind == "ConfigMap" and field == "data":
            for key, value in mapping(content).items():
                _mention(x, value, field, key)
    into.data.append(DataFact(x.resource(view.labels), tuple(keys), complete))


# Parts of the annotations and labels that make a controller put keys into a ConfigMap or Secret.
_FILLED = ("inject-cabundle", "inject-trusted-cabundle", "/reflects", "/replicate-from")


def _is_filled(view: View) -> bool:
    """Whether a controller adds keys to a ConfigMap or Secret."""
    if view.data.get("type") == "kubernetes.io/service-account-token":
        return True
    return any(part in key for key in (*view.annotations, *view.labels) for part in _FILLED)


def _ingress(view: View, x: _Extraction, into: Facts) -> None:
    backends = []
    routes: list[tuple[Route, Any, str | None, str | None, str | None]] = [
        (("spec", field), view.spec.get(field), None, None, None) for field in ("defaultBackend", "backend")
    ]
    for index, rule in enumerate(sequence(view.spec.get("rules"))):
        host = text(mapping(rule).get("host"))
        for number, entry in enumerate(sequence(mapping(mapping(rule).get("http")).get("paths"))):
            item = mapping(entry)
            route: Route = ("spec", "rules", index, "http", "paths", number, "backend")
            routes.append((route, item.get("backend"), host, text(item.get("path")), text(item.get("pathType"))))
    for inner, backend, host, path, path_type in routes:
        named = mapping(mapping(backend).get("service"))
        if text(named.get("name")):
            port = mapping(named.get("port"))
            key = "name" if "name" in port else "number"
            value = port.get(key)
            backends.append(
                Backend(
                    named["name"],
                    value if isinstance(value, str) else integer(value),
                    at(*inner, "service", "name"),
                    at(*inner, "service", "port", key),
                    host,
                    path,
                    path_type,
                )
            )
        elif text(mapping(backend).get("serviceName")):
            value = backend.get("servicePort")
            backends.append(
                Backend(
                    backend["serviceName"],
                    value if isinstance(value, str) else integer(value),
                    at(*inner, "serviceName"),
                    at(*inner, "servicePort"),
                    host,
                    path,
                    path_type,
                )
            )
    hosts: list[str] = []
    for index, entry in enumerate(sequence(view.spec.get("tls"))):
        hosts.extend(host for host in sequence(mapping(entry).get("hosts")) if isinstance(host, str))
        name = text(mapping(entry).get("secretName"))
        if name:
            x.references.append(Reference("Secret", name, at("spec", "tls", index, "secretName"), role="tls"))
    for index, rule in enumerate(sequence(view.spec.get("rules"))):
        _mention(x, mapping(rule).get("host"), "spec", "rules", index, "host")
    annotations = {key: value for key, value in view.annotations.items() if isinstance(value, str)}
    ingress_class = text(view.spec.get("ingressClassName")) or annotations.get("kubernetes.io/ingress.class")
    into.ingresses.append(
        IngressFact(x.resource(view.labels), ingress_class, tuple(backends), tuple(hosts), annotations)
    )


def _policy_rules(view: View, x: _Extraction, direction: str, peers_key: str) -> tuple[PolicyRule, ...]:
    rules = []
    for index, rule in enumerate(sequence(view.spec.get(direction))):
        item = mapping(rule)
        route = ("spec", direction, index)
        known = isinstance(rule, dict)
        peers: list[PolicyPeer] | None = None
        if sequence(item.get(peers_key)):
            peers = []
            for number, peer in enumerate(sequence(item.get(peers_key))):
                block = mapping(mapping(peer).get("ipBlock"))
                pods, namespaces = mapping(peer).get("podSelector"), mapping(peer).get("namespaceSelector")
                peers.append(
                    PolicyPeer(
                        selector(pods) if isinstance(pods, dict) else None,
                        selector(namespaces) if isinstance(namespaces, dict) else None,
                        text(block.get("cidr")),
                        tuple(cidr for cidr in sequence(block.get("except")) if isinstance(cidr, str)),
                        at(*route, peers_key, number),
                    )
                )
                known = known and isinstance(peer, dict)
        known = known and not isinstance(item.get(peers_key), Unknown)
        ports: list[PolicyPort] | None = None
        if sequence(item.get("ports")):
            ports = []
            for port in sequence(item.get("ports")):
                value = mapping(port).get("port")
                known = known and isinstance(port, dict)
                known = known and not any(isinstance(part, Unknown) for part in mapping(port).values())
                ports.append(
                    PolicyPort(
                        text(mapping(port).get("protocol", "TCP")) or "TCP",
                        value if isinstance(value, str) else integer(value),
                        integer(mapping(port).get("endPort")),
                    )
                )
        rules.append(
            PolicyRule(
                tuple(peers) if peers is not None else None,
                tuple(ports) if ports is not None else None,
                at(*route),
                known,
            )
        )
    return tuple(rules)


def _policy(view: View, x: _Extraction, into: Facts) -> None:
    types = tuple(value for value in sequence(view.spec.get("policyTypes")) if isinstance(value, str))
    if not types:
        # https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
        types = ("Ingress", "Egress") if sequence(view.spec.get("egress")) else ("Ingress",)
    ingress = _policy_rules(view, x, "ingress", "from")
    egress = _policy_rules(view, x, "egress", "to")
    pods_at, types_at = at("spec", "podSelector"), at("spec", "policyTypes")
    egress_at = at("spec", "egress")
    into.policies.append(
        PolicyFact(
            x.resource(view.labels),
            selector(mapping(view.spec.get("podSelector"))),
            pods_at,
            types,
            types_at,
            ingress,
            egress,
            egress_at,
        )
    )


def _scaler(view: View, x: _Extraction, into: Facts) -> None:
    # https://keda.sh/docs/latest/reference/scaledobject-spec/
    keda = view.family[0] == "keda.sh"
    target = mapping(view.spec.get("scaleTargetRef"))
    kind = text(target.get("kind", "Deployment" if keda else None))
    version = text(target.get("apiVersion", "apps/v1" if keda else None)) or ""
    reference = None
    if kind and text(target.get("name")):
        here = at("spec", "scaleTargetRef", "name")
        reference = Reference(kind, target["name"], here, group=version.rpartition("/")[0], role="scale-target")
    lowest, highest = ("minReplicaCount", "maxReplicaCount") if keda else ("minReplicas", "maxReplicas")
    minimum_at = at("spec", lowest)
    into.scalers.append(
        ScalerFact(
            x.resource(view.labels),
            reference,
            integer(view.spec.get(lowest, 0 if keda else 1)),
            minimum_at,
            integer(view.spec.get(highest, 100 if keda else None)),
        )
    )


def _budget(view: View, x: _Extraction, into: Facts) -> None:
    own = view.spec.get("selector")
    minimum, maximum = view.spec.get("minAvailable"), view.spec.get("maxUnavailable")
    into.budgets.append(
        BudgetFact(
            x.resource(view.labels),
            selector(own) if isinstance(own, dict) else None,
            minimum if isinstance(minimum, str) else integer(minimum),
            maximum if isinstance(maximum, str) else integer(maximum),
            at("spec", "maxUnavailable" if maximum is not None else "minAvailable"),
        )
    )


def _monitor(view: View, x: _Extraction, into: Facts) -> None:
    # https://github.com/prometheus-operator/prometheus-operator/blob/main/Documentation/api-reference/api.md#servicemonitorspec
    where = mapping(view.spec.get("namespaceSelector"))
    names = tuple(name for name in sequence(where.get("matchNames")) if isinstance(name, str))
    into.monitors.append(
        MonitorFact(
            x.resource(view.labels),
            selector(view.spec.get("selector")),
            None if where.get("any") is True else names,
        )
    )


def _account(view: View, x: _Extraction, into: Facts) -> None:
    into.accounts.append(AccountFact(x.resource(view.labels), _pull_secrets(view.data)))


def _claim(view: View, x: _Extraction, into: Facts) -> None:
    into.claims.append(_claim_fact(x.resource(view.labels), view.data, (), template=False))


def _claim_fact(resource: ResourceFact, data: Mapping[str, Any], route: Route, *, template: bool) -> ClaimFact:
    spec = mapping(data.get("spec"))
    request = mapping(mapping(spec.get("resources")).get("requests")).get("storage")
    annotated = mapping(mapping(data.get("metadata")).get("annotations")).get("volume.beta.kubernetes.io/storage-class")
    return ClaimFact(
        resource,
        text(mapping(data.get("metadata")).get("name")),
        template,
        text(spec.get("storageClassName", annotated)),
        FieldPath((*route, "spec", "storageClassName")),
        tuple(mode for mode in sequence(spec.get("accessModes")) if isinstance(mode, str)),
        FieldPath((*route, "spec", "accessModes")),
        text(spec.get("volumeMode", "Filesystem")),
        _quantity_text(request),
        FieldPath((*route, "spec", "resources", "requests", "storage")),
        text(spec.get("volumeName")),
        any(key in spec for key in ("selector", "volumeName", "dataSource", "dataSourceRef")),
        "volumeAttributesClassName" in spec,
    )


def _quantity_text(value: Any) -> str | None:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _volume(view: View, x: _Extraction, into: Facts) -> None:
    annotated = view.annotations.get("volume.beta.kubernetes.io/storage-class", "")
    modes = at("spec", "accessModes")
    into.volumes.append(
        VolumeFact(
            x.resource(view.labels),
            text(view.get("spec", "csi", "driver")),
            text(view.spec.get("storageClassName", annotated)),
            tuple(mode for mode in sequence(view.spec.get("accessModes")) if isinstance(mode, str)),
            modes,
            text(view.spec.get("volumeMode", "Filesystem")),
            _quantity_text(view.get("spec", "capacity", "storage")),
        )
    )


def _storage_class(view: View, x: _Extraction, into: Facts) -> None:
    into.storage_classes.append(
        StorageClassFact(
            x.resource(view.labels),
            text(view.data.get("provisioner")),
            plain_labels(mapping(view.data.get("parameters"))),
        )
    )


_MAKERS: dict[tuple[str, str], Callable[[View, _Extraction, Facts], None]] = {
    ("", "ConfigMap"): _data,
    ("", "Secret"): _data,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("networking.k8s.io", "NetworkPolicy"): _policy,
    ("autoscaling", "HorizontalPodAutoscaler"): _scaler,
    ("keda.sh", "ScaledObject"): _scaler,
    ("policy", "PodDisruptionBudget"): _budget,
    ("monitoring.coreos.com", "ServiceMonitor"): _monitor,
    ("", "ServiceAccount"): _account,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "PersistentVolume"): _volume,
    ("storage.k8s.io", "StorageClass"): _storage_class,
}


def _makes(view: View) -> tuple[tuple[str, str | None], ...]:
    """What a controller will make from a custom resource, as its own documentation says."""
    named: Iterable[tuple[str, Any]] = ()
    if view.family[1] in ("SealedSecret", "ExternalSecret"):
        name = view.get("spec", "target", "name") or view.get("spec", "template", "metadata", "name") or view.name
        named = [("Secret", name)]
    elif view.family == ("cert-manager.io", "Certificate"):
        named = [("Secret", view.get("spec", "secretName"))]
    return tuple((kind, text(name)) for kind, name in named)
