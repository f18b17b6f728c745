"""The JSON report and its schema."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from report_run import FILES, GATEWAY, IGNORED, LEDGER, PRIVILEGED, SYNTAX, rule, run

from kubelint_ack.records import FileEntry
from kubelint_ack.report import render
from kubelint_ack.report.jsonfile import encode
from kubelint_ack.report.run import Options, Run

SCHEMA = json.loads((Path(__file__).parent.parent / "schemas" / "report.schema.json").read_text(encoding="utf-8"))


def document(whole: Run) -> dict[str, Any]:
    text = "".join(render("json", whole, Options()))
    found: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_is_strict() -> None:
    """Every object says which keys it may have."""

    def objects(node: Any) -> Any:
        if isinstance(node, dict):
            if node.get("type") == "object":
                yield node
            for value in node.values():
                yield from objects(value)
        elif isinstance(node, list):
            for value in node:
                yield from objects(value)

    assert [node for node in objects(SCHEMA) if "additionalProperties" not in node] == []
    wrong = document(run())
    wrong["findings"][0]["extra"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(wrong)


def test_a_finding_has_all_fields() -> None:
    one = document(run(targets=("prod", "staging"), findings=(run().findings[-1]._replace(targets=("prod",)),)))
    assert one["findings"] == [
        {
            "rule": "service-selects-nothing",
            "code": "KLA3101",
            "severity": "warning",
            "message": "No pod in namespace 'shop' has the labels 'app=wbe'.",
            "path": "svc/网关.yaml",
            "line": 8,
            "column": 3,
            "end_line": 8,
            "end_column": 23,
            "byte_offset": GATEWAY.encode().index(b"selector"),
            "resource": {"kind": "Service", "namespace": "shop", "name": "web", "api_version": "v1"},
            "field": "spec.selector",
            "related": [
                {
                    "path": "svc/网关.yaml",
                    "line": 6,
                    "column": 35,
                    "end_line": 6,
                    "end_column": 45,
                    "message": "Service shop/web",
                    "resource": {"kind": "Service", "namespace": "shop", "name": "web", "api_version": "v1"},
                    "field": "metadata.labels.tier",
                },
                {
                    "path": "deploy/web.yaml",
                    "line": 9,
                    "column": 7,
                    "end_line": 9,
                    "end_column": 25,
                    "message": "the pod template with the most labels in common",
                    "resource": {"kind": "Deployment", "namespace": "shop", "name": "web", "api_version": "apps/v1"},
                    "field": "spec.template.metadata.labels",
                },
            ],
            "fingerprint": sha256(b"KLA3101\0Service.\0shop\0web\0spec.selector").hexdigest()[:16],
            "targets": ["prod"],
        }
    ]


def test_a_finding_without_resource_or_file() -> None:
    (one,) = document(run(findings=(SYNTAX,), text_of=lambda path: None))["findings"]
    assert one["resource"] is None
    assert "byte_offset" not in one
    assert "targets" not in one


def test_the_summary_adds_up() -> None:
    found = document(run(suppressed=(IGNORED,)))
    summary = found["summary"]
    assert summary["error"] + summary["warning"] + summary["info"] == len(found["findings"]) == summary["Total"]
    assert summary["suppressed"] == len(found["suppressed"]) == 1
    assert sum(summary["rules"].values()) == summary["Total"]
    for key, entries in (
        ("files", found["files"]),
        ("documents", [document for file in found["files"] for document in file["documents"]]),
    ):
        counts = summary[key]
        assert counts["total"] == counts["checked"] + counts["partly"] + counts["not_checked"] == len(entries)
        for status in ("checked", "partly", "not-checked"):
            assert counts[status.replace("-", "_")] == sum(entry["status"] == status for entry in entries)
    assert len(found["files"]) == len(LEDGER)
    assert summary["not_evaluated"] == 1


def test_gate_counts() -> None:
    """Blocker: an error whose score is above 9.0, exactly 9.0 is not; Critical: other errors; Major: warnings."""
    rules = {
        "privileged-container": rule("privileged-container")._replace(security_severity="9.3"),
        "yaml-syntax": rule("yaml-syntax"),
        "image-latest-tag": rule("image-latest-tag")._replace(security_severity="9.0"),
    }
    findings = (
        PRIVILEGED._replace(severity="error"),
        PRIVILEGED,
        PRIVILEGED._replace(severity="info"),
        SYNTAX,
        SYNTAX._replace(rule="image-latest-tag"),
    )
    summary = document(run(findings=findings, rules=rules))["summary"]
    assert [summary[key] for key in ("Total", "Blocker", "Critical", "Major")] == [5, 1, 2, 1]


def test_suppressed_findings_say_why() -> None:
    found = document(run(findings=(), suppressed=(IGNORED,)))
    assert found["suppressed"][0]["suppression"] == {
        "by": "comment",
        "reason": "needs the node's GPU",
        "path": "deploy/web.yaml",
        "line": 14,
    }


def test_an_empty_run_is_a_document_too() -> None:
    found = document(run(findings=(), ledger=(), not_evaluated=(), rules={}))
    assert found["findings"] == found["files"] == []


def test_what_machines_and_time_change_stays_out() -> None:
    one = "".join(render("json", run(), Options()))
    other = "".join(render("json", run(elapsed=9.9, root="/elsewhere"), Options(width=60, color=True, ci="github")))
    assert one == other


def test_one_line_for_each_finding() -> None:
    text = "".join(render("json", run(), Options()))
    assert sum(line.startswith('{"rule":"') for line in text.splitlines()) == len(run().findings) + 1


def test_encoding_is_safe_to_print_and_loses_nothing() -> None:
    hostile = "\x1b[31m \x85\u202e\u2028\U000e0041 ##[error] ##vso[x] ## [y] 名称 😀 \\"
    text = encode({"a": hostile})
    assert json.loads(text) == {"a": hostile}
    assert text.isprintable()
    assert "##[" not in text
    assert "##vso[" not in text
    assert "名称 😀" in text


def test_file_names_that_are_not_utf_8_become_readable() -> None:
    """A lone surrogate would make the whole document unreadable for strict parsers."""
    assert json.loads(encode("a\udcff\\.yaml")) == "a\\xff\\.yaml"
    found = document(run(findings=(), ledger=(FileEntry("b\udce9.yaml", "not-checked", "empty"),)))
    assert found["files"][0]["path"] == "b\\xe9.yaml"


def test_the_fixture_is_valid_utf_8() -> None:
    assert all(text.encode() for text in FILES.values())
