"""Link: the facts of one target's files to hits of the rules that look across resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kubelint_ack.catalog import Active
from kubelint_ack.facts import ResourceFact, WorkloadFact
from kubelint_ack.profile import DeclaredCluster, unmet
from kubelint_ack.project import Project
from kubelint_ack.records import FieldPath, Hit, LocatedHit, Place, RelatedPlace
from kubelint_ack.scan import Check, Dispatch, Shape, check_function, crash_hit, plain_values

Locate = Callable[[ResourceFact, FieldPath], Place]
"""The place of a field of a fact's resource."""


def link(project: Project, dispatch: Dispatch, locate: Locate) -> tuple[list[LocatedHit], set[str]]:
    """Hits of all project rules on one target, and the names of rules that met their kinds but could not judge.

    `dispatch` is that of the target's profile.
    """
    hits: list[LocatedHit] = []
    not_evaluated: set[str] = set()
    crashed: set[str] = set()
    for fact in project.facts:
        resource: ResourceFact = fact.resource
        shape: Shape = "plain"
        if isinstance(fact, WorkloadFact):
            shape = "further template" if fact.further else "template"
        plan = dispatch.plan(resource.family, shape, resource.alibaba)
        not_evaluated |= plan.unjudged
        for active, check, visible in plan.tasks:
            for _, profile in visible:
                try:
                    hits.extend(
                        _located(hit, active, resource, locate)
                        for hit in check(fact, project, profile)
                        if not project.is_patched(fact, *hit.at.route)
                    )
                except Exception as error:  # a crash is a finding about the linter, never the end of the run
                    if active.rule.name not in crashed:
                        crashed.add(active.rule.name)
                        place = locate(resource, resource.name_at)
                        hits.append(crash_hit(active.rule.name, error, resource.path, resource.id, place))
    return hits, not_evaluated


def _located(hit: Hit, active: Active, resource: ResourceFact, locate: Locate) -> LocatedHit:
    related = []
    for one in hit.related:
        other: ResourceFact = resource if one.of is None else one.of.resource
        related.append(RelatedPlace(other.path, locate(other, one.at), other.id, one.note))
    return LocatedHit(
        active.rule.name,
        resource.path,
        locate(resource, hit.at),
        resource.id,
        hit.message,
        active.graded(hit.severity),
        plain_values(hit.values),
        tuple(related),
    )


def profile_hits(
    cluster: DeclaredCluster, earlier: Sequence[DeclaredCluster], active: Mapping[str, Active]
) -> tuple[list[LocatedHit], set[str]]:
    """Hits of the rules about a profile, alone and beside earlier ones, and the names of those that could not judge."""
    hits: list[LocatedHit] = []
    not_evaluated: set[str] = set()
    for one in active.values():
        if one.rule.reads not in ("profile", "profiles") or (one.rule.reads == "profiles" and not earlier):
            continue
        if unmet(cluster.profile, one.rule.needs):
            not_evaluated.add(one.rule.name)
            continue
        check: Check = check_function(one)
        given = (cluster.profile,) if one.rule.reads == "profile" else (cluster, earlier)
        try:
            for hit in check(*given, **one.options):
                path, place = cluster.locate(hit.at)
                related = []
                for other in hit.related:
                    declared: DeclaredCluster = cluster if other.of is None else other.of
                    related.append(RelatedPlace(*declared.locate(other.at), None, other.note))
                hits.append(
                    LocatedHit(
                        one.rule.name,
                        path,
                        place,
                        None,
                        hit.message,
                        one.graded(hit.severity),
                        plain_values(hit.values),
                        tuple(related),
                    )
                )
        except Exception as error:  # as above
            path, place = cluster.locate(FieldPath(()))
            hits.append(crash_hit(one.rule.name, error, path, None, place))
    return hits, not_evaluated
