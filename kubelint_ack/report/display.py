"""Text on a terminal or in a CI log: how wide it is, where it may break, and what in it must not be taken literally."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

HIDDEN = "\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
"""Inside a character class: controls beyond ASCII, and what reorders text or cannot be seen."""


@cache
def _unsafe() -> re.Pattern[str]:
    """ASCII's controls (line ends too), what is hidden, and what cannot be encoded."""
    return re.compile(f"[\x00-\x1f{HIDDEN}\ud800-\udfff]")


_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """The text on one line, with every control, bidirectional or invisible character as an escape (`\\x1b`)."""
    return text if text.isprintable() else _unsafe().sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
        code -= 0xDC00
    if code <= 0xFF:
        return _NAMED.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}
"""Only severities are coloured."""

_COMMAND = r"^(?:\s|\x1b\[[0-9;]*m)*:(?=:)|#(?=#[A-Za-z]*\[)"


def defuse(line: str) -> str:
    """One line of output in which no CI system finds a command.

    GitHub's runner takes `::` at the start of a line and `##[` anywhere, Azure `##vso[`, TeamCity `##teamcity[`
    (actions/runner: src/Runner.Common/ActionCommand.cs): a zero-width space parts them.
    """
    return re.sub(_COMMAND, "\\g<0>\u200b", line)


def width(text: str) -> int:
    """How many terminal cells the text takes: East Asian wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if character < "\u0300":
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


_CLOSING = frozenset("。，、；：！？）】」』》〉”’…,.;:!?)]}%")
_OPENING = frozenset("（【「『《〈“‘([{")
_CHINESE_MARKS = frozenset("。，、；：！？（）【】「」『』《》〈〉“”")


def wrap(text: str, columns: int, indent: str = "") -> list[str]:
    """The text in lines of at most so many cells, all but the first after `indent`.

    Lines break at spaces and beside East Asian characters, never before closing or after opening punctuation. A word
    that is too long (an address, an image) stays whole, so that it can be copied.
    """
    lines: list[str] = []
    line, used = "", 0
    for piece, spaced in _pieces(text):
        size = width(piece)
        start = len(indent) if lines else 0
        gap = 1 if spaced and used > start else 0
        if used > start and used + gap + size > columns:
            lines.append(line)
            line, used, gap = indent, len(indent), 0
        line += " " * gap + piece
        used += gap + size
    return [*lines, line]


def _pieces(text: str) -> list[tuple[str, bool]]:
    """What may not be divided, and whether a space stood before it."""
    pieces: list[tuple[str, bool]] = []
    for word in text.split():
        spaced = True
        for part in _units().findall(word) if not word.isascii() else (word,):
            glued = not spaced and (part[0] in _CLOSING or pieces[-1][0][-1] in _OPENING)
            if glued:
                pieces[-1] = (pieces[-1][0] + part, pieces[-1][1])
            else:
                pieces.append((part, spaced))
            spaced = False
    return pieces


_WIDE = (
    "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff"
    "\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003fffd"
)


@cache
def _units() -> re.Pattern[str]:
    """Scripts that are written without spaces may break after each character."""
    return re.compile(f"[{_WIDE}]|[^{_WIDE}]+")


def flow(text: str) -> str:
    """The first paragraph of a Markdown text on one line, as `joined`."""
    return joined(text.strip().split("\n\n", 1)[0])


def joined(paragraph: str) -> str:
    """The lines of a paragraph on one line; no space joins two lines of Chinese, or stands beside a full-width mark."""
    text = ""
    for line in paragraph.splitlines():
        line = line.strip()
        if text and line and not _unspaced(text[-1], line[0]):
            text += " "
        text += line
    return text


def _unspaced(before: str, after: str) -> bool:
    return before in _CHINESE_MARKS or after in _CHINESE_MARKS or _cells(before) == _cells(after) == 2
