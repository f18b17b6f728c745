"""Volumes, claims and storage classes.

Restates pkg/apis/core/validation/validation.go (ValidatePersistentVolumeSpec, ValidatePersistentVolumeClaimSpec) and
pkg/apis/storage/validation/validation.go (validateAllowedTopologies).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.names import dns1123_label, dns1123_subdomain
from kubelint_ack.records import FieldPath, Hit, Route, Severity, Unknown
from kubelint_ack.selectors import expand
from kubelint_ack.values import is_to_fill_in, quantity
from kubelint_ack.views import View, Workload, mapping, sequence


def access_modes(view: View) -> Iterator[Hit]:
    """`ReadWriteOncePod` beside another mode."""
    modes = sequence(view.spec.get("accessModes"))
    if len(modes) > 1 and "ReadWriteOncePod" in modes:
        index = list(modes).index("ReadWriteOncePod")
        yield Hit(view.at("spec", "accessModes", index), depends=(view.at("spec", "accessModes"),))


def capacity(volume: View) -> Iterator[Hit]:
    """The capacity of a volume: exactly one size, of storage, above zero."""
    written = volume.spec.get("capacity")
    at = volume.at("spec", "capacity")
    if volume.spec and (written is None or written == {}):
        yield Hit(at, message="missing")
    elif isinstance(written, dict):
        other = next((name for name in written if name != "storage"), None)
        size = quantity(written.get("storage"))
        if isinstance(other, str):
            yield Hit(volume.at("spec", "capacity", other).key, message="other", name=other)
        elif size is not None and size <= 0:
            yield Hit(volume.at("spec", "capacity", "storage"), message="positive", value=written["storage"])


def local_affinity(volume: View) -> Iterator[Hit]:
    """A local volume that does not say on which node it is."""
    local, affinity = volume.spec.get("local"), volume.spec.get("nodeAffinity")
    if local is not None and not isinstance(local, Unknown) and affinity is None:
        yield Hit(volume.at("spec", "nodeAffinity"), depends=(volume.at("spec", "local"),))


def recycled_root(volume: View) -> Iterator[Hit]:
    """A volume of the node's root folder that is to be emptied after use."""
    path, policy = mapping(volume.spec.get("hostPath")).get("path"), volume.spec.get("persistentVolumeReclaimPolicy")
    if policy != "Recycle" or not isinstance(path, str) or ".." in path:
        return
    if path.startswith("/") and not path.strip("/."):
        at = volume.at("spec", "persistentVolumeReclaimPolicy")
        yield Hit(at, depends=(volume.at("spec", "hostPath"),), path=path)


_CSI_SECRETS = (
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeStageSecretRef",
    "nodeExpandSecretRef",
)


def csi_secrets(volume: View) -> Iterator[Hit]:
    """Secrets of a CSI volume that are not named in full."""
    csi = mapping(volume.spec.get("csi"))
    for field in _CSI_SECRETS:
        secret = csi.get(field)
        if not isinstance(secret, dict):
            continue
        for part, syntax in (("name", dns1123_subdomain), ("namespace", dns1123_label)):
            value = secret.get(part)
            if value is None or value == "":
                yield Hit(volume.at("spec", "csi", field, part), field=field, part=part)
                break
            if isinstance(value, str) and syntax(value) and not is_to_fill_in(value):
                at = volume.at("spec", "csi", field, part)
                yield Hit(at, message="syntax", field=field, part=part, value=value)


def claims(view: View) -> Iterator[tuple[Route, Mapping[str, Any]]]:
    """Route and spec of the claim that an object is, or of those that it has templates for."""
    if view.family == ("", "PersistentVolumeClaim"):
        yield ("spec",), view.spec
    if view.family == ("apps", "StatefulSet") and view.spec.get("volumeClaimTemplates"):
        for route, spec in expand(view.data, ("spec", "volumeClaimTemplates", "*", "spec")):
            yield route, spec
    if isinstance(view, Workload) and view.pod_spec.get("volumes"):
        for route, spec in expand(view.pod_spec, ("volumes", "*", "ephemeral", "volumeClaimTemplate", "spec")):
            yield (*view.pod_route, "spec", *route), spec


def claim_request(route: Route, claim: Mapping[str, Any], severity: Severity | None) -> Iterator[Hit]:
    """The size that the spec of a claim asks for: there, and above zero."""
    resources = claim.get("resources")
    requests = mapping(resources).get("requests")
    if not claim or isinstance(resources, Unknown) or isinstance(requests, Unknown):
        return
    at = FieldPath((*route, "resources", "requests", "storage"))
    written = mapping(requests).get("storage")
    if "storage" not in mapping(requests):
        limited = "storage" in mapping(mapping(resources).get("limits"))
        yield Hit(at, message="limits" if limited else "missing", severity=severity)
        return
    size = quantity(0 if written is None else written)
    if size is not None and size <= 0:
        yield Hit(at, message="positive", severity=severity, value=written)


# What `dataSource` may be: all else needs `dataSourceRef`.
_SOURCES = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


def data_source(claim: View) -> Iterator[Hit]:
    """What a claim is filled from: refused, or dropped so that the volume stays empty.

    Restates pkg/api/persistentvolumeclaim/util.go (EnforceDataSourceBackwardsCompatibility, DropDisabledFields) too.
    """
    first, second = claim.spec.get("dataSource"), claim.spec.get("dataSourceRef")
    if isinstance(first, Unknown) or isinstance(second, Unknown):
        return
    if isinstance(second, dict) and second.get("namespace"):
        yield Hit(claim.at("spec", "dataSourceRef", "namespace"), message="namespace", severity="warning")
        return
    for field, source in (("dataSourceRef", second), ("dataSource", first)):
        if not isinstance(source, dict):
            continue
        group, kind = source.get("apiGroup") or "", source.get("kind") or ""
        if not isinstance(group, str) or not isinstance(kind, str) or is_to_fill_in(kind):
            continue
        if field == "dataSource" and second is None:
            if (group, kind) not in _SOURCES:
                message = "no-group" if kind == "VolumeSnapshot" and not group else "dropped"
                depends = (claim.at("spec", "dataSourceRef"),)
                yield Hit(claim.at("spec", field), message=message, severity="warning", kind=kind, depends=depends)
        elif kind and not group and kind != "PersistentVolumeClaim":
            yield Hit(claim.at("spec", field, "apiGroup"), message="group", field=field, kind=kind)
            return
    if not isinstance(first, dict) or not isinstance(second, dict):
        return
    for key in ("apiGroup", "kind", "name"):
        one, other = first.get(key) or "", second.get(key) or ""
        if isinstance(one, str) and isinstance(other, str) and one != other:
            at = claim.at("spec", "dataSource", key)
            yield Hit(at, message="different", depends=(claim.at("spec", "dataSourceRef"),), key=key)
            return


def topologies(one: View) -> Iterator[Hit]:
    """Allowed topologies that repeat a key, a value or a whole term."""
    terms: list[dict[str, frozenset[str]]] = []
    for number, term in enumerate(sequence(one.data.get("allowedTopologies"))):
        seen: dict[str, frozenset[str]] = {}
        for index, expression in enumerate(sequence(mapping(term).get("matchLabelExpressions"))):
            key, values = mapping(expression).get("key"), sequence(mapping(expression).get("values"))
            if not isinstance(key, str) or any(not isinstance(value, str) for value in values):
                return
            route = ("allowedTopologies", number, "matchLabelExpressions", index)
            if key in seen:
                yield Hit(one.at(*route, "key"), message="key", key=key)
            seen[key] = frozenset(values)
            for position, value in enumerate(values):
                if value in values[:position]:
                    yield Hit(one.at(*route, "values", position), message="value", value=value)
        if seen in terms:
            yield Hit(one.at("allowedTopologies", number), message="term")
        terms.append(seen)
