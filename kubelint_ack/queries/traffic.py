"""What traffic policies do to Services: where calls are dropped, unevenly spread, or lose their client's address.

ACK documentation, "Considerations for configuring a LoadBalancer Service"; `scheduler` and weights:
kubernetes/cloud-provider-alibaba-cloud, pkg/controller/service/clbv1.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelint_ack.facts import IngressFact, ServiceFact, WorkloadFact
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project, Selected
from kubelint_ack.queries.access import backend_type, listeners
from kubelint_ack.records import Hit, Related, at
from kubelint_ack.views import LB_PREFIXES


def _selected(service: ServiceFact, project: Project) -> Selected | None:
    """The workloads behind a Service where all of them are known; None otherwise."""
    if service.selector is None or project.is_patched(service, "spec"):
        return None
    selected = project.select(service.selector, service)
    return selected if selected.state == "found" and selected.exhaustive else None


def _on_every_node(selected: Selected) -> bool:
    return any(workload.kind == "DaemonSet" for workload in selected.workloads)


def _pods(workload: WorkloadFact, project: Project) -> int | None:
    """The least number of its pods: what a scaler keeps, else its replicas; None if that is not known."""
    for scaler in project.scalers:
        if scaler.target and scaler.target.name == workload.resource.id.name and scaler.target.kind == workload.kind:
            return scaler.minimum
    return 1 if workload.kind == "Pod" else workload.replicas


def few_nodes(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """`Local` with pods on one node, or on some nodes of which clients do not know which."""
    if service.traffic_policy != "Local" or service.type not in ("NodePort", "LoadBalancer"):
        return
    if service.type == "LoadBalancer" and (service.load_balancer is None or backend_type(service, profile) != "ecs"):
        return
    selected = _selected(service, project)
    if selected is None or _on_every_node(selected):
        return
    workload = selected.workloads[0]
    message = "node-port"
    if service.type == "LoadBalancer":
        pods = _pods(workload, project)
        if len(selected.workloads) > 1 or pods is None or (pods > 1 and workload.spread):
            return
        message = "one" if pods < 2 else "default"
    yield Hit(
        at("spec", "externalTrafficPolicy"),
        message=message,
        related=(Related(workload.resource.name_at, of=workload, note="backend"),),
        service=service.name,
        kind=workload.kind,
        workload=workload.resource.id.name,
    )


def uneven(service: ServiceFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """`Local` with a scheduler that does not look at weights, which say how many pods a node has."""
    if service.load_balancer != "clb" or service.traffic_policy != "Local":
        return
    if backend_type(service, profile) != "ecs" or service.lb_annotation("scheduler") == "wrr":
        return
    # A load balancer that was made by hand and keeps its own listeners.
    if service.lb_annotation("id") and service.lb_annotation("force-override-listeners") != "true":
        return
    if project.is_patched(service, "metadata", "annotations"):
        return
    selected = _selected(service, project)
    if selected is None or _on_every_node(selected):
        return
    pods = [_pods(workload, project) for workload in selected.workloads]
    if len(pods) == 1 and (pods[0] in (None, 0, 1) or selected.workloads[0].spread):
        return
    written = next((key for key in service.annotations if key.endswith("-loadbalancer-scheduler")), None)
    yield Hit(
        at("metadata", "annotations", written) if written else at("spec", "externalTrafficPolicy"),
        message="default" if written else "absent",
        service=service.name,
        scheduler=service.lb_annotation("scheduler"),
        key=LB_PREFIXES[0] + "scheduler",
    )


def local_inside(service: ServiceFact, project: Project) -> Iterator[Hit]:
    """`internalTrafficPolicy: Local` with pods that are not on every node."""
    if service.internal_traffic_policy != "Local" or service.headless is not False or service.type == "ExternalName":
        return
    selected = _selected(service, project)
    if selected is None or _on_every_node(selected):
        return
    workload = selected.workloads[0]
    yield Hit(
        at("spec", "internalTrafficPolicy"),
        related=(Related(workload.resource.name_at, of=workload, note="backend"),),
        service=service.name,
        kind=workload.kind,
        workload=workload.resource.id.name,
    )


_SOURCE_LISTS = tuple(
    f"nginx.ingress.kubernetes.io/{name}-source-range" for name in ("whitelist", "allowlist", "denylist")
)
_CONTROLLERS = frozenset({"ingress-nginx", "nginx-ingress", "nginx-ingress-lb", "nginx-ingress-controller"})


def hidden_client(ingress: IngressFact, project: Project, profile: Profile) -> Iterator[Hit]:
    """A list of client addresses in front of which the addresses of clients are lost."""
    key = next((key for key in _SOURCE_LISTS if ingress.annotations.get(key)), None)
    if key is None or (ingress.ingress_class or "nginx") != "nginx" or project.is_patched(ingress, "metadata"):
        return
    fronts = [service for service in project.services if _is_controller(service)]
    if not fronts or not all(_hides_client(service, project, profile) for service in fronts):
        return
    yield Hit(
        at("metadata", "annotations", key),
        related=tuple(Related(at("spec", "externalTrafficPolicy"), of=service, note="front") for service in fronts[:2]),
        key=key,
        list=ingress.annotations[key],
        service=fronts[0].name,
    )


def _is_controller(service: ServiceFact) -> bool:
    """Whether it is the load balancer of ingress-nginx."""
    labels = service.resource.labels
    names = {service.name, labels.get("app.kubernetes.io/name"), labels.get("app")}
    return service.type == "LoadBalancer" and bool(names & _CONTROLLERS)


def _hides_client(service: ServiceFact, project: Project, profile: Profile) -> bool:
    """Whether pods see the address of a node in place of their client's."""
    return (
        service.load_balancer is not None
        and service.traffic_policy == "Cluster"
        and backend_type(service, profile) == "ecs"
        and service.lb_annotation("proxy-protocol") != "on"
        and not {"http", "https"}.intersection(listeners(service).values())
        and not project.is_patched(service, "spec")
        and not project.is_patched(service, "metadata", "annotations")
    )
