"""The program's own words: both catalogues say the same things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kubelint_ack.words import PIECE, catalogue, fill, say

PACKAGE = Path(__file__).parent.parent / "kubelint_ack"


def placeholders(text: str) -> set[str]:
    return {match.group(1) for match in PIECE.finditer(text) if match.group(1)}


def entry_placeholders(language: str, key: str) -> set[str]:
    entry = catalogue(language)[key]
    return placeholders(entry) if isinstance(entry, str) else placeholders(entry["other"])


def test_both_languages_have_the_same_keys() -> None:
    assert catalogue("en").keys() == catalogue("zh").keys()


def test_both_languages_have_the_same_placeholders() -> None:
    different = [key for key in catalogue("en") if entry_placeholders("en", key) != entry_placeholders("zh", key)]
    assert different == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_singular_and_plural_say_the_same(language: str) -> None:
    for key, entry in catalogue(language).items():
        if isinstance(entry, dict):
            assert set(entry) <= {"one", "other"}, key
            one = entry.get("one", entry["other"])
            assert placeholders(entry["other"]) - {"count"} == placeholders(one) - {"count"}, key


def test_every_key_that_the_program_says_exists() -> None:
    said = re.compile(r"""\bsay\(\s*(?:[\w.]+,\s*)?(f?)"([^"]+)\"""")
    missing = []
    for path in PACKAGE.rglob("*.py"):
        for formatted, key in said.findall(path.read_text(encoding="utf-8")):
            pattern = re.compile(
                re.sub(r"\\\{[^}]*\\\}|\{[^}]*\}", ".+", re.escape(key)) if formatted else re.escape(key)
            )
            if not any(pattern.fullmatch(known) for known in catalogue("en")):
                missing.append((path.name, key))
    assert missing == []


def test_chinese_uses_full_width_punctuation() -> None:
    """A comma, colon or full stop right after a Chinese character is a Chinese one."""
    wrong = [
        text
        for key, entry in catalogue("zh").items()
        for text in ([entry] if isinstance(entry, str) else entry.values())
        if re.search("[\u4e00-\u9fff][,.:;!?(]", text)
    ]
    assert wrong == []


def test_fill_replaces_placeholders_and_halves_doubled_braces() -> None:
    assert fill("{a} {{x}} {b-c}", {"a": 1, "b-c": "{a}"}) == "1 {x} {a}"


def test_fill_shows_a_missing_value_as_none() -> None:
    assert fill("{a}", {}, lambda value: "?" if value is None else "!") == "?"


def test_say_chooses_the_plural() -> None:
    assert say("en", "count.files", count=1) == "1 file"
    assert say("en", "count.files", count=0) == "0 files"
    assert say("zh", "count.files", count=1) == "1 个文件"


def test_say_refuses_an_unknown_key() -> None:
    with pytest.raises(KeyError):
        say("en", "no.such.key")
