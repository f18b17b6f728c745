"""Bytes to documents: plain dicts and lists with the offsets of everything beside them.

One document that cannot be read leaves the others readable. Configuration and profile files go the same way: findings
point into them.
"""

from __future__ import annotations

import codecs
import re

from yaml.error import MarkedYAMLError, YAMLError

from kubelint_ack.documents import Decoded as Decoded
from kubelint_ack.documents import Document as Document
from kubelint_ack.documents import Problem as Problem
from kubelint_ack.events import LIBYAML as LIBYAML
from kubelint_ack.events import (
    MAX_DOCUMENTS,
    TOO_DEEP,
    UNEXPECTED_COLON,
    Window,
    parsable,
    pieces,
    separator_rest,
    with_colons_hidden,
)
from kubelint_ack.records import Span
from kubelint_ack.scalars import has_unknown_marks
from kubelint_ack.tree import Builder, DocumentLimitError, Limits, Stopped

_MARK = "\ufeff"
# Template actions outside comments, in a text that is no YAML.
_ACTION = r"(?m)^[^#\n]*\{[{%]"
# What libyaml and go-yaml take for a control character.
_CONTROL = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_DROPPED = "the text after the end of the document is dropped"
# What the parser notices only later: a line without a colon, a quote that is never closed.
_NOTICED_LATER = (
    "could not find expected ':'",
    "found unexpected end of stream",
    "found unexpected document indicator",
)
_NOTHING = r"(?:\s|#[^\n]*|\.\.\.(?=\s|$))*"


def text_of_bytes(data: bytes) -> str:
    """The text as `decode` reads it, without a byte order mark."""
    return _read(data)[0]


def _read(data: bytes) -> tuple[str, str, int]:
    """Text, encoding, and the offset of the first character that is not UTF-8; -1 if there is none."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").lstrip(_MARK), "utf-16", -1
    encoding = "utf-8-bom" if data.startswith(codecs.BOM_UTF8) else "utf-8"
    try:
        return data.decode().lstrip(_MARK), encoding, -1
    except UnicodeDecodeError as error:
        bad = len(data[: error.start].decode().lstrip(_MARK))
    try:
        return data.decode("gb18030").lstrip(_MARK), "gb18030", bad
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").lstrip(_MARK), "unknown", bad


def decode(
    data: bytes,
    *,
    max_bytes: int = 10_000_000,
    max_depth: int = 200,
    max_nodes: int = 100_000,
    max_anchors: int = 10_000,
) -> Decoded:
    """The documents of a file; raises nothing, whatever the bytes are.

    `max_depth` bounds how deep a document may nest, `max_nodes` what its aliases and merge keys may expand to,
    `max_anchors` its anchors. Nothing that is built here is cyclic: around many calls garbage collection is best off.
    """
    if len(data) > max_bytes:
        decoded = Decoded("", "unknown")
        values = {"size": len(data), "limit": max_bytes}
        decoded.problems.append(Problem("file-too-large", Span(1, 1, 1, 1), (), values))
        return decoded
    text, encoding, bad = _read(data)
    decoded = Decoded(text, encoding)
    if bad >= 0:
        decoded.problems.append(Problem("encoding", decoded.span(bad, bad + 1), (), {"encoding": encoding}))
    source = parsable(text)
    watch = source is not text or has_unknown_marks(text)
    stream = _Stream(decoded, source, Limits(max_depth, max_nodes, max_anchors), watch)
    # libyaml reads UTF-8: bytes save a conversion.
    stream.read(data if encoding == "utf-8" and source is text else source)
    return decoded


class _Stream:
    """The stream of a file: all of it at once, or what kubectl takes for its documents one by one."""

    def __init__(self, decoded: Decoded, source: str, limits: Limits, watch: bool) -> None:
        self.decoded = decoded
        self.text = decoded.text
        self.source = source
        self.builder = Builder(decoded, limits, watch)

    def read(self, source: bytes | str) -> None:
        """Read the whole stream; after an error go on document by document."""
        try:
            stopped = self.builder.stream(source)
            if stopped:
                rest = pieces(self.text, stopped.offset)
                if stopped.between:
                    self._after(*next(rest, (0, 0)))
                for start, end in rest:
                    self._piece(start, end)
        except DocumentLimitError as error:
            at: int = error.args[0]
            self.decoded.problems.append(
                Problem("document-limit", self.decoded.line_span(at, at + 3), (), {"limit": MAX_DOCUMENTS})
            )

    def _piece(self, start: int, end: int) -> None:
        """One document, with the separator line before it."""
        line = start
        bad = self.text.startswith("---", start) and separator_rest(self.text, start)
        if self.text.startswith("---", start) and not (bad and self.text[start + 3] in " \t"):
            start = self.text.find("\n", start, end) + 1 or end
        if start >= end or self.text[start:end].isspace():
            return
        before = len(self.decoded.documents)
        stopped = self._window(start, end)
        if stopped and stopped.between:
            self._after(stopped.offset, end)
        elif stopped:
            self._fail(start, end, stopped.error)
        if bad and len(self.decoded.documents) > before:
            document = self.decoded.documents[before]
            problem = self.builder.bad_separator(line)
            if problem not in document.problems and not document.template:
                document.problems.insert(0, problem)

    def _window(self, start: int, end: int) -> Stopped | None:
        stopped = self.builder.window(Window(self.source, start, end), start)
        if stopped and isinstance(stopped.error, MarkedYAMLError) and stopped.error.problem == UNEXPECTED_COLON:
            piece = with_colons_hidden(self.source[start:end])
            self.builder.watch = True
            stopped = self.builder.window(Window(piece, 0, len(piece)), start)
        return stopped

    def _after(self, start: int, end: int) -> None:
        """What follows a complete document without a separator: more JSON, or text that kubectl drops."""
        text, documents = self.text, self.decoded.documents
        while True:
            match = re.compile(_NOTHING).match(text, start, end)
            start = match.end() if match else start
            if start >= end:
                return
            if not documents or text[start] != "{" or not text.startswith("{", documents[-1].start):
                break
            stopped = self._window(start, end)
            if stopped is None:
                return
            if not stopped.between:
                self._fail(start, end, stopped.error)
                return
            start = stopped.offset
        last = documents[-1] if documents else None
        if last and last.template:
            # An action alone on the first line is a flow mapping to YAML.
            last.end = start + len(text[start:end].rstrip())
        elif last is None or re.compile(_ACTION).search(text, start, end):
            self._fail(start, end, YAMLError(_DROPPED))
        else:
            last.problems.append(self.builder.syntax_problem(start, end, _DROPPED))
            last.complete = False

    def _fail(self, start: int, end: int, error: YAMLError) -> None:
        """Enter a document that is no YAML."""
        body = self.text[start:end]
        begin = start + len(body) - len(body.lstrip())
        document = Document(self.decoded.lines, len(self.decoded.documents), begin, start + len(body.rstrip()))
        document.failed = True
        document.complete = False
        self.decoded.documents.append(document)
        control = re.search(_CONTROL, body)
        if control:
            span = self.decoded.span(start + control.start(), start + control.end())
            values = {"character": f"U+{ord(control[0]):04X}"}
            document.problems.append(Problem("control-character", span, (), values))
        elif isinstance(error, MarkedYAMLError) and TOO_DEEP in (error.problem or ""):
            span = self.decoded.line_span(begin, document.end)
            limit = self.builder.limits.depth
            document.problems.append(Problem("document-too-deep", span, (), {"limit": limit}))
        elif re.search(_ACTION, body):
            document.template = True
        else:
            document.problems.append(self._syntax_problem(error, start, document))

    def _syntax_problem(self, error: YAMLError, base: int, document: Document) -> Problem:
        """What the parser said, at the place of the mistake; where else it was busy with something is related."""
        problem, context, at, context_at = str(error), "", document.start, None
        if isinstance(error, MarkedYAMLError):
            problem, context = error.problem or problem, error.context or ""
            if error.problem_mark:
                at = error.problem_mark.index + base
            if error.context_mark:
                context_at = error.context_mark.index + base
                if problem in _NOTICED_LATER:
                    at, context_at = context_at, None
        # Nobody looks behind the end of the text: the last character stands for it.
        last = max(document.end - 1, document.start)
        at = min(at, last)
        related = None
        if context_at is not None and min(context_at, last) != at:
            related = self.decoded.line_span(context_at, context_at + 1)
        span = self.decoded.line_span(at, at + 1)
        return Problem("yaml-syntax", span, (), {"problem": problem, "context": context}, related)
