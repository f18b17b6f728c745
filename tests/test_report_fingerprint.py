"""GitHub's line hash against the vectors of its own tests (github/codeql-action: src/fingerprints.test.ts)."""

from __future__ import annotations

import time

import pytest

from kubelint_ack.report.fingerprint import LineHashes

LOREM = "Lorem ipsum dolor sit amet.\n" * 10


@pytest.mark.parametrize(
    ("text", "hashes"),
    [
        ("", "c129715d7a2bc9a3:1"),
        (" a\nb\n  \t\tc\n d", "271789c17abda88f:1 54703d4cd895b18:1 180aee12dab6264:1 a23a3dc5e078b07b:1"),
        (
            "x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n",
            (
                "e54938cc54b302f1:1 bb609acbe9138d60:1 1131fd5871777f34:1 5c482a0f8b35ea28:1 54517377da7028d2:1 "
                "2c644846cb18d53e:1 f1b89f20de0d133:1 c129715d7a2bc9a3:1"
            ),
        ),
        (
            LOREM,
            (
                "a7f2ff13bc495cf2:1 a7f2ff13bc495cf2:2 a7f2ff13bc495cf2:3 a7f2ff13bc495cf2:4 a7f2ff13bc495cf2:5 "
                "a7f2ff13bc495cf2:6 a7f2ff1481e87703:1 a9cf91f7bbf1862b:1 55ec222b86bcae53:1 cc97dc7b1d7d8f7b:1 "
                "c129715d7a2bc9a3:1"
            ),
        ),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_vectors(text: str, hashes: str, ending: str) -> None:
    """Line ends make no difference."""
    found = LineHashes(text.replace("\n", ending))
    assert [found.of(line) for line in range(1, len(found) + 1)] == hashes.split()


def test_units_are_those_of_utf_16() -> None:
    """The two halves of an emoji, as the definition says: 37 * first + second, then 98 more powers for the rest."""
    units = [0xD83D, 0xDE00, 0xFFFF] + [0] * 97
    value = sum(unit * 37 ** (99 - index) for index, unit in enumerate(units)) % 2**64
    assert LineHashes("😀").of(1) == f"{value:x}:1"


def test_chinese_and_emoji() -> None:
    """As `sarif-multitool rewrite --insert RollingHashPartialFingerprints` 5.7.0 writes them."""
    found = LineHashes("名称: 网关 # 😀\n\ta: b\r\n\r\nlast 😀")
    assert [found.of(line) for line in (1, 2, 4)] == ["ee25299c192a5916:1", "82b7defdb39a57f9:1", "1c2773d462c452cc:1"]


def test_empty_lines_count() -> None:
    found = LineHashes("\n\n\na")
    assert len(found) == 4
    assert found.of(4) != found.of(3)


@pytest.mark.parametrize("line", [0, 3, -1])
def test_a_line_that_is_not_there_has_no_hash(line: int) -> None:
    assert LineHashes("a\nb").of(line) == ""


def test_a_large_file_is_quick() -> None:
    text = "    name: value\n" * 100_000
    started = time.perf_counter()
    LineHashes(text).of(99_000)
    assert time.perf_counter() - started < 1
