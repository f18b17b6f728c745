"""The ways to an application: what a client meets on each of them, by where it stands.

Four ways lead to the pods of a Service: its cluster IP or name, the address of a pod, a node port, and the address of
its load balancer. Each answer says whether it works, why, and which facts decide that. What is not declared about the
cluster leaves an answer open ("depends"), and so does what Alibaba Cloud does not document (`confirmed` is false).

ACK documentation, "Considerations for configuring a LoadBalancer Service" and "Service FAQ"; kube-proxy in
kubernetes/kubernetes; AliyunContainerService/terway, docs/design.md and docs/host-stack-cidrs.md.
"""

# As in records.py, annotations are not postponed.

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from kubelint_ack.existence import FURTHER_LABELS
from kubelint_ack.facts import PolicyFact, ServiceFact, ServicePort, WorkloadFact
from kubelint_ack.ports import NO_PORT, Ports, some_ports
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.reach import ALL_IPV4, ANYBODY, Block, Pods, block, reach
from kubelint_ack.views import LB_PREFIXES

Client = Literal["same-node", "other-node", "host-network", "vpc", "internet"]
"""Where it stands: a pod on a node with a backend or on another; a pod or process in the network of a node without one;
a host of the VPC outside the cluster; the internet."""
CLIENTS: tuple[Client, ...] = ("same-node", "other-node", "host-network", "vpc", "internet")
INSIDE: tuple[Client, ...] = CLIENTS[:3]

Path = Literal["service", "pod", "node-port", "node-port-other", "load-balancer"]
"""`node-port` is that of a node with a backend, `node-port-other` that of a node without."""

Verdict = Literal["works", "fails", "depends", "none"]
"""none: there is no such way."""


class Cell(NamedTuple):
    """What one client meets on one path."""

    verdict: Verdict
    reason: str
    """Which words say why: the entry `access.reason.…` of the catalogue."""
    on: tuple[str, ...] = ()
    """What decides it: keys of the profile (`cluster.cni`), fields, annotations, `NetworkPolicy namespace/name`."""
    confirmed: bool = True
    """False where it is derived and not documented."""
    values: Mapping[str, Any] = {}


class Row(NamedTuple):
    """One path."""

    path: Path
    addresses: tuple[str, ...]
    """As clients write them, as far as they are known."""
    cells: tuple[Cell, ...]
    """In the order of `CLIENTS`."""


class Access(NamedTuple):
    """All ways to one Service."""

    service: ServiceFact
    namespace: str | None
    backends: tuple[WorkloadFact, ...]
    balancer: Literal["clb", "nlb"] | None
    address_type: Literal["internet", "intranet"] | None
    """Of its load balancer; None: none, or not known."""
    backend_type: Literal["eni", "ecs"] | None
    rows: tuple[Row, ...]


def access(service: ServiceFact, project: Project, profile: Profile) -> Access:
    """All ways to a Service."""
    own = _Service(service, project, profile)
    ways: tuple[tuple[Path, Iterator[str], Callable[[Client], Cell]], ...] = (
        ("service", own.names(), own.by_service),
        ("pod", own.pod_addresses(), own.by_pod),
        ("node-port", own.node_addresses(), own.by_node_port),
        ("node-port-other", own.node_addresses(), own.by_other_node_port),
        ("load-balancer", own.balancer_addresses(), own.by_load_balancer),
    )
    rows = [
        Row(path, tuple(addresses), tuple(own.with_pods(answer(client), path, client) for client in CLIENTS))
        for path, addresses, answer in ways
    ]
    return Access(
        service,
        project.namespace(service),
        own.backends,
        own.balancer,
        own.address_type if own.balancer else None,
        own.backend_type,
        tuple(rows),
    )


# --- What a node does with the address of a load balancer

IPVS_FALLBACK = (1, 21)
"""The first release whose kube-proxy, in IPVS mode, leads pods to every endpoint where a node has none of a Service
with `Local`; inferred from https://github.com/kubernetes/kubernetes/pull/97081."""

POLICY = "spec.externalTrafficPolicy"
MODE = "cluster.kubeProxyMode"
VERSION = "cluster.kubernetesVersion"


def intercepts(profile: Profile, *, host_network: bool = False) -> bool | None:
    """Whether a node answers calls to the address of a CLB itself; None: that is not known.

    kube-proxy does, for all that passes the node's own network. Pods with ENIs of their own, and those of IPvlan
    without in-cluster load balancing, send only the Service CIDR there.
    """
    if host_network or profile.cni == "flannel":
        return True
    if profile.cni == "terway":
        terway = profile.terway
        if terway.mode == "exclusive-eni":
            return False
        if terway.data_path == "veth":
            return True
        if terway.data_path == "ipvlan" and terway.in_cluster_load_balance is not None:
            return terway.in_cluster_load_balance
        if terway.data_path == "datapathv2" and terway.in_cluster_load_balance:
            return True
    return None


def local_without_backend(profile: Profile, *, host_network: bool = False) -> Cell:
    """What a client on a node without a backend meets at the address of a CLB whose Service has `Local`."""
    terway = profile.terway
    if profile.cni == "terway" and not host_network:
        if intercepts(profile) is False:
            return Cell("works", "real-balancer", ("cluster.terway",))
        if terway.data_path in ("ipvlan", "datapathv2") or terway.kube_proxy_replacement:
            return Cell("depends", "local-ebpf", ("cluster.terway.dataPath", POLICY), confirmed=False)
    if host_network and terway.kube_proxy_replacement:
        return Cell("depends", "local-ebpf", ("cluster.terway.kubeProxyReplacement", POLICY), confirmed=False)
    if profile.kube_proxy_mode in ("iptables", "nftables"):
        return Cell("works", "local-iptables", (MODE,))
    if host_network:
        if profile.kube_proxy_mode == "ipvs":
            return Cell("fails", "local-ipvs-host", (MODE, POLICY))
        return Cell("depends", "local-mode-unknown", (MODE, POLICY))
    release = profile.kubernetes_version
    if release is not None and release >= IPVS_FALLBACK:
        return Cell("depends", "local-fallback", (VERSION, POLICY), confirmed=False)
    if profile.kube_proxy_mode == "ipvs" and release is not None:
        return Cell("fails", "local-ipvs", (MODE, VERSION, POLICY))
    return Cell("depends", "local-mode-unknown", (MODE, VERSION, POLICY))


BACKEND_TYPE = "service.beta.kubernetes.io/backend-type"


def backend_type(service: ServiceFact, profile: Profile) -> Literal["eni", "ecs"] | None:
    """What the load balancer of a Service forwards to: pods (`eni`) or nodes (`ecs`); None if that is not known."""
    stated = service.annotations.get(BACKEND_TYPE)
    if stated:
        # Everything but `eni` is taken for `ecs` (service_utils.go, IsENIBackendType).
        return "eni" if stated == "eni" else "ecs"
    return profile.service_backend_type


def listeners(service: ServiceFact) -> dict[int, str]:
    """The protocol of the listener of each port: what `protocol-port` says, else the port's own."""
    found = {port.port: port.protocol.lower() for port in service.ports if port.port is not None}
    for entry in (service.lb_annotation("protocol-port") or "").split(","):
        protocol, _, port = entry.partition(":")
        if port.isdigit() and int(port) in found:
            found[int(port)] = protocol
    return found


# --- One Service


class _Service:
    """A Service with what is known about its surroundings."""

    def __init__(self, service: ServiceFact, project: Project, profile: Profile) -> None:
        self.service = service
        self.project = project
        self.profile = profile
        selected = project.select(service.selector, service) if service.selector is not None else None
        self.selected = selected
        self.backends: tuple[WorkloadFact, ...] = selected.workloads if selected else ()
        foreign = profile.provider not in (None, "ack")
        self.balancer = None if foreign else service.load_balancer
        written = self.service.lb_annotation("address-type") or ""
        self.address_type: Literal["internet", "intranet"] | None = None
        if not written and not self.service.lb_annotation("id"):
            self.address_type = "internet"
        elif written.lower() in ("internet", "intranet"):
            self.address_type = "internet" if written.lower() == "internet" else "intranet"
        self.backend_type = backend_type(service, profile)

    def annotation_key(self, suffix: str) -> str:
        """Its key, as it is written or is to be written."""
        written = (prefix + suffix for prefix in LB_PREFIXES if prefix + suffix in self.service.annotations)
        return next(written, LB_PREFIXES[0] + suffix)

    # Addresses

    def names(self) -> Iterator[str]:
        """The name of the Service with each of its ports, and its address if that is written."""
        namespace = self.project.namespace(self.service)
        name = self.service.name or ""
        for host in (f"{name}.{namespace}.svc" if namespace else name, self.service.cluster_ip):
            if host and self.service.type == "ExternalName":
                yield host
            elif host:
                yield from (f"{_bracketed(host)}:{number}" for number in self._numbers())

    def _numbers(self) -> Iterator[int]:
        """The ports that callers of the name use: those of the pods where nothing translates them."""
        for port in self.service.ports:
            if self.service.headless:
                yield from sorted(self.target_numbers(port))
            elif port.port is not None:
                yield port.port

    def pod_addresses(self) -> Iterator[str]:
        """The ports on which the pods listen."""
        for port in self.service.ports:
            numbers = self.target_numbers(port)
            yield from (f"<pod>:{number}" for number in sorted(numbers))

    def node_addresses(self) -> Iterator[str]:
        """The node ports that are written."""
        if self.service.type in ("NodePort", "LoadBalancer"):
            yield from (f"<node>:{port.node_port}" for port in self.service.ports if port.node_port)

    def balancer_addresses(self) -> Iterator[str]:
        """The addresses of the load balancer that are written, with each port."""
        if self.service.type == "LoadBalancer":
            for host in self.service.addresses or ("<slb>",):
                yield from (f"{_bracketed(host)}:{port.port}" for port in self.service.ports if port.port)

    def target_numbers(self, port: ServicePort) -> set[int]:
        """The numbers on which the pods listen for a port; empty if that is not known."""
        if isinstance(port.target, int):
            return {port.target}
        return {
            one.number
            for workload in self.backends
            for container in workload.containers
            for one in container.ports
            if one.number is not None and (one.name, one.protocol) == (port.target, port.protocol)
        }

    # The four paths

    def by_service(self, client: Client) -> Cell:
        """The cluster IP or the name."""
        service = self.service
        if service.type == "ExternalName":
            if client in INSIDE:
                return self._by_name(Cell("works", "external-name", ("spec.externalName",)), client)
            return Cell("none", "name-inside-only")
        if service.headless is None:
            return Cell("depends", "unknown-field", ("spec.clusterIP",))
        if client not in INSIDE:
            if service.headless and client == "vpc":
                return self.by_pod(client)
            return Cell("fails", "service-inside-only")
        if service.headless:
            moved = next(
                (
                    (port.port, numbers)
                    for port in service.ports
                    if port.port is not None and (numbers := self.target_numbers(port)) and numbers != {port.port}
                ),
                None,
            )
            if moved is not None:
                values = {"port": moved[0], "target": ", ".join(map(str, sorted(moved[1])))}
                return self._by_name(Cell("works", "headless-port", ("spec.ports",), values=values), client)
            return self._by_name(Cell("works", "headless"), client)
        policy = service.internal_traffic_policy
        if policy is None:
            return Cell("depends", "unknown-field", ("spec.internalTrafficPolicy",))
        if policy == "Local":
            if client != "same-node":
                return Cell("fails", "internal-local", ("spec.internalTrafficPolicy",))
            return Cell("works", "internal-local-same", ("spec.internalTrafficPolicy",))
        return self._by_name(Cell("works", "cluster-ip"), client)

    @staticmethod
    def _by_name(cell: Cell, client: Client) -> Cell:
        """What asks the DNS of its node does not know the names of Services."""
        if client != "host-network":
            return cell
        return Cell("depends", "name-on-host-network", ("spec.dnsPolicy",))

    def by_pod(self, client: Client) -> Cell:
        """The address of a pod."""
        if self.service.type == "ExternalName":
            return Cell("none", "no-pods")
        if client in INSIDE:
            return Cell("works", "pod-network")
        if self.backends and all(workload.host_network for workload in self.backends):
            verdict: Verdict = "depends" if client == "vpc" else "fails"
            return Cell(verdict, f"pod-on-host-network-{client}")
        if self.profile.cni == "flannel":
            if client == "internet":
                return Cell("fails", "pod-flannel-internet", ("cluster.cni",))
            return Cell("depends", "pod-flannel-vpc", ("cluster.cni",))
        if self.profile.cni == "terway" and self.profile.terway.mode != "vpc":
            if client == "vpc":
                return Cell("depends", "pod-terway-vpc", ("cluster.cni",))
            key = next((key for workload in self.backends for key in _eip_keys(workload)), None)
            if key is None and self.backends:
                return Cell("fails", "pod-terway-internet", ("k8s.aliyun.com/pod-with-eip",))
            return Cell("depends", "pod-terway-eip", (key or "k8s.aliyun.com/pod-with-eip",))
        return Cell("depends", "plugin-unknown", ("cluster.cni",))

    def by_node_port(self, client: Client) -> Cell:
        """The node port, at a node with a backend."""
        missing = self._no_node_port()
        if missing is not None:
            return missing
        if client == "internet":
            return Cell("fails", "node-port-internet")
        if client == "vpc":
            return Cell("works", "node-port-vpc")
        return Cell("works", "node-port")

    def by_other_node_port(self, client: Client) -> Cell:
        """The node port, at a node without one."""
        missing = self._no_node_port()
        policy = self.service.traffic_policy
        if missing is not None or policy == "Cluster" or client == "internet":
            return self.by_node_port(client)
        if policy is None:
            return Cell("depends", "unknown-field", (POLICY,))
        if client == "vpc":
            return Cell("fails", "node-port-local-vpc", (POLICY,))
        profile = self.profile
        if profile.cni == "terway" and profile.terway.kube_proxy_replacement:
            return Cell("depends", "local-ebpf", ("cluster.terway.kubeProxyReplacement", POLICY), confirmed=False)
        mode, release = profile.kube_proxy_mode, profile.kubernetes_version
        if mode in ("iptables", "nftables"):
            if client == "host-network":
                return Cell("depends", "node-port-own-node", (MODE, POLICY))
            return Cell("works", "node-port-iptables", (MODE,))
        if mode is None or (release is None and client == "other-node"):
            return Cell("depends", "local-mode-unknown", (MODE, VERSION, POLICY))
        if client == "other-node" and release is not None and release >= IPVS_FALLBACK:
            return Cell("depends", "node-port-fallback", (MODE, VERSION, POLICY), confirmed=False)
        return Cell("fails", "node-port-ipvs", (MODE, POLICY))

    def _no_node_port(self) -> Cell | None:
        """Why there is no node port; None if there is one."""
        service = self.service
        if service.type not in ("NodePort", "LoadBalancer"):
            if service.type is None:
                return Cell("depends", "unknown-field", ("spec.type",))
            return Cell("none", "no-node-port", ("spec.type",))
        if self._without_node_ports():
            return Cell("fails", "node-ports-off", ("spec.allocateLoadBalancerNodePorts",))
        return None

    def _without_node_ports(self) -> bool:
        service = self.service
        return (
            service.type == "LoadBalancer"
            and not service.allocates_node_ports
            and not any(port.node_port for port in service.ports)
        )

    def by_load_balancer(self, client: Client) -> Cell:
        """The address of the load balancer."""
        if self.service.type != "LoadBalancer":
            if self.service.type is None:
                return Cell("depends", "unknown-field", ("spec.type",))
            return Cell("none", "no-load-balancer", ("spec.type",))
        if self.balancer is None:
            return Cell("depends", "other-controller", ("spec.loadBalancerClass", "cluster.provider"))
        return self._inside(client) if client in INSIDE else self._outside(client)

    def _outside(self, client: Client) -> Cell:
        """From the VPC or the internet: always through the load balancer."""
        broken = self._no_targets()
        if broken is not None:
            return broken
        kind = self.annotation_key("address-type")
        if client == "internet" and self.address_type == "intranet":
            return Cell("fails", "intranet", (kind,))
        if self.address_type is None:
            return Cell("depends", "address-type-unknown", (kind, self.annotation_key("id")))
        if (self.service.lb_annotation("acl-status") or "").lower() == "on" and self.balancer == "clb":
            return Cell("depends", "acl", (self.annotation_key("acl-id"),))
        if self.service.lb_annotation("security-group-ids") and self.balancer == "nlb":
            return Cell("depends", "security-group", (self.annotation_key("security-group-ids"),))
        if client == "vpc" and self.address_type == "internet":
            return Cell("works", "public-address", (kind,))
        return Cell("works", "load-balancer", (kind,))

    def _no_targets(self) -> Cell | None:
        """Why the load balancer has nothing to forward to; None if it has."""
        if self.backend_type == "eni" and self.profile.cni == "flannel":
            return Cell("fails", "eni-on-flannel", (BACKEND_TYPE, "cluster.cni"))
        if self._without_node_ports() and self.backend_type != "eni":
            known = self.backend_type is not None
            on = ("spec.allocateLoadBalancerNodePorts", *(() if known else ("cluster.serviceBackendType",)))
            return Cell("fails" if known else "depends", "balancer-without-node-ports", on)
        return None

    def _inside(self, client: Client) -> Cell:
        """From inside the cluster: the node may answer itself."""
        host_network = client == "host-network"
        named = self.balancer == "nlb" or self.service.lb_annotation("hostname") is not None
        intercepted = False if named else intercepts(self.profile, host_network=host_network)
        if intercepted is False:
            return self._through_balancer(client, named)
        mismatch = self._protocol_mismatch(intercepted)
        if mismatch is not None:
            return mismatch
        policy = self.service.traffic_policy
        if policy is None:
            return Cell("depends", "unknown-field", (POLICY,))
        if policy == "Local" and client != "same-node":
            return local_without_backend(self.profile, host_network=host_network)
        if intercepted is None and client == "same-node":
            return Cell("depends", "loop-or-intercepted", ("cluster.cni", "cluster.terway"))
        if intercepted is None:
            return Cell("works", "either-way", (POLICY,))
        if policy == "Local":
            return Cell("works", "local-same-node", (POLICY,))
        return Cell("works", "intercepted", (POLICY,))

    def _through_balancer(self, client: Client, named: bool) -> Cell:
        """Calls that leave the node."""
        broken = self._no_targets()
        if broken is not None:
            return broken
        on = (self.annotation_key("hostname"),) if named and self.balancer == "clb" else ()
        on = ("spec.loadBalancerClass",) if self.balancer == "nlb" else on or ("cluster.terway",)
        if client == "same-node":
            if self.balancer == "nlb":
                return Cell("depends", "loop-nlb", on, confirmed=False)
            if any(protocol in ("tcp", "udp") for protocol in listeners(self.service).values()):
                return Cell("depends", "loop", on)
        return Cell("works", "real-balancer", on)

    def _protocol_mismatch(self, intercepted: bool | None) -> Cell | None:
        """What a call that never passes the load balancer lacks; None: nothing."""
        if self.balancer != "clb":
            return None
        protocols = list(listeners(self.service).values())
        proxied, https = self.service.lb_annotation("proxy-protocol") == "on", protocols.count("https")
        if proxied or (https and https == len(protocols)):
            suffix = "proxy-protocol" if proxied else "protocol-port"
            reason = "bypassed-proxy-protocol" if proxied else "bypassed-https"
            on = (self.annotation_key(suffix), *(() if intercepted else ("cluster.cni",)))
            return Cell("fails" if intercepted else "depends", reason, on)
        if https or "http" in protocols:
            reason = "bypassed-some-https" if https else "bypassed-http"
            return Cell("depends", reason, (self.annotation_key("protocol-port"),))
        return None

    # Endpoints and policies

    def with_pods(self, cell: Cell, path: Path, client: Client) -> Cell:
        """The answer, given that there are pods and that policies let the client through."""
        if cell.verdict in ("fails", "none") or self.service.type == "ExternalName":
            return cell
        if self.selected is None:
            return Cell("depends", "endpoints-by-hand", ("spec.selector",))
        if self.selected.missing:
            return Cell("fails" if self.selected.certain else "depends", "no-pods-selected", ("spec.selector",))
        return self._with_policies(cell, path, client)

    def _with_policies(self, cell: Cell, path: Path, client: Client) -> Cell:
        profile = self.profile
        if profile.cni == "flannel" or not self.project.policies:
            return cell
        if profile.cni == "terway" and (
            profile.terway.network_policy is False or profile.terway.mode == "exclusive-eni"
        ):
            return cell
        closed, policies = self._closed(self._source(path, client))
        if closed is None:
            return cell
        on = tuple(dict.fromkeys(_label(policy, self.project) for policy in policies))
        enforced = profile.cni == "terway" and profile.terway.network_policy is True
        if closed and enforced:
            return Cell("fails", "policy", on)
        if cell.verdict == "depends":
            return cell._replace(on=(*cell.on, *on))
        if not closed:
            return Cell("depends", "policy-some", on)
        key = "cluster.terway.networkPolicy" if profile.cni == "terway" else "cluster.cni"
        return Cell("depends", "policy-maybe", (*on, key))

    def _source(self, path: Path, client: Client) -> tuple[Pods | Block, ...]:
        """Whom the pods see as the other end."""
        if client in ("same-node", "other-node"):
            namespace = self.project.namespace(self.service)
            neighbour = Pods(namespace, FURTHER_LABELS, self.project.namespace_labels(namespace), ports_known=False)
            return neighbour, ANYBODY
        snat = (
            path in ("node-port", "node-port-other", "load-balancer")
            and self.service.traffic_policy != "Local"
            and not (path == "load-balancer" and self.backend_type == "eni")
        )
        if client == "host-network" or snat:
            return (_NODE,)
        if client == "vpc":
            return tuple(filter(None, map(block, self.profile.vpc_cidrs or ()))) or (ALL_IPV4,)
        return (ALL_IPV4,)

    def _closed(self, sources: tuple[Pods | Block, ...]) -> tuple[bool | None, list[PolicyFact]]:
        """Whether policies let none of the sources in (True), or only some of them (False); and these policies.

        None: they let all of them in.
        """
        answers = reach(self.project)
        stopping: list[PolicyFact] = []
        shut: list[bool] = []
        for workload in self.backends:
            pods = answers.pods(workload)
            needed = self._ports_of(workload)
            for source in sources:
                # What the policies of a client's own pods forbid it is not asked: the client may be anybody.
                found = answers.side(pods, source, "ingress")
                if not found.sure.holds(needed):
                    stopping += found.policies
                # What comes from the pod's own node is always let through.
                known = source is not _NODE and not needed.empty and not answers.hidden
                shut.append(known and found.perhaps.meet(needed).empty)
        return (all(shut) if stopping else None), stopping

    def _ports_of(self, workload: WorkloadFact) -> Ports:
        """The ports on which a workload's pods are called."""
        needed = NO_PORT
        for port in self.service.ports:
            for number in self.target_numbers(port):
                needed = needed.union(some_ports(port.protocol, number, number))
        return needed


_NODE = Pods("*", FURTHER_LABELS, FURTHER_LABELS, ports_known=False, host_network=True)
"""A node, or a pod in its network."""


def _label(policy: PolicyFact, project: Project) -> str:
    namespace, name = project.namespace(policy), policy.resource.id.name or ""
    return f"NetworkPolicy {namespace}/{name}" if namespace else f"NetworkPolicy {name}"


def _eip_keys(workload: WorkloadFact) -> Iterator[str]:
    """Annotations that give pods an address on the internet.

    ACK documentation, "Associate an EIP with a pod".
    """
    for prefix in ("k8s.aliyun.com/", "network.alibabacloud.com/"):
        for suffix in ("pod-with-eip", "pod-eip-instanceid"):
            if workload.annotations.get(prefix + suffix) not in (None, "", "false"):
                yield prefix + suffix


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
