"""What scan keeps of a resource for link: what it defines, what it refers to, and where both stand.

Facts are NamedTuples of plain values (they cross processes and lie in the cache). What a project rule may point at
is a `FieldPath`: any field of the resource has a place, found in its file when a hit is made. `None` in a map of
labels stands for a value that is unknown before rendering. `extract.py` makes them.
"""

# As in records.py, annotations are not postponed.

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from kubelint_ack.records import FieldPath, ResourceId, Route
from kubelint_ack.values import Selector
from kubelint_ack.views import Role

Labels = dict[str, str | None]


class Reference(NamedTuple):
    """A field that names another object."""

    kind: str
    name: str
    at: FieldPath
    group: str = ""
    namespace: str | None = None
    """Where it is looked up, if that is written; None: in the namespace of the resource that refers."""
    key: str | None = None
    """The key inside a ConfigMap or Secret."""
    key_at: FieldPath | None = None
    optional: bool = False
    role: str = ""
    """What it is used for: env, env-from, volume, pull-secret, scale-target …"""


class Mention(NamedTuple):
    """An IP address or host name written in a string that programs read."""

    host: str
    at: FieldPath


class ResourceFact(NamedTuple):
    """What link knows of any resource."""

    path: str
    document: int
    """Number of the document in its file, from 1."""
    prefix: Route
    id: ResourceId
    family: tuple[str, str]
    labels: Labels
    alibaba: bool
    """Whether it is plainly meant for Alibaba Cloud."""
    references: tuple[Reference, ...] = ()
    mentions: tuple[Mention, ...] = ()
    makes: tuple[tuple[str, str | None], ...] = ()
    """(kind, name) of objects that a controller will make from it; name None: any."""

    @property
    def resource(self) -> "ResourceFact":
        """Itself, so that every fact has `.resource`."""
        return self

    @property
    def name_at(self) -> FieldPath:
        """Its name."""
        return FieldPath(("metadata", "name"))


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


class ContainerPort(NamedTuple):
    """One declared port of a container."""

    name: str | None
    number: int | None
    protocol: str


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

    @property
    def namespace(self) -> str | None:
        """Its namespace."""
        return self.resource.id.namespace

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.resource.id.kind


class DataFact(NamedTuple):
    """A ConfigMap or Secret: its keys, never its values."""

    resource: ResourceFact
    keys: tuple[str, ...]
    complete: bool
    """False where further keys may come from elsewhere (generated, unknown, encrypted)."""


class Backend(NamedTuple):
    """The Service port that an Ingress path leads to."""

    service: str
    port: int | str | None
    at: FieldPath
    port_at: FieldPath
    host: str | None
    path: str | None
    path_type: str | None


class IngressFact(NamedTuple):
    """An Ingress."""

    resource: ResourceFact
    ingress_class: str | None
    backends: tuple[Backend, ...]
    tls_hosts: tuple[str, ...]
    annotations: dict[str, str]


class PolicyPort(NamedTuple):
    """One port entry of a NetworkPolicy rule."""

    protocol: str
    port: int | str | None
    end_port: int | None


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
    types_at: FieldPath
    ingress: tuple[PolicyRule, ...]
    egress: tuple[PolicyRule, ...]
    egress_at: FieldPath

    @property
    def namespace(self) -> str | None:
        """Its namespace."""
        return self.resource.id.namespace


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


class ClaimFact(NamedTuple):
    """A PersistentVolumeClaim, also one of a StatefulSet's templates."""

    resource: ResourceFact
    name: str | None
    template: bool
    storage_class: str | None
    """None: not named."""
    storage_class_at: FieldPath
    access_modes: tuple[str, ...]
    access_modes_at: FieldPath
    volume_mode: str | None
    """By default Filesystem; None if unknown."""
    request: str | None
    """The requested storage, as written."""
    request_at: FieldPath
    volume_name: str | None
    selects: bool
    """Whether it asks for a volume by `selector`, `volumeName` or a data source."""
    attributes_class: bool
    """Whether it names a VolumeAttributesClass, whose parameters go before those of its StorageClass."""


class VolumeFact(NamedTuple):
    """A PersistentVolume."""

    resource: ResourceFact
    driver: str | None
    """Its CSI driver."""
    storage_class: str | None
    """Empty where none is named; None if unknown."""
    access_modes: tuple[str, ...]
    access_modes_at: FieldPath
    volume_mode: str | None
    """By default Filesystem; None if unknown."""
    capacity: str | None
    """The storage, as written."""


class StorageClassFact(NamedTuple):
    """A StorageClass."""

    resource: ResourceFact
    provisioner: str | None
    parameters: Labels


class Facts(NamedTuple):
    """All facts of one file, by type; `resources` holds those without a type of their own."""

    resources: list[ResourceFact] = []  # noqa: RUF012  a fresh one is passed wherever it is filled
    services: list[ServiceFact] = []  # noqa: RUF012
    workloads: list[WorkloadFact] = []  # noqa: RUF012
    data: list[DataFact] = []  # noqa: RUF012
    ingresses: list[IngressFact] = []  # noqa: RUF012
    policies: list[PolicyFact] = []  # noqa: RUF012
    scalers: list[ScalerFact] = []  # noqa: RUF012
    budgets: list[BudgetFact] = []  # noqa: RUF012
    monitors: list[MonitorFact] = []  # noqa: RUF012
    accounts: list[AccountFact] = []  # noqa: RUF012
    claims: list[ClaimFact] = []  # noqa: RUF012
    storage_classes: list[StorageClassFact] = []  # noqa: RUF012
    volumes: list[VolumeFact] = []  # noqa: RUF012

    def all(self) -> Iterator[Any]:
        """Every fact, by type."""
        for group in self:
            yield from group


def empty_facts() -> Facts:
    """Facts with fresh lists, to be filled."""
    return Facts([], [], [], [], [], [], [], [], [], [], [], [], [])
