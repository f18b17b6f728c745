"""YAML text to parser events: libyaml through PyYAML, and where kubectl cuts a stream into documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

from yaml.error import MarkedYAMLError
from yaml.events import Event, ScalarEvent

try:
    from yaml._yaml import CParser

    LIBYAML = True
    """Whether PyYAML was built with libyaml. Without it everything works, some twelve times slower."""
except ImportError:
    LIBYAML = False

MAX_DOCUMENTS = 20_000
"""Documents read of one file: 10 MB of ordinary manifests; a bound for files of nothing but separators."""
TOO_DEEP = "exceeded maximum nesting depth"
"""What libyaml says of a document that nests 1,000 deep."""
_BAD_ESCAPE = "found invalid Unicode character escape code"

# Plain texts, compiled when a file needs them.
_PROPERTIES = r"(?:(?:&[\w-]+|!<[^>\s]*>|![^\s,\[\]{}]*)(?:\s+(?:#[^\n]*\s*)*|(?=[,\[\]{}]|\Z)))+"
_LATER_MARK = "(?m)^(---[^\n]*\n)\ufeff"
_JSON = r"\s*[\[{]"
_PAIR = r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
_HIGH, _LOW = 0xE000, 0xE400
_HIDDEN_COLON = "\ufdd0"
_STAND_IN = f"{_HIDDEN_COLON}|[\ue000-\ue3ff][\ue400-\ue7ff]"
_LAST_COLON = r"""(?<=[^\s"'\[\]{},]):(?=[,\]}])"""

UNEXPECTED_COLON = "found unexpected ':'"
"""What libyaml says of `[a:]`, which go-yaml reads as a list of one string; see `with_colons_hidden`."""


class EventSource(Protocol):
    """A parser: one event a call; the last is a `StreamEndEvent`. Raises YAMLError at what it cannot read."""

    def get_event(self) -> Any:
        """The next event."""


class Window:
    """A piece of a text as a file that a parser can read, without a copy of the piece."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text = text
        self._at = start
        self._end = end

    def read(self, size: int = 16_384, /) -> str:
        """The next characters, `size` at most; empty at the end."""
        start = self._at
        self._at = min(start + size, self._end)
        return self._text[start : self._at]


def parser(source: bytes | str | Window) -> EventSource:
    """A parser of the source. Marks of its events have an `index`: code points from the start of the source."""
    return CParser(source) if LIBYAML else _pure_parser(source)


def _pure_parser(source: bytes | str | Window) -> EventSource:
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class PureParser(Reader, Scanner, Parser):
        def __init__(self) -> None:
            Reader.__init__(self, source)
            Scanner.__init__(self)
            Parser.__init__(self)

        def get_event(self) -> Event | None:
            # Escapes that are no characters: libyaml refuses them, PyYAML lets some pass and stumbles over others.
            try:
                event: Event | None = super().get_event()  # type: ignore[no-untyped-call]
                if isinstance(event, ScalarEvent):
                    event.value.encode()
            except (ValueError, OverflowError):
                raise MarkedYAMLError(problem=_BAD_ESCAPE, problem_mark=self.get_mark()) from None
            return event

    return PureParser()


def past_properties(text: str, start: int) -> int:
    """Where a node begins whose anchor or tag stands at `start`."""
    match = re.compile(_PROPERTIES).match(text, start)
    return match.end() if match else start


def pieces(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Start and end of each document from `start` on as kubectl cuts them: before every line that begins with `---`.

    https://github.com/kubernetes/apimachinery/blob/master/pkg/util/yaml/decoder.go
    """
    while start < len(text):
        newline = text.find("\n---", start)
        end = newline + 1 if newline >= 0 else len(text)
        yield start, end
        start = end


def separator_rest(text: str, start: int) -> str:
    """What stands on a separator line after its `---`, unless it is a comment: kubectl refuses it."""
    end = text.find("\n", start)
    rest = text[start + 3 : end if end >= 0 else len(text)].strip()
    return "" if rest.startswith("#") else rest


def parsable(text: str) -> str:
    """The text as a parser must be given it to read what kubectl reads: the same text, or one of the same length.

    - A byte order mark at the start of a document, where files were put together, becomes an empty line.
    - In JSON a character beyond U+FFFF may be spelled as two escapes, which YAML does not know. Two escapes of private
      use take their place; `restored` makes the character of them.
    """
    if "\ufeff" in text:
        text = re.sub(_LATER_MARK, "\\1\n", text)
    if "\\" in text and re.match(_JSON, text):
        text = re.sub(_PAIR, _mark_pair, text)
    return text


def _mark_pair(match: re.Match[str]) -> str:
    high, low = int(match[2], 16) - 0xD800, int(match[3], 16) - 0xDC00
    return f"{match[1]}\\u{_HIGH + high:04x}\\u{_LOW + low:04x}"


def with_colons_hidden(text: str) -> str:
    """The text with a character that is none (U+FDD0) for each colon that may end a plain scalar in flow style."""
    return re.sub(_LAST_COLON, _HIDDEN_COLON, text)


def restored(text: str) -> str:
    """A scalar's text with what `parsable` and `with_colons_hidden` have put into it changed back."""
    return re.sub(_STAND_IN, _restore, text)


def _restore(match: re.Match[str]) -> str:
    if match[0] == _HIDDEN_COLON:
        return ":"
    return chr(0x10000 + ((ord(match[0][0]) - _HIGH) << 10) + ord(match[0][1]) - _LOW)
