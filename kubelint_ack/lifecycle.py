"""When APIs came and went: of Kubernetes by the store, completed by `schemas/kubernetes/deprecations.json`.

The table has what the store cannot know: since when an API is deprecated, what replaces it, what went before the
oldest version of the store, and the APIs of other projects.
"""

# As in records.py, annotations are not postponed.

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from kubelint_ack import store
from kubelint_ack.data import read_data
from kubelint_ack.kinds import may_be_built_in
from kubelint_ack.profile import Profile
from kubelint_ack.records import Hit, Severity
from kubelint_ack.values import at_least, nearest
from kubelint_ack.views import View


class Lifecycle(NamedTuple):
    """What is known of a kind of an API version. Versions are texts (`1.25`), empty where there is none."""

    product: str
    """Whose versions these are."""
    component: str
    """Its name in the profile; empty for Kubernetes itself."""
    introduced: str
    deprecated: str
    removed: str
    """The first version that does not have it."""
    replacement: str
    """The API version to write; empty: there is none."""
    kind: str
    """Of the replacement."""
    same: bool | None
    """Whether only the version string changes; None: not known."""


_PRODUCTS = {"": "Kubernetes", "istio": "Istio"}


@cache
def _rows() -> Mapping[tuple[str, str], Mapping[str, Any]]:
    table = json.loads(read_data("schemas/kubernetes/deprecations.json"))
    return {(row["api"], kind): row for row in table["apis"] for kind in row["kinds"]}


@cache
def lifecycle(api_version: str, kind: str) -> Lifecycle | None:
    """What is known of a kind; None if it is in every version, or in none that is known."""
    row = _rows().get((api_version, kind), {})
    group = api_version.rpartition("/")[0]
    introduced = removed = replacement = ""
    if may_be_built_in(group):
        history = store.kind_history(api_version, kind)
        oldest, newest = store.minors()
        if history and history[0].first > oldest:
            introduced = f"1.{history[0].first}"
        if history and history[-1].last < newest:
            removed = f"1.{history[-1].last + 1}"
            replacement = _newest(group, kind)
    if not row and not introduced and not removed:
        return None
    component = row.get("component", "")
    return Lifecycle(
        _PRODUCTS.get(component, component),
        component,
        introduced,
        row.get("deprecated", ""),
        row.get("removed", removed),
        row.get("replacement", "" if row else replacement),
        row.get("kind", kind),
        row.get("same"),
    )


def _newest(group: str, kind: str) -> str:
    """The API version of a group that has a kind in the newest version of Kubernetes, the most stable one."""
    return served_instead(group, kind, store.minors()[1])


def served_instead(group: str, kind: str, minor: int) -> str:
    """The most stable API version of a group in which a minor version has a kind; empty if it has none."""
    found = [
        version
        for version in store.groups().get(group, {}).get(kind, ())
        if any(one.first <= minor <= one.last for one in store.kind_history(api_text(group, version), kind))
    ]
    return api_text(group, max(found, key=_stability)) if found else ""


def api_text(group: str, version: str) -> str:
    """The `apiVersion` of a group and version."""
    return f"{group}/{version}" if group else version


def _stability(version: str) -> tuple[int, int, int]:
    """v2 > v1 > v1beta2 > v1beta1 > v1alpha1."""
    match = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    assert match
    return {"": 2, "beta": 1, "alpha": 0}[match[2] or ""], int(match[1]), int(match[3] or 0)


class UnknownKind(NamedTuple):
    """A kind that no version of Kubernetes has: which entry of the rule says so, and what is meant."""

    message: str
    right: str
    api: str = ""
    """Where the right kind is, if elsewhere."""


# What OpenShift 3 serves below `v1` without a group of its own.
# https://docs.openshift.com/container-platform/3.11/rest_api/index.html
_OPENSHIFT = frozenset(
    {
        "Build", "BuildConfig", "ClusterNetwork", "DeploymentConfig", "Group", "HostSubnet", "Identity", "Image",
        "ImageSignature", "ImageStream", "ImageStreamTag", "NetNamespace", "OAuthClient", "Project", "ProjectRequest",
        "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Route", "SecurityContextConstraints", "Template",
        "User", "UserIdentityMapping",
    }
)  # fmt: skip


@cache
def unknown_kind(group: str, version: str, kind: str) -> UnknownKind | None:
    """What is wrong with a kind of a group of Kubernetes that none of its versions has; None if nothing is."""
    api_version = api_text(group, version)
    if not may_be_built_in(group) or store.kind_history(api_version, kind) or kind.endswith("List"):
        return None
    groups = store.groups()
    if ("." in group and group not in groups) or (api_version, kind) in _rows():
        return None
    if not group and version == "v1" and kind in _OPENSHIFT:
        return None
    if kind in groups.get(group, {}):
        return UnknownKind("version", _newest(group, kind) or api_text(group, groups[group][kind][-1]))
    elsewhere = [other for other in groups if kind in groups[other]]
    if elsewhere:
        found = [_newest(other, kind) for other in elsewhere if other != "extensions"]
        right = next((one for one in found if one), "")
        if right:
            return UnknownKind("group", right)
    if group in groups:
        near = nearest(kind, [one for one in groups[group] if not one.endswith("List")], 0.8)
        if near:
            return UnknownKind("nearest", near)
    every = {one: other for other, kinds in groups.items() for one in kinds if _newest(other, one)}
    near = nearest(kind, [one for one in every if not one.endswith("List")], 0.8)
    if near:
        return UnknownKind("elsewhere", near, _newest(every[near], near))
    return UnknownKind("default", "")


# --- As hits of rules

_OLDEST_OFFERED = "1.31"
"""The oldest version that ACK still creates clusters with. ACK documentation, "Kubernetes release notes"."""

_OWN_RULE = frozenset({"Ingress", "IngressClass"})
"""Of networking.k8s.io: rules of their own say it."""


def unknown_hits(view: View) -> Iterator[Hit]:
    """A kind of a group of Kubernetes that no version of it has."""
    one = view.id
    found = unknown_kind(one.group, one.version, one.kind)
    # Tools' own files may look like objects; those have a name.
    if found is None or not view.metadata:
        return
    yield Hit(
        view.at("apiVersion" if found.message in ("group", "version") else "kind").value,
        message=found.message,
        kind=one.kind,
        api=api_text(one.group, one.version),
        right=found.right,
        other=found.api,
    )


def _lifecycle(view: View) -> Lifecycle | None:
    if view.family[0] == "networking.k8s.io" and view.kind in _OWN_RULE:
        return None
    return lifecycle(api_text(view.id.group, view.id.version), view.kind)


def _version(one: Lifecycle, profile: Profile) -> str | None:
    """The version that counts for an API: of the cluster, or of the component whose API it is."""
    if one.component:
        return (profile.components or {}).get(one.component)
    return profile.kubernetes_version_text


def _api_hit(view: View, one: Lifecycle, message: str, severity: Severity | None, **values: Any) -> Hit:
    return Hit(
        view.at("apiVersion").value,
        message=message,
        severity=severity,
        api=api_text(view.id.group, view.id.version),
        kind=view.kind,
        product=one.product,
        replacement=one.replacement,
        right=one.kind,
        **values,
    )


def _wording(one: Lifecycle, view: View) -> str:
    """The entry that says what to write instead."""
    if not one.replacement:
        return "gone"
    if one.kind != view.kind:
        return "kind"
    return {True: "same", False: "changed", None: "default"}[one.same]


def removed_hits(view: View, profile: Profile) -> Iterator[Hit]:
    """An API version that the cluster's version no longer has; without a version, one that ACK's have not."""
    one = _lifecycle(view)
    if one is None or not one.removed:
        return
    gone = at_least(_version(one, profile), one.removed)
    if gone is False:
        return
    certain = gone or (not one.component and at_least(_OLDEST_OFFERED, one.removed))
    yield _api_hit(view, one, _wording(one, view), None if certain else "warning", removed=one.removed)


def deprecated_hits(view: View, profile: Profile) -> Iterator[Hit]:
    """An API version that the cluster's version still has, a later one has not."""
    one = _lifecycle(view)
    if one is None or not (one.deprecated or one.removed):
        return
    version = _version(one, profile)
    if not one.removed:
        if version is not None and at_least(version, one.deprecated):
            yield _api_hit(view, one, "kept" if one.replacement else "kept-gone", "info", since=one.deprecated)
        return
    if version is None or at_least(version, one.removed) is not False:
        return
    if one.deprecated and not at_least(version, one.deprecated):
        return
    yield _api_hit(view, one, _wording(one, view), None, removed=one.removed, since=one.deprecated or one.removed)


def early_hits(view: View, profile: Profile) -> Iterator[Hit]:
    """An API version that came after the cluster's version."""
    if profile.kubernetes_version is None:
        return
    one = _lifecycle(view)
    if one is None or not one.introduced or at_least(profile.kubernetes_version_text, one.introduced) is not False:
        return
    older = served_instead(view.id.group, view.kind, profile.kubernetes_version[1])
    yield Hit(
        view.at("apiVersion").value,
        message="older" if older else "default",
        api=api_text(view.id.group, view.id.version),
        kind=view.kind,
        since=one.introduced,
        older=older,
    )
