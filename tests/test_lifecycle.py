"""What is known of API versions: the table is valid and agrees with the store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kubelint_ack import store
from kubelint_ack.lifecycle import lifecycle, served_instead, unknown_kind

ROOT = Path(__file__).parent.parent
TABLE: dict[str, Any] = json.loads((ROOT / "schemas/kubernetes/deprecations.json").read_bytes())


def test_the_table_is_valid() -> None:
    schema = json.loads((ROOT / "schemas/kubernetes/deprecations.schema.json").read_bytes())
    errors = jsonschema.Draft202012Validator(schema).iter_errors(TABLE)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []
    assert {row["source"] for row in TABLE["apis"]} == set(TABLE["sources"])


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def test_removals_agree_with_the_store() -> None:
    """Of Kubernetes' own APIs: what the store still has was removed later, what went since 1.20 is the last it has."""
    oldest, newest = store.minors()
    wrong = []
    for row in TABLE["apis"]:
        if "component" in row:
            continue
        for kind in row["kinds"]:
            history = store.kind_history(row["api"], kind)
            last = history[-1].last if history else oldest - 1
            removed = _minor(row["removed"]) if "removed" in row else newest + 1
            if removed > oldest and last != removed - 1:
                wrong.append(f"{row['api']}/{kind}: removed in 1.{removed}, the store has it until 1.{last}")
            if removed <= oldest and history:
                wrong.append(f"{row['api']}/{kind}: removed in 1.{removed}, the store has it")
    assert wrong == []


def test_replacements_are_served_by_the_newest_version() -> None:
    newest = store.minors()[1]
    for row in TABLE["apis"]:
        if "component" in row or "replacement" not in row:
            continue
        for kind in row["kinds"]:
            history = store.kind_history(row["replacement"], row.get("kind", kind))
            assert history, f"{row['api']}/{kind}"
            assert history[-1].last == newest, f"{row['api']}/{kind}"
            since = _minor(row["since"])
            if since > store.minors()[0]:
                assert history[0].first == since, f"{row['api']}/{kind}"


def test_only_the_version_string_changes_where_the_definitions_are_equal() -> None:
    """What the table calls the same has the same fields in the last version that has both."""
    for row in TABLE["apis"]:
        if not row.get("same") or "component" in row:
            continue
        for kind in row["kinds"]:
            old, new = store.kind_history(row["api"], kind), store.kind_history(row["replacement"], kind)
            if not old:
                continue
            both = old[-1].last
            before = store.definition(old[-1].text, both)
            after = store.definition(next(one.text for one in new if one.first <= both <= one.last), both)
            assert before is not None
            assert after is not None
            assert set(before["properties"]) == set(after["properties"]), f"{row['api']}/{kind}"


@pytest.mark.parametrize(
    ("api_version", "kind", "introduced", "removed", "replacement"),
    [
        ("batch/v1", "CronJob", "1.21", "", ""),
        ("batch/v1beta1", "CronJob", "", "1.25", "batch/v1"),
        ("extensions/v1beta1", "Deployment", "", "1.16", "apps/v1"),
        ("resource.k8s.io/v1alpha2", "ResourceClaim", "1.27", "1.31", "resource.k8s.io/v1"),
        ("cert-manager.io/v1alpha2", "Issuer", "", "1.6", "cert-manager.io/v1"),
    ],
)
def test_what_is_known(api_version: str, kind: str, introduced: str, removed: str, replacement: str) -> None:
    found = lifecycle(api_version, kind)
    assert found is not None
    assert (found.introduced, found.removed, found.replacement) == (introduced, removed, replacement)


def test_nothing_is_said_of_what_every_version_has() -> None:
    assert lifecycle("apps/v1", "Deployment") is None
    assert lifecycle("example.com/v1", "Anything") is None


def test_the_most_stable_version_is_served_instead() -> None:
    assert served_instead("batch", "CronJob", 20) == "batch/v1beta1"
    assert served_instead("autoscaling", "HorizontalPodAutoscaler", 22) == "autoscaling/v1"
    assert served_instead("autoscaling", "HorizontalPodAutoscaler", 34) == "autoscaling/v2"
    assert served_instead("", "Pod", 34) == "v1"


@pytest.mark.parametrize(
    ("group", "version", "kind"),
    [
        ("", "v1", "Pod"),
        ("", "v1", "Route"),
        ("example.com", "v1", "Pod"),
        ("gateway.networking.k8s.io", "v1", "Gateway"),
        ("metrics.k8s.io", "v1beta1", "PodMetrics"),
        ("extensions", "v1beta1", "Deployment"),
        ("apps", "v1beta2", "StatefulSet"),
        ("policy", "v1beta1", "PodSecurityPolicy"),
    ],
)
def test_what_some_version_has_or_had_is_not_unknown(group: str, version: str, kind: str) -> None:
    assert unknown_kind(group, version, kind) is None


def test_how_a_kind_is_unknown() -> None:
    assert unknown_kind("", "v1", "Deployment") == ("group", "apps/v1", "")
    assert unknown_kind("apps", "v3", "Deployment") == ("version", "apps/v1", "")
    assert unknown_kind("apps", "v1", "Deploymnet") == ("nearest", "Deployment", "")
    assert unknown_kind("apps", "v1", "Servise") == ("elsewhere", "Service", "v1")
    assert unknown_kind("app", "v1", "Whatever") == ("default", "", "")
