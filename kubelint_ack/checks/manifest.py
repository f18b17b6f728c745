"""Checks of what every object has: its identity, labels and annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kubelint_ack import lifecycle
from kubelint_ack.apiserver import admission as refused
from kubelint_ack.facts import ResourceFact
from kubelint_ack.kinds import CLUSTER_SCOPED, KUBERNETES_GROUPS
from kubelint_ack.names import (
    annotation_key,
    dns1035_label,
    dns1123_label,
    dns1123_subdomain,
    label_value,
    qualified_name,
)
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.records import FieldPath, Hit, Related, Route, Severity, Unknown
from kubelint_ack.selectors import Found, label_maps, label_selectors, may_select
from kubelint_ack.values import is_placeholder
from kubelint_ack.views import View, Workload, mapping, sequence

# Go's names for JSON values, as the API server's message has them.
_TYPES = {bool: "bool", int: "number", float: "number", list: "array", dict: "object"}


def annotation_value_not_string(view: View, profile: Profile) -> Iterator[Hit]:
    """Values of labels and annotations that decode to something else than a string."""
    routes: list[Route] = [("metadata",)]
    # Pod templates of custom resources are their controllers' affair.
    if isinstance(view, Workload) and view.pod_route and "." not in view.family[0]:
        routes.append((*view.pod_route, "metadata"))
    for route in routes:
        metadata = mapping(view.get(*route))
        for field, message in (("annotations", "default"), ("labels", "label")):
            for key, value in mapping(metadata.get(field)).items():
                if type(value) is str or isinstance(value, (str, Unknown)):
                    continue
                at = view.at(*route, field, key)
                if value is None:
                    yield Hit(at, message="null", severity="warning", key=key)
                else:
                    yield Hit(at, message=message, key=key, type=_TYPES.get(type(value), "unknown"))


def duplicate_resource(fact: ResourceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """An object that the same file, or the same kustomization, defines before."""
    resource: Any = fact.resource
    if resource.id.name is None:
        return
    first = project.first_definition(resource)
    if first is not None:
        yield Hit(
            resource.name_at,
            related=(Related(first.name_at, first, "first"),),
            kind=resource.id.kind,
            name=resource.id.name,
            first=first.path,
        )


# --- What the API server asks of every object's metadata


def _severity(view: View) -> Severity | None:
    """None for kinds of Kubernetes; a warning for others: who serves them may ask for something else."""
    return None if view.id.group in KUBERNETES_GROUPS else "warning"


def _path_segment(name: object) -> str:
    """A name that may hold anything but what would break the path of a URL (IsValidPathSegmentName)."""
    if not isinstance(name, str):
        return "" if isinstance(name, Unknown) else "type"
    return "path" if name in (".", "..") or "/" in name or "%" in name else ""


_Grammar = Callable[[object], str]
# A DNS subdomain for all others. Restates the Validate*Name functions of pkg/apis/*/validation.
_GRAMMARS: dict[tuple[str, str], _Grammar] = {
    ("", "Namespace"): dns1123_label,
    ("apps", "StatefulSet"): dns1123_label,
    ("", "Service"): dns1035_label,
    ("rbac.authorization.k8s.io", "Role"): _path_segment,
    ("rbac.authorization.k8s.io", "ClusterRole"): _path_segment,
    ("rbac.authorization.k8s.io", "RoleBinding"): _path_segment,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _path_segment,
    ("policy", "PodDisruptionBudget"): _path_segment,
    ("certificates.k8s.io", "CertificateSigningRequest"): _path_segment,
    ("certificates.k8s.io", "ClusterTrustBundle"): _path_segment,
    ("apiregistration.k8s.io", "APIService"): _path_segment,
    ("networking.k8s.io", "IPAddress"): _path_segment,
    ("", "Event"): _path_segment,
    ("events.k8s.io", "Event"): _path_segment,
}
_SERVICE_MAY_START_WITH_DIGIT = (1, 36)
"""https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/ (RelaxedServiceNameValidation)"""
_LIMITS: dict[Any, int] = {dns1123_label: 63, dns1035_label: 63, dns1123_subdomain: 253}
_CRON_JOB_LIMIT = 52
"""A Job's name is the CronJob's and eleven more characters (pkg/apis/batch/validation, ValidateCronJobCreate)."""
_NAMELESS = frozenset(
    {"Binding", "Status", "DeleteOptions", "Eviction", "Scale", "TokenRequest", "PodExecOptions", "Policy"}
)
_AGGREGATED = ("openshift.io", "projectcalico.org", "metrics.k8s.io")
"""Groups that are served by servers of their own, with grammars of their own."""


def metadata_name_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """`metadata.name`, `generateName` and `namespace` as the API server wants them for the kind."""
    metadata = view.data.get("metadata")
    if not isinstance(metadata, dict):
        if metadata is None and view.id.group in KUBERNETES_GROUPS and view.kind not in _NAMELESS:
            yield Hit(view.at("metadata"), message="missing", kind=view.kind)
        return
    name, generated = metadata.get("name"), metadata.get("generateName")
    namespace = metadata.get("namespace")
    if namespace and dns1123_label(namespace) and view.kind not in CLUSTER_SCOPED:
        yield from _name_hit(view, "namespace", namespace, dns1123_label(namespace), 63)
    grammar = _GRAMMARS.get(view.family, dns1123_subdomain)
    if grammar is dns1035_label and (profile.kubernetes_version or _SERVICE_MAY_START_WITH_DIGIT) >= (
        _SERVICE_MAY_START_WITH_DIGIT
    ):
        grammar = dns1123_label
    limit = _LIMITS.get(grammar, 0)
    if name in (None, ""):
        if isinstance(generated, str) and generated:
            # The server masks what it is going to fill up, so a final hyphen is no mistake.
            masked = generated[:-2] + "a" if generated.endswith("-") and len(generated) > 1 else generated
            yield from _name_hit(view, "generateName", generated, grammar(masked), limit)
        elif generated in (None, "") and view.id.group in KUBERNETES_GROUPS and view.kind not in _NAMELESS:
            yield Hit(view.at("metadata", "name"), message="missing", kind=view.kind)
        return
    reason = grammar(name)
    if not reason and view.family == ("batch", "CronJob") and isinstance(name, str) and len(name) > _CRON_JOB_LIMIT:
        reason, limit = "cronjob", _CRON_JOB_LIMIT
    elif not reason and view.family == ("batch", "Job") and isinstance(name, str):
        reason, limit = _job_name(view, name)
    if reason:
        yield from _name_hit(view, "name", name, reason, limit)


def _job_name(view: View, name: str) -> tuple[str, int]:
    """Why the names of a Job's pods, or the label that the server makes of its name, are refused; and the limit."""
    completions = view.spec.get("completions", view.spec.get("parallelism", 1))
    if view.spec.get("completionMode") == "Indexed" and isinstance(completions, int) and completions > 0:
        limit = 62 - len(str(completions - 1))
        if len(name) > limit:
            return "indexed", limit
        return ("indexed-dots", limit) if "." in name else ("", limit)
    if len(name) > 63 and view.spec.get("manualSelector") is not True:
        return "job", 63
    return "", 63


def _name_hit(view: View, field: str, name: object, reason: str, limit: int) -> Iterator[Hit]:
    if not reason or reason in ("type", "empty") or not isinstance(name, str) or is_placeholder(name):
        return
    if view.id.group.endswith(_AGGREGATED):
        return
    yield Hit(
        view.at("metadata", field).value,
        message=reason,
        severity=_severity(view),
        field=f"metadata.{field}",
        name=name if len(name) <= 80 else f"{name[:77]}...",
        kind=view.kind,
        length=len(name),
        limit=limit,
    )


def _metadata_routes(view: View) -> Iterator[tuple[Route, Severity | None]]:
    """Every `metadata` of an object, with the severity of what is refused there."""
    severity = _severity(view)
    yield ("metadata",), severity
    if isinstance(view, Workload) and view.pod_route:
        yield (*view.pod_route, "metadata"), severity
        if view.family == ("batch", "CronJob"):
            # What follows is first seen when the Job, or the claim, is made.
            yield ("spec", "jobTemplate", "metadata"), "warning"
        elif view.family == ("apps", "StatefulSet"):
            for index, _ in enumerate(sequence(view.spec.get("volumeClaimTemplates"))):
                yield ("spec", "volumeClaimTemplates", index, "metadata"), "warning"


def label_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """Keys and values of labels, of the object and of what it is a template for."""
    for route, severity in _metadata_routes(view):
        labels = mapping(view.get(*route)).get("labels")
        if labels and isinstance(labels, dict):
            for key, value in labels.items():
                if qualified_name(key) or label_value(value):
                    yield from _label_hits((*route, "labels"), key, value, severity)


def _label_hits(route: Route, key: object, value: object, severity: Severity | None) -> Iterator[Hit]:
    """Hits of one label of a map of labels."""
    at = FieldPath((*route, str(key)))
    reason = qualified_name(key)
    if reason and isinstance(key, str) and not is_placeholder(key):
        kind = reason if reason in ("slash", "prefix", "length") else "default"
        yield Hit(at.key, message=f"key-{kind}", severity=severity, key=key, length=len(key.rpartition("/")[2]))
    reason = label_value(value)
    if reason and isinstance(value, str) and not is_placeholder(value):
        message = "value-length" if reason == "length" else "value"
        yield Hit(at.value, message=message, severity=severity, key=str(key), value=value, length=len(value))


_ANNOTATIONS_LIMIT = 262_144


def annotation_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """Keys of annotations, and their total size."""
    for route, severity in _metadata_routes(view):
        annotations = mapping(view.get(*route)).get("annotations")
        if not annotations or not isinstance(annotations, dict):
            continue
        size = 0
        for key, value in annotations.items():
            reason = annotation_key(key)
            if reason and isinstance(key, str) and not is_placeholder(key):
                kind = reason if reason in ("slash", "prefix", "length") else "default"
                at = FieldPath((*route, "annotations", key)).key
                yield Hit(at, message=f"key-{kind}", severity=severity, key=key, length=len(key.rpartition("/")[2]))
            size += len(str(key)) + (len(value) if isinstance(value, str) else 0)
        if size > _ANNOTATIONS_LIMIT:
            yield Hit(FieldPath((*route, "annotations")).key, message="size", severity=severity, size=size)


_OPPOSITE = {"orphan": "foregroundDeletion", "foregroundDeletion": "orphan"}


def finalizer_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """`metadata.finalizers`: their syntax, and the two that exclude each other."""
    finalizers = view.metadata.get("finalizers")
    if not finalizers or not isinstance(finalizers, list):
        return
    for index, name in enumerate(finalizers):
        at = view.at("metadata", "finalizers", index)
        if not isinstance(name, str) or is_placeholder(name):
            continue
        if qualified_name(name):
            yield Hit(at, message="default", severity=_severity(view), name=name)
        elif "/" not in name and name not in ("kubernetes", *_OPPOSITE):
            # Of a custom resource the server only warns.
            yield Hit(at, message="domain", severity=_severity(view), name=name)
        elif _OPPOSITE.get(name) in finalizers[:index]:
            yield Hit(at, message="both", severity=_severity(view), name=name)


def owner_reference_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """`metadata.ownerReferences`: two controllers, and an owner that cannot be one."""
    controller: FieldPath | None = None
    owners = sequence(view.metadata.get("ownerReferences"))
    for index, owner in enumerate(owners):
        if owner in owners[:index]:
            # The API server takes the repetition out before it looks.
            continue
        at = view.at("metadata", "ownerReferences", index)
        if mapping(owner).get("kind") == "Event" and owner.get("apiVersion") in ("v1", "events.k8s.io/v1"):
            yield Hit(FieldPath((*at.route, "kind")), message="event")
        if mapping(owner).get("controller") is True:
            here = FieldPath((*at.route, "controller"))
            if controller:
                yield Hit(here, related=(Related(controller, note="first"),), name=str(owner.get("name", "")))
            controller = controller or here


def resource_version_set(view: View, profile: Profile) -> Iterator[Hit]:
    """`metadata.resourceVersion` in a manifest of its own; an item of a list is what a cluster was asked for."""
    if view.metadata.get("resourceVersion") and not view.resource.prefix:
        yield Hit(view.at("metadata", "resourceVersion"), kind=view.kind)


def namespace_on_cluster_scoped(view: View, profile: Profile) -> Iterator[Hit]:
    """`metadata.namespace` of a kind that belongs to none."""
    if view.namespace and view.kind in CLUSTER_SCOPED and view.id.group in KUBERNETES_GROUPS:
        yield Hit(view.at("metadata", "namespace"), kind=view.kind, namespace=view.namespace)


# --- Selectors

_VALUES_NEEDED = ("In", "NotIn")
_NO_VALUES = ("Exists", "DoesNotExist")
_EXPRESSION_VALUES_CHECKED = (1, 27)
"""Since when the values of expressions must be label values (pkg/apis/meta/v1/validation, ValidateLabelSelector)."""


def label_selector_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """Label selectors and maps of labels that select, as the API server validates them."""
    if not may_select(view):
        return
    for found in label_maps(view):
        yield from _selector_labels(found.route, found.data, _selector_severity(view, found, profile))
    for found in label_selectors(view):
        severity = _selector_severity(view, found, profile)
        yield from _selector_labels((*found.route, "matchLabels"), mapping(found.data.get("matchLabels")), severity)
        for index, item in enumerate(sequence(found.data.get("matchExpressions"))):
            if isinstance(item, dict):
                yield from _expression((*found.route, "matchExpressions", index), item, severity, profile)


def _selector_severity(view: View, found: Found, profile: Profile) -> Severity | None:
    if found.of_pods and isinstance(view, Workload):
        return view.refused(profile.kubernetes_version)
    return _severity(view)


def _selector_labels(route: Route, labels: Mapping[str, Any], severity: Severity | None) -> Iterator[Hit]:
    for key, value in labels.items():
        if qualified_name(key) or label_value(value):
            yield from _label_hits(route, key, value, severity)


def _expression(route: Route, item: Mapping[str, Any], severity: Severity | None, profile: Profile) -> Iterator[Hit]:
    at = FieldPath(route)
    key, operator, values = item.get("key"), item.get("operator"), item.get("values")
    if isinstance(key, str) and key and qualified_name(key) and not is_placeholder(key):
        reason = qualified_name(key)
        kind = reason if reason in ("slash", "prefix", "length") else "default"
        at_key = FieldPath((*route, "key")).value
        yield Hit(at_key, message=f"key-{kind}", severity=severity, key=key, length=len(key.rpartition("/")[2]))
    if isinstance(operator, str) and operator not in (*_VALUES_NEEDED, *_NO_VALUES):
        yield Hit(FieldPath((*route, "operator")).value, message="operator", severity=severity, operator=operator)
    elif operator in _VALUES_NEEDED and not values and not isinstance(values, Unknown):
        at_values = FieldPath((*route, "values")) if "values" in item else at
        yield Hit(at_values, message="no-values", severity=severity, key=str(key), operator=operator)
    elif operator in _NO_VALUES and values and not isinstance(values, Unknown):
        yield Hit(FieldPath((*route, "values")), message="values", severity=severity, key=str(key), operator=operator)
    elif operator in _VALUES_NEEDED:
        old = profile.kubernetes_version is not None and profile.kubernetes_version < _EXPRESSION_VALUES_CHECKED
        for index, value in enumerate(sequence(values)):
            if isinstance(value, str) and label_value(value) and not is_placeholder(value):
                message = "value-length" if label_value(value) == "length" else "value"
                at_value = FieldPath((*route, "values", index))
                milder: Severity | None = "warning" if old else severity
                yield Hit(at_value, message=message, severity=milder, key=str(key), value=value, length=len(value))


# --- CustomResourceDefinitions


def crd_name_mismatch(view: View, profile: Profile) -> Iterator[Hit]:
    """A name that is not the plural and the group."""
    from kubelint_ack import definitions

    yield from definitions.name_mismatch(view)


def crd_group_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """A group that is no domain, or one of the community's without its approval."""
    from kubelint_ack import definitions

    yield from definitions.group_invalid(view)


def crd_names_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """Names of the kind and its resource that are no DNS labels, or alike."""
    from kubelint_ack import definitions

    yield from definitions.names_invalid(view)


def crd_versions_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """Versions of equal or wrong names, none or several that are stored, wrong warnings of deprecation."""
    from kubelint_ack import definitions

    yield from definitions.versions_invalid(view)


def crd_schema_missing(view: View, profile: Profile) -> Iterator[Hit]:
    """Versions without a schema, and the switch that keeps unknown fields everywhere."""
    from kubelint_ack import definitions

    yield from definitions.schema_missing(view)


def crd_json_path_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """Paths of printer columns, of the scale subresource and of selectable fields."""
    from kubelint_ack import definitions

    yield from definitions.json_path_invalid(view)


def crd_conversion_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """A webhook that converts without being complete, or that is set although nothing is converted."""
    from kubelint_ack import definitions

    yield from definitions.conversion_invalid(view)


def crd_not_structural(view: View, profile: Profile) -> Iterator[Hit]:
    """Schemas whose structure is not complete."""
    from kubelint_ack import definitions

    yield from definitions.schema_hits(view, "crd-not-structural")


def crd_schema_keyword(view: View, profile: Profile) -> Iterator[Hit]:
    """Keywords that schemas of CustomResourceDefinitions do not support, or not there."""
    from kubelint_ack import definitions

    yield from definitions.schema_hits(view, "crd-schema-keyword")


def crd_pattern_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """Patterns that Go cannot read."""
    from kubelint_ack import definitions

    yield from definitions.schema_hits(view, "crd-pattern-invalid")


def crd_list_type_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """Types of lists and maps that do not fit them."""
    from kubelint_ack import definitions

    yield from definitions.schema_hits(view, "crd-list-type-invalid")


def crd_validation_rule_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """CEL rules that lack something."""
    from kubelint_ack import definitions

    yield from definitions.schema_hits(view, "crd-validation-rule-invalid")
    yield from definitions.rule_syntax(view)


# --- Admission


def webhook_client_config_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """The address of a webhook."""
    yield from refused.client_configs(view)


def webhook_review_versions_unknown(view: View, profile: Profile) -> Iterator[Hit]:
    """Webhooks that understand no version of the review."""
    yield from refused.review_versions(view)


def admission_rule_wildcard(view: View, profile: Profile) -> Iterator[Hit]:
    """`*` beside what it covers."""
    yield from refused.rules(view)


def admission_policy_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """A policy that decides nothing, or whose texts are blank."""
    yield from refused.policy(view)


def policy_binding_actions_conflict(view: View, profile: Profile) -> Iterator[Hit]:
    """`Deny` with `Warn`."""
    yield from refused.binding(view)


# --- API versions


def unknown_kind(view: View, profile: Profile) -> Iterator[Hit]:
    """A kind of a group of Kubernetes that no version of it has."""
    yield from lifecycle.unknown_hits(view)


def api_removed(view: View, profile: Profile) -> Iterator[Hit]:
    """An API version that the cluster's version no longer has; without a version, one that ACK's have not."""
    yield from lifecycle.removed_hits(view, profile)


def api_deprecated(view: View, profile: Profile) -> Iterator[Hit]:
    """An API version that the cluster's version still has, a later one has not."""
    yield from lifecycle.deprecated_hits(view, profile)


def api_not_yet_available(view: View, profile: Profile) -> Iterator[Hit]:
    """An API version that came after the cluster's version."""
    yield from lifecycle.early_hits(view, profile)


def crd_default_invalid(view: View, profile: Profile) -> Iterator[Hit]:
    """Defaults that do not fit their own schema."""
    from kubelint_ack import definitions

    yield from definitions.default_invalid(view)
