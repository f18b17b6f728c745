"""Field paths to places, comments and outlines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubelint_ack.decode import Decoded, Document, decode
from kubelint_ack.records import FieldPath, Place, Route, Span, Unknown, at


def read(text: str) -> tuple[Decoded, Document]:
    decoded = decode(text.encode())
    return decoded, decoded.documents[0]


def place(text: str, path: FieldPath, prefix: Route = ()) -> Place:
    decoded, document = read(text)
    return decoded.place(document, prefix, path)


def words(text: str, path: FieldPath, prefix: Route = ()) -> str:
    """The text at the place of a path, its line before it: `3: image: x`."""
    return shown(text, place(text, path, prefix).span)


def shown(text: str, span: Span) -> str:
    assert span.line == span.end_line
    line = text.split("\n")[span.line - 1]
    return f"{span.line}: {line[span.column - 1 : span.end_column - 1]}"


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # c
  annotations:
    example.com/a: "b"
spec:
  selector: {app: web}
  empty:
  none: {}
  template:
    spec:
      containers:
      - image: nginx:1
        name: web
        args: [a, "b c"]
      - env:
        - value: x
          name: A
      - {}
      - just text
      - - nested
      script: |
        line one
        line two
      folded: >-
        a
        b
      plain: two
        lines
"""

POD = ("spec", "template", "spec")


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (("kind",), "2: kind: Deployment"),
        (("metadata", "name"), "4: name: web"),
        (("metadata",), "3: metadata"),
        (("metadata", "annotations", "example.com/a"), '6: example.com/a: "b"'),
        (("spec", "selector"), "8: selector"),
        (("spec", "selector", "app"), "8: app: web"),
        (("spec", "empty"), "9: empty"),
        (("spec", "none"), "10: none"),
        ((*POD, "containers", 0, "image"), "14: image: nginx:1"),
        ((*POD, "containers", 0, "args"), "16: args"),
        ((*POD, "containers", 0, "args", 1), '16: "b c"'),
        ((*POD, "script"), "23: script"),
        ((*POD, "folded"), "26: folded"),
        ((*POD, "plain"), "29: plain"),
        # List items: the name, else the first entry, else the item.
        ((*POD, "containers", 0), "15: name: web"),
        ((*POD, "containers", 1), "17: env"),
        ((*POD, "containers", 1, "env", 0), "19: name: A"),
        ((*POD, "containers", 2), "20: {}"),
        ((*POD, "containers", 3), "21: just text"),
        ((*POD, "containers", 4), "22: nested"),
        # Absent fields: the nearest parent that is there.
        (("spec", "empty", "x", "y"), "9: empty"),
        (("spec", "replicas"), "7: spec"),
        (("spec", "none", "x"), "10: none"),
        ((*POD, "containers", 0, "resources", "limits"), "15: name: web"),
        ((*POD, "containers", 9), "13: containers"),
        ((*POD, "containers", "x"), "13: containers"),
        ((*POD, "script", "x"), "23: script"),
        (("metadata", "name", 0), "4: name"),
        # The resource itself.
        (("status",), "2: kind: Deployment"),
        ((), "2: kind: Deployment"),
    ],
)
def test_fields(route: Route, expected: str) -> None:
    assert words(DEPLOYMENT, FieldPath(route)) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (at("metadata", "name").key, "4: name"),
        (at("metadata", "name").value, "4: web"),
        (at("spec").value, "8: selector: {app: web}"),
        (at("spec", "selector").value, "8: {app: web}"),
        (at("spec", "empty").value, "9: empty"),
        (at("spec", "replicas").value, "7: spec"),
        (at("spec", "replicas").key, "7: spec"),
        (at(*POD, "script").value, "23: |"),
        (at(*POD, "plain").value, "29: two"),
        (at(*POD, "containers", 0).value, "14: image: nginx:1"),
        (at(*POD, "containers", 3).value, "21: just text"),
        (at(*POD, "containers", 0).key, "15: name: web"),
        (at(*POD, "containers", 0, "image").slice(6, 7), "14: 1"),
        (at(*POD, "containers", 0, "args", 1).slice(2, 3), "16: c"),
        (at("metadata", "annotations", "example.com/a").slice(0, 1), "6: b"),
        (at(*POD, "script").slice(0, 4), "24: line"),
        (at(*POD, "script").slice(14, 17), "25: two"),
        (at(*POD, "script").slice(5, 12), "23: |"),
        (at(*POD, "folded").slice(0, 1), "26: >-"),
    ],
)
def test_parts(path: FieldPath, expected: str) -> None:
    assert words(DEPLOYMENT, path) == expected


@pytest.mark.parametrize(
    ("scalar", "start", "end", "expected"),
    [
        ('"a\\tb-c"', 0, 1, "1: a"),
        ('"a\\tb-c"', 2, 3, '1: "a\\tb-c"'),
        ("'it''s'", 0, 2, "1: it"),
        ("'it''s'", 3, 4, "1: 'it''s'"),
        ('"网关: 😀x"', 5, 6, "1: x"),
        ("|2\n    x\n   y", 2, 3, "2: x"),
        ("|+\n\n  a\n\n  b\n\n", 4, 5, "5: b"),
        ("|\r\n  a\r\n  bc\r\n", 3, 4, "3: c"),
        ("|\n  a\x85  b\n  cc\n", 2, 3, "1: |"),
        ('"a\n\nb"', 0, 2, '1: "a'),
    ],
)
def test_slices(scalar: str, start: int, end: int, expected: str) -> None:
    assert words(f"k: {scalar}\n", at("k").slice(start, end)) == expected


def test_columns_are_code_points() -> None:
    text = '{"名称: 网关 😀": 1, "端口": [80, 443]}\n'
    assert words(text, at("端口", 1)) == "1: 443"
    assert place(text, at("端口", 1)).span == (1, 28, 1, 31)


def test_the_end_of_a_line_does_not_count_its_carriage_return() -> None:
    text = "a:\r\n  b: 1\r\n  c: >\r\n    x\r\n"
    assert place(text, at("a").value).span == (2, 3, 2, 7)
    assert place(text, at("a", "c").value).span == (3, 6, 3, 7)


def test_unknown_values_have_places() -> None:
    text = "spec:\n  replicas: {{ .Values.n }}\n  x: !Sub [a,\n    b]\n"
    _, document = read(text)
    assert isinstance(document.data["spec"]["replicas"], Unknown)
    assert words(text, at("spec", "replicas")) == "2: replicas: {{ .Values.n }}"
    assert words(text, at("spec", "replicas", "a")) == "2: replicas"
    assert words(text, at("spec", "x")) == "3: x"


def test_names_of_fields() -> None:
    found = place(DEPLOYMENT, at(*POD, "containers", 1, "env", 0, "value"))
    assert found.field == "spec.template.spec.containers[1].env[0].value"
    assert found.stable == "spec.template.spec.containers[1].env[A].value"
    assert found.anchor is None
    found = place(DEPLOYMENT, at("metadata", "annotations", "example.com/a"))
    assert found.field == found.stable == 'metadata.annotations["example.com/a"]'
    assert place(DEPLOYMENT, at()).field == ""


def test_an_absent_field_of_a_named_item_is_stable() -> None:
    found = place(DEPLOYMENT, at(*POD, "containers", 0, "resources", "limits"))
    assert found.stable == "spec.template.spec.containers[web].resources.limits"


def test_an_item_with_an_unknown_name_keeps_its_index() -> None:
    assert place("a:\n- name: ${X}\n  b: 1\n", at("a", 0, "b")).stable == "a[0].b"


LIST = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata:
    name: a
- metadata: {name: b}
  spec: {containers: [{name: c, image: d}]}
"""


@pytest.mark.parametrize(
    ("index", "route", "expected"),
    [
        (0, (), "5: kind: Service"),
        (0, ("spec",), "5: kind: Service"),
        (0, ("metadata", "name"), "7: name: a"),
        (0, ("metadata", "labels"), "6: metadata"),
        (1, (), "8: metadata"),
        (1, ("spec", "containers", 0, "image"), "9: image: d"),
    ],
)
def test_resources_of_a_list(index: int, route: Route, expected: str) -> None:
    assert words(LIST, FieldPath(route), ("items", index)) == expected


def test_the_field_of_a_list_item_leaves_out_where_the_resource_is() -> None:
    found = place(LIST, at("spec", "containers", 0, "image"), ("items", 1))
    assert found.field == "spec.containers[0].image"
    assert found.stable == "spec.containers[c].image"


ALIASES = """\
base: &base
  image: nginx   # here
  ports: &ports
  - name: http
    port: 80
text: &text 'a'
one: *base
two:
- *base
- x: *text
three:
  <<: *base
  extra: 1
four:
  ports: *ports
five:
  <<: {image: own}
six: {<<: [*base, {extra: 2}], image: 5}
"""


@pytest.mark.parametrize(
    ("route", "expected", "anchor"),
    [
        (("one",), "7: one: *base", "2: image: nginx   # here"),
        (("one", "image"), "7: *base", "2: image: nginx"),
        (("one", "ports", 0, "port"), "7: *base", "5: port: 80"),
        (("one", "ports", 0), "7: *base", "4: name: http"),
        (("one", "absent"), "7: one", "2: image: nginx   # here"),
        (("two", 0), "9: *base", "2: image: nginx   # here"),
        (("two", 0, "image"), "9: *base", "2: image: nginx"),
        (("two", 1, "x"), "10: x: *text", "6: 'a'"),
        (("three", "image"), "12: <<: *base", "2: image: nginx"),
        (("three", "ports"), "12: <<: *base", "3: ports"),
        (("three", "ports", 0, "port"), "12: *base", "5: port: 80"),
        (("three", "extra"), "13: extra: 1", None),
        (("four", "ports", 0, "port"), "15: *ports", "5: port: 80"),
        (("five", "image"), "17: image: own", None),
        (("six", "extra"), "18: extra: 2", None),
        (("six", "ports"), "18: <<: [*base", "3: ports"),
        (("six", "image"), "18: image: 5", None),
    ],
)
def test_aliases(route: Route, expected: str, anchor: str | None) -> None:
    found = place(ALIASES, FieldPath(route))
    assert shown(ALIASES, found.span) == expected
    assert (found.anchor and shown(ALIASES, found.anchor)) == anchor


def test_of_several_aliases_on_the_way_the_first_is_the_place() -> None:
    text = "x: &x {a: 1}\ny: &y {b: *x}\nz: *y\n"
    found = place(text, at("z", "b", "a"))
    assert (shown(text, found.span), found.anchor and shown(text, found.anchor)) == ("3: *y", "1: a: 1")


def test_a_resource_that_is_an_alias() -> None:
    text = "x: &x\n  kind: Pod\nitems:\n- *x\n"
    assert words(text, at(), ("items", 0)) == "4: *x"
    assert words(text, at("spec"), ("items", 0)) == "4: *x"


def test_a_name_that_is_no_scalar_does_not_stand_for_its_item() -> None:
    assert words("a:\n- b: 1\n  name: {c: d}\n", at("a", 0)) == "2: b: 1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1", "1: a: &x 1"),
        ("a: !!str 1", "1: a: !!str 1"),
        ("a: &x !!str\n  1", "1: a"),
    ],
)
def test_properties_belong_to_the_field(text: str, expected: str) -> None:
    assert words(text, at("a")) == expected


@pytest.mark.parametrize(
    "text", ["a: &x b", "a: !!str b", "a: !!str &x b", "a: &x # c\n  b", "a: !<tag:yaml.org,2002:str> b"]
)
def test_properties_do_not_belong_to_the_value(text: str) -> None:
    assert words(text, at("a").value).endswith(": b")


def test_a_document_that_is_a_list_or_a_scalar() -> None:
    assert words("- a\n- b\n", at("x")) == "1: a"
    assert words("text\n", at("x")) == "1: text"
    assert words("{}\n", at("x")) == "1: {}"


def test_a_failed_document_has_a_place() -> None:
    assert words("a: b: c\nd\n", at("x")) == "1: a: b: c"


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ((), (1, 1, 30, 14)),
        (("metadata",), (3, 1, 6, 23)),
        (("metadata", "name"), (4, 3, 4, 12)),
        ((*POD, "script"), (23, 7, 25, 17)),
        ((*POD, "containers", 1), (17, 9, 19, 18)),
        ((*POD, "containers", 0, "absent"), (14, 9, 16, 25)),
        (("spec", "empty"), (9, 3, 9, 9)),
    ],
)
def test_nodes(route: Route, expected: Span) -> None:
    decoded, document = read(DEPLOYMENT)
    assert decoded.node_span(document, route) == expected


def test_a_node_behind_an_alias_is_the_entry_with_the_alias() -> None:
    decoded, document = read(ALIASES)
    assert decoded.node_span(document, ("one", "image")) == (7, 1, 7, 11)
    assert decoded.node_span(document, ("three", "image")) == (12, 3, 12, 12)


def test_lines() -> None:
    decoded, _ = read("a: 1\r\nb: 2\nc: 3")
    assert [decoded.line_text(line) for line in (1, 2, 3)] == ["a: 1", "b: 2", "c: 3"]
    assert decoded.span(0, 4) == (1, 1, 1, 5)
    assert decoded.span(6, 12) == (2, 1, 3, 2)
    assert decoded.span(15, 15) == (3, 5, 3, 5)


# Comments


def comments(text: str) -> list[tuple[int, str, bool]]:
    """Line, text, and whether it stands alone."""
    decoded = decode(text.encode())
    found = list(decoded.comments())
    assert all(decoded.text[offset] == "#" for offset, _, _ in found)
    return [(decoded.span(offset, offset).line, comment, alone) for offset, comment, alone in found]


def test_comments() -> None:
    text = (
        "# one\n--- # two\na: b # three\nc: 'x # no' # four\nd: a#b #five\n  # six\ne: \"y # no\n  # no\"\n"
        "f: | # seven\n  text # no\n  # no\n# eight\ng: [a, # nine\n  b]# ten\n"
        "h: # eleven\n- x # twelve\n- # thirteen\n  y\r\n"
    )
    assert comments(text) == [
        (1, " one", True),
        (2, " two", False),
        (3, " three", False),
        (4, " four", False),
        (5, "five", False),
        (6, " six", True),
        (9, " seven", False),
        (12, " eight", True),
        (13, " nine", False),
        (14, " ten", False),
        (15, " eleven", False),
        (16, " twelve", False),
        (17, " thirteen", False),
    ]


def test_comments_around_a_syntax_error() -> None:
    text = "# one\na: 'x # no'\nb: c: d # two\n# three\n---\ne: 1 # four\n"
    assert comments(text) == [(1, " one", True), (3, " two", False), (4, " three", True), (6, " four", False)]


def test_comments_of_templates_and_empty_files() -> None:
    assert comments("# a\n{{- if .x }}\nb: 1 # c\n{{- end }}\n") == [(1, " a", True), (3, " c", False)]
    assert comments("# a\r\n  # b") == [(1, " a", True), (2, " b", True)]
    assert comments("a: b") == []


# Outlines


def outline(text: str) -> list[tuple[int, Route]]:
    """Line and route of every entry."""
    decoded, document = read(text)
    return [(decoded.span(entry.start, entry.start).line, entry.route) for entry in decoded.outline(document)]


def test_an_outline_has_every_entry_in_the_order_of_the_text() -> None:
    text = "a:\n- b: 1\n  c: {d: 2}\n- e\nf: {\n  g: [1],\n}\n"
    assert outline(text) == [
        (1, ("a",)),
        (2, ("a", 0)),
        (2, ("a", 0, "b")),
        (3, ("a", 0, "c")),
        (4, ("a", 1)),
        (5, ("f",)),
        (6, ("f", "g")),
    ]


def test_an_outline_leaves_out_what_aliases_bring() -> None:
    assert outline("a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n  e:\n  - *x\n") == [
        (1, ("a",)),
        (2, ("a", "b")),
        (3, ("c",)),
        (4, ("d",)),
        (6, ("d", "e")),
        (7, ("d", "e", 0)),
    ]


# Properties

# The same examples on every machine, however busy it is.
STEADY = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff"), max_size=8),
    st.sampled_from(["名称: 网关 😀", "a\nb", "it's", '"', "{{ x", "# no", "\\", "\u2028", "- a", "yes", "014", ""]),
)
KEYS = st.text(st.sampled_from("ab网😀 -.:/#'\"\\"), min_size=1, max_size=5)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
    ),
    max_size=4,
)


def block(value: Any, indent: str) -> str:
    """The value as block style, scalars as JSON."""
    if isinstance(value, dict) and value:
        lines = [f"\n{indent}{json.dumps(key, ensure_ascii=False)}:{block(value[key], indent + '  ')}" for key in value]
        return "".join(lines)
    if isinstance(value, list) and value:
        return "".join(f"\n{indent}-{block(item, indent + '  ')}" for item in value)
    return f" {json.dumps(value, ensure_ascii=False)}  # c"


def leaves(value: Any, route: Route = ()) -> list[tuple[Route, Any]]:
    if isinstance(value, dict) and value:
        return [leaf for key in value for leaf in leaves(value[key], (*route, key))]
    if isinstance(value, list) and value:
        return [leaf for index, item in enumerate(value) for leaf in leaves(item, (*route, index))]
    return [(route, value)]


@STEADY
@given(TREES, st.booleans())
def test_the_place_of_every_leaf_holds_its_text(tree: dict[str, Any], flow: bool) -> None:
    """Whatever the document, slicing the text at a leaf's place gives the leaf back."""
    text = json.dumps(tree, ensure_ascii=False, indent=1) if flow else f"{block(tree, '')[1:]}\n"
    decoded = decode(f"# first\n{text}".encode())
    if not tree and not flow:
        return
    (document,) = decoded.documents
    assert document.problems == []
    expected = leaves(tree)
    assert [route for route, _ in leaves(document.data)] == [route for route, _ in expected]
    lines = decoded.text.split("\n")
    for route, value in expected:
        found = document.data
        for step in route:
            found = found[step]
        if isinstance(found, Unknown):
            found = found.text
        assert found == value
        assert type(found) is type(value)
        span = decoded.place(document, (), FieldPath(route, "value")).span
        assert span.line == span.end_line
        if route and value is not None:
            source = lines[span.line - 1][span.column - 1 : span.end_column - 1]
            assert json.loads(source) == value


@STEADY
@given(st.binary(max_size=60))
def test_bytes_never_raise(data: bytes) -> None:
    decoded = decode(data)
    for document in decoded.documents:
        assert document.span.line >= 1
        decoded.place(document, (), at("a"))
        decoded.outline(document)
    list(decoded.comments())


@STEADY
@given(st.text(st.sampled_from("ab:-?[]{},&*!|>'\"#%@ \n\t.<~1{}$"), max_size=40))
def test_yaml_like_text_never_raises_and_positions_are_consistent(text: str) -> None:
    decoded = decode(text.encode())
    for document in decoded.documents:
        assert 0 <= document.start <= document.end <= len(decoded.text)
        for route, _ in leaves(document.data):
            found = decoded.place(document, (), FieldPath(route))
            assert found.span.line == found.span.end_line
            assert found.span.column <= found.span.end_column
            decoded.node_span(document, route)
        decoded.outline(document)
    list(decoded.comments())
