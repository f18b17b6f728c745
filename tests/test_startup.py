"""What a small run imports: start-up is most of the time that one manifest takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
    *("kubelint_ack.checks.ingress", "kubelint_ack.checks.rbac", "kubelint_ack.checks.service"),
}
"""Where nothing that is written, found or asked for needs them. (In a checkout PyYAML reads the rule files.)"""


def test_a_run_on_one_deployment_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    # `-X importtime` does not show what `importlib.import_module` imports.
    code = "import sys; from kubelint_ack.cli import entry\ntry: entry()\nfinally: print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", code, "check", "--isolated", "one.yaml"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("KUBELINT_ACK_", "COV"))}
    result = subprocess.run(
        command, cwd=tmp_path, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert "KLA1501" in result.stdout, "there is a finding to report"
    imported = set(result.stderr.split())
    assert imported >= {"click", "yaml", "kubelint_ack.engine", "kubelint_ack.checks.container"}
    assert NOT_NEEDED & imported == set()
