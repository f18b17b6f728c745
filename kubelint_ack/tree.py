"""Parser events to documents: plain dicts and lists, the offsets of everything in a side table.

Nothing here recurses, so that no nesting can crash it, and every limit counts work, never time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from kubelint_ack.documents import Decoded, Document, Marks, Offsets, Problem, Written
from kubelint_ack.events import MAX_DOCUMENTS, TOO_DEEP, Window, parser, past_properties, restored, separator_rest
from kubelint_ack.records import Route, Step, Unknown
from kubelint_ack.scalars import (
    is_collection_tag,
    is_unknown_text,
    may_be_unknown,
    resolve,
    resolve_key,
    resolve_tagged,
)

_DEEPEST = 1_000
"""Nesting at which libyaml gives up; the limit is ours too, for a parser without one."""
_MOST_PROBLEMS = 1_000
"""Problems entered of one document; nobody reads more, and they are findings to be kept and shown."""
_LONGEST_UNKNOWN = 200
"""Characters kept of a collection that is not built."""

_ITEM, _KEY, _VALUE = 0, 1, 2
"""What is expected next: an item of a list (or the document itself), a key, or its value."""


class Limits(NamedTuple):
    """What one document may ask for."""

    depth: int
    nodes: int
    """What aliases and merge keys may expand to."""
    anchors: int


class Stopped(NamedTuple):
    """Why and where reading a stream ended before its end."""

    error: YAMLError
    offset: int
    """Where the first document that was not read begins, or the text after the last one that was."""
    between: bool
    """Whether a document was read and none was open."""


class DocumentLimitError(Exception):
    """The file holds more than MAX_DOCUMENTS; the argument is the offset of the first that is not read."""


class _MergeKey:
    """Stands for a `<<` key until its mapping is complete."""


class _BadKey:
    """Stands for a key that cannot be one until its mapping is complete."""


_PLAIN: dict[str, Any] = {}
"""Plain scalars by text: their values, or Unknown for those that need a closer look."""


def _plain(text: str) -> Any:
    """The entry for a plain scalar that is not in `_PLAIN` yet."""
    value: Any = resolve(text)
    if text == "<<" or may_be_unknown(text) or (isinstance(value, float) and not math.isfinite(value)):
        value = Unknown(text)
    if len(text) <= 64:
        if len(_PLAIN) > 50_000:
            _PLAIN.clear()
        _PLAIN[text] = value
    return value


class Builder:
    """Builds the documents of one file."""

    def __init__(self, decoded: Decoded, limits: Limits, watch: bool) -> None:
        """`watch`: whether quoted scalars need a look for templates."""
        self.decoded = decoded
        self.text = decoded.text
        self.limits = limits
        self.watch = watch
        self.begun = 0
        self.base = 0
        """Offset in the text of what the parser counts as 0."""
        self.marks = decoded.marks
        self.stack: list[tuple[Any, list[int], Any]] = []
        """The containers around the one that is being read, each with its marks and the key that leads on."""
        # Of the document that is being read:
        self.document: Document
        self.anchors: dict[str, tuple[Any, int, int]]
        """By name: the value and its offsets (of a container: its start only)."""
        self.anchors_full: bool
        self.budget: int
        """Nodes that aliases and merge keys may still bring."""
        self.irregular: dict[int, list[tuple[int, str]]]
        """By id of a mapping that must be settled at its end: its repeated keys, each with its position."""

    def window(self, source: Window, base: int) -> Stopped | None:
        """Like `stream`, for a piece that stands at `base` in the text."""
        self.base = base
        self.marks = Marks()
        stopped = self.stream(source)
        self.decoded.marks.add(self.marks, base)
        return stopped

    def stream(self, source: bytes | str | Window) -> Stopped | None:
        """Enter the documents of a stream; None if all of it was read.

        Raises DocumentLimitError.
        """
        # Two thirds of a whole run are spent in this loop: what is rare is in methods.
        text, base, watch, max_depth = self.text, self.base, self.watch, self.limits.depth
        containers, tables = self.marks.containers, self.marks.tables
        stack: list[tuple[Any, list[int], Any]] = []
        self.stack = stack
        plain, look_closer = _PLAIN, may_be_unknown
        container: Any = []
        own: list[Any] = [0, 0]
        state = _ITEM
        key: Any = ""
        key_start = key_end = resume = 0
        between = False
        try:
            get_event = parser(source).get_event
            while True:
                event = get_event()
                kind = event.__class__
                if kind is ScalarEvent:
                    start = event.start_mark.index
                    end = event.end_mark.index
                    if event.tag is not None:
                        value = self._tagged(event, container, key, state)
                        start = self._past_properties(start, end)
                    elif event.implicit[0]:
                        try:
                            value = plain[event.value]
                        except KeyError:
                            value = _plain(event.value)
                    else:
                        value = event.value
                        if watch and look_closer(value):
                            value = Unknown(value)
                    if event.anchor is not None:
                        start = self._past_properties(start, end)
                        if state != _KEY and type(value) is Unknown:
                            value = self._look(event, value, container, key)
                        self._anchor(event, value, start, end)
                elif kind is MappingStartEvent or kind is SequenceStartEvent:
                    start = event.start_mark.index
                    if event.tag is not None or event.anchor is not None:
                        start = self._past_properties(start, len(text))
                    if (
                        state == _KEY
                        or len(stack) >= max_depth
                        or (event.tag is not None and not is_collection_tag(event.tag))
                        or (watch and event.flow_style and text.startswith("{{", start + base))
                    ):
                        value, end = self._pass_over(start, get_event, container, key, state)
                    else:
                        value = {} if kind is MappingStartEvent else []
                        if state == _VALUE:
                            container[key] = value
                            own += key_start, key_end, start, start
                        else:
                            container.append(value)
                            own += start, start
                        stack.append((container, own, key))
                        container = value
                        own = [start, event.flow_style]
                        containers.append(value)
                        tables.append(own)
                        if event.anchor is not None:
                            self._anchor(event, value, start, start)
                        state = _KEY if kind is MappingStartEvent else _ITEM
                        continue
                elif kind is MappingEndEvent or kind is SequenceEndEvent:
                    # The end of a block collection is marked where the next token begins, behind comments.
                    own[1] = end = event.end_mark.index if own[1] else own[-1]
                    if self.irregular and id(container) in self.irregular:
                        self._settle(container, own)
                    container, own, key = stack.pop()
                    own[-1] = end
                    state = _KEY if container.__class__ is dict else _ITEM
                    continue
                elif kind is AliasEvent:
                    start = event.start_mark.index
                    end = event.end_mark.index
                    value = self._alias(event, container, key, state)
                elif kind is DocumentStartEvent:
                    between = False
                    resume = event.start_mark.index
                    self._begin_document(event)
                    continue
                elif kind is DocumentEndEvent:
                    between = True
                    resume = own[3]
                    self._finish(container.pop(), own[2] + base, resume + base)
                    own = [0, 0]
                    continue
                elif kind is StreamEndEvent:
                    return None
                else:
                    continue

                if state == _VALUE:
                    if type(value) is Unknown:
                        value = self._look(event, value, container, key)
                    container[key] = value
                    own += key_start, key_end, start, end
                    state = _KEY
                elif state == _KEY:
                    key = value if type(value) is str else self._key(event, value, container)
                    if key in container:
                        self.irregular.setdefault(id(container), []).append(((len(own) - 2) // 4, key))
                    key_start = start
                    key_end = end
                    state = _VALUE
                else:
                    if type(value) is Unknown:
                        value = self._look(event, value, container, key)
                    container.append(value)
                    own += start, end
        except YAMLError as error:
            # Its traceback would tie the frames that hold it into a cycle.
            return Stopped(error.with_traceback(None), resume + base, between)

    def _begin_document(self, event: Any) -> None:
        start = event.start_mark.index + self.base
        self.document = Document(self.decoded.lines, len(self.decoded.documents), start, start)
        self.anchors = {}
        self.anchors_full = False
        self.budget = self.limits.nodes
        self.irregular = {}
        self.begun += 1
        if self.begun > MAX_DOCUMENTS:
            raise DocumentLimitError(start)
        end = event.end_mark.index + self.base
        if event.version or event.tags:
            # kubectl takes what precedes the separator for a document of its own.
            self.document.problems.append(self.syntax_problem(start, end, "kubectl reads no % directives"))
        if event.explicit and separator_rest(self.text, end - 3):
            self.document.problems.append(self.bad_separator(end - 3))

    def _finish(self, value: Any, start: int, end: int) -> None:
        """Enter a document that was read to its end, unless it is empty."""
        document = self.document
        if value is None and start == end and not document.problems:
            return
        document.start, document.end = start, end
        if isinstance(value, Unknown):
            document.failed = document.template = True
            document.complete = False
        else:
            document.data = value
        # A parser takes `---x` for text, kubectl cuts the stream there.
        line = self.text.find("\n---", max(start - 1, 0), end)
        if line >= 0 or (start == 0 and self.text.startswith("---")):
            document.problems.append(self.bad_separator(line + 1))
        self.decoded.documents.append(document)

    def syntax_problem(self, start: int, end: int, problem: str, route: Route = ()) -> Problem:
        """A `yaml-syntax` problem at offsets of the text, cut at the end of the first line."""
        return Problem("yaml-syntax", self.decoded.line_span(start, end), route, {"problem": problem, "context": ""})

    def bad_separator(self, start: int) -> Problem:
        """The problem of a separator line that kubectl refuses."""
        end = self.text.find("\n", start)
        end = end if end >= 0 else len(self.text)
        return self.syntax_problem(start, end, "only a comment may follow a document separator")

    def _refuse(self, start: int, end: int, problem: str, route: Route) -> None:
        """A syntax problem, at offsets of the parser, of something that the parser accepts and kubectl does not."""
        if not self._enough():
            self._say(self.syntax_problem(start + self.base, end + self.base, problem, route))

    def _limit(self, kind: str, start: int, end: int, route: Route, limit: int) -> None:
        """A problem of a limit that is said once a document."""
        if all(problem.kind != kind for problem in self.document.problems):
            span = self.decoded.line_span(start + self.base, end + self.base)
            self._say(Problem(kind, span, route, {"limit": limit}))

    def _say(self, problem: Problem) -> None:
        """A problem that leaves a hole in the data."""
        self.document.complete = False
        if problem not in self.document.problems[-1:]:
            self.document.problems.append(problem)

    def _enough(self) -> bool:
        """Whether the document has so many problems that no more are entered."""
        if len(self.document.problems) < _MOST_PROBLEMS:
            return False
        self.document.complete = False
        return True

    def _route(self, container: Any, key: Any) -> Route:
        """The route of the value that is being read into a container."""
        route = self._container_route()
        if self.stack:
            route += (len(container) if isinstance(container, list) else "<<" if isinstance(key, _MergeKey) else key,)
        return tuple(step for step in route if not isinstance(step, _BadKey))

    def _container_route(self) -> Route:
        """The route of the container that is being read."""
        steps = (len(holder) - 1 if isinstance(holder, list) else key for holder, _, key in self.stack[1:])
        return tuple("<<" if isinstance(step, _MergeKey) else step for step in steps if not isinstance(step, _BadKey))

    def _past_properties(self, start: int, end: int) -> int:
        """Where a node begins whose mark is that of its anchor or tag."""
        return min(past_properties(self.text, start + self.base) - self.base, end)

    def _anchor(self, event: Any, value: Any, start: int, end: int) -> None:
        if len(self.anchors) < self.limits.anchors:
            self.anchors[event.anchor] = value, start, end
        else:
            self.anchors_full = True
            self._limit("anchor-limit", event.start_mark.index, event.end_mark.index, (), self.limits.anchors)

    def _alias(self, event: Any, container: Any, key: Any, state: int) -> Any:
        """The value that an alias stands for."""
        unknown = Unknown(f"*{event.anchor}")
        at, at_end = event.start_mark.index, event.end_mark.index
        if event.anchor not in self.anchors:
            if not self.anchors_full:
                # Without its name: the value may be a password that begins with an asterisk.
                problem = "the anchor is not defined before"
                self._refuse(at, at_end, problem, self._route(container, key))
            return unknown
        value, start, end = self.anchors[event.anchor]
        if isinstance(value, (dict, list)):
            if value is container or any(holder is value for holder, _, _ in self.stack):
                problem = "the value of the anchor contains itself"
                self._refuse(at, at_end, problem, self._route(container, key))
                return unknown
            start, end = self.marks.of(value)[:2]
        if not self._spend(at, at_end, self._size(value), container, key):
            return unknown
        if state != _KEY:
            step = len(container) if isinstance(container, list) else key
            self.marks.written.setdefault(id(container), {})[step] = Written(None, (start, end))
        return value

    def _size(self, value: Any) -> int:
        """How many nodes a value expands to, or a number that the budget does not hold; costs what it returns."""
        total = 0
        nodes = [value]
        while nodes and total <= self.budget:
            node = nodes.pop()
            total += 1
            if isinstance(node, (dict, list)):
                nodes.extend(node.values() if isinstance(node, dict) else node)
        return total

    def _spend(self, start: int, end: int, nodes: int, container: Any, key: Any) -> bool:
        """Take nodes from the budget for the alias at these offsets; False if it is used up."""
        if self.budget >= 0:
            self.budget -= nodes
            if self.budget < 0:
                self._limit("alias-budget", start, end, self._route(container, key), self.limits.nodes)
        return self.budget >= 0

    def _tagged(self, event: Any, container: Any, key: Any, state: int) -> Any:
        """The value of a scalar with a tag."""
        text: str = event.value
        if state == _KEY and text == "<<" and event.tag in ("!", "tag:yaml.org,2002:merge"):
            return _MergeKey()
        try:
            value = resolve_tagged(event.tag, text, as_key=state == _KEY)
        except KeyError:
            return Unknown(text)
        except ValueError as error:
            route = self._route(container, key if state == _VALUE else "")
            self._refuse(event.start_mark.index, event.end_mark.index, str(error), route)
            return Unknown(text)
        if isinstance(value, float) and not math.isfinite(value):
            return self._infinite(event, container, key)
        return Unknown(text) if isinstance(value, str) and is_unknown_text(text, event.style, ()) else value

    def _infinite(self, event: Any, container: Any, key: Any) -> Unknown:
        problem = "JSON has no infinities and no NaN"
        self._refuse(event.start_mark.index, event.end_mark.index, problem, self._route(container, key))
        return Unknown(event.value)

    def _look(self, event: Any, value: Unknown, container: Any, key: Any) -> Any:
        """A closer look at a value: what it is after all, or Unknown."""
        if event.__class__ is ScalarEvent and event.tag is None:
            text = restored(event.value)
            if event.implicit[0] and isinstance(resolve(text), float):
                return self._infinite(event, container, key)
            if not is_unknown_text(text, event.style, self._route(container, key)):
                return text
            value = Unknown(text)
        self.document.has_unknown = True
        return value

    def _key(self, event: Any, value: Any, container: Any) -> Any:
        """The key that a scalar or an alias stands for; a stand-in for a merge key or something that is no key."""
        is_scalar = event.__class__ is ScalarEvent and event.tag is None
        key: Any = value
        if is_scalar and event.implicit[0]:
            if event.value == "<<":
                key = _MergeKey()
        elif isinstance(value, Unknown):
            key = restored(value.text)
        if not isinstance(key, (str, _MergeKey, _BadKey)):
            try:
                key = resolve_key(restored(event.value) if is_scalar else _spelled(value))
            except ValueError as error:
                start, end = event.start_mark.index, event.end_mark.index
                self._refuse(start, end, str(error), self._container_route())
                key = _BadKey()
        if not isinstance(key, str):
            self.irregular.setdefault(id(container), [])
        elif isinstance(value, Unknown) and is_unknown_text(key, "", ()):
            self.document.has_unknown = True
        return key

    def _pass_over(
        self, start: int, get_event: Callable[[], Any], container: Any, key: Any, state: int
    ) -> tuple[Any, int]:
        """Read a collection without building it: a template action, too deep, of an unknown tag, or in place of a key.

        Returns what stands for it, and its end.
        """
        end = start
        depth = 1
        while depth:
            event = get_event()
            kind = event.__class__
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                depth += 1
                if depth > _DEEPEST:
                    raise MarkedYAMLError(problem=TOO_DEEP, problem_mark=event.start_mark)
                continue
            if kind is MappingEndEvent or kind is SequenceEndEvent:
                depth -= 1
                if event.start_mark.index == event.end_mark.index:
                    continue
            end = event.end_mark.index
        text = self.text[start + self.base : min(end, start + _LONGEST_UNKNOWN) + self.base]
        if text.startswith("{{"):
            self.document.has_unknown = True
            return (text if state == _KEY else Unknown(text)), end
        if state == _KEY:
            self._refuse(start, end, _NO_KEY, self._container_route())
            return _BadKey(), end
        if len(self.stack) >= self.limits.depth:
            self.document.complete = False
            self._limit("document-too-deep", start, end, self._route(container, key), self.limits.depth)
        return Unknown(text), end

    def _settle(self, container: dict[Any, Any], own: list[int]) -> None:
        """Give a mapping with repeated keys, merge keys or bad keys the entries that Kubernetes sees.

        go-yaml writes entries as they come: of equal keys the last wins, and a merge key overrides what is before it.
        """
        repeated = dict(self.irregular.pop(id(container)))
        read = dict(container)
        keys = iter(read)
        aliases = self.marks.written.pop(id(container), {})
        settled = _Settled(container, {}, {}, set())
        container.clear()
        for position in range((len(own) - 2) // 4):
            key: Any = repeated[position] if position in repeated else next(keys)
            key_start, key_end, start, end = own[2 + 4 * position : 6 + 4 * position]
            entry = (key_start, key_end), (start, end)
            alias = aliases.get(key) if self.text.startswith("*", start + self.base) else None
            if isinstance(key, _MergeKey):
                self._merge(settled, read[key], entry, alias)
            elif isinstance(key, str):
                first = settled.entries.get(key)
                if first and key not in settled.merged:
                    self._duplicate(key, first[0], entry[0])
                settled.merged.discard(key)
                settled.put(key, read[key], entry, alias)
        own[2:] = [offset for key in container for pair in settled.entries[key] for offset in pair]
        if settled.written:
            self.marks.written[id(container)] = settled.written

    def _duplicate(self, key: str, first: Offsets, second: Offsets) -> None:
        if self._enough():
            return
        base = self.base
        related = self.decoded.line_span(first[0] + base, first[1] + base)
        span = self.decoded.line_span(second[0] + base, second[1] + base)
        values = {"key": key, "first_line": related.line}
        route = (*self._container_route(), key)
        self.document.problems.append(Problem("yaml-duplicate-key", span, route, values, related))

    def _merge(self, settled: _Settled, value: Any, entry: tuple[Offsets, Offsets], alias: Written | None) -> None:
        """Put what a merge key brings into its mapping; of several sources the earlier wins."""
        sources = [(value, entry[1], alias is not None)]
        if isinstance(value, list) and alias is None:
            own = self.marks.of(value)
            aliases = self.marks.written.get(id(value), {})
            sources = [(one, (own[2 + 2 * at], own[3 + 2 * at]), at in aliases) for at, one in enumerate(value)][::-1]
        for source, token, aliased in sources:
            if isinstance(source, Unknown):
                continue
            if not isinstance(source, dict):
                problem = "a merge key takes a mapping or a list of mappings"
                self._refuse(*entry[0], problem, self._container_route())
                continue
            own = self.marks.of(source)
            aliases = self.marks.written.get(id(source), {})
            for at, (key, item) in enumerate(source.items()):
                if not self._spend(*token, 1, settled.container, "<<"):
                    return
                key_start, key_end, start, end = own[2 + 4 * at : 6 + 4 * at]
                settled.merged.add(key)
                there = (key_start, key_end), (start, end)
                if aliased:
                    settled.put(key, item, (entry[0], token), Written(*there))
                else:
                    settled.put(key, item, there, aliases.get(key))


class _Settled(NamedTuple):
    """A mapping while its final entries are put together."""

    container: dict[Any, Any]
    entries: dict[str, tuple[Offsets, Offsets]]
    """Offsets of key and value."""
    written: dict[Step, Written]
    merged: set[str]
    """Keys that only a merge key has brought so far."""

    def put(self, key: str, value: Any, entry: tuple[Offsets, Offsets], written: Written | None) -> None:
        """Set an entry; what an earlier one of the key left goes."""
        self.container[key] = value
        self.entries[key] = entry
        self.written.pop(key, None)
        if written:
            self.written[key] = written


_NO_KEY = "a mapping or list cannot be a key"


def _spelled(value: Any) -> str:
    """A value that an alias or a tag brought, as a plain scalar spells it."""
    if isinstance(value, (dict, list)):
        raise ValueError(_NO_KEY)
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
