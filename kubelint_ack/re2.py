"""Regular expressions as the API server reads them: Go's syntax (RE2), matched in time linear in the text.

`pattern` in the schema of a CustomResourceDefinition is such an expression, and its author is not trusted here: a
backtracking matcher could be held up for ever. An expression becomes a graph of states; sets of states are
remembered while texts are matched, so that the next text is mostly table look-ups.
https://github.com/google/re2/wiki/Syntax, https://pkg.go.dev/regexp/syntax
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

Ranges = tuple[tuple[int, int], ...]
"""Characters, as first and last code points."""


class PatternError(Exception):
    """Go refuses the expression; the text is the reason as Go gives it."""


class UnsupportedError(Exception):
    """The expression may be right, but is not understood here."""


_LAST = 0x10FFFF
_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_PERL = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_NAMED: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGIT,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_CONTROLS = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_MOST_REPEATS = 1000
"""Go refuses more (regexp/syntax, maxRepeat)."""
_MOST_STATES = 10_000
_DEEPEST = 100

_ANY: Ranges = ((0, _LAST),)


def _inverted(ranges: Ranges) -> Ranges:
    found, start = [], 0
    for low, high in sorted(ranges):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    if start <= _LAST:
        found.append((start, _LAST))
    return tuple(found)


def _both_cases(ranges: Ranges) -> Ranges:
    found = list(ranges)
    for low, high in ranges:
        if high > 127:
            raise UnsupportedError("letter case beyond ASCII")
        for first, last, shift in ((65, 90, 32), (97, 122, -32)):
            start, end = max(low, first), min(high, last)
            if start <= end:
                found.append((start + shift, end + shift))
    return tuple(found)


# --- the graph

_SPLIT, _CHARS, _ASSERT, _MATCH = range(4)


class _State:
    __slots__ = ("kind", "others", "ranges", "test")

    def __init__(self, kind: int, ranges: Ranges = (), test: str = "") -> None:
        self.kind = kind
        self.ranges = ranges
        self.test = test
        """`^` `$` (of the text), `<` `>` (of a line), `b` `B`."""
        self.others: list[_State] = []
        """Where to go on."""


class _Piece(NamedTuple):
    """A part of the graph: where it starts, and the states whose next is what follows it."""

    start: _State
    ends: list[_State]


class _Flags(NamedTuple):
    ignore_case: bool = False
    many_lines: bool = False
    dot_all: bool = False


class _Parser:
    """Recursive descent over the expression, making states on the way."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.states = 0
        self.depth = 0

    def state(self, kind: int, ranges: Ranges = (), test: str = "") -> _State:
        self.states += 1
        if self.states > _MOST_STATES:
            raise UnsupportedError("too large")
        return _State(kind, ranges, test)

    def empty(self) -> _Piece:
        one = self.state(_SPLIT)
        return _Piece(one, [one])

    def chars(self, ranges: Ranges, flags: _Flags) -> _Piece:
        one = self.state(_CHARS, _both_cases(ranges) if flags.ignore_case else ranges)
        return _Piece(one, [one])

    def test(self, name: str) -> _Piece:
        one = self.state(_ASSERT, test=name)
        return _Piece(one, [one])

    def whole(self) -> _State:
        piece, _ = self.choice(_Flags())
        if self.at < len(self.text):
            raise PatternError("unexpected )")
        self.join(piece.ends, self.state(_MATCH))
        return piece.start

    def join(self, ends: list[_State], to: _State) -> None:
        for end in ends:
            end.others.append(to)

    def choice(self, flags: _Flags) -> tuple[_Piece, _Flags]:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise UnsupportedError("too deep")
        piece, flags = self.sequence(flags)
        branches = [piece]
        while self.text.startswith("|", self.at):
            self.at += 1
            piece, flags = self.sequence(flags)
            branches.append(piece)
        self.depth -= 1
        if len(branches) == 1:
            return branches[0], flags
        split = self.state(_SPLIT)
        split.others = [branch.start for branch in branches]
        return _Piece(split, [end for branch in branches for end in branch.ends]), flags

    def sequence(self, flags: _Flags) -> tuple[_Piece, _Flags]:
        pieces = [self.empty()]
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            start = self.at
            flags_before = flags
            atom, flags = self.atom(flags)
            if atom is None:
                continue
            pieces.append(self.repeated(atom, start, flags_before))
        for one, other in pairwise(pieces):
            self.join(one.ends, other.start)
        return _Piece(pieces[0].start, pieces[-1].ends), flags

    def repeated(self, atom: _Piece, start: int, flags: _Flags) -> _Piece:
        """The atom with the quantifiers that follow it; a counted one is built anew as often as it may occur."""
        repeat = self.quantifier()
        if repeat is None:
            return atom
        if self.quantifier() is not None:
            raise PatternError("invalid nested repetition operator")
        low, high = repeat
        end = self.at

        def again() -> _Piece:
            self.at = start
            copy, _ = self.atom(flags)
            assert copy is not None
            return copy

        copies = [atom] + [again() for _ in range((low if high is None else high) - 1)] if (high or low) else []
        if high is None:
            star = self.star(again() if low else atom)
            result = self.chain([*copies, star]) if low else star
        else:
            result = self.chain([copy if index < low else self.optional(copy) for index, copy in enumerate(copies)])
        self.at = end
        return result

    def chain(self, pieces: list[_Piece]) -> _Piece:
        if not pieces:
            return self.empty()
        for one, other in pairwise(pieces):
            self.join(one.ends, other.start)
        return _Piece(pieces[0].start, pieces[-1].ends)

    def star(self, piece: _Piece) -> _Piece:
        split = self.state(_SPLIT)
        split.others = [piece.start]
        self.join(piece.ends, split)
        return _Piece(split, [split])

    def optional(self, piece: _Piece) -> _Piece:
        split = self.state(_SPLIT)
        split.others = [piece.start]
        return _Piece(split, [split, *piece.ends])

    def quantifier(self) -> tuple[int, int | None] | None:
        """How often, at the current place; None if there is no quantifier."""
        sign = self.text[self.at : self.at + 1]
        found: tuple[int, int | None]
        if sign and sign in "*+?":
            self.at += 1
            found = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        elif sign == "{":
            counts = self.counts()
            if counts is None:
                return None
            found = counts
        else:
            return None
        if self.text.startswith("?", self.at):
            self.at += 1
        return found

    def counts(self) -> tuple[int, int | None] | None:
        """`{2}`, `{2,}`, `{2,3}`; anything else in braces stands for itself."""
        end = self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : end].partition(",") if end > 0 else ("", "", "")
        if not (low.isascii() and low.isdigit()) or not (high == "" or (high.isascii() and high.isdigit())):
            return None
        least = int(low[:5])
        most = (int(high[:5]) if high else None) if comma else least
        if least > _MOST_REPEATS or (most is not None and (most > _MOST_REPEATS or most < least)):
            raise PatternError("invalid repeat count")
        self.at = end + 1
        return least, most

    def atom(self, flags: _Flags) -> tuple[_Piece | None, _Flags]:
        char = self.text[self.at]
        if char == "(":
            return self.group(flags)
        if char == "[":
            return self.chars(self.bracket(), flags), flags
        if char == "\\":
            return self.escape(flags), flags
        if char in "*+?" or (char == "{" and self.is_count()):
            raise PatternError("missing argument to repetition operator")
        self.at += 1
        if char == ".":
            return self.chars(_ANY if flags.dot_all else _inverted(((10, 10),)), flags), flags
        if char == "^":
            return self.test("<" if flags.many_lines else "^"), flags
        if char == "$":
            return self.test(">" if flags.many_lines else "$"), flags
        return self.chars(((ord(char), ord(char)),), flags), flags

    def is_count(self) -> bool:
        at = self.at
        found = self.counts() is not None
        self.at = at
        return found

    def group(self, flags: _Flags) -> tuple[_Piece | None, _Flags]:
        text = self.text
        self.at += 1
        inner = flags
        if text.startswith("?", self.at):
            name = self.group_name()
            if name is not None:
                if not name or not name.replace("_", "a").isalnum() or not name.isascii():
                    raise PatternError("invalid named capture")
            else:
                end = self.at + 1
                while end < len(text) and text[end] not in ":)":
                    end += 1
                inner = self.flags(text[self.at + 1 : end], flags)
                if end >= len(text):
                    raise PatternError("missing closing )")
                self.at = end + 1
                if text[end] == ")":
                    return None, inner
        piece, _ = self.choice(inner)
        if not text.startswith(")", self.at):
            raise PatternError("missing closing )")
        self.at += 1
        return piece, flags

    def group_name(self) -> str | None:
        """The name in `?P<name>` and `?<name>`, behind which it goes on; None if there is none."""
        for opening in ("?P<", "?<"):
            start = self.at + len(opening)
            if self.text.startswith(opening, self.at) and self.text[start : start + 1] not in ("=", "!"):
                end = self.text.find(">", start)
                self.at = end + 1 if end > 0 else len(self.text)
                return self.text[start:end] if end > 0 else ""
        return None

    def flags(self, letters: str, flags: _Flags) -> _Flags:
        on = True
        for letter in letters:
            if letter == "-" and on:
                on = False
            elif letter == "i":
                flags = flags._replace(ignore_case=on)
            elif letter == "m":
                flags = flags._replace(many_lines=on)
            elif letter == "s":
                flags = flags._replace(dot_all=on)
            elif letter != "U":
                raise PatternError("invalid or unsupported Perl syntax")
        return flags

    def escape(self, flags: _Flags) -> _Piece:
        letter = self.text[self.at + 1 : self.at + 2]
        if letter in ("A", "z", "b", "B"):
            self.at += 2
            return self.test({"A": "^", "z": "$"}.get(letter, letter))
        if letter == "Q":
            end = self.text.find("\\E", self.at)
            quoted = self.text[self.at + 2 : end if end >= 0 else None]
            self.at = end + 2 if end >= 0 else len(self.text)
            return self.chain([self.chars(((ord(char), ord(char)),), flags) for char in quoted])
        return self.chars(self.escaped(), flags)

    def escaped(self) -> Ranges:
        """What the escape at the current place stands for, inside brackets or not."""
        text = self.text
        letter = text[self.at + 1 : self.at + 2]
        self.at += 2
        if not letter:
            raise PatternError("trailing backslash at end of expression")
        if letter.lower() in _PERL:
            ranges = _PERL[letter.lower()]
            return _inverted(ranges) if letter.isupper() else ranges
        if letter in "pP":
            raise UnsupportedError("Unicode classes")
        if letter in _CONTROLS:
            code = _CONTROLS[letter]
        elif letter == "x":
            digits = text[self.at : self.at + 2]
            self.at += 2
            if digits.startswith("{"):
                end = text.find("}", self.at - 2)
                digits, self.at = text[self.at - 1 : end], end + 1
            try:
                code = int(digits, 16)
            except ValueError:
                raise PatternError("invalid escape sequence") from None
        elif letter in "01234567":
            if letter != "0" and text[self.at : self.at + 1] not in tuple("01234567"):
                raise PatternError("invalid escape sequence")
            raise UnsupportedError("octal escapes")
        elif letter.isascii() and letter.isalnum():
            raise PatternError("invalid escape sequence")
        else:
            code = ord(letter)
        return ((code, code),)

    def bracket(self) -> Ranges:
        text = self.text
        self.at += 1
        inverted = text.startswith("^", self.at)
        self.at += inverted
        found: list[tuple[int, int]] = []
        first = True
        while True:
            if self.at >= len(text):
                raise PatternError("missing closing ]")
            if text[self.at] == "]" and not first:
                self.at += 1
                break
            first = False
            if text.startswith("[:", self.at) and ":]" in text[self.at :]:
                end = text.index(":]", self.at)
                name = text[self.at + 2 : end]
                if name.removeprefix("^") not in _NAMED:
                    raise PatternError("invalid character class range")
                ranges = _NAMED[name.removeprefix("^")]
                found += _inverted(ranges) if name.startswith("^") else ranges
                self.at = end + 2
                continue
            low = self.member()
            if len(low) == 1 and low[0][0] == low[0][1] and self.is_range():
                self.at += 1
                high = self.member()
                if len(high) != 1 or high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                    raise PatternError("invalid character class range")
                low = ((low[0][0], high[0][0]),)
            found += low
        return _inverted(tuple(found)) if inverted else tuple(found)

    def is_range(self) -> bool:
        return self.text.startswith("-", self.at) and self.text[self.at + 1 : self.at + 2] not in ("]", "")

    def member(self) -> Ranges:
        if self.at >= len(self.text):
            raise PatternError("missing closing ]")
        if self.text[self.at] == "\\":
            return self.escaped()
        self.at += 1
        code = ord(self.text[self.at - 1])
        return ((code, code),)


# --- matching


class Pattern:
    """A compiled expression."""

    def __init__(self, start: _State) -> None:
        self._start = start
        self._forget()

    def _forget(self) -> None:
        self._numbers: dict[frozenset[_State], int] = {frozenset(): 0}
        self._sets: list[frozenset[_State]] = [frozenset()]
        self._steps: dict[tuple[int, str, str], int] = {}
        """By number of a set, what is before (see `_before`), and the next character: the next set; -1: it matches."""

    def search(self, text: str) -> bool | None:
        """Whether it matches anywhere in a text; None: that would take too long to find out."""
        waiting, before, work = 0, "", 0
        for after in (*text, ""):
            step = self._steps.get((waiting, before, after))
            if step is None:
                if len(self._steps) > _MOST_STEPS:
                    kept = self._sets[waiting]
                    self._forget()
                    waiting = self._number(kept)
                found, visited = self._closure(self._sets[waiting], before, after)
                work += visited
                if work > _MOST_WORK:
                    return None
                step = -1 if found is None else self._number(found)
                self._steps[(waiting, before, after)] = step
            if step < 0:
                return True
            waiting, before = step, _before(after)
        return False

    def _number(self, found: frozenset[_State]) -> int:
        number = self._numbers.get(found)
        if number is None:
            number = self._numbers[found] = len(self._sets)
            self._sets.append(found)
        return number

    def _closure(self, waiting: frozenset[_State], before: str, after: str) -> tuple[frozenset[_State] | None, int]:
        """The states behind the next character, from those waiting and from the start; None: it matches here."""
        stack = [*waiting, self._start]
        seen = set(stack)
        reached: set[_State] = set()
        code = ord(after) if after else -1
        while stack:
            state = stack.pop()
            if state.kind == _MATCH:
                return None, len(seen)
            if state.kind == _CHARS:
                if any(low <= code <= high for low, high in state.ranges):
                    reached.update(state.others)
                continue
            if state.kind == _ASSERT and not _holds(state.test, before, after):
                continue
            for other in state.others:
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        return frozenset(reached), len(seen)


_MOST_STEPS = 20_000
_MOST_WORK = 1_000_000


def _before(char: str) -> str:
    """As much of a character as the tests ask of the one before: a line feed, `w` for a letter of words, or `-`."""
    if char == "\n":
        return char
    return "w" if _is_word(char) else "-"


def _is_word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())


def _holds(test: str, before: str, after: str) -> bool:
    if test == "^":
        return before == ""
    if test == "$":
        return after == ""
    if test == "<":
        return before in ("", "\n")
    if test == ">":
        return after in ("", "\n")
    return ((before == "w") != _is_word(after)) == (test == "b")


@lru_cache(maxsize=1000)
def compiled(text: str) -> Pattern:
    """The expression; raises PatternError if Go refuses it, UnsupportedError if it is not understood here."""
    return Pattern(_Parser(text).whole())
