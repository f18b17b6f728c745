"""The Service as a whole: fields that the controller does not read, and settings that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from kubelint_ack.balancer import BACKEND_TYPE, CONTROLLER, Balancer, running
from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Related, Severity, Unknown
from kubelint_ack.values import address, at_least, cidr
from kubelint_ack.views import LB_PREFIXES, Service, sequence, text

_EVERYWHERE = ("0.0.0.0/0", "::/0")


def in_context(service: Service, profile: Profile) -> Severity | None:
    """None where the object or the profile is plainly ACK's; else the manifest may be meant for another cloud: info."""
    return None if service.is_alibaba or profile.is_ack else "info"


# --- Who can reach it


def ignored_source_ranges(balancer: Balancer, service: Service, profile: Profile) -> Iterator[Hit]:
    """`loadBalancerSourceRanges` where nothing enforces them."""
    ranges = sequence(service.spec.get("loadBalancerSourceRanges"))
    if not any(isinstance(one, str) and one.strip() not in _EVERYWHERE for one in ranges):
        return
    place = service.at("spec", "loadBalancerSourceRanges")
    severity = in_context(service, profile)
    if balancer.kind == "clb":
        protected = balancer.is_on("acl-status") and balancer.state("acl-id") and balancer.state("acl-type")
        private = balancer.holds("address-type", ("internet", None)) is False
        if protected or private or balancer.reuses or balancer.holds("address-type", ("internet", None)) is None:
            severity = "info"
        yield balancer.hit(
            place, message="acl" if protected else ("private" if private else "default"), severity=severity
        )
        return
    declared = (profile.components or {}).get(CONTROLLER)
    if balancer.reuses:
        yield balancer.hit(place, message="reused", severity=severity)
    elif at_least(declared, "2.14.0") is False:
        yield balancer.hit(place, message="version", severity=severity, have=declared)
    elif running(profile) is None:
        yield balancer.hit(place, message="nlb", severity="info")


def incomplete_access_control(balancer: Balancer) -> Iterator[Hit]:
    """Access control that lacks one of its three annotations."""
    if balancer.kind != "clb" or not balancer.manages_listeners:
        return
    status, parts = balancer.state("acl-status"), ("acl-id", "acl-type")
    lacking = [name for name in parts if balancer.state(name) is False]
    if balancer.is_on("acl-status"):
        if lacking:
            # A listener that exists may have the rest.
            severity: Severity | None = None if balancer.reuses is False else "warning"
            yield balancer.hit(balancer.at("acl-status"), severity=severity, lacking=lacking)
    elif status is False:
        present = [name for name in parts if balancer.state(name)]
        if present:
            private = balancer.holds("address-type", ("intranet",))
            yield balancer.hit(
                balancer.at(present[0]),
                message="disabled",
                severity="info" if private else "warning",
                lacking=["acl-status"],
            )


# --- Fields that nobody reads


def ignored_address(balancer: Balancer, service: Service, profile: Profile) -> Iterator[Hit]:
    """`spec.loadBalancerIP`."""
    value = service.spec.get("loadBalancerIP")
    if isinstance(value, str) and value:
        place = service.at("spec", "loadBalancerIP")
        yield balancer.hit(place, message=balancer.kind, severity=in_context(service, profile), value=value)


def ignored_affinity(balancer: Balancer, service: Service, profile: Profile) -> Iterator[Hit]:
    """`sessionAffinity`, and nothing that makes the load balancer keep clients at a backend."""
    if service.spec.get("sessionAffinity") != "ClientIP":
        return
    names = ("persistence-timeout", "sticky-session")
    if balancer.kind == "clb" and any(balancer.state(name) is not False for name in names):
        return
    scheduler = balancer.holds("scheduler", ("sch", "tch", "qch"))
    if scheduler or balancer.state("scheduler") is None:
        return
    yield balancer.hit(service.at("spec", "sessionAffinity"), message=balancer.kind)


def without_node_ports(balancer: Balancer, service: Service, profile: Profile) -> Iterator[Hit]:
    """`allocateLoadBalancerNodePorts: false` where the load balancer forwards to node ports."""
    if service.spec.get("allocateLoadBalancerNodePorts") is not False or balancer.backends(profile) != "ecs":
        return
    # Pods on virtual nodes are attached by their own addresses.
    if profile.cluster_type in ("serverless", "acs") or profile.virtual_nodes:
        return
    lacking = [port for _, port in service.ports() if port.get("nodePort") in (None, 0)]
    if lacking:
        place = service.at("spec", "allocateLoadBalancerNodePorts")
        yield balancer.hit(place, severity=in_context(service, profile), port=str(lacking[0].get("port")))


def reserved_metadata(service: Service) -> Iterator[Hit]:
    """Labels and finalizers that the controller writes."""
    for key in _RESERVED:
        if key in service.labels:
            yield Hit(service.at("metadata", "labels", key).key, key=key)
    for index, finalizer in enumerate(sequence(service.metadata.get("finalizers"))):
        if isinstance(finalizer, str) and finalizer.startswith("service.k8s.alibaba/"):
            yield Hit(service.at("metadata", "finalizers", index), message="finalizer", key=finalizer)


_RESERVED = (
    "service.beta.kubernetes.io/hash",
    "service.k8s.alibaba/loadbalancer-id",
    "service.k8s.alibaba/security-group-id",
)


# --- Who serves it


def handed_over(service: Service) -> Iterator[Hit]:
    """An annotation by which the controller leaves the Service to another one."""
    if service.type != "LoadBalancer" or "loadBalancerClass" in service.spec or not service.is_alibaba:
        return
    depends = (service.at("spec", "type"), service.at("spec", "loadBalancerClass"))
    value = service.annotations.get("service.beta.kubernetes.io/class")
    if isinstance(value, str) and value:
        key = "service.beta.kubernetes.io/class"
        yield Hit(service.at("metadata", "annotations", key), key=key, depends=depends)
    for prefix in LB_PREFIXES:
        key = f"{prefix}tunnel-type"
        if key in service.annotations:
            yield Hit(service.at("metadata", "annotations", key), message="tunnel", key=key, depends=depends)


def useless_type(balancer: Balancer, service: Service, profile: Profile) -> Iterator[Hit]:
    """The annotation `type` instead of the field `loadBalancerClass`."""
    setting = balancer.settings.get("type")
    gate = (profile.feature_gates or {}).get("LoadBalancerTypeAnnotation")
    if setting is None or "loadBalancerClass" in service.spec or gate:
        return
    yield balancer.hit(setting.at, value=setting.value)


def without_load_balancer(service: Service) -> Iterator[Hit]:
    """Load balancer annotations on a Service of another type: one hit, at the first."""
    if service.type in (None, "LoadBalancer"):
        return
    # A kustomize patch holds only what it changes.
    if "type" not in service.spec and not (service.spec.get("ports") and service.spec.get("selector")):
        return
    keys = [key for key in service.annotations if key.startswith(LB_PREFIXES) and service.annotations[key] != ""]
    if keys:
        first, *rest = (service.at("metadata", "annotations", key).key for key in keys)
        yield Hit(
            first,
            related=tuple(Related(one, note="annotation") for one in rest),
            depends=(service.at("spec", "type"),),
            type=service.type,
            count=len(keys),
        )


# --- Settings of CLBs


def size_without_its_billing(balancer: Balancer, profile: Profile) -> Iterator[Hit]:
    """`spec` where the size is not what is paid for."""
    setting = balancer.find("spec")
    declared = (profile.components or {}).get(CONTROLLER)
    if balancer.kind != "clb" or setting is None or balancer.reuses is not False:
        return
    paid = balancer.state("instance-charge-type")
    if paid is None or at_least(declared, "2.4.0") is False:
        return
    by_size = (balancer.value("instance-charge-type") or "").lower() == "paybyspec"
    if paid is False:
        # When the default changed is told in two ways: 2.5.0 or 2.12.1.
        unsure = at_least(declared, "2.12.1") is False
        yield balancer.hit(setting.at, severity="info" if unsure else None, value=setting.value)
    elif not by_size and "instance-charge-type" in balancer.settings:
        yield balancer.hit(
            setting.at, message="usage", value=setting.value, billing=balancer.value("instance-charge-type")
        )


def address_out_of_place(balancer: Balancer, profile: Profile) -> Iterator[Hit]:
    """`ip` for a load balancer that cannot have that address."""
    setting = balancer.settings.get("ip")
    if balancer.kind != "clb" or setting is None or balancer.reuses is not False:
        return
    parsed = address(setting.value)
    if parsed is None or ":" in setting.value:
        yield balancer.hit(setting.at, message="address", value=setting.value)
        return
    if balancer.holds("address-type", ("intranet",)) is False:
        yield balancer.hit(setting.at, message="public", value=setting.value)
        return
    if balancer.holds("network-type", ("classic",)):
        yield balancer.hit(setting.at, message="classic", value=setting.value)
        return
    if balancer.state("vswitch-id") is False:
        yield balancer.hit(setting.at, message="vswitch", severity="warning", value=setting.value)
        return
    wanted = balancer.value("vswitch-id")
    for vswitch in profile.vswitches or ():
        network = cidr(vswitch.cidr) if vswitch.id == wanted else None
        if network is not None and parsed not in network:
            yield balancer.hit(
                setting.at,
                message="range",
                value=setting.value,
                vswitch=wanted,
                cidr=vswitch.cidr,
                related=(Related(balancer.at("vswitch-id"), note="vswitch"),),
            )


def unchecked_http(balancer: Balancer) -> Iterator[Hit]:
    """HTTP listeners of a CLB without a health check."""
    if balancer.kind != "clb" or balancer.state("health-check-flag") is not False or not balancer.manages_listeners:
        return
    if any(one.protocol in ("http", "https") for one in balancer.listeners):
        yield balancer.hit(balancer.at("protocol-port"))


def loops(balancer: Balancer) -> Iterator[Hit]:
    """`hostname` on a CLB with TCP or UDP listeners."""
    setting = balancer.find("hostname")
    if balancer.kind != "clb" or setting is None:
        return
    transports = sorted({(one.protocol or "").upper() for one in balancer.listeners if one.protocol in ("tcp", "udp")})
    if transports:
        yield balancer.hit(setting.at, protocols=transports)


# --- Settings of NLBs


def without_zones(balancer: Balancer) -> FieldPath | None:
    """Where `zone-maps` is missing, or empty; None if it is not."""
    if balancer.kind != "nlb" or balancer.state("zone-maps") is not False or balancer.reuses is not False:
        return None
    return balancer.at("zone-maps")


def udp_checked_by_tcp(balancer: Balancer) -> Iterator[Hit]:
    """UDP listeners of an NLB whose backends may answer no TCP."""
    if balancer.kind != "nlb" or not balancer.manages_listeners:
        return
    if any(balancer.state(f"health-check-{name}") is not False for name in ("flag", "type", "connect-port")):
        return
    tcp = {one.target for one in balancer.listeners if one.transport == "TCP"}
    for listener in balancer.listeners:
        if listener.transport == "UDP" and listener.target is not None and listener.target not in tcp:
            yield balancer.hit(FieldPath(("spec", "ports", listener.position)), port=listener.port)
            return


# --- Backends


def pods_without_addresses(balancer: Balancer | None, service: Service, profile: Profile) -> Iterator[Hit]:
    """`backend-type: eni` on Flannel."""
    if service.annotations.get(BACKEND_TYPE) != "eni" or profile.cni != "flannel":
        return
    severity: Severity | None = None
    if profile.virtual_nodes or profile.cluster_type in ("serverless", "acs"):
        severity = "info"
    elif balancer is not None and balancer.kind == "nlb" and balancer.holds("server-group-type", ("Ip",)):
        severity = "warning"
    yield Hit(service.at("metadata", "annotations", BACKEND_TYPE), severity=severity)


def addresses_without_ipvs(balancer: Balancer, profile: Profile) -> Iterator[Hit]:
    """IPv6 where kube-proxy is not in IPVS mode."""
    setting = balancer.settings.get("ip-version")
    if setting is None or profile.kube_proxy_mode in (None, "ipvs"):
        return
    if setting.value.lower() in ("ipv6", "dualstack"):
        yield balancer.hit(setting.at, value=setting.value, mode=profile.kube_proxy_mode)


# --- Keeping and reusing


_FALSE = ("false", "off", "no", "0", "disable", "disabled")


def kept_all_the_same(balancer: Balancer) -> Iterator[Hit]:
    """A value of `preserve-lb-on-delete` by which its author means no."""
    setting = balancer.settings.get("preserve-lb-on-delete")
    if setting is not None and setting.value.strip().lower() in _FALSE:
        yield balancer.hit(setting.at, value=setting.value)


def unmanaged_listeners(balancer: Balancer) -> Iterator[Hit]:
    """An existing load balancer whose listeners nobody makes."""
    if not balancer.reuses:
        return
    # Another word than true and false is reported by lb-flag-invalid.
    if balancer.holds("force-override-listeners", ("false", None)) is not True:
        return
    grouped = balancer.state("vgroup-port")
    if grouped is None:
        return
    idle = [
        setting
        for setting in balancer.settings.values()
        if (setting.reading or {}).get("listeners") or setting.name in ("protocol-port", "scheduler")
    ]
    yield balancer.hit(
        balancer.at("id"),
        message="groups" if grouped else ("idle" if idle else "default"),
        severity="info" if grouped else None,
        related=tuple(Related(setting.at.key, note="idle") for setting in idle[:5]),
        name=idle[0].name if idle else "",
    )


def wrong_backend_type(service: Service) -> str | None:
    """The value of `backend-type` that stands for ecs although it is another word; None if there is none."""
    value = service.annotations.get(BACKEND_TYPE)
    if isinstance(value, Unknown) or not text(value) or value in ("eni", "ecs"):
        return None
    return str(value)
