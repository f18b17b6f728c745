"""The cluster profile: what is declared about a cluster, as rules read it.

A key that is not declared is None, never a default value: a rule that needs it lists it in its `needs` and stays
silent. Attributes are the schema's keys in snake case (`schemas/profile.schema.json` says what each one means),
and a mapping is expected to have passed that schema. Two facts are derived, here and nowhere else:
`service_backend_type` and `zones`.
"""

# As in records.py, annotations are not postponed.

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from kubelint_ack.records import FieldPath, Place, Route
from kubelint_ack.values import kubernetes_minor


class Terway(NamedTuple):
    """Settings of Terway."""

    version: str | None = None
    initial_version: str | None = None
    mode: Literal["shared-eni", "exclusive-eni", "vpc"] | None = None
    data_path: Literal["veth", "ipvlan", "datapathv2"] | None = None
    network_policy: bool | None = None
    in_cluster_load_balance: bool | None = None
    kube_proxy_replacement: bool | None = None


class VSwitch(NamedTuple):
    """A vSwitch: at least one of its fields is declared."""

    id: str | None = None
    cidr: str | None = None
    zone: str | None = None


class Taint(NamedTuple):
    """A taint of every node of a pool."""

    key: str
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    value: str = ""


class NodePool(NamedTuple):
    """Nodes with the same labels and taints."""

    name: str
    labels: Mapping[str, str] | None = None
    taints: tuple[Taint, ...] | None = None
    zones: tuple[str, ...] | None = None
    os: Literal["linux", "windows"] | None = None
    arch: Literal["amd64", "arm64"] | None = None
    count: int | None = None  # type: ignore[assignment]  # the key's name wins over tuple.count
    max_count: int | None = None
    allocatable: Mapping[str, str] | None = None
    """Quantities of one node, as Kubernetes writes them."""


class Namespace(NamedTuple):
    """A namespace of the cluster."""

    name: str
    labels: Mapping[str, str] | None = None


class StorageClass(NamedTuple):
    """A StorageClass of the cluster."""

    name: str
    provisioner: str | None = None
    volume_binding_mode: Literal["Immediate", "WaitForFirstConsumer"] | None = None
    reclaim_policy: Literal["Delete", "Retain"] | None = None
    allow_volume_expansion: bool | None = None
    default: bool | None = None
    parameters: Mapping[str, str] | None = None


class IngressClass(NamedTuple):
    """An IngressClass of the cluster."""

    name: str
    controller: str | None = None
    default: bool | None = None


class RegistryInstance(NamedTuple):
    """A Container Registry instance that the credential helper serves."""

    instance_id: str | None = None
    region: str | None = None
    domains: tuple[str, ...] | None = None


class AcrCredentialHelper(NamedTuple):
    """Settings of aliyun-acr-credential-helper."""

    watch_namespaces: tuple[str, ...] | None = None
    service_accounts: tuple[str, ...] | None = None
    instances: tuple[RegistryInstance, ...] | None = None


class External(NamedTuple):
    """An object that lives in the cluster and not among the files; `*` stands for any characters of one field."""

    kind: str
    name: str
    api_version: str | None = None
    namespace: str | None = None


class Profile(NamedTuple):
    """All that is declared about one cluster, and the two facts that follow from it."""

    name: str | None = None
    provider: Literal["ack", "eks", "gke", "aks", "other"] | None = None
    cluster_type: Literal["managed", "dedicated", "serverless", "edge", "lingjun", "registered", "acs"] | None = None
    edition: Literal["pro", "basic"] | None = None
    kubernetes_version: tuple[int, int] | None = None
    region: str | None = None
    zones: tuple[str, ...] | None = None
    """Declared, else those of the node pools and vSwitches, sorted."""
    cni: Literal["terway", "flannel", "other"] | None = None
    terway: Terway = Terway()
    kube_proxy_mode: Literal["ipvs", "iptables", "nftables"] | None = None
    service_backend_type: Literal["eni", "ecs"] | None = None
    """Declared, else by plug-in: see `_backend_type`."""
    node_local_dns: bool | None = None
    cluster_domain: str | None = None
    in_cluster_load_balancer_clients: bool | None = None
    load_balancer_classes: tuple[str, ...] | None = None
    feature_gates: Mapping[str, bool] | None = None
    node_port_range: tuple[int, int] | None = None
    """Lowest and highest port, both included."""
    vpc_cidrs: tuple[str, ...] | None = None
    vswitches: tuple[VSwitch, ...] | None = None
    pod_vswitches: tuple[VSwitch, ...] | None = None
    pod_cidr: str | None = None
    node_pod_mask: int | None = None
    planned_nodes: int | None = None
    service_cidr: str | None = None
    service_ipv6_cidr: str | None = None
    dns_service_ip: str | None = None
    peer_cidrs: tuple[str, ...] | None = None
    node_pools: tuple[NodePool, ...] | None = None
    node_pools_complete: bool | None = None
    virtual_nodes: bool | None = None
    namespaces: tuple[Namespace, ...] | None = None
    components: Mapping[str, str] | None = None
    """Catalogue name to version; `*` is some version."""
    components_complete: bool | None = None
    storage_plugin: Literal["csi", "flexvolume", "both"] | None = None
    extra_csi_drivers: tuple[str, ...] | None = None
    storage_classes: tuple[StorageClass, ...] | None = None
    ingress_classes: tuple[IngressClass, ...] | None = None
    ingress_controllers: tuple[Literal["nginx", "alb", "mse", "apig", "other"], ...] | None = None
    gateway_classes: tuple[str, ...] | None = None
    acr_credential_helper: AcrCredentialHelper = AcrCredentialHelper()
    externals: tuple[External, ...] | None = None

    kubernetes_version_text: str | None = None
    """As declared: `1.32.1-aliyun.1`."""
    is_ack: bool = False
    """The profile says plainly that this is ACK: by its provider, or by a fact that only ACK has."""
    source_data: Mapping[str, Any] = {}
    """The declared mapping itself: plain data."""

    def __hash__(self) -> int:
        return hash(self.cache_key)

    @property
    def cache_key(self) -> str:
        """A text that is equal for equal profiles, whatever the order of their keys."""
        return json.dumps(self.source_data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    def declared(self, key: str) -> bool:
        """Whether the fact that one of `NEEDS` names is known: declared, or derived where it is one of the two.

        `terway.mode` looks into a mapping, `nodePools[].arch` says that at least one item has it, and
        `components.csi-plugin` that the map has this entry.
        """
        if key == "zones":
            return self.zones is not None
        if key == "serviceBackendType":
            return self.service_backend_type is not None
        return _holds(self.source_data, key.split("."))


# Attributes whose value is a record, or a list of them.
_RECORDS: dict[str, Any] = {
    "terway": Terway,
    "vswitches": VSwitch,
    "pod_vswitches": VSwitch,
    "node_pools": NodePool,
    "taints": Taint,
    "namespaces": Namespace,
    "storage_classes": StorageClass,
    "ingress_classes": IngressClass,
    "acr_credential_helper": AcrCredentialHelper,
    "instances": RegistryInstance,
    "externals": External,
}
_SINGLE = {"terway", "acr_credential_helper"}
_NOT_KEYS = {"kubernetes_version_text", "is_ack", "source_data"}
_MAPS = ("components", "featureGates")
_WORDS = {"cidr": "CIDR", "cidrs": "CIDRs", "csi": "CSI", "dns": "DNS", "ip": "IP", "vswitches": "VSwitches"}
_WORDS["ipv6"] = "IPv6"


def _key(attribute: str) -> str:
    """The schema's key: `vpc_cidrs` → `vpcCIDRs`."""
    if attribute == "vswitches":
        return "vSwitches"
    first, *rest = attribute.split("_")
    return first + "".join(_WORDS.get(word, word.capitalize()) for word in rest)


def _keys(record: Any, prefix: str = "") -> Iterator[str]:
    """The dotted names of a record's keys and of all keys within."""
    for attribute in record._fields:
        if attribute in _NOT_KEYS:
            continue
        name = prefix + _key(attribute)
        yield name
        if attribute in _RECORDS:
            yield from _keys(_RECORDS[attribute], f"{name}." if attribute in _SINGLE else f"{name}[].")


NEEDS = frozenset(_keys(Profile))
"""Every name that `needs` may use; entries of the maps `components` and `featureGates` besides."""


def legal_need(need: str) -> bool:
    """Whether a rule may list this under `needs` or `sharpens`: a name, or `a|b` for either."""
    return all(
        name in NEEDS or any(re.fullmatch(rf"{parent}\.[A-Za-z0-9-]+", name) for parent in _MAPS)
        for name in need.split("|")
    )


def unmet(profile: Profile, needs: Sequence[str]) -> list[str]:
    """Those of a rule's `needs` that the profile does not meet, as written; `a|b` is met by either."""
    return [need for need in needs if not any(profile.declared(name) for name in need.split("|"))]


def profile(mapping: Mapping[str, Any]) -> Profile:
    """The profile that a mapping declares, one that has passed the schema."""
    facts = _facts(Profile, mapping)
    text = facts.get("kubernetes_version")
    if text is not None:
        facts["kubernetes_version_text"] = text
        facts["kubernetes_version"] = kubernetes_minor(text)
    if "node_port_range" in facts:
        low, _, high = facts["node_port_range"].partition("-")
        facts["node_port_range"] = (int(low), int(high))
    declared = Profile(**facts, source_data=mapping)
    return declared._replace(
        zones=_zones(declared), service_backend_type=_backend_type(declared), is_ack=_is_ack(declared)
    )


def duplicates(mapping: Mapping[str, Any]) -> list[Route]:
    """The routes of names that an earlier item of the same list already has: what the schema cannot say."""
    found: list[Route] = []
    for key in ("nodePools", "namespaces", "storageClasses", "ingressClasses"):
        seen = set()
        for index, item in enumerate(mapping.get(key) or ()):
            name = item["name"]
            if name in seen:
                found.append((key, index, "name"))
            seen.add(name)
    return found


def _facts(record: Any, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments for a record: what the mapping declares, lists as tuples, inner mappings as records."""
    facts: dict[str, Any] = {}
    for attribute in record._fields:
        value = mapping.get(_key(attribute))
        if value is None:
            continue
        inner = _RECORDS.get(attribute)
        if inner is None:
            facts[attribute] = tuple(value) if isinstance(value, list) else value
        elif attribute in _SINGLE:
            facts[attribute] = inner(**_facts(inner, value))
        else:
            facts[attribute] = tuple(inner(**_facts(inner, item)) for item in value)
    return facts


def _holds(value: Any, steps: Sequence[str]) -> bool:
    """Whether something is written at a dotted name."""
    if not steps:
        return value is not None
    if not isinstance(value, Mapping):
        return False
    step, rest = steps[0], steps[1:]
    if step.endswith("[]"):
        return any(_holds(item, rest) for item in value.get(step[:-2]) or ())
    return _holds(value.get(step), rest)


def _zones(declared: Profile) -> tuple[str, ...] | None:
    """The zones of the cluster: as declared, else those where it has node pools or vSwitches."""
    if declared.zones is not None:
        return declared.zones
    found = {zone for pool in declared.node_pools or () for zone in pool.zones or ()}
    found.update(vswitch.zone for vswitch in declared.vswitches or () if vswitch.zone)
    return tuple(sorted(found)) or None


def _backend_type(declared: Profile) -> Literal["eni", "ecs"] | None:
    """What load balancers forward to: as declared, else by the network plug-in.

    With Flannel the backends are nodes. With Terway they are pods: for clusters created before 2020-08-10 this is
    not certain. Pods of Terway's old VPC mode have no ENI address, so nothing is said of them.
    ACK documentation, "Considerations for configuring a LoadBalancer Service".
    """
    if declared.service_backend_type is not None:
        return declared.service_backend_type
    if declared.cni == "flannel":
        return "ecs"
    if declared.cni == "terway" and declared.terway.mode != "vpc":
        return "eni"
    return None


# Keys that describe what only ACK has.
_ACK_KEYS = ("clusterType", "edition", "terway", "vSwitches", "podVSwitches", "featureGates", "acrCredentialHelper")
_ACK_COMPONENTS = ("ack-", "aliyun-", "alicloud-", "terway", "alb-ingress", "mse-ingress", "arms-")
_ACK_PROVISIONERS = r"\.csi\.(?:alibabacloud|aliyun)\.com$|^alicloud/"
# Alibaba Cloud names its regions in China by city (ECS documentation, "Regions and zones"); cn-north-1 and the like
# are other clouds'.
_ACK_PLACE = r"^cn-(?!north|south|east|west|central)[a-z]+"


def _is_ack(declared: Profile) -> bool:
    """Whether the profile says plainly that the cluster is ACK's."""
    if declared.provider is not None:
        return declared.provider == "ack"
    places = (declared.region, *(declared.zones or ()))
    return (
        declared.cni == "terway"
        or any(key in declared.source_data for key in _ACK_KEYS)
        or "-aliyun" in (declared.kubernetes_version_text or "")
        or any(re.match(_ACK_PLACE, place) for place in places if place)
        or any(name.startswith(_ACK_COMPONENTS) for name in declared.components or ())
        or any(re.search(_ACK_PROVISIONERS, item.provisioner or "") for item in declared.storage_classes or ())
        or any("alibabacloud" in (item.controller or "") for item in declared.ingress_classes or ())
        or any(
            label.startswith("alibabacloud.com/") for pool in declared.node_pools or () for label in pool.labels or ()
        )
    )


EMPTY = profile({})
"""Nothing is declared."""


class DeclaredCluster(NamedTuple):
    """The cluster of a configured environment, for rules that compare several."""

    name: str
    """Of the environment."""
    profile: Profile
    locate: Callable[[FieldPath], tuple[str, Place]]
    """The file and place of a field of the profile."""
