"""Checks of ConfigMaps, Secrets and environment variables, and of what refers to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubelint_ack.apiserver import config as refused
from kubelint_ack.existence import same_namespace
from kubelint_ack.facts import DataFact, Reference, WorkloadFact
from kubelint_ack.names import dns1123_subdomain
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.records import FieldPath, Hit, Related, Unknown
from kubelint_ack.values import base64_problem, is_to_fill_in, nearest
from kubelint_ack.views import View, Workload, mapping, text

_ROLES = frozenset({"env", "env-from", "volume", "volume-item"})
_LISTED_KEYS = 6


def config_reference_missing(workload: WorkloadFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """ConfigMaps and Secrets that containers and volumes name, and the keys in them."""
    absent: dict[tuple[str, str], list[Reference]] = {}
    for reference in workload.resource.references:
        if reference.kind not in ("ConfigMap", "Secret") or reference.role not in _ROLES or reference.optional:
            continue
        # A name that the server would refuse is a placeholder.
        if dns1123_subdomain(reference.name) or project.is_patched(workload, *reference.at.route):
            continue
        if project.resolve(reference, workload).missing:
            absent.setdefault((reference.kind, reference.name), []).append(reference)
            continue
        hit = _missing_key(reference, workload, project)
        if hit:
            yield hit
    for references in absent.values():
        yield _missing_object(references, workload, project)


def _missing_object(references: list[Reference], workload: WorkloadFact, project: Project) -> Hit:
    reference = references[0]
    answer = project.resolve(reference, workload)
    namespace = project.namespace(workload)
    same_kind = [fact for fact in project.data if fact.resource.id.kind == reference.kind]
    elsewhere = [fact for fact in same_kind if fact.resource.id.name == reference.name]
    beside = {
        fact.resource.id.name or "": fact for fact in same_kind if same_namespace(project.namespace(fact), namespace)
    }
    nearest_name = nearest(reference.name, beside)
    near = beside[nearest_name] if nearest_name else None
    message = "object-elsewhere" if elsewhere else ("object-near" if near else "object")
    other = elsewhere[0] if elsewhere else near
    # The items of a volume are references of their own, at the place of its name.
    again = [at for at in dict.fromkeys(one.at for one in references) if at != reference.at]
    return Hit(
        reference.at,
        message=message,
        severity=answer.severity,
        related=(
            *((Related(other.resource.name_at, of=other, note="object"),) if other else ()),
            *(Related(at, note="again") for at in again[:3]),
        ),
        kind=reference.kind,
        name=reference.name,
        near=nearest_name or "",
        namespace=namespace or "",
        other=(project.namespace(elsewhere[0]) or "") if elsewhere else "",
    )


def _missing_key(reference: Reference, workload: WorkloadFact, project: Project) -> Hit | None:
    key, at = reference.key, reference.key_at
    if key is None or at is None or project.is_patched(workload, *at.route):
        return None
    added = project.added_keys(reference.kind, reference.name)
    # Several objects of that name are variants of each other: one that has the key is enough.
    candidates = _data(project.named(reference.kind, reference.name, workload, surely=False))
    if added is None or not all(_is_complete(fact, project) for fact in candidates):
        return None
    definitions = _data(project.named(reference.kind, reference.name, workload))
    keys = sorted({*added, *(name for fact in definitions for name in fact.keys)})
    if not keys or key in keys or any(key in fact.keys for fact in candidates):
        return None
    near = nearest(key, keys)
    # Another file of the directory may be a variant that is never applied with this one.
    proven = project.is_complete(reference.kind) or all(
        project.together(workload.resource, fact.resource) for fact in definitions
    )
    return Hit(
        at,
        message="key-near" if near else ("key" if len(keys) <= _LISTED_KEYS else "key-many"),
        severity=None if proven else "warning",
        related=tuple(Related(fact.resource.name_at, of=fact, note="object") for fact in definitions[:3]),
        kind=reference.kind,
        name=reference.name,
        key=key,
        keys=keys[:_LISTED_KEYS],
        count=len(keys),
        near=near or "",
    )


def _data(facts: Iterable[Any]) -> list[DataFact]:
    """Those that are no custom resources of the same kind."""
    return [fact for fact in facts if isinstance(fact, DataFact)]


def _is_complete(fact: DataFact, project: Project) -> bool:
    """Whether its keys are all that it has; one without any is filled while the cluster runs."""
    patched = any(project.is_patched(fact, field) for field in ("data", "binaryData", "stringData"))
    return fact.complete and bool(fact.keys) and not patched


def env_duplicate(workload: Workload, profile: Profile) -> Iterator[Hit]:
    """Names that occur more than once in the `env` of a container."""
    for container in workload.containers:
        first: dict[str, tuple[FieldPath, Mapping[str, Any]]] = {}
        for index, variable in container.items("env"):
            name = text(variable.get("name"))
            if not name:
                continue
            at = container.at("env", index, "name")
            if name not in first:
                first[name] = (at, variable)
                continue
            earlier, same = first[name][0], first[name][1] == variable
            yield Hit(
                at,
                message="same" if same else "default",
                severity="info" if same else None,
                related=(Related(earlier, note="first"),),
                container=container.label,
                name=name,
            )


def _is_placeholder(value: Any) -> bool:
    # An unquoted `[NAME]` is a list.
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return isinstance(value, str) and is_to_fill_in(value)


def secret_data_not_base64(secret: View, profile: Profile) -> Iterator[Hit]:
    """Values in `data` that the API server cannot decode. No value ever leaves this function."""
    for key, value in mapping(secret.data.get("data")).items():
        if value is None or isinstance(value, Unknown):
            continue
        problem = base64_problem(value)
        if not problem or _is_placeholder(value):
            continue
        if problem == "alphabet" and not base64_problem(re.sub(r"\s+", "", value)):
            problem = "blanks"
        yield Hit(secret.at("data", key).key, message=problem, key=key)


# --- What the API server refuses


def config_data_too_large(view: View, profile: Profile) -> Iterator[Hit]:
    """More data than an object may hold."""
    yield from refused.size(view)


def configmap_key_twice(config: View, profile: Profile) -> Iterator[Hit]:
    """A key in `data` and in `binaryData`."""
    yield from refused.twice(config)


def secret_type_mismatch(secret: View, profile: Profile) -> Iterator[Hit]:
    """A Secret without what its type asks for."""
    yield from refused.typed_secret(secret)


def quota_resource_invalid(quota: View, profile: Profile) -> Iterator[Hit]:
    """Names and values that a quota cannot limit."""
    yield from refused.quota_resources(quota)


def quota_scope_invalid(quota: View, profile: Profile) -> Iterator[Hit]:
    """Scopes that do not fit each other or what is limited."""
    yield from refused.quota_scopes(quota)


def limit_range_invalid(ranges: View, profile: Profile) -> Iterator[Hit]:
    """Limits that exclude each other."""
    yield from refused.limits(ranges)
