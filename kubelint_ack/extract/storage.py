"""Facts of claims, volumes and their classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubelint_ack.extract.base import Extraction, plain_labels
from kubelint_ack.facts import ClaimFact, Facts, ResourceFact, StorageClassFact, VolumeFact
from kubelint_ack.records import FieldPath, Route, at
from kubelint_ack.views import View, mapping, sequence, text


def claim(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a PersistentVolumeClaim."""
    into.claims.append(claim_fact(x.resource(view.labels), view.data, (), template=False))


def claim_fact(resource: ResourceFact, data: Mapping[str, Any], route: Route, *, template: bool) -> ClaimFact:
    """The fact of a claim that stands at a route of its resource."""
    spec = mapping(data.get("spec"))
    request = mapping(mapping(spec.get("resources")).get("requests")).get("storage")
    annotated = mapping(mapping(data.get("metadata")).get("annotations")).get("volume.beta.kubernetes.io/storage-class")
    return ClaimFact(
        resource,
        text(mapping(data.get("metadata")).get("name")),
        template,
        text(spec.get("storageClassName", annotated)),
        FieldPath((*route, "spec", "storageClassName")),
        tuple(mode for mode in sequence(spec.get("accessModes")) if isinstance(mode, str)),
        FieldPath((*route, "spec", "accessModes")),
        text(spec.get("volumeMode", "Filesystem")),
        _quantity_text(request),
        FieldPath((*route, "spec", "resources", "requests", "storage")),
        text(spec.get("volumeName")),
        any(key in spec for key in ("selector", "volumeName", "dataSource", "dataSourceRef")),
        "volumeAttributesClassName" in spec,
    )


def _quantity_text(value: Any) -> str | None:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def volume(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a PersistentVolume."""
    annotated = view.annotations.get("volume.beta.kubernetes.io/storage-class", "")
    modes = at("spec", "accessModes")
    into.volumes.append(
        VolumeFact(
            x.resource(view.labels),
            text(view.get("spec", "csi", "driver")),
            text(view.spec.get("storageClassName", annotated)),
            tuple(mode for mode in sequence(view.spec.get("accessModes")) if isinstance(mode, str)),
            modes,
            text(view.spec.get("volumeMode", "Filesystem")),
            _quantity_text(view.get("spec", "capacity", "storage")),
        )
    )


def storage_class(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a StorageClass."""
    into.storage_classes.append(
        StorageClassFact(
            x.resource(view.labels),
            text(view.data.get("provisioner")),
            plain_labels(mapping(view.data.get("parameters"))),
        )
    )
