"""`make rule-docs` writes the same pages everywhere, and `make check-docs` sees every difference."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kubelint_ack import catalog
from tests.checkout import copy_checkout, environment, run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("rule-docs")]

COMMAND = [sys.executable, "-m", "kubelint_ack.docs"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout whose pages are fresh."""
    folder = copy_checkout(tmp_path_factory.mktemp("docs") / "source")
    run(COMMAND, folder)
    return folder


def pages(source: Path) -> dict[str, bytes]:
    folder = source / "docs/rules"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stale(source: Path) -> list[str]:
    """What the check names, and that it fails exactly when it names something."""
    done = run([*COMMAND, "--check"], source, code=None)
    named = [Path(line).relative_to(source / "docs/rules").as_posix() for line in done.stdout.splitlines()]
    assert done.returncode == (1 if named else 0), done.stderr
    return named


def test_every_rule_has_a_page_in_both_languages(source: Path) -> None:
    names = [*catalog.rules(), "index"]
    assert set(pages(source)) == {f"{language}/{name}.md" for language in ("en", "zh") for name in names}


def test_pages_do_not_depend_on_the_machine(source: Path, tmp_path: Path) -> None:
    first = pages(source)
    for page in (source / "docs/rules").rglob("*.md"):
        page.unlink()
    env = environment(PYTHONPATH=str(source), PYTHONHASHSEED="77", LC_ALL="C", LANG="zh_CN.UTF-8", TZ="Asia/Shanghai")
    run(COMMAND, tmp_path, env=env)
    assert pages(source) == first


def test_stale_pages_are_named_and_written_anew(source: Path) -> None:
    assert stale(source) == []
    first = pages(source)
    folder = source / "docs/rules"
    folder.joinpath("en/run-as-non-root.md").write_text("edited\n", encoding="utf-8")
    folder.joinpath("zh/privileged-container.md").unlink()
    folder.joinpath("en/no-such-rule.md").write_text("left over\n", encoding="utf-8")
    wrong = ["en/no-such-rule.md", "en/run-as-non-root.md", "zh/privileged-container.md"]
    assert stale(source) == wrong
    assert stale(source) == wrong, "a check writes nothing"
    run(COMMAND, source)
    assert stale(source) == []
    assert pages(source) == first


def test_an_edited_rule_makes_its_pages_stale(source: Path) -> None:
    path = source / "rules/security/run-as-non-root.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("severity: warning", "severity: info", 1), encoding="utf-8")
    pages_of_it = [f"{language}/{name}.md" for language in ("en", "zh") for name in ("index", "run-as-non-root")]
    assert stale(source) == pages_of_it
    path.write_text(text, encoding="utf-8")
    assert stale(source) == []


def test_other_arguments_are_refused(source: Path) -> None:
    """A folder given by mistake would lose the pages in it that are not of rules."""
    assert run([*COMMAND, "docs"], source, code=1).stderr.startswith("usage")
