"""Bytes to documents: what kubectl would read, what it would refuse, and nothing that breaks us."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import pytest
import yaml

from kubelint_ack import decode as decode_module
from kubelint_ack import events
from kubelint_ack.decode import Decoded, Problem, decode, text_of_bytes
from kubelint_ack.records import Unknown, at


def read(text: str) -> Decoded:
    return decode(text.encode())


def data(text: str) -> Any:
    """The data of a text's only document, which has no problems."""
    decoded = read(text)
    assert decoded.problems == []
    (document,) = decoded.documents
    assert document.problems == []
    return document.data


def problem(text: str) -> Problem:
    """The only problem of a text."""
    decoded = read(text)
    (only,) = [*decoded.problems, *(one for document in decoded.documents for one in document.problems)]
    return only


def known(value: Any) -> Any:
    """The value with the text of each Unknown in brackets."""
    if isinstance(value, Unknown):
        return f"<<{value.text}>>"
    if isinstance(value, dict):
        return {key: known(item) for key, item in value.items()}
    return [known(item) for item in value] if isinstance(value, list) else value


# Values


def test_a_manifest() -> None:
    text = "apiVersion: v1\nspec:\n  list:\n  - a: 1\n    b: [x, {z: null}]\n  - 'z'\n  text: |\n    l1\n    l2\n"
    assert data(text) == {
        "apiVersion": "v1",
        "spec": {"list": [{"a": 1, "b": ["x", {"z": None}]}, "z"], "text": "l1\nl2\n"},
    }


def test_quoted_scalars_stay_text() -> None:
    assert data("""a: "014"\nb: 'yes'\nc: "~"\nd: |-\n  1\n""") == {"a": "014", "b": "yes", "c": "~", "d": "1"}


def test_keys_are_text_as_kubectl_makes_it() -> None:
    assert data("y: 1\n014: 2\n1.5: 3\n'on': 4\n") == {"true": 1, "12": 2, "1.5": 3, "on": 4}


def test_tags() -> None:
    assert data('a: !!str 12\nb: !!int "014"\n!!bool yes: c\nd: ! 12\ne: !!set {x}\nf: !!map {z: 1}\n') == {
        "a": "12",
        "b": 12,
        "true": "c",
        "d": "12",
        "e": {"x": None},
        "f": {"z": 1},
    }


def test_json_with_tabs_escapes_and_characters_beyond_the_basic_plane() -> None:
    text = '{\n\t"a": [1, 2.0, true, null],\n\t"b":"\\u00e9\\/\\ud83d\\ude00 \\\\ud83d\\\\ude00"\n}\n'
    assert data(text) == {"a": [1, 2, True, None], "b": "é/😀 \\ud83d\\ude00"}


def test_json_documents_follow_each_other_without_separator() -> None:
    decoded = read('{"a":1}\n{"b":2} {"c":3}\n---\n{"d":4}\n')
    assert [document.data for document in decoded.documents] == [{"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}]
    assert [document.span.line for document in decoded.documents] == [1, 2, 2, 4]
    assert not any(document.problems for document in decoded.documents)


def test_a_colon_may_end_a_plain_scalar_in_flow_style() -> None:
    text = 'a: [2001:db8::, x:, "q:"]\nb: {y:, z: 1}\nc: |\n  [a:]\n'
    assert data(text) == {"a": ["2001:db8::", "x:", "q:"], "b": {"y:": None, "z": 1}, "c": "[a:]\n"}


def test_lone_surrogates_are_an_error() -> None:
    found = problem('a: "\\ud800"\n')
    assert found.kind == "yaml-syntax"
    assert "invalid Unicode character escape" in found.values["problem"]


# Aliases and merge keys


def test_aliases_share_what_they_stand_for() -> None:
    value = data("a: &x {b: 1}\nc: *x\nd: &y text\ne: [*y, *x]\n*y : k\n")
    assert value == {"a": {"b": 1}, "c": {"b": 1}, "d": "text", "e": ["text", {"b": 1}], "text": "k"}
    assert value["a"] is value["c"]


def test_the_last_anchor_of_a_name_holds() -> None:
    assert data("a: &x 1\nb: &x 2\nc: *x\n")["c"] == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<<: {a: 1}", {"a": 1}),
        ("<<: [{a: 1, b: 1}, {a: 2, c: 2}]", {"a": 1, "b": 1, "c": 2}),
        ("<<: {a: 1}\na: 0", {"a": 0}),
        ("a: 0\n<<: {a: 1}", {"a": 1}),
        ("<<: {a: 1}\n<<: {a: 2, b: 2}", {"a": 2, "b": 2}),
        ("<<: []", {}),
        ("! <<: {a: 1}", {"a": 1}),
        ("!!merge <<: {a: 1}", {"a": 1}),
        ('"<<": 1', {"<<": 1}),
        ("!!str <<: 1", {"<<": 1}),
        ("v: <<", {"v": "<<"}),
        (
            "b: &b {x: 1}\nl: &l {<<: *b, z: 2}\nm: {<<: *l, x: 3}",
            {"b": {"x": 1}, "l": {"x": 1, "z": 2}, "m": {"x": 3, "z": 2}},
        ),
    ],
)
def test_merge_keys_in_the_order_of_go_yaml(text: str, value: object) -> None:
    assert data(text) == value


@pytest.mark.parametrize("text", ["<<: 1", "<<: null", "<<: [1]", "a: &a [{b: 1}]\nc: {<<: *a}"])
def test_a_merge_key_needs_mappings(text: str) -> None:
    found = problem(text)
    assert found.kind == "yaml-syntax"
    assert "merge key" in found.values["problem"]


def test_an_undefined_alias() -> None:
    decoded = read("a:\n  b: *x\nc: 1\n")
    (document,) = decoded.documents
    (found,) = document.problems
    assert (found.kind, found.route, found.span.line, found.span.column) == ("yaml-syntax", ("a", "b"), 2, 6)
    assert known(document.data) == {"a": {"b": "<<*x>>"}, "c": 1}
    assert not document.complete


def test_anchors_do_not_reach_other_documents() -> None:
    assert problem("a: &x 1\n---\nb: *x\n").span.line == 3


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "&a\na: *a\n", "a: &a {b: [{c: *a}]}\n"])
def test_a_value_that_contains_itself(text: str) -> None:
    assert "contains itself" in problem(text).values["problem"]


# Duplicate and impossible keys


def test_duplicate_keys_are_found_and_the_last_wins() -> None:
    decoded = read("spec:\n  image: a\n  name: x\n  image: b\n")
    (document,) = decoded.documents
    assert document.data == {"spec": {"image": "b", "name": "x"}}
    (found,) = document.problems
    assert (found.kind, found.route) == ("yaml-duplicate-key", ("spec", "image"))
    assert found.span == (4, 3, 4, 8)
    assert found.related == (2, 3, 2, 8)
    assert found.values == {"key": "image", "first_line": 2}
    assert document.complete
    assert decoded.place(document, (), at("spec", "image")).span == (4, 3, 4, 11)
    assert decoded.place(document, (), at("spec", "name")).span == (3, 3, 3, 10)


def test_a_duplicate_of_an_alias_is_no_alias() -> None:
    decoded = read("x: &x {k: 1}\na: *x\na: {k: 2}\nb: {k: 3}\nb: *x\n")
    (document,) = decoded.documents
    assert document.data == {"x": {"k": 1}, "a": {"k": 2}, "b": {"k": 1}}
    assert decoded.place(document, (), at("a", "k")).span == (3, 5, 3, 9)
    assert decoded.place(document, (), at("b", "k")).span == (5, 4, 5, 6)


def test_keys_that_become_equal_are_duplicates() -> None:
    assert problem("on: 1\ny: 2\n").values["key"] == "true"
    assert problem('"1": 1\n1: 2\n').values["key"] == "1"


def test_a_duplicate_in_a_list_has_its_route() -> None:
    assert problem("a:\n- b\n- c: {d: 1, d: 2}\n").route == ("a", 1, "c", "d")


def test_a_merged_key_is_no_duplicate() -> None:
    assert data("a: &a {b: 1}\nc:\n  <<: *a\n  b: 2\n")["c"] == {"b": 2}


@pytest.mark.parametrize("text", ["~: 1\na: 2", "[x]: 1\na: 2", "? {b: 1}\n: 1\na: 2", "x: &x [1]\n*x : 1\na: 2"])
def test_keys_that_json_cannot_have_are_left_out(text: str) -> None:
    decoded = read(text)
    (document,) = decoded.documents
    assert document.data["a"] == 2
    assert set(document.data) <= {"a", "x"}
    assert [one.kind for one in document.problems] == ["yaml-syntax"]
    assert not document.complete


@pytest.mark.parametrize("text", [".inf", "-.inf", ".nan", "!!float .inf"])
def test_values_that_json_cannot_have(text: str) -> None:
    found = problem(f"a: [1, {text}]\n")
    assert (found.kind, found.route) == ("yaml-syntax", ("a", 1))


def test_a_tag_that_does_not_fit() -> None:
    assert problem("a: !!int x\n").values["problem"] == "the value cannot be read as !!int"


# Unknown values


def test_template_actions_are_unknown() -> None:
    text = "a: '{{ .x }}'\nb: {{ .y }}\nc: [{{ .z }}, 1]\n'{{ .k }}': 1\n{{ .l }}: 2\nd: ok\n"
    decoded = read(text)
    (document,) = decoded.documents
    assert known(document.data) == {
        "a": "<<{{ .x }}>>",
        "b": "<<{{ .y }}>>",
        "c": ["<<{{ .z }}>>", 1],
        "{{ .k }}": 1,
        "{{ .l }}": 2,
        "d": "ok",
    }
    assert document.has_unknown
    assert document.complete
    assert document.problems == []


@pytest.mark.parametrize(
    "text", ["!Ref x", "!Sub [a, b]", "!GetAtt {a: b}", '!vault "x"', "${X}", "<NAME>", "__NAME__", '"a-${X}"']
)
def test_other_unknown_values(text: str) -> None:
    (document,) = read(f"a: {text}\n").documents
    assert isinstance(document.data["a"], Unknown)
    assert document.has_unknown


def test_programs_keep_their_text() -> None:
    text = "data:\n  run.sh: |\n    echo ${X}\n  one: ${Y}\nspec:\n  command: [sh, -c, 'echo ${Z}']\n"
    (document,) = read(text).documents
    assert document.data["data"] == {"run.sh": "echo ${X}\n", "one": "${Y}"}
    assert document.data["spec"]["command"][2] == "echo ${Z}"
    assert not document.has_unknown


def test_an_alias_to_an_unknown_value_is_unknown() -> None:
    (document,) = read("a: &a ${X}\nb: *a\n").documents
    assert isinstance(document.data["b"], Unknown)


# Documents


def test_documents_and_their_spans() -> None:
    text = "# c\n---\na: 1\nb: 2\n---\n# nothing\n---\n--- # comment\n- x\n...\n---\nnull\n"
    documents = read(text).documents
    assert [document.data for document in documents] == [{"a": 1, "b": 2}, ["x"], None]
    assert [document.index for document in documents] == [0, 1, 2]
    assert [document.span for document in documents] == [(3, 1, 4, 5), (9, 1, 9, 4), (12, 1, 12, 5)]
    assert text[documents[0].start : documents[0].end] == "a: 1\nb: 2"


@pytest.mark.parametrize("text", ["", "\n", "# only\n# comments\n", "---\n", "---\n---\n# c\n", "\ufeff"])
def test_nothing_in_it(text: str) -> None:
    decoded = read(text)
    assert decoded.documents == []
    assert decoded.problems == []


def test_a_syntax_error_leaves_the_other_documents() -> None:
    text = "a: 1\n---\nb: 2\nc: d: e\n---\nf: 3\n---\n[\n---\ng: 4\n"
    decoded = read(text)
    assert [document.data for document in decoded.documents] == [{"a": 1}, None, {"f": 3}, None, {"g": 4}]
    assert [document.failed for document in decoded.documents] == [False, True, False, True, False]
    failed = decoded.documents[1]
    (found,) = failed.problems
    assert found.kind == "yaml-syntax"
    assert found.values["problem"] == "mapping values are not allowed in this context"
    assert found.span == (4, 5, 4, 6)
    assert failed.span == (3, 1, 4, 8)
    assert not failed.complete
    # Offsets of documents after the error are those of the file.
    assert decoded.place(decoded.documents[4], (), at("g")).span == (10, 1, 10, 5)


def test_a_syntax_error_names_what_the_parser_was_busy_with() -> None:
    found = problem("a: 1\nb: [x,\nc: 2\n")
    assert found.values["context"] == "while parsing a flow sequence"
    assert found.related == (2, 4, 2, 5)
    assert found.span.line == 3, "the end of the text is shown at its last line"


@pytest.mark.parametrize(
    ("text", "line"),
    [('a: 1\nb: "x\nc: 2\n', 2), ("a: 1\nb: 'x\n---\nc: 2\n", 2), ("a:\n  b: 1\n  c\n  d: 2\n", 3), ("a: 1\nb\n", 2)],
)
def test_what_the_parser_notices_later_is_told_where_it_is(text: str, line: int) -> None:
    found = problem(text)
    assert (found.span.line, found.related) == (line, None)


def test_aliases_behind_a_syntax_error_keep_their_places() -> None:
    decoded = read("a: b: c\n---\nx: &x {k: 1}\nw: *x\nz: {<<: *x}\n")
    document = decoded.documents[1]
    place = decoded.place(document, (), at("w", "k"))
    assert (place.span, place.anchor) == ((4, 4, 4, 6), (3, 8, 3, 12))
    assert decoded.place(document, (), at("z", "k")).anchor == (3, 8, 3, 12)


@pytest.mark.parametrize("text", ["---\n---\n@\n", "---\n# c\n---\n\ta: 1\n", "a: 1\n---\n@\n"])
def test_an_error_at_the_start_of_a_document(text: str) -> None:
    decoded = read(text)
    assert decoded.documents[-1].failed
    found = problem(text)
    assert found.values["problem"] == "found character that cannot start any token"
    assert found.span.line == text.count("\n")


@pytest.mark.parametrize("line", ["--- {a: 1}", "---x", "-----", "--- text", "---x: 1"])
def test_only_a_comment_may_follow_a_separator(line: str) -> None:
    decoded = read(f"a: 1\n{line}\nb: 2\n")
    found = [one for document in decoded.documents for one in document.problems]
    assert any("separator" in one.values["problem"] and one.span.line == 2 for one in found)


def test_a_comment_right_behind_a_separator() -> None:
    decoded = read("a: 1\n---# c\nb: 2\n")
    assert [document.data for document in decoded.documents] == [{"a": 1}, {"b": 2}]
    assert not any(document.problems for document in decoded.documents)


def test_directives_are_refused() -> None:
    decoded = read("%YAML 1.2\n---\na: 1\n")
    (document,) = decoded.documents
    assert document.data == {"a": 1}
    assert "directives" in document.problems[0].values["problem"]


def test_text_after_the_end_of_a_document_is_dropped() -> None:
    decoded = read("a: 1\n...\nb: 2\n---\nc: 3\n")
    assert [document.data for document in decoded.documents] == [{"a": 1}, {"c": 3}]
    (found,) = decoded.documents[0].problems
    assert "dropped" in found.values["problem"]
    assert found.span.line == 3


@pytest.mark.parametrize(
    "text",
    [
        "{{- if .Values.x }}\na: 1\n{{- end }}\n",
        "{{ if .Values.x }}\na: 1\n{{ end }}\n",
        "a:\n{{ toYaml .Values.y | indent 2 }}\n",
        "{% for x in y %}\na: {{ x }}\n{% endfor %}\n",
        "{{ include `x` . }}\n",
    ],
)
def test_a_template_that_is_no_yaml_is_no_syntax_error(text: str) -> None:
    decoded = read(f"b: 1\n---\n{text}---\nc: 1\n")
    first, template, last = decoded.documents
    assert (first.data, last.data) == ({"b": 1}, {"c": 1})
    assert template.template
    assert template.failed
    assert template.data is None
    assert template.problems == []
    assert decoded.text[template.start : template.end] == text.rstrip()


def test_a_comment_with_an_action_makes_no_template() -> None:
    assert problem("# {{ .Values.x }}\na: b: c\n").kind == "yaml-syntax"


# Encodings and line breaks


def test_byte_order_marks() -> None:
    for encoding, name in (("utf-8-sig", "utf-8-bom"), ("utf-16", "utf-16")):
        decoded = decode("a: é\n".encode(encoding))
        assert (decoded.encoding, decoded.documents[0].data) == (name, {"a": "é"})
        assert decoded.text == "a: é\n"
        assert decoded.place(decoded.documents[0], (), at("a")).span == (1, 1, 1, 5)
        assert decoded.problems == []


def test_big_endian() -> None:
    decoded = decode(b"\xfe\xff" + "a: 网\n".encode("utf-16-be"))
    assert (decoded.encoding, decoded.documents[0].data) == ("utf-16", {"a": "网"})


def test_files_put_together_with_their_byte_order_marks() -> None:
    decoded = read("\ufeffa: 1\n---\n\ufeffb: 2\nc: 3\n")
    assert [document.data for document in decoded.documents] == [{"a": 1}, {"b": 2, "c": 3}]
    assert decoded.documents[1].span.line == 3


def test_gb18030() -> None:
    data = "a: 1\nname: 网关\n".encode("gb18030")
    decoded = decode(data)
    assert decoded.documents[0].data == {"a": 1, "name": "网关"}
    (found,) = decoded.problems
    assert (found.kind, found.values, found.span[:2]) == ("encoding", {"encoding": "gb18030"}, (2, 7))
    assert text_of_bytes(data) == decoded.text


def test_no_encoding_at_all() -> None:
    decoded = decode(b"a: caf\xff\xff\n")
    assert decoded.documents[0].data == {"a": "caf\ufffd\ufffd"}
    assert [one.kind for one in decoded.problems] == ["encoding"]


@pytest.mark.parametrize("character", ["\0", "\x01", "\x7f", "\x81", "\ufffe"])
def test_control_characters(character: str) -> None:
    decoded = read(f"a: 1\n---\nb: x{character}y\n---\nc: 1\n")
    assert [document.data for document in decoded.documents] == [{"a": 1}, None, {"c": 1}]
    (found,) = decoded.documents[1].problems
    assert (found.kind, found.span) == ("control-character", (3, 5, 3, 6))
    assert found.values == {"character": f"U+{ord(character):04X}"}


@pytest.mark.parametrize("text", ["a: 1\r\nb:\r\n- x\r\n", "a: 1\nb:\n- x\n"])
def test_line_breaks(text: str) -> None:
    decoded = read(text)
    (document,) = decoded.documents
    assert document.data == {"a": 1, "b": ["x"]}
    assert decoded.place(document, (), at("b", 0)).span == (3, 3, 3, 4)
    assert decoded.line_text(1) == "a: 1"


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_only_line_feeds_count_lines(separator: str) -> None:
    decoded = read(f'a: "x{separator}y"\n# {separator}\nb: 1\n')
    assert decoded.place(decoded.documents[0], (), at("b")).span.line == 3


# Hostile input


@cache
def yardstick() -> float:
    """CPU seconds that libyaml alone takes on this machine for an ordinary megabyte of manifests."""
    text = b"---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports:\n    - port: 80\n" * 12_000

    def once() -> float:
        start = time.process_time()
        yaml.CLoader(text).raw_parse()
        return time.process_time() - start

    return min(once() for _ in range(3))


def spent(data: bytes) -> tuple[Decoded, list[Problem]]:
    """The documents and all problems of an input that must not take long: some seconds where a megabyte takes 0.03."""
    start = time.process_time()
    decoded = decode(data)
    found = [*decoded.problems, *(one for document in decoded.documents for one in document.problems)]
    for document in decoded.documents[:3]:
        decoded.place(document, (), at("a", 0, "b"))
        decoded.node_span(document, ("a",))
    assert time.process_time() - start < 150 * yardstick()
    return decoded, found


@pytest.mark.parametrize(
    "data",
    [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b"{a: " * 100_000, b"- " * 100_000 + b"a", b"? " * 100_000],
    ids=["open", "closed", "flow mappings", "lists", "keys"],
)
def test_very_deep(data: bytes) -> None:
    decoded, found = spent(data)
    assert [one.kind for one in found] == ["document-too-deep"]
    assert not decoded.documents[0].complete


def test_deeper_than_the_limit_is_cut_there() -> None:
    decoded = decode(b"a: " + b"[" * 5 + b"]" * 5 + b"\nb: 1\n", max_depth=4)
    (document,) = decoded.documents
    assert known(document.data) == {"a": [[["<<[[]]>>"]]], "b": 1}
    (found,) = document.problems
    assert (found.kind, found.route, found.values) == ("document-too-deep", ("a", 0, 0, 0), {"limit": 4})
    assert not document.complete
    assert not document.failed


def test_json_nested_300_deep() -> None:
    decoded, found = spent(b'{"a":' * 300 + b"1" + b"}" * 300)
    assert [one.kind for one in found] == ["document-too-deep"]
    assert not decoded.documents[0].failed


def bomb(levels: int) -> bytes:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        name, inner = chr(97 + level), chr(96 + level)
        lines.append(f"{name}: &{name} [{', '.join([f'*{inner}'] * 9)}]")
    return "\n".join(lines).encode()


def test_billion_laughs() -> None:
    decoded, found = spent(bomb(9))
    assert [one.kind for one in found] == ["alias-budget"]
    (document,) = decoded.documents
    nodes, stack = 0, [document.data]
    while stack:
        node = stack.pop()
        nodes += 1
        if isinstance(node, (dict, list)):
            stack.extend(node.values() if isinstance(node, dict) else node)
    assert nodes < 200_000
    assert not document.complete


def test_few_aliases_are_no_bomb() -> None:
    assert spent(bomb(4))[1] == []


def test_merge_keys_count_too() -> None:
    _, found = spent(b"a: &a {" + b", ".join(b"k%d: 1" % n for n in range(1000)) + b"}\nb:\n" + b"- {<<: *a}\n" * 1000)
    assert [one.kind for one in found] == ["alias-budget"]


def test_merge_keys_inside_merge_keys_count() -> None:
    text = b"{<<: " * 150 + b"{" + b", ".join(b"k%d: 1" % n for n in range(5000)) + b"}" + b"}" * 150
    assert [one.kind for one in spent(text)[1]] == ["alias-budget"]


def test_many_anchors() -> None:
    _, found = spent(b"".join(b"- &a%d x\n" % n for n in range(100_000)))
    assert [one.kind for one in found] == ["anchor-limit"]


def test_no_more_anchors_than_asked_for() -> None:
    decoded = decode(b"a: &a 1\nb: &b 2\nc: &c 3\nd: [*a, *b, *c]\n", max_anchors=2)
    (document,) = decoded.documents
    assert known(document.data["d"]) == [1, 2, "<<*c>>"]
    assert [(one.kind, one.span.line) for one in document.problems] == [("anchor-limit", 3)]


def test_a_long_scalar_and_a_long_line() -> None:
    assert spent(b"a: " + b"x" * 9_000_000)[1] == []
    assert spent(b"a: {" + b", ".join(b"k%d: v" % n for n in range(300_000)) + b"}")[1] == []


def test_a_file_beyond_the_size_limit_is_not_read() -> None:
    decoded, found = spent(b"a: 1\n" * 10_000_000)
    assert decoded.documents == []
    assert [(one.kind, one.values) for one in found] == [("file-too-large", {"size": 50_000_000, "limit": 10_000_000})]


def test_many_duplicates() -> None:
    decoded, found = spent(b"a: 1\n" * 300_000)
    assert {one.kind for one in found} == {"yaml-duplicate-key"}
    assert len(found) == 1000
    assert not decoded.documents[0].complete


@pytest.mark.parametrize(
    "data",
    [
        b"---\n" * 2_000_000,
        b"a: 1\n---\n" * 1_000_000,
        b"a: b: c\n---\n" * 700_000,
        b"{}\n" * 2_000_000,
        b"{}" * 500_000,
    ],
    ids=["separators", "documents", "errors", "json lines", "json"],
)
def test_many_documents(data: bytes) -> None:
    decoded, found = spent(data)
    assert found[0].kind == "document-limit"
    assert len(decoded.documents) <= 20_000


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)) * 100,
        b"\xff\xfea\0:",
        b'a: "\\U00110000"\n',
        b"!" * 10_000,
        b"&" * 10_000,
        b"*",
        b"%",
        b"? ",
        b"<<:",
    ],
)
def test_broken_input_never_raises(data: bytes) -> None:
    spent(data)


def test_long_digits_and_impossible_dates() -> None:
    decoded, found = spent(b"a: " + b"1" * 5001 + b"\nb: 2024-99-99\nc: 1e99999\n")
    assert found == []
    assert decoded.documents[0].data == {"a": "1" * 5001, "b": "2024-99-99", "c": "1e99999"}


# Without libyaml


def test_the_pure_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        "a: &x {b: [1, 'é', \"q\"]}\nc: *x\nd: |\n  t\n---\ne: f: g\n---\n{h: {{ .i }}}\n",
        'a: "\\ud800"\n',
        'a: "\\U00110000"\n',
        "a: \x01\n",
        "[" * 300 + "]" * 300,
    ]
    fast = [read(text) for text in texts]
    monkeypatch.setattr(events, "LIBYAML", False)
    for decoded, text in zip(fast, texts):
        other = read(text)
        assert [known(one.data) for one in other.documents] == [known(one.data) for one in decoded.documents]
        assert [one.failed for one in other.documents] == [one.failed for one in decoded.documents]
        kinds = [[problem.kind for problem in one.problems] for one in other.documents]
        assert kinds == [[problem.kind for problem in one.problems] for one in decoded.documents]
        for one, two in zip(decoded.documents, other.documents):
            assert one.span == two.span


def test_whether_libyaml_is_there_can_be_asked() -> None:
    assert decode_module.LIBYAML in (True, False)


def test_nothing_is_kept_alive_by_a_cycle() -> None:
    import gc
    import weakref

    gc.disable()
    try:
        decoded = read("a: &x [1]\nb: *x\nc: {<<: {d: 1}}\n---\ne: f: g\n")
        decoded.place(decoded.documents[0], (), at("b"))
        alive = weakref.ref(decoded)
        del decoded
        assert alive() is None
    finally:
        gc.enable()
