"""Checks of roles and bindings: who may do what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelint_ack.apiserver import rbac as refused
from kubelint_ack.profile import Profile
from kubelint_ack.records import Hit
from kubelint_ack.views import View, mapping, sequence, text

_READING = {"get", "list", "watch"}


def rbac_wildcard(role: View, profile: Profile) -> Iterator[Hit]:
    """Rules on objects that name everything by `*` in groups, resources or verbs."""
    if (role.name or "").startswith("system:") or role.has("aggregationRule"):
        return
    for index, rule in enumerate(sequence(role.data.get("rules"))):
        fields = {key: _strings(mapping(rule).get(key)) for key in ("apiGroups", "resources", "verbs")}
        if not fields["resources"]:
            continue
        # One finding a rule, at the field that matters most.
        wide = next((key for key in ("resources", "verbs", "apiGroups") if "*" in fields[key]), None)
        if wide is None:
            continue
        reading = set(fields["verbs"]) <= _READING
        message = "default"
        if all("*" in values for values in fields.values()):
            message = "everything" if role.kind == "ClusterRole" else "namespace"
        elif reading and "*" in fields["resources"] and {"", "*"} & set(fields["apiGroups"]):
            message = "secrets"
        mild = reading or _is_metrics(fields["apiGroups"]) or bool(mapping(rule).get("resourceNames"))
        yield Hit(
            role.at("rules", index, wide),
            message=message,
            severity="info" if mild and message == "default" else None,
            depends=(role.at("rules", index),),
            verbs=fields["verbs"],
            resources=fields["resources"],
            groups=[group or "core" for group in fields["apiGroups"]],
        )


def _is_metrics(groups: list[str]) -> bool:
    """Whether these are the APIs that serve metrics, in which nothing can be written."""
    return bool(groups) and all(group == "metrics.k8s.io" or group.endswith(".metrics.k8s.io") for group in groups)


def _strings(value: Any) -> list[str]:
    return [item for item in sequence(value) if isinstance(item, str)]


def rbac_cluster_admin_binding(binding: View, profile: Profile) -> Iterator[Hit]:
    """A binding whose role is the ClusterRole `cluster-admin`."""
    reference = mapping(binding.data.get("roleRef"))
    if reference.get("kind") != "ClusterRole" or reference.get("name") != "cluster-admin":
        return
    subjects = []
    for subject in sequence(binding.data.get("subjects")):
        name = text(mapping(subject).get("name"))
        if name and not name.startswith("system:"):
            subjects.append(f"{text(mapping(subject).get('kind')) or ''} {name}".strip())
    if subjects:
        message = "namespace" if binding.kind == "RoleBinding" else "default"
        yield Hit(binding.at("roleRef", "name"), message=message, subjects=subjects)


# --- What the API server refuses


def rbac_rule_invalid(role: View, profile: Profile) -> Iterator[Hit]:
    """Rules that lack a part or mix two kinds."""
    yield from refused.rules(role)


def rbac_role_ref_invalid(binding: View, profile: Profile) -> Iterator[Hit]:
    """The kind and group of the role that a binding grants."""
    yield from refused.role_reference(binding)


def rbac_subject_invalid(binding: View, profile: Profile) -> Iterator[Hit]:
    """Subjects that cannot be."""
    yield from refused.subjects(binding)
