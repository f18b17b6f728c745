"""JSON Schema: the quick proof agrees with `jsonschema`, and mistakes are named, placed and worded."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelint_ack.validation import Mistake, conforms, explain, load_schema, mistakes, shown, similar

CONFIG = load_schema("config.schema.json")
PROFILE = load_schema("profile.schema.json")

# --- against jsonschema

KEYS = st.sampled_from(["a", "b", "ab", "c"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([0.0, 1.0, 1.5]),
    st.sampled_from(["", "a", "ab", "1"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
TYPES = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])
LEAVES = st.one_of(
    st.booleans(),
    st.fixed_dictionaries({"type": TYPES | st.lists(TYPES, min_size=1, unique=True)}),
    st.fixed_dictionaries({"enum": st.lists(VALUES, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"const": VALUES}),
    st.fixed_dictionaries({"pattern": st.sampled_from(["^a", "b$", "1"])}),
    st.fixed_dictionaries({"required": st.lists(KEYS, max_size=2, unique=True)}),
    st.fixed_dictionaries({"uniqueItems": st.booleans()}),
    *(
        st.fixed_dictionaries({keyword: st.integers(0, 2)})
        for keyword in ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties")
    ),
)


def _composite(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        st.fixed_dictionaries(
            {},
            optional={
                "type": TYPES,
                "properties": st.dictionaries(KEYS, inner, max_size=2),
                "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$"]), inner, max_size=2),
                "additionalProperties": inner,
                "propertyNames": inner,
                "items": inner,
                "dependentSchemas": st.dictionaries(KEYS, inner, max_size=2),
            },
        ),
        st.fixed_dictionaries({}, optional={"anyOf": several, "oneOf": several, "allOf": several}),
        st.fixed_dictionaries({"if": inner}, optional={"then": inner, "else": inner}),
    )


SCHEMAS = st.recursive(LEAVES, _composite, max_leaves=6)


@settings(max_examples=600, deadline=None)
@given(SCHEMAS, SCHEMAS, VALUES)
def test_what_is_proved_valid_is_valid_and_what_is_invalid_has_mistakes(top: Any, inner: Any, data: Any) -> None:
    schema = {"$defs": {"inner": inner}, "allOf": [top], "items": {"$ref": "#/$defs/inner"}}
    valid = jsonschema.Draft202012Validator(schema).is_valid(data)
    assert not conforms(data, schema) or valid
    found = list(mistakes(data, schema))
    assert bool(found) is not valid
    assert len({mistake.route for mistake in found}) == len(found)
    for mistake in found:
        assert all(explain(mistake, language) for language in ("en", "zh"))


def test_a_keyword_that_is_not_known_proves_nothing() -> None:
    assert conforms("x", {"type": "string"})
    assert not conforms("x", {"type": "string", "format": "uri"})
    assert list(mistakes("x", {"type": "string", "contentEncoding": "base64"})) == []


def test_true_is_not_one() -> None:
    assert conforms(1.0, {"const": 1})
    assert not conforms(True, {"const": 1})
    assert not conforms(0, {"enum": [False]})


def test_the_end_of_a_pattern_is_the_end_of_the_text() -> None:
    """Python's `$` also matches before a final line feed."""
    schema = {"pattern": "^[0-9]+$"}
    assert conforms("12", schema)
    assert not conforms("12\n", schema)
    assert [mistake.kind for mistake in mistakes("12\n", schema)] == ["pattern"]


GOOD_PROFILE = {
    "provider": "ack",
    "kubernetesVersion": "1.32",
    "cni": "terway",
    "terway": {"mode": "shared-eni", "version": "1.9.0"},
    "vpcCIDRs": ["172.16.0.0/16"],
    "nodePools": [{"name": "web", "labels": {"a": "b"}, "taints": [{"key": "x", "effect": "NoSchedule"}]}],
    "components": {"csi-plugin": "1.33.4", "terway": "*"},
}


def test_a_good_configuration_is_proved_without_jsonschema() -> None:
    data = {
        "cluster": GOOD_PROFILE,
        "environments": {"prod": {"paths": ["deploy"], "cluster": "prod.yaml", "complete": ["apps/Deployment"]}},
        "preset": ["ack"],
        "ignore": ["KLA12", "service", "ALL"],
        "overrides": [{"files": ["a/**"], "severity": {"service": "info"}}],
        "rules": {"privileged-container": {"severity": "error", "anything": [1]}},
        "kubernetes-version": ["1.30", "1.34"],
        "max-file-size": "10Mi",
        "jobs": 2,
    }
    assert conforms(data, CONFIG)


def test_many_equal_looking_items_take_time_in_proportion() -> None:
    """`jsonschema` compares every pair of items that cannot be sorted: hours for this list."""
    items: list[Any] = [*range(50_000), *map(str, range(50_000)), "7"]
    found = list(
        mistakes(
            {"exclude": items}, {"properties": {"exclude": {"uniqueItems": True, "minItems": 1}, "x": {"format": "x"}}}
        )
    )
    assert [(mistake.route, mistake.kind) for mistake in found] == [(("exclude", 100_000), "duplicate-item")]


# --- mistakes

Wrong = tuple[tuple[Any, ...], str, str]


def wrong(data: Any, schema: Any) -> list[Wrong]:
    return [(mistake.route, mistake.kind, explain(mistake, "en")) for mistake in mistakes(data, schema)]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"cnii": "terway"}, (("cnii",), "unknown-key", "unknown key 'cnii'; did you mean 'cni'?")),
        ({"pod_cidr": "x"}, (("pod_cidr",), "unknown-key", "unknown key 'pod_cidr'; did you mean 'podCIDR'?")),
        (
            {"zzz": 1},
            (("zzz",), "unknown-key", "unknown key 'zzz'; 'kubelint-ack schema profile' shows the valid keys"),
        ),
        (
            {"cni": "terway", "terway": {"modes": "x"}},
            (("terway", "modes"), "unknown-key", "unknown key 'modes' in 'terway'; did you mean 'mode'?"),
        ),
        (
            {"nodePools": [{"name": "a", "taints": [{"key": "x", "effect": "NoExecute", "when": 1}]}]},
            (
                ("nodePools", 0, "taints", 0, "when"),
                "unknown-key",
                "unknown key 'when' in 'nodePools[0].taints[0]'; write 'key', 'value' or 'effect'",
            ),
        ),
        (
            {"kubernetesVersion": 1.3},
            (
                ("kubernetesVersion",),
                "wrong-type",
                'kubernetesVersion: 1.3 is read as a number; write it in quotes: "1.3"',
            ),
        ),
        (
            {"components": {"terway": 1.9}},
            (
                ("components", "terway"),
                "wrong-type",
                'components.terway: 1.9 is read as a number; write it in quotes: "1.9"',
            ),
        ),
        (
            {"components": {"terway": "soon"}},
            (
                ("components", "terway"),
                "pattern",
                (
                    "components.terway: 'soon' is not valid here. "
                    'Installed components: the version of each, by its name in the ACK catalogue; "*" for any version.'
                ),
            ),
        ),
        ({"zones": "a"}, (("zones",), "wrong-type", "zones: must be a list, not a string; write [a]")),
        ({"zones": None}, (("zones",), "wrong-type", "zones: has no value; write a list, or remove the key")),
        ({"terway": []}, (("terway",), "wrong-type", "terway: must be a mapping, not a list")),
        ({"virtualNodes": "yes"}, (("virtualNodes",), "wrong-type", "virtualNodes: must be a boolean, not a string")),
        (
            {"cni": "Teraway"},
            (
                ("cni",),
                "not-allowed",
                "cni: must be 'terway', 'flannel' or 'other', not 'Teraway'; did you mean 'terway'?",
            ),
        ),
        ({"cni": 5}, (("cni",), "not-allowed", "cni: must be 'terway', 'flannel' or 'other', not '5'")),
        (
            {"cni": "flannel", "terway": {}},
            (
                ("cni",),
                "contradiction",
                "cni: 'flannel' contradicts 'terway' beside it; write 'terway', or remove 'terway'",
            ),
        ),
        ({"nodePools": [{"labels": {}}]}, (("nodePools", 0), "missing-key", "'nodePools[0]' needs 'name'; add it")),
        (
            {"nodePodMask": 30},
            (("nodePodMask",), "out-of-range", "nodePodMask: must be between 16 and 28, not 30"),
        ),
        ({"plannedNodes": 0}, (("plannedNodes",), "out-of-range", "plannedNodes: must be 1 or more, not 0")),
        ({"name": ""}, (("name",), "too-short", "name: is empty; fill it or remove the key")),
        (
            {"zones": ["b", "b"]},
            (("zones", 1), "duplicate-item", "zones[1]: 'b' is in the list already; remove one of them"),
        ),
        (
            {"featureGates": {"a b": True}},
            (
                ("featureGates", "a b"),
                "wrong-key",
                "'a b' in 'featureGates' cannot be a key here. Feature gates of the cloud controller manager.",
            ),
        ),
    ],
)
def test_mistakes_in_a_profile(profile: Any, expected: Wrong) -> None:
    assert wrong(profile, PROFILE) == [expected]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"overrides": [{"ignore": ["a"]}]},
            (("overrides", 0), "missing-key", "'overrides[0]' needs 'files' or 'namespaces'; add it"),
        ),
        (
            {"workloads": [{}]},
            (("workloads", 0), "missing-key", "'workloads[0]' needs 'kind', 'path'; add it"),
        ),
        (
            {"output": {"sarf": "x"}},
            (("output", "sarf"), "wrong-key", "unknown key 'sarf' in 'output'; did you mean 'sarif'?"),
        ),
        (
            {"output": {"pdf": "x"}},
            (
                ("output", "pdf"),
                "wrong-key",
                "unknown key 'pdf' in 'output'; write 'text', 'concise', 'json', 'sarif' or 'github'",
            ),
        ),
        ({"jobs": 1.5}, (("jobs",), "wrong-type", "jobs: must be a whole number or a string, not a number")),
        (
            {"cluster": {"terwai": {}}},
            (("cluster", "terwai"), "unknown-key", "unknown key 'terwai' in 'cluster'; did you mean 'terway'?"),
        ),
    ],
)
def test_mistakes_in_a_configuration(config: Any, expected: Wrong) -> None:
    assert wrong(config, CONFIG) == [expected]


def test_a_choice_of_several_forms_takes_the_one_that_was_meant() -> None:
    schema = {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"a": {"type": "integer"}}}]}
    assert [(one.route, one.kind) for one in mistakes({"a": "x"}, schema)] == [(("a",), "wrong-type")]


def test_chinese_words_say_the_same() -> None:
    found = [explain(mistake, "zh") for mistake in mistakes({"cnii": 1, "kubernetesVersion": 1.3}, PROFILE)]
    assert found == [
        "未知的键“cnii”；是否想写“cni”？",
        'kubernetesVersion：1.3 会被读成数字；请加引号："1.3"',
    ]


def test_a_date_is_no_string() -> None:
    """TOML has dates, JSON has none."""
    import datetime

    assert wrong({"name": datetime.date(2026, 1, 2)}, PROFILE) == [
        (("name",), "wrong-type", 'name: 2026-01-02 is read as a date or time; write it in quotes: "2026-01-02"')
    ]


def test_keys_and_values_cannot_write_to_the_terminal_or_flood_it() -> None:
    text = explain(
        Mistake(("\x1b[31m" + "x" * 500,), "unknown-key", {"near": None, "known": [], "schema": "config"}), "en"
    )
    assert "\x1b" not in text
    assert len(text) < 200
    assert shown("a\nb\x1b") == "a\\nb\\x1b"
    assert shown("x" * 100) == "x" * 59 + "…"


def test_similar_ignores_how_words_are_joined() -> None:
    assert similar("failOn", ["fail-on", "format"]) == "fail-on"
    assert similar("CNI", ["cni", "name"]) == "cni"
    assert similar("quite-different", ["cni"]) is None
    assert similar(5, ["cni"]) is None
