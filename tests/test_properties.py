"""What a run finds depends on what the files say, and on nothing else."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubelint_ack import catalog, config, configfile, engine, pool, sources
from kubelint_ack.cache import Cache
from kubelint_ack.decode import decode
from kubelint_ack.engine import Outcome
from kubelint_ack.records import Finding

ROOT = Path(__file__).parent.parent

MANY = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

# Beside the shop: what crosses files, folders and kustomizations, and what is no manifest.
ZOO = {
    "base/kustomization.yaml": "resources: [web.yaml, job.yaml]\n",
    "base/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: main, image: "shop/web", ports: [{name: http, containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: wbe}
  ports: [{port: 80, targetPort: https}]
""",
    "base/job.yaml": """\
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec:
  template:
    spec:
      containers:
      - name: main
        image: shop/job:1
        env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: A}}}]
""",
    "overlays/dev/kustomization.yaml": (
        "namespace: dev\nresources: [../../base]\nconfigMapGenerator: [{name: settings, literals: [B=1]}]\n"
    ),
    "overlays/prod/kustomization.yaml": "namespace: prod\nresources: [../../base, settings.yaml]\n",
    "overlays/prod/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {A: a}\n",
    # Two that define the same, and one that refers to both from elsewhere.
    "one/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\ndata: {A: a}\n",
    "two/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\ndata: {B: b}\n",
    "three/pod.yaml": """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
  - {name: main, image: "a:1", env: [{name: A, valueFrom: {configMapKeyRef: {name: shared, key: A}}}]}
  - {name: other, image: "a:1", env: [{name: A, valueFrom: {configMapKeyRef: {name: shared, key: B}}}]}
""",
    "four/deployments.yaml": """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: a}
  spec: {type: NodePort, selector: {app: x}, ports: [{port: 1, nodePort: 30001}]}
- apiVersion: v1
  kind: Service
  metadata: {name: b}
  spec: {type: NodePort, selector: {app: y}, ports: [{port: 1, nodePort: 30001}]}
""",
    "four/pods.yaml": (
        "apiVersion: v1\nkind: PodList\nitems:\n"
        "- metadata: {name: x, labels: {app: z}}\n  spec: {containers: [{name: a, image: a}]}\n"
    ),
    "five/broken.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [\n",
    "five/again.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: again}\n---\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: again}\n"
    ),
    "five/ignored.yaml": (
        "# kubelint-ack: ignore-file[privileged-container, no-such-rule]\n"
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
        "spec: {containers: [{name: a, image: a, securityContext: {privileged: true}}]}\n"
    ),
    "chart/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n",
    "chart/templates/web.yaml": "apiVersion: v1\nkind: Service\n{{ if .Values.x }}\n",
    "notes.yaml": "a: [b\n",
    "package.json": "{}",
}


def make_repository(folder: Path) -> Path:
    shutil.copytree(ROOT / "examples", folder)
    for case in sorted((ROOT / "tests" / "projects").glob("*/")):
        left_out = shutil.ignore_patterns("expected.txt", ".kubelint-ack.yaml")
        shutil.copytree(case, folder / "projects" / case.name, ignore=left_out)
    (folder / ".git").mkdir()
    write(folder, ZOO)
    return folder


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that nobody changes."""
    return make_repository(tmp_path_factory.mktemp("properties") / "repository")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A repository of the test's own."""
    return make_repository(tmp_path / "own")


def run(
    root: Path, paths: Sequence[str] = (), *, jobs: int = 1, cache: Cache | None = None, rules: str = "ALL"
) -> Outcome:
    found = config.find_config(str(root))
    own = configfile.load(found, str(root), explicit=False) if found else config.DEFAULT
    inputs = sources.collect(
        [str(root / path) for path in paths] or [str(root)],
        root=str(root),
        has_root=True,
        exclude=(".kubelint-ack.yaml", "cluster.yaml", "expected.txt"),
    )
    active = catalog.select(select=[rules], settings=own.rules)
    return engine.run(engine.Request(inputs, own, active, jobs=jobs, cache=cache))


def every_file(root: Path) -> list[str]:
    found = (path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if path.is_file())
    return [
        path
        for path in found
        if path.endswith((".yaml", ".json")) and Path(path).name not in ("cluster.yaml", ".kubelint-ack.yaml")
    ]


def keyed(findings: Iterable[Finding]) -> Counter[str]:
    """Findings as values that can be counted and shown."""
    return Counter(repr((finding, sorted(finding.values.items(), key=str))) for finding in findings)


def test_the_repository_is_worth_it(repository: Path) -> None:
    """Every sort of finding is met: of one resource, of several, about suppressions, in overlays and the profile."""
    outcome = run(repository)
    found = {finding.rule for finding in outcome.findings}
    assert {"run-as-non-root", "yaml-syntax", "suppression-unknown-rule"} <= found
    assert {"service-selects-nothing", "config-reference-missing", "duplicate-resource", "nodeport-duplicate"} <= found
    assert "cidr-overlap-service" in found
    assert outcome.suppressed
    assert any(finding.targets for finding in outcome.findings)
    assert len(outcome.findings) > 40


# --- the order of things


@MANY
@given(st.data())
def test_order_and_repetition_of_the_files_change_nothing(repository: Path, data: st.DataObject) -> None:
    paths = data.draw(st.lists(st.sampled_from(every_file(repository)), min_size=1, max_size=12))
    shuffled = data.draw(st.permutations(paths + paths[:3]))
    assert run(repository, paths) == run(repository, [*shuffled, *(f"./{path}" for path in paths)])


@MANY
@given(st.data())
def test_the_findings_of_a_split_list_add_up_to_those_of_the_whole(repository: Path, data: st.DataObject) -> None:
    paths = data.draw(st.permutations(every_file(repository)))
    whole = paths[: data.draw(st.integers(2, len(paths)))]
    cut = data.draw(st.integers(1, len(whole) - 1))
    parts = [run(repository, part) for part in (whole[:cut], whole[cut:])]
    both = run(repository, whole)
    assert set(keyed(both.findings)) == set(keyed(parts[0].findings)) | set(keyed(parts[1].findings))
    assert set(keyed(both.suppressed)) == set(keyed(parts[0].suppressed)) | set(keyed(parts[1].suppressed))
    assert sorted(both.ledger) == sorted([*parts[0].ledger, *parts[1].ledger])


def test_all_files_by_name_are_the_folder(repository: Path) -> None:
    named, walked = run(repository, every_file(repository)), run(repository)
    # What is named is looked into even if it does not look like a manifest.
    unlike = {"notes.yaml", "package.json"}
    assert keyed(one for one in named.findings if one.path not in unlike) == keyed(walked.findings)


# --- processes and cache


def test_the_number_of_processes_changes_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = run(repository)
    used = []
    in_pool = pool._scan_in_pool
    monkeypatch.setattr(pool, "_scan_in_pool", lambda *given: (used.append(given[2]), in_pool(*given)))
    assert run(repository, jobs=2) == alone
    monkeypatch.setattr(pool, "FORK_THRESHOLD", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    assert run(repository, jobs=0) == alone
    assert used == [2, 2]


def test_what_has_no_form_in_the_cache_crosses_processes_all_the_same(own: Path, tmp_path: Path) -> None:
    """A number beyond 64 bits, and a file name that is no UTF-8."""
    for name in (b"\xff.yaml", b"big.yaml"):
        ports = f"[{{port: 1, nodePort: {'9' * 30}}}]"
        text = f"apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{type: NodePort, ports: {ports}}}\n"
        Path(os.fsdecode(os.fsencode(own) + b"/" + name)).write_text(text)
    alone = run(own)
    assert sum(finding.rule == "nodeport-out-of-range" for finding in alone.findings) > 2
    assert run(own, jobs=2) == alone
    for _ in range(2):
        assert run(own, jobs=2, cache=Cache(str(own), str(tmp_path / "cache"))) == alone


def test_the_cache_changes_nothing(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned: list[str] = []
    scan = pool.scan

    def counted(path: str, *rest: Any) -> Any:
        scanned.append(path)
        return scan(path, *rest)

    monkeypatch.setattr(pool, "scan", counted)

    def cached(*paths: str) -> Outcome:
        scanned.clear()
        return run(own, paths, cache=Cache(str(own), str(tmp_path / "cache")))

    plain = run(own)
    assert cached() == plain
    assert len(scanned) > 20, "cold"
    assert cached() == plain
    assert scanned == [], "warm"
    # One file changed: its own findings and those across files are new.
    web = own / "base" / "web.yaml"
    web.write_text(web.read_text().replace("app: wbe", "app: web"))
    changed = cached()
    assert scanned == ["base/web.yaml"]
    assert changed == run(own) != plain
    # A file deleted, and one renamed.
    (own / "one" / "settings.yaml").unlink()
    (own / "four" / "pods.yaml").rename(own / "four" / "others.yaml")
    fewer = cached()
    assert scanned == ["four/others.yaml"]
    assert fewer == run(own) != changed
    # Other paths in scope, other rules, and a damaged cache.
    assert cached("base") == run(own, ["base"])
    assert run(own, cache=Cache(str(own), str(tmp_path / "cache")), rules="service") == run(own, rules="service")
    for stored in (tmp_path / "cache").iterdir():
        stored.write_bytes(stored.read_bytes()[: random.Random(1).randrange(1, 2000)] + b"\xc1")
    assert cached() == fewer


def test_a_cache_that_cannot_be_written_is_no_error(own: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run(own, cache=Cache(str(own), str(tmp_path / "file" / "cache"))) == run(own)


# --- the surroundings


@pytest.mark.parametrize("format", ["json", "sarif", "text"])
def test_reports_are_equal_bytes_whatever_surrounds_the_run(repository: Path, format: str) -> None:
    outputs = set()
    for seed, zone, language, jobs in (("0", "UTC", "C", "1"), ("1", "Asia/Shanghai", "de_DE.UTF-8", "2")):
        command = [sys.executable, "-m", "kubelint_ack", "check", "--format", format, "--jobs", jobs, "--no-cache", "."]
        variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("KUBELINT", "LC_"))},
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "LANG": language,
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(command, cwd=repository, env=variables, capture_output=True, timeout=60, check=False)
        assert done.returncode == 1, done.stderr
        outputs.add(done.stdout)
    assert len(outputs) == 1


# --- the same said in other words


def shop_manifests() -> dict[str, str]:
    found = {path.name: path.read_text() for path in sorted((ROOT / "examples" / "shop").glob("*.yaml"))}
    # Suppressions are comments, which do not survive being written anew.
    return {name: text.replace("# kubelint-ack: ignore", "# ignore") for name, text in found.items()}


PROFILE = {
    ".kubelint-ack.yaml": (ROOT / "examples" / ".kubelint-ack.yaml").read_text(),
    "cluster.yaml": (ROOT / "examples" / "cluster.yaml").read_text(),
}

Said = Counter[tuple[Any, ...]]


def said(folder: Path, manifests: dict[str, str | bytes]) -> Said:
    """What is found, by rule, resource and field, without places."""
    write(folder, {**PROFILE, **{f"shop/{name}": text for name, text in manifests.items()}})
    outcome = run(folder)
    assert not outcome.crashed
    return Counter(
        (one.rule, one.resource, one.place.field, one.message, one.severity, one.fingerprint)
        for one in outcome.findings
    )


def on_lines(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: "".join(change(line) for line in text.splitlines(keepends=True))


WRITTEN: dict[str, Callable[[str], str | bytes]] = {
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "comment lines": on_lines(lambda line: line if line.startswith("---") else f"  # 注释 😀: [\n{line}"),
    "line comments": on_lines(lambda line: line if "|" in line else line.rstrip("\n") + "  # {{ }} 注释\n"),
    "blank lines": on_lines(lambda line: "\n \n" + line),
    "white space at line ends": on_lines(lambda line: line.rstrip("\n") + "   \n"),
    "explicit ends": lambda text: "---\n" + text.replace("---\n", "...\n---   # next\n") + "...\n",
    "no last line feed": lambda text: text.rstrip("\n"),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_how_the_text_is_written_changes_nothing(tmp_path: Path, how: str) -> None:
    texts = shop_manifests()
    before = said(tmp_path / "before", dict(texts))
    assert len(before) > 15
    assert said(tmp_path / "after", {name: WRITTEN[how](text) for name, text in texts.items()}) == before


class _Quoting(yaml.SafeDumper):
    """Writes strings in quotes."""


_Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'"))


def reversed_keys(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: reversed_keys(value) for key, value in reversed(node.items())}
    return [reversed_keys(item) for item in node] if isinstance(node, list) else node


def dumped(documents: list[Any], **style: Any) -> str:
    style = {"Dumper": yaml.SafeDumper, "sort_keys": False, "allow_unicode": True, **style}
    return "---\n".join(yaml.dump(one, **style) for one in documents)


DUMPED: dict[str, Callable[[list[Any]], str]] = {
    "block": dumped,
    "flow": lambda documents: dumped(documents, default_flow_style=True),
    "narrow": lambda documents: dumped(documents, width=20),
    "indented by eight": lambda documents: dumped(documents, indent=8),
    "quoted": lambda documents: dumped(documents, Dumper=_Quoting),
    "escaped": lambda documents: dumped(documents, allow_unicode=False),
    "keys reversed": lambda documents: dumped([reversed_keys(one) for one in documents]),
    "keys sorted": lambda documents: dumped(documents, sort_keys=True),
    "JSON": lambda documents: "\n---\n".join(json.dumps(one) for one in documents),
    "indented JSON": lambda documents: "\n".join(json.dumps(one, indent=2, ensure_ascii=False) for one in documents),
}


@pytest.mark.parametrize("how", DUMPED)
def test_the_style_of_the_yaml_changes_nothing(tmp_path: Path, how: str) -> None:
    texts = shop_manifests()
    documents = {name: [one.data for one in decode(text.encode()).documents] for name, text in texts.items()}
    before = said(tmp_path / "before", dict(texts))
    assert said(tmp_path / "after", {name: DUMPED[how](ones) for name, ones in documents.items()}) == before


def test_how_documents_are_divided_into_files_changes_nothing(tmp_path: Path) -> None:
    """Only how sure a finding is: documents of one file are certainly applied together."""

    def unsure(found: Said) -> Counter[tuple[Any, ...]]:
        return Counter(
            (rule, resource, field, fingerprint) for rule, resource, field, _, _, fingerprint in found.elements()
        )

    texts = shop_manifests()
    documents = [text for one in texts.values() for text in one.split("---\n")]
    before = unsure(said(tmp_path / "before", dict(texts)))
    assert unsure(said(tmp_path / "each", {f"{number}.yaml": text for number, text in enumerate(documents)})) == before
    assert unsure(said(tmp_path / "one", {"all.yaml": "---\n".join(documents)})) == before
    objects = [decode(text.encode()).documents[0].data for text in documents]
    as_list = {"apiVersion": "v1", "kind": "List", "items": objects}
    as_text = yaml.safe_dump(as_list, sort_keys=False, allow_unicode=True)
    assert unsure(said(tmp_path / "list", {"list.yaml": as_text})) == before


# --- whatever the files are


def summed(outcome: Outcome, paths: Sequence[str]) -> None:
    """One entry for each file, and a file's status is what its documents add up to."""
    assert [entry.path for entry in outcome.ledger] == sorted(paths)
    for entry in outcome.ledger:
        assert entry.status == "checked" or entry.reason
        assert [one.number for one in entry.documents] == list(range(1, len(entry.documents) + 1))
        for document in entry.documents:
            assert (document.status == "checked") == (not document.reason)
        if entry.documents:
            statuses = {document.status for document in entry.documents}
            assert entry.status == (statuses.pop() if len(statuses) == 1 else "partly")


LINES = sorted({line for text in [*shop_manifests().values(), *ZOO.values()] for line in text.splitlines()})
ODD = [
    "---",
    "...",
    "{{ if x }}",
    "\t",
    "a: &a [*a]",
    "<<: *a",
    "? [a]",
    "- ",
    "  - |",
    "&x",
    "!!int a",
    "'",
    '"',
    "\0",
]
ODD += [
    "\ud800",
    "# kubelint-ack: ignore[",
    "kind: List",
    "items:",
    "data: *x",
    "\x85",
    "a: b: c",
    "%TAG ! x",
    "[" * 250,
]


@settings(MANY, max_examples=100)
@given(st.lists(st.one_of(st.sampled_from(LINES), st.sampled_from(ODD)), max_size=40), st.integers(0, 3))
def test_no_text_makes_the_linter_fail(tmp_path: Path, lines: list[str], indent: int) -> None:
    text = "\n".join(" " * (indent * (number % 3)) + line for number, line in enumerate(lines))
    (tmp_path / "a.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    write(tmp_path, PROFILE)
    outcome = run(tmp_path, ["a.yaml"])
    assert not outcome.crashed, [finding.values for finding in outcome.findings if finding.rule == "rule-crash"]
    summed(outcome, ["a.yaml"])


@settings(MANY, max_examples=60)
@given(st.data())
def test_no_change_of_a_value_makes_the_linter_fail(tmp_path: Path, data: st.DataObject) -> None:
    """Any field may hold anything."""
    odd = st.sampled_from([None, True, -1, 2**70, 1.5, "", "x", "${X}", [], {}, [None], {"a": None}, {"": []}, [[1]]])
    text = data.draw(st.sampled_from(sorted([*shop_manifests().values(), ZOO["base/web.yaml"], ZOO["base/job.yaml"]])))
    documents = [one.data for one in decode(text.encode()).documents]
    for document in documents:
        for _ in range(data.draw(st.integers(1, 3))):
            node = document
            while True:
                keys = list(node) if isinstance(node, dict) else list(range(len(node)))
                key = data.draw(st.sampled_from(keys))
                if isinstance(node[key], (dict, list)) and node[key] and data.draw(st.integers(0, 4)):
                    node = node[key]
                    continue
                node[key] = data.draw(odd)
                break
    write(tmp_path, {**PROFILE, "a.yaml": dumped(documents)})
    outcome = run(tmp_path, ["a.yaml"])
    assert not outcome.crashed, [finding.values for finding in outcome.findings if finding.rule == "rule-crash"]
    summed(outcome, ["a.yaml"])


def test_the_ledger_of_the_repository_adds_up(repository: Path) -> None:
    summed(run(repository), every_file(repository))


@settings(MANY, max_examples=40)
@given(st.binary(max_size=300), st.sampled_from(["a.yaml", "a.json", "kustomization.yaml"]))
def test_no_bytes_make_the_linter_fail(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / "run").mkdir(exist_ok=True)
    for old in (tmp_path / "run").iterdir():
        old.unlink()
    (tmp_path / "run" / name).write_bytes(content)
    outcome = run(tmp_path / "run", [name])
    assert not outcome.crashed
    summed(outcome, [name])
