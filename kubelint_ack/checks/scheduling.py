"""Checks of where pods may run: node selectors, node affinity and taints against the node pools of the profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from kubelint_ack.apiserver import placement
from kubelint_ack.profile import NodePool, Profile, Taint
from kubelint_ack.records import FieldPath, Hit, Severity, Unknown
from kubelint_ack.values import Requirement, Selector, is_placeholder, matches, selector, selector_text, tolerates
from kubelint_ack.views import View, Workload, integer, mapping, sequence, text

_VIRTUAL_LABELS = ("alibabacloud.com/eci", "alibabacloud.com/acs")


def is_sent_to_virtual_nodes(workload: Workload, profile: Profile) -> bool:
    """Whether a label sends the pods to virtual nodes, whatever their node selector says.

    The label may be the namespace's too; of that only the profile is asked.
    https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/comparison-and-introduction-of-virtual-node-scheduling-scheme-ack
    """
    own: list[Mapping[str, Any]] = [workload.pod_labels]
    own += [one.labels or {} for one in profile.namespaces or () if one.name == workload.namespace]
    return any(labels.get(key) == "true" for labels in own for key in _VIRTUAL_LABELS)


# --- What a pod asks of its node


class _Wish(NamedTuple):
    """One requirement, and where it is written."""

    at: FieldPath
    requirement: Requirement


_REQUIRED = ("spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
_PREFERRED = ("spec", "affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution")


def _selector_wishes(workload: Workload) -> Iterator[_Wish]:
    for key, value in mapping(workload.pod_spec.get("nodeSelector")).items():
        if isinstance(value, str) or value is None:
            yield _Wish(workload.pod_at("spec", "nodeSelector", key), Requirement(key, "In", (value or "",)))


def _terms(workload: Workload) -> list[list[_Wish]]:
    """The requirements of each term of the required node affinity; those that cannot be understood are left out."""
    found = []
    for index, term in enumerate(sequence(workload.get(*workload.pod_route, *_REQUIRED))):
        wishes = []
        for number, item in enumerate(sequence(mapping(term).get("matchExpressions"))):
            at = workload.pod_at(*_REQUIRED, index, "matchExpressions", number)
            wishes += [_Wish(at, one) for one in selector({"matchExpressions": [item]}).expressions]
        # An empty term matches no node; the others decide.
        if term != {}:
            found.append(wishes)
    return found


def _wishes_text(wishes: Sequence[_Wish]) -> str:
    """The requirements as kubectl writes them: `disk=ssd,zone in (a,b)`."""
    plain = tuple((one.key, one.values[0]) for _, one in wishes if one.operator == "In" and len(one.values) == 1)
    rest = tuple(one for _, one in wishes if one.operator != "In" or len(one.values) != 1)
    return selector_text(Selector(plain, rest))


# --- What nodes have

# Names for one and the same fact. https://kubernetes.io/docs/reference/labels-annotations-taints/
_OS = ("kubernetes.io/os", "beta.kubernetes.io/os")
_ARCH = ("kubernetes.io/arch", "beta.kubernetes.io/arch")
_ZONE = (
    "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/zone",
    "topology.diskplugin.csi.alibabacloud.com/zone",
)
_REGION = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_TYPE = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_POOL = "alibabacloud.com/nodepool-id"
# Labels that tell one node from the others of its pool.
_IDENTITY = frozenset({"kubernetes.io/hostname", "alibabacloud.com/ecs-instance-id", "alibabacloud.com/instance-id"})
# Parts of keys that Kubernetes, ACK and device plug-ins set by themselves: a profile need not declare these.
_SYSTEM = ("kubernetes.io", "k8s.io", "aliyun", "alibabacloud", "nvidia.com/", "koordinator.sh/")
_VIRTUAL_TAINT = {"key": "virtual-kubelet.io/provider", "value": "alibabacloud", "effect": "NoSchedule"}
_VIRTUAL = NodePool("virtual-kubelet", labels={"type": "virtual-kubelet"})


def _pools(profile: Profile, wishes: Sequence[_Wish], tolerations: Any) -> tuple[NodePool, ...]:
    """The declared node pools, and the virtual nodes where there may be some and the pod asks for them."""
    pools = profile.node_pools or ()
    if any((pool.labels or {}).get("type") == "virtual-kubelet" for pool in pools):
        return pools
    possible = profile.virtual_nodes or (profile.virtual_nodes is None and profile.node_pools_complete is not True)
    asked = any("virtual-kubelet" in one.requirement.values for one in wishes)
    if pools and possible and (asked or tolerates(tolerations, _VIRTUAL_TAINT) is not False):
        return (*pools, _VIRTUAL)
    return pools


def _node_labels(pool: NodePool, profile: Profile) -> dict[str, tuple[str, ...]]:
    """The labels of a pool's nodes, each with the values that it has on some of them."""
    found: dict[str, tuple[str, ...]] = {key: (value,) for key, value in (pool.labels or {}).items()}
    for keys, declared in (
        (_OS, (pool.os,) if pool.os else ()),
        (_ARCH, (pool.arch,) if pool.arch else ()),
        (_ZONE, pool.zones or ()),
        (_REGION, (profile.region,) if profile.region else ()),
        (_TYPE, ()),
    ):
        values: tuple[str, ...] = next((found[key] for key in keys if key in found), declared)
        if values:
            found.update(dict.fromkeys(keys, values))
    return found


def _fits(requirement: Requirement, pool: NodePool, labels: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether nodes of a pool may meet a requirement: False only where that is certain."""
    key, only = requirement.key, Selector((), (requirement,))
    if key in _IDENTITY or any(is_placeholder(value) for value in requirement.values):
        return True
    if key in labels:
        return any(matches(only, {key: value}) is not False for value in labels[key])
    is_open = key.startswith("ack.") or any(part in key for part in _SYSTEM)
    if pool.labels is None or (is_open and not (key == _POOL and pool is _VIRTUAL)):
        return True
    return matches(only, {}) is not False


def _untolerated(pool: NodePool, tolerations: Any) -> list[Taint]:
    """The taints of a pool that keep the pods away."""
    return [
        taint
        for taint in pool.taints or ()
        # The state of single nodes is not the pool's.
        if taint.effect != "PreferNoSchedule" and not taint.key.startswith("node.kubernetes.io/")
        if tolerates(tolerations, {"key": taint.key, "value": taint.value, "effect": taint.effect}) is False
    ]


# --- Rules


def node_selector_no_match(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`nodeSelector` and required node affinity against labels and taints of every declared node pool."""
    if _runs_anywhere(workload, profile):
        return
    selected = list(_selector_wishes(workload))
    alternatives = [[*selected, *term] for term in _terms(workload)] or [selected]
    tolerations = workload.pod_spec.get("tolerations")
    pools = _pools(profile, [one for wishes in alternatives for one in wishes], tolerations)
    if not pools or not all(alternatives):
        return
    depends = tuple(workload.pod_at("spec", key) for key in ("nodeSelector", "affinity", "tolerations"))
    severity: Severity | None = None
    # Where there are virtual nodes, a label of the namespace may send the pods there.
    if profile.node_pools_complete is not True or profile.virtual_nodes is True:
        severity = "warning"
    labels = [_node_labels(pool, profile) for pool in pools]
    fitting: list[tuple[NodePool, list[_Wish]]] = []
    lacking: list[tuple[int, list[_Wish], list[_Wish]]] = []
    for number, pool in enumerate(pools):
        for wishes in alternatives:
            missing = [one for one in wishes if not _fits(one.requirement, pool, labels[number])]
            if missing:
                lacking.append((number, wishes, missing))
            else:
                fitting.append((pool, wishes))
    if not fitting:
        number, wishes, missing = min(lacking, key=lambda one: len(one[2]))
        key = missing[0].requirement.key
        found = labels[number].get(key)
        yield Hit(
            missing[0].at,
            message="default" if len(missing) > 1 else "value" if found else "absent",
            severity=severity,
            depends=depends,
            wanted=_wishes_text(wishes),
            pool=pools[number].name,
            missing=_wishes_text(missing),
            key=key,
            found=found or (),
        )
        return
    refused = [(_untolerated(pool, tolerations), pool, wishes) for pool, wishes in fitting]
    if all(taints for taints, _, _ in refused):
        taints, nearest, wishes = min(refused, key=lambda one: len(one[0]))
        yield Hit(
            wishes[0].at,
            message="taint",
            severity=severity,
            depends=depends,
            wanted=_wishes_text(wishes),
            pool=nearest.name,
            taints=[f"{taint.key}={taint.value}:{taint.effect}" for taint in taints],
        )


def _runs_anywhere(workload: Workload, profile: Profile) -> bool:
    """Whether a node selector decides nothing, or an empty choice is no mistake."""
    return (
        workload.family[1] == "DaemonSet"
        or "nodeName" in workload.pod_spec
        or profile.cluster_type in ("serverless", "acs")
        or "alibabacloud.com/burst-resource" in workload.pod_annotations
        or is_sent_to_virtual_nodes(workload, profile)
    )


def node_selector_required(
    workload: Workload,
    profile: Profile,
    keys: Sequence[str],
    kinds: Sequence[str],
    namespaces: Sequence[str],
    workloads: Sequence[str],
) -> Iterator[Hit]:
    """Configured workloads that do not choose their nodes by the configured labels."""
    own = mapping(workload.pod_spec.get("nodeSelector"))
    choices = [workload.get(*workload.pod_route, *_REQUIRED[:length]) for length in range(2, len(_REQUIRED) + 1)]
    if any(isinstance(choice, Unknown) for choice in choices):
        return
    in_scope = (
        workload.kind in kinds
        if kinds
        # These are meant for every node unless somebody says otherwise.
        else workload.kind != "DaemonSet"
    )
    if not in_scope or not _any_match(workload.namespace, namespaces) or not _any_match(workload.name, workloads):
        return
    chosen = [
        {one.requirement.key for one in term if one.requirement.operator not in ("NotIn", "DoesNotExist")}
        for term in _terms(workload)
    ]
    missing = [key for key in keys if key not in own and not (chosen and all(key in one for one in chosen))]
    if missing:
        yield Hit(
            workload.pod_at("spec", "nodeSelector").key,
            depends=(workload.pod_at("spec", "affinity"),),
            kind=workload.kind,
            workload=workload.name or "?",
            missing=missing,
        )


def _any_match(name: str | None, patterns: Sequence[str]) -> bool:
    """Whether a name is one of those configured; no pattern: every name is, known or not."""
    return not patterns or (name is not None and any(fnmatchcase(name, pattern) for pattern in patterns))


def node_selector_not_string(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Label values in `nodeSelector` and node affinity that YAML reads as something else than strings."""
    for key, value in mapping(workload.pod_spec.get("nodeSelector")).items():
        if not isinstance(value, (str, Unknown)) and value is not None:
            yield _not_string(workload.pod_at("spec", "nodeSelector", key), key, value)
    for route, term in _all_terms(workload):
        for number, item in enumerate(sequence(term.get("matchExpressions"))):
            for index, value in enumerate(sequence(mapping(item).get("values"))):
                if not isinstance(value, (str, Unknown)) and value is not None:
                    at = workload.pod_at(*route, "matchExpressions", number, "values", index)
                    yield _not_string(at, text(mapping(item).get("key")) or "?", value)


def _all_terms(workload: Workload) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """Every term of the node affinity, required or preferred, and its route in the pod template."""
    if not workload.pod_spec.get("affinity"):
        return
    for index, term in enumerate(sequence(workload.get(*workload.pod_route, *_REQUIRED))):
        yield (*_REQUIRED, index), mapping(term)
    for index, item in enumerate(sequence(workload.get(*workload.pod_route, *_PREFERRED))):
        yield (*_PREFERRED, index, "preference"), mapping(mapping(item).get("preference"))


def _not_string(at: FieldPath, key: str, value: Any) -> Hit:
    message = "boolean" if isinstance(value, bool) else "number" if isinstance(value, (int, float)) else "structure"
    return Hit(at, message=message, key=key, value=value if message != "structure" else "")


# --- Priority classes

_HIGHEST = 1_000_000_000
"""pkg/apis/scheduling/types.go (HighestUserDefinablePriority)"""

_BUILT_IN = ("system-node-critical", "system-cluster-critical")


def priority_class_reserved(one: View, profile: Profile) -> Iterator[Hit]:
    """A class with a name or value that is the system's (pkg/apis/scheduling/validation/validation.go)."""
    value, name = integer(one.data.get("value")), one.name or ""
    if name.startswith("system-"):
        if name not in _BUILT_IN:
            yield Hit(one.at("metadata", "name"), message="name", name=name)
    elif value is not None and value > _HIGHEST:
        depends = (one.at("metadata", "name"),)
        yield Hit(one.at("value"), message="value", depends=depends, value=value, limit=_HIGHEST)


# --- What the API server refuses


def toleration_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Tolerations whose fields do not fit together."""
    yield from placement.toleration_invalid(workload, profile)


def node_affinity_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """Requirements of node affinity, of pods or of a volume: operators, and how many values they take."""
    yield from placement.node_affinity_invalid(view, profile)


def match_label_keys_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`matchLabelKeys` and `mismatchLabelKeys` against the selector beside them."""
    yield from placement.match_label_keys_invalid(workload, profile)


def topology_spread_min_domains(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`minDomains` of a constraint that does not hold pods back."""
    yield from placement.topology_spread_min_domains(workload, profile)


def scheduling_gate_node_name(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """A Pod that is on a node already and yet waits to be scheduled."""
    yield from placement.scheduling_gate_node_name(workload, profile)


def priority_value_set(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """The number that admission computes from the priority class."""
    yield from placement.priority_value_set(workload, profile)
