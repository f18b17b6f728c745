"""The lines of a file that a finding points at: what of them may be shown, and how they are drawn with carets."""

# As in records.py, annotations are not postponed.

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from kubelint_ack.records import Span
from kubelint_ack.report.display import visible, width, wrap
from kubelint_ack.report.run import Run

MASK = "******"
"""Stands for a redacted part, whatever its length."""

TAB = "    "
NEAR = 6
"""Places at most so many lines apart share an excerpt."""

_REACH = 1000
"""How many characters around a place are looked at: lines of generated files may be megabytes long."""


class SourceText:
    """One file's text as reports may show it: lines and columns as in `Span`."""

    def __init__(self, text: str, redacted: Iterable[Span] = ()) -> None:
        self.text = text
        self.lines = [line.removesuffix("\r") for line in text.split("\n")]
        self._redacted = sorted(redacted)
        self._offsets: list[int] | None = None

    def clamp(self, span: Span) -> Span:
        """The first line of a span, inside the text; empty only where there is no character at all to point at."""
        line = min(max(span.line, 1), len(self.lines))
        size = len(self.lines[line - 1])
        start = min(max(span.column, 1), max(size, 1))
        end = span.end_column if span.end_line == span.line else size + 1
        return Span(line, start, line, min(max(end, start + 1), size + 1))

    def characters(self, line: int, start: int = 1, end: int | None = None) -> list[str]:
        """Columns `start` to `end` of a line, one text for each: escapes where needed, redacted ones as one mask."""
        row = self.lines[line - 1]
        content = row[start - 1 : None if end is None else end - 1]
        shown = list(content) if content.isprintable() else [c if c == "\t" else visible(c) for c in content]
        for span in self._redacted:
            if span.line > line:
                break
            if span.end_line < line:
                continue
            first = max(span.column if span.line == line else 1 + len(row) - len(row.lstrip()), start)
            last = min(span.end_column if span.end_line == line else start + len(content), start + len(content))
            if first < last:
                shown[first - start : last - start] = [MASK] + [""] * (last - first - 1)
        return shown

    def shown(self, line: int, start: int = 1, end: int | None = None) -> str:
        """The same as one text."""
        return "".join(self.characters(line, start, end))

    def byte_offset(self, line: int, column: int) -> int:
        """How many bytes of the text's UTF-8 form come before a place."""
        if self._offsets is None:
            self._offsets = [0]
            for row in self.text.split("\n"):
                self._offsets.append(self._offsets[-1] + _utf8(row) + 1)
        row = self.lines[line - 1][: column - 1] if line <= len(self.lines) else ""
        return self._offsets[min(line, len(self._offsets)) - 1] + _utf8(row)


def _utf8(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


class Sources:
    """The texts of a run's files, read once each."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: dict[str, SourceText | None] = {}

    def get(self, path: str) -> SourceText | None:
        """The text of a file; None if it is gone."""
        if path not in self._known:
            text = self._run.text_of(path)
            self._known[path] = None if text is None else SourceText(text, self._run.redacted(path))
        return self._known[path]


class Mark(NamedTuple):
    """A place to underline."""

    span: Span
    primary: bool
    label: str = ""


class Row(NamedTuple):
    """One row of an excerpt: `number` is the line's, 0 for carets, -1 where lines are left out."""

    number: int
    text: str
    style: Literal["code", "primary", "related", "gap"] = "code"


def draw(source: SourceText, marks: Sequence[Mark], columns: int) -> list[Row]:
    """The rows for some places of one file, the line before the first included, none wider than `columns` cells."""
    placed = sorted((mark._replace(span=source.clamp(mark.span)) for mark in marks), key=lambda mark: mark.span)
    rows: list[Row] = []
    previous = placed[0].span.line - 2
    for line in sorted({mark.span.line for mark in placed}):
        if line - previous == 2 and previous >= 0 and (rows or source.lines[previous].strip()):
            rows.append(Row(line - 1, _plain(source, line - 1, columns)))
        elif line - previous > 2:
            rows.append(Row(-1, "...", "gap"))
        rows += _marked(source, [mark for mark in placed if mark.span.line == line], columns)
        previous = line
    return rows


def _plain(source: SourceText, line: int, columns: int) -> str:
    cells, cut = _cells(source.characters(line, 1, _REACH)), len(source.lines[line - 1]) >= _REACH
    return _window(cells, 0, 0, columns, False, cut)[0]


def _cells(characters: Iterable[str]) -> list[str]:
    return [TAB if character == "\t" else character for character in characters]


def _marked(source: SourceText, marks: Sequence[Mark], columns: int) -> list[Row]:
    """One line and the carets under it."""
    leading = next((mark for mark in marks if mark.primary), marks[0])
    line, size = leading.span.line, len(source.lines[leading.span.line - 1])
    low, high = max(1, leading.span.column - _REACH), min(size + 1, leading.span.column + _REACH)
    cells = _cells(source.characters(line, low, high))
    edges = [0]
    for cell in cells:
        edges.append(edges[-1] + width(cell))

    def edge(column: int) -> int:
        return edges[min(max(column - low, 0), len(cells))]

    start, end = edge(leading.span.column), edge(leading.span.end_column)
    text, shift, room = _window(cells, start, end, columns, low > 1, high <= size)
    rows = [Row(line, text)]
    for mark in marks:
        first = min(max(edge(mark.span.column) - shift, 0), room - 1)
        last = min(max(edge(mark.span.end_column) - shift, first + 1), room)
        caret = " " * first + ("^" if mark.primary else "-") * (last - first)
        style: Literal["primary", "related"] = "primary" if mark.primary else "related"
        if mark.label and last + 1 + width(mark.label) <= columns:
            rows.append(Row(0, f"{caret} {mark.label}", style))
            continue
        rows.append(Row(0, caret, style))
        if mark.label:
            fits = columns - width(mark.label)
            indent = " " * min(first, fits if fits >= 0 else columns // 3)
            rows += [Row(0, indent + part, style) for part in wrap(mark.label, columns - len(indent))]
    return rows


def _window(
    cells: Sequence[str], start: int, end: int, columns: int, cut_left: bool, cut_right: bool
) -> tuple[str, int, int]:
    """The part of a line that shows cells `start` to `end`, how far it is shifted left, and how many cells it takes."""
    edges = [0]
    for cell in cells:
        edges.append(edges[-1] + width(cell))
    total = edges[-1]
    if total <= columns and not cut_left and not cut_right:
        return "".join(cells).rstrip(), 0, max(columns, end + 1)
    left = 0
    if cut_left or end > columns - 1:
        caret = min(end - start, columns - 2)
        left = max(0, start - min(columns - 2 - caret, columns // 3))
    first = bisect_right(edges, left) - 1 if left else 0
    if first or cut_left:
        first += 1 if edges[first] < left else 0
    prefix = "…" if first or cut_left else ""
    limit = edges[first] + columns - len(prefix)
    last = bisect_right(edges, limit) - 1
    suffix = "…" if last < len(cells) or cut_right else ""
    if suffix:
        last = bisect_right(edges, limit - 1) - 1
    text = prefix + "".join(cells[first:last]) + suffix
    return text, edges[first] - len(prefix), min(columns, width(text))
