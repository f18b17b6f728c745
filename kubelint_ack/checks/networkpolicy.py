"""Checks of NetworkPolicies: whether anything enforces them, what they select, and what they cut off."""

from __future__ import annotations

from collections.abc import Iterator

from kubelint_ack.apiserver import networking as refused
from kubelint_ack.facts import PolicyFact, PolicyPeer, PolicyPort, PolicyRule, WorkloadFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project, same_namespace
from kubelint_ack.records import Hit, Related, Severity
from kubelint_ack.values import Selector, cidr, matches, overlap, selector_text
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
        yield Hit(policy.pods_at, policy=policy.resource.id.name)
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
        near = project.nearest_workload(policy.pods, policy)
    elif selected.unseen:
        message, severity = "namespace", "info"
        near = project.workload_elsewhere(policy.pods, policy)
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
    message, severity, rule = _wording(policy.egress)
    yield Hit(
        policy.egress_at,
        message=message,
        severity=severity,
        related=(
            *((Related(rule.at, note="rule"),) if rule else ()),
            *(Related(one.labels_at, of=one, note="workload") for one in cut_off[:3]),
        ),
        policy=policy.resource.id.name,
    )


def _asks_dns(workload: WorkloadFact) -> bool:
    """Whether a policy can come between its pods and the DNS of the cluster."""
    return not workload.host_network and workload.dns_policy != "None"


def _is_selected(workload: WorkloadFact, policies: list[PolicyFact], project: Project) -> bool:
    labels = project.pod_labels(workload)
    return any(matches(policy.pods, labels) is not False for policy in policies)


def _may_include(wide: Selector, narrow: Selector) -> bool:
    """Whether all pods that one selects may be selected by the other, as far as the selectors alone can tell."""
    return wide.unknown or (
        set(wide.match_labels) <= set(narrow.match_labels) and set(wide.expressions) <= set(narrow.expressions)
    )


def _may_resolve(policy: PolicyFact, project: Project) -> bool:
    """Whether some egress rule may let the pods ask the DNS."""
    at_home = project.namespace(policy) == _DNS_NAMESPACE["kubernetes.io/metadata.name"]
    return any(_allows_dns(rule, at_home) for rule in policy.egress)


def _allows_dns(rule: PolicyRule, at_home: bool) -> bool:
    """Whether a rule may lead to the DNS by UDP; `at_home`: its pods are in the namespace of the DNS."""
    if not rule.known:
        return True
    if rule.ports is not None and not any(port.protocol == "UDP" and _is_dns_port(port) for port in rule.ports):
        return False
    meant = rule.ports is not None and any(_names_dns_port(port) for port in rule.ports)
    return rule.peers is None or any(_may_be_dns(peer, meant, at_home) for peer in rule.peers)


def _is_dns_port(port: PolicyPort) -> bool:
    if isinstance(port.port, int):
        return any(port.port <= number <= (port.end_port or port.port) for number in _DNS_PORTS)
    return port.port is None or _names_dns_port(port)


def _names_dns_port(port: PolicyPort) -> bool:
    """Whether a port is written for the DNS: by its number or name, not by a range or as any port."""
    if isinstance(port.port, str):
        return port.port.startswith(("dns", "domain")) or port.port in map(str, _DNS_PORTS)
    return port.port in _DNS_PORTS and not port.end_port


def _may_be_dns(peer: PolicyPeer, meant: bool, at_home: bool) -> bool:
    """Whether a peer may be the DNS; `meant`: its rule is written for the port of the DNS."""
    if peer.cidr is not None:
        return meant or _is_wide(peer.cidr)
    if peer.pods is None and peer.namespaces is None:
        return True
    if peer.namespaces is None and not at_home:
        # Pods of the policy's own namespace: a DNS of their own, but never that of the cluster.
        return meant and not _is_cluster_dns(peer)
    if meant:
        return True
    home = peer.namespaces is None or matches(peer.namespaces, _DNS_NAMESPACE) is not False
    if not home and "kube-system" not in selector_text(peer.namespaces or Selector()):
        return False
    return peer.pods is None or matches(peer.pods, _DNS_LABELS) is not False or "dns" in selector_text(peer.pods)


# Where addresses of pods, Services and Alibaba Cloud's own DNS servers come from.
_INNER = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_RESOLVERS = frozenset({"169.254.20.10/32", "100.100.2.136/32", "100.100.2.138/32"})
"""NodeLocal DNSCache and the DNS servers of a VPC."""


def _is_wide(block: str) -> bool:
    """Whether an address block may hold the DNS; 256 addresses or fewer are taken for those of certain servers."""
    network = cidr(block)
    if network is None or block in _RESOLVERS:
        return True
    return network.max_prefixlen - network.prefixlen > 8 and any(overlap(network, inner) for inner in _INNER)


def _is_cluster_dns(peer: PolicyPeer) -> bool:
    """Whether a peer of the own namespace was written for the DNS of the cluster."""
    return peer.pods is not None and (peer.pods.empty or any(name in selector_text(peer.pods) for name in _DNS_NAMES))


_DNS_NAMES = ("kube-dns", "coredns")


def _wording(rules: tuple[PolicyRule, ...]) -> tuple[str, Severity | None, PolicyRule | None]:
    """Why no rule leads to the DNS: wording, severity, and the rule that was written for it."""
    for rule in rules:
        meant = [port for port in rule.ports or () if _names_dns_port(port)]
        if meant and not any(port.protocol == "UDP" for port in meant):
            return "tcp", None, rule
        if meant:
            return "own-namespace", None, rule
    peers = [peer for rule in rules for peer in rule.peers or (None,)]
    if all(peer is not None and peer.cidr is not None and not _is_wide(peer.cidr) for peer in peers):
        return "addresses", "info", None
    return "default", None, None


# --- What the API server refuses


def netpol_peer_invalid(policy: View, profile: Profile) -> Iterator[Hit]:
    """Peers that are nothing, or two things at once."""
    yield from refused.peers(policy)


def netpol_end_port_invalid(policy: View, profile: Profile) -> Iterator[Hit]:
    """Ranges of ports that have no beginning or end before it."""
    yield from refused.end_ports(policy)


def netpol_ip_block_invalid(policy: View, profile: Profile) -> Iterator[Hit]:
    """Address ranges that are none, and exceptions outside of theirs."""
    yield from refused.ip_blocks(policy)
