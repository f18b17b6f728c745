"""Go's regular expressions: what it refuses, what matches, and that no expression takes long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelint_ack.re2 import PatternError, UnsupportedError, compiled


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?P=n)", "(?>a)", r"\1", r"\q", "a**", "a+*", "a{2}{3}", "*a", "{1}",
        "a{1001}", "a{2,1}", "(", "a)", "[a", "[z-a]", "[[:letter:]]", "\\", "(?i", "(?x)a", "(?P<>a)", r"\xg1",
    ],
)  # fmt: skip
def test_go_refuses(pattern: str) -> None:
    with pytest.raises(PatternError):
        compiled(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("^a$", "a\n", False),
        ("(?m)^a$", "b\na\nc", True),
        ("a.c", "a\nc", False),
        ("(?s)a.c", "a\nc", True),
        ("^(?i)(abort|warn)?$", "WARN", True),
        ("(?i:a)b", "Ab", True),
        ("(?i:a)b", "AB", False),
        ("a{,3}", "a{,3}", True),
        ("^a{2,3}$", "aaaa", False),
        ("^a{2,}$", "aaaa", True),
        ("^a{0}$", "", True),
        (r"\bfoo\b", "a foo b", True),
        (r"\bfoo\b", "afoo", False),
        (r"\Bfoo", "afoo", True),
        (r"^\d+\z", "12", True),
        (r"^[^/]+$", "a/b", False),
        ("^[]a]+$", "]a", True),
        (r"^[a\-z]+$", "b", False),
        ("^[[:alpha:]]+$", "aZ", True),
        ("^[[:^alpha:]]+$", "1", True),
        (r"^\Qa.b\E$", "a.b", True),
        (r"^\Qa.b\E$", "axb", False),
        (r"^\x41\x{42}$", "AB", True),
        ("a||b", "", True),
        ("(?:ab|cd)+e?$", "xabcd", True),
        ("^.{3}$", "集群一", True),
        ("^(?P<year>[0-9]{4})(?<rest>x)$", "2024x", True),
    ],
)
def test_what_matches(pattern: str, text: str, expected: bool) -> None:
    assert compiled(pattern).search(text) is expected


@pytest.mark.parametrize("pattern", [r"\p{Greek}", r"\pL", r"\012", "(?i)ß"])
def test_what_is_right_but_not_understood_is_not_called_wrong(pattern: str) -> None:
    with pytest.raises(UnsupportedError):
        compiled(pattern)


PIECES = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", "(a|b)", "(ab)*", "a+", "b?", "a{1,2}", "^", "(?:b|)", r"\w", "a*b"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=5).map("".join), st.text("ab1\n", max_size=8))
def test_it_agrees_with_python_where_both_mean_the_same(pattern: str, text: str) -> None:
    assert compiled(pattern).search(text) is bool(re.search(pattern, text))


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "(.*)*x", "^(a?){500}a{500}$", ".*.*.*.*.*b"])
def test_no_expression_takes_long(pattern: str) -> None:
    start = time.process_time()
    assert compiled(pattern).search("a" * 20_000 + "!") is not True
    assert time.process_time() - start < 5


def test_what_would_grow_too_large_is_left_alone() -> None:
    with pytest.raises(UnsupportedError):
        compiled("((a{100}){100}){100}")
    with pytest.raises(UnsupportedError):
        compiled("(" * 5000 + ")" * 5000)
