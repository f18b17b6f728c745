"""Facts of workloads and of what configures, scales and watches them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubelint_ack.extract.base import Extraction, is_unknown, mention, plain_labels
from kubelint_ack.extract.storage import claim_fact
from kubelint_ack.facts import (
    AccountFact,
    BudgetFact,
    ContainerFact,
    ContainerPort,
    DataFact,
    Facts,
    MonitorFact,
    Reference,
    ScalerFact,
    WorkloadFact,
)
from kubelint_ack.names import config_key
from kubelint_ack.records import Route, Unknown, at
from kubelint_ack.values import Selector, label_map_selector, selector
from kubelint_ack.views import Container, View, Workload, integer, mapping, sequence, text


def workload(view: Workload, x: Extraction, into: Facts) -> WorkloadFact:
    """The fact of a workload; its claim templates are entered on the way."""
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
        if isinstance(item, dict) and not view.further:
            claims.append((index, item))
    resource = x.resource(view.labels)
    into.claims.extend(
        claim_fact(resource, item, ("spec", "volumeClaimTemplates", index), template=True) for index, item in claims
    )
    return WorkloadFact(
        resource=resource,
        labels=plain_labels(view.pod_labels),
        labels_at=labels_at,
        selector=_own_selector(view, own_selector),
        containers=tuple(containers),
        replicas=integer(view.spec.get("replicas", 1)) if view.family[1] in _SCALED else None,
        host_network=spec.get("hostNetwork") is True,
        service_account=account or (None if is_unknown(spec, "serviceAccountName", "serviceAccount") else "default"),
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
        nameservers=_nameservers(spec),
        searches=tuple(one for one in sequence(mapping(spec.get("dnsConfig")).get("searches")) if isinstance(one, str)),
        spread=bool(spec.get("topologySpreadConstraints") or mapping(spec.get("affinity")).get("podAntiAffinity")),
        first_ordinal=integer(mapping(view.spec.get("ordinals")).get("start", 0)),
        further=view.further,
        owner=_owner(view),
    )


def _nameservers(spec: Mapping[str, Any]) -> tuple[str, ...] | None:
    written = sequence(mapping(spec.get("dnsConfig")).get("nameservers"))
    if is_unknown(spec, "dnsConfig") or not all(isinstance(one, str) for one in written):
        return None
    return tuple(written)


def _owner(view: Workload) -> tuple[str, str] | None:
    for item in sequence(view.metadata.get("ownerReferences")):
        name = text(mapping(item).get("name"))
        # Static pods name their node, and each is an end of its own.
        is_controller = mapping(item).get("controller") is True and mapping(item).get("kind") != "Node"
        if name and view.family == ("", "Pod") and is_controller:
            return text(mapping(item).get("kind")) or "Pod", name
    return None


def _pull_secrets(data: Mapping[str, Any]) -> tuple[str | None, ...]:
    """Names in the `imagePullSecrets` of a pod's spec or a ServiceAccount; None for an unknown one."""
    if is_unknown(data, "imagePullSecrets"):
        return (None,)
    names: list[str | None] = []
    for item in sequence(data.get("imagePullSecrets")):
        if isinstance(item, Unknown) or is_unknown(mapping(item), "name"):
            names.append(None)
        elif text(mapping(item).get("name")):
            names.append(item["name"])
    return tuple(names)


_SCALED = {"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "CloneSet", "Rollout"}


def _own_selector(view: Workload, own: Any) -> Selector | None:
    if not isinstance(own, dict):
        return None
    return label_map_selector(own) if view.family[1] == "ReplicationController" else selector(own)


def _container(container: Container, x: Extraction) -> ContainerFact:
    ports = []
    known = not isinstance(container.data.get("ports"), Unknown)
    for index, port in container.items("ports"):
        known = known and not any(isinstance(value, Unknown) for value in port.values())
        ports.append(
            ContainerPort(
                text(port.get("name")),
                integer(port.get("containerPort")),
                text(port.get("protocol", "TCP")) or "TCP",
                integer(port.get("hostPort")),
                container.at("ports", index),
            )
        )
    return ContainerFact(container.label, container.role, container.image, tuple(ports), known, container.at())


def _container_references(container: Container, x: Extraction) -> None:
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
        value_route = (*container.route, "env", index, "value")
        mention(x, variable.get("value"), *value_route, name=text(variable.get("name")))
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
            mention(x, word, *container.route, field, index)


def _volume_references(view: Workload, x: Extraction) -> None:
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


def _volume_source(x: Extraction, source: Mapping[str, Any], route: Route, kind: str, name_key: str) -> None:
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


def data(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a ConfigMap or Secret."""
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
                mention(x, value, field, key, name=key)
    settings: dict[str, str] = {}
    if view.kind == "ConfigMap" and view.name == _TERWAY_SETTINGS[1] and view.namespace == _TERWAY_SETTINGS[0]:
        content = mapping(view.data.get("data"))
        settings = {key: content[key] for key in _READ_OF_TERWAY if isinstance(content.get(key), str)}
    into.data.append(DataFact(x.resource(view.labels), tuple(keys), complete, settings))


_TERWAY_SETTINGS = ("kube-system", "eni-config")
_READ_OF_TERWAY = ("disable_network_policy", "10-terway.conf", "10-terway.conflist")


# Parts of the annotations and labels that make a controller put keys into a ConfigMap or Secret.
_FILLED = ("inject-cabundle", "inject-trusted-cabundle", "/reflects", "/replicate-from")


def _is_filled(view: View) -> bool:
    """Whether a controller adds keys to a ConfigMap or Secret."""
    if view.data.get("type") == "kubernetes.io/service-account-token":
        return True
    return any(part in key for key in (*view.annotations, *view.labels) for part in _FILLED)


def scaler(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a HorizontalPodAutoscaler or ScaledObject."""
    # https://keda.sh/docs/latest/reference/scaledobject-spec/
    keda = view.family[0] == "keda.sh"
    target = mapping(view.spec.get("scaleTargetRef"))
    kind = text(target.get("kind", "Deployment" if keda else None))
    version = text(target.get("apiVersion", "apps/v1" if keda else None)) or ""
    reference = None
    if kind and text(target.get("name")) and not isinstance(target.get("apiVersion"), Unknown):
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


def budget(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a PodDisruptionBudget."""
    own = view.spec.get("selector")
    minimum, maximum = view.spec.get("minAvailable"), view.spec.get("maxUnavailable")
    into.budgets.append(
        BudgetFact(
            x.resource(view.labels),
            selector(own) if isinstance(own, dict) else None,
            minimum if isinstance(minimum, str) else integer(minimum),
            maximum if isinstance(maximum, str) else integer(maximum),
            at("spec", "maxUnavailable" if maximum is not None else "minAvailable"),
            bool(view.spec) and minimum is None and maximum is None,
        )
    )


def monitor(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a ServiceMonitor."""
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


def account(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a ServiceAccount."""
    into.accounts.append(AccountFact(x.resource(view.labels), _pull_secrets(view.data)))
