"""Facts of claims, volumes and their classes."""

# As in records.py, annotations are not postponed.

from typing import NamedTuple

from kubelint_ack.facts.base import Labels, ResourceFact
from kubelint_ack.records import FieldPath


class ClaimFact(NamedTuple):
    """A PersistentVolumeClaim, also one of a StatefulSet's templates."""

    resource: ResourceFact
    name: str | None
    template: bool
    storage_class: str | None
    """None: not named."""
    storage_class_at: FieldPath
    access_modes: tuple[str, ...]
    access_modes_at: FieldPath
    volume_mode: str | None
    """By default Filesystem; None if unknown."""
    request: str | None
    """The requested storage, as written."""
    request_at: FieldPath
    volume_name: str | None
    selects: bool
    """Whether it asks for a volume by `selector`, `volumeName` or a data source."""
    attributes_class: bool
    """Whether it names a VolumeAttributesClass, whose parameters go before those of its StorageClass."""


class VolumeFact(NamedTuple):
    """A PersistentVolume."""

    resource: ResourceFact
    driver: str | None
    """Its CSI driver."""
    storage_class: str | None
    """Empty where none is named; None if unknown."""
    access_modes: tuple[str, ...]
    access_modes_at: FieldPath
    volume_mode: str | None
    """By default Filesystem; None if unknown."""
    capacity: str | None
    """The storage, as written."""


class StorageClassFact(NamedTuple):
    """A StorageClass."""

    resource: ResourceFact
    provisioner: str | None
    parameters: Labels
