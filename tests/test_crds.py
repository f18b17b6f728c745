"""CustomResourceDefinitions of a project judge its custom resources, wherever they are and whatever becomes of them."""

from __future__ import annotations

import copy
import json
import os
import random
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from harness import lint, write

from kubelint_ack import catalog, cel, config, configfile, crds, engine, pool, sources
from kubelint_ack.cache import Cache
from kubelint_ack.cli import main
from kubelint_ack.engine import Outcome
from kubelint_ack.files import InputError, Source
from kubelint_ack.records import Finding

HEAD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
"""
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\n"
SIZE = "type: object\nproperties: {size: {type: integer}}"


def crd(spec: str = SIZE, *, status: bool = False) -> str:
    """A definition with this schema for `spec`."""
    extra = "      subresources: {status: {}}\n" if status else ""
    inner = textwrap.indent(spec.strip("\n"), " " * 14)
    return (
        f"{HEAD}{extra}      schema:\n        openAPIV3Schema:\n          type: object\n          properties:\n"
        f"            spec:\n{inner}\n"
    )


def widget(spec: str) -> str:
    return f"{WIDGET}spec: {spec}\n"


def found(outcome: Outcome) -> list[tuple[str, str, str]]:
    return [(finding.rule, finding.path, finding.place.field) for finding in outcome.findings]


def states(outcome: Outcome) -> dict[str, tuple[str, str]]:
    return {entry.path: (entry.status, entry.reason) for entry in outcome.ledger}


def errors(folder: Path) -> list[Finding]:
    return [one for one in lint(folder, presets=["default"], select=()).findings if one.severity == "error"]


# --- where definitions are

WRONG = [("unknown-field", "a.yaml", "spec.sise")]


@pytest.mark.parametrize(
    ("name", "text"),
    {
        "before": ("0.yaml", crd()),
        "after": ("z.yaml", crd()),
        "below": ("deep/down/crd.yaml", crd()),
        "json": ("crd.json", json.dumps(yaml.safe_load(crd()))),
        "among others": ("all.yaml", f"{widget('{size: 1}')}---\n{crd()}---\napiVersion: v1\nkind: Namespace\n"),
        "in a list": (
            "list.yaml",
            "apiVersion: v1\nkind: List\nitems:\n- " + textwrap.indent(crd(), "  ").strip() + "\n",
        ),
        "carriage returns": ("crd.yaml", crd().replace("\n", "\r\n")),
        "quoted": ("crd.yaml", crd().replace("kind: Widget", '"kind": "Widget"')),
    }.values(),
)
def test_a_definition_counts_wherever_it_is(name: str, text: str, tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": widget("{sise: 1}"), name: text})
    outcome = lint(tmp_path)
    assert [one for one in found(outcome) if one[0] == "unknown-field"] == WRONG
    assert states(outcome)["a.yaml"] == ("checked", "")


def test_a_definition_in_the_same_file_counts(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": f"{widget('{sise: 1}')}---\n{crd()}"})
    assert WRONG[0] in found(lint(tmp_path))


def test_a_definition_outside_the_scope_counts(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": widget("{sise: 1}"), "crd.yaml": crd()})
    assert WRONG[0] in found(lint(tmp_path, ["a.yaml"]))


def test_standard_input_may_define(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": widget("{sise: 1}")})
    arguments = ["check", "--root", str(tmp_path), "--format", "concise", "-", str(tmp_path / "a.yaml")]
    result = CliRunner().invoke(main, arguments, input=crd())
    assert "unknown-field" in result.stdout


def test_a_patch_of_a_definition_is_none(tmp_path: Path) -> None:
    kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\npatches: [{path: patch.yaml}]\n"
    write(tmp_path, {"a.yaml": widget("{sise: 1}"), "kustomization.yaml": kustomization, "patch.yaml": crd()})
    assert states(lint(tmp_path))["a.yaml"] == ("partly", "no-schema")


def test_without_a_definition_a_resource_is_partly_checked_and_no_unknown_kind(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": widget("{sise: 1}")})
    outcome = lint(tmp_path)
    assert found(outcome) == []
    assert states(outcome) == {"a.yaml": ("partly", "no-schema")}
    arguments = ["check", "--root", str(tmp_path), str(tmp_path), "--isolated"]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    result = CliRunner().invoke(main, [*arguments, "--fail-on-unchecked"])
    assert result.exit_code == 1
    assert "no schema 1" in result.stdout + result.stderr


def test_a_version_that_is_not_defined_or_not_served(tmp_path: Path) -> None:
    other = "    - {name: v2, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}\n"
    text = "---\n".join(widget("{}").replace("/v1", f"/{version}") for version in ("v1", "v2", "v3"))
    write(tmp_path, {"a.yaml": text, "crd.yaml": crd() + other})
    (second, third) = lint(tmp_path, select=["unknown-kind", "unknown-field"]).findings
    assert (second.message, second.place.span.line) == ("crd-version", 6)
    assert (third.message, third.place.span.line, third.values["served"]) == ("crd-version", 11, "v1")


def test_where_definitions_differ_only_what_all_refuse_is_wrong(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.yaml": widget("{size: big, sise: 1}"),
            "old/crd.yaml": crd(),
            "new/crd.yaml": crd("type: object\nproperties: {size: {type: string}, mode: {type: string}}"),
        },
    )
    assert [one for one in found(lint(tmp_path)) if one[1] == "a.yaml"] == WRONG


def test_a_definition_of_another_group_is_another_kind(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": widget("{sise: 1}"), "crd.yaml": crd().replace("example.com", "example.org")})
    assert states(lint(tmp_path))["a.yaml"] == ("partly", "no-schema")


def test_the_old_api_keeps_unknown_fields(tmp_path: Path) -> None:
    text = """\
apiVersion: apiextensions.k8s.io/v1beta1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {plural: widgets, kind: Widget}
  scope: Namespaced
  version: v1
  validation:
    openAPIV3Schema:
      type: object
      properties:
        spec: {type: object, properties: {size: {type: integer}}}
"""
    write(tmp_path, {"a.yaml": widget("{sise: 1, size: big}"), "crd.yaml": text.replace("type: object", "title: a")})
    assert [one for one in found(lint(tmp_path)) if one[1] == "a.yaml"] == [("wrong-type", "a.yaml", "spec.size")]
    write(tmp_path, {"crd.yaml": text.replace("  version: v1", "  preserveUnknownFields: false\n  version: v1")})
    assert [one for one in found(lint(tmp_path)) if one[1] == "a.yaml"] == [
        ("unknown-field", "a.yaml", "spec.sise"),
        ("wrong-type", "a.yaml", "spec.size"),
    ]


# --- broken ones


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (crd().replace("  scope: Namespaced", "  scope Namespaced"), "yaml-syntax"),
        (crd().replace("type: integer", "type: int"), "crd-schema-keyword"),
        (HEAD + "      schema: {openAPIV3Schema: []}\n", "wrong-type"),
        (HEAD + "      schema: {openAPIV3Schema: {type: object, properties: [a]}}\n", "wrong-type"),
        (HEAD, "crd-schema-missing"),
        (
            HEAD.replace("  group: example.com\n", "") + "      schema: {openAPIV3Schema: {type: object}}\n",
            "missing-field",
        ),
    ],
)
def test_a_broken_definition_is_named_and_the_rest_is_checked(text: str, rule: str, tmp_path: Path) -> None:
    other = crd().replace("widget", "gadget").replace("Widget", "Gadget")
    gadget = widget("{sise: 1}").replace("Widget", "Gadget")
    write(tmp_path, {"a.yaml": widget("{size: 1}"), "crd.yaml": text, "b.yaml": gadget, "other.yaml": other})
    outcome = lint(tmp_path)
    assert not outcome.crashed
    assert rule in {finding.rule for finding in outcome.findings if finding.path == "crd.yaml"}
    assert ("unknown-field", "b.yaml", "spec.sise") in found(outcome)
    assert [one for one in found(outcome) if one[1] == "a.yaml"] == []


VALUES: tuple[Any, ...] = (
    None, "", "a", 0, -1, 2.5, True, [], {}, [None], {"a": None}, "object", "array", ["a", "a"], "(?=a)", "[", 10**30,
    {"type": "object"}, [{"type": "string"}], {"properties": {"a": 1}}, "{{ .Values.x }}",
)  # fmt: skip
KEYS = (
    "type", "properties", "items", "required", "enum", "default", "pattern", "additionalProperties", "anyOf", "oneOf",
    "not", "allOf", "minimum", "maxLength", "minItems", "multipleOf", "format", "nullable", "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys", "x-kubernetes-validations", "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-map-type", "$ref",
)  # fmt: skip
FULL = """\
type: object
required: [size]
x-kubernetes-validations: [{rule: self.size > 0}]
oneOf: [{required: [a]}, {required: [ports]}]
properties:
  size: {type: integer, minimum: 1, default: 2}
  a: {type: string, pattern: ^a, enum: [a, ab], format: date}
  ports:
    type: array
    x-kubernetes-list-type: map
    x-kubernetes-list-map-keys: [number]
    items: {type: object, required: [number], properties: {number: {type: integer}}}
  labels: {type: object, additionalProperties: {type: string, maxLength: 3}}
  port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
"""


def holders(node: Any) -> Iterator[Any]:
    if isinstance(node, (dict, list)):
        yield node
        for item in node.values() if isinstance(node, dict) else node:
            yield from holders(item)


@pytest.mark.parametrize("seed", range(4))
def test_no_mutation_of_a_definition_ends_a_run(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    resource = yaml.safe_load(widget("{size: 0, a: b, ports: [{number: 1}, {number: 1}], labels: {a: long}, port: 1}"))
    files: dict[str, str | bytes] = {}
    for number in range(60):
        definition = yaml.safe_load(crd(FULL))
        for _ in range(chance.randrange(1, 5)):
            holder = chance.choice(list(holders(definition["spec"])))
            value = copy.deepcopy(chance.choice(VALUES))
            if isinstance(holder, dict):
                holder[chance.choice([*KEYS, *holder])] = value
            elif holder:
                holder[chance.randrange(len(holder))] = value
        kind = f"Widget{number}"
        definition["spec"].setdefault("names", {})
        if isinstance(definition["spec"]["names"], dict):
            definition["spec"]["names"]["kind"] = kind
        files[f"{number}.json"] = json.dumps(definition)
        files[f"{number}-one.json"] = json.dumps({**resource, "kind": kind})
    write(tmp_path, files)
    assert [finding.values for finding in lint(tmp_path).findings if finding.rule == "rule-crash"] == []


# --- what structural schemas mean: each line was put to an API server of Kubernetes 1.34

ACCEPTED, RANGE, TWICE = "accepted", "value-out-of-range", "duplicate-item"
EMBEDDED = (
    "properties: {a: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}}"
)
TWO = "properties: {a: {type: string}, b: {type: string}}\n"
EITHER = "[{required: [a]}, {required: [b]}]"
MEANING: list[tuple[str, str, str]] = [
    ("properties: {a: {type: string}}", "{b: 1}", "unknown-field"),
    ("x-kubernetes-preserve-unknown-fields: true", "{b: 1}", ACCEPTED),
    ("x-kubernetes-preserve-unknown-fields: true\nproperties: {a: {type: string}}", "{b: 1, a: 1}", "wrong-type"),
    ("additionalProperties: {type: integer}", "{b: 1}", ACCEPTED),
    ("additionalProperties: {type: integer}", "{b: x}", "wrong-type"),
    ("additionalProperties: true", "{b: {c: 1}}", ACCEPTED),
    ("properties: {a: {type: string}}\nrequired: [a]", "{}", "missing-field"),
    ("properties: {a: {type: string}}\nrequired: [a]", "{a: ''}", ACCEPTED),
    ("properties: {a: {type: string}}\nrequired: [a]", "{a: null}", "missing-field"),
    ("properties: {a: {type: string, nullable: true}}\nrequired: [a]", "{a: null}", ACCEPTED),
    ("properties: {a: {type: string, default: x}}\nrequired: [a]", "{}", ACCEPTED),
    ("properties: {a: {type: string, default: x}}\nrequired: [a]", "{a: null}", ACCEPTED),
    ("properties: {a: {type: array, items: {type: string}}}\nrequired: [a]", "{a: []}", ACCEPTED),
    ("properties: {a: {type: array, items: {type: string}}}", "{a: [null]}", "wrong-type"),
    ("properties: {a: {type: array, items: {type: string, nullable: true}}}", "{a: [null]}", ACCEPTED),
    ("properties: {a: {type: string}}", "{a: null}", ACCEPTED),
    ("properties: {a: {type: integer}}", "{a: 3.0}", ACCEPTED),
    ("properties: {a: {type: integer}}", "{a: 3.5}", "wrong-type"),
    ("properties: {a: {type: integer}}", '{a: "3"}', "wrong-type"),
    ("properties: {a: {type: integer, format: int32}}", "{a: 3000000000}", ACCEPTED),
    ("properties: {a: {type: integer}}", "{a: 9223372036854775808}", "value-out-of-range"),
    ("properties: {a: {type: number}}", "{a: 3}", ACCEPTED),
    ("properties: {a: {x-kubernetes-int-or-string: true}}", "{a: 3}", ACCEPTED),
    ("properties: {a: {x-kubernetes-int-or-string: true}}", "{a: x}", ACCEPTED),
    ("properties: {a: {x-kubernetes-int-or-string: true}}", "{a: true}", "wrong-type"),
    ("properties: {a: {type: integer, minimum: 1, exclusiveMinimum: true}}", "{a: 1}", "value-out-of-range"),
    ("properties: {a: {type: integer, minimum: 1}}", "{a: 1}", ACCEPTED),
    ("properties: {a: {type: integer, maximum: 5}}", "{a: 6}", "value-out-of-range"),
    ("properties: {a: {type: integer, multipleOf: 5}}", "{a: 6}", "value-out-of-range"),
    ("properties: {a: {type: string, minLength: 2}}", "{a: b}", "value-out-of-range"),
    ("properties: {a: {type: string, maxLength: 2}}", "{a: 集群一}", "value-out-of-range"),
    ("properties: {a: {type: string, maxLength: 3}}", "{a: 集群一}", ACCEPTED),
    ("properties: {a: {type: array, minItems: 1, items: {type: string}}}", "{a: []}", "value-out-of-range"),
    ("properties: {a: {type: object, maxProperties: 1, additionalProperties: true}}", "{a: {b: 1, c: 1}}", RANGE),
    ("properties: {a: {type: string, enum: [b, c]}}", "{a: d}", "invalid-enum"),
    ("properties: {a: {type: integer, enum: [1, 2]}}", "{a: 1.0}", ACCEPTED),
    ("properties: {a: {type: string, pattern: '^[a-z]+$'}}", "{a: b1}", "invalid-format"),
    ("properties: {a: {type: string, pattern: '[a-z]+'}}", "{a: 1b1}", ACCEPTED),
    ("properties: {a: {type: string, format: ipv4}}", "{a: 10.0.0.256}", "invalid-format"),
    ("properties: {a: {type: string, format: duration}}", "{a: 3 days}", ACCEPTED),
    ("properties: {a: {type: string, format: duration}}", "{a: soon}", "invalid-format"),
    ("properties: {a: {type: string, format: hostname}}", "{a: -a}", "invalid-format"),
    ("properties: {a: {type: string, format: byte}}", '{a: ""}', "invalid-format"),
    ("properties: {a: {type: string, format: hexcolor}}", "{a: '#ff00zz'}", "invalid-format"),
    ("properties: {a: {type: string, format: hexcolor}}", "{a: '#FF0000'}", ACCEPTED),
    ("properties: {a: {type: string, format: mac}}", "{a: '00:16:3e:00:11'}", "invalid-format"),
    ("properties: {a: {type: string, format: mac}}", "{a: 0016.3e00.1122}", ACCEPTED),
    ("properties: {a: {type: string, format: mac}}", "{a: 00-16-3E-00-11-22}", ACCEPTED),
    ("properties: {a: {type: string, format: uri}}", "{a: '*'}", ACCEPTED),
    ("properties: {a: {type: string, format: some-thing}}", "{a: x}", ACCEPTED),
    ("properties: {a: {type: array, x-kubernetes-list-type: set, items: {type: string}}}", "{a: [b, b]}", TWICE),
    ("properties: {a: {type: array, items: {type: string}}}", "{a: [b, b]}", ACCEPTED),
    (f"{TWO}anyOf: {EITHER}", "{}", "schema-mismatch"),
    (f"{TWO.replace('string', 'string, default: x', 1)}anyOf: {EITHER}", "{}", ACCEPTED),
    (f"{TWO}oneOf: {EITHER}", "{a: x, b: x}", "schema-mismatch"),
    ("properties: {a: {type: string}}\nnot: {required: [a]}", "{a: x}", "schema-mismatch"),
    ("properties: {a: {type: string}}\nallOf: [{properties: {a: {minLength: 2}}}]", "{a: x}", "value-out-of-range"),
    (
        EMBEDDED,
        "{a: {apiVersion: v1, kind: A, metadata: {name: x}, other: 1}}",
        ACCEPTED,
    ),
    (
        EMBEDDED,
        "{a: {kind: A, metadata: {name: x}}}",
        "missing-field",
    ),
    (
        EMBEDDED,
        '{a: {apiVersion: v1, kind: "", metadata: {name: x}}}',
        "missing-field",
    ),
    (
        EMBEDDED,
        "{a: {apiVersion: v1, kind: A, metadata: {name: x, nmespace: y}}}",
        "unknown-field",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "spec", "expected"), MEANING, ids=lambda one: one[:40])
def test_a_structural_schema_means_what_the_server_takes_it_to_mean(
    schema: str, spec: str, expected: str, tmp_path: Path
) -> None:
    write(tmp_path, {"crd.yaml": crd(f"type: object\n{schema}"), "a.yaml": widget(spec)})
    assert {one.rule for one in errors(tmp_path)} == ({expected} if expected != ACCEPTED else set())


def test_a_number_beyond_32_bits_is_a_warning(tmp_path: Path) -> None:
    schema = "type: object\nproperties: {a: {type: integer, format: int32}}"
    write(tmp_path, {"crd.yaml": crd(schema), "a.yaml": widget("{a: 3000000000}")})
    assert [(one.rule, one.severity) for one in lint(tmp_path).findings if one.rule == "value-out-of-range"] == [
        ("value-out-of-range", "warning")
    ]


@pytest.mark.parametrize(
    ("schema", "rule"),
    [
        ("type: object\nproperties: {a: }", "crd-not-structural"),
        ("type: object\nadditionalProperties: {type: 5}", "wrong-type"),
        ("type: object\nadditionalProperties: 5", "wrong-type"),
        ("type: object\nadditionalProperties: true", ""),
    ],
)
def test_schemas_that_cannot_be_decoded(schema: str, rule: str, tmp_path: Path) -> None:
    write(tmp_path, {"crd.yaml": crd(schema)})
    assert {one.rule for one in errors(tmp_path)} == ({rule} if rule else set())


LIST = """\
type: object
properties:
  ports:
    type: array
    x-kubernetes-list-type: map
    x-kubernetes-list-map-keys: [number, protocol]
    items:
      type: object
      required: [number]
      properties: {number: {type: integer}, protocol: {type: string, default: TCP}}
"""


def test_keys_of_a_list_count_with_their_defaults(tmp_path: Path) -> None:
    ports = "{ports: [{number: 1}, {number: 1, protocol: UDP}, {number: 1, protocol: TCP}]}"
    write(tmp_path, {"crd.yaml": crd(LIST), "a.yaml": widget(ports)})
    (finding,) = errors(tmp_path)
    assert (finding.rule, finding.place.field) == ("duplicate-item", "spec.ports[2]")
    assert (finding.values["first"], finding.values["value"]) == (1, "1, TCP")


def test_metadata_is_that_of_every_object(tmp_path: Path) -> None:
    text = widget("{}").replace("{name: a}", "{name: a, lables: {a: b}}")
    write(tmp_path, {"crd.yaml": crd(), "a.yaml": text})
    (finding,) = errors(tmp_path)
    assert (finding.rule, finding.message, finding.values["near"]) == ("unknown-field", "nearest", "labels")


def test_the_schema_may_restrict_the_name(tmp_path: Path) -> None:
    own = "            metadata: {type: object, properties: {name: {type: string, maxLength: 3}}}\n"
    write(tmp_path, {"crd.yaml": crd() + own, "a.yaml": widget("{}").replace("name: a", "name: long")})
    (finding,) = errors(tmp_path)
    assert (finding.rule, finding.place.field) == ("value-out-of-range", "metadata.name")


def test_the_status_is_dropped_where_it_is_a_subresource(tmp_path: Path) -> None:
    own = "            status: {type: object, required: [a], properties: {a: {type: integer}}}\n"
    write(tmp_path, {"crd.yaml": crd(status=True) + own, "a.yaml": widget("{}") + "status: {a: b, c: 1}\n"})
    assert [(one.rule, one.place.field) for one in errors(tmp_path)] == [("unknown-field", "status.c")]


def test_what_a_template_fills_in_is_not_judged(tmp_path: Path) -> None:
    spec = "{size: '{{ .Values.size }}', a: '{{ .x }}', ports: '{{ .y }}', labels: {'{{ .k }}': 1}}"
    write(tmp_path, {"crd.yaml": crd(FULL), "a.yaml": widget(spec)})
    assert [one.rule for one in errors(tmp_path)] == ["wrong-type"]


# --- processes and the cache


def test_several_processes_find_the_same(tmp_path: Path) -> None:
    files = {f"{number:03}.yaml": widget(f"{{sise: 1, x{number}: 1}}") for number in range(40)}
    write(tmp_path, {**files, "crd.yaml": crd()})
    one, two = lint(tmp_path), lint(tmp_path, jobs=2)
    assert one == two
    assert len(one.findings) == 80


def run(root: Path, folder: Path) -> Outcome:
    inputs = sources.collect([str(root)], root=str(root), has_root=True)
    own = config.find_config(str(root))
    given = configfile.load(own, str(root), explicit=False) if own else config.DEFAULT
    active = catalog.select(select=["ALL"])
    return engine.run(engine.Request(inputs, given, active, jobs=1, cache=Cache(str(root), str(folder))))


def test_only_what_a_changed_definition_judges_is_scanned_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, folder = tmp_path / "root", tmp_path / "cache"
    gadget = widget("{size: 1}").replace("Widget", "Gadget")
    pod = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    write(root, {"a.yaml": widget("{sise: 1}"), "crd.yaml": crd(), "gadget.yaml": gadget, "map.yaml": pod})
    scanned: list[str] = []
    scan = pool.scan

    def recorded(path: str, *rest: Any) -> Any:
        scanned.append(path)
        return scan(path, *rest)

    monkeypatch.setattr(pool, "scan", recorded)
    first = run(root, folder)
    assert scanned == ["a.yaml", "crd.yaml", "gadget.yaml", "map.yaml"]
    scanned.clear()
    assert run(root, folder) == first
    assert scanned == []
    write(root, {"crd.yaml": crd().replace("size", "sise")})
    assert [one for one in found(run(root, folder)) if one[1] == "a.yaml"] == []
    assert scanned == ["a.yaml", "crd.yaml"]
    scanned.clear()
    (root / "crd.yaml").unlink()
    assert states(run(root, folder))["a.yaml"] == ("partly", "no-schema")
    assert scanned == ["a.yaml"]
    scanned.clear()
    write(root, {"other/crd.yaml": crd()})
    assert WRONG[0] in found(run(root, folder))
    assert scanned == ["a.yaml", "other/crd.yaml"]


def test_a_definition_is_decoded_only_for_resources_of_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[bytes] = []
    decode = crds.decode

    def recorded(data: bytes, **options: Any) -> Any:
        decoded.append(data)
        return decode(data, **options)

    monkeypatch.setattr(crds, "decode", recorded)
    other = crd().replace("widget", "gadget").replace("Widget", "Gadget")
    text = f"{widget('{size: 1}')}---\n{widget('{size: 2}')}"
    write(tmp_path, {"a.yaml": text, "crd.yaml": f"# {tmp_path}\n{crd()}---\n{other}"})
    lint(tmp_path)
    assert len(decoded) == 1
    assert b"plural: widgets" in decoded[0]
    assert b"Gadget" not in decoded[0]


# --- configured schemas

STRICT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["spec"],
    "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"size": {"type": ["integer", "null"]}, "mode": {"enum": ["a", "b"]}},
        },
    },
}


def test_definitions_that_only_the_configuration_names(tmp_path: Path) -> None:
    settings = "exclude: [vendor]\nschemas: [vendor/crds]\n"
    write(tmp_path, {".kubelint-ack.yaml": settings, "a.yaml": widget("{sise: 1}"), "vendor/crds/w.yaml": crd()})
    assert WRONG[0] in found(lint(tmp_path, ["a.yaml"], context=False))


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("widget-example-v1.json", {}),
        ("widget-example.com-v1.json", {}),
        ("example.com/widget_v1.json", {}),
        (
            "any.json",
            {"x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Widget"}]},
        ),
    ],
)
def test_a_json_schema_judges_the_kind_that_it_is_for(name: str, extra: dict[str, Any], tmp_path: Path) -> None:
    schema = json.dumps({**STRICT, **extra})
    write(tmp_path, {".kubelint-ack.yaml": "schemas: [schemas]\n", f"schemas/{name}": schema})
    write(tmp_path, {"a.yaml": widget("{sise: 1, mode: c}"), "b.yaml": widget("{size: null}").replace("v1", "v2")})
    outcome = lint(tmp_path, ["a.yaml", "b.yaml"])
    assert found(outcome) == [*WRONG, ("invalid-enum", "a.yaml", "spec.mode")]
    assert states(outcome) == {"a.yaml": ("checked", ""), "b.yaml": ("partly", "no-schema")}


def test_a_json_schema_beyond_structural_ones_is_judged_by_the_library(tmp_path: Path) -> None:
    schema = {**STRICT, "if": {"required": ["spec"]}, "then": {"properties": {"spec": {"required": ["size"]}}}}
    write(tmp_path, {".kubelint-ack.yaml": "schemas: [s]\n", "s/widget-example-v1.json": json.dumps(schema)})
    write(tmp_path, {"a.yaml": widget("{mode: a}")})
    (finding,) = lint(tmp_path, ["a.yaml"]).findings
    assert (finding.rule, finding.message, finding.place.field) == ("schema-mismatch", "foreign", "spec")
    assert "'size' is a required property" in finding.values["text"]


def test_nothing_is_fetched_for_a_json_schema(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"spec": {"$ref": "https://192.0.2.1/schema.json"}}}
    write(tmp_path, {".kubelint-ack.yaml": "schemas: [s]\n", "s/widget-example-v1.json": json.dumps(schema)})
    write(tmp_path, {"a.yaml": widget("{mode: a}")})
    outcome = lint(tmp_path, ["a.yaml"])
    assert found(outcome) == []
    assert states(outcome) == {"a.yaml": ("partly", "no-schema")}


def test_a_schema_file_with_a_syntax_error_is_named_once(tmp_path: Path) -> None:
    broken = crd().replace("  scope: Namespaced", "  scope Namespaced")
    write(tmp_path, {".kubelint-ack.yaml": "schemas: [crds]\n", "a.yaml": widget("{}"), "crds/crd.yaml": broken})
    (finding,) = lint(tmp_path, ["a.yaml"], context=False).findings
    assert (finding.rule, finding.message, finding.path) == ("schema-file-unusable", "syntax", "crds/crd.yaml")
    assert finding.place.span.line == 7
    assert [one.rule for one in lint(tmp_path).findings] == ["yaml-syntax"]


def test_a_schema_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, {".kubelint-ack.yaml": "schemas: [missing.yaml]\n", "a.yaml": widget("{}")})
    with pytest.raises(InputError, match=r"missing\.yaml"):
        lint(root)


def test_pieces_of_a_file_are_its_documents_with_definitions() -> None:
    text = f"{WIDGET}---\n{crd()}--- # next\n{WIDGET}"
    (piece,) = crds.pieces_of(Source("a.yaml", "", True), text.encode())
    assert text.encode()[piece.start : piece.end].startswith(b"---\napiVersion: apiextensions")
    assert "widget" in piece.kinds


# --- CEL

RULES = """\
type: object
x-kubernetes-validations:
  - {rule: "self.size <= self.limit", message: too large, fieldPath: .size}
  - {rule: "self.size == oldSelf.size"}
properties: {size: {type: integer}, limit: {type: integer, default: 3}}
"""


def test_rules_are_evaluated_with_the_extra(tmp_path: Path) -> None:
    pytest.importorskip("cel_expr_python")
    write(tmp_path, {"crd.yaml": crd(RULES), "a.yaml": f"{widget('{size: 4}')}---\n{widget('{size: 3}')}"})
    outcome = lint(tmp_path, select=["crd-validation-failed"])
    (finding,) = outcome.findings
    assert (finding.rule, finding.place.field, finding.place.span.line) == ("crd-validation-failed", "spec.size", 4)
    assert finding.values["text"] == "too large"
    assert states(outcome)["a.yaml"] == ("checked", "")


def test_a_rule_that_cannot_be_evaluated_is_said(tmp_path: Path) -> None:
    pytest.importorskip("cel_expr_python")
    rules = RULES.replace("self.size <= self.limit", "semver(self.size).major() > 1")
    write(tmp_path, {"crd.yaml": crd(rules), "a.yaml": widget("{size: 4}")})
    assert states(lint(tmp_path))["a.yaml"] == ("partly", "cel")


def test_a_rule_that_is_no_cel_is_found_in_the_definition(tmp_path: Path) -> None:
    pytest.importorskip("cel_expr_python")
    write(tmp_path, {"crd.yaml": crd(RULES.replace("self.size <= self.limit", "self.size <="))})
    (finding,) = lint(tmp_path, select=["crd-validation-rule-invalid"]).findings
    assert (finding.message, finding.place.span.line) == ("syntax", 19)


def test_without_the_extra_rules_are_not_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cel, "is_available", lambda: False)
    old = RULES.replace("self.size <= self.limit", "self.size <= oldSelf.size")
    write(tmp_path, {"crd.yaml": crd(RULES), "a.yaml": widget("{size: 4}")})
    assert states(lint(tmp_path))["a.yaml"] == ("partly", "cel")
    write(tmp_path, {"crd.yaml": crd(old)})
    assert states(lint(tmp_path))["a.yaml"] == ("checked", "")


def test_what_is_wrong_by_the_schema_is_not_put_to_rules(tmp_path: Path) -> None:
    write(tmp_path, {"crd.yaml": crd(RULES), "a.yaml": widget("{size: large}")})
    assert [one.rule for one in errors(tmp_path)] == ["wrong-type"]


def test_no_environment_variable_decides(tmp_path: Path) -> None:
    """The library is looked up, not imported, where no rule applies."""
    code = "import sys; from kubelint_ack.cli import entry\ntry: entry()\nfinally: print(*sys.modules, file=sys.stderr)"
    write(tmp_path, {"crd.yaml": crd(), "a.yaml": widget("{size: 1}")})
    import subprocess
    import sys

    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-c", code, "check", "--isolated", "--no-cache", "."]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "kubelint_ack.crds" in done.stderr.split()
    assert not {"cel_expr_python", "jsonschema"} & {name.split(".")[0] for name in done.stderr.split()}


def test_a_broken_schema_file_is_named_though_it_is_read_as_context(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".kubelint-ack.yaml": "schemas: [crds/broken.json, crds/crd.yaml]\n",
            "crds/broken.json": '{"type": "objec\n',
            "crds/crd.yaml": crd(),
            "a.yaml": widget("{size: x}"),
        },
    )
    expected = [("wrong-type", "a.yaml", "spec.size"), ("schema-file-unusable", "crds/broken.json", "")]
    assert found(lint(tmp_path, ["a.yaml"])) == expected
