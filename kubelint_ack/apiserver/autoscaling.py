"""HorizontalPodAutoscalers and PodDisruptionBudgets.

Restates pkg/apis/autoscaling/validation/validation.go (validateHorizontalPodAutoscalerSpec, validateMetricSpec,
validateScalingRules) and pkg/apis/policy/validation/validation.go (ValidatePodDisruptionBudgetSpec).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.records import FieldPath, Hit, Related, Unknown
from kubelint_ack.values import is_to_fill_in, quantity
from kubelint_ack.views import View, integer, mapping, sequence, text

# --- Autoscalers


def replicas(scaler: View) -> Iterator[Hit]:
    """Bounds that exclude each other, and zero replicas without what could bring them back."""
    least, most = integer(scaler.spec.get("minReplicas")), integer(scaler.spec.get("maxReplicas"))
    if isinstance(scaler.spec.get("minReplicas"), Unknown) or isinstance(scaler.spec.get("maxReplicas"), Unknown):
        return
    at = scaler.at("spec", "maxReplicas")
    if least is not None and most is not None and 0 < most < least:
        yield Hit(at, depends=(scaler.at("spec", "minReplicas"),), least=least, most=most)
    if least == 0:
        # The gate HPAScaleToZero allows it for metrics that do not come from the pods.
        kinds = [metric.get("type") for _, metric in _metrics(scaler)]
        fits = any(kind in ("Object", "External") or isinstance(kind, Unknown) for kind in kinds)
        yield Hit(
            scaler.at("spec", "minReplicas"),
            message="gate" if fits else "zero",
            severity="warning" if fits else None,
            depends=(scaler.at("spec", "metrics"),),
        )


# The block of each metric type, in the order in which the server looks.
_BLOCKS = {
    "Object": "object",
    "External": "external",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}


def metric_sources(scaler: View) -> Iterator[Hit]:
    """Metrics whose block is not the one of their type, or that hold several."""
    for index, metric in _metrics(scaler):
        kind = metric.get("type")
        block = _BLOCKS.get(kind) if isinstance(kind, str) else None
        if block is None:
            continue
        found = [one for one in _BLOCKS.values() if metric.get(one) is not None]
        at, depends = scaler.at("spec", "metrics", index, block), (scaler.at("spec", "metrics", index),)
        other = next((one for one in found if one != block), None)
        if block not in found:
            yield Hit(at, message="other" if other else "missing", depends=depends, type=kind, block=block, other=other)
        elif other:
            at = scaler.at("spec", "metrics", index, other)
            yield Hit(at, message="several", depends=depends, type=kind, block=block, other=other)


def metric_targets(scaler: View) -> Iterator[Hit]:
    """Targets of metrics that have no value, two, or one that is not positive."""
    for index, metric in _metrics(scaler):
        kind = metric.get("type")
        block = _BLOCKS.get(kind) if isinstance(kind, str) else None
        target = mapping(mapping(metric.get(block or "")).get("target"))
        if not block or not target:
            continue
        at = scaler.at("spec", "metrics", index, block, "target")
        # In the autoscaling/v2beta1 of old manifests the target stands elsewhere.
        hit = None if scaler.id.version == "v2beta1" else _target_hit(at, str(kind), target)
        if hit:
            yield hit


def _target_hit(at: FieldPath, kind: str, target: Mapping[str, Any]) -> Hit | None:
    value, average, utilization = (target.get(key) for key in ("value", "averageValue", "averageUtilization"))
    if any(isinstance(one, Unknown) for one in (value, average, utilization)):
        return None
    for field, one in (("value", value), ("averageValue", average), ("averageUtilization", utilization)):
        number = quantity(one)
        if one is not None and number is not None and number <= 0:
            return Hit(FieldPath((*at.route, field)), message="positive", field=field, value=one)
    if kind in ("Resource", "ContainerResource"):
        if average is None and utilization is None:
            return Hit(at, message="resource", depends=(at,))
        if average is not None and utilization is not None:
            return Hit(
                FieldPath((*at.route, "averageValue")), message="both", depends=(at,), other="averageUtilization"
            )
        if utilization is None and text(target.get("type")) == "Utilization":
            return Hit(FieldPath((*at.route, "type")), message="type", severity="warning", depends=(at,))
    elif kind == "Pods" and average is None:
        return Hit(at, message="pods", depends=(at,))
    elif kind in ("Object", "External") and value is None and average is None:
        return Hit(at, message="no-value", depends=(at,), type=kind)
    elif kind == "External" and value is not None and average is not None:
        return Hit(FieldPath((*at.route, "averageValue")), message="both", depends=(at,), other="value")
    return None


def metric_duplicates(scaler: View) -> Iterator[Hit]:
    """Metrics of a pod's resource that an earlier one measures already."""
    seen: dict[tuple[str, str, str], FieldPath] = {}
    for index, metric in _metrics(scaler):
        kind = text(metric.get("type"))
        block = _BLOCKS.get(kind or "", "")
        source = mapping(metric.get(block))
        name, container = text(source.get("name")), source.get("container", "")
        if kind not in ("Resource", "ContainerResource") or not name or not isinstance(container, str):
            continue
        at = scaler.at("spec", "metrics", index, block, "name")
        first = seen.setdefault((kind, name, container), at)
        if first != at:
            yield Hit(at, related=(Related(first, note="first"),), name=name)


def behavior(scaler: View) -> Iterator[Hit]:
    """An empty list of scaling policies; one that is absent gets the defaults."""
    for direction in ("scaleUp", "scaleDown"):
        if scaler.get("spec", "behavior", direction, "policies") == []:
            yield Hit(scaler.at("spec", "behavior", direction, "policies"), direction=direction)


def _metrics(scaler: View) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, metric in enumerate(sequence(scaler.spec.get("metrics"))):
        if isinstance(metric, dict):
            yield index, metric


# --- Disruption budgets


def budget_limits(budget: View) -> Iterator[Hit]:
    """Limits that are no number of pods and no percentage."""
    for field in ("minAvailable", "maxUnavailable"):
        value = budget.spec.get(field)
        at = budget.at("spec", field)
        number = integer(value)
        if number is not None and number < 0:
            yield Hit(at, message="negative", field=field, value=number)
        elif isinstance(value, str) and not is_to_fill_in(value):
            if re.fullmatch("[0-9]+", value):
                yield Hit(at, message="quoted", field=field, value=value)
            elif not re.fullmatch("[0-9]+%", value):
                yield Hit(at, message="syntax", field=field, value=value)
            elif len(value) > 4 or int(value[:-1]) > 100:
                yield Hit(at, message="above", field=field, value=value)
