"""Checks of NetworkPolicies: whether anything enforces them, what they select, and what they cut off."""

from __future__ import annotations

from collections.abc import Iterator

from kubelint_ack.facts import PolicyFact, PolicyPeer, PolicyPort, PolicyRule, WorkloadFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project, same_namespace
from kubelint_ack.records import Hit, Related, Severity, at
from kubelint_ack.values import Selector, cidr, matches, nearest, selector_text
from kubelint_ack.views import View

# --- Enforcement


def netpol_on_flannel(policy: View, profile: Profile) -> Iterator[Hit]:
    """Any policy in a cluster with Flannel."""
    # Elsewhere a second plug-in may enforce policies beside Flannel; ACK has none.
    if profile.cni == "flannel" and profile.provider in (None, "ack"):
        yield Hit(policy.at("kind"), policy=policy.name)


_EXCLUSIVE = ("k8s.aliyun.com/exclusive-mode-eni-type", "eniOnly")
"""The label of nodes whose pods have a network interface of their own."""


def netpol_on_exclusive_eni(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A policy for pods that have a network interface of their own."""
    if profile.terway.mode == "exclusive-eni":
        yield Hit(at("kind"), policy=policy.resource.id.name)
        return
    exclusive = [
        workload
        for workload in project.select(policy.pods, policy).workloads
        if not workload.host_network and _is_exclusive(workload, profile)
    ]
    if exclusive:
        first = exclusive[0]
        yield Hit(
            policy.pods_at,
            message="workload",
            related=tuple(Related(one.resource.name_at, of=one, note="workload") for one in exclusive[:3]),
            policy=policy.resource.id.name,
            kind=first.kind,
            workload=first.resource.id.name,
        )


def _is_exclusive(workload: WorkloadFact, profile: Profile) -> bool:
    """Whether the pods ask for exclusive-ENI nodes, by their label or by labels that only pools of such nodes have."""
    wanted = workload.node_selector
    if wanted.get(_EXCLUSIVE[0]) == _EXCLUSIVE[1]:
        return True
    pools = [pool.labels or {} for pool in profile.node_pools or ()]
    fitting = [labels for labels in pools if all(labels.get(key) == value for key, value in wanted.items())]
    return bool(wanted and fitting) and all(labels.get(_EXCLUSIVE[0]) == _EXCLUSIVE[1] for labels in fitting)


# --- Selection


def netpol_selects_nothing(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A policy whose selector no workload's pods match."""
    if policy.pods.empty or project.is_patched(policy, "spec", "podSelector"):
        return
    selected = project.select(policy.pods, policy)
    message, severity = "default", selected.severity
    if selected.missing:
        near = _nearest(policy, project)
    elif selected.unseen:
        message, severity = "namespace", "info"
        near = _in_other_namespace(policy, project)
        if near is None:
            return
    else:
        return
    yield Hit(
        policy.pods_at,
        message=message,
        severity=severity,
        related=(Related(near.labels_at, of=near, note="nearest"),) if near else (),
        policy=policy.resource.id.name,
        selector=selector_text(policy.pods),
        namespace=project.namespace(policy),
        other=project.namespace(near) if near else "",
    )


def _nearest(policy: PolicyFact, project: Project) -> WorkloadFact | None:
    """The workload in the policy's namespace whose pods' labels are most like the selector."""
    candidates: dict[str, WorkloadFact] = {}
    for workload in project.workloads:
        if same_namespace(project.namespace(workload), project.namespace(policy)):
            labels = project.pod_labels(workload)
            pairs = [f"{key}={labels[key]}" for key, _ in policy.pods.match_labels if labels.get(key)]
            if pairs:
                candidates.setdefault(",".join(pairs), workload)
    found = nearest(selector_text(policy.pods), candidates)
    return candidates[found] if found else None


def _in_other_namespace(policy: PolicyFact, project: Project) -> WorkloadFact | None:
    """The workload that would be selected in another namespace, where none is kept for the policy's own."""
    for workload in project.workloads:
        if matches(policy.pods, project.pod_labels(workload)):
            same = same_namespace(project.namespace(workload), project.namespace(policy))
            return workload if same is False else None
    return None


# --- Name resolution

# On which the DNS of a cluster listens; OpenShift's pods use the second.
_DNS_PORTS = (53, 5353)
_DNS_NAMESPACE = {"kubernetes.io/metadata.name": "kube-system"}
_DNS_LABELS = {"k8s-app": "kube-dns"}
# Other kinds of policies, whose rules add to those of NetworkPolicies.
_OTHER_POLICIES = frozenset(
    {
        "CiliumNetworkPolicy",
        "CiliumClusterwideNetworkPolicy",
        "GlobalNetworkPolicy",
        "AdminNetworkPolicy",
        "BaselineAdminNetworkPolicy",
        "ClusterNetworkPolicy",
    }
)


def netpol_egress_without_dns(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A policy that lets pods open connections, but not ask the DNS for names."""
    # Who allows nothing at all means it, and other policies say what is allowed.
    if "Egress" not in policy.types or not policy.egress or project.is_patched(policy, "spec"):
        return
    if _may_resolve(policy, project) or project.may_hide("NetworkPolicy"):
        return
    if any(resource.family[1] in _OTHER_POLICIES for resource in project.resources):
        return
    selected = project.select(policy.pods, policy)
    if selected.missing or (selected.workloads and not any(_asks_dns(one) for one in selected.workloads)):
        return
    others = [
        other
        for other in project.policies
        if other is not policy
        and "Egress" in other.types
        and same_namespace(project.namespace(other), project.namespace(policy)) is not False
        and (project.is_patched(other, "spec") or _may_resolve(other, project))
    ]
    if selected.workloads:
        cut_off = [one for one in selected.workloads if _asks_dns(one) and not _is_selected(one, others, project)]
        if not cut_off:
            return
    elif any(_may_include(other.pods, policy.pods) for other in others):
        return
    else:
        cut_off = []
    wrong = [rule for rule in policy.egress if _names_dns(rule)]
    message, severity = _wording(policy, wrong)
    yield Hit(
        policy.egress_at,
        message=message,
        severity=severity,
        related=(
            *(Related(rule.at, note="rule") for rule in wrong[:1]),
            *(Related(one.labels_at, of=one, note="workload") for one in cut_off[:3]),
        ),
        policy=policy.resource.id.name,
        namespace=project.namespace(policy),
    )
