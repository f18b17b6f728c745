"""Checks of the profile itself: address ranges that must not overlap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Related, at
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
