"""Who enforces NetworkPolicies in a cluster, as its profile says, and which pods are out of its reach."""

from __future__ import annotations

from kubelint_ack.ack import network_plugins
from kubelint_ack.facts import WorkloadFact
from kubelint_ack.profile import Profile
from kubelint_ack.values import at_least

_EXCLUSIVE = ("k8s.aliyun.com/exclusive-mode-eni-type", "eniOnly")
"""The label of nodes whose pods have a network interface of their own."""


def is_enforced(profile: Profile) -> bool | None:
    """Whether the network plug-in of a cluster enforces policies; None if that is not declared."""
    terway = profile.terway
    found = network_plugins().answer("network-policy", profile.cni, terway.mode, terway.data_path)
    if found == "no":
        return False
    return terway.network_policy if profile.cni == "terway" else None


def engine(profile: Profile) -> str | None:
    """What enforces policies: felix, cilium or ebpf; None if that cannot be known."""
    terway = profile.terway
    found = network_plugins().answer("policy-engine", profile.cni, terway.mode, terway.data_path)
    # https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/use-network-policies
    if found is None and profile.cni == "terway" and at_least(terway.initial_version, "1.9.0"):
        return "ebpf"
    return found


def is_exclusive(workload: WorkloadFact, profile: Profile) -> bool:
    """Whether the pods ask for exclusive-ENI nodes, by their label or by labels that only pools of such nodes have."""
    wanted = workload.node_selector
    if wanted.get(_EXCLUSIVE[0]) == _EXCLUSIVE[1]:
        return True
    pools = [pool.labels or {} for pool in profile.node_pools or ()]
    fitting = [labels for labels in pools if all(labels.get(key) == value for key, value in wanted.items())]
    return bool(wanted and fitting) and all(labels.get(_EXCLUSIVE[0]) == _EXCLUSIVE[1] for labels in fitting)


def is_on_eci(workload: WorkloadFact) -> bool:
    """Whether the pods ask for elastic container instances."""
    return (
        workload.labels.get("alibabacloud.com/eci") == "true"
        or workload.node_selector.get("type") == "virtual-kubelet"
        or workload.annotations.get("k8s.aliyun.com/eci-vnode") is not None
    )
