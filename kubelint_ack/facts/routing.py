"""Facts of what leads requests to Services: Ingresses."""

# As in records.py, annotations are not postponed.

from typing import NamedTuple

from kubelint_ack.facts.base import ResourceFact
from kubelint_ack.records import FieldPath


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
