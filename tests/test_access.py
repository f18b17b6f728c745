"""The decision tables of the ways to an application, row by row, and how the answers are shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kubelint_ack.cli import main
from kubelint_ack.profile import profile
from kubelint_ack.queries.access import CLIENTS, Cell, local_without_backend
from kubelint_ack.report.display import width
from kubelint_ack.words import catalogue
from tests.harness import write

BALANCER = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-"
DEPLOYMENT = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: %s
    spec: {containers: [{name: web, image: "web:1.0", ports: [{name: http, containerPort: 8080}]}]}
"""


def service(spec: str, annotations: dict[str, str] | None = None, pod: dict[str, str] | None = None) -> str:
    head = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop, annotations: %s}\n"
    return head % json.dumps(annotations or {}) + f"spec: {spec}\n" + DEPLOYMENT % json.dumps(pod or {})


def ask(folder: Path, manifest: str, declared: str = "", *arguments: str) -> dict[str, Any]:
    """The paths of the first Service, as JSON."""
    files: dict[str, str | bytes] = {"manifest.yaml": manifest, ".kubelint-ack.yaml": f"cluster: {{{declared}}}\n"}
    write(folder, files)
    result = CliRunner().invoke(
        main,
        ["access", "--format", "json", "--root", str(folder), "-p", str(folder), *arguments],
        catch_exceptions=False,
    )
    assert result.exit_code == 0, result.output
    one: dict[str, Any] = json.loads(result.stdout)["services"][0]
    return one


def verdicts(one: dict[str, Any], path: str) -> str:
    """The verdicts of one path in the order of the clients, by their first letters; `?` where not confirmed."""
    (row,) = (row for row in one["paths"] if row["path"] == path)
    assert tuple(row["clients"]) == CLIENTS
    return " ".join(
        cell["verdict"][0] + ("" if cell["confirmed"] else "?") if cell["verdict"] != "none" else "-"
        for cell in row["clients"].values()
    )


FLANNEL = "cni: flannel"
IPVS = "kubeProxyMode: ipvs"
IPTABLES = "kubeProxyMode: iptables"
OLD = 'kubernetesVersion: "1.20"'
NEW = 'kubernetesVersion: "1.32"'
SHARED = "cni: terway, terway: {mode: shared-eni, dataPath: veth}"
EXCLUSIVE = "cni: terway, terway: {mode: exclusive-eni}"
IPVLAN_OUT = "cni: terway, terway: {mode: shared-eni, dataPath: ipvlan, inClusterLoadBalance: false}"
IPVLAN = "cni: terway, terway: {mode: shared-eni, dataPath: ipvlan, inClusterLoadBalance: true}"
DATAPATH = "cni: terway, terway: {mode: shared-eni, dataPath: datapathv2, inClusterLoadBalance: true}"

PORTS = "selector: {app: web}, ports: [{port: 80, targetPort: 8080}]"
CLUSTER_IP = f"{{{PORTS}}}"
NODE_PORT = "{type: NodePort, %s, selector: {app: web}, ports: [{port: 80, targetPort: http, nodePort: 30080}]}"
LOAD_BALANCER = f"{{type: LoadBalancer, %s, {PORTS}}}"
CLUSTER, LOCAL = "externalTrafficPolicy: Cluster", "externalTrafficPolicy: Local"
NLB = "loadBalancerClass: alibabacloud.com/nlb"
INTRANET = {BALANCER + "address-type": "intranet"}


@pytest.mark.parametrize(
    ("spec", "declared", "expected"),
    [
        # same node, other node, host network, VPC, internet
        pytest.param(CLUSTER_IP, "", "w w d f f", id="ClusterIP, internalTrafficPolicy Cluster"),
        pytest.param(f"{{internalTrafficPolicy: Local, {PORTS}}}", "", "w f f f f", id="ClusterIP, Local"),
        pytest.param(f"{{clusterIP: None, {PORTS}}}", FLANNEL, "w w d d f", id="headless, Flannel"),
        pytest.param(f"{{clusterIP: None, {PORTS}}}", SHARED, "w w d d f", id="headless, Terway"),
        pytest.param("{type: ExternalName, externalName: db.example.com}", "", "w w d - -", id="ExternalName"),
        pytest.param(LOAD_BALANCER % LOCAL, FLANNEL, "w w d f f", id="LoadBalancer: its policy does not matter here"),
    ],
)
def test_path_1_cluster_ip_or_name(tmp_path: Path, spec: str, declared: str, expected: str) -> None:
    assert verdicts(ask(tmp_path, service(spec), declared), "service") == expected


def test_a_headless_service_translates_no_ports(tmp_path: Path) -> None:
    one = ask(tmp_path, service(f"{{clusterIP: None, {PORTS}}}"))
    assert one["paths"][0]["addresses"] == ["web.shop.svc:8080"]
    cell = one["paths"][0]["clients"]["other-node"]
    assert cell["code"] == "headless-port"
    assert "8080" in cell["reason"]
    same = ask(tmp_path, service("{clusterIP: None, selector: {app: web}, ports: [{port: 8080, targetPort: http}]}"))
    assert same["paths"][0]["clients"]["other-node"]["code"] == "headless"


@pytest.mark.parametrize(
    ("declared", "pod", "expected"),
    [
        pytest.param(FLANNEL, {}, "w w w d f", id="Flannel"),
        pytest.param(SHARED, {}, "w w w d f", id="Terway, no EIP"),
        pytest.param(SHARED, {"k8s.aliyun.com/pod-with-eip": "true"}, "w w w d d", id="Terway, EIP"),
        pytest.param(SHARED, {"k8s.aliyun.com/pod-with-eip": "false"}, "w w w d f", id="Terway, EIP switched off"),
        pytest.param(
            EXCLUSIVE, {"network.alibabacloud.com/pod-with-eip": "true"}, "w w w d d", id="exclusive ENI, EIP"
        ),
        pytest.param("", {}, "w w w d d", id="plug-in unknown"),
    ],
)
def test_path_2_pod_address(tmp_path: Path, declared: str, pod: dict[str, str], expected: str) -> None:
    assert verdicts(ask(tmp_path, service(CLUSTER_IP, pod=pod), declared), "pod") == expected


@pytest.mark.parametrize(
    ("spec", "declared", "with_backend", "without"),
    [
        pytest.param(NODE_PORT % CLUSTER, "", "w w w w f", "w w w w f", id="NodePort, Cluster"),
        pytest.param(LOAD_BALANCER % CLUSTER, FLANNEL, "w w w w f", "w w w w f", id="LoadBalancer, Cluster"),
        pytest.param(
            NODE_PORT % LOCAL,
            f"{IPVS}, {NEW}",
            "w w w w f",
            "f d? f f f",
            id="Local, IPVS from 1.21: own node falls back",
        ),
        pytest.param(LOAD_BALANCER % LOCAL, f"{IPVS}, {NEW}", "w w w w f", "f d? f f f", id="LoadBalancer, the same"),
        pytest.param(NODE_PORT % LOCAL, f"{IPVS}, {OLD}", "w w w w f", "f f f f f", id="Local, IPVS up to 1.20"),
        pytest.param(NODE_PORT % LOCAL, IPTABLES, "w w w w f", "w w d f f", id="Local, iptables"),
        pytest.param(NODE_PORT % LOCAL, "", "w w w w f", "d d d f f", id="Local, mode unknown"),
        pytest.param(
            LOAD_BALANCER % "allocateLoadBalancerNodePorts: false", "", "f f f f f", "f f f f f", id="no node ports"
        ),
        pytest.param(CLUSTER_IP, "", "- - - - -", "- - - - -", id="ClusterIP"),
    ],
)
def test_path_3_node_port(tmp_path: Path, spec: str, declared: str, with_backend: str, without: str) -> None:
    one = ask(tmp_path, service(spec), declared)
    assert (verdicts(one, "node-port"), verdicts(one, "node-port-other")) == (with_backend, without)


@pytest.mark.parametrize(
    ("policy", "annotations", "declared", "expected"),
    [
        pytest.param(CLUSTER, {}, FLANNEL, "w w w w w", id="CLB internet, Flannel, Cluster"),
        pytest.param(
            LOCAL, {}, f"{FLANNEL}, {IPVS}, {OLD}", "w f f w w", id="CLB internet, Flannel, Local, IPVS to 1.20"
        ),
        pytest.param(
            LOCAL, {}, f"{FLANNEL}, {IPVS}, {NEW}", "w d? f w w", id="CLB internet, Flannel, Local, IPVS from 1.21"
        ),
        pytest.param(LOCAL, {}, f"{FLANNEL}, {IPTABLES}", "w w w w w", id="CLB internet, Flannel, Local, iptables"),
        pytest.param(LOCAL, {}, FLANNEL, "w d d w w", id="CLB internet, Flannel, Local, mode unknown"),
        pytest.param(CLUSTER, INTRANET, FLANNEL, "w w w w f", id="CLB intranet, Flannel, Cluster"),
        pytest.param(LOCAL, INTRANET, f"{FLANNEL}, {IPVS}, {OLD}", "w f f w f", id="CLB intranet, Flannel, Local"),
        pytest.param(CLUSTER, {}, SHARED, "w w w w w", id="CLB, Terway shared ENI, Cluster"),
        pytest.param(CLUSTER, INTRANET, SHARED, "w w w w f", id="CLB, Terway shared ENI, Cluster, intranet"),
        pytest.param(LOCAL, {}, f"{SHARED}, {IPVS}, {OLD}", "w f f w w", id="CLB, Terway veth, Local, IPVS to 1.20"),
        pytest.param(LOCAL, {}, f"{SHARED}, {IPVS}, {NEW}", "w d? f w w", id="CLB, Terway veth, Local, IPVS from 1.21"),
        pytest.param(
            LOCAL, {}, f"{IPVLAN_OUT}, {IPVS}, {NEW}", "d w f w w", id="CLB, IPvlan without in-cluster balancing"
        ),
        pytest.param(CLUSTER, {}, IPVLAN, "w w w w w", id="CLB, IPvlan, Cluster"),
        pytest.param(LOCAL, {}, f"{IPVLAN}, {IPVS}, {NEW}", "w d? f w w", id="CLB, IPvlan, Local"),
        pytest.param(CLUSTER, {}, DATAPATH, "w w w w w", id="CLB, DataPath V2, Cluster"),
        pytest.param(LOCAL, {}, f"{DATAPATH}, {IPVS}, {NEW}", "w d? f w w", id="CLB, DataPath V2, Local"),
        pytest.param(CLUSTER, {}, EXCLUSIVE, "d w w w w", id="CLB, exclusive ENI, Cluster: loop to itself"),
        pytest.param(
            LOCAL, {}, f"{EXCLUSIVE}, {IPVS}, {NEW}", "d w f w w", id="CLB, exclusive ENI, Local: host per kube-proxy"
        ),
        pytest.param(
            CLUSTER,
            {BALANCER + "protocol-port": "http:80"},
            EXCLUSIVE,
            "w w d w w",
            id="exclusive ENI, no loop at layer 7",
        ),
        pytest.param(CLUSTER, {BALANCER + "protocol-port": "https:80"}, FLANNEL, "f f f w w", id="CLB, https listener"),
        pytest.param(CLUSTER, {BALANCER + "proxy-protocol": "on"}, FLANNEL, "f f f w w", id="CLB, proxy-protocol"),
        # Plain HTTP reaches the pod; what is missing is the header.
        pytest.param(CLUSTER, {BALANCER + "protocol-port": "http:80"}, FLANNEL, "d d d w w", id="CLB, http listener"),
        pytest.param(LOCAL, {BALANCER + "hostname": "a.example.com"}, FLANNEL, "d w w w w", id="CLB with hostname"),
        pytest.param(f"{LOCAL}, {NLB}", {}, FLANNEL, "d? w w w w", id="NLB, Flannel"),
        pytest.param(f"{CLUSTER}, {NLB}", INTRANET, SHARED, "d? w w w f", id="NLB intranet, Terway"),
        pytest.param(CLUSTER, {}, "", "d w w w w", id="plug-in unknown"),
        pytest.param("loadBalancerClass: example.com/lb", {}, "", "d d d d d", id="another controller"),
        pytest.param(CLUSTER, {}, "provider: eks", "d d d d d", id="another cloud"),
        pytest.param(
            CLUSTER, {BALANCER + "id": "lb-bp1"}, FLANNEL, "w w w d d", id="reused: public or private unknown"
        ),
        pytest.param(CLUSTER, {BALANCER + "acl-status": "on"}, FLANNEL, "w w w d d", id="access control list"),
        pytest.param(
            CLUSTER,
            {"service.beta.kubernetes.io/backend-type": "eni"},
            FLANNEL,
            "w w w f f",
            id="eni backends on Flannel",
        ),
        pytest.param(
            "allocateLoadBalancerNodePorts: false", {}, FLANNEL, "w w w f f", id="node backends without node ports"
        ),
        pytest.param(
            "allocateLoadBalancerNodePorts: false", {}, SHARED, "w w w w w", id="pod backends need no node ports"
        ),
    ],
)
def test_path_4_load_balancer(
    tmp_path: Path, policy: str, annotations: dict[str, str], declared: str, expected: str
) -> None:
    one = ask(tmp_path, service(LOAD_BALANCER % policy, annotations), declared)
    assert verdicts(one, "load-balancer") == expected


@pytest.mark.parametrize("spec", [CLUSTER_IP, NODE_PORT % CLUSTER], ids=["ClusterIP", "NodePort"])
def test_other_types_have_no_load_balancer(tmp_path: Path, spec: str) -> None:
    assert verdicts(ask(tmp_path, service(spec)), "load-balancer") == "- - - - -"


@pytest.mark.parametrize(
    ("declared", "pods", "host_network"),
    [
        ("", ("depends", "local-mode-unknown"), ("depends", "local-mode-unknown")),
        (f"{FLANNEL}, {IPVS}, {OLD}", ("fails", "local-ipvs"), ("fails", "local-ipvs-host")),
        (f"{FLANNEL}, {IPVS}, {NEW}", ("depends", "local-fallback"), ("fails", "local-ipvs-host")),
        (f"{FLANNEL}, kubeProxyMode: nftables", ("works", "local-iptables"), ("works", "local-iptables")),
        (EXCLUSIVE, ("works", "real-balancer"), ("depends", "local-mode-unknown")),
        (IPVLAN_OUT, ("works", "real-balancer"), ("depends", "local-mode-unknown")),
        (f"{DATAPATH}, {IPVS}", ("depends", "local-ebpf"), ("fails", "local-ipvs-host")),
        ("cni: terway, terway: {kubeProxyReplacement: true}", ("depends", "local-ebpf"), ("depends", "local-ebpf")),
    ],
)
def test_a_node_without_a_backend(declared: str, pods: tuple[str, str], host_network: tuple[str, str]) -> None:
    import yaml

    own = profile(yaml.safe_load(f"{{{declared}}}"))
    found = [local_without_backend(own), local_without_backend(own, host_network=True)]
    assert [(cell.verdict, cell.reason) for cell in found] == [pods, host_network]
    # What is not documented says so.
    assert [cell.confirmed for cell in found] == [cell.reason not in ("local-ebpf", "local-fallback") for cell in found]


POLICY = """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
  ingress: %s
"""
ENFORCED = "cni: terway, terway: {mode: shared-eni, dataPath: veth, networkPolicy: true}, vpcCIDRs: [172.16.0.0/16]"


@pytest.mark.parametrize(
    ("rules", "declared", "path", "expected"),
    [
        pytest.param("[]", ENFORCED, "service", "f f d f f", id="nobody; the own node gets through"),
        pytest.param("[]", ENFORCED, "load-balancer", "f f d f f", id="nobody through the load balancer"),
        pytest.param("[{}]", ENFORCED, "load-balancer", "w w w w w", id="everybody"),
        pytest.param("[{from: [{podSelector: {}}]}]", ENFORCED, "service", "d d d f f", id="some pods"),
        pytest.param(
            "[{from: [{ipBlock: {cidr: 172.16.0.0/16}}]}]", ENFORCED, "load-balancer", "f f d w d", id="the VPC"
        ),
        pytest.param("[{ports: [{port: 9090}], from: []}]", ENFORCED, "pod", "f f d f f", id="another port"),
        pytest.param("[{ports: [{port: http}], from: []}]", ENFORCED, "pod", "w w w d f", id="the port, by name"),
        pytest.param("[]", FLANNEL, "service", "w w d f f", id="Flannel enforces nothing"),
        pytest.param("[]", EXCLUSIVE, "service", "w w d f f", id="exclusive ENIs enforce nothing"),
        pytest.param("[]", "", "service", "d d d f f", id="plug-in unknown"),
    ],
)
def test_network_policies(tmp_path: Path, rules: str, declared: str, path: str, expected: str) -> None:
    one = ask(tmp_path, service(LOAD_BALANCER % CLUSTER) + POLICY % rules, declared)
    assert verdicts(one, path) == expected


def test_what_decides_is_named(tmp_path: Path) -> None:
    one = ask(tmp_path, service(LOAD_BALANCER % CLUSTER) + POLICY % "[]", ENFORCED)
    assert one["paths"][0]["clients"]["other-node"]["dependsOn"] == ["NetworkPolicy shop/web"]
    local = ask(tmp_path, service(LOAD_BALANCER % LOCAL), f"{FLANNEL}, {IPVS}, {OLD}")
    assert local["paths"][4]["clients"]["other-node"]["dependsOn"] == [
        "cluster.kubeProxyMode",
        "cluster.kubernetesVersion",
        "spec.externalTrafficPolicy",
    ]


def test_json_passes_its_schema(tmp_path: Path) -> None:
    import jsonschema

    from kubelint_ack.data import read_data

    schema = json.loads(read_data("schemas/access.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for spec in (LOAD_BALANCER % LOCAL, CLUSTER_IP, "{type: ExternalName, externalName: a.example.com}"):
        one = ask(tmp_path, service(spec) + POLICY % "[]", ENFORCED)
        jsonschema.validate({"services": [one]}, schema)


def test_without_pods_nothing_answers(tmp_path: Path) -> None:
    lost = service("{selector: {app: wbe}, ports: [{port: 80}]}")
    assert verdicts(ask(tmp_path, lost), "service") == "d d d f f"
    by_hand = service("{ports: [{port: 80}]}")
    assert ask(tmp_path, by_hand)["paths"][0]["clients"]["same-node"]["code"] == "endpoints-by-hand"


def test_what_is_filled_in_later_is_left_open(tmp_path: Path) -> None:
    one = ask(tmp_path, service('{type: LoadBalancer, externalTrafficPolicy: "${POLICY}", %s}' % PORTS), FLANNEL)  # noqa: UP031
    assert verdicts(one, "load-balancer") == "d d d w w"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_table_fits_a_terminal(tmp_path: Path, language: str) -> None:
    manifest = service(LOAD_BALANCER % LOCAL, {BALANCER + "protocol-port": "http:80"}) + POLICY % "[]"
    write(tmp_path, {"a.yaml": manifest, ".kubelint-ack.yaml": f"cluster: {{{ENFORCED}, {IPVS}, {NEW}}}\n"})
    arguments = ["access", "--root", str(tmp_path), "-p", str(tmp_path), "--lang", language]
    lines = CliRunner().invoke(main, arguments, catch_exceptions=False).stdout.splitlines()
    assert lines
    # The longest annotation keys stay whole.
    assert [line for line in lines if width(line) > 80 and "loadbalancer-" not in line] == []


PROJECTS = Path(__file__).parent / "projects"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_four_ways_of_the_project_case(language: str) -> None:
    """Worked out by hand: Flannel, IPVS, Kubernetes 1.32, a public CLB, `Local`; see the tables above."""
    case = PROJECTS / "four-ways"
    arguments = ["access", "shop/web", "--root", str(case), "-p", str(case), "--lang", language]
    shown = CliRunner().invoke(main, arguments, catch_exceptions=False).stdout
    name = "access.txt" if language == "en" else "access.zh.txt"
    assert shown == (case / name).read_text(encoding="utf-8")


def test_names_of_services(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": service(CLUSTER_IP)})

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(main, ["access", "--root", str(tmp_path), "-p", str(tmp_path), *arguments])

    assert run("shop/web").exit_code == run("web").exit_code == run().exit_code == 0
    assert run("web").stdout.startswith("shop/web  ClusterIP\n  backends: Deployment/web\n")
    missing = run("shop/wbe")
    assert missing.exit_code == 2
    assert "did you mean 'shop/web'?" in missing.stderr
    assert run("other/nothing-like-it").exit_code == 2


def test_every_reason_has_words_and_every_word_a_reason() -> None:
    import re

    from kubelint_ack.queries import access

    assert access.__file__
    source = Path(access.__file__).read_text(encoding="utf-8")
    given = set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"', source)) | {
        "pod-on-host-network-vpc",
        "pod-on-host-network-internet",
    }
    worded = {key.removeprefix("access.reason.") for key in catalogue("en") if key.startswith("access.reason.")}
    assert worded - given == set()
    answered = set(re.findall(r'Cell\(\s*"[a-z]+"(?: if [^,]+ else "[a-z]+")?,\s*"([a-z0-9-]+)"', source))
    assert answered - worded == set()
    assert Cell("works", "cluster-ip").confirmed
