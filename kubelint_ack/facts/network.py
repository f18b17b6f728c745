"""Facts of Services and NetworkPolicies."""

# As in records.py, annotations are not postponed.

from typing import Literal, NamedTuple

from kubelint_ack.facts.base import Labels, ResourceFact
from kubelint_ack.records import FieldPath
from kubelint_ack.values import Selector
from kubelint_ack.views import LB_PREFIXES


class ServicePort(NamedTuple):
    """One port of a Service."""

    name: str | None
    port: int | None
    target: int | str | None
    """Number or name; the port number where the field is absent; None if unknown."""
    node_port: int | None
    protocol: str
    app_protocol: str | None
    at: FieldPath
    target_at: FieldPath


class ServiceFact(NamedTuple):
    """A Service."""

    resource: ResourceFact
    type: str | None
    headless: bool | None
    """None if unknown."""
    selector: Selector | None
    """None without a selector: its endpoints are made by hand or by another controller."""
    selector_labels: Labels
    ports: tuple[ServicePort, ...]
    external_name: str | None
    traffic_policy: str | None
    """`externalTrafficPolicy`, by default Cluster; None if unknown."""
    internal_traffic_policy: str | None
    publishes_not_ready: bool
    load_balancer: Literal["clb", "nlb"] | None
    """Which one Alibaba Cloud makes for it; None: none, not known, or another cloud's."""
    addresses: tuple[str, ...]
    """Load balancer addresses and host names that the manifest itself states."""
    annotations: dict[str, str]
    """Those of Alibaba Cloud and `prometheus.io/scrape`."""
    cluster_ip: str | None
    """Its address, if that is written."""
    allocates_node_ports: bool
    """`allocateLoadBalancerNodePorts`."""

    def lb_annotation(self, suffix: str) -> str | None:
        """The value of a load balancer annotation under either prefix, as `Service.lb_annotation` of the view."""
        for prefix in LB_PREFIXES:
            if prefix + suffix in self.annotations:
                return self.annotations[prefix + suffix] or None
        return None

    @property
    def selector_at(self) -> FieldPath:
        """`spec.selector`."""
        return FieldPath(("spec", "selector"))

    @property
    def namespace(self) -> str | None:
        """Its namespace."""
        return self.resource.id.namespace

    @property
    def name(self) -> str | None:
        """Its name."""
        return self.resource.id.name


class PolicyPort(NamedTuple):
    """One port entry of a NetworkPolicy rule."""

    protocol: str
    port: int | str | None
    end_port: int | None
    at: FieldPath


class PolicyPeer(NamedTuple):
    """One peer of a NetworkPolicy rule."""

    pods: Selector | None
    namespaces: Selector | None
    cidr: str | None
    excepted: tuple[str, ...]
    at: FieldPath


class PolicyRule(NamedTuple):
    """One ingress or egress rule: no peers means everybody, no ports every port."""

    peers: tuple[PolicyPeer, ...] | None
    ports: tuple[PolicyPort, ...] | None
    at: FieldPath
    known: bool
    """False if a part is unknown before rendering."""


class PolicyFact(NamedTuple):
    """A NetworkPolicy."""

    resource: ResourceFact
    pods: Selector
    pods_at: FieldPath
    types: tuple[str, ...]
    """Ingress, Egress: defaults applied (Ingress always, Egress where there are egress rules)."""
    types_known: bool
    """False if they are unknown before rendering."""
    types_at: FieldPath
    ingress: tuple[PolicyRule, ...]
    egress: tuple[PolicyRule, ...]
    ingress_at: FieldPath
    egress_at: FieldPath

    @property
    def namespace(self) -> str | None:
        """Its namespace."""
        return self.resource.id.namespace

    @property
    def name(self) -> str | None:
        """Its name."""
        return self.resource.id.name


class PodNetworkFact(NamedTuple):
    """A PodNetworking of Terway: which pods get their network from it."""

    resource: ResourceFact
    pods: Selector | None
    namespaces: Selector | None
    """None for either: it does not ask for it; for both: only pods that name it have it."""
    fixed: bool
    """Whether its pods keep their addresses."""
    selector_at: FieldPath
