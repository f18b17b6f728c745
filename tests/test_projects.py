"""Small repositories as people keep them, each with the findings that a careful reader would expect.

`expected.txt` has a line for each finding, as `path:line:column: severity CODE[rule]`, with ` only in TARGETS` where
it does not hold everywhere; what follows `  # ` says why it is right. What is not listed must not be found.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from harness import lint

from kubelint_ack import catalog, config, configfile, engine, sources
from kubelint_ack.cli import main

CASES = sorted(path.parent for path in (Path(__file__).parent / "projects").glob("*/expected.txt"))


def expected(case: Path) -> list[str]:
    lines = (case / "expected.txt").read_text(encoding="utf-8").splitlines()
    return [line.partition("  # ")[0].rstrip() for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_found_is_what_a_reader_expects(case: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(case, tmp_path / "project")
    root = str(folder)
    own = config.find_config(root)
    given = configfile.load(own, root, explicit=False) if own else config.DEFAULT
    inputs = sources.collect([root], root=root, has_root=True, exclude=(".kubelint-ack.yaml",))
    active = catalog.select(presets=given.presets, extend_select=given.extend_select, settings=given.rules)
    lines = []
    for finding in engine.run(engine.Request(inputs, given, active, jobs=1)).findings:
        span, code = finding.place.span, active[finding.rule].rule.code
        line = f"{finding.path}:{span.line}:{span.column}: {finding.severity} {code}[{finding.rule}]"
        lines.append(line + (f" only in {', '.join(finding.targets)}" if finding.partial else ""))
    assert lines == expected(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_command_line_says_the_same(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shutil.copytree(case, tmp_path / "project"))
    result = CliRunner().invoke(main, ["check", "--root", ".", "--format", "concise"], catch_exceptions=False)
    assert [line.partition("] ")[0] + "]" for line in result.stdout.splitlines()] == [
        line.partition(" only in ")[0] for line in expected(case)
    ]
    assert result.exit_code == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case_is_about_what_it_says(case: Path) -> None:
    """A case without findings, or one whose files are all broken, would prove nothing."""
    assert expected(case)
    assert any(entry.status == "checked" for entry in lint(case).ledger)
