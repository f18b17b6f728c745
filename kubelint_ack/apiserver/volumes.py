"""Volumes of pods and their mounts.

Restates pkg/apis/core/validation/validation.go (ValidateVolumes, validateVolumeSource, validateProjectionSources,
ValidateVolumeMounts, ValidateVolumeDevices).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelint_ack.names import dns1123_label
from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Related, Severity, Unknown
from kubelint_ack.values import is_placeholder, milli
from kubelint_ack.views import View, Workload, mapping, sequence, text


def volume_source_count(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Volumes with two sources; and with none, which the server turns into empty directories."""
    for index, volume in workload.volumes():
        if len(volume) == 2 and "name" in volume and None not in volume.values():
            continue
        at = workload.pod_at("spec", "volumes", index)
        name = text(volume.get("name")) or f"volumes[{index}]"
        sources = [key for key, value in volume.items() if key != "name" and isinstance(key, str) and value is not None]
        if len(sources) > 1:
            yield Hit(
                FieldPath((*at.route, sources[1])).key,
                message="several",
                severity=workload.refused(profile.kubernetes_version),
                related=(Related(FieldPath((*at.route, sources[0])), note="first"),),
                name=name,
                sources=sources,
            )
        elif not sources and "emptyDir" not in volume and not any(isinstance(key, Unknown) for key in volume):
            empty = next((key for key in volume if key != "name"), "")
            where = FieldPath((*at.route, empty)).key if empty else FieldPath((*at.route, "name"))
            yield Hit(where, message="null" if empty else "none", severity="warning", name=name, sources=empty)


def volume_device_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Block devices: their volumes, and what they share with mounts."""
    blocks: dict[str, bool] | None = None
    for container in workload.containers:
        devices = container.data.get("volumeDevices")
        if not devices:
            continue
        if blocks is None:
            blocks = {
                str(volume.get("name")): any(
                    volume.get(key) is not None for key in ("persistentVolumeClaim", "ephemeral")
                )
                for _, volume in workload.volumes()
            }
            for claim in sequence(workload.spec.get("volumeClaimTemplates")):
                blocks[str(mapping(mapping(claim).get("metadata")).get("name"))] = True
        mounts = {
            key: {item.get(key): index for index, item in container.items("volumeMounts") if text(item.get(key))}
            for key in ("name", "mountPath")
        }
        severity = workload.refused(profile.kubernetes_version)
        seen: set[str] = set()
        for index, device in container.items("volumeDevices"):
            name, path = text(device.get("name")), text(device.get("devicePath"))
            at = container.at("volumeDevices", index, "name")
            if name and name in seen:
                yield Hit(at, message="twice", severity=severity, container=container.label, name=name)
            elif name and name in mounts["name"]:
                related = (Related(container.at("volumeMounts", mounts["name"][name], "name"), note="mount"),)
                yield Hit(
                    at, message="mounted", severity=severity, related=related, container=container.label, name=name
                )
            elif name and blocks.get(name) is False:
                yield Hit(at, message="source", severity=severity, container=container.label, name=name)
            elif path and path in mounts["mountPath"]:
                related = (Related(container.at("volumeMounts", mounts["mountPath"][path], "mountPath"), note="mount"),)
                at_path = container.at("volumeDevices", index, "devicePath")
                yield Hit(
                    at_path, message="path", severity=severity, related=related, container=container.label, name=path
                )
            if name:
                seen.add(name)


def mount_propagation_unprivileged(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`Bidirectional` mounts of a container that is not privileged."""
    for container in workload.containers:
        for index, mount in container.items("volumeMounts"):
            privileged = container.security.get("privileged")
            if (
                mount.get("mountPropagation") != "Bidirectional"
                or privileged is True
                or isinstance(privileged, Unknown)
            ):
                continue
            yield Hit(
                container.at("volumeMounts", index, "mountPropagation"),
                severity=workload.refused(profile.kubernetes_version),
                depends=(container.at("securityContext"),),
                container=container.label,
            )


_RECURSIVE_SINCE = (1, 31)
"""The feature gate RecursiveReadOnlyMounts is on by default."""


def recursive_read_only_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`recursiveReadOnly` of a mount that is not read-only, or that is propagated."""
    version = profile.kubernetes_version
    # An older API server drops the field.
    old = version is not None and version < _RECURSIVE_SINCE
    for container in workload.containers:
        for index, mount in container.items("volumeMounts"):
            if mount.get("recursiveReadOnly") not in ("IfPossible", "Enabled"):
                continue
            propagation = mount.get("mountPropagation")
            message = ""
            if mount.get("readOnly") is not True and not isinstance(mount.get("readOnly"), Unknown):
                message = "writable"
            elif propagation not in (None, "", "None") and not isinstance(propagation, Unknown):
                message = "propagated"
            if message:
                at = container.at("volumeMounts", index, "recursiveReadOnly")
                severity = "warning" if old else workload.refused(version)
                depends = (container.at("volumeMounts", index, "readOnly"),)
                yield Hit(at, message=message, severity=severity, depends=depends, container=container.label)


def projected_path_duplicate(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Two files of a projected volume at one path."""
    for index, volume in workload.volumes():
        projected = volume.get("projected")
        if not isinstance(projected, dict):
            continue
        first: dict[str, FieldPath] = {}
        for number, source in enumerate(sequence(projected.get("sources"))):
            for kind in ("secret", "configMap", "downwardAPI"):
                for item, entry in enumerate(sequence(mapping(mapping(source).get(kind)).get("items"))):
                    path = text(mapping(entry).get("path"))
                    if not path or is_placeholder(path):
                        continue
                    at = workload.pod_at(
                        "spec", "volumes", index, "projected", "sources", number, kind, "items", item, "path"
                    )
                    if path in first:
                        yield Hit(
                            at,
                            severity=workload.refused(profile.kubernetes_version),
                            related=(Related(first[path], note="first"),),
                            path=path,
                        )
                    first.setdefault(path, at)


def ephemeral_volume_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Metadata of the claim of an ephemeral volume: its name is made by the server."""
    for index, volume in workload.volumes():
        template = mapping(volume.get("ephemeral")).get("volumeClaimTemplate")
        for key, value in mapping(mapping(template).get("metadata")).items():
            if isinstance(key, str) and key not in ("labels", "annotations", "creationTimestamp") and value:
                route = ("spec", "volumes", index, "ephemeral", "volumeClaimTemplate", "metadata", key)
                yield Hit(workload.pod_at(*route), severity=workload.refused(profile.kubernetes_version), field=key)


def empty_dir_size_negative(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`sizeLimit` below zero."""
    for index, volume in workload.volumes():
        written: Any = mapping(volume.get("emptyDir")).get("sizeLimit")
        size = milli(written) if written is not None else None
        if size is not None and size < 0:
            at = workload.pod_at("spec", "volumes", index, "emptyDir", "sizeLimit")
            yield Hit(at, severity=workload.refused(profile.kubernetes_version), value=str(written))


_TEMPLATES_SINCE = (1, 34)


def claim_template_name_invalid(statefulset: View, profile: Profile) -> Iterator[Hit]:
    """Names of volume claim templates, of which the controller makes the names of claims."""
    version = profile.kubernetes_version
    # They become volumes of the pods, which the server sees since then.
    severity: Severity | None = None if version is not None and version >= _TEMPLATES_SINCE else "warning"
    first: dict[str, int] = {}
    for index, template in enumerate(sequence(statefulset.spec.get("volumeClaimTemplates"))):
        if not isinstance(template, dict) or isinstance(template.get("metadata"), Unknown):
            continue
        name = mapping(template.get("metadata")).get("name")
        at = statefulset.at("spec", "volumeClaimTemplates", index, "metadata", "name")
        if name in (None, ""):
            yield Hit(at, message="missing", severity=severity)
        elif isinstance(name, str) and not is_placeholder(name):
            if dns1123_label(name):
                yield Hit(at.value, message="syntax", severity=severity, name=name)
            elif name in first:
                yield Hit(at.value, message="twice", severity=severity, name=name)
            first.setdefault(name, index)
