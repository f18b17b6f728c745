"""Decoded documents, and where everything in them stands: field paths to spans, comments, entries by line."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from yaml.error import YAMLError
from yaml.events import ScalarEvent, StreamEndEvent

from kubelint_ack.events import MAX_DOCUMENTS, Window, parser, pieces
from kubelint_ack.records import FieldPath, Place, Route, Span, Step, field_text

Offsets = tuple[int, int]
"""Start and end in code points of the text, the end exclusive."""


class Problem(NamedTuple):
    """Something that the decoder itself has to say; it becomes a finding of an engine rule."""

    kind: str
    """`yaml-syntax`, `yaml-duplicate-key`, `control-character`, `encoding`, `file-too-large`, `document-too-deep`,
    `alias-budget`, `anchor-limit` or `document-limit`."""
    span: Span
    route: Route
    """The route of the field in its document; empty if there is none."""
    values: dict[str, Any]
    related: Span | None = None


class Written(NamedTuple):
    """Where a value that an alias or a merge key brings was written."""

    key: Offsets | None
    value: Offsets

    def moved(self, by: int) -> Written:
        """The same with all offsets moved."""
        key = (self.key[0] + by, self.key[1] + by) if self.key else None
        return Written(key, (self.value[0] + by, self.value[1] + by))


class Marks:
    """The side table of a file's mappings and lists: offsets of all that they hold.

    A mapping's marks are `[start, end, key start, key end, value start, value end, …]` in the order of its keys,
    those of a list `[start, end, item start, item end, …]`. Where an alias stands, they are its own.
    """

    __slots__ = ("_by_id", "containers", "tables", "written")

    def __init__(self) -> None:
        self.containers: list[Any] = []
        self.tables: list[list[int]] = []
        """The marks of each container."""
        self.written: dict[int, dict[Step, Written]] = {}
        """By id of the container and step: what came by an alias or a merge key."""
        self._by_id: dict[int, list[int]] = {}

    def of(self, container: Any) -> list[int]:
        """The marks of a container."""
        known = len(self._by_id)
        if known < len(self.containers):
            self._by_id.update(zip(map(id, self.containers[known:]), self.tables[known:]))
        return self._by_id[id(container)]

    def add(self, other: Marks, by: int) -> None:
        """Take over the marks of another table, moved."""
        self.containers += other.containers
        self.tables += ([offset + by for offset in table] for table in other.tables)
        for identity, steps in other.written.items():
            self.written[identity] = {step: one.moved(by) for step, one in steps.items()}


class Lines:
    """A text and where its lines start. Only a line feed ends a line, whatever YAML takes for a line break."""

    __slots__ = ("_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts: list[int] | None = None

    @property
    def starts(self) -> list[int]:
        """The offset of each line's first character."""
        if self._starts is None:
            self._starts = []
            position = 0
            for line in self.text.split("\n"):
                self._starts.append(position)
                position += len(line) + 1
        return self._starts

    def span(self, start: int, end: int) -> Span:
        """Lines and columns of two offsets."""
        starts = self.starts
        line = bisect_right(starts, start)
        end_line = line if line == len(starts) or end < starts[line] else bisect_right(starts, end)
        return Span(line, start - starts[line - 1] + 1, end_line, end - starts[end_line - 1] + 1)


class Document:
    """One document of a file that is not empty."""

    __slots__ = (
        "_lines",
        "complete",
        "data",
        "end",
        "failed",
        "has_unknown",
        "index",
        "problems",
        "start",
        "template",
    )

    def __init__(self, lines: Lines, index: int, start: int, end: int) -> None:
        # Not the Decoded that holds this document: without cycles memory is free at once, garbage collector or not.
        self._lines = lines
        self.index = index
        """From 0, among the documents of the file that are not empty."""
        self.start = start
        """Offsets of the content in code points."""
        self.end = end
        self.data: Any = None
        """Plain dicts, lists, strings, numbers, booleans, None, and `Unknown`; None if the document failed."""
        self.problems: list[Problem] = []
        self.complete = True
        """False if something was left out: too deep, too many aliases, a syntax error."""
        self.has_unknown = False
        """Whether some key or value is unknown before a template is rendered."""
        self.failed = False
        """Whether it is no YAML, so that there is no data."""
        self.template = False
        """Whether it failed and its text holds Go template or Jinja actions: no syntax error is claimed then."""

    @property
    def span(self) -> Span:
        """The whole content."""
        return self._lines.span(self.start, self.end)


class _Found(NamedTuple):
    """How far a route leads."""

    depth: int
    """How many of its steps exist."""
    container: Any
    """What holds the last of them, by `step`; None if not even the first exists."""
    step: Step
    node: Any
    """The value there."""
    alias: tuple[Any, Step] | None
    """The first container and step on the way that is an alias or came by a merge key."""


class Entry(NamedTuple):
    """A mapping entry or list item in an outline."""

    start: int
    depth: int
    step: Step
    parent: Entry | None

    @property
    def route(self) -> Route:
        """Its route in the document."""
        steps: list[Step] = []
        entry: Entry | None = self
        while entry:
            steps.append(entry.step)
            entry = entry.parent
        return tuple(reversed(steps))


class Decoded:
    """The documents of a file and its text."""

    def __init__(self, text: str, encoding: str) -> None:
        self.text = text
        """Without a byte order mark."""
        self.encoding = encoding
        """`utf-8`, `utf-8-bom`, `utf-16`, `gb18030` or `unknown`."""
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        """Those of the whole file."""
        self.marks = Marks()
        self.lines = Lines(text)
        self._outlines: dict[int, list[Entry]] = {}

    def span(self, start: int, end: int) -> Span:
        """Lines and columns of two offsets in the text."""
        return self.lines.span(start, end)

    def line_text(self, line: int) -> str:
        """The text of a line, from 1, without its end."""
        starts = self.lines.starts
        end = starts[line] - 1 if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].removesuffix("\r")

    def place(self, document: Document, prefix: Route, path: FieldPath) -> Place:
        """Where a field path of the resource at `prefix` stands, always on one line.

        The field of a list item is the item if it is a scalar, else its `name`, else its first entry. An absent field
        stands at the key of its nearest existing parent; a resource at its `kind`.
        """
        route = prefix + path.route
        found = self._find(document.data, route)
        anchor = None
        if found.depth <= len(prefix):
            offsets = self._resource(document, found, len(prefix))
        elif found.alias is None:
            offsets = self._field(found, path, found.depth == len(route))
        else:
            holder, step = found.alias
            if holder is found.container and step == found.step:
                offsets = self._field(found, path, found.depth == len(route))
                written = self.marks.written[id(holder)][step]
                anchor_offsets = self._key_and_scalar(written.key, written.value) if written.key else written.value
            else:
                offsets = self._entry(holder, step)[1]
                anchor_offsets = self._field(found, path, found.depth == len(route))
            anchor = self.line_span(*anchor_offsets)
        field = _field_text(path.route)
        stable = self.stable(document.data, prefix, path.route) if "[" in field else field
        return Place(self.line_span(*offsets), field, stable, anchor)

    def _find(self, node: Any, route: Route) -> _Found:
        container: Any = None
        last: Step = ""
        depth = 0
        alias = None
        written = self.marks.written
        for step in route:
            if isinstance(node, dict):
                if step not in node:
                    break
            elif not isinstance(node, list) or not isinstance(step, int) or not 0 <= step < len(node):
                break
            if written and alias is None and step in written.get(id(node), ()):
                alias = (node, step)
            container, last, node = node, step, node[step]
            depth += 1
        return _Found(depth, container, last, node, alias)

    def _entry(self, container: Any, step: Step) -> tuple[Offsets | None, Offsets]:
        """Offsets of the key (None for a list item) and of the value."""
        marks = self.marks.of(container)
        if isinstance(step, int):
            return None, (marks[2 + 2 * step], marks[3 + 2 * step])
        at = 2 + 4 * list(container).index(step)
        return (marks[at], marks[at + 1]), (marks[at + 2], marks[at + 3])

    def _field(self, found: _Found, path: FieldPath, exists: bool) -> Offsets:
        key, value = self._entry(found.container, found.step)
        is_scalar = self._is_scalar(found.container, found.step)
        if exists and path.part == "value" and value[0] < value[1]:
            if path.start >= 0 and is_scalar and isinstance(found.node, str):
                return self._slice(value, found.node, path.start, path.end)
            return value
        if key is None:
            return self._item(found.container, found.step)
        return self._key_and_scalar(key, value) if exists and path.part == "field" and is_scalar else key

    def _is_scalar(self, container: Any, step: Any) -> bool:
        """Whether the text of a value is a single token: a scalar or an alias."""
        return not isinstance(container[step], (dict, list)) or step in self.marks.written.get(id(container), ())

    def _key_and_scalar(self, key: Offsets, value: Offsets) -> Offsets:
        """From the key to the end of the value if both are on one line, else the key."""
        if value[0] < value[1] and "\n" not in self.text[key[0] : value[1]]:
            return key[0], value[1]
        return key

    def _item(self, container: Any, step: Any) -> Offsets:
        """What stands for a list item."""
        while True:
            value = self._entry(container, step)[1]
            item = container[step]
            if not item or self._is_scalar(container, step):
                return value
            if isinstance(item, dict):
                return self._head(item, "name")
            container, step = item, 0

    def _head(self, mapping: dict[str, Any], preferred: str) -> Offsets:
        """The entry that stands for a mapping: the preferred one if it has a scalar, else the first."""
        if preferred not in mapping or not self._is_scalar(mapping, preferred):
            preferred = next(iter(mapping))
        key, value = self._entry(mapping, preferred)
        if key is None or not self._is_scalar(mapping, preferred):
            return key or value
        return self._key_and_scalar(key, value)

    def _resource(self, document: Document, found: _Found, depth: int) -> Offsets:
        """What stands for a resource as a whole."""
        if found.depth == depth and isinstance(found.node, dict) and found.node and found.alias is None:
            return self._head(found.node, "kind")
        if found.container is not None:
            return self._item(found.container, found.step)
        if isinstance(found.node, list) and found.node:
            return self._item(found.node, 0)
        return document.start, document.end

    def _slice(self, value: Offsets, decoded: str, start: int, end: int) -> Offsets:
        """A piece of a scalar, where the source spells it as it decodes; else the whole."""
        text = self.text
        begin = value[0]
        if text[begin] == "|":
            return self._literal_slice(value, decoded, start, end)
        if text[begin] in "\"'":
            begin += 1
        if text.startswith(decoded[:end], begin) and "\n" not in decoded[:end]:
            return begin + start, begin + end
        return value

    def _literal_slice(self, value: Offsets, decoded: str, start: int, end: int) -> Offsets:
        """A piece of one line of a literal block scalar."""
        line_start = decoded.rfind("\n", 0, start) + 1
        line = decoded[line_start:].partition("\n")[0]
        if end > line_start + len(line):
            return value
        position = value[0]
        for _ in range(decoded.count("\n", 0, start) + 1):
            position = self.text.find("\n", position, value[1]) + 1
            if position == 0:
                return value
        line_end = self.text.find("\n", position)
        source = self.text[position : line_end if line_end >= 0 else len(self.text)].removesuffix("\r")
        if not source.endswith(line):
            return value
        position += len(source) - len(line) - line_start
        return position + start, position + end

    def line_span(self, start: int, end: int) -> Span:
        """Like `span`, cut at the end of the first line."""
        newline = self.text.find("\n", start, end)
        if newline >= 0:
            end = start + len(self.text[start:newline].rstrip())
        return self.span(start, end)

    def stable(self, node: Any, prefix: Route, route: Route) -> str:
        """The field, with the name of a list item in place of its index."""
        if prefix:
            node = self._find(node, prefix).node
        text = ""
        for step, piece in zip(route, _pieces(route)):
            if isinstance(node, dict):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
                node = node[step]
                name = node.get("name") if isinstance(node, dict) else None
                if isinstance(name, (str, int, float)):
                    piece = f"[{name}]"
            else:
                node = None
            text += piece
        return text.removeprefix(".")

    def node_span(self, document: Document, route: Route) -> Span:
        """The node at a route of the document, or its nearest existing parent, from the key to the end of the value."""
        found = self._find(document.data, route)
        if found.container is None:
            return document.span
        key, value = self._entry(*(found.alias or (found.container, found.step)))
        start = key[0] if key else value[0]
        return self.span(start, start + len(self.text[start : value[1]].rstrip()))

    def outline(self, document: Document) -> list[Entry]:
        """The entries of a document in the order of the text, parents before what they hold.

        Entries of a flow collection on a single line, and what an alias or a merge key brings, are left out.
        """
        known = self._outlines.get(document.index)
        if known is not None:
            return known
        outline: list[Entry] = []
        stack: list[tuple[Any, Entry | None, int]] = [(document.data, None, 0)]
        while stack:
            node, parent, depth = stack.pop()
            if not isinstance(node, (dict, list)):
                continue
            own = self.marks.of(node)
            if parent and self.text[own[0]] in "{[" and self.text.find("\n", own[0], own[1]) < 0:
                continue
            aliases = self.marks.written.get(id(node), {})
            steps: Iterable[tuple[Step, Any]] = node.items() if isinstance(node, dict) else enumerate(node)
            width = 4 if isinstance(node, dict) else 2
            for at, (step, child) in enumerate(steps):
                alias = aliases.get(step)
                if alias and alias.key:
                    continue
                entry = Entry(own[2 + width * at], depth, step, parent)
                outline.append(entry)
                if alias is None:
                    stack.append((child, entry, depth + 1))
        outline.sort(key=lambda entry: entry[:2])
        self._outlines[document.index] = outline
        return outline

    def comments(self) -> Iterator[tuple[int, str, bool]]:
        """Offset of its `#`, text without it, and whether it stands alone on its line, of every comment."""
        text = self.text
        position = 0
        for start, end in self._scalars():
            yield from self._comments_between(position, start)
            if text.startswith(("|", ">", "&", "!"), start):
                # A comment may follow the header of a block scalar.
                yield from self._comments_between(start, max(text.find("\n", start, end), start))
            position = max(position, end)
        yield from self._comments_between(position, len(text))

    def _comments_between(self, start: int, end: int) -> Iterator[tuple[int, str, bool]]:
        text = self.text
        for match in re.compile(_COMMENT).finditer(text, start, end):
            at = match.start()
            line_start = text.rfind("\n", 0, at) + 1
            yield at, match[0][1:].rstrip("\r"), not text[line_start:at].strip()

    def _scalars(self) -> Iterator[Offsets]:
        """Offsets of the scalars of all documents, also of those before an error."""
        for start, end in islice(pieces(self.text, 0), MAX_DOCUMENTS):
            if self.text.find("#", start, end) < 0:
                continue
            try:
                get_event = parser(Window(self.text, start, end)).get_event
                while True:
                    event = get_event()
                    kind = event.__class__
                    if kind is ScalarEvent:
                        yield event.start_mark.index + start, event.end_mark.index + start
                    elif kind is StreamEndEvent:
                        break
            except YAMLError:
                continue


# Between scalars and in text that is no YAML: at the start of a line, after a space or right behind a bracket or quote.
_COMMENT = r"""(?m)(?:^|(?<=[\s\]}"',]))#[^\n]*"""


# The same fields stand in document after document.
_field_text = lru_cache(maxsize=4096)(field_text)


@lru_cache(maxsize=4096)
def _pieces(route: Route) -> tuple[str, ...]:
    """The steps as they read inside a field's text: `.image`, `["a.b/c"]`, `[0]`."""
    return tuple(field_text((0, step))[3:] for step in route)
