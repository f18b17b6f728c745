"""The hooks as pre-commit runs them: installed from a repository, without a network, on what is staged."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from kubelint_ack import starter
from tests.checkout import ROOT, commit, copy_checkout, environment, run, wheelhouse

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pre-commit")]

PRE_COMMIT = [sys.executable, "-m", "pre_commit"]


class Hooks(NamedTuple):
    """The repository that holds the hooks, and what pre-commit needs to install them."""

    repository: Path
    revision: str
    env: dict[str, str]


@pytest.fixture(scope="session")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Hooks:
    """A clone of this checkout, and one store of environments for all tests, filled from local wheels."""
    try:
        wheels = wheelhouse()
    except OSError as error:
        pytest.skip(f"no wheels to install the hook from, and no network to fetch them: {error}")
    folder = tmp_path_factory.mktemp("hooks")
    origin = copy_checkout(folder / "origin")
    commit(origin)
    repository = folder / "kubelint-ack"
    run(["git", "clone", "--quiet", str(origin), str(repository)], folder)
    revision = run(["git", "rev-parse", "HEAD"], repository).stdout.strip()
    env = environment(
        PRE_COMMIT_HOME=str(folder / "store"),
        XDG_CACHE_HOME=str(folder / "cache"),
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(wheels),
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_NOSYSTEM="1",
    )
    return Hooks(repository, revision, env)


class Project:
    """A user's repository whose configuration names the hooks."""

    def __init__(self, folder: Path, hooks: Hooks) -> None:
        self.folder, self.hooks = folder, hooks
        folder.mkdir()
        (folder / ".pre-commit-config.yaml").write_text(
            f"repos:\n- repo: {hooks.repository}\n  rev: {hooks.revision}\n"
            "  hooks:\n  - id: kubelint-ack\n  - id: kubelint-ack-all\n",
            encoding="utf-8",
        )

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def commit(self, files: Mapping[str, str]) -> None:
        self.write(files)
        commit(self.folder)

    def git(self, *words: str) -> None:
        run(["git", *words], self.folder)

    def hook(self, *words: str, id: str = "kubelint-ack", code: int | None = 0) -> str:
        """What pre-commit prints when it runs one hook, by default on what is staged."""
        done = run([*PRE_COMMIT, "run", id, *words], self.folder, env=self.hooks.env, code=code)
        return done.stdout


@pytest.fixture
def project(hooks: Hooks, tmp_path: Path) -> Project:
    return Project(tmp_path / "project", hooks)


def deployment(name: str, app: str) -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec:
      containers:
        - name: main
          image: registry.cn-hangzhou.aliyuncs.com/shop/{name}:1.0
          ports: [{{containerPort: 8080}}]
          resources: {{requests: {{cpu: 100m, memory: 64Mi}}, limits: {{memory: 64Mi}}}}
"""


def service(name: str, app: str) -> str:
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{app: {app}}}
  ports: [{{port: 80, targetPort: 8080}}]
"""


INVALID = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x, name: z}\n"
"""A duplicate key: a finding that needs no other file."""

SHOP = {
    "shop/web.yaml": deployment("web", "orders-web"),
    "shop/jobs.yaml": deployment("jobs", "batch"),
    "shop/service.yaml": service("web", "orders-web"),
}


def places(output: str) -> set[str]:
    """`path: rule` of the findings that a hook printed."""
    found = re.findall(r"^(.+?):\d+:\d+: \w+ KLA\d+\[([\w-]+)\]", output, re.MULTILINE)
    return {f"{path}: {rule}" for path, rule in found}


def test_manifest_is_valid(tmp_path: Path) -> None:
    run([*PRE_COMMIT, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")], tmp_path)


def test_clean_repository_passes(project: Project) -> None:
    project.commit(SHOP)
    assert "Passed" in project.hook("--all-files")
    assert "Passed" in project.hook(id="kubelint-ack-all")


def test_changed_labels_of_a_deployment_report_the_service_in_an_unchanged_file(project: Project) -> None:
    project.commit(SHOP)
    project.write({"shop/web.yaml": deployment("web", "order-web")})
    project.git("add", "shop/web.yaml")
    output = project.hook(code=1)
    assert places(output) == {"shop/service.yaml: service-selects-nothing"}
    assert "Found 1 finding" in output


def test_deleted_deployment_is_seen_by_the_hook_for_the_whole_repository(project: Project) -> None:
    project.commit(SHOP)
    project.git("rm", "--quiet", "shop/web.yaml")
    assert "Skipped" in project.hook(), "pre-commit hands no deleted files to hooks"
    assert places(project.hook(id="kubelint-ack-all", code=1)) == {"shop/service.yaml: service-selects-nothing"}


DATABASE = {
    "shop/db.yaml": deployment("db", "db")
    .replace("kind: Deployment", "kind: StatefulSet")
    .replace("spec:\n  selector:", "spec:\n  serviceName: db\n  selector:"),
    "shop/db-service.yaml": service("db", "db")
    .replace("spec:\n", "spec:\n  clusterIP: None\n")
    .replace("port: 80,", "port: 8080,"),
}


def test_deleted_service_is_seen_by_the_hook_for_the_whole_repository(project: Project) -> None:
    project.commit({**SHOP, **DATABASE})
    assert "Passed" in project.hook(id="kubelint-ack-all")
    project.git("rm", "--quiet", "shop/db-service.yaml")
    assert places(project.hook(id="kubelint-ack-all", code=1)) == {"shop/db.yaml: statefulset-service-missing"}


def test_renamed_service_is_reported_where_the_unchanged_file_names_it(project: Project) -> None:
    project.commit({**SHOP, **DATABASE})
    project.git("mv", "shop/db-service.yaml", "shop/database.yaml")
    project.write({"shop/database.yaml": DATABASE["shop/db-service.yaml"].replace("name: db", "name: database")})
    project.git("add", "--all")
    assert places(project.hook(code=1)) == {"shop/db.yaml: statefulset-service-missing"}


def test_renamed_files(project: Project) -> None:
    """Moved as it is a Service is still right; moved and changed it is reported where it is now."""
    project.commit(SHOP)
    project.git("mv", "shop/service.yaml", "shop/front.yaml")
    assert "Passed" in project.hook()
    project.write({"shop/front.yaml": service("web", "orders-web-new")})
    project.git("add", "--all")
    assert places(project.hook(code=1)) == {"shop/front.yaml: service-selects-nothing"}


def test_chinese_and_spaced_names(project: Project) -> None:
    names = ["清单/订单 服务.yaml", 'a b/c\'d "e".yml', "emoji 🚀.json"]
    project.commit({"ok.yaml": SHOP["shop/service.yaml"]})
    project.write(dict.fromkeys(names, INVALID))
    project.git("add", "--all")
    assert places(project.hook(code=1)) == {f"{name}: yaml-duplicate-key" for name in names}


def test_partially_staged_file_is_judged_as_it_is_staged(project: Project) -> None:
    project.commit({"pod.yaml": SHOP["shop/web.yaml"]})
    project.write({"pod.yaml": INVALID})
    project.git("add", "pod.yaml")
    project.write({"pod.yaml": SHOP["shop/web.yaml"] + "# repaired, not staged\n"})
    assert places(project.hook(code=1)) == {"pod.yaml: yaml-duplicate-key"}
    project.git("add", "pod.yaml")
    project.write({"pod.yaml": INVALID})
    assert "Passed" in project.hook()
    assert (project.folder / "pod.yaml").read_text(encoding="utf-8") == INVALID, "the user's change is back"


def test_staged_files_that_the_configuration_excludes_stay_excluded(project: Project) -> None:
    project.commit({".kubelint-ack.yaml": "exclude: [vendor/]\n"})
    project.write({"vendor/x.yaml": INVALID})
    project.git("add", "--all")
    assert "Passed" in project.hook()
    project.git("mv", "vendor/x.yaml", "x.yaml")
    assert places(project.hook(code=1)) == {"x.yaml: yaml-duplicate-key"}


def test_chart_template_alone_is_no_error(project: Project) -> None:
    template = "{{- if .Values.web }}\n" + SHOP["shop/web.yaml"].replace("name: web", "name: {{ .Values.name }}")
    chart = {"chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n", "chart/values.yaml": "web: true\n"}
    project.commit({**chart, "chart/templates/web.yaml": template + "{{- end }}\n"})
    project.write({"chart/templates/web.yaml": template + "{{- end }}\n# changed\n"})
    project.git("add", "--all")
    assert "Passed" in project.hook()


def test_more_names_than_a_command_line_holds(project: Project) -> None:
    """Findings across the parts are those of one run on the whole; each part counts its own."""
    folder = "/".join(["d" * 200] * 3)
    account = "{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: x{}}}}}\n"
    files = {f"{folder}/{number:03d}.yaml": account.format(number) for number in range(300)}
    files[f"{folder}/000.yaml"] = deployment("web", "order-web")
    files[f"{folder}/299.yaml"] = service("web", "orders-web")
    files[f"{folder}/150.yaml"] = INVALID
    assert sum(len(name) + 1 for name in files) > 131_072
    project.commit(files)
    output = project.hook("--all-files", code=1)
    assert len(re.findall(r"^Found|^All clear", output, re.MULTILINE)) > 1, "one call: nothing is tested"
    expected = {f"{folder}/299.yaml: service-selects-nothing", f"{folder}/150.yaml: yaml-duplicate-key"}
    assert places(output) == expected
    assert places(project.hook(id="kubelint-ack-all", code=1)) == expected


def test_try_repo(project: Project) -> None:
    """As the documentation of pre-commit tells users to try hooks."""
    project.commit({**SHOP, "x.yaml": INVALID})
    words = ["try-repo", str(project.hooks.repository), "kubelint-ack", "--files", "x.yaml", "--verbose"]
    output = run([*PRE_COMMIT, *words], project.folder, env=project.hooks.env, code=1).stdout
    assert places(output) == {"x.yaml: yaml-duplicate-key"}


def test_configuration_that_init_writes(hooks: Hooks, project: Project, tmp_path: Path) -> None:
    """It installs the wheel, not a repository."""
    wheels = tmp_path / "wheels"
    shutil.copytree(hooks.env["PIP_FIND_LINKS"], wheels)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels)]
    run([*pip, str(hooks.repository)], tmp_path, env=hooks.env)
    name, text = starter.ci_snippet("pre-commit")
    project.commit({**SHOP, name: text, "x.yaml": INVALID})
    env = {**hooks.env, "PIP_FIND_LINKS": str(wheels)}
    output = run([*PRE_COMMIT, "run", "--all-files"], project.folder, env=env, code=1).stdout
    assert places(output) == {"x.yaml: yaml-duplicate-key"}
    assert output.count("Failed") == 2
