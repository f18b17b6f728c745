"""The profile made from dumps of kubectl: small hand-made clusters in `data/dumps`, and hostile data."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubelint_ack.data import read_data
from kubelint_ack.discover import Discovery, components, discover, render
from kubelint_ack.profile import profile, unmet

DUMPS = Path(__file__).parent / "data" / "dumps"
SCHEMA = json.loads(read_data("schemas/profile.schema.json"))
VALID = jsonschema.Draft202012Validator(SCHEMA)


def load(name: str) -> Any:
    text = (DUMPS / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else list(yaml.safe_load_all(text))


def flannel() -> Discovery:
    return discover([load("flannel.json")])


def terway() -> Discovery:
    return discover([load("terway.json"), load("terway-configmaps.json")])


def virtual() -> Discovery:
    return discover([load("virtual.yaml")])


def pools(found: Discovery) -> dict[str, Any]:
    return {pool["name"]: pool for pool in found.cluster["nodePools"]}


# --- a Flannel cluster


def test_flannel_cluster() -> None:
    cluster = flannel().cluster
    assert cluster["provider"] == "ack"
    assert cluster["kubernetesVersion"] == "1.31"  # of kubelets 1.32.1 and 1.31.9
    assert cluster["region"] == "cn-hangzhou"
    assert cluster["zones"] == ["cn-hangzhou-i", "cn-hangzhou-j"]
    assert cluster["cni"] == "flannel"
    assert cluster["nodePodMask"] == 26
    assert cluster["storagePlugin"] == "csi"
    assert cluster["ingressControllers"] == ["nginx"]
    for unseen in ("terway", "kubeProxyMode", "serviceBackendType", "clusterType", "virtualNodes", "nodeLocalDNS"):
        assert unseen not in cluster


def test_flannel_node_pools() -> None:
    found = pools(flannel())
    assert list(found) == ["np-arm", "np-web"]
    web = found["np-web"]
    assert web["labels"] == {  # not canary, on one node only; not the zone, which differs; no hostname, no instance id
        "ack.aliyun.com": "c0ffee",
        "alibabacloud.com/nodepool-id": "np-web",
        "group": "web",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/region": "cn-hangzhou",
    }
    assert web["taints"] == []  # a cordoned node is no property of the pool
    assert web["zones"] == ["cn-hangzhou-i", "cn-hangzhou-j"]
    assert (web["os"], web["arch"], web["count"]) == ("linux", "amd64", 2)
    assert web["allocatable"] == {"cpu": "3900m", "memory": "9Gi", "pods": "64"}  # 3900m < 4, 9Gi < 14Gi
    assert found["np-arm"]["arch"] == "arm64"
    assert found["np-arm"]["labels"]["topology.kubernetes.io/zone"] == "cn-hangzhou-i"
    assert flannel().cluster["nodePoolsComplete"] is False


def test_component_versions_come_from_the_component_s_own_image() -> None:
    cluster = flannel().cluster
    assert cluster["components"] == {
        "coredns": "1.11.3.5",
        "csi-plugin": "1.33.4",
        "csi-provisioner": "1.33.4",  # not 3.5.0, the version of the community sidecar
        "flannel": "0.15.1.23",
        "kube-proxy": "1.32.1",
        "nginx-ingress-controller": "1.11.5",
    }
    assert cluster["componentsComplete"] is False


def test_classes_are_listed_whole() -> None:
    cluster = flannel().cluster
    assert cluster["storageClasses"] == [
        {
            "name": "alicloud-disk-essd",
            "provisioner": "diskplugin.csi.alibabacloud.com",
            "volumeBindingMode": "Immediate",
            "reclaimPolicy": "Delete",
            "allowVolumeExpansion": True,
            "default": False,
            "parameters": {"type": "cloud_essd"},
        },
        {
            "name": "alicloud-nas",
            "provisioner": "nasplugin.csi.alibabacloud.com",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Retain",
            "default": True,
            "parameters": {"server": "0abc.cn-hangzhou.nas.aliyuncs.com:/"},
        },
    ]
    assert cluster["ingressClasses"] == [{"name": "nginx", "controller": "k8s.io/ingress-nginx", "default": True}]


# --- a Terway cluster


def test_terway_cluster() -> None:
    cluster = terway().cluster
    assert cluster["cni"] == "terway"
    assert cluster["terway"] == {
        "version": "1.9.0",
        "mode": "shared-eni",
        "dataPath": "datapathv2",
        "networkPolicy": True,  # disable_network_policy: "false"
        "inClusterLoadBalance": True,
    }
    assert cluster["kubeProxyMode"] == "ipvs"
    assert cluster["nodeLocalDNS"] is True
    assert cluster["clusterDomain"] == "shop.local"
    assert cluster["podVSwitches"] == [
        {"id": "vsw-1", "zone": "cn-beijing-h"},
        {"id": "vsw-2", "zone": "cn-beijing-l"},
        {"id": "vsw-3", "zone": "cn-beijing-h"},
    ]
    assert cluster["storagePlugin"] == "both"
    assert cluster["ingressControllers"] == ["alb", "apig", "other"]
    assert cluster["acrCredentialHelper"] == {
        "watchNamespaces": ["default", "shop"],
        "serviceAccounts": ["*"],
        "instances": [
            {"instanceId": "cri-abc", "region": "cn-beijing", "domains": ["a.example.com", "b.example.com"]},
            {"region": "cn-hangzhou"},
        ],
    }
    assert "nodePodMask" not in cluster


def test_exclusive_pools_keep_their_label_and_are_named_in_the_source() -> None:
    found = terway()
    assert pools(found)["np-eni"]["labels"]["k8s.aliyun.com/exclusive-mode-eni-type"] == "eniOnly"
    assert (
        "1 of 3 nodes have the label k8s.aliyun.com/exclusive-mode-eni-type=eniOnly" in found.sources["terway", "mode"]
    )


def test_empty_typed_lists_say_that_there_is_none() -> None:
    assert terway().cluster["storageClasses"] == []
    assert "storageClasses" not in virtual().cluster
    assert not any("StorageClass" in note for note in terway().notes)
    assert any("StorageClass" in note for note in virtual().notes)


def test_without_config_maps_their_settings_stay_out() -> None:
    cluster = discover([load("terway.json")]).cluster
    assert cluster["terway"] == {"version": "1.9.0", "mode": "shared-eni"}
    for key in ("kubeProxyMode", "clusterDomain", "podVSwitches", "acrCredentialHelper"):
        assert key not in cluster


def test_config_map_alone_proves_terway() -> None:
    cluster = discover([load("terway-configmaps.json")]).cluster
    assert cluster["cni"] == "terway"
    assert "mode" not in cluster["terway"]


@pytest.mark.parametrize(
    ("name", "args", "labels", "mode"),
    [
        ("terway-eniip", ["-daemon-mode", "ENIMultiIP"], {}, "shared-eni"),
        ("terway-eniip", [], {}, "shared-eni"),
        (
            "terway-eniip",
            ["-daemon-mode=ENIMultiIP"],
            {"k8s.aliyun.com/exclusive-mode-eni-type": "eniOnly"},
            "exclusive-eni",
        ),
        ("terway-eniip", [], {"k8s.aliyun.com/exclusive-mode-eni-type": "shared"}, "shared-eni"),
        ("terway-eni", ["--daemon-mode", "ENIOnly"], {}, "exclusive-eni"),
        ("terway", ["-daemon-mode", "VPC"], {}, "vpc"),
        ("terway", [], {}, None),
        ("terway", ["-daemon-mode"], {}, None),
        ("terway-eniip", ["-daemon-mode", "Future"], {}, "shared-eni"),
    ],
)
def test_terway_mode(name: str, args: list[str], labels: dict[str, str], mode: str | None) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "labels": labels}, "spec": {}}
    cluster = discover([workload("DaemonSet", name, "x/terway:v1.10.1", args=args), node]).cluster
    assert cluster["cni"] == "terway"
    assert cluster["terway"].get("mode") == mode


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"disable_network_policy": "false"}, {"networkPolicy": True}),
        ({"disable_network_policy": "0"}, {"networkPolicy": True}),
        ({"disable_network_policy": ""}, {"networkPolicy": True}),
        ({"disable_network_policy": "true"}, {"networkPolicy": False}),
        ({"disable_network_policy": "1"}, {"networkPolicy": False}),
        ({"in_cluster_loadbalance": "false"}, {"inClusterLoadBalance": False}),
        ({"in_cluster_loadbalance": "maybe"}, {}),
        ({"10-terway.conf": '{"eniip_virtual_type": "IPVlan"}'}, {"dataPath": "ipvlan"}),
        ({"10-terway.conf": '{"eniip_virtual_type": "Veth"}'}, {"dataPath": "veth"}),
        ({"10-terway.conf": '{"type": "terway"}'}, {}),
        ({"10-terway.conf": '{"eniip_virtual_type": "IPVlan" <- here}'}, {}),
        ({"10-terway.conflist": '{"plugins": [{"eniip_virtual_type": "datapathv2"}]}'}, {"dataPath": "datapathv2"}),
        ({}, {}),
    ],
)
def test_eni_config(data: dict[str, str], expected: dict[str, Any]) -> None:
    assert discover([config_map("eni-config", data)]).cluster.get("terway", {}) == expected


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("mode: ipvs\n", "ipvs"),
        ('ipvs:\n  scheduler: rr\nmode: "iptables"  # chosen\n', "iptables"),
        ("mode: nftables\r\n", "nftables"),
        ('mode: ""\n', None),
        ("other:\n  mode: ipvs\n", None),
        ("#mode: ipvs\n", None),
    ],
)
def test_kube_proxy_mode(text: str, mode: str | None) -> None:
    assert discover([config_map("kube-proxy-worker", {"config.conf": text})]).cluster.get("kubeProxyMode") == mode


# --- tainted and virtual nodes


def test_tainted_and_virtual_nodes() -> None:
    found = virtual()
    assert found.cluster["provider"] == "ack"  # by the nodes' providerID
    assert found.cluster["kubernetesVersion"] == "1.33"  # the virtual node's 1.22 says nothing about the API server
    assert found.cluster["virtualNodes"] is True
    assert found.cluster["zones"] == ["cn-shanghai-g", "cn-shanghai-l"]
    gpu, windows, other = found.cluster["nodePools"]
    assert [gpu["name"], windows["name"], other["name"]] == ["pool-1", "pool-2", "pool-3"]
    assert gpu["taints"] == [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]
    assert gpu["labels"] == {
        "accelerator": "a10",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": "cn-shanghai",
        "topology.kubernetes.io/zone": "cn-shanghai-g",
    }
    assert gpu["allocatable"] == {"cpu": "7900m", "memory": "30Gi", "nvidia.com/gpu": "1"}
    assert gpu["count"] == 2
    assert (windows["os"], windows["count"]) == ("windows", 1)
    assert "zones" not in windows
    assert other["labels"]["type"] == "virtual-kubelet"
    assert other["taints"] == [{"key": "virtual-kubelet.io/provider", "value": "alibabacloud", "effect": "NoSchedule"}]


def test_virtual_node_of_a_pool_is_a_pool_of_its_own() -> None:
    """Otherwise neither kind of node would keep its labels and taints."""
    labels = {"alibabacloud.com/nodepool-id": "np-1"}
    found = pools(discover([node("a", labels), node("v", {**labels, "type": "virtual-kubelet"})]))
    assert {name: pool["count"] for name, pool in found.items()} == {"np-1": 1, "np-1-virtual": 1}


def test_image_tag_without_a_number_is_some_version() -> None:
    assert virtual().cluster["components"] == {"kube-flannel-ds-windows": "*"}


# --- what is not told


def test_two_plug_ins_tell_nothing() -> None:
    found = discover([load("flannel.json"), load("terway.json")])
    assert "cni" not in found.cluster
    assert "terway" not in found.cluster
    assert "nodePodMask" not in found.cluster
    assert any("Both network plug-ins" in note for note in found.notes)
    assert any("several regions: cn-beijing, cn-hangzhou" in note for note in found.notes)
    assert "region" not in found.cluster


@pytest.mark.parametrize(
    ("labels", "version", "provider_id", "provider"),
    [
        ({"alibabacloud.com/nodepool-id": "np"}, "v1.33.1", "", "ack"),
        ({}, "v1.33.1-aliyun.1", "", "ack"),
        ({}, "v1.33.1", "cn-hangzhou.i-bp1", "ack"),
        ({}, "v1.33.1", "alicloud://cn-hangzhou.i-bp1", "ack"),
        ({}, "v1.33.1-eks-1a2b3c", "aws:///eu-west-1a/i-0abc", "eks"),
        ({}, "v1.33.1-gke.100", "gce://project/zone/node", "gke"),
        ({"kubernetes.azure.com/cluster": "x"}, "v1.33.1", "azure:///subscriptions/x", "aks"),
        ({}, "v1.33.1", "kind://docker/kind/node", None),
        ({}, "v1.33.1", "aws:///eu-west-1a/i-0abc", None),
    ],
)
def test_provider(labels: dict[str, str], version: str, provider_id: str, provider: str | None) -> None:
    assert discover([node("n", labels, version, provider_id)]).cluster.get("provider") == provider


@pytest.mark.parametrize(
    ("labels", "cluster_type"),
    [
        ({"alibabacloud.com/nodepool-id": "np"}, None),
        ({"alibabacloud.com/nodepool-id": "np", "node-role.kubernetes.io/control-plane": ""}, "dedicated"),
        ({"alibabacloud.com/nodepool-id": "np", "node-role.kubernetes.io/master": ""}, "dedicated"),
        ({"node-role.kubernetes.io/control-plane": ""}, None),  # not ACK's
        (
            {
                "alibabacloud.com/nodepool-id": "np",
                "alibabacloud.com/external": "true",  # a registered cluster
                "node-role.kubernetes.io/control-plane": "",
            },
            None,
        ),
    ],
)
def test_cluster_type(labels: dict[str, str], cluster_type: str | None) -> None:
    assert discover([node("n", labels)]).cluster.get("clusterType") == cluster_type


def test_kinds_of_other_groups_are_not_taken_for_these() -> None:
    """Terway's own CRD is a Node too."""
    foreign = {
        "apiVersion": "network.alibabacloud.com/v1beta1",
        "kind": "Node",
        "metadata": {"name": "n", "labels": {}},
    }
    assert discover([foreign]).cluster == {}


def test_masks_that_differ_or_lie_outside_stay_out() -> None:
    daemon = workload("DaemonSet", "kube-flannel-ds", "x/flannel:v0.15.1")
    for pods in (["10.0.0.0/24", "10.0.1.0/25"], ["10.0.0.0/29"], ["fd00::/64"], ["10.0.0.0"], [None]):
        nodes = [
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"n{index}"}, "spec": {"podCIDR": text}}
            for index, text in enumerate(pods)
        ]
        assert "nodePodMask" not in discover([daemon, *nodes]).cluster, pods


def test_allocatable_that_not_every_node_has_stays_out() -> None:
    one, two = node("a", {"p": "x"}), node("b", {"p": "x"})
    one["status"]["allocatable"] = {"cpu": "4", "pods": "64", "nvidia.com/gpu": "1", "hugepages-2Mi": "0"}
    two["status"]["allocatable"] = {"cpu": "3.5", "hugepages-2Mi": "0", "pods": "many", "memory": "1Gi"}
    assert discover([one, two]).cluster["nodePools"][0]["allocatable"] == {"cpu": "3.5"}


def test_what_names_one_node_is_no_label_of_its_pool() -> None:
    own = {
        "kubernetes.io/hostname": "other-than-the-name",
        "alibabacloud.com/ecs-instance-id": "i-1",
        "example.com/node": "n",
        "example.com/instance": "i-2",
        "group": "web",
    }
    assert discover([node("n", own, provider_id="cn-hangzhou.i-2")]).cluster["nodePools"][0]["labels"] == {
        "group": "web"
    }


def test_taints_of_a_node_s_state_are_no_taints_of_its_pool() -> None:
    one = node("n", {})
    one["spec"]["taints"] = [
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"},
        {"key": "node.cloudprovider.kubernetes.io/uninitialized", "value": "true", "effect": "NoSchedule"},
        {"key": "dedicated", "effect": "NoSchedule"},
        {"key": "dedicated", "effect": "Never"},
    ]
    assert discover([one]).cluster["nodePools"][0]["taints"] == [{"key": "dedicated", "effect": "NoSchedule"}]


def test_no_text_of_a_dump_ends_a_comment() -> None:
    """YAML 1.1 takes U+2028 and U+0085 for line breaks too."""
    for end in ("\n", "\u2028", "\x85"):
        assert discover([node(f"n{end}", {})]).cluster == {}
        found = discover([node("n", {"alibabacloud.com/nodepool-id": f"np{end}cni: flannel"})])
        assert list(pools(found)) == ["pool-1"]
        assert yaml.safe_load(render(found)) == found.cluster
        found = discover([node("n", {"a": f"b{end}c: d"}, version=f"v1.33.1-aliyun{end}cni: flannel")])
        assert yaml.safe_load(render(found)) == found.cluster
        assert set(found.cluster) == {"nodePools", "nodePoolsComplete"}


def test_nothing_secret_is_written() -> None:
    """The dumps hold a Secret, credentials in ConfigMaps and in a StorageClass, and an application's ConfigMap."""
    dumps = [load("flannel.json"), load("terway.json"), load("terway-configmaps.json")]
    assert json.dumps(dumps).count("do-not-print") == 5
    found = discover(dumps)
    assert "do-not-print" not in repr(found)
    assert "do-not-print" not in render(found)


# --- the order and form of the input


def test_order_and_repetition_of_the_dumps_do_not_matter() -> None:
    dumps = [load("terway.json"), load("terway-configmaps.json"), load("virtual.yaml")]
    items = load("flannel.json")["items"]
    assert discover(dumps) == discover([*reversed(dumps), dumps[0]])
    assert discover([items]).cluster == discover([{"apiVersion": "v1", "kind": "List", "items": items[::-1]}]).cluster


def test_profile_of_each_dump() -> None:
    """What is found is a valid profile, its keys in the schema's order, each line with a source."""
    for found in (flannel(), terway(), virtual(), discover([])):
        assert list(VALID.iter_errors(found.cluster)) == []
        assert list(found.cluster) == [key for key in SCHEMA["properties"] if key in found.cluster]
        for key, value in found.cluster.items():
            assert found.sources[key,]
            if key == "terway":
                assert all(found.sources[key, inner] for inner in value)
        for index, pool in enumerate(found.cluster.get("nodePools", ())):
            assert all(found.sources["nodePools", index, key] for key in pool)
        for name in found.cluster.get("components", ()):
            assert found.sources["components", name]


def test_found_profile_meets_needs() -> None:
    read = profile(terway().cluster)
    assert unmet(read, ["cni", "terway.dataPath", "kubeProxyMode", "serviceBackendType", "nodePools"]) == []
    assert read.is_ack


# --- YAML


@pytest.mark.parametrize("under", ["", "cluster"])
@pytest.mark.parametrize(
    "found", [flannel(), terway(), virtual(), discover([])], ids=["flannel", "terway", "virtual", "empty"]
)
def test_yaml_reads_back(found: Discovery, under: str) -> None:
    text = render(found, under=under)
    read = yaml.safe_load(text)
    assert read == ({under: found.cluster} if under else found.cluster)


def test_each_line_names_its_source() -> None:
    lines = render(terway()).splitlines()
    assert "  mode: shared-eni # -daemon-mode of DaemonSet kube-system/terway-eniip; 1 of 3 nodes" in "\n".join(lines)
    assert "kubeProxyMode: ipvs # ConfigMap kube-system/kube-proxy-worker, config.conf: mode" in lines
    assert '  csi-plugin: "1.33.4" # DaemonSet kube-system/csi-plugin, image tag v1.33.4-921e63a-aliyun' in lines
    for line in lines:
        if line and not line.startswith((" ", "#")):
            assert " # " in line, line


def test_words_that_yaml_reads_as_something_else_are_quoted() -> None:
    labels = {"on": "off", "a": "1.30", "b": "0777", "c": "", "d": "null", "e": "a: b # c", "f": "12:30", "g": "是"}
    found = discover([node("n", labels)])
    assert yaml.safe_load(render(found))["nodePools"][0]["labels"] == labels


# --- hostile data


def workload(kind: str, name: str, image: str, *, args: list[Any] | None = None) -> dict[str, Any]:
    container = {"name": "c", "image": image, "args": args or []}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def node(name: str, labels: dict[str, str], version: str = "v1.33.1", provider_id: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"providerID": provider_id},
        "status": {"nodeInfo": {"kubeletVersion": version}},
    }


def config_map(name: str, data: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "kube-system"},
        "data": data,
    }


def sound(found: Discovery) -> None:
    """It is a valid profile, and what is written reads back as the same."""
    assert list(VALID.iter_errors(found.cluster)) == []
    text = render(found)
    assert yaml.safe_load(text) == found.cluster
    text.encode()


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=3))
@settings(max_examples=40, deadline=None)
def test_any_json_is_harmless(dumps: list[Any]) -> None:
    sound(discover(dumps))


def places(data: Any, route: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [route, *(found for key, value in inner for found in places(value, (*route, key)))]


WHOLE_DUMP = [load("flannel.json"), load("terway.json"), load("terway-configmaps.json"), load("virtual.yaml")]
PLACES = places(WHOLE_DUMP)[1:]
HOSTILE = st.sampled_from(
    [
        "",
        " ",
        "\n",
        "a\nb: c",
        "# x",
        "\x00",
        "\ud800",
        "\u2028",
        "yes",
        "1e3",
        "{",
        "[[",
        "- *a",
        "v1.2.3",
        "🙂",
        "x" * 300,
    ]
)


@given(st.lists(st.tuples(st.sampled_from(PLACES), HOSTILE | JSON), min_size=1, max_size=6), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_real_dumps_with_anything_in_them_are_harmless(
    changes: list[tuple[tuple[Any, ...], Any]], as_key: bool
) -> None:
    """Values, and keys, of the test clusters are replaced at random places."""
    dumps: Any = copy.deepcopy(WHOLE_DUMP)
    for (*way, last), value in changes:
        target = dumps
        with suppress(KeyError, IndexError, TypeError):  # an earlier change has taken the place away
            for step in way:
                target = target[step]
            if as_key and isinstance(target, dict) and isinstance(value, str):
                target[value] = target.pop(last)
            else:
                target[last] = value
    sound(discover(dumps))


@pytest.mark.parametrize(
    "data",
    [
        {"10-terway.conf": "[" * 100_000, "eni_conf": "[" * 100_000},
        {"eni_conf": '{"vswitches": {"cn-beijing-l": "vsw-1", "Zone!": ["vsw-2", 3, null, "vsw-\\n"]}}'},
        {"eni_conf": "1" * 5000},
        {"10-terway.conf": '{"plugins": {"eniip_virtual_type": "veth"}}'},
        ["disable_network_policy"],
        "false",
    ],
)
def test_hostile_eni_config(data: Any) -> None:
    sound(discover([config_map("eni-config", data)]))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 500,
        "&a [*a]",
        "{a: &a [*a, *a]}",
        "- !!python/object/apply:os.system [ls]",
        "- {instanceId: [1], domains: 3}",
        "\x00",
        "- 2024-99-99",
    ],
)
def test_hostile_registry_info(text: str) -> None:
    found = discover([config_map("acr-configuration", {"acr-registry-info": text})])
    assert "acrCredentialHelper" not in found.cluster
    sound(found)


# --- the catalogue

CATALOGUE = json.loads(read_data("schemas/ack/components.json"))


def test_catalogue_is_valid() -> None:
    schema = json.loads(read_data("schemas/ack/components.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(CATALOGUE)) == []
    broken = copy.deepcopy(CATALOGUE)
    broken["components"]["flannel"]["kind"] = "DaemonSet"
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(broken))


def test_catalogue_names_only_what_it_has() -> None:
    entries = components()
    assert entries == CATALOGUE["components"]
    used = set()
    aliases: list[str] = []
    for name, entry in entries.items():
        used.update(entry["sources"])
        aliases += entry.get("aliases", [])
        for other in [*entry.get("alternatives", []), *([entry["successor"]] if "successor" in entry else [])]:
            assert other in entries, (name, other)
        if "ingress_controller" in entry:
            assert entry["needed_by"]["ingress_class_controllers"]
    assert used == set(CATALOGUE["sources"])
    assert len(aliases) == len(set(aliases))
    assert not set(aliases) & set(entries)


def test_every_component_with_workloads_is_recognised() -> None:
    """By the names that the catalogue gives, with a tag on its preferred image; and no component by another's."""
    for name, entry in components().items():
        for pattern in entry.get("workloads", ()):
            image = entry.get("images", [name])[0].replace("*", "")
            made = workload(
                pattern["kind"], pattern["name"].replace("*", ""), f"r.example.com/acs/{image}:v4.5.6-abc-aliyun"
            )
            assert discover([made]).cluster["components"] == {name: "4.5.6"}


def test_catalogue_types_of_well_known_components() -> None:
    entries = components()
    assert {entries[name]["type"] for name in ("cloud-controller-manager", "metrics-server", "coredns")} == {"system"}
    assert entries["csi-plugin"]["type"] == "default"
    assert {entries[name]["type"] for name in ("nginx-ingress-controller", "flannel", "ack-kruise")} == {"optional"}
    assert entries["flexvolume"]["status"] == "deprecated"
    assert "loongcollector" in entries["logtail-ds"]["alternatives"]
