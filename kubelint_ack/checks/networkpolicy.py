"""Checks of NetworkPolicies: whether anything enforces them, what they select, and what they cut off."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from kubelint_ack.apiserver import networking as refused
from kubelint_ack.facts import PolicyFact, PolicyPeer, PolicyRule, ServiceFact, WorkloadFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.enforcement import engine, is_enforced, is_exclusive, is_on_eci
from kubelint_ack.queries.policies import (
    DIRECTIONS,
    HEALTH_CHECKS,
    blocked_health_checks,
    blocks_of,
    holds,
    inside,
    is_slip,
    leaves_out,
    may_have_port,
    meets,
    namespaces_of,
    opens_everything,
    peer_workloads,
    rules_of,
    service_in_front,
    targets_of,
)
from kubelint_ack.queries.policy_dns import is_wide, may_resolve, some_may_resolve, why_not
from kubelint_ack.queries.reach import Direction, Reach, block, reach
from kubelint_ack.records import FieldPath, Hit, Related
from kubelint_ack.values import matches, selector_text
from kubelint_ack.views import View

# --- Enforcement


def netpol_on_flannel(policy: View, profile: Profile) -> Iterator[Hit]:
    """Any policy in a cluster with Flannel."""
    # Elsewhere a second plug-in may enforce policies beside Flannel; ACK has none.
    if profile.cni == "flannel" and profile.provider in (None, "ack"):
        yield Hit(policy.at("kind"), policy=policy.name)


def netpol_on_exclusive_eni(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A policy for pods that have a network interface of their own."""
    if profile.terway.mode == "exclusive-eni":
        yield Hit(policy.pods_at, policy=policy.resource.id.name)
        return
    exclusive = [
        workload
        for workload in project.select(policy.pods, policy).workloads
        if not workload.host_network and is_exclusive(workload, profile)
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


def netpol_disabled_on_terway(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A policy where Terway does not enforce any: as declared, or as its own settings in these files say."""
    if profile.cni not in (None, "terway"):
        return
    if profile.terway.network_policy is False:
        yield Hit(FieldPath(("kind",)), policy=policy.name)
        return
    for settings in project.named("ConfigMap", "eni-config", policy, surely=False):
        # https://github.com/AliyunContainerService/terway/blob/main/docs/networkpolicy.md
        if settings.settings.get("disable_network_policy", "") not in ("", "0", "false"):
            setting = Related(FieldPath(("data", "disable_network_policy")), of=settings, note="setting")
            yield Hit(FieldPath(("kind",)), related=(setting,), policy=policy.name)
            return


def netpol_third_party_api(policy: View, profile: Profile) -> Iterator[Hit]:
    """A policy of Calico's or Cilium's own kinds."""
    if profile.provider == "ack" and profile.cni != "other":
        yield Hit(policy.at("kind"), kind=policy.kind, group=policy.id.group)


def netpol_unsupported_on_eci(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """What the policy engine of elastic container instances does not do: ranges of ports, IPv6."""
    if profile.cluster_type not in ("serverless", "acs"):
        selected = project.select(policy.pods, policy)
        if not selected.workloads or not all(is_on_eci(one) for one in selected.workloads):
            return
    for direction in DIRECTIONS:
        for rule in rules_of(policy, direction):
            for port in rule.ports or ():
                if port.end_port is not None:
                    yield Hit(FieldPath((*port.at.route, "endPort")), message="end-port", policy=policy.name)
            for peer in rule.peers or ():
                if ":" in (peer.cidr or ""):
                    at = FieldPath((*peer.at.route, "ipBlock", "cidr"))
                    yield Hit(at, message="ipv6", policy=policy.name, block=peer.cidr)


def netpol_too_many(policy: PolicyFact, project: Project, profile: Profile, most: int) -> Iterator[Hit]:
    """The first policy beyond the number that is recommended for a cluster."""
    most = most or (40 if profile.cluster_type in ("serverless", "acs") else 100)
    if len(project.policies) > most and project.policies[most] is policy:
        yield Hit(policy.resource.name_at, count=len(project.policies), most=most)


def netpol_hostnetwork_unprotected(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A policy whose selector was written for pods on the network of their node."""
    if policy.pods.empty:
        return
    selected = project.select(policy.pods, policy).workloads
    if selected and all(one.host_network for one in selected):
        first = selected[0]
        yield Hit(
            policy.pods_at,
            related=(Related(first.resource.name_at, of=first),),
            policy=policy.name,
            kind=first.kind,
            workload=first.resource.id.name,
        )


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


def netpol_peer_selects_nothing(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A peer of the own namespace whose labels no pod has, where one has nearly the same."""
    if project.is_patched(policy, "spec"):
        return
    for direction in DIRECTIONS:
        for rule in rules_of(policy, direction):
            for peer in rule.peers or ():
                if peer.pods is None or peer.namespaces is not None or not peer.pods.match_labels:
                    continue
                selected = project.select(peer.pods, policy)
                near = project.nearest_workload(peer.pods, policy) if selected.missing else None
                pairs = set(peer.pods.match_labels)
                if near is None or not (selected.certain or is_slip(pairs, project.pod_labels(near))):
                    continue
                yield Hit(
                    FieldPath((*peer.at.route, "podSelector")),
                    severity=selected.severity,
                    related=(Related(near.labels_at, of=near, note="nearest"),),
                    policy=policy.name,
                    selector=selector_text(peer.pods),
                )


def netpol_namespace_label_missing(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A namespaceSelector that asks a namespace by name for a label that it does not have."""
    for direction in DIRECTIONS:
        for rule in rules_of(policy, direction):
            for peer in rule.peers or ():
                if peer.namespaces is None or peer.namespaces.unknown or not peer.namespaces.match_labels:
                    continue
                yield from _unlabelled(policy, peer, project)


def _unlabelled(policy: PolicyFact, peer: PolicyPeer, project: Project) -> Iterator[Hit]:
    selector = peer.namespaces
    known = project.once(namespaces_of)
    if selector is None or not known or project.may_hide("Namespace"):
        return
    if any(matches(selector, project.namespace_labels(fact.id.name)) is not False for fact in known):
        return
    meant = next((fact for fact in known for _, value in selector.match_labels if fact.id.name == value), None)
    if meant is None and not project.is_complete("Namespace"):
        return
    at = FieldPath((*peer.at.route, "namespaceSelector"))
    yield Hit(
        at,
        message="default" if meant else "none",
        related=(Related(FieldPath(("metadata", "labels")), of=meant, note="namespace"),) if meant else (),
        policy=policy.name,
        selector=selector_text(selector),
        namespace=meant.id.name if meant else "",
    )


def netpol_selector_and_or(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A podSelector beside a namespaceSelector where only together they make sense."""
    for direction in DIRECTIONS:
        for rule in rules_of(policy, direction):
            peers = rule.peers or ()
            for one, other in pairwise(peers):
                wide, narrow = (one, other) if one.namespaces is not None else (other, one)
                if wide.namespaces is None or wide.pods is not None or wide.namespaces.empty:
                    continue
                if narrow.namespaces is not None or narrow.pods is None or narrow.pods.empty:
                    continue
                if _belongs_elsewhere(narrow, policy, project):
                    yield Hit(
                        FieldPath((*other.at.route, "namespaceSelector" if wide is other else "podSelector")),
                        related=(Related(one.at, note="first"),),
                        policy=policy.name,
                        namespaces=selector_text(wide.namespaces),
                        pods=selector_text(narrow.pods),
                    )


def _belongs_elsewhere(peer: PolicyPeer, policy: PolicyFact, project: Project) -> bool:
    """Whether pods that a peer asks for are in other namespaces, and none in that of its policy."""
    if peer.pods is None or project.select(peer.pods, policy).workloads:
        return False
    if selector_text(peer.pods) == "k8s-app=kube-dns":
        return project.namespace(policy) != "kube-system"
    return project.workload_elsewhere(peer.pods, policy) is not None


# --- Rules that have no effect


def netpol_rules_ignored(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Rules of a direction that policyTypes does not name."""
    if not policy.types_known or project.is_patched(policy, "spec", "policyTypes"):
        return
    for name, rules, at in (
        ("Ingress", policy.ingress, policy.ingress_at),
        ("Egress", policy.egress, policy.egress_at),
    ):
        if rules and name not in policy.types:
            yield Hit(at, related=(Related(policy.types_at, note="types"),), policy=policy.name, type=name)


def netpol_rule_redundant(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A rule that allows nothing which another of its policy does not allow."""
    if project.is_patched(policy, "spec"):
        return
    for direction in DIRECTIONS:
        rules = rules_of(policy, direction)
        for number, rule in enumerate(rules):
            for index, other in enumerate(rules):
                if index != number and holds(other, rule) and (index < number or not holds(rule, other)):
                    related = (Related(other.at, note="other"),)
                    yield Hit(rule.at, related=related, policy=policy.name, rule=f"{direction}[{index}]")
                    break


def netpol_undoes_others(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A rule that allows everything to pods which other policies restrict."""
    for direction in DIRECTIONS:
        rule = next((one for one in rules_of(policy, direction) if opens_everything(one)), None)
        if rule is None or project.is_patched(policy, "spec"):
            continue
        undone = [
            other
            for other in project.policies
            if other is not policy
            and direction.capitalize() in other.types
            and project.namespace(other) == project.namespace(policy)
            and project.together(policy.resource, other.resource)
            and not any(opens_everything(one) for one in rules_of(other, direction))
            and set(policy.pods.match_labels) <= set(other.pods.match_labels)
            and set(policy.pods.expressions) <= set(other.pods.expressions)
            and not policy.pods.unknown
            and other.types_known
        ]
        if undone:
            related = tuple(Related(one.resource.name_at, of=one, note="restricted") for one in undone[:3])
            yield Hit(rule.at, message=direction, related=related, policy=policy.name, other=undone[0].name)


def netpol_port_unresolved(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A port named in a rule that no container of the target has."""
    if project.is_patched(policy, "spec"):
        return
    for direction in DIRECTIONS:
        for rule in rules_of(policy, direction):
            for port in rule.ports or ():
                if not isinstance(port.port, str) or not rule.known:
                    continue
                at = FieldPath((*port.at.route, "port"))
                if direction == "egress" and rule.peers and all(peer.cidr is not None for peer in rule.peers):
                    yield Hit(at, message="addresses", policy=policy.name, port=port.port)
                    continue
                targets = targets_of(policy, rule, direction, project)
                if targets and not any(may_have_port(one, port, project) for one in targets):
                    related = tuple(Related(one.resource.name_at, of=one) for one in targets[:3])
                    yield Hit(at, related=related, policy=policy.name, port=port.port, protocol=port.protocol)


def netpol_port_of_service(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A port number of a Service in a rule whose target listens on another."""
    if project.is_patched(policy, "spec"):
        return
    for direction in DIRECTIONS:
        for rule in rules_of(policy, direction):
            written = [port for port in rule.ports or () if isinstance(port.port, int) and not port.end_port]
            targets = targets_of(policy, rule, direction, project) if written and rule.known else []
            for port in written:
                found = [service_in_front(one, port, project) for one in targets]
                if not found or None in found:
                    continue
                service, workload, number = next(one for one in found if one)
                # Rules often name both ports: then nothing is closed.
                if any(other.port == number for other in written):
                    continue
                yield Hit(
                    FieldPath((*port.at.route, "port")),
                    related=(Related(service.resource.name_at, of=service, note="service"),),
                    policy=policy.name,
                    port=port.port,
                    service=service.name,
                    target=number,
                    workload=workload.resource.id.name,
                )


# --- Both sides


def netpol_one_sided(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A rule that allows connections which the policies of the other end forbid."""
    answers = reach(project)
    if answers.hidden or project.is_patched(policy, "spec"):
        return
    for direction in DIRECTIONS:
        for rule in rules_of(policy, direction):
            for peer in rule.peers or ():
                if rule.known and peer.pods is not None and not peer.pods.empty:
                    yield from _one_sided(policy, rule, peer, direction, answers)


def _one_sided(
    policy: PolicyFact, rule: PolicyRule, peer: PolicyPeer, direction: Direction, answers: Reach
) -> Iterator[Hit]:
    here = answers.project.select(policy.pods, policy)
    there = peer_workloads(peer, policy, answers)
    if not here.workloads or not there:
        return
    blame: PolicyFact | None = None
    for own in here.workloads:
        for other in there:
            if own is other or own.host_network or other.host_network:
                return
            source, target = (other, own) if direction == "ingress" else (own, other)
            found = answers.between(answers.pods(source), answers.pods(target))
            near, far = (found.ingress, found.egress) if direction == "ingress" else (found.egress, found.ingress)
            if not far.isolated or not found.perhaps.empty or near.sure.empty:
                return
            # Of blocks it depends on the network plug-in whether they mean pods.
            rules = [one for each in far.policies for one in (each.egress if direction == "ingress" else each.ingress)]
            if any(each.cidr is not None for one in rules for each in one.peers or ()):
                return
            blame = blame or next((one for one in far.policies if one.ingress or one.egress), far.policies[0])
    if blame is not None:
        own, other = here.workloads[0], there[0]
        yield Hit(
            FieldPath(peer.at.route),
            message=direction,
            related=(Related(blame.resource.name_at, of=blame, note="other"),),
            policy=policy.name,
            workload=own.resource.id.name,
            peer=other.resource.id.name,
            other=blame.name,
        )


# --- Address blocks


def netpol_ipblock_targets_pods(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A block of addresses of pods where the engine takes blocks for addresses outside the cluster."""
    if engine(profile) not in ("cilium", "ebpf"):
        return
    ranges = [one.cidr for one in profile.pod_vswitches or ()]
    for peer, rule, _ in blocks_of(policy):
        if peer.cidr is None or not meets(peer.cidr, ranges) or leaves_out(peer, ranges):
            continue
        exactly = inside(peer.cidr, ranges)
        # A wide block is mostly meant for what is outside, all the more beside peers that select pods.
        if not exactly and (peer.cidr.endswith("/0") or any(one.cidr is None for one in rule.peers or ())):
            continue
        at = FieldPath((*peer.at.route, "ipBlock", "cidr"))
        yield Hit(at, severity=None if exactly else "info", policy=policy.name, block=peer.cidr)


def netpol_ipblock_service_cidr(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A block of addresses of Services."""
    for peer, _, direction in blocks_of(policy):
        if peer.cidr and inside(peer.cidr, (profile.service_cidr, profile.service_ipv6_cidr)):
            at = FieldPath((*peer.at.route, "ipBlock", "cidr"))
            yield Hit(at, message=direction, policy=policy.name, block=peer.cidr, range=profile.service_cidr)


def netpol_ipblock_except_ipvlan(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Exceptions from a block with IPvlan."""
    if profile.terway.data_path == "ipvlan":
        for peer, _, _ in blocks_of(policy):
            if peer.excepted:
                yield Hit(FieldPath((*peer.at.route, "ipBlock", "except")), policy=policy.name)


def netpol_egress_cuts_nodes_ipvlan(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """Egress rules without the nodes' addresses, with IPvlan."""
    if profile.terway.data_path != "ipvlan" or "Egress" not in policy.types or not policy.egress:
        return
    nodes = [one.cidr for one in profile.vswitches or ()] or list(profile.vpc_cidrs or ())
    for rule in policy.egress:
        if not rule.known or rule.peers is None:
            return
        for peer in rule.peers:
            if peer.cidr and (meets(peer.cidr, nodes) if nodes else is_wide(peer.cidr)):
                return
    yield Hit(policy.egress_at, policy=policy.name)


# --- Health checks


def netpol_blocks_slb_healthcheck(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A policy that closes pods behind a CLB to its health checks."""
    found = project.once(blocked_health_checks).get(id(policy))
    if found is None or is_enforced(profile) is False:
        return
    backend = found.service.annotations.get("service.beta.kubernetes.io/backend-type")
    if (backend or profile.service_backend_type) != "eni" or _checks_elsewhere(found.service):
        return
    service = found.service
    yield Hit(
        policy.ingress_at if policy.ingress else policy.pods_at,
        related=(Related(service.resource.name_at, of=service, note="service"),),
        policy=policy.name,
        service=service.name,
        port=found.port,
        block=HEALTH_CHECKS,
    )


def _checks_elsewhere(service: ServiceFact) -> bool:
    """Whether a Service switches its health checks off, or has them at another port."""
    return any(
        key.endswith("-health-check-connect-port") or (key.endswith("-health-check-switch") and value == "off")
        for key, value in service.annotations.items()
    )


# --- Name resolution


def netpol_egress_without_dns(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A policy that lets pods open connections, but not ask the DNS for names."""
    # Who allows nothing at all means it, and other policies say what is allowed.
    if "Egress" not in policy.types or not policy.egress or project.is_patched(policy, "spec"):
        return
    answers = reach(project)
    if may_resolve(policy, project.namespace(policy)) or answers.hidden:
        return
    selected = project.select(policy.pods, policy)
    if selected.missing:
        return
    cut_off: list[WorkloadFact] = []
    if selected.workloads:
        asking = [one for one in selected.workloads if not one.host_network and one.dns_policy != "None"]
        cut_off = [
            one for one in asking if not some_may_resolve(answers.policies(answers.pods(one), "egress"), answers)
        ]
        if not cut_off:
            return
    elif some_may_resolve(answers.policies(answers.chosen(policy), "egress"), answers):
        return
    message, severity, rule = why_not(policy.egress)
    yield Hit(
        policy.egress_at,
        message=message,
        severity=severity,
        related=(
            *((Related(rule.at, note="rule"),) if rule else ()),
            *(Related(one.labels_at, of=one, note="workload") for one in cut_off[:3]),
        ),
        policy=policy.name,
    )


_LOCAL_CACHE = "169.254.20.10"
"""The address on which NodeLocal DNSCache listens.

https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/configure-nodelocal-dnscache
"""


def netpol_egress_without_nodelocaldns(policy: PolicyFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A policy that lets pods ask the cluster's DNS, but not the cache on their node."""
    namespace = project.namespace(policy)
    if not policy.egress or "Egress" not in policy.types or not may_resolve(policy, namespace):
        return
    if is_enforced(profile) is False:
        return
    injected = project.namespace_labels(namespace).get("node-local-dns-injection") == "enabled"
    cache, answers = block(_LOCAL_CACHE), reach(project)
    if not (profile.node_local_dns or injected) or cache is None or answers.hidden:
        return
    selected = project.select(policy.pods, policy)
    asking = [
        answers.pods(one)
        for one in selected.workloads
        if not one.host_network and one.dns_policy in ("ClusterFirst", None)
    ]
    if selected.workloads and not asking:
        return
    if not any(answers.side(one, cache, "egress").perhaps.has("UDP", 53) for one in asking or [answers.chosen(policy)]):
        yield Hit(policy.egress_at, policy=policy.name, address=_LOCAL_CACHE)


# --- What the API server refuses


def netpol_peer_invalid(policy: View, profile: Profile) -> Iterator[Hit]:
    """Peers that are nothing, or two things at once."""
    yield from refused.peers(policy)


def netpol_end_port_invalid(policy: View, profile: Profile) -> Iterator[Hit]:
    """Ranges of ports that have no beginning or end before it."""
    yield from refused.end_ports(policy)


def netpol_ip_block_invalid(policy: View, profile: Profile) -> Iterator[Hit]:
    """Address ranges that are none, and exceptions outside of theirs."""
    yield from refused.ip_blocks(policy, profile.kubernetes_version)
