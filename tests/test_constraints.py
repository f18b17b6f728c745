"""The tables of what the API server insists on are valid, name what exists, and agree with each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kubelint_ack import catalog, store
from kubelint_ack.constraints import FORMATS

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "schemas/kubernetes/constraints").glob("*.json"))
CONTENT: dict[str, Any] = {path.name: json.loads(path.read_bytes()) for path in FILES}


@pytest.mark.parametrize("name", CONTENT)
def test_tables_are_valid(name: str) -> None:
    schema = json.loads((ROOT / "schemas/kubernetes/constraints.schema.json").read_bytes())
    errors = jsonschema.Draft202012Validator(schema).iter_errors(CONTENT[name])
    assert [f"{error.json_path}: {error.message}" for error in errors] == []
    used = {table["source"] for table in CONTENT[name]["definitions"].values()}
    assert used == set(CONTENT[name]["sources"])


def _schemas(definition: str) -> list[dict[str, Any]]:
    first, last = store.minors()
    return [dict(found) for minor in range(first, last + 1) if (found := store.definition(definition, minor))]


@pytest.mark.parametrize("name", CONTENT)
def test_tables_name_definitions_and_fields_that_exist(name: str) -> None:
    unknown = []
    for definition, table in CONTENT[name]["definitions"].items():
        schemas = _schemas(definition)
        if not schemas:
            unknown.append(definition)
        known = {field for schema in schemas for field in schema.get("properties", {})}
        named = [*table.get("fields", {}), *(field for group in table.get("groups", ()) for field in group["fields"])]
        unknown += [f"{definition}: {field}" for field in named if schemas and field not in known]
    assert unknown == []


def _rules(table: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    stack = list(table.get("fields", {}).values())
    while stack:
        rule = stack.pop()
        found.append(rule)
        stack += [rule[key] for key in ("items", "keys", "values") if key in rule]
    return found


@pytest.mark.parametrize("name", CONTENT)
def test_formats_are_known_and_worded(name: str) -> None:
    used = {
        rule["format"] for table in CONTENT[name]["definitions"].values() for rule in _rules(table) if "format" in rule
    }
    assert used - set(FORMATS) == set()
    assert set(FORMATS) <= set(catalog.texts(catalog.rules()["invalid-format"], "en").messages)


def test_tables_of_several_files_do_not_say_the_same_of_a_field() -> None:
    seen: dict[tuple[str, str, str], str] = {}
    twice = []
    for name, content in CONTENT.items():
        for definition, table in content["definitions"].items():
            for field, rule in table.get("fields", {}).items():
                for key in set(rule) - {"from", "until", "severity"}:
                    other = seen.setdefault((definition, field, key), name)
                    if other != name:
                        twice.append(f"{definition}: {field}: {key}: {other}, {name}")
    assert twice == []


def test_what_is_optional_is_required_by_the_reference_and_by_no_table() -> None:
    required = {
        (definition, field)
        for content in CONTENT.values()
        for definition, table in content["definitions"].items()
        for field, rule in table.get("fields", {}).items()
        if rule.get("required")
    }
    for content in CONTENT.values():
        for definition, table in content["definitions"].items():
            for field in table.get("optional", ()):
                assert (definition, field) not in required
                assert any(field in schema.get("required", ()) for schema in _schemas(definition)), (definition, field)
