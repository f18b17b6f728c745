"""One finding for each mistake that the API server refuses: with every rule of preset `default`, and the schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubelint_ack import catalog
from kubelint_ack.records import Finding
from tests.harness import lint, marked_lines, write
from tests.test_rules import CONTENT, NEEDS, example_files

RESTATING = {name for name, rule in CONTENT.items() if "api-server" in rule.get("tags", ())}
MISTAKES = [
    (name, number)
    for name, rule in CONTENT.items()
    if name in RESTATING
    for number, example in enumerate(rule["examples"])
    if "bad" in example
]
DEFAULT = {rule.name for rule in catalog.rules().values() if "default" in rule.presets}


@pytest.mark.parametrize(("name", "number"), MISTAKES, ids=[f"{name}-{number}" for name, number in MISTAKES])
def test_every_mistake_is_one_finding(name: str, number: int, tmp_path: Path) -> None:
    """A bad example of a rule about the API server has its findings, and no second one about the same mistake."""
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    texts = example_files(CONTENT[name]["examples"][number])
    write(tmp_path, texts)
    found = sorted(
        (one.path, one.place.span.line, one.rule)
        for one in lint(tmp_path).findings
        # A warning of another kind is about something else that the example leaves out: a Service, a limit.
        if one.rule in DEFAULT and (one.rule in RESTATING or one.severity == "error" or _is_marked(texts, one))
    )
    expected = sorted((path, line, name) for path, content in texts.items() for line in marked_lines(content))
    assert found == expected


def _is_marked(texts: dict[str, str], finding: Finding) -> bool:
    return finding.place.span.line in marked_lines(texts[finding.path])


def test_enough_mistakes_are_shown() -> None:
    count = 0
    for name, number in MISTAKES:
        texts: dict[str, Any] = example_files(CONTENT[name]["examples"][number])
        count += sum(len(marked_lines(content)) for content in texts.values())
    assert count >= 150
