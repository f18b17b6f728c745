"""What a kustomization file says, and what is silent because of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from harness import lint, write

from kubelint_ack.decode import decode
from kubelint_ack.knowledge import Patch
from kubelint_ack.kustomize import Kustomization, is_kustomization, kustomization, patch_of


def read(text: str, path: str = "deploy/kustomization.yaml") -> Kustomization:
    return kustomization(path, decode(text.encode()).documents[0].data)


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_the_three_names_of_a_kustomization(name: str) -> None:
    assert is_kustomization(f"deploy/{name}")
    assert not is_kustomization(f"deploy/my-{name}")


def test_entries_are_relative_to_the_root() -> None:
    found = read(
        "resources: [web.yaml, ./sub/db.yaml, ../base/]\nbases: [..]\ncomponents: [../../parts]\ncrds: [crd.json]"
    )
    assert found.entries == ("deploy/web.yaml", "deploy/sub/db.yaml", "base", "", "../parts", "deploy/crd.json")
    assert not found.opaque


@pytest.mark.parametrize(
    "text",
    [
        "resources: ['https://example.com/all.yaml']",
        "resources: ['github.com/owner/repo//deploy?ref=v1']",
        "resources: ['git@github.com:owner/repo']",
        "bases: ['git::https://example.com/repo']",
        "components: ['ssh://git@example.com/repo']",
        "resources: ['{{ .entry }}']",
        "resources: [5]",
        "helmCharts: [{name: nginx}]",
        "helmChartInflationGenerator: [{chartName: nginx}]",
        "generators: [generator.yaml]",
        "transformers: [transformer.yaml]",
        "namespace: ${NAMESPACE}",
        "configMapGenerator: [{name: '${NAME}', literals: [a=b]}]",
        "secretGenerator: [{literals: [a=b]}]",
    ],
)
def test_what_cannot_be_read_here_makes_it_opaque(text: str) -> None:
    assert read(text).opaque


def test_a_file_that_could_not_be_read_is_opaque() -> None:
    assert kustomization("kustomization.yaml", None).opaque
    assert not kustomization("kustomization.yaml", None).readable
    assert not read("{}").opaque


@pytest.mark.parametrize(
    "text", ["[]", "5", "resources: web.yaml", "patches: {a: b}", "labels: 3\nconfigMapGenerator: [x]\n"]
)
def test_nonsense_is_passed_over(text: str) -> None:
    assert read(text).entries == ()


def test_generators_name_their_objects_and_keys() -> None:
    found = read(
        """
configMapGenerator:
- name: settings
  literals: [LEVEL=info, EMPTY=]
  files: [app.conf, other=conf/x.conf]
- name: more
  envs: [more.env]
- name: merged
  behavior: merge
  literals: [A=b]
secretGenerator:
- name: tls
  files: [tls.crt=certs/a.crt, tls.key=certs/a.key]
"""
    )
    assert found.generated == (
        ("ConfigMap", "settings", ("LEVEL", "EMPTY", "app.conf", "other")),
        ("ConfigMap", "more", None),
        ("ConfigMap", "merged", None),
        ("Secret", "tls", ("tls.crt", "tls.key")),
    )
    assert found.data_files == (
        "deploy/app.conf",
        "deploy/conf/x.conf",
        "deploy/more.env",
        "deploy/certs/a.crt",
        "deploy/certs/a.key",
    )


# --- patches

STRATEGIC = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 3, template: {spec: {containers: [{}]}}}
"""


def test_a_strategic_merge_patch_writes_down_to_its_lists_and_scalars() -> None:
    (patch,) = patch_of(decode(STRATEGIC.encode()).documents[0].data)
    assert (patch.kind, patch.name) == ("Deployment", "web")
    assert set(patch.routes) == {("spec", "replicas"), ("spec", "template", "spec", "containers")}


def test_a_json_patch_writes_where_its_pointers_lead() -> None:
    text = "- {op: replace, path: /spec/ports/0/port, value: 1}\n- {op: move, from: /a~1b/c~0d, path: /spec/x/-}"
    (patch,) = patch_of(decode(text.encode()).documents[0].data, "Service", "web")
    assert patch == Patch("Service", "web", (("spec", "ports", 0, "port"), ("spec", "x"), ("a/b", "c~d")))


def test_a_directive_or_an_unreadable_patch_may_change_anything() -> None:
    assert list(patch_of({"kind": "Service", "metadata": {"name": "web"}, "$patch": "delete"})) == [
        Patch("Service", "web", ())
    ]
    assert list(patch_of(None)) == [Patch(None, None, ())]


@pytest.mark.parametrize(
    ("target", "kind", "name"),
    [
        ("{kind: Service, name: web}", "Service", "web"),
        ("{kind: Service, name: web-.*}", "Service", None),
        ("{kind: Deployment|StatefulSet}", None, None),
        ("{labelSelector: app=web}", None, None),
        ("{kind: '{{ .kind }}'}", None, None),
    ],
)
def test_targets_that_are_patterns_mean_anything(target: str, kind: str | None, name: str | None) -> None:
    found = read(
        f"patches:\n- target: {target}\n  patch: '[{{op: remove, path: /spec/selector}}]'\n"
        f"- target: {target}\n  path: p.yaml\n"
    )
    assert found.patches == (Patch(kind, name, (("spec", "selector"),)),)
    assert (found.patch_files, found.patch_targets) == (("deploy/p.yaml",), (("deploy/p.yaml", kind, name),))


@pytest.mark.parametrize(
    "text",
    [
        "patches: [{path: '${FILE}'}]",
        "patches: [{target: {labelSelector: a=b}}]",
        "patchesStrategicMerge: ['{{ .file }}']",
        "replacements: [{path: r.yaml}]",
    ],
)
def test_a_patch_that_is_not_known_may_change_anything(text: str) -> None:
    assert Patch(None, None, ()) in read(text).patches


def test_old_and_new_fields_of_patches_are_read() -> None:
    found = read(
        "patchesStrategicMerge:\n- a.yaml\n- |-\n  kind: Service\n  metadata: {name: web}\n  spec: {type: NodePort}\n"
        "patchesJson6902:\n- {path: b.yaml, target: {kind: Service, name: web}}\npatches:\n- c.yaml\n- path: d.yaml\n"
    )
    assert found.patch_files == ("deploy/a.yaml", "deploy/c.yaml", "deploy/d.yaml", "deploy/b.yaml")
    assert found.patches == (Patch("Service", "web", (("spec", "type"),)),)


# --- what a run makes of it

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "shop/web:1", ports: [{name: http, containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: wbe}
  ports: [{port: 80}]
"""
DB = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: main, image: "shop/db:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec:
  clusterIP: None
  selector: {app: db}
  ports: [{port: 80}]
"""
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: shop/job:1
        env: [{name: LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: LEVEL}}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
data: {a: b}
"""


def rules_found(tmp_path: Path, files: Mapping[str, str]) -> list[str]:
    write(tmp_path, files)
    select = ["service-selects-nothing", "statefulset-service-not-headless", "config-reference-missing", "manifest"]
    return [finding.rule for finding in lint(tmp_path, select=select).findings]


def test_without_a_patch_the_service_misses_its_pods(tmp_path: Path) -> None:
    assert rules_found(tmp_path, {"kustomization.yaml": "resources: [web.yaml]\n", "web.yaml": WEB}) == [
        "service-selects-nothing"
    ]


@pytest.mark.parametrize(
    "patches",
    [
        "patches:\n- patch: |-\n    kind: Service\n    metadata: {name: web}\n    spec: {selector: {app: web}}\n",
        "patches:\n- target: {kind: Service}\n  patch: '[{op: replace, path: /spec/selector/app, value: web}]'\n",
        "patches:\n- target: {labelSelector: app=web}\n  patch: '[{op: replace, path: /spec/selector, value: {}}]'\n",
        "patches:\n- path: patch.yaml\n",
        "patches:\n- path: gone.yaml\n",
        "patches:\n- path: broken.yaml\n",
        "patchesStrategicMerge: [patch.yaml]\n",
        "patchesJson6902:\n- {path: json.yaml, target: {version: v1, kind: Service, name: web}}\n",
        "replacements:\n- source: {kind: X}\n  targets: [{select: {kind: Service}, fieldPaths: [spec.selector.app]}]\n",
        # The pods' labels instead of the selector.
        "patches:\n- target: {kind: Deployment}\n  patch: '[{op: remove, path: /spec/template/metadata/labels/app}]'\n",
        # Names, so that nobody knows what is called how.
        "patches:\n- target: {kind: Deployment}\n  patch: '[{op: replace, path: /metadata/namespace, value: x}]'\n",
    ],
)
def test_a_field_that_is_patched_is_not_judged(tmp_path: Path, patches: str) -> None:
    files = {
        "kustomization.yaml": "resources: [web.yaml]\n" + patches,
        "web.yaml": WEB,
        "patch.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}}\n",
        "json.yaml": "- {op: replace, path: /spec/selector/app, value: web}\n",
        "broken.yaml": "apiVersion: v1\nkind: Service\nspec: [\n",
    }
    assert "service-selects-nothing" not in rules_found(tmp_path, files)


@pytest.mark.parametrize(
    "patches",
    [
        "patches:\n- target: {kind: Service}\n  patch: '[{op: replace, path: /spec/type, value: NodePort}]'\n",
        "patches:\n- target: {kind: Service, name: other}\n  patch: '[{op: remove, path: /spec/selector}]'\n",
        "patches:\n- target: {kind: ConfigMap}\n  patch: '[{op: remove, path: /spec/selector}]'\n",
        "replicas: [{name: web, count: 3}]\n",
        "images: [{name: shop/web, newTag: '2'}]\n",
    ],
)
def test_a_patch_of_something_else_changes_nothing(tmp_path: Path, patches: str) -> None:
    files = {"kustomization.yaml": "resources: [web.yaml]\n" + patches, "web.yaml": WEB}
    assert rules_found(tmp_path, files) == ["service-selects-nothing"]


def test_a_patch_may_use_the_name_that_an_inner_kustomization_gives(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "namePrefix: dev-\nnameSuffix: -v2\nresources: [web.yaml]\n",
        "base/web.yaml": WEB,
        "kustomization.yaml": (
            "resources: [base]\npatches:\n- target: {kind: Service, name: dev-web-v2}\n"
            "  patch: '[{op: remove, path: /spec/selector}]'\n"
        ),
    }
    assert rules_found(tmp_path, files) == []


def test_common_labels_go_into_selectors_too(tmp_path: Path) -> None:
    """They overwrite `app` in pods and selectors alike."""
    for labels in ("commonLabels: {app: shop}\n", "labels: [{pairs: {app: shop}, includeSelectors: true}]\n"):
        files = {"kustomization.yaml": f"{labels}resources: [db.yaml]\n", "db.yaml": DB}
        assert rules_found(tmp_path, files) == [], labels


def test_common_labels_are_selected(tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": "commonLabels: {team: shop}\nresources: [web.yaml]\n",
        "web.yaml": WEB.replace("{app: wbe}", "{team: shop}"),
    }
    assert rules_found(tmp_path, files) == []
    assert rules_found(tmp_path, {"kustomization.yaml": "resources: [web.yaml]\n"}) == ["service-selects-nothing"]


def test_generated_objects_exist_and_their_keys_are_known(tmp_path: Path) -> None:
    for generator, expected in (
        ("", ["config-reference-missing"]),
        ("configMapGenerator: [{name: settings, literals: [LEVEL=info]}]\n", []),
        ("configMapGenerator: [{name: settings, literals: [LEVLE=info]}]\n", ["config-reference-missing"]),
        ("configMapGenerator: [{name: settings, envs: [x.env]}]\n", []),
        ("configMapGenerator: [{name: '${NAME}', envs: [x.env]}]\n", []),
        ("secretGenerator: [{name: settings, literals: [LEVEL=info]}]\n", ["config-reference-missing"]),
    ):
        files = {"kustomization.yaml": generator + "resources: [job.yaml]\n", "job.yaml": JOB}
        assert rules_found(tmp_path, files) == expected, generator


def test_an_overlay_generates_what_its_base_refers_to(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "resources: [job.yaml]\n",
        "base/job.yaml": JOB,
        "prod/kustomization.yaml": (
            "resources: [../base]\nconfigMapGenerator: [{name: settings, literals: [LEVEL=info]}]\n"
        ),
    }
    assert rules_found(tmp_path, files) == []


def test_remote_resources_make_every_absence_unknown(tmp_path: Path) -> None:
    for entry in ("https://example.com/all.yaml", "github.com/owner/repo?ref=v1", "not-here.yaml", "../outside"):
        files = {
            "kustomization.yaml": f"resources: [web.yaml, job.yaml, '{entry}']\n",
            "web.yaml": WEB,
            "job.yaml": JOB,
        }
        assert rules_found(tmp_path, files) == [], entry


def test_patches_and_generator_files_are_counted_and_not_checked(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "kustomization.yaml": (
                "resources: [web.yaml]\npatches: [{path: patch.yaml}]\n"
                "configMapGenerator: [{name: a, files: [config.yaml]}]\ntransformers: [t.yaml]\n"
            ),
            "web.yaml": WEB,
            "patch.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: }\n",
            "config.yaml": "apiVersion: v1\nkind: Service\nspec: [\n",
            "t.yaml": "apiVersion: builtin\nkind: LabelTransformer\n",
        },
    )
    outcome = lint(tmp_path, select=["ALL"])
    assert {entry.path: (entry.status, entry.reason) for entry in outcome.ledger} == {
        "config.yaml": ("not-checked", "kustomize-data"),
        "kustomization.yaml": ("not-checked", "kustomization"),
        "patch.yaml": ("not-checked", "kustomize-patch"),
        "t.yaml": ("not-checked", "kustomize-data"),
        "web.yaml": ("checked", ""),
    }
    assert {finding.path for finding in outcome.findings} <= {"web.yaml"}


def test_a_file_that_is_both_a_resource_and_a_patch_is_checked(tmp_path: Path) -> None:
    files = {"kustomization.yaml": "resources: [web.yaml]\npatches: [{path: web.yaml}]\n", "web.yaml": WEB}
    write(tmp_path, files)
    assert lint(tmp_path).resources == 2


def test_what_looks_like_a_patch_may_be_what_a_selector_is_for(tmp_path: Path) -> None:
    """A Deployment without an image is not checked, so nobody knows that nothing has its labels."""
    part = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: part}\nspec:\n  template:\n    metadata:\n"
    files = {"web.yaml": WEB, "part.yaml": part + "      labels: {app: wbe}\n"}
    assert rules_found(tmp_path, files) == []
    assert rules_found(tmp_path, {**files, "part.yaml": part + "      labels: {app: other}\n"}) == [
        "service-selects-nothing"
    ]


HALF = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: shop/web:1
        livenessProbe: {httpGet: {path: /, port: http}}
        resources: {requests: {cpu: "2"}, limits: {cpu: "1"}}
        volumeMounts: [{name: data, mountPath: /data}]
"""


@pytest.mark.parametrize(
    ("patch", "left"),
    [
        ("[{op: add, path: /spec/replicas, value: 2}]", ["mount", "probe", "request", "root"]),
        (
            "[{op: add, path: /spec/template/spec/volumes, value: [{name: data, emptyDir: {}}]}]",
            ["probe", "request", "root"],
        ),
        (
            "[{op: add, path: /spec/template/spec/containers/0/ports, value: [{name: http, containerPort: 80}]}]",
            ["mount", "request", "root"],
        ),
        (
            "[{op: replace, path: /spec/template/spec/containers/0/resources/limits/cpu, value: '2'}]",
            ["mount", "probe", "root"],
        ),
        (
            "[{op: add, path: /spec/template/spec/securityContext, value: {runAsNonRoot: true}}]",
            ["mount", "probe", "request"],
        ),
    ],
)
def test_a_field_is_not_judged_by_one_that_is_patched(tmp_path: Path, patch: str, left: list[str]) -> None:
    rules = {
        "mount": "volume-mount-unresolved",
        "probe": "probe-port-unresolved",
        "request": "request-exceeds-limit",
        "root": "run-as-non-root",
    }
    files = {
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "base/web.yaml": HALF,
        "prod/kustomization.yaml": (
            f"resources: [../base]\npatches:\n- target: {{kind: Deployment}}\n  patch: |-\n    {patch}\n"
        ),
    }
    write(tmp_path, files)
    found = sorted(finding.rule for finding in lint(tmp_path, select=list(rules.values())).findings)
    assert found == sorted(rules[one] for one in left)
