"""The catalogues of ACK facts pass their schemas and fit together."""

from __future__ import annotations

import json

import jsonschema
import pytest

from kubelint_ack.ack import service_annotations
from kubelint_ack.data import data_files, read_data

CATALOGUES = [path for path in data_files("schemas/ack") if not path.endswith(".schema.json")]


@pytest.mark.parametrize("path", CATALOGUES)
def test_a_catalogue_passes_its_schema(path: str) -> None:
    schema = json.loads(read_data(path.replace(".json", ".schema.json")))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(read_data(path)))] == []


def test_annotations_name_known_sources_and_every_source_is_used() -> None:
    data = json.loads(read_data("schemas/ack/service-annotations.json"))
    used = {source for entry in data["annotations"].values() for source in entry["sources"]}
    assert used == set(data["sources"])


def test_defaults_are_allowed_values() -> None:
    wrong = []
    for suffix, entry in service_annotations().known.items():
        for kind in ("clb", "nlb"):
            reading = entry.get(kind, {})
            default = reading.get("default")
            if default is None:
                continue
            if entry["type"] in ("enum", "enums") and default not in reading["values"]:
                wrong.append(suffix)
            if entry["type"] == "integer" and not reading["range"][0] <= int(default) <= reading["range"][1]:
                wrong.append(suffix)
            if entry["type"] == "flag" and default not in ("on", "off"):
                wrong.append(suffix)
    assert wrong == []


def test_words_and_numbers_have_their_limits() -> None:
    """Whoever reads a value of these forms needs the words or the bounds, for each kind that reads it."""
    lacking = [
        f"{suffix} {kind}"
        for suffix, entry in service_annotations().known.items()
        for kind in ("clb", "nlb")
        for form, limit in (("enum", "values"), ("enums", "values"), ("protocol-ports", "values"), ("integer", "range"))
        if kind in entry and entry["type"] == form and limit not in entry[kind]
    ]
    assert lacking == []


def test_what_each_kind_of_load_balancer_reads() -> None:
    known = service_annotations().known
    assert {kind for kind in ("clb", "nlb") if kind in known["address-type"]} == {"clb", "nlb"}
    assert {kind for kind in ("clb", "nlb") if kind in known["zone-maps"]} == {"nlb"}
    assert {kind for kind in ("clb", "nlb") if kind in known["acl-id"]} == {"clb"}
    assert known["protocol-port"]["clb"]["values"] == ["tcp", "udp", "http", "https"]
    assert known["protocol-port"]["nlb"]["values"] == ["tcp", "udp", "tcpssl"]


def test_unread_names_are_not_in_the_list_and_lead_to_one_that_is() -> None:
    catalogue = service_annotations()
    prefix = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-"
    for name, key in catalogue.unread.items():
        assert name not in catalogue.known
        assert key == "service.beta.kubernetes.io/backend-type" or key.removeprefix(prefix) in catalogue.known
