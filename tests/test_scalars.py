"""Scalars mean what kubectl 1.37 makes of them (`kubectl annotate --local -f - zz=zz -o json` on an unknown kind)."""

from __future__ import annotations

import math

import pytest

from kubelint_ack.scalars import (
    has_unknown_marks,
    is_collection_tag,
    is_unknown_text,
    may_be_unknown,
    resolve,
    resolve_key,
    resolve_tagged,
)

TRUE = "y Y yes Yes YES on On ON true True TRUE"
FALSE = "n N no No NO off Off OFF false False FALSE"
NULL = "~ null Null NULL"
TEXT = """
    tRue yEs nO oFF nUll TRUE1 none None = << 2020-01-01 2020-01-01T00:00:00Z 12:30:45 1:30 1,000 _1 0x 0b 0o 0o8 0b12
    0x1G 0o-7 0x-1 -0b-11 . .. -- + 1e 1e+ 1.e 1e400 -1e400 .1e400 0x1.8p1 0x1p-2 .0x1p-2 infinity inf nan Infinity NaN
    .Inf1 +.Inf1 ._5 .5_ .5__0 .5_e1 .5e_1 ._ +._ .e5 .5f 100m 1Gi 50% 1/2 v1 0.1.2 8.8.8.8 ٣ １ ½ 0x10000000000000000
"""
NUMBERS = {
    "0": 0,
    "-0": 0,
    "+0": 0,
    "00": 0,
    "0_0": 0,
    "007": 7,
    "014": 12,
    "0644": 420,
    "-014": -12,
    "+012": 10,
    "0o14": 12,
    "0O14": 12,
    "-0o7": -7,
    "0o_7": 7,
    "0b11": 3,
    "0B11": 3,
    "-0b11": -3,
    "+0b11": 3,
    "0b-11": -3,
    "0b+11": 3,
    "0b_1": 1,
    "0x1F": 31,
    "0X1f": 31,
    "-0x1F": -31,
    "0x_1": 1,
    "+14": 14,
    "08": 8,
    "09": 9,
    "08.5": 8.5,
    "12e03": 12000,
    "1e3": 1000,
    "1E3": 1000,
    "1e+3": 1000,
    "1e-3": 0.001,
    "1.5e3": 1500,
    "1_000": 1000,
    "1__0": 10,
    "1_": 1,
    "-_1": -1,
    "+_1": 1,
    "1_000.5": 1000.5,
    "1._5": 1.5,
    "1_e1": 10,
    "1e1_0": 10_000_000_000,
    "5._": 5,
    "-._5": -0.5,
    "0.5_0": 0.5,
    ".5_0": 0.5,
    ".5e1_0": 5_000_000_000,
    "1.0": 1,
    "1.50": 1.5,
    "5.": 5,
    "1.e3": 1000,
    ".5": 0.5,
    "-.5": -0.5,
    "+.5": 0.5,
    ".5e1": 5,
    ".5E-1": 0.05,
    "0.0": 0,
    "-0.0": 0,
    "-0e0": 0,
    "0.1": 0.1,
    "0.30000000000000004": 0.30000000000000004,
    "3.14159265358979": 3.14159265358979,
    "0.0000001": 1e-7,
    "1000000.0": 1_000_000,
    "1e15": 10**15,
    "1234567890123456789.0": 1234567890123456800,
    "9223372036854775807": 2**63 - 1,
    "-9223372036854775808": -(2**63),
    "9223372036854775808": 9223372036854775808.0,
    "-9223372036854775809": -9223372036854775808.0,
    "18446744073709551615": 18446744073709551616.0,
    "123456789012345678901": 123456789012345680000.0,
    "12345678901234567890.5": 12345678901234567000.0,
    "0777777777777777777777": 2**63 - 1,
    "01777777777777777777777": 18446744073709551616.0,
    "02777777777777777777777": 2.777777777777778e21,
    "0xFFFFFFFFFFFFFFFF": 18446744073709551616.0,
    "1e20": 1e20,
    "1e21": 1e21,
    "1e308": 1e308,
}


@pytest.mark.parametrize(
    ("words", "value"), [(TRUE, True), (FALSE, False), (NULL, None)], ids=["true", "false", "null"]
)
def test_words(words: str, value: bool | None) -> None:
    assert [(word, resolve(word)) for word in words.split()] == [(word, value) for word in words.split()]


def test_an_empty_plain_scalar_is_null() -> None:
    assert resolve("") is None


@pytest.mark.parametrize("text", TEXT.split())
def test_what_only_looks_like_a_word_or_number_is_text(text: str) -> None:
    assert resolve(text) == text
    assert resolve_key(text) == text


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers(text: str) -> None:
    value = resolve(text)
    assert value == NUMBERS[text]
    assert type(value) is type(NUMBERS[text])


@pytest.mark.parametrize("text", [".inf", ".Inf", "+.INF", "-.inf"])
def test_an_infinity_comes_back_as_a_float(text: str) -> None:
    value = resolve(text)
    assert isinstance(value, float)
    assert math.isinf(value)
    assert (value < 0) == text.startswith("-")


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_nan_comes_back_as_a_float(text: str) -> None:
    value = resolve(text)
    assert isinstance(value, float)
    assert math.isnan(value)


def test_very_long_digits_cost_nothing_and_raise_nothing() -> None:
    assert resolve("1" * 5001) == "1" * 5001
    assert resolve("0x" + "f" * 5000) == "0x" + "f" * 5000
    assert resolve("0" * 100 + "7") == 7


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("on", "true"),
        ("y", "true"),
        ("NO", "false"),
        ("1", "1"),
        ("014", "12"),
        ("0x1F", "31"),
        ("-5", "-5"),
        ("-0", "0"),
        ("1_000", "1000"),
        ("1.5", "1.5"),
        ("1.0", "1"),
        ("-0.0", "-0"),
        ("1e3", "1000"),
        ("1e6", "1e+06"),
        ("1e21", "1e+21"),
        ("1e100", ".inf"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("123456.5", "123456.5"),
        ("1234567.5", "1.2345675e+06"),
        ("16777217.5", "1.6777218e+07"),
        ("9223372036854775807", "9223372036854775807"),
        ("18446744073709551616", "1.8446744e+19"),
        (".inf", ".inf"),
        ("-.inf", "-.inf"),
        (".nan", ".nan"),
        ("2020-01-01", "2020-01-01"),
        ("=", "="),
    ],
)
def test_keys_become_text(text: str, key: str) -> None:
    assert resolve_key(text) == key


@pytest.mark.parametrize("text", ["~", "null", "", "9223372036854775808", "18446744073709551615"])
def test_keys_that_kubectl_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"key"):
        resolve_key(text)


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("str", "123", "123"),
        ("str", "null", "null"),
        ("str", "", ""),
        ("int", "5", 5),
        ("int", "014", 12),
        ("float", "5", 5),
        ("float", "5.5", 5.5),
        ("float", "1e3", 1000),
        ("bool", "yes", True),
        ("null", "", None),
        ("null", "~", None),
        ("binary", "aGVsbG8=", "hello"),
        ("binary", "aGVs\nbG8=", "hello"),
        ("binary", "/w==", "\ufffd"),
        ("timestamp", "2020-01-01", "2020-01-01"),
        ("timestamp", "2020-1-1 10:00:00.5", "2020-1-1 10:00:00.5"),
        ("timestamp", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
    ],
)
def test_tags(tag: str, text: str, value: object) -> None:
    found = resolve_tagged(f"tag:yaml.org,2002:{tag}", text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("int", "abc"),
        ("int", "5.5"),
        ("int", "1e3"),
        ("int", ""),
        ("int", "yes"),
        ("float", "abc"),
        ("float", "yes"),
        ("bool", "abc"),
        ("bool", "1"),
        ("null", "abc"),
        ("binary", "*"),
        ("binary", "a b"),
        ("timestamp", "abc"),
        ("timestamp", "5"),
    ],
)
def test_tags_that_do_not_fit(tag: str, text: str) -> None:
    with pytest.raises(ValueError, match=rf"!!{tag}") as raised:
        resolve_tagged(f"tag:yaml.org,2002:{tag}", text)
    assert text not in str(raised.value) or not text, "a value may be a secret"


def test_the_tag_without_a_name_makes_text() -> None:
    assert resolve_tagged("!", "12") == "12"


def test_a_key_with_a_tag() -> None:
    assert resolve_tagged("tag:yaml.org,2002:bool", "yes", as_key=True) == "true"
    assert resolve_tagged("tag:yaml.org,2002:int", "014", as_key=True) == "12"


@pytest.mark.parametrize("tag", ["!Ref", "tag:yaml.org,2002:unknown", "tag:example.com,2000:int"])
def test_a_tag_that_yaml_does_not_define(tag: str) -> None:
    with pytest.raises(KeyError):
        resolve_tagged(tag, "1")


def test_collection_tags() -> None:
    assert is_collection_tag("tag:yaml.org,2002:set")
    assert is_collection_tag("!")
    assert not is_collection_tag("!Sub")


UNKNOWN = [
    ("{{ .Values.x }}", "'", ("spec", "replicas")),
    ("prefix-{{ .Release.Name }}", "", ("metadata", "name")),
    ("{% if x %}a{% endif %}", "", ("metadata", "name")),
    ("{{ .Values.x | b64enc }}", "'", ("data", "key")),
    ("{{ .Files.Get `x` }}\n", "|", ("data", "key")),
    ("a {{ .Values.x }}\nb\n", "|", ("spec", "text")),
    ("<IMAGE>", "", ("image",)),
    ("<您的镜像>", "", ("image",)),
    ("__HOST__", "", ("host",)),
    ("__INGRESS_HOST_2__", '"', ("host",)),
    ("ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]", "", ("data", "key")),
    ("ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]", "|", ("data", "key")),
    ("${IMAGE}", "", ("image",)),
    ("nginx:${TAG:-latest}", "", ("image",)),
    ("nginx:${TAG:=1}", '"', ("image",)),
    ("${your-nlb-id}", "", ("metadata", "annotations", "a")),
]
KNOWN = [
    ("$(POD_IP)", "", ("env", 0, "value")),
    ("$HOME", "", ("env", 0, "value")),
    ("$$", "", ("a",)),
    ("{a}", "'", ("a",)),
    ("a < b > c", "", ("a",)),
    ("<a> and <b>", "", ("a",)),
    ("__address__", "", ("sourceLabels", 0)),
    ("a__B__", "", ("a",)),
    ("${X}", "", ("data", "key")),
    ("${X}", "", ("stringData", "key")),
    ("echo ${X}", "", ("spec", "containers", 0, "command", 2)),
    ("--name=${X}", "'", ("spec", "containers", 0, "args", 0)),
    ("echo ${X}\n", "|", ("spec", "script")),
    ("one ${X}\ntwo", '"', ("spec", "script")),
    ("${X}" + "a" * 200, "", ("spec", "script")),
    ("<html>\n", "|", ("spec", "page")),
    ("a {{ .Values.x }}\nb {{ .y }}\n", "|", ("data", "dashboard.json")),
    ("{{ $labels.pod }} is down", "", ("spec", "groups", 0, "rules", 0, "annotations", "summary")),
]


@pytest.mark.parametrize(("text", "style", "route"), UNKNOWN)
def test_text_to_be_filled_in_is_unknown(text: str, style: str, route: tuple[str | int, ...]) -> None:
    assert is_unknown_text(text, style, route)


@pytest.mark.parametrize(("text", "style", "route"), KNOWN)
def test_what_belongs_to_kubernetes_or_a_program_is_known(text: str, style: str, route: tuple[str | int, ...]) -> None:
    assert not is_unknown_text(text, style, route)


@pytest.mark.parametrize("text", [text for text, _, _ in UNKNOWN])
def test_the_quick_tests_miss_no_unknown_text(text: str) -> None:
    assert may_be_unknown(text)
    assert has_unknown_marks(text)


def test_the_quick_tests_pass_ordinary_text() -> None:
    for text in ("nginx:1.27", "a $b {c} [d] e_f", "$(POD_IP)"):
        assert not may_be_unknown(text)
        assert not has_unknown_marks(text)
