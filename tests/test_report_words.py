"""Wording of messages and of other places."""

from __future__ import annotations

from typing import Any

import pytest
from report_run import DEPLOYMENT_WEB, PRIVILEGED, SELECTS_NOTHING, finding, place, rule

from kubelint_ack.records import RelatedPlace, Span, Unknown
from kubelint_ack.report.words import LONGEST_VALUE, message, other_places, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"app": "web", "tier": None}, "app=web,tier=?"),
        ({}, "{}"),
        (["a", 1, True], "a, 1, true"),
        ((), "[]"),
        ({"b", "a"}, "a, b"),
        (None, "?"),
        (False, "false"),
        (1.5, "1.5"),
        ("", ""),
        (DEPLOYMENT_WEB, "Deployment shop/web"),
        (Unknown("{{ .Values.x }}"), "{{ .Values.x }}"),
        ("a\x1b[31m\nb", "a\\x1b[31m\\nb"),
    ],
)
def test_values_read_as_people_write_them(value: Any, text: str) -> None:
    assert shown(value) == text


def test_a_huge_value_is_cut() -> None:
    assert len(shown("x" * 1_000_000)) == LONGEST_VALUE


def test_message_takes_the_wording_that_the_hit_chose() -> None:
    near = SELECTS_NOTHING._replace(
        message="near", values={"labels": {"a": "b"}, "nearest": "web", "missing": ["x", "y"]}
    )
    expected = "No pod has the labels a=b; the nearest, web, doesn't have x, y"
    assert message(near, rule("service-selects-nothing")) == expected


def test_a_value_that_looks_like_a_placeholder_stays() -> None:
    odd = PRIVILEGED._replace(values={"container": "{container} {{"})
    assert message(odd, rule("privileged-container")) == "Container '{container} {{' runs in privileged mode."


def test_a_missing_value_is_a_question_mark() -> None:
    assert (
        message(PRIVILEGED._replace(values={}), rule("privileged-container"))
        == "Container '?' runs in privileged mode."
    )


def test_other_places_say_the_note_else_the_resource_else_the_file() -> None:
    where = place("deploy/web.yaml", "kind: Deployment")
    one = finding(
        "service-selects-nothing",
        "svc/网关.yaml",
        where,
        related=(
            RelatedPlace("deploy/web.yaml", where, DEPLOYMENT_WEB, "nearest"),
            RelatedPlace("deploy/web.yaml", where, DEPLOYMENT_WEB),
            RelatedPlace("deploy/web.yaml", where, None),
        ),
    )
    labels = [other.label for other in other_places(one, rule("service-selects-nothing"), "en")]
    assert labels == ["the pod template with the most labels in common", "Deployment shop/web", "deploy/web.yaml"]


def test_the_anchor_behind_an_alias_is_another_place() -> None:
    anchored = PRIVILEGED._replace(place=PRIVILEGED.place._replace(anchor=Span(3, 1, 3, 9)))
    (other,) = other_places(anchored, rule("privileged-container"), "zh")
    assert (other.path, other.span, other.note) == ("deploy/web.yaml", Span(3, 1, 3, 9), "值写在这里")
