"""Checks of the profile itself: the plan of its address ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Literal, NamedTuple

from kubelint_ack.ack import address_plan
from kubelint_ack.profile import DeclaredCluster, Profile, VSwitch
from kubelint_ack.records import FieldPath, Hit, Related, Severity, at
from kubelint_ack.values import cidr as network
from kubelint_ack.values import overlap


class _Range(NamedTuple):
    """A declared address range: what it is (a wording of the rules), and where it is declared."""

    kind: str
    cidr: str
    at: FieldPath


def _vswitches(profile: Profile) -> Iterator[_Range]:
    for kind, key, switches in (
        ("vswitch", "vSwitches", profile.vswitches),
        ("pod-vswitch", "podVSwitches", profile.pod_vswitches),
    ):
        for index, switch in enumerate(switches or ()):
            if switch.cidr:
                yield _Range(kind, switch.cidr, at(key, index, "cidr"))


def _vpc(profile: Profile) -> Iterator[_Range]:
    for index, cidr in enumerate(profile.vpc_cidrs or ()):
        yield _Range("vpc", cidr, at("vpcCIDRs", index))


def _peers(profile: Profile) -> Iterator[_Range]:
    for index, cidr in enumerate(profile.peer_cidrs or ()):
        yield _Range("peer", cidr, at("peerCIDRs", index))


def _overlapping(cidr: str, others: Iterator[_Range]) -> list[_Range]:
    return [other for other in others if overlap(cidr, other.cidr)]


def _is_elsewhere(profile: Profile) -> bool:
    """Whether it is another cloud's cluster, whose networks have rules of their own."""
    return profile.provider not in (None, "ack")


def cidr_overlap_service(profile: Profile) -> Iterator[Hit]:
    """The Service CIDR against every other declared range."""
    service = profile.service_cidr
    if service is None or _is_elsewhere(profile):
        return
    switches = list(_vswitches(profile))
    found = _overlapping(service, iter(switches))
    # A range of the VPC is named where none of its vSwitches is: they are the same mistake.
    for vpc in _overlapping(service, _vpc(profile)):
        if not any(overlap(vpc.cidr, switch.cidr) for switch in found):
            found.append(vpc._replace(kind="unused-vpc") if switches else vpc)
    if profile.pod_cidr and overlap(service, profile.pod_cidr):
        found.append(_Range("pod", profile.pod_cidr, at("podCIDR")))
    found += _overlapping(service, _peers(profile))
    for other in found:
        yield Hit(
            at("serviceCIDR"),
            message=other.kind,
            severity="warning" if other.kind in ("unused-vpc", "peer") else None,
            related=(Related(other.at, note="other"),),
            service=service,
            other=other.cidr,
        )


def cidr_overlap_pod(profile: Profile) -> Iterator[Hit]:
    """The pod CIDR of a Flannel cluster against the VPC and what is reached from it."""
    pods = profile.pod_cidr
    # Pods of Terway live in the VPC; the pod CIDR of other plug-ins may be an overlay of their own.
    if pods is None or profile.cni in ("terway", "other") or _is_elsewhere(profile):
        return
    found = _overlapping(pods, _vswitches(profile))
    found += [
        vpc for vpc in _overlapping(pods, _vpc(profile)) if not any(overlap(vpc.cidr, switch.cidr) for switch in found)
    ]
    found += _overlapping(pods, _peers(profile))
    for other in found:
        yield Hit(
            at("podCIDR"),
            message=other.kind,
            severity="warning" if other.kind == "peer" else None,
            related=(Related(other.at, note="other"),),
            pods=pods,
            other=other.cidr,
        )


def _planned(profile: Profile) -> Iterator[_Range]:
    """Every range that the cluster itself takes."""
    yield from _vpc(profile)
    yield from _vswitches(profile)
    if profile.pod_cidr:
        yield _Range("pod", profile.pod_cidr, at("podCIDR"))
    if profile.service_cidr:
        yield _Range("service", profile.service_cidr, at("serviceCIDR"))


def _within(inner: str, outer: str) -> bool:
    """Whether one range lies wholly in another."""
    one, other = network(inner), network(outer)
    if isinstance(one, IPv4Network) and isinstance(other, IPv4Network):
        return one.subnet_of(other)
    return isinstance(one, IPv6Network) and isinstance(other, IPv6Network) and one.subnet_of(other)


def cidr_reserved(profile: Profile) -> Iterator[Hit]:
    """Ranges taken from what Alibaba Cloud or the Internet protocol keeps for itself."""
    if _is_elsewhere(profile):
        return
    told: list[str] = []
    for one in _planned(profile):
        reserved = next((taken for taken in address_plan().reserved if overlap(one.cidr, taken)), None)
        if reserved is None:
            continue
        # A vSwitch lies in its VPC: one mistake.
        if one.kind in ("vswitch", "pod-vswitch") and any(overlap(one.cidr, vpc) for vpc in told):
            continue
        if one.kind == "vpc":
            told.append(one.cidr)
        # That ACK refuses pods and Services in the range of its own services is not documented.
        unsure = one.kind in ("pod", "service") and reserved == _CLOUD_SERVICES
        # Only what lies in a reserved range is documented as refused, not what holds one.
        wider = not _within(one.cidr, reserved)
        yield Hit(
            one.at,
            message=one.kind,
            severity="warning" if unsure or wider else None,
            cidr=one.cidr,
            reserved=reserved,
        )


_CLOUD_SERVICES = "100.64.0.0/10"
"""Alibaba Cloud's own services: DNS, metadata, health checks of load balancers."""


def cidr_non_private(profile: Profile) -> Iterator[Hit]:
    """Ranges that belong to others on the internet."""
    if _is_elsewhere(profile):
        return
    plan = address_plan()
    for one in _planned(profile):
        if one.kind in ("vswitch", "pod-vswitch") or not isinstance(network(one.cidr), IPv4Network):
            continue
        if any(_within(one.cidr, private) for private in plan.private):
            continue
        if not any(overlap(one.cidr, reserved) for reserved in plan.reserved):
            yield Hit(one.at, message=one.kind, cidr=one.cidr)


def cidr_prefix_length(profile: Profile) -> Iterator[Hit]:
    """VPCs and vSwitches that are larger or smaller than Alibaba Cloud makes them."""
    if _is_elsewhere(profile):
        return
    for one in (*_vpc(profile), *_vswitches(profile)):
        block = network(one.cidr)
        kind = "vpc" if one.kind == "vpc" else "vswitch"
        low, high = address_plan().prefixes[kind]
        if isinstance(block, IPv4Network) and not low <= block.prefixlen <= high:
            yield Hit(one.at, message=kind, cidr=one.cidr, low=low, high=high)


def cidr_ipv6_service(profile: Profile) -> Iterator[Hit]:
    """The Services' IPv6 range: unique local, and of a size that ACK takes."""
    block = network(profile.service_ipv6_cidr)
    if block is None or _is_elsewhere(profile):
        return
    low, high = address_plan().prefixes["service-ipv6"]
    if not isinstance(block, IPv6Network):
        message = "not-ipv6"
    elif not block.subnet_of(IPv6Network("fc00::/7")):
        message = "not-local"
    elif not low <= block.prefixlen <= high:
        message = "length"
    else:
        return
    yield Hit(at("serviceIPv6CIDR"), message=message, cidr=profile.service_ipv6_cidr, low=low, high=high)


def cidr_vswitch_outside_vpc(profile: Profile) -> Iterator[Hit]:
    """vSwitches that no declared range of the VPC holds."""
    blocks = [vpc.cidr for vpc in _vpc(profile)]
    if _is_elsewhere(profile):
        return
    for one in _vswitches(profile):
        if any(_within(one.cidr, block) for block in blocks):
            continue
        across = next((block for block in blocks if overlap(one.cidr, block)), None)
        yield Hit(
            one.at,
            message="across" if across else "default",
            # Another range of the VPC may not be listed; it cannot overlap one that is.
            severity=None if across else "warning",
            cidr=one.cidr,
            other=across or blocks,
        )


def cidr_overlap_vpc(profile: Profile) -> Iterator[Hit]:
    """Ranges of the VPC, or vSwitches, that overlap each other."""
    if _is_elsewhere(profile):
        return
    switches = [
        *((one, "vSwitches", index) for index, one in enumerate(profile.vswitches or ())),
        *((one, "podVSwitches", index) for index, one in enumerate(profile.pod_vswitches or ())),
    ]
    for number, (one, key, index) in enumerate(switches):
        for other, other_key, other_index in switches[:number]:
            if one.cidr and other.cidr and overlap(one.cidr, other.cidr) and not _same_vswitch(one, other):
                yield Hit(
                    at(key, index, "cidr"),
                    message="vswitch",
                    related=(Related(at(other_key, other_index, "cidr"), note="other"),),
                    cidr=one.cidr,
                    other=other.cidr,
                )
                break
    blocks = list(_vpc(profile))
    for number, block in enumerate(blocks):
        for earlier in blocks[:number]:
            if overlap(block.cidr, earlier.cidr):
                yield Hit(
                    block.at,
                    message="vpc",
                    related=(Related(earlier.at, note="other"),),
                    cidr=block.cidr,
                    other=earlier.cidr,
                )
                break


def _same_vswitch(one: VSwitch, other: VSwitch) -> bool:
    """Whether two entries are one vSwitch, which may serve nodes and pods."""
    if one.id and other.id:
        return one.id == other.id
    return one.cidr == other.cidr


def cidr_terway_pod_vswitch(profile: Profile) -> Iterator[Hit]:
    """vSwitches for pods: large enough, and one in every zone that has nodes."""
    switches = profile.pod_vswitches or ()
    if not switches or profile.cni != "terway" or _is_elsewhere(profile):
        return
    limits = address_plan().limits
    blocks = [(index, one, block) for index, one in enumerate(switches) if (block := _ipv4(one.cidr))]
    free = sum(block.num_addresses - limits["vswitch-reserved-addresses"] for _, _, block in blocks)
    planned = _planned_nodes(profile)
    if planned and free < planned and len(blocks) == len(switches):
        yield Hit(at("podVSwitches"), message="capacity", addresses=free, nodes=planned)
    elif not planned or free < planned * limits["pods-per-node"]:
        for index, one, block in blocks:
            if block.prefixlen > limits["pod-vswitch-prefix"]:
                yield Hit(
                    at("podVSwitches", index, "cidr"),
                    message="small",
                    severity="info",
                    cidr=one.cidr,
                    addresses=block.num_addresses - limits["vswitch-reserved-addresses"],
                )
    served = {one.zone for one in switches}
    if None not in served:
        told: set[str] = set()
        for index, node in enumerate(profile.vswitches or ()):
            if node.zone and node.zone not in served and node.zone not in told:
                told.add(node.zone)
                yield Hit(at("vSwitches", index, "zone"), message="zone", zone=node.zone)


def _ipv4(text: str | None) -> IPv4Network | None:
    block = network(text)
    return block if isinstance(block, IPv4Network) else None


def _planned_nodes(profile: Profile) -> int:
    """The largest number of nodes that is declared: planned, or what the node pools may grow to; 0: unknown."""
    pools = sum(pool.max_count or pool.count or 0 for pool in profile.node_pools or ())
    return max(profile.planned_nodes or 0, pools)


def cidr_flannel_node_capacity(profile: Profile) -> Iterator[Hit]:
    """How many nodes the pod CIDR has slices for."""
    pods, mask, planned = _ipv4(profile.pod_cidr), profile.node_pod_mask, _planned_nodes(profile)
    if pods is None or mask is None or profile.cni in ("terway", "other") or _is_elsewhere(profile):
        return
    limits = address_plan().limits
    message, limit, where = "", 0, at("plannedNodes" if profile.planned_nodes else "podCIDR")
    severity: Severity | None = None
    nodes = 1 << max(mask - pods.prefixlen, 0)
    if mask < pods.prefixlen:
        message, nodes, where = "none", 0, at("nodePodMask")
    elif nodes < planned:
        message, severity, where = "default", "warning", at("podCIDR")
    elif planned > limits["flannel-nodes"]:
        message, severity, limit = "limit", "warning", limits["flannel-nodes"]
    elif planned > limits["flannel-routes"]:
        message, severity, limit = "routes", "info", limits["flannel-routes"]
    if message:
        yield Hit(
            where,
            message=message,
            severity=severity,
            pods=profile.pod_cidr,
            mask=mask,
            nodes=nodes,
            planned=planned,
            limit=limit,
        )


def cidr_service_too_small(profile: Profile) -> Iterator[Hit]:
    """A Service CIDR that is soon used up."""
    block = _ipv4(profile.service_cidr)
    if block is None or _is_elsewhere(profile):
        return
    if block.num_addresses < address_plan().limits["service-addresses"]:
        yield Hit(at("serviceCIDR"), cidr=profile.service_cidr, addresses=block.num_addresses)


def cidr_multi_cluster(cluster: DeclaredCluster, earlier: Sequence[DeclaredCluster]) -> Iterator[Hit]:
    """Pod CIDRs of Flannel clusters in one VPC: each node's slice is a route in the table that they share."""
    own = cluster.profile
    if own.pod_cidr is None or own.cni in ("terway", "other") or _is_elsewhere(own):
        return
    for other in earlier:
        theirs = other.profile
        if theirs.pod_cidr is None or theirs.cni in ("terway", "other") or _is_elsewhere(theirs):
            continue
        if not overlap(own.pod_cidr, theirs.pod_cidr) or _same_cluster(cluster, other):
            continue
        shared = _shared_vpc(own, theirs)
        if shared is None:
            continue
        # Without names they may be parts of one cluster, declared twice.
        named = own.name is not None and theirs.name is not None
        yield Hit(
            at("podCIDR"),
            message="default" if shared == "sure" else "likely",
            severity=_MULTI_CLUSTER[shared, named],
            related=(Related(at("podCIDR"), of=other, note="other"),),
            environment=cluster.name,
            pods=own.pod_cidr,
            other=other.name,
            other_pods=theirs.pod_cidr,
        )


_MULTI_CLUSTER: dict[tuple[str, bool], Severity | None] = {
    ("sure", True): None,
    ("sure", False): "warning",
    ("likely", True): "warning",
    ("likely", False): "info",
    ("possible", True): "info",
    ("possible", False): "info",
}
"""How grave it is, by how sure it is that two clusters share a VPC, and whether both have names."""


def _same_cluster(one: DeclaredCluster, other: DeclaredCluster) -> bool:
    """Whether two environments are parts of one cluster: by its name, or by one declaration of its pods."""
    name = one.profile.name
    return (name is not None and name == other.profile.name) or one.locate(at("podCIDR")) == other.locate(at("podCIDR"))


def _shared_vpc(one: Profile, other: Profile) -> Literal["sure", "likely", "possible"] | None:
    """Whether two clusters are in one VPC: a vSwitch of both proves it; many VPCs have the same CIDR."""
    ids, other_ids = (
        {switch.id for switch in (*(own.vswitches or ()), *(own.pod_vswitches or ())) if switch.id}
        for own in (one, other)
    )
    if ids & other_ids:
        return "sure"
    if not set(one.vpc_cidrs or ()) & set(other.vpc_cidrs or ()):
        return None
    if one.region and other.region:
        return "likely" if one.region == other.region else None
    return "possible"


_EPHEMERAL = (32768, 60999)
"""`net.ipv4.ip_local_port_range` of Linux: https://docs.kernel.org/networking/ip-sysctl.html"""


def nodeport_range_overlaps_ephemeral(profile: Profile) -> Iterator[Hit]:
    """Node ports that programs may get for their own connections."""
    if profile.node_port_range is None:
        return
    low, high = profile.node_port_range
    first, last = max(low, _EPHEMERAL[0]), min(high, _EPHEMERAL[1])
    if first <= last:
        yield Hit(at("nodePortRange"), low=low, high=high, first=_EPHEMERAL[0], last=_EPHEMERAL[1])
