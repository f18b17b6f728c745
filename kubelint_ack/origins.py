"""Mappings that people write in a file: the data, and where each part of it stands. YAML, JSON and TOML.

TOML places are a best effort, as `tomllib` tells none: keys are found in their tables; what stands inside an inline
table or an array has the place of the key that holds it, and what is absent that of its table's header.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kubelint_ack.decode import decode
from kubelint_ack.records import FieldPath, Place, Route, Span, Unknown, field_text

DEEPEST = 100
"""Levels of nesting; our schemas know a dozen."""


class Origin(NamedTuple):
    """Where a mapping was written."""

    path: str
    """As reports have it: relative to the root, or to the current directory, else absolute."""
    find: Callable[[Route, FieldPath], Place]
    """The place of a field of the mapping at a route of the file."""
    written: Callable[[Route], str | None]
    """How the value at a route of the file is written; None where that is not known."""
    prefix: Route = ()
    """The route of the mapping in the file."""

    def place(self, path: FieldPath) -> Place:
        """The place of a field of the mapping."""
        return self.find(self.prefix, path)

    def below(self, *route: str | int) -> Origin:
        """Where an inner mapping was written."""
        return self._replace(prefix=self.prefix + route)


class FileProblem(NamedTuple):
    """Why a file cannot be read as a mapping."""

    kind: str
    """A kind of `documents.Problem`, or `template`, `several-documents`, `not-a-mapping`, `unknown-value`, `toml`,
    `no-table`."""
    span: Span | None = None
    values: Mapping[str, Any] = {}


class Unusable(Exception):  # noqa: N818 - the file is, not the program
    """A file that is no mapping; `problems` says why."""

    def __init__(self, *problems: FileProblem) -> None:
        super().__init__(problems)
        self.problems = problems


def yaml_mapping(data: bytes, path: str, globs: frozenset[str] = frozenset()) -> tuple[dict[str, Any], Origin]:
    """The mapping of a YAML or JSON file, empty if the file is, and its origin.

    Placeholders (`{{ }}`, `${X}`) and unknown tags are problems, except in lists under the keys `globs`, where braces
    are text. Raises Unusable.
    """
    decoded = decode(data, max_bytes=len(data), max_depth=DEEPEST)
    documents = decoded.documents
    problems = [*decoded.problems, *(problem for document in documents for problem in document.problems)]
    if problems:
        raise Unusable(*(_file_problem(one.kind, one.span, one.route, one.values) for one in problems))
    for document in documents:
        if document.failed:
            raise Unusable(FileProblem("template", document.span))
    if len(documents) > 1:
        raise Unusable(FileProblem("several-documents", documents[1].span))
    if not documents or documents[0].data is None:
        return {}, Origin(path, lambda prefix, field: _TOP, lambda route: None)
    document = documents[0]
    if not isinstance(document.data, dict):
        raise Unusable(FileProblem("not-a-mapping", document.span))

    def place(prefix: Route, field: FieldPath) -> Place:
        return decoded.place(document, prefix, field)

    def written(route: Route) -> str | None:
        span = place((), FieldPath(route, "value")).span
        return decoded.line_text(span.line)[span.column - 1 : span.end_column - 1]

    content = document.data
    if document.has_unknown:
        unknown: list[Route] = []
        content = _known(content, (), globs, unknown)
        if unknown:
            spans = [(route, place((), FieldPath(route, "value")).span) for route in unknown]
            raise Unusable(*(_file_problem("unknown-value", span, route, {}) for route, span in spans))
    return content, Origin(path, place, written)


_TOP = Place(Span(1, 1, 1, 1), "", "")


def _file_problem(kind: str, span: Span, route: Route, values: Mapping[str, Any]) -> FileProblem:
    """A problem at a field; the wording's own `key` is taken, so the field's key is its `word`."""
    own = {"field": field_text(route), "word": route[-1] if route else ""}
    return FileProblem(kind, span, {**own, **{name: value for name, value in values.items() if name != "key"}})


def _known(node: Any, route: Route, globs: frozenset[str], unknown: list[Route]) -> Any:
    """The data with the text of unknown values in their place; the routes of those that may not be are added."""
    if isinstance(node, Unknown):
        if len(route) < 2 or route[-2] not in globs:
            unknown.append(route)
        return node.text
    if isinstance(node, dict):
        return {key: _known(value, (*route, key), globs, unknown) for key, value in node.items()}
    if isinstance(node, list):
        return [_known(value, (*route, index), globs, unknown) for index, value in enumerate(node)]
    return node


# --- TOML


def toml_mapping(data: bytes, path: str, table: Sequence[str]) -> tuple[dict[str, Any], Origin]:
    """The mapping that a TOML file has at `table`, and its origin. Raises Unusable."""
    try:
        text = data.decode("utf-8-sig")
        found = _tomllib().loads(text)
    except UnicodeDecodeError:
        raise Unusable(FileProblem("encoding")) from None
    except RecursionError:
        raise Unusable(FileProblem("document-too-deep")) from None
    except ValueError as error:
        # https://docs.python.org/3/library/tomllib.html: the position is in the text only, before Python 3.14.
        match = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        line, column = (int(match[1]), int(match[2])) if match else (1, 1)
        if str(error).endswith("(at end of document)"):
            line, column = text.count("\n", 0, len(text.rstrip())) + 1, 1
        detail = str(error).partition(" (at ")[0]
        raise Unusable(FileProblem("toml", Span(line, column, line, column + 1), {"detail": detail})) from None
    for step in table:
        found = found.get(step) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise Unusable(FileProblem("no-table"))
    if _deeper(found, DEEPEST):
        raise Unusable(FileProblem("document-too-deep"))
    marks = TomlMarks(text.replace("\r\n", "\n"))
    return found, Origin(path, marks.place, marks.written, tuple(table))


def has_toml_table(data: bytes, table: Sequence[str]) -> bool:
    """Whether a TOML file has this table, or names it and cannot be read: then `toml_mapping` says why."""
    name = ".".join(table).encode()
    if table[-1].encode() not in data:
        return False
    try:
        found = _tomllib().loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return name in data
    for step in table:
        found = found.get(step) if isinstance(found, dict) else None
    return found is not None


def _tomllib() -> Any:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib


def _deeper(data: Any, limit: int) -> bool:
    """Whether the data nests deeper than this many levels."""
    level = [data]
    for _ in range(limit):
        level = [
            inner
            for node in level
            for inner in (node.values() if isinstance(node, dict) else node)
            if isinstance(inner, (dict, list))
        ]
    return bool(level)


Offsets = tuple[int, int]

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?!")'  # up to two quotes may stand in front of the closing ones
    r"|'''.*?'''(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[\]{}=.\n]"
    r"|[^\s\[\]{}=.\"'#]+",
    re.DOTALL,
)
_UNICODE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")


class TomlMarks:
    """The places of a TOML text's keys and their values."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0]
        for line in text.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._keys: dict[Route, Offsets] = {}
        self._values: dict[Route, Offsets] = {}
        self._read()

    def place(self, prefix: Route, path: FieldPath) -> Place:
        """Where a field of the mapping at `prefix` stands, always on one line."""
        route = prefix + path.route
        known = route
        while known and known not in self._keys:
            known = known[:-1]
        offsets = self._keys.get(known, (0, 0))
        if path.part == "value" and known == route and route in self._values:
            offsets = self._values[route]
        field = field_text(path.route)
        return Place(self._span(*offsets), field, field)

    def written(self, route: Route) -> str | None:
        """The text of a key's value; None where there is none or its place is not known."""
        found = self._values.get(route)
        return self._text[found[0] : found[1]] if found else None

    def _span(self, start: int, end: int) -> Span:
        newline = self._text.find("\n", start, end)
        line = bisect_right(self._lines, start)
        first = self._lines[line - 1]
        return Span(line, start - first + 1, line, (end if newline < 0 else newline) - first + 1)

    def _statements(self) -> Iterator[list[re.Match[str]]]:
        """The tokens of each header and of each `key = value`, without comments and line feeds."""
        found: list[re.Match[str]] = []
        depth, in_value = 0, False
        for match in _TOKEN.finditer(self._text):
            token = match[0]
            if token == "\n" and depth == 0:
                if found:
                    yield found
                found, in_value = [], False
            elif token != "\n" and not token.startswith("#"):
                found.append(match)
                in_value = in_value or token == "="
                depth += in_value * ((token in "[{") - (token in "]}"))
        if found:
            yield found

    def _read(self) -> None:
        table: Route = ()
        items: dict[Route, int] = {}
        for tokens in self._statements():
            if tokens[0][0] != "[":
                self._entry(table, tokens)
                continue
            is_item = tokens[1][0] == "["
            steps = _key_steps([match for match in tokens if match[0] not in "[]"])
            table = ()
            for step in steps[:-1]:
                table = _last_item((*table, step), items)
            table = (*table, steps[-1])
            offsets = tokens[0].start(), tokens[-1].end()
            if is_item:
                items[table] = items.get(table, -1) + 1
                self._keys.setdefault(table, offsets)
            table = _last_item(table, items)
            for length in range(1, len(table) + 1):
                self._keys.setdefault(table[:length], offsets)

    def _entry(self, table: Route, tokens: Sequence[re.Match[str]]) -> None:
        """Remember `key = value`, with all the tables that a dotted key passes."""
        equals = next((index for index, match in enumerate(tokens) if match[0] == "="), len(tokens))
        keys, value = tokens[:equals], tokens[equals + 1 :]
        route = (*table, *_key_steps(keys))
        for length in range(len(table) + 1, len(route) + 1):
            self._keys.setdefault(route[:length], (keys[0].start(), keys[-1].end()))
        if value:
            self._values[route] = value[0].start(), value[-1].end()


def _last_item(route: Route, items: dict[Route, int]) -> Route:
    """The table that a header's part means: the last one of an array of tables."""
    return (*route, items[route]) if route in items else route


def _key_steps(tokens: Sequence[re.Match[str]]) -> list[str]:
    """The parts of a dotted key."""
    return [_key_step(match[0]) for match in tokens if match[0] != "."]


def _key_step(token: str) -> str:
    if token[0] == '"':
        text = _UNICODE.sub(lambda match: chr(int(match[1] or match[2], 16)), token[1:-1])
        return text.replace('\\"', '"').replace("\\\\", "\\")
    return token[1:-1] if token[0] == "'" else token
