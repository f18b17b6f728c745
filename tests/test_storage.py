"""What the storage rules say: the wording, the values and the other places of their findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kubelint_ack.cache import decode, encode
from kubelint_ack.existence import Existence
from kubelint_ack.knowledge import Knowledge
from kubelint_ack.profile import EMPTY
from kubelint_ack.project import Member, Project
from kubelint_ack.scan import Settings, scan
from tests.harness import lint, write

CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec:
  accessModes: [{mode}]
  storageClassName: {name}
  resources: {{requests: {{storage: {size}}}}}
"""
CLASS = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {{name: fast}}
provisioner: diskplugin.csi.alibabacloud.com
parameters: {{{parameters}}}
"""


def findings(folder: Path, rule: str, files: dict[str, str]) -> list[Any]:
    write(folder, files)
    found = lint(folder).findings
    assert [one for one in found if one.rule == "rule-crash"] == []
    return [one for one in found if one.rule == rule]


def claim(mode: str = "ReadWriteOnce", name: str = "fast", size: str = "5Gi") -> str:
    return CLAIM.format(mode=mode, name=name, size=size)


def test_the_class_is_another_place(tmp_path: Path) -> None:
    files = {"claim.yaml": claim("ReadWriteMany"), "class.yaml": CLASS.format(parameters="type: cloud_essd")}
    (found,) = findings(tmp_path, "csi-disk-rwx-filesystem", files)
    assert (found.path, found.message, found.place.field) == ("claim.yaml", "default", "spec.accessModes")
    assert found.values == {"claim": "data", "storage_class": "fast"}
    assert [(one.path, one.note, one.place.field) for one in found.related] == [
        ("class.yaml", "class", "metadata.name")
    ]


def test_a_class_of_another_unit_may_be_another_clusters(tmp_path: Path) -> None:
    files = {
        "apps/claim.yaml": claim("ReadWriteMany"),
        "infra/class.yaml": CLASS.format(parameters="type: cloud_essd"),
        "apps/own.yaml": claim("ReadWriteMany", "alicloud-disk-essd"),
        "infra/own.yaml": CLASS.format(parameters="").replace("fast", "alicloud-disk-essd"),
    }
    found = findings(tmp_path, "csi-disk-rwx-filesystem", files)
    assert [(one.path, one.severity) for one in found] == [("apps/claim.yaml", "warning"), ("apps/own.yaml", "error")]
    other = {"test/class.yaml": CLASS.format(parameters="type: cloud_auto")}
    assert [one.path for one in findings(tmp_path, "csi-disk-rwx-filesystem", other)] == ["apps/own.yaml"]


def test_the_class_beside_the_claim_goes_before_variants(tmp_path: Path) -> None:
    files = {
        "own.yaml": CLASS.format(parameters="type: cloud_essd") + "---" + claim(),
        "variant.yaml": CLASS.format(parameters="type: cloud_auto"),
        "claim.yaml": claim().replace("name: data", "name: other"),
    }
    assert [one.path for one in findings(tmp_path, "csi-disk-size-below-minimum", files)] == ["own.yaml"]


def test_one_type_with_its_performance_level(tmp_path: Path) -> None:
    files = {
        "claim.yaml": claim(size="100Gi"),
        "class.yaml": CLASS.format(parameters="type: cloud_essd, performanceLevel: PL2"),
    }
    (found,) = findings(tmp_path, "csi-disk-size-below-minimum", files)
    assert found.message == "default"
    assert found.values["type"] == "cloud_essd PL2"
    assert (found.values["size"], found.values["minimum"]) == ("100Gi", "461Gi")
    assert [one.place.field for one in found.related] == ["parameters.type", "parameters.performanceLevel"]


def test_several_types_the_smallest_is_named(tmp_path: Path) -> None:
    files = {
        "claim.yaml": claim(size="5Gi"),
        "class.yaml": CLASS.format(parameters='type: "elastic_ephemeral_disk_premium,cloud_essd_entry,cloud_ssd"'),
    }
    (found,) = findings(tmp_path, "csi-disk-size-below-minimum", files)
    assert found.message == "list"
    assert (found.values["type"], found.values["minimum"]) == ("cloud_essd_entry", "10Gi")
    assert found.values["types"] == ["elastic_ephemeral_disk_premium", "cloud_essd_entry", "cloud_ssd"]


def test_every_type_is_tried_in_turn_as_the_driver_does(tmp_path: Path) -> None:
    """A level that ESSDs do not have is dropped; types without levels ignore it."""
    parameters = 'type: "cloud_essd,cloud_efficiency", performanceLevel: "PL9,PL3"'
    files = {"claim.yaml": claim(), "class.yaml": CLASS.format(parameters=parameters)}
    (found,) = findings(tmp_path, "csi-disk-size-below-minimum", files)
    assert found.values["types"] == ["cloud_essd PL3", "cloud_efficiency"]


def test_a_volume_of_unknown_size_may_be_the_one(tmp_path: Path) -> None:
    volume = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: files}
spec: {storageClassName: alicloud-disk-ssd, accessModes: [ReadWriteOnce], csi: {driver: disks.example.com}}
"""
    unsized = claim(name="alicloud-disk-ssd").replace("5Gi", "${SIZE}")
    assert findings(tmp_path, "csi-disk-size-below-minimum", {"a.yaml": claim(name="alicloud-disk-ssd")})
    assert not findings(tmp_path, "csi-disk-size-below-minimum", {"volume.yaml": volume})
    assert not findings(tmp_path, "csi-disk-size-below-minimum", {"a.yaml": unsized})
    assert not findings(tmp_path, "csi-disk-size-below-minimum", {"a.yaml": claim(name="alicloud-disk-essd", size="0")})


def test_claims_of_templates_are_found_after_the_cache(tmp_path: Path) -> None:
    """A record that was stored, or came from another process, holds copies of its resources."""
    workload = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}}
  volumeClaimTemplates: [{metadata: {name: data}}, {metadata: {name: log}}]
"""
    record = scan("a.yaml", workload.encode(), "manifest", True, Settings({}, (EMPTY,)))
    for facts in (record.facts, decode(encode(record)).facts):
        project = Project([Member(facts)], Knowledge(), Existence([facts]))
        assert [one.name for one in project.claims_of(project.workloads[0])] == ["data", "log"]


POD = """
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec:
  containers:
    - name: web
      image: nginx:1.27
      volumeMounts:
        - {{name: logs, mountPath: /logs}}
        - {{name: logs, mountPath: /more, subPath: more}}
{inner}
  volumes: [{volumes}]
"""


def test_a_mount_names_the_nearest_volume_and_all_its_places(tmp_path: Path) -> None:
    (found,) = findings(
        tmp_path, "volume-mount-unresolved", {"a.yaml": POD.format(inner="", volumes="{name: log, emptyDir: {}}")}
    )
    assert (found.message, found.values["other"]) == ("near", "log")
    assert [one.place.field for one in found.related] == ["spec.containers[0].volumeMounts[1].name"]


def test_a_mount_without_anything_like_it(tmp_path: Path) -> None:
    (found,) = findings(
        tmp_path, "volume-mount-unresolved", {"a.yaml": POD.format(inner="", volumes="{name: tmp, emptyDir: {}}")}
    )
    assert (found.message, found.values) == ("default", {"container": "web", "name": "logs", "other": ""})


def test_a_volume_inside_the_container(tmp_path: Path) -> None:
    inner = "      volumes: [{name: other, emptyDir: {}}, {name: logs, emptyDir: {}}]"
    (found,) = findings(tmp_path, "volume-mount-unresolved", {"a.yaml": POD.format(inner=inner, volumes="")})
    assert found.message == "inner"
    assert found.related[0].place.field == "spec.containers[0].volumes[1].name"


def test_flexvolume_names_its_replacement(tmp_path: Path) -> None:
    volume = "{name: logs, flexVolume: {driver: alicloud/oss}}"
    profile = 'cluster: {kubernetesVersion: "1.32", storagePlugin: csi}\n'
    (found,) = findings(tmp_path, "flexvolume-deprecated", {"a.yaml": POD.format(inner="", volumes=volume)})
    assert (found.message, found.values["replacement"]) == ("default", "ossplugin.csi.alibabacloud.com")
    (found,) = findings(tmp_path, "flexvolume-deprecated", {".kubelint-ack.yaml": profile})
    assert found.message == "absent"
