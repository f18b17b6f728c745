"""Roles and bindings. Restates pkg/apis/rbac/validation/validation.go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelint_ack.names import dns1123_subdomain
from kubelint_ack.records import Hit, Unknown
from kubelint_ack.values import is_to_fill_in
from kubelint_ack.views import View, sequence, text

_GROUP = "rbac.authorization.k8s.io"


def rules(role: View) -> Iterator[Hit]:
    """Rules that lack a part, or are for objects and for URLs at once (ValidatePolicyRule)."""
    for index, written in enumerate(sequence(role.data.get("rules"))):
        # Null in a list is an empty rule.
        rule = {} if written is None else written
        if not isinstance(rule, dict):
            continue
        at = role.at("rules", index)
        urls = rule.get("nonResourceURLs")
        if isinstance(urls, Unknown):
            continue
        if _is_empty(rule.get("verbs")):
            yield Hit(role.at("rules", index, "verbs"), message="verbs")
        elif urls:
            beside = next((key for key in ("apiGroups", "resources", "resourceNames") if rule.get(key)), None)
            if role.kind == "Role":
                yield Hit(role.at("rules", index, "nonResourceURLs"), message="role")
            elif beside:
                yield Hit(role.at("rules", index, "nonResourceURLs"), message="both", depends=(at,), other=beside)
        elif _is_empty(rule.get("apiGroups")):
            resources = rule.get("resources")
            # A rule with nothing in it lacks both, by one mistake.
            message = "groups" if resources else "nothing"
            yield Hit(role.at("rules", index, "apiGroups"), message=message, depends=(at,))
        elif _is_empty(rule.get("resources")):
            yield Hit(role.at("rules", index, "resources"), message="resources", depends=(at,))


def _is_empty(value: Any) -> bool:
    return value is None or value == []


def role_reference(binding: View) -> Iterator[Hit]:
    """What a binding grants: kind and group of its role."""
    reference = binding.data.get("roleRef")
    if not isinstance(reference, dict):
        return
    kind, group = reference.get("kind"), reference.get("apiGroup")
    allowed = ["ClusterRole"] if binding.kind == "ClusterRoleBinding" else ["Role", "ClusterRole"]
    if isinstance(kind, str) and kind and kind not in allowed:
        message = "namespaced" if kind == "Role" else "kind"
        yield Hit(binding.at("roleRef", "kind"), message=message, kind=kind, allowed=allowed)
    if isinstance(group, str) and group not in ("", _GROUP) and not is_to_fill_in(group):
        yield Hit(binding.at("roleRef", "apiGroup"), message="group", group=group)


def subjects(binding: View) -> Iterator[Hit]:
    """Who is granted it (ValidateRoleBindingSubject)."""
    for index, subject in enumerate(sequence(binding.data.get("subjects"))):
        if not isinstance(subject, dict):
            continue
        kind, name, group = (subject.get(key) for key in ("kind", "name", "apiGroup"))
        if isinstance(kind, str) and kind and kind not in ("ServiceAccount", "User", "Group"):
            yield Hit(binding.at("subjects", index, "kind"), message="kind", kind=kind)
        elif kind == "ServiceAccount":
            if isinstance(group, str) and group:
                yield Hit(binding.at("subjects", index, "apiGroup"), message="account-group", group=group)
            if isinstance(name, str) and name and dns1123_subdomain(name) and not is_to_fill_in(name):
                message = "account-user" if ":" in name else "account-name"
                yield Hit(binding.at("subjects", index, "name"), message=message, name=name)
            if binding.kind == "ClusterRoleBinding" and subject.get("namespace") in (None, ""):
                yield Hit(binding.at("subjects", index, "namespace"), message="namespace", name=text(name))
        elif kind in ("User", "Group") and isinstance(group, str) and group not in ("", _GROUP):
            yield Hit(binding.at("subjects", index, "apiGroup"), message="group", kind=kind, group=group)
