"""What the scheduling, component and cluster rules say: which label, taint, pool, component or range."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness import lint, write

POOLS = """
cluster:
  nodePools:
    - {name: web, labels: {group: web, disk: ssd}, arch: amd64, zones: [cn-hangzhou-i], taints: []}
    - name: data
      labels: {group: data}
      taints: [{key: dedicated, value: data, effect: NoSchedule}, {key: burst, effect: NoExecute}]
    - name: batch
      labels: {group: data}
      taints: [{key: dedicated, value: batch, effect: NoSchedule}]
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec:
  nodeSelector: {{{selector}}}
  containers: [{{name: web, image: "nginx:1.27"}}]
"""


def findings(folder: Path, rule: str, manifest: str, config: str = POOLS) -> list[Any]:
    write(folder, {"a.yaml": manifest, ".kubelint-ack.yaml": config})
    found = lint(folder).findings
    assert [one for one in found if one.rule == "rule-crash"] == []
    return [one for one in found if one.rule == rule]


@pytest.mark.parametrize(
    ("selector", "message", "field", "values"),
    [
        ("group: worker", "value", "group", {"pool": "web", "key": "group", "found": ["web"]}),
        ("group: web, gpu: a10", "absent", "gpu", {"pool": "web", "key": "gpu", "wanted": "gpu=a10,group=web"}),
        ("disk: essd, group: data", "absent", "disk", {"pool": "data", "key": "disk"}),
        ("disk: essd, group: worker, gpu: a10", "default", "disk", {"pool": "web"}),
        ("topology.kubernetes.io/zone: cn-hangzhou-k, group: web", "value", None, {"found": ["cn-hangzhou-i"]}),
        ("group: data", "taint", "group", {"pool": "batch", "taints": ["dedicated=batch:NoSchedule"]}),
    ],
)
def test_the_label_or_taint_and_the_nearest_pool(
    tmp_path: Path, selector: str, message: str, field: str | None, values: dict[str, Any]
) -> None:
    (found,) = findings(tmp_path, "node-selector-no-match", POD.format(selector=selector))
    assert (found.message, found.severity) == (message, "warning")
    assert values.items() <= found.values.items()
    if field:
        assert found.place.field == f"spec.nodeSelector.{field}"


def test_keys_that_only_look_like_the_clouds_are_judged(tmp_path: Path) -> None:
    """`stack.example.com/…` holds `ack.`, which begins keys of ACK."""
    assert findings(tmp_path, "node-selector-no-match", POD.format(selector="stack.example.com/tier: web"))
    assert not findings(tmp_path, "node-selector-no-match", POD.format(selector="ack.node.gpu.schedule: cgpu"))


def test_a_kubelet_name_for_the_same_fact(tmp_path: Path) -> None:
    assert findings(
        tmp_path, "node-selector-no-match", POD.format(selector="group: web, beta.kubernetes.io/arch: arm64")
    )
    assert not findings(
        tmp_path, "node-selector-no-match", POD.format(selector="group: web, beta.kubernetes.io/arch: amd64")
    )


def pod(selector: str, spec: str = "", metadata: str = "") -> str:
    text = POD.format(selector=selector).replace("{name: web}", f"{{name: web{metadata}}}", 1)
    return text.replace("spec:\n", f"spec:\n  {spec}\n") if spec else text


AFFINITY = "affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: {}}}}}}}"
VIRTUAL = "tolerations: [{key: virtual-kubelet.io/provider, operator: Exists}]"
ONE_POOL = "cluster: {{nodePools: [{{name: web, labels: {{{labels}}}, taints: [{taints}]}}], {more}}}\n"


@pytest.mark.parametrize(
    ("more", "manifest", "severity"),
    [
        # Virtual nodes: there, not there, not declared; asked for, or not.
        ("nodePoolsComplete: true, virtualNodes: true", pod("type: virtual-kubelet"), None),
        ("nodePoolsComplete: true, virtualNodes: true", pod("group: data"), "warning"),
        ("nodePoolsComplete: true", pod("type: virtual-kubelet"), "error"),
        ("virtualNodes: false", pod("type: virtual-kubelet"), "warning"),
        ("region: cn-beijing", pod("topology.kubernetes.io/region: cn-hangzhou"), "warning"),
        ("region: cn-beijing", pod("topology.kubernetes.io/region: cn-hangzhou", VIRTUAL), "warning"),
        ("virtualNodes: true", pod("alibabacloud.com/nodepool-id: np1", VIRTUAL), "warning"),
        ("region: a", pod("topology.kubernetes.io/zone: cn-hangzhou-k"), "warning"),
        ("region: a", pod("topology.kubernetes.io/zone: cn-hangzhou-k", VIRTUAL), None),
        ("virtualNodes: true", pod("topology.kubernetes.io/zone: cn-hangzhou-k"), "warning"),
        # What sends the pod elsewhere, and what does not.
        (
            "namespaces: [{name: a, labels: {alibabacloud.com/eci: 'true'}}]",
            pod("disk: hdd", "", ", namespace: b"),
            "warning",
        ),
        ("namespaces: [{name: a}]", pod("disk: hdd", "", ", namespace: a"), "warning"),
        ("region: a", pod("disk: hdd", "", ", annotations: {alibabacloud.com/burst-resource: eci}"), None),
        ("region: a", pod("disk: hdd", "", ", labels: {alibabacloud.com/acs: 'true'}"), None),
        # Values that are filled in later, or are no choice among pools.
        ("region: a", pod("group: <group>"), None),
        ("region: a", pod("group: xxx-group"), None),
        ("region: a", pod('group: "web-****"'), None),
        ("region: a", pod("group: ${GROUP}"), None),
        ("region: a", pod("group: "), "warning"),
        ("region: a", pod("kubernetes.io/hostname: b"), None),
        ("region: a", pod("", AFFINITY.format("[{}]")), None),
        (
            "region: a",
            pod("", AFFINITY.format("[{matchFields: [{key: metadata.name, operator: In, values: [b]}]}]")),
            None,
        ),
    ],
)
def test_when_a_selector_is_judged(tmp_path: Path, more: str, manifest: str, severity: str | None) -> None:
    labels = (
        "group: web, kubernetes.io/hostname: a, topology.kubernetes.io/zone: cn-hangzhou-i, "
        "alibabacloud.com/nodepool-id: np0"
    )
    config = ONE_POOL.format(labels=labels, taints="", more=more)
    found = findings(tmp_path, "node-selector-no-match", manifest, config)
    assert [one.severity for one in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("taint", "refused"),
    [
        ("{key: a, effect: NoExecute}", True),
        ("{key: a, effect: PreferNoSchedule}", False),
        ("{key: node.kubernetes.io/unschedulable, effect: NoSchedule}", False),
    ],
)
def test_which_taints_keep_pods_away(tmp_path: Path, taint: str, refused: bool) -> None:
    config = ONE_POOL.format(labels="group: web", taints=taint, more="region: a")
    assert bool(findings(tmp_path, "node-selector-no-match", pod("group: web"), config)) is refused
    unknown = AFFINITY.format("[{matchFields: [{key: metadata.name, operator: In, values: [b]}]}]")
    assert not findings(tmp_path, "node-selector-no-match", pod("", unknown), config)


def test_no_declared_pool_says_nothing(tmp_path: Path) -> None:
    assert not findings(tmp_path, "node-selector-no-match", pod("group: web"), "cluster: {nodePools: []}\n")


def test_requirements_are_written_as_kubectl_does(tmp_path: Path) -> None:
    expressions = ("a, operator: In, values: [u, v]", "b, operator: In, values: [z]", "c, operator: Exists")
    terms = "[{matchExpressions: [" + ", ".join(f"{{key: {one}}}" for one in expressions) + "]}]"
    (found,) = findings(tmp_path, "node-selector-no-match", pod("", AFFINITY.format(terms)))
    assert found.values["wanted"] == found.values["missing"] == "a in (u,v),b=z,c"


def test_missing_keys_are_listed(tmp_path: Path) -> None:
    config = "rules: {node-selector-required: {keys: [group, disk, zone]}}\n"
    (found,) = findings(tmp_path, "node-selector-required", POD.format(selector="disk: ssd"), config)
    assert found.values == {"kind": "Pod", "workload": "web", "missing": ["group", "zone"]}
    assert found.place.field == "spec.nodeSelector"


def test_a_choice_that_is_rendered_later_is_not_missing(tmp_path: Path) -> None:
    config = "rules: {node-selector-required: {keys: [group]}}\n"
    text = POD.format(selector="").replace("nodeSelector: {}", "nodeSelector: ${SELECTOR}")
    assert not findings(tmp_path, "node-selector-required", text, config)
    assert not findings(tmp_path, "node-selector-required", pod("", AFFINITY.format("'${TERMS}'")), config)
    assert not findings(tmp_path, "node-selector-required", pod("", "affinity: ${AFFINITY}"), config)
    nameless = POD.format(selector="").replace("{name: web}", "{generateName: web-}", 1)
    (found,) = findings(tmp_path, "node-selector-required", nameless, config)
    assert found.values["workload"] == "?"


def test_what_the_value_was_read_as(tmp_path: Path) -> None:
    terms = AFFINITY.format("[{matchExpressions: [{operator: In, values: [7, null]}]}]")
    found = findings(tmp_path, "node-selector-not-string", pod("a: on, b: 1.5, c: {}", terms))
    assert (found.pop(0).values) == {"key": "?", "value": 7}
    assert [(one.message, one.values["key"], one.values["value"]) for one in found] == [
        ("boolean", "a", True),
        ("number", "b", 1.5),
        ("structure", "c", ""),
    ]


# --- components


def test_of_components_that_would_do_the_one_that_stays_is_named(tmp_path: Path) -> None:
    pod = POD.format(selector="").replace(
        'image: "nginx:1.27"', 'image: "nginx:1.27", env: [{name: aliyun_logs_web, value: stdout}]'
    )
    (found,) = findings(tmp_path, "missing-cluster-component", pod, 'cluster: {components: {csi-plugin: "*"}}\n')
    assert (found.message, found.values["component"]) == ("default", "loongcollector")


@pytest.mark.parametrize(
    ("annotation", "message", "values"),
    [
        ("armsPilotAutoEnable", "successor", {"component": "arms-pilot", "successor": "ack-onepilot"}),
        ("ahasPilotAutoEnable", "ended", {"component": "ack-ahas-sentinel-pilot"}),
    ],
)
def test_a_component_that_was_given_up(tmp_path: Path, annotation: str, message: str, values: dict[str, str]) -> None:
    pod = POD.format(selector="").replace("{name: web}", f'{{name: web, annotations: {{{annotation}: "on"}}}}', 1)
    (found,) = findings(tmp_path, "missing-cluster-component", pod, 'cluster: {components: {csi-plugin: "*"}}\n')
    assert found.message == message
    assert values.items() <= found.values.items()


# --- address ranges


def test_each_range_has_its_words_and_its_place(tmp_path: Path) -> None:
    config = """
cluster:
  vpcCIDRs: [192.168.0.0/16, 10.0.0.0/8]
  vSwitches: [{id: vsw-a}, {cidr: 10.8.0.0/24}]
  podVSwitches: [{cidr: 10.9.0.0/24}]
  podCIDR: 10.10.0.0/16
  serviceCIDR: 10.8.0.0/14
  peerCIDRs: [10.11.0.0/16]
"""
    found = findings(tmp_path, "cidr-overlap-service", "", config)
    assert {(one.message, one.severity, one.values["other"], one.related[0].place.field) for one in found} == {
        ("vswitch", "error", "10.8.0.0/24", "vSwitches[1].cidr"),
        ("pod-vswitch", "error", "10.9.0.0/24", "podVSwitches[0].cidr"),
        ("pod", "error", "10.10.0.0/16", "podCIDR"),
        ("peer", "warning", "10.11.0.0/16", "peerCIDRs[0]"),
    }
    (found,) = findings(tmp_path, "cidr-overlap-pod", "", config)
    assert (found.message, found.place.field) == ("vpc", "podCIDR")
    assert found.related[0].place.field == "vpcCIDRs[1]"
