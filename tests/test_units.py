"""Which files are deployed together, and what a kustomization adds to them on the way."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import lint, write

from kubelint_ack.decode import decode
from kubelint_ack.engine import Outcome
from kubelint_ack.kustomize import Kustomization, kustomization
from kubelint_ack.records import Finding
from kubelint_ack.units import Render, Unit, closure, units


def kustomizations(files: Mapping[str, str]) -> list[Kustomization]:
    return [kustomization(path, decode(text.encode()).documents[0].data) for path, text in files.items()]


def made(
    files: Sequence[str],
    kustomized: Mapping[str, str] | None = None,
    *,
    charts: Sequence[str] = (),
    environments: Mapping[str, Sequence[str]] | None = None,
    idle: frozenset[str] = frozenset(),
) -> dict[str, Unit]:
    """The units by `kind:name`."""
    found = units(files, kustomizations(kustomized or {}), charts, environments or {}, idle)
    return {f"{unit.kind}:{unit.name}": unit for unit in found}


def paths(found: Mapping[str, Unit]) -> dict[str, list[str]]:
    return {name: sorted(unit.paths) for name, unit in found.items()}


# --- what belongs together


def test_a_kustomization_takes_all_that_its_resources_bases_and_components_reach() -> None:
    found = made(
        ["overlay/extra.yaml", "base/web.yaml", "old/db.yaml", "parts/tls/cert.yaml", "loose.yaml"],
        {
            "overlay/kustomization.yaml": (
                "resources: [extra.yaml, ../base]\nbases: [../old]\ncomponents: [../parts/tls]"
            ),
            "base/kustomization.yaml": "resources: [web.yaml]",
            "old/kustomization.yaml": "resources: [./db.yaml]",
            "parts/tls/kustomization.yaml": "kind: Component\nresources: [cert.yaml]",
        },
    )
    assert paths(found) == {
        "kustomization:overlay": ["base/web.yaml", "old/db.yaml", "overlay/extra.yaml", "parts/tls/cert.yaml"],
        "directory:.": ["loose.yaml"],
    }


def test_a_base_belongs_to_every_overlay_that_reaches_it_and_is_no_unit_of_its_own() -> None:
    found = made(
        ["base/web.yaml"],
        {
            "base/kustomization.yaml": "resources: [web.yaml]",
            "dev/kustomization.yaml": "resources: [../base]",
            "prod/kustomization.yml": "resources: [../base/]",
        },
    )
    assert paths(found) == {"kustomization:dev": ["base/web.yaml"], "kustomization:prod": ["base/web.yaml"]}


def test_the_outermost_namespace_and_labels_win() -> None:
    found = made(
        ["base/web.yaml", "dev/own.yaml"],
        {
            "base/kustomization.yaml": "namespace: base\ncommonLabels: {tier: base, app: web}\nresources: [web.yaml]",
            "dev/kustomization.yaml": "namespace: dev\ncommonLabels: {tier: dev}\nresources: [../base, own.yaml]",
        },
    )
    assert found["kustomization:dev"].renders == (
        Render("base/web.yaml", "dev", (("app", "web"), ("tier", "dev"))),
        Render("dev/own.yaml", "dev", (("tier", "dev"),)),
    )


def test_a_namespace_further_in_holds_where_no_outer_one_is_set() -> None:
    found = made(
        ["base/web.yaml", "all/own.yaml"],
        {
            "base/kustomization.yaml": "namespace: shop\nresources: [web.yaml]",
            "all/kustomization.yaml": "resources: [../base, own.yaml]",
        },
    )
    assert found["kustomization:all"].renders == (Render("all/own.yaml"), Render("base/web.yaml", "shop"))


def test_a_base_reached_under_two_namespaces_is_taken_twice() -> None:
    found = made(
        ["base/web.yaml"],
        {
            "base/kustomization.yaml": "resources: [web.yaml]",
            "dev/kustomization.yaml": "namespace: dev\nresources: [../base]",
            "prod/kustomization.yaml": "namespace: prod\nresources: [../base]",
            "all/kustomization.yaml": "resources: [../dev, ../prod]",
        },
    )
    assert found["kustomization:all"].renders == (Render("base/web.yaml", "dev"), Render("base/web.yaml", "prod"))


def test_labels_that_reach_neither_selectors_nor_templates_are_not_added_to_pods() -> None:
    found = made(
        ["a/web.yaml"],
        {
            "a/kustomization.yaml": (
                "resources: [web.yaml]\nlabels:\n- pairs: {one: '1'}\n"
                "- pairs: {two: '2'}\n  includeSelectors: true\n- pairs: {three: '3'}\n  includeTemplates: true\n"
            )
        },
    )
    assert found["kustomization:a"].renders[0].labels == (("three", "3"), ("two", "2"))


def test_loops_end_and_lose_no_file() -> None:
    for loop in (
        {"a/kustomization.yaml": "resources: [x.yaml, ../b]", "b/kustomization.yaml": "resources: [../a, y.yaml]"},
        {"a/kustomization.yaml": "resources: [., x.yaml]", "b/kustomization.yaml": "resources: [y.yaml]"},
        {
            "top/kustomization.yaml": "resources: [../a]",
            "a/kustomization.yaml": "resources: [x.yaml, ../b]",
            "b/kustomization.yaml": "resources: [../a, y.yaml]",
        },
    ):
        found = made(["a/x.yaml", "b/y.yaml"], loop)
        assert {path for unit in found.values() for path in unit.paths} == {"a/x.yaml", "b/y.yaml"}


def test_many_ways_to_the_same_base_cost_no_more_than_one() -> None:
    """Thirty levels that each name the next twice are a thousand million ways down."""
    levels = {
        f"k{number}/kustomization.yaml": f"resources: [../k{number + 1}, ../k{number + 1}/]" for number in range(30)
    }
    levels["k30/kustomization.yaml"] = "resources: [web.yaml]"
    started = time.process_time()
    found = made(["k30/web.yaml"], levels)
    assert paths(found) == {"kustomization:k0": ["k30/web.yaml"]}
    assert time.process_time() - started < 5


def test_a_kustomization_that_multiplies_labels_without_end_is_given_up_as_opaque() -> None:
    """Each level is reached with two sets of labels, which double from level to level."""
    levels = {}
    for number in range(20):
        for side in "ab":
            levels[f"{side}{number}/kustomization.yaml"] = (
                f"commonLabels: {{l{number}: {side}}}\nresources: [../a{number + 1}, ../b{number + 1}]"
            )
    levels["a20/kustomization.yaml"] = levels["b20/kustomization.yaml"] = "resources: [../web.yaml]"
    levels["top/kustomization.yaml"] = "resources: [../a0, ../b0]"
    known = {one.directory: one for one in kustomizations(levels)}
    started = time.process_time()
    assert closure(known["top"], known, frozenset({"web.yaml"})).opaque
    assert time.process_time() - started < 5


def test_directories_below_a_chart_are_the_charts() -> None:
    found = made(
        ["deploy/app.yaml", "deploy/chart/templates/web.yaml", "deploy/chart/values.yaml", "deploy/more/db.yaml"],
        charts=["deploy/chart"],
    )
    assert paths(found) == {
        "chart:deploy/chart": ["deploy/chart/templates/web.yaml", "deploy/chart/values.yaml"],
        "directory:deploy": ["deploy/app.yaml", "deploy/more/db.yaml"],
    }
    assert found["chart:deploy/chart"].opaque
    assert not found["directory:deploy"].opaque


def test_the_nearest_chart_wins() -> None:
    found = made(["chart/x.yaml", "chart/charts/sub/y.yaml"], charts=["chart", "chart/charts/sub"])
    assert paths(found) == {"chart:chart": ["chart/x.yaml"], "chart:chart/charts/sub": ["chart/charts/sub/y.yaml"]}


def test_a_tree_begins_at_the_highest_directory_with_a_manifest() -> None:
    found = made(["a/x.yaml", "a/deep/down/y.yaml", "b/c/z.yaml", "b/d/z.yaml"])
    assert paths(found) == {
        "directory:a": ["a/deep/down/y.yaml", "a/x.yaml"],
        "directory:b/c": ["b/c/z.yaml"],
        "directory:b/d": ["b/d/z.yaml"],
    }


def test_similar_names_are_no_trees() -> None:
    assert len(made(["shop/x.yaml", "shop-test/y.yaml", "shop.d/z.yaml"])) == 3


def test_a_file_that_holds_no_object_makes_no_tree() -> None:
    files = ["package.json", "a/x.yaml", "b/y.yaml"]
    assert len(made(files)) == 1
    assert paths(made(files, idle=frozenset({"package.json"}))) == {
        "directory:a": ["a/x.yaml"],
        "directory:b": ["b/y.yaml"],
    }


def test_the_result_does_not_depend_on_the_order_of_anything() -> None:
    files = ["base/web.yaml", "dev/own.yaml", "x/y.yaml", "chart/z.yaml"]
    kustomized = {
        "dev/kustomization.yaml": "resources: [../base, own.yaml]",
        "base/kustomization.yaml": "resources: [web.yaml]",
        "prod/kustomization.yaml": "resources: [../base]",
    }
    once = made(files, kustomized, charts=["chart"])
    again = made(files[::-1], dict(reversed(kustomized.items())), charts=["chart"])
    assert list(once.items()) == list(again.items())


# --- environments


def test_an_environment_takes_files_folders_and_patterns() -> None:
    files = ["deploy/prod/a.yaml", "deploy/prod/sub/b.yaml", "deploy/prod-eu/c.yaml", "one.yaml", "deploy/test/d.yaml"]
    for given, expected in (
        (["deploy/prod"], ["deploy/prod/a.yaml", "deploy/prod/sub/b.yaml"]),
        (["./deploy/prod/"], ["deploy/prod/a.yaml", "deploy/prod/sub/b.yaml"]),
        (["one.yaml"], ["one.yaml"]),
        (["deploy/prod*"], ["deploy/prod-eu/c.yaml", "deploy/prod/a.yaml", "deploy/prod/sub/b.yaml"]),
        (["deploy/*/a.yaml"], ["deploy/prod/a.yaml"]),
        (["**/b.yaml"], ["deploy/prod/sub/b.yaml"]),
        (["."], sorted(files)),
    ):
        found = made(files, environments={"prod": given})
        assert paths(found)["environment:prod"] == expected, given


def test_an_environment_renders_the_kustomizations_in_it() -> None:
    found = made(
        ["base/web.yaml", "overlays/dev/own.yaml", "overlays/prod/own.yaml", "overlays/prod/unused.yaml"],
        {
            "base/kustomization.yaml": "resources: [web.yaml]",
            "overlays/prod/kustomization.yaml": "namespace: prod\nresources: [../../base, own.yaml]",
            "overlays/dev/kustomization.yaml": "namespace: dev\nresources: [../../base, own.yaml]",
        },
        environments={"prod": ["overlays/prod"]},
    )
    assert found["environment:prod"].renders == (
        Render("base/web.yaml", "prod"),
        Render("overlays/prod/own.yaml", "prod"),
    )
    assert paths(found)["kustomization:overlays/dev"] == ["base/web.yaml", "overlays/dev/own.yaml"]
    assert paths(found)["directory:overlays/prod"] == ["overlays/prod/unused.yaml"]


def test_two_environments_may_hold_the_same_files() -> None:
    found = made(["web.yaml"], environments={"prod": ["."], "test": ["."]})
    assert paths(found) == {"environment:prod": ["web.yaml"], "environment:test": ["web.yaml"]}


# --- the same through a whole run


def deployment(name: str, app: str = "") -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {app or name}}}}}
  template:
    metadata: {{labels: {{app: {app or name}}}}}
    spec: {{containers: [{{name: main, image: "shop/web:1", ports: [{{name: http, containerPort: 80}}]}}]}}
"""


def service(name: str, app: str) -> str:
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: {app}}}
  ports: [{{port: 80}}]
"""


def config_map(name: str, namespace: str = "") -> str:
    where = f", namespace: {namespace}" if namespace else ""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{where}}}\ndata: {{key: value}}\n"


def job(config: str) -> str:
    return f"""\
apiVersion: batch/v1
kind: Job
metadata: {{name: job}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: main, image: "shop/job:1", envFrom: [{{configMapRef: {{name: {config}}}}}]}}]
"""


BOTH = deployment("web") + "---\n" + service("web", "wbe")
"""A Service that misses the pods beside it."""

SELECTS = "service-selects-nothing"
REFERS = "config-reference-missing"


def run(tmp_path: Path, files: Mapping[str, str], *given: str) -> Outcome:
    write(tmp_path, files)
    return lint(tmp_path, given, select=[SELECTS, REFERS, "duplicate-resource", "manifest"])


def about(outcome: Outcome, rule: str) -> list[Finding]:
    return [finding for finding in outcome.findings if finding.rule == rule]


def test_a_base_reached_by_two_overlays_gives_one_finding_with_both_targets(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        {
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": BOTH,
            "overlays/dev/kustomization.yaml": "namespace: dev\nresources: [../../base]\n",
            "overlays/prod/kustomization.yaml": "namespace: prod\nresources: [../../base]\n",
        },
    )
    (finding,) = outcome.findings
    assert (finding.path, finding.rule) == ("base/web.yaml", SELECTS)
    assert finding.targets == ("overlays/dev", "overlays/prod")
    assert not finding.partial


def test_what_holds_in_one_overlay_only_says_so(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        {
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": BOTH,
            "dev/kustomization.yaml": "namespace: dev\nresources: [../base, more.yaml]\n",
            "dev/more.yaml": deployment("other", "wbe").replace("{name: other}", "{name: other, namespace: dev}"),
            "prod/kustomization.yaml": "namespace: prod\nresources: [../base]\n",
        },
    )
    assert [(one.path, one.targets, one.partial) for one in outcome.findings] == [("base/web.yaml", ("prod",), True)]


def test_the_namespace_of_the_kustomization_decides_what_a_reference_meets(tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": "namespace: shop\nresources: [web.yaml]\n",
        "web.yaml": deployment("web")
        + "---\n"
        + service("web", "web").replace("{name: web}", "{name: web, namespace: x}"),
    }
    assert not run(tmp_path, files).findings


def test_the_same_object_in_sibling_overlays_is_no_duplicate(tmp_path: Path) -> None:
    files = {
        "dev/kustomization.yaml": "resources: [settings.yaml]\n",
        "dev/settings.yaml": config_map("settings"),
        "prod/kustomization.yaml": "resources: [settings.yaml]\n",
        "prod/settings.yaml": config_map("settings"),
    }
    assert not run(tmp_path, files).findings


def test_the_same_object_twice_in_one_render_is_a_duplicate(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": config_map("settings"),
        "kustomization.yaml": "resources: [base, b.yaml]\nnamespace: shop\n",
        "b.yaml": config_map("settings"),
    }
    assert [finding.rule for finding in run(tmp_path, files).findings] == ["duplicate-resource"]


def test_nothing_is_missing_from_a_chart(tmp_path: Path) -> None:
    files = {"chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n", "chart/templates/web.yaml": BOTH}
    assert not run(tmp_path, files).findings


def test_a_chart_hides_nothing_of_the_files_beside_it(tmp_path: Path) -> None:
    files = {
        "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        "chart/templates/db.yaml": "kind: Deployment\napiVersion: apps/v1\n{{ if .Values.db }}\n",
        "web.yaml": BOTH,
    }
    assert [finding.path for finding in run(tmp_path, files).findings] == ["web.yaml"]


def test_an_unrelated_file_at_the_top_joins_no_folders(tmp_path: Path) -> None:
    """Without pods in the unit of a Service nobody knows what it was meant for."""
    files = {"a/web.yaml": service("web", "web"), "b/db.yaml": deployment("db")}
    assert not run(
        tmp_path, {**files, "package.json": "{}", ".golangci.yml": "a: 1\n", "mkdocs.yml": "b: 2\n"}
    ).findings
    assert len(run(tmp_path, {"namespace.yaml": config_map("x")}).findings) == 1


def test_files_under_a_kustomization_that_cannot_be_read_miss_nothing(tmp_path: Path) -> None:
    for broken in ("resources: [web.yaml\n", "{{ if .x }}\nresources: [web.yaml]\n{{ end }}\n"):
        outcome = run(tmp_path, {"kustomization.yaml": broken, "web.yaml": BOTH})
        assert not about(outcome, SELECTS), broken
    assert about(run(tmp_path, {"kustomization.yaml": "resources: [web.yaml]\n"}), SELECTS)


# --- missing, only where it can be known


def test_a_missing_config_map_is_claimed_only_beside_others(tmp_path: Path) -> None:
    assert not run(tmp_path, {"job.yaml": job("settings")}).findings
    (finding,) = run(tmp_path, {"other.yaml": config_map("other")}).findings
    assert (finding.rule, finding.severity) == (REFERS, "warning")
    assert not run(tmp_path, {"more.yaml": config_map("settings")}).findings


def test_others_in_another_namespace_claim_nothing(tmp_path: Path) -> None:
    assert not run(tmp_path, {"job.yaml": job("settings"), "other.yaml": config_map("other", "elsewhere")}).findings


def test_complete_input_makes_missing_certain(tmp_path: Path) -> None:
    for complete, expected in (
        ("true", ["error"]),
        ("[ConfigMap]", ["error"]),
        ("[Service, v1/ConfigMap]", ["error"]),
        ("[Secret]", []),
        ("false", []),
    ):
        outcome = run(tmp_path, {"job.yaml": job("settings"), ".kubelint-ack.yaml": f"complete: {complete}\n"})
        assert [finding.severity for finding in outcome.findings] == expected, complete


def test_an_environment_may_be_complete_of_its_own(tmp_path: Path) -> None:
    files = {
        "prod/job.yaml": job("settings"),
        "test/job.yaml": job("settings"),
        ".kubelint-ack.yaml": "environments:\n  prod: {paths: [prod], complete: true}\n  test: {paths: [test]}\n",
    }
    assert [finding.path for finding in run(tmp_path, files).findings] == ["prod/job.yaml"]


def test_externals_are_never_missing(tmp_path: Path) -> None:
    files = {
        "job.yaml": job("settings-blue"),
        ".kubelint-ack.yaml": "complete: true\ncluster: {externals: [{kind: ConfigMap, name: 'settings-*'}]}\n",
    }
    assert not run(tmp_path, files).findings
    assert run(tmp_path, {"job.yaml": job("setting-blue")}).findings


def test_a_secret_is_missing_only_where_the_input_is_complete(tmp_path: Path) -> None:
    secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: other}\nstringData: {a: b}\n"
    files = {"job.yaml": job("x").replace("configMapRef", "secretRef") + secret}
    assert not run(tmp_path, files).findings
    assert run(tmp_path, {".kubelint-ack.yaml": "complete: true\n"}).findings


def test_a_document_that_was_not_checked_may_hold_what_it_names(tmp_path: Path) -> None:
    refers = {"job.yaml": job("settings") + "---\n" + config_map("other")}
    for kind, name, expected in (
        ("ConfigMap", "settings", []),
        ("ConfigMap", "another", [REFERS]),
        ("Service", "settings", [REFERS]),
    ):
        broken = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\ndata: [\n"
        outcome = run(tmp_path, {**refers, "broken.yaml": broken})
        assert [finding.rule for finding in outcome.findings if finding.rule == REFERS] == expected, (kind, name)


def test_a_template_may_hold_anything_of_its_kind(tmp_path: Path) -> None:
    refers = {"job.yaml": job("settings") + "---\n" + config_map("other")}
    for kind, expected in (("ConfigMap", []), ("Service", [REFERS]), ("{{ .kind }}", [])):
        template = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: x}}\n{{{{ if .Values.x }}}}\n"
        outcome = run(tmp_path, {**refers, "template.yaml": template})
        assert [finding.rule for finding in outcome.findings] == expected, kind


def test_a_file_that_cannot_be_read_may_hold_anything(tmp_path: Path) -> None:
    files = {"web.yaml": BOTH, ".kubelint-ack.yaml": "max-file-size: 2k\n"}
    assert about(run(tmp_path, files), SELECTS)
    assert not about(run(tmp_path, {"big.yaml": config_map("big") + "# " + "x" * 2000 + "\n"}), SELECTS)


def test_a_file_that_is_named_hides_no_more_than_one_that_is_found(tmp_path: Path) -> None:
    """A broken file that is no manifest is looked into only because it was named."""
    files = {"web.yaml": BOTH, "notes.yaml": "a: [b\n"}
    assert about(run(tmp_path, files, "web.yaml"), SELECTS)
    assert about(run(tmp_path, files, "web.yaml", "notes.yaml"), SELECTS)


def test_a_custom_resource_that_may_make_anything_leaves_nothing_certain(tmp_path: Path) -> None:
    custom = "apiVersion: example.com/v1\nkind: WebApp\nmetadata: {name: wbe}\n"
    assert not about(run(tmp_path, {"web.yaml": BOTH, "app.yaml": custom}), SELECTS)
