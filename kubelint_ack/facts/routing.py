"""Facts of what leads requests to Services: Ingresses and their classes, ALB configurations, the Gateway API."""

# As in records.py, annotations are not postponed.

from typing import Literal, NamedTuple

from kubelint_ack.facts.base import Labels, Reference, ResourceFact
from kubelint_ack.records import FieldPath
from kubelint_ack.values import Selector


class Backend(NamedTuple):
    """The Service port that a path or route leads to."""

    service: str
    port: int | str | None
    at: FieldPath
    port_at: FieldPath
    namespace: str | None = None
    """Where the Service is, if that is written (routes only)."""


class IngressPath(NamedTuple):
    """One path of an Ingress."""

    host: str | None
    """None: any host, or one that is unknown before rendering."""
    host_known: bool
    path: str | None
    """None: every path, or one that is unknown."""
    path_known: bool
    path_type: str | None
    """As written; in the old versions of the API, which need none, ImplementationSpecific; None if unknown."""
    at: FieldPath
    """The path, or the entry where none is written."""
    type_at: FieldPath
    backend: Backend | None
    """None: something else than a Service, or unknown."""
    backend_known: bool


class IngressTls(NamedTuple):
    """One entry of `spec.tls`."""

    hosts: tuple[str, ...]
    secret: str | None
    at: FieldPath
    known: bool
    """False if its hosts are unknown before rendering."""


class IngressFact(NamedTuple):
    """An Ingress."""

    resource: ResourceFact
    ingress_class: str | None
    """The name of its class, by field or annotation; None: none is written, or it is unknown."""
    class_at: FieldPath
    class_known: bool
    """False if it is unknown before rendering, or the field and the annotation differ."""
    paths: tuple[IngressPath, ...]
    default_backend: Backend | None
    tls: tuple[IngressTls, ...]
    annotations: Labels
    """None for a value that is unknown before rendering."""

    @property
    def backends(self) -> tuple[Backend, ...]:
        """Every Service port that it leads to, the default first."""
        own = (self.default_backend,) if self.default_backend else ()
        return own + tuple(path.backend for path in self.paths if path.backend)

    @property
    def tls_hosts(self) -> tuple[str, ...]:
        """The hosts of all entries of `spec.tls`."""
        return tuple(host for entry in self.tls for host in entry.hosts)

    @property
    def namespace(self) -> str | None:
        """Its namespace."""
        return self.resource.id.namespace

    @property
    def name(self) -> str | None:
        """Its name."""
        return self.resource.id.name


class IngressClassFact(NamedTuple):
    """An IngressClass."""

    resource: ResourceFact
    controller: str | None
    parameters: Reference | None
    """The object that its parameters name, of role `parameters`."""
    default: bool
    """Whether Ingresses without a class get it."""


class AlbListener(NamedTuple):
    """One listener of an AlbConfig."""

    port: int | None
    protocol: str | None
    certificates: Literal["absent", "empty", "given"]
    at: FieldPath


class AlbConfigFact(NamedTuple):
    """An AlbConfig of the ALB Ingress controller."""

    resource: ResourceFact
    listeners: tuple[AlbListener, ...]
    listeners_at: FieldPath
    known: bool
    """False if a listener is unknown before rendering."""


class GatewayClassFact(NamedTuple):
    """A GatewayClass."""

    resource: ResourceFact
    controller: str | None


class GatewayListener(NamedTuple):
    """One listener of a Gateway."""

    name: str | None
    port: int | None
    protocol: str | None
    hostname: str | None
    """None: any."""
    namespaces: Literal["Same", "All", "Selector", "None"] | None
    """Whose routes may attach; None if unknown."""
    selector: Selector | None
    kinds: tuple[str, ...] | None
    """The kinds of routes that may attach; None: those that fit its protocol."""
    known: bool
    """False if a field is unknown before rendering."""
    at: FieldPath


class GatewayFact(NamedTuple):
    """A Gateway of the Gateway API."""

    resource: ResourceFact
    gateway_class: str | None
    listeners: tuple[GatewayListener, ...]
    known: bool
    """False if it may have further listeners."""
    annotations: Labels


class RouteParent(NamedTuple):
    """What a route attaches to."""

    group: str
    kind: str
    name: str
    namespace: str | None
    section: str | None
    port: int | None
    at: FieldPath
    """The reference; its name, section and port lie below."""

    def field(self, key: str) -> FieldPath:
        """The place of one of its fields."""
        return FieldPath((*self.at.route, key))


class RouteFact(NamedTuple):
    """An HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute."""

    resource: ResourceFact
    hostnames: tuple[str, ...]
    hostnames_known: bool
    parents: tuple[RouteParent, ...]
    backends: tuple[Backend, ...]
    features: tuple[tuple[str, FieldPath], ...]
    """Types of filters and of path matches that it uses, with their places."""
    annotations: Labels


class GrantFact(NamedTuple):
    """A ReferenceGrant: who may refer to what in its namespace."""

    resource: ResourceFact
    sources: tuple[tuple[str, str, str], ...]
    """(group, kind, namespace)."""
    targets: tuple[tuple[str, str, str | None], ...]
    """(group, kind, name); name None: any."""
    known: bool
