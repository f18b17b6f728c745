"""What the API server refuses of Ingresses and their classes."""

from __future__ import annotations

from collections.abc import Iterator

from kubelint_ack.apiserver import networking as refused
from kubelint_ack.profile import Profile
from kubelint_ack.records import Hit
from kubelint_ack.views import View


def ingress_without_backend(ingress: View, profile: Profile) -> Iterator[Hit]:
    """An Ingress that leads nowhere."""
    yield from refused.no_backend(ingress)


def ingress_host_invalid(ingress: View, profile: Profile) -> Iterator[Hit]:
    """Hosts that are no DNS names."""
    yield from refused.hosts(ingress)


def ingress_path_invalid(ingress: View, profile: Profile) -> Iterator[Hit]:
    """Paths that do not fit their type."""
    yield from refused.paths(ingress)


def ingress_backend_invalid(ingress: View, profile: Profile) -> Iterator[Hit]:
    """Backends without exactly one target and one port."""
    yield from refused.backends(ingress)


def ingress_class_conflict(ingress: View, profile: Profile) -> Iterator[Hit]:
    """Two classes."""
    yield from refused.ingress_class(ingress)


def ingressclass_parameters_invalid(one: View, profile: Profile) -> Iterator[Hit]:
    """Scope and namespace of the parameters of an IngressClass."""
    yield from refused.class_parameters(one)
