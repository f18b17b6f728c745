"""Checks of what every object has: its identity, labels and annotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelint_ack.facts import ResourceFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.records import Hit, Related, Route, Unknown
from kubelint_ack.views import View, Workload, mapping

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
                if isinstance(value, (str, Unknown)):
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
