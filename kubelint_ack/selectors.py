"""Where label selectors, plain label maps and further object metadata stand in objects of the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kubelint_ack.records import Route
from kubelint_ack.views import View, Workload, mapping

_SPEC: tuple[Route, ...] = (("spec", "selector"),)
# `*` stands for each item of a list. https://kubernetes.io/docs/reference/kubernetes-api/
_SELECTORS: dict[tuple[str, str], tuple[Route, ...]] = {
    ("apps", "Deployment"): _SPEC,
    ("apps", "ReplicaSet"): _SPEC,
    ("apps", "StatefulSet"): _SPEC,
    ("apps", "DaemonSet"): _SPEC,
    ("batch", "Job"): _SPEC,
    ("policy", "PodDisruptionBudget"): _SPEC,
    ("", "PersistentVolumeClaim"): _SPEC,
    ("networking.k8s.io", "NetworkPolicy"): (
        ("spec", "podSelector"),
        ("spec", "ingress", "*", "from", "*", "podSelector"),
        ("spec", "ingress", "*", "from", "*", "namespaceSelector"),
        ("spec", "egress", "*", "to", "*", "podSelector"),
        ("spec", "egress", "*", "to", "*", "namespaceSelector"),
    ),
    ("rbac.authorization.k8s.io", "ClusterRole"): (("aggregationRule", "clusterRoleSelectors", "*"),),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): (
        ("webhooks", "*", "namespaceSelector"),
        ("webhooks", "*", "objectSelector"),
    ),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): (
        ("webhooks", "*", "namespaceSelector"),
        ("webhooks", "*", "objectSelector"),
    ),
    ("autoscaling", "HorizontalPodAutoscaler"): (
        ("spec", "metrics", "*", "pods", "metric", "selector"),
        ("spec", "metrics", "*", "object", "metric", "selector"),
        ("spec", "metrics", "*", "external", "metric", "selector"),
    ),
}
_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
_AFFINITY: tuple[Route, ...] = tuple(
    route
    for kind in ("podAffinity", "podAntiAffinity")
    for field in ("labelSelector", "namespaceSelector")
    for route in (
        ("affinity", kind, _REQUIRED, "*", field),
        ("affinity", kind, _PREFERRED, "*", "podAffinityTerm", field),
    )
)
_SPREAD: tuple[Route, ...] = (("topologySpreadConstraints", "*", "labelSelector"),)
_LABEL_MAPS: dict[tuple[str, str], Route] = {
    ("", "Service"): ("spec", "selector"),
    ("", "ReplicationController"): ("spec", "selector"),
}


class Found(NamedTuple):
    """A piece of an object, and where it stands."""

    route: Route
    data: Mapping[str, Any]
    of_pods: bool
    """Whether it belongs to the pods, and so is not checked where only they are."""


def may_select(view: View) -> bool:
    """Whether an object's kind has any place for a selector that is known here."""
    return isinstance(view, Workload) or view.family in _SELECTORS or view.family in _LABEL_MAPS


def label_selectors(view: View) -> Iterator[Found]:
    """Every `LabelSelector` that is written: of the object, of its pods' affinity and of their topology spread."""
    for route in _SELECTORS.get(view.family, ()):
        if "*" not in route:
            data = view.get(*route)
            if isinstance(data, dict):
                yield Found(route, data, False)
            continue
        for found in expand(view.data, route):
            yield Found(*found, False)
    if isinstance(view, Workload):
        for key, routes in (("affinity", _AFFINITY), ("topologySpreadConstraints", _SPREAD)):
            if view.pod_spec.get(key):
                for route in routes:
                    for below, data in expand(view.pod_spec, route):
                        yield Found((*view.pod_route, "spec", *below), data, True)


def label_maps(view: View) -> Iterator[Found]:
    """The plain maps that select by labels: `selector` of a Service, `nodeSelector` of pods."""
    route = _LABEL_MAPS.get(view.family)
    if route:
        yield Found(route, mapping(view.get(*route)), False)
    if isinstance(view, Workload) and view.pod_spec.get("nodeSelector"):
        yield Found((*view.pod_route, "spec", "nodeSelector"), mapping(view.pod_spec["nodeSelector"]), True)


def expand(data: Any, pattern: Route) -> Iterator[tuple[Route, Mapping[str, Any]]]:
    """Route and mapping of all that a route with `*` leads to."""
    found: list[tuple[Route, Any]] = [((), data)]
    for step in pattern:
        if step == "*":
            found = [
                ((*route, index), item)
                for route, node in found
                if isinstance(node, list)
                for index, item in enumerate(node)
            ]
        else:
            found = [((*route, step), node[step]) for route, node in found if isinstance(node, dict) and step in node]
        if not found:
            return
    for route, node in found:
        if isinstance(node, dict):
            yield route, node
