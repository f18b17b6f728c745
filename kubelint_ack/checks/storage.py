"""Checks of volumes: mounts without a volume, FlexVolume, and what cloud disks refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from kubelint_ack.apiserver import storage as refused
from kubelint_ack.apiserver import volumes
from kubelint_ack.checks.scheduling import is_sent_to_virtual_nodes
from kubelint_ack.data import read_data
from kubelint_ack.facts import ClaimFact, Labels, StorageClassFact, VolumeFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.records import FieldPath, Hit, Related, Severity, Unknown
from kubelint_ack.values import at_least, is_placeholder, nearest, quantity
from kubelint_ack.views import Container, View, Workload, mapping, sequence, text


@cache
def _catalogue() -> Mapping[str, Any]:
    """Disk types, StorageClasses and drivers, as `schemas/ack/storage.schema.json` describes them."""
    found: Mapping[str, Any] = json.loads(read_data("schemas/ack/storage.json"))
    return found


# --- FlexVolume

_CSI_ONLY = (1, 20)
"""New clusters since this version have no FlexVolume: https://help.aliyun.com/en/ack/product-overview/flexvolume"""


def flexvolume_deprecated(view: View, profile: Profile) -> Iterator[Hit]:
    """Volumes of Alibaba Cloud's FlexVolume drivers."""
    # Pods on ECI mount these without any plug-in.
    if profile.cluster_type in ("serverless", "acs") or profile.storage_plugin in ("flexvolume", "both"):
        return
    version = profile.kubernetes_version
    absent = profile.storage_plugin == "csi" and version is not None and version >= _CSI_ONLY
    volumes: list[tuple[FieldPath, Mapping[str, Any]]] = []
    if isinstance(view, Workload):
        if is_sent_to_virtual_nodes(view, profile):
            return
        # The labels of its namespace may send the pod there too.
        absent = absent and profile.virtual_nodes is not True
        volumes += [(view.pod_at("spec", "volumes", index), volume) for index, volume in view.volumes()]
    else:
        volumes.append((view.at("spec"), view.spec))
    replacements = _catalogue()["flex_volume_drivers"]
    for at, volume in volumes:
        driver = text(mapping(volume.get("flexVolume")).get("driver"))
        if driver in replacements:
            yield Hit(
                FieldPath((*at.route, "flexVolume", "driver")),
                message="absent" if absent else "default",
                severity=None if absent else "warning",
                driver=driver,
                replacement=replacements[driver],
            )


# --- Cloud disks


class _DiskClass(NamedTuple):
    """A StorageClass of cloud disks."""

    parameters: Labels | None
    """None if they are not declared."""
    fact: StorageClassFact | None = None
    """None where it is not among the files."""
    unproved: bool = False
    """It may be another one: known by a name that new clusters do not have, or from files of another unit."""


def _disk_class(claim: ClaimFact, near: Any, project: Project, profile: Profile) -> _DiskClass | None:
    """The StorageClass that a claim names, if it makes cloud disks.

    It is looked up in the unit, the profile, among those that ACK makes, and in the rest of the files.
    """
    name = claim.storage_class
    if not name:
        return None
    written = list(project.named("StorageClass", name, near))
    if written:
        # What is written beside the claim goes before variants in other files.
        written = [one for one in written if one.resource.path == near.resource.path] or written
        return None if any(project.is_patched(one) for one in written) else _written_class(written)
    for one in profile.storage_classes or ():
        if one.name == name:
            parameters: Labels | None = None if one.parameters is None else dict(one.parameters)
            return _DiskClass(parameters) if one.provisioner == _catalogue()["disk_driver"] else None
    own = _catalogue()["storage_classes"].get(name)
    # Clusters with FlexVolume have classes of the same names.
    if own and profile.storage_classes is None and profile.storage_plugin not in ("flexvolume", "both"):
        return _DiskClass(own["parameters"], unproved=own.get("former", False))
    found = _written_class(project.anywhere("StorageClass", name))
    return found._replace(unproved=True) if found else None


def _written_class(facts: Sequence[Any]) -> _DiskClass | None:
    """The class of cloud disks that the files define, if they agree about it."""
    definitions = [(one.provisioner, one.parameters) for one in facts if isinstance(one, StorageClassFact)]
    if not definitions or any(one != definitions[0] for one in definitions):
        return None
    provisioner, parameters = definitions[0]
    return _DiskClass(parameters, facts[0]) if provisioner == _catalogue()["disk_driver"] else None


def _provisioned(fact: Any, project: Project, profile: Profile) -> Iterator[tuple[ClaimFact, _DiskClass]]:
    """The claims of a resource for which new cloud disks will be made, with their StorageClass."""
    for claim in project.claims_of(fact):
        if claim.selects or project.is_patched(fact, *claim.access_modes_at.route[:-1]):
            continue
        disk = _disk_class(claim, fact, project, profile)
        # A class that names a disk hands out that one, whatever is asked for.
        if disk is None or "volume.alibabacloud.com/disk-id" in (disk.parameters or {}):
            continue
        if not any(_may_bind(claim, volume) for volume in project.volumes):
            yield claim, disk


def _may_bind(claim: ClaimFact, volume: VolumeFact) -> bool:
    """Whether a claim may get a volume that is there already."""
    offered, asked = quantity(volume.capacity), quantity(claim.request)
    return (
        volume.storage_class in (claim.storage_class, None)
        and volume.volume_mode in (claim.volume_mode, None)
        and set(claim.access_modes) <= set(volume.access_modes)
        and (offered is None or asked is None or offered >= asked)
    )


def _disk_severity(disk: _DiskClass, *, unproved: bool = False) -> Severity | None:
    return "warning" if disk.unproved or unproved else None


_MODES_CHECKED = "1.30"
"""csi-plugin checks access modes since about this version: https://github.com/kubernetes-sigs/alibaba-cloud-csi-driver
(pkg/disk/controllerserver.go, validateCapabilities)"""


def csi_disk_rwx_filesystem(fact: Any, project: Project, profile: Profile) -> Iterator[Hit]:
    """ReadWriteMany on a cloud disk with a file system: a claim that needs a new disk, or a static volume."""
    if isinstance(fact, VolumeFact):
        if (
            fact.driver == _catalogue()["disk_driver"]
            and _is_shared_filesystem(fact)
            and not project.is_patched(fact, "spec")
        ):
            yield Hit(fact.access_modes_at, message="static", severity="warning", volume=fact.resource.id.name)
        return
    plugin = (profile.components or {}).get("csi-plugin")
    old = at_least(plugin, _MODES_CHECKED) is False
    for claim, disk in _provisioned(fact, project, profile):
        if _is_shared_filesystem(claim):
            yield Hit(
                claim.access_modes_at,
                message="template" if claim.template else "default",
                severity=_disk_severity(disk, unproved=old),
                related=_class_places(disk),
                claim=claim.name,
                storage_class=claim.storage_class,
            )


def _is_shared_filesystem(fact: ClaimFact | VolumeFact) -> bool:
    return "ReadWriteMany" in fact.access_modes and fact.volume_mode == "Filesystem"


def _class_places(disk: _DiskClass, *keys: str) -> tuple[Related, ...]:
    """The StorageClass where it is among the files: its parameters, or its name."""
    fact = disk.fact
    if fact is None:
        return ()
    places = [FieldPath(("parameters", key)) for key in keys if key in fact.parameters]
    return tuple(Related(at, of=fact, note="class") for at in places or [fact.resource.name_at])


_GI = 2**30
_RAISED_TO = 20
"""GiB to which a class with `volumeSizeAutoAvailable` raises a smaller request."""


def csi_disk_size_below_minimum(fact: Any, project: Project, profile: Profile) -> Iterator[Hit]:
    """A claim for a disk that no type of its StorageClass makes that small."""
    for claim, disk in _provisioned(fact, project, profile):
        size = quantity(claim.request)
        if size is None or size <= 0 or claim.attributes_class or disk.parameters is None:
            continue
        attempts = _attempts(disk.parameters)
        gibibytes = -(-size // _GI)
        if (disk.parameters.get("volumeSizeAutoAvailable") or "").lower() in ("yes", "true", "1"):
            gibibytes = max(gibibytes, _RAISED_TO)
        if attempts and all(gibibytes < minimum for minimum, _ in attempts):
            minimum, smallest = min(attempts)
            yield Hit(
                claim.request_at,
                message="list" if len(attempts) > 1 else "default",
                severity=_disk_severity(disk),
                related=_class_places(disk, "type", "performanceLevel"),
                claim=claim.name,
                size=claim.request,
                storage_class=claim.storage_class,
                minimum=f"{minimum}Gi",
                type=smallest,
                types=[words for _, words in attempts],
            )


def _attempts(parameters: Labels) -> list[tuple[int, str]]:
    """What the driver tries in turn: minimum in GiB, type and performance level; empty where it cannot be known.

    Restates pkg/disk/cloud.go (generateCreateAttempts) of kubernetes-sigs/alibaba-cloud-csi-driver.
    """
    catalogue = _catalogue()
    types, levels = parameters.get("type", "available"), parameters.get("performanceLevel", "")
    if types is None or levels is None or parameters.get("volumeSizeAutoAvailable", "") is None:
        return []
    found = []
    for name in catalogue["default_disk_types"] if types == "available" else types.split(","):
        entry = catalogue["disk_types"].get(name)
        if entry is None:
            return []
        known = entry.get("performance_levels")
        if not known or not levels:
            found.append((entry.get("minimum", 0), name))
        else:
            found += [(known[level], f"{name} {level}") for level in levels.split(",") if level in known]
    return found


# --- Mounts

_VALIDATED = {
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "DaemonSet"),
    ("", "ReplicationController"),
    ("batch", "Job"),
    ("batch", "CronJob"),
}
"""Kinds whose pod template the API server checks like a pod."""
_PLAIN = {("", "Pod"), ("apps", "StatefulSet")}
"""Kinds of which only the pods are checked, which a webhook may have completed."""


def volume_mount_unresolved(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`volumeMounts` and `volumeDevices` that name no volume of the pod."""
    volumes = _volume_names(workload)
    # A pod that has run had its volumes: the file shows a part of it.
    if volumes is None or workload.is_live_pod:
        return
    mounts: dict[str, list[tuple[FieldPath, Container]]] = {}
    for container in workload.containers:
        for field in ("volumeMounts", "volumeDevices"):
            for index, mount in container.items(field):
                name = text(mount.get("name"))
                if name and name not in volumes and not is_placeholder(name):
                    mounts.setdefault(name, []).append((container.at(field, index, "name"), container))
    for name, places in mounts.items():
        (at, container), *others = places
        inner = _volume_in_container(workload, name)
        near = nearest(name, volumes)
        related = [Related(other, note="also") for other, _ in others[:3]]
        if inner:
            related.insert(0, Related(inner, note="inner"))
        yield Hit(
            at,
            message="inner" if inner else "near" if near else "default",
            severity=_mount_severity(workload),
            related=tuple(related),
            depends=(workload.pod_at("spec", "volumes"), workload.at("spec", "volumeClaimTemplates")),
            container=container.label,
            name=name,
            other=near or "",
        )


def _mount_severity(workload: Workload) -> Severity | None:
    if workload.family in _VALIDATED or (workload.family in _PLAIN and not _is_injected(workload)):
        return None
    return "warning"


def _is_injected(workload: Workload) -> bool:
    """Whether labels or annotations ask a webhook to complete the pods."""
    keys = (*workload.pod_labels, *workload.pod_annotations)
    return any("inject" in key or "sidecar" in key or "PilotAutoEnable" in key for key in keys)


def _volume_names(workload: Workload) -> set[str] | None:
    """The volumes that pods have, those of claim templates too; None where some are known only after rendering."""
    names = set()
    for items, route in (
        (workload.pod_spec.get("volumes"), ("name",)),
        (workload.spec.get("volumeClaimTemplates"), ("metadata", "name")),
    ):
        if isinstance(items, Unknown):
            return None
        for item in sequence(items):
            name: Any = item
            for step in route:
                name = name.get(step) if isinstance(name, dict) else name
            if isinstance(name, str):
                names.add(name)
            if isinstance(name, Unknown) or (isinstance(name, str) and is_placeholder(name)):
                return None
    return names


def _volume_in_container(workload: Workload, name: str) -> FieldPath | None:
    """Where a container holds a list of volumes with that name: it belongs to the pod."""
    for container in workload.containers:
        for index, volume in container.items("volumes"):
            if volume.get("name") == name:
                return container.at("volumes", index, "name")
    return None


# --- What the API server refuses


def access_mode_not_alone(view: View, profile: Profile) -> Iterator[Hit]:
    """`ReadWriteOncePod` beside another mode."""
    yield from refused.access_modes(view)


def pv_capacity_invalid(volume: View, profile: Profile) -> Iterator[Hit]:
    """A volume without exactly one size."""
    yield from refused.capacity(volume)


def pv_local_without_node_affinity(volume: View, profile: Profile) -> Iterator[Hit]:
    """A local volume on no particular node."""
    yield from refused.local_affinity(volume)


def pv_root_recycled(volume: View, profile: Profile) -> Iterator[Hit]:
    """The root folder of a node, to be emptied."""
    yield from refused.recycled_root(volume)


def pv_csi_secret_incomplete(volume: View, profile: Profile) -> Iterator[Hit]:
    """A Secret of a CSI volume without its name or namespace."""
    yield from refused.csi_secrets(volume)


def pvc_request_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """A claim, or a template of claims, that asks for no size."""
    severity = view.refused(profile.kubernetes_version) if isinstance(view, Workload) else None
    for route, spec in refused.claims(view):
        yield from refused.claim_request(route, spec, severity)


def pvc_data_source_invalid(claim: View, profile: Profile) -> Iterator[Hit]:
    """What a claim is filled from."""
    yield from refused.data_source(claim)


def storageclass_topology_duplicate(one: View, profile: Profile) -> Iterator[Hit]:
    """Allowed topologies that repeat themselves."""
    yield from refused.topologies(one)


# --- What the API server refuses


def volume_source_count(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Volumes with two sources; and with none, which the server turns into empty directories."""
    yield from volumes.volume_source_count(workload, profile)


def volume_device_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Block devices: their volumes, and what they share with mounts."""
    yield from volumes.volume_device_invalid(workload, profile)


def mount_propagation_unprivileged(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`Bidirectional` mounts of a container that is not privileged."""
    yield from volumes.mount_propagation_unprivileged(workload, profile)


def recursive_read_only_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`recursiveReadOnly` of a mount that is not read-only, or that is propagated."""
    yield from volumes.recursive_read_only_invalid(workload, profile)


def projected_path_duplicate(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Two files of a projected volume at one path."""
    yield from volumes.projected_path_duplicate(workload, profile)


def ephemeral_volume_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Metadata of the claim of an ephemeral volume: its name is made by the server."""
    yield from volumes.ephemeral_volume_invalid(workload, profile)


def empty_dir_size_negative(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`sizeLimit` below zero."""
    yield from volumes.empty_dir_size_negative(workload, profile)


def claim_template_name_invalid(statefulset: View, profile: Profile) -> Iterator[Hit]:
    """Names of volume claim templates, of which the controller makes the names of claims."""
    yield from volumes.claim_template_name_invalid(statefulset, profile)
