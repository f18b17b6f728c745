"""Index lists and time zones of Jobs and CronJobs."""

from __future__ import annotations

import json

import jsonschema
import pytest

from kubelint_ack.data import read_data
from kubelint_ack.jobs import IndexMistake, count_indexes, time_zone_mistake


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 1),
        ("0,2-4", 4),
        ("4", 1),
        ("", IndexMistake("number", 0, 0, "")),
        ("1,,2", IndexMistake("number", 2, 2, "")),
        ("1,", IndexMistake("number", 2, 2, "")),
        ("0, 2", IndexMistake("number", 2, 4, " 2")),
        ("1-2-3", IndexMistake("number", 0, 5, "1-2-3")),
        ("0,5", IndexMistake("large", 2, 3, "5")),
        ("0-5", IndexMistake("large", 0, 3, "0-5")),
        ("1,1", IndexMistake("order", 2, 3, "1")),
        ("2,1", IndexMistake("order", 2, 3, "1")),
        ("1-1", IndexMistake("order", 0, 3, "1-1")),
        ("0-2,2-3", IndexMistake("order", 4, 7, "2-3")),
    ],
)
def test_index_lists(text: str, expected: int | IndexMistake) -> None:
    assert count_indexes(text, 5) == expected


def test_without_completions_no_index_is_too_large() -> None:
    assert count_indexes("0,5-7", None) == 4


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Asia/Shanghai", ("", "")),
        ("Etc/GMT+8", ("", "")),
        ("UTC", ("", "")),
        ("posix/Asia/Shanghai", ("", "")),
        ("asia/Shanghai", ("case", "Asia/Shanghai")),
        ("local", ("local", "")),
        ("GMT+8", ("unknown", "")),
        ("../etc/passwd", ("unknown", "")),
        ("Moon/Crater", ("unknown", "")),
        ("Asia/Atlantis", ("new", "")),
        ("America/Argentina/Atlantis", ("new", "")),
    ],
)
def test_time_zones(name: str, expected: tuple[str, str]) -> None:
    assert time_zone_mistake(name) == expected


def test_the_list_of_time_zones_passes_its_schema() -> None:
    schema = json.loads(read_data("schemas/kubernetes/time-zones.schema.json"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(read_data("schemas/kubernetes/time-zones.json")))
