"""A cluster profile from what `kubectl get … -o json` printed: only what the dump shows, each fact with its source.

Nodes, DaemonSets, Deployments, StorageClasses and IngressClasses are read and, where given, four ConfigMaps of
kube-system, of these nothing but the settings below; Secrets are passed over. A fact that the dump leaves open, or
answers in two ways, stays out of the profile.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, NamedTuple

from kubelint_ack.data import read_data
from kubelint_ack.dump import (
    ACR,
    COREDNS,
    ENI_CONFIG,
    KUBE_PROXY,
    NODE_POOL,
    Dump,
    Node,
    Workload,
    at,
    labels,
    place,
    read_dump,
    sequence,
    text,
)
from kubelint_ack.images import image
from kubelint_ack.records import Route
from kubelint_ack.values import cidr, kubernetes_minor, quantity, version


class Discovery(NamedTuple):
    """A profile, and how it was found."""

    cluster: dict[str, Any]
    """The mapping that the profile's schema describes, keys in the schema's order."""
    sources: dict[Route, str]
    """Where the line at a route comes from."""
    notes: tuple[str, ...]
    """What was seen and could not be told, what was not in the dump: one sentence each."""
    counts: dict[str, int]
    """Objects read, by kind."""


def discover(dumps: Sequence[Any]) -> Discovery:
    """What parsed dumps say about the cluster.

    A dump is any JSON data: a `List`, a typed list, one object, or a Python list of such documents. Data of
    another shape, and fields of the wrong type, are as good as absent: nothing raises.
    """
    return _Reader(read_dump(dumps)).read()


def render(discovery: Discovery, *, under: str = "") -> str:
    """The profile as YAML with a comment on each line that names its source.

    The top level is the profile itself, a file for `cluster: path`; with `under="cluster"` it is a section of the
    configuration. Strings that YAML 1.1 would read as something else are quoted.
    """
    import io

    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    tree = _commented(discovery.cluster, discovery.sources, ())
    if under:
        tree = CommentedMap({under: tree})
    read = ", ".join(f"{count} {_plural(kind, count)}" for kind, count in discovery.counts.items()) or "nothing"
    lines = [f"Cluster profile for kubelint-ack, from kubectl's output ({read}).", *discovery.notes]
    tree.yaml_set_start_comment("\n".join(lines))
    yaml = YAML()
    yaml.width = 2**16
    yaml.indent(mapping=2, sequence=4, offset=2)
    written = io.StringIO()
    yaml.dump(tree, written)
    return written.getvalue()


@cache
def components() -> dict[str, Mapping[str, Any]]:
    """The catalogue of components by name (`schemas/ack/components.json`)."""
    found: dict[str, Mapping[str, Any]] = json.loads(read_data("schemas/ack/components.json"))["components"]
    return found


_WANTED = ("Node", "DaemonSet", "Deployment", "StorageClass", "IngressClass")

_REGION = "topology.kubernetes.io/region"
_ZONE = "topology.kubernetes.io/zone"
_EXCLUSIVE_ENI = "k8s.aliyun.com/exclusive-mode-eni-type"
# Labels that tell one node from the others of its pool.
_IDENTITY = {"kubernetes.io/hostname", "alibabacloud.com/ecs-instance-id", "alibabacloud.com/instance-id"}
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
# Nodes that an ACK cluster only manages: https://github.com/kubernetes-sigs/alibaba-cloud-csi-driver (chart values)
_FOREIGN = ("alibabacloud.com/external", "alibabacloud.com/is-edge-worker")

# `-daemon-mode` of terwayd: https://github.com/AliyunContainerService/terway (types/daemon)
_TERWAY_MODES = {"ENIMultiIP": "shared-eni", "ENIOnly": "exclusive-eni", "VPC": "vpc"}
_DATA_PATHS = ("veth", "ipvlan", "datapathv2")
_PROXY_MODE = re.compile(r"^mode:[ \t]*[\"']?(ipvs|iptables|nftables)[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_COREFILE_DOMAIN = re.compile(r"^[ \t]*kubernetes[ \t]+([a-z0-9.-]+)", re.MULTILINE)
_INGRESS_CONTROLLERS = ("nginx", "alb", "mse", "apig", "other")
_SECRET_PARAMETER = re.compile(r"secret|password|token|akid|accesskey", re.IGNORECASE)
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
# Of the resources without a domain these are shown; huge pages and volume slots are not.
_RESOURCES = ("cpu", "memory", "ephemeral-storage", "pods")
_QUANTITY = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")


class _Reader:
    """One dump, read into the profile key by key."""

    def __init__(self, dump: Dump) -> None:
        self.dump = dump
        self.nodes = dump.nodes
        self.cluster: dict[str, Any] = {}
        self.sources: dict[Route, str] = {}
        self.notes: list[str] = []

    def read(self) -> Discovery:
        self.identity()
        self.network()
        self.node_pools()
        self.installed()
        absent = [kind for kind in _WANTED if kind not in self.dump.counts and kind not in self.dump.listed]
        if absent:
            self.notes.append(f"Not in the input, so nothing is said of them: {', '.join(absent)}.")
        self.notes.append(
            "A dump cannot show the rest (address ranges, edition, what else exists); `kubelint-ack schema profile` "
            "lists every key."
        )
        return Discovery(self.cluster, self.sources, tuple(self.notes), self.dump.counts)

    def put(self, key: str, value: Any, source: str) -> None:
        self.cluster[key] = value
        self.sources[key,] = source

    # --- identity

    def identity(self) -> None:
        providers = {name: reason for node in self.nodes for name, reason in _providers(node)}
        if len(providers) == 1:
            (name,) = providers
            self.put("provider", name, providers[name])
        elif providers:
            self.notes.append(f"The nodes are of several providers: {', '.join(sorted(providers))}.")
        foreign = any(node.labels.get(label) == "true" for node in self.nodes for label in _FOREIGN)
        if list(providers) == ["ack"] and not foreign:
            for label in _CONTROL_PLANE:
                if any(label in node.labels for node in self.nodes):
                    self.put("clusterType", "dedicated", f"node label {label}: control-plane nodes are in the cluster")
                    break
        # A virtual node reports its own version, which says nothing about the API server.
        kubelets = [node.kubelet for node in self.nodes if not node.virtual and kubernetes_minor(node.kubelet)]
        if kubelets:
            lowest = min(kubelets, key=lambda kubelet: (version(kubelet) or (), kubelet))
            major, minor = kubernetes_minor(lowest) or (0, 0)
            self.put(
                "kubernetesVersion",
                f"{major}.{minor}",
                f"lowest kubelet version of {_nodes(len(kubelets))} ({lowest}); the API server is at least that",
            )
        regions = sorted({region for node in self.nodes if (region := place(node.labels.get(_REGION)))})
        if len(regions) == 1:
            self.put("region", regions[0], f"node label {_REGION}")
        elif regions:
            self.notes.append(f"The nodes are in several regions: {', '.join(regions)}.")
        zones = _zones(self.nodes)
        if zones:
            self.put("zones", zones, f"node label {_ZONE}")

    # --- network plug-in and data plane

    def network(self) -> None:
        flannel = self.workload("DaemonSet", lambda name: name.startswith("kube-flannel"))
        terway = self.workload("DaemonSet", lambda name: name == "terway" or name.startswith("terway-"))
        if flannel and terway:
            self.notes.append(f"Both network plug-ins are there: {flannel.label} and {terway.label}.")
        elif flannel:
            self.put("cni", "flannel", flannel.label)
        elif terway:
            self.put("cni", "terway", terway.label)
        elif ENI_CONFIG in self.dump.config_maps:
            self.put("cni", "terway", f"ConfigMap kube-system/{ENI_CONFIG}")
        if self.cluster.get("cni") == "terway":
            self.terway(terway)
        config = self.dump.config_maps.get(KUBE_PROXY, {})
        mode = _PROXY_MODE.search(config.get("config.conf", ""))
        if mode:
            self.put("kubeProxyMode", mode[1], f"ConfigMap kube-system/{KUBE_PROXY}, config.conf: mode")
        cache_daemon = self.workload("DaemonSet", lambda name: name == "node-local-dns")
        if cache_daemon:
            self.put("nodeLocalDNS", True, cache_daemon.label)
        domain = _COREFILE_DOMAIN.search(self.dump.config_maps.get(COREDNS, {}).get("Corefile", ""))
        if domain and len(domain[1]) <= 253 and _DOMAIN.fullmatch(domain[1]) and not domain[1].endswith(".arpa"):
            self.put("clusterDomain", domain[1], f"ConfigMap kube-system/{COREDNS}, Corefile: kubernetes")
        switches = _pod_vswitches(self.dump.config_maps.get(ENI_CONFIG, {}).get("eni_conf", ""))
        if switches and self.cluster.get("cni") == "terway":
            self.put("podVSwitches", switches, f"ConfigMap kube-system/{ENI_CONFIG}, eni_conf: vswitches")
        masks = {network.prefixlen for node in self.nodes if (network := cidr(node.pod_cidr)) and network.version == 4}
        if self.cluster.get("cni") == "flannel" and len(masks) == 1 and 16 <= min(masks) <= 28:
            self.put("nodePodMask", min(masks), "prefix of spec.podCIDR of the nodes")

    def terway(self, daemon: Workload | None) -> None:
        found: dict[str, tuple[Any, str]] = {}
        if daemon:
            number, tag = _version(daemon, ["terway"])
            if number != "*":
                found["version"] = number, f"image tag {tag} of {daemon.label}"
            modes = {_TERWAY_MODES[mode] for mode in _daemon_modes(daemon) if mode in _TERWAY_MODES}
            source = f"-daemon-mode of {daemon.label}"
            if not modes and daemon.name == "terway-eniip":
                modes, source = {"shared-eni"}, daemon.label
            real = [node for node in self.nodes if not node.virtual]
            exclusive = [node for node in real if node.labels.get(_EXCLUSIVE_ENI) == "eniOnly"]
            if modes == {"shared-eni"} and exclusive:
                source = f"{source}; {len(exclusive)} of {_nodes(len(real))} have the label {_EXCLUSIVE_ENI}=eniOnly"
                if len(exclusive) == len(real):
                    modes = {"exclusive-eni"}
            if len(modes) == 1:
                found["mode"] = modes.pop(), source
        config = self.dump.config_maps.get(ENI_CONFIG, {})
        where = f"ConfigMap kube-system/{ENI_CONFIG}"
        for file in ("10-terway.conf", "10-terway.conflist"):
            path = _data_path(config.get(file, ""))
            if path:
                found.setdefault("dataPath", (path, f"{where}, {file}: eniip_virtual_type"))
        if "disable_network_policy" in config:
            enabled = config["disable_network_policy"] in ("false", "0", "")
            found["networkPolicy"] = enabled, f"{where}, disable_network_policy"
        if config.get("in_cluster_loadbalance") in ("true", "false"):
            found["inClusterLoadBalance"] = (
                config["in_cluster_loadbalance"] == "true",
                f"{where}, in_cluster_loadbalance",
            )
        if found:
            self.put("terway", {key: value for key, (value, _) in found.items()}, self.sources["cni",])
            self.sources.update({("terway", key): source for key, (_, source) in found.items()})

    # --- nodes

    def node_pools(self) -> None:
        groups: dict[tuple[Any, ...], list[Node]] = {}
        for node in self.nodes:
            own = (node.pool,) if node.pool else ("", *sorted(_shared_labels([node]).items()))
            groups.setdefault((not node.pool, node.virtual, own), []).append(node)
        pools: list[dict[str, Any]] = []
        taken: set[str] = set()
        for number, (_, nodes) in enumerate(sorted(groups.items(), key=lambda group: repr(group[0])), 1):
            pool, sources = _pool(nodes)
            name = nodes[0].pool or f"pool-{number}"
            which = f"with the label {NODE_POOL}={name}" if nodes[0].pool else "of no node pool, with these labels"
            sources["name"] = f"{_nodes(len(nodes))} {which}"
            while name in taken:
                name += "-virtual" if nodes[0].virtual else "-2"
            taken.add(name)
            self.sources.update({("nodePools", len(pools), key): source for key, source in sources.items()})
            pools.append({"name": name, **pool})
        if pools:
            self.put("nodePools", pools, "nodes, grouped by node pool")
            self.put("nodePoolsComplete", False, "a dump cannot tell; true makes a selector without a node an error")
        if any(node.virtual for node in self.nodes):
            self.put("virtualNodes", True, "node label type=virtual-kubelet")

    # --- installed things

    def installed(self) -> None:
        found = {}
        for name, entry in components().items():
            workload = next(iter(self.of_component(entry)), None)
            if workload:
                number, tag = _version(workload, entry.get("images", [name]))
                found[name] = number
                self.sources["components", name] = f"{workload.label}, image tag {tag}" if tag else workload.label
        if found:
            self.put("components", found, "DaemonSets and Deployments of the catalogue")
            self.put("componentsComplete", False, "managed components never show in a dump")
        plugins = [name for name in ("csi-plugin", "flexvolume") if name in found]
        if plugins:
            value = "both" if len(plugins) == 2 else plugins[0].removesuffix("-plugin")
            self.put("storagePlugin", value, " and ".join(f"DaemonSet {name}" for name in plugins))
        storage_classes = [_storage_class(*item) for item in self.dump.storage_classes]
        if storage_classes or "StorageClass" in self.dump.listed:
            self.put("storageClasses", storage_classes, "all StorageClasses")
        ingress_classes = [_ingress_class(*item) for item in self.dump.ingress_classes]
        if ingress_classes or "IngressClass" in self.dump.listed:
            self.put("ingressClasses", ingress_classes, "all IngressClasses")
        self.ingress_controllers(found)
        self.acr_helper()

    def ingress_controllers(self, installed: Mapping[str, str]) -> None:
        seen: dict[str, str] = {}
        for name in installed:
            controller = components()[name].get("ingress_controller")
            if controller:
                seen[controller] = f"component {name}"
        known = {
            controller: entry["ingress_controller"]
            for entry in components().values()
            if "ingress_controller" in entry
            for controller in entry["needed_by"]["ingress_class_controllers"]
        }
        for name, data in self.dump.ingress_classes:
            controller = text(at(data, "spec", "controller"))
            if controller:
                kind = known.get(controller, "apig" if name == "apig" else "other")
                seen.setdefault(kind, f"IngressClass {name}")
        if seen:
            value = [kind for kind in _INGRESS_CONTROLLERS if kind in seen]
            self.put("ingressControllers", value, ", ".join(seen[kind] for kind in value))

    def acr_helper(self) -> None:
        config = self.dump.config_maps.get(ACR, {})
        keys = {"watch-namespace": "watchNamespaces", "service-account": "serviceAccounts"}
        found: dict[str, Any] = {
            key: names for setting, key in keys.items() if (names := _comma_list(config.get(setting)))
        }
        instances = _registry_instances(config.get("acr-registry-info", ""))
        if instances:
            found["instances"] = instances
        if found:
            self.put("acrCredentialHelper", found, f"ConfigMap kube-system/{ACR}")

    # --- look-ups

    def workload(self, kind: str, name: Callable[[str], bool]) -> Workload | None:
        return next((item for item in self.dump.workloads if item.kind == kind and name(item.name)), None)

    def of_component(self, entry: Mapping[str, Any]) -> Iterator[Workload]:
        for pattern in entry.get("workloads", ()):
            for item in self.dump.workloads:
                if item.kind == pattern["kind"] and fnmatchcase(item.name, pattern["name"]):
                    yield item


# --- Objects


def _providers(node: Node) -> Iterator[tuple[str, str]]:
    """Whose Kubernetes a node shows, and by what."""
    if NODE_POOL in node.labels:
        yield "ack", f"node label {NODE_POOL}"
    elif "-aliyun" in node.kubelet:
        yield "ack", f"kubelet version {node.kubelet}"
    elif re.match(r"(?:alicloud://)?[a-z]{2}-[a-z0-9-]+\.i-[a-z0-9]+$", node.provider_id):
        yield "ack", "spec.providerID of the nodes"
    if "-eks-" in node.kubelet or "eks.amazonaws.com/nodegroup" in node.labels:
        yield "eks", "kubelet version or node label eks.amazonaws.com/nodegroup"
    if "-gke." in node.kubelet or "cloud.google.com/gke-nodepool" in node.labels:
        yield "gke", "kubelet version or node label cloud.google.com/gke-nodepool"
    if "kubernetes.azure.com/cluster" in node.labels:
        yield "aks", "node label kubernetes.azure.com/cluster"


def _pool(nodes: Sequence[Node]) -> tuple[dict[str, Any], dict[str, str]]:
    """What all nodes of a pool have in common, and where each key of it comes from."""
    pool: dict[str, Any] = {}
    sources: dict[str, str] = {}
    every = "equal on every node"
    shared = _shared_labels(nodes)
    if shared:
        pool["labels"], sources["labels"] = shared, f"labels {every}"
    common = frozenset.intersection(*(node.taints for node in nodes))
    pool["taints"] = [
        {"key": key, **({"value": value} if value else {}), "effect": effect} for key, value, effect in sorted(common)
    ]
    sources["taints"] = f"taints {every}"
    zones = _zones(nodes)
    if zones:
        pool["zones"], sources["zones"] = zones, f"label {_ZONE}"
    for key, field, known in (
        ("os", "operatingSystem", ("linux", "windows")),
        ("arch", "architecture", ("amd64", "arm64")),
    ):
        values = {getattr(node, key) for node in nodes}
        if len(values) == 1 and (value := values.pop()) in known:
            pool[key], sources[key] = value, f"status.nodeInfo.{field}"
    pool["count"], sources["count"] = len(nodes), "nodes in the dump"
    smallest = _smallest([node.allocatable for node in nodes])
    if smallest:
        pool["allocatable"], sources["allocatable"] = smallest, "smallest status.allocatable"
    return pool, sources


def _shared_labels(nodes: Sequence[Node]) -> dict[str, str]:
    """The labels that are equal on every node, without those that name a single node."""
    shared = set.intersection(*(set(_common_labels(node).items()) for node in nodes))
    return dict(sorted(shared))


def _common_labels(node: Node) -> dict[str, str]:
    own = {node.name, node.provider_id.rpartition(".")[2]} - {""}
    return {key: value for key, value in node.labels.items() if key not in _IDENTITY and value not in own}


def _smallest(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The smallest quantity of each resource that every node has."""
    found = {}
    for key in sorted(set.intersection(*(set(quantities) for quantities in each))):
        if key not in _RESOURCES and "/" not in key:
            continue
        known = [
            (size, written)
            for written in (quantities[key] for quantities in each)
            if _QUANTITY.fullmatch(written) and (size := quantity(written)) is not None
        ]
        if len(known) == len(each):
            found[key] = min(known)[1]
    return found


def _zones(nodes: Sequence[Node]) -> list[str]:
    return sorted({zone for node in nodes if (zone := place(node.labels.get(_ZONE)))})


def _version(workload: Workload, globs: Sequence[str]) -> tuple[str, str]:
    """Version and image tag of a component: those of the first glob that an image matches; `*` and "" if none."""
    for glob in globs:
        for reference, _ in workload.containers:
            parsed = image(reference)
            if parsed and parsed.tag and fnmatchcase(parsed.repository.rpartition("/")[2], glob):
                numbers = re.match(r"[vV]?([0-9]+(?:\.[0-9]+)+)", parsed.tag)
                return (numbers[1] if numbers else "*"), parsed.tag
    return "*", ""


def _daemon_modes(daemon: Workload) -> Iterator[str]:
    """The values of terwayd's flag `-daemon-mode`."""
    for _, words in daemon.containers:
        for index, word in enumerate(words):
            flag, equals, value = word.lstrip("-").partition("=")
            if flag == "daemon-mode" and word.startswith("-"):
                yield value if equals else "".join(words[index + 1 : index + 2])


def _storage_class(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name}
    provisioner = text(data.get("provisioner"))
    if provisioner:
        found["provisioner"] = provisioner
    for key, known in (
        ("volumeBindingMode", ("Immediate", "WaitForFirstConsumer")),
        ("reclaimPolicy", ("Delete", "Retain")),
    ):
        if text(data.get(key)) in known:
            found[key] = data[key]
    if isinstance(data.get("allowVolumeExpansion"), bool):
        found["allowVolumeExpansion"] = data["allowVolumeExpansion"]
    found["default"] = _is_default(data, "storageclass.kubernetes.io", "storageclass.beta.kubernetes.io")
    parameters = {key: value for key, value in labels(data.get("parameters")).items() if _shown(key)}
    if parameters:
        found["parameters"] = parameters
    return found


def _shown(parameter: str) -> bool:
    """Whether a StorageClass parameter may be printed: the names of Secrets may, credentials may not."""
    return parameter.startswith("csi.storage.k8s.io/") or not _SECRET_PARAMETER.search(parameter)


def _ingress_class(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    controller = text(at(data, "spec", "controller"))
    return {
        "name": name,
        **({"controller": controller} if controller else {}),
        "default": _is_default(data, "ingressclass.kubernetes.io"),
    }


def _is_default(data: Mapping[str, Any], *prefixes: str) -> bool:
    annotations = labels(at(data, "metadata", "annotations"))
    return any(annotations.get(f"{prefix}/is-default-class") == "true" for prefix in prefixes)


# --- Settings inside ConfigMaps


def _json(content: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _data_path(content: str) -> str:
    """The data path that a CNI configuration of Terway names; empty if none.

    https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/terway-configuration-parameters
    """
    config = _json(content)
    for plugin in (config, *sequence(at(config, "plugins"))):
        value = text(at(plugin, "eniip_virtual_type")).lower()
        if value in _DATA_PATHS:
            return value
    return ""


def _pod_vswitches(content: str) -> list[dict[str, str]]:
    """The vSwitches of `eni_conf`, by zone. Of the rest, which may hold credentials, nothing is read."""
    zones = at(_json(content), "vswitches")
    found: dict[str, dict[str, str]] = {}
    for zone, ids in zones.items() if isinstance(zones, dict) else ():
        for item in sequence(ids):
            if text(item):
                found[item] = {"id": item, **({"zone": zone} if place(zone) else {})}
    return [found[item] for item in sorted(found)]


def _comma_list(content: Any) -> list[str]:
    parts = content.split(",") if isinstance(content, str) else ()
    return list(dict.fromkeys(word for part in parts if (word := text(part.strip()))))


def _registry_instances(content: str) -> list[dict[str, Any]]:
    """Instance, region and domains of `acr-registry-info`, a YAML list in a string; credentials are not read."""
    if not content or len(content) > 100_000:
        return []
    from ruamel.yaml import YAML

    try:
        items = YAML(typ="safe", pure=True).load(content)
    except Exception:  # the parser's own errors, and whatever a constructor makes of hostile text
        return []
    found = []
    for item in sequence(items):
        entry = {
            "instanceId": text(at(item, "instanceId")),
            "region": place(at(item, "regionId")),
            "domains": _comma_list(at(item, "domains")),
        }
        if any(entry.values()):
            found.append({key: value for key, value in entry.items() if value})
    return found


def _nodes(count: int) -> str:
    return f"{count} {_plural('node', count)}"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}es" if word.endswith("s") else f"{word}s"


# --- YAML

# Words that YAML 1.1, and with it Kubernetes' reader, takes for booleans or null.
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


def _quoted(value: str) -> str:
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if re.fullmatch(r"[A-Za-z][A-Za-z0-9._/-]*", value) and value.lower() not in _WORDS:
        return value
    quoted: str = DoubleQuotedScalarString(value)
    return quoted


def _commented(value: Any, sources: Mapping[Route, str], route: Route) -> Any:
    """The tree that ruamel.yaml writes: scalars quoted where needed, sources as comments at line ends."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, dict):
        mapping = CommentedMap()
        for key, item in value.items():
            there = (*route, key)
            mapping[_quoted(key)] = _commented(item, sources, there)
            if there in sources:
                mapping.yaml_add_eol_comment(sources[there], key=key, column=0)
        return mapping
    if isinstance(value, list):
        items = CommentedSeq(_commented(item, sources, (*route, index)) for index, item in enumerate(value))
        if not any(isinstance(item, dict) for item in value):
            items.fa.set_flow_style()
        return items
    return _quoted(value) if isinstance(value, str) else value
