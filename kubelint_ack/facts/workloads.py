"""Facts of workloads and of what configures, scales and watches them."""

# As in records.py, annotations are not postponed.

from typing import NamedTuple

from kubelint_ack.facts.base import Labels, Reference, ResourceFact
from kubelint_ack.records import FieldPath
from kubelint_ack.values import Selector
from kubelint_ack.views import Role


class ContainerPort(NamedTuple):
    """One declared port of a container."""

    name: str | None
    number: int | None
    protocol: str
    host_port: int | None
    """0 and None: none."""
    at: FieldPath


class ContainerFact(NamedTuple):
    """One container of a workload."""

    name: str
    """As messages call it: `Container.label`."""
    role: Role
    image: str | None
    ports: tuple[ContainerPort, ...]
    ports_known: bool
    """False if a port is unknown before rendering."""
    at: FieldPath

    @property
    def image_at(self) -> FieldPath:
        """`image`."""
        return FieldPath((*self.at.route, "image"))


class WorkloadFact(NamedTuple):
    """Whatever has a pod template."""

    resource: ResourceFact
    labels: Labels
    """Of its pods."""
    labels_at: FieldPath
    selector: Selector | None
    containers: tuple[ContainerFact, ...]
    replicas: int | None
    """`spec.replicas`, by default 1; None if unknown or not a field of the kind."""
    host_network: bool
    service_account: str | None
    """`default` where none is named; None if unknown."""
    service_name: Reference | None
    """Of a StatefulSet."""
    subdomain: str | None
    """Of its pods: the Service that gives them names of their own."""
    pull_secrets: tuple[str | None, ...]
    """None for one that is unknown before rendering."""
    node_selector: Labels
    """Labels that its nodes must have."""
    dns_policy: str | None
    """`dnsPolicy` of its pods, by default ClusterFirst; None if unknown."""
    annotations: dict[str, str]
    """Of its pods, those of Alibaba Cloud."""
    nameservers: tuple[str, ...] | None
    """Of its `dnsConfig`; None if one is unknown."""
    searches: tuple[str, ...]
    """Search domains of its `dnsConfig`."""
    spread: bool
    """Whether something keeps its pods apart: constraints on their spread, or an affinity against each other."""
    first_ordinal: int | None
    """The number in the name of a StatefulSet's first pod; None if unknown."""
    further: bool = False
    """Whether it is the second or a later pod template of its resource."""
    owner: tuple[str, str] | None = None
    """(kind, name) of the controller of a Pod that was taken from a cluster."""

    @property
    def namespace(self) -> str | None:
        """Its namespace."""
        return self.resource.id.namespace

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.resource.id.kind


class DataFact(NamedTuple):
    """A ConfigMap or Secret: its keys, and the values of a few settings of the cluster alone."""

    resource: ResourceFact
    keys: tuple[str, ...]
    complete: bool
    """False where further keys may come from elsewhere (generated, unknown, encrypted)."""
    settings: dict[str, str]
    """Of Terway's ConfigMap: what rules read of it."""


class ScalerFact(NamedTuple):
    """A HorizontalPodAutoscaler, or a ScaledObject of KEDA."""

    resource: ResourceFact
    target: Reference | None
    minimum: int | None
    """The least number of pods."""
    minimum_at: FieldPath
    maximum: int | None


class BudgetFact(NamedTuple):
    """A PodDisruptionBudget."""

    resource: ResourceFact
    selector: Selector | None
    """None: selects nothing (policy/v1: absent selector)."""
    min_available: int | str | None
    max_unavailable: int | str | None
    at: FieldPath
    unlimited: bool = False
    """Neither limit is written."""


class MonitorFact(NamedTuple):
    """A ServiceMonitor of the Prometheus operator: which Services it discovers."""

    resource: ResourceFact
    selector: Selector
    namespaces: tuple[str, ...] | None
    """None: any; empty: its own."""


class AccountFact(NamedTuple):
    """A ServiceAccount."""

    resource: ResourceFact
    pull_secrets: tuple[str | None, ...]
    """As of a workload."""
