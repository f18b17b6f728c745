"""What a small run imports: start-up is most of the time that one manifest takes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from kubelint_ack.cli import COMMANDS

ROOT = Path(__file__).parent.parent

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example.com/web:1.0
        resources:
          requests: {cpu: 100m, memory: 128Mi}
          limits: {cpu: 50m, memory: 128Mi}
"""

NOT_NEEDED = {
    *("dataclasses", "decimal", "difflib", "fractions", "hashlib", "ipaddress", "logging", "pathlib", "tempfile"),
    *("importlib.metadata", "multiprocessing", "traceback"),
    *("jsonschema", "msgspec", "pathspec", "rich", "ruamel", "sarif_om", "tomllib", "tomli"),
    *("kubelint_ack.cache", "kubelint_ack.configfile", "kubelint_ack.cron", "kubelint_ack.discover"),
    *("kubelint_ack.docs", "kubelint_ack.validation"),
    *("kubelint_ack.cli.configure", "kubelint_ack.cli.pages", "kubelint_ack.cli.queries"),
    *("kubelint_ack.checks.ingress", "kubelint_ack.checks.rbac", "kubelint_ack.checks.service"),
}
"""Where nothing that is written, found or asked for needs them. (In a checkout PyYAML reads the rule files.)"""


def imported(
    folder: Path, manifest: str, arguments: Sequence[str] = ("check", "--isolated", "one.yaml")
) -> tuple[str, set[str]]:
    """What a run on one manifest prints, and the modules that it imports."""
    (folder / "one.yaml").write_text(manifest, encoding="utf-8")
    # `-X importtime` does not show what `importlib.import_module` imports.
    code = "import sys; from kubelint_ack.cli import entry\ntry: entry()\nfinally: print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", code, *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("KUBELINT_ACK_", "COV"))}
    result = subprocess.run(
        command, cwd=folder, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    return result.stdout, set(result.stderr.split())


def test_a_run_on_one_deployment_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    output, modules = imported(tmp_path, DEPLOYMENT)
    assert "KLA1501" in output, "there is a finding to report"
    assert modules >= {"click", "yaml", "kubelint_ack.engine", "kubelint_ack.checks.container"}
    assert NOT_NEEDED & modules == set()


SCHEMAS = {f"kubelint_ack.{name}" for name in ("apis", "conformance", "constraints")}


def test_a_run_without_built_in_kinds_needs_no_schemas(tmp_path: Path) -> None:
    custom = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: one}\n"
    assert imported(tmp_path, custom)[1] & SCHEMAS == set()
    assert imported(tmp_path, DEPLOYMENT)[1] >= SCHEMAS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_not_import_the_others(tmp_path: Path, command: str) -> None:
    output, modules = imported(tmp_path, "", [command, "--help"])
    assert f" {command} [OPTIONS]" in output
    assert {name for name in COMMANDS.values() if f"kubelint_ack.cli.{name}" in modules} == {COMMANDS[command]}
