"""Facts of Services and NetworkPolicies."""

from __future__ import annotations

from collections.abc import Iterator

from kubelint_ack.extract.base import Extraction, is_unknown, mention, plain_labels
from kubelint_ack.facts import (
    Facts,
    PodNetworkFact,
    PolicyFact,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    ServiceFact,
    ServicePort,
)
from kubelint_ack.records import Unknown, at
from kubelint_ack.values import label_map_selector, selector
from kubelint_ack.views import Service, View, integer, mapping, sequence, text


def service(view: Service, x: Extraction) -> ServiceFact:
    """The fact of a Service."""
    ports = []
    for index, port in view.ports():
        number = integer(port.get("port"))
        target = port.get("targetPort", number)
        here = at("spec", "ports", index)
        ports.append(
            ServicePort(
                text(port.get("name")),
                number,
                target if isinstance(target, str) else integer(target),
                integer(port.get("nodePort")),
                text(port.get("protocol", "TCP")) or "TCP",
                text(port.get("appProtocol")),
                here,
                at("spec", "ports", index, "targetPort") if "targetPort" in port else here,
            )
        )
    if view.type == "ExternalName":
        mention(x, view.spec.get("externalName"), "spec", "externalName")
    annotations = {
        key: value
        for key, value in view.annotations.items()
        if isinstance(value, str) and ("alibaba" in key or "alicloud" in key or key in (_BACKEND_TYPE, _SCRAPE))
    }
    policy = view.spec.get("externalTrafficPolicy", "Cluster")
    return ServiceFact(
        resource=x.resource(view.labels),
        type=view.type,
        headless=None if isinstance(view.spec.get("clusterIP"), Unknown) else view.is_headless,
        selector=label_map_selector(view.selector) if view.selector else None,
        selector_labels=plain_labels(view.selector),
        ports=tuple(ports),
        external_name=text(view.spec.get("externalName")),
        traffic_policy=text(policy),
        internal_traffic_policy=text(view.spec.get("internalTrafficPolicy", "Cluster")),
        publishes_not_ready=view.spec.get("publishNotReadyAddresses") is True,
        load_balancer=view.load_balancer,
        addresses=tuple(dict.fromkeys(_addresses(view))) if view.type == "LoadBalancer" else (),
        annotations=annotations,
        cluster_ip=_cluster_ip(view),
        allocates_node_ports=view.spec.get("allocateLoadBalancerNodePorts") is not False,
    )


def _cluster_ip(view: Service) -> str | None:
    """`spec.clusterIP`, if it is an address."""
    written = text(view.spec.get("clusterIP"))
    return written if written and written != "None" else None


def _addresses(view: Service) -> Iterator[str]:
    """The addresses and host names of its load balancer that a manifest states."""
    stated = [view.spec.get("loadBalancerIP")]
    for entry in sequence(view.get("status", "loadBalancer", "ingress")):
        stated += [mapping(entry).get("ip"), mapping(entry).get("hostname")]
    stated += [(view.lb_annotation(suffix) or ("", None))[1] for suffix in ("ip", "hostname")]
    # https://kubernetes-sigs.github.io/external-dns/latest/docs/annotations/annotations/
    stated += (view.annotation("external-dns.alpha.kubernetes.io/hostname") or "").split(",")
    for value in stated:
        if isinstance(value, str) and value.strip():
            yield value.strip().rstrip(".")


_BACKEND_TYPE = "service.beta.kubernetes.io/backend-type"
_SCRAPE = "prometheus.io/scrape"


def _policy_rules(view: View, x: Extraction, direction: str, peers_key: str) -> tuple[PolicyRule, ...]:
    if is_unknown(view.spec, direction):
        return (PolicyRule(None, None, at("spec", direction), False),)
    rules = []
    for index, rule in enumerate(sequence(view.spec.get(direction))):
        item = mapping(rule)
        route = ("spec", direction, index)
        known = isinstance(rule, dict)
        peers: list[PolicyPeer] | None = None
        if sequence(item.get(peers_key)):
            peers = []
            for number, peer in enumerate(sequence(item.get(peers_key))):
                block = mapping(mapping(peer).get("ipBlock"))
                pods, namespaces = mapping(peer).get("podSelector"), mapping(peer).get("namespaceSelector")
                peers.append(
                    PolicyPeer(
                        selector(pods) if isinstance(pods, dict) else None,
                        selector(namespaces) if isinstance(namespaces, dict) else None,
                        text(block.get("cidr")),
                        tuple(cidr for cidr in sequence(block.get("except")) if isinstance(cidr, str)),
                        at(*route, peers_key, number),
                    )
                )
                known = known and isinstance(peer, dict)
                known = known and not is_unknown(mapping(peer), *mapping(peer)) and not is_unknown(block, *block)
                known = known and not any(isinstance(cidr, Unknown) for cidr in sequence(block.get("except")))
        known = known and not is_unknown(item, peers_key, "ports")
        ports: list[PolicyPort] | None = None
        if sequence(item.get("ports")):
            ports = []
            for number, port in enumerate(sequence(item.get("ports"))):
                value = mapping(port).get("port")
                known = known and isinstance(port, dict)
                known = known and not any(isinstance(part, Unknown) for part in mapping(port).values())
                ports.append(
                    PolicyPort(
                        text(mapping(port).get("protocol", "TCP")) or "TCP",
                        value if isinstance(value, str) else integer(value),
                        integer(mapping(port).get("endPort")),
                        at(*route, "ports", number),
                    )
                )
        rules.append(
            PolicyRule(
                tuple(peers) if peers is not None else None,
                tuple(ports) if ports is not None else None,
                at(*route),
                known,
            )
        )
    return tuple(rules)


def policy(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a NetworkPolicy."""
    written = view.spec.get("policyTypes")
    known = not is_unknown(view.data, "spec") and not any(
        isinstance(part, Unknown) for part in (written, *sequence(written))
    )
    types = tuple(value for value in sequence(written) if isinstance(value, str))
    if not types:
        # https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
        types = ("Ingress", "Egress") if sequence(view.spec.get("egress")) else ("Ingress",)
        known = known and not is_unknown(view.spec, "egress")
    into.policies.append(
        PolicyFact(
            resource=x.resource(view.labels),
            pods=selector(view.data["spec"] if is_unknown(view.data, "spec") else view.spec.get("podSelector")),
            pods_at=at("spec", "podSelector"),
            types=types,
            types_known=known,
            types_at=at("spec", "policyTypes"),
            ingress=_policy_rules(view, x, "ingress", "from"),
            egress=_policy_rules(view, x, "egress", "to"),
            ingress_at=at("spec", "ingress"),
            egress_at=at("spec", "egress"),
        )
    )


def pod_network(view: View, x: Extraction, into: Facts) -> None:
    """The fact of a PodNetworking."""
    own = mapping(view.spec.get("selector"))
    pods, namespaces = own.get("podSelector"), own.get("namespaceSelector")
    into.pod_networks.append(
        PodNetworkFact(
            x.resource(view.labels),
            None if pods is None else selector(pods),
            None if namespaces is None else selector(namespaces),
            view.get("spec", "allocationType", "type") == "Fixed",
            at("spec", "selector"),
        )
    )
