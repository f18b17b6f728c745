"""Checks of what a manifest needs to be installed in the cluster, by the catalogue of ACK components."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit
from kubelint_ack.views import View, Workload, mapping, text

Index = Mapping[str, Mapping[str, tuple[str, ...]]]


@cache
def _catalogue() -> Mapping[str, Mapping[str, Any]]:
    # Imported where a profile lists components: the others never pay for it.
    from kubelint_ack.discover import components

    return components()


@cache
def _index() -> Index:
    """For each way of proving a need: what is looked up, and the components that it needs (any one of them)."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, entry in _catalogue().items():
        for way, words in entry.get("needed_by", {}).items():
            for word in words:
                owners = found.setdefault(way, {})
                owners[word] = (*owners.get(word, ()), name)
    return found


def missing_cluster_component(view: View, profile: Profile) -> Iterator[Hit]:
    """Components that the object needs, and the profile does not list."""
    if profile.provider not in (None, "ack"):
        return
    told: set[str] = set()
    for at, owners, what in _needs(view):
        missing = _missing(owners, profile)
        if missing and missing not in told:
            told.add(missing)
            entry = _catalogue()[missing]
            ended = entry["status"] != "current"
            message = ("successor" if "successor" in entry else "ended") if ended else "default"
            yield Hit(at, message=message, component=missing, what=what, successor=entry.get("successor", ""))


def _missing(owners: tuple[str, ...], profile: Profile) -> str:
    """The component to name where none of those that would do is there; empty where one is, or may be."""
    if any(_may_be_there(name, profile) for name in owners):
        return ""
    # Of several that would do, the one that is to stay.
    catalogue = _catalogue()
    return min(owners, key=lambda name: ("successor" in catalogue[name], owners.index(name)))


def _may_be_there(name: str, profile: Profile) -> bool:
    entry = _catalogue()[name]
    installed = profile.components or {}
    if any(other in installed for other in (name, *entry.get("aliases", ()), *entry.get("alternatives", ()))):
        return True
    if any(
        alias in installed
        for other in entry.get("alternatives", ())
        for alias in _catalogue()[other].get("aliases", ())
    ):
        return True
    if profile.cluster_type in entry.get("unneeded_in", ()) or _is_declared(name, entry, profile):
        return True
    if entry["type"] == "system":
        return True
    if profile.components_complete is True:
        return False
    # A list that is known to have gaps was made from a dump: it lacks whatever a dump does not show.
    hidden = profile.components_complete is False and (entry.get("managed", False) or "workloads" not in entry)
    return entry["type"] != "optional" or hidden


def _is_declared(name: str, entry: Mapping[str, Any], profile: Profile) -> bool:
    """Whether another key of the profile says that it is there."""
    controller = entry.get("ingress_controller")
    if controller is not None:
        served = entry["needed_by"].get("ingress_class_controllers", ())
        return controller in (profile.ingress_controllers or ()) or any(
            one.controller in served for one in profile.ingress_classes or ()
        )
    return {
        "ack-virtual-node": bool(profile.virtual_nodes),
        "ack-node-local-dns": bool(profile.node_local_dns),
        "csi-plugin": profile.storage_plugin in ("csi", "both"),
        "gateway-api": bool(profile.gateway_classes),
        # In a cluster with another plug-in rules of their own say what it does not do.
        "terway": profile.cni is not None,
    }.get(name, False)


# --- What proves a need

Need = tuple[FieldPath, tuple[str, ...], str]


def _needs(view: View) -> Iterator[Need]:
    """Where an object proves a need, the components any one of which would do, and the words that prove it."""
    yield from _by_kind(view)
    yield from _by_fields(view)
    if isinstance(view, Workload):
        yield from _by_pods(view)


def _by_kind(view: View) -> Iterator[Need]:
    index, group = _index(), view.id.group
    kind = f"{group}/{view.kind}"
    for way, word in (("api_groups", group), ("kinds", kind)):
        owners = index.get(way, {}).get(word)
        if owners:
            yield view.at("kind"), owners, f"{view.kind} ({group})"


_FIELDS = {
    "StorageClass": (("provisioner",), ("csi_drivers", "provisioners")),
    "VolumeSnapshotClass": (("driver",), ("csi_drivers",)),
    "VolumeAttributesClass": (("driverName",), ("csi_drivers",)),
    "PersistentVolume": (("spec", "csi", "driver"), ("csi_drivers",)),
    "IngressClass": (("spec", "controller"), ("ingress_class_controllers",)),
    "GatewayClass": (("spec", "controllerName"), ("gateway_controllers",)),
}
"""By kind: the field, and the ways of the catalogue by which it is looked up."""

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def _by_fields(view: View) -> Iterator[Need]:
    index, kind = _index(), view.family[1]
    if kind in _FIELDS:
        route, ways = _FIELDS[kind]
        value = text(view.get(*route))
        for way in ways:
            owners = index.get(way, {}).get(value or "")
            if owners:
                yield view.at(*route), owners, str(value)
    elif view.family == ("networking.k8s.io", "Ingress"):
        for route, name in (
            (("spec", "ingressClassName"), text(view.spec.get("ingressClassName"))),
            (("metadata", "annotations", _CLASS_ANNOTATION), view.annotation(_CLASS_ANNOTATION)),
        ):
            owners = index.get("ingress_classes", {}).get(name or "")
            if owners:
                yield view.at(*route), owners, f"{route[-1]}: {name}"
                return
    elif kind == "Namespace":
        yield from _by_pairs("namespace_labels", view.labels, view.at("metadata", "labels"))
    elif kind == "ServiceAccount":
        yield from _by_pairs("service_account_annotations", view.annotations, view.at("metadata", "annotations"))


def _by_pairs(way: str, pairs: Mapping[str, Any], at: FieldPath) -> Iterator[Need]:
    """Labels or annotations that the catalogue names as `key` or `key=value`."""
    known = _index().get(way, {})
    for key, value in pairs.items():
        if not isinstance(value, str):
            continue
        for word in (key, f"{key}={value}"):
            if word in known:
                yield FieldPath((*at.route, key)), known[word], f"{key}: {value}"


def _by_pods(view: Workload) -> Iterator[Need]:
    index = _index()
    yield from _by_pairs("pod_labels", view.pod_labels, view.pod_at("metadata", "labels"))
    yield from _by_pairs("pod_annotations", view.pod_annotations, view.pod_at("metadata", "annotations"))
    selector = mapping(view.pod_spec.get("nodeSelector"))
    yield from _by_pairs("node_selectors", selector, view.pod_at("spec", "nodeSelector"))
    runtime = text(view.pod_spec.get("runtimeClassName"))
    owners = index.get("runtime_classes", {}).get(runtime or "")
    if owners:
        yield view.pod_at("spec", "runtimeClassName"), owners, f"runtimeClassName: {runtime}"
    for number, volume in view.volumes():
        driver = text(mapping(volume.get("csi")).get("driver"))
        owners = index.get("csi_drivers", {}).get(driver or "")
        if owners:
            yield view.pod_at("spec", "volumes", number, "csi", "driver"), owners, str(driver)
    for container in view.containers:
        for field in ("limits", "requests"):
            for key in mapping(container.resources.get(field)):
                owners = index.get("resources", {}).get(key)
                if owners:
                    yield container.at("resources", field, key), owners, key
        for number, variable in container.items("env"):
            name = text(variable.get("name")) or ""
            for prefix, owners in index.get("env_prefixes", {}).items():
                if name.startswith(prefix):
                    yield container.at("env", number, "name"), owners, name
