"""Documents to resources: what is a Kubernetes object, which one, and where in its document it stands."""

# As in records.py, annotations are not postponed.

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from kubelint_ack.records import FieldPath, ResourceId, Route, Unknown

# https://kubernetes.io/docs/reference/using-api/#api-versioning
_API_VERSION = re.compile(r"^(?:([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)/)?(v[0-9]+(?:(?:alpha|beta)[0-9]+)?)$")

# Groups that a kind has moved out of; rules are written for today's group.
# https://kubernetes.io/docs/reference/using-api/deprecation-guide/
_MOVED = {
    ("extensions", "Deployment"): "apps",
    ("extensions", "DaemonSet"): "apps",
    ("extensions", "ReplicaSet"): "apps",
    ("extensions", "Ingress"): "networking.k8s.io",
    ("extensions", "NetworkPolicy"): "networking.k8s.io",
    ("extensions", "PodSecurityPolicy"): "policy",
}

# Files that carry apiVersion and kind and yet are never sent to a cluster, by group.
# https://kubectl.docs.kubernetes.io/references/kustomize/ and each tool's own configuration reference
_TOOL_GROUPS = {
    "kustomize.config.k8s.io": "kustomization",
    "kind.x-k8s.io": "tool-configuration",
    "k3d.io": "tool-configuration",
    "skaffold": "tool-configuration",
    "eksctl.io": "tool-configuration",
    "kubeadm.k8s.io": "tool-configuration",
    "kubelet.config.k8s.io": "tool-configuration",
    "kubeproxy.config.k8s.io": "tool-configuration",
    "kubescheduler.config.k8s.io": "tool-configuration",
    "apiserver.config.k8s.io": "tool-configuration",
    "audit.k8s.io": "tool-configuration",
    "backstage.io": "tool-configuration",
    "client.authentication.k8s.io": "tool-configuration",
    "pluginator": "tool-configuration",
    "builtin": "tool-configuration",
}


class Resource(NamedTuple):
    """One Kubernetes object of a document."""

    id: ResourceId
    family: tuple[str, str]
    """(group, kind) with the group that the kind has today: what rules are dispatched by."""
    data: dict[str, Any]
    prefix: Route
    """Its route in the document: empty, or into `items` of a list."""

    def at(self, *route: str | int) -> FieldPath:
        """The field path with this route, relative to the resource."""
        return FieldPath(route)


class NotResource(NamedTuple):
    """Why a document holds no resource: a ledger reason."""

    reason: str
    detail: str = ""


def split_api_version(text: str) -> tuple[str, str] | None:
    """(group, version) of an `apiVersion`; None if it is not one."""
    match = _API_VERSION.match(text)
    return (match[1] or "", match[2]) if match else None


def resources(data: Any, known_file: str = "") -> tuple[list[Resource], NotResource | None]:
    """The resources of a document's data, lists expanded; or the reason why there are none.

    `known_file` is the file's base name: `Chart.yaml` and `kustomization.yaml` are recognised by it.
    """
    if data is None:
        return [], NotResource("empty")
    if not isinstance(data, dict):
        return [], NotResource("not-kubernetes")
    if known_file in KUSTOMIZATION_FILES:
        return [], NotResource("kustomization")
    api_version, kind = data.get("apiVersion"), data.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str) or not kind:
        if isinstance(api_version, Unknown) or isinstance(kind, Unknown):
            return [], NotResource("template")
        return [], NotResource("not-kubernetes")
    if kind in ("Kustomization", "Component") and api_version.startswith("kustomize.config.k8s.io/"):
        return [], NotResource("kustomization")
    parts = split_api_version(api_version)
    if parts is None:
        return [], NotResource("tool-configuration" if "/" in api_version else "not-kubernetes")
    group, version = parts
    if group in _TOOL_GROUPS:
        return [], NotResource(_TOOL_GROUPS[group])
    if group == "" and kind == "Config" and ("clusters" in data or "contexts" in data or "users" in data):
        return [], NotResource("kubeconfig")
    items = data.get("items")
    metadata = data.get("metadata")
    # A custom resource may be called SomethingList too, but it has a name; a list has none.
    if kind.endswith("List") and isinstance(items, list) and not (isinstance(metadata, dict) and "name" in metadata):
        return list(_items(group, version, kind, items)), None
    return [_resource(group, version, kind, data, ())], None


KUSTOMIZATION_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def _items(group: str, version: str, kind: str, items: list[Any]) -> Iterator[Resource]:
    """Items of a list; those of a typed list (`PodList`) take their kind from it."""
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            continue
        own_kind, own_version = item.get("kind"), item.get("apiVersion")
        parts = split_api_version(own_version) if isinstance(own_version, str) else None
        if isinstance(own_kind, str) and parts:
            yield _resource(*parts, own_kind, item, ("items", index))
        elif kind != "List" and own_kind is None:
            yield _resource(group, version, kind[: -len("List")], item, ("items", index))


def _resource(group: str, version: str, kind: str, data: dict[str, Any], prefix: Route) -> Resource:
    metadata = data.get("metadata")
    namespace = name = None
    if isinstance(metadata, dict):
        namespace, name = metadata.get("namespace"), metadata.get("name")
    return Resource(
        ResourceId(
            group,
            version,
            kind,
            namespace if isinstance(namespace, str) and namespace else None,
            name if isinstance(name, str) and name else None,
        ),
        (_MOVED.get((group, kind), group), kind),
        data,
        prefix,
    )
