"""Checks of what keeps workloads available: disruption budgets and autoscalers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from kubelint_ack.apiserver import autoscaling as refused
from kubelint_ack.existence import same_namespace
from kubelint_ack.facts import BudgetFact, Reference, ScalerFact, WorkloadFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.records import Hit, Related, at
from kubelint_ack.values import nearest
from kubelint_ack.views import View

# --- Disruption budgets

# Objects of Alibaba Cloud that set the number of replicas of a workload.
_OTHER_SCALERS = ("CronHorizontalPodAutoscaler", "AdvancedHorizontalPodAutoscaler")


class _Replicas(NamedTuple):
    """How many pods a workload has at least."""

    workload: WorkloadFact
    pods: int
    scaler: ScalerFact | None


def pdb_blocks_eviction(budget: BudgetFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A budget that never lets a pod be evicted."""
    selector = budget.selector
    # An empty selector selected no pod in policy/v1beta1.
    if selector is None or (selector.empty and budget.resource.id.version == "v1beta1"):
        return
    if project.is_patched(budget, "spec"):
        return
    if budget.unlimited:
        # The controller then expects no pod at all, and allows no eviction (pkg/controller/disruption/disruption.go).
        yield Hit(at("spec", "maxUnavailable"), message="no-limit", budget=budget.resource.id.name)
        return
    minimum, maximum = _limit(budget.min_available), _limit(budget.max_unavailable)
    if (minimum is None) == (maximum is None):
        return
    selected = project.select(selector, budget)
    # Nodes are drained without regard to the pods of DaemonSets.
    if selected.workloads and all(one.kind == "DaemonSet" for one in selected.workloads):
        return
    value = budget.min_available if maximum is None else budget.max_unavailable
    field = "minAvailable" if maximum is None else "maxUnavailable"
    if (maximum is not None and maximum.number == 0) or (
        minimum is not None and minimum.percent and minimum.number == 100
    ):
        yield Hit(
            budget.at,
            message="always",
            related=tuple(Related(one.resource.name_at, of=one, note="selected") for one in selected.workloads[:3]),
            budget=budget.resource.id.name,
            field=field,
            value=value,
        )
        return
    if minimum is None or selected.state != "found" or not selected.exhaustive:
        return
    known = [_replicas(workload, project) for workload in selected.workloads]
    replicas = [one for one in known if one is not None]
    pods = sum(one.pods for one in replicas)
    if len(replicas) < len(known) or pods == 0 or minimum.of(pods) < pods:
        return
    first = replicas[0]
    yield Hit(
        budget.at,
        message="several" if len(replicas) > 1 else ("autoscaler" if first.scaler else "replicas"),
        related=tuple(
            Related(one.scaler.minimum_at, of=one.scaler, note="replicas")
            if one.scaler
            else Related(at("spec", "replicas"), of=one.workload, note="replicas")
            for one in replicas[:3]
        ),
        budget=budget.resource.id.name,
        value=value,
        pods=pods,
        needed=minimum.of(pods),
        kind=first.workload.kind,
        workload=first.workload.resource.id.name,
        scaler=first.scaler.resource.id.name if first.scaler else "",
    )


class _Limit(NamedTuple):
    """A number of pods, or a percentage of them."""

    number: int
    percent: bool

    def of(self, pods: int) -> int:
        """The number of pods, percentages rounded up.

        https://kubernetes.io/docs/tasks/run-application/configure-pdb/#rounding-logic-when-specifying-percentages
        """
        return -(-self.number * pods // 100) if self.percent else self.number


def _limit(value: int | str | None) -> _Limit | None:
    """None also where the API server refuses it: pdb-limit-invalid says so."""
    if isinstance(value, int):
        return _Limit(value, False) if value >= 0 else None
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdecimal() and len(value) < 5:
        return _Limit(int(value[:-1]), True) if int(value[:-1]) <= 100 else None
    return None


def _replicas(workload: WorkloadFact, project: Project) -> _Replicas | None:
    """The least number of a workload's pods; None if that is not known."""
    if workload.kind == "Pod":
        return _Replicas(workload, 1, None)
    namespace = project.namespace(workload)
    if workload.replicas is None or any(project.objects(kind, namespace) for kind in _OTHER_SCALERS):
        return None
    for scaler in project.scalers:
        target = scaler.target
        if target and (target.kind, target.name) == (workload.kind, workload.resource.id.name):
            same = same_namespace(project.namespace(scaler), namespace)
            if same is None or project.is_patched(scaler, "spec"):
                return None
            if same:
                return _Replicas(workload, scaler.minimum, scaler) if scaler.minimum is not None else None
    if project.is_patched(workload, "spec", "replicas"):
        return None
    return _Replicas(workload, workload.replicas, None)


# --- Autoscalers


_APPS = ("Deployment", "StatefulSet", "ReplicaSet")


def hpa_target_missing(scaler: ScalerFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """An autoscaler whose target does not exist, or is looked for in the wrong API group."""
    target = scaler.target
    if target is None or project.is_patched(scaler, "spec", "scaleTargetRef"):
        return
    name = scaler.resource.id.name
    values: dict[str, Any] = {"scaler": name, "kind": target.kind, "name": target.name, "group": target.group}
    named = list(project.named(target.kind, target.name, scaler))
    if named:
        if all(one.resource.family[0] != target.group for one in named):
            yield Hit(
                target.at,
                message="group" if target.group else "no-group",
                # Clusters before 1.16 served Deployments in this group too.
                severity="warning" if target.group == "extensions" or "." in target.group else None,
                related=(Related(named[0].resource.name_at, of=named[0]),),
                right=named[0].resource.family[0] or "v1",
                **values,
            )
        return
    if not target.group and target.kind in _APPS:
        yield Hit(target.at, message="no-group", right="apps", **values)
        return
    answer = project.resolve(target, scaler)
    if answer.unseen:
        yield from _in_other_namespace(scaler, target, project, values)
    if not answer.missing:
        return
    near = [
        workload
        for workload in project.workloads
        if workload.resource.id.name and same_namespace(project.namespace(workload), project.namespace(scaler))
    ]
    same_kind = {str(one.resource.id.name): one for one in near if one.kind == target.kind}
    suggested = nearest(target.name, same_kind)
    other = next((one for one in near if one.resource.id.name == target.name), None)
    message = "kind"
    if other is None and suggested:
        other, message = same_kind[suggested], "near"
    yield Hit(
        target.at,
        message=message if other else "default",
        severity=answer.severity,
        related=(Related(other.resource.name_at, of=other, note="other"),) if other else (),
        other=(other.kind if message == "kind" else suggested) if other else "",
        **values,
    )


def _in_other_namespace(
    scaler: ScalerFact, target: Reference, project: Project, values: dict[str, Any]
) -> Iterator[Hit]:
    """Nothing of the kind is kept for the autoscaler's namespace, but the very name is for another one."""
    own = project.namespace(scaler)
    for workload in project.workloads:
        if (workload.kind, workload.resource.id.name) == (target.kind, target.name):
            namespace = project.namespace(workload)
            if same_namespace(namespace, own) is False:
                related = (Related(workload.resource.name_at, of=workload, note="other"),)
                yield Hit(
                    target.at,
                    message="namespace",
                    severity="info",
                    related=related,
                    namespace=own,
                    other=namespace,
                    **values,
                )
            return


# --- What the API server refuses


def hpa_replicas_invalid(scaler: View, profile: Profile) -> Iterator[Hit]:
    """Bounds that exclude each other."""
    yield from refused.replicas(scaler)


def hpa_metric_source_invalid(scaler: View, profile: Profile) -> Iterator[Hit]:
    """Metrics whose block is not that of their type."""
    yield from refused.metric_sources(scaler)


def hpa_metric_target_invalid(scaler: View, profile: Profile) -> Iterator[Hit]:
    """Metrics without exactly one positive target."""
    yield from refused.metric_targets(scaler)


def hpa_metric_duplicate(scaler: View, profile: Profile) -> Iterator[Hit]:
    """Two metrics of one resource; the server accepts them."""
    yield from refused.metric_duplicates(scaler)


def hpa_policies_empty(scaler: View, profile: Profile) -> Iterator[Hit]:
    """An empty list of scaling policies."""
    yield from refused.behavior(scaler)


def pdb_limit_invalid(budget: View, profile: Profile) -> Iterator[Hit]:
    """Limits that are no number of pods and no percentage."""
    yield from refused.budget_limits(budget)
