"""Settings of a configuration for some files and namespaces."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from kubelint_ack.cli import main
from tests.harness import lint, write

POD = """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: %s}
spec:
  containers:
  - {name: web, image: "nginx:1.27", securityContext: {privileged: true}}
"""


def privileged(folder: Path, *overrides: str) -> dict[str, str]:
    """How severe a privileged container is, by file that is reported."""
    write(folder, {"a.yaml": POD % "dev", "old/b.yaml": POD % "prod", "old/new.yaml": POD % "dev"})
    lines = "".join(f"- {{{override}}}\n" for override in overrides)
    write(folder, {".kubelint-ack.yaml": f"overrides:\n{lines}"})
    return {finding.path: finding.severity for finding in lint(folder, select=["privileged-container"]).findings}


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ("files: [old/, '!old/new.yaml']", ["a.yaml", "old/new.yaml"]),
        ("files: ['**/old/*.yaml']", ["a.yaml"]),
        ("files: ['*.yaml'], namespaces: [pro*]", ["a.yaml", "old/new.yaml"]),
        ("namespaces: [dev]", ["old/b.yaml"]),
    ],
)
def test_a_rule_can_be_off_in_some_files_and_namespaces(tmp_path: Path, where: str, left: list[str]) -> None:
    assert list(privileged(tmp_path, f"{where}, ignore: [privileged-container]")) == left


def test_of_several_overrides_the_last_decides(tmp_path: Path) -> None:
    everywhere = "files: ['*'], severity: {privileged-container: info}"
    old = "files: [old/], severity: {privileged-container: error}"
    assert privileged(tmp_path, everywhere, old) == {"a.yaml": "info", "old/b.yaml": "error", "old/new.yaml": "error"}
    assert set(privileged(tmp_path, old, everywhere).values()) == {"info"}


def test_a_pattern_that_cannot_be_used_is_named_with_its_place(tmp_path: Path) -> None:
    """Without a limit a pattern could keep us busy for years."""
    write(tmp_path, {"a.yaml": POD % "dev"})
    write(tmp_path, {".kubelint-ack.yaml": "overrides:\n- {files: ['*a*a*a*a'], ignore: [ALL]}\n"})
    result = CliRunner().invoke(main, ["check", "--root", str(tmp_path), str(tmp_path)])
    assert result.exit_code == 2
    assert ".kubelint-ack.yaml: overrides[0].files pattern `*a*a*a*a`: not understood" in result.output
