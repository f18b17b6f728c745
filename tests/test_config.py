"""The configuration: what is read, where mistakes are found, and that nothing in it can harm us."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubelint_ack import catalog, config, configfile
from kubelint_ack.catalog import Rule
from kubelint_ack.config import DEFAULT, Config, ConfigError, find_config, find_config_upwards
from kubelint_ack.configfile import load
from kubelint_ack.records import FieldPath, at
from kubelint_ack.scan import DECODE_RULES
from kubelint_ack.starter import ci_snippet, init_text
from kubelint_ack.validation import load_schema
from kubelint_ack.words import catalogue


def rule(name: str, code: str, area: str, **changes: Any) -> Rule:
    made = Rule(name, code, area, "warning", "resource", (("*", "any"),), (), (), ("default",), {}, "", "high", (), {})
    return made._replace(**changes)


RULES = {
    one.name: one
    for one in (
        rule("service-selects-nothing", "KLA3001", "service"),
        rule("lb-class-unsupported", "KLA3601", "loadbalancer"),
        rule("privileged-container", "KLA1201", "security", equivalents={"checkov": ("CKV_K8S_16",)}),
        rule("run-as-non-root", "KLA1202", "security"),
        rule("image-latest-tag", "KLA1701", "image"),
        rule("node-selector-required", "KLA5501", "scheduling", options={"keys": [], "limit": 3}),
    )
}
OPTIONS = {
    "keys": {"default": [], "schema": {"type": "array", "items": {"type": "string"}}},
    "limit": {"default": 3},
}


@pytest.fixture(autouse=True)
def _few_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules of our own, so that these tests depend on no rule file."""
    monkeypatch.setattr(catalog, "rules", lambda: RULES)
    monkeypatch.setattr(configfile, "rules", lambda: RULES)
    monkeypatch.setattr(configfile, "load_rule_file", lambda path: {"options": OPTIONS if "node-" in path else {}})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def read(root: Path, text: str | bytes, *, explicit: bool = False, **files: str) -> Config:
    write(root, {".kubelint-ack.yaml": text, **files})
    return load(str(root / ".kubelint-ack.yaml"), str(root), explicit=explicit)


def mistakes(root: Path, text: str | bytes, name: str = ".kubelint-ack.yaml", **how: Any) -> list[str]:
    """The messages, without the configuration's name in front."""
    write(root, {name: text})
    with pytest.raises(ConfigError) as error:
        load(str(root / name), str(root), explicit=how.pop("explicit", False), **how)
    return [message.removeprefix(f"{name}:").strip() for message in error.value.messages]


# --- finding


def test_each_name_is_found(root: Path) -> None:
    assert find_config(str(root)) is None
    for name in (".kubelint-ack.yaml", "kubelint-ack.yaml"):
        write(root, {name: ""})
        assert find_config(str(root)) == str(root / name)
        (root / name).unlink()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[tool.kubelint-ack]\n", True),
        ("[tool.kubelint-ack.cluster]\ncni = 'terway'\n", True),
        ("[tool.other]\nx = 'kubelint-ack'\n", False),
        ("[project]\nname = 'x'\n", False),
        ("[tool.kubelint-ack\n", True),
        ("# kubelint-ack\n[broken", False),
    ],
)
def test_pyproject_counts_only_with_our_table(root: Path, text: str, found: bool) -> None:
    """One that names our table and is no TOML counts too: it would else be passed over in silence."""
    write(root, {"pyproject.toml": text})
    assert (find_config(str(root)) is not None) is found


def test_two_configurations_are_an_error_that_names_both(root: Path) -> None:
    write(root, {".kubelint-ack.yaml": "", "pyproject.toml": "[tool.kubelint-ack]\n"})
    with pytest.raises(ConfigError, match=r"\.kubelint-ack\.yaml: there is also pyproject\.toml"):
        find_config(str(root))


def test_a_name_that_ends_with_yml_is_not_passed_over(root: Path) -> None:
    write(root, {".kubelint-ack.yml": ""})
    with pytest.raises(ConfigError, match=r"rename it to \.kubelint-ack\.yaml"):
        find_config(str(root))


def test_upwards_the_nearest_folder_wins(root: Path) -> None:
    write(root, {".kubelint-ack.yaml": "", "a/kubelint-ack.yaml": "", "a/b/c/x": ""})
    assert find_config_upwards(str(root / "a/b/c")) == str(root / "a/kubelint-ack.yaml")
    (root / "a/kubelint-ack.yaml").unlink()
    assert find_config_upwards(str(root / "a/b/c")) == str(root / ".kubelint-ack.yaml")


# --- reading


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "{}\n", "---\n# a comment\n...\n"])
def test_an_empty_configuration_is_the_default(root: Path, text: str) -> None:
    found = read(root, text)
    assert found._replace(path=None, digest="") == DEFAULT
    assert found.path == ".kubelint-ack.yaml"


def test_every_setting_is_read(root: Path) -> None:
    found = read(
        root,
        """\
complete: [ConfigMap]
preset: ack
select: [service]
extend-select: [run-as-non-root]
ignore: [KLA17]
severity: warning
exclude: [./vendor/]
extend-exclude: ["{{cookiecutter.name}}/"]
context: []
overrides:
  - {files: [test/**], severity: {security: info, KLA1201: error}, select: [service], ignore: [image]}
  - {namespaces: [kube-*]}
rules:
  node-selector-required: {severity: error, keys: [group], limit: 4}
suppressions: {require-reason: true, honor: [trivy]}
fail-on: never
format: json
output: {sarif: out/x.sarif}
lang: zh
kubernetes-version: "1.32"
workloads: [{kind: example.com/App, path: spec.pod.template}]
schemas: [crds/]
max-file-size: 2Mi
jobs: 3
cache: false
""",
    )
    assert found.complete == ("ConfigMap",)
    assert found.presets == ("ack",)
    assert (found.select, found.extend_select, found.ignore) == (("service",), ("run-as-non-root",), ("KLA17",))
    assert (found.severity, found.fail_on, found.format, found.lang) == ("warning", "never", "json", "zh")
    assert (found.exclude, found.extend_exclude) == (("vendor/",), ("{{cookiecutter.name}}/",))
    assert found.context == ()
    first, second = found.overrides
    assert first.files == ("test/**",)
    assert (first.select, first.ignore) == (("service",), ("image",))
    assert first.severity == {"privileged-container": "error", "run-as-non-root": "info"}
    assert (second.files, second.namespaces) == ((), ("kube-*",))
    assert found.rules == {"node-selector-required": {"severity": "error", "keys": ["group"], "limit": 4}}
    assert (found.require_reason, found.honor) == (True, ("trivy",))
    assert found.output == (f"sarif={root}/out/x.sarif",)
    assert found.kubernetes_versions == ("1.32",)
    assert found.workloads == {("example.com", "App"): (("spec", "pod", "template"),)}
    assert found.schemas == ("crds/",)
    assert (found.max_file_size, found.jobs, found.cache) == (2 * 2**20, 3, False)


@pytest.mark.parametrize(("text", "size"), [("5", 5), ("10k", 10_000), ("1Ki", 1024), ("3G", 3 * 10**9)])
def test_sizes(root: Path, text: str, size: int) -> None:
    assert read(root, f"max-file-size: {text}\n").max_file_size == size


def test_the_digest_changes_with_every_file(root: Path) -> None:
    text = "cluster: cluster.yaml\n"
    digests = {read(root, text, **{"cluster.yaml": f"cni: {cni}\n"}).digest for cni in ("terway", "flannel", "flannel")}
    digests.add(read(root, f"{text}# changed\n").digest)
    assert len(digests) == 3


# --- mistakes, with line and column

CASES: dict[str, tuple[str, list[str]]] = {
    "an unquoted version": (
        "cluster:\n  kubernetesVersion: 1.30\n",
        ['2:22: cluster.kubernetesVersion: 1.30 is read as a number; write it in quotes: "1.30"'],
    ),
    "an unquoted version of a run": (
        "kubernetes-version: 1.30\n",
        ['1:21: kubernetes-version: 1.30 is read as a number; write it in quotes: "1.30"'],
    ),
    "columns count characters": (
        "rules: {privileged-container: {severity: error}}\nlang: {中文🎉: [], x: 1}\n",
        ["2:7: lang: must be 'en' or 'zh', not '{\"中文🎉\": [], \"x\": 1}'"],
    ),
    "a key after Chinese text": (
        '{"ignore": [], "cluster": {"name": "中文🎉", "cnii": 1}}\n',
        ["1:43: unknown key 'cnii' in 'cluster'; did you mean 'cni'?"],
    ),
    "an unknown key": ("ignore: []\nfail_on: error\n", ["2:1: unknown key 'fail_on'; did you mean 'fail-on'?"]),
    "a key of the profile at the top": (
        "kubernetesVersion: '1.30'\n",
        ["1:1: 'kubernetesVersion' belongs under 'cluster:'; move it there"],
    ),
    "a key of the configuration in the profile": (
        "cluster:\n  environments: {}\n",
        [
            (
                "2:3: 'environments' belongs to the configuration, not to a cluster profile; "
                "move it to the top level of the configuration"
            )
        ],
    ),
    "an old name": (
        "cluster:\n  cni: terway\n  ccmVersion: 2.1.0\n",
        ["3:3: 'ccmVersion' has a new name; write 'components.cloud-controller-manager'"],
    ),
    "an old name in an environment": (
        "environments:\n  prod: {paths: [.], cluster: {nodes: []}}\n",
        ["2:32: 'nodes' has a new name; write 'nodePools'"],
    ),
    "a name that was dropped": (
        "cluster:\n  vSwitches:\n    - id: vsw-a\n      role: pod\n",
        ["4:7: 'role' is no longer used; remove it"],
    ),
    "a program": (
        "helm:\n  binary: ./evil\n",
        ["1:1: 'helm' is not a setting: a configuration cannot name programs or plug-ins to run; remove it"],
    ),
    "a key twice": (
        "ignore: []\nselect: []\nignore: [service]\n",
        ["3:1: the key 'ignore' is set twice; remove one of them"],
    ),
    "an unknown rule": (
        "ignore:\n  - service\n  - privileged-contaner\n",
        ["3:5: ignore: unknown rule 'privileged-contaner'; did you mean 'privileged-container'?"],
    ),
    "an unknown rule without a likeness": (
        "extend-select: [zzz]\n",
        ["1:17: extend-select: there is no rule, code or area 'zzz'; 'kubelint-ack rules' lists them"],
    ),
    "an unknown code": (
        "select: [KLA99]\n",
        ["1:10: select: there is no rule, code or area 'KLA99'; 'kubelint-ack rules' lists them"],
    ),
    "the name of another tool's rule": (
        "ignore: [CKV_K8S_16]\n",
        ["1:10: ignore: 'CKV_K8S_16' is a name of checkov; write 'privileged-container'"],
    ),
    "an unknown rule in an override": (
        "overrides:\n  - files: [a]\n    ignore: [sevice]\n    severity:\n      KLA1201: info\n      scurity: info\n",
        [
            "3:14: overrides[0].ignore: unknown rule 'sevice'; did you mean 'service'?",
            "6:7: overrides[0].severity: unknown rule 'scurity'; did you mean 'security'?",
        ],
    ),
    "an unknown rule with settings": (
        "rules:\n  image-latest-tags: {severity: info}\n",
        ["2:3: rules: unknown rule 'image-latest-tags'; did you mean 'image-latest-tag'?"],
    ),
    "a code with settings": (
        "rules:\n  KLA1701: {severity: info}\n",
        ["2:3: rules: 'KLA1701' cannot be used here; write the rule's name, 'image-latest-tag'"],
    ),
    "an unknown option": (
        "rules:\n  node-selector-required:\n    key: [group]\n",
        ["3:5: unknown key 'key' in 'rules.node-selector-required'; did you mean 'keys'?"],
    ),
    "an option of a rule that has none": (
        "rules:\n  image-latest-tag:\n    tags: [x]\n",
        ["3:5: unknown key 'tags' in 'rules.image-latest-tag'; write 'severity'"],
    ),
    "an option that does not fit its schema": (
        "rules:\n  node-selector-required:\n    keys:\n      - group\n      - 1.50\n",
        ['5:9: rules.node-selector-required.keys[1]: 1.50 is read as a number; write it in quotes: "1.50"'],
    ),
    "an option that is not like its default": (
        "rules:\n  node-selector-required: {limit: many}\n",
        ["2:35: rules.node-selector-required.limit: must be a whole number, not a string"],
    ),
    "a network with host bits": (
        "cluster:\n  vpcCIDRs: [10.0.0.0/8, 172.16.1.0/12]\n",
        ["2:26: vpcCIDRs[1]: '172.16.1.0/12' is an address in a network; write the network, '172.16.0.0/12'"],
    ),
    "no network": (
        "cluster:\n  vSwitches: [{cidr: 300.0.0.0/8}]\n",
        ["2:22: vSwitches[0].cidr: '300.0.0.0/8' is not a CIDR block; write one such as 10.32.0.0/16"],
    ),
    "no address": ("cluster: {dnsServiceIP: 1.2.3}\n", ["1:25: dnsServiceIP: '1.2.3' is not an IP address"]),
    "ports in the wrong order": (
        "cluster:\n  nodePortRange: 32767-30000\n",
        ["2:18: nodePortRange: '32767-30000' is not a range of ports; write low-high, both between 1 and 65535"],
    ),
    "a pool twice": (
        "cluster:\n  nodePools:\n    - name: web\n    - name: db\n    - name: web\n",
        ["5:13: nodePools[2].name: 'web' is the name of an earlier item too; names must be unique"],
    ),
    "an environment without paths": ("environments:\n  prod: {}\n", ["2:3: 'environments.prod' needs 'paths'; add it"]),
    "an environment that is not there": (
        "environments:\n  prod: {paths: [deploy/prod]}\n",
        [
            (
                "2:18: 'deploy/prod' does not exist; paths are relative to the configuration file, "
                "with --config to the current directory"
            )
        ],
    ),
    "a path out of the root": (
        "environments:\n  prod:\n    paths:\n      - ../other\n",
        ["4:9: '../other' is outside the root; write a path inside it"],
    ),
    "template text": (
        "cluster:\n  name: ${NAME}\n",
        [
            (
                "2:9: cluster.name: placeholders and YAML tags have no meaning here; write the value itself, "
                "and put text that looks like a placeholder in quotes"
            )
        ],
    ),
    "an unknown tag": (
        "ignore: !env X\n",
        [
            (
                "1:14: ignore: placeholders and YAML tags have no meaning here; write the value itself, "
                "and put text that looks like a placeholder in quotes"
            )
        ],
    ),
    "two documents": ("ignore: []\n---\nselect: []\n", ["3:1: a second document; keep one document in the file"]),
    "a list": ("- a\n", ["1:1: must hold a mapping: lines such as 'cluster: …'"]),
    "a word": ("hello\n", ["1:1: must hold a mapping: lines such as 'cluster: …'"]),
    "no value": ("cluster:\n", ["1:1: cluster: has no value; write a mapping or a string, or remove the key"]),
    "a missing profile": (
        "ignore: []\ncluster: clusters/prod.yaml\n",
        [
            (
                "2:10: 'clusters/prod.yaml' does not exist; paths are relative to the configuration file, "
                "with --config to the current directory"
            )
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_named_at_its_place(root: Path, name: str) -> None:
    text, expected = CASES[name]
    assert mistakes(root, text) == expected


def test_all_mistakes_are_named_at_once_in_the_order_of_the_file(root: Path) -> None:
    text = "jobs: -1\nignore: [zzz]\nrules: {image-latest-tag: {x: 1}}\nfail-on: eror\n"
    assert [message.partition(":")[0] for message in mistakes(root, text)] == ["1", "2", "3", "4"]


def test_a_flood_of_mistakes_is_cut(root: Path) -> None:
    found = mistakes(root, "".join(f"x{number}: 1\n" for number in range(60)))
    assert len(found) == 21
    assert found[-1] == "… and 40 more mistakes"
    # Beyond a hundred nobody looks for more: each costs a search for the nearest word.
    words = "".join(f"  - rule-{number}\n" for number in range(300))
    assert mistakes(root, f"ignore:\n{words}")[-1] == "… and 81 more mistakes"


def test_messages_in_chinese(root: Path) -> None:
    text = "cluster:\n  kubernetesVersion: 1.30\nignore: [sevice]\n"
    assert mistakes(root, text, language="zh") == [
        '2:22: cluster.kubernetesVersion：1.30 会被读成数字；请加引号："1.30"',
        "3:10: ignore：未知的规则“sevice”；是否想写“service”？",
    ]


def test_yaml_that_cannot_be_read(root: Path) -> None:
    (message,) = mistakes(root, "cluster:\n  a: [\n")
    assert re.match(r"\d+:\d+: not valid YAML: ", message)
    assert mistakes(root, "a: \x00\n") == ["1:4: control character U+0000; remove it"]
    assert mistakes(root, "# 中文\n".encode("gb18030")) == ["1:3: not UTF-8; save the file as UTF-8"]
    assert mistakes(root, "{{- if x }}\na: 1\n{{- end }}\n") == [
        "1:1: template text is not YAML; write the values themselves"
    ]


def test_every_problem_of_the_decoder_has_words() -> None:
    kinds = {*DECODE_RULES, "document-limit"} - {"file-too-large"}
    assert {kind for kind in kinds if f"config.file.{kind}" not in catalogue("en")} == set()


# --- clusters and environments


def place(cluster: config.Cluster, *route: str | int) -> tuple[str, int, int]:
    path, found = cluster.locate(FieldPath(route))
    return path, found.span.line, found.span.column


def test_a_profile_in_a_file_of_its_own(root: Path) -> None:
    found = read(
        root,
        "cluster: clusters/prod.yaml\n",
        **{"clusters/prod.yaml": "# prod\ncni: terway\nvpcCIDRs:\n  - 10.0.0.0/8\n"},
    )
    assert found.cluster.data == {"cni": "terway", "vpcCIDRs": ["10.0.0.0/8"]}
    assert place(found.cluster, "vpcCIDRs", 0) == ("clusters/prod.yaml", 4, 5)
    assert place(found.cluster, "podCIDR")[0] == "clusters/prod.yaml"


def test_a_profile_written_in_the_configuration(root: Path) -> None:
    found = read(root, "ignore: []\ncluster:\n  cni: flannel\n  serviceCIDR: 10.0.0.0/16\n")
    assert place(found.cluster, "serviceCIDR") == (".kubelint-ack.yaml", 4, 3)
    path, where = found.cluster.locate(at("serviceCIDR"))
    assert (path, where.field) == (".kubelint-ack.yaml", "serviceCIDR")
    assert place(found.cluster, "podCIDR")[0] == ".kubelint-ack.yaml"


def test_without_a_profile_a_place_is_harmless() -> None:
    assert place(DEFAULT.cluster, "cni") == ("", 1, 1)


def test_mistakes_in_the_file_of_a_profile_are_placed_there(root: Path) -> None:
    write(root, {"c.yaml": "kubernetesVersion: 1.30\nvpcCIDRs: [10.0.0.1/8]\nextraDrivers: []\n"})
    assert mistakes(root, "cluster: c.yaml\nignore: [zzz]\n") == [
        "2:10: ignore: there is no rule, code or area 'zzz'; 'kubelint-ack rules' lists them",
        'c.yaml:1:20: kubernetesVersion: 1.30 is read as a number; write it in quotes: "1.30"',
        "c.yaml:2:12: vpcCIDRs[0]: '10.0.0.1/8' is an address in a network; write the network, '10.0.0.0/8'",
        "c.yaml:3:1: 'extraDrivers' has a new name; write 'extraCSIDrivers'",
    ]


def test_a_profile_of_its_own_that_repeats_the_key_cluster(root: Path) -> None:
    write(root, {"c.yaml": "cluster:\n  cni: terway\n"})
    assert mistakes(root, "cluster: c.yaml\n") == [
        "c.yaml:1:1: a profile in a file of its own has no 'cluster:'; move its content to the top level"
    ]


def test_environments_replace_keys_of_the_base(root: Path) -> None:
    write(
        root,
        {"deploy/prod/x.yaml": "", "deploy/test/x.yaml": "", "prod.yaml": "kubernetesVersion: '1.34'\nname: prod\n"},
    )
    found = read(
        root,
        """\
cluster:
  kubernetesVersion: "1.32"
  cni: terway
  terway: {mode: shared-eni}
  vpcCIDRs: [10.0.0.0/8]
complete: true
environments:
  prod: {paths: [./deploy/prod/], cluster: prod.yaml, complete: [ConfigMap]}
  test: {paths: [deploy/test], cluster: {cni: flannel}}
  rest: {paths: [deploy/*]}
""",
    )
    prod, test, rest = found.environments
    assert [one.name for one in found.environments] == ["prod", "test", "rest"]
    assert prod.paths == ("deploy/prod",)
    assert prod.complete == ("ConfigMap",)
    assert (prod.cluster.data["kubernetesVersion"], prod.cluster.data["cni"]) == ("1.34", "terway")
    assert place(prod.cluster, "kubernetesVersion") == ("prod.yaml", 1, 1)
    assert place(prod.cluster, "vpcCIDRs", 0) == (".kubelint-ack.yaml", 5, 14)
    assert place(prod.cluster, "podCIDR")[0] == "prod.yaml"
    assert test.complete is True
    assert test.cluster.data == {"kubernetesVersion": "1.32", "cni": "flannel", "vpcCIDRs": ["10.0.0.0/8"]}
    assert rest.cluster == found.cluster
    assert rest.paths == ("deploy/*",)


def test_an_environment_that_contradicts_the_base(root: Path) -> None:
    text = "cluster: {cni: flannel}\nenvironments:\n  prod:\n    paths: [.]\n    cluster:\n      terway: {}\n"
    assert mistakes(root, text) == [
        "1:16: cni: 'flannel' contradicts 'terway' beside it; write 'terway', or remove 'terway'"
    ]


# --- TOML

TOML = """\
[project]
name = "x"

[tool.kubelint-ack]
ignore = ["service"]
kubernetes-version = "1.32"

[tool.kubelint-ack.cluster]
cni = "flannel"
terway.mode = "vpc"
vpcCIDRs = [
  "10.0.0.0/8",  # [not a table]
  "10.0.0.1/8",
]

[[tool.kubelint-ack.cluster.nodePools]]
name = "a"

[[tool.kubelint-ack.cluster.nodePools]]
labels = { a = "b" }

[tool.kubelint-ack.rules."image-latest-tag"]
severity = "eror"
text = \"\"\"
jobs = 5
\"\"\"
"""


def test_mistakes_in_toml(root: Path) -> None:
    severities = "must be 'error', 'warning' or 'info', not 'eror'; did you mean 'error'?"
    assert mistakes(root, TOML, "pyproject.toml") == [
        "9:7: cluster.cni: 'flannel' contradicts 'terway' beside it; write 'terway', or remove 'terway'",
        "19:1: 'cluster.nodePools[1]' needs 'name'; add it",
        f"23:12: rules.image-latest-tag.severity: {severities}",
    ]


def test_places_in_toml(root: Path) -> None:
    text = TOML.replace("flannel", "terway").replace("labels =", 'name = "b"\nlabels =').replace("eror", "info")
    assert mistakes(root, text, "pyproject.toml") == [
        "11:1: vpcCIDRs[1]: '10.0.0.1/8' is an address in a network; write the network, '10.0.0.0/8'",
        "25:1: unknown key 'text' in 'rules.image-latest-tag'; write 'severity'",
    ]


def test_an_array_over_several_lines_is_one_value(root: Path) -> None:
    text = """\
[tool.kubelint-ack.rules.node-selector-required]
keys = [
  ["x"],  # ]
]
limit = "many"
"""
    assert mistakes(root, text, "pyproject.toml") == [
        "2:1: rules.node-selector-required.keys[0]: must be a string, not a list",
        "5:9: rules.node-selector-required.limit: must be a whole number, not a string",
    ]


def test_toml_is_read(root: Path) -> None:
    text = """\
[tool.kubelint-ack]
ignore = ["service"]
[tool.kubelint-ack.cluster]
kubernetesVersion = "1.32"
"""
    write(root, {"pyproject.toml": text})
    found = load(str(root / "pyproject.toml"), str(root), explicit=False)
    assert found.ignore == ("service",)
    assert place(found.cluster, "kubernetesVersion") == ("pyproject.toml", 4, 1)
    assert place(found.cluster, "cni") == ("pyproject.toml", 3, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[tool.kubelint-ack.cluster]\nkubernetesVersion = 1.30\n",
            '2:21: cluster.kubernetesVersion: 1.30 is read as a number; write it in quotes: "1.30"',
        ),
        ("[tool.kubelint-ack]\nlang = 1979-05-27\n", "2:8: lang: must be 'en' or 'zh', not '1979-05-27'"),
        ("[tool.kubelint-ack]\nx = [1\n", "2:1: not valid TOML: "),
        ("[tool]\n", "no table [tool.kubelint-ack]; add it, or name another file"),
        ("[tool.kubelint-ack]\njobs = " + "[" * 150 + "]" * 150, "nested too deeply; write it flatter"),
        ("[tool.kubelint-ack]\njobs = " + "[" * 50_000, "nest"),
        ("[tool.kubelint-ack]\njobs = " + "9" * 5000, ""),
    ],
)
def test_toml_that_cannot_be_used(root: Path, text: str, expected: str) -> None:
    (message,) = mistakes(root, text, "pyproject.toml")
    assert expected in message


# --- paths


def test_paths_of_a_named_configuration_are_relative_to_the_current_directory(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """\
cluster: c.yaml
environments: {prod: {paths: [deploy]}}
exclude: [vendor/, deploy/old/]
output: {sarif: out.sarif}
"""
    write(root, {"repo/deploy/a.yaml": "", "repo/c.yaml": "cni: terway\n", "ci/lint.yaml": text})
    monkeypatch.chdir(root / "repo")
    found = load("../ci/lint.yaml", str(root / "repo"), explicit=True)
    assert found.path == str(root / "ci/lint.yaml")
    assert found.cluster.data == {"cni": "terway"}
    assert found.environments[0].paths == ("deploy",)
    assert found.exclude == ("vendor/", "deploy/old/")
    assert found.output == (f"sarif={root}/repo/out.sarif",)


@pytest.mark.parametrize(
    ("pattern", "base", "root", "expected"),
    [
        ("a/b", "/r", "/r", "a/b"),
        ("a/b", "/r/sub", "/r", "/sub/a/b"),
        ("/a", "/r/sub", "/r", "/sub/a"),
        ("*.yaml", "/r/sub", "/r", "/sub/**/*.yaml"),
        ("!x/", "/r/sub", "/r", "!/sub/**/x/"),
        ("a/b", "/r/[x]", "/r", "/\\[x\\]/a/b"),
        ("*.yaml", "/r", "/r/repo", "*.yaml"),
        ("repo/a/**", "/r", "/r/repo", "/a/**"),
        ("*/a", "/r", "/r/repo", "/a"),
        ("**/a", "/r", "/r/repo", "/**/a"),
        ("other/a", "/r", "/r/repo", None),
        ("repo/", "/r", "/r/repo", "repo/"),
        ("a/b", "/elsewhere", "/r", None),
        ("*.bak", "/elsewhere", "/r", "*.bak"),
    ],
)
def test_patterns_are_made_relative_to_the_root(pattern: str, base: str, root: str, expected: str | None) -> None:
    assert configfile._rebased(pattern, base, root) == expected


# --- hostile configurations


def test_a_found_configuration_cannot_read_outside_the_root(root: Path) -> None:
    repo = root / "repo"
    write(root, {"secret.yaml": "top: secret\n", "repo/x": ""})
    os.symlink(root / "secret.yaml", repo / "link.yaml")
    for path in ("../secret.yaml", str(root / "secret.yaml"), "link.yaml"):
        (message,) = mistakes(repo, f"cluster: {path}\n")
        assert "outside the root; move the file into it" in message
    os.unlink(repo / ".kubelint-ack.yaml")
    os.symlink(root / "secret.yaml", repo / ".kubelint-ack.yaml")
    with pytest.raises(ConfigError, match=r"^\.kubelint-ack\.yaml: is a link that leads outside the root"):
        load(str(repo / ".kubelint-ack.yaml"), str(repo), explicit=False)


def test_a_named_configuration_may_read_outside_the_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, {"shared/c.yaml": "cni: terway\n", "repo/x": ""})
    monkeypatch.chdir(root / "repo")
    assert read(root / "repo", "cluster: ../shared/c.yaml\n", explicit=True).cluster.data == {"cni": "terway"}


def test_a_found_configuration_cannot_write_outside_the_root_or_into_git(root: Path) -> None:
    repo = root / "repo"
    write(repo, {".git/hooks/x": "", "x": ""})
    os.symlink(root, repo / "up")
    for path in ("../x.sarif", "/tmp/x.sarif", "up/x.sarif", ".git/hooks/pre-commit"):
        (message,) = mistakes(repo, f"output: {{sarif: {path}}}\n")
        assert message.startswith("1:17: ")
        assert "only a configuration that is named with --config may write there" in message


def test_a_profile_is_read_once_and_all_files_together_have_a_limit(root: Path) -> None:
    write(root, {f"{name}.yaml": f"cni: terway\n# {'x' * 400_000}\n" for name in "abc"})
    environments = "environments:\n" + "".join(f"  e{n}: {{paths: [.], cluster: a.yaml}}\n" for n in range(5))
    assert len(read(root, environments).environments) == 5
    environments += "  b: {paths: [.], cluster: b.yaml}\n  c: {paths: [.], cluster: c.yaml}\n"
    assert mistakes(root, environments) == [
        "c.yaml: configuration and profiles are larger than 1000000 bytes together; make them smaller"
    ]


def test_what_is_no_regular_file(root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert mistakes(root, "cluster: pipe\n") == ["pipe: is not a regular file"]
    assert mistakes(root, "cluster: .\n") == [".: is not a regular file"]
    os.unlink(root / ".kubelint-ack.yaml")
    with pytest.raises(ConfigError, match=r"\.kubelint-ack\.yaml: does not exist"):
        load(str(root / ".kubelint-ack.yaml"), str(root), explicit=False)


HOSTILE: dict[str, str | bytes] = {
    "deep lists": "[" * 100_000,
    "deep mappings": "exclude: " + "{a: " * 5_000,
    "deep but closed": "rules: " + "{a: " * 150 + "1" + "}" * 150,
    "too large": "# " + "x" * 1_000_000,
    "a bomb of aliases": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{chr(97 + n)}: &{chr(97 + n)} [{', '.join(['*' + chr(96 + n)] * 9)}]\n" for n in range(1, 9)),
    "a circle": "exclude: &a [*a]\n",
    "many keys": "".join(f"k{n}: 1\n" for n in range(50_000)),
    "many rules": "rules:\n" + "".join(f"  rule-{n}: {{}}\n" for n in range(40_000)),
    "many selectors": "ignore:\n" + "".join(f"  - rule-{n}\n" for n in range(60_000)),
    "many different items": "exclude:\n" + "".join(f"  - {n}\n  - x{n}\n" for n in range(40_000)),
    "many environments": "environments:\n" + "".join(f"  e{n}: {{paths: [.]}}\n" for n in range(30_000)),
    "bytes": bytes(range(256)),
    "a surrogate": 'ignore: ["\\ud800"]\n',
    "a huge number": "jobs: " + "9" * 100_000,
    "a long word": "ignore: [" + "a" * 500_000 + "]\n",
    "a long key": "a" * 500_000 + ": 1\n",
    "controls": 'ignore: ["\\e[31m"]\n',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_configuration_ends_in_words(root: Path, name: str) -> None:
    found = mistakes(root, HOSTILE[name])
    assert 1 <= len(found) <= 21
    assert all(message.isprintable() and len(message) < 700 for message in found)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted(load_schema("config.schema.json")["properties"])
PROFILE_KEYS = sorted(load_schema("profile.schema.json")["properties"])
PROFILES = st.dictionaries(st.sampled_from(PROFILE_KEYS), VALUES, max_size=3)
CONFIGS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3) | st.fixed_dictionaries(
    {},
    optional={
        "cluster": PROFILES,
        "environments": st.dictionaries(
            st.text("ab", min_size=1, max_size=2),
            st.fixed_dictionaries(
                {"paths": VALUES | st.just(["."])}, optional={"cluster": PROFILES, "complete": VALUES}
            ),
            max_size=2,
        ),
        "overrides": st.lists(
            st.dictionaries(st.sampled_from(["files", "namespaces", "severity", "select", "ignore"]), VALUES),
            max_size=2,
        ),
        "rules": st.dictionaries(
            st.sampled_from([*RULES]), st.dictionaries(st.sampled_from(["severity", "keys"]), VALUES)
        ),
        "suppressions": st.dictionaries(st.sampled_from(["honor", "require-reason"]), VALUES),
        "output": st.dictionaries(st.sampled_from(["sarif", "text"]), VALUES),
    },
)


def complaints(root: Path, data: bytes, name: str = ".kubelint-ack.yaml") -> list[str]:
    """The messages, none if it loads. Anything but a ConfigError would reach the user as a traceback."""
    write(root, {name: data})
    try:
        load(str(root / name), str(root), explicit=False)
    except ConfigError as error:
        return error.messages or [""]
    return []


quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(CONFIGS)
def test_wrong_types_anywhere_end_in_words(root: Path, data: Any) -> None:
    assert all(message.isprintable() and message for message in complaints(root, json.dumps(data).encode()))


@quick
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_end_in_words(root: Path, data: bytes) -> None:
    found = complaints(root, data) + complaints(root, b"[tool.kubelint-ack]\n" + data, "pyproject.toml")
    assert all(message.isprintable() and message for message in found)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_refuses_every_wrong_type(root: Path, key: str) -> None:
    """And a value that is taken is one that the schema allows."""
    import jsonschema

    schema = load_schema("config.schema.json")["properties"][key]
    allowed = set([schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", ()))
    for value in (None, True, 0, -1, 1.5, "", "x", [], [None], [[]], {}, {"x": None}, {"x": {"x": []}}):
        found = complaints(root, json.dumps({key: value}).encode())
        if found:
            assert found[0].startswith(".kubelint-ack.yaml:1:")
        elif allowed:
            jsonschema.validate(value, {"type": sorted(allowed)})


# --- starting one


def uncommented(text: str) -> str:
    first, rest = text.split("\n", 1)
    assert first == "# yaml-language-server: $schema=https://kubelint-ack.io/schemas/config.schema.json"
    return re.sub(r"(?m)^#(?: |(?=#))", "", rest)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_starter_changes_nothing_until_a_line_is_uncommented(root: Path, language: Any) -> None:
    assert read(root, init_text(language))._replace(path=None, digest="") == DEFAULT


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_example_of_the_starter_is_valid_and_every_key_has_one(root: Path, language: Any) -> None:
    write(root, {"deploy/prod/x": "", "deploy/test/x": ""})
    text = uncommented(init_text(language))
    found = read(root, text)
    assert set(yaml.safe_load(text)) == set(KEYS)
    assert found.cluster.data["kubernetesVersion"] == "1.32"
    assert found.overrides[0].severity == {"privileged-container": "info"}
    assert max(len(line) for line in text.splitlines()) <= 160


def test_each_example_of_the_starter_stands_alone(root: Path) -> None:
    write(root, {"deploy/prod/x": "", "deploy/test/x": ""})
    for key, value in yaml.safe_load(uncommented(init_text("en"))).items():
        read(root, yaml.safe_dump({key: value}))


@pytest.fixture
def real_rules(monkeypatch: pytest.MonkeyPatch) -> dict[str, Rule]:
    monkeypatch.undo()
    return catalog.rules()


def test_the_rules_that_the_starter_names_exist(root: Path, real_rules: dict[str, Rule]) -> None:
    write(root, {"deploy/prod/x": "", "deploy/test/x": ""})
    assert read(root, uncommented(init_text("en"))).rules


@pytest.mark.parametrize("host", ["github", "gitlab", "pre-commit"])
def test_snippets_are_yaml_that_runs_us(host: str) -> None:
    name, text = ci_snippet(host)
    assert name.endswith((".yml", ".yaml"))
    assert isinstance(yaml.safe_load(text), dict)
    assert "kubelint-ack check" in text
