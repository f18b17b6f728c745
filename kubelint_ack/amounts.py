"""Names and amounts of what containers ask for, as the API server validates them.

Restates pkg/apis/core/validation/validation.go (validateContainerResourceName, ValidateResourceQuantityValue) and
pkg/apis/core/helper/helpers.go of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.names import qualified_name
from kubelint_ack.records import FieldPath, Unknown
from kubelint_ack.values import milli
from kubelint_ack.views import Workload, mapping

STANDARD = ("cpu", "memory", "ephemeral-storage")
POD_LEVEL = ("cpu", "memory")
# What people write for a standard name.
_MEANT = {"mem": "memory", "ram": "memory", "storage": "ephemeral-storage", "gpu": "nvidia.com/gpu"}
HUGE_PAGES = "hugepages-"


def is_extended(name: str) -> bool:
    """Whether it is a resource of a device or a vendor: whole numbers only, and never overcommitted."""
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


def name_mistake(name: str, *, pod_level: bool = False) -> tuple[str, str]:
    """Why a resource name is refused, and the one that is probably meant; `("", "")` if it is not.

    `syntax` · `prefix` begins with `requests.` · `pod` not for a whole pod · `near` · `default`
    """
    if qualified_name(name):
        return "syntax", ""
    if name.startswith(HUGE_PAGES):
        return "", ""
    if pod_level:
        return ("", "") if name in POD_LEVEL else ("pod", "")
    if "/" in name:
        return ("prefix", "") if name.startswith("requests.") and "kubernetes.io/" not in name else ("", "")
    if name in STANDARD:
        return "", ""
    lower = name.lower()
    near = lower if lower in STANDARD else _MEANT.get(lower, "")
    return ("near" if near else "default"), near


def amount_mistake(name: str, value: object) -> str:
    """Why a quantity is refused for a resource, or '': `negative` · `fraction` · `pages` no multiple of their size."""
    thousandths = milli(value)
    if thousandths is None:
        return ""
    if thousandths < 0:
        return "negative"
    if is_extended(name) and thousandths % 1000:
        return "fraction"
    if name.startswith(HUGE_PAGES):
        size = milli(name.removeprefix(HUGE_PAGES))
        if size and size > 0 and thousandths % size:
            return "pages"
    return ""


def quantities(resources: Mapping[str, Any], field: str) -> Iterator[tuple[str, int]]:
    """Name and value, in thousandths, of each known quantity of `requests` or `limits`."""
    for resource, written in mapping(resources.get(field)).items():
        value = milli(written)
        if value is not None:
            yield resource, value


def written(resources: Mapping[str, Any], field: str, resource: str) -> str:
    """An amount as it stands in the manifest."""
    return str(mapping(resources.get(field)).get(resource, "")).strip()


def plain(thousandths: int) -> str:
    """Thousandths as a person writes them."""
    if thousandths % 1000:
        return f"{thousandths}m"
    value, suffix = thousandths // 1000, ""
    for larger in ("Ki", "Mi", "Gi", "Ti"):
        if not value or value % 1024:
            break
        value, suffix = value // 1024, larger
    return f"{value}{suffix}"


def total_request(workload: Workload, resource: str) -> int | None:
    """What the containers request together at the least, in thousandths; None if one of them is unknown.

    Containers and sidecars run together; an init container runs with the sidecars before it
    (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers).
    """
    together = highest = 0
    for container in workload.containers:
        requests = container.resources.get("requests")
        written = mapping(requests).get(resource)
        own = 0 if written is None else milli(written)
        if own is None or isinstance(requests, Unknown):
            return None
        if container.role == "init":
            highest = max(highest, together + own)
        elif container.role != "ephemeral":
            together += own
    return max(highest, together)


def resource_maps(workload: Workload) -> Iterator[tuple[FieldPath, Mapping[str, Any], bool]]:
    """Place and content of each `requests` and `limits`, and of `overhead`; and whether it is for the whole pod."""
    for container in workload.containers:
        resources = container.data.get("resources")
        if isinstance(resources, dict):
            for field in ("limits", "requests"):
                if isinstance(resources.get(field), dict):
                    yield container.at("resources", field), resources[field], False
    pod = workload.pod_spec.get("resources")
    if isinstance(pod, dict):
        for field in ("limits", "requests"):
            if isinstance(pod.get(field), dict):
                yield workload.pod_at("spec", "resources", field), pod[field], True
    overhead = workload.pod_spec.get("overhead")
    if isinstance(overhead, dict):
        yield workload.pod_at("spec", "overhead"), overhead, False
