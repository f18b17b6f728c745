"""What scan keeps of a resource for link: what it defines, what it refers to, and where both stand.

Facts are NamedTuples of plain values (they cross processes and lie in the cache). What a project rule may point at
is a `FieldPath`: any field of the resource has a place, found in its file when a hit is made. `None` in a map of
labels stands for a value that is unknown before rendering. `kubelint_ack.extract` makes them.
"""

# As in records.py, annotations are not postponed.

from collections.abc import Iterator
from typing import Any, NamedTuple

from kubelint_ack.facts.base import Labels, Mention, Reference, ResourceFact
from kubelint_ack.facts.network import (
    PodNetworkFact,
    PolicyFact,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    ServiceFact,
    ServicePort,
)
from kubelint_ack.facts.routing import (
    AlbConfigFact,
    AlbListener,
    Backend,
    GatewayClassFact,
    GatewayFact,
    GatewayListener,
    GrantFact,
    IngressClassFact,
    IngressFact,
    IngressPath,
    IngressTls,
    RouteFact,
    RouteParent,
)
from kubelint_ack.facts.storage import ClaimFact, StorageClassFact, VolumeFact
from kubelint_ack.facts.workloads import (
    AccountFact,
    BudgetFact,
    ContainerFact,
    ContainerPort,
    DataFact,
    MonitorFact,
    ScalerFact,
    WorkloadFact,
)

__all__ = [
    "AccountFact",
    "AlbConfigFact",
    "AlbListener",
    "Backend",
    "BudgetFact",
    "ClaimFact",
    "ContainerFact",
    "ContainerPort",
    "DataFact",
    "Facts",
    "GatewayClassFact",
    "GatewayFact",
    "GatewayListener",
    "GrantFact",
    "IngressClassFact",
    "IngressFact",
    "IngressPath",
    "IngressTls",
    "Labels",
    "Mention",
    "MonitorFact",
    "PodNetworkFact",
    "PolicyFact",
    "PolicyPeer",
    "PolicyPort",
    "PolicyRule",
    "Reference",
    "ResourceFact",
    "RouteFact",
    "RouteParent",
    "ScalerFact",
    "ServiceFact",
    "ServicePort",
    "StorageClassFact",
    "VolumeFact",
    "WorkloadFact",
    "empty_facts",
]


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
    ingress_classes: list[IngressClassFact] = []  # noqa: RUF012
    alb_configs: list[AlbConfigFact] = []  # noqa: RUF012
    gateway_classes: list[GatewayClassFact] = []  # noqa: RUF012
    gateways: list[GatewayFact] = []  # noqa: RUF012
    routes: list[RouteFact] = []  # noqa: RUF012
    grants: list[GrantFact] = []  # noqa: RUF012
    pod_networks: list[PodNetworkFact] = []  # noqa: RUF012

    def all(self) -> Iterator[Any]:
        """Every fact, by type."""
        for group in self:
            yield from group


def empty_facts() -> Facts:
    """Facts with fresh lists, to be filled."""
    return Facts(*([] for _ in Facts._fields))
