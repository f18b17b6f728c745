"""What becomes of every file and document: the ledger, rules that crash, unknown values, and data never shown."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from harness import lint, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubelint_ack import pool
from kubelint_ack.cli import main
from kubelint_ack.engine import Outcome
from kubelint_ack.records import DocumentEntry, FileEntry, Hit, at

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\n"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: main, image: "shop/web:1", securityContext: {privileged: true}}]}
"""


def ledger(outcome: Outcome) -> dict[str, FileEntry]:
    return {entry.path: entry for entry in outcome.ledger}


def entry_of(tmp_path: Path, text: str | bytes, name: str = "file.yaml", *, named: bool = False) -> FileEntry:
    """The ledger's entry of one file."""
    write(tmp_path, {name: text})
    (entry,) = lint(tmp_path, [name] if named else []).ledger
    return entry


def states(entry: FileEntry) -> list[tuple[str, str]]:
    return [(document.status, document.reason) for document in entry.documents]


# --- the ledger

WHOLE = {
    "manifest": (CONFIG_MAP.format("a"), "checked", ""),
    "json": ('{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}', "checked", ""),
    "list": ("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap}\n", "checked", ""),
    "typed list": ("apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n", "checked", ""),
    "empty list": ("apiVersion: v1\nkind: List\nitems: []\n", "not-checked", "empty-list"),
    "items that are nothing": ("apiVersion: v1\nkind: List\nitems: [5, null]\n", "not-checked", "list-items"),
    "items some of which are nothing": (
        "apiVersion: v1\nkind: List\nitems: [5, {apiVersion: v1, kind: ConfigMap}]\n",
        "partly",
        "list-items",
    ),
    "empty": ("", "not-checked", "not-kubernetes"),
    "comments only": ("# apiVersion: v1\n# kind: Pod\n---\n# nothing\n", "not-checked", "not-kubernetes"),
    "not Kubernetes": ("services: {web: {image: nginx}}\n", "not-checked", "not-kubernetes"),
    "no mapping": ("- apiVersion: v1\n  kind: Pod\n", "not-checked", "not-kubernetes"),
    "kind that is no string": ("apiVersion: v1\nkind: 5\n", "not-checked", "not-kubernetes"),
    "kustomization by its kind": (
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
        "not-checked",
        "kustomization",
    ),
    "patch by its shape": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 3}\n",
        "not-checked",
        "kustomize-patch",
    ),
    "workload without a spec that is one": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: [{replicas: 3}]\n",
        "checked",
        "",
    ),
    "Job that lacks an image": (
        (
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n"
            "      restartPolicy: Never\n      containers: [{name: a}]\n"
        ),
        "checked",
        "",
    ),
    "patch by its directive": (CONFIG_MAP.format("a") + "data: {$patch: delete}\n", "not-checked", "kustomize-patch"),
    "tool configuration": ("apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n", "not-checked", "tool-configuration"),
    "kubeconfig": ("apiVersion: v1\nkind: Config\nclusters: []\n", "not-checked", "kubeconfig"),
    "template that parses": (CONFIG_MAP.format('"{{ .name }}"'), "partly", "placeholders"),
    "template that does not": (CONFIG_MAP.format("a") + "{{- if .x }}\n", "not-checked", "template"),
    "template of a kind": ('apiVersion: v1\nkind: "{{ .kind }}"\n', "not-checked", "template"),
    "envsubst": (CONFIG_MAP.format('"${NAME}"'), "partly", "placeholders"),
    "encrypted": (
        'apiVersion: v1\nkind: Secret\ndata: {a: "ENC[AES256_GCM,data:x]"}\nsops: {mac: x, lastmodified: y}\n',
        "partly",
        "encrypted",
    ),
    "syntax error": (CONFIG_MAP.format("a") + "data: [\n", "not-checked", "syntax"),
    "control character": (CONFIG_MAP.format("a") + "data: {a: \0}\n", "not-checked", "syntax"),
    "too deep": (CONFIG_MAP.format("a") + "data: " + "[" * 300 + "]" * 300 + "\n", "partly", "limit"),
    "endless": (CONFIG_MAP.format("a") + "data: &a {a: [*a]}\n", "partly", "syntax"),
    "UTF-16": (CONFIG_MAP.format("a").encode("utf-16"), "checked", ""),
    "GB18030": (CONFIG_MAP.format("a").encode() + "data: {a: 中文}\n".encode("gb18030"), "checked", ""),
}


@pytest.mark.parametrize("case", WHOLE)
def test_every_kind_of_input_has_its_reason(tmp_path: Path, case: str) -> None:
    text, status, reason = WHOLE[case]
    entry = entry_of(tmp_path, text)
    assert (entry.status, entry.reason) == (status, reason)
    assert all(document.status == status for document in entry.documents)


def test_a_document_of_three_with_a_syntax_error_leaves_the_others(tmp_path: Path) -> None:
    entry = entry_of(tmp_path, "---\n".join([CONFIG_MAP.format("a"), "kind: [\n", CONFIG_MAP.format("c")]))
    assert (entry.status, entry.reason) == ("partly", "syntax")
    assert entry.documents == (
        DocumentEntry(1, 1, "checked", kind="ConfigMap", name="a"),
        DocumentEntry(2, 5, "not-checked", "syntax"),
        DocumentEntry(3, 7, "checked", kind="ConfigMap", name="c"),
    )


def test_documents_with_different_reasons_give_the_file_several(tmp_path: Path) -> None:
    entry = entry_of(tmp_path, "---\n".join([CONFIG_MAP.format("a"), "kind: [\n", "a: 1\n"]))
    assert (entry.status, entry.reason) == ("partly", "several")
    assert states(entry) == [("checked", ""), ("not-checked", "syntax"), ("not-checked", "not-kubernetes")]


def test_what_is_named_is_read_whatever_it_looks_like(tmp_path: Path) -> None:
    for text, reason in (("", "empty"), ("# nothing\n", "empty"), ("a: 1\n", "not-kubernetes"), ("a: [\n", "syntax")):
        assert entry_of(tmp_path, text, named=True).reason == reason
    write(tmp_path, {"notes.txt": POD})
    assert lint(tmp_path, ["notes.txt"]).resources == 1


def test_a_kustomization_by_its_name(tmp_path: Path) -> None:
    assert entry_of(tmp_path, "resources: []\n", "kustomization.yaml").reason == "kustomization"
    entry = entry_of(tmp_path, "resources: [\n", "kustomization.yaml")
    assert (entry.status, entry.reason) == ("not-checked", "syntax")


def test_a_chart_and_its_values_are_no_manifests(tmp_path: Path) -> None:
    write(tmp_path, {"Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n", "values.yaml": "kind: x\n"})
    assert {entry.reason for entry in lint(tmp_path).ledger} == {"not-kubernetes"}


def test_a_file_that_is_too_large_is_reported(tmp_path: Path) -> None:
    write(tmp_path, {".kubelint-ack.yaml": "max-file-size: 1k\n", "a.yaml": CONFIG_MAP.format("a") + "#" * 1000})
    outcome = lint(tmp_path)
    assert ledger(outcome)["a.yaml"] == FileEntry("a.yaml", "not-checked", "too-large", "1051")
    assert [(finding.rule, finding.message) for finding in outcome.findings] == [("input-limit", "too-large")]


def test_documents_beyond_the_limit_are_not_passed_over_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("events", "tree", "decode", "documents"):
        monkeypatch.setattr(f"kubelint_ack.{module}.MAX_DOCUMENTS", 2, raising=False)
    write(tmp_path, {"a.yaml": "---\n".join(CONFIG_MAP.format(name) for name in "abc")})
    outcome = lint(tmp_path)
    (entry,) = outcome.ledger
    assert (entry.status, entry.reason, len(entry.documents)) == ("partly", "document-limit", 2)
    assert [finding.rule for finding in outcome.findings] == ["input-limit"]


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(tmp_path / "socket.yaml"))
        (tmp_path / "loop.yaml").symlink_to("loop.yaml")
        (tmp_path / "gone.yaml").symlink_to("nowhere.yaml")
        (tmp_path / "out.yaml").symlink_to("/etc/hostname")
        (tmp_path / "self").symlink_to(".")
        write(tmp_path, {"a.yaml": POD})
        outcome = lint(tmp_path)
    assert {entry.path: entry.reason for entry in outcome.ledger} == {
        "a.yaml": "",
        "fifo.yaml": "not-regular-file",
        "gone.yaml": "missing",
        "loop.yaml": "unreadable",
        "out.yaml": "symlink-outside-root",
        "socket.yaml": "not-regular-file",
    }
    assert {finding.path for finding in outcome.findings} == {"a.yaml"}


@pytest.mark.parametrize(("error", "reason"), [(PermissionError(), "permission"), (FileNotFoundError(), "vanished")])
def test_a_file_that_cannot_be_opened_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
) -> None:
    write(tmp_path, {"a.yaml": POD, "b.yaml": POD})
    opened = os.open

    def refuse(path: Any, *rest: Any, **more: Any) -> int:
        if str(path).endswith("a.yaml"):
            raise error
        return opened(path, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    outcome = lint(tmp_path)
    assert ledger(outcome)["a.yaml"] == FileEntry("a.yaml", "not-checked", reason)
    assert outcome.resources == 1
    assert outcome.unreadable == ()
    assert [(one.path, one.reason) for one in lint(tmp_path, ["a.yaml"]).unreadable] == [("a.yaml", reason)]


def test_a_file_that_goes_while_it_is_judged_is_still_judged(tmp_path: Path) -> None:
    """Places of findings are looked up after all files were read."""
    from kubelint_ack import catalog, config, engine, sources

    write(tmp_path, {"a.yaml": CONFIG_MAP.format("a") + "---\n" + CONFIG_MAP.format("a")})
    inputs = sources.collect([str(tmp_path)], root=str(tmp_path), has_root=True)

    def remove(done: int, total: int) -> None:
        (tmp_path / "a.yaml").unlink()

    active = catalog.select(select=["duplicate-resource"])
    (finding,) = engine.run(engine.Request(inputs, config.DEFAULT, active, jobs=1, progress=remove)).findings
    assert (finding.rule, finding.path) == ("duplicate-resource", "a.yaml")


# --- crashes


def crash(*given: Any, **options: Any) -> Iterator[Hit]:
    """A check that fails after its first hit."""
    yield Hit(at("kind"))
    raise RuntimeError("what the rule tripped over")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("security.privileged_container", POD),
        ("service.service_selects_nothing", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {}\n"),
    ],
)
def test_a_rule_that_crashes_is_a_finding_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    rule = name.partition(".")[2].replace("_", "-")
    monkeypatch.setattr(f"kubelint_ack.checks.{name}", crash)
    write(
        tmp_path,
        {
            "a.yaml": text + "---\n" + text,
            "b.yaml": POD.replace("web", "other") + "---\n" + "kind: [\napiVersion: v1\n",
        },
    )
    outcome = lint(tmp_path)
    assert outcome.crashed
    crashes = [finding for finding in outcome.findings if finding.rule == "rule-crash"]
    assert {(one.path, one.severity, one.values["rule"]) for one in crashes} >= {("a.yaml", "error", rule)}
    assert len({one.path for one in crashes}) == len(crashes), "once for each file"
    assert crashes[0].values["error"] == "RuntimeError"
    assert re.fullmatch(r"test_scan\.py:\d+", crashes[0].values["where"])
    assert {"yaml-syntax", "run-as-non-root"} <= {finding.rule for finding in outcome.findings}


def test_a_crash_in_the_context_is_reported_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a run would end with exit code 2 and not a word."""
    monkeypatch.setattr("kubelint_ack.checks.security.privileged_container", crash)
    write(tmp_path, {"a.yaml": CONFIG_MAP.format("a"), "b.yaml": POD})
    outcome = lint(tmp_path, ["a.yaml"])
    assert [(finding.path, finding.rule) for finding in outcome.findings] == [("b.yaml", "rule-crash")]


def test_an_ignored_crash_still_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubelint_ack.checks.security.privileged_container", crash)
    write(tmp_path, {"a.yaml": POD})
    outcome = lint(tmp_path, select=["privileged-container"])
    assert outcome.crashed
    from kubelint_ack import catalog, config, engine, sources

    active = catalog.select(select=["privileged-container"], ignore=["rule-crash"])
    inputs = sources.collect([str(tmp_path)], root=str(tmp_path), has_root=True)
    outcome = engine.run(engine.Request(inputs, config.DEFAULT, active, jobs=1))
    assert outcome.crashed
    assert [finding.rule for finding in outcome.findings if finding.rule == "rule-crash"] == []


def test_a_file_that_makes_the_linter_fail_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = pool.scan

    def fail(path: str, *rest: Any) -> Any:
        if path == "a.yaml":
            raise RuntimeError("token")
        return scan(path, *rest)

    monkeypatch.setattr(pool, "scan", fail)
    write(tmp_path, {"a.yaml": POD, "b.yaml": POD})
    outcome = lint(tmp_path, select=["privileged-container"])
    assert outcome.crashed
    assert [(finding.path, finding.rule) for finding in outcome.findings] == [
        ("a.yaml", "rule-crash"),
        ("b.yaml", "privileged-container"),
    ]
    assert ledger(outcome)["a.yaml"] == FileEntry("a.yaml", "not-checked", "crash")


# --- unknown values


def point_everywhere(lens: Any, profile: Any) -> Iterator[Hit]:
    """A check that finds everything wrong."""
    for route in (("metadata", "name"), ("metadata", "labels"), ("metadata", "labels", "a"), ("spec", "x", 0, "y")):
        yield Hit(at(*route))


def test_hits_on_unknown_values_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubelint_ack.checks.security.privileged_container", point_everywhere)
    text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}\n  labels: {}\nspec: {{x: [{}]}}\n"
    write(tmp_path, {"a.yaml": text.format('"{{ .n }}"', "${L}", '"${X}"'), "b.yaml": text.format("n", "l", "x")})
    found = lint(tmp_path, select=["privileged-container"]).findings
    assert [finding.path for finding in found] == ["b.yaml"] * 4


def test_no_rule_calls_a_template_wrong(tmp_path: Path) -> None:
    """Every scalar that a rule reads may be unknown before rendering."""
    text = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: "${V}", labels: {app: "{{ .V }}"}, annotations: {a: "${V}"}}
spec:
  replicas: ${V}
  selector: {matchLabels: {app: "${V}"}}
  template:
    metadata: {labels: {app: "{{ .V }}"}}
    spec:
      nodeSelector: {disk: "${V}"}
      hostNetwork: ${V}
      restartPolicy: ${V}
      securityContext: {runAsNonRoot: "${V}"}
      volumes: [{name: "${V}", configMap: {name: "${V}"}}]
      containers:
      - name: main
        image: ${V}
        securityContext: {privileged: "${V}"}
        ports: [{name: "${V}", containerPort: "${V}"}]
        resources: {requests: {cpu: "${V}"}, limits: {cpu: "${V}"}}
        volumeMounts: [{name: "${V}", mountPath: "${V}"}]
        env: [{name: "${V}", valueFrom: {configMapKeyRef: {name: "${V}", key: "${V}"}}}]
        readinessProbe: {httpGet: {port: "${V}"}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: ${V}
  clusterIP: ${V}
  selector: {app: "${V}"}
  ports: [{port: "${V}", targetPort: "${V}", nodePort: "${V}"}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
  - http: {paths: [{path: "${V}", pathType: "${V}", backend: {service: {name: "${V}", port: {number: "${V}"}}}}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {kind: "${V}", name: "${V}"}, minReplicas: "${V}", maxReplicas: "${V}"}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: "${V}", selector: {matchLabels: {app: "${V}"}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: web}
spec: {accessModes: ["${V}"], storageClassName: "${V}", resources: {requests: {storage: "${V}"}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: web}
spec: {schedule: "${V}"}
"""
    write(tmp_path, {"a.yaml": text, ".kubelint-ack.yaml": "complete: true\ncluster: {provider: ack, cni: flannel}\n"})
    outcome = lint(tmp_path)
    assert [(finding.rule, finding.place.field) for finding in outcome.findings if finding.severity == "error"] == []
    assert {finding.rule for finding in outcome.findings} <= {"run-as-non-root"}


# --- what is never shown

TOKEN = "T0pS3cret"
COPY = "kubectl.kubernetes.io/last-applied-configuration"

WRITTEN = (
    "TOKEN",
    '"TOKEN"',
    "'TOKEN'",
    "*TOKEN",
    "!TOKEN x",
    "|\n      TOKEN\n      # TOKEN",
    "TOKEN: TOKEN",
    "[TOKEN]",
    "{a: TOKEN}",
    "&a TOKEN",
    "% TOKEN",
    "@TOKEN",
    "`TOKEN",
    "TOKEN # TOKEN",
    "{{ TOKEN }}",
    "${TOKEN}",
    "TOKEN\n    TOKEN",
    "- TOKEN",
    '"TOKEN',
    "TOKEN\0",
)
"""Values as they may be written, some of which are no YAML."""

VALUE = st.sampled_from(WRITTEN).map(lambda text: text.replace("TOKEN", TOKEN))
COMMENT = st.sampled_from(
    ["", "  # kubelint-ack: ignore[nope]", "  # kubelint-ack: ignore[privileged-container]", "  # x"]
)
ENTRY = st.tuples(st.sampled_from("abc"), VALUE, COMMENT).map(lambda one: f"    {one[0]}: {one[1]}{one[2]}\n")
FIELD = st.tuples(st.sampled_from(["data", "stringData"]), COMMENT, st.lists(ENTRY, max_size=4)).map(
    lambda one: f"  {one[0]}:{one[1]}\n" + "".join(one[2])
)
HEAD = st.sampled_from(
    [
        "  apiVersion: v1\n  kind: Secret\n  metadata: {name: a}\n",
        "  kind: Secret\n  apiVersion: v1\n  metadata: {name: a, name: b}  # kubelint-ack: ignore[nope]\n",
        f"  apiVersion: v1\n  kind: Secret\n  metadata: {{annotations: {{n: 5, {COPY}: '{TOKEN}'}}}}\n",
        "  apiVersion: v1\n  kind: 'Secret'\n  metadata: {name: a, annotations: {kubelint-ack.io/ignore: nope}}\n",
    ]
)
OBJECT = st.tuples(HEAD, st.lists(FIELD, min_size=1, max_size=2)).map(lambda one: one[0] + "".join(one[1]))


def as_document(text: str) -> str:
    return "".join(line[2:] + "\n" for line in text.splitlines())


def as_item(text: str) -> str:
    return "apiVersion: v1\nkind: List\nitems:\n- " + text[2:]


def as_patch(text: str) -> str:
    return as_document(text) + "$patch: replace\n"


def as_template(text: str) -> str:
    return as_document(text) + "{{ if x }}\n"


def as_kubeconfig(text: str) -> str:
    return "apiVersion: v1\nkind: Config\nclusters: []\nusers:\n- " + text[2:].replace("kind: Secret", "name: a")


FORMATS = ("text", "concise", "json", "sarif", "github")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OBJECT, st.sampled_from([as_document, as_item, as_patch, as_template, as_kubeconfig]))
def test_data_of_secrets_is_in_no_report(repo: Path, text: str, shape: Any) -> None:
    (repo / "a.yaml").write_text(shape(text))
    outputs = [f"--output={format}={repo.parent / format}" for format in FORMATS]
    options = ["--select=ALL", "--show-suppressed", "--no-cache", "--quiet", *outputs]
    result = CliRunner().invoke(main, ["check", "a.yaml", *options], catch_exceptions=False)
    assert result.exit_code in (0, 1)
    for format in FORMATS:
        shown = (repo.parent / format).read_text()
        # Only a key is shown: it is what a finding about it must name.
        keys = re.findall(rf"^ *{TOKEN}: ", shape(text), re.MULTILINE)
        assert keys or TOKEN not in shown, (format, shown)
    assert TOKEN not in result.output


@pytest.mark.parametrize(
    "files",
    [
        {
            "a.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: a}  # kubelint-ack: ignore[nope]\n"
            f"data:\n  a: |\n    # kubelint-ack: ignore[{TOKEN}]\n"
        },
        {"kustomization.yaml": f"secretGenerator:\n- name: a\n  literals: [p={TOKEN}]  # kubelint-ack: ignore[nope]\n"},
        {
            "kustomization.yaml": "patches: [{path: p.yaml}]\n",
            "p.yaml": f"kind: Secret\napiVersion: v1\ndata: {{p: {TOKEN}}}  # kubelint-ack: ignore[nope]\n",
        },
        {
            "a.yaml": f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a, annotations: &a {{p: {TOKEN}}}}}\n"
            "data:  # kubelint-ack: ignore[nope]\n  <<: *a\n"
        },
        {"a.yaml": f"apiVersion: v1\nkind: Secret\nx: &a {TOKEN}\ndata:  # kubelint-ack: ignore[nope]\n  p: *a\n"},
    ],
)
def test_secrets_in_other_shapes_are_in_no_report(repo: Path, files: dict[str, str]) -> None:
    write(repo, files)
    for format in FORMATS:
        result = CliRunner().invoke(main, ["check", "--select=ALL", "--no-cache", "-f", format], catch_exceptions=False)
        assert "nope" in result.output
        assert TOKEN not in result.output, (format, result.output)


def test_a_rule_that_crashes_over_a_secret_does_not_quote_it(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leak(lens: Any, *given: Any, **options: Any) -> Iterator[Hit]:
        raise ValueError(TOKEN)
        yield

    monkeypatch.setattr("kubelint_ack.checks.manifest.annotation_value_not_string", leak)
    write(repo, {"a.yaml": f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData: {{p: {TOKEN}}}\n"})
    for format in FORMATS:
        result = CliRunner().invoke(main, ["check", "--no-cache", "-f", format], catch_exceptions=False)
        assert result.exit_code == 2
        assert "ValueError" in result.output
        assert TOKEN not in result.output


def test_the_counts_of_a_report_are_those_of_its_ledger(repo: Path) -> None:
    write(repo, {f"{number}.yaml": text for number, (text, _, _) in enumerate(WHOLE.values())})
    result = CliRunner().invoke(main, ["check", "-f", "json", "--no-cache"], catch_exceptions=False)
    report = json.loads(result.stdout)
    files, documents = report["summary"]["files"], report["summary"]["documents"]
    assert len(report["files"]) == files["total"] == len(WHOLE)
    assert files["total"] == files["checked"] + files["partly"] + files["not_checked"]
    listed = [one for file in report["files"] for one in file.get("documents", [])]
    assert len(listed) == documents["total"] == documents["checked"] + documents["partly"] + documents["not_checked"]
