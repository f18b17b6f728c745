"""Whole runs through the command line: exit codes, formats, context, environments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from kubelint_ack.cli import main
from kubelint_ack.data import read_data
from tests.harness import write

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels:
        app: web
    spec:
      nodeSelector:
        group: web
      containers: [{name: web, image: "nginx:1.27"}]
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector:
    app: web
  ports: [{port: 80}]
"""
BROKEN_SERVICE = SERVICE.replace("app: web", "app: wbe")


def run(folder: Path, *arguments: str, stdin: str | None = None) -> Result:
    """A run with this folder as the root."""
    result = CliRunner().invoke(main, ["check", "--root", str(folder), *arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def report(folder: Path, *arguments: str, stdin: str | None = None) -> dict[str, Any]:
    """The JSON report of a run, checked against its schema."""
    data: dict[str, Any] = json.loads(run(folder, "-f", "json", *arguments, stdin=stdin).stdout)
    jsonschema.validate(data, json.loads(read_data("schemas/report.schema.json")))
    return data


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (SERVICE, (), 0),
        (BROKEN_SERVICE, (), 1),
        (BROKEN_SERVICE, ("--fail-on", "error"), 0),
        (BROKEN_SERVICE, ("--fail-on", "never"), 0),
        (BROKEN_SERVICE, ("--ignore", "service"), 0),
        ("a: [\napiVersion: v1\nkind: Pod\n", (), 1),
        ("values: 1\n", ("--error-on-no-manifests",), 2),
        (SERVICE, ("--select", "no-such-rule"), 2),
        (SERVICE, ("--output", "pdf=x.pdf"), 2),
        (SERVICE, ("--kubernetes-version", "latest"), 2),
    ],
)
def test_exit_codes(text: str, options: tuple[str, ...], expected: int, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": text, "b.yaml": DEPLOYMENT if "Service" in text else "# nothing\n"})
    assert run(tmp_path, *options, str(tmp_path)).exit_code == expected


def test_path_that_does_not_exist_is_exit_code_2_and_suggests_a_name(tmp_path: Path) -> None:
    write(tmp_path, {"deploy/web.yaml": SERVICE})
    result = run(tmp_path, str(tmp_path / "deplyo"))
    assert result.exit_code == 2
    assert "deploy" in result.stderr


def test_json_has_every_promised_field_and_counts_that_add_up(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "service.yaml": BROKEN_SERVICE, "notes.yaml": "just: text\n"})
    data = report(tmp_path, str(tmp_path))
    (finding,) = data["findings"]
    assert finding["rule"] == "service-selects-nothing"
    assert (finding["path"], finding["line"], finding["field"]) == ("service.yaml", 5, "spec.selector")
    assert finding["resource"] == {"kind": "Service", "namespace": None, "name": "web", "api_version": "v1"}
    assert finding["related"][0]["path"] == "web.yaml"
    files = data["summary"]["files"]
    assert files == {"total": 3, "checked": 2, "partly": 0, "not_checked": 1}
    assert [entry["path"] for entry in data["files"]] == ["notes.yaml", "service.yaml", "web.yaml"]


def test_a_changed_deployment_reports_the_service_that_was_not_named(tmp_path: Path) -> None:
    relabelled = DEPLOYMENT.replace("app: web", "app: frontend")
    write(tmp_path, {"deploy/web.yaml": relabelled, "deploy/service.yaml": SERVICE})
    named = report(tmp_path, str(tmp_path / "deploy/web.yaml"))
    assert [(one["rule"], one["path"]) for one in named["findings"]] == [
        ("service-selects-nothing", "deploy/service.yaml")
    ]
    assert named["summary"]["context_files"] == 1
    assert report(tmp_path, "--no-context", str(tmp_path / "deploy/web.yaml"))["findings"] == []


def test_standard_input_stands_for_the_file_that_it_names(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "service.yaml": SERVICE})
    data = report(tmp_path, "--stdin-filename", str(tmp_path / "service.yaml"), "-", stdin=BROKEN_SERVICE)
    assert [(one["rule"], one["path"]) for one in data["findings"]] == [("service-selects-nothing", "service.yaml")]


def test_environments_are_named_where_a_finding_holds_in_only_some(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "base/web.yaml": DEPLOYMENT,
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "prod/kustomization.yaml": "resources: [../base]\n",
            "test/kustomization.yaml": "resources: [../base]\n",
            ".kubelint-ack.yaml": """\
environments:
  prod: {paths: [prod], cluster: {nodePools: [{name: a, labels: {group: web}}]}}
  test: {paths: [test], cluster: {nodePools: [{name: b, labels: {group: other}}]}}
""",
        },
    )
    data = report(tmp_path, str(tmp_path))
    (finding,) = [one for one in data["findings"] if one["rule"] == "node-selector-no-match"]
    assert finding["targets"] == ["test"]


def test_a_rule_without_its_facts_is_counted_with_the_key(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT})
    unjudged = {one["rule"]: one["needs"] for one in report(tmp_path, str(tmp_path))["not_evaluated"]}
    assert unjudged["node-selector-no-match"] == ["nodePools"]


def test_unknown_key_of_the_configuration_is_placed_and_suggested(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": SERVICE, ".kubelint-ack.yaml": "cluster:\n  provider: ack\n  cnj: flannel\n"})
    result = run(tmp_path, str(tmp_path))
    assert result.exit_code == 2
    assert ".kubelint-ack.yaml:3:3" in result.stderr
    assert "cni" in result.stderr


def test_several_outputs_and_one_that_fails(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": DEPLOYMENT, "service.yaml": BROKEN_SERVICE, "taken/file": "x"})
    good, bad = tmp_path / "out.sarif", tmp_path / "taken/file/out.json"
    result = run(tmp_path, "-o", f"json={bad}", "-o", f"sarif={good}", "-f", "concise", str(tmp_path))
    assert result.exit_code == 2
    assert json.loads(good.read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert "service.yaml:5:3: warning KLA3005" in result.stdout


@pytest.mark.parametrize("width", [60, 80, 200])
def test_text_keeps_to_the_width(width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    write(tmp_path, {"web.yaml": DEPLOYMENT, "service.yaml": BROKEN_SERVICE})
    lines = run(tmp_path, "--lang", "zh", str(tmp_path)).stdout.splitlines()
    from kubelint_ack.report.display import width as cells

    assert any("Service" in line for line in lines)
    assert [line for line in lines if cells(line) > width and "https://" not in line] == []


def test_the_language_of_machine_formats_is_english_unless_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    write(tmp_path, {"web.yaml": DEPLOYMENT, "service.yaml": BROKEN_SERVICE})
    assert report(tmp_path, str(tmp_path))["findings"][0]["message"].isascii()
    assert not report(tmp_path, "--lang", "zh", str(tmp_path))["findings"][0]["message"].isascii()


def test_commands_beside_check(tmp_path: Path) -> None:
    invoke = CliRunner().invoke
    assert "netpol-on-flannel" in invoke(main, ["rules"]).stdout
    assert "privileged-container" in invoke(main, ["explain", "checkov:CKV_K8S_16"]).stdout
    assert json.loads(invoke(main, ["schema", "profile"]).stdout)["type"] == "object"
    assert invoke(main, ["init", str(tmp_path)]).exit_code == 0
    assert invoke(main, ["init", str(tmp_path)]).exit_code == 2, "nothing is overwritten"
    assert invoke(main, ["rule", "no-such"]).exit_code == 2
