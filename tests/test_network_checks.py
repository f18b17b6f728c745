"""What the examples of the network rules do not show: values, columns, related places, and the table of data paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubelint_ack.records import Finding
from tests.harness import lint, write

LOCAL = """\
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  type: LoadBalancer
  loadBalancerIP: 203.0.113.10
  externalTrafficPolicy: Local
  selector: {app: api}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  containers:
    - name: client
      image: client:1.0
      args: ["--api=203.0.113.10"]
"""


def findings(folder: Path, rule: str, manifest: str, profile: str = "") -> list[Finding]:
    files: dict[str, str | bytes] = {"manifest.yaml": manifest}
    if profile:
        files["cluster.yaml"] = profile
        files[".kubelint-ack.yaml"] = "cluster: cluster.yaml\n"
    write(folder, files)
    return [finding for finding in lint(folder, select=[rule]).findings if finding.rule == rule]


@pytest.mark.parametrize(
    ("profile", "severity", "message"),
    [
        ("", "warning", "default"),
        ("cni: flannel", "warning", "default"),
        ("{cni: flannel, kubeProxyMode: ipvs}", "warning", "default"),
        ('{cni: flannel, kubeProxyMode: ipvs, kubernetesVersion: "1.20.11-aliyun.1"}', "warning", "ipvs"),
        ('{cni: flannel, kubeProxyMode: ipvs, kubernetesVersion: "1.21"}', "info", "fallback"),
        ('{cni: flannel, kubernetesVersion: "1.32"}', "info", "fallback"),
        ("{cni: flannel, kubeProxyMode: iptables}", None, ""),
        ("{cni: flannel, kubeProxyMode: nftables}", None, ""),
        (
            '{cni: terway, terway: {mode: shared-eni, dataPath: veth}, kubeProxyMode: ipvs, kubernetesVersion: "1.20"}',
            "warning",
            "ipvs",
        ),
        ("{cni: terway, terway: {dataPath: veth}, kubeProxyMode: iptables}", None, ""),
        ("{cni: terway, terway: {dataPath: ipvlan, inClusterLoadBalance: false}}", None, ""),
        ("{cni: terway, terway: {dataPath: ipvlan, inClusterLoadBalance: true}}", "info", "ebpf"),
        ("{cni: terway, terway: {dataPath: ipvlan}}", "info", "ebpf"),
        ("{cni: terway, terway: {dataPath: datapathv2}, kubeProxyMode: ipvs}", "info", "ebpf"),
        ("{cni: terway, terway: {mode: exclusive-eni}, kubeProxyMode: ipvs}", None, ""),
        ('{cni: terway, terway: {mode: vpc}, kubeProxyMode: ipvs, kubernetesVersion: "1.18"}', "warning", "ipvs"),
        ("{provider: gke}", None, ""),
    ],
)
def test_who_answers_for_the_address_decides(tmp_path: Path, profile: str, severity: str | None, message: str) -> None:
    found = findings(tmp_path, "etp-local-in-cluster-access", LOCAL, profile)
    assert [(finding.severity, finding.message) for finding in found] == ([(severity, message)] if severity else [])


def test_a_client_is_shown_where_it_writes_the_address(tmp_path: Path) -> None:
    [finding] = findings(tmp_path, "etp-local-in-cluster-access", LOCAL)
    [client] = finding.related
    assert client.resource is not None
    assert (client.resource.label, client.place.span.line, client.note) == ("Pod client", 18, "client")
    assert (finding.place.span.line, finding.values["address"]) == (7, "203.0.113.10")


def test_a_client_on_the_host_network_counts_once(tmp_path: Path) -> None:
    manifest = LOCAL.replace("  containers:", "  hostNetwork: true\n  containers:")
    for profile, rules in (
        ("", ["etp-local-in-cluster-access"]),
        ("kubeProxyMode: ipvs", ["etp-local-hostnetwork-client"]),
    ):
        write(tmp_path, {"manifest.yaml": manifest})
        if profile:
            write(tmp_path, {"cluster.yaml": profile, ".kubelint-ack.yaml": "cluster: cluster.yaml\n"})
        names = [finding.rule for finding in lint(tmp_path, select=["loadbalancer"]).findings]
        assert [name for name in names if name.startswith("etp-")] == rules


@pytest.mark.parametrize(
    ("suffix", "near"),
    [
        ("health-check-fla", "alibaba-cloud-loadbalancer-health-check-flag"),
        ("Address-Type", "alibaba-cloud-loadbalancer-address-type"),
        ("slb-network-type", "alibaba-cloud-loadbalancer-network-type"),
        ("backend-type", "backend-type"),
    ],
)
def test_the_key_that_is_meant(tmp_path: Path, suffix: str, near: str) -> None:
    key = f"service.beta.kubernetes.io/alibaba-cloud-loadbalancer-{suffix}"
    manifest = f'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  annotations:\n    {key}: "x"\n'
    [finding] = findings(tmp_path, "lb-annotation-unknown", manifest)
    assert finding.values["near"] == f"service.beta.kubernetes.io/{near}"
    assert (finding.place.span.line, finding.place.span.column, finding.place.span.end_column) == (6, 5, 5 + len(key))


def test_an_older_prefix_is_kept_in_the_suggestion(tmp_path: Path) -> None:
    manifest = """\
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: {service.beta.kubernetes.io/alicloud-loadbalancer-specc: slb.s1.small}
"""
    [finding] = findings(tmp_path, "lb-annotation-unknown", manifest)
    assert finding.values["near"] == "service.beta.kubernetes.io/alicloud-loadbalancer-spec"


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        ("https:443,80:http", [("swapped", 11, 18, "http:80")]),
        ("https:443, http:80", [("blank", 11, 19, "http:80")]),
        ("https :443", [("blank", 1, 11, "https:443")]),
        ("https:443 ,http:80", [("blank-port", 1, 11, "https:443")]),
        ("https-443", [("default", 1, 10, "")]),
        ("https\uff1a443", [("default", 1, 10, "")]),
        ("https:443\uff0chttp:80", [("several", 1, 18, "")]),
        ("https:443,", [("empty", 0, 0, "")]),
        ("HTTPS:443,sctp:80,https:444", []),
    ],
)
def test_the_entry_of_protocol_port_is_pointed_at(
    tmp_path: Path, value: str, messages: list[tuple[str, int, int, str]]
) -> None:
    """Columns count from the opening quote; 0 stands for the whole value."""
    line = "    service.beta.kubernetes.io/alibaba-cloud-loadbalancer-protocol-port: "
    manifest = (
        f'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  annotations:\n{line}"{value}"\n'
        "spec:\n  type: LoadBalancer\n  ports: [{name: a, port: 443}, {name: b, port: 80}]\n"
    )
    found = findings(tmp_path, "lb-protocol-port-format", manifest)
    assert [
        (
            finding.message,
            finding.place.span.column - len(line) - 1 if finding.message != "empty" else 0,
            finding.place.span.end_column - len(line) - 1 if finding.message != "empty" else 0,
            finding.values["right"],
        )
        for finding in found
    ] == messages


def test_the_older_prefix_counts_only_where_the_newer_is_absent(tmp_path: Path) -> None:
    manifest = """\
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    service.beta.kubernetes.io/alibaba-cloud-loadbalancer-protocol-port: "https:443"
    service.beta.kubernetes.io/alicloud-loadbalancer-protocol-port: "443:https"
spec: {type: LoadBalancer, ports: [{port: 443}]}
"""
    assert findings(tmp_path, "lb-protocol-port-format", manifest) == []


def test_rules_of_alibaba_cloud_leave_other_clouds_alone(tmp_path: Path) -> None:
    """Also where all rules are asked for."""
    annotations = {
        "aws": "service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing",
        "azure": 'service.beta.kubernetes.io/azure-load-balancer-internal: "true"',
        "gke": "networking.gke.io/load-balancer-type: Internal",
        "tke": "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid: subnet-1",
        "huawei": "kubernetes.io/elb.class: union",
    }
    services = "---\n".join(
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n  annotations:\n    {annotation}\n"
        "spec:\n  type: LoadBalancer\n  externalTrafficPolicy: Local\n  loadBalancerIP: 203.0.113.10\n"
        "  ports: [{port: 443}]\n"
        for name, annotation in annotations.items()
    )
    client = LOCAL.split("---\n")[1]
    write(tmp_path, {"manifest.yaml": f"{services}---\n{client}"})
    assert [finding.rule for finding in lint(tmp_path, select=["loadbalancer"]).findings] == []


def test_the_nearest_service_and_the_ports_are_shown(tmp_path: Path) -> None:
    manifest = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules:
    - http:
        paths:
          - {path: /a, pathType: Prefix, backend: {service: {name: orderz, port: {number: 80}}}}
          - {path: /b, pathType: Prefix, backend: {service: {name: orders, port: {number: 8080}}}}
---
apiVersion: v1
kind: Service
metadata: {name: orders}
spec:
  ports:
    - {name: http, port: 80, targetPort: 8080}
    - {name: grpc, port: 9000}
"""
    first, second = findings(tmp_path, "ingress-backend-missing", manifest)
    assert (first.message, first.values["near"], first.related[0].place.span.line) == ("near", "orders", 13)
    assert (second.message, second.values["numbers"], second.related[0].place.span.line) == ("target", [80, 9000], 16)
    assert second.place.field.endswith("paths[1].backend.service.port.number")


def test_the_rule_written_for_the_dns_and_the_pods_are_shown(tmp_path: Path) -> None:
    manifest = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress:
    - to:
        - podSelector: {}
    - ports:
        - port: 53
---
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
"""
    [finding] = findings(tmp_path, "netpol-egress-without-dns", manifest)
    assert finding.message == "tcp"
    assert [(one.note, one.place.span.line) for one in finding.related] == [("rule", 10), ("workload", 17)]


def test_a_hidden_policy_may_allow_dns(tmp_path: Path) -> None:
    """A template that could not be read may hold the missing rule."""
    policy = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{to: [{podSelector: {}}]}]
"""
    assert len(findings(tmp_path, "netpol-egress-without-dns", policy)) == 1
    template = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n{{- if .Values.dns }}\nmetadata: {}\n{{- end }}\n"
    )
    write(tmp_path, {"dns.yaml": template})
    assert findings(tmp_path, "netpol-egress-without-dns", policy) == []


POLICY = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{}}}\nspec: {{podSelector: {{}}}}\n"


@pytest.mark.parametrize(
    ("profile", "count", "found"),
    [("cni: terway", 100, []), ("cni: terway", 101, ["p100"]), ("clusterType: serverless", 41, ["p40"])],
)
def test_how_many_policies_are_recommended(tmp_path: Path, profile: str, count: int, found: list[str]) -> None:
    manifest = "---\n".join(POLICY.format(number) for number in range(count))
    hits = findings(tmp_path, "netpol-too-many", manifest, profile)
    assert [one.resource.name for one in hits if one.resource] == found
