"""Text on a terminal: widths, line breaks, and what is never printed as it is."""

from __future__ import annotations

import pytest

from kubelint_ack.report.display import defuse, flow, visible, width, wrap


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 名称 😀", "plain 名称 😀"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202edef\u2066", "abc\\u202edef\\u2066"),
        ("a\u2028b", "a\\u2028b"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("caf\udce9", "caf\\xe9"),
        ("lone\ud800", "lone\\ud800"),
        ("wide\u3000space", "wide\u3000space"),
        ("👩‍💻", "👩‍💻"),
    ],
)
def test_visible_escapes_what_controls_or_deceives(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_every_control_character_is_escaped() -> None:
    for code in (*range(0x20), *range(0x7F, 0xA0)):
        assert visible(chr(code)).isprintable()


@pytest.mark.parametrize(
    "line",
    [
        "::set-env name=PATH::/evil",  # GitHub, at the start of a line
        "   ::add-mask::x",  # GitHub, after spaces
        "\x1b[1m  ::stop-commands::x",  # the same after a colour
        "text ##[set-env name=PATH;]/evil",  # GitHub's older form, anywhere
        "##[error]x",  # Azure
        "a ##vso[task.setvariable variable=x]y",  # Azure
        "##teamcity[buildStop]",
    ],
)
def test_no_ci_command_survives(line: str) -> None:
    safe = defuse(line)
    assert not safe.replace("\x1b[1m", "").lstrip().startswith("::")
    assert "##[" not in safe
    assert "##vso[" not in safe
    assert "##teamcity[" not in safe
    assert safe.replace("\u200b", "") == line


@pytest.mark.parametrize("line", ["a::b", "path.yaml:1:1: error", "# heading", "## heading [x]", "12 | ::x"])
def test_ordinary_lines_stay(line: str) -> None:
    assert defuse(line) == line


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("abc", 3),
        ("名称", 4),
        ("😀", 2),
        ("e\u0301", 1),
        ("é", 1),
        ("：", 2),
        ("…", 1),
        ("ﾊ", 1),
        ("한", 2),
        ("\u200d", 0),
    ],
)
def test_width_counts_terminal_cells(text: str, cells: int) -> None:
    assert width(text) == cells


def test_wrap_breaks_at_spaces_and_indents_what_follows() -> None:
    assert wrap("one two three four", 9, "  ") == ["one two", "  three", "  four"]


def test_wrap_breaks_chinese_anywhere_but_before_closing_punctuation() -> None:
    assert wrap("命名空间没有，标签。", 12) == ["命名空间没", "有，标签。"]
    assert wrap("选择器（见下）", 8) == ["选择器", "（见下）"]


def test_wrap_keeps_words_whole() -> None:
    assert wrap("see https://example.com/a/long/address now", 12) == [
        "see",
        "https://example.com/a/long/address",
        "now",
    ]


@pytest.mark.parametrize("columns", range(20, 60))
def test_wrap_loses_nothing_and_keeps_the_width(columns: int) -> None:
    text = "命名空间“shop”中没有带标签“app=wbe”的 Pod，因此访问该 Service 的所有连接都会被拒绝。Fine 😀 (really)."
    lines = wrap(text, columns, "  ")
    assert all(width(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_flow_joins_the_lines_of_the_first_paragraph() -> None:
    assert flow("one\n  two\n\nthree") == "one two"
    assert flow("中文，\n中文 a\nb") == "中文，中文 a b"
    assert flow("中文\na，\nb\n“c”") == "中文 a，b“c”"
