"""Every rule file is valid and paired with its check, and its examples hold."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from kubelint_ack import catalog
from kubelint_ack.profile import legal_need
from tests.harness import lint, marked_lines, write

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "rules").glob("*/*.yaml"))
CONTENT: dict[str, dict[str, Any]] = {
    path.stem: yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader) for path in FILES
}
EXAMPLES = [(name, number) for name, rule in CONTENT.items() for number in range(len(rule["examples"]))]


def test_rule_files_are_valid() -> None:
    schema = json.loads((ROOT / "schemas/rule.schema.json").read_bytes())
    validator = jsonschema.Draft202012Validator(schema)
    wrong = [
        f"{path.name}: {error.json_path}: {error.message}"
        for path in FILES
        for error in validator.iter_errors(CONTENT[path.stem])
    ]
    assert wrong == []


def test_every_rule_has_its_check_and_every_check_its_rule() -> None:
    expected = {
        f"{rule.area}.{rule.function}" for rule in catalog.rules().values() if rule.reads not in ("engine", "schema")
    }
    found = set()
    for path in sorted((ROOT / "kubelint_ack/checks").iterdir()):
        if path.name.startswith("__"):
            continue
        module = importlib.import_module(f"kubelint_ack.checks.{path.stem}")
        for name, function in inspect.getmembers(module, inspect.isgeneratorfunction):
            # The checks of an area are a module, or a package whose modules divide them.
            if not name.startswith("_") and function.__module__.startswith(module.__name__):
                found.add(f"{path.stem}.{name}")
    assert found == expected


def test_codes_are_unique_and_in_the_block_of_their_area() -> None:
    codes = [rule.code for rule in catalog.rules().values()]
    assert len(codes) == len(set(codes))
    for rule in catalog.rules().values():
        low, high = catalog.AREAS[rule.area]
        assert low <= int(rule.code[3:5]) <= high, rule.name


def test_needs_and_sharpens_are_profile_keys() -> None:
    for rule in catalog.rules().values():
        for need in (*rule.needs, *rule.sharpens):
            assert legal_need(need), rule.name


PLACEHOLDER = re.compile(r"(?<!\{)\{([a-z_]+)\}")


def test_both_languages_use_the_same_placeholders() -> None:
    for name, rule in CONTENT.items():
        message = rule["message"]
        entries = {"default": message} if set(message) == {"en", "zh"} else message
        for entry, words in {**entries, **rule.get("notes", {})}.items():
            english, chinese = (sorted(set(PLACEHOLDER.findall(words[key]))) for key in ("en", "zh"))
            assert english == chinese, f"{name}: {entry}"


def test_messages_are_sentences_and_english_quotes_with_single_quotes() -> None:
    for name, rule in CONTENT.items():
        message = rule["message"]
        entries = {"default": message} if set(message) == {"en", "zh"} else message
        for words in entries.values():
            assert words["en"].strip().endswith((".", "?")), name
            assert words["zh"].strip().endswith(("。", "？")), name
            assert "“" not in words["en"], name


NOT_SHOWN = {"rule-crash", "file-encoding", "input-limit", "config-data-too-large"}
"""What a small text in UTF-8 cannot show: tested with their stages."""


def test_every_rule_has_a_bad_and_a_good_example() -> None:
    lacking = []
    for name, rule in CONTENT.items():
        kinds = {kind for example in rule["examples"] for kind in ("bad", "good") if kind in example}
        if kinds != {"bad", "good"} and name not in NOT_SHOWN:
            lacking.append(name)
    assert lacking == []


def example_files(example: dict[str, Any]) -> dict[str, str]:
    """The files of an example: its manifest, its profile and configuration, and what it adds."""
    texts = {"manifest.yaml": example.get("bad", example.get("good")), **example.get("files", {})}
    settings = example.get("config", "")
    if "profile" in example:
        texts["cluster.yaml"] = example["profile"]
        settings += "\ncluster: cluster.yaml\n"
    if settings.strip():
        texts[".kubelint-ack.yaml"] = settings
    return texts


NEEDS = {"crd-validation-failed": "cel_expr_python"}
"""Rules that need the library of an extra."""


@pytest.mark.parametrize(("name", "number"), EXAMPLES, ids=[f"{name}-{number}" for name, number in EXAMPLES])
def test_example(name: str, number: int, tmp_path: Path) -> None:
    """A bad example yields exactly the marked lines from its rule, a good one nothing."""
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    example = CONTENT[name]["examples"][number]
    texts = example_files(example)
    write(tmp_path, texts)
    outcome = lint(tmp_path)
    assert [finding for finding in outcome.findings if finding.rule == "rule-crash"] == []
    own = [finding for finding in outcome.findings if finding.rule == name]
    found = sorted((finding.path, finding.place.span.line) for finding in own)
    expected = sorted((path, line) for path, content in texts.items() for line in marked_lines(content))
    assert found == expected
    if "bad" in example:
        assert expected, "a bad example marks at least one line"
    if "severity" in example:
        assert {finding.severity for finding in own} == {example["severity"]}
    entries = catalog.texts(catalog.rules()[name], "en").messages
    for finding in own:
        assert set(PLACEHOLDER.findall(entries[finding.message])) <= set(finding.values)
