"""What is installed is what is in the source tree: wheel, source distribution, editable install and plain checkout."""

from __future__ import annotations

import ast
import json
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from kubelint_ack import __version__
from tests.checkout import PROJECT, ROOT, RUN_TIME, commit, copy_checkout, empty_environment, environment, install, run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]

STEM = f"kubelint_ack-{__version__}"


class Built(NamedTuple):
    """A copy of the checkout and what was built of it."""

    source: Path
    sdist: Path
    wheel: Path
    wheel_of_sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    source = copy_checkout(folder / "source")
    commit(source)
    temporary = folder / "temporary"
    temporary.mkdir()
    build = [sys.executable, "-m", "build", "--no-isolation"]
    env = environment(TMPDIR=str(temporary))
    run([*build, "--outdir", str(folder / "both"), str(source)], folder, env=env)
    run([*build, "--wheel", "--outdir", str(folder / "wheel"), str(source)], folder, env=env)
    name = f"{STEM}-py3-none-any.whl"
    return Built(source, folder / "both" / f"{STEM}.tar.gz", folder / "wheel" / name, folder / "both" / name)


@pytest.fixture(scope="module")
def installed(built: Built) -> Path:
    """The program in an environment with what it says it requires, and nothing else."""
    folder = built.source.parent / "installed"
    bin = empty_environment(folder, RUN_TIME)
    install(bin, built.wheel)
    return bin / "kubelint-ack"


def files_below(folder: Path, prefix: str = "") -> set[str]:
    return {
        prefix + path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_checkout_holds_no_copies() -> None:
    assert not (ROOT / "kubelint_ack/_data").exists()


def test_wheel_holds_program_rules_schemas_index_and_licence_and_nothing_else(built: Built) -> None:
    expected = files_below(built.source / "kubelint_ack", "kubelint_ack/")
    expected |= files_below(built.source / "rules", "kubelint_ack/_data/rules/")
    expected |= files_below(built.source / "schemas", "kubelint_ack/_data/schemas/")
    expected |= {f"kubelint_ack/_data/{name}" for name in ("index.json", "texts.en.jsonl", "texts.zh.jsonl")}
    metadata = ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    expected |= {f"{STEM}.dist-info/{name}" for name in metadata}
    with zipfile.ZipFile(built.wheel) as wheel:
        assert set(wheel.namelist()) == expected
        assert wheel.read(f"{STEM}.dist-info/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert "kubelint_ack/_data/schemas/ack/components.json" in expected
    # The store of API schemas is two texts, with the licence of its source beside them.
    api_schemas = {name for name in expected if name.startswith("kubelint_ack/_data/schemas/kubernetes/")}
    assert {Path(name).name for name in api_schemas if not name.endswith(".json")} == {
        "NOTICE",
        "definitions.txt",
        "kinds.txt",
    }
    others = {Path(name).suffix for name in expected - api_schemas if "/_data/" in name}
    assert others == {".json", ".jsonl", ".yaml"}


def test_source_distribution_builds_the_same_wheel(built: Built) -> None:
    assert built.wheel_of_sdist.read_bytes() == built.wheel.read_bytes()
    with tarfile.open(built.sdist) as sdist:
        top = {name.split("/")[1] for name in sdist.getnames()}
    assert {"LICENSE", "README.md", "README.zh-CN.md", "CHANGELOG.md", "build_index.py", "rules", "schemas"} <= top
    assert not top & {".git", ".cache", ".venv", "dist"}


def test_build_leaves_nothing_behind(built: Built) -> None:
    assert run(["git", "status", "--porcelain"], built.source).stdout == ""
    assert list((built.source.parent / "temporary").iterdir()) == []


CATALOGUE = """\
import json
from kubelint_ack import catalog, data
rules = list(catalog.rules().values())
print(data.is_checkout())
print(rules)
print(json.dumps([[catalog.texts(rule, language) for rule in rules] for language in ("en", "zh")]))
"""


def test_index_says_what_the_rule_files_say(built: Built, installed: Path, tmp_path: Path) -> None:
    checkout = run([sys.executable, "-c", CATALOGUE], tmp_path, env=environment(PYTHONPATH=str(built.source)))
    wheel = run([installed.parent / "python", "-c", CATALOGUE], tmp_path)
    assert checkout.stdout.startswith("True\n")
    assert wheel.stdout.startswith("False\n")
    assert wheel.stdout.split("\n")[1:] == checkout.stdout.split("\n")[1:]
    assert wheel.stdout.count("Rule(name=") == len(files_below(ROOT / "rules"))


COMMANDS = [
    ["--version"],
    ["check", "--root", "shop", "shop"],
    ["check", "--root", "shop", "--preset", "strict", "--format", "json", "shop"],
    ["check", "--root", "shop", "--preset", "strict", "--format", "json", "--lang", "zh", "shop"],
    ["check", "--root", "shop", "--preset", "strict", "--format", "concise", "--lang", "zh", "shop"],
    ["check", "--root", "shop", "--preset", "strict", "--format", "sarif", "shop"],
    ["check", "--root", "shop", "--format", "github", "shop"],
    ["rule", "--all", "--lang", "en"],
    ["rule", "--all", "--lang", "zh"],
    ["rule", "--all", "--lang", "zh", "--format", "json"],
    ["explain", "KLA1201", "zone-maps"],
    ["rules", "--lang", "en"],
    ["rules", "--lang", "zh"],
    ["rules", "--format", "json"],
    *(["schema", name] for name in ("config", "profile", "rule", "report")),
    ["profile", "dumps/terway.json"],
]


@pytest.fixture(scope="module")
def elsewhere(built: Built) -> Path:
    """A folder far from the source, with the example shop and dumps of a cluster in it."""
    folder = built.source.parent / "elsewhere"
    folder.mkdir()
    shutil.copytree(built.source / "examples", folder / "shop")
    shutil.copytree(built.source / "tests/data/dumps", folder / "dumps")
    return folder


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_installed_program_says_what_the_checkout_says(
    command: list[str], built: Built, installed: Path, elsewhere: Path
) -> None:
    there = run([installed, *command], elsewhere, code=None)
    module = [sys.executable, "-m", "kubelint_ack", *command]
    here = run(module, elsewhere, env=environment(PYTHONPATH=str(built.source)), code=None)
    assert (there.returncode, there.stdout, there.stderr) == (here.returncode, here.stdout, here.stderr)
    assert there.returncode == (1 if command[0] == "check" else 0), there.stderr
    assert there.stdout


def test_installed_program_finds_what_is_wrong_in_the_shop(installed: Path, elsewhere: Path) -> None:
    """That both say the same would be true of two that say nothing."""
    report = json.loads(run([installed, "-f", "json", "--root", "shop", "shop"], elsewhere, code=1).stdout)
    assert {finding["severity"] for finding in report["findings"]} >= {"error", "warning"}
    assert all(finding["line"] and finding["code"].startswith("KLA") for finding in report["findings"])


def test_installed_program_writes_a_configuration_that_it_accepts(installed: Path, tmp_path: Path) -> None:
    run([installed, "init", "--ci", "github", "--ci", "gitlab", "--ci", "pre-commit", "."], tmp_path)
    assert files_below(tmp_path) == {
        ".kubelint-ack.yaml",
        ".github/workflows/kubelint-ack.yml",
        ".gitlab-ci.yml",
        ".pre-commit-config.yaml",
    }
    run([installed, "check", "."], tmp_path)


def test_module_can_be_run_too(installed: Path, tmp_path: Path) -> None:
    done = run([installed.parent / "python", "-m", "kubelint_ack", "--version"], tmp_path)
    assert done.stdout == f"kubelint-ack {__version__}\n"


def rename(source: Path, name: str) -> None:
    """Give the rule `run-as-non-root` of a copy another title."""
    path = source / "rules/security/run-as-non-root.yaml"
    lines = path.read_text(encoding="utf-8").split("\n")
    title = lines.index("title:") + 1
    assert lines[title].startswith("  en: ")
    lines[title] = f"  en: {name}"
    path.write_text("\n".join(lines), encoding="utf-8")


def read_title(command: list[str | Path], cwd: Path, source: Path | None = None) -> str:
    env = environment(PYTHONPATH=str(source)) if source else environment()
    page = run([*command, "rule", "run-as-non-root", "--format", "json"], cwd, env=env).stdout
    return str(json.loads(page)["title"])


def test_plain_checkout_reads_edited_rule_files_at_once(tmp_path: Path) -> None:
    source = copy_checkout(tmp_path / "source")
    command: list[str | Path] = [sys.executable, "-m", "kubelint_ack"]
    for name in ("One", "Two"):
        rename(source, name)
        assert read_title(command, source) == name
        assert read_title(command, tmp_path, source) == name


def test_editable_install_reads_edited_rule_files_at_once(tmp_path: Path) -> None:
    source = copy_checkout(tmp_path / "source")
    bin = empty_environment(tmp_path / "environment", [*RUN_TIME, "hatchling"])
    install(bin, "--editable", source)
    for name in ("One", "Two"):
        rename(source, name)
        assert read_title([bin / "kubelint-ack"], tmp_path) == name
    site = next((tmp_path / "environment").glob("lib/python*/site-packages"))
    assert not (site / "kubelint_ack").exists(), "an editable install holds copies"


def test_program_imports_only_what_it_requires() -> None:
    """Also in commands that no test runs from the wheel; extras are required by those who ask for them."""
    providers = {
        "yaml": "PyYAML",
        "ruamel": "ruamel.yaml",
        "sarif_om": "sarif-om",
        "attr": "attrs",
        "cel_expr_python": "cel-expr-python",
    }
    required = {text.split(">")[0] for text in (*RUN_TIME, *PROJECT["project"]["optional-dependencies"]["cel"])}
    outside = set()
    for path in (ROOT / "kubelint_ack").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.append(node.module)
            outside |= {name.split(".")[0] for name in names}
    outside -= {*sys.stdlib_module_names, "kubelint_ack", "tomllib"}
    assert {providers.get(name, name) for name in outside} == required
