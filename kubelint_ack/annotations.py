"""Values of annotations that hold several parts: lists, pairs and maps, each part with its place in the text.

Nothing is trimmed: controllers differ in what they make of white space, so a part is what stands between separators.
"""

# As in records.py, annotations are not postponed.

import re
from typing import NamedTuple


class Part(NamedTuple):
    """A piece of a value: its text and its offsets, end exclusive."""

    text: str
    start: int
    end: int

    @property
    def bare(self) -> "Part":
        """Without white space around it (empty ones stay where they are)."""
        stripped = self.text.strip()
        if not stripped:
            return self
        start = self.start + self.text.index(stripped)
        return Part(stripped, start, start + len(stripped))

    @property
    def blank(self) -> bool:
        """Whether white space stands around it."""
        return self.text != self.text.strip()

    def split(self, separator: str) -> "list[Part]":
        """The pieces between separators; at least one."""
        found = []
        start = self.start
        for text in self.text.split(separator):
            found.append(Part(text, start, start + len(text)))
            start += len(text) + len(separator)
        return found


class Entry(NamedTuple):
    """An item of a list with commas, and its fields between colons."""

    whole: Part
    fields: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The item as written."""
        return self.whole.text

    @property
    def vague(self) -> bool:
        """Whether something is to be filled in before it is applied."""
        return is_placeholder(self.whole.text)

    def field(self, index: int) -> str:
        """A field without white space around it; empty if there is none."""
        return self.fields[index].text.strip() if index < len(self.fields) else ""


def items(value: str) -> list[Part]:
    """What stands between commas."""
    return Part(value, 0, len(value)).split(",")


def entries(value: str, separator: str = ":") -> list[Entry]:
    """The items of a list, each divided into fields."""
    return [Entry(item, tuple(item.split(separator))) for item in items(value)]


_PLACEHOLDER = r"(?i)[{}<>$*]|xxx|your[-_]"


def is_placeholder(text: str) -> bool:
    """Whether a key or value, or a part of it, is to be filled in before it is applied."""
    return re.search(_PLACEHOLDER, text) is not None


def atoi(text: str) -> int | None:
    """The number as Go's strconv.Atoi reads it: a sign and decimal digits, nothing else."""
    return int(text) if re.fullmatch("[+-]?[0-9]{1,18}", text) else None


def port_range(text: str) -> tuple[int, int] | None:
    """`first-last` with 1 <= first < last <= 65535; None if it is not one."""
    first, dash, last = text.partition("-")
    low, high = atoi(first), atoi(last)
    if not dash or low is None or high is None or not 1 <= low < high <= 65535:
        return None
    return low, high
