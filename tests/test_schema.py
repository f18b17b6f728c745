"""The store and the validator: what counts as a mistake is what the API server refuses, in every version."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from kubelint_ack import apis, store
from kubelint_ack.conformance import conflicts
from kubelint_ack.constraints import FORMATS
from kubelint_ack.records import Unknown
from kubelint_ack.resource import resources
from kubelint_ack.schema import Mistake, compile_schema, enum_check, validate
from kubelint_ack.views import view
from tests.harness import lint, unmarked, write
from tests.test_rules import CONTENT

ROOT = Path(__file__).parent.parent
OLDEST, NEWEST = store.minors()


# --- The store


def test_every_minor_version_from_1_20_is_there() -> None:
    assert OLDEST == 20
    assert NEWEST >= 37
    for minor in range(OLDEST, NEWEST + 1):
        assert store.definition("io.k8s.api.core.v1.Pod", minor) is not None


def test_the_store_is_small_and_sorted() -> None:
    folder = ROOT / "schemas/kubernetes"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 2_000_000
    for name in ("definitions.txt", "kinds.txt"):
        keys = [line.split("\t")[0] for line in (folder / name).read_text(encoding="utf-8").splitlines()]
        assert keys == sorted(keys)
    assert "Apache License" in (folder / "NOTICE").read_text(encoding="utf-8")


def test_every_reference_resolves_in_its_versions() -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)

    missing = []
    for line in (ROOT / "schemas/kubernetes/definitions.txt").read_text(encoding="utf-8").splitlines():
        name, minors, text = line.split("\t")
        first, last = map(int, minors.split("-"))
        for other in set(references(json.loads(text))):
            missing += [
                (name, other, minor) for minor in range(first, last + 1) if store.definition(other, minor) is None
            ]
    assert missing == []


def test_when_a_field_came() -> None:
    assert store.minors_with_field("io.k8s.api.batch.v1.CronJobSpec", "timeZone") == list(range(24, NEWEST + 1))
    assert store.minors_with_field("io.k8s.api.batch.v1.CronJobSpec", "timezone") == []


# --- The walk


def mistakes(schema: dict[str, Any], data: Any) -> list[tuple[str, str, tuple[Any, ...]]]:
    node = compile_schema(schema, lambda name: apis.definition(name, NEWEST, False), lambda name: enum_check(()))
    return [(one.rule, one.message, one.route) for one in validate(node, data)]


WRONG_TYPES = [
    ({"type": "string"}, 1, "string-number"),
    ({"type": "string"}, True, "string-boolean"),
    ({"type": "string"}, [], "string-structure"),
    ({"type": "integer"}, "3", "integer-quoted"),
    ({"type": "integer"}, "3s", "integer-string"),
    ({"type": "integer"}, 3.5, "integer"),
    ({"type": "integer"}, True, "integer"),
    ({"type": "integer"}, {}, "integer-structure"),
    ({"type": "number"}, "1.5", "number-quoted"),
    ({"type": "boolean"}, "true", "boolean-quoted"),
    ({"type": "boolean"}, 1, "boolean"),
    ({"type": "array"}, {}, "list-map"),
    ({"type": "array"}, "a", "list"),
    ({"type": "object"}, "a", "map"),
    ({"type": "object"}, ["a"], "map-list"),
    ({"type": "object"}, [{"a": 1}, {"b": 2}], "map-entries"),
    ({"type": "int-or-string"}, True, "int-or-string"),
    ({"type": "int-or-string"}, 1.5, "int-or-string"),
]


@pytest.mark.parametrize(("schema", "value", "message"), WRONG_TYPES)
def test_wrong_types(schema: dict[str, Any], value: Any, message: str) -> None:
    assert mistakes({"type": "object", "properties": {"a": schema}}, {"a": value}) == [("wrong-type", message, ("a",))]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 3.0),
        ({"type": "integer"}, None),
        ({"type": "array", "items": {"type": "string"}}, ["a", None]),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"any": "x", "null": None}),
        ({"type": "object"}, {"any": {"thing": [1]}}),
        ({"type": "int-or-string"}, "http"),
        ({"type": "int-or-string"}, 80.0),
        ({"type": "number"}, 1),
        ({}, [1, {"a": 2}]),
        ({"type": "string"}, Unknown("{{ .x }}")),
        ({"type": "object", "properties": {}}, Unknown("{{ .x }}")),
    ],
)
def test_what_the_server_accepts(schema: dict[str, Any], value: Any) -> None:
    assert mistakes({"type": "object", "properties": {"a": schema}}, {"a": value}) == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "format": "int32"}, 2**31),
        ({"type": "integer", "format": "int32"}, -(2**31) - 1),
        ({"type": "integer", "format": "int64"}, 2**63),
        ({"type": "int-or-string"}, 2**31),
    ],
)
def test_numbers_fit_their_fields(schema: dict[str, Any], value: int) -> None:
    rules = [one[0] for one in mistakes({"type": "object", "properties": {"a": schema}}, {"a": value})]
    assert rules == ["value-out-of-range"]


def test_keys_that_a_template_fills_in_are_not_unknown() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert mistakes(schema, {"{{ .key }}": 1, "${KEY}": 1}) == []
    assert mistakes(schema, {"b": 1}) == [("unknown-field", "default", ("b",))]


# --- Objects


def found(text: str, minor: int | None = None) -> list[tuple[str, str, str]]:
    """(rule, message, field) of the mistakes of one manifest."""
    (resource,), _ = resources(yaml.load(text, Loader=yaml.CSafeLoader))
    hits = [
        (one.rule, one.hit.message, ".".join(map(str, one.hit.at.route))) for one in conflicts(view(resource), [minor])
    ]
    return sorted(hits)


POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, managedFields: [{anything: 1}]}
spec:
  containers:
  - {name: web, image: "registry.example.com/web:1.0", %s}
"""


def test_the_server_alone_writes_managed_fields() -> None:
    assert found(POD % "stdin: true") == []


@pytest.mark.parametrize(
    ("field", "message", "value"),
    [
        ("imagePullpolicy: Always", "nearest", "imagePullPolicy"),
        ("port: [{containerPort: 80}]", "nearest", "ports"),
        ("nodeSelector: {a: b}", "belongs", "spec.nodeSelector"),
        ("runAsUser: 1000", "belongs", "spec.containers[0].securityContext.runAsUser"),
        ("limits: {cpu: 1}", "belongs", "spec.containers[0].resources.limits"),
        ("quite-unknown: 1", "default", None),
    ],
)
def test_where_an_unknown_field_belongs(field: str, message: str, value: str | None) -> None:
    (resource,), _ = resources(yaml.load(POD % field, Loader=yaml.CSafeLoader))
    (conflict,) = conflicts(view(resource), [None])
    assert (conflict.rule, conflict.hit.message) == ("unknown-field", message)
    assert conflict.hit.values.get("near", conflict.hit.values.get("place")) == value


def test_a_field_of_another_version() -> None:
    text = POD % "resizePolicy: []"
    assert found(text, 26) == [("unknown-field", "later", "spec.containers.0.resizePolicy")]
    assert found(text, 27) == []
    assert found(text, None) == []
    cluster = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, clusterName: b}\n"
    assert found(cluster, 23) == []
    assert found(cluster, 30) == [("unknown-field", "gone", "metadata.clusterName")]


def test_without_a_version_nothing_is_said_of_what_the_newest_no_longer_has() -> None:
    text = "apiVersion: autoscaling/v2beta1\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec: {any: 1}\n"
    assert found(text, 24) != []
    assert found(text, None) == found(text, 30) == []


def test_versions_beyond_the_store_are_taken_for_the_nearest() -> None:
    assert found(POD % "resizePolicy: []", 10) == found(POD % "resizePolicy: []", 20)
    assert found(POD % "resizePolicy: []", 99) == []


def test_a_status_is_decoded_and_not_validated() -> None:
    status = POD % "stdin: true" + "status: {phase: Whatever, conditions: [{type: Ready}], startTime: now, podIP: 5}\n"
    assert found(status) == [
        ("invalid-format", "date-time", "status.startTime"),
        ("wrong-type", "string-number", "status.podIP"),
    ]


def test_a_null_in_a_list_is_an_empty_object() -> None:
    ports = found("{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}, null]}}")
    assert ports == [("missing-field", "default", "spec.ports.1.port")]
    rules = found("{apiVersion: v1, kind: Service, metadata: {name: a, managedFields: [null]}, spec: {ports: null}}")
    assert rules == []
    spec = "{containers: [{name: a, image: a}], tolerations: [null]}"
    pod = f"{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {spec}}}"
    assert found(pod) == []


def test_bytes_may_be_a_list_of_numbers() -> None:
    assert found("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, binaryData: {a: [104, null]}}") == []
    strings = found("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, binaryData: {a: [b]}}")
    assert strings == [("wrong-type", "string-structure", "binaryData.a")]


@pytest.mark.parametrize(("kind", "rules"), [("StatefulSet", []), ("Deployment", ["value-out-of-range"])])
def test_a_negative_history_of_a_statefulset_is_accepted(kind: str, rules: list[str]) -> None:
    text = f"""
        apiVersion: apps/v1
        kind: {kind}
        metadata: {{name: a}}
        spec:
          revisionHistoryLimit: -1
          selector: {{matchLabels: {{a: b}}}}
          template: {{spec: {{containers: [{{name: a, image: a}}]}}}}
        """
    assert [rule for rule, _, _ in found(text, 34)] == rules


def test_schemas_below_items_are_decoded_leniently() -> None:
    crd = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: widgets.example.com}
        spec:
          group: example.com
          scope: Namespaced
          names: {plural: widgets, kind: Widget}
          versions:
          - name: v1
            served: true
            storage: true
            schema:
              openAPIV3Schema:
                type: object
                properties: {sizes: {type: array, items: {type: 5, nulable: true}}}
        """
    (resource,), _ = resources(yaml.load(crd, Loader=yaml.CSafeLoader))
    hits = {one.rule: one.hit for one in conflicts(view(resource), [34])}
    assert {rule: (hit.severity, hit.at.route[-1]) for rule, hit in hits.items()} == {
        "wrong-type": (None, "type"),
        "unknown-field": ("warning", "nulable"),
    }


def test_a_typo_of_a_required_field_is_one_mistake() -> None:
    text = POD % "env: [{nmae: A, value: b}]"
    assert found(text) == [("unknown-field", "nearest", "spec.containers.0.env.0.nmae")]


def test_values_of_secrets_are_not_quoted(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: 12345}\n"})
    (finding,) = [one for one in lint(tmp_path).findings if one.rule == "wrong-type"]
    assert "12345" not in json.dumps(finding.values)


def test_several_versions_share_a_finding(tmp_path: Path) -> None:
    config = "environments:\n"
    for name, version in (("a", "1.24"), ("b", "1.26"), ("c", "1.34")):
        config += f'  {name}: {{paths: ["*.yaml"], cluster: {{kubernetesVersion: "{version}"}}}}\n'
    write(tmp_path, {"a.yaml": POD % "resizePolicy: [], portz: 1", ".kubelint-ack.yaml": config})
    findings = [one for one in lint(tmp_path).findings if one.rule == "unknown-field"]
    assert sorted((one.message, one.targets) for one in findings) == [
        ("later", ("a", "b")),
        ("nearest", ("a", "b", "c")),
    ]


@pytest.mark.parametrize(
    "text", ["1Gi", "500m", ".5", "1.", "1e3", "1E", "1e-5", "+5", "m", "-", ".", " Gi", "E5", "1e1000", "0.0000001Ki"]
)
def test_quantities_that_the_server_reads(text: str) -> None:
    assert FORMATS["quantity"](text) == ""


@pytest.mark.parametrize(
    "text", ["", "1 Gi", "512MB", "1gi", "1K", "1,5", "1 core", "--5", "1..5", "1e5Gi", "10%", "nan"]
)
def test_quantities_that_the_server_refuses(text: str) -> None:
    assert FORMATS["quantity"](text) != ""


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2024-01-02T15:04:05Z", True),
        ("2024-01-02T5:04:05.123456+08:00", True),
        ("2024-01-02", False),
        ("2024-01-02 15:04:05Z", False),
        ("2024-01-02T15:04:05", False),
        ("", False),
    ],
)
def test_times(text: str, right: bool) -> None:
    assert (FORMATS["date-time"](text) == "") is right


def test_a_broken_store_is_a_finding_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("no store")

    monkeypatch.setattr(apis, "kind_node", broken)
    write(tmp_path, {"a.yaml": POD % "securityContext: {privileged: true}"})
    outcome = lint(tmp_path)
    assert {"rule-crash", "privileged-container"} <= {one.rule for one in outcome.findings}
    assert outcome.crashed


# --- The reference: jsonschema


@cache
def _reference(api_version: str, kind: str) -> Any:
    """A validator of the kind's definitions, closed and null-tolerant as the server is."""

    def plain(node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in node:
            return {"$ref": f"#/$defs/{node['$ref']}"}
        made: dict[str, Any] = {}
        kind = node.get("type")
        if kind in ("int-or-string", "quantity"):
            return {"type": ["string", "integer" if kind == "int-or-string" else "number", "null"]}
        if kind:
            made["type"] = [kind, "null"]
        if node.get("format") == "byte":
            made["type"] = ["string", "array", "null"]
        if "enum" in node:
            made["enum"] = [*node["enum"], "", None]
        if "properties" in node:
            made["properties"] = {name: plain(one) for name, one in node["properties"].items()}
            made["additionalProperties"] = False
        if "additionalProperties" in node:
            made["additionalProperties"] = plain(node["additionalProperties"])
        if "items" in node:
            made["items"] = plain(node["items"])
        return made

    definitions: dict[str, Any] = {}
    pending = [store.kind_history(api_version, kind)[-1].text]
    root = pending[0]
    while pending:
        name = pending.pop()
        if name in definitions:
            continue
        schema: Any = store.definition(name, NEWEST)
        definitions[name] = plain(schema)
        if name == apis.OBJECT_META:
            definitions[name]["properties"]["managedFields"] = {}
        pending += _names(schema)
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{root}", "$defs": definitions})


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _names(value)


STRUCTURE = ("unknown-field", "wrong-type", "invalid-enum")


def _samples() -> list[dict[str, Any]]:
    """Objects of built-in kinds: those of the rules' good examples."""
    objects = []
    for rule in CONTENT.values():
        for example in rule["examples"]:
            if "good" not in example:
                continue
            try:
                documents = list(yaml.load_all(unmarked(example["good"]), Loader=yaml.CSafeLoader))
            except yaml.YAMLError:
                continue
            for document in documents:
                text = json.dumps(document, default=str)
                if isinstance(document, dict) and "{{" not in text and "${" not in text and "!" not in text:
                    objects.append(json.loads(text))
    served = [one for one in objects if apis.served_in(str(one.get("apiVersion")), str(one.get("kind")), NEWEST)]
    return [one for one in served if isinstance(one.get("metadata"), dict)]


SAMPLES = _samples()
VALUES: list[Any] = ["x", 5, -1, 1.5, True, None, [], {}, ["a"], {"a": "b"}, "5", [{"a": 1}]]


def _mutant(data: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The object with a key renamed, dropped or added, or a value of another type."""
    data = copy.deepcopy(data)
    places: list[tuple[Any, Any]] = []
    stack: list[Any] = [data]
    while stack:
        node = stack.pop()
        for step, value in node.items() if isinstance(node, dict) else enumerate(node):
            if node is data and step in ("apiVersion", "kind"):
                continue
            places.append((node, step))
            if isinstance(value, (dict, list)):
                stack.append(value)
    holder, step = chance.choice(places)
    what = chance.choice(("rename", "drop", "add", "value", "value"))
    if what == "rename" and isinstance(holder, dict):
        holder[step + chance.choice(("s", "X", "-y"))] = holder.pop(step)
    elif what == "drop":
        del holder[step]
    elif what == "add" and isinstance(holder, dict):
        holder[chance.choice(("image", "ports", "replicas", "foo"))] = chance.choice(VALUES)
    else:
        holder[step] = chance.choice(VALUES)
    return data


def _verdicts(data: dict[str, Any]) -> tuple[bool, bool]:
    (resource,), _ = resources(data)
    node: Any = apis.kind_node(data["apiVersion"], data["kind"], None)
    own: list[Mistake] = [one for one in validate(node, resource.data) if one.rule in STRUCTURE]
    # Enums of a status are declared, and of no interest to the server.
    own = [one for one in own if one.route[0] != "status" or one.rule != "invalid-enum"]
    return not own, _reference(data["apiVersion"], data["kind"]).is_valid(data)


def test_jsonschema_gives_the_same_verdict_on_examples() -> None:
    assert len(SAMPLES) > 300
    assert [one for one in SAMPLES if len(set(_verdicts(one))) > 1] == []


def test_jsonschema_gives_the_same_verdict_on_mutants() -> None:
    """Tables replace some enums by what the server accepts: there the reference may be milder or stricter."""
    chance = random.Random(20)
    different = []
    refused = 0
    # What stands below items and additionalProperties of a CRD's schema is free to the reference, not to the server.
    samples = [one for one in SAMPLES if one["kind"] != "CustomResourceDefinition"]
    for _ in range(800):
        data = _mutant(chance.choice(samples), chance)
        if not isinstance(data.get("metadata"), dict) or not resources(data)[0]:
            continue
        own, reference = _verdicts(data)
        refused += not own
        if own != reference and not _only_enums(data):
            different.append(data)
    assert refused > 250
    assert different == []


def _only_enums(data: dict[str, Any]) -> bool:
    """Whether all that either side says is about the values of an enum."""
    node: Any = apis.kind_node(data["apiVersion"], data["kind"], None)
    own = {one.rule for one in validate(node, data) if one.rule in STRUCTURE}
    reference = {error.validator for error in _reference(data["apiVersion"], data["kind"]).iter_errors(data)}
    return own <= {"invalid-enum"} and reference <= {"enum"}


@pytest.mark.parametrize("item", ['""', "null"])
def test_an_item_cannot_be_blank(item: str) -> None:
    head = "apiVersion: v1, kind: Service, metadata: {name: a}"
    text = f"{{{head}, spec: {{ports: [{{port: 80}}], externalIPs: [10.0.0.1, {item}]}}}}"
    assert found(text) == [("missing-field", "item", "spec.externalIPs.1")]
    container = f"{{name: a, image: a, args: [{item}]}}"
    assert found(f"{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{containers: [{container}]}}}}") == []
