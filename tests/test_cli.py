"""The command line as users, scripts and CI systems meet it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result
from harness import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubelint_ack import __version__, catalog, cli, pool
from kubelint_ack.ack import catalogues
from kubelint_ack.cli.check import check
from kubelint_ack.cli.options import FORMATS
from kubelint_ack.cli.pages import SCHEMAS
from kubelint_ack.explain import key_page
from kubelint_ack.records import Hit, at
from kubelint_ack.terminal import Progress

ROOT = Path(__file__).parent.parent

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "shop/web:1"}]}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80}]
"""
CLEAN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
WARNING = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: NodePort, ports: [{port: 1, nodePort: 99}]}\n"
)
ERROR = "apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {type: ExternalName, externalName: 10.0.0.1}\n"
INFO = "---\n".join(
    [
        SERVICE.replace("{name: web}", "{name: web, namespace: shop}"),
        DEPLOYMENT.replace("{name: web}", "{name: web, namespace: test}", 1),
    ]
)
TEMPLATE = "apiVersion: v1\nkind: Service\n{{ if .Values.x }}\n"
PRIVILEGED = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: main
    image: shop/web:1
    securityContext: {privileged: true}
"""


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the surroundings counts but what a test sets."""
    for name in list(os.environ):
        if name.startswith("KUBELINT_ACK_") or name in _SURROUNDINGS:
            monkeypatch.delenv(name)
    monkeypatch.setattr("kubelint_ack.cli.options.HELP_LANGUAGE", "en")


_SURROUNDINGS = (
    *("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "JENKINS_URL", "GITEE_PIPELINE_NAME", "PIPELINE_ID"),
    *("PRE_COMMIT", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM", "COLUMNS", "GITHUB_STEP_SUMMARY"),
)


def run(*arguments: str, code: int | None = 0, input: str | bytes | None = None) -> Result:
    """The result of a command in this process."""
    result = CliRunner().invoke(cli.main, list(arguments), input=input, catch_exceptions=False)
    if code is not None:
        assert result.exit_code == code, result.output
    return result


def found(result: Result) -> list[str]:
    """`path:line rule` of each line of a concise report."""
    lines = re.findall(r"^(\S+?:\d+):\d+: \w+ KLA\d+\[([a-z-]+)\]", result.stdout, re.MULTILINE)
    return [f"{place} {rule}" for place, rule in lines]


def concise(*arguments: str, **more: Any) -> list[str]:
    return found(run("check", "--format", "concise", *arguments, code=None, **more))


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _SURROUNDINGS}
    return {**kept, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", **more}


def process(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, **more: Any
) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "kubelint_ack", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=env or environment(), text=True, encoding="utf-8", timeout=60, check=False,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
    )  # fmt: skip


# --- exit codes


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (CLEAN, [], 0),
        (WARNING, [], 1),
        (ERROR, [], 1),
        (WARNING, ["--fail-on", "error"], 0),
        (ERROR, ["--fail-on", "error"], 1),
        (INFO, ["--select", "service-selects-nothing"], 0),
        (INFO, ["--select", "service-selects-nothing", "--fail-on", "info"], 1),
        (WARNING, ["--fail-on", "info"], 1),
        (ERROR, ["--fail-on", "never"], 0),
        (WARNING, ["--severity", "error"], 0),
        (CLEAN + "data: [", [], 1),
        ("", [], 0),
        ("a: 1", ["--error-on-no-manifests"], 2),
        ("a: 1", ["--error-on-no-manifests", "--fail-on", "never"], 2),
        (CLEAN, ["--error-on-no-manifests"], 0),
        (CLEAN + "data: [", ["--error-on-no-manifests"], 2),
        (TEMPLATE, [], 0),
        (TEMPLATE, ["--fail-on-unchecked"], 1),
        (CLEAN.replace("settings", '"{{ .name }}"'), ["--fail-on-unchecked"], 1),
        ("apiVersion: v1\nkind: List\nitems: [1]\n", ["--fail-on-unchecked"], 1),
        ("a: 1", ["--fail-on-unchecked"], 0),
        ("apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 1}\n", ["--fail-on-unchecked"], 0),
        (WARNING, ["--quiet"], 1),
        (WARNING, ["--statistics"], 1),
        (WARNING, ["--show-files"], 0),
        (WARNING, ["--show-settings"], 0),
    ],
)
@pytest.mark.parametrize("format", FORMATS)
def test_exit_codes_depend_on_findings_and_not_on_the_format(
    repo: Path, text: str, options: list[str], code: int, format: str
) -> None:
    write(repo, {"a.yaml": text})
    run("check", "--format", format, *options, code=code)


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.yaml"],
        ["a.yaml", "missing.yaml"],
        ["nothing/*.yaml"],
        [""],
        ["--no-such-option"],
        ["--format", "xml"],
        ["--preset", "securty"],
        ["--select", "no-such-rule"],
        ["--ignore", "KLA99"],
        ["--extend-select", "x"],
        ["--config", "missing.yaml"],
        ["--config", "."],
        ["--root", "missing"],
        ["--kubernetes-version", "latest"],
        ["--output", "sarif"],
        ["--output", "sarf=x"],
        ["--jobs", "0"],
        ["--jobs", "-1"],
        ["--jobs", "many"],
        ["--jobs", "²"],
        ["--max-findings", "-1"],
        ["--sarif-limit", "0"],
        ["--stdin-filename", ""],
        ["--stdin-filename", "."],
        ["--exclude", "["],
        ["--color", "sometimes"],
        ["--lang", "fr"],
    ],
)
def test_what_cannot_be_understood_ends_with_two(repo: Path, arguments: list[str]) -> None:
    write(repo, {"a.yaml": ERROR})
    result = run("check", "--fail-on", "never", *arguments, code=2)
    assert result.stdout == ""
    assert re.search(r"^(kubelint-ack: error: |Error: )\S", result.stderr, re.MULTILINE)


def raising(*given: Any, **options: Any) -> Iterator[Hit]:
    raise RuntimeError("no")
    yield Hit(at("kind"))


def test_a_crash_beats_everything_and_the_results_are_still_printed(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubelint_ack.checks.security.privileged_container", raising)
    write(repo, {"a.yaml": PRIVILEGED, "b.yaml": ERROR})
    result = run("check", "--format", "concise", "--fail-on", "never", code=2)
    assert found(result) == ["a.yaml:3 rule-crash", "b.yaml:4 externalname-ip-address"]


def test_a_fault_of_ours_is_one_line(repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def fail(*given: Any, **more: Any) -> Any:
        raise RuntimeError("a secret of the file")

    write(repo, {"a.yaml": CLEAN})
    monkeypatch.setattr("kubelint_ack.engine.run", fail)
    monkeypatch.setattr(sys, "argv", ["kubelint-ack", "check"])
    with pytest.raises(SystemExit) as raised:
        cli.entry()
    assert raised.value.code == 2
    shown = capsys.readouterr().err
    assert re.fullmatch(r"kubelint-ack: error: RuntimeError at test_cli\.py:\d+: .*/issues\n", shown)


def test_an_unreadable_file_counts_only_if_it_was_named(repo: Path) -> None:
    write(repo, {"a.yaml": CLEAN})
    os.mkfifo(repo / "fifo.yaml")
    run("check", code=0)
    result = run("check", "fifo.yaml", code=2)
    assert re.search(r"^kubelint-ack: error: fifo\.yaml\b.*\S", result.stderr, re.MULTILINE)


def test_an_empty_folder_is_no_error(repo: Path) -> None:
    result = run("check", code=0)
    assert "no YAML or JSON files" in result.stderr
    run("check", "--error-on-no-manifests", code=2)


# --- commands and arguments


def test_check_may_be_left_out(repo: Path) -> None:
    write(repo, {"a.yaml": ERROR, "rules": ERROR})
    for arguments in ([], ["a.yaml"], ["--format", "text"], ["--", "a.yaml"], ["check"]):
        assert "10.0.0.1" in run(*arguments, code=1).stdout
    assert "10.0.0.1" not in run("rules").stdout, "a file of that name needs the command or ./"
    assert "10.0.0.1" in run("./rules", code=1).stdout


def test_files_folders_and_patterns(repo: Path) -> None:
    write(repo, {"a.yaml": ERROR, "sub/b.yml": ERROR, "sub/c.json": json.dumps(yaml.safe_load(ERROR)), "d.txt": ERROR})
    assert len(concise()) == 3
    assert concise("d.txt") == ["d.txt:4 externalname-ip-address"]
    assert concise("sub") == ["sub/b.yml:4 externalname-ip-address", "sub/c.json:1 externalname-ip-address"]
    assert concise("**/*.yml", "sub/../sub/b.yml") == ["sub/b.yml:4 externalname-ip-address"]
    assert concise("a.yaml", "./a.yaml", str(repo / "a.yaml")) == ["a.yaml:4 externalname-ip-address"]


def test_paths_are_relative_to_the_repository_wherever_one_stands(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repo, {"sub/a.yaml": ERROR})
    monkeypatch.chdir(repo / "sub")
    assert concise("a.yaml") == concise() == ["sub/a.yaml:4 externalname-ip-address"]
    assert concise("--root", ".") == ["a.yaml:4 externalname-ip-address"]
    monkeypatch.chdir("/")
    assert concise(str(repo)) == ["sub/a.yaml:4 externalname-ip-address"]


def test_standard_input(repo: Path) -> None:
    write(repo, {"sub/web.yaml": DEPLOYMENT})
    assert concise("-", input=ERROR) == ["<stdin>:4 externalname-ip-address"]
    assert concise("-", input="") == []
    # In the place of a file, with the repository as its context.
    service = SERVICE.replace("app: web", "app: wbe")
    for name in ("sub/service.yaml", "sub/web.yaml"):
        assert concise("-", "--stdin-filename", name, input=service + "---\n" + ERROR) == (
            [f"{name}:5 service-selects-nothing"] if name != "sub/web.yaml" else []
        ) + [f"{name}:11 externalname-ip-address"]
    assert run("check", "-", "--format", "text", input=ERROR.encode("utf-16"), code=1).stdout.count("10.0.0.1") == 2


def test_a_misspelt_path_is_answered_with_the_nearest(repo: Path) -> None:
    write(repo, {"deploy/web.yaml": CLEAN})
    assert "did you mean deploy/web.yaml?" in run("check", "deploy/wbe.yaml", code=2).stderr


@pytest.mark.parametrize(
    ("option", "word", "near"),
    [
        ("--select", "privileged-contaner", "'privileged-container'"),
        ("--ignore", "servce", "'service'"),
        ("--extend-select", "KLA300", ""),
        ("--preset", "reliabilty", "'reliability'"),
        ("--output", "sarf=x", "'sarif'"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_nearest(repo: Path, option: str, word: str, near: str) -> None:
    result = run("check", option, word, code=None)
    assert near in result.stderr
    assert result.exit_code == (2 if near else 0), "a prefix of codes is a word"


def test_every_option_has_help_and_a_variable() -> None:
    shown = run("check", "--help").stdout
    for parameter in check.params:
        if isinstance(parameter, click.Option):
            long = max(parameter.opts, key=len)
            assert long in shown
            assert parameter.envvar == "KUBELINT_ACK_" + long[2:].upper().replace("-", "_")
            assert parameter.help


# --- which rules


def test_selection(repo: Path) -> None:
    write(repo, {"a.yaml": PRIVILEGED + "---\n" + ERROR})
    privileged, address = "a.yaml:8 privileged-container", "a.yaml:13 externalname-ip-address"
    everything, root = {privileged, address}, "a.yaml:8 run-as-non-root"
    for options, expected in (
        ([], everything),
        (["--preset", "security"], {*everything, root}),
        (["--preset", "ack,security"], {*everything, root}),
        (["--preset", "ack", "--preset", "strict", "--ignore", "image"], {*everything, root}),
        (["--extend-select", "run-as-non-root"], {*everything, root}),
        (["--select", "run-as-non-root"], {root}),
        (["--select", "KLA1202"], {root}),
        (["--select", "kla12"], {privileged, root}),
        (["--select", "security"], {privileged, root}),
        (["--select", "security,service", "--ignore", "KLA1201"], {address, root}),
        (["--select", "ALL", "--ignore", "security,service"], set()),
        (["--ignore", "ALL"], set()),
    ):
        assert set(concise(*options)) == expected, options


def test_severity_is_a_floor(repo: Path) -> None:
    write(repo, {"a.yaml": WARNING + "---\n" + ERROR})
    assert len(concise("--severity", "info")) == len(concise("--severity", "warning")) == 2
    assert concise("--severity", "error") == ["a.yaml:9 externalname-ip-address"]


def test_suppressions_can_be_ignored_and_shown(repo: Path) -> None:
    text = PRIVILEGED.replace("true}", "true}  # kubelint-ack: ignore[privileged-container] needs devices")
    write(repo, {"a.yaml": text})
    assert concise() == []
    assert concise("--ignore-suppressions") == ["a.yaml:8 privileged-container"]
    shown = run("check", "--show-suppressed", "--format", "concise", code=0)
    assert "(suppressed by comment at a.yaml:8: needs devices)" in shown.stdout
    data = json.loads(run("check", "--format", "json").stdout)
    assert [one["rule"] for one in data["suppressed"]] == ["privileged-container"]
    assert (data["findings"], data["summary"]["suppressed"]) == ([], 1)


def test_what_did_not_run_is_no_unused_suppression(repo: Path) -> None:
    """The rule needs facts that are not declared, or was not selected."""
    text = "# kubelint-ack: ignore-file[netpol-on-flannel,privileged-container]\n" + CLEAN.replace(
        "ConfigMap", "NetworkPolicy"
    ).replace("v1", "networking.k8s.io/v1")
    write(repo, {"a.yaml": text})
    assert concise("--ignore", "privileged-container") == []
    assert concise() == ["a.yaml:1 unused-suppression"]


# --- configuration


def test_the_configuration_and_what_overrules_it(repo: Path) -> None:
    write(
        repo,
        {
            "a.yaml": PRIVILEGED,
            ".kubelint-ack.yaml": "ignore: [privileged-container]\nfail-on: never\nformat: concise\n",
        },
    )
    assert found(run(code=0)) == []
    assert found(run("--format", "concise", "--isolated", code=1)) == ["a.yaml:8 privileged-container"]
    write(repo, {"other.yaml": "severity: error\nformat: concise\n"})
    assert found(run("--config", "other.yaml", code=0)) == []
    assert "KLA1201" in run("--config", "other.yaml", "--severity", "warning", code=1).stdout
    write(repo, {".kubelint-ack.yaml": "select: [security]\n"})
    assert concise("--select", "service") == []


def test_a_mistake_in_the_configuration_has_a_place(repo: Path) -> None:
    write(repo, {".kubelint-ack.yaml": 'cluster:\n  cni: flanel\nselct: []\noutput: {sarif: "a\\0b"}\n'})
    result = run("check", code=2)
    assert result.stdout == ""
    assert [line.split(": ")[2] for line in result.stderr.splitlines()] == [
        ".kubelint-ack.yaml:2:8",
        ".kubelint-ack.yaml:3:1",
        ".kubelint-ack.yaml:4:17",
    ]
    assert "did you mean 'flannel'?" in result.stderr
    assert "did you mean 'select'?" in result.stderr


@pytest.mark.parametrize(
    "value", ['cluster: "a\\0b"', 'exclude: ["a\\0b"]', 'schemas: ["\\0"]', "[", "a: b: c", "{{ x }}"]
)
def test_no_configuration_makes_it_fail(repo: Path, value: str) -> None:
    write(repo, {".kubelint-ack.yaml": value + "\n", "a.yaml": CLEAN})
    result = run("check", code=2)
    assert result.stderr.startswith("kubelint-ack: error: .kubelint-ack.yaml:1:")


def test_a_pattern_that_cannot_be_used_is_the_users_to_change(repo: Path) -> None:
    write(repo, {".kubelint-ack.yaml": "overrides: [{files: ['[[:alpha:]]'], ignore: [service]}]\n", "a.yaml": ERROR})
    assert "[[:alpha:]]" in run("check", code=2).stderr


def test_overrides_for_files_and_namespaces(repo: Path) -> None:
    write(
        repo,
        {
            "test/a.yaml": PRIVILEGED,
            "prod/a.yaml": PRIVILEGED,
            "kube/a.yaml": PRIVILEGED.replace("{name: web}", "{name: web, namespace: kube-system}"),
            ".kubelint-ack.yaml": (
                "overrides:\n- files: [test/**]\n  severity: {privileged-container: info}\n"
                "- namespaces: ['kube-*']\n  ignore: [security]\n"
            ),
        },
    )
    result = run("check", "--format", "json", "--select", "privileged-container", code=1)
    assert [(one["path"], one["severity"]) for one in json.loads(result.stdout)["findings"]] == [
        ("prod/a.yaml", "warning"),
        ("test/a.yaml", "info"),
    ]


def test_variables_stand_for_options(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repo, {"a.yaml": PRIVILEGED, "own.yaml": "ignore: [security]\n"})
    for name, value, expected in (
        ("SELECT", "service,rbac", []),
        ("IGNORE", "security", []),
        ("CONFIG", "own.yaml", []),
        ("SEVERITY", "error", []),
        ("EXCLUDE", "a.yaml", []),
        ("PRESET", "security reliability", ["a.yaml:8 run-as-non-root", "a.yaml:8 privileged-container"]),
        ("IGNORE_SUPPRESSIONS", "1", ["a.yaml:8 privileged-container"]),
        ("NO_CACHE", "false", ["a.yaml:8 privileged-container"]),
    ):
        monkeypatch.setenv(f"KUBELINT_ACK_{name}", value)
        assert concise() == expected, name
        monkeypatch.delenv(f"KUBELINT_ACK_{name}")
    monkeypatch.setenv("KUBELINT_ACK_FORMAT", "json")
    monkeypatch.setenv("KUBELINT_ACK_FAIL_ON", "never")
    assert json.loads(run("check", code=0).stdout)["findings"]
    monkeypatch.setenv("KUBELINT_ACK_FORMAT", "xml")
    assert "KUBELINT_ACK_FORMAT" in run("check", code=2).stderr
    assert "KLA1201" in run("check", "--format", "text", code=0).stdout, "an option beats its variable"


def test_show_settings_and_files(repo: Path) -> None:
    write(
        repo,
        {
            "a.yaml": CLEAN,
            "b.yaml": CLEAN,
            "no/c.yaml": CLEAN,
            ".gitignore": "b.yaml\n",
            ".kubelint-ack.yaml": "exclude: [no/]\ncluster: {cni: flannel}\nkubernetes-version: '1.30'\n",
        },
    )
    assert run("check", "--show-files").stdout.splitlines() == ["a.yaml", "b.yaml  (gitignored)", "no/  (excluded)"]
    shown = json.loads(run("check", "--show-settings", "--select", "security").stdout)
    assert (shown["root"], shown["config"], shown["files"]) == (str(repo), ".kubelint-ack.yaml", 1)
    assert (shown["cluster"], shown["kubernetes_versions"]) == ({"cni": "flannel"}, ["1.30"])
    assert shown["rules"]["privileged-container"]["severity"] == "warning"
    assert "service-selects-nothing" not in shown["rules"]


def test_excludes_and_ignore_files(repo: Path) -> None:
    write(repo, dict.fromkeys(("a.yaml", "b/c.yaml", "vendor/d.yaml", "e.yaml"), ERROR) | {".gitignore": "e.yaml\n"})
    a, c, d, e = (f"{name}:4 externalname-ip-address" for name in ("a.yaml", "b/c.yaml", "vendor/d.yaml", "e.yaml"))
    assert concise() == [a, c]
    assert concise("--no-respect-gitignore") == [a, c, e]
    assert concise("--exclude", "b/") == [a]
    assert concise("--extend-exclude", "a.yaml", "--exclude", "!vendor/") == [c, d]
    assert concise("a.yaml", "vendor/d.yaml", "--exclude", "a.yaml") == [a, d], "what is named is read"
    assert concise("a.yaml", "b/c.yaml", "vendor/d.yaml", "--exclude", "a.yaml", "--force-exclude") == [c]
    assert run("check", "a.yaml", "--exclude", "a.yaml", "--force-exclude", code=0).exit_code == 0


# --- scope and context


def test_a_change_of_labels_reports_the_service_that_no_longer_matches(repo: Path) -> None:
    write(
        repo,
        {"deploy/web.yaml": DEPLOYMENT.replace("app: web", "app: shop"), "service.yaml": SERVICE, "other.yaml": ERROR},
    )
    result = run("check", "--format", "json", "deploy/web.yaml", code=1)
    report = json.loads(result.stdout)
    (finding,) = report["findings"]
    assert (finding["path"], finding["rule"]) == ("service.yaml", "service-selects-nothing")
    assert [one["path"] for one in finding["related"]] == ["deploy/web.yaml"]
    assert [one["path"] for one in report["files"]] == ["deploy/web.yaml"]
    assert report["summary"]["context_files"] == 2


def test_context_can_be_limited(repo: Path) -> None:
    write(
        repo,
        {
            "web.yaml": DEPLOYMENT + "---\n" + SERVICE.replace("app: web", "app: wbe"),
            "more/wbe.yaml": DEPLOYMENT.replace("web", "wbe"),
        },
    )
    missed = ["web.yaml:14 service-selects-nothing"]
    assert concise("web.yaml") == concise() == []
    assert concise("web.yaml", "--no-context") == missed
    assert concise("web.yaml", "--context", "elsewhere/") == missed
    assert concise("web.yaml", "--context", "more/") == []
    (repo / ".git" / "info").rmdir()
    (repo / ".git").rmdir()
    assert concise("web.yaml") == missed, "without a repository nothing but what is named is read"
    assert concise("web.yaml", "--root", ".") == []


def test_complete_is_said_of_what_is_read(repo: Path) -> None:
    container = '{name: a, image: "a:1", envFrom: [{configMapRef: {name: settings}}]}'
    job = f"""\
apiVersion: batch/v1
kind: Job
metadata: {{name: job}}
spec: {{template: {{spec: {{restartPolicy: Never, containers: [{container}]}}}}}}
"""
    write(repo, {"job.yaml": job, "settings.yaml": CLEAN, ".kubelint-ack.yaml": "complete: true\n"})
    assert concise() == concise("job.yaml") == concise("job.yaml", "--no-context") == []
    (repo / "settings.yaml").unlink()
    assert concise() == concise("job.yaml") == concise("--no-context") == ["job.yaml:4 config-reference-missing"]


# --- environments and versions

PODS = DEPLOYMENT.replace("spec: {containers", "spec: {nodeSelector: {group: web}, containers")


def test_two_environments_name_themselves_where_a_finding_holds_in_only_one(repo: Path) -> None:
    write(
        repo,
        {
            "web.yaml": PODS + "---\n" + ERROR,
            ".kubelint-ack.yaml": """\
environments:
  prod: {paths: [.], cluster: {nodePools: [{name: a, labels: {group: web}}], nodePoolsComplete: true}}
  test: {paths: [.], cluster: {nodePools: [{name: b, labels: {group: data}}], nodePoolsComplete: true}}
""",
        },
    )
    report = json.loads(run("check", "--format", "json", code=1).stdout)
    assert report["summary"]["targets"] == ["prod", "test"]
    targets = {one["rule"]: one["targets"] for one in report["findings"]}
    assert targets["node-selector-no-match"] == ["test"]
    assert targets["externalname-ip-address"] == ["prod", "test"]
    text = run("check", code=1).stdout
    assert text.count("only in: test") == 1
    assert "only in: prod" not in text


def test_several_versions_are_targets(repo: Path) -> None:
    ingress = "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\n"
    write(repo, {"a.yaml": ingress + "---\n" + ERROR})
    options = ["check", "--format", "json", "--select", "ingress-api-removed,externalname-ip-address"]
    report = json.loads(run(*options, "--kubernetes-version", "1.20,1.34", code=1).stdout)
    assert report["summary"]["targets"] == ["1.20", "1.34"]
    by_severity = {(one["rule"], one["severity"]): one["targets"] for one in report["findings"]}
    assert by_severity["externalname-ip-address", "error"] == ["1.20", "1.34"]
    assert by_severity["ingress-api-removed", "error"] == ["1.34"]
    report = json.loads(run(*options, "--kubernetes-version", "1.34", code=1).stdout)
    assert report["summary"]["targets"] == []
    assert all("targets" not in one for one in report["findings"])


# --- reports


def test_every_format_is_what_its_readers_expect(repo: Path) -> None:
    write(repo, {"商城/a.yaml": ERROR + "---\n" + WARNING})
    assert run("check", "--format", "text", code=1).stdout.count("商城/a.yaml:") == 2
    assert concise() == ["商城/a.yaml:4 externalname-ip-address", "商城/a.yaml:9 nodeport-out-of-range"]
    report = json.loads(run("check", "--format", "json", code=1).stdout)
    for finding in report["findings"]:
        assert {
            "rule",
            "code",
            "severity",
            "message",
            "path",
            "line",
            "column",
            "end_line",
            "end_column",
            "resource",
            "field",
            "related",
            "fingerprint",
        } <= set(finding)
    assert {"schema_version", "tool", "summary", "files", "findings", "suppressed", "not_evaluated"} <= set(report)
    (sarif,) = json.loads(run("check", "--format", "sarif", code=1).stdout)["runs"]
    assert [one["ruleId"] for one in sarif["results"]] == ["KLA3009", "KLA3007"]
    commands = run("check", "--format", "github", code=1).stdout.splitlines()
    assert [line.split(" ")[0] for line in commands] == ["::error", "::warning", "::notice"]


def test_several_outputs_in_one_run(repo: Path) -> None:
    write(repo, {"a.yaml": ERROR})
    outputs = [f"--output={format}=out/{format}.txt" for format in FORMATS]
    printed = run("check", *outputs, "--format", "concise", code=1)
    assert found(printed) == ["a.yaml:4 externalname-ip-address"]
    assert json.loads((repo / "out/json.txt").read_text())["findings"]
    assert json.loads((repo / "out/sarif.txt").read_text())["runs"][0]["results"]
    assert (repo / "out/concise.txt").read_text() == printed.stdout
    assert "KLA3009" in (repo / "out/text.txt").read_text()
    assert (repo / "out/github.txt").read_text().startswith("::error ")
    assert sorted(path.name for path in (repo / "out").iterdir()) == sorted(f"{format}.txt" for format in FORMATS)
    mask = os.umask(0)
    os.umask(mask)
    assert (repo / "out/json.txt").stat().st_mode & 0o777 == 0o666 & ~mask


def test_an_output_that_fails_loses_no_other(repo: Path) -> None:
    write(repo, {"a.yaml": CLEAN, "file": "", "kept.sarif": "old"})
    (repo / "folder").mkdir()
    outputs = ["--output=sarif=folder", "--output=json=file/x.json", "--output=json=good.json"]
    result = run("check", *outputs, "--format", "concise", code=2)
    assert [line for line in result.stderr.splitlines() if "error" in line] == [
        "kubelint-ack: error: cannot write folder: Is a directory",
        "kubelint-ack: error: cannot write file/x.json: Not a directory",
    ] or "cannot write file/x.json" in result.stderr
    assert json.loads((repo / "good.json").read_text())["findings"] == []
    assert sorted(path.name for path in repo.iterdir()) == [
        ".git",
        "a.yaml",
        "file",
        "folder",
        "good.json",
        "kept.sarif",
    ]


@pytest.mark.parametrize("width", range(60, 201, 20))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_text_fits_its_width(repo: Path, monkeypatch: pytest.MonkeyPatch, width: int, language: str) -> None:
    from kubelint_ack.report.display import width as cells

    shop = (ROOT / "examples" / "shop" / "web.yaml").read_text()
    write(repo, {"商城/web.yaml": shop, "long.yaml": ERROR.replace("name: b", "name: " + "b" * 60)})
    monkeypatch.setenv("COLUMNS", str(width))
    text = run("check", "--lang", language, "--preset", "strict", code=1).stdout
    # A word that is longer than a line, as an address or the name of an annotation, cannot be broken.
    wide = [line for line in text.splitlines() if cells(line) > width and max(map(cells, line.split())) < width - 10]
    assert wide == []


@pytest.mark.parametrize("columns", ["0", "-5", "x", "²", "7", "99999"])
def test_odd_widths_are_no_error(repo: Path, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    write(repo, {"a.yaml": ERROR})
    monkeypatch.setenv("COLUMNS", columns)
    lines = run("check", code=1).stdout.splitlines()
    assert max(map(len, lines)) <= 200


@pytest.mark.parametrize(
    ("option", "variables", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"CLICOLOR_FORCE": "1"}, True),
        ([], {"FORCE_COLOR": "0"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
    ],
)
def test_colors(
    repo: Path, monkeypatch: pytest.MonkeyPatch, option: list[str], variables: dict[str, str], colored: bool
) -> None:
    write(repo, {"a.yaml": ERROR})
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for format in ("text", "concise"):
        # Click's test runner strips colours unless told otherwise.
        result = CliRunner().invoke(cli.main, ["check", "--format", format, *option], color=True)
        assert ("\x1b[" in result.stdout) == colored
    for format in ("json", "sarif", "github"):
        result = CliRunner().invoke(cli.main, ["check", "--format", format, *option], color=True)
        assert "\x1b[" not in result.stdout


def test_pre_commit_gets_lines(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repo, {"a.yaml": ERROR})
    monkeypatch.setenv("PRE_COMMIT", "1")
    result = run("a.yaml", code=1)
    assert found(result) == ["a.yaml:4 externalname-ip-address"]
    assert result.stderr == "Found 1 finding in 1 file: 1 error.\n"
    assert "-->" in run("a.yaml", "--format", "text", code=1).stdout


def test_quiet_statistics_grouping_and_limits(repo: Path) -> None:
    write(repo, {f"{name}.yaml": PRIVILEGED.replace("web", name) for name in "abcdefg"} | {"x.yaml": ERROR})
    assert "Found 8 findings" in run("check", code=1).stdout
    assert "Found" not in run("check", "--quiet", code=1).stdout
    assert run("check", "--quiet", "--format", "concise", code=1).stderr == ""
    statistics = run("check", "--statistics", "--quiet", code=1).stdout
    assert [line.split()[:3] for line in statistics.splitlines() if line] == [
        ["7", "warning", "KLA1201"],
        ["1", "error", "KLA3009"],
    ]
    assert run("check", "--no-group", code=1).stdout.count("-->") == 8
    assert run("check", code=1).stdout.count("-->") < 8
    assert len(concise("--max-findings", "2")) == 2
    assert "6 more findings" in run("check", "--max-findings", "2", "--no-group", code=1).stdout
    assert len(json.loads(run("check", "--max-findings", "2", "--format", "json", code=1).stdout)["findings"]) == 8


def test_sarif_options(repo: Path) -> None:
    write(repo, {"a.yaml": ERROR + "---\n" + WARNING})
    options = ["--sarif-category", "prod", "--repository-uri", "https://example.com/x", "--revision", "abc"]
    result = run("check", "--format", "sarif", "--sarif-limit", "1", *options, code=1)
    (one,) = json.loads(result.stdout)["runs"]
    assert [finding["ruleId"] for finding in one["results"]] == ["KLA3009"]
    assert one["automationDetails"] == {"id": "prod/"}
    assert one["versionControlProvenance"][0]["revisionId"] == "abc"
    assert result.stderr == "kubelint-ack: 2 findings; this file holds the 1 most severe.\n"
    (one,) = json.loads(run("check", "--format", "sarif", code=1).stdout)["runs"]
    assert not {"automationDetails", "versionControlProvenance"} & set(one)


def test_hyperlinks(repo: Path) -> None:
    write(repo, {"a.yaml": ERROR})
    assert "\x1b]8;;" in CliRunner().invoke(cli.main, ["check", "--hyperlinks", "always"], color=True).stdout
    assert "\x1b]8;;" not in CliRunner().invoke(cli.main, ["check", "--color", "always"], color=True).stdout


def test_rules_that_could_not_judge_name_the_fact_that_they_need(repo: Path) -> None:
    write(repo, {"a.yaml": PODS})
    report = json.loads(run("check", "--format", "json").stdout)
    needs = {one["rule"]: one["needs"] for one in report["not_evaluated"]}
    assert needs["node-selector-no-match"] == ["nodePools"]
    assert "nodePools" in run("check").stdout


def test_progress_is_drawn_for_terminals_only(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(0, 10_000, 2))
    monkeypatch.setattr("kubelint_ack.terminal.time.monotonic", lambda: next(clock))
    bar = Progress("en")
    bar(1, 2)
    bar.clear()
    shown = capsys.readouterr().err
    assert "1 of 2 files" in shown
    assert shown.endswith("\r\x1b[K")
    write(repo, {"a.yaml": CLEAN})
    assert "\x1b" not in run("check").stderr


# --- languages


def test_lang_is_for_people_and_for_machines_only_if_asked(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repo, {"a.yaml": ERROR})
    assert "必须" in run("check", "--lang", "zh", code=1).stdout
    assert "必须" in run("check", "--lang", "zh", "--format", "json", code=1).stdout
    monkeypatch.setattr("kubelint_ack.cli.options.HELP_LANGUAGE", "zh")
    assert "必须" in run("check", code=1).stdout
    for format in ("json", "sarif"):
        assert "必须" not in run("check", "--format", format, code=1).stdout
    write(repo, {".kubelint-ack.yaml": "lang: en\n"})
    assert "必须" not in run("check", code=1).stdout


@pytest.mark.parametrize(
    ("variables", "chinese"),
    [
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LC_ALL": "zh_TW.UTF-8", "LANG": "C"}, True),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, False),
        ({"LANG": "zh_CN.UTF-8", "KUBELINT_ACK_LANG": "en"}, False),
        ({"KUBELINT_ACK_LANG": "zh"}, True),
        ({"LANG": "de_DE.UTF-8"}, False),
    ],
)
def test_the_language_of_the_surroundings(repo: Path, variables: dict[str, str], chinese: bool) -> None:
    write(repo, {"a.yaml": ERROR})
    surroundings = {name: value for name, value in environment().items() if not name.startswith(("LC_", "LANG"))}
    done = process("check", cwd=repo, env={**surroundings, "PYTHONUTF8": "1", **variables})
    assert ("必须" in done.stdout) == chinese, done.stdout


def test_a_console_that_cannot_show_chinese_gets_escapes(repo: Path) -> None:
    write(repo, {"a.yaml": ERROR})
    done = process("check", "--lang", "zh", cwd=repo, env=environment(PYTHONIOENCODING="ascii"))
    assert (done.returncode, done.stderr) == (1, "")
    assert "\\u5fc5\\u987b" in done.stdout


# --- other commands


def test_rule_prints_its_page(repo: Path) -> None:
    for name in ("privileged-container", "KLA1201", "kla1201"):
        assert "privileged" in run("rule", name).stdout
        assert run("explain", name).stdout == run("rule", name).stdout
    assert "特权" in run("rule", "--lang", "zh", "privileged-container").stdout
    page = json.loads(run("rule", "--format", "json", "privileged-container").stdout)
    assert (page["name"], page["code"]) == ("privileged-container", "KLA1201")
    assert len(json.loads(run("rule", "--all", "--format", "json").stdout)) == len(catalog.rules())
    assert run("rule", "--format", "markdown", "KLA1201").stdout.startswith("# ")
    other = run("rule", "checkov:CKV_K8S_16")
    assert "privileged-container (KLA1201)" in other.stderr
    assert "did you mean 'privileged-container'" in run("rule", "privileged-contaner", code=2).stderr
    run("rule", code=2)


PREFIX = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-"


def test_explain_prints_what_an_annotation_does(repo: Path) -> None:
    page = run("explain", f"{PREFIX}bandwidth").stdout
    assert page.startswith(f"# {PREFIX}bandwidth\n")
    for part in ("NLB", "1 to 5120", "`50`", "`charge-type`: `paybybandwidth`", "cloud-controller-manager 1.9.3"):
        assert part in page
    assert run("explain", "bandwidth").stdout == page, "what follows the prefix is enough"
    assert run("explain", "service.beta.kubernetes.io/alicloud-loadbalancer-bandwidth").stdout == page
    assert run("rule", "bandwidth").stdout == page
    assert "公网带宽" in run("explain", "--lang", "zh", "bandwidth").stdout
    assert "`eni`" in run("explain", "service.beta.kubernetes.io/backend-type").stdout


def test_explain_knows_every_catalogue(repo: Path) -> None:
    """A name that several controllers use is explained for each of them."""
    pages = run("explain", "address-type").stdout
    assert "# alb.ingress.kubernetes.io/address-type\n" in pages
    assert f"# {PREFIX}address-type\n" in pages
    for one in catalogues():
        for name in one.known:
            assert key_page((one, name), "en").startswith(f"# {one.key(name)}\n")
            assert key_page((one, name), "zh").startswith(f"# {one.key(name)}\n")


def test_explain_gives_an_annotation_as_data(repo: Path) -> None:
    data = json.loads(run("explain", "--format", "json", "zone-maps").stdout)
    assert (data["key"], data["on"], data["not_read_by"]) == (f"{PREFIX}zone-maps", ["Service"], ["clb"])
    assert data["readers"]["nlb"]["since"] == "2.5.0"
    assert data["page"] == run("explain", "zone-maps").stdout
    several = json.loads(run("explain", "--format", "json", "zone-maps", "KLA1201").stdout)
    assert [one.get("key") or one["name"] for one in several] == ["privileged-container", f"{PREFIX}zone-maps"]


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("health-check-fla", f"{PREFIX}health-check-flag"),
        (f"{PREFIX}Address_Type", f"{PREFIX}address-type"),
        (f"{PREFIX}persistence-time", f"{PREFIX}persistence-timeout"),
        ("service.beta.kubernetes.io/backend-typ", "service.beta.kubernetes.io/backend-type"),
        ("nginx.ingress.kubernetes.io/use-regx", "nginx.ingress.kubernetes.io/use-regex"),
        ("alb.ingress.kubernetes.io/listen-port", "alb.ingress.kubernetes.io/listen-ports"),
    ],
)
def test_explain_suggests_the_nearest_annotation(repo: Path, word: str, near: str) -> None:
    assert f"the nearest is '{near}'" in run("explain", word, code=2).stderr


def test_rules_lists_all(repo: Path) -> None:
    for language in ("en", "zh"):
        lines = run("rules", "--lang", language).stdout.splitlines()
        assert {line.split()[1] for line in lines[1:] if line.startswith("KLA")} == set(catalog.rules())
    rows = json.loads(run("rules", "--format", "json").stdout)
    assert {row["name"] for row in rows} == set(catalog.rules())


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_prints_a_schema(name: str) -> None:
    assert json.loads(run("schema", name).stdout)["$schema"].startswith("https://json-schema.org/")
    run("schema", "x", code=2)


def test_init_writes_once(repo: Path) -> None:
    assert run("init", "--ci", "github").stderr.count("wrote") == 2
    text = (repo / ".kubelint-ack.yaml").read_text()
    assert yaml.safe_load(text) is None, "all of it is commented out"
    run("check", code=0)
    result = run("init", "--ci", "pre-commit", code=2)
    assert "exists" in result.stderr
    assert (repo / ".kubelint-ack.yaml").read_text() == text
    assert (repo / ".pre-commit-config.yaml").exists()
    run("init", "missing", code=2)
    (repo / "other").mkdir()
    (repo / "other" / ".kubelint-ack.yml").write_text("")
    assert "rename it" in run("init", "other", code=2).stderr


def test_profile_reads_dumps_and_writes_what_the_configuration_takes(repo: Path) -> None:
    dump = (ROOT / "tests" / "data" / "dumps" / "flannel.json").read_text()
    write(repo, {"../dump.json": dump, "a.yaml": CLEAN})
    shown = run("profile", "../dump.json").stdout
    assert yaml.safe_load(shown)["cni"] == "flannel"
    assert run("profile", input=dump).stdout == run("profile", "-", input=dump).stdout
    run("profile", "../dump.json", "-o", "cluster.yaml")
    assert (repo / "cluster.yaml").read_text() == shown
    assert "exists" in run("profile", "../dump.json", "-o", "cluster.yaml", code=2).stderr
    write(repo, {".kubelint-ack.yaml": "cluster: cluster.yaml\n"})
    run("check", code=0)
    assert "none.json: No such file" in run("profile", "none.json", code=2).stderr
    assert "-:1:1: " in run("profile", input="{", code=2).stderr


def test_version_and_help() -> None:
    assert run("--version").stdout == f"kubelint-ack {__version__}\n"
    for arguments in (["--help"], ["-h"], ["check", "-h"], ["rule", "--help"], ["init", "-h"], ["profile", "-h"]):
        assert run(*arguments).stdout.startswith("Usage: ")


# --- streams, signals and files, in processes of their own


def test_a_closed_pipe_is_no_error(repo: Path) -> None:
    """As in `kubelint-ack | head`: quiet, and the exit code still says what was found."""
    for text, code in ((CLEAN, 0), ("---\n".join(ERROR.replace("name: b", f"name: b{n}") for n in range(2000)), 1)):
        write(repo, {"a.yaml": text})
        command = [sys.executable, "-m", "kubelint_ack", "check", "--no-group"]
        with subprocess.Popen(
            command, cwd=repo, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout
            assert running.stderr
            running.stdout.close()
            assert running.stderr.read() == ""
        assert running.returncode == code


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
def test_a_full_disk_is_said(repo: Path) -> None:
    write(repo, {"a.yaml": ERROR})
    with open("/dev/full", "w") as full:
        for arguments in (["check"], ["rules"]):
            done = process(*arguments, cwd=repo, stdout=full)
            assert done.returncode == 2
            assert re.fullmatch(r"kubelint-ack: error: .*No space left on device\n", done.stderr)


@pytest.mark.skipif(os.name != "posix", reason="how a shell closes streams")
@pytest.mark.parametrize(("closed", "code"), [(">&-", 1), ("2>&-", 1), ("<&-", 1), (">&- 2>&- <&-", 1)])
def test_streams_may_be_closed(repo: Path, closed: str, code: int) -> None:
    write(repo, {"a.yaml": ERROR})
    command = f"exec {sys.executable} -m kubelint_ack check a.yaml {closed}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=repo, env=environment(), capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_ends_with_130_and_no_traceback(repo: Path, jobs: str) -> None:
    text = "---\n".join([PRIVILEGED] * 200)
    write(repo, {f"{number}.yaml": text for number in range(200)})
    command = [sys.executable, "-m", "kubelint_ack", "check", "--no-cache", "--jobs", jobs]
    running = subprocess.Popen(
        command, cwd=repo, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    time.sleep(3)  # the program has started, also on a machine that is busy, and has work for longer
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 130
    assert b"Traceback" not in errors


def test_an_interrupt_is_left_to_the_process_that_started_the_others(repo: Path) -> None:
    """They would each print where they were."""
    code = "import signal; from kubelint_ack import pool; pool._initialise(None); print(signal.getsignal(2) == 1)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_a_file_name_that_is_no_utf8_is_shown_escaped(repo: Path) -> None:
    (repo / os.fsdecode(b"\xff\n.yaml")).write_text(ERROR)
    for format in FORMATS:
        done = process("check", "--format", format, "--jobs", "2", cwd=repo)
        assert (done.returncode, done.stderr.count("Traceback")) == (1, 0), done.stderr
    assert "\\xff\\n.yaml:4:" in process("check", "--format", "concise", cwd=repo).stdout


def test_a_run_in_a_folder_that_is_gone_says_so(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    command = f"cd gone && rmdir ../gone && exec {sys.executable} -m kubelint_ack check"
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_cache_lies_outside_the_repository(repo: Path, tmp_path: Path) -> None:
    write(repo, {f"{number}.yaml": CLEAN.replace("settings", f"s{number}") for number in range(60)})
    before = sorted(repo.rglob("*"))
    env = environment(KUBELINT_ACK_CACHE_DIR=str(tmp_path / "cache"))
    process("check", "--no-cache", cwd=repo, env=env)
    assert not (tmp_path / "cache").exists()
    first = process("check", "--format", "json", cwd=repo, env=env)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".scan"]
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert process("check", "--format", "json", cwd=repo, env=env).stdout == first.stdout
    assert sorted(repo.rglob("*")) == before


def test_a_file_in_a_repository_without_ignore_files_needs_none_of_the_heavy_modules(repo: Path) -> None:
    write(repo, {"a.yaml": CLEAN, "b.yaml": CLEAN})
    command = [sys.executable, "-X", "importtime", "-m", "kubelint_ack", "check", "a.yaml"]
    done = subprocess.run(command, cwd=repo, env=environment(), capture_output=True, text=True, check=True, timeout=60)
    imported = set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))
    assert "kubelint_ack.engine" in imported
    heavy = {"rich", "ruamel", "jsonschema", "sarif_om", "multiprocessing", "importlib.metadata", "msgspec", "pathspec"}
    assert {name for name in imported if name in heavy or name.split(".")[0] in heavy} == set()


# --- anything at all

WORDS = st.sampled_from(
    [
        *(
            "a.yaml",
            "-",
            ".",
            "..",
            "*",
            "",
            "[",
            "\x00",
            "\udcff",
            "²",
            "-1",
            "0",
            "9" * 30,
            "KLA",
            "ALL",
            "x=y",
            "json=o",
        )
    ]
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_options_make_it_fail(repo: Path, data: st.DataObject) -> None:
    write(repo, {"a.yaml": ERROR})
    arguments = []
    options = [one for one in check.params if isinstance(one, click.Option)]
    for option in data.draw(st.lists(st.sampled_from(options), max_size=4)):
        arguments.append(data.draw(st.sampled_from(option.opts)))
        if not option.is_flag:
            own = list(option.type.choices) if isinstance(option.type, click.Choice) else []
            word = data.draw(st.one_of(st.sampled_from(own), WORDS) if own else WORDS)
            # Writing anywhere, and as many processes as one likes, is what these are for.
            arguments.append("1" if "--jobs" in option.opts and word.isdecimal() else word)
    arguments += data.draw(st.lists(WORDS.filter(lambda word: word not in ("..",)), max_size=2))
    result = run("check", *arguments, code=None, input="")
    assert result.exit_code in (0, 1, 2)


def test_processes_do_not_outlive_a_crash(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that raises in another process is the same finding."""
    monkeypatch.setattr("kubelint_ack.checks.security.privileged_container", raising)
    monkeypatch.setattr(pool, "FORK_THRESHOLD", 0)
    write(repo, {"a.yaml": PRIVILEGED, "b.yaml": PRIVILEGED})
    result = run("check", "--format", "concise", "--jobs", "2", code=2)
    assert found(result) == ["a.yaml:3 rule-crash", "b.yaml:3 rule-crash"]
