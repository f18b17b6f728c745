"""Which pods may open connections to which, by the NetworkPolicies of one target.

Policies add up: a pod that none selects in a direction may do everything in it; one that some select may do what one
of them allows. A connection needs both: the egress of its source and the ingress of its target. Every answer has two
sets of ports: those that are surely open, and those that perhaps are, where labels, namespaces or policies are not
known before rendering or lie outside the input.

https://kubernetes.io/docs/concepts/services-networking/network-policies/ and the description of the API in
k8s.io/api/networking/v1/types.go.
"""

# As in records.py, annotations are not postponed.

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple

from kubelint_ack.existence import FURTHER_LABELS, same_namespace
from kubelint_ack.facts import PolicyFact, PolicyPeer, PolicyPort, PolicyRule, WorkloadFact
from kubelint_ack.ports import EVERY_PORT, NO_PORT, Ports, some_ports
from kubelint_ack.project import Project
from kubelint_ack.values import address, cidr, matches

Direction = Literal["ingress", "egress"]

OTHER_POLICIES = frozenset(
    {
        "CiliumNetworkPolicy",
        "CiliumClusterwideNetworkPolicy",
        "GlobalNetworkPolicy",
        "AdminNetworkPolicy",
        "BaselineAdminNetworkPolicy",
        "ClusterNetworkPolicy",
    }
)
"""Kinds of policies whose rules add to those of NetworkPolicies, or go before them."""


class Pods:
    """Pods that no policy can tell apart: of a workload, or unknown ones of which only some labels are known."""

    __slots__ = ("host_network", "labels", "named", "namespace", "namespace_labels", "ports_known")

    def __init__(
        self,
        namespace: str | None,
        labels: Mapping[Any, Any],
        namespace_labels: Mapping[Any, Any],
        named: tuple[tuple[str, int | None, str], ...] = (),
        *,
        ports_known: bool = True,
        host_network: bool = False,
    ) -> None:
        self.namespace = namespace
        self.labels = labels
        self.namespace_labels = namespace_labels
        self.named = named
        """(name, number, protocol) of their containers' ports, by which rules may name them."""
        self.ports_known = ports_known
        self.host_network = host_network


ANYBODY = Pods("*", FURTHER_LABELS, FURTHER_LABELS, ports_known=False)
"""Some pod of the cluster of which nothing is known, in a namespace that is not in the input."""


class Block(NamedTuple):
    """A stretch of addresses outside the cluster."""

    version: int
    first: int
    last: int

    def texts(self) -> list[str]:
        """The stretch as CIDRs."""
        from ipaddress import IPv4Address, IPv6Address, summarize_address_range

        if self.version == 4:
            return [str(one) for one in summarize_address_range(IPv4Address(self.first), IPv4Address(self.last))]
        return [str(one) for one in summarize_address_range(IPv6Address(self.first), IPv6Address(self.last))]


def block(text: str) -> Block | None:
    """The stretch of a CIDR or a single address; None if it is neither."""
    network = cidr(text)
    if network is not None:
        return Block(network.version, int(network.network_address), int(network.broadcast_address))
    single = address(text)
    return None if single is None else Block(single.version, int(single), int(single))


ALL_IPV4 = Block(4, 0, 2**32 - 1)
ALL_IPV6 = Block(6, 0, 2**128 - 1)


class Grant(NamedTuple):
    """A rule that lets the other end of a connection through."""

    policy: PolicyFact
    rule: PolicyRule
    sure: Ports
    perhaps: Ports


class Side(NamedTuple):
    """What the policies of one end allow towards the other."""

    isolated: bool | None
    """Whether some policy selects the pods in this direction; None if that is not known."""
    policies: tuple[PolicyFact, ...]
    """Those that select them, surely or perhaps."""
    grants: tuple[Grant, ...]
    sure: Ports
    perhaps: Ports


OPEN = Side(False, (), (), EVERY_PORT, EVERY_PORT)


class End(NamedTuple):
    """A workload as an end of connections; bare Pods of one controller are one."""

    kind: str
    namespace: str | None
    name: str
    pods: tuple[Pods, ...]
    facts: tuple[WorkloadFact, ...]

    @property
    def label(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Connection(NamedTuple):
    """What one end may open to another."""

    sure: Ports
    perhaps: Ports
    egress: Side
    """Of the source."""
    ingress: Side
    """Of the target."""


_ByLabel = dict[tuple[str, str] | None, list[tuple[int, PolicyFact]]]
"""Policies with their number, by a label that they ask for; None: they ask for none."""


class Reach:
    """The answers for one project."""

    def __init__(self, project: Project, home: str | None = None) -> None:
        """`home` is the namespace of what names none; None: it is left open."""
        self.project = project
        self._home = home
        self._shapes: dict[Any, Pods] = {}
        self._pods_of: dict[int, Pods] = {}
        self._sides: dict[tuple[int, Direction], tuple[tuple[PolicyFact, bool], ...]] = {}
        self._met: dict[tuple[int, int], bool | None] = {}
        self._policies: dict[Direction, list[PolicyFact]] = {"ingress": [], "egress": []}
        self._index: dict[tuple[Direction, str | None], _ByLabel] = {}
        for number, policy in enumerate(project.policies):
            for direction, own in self._policies.items():
                if direction.capitalize() in policy.types or not policy.types_known:
                    own.append(policy)
                    pair = None if project.is_patched(policy, "spec") else next(iter(policy.pods.match_labels), None)
                    by_label = self._index.setdefault((direction, self.namespace(policy)), {})
                    by_label.setdefault(pair, []).append((number, policy))

    @cached_property
    def hidden(self) -> bool:
        """Whether policies may be where nobody can look, or of kinds that add to NetworkPolicies."""
        return self.project.may_hide("NetworkPolicy") or any(
            resource.family[1] in OTHER_POLICIES for resource in self.project.resources
        )

    def namespace(self, fact: Any) -> str | None:
        """The namespace of a fact's resource."""
        return self.project.namespace(fact) or self._home

    def pods(self, workload: WorkloadFact) -> Pods:
        """The pods of a workload."""
        known = self._pods_of.get(id(workload))
        if known is None:
            project, namespace = self.project, self.namespace(workload)
            labels = project.pod_labels(workload)
            if project.is_patched(workload, *workload.labels_at.route):
                labels = {**labels, **FURTHER_LABELS}
            running = [one for one in workload.containers if one.role in ("main", "sidecar")]
            named = tuple((port.name, port.number, port.protocol) for one in running for port in one.ports if port.name)
            ports_known = all(one.ports_known for one in running)
            shape = (namespace, tuple(labels.items()), named, ports_known, workload.host_network)
            known = self._shapes.get(shape)
            if known is None:
                known = Pods(
                    namespace,
                    labels,
                    project.namespace_labels(namespace),
                    named,
                    ports_known=ports_known,
                    host_network=workload.host_network,
                )
                self._shapes[shape] = known
            self._pods_of[id(workload)] = known
        return known

    def chosen(self, policy: PolicyFact) -> Pods:
        """Pods of which only this is known: a policy selects them."""
        namespace = self.namespace(policy)
        labels = {**FURTHER_LABELS, **dict(policy.pods.match_labels)}
        return Pods(namespace, labels, self.project.namespace_labels(namespace), ports_known=False)

    def ends(self) -> list[End]:
        """All workloads of the input, in their order."""
        found: dict[tuple[str, str | None, str], list[WorkloadFact]] = {}
        for workload in self.project.workloads:
            name = workload.resource.id.name
            if name and workload.resource.family[1] != "PodTemplate":
                kind, name = workload.owner or (workload.kind, name)
                found.setdefault((kind, self.namespace(workload), name), []).append(workload)
        return [
            End(kind, namespace, name, tuple(dict.fromkeys(self.pods(one) for one in facts)), tuple(facts))
            for (kind, namespace, name), facts in found.items()
        ]

    def policies(self, pods: Pods, direction: Direction) -> tuple[tuple[PolicyFact, bool], ...]:
        """The policies that select pods in a direction, and whether surely."""
        key = (id(pods), direction)
        known = self._sides.get(key)
        if known is None:
            self._shapes.setdefault(key, pods)  # keeps its id from being given again
            known = () if pods.host_network else tuple(self._selecting(pods, direction))
            self._sides[key] = known
        return known

    def _selecting(self, pods: Pods, direction: Direction) -> Iterator[tuple[PolicyFact, bool]]:
        if pods is ANYBODY:
            return
        for policy in self._candidates(pods, direction):
            here = same_namespace(self.namespace(policy), pods.namespace)
            selected = matches(policy.pods, pods.labels)
            vague = self.project.is_patched(policy, "spec")
            if selected is not False or vague:
                yield policy, bool(here and selected and policy.types_known and not vague)

    def _candidates(self, pods: Pods, direction: Direction) -> Iterator[PolicyFact]:
        """The policies that may select pods, by namespace and by the first label that each asks for, in their order."""
        spaces: Iterable[str | None] = (pods.namespace, None)
        if pods.namespace is None:
            spaces = [space for one, space in self._index if one == direction]
        vague = any(not isinstance(part, str) for pair in pods.labels.items() for part in pair)
        found: list[tuple[int, PolicyFact]] = []
        for space in spaces:
            by_label = self._index.get((direction, space), {})
            for pair in by_label if vague else (None, *pods.labels.items()):
                found.extend(by_label.get(pair, ()))
        for _, policy in sorted(found, key=lambda one: one[0]):
            yield policy

    def side(self, pods: Pods, other: Pods | Block, direction: Direction) -> Side:
        """What the policies of pods allow from (ingress) or to (egress) the other end."""
        chosen = self.policies(pods, direction)
        if not chosen:
            return OPEN
        target = pods if direction == "ingress" else other
        grants, least = [], None
        surely = perhaps = NO_PORT
        isolated = any(certain for _, certain in chosen)
        for policy, certain in chosen:
            own = NO_PORT
            vague = self.project.is_patched(policy, "spec")
            rules = policy.ingress if direction == "ingress" else policy.egress
            for rule in rules:
                met = self._meets(rule, policy, other)
                if met is False and rule.known and not vague:
                    continue
                sure, maybe = _rule_ports(rule, target)
                if not rule.known or vague:
                    sure, maybe = NO_PORT, EVERY_PORT
                elif met is None:
                    sure = NO_PORT
                if maybe.empty:
                    continue
                grants.append(Grant(policy, rule, sure if certain else NO_PORT, maybe))
                own = own.union(sure)
                perhaps = perhaps.union(maybe)
            if vague:
                perhaps = EVERY_PORT
            if certain:
                surely = surely.union(own)
            else:
                least = own if least is None else least.meet(own)
        if not isolated:
            # Each of them may be the only one that selects the pods, or none does.
            surely, perhaps = least or NO_PORT, EVERY_PORT
        return Side(True if isolated else None, tuple(policy for policy, _ in chosen), tuple(grants), surely, perhaps)

    def _meets(self, rule: PolicyRule, policy: PolicyFact, other: Pods | Block) -> bool | None:
        """Whether one of a rule's peers is the other end."""
        if rule.peers is None:
            return True
        if isinstance(other, Block):
            return _any(_covers(peer, other) for peer in rule.peers)
        key = (id(rule), id(other))
        if key not in self._met:
            self._shapes.setdefault(key, other)
            self._met[key] = _any(self.is_peer(peer, policy, other) for peer in rule.peers)
        return self._met[key]

    def is_peer(self, peer: PolicyPeer, policy: PolicyFact, other: Pods) -> bool | None:
        """Whether a peer of a policy's rule means pods."""
        if peer.cidr is not None:
            # Blocks are for addresses outside the cluster; those of nodes may be among them.
            return None if other.host_network else False
        if peer.pods is None and peer.namespaces is None:
            return None
        if peer.namespaces is None:
            here = same_namespace(self.namespace(policy), other.namespace)
        else:
            here = matches(peer.namespaces, other.namespace_labels)
        selected = here and (peer.pods is None or matches(peer.pods, other.labels))
        if here is None and peer.pods is not None and matches(peer.pods, other.labels) is False:
            selected = False
        # What selectors find of pods on the network of their node differs between network plug-ins.
        return None if selected and other.host_network else selected

    def between(self, source: Pods | Block, target: Pods | Block) -> Connection:
        """What one end may open to the other; one of them at least is pods."""
        egress = self.side(source, target, "egress") if isinstance(source, Pods) else OPEN
        ingress = self.side(target, source, "ingress") if isinstance(target, Pods) else OPEN
        # Pods and their own node may always talk: with pods on the network of a node it depends on which that is.
        if isinstance(target, Pods) and target.host_network:
            egress = egress._replace(perhaps=EVERY_PORT)
        if isinstance(source, Pods) and source.host_network:
            ingress = ingress._replace(perhaps=EVERY_PORT)
        sure, perhaps = egress.sure.meet(ingress.sure), egress.perhaps.meet(ingress.perhaps)
        return Connection(sure, perhaps, egress, ingress)

    def connection(self, source: End | Pods | Block, target: End | Pods | Block) -> Connection:
        """What one end may open to the other, some of its pods to some of theirs."""
        found: Connection | None = None
        for one in source.pods if isinstance(source, End) else (source,):
            for other in target.pods if isinstance(target, End) else (target,):
                own = self.between(one, other)
                if found is None:
                    found = own
                else:
                    best = own if found.perhaps.empty else found
                    found = Connection(
                        found.sure.union(own.sure), found.perhaps.union(own.perhaps), best.egress, best.ingress
                    )
        return found or Connection(EVERY_PORT, EVERY_PORT, OPEN, OPEN)

    def blocks(self, direction: Direction) -> list[Block]:
        """The addresses outside, divided wherever a rule of that direction makes a difference.

        IPv6 addresses are among them where a rule names some.
        """
        bounds: dict[int, set[int]] = {4: {0, 2**32}}
        for policy in self._policies[direction]:
            for rule in policy.ingress if direction == "ingress" else policy.egress:
                for peer in rule.peers or ():
                    for written in (peer.cidr, *peer.excepted):
                        own = block(written) if written else None
                        if own:
                            limits = bounds.setdefault(own.version, {0, 2**128})
                            limits.update((own.first, own.last + 1))
        return [
            Block(version, first, after - 1)
            for version, limits in sorted(bounds.items())
            for first, after in zip(sorted(limits), sorted(limits)[1:])
        ]


def reach(project: Project) -> Reach:
    """The answers for a project, made once."""
    return project.once(Reach)


def allowed(
    project: Project, source: WorkloadFact | str | None, target: WorkloadFact, port: int, protocol: str = "TCP"
) -> bool | None:
    """Whether policies let a source through to a port of a workload's pods; None: that cannot be known.

    The source is a workload, an address or CIDR outside the cluster, or None: anything outside.
    """
    answers = reach(project)
    end: Pods | Block | None
    if isinstance(source, WorkloadFact):
        end = answers.pods(source)
    else:
        end = ALL_IPV4 if source is None else block(source)
    if end is None:
        return None
    found = answers.between(end, answers.pods(target))
    if found.sure.has(protocol, port) and not answers.hidden:
        return True
    return None if found.perhaps.has(protocol, port) or answers.hidden else False


def _any(answers: Iterable[bool | None]) -> bool | None:
    """True if one is; else None if one cannot be known."""
    found: bool | None = False
    for one in answers:
        if one:
            return True
        if one is None:
            found = None
    return found


def _covers(peer: PolicyPeer, other: Block) -> bool | None:
    """Whether a peer is a stretch of addresses; None: a part of it, or that cannot be known."""
    if peer.cidr is None:
        return False if peer.pods is not None or peer.namespaces is not None else None
    own = block(peer.cidr)
    if own is None:
        return None
    if own.version != other.version or own.last < other.first or other.last < own.first:
        return False
    whole = own.first <= other.first and other.last <= own.last
    for text in peer.excepted:
        without = block(text)
        if without is None:
            whole = False
        elif without.version == other.version and without.first <= other.last and other.first <= without.last:
            if without.first <= other.first and other.last <= without.last:
                return False
            whole = False
    return True if whole else None


def _rule_ports(rule: PolicyRule, target: Pods | Block) -> tuple[Ports, Ports]:
    """The ports of the target that a rule is about, surely and perhaps."""
    if rule.ports is None:
        return EVERY_PORT, EVERY_PORT
    sure = perhaps = NO_PORT
    for port in rule.ports:
        own, maybe = _port(port, target)
        sure, perhaps = sure.union(own), perhaps.union(maybe)
    return sure, perhaps


def _port(port: PolicyPort, target: Pods | Block) -> tuple[Ports, Ports]:
    if port.port is None:
        found = some_ports(port.protocol)
    elif isinstance(port.port, int):
        found = some_ports(port.protocol, port.port, port.end_port or port.port)
    elif isinstance(target, Block):
        # Addresses have no named ports.
        return NO_PORT, NO_PORT
    else:
        found, known = NO_PORT, target.ports_known
        for name, number, protocol in target.named:
            if name == port.port and protocol == port.protocol:
                known = known and number is not None
                if number is not None:
                    found = found.union(some_ports(protocol, number, number))
        return found, found if known else some_ports(port.protocol)
    return found, found
