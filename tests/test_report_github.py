"""Workflow commands and the job summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from report_run import PRIVILEGED, SELECTS_NOTHING, SYNTAX, finding, place, rule, run

from kubelint_ack.records import Span
from kubelint_ack.report import render
from kubelint_ack.report.github import SUMMARY_BYTES, append_summary, summary
from kubelint_ack.report.run import Options


def commands(**changes: Any) -> list[str]:
    return list(render("github", run(**changes), Options()))


def test_a_finding_is_a_command() -> None:
    assert commands(findings=(SELECTS_NOTHING,)) == [
        (
            "::warning file=svc/网关.yaml,line=8,endLine=8,col=3,endColumn=23,title=KLA3101 service-selects-nothing"
            "::No pod in namespace 'shop' has the labels 'app=wbe'.\n"
        ),
        "::notice title=kubelint-ack::Found 1 finding in 1 of 6 files: 1 warning.\n",
    ]


def test_columns_are_left_out_over_several_lines() -> None:
    several = PRIVILEGED._replace(place=PRIVILEGED.place._replace(span=Span(1, 2, 3, 4)))
    assert commands(findings=(several,))[0].startswith("::warning file=deploy/web.yaml,line=1,endLine=3,title=")


def test_properties_and_text_are_escaped() -> None:
    odd = finding(
        "yaml-syntax", "a,b:c%d\n.yaml", place("broken.yaml", "a"), None, {"detail": "100% \r\n::error::, a:b"}
    )
    command = commands(findings=(odd,))[0]
    assert "file=a%2Cb%3Ac%25d\\n.yaml,line" in command
    assert command.endswith("::Not YAML: '100%25 \\r\\n::error::, a:b'.\n")


def test_ten_of_each_kind_then_the_counts() -> None:
    """GitHub shows no more for a step; the most severe by score come first."""
    rules = {**run().rules, "image-latest-tag": rule("image-latest-tag")._replace(security_severity="9.8")}
    worst = finding("image-latest-tag", "z.yaml", PRIVILEGED.place, None, {})
    notes = tuple(PRIVILEGED._replace(severity="info") for _ in range(12))
    found = commands(findings=(SYNTAX,) * 12 + (PRIVILEGED,) * 12 + (worst,) + notes, rules=rules)
    assert [sum(line.startswith(f"::{kind} ") for line in found) for kind in ("error", "warning", "notice")] == [
        10,
        10,
        10,
    ]
    assert "file=z.yaml" in found[10]
    assert found[-1] == (
        "::notice title=kubelint-ack::Found 37 findings in 3 files: 12 errors, 13 warnings, 12 infos. "
        "Shown here: 29; all are in the job summary.\n"
    )


def test_a_clean_run_says_nothing() -> None:
    assert commands(findings=()) == []


def test_the_summary_is_a_table_that_markup_cannot_leave() -> None:
    evil = "`x` | <img src=y> @team [a](http://b) \n## h"
    found = summary(
        run(findings=(finding("yaml-syntax", "a|b.yaml", PRIVILEGED.place, None, {"detail": evil}), SYNTAX))
    )
    table = [line for line in found.splitlines() if line.startswith("|")]
    assert table[0] == "| Severity | Rule | Place | Resource | Message |"
    assert [line.count("|") for line in table] == [6, 6, 6, 6]
    assert "<" not in found
    assert "@team" not in found
    assert "[a]" not in found
    assert "(https://kubelint-ack.io/rules/yaml-syntax/)" in found


def test_the_summary_lists_the_worst_first() -> None:
    rows = [line for line in summary(run()).splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[0] for row in rows] == ["| error", "| error", "| warning", "| warning", "| info"]


def test_the_summary_stays_below_what_github_drops(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("x" * 100_000, encoding="utf-8")
    whole = run(findings=(SELECTS_NOTHING,) * 20_000)
    for _ in range(3):
        append_summary(whole, Options(step_summary=str(path)))
    text = path.read_text(encoding="utf-8")
    assert 900_000 < path.stat().st_size <= SUMMARY_BYTES
    rows = sum(line.startswith("| warning") for line in text.splitlines())
    assert f"{20_000 - rows} more findings are not listed here." in text


@pytest.mark.parametrize("room", [0, 100, 1000])
def test_a_small_rest_is_respected(room: int) -> None:
    assert len(summary(run(), room).encode()) <= room


def test_the_summary_of_a_clean_run(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    append_summary(run(findings=()), Options(step_summary=str(path)))
    text = path.read_text(encoding="utf-8")
    assert text.startswith("### kubelint-ack\n\nAll clear&#58; 4 of 6 files")
    assert "|" not in text
