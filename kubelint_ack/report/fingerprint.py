"""GitHub's own fingerprint of a line, so that its alerts survive edits elsewhere in the file.

The algorithm of github/codeql-action, `src/fingerprints.ts`: every line is known by a hash of the 100 UTF-16 units
that follow its start, spaces and tabs left out, and by how often that hash occurred before in the file.
"""

from __future__ import annotations

import re

_WINDOW = 100
_FACTOR = 37
_END = "\uffff"
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_START = re.compile("(?<=\n)(?s:.)|\\A(?s:.)")


class LineHashes:
    """The `primaryLocationLineHash` of each line of a file, made when asked for."""

    def __init__(self, text: str) -> None:
        """`text` is that of the whole file."""
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace(" ", "").replace("\t", "")
        if _ASTRAL.search(text):
            text = _ASTRAL.sub(_pair, text)
        text += _END + "\0" * _WINDOW
        self._windows: list[str] = []
        self._ordinals: list[int] = []
        seen: dict[str, int] = {}
        end = len(text) - _WINDOW
        for match in _START.finditer(text, 0, end):
            window = text[match.start() : match.start() + _WINDOW]
            seen[window] = seen.get(window, 0) + 1
            self._windows.append(window)
            self._ordinals.append(seen[window])

    def __len__(self) -> int:
        return len(self._windows)

    def of(self, line: int) -> str:
        """The hash of a line (from 1), `39fa2ee980eb94b0:1`; empty if the file has no such line."""
        if not 1 <= line <= len(self._windows):
            return ""
        value = 0
        for unit in self._windows[line - 1]:
            value = value * _FACTOR + ord(unit) & 0xFFFFFFFFFFFFFFFF
        return f"{value:x}:{self._ordinals[line - 1]}"


def _pair(match: re.Match[str]) -> str:
    """A character outside the basic plane as its two UTF-16 units."""
    code = ord(match.group()) - 0x10000
    return chr(0xD800 + (code >> 10)) + chr(0xDC00 + (code & 0x3FF))
