"""What the downward API may expose of a pod, in environment variables and in files.

Restates pkg/apis/core/validation/validation.go (validateObjectFieldSelector, validateContainerResourceFieldSelector,
validateDownwardAPIVolumeFile) of Kubernetes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.names import annotation_key, qualified_name
from kubelint_ack.records import FieldPath, Route
from kubelint_ack.values import milli
from kubelint_ack.views import Workload, mapping, sequence

_EVERYWHERE = frozenset({"metadata.name", "metadata.namespace", "metadata.uid"})
ENV_FIELDS = _EVERYWHERE | {
    "spec.nodeName", "spec.serviceAccountName", "spec.host", "status.hostIP", "status.hostIPs", "status.podIP",
    "status.podIPs",
}  # fmt: skip
FILE_FIELDS = _EVERYWHERE | {"metadata.labels", "metadata.annotations"}
_SUBSCRIPT = r"metadata\.(labels|annotations)\['([^']*)'\]"

_RESOURCES = frozenset(
    f"{field}.{name}" for field in ("limits", "requests") for name in ("cpu", "memory", "ephemeral-storage")
)
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_CPU_DIVISORS = frozenset({"1m", "1"})
_BYTE_DIVISORS = frozenset({"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"})


def field_mistake(path: str, *, in_file: bool) -> str:
    """Why a `fieldPath` is refused, or '': `key` wrong in brackets · `whole` only files hold all labels · `field`."""
    subscript = re.fullmatch(_SUBSCRIPT, path)
    if subscript:
        syntax = qualified_name if subscript[1] == "labels" else annotation_key
        return "key" if syntax(subscript[2]) else ""
    if path in (FILE_FIELDS if in_file else ENV_FIELDS):
        return ""
    return "whole" if path in FILE_FIELDS else "field"


def resource_mistake(resource: str) -> bool:
    """Whether the `resource` of a `resourceFieldRef` is refused."""
    return resource not in _RESOURCES and not resource.startswith(_HUGE_PAGES)


def divisor_mistake(resource: str, divisor: object) -> bool:
    """Whether the `divisor` of a `resourceFieldRef` is refused: it is compared by value, 0 being unset."""
    value = milli(divisor)
    if value is None or value == 0:
        return False
    allowed = _CPU_DIVISORS if resource.endswith(".cpu") else _BYTE_DIVISORS
    return all(milli(one) != value for one in allowed)


def references(workload: Workload, field: str) -> Iterator[tuple[FieldPath, Mapping[str, Any], bool]]:
    """Place and content of each `fieldRef` or `resourceFieldRef`, and whether it becomes a file."""
    for container in workload.containers:
        for index, item in container.items("env"):
            source = item.get("valueFrom")
            if isinstance(source, dict) and isinstance(source.get(field), dict):
                yield container.at("env", index, "valueFrom", field), source[field], False
    for index, volume in workload.volumes():
        lists: list[tuple[Route, Any]] = [(("downwardAPI", "items"), mapping(volume.get("downwardAPI")).get("items"))]
        for number, source in enumerate(sequence(mapping(volume.get("projected")).get("sources"))):
            items = mapping(mapping(source).get("downwardAPI")).get("items")
            lists.append((("projected", "sources", number, "downwardAPI", "items"), items))
        for route, items in lists:
            for number, item in enumerate(sequence(items)):
                if isinstance(item, dict) and isinstance(item.get(field), dict):
                    yield workload.pod_at("spec", "volumes", index, *route, number, field), item[field], True
