"""Resources to facts: one maker for each kind that link knows more of than its identity."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kubelint_ack.extract.base import Extraction
from kubelint_ack.extract.network import pod_network, policy, service
from kubelint_ack.extract.routing import (
    GATEWAY,
    alb_config,
    gateway,
    gateway_class,
    grant,
    ingress,
    ingress_class,
    route,
)
from kubelint_ack.extract.storage import claim, storage_class, volume
from kubelint_ack.extract.workloads import account, budget, data, monitor, scaler, workload
from kubelint_ack.facts import Facts
from kubelint_ack.views import Service, View, Workload, text


def extract(view: View, path: str, document: int, into: Facts) -> None:
    """Add the facts of one resource to `into`. `document` is its document's number, from 1."""
    x = Extraction(view, path, document)
    if isinstance(view, Service):
        into.services.append(service(view, x))
        return
    if isinstance(view, Workload):
        into.workloads.append(workload(view, x, into))
        return
    make = _MAKERS.get(view.family)
    if make is not None:
        make(view, x, into)
        return
    into.resources.append(x.resource(view.labels, _makes(view)))


_MAKERS: dict[tuple[str, str], Callable[[View, Extraction, Facts], None]] = {
    ("", "ConfigMap"): data,
    ("", "Secret"): data,
    ("networking.k8s.io", "Ingress"): ingress,
    ("networking.k8s.io", "IngressClass"): ingress_class,
    ("alibabacloud.com", "AlbConfig"): alb_config,
    (GATEWAY, "GatewayClass"): gateway_class,
    (GATEWAY, "Gateway"): gateway,
    (GATEWAY, "HTTPRoute"): route,
    (GATEWAY, "GRPCRoute"): route,
    (GATEWAY, "TLSRoute"): route,
    (GATEWAY, "TCPRoute"): route,
    (GATEWAY, "UDPRoute"): route,
    (GATEWAY, "ReferenceGrant"): grant,
    ("networking.k8s.io", "NetworkPolicy"): policy,
    ("network.alibabacloud.com", "PodNetworking"): pod_network,
    ("autoscaling", "HorizontalPodAutoscaler"): scaler,
    ("keda.sh", "ScaledObject"): scaler,
    ("policy", "PodDisruptionBudget"): budget,
    ("monitoring.coreos.com", "ServiceMonitor"): monitor,
    ("", "ServiceAccount"): account,
    ("", "PersistentVolumeClaim"): claim,
    ("", "PersistentVolume"): volume,
    ("storage.k8s.io", "StorageClass"): storage_class,
}


def _makes(view: View) -> tuple[tuple[str, str | None], ...]:
    """What a controller will make from a custom resource, as its own documentation says."""
    named: Iterable[tuple[str, Any]] = ()
    if view.family[1] in ("SealedSecret", "ExternalSecret"):
        name = view.get("spec", "target", "name") or view.get("spec", "template", "metadata", "name") or view.name
        named = [("Secret", name)]
    elif view.family == ("cert-manager.io", "Certificate"):
        named = [("Secret", view.get("spec", "secretName"))]
    return tuple((kind, text(name)) for kind, name in named)
