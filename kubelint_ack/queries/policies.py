"""What NetworkPolicies mean beside each other: which rules hold others, which ports pods have, who is selected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from kubelint_ack.facts import PolicyFact, PolicyPeer, PolicyPort, PolicyRule, ResourceFact, ServiceFact, WorkloadFact
from kubelint_ack.ports import NO_PORT, Ports, some_ports
from kubelint_ack.project import Project, workloads_by_namespace
from kubelint_ack.queries.reach import Block, Direction, Reach, block, reach
from kubelint_ack.values import cidr, nearest

DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")


def rules_of(policy: PolicyFact, direction: Direction) -> tuple[PolicyRule, ...]:
    """The rules of a policy in a direction that it restricts; none where it does not."""
    if not policy.types_known or direction.capitalize() not in policy.types:
        return ()
    return policy.ingress if direction == "ingress" else policy.egress


def blocks_of(policy: PolicyFact) -> Iterator[tuple[PolicyPeer, PolicyRule, Direction]]:
    """The address blocks of a policy, in the directions that it restricts."""
    for direction in DIRECTIONS:
        for rule in rules_of(policy, direction):
            for peer in rule.peers or ():
                if peer.cidr is not None:
                    yield peer, rule, direction


def inside(one: str, ranges: Iterable[str | None]) -> bool:
    """Whether a block lies in one of the ranges."""
    own = block(one)
    return own is not None and any(_holds(block(each), own) for each in ranges if each)


def meets(one: str, ranges: Iterable[str | None]) -> bool:
    """Whether a block shares an address with one of the ranges."""
    own = block(one)
    for each in ranges:
        other = block(each) if each else None
        if own and other and own.version == other.version and own.first <= other.last and other.first <= own.last:
            return True
    return False


def leaves_out(peer: PolicyPeer, ranges: Iterable[str | None]) -> bool:
    """Whether the exceptions of a block take out every range that it meets."""
    met = [each for each in ranges if each and meets(peer.cidr or "", (each,))]
    return bool(met) and all(inside(each, peer.excepted) for each in met)


def _holds(outer: Block | None, inner: Block) -> bool:
    return (
        outer is not None and outer.version == inner.version and outer.first <= inner.first and inner.last <= outer.last
    )


# --- Rules beside each other


def holds(rule: PolicyRule, other: PolicyRule) -> bool:
    """Whether a rule surely allows all that another of the same policy and direction does."""
    if not (rule.known and other.known):
        return False
    if rule.peers is not None and (
        other.peers is None or not all(any(_peer_holds(one, each) for one in rule.peers) for each in other.peers)
    ):
        return False
    if rule.ports is None:
        return True
    return other.ports is not None and all(any(_port_holds(one, each) for one in rule.ports) for each in other.ports)


def _peer_holds(peer: PolicyPeer, other: PolicyPeer) -> bool:
    if peer.cidr is not None or other.cidr is not None:
        own, inner = cidr(peer.cidr), cidr(other.cidr)
        if own is None or inner is None or own.version != inner.version or not inside(str(inner), (str(own),)):
            return False
        return all(not meets(str(inner), (each,)) or inside(each, other.excepted) for each in peer.excepted)
    if (peer.namespaces is None) != (other.namespaces is None):
        return False
    if peer.namespaces is not None and not (peer.namespaces.empty or peer.namespaces == other.namespaces):
        return False
    if peer.pods is None and peer.namespaces is None:
        return False
    # A peer without a podSelector means every pod of the namespaces.
    return peer.pods is None or peer.pods.empty or peer.pods == other.pods


def _port_holds(port: PolicyPort, other: PolicyPort) -> bool:
    if port.protocol != other.protocol:
        return False
    if port.port is None:
        return True
    if isinstance(port.port, int) and isinstance(other.port, int):
        return port.port <= other.port and (other.end_port or other.port) <= (port.end_port or port.port)
    return port.port == other.port


def opens_everything(rule: PolicyRule) -> bool:
    """Whether a rule allows every port to or from everybody."""
    return rule.known and rule.peers is None and rule.ports is None


# --- Pods


def namespaces_of(project: Project) -> list[ResourceFact]:
    """The Namespaces of a project: ask `project.once` for it."""
    return [fact for fact in project.resources if fact.family == ("", "Namespace") and fact.id.name]


def peer_workloads(peer: PolicyPeer, policy: PolicyFact, answers: Reach) -> list[WorkloadFact]:
    """The workloads that a peer surely means."""
    if peer.pods is None:
        return []
    project = answers.project
    candidates: Iterable[WorkloadFact] = project.labelled(peer.pods)
    if peer.namespaces is None:
        candidates = project.once(workloads_by_namespace).get(project.namespace(policy), ())
    return [one for one in candidates if answers.is_peer(peer, policy, answers.pods(one))]


def listening(workload: WorkloadFact) -> Ports | None:
    """The ports that its containers declare; None where they declare none, or some are unknown."""
    found = NO_PORT
    for one in workload.containers:
        if not one.ports_known:
            return None
        if one.role in ("main", "sidecar"):
            for port in one.ports:
                found = found.union(some_ports(port.protocol, port.number or 0, port.number or 0))
    return None if found.empty else found


def services_of(workload: WorkloadFact, project: Project) -> Iterator[ServiceFact]:
    """The Services that surely select a workload's pods."""
    yield from project.once(_services_by_workload).get(id(workload), ())


def _services_by_workload(project: Project) -> dict[int, list[ServiceFact]]:
    found: dict[int, list[ServiceFact]] = {}
    for service in project.services:
        if service.selector is not None and not service.selector.empty:
            for workload in project.select(service.selector, service).workloads:
                found.setdefault(id(workload), []).append(service)
    return found


def target_ports(service: ServiceFact, workload: WorkloadFact) -> Iterator[tuple[int | None, int, str]]:
    """(port of the Service, port of the pods, protocol) for each port whose target is known."""
    for port in service.ports:
        if isinstance(port.target, int):
            yield port.port, port.target, port.protocol
            continue
        for container in workload.containers:
            for one in container.ports:
                if one.name == port.target and one.number is not None and one.protocol == port.protocol:
                    yield port.port, one.number, port.protocol


def targets_of(policy: PolicyFact, rule: PolicyRule, direction: Direction, project: Project) -> list[WorkloadFact]:
    """The workloads to which a rule is about connections; none where there may be others."""
    if direction == "ingress":
        selected = project.select(policy.pods, policy)
        return list(selected.workloads) if selected.exhaustive else []
    found: list[WorkloadFact] = []
    for peer in rule.peers or ():
        # Pods of other namespaces are seldom all in the input.
        if peer.cidr is not None or peer.namespaces is not None or peer.pods is None or peer.pods.empty:
            return []
        selected = project.select(peer.pods, policy)
        if not selected.exhaustive:
            return []
        found.extend(selected.workloads)
    return found


def may_have_port(workload: WorkloadFact, port: PolicyPort, project: Project) -> bool:
    """Whether one of its containers may have the named port."""
    return project.is_patched(workload, *workload.labels_at.route[:-2], "spec") or any(
        not one.ports_known or any(each.name == port.port and each.protocol == port.protocol for each in one.ports)
        for one in workload.containers
    )


def service_in_front(
    workload: WorkloadFact, port: PolicyPort, project: Project
) -> tuple[ServiceFact, WorkloadFact, int] | None:
    """The Service that maps a port to another one of a workload, which declares its ports and not that."""
    own = listening(workload)
    if own is None or not isinstance(port.port, int) or own.has(port.protocol, port.port):
        return None
    for service in services_of(workload, project):
        for number, target, protocol in target_ports(service, workload):
            if number == port.port != target and protocol == port.protocol:
                return service, workload, target
    return None


def is_slip(pairs: set[tuple[str, str]], labels: Mapping[str, object]) -> bool:
    """Whether labels differ from those asked for by a slip of the pen: alike, and under the same keys."""
    differing = [(key, value) for key, value in pairs if labels.get(key) != value]
    found = [(value, labels.get(key)) for key, value in differing]
    return bool(found) and all(isinstance(own, str) and nearest(value, [own], 0.8) for value, own in found)


# --- Health checks of load balancers


class Blocked(NamedTuple):
    """A port behind a load balancer that its health checks cannot reach."""

    service: ServiceFact
    workload: WorkloadFact
    port: int


HEALTH_CHECKS = "100.64.0.0/10"
"""Where a CLB's health checks come from.

https://www.alibabacloud.com/help/en/slb/classic-load-balancer/user-guide/clb-health-checks
"""


def blocked_health_checks(project: Project) -> dict[int, Blocked]:
    """For each policy, by its id, the first port behind a CLB that it closes to health checks.

    Of several policies that close a port it is the first that has rules of its own.
    """
    found: dict[int, Blocked] = {}
    answers = reach(project)
    source = block(HEALTH_CHECKS)
    if source is None or answers.hidden:
        return found
    for service in project.services:
        if service.load_balancer != "clb" or service.selector is None:
            continue
        for workload in project.select(service.selector, service).workloads:
            pods = answers.pods(workload)
            side = answers.side(pods, source, "ingress")
            if not side.isolated:
                continue
            for _, port, protocol in target_ports(service, workload):
                if not side.perhaps.has(protocol, port):
                    blame = next((one for one in side.policies if one.ingress), side.policies[0])
                    found.setdefault(id(blame), Blocked(service, workload, port))
                    break
    return found
