"""Excerpts: carets in the right cells, long lines cut, Secret data masked."""

from __future__ import annotations

import time

import pytest
from report_run import GATEWAY, SECRET, redacted, span

from kubelint_ack.records import Span
from kubelint_ack.report.display import width
from kubelint_ack.report.excerpt import MASK, Mark, SourceText, draw


def rows(text: str, *marks: Mark, columns: int = 60) -> list[str]:
    return [f"{row.number}|{row.text}" for row in draw(SourceText(text), marks, columns)]


def test_carets_count_cells_not_characters() -> None:
    line = 'labels: {名称: 网关, note: "😀\tx"}'
    assert rows(line, Mark(span(line, "网关"), True)) == [
        '1|labels: {名称: 网关, note: "😀    x"}',
        "0|               ^^^^",
    ]
    assert rows(line, Mark(span(line, "x"), True))[1] == "0|" + " " * 34 + "^"


def test_combining_characters_take_no_cell() -> None:
    assert rows("cafe\u0301: x", Mark(Span(1, 8, 1, 9), True)) == ["1|cafe\u0301: x", "0|      ^"]


def test_the_line_before_is_shown_unless_it_is_blank() -> None:
    assert rows("a: 1\nb: 2\n", Mark(Span(2, 1, 2, 2), True)) == ["1|a: 1", "2|b: 2", "0|^"]
    assert rows("a: 1\n\nb: 2\n", Mark(Span(3, 1, 3, 2), True)) == ["3|b: 2", "0|^"]


def test_places_of_one_excerpt_are_drawn_in_order_with_a_gap() -> None:
    text = "\n".join(f"line{number}" for number in range(1, 10))
    found = rows(text, Mark(Span(6, 1, 6, 6), True), Mark(Span(2, 1, 2, 5), False, "here"))
    assert found == ["1|line1", "2|line2", "0|---- here", "-1|...", "6|line6", "0|^^^^^"]


def test_two_places_on_one_line_have_a_row_each() -> None:
    found = rows("a: {b: 1, c: 2}", Mark(Span(1, 5, 1, 9), False, "first"), Mark(Span(1, 11, 1, 15), True))
    assert found == ["1|a: {b: 1, c: 2}", "0|    ---- first", "0|          ^^^^"]


@pytest.mark.parametrize(
    ("where", "caret"),
    [
        (Span(1, 2, 1, 2), "0| ^"),  # empty
        (Span(1, 9, 1, 12), "0|   ^"),  # beyond the end: the last character
        (Span(1, 2, 3, 1), "0| ^^^"),  # over several lines: to the end of the first
    ],
)
def test_odd_spans_still_point_at_something(where: Span, caret: str) -> None:
    assert rows("a: b\nc\nd", Mark(where, True))[1] == caret


@pytest.mark.parametrize("line", [0, 9])
def test_a_line_outside_the_file_is_clamped(line: int) -> None:
    assert rows("", Mark(Span(line, 1, line, 2), True)) == ["1|", "0|^"]


@pytest.mark.parametrize("columns", [40, 57, 60, 117])
@pytest.mark.parametrize("at", [0, 20, 200, 396])
@pytest.mark.parametrize("filler", ["x", "名"])
def test_long_lines_are_cut_around_the_caret(columns: int, at: int, filler: str) -> None:
    line = filler * at + "HERE" + filler * (396 - at)
    code, caret = rows(line, Mark(span(line, "HERE"), True), columns=columns)
    code, caret = code[2:], caret[2:]
    assert width(code) <= columns
    assert width(caret) <= columns
    assert caret.strip() == "^^^^"
    before = len(caret) - 4
    shown = code[: code.index("HERE")]
    assert width(shown) == before
    assert code.startswith("…") == (not line.startswith(code.strip("…")))
    assert code.endswith("…") == (not line.endswith(code.strip("…")))


def test_a_caret_wider_than_the_terminal_is_cut() -> None:
    code, caret = rows("k: " + "v" * 500, Mark(Span(1, 4, 1, 504), True), columns=50)
    assert width(code[2:]) <= 50
    assert width(caret[2:]) <= 50
    assert code.endswith("…")


def test_a_label_that_does_not_fit_moves_below() -> None:
    text = "x" * 30
    assert rows(text, Mark(Span(1, 25, 1, 31), False, "a label"), columns=34)[1:] == [
        "0|" + " " * 24 + "------",
        "0|" + " " * 24 + "a label",
    ]
    assert (
        rows(text, Mark(Span(1, 25, 1, 31), False, "twelve chars"), columns=30)[2] == "0|" + " " * 18 + "twelve chars"
    )


def test_a_megabyte_line_costs_nothing() -> None:
    text = '{"a":"' + "x" * 5_000_000 + '"}'
    source = SourceText(text)
    started = time.perf_counter()
    for column in range(1, 4_000_000, 200_000):
        draw(source, [Mark(Span(1, column, 1, column + 1), True)], 80)
    assert time.perf_counter() - started < 1


def test_line_numbers_follow_line_feeds_only() -> None:
    """YAML parsers also break at U+2028 and U+0085; consumers of our line numbers do not."""
    source = SourceText("a: 1\u2028\r\nb: \x85 2\rc\n")
    assert len(source.lines) == 3
    assert source.shown(1) == "a: 1\\u2028"
    assert source.shown(2) == "b: \\x85 2\\rc"


def test_secret_data_is_masked_whatever_its_length() -> None:
    source = SourceText(SECRET, redacted("secret.yaml"))
    assert [source.shown(line) for line in range(4, 8)] == [
        "data:",
        f"  password: {MASK}",
        f"  note: {MASK}",
        f"    {MASK}",
    ]
    assert source.shown(5, 20, 25) == MASK
    assert "hunter2" not in "".join(row.text for row in draw(source, [Mark(Span(5, 13, 5, 31), True)], 60))


def test_byte_offsets_are_those_of_utf_8() -> None:
    source = SourceText(GATEWAY.replace("\n", "\r\n"))
    where = span(GATEWAY, "tier")
    expected = GATEWAY.replace("\n", "\r\n").encode().index(b"tier")
    assert source.byte_offset(where.line, where.column) == expected
