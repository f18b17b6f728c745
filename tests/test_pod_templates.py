"""Pod templates inside custom resources: every one of them is seen by the rules about pods."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import lint, marked_lines, write

from kubelint_ack.resource import resources
from kubelint_ack.views import POD_ROUTES, Workload, pod_templates, view, views

LATEST = "{spec: {containers: [{name: main, image: nginx}]}}"


def nested(group: str, kind: str) -> str:
    """An object with a pod template at each of the places of its kind; under a `*` there are two."""
    lines = [f"apiVersion: {group}/v1", f"kind: {kind}", "metadata: {name: a}"]
    tree: dict[str, object] = {}
    for route in POD_ROUTES[(group, kind)]:
        node = tree
        for step in route[:-1]:
            node = node.setdefault(str(step), {})  # type: ignore[assignment]
        node[str(route[-1])] = None
    lines += [line for key, value in tree.items() for line in written(key, value, 0)]
    return "\n".join(lines) + "\n"


def written(key: str, value: object, indent: int) -> list[str]:
    space = "  " * indent
    if value is None:
        return [f"{space}{key}: {LATEST}  # <- finding"]
    assert isinstance(value, dict)
    below = value.get("*")
    if isinstance(below, dict):
        ((inner, rest),) = below.items()
        items = []
        for _ in range(2):
            first, *more = written(inner, rest, indent + 2)
            items += [f"{space}  - {first.strip()}", *more]
        return [f"{space}{key}:", *items]
    return [f"{space}{key}:", *(line for name, inner in value.items() for line in written(name, inner, indent + 1))]


@pytest.mark.parametrize(
    ("group", "kind"), [family for family in POD_ROUTES if "." in family[0]], ids=lambda part: str(part)
)
def test_every_template_of_a_known_kind_is_seen(group: str, kind: str, tmp_path: Path) -> None:
    text = nested(group, kind)
    write(tmp_path, {"a.yaml": text})
    found = [finding.place.span.line for finding in lint(tmp_path, select=["image-latest-tag"]).findings]
    assert found == marked_lines(text) != []


def test_replicas_by_name_are_templates_each() -> None:
    replicas = {name: {"template": {"spec": {}}} for name in ("Master", "Worker")}
    data = {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "spec": {"pytorchReplicaSpecs": replicas}}
    (one,), _ = resources(data)
    lenses = [lens for lens in views(one) if isinstance(lens, Workload)]
    assert [lens.pod_route[2] for lens in lenses] == ["Master", "Worker"]
    assert [lens.further for lens in lenses] == [False, True]


@pytest.mark.parametrize("spec", [None, {}, [], {"tasks": 3}, {"tasks": [None, {"template": []}]}])
def test_a_resource_without_its_templates_is_no_workload(spec: object) -> None:
    (one,), _ = resources({"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "spec": spec})
    assert pod_templates(one) == []
    assert not isinstance(view(one), Workload)


VOLCANO = """\
apiVersion: batch.volcano.sh/v1alpha1
kind: Job
metadata: {name: train, annotations: {a: b}}
spec:
  tasks:
    - template:
        metadata: {annotations: {kubelint-ack.io/ignore: image-latest-tag}}
        spec: {containers: [{name: main, image: nginx}]}
    - template:
        spec:
          containers:
            - name: main
              image: nginx  # <- finding
"""


def test_an_annotation_of_a_template_counts_for_that_template(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": VOLCANO})
    outcome = lint(tmp_path, select=["image-latest-tag"])
    assert [finding.place.span.line for finding in outcome.findings] == marked_lines(VOLCANO)
    assert len(outcome.suppressed) == 1


def test_what_a_further_template_refers_to_is_looked_up(tmp_path: Path) -> None:
    text = """\
apiVersion: apps.kruise.io/v1alpha1
kind: UnitedDeployment
metadata: {name: web}
spec:
  template:
    statefulSetTemplate: {spec: {template: {spec: {containers: []}}}}
    cloneSetTemplate:
      spec: {template: {spec: {containers: [{envFrom: [{configMapRef: {name: settings}}]}]}}}
"""
    write(tmp_path, {".kubelint-ack.yaml": "complete: true\n", "a.yaml": text})
    findings = lint(tmp_path, select=["config"]).findings
    assert [finding.place.field for finding in findings] == [
        "spec.template.cloneSetTemplate.spec.template.spec.containers[0].envFrom[0].configMapRef.name"
    ]
    assert lint(tmp_path, select=["duplicate-resource"]).findings == ()


def test_the_configuration_adds_kinds_with_several_templates(tmp_path: Path) -> None:
    settings = """\
workloads:
  - {kind: example.com/Farm, path: spec.head}
  - {kind: example.com/Farm, path: spec.groups.*.template}
"""
    text = f"""\
apiVersion: example.com/v1
kind: Farm
metadata: {{name: a}}
spec:
  head: {LATEST}  # <- finding
  groups:
    - template: {LATEST}  # <- finding
    - template: {LATEST}  # <- finding
"""
    write(tmp_path, {".kubelint-ack.yaml": settings, "a.yaml": text})
    found = [finding.place.span.line for finding in lint(tmp_path, select=["image-latest-tag"]).findings]
    assert found == marked_lines(text)


ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelctor: {a: b}  # <- finding
      containers:
        - name: web
          image: nginx:1.27
          ports: [{containerPort: http}]  # <- finding
"""


def test_templates_are_judged_as_pods_are_with_warnings(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": ROLLOUT})
    outcome = lint(tmp_path, select=["unknown-field", "wrong-type"])
    assert [finding.place.span.line for finding in outcome.findings] == marked_lines(ROLLOUT)
    assert {finding.severity for finding in outcome.findings} == {"warning"}
    assert [(entry.status, entry.reason) for entry in outcome.ledger] == [("partly", "no-schema")]


def test_a_definition_that_refuses_the_template_is_the_one_that_speaks(tmp_path: Path) -> None:
    definition = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: rollouts.argoproj.io}
spec:
  group: argoproj.io
  names: {plural: rollouts, kind: Rollout}
  scope: Namespaced
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                template:
                  type: object
                  properties:
                    metadata: {type: object, x-kubernetes-preserve-unknown-fields: true}
                    spec:
                      type: object
                      properties:
                        containers:
                          type: array
                          items: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
    write(tmp_path, {"a.yaml": ROLLOUT, "crd.yaml": definition})
    findings = lint(tmp_path, select=["unknown-field", "wrong-type"]).findings
    assert [(finding.rule, finding.severity) for finding in findings] == [
        ("unknown-field", "error"),
        ("wrong-type", "warning"),
    ]
