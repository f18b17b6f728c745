"""The SARIF report: the official schema, and what the schema and the usual validators do not catch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from report_run import (
    DEPLOYMENT_WEB,
    FILES,
    GATEWAY,
    IGNORED,
    NOT_BASE64,
    PRIVILEGED,
    SELECTS_NOTHING,
    SYNTAX,
    finding,
    place,
    rule,
    run,
    span,
)

from kubelint_ack import __version__
from kubelint_ack.records import Place, RelatedPlace, Span
from kubelint_ack.report import render
from kubelint_ack.report.run import Options, Run

pytest.importorskip("sarif_om")

from kubelint_ack.report import sarif

SCHEMA = json.loads((Path(__file__).parent / "data" / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def log(whole: Run, **options: Any) -> dict[str, Any]:
    text = "".join(render("sarif", whole, Options(**options)))
    assert text.endswith("\n")
    found: dict[str, Any] = json.loads(text)
    VALIDATOR.validate(found)
    return found


def only_run(whole: Run, **options: Any) -> dict[str, Any]:
    (found,) = log(whole, **options)["runs"]
    assert isinstance(found, dict)
    return found


def results(*findings: Any, **changes: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = only_run(run(findings=findings, **changes))["results"]
    return found


def values_of(node: Any, key: str) -> Iterator[Any]:
    """Every value of a property, however deep."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from values_of(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from values_of(value, key)


def test_the_schema_check_can_fail() -> None:
    broken = log(run())
    broken["runs"][0]["results"][0]["suppressions"] = [{"kind": "inSource", "state": "accepted"}]
    assert not VALIDATOR.is_valid(broken)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("show_suppressed", [False, True])
def test_the_whole_run_fits_the_official_schema(language: Any, show_suppressed: bool) -> None:
    whole = run(language, suppressed=(IGNORED,))
    found = log(whole, show_suppressed=show_suppressed, sarif_category="prod", repository_uri="https://example.com/x")
    assert found["version"] == "2.1.0"
    assert found["$schema"] == "https://json.schemastore.org/sarif-2.1.0.json"


def test_nothing_found_is_an_empty_list() -> None:
    assert only_run(run(findings=()))["results"] == []


def test_the_driver() -> None:
    driver = only_run(run())["tool"]["driver"]
    assert driver["name"] == driver["organization"] == "kubelint-ack"
    assert driver["version"] == driver["semanticVersion"] == __version__
    assert driver["informationUri"].startswith("https://")


def test_rules_are_all_that_could_fire_sorted_by_id() -> None:
    ids = [[one["id"] for one in only_run(whole)["tool"]["driver"]["rules"]] for whole in (run(), run(findings=()))]
    assert ids[0] == ids[1] == sorted(ids[0])
    assert len(ids[0]) == len(run().rules)


def test_a_security_rule() -> None:
    (one,) = [one for one in only_run(run())["tool"]["driver"]["rules"] if one["id"] == "KLA1203"]
    assert one["name"] == "PrivilegedContainer"
    assert one["shortDescription"]["text"] == "Container runs in privileged mode."
    assert one["fullDescription"]["text"] == "It has every capability of the node."
    assert one["defaultConfiguration"] == {"level": "warning"}
    assert one["messageStrings"] == {"default": {"text": "Container '{0}' runs in privileged mode."}}
    assert one["properties"] == {
        "tags": ["security", "kubernetes", "cwe-250", "external/cwe/cwe-250", "cis-5.2.2"],
        "precision": "high",
        "security-severity": "8.0",
    }
    assert one["helpUri"] == "https://kubelint-ack.io/rules/privileged-container/"
    assert one["help"]["markdown"].startswith("# Container runs in privileged mode\n")
    assert one["help"]["markdown"].endswith(f"\n\n[privileged-container]({one['helpUri']})")
    assert "Remove 'privileged: true'." in one["help"]["text"]


def test_a_rule_without_score_has_a_problem_severity() -> None:
    (one,) = [one for one in only_run(run())["tool"]["driver"]["rules"] if one["id"] == "KLA1701"]
    assert one["properties"]["problem.severity"] == "warning"
    assert "security-severity" not in one["properties"]
    assert one["properties"]["tags"][0] == "reliability"


def test_a_score_of_zero_is_never_written() -> None:
    rules = {"yaml-syntax": rule("yaml-syntax")._replace(security_severity="0.0")}
    assert list(values_of(log(run(findings=(SYNTAX,), rules=rules, not_evaluated=())), "security-severity")) == []


def test_at_most_ten_tags() -> None:
    many = rule("yaml-syntax")._replace(tags=tuple(f"tag-{number}" for number in range(20)))
    assert len(sarif.tags(many)) == 10


def test_long_texts_are_cut_where_consumers_would() -> None:
    long = rule("yaml-syntax")._replace(why="why " * 1000, title="t" * 2000)
    driver = only_run(run(findings=(SYNTAX,), rules={"yaml-syntax": long}, not_evaluated=()))["tool"]["driver"]
    assert len(driver["rules"][0]["fullDescription"]["text"]) <= 1000
    assert len(driver["rules"][0]["shortDescription"]["text"]) <= 1024


@pytest.mark.parametrize(
    ("wording", "string", "arguments"),
    [
        ("Container '{name}' is {x}.", "Container '{0}' is '{1}'.", ["{name}", "{x}"]),
        ("'{a}' and '{b}' and '{a}'", "'{0}' and '{1}' and '{0}'.", ["{a}", "{b}"]),
        ("'{kind} {name}' fails.", "'{0}' fails.", ["{kind} {name}"]),
        ("It doesn't have {x}, can't be.", "It doesn't have '{0}', can't be.", ["{x}"]),
        ("Write '{{{x}}}'.", "Write '{{'{0}'}}'.", ["{x}"]),
        ("Pods' labels {x}.", "Pods' labels '{0}'.", ["{x}"]),
        ("{kind} {name} is not {low}-{high}/{x}.", "'{0}' is not '{1}'.", ["{kind} {name}", "{low}-{high}/{x}"]),
        ("Did you mean {x}?", "Did you mean '{0}'.", ["{x}"]),
    ],
)
def test_message_strings(wording: str, string: str, arguments: list[str]) -> None:
    """Placeholders are numbered and stand in single quotes; a sentence ends with a full stop."""
    assert sarif.message_string(wording) == (string, tuple(arguments))


def test_text_id_and_arguments_agree() -> None:
    """The text is the message string with its arguments, then perhaps links."""
    found = only_run(run())
    rules = found["tool"]["driver"]["rules"]
    for result in found["results"]:
        assert result["ruleId"] == rules[result["ruleIndex"]]["id"]
        message = result["message"]
        string = rules[result["ruleIndex"]]["messageStrings"][message["id"]]["text"]
        arguments = message["arguments"]
        assert string.endswith(".")
        assert "'{0}'" in string
        assert len(set(re.findall(r"\{\d+\}", string))) == len(arguments)
        formatted = string
        for number, argument in enumerate(arguments):
            formatted = formatted.replace(f"{{{number}}}", argument)
        assert message["text"].startswith(formatted)


def test_a_wording_without_placeholders_names_the_resource() -> None:
    (result,) = results(NOT_BASE64)
    assert result["message"] == {
        "text": "A value under 'data' is not base64. Found in 'Secret db'.",
        "id": "default",
        "arguments": ["Secret db"],
    }


def test_values_cannot_make_links_or_placeholders() -> None:
    (result,) = results(PRIVILEGED._replace(values={"container": "{0} [x](http://evil) }"}))
    assert result["message"]["text"] == "Container '{{0}} [x] (http://evil) }}' runs in privileged mode."


def test_messages_are_short_enough() -> None:
    wording = " ".join(f"{{v{number}}}" for number in range(30))
    rules = {"yaml-syntax": rule("yaml-syntax")._replace(messages={"default": wording})}
    long = SYNTAX._replace(values={f"v{number}": "x" * 300 for number in range(30)}, related=SELECTS_NOTHING.related)
    (result,) = results(long, rules=rules, not_evaluated=())
    assert len(result["message"]["text"]) <= 1000


def test_chinese_has_texts_only() -> None:
    found = only_run(run("zh"))
    assert found["language"] == found["tool"]["driver"]["language"] == "zh-CN"
    assert list(values_of(found, "messageStrings")) == []
    assert [list(result["message"]) for result in found["results"]] == [["text"]] * 5
    expected = "命名空间'shop'中没有带标签'app=wbe'的 Pod，因此访问该 Service 的所有连接都会被拒绝。"
    assert found["results"][-1]["message"]["text"].startswith(expected)


def test_regions_are_one_line_in_utf_16_units() -> None:
    """A line with Chinese text and an emoji before the place."""
    line = GATEWAY.split("\n")[5]
    where = span(GATEWAY, "tier: edge")
    (result,) = results(finding("image-latest-tag", "svc/网关.yaml", Place(where, "", "")))
    physical = result["locations"][0]["physicalLocation"]
    start = len(line[: line.index("tier")].encode("utf-16-le")) // 2 + 1
    assert start == where.column + 1
    assert physical["region"] == {
        "startLine": 6,
        "startColumn": start,
        "endLine": 6,
        "endColumn": start + 10,
        "snippet": {"text": "tier: edge"},
    }
    assert physical["contextRegion"]["startLine"] == 4
    assert physical["contextRegion"]["endLine"] == 8
    assert physical["contextRegion"]["snippet"]["text"] == "\n".join(GATEWAY.split("\n")[3:8])


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{}", Span(1, 1, 1, 3)),
        ("{}\n", Span(1, 1, 1, 2)),
        ("", Span(1, 1, 1, 1)),
        ("a: b\n", Span(2, 1, 2, 1)),
        ("a: |\n  x\n  y\n", Span(1, 4, 4, 1)),
        ("k: " + "v" * 9000 + "\n", Span(1, 1, 1, 9004)),
        ("k: " + "v" * 9000 + ": w\n", Span(1, 9004, 1, 9005)),
        (None, Span(3, 4, 3, 4)),
    ],
)
def test_the_context_is_always_more_than_the_region(text: str | None, where: Span) -> None:
    (result,) = results(SYNTAX._replace(place=Place(where, "", "")), text_of=lambda path: text)
    physical = result["locations"][0]["physicalLocation"]
    region, context = physical["region"], physical.get("contextRegion")
    assert region["startLine"] == region["endLine"] >= 1
    assert 1 <= region["startColumn"] <= region["endColumn"]
    if context:
        inner = (region["startLine"], region["startColumn"], -region["endLine"], -region["endColumn"])
        outer = (
            context["startLine"],
            context.get("startColumn", 1),
            -context["endLine"],
            -context.get("endColumn", 10**9),
        )
        assert outer != inner
        assert all(a <= b for a, b in zip(outer[::2], inner[::2]))
        assert len(context.get("snippet", {}).get("text", "")) <= sarif.LONGEST_CONTEXT


def test_secret_data_is_never_written() -> None:
    text = "".join(render("sarif", run(), Options()))
    assert "hunter2" not in text
    (result,) = results(NOT_BASE64)
    assert result["locations"][0]["physicalLocation"]["region"]["snippet"]["text"] == "password: ******"


def test_uris_are_percent_encoded_and_relative_to_the_root() -> None:
    found = log(run())
    for location in values_of(found, "artifactLocation"):
        assert location["uriBaseId"] == "%SRCROOT%"
        assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", location["uri"])
        assert unquote(location["uri"]) in FILES
    assert found["runs"][0]["originalUriBaseIds"] == {"%SRCROOT%": {"description": {"text": "Repository root."}}}


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("部署 a.yaml", "%E9%83%A8%E7%BD%B2%20a.yaml"),
        ("./a#b?c.yaml", "a%23b%3Fc.yaml"),
        ("a:b.yaml", "a%3Ab.yaml"),
        ("100%.yaml", "100%25.yaml"),
        ("\udcff.yaml", "%FF.yaml"),
        ("<stdin>", "%3Cstdin%3E"),
    ],
)
def test_odd_file_names(path: str, uri: str) -> None:
    assert sarif.uri(path) == uri


@pytest.mark.parametrize("path", ["../other/x.yaml", "/abs/x.yaml"])
def test_a_file_outside_the_root_is_said_to_be(path: str) -> None:
    found = only_run(run(findings=(SYNTAX._replace(path=path),)))
    assert "uriBaseId" not in found["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    texts = [one["message"]["text"] for one in found["invocations"][0]["toolExecutionNotifications"]]
    assert f"{path} is outside the repository root, so the code host cannot show its findings." in texts


def test_related_places_are_linked_from_the_message() -> None:
    (result,) = results(SELECTS_NOTHING)
    assert result["message"]["text"].endswith(" See also [Service shop/web](1), [Deployment shop/web](2).")
    assert [one["id"] for one in result["relatedLocations"]] == [1, 2]
    second = result["relatedLocations"][1]
    assert second["message"]["text"] == "the pod template with the most labels in common."
    assert second["physicalLocation"]["artifactLocation"]["uri"] == "deploy/web.yaml"
    assert second["physicalLocation"]["region"]["startLine"] == 9


def test_link_texts_are_escaped_and_links_counted() -> None:
    odd = DEPLOYMENT_WEB._replace(name="a]b")
    related = (RelatedPlace("deploy/web.yaml", place("deploy/web.yaml", "kind"), odd),) * 30
    (result,) = results(PRIVILEGED._replace(related=related))
    assert r"See also [Deployment shop/a\]b](1), " in result["message"]["text"]
    assert len(result["relatedLocations"]) == sarif.MOST_RELATED


def test_logical_locations_name_the_field_by_item_names() -> None:
    (result,) = results(PRIVILEGED)
    assert result["locations"][0]["logicalLocations"] == [
        {
            "fullyQualifiedName": (
                "apps/v1/Deployment/shop/web/spec.template.spec.containers[web].securityContext.privileged"
            ),
            "kind": "member",
        }
    ]


def test_both_fingerprints() -> None:
    (result,) = results(SYNTAX, text_of=lambda path: "x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n")
    assert result["partialFingerprints"] == {
        "primaryLocationLineHash": "bb609acbe9138d60:1",
        "kubelintAck/resource/v1": sha256(b"KLA0001\0broken.yaml\0").hexdigest()[:16],
    }


def test_levels() -> None:
    found = results(SYNTAX, PRIVILEGED, PRIVILEGED._replace(severity="info"))
    assert [one["level"] for one in found] == ["error", "warning", "note"]


def test_defaults_are_not_written() -> None:
    """`rank: -1` would be read as a severity by GitLab; `kind` other than fail forces another level."""
    found = log(run(suppressed=(IGNORED,)), show_suppressed=True)
    for key in ("rank", "byteOffset", "charOffset", "newlineSequences", "contents", "baselineState"):
        assert list(values_of(found, key)) == [], key
    assert -1 not in list(values_of(found, "index"))
    assert all("kind" not in result for result in found["runs"][0]["results"])
    assert list(values_of(found, "level")).count("warning") > 0


def test_suppressed_results_are_left_out_unless_asked_for() -> None:
    whole = run(findings=(NOT_BASE64,), suppressed=(IGNORED,))
    plain = only_run(whole)["results"]
    assert [one["ruleId"] for one in plain] == ["KLA2103"]
    assert "suppressions" not in plain[0]
    shown = only_run(whole, show_suppressed=True)["results"]
    by_rule: Mapping[str, Any] = {one["ruleId"]: one["suppressions"] for one in shown}
    assert by_rule["KLA2103"] == []
    (one,) = by_rule["KLA1203"]
    assert (one["kind"], one["status"], one["justification"]) == ("inSource", "accepted", "needs the node's GPU")
    assert one["location"]["physicalLocation"]["region"] == {"startLine": 14}


def test_a_file_that_cannot_be_read_is_a_result_and_a_warning() -> None:
    """`executionSuccessful: false` or an error notification would cost all alerts of the run."""
    found = only_run(run(findings=(SYNTAX,)))
    (invocation,) = found["invocations"]
    assert invocation["executionSuccessful"] is True
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "warning"
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "broken.yaml"
    descriptor = found["tool"]["driver"]["notifications"][notification["descriptor"]["index"]]
    assert descriptor["id"] == notification["descriptor"]["id"] == "KLA0001"
    assert found["results"][0]["ruleId"] == "KLA0001"


def test_a_crash_fails_the_run_and_keeps_the_results() -> None:
    crash = finding(
        "rule-crash", "deploy/web.yaml", PRIVILEGED.place, None, {"rule": "privileged-container", "error": "E"}
    )
    found = only_run(run(findings=(crash, NOT_BASE64), crashed=True))
    (invocation,) = found["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "error"
    assert notification["associatedRule"]["id"] == "KLA1203"
    assert len(found["results"]) == 2


def test_notifications_of_the_run_and_rules_not_evaluated() -> None:
    (invocation,) = only_run(run(findings=(), notifications=("The CRD is odd.",)))["invocations"]
    assert [one["message"]["text"] for one in invocation["toolExecutionNotifications"]] == ["The CRD is odd."]
    (one,) = invocation["toolConfigurationNotifications"]
    assert one["level"] == "note"
    assert one["associatedRule"]["id"] == "KLA4301"
    assert one["message"]["text"].endswith(": cni.")


def test_the_most_severe_are_kept_and_the_cut_is_said() -> None:
    many = (PRIVILEGED._replace(severity="info"),) * 5 + (NOT_BASE64,) * 2 + (PRIVILEGED,) * 3
    found = only_run(run(findings=many), sarif_limit=4)
    assert sorted(one["level"] for one in found["results"]) == ["error", "error", "warning", "warning"]
    texts = [one["message"]["text"] for one in found["invocations"][0]["toolExecutionNotifications"]]
    assert texts == ["10 findings; this file holds the 4 most severe."]


def test_results_are_ordered_and_the_file_is_the_same_each_time() -> None:
    findings = run().findings
    texts = {
        "".join(render("sarif", run(findings=order, elapsed=1), Options())) for order in (findings, findings[::-1])
    }
    assert len(texts) == 1
    assert "/repo" not in texts.pop()


def test_a_category_only_when_asked_for() -> None:
    assert "automationDetails" not in only_run(run())
    assert only_run(run(), sarif_category="prod")["automationDetails"] == {"id": "prod/"}


def test_provenance_holds_no_credentials() -> None:
    assert "versionControlProvenance" not in only_run(run())
    found = only_run(run(), repository_uri="https://user:token@example.com/shop/x.git?a=b", revision="abc")
    assert found["versionControlProvenance"] == [
        {
            "repositoryUri": "https://example.com/shop/x.git",
            "revisionId": "abc",
            "mappedTo": {"uriBaseId": "%SRCROOT%"},
        }
    ]


def test_it_needs_no_text_of_files() -> None:
    found = results(*run().findings, text_of=lambda path: None)
    assert len(found) == 5
    assert "snippet" not in json.dumps(found)
    assert "primaryLocationLineHash" not in json.dumps(found)
