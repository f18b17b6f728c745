"""The cluster profile: its schema, what rules read of it, which needs it meets; and the configuration's schema."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from kubelint_ack import data
from kubelint_ack.data import data_files, read_data
from kubelint_ack.profile import (
    EMPTY,
    NEEDS,
    NodePool,
    Profile,
    StorageClass,
    Taint,
    VSwitch,
    duplicates,
    legal_need,
    profile,
    unmet,
)

PROFILE = json.loads(read_data("schemas/profile.schema.json"))
CONFIG = json.loads(read_data("schemas/config.schema.json"))
REGISTRY = Registry().with_resources([(schema["$id"], Resource.from_contents(schema)) for schema in (PROFILE, CONFIG)])

WHOLE: dict[str, Any] = {
    "name": "orders-live",
    "provider": "ack",
    "clusterType": "managed",
    "edition": "pro",
    "kubernetesVersion": "1.33.1-aliyun.1",
    "region": "cn-shenzhen",
    "zones": ["cn-shenzhen-d", "cn-shenzhen-e"],
    "cni": "terway",
    "terway": {
        "version": "1.14.2",
        "initialVersion": "1.8.6",
        "mode": "shared-eni",
        "dataPath": "datapathv2",
        "networkPolicy": True,
        "inClusterLoadBalance": True,
        "kubeProxyReplacement": False,
    },
    "kubeProxyMode": "ipvs",
    "serviceBackendType": "eni",
    "nodeLocalDNS": True,
    "clusterDomain": "cluster.local",
    "inClusterLoadBalancerClients": False,
    "loadBalancerClasses": [],
    "featureGates": {"LoadBalancerTypeAnnotation": False},
    "nodePortRange": "30000-32767",
    "vpcCIDRs": ["192.168.0.0/16", "10.240.0.0/16"],
    "vSwitches": [{"id": "vsw-n1", "cidr": "192.168.0.0/24", "zone": "cn-shenzhen-d"}],
    "podVSwitches": [{"id": "vsw-p1", "cidr": "192.168.64.0/19", "zone": "cn-shenzhen-d"}, {"id": "vsw-p2"}],
    "podCIDR": "10.64.0.0/12",
    "nodePodMask": 25,
    "plannedNodes": 80,
    "serviceCIDR": "172.21.0.0/20",
    "serviceIPv6CIDR": "fd00:1::/112",
    "dnsServiceIP": "172.21.0.10",
    "peerCIDRs": ["10.0.0.0/14"],
    "nodePools": [
        {
            "name": "api",
            "labels": {"tier": "api", "kubernetes.io/arch": "arm64"},
            "taints": [{"key": "dedicated", "value": "api", "effect": "NoSchedule"}],
            "zones": ["cn-shenzhen-d"],
            "os": "linux",
            "arch": "arm64",
            "count": 0,
            "maxCount": 12,
            "allocatable": {"cpu": "7900m", "memory": "28Gi", "nvidia.com/gpu": "0"},
        },
        {"name": "rest"},
    ],
    "nodePoolsComplete": True,
    "virtualNodes": True,
    "namespaces": [{"name": "orders", "labels": {"team": "a"}}],
    "components": {"cloud-controller-manager": "2.14.0", "aliyun-acr-credential-helper": "*"},
    "componentsComplete": True,
    "storagePlugin": "csi",
    "extraCSIDrivers": [],
    "storageClasses": [
        {
            "name": "alicloud-disk-essd",
            "provisioner": "diskplugin.csi.alibabacloud.com",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Retain",
            "allowVolumeExpansion": True,
            "default": False,
            "parameters": {"type": "cloud_essd"},
        }
    ],
    "ingressClasses": [{"name": "alb", "controller": "ingress.k8s.alibabacloud/alb", "default": False}],
    "ingressControllers": ["nginx", "alb"],
    "gatewayClasses": ["alb"],
    "acrCredentialHelper": {
        "watchNamespaces": ["default", "all"],
        "serviceAccounts": ["*"],
        "instances": [{"instanceId": "cri-x1", "region": "cn-shenzhen", "domains": []}],
    },
    "externals": [{"kind": "Secret", "namespace": "*", "name": "registry-*"}],
}


def errors(schema: Any, data: Any) -> list[jsonschema.ValidationError]:
    return list(jsonschema.Draft202012Validator(schema, registry=REGISTRY).iter_errors(data))


def changed(*route: str | int, value: Any) -> dict[str, Any]:
    """The whole profile with one value replaced."""
    mapping = copy.deepcopy(WHOLE)
    node: Any = mapping
    for step in route[:-1]:
        node = node[step]
    node[route[-1]] = value
    return mapping


# --- the schema


def test_schemas_are_valid_schemas() -> None:
    for schema in (PROFILE, CONFIG):
        jsonschema.Draft202012Validator.check_schema(schema)


def test_whole_profile_is_valid_and_names_every_key() -> None:
    assert errors(PROFILE, WHOLE) == []
    assert list(WHOLE) == list(PROFILE["properties"])


def test_every_key_is_optional() -> None:
    assert errors(PROFILE, {}) == []
    for key in WHOLE:
        assert errors(PROFILE, {other: value for other, value in WHOLE.items() if other != key}) == []


@pytest.mark.parametrize(
    ("route", "value"),
    [
        (("kubernetesVersion",), 1.30),
        (("kubernetesVersion",), "1"),
        (("kubernetesVersion",), "latest"),
        (("provider",), "ACK"),
        (("clusterType",), "pro"),
        (("cni",), "calico"),
        (("cni",), "flannel"),  # contradicts the key terway
        (("cni",), None),
        (("terway", "mode"), "eniip"),
        (("terway", "dataPath"), "IPVlan"),
        (("terway", "networkPolicy"), "true"),
        (("terway", "version"), "*"),
        (("terway", "Mode"), "vpc"),
        (("kubeProxyMode",), "userspace"),
        (("zones",), "cn-shenzhen-d"),
        (("zones",), ["cn-shenzhen-d", "cn-shenzhen-d"]),
        (("region",), "cn-shenzhen "),
        (("clusterDomain",), "Cluster.Local."),
        (("featureGates", "LoadBalancerTypeAnnotation"), "false"),
        (("nodePortRange",), [30000, 32767]),
        (("nodePortRange",), 30000),
        (("vpcCIDRs",), "192.168.0.0/16"),
        (("vpcCIDRs", 0), "192.168.0.0"),
        (("vSwitches", 0, "role"), "pod"),
        (("vSwitches", 0), {}),
        (("podCIDR",), ["10.64.0.0/12"]),
        (("nodePodMask",), "26"),
        (("nodePodMask",), 29),
        (("nodePodMask",), 15),
        (("plannedNodes",), 0),
        (("serviceCIDR",), "172.21.0.0-172.21.15.255"),
        (("dnsServiceIP",), "kube-dns"),
        (("nodePools", 0, "name"), ""),
        (("nodePools", 0, "labels", "tier"), 1),
        (("nodePools", 0, "taints", 0, "effect"), "NoRun"),
        (("nodePools", 0, "taints", 0), {"key": "dedicated"}),
        (("nodePools", 0, "taints", 0), "dedicated=api:NoSchedule"),
        (("nodePools", 0, "arch"), "x86_64"),
        (("nodePools", 0, "count"), -1),
        (("nodePools", 0, "allocatable", "cpu"), 8),
        (("nodePools", 0, "allocatable", "cpu"), "8 cores"),
        (("nodePools", 1), {"labels": {}}),
        (("nodePools",), {"api": {}}),
        (("components", "cloud-controller-manager"), 2.14),
        (("components", "cloud-controller-manager"), "newest"),
        (("components",), ["csi-plugin"]),
        (("storageClasses", 0, "reclaimPolicy"), "Recycle"),
        (("storageClasses", 0, "parameters", "type"), True),
        (("ingressControllers",), ["traefik"]),
        (("acrCredentialHelper", "watchNamespaces"), "all"),
        (("acrCredentialHelper", "instances", 0), {"regionId": "cn-shenzhen"}),
        (("externals", 0), {"kind": "Secret"}),
        (("ccmVersion",), "2.14.0"),
        (("kubernetesversion",), "1.33"),
    ],
)
def test_mistakes_fail(route: tuple[str | int, ...], value: Any) -> None:
    """Each change makes the valid profile invalid, and at a place on the way to the change."""
    found = errors(PROFILE, changed(*route, value=value))
    assert found
    assert {tuple(error.absolute_path)[: len(route)] for error in found} <= {route, route[:-1]}


@pytest.mark.parametrize(
    ("route", "value"),
    [
        (("kubernetesVersion",), "1.34"),
        (("kubernetesVersion",), "v1.34.2"),
        (("kubernetesVersion",), "1.34.2-aliyun.1"),
        (("nodePools", 0, "taints", 0), {"key": "dedicated", "effect": "NoExecute"}),
        (("nodePools", 0, "taints"), []),
        (("nodePools", 0, "allocatable", "memory"), "28.5Gi"),
        (("nodePools", 0, "allocatable", "memory"), "3e10"),
        (("components", "csi-plugin"), "v1.33.4-921e63a-aliyun"),
        (("podVSwitches", 0), {"cidr": "192.168.64.0/19"}),
        (("vpcCIDRs", 0), "192.168.0.1/16"),  # host bits are a finding of a rule, with its own words
        (("region",), "us-central1"),
        (("externals", 0), {"apiVersion": "v1", "kind": "ConfigMap", "name": "kube-root-ca.crt"}),
    ],
)
def test_variants_pass(route: tuple[str | int, ...], value: Any) -> None:
    assert errors(PROFILE, changed(*route, value=value)) == []


def properties(schema: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every declared key of a schema, with its own schema."""
    if isinstance(schema, dict):
        for key, value in schema.get("properties", {}).items():
            if "const" not in value:  # a condition, not a declaration
                yield f"{where}.{key}", value
        for key, value in schema.items():
            yield from properties(value, f"{where}.{key}")
    elif isinstance(schema, list):
        for value in schema:
            yield from properties(value, where)


@pytest.mark.parametrize("schema", [PROFILE, CONFIG], ids=["profile", "config"])
def test_every_key_is_described_in_both_languages(schema: Any) -> None:
    declared = list(properties(schema))
    assert len(declared) > 30
    for where, own in [("top", schema), *declared]:
        assert own.get("description", "").endswith("."), where
        assert own.get("x-description-zh", "").endswith("。"), where


# --- what rules read


def test_whole_profile_is_read() -> None:
    read = profile(WHOLE)
    assert read.kubernetes_version == (1, 33)
    assert read.kubernetes_version_text == "1.33.1-aliyun.1"
    assert read.terway.mode == "shared-eni"
    assert read.terway.initial_version == "1.8.6"
    assert read.terway.in_cluster_load_balance is True
    assert read.terway.kube_proxy_replacement is False
    assert read.in_cluster_load_balancer_clients is False
    assert read.load_balancer_classes == ()
    assert read.feature_gates == {"LoadBalancerTypeAnnotation": False}
    assert read.node_port_range == (30000, 32767)
    assert read.vpc_cidrs == ("192.168.0.0/16", "10.240.0.0/16")
    assert read.vswitches == (VSwitch("vsw-n1", "192.168.0.0/24", "cn-shenzhen-d"),)
    assert read.pod_vswitches is not None
    assert read.pod_vswitches[1] == VSwitch("vsw-p2")
    assert read.service_ipv6_cidr == "fd00:1::/112"
    assert read.dns_service_ip == "172.21.0.10"
    assert read.node_pools == (
        NodePool(
            "api",
            labels={"tier": "api", "kubernetes.io/arch": "arm64"},
            taints=(Taint("dedicated", "NoSchedule", "api"),),
            zones=("cn-shenzhen-d",),
            os="linux",
            arch="arm64",
            count=0,
            max_count=12,
            allocatable={"cpu": "7900m", "memory": "28Gi", "nvidia.com/gpu": "0"},
        ),
        NodePool("rest"),
    )
    assert read.components == {"cloud-controller-manager": "2.14.0", "aliyun-acr-credential-helper": "*"}
    assert read.extra_csi_drivers == ()
    assert read.storage_classes == (
        StorageClass(
            "alicloud-disk-essd",
            provisioner="diskplugin.csi.alibabacloud.com",
            volume_binding_mode="WaitForFirstConsumer",
            reclaim_policy="Retain",
            allow_volume_expansion=True,
            default=False,
            parameters={"type": "cloud_essd"},
        ),
    )
    assert read.ingress_controllers == ("nginx", "alb")
    assert read.acr_credential_helper.watch_namespaces == ("default", "all")
    assert read.acr_credential_helper.instances is not None
    assert read.acr_credential_helper.instances[0].instance_id == "cri-x1"
    assert read.externals is not None
    assert (read.externals[0].api_version, read.externals[0].namespace) == (None, "*")


def test_undeclared_is_none_everywhere() -> None:
    for attribute, value in EMPTY._asdict().items():
        if attribute in ("terway", "acr_credential_helper"):
            assert set(value) == {None}, attribute
        elif attribute not in ("is_ack", "source_data"):
            assert value is None, attribute
    assert EMPTY.is_ack is False


def test_each_attribute_is_none_without_its_key() -> None:
    """Nothing but the two derived facts comes from another key."""
    for key in WHOLE:
        only = profile({key: WHOLE[key]})
        known = {name for name, value in only._asdict().items() if value not in (None, (None,) * 7, (None,) * 3)}
        derived = {"zones", "service_backend_type", "is_ack", "source_data", "kubernetes_version_text"}
        assert len(known - derived) == (0 if key in ("zones", "serviceBackendType") else 1), key


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({}, None),
        ({"cni": "flannel"}, "ecs"),
        ({"cni": "terway"}, "eni"),
        ({"cni": "terway", "terway": {"mode": "exclusive-eni"}}, "eni"),
        ({"cni": "terway", "terway": {"mode": "vpc"}}, None),
        ({"cni": "other"}, None),
        ({"cni": "terway", "serviceBackendType": "ecs"}, "ecs"),
        ({"serviceBackendType": "eni"}, "eni"),
    ],
)
def test_service_backend_type(mapping: dict[str, Any], expected: str | None) -> None:
    read = profile(mapping)
    assert read.service_backend_type == expected
    assert read.declared("serviceBackendType") is (expected is not None)


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({}, None),
        ({"zones": ["b", "a"], "nodePools": [{"name": "p", "zones": ["c"]}]}, ("b", "a")),
        (
            {
                "nodePools": [{"name": "p", "zones": ["c", "a"]}, {"name": "q"}],
                "vSwitches": [{"zone": "b"}, {"id": "v"}, {"zone": "a"}],
                "podVSwitches": [{"zone": "z"}],
            },
            ("a", "b", "c"),
        ),
        ({"nodePools": [{"name": "p"}]}, None),
    ],
)
def test_zones(mapping: dict[str, Any], expected: tuple[str, ...] | None) -> None:
    assert profile(mapping).zones == expected


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({"provider": "ack"}, True),
        ({"provider": "eks"}, False),
        ({"provider": "other", "cni": "terway", "region": "cn-beijing"}, False),
        ({"clusterType": "managed"}, True),
        ({"cni": "terway"}, True),
        ({"terway": {"mode": "vpc"}}, True),
        ({"cni": "flannel"}, False),
        ({"kubernetesVersion": "1.33"}, False),
        ({"kubernetesVersion": "1.33.1-aliyun.1"}, True),
        ({"region": "cn-hangzhou"}, True),
        ({"region": "cn-north-1"}, False),  # AWS in Beijing
        ({"region": "cn-northwest-1"}, False),
        ({"region": "ap-southeast-1"}, False),  # AWS has it too
        ({"zones": ["cn-hongkong-b"]}, True),
        ({"nodePools": [{"name": "p", "labels": {"alibabacloud.com/nodepool-id": "np1"}}]}, True),
        ({"components": {"coredns": "1.11.1"}}, False),
        ({"components": {"ack-onepilot": "*"}}, True),
        ({"storageClasses": [{"name": "s", "provisioner": "diskplugin.csi.alibabacloud.com"}]}, True),
        ({"storageClasses": [{"name": "s", "provisioner": "ebs.csi.aws.com"}]}, False),
        ({"ingressClasses": [{"name": "alb", "controller": "ingress.k8s.alibabacloud/alb"}]}, True),
        ({"ingressClasses": [{"name": "alb", "controller": "ingress.k8s.aws/alb"}]}, False),
        ({"serviceCIDR": "172.21.0.0/20"}, False),
    ],
)
def test_is_ack(mapping: dict[str, Any], expected: bool) -> None:
    assert profile(mapping).is_ack is expected


def test_profiles_compare_and_hash_by_what_they_declare() -> None:
    one = profile({"cni": "flannel", "podCIDR": "10.0.0.0/8"})
    same = profile({"podCIDR": "10.0.0.0/8", "cni": "flannel"})
    other = profile({"cni": "flannel"})
    assert one == same
    assert hash(one) == hash(same)
    assert one.cache_key == same.cache_key
    assert one != other
    assert one.cache_key != other.cache_key
    assert one.source_data == {"cni": "flannel", "podCIDR": "10.0.0.0/8"}
    assert len({one, same, other, EMPTY}) == 3
    again = pickle.loads(pickle.dumps(profile(WHOLE)))
    assert isinstance(again, Profile)
    assert again == profile(WHOLE)


# --- needs


def names(schema: Any, prefix: str = "") -> Iterator[str]:
    """The dotted names of a schema's keys: the judge of NEEDS."""
    for key, own in schema["properties"].items():
        yield prefix + key
        while "$ref" in own:
            own = PROFILE["$defs"][own["$ref"].removeprefix("#/$defs/")]
        if "properties" in own:
            yield from names(own, f"{prefix}{key}.")
        elif own.get("type") == "array":
            items = own["items"]
            while "$ref" in items:
                items = PROFILE["$defs"][items["$ref"].removeprefix("#/$defs/")]
            if "properties" in items:
                yield from names(items, f"{prefix}{key}[].")


def test_needs_are_the_keys_of_the_schema() -> None:
    assert set(names(PROFILE)) == NEEDS
    assert {"cni", "terway.mode", "kubeProxyMode", "vpcCIDRs", "nodePools[].taints", "serviceBackendType"} <= NEEDS


def test_every_need_of_the_whole_profile_is_met() -> None:
    assert unmet(profile(WHOLE), sorted(NEEDS - {"externals[].apiVersion"})) == []
    assert unmet(profile(WHOLE), ["externals[].apiVersion"]) == ["externals[].apiVersion"]
    assert unmet(EMPTY, sorted(NEEDS)) == sorted(NEEDS)


def test_unmet() -> None:
    flannel = profile({"cni": "flannel", "components": {"csi-plugin": "*"}, "nodePools": [{"name": "a"}]})
    assert unmet(flannel, []) == []
    assert unmet(flannel, ["cni", "terway.mode"]) == ["terway.mode"]
    assert unmet(flannel, ["kubeProxyMode|cni", "kubeProxyMode|terway.mode"]) == ["kubeProxyMode|terway.mode"]
    assert unmet(flannel, ["serviceBackendType"]) == []
    assert unmet(flannel, ["components.csi-plugin", "components.flexvolume"]) == ["components.flexvolume"]
    assert unmet(flannel, ["nodePools", "nodePools[].name", "nodePools[].arch"]) == ["nodePools[].arch"]
    assert unmet(profile({"loadBalancerClasses": []}), ["loadBalancerClasses"]) == []
    assert unmet(profile({"terway": {"networkPolicy": False}}), ["terway.networkPolicy", "terway"]) == []


def test_legal_needs() -> None:
    for need in (
        "cni",
        "terway.mode",
        "cni|serviceBackendType",
        "components.cloud-controller-manager",
        "nodePools[].arch",
    ):
        assert legal_need(need), need
    for need in (
        "profile.cni",
        "ccmVersion",
        "terway.Mode",
        "cni|",
        "components.",
        "nodePools.arch",
        "featureGates.a.b",
    ):
        assert not legal_need(need), need


def test_duplicates() -> None:
    assert duplicates(WHOLE) == []
    mapping = {
        "nodePools": [{"name": "a"}, {"name": "b"}, {"name": "a"}],
        "storageClasses": [{"name": "a"}, {"name": "a"}],
    }
    assert duplicates(mapping) == [("nodePools", 2, "name"), ("storageClasses", 1, "name")]


# --- the configuration's schema

SETTINGS: dict[str, Any] = {
    "cluster": WHOLE,
    "environments": {
        "live": {"paths": ["deploy/live"], "cluster": "clusters/live.yaml", "complete": True},
        "test": {"paths": ["deploy/test"], "cluster": {"kubernetesVersion": "1.34"}},
    },
    "complete": ["ConfigMap", "apps/Deployment"],
    "preset": ["security", "reliability"],
    "select": ["KLA30", "service", "privileged-container"],
    "extend-select": ["ALL"],
    "ignore": ["KLA1203"],
    "severity": "warning",
    "exclude": ["vendor/**"],
    "extend-exclude": ["*.gen.yaml"],
    "context": [],
    "overrides": [
        {"files": ["test/**"], "ignore": ["image-latest-tag"]},
        {"namespaces": ["kube-*"], "select": ["security"], "severity": {"run-as-non-root": "info", "KLA12": "warning"}},
    ],
    "rules": {"node-selector-required": {"severity": "error", "keys": ["group"]}},
    "suppressions": {"require-reason": True, "honor": ["kube-linter", "checkov"]},
    "fail-on": "never",
    "format": "concise",
    "output": {"sarif": "out/kubelint.sarif", "json": "out/kubelint.json"},
    "lang": "zh",
    "kubernetes-version": ["1.33", "1.34"],
    "workloads": [{"kind": "apps.example.com/CloneSet", "path": "spec.template"}],
    "schemas": ["crds"],
    "max-file-size": "10Mi",
    "jobs": "auto",
    "cache": False,
}


def test_settings_are_valid_and_name_every_key() -> None:
    assert errors(CONFIG, SETTINGS) == []
    assert list(SETTINGS) == list(CONFIG["properties"])
    assert errors(CONFIG, {}) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cluster", "clusters/live.yaml"),
        ("complete", False),
        ("preset", "ack"),
        ("kubernetes-version", "1.34"),
        ("max-file-size", 1048576),
        ("jobs", 4),
        ("overrides", []),
    ],
)
def test_other_forms_of_settings_pass(key: str, value: Any) -> None:
    assert errors(CONFIG, {**SETTINGS, key: value}) == []


@pytest.mark.parametrize(
    ("settings", "route"),
    [
        ({"clusters": {}}, ()),
        ({"cluster": {"cni": "calico"}}, ("cluster", "cni")),
        ({"cluster": {"Cni": "terway"}}, ("cluster",)),
        ({"cluster": {"kubernetesVersion": 1.3}}, ("cluster", "kubernetesVersion")),
        ({"cluster": ""}, ("cluster",)),
        ({"cluster": ["a.yaml"]}, ("cluster",)),
        ({"environments": {"live": {}}}, ("environments", "live")),
        ({"environments": {"live": {"paths": []}}}, ("environments", "live", "paths")),
        (
            {"environments": {"live": {"paths": ["a"], "cluster": {"podCidr": "x"}}}},
            ("environments", "live", "cluster"),
        ),
        ({"environments": [{"paths": ["a"]}]}, ("environments",)),
        ({"complete": "ConfigMap"}, ("complete",)),
        ({"complete": ["configmap"]}, ("complete", 0)),
        ({"preset": "all"}, ("preset",)),
        ({"preset": ["ack", "paranoid"]}, ("preset", 1)),
        ({"select": "ALL"}, ("select",)),
        ({"ignore": ["KLA12034"]}, ("ignore", 0)),
        ({"severity": "low"}, ("severity",)),
        ({"exclude": "vendor"}, ("exclude",)),
        ({"overrides": [{"ignore": ["dns"]}]}, ("overrides", 0)),
        ({"overrides": [{"files": ["a"], "severity": "info"}]}, ("overrides", 0, "severity")),
        ({"overrides": [{"files": ["a"], "severity": {"dns": "off"}}]}, ("overrides", 0, "severity", "dns")),
        ({"overrides": [{"files": ["a"], "rules": {}}]}, ("overrides", 0)),
        ({"rules": {"KLA1203": {}}}, ("rules",)),
        ({"rules": {"dns": "off"}}, ("rules", "dns")),
        ({"rules": {"run-as-non-root": {"severity": "note"}}}, ("rules", "run-as-non-root", "severity")),
        ({"suppressions": {"honour": []}}, ("suppressions",)),
        ({"suppressions": {"honor": ["kyverno"]}}, ("suppressions", "honor", 0)),
        ({"fail-on": "warn"}, ("fail-on",)),
        ({"format": "xml"}, ("format",)),
        ({"output": "out.sarif"}, ("output",)),
        ({"output": {"xml": "out.xml"}}, ("output",)),
        ({"lang": "cn"}, ("lang",)),
        ({"kubernetes-version": 1.34}, ("kubernetes-version",)),
        ({"kubernetes-version": []}, ("kubernetes-version",)),
        ({"kubernetes-version": ["1.33", 1.34]}, ("kubernetes-version", 1)),
        ({"workloads": [{"kind": "CloneSet", "path": "spec.template"}]}, ("workloads", 0, "kind")),
        ({"workloads": [{"kind": "a.b/C"}]}, ("workloads", 0)),
        ({"max-file-size": "10 MB"}, ("max-file-size",)),
        ({"max-file-size": 0}, ("max-file-size",)),
        ({"jobs": 0}, ("jobs",)),
        ({"jobs": "many"}, ("jobs",)),
        ({"cache": "/tmp/x"}, ("cache",)),
        ({"fail_on": "error"}, ()),
    ],
)
def test_mistakes_in_settings_fail(settings: dict[str, Any], route: tuple[str | int, ...]) -> None:
    """Each is one error, at the place that the user must look at."""
    assert {tuple(error.absolute_path) for error in errors(CONFIG, settings)} == {route}


# --- the files


def test_data_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are relative to the source tree, with slashes, sorted, and readable as they are."""
    found = data_files("schemas")
    assert {"schemas/profile.schema.json", "schemas/ack/components.json"} <= set(found)
    assert found == sorted(found)
    assert json.loads(read_data("schemas/profile.schema.json")) == PROFILE
    with pytest.raises(FileNotFoundError):
        read_data("schemas/none.json")
    assert data_files("schemas/none") == []
    for name in ("b.yaml", "a/c.yaml", "a/.c.yaml.swp"):
        (tmp_path / "rules" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "rules" / name).touch()
    monkeypatch.setattr(data, "_root", lambda: str(tmp_path))
    assert data_files("rules") == ["rules/a/c.yaml", "rules/b.yaml"]
