"""The text and concise reports, whole."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

import pytest
from report_run import (
    DEPLOY,
    DEPLOYMENT_WEB,
    FILES,
    IGNORED,
    LEDGER,
    NOT_BASE64,
    PRIVILEGED,
    SELECTS_NOTHING,
    TAGGED,
    finding,
    place,
    run,
)

from kubelint_ack.records import FileEntry, Finding, RelatedPlace, ResourceId
from kubelint_ack.report import render
from kubelint_ack.report.display import width
from kubelint_ack.report.run import NotEvaluated, Options, Run
from kubelint_ack.report.summary import ledger

SNAPSHOTS = Path(__file__).parent / "snapshots"


def text(whole: Run, **options: Any) -> str:
    return "".join(render("text", whole, Options(**options)))


def alike(count: int) -> tuple[Finding, ...]:
    """Findings that differ only in their resource."""
    found = []
    for number in range(count):
        resource = ResourceId("apps", "v1", "Deployment", "shop", f"web-{number}")
        values = {"name": f"web-{number}", "image": "nginx"}
        found.append(finding("image-latest-tag", "deploy/web.yaml", TAGGED.place, resource, values))
    return tuple(found)


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_snapshot(language: Literal["en", "zh"], columns: int) -> None:
    """The expected files were read line by line; UPDATE_SNAPSHOTS=1 writes them anew, to be read again."""
    path = SNAPSHOTS / f"report_text.{language}.{columns}.txt"
    got = text(run(language, suppressed=(IGNORED,)), width=columns, show_suppressed=columns == 80)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(got, encoding="utf-8")
    assert got == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", range(60, 201, 7))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_line_is_wider_than_the_terminal(language: Literal["en", "zh"], columns: int) -> None:
    """Words that must stay whole (addresses, images) excepted."""
    whole = run(language, findings=(*run().findings, *alike(9)), suppressed=(IGNORED,))
    for line in text(whole, width=columns, show_suppressed=True).splitlines():
        longest = max((width(word) for word in line.split()), default=0)
        assert width(line) <= columns or longest > columns - 12, line


def test_secret_data_is_never_printed() -> None:
    assert "hunter2" not in text(run())
    assert "hunter2" not in "".join(render("concise", run(), Options()))


def test_a_finding_in_a_file_that_is_gone_has_no_excerpt() -> None:
    assert text(run(findings=(PRIVILEGED,), text_of=lambda path: None), quiet=True) == (
        "warning[privileged-container] KLA1203: Container 'web' runs in privileged mode.\n"
        " --> deploy/web.yaml:15:11  (Deployment shop/web)\n"
        "  |\n"
        "  = help: Remove 'privileged: true'.\n"
        "  = docs: https://kubelint-ack.io/rules/privileged-container/\n"
        "\n"
    )


def test_color_is_on_severities_only_and_never_the_only_sign() -> None:
    plain = text(run())
    colored = text(run(), color=True)
    assert "\x1b" not in plain
    assert "\x1b[31m\x1b[1merror[yaml-syntax]\x1b[0m" in colored
    assert re.sub("\x1b\\[[0-9;]*m", "", colored) == plain


def test_hyperlinks_replace_the_address_of_the_page() -> None:
    linked = text(run(findings=(SELECTS_NOTHING,)), hyperlinks=True)
    address = "https://kubelint-ack.io/rules/service-selects-nothing/"
    assert f"warning[\x1b]8;;{address}\x1b\\service-selects-nothing\x1b]8;;\x1b\\]" in linked
    assert "\x1b]8;;file:///repo/svc/%E7%BD%91%E5%85%B3.yaml\x1b\\svc/网关.yaml:8:3\x1b]8;;\x1b\\" in linked
    assert "docs:" not in linked


def test_more_than_five_identical_findings_are_grouped() -> None:
    grouped = text(run(findings=alike(9)), quiet=True)
    assert grouped.count("Image 'nginx'") == 1
    assert "   = the same in 8 more places:\n       deploy/web.yaml:13:89  (Deployment shop/web-1)\n" in grouped
    assert "(Deployment shop/web-4)\n       … and 4 more (--no-group lists all)\n" in grouped
    assert text(run(findings=alike(5)), quiet=True).count("Image 'nginx'") == 5
    assert text(run(findings=alike(9)), quiet=True, group=False).count("Image 'nginx'") == 9


def test_findings_with_other_values_are_not_identical() -> None:
    different = tuple(one._replace(values={**one.values, "image": f"nginx:{n}"}) for n, one in enumerate(alike(9)))
    assert text(run(findings=different), quiet=True).count("has no fixed tag") == 9


def test_max_findings_says_how_many_are_left_out() -> None:
    limited = text(run(), max_findings=2)
    assert limited.count("help:") == 2
    assert "… and 3 more findings (--max-findings)\n" in limited
    assert "Found 5 findings" in limited


def test_suppressed_findings_are_shown_on_demand_with_their_reason() -> None:
    whole = run(findings=(), suppressed=(IGNORED,))
    assert "privileged" not in text(whole)
    assert "= suppressed by comment at deploy/web.yaml:14: needs the node's GPU\n" in text(whole, show_suppressed=True)
    (line,) = render("concise", whole, Options(show_suppressed=True))
    assert line.endswith(" (suppressed by comment at deploy/web.yaml:14: needs the node's GPU)\n")


def test_another_tools_annotation_is_named_in_both_languages() -> None:
    by = IGNORED.suppressed
    assert by is not None
    whole = run("zh", findings=(), suppressed=(IGNORED._replace(suppressed=by._replace(by="kube-linter annotation")),))
    assert "已屏蔽（kube-linter 注解，deploy/web.yaml:14）：" in text(whole, show_suppressed=True)


def test_quiet_prints_findings_and_nothing_else() -> None:
    assert text(run(findings=()), quiet=True) == ""
    assert "Found" not in text(run(), quiet=True)


def test_statistics_replace_the_findings() -> None:
    assert text(run(findings=(*alike(9), PRIVILEGED)), statistics=True, quiet=True) == (
        "9  warning  KLA1701  image-latest-tag      Image has no fixed tag\n"
        "1  warning  KLA1203  privileged-container  Container runs in privileged mode\n"
        "\n"
    )


def test_a_clean_run_says_what_was_checked() -> None:
    checked = tuple(entry for entry in LEDGER if entry.status == "checked")
    whole = run(findings=(), ledger=checked, not_evaluated=(), context_files=0)
    assert text(whole) == (
        "All clear: 3 files, 5 resources, 7 rules, 0.6 s.\nFiles: 3, all checked. Documents: 3, all checked.\n"
    )


def test_a_clean_run_that_skipped_files_says_so() -> None:
    assert text(run(findings=())).startswith("All clear: 4 of 6 files, 5 resources, 7 rules, 0.6 s.\n")


def test_the_ledger_adds_up() -> None:
    counts = ledger(run())
    assert sum(counts.files.values()) == len(LEDGER)
    assert sum(counts.documents.values()) == sum(len(entry.documents) for entry in LEDGER)
    unknown = sum(1 for entry in LEDGER if not entry.documents)
    assert sum(counts.reasons.values()) == counts.documents["partly"] + counts.documents["not-checked"] + unknown


def test_rare_reasons_are_added_up() -> None:
    codes = ["a", "b", "c", "d", "e", "f", "g"]
    entries = tuple(FileEntry(code, "not-checked", code) for code in codes)
    assert "Not fully checked: a 1, b 1, c 1, d 1, e 1, other 2.\n" in text(run(findings=(), ledger=entries))


def test_not_evaluated_names_the_keys_that_many_rules_need_first() -> None:
    missing = (
        NotEvaluated("a", "KLA1", ("cni",), ()),
        NotEvaluated("b", "KLA2", ("cni", "nodePools"), ()),
        NotEvaluated("c", "KLA3", ("podCIDR|serviceCIDR",), ()),
    )
    assert (
        "Not evaluated: 3 rules lack facts about the cluster. Declare under 'cluster:' in the configuration: "
        "cni (2), nodePools (1), podCIDR or serviceCIDR (1).\n"
    ) in text(run(not_evaluated=missing), width=200)


def test_targets_are_named_where_a_finding_holds_in_only_some() -> None:
    some = PRIVILEGED._replace(targets=("prod",), partial=True)
    assert "= only in: prod\n" in text(run(findings=(some,), targets=("prod", "staging")))
    both = PRIVILEGED._replace(targets=("prod", "staging"))
    assert "only in" not in text(run(findings=(both,), targets=("prod", "staging")))


def test_many_related_places_are_cut() -> None:
    where = RelatedPlace("svc/网关.yaml", place("svc/网关.yaml", "kind: Service"), None)
    found = text(run(findings=(PRIVILEGED._replace(related=(where,) * 8),)))
    assert found.count("::: svc/网关.yaml:2:1") == 5
    assert "= … and 3 more places\n" in found


EVIL = {
    "a\n::set-env name=PATH::/evil.yaml": "k: v  # ##[set-env name=X]\n",
    "::add-mask::x.yaml": "\x1b[31m::error::x\x1b[0m\u202e: ##vso[task.complete]\n",
}


@pytest.mark.parametrize("format", ["text", "concise", "github", "json", "sarif"])
@pytest.mark.parametrize("ci", ["github", "azure", "gitlab"])
def test_manifests_cannot_command_the_ci_system(format: str, ci: str) -> None:
    """Everything in the report that an author of a manifest controls tries."""
    if format == "sarif":
        pytest.importorskip("sarif_om")
    attack = "x \x1b[2J\n::set-env name=A::b\r##[warning] ##vso[task.setvariable variable=x]y %0A::error::"
    evil = tuple(
        finding(
            "image-latest-tag",
            path,
            place("deploy/web.yaml", "kind"),
            ResourceId("", "v1", "Pod", "::debug::", attack),
            {"image": attack + " ::set-env name=A::b" * 20, "name": "\u202e"},
            related=(RelatedPlace(path, place("deploy/web.yaml", "kind"), DEPLOYMENT_WEB),),
        )
        for path in EVIL
    )
    whole = run(findings=evil, text_of=EVIL.get, notifications=(attack,))
    for columns in (60, 61, 62, 63, 64, 65):
        output = "".join(render(format, whole, Options(ci=ci, width=columns)))
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", output)
        assert "##[" not in output
        assert "##vso[" not in output
        for line in output.splitlines():
            if format == "github":
                assert re.match("::(error|warning|notice) ", line)
            else:
                assert not line.lstrip().startswith("::")


def test_concise_has_one_line_for_each_finding() -> None:
    lines = list(render("concise", run("zh"), Options()))
    assert lines[2] == "deploy/web.yaml:15:11: warning KLA1203[privileged-container] 容器“web”以特权模式运行。\n"
    assert len(lines) == len(run().findings)
    assert all(line.count("\n") == 1 for line in lines)
    assert len(list(render("concise", run(), Options(max_findings=2)))) == 2


def test_concise_colors_the_severity() -> None:
    (line,) = render("concise", run(findings=(NOT_BASE64,)), Options(color=True))
    assert line.startswith("secret.yaml:5:3: \x1b[31merror\x1b[0m KLA2103[")


def test_the_fixture_points_where_it_says() -> None:
    start = TAGGED.place.span
    assert DEPLOY.split("\n")[start.line - 1][start.column - 1 :].startswith("1.27.3")
    assert set(FILES) == {entry.path for entry in LEDGER} - {"charts/x.yaml", "readme.yaml"}
