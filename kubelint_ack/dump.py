"""What `kubectl get … -o json` printed: the objects that tell about a cluster, read from data of any shape.

Only what the profile needs is kept, so that nothing else can be printed by mistake: of ConfigMaps four of
kube-system, of Secrets nothing. A field of the wrong type is as good as absent, and nothing raises.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kubelint_ack.resource import Resource, resources

ENI_CONFIG, KUBE_PROXY, COREDNS, ACR = "eni-config", "kube-proxy-worker", "coredns", "acr-configuration"
"""The ConfigMaps of kube-system that are read."""

NODE_POOL = "alibabacloud.com/nodepool-id"
"""The node label that holds the id of the node pool."""

_KINDS = {
    ("", "Node"): "Node",
    ("apps", "DaemonSet"): "DaemonSet",
    ("apps", "Deployment"): "Deployment",
    ("storage.k8s.io", "StorageClass"): "StorageClass",
    ("networking.k8s.io", "IngressClass"): "IngressClass",
    ("", "ConfigMap"): "ConfigMap",
}
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
# Taints that come and go with the state of a node.
_TRANSIENT = (
    "node.kubernetes.io/",
    "node.cloudprovider.kubernetes.io/",
    "ToBeDeletedByClusterAutoscaler",
    "DeletionCandidateOfClusterAutoscaler",
)
_PLACE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class Node(NamedTuple):
    """A node of the cluster; empty texts are not told."""

    name: str
    labels: dict[str, str]
    taints: frozenset[tuple[str, str, str]]
    """Key, value, effect; without those that come and go with the node's state."""
    virtual: bool
    """It stands for ECI or ACS and is no machine."""
    provider_id: str
    kubelet: str
    os: str
    arch: str
    pod_cidr: str
    allocatable: dict[str, str]

    @property
    def pool(self) -> str:
        """The id of its node pool."""
        return self.labels.get(NODE_POOL, "")


class Workload(NamedTuple):
    """A DaemonSet or Deployment."""

    kind: str
    namespace: str
    name: str
    containers: tuple[tuple[str, tuple[str, ...]], ...]
    """Image, and command with arguments, of each container, then of each init container."""

    @property
    def label(self) -> str:
        """`DaemonSet kube-system/terway-eniip`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Dump(NamedTuple):
    """All that was read, sorted by namespace and name."""

    nodes: tuple[Node, ...]
    workloads: tuple[Workload, ...]
    storage_classes: tuple[tuple[str, Mapping[str, Any]], ...]
    """Name and object."""
    ingress_classes: tuple[tuple[str, Mapping[str, Any]], ...]
    config_maps: dict[str, dict[str, str]]
    """Data of those that are read, by name."""
    counts: dict[str, int]
    """Objects read, by kind."""
    listed: frozenset[str]
    """Kinds of which there was a typed list, be it empty: then there are no others."""


def read_dump(dumps: Sequence[Any]) -> Dump:
    """The objects of parsed dumps: a `List`, a typed list, one object, or a Python list of such documents."""
    found: dict[tuple[str, str, str], Resource] = {}
    listed = set()
    for document in _documents(dumps):
        kind = document.get("kind")
        if isinstance(kind, str) and kind.endswith("List"):
            listed.add(kind.removesuffix("List"))
        for resource in resources(document)[0]:
            known, name = _KINDS.get(resource.family), text(resource.id.name)
            if known and name:
                found.setdefault((known, text(resource.id.namespace), name), resource)
    objects = [(*key, found[key].data) for key in sorted(found)]
    config_maps = {
        name: strings(data.get("data"))
        for kind, namespace, name, data in objects
        if kind == "ConfigMap" and namespace == "kube-system" and name in (ENI_CONFIG, KUBE_PROXY, COREDNS, ACR)
    }
    counts = Counter(kind for kind, *_ in objects if kind != "ConfigMap")
    if config_maps:
        counts["ConfigMap"] = len(config_maps)
    return Dump(
        tuple(_node(name, data) for kind, _, name, data in objects if kind == "Node"),
        tuple(
            Workload(kind, namespace, name, tuple(_containers(data)))
            for kind, namespace, name, data in objects
            if kind in ("DaemonSet", "Deployment")
        ),
        tuple((name, data) for kind, _, name, data in objects if kind == "StorageClass"),
        tuple((name, data) for kind, _, name, data in objects if kind == "IngressClass"),
        config_maps,
        dict(counts),
        frozenset(listed),
    )


def at(data: Any, *keys: str) -> Any:
    """What is at a path of mappings; None if there is no such path."""
    for key in keys:
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data


def sequence(value: Any) -> Sequence[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def text(value: Any) -> str:
    """The value if it is a string that can be printed on one line, else an empty one."""
    return value if isinstance(value, str) and value.isprintable() else ""


def place(value: Any) -> str:
    """The id of a region or zone, else an empty string."""
    return value if isinstance(value, str) and _PLACE.fullmatch(value) else ""


def strings(value: Any) -> dict[str, str]:
    """The entries of a mapping that are strings, under keys that can be printed: the data of a ConfigMap."""
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(item, str) and text(key)}


def labels(value: Any) -> dict[str, str]:
    """The entries of a mapping that are strings of one line: labels, annotations, parameters, quantities."""
    return {key: item for key, item in strings(value).items() if item.isprintable()}


def _documents(dumps: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for dump in dumps:
        for document in dump if isinstance(dump, list) else [dump]:
            if isinstance(document, dict):
                yield document


def _node(name: str, data: Mapping[str, Any]) -> Node:
    own = labels(at(data, "metadata", "labels"))
    taints = set()
    for item in sequence(at(data, "spec", "taints")):
        key, effect = text(at(item, "key")), text(at(item, "effect"))
        if key and effect in _EFFECTS and not key.startswith(_TRANSIENT):
            taints.add((key, text(at(item, "value")), effect))
    return Node(
        name,
        own,
        frozenset(taints),
        own.get("type") == "virtual-kubelet",
        text(at(data, "spec", "providerID")),
        text(at(data, "status", "nodeInfo", "kubeletVersion")),
        text(at(data, "status", "nodeInfo", "operatingSystem")),
        text(at(data, "status", "nodeInfo", "architecture")),
        text(at(data, "spec", "podCIDR")),
        labels(at(data, "status", "allocatable")),
    )


def _containers(data: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for group in ("containers", "initContainers"):
        for item in sequence(at(data, "spec", "template", "spec", group)):
            words = [*sequence(at(item, "command")), *sequence(at(item, "args"))]
            yield text(at(item, "image")), tuple(word for word in words if isinstance(word, str))
