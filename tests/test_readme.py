"""What the README tells people to type exists, in both languages."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import click
import pytest
import yaml

from kubelint_ack import __version__, catalog
from kubelint_ack.cli import main
from kubelint_ack.cli.check import check
from kubelint_ack.cli.options import words_of
from kubelint_ack.explain import find_key
from tests.checkout import PROJECT, ROOT, environment, run

READMES = ("README.md", "README.zh-CN.md")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(name: str) -> list[tuple[str, str]]:
    """(language, text) of the code blocks of a page."""
    return BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))


def commands(name: str) -> list[list[str]]:
    """The words after `kubelint-ack` of every command line that a page shows."""
    found = []
    for language, text in blocks(name):
        for line in text.split("\n"):
            if language == "console" and not line.startswith("$ "):
                continue
            for part in line.split("|"):
                words = shlex.split(part, comments=True)
                if "install" not in words and "kubelint-ack" in words and words[0] in ("$", "kubelint-ack", "-"):
                    found.append(words[words.index("kubelint-ack") + 1 :])
    return found


@pytest.mark.parametrize("name", READMES)
def test_commands_parse(name: str) -> None:
    shown = commands(name)
    assert len(shown) >= 10
    for words in shown:
        parent = click.Context(main)
        command = main.get_command(parent, words[0]) if words else None
        chosen, rest = (command, words[1:]) if command else (check, words)
        try:
            context = chosen.make_context(chosen.name, list(rest), parent=parent)
        except click.ClickException as error:
            pytest.fail(f"{name}: kubelint-ack {shlex.join(words)}: {error.format_message()}")
        if chosen.name in ("rule", "explain"):
            for word in context.params["names"]:
                assert find_key(word) or catalog.find_rule(word)[0]
        catalog.select(presets=words_of(context.params.get("preset") or ()))


def test_both_languages_show_the_same_commands() -> None:
    english, chinese = map(commands, READMES)
    assert english == chinese


def test_both_languages_show_the_same_files() -> None:
    """The YAML blocks, but for their comments."""
    english, chinese = (
        [yaml.safe_load(text) for language, text in blocks(name) if language == "yaml"] for name in READMES
    )
    assert english == chinese
    assert len(english) >= 3


@pytest.mark.parametrize("name", READMES)
def test_configuration_shown_is_accepted(name: str, tmp_path: Path) -> None:
    text = next(text for _, text in blocks(name) if text.startswith("# .kubelint-ack.yaml\n"))
    tmp_path.joinpath(".kubelint-ack.yaml").write_text(text, encoding="utf-8")
    tmp_path.joinpath("deploy/overlays/prod").mkdir(parents=True)
    run([sys.executable, "-m", "kubelint_ack", "."], tmp_path, env=environment(PYTHONPATH=str(ROOT)))


@pytest.mark.parametrize("name", READMES)
def test_hooks_shown_are_those_of_the_manifest_at_this_version(name: str) -> None:
    text = next(text for kind, text in blocks(name) if "hooks:" in text)
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_bytes())}
    shown = set(re.findall(r"- id: ([\w-]+)", text))
    assert shown == hooks
    assert f"rev: v{__version__}\n" in text


@pytest.mark.parametrize("name", READMES)
def test_rules_named_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    named = [rule for names in re.findall(r"ignore\[([\w, -]+)\]", text) for rule in names.split(",")]
    named += re.findall(r"\w+:CKV_\w+", text)
    assert len(named) >= 2
    for rule in named:
        assert catalog.find_rule(rule.strip())[0]


@pytest.mark.parametrize("name", READMES)
def test_links_lead_to_files_of_the_checkout(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert links
    missing = [link for link in links if not Path(ROOT, link).exists()]
    assert missing == []


def test_make_targets_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for name in (*READMES, "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets


def test_python_versions_agree() -> None:
    lowest = PROJECT["project"]["requires-python"].removeprefix(">=")
    for name in (*READMES, "CONTRIBUTING.md"):
        assert f"Python {lowest}" in (ROOT / name).read_text(encoding="utf-8"), name
    assert f"Programming Language :: Python :: {lowest}" in PROJECT["project"]["classifiers"]
