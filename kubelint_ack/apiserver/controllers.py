"""Selectors, names and update strategies of Deployments, StatefulSets and DaemonSets.

Restates pkg/apis/apps/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubelint_ack.names import dns1123_label
from kubelint_ack.profile import Profile
from kubelint_ack.records import Hit, Route, Unknown
from kubelint_ack.values import is_placeholder
from kubelint_ack.views import View, Workload, integer, mapping


def selector_empty(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """A `spec.selector` that selects everything."""
    own = workload.spec.get("selector")
    if workload.kind == "ReplicationController":
        # Its selector is the labels of its pods where it has none.
        metadata = workload.template.get("metadata")
        unknown = isinstance(metadata, Unknown) or isinstance(mapping(metadata).get("labels"), Unknown)
        if own in (None, {}) and workload.template and not workload.pod_labels and not unknown:
            yield Hit(workload.at("spec", "selector"), kind=workload.kind)
    elif isinstance(own, dict) and set(own) <= {"matchLabels", "matchExpressions"} and not any(own.values()):
        yield Hit(workload.at("spec", "selector"), kind=workload.kind)


def statefulset_name_too_long(statefulset: View, profile: Profile) -> Iterator[Hit]:
    """A name that, with a revision's hash, is too long for a label."""
    name = statefulset.name
    if name and _REVISION_LIMIT < len(name) <= 63 and not is_placeholder(name):
        yield Hit(statefulset.at("metadata", "name").value, name=name, length=len(name), limit=_REVISION_LIMIT)


_REVISION_LIMIT = 52
"""Ten characters and a hyphen are added (pkg/controller/history/controller_history.go, ControllerRevisionName)."""
_SERVICE_NAME_CHECKED = (1, 33)


def statefulset_service_name_invalid(statefulset: View, profile: Profile) -> Iterator[Hit]:
    """`spec.serviceName`, which becomes the subdomain of the pods."""
    name = statefulset.spec.get("serviceName")
    if not isinstance(name, str) or not name or not dns1123_label(name) or is_placeholder(name):
        return
    checked = profile.kubernetes_version is not None and profile.kubernetes_version >= _SERVICE_NAME_CHECKED
    yield Hit(statefulset.at("spec", "serviceName").value, severity=None if checked else "warning", name=name)


def _amount(value: Any, default: int | str = "") -> tuple[int, bool] | None:
    """The number of an int-or-percent, and whether it is a percentage; None if it is neither."""
    value = default if value is None else value
    if isinstance(value, str):
        return (int(value[:-1]), True) if re.fullmatch("[0-9]{1,9}%", value) else None
    number = integer(value)
    return None if number is None else (number, False)


def deployment_strategy_invalid(deployment: View, profile: Profile) -> Iterator[Hit]:
    """Combinations in `spec.strategy` that the API server refuses."""
    strategy = mapping(deployment.spec.get("strategy"))
    rolling = strategy.get("rollingUpdate")
    if not isinstance(rolling, dict):
        return
    at = deployment.at("spec", "strategy", "rollingUpdate")
    if strategy.get("type") == "Recreate":
        yield Hit(at.key, message="recreate", depends=(deployment.at("spec", "strategy", "type"),))
        return
    surge, unavailable = (_amount(rolling.get(key), "25%") for key in ("maxSurge", "maxUnavailable"))
    at_unavailable = deployment.at(*at.route, "maxUnavailable")
    if unavailable and unavailable[1] and unavailable[0] > 100:
        yield Hit(at_unavailable.value, message="over", value=str(rolling.get("maxUnavailable")))
    elif surge and unavailable and surge[0] == unavailable[0] == 0:
        yield Hit(at_unavailable, message="zero", depends=(deployment.at(*at.route, "maxSurge"),))


def daemonset_strategy_invalid(daemonset: View, profile: Profile) -> Iterator[Hit]:
    """Combinations in `spec.updateStrategy` that the API server refuses; by default one pod may be unavailable."""
    strategy = mapping(daemonset.spec.get("updateStrategy"))
    rolling = strategy.get("rollingUpdate")
    if not isinstance(rolling, dict) or strategy.get("type") not in (None, "", "RollingUpdate"):
        return
    route: Route = ("spec", "updateStrategy", "rollingUpdate")
    written = rolling.get("maxUnavailable")
    surge, unavailable = _amount(rolling.get("maxSurge"), 0), _amount(written, 1)
    for field, amount in (("maxSurge", surge), ("maxUnavailable", unavailable)):
        if amount and amount[1] and amount[0] > 100:
            yield Hit(daemonset.at(*route, field).value, message="over", field=field, value=str(rolling.get(field)))
            return
    if not surge or not unavailable:
        return
    depends = (daemonset.at(*route, "maxUnavailable"), daemonset.at(*route, "maxSurge"))
    if surge[0] and unavailable[0]:
        message = "default" if written is None else "both"
        yield Hit(daemonset.at(*route, "maxSurge"), message=message, depends=depends)
    elif surge[0] == unavailable[0] == 0:
        yield Hit(daemonset.at(*route, "maxUnavailable"), message="zero", depends=depends)


def statefulset_strategy_invalid(statefulset: View, profile: Profile) -> Iterator[Hit]:
    """Combinations in `spec.updateStrategy` that the API server refuses."""
    strategy = mapping(statefulset.spec.get("updateStrategy"))
    rolling = strategy.get("rollingUpdate")
    if not isinstance(rolling, dict):
        return
    at = statefulset.at("spec", "updateStrategy", "rollingUpdate")
    if strategy.get("type") == "OnDelete":
        yield Hit(at.key, message="on-delete", depends=(statefulset.at("spec", "updateStrategy", "type"),))
        return
    unavailable = _amount(rolling.get("maxUnavailable"))
    if unavailable and (unavailable[0] == 0 or (unavailable[1] and unavailable[0] > 100)):
        # Dropped unless a feature gate of the cluster is on.
        value = str(rolling.get("maxUnavailable"))
        yield Hit(statefulset.at(*at.route, "maxUnavailable").value, message="range", severity="warning", value=value)


_DEFAULT_DEADLINE = 600


def progress_deadline_too_short(deployment: View, profile: Profile) -> Iterator[Hit]:
    """`spec.progressDeadlineSeconds`, 600 by default, against `spec.minReadySeconds`."""
    written = deployment.spec.get("progressDeadlineSeconds")
    ready = integer(deployment.spec.get("minReadySeconds") or 0)
    if ready is None:
        return
    deadline = _DEFAULT_DEADLINE if written is None else integer(written)
    if deadline is not None and 0 <= deadline <= ready:
        yield Hit(
            deployment.at("spec", "minReadySeconds" if written is None else "progressDeadlineSeconds"),
            message="unset" if written is None else "default",
            depends=(deployment.at("spec", "minReadySeconds"), deployment.at("spec", "progressDeadlineSeconds")),
            ready=ready,
            deadline=deadline,
        )
