"""Names of Services in strings: how they are taken apart, where they are found, and what answers them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubelint_ack.queries.dns import ClusterName, cluster_name
from tests.harness import lint, write


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("web.shop.svc", ClusterName(None, "web", "shop", "")),
        ("Web.Shop.SVC.cluster.local.", ClusterName(None, "web", "shop", "cluster.local")),
        ("db-0.db.shop.svc", ClusterName("db-0", "db", "shop", "")),
        ("web.shop.svc.k8s.example", ClusterName(None, "web", "shop", "k8s.example")),
        ("web.svc.cluster.local", ClusterName(None, "web", "", "cluster.local")),
        ("svc.cluster.local", None),
        ("web.shop", None),
        ("a.b.c.d.svc", None),
        ("web.shop.svc-a", None),
        ("web_a.shop.svc", None),
        ("", None),
    ],
)
def test_taking_a_name_apart(host: str, expected: ClusterName | None) -> None:
    assert cluster_name(host) == expected


SHOP = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1.0"}]}
"""
CLIENT = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: client, namespace: shop}
data:
  %s: |
    %s
"""


def answers(folder: Path, text: str, *, key: str = "hosts", further: str = "", config: str = "") -> list[str]:
    """The wordings of what is found about the names in a ConfigMap."""
    write(folder, {"a.yaml": SHOP + CLIENT % (key, text) + further, ".kubelint-ack.yaml": config or "{}\n"})
    found = lint(folder, select=["dns-service-ref-unresolved"]).findings
    return [f"{finding.severity} {finding.message}" for finding in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://web.shop.svc:80/x", []),
        ("web.shop.svc.cluster.local", []),
        ("wbe.shop.svc", ["warning near"]),
        ("mail.shop.svc", ["info default"]),
        ("mail.elsewhere.svc", []),
        ("web.elsewhere.svc", []),
        ("web.svc.cluster.local", ["warning no-namespace"]),
        ("shop.svc.cluster.local", []),
        ("web.shop.svc.cluster", ["warning domain"]),
        ("web.shop.svc.example.com", []),
        ("db-0.db,db-1.db.shop", []),
        ("db-2.db", ["warning ordinal"]),
        ("db-2.db.shop.svc.cluster.local", ["warning ordinal"]),
        ("database-0.db.shop.svc", ["warning pod"]),
        ("metrics-server.kube-system.svc", []),
        ("kubernetes.default.svc", []),
        ("$(NAME).shop.svc %s.shop.svc *.shop.svc", []),
        ("<host>wbe.shop.svc</host>", ["warning near"]),
        ("web.shop.svc${SUFFIX} ${PREFIX}web.shop.svcs.svc", []),
        ("# http://wbe.shop.svc", []),
        ("// wbe.shop.svc", []),
        ("x: 1 # fallback http://wbe.shop.svc", ["warning near"]),
    ],
)
def test_what_answers(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert answers(tmp_path, text) == expected


def test_lists_of_exceptions_are_no_calls(tmp_path: Path) -> None:
    for key in ("NO_PROXY", "allowlist", "trusted-hosts", "tls.sans"):
        assert answers(tmp_path, "wbe.shop.svc", key=key) == []


def test_a_complete_input_makes_it_sure(tmp_path: Path) -> None:
    assert answers(tmp_path, "mail.shop.svc", config="complete: true\n") == ["warning default"]
    assert answers(tmp_path, "mail.elsewhere.svc", config="complete: [Service]\n") == ["warning default"]


def test_what_an_autoscaler_decides_is_not_counted(tmp_path: Path) -> None:
    scaler = """\
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: db, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: db}
  maxReplicas: 5
"""
    assert answers(tmp_path, "db-4.db", further=scaler) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("http://10.32.1.2/", 1),
        ("10.32.1.2/16", 0),
        ("10.32.0.0/16", 0),
        ("10.32.1.2/path", 1),
        ("10.32.1.2.3", 0),
        ("# 10.32.1.2", 0),
    ],
)
def test_addresses_and_networks(tmp_path: Path, text: str, found: int) -> None:
    config = "cluster: {serviceCIDR: 10.32.0.0/16}\n"
    write(tmp_path, {"a.yaml": CLIENT.removeprefix("---\n") % ("hosts", text), ".kubelint-ack.yaml": config})
    assert len(lint(tmp_path, select=["hardcoded-cluster-address"]).findings) == found


def alias(name: str, target: str) -> str:
    return (
        f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\n"
        f"spec: {{type: ExternalName, externalName: {target}.shop.svc.cluster.local}}\n"
    )


def test_aliases_that_lead_to_each_other(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": alias("a", "b") + alias("b", "c") + alias("c", "a") + alias("d", "a")})
    found = lint(tmp_path, select=["externalname-loop"]).findings
    # Who only leads into the loop is not in it.
    assert [(finding.place.span.line, finding.severity) for finding in found] == [(5, "error")]
    write(tmp_path, {"a.yaml": alias("a", "a")})
    assert [finding.message for finding in lint(tmp_path, select=["externalname-loop"]).findings] == ["default"]


def test_other_directories_may_be_other_clusters(tmp_path: Path) -> None:
    write(tmp_path, {"one/a.yaml": alias("a", "b"), "two/b.yaml": alias("b", "a")})
    assert {finding.severity for finding in lint(tmp_path, select=["externalname-loop"]).findings} <= {"warning"}
