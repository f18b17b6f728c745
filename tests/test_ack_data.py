"""The catalogues of ACK facts pass their schemas and fit together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from kubelint_ack.ack import Catalogue, catalogue, catalogues, network_plugins
from kubelint_ack.data import data_files, read_data

CATALOGUES = [path for path in data_files("schemas/ack") if not path.endswith(".schema.json")]
FAMILIES = [one.name for one in catalogues()]


def schema_of(path: str) -> str:
    own = path.replace(".json", ".schema.json")
    return "schemas/ack/annotations.schema.json" if path.endswith("-annotations.json") else own


@pytest.mark.parametrize("path", CATALOGUES)
def test_a_catalogue_passes_its_schema(path: str) -> None:
    schema = json.loads(read_data(schema_of(path)))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(read_data(path)))] == []


def readings(one: Catalogue) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """(name, reader, row, reading) of everything that a catalogue says."""
    for name, row in one.known.items():
        for reader, reading in row["readers"].items():
            yield name, reader, dict(row), reading


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_name_known_sources_and_readers_and_all_of_them_are_used(family: str) -> None:
    one = catalogue(family)
    assert {source for row in one.known.values() for source in row["sources"]} == set(one.sources)
    assert {reader for _, reader, _, _ in readings(one)} == set(one.readers)


@pytest.mark.parametrize("family", FAMILIES)
def test_names_follow_a_prefix_or_are_whole_keys(family: str) -> None:
    one = catalogue(family)
    for name in one.known:
        assert one.name_of(one.key(name)) == name
        for older in one.older_keys(name):
            assert one.name_of(older) == name


@pytest.mark.parametrize("family", FAMILIES)
def test_defaults_are_allowed_values(family: str) -> None:
    wrong = []
    for name, reader, row, reading in readings(catalogue(family)):
        default = reading.get("default")
        if default is None:
            continue
        low, high = reading.get("range", (0, 0))
        allowed = {
            "enum": default in reading.get("values", (default,)),
            "enums": default in reading.get("values", (default,)),
            "integer": "range" not in reading or low <= int(default) <= high,
            "flag": default in ("on", "off"),
            "boolean": default in ("true", "false"),
        }
        if not allowed.get(row["type"], True):
            wrong.append(f"{name} {reader}")
    assert wrong == []


@pytest.mark.parametrize("family", FAMILIES)
def test_patterns_are_regular_expressions_that_fit_the_default(family: str) -> None:
    for name, _, _, reading in readings(catalogue(family)):
        if "pattern" in reading:
            assert re.fullmatch(reading["pattern"], reading.get("default", "")) or "default" not in reading, name


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_needed_is_read_by_the_same_reader_and_may_have_the_values(family: str) -> None:
    one = catalogue(family)
    wrong = []
    for name, reader, row, reading in readings(one):
        for need in reading.get("needs", ()):
            other = one.known.get(need["key"], {"readers": {}})["readers"].get(reader)
            values = [value for value in need.get("values", ()) if value is not None]
            if other is None or not set(values) <= set(other.get("values", values)):
                wrong.append(f"{name} {reader}: {need}")
            if not set(need.get("when", ())) <= set(reading.get("values", need.get("when", ()))):
                wrong.append(f"{name} {reader}: {need} of {row['type']}")
    assert wrong == []


def test_words_and_numbers_of_load_balancers_have_their_limits() -> None:
    """Whoever reads a value of these forms needs the words or the bounds, for each kind that reads it."""
    limits = {"enum": "values", "enums": "values", "protocol-ports": "values", "integer": "range"}
    lacking = [
        f"{name} {reader}"
        for name, reader, row, reading in readings(catalogue("service"))
        if row["type"] in limits and limits[row["type"]] not in reading
    ]
    assert lacking == []


def test_what_each_kind_of_load_balancer_reads() -> None:
    known = catalogue("service").known
    assert set(known["address-type"]["readers"]) == {"clb", "nlb"}
    assert set(known["zone-maps"]["readers"]) == {"nlb"}
    assert set(known["acl-id"]["readers"]) == {"clb"}
    assert known["protocol-port"]["readers"]["clb"]["values"] == ["tcp", "udp", "http", "https"]
    assert known["protocol-port"]["readers"]["nlb"]["values"] == ["tcp", "udp", "tcpssl"]


@pytest.mark.parametrize("family", FAMILIES)
def test_unread_names_are_not_in_the_list_and_lead_to_one_that_is(family: str) -> None:
    one = catalogue(family)
    for name, key in one.unread.items():
        assert name not in one.known
        assert one.name_of(key) in one.known


def test_every_network_mode_has_every_capability_and_names_known_sources() -> None:
    data = json.loads(read_data("schemas/ack/network-plugins.json"))
    assert {source for row in data["capabilities"].values() for source in row["sources"]} == set(data["sources"])
    for row in data["capabilities"].values():
        assert set(row) - {"title", "sources"} == set(data["modes"])


@pytest.mark.parametrize(
    ("cni", "mode", "path", "policy", "port", "incoming"),
    [
        ("flannel", None, None, "no", "yes", "no"),
        ("terway", None, None, None, None, None),
        ("terway", "shared-eni", None, "optional", "not-by-default", None),
        ("terway", "shared-eni", "ipvlan", "optional", "not-by-default", "no"),
        ("terway", "shared-eni", "veth", "optional", "not-by-default", "yes"),
        ("terway", "exclusive-eni", None, "no", "no", "no"),
        (None, None, None, None, None, None),
        ("other", None, None, None, None, None),
    ],
)
def test_what_a_declared_network_can_do(
    cni: str | None, mode: str | None, path: str | None, policy: str | None, port: str | None, incoming: str | None
) -> None:
    plugins = network_plugins()
    assert plugins.answer("network-policy", cni, mode, path) == policy
    assert plugins.answer("host-port", cni, mode, path) == port
    assert plugins.answer("ingress-bandwidth", cni, mode, path) == incoming
