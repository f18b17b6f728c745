"""Whether rules of NetworkPolicies lead to the DNS of a cluster, or were written to.

The DNS is rarely in the input, and where it listens differs: what may lead to it is taken to.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubelint_ack.facts import PolicyFact, PolicyPeer, PolicyPort, PolicyRule
from kubelint_ack.queries.reach import Reach
from kubelint_ack.records import Severity
from kubelint_ack.values import Selector, cidr, matches, overlap, selector_text

# On which the DNS of a cluster listens; OpenShift's pods use the second.
_PORTS = (53, 5353)
_NAMESPACE = {"kubernetes.io/metadata.name": "kube-system"}
_LABELS = {"k8s-app": "kube-dns"}
_NAMES = ("kube-dns", "coredns")

# Where addresses of pods, Services and Alibaba Cloud's own DNS servers come from.
_INNER = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_RESOLVERS = frozenset({"169.254.20.10/32", "100.100.2.136/32", "100.100.2.138/32"})
"""NodeLocal DNSCache and the DNS servers of a VPC."""


def may_resolve(policy: PolicyFact, namespace: str | None) -> bool:
    """Whether some egress rule of a policy in that namespace may let its pods ask the DNS by UDP."""
    return any(_leads_there(rule, namespace == "kube-system") for rule in policy.egress)


def _leads_there(rule: PolicyRule, at_home: bool) -> bool:
    if not rule.known:
        return True
    if rule.ports is not None and not any(port.protocol == "UDP" and _may_be_port(port) for port in rule.ports):
        return False
    meant = rule.ports is not None and any(names_dns_port(port) for port in rule.ports)
    return rule.peers is None or any(_may_be_dns(peer, meant, at_home) for peer in rule.peers)


def _may_be_port(port: PolicyPort) -> bool:
    if isinstance(port.port, int):
        return any(port.port <= number <= (port.end_port or port.port) for number in _PORTS)
    return port.port is None or names_dns_port(port)


def names_dns_port(port: PolicyPort) -> bool:
    """Whether a port is written for the DNS: by its number or name, not by a range or as any port."""
    if isinstance(port.port, str):
        return port.port.startswith(("dns", "domain")) or port.port in map(str, _PORTS)
    return port.port in _PORTS and not port.end_port


def _may_be_dns(peer: PolicyPeer, meant: bool, at_home: bool) -> bool:
    """Whether a peer may be the DNS; `meant`: its rule is written for the port of the DNS."""
    if peer.cidr is not None:
        return meant or is_wide(peer.cidr)
    if peer.pods is None and peer.namespaces is None:
        return True
    if peer.namespaces is None and not at_home:
        # Pods of the policy's own namespace: a DNS of their own, but never that of the cluster.
        return meant and not _is_cluster_dns(peer)
    if meant:
        return True
    home = peer.namespaces is None or matches(peer.namespaces, _NAMESPACE) is not False
    if not home and "kube-system" not in selector_text(peer.namespaces or Selector()):
        return False
    return peer.pods is None or matches(peer.pods, _LABELS) is not False or "dns" in selector_text(peer.pods)


def is_wide(block: str) -> bool:
    """Whether an address block may hold the DNS; 256 addresses or fewer are taken for those of certain servers."""
    network = cidr(block)
    if network is None or block in _RESOLVERS:
        return True
    return network.max_prefixlen - network.prefixlen > 8 and any(overlap(network, inner) for inner in _INNER)


def _is_cluster_dns(peer: PolicyPeer) -> bool:
    """Whether a peer of the own namespace was written for the DNS of the cluster."""
    return peer.pods is not None and (peer.pods.empty or any(name in selector_text(peer.pods) for name in _NAMES))


def some_may_resolve(policies: Iterable[tuple[PolicyFact, bool]], answers: Reach) -> bool:
    """Whether one of the policies that select some pods may let them ask the DNS."""
    return any(
        answers.project.is_patched(one, "spec") or may_resolve(one, answers.project.namespace(one))
        for one, _ in policies
    )


def why_not(rules: tuple[PolicyRule, ...]) -> tuple[str, Severity | None, PolicyRule | None]:
    """Why no rule leads to the DNS: wording, severity, and the rule that was written for it."""
    for rule in rules:
        meant = [port for port in rule.ports or () if names_dns_port(port)]
        if meant and not any(port.protocol == "UDP" for port in meant):
            return "tcp", None, rule
        if meant:
            return "own-namespace", None, rule
    peers = [peer for rule in rules for peer in rule.peers or (None,)]
    if all(peer is not None and peer.cidr is not None and not is_wide(peer.cidr) for peer in peers):
        return "addresses", "info", None
    return "default", None, None
