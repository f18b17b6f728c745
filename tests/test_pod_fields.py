"""Names, amounts and paths in pods, and where the API server refuses the object and where only its pods."""

from __future__ import annotations

import pytest

from kubelint_ack import names
from kubelint_ack.amounts import amount_mistake, name_mistake
from kubelint_ack.downward import divisor_mistake, field_mistake, resource_mistake
from kubelint_ack.records import ResourceId
from kubelint_ack.resource import Resource
from kubelint_ack.views import Workload


@pytest.mark.parametrize(
    ("grammar", "text", "reason"),
    [
        ("http_header_name", "X-Probe", ""),
        ("http_header_name", "X_Probe", "characters"),
        ("sysctl_name", "net.core.somaxconn", ""),
        ("sysctl_name", "net/ipv4/ip_local_port_range", ""),
        ("sysctl_name", "net..core", "edge"),
        ("csi_driver_name", "Disk.csi.example.com", ""),
        ("csi_driver_name", "a" * 64, "length"),
        ("iscsi_name", "iqn.2024-01.com.example:storage", ""),
        ("iscsi_name", "eui.0123456789abcdef", ""),
        ("iscsi_name", "storage", "characters"),
        ("path_without_backsteps", "/var/..data", ""),
        ("path_without_backsteps", "/var/../etc", "backsteps"),
        ("absolute_path", "export", "relative"),
        ("descending_path", "/data", "absolute"),
        ("descending_path", "..data/a", ""),
        ("file_path", "..data/a", "dot-name"),
        ("file_path", "a/b", ""),
    ],
)
def test_grammars(grammar: str, text: str, reason: str) -> None:
    assert getattr(names, grammar)(text) == reason


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cpu", ("", "")),
        ("Memory", ("near", "memory")),
        ("mem", ("near", "memory")),
        ("pods", ("default", "")),
        ("hugepages-2Mi", ("", "")),
        ("nvidia.com/gpu", ("", "")),
        ("requests.nvidia.com/gpu", ("prefix", "")),
        ("kubernetes.io/batch-cpu", ("", "")),
        ("a b", ("syntax", "")),
    ],
)
def test_names_of_resources(name: str, expected: tuple[str, str]) -> None:
    assert name_mistake(name) == expected


def test_a_whole_pod_has_few_resources() -> None:
    assert [name_mistake(name, pod_level=True)[0] for name in ("cpu", "hugepages-2Mi", "ephemeral-storage")] == [
        "",
        "",
        "pod",
    ]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("cpu", "0.5", ""),
        ("cpu", "-1", "negative"),
        ("nvidia.com/gpu", "1.5", "fraction"),
        ("nvidia.com/gpu", 2, ""),
        ("hugepages-2Mi", "3Mi", "pages"),
        ("hugepages-2Mi", "4Mi", ""),
        ("memory", "lots", ""),
    ],
)
def test_amounts_of_resources(name: str, value: object, reason: str) -> None:
    assert amount_mistake(name, value) == reason


def test_what_the_downward_api_has() -> None:
    assert field_mistake("spec.nodeName", in_file=False) == ""
    assert field_mistake("spec.nodeName", in_file=True) == "field"
    assert field_mistake("metadata.labels", in_file=False) == "whole"
    assert field_mistake("metadata.labels['a/b/c']", in_file=True) == "key"
    assert field_mistake("metadata.annotations['A.b/c']", in_file=False) == ""
    assert not resource_mistake("limits.hugepages-2Mi")
    assert resource_mistake("limits.pods")
    assert not divisor_mistake("limits.cpu", "0")
    assert divisor_mistake("limits.cpu", "10m")
    assert divisor_mistake("limits.memory", "2Mi")


@pytest.mark.parametrize(
    ("group", "kind", "version", "severity"),
    [
        ("apps", "Deployment", None, None),
        ("", "PodTemplate", (1, 20), None),
        ("apps", "StatefulSet", None, "warning"),
        ("apps", "StatefulSet", (1, 33), "warning"),
        ("apps", "StatefulSet", (1, 34), None),
        ("argoproj.io", "Rollout", (1, 34), "warning"),
    ],
)
def test_where_the_object_is_refused(
    group: str, kind: str, version: tuple[int, int] | None, severity: str | None
) -> None:
    resource = Resource(ResourceId(group, "v1", kind, None, "web"), (group, kind), {}, ())
    assert Workload(resource, ("spec", "template")).refused(version) == severity
