"""Where pods may run: tolerations, node affinity, topology spread, gates.

Restates pkg/apis/core/validation/validation.go (ValidateTolerations, ValidateNodeSelectorRequirement,
ValidateNodeFieldSelectorRequirement, validateTopologySpreadConstraints, ValidateMatchLabelKeysAndMismatchLabelKeys).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.names import label_value
from kubelint_ack.profile import Profile
from kubelint_ack.records import FieldPath, Hit, Route, Severity, Unknown
from kubelint_ack.selectors import expand
from kubelint_ack.values import is_placeholder
from kubelint_ack.views import View, Workload, mapping, sequence

_COMPARING_SINCE = (1, 35)
"""Feature gate TaintTolerationComparisonOperators."""


def toleration_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Tolerations whose fields do not fit together."""
    tolerations = workload.pod_spec.get("tolerations")
    if not tolerations:
        return
    version = profile.kubernetes_version
    severity = workload.refused(version)
    for index, one in enumerate(sequence(tolerations)):
        if not isinstance(one, dict) or any(isinstance(value, Unknown) for value in one.values()):
            continue
        at = workload.pod_at("spec", "tolerations", index)
        key, operator, value = (one.get(field) or "" for field in ("key", "operator", "value"))

        def hit(field: str, message: str, milder: Severity | None = severity, at: FieldPath = at, **values: Any) -> Hit:
            return Hit(FieldPath((*at.route, field)), message=message, severity=milder, **values)

        if not key and operator != "Exists":
            yield hit("operator" if "operator" in one else "key", "no-key", operator=operator or "Equal")
        elif operator == "Exists" and value:
            yield hit("value", "value", value=value)
        elif operator in ("", "Equal"):
            if isinstance(value, str) and label_value(value) and not is_placeholder(value):
                yield hit("value", "syntax", value=value)
        elif operator in ("Gt", "Lt"):
            if version is not None and version < _COMPARING_SINCE:
                yield hit("operator", "operator", operator=operator)
        elif operator != "Exists" and isinstance(operator, str):
            yield hit("operator", "operator", operator=operator)
        if one.get("tolerationSeconds") is not None and one.get("effect") != "NoExecute":
            yield hit("tolerationSeconds", "seconds", effect=one.get("effect") or "")


_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
Terms = tuple[tuple[Route, bool], ...]
"""Where terms stand, and whether a node must meet them."""

_OF_VOLUME: Terms = ((("nodeAffinity", "required", "nodeSelectorTerms", "*"), True),)
_TERMS: Terms = (
    (("affinity", "nodeAffinity", _REQUIRED, "nodeSelectorTerms", "*"), True),
    (("affinity", "nodeAffinity", _PREFERRED, "*", "preference"), False),
)
_VALUES_CHECKED = (1, 32)
_COUNTS = {"In": "some", "NotIn": "some", "Exists": "none", "DoesNotExist": "none", "Gt": "one", "Lt": "one"}


def node_affinity_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """Requirements of node affinity, of pods or of a volume: operators, and how many values they take."""
    if not isinstance(view, Workload):
        yield from _requirements(view.spec, ("spec",), _OF_VOLUME, None, profile)
    elif mapping(view.pod_spec.get("affinity")).get("nodeAffinity"):
        severity = view.refused(profile.kubernetes_version)
        yield from _requirements(view.pod_spec, (*view.pod_route, "spec"), _TERMS, severity, profile)


def _requirements(
    spec: Mapping[str, Any], at: Route, terms: Terms, severity: Severity | None, profile: Profile
) -> Iterator[Hit]:
    for pattern, required in terms:
        for route, term in expand(spec, pattern):
            for field in ("matchExpressions", "matchFields"):
                for index, item in enumerate(sequence(term.get(field))):
                    if isinstance(item, dict):
                        where = FieldPath((*at, *route, field, index))
                        yield from _requirement(where, item, field == "matchFields", required, severity, profile)


def _requirement(
    at: FieldPath,
    item: Mapping[str, Any],
    by_field: bool,
    required: bool,
    severity: Severity | None,
    profile: Profile,
) -> Iterator[Hit]:
    operator, values, key = item.get("operator"), item.get("values"), item.get("key")
    if isinstance(values, Unknown) or not isinstance(operator, str) or not operator:
        return

    def hit(field: str, message: str) -> Hit:
        return Hit(FieldPath((*at.route, field)), message=message, severity=severity, operator=operator, key=str(key))

    count = len(sequence(values))
    if by_field:
        if isinstance(key, str) and key != "metadata.name":
            yield hit("key", "field")
        elif operator not in ("In", "NotIn"):
            yield hit("operator", "field-operator")
        elif count != 1:
            yield hit("values" if "values" in item else "operator", "one-value")
        return
    wanted = _COUNTS.get(operator)
    if wanted is None:
        yield hit("operator", "operator")
    elif wanted == "some" and count == 0:
        yield hit("values" if "values" in item else "operator", "no-values")
    elif wanted == "none" and count:
        yield hit("values", "values")
    elif wanted == "one" and count != 1:
        yield hit("values" if "values" in item else "operator", "one-value")
    elif required and profile.kubernetes_version is not None and profile.kubernetes_version >= _VALUES_CHECKED:
        for index, value in enumerate(sequence(values)):
            if isinstance(value, str) and label_value(value) and not is_placeholder(value):
                at_value = FieldPath((*at.route, "values", index))
                yield Hit(at_value, message="syntax", severity=severity, operator=value, key=str(key))


_KEYED: tuple[Route, ...] = (
    *(
        ("affinity", kind, *rest)
        for kind in ("podAffinity", "podAntiAffinity")
        for rest in ((_REQUIRED, "*"), (_PREFERRED, "*", "podAffinityTerm"))
    ),
    ("topologySpreadConstraints", "*"),
)
_MERGED_SINCE = (1, 34)
_KEYS_SINCE = {"topologySpreadConstraints": (1, 27), "affinity": (1, 31)}
"""Since when the fields are not dropped: MatchLabelKeysInPodTopologySpread, MatchLabelKeysInPodAffinity."""


def match_label_keys_invalid(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`matchLabelKeys` and `mismatchLabelKeys` against the selector beside them."""
    for pattern in _KEYED:
        if not workload.pod_spec.get(str(pattern[0])):
            continue
        for route, term in expand(workload.pod_spec, pattern):
            keys = {field: list(sequence(term.get(field))) for field in ("matchLabelKeys", "mismatchLabelKeys")}
            if not any(keys.values()) or isinstance(term.get("labelSelector"), Unknown):
                continue
            version = profile.kubernetes_version
            severity = workload.refused(version)
            if version is not None and version < _KEYS_SINCE[str(pattern[0])]:
                severity = "warning"
            at = workload.pod_at("spec", *route)
            selector = mapping(term.get("labelSelector"))
            if term.get("labelSelector") is None:
                field = "matchLabelKeys" if keys["matchLabelKeys"] else "mismatchLabelKeys"
                at_keys = FieldPath((*at.route, field)).key
                yield Hit(at_keys, message="no-selector", severity=severity, field=field)
                continue
            expressions = {mapping(one).get("key") for one in sequence(selector.get("matchExpressions"))}
            named = set(mapping(selector.get("matchLabels"))) | expressions
            for field, listed in keys.items():
                for index, key in enumerate(listed):
                    if not isinstance(key, str):
                        continue
                    at_key = FieldPath((*at.route, field, index))
                    if field == "mismatchLabelKeys" and key in keys["matchLabelKeys"]:
                        yield Hit(at_key, message="both", severity=severity, field=field, key=key)
                    elif key in named and field == "matchLabelKeys":
                        # Where the server merges the keys into the selector it tells its own from written ones.
                        merged = version is None or version >= _MERGED_SINCE
                        milder: Severity | None = "warning" if merged else severity
                        yield Hit(at_key, message="selector", severity=milder, field=field, key=key)


def topology_spread_min_domains(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """`minDomains` of a constraint that does not hold pods back."""
    for index, one in enumerate(sequence(workload.pod_spec.get("topologySpreadConstraints"))):
        if mapping(one).get("minDomains") is not None and one.get("whenUnsatisfiable") == "ScheduleAnyway":
            at = workload.pod_at("spec", "topologySpreadConstraints", index, "minDomains")
            depends = (workload.pod_at("spec", "topologySpreadConstraints", index, "whenUnsatisfiable"),)
            yield Hit(at, severity=workload.refused(profile.kubernetes_version), depends=depends)


def scheduling_gate_node_name(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """A Pod that is on a node already and yet waits to be scheduled."""
    if workload.family != ("", "Pod") or workload.is_live_pod:
        return
    if workload.pod_spec.get("schedulingGates") and workload.pod_spec.get("nodeName"):
        depends = (workload.pod_at("spec", "schedulingGates"),)
        yield Hit(workload.pod_at("spec", "nodeName"), depends=depends)


def priority_value_set(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """The number that admission computes from the priority class."""
    if workload.pod_spec.get("priority") is not None and not workload.is_live_pod:
        yield Hit(workload.pod_at("spec", "priority"), depends=(workload.pod_at("spec", "priorityClassName"),))
