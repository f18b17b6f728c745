"""`make new-rule`: a scaffolded rule is a rule, and a name that cannot be one is refused with the reason."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kubelint_ack import catalog, scaffold
from tests.checkout import ROOT, copy_checkout, environment, run

EVERY_AREA = """\
import sys
from kubelint_ack import catalog, scaffold
for area in catalog.AREAS:
    print(*scaffold.new_rule(sys.argv[1], f"{area}-scaffolded", area), sep="\\n")
"""


def rule_tests(source: Path, *, code: int) -> str:
    """Run the tests of rules in a copy of the checkout, the examples of all but the new rules left out."""
    selected = ["-k", "scaffolded or not test_example", "tests/test_rules.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *selected]
    return run(command, source, code=code).stdout


def files(source: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


@pytest.mark.slow
def test_scaffolded_rules_pass_the_tests_of_rules_at_once(tmp_path: Path) -> None:
    """One in every area: in modules with all, some and none of the imports, and in new ones."""
    source = copy_checkout(tmp_path / "source")
    before = files(source)
    written = run([sys.executable, "-c", EVERY_AREA, str(source)], source).stdout.splitlines()
    assert len(written) == 2 * len(catalog.AREAS)
    rule_tests(source, code=0)
    listed = run([sys.executable, "-m", "kubelint_ack", "rules"], source).stdout
    assert listed.count("-scaffolded") == len(catalog.AREAS)
    for check in (["check"], ["format", "--check"]):
        run([sys.executable, "-m", "ruff", *check, "--no-cache", "kubelint_ack/checks"], source)

    # A rule without its check, and a check without its rule, are found out; without both all is as before.
    rule, module = source / "rules/service/service-scaffolded.yaml", source / "kubelint_ack/checks/service.py"
    after = files(source)
    rule.unlink()
    assert "service.service_scaffolded" in rule_tests(source, code=1)
    rule.write_bytes(after[rule])
    module.write_bytes(before[module])
    assert "service.service_scaffolded" in rule_tests(source, code=1)
    module.write_bytes(after[module])
    for path in map(Path, written):
        if path in before:
            path.write_bytes(before[path])
        else:
            path.unlink()
    assert files(source) == before


@pytest.mark.parametrize("area", catalog.AREAS)
def test_next_code_is_free_and_in_the_block_of_the_area(area: str) -> None:
    code = scaffold.next_code(area)
    low, high = catalog.AREAS[area]
    assert low <= int(code[3:5]) <= high
    assert code not in {rule.code for rule in catalog.rules().values()}
    assert code >= "KLA0101" or area != "manifest", "the first hundred is for what stages raise"


def test_a_full_block_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = next(iter(catalog.rules().values()))
    monkeypatch.setattr(catalog, "rules", lambda: {"last": rule._replace(code="KLA7299")})
    with pytest.raises(ValueError, match="the codes of area cluster are used up"):
        scaffold.next_code("cluster")


@pytest.mark.parametrize(
    ("name", "area", "message"),
    [
        ("some-rule", "services", "unknown area 'services': one of manifest, workload, "),
        ("Some-Rule", "service", "'Some-Rule': a rule's name is lower-case words joined by hyphens"),
        ("some_rule", "service", "lower-case words joined by hyphens"),
        ("some--rule", "service", "lower-case words joined by hyphens"),
        ("../some-rule", "service", "lower-case words joined by hyphens"),
        ("规则", "service", "lower-case words joined by hyphens"),
        ("class", "service", "'class' is a keyword of Python"),
        ("run-as-non-root", "service", "the rule run-as-non-root exists"),
        ("some-helper", "service", "kubelint_ack/checks/service.py uses the name some_helper already"),
    ],
)
def test_names_that_cannot_be_used_are_refused_and_nothing_is_written(
    name: str, area: str, message: str, tmp_path: Path
) -> None:
    module = tmp_path / "kubelint_ack/checks/service.py"
    module.parent.mkdir(parents=True)
    module.write_text("from somewhere import some_helper\n", encoding="utf-8")
    with pytest.raises(ValueError) as raised:
        scaffold.new_rule(str(tmp_path), name, area)
    assert message in str(raised.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [module]
    assert module.read_text(encoding="utf-8") == "from somewhere import some_helper\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["", ""], "new-rule: usage: make new-rule NAME=… AREA=…\n"),
        (["one two", "service"], "new-rule: 'one two': a rule's name is lower-case words joined by hyphens\n"),
    ],
)
def test_errors_are_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kubelint_ack.scaffold", *arguments]
    assert run(command, tmp_path, env=environment(PYTHONPATH=str(ROOT)), code=1).stderr == message


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["from kubelint_ack.views import View"], ["from kubelint_ack.views import View"]),
        (["from kubelint_ack.views import LB, Pod, text"], ["from kubelint_ack.views import LB, Pod, View, text"]),
        (
            ["from kubelint_ack.records import Hit"],
            ["from kubelint_ack.records import Hit", "from kubelint_ack.views import View"],
        ),
        (
            ["from kubelint_ack.words import say"],
            ["from kubelint_ack.views import View", "from kubelint_ack.words import say"],
        ),
        (["import re"], ["import re", "", "from kubelint_ack.views import View"]),
        (
            ["from kubelint_ack.views import (", "    Pod,", "    Service as S,", ")", "", "x = 1"],
            ["from kubelint_ack.views import Pod, Service as S, View", "", "x = 1"],
        ),
    ],
)
def test_imports_are_added_where_they_belong(before: list[str], after: list[str]) -> None:
    text = "\n".join([*before, ""])
    assert scaffold.with_import(text, "kubelint_ack.views", "View") == "\n".join([*after, ""])
